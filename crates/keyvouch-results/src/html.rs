//! A report as one page of HTML, to read, print or file: everything that the JSON report has, nothing to load, no scripts.
//!
//! What stands in a report comes from strangers. Every text is escaped by the templates, and characters that would turn
//! the direction of writing are taken out first.

use keyvouch::appraisal::{Advisory, Appraisal, Certification, Decision, Report, Severity, Trust};
use keyvouch::checks::{CheckRecord, OnFail, Outcome};
use keyvouch::{Authenticity, Basis, Claim, Value, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 0 .2rem } h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; border-bottom: 2px solid #ccc }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid #ddd; overflow-wrap: anywhere }
th { font-weight: 600 } tr > th:first-child { width: 15rem }
code { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere }
.verdict { border-left: .6rem solid #777; padding: .6rem 1rem; background: #f5f5f5 }
.good { border-color: #1a7f37 } .careful { border-color: #b58900 } .bad { border-color: #b42318 }
.outcome { font-weight: 600 } .fail { color: #b42318 } .warn { color: #8a6500 } .pass { color: #1a7f37 }
.advice { margin: .2rem 0 0 1rem } .small { color: #555; font-size: .85rem }
@media print { body { margin: 0; max-width: none; font-size: 10pt } h2 { break-after: avoid } tr { break-inside: avoid } }
";

/// The page. The same report gives the same page.
#[must_use]
pub fn page(report: &Report) -> String {
    let (class, title, meaning) = verdict(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) ": key attestation" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                div.verdict.(class) {
                    h1 { (title) }
                    (meaning)
                }
                p.small {
                    "Judged as of " (report.at.to_string()) " by " (report.verifier.name) " "
                    (report.verifier.version) ". Reference data " code { (text(&report.verifier.data)) } "."
                }
                @for (number, appraisal) in (1_usize..).zip(&report.appraisals) {
                    (statement(number, report.appraisals.len(), appraisal))
                }
                (files(report))
            }
        }
    };
    page.into_string()
}

fn verdict(report: &Report) -> (&'static str, &'static str, &'static str) {
    match report.verdict {
        Some(Verdict::Accept) => ("good", "Accepted", "The evidence is authentic and meets the policy."),
        Some(Verdict::AcceptWithFindings) => (
            "careful",
            "Accepted with findings",
            "The evidence is authentic and meets the policy; somebody should look at the findings.",
        ),
        Some(Verdict::CannotDecide) => {
            ("careful", "Cannot decide", "Something is missing or not known: the key is not accepted.")
        }
        Some(Verdict::Refuse) => ("bad", "Refused", "The key is not accepted; the reasons are below."),
        None => ("careful", "Not judged", "No policy was asked."),
    }
}

fn statement(number: usize, of: usize, appraisal: &Appraisal) -> Markup {
    let format = if appraisal.format.is_empty() { "not recognised" } else { appraisal.format };
    html! {
        h2 { @if of > 1 { "Statement " (number) " of " (of) ": " } @else { "Evidence: " } (format) }
        table {
            tr { th { "Authenticity" } td { (authenticity(appraisal.authenticity)) } }
            tr { th { "Bound to" } td { (appraisal.binding.as_str()) } }
            tr { th { "Freshness" } td { (appraisal.freshness.as_str()) } }
            @for decision in &appraisal.decisions {
                tr { th { "Policy " (text(&decision.policy)) } td { (decision.verdict.as_str()) } }
            }
        }
        (problems("What is wrong, or missing", appraisal.failed()))
        (problems("Findings", appraisal.findings()))
        (advisories(&appraisal.advisories))
        (claims("Key and device", appraisal.claims.named().map(|(n, c)| (n.as_str(), c)).collect()))
        (claims("Details of this format", appraisal.claims.details().collect()))
        (certifications(&appraisal.certifications, appraisal.uncertified))
        @for decision in &appraisal.decisions { (requirements(decision)) }
        @if let Some(trust) = &appraisal.trust { (path(trust)) }
        (checks(&appraisal.checks))
        @if !appraisal.limits.is_empty() {
            h3 { "Not proved by such evidence" }
            ul { @for limit in appraisal.limits { li { (limit) } } }
        }
    }
}

const fn authenticity(authenticity: Authenticity) -> &'static str {
    match authenticity {
        Authenticity::Authentic => "authentic",
        Authenticity::NotAuthentic => "not authentic",
        Authenticity::Undecided => "undecided",
        Authenticity::NotAttestable => "the device signs no attestation",
    }
}

fn problems<'a>(heading: &str, checks: impl Iterator<Item = &'a CheckRecord>) -> Markup {
    let checks: Vec<&CheckRecord> = checks.collect();
    html! {
        @if !checks.is_empty() {
            h3 { (heading) }
            ul {
                @for check in checks {
                    li {
                        @if !check.place.is_empty() { (text(&check.place)) ": " }
                        (text(&check.detail)) " " code { (text(&check.id)) }
                        @if let Some(advice) = &check.advice { div.advice { "→ " (text(advice)) } }
                    }
                }
            }
        }
    }
}

fn advisories(advisories: &[Advisory]) -> Markup {
    html! {
        @if !advisories.is_empty() {
            h3 { "Advisories" }
            ul {
                @for advisory in advisories {
                    li {
                        (advisory.effect) ": " (text(&advisory.detail)) " " code { (text(&advisory.id)) }
                        div.advice { "→ " (text(&advisory.advice)) }
                        div.small { (text(&advisory.references.join(", "))) " – " (text(&advisory.source)) }
                    }
                }
            }
        }
    }
}

fn claims(heading: &str, claims: Vec<(&str, &Claim)>) -> Markup {
    html! {
        @if !claims.is_empty() {
            h3 { (heading) }
            table {
                tr { th { "Claim" } th { "Value" } th { "Basis" } th { "From" } }
                @for (name, claim) in claims {
                    tr {
                        th { code { (name) } }
                        td { (text(&value(&claim.value))) }
                        td { (basis(claim.basis)) }
                        td { (claim.from) }
                    }
                }
            }
        }
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Unknown => "not known".to_owned(),
        other => other.to_string(),
    }
}

const fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Attested => "attested",
        Basis::Implied => "implied",
        Basis::Declared => "declared",
        Basis::Operator => "operator",
        Basis::Witnessed => "witnessed",
        Basis::Unknown => "–",
    }
}

fn certifications(certifications: &[Certification], uncertified: bool) -> Markup {
    html! {
        @if uncertified { p { "This model is known to hold no certification." } }
        @if !certifications.is_empty() {
            h3 { "Certifications" }
            table {
                tr { th { "Certificate" } th { "Module" } th { "Level" } th { "Status" } th { "Matched by" } th { "Source" } }
                @for c in certifications {
                    tr {
                        th { (text(&c.standard)) ", " (text(&c.scheme)) " " (text(&c.id)) }
                        td { (text(&c.module)) }
                        td { (text(&c.level)) @if c.fips_mode_required { " (in FIPS mode only)" } }
                        td { (c.status) }
                        td { (c.matched) }
                        td { (text(&c.source)) ", " (text(&c.looked_up)) }
                    }
                }
            }
        }
    }
}

fn requirements(decision: &Decision) -> Markup {
    html! {
        h3 { "Policy " (text(&decision.policy)) ": " (decision.verdict.as_str()) }
        table {
            tr { th { "Requirement" } th { "" } th { "Reason" } th { "Clause" } }
            @for r in &decision.requirements {
                tr {
                    th { code { (text(&r.id)) } }
                    td.outcome.(if r.met { "pass" } else if r.severity == Severity::Must { "fail" } else { "warn" }) {
                        @match (r.met, r.unknown) {
                            (true, _) => "met",
                            (false, true) => "not known",
                            (false, false) => "not met",
                        }
                        @match r.severity { Severity::Must => " (must)", Severity::Should => " (should)", Severity::Note => " (note)" }
                    }
                    td { (text(&r.reason)) }
                    td { (text(r.cite.as_deref().unwrap_or("–"))) }
                }
            }
        }
    }
}

fn path(trust: &Trust) -> Markup {
    let anchor = trust.anchor();
    html! {
        h3 { "Path of trust" }
        p {
            "Anchor: " (text(&anchor.name)) " (" (text(&anchor.origin)) "), SHA-256 "
            code { (crate::payload::hexadecimal(&anchor.spki_sha256)) }
        }
        ol { @for name in trust.path() { li { (text(name)) } } }
    }
}

fn checks(checks: &[CheckRecord]) -> Markup {
    html! {
        h3 { "Every check" }
        table {
            tr { th { "Check" } th { "Outcome" } th { "What was found" } th { "Where" } }
            @for check in checks {
                @let (class, word) = outcome(check);
                tr {
                    th { code { (text(&check.id)) } }
                    td.outcome.(class) { (word) }
                    td { (text(&check.detail)) }
                    td { (text(&check.place)) }
                }
            }
        }
    }
}

const fn outcome(check: &CheckRecord) -> (&'static str, &'static str) {
    match (check.outcome, check.means) {
        (Outcome::Pass, _) => ("pass", "pass"),
        (Outcome::Fail, Some(OnFail::Undecided)) => ("warn", "missing"),
        (Outcome::Fail, Some(OnFail::NotAttestable)) => ("warn", "none"),
        (Outcome::Fail, Some(OnFail::Unfit)) => ("fail", "unfit"),
        (Outcome::Fail, _) => ("fail", "fail"),
        (Outcome::Warning, _) => ("warn", "warning"),
        (Outcome::Info, _) => ("info", "info"),
        (Outcome::Skipped, _) => ("info", "skipped"),
    }
}

fn files(report: &Report) -> Markup {
    html! {
        h2 { "Files" }
        table {
            tr { th { "Name" } th { "Role" } th { "Size" } th { "Recognised as" } th { "SHA-256" } }
            @for input in &report.inputs {
                tr {
                    th { (text(&input.name)) }
                    td { (input.role) }
                    td { (input.size) }
                    td { (text(&input.recognised)) }
                    td { code { (crate::payload::hexadecimal(&input.sha256)) } }
                }
            }
        }
    }
}

/// The text without anything that would change how what follows is read. It is not escaped: that is for a template.
#[must_use]
pub fn text(text: &str) -> String {
    let harmless = |c: char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns { char::REPLACEMENT_CHARACTER } else { c }
    };
    text.chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_stranger_is_markup() {
        let markup = html! { p { (text("<b>&\"'\u{202e}\u{1b}[2J")) } }.into_string();
        assert_eq!(markup, "<p>&lt;b&gt;&amp;&quot;'\u{fffd}\u{fffd}[2J</p>");
    }
}
