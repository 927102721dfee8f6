//! The key identifier: `https://VAULT.vault.azure.net/keys/NAME/VERSION`.

/// The domains of the clouds.
const DOMAINS: [&str; 3] = ["vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn"];
/// Domains of Managed HSM, whose keys attest.
const POOLS: [&str; 3] = ["managedhsm.azure.net", "managedhsm.usgovcloudapi.net", "managedhsm.azure.cn"];

/// What the identifier names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kid {
    /// In lower case.
    pub(crate) host: String,
    pub(crate) vault: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

impl Kid {
    /// Reads an identifier that names a version of a key in a vault, strictly: no other scheme, user information,
    /// port, query, dot segment or escape finds its way in.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("https://").ok_or("its scheme is not https")?;
        let (authority, path) = rest.split_once('/').ok_or("it has no path")?;
        let host = authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase();
        if host.contains(['@', ':']) {
            return Err("its host has user information, or a port other than 443".to_owned());
        }
        let (vault, domain) = host.split_once('.').unwrap_or((&host, ""));
        let named = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if !(3..=24).contains(&vault.len()) || !vault.bytes().all(named) || !DOMAINS.contains(&domain) {
            return Err("its host is not <vault>.vault.azure.net, .usgovcloudapi.net or .azure.cn".to_owned());
        }
        let parts: Vec<&str> = path.split('/').collect();
        let ["keys", name, version] = parts.as_slice() else {
            return Err("its path is not /keys/NAME/VERSION".to_owned());
        };
        let good_name =
            (1..=127).contains(&name.len()) && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        let good_version = version.len() == 32 && version.bytes().all(|c| c.is_ascii_hexdigit());
        if !good_name || !good_version {
            return Err(
                "its path is not /keys/NAME/VERSION with a version of 32 hexadecimal digits".to_owned()
            );
        }
        Ok(Self {
            vault: vault.to_owned(),
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            host: host.clone(),
        })
    }

    /// Whether the identifier is of a key in a Managed HSM, whatever else it says.
    pub(super) fn is_of_pool(text: &str) -> bool {
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = authority.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
        POOLS.iter().any(|pool| host.strip_suffix(pool).is_some_and(|rest| rest.ends_with('.')))
    }
}

#[cfg(test)]
mod tests {
    use super::Kid;

    const VERSION: &str = "78deebed173b48e48f55abf87ed4cf71";

    #[test]
    fn reads_an_identifier() {
        let kid = Kid::parse(&format!("https://My-Vault.vault.azure.net:443/keys/code-signing/{VERSION}"));
        let kid = kid.unwrap();
        assert_eq!((kid.vault.as_str(), kid.name.as_str()), ("my-vault", "code-signing"));
        assert_eq!((kid.host.as_str(), kid.version.as_str()), ("my-vault.vault.azure.net", VERSION));
        for domain in super::DOMAINS {
            assert!(Kid::parse(&format!("https://abc.{domain}/keys/k/{VERSION}")).is_ok());
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "http://abc.vault.azure.net/keys/k/V",
            "https://abc.vault.azure.net/keys/k",
            "https://abc.vault.azure.net/keys/k/V/",
            "https://abc.vault.azure.net/keys/k/V?x=1",
            "https://abc.vault.azure.net/keys/k/V#x",
            "https://abc.vault.azure.net/keys/../V",
            "https://abc.vault.azure.net/secrets/k/V",
            "https://abc.vault.azure.net//keys/k/V",
            "https://abc.vault.azure.net:8443/keys/k/V",
            "https://abc@evil.example/keys/k/V",
            "https://abc.vault.azure.net@evil.example/keys/k/V",
            "https://abc.vault.azure.net.evil.example/keys/k/V",
            "https://evil.example/abc.vault.azure.net/keys/k/V",
            "https://a.b.vault.azure.net/keys/k/V",
            "https://ab.vault.azure.net/keys/k/V",
            "https://abc.vault.azure.net\\.evil.example/keys/k/V",
            "https://abc.managedhsm.azure.net/keys/k/V",
            "https://abc.vault.azure.net./keys/k/V",
            " https://abc.vault.azure.net/keys/k/V",
        ] {
            let text = text.replace('V', VERSION);
            assert!(Kid::parse(&text).is_err(), "{text}");
        }
        assert!(Kid::is_of_pool("https://p.managedhsm.azure.net/keys/k/1"));
        assert!(Kid::is_of_pool("https://P.MANAGEDHSM.azure.cn:443/x"));
        assert!(!Kid::is_of_pool("https://p.vault.azure.net/p.managedhsm.azure.net"));
    }
}
