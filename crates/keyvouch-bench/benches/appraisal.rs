//! The time of an appraisal with its policy decision, against that of the bare signature checks of the same
//! evidence by aws-lc-rs. All three are measured in turn in one run, and the medians compared.
//!
//! `cargo bench --bench appraisal -- yubikey tpm` measures only evidence with one of these words in its name.

use std::hint::black_box;
use std::time::{Duration, Instant};

use keyvouch::Verifier;
use keyvouch_bench::{Error, HardwareKey, Subject, subjects};

/// How long one subject is measured.
const TIME: Duration = Duration::from_millis(2_500);

fn main() -> Result<(), Error> {
    let (subjects, policy) = (subjects()?, HardwareKey::new()?);
    println!(
        "{:<44} {:>6} {:>5} {:>9} {:>9} {:>6} {:>9} {:>6} {:>7}",
        "evidence", "bytes", "sigs", "bare µs", "cold µs", "ratio", "warm µs", "ratio", "rounds"
    );
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let chosen = |s: &&Subject| words.is_empty() || words.iter().any(|word| s.name.contains(word));
    for subject in subjects.iter().filter(chosen) {
        let [bare, cold, warm] = measure(subject, &policy);
        println!(
            "{:<44} {:>6} {:>5} {:>9.1} {:>9.1} {:>6.2} {:>9.1} {:>6.2} {:>7}",
            subject.name,
            subject.size(),
            subject.signatures.len(),
            bare.median(),
            cold.median(),
            cold.median() / bare.median(),
            warm.median(),
            warm.median() / bare.median(),
            bare.0.len(),
        );
    }
    println!(
        "bare: the signature checks alone; cold: no issuer certificate remembered; warm: all remembered"
    );
    Ok(())
}

fn measure(subject: &Subject, policy: &HardwareKey) -> [Times; 3] {
    let mut times = [Times::default(), Times::default(), Times::default()];
    let [bare, cold, warm] = &mut times;
    let started = Instant::now();
    // Once unmeasured: memory that fills, code that is paged in.
    appraise(subject, &subject.warm, policy);
    while started.elapsed() < TIME {
        bare.take(|| assert!(subject.signatures.iter().all(|s| black_box(s).verify())));
        cold.take(|| appraise(subject, &subject.cold, policy));
        warm.take(|| appraise(subject, &subject.warm, policy));
    }
    times
}

fn appraise(subject: &Subject, verifier: &Verifier, policy: &HardwareKey) {
    let report = verifier.appraise(black_box(&subject.submission));
    let report = report.map(|mut report| {
        policy.judge(&mut report, subject.submission.request.is_some());
        report
    });
    assert!(black_box(report).is_ok());
}

/// Microseconds of every round.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn take(&mut self, work: impl FnOnce()) {
        let started = Instant::now();
        work();
        self.0.push(started.elapsed().as_secs_f64() * 1e6);
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}
