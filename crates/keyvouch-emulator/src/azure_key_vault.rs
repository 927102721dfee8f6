//! Azure Key Vault: what a vault answers about a key (a KeyBundle). Nothing in it is signed.

use crate::key::{Key, KeyKind};
use crate::{Error, File, bundle, csr, pem};
use serde_json::{Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "azure-key-vault";

/// Version of the emulated keys.
pub const VERSION: &str = "0123456789abcdef0123456789abcdef";

/// A key in a vault, with the answer about it; each member can be changed.
#[derive(Debug, Clone)]
pub struct VaultKey {
    /// The key itself, which a CSR is signed with.
    pub key: Arc<Key>,
    /// The answer to GET key.
    pub bundle: Value,
}

impl VaultKey {
    /// A key in the HSMs of a Premium vault.
    ///
    /// # Errors
    /// [`Error::UnfitKey`].
    pub fn premium(kind: KeyKind) -> Result<Self, Error> {
        let key = Key::shared("azure-key-vault: subscriber", kind)?;
        let kid = format!("https://emulated-vault.vault.azure.net/keys/code-signing/{VERSION}");
        let mut jwk = jwk(&key, kind)?;
        jwk["kid"] = kid.into();
        jwk["key_ops"] = json!(["sign", "verify"]);
        let bundle = json!({
            "key": jwk,
            "attributes": {
                "enabled": true, "created": 1_780_000_000, "updated": 1_780_000_000,
                "recoveryLevel": "Recoverable", "recoverableDays": 90, "exportable": false, "hsmPlatform": "2",
            },
            "tags": {},
        });
        Ok(Self { key, bundle })
    }

    /// The answer, as a file.
    pub fn answer(&self) -> File {
        File::new("key.json", self.bundle.to_string())
    }

    /// A request for a certificate of the key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn csr(&self) -> Result<File, Error> {
        Ok(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", &self.key)?)))
    }
}

fn jwk(key: &Key, kind: KeyKind) -> Result<Value, Error> {
    if let Some((n, e)) = key.rsa_public() {
        return Ok(json!({ "kty": "RSA-HSM", "n": bundle::base64url(n), "e": bundle::base64url(e) }));
    }
    let curve = match kind {
        KeyKind::P256 => "P-256",
        KeyKind::P384 => "P-384",
        KeyKind::P521 => "P-521",
        KeyKind::Secp256k1 => "P-256K",
        other => return Err(Error::UnfitKey("Azure Key Vault", other)),
    };
    let point = key.point().and_then(|p| p.strip_prefix(&[4])).unwrap_or_default();
    let (x, y) = point.split_at(point.len() / 2);
    Ok(json!({ "kty": "EC-HSM", "crv": curve, "x": bundle::base64url(x), "y": bundle::base64url(y) }))
}
