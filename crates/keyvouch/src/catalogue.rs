//! What this verifier knows, in the words of the contract: formats and anchors, as the command and the service list them.

use serde_json::{Value, json};

use crate::checks::Check;
use crate::formats::{About, Proof};
use crate::pki::name;
use crate::reference::Origin;
use crate::reference::anchors::{Anchor, AnchorKind, Confirmed};
use crate::submission::OptionDef;
use crate::{SHARED_OPTIONS, shared_checks};

/// On what the reader of a format was proved.
#[must_use]
pub const fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::RealEvidence => "verified on real evidence",
        Proof::EmulatedOnly => "on emulated evidence only",
        Proof::ProviderStatement => "answers of a provider to the operator, which nobody signed",
        Proof::NoEvidence => "there is no evidence to read",
    }
}

/// A format in brief.
#[must_use]
pub fn format_brief(a: &About) -> Value {
    json!({
        "id": a.id, "title": a.title, "maker": a.maker, "devices": a.devices,
        "proof": proof(a.proof), "page": a.docs,
    })
}

/// A format with its checks, options and limits.
#[must_use]
pub fn format_full(a: &About) -> Value {
    let check =
        |c: &&Check| json!({ "id": c.id, "about": c.about, "on_fail": c.on_fail, "advice": c.advice });
    let option = |o: &OptionDef| json!({ "name": o.name, "takes": o.kind.name(), "about": o.about });
    let mut value = format_brief(a);
    if let Value::Object(fields) = &mut value {
        fields.insert("checks".into(), a.checks.iter().map(check).collect());
        fields.insert("shared_checks".into(), shared_checks().map(|c| check(&c)).collect());
        fields.insert("options".into(), a.options.iter().map(option).collect());
        fields.insert("shared_options".into(), SHARED_OPTIONS.iter().map(option).collect());
        fields.insert("limits".into(), a.limits.into());
    }
    value
}

/// An anchor.
#[must_use]
pub fn anchor(a: &Anchor) -> Value {
    let certificates: Vec<Value> = a
        .certificates
        .iter()
        .map(|c| {
            json!({
                "sha256": hex::encode(c.sha256), "serial": c.serial,
                "not_before": c.not_before.to_string(), "not_after": c.not_after.to_string(),
                "source": c.source, "looked_up": c.looked_up.map(|d| d.to_string()),
                "confirmed": confirmed(c.confirmed),
            })
        })
        .collect();
    json!({
        "id": a.id, "name": a.name, "kind": anchor_kind(a.kind), "formats": a.formats,
        "every_format": a.every_format, "role": a.role, "issuer": a.issuer,
        "subject": name::display(&a.subject), "algorithm": a.key.algorithm(),
        "spki_sha256": hex::encode(a.spki_sha256), "path_len": a.path_len,
        "certificates": certificates, "origin": origin(&a.origin),
    })
}

/// The kind of an anchor.
#[must_use]
pub const fn anchor_kind(kind: AnchorKind) -> &'static str {
    match kind {
        AnchorKind::Root => "root",
        AnchorKind::Intermediate => "intermediate",
        AnchorKind::Key => "key",
        AnchorKind::Untrusted => "untrusted",
    }
}

/// Who confirmed an anchor.
#[must_use]
pub const fn confirmed(by: Confirmed) -> &'static str {
    match by {
        Confirmed::Maker => "published by the maker",
        Confirmed::ThirdParty => "published by others only",
        Confirmed::Operator => "the operator vouches for it",
    }
}

/// Where an anchor comes from.
#[must_use]
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::BuiltIn => "built-in".to_owned(),
        Origin::Operator(file) => format!("operator: {file}"),
    }
}
