//! Who vouches: an authority for attestation keys, and a maker that certifies endorsement keys.

use super::{Ak, FORMAT};
use crate::key::{Key, KeyKind, SignAlg};
use crate::x509::{self, Authority, Certificate, Extension, Text, usage};
use crate::{Error, File, der, pem};
use std::sync::Arc;

const DATES: (&str, &str) = ("2025-01-01T00:00:00Z", "2045-01-01T00:00:00Z");

/// subjectAltName with maker, model and version of a TPM, each in an RDN of its own; not critical.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn san(maker: &str, model: &str, version: &str) -> Result<Extension, Error> {
    let name = x509::name(&[
        ("2.23.133.2.1", Text::Utf8, maker),
        ("2.23.133.2.2", Text::Utf8, model),
        ("2.23.133.2.3", Text::Utf8, version),
    ])?;
    Ok(Extension::new("2.5.29.17", der::sequence(&[der::explicit(4, &name)])))
}

/// A root and an issuing authority.
fn authorities(root: &str, issuer: &str) -> Result<[Authority; 2], Error> {
    let of = |name: &str| -> Result<(Certificate, Arc<Key>), Error> {
        let key = Key::shared(&format!("{FORMAT}: {name}"), KeyKind::P384)?;
        let mut certificate = Certificate::new(x509::common_name(name)?, &key, DATES.0, DATES.1)?;
        certificate.extensions = vec![
            x509::basic_constraints(true, None).critical(),
            x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
            x509::subject_key_identifier(&x509::key_id(&key)?),
        ];
        Ok((certificate, key))
    };
    let (certificate, key) = of(root)?;
    let root = Authority::root(certificate, key, SignAlg::EcdsaSha384)?;
    let (certificate, key) = of(issuer)?;
    let issuer = root.subordinate(certificate, key, SignAlg::EcdsaSha384)?;
    Ok([root, issuer])
}

/// An authority that certifies attestation keys.
#[derive(Debug, Clone)]
pub struct AkAuthority {
    /// The root.
    pub root: Authority,
    /// Issues the certificates.
    pub issuer: Authority,
    /// subjectAltName of what it issues.
    pub san: Extension,
}

impl AkAuthority {
    /// An authority that issues for a chip of Infineon's.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        Self::named("keyvouch emulated AK Root CA", "keyvouch emulated AK CA 1")
    }

    /// The same under other names.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn named(root: &str, issuer: &str) -> Result<Self, Error> {
        let [root, issuer] = authorities(root, issuer)?;
        Ok(Self { root, issuer, san: san("id:49465800", "SLB9672", "id:000F0017")? })
    }

    /// The certificate of an attestation key, not yet signed: TCG AIK certificate profile.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn certificate(&self, ak: &Ak) -> Result<Certificate, Error> {
        let empty: [Vec<u8>; 0] = [];
        let mut certificate = Certificate::new(der::sequence(&empty), &ak.key, DATES.0, DATES.1)?;
        certificate.issuer = self.issuer.certificate.subject.clone();
        certificate.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
            x509::extended_key_usage(&["2.23.133.8.3"])?,
            self.san.clone().critical(),
        ];
        Ok(certificate)
    }

    /// The root, for the verifier as operator anchor.
    pub fn anchors(&self) -> Vec<File> {
        vec![File::new("root.pem", pem::certificate(&self.root.der))]
    }
}

/// A maker of TPMs, who certifies endorsement keys.
#[derive(Debug, Clone)]
pub struct Maker {
    /// The root.
    pub root: Authority,
    /// Issues the certificates.
    pub issuer: Authority,
}

impl Maker {
    /// A maker.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        let [root, issuer] =
            authorities("keyvouch emulated TPM EK Root CA", "keyvouch emulated TPM EK CA 1")?;
        Ok(Self { root, issuer })
    }

    /// The certificate of an RSA endorsement key, not yet signed: TCG EK credential profile.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn certificate(&self, key: &Key) -> Result<Certificate, Error> {
        let empty: [Vec<u8>; 0] = [];
        let mut certificate = Certificate::new(der::sequence(&empty), key, DATES.0, DATES.1)?;
        certificate.issuer = self.issuer.certificate.subject.clone();
        certificate.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::key_usage(&[usage::KEY_ENCIPHERMENT]).critical(),
            x509::extended_key_usage(&["2.23.133.8.1"])?,
            san("id:53544D20", "ST33KTPM2X", "id:00090100")?.critical(),
        ];
        Ok(certificate)
    }

    /// Sign an EK certificate.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn sign(&self, certificate: &Certificate) -> Result<Vec<u8>, Error> {
        certificate.sign(&self.issuer.key, self.issuer.key.default_alg())
    }

    /// The root, for the verifier as operator anchor.
    pub fn anchors(&self) -> Vec<File> {
        vec![File::new("ek-root.pem", pem::certificate(&self.root.der))]
    }
}
