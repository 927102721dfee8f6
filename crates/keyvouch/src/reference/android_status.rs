//! Google's list of attestation certificates that are revoked or suspended.
//!
//! A JSON file from <https://android.googleapis.com/attestation/status>. It is not signed and holds no date: what can
//! be verified is its form, and how old it is must be said by whoever fetched it. The verifier fetches nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::crypto::sha256;
use crate::input::parse_json;
use crate::time::Time;

/// Far more than the list holds (1640 entries in July 2026).
const MAX_ENTRIES: usize = 1_000_000;

/// The list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AndroidStatusList {
    entries: BTreeMap<String, StatusEntry>,
    sha256: [u8; 32],
}

/// What the list says of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// Its status.
    pub status: CertificateStatus,
    /// Why: `KEY_COMPROMISE`, `SOFTWARE_FLAW`, …
    pub reason: Option<String>,
    /// A remark of Google's.
    pub comment: Option<String>,
    /// When the certificate runs out anyway.
    pub expires: Option<String>,
}

/// The status of a certificate that is on the list. Certificates that are valid are not on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Not to be trusted any more.
    Revoked,
    /// Not to be trusted for now.
    Suspended,
    /// A word that this version does not know. To be treated as revoked.
    Other(String),
}

impl CertificateStatus {
    /// The word in the list.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Revoked => "REVOKED",
            Self::Suspended => "SUSPENDED",
            Self::Other(word) => word,
        }
    }
}

/// Why bytes are not the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not Google's attestation status list: {0}")]
pub struct StatusListError(String);

impl AndroidStatusList {
    /// Reads the list. Nothing that is out of form is passed over: a list that is read in part would let revoked
    /// certificates pass.
    ///
    /// # Errors
    /// When it is not such a list, or holds an entry that cannot be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatusListError> {
        let fault = |why: String| StatusListError(why);
        let json = parse_json(bytes).map_err(|e| fault(e.to_string()))?;
        let entries = json
            .get("entries")
            .and_then(Value::as_object)
            .ok_or_else(|| fault("there is no object \"entries\"".to_owned()))?;
        if entries.len() > MAX_ENTRIES {
            return Err(fault(format!("more than {MAX_ENTRIES} entries")));
        }
        let mut list = Self { entries: BTreeMap::new(), sha256: sha256(bytes) };
        for (serial, entry) in entries {
            if !is_serial(serial) {
                return Err(fault(format!(
                    "{:?} is not a serial number in lower-case hexadecimal without leading zeros",
                    serial.chars().take(64).collect::<String>()
                )));
            }
            let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
            let status = match text("status").as_deref() {
                Some("REVOKED") => CertificateStatus::Revoked,
                Some("SUSPENDED") => CertificateStatus::Suspended,
                Some(other) => CertificateStatus::Other(other.chars().take(64).collect()),
                None => return Err(fault(format!("the entry of {serial} has no status"))),
            };
            let entry = StatusEntry {
                status,
                reason: text("reason"),
                comment: text("comment"),
                expires: text("expires"),
            };
            list.entries.insert(serial.clone(), entry);
        }
        Ok(list)
    }

    /// How many certificates are on it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Serial numbers and what is said of them, in the order of the numbers' text.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &StatusEntry)> {
        self.entries.iter().map(|(serial, entry)| (serial.as_str(), entry))
    }

    /// How often each status and reason occurs, in the order of the words.
    #[must_use]
    pub fn summary(&self) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries.values() {
            let reason = entry.reason.clone().unwrap_or_else(|| "UNSPECIFIED".to_owned());
            let count: &mut usize = counts.entry((entry.status.as_str().to_owned(), reason)).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }

    /// What the list says of the certificate with this serial number (content of the INTEGER).
    #[must_use]
    pub fn get(&self, serial: &[u8]) -> Option<&StatusEntry> {
        self.entries.get(&serial_text(serial))
    }
}

/// How old a list that was fetched then is now. One that was fetched later, for a re-appraisal, has age zero.
#[must_use]
pub fn age(fetched: Time, at: Time) -> i64 {
    at.unix().saturating_sub(fetched.unix()).max(0)
}

/// A serial number as the list writes it: hexadecimal in lower case, without leading zeros. Some serial numbers have
/// decimal digits only; they are hexadecimal all the same.
#[must_use]
pub fn serial_text(serial: &[u8]) -> String {
    let text = hex::encode(serial);
    text.trim_start_matches('0').to_owned()
}

fn is_serial(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() <= 64 && text.bytes().all(hex) && !text.is_empty() && !text.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<AndroidStatusList, StatusListError> {
        AndroidStatusList::parse(text.as_bytes())
    }

    #[test]
    fn serial_numbers_are_hexadecimal() {
        let list = list(
            r#"{"entries":{"1000":{"status":"REVOKED","reason":"KEY_COMPROMISE"},
               "a1b":{"status":"SUSPENDED","comment":"wait","expires":"2027-01-01"},
               "f":{"status":"LOST"}}}"#,
        )
        .unwrap();
        assert_eq!(list.get(&[0x10, 0x00]).unwrap().status, CertificateStatus::Revoked);
        assert_eq!(list.get(&[0x00, 0x0a, 0x1b]).unwrap().status, CertificateStatus::Suspended);
        assert_eq!(list.get(&[0x0f]).unwrap().status, CertificateStatus::Other("LOST".to_owned()));
        // 1000 in decimal
        assert_eq!(list.get(&[0x03, 0xe8]), None);
        assert_eq!(list.summary().len(), 3);
        assert_eq!((list.len(), list.is_empty()), (3, false));
    }

    #[test]
    fn a_list_that_is_out_of_form_is_refused_as_a_whole() {
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"entries":[]}"#,
            r#"{"entries":{"0a":{"status":"REVOKED"}}}"#,
            r#"{"entries":{"A1":{"status":"REVOKED"}}}"#,
            r#"{"entries":{"":{"status":"REVOKED"}}}"#,
            r#"{"entries":{"a1":{}}}"#,
            r#"{"entries":{"a1":{"status":"REVOKED"},"a1":{"status":"SUSPENDED"}}}"#,
        ] {
            assert!(list(bad).is_err(), "{bad}");
        }
        assert!(list(r#"{"entries":{}}"#).unwrap().is_empty());
    }

    #[test]
    fn a_later_list_has_no_age() {
        let time = |text: &str| text.parse::<Time>().unwrap();
        let (then, now) = (time("2026-06-01T00:00:00Z"), time("2026-06-02T00:00:00Z"));
        assert_eq!((age(then, now), age(now, then)), (86_400, 0));
    }
}
