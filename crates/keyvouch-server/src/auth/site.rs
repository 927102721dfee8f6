//! Whether a request is meant for this service, and not made by somebody else's page in the browser of its user.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{Response, Uri, header};
use axum::response::IntoResponse as _;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::config::Config;
use crate::problem::{Kind, Problem};
use crate::service::StartError;

/// The service as browsers see it.
#[derive(Debug)]
pub(super) struct Site {
    /// `https://attest.example`, as browsers write it.
    origin: Option<String>,
    /// The host of it.
    host: Option<String>,
    secure: bool,
}

/// What answers a request that another page made.
type Refusal = fn(ProtectionError) -> Response<Body>;

impl Site {
    /// # Errors
    /// When the public address is no HTTP address.
    pub(super) fn of(config: &Config) -> Result<Self, StartError> {
        let tls = config.tls.is_some();
        let Some(url) = &config.public_url else { return Ok(Self { origin: None, host: None, secure: tls }) };
        let wrong = || StartError::PublicUrl(url.clone());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().filter(|s| ["http", "https"].contains(s)).ok_or_else(wrong)?;
        let authority = uri.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(wrong)?;
        if uri.path() != "/" || uri.query().is_some() || authority.host().is_empty() {
            return Err(wrong());
        }
        let host = authority.host().to_ascii_lowercase();
        // Browsers leave out the port that the scheme has anyway.
        let port = authority.port_u16().filter(|port| (scheme, *port) != ("http", 80));
        let port = port.filter(|port| (scheme, *port) != ("https", 443));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self {
            origin: Some(format!("{scheme}://{host}{port}")),
            host: Some(host),
            secure: tls || scheme == "https",
        })
    }

    pub(super) const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Refuses requests that change something and that the page of another site made: browsers say so
    /// (`Sec-Fetch-Site`, `Origin`), and others do not send these.
    pub(super) fn same_site(&self) -> CsrfLayer<Refusal> {
        let refusal: Refusal = other_site;
        // An origin that is made of an address was looked at when it was read.
        let trusted =
            self.origin.as_ref().and_then(|origin| CsrfLayer::new().add_trusted_origin(origin).ok());
        trusted.unwrap_or_default().with_rejection_response(refusal)
    }

    /// Refuses requests that name another host: a name of somebody else that leads to this machine. To a browser, the
    /// pages of that somebody would be of one origin with an open service.
    ///
    /// # Errors
    /// When the request names more than one host or, on an open service, another.
    pub(super) fn check_host(&self, request: &Request, open: bool) -> Result<(), Problem> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        if second.is_some() {
            return Err(Problem::new(Kind::Malformed, "There is more than one `Host`."));
        }
        if !open {
            return Ok(());
        }
        let named = match (request.uri().authority(), first) {
            (Some(named), _) => Some(named.clone()),
            (None, Some(host)) => Authority::try_from(host.as_bytes()).ok(),
            // Browsers always name one.
            (None, None) => return Ok(()),
        };
        if named.is_some_and(|named| self.is_here(&named)) {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Forbidden,
            "This service is open, so it answers only to `localhost`, to loopback addresses, and to the host of `public_url`.",
        ))
    }

    fn is_here(&self, named: &Authority) -> bool {
        if named.as_str().contains('@') {
            return false;
        }
        let host = named.host().to_ascii_lowercase();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
        host == "localhost"
            || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            || self.host.as_ref() == Some(&host)
    }
}

fn other_site(_: ProtectionError) -> Response<Body> {
    Problem::new(Kind::Forbidden, "The page of another site made this request. Use the page of this service.")
        .into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn site(url: &str) -> Result<Site, StartError> {
        Site::of(&Config { public_url: Some(url.to_owned()), ..Config::default() })
    }

    #[test]
    fn the_public_address_is_written_as_browsers_write_it() {
        for (url, origin) in [
            ("https://Attest.example", "https://attest.example"),
            ("https://attest.example:443/", "https://attest.example"),
            ("http://attest.example:8080", "http://attest.example:8080"),
        ] {
            assert_eq!(site(url).unwrap().origin.as_deref(), Some(origin));
        }
        for url in [
            "attest.example",
            "ftp://attest.example",
            "https://attest.example/path",
            "https://u@h",
            "https://",
        ] {
            assert!(site(url).is_err(), "{url}");
        }
    }

    #[test]
    fn other_names_of_this_machine_are_not_this_service() {
        let site = site("https://attest.example").unwrap();
        for (host, here) in [
            ("localhost", true),
            ("LOCALHOST:8080", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("attest.example", true),
            ("evil.example", false),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("evil@localhost", false),
            ("192.0.2.1", false),
            ("[::2]", false),
        ] {
            assert_eq!(site.is_here(&host.parse().unwrap()), here, "{host}");
        }
    }
}
