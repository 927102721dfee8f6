//! X.509 certificates (RFC 5280) as templates: every field is public and can be spoilt before signing.

use crate::key::{Key, SignAlg, derived, sha1};
use crate::{Error, der};
use std::sync::Arc;

/// One extension (RFC 5280, 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Object identifier, dotted.
    pub oid: String,
    /// The critical flag.
    pub critical: bool,
    /// Whether a flag that is not set is written out all the same, which DER forbids (X.690, 11.5).
    pub default_written: bool,
    /// Content of the extnValue OCTET STRING; need not be DER.
    pub value: Vec<u8>,
}

impl Extension {
    /// A non-critical extension.
    pub fn new(oid: &str, value: impl Into<Vec<u8>>) -> Self {
        Self { oid: oid.to_owned(), critical: false, default_written: false, value: value.into() }
    }

    /// The same, critical.
    #[must_use]
    pub fn critical(self) -> Self {
        Self { critical: true, ..self }
    }

    /// The same, with the flag written out although it is not set.
    #[must_use]
    pub fn with_default_written(self) -> Self {
        Self { default_written: true, ..self }
    }

    /// DER Extension; `critical` is left out when false, unless it is to be written.
    ///
    /// # Errors
    /// [`Error::Oid`].
    pub fn der(&self) -> Result<Vec<u8>, Error> {
        let written = self.critical || self.default_written;
        let critical = if written { der::boolean(self.critical) } else { Vec::new() };
        Ok(der::sequence(&[der::oid(&self.oid)?, critical, der::octet_string(&self.value)]))
    }
}

/// basicConstraints (RFC 5280, 4.2.1.9), not critical.
pub fn basic_constraints(ca: bool, path_len: Option<u8>) -> Extension {
    let ca = if ca { der::boolean(true) } else { Vec::new() };
    let path_len = path_len.map(|length| der::integer(&[length])).unwrap_or_default();
    Extension::new("2.5.29.19", der::sequence(&[ca, path_len]))
}

/// Bits of keyUsage (RFC 5280, 4.2.1.3).
pub mod usage {
    /// digitalSignature.
    pub const DIGITAL_SIGNATURE: u8 = 0;
    /// nonRepudiation.
    pub const NON_REPUDIATION: u8 = 1;
    /// keyEncipherment.
    pub const KEY_ENCIPHERMENT: u8 = 2;
    /// keyCertSign.
    pub const KEY_CERT_SIGN: u8 = 5;
    /// cRLSign.
    pub const CRL_SIGN: u8 = 6;
}

/// keyUsage (RFC 5280, 4.2.1.3) with these bits, not critical.
pub fn key_usage(bits: &[u8]) -> Extension {
    Extension::new("2.5.29.15", der::named_bits(bits))
}

/// extKeyUsage (RFC 5280, 4.2.1.12), not critical.
///
/// # Errors
/// [`Error::Oid`].
pub fn extended_key_usage(purposes: &[&str]) -> Result<Extension, Error> {
    let purposes: Vec<_> = purposes.iter().map(|purpose| der::oid(purpose)).collect::<Result<_, _>>()?;
    Ok(Extension::new("2.5.29.37", der::sequence(&purposes)))
}

/// certificatePolicies (RFC 5280, 4.2.1.4) without qualifiers, not critical.
///
/// # Errors
/// [`Error::Oid`].
pub fn certificate_policies(policies: &[&str]) -> Result<Extension, Error> {
    let policies: Vec<_> = policies
        .iter()
        .map(|policy| Ok(der::sequence(&[der::oid(policy)?])))
        .collect::<Result<_, Error>>()?;
    Ok(Extension::new("2.5.29.32", der::sequence(&policies)))
}

/// subjectKeyIdentifier (RFC 5280, 4.2.1.2), not critical.
pub fn subject_key_identifier(id: &[u8]) -> Extension {
    Extension::new("2.5.29.14", der::octet_string(id))
}

/// authorityKeyIdentifier (RFC 5280, 4.2.1.1) with only the key identifier, not critical.
pub fn authority_key_identifier(id: &[u8]) -> Extension {
    Extension::new("2.5.29.35", der::sequence(&[der::implicit(0, id)]))
}

/// The usual key identifier: SHA-1 of the public key's bits (RFC 5280, 4.2.1.2, method 1).
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn key_id(key: &Key) -> Result<Vec<u8>, Error> {
    Ok(match (key.rsa_public(), key.point()) {
        (Some((modulus, exponent)), _) => {
            sha1(&der::sequence(&[der::integer(modulus), der::integer(exponent)]))
        }
        (None, Some(point)) => sha1(point),
        (None, None) => Vec::new(),
    })
}

/// String type of a name attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// UTF8String.
    Utf8,
    /// PrintableString.
    Printable,
}

/// AttributeTypeAndValue of a name: `kind` is `CN`, `C`, `O`, `OU`, `L`, `ST`, `serialNumber` or a dotted identifier.
///
/// # Errors
/// [`Error::Oid`].
pub fn attribute(kind: &str, text: Text, value: &str) -> Result<Vec<u8>, Error> {
    let oid = match kind {
        "CN" => "2.5.4.3",
        "serialNumber" => "2.5.4.5",
        "C" => "2.5.4.6",
        "L" => "2.5.4.7",
        "ST" => "2.5.4.8",
        "O" => "2.5.4.10",
        "OU" => "2.5.4.11",
        dotted => dotted,
    };
    let value = match text {
        Text::Utf8 => der::utf8_string(value),
        Text::Printable => der::printable_string(value),
    };
    Ok(der::sequence(&[der::oid(oid)?, value]))
}

/// Name with one attribute an RDN, in this order.
///
/// # Errors
/// [`Error::Oid`].
pub fn name(parts: &[(&str, Text, &str)]) -> Result<Vec<u8>, Error> {
    let rdns: Vec<_> =
        parts.iter().map(|(kind, text, value)| rdn(&[(*kind, *text, *value)])).collect::<Result<_, _>>()?;
    Ok(der::sequence(&rdns))
}

/// One RelativeDistinguishedName, possibly of several attributes; sorted as a DER SET OF.
///
/// # Errors
/// [`Error::Oid`].
pub fn rdn(parts: &[(&str, Text, &str)]) -> Result<Vec<u8>, Error> {
    let attributes: Vec<_> =
        parts.iter().map(|(kind, text, value)| attribute(kind, *text, value)).collect::<Result<_, _>>()?;
    Ok(der::set_of(&attributes))
}

/// Name of a single common name, UTF8String.
///
/// # Errors
/// None in practice: the identifier is a constant.
pub fn common_name(value: &str) -> Result<Vec<u8>, Error> {
    name(&[("CN", Text::Utf8, value)])
}

/// A certificate that is not yet signed (RFC 5280, 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// 1 writes no version field; any other number writes one.
    pub version: u8,
    /// Content octets of the serial number INTEGER, written as they are (see [`der::unsigned`]).
    pub serial: Vec<u8>,
    /// DER AlgorithmIdentifier inside the signed part, instead of that of the signature.
    pub inner_algorithm: Option<Vec<u8>>,
    /// DER AlgorithmIdentifier outside, instead of that of the signature.
    pub outer_algorithm: Option<Vec<u8>>,
    /// Issuer, DER Name.
    pub issuer: Vec<u8>,
    /// Start of validity, RFC 3339.
    pub not_before: String,
    /// End of validity, RFC 3339.
    pub not_after: String,
    /// Whether the dates are written as GeneralizedTime whatever the year, which RFC 5280 (4.1.2.5) forbids.
    pub generalized_dates: bool,
    /// Subject, DER Name.
    pub subject: Vec<u8>,
    /// DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// Extensions in this order; none at all writes no field.
    pub extensions: Vec<Extension>,
}

impl Certificate {
    /// A v3 certificate for a key, self-issued and without extensions until changed. The serial number hangs on the
    /// subject and key only.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn new(subject: Vec<u8>, key: &Key, not_before: &str, not_after: &str) -> Result<Self, Error> {
        let spki = key.spki_der()?;
        let mut serial = derived(&hex::encode(der::join(&[&subject, &spki])), 16);
        serial[0] = serial[0] >> 1 | 0x40;
        Ok(Self {
            version: 3,
            serial,
            inner_algorithm: None,
            outer_algorithm: None,
            issuer: subject.clone(),
            not_before: not_before.to_owned(),
            not_after: not_after.to_owned(),
            generalized_dates: false,
            subject,
            spki,
            extensions: Vec::new(),
        })
    }

    /// The first extension of this identifier.
    pub fn extension_mut(&mut self, oid: &str) -> Option<&mut Extension> {
        self.extensions.iter_mut().find(|extension| extension.oid == oid)
    }

    /// Take away every extension of this identifier.
    pub fn remove_extension(&mut self, oid: &str) {
        self.extensions.retain(|extension| extension.oid != oid);
    }

    /// DER TBSCertificate.
    ///
    /// # Errors
    /// [`Error::Oid`] or [`Error::Time`] when a field was set to what is none.
    pub fn tbs(&self, alg: SignAlg) -> Result<Vec<u8>, Error> {
        let version = match self.version {
            1 => Vec::new(),
            version => der::explicit(0, &der::integer(&[version.wrapping_sub(1)])),
        };
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            let each: Vec<_> = self.extensions.iter().map(Extension::der).collect::<Result<_, _>>()?;
            der::explicit(3, &der::sequence(&each))
        };
        Ok(der::sequence(&[
            version,
            der::tlv(0x02, &self.serial),
            algorithm(&self.inner_algorithm, alg)?,
            self.issuer.clone(),
            der::sequence(&[self.date(&self.not_before)?, self.date(&self.not_after)?]),
            self.subject.clone(),
            self.spki.clone(),
            extensions,
        ]))
    }

    fn date(&self, rfc3339: &str) -> Result<Vec<u8>, Error> {
        let time = der::time(rfc3339)?;
        Ok(match time.split_first() {
            // UTCTime: the century is put before it.
            Some((0x17, rest)) if self.generalized_dates => {
                let century = rfc3339.get(..2).unwrap_or_default().as_bytes();
                der::tlv(0x18, &[century, rest.get(1..).unwrap_or_default()].concat())
            }
            _ => time,
        })
    }

    /// Sign: DER Certificate.
    ///
    /// # Errors
    /// As [`Certificate::tbs`] and [`Key::sign`].
    pub fn sign(&self, issuer: &Key, alg: SignAlg) -> Result<Vec<u8>, Error> {
        let tbs = self.tbs(alg)?;
        let signature = issuer.sign(alg, &tbs)?;
        Ok(der::sequence(&[tbs, algorithm(&self.outer_algorithm, alg)?, der::bit_string(&signature)]))
    }
}

fn algorithm(override_with: &Option<Vec<u8>>, alg: SignAlg) -> Result<Vec<u8>, Error> {
    override_with.clone().map_or_else(|| alg.algorithm_identifier(), Ok)
}

/// A certification authority: its certificate, signed, and its key.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The template that was signed; its subject is the issuer of what the authority signs.
    pub certificate: Certificate,
    /// The signed certificate.
    pub der: Vec<u8>,
    /// Its key.
    pub key: Arc<Key>,
}

impl Authority {
    /// A self-signed authority.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn root(certificate: Certificate, key: Arc<Key>, alg: SignAlg) -> Result<Self, Error> {
        let der = certificate.sign(&key, alg)?;
        Ok(Self { certificate, der, key })
    }

    /// An authority under this one; the issuer name is set to this one's subject.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn subordinate(&self, certificate: Certificate, key: Arc<Key>, alg: SignAlg) -> Result<Self, Error> {
        let certificate = Certificate { issuer: self.certificate.subject.clone(), ..certificate };
        let der = certificate.sign(&self.key, alg)?;
        Ok(Self { certificate, der, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    #[test]
    fn extensions_are_those_of_real_certificates() {
        let hex_of = |extension: Extension| hex::encode(extension.der().unwrap());
        assert_eq!(
            hex_of(basic_constraints(true, Some(0)).critical()),
            "30120603551d130101ff040830060101ff020100"
        );
        assert_eq!(hex_of(basic_constraints(false, None)), "30090603551d1304023000");
        assert_eq!(
            hex_of(basic_constraints(false, None).with_default_written()),
            "300c0603551d1301010004023000"
        );
        assert_eq!(hex_of(key_usage(&[5, 6]).critical()), "300e0603551d0f0101ff040403020106");
        assert_eq!(
            hex_of(certificate_policies(&["1.3.6.1.4.1.44668.4.1.3"]).unwrap()),
            "30180603551d200411300f300d060b2b0601040182dc7c040103"
        );
        assert_eq!(
            hex_of(extended_key_usage(&["1.3.6.1.5.5.7.3.8"]).unwrap()),
            "30130603551d25040c300a06082b06010505070308"
        );
    }

    #[test]
    fn names() {
        assert_eq!(hex::encode(common_name("A").unwrap()), "300c310a300806035504030c0141");
        let two = rdn(&[("C", Text::Printable, "US"), ("O", Text::Utf8, "B")]).unwrap();
        // Sorted by encoding: the shorter first.
        assert_eq!(hex::encode(two), "31153008060355040a0c01423009060355040613025553");
    }

    #[test]
    fn versions_and_algorithms() {
        let key = Key::shared("test", KeyKind::Rsa2048).unwrap();
        let subject = common_name("A").unwrap();
        let v3 = Certificate::new(subject, &key, "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z").unwrap();
        let has = |tbs: &[u8], wanted: &str| hex::encode(tbs).contains(wanted);
        assert!(has(&v3.tbs(SignAlg::RsaPkcs1Sha256).unwrap(), "a003020102"));
        let v1 = Certificate { version: 1, ..v3.clone() };
        assert!(!has(&v1.tbs(SignAlg::RsaPkcs1Sha256).unwrap(), "a003020102"));
        assert!(has(&v1.tbs(SignAlg::RsaPkcs1Sha256).unwrap(), "300d06092a864886f70d01010b0500"));
        assert!(has(&v1.tbs(SignAlg::RsaPkcs1Sha256NoNull).unwrap(), "300b06092a864886f70d01010b"));
        let mixed = Certificate { outer_algorithm: Some(der::null()), ..v3.clone() };
        assert_ne!(
            mixed.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap(),
            v3.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap()
        );
    }
}
