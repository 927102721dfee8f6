//! X.509 certificates: the fields that checks look at, over the bytes received.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag};
use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::Parser;

use super::name::{self, Name};
use crate::authentic::{Authentic, SignatureValid};
use crate::crypto::{KeyError, PublicKey, Scheme, SchemeError, SignatureError, sha256};
use crate::time::Time;
use crate::wire::der::{range_in, sequence};

/// No certificate of any device comes near this; a larger one is not looked at.
const MAX_CERTIFICATE: usize = 64 * 1024;

/// An X.509 certificate. Cheap to clone.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    sha256: OnceLock<[u8; 32]>,
    version: u32,
    serial: Range<usize>,
    tbs: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    /// Read once: every format looks at the names of every certificate.
    issuer_index: name::Index,
    subject_index: name::Index,
    key: Result<PublicKey, KeyError>,
    not_before: Time,
    not_after: Time,
    algorithm: Range<usize>,
    scheme: Result<Scheme, SchemeError>,
    signature: Range<usize>,
    extensions: Vec<(ObjectIdentifier, bool, Range<usize>)>,
}

/// Why bytes are not a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Longer than any certificate of a device.
    #[error("longer than {MAX_CERTIFICATE} bytes")]
    TooLong,
    /// Not DER of an X.509 certificate.
    #[error("not an X.509 certificate: {0}")]
    Malformed(String),
    /// Bytes after its end.
    #[error("{0} byte(s) after the end of the certificate")]
    Trailing(usize),
    /// The signature algorithm inside the signed part is another than the one outside.
    #[error("the signature algorithms inside and outside the signed part differ")]
    AlgorithmMismatch,
}

/// An extension of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// Whether a reader that does not know it must refuse the certificate.
    pub critical: bool,
    /// The content of extnValue.
    pub value: &'a [u8],
}

/// basicConstraints (RFC 5280, 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject is a CA.
    pub ca: bool,
    /// How many intermediate certificates may follow.
    pub path_len: Option<u32>,
}

/// keyUsage (RFC 5280, 4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage {
    /// Bit 0.
    pub digital_signature: bool,
    /// Bit 1, contentCommitment or nonRepudiation.
    pub content_commitment: bool,
    /// Bit 2.
    pub key_encipherment: bool,
    /// Bit 3.
    pub data_encipherment: bool,
    /// Bit 4.
    pub key_agreement: bool,
    /// Bit 5.
    pub key_cert_sign: bool,
    /// Bit 6.
    pub crl_sign: bool,
    /// Bit 7.
    pub encipher_only: bool,
    /// Bit 8.
    pub decipher_only: bool,
}

/// How an ECDSA signature on a certificate is written. What is not ECDSA is not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EcdsaForm {
    /// As RFC 5758 (3.2) and RFC 3279 (2.2.3) say.
    Standard,
    /// The AlgorithmIdentifier may have NULL parameters.
    NullParameters,
    /// The same, and the numbers in the signature are unsigned; see [`Scheme::EcdsaUnsigned`].
    NullAndUnsigned,
}

/// Object identifiers of the extensions that path validation processes.
pub(crate) mod oids {
    use der::asn1::ObjectIdentifier;

    pub(crate) const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
    pub(crate) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
    pub(crate) const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
    pub(crate) const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
    pub(crate) const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
}

impl Certificate {
    /// Reads a DER certificate that fills `der` exactly.
    ///
    /// Tolerates what devices write and signatures cover: extension values that are not DER, absent NULL
    /// parameters, negative or long serial numbers, dates up to the year 9999. Keys and algorithms that are
    /// not supported are told by [`key`](Self::key) and [`scheme`](Self::scheme).
    ///
    /// # Errors
    /// When the bytes are not one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLong);
        }
        let malformed = |why: &str| CertificateError::Malformed(why.to_owned());
        let (rest, parsed) = X509CertificateParser::new()
            .with_deep_parse_extensions(false)
            .parse(der)
            .map_err(|e| malformed(&e.to_string()))?;
        if !rest.is_empty() {
            return Err(CertificateError::Trailing(rest.len()));
        }
        let tbs = &parsed.tbs_certificate;
        let place = |part: &[u8]| range_in(der, part).ok_or_else(|| malformed("inconsistent lengths"));
        let fields =
            Fields::of(der).ok_or_else(|| malformed("the parts outside the signed one are not DER"))?;
        if fields.inner_algorithm != fields.algorithm {
            return Err(CertificateError::AlgorithmMismatch);
        }
        let mut extensions = Vec::with_capacity(tbs.extensions().len());
        for extension in tbs.extensions() {
            let oid = ObjectIdentifier::from_bytes(extension.oid.as_bytes())
                .map_err(|_| malformed("object identifier of an extension"))?;
            extensions.push((oid, extension.critical, place(extension.value)?));
        }
        if tbs.version.0 != 2 && !extensions.is_empty() {
            return Err(malformed("extensions in a certificate that is not version 3"));
        }
        Ok(Self(Arc::new(Inner {
            sha256: OnceLock::new(),
            version: tbs.version.0.saturating_add(1),
            serial: place(tbs.raw_serial())?,
            tbs: place(tbs.as_ref())?,
            issuer: place(tbs.issuer.as_raw())?,
            subject: place(tbs.subject.as_raw())?,
            issuer_index: name::Index::of(tbs.issuer.as_raw()),
            subject_index: name::Index::of(tbs.subject.as_raw()),
            key: PublicKey::from_spki_der(tbs.subject_pki.raw),
            not_before: Time::from_unix(tbs.validity.not_before.timestamp()),
            not_after: Time::from_unix(tbs.validity.not_after.timestamp()),
            algorithm: place(fields.algorithm)?,
            scheme: Scheme::from_algorithm_identifier(fields.algorithm),
            signature: place(fields.signature)?,
            extensions,
            der: der.to_vec(),
        })))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were measured on these very bytes.
        self.0.der.get(range.clone()).unwrap_or_default()
    }

    /// The certificate as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        self.0.sha256.get_or_init(|| sha256(&self.0.der))
    }

    /// 1, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Content of the serialNumber INTEGER.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.slice(&self.0.serial)
    }

    /// The signed part.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        self.slice(&self.0.tbs)
    }

    /// DER of the issuer Name.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        self.slice(&self.0.issuer)
    }

    /// DER of the subject Name.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.slice(&self.0.subject)
    }

    /// The issuer, to be asked for its attributes.
    #[must_use]
    pub fn issuer_name(&self) -> Name<'_> {
        Name::new(self.issuer(), &self.0.issuer_index)
    }

    /// The subject, to be asked for its attributes.
    #[must_use]
    pub fn subject_name(&self) -> Name<'_> {
        Name::new(self.subject(), &self.0.subject_index)
    }

    /// The only commonName of the subject; `None` when there is none, or more than one.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.subject_name().common_name()
    }

    /// The only commonName of the issuer.
    #[must_use]
    pub fn issuer_common_name(&self) -> Option<&str> {
        self.issuer_name().common_name()
    }

    /// The subject for people: its common name, else the whole name.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.common_name().map_or_else(|| name::display(self.subject()), str::to_owned)
    }

    /// The subject's public key.
    ///
    /// # Errors
    /// When it is not in a usable form.
    pub fn key(&self) -> Result<&PublicKey, KeyError> {
        self.0.key.as_ref().map_err(Clone::clone)
    }

    /// First second of validity.
    #[must_use]
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// Last second of validity.
    #[must_use]
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// How the certificate is signed.
    ///
    /// # Errors
    /// When the algorithm is not supported.
    pub fn scheme(&self) -> Result<Scheme, SchemeError> {
        self.0.scheme.clone()
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.slice(&self.0.signature)
    }

    /// Verifies the certificate's signature with `key`.
    ///
    /// # Errors
    /// When it does not verify or the algorithm is not accepted.
    pub fn verify_signed_by(&self, key: &PublicKey) -> Result<SignatureValid<'_>, SignatureError> {
        key.verify(self.scheme()?, self.tbs(), self.signature())
    }

    /// Verifies the certificate's signature with `key`, tolerating what `form` names.
    ///
    /// # Errors
    /// When it does not verify or the algorithm is not accepted.
    pub fn verify_signed_by_with(
        &self,
        key: &PublicKey,
        form: EcdsaForm,
    ) -> Result<SignatureValid<'_>, SignatureError> {
        key.verify(self.scheme_with(form)?, self.tbs(), self.signature())
    }

    /// How the certificate is signed, tolerating what `form` names.
    ///
    /// # Errors
    /// When the algorithm is not supported.
    pub fn scheme_with(&self, form: EcdsaForm) -> Result<Scheme, SchemeError> {
        if form == EcdsaForm::Standard {
            return self.scheme();
        }
        match Scheme::from_algorithm_identifier_or_null(self.slice(&self.0.algorithm))? {
            Scheme::Ecdsa(hash) if form == EcdsaForm::NullAndUnsigned => Ok(Scheme::EcdsaUnsigned(hash)),
            scheme => Ok(scheme),
        }
    }

    /// This certificate as authentic, given that its signed part is.
    #[must_use]
    pub fn authentic(&self, tbs: Authentic<&[u8]>) -> Option<Authentic<Self>> {
        let same = |tbs: &[u8]| (tbs == self.tbs()).then(|| self.clone()).ok_or(());
        tbs.parse(same).ok()
    }

    /// Whether issuer and subject are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// The extensions, in order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'_>> {
        self.0.extensions.iter().map(|(oid, critical, value)| Extension {
            oid: *oid,
            critical: *critical,
            value: self.slice(value),
        })
    }

    /// The first extension of that identifier.
    #[must_use]
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<Extension<'_>> {
        self.extensions().find(|e| e.oid == oid)
    }

    /// An extension that is there twice, which RFC 5280 (4.2) forbids.
    #[must_use]
    pub fn duplicate_extension(&self) -> Option<ObjectIdentifier> {
        let mut seen = Vec::with_capacity(self.0.extensions.len());
        self.0.extensions.iter().map(|(oid, ..)| *oid).find(|oid| {
            let twice = seen.contains(oid);
            seen.push(*oid);
            twice
        })
    }

    /// basicConstraints; `Some(Err)` when the extension is there and cannot be read.
    #[must_use]
    #[allow(clippy::result_unit_err, reason = "there is nothing more to say than that it cannot be read")]
    pub fn basic_constraints(&self) -> Option<Result<BasicConstraints, ()>> {
        let value = self.extension(oids::BASIC_CONSTRAINTS)?.value;
        Some(read_basic_constraints(value).map_err(|_| ()))
    }

    /// keyUsage; `Some(Err)` when the extension is there and cannot be read.
    #[must_use]
    #[allow(clippy::result_unit_err, reason = "there is nothing more to say than that it cannot be read")]
    pub fn key_usage(&self) -> Option<Result<KeyUsage, ()>> {
        let value = self.extension(oids::KEY_USAGE)?.value;
        Some(read_key_usage(value).map_err(|_| ()))
    }

    /// The purposes in extKeyUsage (RFC 5280, 4.2.1.12); `Some(Err)` when the extension is there and cannot be read.
    #[must_use]
    #[allow(clippy::result_unit_err, reason = "there is nothing more to say than that it cannot be read")]
    pub fn extended_key_usage(&self) -> Option<Result<Vec<ObjectIdentifier>, ()>> {
        let value = self.extension(oids::EXTENDED_KEY_USAGE)?.value;
        let purposes = crate::wire::der::sequence(value, MAX_PURPOSES).filter(|p| !p.is_empty()).ok_or(());
        let read = |purpose: &[u8]| ObjectIdentifier::from_der(purpose).map_err(|_| ());
        Some(purposes.and_then(|p| p.into_iter().map(read).collect()))
    }
}

/// More purposes than any certificate has.
const MAX_PURPOSES: usize = 32;

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.display_name(), hex::encode(self.sha256()))
    }
}

/// What `x509-parser` does not hand out as bytes, or reads too leniently: of the parts that no signature covers
/// there must be one form only, so that nobody can make another certificate with another digest of a signed one.
struct Fields<'a> {
    inner_algorithm: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let outer = sequence(der, 3)?;
        let [tbs, algorithm, signature] = outer.as_slice() else { return None };
        let fields = sequence(tbs, 10)?;
        // An explicit version comes first unless it is 1; then serial number and algorithm.
        let versioned = fields.first()?.first() == Some(&0xa0);
        Some(Self {
            inner_algorithm: fields.get(if versioned { 2 } else { 1 })?,
            algorithm,
            signature: BitStringRef::from_der(signature).ok()?.as_bytes()?,
        })
    }
}

fn read_basic_constraints(value: &[u8]) -> der::Result<BasicConstraints> {
    let sequence = AnyRef::from_der(value)?;
    if sequence.header().tag() != Tag::Sequence {
        return Err(Tag::Sequence.value_error().into());
    }
    let mut reader = SliceReader::new(sequence.value())?;
    let ca = Option::<bool>::decode(&mut reader)?.unwrap_or(false);
    let path_len = Option::<u32>::decode(&mut reader)?;
    reader.finish()?;
    Ok(BasicConstraints { ca, path_len })
}

fn read_key_usage(value: &[u8]) -> der::Result<KeyUsage> {
    let bits = BitStringRef::from_der(value)?;
    let octet = |index: usize| bits.raw_bytes().get(index).copied().unwrap_or(0);
    let (first, second) = (octet(0), octet(1));
    Ok(KeyUsage {
        digital_signature: first & 0x80 != 0,
        content_commitment: first & 0x40 != 0,
        key_encipherment: first & 0x20 != 0,
        data_encipherment: first & 0x10 != 0,
        key_agreement: first & 0x08 != 0,
        key_cert_sign: first & 0x04 != 0,
        crl_sign: first & 0x02 != 0,
        encipher_only: first & 0x01 != 0,
        decipher_only: second & 0x80 != 0,
    })
}
