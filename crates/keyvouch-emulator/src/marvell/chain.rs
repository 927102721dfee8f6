//! The manufacturer's certificates: root, card, partition. They break the web's rules: the card certificate is v1,
//! the partition certificate v3 without extensions, and serial numbers repeat.

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::x509::{self, Authority, Certificate, Text, usage};
use crate::{Error, der};
use std::sync::Arc;

const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;

/// The manufacturer: one root key and name, certified twice.
#[derive(Debug, Clone)]
pub struct Maker {
    /// The certificate in force: v3 with serial number 0, 2024 to 2034.
    pub root: Authority,
    /// The first certificate of the same name and key: v1, 2015 to 2025.
    pub expired_root: Authority,
}

impl Maker {
    /// A throw-away manufacturer. Its key is the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        Self::named("keyvouch emulated LiquidSecurity root")
    }

    /// One of this name: different names have different keys.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn named(common_name: &str) -> Result<Self, Error> {
        let key = Key::shared(&format!("marvell: {common_name}"), KeyKind::Rsa2048)?;
        let name = x509::name(&[
            ("C", Text::Printable, "US"),
            ("ST", Text::Utf8, "California"),
            ("L", Text::Utf8, "San Jose"),
            ("O", Text::Utf8, "keyvouch"),
            ("OU", Text::Utf8, "LiquidSecurity"),
            ("CN", Text::Utf8, common_name),
        ])?;
        let mut root = Certificate::new(name.clone(), &key, "2024-07-25T20:29:20Z", "2034-07-23T20:29:20Z")?;
        root.serial = vec![0];
        root.extensions = vec![
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN]).critical(),
            x509::basic_constraints(true, None),
        ];
        let mut old = Certificate::new(name, &key, "2015-11-19T13:55:25Z", "2025-11-16T13:55:25Z")?;
        old.version = 1;
        old.serial = long_serial(0xc0, common_name);
        Ok(Self {
            root: Authority::root(root, Arc::clone(&key), ALG)?,
            expired_root: Authority::root(old, key, ALG)?,
        })
    }

    /// A card with one partition.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn hsm(&self, card_serial: &str, mode: Mode) -> Result<Hsm, Error> {
        let card_key = Key::shared(&format!("marvell: card {card_serial}"), KeyKind::Rsa2048)?;
        let partition_key = Key::shared(&format!("marvell: partition {card_serial}"), KeyKind::Rsa2048)?;
        let name = device_name(&common_name(card_serial, None, mode))?;
        let mut card = Certificate::new(name, &card_key, "2018-04-19T20:05:17Z", "2028-04-16T20:05:17Z")?;
        card.version = 1;
        card.issuer = self.root.certificate.subject.clone();
        card.serial = long_serial(0xdd, card_serial);
        let name = device_name(&common_name(card_serial, Some(1), mode))?;
        let mut partition =
            Certificate::new(name, &partition_key, "2018-09-21T21:21:36Z", "2028-09-18T21:21:36Z")?;
        partition.issuer = card.subject.clone();
        partition.serial = vec![1];
        Ok(Hsm { root: self.root.clone(), card, card_key, partition, partition_key })
    }
}

fn long_serial(first: u8, label: &str) -> Vec<u8> {
    let mut serial = derived(label, 8);
    serial[0] = first;
    der::unsigned(&serial)
}

/// The mode word in the names of card and partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `for FIPS mode`.
    Fips,
    /// `for non-FIPS mode`.
    NonFips,
}

/// `HSM:<serial>, for FIPS mode` or `HSM:<serial>:PARTN:<n>, for FIPS mode`.
pub fn common_name(serial: &str, partition: Option<u32>, mode: Mode) -> String {
    let partition = partition.map(|number| format!(":PARTN:{number}")).unwrap_or_default();
    let mode = match mode {
        Mode::Fips => "FIPS",
        Mode::NonFips => "non-FIPS",
    };
    format!("HSM:{serial}{partition}, for {mode} mode")
}

/// DER Name of a card or partition: one RDN of five attributes, then the common name.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn device_name(common_name: &str) -> Result<Vec<u8>, Error> {
    Ok(der::sequence(&[
        x509::rdn(&[
            ("C", Text::Printable, "US"),
            ("ST", Text::Utf8, "CA"),
            ("O", Text::Utf8, "Cavium"),
            ("OU", Text::Utf8, "N3FIPS"),
            ("L", Text::Utf8, "SanJose"),
        ])?,
        x509::rdn(&[("CN", Text::Utf8, common_name)])?,
    ]))
}

/// A card with one partition; its certificates are not yet signed.
#[derive(Debug, Clone)]
pub struct Hsm {
    /// The manufacturer's root, whose key signs the card certificate.
    pub root: Authority,
    /// Card certificate.
    pub card: Certificate,
    /// Card key, which signs the partition certificate.
    pub card_key: Arc<Key>,
    /// Partition certificate.
    pub partition: Certificate,
    /// Partition key, which signs attestations.
    pub partition_key: Arc<Key>,
}

impl Hsm {
    /// Sign the certificates.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Chain, Error> {
        Ok(Chain {
            root: self.root.der.clone(),
            card: self.card.sign(&self.root.key, ALG)?,
            partition: self.partition.sign(&self.card_key, ALG)?,
        })
    }
}

/// The manufacturer's certificates of one partition, DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Root.
    pub root: Vec<u8>,
    /// Card.
    pub card: Vec<u8>,
    /// Partition.
    pub partition: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_as_long_as_real_ones() {
        // The serial number has as many characters as the real one's.
        let hsm = Maker::new().unwrap().hsm("5.2G1804-EMU000678", Mode::Fips).unwrap();
        let chain = hsm.sign().unwrap();
        assert_eq!(chain.partition.len() - 4, 877);
        // "Cavium, Inc." and the host name in the real root's name are 12 and 33 long.
        let name = "keyvouch".len() + "keyvouch emulated LiquidSecurity root".len();
        assert_eq!(chain.card.len() - 4 + 12 + 33, 900 + name);
    }

    #[test]
    fn names_follow_the_grammar() {
        assert_eq!(common_name("X", None, Mode::Fips), "HSM:X, for FIPS mode");
        assert_eq!(common_name("X", Some(2), Mode::NonFips), "HSM:X:PARTN:2, for non-FIPS mode");
    }
}
