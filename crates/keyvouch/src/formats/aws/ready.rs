//! An envelope for those who send it: the one way from its bytes to requests that may go out.

use serde_json::Value;

use super::checks as ck;
use super::envelope::{self, Asked, CONTENT_TYPE, Form, NONCE_HEADER, Request};
use super::names::{Endpoint, KeyArn};
use crate::checks::{CheckRecord, Checks};
use crate::input::parse_json;
use crate::time::Time;

/// Largest envelope that is looked at.
const MAX_ENVELOPE: usize = 64 * 1024;

/// A request whose every part is what it must be.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadyRequest {
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl std::fmt::Debug for ReadyRequest {
    /// Without the values: a session token is among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("ReadyRequest").field("headers", &names).finish_non_exhaustive()
    }
}

impl ReadyRequest {
    /// The headers to send besides Host, by their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    fn of(request: &Request<'_>) -> Self {
        const SENT: [&str; 7] = [
            "authorization",
            "content-type",
            "x-amz-content-sha256",
            "x-amz-date",
            "x-amz-security-token",
            "x-amz-target",
            NONCE_HEADER,
        ];
        let header = |name: &'static str| Some((name, request.header(name)?.to_owned()));
        Self { headers: SENT.into_iter().filter_map(header).collect(), body: request.body().to_owned() }
    }
}

/// An envelope that passed every check: it can be sent to KMS, and do nothing there but ask about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    host: String,
    region: String,
    arn: String,
    describe: ReadyRequest,
    publish: ReadyRequest,
    signatures: [String; 2],
    access_key_id: String,
}

impl Ready {
    /// Judges an envelope before it is sent: `nonce` is that of the order, `at` the time of sending.
    ///
    /// # Errors
    /// The checks that failed, with advice for the subscriber.
    pub fn judge(envelope: &[u8], nonce: &[u8], at: Time) -> Result<Self, Vec<CheckRecord>> {
        const PLACE: &str = "envelope";
        let mut checks = Checks::default();
        let value = match envelope.len() {
            0..=MAX_ENVELOPE => parse_json(envelope).map_err(|why| why.to_string()),
            _ => Err(format!("it has more than {MAX_ENVELOPE} bytes")),
        };
        let form = value.as_ref().map_err(Clone::clone).and_then(|value: &Value| Form::read(value));
        let ready = match form {
            Err(why) => {
                checks.fail(&ck::ENVELOPE, PLACE, why);
                None
            }
            Ok(form) => envelope::judge(form, Asked { nonce: Some(nonce), at }, PLACE, &mut checks),
        };
        let failed = || checks.into_records().into_iter().filter(|r| r.means.is_some()).collect();
        ready.and_then(|envelope| Self::of(&envelope)).ok_or_else(failed)
    }

    fn of(envelope: &envelope::Envelope<'_>) -> Option<Self> {
        let [describe, publish] = &envelope.requests;
        let (one, other) = (describe.authorization()?, publish.authorization()?);
        Some(Self {
            host: envelope.endpoint.host.clone(),
            region: envelope.endpoint.region.as_str().to_owned(),
            arn: envelope.arn.as_str().to_owned(),
            describe: ReadyRequest::of(describe),
            publish: ReadyRequest::of(publish),
            signatures: [one.signature.to_owned(), other.signature.to_owned()],
            access_key_id: one.access_key_id.to_owned(),
        })
    }

    /// The host to send to, over TLS, at the usual port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The Region of the endpoint and the key.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The key that is asked about.
    #[must_use]
    pub fn key_arn(&self) -> &str {
        &self.arn
    }

    /// The request for DescribeKey.
    #[must_use]
    pub fn describe(&self) -> &ReadyRequest {
        &self.describe
    }

    /// The request for GetPublicKey.
    #[must_use]
    pub fn publish(&self) -> &ReadyRequest {
        &self.publish
    }

    /// The signatures, which are good for one sending: whoever sends remembers them.
    #[must_use]
    pub fn signatures(&self) -> &[String; 2] {
        &self.signatures
    }

    /// Names whose credentials signed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }
}

/// The key of an ARN: its Region and the usual endpoint there; for those who ask with credentials of their own.
///
/// `None` where the text is not the full ARN of a key.
#[must_use]
pub fn endpoint_of_key(arn: &str) -> Option<(String, String)> {
    let arn = KeyArn::parse(arn)?;
    Some((arn.region.as_str().to_owned(), Endpoint::of_region(&arn.region).host))
}

/// The content type of requests to KMS and of its answers.
pub const MEDIA_TYPE: &str = CONTENT_TYPE;

/// An envelope as it may be kept: without session token, and with a digest in the place of each signature, so that
/// nobody can send it again. It is still judged as before. `None` where it is no envelope.
#[must_use]
pub fn redacted(envelope: &[u8]) -> Option<Value> {
    let mut value = parse_json(envelope).ok()?;
    Form::read(&value).ok()?;
    let requests = value.get_mut("requests")?.as_array_mut()?;
    for request in requests {
        let headers = request.get_mut("headers")?.as_object_mut()?;
        for (name, content) in headers.iter_mut() {
            let text = content.as_str()?.to_owned();
            let digest = hex::encode(crate::crypto::sha256(text.as_bytes()));
            if name.eq_ignore_ascii_case("x-amz-security-token") {
                *content = format!("removed-sha256-{digest}").into();
            } else if name.eq_ignore_ascii_case("authorization") {
                let (before, _) = text.split_once("Signature=")?;
                *content = format!("{before}Signature={digest}").into();
            }
        }
    }
    Some(value)
}
