//! Azure Managed HSM: LiquidSecurity attestations of firmware 2 that a pool hands out in JSON, under two chains.
//!
//! The manufacturer's chain proves the device. The second chain is the pool's own: its self-signed root, made when
//! the pool is activated, certifies the same partition. The signed key ID is the path of the key's identifier.
//!
//! Sources: Microsoft, "Key attestation" (Managed HSM) and the Key Vault REST reference, "Get Key Attestation";
//! Azure/azure-managed-hsm-key-attestation.

pub(super) mod answer;
mod binding;
mod checks;
mod kid;
mod pool;

use serde_json::Value;

use self::answer::Body;
use self::checks as ck;
use self::pool::PINS;
use super::checks as core;
use super::found::{Found, Source};
use super::judge::{self, Profile};
use super::layout::Layout;
use super::{CERTIFICATION, COPIES, NO_TIME, STRICT_CERTIFICATES, chain, statement, view};
use crate::checks::Checks;
use crate::formats::{About, Context, Format, Proof, Statement};
use crate::submission::{OptionDef, OptionKind};

/// Keys of Azure Managed HSM pools.
pub(crate) struct AzureManagedHsm;

const ALLOW_MISSING_PUBLIC: &str = "allow_missing_public_object";

static PROFILE: Profile = Profile {
    id: "azure-managed-hsm",
    device_class: "cloud-hsm",
    device_class_from: "the pool's certificate of the partition",
    no_blob: &ck::NO_ATTESTATION_BLOB,
    no_partition: &ck::NO_PARTITION,
    no_card: &ck::NO_CARD,
};

static ABOUT: About = About {
    id: PROFILE.id,
    title: "Azure Managed HSM key attestation",
    maker: "Microsoft (cards by Marvell)",
    devices: "Azure Managed HSM pools; not vaults of Azure Key Vault, which attest nothing",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: PINS,
            kind: OptionKind::List,
            about: "the pool's root must have a public key with one of these SHA-256 digests (hexadecimal, of the SubjectPublicKeyInfo)",
        },
        OptionDef {
            name: ALLOW_MISSING_PUBLIC,
            kind: OptionKind::Bool,
            about: "the attestation of the private half is enough: it holds the public values too",
        },
        STRICT_CERTIFICATES,
    ],
    limits: &[
        NO_TIME,
        COPIES,
        "That no other pool has the key: whoever holds the security domain of the pool can bring its keys up in another Managed HSM.",
        CERTIFICATION,
        "That it is this pool of Azure, unless its root is pinned: the root in the evidence is self-signed.",
        "Who may use the key, and for what: the attested usage flags are the same for all keys.",
    ],
    docs: "docs/devices/azure-managed-hsm.md",
};

impl Format for AzureManagedHsm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::among(cx, Source::Azure) else { return Vec::new() };
        let mut judged = judge::judge(&found, cx, &PROFILE);
        check_answers(&found, cx, &mut judged.statement.checks);
        if found.blobs.is_empty() {
            return vec![judged.statement];
        }
        check_firmware(&found, &mut judged.statement.checks);
        let pool = pool::check(&found, &mut judged, cx);
        binding::check(&found, &mut judged, pool.as_ref(), cx);
        let roots: Vec<_> = judged.makers.iter().copied().chain(pool.as_ref().map(|p| &p.root)).collect();
        let used = judged.statement.certificates.clone();
        chain::check_leftovers(&found, &used, &roots, cx, &mut judged.statement.checks);
        chain::tell_expired_roots(&found, &judged.makers, cx, &mut judged.statement.checks);
        if let Some(pool) = &pool {
            statement::attest(&mut judged, &PROFILE, |claims| binding::claims(pool.claims(claims)));
        }
        vec![judged.statement]
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Found::among(cx, Source::Azure).map(|found| view::all(&found, cx)).unwrap_or_default()
    }
}

/// The form of the answers. Old and unknown versions are never guessed at.
fn check_answers(found: &Found<'_>, cx: &Context<'_>, checks: &mut Checks) {
    for (id, answer) in &found.answers {
        let place = cx.parts.place(*id).to_owned();
        match &answer.body {
            Body::Malformed(why) => checks.fail(&ck::JSON_MALFORMED, place, why.clone()),
            Body::OtherVersion(version) => {
                checks.pass(&ck::JSON_MALFORMED, place.clone(), "an answer of the service");
                checks.fail(&ck::VERSION, place, format!("the version of the attestation is {version}"));
            }
            Body::Refusal { code, message } if found.blobs.is_empty() => {
                let message: String = message.chars().take(200).collect();
                checks.fail(&ck::PROVIDER_ERROR, place, format!("the service refused: {code}: {message}"));
            }
            Body::Refusal { .. } => {
                checks.skip(
                    &ck::PROVIDER_ERROR,
                    place,
                    "a refusal of the service beside an answer; left out",
                );
            }
            Body::Statement { .. } | Body::NoStatement => {
                checks.pass(&ck::JSON_MALFORMED, place, "an answer of the service");
            }
        }
        if let Body::Statement { private, public } = &answer.body {
            let place = cx.parts.place(*id).to_owned();
            checks.pass(&ck::VERSION, place.clone(), "the attestation is of version MRVL-1");
            // Without any blob this was said before. Elsewhere such data is a stray file; here it is a half.
            let unknown =
                [Some(private), public.as_ref()].into_iter().flatten().any(|b| Layout::of(b).is_none());
            if unknown && !found.blobs.is_empty() {
                let detail = "the sizes in one of the halves fit no layout; perhaps cut or extended";
                checks.fail(&core::FORMAT, place, detail);
            }
        }
    }
}

/// The service hands out blobs of firmware 2; how it would hand out others is not known.
fn check_firmware(found: &Found<'_>, checks: &mut Checks) {
    for blob in found.blobs.iter().filter(|b| b.layout == Layout::Fw3) {
        checks.fail(&ck::UNTESTED_LAYOUT, blob.place.clone(), "an attestation in the layout of firmware 3");
    }
}
