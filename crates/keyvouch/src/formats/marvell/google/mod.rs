//! Google Cloud HSM: LiquidSecurity attestations that Cloud KMS hands out, under two chains.
//!
//! The manufacturer's chain proves the device. Google certifies the same card and the same partition, each directly
//! under its own root, and so proves who operates it. The key's ID in the signed attributes ends in a digest of the
//! full resource name of the key version.
//!
//! Sources: Google Cloud, "Verifying attestations" and the REST resource CryptoKeyVersion (Cloud KMS API v1).

mod checks;
mod names;
mod owner;
pub(super) mod resource;

use serde_json::Value;

use self::checks as ck;
use self::resource::Declared;
use super::found::{Found, Source};
use super::judge::{self, Judged, Profile};
use super::{CERTIFICATION, COPIES, NO_TIME, STRICT_CERTIFICATES, chain, statement, view};
use crate::checks::Checks;
use crate::formats::{About, Context, Format, Proof, Statement};
use crate::submission::{OptionDef, OptionKind};

/// Keys of Cloud KMS with protection level HSM.
pub(crate) struct GoogleCloudHsm;

static PROFILE: Profile = Profile {
    id: "google-cloud-hsm",
    device_class: "cloud-hsm",
    device_class_from: "owner's certificates of card and partition",
    no_blob: &ck::NO_ATTESTATION_BLOB,
    no_partition: &ck::NO_PARTITION,
    no_card: &ck::NO_CARD,
};

static ABOUT: About = About {
    id: PROFILE.id,
    title: "Google Cloud HSM key attestation",
    maker: "Google (cards by Marvell)",
    devices: "Cloud KMS keys of protection level HSM and HSM_SINGLE_TENANT",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        STRICT_CERTIFICATES,
        OptionDef {
            name: "resource_name",
            kind: OptionKind::Text,
            about: "full resource name of the key version that must be the attested one; several spellings of it may be given, separated by commas",
        },
    ],
    limits: &[
        NO_TIME,
        COPIES,
        CERTIFICATION,
        "That the key version is enabled: the attestation is made once, when the version is created.",
        "Who may use the key (IAM), and which algorithm Cloud KMS restricts it to: the attested usage flags are the same for all keys.",
        "Anything about another version of the key: each version has an attestation of its own.",
    ],
    docs: "docs/devices/google-cloud-hsm.md",
};

impl Format for GoogleCloudHsm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::among(cx, Source::Google) else { return Vec::new() };
        let mut judged = judge::judge(&found, cx, &PROFILE);
        check_declared_format(&found, cx, &mut judged.statement.checks);
        let owners = owner::roots(cx, PROFILE.id);
        let operator =
            if found.blobs.is_empty() { None } else { owner::check(&found, &mut judged, &owners, cx) };
        let confirmed = names::check(&found, &mut judged, cx);
        finish_certificates(&found, &mut judged, &owners, cx);
        if let Some(operator) = operator.filter(|o| o.certified(&judged)) {
            statement::attest(&mut judged, &PROFILE, |claims| {
                names::claims(operator.claims(claims), confirmed)
            });
        }
        vec![judged.statement]
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Found::among(cx, Source::Google).map(|found| view::all(&found, cx)).unwrap_or_default()
    }
}

/// The member `format` of the JSON. Old and unknown formats are never guessed at.
fn check_declared_format(found: &Found<'_>, cx: &Context<'_>, checks: &mut Checks) {
    for (id, version) in &found.key_versions {
        let place = cx.parts.place(*id).to_owned();
        match &version.format {
            Declared::Other(format) => {
                let detail = format!("the attestation says that its format is {format}");
                checks.fail(&ck::ATTESTATION_FORMAT, place, detail);
            }
            Declared::V1 | Declared::V2 => {
                checks.pass(&ck::ATTESTATION_FORMAT, place, "the attestation is of a known format");
            }
        }
    }
}

fn finish_certificates<'b>(
    found: &Found<'b>,
    judged: &mut Judged<'b>,
    owners: &[&crate::reference::anchors::Anchor],
    cx: &Context<'b>,
) {
    let roots: Vec<_> = judged.makers.iter().chain(owners).copied().collect();
    let Statement { checks, certificates, .. } = &mut judged.statement;
    chain::check_leftovers(found, certificates, &roots, cx, checks);
    chain::tell_expired_roots(found, &roots, cx, checks);
}
