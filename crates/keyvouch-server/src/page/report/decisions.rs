//! What each policy says.

use maud::{Markup, html};

use super::statement::StatementPlace;
use super::verdict;
use crate::page::text::{clean, count};
use crate::page::view::{Decision, Requirement};

/// What the policies say of the statement at that place.
pub(super) fn decisions(place: StatementPlace, decisions: &[Decision]) -> Markup {
    html! {
        @if !decisions.is_empty() {
            section aria-labelledby=(place.id("policies")) {
                (place.heading("policies", "What the policy says"))
                @for decision in decisions { (policy(decision)) }
            }
        }
    }
}

fn policy(decision: &Decision) -> Markup {
    let met = decision.requirements.iter().filter(|requirement| requirement.met).count();
    let all = count(decision.requirements.len(), "requirement", "requirements");
    // What is not met first; within that, in the order of the policy.
    let mut requirements: Vec<&Requirement> = decision.requirements.iter().collect();
    requirements.sort_by_key(|requirement| requirement.met);
    html! {
        details.policy open[met != decision.requirements.len()] {
            summary {
                (verdict::label(&decision.verdict)) " "
                code { (clean(&decision.policy)) } " "
                span.hint { (met) " of " (all) " met" }
            }
            ul.requirements {
                @for requirement in requirements {
                    @let (class, sign, word) = state(requirement);
                    li.(class) {
                        span.sign aria-hidden="true" { (sign) }
                        div {
                            p { strong { (word) } ": " (clean(&requirement.reason)) }
                            p.small { code { (clean(&requirement.id)) } @if let Some(cite) = &requirement.cite { " · " (clean(cite)) } }
                        }
                    }
                }
            }
        }
    }
}

fn state(requirement: &Requirement) -> (&'static str, &'static str, &'static str) {
    match (requirement.met, requirement.unknown, requirement.severity.as_str()) {
        (true, ..) => ("pass", "✓", "Met"),
        (false, true, "must") => ("warn", "?", "Not known"),
        (false, _, "must") => ("fail", "✕", "Not met"),
        (false, _, "should") => ("warn", "!", "Finding"),
        (false, ..) => ("info", "i", "Note"),
    }
}
