//! Is the answer still the same?

use std::collections::BTreeSet;
use std::fmt;

use keyvouch::appraisal::Report;
use serde_json::Value;

use crate::bundle::Bundle;
use crate::case::CaseError;

/// The most differences that are named.
const MAX_DIFFERENCES: usize = 50;

/// A record judged again.
#[derive(Debug)]
pub struct Recheck {
    /// Whether the answer is the same.
    pub answer: Answer,
    /// The report of today, at the record's own time.
    pub report: Report,
}

/// Whether the answer is the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Byte for byte.
    Identical,
    /// In everything but who gave it: another version of keyvouch, or other trust data, says the same.
    SameFindings(Vec<Difference>),
    /// No. The first differences, and whether there are more.
    Different {
        /// What differs, by place.
        differences: Vec<Difference>,
        /// Whether there are more of them.
        more: bool,
    },
}

/// A place in the report where the answers differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// JSON pointer (RFC 6901).
    pub place: String,
    /// What the record has there; nothing when the place is new.
    pub recorded: Option<Value>,
    /// What is there today; nothing when the place is gone.
    pub today: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| value.as_ref().map_or("(nothing)".to_owned(), ToString::to_string);
        write!(f, "{}: recorded {}, today {}", self.place, show(&self.recorded), show(&self.today))
    }
}

/// Judges the case of a bundle again, at its own time, and compares.
///
/// # Errors
/// When the case cannot be judged today at all.
pub fn recheck(bundle: &Bundle) -> Result<Recheck, CaseError> {
    let report = bundle.case.judge()?;
    // The only error there can be is serde's; a report that cannot be written is not the recorded one.
    let today = report.to_json().unwrap_or_default();
    if today.as_bytes() == bundle.report {
        return Ok(Recheck { answer: Answer::Identical, report });
    }
    let recorded = serde_json::from_slice(&bundle.report).unwrap_or(Value::Null);
    let today = serde_json::from_str(&today).unwrap_or(Value::Null);
    let mut found = Differences::default();
    found.compare("", Some(&recorded), Some(&today));
    let Differences { list, more } = found;
    let of_the_verifier = |d: &Difference| d.place.starts_with("/verifier/");
    let answer = if !more && !list.is_empty() && list.iter().all(of_the_verifier) {
        Answer::SameFindings(list)
    } else {
        // Also when there is none: then the same JSON is written in other bytes, which keyvouch never did.
        Answer::Different { differences: list, more }
    };
    Ok(Recheck { answer, report })
}

#[derive(Default)]
struct Differences {
    list: Vec<Difference>,
    more: bool,
}

impl Differences {
    fn compare(&mut self, place: &str, recorded: Option<&Value>, today: Option<&Value>) {
        match (recorded, today) {
            (Some(a), Some(b)) if a == b => {}
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for name in names {
                    let escaped = name.replace('~', "~0").replace('/', "~1");
                    self.compare(&format!("{place}/{escaped}"), a.get(name), b.get(name));
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => {
                for at in 0..a.len().max(b.len()) {
                    self.compare(&format!("{place}/{at}"), a.get(at), b.get(at));
                }
            }
            _ if self.list.len() >= MAX_DIFFERENCES => self.more = true,
            (recorded, today) => self.list.push(Difference {
                place: place.to_owned(),
                recorded: recorded.cloned(),
                today: today.cloned(),
            }),
        }
    }
}
