//! Samsung Knox: chains under a Samsung Attestation Key (SAK), leaf ← SAK ← root.
//!
//! No complete chain of this kind is public; the form follows Samsung's verifier and published readers of it.

use der::asn1::ObjectIdentifier;
use der::{Tag, TagNumber};

use super::authorization::enumerated;
use super::checks as ck;
use super::keydesc::oid;
use super::trust::at;
use crate::checks::Checks;
use crate::formats::Context;
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, Origin};
use crate::wire::der::{children, content, single};

const UID: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1");

/// Members of the extension, and of the integrity SEQUENCE in it.
const MAX_MEMBERS: usize = 16;
const INTEGRITY: u32 = 5;

pub(super) fn check(
    leaf: &Certificate,
    sak: &Certificate,
    anchor: &Anchor,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    if cx.at < leaf.not_before() {
        let detail = format!("valid only from {}", leaf.not_before());
        checks.fail(&ck::CERT_NOT_YET_VALID, at(place, 0), detail);
    } else if cx.at > leaf.not_after() {
        checks.fail(&ck::CERT_EXPIRED, at(place, 0), format!("valid only until {}", leaf.not_after()));
    }
    // The SAK's UID names the root that it must stand under; two roots have one name.
    let uid = name::attributes(sak.subject()).into_iter().find(|a| a.oid == UID).and_then(|a| a.text);
    let generation = uid.and_then(|uid| uid.split_once(':')).map_or("", |(prefix, _)| prefix);
    let wanted = match generation {
        "SAK_V1" => Some("android-samsung-sakv1-root"),
        "SAK_V2" => Some("android-samsung-sakv2-root"),
        "SAKmV1" => Some("android-samsung-sakmv1-root"),
        _ => None,
    };
    let published = matches!(anchor.origin, Origin::BuiltIn);
    if wanted.is_none() || (published && wanted != Some(anchor.id.as_str())) {
        let detail =
            format!("the attestation key is of generation {generation:?}, the root is {}", anchor.name);
        checks.fail(&ck::ROOT_UNTRUSTED, at(place, 1), detail);
    }
    integrity(leaf, place, checks);
}

fn integrity(leaf: &Certificate, place: &str, checks: &mut Checks) {
    let place = at(place, 0);
    let Some(extension) = leaf.extension(oid::KNOX) else {
        let detail = "the certificate has no Knox extension: nothing is said of the device's integrity";
        checks.info(&ck::KNOX_INTEGRITY_ABNORMAL, place, detail);
        return;
    };
    // 0 normal, 1 abnormal, 2 not supported
    let sound = |value: Option<u8>| matches!(value, Some(0 | 2));
    let states = read(extension.value);
    let wrong: Vec<String> = ["trusted boot", "warranty bit", "integrity check"]
        .into_iter()
        .zip(states)
        .filter(|(_, state)| !sound(*state))
        .map(|(what, state)| match state {
            Some(state) => format!("{what}: {state}"),
            None => format!("{what}: not readable"),
        })
        .collect();
    checks.test(
        &ck::KNOX_INTEGRITY_ABNORMAL,
        place,
        wrong.is_empty(),
        "trusted boot, warranty bit and integrity check are normal",
        || wrong.join(", ").into(),
    );
}

/// trustBoot, warranty and ICD.
fn read(extension: &[u8]) -> [Option<u8>; 3] {
    let member = |content: &[u8], wanted: u32| -> Option<Vec<u8>> {
        let found = children(content, MAX_MEMBERS)?.into_iter().find_map(|m| match single(m)? {
            (Tag::ContextSpecific { constructed: true, number: TagNumber(n) }, value) if n == wanted => {
                Some(value)
            }
            _ => None,
        });
        found.map(<[u8]>::to_vec)
    };
    let integrity = content(extension, Tag::Sequence).and_then(|c| member(c, INTEGRITY));
    let fields = integrity.as_deref().and_then(|i| content(i, Tag::Sequence));
    [0, 1, 2].map(|n| enumerated(&member(fields?, n)?))
}
