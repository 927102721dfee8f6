//! The key in the certificate against what the hardware says of it.

use super::authorization::{AuthorizationList, Field};
use super::checks as ck;
use super::keydesc::KeyDescription;
use super::tags;
use crate::checks::Checks;
use crate::crypto::{Curve, Material, MlDsa, PublicKey};

const RSA: u64 = 1;
const EC: u64 = 3;
const ML_DSA: u64 = 4;

/// EcCurve of KeyMint.
const CURVE_25519: u64 = 4;

/// What the hardware would say of a key.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    algorithm: u64,
    size: Option<u64>,
    curve: Option<u64>,
    variant: Option<u64>,
    exponent: Option<u64>,
}

pub(super) fn check(said: &KeyDescription, key: &PublicKey, place: &str, checks: &mut Checks) {
    let wrong = match kind(key) {
        None => Some(format!("{} is no key of KeyMint", key.algorithm())),
        Some(kind) => mismatch(&kind, &said.hardware).map(|why| format!("{}: {why}", key.algorithm())),
    };
    checks.test(
        &ck::KEY_PARAMS_MISMATCH,
        place.to_owned(),
        wrong.is_none(),
        "the key is of the type and size that the hardware states",
        || wrong.unwrap_or_default().into(),
    );
    let bits = kind(key).filter(|k| k.algorithm != ML_DSA).and_then(|k| k.size);
    let least = if key.rsa_bits().is_some() { 2048 } else { 256 };
    checks.test(
        &ck::KEY_TOO_SMALL,
        place.to_owned(),
        bits.is_none_or(|bits| bits >= least),
        "the key is long enough",
        || format!("{} has fewer than {least} bits", key.algorithm()).into(),
    );
}

fn kind(key: &PublicKey) -> Option<Kind> {
    let ec = |size, curve| Kind {
        algorithm: EC,
        size: Some(size),
        curve: Some(curve),
        variant: None,
        exponent: None,
    };
    match key.material() {
        Material::Rsa { e, .. } => Some(Kind {
            algorithm: RSA,
            size: key.rsa_bits().and_then(|b| u64::try_from(b).ok()),
            curve: None,
            variant: None,
            exponent: Some(number(e)?),
        }),
        Material::Ec { curve: Curve::P256, .. } => Some(ec(256, 1)),
        Material::Ec { curve: Curve::P384, .. } => Some(ec(384, 2)),
        Material::Ec { curve: Curve::P521, .. } => Some(ec(521, 3)),
        Material::Ed25519(_) | Material::X25519(_) => Some(ec(256, CURVE_25519)),
        Material::Other { oid, .. } if oid == "1.2.840.10045.2.1/1.3.132.0.33" => Some(ec(224, 0)),
        Material::MlDsa { set, .. } => {
            let variant = match set {
                MlDsa::MlDsa65 => 1,
                MlDsa::MlDsa87 => 2,
                MlDsa::MlDsa44 => return None,
            };
            Some(Kind { algorithm: ML_DSA, size: None, curve: None, variant: Some(variant), exponent: None })
        }
        Material::Ec { .. } | Material::Dsa { .. } | Material::Other { .. } => None,
    }
}

/// A big-endian number of at most eight bytes.
fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    let mut wide = [0_u8; 8];
    for (to, from) in wide.iter_mut().rev().zip(bytes.iter().rev()) {
        *to = *from;
    }
    Some(u64::from_be_bytes(wide))
}

/// What the hardware says differently. Old versions leave the curve out; the size stands for it then.
fn mismatch(kind: &Kind, list: &AuthorizationList) -> Option<String> {
    let differs = |tag: u32, is: Option<u64>| -> Option<String> {
        let name = tags::name(tag).unwrap_or_default();
        match (list.integer(tag), is) {
            (Field::Absent, _) => None,
            (Field::Value(said), Some(is)) if said == is => None,
            (Field::Value(said), _) => Some(format!("the hardware says {name} {said}")),
            (Field::Unreadable, _) => Some(format!("{name} ({tag}) cannot be read")),
        }
    };
    if list.integer(tags::ALGORITHM).is_absent() {
        return Some("the hardware list has no algorithm (2)".to_owned());
    }
    let found = differs(tags::ALGORITHM, Some(kind.algorithm))
        .or_else(|| differs(tags::KEY_SIZE, kind.size))
        .or_else(|| differs(tags::EC_CURVE, kind.curve))
        .or_else(|| differs(tags::ML_DSA_VARIANT, kind.variant))
        .or_else(|| differs(tags::RSA_PUBLIC_EXPONENT, kind.exponent));
    found.or_else(|| {
        let absent = |tag: u32| list.integer(tag).is_absent();
        let unsaid = match kind.algorithm {
            RSA => absent(tags::KEY_SIZE),
            EC => absent(tags::KEY_SIZE) && absent(tags::EC_CURVE),
            _ => absent(tags::ML_DSA_VARIANT),
        };
        unsaid.then(|| "the hardware list does not say its size".to_owned())
    })
}
