//! Reports to make results of: emulated evidence, judged.

#![allow(dead_code, reason = "not every test uses all of it")]

use keyvouch::{File, Reference, Report, Submission, Time, Verifier};
use keyvouch_emulator::{Sample, samples};
use keyvouch_policy::{Policy, Settings, judge};
use keyvouch_results::{Algorithm, KeySet, SigningKey};

pub(crate) const NONCE: &[u8] = b"relying party's nonce";

pub(crate) fn sample(variant: &str) -> Sample {
    let all = samples("yubikey-piv").unwrap();
    all.into_iter().find(|s| s.variant == variant).unwrap_or_else(|| panic!("{variant}"))
}

pub(crate) fn first() -> Sample {
    samples("yubikey-piv").unwrap().into_iter().next().unwrap()
}

pub(crate) fn submission(sample: &Sample) -> Submission {
    let file = |f: &keyvouch_emulator::File| File::new(f.name.clone(), f.bytes.clone());
    let at: Time = sample.at.parse().unwrap();
    let mut submission = Submission::new(sample.evidence.iter().map(file).collect(), at);
    submission.request = sample.request.as_ref().map(file);
    submission
}

pub(crate) fn verifier(sample: &Sample) -> Verifier {
    let mut reference = Reference::builtin().unwrap();
    for anchor in &sample.anchors {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
    }
    Verifier::new(reference)
}

pub(crate) fn report_with(sample: &Sample, policies: &[&str], knobs: &[(&str, &str)]) -> Report {
    report_of(sample, &submission(sample), policies, knobs)
}

pub(crate) fn report_of(
    sample: &Sample,
    submission: &Submission,
    policies: &[&str],
    knobs: &[(&str, &str)],
) -> Report {
    let mut report = verifier(sample).appraise(submission).unwrap();
    let policies: Vec<Policy> = policies.iter().map(|p| Policy::builtin(p).unwrap()).collect();
    let mut settings = Settings::default();
    knobs.iter().for_each(|(name, value)| settings.set(name, value).unwrap());
    judge(&mut report, &policies, submission.request.is_some(), &settings);
    report
}

pub(crate) fn report(sample: &Sample) -> Report {
    report_with(sample, &["hardware-key"], &[])
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

pub(crate) fn keys(key: &SigningKey) -> KeySet {
    KeySet::read(key.public_jwk().to_string().as_bytes()).unwrap()
}
