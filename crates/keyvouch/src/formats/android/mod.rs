//! Android key attestation: the certificate chain that a phone makes for a key in its TEE or StrongBox.
//!
//! ```text
//! factory      TARGET ← batch key ← intermediate ← Google root
//! provisioned  TARGET ← attestation key ← Droid CA3 ← Droid CA2 ← Google root
//! attest key   LEAF ← TARGET ← …: an attest key of the app, itself attested, signed for the key
//! ```
//!
//! The *target* is the certificate that the device's attestation key signed; the KeyDescription in it is what counts.
//! Its position under the root decides, not its flags: an app can sign anything with a key of its own, below the target.
//!
//! What stands in the hardware-enforced list is said by TEE or StrongBox, what stands in the software-enforced one by
//! the operating system. Source: Android developers, "Verify hardware-backed key pairs with key attestation", and the
//! Android Open Source Project, "Key and ID attestation".

mod authorization;
mod checks;
mod claims;
mod gather;
mod judge;
mod keydesc;
mod knox;
mod order;
mod parameters;
mod quirks;
mod rkp;
mod rules;
mod shape;
mod status;
mod structure;
mod switches;
mod tags;
mod target;
mod trust;
mod verdicts;
mod view;

use serde_json::Value;

use self::checks as ck;
use self::gather::Group;
use super::{About, Context, Format, Proof, Statement};
use crate::pki::CertificateError;

/// For formats that carry an `android-key` chain (WebAuthn, ACME): the chain judged, with the checks and under the
/// options of this format. The carrier's own signature, and that its challenge is the statement's, are the carrier's.
#[allow(unused_imports, reason = "for the formats that carry such a chain")]
pub(crate) use self::{
    checks::ALL as CHECKS,
    judge::{Judged, chain as judge_chain},
    switches::OPTIONS,
};

/// The format.
pub(crate) struct Android;

pub(crate) const ID: &str = "android";

static ABOUT: About = About {
    id: ID,
    title: "Android key attestation",
    maker: "Google and the makers of Android devices",
    devices: "phones and tablets with hardware-backed keys: Android 7 and later (TEE), Android 9 and later (StrongBox)",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: OPTIONS,
    limits: &[
        "That the device's attestation key has not leaked: many from factories did, and were used to forge statements on unlocked phones. The status list tells only what Google knows.",
        "Anything in the software-enforced list (which app made the key, when): the operating system says that, and is believed only as far as verified boot goes.",
        "That the device is still in the state that is stated: boot state and patch levels are those of the moment the key was made.",
        "Which single device, unless device identifiers are attested: keys from the factory are shared by many devices.",
        "A FIPS or Common Criteria certification: no statement names one. A TEE is no certified module; a StrongBox may be one, by its model.",
        "Who holds the phone, and that the key was not made on another person's phone by the same app.",
    ],
    docs: "docs/devices/android.md",
};

impl Format for Android {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let chains = gather::groups(cx).into_iter().map(|group| appraise(group, cx));
        chains.chain(rkp::appraise(cx)).chain(verdicts::appraise(cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let chains: Vec<Value> = gather::groups(cx).iter().map(view::group).collect();
        chains.into_iter().chain(rkp::inspect(cx)).collect()
    }
}

fn appraise(group: Group, cx: &Context<'_>) -> Statement {
    let Group { place, parts, certificates, broken, request } = group;
    let mut statement = Statement { request, ..Statement::default() };
    for (place, why) in broken {
        let check = match why {
            CertificateError::Trailing(_) => &ck::CERT_TRAILING_DATA,
            CertificateError::AlgorithmMismatch => &ck::SIGNATURE_INVALID,
            CertificateError::TooLong | CertificateError::Malformed(_) => &ck::CERT_PARSE,
        };
        statement.checks.fail(check, place, why.to_string());
    }
    statement.labels.extend(parts.into_iter().map(|id| (id, "certificate chain".into())));
    let judged = judge::chain(&certificates, &place, cx.nonce, cx);
    statement.checks.absorb(judged.checks);
    statement.attested = judged.attested;
    statement.certificates = judged.certificates;
    statement.freshness = judged.freshness;
    statement
}
