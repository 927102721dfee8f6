//! SafetyNet and Play Integrity tokens: verdicts of Google's server about a device. They say nothing about a key.

use serde_json::Value;

use super::checks as ck;
use crate::formats::{Context, Statement};
use crate::input::{Content, decode_base64, parse_json};

/// No token comes near this.
const MAX_TOKEN: usize = 64 * 1024;

pub(super) fn appraise(cx: &Context<'_>) -> Vec<Statement> {
    let mut found = Vec::new();
    for (id, part) in cx.parts.evidence() {
        if !matches!(part.content, Content::Binary) || part.bytes.len() > MAX_TOKEN {
            continue;
        }
        let Some(what) = kind(&part.bytes) else { continue };
        let mut statement = Statement::default();
        statement.labels.push((id, what.into()));
        let detail =
            format!("this is a {what}: it says how the device looked to Google's server, and names no key");
        statement.checks.fail(&ck::FORMAT_NOT_KEY_ATTESTATION, part.place.clone(), detail);
        found.push(statement);
    }
    found
}

/// A compact JWS whose payload has a SafetyNet verdict, or a compact JWE encrypted as Google's are.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if !text.starts_with("eyJ") {
        return None;
    }
    let parts: Vec<&str> = text.split('.').collect();
    let json = |part: &str| parse_json(&decode_base64(part.as_bytes())?).ok();
    match parts.as_slice() {
        [header, payload, signature] if !signature.is_empty() => {
            json(header)?.get("alg")?;
            let payload = json(payload)?;
            let has = |name: &str| payload.get(name).is_some();
            if has("ctsProfileMatch") || has("basicIntegrity") {
                Some("SafetyNet attestation")
            } else {
                (has("requestDetails") && has("deviceIntegrity")).then_some("Play Integrity token")
            }
        }
        [header, _, _, _, _] => {
            let header = json(header)?;
            let is = |name: &str, word: &str| header.get(name).and_then(Value::as_str) == Some(word);
            (is("alg", "A256KW") && is("enc", "A256GCM")).then_some("Play Integrity token")
        }
        _ => None,
    }
}
