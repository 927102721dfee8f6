//! Making certification requests that carry their evidence (draft-ietf-lamps-csr-attestation).
//!
//! ```text
//! evidence files ──► [`Bundle`] ─┐
//! key, subject   ──► [`Template`]┴► CertificationRequestInfo ──► (the device signs it) ──► [`assemble`] ──► PKCS#10
//! ```
//!
//! Nothing here signs, and nothing here judges: whether the evidence is any good is for the CA to find out, or for the
//! subscriber beforehand with the same verifier.

mod assemble;
mod bundle;
mod encode;
mod subject;

pub use assemble::{Assembled, assemble, usual_hash};
pub use bundle::{Bundle, Carried};
pub use subject::name;

use der::Tag;

use crate::crypto::PublicKey;
use crate::formats::csr_attestation::routes;
use crate::input::InputError;
use crate::pki::CertificationRequest;
use crate::pki::attestation::ATTESTATION;

/// Why a request cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The files cannot be read at all.
    #[error(transparent)]
    Input(#[from] InputError),
    /// No format knows the files.
    #[error("{0}: no format knows it; give the files that the device or its tool wrote")]
    NotEvidence(String),
    /// Evidence of a format that a request cannot carry.
    #[error("evidence of the format {0} has no place in a request; hand it over beside the request")]
    NotCarried(&'static str),
    /// Files that may belong to either of several pieces of evidence.
    #[error(
        "{file}: it belongs to none of the formats found ({formats}); make a request with the evidence of one device"
    )]
    Stray {
        /// The file.
        file: String,
        /// The formats that were found.
        formats: String,
    },
    /// Too much of something.
    #[error("more than {limit} {what}; put only the evidence of one key into a request")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there can be.
        limit: usize,
    },
    /// The subject is out of form.
    #[error("subject: {0}")]
    Subject(String),
    /// The file to be assembled is no CertificationRequestInfo.
    #[error("not the content of a certification request (CertificationRequestInfo)")]
    NotInfo,
    /// The signature is not one of the request's key over this content.
    #[error(
        "the signature does not verify with the request's key ({key}); sign exactly the content that was written, as {expected}"
    )]
    Signature {
        /// The key.
        key: String,
        /// What signatures it makes.
        expected: &'static str,
    },
    /// DER that cannot be written: something is longer than any request.
    #[error("the request cannot be written: it is too long")]
    Encoding,
}

/// What a request has besides its evidence.
#[derive(Debug, Clone)]
pub struct Template {
    key: PublicKey,
    subject: Vec<u8>,
    /// Attributes, each a whole TLV.
    attributes: Vec<Vec<u8>>,
}

impl Template {
    /// A request of this key for this subject (a DER Name).
    #[must_use]
    pub fn new(key: PublicKey, subject: Vec<u8>) -> Self {
        Self { key, subject, attributes: Vec::new() }
    }

    /// The same as another request: its key, subject and attributes. Evidence that it carries is left out.
    ///
    /// # Errors
    /// [`EmbedError::Encoding`], never in practice.
    pub fn like(request: &CertificationRequest) -> Result<Self, EmbedError> {
        let mut attributes = Vec::new();
        for (oid, values) in request.attributes().filter(|(oid, _)| *oid != ATTESTATION) {
            let oid = encode::tlv(Tag::ObjectIdentifier, oid.as_bytes())?;
            let values = encode::tlv(Tag::Set, &values.concat())?;
            attributes.push(encode::sequence(&[oid, values])?);
        }
        let (key, subject) = (request.key().clone(), request.subject().to_vec());
        Ok(Self { key, subject, attributes })
    }

    /// The same for another subject (a DER Name).
    #[must_use]
    pub fn with_subject(self, subject: Vec<u8>) -> Self {
        Self { subject, ..self }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// DER CertificationRequestInfo with the evidence in it: what the key is to sign.
    ///
    /// # Errors
    /// [`EmbedError::Encoding`].
    pub fn info(&self, bundle: &Bundle) -> Result<Vec<u8>, EmbedError> {
        let oid = encode::tlv(Tag::ObjectIdentifier, ATTESTATION.as_bytes())?;
        let values = encode::tlv(Tag::Set, bundle.value())?;
        let mut attributes = self.attributes.clone();
        attributes.push(encode::sequence(&[oid, values])?);
        // SET OF in DER is sorted (X.690, 11.6).
        attributes.sort_unstable();
        let attributes = encode::context(0, &attributes.concat())?;
        let version = vec![0x02, 0x01, 0x00];
        encode::sequence(&[version, self.subject.clone(), self.key.spki_der().to_vec(), attributes])
    }
}

/// The arc below which makers' own evidence is carried, in dotted decimal.
pub const VENDOR_ARC: &str = "2.25.243173574279165502397274057169519977584";

/// The numbers below [`VENDOR_ARC`]: number and format id.
pub const VENDOR_NUMBERS: &[(u32, &str)] = routes::NUMBERS;
