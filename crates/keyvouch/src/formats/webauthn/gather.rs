//! What of WebAuthn was handed in: attestation objects in their containers, and client data.

use std::borrow::Cow;

use serde_json::Value;

use super::super::Context;
use crate::input::{Content, PartId, decode_base64};
use crate::wire::bytes::contains;
use crate::wire::cbor::{self, Item};

/// An attestation object as it was found.
#[derive(Debug, Clone)]
pub(super) struct Found<'a> {
    pub(super) part: PartId,
    pub(super) place: String,
    pub(super) object: Object<'a>,
    /// The client data that came in the same container.
    pub(super) client: Option<Client<'a>>,
    /// The ids of the credential that stand beside the object. `None` in one: it is not base64url.
    pub(super) ids: Vec<Option<Vec<u8>>>,
}

/// The bytes of a statement.
#[derive(Debug, Clone)]
pub(super) enum Object<'a> {
    /// CBOR of an attestation object, or of the answer to CTAP2's authenticatorMakeCredential.
    Cbor(Cow<'a, [u8]>),
    /// The answer to a U2F registration.
    U2f(Cow<'a, [u8]>),
    /// A member of a container that is not base64url.
    Unreadable,
}

/// Client data: the bytes that are hashed.
#[derive(Debug, Clone)]
pub(super) struct Client<'a> {
    pub(super) part: PartId,
    pub(super) place: String,
    pub(super) bytes: Option<Cow<'a, [u8]>>,
}

/// Everything of WebAuthn among the evidence.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a> {
    pub(super) found: Vec<Found<'a>>,
    /// Client data that came as files of their own.
    pub(super) clients: Vec<Client<'a>>,
}

/// More statements than anybody hands in at once.
const MAX_FOUND: usize = 16;

impl<'a> Gathered<'a> {
    pub(super) fn of(cx: &Context<'a>) -> Self {
        let mut gathered = Self::default();
        for (id, part) in cx.parts.evidence() {
            let place = part.place.clone();
            match &part.content {
                Content::Json(json) if is_client_data(json) => {
                    let bytes = Some(Cow::Borrowed(&*part.bytes));
                    gathered.clients.push(Client { part: id, place, bytes });
                }
                Content::BrokenJson(_) if names_client_data(&part.bytes) => {
                    let bytes = Some(Cow::Borrowed(&*part.bytes));
                    gathered.clients.push(Client { part: id, place, bytes });
                }
                _ => {}
            }
        }
        let beside = !gathered.clients.is_empty();
        for (id, part) in cx.parts.evidence() {
            if gathered.found.len() >= MAX_FOUND {
                break;
            }
            let alone =
                |object| Found { part: id, place: part.place.clone(), object, client: None, ids: Vec::new() };
            match &part.content {
                Content::Json(json) => gathered.found.extend(credential(id, &part.place, json)),
                Content::Base64 | Content::Binary | Content::OpenPgpKey(_) | Content::BrokenOpenPgpKey(_) => {
                    let bytes: &'a [u8] = &part.bytes;
                    // Hexadecimal digits are base64 digits, too, or text of no kind.
                    let decoded = hex::decode(bytes.trim_ascii()).ok();
                    if let Some(decoded) = decoded.filter(|decoded| is_object(decoded, beside)) {
                        gathered.found.push(alone(Object::Cbor(decoded.into())));
                    } else if is_object(bytes, beside) {
                        gathered.found.push(alone(Object::Cbor(bytes.into())));
                    } else if is_u2f(bytes) {
                        gathered.found.push(alone(Object::U2f(bytes.into())));
                    }
                }
                _ => {}
            }
        }
        gathered
    }
}

/// A PublicKeyCredential in JSON. Copies of what is in the attestation object are not looked at.
fn credential<'a>(id: PartId, place: &str, json: &Value) -> Option<Found<'a>> {
    let response = json.get("response")?;
    let object = decode_base64(response.get("attestationObject")?.as_str()?.as_bytes());
    if object.as_deref().is_some_and(|bytes| !is_object(bytes, true)) {
        return None;
    }
    let client = response.get("clientDataJSON").and_then(Value::as_str).map(|text| Client {
        part: id,
        place: format!("{place} › /response/clientDataJSON"),
        bytes: decode_base64(text.as_bytes()).map(Cow::Owned),
    });
    let ids = ["rawId", "id"].into_iter().filter_map(|name| json.get(name)?.as_str());
    Some(Found {
        part: id,
        place: format!("{place} › /response/attestationObject"),
        object: object.map_or(Object::Unreadable, |bytes| Object::Cbor(bytes.into())),
        client,
        ids: ids.map(|text| decode_base64(text.as_bytes())).collect(),
    })
}

/// Whether bytes are an attestation object with authenticator data, or were one before they were damaged. App Attest
/// has a format of its own, and statements without authenticator data are those of ACME and of device management.
fn is_object(bytes: &[u8], beside_client_data: bool) -> bool {
    let bytes = without_status(bytes);
    if let Ok((item, _)) = cbor::read_first(bytes) {
        let Some(map) = item.as_map() else { return false };
        let text = map.text_key("fmt").and_then(Item::as_text);
        let number = map.int_key(1).and_then(Item::as_text);
        return match (text, number) {
            (Some(APP_ATTEST), _) => false,
            (Some(_), _) => map.text_key("attStmt").is_some() && map.text_key("authData").is_some(),
            (None, Some(_)) => map.int_key(2).is_some() && map.int_key(3).is_some(),
            (None, None) => false,
        };
    }
    let begins = bytes.first().is_some_and(|first| first >> 5 == 5);
    let has = |name: &str| {
        let head = 0x60_usize.saturating_add(name.len());
        let pattern: Vec<u8> = u8::try_from(head).into_iter().chain(name.bytes()).collect();
        contains(bytes, &pattern)
    };
    let known = FORMATS.iter().any(|format| has(format));
    let of_ctap = known && matches!(bytes.get(1), Some(1));
    let of_webauthn = has("fmt") && (has("authData") || (beside_client_data && has("attStmt")));
    begins && !has(APP_ATTEST) && (of_ctap || of_webauthn)
}

const APP_ATTEST: &str = "apple-appattest";
const FORMATS: [&str; 8] =
    ["packed", "fido-u2f", "tpm", "android-key", "android-safetynet", "apple", "none", "compound"];

/// Without the status byte that an authenticator puts before its answer.
pub(super) fn without_status(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0, rest @ ..] if rest.first().is_some_and(|first| first >> 5 == 5) => rest,
        _ => bytes,
    }
}

/// `05 ‖ public key ‖ length ‖ key handle ‖ certificate ‖ signature`
fn is_u2f(bytes: &[u8]) -> bool {
    let handle = bytes.get(66).map(|length| usize::from(*length).saturating_add(67));
    bytes.starts_with(&[5, 4]) && handle.and_then(|at| bytes.get(at)) == Some(&0x30)
}

fn is_client_data(json: &Value) -> bool {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    text("challenge").is_some() && (text("type").is_some() || text("typ").is_some())
}

/// Client data that are not strict JSON.
fn names_client_data(bytes: &[u8]) -> bool {
    let has = |text: &[u8]| contains(bytes, text);
    has(b"\"challenge\"") && has(b"webauthn.")
}
