//! An attestation object for people.

use serde_json::{Value, json};

use super::gather::{Found, Object};
use super::object::{Attestation, Members, U2fRegistration};
use crate::pki::{Certificate, name};
use crate::wire::authenticator_data::{AuthenticatorData, aaguid_text};
use crate::wire::cbor::Item;
use crate::wire::cose::CoseKey;

pub(super) fn found(found: &Found<'_>) -> Value {
    let mut view = match &found.object {
        Object::Unreadable => json!({ "fault": "not base64url" }),
        Object::Cbor(bytes) => match Attestation::read(bytes) {
            Ok(object) => json!({
                "format": object.format,
                "authenticator_data": auth_data(object.auth_data),
                "statement": statement(object.format, &object.statement),
            }),
            Err(why) => json!({ "fault": why }),
        },
        Object::U2f(bytes) => match U2fRegistration::read(bytes) {
            Some(registration) => json!({
                "format": "raw U2F registration",
                "certificates": [Certificate::from_der(registration.certificate)
                    .map_or_else(|error| json!({ "fault": error.to_string() }), |c| certificate(&c))],
            }),
            None => json!({ "fault": "the answer to a U2F registration is not in form" }),
        },
    };
    if let Some(members) = view.as_object_mut() {
        members.insert("where".to_owned(), json!(found.place));
    }
    view
}

fn auth_data(bytes: &[u8]) -> Value {
    let data = match AuthenticatorData::read(bytes) {
        Ok(data) => data,
        Err(fault) => return json!({ "fault": fault.to_string() }),
    };
    let flags = data.flags;
    let names = [
        (flags.user_present(), "UP"),
        (flags.user_verified(), "UV"),
        (flags.backup_eligible(), "BE"),
        (flags.backed_up(), "BS"),
        (flags.attested_credential(), "AT"),
        (flags.extensions(), "ED"),
    ];
    let set: Vec<&str> = names.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
    let extensions = data.extensions.iter().flat_map(|map| map.entries());
    json!({
        "rp_id_sha256": hex::encode(data.rp_id_hash),
        "flags": set,
        "sign_count": data.sign_count,
        "credential": data.credential.as_ref().map(|credential| json!({
            "aaguid": aaguid_text(&credential.aaguid),
            "id": hex::encode(credential.id),
            "key": match CoseKey::read(&credential.key) {
                Ok(key) => json!({
                    "algorithm": key.key.algorithm(),
                    "cose": key.algorithm.name,
                    "spki_sha256": hex::encode(key.key.spki_sha256()),
                }),
                Err(fault) => json!({ "fault": fault.to_string() }),
            },
        })),
        "extensions": extensions.filter_map(|(name, _)| name.as_text()).collect::<Vec<_>>(),
    })
}

fn statement(format: &str, item: &Item<'_>) -> Value {
    if let Some(members) = item.as_array() {
        let read = |member: &Item<'_>| {
            let map = member.as_map()?;
            let format = map.text_key("fmt")?.as_text()?;
            // No statement is nested deeper: a compound one within another is refused.
            let inner = map.text_key("attStmt").filter(|inner| inner.as_map().is_some())?;
            Some(json!({ "format": format, "statement": statement(format, inner) }))
        };
        return members.iter().map(|member| read(member).unwrap_or(Value::Null)).collect();
    }
    let Ok(members) = Members::of(item) else { return json!({ "fault": "not a map" }) };
    let certificates = members.has("x5c").then(|| match members.x5c() {
        Ok(x5c) => x5c.iter().map(certificate).collect::<Value>(),
        Err(why) => json!({ "fault": why }),
    });
    json!({
        "algorithm": members.algorithm().ok().and_then(|id| i64::try_from(id).ok()),
        "version": (format == "tpm").then(|| members.text("ver")).flatten(),
        "certificates": certificates,
    })
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "subject": name::display(certificate.subject()),
        "issuer": name::display(certificate.issuer()),
        "sha256": hex::encode(certificate.sha256()),
        "key": certificate.key().map(|key| key.algorithm()).unwrap_or_default(),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "aaguid": super::certificate::aaguid(certificate).and_then(Result::ok).map(|a| aaguid_text(&a)),
        "firmware": super::certificate::firmware(certificate),
    })
}
