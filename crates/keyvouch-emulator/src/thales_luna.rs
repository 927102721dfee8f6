//! Thales Luna public key confirmations (PKC): the certificate that the HSM issues for one of its keys, with its chain.
//!
//! Sources: Thales Luna documentation, "Verifying the HSM's Authenticity"; github.com/ThalesGroup/luna-pkc-validator.
//! Names, dates, string types, extension order and the ways in which a Luna departs from DER are those of real PKCs;
//! only the roots have names that no real one has, and RSA authorities have 2048 bits, to be quick.

mod samples;

pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::x509::{self, Authority, Certificate, Extension, Text, usage};
use crate::{Error, File, cms, der, pem};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "thales-luna";

/// Object identifiers of the vendor arc.
pub mod oid {
    /// Purpose: RSA root.
    pub const ROOT: &str = "1.3.6.1.4.1.12383.1.1";
    /// Purpose: manufacturing integrity certificate.
    pub const MIC: &str = "1.3.6.1.4.1.12383.1.7";
    /// Purpose: hardware origin certificate.
    pub const HOC: &str = "1.3.6.1.4.1.12383.1.8";
    /// Purpose: device authentication certificate.
    pub const DAC: &str = "1.3.6.1.4.1.12383.1.12";
    /// Purpose: public key confirmation.
    pub const PKC: &str = "1.3.6.1.4.1.12383.1.13";
    /// Purpose: ECC root.
    pub const ECC_ROOT: &str = "1.3.6.1.4.1.12383.1.14";
    /// Purpose: ECC hardware origin certificate.
    pub const ECC_HOC: &str = "1.3.6.1.4.1.12383.1.15";
    /// Serial number of the HSM: four octets, little-endian.
    pub const SERIAL: &str = "1.3.6.1.4.1.12383.2.1";
    /// Firmware: minor, then major, two octets each, little-endian.
    pub const FIRMWARE: &str = "1.3.6.1.4.1.12383.2.3";
    /// A word of unknown meaning.
    pub const HARDWARE: &str = "1.3.6.1.4.1.12383.2.4";
    /// Four flags of unknown meaning, BIT STRING.
    pub const FLAGS: &str = "1.3.6.1.4.1.12383.2.5";
    /// A word of unknown meaning in hardware origin certificates.
    pub const HOC_6: &str = "1.3.6.1.4.1.12383.2.6";
    /// Another.
    pub const HOC_7: &str = "1.3.6.1.4.1.12383.2.7";
    /// extKeyUsage.
    pub const PURPOSE: &str = "2.5.29.37";
    /// basicConstraints.
    pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    /// keyUsage.
    pub const KEY_USAGE: &str = "2.5.29.15";
}

type Dates = (&'static str, &'static str);
const RSA_DATES: Dates = ("2020-03-01T00:00:00Z", "2032-05-05T00:00:00Z");
const RSA_ROOT_DATES: Dates = ("2002-01-01T00:00:00Z", "2032-01-01T00:00:00Z");
const ECC_DATES: Dates = ("2010-08-12T15:23:06Z", "2030-08-12T15:23:06Z");

/// A name of PrintableStrings, one attribute an RDN.
///
/// # Errors
/// [`Error::Oid`].
pub fn printable(parts: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
    let parts: Vec<_> = parts.iter().map(|(kind, value)| (*kind, Text::Printable, *value)).collect();
    x509::name(&parts)
}

/// The maker: a throw-away root of each kind.
#[derive(Debug, Clone)]
pub struct Maker {
    /// Root of RSA chains, e = 3, self-signed with SHA-384 as its newer certificate is.
    pub root: Authority,
    /// The older certificate of the same key, self-signed with SHA-1: the one in PKCs.
    pub old_root: Vec<u8>,
    /// Root of ECC chains.
    pub ecc_root: Authority,
}

impl Maker {
    /// A maker. Its keys are the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        Self::with_keys(
            &Key::shared("thales-luna: root", KeyKind::Rsa2048Exponent3)?,
            &Key::shared("thales-luna: ECC root", KeyKind::P384)?,
        )
    }

    /// A maker of the same names with other keys.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn with_keys(rsa: &Arc<Key>, ecc: &Arc<Key>) -> Result<Self, Error> {
        let name = printable(&[
            ("C", "CA"),
            ("ST", "Ontario"),
            ("L", "Ottawa"),
            ("O", "keyvouch emulated"),
            ("CN", "keyvouch emulated Luna Root"),
        ])?;
        let mut root = Certificate::new(name, rsa, RSA_ROOT_DATES.0, RSA_ROOT_DATES.1)?;
        root.serial = der::unsigned(&[0x80, 0x45, 0, 0, 0, 0x0d]);
        root.extensions = vec![purpose(oid::ROOT)?];
        let old = Certificate { serial: der::unsigned(&[0x80, 0x45, 0, 0, 0, 0x07]), ..root.clone() };
        let old_root = old.sign(rsa, SignAlg::RsaPkcs1Sha1)?;
        let root = Authority::root(root, Arc::clone(rsa), SignAlg::RsaPkcs1Sha384)?;

        let name = printable(&[
            ("C", "US"),
            ("O", "keyvouch emulated"),
            ("OU", "Luna Manufacturer Integrity ECC"),
            ("CN", "keyvouch emulated ECC Manufacturer Integrity Module "),
        ])?;
        let mut ecc_root = Certificate::new(name, ecc, ECC_DATES.0, ECC_DATES.1)?;
        ecc_root.serial = vec![0x04, 0x99, 0x58, 0, 0, 0, 0];
        ecc_root.extensions = vec![
            purpose(oid::ECC_ROOT)?,
            x509::authority_key_identifier(&key_id(ecc)?),
            x509::subject_key_identifier(&key_id(ecc)?),
            x509::certificate_policies(&["1.2.276.0.44.1.1.3.2.8"])?,
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
        ];
        let ecc_root = Authority::root(ecc_root, Arc::clone(ecc), SignAlg::EcdsaSha384Null)?;
        Ok(Self { root, old_root, ecc_root })
    }

    /// Both roots as PEM files, for the verifier as operator anchors.
    pub fn anchors(&self) -> Vec<File> {
        let file = |name: &str, root: &Authority| File::new(name, pem::certificate(&root.der));
        vec![file("root.pem", &self.root), file("ecc-root.pem", &self.ecc_root)]
    }

    /// The PKC of a key of this device, by the type that goes with the key, not yet signed.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn confirm(&self, device: &Device, key: &Key) -> Result<Confirmation, Error> {
        match key.rsa_public() {
            Some(_) => self.confirm_rsa(device, key),
            None => self.confirm_ecc(device, key),
        }
    }

    fn confirm_rsa(&self, device: &Device, key: &Key) -> Result<Confirmation, Error> {
        let authority = |name| Key::shared(&format!("{FORMAT}: {name}"), KeyKind::Rsa2048);
        let (mic_key, hoc_key, dac_key) = (authority("MIC")?, authority("HOC")?, authority("DAC")?);
        let mic_name = printable(&[
            ("C", "CA"),
            ("ST", "Ontario"),
            ("L", "Ottawa"),
            ("O", "Thales Canada"),
            ("OU", "HSM Engineering"),
            ("CN", "keyvouch emulated Mfg Integrity Certificate"),
        ])?;
        let hoc_name = printable(&[("CN", "Hardware Origin Certificate")])?;
        let model_and_serial = format!("{}-{}", device.model, device.serial);
        let dac_name = printable(&[
            ("C", "CA"),
            ("O", "Chrysalis-ITS"),
            ("OU", "Chrysalis-ITS DeviceAuthenticationCertificate"),
            ("CN", &model_and_serial),
        ])?;
        let pkc_name = printable(&[("OU", "Chrysalis-ITS Proof of Origin"), ("CN", &device.ouid(key)?)])?;
        let new = |name: &[u8], key: &Key, issuer: &[u8], extensions| -> Result<Certificate, Error> {
            let mut certificate = Certificate::new(name.to_vec(), key, RSA_DATES.0, RSA_DATES.1)?;
            certificate.serial = der::unsigned(&derived(&hex::encode(&certificate.spki), 8));
            certificate.issuer = issuer.to_vec();
            certificate.extensions = extensions;
            Ok(certificate)
        };
        let device_words =
            [word(oid::SERIAL, device.serial), word(oid::FIRMWARE, device.firmware), word(oid::HARDWARE, 2)];
        let mut pkc = vec![purpose(oid::PKC)?, x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical()];
        pkc.extend(device_words.clone());
        pkc.push(Extension::new(oid::FLAGS, device.flags.clone()).with_default_written());
        let mut dac = vec![purpose(oid::DAC)?, issuer_usage()];
        dac.extend(device_words);
        dac.push(x509::basic_constraints(true, None).critical());
        let hoc = vec![
            purpose(oid::HOC)?,
            issuer_usage(),
            word(oid::HOC_6, 0),
            word(oid::HOC_7, 10),
            x509::basic_constraints(true, None).critical(),
        ];
        let mic = vec![purpose(oid::MIC)?, issuer_usage(), x509::basic_constraints(true, None).critical()];
        let mut hoc = new(&hoc_name, &hoc_key, &mic_name, hoc)?;
        hoc.serial = device.hoc_serial();
        let link = |certificate, signer: &Arc<Key>| Link {
            certificate,
            signer: Arc::clone(signer),
            algorithm: SignAlg::RsaPkcs1Sha384,
        };
        Ok(Confirmation {
            links: vec![
                link(new(&pkc_name, key, &dac_name, pkc)?, &dac_key),
                link(new(&dac_name, &dac_key, &hoc_name, dac)?, &hoc_key),
                link(hoc, &mic_key),
                link(new(&mic_name, &mic_key, &self.root.certificate.subject, mic)?, &self.root.key),
            ],
            root: Some(self.old_root.clone()),
        })
    }

    fn confirm_ecc(&self, device: &Device, key: &Key) -> Result<Confirmation, Error> {
        let hoc_key = Key::shared("thales-luna: ECC HOC", KeyKind::P384)?;
        let hoc_name = printable(&[
            ("C", "US"),
            ("O", "SafeNet, Inc."),
            ("OU", "Luna Module Hardware Origin"),
            ("CN", &device.serial.to_string()),
        ])?;
        let pkc_name =
            printable(&[("O", "SafeNet, Inc."), ("OU", "Luna Module"), ("CN", &device.ouid(key)?)])?;
        let mut pkc = Certificate::new(pkc_name, key, ECC_DATES.0, ECC_DATES.1)?;
        pkc.serial = der::unsigned(&derived(&hex::encode(&pkc.spki), 8));
        pkc.issuer = hoc_name.clone();
        pkc.extensions = vec![
            purpose(oid::PKC)?,
            x509::authority_key_identifier(&key_id(&hoc_key)?),
            x509::subject_key_identifier(&key_id(key)?),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
            word(oid::SERIAL, device.serial),
        ];
        let mut hoc = Certificate::new(hoc_name, &hoc_key, ECC_DATES.0, ECC_DATES.1)?;
        hoc.serial = device.hoc_serial();
        hoc.issuer = self.ecc_root.certificate.subject.clone();
        hoc.extensions = vec![
            purpose(oid::ECC_HOC)?,
            x509::authority_key_identifier(&key_id(&self.ecc_root.key)?),
            x509::subject_key_identifier(&key_id(&hoc_key)?),
            issuer_usage(),
            word(oid::HOC_6, 0),
            word(oid::HOC_7, 10),
            x509::basic_constraints(true, None).critical(),
        ];
        let root_key = Arc::clone(&self.ecc_root.key);
        Ok(Confirmation {
            links: vec![
                Link { certificate: pkc, signer: hoc_key, algorithm: SignAlg::EcdsaSha384NullFixed },
                Link { certificate: hoc, signer: root_key, algorithm: SignAlg::EcdsaSha384Null },
            ],
            root: Some(self.ecc_root.der.clone()),
        })
    }
}

/// A Luna as its certificates describe it.
#[derive(Debug, Clone)]
pub struct Device {
    /// What stands before the serial number in the name of the DAC.
    pub model: String,
    /// Serial number.
    pub serial: u32,
    /// Firmware: major in the upper half, minor in the lower; 0x0007_0054 is displayed as 7.8.4.
    pub firmware: u32,
    /// Content of the flags extension.
    pub flags: Vec<u8>,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            model: "Luna K7".to_owned(),
            serial: 600_123,
            firmware: 0x0007_0054,
            flags: vec![0x03, 0x02, 0x04, 0xf0],
        }
    }
}

impl Device {
    /// Object unique id of a key: a counter, a word of unknown meaning, the serial number.
    fn ouid(&self, key: &Key) -> Result<String, Error> {
        let counter = derived(&hex::encode(key.spki_der()?), 4);
        Ok(hex::encode([&counter[..], &[0xae, 0, 0, 2], &self.serial.to_le_bytes()].concat()))
    }

    fn hoc_serial(&self) -> Vec<u8> {
        [&[0x20, 0x04, 0xee, 0x1d], &self.serial.to_be_bytes()[..]].concat()
    }
}

/// One purpose, critical.
///
/// # Errors
/// [`Error::Oid`].
pub fn purpose(oid: &str) -> Result<Extension, Error> {
    Ok(x509::extended_key_usage(&[oid])?.critical())
}

/// A raw little-endian word, not critical, and that written out.
pub fn word(oid: &str, value: u32) -> Extension {
    Extension::new(oid, value.to_le_bytes()).with_default_written()
}

fn issuer_usage() -> Extension {
    x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical()
}

/// A key identifier of 32 octets; how a Luna computes it is not known.
fn key_id(key: &Key) -> Result<Vec<u8>, Error> {
    Ok(derived(&hex::encode(key.spki_der()?), 32))
}

/// A certificate of the chain before it is signed.
#[derive(Debug, Clone)]
pub struct Link {
    /// The certificate.
    pub certificate: Certificate,
    /// The key that signs it.
    pub signer: Arc<Key>,
    /// How.
    pub algorithm: SignAlg,
}

/// A PKC before its certificates are signed: change what the test is about, then [`Confirmation::sign`].
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// PKC first, up to below the root.
    pub links: Vec<Link>,
    /// The root's certificate at the end, which gives no trust.
    pub root: Option<Vec<u8>>,
}

impl Confirmation {
    /// Sign every certificate: DER, PKC first.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Vec<Vec<u8>>, Error> {
        let sign = |link: &Link| link.certificate.sign(&link.signer, link.algorithm);
        self.links.iter().map(sign).chain(self.root.clone().map(Ok)).collect()
    }

    /// Sign, again and again until the PKC's signature is one that `wanted` takes: r and s are random.
    ///
    /// # Errors
    /// As [`Certificate::sign`]; [`Error::Crypto`] after many attempts.
    pub fn sign_until(&self, wanted: impl Fn(&[u8], &[u8]) -> bool) -> Result<Vec<Vec<u8>>, Error> {
        let leaf = self.links.first().ok_or(Error::Crypto("a chain without PKC"))?;
        let mut certificates = self.sign()?;
        for _ in 0..20_000 {
            // The signature ends the certificate: two INTEGERs of 48 octets.
            let (_, numbers) = certificates[0].split_at(certificates[0].len() - 98);
            if wanted(&numbers[..48], &numbers[50..]) {
                return Ok(certificates);
            }
            certificates[0] = leaf.certificate.sign(&leaf.signer, leaf.algorithm)?;
        }
        Err(Error::Crypto("no such signature came"))
    }

    /// Sign, and put into the certs-only PKCS#7 file that `cmu getpkc` writes.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn p7b(&self) -> Result<Vec<u8>, Error> {
        cms::certs_only(&self.sign()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(kind: KeyKind) -> Vec<usize> {
        let key = Key::shared("thales-luna: subscriber", kind).unwrap();
        let device = Device { serial: 521_174, ..Device::default() };
        let confirmation = Maker::new().unwrap().confirm(&device, &key).unwrap();
        let tbs = |link: &Link| link.certificate.tbs(link.algorithm).unwrap().len() - 4;
        let without_serial = |link: &Link| tbs(link) - link.certificate.serial.len();
        confirmation.links.iter().map(without_serial).collect()
    }

    #[test]
    fn signed_parts_are_as_long_as_real_ones() {
        // Real lengths without serial numbers, the RSA authorities 256 octets shorter with their 2048-bit keys.
        let rsa = lengths(KeyKind::Rsa2048);
        assert_eq!(rsa[..2], [689 - 9, 901 - 9 - 256]);
        assert_eq!(lengths(KeyKind::P256)[0], 487 - 9);
    }

    #[test]
    fn signatures_come_in_every_form() {
        let key = Key::shared("thales-luna: subscriber", KeyKind::P256).unwrap();
        let confirmation = Maker::new().unwrap().confirm(&Device::default(), &key).unwrap();
        for (r_high, s_high) in [(false, false), (false, true), (true, false), (true, true)] {
            let wanted = |r: &[u8], s: &[u8]| (r[0] >= 0x80) == r_high && (s[0] >= 0x80) == s_high;
            assert_eq!(confirmation.sign_until(wanted).unwrap().len(), 3);
        }
    }
}
