//! The claims: what a module says of itself, and of the objects in it.
//!
//! ```text
//! SetOfClaims ::= SEQUENCE { version INTEGER (1), claims SEQUENCE OF Claim }
//! Claim       ::= SEQUENCE { predicate OBJECT IDENTIFIER, subject [0] Subject OPTIONAL, complement [1] Complement OPTIONAL }
//! Subject     ::= [0] IMPLICIT OCTET STRING (SIZE 16)      -- also inside a SEQUENCE, as the maker's text has it
//! Complement  ::= CHOICE { bytes [0] OCTET STRING, utf8 [1] UTF8String, time [2] GeneralizedTime, int [3] INTEGER }
//! ```
//!
//! A module puts in only what holds: an absent claim proves nothing, neither way.

use std::collections::BTreeMap;

use der::asn1::{GeneralizedTime, ObjectIdentifier};
use der::{Decode, Tag, TagNumber};

use super::message::{tagged, version_1};
use crate::crypto::{PublicKey, sha256};
use crate::time::Time;
use crate::wire::der::{content, sequence, single};

const MAX_CLAIMS: usize = 1024;

const ARC: &str = "1.3.6.1.4.1.39901.6.";

/// Which object of the module a claim is about: its UUID.
pub(super) type Uuid = [u8; 16];

/// What a claim is about, beyond its predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Complement {
    None,
    Bytes(Vec<u8>),
    Text(String),
    Time(Time),
    Int(i64),
}

impl Complement {
    /// For people.
    pub(super) fn display(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Bytes(bytes) => hex::encode(bytes),
            Self::Text(text) => text.clone(),
            Self::Time(time) => time.to_string(),
            Self::Int(number) => number.to_string(),
        }
    }
}

/// The form of a claim.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Without complement.
    Mark,
    Bytes,
    Text,
    Time,
    Int,
    /// Of a form that is not known.
    Any,
}

/// A predicate of the maker's list.
struct Predicate {
    suffix: &'static str,
    name: &'static str,
    /// Whether it is about an object; else about the module.
    of_object: bool,
    form: Form,
    /// Whether there can be several of it for one object.
    several: bool,
}

impl Predicate {
    /// What is asked of the bytes of a complement.
    fn is_well_formed(&self, complement: &Complement) -> bool {
        match (self.name, complement) {
            (QASM_UUID, Complement::Bytes(uuid)) => uuid.len() == 16,
            (KEY_SPKI, Complement::Bytes(spki)) => PublicKey::from_spki_der(spki).is_ok(),
            (KEY_SPKI_SHA256, Complement::Bytes(digest)) => digest.len() == 32,
            _ => true,
        }
    }
}

const fn of_module(suffix: &'static str, name: &'static str, form: Form) -> Predicate {
    Predicate { suffix, name, of_object: false, form, several: false }
}
const fn of_object(suffix: &'static str, name: &'static str, form: Form, several: bool) -> Predicate {
    Predicate { suffix, name, of_object: true, form, several }
}

pub(super) const QASM_UUID: &str = "qasm-uuid";
pub(super) const QASM_SERIAL: &str = "qasm-serial";
pub(super) const ATTESTATION_TIME: &str = "attestation-time";
pub(super) const FIRMWARE: &str = "qasm-firmware-version";
pub(super) const CERTIFIED_PRODUCTION: &str = "qasm-certified-production";
pub(super) const FIPS_MODE: &str = "qasm-is-in-fips-mode";
pub(super) const UNIQUE_KEYS: &str = "attestation-keys-are-unique";
pub(super) const KEY_SPKI: &str = "key-spki";
pub(super) const KEY_SPKI_SHA256: &str = "key-spki-sha256";
pub(super) const OBJECT_CLASS: &str = "object-class";
pub(super) const OBJECT_TYPE: &str = "object-type";
pub(super) const OBJECT_KEYSTORE: &str = "object-keystore";
pub(super) const CONFINED: &str = "key-is-confined";
pub(super) const HARDWARE_GENERATED: &str = "key-is-hardware-generated";
pub(super) const NEVER_EXTRACTED: &str = "key-never-extracted";
pub(super) const MANAGED: &str = "key-is-managed";
pub(super) const NOT_MANAGED: &str = "key-is-not-managed";
pub(super) const HAS_CAPABILITY: &str = "key-has-capability";
pub(super) const LACKS_CAPABILITY: &str = "key-does-not-have-capability";
pub(super) const ARCHIVED_BY: &str = "key-is-archived-by";

/// Object identifiers below 1.3.6.1.4.1.39901.6, as they stand in real messages (the PKI Consortium's page prints them
/// with one arc more; those are not accepted).
const PREDICATES: &[Predicate] = &[
    of_module("1.0", QASM_UUID, Form::Bytes),
    of_module("1.1", QASM_SERIAL, Form::Text),
    of_module("1.2", ATTESTATION_TIME, Form::Time),
    of_module("1.3", FIRMWARE, Form::Text),
    of_module("1.4", CERTIFIED_PRODUCTION, Form::Mark),
    of_module("1.5", FIPS_MODE, Form::Mark),
    of_module("2.0", UNIQUE_KEYS, Form::Mark),
    of_object("2.1", KEY_SPKI, Form::Bytes, false),
    of_object("2.2", "key-fingerprint", Form::Any, true),
    of_object("2.3", KEY_SPKI_SHA256, Form::Bytes, false),
    of_object("2.4", OBJECT_CLASS, Form::Int, false),
    of_object("2.5", OBJECT_TYPE, Form::Int, false),
    of_object("2.6", OBJECT_KEYSTORE, Form::Int, false),
    of_object("2.7", CONFINED, Form::Mark, false),
    of_object("2.8", HARDWARE_GENERATED, Form::Mark, false),
    of_object("2.9", NEVER_EXTRACTED, Form::Mark, false),
    of_object("2.10", MANAGED, Form::Any, true),
    of_object("2.11", NOT_MANAGED, Form::Any, true),
    of_object("2.13", HAS_CAPABILITY, Form::Int, true),
    of_object("2.14", LACKS_CAPABILITY, Form::Int, true),
    of_object("2.15", "key-is-related-to-authority", Form::Any, true),
    of_object("2.16", ARCHIVED_BY, Form::Any, true),
];

/// The claims of a message, by what they are about.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    pub(super) module: About,
    pub(super) objects: BTreeMap<Uuid, About>,
    /// Predicates that are not on the list, for people.
    pub(super) unknown: Vec<String>,
}

/// The claims about one thing, by the name of the predicate.
#[derive(Debug, Clone, Default)]
pub(super) struct About(BTreeMap<&'static str, Vec<Complement>>);

impl About {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn all(&self, name: &str) -> &[Complement] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name)
            .iter()
            .find_map(|c| if let Complement::Text(text) = c { Some(text.as_str()) } else { None })
    }

    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.all(name)
            .iter()
            .find_map(|c| if let Complement::Bytes(bytes) = c { Some(bytes.as_slice()) } else { None })
    }

    pub(super) fn time(&self, name: &str) -> Option<Time> {
        self.all(name).iter().find_map(|c| if let Complement::Time(time) = c { Some(*time) } else { None })
    }

    /// The numbers of a claim, in order.
    pub(super) fn numbers(&self, name: &str) -> Vec<i64> {
        self.all(name)
            .iter()
            .filter_map(|c| if let Complement::Int(n) = c { Some(*n) } else { None })
            .collect()
    }

    /// Names and complements, for people.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'static str, &[Complement])> {
        self.0.iter().map(|(name, complements)| (*name, complements.as_slice()))
    }

    /// The key that the object holds, where the claim has it.
    pub(super) fn key(&self) -> Option<PublicKey> {
        PublicKey::from_spki_der(self.bytes(KEY_SPKI)?).ok()
    }

    /// Whether the object holds this key, by the key itself or by its digest.
    pub(super) fn holds(&self, key: &PublicKey) -> bool {
        match self.bytes(KEY_SPKI) {
            Some(_) => self.key().as_ref() == Some(key),
            None => self.bytes(KEY_SPKI_SHA256) == Some(&key.spki_sha256()[..]),
        }
    }
}

impl Claims {
    /// Reads SetOfClaims; an error says what is wrong with it.
    pub(super) fn read(set: &[u8]) -> Result<Self, String> {
        let fields = sequence(set, 2).ok_or("the claims are not a SEQUENCE of two")?;
        let [version, list] = fields.as_slice() else { return Err("the claims lack a field".to_owned()) };
        version_1(version)?;
        let list = sequence(list, MAX_CLAIMS).ok_or("the list of claims is no SEQUENCE, or too long")?;
        let mut claims = Self { module: About::default(), objects: BTreeMap::new(), unknown: Vec::new() };
        for claim in list {
            claims.add(claim)?;
        }
        Ok(claims)
    }

    fn add(&mut self, claim: &[u8]) -> Result<(), String> {
        let members = sequence(claim, 3).ok_or("a claim is not a SEQUENCE of its members")?;
        let [predicate, members @ ..] = members.as_slice() else { return Err("an empty claim".to_owned()) };
        let oid: ObjectIdentifier =
            ObjectIdentifier::from_der(predicate).map_err(|_| "a claim without predicate")?;
        let oid = oid.to_string();
        let (subject, complement) = match members {
            [] => (None, None),
            [subject, complement] => (tagged(subject, 0), tagged(complement, 1)),
            [one] => (tagged(one, 0), tagged(one, 1)),
            _ => (None, None),
        };
        let wrong = |why: &str| format!("claim {oid}: {why}");
        if usize::from(subject.is_some()).saturating_add(usize::from(complement.is_some())) != members.len() {
            return Err(wrong("has a member that it should not have"));
        }
        let subject =
            subject.map(|s| read_subject(s).ok_or_else(|| wrong("its subject is not a UUID"))).transpose()?;
        let complement = match complement {
            None => Complement::None,
            Some(value) => read_complement(value).ok_or_else(|| wrong("its complement cannot be read"))?,
        };
        let known = oid.strip_prefix(ARC).and_then(|suffix| PREDICATES.iter().find(|p| p.suffix == suffix));
        let Some(known) = known else {
            self.unknown.push(format!("{oid} {}", complement.display()).trim_end().to_owned());
            return Ok(());
        };
        if subject.is_some() != known.of_object {
            return Err(wrong(if known.of_object { "names no object" } else { "names an object" }));
        }
        if !known.form.takes(&complement) {
            return Err(wrong("its complement is of another kind"));
        }
        if !known.is_well_formed(&complement) {
            return Err(wrong("its complement has not the form of its kind"));
        }
        let about = match subject {
            None => &mut self.module,
            Some(uuid) => self.objects.entry(uuid).or_default(),
        };
        let said = about.0.entry(known.name).or_default();
        // The same claim again says nothing new.
        if !said.contains(&complement) {
            said.push(complement);
        }
        Ok(())
    }

    /// Two claims that cannot both hold, if there are such.
    pub(super) fn conflict(&self) -> Option<String> {
        std::iter::once(("the module".to_owned(), &self.module))
            .chain(self.objects.iter().map(|(uuid, about)| (uuid_text(uuid), about)))
            .find_map(|(of, about)| about.conflict().map(|what| format!("{of}: {what}")))
    }
}

impl About {
    fn conflict(&self) -> Option<String> {
        let single = |name: &str| PREDICATES.iter().any(|p| p.name == name && !p.several);
        if let Some((name, _)) = self.entries().find(|(name, said)| single(name) && said.len() > 1) {
            return Some(format!("{name} is claimed with different values"));
        }
        let has = self.numbers(HAS_CAPABILITY);
        if let Some(number) = self.numbers(LACKS_CAPABILITY).iter().find(|number| has.contains(number)) {
            return Some(format!("capability {number} is claimed and denied"));
        }
        if self.has(MANAGED) && self.has(NOT_MANAGED) {
            return Some("the key is claimed to be managed and not to be".to_owned());
        }
        let digest = self.bytes(KEY_SPKI).map(sha256);
        match (digest, self.bytes(KEY_SPKI_SHA256)) {
            (Some(of_key), Some(claimed)) if of_key != claimed => {
                Some("key-spki and key-spki-sha256 are of different keys".to_owned())
            }
            _ => None,
        }
    }
}

impl Form {
    fn takes(self, complement: &Complement) -> bool {
        match self {
            Self::Mark => *complement == Complement::None,
            Self::Bytes => matches!(complement, Complement::Bytes(_)),
            Self::Text => matches!(complement, Complement::Text(_)),
            Self::Time => matches!(complement, Complement::Time(_)),
            Self::Int => matches!(complement, Complement::Int(_)),
            Self::Any => true,
        }
    }
}

fn read_subject(value: &[u8]) -> Option<Uuid> {
    let inner = content(value, Tag::Sequence).unwrap_or(value);
    match single(inner)? {
        (Tag::ContextSpecific { constructed: false, number: TagNumber(0) }, uuid) => uuid.try_into().ok(),
        _ => None,
    }
}

fn read_complement(value: &[u8]) -> Option<Complement> {
    let (Tag::ContextSpecific { constructed: false, number: TagNumber(number) }, value) = single(value)?
    else {
        return None;
    };
    match number {
        0 => Some(Complement::Bytes(value.to_vec())),
        1 => std::str::from_utf8(value).ok().map(|text| Complement::Text(text.to_owned())),
        2 => read_time(value).map(Complement::Time),
        3 => read_integer(value).map(Complement::Int),
        _ => None,
    }
}

/// GeneralizedTime as DER has it: to the second, in UTC.
fn read_time(value: &[u8]) -> Option<Time> {
    let der = [&[0x18, u8::try_from(value.len()).ok().filter(|len| *len < 0x80)?], value].concat();
    let time = GeneralizedTime::from_der(&der).ok()?;
    i64::try_from(time.to_unix_duration().as_secs()).ok().map(Time::from_unix)
}

/// INTEGER of up to eight bytes, in the fewest.
fn read_integer(value: &[u8]) -> Option<i64> {
    let der = [&[0x02, u8::try_from(value.len()).ok().filter(|len| *len < 0x80)?], value].concat();
    i64::from_der(&der).ok()
}

/// A UUID as the maker prints it.
pub(super) fn uuid_text(uuid: &Uuid) -> String {
    let text = hex::encode(uuid);
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| text.get(range).unwrap_or_default());
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_strict() {
        assert_eq!(read_integer(&[1, 5]), Some(261));
        assert_eq!(read_integer(&[0xff]), Some(-1));
        assert_eq!(read_integer(&[0, 5]), None);
        assert_eq!(read_integer(&[]), None);
        assert_eq!(read_integer(&[1; 9]), None);
        assert_eq!(
            read_time(b"20240612143307Z").map(|t| t.to_string()).as_deref(),
            Some("2024-06-12T14:33:07Z")
        );
        for bad in
            [&b"240612143307Z"[..], b"20240612143307", b"20240612143307.5Z", b"20240612143307+0100", b""]
        {
            assert_eq!(read_time(bad), None);
        }
    }

    #[test]
    fn both_ways_to_write_a_subject() {
        let bare = [&[0x80, 16][..], &[7; 16]].concat();
        assert_eq!(read_subject(&bare), Some([7; 16]));
        assert_eq!(read_subject(&[&[0x30, 18][..], &bare].concat()), Some([7; 16]));
        assert_eq!(read_subject(&[0x80, 1, 7]), None);
    }
}
