//! What an authenticated bundle says.

use std::convert::Infallible;

use super::acl::Acl;
use super::exposure::{Exposure, WorldKeys};
use super::keygen::KeyGen;
use super::keys::KeyData;
use super::state::State;
use super::warrant::Module;
use super::world::{Bound, Recovery, World};
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::PublicKey;
use crate::formats::Attested;

/// Everything that the bundle proves, gathered from what was authenticated piece by piece.
pub(super) struct Facts {
    module: Module,
    state: State,
    world: Option<World>,
    pub(super) generation: KeyGen,
    key: PublicKey,
    acl: Acl,
    pub(super) exposure: Exposure,
}

/// The facts; `None` when a piece is not what it was when it was checked, or the list cannot be read.
pub(super) fn gather(
    module: Authentic<Module>,
    state: Authentic<State>,
    bound: Bound,
    (generation, key): (Authentic<KeyGen>, Authentic<KeyData>),
) -> Option<Authentic<Facts>> {
    let all = generation.beside(key)?.beside(state)?.beside(module)?;
    let all = beside_what_is_there(beside_what_is_there(all, bound.world)?, bound.recovery)?;
    all.parse(|(((((generation, key), state), module), world), recovery)| {
        let acl = generation.acl.clone().map_err(|_| ())?;
        let exposure = Exposure::of(&acl, &world_keys(&state, world.as_ref(), recovery.as_ref()));
        let key = key.public_key().map_err(|_| ())?;
        Ok::<_, ()>(Facts { module, state, world, generation, key, acl, exposure })
    })
    .ok()
}

fn world_keys(state: &State, world: Option<&World>, recovery: Option<&Recovery>) -> WorldKeys {
    WorldKeys { hknso: state.hknso, hkm: world.map(|w| w.hkm), hkre: recovery.map(|r| r.hkre) }
}

fn beside_what_is_there<T, U>(
    all: Authentic<T>,
    more: Option<Authentic<U>>,
) -> Option<Authentic<(T, Option<U>)>> {
    let paired = match more {
        Some(more) => all.beside(more)?.parse(|(all, more)| Ok::<_, Infallible>((all, Some(more)))),
        None => all.parse(|all| Ok((all, None))),
    };
    paired.ok()
}

/// The claims. `accept_recoverable`: the operator takes a quorum of administrators for part of the device.
pub(super) fn attest(facts: &Authentic<Facts>, accept_recoverable: bool) -> Attested {
    const KEY: &str = "pubkeydata, named by its hash in kcmsg";
    const ACL: &str = "kcmsg, access control list";
    const WARRANT: &str = "warrant";
    let exportable = if accept_recoverable {
        "kcmsg, access control list; by the operator's choice (accept_recoverable) a quorum of administrators does not count"
    } else {
        ACL
    };
    let claims = ClaimSet::of(facts)
        .attested(ClaimName::KeyAlgorithm, KEY, |f| f.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, KEY, |f| hex::encode(f.key.spki_sha256()))
        .attested(
            ClaimName::KeyGeneratedInDevice,
            "kcmsg, which modules sign only for keys that they generate",
            |_| true,
        )
        .attested(ClaimName::KeyExportable, exportable, |f| f.exposure.exportable(accept_recoverable))
        .attested(ClaimName::KeyEverExportable, ACL, |f| f.exposure.ever_exportable())
        .attested(ClaimName::KeyPurposes, ACL, |f| f.exposure.purposes())
        .unknown(ClaimName::KeyCreatedAt, "nothing in a bundle carries a time")
        .attested(ClaimName::AuthPin, "kcmsg, access control list, MakeBlob", |f| f.exposure.protection.pin())
        .implied(ClaimName::DeviceClass, "Entrust, nShield application note \"Warrants\"", "hsm")
        .implied(ClaimName::DeviceVendor, "the anchor", "Entrust")
        .implied(ClaimName::DeviceModel, "the anchor; a warrant does not name the model", "nShield")
        .attested(ClaimName::DeviceSerial, "warrant, ElectronicSerialNumber; the same in modstatemsg", |f| {
            f.module.esn.clone()
        })
        .unknown(ClaimName::DeviceFirmware, "a bundle does not name the firmware")
        .attested(ClaimName::DeviceFipsMode, "which binding of the world the Security Officer signed", |f| {
            f.world.as_ref().and_then(|w| w.fips.then_some(true))
        })
        .detail("protection", ACL, |f| f.exposure.protection.word())
        .detail("token", ACL, |f| f.exposure.protection.quorum())
        .detail("recovery", ACL, |f| f.exposure.recovery)
        .detail("acl", ACL, |f| describe(&f.acl, &f.state))
        .detail("generation", "kcmsg, generation parameters", |f| f.generation.describe())
        .detail("world", "modstatemsg, hash of the Security Officer's key", |f| hex::encode(f.state.hknso))
        .detail("cipher_suite", "world binding", |f| f.world.as_ref().map(|w| w.suite.clone()))
        .detail("warrant", WARRANT, |f| f.module.kind())
        .detail("approvals", WARRANT, |f| f.module.approvals.clone())
        .detail("physical_serial", WARRANT, |f| f.module.physical_serial.clone())
        .finish();
    Attested::new(facts, |f| Some(f.key.clone()), claims)
}

fn describe(acl: &Acl, state: &State) -> String {
    let groups = (1_usize..).zip(&acl.groups);
    groups.map(|(n, g)| format!("{n}. {}", g.describe(&state.hknso))).collect::<Vec<_>>().join("; ")
}
