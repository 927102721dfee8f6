//! Checks: what was looked at, what came out, where, and what to do about it.
//!
//! Every check has a stable id. A format declares its checks as [`Check`] constants (its table of ids) and
//! records each one it makes with [`Checks`]. A failed check says by its [`OnFail`] what it means for the
//! evidence.

use std::borrow::Cow;

use serde::Serialize;

/// What a failed check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFail {
    /// The evidence stands; the key, the binding or a rule fails, and no policy accepts it.
    Unfit,
    /// A piece is missing that somebody may still supply: nothing can be decided.
    Undecided,
    /// There is no evidence to be had: the device signs no statement that a third party can verify.
    NotAttestable,
    /// The evidence itself is wrong.
    NotAuthentic,
}

/// A check that the code makes: its id, its meaning, and advice for whoever must mend the evidence.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Stable id, kebab-case.
    pub id: &'static str,
    /// What is checked, one clause.
    pub about: &'static str,
    /// What a failure means. A format may say [`OnFail::Undecided`] for a single case; see [`Checks::lacking`].
    pub on_fail: OnFail,
    /// What to do when it fails.
    pub advice: &'static str,
}

impl Check {
    /// A check whose failure means that the evidence is not authentic.
    #[must_use]
    pub const fn authenticity(id: &'static str, about: &'static str, advice: &'static str) -> Self {
        Self { id, about, on_fail: OnFail::NotAuthentic, advice }
    }

    /// A check whose failure means that a piece is missing.
    #[must_use]
    pub const fn completeness(id: &'static str, about: &'static str, advice: &'static str) -> Self {
        Self { id, about, on_fail: OnFail::Undecided, advice }
    }

    /// A check whose failure means that the device has no attestation.
    #[must_use]
    pub const fn attestability(id: &'static str, about: &'static str, advice: &'static str) -> Self {
        Self { id, about, on_fail: OnFail::NotAttestable, advice }
    }

    /// A check of what authentic evidence says: the key, the binding, a rule.
    #[must_use]
    pub const fn fitness(id: &'static str, about: &'static str, advice: &'static str) -> Self {
        Self { id, about, on_fail: OnFail::Unfit, advice }
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It holds, with something the CA should know: a finding.
    Warning,
    /// Something worth telling, neither good nor bad.
    Info,
    /// It was not made; `detail` says why.
    Skipped,
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckRecord {
    /// Stable id.
    pub id: Text,
    /// How it came out.
    pub outcome: Outcome,
    /// What a failure means for the evidence; absent unless the check failed, or is a finding that by itself means
    /// that there is no evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<OnFail>,
    /// What was found, one sentence.
    pub detail: Cow<'static, str>,
    /// The file, and the place in it.
    #[serde(rename = "where")]
    pub place: Cow<'static, str>,
    /// What to do; absent unless the check failed or warns.
    pub advice: Option<Cow<'static, str>>,
}

/// Records the checks of one statement, in the order they were made.
#[derive(Debug, Default)]
pub struct Checks {
    records: Vec<CheckRecord>,
}

/// Text of a record: a constant, or made for the occasion.
pub type Text = Cow<'static, str>;

impl Checks {
    /// The check holds.
    pub fn pass(&mut self, check: &'static Check, place: impl Into<Text>, detail: impl Into<Text>) {
        self.push(check.id, Outcome::Pass, None, place.into(), detail.into(), None);
    }

    /// The check does not hold.
    pub fn fail(&mut self, check: &'static Check, place: impl Into<Text>, detail: impl Into<Text>) {
        self.fail_as(check, check.on_fail, place, detail, check.advice);
    }

    /// The check does not hold because a piece is missing: undecided, whatever the check says otherwise.
    pub fn lacking(&mut self, check: &'static Check, place: impl Into<Text>, detail: impl Into<Text>) {
        self.fail_as(check, OnFail::Undecided, place, detail, check.advice);
    }

    /// The check does not hold; meaning and advice are of this occasion.
    pub fn fail_as(
        &mut self,
        check: &'static Check,
        means: OnFail,
        place: impl Into<Text>,
        detail: impl Into<Text>,
        advice: impl Into<Text>,
    ) {
        self.push(check.id, Outcome::Fail, Some(means), place.into(), detail.into(), Some(advice.into()));
    }

    /// The check holds with a finding, or its failure is one by the operator's choice.
    pub fn warn(&mut self, check: &'static Check, place: impl Into<Text>, detail: impl Into<Text>) {
        let advice = Some(Cow::Borrowed(check.advice));
        self.push(check.id, Outcome::Warning, None, place.into(), detail.into(), advice);
    }

    /// A finding which means that there is nothing to be authenticated, although nothing is wrong.
    pub(crate) fn nothing_attested(
        &mut self,
        check: &'static Check,
        place: impl Into<Text>,
        detail: impl Into<Text>,
    ) {
        let (means, advice) = (Some(OnFail::NotAttestable), Some(Cow::Borrowed(check.advice)));
        self.push(check.id, Outcome::Warning, means, place.into(), detail.into(), advice);
    }

    /// Something worth telling.
    pub fn info(&mut self, check: &'static Check, place: impl Into<Text>, detail: impl Into<Text>) {
        self.push(check.id, Outcome::Info, None, place.into(), detail.into(), None);
    }

    /// The check could not or need not be made; `why` says which.
    pub fn skip(&mut self, check: &'static Check, place: impl Into<Text>, why: impl Into<Text>) {
        self.push(check.id, Outcome::Skipped, None, place.into(), why.into(), None);
    }

    /// Passes when `holds`, else fails with the detail of `wrong`. Returns `holds`.
    pub fn test(
        &mut self,
        check: &'static Check,
        place: impl Into<Text>,
        holds: bool,
        right: impl Into<Text>,
        wrong: impl FnOnce() -> Text,
    ) -> bool {
        if holds {
            self.pass(check, place, right);
        } else {
            self.fail(check, place, wrong());
        }
        holds
    }

    /// A record under an id that comes from data (an advisory).
    pub(crate) fn push(
        &mut self,
        id: impl Into<Text>,
        outcome: Outcome,
        means: Option<OnFail>,
        place: Text,
        detail: Text,
        advice: Option<Text>,
    ) {
        self.records.push(CheckRecord { id: id.into(), outcome, means, detail, place, advice });
    }

    /// Takes out the records of a check that is reported under another id.
    pub(crate) fn forget(&mut self, id: &str) {
        self.records.retain(|record| record.id != id);
    }

    /// Adds the records of another set behind these.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.records.extend(other.records);
    }

    /// Adds the records of a statement inside another behind these. Its check `inner` has the name and advice of
    /// `here`.
    pub(crate) fn absorb_as(&mut self, other: Self, inner: &'static Check, here: &'static Check) {
        self.records.extend(other.records.into_iter().map(|mut record| {
            if record.id == inner.id {
                record.id = here.id.into();
                record.means = record.means.map(|means| means.max(here.on_fail));
                record.advice = record.advice.map(|_| here.advice.into());
            }
            record
        }));
    }

    /// The gravest meaning among the failed checks.
    #[must_use]
    pub fn worst(&self) -> Option<OnFail> {
        self.records.iter().filter_map(|r| r.means).max()
    }

    /// Whether no check has failed so far.
    #[must_use]
    pub fn clean(&self) -> bool {
        self.worst().is_none()
    }

    /// How many checks failed.
    #[must_use]
    pub(crate) fn failures(&self) -> usize {
        self.records.iter().filter(|r| r.means.is_some()).count()
    }

    /// Whether this check is among the failed ones.
    #[must_use]
    pub fn failed(&self, check: &'static Check) -> bool {
        self.records.iter().any(|r| r.id == check.id && r.outcome == Outcome::Fail)
    }

    /// The records, in the order the checks were made.
    #[must_use]
    pub fn into_records(self) -> Vec<CheckRecord> {
        self.records
    }
}
