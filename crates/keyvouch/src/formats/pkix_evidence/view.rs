//! Evidence decoded for people, without judgement.

use serde_json::{Map, Value, json};

use super::elements::{self, Claims, Contents, claim_name, kind};
use super::envelope::{Envelope, Signer};
use super::oids::Arc;
use super::value::Given;
use crate::crypto::{PublicKey, Scheme};
use crate::pki::Certificate;

pub(super) fn of(place: &str, envelope: Result<&Envelope<'_>, &String>, arcs: &[Arc]) -> Value {
    let envelope = match envelope {
        Ok(envelope) => envelope,
        Err(fault) => return json!({ "where": place, "fault": fault }),
    };
    let reading = elements::read(envelope.tbs, arcs);
    let contents = match &reading.contents {
        Ok(contents) => contents_view(contents),
        Err(faults) => json!({ "faults": faults }),
    };
    let signatures: Vec<Value> = envelope
        .blocks
        .iter()
        .map(|block| {
            json!({
                "signer": signer_view(&block.signer),
                "algorithm": Scheme::from_algorithm_identifier(block.algorithm)
                    .map_or_else(|e| e.to_string(), |scheme| scheme.to_string()),
                "signature": hex::encode(block.signature),
            })
        })
        .collect();
    json!({
        "where": place,
        "arc": reading.arc.map(|arc| arc.to_string()),
        "contents": contents,
        "signatures": signatures,
        "intermediate_certificates": envelope.certificates.iter().map(certificate_view).collect::<Vec<_>>(),
    })
}

fn contents_view(contents: &Contents) -> Value {
    let view = |of: u32, claims: &Claims| -> Value {
        let mut found: Map<String, Value> = Map::new();
        for (number, given) in claims.all() {
            let values = found.entry(claim_name(of, number)).or_insert_with(|| json!([]));
            if let Some(values) = values.as_array_mut() {
                values.push(given_view(given));
            }
        }
        found.into()
    };
    json!({
        "encoding": contents.encoding.describe(),
        "transaction": contents.transaction.as_ref().map(|c| view(kind::TRANSACTION, c)),
        "platform": contents.platform.as_ref().map(|c| view(kind::PLATFORM, c)),
        "keys": contents.keys.iter().map(|c| view(kind::KEY, c)).collect::<Vec<_>>(),
        "ignored": contents.ignored,
    })
}

fn given_view(given: &Given) -> Value {
    match given {
        Given::Octets(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(char::is_control) => {
                json!({ "hex": hex::encode(bytes), "text": text })
            }
            _ => json!({ "hex": hex::encode(bytes) }),
        },
        Given::Text(text) => json!(text),
        Given::Flag(flag) => json!(flag),
        Given::Time(time) => json!(time.to_string()),
        Given::Number(number) => json!(number),
        Given::Key(key) => key_view(key),
        Given::Purposes(oids) => json!(oids.iter().map(ToString::to_string).collect::<Vec<_>>()),
    }
}

fn signer_view(signer: &Signer<'_>) -> Value {
    match signer {
        Signer::Certificate(certificate) => json!({ "certificate": certificate_view(certificate) }),
        Signer::Key(key) => json!({ "key": key_view(key) }),
        Signer::KeyId(id) => json!({ "key_id": hex::encode(id) }),
    }
}

fn key_view(key: &PublicKey) -> Value {
    json!({ "algorithm": key.algorithm(), "spki_sha256": hex::encode(key.spki_sha256()) })
}

fn certificate_view(certificate: &Certificate) -> Value {
    json!({ "subject": certificate.display_name(), "sha256": hex::encode(certificate.sha256()) })
}
