//! Attestations that Apple's servers make for keys in the Secure Enclave: [`mda`] (Managed Device Attestation) and
//! [`app_attest`].
//!
//! Source of names, numbers and shapes: Apple, device management schemas (`information.device`), "Attestation Object
//! Validation Guide" of App Attest; and real leaves. Intermediates have the names of the real ones; only the roots have
//! names that no real one has.

pub mod app_attest;
pub(crate) mod cbor;
pub mod mda;

use crate::key::{Key, KeyKind, SignAlg, sha256};
use crate::x509::{self, Certificate, Extension, Text, usage};
use crate::{Error, File, der, pem};
use std::sync::Arc;

/// When the leaves are issued, in milliseconds since 1970: 2026-06-01T10:00:00Z. Their serial number.
pub const ISSUED_AT: u64 = 1_780_308_000_000;
/// Before what the leaves are valid: a day before their issue.
const NOT_BEFORE: &str = "2026-05-31T10:00:00Z";
/// At this time everything is valid.
pub const AT: &str = "2026-06-01T12:00:00Z";

/// A leaf with what is above it, before anything is signed.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The root.
    pub root: Certificate,
    /// The intermediate.
    pub intermediate: Certificate,
    /// The leaf.
    pub leaf: Certificate,
    /// The key of the root.
    pub root_key: Arc<Key>,
    /// The key of the intermediate.
    pub intermediate_key: Arc<Key>,
    /// The key that signs the intermediate, when it is not the root's.
    pub intermediate_signer: Option<Arc<Key>>,
    /// The key that signs the leaf, when it is not the intermediate's.
    pub leaf_signer: Option<Arc<Key>>,
    /// How the leaf is signed.
    pub leaf_alg: SignAlg,
}

/// The same, signed: DER.
#[derive(Debug, Clone)]
pub struct SignedChain {
    /// The root.
    pub root: Vec<u8>,
    /// The intermediate.
    pub intermediate: Vec<u8>,
    /// The leaf.
    pub leaf: Vec<u8>,
}

/// Names of a hierarchy.
struct Names {
    /// Label of its keys.
    label: &'static str,
    /// Key of the intermediate. The real ones are all on P-384; the library behind this crate signs with SHA-256 on
    /// P-256 only.
    intermediate_key: KeyKind,
    root: Vec<u8>,
    intermediate: Vec<u8>,
}

impl Chain {
    fn new(names: Names, key: &Key, not_after: &str, leaf_alg: SignAlg) -> Result<Self, Error> {
        let root_key = Key::shared(&format!("{}: root", names.label), KeyKind::P384)?;
        let intermediate_key =
            Key::shared(&format!("{}: intermediate", names.label), names.intermediate_key)?;
        let root = authority(names.root, &root_key, None)?;
        let mut intermediate = authority(names.intermediate, &intermediate_key, Some(0))?;
        intermediate.issuer.clone_from(&root.subject);
        let common_name = key.point().map(|point| hex::encode(sha256(point))).unwrap_or_default();
        let subject = x509::name(&[
            ("CN", Text::Utf8, &common_name),
            ("OU", Text::Utf8, "AAA Certification"),
            ("O", Text::Utf8, "Apple Inc."),
            ("ST", Text::Utf8, "California"),
        ])?;
        let mut leaf = Certificate::new(subject, key, NOT_BEFORE, not_after)?;
        leaf.issuer.clone_from(&intermediate.subject);
        leaf.serial = der::unsigned(&ISSUED_AT.to_be_bytes());
        leaf.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::NON_REPUDIATION, usage::KEY_ENCIPHERMENT, 3])
                .critical(),
        ];
        Ok(Self {
            root,
            intermediate,
            leaf,
            root_key,
            intermediate_key,
            intermediate_signer: None,
            leaf_signer: None,
            leaf_alg,
        })
    }

    /// Signs all three.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<SignedChain, Error> {
        let intermediate_signer = self.intermediate_signer.as_ref().unwrap_or(&self.root_key);
        let leaf_signer = self.leaf_signer.as_ref().unwrap_or(&self.intermediate_key);
        Ok(SignedChain {
            root: self.root.sign(&self.root_key, SignAlg::EcdsaSha384)?,
            intermediate: self.intermediate.sign(intermediate_signer, SignAlg::EcdsaSha384)?,
            leaf: self.leaf.sign(leaf_signer, self.leaf_alg)?,
        })
    }
}

impl SignedChain {
    /// The root as the operator's anchor.
    #[must_use]
    pub fn anchors(&self) -> Vec<File> {
        vec![File::new("root.pem", pem::certificate(&self.root))]
    }

    /// Leaf and intermediate.
    #[must_use]
    pub fn array(&self) -> Vec<Vec<u8>> {
        vec![self.leaf.clone(), self.intermediate.clone()]
    }
}

fn authority(subject: Vec<u8>, key: &Key, path_len: Option<u8>) -> Result<Certificate, Error> {
    let mut certificate = Certificate::new(subject, key, "2020-03-18T00:00:00Z", "2045-03-15T00:00:00Z")?;
    certificate.extensions = vec![
        x509::basic_constraints(true, path_len).critical(),
        x509::subject_key_identifier(&x509::key_id(key)?),
        x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
    ];
    Ok(certificate)
}

/// An extension of Apple's arc: `1.2.840.113635.100.8.` and this.
fn extension(arc: &str, value: impl Into<Vec<u8>>) -> Extension {
    Extension::new(&oid(arc), value)
}

/// An identifier of Apple's arc: `1.2.840.113635.100.8.` and this.
#[must_use]
pub fn oid(arc: &str) -> String {
    format!("1.2.840.113635.100.8.{arc}")
}
