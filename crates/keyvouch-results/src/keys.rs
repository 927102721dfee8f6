//! Keys for results: what a relying party verifies with, and the algorithms there are.
//!
//! A key is taken as JWK or JWK set (RFC 7517), SubjectPublicKeyInfo, or certificate, in PEM or DER. It belongs to one
//! algorithm, by its type; a token that names another is refused.

use std::fmt;

use keyvouch::Time;
use keyvouch::crypto::{Curve, Hash, Material, PublicKey, Scheme};
use keyvouch::input::{find_pem, parse_json};
use keyvouch::pki::Certificate;
use serde_json::{Value, json};

use crate::jwk;

/// RSA keys below this are refused.
const MIN_RSA_BITS: usize = 2048;
/// How many keys a set may hold.
const MAX_KEYS: usize = 64;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// RSA-PSS with SHA-256.
    Ps256,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Es384, Self::EdDsa, Self::Ps256];

    /// Its name in JOSE (RFC 7518, RFC 8037).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
        }
    }

    /// Its number in COSE (RFC 9053).
    #[must_use]
    pub const fn cose(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Es384 => -35,
            Self::Ps256 => -37,
        }
    }

    /// The algorithm of a JOSE name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == name)
    }

    /// The algorithm of a COSE number.
    #[must_use]
    pub fn of_cose(number: i128) -> Option<Self> {
        Self::ALL.into_iter().find(|a| i128::from(a.cose()) == number)
    }

    /// The one algorithm that a key signs with.
    #[must_use]
    pub fn of_key(key: &PublicKey) -> Option<Self> {
        match key.material() {
            Material::Ec { curve: Curve::P256, .. } => Some(Self::Es256),
            Material::Ec { curve: Curve::P384, .. } => Some(Self::Es384),
            Material::Ed25519(_) => Some(Self::EdDsa),
            Material::Rsa { .. } => Some(Self::Ps256),
            _ => None,
        }
    }

    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::Es256 => Scheme::EcdsaFixed(Hash::Sha256),
            Self::Es384 => Scheme::EcdsaFixed(Hash::Sha384),
            Self::EdDsa => Scheme::Ed25519,
            Self::Ps256 => Scheme::RsaPss(Hash::Sha256),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something is not a key for results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// None of the forms.
    #[error("neither a JWK, a JWK set, a public key nor a certificate")]
    NotAKey,
    /// None of the forms of a private key.
    #[error("neither a private JWK nor an unencrypted PKCS#8 private key of P-256, P-384, Ed25519 or RSA")]
    NotAPrivateKey,
    /// A private key where a public one belongs.
    #[error(
        "this holds a private key; to verify, only the public key is needed: export it with `keyvouch result key jwks`, and keep the private key to yourself"
    )]
    Private,
    /// A JWK member that is missing or out of form.
    #[error("JWK: {0} is missing or out of form")]
    Member(&'static str),
    /// JSON that is out of form.
    #[error("JWK: {0}")]
    Json(String),
    /// A type of key that is not taken.
    #[error(
        "a key of this type signs no result: only P-256, P-384, Ed25519 and RSA of at least {MIN_RSA_BITS} bits do"
    )]
    Type,
    /// Numbers that make no key.
    #[error("the numbers of the key do not make one")]
    Numbers,
    /// A JWK for something else.
    #[error("JWK: it is not for signatures, by its use, key_ops or alg")]
    Use,
    /// A certificate for something else.
    #[error("the certificate's key is not for digital signatures, by its keyUsage")]
    CertificateUse,
    /// More than one key where one is asked for.
    #[error("it holds {0} keys or certificates; give the verifier's own only, or a JWK set")]
    Many(usize),
    /// A set without a usable key.
    #[error("the JWK set holds no key that signs results")]
    NoneInSet,
    /// A set of too many.
    #[error("the JWK set holds more than {MAX_KEYS} keys")]
    TooMany,
    /// The library did not make a key.
    #[error("the key could not be made")]
    Generation,
    /// A form that a key does not have.
    #[error("an RSA key is written as PKCS#8 only")]
    Form,
}

/// A key to verify with.
#[derive(Debug, Clone)]
pub(crate) struct VerificationKey {
    pub(crate) key: PublicKey,
    pub(crate) algorithm: Algorithm,
    /// The identifier it came with.
    pub(crate) id: Option<String>,
    /// The period of its certificate.
    pub(crate) period: Option<(Time, Time)>,
}

impl VerificationKey {
    pub(crate) fn new(key: PublicKey, id: Option<String>) -> Result<Self, KeyError> {
        let algorithm = Algorithm::of_key(&key).ok_or(KeyError::Type)?;
        if key.rsa_bits().is_some_and(|bits| bits < MIN_RSA_BITS) {
            return Err(KeyError::Type);
        }
        if key.is_on_curve() == Some(false) {
            return Err(KeyError::Numbers);
        }
        Ok(Self { key, algorithm, id, period: None })
    }

    /// Whether a token that names this key may mean it. A key that came without an identifier takes any: it was
    /// given for this purpose.
    fn answers(&self, id: Option<&[u8]>) -> bool {
        let thumbprint = jwk::thumbprint(&self.key);
        let (Some(id), Some(own)) = (id, &self.id) else { return true };
        own.as_bytes() == id || thumbprint.is_some_and(|t| t.as_bytes() == id)
    }
}

/// The keys that a relying party trusts to sign results.
#[derive(Debug, Clone)]
pub struct KeySet(Vec<VerificationKey>);

impl KeySet {
    /// Reads a JWK, a JWK set, a SubjectPublicKeyInfo or a certificate; the latter two in PEM or DER.
    ///
    /// # Errors
    /// When it is none of these, not for signatures, or a private key.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        if start.starts_with(b"{") {
            return Self::of_json(&parse_json(bytes).map_err(|e| KeyError::Json(e.to_string()))?);
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            let blocks = find_pem(text);
            if blocks.iter().any(|b| b.label.ends_with("PRIVATE KEY")) {
                return Err(KeyError::Private);
            }
            return match blocks.as_slice() {
                [] => Err(KeyError::NotAKey),
                [only] => Self::of_der(only.der.as_deref().ok_or(KeyError::NotAKey)?),
                many => Err(KeyError::Many(many.len())),
            };
        }
        Self::of_der(bytes)
    }

    /// One key.
    ///
    /// # Errors
    /// When it is not of a type that signs results.
    pub fn of_key(key: &PublicKey) -> Result<Self, KeyError> {
        VerificationKey::new(key.clone(), None).map(|key| Self(vec![key]))
    }

    fn of_json(value: &Value) -> Result<Self, KeyError> {
        let Some(keys) = value.get("keys") else { return jwk::public(value).map(|key| Self(vec![key])) };
        let keys = keys.as_array().ok_or(KeyError::Member("keys"))?;
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let mut found = Vec::new();
        for key in keys {
            match jwk::public(key) {
                Ok(key) => found.push(key),
                Err(KeyError::Private) => return Err(KeyError::Private),
                // Keys of other types and uses may stand beside (RFC 7517, 5).
                Err(_) => {}
            }
        }
        if found.is_empty() { Err(KeyError::NoneInSet) } else { Ok(Self(found)) }
    }

    fn of_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(certificate) = Certificate::from_der(der) {
            if let Some(usage) = certificate.key_usage()
                && !usage.is_ok_and(|u| u.digital_signature)
            {
                return Err(KeyError::CertificateUse);
            }
            let key = certificate.key().map_err(|_| KeyError::Numbers)?.clone();
            let mut key = VerificationKey::new(key, None)?;
            key.period = Some((certificate.not_before(), certificate.not_after()));
            return Ok(Self(vec![key]));
        }
        if crate::signing::SigningKey::read(der).is_ok() {
            return Err(KeyError::Private);
        }
        let key = PublicKey::from_spki_der(der).map_err(|_| KeyError::NotAKey)?;
        Self::of_key(&key)
    }

    /// The keys that a token with this algorithm and key identifier may mean.
    pub(crate) fn candidates(
        &self,
        algorithm: Algorithm,
        id: Option<&[u8]>,
    ) -> impl Iterator<Item = &VerificationKey> {
        self.0.iter().filter(move |k| k.algorithm == algorithm && k.answers(id))
    }
}

/// Public keys as JWK set, to be published: each with its use, algorithm and identifier, sorted by the latter.
#[must_use]
pub fn jwks<'k>(keys: impl IntoIterator<Item = &'k crate::signing::SigningKey>) -> Value {
    let mut keys: Vec<(String, Value)> =
        keys.into_iter().map(|key| (key.id().to_owned(), key.public_jwk())).collect();
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    keys.dedup_by(|a, b| a.0 == b.0);
    json!({ "keys": keys.into_iter().map(|(_, key)| key).collect::<Vec<_>>() })
}
