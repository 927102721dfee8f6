//! What an authentic document proves, in the words that every format shares.

use super::chain::device_serial;
use super::document::{Document, Policy, Rule};
use super::rules::public_key;
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet, Value};
use crate::formats::Attested;

const DEVICE: &str = "subject of the device certificate";
const ANCHOR: &str = "the anchor";
const ORIGIN: &str = "/private_key/@creation, attributes/never_extractable, attributes/always_sensitive";
const EXTRACTABLE: &str = "/private_key/attributes/extractable";
const EVER: &str = "/private_key/attributes/never_extractable, @creation";
const BOUNDARY: &str = "/private_key/attributes/extractable is false; Securosys documentation: clusters and backups copy keys between Primus HSMs";
const PUBLIC_KEY: &str = "/private_key/public_key";
const PURPOSES: &str = "/private_key/attributes: sign, decrypt, derive, unwrap";
const NOT_IN_IT: &str = "not in key attestations; only in the attestation of the device's state";

/// The claims of a document that was authenticated. `external`: the operator accepts that it was imported from
/// the external key store, where its origin is not known.
pub(super) fn attest(document: &Authentic<Document>, scheme: &'static str, external: bool) -> Attested {
    // The names on the path are those of certificates that the anchor vouches for: root, device, leaf.
    let path = document.trust().path();
    let serial = path.get(1).and_then(|name| device_serial(Some(name))).map(str::to_owned);
    let leaf = path.get(2).cloned();
    let key = |d: &Document| public_key(d);
    let claims = ClaimSet::of(document)
        .attested(ClaimName::KeyAlgorithm, PUBLIC_KEY, |d| key(d).map(|k| k.algorithm()))
        .attested(ClaimName::KeySpkiSha256, PUBLIC_KEY, |d| key(d).map(|k| hex::encode(k.spki_sha256())))
        .attested(ClaimName::KeyGeneratedInDevice, ORIGIN, |d| generated(d, external))
        .attested(ClaimName::KeyEverExportable, EVER, ever_exportable)
        .attested(ClaimName::KeyPurposes, PURPOSES, purposes)
        .attested(ClaimName::KeyCreatedAt, "/private_key/create_time", |d| {
            d.create_time.map(|t| t.to_string())
        })
        .implied(ClaimName::DeviceClass, "Securosys, Primus HSM", "hsm")
        .implied(ClaimName::DeviceVendor, ANCHOR, "Securosys")
        .implied(ClaimName::DeviceModel, ANCHOR, "Primus HSM")
        .attested(ClaimName::DeviceSerial, DEVICE, |_| serial)
        .unknown(ClaimName::DeviceFirmware, NOT_IN_IT)
        .unknown(ClaimName::DeviceFipsMode, NOT_IN_IT);
    let claims = match document.get().flags.extractable {
        Some(true) => claims.attested(ClaimName::KeyExportable, EXTRACTABLE, |_| "yes"),
        Some(false) => claims.implied(ClaimName::KeyExportable, BOUNDARY, "vendor-boundary"),
        None => claims.unknown(ClaimName::KeyExportable, EXTRACTABLE),
    };
    let policy = |d: &Document, rule: fn(&Policy) -> Option<&Rule>| {
        d.policy.as_ref().map(|p| rule(p).map_or_else(|| "no rule".to_owned(), Rule::describe))
    };
    let claims = claims
        .detail("label", "/private_key/label", |d| d.label.clone())
        .detail("uuid", "/private_key/uuid", |d| d.uuid.clone())
        .detail("id", "/private_key/id", |d| d.id.clone())
        .detail("creation", "/private_key/@creation", |d| d.creation.clone())
        .detail("storage", "/private_key/@storage", |d| {
            d.storage.clone().unwrap_or_else(|| "key store of the HSM".to_owned())
        })
        .detail("attested_at", "/private_key/attest_time", |d| d.attest_time.map(|t| t.to_string()))
        .detail("key_use_count", "/private_key/key_use_count", |d| d.key_use_count.map(|n| n.to_string()))
        .detail("extractable", EXTRACTABLE, |d| d.flags.extractable)
        .detail("never_extractable", "/private_key/attributes/never_extractable", |d| {
            d.flags.never_extractable
        })
        .detail("sensitive", "/private_key/attributes/sensitive", |d| d.flags.sensitive)
        .detail("always_sensitive", "/private_key/attributes/always_sensitive", |d| d.flags.always_sensitive)
        .detail("modifiable", "/private_key/attributes/modifiable", |d| d.flags.modifiable)
        .detail("copyable", "/private_key/attributes/copyable", |d| d.flags.copyable)
        .detail("destroyable", "/private_key/attributes/destroyable", |d| d.flags.destroyable)
        .detail("unique", "/private_key/attributes/unique", |d| d.flags.unique)
        .detail("eka_sign", "/private_key/attributes/eka_sign", |d| d.flags.eka_sign)
        .detail("derivation", "/private_key/derivation_value", |d| d.derivation.clone())
        .detail("address", "/private_key/address_truncated", |d| d.address.clone())
        .detail("approvals_needed", "/private_key/policy", |d| d.policy.is_some())
        .detail("approvals_use", "/private_key/policy/rule_use", |d| policy(d, |p| p.rule_use.as_ref()))
        .detail("approvals_block", "/private_key/policy/rule_block", |d| policy(d, |p| p.rule_block.as_ref()))
        .detail("approvals_unblock", "/private_key/policy/rule_unblock", |d| {
            policy(d, |p| p.rule_unblock.as_ref())
        })
        .detail("approvals_modify", "/private_key/policy/rule_modify", |d| {
            policy(d, |p| p.rule_modify.as_ref())
        })
        .detail("blocked", "/private_key/policy/key_status/blocked", |d| {
            d.policy.as_ref().and_then(|p| p.blocked)
        })
        .detail("attestation_key", "subject of the attestation key's certificate", |_| leaf)
        .detail("signature", "how the document is signed", |_| scheme)
        .finish();
    Attested::new(document, public_key, claims)
}

fn generated(document: &Document, external: bool) -> Option<bool> {
    let flags = &document.flags;
    match document.creation.as_deref() {
        Some("generated") => {
            (flags.never_extractable == Some(true) && flags.always_sensitive == Some(true)).then_some(true)
        }
        Some("imported") if !external => Some(false),
        _ => None,
    }
}

fn ever_exportable(document: &Document) -> Option<bool> {
    match document.flags.never_extractable? {
        false => Some(true),
        true => (document.creation.as_deref() == Some("generated")).then_some(false),
    }
}

/// Unknown when the document leaves one out: a set that may lack something is no answer.
fn purposes(document: &Document) -> Value {
    let flags = &document.flags;
    let all =
        [(flags.sign, "sign"), (flags.decrypt, "decrypt"), (flags.derive, "agree"), (flags.unwrap, "wrap")];
    if all.iter().any(|(flag, _)| flag.is_none()) {
        return Value::Unknown;
    }
    Value::Set(all.iter().filter(|(flag, _)| *flag == Some(true)).map(|(_, word)| *word).collect())
}
