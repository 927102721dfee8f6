//! Policies: is what the evidence proves enough?
//!
//! The verifier says what it found ([`Appraisal`]); a [`Policy`] says whether that is enough. A policy is a text
//! in [Cedar](https://www.cedarpolicy.com): one `permit`, and a `forbid … unless { … }` for every requirement.
//! It is checked against a schema when it is loaded, so that a misspelt claim is an error and not a silent pass.
//!
//! What nobody proved is absent, and a requirement that needs it is not met: the verdict is then *cannot
//! decide*, never *accept*. What every policy demands ([`PRECONDITIONS`]) is in code, out of a policy's reach.
//!
//! ```
//! use keyvouch::{File, Reference, Submission, Verdict, Verifier};
//! use keyvouch_policy::{Policy, Settings, judge};
//!
//! let verifier = Verifier::new(Reference::builtin()?);
//! let evidence = vec![File::new("notes.txt", "this is not evidence of anything")];
//! let mut report = verifier.appraise(&Submission::new(evidence, "2026-06-01T00:00:00Z".parse()?))?;
//! let policy = Policy::builtin("hardware-key").ok_or("no such policy")?;
//! judge(&mut report, &[policy], false, &Settings::default());
//! assert_eq!(report.verdict, Some(Verdict::CannotDecide));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
pub mod catalogue;
mod certified;
mod error;
mod facts;
mod load;
mod preconditions;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use cedar_policy::{AuthorizationError, Authorizer, Entities, EntityUid, PolicyId, PolicySet, Request};
use keyvouch::appraisal::{Appraisal, Decision, Report, Requirement, Route, Severity, Verdict};

pub use error::{Fault, PolicyError};
pub use preconditions::PRECONDITIONS;
pub use settings::{Knob, KnobKind, SettingError, Settings};

use cache::Cache;
use facts::{Attribute, Fact};
use load::{Compiled, Loaded};

/// The schema that policies are checked against, in Cedar's notation.
pub const SCHEMA: &str = include_str!("../../../data/policies/keyvouch.cedarschema");

const BUILTIN_NAMES: &[&str] = &[
    "hardware-key",
    "cabf-code-signing",
    "cabf-code-signing-provider-report",
    "cabf-code-signing-witnessed",
    "cabf-signing-service",
    "eidas-qscd",
    "device-identity",
];

/// In the order of [`BUILTIN_NAMES`].
const BUILTIN_SOURCES: [&str; BUILTIN_NAMES.len()] = [
    include_str!("../../../data/policies/hardware-key.cedar"),
    include_str!("../../../data/policies/cabf-code-signing.cedar"),
    include_str!("../../../data/policies/cabf-code-signing-provider-report.cedar"),
    include_str!("../../../data/policies/cabf-code-signing-witnessed.cedar"),
    include_str!("../../../data/policies/cabf-signing-service.cedar"),
    include_str!("../../../data/policies/eidas-qscd.cedar"),
    include_str!("../../../data/policies/device-identity.cedar"),
];

/// What a policy demands: one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementDef {
    /// Id within the policy.
    pub id: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is demanded.
    pub demand: Option<String>,
    /// Why a key is refused that does not meet it, in plain words.
    pub reason: String,
    /// Clause of the rule it comes from.
    pub cite: Option<String>,
    /// The knobs that have a say in it, by name.
    pub knobs: Vec<&'static str>,
}

/// A policy: loaded, checked, ready to judge. Cheap to clone.
///
/// It remembers a bounded number of its answers. That makes it fast and never changes an answer.
#[derive(Clone)]
pub struct Policy(Arc<Inner>);

struct Inner {
    name: String,
    title: String,
    route: Route,
    source: String,
    statements: PolicySet,
    requirements: Vec<Compiled>,
    /// What the conditions mention, all together, by path.
    mentions: Vec<&'static Attribute>,
    /// Who asks, what, and of what: the same in every request, since no policy can tell them apart.
    parties: [EntityUid; 3],
    cache: Cache<Vec<Requirement>>,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl Policy {
    /// The names of the policies that come with keyvouch; the first is the default.
    #[must_use]
    pub fn builtin_names() -> &'static [&'static str] {
        BUILTIN_NAMES
    }

    /// A policy that comes with keyvouch. It is loaded once per process.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        static LOADED: [OnceLock<Option<Policy>>; BUILTIN_NAMES.len()] =
            [const { OnceLock::new() }; BUILTIN_NAMES.len()];
        let place = BUILTIN_NAMES.iter().position(|n| *n == name)?;
        let source = BUILTIN_SOURCES.get(place)?;
        // That there is no error is for a test to say.
        LOADED.get(place)?.get_or_init(|| Self::from_source(name, source).ok()).clone()
    }

    /// Loads a policy from its text. `name` is what reports and errors call it.
    ///
    /// # Errors
    /// Every fault found: its line, the requirement, what is wrong, and what to do.
    pub fn from_source(name: &str, text: &str) -> Result<Self, PolicyError> {
        let Loaded { title, route, statements, requirements } = load::load(name, text)?;
        let party = |text: &str| {
            text.parse().map_err(|_| PolicyError {
                name: name.to_owned(),
                faults: vec![Fault {
                    line: None,
                    requirement: None,
                    problem: format!("{text} cannot be named"),
                    advice: "this is a fault of keyvouch: please report it".to_owned(),
                }],
            })
        };
        let mut mentions: Vec<&'static Attribute> =
            requirements.iter().flat_map(|r| r.mentions.iter().copied()).collect();
        mentions.sort_unstable_by_key(|a| a.path);
        mentions.dedup_by_key(|a| a.path);
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            title,
            route,
            source: text.to_owned(),
            statements,
            requirements,
            mentions,
            parties: [
                party("Verifier::\"keyvouch\"")?,
                party("Action::\"accept\"")?,
                party("Evidence::\"statement\"")?,
            ],
            cache: Cache::default(),
        })))
    }

    /// What reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// One line for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// The way of the evidence that it judges; it refuses evidence that came by another.
    #[must_use]
    pub fn route(&self) -> Route {
        self.0.route
    }

    /// Its text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What it demands, in its order, beyond the [`PRECONDITIONS`].
    pub fn requirements(&self) -> impl Iterator<Item = &RequirementDef> {
        self.0.requirements.iter().map(|r| &r.def)
    }

    /// What it says of a statement. `request` says whether there is a certification request, certificate or
    /// public key that the statement must be about.
    #[must_use]
    pub fn decide(&self, appraisal: &Appraisal, request: bool, settings: &Settings) -> Decision {
        let route = self.0.route;
        let mut requirements = preconditions::before(appraisal, route, request, settings);
        if preconditions::speaks(appraisal, route) {
            let facts = self.0.mentions.iter().map(|a| a.fact(appraisal, settings)).collect();
            requirements.extend_from_slice(&self.judged(&Facts(facts)));
        } else {
            requirements.extend(self.0.requirements.iter().map(|r| r.not_judged()));
        }
        requirements.push(preconditions::no_findings(appraisal, settings));
        Decision { policy: self.0.name.clone(), verdict: verdict(&requirements), requirements }
    }

    /// The policy's own requirements, judged by the facts of authentic evidence.
    fn judged(&self, facts: &Facts<'_>) -> Arc<Vec<Requirement>> {
        let mut question = Vec::with_capacity(256);
        facts.0.iter().for_each(|f| f.encode(&mut question));
        self.0.cache.answer(&question, || self.evaluate(facts))
    }

    fn evaluate(&self, facts: &Facts<'_>) -> Vec<Requirement> {
        let known = || self.0.mentions.iter().copied().zip(&facts.0);
        let [verifier, action, evidence] = self.0.parties.clone();
        let response = facts::context(known().map(|(a, f)| (a.path, f)))
            .and_then(|context| Request::new(verifier, action, evidence, context, None).ok())
            .map(|request| Authorizer::new().is_authorized(&request, &self.0.statements, &Entities::empty()));
        let is_unknown = |a: &Attribute| known().any(|(b, fact)| b.path == a.path && *fact == Fact::Unknown);
        let judge = |requirement: &Compiled| {
            let Some(response) = &response else { return requirement.not_judged() };
            let diagnostics = response.diagnostics();
            // Cedar passes over a condition that has no value. Here it is one that is not met.
            if diagnostics.errors().any(|e| concerns(e, &requirement.statement)) {
                return requirement.not_evaluated();
            }
            if diagnostics.reason().any(|id| *id == requirement.statement) {
                requirement.unmet(requirement.mentions.iter().copied().filter(|a| is_unknown(a)))
            } else {
                requirement.met()
            }
        };
        self.0.requirements.iter().map(judge).collect()
    }
}

/// The values of what a policy mentions, in the order of its mentions.
struct Facts<'a>(Vec<Fact<'a>>);

impl Compiled {
    fn outcome(&self, met: bool, unknown: bool, reason: String) -> Requirement {
        Requirement {
            id: self.def.id.clone(),
            met,
            severity: self.def.severity,
            unknown,
            reason,
            cite: self.def.cite.clone(),
        }
    }

    /// What is demanded, or at least what is wrong without it.
    fn demand(&self) -> &str {
        self.def.demand.as_ref().unwrap_or(&self.def.reason)
    }

    fn met(&self) -> Requirement {
        self.outcome(true, false, self.demand().to_owned())
    }

    /// Not met; by a value that is known, if everything is that its condition mentions.
    fn unmet(&self, unknown: impl Iterator<Item = &'static Attribute>) -> Requirement {
        let mut absent: Vec<&str> = unknown.map(|a| a.spoken().unwrap_or(a.path)).collect();
        absent.dedup();
        if absent.is_empty() {
            self.outcome(false, false, self.def.reason.clone())
        } else {
            let reason = format!("Required, but not known ({}): {}", absent.join(", "), self.demand());
            self.outcome(false, true, reason)
        }
    }

    /// Evidence that is not authentic says nothing.
    fn not_judged(&self) -> Requirement {
        let reason =
            format!("Required, but not known (the evidence is not authenticated): {}", self.demand());
        self.outcome(false, true, reason)
    }

    fn not_evaluated(&self) -> Requirement {
        let reason = format!("Required, but the policy's condition has no value here: {}", self.demand());
        self.outcome(false, true, reason)
    }
}

fn concerns(error: &AuthorizationError, statement: &PolicyId) -> bool {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id() == statement,
    }
}

/// What the requirements come to: refuse before cannot-decide before findings.
fn verdict(requirements: &[Requirement]) -> Verdict {
    let verdict = |r: &Requirement| match (r.met, r.severity) {
        (true, _) | (false, Severity::Note) => Verdict::Accept,
        (false, Severity::Should) => Verdict::AcceptWithFindings,
        (false, Severity::Must) if r.unknown => Verdict::CannotDecide,
        (false, Severity::Must) => Verdict::Refuse,
    };
    requirements.iter().map(verdict).max().unwrap_or(Verdict::CannotDecide)
}

/// Adds what the policies say to every appraisal of a report, in place of what was there, and the overall
/// verdict. `request` says whether there is a certification request, certificate or public key that the
/// statements must be about.
pub fn judge(report: &mut Report, policies: &[Policy], request: bool, settings: &Settings) {
    for appraisal in &mut report.appraisals {
        let decisions = policies.iter().map(|p| p.decide(appraisal, request, settings)).collect();
        appraisal.decisions = decisions;
    }
    report.conclude();
}
