//! Client data (Web Authentication, "Client Data Used in WebAuthn Signatures"): what the browser saw. The statement
//! covers their digest, so they are as authentic as it is.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::Value;

use super::super::Context;
use super::checks as ck;
use super::gather::Client;
use crate::appraisal::Freshness;
use crate::checks::Checks;
use crate::crypto::sha256;
use crate::input::parse_json;
use crate::wire::jws;

/// Longest client data that are read.
const MAX_CLIENT_DATA: usize = 64 << 10;

/// What the client data gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    /// SHA-256 of the bytes received; `None` when there are none.
    pub(super) hash: Option<[u8; 32]>,
    pub(super) freshness: Freshness,
}

/// Makes the checks of the client data.
pub(super) fn check(client: Option<&Client<'_>>, cx: &Context<'_>, checks: &mut Checks) -> Read {
    let asked = if cx.nonce.is_some() { Freshness::NoNonceInEvidence } else { Freshness::NotAsked };
    let Some(client) = client else {
        let detail =
            "the client data (clientDataJSON) are not there: without them no signature can be verified";
        checks.lacking(&ck::CLIENT_DATA_TYPE, "", detail);
        return Read { hash: None, freshness: asked };
    };
    let place = || client.place.clone();
    let Some(bytes) = client.bytes.as_deref().filter(|bytes| bytes.len() <= MAX_CLIENT_DATA) else {
        checks.fail(&ck::CLIENT_DATA_TYPE, place(), "the client data are not base64url, or too long");
        return Read { hash: None, freshness: asked };
    };
    let hash = Some(sha256(bytes));
    // A byte-order mark is part of what is hashed.
    let json = match parse_json(bytes) {
        Ok(json) if json.is_object() => json,
        _ => {
            let detail = "the client data are not one JSON object in which no member is there twice";
            checks.fail(&ck::CLIENT_DATA_TYPE, place(), detail);
            return Read { hash, freshness: asked };
        }
    };
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let kind = text("type").unwrap_or("missing");
    checks.test(&ck::CLIENT_DATA_TYPE, place(), kind == "webauthn.create", "a registration", || {
        format!("the type is {kind:?}, not \"webauthn.create\"").into()
    });
    let freshness = check_challenge(text("challenge"), &place(), cx, checks);
    check_origin(&json, &place(), cx, checks);
    Read { hash, freshness }
}

fn check_challenge(challenge: Option<&str>, place: &str, cx: &Context<'_>, checks: &mut Checks) -> Freshness {
    let place = place.to_owned();
    let Some(nonce) = cx.nonce else {
        checks.skip(&ck::CHALLENGE_MISMATCH, place, "no challenge (nonce) was given to compare with");
        return Freshness::NotAsked;
    };
    let Some(challenge) = challenge.and_then(|text| jws::decode(text.as_bytes())) else {
        checks.fail(&ck::CHALLENGE_MISMATCH, place, "the challenge is missing or not base64url");
        return Freshness::NoNonceInEvidence;
    };
    if verify_slices_are_equal(&challenge, nonce).is_ok() {
        checks.pass(&ck::CHALLENGE_MISMATCH, place, "the challenge is the one that was given out");
        return Freshness::NonceMatched;
    }
    checks.fail(
        &ck::CHALLENGE_MISMATCH,
        place,
        format!("the registration answers the challenge {}", hex::encode(challenge)),
    );
    Freshness::NonceMismatch
}

fn check_origin(json: &Value, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let place = || place.to_owned();
    let origin = json.get("origin").and_then(Value::as_str).unwrap_or("missing");
    let mut allowed = cx.options.list("origins").peekable();
    if allowed.peek().is_none() {
        checks.skip(&ck::ORIGIN_MISMATCH, place(), "the option origins does not say which are expected");
    } else {
        let known = allowed.any(|allowed| allowed == origin);
        checks.test(&ck::ORIGIN_MISMATCH, place(), known, format!("registered at {origin}"), || {
            format!("registered at {origin:?}, which is not in the list").into()
        });
    }
    let crossed = !matches!(json.get("crossOrigin"), None | Some(Value::Bool(false)))
        || json.get("topOrigin").is_some();
    if !crossed {
        checks.pass(&ck::CROSS_ORIGIN, place(), "not registered in a frame of another site");
    } else if cx.options.is_on("allow_cross_origin") {
        let detail = "registered in a frame of another site, which the operator allows";
        checks.info(&ck::CROSS_ORIGIN, place(), detail);
    } else {
        let top = json.get("topOrigin").and_then(Value::as_str).unwrap_or("unnamed");
        checks.fail(&ck::CROSS_ORIGIN, place(), format!("registered in a frame of another site ({top})"));
    }
}
