//! Android key attestation: certificate chains with a KeyDescription, under a throw-away root.
//!
//! ```text
//! factory      leaf ← batch key ← intermediate ← root
//! provisioned  leaf ← attestation key ← Droid CA3 ← Droid CA2 ← root
//! ```
//!
//! Source: Android developers, "Verify hardware-backed key pairs with key attestation"; Android Open Source Project,
//! "Key and ID attestation"; shapes and names as in chains of phones.

mod description;
pub mod rkp;
mod samples;

pub use description::{AppId, KeyDescription, RootOfTrust, Tags, explicit, integer, tag};
pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg};
use crate::x509::{self, Certificate, Extension, Text, usage};
use crate::{Error, File, pem};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "android";

/// The extension with the KeyDescription.
pub const KEY_DESCRIPTION: &str = "1.3.6.1.4.1.11129.2.1.17";
/// The same in the EAT form.
pub const EAT: &str = "1.3.6.1.4.1.11129.2.1.25";
/// Provisioning information in the certificate of an attestation key: bare CBOR.
pub const PROVISIONING: &str = "1.3.6.1.4.1.11129.2.1.30";
/// Samsung's extension.
pub const KNOX: &str = "1.3.6.1.4.1.236.11.3.23.7";

/// The time at which the samples are to be judged.
pub const AT: &str = "2026-06-01T00:00:00Z";

/// A status list on which nothing is revoked.
pub const EMPTY_STATUS_LIST: &str = "{\n  \"entries\": {}\n}\n";

/// A certificate of a chain, not yet signed, with its key and the algorithm with which it is signed.
#[derive(Debug, Clone)]
pub struct Link {
    /// The template.
    pub certificate: Certificate,
    /// The key in it.
    pub key: Arc<Key>,
    /// How its issuer signs it.
    pub alg: SignAlg,
}

/// A chain, leaf first, the self-signed root last. Each certificate is signed by the key of the next.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The certificates.
    pub links: Vec<Link>,
}

/// The environment in which the key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// TrustedEnvironment.
    Tee,
    /// StrongBox.
    StrongBox,
}

impl Level {
    fn title(self) -> &'static str {
        match self {
            Self::Tee => "TEE",
            Self::StrongBox => "StrongBox",
        }
    }

    /// The number of the security level.
    pub fn number(self) -> u8 {
        match self {
            Self::Tee => 1,
            Self::StrongBox => 2,
        }
    }
}

fn key(role: &str, kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: {role}"), kind)
}

fn factory_name(serial: &str, title: Option<Level>) -> Result<Vec<u8>, Error> {
    let mut parts = Vec::new();
    if let Some(level) = title {
        parts.push(("2.5.4.12", Text::Utf8, level.title()));
    }
    parts.push(("serialNumber", Text::Utf8, serial));
    x509::name(&parts)
}

fn droid(cn: &str) -> Result<Vec<u8>, Error> {
    x509::name(&[("O", Text::Utf8, "Google LLC"), ("CN", Text::Utf8, cn)])
}

impl Chain {
    /// A chain from the factory: RSA batch keys for RSA keys, EC ones for the rest.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn factory(leaf: &Arc<Key>, said: &KeyDescription, level: Level) -> Result<Self, Error> {
        let rsa = leaf.rsa_public().is_some();
        let (kind, alg) = match rsa {
            true => (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256),
            false => (KeyKind::P256, SignAlg::EcdsaSha256),
        };
        let batch = key(&format!("batch {kind:?}"), kind)?;
        let upper = key("intermediate", KeyKind::P384)?;
        let root = root()?;
        let upper_name = factory_name("aaaa1111bbbb2222cccc3333dddd4444", Some(level))?;
        let batch_name = factory_name(
            if rsa { "00112233445566778899aabbccddee01" } else { "00112233445566778899aabbccddee02" },
            Some(level),
        )?;
        let mut chain = Self {
            links: vec![
                Link { certificate: leaf_certificate(leaf, said)?, key: leaf.clone(), alg },
                Link {
                    certificate: authority(
                        batch_name,
                        &batch,
                        "2020-01-01T00:00:00Z",
                        "2030-01-01T00:00:00Z",
                        None,
                    )?,
                    key: batch,
                    alg: SignAlg::EcdsaSha384,
                },
                Link {
                    certificate: authority(
                        upper_name,
                        &upper,
                        "2020-01-01T00:00:00Z",
                        "2030-01-01T00:00:00Z",
                        None,
                    )?,
                    key: upper,
                    alg: SignAlg::RsaPkcs1Sha256,
                },
                root,
            ],
        };
        chain.link_names();
        Ok(chain)
    }

    /// A chain of a remotely provisioned device.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn remote(leaf: &Arc<Key>, said: &KeyDescription, level: Level) -> Result<Self, Error> {
        let attester = key("attestation", KeyKind::P256)?;
        let (ca3, ca2) = (key("Droid CA3", KeyKind::P256)?, key("Droid CA2", KeyKind::P384)?);
        let name = x509::name(&[
            ("CN", Text::Utf8, "dad0bb24ee881a1d72253e73ed30331a"),
            ("O", Text::Utf8, level.title()),
        ])?;
        let mut attestation =
            authority(name, &attester, "2026-05-20T00:00:00Z", "2026-06-20T00:00:00Z", None)?;
        // {1: 8, 3: "emulated"}
        attestation.extensions.push(Extension::new(PROVISIONING, b"\xa2\x01\x08\x03\x68emulated".to_vec()));
        let ca3_certificate =
            authority(droid("Droid CA3")?, &ca3, "2026-05-25T00:00:00Z", "2026-07-10T00:00:00Z", None)?;
        let ca2_certificate =
            authority(droid("Droid CA2")?, &ca2, "2026-02-09T00:00:00Z", "2029-02-08T00:00:00Z", Some(2))?;
        let mut chain = Self {
            links: vec![
                Link {
                    certificate: leaf_certificate(leaf, said)?,
                    key: leaf.clone(),
                    alg: SignAlg::EcdsaSha256,
                },
                Link { certificate: attestation, key: attester, alg: SignAlg::EcdsaSha256 },
                Link { certificate: ca3_certificate, key: ca3, alg: SignAlg::EcdsaSha384 },
                Link { certificate: ca2_certificate, key: ca2, alg: SignAlg::RsaPkcs1Sha256 },
                root()?,
            ],
        };
        chain.link_names();
        Ok(chain)
    }

    /// A chain of a Samsung Attestation Key, generation `SAK_V2`.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn samsung(leaf: &Arc<Key>, said: &KeyDescription, integrity: [u8; 3]) -> Result<Self, Error> {
        let sak = key("SAK", KeyKind::P384)?;
        let root = key("SAK root", KeyKind::P521)?;
        let name = x509::name(&[
            ("O", Text::Utf8, "Samsung emulated"),
            ("CN", Text::Utf8, "c2FtcGxl"),
            ("0.9.2342.19200300.100.1.1", Text::Utf8, "SAK_V2:20260101000000:1:AAAA:c2FtcGxl"),
        ])?;
        let root_name = x509::common_name("Samsung root, emulated")?;
        let mut certificate = leaf_certificate(leaf, said)?;
        certificate.not_before = "2026-05-01T00:00:00Z".to_owned();
        certificate.not_after = "2027-05-01T00:00:00Z".to_owned();
        certificate.extensions.push(Extension::new(KNOX, description::knox(integrity)));
        let mut chain = Self {
            links: vec![
                Link { certificate, key: leaf.clone(), alg: SignAlg::EcdsaSha384 },
                Link {
                    certificate: authority(
                        name,
                        &sak,
                        "2020-01-01T00:00:00Z",
                        "2040-01-01T00:00:00Z",
                        Some(0),
                    )?,
                    key: sak,
                    alg: SignAlg::EcdsaSha512,
                },
                Link {
                    certificate: authority(
                        root_name,
                        &root,
                        "2019-01-01T00:00:00Z",
                        "2039-01-01T00:00:00Z",
                        None,
                    )?,
                    key: root,
                    alg: SignAlg::EcdsaSha512,
                },
            ],
        };
        chain.link_names();
        Ok(chain)
    }

    /// The chain of a key that the key of this chain's leaf signed for.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn below(&self, leaf: &Arc<Key>, said: &KeyDescription) -> Result<Self, Error> {
        let alg = self.links[0].key.default_alg();
        let certificate = leaf_certificate(leaf, said)?;
        let mut links = vec![Link { certificate, key: leaf.clone(), alg }];
        links.extend(self.links.iter().cloned());
        let mut chain = Self { links };
        chain.link_names();
        Ok(chain)
    }

    /// Every issuer is the subject of the next certificate; the root issued itself.
    pub fn link_names(&mut self) {
        for index in 0..self.links.len() {
            let upper = (index + 1).min(self.links.len() - 1);
            self.links[index].certificate.issuer = self.links[upper].certificate.subject.clone();
        }
    }

    /// Sign: DER certificates, leaf first.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Vec<Vec<u8>>, Error> {
        let last = self.links.len() - 1;
        let links = self.links.iter().enumerate();
        links
            .map(|(index, link)| link.certificate.sign(&self.links[(index + 1).min(last)].key, link.alg))
            .collect()
    }

    /// The chain as `getCertificateChain` gives it, in PEM.
    ///
    /// # Errors
    /// As [`Chain::sign`].
    pub fn pem(&self) -> Result<File, Error> {
        Ok(File::new("chain.pem", pem::certificates(&self.sign()?)))
    }

    /// The root certificate, for the verifier as operator's anchor.
    ///
    /// # Errors
    /// As [`Chain::sign`].
    pub fn anchor(&self) -> Result<File, Error> {
        Ok(File::new("root.pem", pem::certificate(self.sign()?.last().map_or(&[][..], Vec::as_slice))))
    }
}

/// The root of the emulated devices.
fn root() -> Result<Link, Error> {
    let key = key("root", KeyKind::Rsa2048)?;
    let name = x509::common_name("Android attestation root, emulated")?;
    let certificate = authority(name, &key, "2016-05-26T00:00:00Z", "2046-05-26T00:00:00Z", None)?;
    Ok(Link { certificate, key, alg: SignAlg::RsaPkcs1Sha256 })
}

fn authority(
    name: Vec<u8>,
    key: &Key,
    from: &str,
    until: &str,
    path_len: Option<u8>,
) -> Result<Certificate, Error> {
    let mut certificate = Certificate::new(name, key, from, until)?;
    certificate.extensions = vec![
        x509::basic_constraints(true, path_len).critical(),
        x509::key_usage(&[usage::KEY_CERT_SIGN]).critical(),
    ];
    Ok(certificate)
}

/// As Keystore makes it: serial number 1, a common name, dates without meaning.
fn leaf_certificate(key: &Key, said: &KeyDescription) -> Result<Certificate, Error> {
    let name = x509::common_name("Android Keystore Key")?;
    let mut certificate = Certificate::new(name, key, "1970-01-01T00:00:00Z", "2048-01-01T00:00:00Z")?;
    certificate.serial = vec![1];
    certificate.extensions = vec![
        x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
        Extension::new(KEY_DESCRIPTION, said.der()),
    ];
    Ok(certificate)
}
