//! Marvell (Cavium) LiquidSecurity: the HSM signs the attributes of a key object with the key of its partition.
//!
//! ```text
//! attestation ← partition ← card ← Marvell's root
//!                  └─ same keys, certified once more ← the owner's root (Google Cloud HSM, Azure Managed HSM)
//! ```
//!
//! This module is the core of all formats with such attestations, and the format `marvell` itself: raw blobs of a
//! card that its owner operates. What Google and Azure hand out is judged in [`google`] and [`azure`].
//!
//! Source: Marvell, "Software Key Attestation", with its parse and verify scripts.

mod attributes;
mod azure;
mod chain;
mod checks;
mod found;
mod google;
mod judge;
mod layout;
pub(super) mod names;
mod object;
mod semantics;
mod statement;
mod view;

use serde_json::Value;

use self::checks as ck;
use self::found::{Found, Source};
use self::judge::Profile;
use super::{About, Context, Format, Proof, Statement};
use crate::submission::{OptionDef, OptionKind};

pub(crate) use self::azure::AzureManagedHsm;
pub(crate) use self::google::GoogleCloudHsm;

/// Cards that their owners operate.
pub(crate) struct Marvell;

const STRICT_CERTIFICATES: OptionDef = OptionDef {
    name: "strict_certificates",
    kind: OptionKind::Bool,
    about: "certificates without a part in the chains are a failure",
};

/// What no attestation of these cards proves.
const NO_TIME: &str = "When the attestation was made, and that the key still exists: the statement has no time and no nonce. It cannot be older than the partition certificate.";
const COPIES: &str = "That no encrypted copy of the key exists in another HSM: backup and cloning of a partition lie outside the attested attributes.";
const CERTIFICATION: &str = "The firmware version, and that the device's certification is in force. Its FIPS mode is stated only in the names of card and partition.";

static PROFILE: Profile = Profile {
    id: "marvell",
    device_class: "hsm",
    device_class_from: "Marvell, LiquidSecurity: a PCIe card with partitions",
    no_blob: &ck::NO_ATTESTATION_BLOB,
    no_partition: &ck::NO_PARTITION,
    no_card: &ck::NO_CARD,
};

static ABOUT: About = About {
    id: PROFILE.id,
    title: "Marvell LiquidSecurity key attestation",
    maker: "Marvell (formerly Cavium)",
    devices: "LiquidSecurity (CNxxxxx-NFBE) and LiquidSecurity 2 PCIe cards, operated by their owner",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[STRICT_CERTIFICATES],
    limits: &[NO_TIME, COPIES, CERTIFICATION, "Who operates the card, and who may use the key."],
    docs: "docs/devices/marvell.md",
};

impl Format for Marvell {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::among(cx, Source::Marvell) else { return Vec::new() };
        let mut judged = judge::judge(&found, cx, &PROFILE);
        let used = judged.statement.certificates.clone();
        let checks = &mut judged.statement.checks;
        chain::check_leftovers(&found, &used, &judged.makers, cx, checks);
        chain::tell_expired_roots(&found, &judged.makers, cx, checks);
        statement::attest(&mut judged, &PROFILE, |claims| {
            claims.detail("operator", "no certificate of an owner is judged", |_| None::<&str>)
        });
        vec![judged.statement]
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Found::among(cx, Source::Marvell).map(|found| view::all(&found, cx)).unwrap_or_default()
    }
}
