//! The resource name of the key version. The key's ID is 128 hex digits; the last 64 are the SHA-256 of the name.

use super::super::attributes as attribute;
use super::super::found::Found;
use super::super::judge::Judged;
use super::super::object::Object;
use super::super::statement::Gathering;
use super::checks as ck;
use crate::crypto::sha256;
use crate::formats::Context;

/// The digest of the resource name, in hex as signed.
fn name_digest<'b>(object: &Object<'b>) -> Option<&'b str> {
    let id = object.value(attribute::ID)?;
    let hex = id.len() == 128 && id.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    std::str::from_utf8(id.get(64..)?).ok().filter(|_| hex)
}

fn is_named(object: &Object<'_>, name: &str) -> bool {
    name_digest(object).is_some_and(|digest| digest == hex::encode(sha256(name.as_bytes())))
}

/// Compares the names that are at hand with the signed one; returns the name that is confirmed.
pub(super) fn check<'a>(found: &Found<'a>, judged: &mut Judged<'_>, cx: &Context<'a>) -> Option<&'a str> {
    let place = judged.place.clone();
    let object = judged.objects.as_ref().and_then(|o| o.any())?;
    let checks = &mut judged.statement.checks;
    let mut confirmed = None;
    if let Some(option) = cx.options.text("resource_name") {
        // A project can be written by its id or its number; the caller may not know which one counts.
        confirmed = option.split(',').map(str::trim).find(|name| is_named(object, name));
        checks.test(
            &ck::RESOURCE_NAME,
            place,
            confirmed.is_some(),
            "the attested key is the key version that was named",
            || {
                let digest = name_digest(object).unwrap_or("no digest of a name");
                format!("the signed key ID is of another key version: it ends in {digest}").into()
            },
        );
    } else {
        checks.skip(&ck::RESOURCE_NAME, place, "no resource_name was given to compare with");
    }
    for (id, version) in &found.key_versions {
        let place = cx.parts.place(*id).to_owned();
        match version.name {
            Some(name) if is_named(object, name) => {
                checks.pass(&ck::RESOURCE_NAME_DIFFERS, place.clone(), "the unsigned name is the signed one");
                confirmed = confirmed.or(Some(name));
            }
            Some(name) => {
                let detail = format!("the JSON names {name}, and the signed key ID is of another name");
                checks.warn(&ck::RESOURCE_NAME_DIFFERS, place.clone(), detail);
            }
            None => {}
        }
        if version.imported && object.flag(attribute::LOCAL) == Some(true) {
            let detail =
                "the JSON says that the key was imported; the signed attributes say it was generated";
            checks.warn(&ck::IMPORT_METADATA_DIFFERS, place, detail);
        }
    }
    confirmed
}

pub(super) fn claims<'s, 'b>(claims: Gathering<'s, 'b>, confirmed: Option<&str>) -> Gathering<'s, 'b> {
    claims
        .detail("resource_name_sha256", "ID, digits 65 to 128", |s| s.objects.any().and_then(name_digest))
        .detail("resource_name", "ID, which is the digest of this name", |s| {
            // The name is unsigned; it counts because the signed digest is its.
            confirmed.filter(|name| s.objects.any().is_some_and(|object| is_named(object, name)))
        })
}
