//! What the operator refuses whatever the evidence says: certificates, keys, devices.
//!
//! There is no built-in deny-list. The operator's file has entries of four kinds:
//!
//! ```toml
//! [[deny]]
//! certificate_sha256 = "…"     # SHA-256 of a certificate, anywhere in a chain
//! reason = "attestation key leaked"
//!
//! [[deny]]
//! spki_sha256 = "…"            # SHA-256 of a public key (DER SubjectPublicKeyInfo)
//! reason = "attestation key leaked"
//!
//! [[deny]]
//! serial = "12345678"          # one device; with or without its vendor
//! vendor = "Yubico"
//! reason = "reported stolen"
//!
//! [[deny]]
//! vendor = "Yubico"            # a family of devices
//! model = "YubiKey 5"          # optional
//! firmware_min = "5.0.0"       # optional
//! firmware_below = "5.7.0"     # optional
//! reason = "house rule"
//! ```

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::firmware::{FirmwareFields, FirmwareRange, Inclusion, Version};
use super::{DataError, Entry, Origin, Tables, hex_32};

/// The operator's deny-list.
#[derive(Clone, Debug, Default)]
pub struct DenyList {
    certificates: HashMap<[u8; 32], String>,
    keys: HashMap<[u8; 32], String>,
    serials: HashMap<String, Vec<DeniedSerial>>,
    families: Vec<DeniedFamily>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct DeniedSerial {
    vendor: Option<String>,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct DeniedFamily {
    vendor: String,
    model: Option<String>,
    firmware: FirmwareRange,
    reason: String,
}

/// One entry, read and checked.
pub(super) enum Deny {
    Certificate([u8; 32], String),
    Key([u8; 32], String),
    Serial { vendor: Option<String>, serial: String, reason: String },
    Family { vendor: String, model: Option<String>, firmware: FirmwareRange, reason: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DenyRow {
    certificate_sha256: Option<String>,
    spki_sha256: Option<String>,
    serial: Option<String>,
    vendor: Option<String>,
    model: Option<String>,
    firmware_min: Option<String>,
    firmware_below: Option<String>,
    reason: String,
}

impl DenyList {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a deny-list file: `[[deny]]` entries only.
    ///
    /// # Errors
    ///
    /// Names the file, the entry, and what to change.
    pub fn parse_file(name: &str, text: &str) -> Result<Self, DataError> {
        let tables = Tables::read(name, text, Origin::Operator(name.to_owned()))?;
        tables.refuse_all_but("a deny-list", &["deny"])?;
        let mut list = Self::new();
        for entry in tables.of("deny") {
            list.insert(read(entry)?);
        }
        Ok(list)
    }

    /// Denies a certificate by the SHA-256 of its DER. The first reason given stays.
    pub fn add_certificate(&mut self, sha256: [u8; 32], reason: &str) {
        self.insert(Deny::Certificate(sha256, reason.to_owned()));
    }

    /// Denies a public key by the SHA-256 of its DER SubjectPublicKeyInfo. The first reason given stays.
    pub fn add_key(&mut self, spki_sha256: [u8; 32], reason: &str) {
        self.insert(Deny::Key(spki_sha256, reason.to_owned()));
    }

    /// Denies a device by its serial number, of one vendor or of any.
    pub fn add_serial(&mut self, vendor: Option<&str>, serial: &str, reason: &str) {
        self.insert(Deny::Serial {
            vendor: vendor.map(str::to_owned),
            serial: serial.to_owned(),
            reason: reason.to_owned(),
        });
    }

    pub(super) fn insert(&mut self, deny: Deny) {
        match deny {
            Deny::Certificate(sha256, reason) => {
                self.certificates.entry(sha256).or_insert(reason);
            }
            Deny::Key(sha256, reason) => {
                self.keys.entry(sha256).or_insert(reason);
            }
            Deny::Serial { vendor, serial, reason } => {
                self.serials.entry(serial).or_default().push(DeniedSerial { vendor, reason });
            }
            Deny::Family { vendor, model, firmware, reason } => {
                self.families.push(DeniedFamily { vendor, model, firmware, reason });
            }
        }
    }

    /// Whether nothing is denied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
            && self.keys.is_empty()
            && self.serials.is_empty()
            && self.families.is_empty()
    }

    /// Why the certificate with this SHA-256 is denied, if it is.
    #[must_use]
    pub fn certificate(&self, sha256: &[u8; 32]) -> Option<&str> {
        self.certificates.get(sha256).map(String::as_str)
    }

    /// Why the public key with this SHA-256 (of its DER SubjectPublicKeyInfo) is denied, if it is.
    #[must_use]
    pub fn spki(&self, sha256: &[u8; 32]) -> Option<&str> {
        self.keys.get(sha256).map(String::as_str)
    }

    /// Why this device is denied, if it is. `None` stands for what the evidence does not say.
    ///
    /// What is not known counts as denied: an entry for a model or for a firmware range also denies the
    /// vendor's devices whose model or firmware is unknown. A serial number has to be known to be denied.
    #[must_use]
    pub fn device(
        &self,
        vendor: &str,
        model: Option<&str>,
        serial: Option<&str>,
        firmware: Option<&str>,
    ) -> Option<&str> {
        let by_serial = serial
            .and_then(|serial| self.serials.get(serial))
            .and_then(|entries| entries.iter().find(|e| e.vendor.as_deref().is_none_or(|v| v == vendor)));
        if let Some(entry) = by_serial {
            return Some(&entry.reason);
        }
        if self.families.is_empty() {
            return None;
        }
        let firmware = firmware.and_then(Version::parse);
        let family = self.families.iter().find(|e| {
            e.vendor == vendor
                && e.model.as_deref().is_none_or(|denied| model.is_none_or(|m| m == denied))
                && e.firmware.includes(firmware) != Inclusion::Excluded
        })?;
        Some(&family.reason)
    }

    /// The whole list in an order that depends on nothing but its content.
    pub(super) fn canonical(&self) -> impl Serialize + '_ {
        let mut certificates: Vec<_> =
            self.certificates.iter().map(|(sha256, reason)| (hex::encode(sha256), reason)).collect();
        certificates.sort();
        let mut keys: Vec<_> =
            self.keys.iter().map(|(sha256, reason)| (hex::encode(sha256), reason)).collect();
        keys.sort();
        let mut serials: Vec<_> = self.serials.iter().collect();
        serials.sort();
        // The order of the families decides which reason is given, so it is content.
        (certificates, keys, serials, &self.families)
    }
}

/// Reads one `[[deny]]` entry.
pub(super) fn read(entry: &Entry) -> Result<Deny, DataError> {
    let row: DenyRow = entry.row()?;
    if row.reason.trim().is_empty() {
        return Err(entry.error("reason is empty: say why, it is shown in the report"));
    }
    let reason = row.reason;
    let bounds = row.firmware_min.is_some() || row.firmware_below.is_some();
    let family = row.model.is_some() || bounds;
    let fail = || {
        Err(entry.error(
            "give exactly one of: certificate_sha256; spki_sha256; serial (with or without vendor); \
             vendor (with or without model, firmware_min, firmware_below)",
        ))
    };
    match (row.certificate_sha256, row.spki_sha256, row.serial, row.vendor) {
        (Some(text), None, None, None) if !family => {
            Ok(Deny::Certificate(hex_32(entry, "certificate_sha256", &text)?, reason))
        }
        (None, Some(text), None, None) if !family => {
            Ok(Deny::Key(hex_32(entry, "spki_sha256", &text)?, reason))
        }
        (None, None, Some(serial), vendor) if !family => {
            if serial.is_empty() {
                return Err(entry.error("serial is empty: give the serial number as reports show it"));
            }
            Ok(Deny::Serial { vendor, serial, reason })
        }
        (None, None, None, Some(vendor)) => {
            let fields = FirmwareFields {
                firmware_min: row.firmware_min,
                firmware_below: row.firmware_below,
                ..FirmwareFields::default()
            };
            let firmware = FirmwareRange::from_fields(&fields).map_err(|problem| entry.error(problem))?;
            Ok(Deny::Family { vendor, model: row.model, firmware, reason })
        }
        _ => fail(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn list(text: &str) -> DenyList {
        DenyList::parse_file("deny.toml", text).unwrap()
    }

    #[test]
    fn denies_what_it_lists_and_nothing_else() {
        let hash: [u8; 32] = hex::decode(HEX).unwrap().try_into().unwrap();
        let denied = list(&format!(
            "[[deny]]\ncertificate_sha256 = '{HEX}'\nreason = 'leaked'\n\
             [[deny]]\nspki_sha256 = '{HEX}'\nreason = 'key leaked'\n\
             [[deny]]\nserial = '123'\nvendor = 'Yubico'\nreason = 'stolen'\n\
             [[deny]]\nserial = '456'\nreason = 'stolen too'\n"
        ));
        assert_eq!(denied.certificate(&hash), Some("leaked"));
        assert_eq!(denied.spki(&hash), Some("key leaked"));
        assert_eq!(denied.certificate(&[0; 32]), None);
        assert_eq!(denied.spki(&[0; 32]), None);
        assert_eq!(denied.device("Yubico", None, Some("123"), None), Some("stolen"));
        assert_eq!(denied.device("Marvell", None, Some("123"), None), None);
        assert_eq!(denied.device("Marvell", None, Some("456"), None), Some("stolen too"));
        assert_eq!(denied.device("Yubico", None, None, None), None);
    }

    #[test]
    fn denies_families_within_their_bounds() {
        let denied = list(
            "[[deny]]\nvendor = 'Yubico'\nmodel = 'YubiKey 5'\nfirmware_min = '5.0'\nfirmware_below = '5.7'\nreason = 'r'\n",
        );
        let device = |model: Option<&'static str>, firmware: Option<&'static str>| {
            denied.device("Yubico", model, None, firmware)
        };
        assert_eq!(device(Some("YubiKey 5"), Some("5.6.9")), Some("r"));
        assert_eq!(device(Some("YubiKey 5"), Some("5.7.0")), None);
        assert_eq!(device(Some("YubiKey 4"), Some("5.6.9")), None);
        // Fail closed where the evidence is silent.
        assert_eq!(device(None, Some("5.6.9")), Some("r"));
        assert_eq!(device(Some("YubiKey 5"), None), Some("r"));
        assert_eq!(denied.device("Marvell", None, None, None), None);
    }

    #[test]
    fn entries_added_by_program() {
        let mut denied = DenyList::new();
        assert!(denied.is_empty());
        denied.add_certificate([1; 32], "first");
        denied.add_certificate([1; 32], "second");
        denied.add_key([2; 32], "key");
        denied.add_serial(None, "9", "serial");
        assert_eq!(denied.certificate(&[1; 32]), Some("first"));
        assert_eq!(denied.spki(&[2; 32]), Some("key"));
        assert_eq!(denied.device("any", None, Some("9"), None), Some("serial"));
        assert!(!denied.is_empty());
    }

    #[test]
    fn refuses_entries_that_say_too_much_or_too_little() {
        for (text, says) in [
            ("[[deny]]\nreason = 'r'\n".to_owned(), "exactly one of"),
            ("[[deny]]\nmodel = 'YubiKey 5'\nreason = 'r'\n".to_owned(), "exactly one of"),
            (format!("[[deny]]\nserial = '1'\nspki_sha256 = '{HEX}'\nreason = 'r'\n"), "exactly one of"),
            ("[[deny]]\nserial = '1'\nmodel = 'm'\nreason = 'r'\n".to_owned(), "exactly one of"),
            ("[[deny]]\nserial = ''\nreason = 'r'\n".to_owned(), "serial is empty"),
            ("[[deny]]\nserial = '1'\nreason = ' '\n".to_owned(), "reason is empty"),
            ("[[deny]]\nserial = '1'\n".to_owned(), "reason"),
            ("[[deny]]\nspki_sha256 = '00'\nreason = 'r'\n".to_owned(), "spki_sha256"),
            ("[[deny]]\nvendor = 'v'\nfirmware_min = 'x'\nreason = 'r'\n".to_owned(), "firmware_min"),
            ("[[deny]]\nserial = '1'\ncolour = 'red'\nreason = 'r'\n".to_owned(), "colour"),
            ("[[anchor]]\nid = 'x'\n".to_owned(), "deny-list"),
        ] {
            let error = DenyList::parse_file("deny.toml", &text).unwrap_err().to_string();
            assert!(error.contains("deny.toml") && error.contains(says), "{text}: {error}");
        }
    }
}
