//! A chain decoded for people.

use serde_json::{Map, Value, json};

use super::authorization::{AuthorizationList, Field};
use super::gather::Group;
use super::keydesc::KeyDescription;
use super::shape::ProvisioningInfo;
use super::tags;
use crate::pki::{Certificate, name};

pub(super) fn group(group: &Group) -> Value {
    json!({
        "kind": "certificate chain",
        "where": group.place,
        "certificates": group.certificates.iter().map(certificate).collect::<Vec<_>>(),
        "broken": group.broken.iter().map(|(place, why)| format!("{place}: {why}")).collect::<Vec<_>>(),
    })
}

fn certificate(certificate: &Certificate) -> Value {
    let info = ProvisioningInfo::of(certificate);
    json!({
        "subject": name::display(certificate.subject()),
        "issuer": name::display(certificate.issuer()),
        "serial": hex::encode(certificate.serial()),
        "sha256": hex::encode(certificate.sha256()),
        "key": certificate.key().map(|k| k.algorithm()).unwrap_or_default(),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "key_description": KeyDescription::of(certificate).map(|said| match said {
            Ok(said) => description(&said),
            Err(fault) => json!({ "fault": fault }),
        }),
        "provisioning": info.map(|i| json!({ "issued_in_30_days": i.issued, "manufacturer": i.manufacturer })),
    })
}

fn description(said: &KeyDescription) -> Value {
    json!({
        "attestation_version": said.version,
        "attestation_security_level": said.attestation_level.name(),
        "component_version": said.component_version,
        "key_security_level": said.key_level.name(),
        "challenge": hex::encode(&said.challenge),
        "unique_id": hex::encode(&said.unique_id),
        "software_enforced": list(&said.software),
        "hardware_enforced": list(&said.hardware),
    })
}

/// Every tag by name, its value as far as its type is known, else as hexadecimal DER.
fn list(list: &AuthorizationList) -> Value {
    let mut out = Map::new();
    for tag in list.numbers() {
        let name = tags::name(tag).map_or_else(|| format!("tag {tag}"), str::to_owned);
        out.insert(name, value(list, tag));
    }
    Value::Object(out)
}

fn value(list: &AuthorizationList, tag: u32) -> Value {
    if let (tags::ROOT_OF_TRUST, Field::Value(rot)) = (tag, list.root_of_trust()) {
        return json!({
            "verifiedBootKey": hex::encode(rot.boot_key), "deviceLocked": rot.locked,
            "verifiedBootState": rot.state.as_str(), "verifiedBootHash": rot.boot_hash.map(hex::encode),
        });
    }
    if let (tags::ATTESTATION_APPLICATION_ID, Field::Value(app)) = (tag, list.application_id()) {
        let packages: Vec<_> =
            app.packages.iter().map(|(name, version)| json!({"name": name, "version": version})).collect();
        return json!({ "packages": packages, "signers": app.signers.iter().map(hex::encode).collect::<Vec<_>>() });
    }
    if let Field::Value(()) = list.flag(tag) {
        return Value::Bool(true);
    }
    if let Field::Value(number) = list.integer(tag) {
        return json!(number);
    }
    if let Field::Value(set) = list.set(tag) {
        return json!(set);
    }
    match (list.text(tag), list.octets(tag)) {
        (Field::Value(text), _) if tag != tags::MODULE_HASH => json!(text),
        (_, Field::Value(octets)) => json!(hex::encode(octets)),
        _ => json!(list.raw(tag).map(hex::encode)),
    }
}
