//! The key that signs results.

use std::fmt;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PSS_SHA256, RsaKeyPair,
};
use der::asn1::{AnyRef, UintRef};
use der::{Encode, Tag};
use keyvouch::crypto::{Material, PublicKey};
use keyvouch::input::{find_pem, parse_json};
use serde_json::Value;

use crate::jwk::{self, Secret};
use crate::keys::{Algorithm, KeyError, VerificationKey};

/// A private key that signs results, with its identifier.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
    algorithm: Algorithm,
    id: String,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// Reads a private JWK, or PKCS#8 (RFC 5958) in PEM or DER. The identifier is that of the JWK, else the
    /// thumbprint of RFC 7638.
    ///
    /// # Errors
    /// When it is neither, encrypted, or of another type.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.trim_ascii_start().starts_with(b"{") {
            return Self::of_jwk(&parse_json(bytes).map_err(|e| KeyError::Json(e.to_string()))?);
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            let blocks = find_pem(text);
            let private: Vec<_> = blocks.iter().filter(|b| b.label == "PRIVATE KEY").collect();
            return match private.as_slice() {
                [only] => Self::of_pkcs8(only.der.as_deref().ok_or(KeyError::NotAPrivateKey)?),
                [] => Err(KeyError::NotAPrivateKey),
                many => Err(KeyError::Many(many.len())),
            };
        }
        Self::of_pkcs8(bytes)
    }

    /// A new key.
    ///
    /// # Errors
    /// When the library gives none.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Pair::Ed25519),
            Algorithm::Ps256 => RsaKeyPair::generate(KeySize::Rsa3072).map(Pair::Rsa),
            Algorithm::Es256 | Algorithm::Es384 => {
                curve_of(algorithm).and_then(EcdsaKeyPair::generate).map(Pair::Ecdsa)
            }
        };
        Self::new(pair.map_err(|_| KeyError::Generation)?, None)
    }

    /// Its identifier: what tokens call it by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Its public key as JWK.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        jwk::write(&self.public, self.algorithm, &self.id)
    }

    /// The private key as PKCS#8 in PEM.
    ///
    /// # Errors
    /// When the library does not give it.
    pub fn to_pkcs8_pem(&self) -> Result<String, KeyError> {
        let der = match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map(|d| d.as_ref().to_vec()),
            Pair::Ed25519(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|d| d.as_ref().to_vec()),
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|d| d.as_ref().to_vec()),
        };
        let text = STANDARD.encode(der.map_err(|_| KeyError::Generation)?);
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// The private key as JWK.
    ///
    /// # Errors
    /// For an RSA key, or when the library does not give it.
    pub fn to_private_jwk(&self) -> Result<Value, KeyError> {
        let secret = match &self.pair {
            Pair::Ecdsa(pair) => {
                let number: EcPrivateKeyBin<'_> =
                    pair.private_key().as_be_bytes().map_err(|_| KeyError::Generation)?;
                URL_SAFE_NO_PAD.encode(number.as_ref())
            }
            Pair::Ed25519(pair) => {
                let seed = pair.seed().map_err(|_| KeyError::Generation)?;
                let seed = seed.as_be_bytes().map_err(|_| KeyError::Generation)?;
                URL_SAFE_NO_PAD.encode(seed.as_ref())
            }
            Pair::Rsa(_) => return Err(KeyError::Form),
        };
        let mut jwk = self.public_jwk();
        if let Value::Object(members) = &mut jwk {
            members.insert("d".to_owned(), secret.into());
        }
        Ok(jwk)
    }

    /// A signature as JWS and COSE have it: of ECDSA r and s side by side.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message).ok().map(|s| s.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.try_sign(message).ok().map(|s| s.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }

    fn of_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).ok().map(Pair::Ecdsa);
        let pair = ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .or_else(|| ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING))
            .or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Pair::Ed25519))
            .or_else(|| RsaKeyPair::from_pkcs8(der).ok().map(Pair::Rsa));
        Self::new(pair.ok_or(KeyError::NotAPrivateKey)?, None)
    }

    fn of_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let (VerificationKey { key, algorithm, id, .. }, secret) = jwk::private(jwk)?;
        let pair = match (key.material(), secret) {
            (Material::Ec { point, .. }, Secret::Scalar(d)) => {
                let curve = curve_of(algorithm).map_err(|_| KeyError::Type)?;
                EcdsaKeyPair::from_private_key_and_public_key(curve, &d, point).map(Pair::Ecdsa)
            }
            (Material::Ed25519(x), Secret::Scalar(d)) => {
                Ed25519KeyPair::from_seed_and_public_key(&d, x).map(Pair::Ed25519)
            }
            (Material::Rsa { n, e }, Secret::Rsa([d, p, q, dp, dq, qi])) => {
                let der = rsa_private_key([n, e, &d, &p, &q, &dp, &dq, &qi]).ok_or(KeyError::Numbers)?;
                RsaKeyPair::from_der(&der).map(Pair::Rsa)
            }
            _ => return Err(KeyError::Type),
        };
        Self::new(pair.map_err(|_| KeyError::Numbers)?, id)
    }

    fn new(pair: Pair, id: Option<String>) -> Result<Self, KeyError> {
        let spki = match &pair {
            Pair::Ecdsa(pair) => AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()),
            Pair::Ed25519(pair) => AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()),
            Pair::Rsa(pair) => AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()),
        };
        let spki = spki.map_err(|_| KeyError::Numbers)?;
        let public = PublicKey::from_spki_der(spki.as_ref()).map_err(|_| KeyError::Numbers)?;
        let VerificationKey { key, algorithm, .. } = VerificationKey::new(public, None)?;
        let id = id.or_else(|| jwk::thumbprint(&key)).ok_or(KeyError::Type)?;
        Ok(Self { pair, public: key, algorithm, id })
    }
}

impl fmt::Debug for SigningKey {
    /// Without the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.algorithm, self.id)
    }
}

fn curve_of(algorithm: Algorithm) -> Result<&'static EcdsaSigningAlgorithm, aws_lc_rs::error::Unspecified> {
    match algorithm {
        Algorithm::Es256 => Ok(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Ok(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::EdDsa | Algorithm::Ps256 => Err(aws_lc_rs::error::Unspecified),
    }
}

/// RSAPrivateKey (RFC 8017, A.1.2) of two primes.
fn rsa_private_key(numbers: [&[u8]; 8]) -> Option<Vec<u8>> {
    let mut body = UintRef::new(&[0]).ok()?.to_der().ok()?;
    for number in numbers {
        body.extend(UintRef::new(number).ok()?.to_der().ok()?);
    }
    AnyRef::new(Tag::Sequence, &body).ok()?.to_der().ok()
}
