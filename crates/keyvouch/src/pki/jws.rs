//! JSON Web Signatures (RFC 7515) with certificates: the compact form, and both JSON forms.
//!
//! Strict: what counts is in the protected header; `alg` is one of the asymmetric algorithms of RFC 7518 and RFC 8037 and
//! fits the key; a critical header that is not processed here is refused. Who may sign what is for the caller to
//! decide: nothing here knows an anchor.

use serde_json::{Map, Value};

use crate::authentic::{Authentic, TrustedKey};
use crate::crypto::{Hash, PublicKey, Scheme, SignatureError};
use crate::input::{decode_base64, decode_base64url, parse_json};
use crate::time::Time;

const MAX_SIGNATURES: usize = 16;
const MAX_CERTIFICATES: usize = 16;
/// Headers that may be called critical: those that are processed here.
const PROCESSED: &[&str] = &["iat", "sigT"];

/// A JWS, taken apart. Nothing in it is authentic.
#[derive(Debug, Clone)]
pub struct Jws {
    /// What is signed.
    pub payload: Vec<u8>,
    /// The signatures. An error says why one cannot be read.
    pub signatures: Vec<Result<JwsSignature, String>>,
}

/// One signature of a JWS.
#[derive(Debug, Clone)]
pub struct JwsSignature {
    /// The octets that are signed: header and payload in base64url.
    message: Vec<u8>,
    signature: Vec<u8>,
    algorithm: &'static Algorithm,
    /// The certificates of `x5c`, the signer's first, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// `x5t#S256`: the SHA-256 of the signer's certificate.
    pub certificate_sha256: Option<Vec<u8>>,
    /// `iat` (RFC 7519, 4.1.6, as a header) or `sigT` (ETSI TS 119 182-1): when the signer says that he signed.
    pub signing_time: Option<Time>,
}

#[derive(Debug)]
struct Algorithm {
    names: &'static [&'static str],
    scheme: Scheme,
    /// The key that it goes with, as [`PublicKey::algorithm`] begins.
    key: &'static str,
}

/// RFC 7518, 3.1; RFC 8037, 3.1; RFC 9864. No `none` and nothing symmetric.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm { names: &["ES256"], scheme: Scheme::EcdsaFixed(Hash::Sha256), key: "EC-P256" },
    Algorithm { names: &["ES384"], scheme: Scheme::EcdsaFixed(Hash::Sha384), key: "EC-P384" },
    Algorithm { names: &["ES512"], scheme: Scheme::EcdsaFixed(Hash::Sha512), key: "EC-P521" },
    Algorithm { names: &["PS256"], scheme: Scheme::RsaPss(Hash::Sha256), key: "RSA-" },
    Algorithm { names: &["PS384"], scheme: Scheme::RsaPss(Hash::Sha384), key: "RSA-" },
    Algorithm { names: &["PS512"], scheme: Scheme::RsaPss(Hash::Sha512), key: "RSA-" },
    Algorithm { names: &["RS256"], scheme: Scheme::RsaPkcs1(Hash::Sha256), key: "RSA-" },
    Algorithm { names: &["RS384"], scheme: Scheme::RsaPkcs1(Hash::Sha384), key: "RSA-" },
    Algorithm { names: &["RS512"], scheme: Scheme::RsaPkcs1(Hash::Sha512), key: "RSA-" },
    Algorithm { names: &["EdDSA", "Ed25519"], scheme: Scheme::Ed25519, key: "Ed25519" },
];

impl Jws {
    /// Takes the compact form apart. `None` when the text is not of that form.
    #[must_use]
    pub fn compact(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim_ascii();
        let mut parts = text.split('.');
        let [protected, payload, signature] = [parts.next()?, parts.next()?, parts.next()?];
        if parts.next().is_some() || protected.is_empty() {
            return None;
        }
        Some(Self {
            payload: decode_base64url(payload)?,
            signatures: vec![JwsSignature::read(protected, payload, signature)],
        })
    }

    /// Takes the flattened or the general JSON form apart. `None` when the object is of neither.
    #[must_use]
    pub fn json(object: &Map<String, Value>) -> Option<Self> {
        let payload = object.get("payload")?.as_str()?;
        let decoded = decode_base64url(payload)?;
        let signatures = match (object.get("signatures"), object.contains_key("signature")) {
            (None, true) => vec![member(object, payload)],
            (Some(Value::Array(several)), false) if (1..=MAX_SIGNATURES).contains(&several.len()) => several
                .iter()
                .map(|one| member(one.as_object().ok_or("a signature is not an object")?, payload))
                .collect(),
            _ => vec![Err("it has neither one signature nor a list of a few".to_owned())],
        };
        Some(Self { payload: decoded, signatures })
    }
}

fn member(object: &Map<String, Value>, payload: &str) -> Result<JwsSignature, String> {
    let text = |name: &str| {
        let value = object.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("{name} is not there, or no text"))
    };
    JwsSignature::read(text("protected")?, payload, text("signature")?)
}

impl JwsSignature {
    fn read(protected: &str, payload: &str, signature: &str) -> Result<Self, String> {
        let header = decode_base64url(protected).ok_or("the protected header is not base64url")?;
        let header = parse_json(&header).map_err(|why| format!("the protected header: {why}"))?;
        let header = header.as_object().ok_or("the protected header is not an object")?;
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(format!("{name} is not a text")),
        };
        let name = text("alg")?.ok_or("there is no alg")?;
        let algorithm = ALGORITHMS.iter().find(|a| a.names.contains(&name));
        check_critical(header)?;
        let certificates = match header.get("x5c") {
            None => Vec::new(),
            Some(list) => certificates(list).ok_or("x5c is not a list of a few certificates in base64")?,
        };
        let digest = match text("x5t#S256")? {
            None => None,
            Some(digest) => Some(decode_base64url(digest).ok_or("x5t#S256 is not base64url")?),
        };
        Ok(Self {
            message: [protected, payload].join(".").into_bytes(),
            signature: decode_base64url(signature).ok_or("the signature is not base64url")?,
            algorithm: algorithm.ok_or_else(|| {
                let name: String = name.chars().take(20).filter(|c| c.is_ascii_graphic()).collect();
                format!("the algorithm {name:?} is not accepted")
            })?,
            certificates,
            certificate_sha256: digest,
            signing_time: signing_time(header)?,
        })
    }

    /// Verifies the signature with a key that need not be trusted.
    ///
    /// # Errors
    /// When it does not verify, or the algorithm is not one for this key.
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureError> {
        self.fits(key)?;
        let _valid = key.verify(self.algorithm.scheme, &self.message, &self.signature)?;
        Ok(())
    }

    /// The same with a trusted key: the payload, now authentic.
    ///
    /// # Errors
    /// When it does not verify, or the algorithm is not one for this key.
    pub fn authenticate(&self, trusted: &TrustedKey) -> Result<Authentic<Vec<u8>>, SignatureError> {
        self.fits(trusted.key())?;
        let valid = trusted.key().verify(self.algorithm.scheme, &self.message, &self.signature)?;
        let signed = trusted.authenticate(valid).ok_or(SignatureError::Invalid)?;
        let payload = |message: &[u8]| {
            let (_, payload) = std::str::from_utf8(message).ok()?.split_once('.')?;
            decode_base64url(payload)
        };
        signed.parse(|message| payload(message).ok_or(SignatureError::Invalid))
    }

    /// Each of these algorithms goes with one kind of key.
    fn fits(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let kind = key.algorithm();
        let fits = if self.algorithm.key == "RSA-" {
            kind.starts_with(self.algorithm.key)
        } else {
            kind == self.algorithm.key
        };
        let scheme = self.algorithm.names.join(" or ");
        if fits { Ok(()) } else { Err(SignatureError::WrongKeyType { key: kind, scheme }) }
    }
}

/// RFC 7515, 4.1.11: the names are there, each once, and all of them are processed.
fn check_critical(header: &Map<String, Value>) -> Result<(), String> {
    if header.get("b64").is_some_and(|encoded| *encoded != Value::Bool(true)) {
        return Err("a payload that is not encoded (b64) is not processed here".to_owned());
    }
    let Some(critical) = header.get("crit") else { return Ok(()) };
    let names: Option<Vec<&str>> = critical
        .as_array()
        .filter(|names| !names.is_empty())
        .map(|n| n.iter().filter_map(Value::as_str).collect());
    let listed = critical.as_array().map_or(0, Vec::len);
    let processed = |name: &&str| PROCESSED.contains(name) && header.contains_key(*name);
    match names {
        Some(names) if names.len() == listed && names.iter().all(processed) => Ok(()),
        _ => Err("a critical header is not processed here".to_owned()),
    }
}

/// `x5c` is base64, not base64url (RFC 7515, 4.1.6).
fn certificates(list: &Value) -> Option<Vec<Vec<u8>>> {
    let list = list.as_array().filter(|list| (1..=MAX_CERTIFICATES).contains(&list.len()))?;
    list.iter().map(|one| decode_base64(one.as_str()?.as_bytes())).collect()
}

fn signing_time(header: &Map<String, Value>) -> Result<Option<Time>, String> {
    match (header.get("iat"), header.get("sigT")) {
        (None, None) => Ok(None),
        (Some(seconds), None) => seconds
            .as_i64()
            .map(|s| Some(Time::from_unix(s)))
            .ok_or_else(|| "iat is not a whole number".to_owned()),
        (None, Some(text)) => {
            let time = text.as_str().and_then(|text| text.parse().ok());
            time.map(Some).ok_or_else(|| "sigT is not a time".to_owned())
        }
        (Some(_), Some(_)) => Err("it has two signing times, iat and sigT".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyvouch_emulator::bundle::base64url;
    use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
    use serde_json::json;

    fn compact(header: &Value, kind: KeyKind, alg: SignAlg) -> (String, PublicKey) {
        let key = Key::shared("jws", kind).unwrap();
        let message = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(b"payload"));
        let signature = key.sign(alg, message.as_bytes()).unwrap();
        let public = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        (format!("{message}.{}", base64url(&signature)), public)
    }

    fn read(text: &str) -> Result<JwsSignature, String> {
        let jws = Jws::compact(text.as_bytes()).unwrap();
        assert_eq!(jws.payload, b"payload");
        jws.signatures.into_iter().next().unwrap()
    }

    #[test]
    fn every_algorithm_goes_with_its_own_kind_of_key() {
        for (name, kind, alg) in [
            ("ES256", KeyKind::P256, SignAlg::EcdsaSha256Raw),
            ("ES384", KeyKind::P384, SignAlg::EcdsaSha384Raw),
            ("ES512", KeyKind::P521, SignAlg::EcdsaSha512Raw),
            ("RS256", KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256),
            ("RS512", KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha512),
            ("PS256", KeyKind::Rsa2048, SignAlg::RsaPssSha256),
            ("EdDSA", KeyKind::Ed25519, SignAlg::Ed25519),
            ("Ed25519", KeyKind::Ed25519, SignAlg::Ed25519),
        ] {
            let (text, key) = compact(&json!({"alg": name, "iat": 0}), kind, alg);
            let signature = read(&text).unwrap();
            assert_eq!(signature.verify(&key), Ok(()), "{name}");
            assert_eq!(signature.signing_time, Some(Time::from_unix(0)));
            let other = Key::shared("jws other", kind).unwrap();
            let other = PublicKey::from_spki_der(&other.spki_der().unwrap()).unwrap();
            assert_eq!(signature.verify(&other), Err(SignatureError::Invalid), "{name}");
        }
        // A good signature under the name of an algorithm for another curve.
        let (text, key) = compact(&json!({"alg": "ES256"}), KeyKind::P384, SignAlg::EcdsaSha384Raw);
        assert!(matches!(read(&text).unwrap().verify(&key), Err(SignatureError::WrongKeyType { .. })));
    }

    #[test]
    fn headers_that_are_not_processed_or_not_in_order_are_refused() {
        for header in [
            json!({}),
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": ["ES256"]}),
            json!({"alg": "ES256", "crit": ["b64"], "b64": false}),
            json!({"alg": "ES256", "b64": false}),
            json!({"alg": "ES256", "crit": []}),
            json!({"alg": "ES256", "crit": ["iat"]}),
            json!({"alg": "ES256", "crit": ["sigT", 1], "sigT": "2026-01-01T00:00:00Z"}),
            json!({"alg": "ES256", "x5c": []}),
            json!({"alg": "ES256", "x5c": ["?"]}),
            json!({"alg": "ES256", "x5t#S256": "=="}),
            json!({"alg": "ES256", "iat": 1.5}),
            json!({"alg": "ES256", "sigT": "today"}),
            json!({"alg": "ES256", "iat": 1, "sigT": "2026-01-01T00:00:00Z"}),
        ] {
            let (text, _) = compact(&header, KeyKind::P256, SignAlg::EcdsaSha256Raw);
            assert!(read(&text).is_err(), "{header}");
        }
        let (text, _) = compact(
            &json!({"alg": "ES256", "crit": ["sigT"], "sigT": "2026-01-01T00:00:00Z"}),
            KeyKind::P256,
            SignAlg::EcdsaSha256Raw,
        );
        assert!(read(&text).is_ok());
    }

    #[test]
    fn other_text_is_no_jws() {
        for text in ["", "a.b", "a.b.c.d", ".cGF5.bG9hZA", "a b.c.d", "e30.=.x"] {
            assert!(Jws::compact(text.as_bytes()).is_none(), "{text}");
        }
        let object = |value: Value| value.as_object().cloned().unwrap();
        assert!(Jws::json(&object(json!({"payload": "?", "signature": ""}))).is_none());
        assert!(Jws::json(&object(json!({"payload": 1}))).is_none());
        let both = Jws::json(&object(json!({"payload": "", "signature": "", "signatures": []}))).unwrap();
        assert!(both.signatures[0].is_err());
        let none = Jws::json(&object(json!({"payload": "", "signatures": [{}, 1]}))).unwrap();
        assert!(none.signatures.iter().all(Result::is_err) && none.signatures.len() == 2);
    }
}
