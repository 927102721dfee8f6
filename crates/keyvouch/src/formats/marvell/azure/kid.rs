//! The key identifier of the service: `https://POOL.managedhsm.azure.net/keys/NAME/VERSION`.

/// The domains of the clouds.
const DOMAINS: [&str; 3] = ["managedhsm.azure.net", "managedhsm.usgovcloudapi.net", "managedhsm.azure.cn"];

/// A URL cut into its parts, none of them judged yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kid<'a> {
    scheme: &'a str,
    authority: &'a str,
    /// With its leading slash, byte for byte.
    pub(super) path: &'a str,
}

impl<'a> Kid<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let slash = rest.find('/')?;
        let (authority, path) = rest.split_at_checked(slash)?;
        Some(Self { scheme, authority, path })
    }

    /// Whether the host is one of the service's, however it is addressed.
    pub(super) fn is_of_pool(&self) -> bool {
        self.host().is_some_and(|host| pool_of(&host).is_some())
    }

    /// The pool that it names.
    pub(super) fn pool(&self) -> Result<String, &'static str> {
        if self.scheme != "https" {
            return Err("its scheme is not https");
        }
        let host = self.host().ok_or("its host has user information, or a port other than 443")?;
        pool_of(&host).ok_or("its host is not <pool>.managedhsm.azure.net, .usgovcloudapi.net or .azure.cn")
    }

    /// In lower case; none when there is more than a host.
    fn host(&self) -> Option<String> {
        let host = self.authority.strip_suffix(":443").unwrap_or(self.authority);
        (!host.contains(['@', ':'])).then(|| host.to_ascii_lowercase())
    }
}

/// The whole host is compared: a pool's name has no dots.
fn pool_of(host: &str) -> Option<String> {
    let (pool, domain) = host.split_once('.')?;
    let named = !pool.is_empty() && pool.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    (named && DOMAINS.contains(&domain)).then(|| pool.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Kid;

    fn pool(text: &str) -> Option<String> {
        Kid::parse(text)?.pool().ok()
    }

    #[test]
    fn the_pool_is_the_first_label_of_a_known_host() {
        for host in ["p.managedhsm.azure.net", "P.ManagedHSM.azure.cn:443", "p.managedhsm.usgovcloudapi.net"]
        {
            assert_eq!(pool(&format!("https://{host}/keys/k/1")).as_deref(), Some("p"), "{host}");
        }
        let kid = Kid::parse("https://p.managedhsm.azure.net/keys/K/1?x").unwrap();
        assert_eq!(kid.path, "/keys/K/1?x");
    }

    #[test]
    fn other_hosts_are_refused() {
        for text in [
            "http://p.managedhsm.azure.net/keys/k/1",
            "HTTPS://p.managedhsm.azure.net/keys/k/1",
            "https://a@p.managedhsm.azure.net/keys/k/1",
            "https://p.managedhsm.azure.net:8443/keys/k/1",
            "https://p.managedhsm.azure.net.example/keys/k/1",
            "https://p.q.managedhsm.azure.net/keys/k/1",
            "https://.managedhsm.azure.net/keys/k/1",
            "https://managedhsm.azure.net/keys/k/1",
            "https://p.vault.azure.net/keys/k/1",
            "https://p.managedhsm.azure.net",
            "p.managedhsm.azure.net/keys/k/1",
        ] {
            assert_eq!(pool(text), None, "{text}");
        }
    }
}
