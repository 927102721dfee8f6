//! Tokens as JWT in compact form: signing, and taking apart.
//!
//! JWS (RFC 7515) is read here and not by a library: what must not pass (a member twice, a header that must be
//! understood, base64url written in two ways) is what readers are lenient about, and signatures are to be checked by the
//! same table of algorithms as everywhere else.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyvouch::appraisal::sorted;
use keyvouch::input::parse_json;
use serde_json::{Value, json};

use crate::keys::Algorithm;
use crate::signing::SigningKey;
use crate::token::{Form, IssueError, TokenError, Unverified};

/// What `typ` may say. Media types are written without `application/` (RFC 7515, 4.1.9).
const TYPES: [&str; 3] = ["eat+jwt", "JWT", "application/eat+jwt"];

/// A claims set as signed JWT: members sorted, so that the same claims give the same payload.
///
/// # Errors
/// When the key does not sign.
pub fn sign(claims: &Value, key: &SigningKey) -> Result<String, IssueError> {
    sign_payload(sorted(claims.clone()).to_string().as_bytes(), key)
}

/// Any payload as signed JWT.
///
/// # Errors
/// When the key does not sign.
pub fn sign_payload(payload: &[u8], key: &SigningKey) -> Result<String, IssueError> {
    let header = json!({"alg": key.algorithm().as_str(), "kid": key.id(), "typ": "eat+jwt"});
    let header = URL_SAFE_NO_PAD.encode(sorted(header).to_string());
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(message.as_bytes()).ok_or(IssueError::Signing)?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Takes a compact JWT apart: three parts, a header that is understood.
pub(crate) fn read(token: &str) -> Result<Unverified, TokenError> {
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
    let (header, payload) = message.split_once('.').ok_or(TokenError::Form)?;
    if payload.contains('.') {
        return Err(TokenError::Form);
    }
    let decode =
        |part: &str, name: &'static str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Base64(name));
    let header = decode(header, "header")?;
    let (algorithm, key_id) = header_of(&header)?;
    Ok(Unverified {
        form: Form::Jwt,
        algorithm,
        key_id,
        message: message.as_bytes().to_vec(),
        payload: decode(payload, "payload")?,
        signature: decode(signature, "signature")?,
    })
}

/// Whether text looks like a compact JWT.
pub(crate) fn looks_like(text: &str) -> bool {
    text.bytes().filter(|b| *b == b'.').count() >= 2
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b))
}

fn header_of(bytes: &[u8]) -> Result<(Algorithm, Option<Vec<u8>>), TokenError> {
    // A byte-order mark is no part of a JWT.
    if !bytes.starts_with(b"{") {
        return Err(TokenError::Header("not a JSON object".to_owned()));
    }
    let header = parse_json(bytes).map_err(|e| TokenError::Header(e.to_string()))?;
    for name in ["crit", "b64", "zip", "enc"] {
        if header.get(name).is_some() {
            return Err(TokenError::Critical(name));
        }
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(typ)) if TYPES.iter().any(|t| t.eq_ignore_ascii_case(typ)) => {}
        Some(Value::String(typ)) => return Err(TokenError::Type(typ.clone())),
        Some(_) => return Err(TokenError::Header("typ is not text".to_owned())),
    }
    let algorithm = header.get("alg").and_then(Value::as_str);
    let algorithm = algorithm.ok_or_else(|| TokenError::Algorithm("is missing".to_owned()))?;
    // Keys that come inside the token (jwk, jku, x5c, x5u) are not looked at.
    let key_id = match header.get("kid") {
        None => None,
        Some(Value::String(id)) => Some(id.clone().into_bytes()),
        Some(_) => return Err(TokenError::Header("kid is not text".to_owned())),
    };
    let known = Algorithm::of_name(algorithm).ok_or_else(|| TokenError::Algorithm(algorithm.to_owned()))?;
    Ok((known, key_id))
}
