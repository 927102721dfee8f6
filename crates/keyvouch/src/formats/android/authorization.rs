//! AuthorizationList: what the hardware, or the operating system, enforces for a key.

use der::asn1::AnyRef;
use der::{Decode, Tag, TagNumber};

use super::tags::{self, MAX_TAGS};
use crate::wire::der::{children, content, sequence, single};

/// What stands under a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<T> {
    /// The tag is not there.
    Absent,
    /// It is there, and its value is not of the type it must have. Whoever needs the value must fail.
    Unreadable,
    Value(T),
}

impl<T> Field<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// The tags of a list, in the order in which they were written, each with its value as DER.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct AuthorizationList {
    tags: Vec<(u32, Vec<u8>)>,
    pub(super) ascending: bool,
}

/// verifiedBootState.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BootState {
    Verified,
    SelfSigned,
    Unverified,
    Failed,
}

impl BootState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::SelfSigned => "self-signed",
            Self::Unverified => "unverified",
            Self::Failed => "failed",
        }
    }
}

/// rootOfTrust: how the device was booted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootOfTrust {
    pub(super) boot_key: Vec<u8>,
    pub(super) locked: bool,
    pub(super) state: BootState,
    /// Absent in versions 1 and 2.
    pub(super) boot_hash: Option<Vec<u8>>,
    /// deviceLocked was written as DER has it.
    pub(super) der_boolean: bool,
}

/// attestationApplicationId: what the operating system says of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApplicationId {
    /// Name and version.
    pub(super) packages: Vec<(String, u64)>,
    /// SHA-256 of the certificates that signed the app.
    pub(super) signers: Vec<Vec<u8>>,
}

/// Bounds of Google's own library.
const MAX_PACKAGES: usize = 32;
const MAX_SIGNERS: usize = 10;
const MAX_SET: usize = 32;

impl AuthorizationList {
    /// Reads the SEQUENCE; an error says what is wrong with it.
    pub(super) fn read(tlv: &[u8]) -> Result<Self, String> {
        let members = sequence(tlv, MAX_TAGS)
            .ok_or_else(|| format!("an authorization list is not a SEQUENCE of at most {MAX_TAGS} tags"))?;
        let mut list = Self { tags: Vec::with_capacity(members.len()), ascending: true };
        for member in members {
            let (tag, value) = single(member).ok_or("a member of an authorization list is not DER")?;
            let Tag::ContextSpecific { constructed: true, number: TagNumber(number) } = tag else {
                return Err("a member of an authorization list has no explicit context tag".to_owned());
            };
            if single(value).is_none() {
                return Err(format!("tag {number} does not hold exactly one value"));
            }
            if list.tags.iter().any(|(known, _)| *known == number) {
                return Err(format!("tag {number} is there twice"));
            }
            list.ascending &= list.tags.last().is_none_or(|(last, _)| *last < number);
            list.tags.push((number, value.to_vec()));
        }
        Ok(list)
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.tags.iter().map(|(number, _)| *number)
    }

    pub(super) fn unknown(&self) -> Vec<u32> {
        self.numbers().filter(|n| tags::name(*n).is_none()).collect()
    }

    pub(super) fn has(&self, tag: u32) -> bool {
        self.raw(tag).is_some()
    }

    /// The value as it was written.
    pub(super) fn raw(&self, tag: u32) -> Option<&[u8]> {
        self.tags.iter().find(|(number, _)| *number == tag).map(|(_, value)| value.as_slice())
    }

    fn read_as<'a, T>(&'a self, tag: u32, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Field<T> {
        match self.raw(tag) {
            None => Field::Absent,
            Some(raw) => read(raw).map_or(Field::Unreadable, Field::Value),
        }
    }

    /// A presence tag: NULL.
    pub(super) fn flag(&self, tag: u32) -> Field<()> {
        self.read_as(tag, |raw| content(raw, Tag::Null).filter(|c| c.is_empty()).map(|_| ()))
    }

    pub(super) fn integer(&self, tag: u32) -> Field<u64> {
        self.read_as(tag, |raw| u64::from_der(raw).ok())
    }

    /// A SET OF INTEGER. Many devices do not sort it.
    pub(super) fn set(&self, tag: u32) -> Field<Vec<u64>> {
        self.read_as(tag, |raw| {
            let members = children(content(raw, Tag::Set)?, MAX_SET)?;
            members.into_iter().map(|m| u64::from_der(m).ok()).collect()
        })
    }

    pub(super) fn octets(&self, tag: u32) -> Field<&[u8]> {
        self.read_as(tag, |raw| content(raw, Tag::OctetString))
    }

    /// An OCTET STRING that holds text for people.
    pub(super) fn text(&self, tag: u32) -> Field<&str> {
        self.read_as(tag, |raw| {
            let text = std::str::from_utf8(content(raw, Tag::OctetString)?).ok()?;
            (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
        })
    }

    pub(super) fn root_of_trust(&self) -> Field<RootOfTrust> {
        self.read_as(tags::ROOT_OF_TRUST, RootOfTrust::read)
    }

    pub(super) fn application_id(&self) -> Field<ApplicationId> {
        self.read_as(tags::ATTESTATION_APPLICATION_ID, |raw| {
            ApplicationId::read(content(raw, Tag::OctetString)?)
        })
    }
}

impl RootOfTrust {
    fn read(tlv: &[u8]) -> Option<Self> {
        let fields = sequence(tlv, 4)?;
        let [key, locked, state, rest @ ..] = fields.as_slice() else { return None };
        let [locked] = content(locked, Tag::Boolean)? else { return None };
        let state = match enumerated(state)? {
            0 => BootState::Verified,
            1 => BootState::SelfSigned,
            2 => BootState::Unverified,
            3 => BootState::Failed,
            _ => return None,
        };
        let boot_hash = match rest {
            [] => None,
            [hash, ..] => Some(content(hash, Tag::OctetString)?.to_vec()),
        };
        Some(Self {
            boot_key: content(key, Tag::OctetString)?.to_vec(),
            locked: *locked != 0,
            state,
            boot_hash,
            der_boolean: matches!(*locked, 0 | 0xff),
        })
    }
}

impl ApplicationId {
    fn read(der: &[u8]) -> Option<Self> {
        let fields = sequence(der, 2)?;
        let [packages, signers] = fields.as_slice() else { return None };
        let mut id = Self { packages: Vec::new(), signers: Vec::new() };
        for package in children(content(packages, Tag::Set)?, MAX_PACKAGES)? {
            let fields = sequence(package, 2)?;
            let [name, version] = fields.as_slice() else { return None };
            let name = std::str::from_utf8(content(name, Tag::OctetString)?).ok()?;
            id.packages.push((name.to_owned(), u64::from_der(version).ok()?));
        }
        for signer in children(content(signers, Tag::Set)?, MAX_SIGNERS)? {
            id.signers.push(content(signer, Tag::OctetString)?.to_vec());
        }
        Some(id)
    }
}

/// An ENUMERATED of one byte.
pub(super) fn enumerated(tlv: &[u8]) -> Option<u8> {
    let any = AnyRef::from_der(tlv).ok()?;
    match (any.header().tag(), any.value()) {
        (Tag::Enumerated, [value]) if *value < 0x80 => Some(*value),
        _ => None,
    }
}
