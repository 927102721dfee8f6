//! JSON Web Signatures in compact form (RFC 7515, 7.1), as far as evidence and metadata use them: one signature, with
//! the signer's certificates in the header.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::authentic::SignatureValid;
use crate::crypto::{Curve, Hash, Material, PublicKey, Scheme, SignatureError};
use crate::input::parse_json;
use crate::pki::Certificate;

/// More certificates than any signer needs.
const MAX_CERTIFICATES: usize = 8;

/// A JWS. Nothing of it is authentic.
#[derive(Debug)]
pub(crate) struct Jws<'a> {
    /// The bytes that are signed: header and payload as they stand.
    signed: &'a [u8],
    header: Map<String, Value>,
    signature: Vec<u8>,
}

/// Why text is not such a JWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwsError {
    /// Not three parts of base64url, the first of them a JSON object.
    #[error("not a JWS in compact form: {0}")]
    Form(&'static str),
    /// An algorithm that is not accepted.
    #[error("the algorithm {0:?} is not accepted")]
    Algorithm(String),
    /// The signature does not verify.
    #[error("{0}")]
    Signature(#[from] SignatureError),
}

impl<'a> Jws<'a> {
    /// Reads text, white space around it allowed.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, JwsError> {
        let text = text.trim_ascii();
        let mut dots = text.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(JwsError::Form("it has not three parts"));
        };
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let header = part(0, first);
        let signature = part(second.saturating_add(1), text.len());
        let header = decode(header).ok_or(JwsError::Form("its header is not base64url"))?;
        let Ok(Value::Object(header)) = parse_json(&header) else {
            return Err(JwsError::Form("its header is not a JSON object"));
        };
        if header.contains_key("crit") {
            return Err(JwsError::Form("its header has extensions that must be understood (crit)"));
        }
        Ok(Self {
            signed: part(0, second),
            header,
            signature: decode(signature).ok_or(JwsError::Form("its signature is not base64url"))?,
        })
    }

    /// The certificates in the header (x5c), the signer's first.
    pub(crate) fn certificates(&self) -> Result<Vec<Certificate>, JwsError> {
        const FORM: JwsError = JwsError::Form("its header has no array of certificates (x5c)");
        let items = self.header.get("x5c").and_then(Value::as_array).ok_or(FORM)?;
        if items.is_empty() || items.len() > MAX_CERTIFICATES {
            return Err(FORM);
        }
        let read = |item: &Value| {
            let der = STANDARD.decode(item.as_str()?).ok()?;
            Certificate::from_der(&der).ok()
        };
        let read = |item| read(item).ok_or(JwsError::Form("a certificate in its header cannot be read"));
        items.iter().map(read).collect()
    }

    /// Verifies the signature. Its form is that of RFC 7518: ECDSA as r and s side by side.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<SignatureValid<'a>, JwsError> {
        let name = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let scheme = match name {
            "RS256" => Scheme::RsaPkcs1(Hash::Sha256),
            "PS256" => Scheme::RsaPss(Hash::Sha256),
            "ES256" if matches!(key.material(), Material::Ec { curve: Curve::P256, .. }) => {
                Scheme::EcdsaFixed(Hash::Sha256)
            }
            other => return Err(JwsError::Algorithm(other.to_owned())),
        };
        Ok(key.verify(scheme, self.signed, &self.signature)?)
    }
}

/// The payload in signed bytes.
pub(crate) fn payload(signed: &[u8]) -> Result<Vec<u8>, JwsError> {
    let dot = signed.iter().position(|byte| *byte == b'.');
    let payload = dot.and_then(|dot| signed.get(dot.checked_add(1)?..));
    payload.and_then(decode).ok_or(JwsError::Form("its payload is not base64url"))
}

/// base64url without padding, exactly.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use keyvouch_emulator::key::{Key, KeyKind, SignAlg};

    use super::*;

    fn signed(header: &str) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(r#"{"a":1}"#))
    }

    #[test]
    fn signatures_are_verified_over_the_text() {
        let key = Key::shared("jws", KeyKind::P256).unwrap();
        let public = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        let text = signed(r#"{"alg":"ES256"}"#);
        let sign = |alg| URL_SAFE_NO_PAD.encode(key.sign(alg, text.as_bytes()).unwrap());
        let good = format!("{text}.{}\n", sign(SignAlg::EcdsaSha256Raw));
        let jws = Jws::read(good.as_bytes()).unwrap();
        assert!(jws.verify(&public).is_ok());
        assert_eq!(payload(jws.signed).unwrap(), br#"{"a":1}"#);
        // DER is another form.
        let der = format!("{text}.{}", sign(SignAlg::EcdsaSha256));
        assert!(Jws::read(der.as_bytes()).unwrap().verify(&public).is_err());
        let none = format!("{}.", signed(r#"{"alg":"none"}"#));
        let refused = Jws::read(none.as_bytes()).unwrap().verify(&public).unwrap_err();
        assert_eq!(refused, JwsError::Algorithm("none".to_owned()));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "a.b", "a.b.c.d", "e30.e30=.AA", "e30.e30.AA==", "W10.e30.AA", "e30.e30.A"] {
            let read = Jws::read(text.as_bytes());
            let payload = text.rsplit_once('.').map(|(signed, _)| payload(signed.as_bytes()));
            assert!(read.is_err() || payload.is_some_and(|p| p.is_err()), "{text}");
        }
        let crit = format!("{}.AA", signed(r#"{"alg":"ES256","crit":["b64"]}"#));
        assert!(Jws::read(crit.as_bytes()).is_err());
        let twice = format!("{}.AA", signed(r#"{"alg":"none","alg":"ES256"}"#));
        assert!(Jws::read(twice.as_bytes()).is_err());
    }
}
