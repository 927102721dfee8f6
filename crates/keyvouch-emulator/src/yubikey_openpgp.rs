//! YubiKey OpenPGP attestation: the certificate that the applet makes for a key, under the ATT certificate of the
//! factory.
//!
//! Source of the extension numbers and of the procedure: developers.yubico.com, "OpenPGP Attestation", and
//! docs.yubico.com, "OpenPGP Attestation OID Arc". The certificates have the names, serial lengths and extension order
//! of factory devices; only the roots and the intermediates have names that no real one has.

mod samples;

pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::x509::{self, Authority, Certificate, Extension, usage};
use crate::yubikey_piv::{self, Hierarchy};
use crate::{Error, File, der, openpgp, pem};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "yubikey-openpgp";

/// Object identifiers of the vendor arc.
pub mod oid {
    /// Cardholder's name, UTF8String.
    pub const CARDHOLDER: &str = "1.3.6.1.4.1.41482.5.1";
    /// Source of the key, INTEGER: 0 imported, 1 generated.
    pub const SOURCE: &str = "1.3.6.1.4.1.41482.5.2";
    /// Firmware version, OCTET STRING of three octets.
    pub const FIRMWARE: &str = "1.3.6.1.4.1.41482.5.3";
    /// OpenPGP fingerprint, OCTET STRING of 20 octets.
    pub const FINGERPRINT: &str = "1.3.6.1.4.1.41482.5.4";
    /// Creation time of the key, OCTET STRING of four octets.
    pub const CREATED: &str = "1.3.6.1.4.1.41482.5.5";
    /// Signature counter, INTEGER; SIG only.
    pub const COUNTER: &str = "1.3.6.1.4.1.41482.5.6";
    /// Serial number, INTEGER.
    pub const SERIAL: &str = "1.3.6.1.4.1.41482.5.7";
    /// User interaction flag (touch), OCTET STRING of one octet.
    pub const TOUCH: &str = "1.3.6.1.4.1.41482.5.8";
    /// Form factor, OCTET STRING of one octet.
    pub const FORM_FACTOR: &str = "1.3.6.1.4.1.41482.5.9";
    /// FIPS series; seen nowhere, here in ATT as in PIV.
    pub const FIPS: &str = "1.3.6.1.4.1.41482.5.10";
    /// CSPN series; seen nowhere, here in ATT as in PIV.
    pub const CSPN: &str = "1.3.6.1.4.1.41482.5.11";
}

/// The maker: a throw-away hierarchy.
#[derive(Debug, Clone)]
pub struct Maker {
    /// Root first, issuer of ATT certificates last.
    pub authorities: Vec<Authority>,
}

impl Maker {
    /// The maker of devices with firmware before 5.7.4: ATT directly under the root.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn old() -> Result<Self, Error> {
        let name = "keyvouch emulated OpenPGP Attestation CA";
        let key = Key::shared(&format!("{FORMAT}: {name}"), KeyKind::Rsa2048)?;
        let (from, to) = ("2019-08-01T00:00:00Z", "2046-12-17T00:00:00Z");
        let mut root = Certificate::new(x509::common_name(name)?, &key, from, to)?;
        root.serial = serial(name, 0xdd, 8);
        root.extensions = vec![
            x509::subject_key_identifier(&x509::key_id(&key)?),
            x509::authority_key_identifier(&x509::key_id(&key)?),
            x509::basic_constraints(true, Some(1)).critical(),
            x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
        ];
        Ok(Self { authorities: vec![Authority::root(root, key, SignAlg::RsaPkcs1Sha256)?] })
    }

    /// The maker of devices with firmware 5.7.4 and later: ATT under two intermediates. Root and first intermediate
    /// are those of the emulated PIV devices.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        Self::of_application("OPGP")
    }

    /// The same whose last intermediate is for another application (`PIV`, `FIDO`).
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn of_application(application: &str) -> Result<Self, Error> {
        let maker = yubikey_piv::Maker::of_application(Hierarchy::Root1, application)?;
        Ok(Self { authorities: maker.authorities })
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

    /// The leaf and the ATT certificate of a device, not yet signed.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn attest(&self, device: &Device, attested: &Attested) -> Result<Attestation, Error> {
        let issuer = self.authorities.last().ok_or(Error::Crypto("a maker without authorities"))?;
        let att = device.att(issuer)?;
        let leaf = device.leaf(&att, attested)?;
        Ok(Attestation {
            leaf,
            att,
            leaf_signature: device.att_key.default_alg(),
            att_signature: device.att_signature,
            att_key: Arc::clone(&device.att_key),
            issuer_key: Arc::clone(&issuer.key),
            intermediates: self.authorities.iter().skip(1).rev().map(|each| each.der.clone()).collect(),
        })
    }
}

/// A serial number of this many octets with this first one.
fn serial(label: &str, first: u8, octets: usize) -> Vec<u8> {
    let mut serial = derived(label, octets);
    serial[0] = first;
    der::unsigned(&serial)
}

/// A key in the OpenPGP applet.
#[derive(Debug, Clone)]
pub struct Attested {
    /// `SIG`, `DEC` or `AUT`.
    pub slot: &'static str,
    /// The key.
    pub key: Arc<Key>,
    /// 0 imported, 1 generated.
    pub source: u8,
    /// User interaction flag, see [`touch`].
    pub touch: u8,
    /// Signature counter; written for SIG only.
    pub counter: u32,
    /// Creation time in Unix seconds.
    pub created: u32,
    /// Cardholder's name.
    pub cardholder: String,
}

impl Attested {
    /// A key that was generated in the device, has signed nothing, and needs no touch.
    pub fn new(slot: &'static str, key: &Arc<Key>) -> Self {
        Self {
            slot,
            key: Arc::clone(key),
            source: 1,
            touch: touch::OFF,
            counter: 0,
            // 2026-05-01T00:00:00Z
            created: 1_777_593_600,
            cardholder: String::new(),
        }
    }
}

/// User interaction flags.
pub mod touch {
    /// No touch.
    pub const OFF: u8 = 0;
    /// Touch; can be turned off.
    pub const ON: u8 = 1;
    /// Touch as long as the key lives.
    pub const FIXED: u8 = 2;
    /// Touch, kept for 15 seconds; can be turned off.
    pub const CACHED: u8 = 3;
    /// Touch, kept for 15 seconds, as long as the key lives.
    pub const CACHED_FIXED: u8 = 4;
}

/// A YubiKey as its certificates describe it.
#[derive(Debug, Clone)]
pub struct Device {
    /// Firmware version: the octets of extension `.5.3` in leaf and ATT.
    pub firmware: Vec<u8>,
    /// Serial number.
    pub serial: u32,
    /// Form factor. Bit 0x80 says FIPS series.
    pub form_factor: u8,
    /// ATT has `.5.10`.
    pub fips: bool,
    /// ATT has `.5.11`.
    pub cspn: bool,
    /// Common name of ATT: with a small k on some firmware.
    pub att_common_name: String,
    /// The attestation key.
    pub att_key: Arc<Key>,
    /// How the factory signed ATT.
    pub att_signature: SignAlg,
}

impl Device {
    /// A device of this firmware as the factory made them.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(firmware: [u8; 3]) -> Result<Self, Error> {
        let batch = format!("{FORMAT}: ATT {}", hex::encode(firmware));
        let name = if firmware < [5, 7, 4] { "Yubikey OPGP Attestation" } else { "YubiKey OPGP Attestation" };
        Ok(Self {
            firmware: firmware.to_vec(),
            serial: 15_422_467,
            form_factor: 3,
            fips: false,
            cspn: false,
            att_common_name: name.to_owned(),
            att_key: Key::shared(&batch, KeyKind::Rsa2048)?,
            att_signature: SignAlg::RsaPkcs1Sha256,
        })
    }

    fn att(&self, issuer: &Authority) -> Result<Certificate, Error> {
        let mut att = Certificate::new(
            x509::common_name(&self.att_common_name)?,
            &self.att_key,
            &issuer.certificate.not_before,
            &issuer.certificate.not_after,
        )?;
        att.issuer = issuer.certificate.subject.clone();
        att.serial = serial(&format!("{} {}", self.att_common_name, hex::encode(&att.spki)), 0xdd, 8);
        att.extensions = vec![Extension::new(oid::FIRMWARE, der::octet_string(&self.firmware))];
        if self.fips {
            att.extensions.push(Extension::new(oid::FIPS, der::octet_string(&[1])));
        }
        if self.cspn {
            att.extensions.push(Extension::new(oid::CSPN, der::octet_string(&[1])));
        }
        att.extensions.extend([
            x509::subject_key_identifier(&x509::key_id(&self.att_key)?),
            x509::authority_key_identifier(&x509::key_id(&issuer.key)?),
            x509::basic_constraints(true, Some(0)).critical(),
        ]);
        Ok(att)
    }

    /// What the applet makes of the ATT certificate: its subject becomes the issuer, its dates are copied.
    fn leaf(&self, att: &Certificate, attested: &Attested) -> Result<Certificate, Error> {
        let body = openpgp::key_body(&attested.key, attested.created, attested.slot == "DEC")?;
        let mut leaf = Certificate {
            issuer: att.subject.clone(),
            subject: x509::common_name(&format!("YubiKey OPGP Attestation {}", attested.slot))?,
            spki: attested.key.spki_der()?,
            ..att.clone()
        };
        leaf.serial = serial(&format!("{} {}", attested.slot, hex::encode(&leaf.spki)), 0x01, 16);
        let mut add = |oid: &str, value: Vec<u8>| leaf.extensions.push(Extension::new(oid, value));
        add(oid::FIRMWARE, der::octet_string(&self.firmware));
        add(oid::SERIAL, der::integer_u32(self.serial));
        add(oid::TOUCH, der::octet_string(&[attested.touch]));
        add(oid::FORM_FACTOR, der::octet_string(&[self.form_factor]));
        add(oid::CARDHOLDER, der::utf8_string(&attested.cardholder));
        add(oid::FINGERPRINT, der::octet_string(&openpgp::fingerprint(&body)?));
        add(oid::CREATED, der::octet_string(&attested.created.to_be_bytes()));
        if attested.slot == "SIG" {
            add(oid::COUNTER, der::integer_u32(attested.counter));
        }
        add(oid::SOURCE, der::integer(&[attested.source]));
        // What the template had stands before; the applet copies none of it.
        leaf.extensions.drain(..att.extensions.len());
        Ok(leaf)
    }
}

/// An attestation before its certificates are signed: change what the test is about, then [`Attestation::sign`].
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The leaf.
    pub leaf: Certificate,
    /// The ATT certificate.
    pub att: Certificate,
    /// Algorithm of the leaf's signature.
    pub leaf_signature: SignAlg,
    /// Algorithm of ATT's signature.
    pub att_signature: SignAlg,
    /// The key that signs the leaf.
    pub att_key: Arc<Key>,
    /// The key that signs ATT.
    pub issuer_key: Arc<Key>,
    /// The intermediates above ATT, its issuer first, without the root.
    pub intermediates: Vec<Vec<u8>>,
}

/// The certificates of an attestation, DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The leaf.
    pub leaf: Vec<u8>,
    /// The ATT certificate.
    pub att: Vec<u8>,
    /// The intermediates above ATT, its issuer first, without the root.
    pub intermediates: Vec<Vec<u8>>,
}

impl Attestation {
    /// Sign both certificates.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Signed, Error> {
        Ok(Signed {
            leaf: self.leaf.sign(&self.att_key, self.leaf_signature)?,
            att: self.att.sign(&self.issuer_key, self.att_signature)?,
            intermediates: self.intermediates.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_as_long_as_real_ones() {
        let key = Key::shared("yubikey-openpgp: lengths", KeyKind::Ed25519).unwrap();
        let old = Device::new([5, 2, 7]).unwrap();
        let mut attested = Attested { touch: touch::FIXED, counter: 1, ..Attested::new("SIG", &key) };
        attested.cardholder = "A name of 20 octets.".to_owned();
        let signed = Maker::old().unwrap().attest(&old, &attested).unwrap().sign().unwrap();
        // Real: 825 octets of content under an issuer whose name has 29.
        assert_eq!(signed.att.len() - 4 + 29, 825 + "keyvouch emulated OpenPGP Attestation CA".len());
        let new = Device { serial: 35_718_625, form_factor: 1, ..Device::new([5, 7, 4]).unwrap() };
        let attested = Attested { counter: 6, ..Attested::new("SIG", &key) };
        let signed = Maker::new().unwrap().attest(&new, &attested).unwrap().sign().unwrap();
        assert_eq!(signed.leaf.len() - 4, 677);
    }
}
