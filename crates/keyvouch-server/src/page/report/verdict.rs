//! The verdict, and what led to it.

use maud::{Markup, html};

use crate::page::text::clean;
use crate::page::view::{Advisory, Appraisal, Check, Report, Requirement};
use crate::problem::capitalised;

/// What a verdict is called, what it means, and how it looks.
struct Look {
    class: &'static str,
    /// For those who see; the words say the same.
    sign: &'static str,
    title: &'static str,
    meaning: &'static str,
}

fn look(verdict: Option<&str>) -> Look {
    match verdict {
        Some("accept") => Look {
            class: "good",
            sign: "✓",
            title: "Accepted",
            meaning: "The evidence is authentic and meets the policy.",
        },
        Some("accept-with-findings") => Look {
            class: "careful",
            sign: "✓",
            title: "Accepted with findings",
            meaning: "The evidence is authentic and meets the policy. Somebody should look at the findings.",
        },
        Some("refuse") => Look {
            class: "bad",
            sign: "✕",
            title: "Refused",
            meaning: "The key is not accepted. The reasons are below, with what to do.",
        },
        Some("cannot-decide") => Look {
            class: "careful",
            sign: "?",
            title: "Cannot decide",
            meaning: "Something is missing or not known, so the key is not accepted.",
        },
        Some(_) => Look {
            class: "careful",
            sign: "?",
            title: "Unknown verdict",
            meaning: "This version does not know it.",
        },
        None => Look { class: "careful", sign: "?", title: "Not judged", meaning: "No policy was asked." },
    }
}

/// What people call a verdict.
pub(in crate::page) fn title(verdict: Option<&str>) -> &'static str {
    look(verdict).title
}

/// The verdict as a small label.
pub(in crate::page) fn label(verdict: &str) -> Markup {
    let look = look(if verdict == "none" { None } else { Some(verdict) });
    html! { span.label.(look.class) { span aria-hidden="true" { (look.sign) } " " (look.title) } }
}

/// The verdict, large.
pub(super) fn banner(report: &Report) -> Markup {
    let look = look(report.verdict.as_deref());
    html! {
        div.verdict.(look.class) {
            span.sign aria-hidden="true" { (look.sign) }
            div {
                h1 { (look.title) }
                p.subject { (subject(report)) }
                p { (look.meaning) }
            }
        }
    }
}

/// What it is about, in one line.
pub(super) fn subject(report: &Report) -> String {
    let speaking = report.appraisals.iter().find(|appraisal| !appraisal.claims.is_empty());
    let Some(appraisal) = speaking.or(report.appraisals.first()) else { return "no evidence".to_owned() };
    let text = |name: &str| appraisal.known(name).map(|claim| claim.text());
    let device = match (text("device.vendor"), text("device.model")) {
        (Some(vendor), Some(model)) if !model.starts_with(&vendor) => Some(format!("{vendor} {model}")),
        (vendor, model) => model.or(vendor),
    };
    match (text("key.algorithm"), device) {
        (Some(key), Some(device)) => format!("{key} key in {device}"),
        (Some(key), None) => format!("{key} key"),
        (None, Some(device)) => device,
        (None, None) if appraisal.format.is_empty() => "evidence that nobody recognised".to_owned(),
        (None, None) => super::statement::format_title(&appraisal.format),
    }
}

/// What somebody has to do or to know: what failed first, with advice.
pub(super) fn reasons(report: &Report) -> Markup {
    let failed: Vec<(Option<usize>, &Check)> = each(report, Appraisal::failed);
    let findings: Vec<(Option<usize>, &Check)> = each(report, Appraisal::findings);
    let unmet: Vec<(&str, &Requirement)> = report
        .appraisals
        .iter()
        .flat_map(|appraisal| &appraisal.decisions)
        .flat_map(|decision| decision.requirements.iter().map(|r| (decision.policy.as_str(), r)))
        .filter(|(_, requirement)| !requirement.met && requirement.severity != "note")
        .collect();
    let advisories: Vec<&Advisory> =
        report.appraisals.iter().flat_map(|appraisal| &appraisal.advisories).collect();
    // What says no more than that a check failed is said by the check.
    let says_more = |requirement: &Requirement| {
        failed.is_empty()
            || !matches!(requirement.id.as_str(), "evidence-authentic" | "no-failed-check" | "no-findings")
    };
    let musts =
        || unmet.iter().filter(|(_, requirement)| requirement.severity == "must" && says_more(requirement));
    let shoulds = || unmet.iter().filter(|(_, requirement)| requirement.severity != "must");
    let something_is_wrong = !failed.is_empty() || musts().next().is_some();
    let something_to_see = !findings.is_empty() || !advisories.is_empty() || shoulds().next().is_some();
    html! {
        @if something_is_wrong {
            section.reasons aria-labelledby="reasons" {
                h2 #reasons { "Why, and what to do" }
                ul.reasons {
                    @for (number, check) in &failed { (reason(*number, check)) }
                    @for (policy, requirement) in musts() { (unmet_requirement(policy, requirement)) }
                }
            }
        }
        @if something_to_see {
            section.reasons aria-labelledby="findings" {
                h2 #findings { "Findings" }
                ul.reasons.mild {
                    @for (number, check) in &findings { (reason(*number, check)) }
                    @for advisory in advisories { (advisory_reason(advisory)) }
                    @for (policy, requirement) in shoulds() { (unmet_requirement(policy, requirement)) }
                }
            }
        }
    }
}

/// What `pick` picks of each statement; with the number of that when there are several.
fn each<'r, I>(report: &'r Report, pick: impl Fn(&'r Appraisal) -> I) -> Vec<(Option<usize>, &'r Check)>
where
    I: Iterator<Item = &'r Check>,
{
    let several = report.appraisals.len() > 1;
    let numbered = (1_usize..).zip(&report.appraisals);
    numbered
        .flat_map(|(number, appraisal)| pick(appraisal).map(move |check| (several.then_some(number), check)))
        .collect()
}

fn reason(number: Option<usize>, check: &Check) -> Markup {
    html! {
        li {
            p.what {
                @if let Some(number) = number { span.hint { "Statement " (number) ". " } }
                (capitalised(&clean(&check.detail)))
            }
            @if let Some(advice) = &check.advice { p.do { strong { "What to do: " } (clean(advice)) } }
            p.small { code { (clean(&check.id)) } @if !check.place.is_empty() { " in " (clean(&check.place)) } }
        }
    }
}

fn unmet_requirement(policy: &str, requirement: &Requirement) -> Markup {
    html! {
        li {
            p.what { (clean(&requirement.reason)) }
            p.small {
                "Policy " code { (clean(policy)) } ", " code { (clean(&requirement.id)) }
                @if requirement.unknown { ": not known" }
                @if let Some(cite) = &requirement.cite { ". " (clean(cite)) }
            }
        }
    }
}

fn advisory_reason(advisory: &Advisory) -> Markup {
    html! {
        li {
            p.what { (capitalised(&clean(&advisory.detail))) }
            @if !advisory.advice.is_empty() { p.do { strong { "What to do: " } (clean(&advisory.advice)) } }
            p.small {
                "Advisory " code { (clean(&advisory.id)) }
                @if !advisory.references.is_empty() { ", " (clean(&advisory.references.join(", "))) }
                ", " (clean(&advisory.source))
            }
        }
    }
}
