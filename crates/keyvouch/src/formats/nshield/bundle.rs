//! The bundle: a JSON object whose binary members are base64url text. Nothing here is authentic.

use serde_json::{Map, Value};

use super::keys::{self, KeyHash};
use crate::input::decode_base64;
use crate::wire::bytes::contains;

/// A real one has 6 to 7 KB.
pub(super) const MAX_SIZE: usize = 64 << 10;
/// Longer names of cipher suites are not taken.
const MAX_SUITE: usize = 64;

/// The members that every bundle has, beside `pubkeydata`: evidence is recognised by them.
const ALWAYS: [&str; 6] = ["kcmsg", "kcsig", "modstatemsg", "modstatesig", "warrant", "root"];
/// Fewer of them, and it is something else.
const RECOGNISED_FROM: usize = 4;
const KEY: &str = "pubkeydata";

const KNSO: &str = "knsopub";
const HKM: &str = "hkm";
const HKMC: &str = "hkmc";
const SUITE: &str = "ciphersuite";
const HKFIPS: &str = "hkfips";
const BINDING: &str = "CertKMaKMCbKNSO";
const FIPS_BINDING: &str = "CertKMaKMCaKFIPSbKNSO";
const HKRE: &str = "hkre";
const HKRA: &str = "hkra";
const RECOVERY_BINDING: &str = "CertKREaKRAbKNSO";
const OPTIONAL: [&str; 10] =
    [KNSO, HKM, HKMC, SUITE, HKFIPS, BINDING, FIPS_BINDING, HKRE, HKRA, RECOVERY_BINDING];

/// Whether a JSON object is a bundle, perhaps an incomplete one.
pub(super) fn is_bundle(object: &Map<String, Value>) -> bool {
    ALWAYS.iter().filter(|name| object.contains_key(**name)).count() >= RECOGNISED_FROM
}

/// Whether text that begins like a JSON object and cannot be read was to be a bundle.
pub(super) fn looks_like_bundle(text: &[u8]) -> bool {
    let text = text.get(..MAX_SIZE).unwrap_or(text);
    let has = |name: &str| {
        let quoted = format!("\"{name}\"");
        contains(text, quoted.as_bytes())
    };
    text.iter().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xef | 0xbb | 0xbf)) == Some(&b'{')
        && ALWAYS.iter().filter(|name| has(name)).count() >= RECOGNISED_FROM
}

/// The members, decoded. Hashes are read as such; keys and signed structures are not yet.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) key: Vec<u8>,
    pub(super) key_certificate: Vec<u8>,
    pub(super) key_signature: Vec<u8>,
    pub(super) state: Vec<u8>,
    pub(super) state_signature: Vec<u8>,
    pub(super) warrant: Vec<u8>,
    pub(super) root: String,
    pub(super) knso: Option<Vec<u8>>,
    pub(super) hkm: Option<KeyHash>,
    pub(super) hkmc: Option<KeyHash>,
    pub(super) suite: Option<String>,
    pub(super) hkfips: Option<KeyHash>,
    pub(super) binding: Option<Vec<u8>>,
    pub(super) fips_binding: Option<Vec<u8>>,
    pub(super) hkre: Option<KeyHash>,
    pub(super) hkra: Option<KeyHash>,
    pub(super) recovery_binding: Option<Vec<u8>>,
    /// How many members are not among those above.
    pub(super) unknown: usize,
}

impl Bundle {
    /// Reads the members. The error says everything that is wrong.
    pub(super) fn of(object: &Map<String, Value>) -> Result<Self, Vec<String>> {
        let mut members = Members { object, faults: Vec::new() };
        let unknown = object
            .keys()
            .filter(|k| *k != KEY && !ALWAYS.contains(&k.as_str()) && !OPTIONAL.contains(&k.as_str()));
        let bundle = Self {
            unknown: unknown.count(),
            key: members.needed(KEY),
            key_certificate: members.needed("kcmsg"),
            key_signature: members.needed("kcsig"),
            state: members.needed("modstatemsg"),
            state_signature: members.needed("modstatesig"),
            warrant: members.needed("warrant"),
            root: members.needed_text("root"),
            knso: members.bytes(KNSO),
            hkm: members.hash(HKM),
            hkmc: members.hash(HKMC),
            suite: members.suite(),
            hkfips: members.hash(HKFIPS),
            binding: members.bytes(BINDING),
            fips_binding: members.bytes(FIPS_BINDING),
            hkre: members.hash(HKRE),
            hkra: members.hash(HKRA),
            recovery_binding: members.bytes(RECOVERY_BINDING),
        };
        if members.faults.is_empty() { Ok(bundle) } else { Err(members.faults) }
    }

    /// The members that bind a key to a Security World, by name, without the signature.
    pub(super) fn missing_world_members(&self) -> Vec<&'static str> {
        let there = [
            (KNSO, self.knso.is_some()),
            (HKM, self.hkm.is_some()),
            (HKMC, self.hkmc.is_some()),
            (SUITE, self.suite.is_some()),
        ];
        there.iter().filter(|(_, is)| !is).map(|(name, _)| *name).collect()
    }

    /// Whether nothing in the bundle speaks of a Security World: the key was never stored.
    pub(super) fn is_of_session_key(&self) -> bool {
        self.missing_world_members().len() == 4
            && self.binding.is_none()
            && self.fips_binding.is_none()
            && self.hkfips.is_none()
    }
}

struct Members<'a> {
    object: &'a Map<String, Value>,
    faults: Vec<String>,
}

impl Members<'_> {
    fn text(&mut self, name: &str) -> Option<&str> {
        match self.object.get(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.faults.push(format!("member {name} is not a text"));
                None
            }
        }
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let text = self.text(name)?.as_bytes().to_vec();
        // base64url (RFC 4648, section 5), nothing else; padding may be missing.
        let url = text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='));
        let decoded = if url { decode_base64(&text) } else { None };
        if decoded.is_none() {
            self.faults.push(format!("member {name} is not base64url text"));
        }
        decoded
    }

    fn needed(&mut self, name: &str) -> Vec<u8> {
        self.must_be_there(name);
        self.bytes(name).unwrap_or_default()
    }

    fn needed_text(&mut self, name: &str) -> String {
        self.must_be_there(name);
        self.text(name).unwrap_or_default().to_owned()
    }

    fn must_be_there(&mut self, name: &str) {
        if !self.object.contains_key(name) {
            self.faults.push(format!("member {name} is missing"));
        }
    }

    fn hash(&mut self, name: &str) -> Option<KeyHash> {
        let hash = keys::hash_ex(&self.bytes(name)?);
        hash.map_err(|why| self.faults.push(format!("member {name} is not a marshalled key hash: {why}")))
            .ok()
    }

    /// The name goes into a message that is signed, so it must not be able to imitate what follows it.
    fn suite(&mut self) -> Option<String> {
        let text = self.text(SUITE)?.to_owned();
        let good = (1..=MAX_SUITE).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !good {
            self.faults.push(format!("member {SUITE} is not a name of letters and digits"));
        }
        good.then_some(text)
    }
}
