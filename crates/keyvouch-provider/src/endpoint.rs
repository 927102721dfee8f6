//! Another address in the place of the provider's, which only the operator can give: a private endpoint, or a test.

use std::net::IpAddr;

use crate::Error;

/// An address that the operator gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    tls: bool,
}

impl Endpoint {
    /// Reads `https://HOST[:PORT]`, or `http://` with an address of this very machine.
    ///
    /// # Errors
    /// [`Error::BadEndpoint`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadEndpoint(text.chars().filter(|c| !c.is_control()).take(100).collect());
        let base = text.strip_suffix('/').unwrap_or(text);
        let (scheme, authority) = base.split_once("://").ok_or_else(bad)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let named = !host.is_empty()
            && host.bytes().all(|c| c.is_ascii_alphanumeric() || b".-:[]".contains(&c))
            && port.is_none_or(|port| port.parse::<u16>().is_ok());
        let here = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match scheme {
            "https" if named => Ok(Self { base: base.to_owned(), tls: true }),
            "http" if named && here => Ok(Self { base: base.to_owned(), tls: false }),
            _ => Err(bad()),
        }
    }

    /// The address of a provider itself.
    pub(crate) fn of_host(host: &str) -> Self {
        Self { base: format!("https://{host}"), tls: true }
    }

    /// Without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in [
            "https://vpce-1.kms.eu-west-1.vpce.amazonaws.com",
            "https://h:8443/",
            "http://127.0.0.1:5000",
            "http://localhost:1",
            "http://[::1]:2/",
        ] {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://kms.example/",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:1",
            "https://",
            "https://u@h",
            "https://h/p",
            "https://h:x",
            "ftp://127.0.0.1",
            "127.0.0.1:5000",
            "http://169.254.169.254",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
