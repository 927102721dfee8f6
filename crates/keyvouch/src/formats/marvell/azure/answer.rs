//! The answer of the Managed HSM data plane to "get key attestation", or only the inner part of it. Everything in
//! it is unsigned, except the blobs.

use serde_json::{Map, Value};

use super::kid::Kid;
use crate::input::decode_base64;

/// The only version of the statement that is known.
const VERSION: &str = "MRVL-1";
const CERTIFICATES: &str = "certificatePemFile";
const PRIVATE: &str = "privateKeyAttestation";
const PUBLIC: &str = "publicKeyAttestation";

/// What is of interest in an answer.
#[derive(Debug)]
pub(in super::super) struct Answer<'a> {
    pub(in super::super) kid: Option<&'a str>,
    pub(in super::super) jwk: Option<&'a Map<String, Value>>,
    pub(in super::super) exportable: Option<bool>,
    pub(in super::super) body: Body,
}

/// What the answer holds.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Body {
    /// The signed blobs. Their certificates are parts of their own.
    Statement { private: Vec<u8>, public: Option<Vec<u8>> },
    /// A key of a pool, without its attestation.
    NoStatement,
    /// A statement of another version. What it holds is not looked at.
    OtherVersion(String),
    /// The service refused.
    Refusal { code: String, message: String },
    /// It cannot be read.
    Malformed(String),
}

impl<'a> Answer<'a> {
    /// The answers in a JSON text, at any depth.
    pub(in super::super) fn among(value: &'a Value) -> Vec<Self> {
        if let Some(refusal) = refusal(value) {
            return vec![Self::bare(refusal)];
        }
        let mut found = Vec::new();
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => match Self::of(members) {
                    Some(answer) => found.push(answer),
                    None => open.extend(members.values()),
                },
                _ => {}
            }
        }
        found
    }

    /// Text that has the words of an answer and is not JSON.
    pub(in super::super) fn broken(why: impl Into<String>) -> Self {
        Self::bare(Body::Malformed(why.into()))
    }

    const fn bare(body: Body) -> Self {
        Self { kid: None, jwk: None, exportable: None, body }
    }

    /// Whether it says by itself why there is no blob in it.
    pub(in super::super) const fn explains_absence(&self) -> bool {
        matches!(self.body, Body::OtherVersion(_) | Body::Refusal { .. } | Body::Malformed(_))
    }

    fn of(members: &'a Map<String, Value>) -> Option<Self> {
        if is_statement(members) {
            return Some(Self::bare(body(members)));
        }
        let attributes = members.get("attributes").and_then(Value::as_object);
        let key = members.get("key");
        let kid = key.and_then(|key| key.get("kid"));
        let of_pool = kid.and_then(Value::as_str).and_then(Kid::parse).is_some_and(|kid| kid.is_of_pool());
        // The whole answer, or only its attributes.
        let attributes = attributes.unwrap_or(members);
        let attestation = attributes.get("attestation").filter(|a| !a.is_null());
        let statement = attestation.and_then(Value::as_object);
        let body = match (attestation, statement) {
            (_, Some(statement)) if is_statement(statement) || of_pool => body(statement),
            (Some(_), None) if of_pool => Body::Malformed("attestation is no object".to_owned()),
            (None, _) if of_pool => Body::NoStatement,
            _ => return None,
        };
        let answer = Self {
            kid: kid.and_then(Value::as_str),
            jwk: key.and_then(Value::as_object),
            exportable: attributes.get("exportable").and_then(Value::as_bool),
            body,
        };
        let wrong = match (key, kid) {
            (Some(key), _) if !key.is_object() => Some("key is no object"),
            (_, Some(kid)) if !kid.is_string() => Some("kid is no text"),
            _ => None,
        };
        Some(match wrong {
            Some(why) => Self::broken(why),
            None => answer,
        })
    }
}

/// `{"error": {"code": "…", "message": "…"}}` and nothing else.
fn refusal(value: &Value) -> Option<Body> {
    let error = value.as_object().filter(|members| members.len() == 1)?.get("error")?;
    let text = |name| error.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Body::Refusal { code: text("code")?, message: text("message")? })
}

fn is_statement(members: &Map<String, Value>) -> bool {
    let version = members.get("version").and_then(Value::as_str);
    [CERTIFICATES, PRIVATE, PUBLIC].iter().any(|name| members.contains_key(*name))
        || version.is_some_and(|v| v.starts_with("MRVL-"))
}

fn body(members: &Map<String, Value>) -> Body {
    match members.get("version") {
        Some(Value::String(version)) if version == VERSION => {}
        Some(Value::String(other)) => return Body::OtherVersion(other.chars().take(64).collect()),
        Some(_) => return Body::Malformed("version is no text".to_owned()),
        None => return Body::OtherVersion("none".to_owned()),
    }
    let decoded = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            decode_base64(text.as_bytes()).map(Some).ok_or_else(|| format!("{name} is not base64url"))
        }
        Some(_) => Err(format!("{name} is no text")),
    };
    let needed = |name: &str| decoded(name)?.ok_or_else(|| format!("{name} is missing"));
    let read = || {
        needed(CERTIFICATES)?;
        Ok(Body::Statement { private: needed(PRIVATE)?, public: decoded(PUBLIC)? })
    };
    read().unwrap_or_else(Body::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bodies(value: &Value) -> Vec<Body> {
        Answer::among(value).into_iter().map(|a| a.body).collect()
    }

    fn statement() -> Value {
        json!({"certificatePemFile": "AAAA", "privateKeyAttestation": "AQ", "version": "MRVL-1"})
    }

    #[test]
    fn three_shapes_and_wherever_they_are() {
        let inner = statement();
        let good = || Body::Statement { private: vec![1], public: None };
        for value in [
            inner.clone(),
            json!({ "attestation": inner, "exportable": false }),
            json!({ "attributes": { "attestation": inner } }),
            json!([{ "value": { "attributes": { "attestation": inner } } }]),
        ] {
            assert_eq!(bodies(&value), [good()], "{value}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let with = |name: &str, value: Value| {
            let mut changed = statement();
            changed[name] = value;
            bodies(&changed).remove(0)
        };
        assert!(matches!(with("privateKeyAttestation", Value::Null), Body::Malformed(_)));
        assert!(matches!(with("privateKeyAttestation", json!("!")), Body::Malformed(_)));
        assert!(matches!(with("publicKeyAttestation", json!(7)), Body::Malformed(_)));
        assert!(matches!(with("certificatePemFile", json!([])), Body::Malformed(_)));
        assert!(matches!(with("version", json!(1)), Body::Malformed(_)));
        assert_eq!(with("version", json!("MRVL-2")), Body::OtherVersion("MRVL-2".to_owned()));
    }

    #[test]
    fn a_key_of_a_pool_without_attestation_and_a_refusal() {
        let key =
            |host: &str| json!({"key": {"kid": format!("https://p.{host}/keys/k/1"), "kty": "RSA-HSM"}});
        assert_eq!(bodies(&key("managedhsm.azure.net")), [Body::NoStatement]);
        assert!(bodies(&key("vault.azure.net")).is_empty());
        let refusal = json!({"error": {"code": "Forbidden", "message": "no"}});
        assert!(matches!(bodies(&refusal)[..], [Body::Refusal { .. }]));
        // Another provider's, and one among other things.
        assert!(bodies(&json!({"error": {"code": 403, "message": "no", "status": "x"}})).is_empty());
        assert!(bodies(&json!({"error": {"code": "x", "message": "no"}, "a": 1})).is_empty());
    }

    #[test]
    fn nothing_else_is_an_answer() {
        for value in [
            json!({"attestation": {"format": "CAVIUM_V2_COMPRESSED", "content": "AAAA"}}),
            json!({"attributes": {"attestation": {"version": "1"}}}),
            json!({"name": "privateKeyAttestation"}),
        ] {
            assert!(bodies(&value).is_empty(), "{value}");
        }
    }
}
