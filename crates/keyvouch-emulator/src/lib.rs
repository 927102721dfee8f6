//! Devices in software: faithful attestation evidence of every format, under throw-away roots, for tests,
//! demonstrations and benchmarks.
//!
//! This crate shares no code with the verifier, so that a misreading of a format cannot hide by being made twice.
//! Nothing minted here is worth anything: the roots are named as emulated and their keys live as long as the process.
//!
//! | module | what |
//! |---|---|
//! | [`der`], [`pem`] | writers of the encodings |
//! | [`key`] | keys, and every signature that a device in the collection makes |
//! | [`lms`] | HSS/LMS keys and signatures |
//! | [`x509`], [`csr`], [`crl`], [`cms`] | certificates, certification requests, revocation lists, certificate bundles; every field can be spoilt before signing |
//! | [`openpgp`] | OpenPGP public keys |
//! | [`bundle`] | ZIP, gzip and JSON carriers |
//! | [`android`] | Android key attestation |
//! | [`yubikey_piv`] | YubiKey PIV |
//! | [`yubikey_openpgp`] | YubiKey OpenPGP |
//! | [`yubihsm2`] | YubiHSM 2 |
//! | [`marvell`] | Marvell LiquidSecurity, raw blobs |
//! | [`google_cloud_hsm`] | Google Cloud HSM, the same blobs with an owner chain |
//! | [`aws`], [`azure_key_vault`] | answers of providers, signed requests, certificates of CloudHSM clusters: no attestation, so no [`samples`] |
//! | [`azure_managed_hsm`] | Azure Managed HSM, the same blobs with a pool's chain, in JSON |
//! | [`smartcard_hsm`] | SmartCard-HSM and Nitrokey HSM |
//! | [`securosys`] | Securosys Primus HSM |
//! | [`nshield`] | Entrust nShield |
//! | [`crypto4a_qasm`] | Crypto4A QASM attestation messages |
//! | [`thales_luna`] | Thales Luna public key confirmations |
//! | [`fortanix`] | Fortanix DSM |
//! | [`i4p_trident`] | I4P Trident: synthetic CMS, for want of a published syntax |
//! | [`pkix_evidence`] | PKIX Evidence, the IETF's vendor-neutral format |
//! | [`acme_device_attest`] | answers to ACME's `device-attest-01` challenges, by devices of other modules |
//! | [`apple`] | Apple: [Managed Device Attestation](apple::mda) and [App Attest](apple::app_attest) |
//! | [`webauthn`] | WebAuthn attestation objects, and BLOBs of the FIDO Metadata Service |
//! | [`witness_statement`] | statements of auditors about keys of devices that attest nothing |
//! | [`csr_attestation`] | evidence inside certification requests (PKCS#10, CRMF, CMP) |
//! | [`tpm`] | TPM 2.0, [EK certificates](tpm::endorsement) and [Windows requests](tpm::windows) |
//!
//! Ready-made evidence comes from [`samples`]; tests that need a fault build their own with the modules.

// Sizes and offsets here are those of evidence that this crate makes itself: nothing foreign is parsed, and an
// arithmetic or indexing fault would be a bug of a test tool, not a way in.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

pub mod bundle;
pub mod cms;
pub mod crl;
pub mod csr;
pub mod der;
pub mod key;
pub mod lms;
pub mod openpgp;
pub mod pem;
pub mod x509;

pub mod acme_device_attest;
pub mod android;
pub mod apple;
pub mod aws;
pub mod azure_key_vault;
pub mod azure_managed_hsm;
pub mod crypto4a_qasm;
pub mod csr_attestation;
pub mod fortanix;
pub mod google_cloud_hsm;
pub mod i4p_trident;
pub mod marvell;
pub mod nshield;
pub mod pkix_evidence;
pub mod securosys;
pub mod smartcard_hsm;
pub mod thales_luna;
pub mod tpm;
pub mod webauthn;
pub mod witness_statement;
pub mod yubihsm2;
pub mod yubikey_openpgp;
pub mod yubikey_piv;

use serde_json::{Map, Value};

/// Why something could not be minted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such format, see [`formats`].
    #[error("no emulator for format `{0}`")]
    UnknownFormat(String),
    /// The cryptographic library refused a key or a signature.
    #[error("cryptographic library: {0}")]
    Crypto(&'static str),
    /// A key of this kind cannot make this signature.
    #[error("a {0:?} key does not sign {1:?}")]
    WrongKey(key::KeyKind, key::SignAlg),
    /// A key of this kind has no place in this format.
    #[error("{0}: not for a {1:?} key")]
    UnfitKey(&'static str, key::KeyKind),
    /// Not an object identifier in dotted decimal.
    #[error("`{0}` is not an object identifier")]
    Oid(String),
    /// Not an RFC 3339 time.
    #[error("`{0}` is not an RFC 3339 time")]
    Time(String),
    /// A length or offset does not fit its field.
    #[error("{0} does not fit its field")]
    TooLarge(&'static str),
    /// A path that leads to no element of a document.
    #[error("no element `{0}`")]
    NoElement(String),
    /// JSON could not be written.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// ZIP could not be written.
    #[error("ZIP: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// gzip or ZIP could not be written.
    #[error("compression: {0}")]
    Io(#[from] std::io::Error),
}

/// A named file, as a subscriber would hand it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Name without folder.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

impl File {
    /// A file of this name and content.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// Genuine-looking evidence and what a verifier must be given to accept it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Format id.
    pub format: &'static str,
    /// Name of this sample within the format, kebab-case.
    pub variant: String,
    /// One line: what it is.
    pub about: String,
    /// The evidence, in no particular order.
    pub evidence: Vec<File>,
    /// The request (PKCS#10, certificate or public key) that holds the attested key.
    pub request: Option<File>,
    /// PEM certificates (or bare public keys) of the throw-away roots and intermediates, for the verifier as operator anchors.
    pub anchors: Vec<File>,
    /// RFC 3339 time at which it is to be judged.
    pub at: String,
    /// Operator options that it needs. The text of one that takes a file is the content of the file.
    pub options: Map<String, Value>,
}

type Samples = fn() -> Result<Vec<Sample>, Error>;

/// The one list of formats: a new emulator is a module and a line here.
const FORMATS: &[(&str, Samples)] = &[
    (android::FORMAT, android::samples),
    (yubikey_piv::FORMAT, yubikey_piv::samples),
    (yubihsm2::FORMAT, yubihsm2::samples),
    (yubikey_openpgp::FORMAT, yubikey_openpgp::samples),
    (marvell::FORMAT, marvell::samples),
    (google_cloud_hsm::FORMAT, google_cloud_hsm::samples),
    (azure_managed_hsm::FORMAT, azure_managed_hsm::samples),
    (securosys::FORMAT, securosys::samples),
    (smartcard_hsm::FORMAT, smartcard_hsm::samples),
    (nshield::FORMAT, nshield::samples),
    (crypto4a_qasm::FORMAT, crypto4a_qasm::samples),
    (thales_luna::FORMAT, thales_luna::samples),
    (fortanix::FORMAT, fortanix::samples),
    (tpm::FORMAT, tpm::samples),
    (tpm::endorsement::FORMAT, tpm::endorsement::samples),
    (tpm::windows::FORMAT, tpm::windows::samples),
    (i4p_trident::FORMAT, i4p_trident::samples),
    (pkix_evidence::FORMAT, pkix_evidence::samples),
    (acme_device_attest::FORMAT, acme_device_attest::samples),
    (apple::mda::FORMAT, apple::mda::samples),
    (apple::app_attest::FORMAT, apple::app_attest::samples),
    (webauthn::FORMAT, webauthn::samples),
    (csr_attestation::FORMAT, csr_attestation::samples),
    (witness_statement::FORMAT, witness_statement::samples),
];

/// The format ids that can be emulated.
pub fn formats() -> &'static [&'static str] {
    const IDS: [&str; FORMATS.len()] = {
        let mut ids = [""; FORMATS.len()];
        let mut i = 0;
        while i < ids.len() {
            ids[i] = FORMATS[i].0;
            i += 1;
        }
        ids
    };
    &IDS
}

/// Positive samples of a format; the first is the showcase and comes with a certification request.
///
/// # Errors
/// [`Error::UnknownFormat`], or a failure of the cryptographic library.
pub fn samples(format: &str) -> Result<Vec<Sample>, Error> {
    let (_, make) = FORMATS
        .iter()
        .find(|(id, _)| *id == format)
        .ok_or_else(|| Error::UnknownFormat(format.to_owned()))?;
    make()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_samples_and_a_showcase_with_request() {
        for format in formats() {
            let samples = samples(format).unwrap();
            assert!(samples.first().unwrap().request.is_some(), "{format}");
            let mut variants: Vec<_> = samples.iter().map(|sample| &sample.variant).collect();
            variants.sort();
            variants.dedup();
            assert_eq!(variants.len(), samples.len(), "{format}: variant names repeat");
            for sample in &samples {
                assert_eq!(sample.format, *format);
                let trust_is_an_option = sample.options.contains_key("auditors");
                assert!(!sample.evidence.is_empty());
                assert!(!sample.anchors.is_empty() || trust_is_an_option, "{format}");
                for file in sample.evidence.iter().chain(&sample.request).chain(&sample.anchors) {
                    assert!(!file.bytes.is_empty(), "{format}/{}: {} is empty", sample.variant, file.name);
                }
            }
        }
    }

    #[test]
    fn an_unknown_format_is_an_error() {
        assert!(matches!(samples("abacus"), Err(Error::UnknownFormat(_))));
    }
}
