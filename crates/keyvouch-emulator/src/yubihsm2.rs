//! YubiHSM 2 attestation: the certificate that the device makes for an asymmetric key object.
//!
//! Source of the extension numbers: developers.yubico.com, YubiHSM2, "Attestation", and Yubico/python-yubihsm. The
//! certificates have the names, serial lengths and extension order of real ones; only the root and the number of the
//! Sub-CA are ones that do not exist.

mod samples;

pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::x509::{self, Authority, Certificate, Extension, usage};
use crate::{Error, File, bundle, cms, der, pem};
use serde_json::json;
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "yubihsm2";

/// Object identifiers of the vendor arc.
pub mod oid {
    /// Firmware version, OCTET STRING of three.
    pub const FIRMWARE: &str = "1.3.6.1.4.1.41482.4.1";
    /// Serial number, INTEGER.
    pub const SERIAL: &str = "1.3.6.1.4.1.41482.4.2";
    /// Origin, BIT STRING of one octet.
    pub const ORIGIN: &str = "1.3.6.1.4.1.41482.4.3";
    /// Domains, BIT STRING of two octets.
    pub const DOMAINS: &str = "1.3.6.1.4.1.41482.4.4";
    /// Capabilities, BIT STRING of eight octets.
    pub const CAPABILITIES: &str = "1.3.6.1.4.1.41482.4.5";
    /// Object ID, INTEGER.
    pub const OBJECT_ID: &str = "1.3.6.1.4.1.41482.4.6";
    /// Label, UTF8String.
    pub const LABEL: &str = "1.3.6.1.4.1.41482.4.9";
    /// FIPS unit, INTEGER; in the device certificate only.
    pub const FIPS_UNIT: &str = "1.3.6.1.4.1.41482.4.10";
    /// FIPS-approved mode; in the leaf of FIPS units from firmware 2.4.1.
    pub const FIPS_MODE: &str = "1.3.6.1.4.1.41482.4.12";
}

/// Bits of the capabilities.
pub mod capability {
    /// sign-pkcs.
    pub const SIGN_PKCS: u64 = 1 << 0x05;
    /// sign-pss.
    pub const SIGN_PSS: u64 = 1 << 0x06;
    /// sign-ecdsa.
    pub const SIGN_ECDSA: u64 = 1 << 0x07;
    /// sign-eddsa.
    pub const SIGN_EDDSA: u64 = 1 << 0x08;
    /// decrypt-oaep.
    pub const DECRYPT_OAEP: u64 = 1 << 0x0a;
    /// derive-ecdh.
    pub const DERIVE_ECDH: u64 = 1 << 0x0b;
    /// export-wrapped.
    pub const EXPORT_WRAPPED: u64 = 1 << 0x0c;
    /// exportable-under-wrap.
    pub const EXPORTABLE_UNDER_WRAP: u64 = 1 << 0x10;
    /// sign-attestation-certificate.
    pub const SIGN_ATTESTATION: u64 = 1 << 0x22;
}

/// Which of the maker's hierarchies to imitate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hierarchy {
    /// Root of 2017, Sub-CA.
    SubCa,
    /// Root of 2024, intermediate, `YubiHSM Attestation …`.
    Root1,
}

/// The maker: a throw-away hierarchy.
#[derive(Debug, Clone)]
pub struct Maker {
    /// Root first, issuer of devices last.
    pub authorities: Vec<Authority>,
}

type Dates = (&'static str, &'static str);
const OLD_DATES: Dates = ("2017-01-01T00:00:00Z", "2071-10-05T00:00:00Z");
const NEW_DATES: Dates = ("2024-12-01T00:00:00Z", "9999-12-31T23:59:59Z");

impl Maker {
    /// A maker of YubiHSM 2 devices. Its keys are the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(hierarchy: Hierarchy) -> Result<Self, Error> {
        match hierarchy {
            Hierarchy::SubCa => {
                let root = authority(None, "keyvouch emulated YubiHSM Root CA", 2, OLD_DATES)?;
                let sub = authority(Some(&root), "Yubico YubiHSM 9999999 Sub-CA", 1, OLD_DATES)?;
                Ok(Self { authorities: vec![root, sub] })
            }
            Hierarchy::Root1 => Self::under_root_1("YubiHSM Attestation emulated 1"),
        }
    }

    /// The hierarchy of 2024 with this name for the authority above the device.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn under_root_1(issuer: &str) -> Result<Self, Error> {
        let root = authority(None, "keyvouch emulated Attestation Root 1", 3, NEW_DATES)?;
        let middle = authority(Some(&root), "Yubico Attestation Intermediate emulated 1", 2, NEW_DATES)?;
        let issuer = authority(Some(&middle), issuer, 1, NEW_DATES)?;
        Ok(Self { authorities: vec![root, middle, issuer] })
    }

    /// All authorities as PEM files, root first, for the verifier as operator anchors.
    pub fn anchors(&self) -> Vec<File> {
        let file = |(at, authority): (usize, &Authority)| {
            let name = if at == 0 { "root.pem".to_owned() } else { format!("intermediate-{at}.pem") };
            File::new(name, pem::certificate(&authority.der))
        };
        self.authorities.iter().enumerate().map(file).collect()
    }

    /// The attestation of an object and the certificate of the device, not yet signed.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn attest(&self, device: &Device, object: &Object, key: &Key) -> Result<Attestation, Error> {
        let issuer = self.authorities.last().ok_or(Error::Crypto("a maker without authorities"))?;
        let certificate = device.certificate(issuer)?;
        Ok(Attestation {
            leaf: device.leaf(&certificate, object, key)?,
            device: certificate,
            leaf_signature: SignAlg::RsaPkcs1Sha256,
            device_signature: SignAlg::RsaPkcs1Sha256,
            device_key: Arc::clone(&device.key),
            issuer_key: Arc::clone(&issuer.key),
            intermediates: self.authorities.iter().skip(1).rev().map(|each| each.der.clone()).collect(),
        })
    }
}

fn authority(issuer: Option<&Authority>, name: &str, path_len: u8, dates: Dates) -> Result<Authority, Error> {
    let kind = if path_len == 2 && issuer.is_none() { KeyKind::Rsa4096 } else { KeyKind::Rsa2048 };
    let key = Key::shared(&format!("{FORMAT}: {name}"), kind)?;
    let issuer_key = issuer.map_or(&key, |issuer| &issuer.key);
    let mut certificate = Certificate::new(x509::common_name(name)?, &key, dates.0, dates.1)?;
    certificate.extensions = vec![
        x509::subject_key_identifier(&x509::key_id(&key)?),
        x509::authority_key_identifier(&x509::key_id(issuer_key)?),
        x509::basic_constraints(true, Some(path_len)).critical(),
        x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
    ];
    match issuer {
        None => Authority::root(certificate, key, SignAlg::RsaPkcs1Sha256),
        Some(issuer) => issuer.subordinate(certificate, key, SignAlg::RsaPkcs1Sha256),
    }
}

/// A YubiHSM 2 as its certificates describe it.
#[derive(Debug, Clone)]
pub struct Device {
    /// Firmware version.
    pub firmware: [u8; 3],
    /// Serial number.
    pub serial: u32,
    /// The device certificate has `.10` with this number: a FIPS unit.
    pub fips_unit: Option<u8>,
    /// The built-in attestation key: one for each device.
    pub key: Arc<Key>,
}

impl Device {
    /// A device of this firmware and serial number.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(firmware: [u8; 3], serial: u32) -> Result<Self, Error> {
        let key = Key::shared(&format!("{FORMAT}: device {serial}"), KeyKind::Rsa2048)?;
        Ok(Self { firmware, serial, fips_unit: None, key })
    }

    fn certificate(&self, issuer: &Authority) -> Result<Certificate, Error> {
        let (from, to) = (&issuer.certificate.not_before, &issuer.certificate.not_after);
        let name = x509::common_name(&format!("YubiHSM Attestation ({})", self.serial))?;
        let mut certificate = Certificate::new(name, &self.key, from, to)?;
        certificate.issuer = issuer.certificate.subject.clone();
        let mut serial = derived(&hex::encode(&certificate.spki), 8);
        serial[0] = 0xc7;
        certificate.serial = der::unsigned(&serial);
        certificate.extensions = vec![Extension::new(oid::FIRMWARE, der::octet_string(&self.firmware))];
        certificate
            .extensions
            .extend(self.fips_unit.map(|n| Extension::new(oid::FIPS_UNIT, der::integer(&[n]))));
        certificate.extensions.extend([
            Extension::new(oid::SERIAL, der::integer_u32(self.serial)),
            x509::subject_key_identifier(&x509::key_id(&self.key)?),
            x509::authority_key_identifier(&x509::key_id(&issuer.key)?),
            x509::basic_constraints(true, Some(0)).critical(),
        ]);
        Ok(certificate)
    }

    /// What the device makes of the certificate under its key: its subject becomes the issuer, its dates are copied.
    fn leaf(&self, device: &Certificate, object: &Object, key: &Key) -> Result<Certificate, Error> {
        let mut leaf = Certificate {
            issuer: device.subject.clone(),
            subject: x509::common_name(&format!("YubiHSM Attestation id:0x{:04x}", object.id))?,
            spki: key.spki_der()?,
            ..device.clone()
        };
        let mut serial = derived(&format!("{} {}", object.id, hex::encode(&leaf.spki)), 16);
        serial[0] = 0x01;
        leaf.serial = serial;
        leaf.extensions = vec![
            Extension::new(oid::FIRMWARE, der::octet_string(&self.firmware)),
            Extension::new(oid::SERIAL, der::integer_u32(self.serial)),
            Extension::new(oid::ORIGIN, der::bit_string(&[object.origin])),
            Extension::new(oid::DOMAINS, der::bit_string(&object.domains.to_be_bytes())),
            Extension::new(oid::CAPABILITIES, der::bit_string(&object.capabilities.to_be_bytes())),
            Extension::new(oid::OBJECT_ID, der::integer_u32(u32::from(object.id))),
            Extension::new(oid::LABEL, der::tlv(0x0c, &object.label)),
        ];
        leaf.extensions.extend(object.fips_mode.clone().map(|mode| Extension::new(oid::FIPS_MODE, mode)));
        Ok(leaf)
    }
}

/// An asymmetric key object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Object ID.
    pub id: u16,
    /// 0x01 generated, 0x02 imported, and 0x10 moved under wrap.
    pub origin: u8,
    /// Domain `n` is bit `n - 1`.
    pub domains: u16,
    /// See [`capability`].
    pub capabilities: u64,
    /// Label, any octets.
    pub label: Vec<u8>,
    /// Value of `.12`, DER. No real one was seen: BOOLEAN or INTEGER is a guess.
    pub fips_mode: Option<Vec<u8>>,
}

impl Object {
    /// A generated object with these capabilities, in domain 1.
    pub fn generated(id: u16, capabilities: u64) -> Self {
        Self { id, origin: 0x01, domains: 1, capabilities, label: b"codesign".to_vec(), fips_mode: None }
    }
}

/// An attestation before its certificates are signed: change what the test is about, then [`Attestation::sign`].
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The leaf.
    pub leaf: Certificate,
    /// The device certificate.
    pub device: Certificate,
    /// Algorithm of the leaf's signature.
    pub leaf_signature: SignAlg,
    /// Algorithm of the device certificate's signature.
    pub device_signature: SignAlg,
    /// The key that signs the leaf.
    pub device_key: Arc<Key>,
    /// The key that signs the device certificate.
    pub issuer_key: Arc<Key>,
    /// The authorities above the device, its issuer first, without the root.
    pub intermediates: Vec<Vec<u8>>,
}

/// The certificates of an attestation, DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The leaf.
    pub leaf: Vec<u8>,
    /// The device certificate.
    pub device: Vec<u8>,
    /// The authorities above the device, its issuer first, without the root.
    pub intermediates: Vec<Vec<u8>>,
}

impl Attestation {
    /// Sign both certificates.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Signed, Error> {
        Ok(Signed {
            leaf: self.leaf.sign(&self.device_key, self.leaf_signature)?,
            device: self.device.sign(&self.issuer_key, self.device_signature)?,
            intermediates: self.intermediates.clone(),
        })
    }
}

/// In what a subscriber hands in leaf and device certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// `attestation.pem` and `device.pem`.
    TwoPems,
    /// Both in one PEM file, leaf first.
    PemChain,
    /// The PEM chain with the authorities.
    PemFullChain,
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
        let both = [&self.leaf, &self.device];
        Ok(match carrier {
            Carrier::TwoPems => vec![
                File::new("attestation.pem", pem::certificate(&self.leaf)),
                File::new("device.pem", pem::certificate(&self.device)),
            ],
            Carrier::PemChain => vec![File::new("chain.pem", pem::certificates(&both))],
            Carrier::PemFullChain => {
                let all: Vec<_> = both.into_iter().chain(&self.intermediates).collect();
                vec![File::new("chain.pem", pem::certificates(&all))]
            }
            Carrier::Der => vec![
                File::new("attestation.der", self.leaf.clone()),
                File::new("device.der", self.device.clone()),
            ],
            Carrier::P7b => vec![File::new("chain.p7b", cms::certs_only(&both)?)],
            Carrier::Json => {
                let texts = json!(both.map(|certificate| pem::certificate(certificate)));
                vec![File::new("chain.json", bundle::json(&texts)?)]
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(device: &Device, object: &Object, kind: KeyKind) -> Signed {
        let key = Key::shared("yubihsm2: subscriber", kind).unwrap();
        Maker::new(Hierarchy::SubCa).unwrap().attest(device, object, &key).unwrap().sign().unwrap()
    }

    #[test]
    fn certificates_are_as_long_as_real_ones() {
        let device = Device::new([2, 4, 0], 31_650_425).unwrap();
        let mut object = Object::generated(0x7e57, capability::SIGN_ECDSA);
        object.label = b"hsmaudit-test".to_vec();
        let real = signed(&device, &object, KeyKind::P256);
        assert_eq!(real.leaf.len(), 700);
        assert_eq!(real.device.len(), 860);
        let fips = Device { fips_unit: Some(5), ..Device::new([2, 2, 0], 20_783_176).unwrap() };
        let fips = signed(&fips, &object, KeyKind::P256);
        assert_eq!(fips.device.len(), 880);
    }

    #[test]
    fn masks_are_numbers_not_named_bits() {
        let mut object = Object::generated(
            1,
            capability::SIGN_ECDSA | capability::DERIVE_ECDH | capability::SIGN_ATTESTATION,
        );
        object.domains = 1 << 4 | 1 << 7 | 1 << 12;
        let device = Device::new([2, 1, 3], 1).unwrap();
        let leaf = hex::encode(signed(&device, &object, KeyKind::P256).leaf);
        // As in the test certificate of Yubico/yubihsm-shell
        assert!(leaf.contains("03090000000004000008 80".replace(' ', "").as_str()));
        assert!(leaf.contains("0303001090"));
    }
}
