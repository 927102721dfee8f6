//! The REST resource CryptoKeyVersion, or only its member `attestation` (KeyOperationAttestation). Everything in
//! it is unsigned, except the blob in `content`.

use serde_json::{Map, Value};

use crate::input::decode_base64;

/// What is of interest in a key version.
#[derive(Debug)]
pub(in super::super) struct KeyVersion<'a> {
    pub(in super::super) name: Option<&'a str>,
    pub(in super::super) protection_level: Option<&'a str>,
    /// It says that the key was imported.
    pub(in super::super) imported: bool,
    pub(in super::super) format: Declared,
    content: Option<&'a Value>,
}

/// What it says of the form of its content.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Declared {
    V2,
    V1,
    Other(String),
}

impl<'a> KeyVersion<'a> {
    /// The key versions in a JSON text, at any depth.
    pub(in super::super) fn among(value: &'a Value) -> Vec<Self> {
        let mut found = Vec::new();
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => match Self::of(members) {
                    Some(version) => found.push(version),
                    None => open.extend(members.values()),
                },
                _ => {}
            }
        }
        found
    }

    fn of(members: &'a Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let is_resource = text("name").is_some_and(|n| n.contains("/cryptoKeyVersions/"))
            && text("protectionLevel").is_some();
        let attestation = match members.get("attestation").and_then(Value::as_object) {
            Some(inner) if is_resource || is_attestation(inner) => Some(inner),
            None if is_attestation(members) => Some(members),
            // A key that is in no HSM has no attestation.
            None if is_resource => None,
            _ => return None,
        };
        Some(Self {
            name: text("name"),
            protection_level: text("protectionLevel"),
            imported: text("importTime").is_some() || text("importJob").is_some(),
            format: declared(attestation.and_then(|a| a.get("format"))),
            content: attestation.and_then(|a| a.get("content")),
        })
    }

    /// The compressed blob; none when there is none.
    pub(in super::super) fn content(&self) -> Option<Result<Vec<u8>, &'static str>> {
        let content = self.content?;
        let decoded = content.as_str().and_then(|text| decode_base64(text.as_bytes()));
        Some(decoded.ok_or("the member content is not base64"))
    }
}

/// By its format, or, where that is written in a way of its own, by the members that go with it.
fn is_attestation(members: &Map<String, Value>) -> bool {
    let format = members.get("format").and_then(Value::as_str);
    format.is_some_and(|f| f.starts_with("CAVIUM_"))
        || (members.get("content").is_some_and(Value::is_string)
            && members.get("certChains").is_some_and(Value::is_object))
}

/// The names of the API, or their numbers. What is absent is taken for the format of today: the blob itself is
/// judged by its sizes.
fn declared(format: Option<&Value>) -> Declared {
    match format {
        None => Declared::V2,
        Some(Value::String(name)) if name == "CAVIUM_V2_COMPRESSED" => Declared::V2,
        Some(Value::String(name)) if name == "CAVIUM_V1_COMPRESSED" => Declared::V1,
        Some(Value::String(name)) => Declared::Other(name.chars().take(64).collect()),
        Some(number) if number.as_u64() == Some(4) => Declared::V2,
        Some(number) if number.as_u64() == Some(3) => Declared::V1,
        Some(other) => Declared::Other(other.to_string().chars().take(64).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn formats(value: &Value) -> Vec<Declared> {
        KeyVersion::among(value).into_iter().map(|v| v.format).collect()
    }

    #[test]
    fn names_and_numbers_of_formats() {
        for (format, declared) in [
            (json!("CAVIUM_V2_COMPRESSED"), Declared::V2),
            (json!(4), Declared::V2),
            (json!("CAVIUM_V1_COMPRESSED"), Declared::V1),
            (json!(3), Declared::V1),
            (json!("CAVIUM_V9"), Declared::Other("CAVIUM_V9".to_owned())),
        ] {
            let attestation = json!({"format": format, "content": "", "certChains": {}});
            assert_eq!(formats(&json!({ "attestation": attestation })), [declared]);
        }
    }

    #[test]
    fn found_wherever_they_are_and_nothing_else_is() {
        let attestation = json!({"format": "CAVIUM_V2_COMPRESSED", "content": "AAAA"});
        let name = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";
        assert_eq!(formats(&attestation).len(), 1);
        assert_eq!(
            formats(&json!([{"attestation": attestation}, {"x": {"attestation": attestation}}])).len(),
            2
        );
        assert_eq!(formats(&json!({"name": name, "protectionLevel": "SOFTWARE"})).len(), 1);
        assert!(formats(&json!({"format": "packed", "content": "AAAA"})).is_empty());
        assert!(formats(&json!({"attestation": {"version": "MRVL-1"}})).is_empty());
    }
}
