//! What a client sent: the payload of an answer to a challenge, the whole JWS, or the attestation object alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::inner::Inner;
use crate::formats::Context;
use crate::input::{Content, PartId, parse_json};
use crate::wire::attestation_object::sniff;
use crate::wire::bytes::contains;

/// An answer.
pub(super) struct Found {
    pub(super) id: PartId,
    pub(super) place: String,
    pub(super) answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The bytes of an attestation object.
    Object(Vec<u8>),
    /// What the client says went wrong.
    ClientError(String),
    /// Why there is no attestation object in it.
    Bad(String),
}

pub(super) fn find(cx: &Context<'_>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (id, part) in cx.parts.evidence() {
        let answer = match &part.content {
            Content::Json(Value::Object(members)) => in_payload(members).or_else(|| in_jws(members)),
            Content::BrokenJson(why) if contains(&part.bytes, b"\"attObj\"") => {
                Some(Answer::Bad(why.to_string()))
            }
            _ => part.unknown_bytes().and_then(|bytes| alone(&bytes)),
        };
        if let Some(answer) = answer.filter(|answer| !found.iter().any(|known| known.answer == *answer)) {
            found.push(Found { id, place: part.place.clone(), answer });
        }
    }
    found
}

/// `{"attObj": …}`, or `{"error": …}` and nothing else. The error of a client is text: what others call an error, such as
/// the answer of a cloud service, is not taken for one.
fn in_payload(members: &Map<String, Value>) -> Option<Answer> {
    let (object, error) = (members.get("attObj"), members.get("error"));
    let said = match error {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) if object.is_some() => Some(other.to_string()),
        Some(_) => None,
    };
    match (object, said) {
        (Some(_), Some(said)) => Some(Answer::ClientError(said)),
        (None, Some(said)) if members.len() == 1 => Some(Answer::ClientError(said)),
        (None, _) => None,
        (Some(object), None) => Some(match decoded(object) {
            Ok(bytes) => Answer::Object(bytes),
            Err(why) => Answer::Bad(why.to_owned()),
        }),
    }
}

/// base64url; trailing `=`, which some clients write, are let pass.
fn decoded(object: &Value) -> Result<Vec<u8>, &'static str> {
    let text = object.as_str().ok_or("attObj is no text")?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| "attObj is not base64url")?;
    match bytes.as_slice() {
        [] => Err("attObj is empty"),
        b"{}" => Err("attObj is an empty JSON object: the client has no attestation"),
        _ => Ok(bytes),
    }
}

/// A flattened JWS (RFC 7515, 7.2.2) with such a payload. Its signature is the ACME server's business.
fn in_jws(members: &Map<String, Value>) -> Option<Answer> {
    let payload = members.get("payload")?.as_str()?;
    if !["protected", "signature"].iter().all(|name| members.get(*name).is_some_and(Value::is_string)) {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    match parse_json(&payload) {
        Ok(Value::Object(members)) => in_payload(&members),
        Ok(_) => None,
        Err(why) => {
            contains(&payload, b"\"attObj\"").then(|| Answer::Bad(format!("payload of the JWS: {why}")))
        }
    }
}

/// An attestation object of a format that is only ever an answer to a challenge when it has no `authData`. That of
/// `apple` is Apple's own format then.
fn alone(bytes: &[u8]) -> Option<Answer> {
    let (fmt, has_auth_data) = sniff(bytes)?;
    let is_one = fmt == "packed" || Inner::of(fmt).is_some_and(|inner| inner != Inner::Apple);
    (is_one && !has_auth_data).then(|| Answer::Object(bytes.to_vec()))
}
