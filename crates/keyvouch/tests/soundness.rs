//! Spoilt evidence is never believed.
//!
//! Every byte of every evidence file is flipped, and every file is cut at every length: the answer must never be
//! `authentic` with other claims than the unspoilt evidence has. (It may claim less: what only a spoilt file said,
//! which could as well have been left out, becomes unknown.) Files repeated, reordered or joined by unrelated
//! ones must change no claim at all.
//!
//! The ordinary run takes a fixed sample of the spoilings; `cargo xtask soundness` takes all of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod support;

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use keyvouch::{File, Submission, Verifier};
use serde_json::Value as Json;
use support::cases::{self, Case};
use support::views::{self, View};

/// How many spoilings of each kind are taken: of those that lie `stride` apart, from a start that differs from
/// view to view.
#[derive(Clone, Copy)]
struct Density {
    /// Spoilings of each kind for one view at most; `None` for all of them.
    limit: Option<usize>,
}

impl Density {
    /// The same work in all, however many cases there are.
    fn shared_by(cases: usize, spoilings: usize) -> Self {
        Self { limit: Some((spoilings / cases.max(1)).clamp(3, 60)) }
    }
}

/// What was done.
#[derive(Default)]
struct Tally {
    flips: AtomicUsize,
    cuts: AtomicUsize,
    /// Spoilt evidence that is still authentic, with the same claims: bytes that are not signed.
    unchanged: AtomicUsize,
    faults: Mutex<Vec<String>>,
}

const MASKS: [u8; 3] = [0x01, 0x20, 0x80];

/// A case with its own claims.
struct Subject {
    case: Case,
    verifier: Verifier,
    honest: Vec<Json>,
}

impl Subject {
    fn new(case: Case) -> Self {
        let verifier = case.verifier();
        let honest = cases::claimed(&verifier, &case.submission);
        Self { case, verifier, honest }
    }

    /// Whether the claim may come of spoiling this case: its own, or, where it has none because it was made by
    /// spoiling genuine evidence, those of the genuine evidence, which spoiling the same byte again brings back.
    fn may_claim(&self, claim: &Json, genuine: &HashSet<String>) -> bool {
        self.honest.iter().any(|honest| claims_no_more(claim, honest))
            || (self.honest.is_empty() && genuine.contains(&within(&self.case, claim)))
    }

    /// Judges the case with another content of one file.
    fn with(&self, index: usize, bytes: Vec<u8>) -> Vec<Json> {
        let mut spoilt = self.case.submission.clone();
        spoilt.evidence[index].bytes = bytes;
        cases::claimed(&self.verifier, &spoilt)
    }

    fn spoil(&self, density: Density, tally: &Tally, genuine: &HashSet<String>) {
        for (index, file) in self.case.submission.evidence.iter().enumerate() {
            for (number, view) in views::of(&file.bytes).iter().enumerate() {
                self.spoil_view(index, view, number, density, tally, genuine);
            }
        }
    }

    fn spoil_view(
        &self,
        index: usize,
        view: &View,
        number: usize,
        density: Density,
        tally: &Tally,
        genuine: &HashSet<String>,
    ) {
        let length = view.bytes.len();
        let stride = density.limit.map_or(1, |limit| length.div_ceil(limit).max(1));
        let judge = |what: String, bytes: &[u8]| {
            let claims = self.with(index, view.with(bytes));
            if !claims.is_empty() {
                tally.unchanged.fetch_add(1, Ordering::Relaxed);
            }
            let others: Vec<&Json> = claims.iter().filter(|claim| !self.may_claim(claim, genuine)).collect();
            if others.is_empty() {
                return;
            }
            // Whoever hands evidence in may leave a part out, and some evidence is evidence of another format without
            // it (of the card under a cloud's chain). A spoilt part may do what one that belongs to nothing does.
            let without = self.with(index, view.with(&unrelated_certificate()));
            if let Some(other) = others.into_iter().find(|claim| !without.contains(claim)) {
                let name = &self.case.submission.evidence[index].name;
                let fault = format!("{}: {name} {}: {what}: {other}", self.case.id, view.name);
                tally.faults.lock().unwrap().push(fault);
            }
        };
        for at in (number % stride..length).step_by(stride) {
            // All masks where there is time for all positions, else one after another.
            let masks =
                if density.limit.is_none() { &MASKS[..] } else { &MASKS[at / stride % MASKS.len()..][..1] };
            for mask in masks {
                let mut bytes = view.bytes.clone();
                bytes[at] ^= mask;
                tally.flips.fetch_add(1, Ordering::Relaxed);
                judge(format!("byte {at} xor {mask:#04x}"), &bytes);
            }
        }
        for at in (number % stride..length).step_by(stride) {
            tally.cuts.fetch_add(1, Ordering::Relaxed);
            judge(format!("cut to {at} bytes"), &view.bytes[..at]);
        }
    }
}

/// Whether every claim and detail is that of the unspoilt evidence, or became unknown.
fn claims_no_more(spoilt: &Json, honest: &Json) -> bool {
    let members = |claim: &Json, part: usize| claim[part].as_object().cloned().unwrap_or_default();
    spoilt[0] == honest[0]
        && [1, 2].into_iter().all(|part| {
            let (spoilt, honest) = (members(spoilt, part), members(honest, part));
            spoilt.iter().all(|(name, claim)| {
                honest.get(name) == Some(claim) || honest.contains_key(name) && claim["value"] == "unknown"
            })
        })
}

/// A claim with everything that it was judged by: time, options and reference data.
fn within(case: &Case, claim: &Json) -> String {
    let Submission { at, options, .. } = &case.submission;
    format!("{claim} {at} {options:?} {}", case.reference.digest())
}

/// Runs over the cases with all processors; `progress` prints as it goes.
fn run(cases: Vec<Case>, density: Density, progress: bool) -> Tally {
    let tally = Tally::default();
    let total = cases.len();
    let genuine: HashSet<String> = cases
        .iter()
        .flat_map(|case| {
            let claims = cases::claimed(&case.verifier(), &case.submission);
            claims.into_iter().map(|claim| within(case, &claim)).collect::<Vec<_>>()
        })
        .collect();
    let next = Mutex::new(cases.into_iter().enumerate());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some((number, case)) = next.lock().unwrap().next() else { break };
                    let (started, id) = (Instant::now(), case.id.clone());
                    Subject::new(case).spoil(density, &tally, &genuine);
                    if progress {
                        println!("{:>4}/{total} {id} ({:.1} s)", number + 1, started.elapsed().as_secs_f32());
                    }
                }
            });
        }
    });
    tally
}

fn conclude(what: &str, cases: usize, tally: &Tally, started: Instant) {
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "soundness of {what}: {cases} cases, {} flips, {} cuts in {:.0} s; {} left the claims as they were, {} changed them",
        count(&tally.flips),
        count(&tally.cuts),
        started.elapsed().as_secs_f32(),
        count(&tally.unchanged),
        tally.faults.lock().unwrap().len(),
    );
    let faults = tally.faults.lock().unwrap();
    assert!(
        faults.is_empty(),
        "{} faults, the first:\n{}",
        faults.len(),
        faults[..faults.len().min(10)].join("\n")
    );
}

/// Of each format some authentic cases, of all its kinds.
fn few(cases: Vec<Case>) -> Vec<Case> {
    const OF_EACH: usize = 6;
    let mut of_format: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in cases.into_iter().filter(authentic) {
        of_format.entry(case.format.clone()).or_default().push(case);
    }
    of_format
        .into_values()
        .flat_map(|cases| {
            let stride = cases.len().div_ceil(OF_EACH).max(1);
            cases.into_iter().step_by(stride)
        })
        .collect()
}

/// Whether a case claims anything without any of its evidence spoilt.
fn authentic(case: &Case) -> bool {
    !cases::claimed(&case.verifier(), &case.submission).is_empty()
}

/// Whether evidence as it was handed in is authentic and nothing is wrong with what it says.
fn clean(case: &cases::Case) -> bool {
    let report = case.verifier().appraise(&case.submission);
    authentic(case) && report.is_ok_and(|r| r.appraisals.iter().all(|a| a.failed().next().is_none()))
}

#[test]
fn emulated_evidence_is_authentic() {
    let samples = cases::emulated();
    assert!(!samples.is_empty());
    for case in &samples {
        let report = case.verifier().appraise(&case.submission).unwrap();
        let failed: Vec<_> = report.appraisals.iter().flat_map(|a| a.failed()).collect();
        assert!(authentic(case), "{}: {failed:?}", case.id);
    }
}

#[test]
fn spoilt_emulated_evidence_claims_nothing_else() {
    let started = Instant::now();
    let samples = cases::emulated();
    let count = samples.len();
    let tally = run(samples, Density::shared_by(count, 400), false);
    conclude("emulated evidence, in part", count, &tally, started);
}

#[test]
fn spoilt_real_evidence_claims_nothing_else() {
    let started = Instant::now();
    let real = few(cases::real());
    let count = real.len();
    let tally = run(real, Density::shared_by(count, 400), false);
    conclude("real evidence, in part", count, &tally, started);
}

#[test]
#[ignore = "takes long: cargo xtask soundness"]
fn every_byte_and_every_length() {
    let started = Instant::now();
    let mut all = cases::emulated();
    all.extend(cases::real());
    let count = all.len();
    let tally = run(all, Density { limit: None }, true);
    conclude("all evidence", count, &tally, started);
}

#[test]
fn repeating_reordering_and_adding_files_changes_no_claim() {
    let mut all = cases::emulated();
    all.extend(cases::real());
    let unrelated = unrelated();
    // Evidence that no policy accepts anyway may be refused for what lies beside it.
    for case in all.iter().filter(|case| clean(case)) {
        let verifier = case.verifier();
        let honest = cases::claimed(&verifier, &case.submission);
        let judge = |what: &str, change: &dyn Fn(&mut Submission)| {
            let mut changed = case.submission.clone();
            change(&mut changed);
            let claims = cases::claimed(&verifier, &changed);
            assert_eq!(claims, honest, "{}: {what}", case.id);
        };
        judge("every file twice", &|s| s.evidence.extend(s.evidence.clone()));
        judge("first file twice", &|s| s.evidence.push(s.evidence[0].clone()));
        judge("reversed", &|s| s.evidence.reverse());
        judge("rotated", &|s| s.evidence.rotate_left(1));
        judge("other names", &|s| s.evidence.iter_mut().for_each(|f| f.name = "x".to_owned()));
        // An operator who wants every certificate explained gets what he asked for.
        let strict = case.submission.options.is_on("strict_certificates");
        for file in unrelated.iter().filter(|f| !strict || !f.name.starts_with("root")) {
            judge(&format!("{} after", file.name), &|s| s.evidence.push(file.clone()));
            judge(&format!("{} before", file.name), &|s| s.evidence.insert(0, file.clone()));
        }
    }
}

/// A certificate that belongs to no evidence.
fn unrelated_certificate() -> Vec<u8> {
    use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
    use keyvouch_emulator::x509;
    let key = Key::shared("unrelated", KeyKind::P256).unwrap();
    let mut root = x509::Certificate::new(
        x509::common_name("Unrelated Root").unwrap(),
        &key,
        "2020-01-01T00:00:00Z",
        "2040-01-01T00:00:00Z",
    )
    .unwrap();
    root.extensions = vec![x509::basic_constraints(true, None).critical()];
    root.sign(&key, SignAlg::EcdsaSha256).unwrap()
}

/// Files that belong to no evidence: text, bytes, and a certificate in every wrapping.
fn unrelated() -> Vec<File> {
    use keyvouch_emulator::{bundle, key, pem};
    let root = unrelated_certificate();
    vec![
        File::new("notes.txt", "Exported by hand on a rainy day."),
        File::new("notes.json", br#"{"ticket": 4711}"#.to_vec()),
        File::new("noise.bin", key::derived("noise", 500)),
        File::new("root.pem", pem::certificate(&root)),
        File::new("root.der", root.clone()),
        File::new("root.zip", bundle::zip(&[keyvouch_emulator::File::new("root.der", root)]).unwrap()),
    ]
}
