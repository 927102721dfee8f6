//! Values of claims, in both encodings.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};

use crate::crypto::PublicKey;
use crate::time::Time;
use crate::wire::der::{children, content, generalized_time, single};

/// More capabilities than there are.
const MAX_PURPOSES: usize = 64;

/// How values are tagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Encoding {
    /// With their universal tags: draft -06 and later.
    Current,
    /// As a CHOICE of context tags: drafts before -06, and the sample data printed in drafts up to -07.
    Older,
}

impl Encoding {
    /// The encoding that a value is in, by the class of its tag.
    pub(super) fn of(value: &[u8]) -> Self {
        if value.first().is_some_and(|tag| tag & 0xc0 == 0x80) { Self::Older } else { Self::Current }
    }

    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Current => "universal tags (draft -06 and later)",
            Self::Older => "context tags (drafts before -06)",
        }
    }
}

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// OCTET STRING.
    Octets,
    /// UTF8String.
    Text,
    /// BOOLEAN.
    Flag,
    /// GeneralizedTime.
    Time,
    /// INTEGER that is not negative.
    Number,
    /// OCTET STRING that holds a DER SubjectPublicKeyInfo.
    Spki,
    /// SEQUENCE OF OBJECT IDENTIFIER; in the older encoding inside an octet string.
    Purposes,
}

/// A value as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Octets(Vec<u8>),
    Text(String),
    Flag(bool),
    Time(Time),
    Number(u64),
    Key(PublicKey),
    Purposes(Vec<ObjectIdentifier>),
}

impl Shape {
    /// Reads a value of this form; an error says what is wrong with it.
    pub(super) fn read(self, encoding: Encoding, value: &[u8]) -> Result<Given, String> {
        let bytes = self.bytes(encoding, value).ok_or_else(|| "is not of its type".to_owned())?;
        let given = match self {
            Self::Octets => Some(Given::Octets(bytes.to_vec())),
            Self::Text => std::str::from_utf8(bytes).ok().map(|text| Given::Text(text.to_owned())),
            Self::Flag => match bytes {
                [0] => Some(Given::Flag(false)),
                [0xff] => Some(Given::Flag(true)),
                _ => None,
            },
            Self::Time => generalized_time(bytes).map(Given::Time),
            Self::Number => unsigned(bytes).map(Given::Number),
            Self::Spki => {
                let key = PublicKey::from_spki_der(bytes)
                    .map_err(|e| format!("holds a key that cannot be read: {e}"))?;
                Some(Given::Key(key))
            }
            Self::Purposes => purposes(bytes).map(Given::Purposes),
        };
        given.ok_or_else(|| "has a value that its type does not have".to_owned())
    }

    /// The content of a value that is tagged as this form is.
    fn bytes(self, encoding: Encoding, value: &[u8]) -> Option<&[u8]> {
        if encoding == Encoding::Current {
            let tag = match self {
                Self::Octets | Self::Spki => Tag::OctetString,
                Self::Text => Tag::Utf8String,
                Self::Flag => Tag::Boolean,
                Self::Time => Tag::GeneralizedTime,
                Self::Number => Tag::Integer,
                Self::Purposes => Tag::Sequence,
            };
            return content(value, tag);
        }
        let wanted = match self {
            Self::Octets | Self::Spki | Self::Purposes => 0,
            Self::Text => 1,
            Self::Flag => 2,
            Self::Time => 3,
            Self::Number => 4,
        };
        match single(value)? {
            (Tag::ContextSpecific { constructed: false, number }, bytes) if number.value() == wanted => {
                if self == Self::Purposes {
                    content(bytes, Tag::Sequence)
                } else {
                    Some(bytes)
                }
            }
            _ => None,
        }
    }
}

/// A DER INTEGER's content that is not negative and fits 64 bits.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let digits = match bytes {
        [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => return None,
        [0, digits @ ..] if !digits.is_empty() => digits,
        digits => digits,
    };
    if digits.len() > 8 {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| (number << 8) | u64::from(*digit)))
}

fn purposes(bytes: &[u8]) -> Option<Vec<ObjectIdentifier>> {
    let oids = children(bytes, MAX_PURPOSES)?;
    oids.into_iter().map(|oid| ObjectIdentifier::from_der(oid).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_minimal_and_not_negative() {
        for (bytes, number) in [(&[0][..], 0), (&[0x7f], 127), (&[0, 0x80], 128), (&[1, 0x51, 0x80], 86_400)]
        {
            assert_eq!(unsigned(bytes), Some(number));
        }
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Some(u64::MAX));
        for bytes in [&[][..], &[0x80], &[0xff, 1], &[0, 1], &[0, 0], &[1, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(unsigned(bytes), None, "{bytes:?}");
        }
    }
}
