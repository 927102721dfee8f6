//! The structure of a statement: what can be judged before anybody vouches for it.

use super::authorization::Field;
use super::checks as ck;
use super::keydesc::KeyDescription;
use super::switches::Switches;
use super::tags;
use crate::checks::{Check, Checks};

/// The statement's structure, which can be judged whatever the chain is worth.
pub(super) fn check(said: &KeyDescription, switches: &Switches, place: &str, checks: &mut Checks) {
    let strict = switches.strict;
    checks.pass(&ck::KEYDESC_PARSE, place.to_owned(), format!("KeyDescription of version {}", said.version));
    let defined = said.attestation_level.is_defined() && said.key_level.is_defined();
    checks.test(&ck::KEYDESC_LEVEL_UNKNOWN, place.to_owned(), defined, "defined security levels", || {
        format!("security levels {} and {}", said.attestation_level.name(), said.key_level.name()).into()
    });
    match tags::VERSIONS.contains(&said.version) {
        true => checks.pass(&ck::VERSION_UNKNOWN, place.to_owned(), "a known version"),
        false => checks.warn(&ck::VERSION_UNKNOWN, place.to_owned(), format!("version {}", said.version)),
    }
    let newer = |tag: &u32| tags::is_newer_than(*tag, said.version);
    let newer: Vec<&str> = said.hardware.numbers().filter(newer).filter_map(tags::name).collect();
    if !newer.is_empty() {
        let detail = format!("version {} does not have {}", said.version, newer.join(", "));
        checks.info(&ck::VERSION_UNKNOWN, place.to_owned(), detail);
    }
    let lists = [("hardware", &said.hardware), ("software", &said.software)];
    for (name, list) in lists {
        let unknown: Vec<String> = list.unknown().iter().map(u32::to_string).collect();
        if !unknown.is_empty() {
            let detail = format!("{name} list: unknown tags {}", unknown.join(", "));
            quirk(strict, &ck::UNKNOWN_TAG, place, detail, checks);
        }
        if !list.ascending {
            let detail = format!("the tags of the {name} list do not ascend");
            quirk(strict, &ck::TAGS_OUT_OF_ORDER, place, detail, checks);
        }
    }
    if let Field::Value(rot) = said.hardware.root_of_trust()
        && !rot.der_boolean
    {
        let detail = "deviceLocked is a BOOLEAN that is neither 00 nor FF";
        let check = if strict { &ck::KEYDESC_NOT_DER } else { &ck::DER_BOOLEAN_NOT_FF };
        quirk(strict, check, place, detail, checks);
    }
}

/// A finding, or a failure where the operator is strict.
pub(super) fn quirk(
    strict: bool,
    check: &'static Check,
    place: impl Into<String>,
    detail: impl Into<String>,
    checks: &mut Checks,
) {
    let (place, detail) = (place.into(), detail.into());
    if strict { checks.fail(check, place, detail) } else { checks.warn(check, place, detail) }
}
