//! The evidence decoded for people, without judgement.

use serde_json::{Map, Value, json};

use super::attributes::{self as attribute, Form};
use super::azure::answer::{Answer, Body};
use super::found::{Blob, Found};
use super::google::resource::Declared;
use super::layout;
use super::object::{self, Object};
use crate::formats::Context;
use crate::pki::name;

pub(super) fn all(found: &Found<'_>, cx: &Context<'_>) -> Vec<Value> {
    let blobs = found.blobs.iter().map(blob);
    let certificates = found.named.iter().filter_map(|h| Some((h.part?, h))).map(|(id, held)| {
        let c = held.certificate;
        json!({
            "where": cx.parts.place(id),
            "kind": if held.name.is_partition() { "partition certificate" } else { "card certificate" },
            "card_serial": held.name.serial,
            "partition": held.name.partition,
            "mode": held.name.mode(),
            "subject": name::display(c.subject()),
            "issuer": name::display(c.issuer()),
            "version": c.version(),
            "serial": hex::encode(c.serial()),
            "sha256": hex::encode(c.sha256()),
            "key": c.key().map(|k| k.algorithm()).unwrap_or_default(),
            "spki_sha256": c.key().map(|k| hex::encode(k.spki_sha256())).unwrap_or_default(),
            "not_before": c.not_before().to_string(),
            "not_after": c.not_after().to_string(),
        })
    });
    let versions = found.key_versions.iter().map(|(id, v)| {
        json!({
            "where": cx.parts.place(*id),
            "kind": "key version (unsigned)",
            "name": v.name,
            "protection_level": v.protection_level,
            "imported": v.imported,
            "format": match &v.format {
                Declared::V2 => "CAVIUM_V2_COMPRESSED",
                Declared::V1 => "CAVIUM_V1_COMPRESSED",
                Declared::Other(other) => other,
            },
        })
    });
    let faults = found.faults.iter().map(|(place, why)| json!({ "where": place, "fault": why }));
    let unreadable =
        found.unreadable.iter().map(|place| json!({ "where": place, "fault": "of no known layout" }));
    let answers = found.answers.iter().map(|(id, answer)| answer_view(answer, cx.parts.place(*id)));
    blobs.chain(certificates).chain(versions).chain(answers).chain(faults).chain(unreadable).collect()
}

fn answer_view(answer: &Answer<'_>, place: &str) -> Value {
    let content = match &answer.body {
        Body::Statement { public: Some(_), .. } => "both halves".to_owned(),
        Body::Statement { public: None, .. } => "one half".to_owned(),
        Body::NoStatement => "no attestation".to_owned(),
        Body::OtherVersion(version) => format!("unknown version {version}"),
        Body::Refusal { code, .. } => format!("refusal {code}"),
        Body::Malformed(why) => format!("cannot be read: {why}"),
    };
    json!({
        "where": place,
        "kind": "answer of Azure (unsigned)",
        "content": content,
        "kid": answer.kid,
        "exportable": answer.exportable,
        "key": answer.jwk,
    })
}

fn blob(blob: &Blob<'_>) -> Value {
    let (signed, signature) = layout::split(&blob.bytes).unwrap_or_default();
    let objects = match blob.layout.read(signed) {
        Ok(objects) => objects.iter().map(object).collect(),
        Err(fault) => json!({ "fault": fault.detail }),
    };
    json!({
        "where": blob.place,
        "kind": "attestation",
        "layout": blob.layout.to_string(),
        "size": blob.bytes.len(),
        "signature": hex::encode(signature),
        "signature_algorithm": blob.layout.scheme().to_string(),
        "objects": objects,
    })
}

fn object(object: &Object<'_>) -> Value {
    let attributes: Vec<Value> =
        object.attributes.iter().map(|(n, value)| attribute_view(*n, value)).collect();
    json!({ "handle": object.handle, "size": object.size, "attributes": attributes })
}

/// Every attribute with its bytes, and in words where they are known.
fn attribute_view(number: u32, value: &[u8]) -> Value {
    let mut view = Map::new();
    view.insert("type".to_owned(), format!("{number:#010x}").into());
    view.insert("name".to_owned(), attribute::name(number).into());
    view.insert("hex".to_owned(), hex::encode(value).into());
    if let Some(meaning) = meaning(number, value) {
        view.insert("value".to_owned(), meaning);
    }
    Value::Object(view)
}

fn meaning(number: u32, value: &[u8]) -> Option<Value> {
    let word = || value.try_into().ok().map(u32::from_be_bytes);
    match (number, value) {
        (attribute::CLASS, [class]) => Some(attribute::class_name(*class).into()),
        (attribute::KEY_TYPE, [kind]) => Some(attribute::key_type_name(*kind).into()),
        (attribute::KEY_GEN_MECHANISM, _) => Some(attribute::mechanism_name(word()?).into()),
        _ => match (attribute::known(number)?.form, value) {
            (Form::Flag, [flag]) => Some((*flag == 1).into()),
            (Form::Byte, [byte]) => Some((*byte).into()),
            (Form::Word, _) => Some(word()?.into()),
            (Form::Text(_), _) => Some(object::unpadded(value)?.into()),
            _ => None,
        },
    }
}
