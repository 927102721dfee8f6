//! What would be said today?

use std::collections::{BTreeMap, BTreeSet};

use keyvouch::{Options, Time, Verdict, Verifier};
use keyvouch_policy::{Policy, Settings};
use serde::Serialize;
use serde_json::Value;

use crate::bundle::Bundle;
use crate::case::{Case, CaseError, TrustData};

/// What evidence is judged by today.
#[derive(Debug)]
pub struct Today {
    /// The verifier with today's trust data.
    pub verifier: Verifier,
    /// The time at which to judge; when there is none, each record is judged at its own.
    pub at: Option<Time>,
    /// The operator's options of today. They count instead of those of the record.
    pub options: Options,
    /// Names of options that are the submitter's word: these are taken from the record.
    pub submitted: Vec<String>,
    /// Judge by these policies, whatever judged then. When there is none, by those of the record.
    pub policies: Vec<Policy>,
    /// Policies of today. A policy of the record is judged by the one of its name, or as it is when there is none.
    pub known: Vec<Policy>,
    /// How the knobs of the policies are set today.
    pub settings: Settings,
}

/// Whether the answer of today is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nothing that matters is: verdict, authenticity, failed checks, findings, advisories, requirements.
    Same,
    /// It is, and for no other reason than the time that has passed: today's data say of the record's own time what was
    /// said then.
    Aged,
    /// It is.
    Changed,
}

impl Change {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Aged => "aged",
            Self::Changed => "changed",
        }
    }
}

/// A record judged by what is known today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reappraisal {
    /// Whether the answer is another.
    pub change: Change,
    /// The verdict on record.
    pub recorded: Option<String>,
    /// The verdict of today.
    pub today: Option<String>,
    /// The statements of which something changed.
    pub statements: Vec<StatementChange>,
}

/// What changed of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementChange {
    /// Id of the format; empty when nobody knows the evidence.
    pub format: String,
    /// Its number among those of its format, from 1.
    pub number: usize,
    /// SHA-256 of the attested key, hexadecimal.
    pub spki_sha256: Option<String>,
    /// Whether it was authentic; nothing when the statement is new.
    pub recorded: Option<String>,
    /// Whether it is today; nothing when the statement is gone.
    pub today: Option<String>,
    /// What is said of it today and was not then.
    pub new: Said,
    /// What was said of it then and is not today.
    pub gone: Said,
}

/// What is said of a statement, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Failed checks.
    pub failed: BTreeSet<String>,
    /// Checks that hold with a finding.
    pub findings: BTreeSet<String>,
    /// Advisories, with their effect: `refusal: roca`.
    pub advisories: BTreeSet<String>,
    /// Requirements that are not met, with their policy: `cabf-code-signing: rsa-3072`.
    pub unmet: BTreeSet<String>,
}

impl Said {
    /// What is here and not there.
    fn without(&self, other: &Self) -> Self {
        let less = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
        Self {
            failed: less(&self.failed, &other.failed),
            findings: less(&self.findings, &other.findings),
            advisories: less(&self.advisories, &other.advisories),
            unmet: less(&self.unmet, &other.unmet),
        }
    }
}

/// Judges the evidence of a record by what is known today.
///
/// # Errors
/// When it cannot be judged today at all.
pub fn reappraise(bundle: &Bundle, today: &Today) -> Result<Reappraisal, CaseError> {
    // Without a report that can be read everything is new.
    let recorded = Answer::of(&serde_json::from_slice(&bundle.report).unwrap_or_default());
    let own = bundle.case.submission.at;
    let at = today.at.unwrap_or(own);
    let answer = today.judge(bundle, at)?;
    let statements = recorded.changes(&answer);
    let change = if recorded.verdict == answer.verdict && statements.is_empty() {
        Change::Same
    } else if at != own && today.judge(bundle, own).is_ok_and(|then| then == recorded) {
        Change::Aged
    } else {
        Change::Changed
    };
    Ok(Reappraisal { change, recorded: recorded.verdict, today: answer.verdict, statements })
}

impl Today {
    fn judge(&self, bundle: &Bundle, at: Time) -> Result<Answer, CaseError> {
        let report = self.case(&bundle.case, at).judge_with(&self.verifier)?;
        // The only error there can be is serde's; of such a report everything is gone.
        Ok(Answer::of(&serde_json::to_value(&report).unwrap_or_default()))
    }

    /// The evidence of the record, and everything else of today. The verifier has the trust data.
    fn case(&self, recorded: &Case, at: Time) -> Case {
        let mut submission = recorded.submission.clone();
        submission.at = at;
        submission.options = self.options_for(&recorded.submission.options);
        let policies = match self.policies.as_slice() {
            [] => recorded.policies.iter().map(|then| self.known(then)).collect(),
            policies => policies.to_vec(),
        };
        Case {
            submission,
            trust_data: TrustData::BuiltIn,
            default_anchors: true,
            operator_data: Vec::new(),
            policies,
            settings: self.settings.clone(),
        }
    }

    fn options_for(&self, recorded: &Options) -> Options {
        let mut options = self.options.clone();
        let is_submitted = |name: &str| self.submitted.iter().any(|s| s == name);
        for (name, value) in recorded.values().filter(|(name, _)| is_submitted(name)) {
            options.set(name, value.clone());
        }
        for (name, bytes) in recorded.files().filter(|(name, _)| is_submitted(name)) {
            options.set_file(name, bytes.clone());
        }
        options
    }

    /// The policy of that name as it is today.
    fn known(&self, then: &Policy) -> Policy {
        self.known.iter().find(|p| p.name() == then.name()).unwrap_or(then).clone()
    }
}

/// What matters of a report.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    verdict: Option<String>,
    /// By format and number.
    statements: BTreeMap<(String, usize), Statement>,
}

#[derive(Debug, PartialEq, Eq)]
struct Statement {
    authenticity: String,
    spki_sha256: Option<String>,
    said: Said,
}

impl Answer {
    fn of(report: &Value) -> Self {
        let mut answer = Self { verdict: text(report, "verdict"), ..Self::default() };
        for appraisal in list(report, "appraisals") {
            let format = text(appraisal, "format").unwrap_or_default();
            let number = answer.statements.keys().filter(|(f, _)| *f == format).count();
            let place = (format, number.saturating_add(1));
            answer.statements.insert(place, Statement::of(appraisal));
        }
        answer
    }

    fn changes(&self, today: &Self) -> Vec<StatementChange> {
        let places: BTreeSet<_> = self.statements.keys().chain(today.statements.keys()).collect();
        let nothing = Said::default();
        let change = |place: &(String, usize)| {
            let (then, now) = (self.statements.get(place), today.statements.get(place));
            let said = |s: Option<&Statement>| s.map_or(nothing.clone(), |s| s.said.clone());
            let (before, after) = (said(then), said(now));
            let known = now.and_then(|s| s.spki_sha256.clone());
            let change = StatementChange {
                format: place.0.clone(),
                number: place.1,
                // Of evidence that is no longer believed, the key it spoke of.
                spki_sha256: known.or_else(|| then.and_then(|s| s.spki_sha256.clone())),
                recorded: then.map(|s| s.authenticity.clone()),
                today: now.map(|s| s.authenticity.clone()),
                new: after.without(&before),
                gone: before.without(&after),
            };
            let same = change.recorded == change.today && change.new == nothing && change.gone == nothing;
            (!same).then_some(change)
        };
        places.into_iter().filter_map(change).collect()
    }
}

impl Statement {
    fn of(appraisal: &Value) -> Self {
        let mut said = Said::default();
        for check in list(appraisal, "checks") {
            let Some(id) = text(check, "id") else { continue };
            match check.get("outcome").and_then(Value::as_str) {
                Some("fail") => drop(said.failed.insert(id)),
                Some("warning") => drop(said.findings.insert(id)),
                _ => {}
            }
        }
        for advisory in list(appraisal, "advisories") {
            let word = |name| text(advisory, name).unwrap_or_default();
            said.advisories.insert(format!("{}: {}", word("effect"), word("id")));
        }
        for decision in list(appraisal, "decisions") {
            let policy = text(decision, "policy").unwrap_or_default();
            let unmet = |r: &&Value| {
                r.get("met") == Some(&Value::Bool(false)) && text(r, "severity").as_deref() != Some("note")
            };
            for requirement in list(decision, "requirements").filter(unmet) {
                said.unmet.insert(format!("{policy}: {}", text(requirement, "id").unwrap_or_default()));
            }
        }
        let spki = appraisal.pointer("/claims/key.spki_sha256/value");
        Self {
            authenticity: text(appraisal, "authenticity").unwrap_or_default(),
            spki_sha256: spki.and_then(Value::as_str).map(str::to_owned),
            said,
        }
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

impl Reappraisal {
    /// Whether the verdict of today is worse than the one on record.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let rank = |verdict: &Option<String>| {
            let all = [Verdict::Accept, Verdict::AcceptWithFindings, Verdict::CannotDecide, Verdict::Refuse];
            all.iter().position(|v| Some(v.as_str()) == verdict.as_deref())
        };
        rank(&self.today) > rank(&self.recorded)
    }
}
