//! Policies and knobs in the words of the contract, as the command and the service list them.

use keyvouch::appraisal::Severity;
use serde_json::{Value, json};

use crate::Policy;
use crate::settings::Knob;

/// A policy in brief.
#[must_use]
pub fn policy_brief(policy: &Policy) -> Value {
    json!({ "name": policy.name(), "title": policy.title() })
}

/// A policy with its requirements and its source.
#[must_use]
pub fn policy_full(policy: &Policy) -> Value {
    let requirements: Value = policy
        .requirements()
        .map(|r| {
            json!({
                "id": r.id, "severity": severity(r.severity), "demand": r.demand,
                "reason": r.reason, "cite": r.cite, "knobs": r.knobs,
            })
        })
        .collect();
    json!({
        "name": policy.name(), "title": policy.title(), "requirements": requirements,
        "source": policy.source(),
    })
}

/// A knob.
#[must_use]
pub fn knob(knob: &Knob) -> Value {
    json!({ "name": knob.name, "takes": knob.kind.to_string(), "default": knob.default, "about": knob.about })
}

/// How grave a requirement is.
#[must_use]
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Must => "must",
        Severity::Should => "should",
        Severity::Note => "note",
    }
}
