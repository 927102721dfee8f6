//! An appraisal, what failed in it, and the proof that a format's tests leave no check out.

use std::collections::BTreeSet;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, ClaimName, Reference, Submission, Verifier};

/// The one appraisal of the submission.
#[track_caller]
pub(crate) fn judge(reference: Reference, submission: &Submission) -> Appraisal {
    let mut report = Verifier::new(reference).appraise(submission).unwrap();
    assert_eq!(report.appraisals.len(), 1, "{:#?}", report.appraisals);
    report.appraisals.pop().unwrap()
}

/// The ids of the failed checks, in the order of the report, each once.
pub(crate) fn failed(appraisal: &Appraisal) -> Vec<String> {
    each_once(appraisal.failed().map(|c| c.id.to_string()))
}

/// The ids of the checks that found something to warn of, in the order of the report, each once.
pub(crate) fn found(appraisal: &Appraisal) -> Vec<String> {
    each_once(appraisal.findings().map(|c| c.id.to_string()))
}

fn each_once(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| seen.insert(id.clone())).collect()
}

/// The claim as text.
pub(crate) fn text(appraisal: &Appraisal, name: ClaimName) -> String {
    appraisal.claims.value(name).to_string()
}

/// The checks that were seen to fail or to warn.
#[derive(Debug, Default)]
pub(crate) struct Seen(BTreeSet<String>);

impl Extend<String> for Seen {
    fn extend<I: IntoIterator<Item = String>>(&mut self, ids: I) {
        self.0.extend(ids);
    }
}

impl Seen {
    /// Exactly these checks fail, and the evidence is of this authenticity.
    #[track_caller]
    pub(crate) fn fails(&mut self, appraisal: &Appraisal, authenticity: Authenticity, ids: &[&str]) {
        let got = failed(appraisal);
        let sorted = |ids: &mut dyn Iterator<Item = String>| ids.collect::<BTreeSet<_>>();
        assert_eq!(
            sorted(&mut got.iter().cloned()),
            sorted(&mut ids.iter().map(|id| (*id).to_owned())),
            "{:#?}",
            appraisal.checks
        );
        assert_eq!(appraisal.authenticity, authenticity, "{:#?}", appraisal.checks);
        self.0.extend(got);
    }

    /// The evidence is authentic, no check fails, and exactly these checks warn.
    #[track_caller]
    pub(crate) fn warns(&mut self, appraisal: &Appraisal, ids: &[&str]) {
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{:#?}", appraisal.checks);
        assert_eq!(failed(appraisal), Vec::<String>::new(), "{:#?}", appraisal.checks);
        let got = found(appraisal);
        assert_eq!(got, ids, "{:#?}", appraisal.checks);
        self.0.extend(got);
    }

    /// This check warns, whatever else is found.
    #[track_caller]
    pub(crate) fn finds(&mut self, appraisal: &Appraisal, id: &str) {
        assert!(found(appraisal).iter().any(|found| found == id), "{:#?}", appraisal.checks);
        self.0.insert(id.to_owned());
    }

    /// Whether the check was seen.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    /// Every check that the format declares was seen, and no other but those of the core, which are given.
    #[track_caller]
    pub(crate) fn are_all_of(&self, format: &str, of_the_core: &[&str]) {
        let about = keyvouch::formats::about().find(|a| a.id == format).unwrap();
        let declared = about.checks.iter().map(|c| c.id.to_owned());
        let all: BTreeSet<String> = declared.chain(of_the_core.iter().map(|id| (*id).to_owned())).collect();
        assert_eq!(self.0, all);
    }
}
