//! For those who ask a provider about a key: what may be sent where. The network is theirs; nothing here sends.

/// AWS KMS.
pub mod aws_kms {
    pub use crate::formats::aws_kms_sending::{MEDIA_TYPE, Ready, ReadyRequest, endpoint_of_key, redacted};
}

/// Azure Key Vault.
pub mod azure_key_vault {
    /// A key as its identifier names it: `https://VAULT.vault.azure.net/keys/NAME/VERSION`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct KeyIdentifier {
        /// Host of the vault, in lower case.
        pub host: String,
        /// The path to ask for: `/keys/NAME/VERSION`.
        pub path: String,
    }

    impl KeyIdentifier {
        /// Reads an identifier strictly.
        ///
        /// # Errors
        /// Why it names no version of a key in a vault.
        pub fn parse(text: &str) -> Result<Self, String> {
            let kid = crate::formats::KeyVaultKid::parse(text)?;
            Ok(Self { path: format!("/keys/{}/{}", kid.name, kid.version), host: kid.host })
        }
    }
}
