//! Firmware versions, and which of them an entry speaks of.
//!
//! Versions are compared number by number: 7.8.10 is later than 7.8.4, and 5.4 is the same as 5.4.0.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

/// The most parts a version can have; every device known has at most four.
const MAX_PARTS: usize = 8;

/// A firmware version of dotted numbers, such as `5.4.3`.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// Missing parts are zero, which makes 5.4 equal to 5.4.0.
    parts: [u32; MAX_PARTS],
    written: usize,
}

impl Version {
    /// Reads dotted numbers. `None` for anything else: no number, a sign, a letter, more than eight parts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = [0; MAX_PARTS];
        let mut written: usize = 0;
        for part in text.split('.') {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            *parts.get_mut(written)? = part.parse().ok()?;
            written = written.checked_add(1)?;
        }
        Some(Self { parts, written })
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().take(self.written).enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Compares two versions. `None` when one of them is not made of dotted numbers.
#[must_use]
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(Version::parse(a)?.cmp(&Version::parse(b)?))
}

/// The firmware that an entry speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FirmwareRange {
    /// The entry names no firmware.
    Unnamed,
    /// Exactly these versions.
    Exactly(Vec<Version>),
    /// A range; a missing bound is open.
    Between {
        /// The first version of the range.
        min: Option<Version>,
        /// The last version of the range.
        max: Option<Version>,
        /// The first version after the range.
        below: Option<Version>,
    },
}

/// Whether an entry speaks of a device's firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inclusion {
    /// The entry names no firmware.
    Unnamed,
    /// The device's firmware is one the entry names.
    Included,
    /// The device's firmware is not one the entry names.
    Excluded,
    /// The entry names firmware, but that of the device is not known or not made of dotted numbers.
    Unknown,
}

impl FirmwareRange {
    /// From the fields of a data file; an error says what is wrong with them.
    pub(super) fn from_fields(fields: &FirmwareFields) -> Result<Self, String> {
        let bound = |name: &str, text: &Option<String>| text.as_deref().map(|t| version(name, t)).transpose();
        let min = bound("firmware_min", &fields.firmware_min)?;
        let max = bound("firmware_max", &fields.firmware_max)?;
        let below = bound("firmware_below", &fields.firmware_below)?;
        let bounded = min.is_some() || max.is_some() || below.is_some();
        match (&fields.firmware, bounded) {
            (Some(_), true) => {
                Err("firmware is given twice: keep either the list `firmware` or the bounds".to_owned())
            }
            (Some(list), false) if list.is_empty() => {
                Err("firmware is an empty list: name the versions, or leave it out".to_owned())
            }
            (Some(list), false) => {
                let versions = list.iter().map(|t| version("firmware", t)).collect::<Result<_, _>>()?;
                Ok(Self::Exactly(versions))
            }
            (None, false) => Ok(Self::Unnamed),
            (None, true) => {
                if max.is_some() && below.is_some() {
                    return Err("firmware_max and firmware_below are both given: keep one".to_owned());
                }
                let empty = min.is_some_and(|min| {
                    max.is_some_and(|max| min > max) || below.is_some_and(|below| min >= below)
                });
                if empty {
                    return Err(
                        "the firmware range is empty: its lower bound is above its upper one".to_owned()
                    );
                }
                Ok(Self::Between { min, max, below })
            }
        }
    }

    /// Whether the entry speaks of this firmware.
    #[must_use]
    pub fn includes(&self, firmware: Option<Version>) -> Inclusion {
        let included = match (self, firmware) {
            (Self::Unnamed, _) => return Inclusion::Unnamed,
            (_, None) => return Inclusion::Unknown,
            (Self::Exactly(versions), Some(v)) => versions.contains(&v),
            (Self::Between { min, max, below }, Some(v)) => {
                min.is_none_or(|min| v >= min)
                    && max.is_none_or(|max| v <= max)
                    && below.is_none_or(|below| v < below)
            }
        };
        if included { Inclusion::Included } else { Inclusion::Excluded }
    }
}

/// The fields of a data file that make up a [`FirmwareRange`].
#[derive(Default)]
pub(super) struct FirmwareFields {
    pub(super) firmware: Option<Vec<String>>,
    pub(super) firmware_min: Option<String>,
    pub(super) firmware_max: Option<String>,
    pub(super) firmware_below: Option<String>,
}

fn version(field: &str, text: &str) -> Result<Version, String> {
    Version::parse(text)
        .ok_or_else(|| format!("{field}: {text:?} is not a version of dotted numbers such as 5.4.3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_number_by_number() {
        assert_eq!(compare("7.8.10", "7.8.4"), Some(Ordering::Greater));
        assert_eq!(compare("5.4", "5.4.0"), Some(Ordering::Equal));
        assert_eq!(compare("5", "5.0.0.0"), Some(Ordering::Equal));
        assert_eq!(compare("4.3.4", "4.3.5"), Some(Ordering::Less));
        assert_eq!(compare("5.10.0", "5.9.9"), Some(Ordering::Greater));
    }

    #[test]
    fn refuses_what_is_not_dotted_numbers() {
        for text in [
            "",
            ".",
            "5.",
            ".5",
            "5..4",
            "v5.4",
            "5.4-beta",
            "+5.4",
            "5.-4",
            " 5",
            "4294967296",
            "1.2.3.4.5.6.7.8.9",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
            assert_eq!(compare(text, "1"), None, "{text}");
        }
        assert!(Version::parse("1.2.3.4.5.6.7.4294967295").is_some());
    }

    #[test]
    fn writes_as_it_was_read() {
        for text in ["5", "5.4", "5.4.0", "1.2.3.4.5.6.7.8"] {
            assert_eq!(Version::parse(text).unwrap().to_string(), text);
        }
    }

    fn fields(exact: &[&str], min: &str, max: &str, below: &str) -> FirmwareFields {
        let some = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        FirmwareFields {
            firmware: (!exact.is_empty()).then(|| exact.iter().map(|&t| t.to_owned()).collect()),
            firmware_min: some(min),
            firmware_max: some(max),
            firmware_below: some(below),
        }
    }

    #[test]
    fn bounds_are_where_they_should_be() {
        let of =
            |f: FirmwareFields, v: &str| FirmwareRange::from_fields(&f).unwrap().includes(Version::parse(v));
        let range = || fields(&[], "5.0.0", "", "5.7.0");
        assert_eq!(of(range(), "5.0"), Inclusion::Included);
        assert_eq!(of(range(), "5.6.9"), Inclusion::Included);
        assert_eq!(of(range(), "5.7"), Inclusion::Excluded);
        assert_eq!(of(range(), "4.9.9"), Inclusion::Excluded);
        assert_eq!(of(range(), "unknown"), Inclusion::Unknown);
        assert_eq!(of(fields(&[], "", "4.3.4", ""), "4.3.4"), Inclusion::Included);
        assert_eq!(of(fields(&[], "", "4.3.4", ""), "4.3.5"), Inclusion::Excluded);
        assert_eq!(of(fields(&["4.4.2", "4.4.4"], "", "", ""), "4.4.4"), Inclusion::Included);
        assert_eq!(of(fields(&["4.4.2", "4.4.4"], "", "", ""), "4.4.3"), Inclusion::Excluded);
        assert_eq!(of(fields(&[], "", "", ""), "1"), Inclusion::Unnamed);
        assert_eq!(of(fields(&[], "", "", ""), "unknown"), Inclusion::Unnamed);
    }

    #[test]
    fn refuses_contradictory_fields() {
        for f in [
            fields(&["5.4.2"], "5.0", "", ""),
            fields(&[], "", "5.6", "5.7"),
            fields(&[], "5.7", "5.6", ""),
            fields(&[], "5.7", "", "5.7.0"),
            fields(&[], "five", "", ""),
            FirmwareFields { firmware: Some(Vec::new()), ..FirmwareFields::default() },
        ] {
            assert!(FirmwareRange::from_fields(&f).is_err());
        }
    }
}
