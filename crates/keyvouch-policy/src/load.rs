//! Reading the text of a policy: Cedar's parser and validator, and what a policy must be beyond that.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::OnceLock;

use cedar_policy::{
    ActionConstraint, Effect, Policy as Statement, PolicyId, PolicySet, PrincipalConstraint,
    ResourceConstraint, Schema, ValidationMode, ValidationWarning, Validator,
};
use keyvouch::appraisal::{Route, Severity};
use miette::Diagnostic;
use serde_json::{Map, Value};

use crate::RequirementDef;
use crate::error::{Fault, PolicyError};
use crate::facts::Attribute;
use crate::preconditions::PRECONDITIONS;

/// What the text says, checked.
pub(crate) struct Loaded {
    pub(crate) title: String,
    /// The way of the evidence that it judges.
    pub(crate) route: Route,
    pub(crate) statements: PolicySet,
    /// In the order of the text.
    pub(crate) requirements: Vec<Compiled>,
}

/// A requirement with what it takes to judge it.
pub(crate) struct Compiled {
    pub(crate) def: RequirementDef,
    /// Of its `forbid` among the statements.
    pub(crate) statement: PolicyId,
    /// What its condition mentions, by path.
    pub(crate) mentions: Vec<&'static Attribute>,
}

/// Annotations of a requirement.
const ANNOTATIONS: &[&str] = &["id", "severity", "demand", "reason", "cite"];

/// The ways of evidence that a policy can be for. Without a word it is for attestation, so that no policy accepts
/// anything else by oversight.
const ROUTES: [Route; 3] = [Route::Attestation, Route::ProviderStatement, Route::WitnessStatement];

fn schema() -> Option<&'static Schema> {
    static SCHEMA: OnceLock<Option<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| Some(Schema::from_cedarschema_str(crate::SCHEMA).ok()?.0)).as_ref()
}

/// Reads and checks.
pub(crate) fn load(name: &str, text: &str) -> Result<Loaded, PolicyError> {
    let mut reader = Reader { text, faults: Vec::new() };
    match reader.read() {
        Some(loaded) if reader.faults.is_empty() => Ok(loaded),
        _ => {
            let mut faults = reader.faults;
            faults.sort_by_key(|f| f.line);
            faults.dedup();
            if faults.is_empty() {
                faults.push(fault(
                    None,
                    "it cannot be read",
                    "this is a fault of keyvouch: please report it",
                ));
            }
            Err(PolicyError { name: name.to_owned(), faults })
        }
    }
}

fn fault(line: Option<usize>, problem: impl Into<String>, advice: impl Into<String>) -> Fault {
    Fault { line, requirement: None, problem: problem.into(), advice: advice.into() }
}

/// A `permit` or `forbid` and where it begins.
struct Placed<'p> {
    statement: &'p Statement,
    offset: usize,
    line: usize,
}

struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<Loaded> {
        let statements = match PolicySet::from_str(self.text) {
            Ok(statements) => statements,
            Err(errors) => {
                for error in errors.iter() {
                    let found = self.diagnosed(error);
                    self.faults.push(found);
                }
                return None;
            }
        };
        if statements.templates().next().is_some() {
            self.faults.push(fault(
                None,
                "it has a template (`?principal` or `?resource`)",
                "begin every statement with `(principal, action, resource)`",
            ));
            return None;
        }
        let placed = self.place(&statements);
        let title = self.title(&placed);
        let route = self.route(&placed);
        let mut requirements = Vec::new();
        for statement in placed.iter().filter(|p| p.statement.effect() == Effect::Forbid) {
            requirements.extend(self.requirement(statement));
        }
        self.unique(&placed);
        self.validate(&statements, &placed);
        drop(placed);
        Some(Loaded { title: title?, route: route?, statements, requirements })
    }

    /// The statements in the order of the text, with their places.
    fn place<'p>(&self, statements: &'p PolicySet) -> Vec<Placed<'p>> {
        let mut ordered: Vec<&Statement> = statements.policies().collect();
        // Cedar calls them policy0, policy1, … in the order of the text.
        ordered.sort_by_key(|s| {
            let id: &str = s.id().as_ref();
            id.trim_start_matches("policy").parse::<usize>().unwrap_or(usize::MAX)
        });
        let mut from = 0_usize;
        let mut placed = Vec::new();
        for statement in ordered {
            let words = statement.to_cedar().unwrap_or_default();
            let found = self.text.get(from..).and_then(|rest| rest.find(&words)).unwrap_or(0);
            let offset = from.saturating_add(found);
            placed.push(Placed { statement, offset, line: self.line(offset) });
            from = offset.saturating_add(words.len());
        }
        placed
    }

    fn title(&mut self, placed: &[Placed<'_>]) -> Option<String> {
        const PERMIT: &str =
            "write, before the requirements, one\n    @title(\"…\") permit (principal, action, resource);";
        let permits: Vec<_> = placed.iter().filter(|p| p.statement.effect() == Effect::Permit).collect();
        let [permit] = permits.as_slice() else {
            match permits.get(1) {
                None => self.faults.push(fault(None, "there is no `permit`", PERMIT)),
                Some(second) => self.faults.push(fault(
                    Some(second.line),
                    "there is a second `permit`",
                    "keep one; whatever must hold is a `forbid … unless`",
                )),
            }
            return None;
        };
        self.open_scope(permit, None);
        if permit.statement.has_non_scope_constraint() {
            self.faults.push(fault(
                Some(permit.line),
                "the `permit` has a condition",
                "leave it out; whatever must hold is a `forbid … unless`",
            ));
        }
        for (annotation, _) in permit.statement.annotations().filter(|(a, _)| !["title", "route"].contains(a))
        {
            self.faults.push(fault(
                Some(permit.line),
                format!("the `permit` has an annotation @{annotation}"),
                "it takes @title and @route only",
            ));
        }
        let title = permit.statement.annotation("title").filter(|t| !t.is_empty());
        if title.is_none() {
            self.faults.push(fault(Some(permit.line), "the policy has no title", PERMIT));
        }
        title.map(str::to_owned)
    }

    /// The way of the evidence that the policy judges.
    fn route(&mut self, placed: &[Placed<'_>]) -> Option<Route> {
        let permit = placed.iter().find(|p| p.statement.effect() == Effect::Permit)?;
        let Some(word) = permit.statement.annotation("route") else { return Some(Route::Attestation) };
        let route = ROUTES.into_iter().find(|route| route.as_str() == word);
        if route.is_none() {
            self.faults.push(fault(
                Some(permit.line),
                format!("there is no way of evidence @route({word:?})"),
                "write attestation, provider-statement or witness-statement",
            ));
        }
        route
    }

    fn requirement(&mut self, placed: &Placed<'_>) -> Option<Compiled> {
        let before = self.faults.len();
        let statement = placed.statement;
        let id = statement.annotation("id").unwrap_or("").to_owned();
        let named = Some(id.clone()).filter(|id| !id.is_empty());
        let line = Some(placed.line);
        let mut faults = Vec::new();
        let mut wrong = |problem: String, advice: &str| {
            faults.push(Fault { line, requirement: named.clone(), problem, advice: advice.to_owned() });
        };
        let kebab = |id: &str| {
            !id.is_empty()
                && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !id.starts_with('-')
                && !id.ends_with('-')
        };
        if id.is_empty() {
            wrong("the requirement has no @id".to_owned(), "give it one, such as @id(\"made-here\")");
        } else if !kebab(&id) {
            wrong("its @id is not made of lower-case letters, digits and dashes".to_owned(), "change it");
        } else if PRECONDITIONS.iter().any(|(taken, _)| *taken == id) {
            wrong("its @id is that of a requirement that every policy has".to_owned(), "choose another");
        }
        let severity = match statement.annotation("severity") {
            Some("must") => Some(Severity::Must),
            Some("should") => Some(Severity::Should),
            Some("note") => Some(Severity::Note),
            Some(other) => {
                wrong(
                    format!("@severity({other:?}) is none"),
                    "write must (refuse), should (a finding) or note (reported only)",
                );
                None
            }
            None => {
                wrong(
                    "it has no @severity".to_owned(),
                    "write @severity(\"must\"), @severity(\"should\") or @severity(\"note\")",
                );
                None
            }
        };
        let reason = statement.annotation("reason").filter(|r| !r.is_empty()).map(str::to_owned);
        if reason.is_none() {
            wrong(
                "it has no @reason".to_owned(),
                "say in plain words why a key is refused that does not meet it",
            );
        }
        for (annotation, _) in statement.annotations().filter(|(a, _)| !ANNOTATIONS.contains(a)) {
            wrong(
                format!("there is no annotation @{annotation}"),
                "there are @id, @severity, @demand, @reason and @cite",
            );
        }
        self.faults.extend(faults);
        self.open_scope(placed, named.as_deref());
        let mentions = self.condition(placed, named.as_deref())?;
        if self.faults.len() != before {
            return None;
        }
        let text = |annotation| statement.annotation(annotation).filter(|t| !t.is_empty()).map(str::to_owned);
        let mut knobs: Vec<&'static str> = mentions.iter().flat_map(|a| a.knobs()).collect();
        knobs.sort_unstable();
        knobs.dedup();
        Some(Compiled {
            def: RequirementDef {
                id,
                severity: severity?,
                demand: text("demand"),
                reason: reason?,
                cite: text("cite"),
                knobs,
            },
            statement: statement.id().clone(),
            mentions,
        })
    }

    /// A scope that leaves evidence out would leave it unjudged.
    fn open_scope(&mut self, placed: &Placed<'_>, requirement: Option<&str>) {
        let open = matches!(placed.statement.principal_constraint(), PrincipalConstraint::Any)
            && matches!(placed.statement.action_constraint(), ActionConstraint::Any)
            && matches!(placed.statement.resource_constraint(), ResourceConstraint::Any);
        if !open {
            self.faults.push(Fault {
                line: Some(placed.line),
                requirement: requirement.map(str::to_owned),
                problem: "it does not apply to all evidence".to_owned(),
                advice: "begin it with `(principal, action, resource)`, without `==`, `in` or `is`"
                    .to_owned(),
            });
        }
    }

    /// The one `unless` of a requirement: what it mentions.
    fn condition(
        &mut self,
        placed: &Placed<'_>,
        requirement: Option<&str>,
    ) -> Option<Vec<&'static Attribute>> {
        let wrong = |line: usize, problem: String, advice: String| Fault {
            line: Some(line),
            requirement: requirement.map(str::to_owned),
            problem,
            advice,
        };
        let form = placed.statement.to_json().unwrap_or_default();
        let conditions = form.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let body = match conditions {
            [only] if only.get("kind").and_then(Value::as_str) == Some("unless") => only.get("body")?,
            _ => {
                self.faults.push(wrong(
                    placed.line,
                    "it is not one `forbid … unless { … }`".to_owned(),
                    "write what must hold in one `unless`; a `when` would let pass what is not known"
                        .to_owned(),
                ));
                return None;
            }
        };
        let mut mentions = Mentions::default();
        mentions.walk(body);
        for Misspelt { path, problem } in mentions.faults {
            let line = self.line_of(placed, &path);
            let near = Attribute::near(&path).join(", ");
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            let advice = match (problem, parent) {
                (Problem::Unknown, "") => format!("context has: {near}"),
                (Problem::Unknown, parent) => format!("context.{parent} has: {near}"),
                (Problem::Whole, _) => "name the single attribute that must hold".to_owned(),
                (Problem::Other, _) => "conditions speak of `context` only".to_owned(),
            };
            let problem = match problem {
                Problem::Unknown => format!("there is no `context.{path}`"),
                Problem::Whole => format!("`{path}` is a whole record"),
                Problem::Other => format!("`{path}` says nothing of the evidence"),
            };
            self.faults.push(wrong(line, problem, advice));
        }
        Some(mentions.found.iter().filter_map(|path| Attribute::at(path)).collect())
    }

    fn unique(&mut self, placed: &[Placed<'_>]) {
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for Placed { statement, line, .. } in placed.iter().filter(|p| p.statement.effect() == Effect::Forbid)
        {
            let Some(id) = statement.annotation("id") else { continue };
            match seen.iter().find(|(other, _)| *other == id) {
                Some((_, first)) => self.faults.push(Fault {
                    line: Some(*line),
                    requirement: Some(id.to_owned()),
                    problem: format!("the requirement of line {first} has the same @id"),
                    advice: "give it another".to_owned(),
                }),
                None => seen.push((id, *line)),
            }
        }
    }

    /// Cedar's own validation; a warning is a fault as well.
    fn validate(&mut self, statements: &PolicySet, placed: &[Placed<'_>]) {
        let Some(schema) = schema() else {
            self.faults.push(fault(None, "the schema cannot be read", "this is a fault of keyvouch"));
            return;
        };
        let result = Validator::new(schema.clone()).validate(statements, ValidationMode::Strict);
        let errors = result.validation_errors().map(|e| (e.policy_id(), self.diagnosed(e)));
        let warnings = result.validation_warnings().map(|w| {
            let mut found = self.diagnosed(w);
            if matches!(w, ValidationWarning::ImpossiblePolicy(_)) {
                found.problem = "its condition holds for all evidence".to_owned();
                found.advice =
                    "ask for something that evidence may lack, or leave the requirement out".to_owned();
            }
            (w.policy_id(), found)
        });
        let mut found = Vec::new();
        for (id, mut fault) in errors.chain(warnings) {
            if let Some(placed) = placed.iter().find(|p| p.statement.id() == id) {
                fault.line = fault.line.or(Some(placed.line));
                fault.requirement = placed.statement.annotation("id").map(str::to_owned);
            }
            // Cedar has a name of its own for the statement, which nobody wrote.
            let own = format!("for policy `{id}`, ");
            fault.problem = fault.problem.replace(&own, "");
            fault.advice = fault.advice.replace(&own, "");
            found.push(fault);
        }
        // A misspelt attribute was reported with more to go by.
        found.retain(|f| !self.faults.iter().any(|known| known.line == f.line));
        self.faults.extend(found);
    }

    fn diagnosed(&self, diagnostic: &dyn Diagnostic) -> Fault {
        let line = diagnostic.labels().and_then(|mut l| l.next()).map(|label| self.line(label.offset()));
        let advice = diagnostic.help().map_or_else(String::new, |help| help.to_string());
        fault(line, diagnostic.to_string(), advice)
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        before.iter().filter(|b| **b == b'\n').count().saturating_add(1)
    }

    /// The line of a statement on which the last name of the path is written.
    fn line_of(&self, placed: &Placed<'_>, path: &str) -> usize {
        let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
        let rest = self.text.get(placed.offset..).unwrap_or("");
        let body = rest.find("unless").unwrap_or(0);
        let found = rest.get(body..).and_then(|b| b.find(name)).map(|at| at.saturating_add(body));
        found.map_or(placed.line, |at| self.line(placed.offset.saturating_add(at)))
    }
}

/// What a condition mentions, gathered from its JSON form.
#[derive(Default)]
struct Mentions {
    found: BTreeSet<String>,
    faults: Vec<Misspelt>,
}

struct Misspelt {
    path: String,
    problem: Problem,
}

#[derive(Clone, Copy)]
enum Problem {
    Unknown,
    Whole,
    Other,
}

impl Mentions {
    fn walk(&mut self, expression: &Value) {
        let Value::Object(node) = expression else {
            if let Value::Array(items) = expression {
                items.iter().for_each(|item| self.walk(item));
            }
            return;
        };
        let mut entries = node.iter();
        let (Some((operator, operand)), None) = (entries.next(), entries.next()) else {
            // Operands by name: `left`, `right`, `if`, `then`, …
            node.values().for_each(|operand| self.walk(operand));
            return;
        };
        match (operator.as_str(), operand) {
            ("Value", _) => {}
            // Here the keys are names that somebody chose.
            ("Record", Value::Object(fields)) => fields.values().for_each(|field| self.walk(field)),
            ("Var", Value::String(variable)) if variable == "context" => {
                self.wrong("context".to_owned(), Problem::Whole);
            }
            ("Var", Value::String(variable)) => self.wrong(variable.clone(), Problem::Other),
            ("." | "has", Value::Object(access)) => match path(access) {
                Some(path) => self.mention(&path, operator == "has"),
                None => access.values().for_each(|operand| self.walk(operand)),
            },
            (_, operand) => self.walk(operand),
        }
    }

    fn mention(&mut self, path: &str, asked: bool) {
        if Attribute::at(path).is_some() {
            self.found.insert(path.to_owned());
        } else if !Attribute::is_record(path) {
            self.wrong(path.to_owned(), Problem::Unknown);
        } else if !asked {
            self.wrong(path.to_owned(), Problem::Whole);
        }
    }

    fn wrong(&mut self, path: String, problem: Problem) {
        self.faults.push(Misspelt { path, problem });
    }
}

/// The path below `context` of `{left, attr}`; none when `left` is something else.
fn path(access: &Map<String, Value>) -> Option<String> {
    let above = match access.get("left")?.as_object()? {
        left if left.get("Var").and_then(Value::as_str) == Some("context") => None,
        left => Some(path(left.get(".")?.as_object()?)?),
    };
    let attr = match access.get("attr")? {
        // No attribute has a dot in its name: quoted, it is found nowhere.
        Value::String(attr) if attr.contains('.') => format!("{attr:?}"),
        Value::String(attr) => attr.clone(),
        Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join("."),
        _ => return None,
    };
    Some(above.map_or_else(|| attr.clone(), |above| format!("{above}.{attr}")))
}
