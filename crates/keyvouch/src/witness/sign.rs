//! Signing a statement, without its private key: what must be signed goes out, the signature comes in, and is verified
//! before anything is made of it. So the key may be in a file, on a card or in an HSM.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Encode, Tag, TagNumber};
use serde_json::json;

use crate::crypto::{Curve, Hash, Material, PublicKey, Scheme, SignatureError, ecdsa_der, ecdsa_fixed};
use crate::pki::Certificate;
use crate::time::Time;

/// How a statement is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CMS SignedData (RFC 5652) with the statement in it.
    Cms,
    /// CMS SignedData beside the statement.
    CmsDetached,
    /// JWS (RFC 7515), compact.
    Jws,
    /// JWS, flattened JSON.
    JwsJson,
}

/// Why a statement cannot be signed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The statement is not one.
    #[error("the statement is not in order: {0}")]
    Statement(String),
    /// There is no certificate of the signer.
    #[error("there is no certificate: give the signer's, then those of the authorities above")]
    NoCertificate,
    /// The signer's certificate is not valid at the time.
    #[error(
        "the certificate of {0} is not valid at the signing time; see --time and the clock of this machine"
    )]
    NotValid(String),
    /// No algorithm for this key.
    #[error("a {0} key cannot sign a statement; use RSA, ECDSA on P-256, P-384 or P-521, or Ed25519")]
    Key(String),
    /// The signature is not one of the certificate's key over what was to be signed.
    #[error("the signature does not fit the certificate and what was to be signed: {0}")]
    Signature(SignatureError),
    /// A length that has no encoding.
    #[error("the statement or a certificate is too long")]
    TooLong,
}

impl From<der::Error> for SignError {
    fn from(_: der::Error) -> Self {
        Self::TooLong
    }
}

type Made<T> = Result<T, SignError>;

/// A statement that waits for its signature.
#[derive(Debug, Clone)]
pub struct Unsigned<'a> {
    statement: &'a [u8],
    certificates: &'a [Certificate],
    form: Form,
    key: PublicKey,
    hash: Hash,
    /// What must be signed.
    message: Vec<u8>,
}

impl<'a> Unsigned<'a> {
    /// Prepares the signature over a statement at a time; the signer's certificate comes first. Statement, certificate
    /// and time make the bytes to be signed, and nothing else does.
    ///
    /// # Errors
    /// When the statement is not in order, or the certificate cannot sign it at that time.
    pub fn new(statement: &'a [u8], certificates: &'a [Certificate], form: Form, at: Time) -> Made<Self> {
        crate::formats::check_witness_statement(statement).map_err(SignError::Statement)?;
        let signer = certificates.first().ok_or(SignError::NoCertificate)?;
        if at < signer.not_before() || at > signer.not_after() {
            return Err(SignError::NotValid(signer.display_name()));
        }
        let key = signer.key().map_err(|_| SignError::Key("damaged".to_owned()))?.clone();
        let hash = match key.material() {
            Material::Rsa { .. } | Material::Ec { curve: Curve::P256, .. } => Hash::Sha256,
            Material::Ec { curve: Curve::P384, .. } => Hash::Sha384,
            Material::Ec { curve: Curve::P521, .. } | Material::Ed25519(_) => Hash::Sha512,
            _ => return Err(SignError::Key(key.algorithm())),
        };
        let mut unsigned = Self { statement, certificates, form, key, hash, message: Vec::new() };
        unsigned.message = match form {
            Form::Cms | Form::CmsDetached => tlv(Tag::Set, &unsigned.attributes(at)?)?,
            Form::Jws | Form::JwsJson => {
                format!("{}.{}", unsigned.header(at), URL_SAFE_NO_PAD.encode(statement)).into_bytes()
            }
        };
        Ok(unsigned)
    }

    /// The bytes to be signed.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.message
    }

    /// How they must be signed. ECDSA signatures may come in either form.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self.key.material() {
            Material::Rsa { .. } => Scheme::RsaPkcs1(self.hash),
            Material::Ed25519(_) => Scheme::Ed25519,
            _ if self.is_jws() => Scheme::EcdsaFixed(self.hash),
            _ => Scheme::Ecdsa(self.hash),
        }
    }

    /// The signed statement, or the signature beside it: DER for CMS, text for JWS.
    ///
    /// # Errors
    /// When it is not a signature of the certificate's key over [`to_be_signed`](Self::to_be_signed).
    pub fn finish(&self, signature: &[u8]) -> Made<Vec<u8>> {
        let signature = self.in_form(signature);
        let _valid =
            self.key.verify(self.scheme(), &self.message, &signature).map_err(SignError::Signature)?;
        if !self.is_jws() {
            return self.signed_data(&signature);
        }
        let encoded = URL_SAFE_NO_PAD.encode(&signature);
        let message = String::from_utf8_lossy(&self.message);
        if self.form == Form::Jws {
            return Ok(format!("{message}.{encoded}\n").into_bytes());
        }
        let (protected, payload) = message.split_once('.').unwrap_or_default();
        let json = json!({ "payload": payload, "protected": protected, "signature": encoded });
        Ok(format!("{json}\n").into_bytes())
    }

    fn is_jws(&self) -> bool {
        matches!(self.form, Form::Jws | Form::JwsJson)
    }

    /// ECDSA signatures are numbers in DER to some signers, and side by side to others.
    fn in_form(&self, signature: &[u8]) -> Vec<u8> {
        let Material::Ec { curve, .. } = self.key.material() else { return signature.to_vec() };
        let turned = if self.is_jws() {
            ecdsa_fixed(signature, curve.field_len())
        } else {
            ecdsa_der(signature, curve.field_len())
        };
        turned.unwrap_or_else(|| signature.to_vec())
    }

    fn header(&self, at: Time) -> String {
        let algorithm = match (self.key.material(), self.hash) {
            (Material::Rsa { .. }, _) => "RS256",
            (Material::Ed25519(_), _) => "EdDSA",
            (_, Hash::Sha384) => "ES384",
            (_, Hash::Sha512) => "ES512",
            _ => "ES256",
        };
        let certificates: Vec<String> = self.certificates.iter().map(|c| STANDARD.encode(c.der())).collect();
        let header = json!({ "alg": algorithm, "iat": at.unix(), "x5c": certificates });
        URL_SAFE_NO_PAD.encode(header.to_string())
    }

    /// The signed attributes (RFC 5652, 5.3 and 11), sorted as DER wants a SET OF.
    fn attributes(&self, at: Time) -> Made<Vec<u8>> {
        let attribute = |oid: &str, value: Vec<u8>| -> Made<Vec<u8>> {
            sequence(&[object_identifier(oid)?, tlv(Tag::Set, &value)?])
        };
        let mut each = [
            attribute("1.2.840.113549.1.9.3", object_identifier(ID_DATA)?)?,
            attribute("1.2.840.113549.1.9.4", tlv(Tag::OctetString, &self.hash.digest(self.statement))?)?,
            attribute("1.2.840.113549.1.9.5", time(at)?)?,
        ];
        each.sort();
        Ok(each.concat())
    }

    fn signed_data(&self, signature: &[u8]) -> Made<Vec<u8>> {
        let signer = self.certificates.first().ok_or(SignError::NoCertificate)?;
        let digest = sequence(&[object_identifier(match self.hash {
            Hash::Sha384 => "2.16.840.1.101.3.4.2.2",
            Hash::Sha512 => "2.16.840.1.101.3.4.2.3",
            _ => "2.16.840.1.101.3.4.2.1",
        })?])?;
        let algorithm = match (self.key.material(), self.hash) {
            (Material::Rsa { .. }, _) => {
                sequence(&[object_identifier("1.2.840.113549.1.1.11")?, tlv(Tag::Null, &[])?])?
            }
            (Material::Ed25519(_), _) => sequence(&[object_identifier("1.3.101.112")?])?,
            (_, Hash::Sha384) => sequence(&[object_identifier("1.2.840.10045.4.3.3")?])?,
            (_, Hash::Sha512) => sequence(&[object_identifier("1.2.840.10045.4.3.4")?])?,
            _ => sequence(&[object_identifier("1.2.840.10045.4.3.2")?])?,
        };
        // The attributes are signed as the SET that they are, and sent with another tag (RFC 5652, 5.4).
        let attributes = crate::wire::der::content(&self.message, Tag::Set).ok_or(SignError::TooLong)?;
        let signer_info = sequence(&[
            tlv(Tag::Integer, &[1])?,
            sequence(&[signer.issuer().to_vec(), tlv(Tag::Integer, signer.serial())?])?,
            digest.clone(),
            tlv(context(0), attributes)?,
            algorithm,
            tlv(Tag::OctetString, signature)?,
        ])?;
        let content = match self.form {
            Form::Cms => tlv(context(0), &tlv(Tag::OctetString, self.statement)?)?,
            _ => Vec::new(),
        };
        let mut certificates: Vec<&[u8]> = self.certificates.iter().map(Certificate::der).collect();
        certificates.sort_unstable();
        certificates.dedup();
        let signed_data = sequence(&[
            tlv(Tag::Integer, &[1])?,
            tlv(Tag::Set, &digest)?,
            sequence(&[object_identifier(ID_DATA)?, content])?,
            tlv(context(0), &certificates.concat())?,
            tlv(Tag::Set, &signer_info)?,
        ])?;
        sequence(&[object_identifier("1.2.840.113549.1.7.2")?, tlv(context(0), &signed_data)?])
    }
}

const ID_DATA: &str = "1.2.840.113549.1.7.1";

fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

fn tlv(tag: Tag, content: &[u8]) -> Made<Vec<u8>> {
    Ok(AnyRef::new(tag, content)?.to_der()?)
}

fn sequence(members: &[Vec<u8>]) -> Made<Vec<u8>> {
    tlv(Tag::Sequence, &members.concat())
}

fn object_identifier(text: &str) -> Made<Vec<u8>> {
    let oid = ObjectIdentifier::new(text).map_err(|_| SignError::TooLong)?;
    Ok(oid.to_der()?)
}

/// UTCTime until 2049, GeneralizedTime from then on (RFC 5652, 11.3).
fn time(at: Time) -> Made<Vec<u8>> {
    let digits: String = at.to_string().chars().filter(char::is_ascii_digit).collect();
    let short = digits.get(2..).filter(|_| ("1950".."2050").contains(&digits.get(..4).unwrap_or_default()));
    match short {
        Some(short) => tlv(Tag::UtcTime, format!("{short}Z").as_bytes()),
        None => tlv(Tag::GeneralizedTime, format!("{digits}Z").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_change_their_type_in_2050() {
        let of = |text: &str| time(text.parse().unwrap()).unwrap();
        assert_eq!(of("2026-06-01T02:03:04Z"), b"\x17\x0d260601020304Z");
        assert_eq!(of("2050-01-01T00:00:00Z"), b"\x18\x0f20500101000000Z");
    }
}
