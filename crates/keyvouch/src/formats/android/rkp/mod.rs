//! The request that a device makes to Google's provisioning server for certificates of its *attestation* keys, and bare
//! DICE chains.
//!
//! It says nothing about a subscriber's key. It is judged for its consistency; whether its root key is a device's only
//! the maker knows, so without an anchor of the operator's (role `uds`, or a bare key) it stays undecided.

mod cose;
mod device;
mod dice;
mod request;
mod trust;
mod uds;

pub(super) use self::trust::UDS;

use serde_json::{Value, json};

use super::checks as ck;
use crate::formats::{Context, Statement};
use crate::input::{Content, PartId, decode_base64, parse_json};
use crate::wire::cbor::{self, Item};

/// More requests than one file holds.
const MAX_LINES: usize = 64;
/// No request comes near this.
const MAX_REQUEST: usize = 64 * 1024;

/// Bytes that are a request or a chain, and where they were.
struct Found {
    id: PartId,
    place: String,
    bytes: Vec<u8>,
}

/// What bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RequestV3,
    /// Versions 1 and 2: encrypted.
    RequestOld,
    Chain,
}

impl Kind {
    fn of(bytes: &[u8]) -> Option<Self> {
        match cbor::read(bytes) {
            Ok(item) => Self::of_item(&item),
            // Damaged; what it began as can still be told.
            Err(_) => match bytes {
                [0x84 | 0x85, 0x01, 0xa0..=0xbf, rest @ ..] if rest.len() > 64 => Some(Self::RequestV3),
                [0x84 | 0x85, 0x82, 0xa8..=0xb7, rest @ ..] if rest.len() > 64 => Some(Self::RequestOld),
                _ => None,
            },
        }
    }

    fn of_item(item: &Item<'_>) -> Option<Self> {
        let items = item.as_array()?;
        match items {
            [Item::Int(_), Item::Map(_), Item::Array(chain), ..] if dice::looks_like_chain(chain) => {
                Some(Self::RequestV3)
            }
            [Item::Array(info), Item::Bytes(_), Item::Array(_), Item::Array(_), ..] => {
                let maps = info.len() == 2 && info.iter().all(|i| i.as_map().is_some());
                maps.then_some(Self::RequestOld)
            }
            _ if dice::looks_like_chain(items) => Some(Self::Chain),
            _ => None,
        }
    }
}

pub(super) fn appraise(cx: &Context<'_>) -> Vec<Statement> {
    found(cx).into_iter().filter_map(|found| judge(&found, cx)).collect()
}

pub(super) fn inspect(cx: &Context<'_>) -> Vec<Value> {
    let view = |found: Found| {
        let kind = match Kind::of(&found.bytes)? {
            Kind::RequestV3 => "provisioning request, version 3",
            Kind::RequestOld => "provisioning request, version 1 or 2 (encrypted to Google)",
            Kind::Chain => "DICE chain",
        };
        let item = cbor::read(&found.bytes).ok();
        Some(json!({ "kind": kind, "where": found.place, "content": item.as_ref().map(shown) }))
    };
    found(cx).into_iter().filter_map(view).collect()
}

/// CBOR for people. Byte strings that hold CBOR are opened where they are signed payloads.
fn shown(item: &Item<'_>) -> Value {
    match item {
        Item::Int(n) => json!(n.to_string()),
        Item::Bytes(bytes) => match cbor::read(bytes) {
            Ok(inner @ (Item::Map(_) | Item::Array(_))) => shown(&inner),
            _ => json!(hex::encode(bytes)),
        },
        Item::Text(text) => json!(text),
        Item::Array(items) => Value::Array(items.iter().map(shown).collect()),
        Item::Map(map) => {
            let members = map.entries().map(|(k, v)| {
                (shown(k).as_str().map_or_else(|| shown(k).to_string(), str::to_owned), shown(v))
            });
            Value::Object(members.collect())
        }
        Item::Bool(b) => json!(b),
        _ => Value::Null,
    }
}

/// Candidates: binary parts, and `csr` members of JSON and of JSON lines.
fn found(cx: &Context<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    for (id, part) in cx.parts.evidence() {
        match &part.content {
            Content::Binary => {
                all.push(Found { id, place: part.place.clone(), bytes: part.bytes.to_vec() });
            }
            Content::Json(value) => all.extend(in_json(id, &part.place, value)),
            Content::BrokenJson(_) => {
                let lines = part.bytes.split(|b| *b == b'\n').take(MAX_LINES);
                for (number, line) in (1_usize..).zip(lines) {
                    let place = format!("{} › line {number}", part.place);
                    all.extend(parse_json(line).ok().and_then(|value| in_json(id, &place, &value)));
                }
            }
            _ => {}
        }
    }
    all.retain(|found| found.bytes.len() <= MAX_REQUEST && Kind::of(&found.bytes).is_some());
    all
}

fn in_json(id: PartId, place: &str, value: &Value) -> Option<Found> {
    let bytes = decode_base64(value.get("csr")?.as_str()?.as_bytes())?;
    Some(Found { id, place: format!("{place} › /csr"), bytes })
}

fn judge(found: &Found, cx: &Context<'_>) -> Option<Statement> {
    let mut statement = Statement::default();
    let checks = &mut statement.checks;
    let place = found.place.as_str();
    let kind = Kind::of(&found.bytes)?;
    let label = match kind {
        Kind::RequestV3 => "provisioning request of a device",
        Kind::RequestOld => "provisioning request of a device, encrypted",
        Kind::Chain => "DICE chain",
    };
    statement.labels.push((found.id, label.into()));
    if kind == Kind::RequestOld {
        let detail = "a request of version 1 or 2: its content is encrypted to Google's server";
        checks.fail(&ck::RKP_V2_ENCRYPTED, place.to_owned(), detail);
        return Some(statement);
    }
    let item = match cbor::read(&found.bytes) {
        Ok(item) => item,
        Err(why) => {
            checks.fail(&ck::RKP_FORMAT, place.to_owned(), why.to_string());
            return Some(statement);
        }
    };
    let items = item.as_array()?;
    if kind == Kind::RequestV3 {
        request::judge(items, place, cx, &mut statement);
    } else if let Some(chain) = dice::check(items, place, checks) {
        checks.pass(&ck::RKP_FORMAT, place.to_owned(), "a DICE chain");
        let root = trust::root_key(&chain.root.key, None, place, cx, checks);
        statement.attested = root.and_then(|root| trust::attest_chain(&chain, root));
    }
    Some(statement)
}
