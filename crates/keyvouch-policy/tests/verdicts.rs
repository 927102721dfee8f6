//! Policies over what the verifier makes of emulated evidence, from the files to the verdict.

// Tests fail by panics.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::sync::Arc;

use keyvouch::appraisal::{Decision, Requirement};
use keyvouch::{File, Reference, Report, Submission, Time, Verdict, Verifier};
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::yubikey_piv::{Carrier, Device, Maker, pin, touch};
use keyvouch_emulator::{Sample, csr, pem, samples};
use keyvouch_policy::{Policy, Settings, judge};

/// Before and after the certifications of the YubiKey 5 FIPS ended.
const ACTIVE: &str = "2026-01-10T00:00:00Z";
const ENDED: &str = "2026-11-23T00:00:00Z";

fn file(file: &keyvouch_emulator::File) -> File {
    File::new(file.name.clone(), file.bytes.clone())
}

fn sample(variant: &str) -> Sample {
    let all = samples("yubikey-piv").unwrap();
    all.into_iter().find(|s| s.variant == variant).unwrap_or_else(|| panic!("{variant}"))
}

/// A key of that kind on a YubiKey 5 FIPS with certified firmware.
fn fips_series(kind: KeyKind) -> Sample {
    let mut device = Device::new([5, 4, 3]).unwrap();
    device.fips = Some(1);
    device.form_factor = Some(0x83);
    let maker = Maker::of_firmware([5, 4, 3]).unwrap();
    let key: Arc<Key> = Key::shared("tests: subscriber", kind).unwrap();
    let signed = maker.attest(&device, 0x9c, &key, pin::ALWAYS, touch::CACHED).unwrap().sign().unwrap();
    let request = pem::request(&csr::plain("emulated subscriber", &key).unwrap());
    Sample {
        evidence: signed.carried(Carrier::TwoPems).unwrap(),
        request: Some(keyvouch_emulator::File::new("request.csr", request)),
        anchors: maker.anchors(),
        ..sample("5.4.3-9a-rsa2048")
    }
}

fn with(knobs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    knobs.iter().for_each(|(name, value)| settings.set(name, value).unwrap());
    settings
}

/// What the verifier makes of a sample.
fn appraised(sample: &Sample) -> Report {
    let mut reference = Reference::builtin().unwrap();
    for anchor in &sample.anchors {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
    }
    let at: Time = sample.at.parse().unwrap();
    let mut submission = Submission::new(sample.evidence.iter().map(file).collect(), at);
    submission.request = sample.request.as_ref().map(file);
    for (name, value) in &sample.options {
        submission.options.set_inline(name.clone(), value.clone());
    }
    Verifier::new(reference).appraise(&submission).unwrap()
}

fn judged(sample: &Sample, policy: &str, settings: &Settings) -> Report {
    let mut report = appraised(sample);
    judge(&mut report, &[Policy::builtin(policy).unwrap()], sample.request.is_some(), settings);
    report
}

fn decision(report: &Report) -> &Decision {
    assert_eq!(report.appraisals.len(), 1);
    report.appraisals[0].decisions.first().unwrap()
}

fn requirement<'r>(report: &'r Report, id: &str) -> &'r Requirement {
    decision(report).requirements.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"))
}

/// The unmet requirements, with a question mark after those that hang on something that is not known.
fn unmet(report: &Report) -> Vec<String> {
    let unmet = decision(report).requirements.iter().filter(|r| !r.met);
    unmet.map(|r| format!("{}{}", r.id, if r.unknown { "?" } else { "" })).collect()
}

#[test]
fn a_key_made_in_a_device_is_accepted_and_an_rsa_key_of_2048_bits_is_not_for_code_signing() {
    let rsa = sample("5.4.3-9c-rsa2048-fips");
    let report = judged(&rsa, "hardware-key", &Settings::default());
    assert_eq!((report.verdict, unmet(&report)), (Some(Verdict::Accept), vec![]));
    let report = judged(&rsa, "cabf-code-signing", &Settings::default());
    assert_eq!(report.verdict, Some(Verdict::Refuse));
    assert!(!requirement(&report, "rsa-size").met);
    assert_eq!(requirement(&report, "rsa-size").cite.as_deref(), Some("CSBR 6.1.5.2"));
    assert!(requirement(&report, "key-algorithm").met);
}

#[test]
fn a_device_without_certification_is_not_for_code_signing() {
    let report = judged(&sample("5.7.4-9a-rsa3072"), "cabf-code-signing", &Settings::default());
    assert_eq!(report.verdict, Some(Verdict::Refuse));
    assert_eq!(unmet(&report), ["certification", "certification-active"]);
}

#[test]
fn an_advisory_is_a_finding_or_refused() {
    let eucleak = sample("5.4.3-9a-p256");
    let report = judged(&eucleak, "hardware-key", &Settings::default());
    assert_eq!(report.verdict, Some(Verdict::AcceptWithFindings));
    assert_eq!(requirement(&report, "no-findings").reason, "To be looked at: eucleak.");
    let report = judged(&eucleak, "hardware-key", &with(&[("advisories", "refuse")]));
    assert_eq!(report.verdict, Some(Verdict::Refuse));
    assert_eq!(unmet(&report), ["no-advisory"]);
}

#[test]
fn a_certification_counts_by_date_mode_and_settings() {
    let rules = "cabf-code-signing";
    let mut key = fips_series(KeyKind::P384);
    for (at, knobs, verdict, lacking) in [
        // The evidence does not say whether the device was in FIPS mode.
        (
            ACTIVE,
            &[][..],
            Verdict::CannotDecide,
            &["certification?", "certified-mode?", "certification-active?"][..],
        ),
        (
            ACTIVE,
            &[("fips_mode_unknown", "refuse")],
            Verdict::Refuse,
            &["certification", "certified-mode", "certification-active"],
        ),
        (ACTIVE, &[("fips_mode_unknown", "finding")], Verdict::AcceptWithFindings, &["certification-proven"]),
        (ACTIVE, &[("fips_mode_unknown", "accept")], Verdict::AcceptWithFindings, &[]),
        (ENDED, &[("fips_mode_unknown", "accept")], Verdict::AcceptWithFindings, &["certification-active"]),
        (
            ENDED,
            &[("fips_mode_unknown", "accept"), ("historical_certifications", "never")],
            Verdict::Refuse,
            &["certification-not-ended", "certification-active"],
        ),
        (
            ENDED,
            &[("fips_mode_unknown", "accept"), ("historical_certifications", "accept")],
            Verdict::AcceptWithFindings,
            &[],
        ),
        (
            ENDED,
            &[("historical_certifications", "never")],
            Verdict::Refuse,
            &["certification?", "certified-mode?", "certification-not-ended", "certification-active"],
        ),
    ] {
        key.at = at.to_owned();
        let report = judged(&key, rules, &with(knobs));
        assert_eq!(report.verdict, Some(verdict), "{at} {knobs:?}");
        // EUCLEAK concerns EC keys on this firmware.
        let found = unmet(&report);
        assert_eq!(found, [lacking, &["no-findings"]].concat(), "{at} {knobs:?}");
    }
    // Level 3 it never had.
    key.at = ACTIVE.to_owned();
    let report = judged(&key, "cabf-signing-service", &with(&[("fips_mode_unknown", "accept")]));
    assert_eq!(report.verdict, Some(Verdict::Refuse));
    assert_eq!(unmet(&report), ["certification", "certification-active", "no-findings"]);
}

#[test]
fn another_key_in_the_request_is_refused_by_every_policy() {
    let mut other = sample("5.7.4-9a-rsa3072");
    other.request = sample("5.7.4-82-rsa4096").request;
    for policy in Policy::builtin_names() {
        let report = judged(&other, policy, &Settings::default());
        assert_eq!(report.verdict, Some(Verdict::Refuse), "{policy}");
        assert_eq!(requirement(&report, "no-failed-check").reason, "Failed: csr-key-mismatch.");
        assert!(!requirement(&report, "about-the-request").met);
    }
}

#[test]
fn a_missing_piece_leaves_it_open_under_every_policy() {
    let whole = sample("5.7.4-9a-rsa3072");
    for policy in Policy::builtin_names() {
        let without_anchors = Sample { anchors: Vec::new(), ..whole.clone() };
        let without_chain =
            Sample { evidence: whole.evidence.iter().take(1).cloned().collect(), ..whole.clone() };
        let nothing = Sample { evidence: whole.request.iter().cloned().collect(), ..whole.clone() };
        for sample in [without_anchors, without_chain, nothing] {
            let report = judged(&sample, policy, &Settings::default());
            if report.appraisals[0].authenticity.as_str() == "undecided" {
                assert_eq!(report.verdict, Some(Verdict::CannotDecide), "{policy}");
                let attests = *policy != "cabf-code-signing-witnessed";
                let first = if attests { "evidence-authentic" } else { "evidence-route" };
                assert!(requirement(&report, first).unknown);
            } else {
                assert_eq!(report.verdict, Some(Verdict::Refuse), "{policy}");
            }
        }
    }
}

#[test]
fn witness_statements_are_for_the_policy_of_witnessed_ceremonies_alone() {
    let all = samples("witness-statement").unwrap();
    let knobs = with(&[("model_only_certifications", "finding"), ("fips_mode_unknown", "accept")]);
    for sample in &all {
        for policy in Policy::builtin_names() {
            let report = judged(sample, policy, &knobs);
            if *policy == "cabf-code-signing-witnessed" {
                assert_eq!(report.verdict, Some(Verdict::AcceptWithFindings), "{:?}", unmet(&report));
                assert_eq!(unmet(&report), ["certification-proven", "one-module"]);
                // Its own request, and the certification, are looked at like those of attestation.
                let mut other = sample.clone();
                other.request = self::sample("5.7.4-82-rsa4096").request;
                assert_eq!(judged(&other, policy, &knobs).verdict, Some(Verdict::Refuse));
                assert_eq!(judged(sample, policy, &Settings::default()).verdict, Some(Verdict::CannotDecide));
            } else {
                assert_eq!(report.verdict, Some(Verdict::Refuse), "{policy}");
                assert_eq!(unmet(&report)[0], "evidence-authentic", "{policy}");
            }
        }
    }
    // Nobody approved the auditor.
    let mut unknown = all[0].clone();
    unknown.options.clear();
    unknown.anchors.clear();
    let report = judged(&unknown, "cabf-code-signing-witnessed", &knobs);
    assert_eq!(report.verdict, Some(Verdict::CannotDecide));
    // Attestation is method 2.
    let report = judged(&sample("5.7.4-9a-rsa3072"), "cabf-code-signing-witnessed", &Settings::default());
    assert_eq!(report.verdict, Some(Verdict::Refuse));
    assert!(!requirement(&report, "evidence-route").met && !requirement(&report, "evidence-route").unknown);
}

#[test]
fn what_was_tampered_with_is_never_accepted() {
    let whole = sample("5.7.4-9a-rsa3072");
    for step in 0..8_usize {
        let mut spoilt = whole.clone();
        let bytes = &mut spoilt.evidence[0].bytes;
        let at = bytes.len() / 2 + step * 7;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let report = judged(&spoilt, "hardware-key", &Settings::default());
        assert!(report.verdict >= Some(Verdict::CannotDecide), "{:?}", report.verdict);
    }
}

#[test]
fn judging_again_with_the_same_memory_gives_the_same_report() {
    let policies: Vec<Policy> = Policy::builtin_names().iter().map(|n| Policy::builtin(n).unwrap()).collect();
    let fresh = |p: &Policy| Policy::from_source(p.name(), p.source()).unwrap();
    for sample in samples("yubikey-piv").unwrap() {
        let mut report = appraised(&sample);
        judge(&mut report, &policies, sample.request.is_some(), &Settings::default());
        let first = report.to_json().unwrap();
        judge(&mut report, &policies, sample.request.is_some(), &Settings::default());
        assert_eq!(report.to_json().unwrap(), first, "decisions are replaced, not added");
        let cold: Vec<Policy> = policies.iter().map(fresh).collect();
        judge(&mut report, &cold, sample.request.is_some(), &Settings::default());
        assert_eq!(report.to_json().unwrap(), first, "{}", sample.variant);
        assert_eq!(report.appraisals[0].decisions.len(), policies.len());
        assert!(
            report.appraisals[0].decisions[0].verdict <= Verdict::AcceptWithFindings,
            "{}",
            sample.variant
        );
    }
}

#[test]
fn a_policy_of_the_operators_own_judges_beside_the_built_in_ones() {
    let text = r#"
        @title("Company laptops")
        permit (principal, action, resource);

        @id("newer-yubikey") @severity("must")
        @reason("Only YubiKey 5 with firmware 5.7 is used here.")
        forbid (principal, action, resource) unless {
          context.device has model && context.device.model == "YubiKey 5" &&
          context.device has firmware && context.device.firmware like "5.7.*"
        };

        @id("no-eucleak") @severity("must")
        @reason("EUCLEAK is not accepted here.")
        forbid (principal, action, resource) unless { !context.evidence.findings.contains("eucleak") };
    "#;
    let own = Policy::from_source("laptops.cedar", text).unwrap();
    let mut new = appraised(&sample("5.7.4-9a-rsa3072"));
    judge(&mut new, std::slice::from_ref(&own), true, &Settings::default());
    assert_eq!(new.verdict, Some(Verdict::Accept));
    let mut old = appraised(&sample("5.4.3-9a-p256"));
    judge(&mut old, &[own, Policy::builtin("hardware-key").unwrap()], true, &Settings::default());
    assert_eq!(old.verdict, Some(Verdict::Refuse));
    assert_eq!(unmet(&old), ["newer-yubikey", "no-eucleak", "no-findings"]);
    assert_eq!(old.appraisals[0].decisions[1].verdict, Verdict::AcceptWithFindings);
}

/// What a provider said of a key to the operator.
fn told(format: &str, answers: Vec<File>, csr: keyvouch_emulator::File, fetched: bool) -> Report {
    let mut submission = Submission::new(answers, "2026-06-01T00:01:00Z".parse().unwrap());
    submission.request = Some(file(&csr));
    if fetched {
        submission.options.set("provider_fetched", true);
    }
    let report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
    assert_eq!(report.appraisals[0].format, format);
    report
}

/// Attestation policies refuse whatever a provider says, and the policy for it accepts no attestation.
#[test]
fn a_provider_statement_is_for_the_policy_of_that_method_only() {
    let key = keyvouch_emulator::aws::KmsKey::new(KeyKind::Rsa3072).unwrap();
    let answers = |key: &keyvouch_emulator::aws::KmsKey| key.answers().iter().map(file).collect::<Vec<_>>();
    let method_5 = "cabf-code-signing-provider-report";
    for name in Policy::builtin_names() {
        for fetched in [true, false] {
            let mut report = told("aws", answers(&key), key.csr().unwrap(), fetched);
            judge(&mut report, &[Policy::builtin(name).unwrap()], true, &Settings::default());
            if *name == method_5 && fetched {
                assert_eq!(report.verdict, Some(Verdict::AcceptWithFindings));
                assert_eq!(unmet(&report), ["certification-active?", "one-module"]);
            } else {
                assert_eq!(report.verdict, Some(Verdict::Refuse), "{name}, fetched {fetched}");
            }
        }
    }
    // Imported, too short, not bound: refused by that policy too.
    let mut imported = key.clone();
    imported.metadata["Origin"] = "EXTERNAL".into();
    let short = keyvouch_emulator::aws::KmsKey::new(KeyKind::Rsa2048).unwrap();
    let other = keyvouch_emulator::aws::KmsKey::new(KeyKind::P256).unwrap();
    for (key, csr, why) in [
        (&imported, imported.csr().unwrap(), "generated-in-device"),
        (&short, short.csr().unwrap(), "rsa-size"),
        (&key, other.csr().unwrap(), "about-the-request"),
    ] {
        let mut report = told("aws", answers(key), csr, true);
        judge(&mut report, &[Policy::builtin(method_5).unwrap()], true, &Settings::default());
        assert_eq!(report.verdict, Some(Verdict::Refuse));
        assert!(unmet(&report).iter().any(|id| id == why), "{why}: {:?}", unmet(&report));
    }
    // A vault does not say whether a key was generated in it.
    let vault = keyvouch_emulator::azure_key_vault::VaultKey::premium(KeyKind::Rsa3072).unwrap();
    for (name, verdict) in [
        (method_5, Verdict::CannotDecide),
        ("hardware-key", Verdict::Refuse),
        ("cabf-code-signing", Verdict::Refuse),
    ] {
        let mut report = told("azure-key-vault", vec![file(&vault.answer())], vault.csr().unwrap(), true);
        judge(&mut report, &[Policy::builtin(name).unwrap()], true, &Settings::default());
        assert_eq!(report.verdict, Some(verdict), "{name}");
    }
    // Attestation is another method.
    let report = judged(&sample("5.7.4-9a-rsa3072"), method_5, &Settings::default());
    assert_eq!((report.verdict, unmet(&report)[0].as_str()), (Some(Verdict::Refuse), "evidence-route"));
}
