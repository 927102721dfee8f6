//! DICE chains (Open Profile for DICE, with Android's profiles).

use super::super::checks as ck;
use super::cose::{self, CoseKey, KeyFault, Sign1};
use crate::checks::Checks;
use crate::crypto::{Hash, PublicKey};
use crate::wire::cbor::{self, Item, Map};

/// No device has more stages.
const MAX_ENTRIES: usize = 32;

mod label {
    pub(super) const ISSUER: i128 = 1;
    pub(super) const SUBJECT: i128 = 2;
    pub(super) const CODE_HASH: i128 = -4_670_545;
    pub(super) const CONFIG_HASH: i128 = -4_670_547;
    pub(super) const CONFIG: i128 = -4_670_548;
    pub(super) const AUTHORITY_HASH: i128 = -4_670_549;
    pub(super) const MODE: i128 = -4_670_551;
    pub(super) const KEY: i128 = -4_670_552;
    pub(super) const USAGE: i128 = -4_670_553;
    pub(super) const PROFILE: i128 = -4_670_554;
    pub(super) const SECURITY_VERSION: i128 = -70_005;
    pub(super) const RKP_VM: i128 = -70_006;
}

/// A stage of the boot, as the stage before it describes it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    issuer: String,
    subject: String,
    mode: Option<i128>,
    pub(super) key: CoseKey,
    profile: Option<String>,
    pub(super) is_rkp_vm: bool,
}

/// A chain whose every signature holds.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) root: CoseKey,
    pub(super) messages: Vec<Sign1<'a>>,
    pub(super) entries: Vec<Entry>,
}

impl Chain<'_> {
    /// The key of the last stage: it signs the request.
    pub(super) fn last_key(&self) -> &CoseKey {
        self.entries.last().map_or(&self.root, |e| &e.key)
    }

    /// One entry that its own key signed: no DICE at all.
    pub(super) fn is_degenerate(&self) -> bool {
        matches!(self.entries.as_slice(), [only] if only.key.key == self.root.key)
    }
}

/// Whether an item has the form of a DICE chain, in order or not.
pub(super) fn looks_like_chain(items: &[Item<'_>]) -> bool {
    let [root, first, ..] = items else { return false };
    root.as_map().is_some_and(|m| m.int_key(1).is_some() && m.int_key(3).is_some())
        && first.as_array().is_some_and(|a| a.len() == 4 && a.first().is_some_and(|p| p.as_bytes().is_some()))
}

/// Reads and verifies a chain; what is wrong is recorded.
pub(super) fn check<'a>(items: &[Item<'a>], place: &str, checks: &mut Checks) -> Option<Chain<'a>> {
    let place = || place.to_owned();
    let Some((root, rest)) =
        items.split_first().filter(|(_, rest)| !rest.is_empty() && rest.len() <= MAX_ENTRIES)
    else {
        checks.fail(&ck::RKP_FORMAT, place(), "the DICE chain has no entry, or too many");
        return None;
    };
    let root = match root.as_map().ok_or(KeyFault::Form).and_then(|m| cose::key(m, &[])) {
        Ok(key) => key,
        Err(KeyFault::Label(label)) => {
            let detail = format!("the root key of the DICE chain has label {label}");
            checks.fail(&ck::COSE_KEY_DISALLOWED_LABEL, place(), detail);
            return None;
        }
        Err(KeyFault::Form) => {
            checks.fail(
                &ck::RKP_FORMAT,
                place(),
                "the root of the DICE chain is no COSE key of a known kind",
            );
            return None;
        }
    };
    checks.pass(&ck::COSE_KEY_DISALLOWED_LABEL, place(), "the root key has the members of a public key");
    let mut chain = Chain { root, messages: Vec::new(), entries: Vec::new() };
    for (number, item) in (1_usize..).zip(rest) {
        let Some(message) = Sign1::read(item) else {
            checks.fail(
                &ck::RKP_FORMAT,
                place(),
                format!("entry {number} is no COSE_Sign1 with an algorithm alone"),
            );
            return None;
        };
        // A chain of one self-signed entry is signed by the root key as well.
        if !message.is_signed_by(chain.last_key()) {
            let detail = format!("entry {number} is not signed by the key before it");
            checks.fail(&ck::DICE_SIGNATURE, place(), detail);
            return None;
        }
        match Entry::read(message.payload) {
            Ok(entry) => chain.entries.push(entry),
            Err(why) => {
                checks.fail(&ck::RKP_FORMAT, place(), format!("entry {number}: {why}"));
                return None;
            }
        }
        chain.messages.push(message);
    }
    checks.pass(
        &ck::DICE_SIGNATURE,
        place(),
        format!("{} entries, each signed by the key before it", rest.len()),
    );
    if let Some(why) = broken_sequence(&chain) {
        checks.fail(&ck::RKP_FORMAT, place(), why);
        return None;
    }
    modes(&chain, place(), checks);
    Some(chain)
}

fn modes(chain: &Chain<'_>, place: String, checks: &mut Checks) {
    const NORMAL: i128 = 1;
    const DEBUG: i128 = 2;
    if chain.is_degenerate() {
        let detail = "one entry, signed by its own key: the device has no DICE";
        checks.fail(&ck::RKP_DEGENERATE_CHAIN, place, detail);
        return;
    }
    checks.pass(&ck::RKP_DEGENERATE_CHAIN, place.clone(), "the chain comes from DICE");
    let bad = (1_usize..).zip(&chain.entries).find(|(number, entry)| {
        // In the first profile the root of a device may be in debug mode.
        let first = *number == 1 && entry.profile.as_deref().is_none_or(|p| p == "android.14");
        entry.mode != Some(NORMAL) && !(first && entry.mode == Some(DEBUG))
    });
    match bad {
        None => checks.pass(&ck::DICE_MODE_NOT_NORMAL, place, "every stage ran in normal mode"),
        Some((number, entry)) => {
            let mode = entry.mode.map_or_else(|| "not stated".to_owned(), |m| m.to_string());
            let detail = format!("entry {number} ({}): mode {mode}", entry.subject);
            checks.fail(&ck::DICE_MODE_NOT_NORMAL, place, detail);
        }
    }
}

/// Names that do not follow on each other, and names or keys that occur twice.
fn broken_sequence(chain: &Chain<'_>) -> Option<String> {
    if chain.is_degenerate() {
        return None;
    }
    let mut subjects: Vec<&str> = Vec::new();
    let mut keys: Vec<&PublicKey> = vec![&chain.root.key];
    for (number, entry) in (1_usize..).zip(&chain.entries) {
        if subjects.last().is_some_and(|last| *last != entry.issuer) {
            return Some(format!("the issuer of entry {number} is not the subject before it"));
        }
        if subjects.contains(&entry.subject.as_str()) || keys.contains(&&entry.key.key) {
            return Some(format!("subject or key of entry {number} is there twice"));
        }
        subjects.push(&entry.subject);
        keys.push(&entry.key.key);
    }
    None
}

impl Entry {
    pub(super) fn read(payload: &[u8]) -> Result<Self, String> {
        let item = cbor::read(payload).map_err(|e| e.to_string())?;
        let map = item.as_map().ok_or("not a map")?;
        for (label, _) in map.entries() {
            match label.as_int() {
                Some(1 | 2 | -4_670_554..=-4_670_545) => {}
                Some(other) => return Err(format!("label {other} is not known")),
                None => return Err("a label is not a number".to_owned()),
            }
        }
        let text = |label: i128, what: &str| {
            map.int_key(label)
                .and_then(Item::as_text)
                .map(str::to_owned)
                .ok_or_else(|| format!("{what} is not text"))
        };
        let bytes = |label: i128| map.int_key(label).and_then(Item::as_bytes);
        // keyCertSign and nothing else, little-endian
        if !bytes(label::USAGE)
            .and_then(<[u8]>::split_first)
            .is_some_and(|(first, rest)| *first == 0x20 && rest.iter().all(|b| *b == 0))
        {
            return Err("its key usage is not keyCertSign alone".to_owned());
        }
        let key = bytes(label::KEY).ok_or("it has no public key")?;
        let key = cbor::read(key).map_err(|e| format!("its key: {e}"))?;
        let key = key.as_map().ok_or(KeyFault::Form).and_then(|m| cose::key(m, &[]));
        let key = key.map_err(|_| "its key is no COSE key of a known kind")?;
        let profile = map.int_key(label::PROFILE).and_then(Item::as_text).map(str::to_owned);
        let config = bytes(label::CONFIG).and_then(|c| cbor::read(c).ok());
        let config = config.as_ref().and_then(Item::as_map);
        hashes(map, profile.as_deref(), config)?;
        Ok(Self {
            issuer: text(label::ISSUER, "its issuer")?,
            subject: text(label::SUBJECT, "its subject")?,
            mode: match map.int_key(label::MODE) {
                Some(Item::Int(mode)) if profile.as_deref().is_none_or(|p| p == "android.14") => Some(*mode),
                Some(Item::Bytes([mode])) => Some(i128::from(*mode)),
                _ => None,
            },
            key,
            profile,
            is_rkp_vm: config.is_some_and(|c| matches!(c.int_key(label::RKP_VM), Some(Item::Null))),
        })
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }
}

/// Digests of SHA-256, SHA-384 or SHA-512, each entry with one of them.
fn hashes(map: &Map<'_>, profile: Option<&str>, config: Option<&Map<'_>>) -> Result<(), String> {
    let mut sizes = Vec::new();
    for label in [label::CODE_HASH, label::CONFIG_HASH, label::AUTHORITY_HASH] {
        let Some(hash) = map.int_key(label) else { continue };
        let hash = hash.as_bytes().filter(|h| matches!(h.len(), 32 | 48 | 64));
        let hash = hash.ok_or_else(|| format!("{label} is no digest"))?;
        // In the first profile the authority hash may be of another kind.
        if label != label::AUTHORITY_HASH || profile.is_some_and(|p| p != "android.14") {
            sizes.push(hash.len());
        }
    }
    if sizes.windows(2).any(|pair| matches!(pair, [a, b] if a != b)) {
        return Err("its digests are of different kinds".to_owned());
    }
    if profile == Some("android.16") {
        let descriptor = map.int_key(label::CONFIG).and_then(Item::as_bytes).unwrap_or_default();
        let stated = map.int_key(label::CONFIG_HASH).and_then(Item::as_bytes).unwrap_or_default();
        let kinds = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let right = kinds.iter().any(|h| h.output_len() == stated.len() && h.digest(descriptor) == stated);
        if !right {
            return Err("its configuration has another digest than it states".to_owned());
        }
        let version = config.and_then(|c| c.int_key(label::SECURITY_VERSION)?.as_int());
        if version.is_none() {
            return Err("its configuration has no security version".to_owned());
        }
    }
    Ok(())
}
