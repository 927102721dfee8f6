//! The certificates: attestation key, device, root.

use super::FORMAT;
use crate::Error;
use crate::der;
use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::x509::{self, Authority, Certificate, Text, usage};
use std::sync::Arc;

const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;
const UNTIL: &str = "2054-08-14T12:33:45Z";

/// certificatePolicies of the root.
const ROOT_POLICY: &str = "1.3.6.1.4.1.44668.4.1.1";
/// certificatePolicies of a device.
const DEVICE_POLICY: &str = "1.3.6.1.4.1.44668.4.1.3";

/// A Primus with an attestation key; its device and leaf certificates are not yet signed.
#[derive(Debug, Clone)]
pub struct Primus {
    /// Root, RSA-4096.
    pub root: Authority,
    /// Device certificate.
    pub device: Certificate,
    /// Device key, RSA-3072.
    pub device_key: Arc<Key>,
    /// Certificate of the attestation key.
    pub leaf: Certificate,
    /// The attestation key.
    pub attestation_key: Arc<Key>,
}

impl Primus {
    /// A device with the usual attestation key, RSA-3072.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        Self::with_attestation_key(KeyKind::Rsa3072)
    }

    /// A device with an attestation key of this kind.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn with_attestation_key(kind: KeyKind) -> Result<Self, Error> {
        Self::under("PRIMUS_HSM_ROOTKEY_EMULATED", kind)
    }

    /// A device under a root of this common name (`SECUROSYS_ROOTKEY_DEV` is the name of the development root):
    /// different names have different keys.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn under(root_name: &str, kind: KeyKind) -> Result<Self, Error> {
        let root_key = Key::shared(&format!("{FORMAT}: {root_name}"), KeyKind::Rsa4096)?;
        let mut root =
            Certificate::new(name(Text::Utf8, root_name)?, &root_key, "2024-08-21T12:33:45Z", UNTIL)?;
        root.serial = serial(root_name, 0xff);
        root.extensions = authority(1, ROOT_POLICY)?;
        let root = Authority::root(root, root_key, ALG)?;

        let device_name = "PRIMUS HSM KEY (SN: 18380001)";
        let device_key = Key::shared(&format!("{FORMAT}: {root_name} device"), KeyKind::Rsa3072)?;
        let mut device = Certificate::new(
            name(Text::Printable, device_name)?,
            &device_key,
            "2025-08-05T08:22:26Z",
            UNTIL,
        )?;
        device.issuer = root.certificate.subject.clone();
        device.serial = serial(device_name, 0x93);
        device.extensions = authority(0, DEVICE_POLICY)?;

        let attestation_key = Key::shared(&format!("{FORMAT}: {root_name} attestation"), kind)?;
        let subject = name(Text::Printable, "attestation-key")?;
        let mut leaf = Certificate::new(subject, &attestation_key, "2025-08-06T14:00:34Z", UNTIL)?;
        leaf.issuer = device.subject.clone();
        leaf.serial = serial("attestation-key", 0xd5);
        leaf.extensions = vec![
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::NON_REPUDIATION]).critical(),
            x509::basic_constraints(false, None).critical(),
        ];
        Ok(Self { root, device, device_key, leaf, attestation_key })
    }

    /// Sign the certificates.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<SignedChain, Error> {
        Ok(SignedChain {
            root: self.root.der.clone(),
            device: self.device.sign(&self.root.key, ALG)?,
            leaf: self.leaf.sign(&self.device_key, ALG)?,
        })
    }
}

/// Common name first, then where the maker is.
fn name(text: Text, common_name: &str) -> Result<Vec<u8>, Error> {
    x509::name(&[
        ("CN", text, common_name),
        ("C", Text::Printable, "CH"),
        ("L", Text::Printable, "Zurich"),
        ("O", Text::Printable, "Securosys"),
        ("ST", Text::Printable, "ZH"),
    ])
}

/// 128 bits with the top bit set.
fn serial(label: &str, first: u8) -> Vec<u8> {
    let mut serial = derived(label, 16);
    serial[0] = first;
    der::unsigned(&serial)
}

fn authority(path_len: u8, policy: &str) -> Result<Vec<x509::Extension>, Error> {
    Ok(vec![
        x509::key_usage(&[usage::NON_REPUDIATION, usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
        x509::basic_constraints(true, Some(path_len)).critical(),
        x509::certificate_policies(&[policy])?,
    ])
}

/// The certificates, DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedChain {
    /// Root.
    pub root: Vec<u8>,
    /// Device.
    pub device: Vec<u8>,
    /// Attestation key.
    pub leaf: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_as_long_as_real_ones() {
        let chain = Primus::new().unwrap().sign().unwrap();
        // The root's common name is nine characters longer than the real one's.
        let more = "_EMULATED".len();
        assert_eq!(chain.root.len() - 4, 1413 + 2 * more);
        assert_eq!(chain.device.len() - 4, 1296 + more);
        assert_eq!(chain.leaf.len() - 4, 1133);
    }
}
