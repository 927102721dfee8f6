//! The claims of EAR in CBOR: numbers instead of names, bytes instead of base64url (draft-ietf-rats-ear, 3; the
//! Veraison extensions; RFC 9711).
//!
//! One table says both directions. A claims set is handled in its JSON form; this is where it becomes CBOR and where
//! CBOR becomes it.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coset::cbor::{ser::into_writer, value::Value as Cbor};
use keyvouch::input::decode_base64;
use keyvouch::wire::cbor::{Item, Map as CborMap};
use serde_json::{Map, Value};

use crate::vector::{CLAIMS, Tier};

/// A claim: its name, its number, and what it holds.
struct Label {
    name: &'static str,
    key: i64,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int,
    /// One nonce or several.
    Nonce,
    Tier,
    Vector,
    /// Texts, or one alone as older profiles have it.
    Texts,
    Verifier,
    /// Claims sets by name.
    Submods,
    /// The SubjectPublicKeyInfo of the attested key, under its own label.
    Key,
    /// Bytes, or a wrapper (CMW) of them.
    Evidence,
    /// Whatever it is.
    Any,
}

const fn label(name: &'static str, key: i64, kind: Kind) -> Label {
    Label { name, key, kind }
}

const LABELS: &[Label] = &[
    label("iss", 1, Kind::Text),
    label("exp", 4, Kind::Int),
    label("nbf", 5, Kind::Int),
    label("iat", 6, Kind::Int),
    label("eat_nonce", 10, Kind::Nonce),
    label("eat_profile", 265, Kind::Text),
    label("submods", 266, Kind::Submods),
    label("ear_status", 1000, Kind::Tier),
    label("ear_trustworthiness_vector", 1001, Kind::Vector),
    label("ear_raw_evidence", 1002, Kind::Evidence),
    label("ear_appraisal_policy_ids", 1003, Kind::Texts),
    label("ear_verifier_id", 1004, Kind::Verifier),
    label("ear_attester_claims", 1005, Kind::Any),
    label("ear_verifier_claims", 1006, Kind::Any),
    label("ear_device_topology", 1007, Kind::Any),
    label("ear_teep_claims", 65_000, Kind::Any),
    label("ear_veraison_annotated_evidence", -70_000, Kind::Any),
    label("ear_veraison_policy_claims", -70_001, Kind::Any),
    label("ear_veraison_key_attestation", -70_002, Kind::Key),
];

/// How deep values of claims may nest.
const MAX_DEPTH: usize = 16;

/// A claims set as CBOR in its deterministic encoding (RFC 8949, 4.2.1). The error names a claim without a place there.
pub(crate) fn encode(claims: &Value) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    into_writer(&encode_set(claims)?, &mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}

fn encode_set(claims: &Value) -> Result<Cbor, String> {
    let members = claims.as_object().ok_or_else(|| "claims".to_owned())?;
    let mut entries = Vec::new();
    for (name, value) in members {
        let label = LABELS.iter().find(|l| l.name == name).ok_or_else(|| name.clone())?;
        entries.push((Cbor::from(label.key), encode_claim(label, value).ok_or_else(|| name.clone())?));
    }
    Ok(ordered(entries))
}

fn encode_claim(label: &Label, value: &Value) -> Option<Cbor> {
    let bytes = |value: &Value| value.as_str().and_then(|t| URL_SAFE_NO_PAD.decode(t).ok()).map(Cbor::Bytes);
    Some(match label.kind {
        Kind::Text => Cbor::Text(value.as_str()?.to_owned()),
        Kind::Int => Cbor::from(value.as_i64()?),
        Kind::Nonce => bytes(value)?,
        Kind::Tier => Cbor::from(Tier::of_word(value.as_str()?)?.number()),
        Kind::Vector => {
            let mut entries = Vec::new();
            for (name, value) in value.as_object()? {
                let key = CLAIMS.iter().position(|c| c == name)?;
                entries.push((Cbor::from(u64::try_from(key).ok()?), Cbor::from(value.as_i64()?)));
            }
            ordered(entries)
        }
        Kind::Verifier => {
            let text = |name| value.get(name)?.as_str().map(|t| Cbor::Text(t.to_owned()));
            ordered(vec![(Cbor::from(0), text("developer")?), (Cbor::from(1), text("build")?)])
        }
        Kind::Submods => {
            let mut entries = Vec::new();
            for (name, claims) in value.as_object()? {
                entries.push((Cbor::Text(name.clone()), encode_set(claims).ok()?));
            }
            ordered(entries)
        }
        Kind::Key => ordered(vec![(Cbor::from(0), bytes(value.get("akpub")?)?)]),
        Kind::Evidence => match value {
            Value::Array(record) => {
                let mut items = vec![encode_any(record.first()?, 0)?, bytes(record.get(1)?)?];
                if let Some(indicator) = record.get(2) {
                    items.push(encode_any(indicator, 0)?);
                }
                Cbor::Array(items)
            }
            _ => bytes(value)?,
        },
        Kind::Texts | Kind::Any => encode_any(value, 0)?,
    })
}

fn encode_any(value: &Value, depth: usize) -> Option<Cbor> {
    let inner = Some(depth.saturating_add(1)).filter(|d| *d < MAX_DEPTH)?;
    Some(match value {
        Value::Null => Cbor::Null,
        Value::Bool(b) => Cbor::Bool(*b),
        Value::Number(n) => Cbor::from(n.as_i64()?),
        Value::String(t) => Cbor::Text(t.clone()),
        Value::Array(items) => {
            Cbor::Array(items.iter().map(|i| encode_any(i, inner)).collect::<Option<_>>()?)
        }
        Value::Object(members) => {
            let entry = |(k, v): (&String, &Value)| Some((Cbor::Text(k.clone()), encode_any(v, inner)?));
            ordered(members.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}

/// A map with its entries in the order of their encoded keys.
fn ordered(entries: Vec<(Cbor, Cbor)>) -> Cbor {
    let mut keyed: Vec<(Vec<u8>, (Cbor, Cbor))> = entries
        .into_iter()
        .map(|entry| {
            let mut key = Vec::new();
            // Writing to a `Vec` cannot fail.
            let _ = into_writer(&entry.0, &mut key);
            (key, entry)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    Cbor::Map(keyed.into_iter().map(|(_, entry)| entry).collect())
}

/// A claims set in CBOR as JSON.
pub(crate) fn decode(item: &Item<'_>) -> Result<Value, String> {
    let map = item.as_map().ok_or_else(|| "the claims set is no map".to_owned())?;
    decode_set(map)
}

fn decode_set(map: &CborMap<'_>) -> Result<Value, String> {
    let mut members = Map::new();
    for (key, value) in map.entries() {
        let (name, value) = match key {
            Item::Int(number) => match LABELS.iter().find(|l| i128::from(l.key) == *number) {
                Some(label) => {
                    let fault = || format!("claim {number} ({}) is of another type", label.name);
                    (label.name.to_owned(), decode_claim(label, value)?.ok_or_else(fault)?)
                }
                None => (number.to_string(), decode_any(value, 0)?),
            },
            // What has a number must not come in by its name as well.
            Item::Text(name) if LABELS.iter().any(|l| l.name == *name) => {
                return Err(format!("claim {name:?} is written by its name; in CBOR it has a number"));
            }
            Item::Text(name) => ((*name).to_owned(), decode_any(value, 0)?),
            _ => return Err("a claim under a key that is neither number nor text".to_owned()),
        };
        insert(&mut members, name, value)?;
    }
    Ok(Value::Object(members))
}

/// The claim; inner `None` when it is of another type.
fn decode_claim(label: &Label, item: &Item<'_>) -> Result<Option<Value>, String> {
    let bytes = |item: &Item<'_>| item.as_bytes().map(|b| Value::from(URL_SAFE_NO_PAD.encode(b)));
    Ok(match label.kind {
        Kind::Text => item.as_text().map(Value::from),
        Kind::Int => item.as_int().and_then(|n| i64::try_from(n).ok()).map(Value::from),
        Kind::Nonce => match item.as_array() {
            Some(items) => items.iter().map(bytes).collect::<Option<Vec<_>>>().map(Value::from),
            None => bytes(item),
        },
        Kind::Tier => item.as_int().and_then(Tier::of_number).map(|t| t.as_str().into()),
        Kind::Vector => {
            let Some(map) = item.as_map() else { return Ok(None) };
            let mut members = Map::new();
            for (key, value) in map.entries() {
                let (Some(key), Some(value)) = (key.as_int(), value.as_int()) else { return Ok(None) };
                let known = usize::try_from(key).ok().and_then(|k| CLAIMS.get(k));
                let Ok(value) = i64::try_from(value) else { return Ok(None) };
                insert(
                    &mut members,
                    known.map_or_else(|| key.to_string(), |n| (*n).to_owned()),
                    value.into(),
                )?;
            }
            Some(Value::Object(members))
        }
        Kind::Verifier => item.as_map().and_then(|map| {
            let text = |key| map.int_key(key)?.as_text().map(Value::from);
            let mut members = Map::new();
            members.insert("developer".to_owned(), text(0)?);
            members.insert("build".to_owned(), text(1)?);
            Some(Value::Object(members))
        }),
        Kind::Submods => {
            let Some(map) = item.as_map() else { return Ok(None) };
            let mut members = Map::new();
            for (name, claims) in map.entries() {
                let (Some(name), Some(claims)) = (name.as_text(), claims.as_map()) else {
                    return Ok(None);
                };
                insert(&mut members, name.to_owned(), decode_set(claims)?)?;
            }
            Some(Value::Object(members))
        }
        Kind::Key => item.as_map().and_then(|map| {
            let mut members = Map::new();
            members.insert("akpub".to_owned(), bytes(map.int_key(0)?)?);
            (map.len() == 1).then_some(Value::Object(members))
        }),
        Kind::Evidence => match item {
            Item::Array(_) => Some(decode_any(item, 0)?),
            _ => bytes(item),
        },
        Kind::Texts | Kind::Any => Some(decode_any(item, 0)?),
    })
}

fn decode_any(item: &Item<'_>, depth: usize) -> Result<Value, String> {
    let inner = depth.saturating_add(1);
    Ok(match item {
        Item::Int(number) => {
            i64::try_from(*number).map_or_else(|_| Value::from(number.to_string()), Value::from)
        }
        Item::Bytes(bytes) => URL_SAFE_NO_PAD.encode(bytes).into(),
        Item::Text(text) => (*text).into(),
        Item::Bool(value) => (*value).into(),
        Item::Array(items) => items.iter().map(|i| decode_any(i, inner)).collect::<Result<_, _>>()?,
        Item::Map(map) => {
            let mut members = Map::new();
            for (key, value) in map.entries() {
                let name = match key {
                    Item::Text(text) => (*text).to_owned(),
                    Item::Int(number) => number.to_string(),
                    _ => return Err("a map key that is neither number nor text".to_owned()),
                };
                insert(&mut members, name, decode_any(value, inner)?)?;
            }
            Value::Object(members)
        }
        Item::Tag(_, inside) => decode_any(inside, inner)?,
        Item::Float(number) => Value::from(*number),
        Item::Null | Item::Undefined | Item::Simple(_) => Value::Null,
    })
}

fn insert(members: &mut Map<String, Value>, name: String, value: Value) -> Result<(), String> {
    if members.contains_key(&name) {
        return Err(format!("claim {name:?} is there twice, as number and as text"));
    }
    members.insert(name, value);
    Ok(())
}

/// The bytes of a base64url member, with or without padding: drafts differ in whether there is any.
pub(crate) fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    value.as_str().and_then(|text| decode_base64(text.as_bytes()))
}
