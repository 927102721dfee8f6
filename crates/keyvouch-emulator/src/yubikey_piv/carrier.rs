//! In what a subscriber hands in the certificates.

use super::oid;
use crate::key::Key;
use crate::x509::{self, Certificate, Extension};
use crate::{Error, File, bundle, cms, csr, pem};
use serde_json::json;

/// The certificates of an attestation, DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The slot certificate.
    pub leaf: Vec<u8>,
    /// The F9 certificate.
    pub f9: Vec<u8>,
    /// The intermediates above F9, its issuer first, without the root.
    pub intermediates: Vec<Vec<u8>>,
}

/// In what a subscriber hands in leaf and F9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// `attestation.pem` and `f9.pem`.
    TwoPems,
    /// Both in one PEM file, leaf first.
    PemChain,
    /// The PEM chain with the intermediates.
    PemFullChain,
    /// The PEM chain as one base64 string, as a web form takes it.
    Base64Chain,
    /// Two DER files.
    Der,
    /// A certs-only CMS, DER.
    P7b,
    /// A JSON array of PEM texts.
    Json,
}

impl Signed {
    /// The certificates in a carrier.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn carried(&self, carrier: Carrier) -> Result<Vec<File>, Error> {
        let both = [&self.leaf, &self.f9];
        Ok(match carrier {
            Carrier::TwoPems => vec![
                File::new("attestation.pem", pem::certificate(&self.leaf)),
                File::new("f9.pem", pem::certificate(&self.f9)),
            ],
            Carrier::PemChain => vec![File::new("chain.pem", pem::certificates(&both))],
            Carrier::PemFullChain => {
                let all: Vec<_> = both.into_iter().chain(&self.intermediates).collect();
                vec![File::new("chain.pem", pem::certificates(&all))]
            }
            Carrier::Base64Chain => {
                vec![File::new("chain.b64", bundle::base64(pem::certificates(&both).as_bytes()))]
            }
            Carrier::Der => {
                vec![File::new("attestation.der", self.leaf.clone()), File::new("f9.der", self.f9.clone())]
            }
            Carrier::P7b => vec![File::new("chain.p7b", cms::certs_only(&both)?)],
            Carrier::Json => {
                let texts = json!(both.map(|certificate| pem::certificate(certificate)));
                vec![File::new("chain.json", bundle::json(&texts)?)]
            }
        })
    }

    /// The extensions by which a request or certificate carries the attestation: the bare certificates.
    /// `leaf_oid` is [`oid::LEAF_IN_REQUEST`] or [`oid::CSPN_OR_LEAF`].
    pub fn extensions(&self, leaf_oid: &str) -> Vec<Extension> {
        vec![Extension::new(leaf_oid, self.leaf.clone()), Extension::new(oid::F9_IN_REQUEST, self.f9.clone())]
    }

    /// A request for the attested key that carries the attestation in its extensionRequest, not yet signed.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn request(&self, key: &Key, leaf_oid: &str) -> Result<csr::Request, Error> {
        let attribute = csr::Attribute::extension_request(&self.extensions(leaf_oid))?;
        Ok(csr::Request::new(x509::common_name("emulated subscriber")?, key)?.with(attribute))
    }

    /// A request for the attested key that carries the attestation as CMS in an attribute, not yet signed.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn request_with_cms(&self, key: &Key) -> Result<csr::Request, Error> {
        let attribute = csr::Attribute::new(oid::CMS_ATTRIBUTE, cms::certs_only(&[&self.f9, &self.leaf])?);
        Ok(csr::Request::new(x509::common_name("emulated subscriber")?, key)?.with(attribute))
    }

    /// A self-signed certificate of the attested key that carries the attestation (`yubico-piv-tool
    /// -a selfsign-certificate --attestation`), not yet signed.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn self_signed(&self, key: &Key, leaf_oid: &str) -> Result<Certificate, Error> {
        let subject = x509::common_name("emulated subscriber")?;
        let mut certificate = Certificate::new(subject, key, "2026-05-01T00:00:00Z", "2027-05-01T00:00:00Z")?;
        certificate.extensions = self.extensions(leaf_oid);
        Ok(certificate)
    }
}
