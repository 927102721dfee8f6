//! What every leaf of Apple's has: a key on a NIST curve, no right to issue, its issue time as serial number, and the
//! hash of its key as common name.

use super::checks as ck;
use crate::checks::Checks;
use crate::crypto::{Curve, Material, PublicKey, sha256};
use crate::pki::Certificate;
use crate::time::Time;

/// Makes the checks of the leaf itself; gives its key when it is one.
pub(super) fn check(
    leaf: &Certificate,
    curves: &[Curve],
    place: &str,
    checks: &mut Checks,
) -> Option<PublicKey> {
    if let Some(oid) = leaf.duplicate_extension() {
        checks.fail(&ck::MALFORMED, place.to_owned(), format!("the leaf has extension {oid} twice"));
    }
    let (key, fault) = match key(leaf, curves) {
        Ok(key) => (Some(key), None),
        Err(fault) => (None, Some(fault)),
    };
    let detail = key.as_ref().map(|k| k.algorithm()).unwrap_or_default();
    checks.test(&ck::LEAF_INVALID, place.to_owned(), fault.is_none(), detail, || {
        fault.unwrap_or_default().into()
    });
    if let Some(digest) = key.as_ref().and_then(point_sha256).map(hex::encode) {
        let name = leaf.common_name().unwrap_or_default();
        if name == digest {
            checks.pass(&ck::SUBJECT_KEY_HASH, place.to_owned(), "the common name is the hash of the key");
        } else {
            let detail = format!("the common name is {name:?}, the hash of the key is {digest}");
            checks.warn(&ck::SUBJECT_KEY_HASH, place.to_owned(), detail);
        }
    }
    key
}

fn key(leaf: &Certificate, curves: &[Curve]) -> Result<PublicKey, String> {
    if leaf.version() != 3 {
        return Err("it is not an X.509 v3 certificate".to_owned());
    }
    match leaf.basic_constraints() {
        Some(Ok(constraints)) if !constraints.ca => {}
        Some(Ok(_)) => return Err("it is the certificate of an authority".to_owned()),
        _ => return Err("basicConstraints are missing or cannot be read".to_owned()),
    }
    let key = leaf.key().map_err(|e| format!("its key: {e}"))?;
    let right = matches!(key.material(), Material::Ec { curve, .. } if curves.contains(curve));
    if !right {
        return Err(format!("its key is {}, which no Secure Enclave attests so", key.algorithm()));
    }
    match key.is_on_curve() {
        Some(true) => Ok(key.clone()),
        _ => Err("the point of its key is not on its curve".to_owned()),
    }
}

/// SHA-256 of the uncompressed point (X9.62) of a key.
pub(super) fn point_sha256(key: &PublicKey) -> Option<[u8; 32]> {
    match key.material() {
        Material::Ec { point, .. } => Some(sha256(point)),
        _ => None,
    }
}

/// The time of issue: the serial number counts the milliseconds since 1970. Not documented; so in every known leaf.
pub(super) fn issued_at(leaf: &Certificate) -> Option<Time> {
    let serial = leaf.serial();
    if serial.len() > 7 || serial.first().is_none_or(|first| *first >= 0x80) {
        return None;
    }
    let milliseconds = serial.iter().fold(0_i64, |number, byte| (number << 8) | i64::from(*byte));
    let time = Time::from_unix(milliseconds.checked_div(1000)?);
    (leaf.not_before() <= time && time <= leaf.not_after()).then_some(time)
}
