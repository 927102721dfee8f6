//! What came of an attestation result, for people.

use keyvouch::Verdict;
use keyvouch::appraisal::sorted;
use keyvouch::checks::{CheckRecord, Outcome};
use keyvouch_results::Verification;
use keyvouch_results::verify::Said;
use serde_json::Value;

use super::{BAD, CAREFUL, GOOD, Page, outline};

/// The verification as text.
pub(crate) fn render(got: &Verification, verbose: bool) -> String {
    let mut page = Page::default();
    let failed: Vec<&CheckRecord> = of(got, Outcome::Fail);
    let (style, word, rest) = match (got.verdict, failed.is_empty()) {
        (Verdict::Accept, _) => (GOOD, "AFFIRMED", ": the result is authentic, and affirming."),
        (Verdict::AcceptWithFindings, _) => {
            (CAREFUL, "AFFIRMED WITH A WARNING", ": the result is authentic, and warns of something.")
        }
        (Verdict::CannotDecide, _) => {
            (CAREFUL, "NOTHING AFFIRMED", ": the result is authentic, and its verifier could not decide.")
        }
        (Verdict::Refuse, true) => {
            (BAD, "REFUSED", ": the result is authentic, and says that the key must not be relied on.")
        }
        (Verdict::Refuse, false) => (BAD, "REFUSED", ": the result cannot be relied on."),
    };
    page.title(style, word, rest);
    listed(&mut page, "What is wrong, and what to do", &failed);
    listed(&mut page, "Findings", &of(got, Outcome::Warning));
    if let Some(said) = &got.result {
        result(&mut page, said, verbose);
    }
    if verbose {
        page.heading("Every check");
        for check in &got.checks {
            let outcome = match check.outcome {
                Outcome::Pass => "pass",
                Outcome::Fail => "FAIL",
                Outcome::Warning => "warning",
                Outcome::Info => "info",
                Outcome::Skipped => "skipped",
            };
            page.item(&format!("{outcome:7} {}: {}", check.id, check.detail));
        }
    }
    page.gap();
    page.paragraph(
        0,
        &format!("Judged as of {}. A result is the opinion of the verifier whose key was given.", got.at),
    );
    page.into_text()
}

fn of(got: &Verification, outcome: Outcome) -> Vec<&CheckRecord> {
    got.checks.iter().filter(|c| c.outcome == outcome).collect()
}

fn listed(page: &mut Page, heading: &str, checks: &[&CheckRecord]) {
    if checks.is_empty() {
        return;
    }
    page.heading(heading);
    for check in checks {
        page.item(&format!("{} [{}]", check.detail, check.id));
        if let Some(advice) = &check.advice {
            page.under_item(&format!("→ {advice}"));
        }
    }
}

fn result(page: &mut Page, said: &Said, verbose: bool) {
    page.heading("Result");
    page.field("Verifier", &format!("{} ({})", said.verifier.developer, said.verifier.build));
    page.field("Issued", &said.issued.to_string());
    page.field("Expires", &said.expires.map_or_else(|| "never".to_owned(), |t| t.to_string()));
    if !said.nonces.is_empty() {
        page.field("Nonce", &said.nonces.join(", "));
    }
    page.field("Form", &format!("{}, {}, {}", said.form.to_uppercase(), said.algorithm, said.profile));
    page.field("Signed by", &format!("key with SHA-256 {}", said.signer_spki_sha256));
    for statement in &said.statements {
        page.heading(&format!("Appraisal {}: {}", statement.name, statement.status.as_str()));
        if let Some(key) = &statement.key_spki_sha256 {
            page.field("Attested key", &format!("SHA-256 {key}"));
        }
        if !statement.policies.is_empty() {
            page.field("Policies", &statement.policies.join(", "));
        }
        let vector: Vec<String> =
            statement.vector.iter().map(|(name, value)| format!("{name} {value}")).collect();
        if !vector.is_empty() {
            page.field("Trustworthiness", &vector.join(", "));
        }
        if verbose && !statement.claims.is_empty() {
            outline(page, 2, &sorted(Value::Object(statement.claims.clone())));
        }
    }
}
