//! One request, one bounded answer. No proxy, no redirect, no cookie, no second try.

use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, http};

use crate::{Endpoint, Error};

/// From the first packet to the last.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Answers about keys have a few kilobytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Asks providers.
#[derive(Debug, Clone)]
pub struct Client {
    timeout: Duration,
}

impl Default for Client {
    fn default() -> Self {
        Self { timeout: TIMEOUT }
    }
}

/// An answer of status 200, or what another one says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) request_id: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// A question.
pub(crate) struct Question<'a> {
    pub(crate) endpoint: &'a Endpoint,
    /// The provider's own name, in errors and in the header Host.
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    /// None: GET.
    pub(crate) body: Option<&'a str>,
    pub(crate) operation: &'static str,
    /// Where the provider puts its number of the request.
    pub(crate) request_id: &'static str,
}

impl Client {
    /// The same with another patience.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout }
    }

    fn agent(&self, endpoint: &Endpoint) -> Agent {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::WebPki)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        Agent::config_builder()
            .tls_config(tls)
            .https_only(endpoint.is_tls())
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(self.timeout))
            .user_agent(concat!("keyvouch/", env!("CARGO_PKG_VERSION")))
            .accept("*/*")
            .build()
            .into()
    }

    pub(crate) fn ask(&self, question: &Question<'_>) -> Result<Answer, Error> {
        // What a library says of a failed connection has no header in it; its debugging form is not used.
        let unreachable =
            |why: ureq::Error| Error::Unreachable { host: question.host.to_owned(), why: reason(&why) };
        let agent = self.agent(question.endpoint);
        let url = format!("{}{}", question.endpoint.base(), question.path);
        let mut headers = question.headers.clone();
        headers.push(("host", question.host));
        let response = match question.body {
            Some(body) => {
                let request = headers.iter().fold(agent.post(&url), |r, (n, v)| r.header(*n, *v));
                request.send(body.as_bytes())
            }
            None => headers.iter().fold(agent.get(&url), |r, (n, v)| r.header(*n, *v)).call(),
        };
        let mut response = response.map_err(unreachable)?;
        let header = |response: &http::Response<Body>, name: &str| {
            response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)
        };
        let content_type = header(&response, "content-type").unwrap_or_default();
        let request_id = header(&response, question.request_id).filter(|id| is_id(id));
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        let bytes = bytes.map_err(|why| match why {
            ureq::Error::BodyExceedsLimit(_) => Error::Answer {
                host: question.host.to_owned(),
                operation: question.operation,
                why: "it is larger than any answer about a key",
            },
            other => unreachable(other),
        })?;
        Ok(Answer { status, content_type, request_id, bytes })
    }
}

/// A number of a request, and nothing that a record could be spoilt with.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
}

fn reason(why: &ureq::Error) -> String {
    match why {
        ureq::Error::Timeout(_) => "it took too long".to_owned(),
        ureq::Error::HostNotFound => "its name is not known to this machine's resolver".to_owned(),
        ureq::Error::Io(io) => format!("the connection failed ({})", io.kind()),
        ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
        ureq::Error::Rustls(tls) => format!("TLS failed: {tls}"),
        _ => "it did not speak HTTP as expected".to_owned(),
    }
}
