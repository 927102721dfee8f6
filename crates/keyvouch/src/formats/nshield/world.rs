//! The Security World: which keys belong together, signed by its Security Officer's key (KNSO).
//!
//! Only what the signed message says of the world is believed, not the members of the bundle it was put together
//! from: [`World`] and [`Recovery`] are read from the message.

use super::bundle::Bundle;
use super::checks as ck;
use super::keys::{self, KeyData, KeyHash};
use super::state::State;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Checks;

/// Suites whose worlds rest on DSA keys of 1024 bits.
const LEGACY_SUITES: [&str; 2] = ["DLf1024s160mDES3", "DLf1024s160mRijndael"];

const PLAIN: &[u8] = b"Module keys: suite = ";
const FIPS: &[u8] = b"Module setup, FIPS3; suite = ";
const RECOVERY: &[u8] = b"Card Recovery\0";

/// The keys of a Security World.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct World {
    /// A world of FIPS 140 level 3.
    pub(super) fips: bool,
    pub(super) suite: String,
    hknso: KeyHash,
    pub(super) hkm: KeyHash,
}

impl World {
    /// Prefix, suite, a zero byte, then the hashes of KNSO, KM, KMC and, in a FIPS world, KFIPS.
    fn read(message: &[u8]) -> Result<Self, ()> {
        let (fips, rest) = match (message.strip_prefix(PLAIN), message.strip_prefix(FIPS)) {
            (Some(rest), None) => (false, rest),
            (None, Some(rest)) => (true, rest),
            _ => return Err(()),
        };
        let end = rest.iter().position(|b| *b == 0).ok_or(())?;
        let (suite, rest) = rest.split_at_checked(end).ok_or(())?;
        let hashes = hashes(rest.get(1..).ok_or(())?).ok_or(())?;
        let (hknso, hkm) = match (hashes.as_slice(), fips) {
            ([hknso, hkm, _hkmc], false) | ([hknso, hkm, _hkmc, _], true) => (*hknso, *hkm),
            _ => return Err(()),
        };
        Ok(Self { fips, suite: str::from_utf8(suite).map_err(|_| ())?.to_owned(), hknso, hkm })
    }
}

/// The recovery key of a Security World.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recovery {
    hknso: KeyHash,
    pub(super) hkre: KeyHash,
}

impl Recovery {
    fn read(message: &[u8]) -> Result<Self, ()> {
        match hashes(message.strip_prefix(RECOVERY).ok_or(())?).ok_or(())?.as_slice() {
            [hknso, hkre, _hkra] => Ok(Self { hknso: *hknso, hkre: *hkre }),
            _ => Err(()),
        }
    }
}

fn hashes(bytes: &[u8]) -> Option<Vec<KeyHash>> {
    bytes.chunks(20).map(|hash| hash.try_into().ok()).collect()
}

/// What is known of the world of a key.
pub(super) struct Bound {
    /// `None` for a key that was never stored.
    pub(super) world: Option<Authentic<World>>,
    pub(super) recovery: Option<Authentic<Recovery>>,
}

/// Steps from the module's state to the keys of the world. `None` when one of them failed.
pub(super) fn check(
    bundle: &Bundle,
    state: &Authentic<State>,
    place: &str,
    checks: &mut Checks,
) -> Option<Bound> {
    if bundle.is_of_session_key() {
        return check_session(bundle, place, checks);
    }
    let place = place.to_owned();
    let missing = bundle.missing_world_members();
    let (Some(knso), Some(hkm), true) = (&bundle.knso, bundle.hkm, missing.is_empty()) else {
        let detail = format!(
            "of the members that bind the key to its world, these are missing: {}",
            missing.join(", ")
        );
        checks.fail(&ck::WORLD, place, detail);
        return None;
    };
    let knso = security_officer(knso, state, &place, checks)?;
    let held = state.get().module_keys.contains(&hkm);
    checks.test(
        &ck::MODULE_KEY,
        place.clone(),
        held,
        "the module holds the module key of the bundle",
        || format!("the module does not hold the module key with hash {}", hex::encode(hkm)).into(),
    );
    if !held {
        return None;
    }
    let world = match bind(bundle, state, &knso) {
        Ok(world) => {
            let kind = if world.get().fips { "FIPS 140 level 3 world" } else { "world" };
            checks.pass(&ck::WORLD, place.clone(), format!("{kind} with cipher suite {}", world.get().suite));
            Some(world)
        }
        Err(why) => {
            checks.fail(&ck::WORLD, place.clone(), why);
            None
        }
    };
    let recovery = check_recovery(bundle, state, &knso, place, checks);
    Some(Bound { world: Some(world?), recovery: recovery? })
}

/// A key that was never stored belongs to no world that the bundle could speak of.
fn check_session(bundle: &Bundle, place: &str, checks: &mut Checks) -> Option<Bound> {
    const WHY: &str = "the bundle is that of a key that was never stored: it names no Security World";
    let place = place.to_owned();
    for check in [&ck::KNSO, &ck::MODULE_KEY, &ck::WORLD] {
        checks.skip(check, place.clone(), WHY);
    }
    if bundle.hkre.is_some() || bundle.hkra.is_some() || bundle.recovery_binding.is_some() {
        checks.fail(&ck::RECOVERY, place, "recovery keys without the world that they belong to");
        return None;
    }
    checks.skip(&ck::RECOVERY, place, "the bundle has no recovery keys");
    Some(Bound { world: None, recovery: None })
}

/// The Security Officer's key: the one whose hash the module names.
fn security_officer(
    knso: &[u8],
    state: &Authentic<State>,
    place: &str,
    checks: &mut Checks,
) -> Option<TrustedKey> {
    let place = place.to_owned();
    let key = match KeyData::from_bytes(knso) {
        Ok(key) => key,
        Err(fault) => {
            super::key_fault(&fault, "member knsopub", &place, checks);
            return None;
        }
    };
    let endorsed = state.endorse(key, |state, key| key.hash().is_ok_and(|hash| hash == state.hknso));
    let Some(endorsed) = endorsed else {
        let expected = hex::encode(state.get().hknso);
        checks.fail(
            &ck::KNSO,
            place,
            format!("the module's Security Officer is {expected}, and knsopub is another key"),
        );
        return None;
    };
    checks.pass(&ck::KNSO, place.clone(), format!("Security Officer {}", hex::encode(state.get().hknso)));
    let trusted = endorsed.delegate("Security Officer of the world", |key| key.public_key().ok());
    if trusted.is_none() {
        checks.fail(
            &ck::WORLD,
            place,
            format!("the Security Officer's key cannot be used: {}", endorsed.get().describe()),
        );
    }
    trusted
}

fn bind(bundle: &Bundle, state: &Authentic<State>, knso: &TrustedKey) -> Result<Authentic<World>, String> {
    let (prefix, signature, fips) = match (&bundle.binding, &bundle.fips_binding) {
        (Some(signature), None) => (PLAIN, signature, false),
        (None, Some(signature)) => (FIPS, signature, true),
        (Some(_), Some(_)) => {
            return Err(
                "two signatures of the Security Officer on the world, of which one is too many".to_owned()
            );
        }
        (None, None) => return Err("no signature of the Security Officer on the world".to_owned()),
    };
    let suite = bundle.suite.as_deref().unwrap_or_default();
    if LEGACY_SUITES.contains(&suite) {
        return Err(format!("cipher suite {suite} rests on DSA keys of 1024 bits, which are not trusted"));
    }
    let [Some(hkm), Some(hkmc)] = [bundle.hkm, bundle.hkmc] else {
        return Err("hkm or hkmc is missing".to_owned());
    };
    let mut message = [prefix, suite.as_bytes(), &[0], &state.get().hknso, &hkm, &hkmc].concat();
    if fips {
        message.extend(bundle.hkfips.ok_or("the binding of a FIPS world needs hkfips, which is missing")?);
    }
    let signed = signed(&message, signature, knso).map_err(|why| {
        // The form of this message was not seen on evidence of a real device.
        let doubt =
            if fips { " (the form of this message is taken from another verifier's source)" } else { "" };
        format!("signature of the Security Officer on the keys of the world: {why}{doubt}")
    })?;
    let world =
        signed.parse(World::read).map_err(|()| "the signed message is not that of a world".to_owned())?;
    let same = world.get().hknso == state.get().hknso && world.get().hkm == hkm;
    same.then_some(world).ok_or_else(|| "the signed message is that of another world".to_owned())
}

/// Outer `None`: failed. Inner `None`: there are no recovery keys.
fn check_recovery(
    bundle: &Bundle,
    state: &Authentic<State>,
    knso: &TrustedKey,
    place: String,
    checks: &mut Checks,
) -> Option<Option<Authentic<Recovery>>> {
    let (hkre, hkra, signature) = match (bundle.hkre, bundle.hkra, &bundle.recovery_binding) {
        (Some(hkre), Some(hkra), Some(signature)) => (hkre, hkra, signature),
        (None, None, None) => {
            checks.skip(&ck::RECOVERY, place, "the bundle has no recovery keys");
            return Some(None);
        }
        _ => {
            checks.fail(&ck::RECOVERY, place, "only some of hkre, hkra and CertKREaKRAbKNSO are there");
            return None;
        }
    };
    let message = [RECOVERY, &state.get().hknso, &hkre, &hkra].concat();
    let recovery = signed(&message, signature, knso).and_then(|signed| {
        signed
            .parse(Recovery::read)
            .map_err(|()| "the signed message is not that of recovery keys".to_owned())
    });
    match recovery {
        Ok(recovery) if recovery.get().hknso == state.get().hknso => {
            checks.pass(&ck::RECOVERY, place, "the recovery keys are those of the world");
            Some(Some(recovery))
        }
        Ok(_) => {
            checks.fail(&ck::RECOVERY, place, "the recovery keys are those of another world");
            None
        }
        Err(why) => {
            checks.fail(
                &ck::RECOVERY,
                place,
                format!("signature of the Security Officer on the recovery keys: {why}"),
            );
            None
        }
    }
}

fn signed<'m>(message: &'m [u8], signature: &[u8], key: &TrustedKey) -> Result<Authentic<&'m [u8]>, String> {
    let (scheme, signature) = keys::signature(signature, key.key())?;
    let valid = key.key().verify(scheme, message, &signature).map_err(|e| e.to_string())?;
    key.authenticate(valid).ok_or_else(|| "signed by another key".to_owned())
}
