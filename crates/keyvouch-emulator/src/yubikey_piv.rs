//! YubiKey PIV attestation: the slot certificate that the applet makes, under the F9 certificate of the factory.
//!
//! Source of the extension numbers and of the procedure: developers.yubico.com, "PIV attestation". The certificates
//! have the names, serial lengths, string types and extension order of factory devices; only the roots and the
//! intermediates have names that no real one has.

mod carrier;
mod samples;

pub use carrier::{Carrier, Signed};
pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::x509::{self, Authority, Certificate, Extension, Text, usage};
use crate::{Error, File, der, pem};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "yubikey-piv";

/// Object identifiers of the vendor arc.
pub mod oid {
    /// The slot certificate inside a request (yubico-piv-tool after the number was put right).
    pub const LEAF_IN_REQUEST: &str = "1.3.6.1.4.1.41482.3.1";
    /// The F9 certificate inside a request or certificate.
    pub const F9_IN_REQUEST: &str = "1.3.6.1.4.1.41482.3.2";
    /// Firmware version, three bare octets.
    pub const FIRMWARE: &str = "1.3.6.1.4.1.41482.3.3";
    /// Serial number, INTEGER.
    pub const SERIAL: &str = "1.3.6.1.4.1.41482.3.7";
    /// PIN and touch policy, two bare octets.
    pub const POLICY: &str = "1.3.6.1.4.1.41482.3.8";
    /// Form factor, one bare octet.
    pub const FORM_FACTOR: &str = "1.3.6.1.4.1.41482.3.9";
    /// FIPS series, INTEGER; in F9 only.
    pub const FIPS: &str = "1.3.6.1.4.1.41482.3.10";
    /// In F9: CSPN series. In a request or certificate of yubico-piv-tool 2.1: the slot certificate.
    pub const CSPN_OR_LEAF: &str = "1.3.6.1.4.1.41482.3.11";
    /// Request attribute with a CMS bundle, as in SCEP enrolment with Purebred.
    pub const CMS_ATTRIBUTE: &str = "1.3.6.1.4.1.37623.26.4";
}

/// Which of the maker's hierarchies to imitate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hierarchy {
    /// F9 directly under a PIV root of path length 1: firmware before 5.7.4.
    PivRoot,
    /// F9 directly under the U2F root, whose path length 0 forbids it: some YubiKey 4.
    U2fRoot,
    /// F9 under two intermediates: firmware 5.7.4 and later.
    Root1,
}

/// The maker: a throw-away hierarchy.
#[derive(Debug, Clone)]
pub struct Maker {
    /// What it imitates.
    pub hierarchy: Hierarchy,
    /// Root first, issuer of F9 certificates last.
    pub authorities: Vec<Authority>,
}

impl Maker {
    /// A maker of PIV devices. Its keys are the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(hierarchy: Hierarchy) -> Result<Self, Error> {
        Self::of_application(hierarchy, "PIV")
    }

    /// A maker whose last intermediate is for another application of the key (`FIDO`, `OPGP`, `SD`), as
    /// [`Hierarchy::Root1`] has them; such an intermediate is not to be taken for PIV.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn of_application(hierarchy: Hierarchy, application: &str) -> Result<Self, Error> {
        let authorities = match hierarchy {
            Hierarchy::PivRoot => {
                vec![old_root("keyvouch emulated PIV Root CA", Text::Utf8, 1, PIV_ROOT_DATES)?]
            }
            Hierarchy::U2fRoot => {
                vec![old_root("keyvouch emulated U2F Root CA", Text::Printable, 0, U2F_ROOT_DATES)?]
            }
            Hierarchy::Root1 => {
                let root = new_authority(None, "keyvouch emulated Attestation Root 1", 3)?;
                let middle = new_authority(Some(&root), "Yubico Attestation Intermediate emulated 1", 2)?;
                let issuer = format!("Yubico {application} Attestation emulated 1");
                let issuer = new_authority(Some(&middle), &issuer, 1)?;
                vec![root, middle, issuer]
            }
        };
        Ok(Self { hierarchy, authorities })
    }

    /// The hierarchy that a device of this firmware comes from.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn of_firmware(firmware: [u8; 3]) -> Result<Self, Error> {
        Self::new(if firmware < [5, 7, 4] { Hierarchy::PivRoot } else { Hierarchy::Root1 })
    }

    /// The root, for the verifier as operator anchor.
    pub fn root(&self) -> Option<&Authority> {
        self.authorities.first()
    }

    /// All authorities as PEM files, for the verifier as operator anchors.
    pub fn anchors(&self) -> Vec<File> {
        let file = |(at, authority): (usize, &Authority)| {
            let name = if at == 0 { "root.pem".to_owned() } else { format!("intermediate-{at}.pem") };
            File::new(name, pem::certificate(&authority.der))
        };
        self.authorities.iter().enumerate().map(file).collect()
    }

    /// The slot certificate and the F9 certificate of a device, not yet signed.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn attest(
        &self,
        device: &Device,
        slot: u8,
        key: &Key,
        pin_policy: u8,
        touch_policy: u8,
    ) -> Result<Attestation, Error> {
        let issuer = self.authorities.last().ok_or(Error::Crypto("a maker without authorities"))?;
        let f9 = device.f9(issuer)?;
        let leaf = device.leaf(&f9, slot, key.spki_der()?, pin_policy, touch_policy)?;
        Ok(Attestation {
            leaf,
            f9,
            leaf_signature: match device.f9_key.rsa_public() {
                Some(_) => SignAlg::RsaPkcs1Sha256,
                None => device.f9_key.default_alg(),
            },
            f9_signature: device.f9_signature,
            f9_key: Arc::clone(&device.f9_key),
            issuer_key: Arc::clone(&issuer.key),
            intermediates: self.authorities.iter().skip(1).rev().map(|each| each.der.clone()).collect(),
        })
    }
}

type Dates = (&'static str, &'static str);
const PIV_ROOT_DATES: Dates = ("2016-03-14T00:00:00Z", "2052-04-17T00:00:00Z");
const U2F_ROOT_DATES: Dates = ("2014-08-01T00:00:00Z", "2050-09-04T00:00:00Z");
const ROOT_1_DATES: Dates = ("2024-12-01T00:00:00Z", "9999-12-31T23:59:59Z");

/// A root of the time before 2024: basicConstraints not critical, no authority key identifier.
fn old_root(name: &str, text: Text, path_len: u8, dates: Dates) -> Result<Authority, Error> {
    let key = Key::shared(&format!("{FORMAT}: {name}"), KeyKind::Rsa2048)?;
    let mut root = Certificate::new(x509::name(&[("CN", text, name)])?, &key, dates.0, dates.1)?;
    root.serial = vec![path_len + 1];
    root.extensions = vec![
        x509::subject_key_identifier(&x509::key_id(&key)?),
        x509::basic_constraints(true, Some(path_len)),
        x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
    ];
    Authority::root(root, key, SignAlg::RsaPkcs1Sha256)
}

/// A root or intermediate of the 2024 hierarchy; the root signs itself with SHA-512.
fn new_authority(issuer: Option<&Authority>, name: &str, path_len: u8) -> Result<Authority, Error> {
    let key = Key::shared(&format!("{FORMAT}: {name}"), KeyKind::Rsa2048)?;
    let issuer_key = issuer.map_or(&key, |issuer| &issuer.key);
    let mut certificate = Certificate::new(x509::common_name(name)?, &key, ROOT_1_DATES.0, ROOT_1_DATES.1)?;
    certificate.serial = serial(name, 0x5f, 20);
    certificate.extensions = vec![
        x509::subject_key_identifier(&x509::key_id(&key)?),
        x509::authority_key_identifier(&x509::key_id(issuer_key)?),
        x509::basic_constraints(true, Some(path_len)).critical(),
        x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
    ];
    match issuer {
        None => Authority::root(certificate, key, SignAlg::RsaPkcs1Sha512),
        Some(issuer) => issuer.subordinate(certificate, key, SignAlg::RsaPkcs1Sha256),
    }
}

/// A serial number of this many octets with this first one.
fn serial(label: &str, first: u8, octets: usize) -> Vec<u8> {
    let mut serial = derived(label, octets);
    serial[0] = first;
    der::unsigned(&serial)
}

/// A YubiKey as its certificates describe it.
#[derive(Debug, Clone)]
pub struct Device {
    /// Firmware version: the octets of extension `.3.3` in leaf and F9.
    pub firmware: Vec<u8>,
    /// Serial number, `.3.7`; absent on some 4.3.x.
    pub serial: Option<u32>,
    /// Form factor, `.3.9`; absent on 4.x. Bit 0x80 says FIPS series.
    pub form_factor: Option<u8>,
    /// F9 has `.3.10` with this number.
    pub fips: Option<u8>,
    /// F9 has `.3.11` with this number. No device with it was seen: an INTEGER as in `.3.10` is a guess.
    pub cspn: Option<u8>,
    /// `Yubico PIV Attestation` or, on some 5.7.4, `YubiKey PIV Attestation`.
    pub f9_common_name: String,
    /// Whether F9 has basicConstraints; absent before 5.2.7.
    pub f9_basic_constraints: bool,
    /// The attestation key.
    pub f9_key: Arc<Key>,
    /// How the factory signed F9: RSA with SHA-256, on some 5.7.4 without NULL parameters.
    pub f9_signature: SignAlg,
}

impl Device {
    /// A device of this firmware as the factory made them: the attestation key is one for all devices of a batch.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(firmware: [u8; 3]) -> Result<Self, Error> {
        let batch = format!("{FORMAT}: F9 {}", hex::encode(firmware));
        Ok(Self {
            firmware: firmware.to_vec(),
            serial: Some(33_064_031),
            form_factor: (firmware[0] >= 5).then_some(3),
            fips: None,
            cspn: None,
            f9_common_name: "Yubico PIV Attestation".to_owned(),
            f9_basic_constraints: firmware >= [5, 2, 7],
            f9_key: Key::shared(&batch, KeyKind::Rsa2048)?,
            f9_signature: SignAlg::RsaPkcs1Sha256,
        })
    }

    fn f9(&self, issuer: &Authority) -> Result<Certificate, Error> {
        let mut f9 = Certificate::new(
            x509::common_name(&self.f9_common_name)?,
            &self.f9_key,
            &issuer.certificate.not_before,
            &issuer.certificate.not_after,
        )?;
        f9.issuer = issuer.certificate.subject.clone();
        // One key may be certified more than once, under either name.
        f9.serial = serial(&format!("{} {}", self.f9_common_name, hex::encode(&f9.spki)), 0xa4, 8);
        f9.extensions = vec![Extension::new(oid::FIRMWARE, self.firmware.clone())];
        f9.extensions.extend(self.fips.map(|number| Extension::new(oid::FIPS, der::integer(&[number]))));
        f9.extensions
            .extend(self.cspn.map(|number| Extension::new(oid::CSPN_OR_LEAF, der::integer(&[number]))));
        if self.f9_basic_constraints {
            f9.extensions.push(x509::basic_constraints(true, Some(0)).critical());
        }
        Ok(f9)
    }

    /// What the applet makes of the F9 certificate: its subject becomes the issuer, its dates are copied.
    fn leaf(
        &self,
        f9: &Certificate,
        slot: u8,
        spki: Vec<u8>,
        pin: u8,
        touch: u8,
    ) -> Result<Certificate, Error> {
        let mut leaf = Certificate {
            issuer: f9.subject.clone(),
            subject: x509::common_name(&format!("YubiKey PIV Attestation {slot:02x}"))?,
            spki,
            ..f9.clone()
        };
        // 5.x begins with 01; 4.x is any 128 bits, here with the top bit set.
        let first = if self.firmware.first() >= Some(&5) { 0x01 } else { 0x8c };
        leaf.serial = serial(&format!("{slot} {}", hex::encode(&leaf.spki)), first, 16);
        leaf.extensions = vec![Extension::new(oid::FIRMWARE, self.firmware.clone())];
        leaf.extensions
            .extend(self.serial.map(|serial| Extension::new(oid::SERIAL, der::integer_u32(serial))));
        leaf.extensions.push(Extension::new(oid::POLICY, [pin, touch]));
        leaf.extensions.extend(self.form_factor.map(|form| Extension::new(oid::FORM_FACTOR, [form])));
        Ok(leaf)
    }
}

/// PIN policies, first octet of `.3.8`.
pub mod pin {
    /// Never asked.
    pub const NEVER: u8 = 1;
    /// Once a session.
    pub const ONCE: u8 = 2;
    /// Before every use.
    pub const ALWAYS: u8 = 3;
    /// A biometric match or the PIN, once a session.
    pub const MATCH_ONCE: u8 = 4;
    /// A biometric match or the PIN before every use.
    pub const MATCH_ALWAYS: u8 = 5;
}

/// Touch policies, second octet of `.3.8`.
pub mod touch {
    /// Never asked.
    pub const NEVER: u8 = 1;
    /// Before every use.
    pub const ALWAYS: u8 = 2;
    /// Before a use, kept for 15 seconds.
    pub const CACHED: u8 = 3;
}

/// An attestation before its certificates are signed: change what the test is about, then [`Attestation::sign`].
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The slot certificate.
    pub leaf: Certificate,
    /// The F9 certificate.
    pub f9: Certificate,
    /// Algorithm of the leaf's signature.
    pub leaf_signature: SignAlg,
    /// Algorithm of F9's signature.
    pub f9_signature: SignAlg,
    /// The key that signs the leaf.
    pub f9_key: Arc<Key>,
    /// The key that signs F9.
    pub issuer_key: Arc<Key>,
    /// The intermediates above F9, its issuer first, without the root.
    pub intermediates: Vec<Vec<u8>>,
}

impl Attestation {
    /// Sign both certificates.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Signed, Error> {
        Ok(Signed {
            leaf: self.leaf.sign(&self.f9_key, self.leaf_signature)?,
            f9: self.f9.sign(&self.issuer_key, self.f9_signature)?,
            intermediates: self.intermediates.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::samples::subject_key;
    use super::*;

    fn signed(hierarchy: Hierarchy, device: &Device, kind: KeyKind) -> Signed {
        let maker = Maker::new(hierarchy).unwrap();
        let key = subject_key(kind).unwrap();
        maker.attest(device, 0x9a, &key, pin::ONCE, touch::NEVER).unwrap().sign().unwrap()
    }

    /// Content length of the outer SEQUENCE.
    fn content(der: &[u8]) -> usize {
        der.len() - 4
    }

    #[test]
    fn leaves_are_as_long_as_real_ones() {
        let fields = |serial, form| Device { serial, form_factor: form, ..Device::new([5, 4, 3]).unwrap() };
        let five = signed(Hierarchy::PivRoot, &fields(Some(15_732_500), Some(4)), KeyKind::P256);
        assert_eq!(content(&five.leaf), 597);
        let four = Device { serial: None, ..Device::new([4, 3, 7]).unwrap() };
        assert_eq!(content(&signed(Hierarchy::U2fRoot, &four, KeyKind::P256).leaf), 559);
        let roca = Device { serial: Some(5_250_272), ..Device::new([4, 3, 3]).unwrap() };
        let roca = signed(Hierarchy::PivRoot, &roca, KeyKind::Rsa2048);
        // The real one of this shape has no leading zero in its serial number.
        assert_eq!(content(&roca.leaf), 782 + 1);
    }

    #[test]
    fn f9_certificates_are_as_long_as_real_ones() {
        // Real length, plus what the emulated issuer's name differs in length.
        let f9 = |hierarchy, device: &Device| content(&signed(hierarchy, device, KeyKind::P256).f9);
        let five = Device::new([5, 4, 3]).unwrap();
        assert_eq!(f9(Hierarchy::PivRoot, &five) + 32, 762 + "keyvouch emulated PIV Root CA".len());
        let four = Device::new([4, 3, 7]).unwrap();
        assert_eq!(f9(Hierarchy::U2fRoot, &four) + 35, 745 + "keyvouch emulated U2F Root CA".len());
        let no_null =
            Device { f9_signature: SignAlg::RsaPkcs1Sha256NoNull, ..Device::new([5, 7, 4]).unwrap() };
        assert_eq!(f9(Hierarchy::Root1, &no_null) + 26, 752 + "Yubico PIV Attestation emulated 1".len());
    }

    #[test]
    fn a_template_can_be_spoilt_before_signing() {
        let maker = Maker::new(Hierarchy::PivRoot).unwrap();
        let key = subject_key(KeyKind::P256).unwrap();
        let device = Device::new([5, 4, 3]).unwrap();
        let mut attestation = maker.attest(&device, 0x9a, &key, pin::ONCE, touch::NEVER).unwrap();
        let honest = attestation.sign().unwrap();
        attestation.leaf.extension_mut(oid::FIRMWARE).unwrap().value = vec![5, 4, 3, 0];
        attestation.f9.remove_extension(oid::FIRMWARE);
        let spoilt = attestation.sign().unwrap();
        assert_eq!(spoilt.leaf.len(), honest.leaf.len() + 1);
        assert_eq!(spoilt.f9.len() + 19, honest.f9.len());
    }

    #[test]
    fn the_template_agrees_with_what_a_request_carries() {
        let key = subject_key(KeyKind::P256).unwrap();
        let signed = signed(Hierarchy::PivRoot, &Device::new([5, 4, 3]).unwrap(), KeyKind::P256);
        let request = signed.request(&key, oid::LEAF_IN_REQUEST).unwrap();
        let request = request.sign(&key, SignAlg::EcdsaSha256).unwrap();
        let holds = |part: &[u8]| request.windows(part.len()).any(|window| window == part);
        assert!(holds(&signed.leaf) && holds(&signed.f9));
    }
}
