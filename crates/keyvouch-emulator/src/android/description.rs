//! KeyDescription, each field changeable before it is written.

use super::Level;
use crate::der;
use crate::key::{Key, KeyKind, derived};

/// Tags of authorization lists.
pub mod tag {
    /// SET OF INTEGER: 2 sign, 1 decrypt, 6 agree, 7 attest.
    pub const PURPOSE: u32 = 1;
    /// 1 RSA, 3 EC, 4 ML-DSA.
    pub const ALGORITHM: u32 = 2;
    /// Bits.
    pub const KEY_SIZE: u32 = 3;
    /// SET OF INTEGER: 4 SHA-256.
    pub const DIGEST: u32 = 5;
    /// SET OF INTEGER: 5 PKCS#1 signatures.
    pub const PADDING: u32 = 6;
    /// 1 P-256, 2 P-384, 3 P-521.
    pub const EC_CURVE: u32 = 10;
    /// 1 ML-DSA-65.
    pub const ML_DSA_VARIANT: u32 = 11;
    /// RSA exponent.
    pub const RSA_EXPONENT: u32 = 200;
    /// NULL.
    pub const NO_AUTH_REQUIRED: u32 = 503;
    /// Bit mask.
    pub const USER_AUTH_TYPE: u32 = 504;
    /// Seconds.
    pub const AUTH_TIMEOUT: u32 = 505;
    /// NULL: a button must be pressed.
    pub const TRUSTED_USER_PRESENCE: u32 = 507;
    /// NULL.
    pub const ALL_APPLICATIONS: u32 = 600;
    /// NULL, of the first Keymasters.
    pub const EXPORTABLE: u32 = 602;
    /// Milliseconds.
    pub const CREATION_DATE_TIME: u32 = 701;
    /// 0 generated, 1 derived, 2 imported, 4 securely imported.
    pub const ORIGIN: u32 = 702;
    /// How the device was booted.
    pub const ROOT_OF_TRUST: u32 = 704;
    /// MMmmss.
    pub const OS_VERSION: u32 = 705;
    /// YYYYMM.
    pub const OS_PATCH_LEVEL: u32 = 706;
    /// The app.
    pub const APPLICATION_ID: u32 = 709;
    /// Text.
    pub const ID_SERIAL: u32 = 713;
    /// Text.
    pub const ID_MANUFACTURER: u32 = 716;
    /// Text.
    pub const ID_MODEL: u32 = 717;
    /// YYYYMMDD.
    pub const VENDOR_PATCH_LEVEL: u32 = 718;
    /// YYYYMMDD.
    pub const BOOT_PATCH_LEVEL: u32 = 719;
    /// NULL.
    pub const IDENTITY_CREDENTIAL: u32 = 721;
}

/// An authorization list: tags and the DER under them, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(pub Vec<(u32, Vec<u8>)>);

impl Tags {
    /// Put a value under a tag, at its place in the order of the tags.
    pub fn set(&mut self, tag: u32, value: Vec<u8>) {
        self.remove(tag);
        let at = self.0.iter().position(|(number, _)| *number > tag).unwrap_or(self.0.len());
        self.0.insert(at, (tag, value));
    }

    /// An INTEGER under a tag.
    pub fn integer(&mut self, tag: u32, value: u64) {
        self.set(tag, integer(value));
    }

    /// A SET OF INTEGER under a tag, in this order.
    pub fn numbers(&mut self, tag: u32, values: &[u64]) {
        let values: Vec<_> = values.iter().map(|v| integer(*v)).collect();
        self.set(tag, der::set(&values));
    }

    /// NULL under a tag.
    pub fn flag(&mut self, tag: u32) {
        self.set(tag, der::null());
    }

    /// Text in an OCTET STRING under a tag.
    pub fn text(&mut self, tag: u32, text: &str) {
        self.set(tag, der::octet_string(text.as_bytes()));
    }

    /// Take a tag away.
    pub fn remove(&mut self, tag: u32) {
        self.0.retain(|(number, _)| *number != tag);
    }

    /// What stands under a tag.
    pub fn get(&self, tag: u32) -> Option<&Vec<u8>> {
        self.0.iter().find(|(number, _)| *number == tag).map(|(_, value)| value)
    }

    fn der(&self) -> Vec<u8> {
        let tags: Vec<_> = self.0.iter().map(|(number, value)| explicit(*number, value)).collect();
        der::sequence(&tags)
    }
}

/// INTEGER of an unsigned number.
pub fn integer(value: u64) -> Vec<u8> {
    der::integer(&value.to_be_bytes())
}

/// `[number] EXPLICIT`, numbers over 30 in the long form (X.690, 8.1.2.4).
pub fn explicit(number: u32, content: &[u8]) -> Vec<u8> {
    if number < 31 {
        return der::explicit(u8::try_from(number).unwrap_or(30), content);
    }
    let mut septets: Vec<u8> = Vec::new();
    let mut rest = number;
    while rest > 0 {
        let septet = u8::try_from(rest & 0x7f).unwrap_or(0);
        septets.insert(0, if septets.is_empty() { septet } else { septet | 0x80 });
        rest >>= 7;
    }
    // The TLV with a one-byte identifier gives length and content; its identifier is replaced.
    let plain = der::tlv(0xbf, content);
    [&[0xbf], septets.as_slice(), &plain[1..]].concat()
}

/// rootOfTrust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootOfTrust {
    /// verifiedBootKey.
    pub boot_key: Vec<u8>,
    /// Content of the BOOLEAN deviceLocked: FF, 00, or what some phones write.
    pub locked: u8,
    /// 0 verified, 1 self-signed, 2 unverified, 3 failed.
    pub state: u8,
    /// verifiedBootHash; versions 1 and 2 have none.
    pub boot_hash: Option<Vec<u8>>,
}

impl RootOfTrust {
    /// DER.
    pub fn der(&self) -> Vec<u8> {
        let hash = self.boot_hash.as_ref().map(|h| der::octet_string(h)).unwrap_or_default();
        der::sequence(&[
            der::octet_string(&self.boot_key),
            der::tlv(0x01, &[self.locked]),
            enumerated(self.state),
            hash,
        ])
    }
}

/// attestationApplicationId.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppId {
    /// Package names and versions.
    pub packages: Vec<(String, u64)>,
    /// SHA-256 of signing certificates.
    pub signers: Vec<Vec<u8>>,
}

impl AppId {
    /// DER in its OCTET STRING.
    pub fn der(&self) -> Vec<u8> {
        let packages: Vec<_> = self
            .packages
            .iter()
            .map(|(name, version)| der::sequence(&[der::octet_string(name.as_bytes()), integer(*version)]))
            .collect();
        let signers: Vec<_> = self.signers.iter().map(|s| der::octet_string(s)).collect();
        der::octet_string(&der::sequence(&[der::set_of(&packages), der::set_of(&signers)]))
    }
}

fn enumerated(value: u8) -> Vec<u8> {
    der::tlv(0x0a, &[value])
}

/// KeyDescription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDescription {
    /// attestationVersion.
    pub version: u64,
    /// attestationSecurityLevel.
    pub attestation_level: u8,
    /// keyMintVersion.
    pub component_version: u64,
    /// keyMintSecurityLevel.
    pub key_level: u8,
    /// attestationChallenge.
    pub challenge: Vec<u8>,
    /// uniqueId.
    pub unique_id: Vec<u8>,
    /// softwareEnforced.
    pub software: Tags,
    /// hardwareEnforced.
    pub hardware: Tags,
    /// More fields, which there are not.
    pub more: Vec<u8>,
    /// Bytes after the end.
    pub trailing: Vec<u8>,
}

impl KeyDescription {
    /// Of a signing key generated in the device, as an unmodified phone with Android 16 states it.
    pub fn of(key: &Key, level: Level) -> Self {
        let mut hardware = Tags::default();
        hardware.numbers(tag::PURPOSE, &[2]);
        hardware.numbers(tag::DIGEST, &[4]);
        describe(key, &mut hardware);
        hardware.flag(tag::NO_AUTH_REQUIRED);
        hardware.integer(tag::ORIGIN, 0);
        let rot = RootOfTrust {
            boot_key: derived("android: verified boot key", 32),
            locked: 0xff,
            state: 0,
            boot_hash: Some(derived("android: verified boot hash", 32)),
        };
        hardware.set(tag::ROOT_OF_TRUST, rot.der());
        hardware.integer(tag::OS_VERSION, 160_000);
        hardware.integer(tag::OS_PATCH_LEVEL, 202_605);
        hardware.integer(tag::VENDOR_PATCH_LEVEL, 20_260_505);
        hardware.integer(tag::BOOT_PATCH_LEVEL, 20_260_505);
        let mut software = Tags::default();
        software.integer(tag::CREATION_DATE_TIME, 1_780_000_000_000);
        let app = AppId {
            packages: vec![("com.example.enrol".to_owned(), 7)],
            signers: vec![derived("android: app signer", 32)],
        };
        software.set(tag::APPLICATION_ID, app.der());
        Self {
            version: 400,
            attestation_level: level.number(),
            component_version: 400,
            key_level: level.number(),
            challenge: b"challenge".to_vec(),
            unique_id: Vec::new(),
            software,
            hardware,
            more: Vec::new(),
            trailing: Vec::new(),
        }
    }

    /// The same with another root of trust.
    pub fn booted(&mut self, change: impl FnOnce(&mut RootOfTrust)) {
        let mut rot = RootOfTrust {
            boot_key: derived("android: verified boot key", 32),
            locked: 0xff,
            state: 0,
            boot_hash: Some(derived("android: verified boot hash", 32)),
        };
        change(&mut rot);
        self.hardware.set(tag::ROOT_OF_TRUST, rot.der());
    }

    /// The content of the extension.
    pub fn der(&self) -> Vec<u8> {
        let mut out = der::sequence(&[
            integer(self.version),
            enumerated(self.attestation_level),
            integer(self.component_version),
            enumerated(self.key_level),
            der::octet_string(&self.challenge),
            der::octet_string(&self.unique_id),
            self.software.der(),
            self.hardware.der(),
            self.more.clone(),
        ]);
        out.extend_from_slice(&self.trailing);
        out
    }
}

/// Algorithm, size and curve of a key.
fn describe(key: &Key, list: &mut Tags) {
    let ec = match key.kind() {
        KeyKind::P256 => Some((256, 1)),
        KeyKind::P384 => Some((384, 2)),
        KeyKind::P521 => Some((521, 3)),
        KeyKind::Ed25519 | KeyKind::X25519 => Some((256, 4)),
        _ => None,
    };
    match (key.rsa_public(), ec) {
        (Some((modulus, exponent)), _) => {
            list.integer(tag::ALGORITHM, 1);
            list.integer(tag::KEY_SIZE, 8 * u64::try_from(modulus.len()).unwrap_or(0));
            list.numbers(tag::PADDING, &[5]);
            let exponent = exponent.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
            list.integer(tag::RSA_EXPONENT, exponent);
        }
        (None, Some((size, curve))) => {
            list.integer(tag::ALGORITHM, 3);
            list.integer(tag::KEY_SIZE, size);
            list.integer(tag::EC_CURVE, curve);
        }
        (None, None) => {}
    }
}

/// Samsung's extension with an integrity statement: trusted boot, warranty bit, integrity check.
pub(super) fn knox(integrity: [u8; 3]) -> Vec<u8> {
    let states: Vec<_> =
        (0_u32..).zip(integrity).map(|(number, state)| explicit(number, &enumerated(state))).collect();
    der::sequence(&[
        explicit(0, &der::printable_string("challenge")),
        explicit(5, &der::sequence(&states)),
        explicit(6, &der::octet_string(&[0; 32])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_tags_are_those_of_real_statements() {
        for (number, head) in [
            (1, "a103"),
            (10, "aa03"),
            (200, "bf814803"),
            (503, "bf837703"),
            (702, "bf853e03"),
            (704, "bf854003"),
            (724, "bf855403"),
        ] {
            assert_eq!(hex::encode(explicit(number, &integer(1))), format!("{head}020101"), "{number}");
        }
    }
}
