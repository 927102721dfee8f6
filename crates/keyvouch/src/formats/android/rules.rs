//! What the statement says, against what a CA asks of a key.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::authorization::{BootState, Field, RootOfTrust};
use super::checks as ck;
use super::keydesc::{KeyDescription, Level, purpose};
use super::parameters;
use super::shape::{self, Provisioning};
use super::structure::quirk;
use super::switches::Switches;
use super::tags;
use crate::appraisal::Freshness;
use crate::checks::{Check, Checks};
use crate::crypto::PublicKey;
use crate::pki::Certificate;

/// A statement, and what it is judged with.
pub(super) struct Case<'a> {
    pub(super) said: &'a KeyDescription,
    pub(super) key: &'a PublicKey,
    pub(super) provisioning: Provisioning,
    /// The certificates between target and root, the attestation key's first.
    pub(super) above: &'a [Certificate],
    /// The key that the attestation key signed for: the target's.
    pub(super) target_key: &'a PublicKey,
    pub(super) switches: &'a Switches,
    pub(super) place: &'a str,
}

/// Makes every check of the statement's content.
pub(super) fn check(case: &Case<'_>, checks: &mut Checks) {
    levels(case, checks);
    origin(case, checks);
    exposure(case, checks);
    boot(case, checks);
    purposes(case, checks);
    parameters::check(case.said, case.key, case.place, checks);
    forgery(case, checks);
    app(case, checks);
    patches(case, checks);
    authentication(case, checks);
}

fn levels(case: &Case<'_>, checks: &mut Checks) {
    let (said, place) = (case.said, case.place);
    let (statement, key) = (said.attestation_level, said.key_level);
    let both = format!("statement by {}, key in {}", statement.name(), key.name());
    checks.test(&ck::LEVEL_SOFTWARE, place.to_owned(), !said.has_software_level(), both.clone(), || {
        both.clone().into()
    });
    checks
        .test(&ck::LEVEL_MISMATCH, place.to_owned(), statement == key, both.clone(), || both.clone().into());
    if !said.has_software_level() {
        let low = case.switches.min_level == Level::STRONGBOX && key != Level::STRONGBOX;
        checks.test(&ck::LEVEL_TOO_LOW, place.to_owned(), !low, both.clone(), || {
            format!("{}; the operator asks for StrongBox", key.name()).into()
        });
    }
    match shape::level_by_certificates(case.provisioning, case.above) {
        Some(named) if named != key => {
            let detail = format!(
                "the statement says {}, the attestation key's certificate {}",
                key.name(),
                named.name()
            );
            quirk(case.switches.strict, &ck::LEVEL_VS_CERTIFICATE_MISMATCH, place, detail, checks);
        }
        Some(_) => {
            let detail = "the attestation key's certificate names the same environment";
            checks.pass(&ck::LEVEL_VS_CERTIFICATE_MISMATCH, place.to_owned(), detail);
        }
        None => {
            let why = "the attestation key's certificate names no environment";
            checks.skip(&ck::LEVEL_VS_CERTIFICATE_MISMATCH, place.to_owned(), why);
        }
    }
}

fn origin(case: &Case<'_>, checks: &mut Checks) {
    let place = case.place.to_owned();
    let (check, detail): (&'static Check, String) = match case.said.hardware.integer(tags::ORIGIN) {
        Field::Value(0) => {
            checks.pass(&ck::ORIGIN_MISSING, place, "the hardware says: generated");
            return;
        }
        Field::Value(1) => (&ck::ORIGIN_DERIVED, "the hardware says: derived".to_owned()),
        Field::Value(2) => (&ck::ORIGIN_IMPORTED, "the hardware says: imported".to_owned()),
        Field::Value(4) => (&ck::ORIGIN_SECURELY_IMPORTED, "the hardware says: securely imported".to_owned()),
        Field::Value(other) => (&ck::ORIGIN_UNKNOWN, format!("the hardware says: origin {other}")),
        Field::Unreadable => (&ck::ORIGIN_MISSING, "origin (702) cannot be read".to_owned()),
        Field::Absent => (&ck::ORIGIN_MISSING, "origin (702) is not in the hardware list".to_owned()),
    };
    checks.fail(check, place, detail);
}

fn exposure(case: &Case<'_>, checks: &mut Checks) {
    let said = case.said;
    let table: [(&'static Check, u32); 3] = [
        (&ck::KEY_EXPORTABLE, tags::EXPORTABLE),
        (&ck::ALL_APPLICATIONS, tags::ALL_APPLICATIONS),
        (&ck::IDENTITY_CREDENTIAL_KEY, tags::IDENTITY_CREDENTIAL),
    ];
    for (check, tag) in table {
        let there = said.hardware.has(tag) || said.software.has(tag);
        let name = tags::name(tag).unwrap_or_default();
        checks.test(check, case.place.to_owned(), !there, format!("{name} ({tag}) is in no list"), || {
            format!("{name} ({tag}) is there").into()
        });
    }
}

fn boot(case: &Case<'_>, checks: &mut Checks) {
    let place = case.place.to_owned();
    let rot = match case.said.hardware.root_of_trust() {
        Field::Value(rot) => rot,
        field => {
            let detail = match field.is_absent() {
                true => "rootOfTrust (704) is not in the hardware list",
                false => "rootOfTrust (704) cannot be read",
            };
            checks.fail(&ck::ROT_MISSING, place, detail);
            return;
        }
    };
    checks.pass(&ck::ROT_MISSING, place.clone(), "the hardware says how the device was booted");
    let has_hash = rot.boot_hash.is_some();
    if has_hash == (case.said.version >= 3) {
        let detail = "the root of trust has the form of the version";
        checks.pass(&ck::ROT_SHAPE_VS_VERSION, place.clone(), detail);
    } else {
        let (with, version) = (if has_hash { "with" } else { "without" }, case.said.version);
        let detail = format!("a root of trust {with} verifiedBootHash in version {version}");
        checks.warn(&ck::ROT_SHAPE_VS_VERSION, place.clone(), detail);
    }
    checks.test(&ck::BOOTLOADER_UNLOCKED, place, rot.locked, "the bootloader is locked", || {
        "the bootloader is unlocked".into()
    });
    boot_state(&rot, case, checks);
}

fn boot_state(rot: &RootOfTrust, case: &Case<'_>, checks: &mut Checks) {
    let place = case.place.to_owned();
    match rot.state {
        BootState::Verified => {
            for check in [&ck::BOOT_STATE_SELFSIGNED, &ck::BOOT_STATE_UNVERIFIED, &ck::BOOT_STATE_FAILED] {
                checks.pass(check, place.clone(), "verified boot: verified");
            }
        }
        BootState::SelfSigned => {
            let key = hex::encode(&rot.boot_key);
            let listed = !rot.boot_key.is_empty() && case.switches.boot_keys.contains(&rot.boot_key);
            match listed && rot.locked {
                true => checks.warn(
                    &ck::BOOT_STATE_SELFSIGNED,
                    place,
                    format!("a system of the user's choice, signed by {key}, which the operator lists"),
                ),
                false => checks.fail(
                    &ck::BOOT_STATE_SELFSIGNED,
                    place,
                    format!("a system of the user's choice, signed by {key}"),
                ),
            }
        }
        BootState::Unverified => {
            checks.fail(&ck::BOOT_STATE_UNVERIFIED, place, "verified boot: unverified");
        }
        BootState::Failed => checks.fail(&ck::BOOT_STATE_FAILED, place, "verified boot: failed"),
    }
}

fn purposes(case: &Case<'_>, checks: &mut Checks) {
    let place = case.place.to_owned();
    let found = case.said.hardware.set(tags::PURPOSE).value().unwrap_or_default();
    if found.is_empty() {
        let detail = "the hardware list has no purpose (1) that can be read";
        checks.fail(&ck::PURPOSE_NOT_HARDWARE_ENFORCED, place, detail);
        return;
    }
    checks.pass(&ck::PURPOSE_NOT_HARDWARE_ENFORCED, place.clone(), "the hardware enforces the purposes");
    let useful = [purpose::SIGN, purpose::DECRYPT, purpose::AGREE_KEY].iter().any(|p| found.contains(p));
    let attests = found.contains(&purpose::ATTEST_KEY);
    checks.test(
        &ck::PURPOSE_NOT_ALLOWED,
        place,
        useful && !attests,
        "its purposes are a subscriber's",
        || match attests {
            true => "the key may attest other keys".into(),
            false => "the key may neither sign nor decrypt nor agree on keys".into(),
        },
    );
}

/// Signs of forgery that were seen; none alone is proof.
fn forgery(case: &Case<'_>, checks: &mut Checks) {
    let place = case.place.to_owned();
    let signer = case.above.first().and_then(|c| c.key().ok());
    if case.provisioning == Provisioning::Factory {
        let forged = case.target_key.rsa_bits().is_some() && signer.is_some_and(|k| k.rsa_bits().is_none());
        match forged {
            true => checks.warn(
                &ck::RSA_UNDER_EC_FACTORY_KEY,
                place,
                "an RSA key under an EC attestation key of the factory",
            ),
            false => checks.pass(
                &ck::RSA_UNDER_EC_FACTORY_KEY,
                place,
                "key and attestation key are of kinds that go together",
            ),
        }
    }
}

/// The challenge against the one that was given.
pub(super) fn challenge(
    said: &KeyDescription,
    expected: Option<&[u8]>,
    place: &str,
    checks: &mut Checks,
) -> Option<Freshness> {
    const LONGEST: usize = 128;
    compare_challenge(&said.challenge, expected, LONGEST, place, checks)
}

pub(super) fn compare_challenge(
    found: &[u8],
    expected: Option<&[u8]>,
    longest: usize,
    place: &str,
    checks: &mut Checks,
) -> Option<Freshness> {
    let place = place.to_owned();
    if found.len() > longest {
        let detail = format!("the challenge has {} bytes; devices take at most {longest}", found.len());
        checks.info(&ck::CHALLENGE_MISMATCH, place.clone(), detail);
    }
    let Some(expected) = expected else {
        checks.skip(&ck::CHALLENGE_MISMATCH, place, "no challenge was given to compare with");
        return None;
    };
    if found.is_empty() {
        checks.fail(&ck::CHALLENGE_MISMATCH, place, "the statement has no challenge");
        return Some(Freshness::NoNonceInEvidence);
    }
    let same = verify_slices_are_equal(found, expected).is_ok();
    checks.test(&ck::CHALLENGE_MISMATCH, place, same, "the challenge is the one that was given", || {
        "the challenge is another than the one that was given".into()
    });
    Some(if same { Freshness::NonceMatched } else { Freshness::NonceMismatch })
}

fn app(case: &Case<'_>, checks: &mut Checks) {
    let place = case.place.to_owned();
    let Some(listed) = &case.switches.apps else {
        checks.skip(&ck::APP_ID_MISMATCH, place, "the operator lists no apps (android_apps)");
        return;
    };
    let id = case.said.software.application_id().value();
    let matches = id.as_ref().is_some_and(|id| {
        listed.iter().any(|(package, signer)| {
            id.packages.iter().any(|(name, _)| name == package) && id.signers.contains(signer)
        })
    });
    checks.test(&ck::APP_ID_MISMATCH, place, matches, "an app that the operator lists", || match id {
        None => "attestationApplicationId (709) is absent or cannot be read".into(),
        Some(id) => {
            let names: Vec<String> = id.packages.into_iter().map(|(name, _)| name).collect();
            let signers: Vec<String> = id.signers.iter().map(hex::encode).collect();
            format!("the app is {}, signed by {}", names.join(", "), signers.join(", ")).into()
        }
    });
}

fn patches(case: &Case<'_>, checks: &mut Checks) {
    let list = &case.said.hardware;
    for tag in [tags::OS_PATCH_LEVEL, tags::VENDOR_PATCH_LEVEL, tags::BOOT_PATCH_LEVEL] {
        let field = list.integer(tag);
        if !field.is_absent() && patch_month(field).is_none() {
            let name = tags::name(tag).unwrap_or_default();
            let detail = match field {
                Field::Value(value) => format!("{name} is {value}"),
                _ => format!("{name} cannot be read"),
            };
            checks.warn(&ck::PATCH_LEVEL_ZERO, case.place.to_owned(), detail);
        }
    }
    let place = case.place.to_owned();
    let os = patch_month(list.integer(tags::OS_PATCH_LEVEL));
    match &case.switches.min_patch {
        None => {
            checks.skip(&ck::PATCH_STALE, place, "the operator asks for no patch level (android_min_patch)")
        }
        Some(Err(text)) => {
            checks.fail(&ck::PATCH_STALE, place, format!("android_min_patch is {text:?}, not YYYY-MM"));
        }
        Some(Ok(least)) => {
            let told = os.map_or_else(|| "unknown".to_owned(), |os| os.to_string());
            let new = os.is_some_and(|os| os >= *least);
            checks.test(&ck::PATCH_STALE, place, new, format!("patch level {told}"), || {
                format!("patch level {told}; the operator asks for {least}").into()
            });
        }
    }
}

/// A patch level, YYYYMM or YYYYMMDD, as YYYYMM. Zero, and dates that there are not, are unknown.
pub(super) fn patch_month(field: Field<u64>) -> Option<u64> {
    let value = field.value()?;
    let (month, day) = match value {
        100_000..=999_999 => (value, 1),
        10_000_000..=99_999_999 => (value.checked_div(100)?, value.checked_rem(100)?),
        _ => return None,
    };
    ((1..=12).contains(&month.checked_rem(100)?) && (1..=31).contains(&day)).then_some(month)
}

fn authentication(case: &Case<'_>, checks: &mut Checks) {
    let list = &case.said.hardware;
    let stated = list.flag(tags::NO_AUTH_REQUIRED).value().is_some()
        || list.integer(tags::USER_AUTH_TYPE).value().is_some();
    match stated {
        true => checks.pass(
            &ck::AUTH_POLICY_UNKNOWN,
            case.place.to_owned(),
            "the hardware says whether the user must authenticate",
        ),
        false => checks.warn(
            &ck::AUTH_POLICY_UNKNOWN,
            case.place.to_owned(),
            "neither noAuthRequired (503) nor userAuthType (504) is in the hardware list",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_levels_are_months_or_days() {
        let month = |value| patch_month(Field::Value(value));
        assert_eq!((month(202_606), month(20_260_605)), (Some(202_606), Some(202_606)));
        for bad in [0, 20_260_600, 202_613, 202_600, 20_261_301, 2026, 20_260_632] {
            assert_eq!(month(bad), None, "{bad}");
        }
        assert_eq!((patch_month(Field::Absent), patch_month(Field::Unreadable)), (None, None));
    }
}
