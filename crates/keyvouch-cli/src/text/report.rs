//! A report for people: the verdict first, then why, then what was found.

use anstyle::Style;
use keyvouch::appraisal::{Advisory, Appraisal, Certification, Decision, Report, Requirement, Severity};
use keyvouch::checks::{CheckRecord, OnFail, Outcome};
use keyvouch::{Authenticity, Basis, Binding, ClaimName, Freshness, Route, Value, Verdict};

use super::{BAD, CAREFUL, GOOD, Page, list_of};

/// Requirements of every policy that the report says better elsewhere.
const EXPLAINED_BY_CHECKS: [&str; 3] = ["evidence-authentic", "evidence-route", "no-failed-check"];
/// Of these a policy has one, by its way; while it is not met, the policy judges nothing.
const WAY: [&str; 2] = ["evidence-authentic", "evidence-route"];
const NO_FINDINGS: &str = "no-findings";

/// Width of the names of claims.
const CLAIM_NAME: usize = 25;

/// What to print.
#[derive(Debug)]
pub(crate) struct View<'r> {
    /// The report.
    pub(crate) report: &'r Report,
    /// Name of the request, when there is one.
    pub(crate) request: Option<&'r str>,
    /// Whether to print every check and claim.
    pub(crate) verbose: bool,
}

/// The report as text.
pub(crate) fn render(view: &View<'_>) -> String {
    let mut page = Page::default();
    let report = view.report;
    verdict(&mut page, report);
    let several = report.appraisals.len() > 1;
    for (n, appraisal) in (1_usize..).zip(&report.appraisals) {
        if several {
            let of = report.appraisals.len();
            page.heading(&format!("Statement {n} of {of}: {}", appraisal.format));
            page.paragraph(2, &state(appraisal));
        }
        statement(&mut page, appraisal, view);
    }
    if view.verbose {
        files(&mut page, report);
    }
    page.gap();
    let made_by = &report.verifier;
    let data: String = made_by.data.chars().take(16).collect();
    page.paragraph(
        0,
        &format!(
            "Judged as of {} by {} {}, reference data {data}.",
            report.at, made_by.name, made_by.version
        ),
    );
    page.into_text()
}

fn verdict(page: &mut Page, report: &Report) {
    let (style, word): (Style, &str) = match report.verdict {
        Some(Verdict::Accept) => (GOOD, "ACCEPTED"),
        Some(Verdict::AcceptWithFindings) => (CAREFUL, "ACCEPTED WITH FINDINGS"),
        Some(Verdict::Refuse) => (BAD, "REFUSED"),
        Some(Verdict::CannotDecide) | None => (CAREFUL, "CANNOT DECIDE"),
    };
    page.title(style, word, &format!(": {}", reason(report)));
}

/// The verdict in one clause.
fn reason(report: &Report) -> String {
    let mut deciding: Vec<&Decision> = Vec::new();
    for decision in report.appraisals.iter().flat_map(|a| &a.decisions) {
        if Some(decision.verdict) == report.verdict && !deciding.iter().any(|d| d.policy == decision.policy) {
            deciding.push(decision);
        }
    }
    let names: Vec<&str> = deciding.iter().map(|d| d.policy.as_str()).collect();
    let policies = format!("{} {}", if names.len() == 1 { "policy" } else { "policies" }, list_of(&names));
    let all = |what: Authenticity| report.appraisals.iter().all(|a| a.authenticity == what);
    let unrecognised = report.appraisals.iter().all(|a| a.format.is_empty());
    match report.verdict {
        Some(Verdict::Accept) => format!("{} meets {policies}.", accepted(&report.appraisals)),
        Some(Verdict::AcceptWithFindings) => {
            format!("{} meets {policies}; look at the findings below.", accepted(&report.appraisals))
        }
        Some(Verdict::Refuse) if report.appraisals.iter().all(is_denied) => {
            "the operator of this verifier denies it.".to_owned()
        }
        Some(Verdict::Refuse) if all(Authenticity::NotAuthentic) => {
            "the evidence is not authentic.".to_owned()
        }
        Some(Verdict::Refuse)
            if all(Authenticity::NotAttestable) && !report.appraisals.iter().any(judged_by_way) =>
        {
            "the device signs no statement about its keys that a CA can verify.".to_owned()
        }
        Some(Verdict::Refuse) if names.len() == 1 => format!("{policies} is not met."),
        Some(Verdict::Refuse) => format!("{policies} are not met."),
        _ if unrecognised => "the files hold no attestation that keyvouch knows.".to_owned(),
        _ if all(Authenticity::Undecided) => "whether the evidence is authentic cannot be said.".to_owned(),
        _ if all(Authenticity::NotAttestable) && !report.appraisals.iter().any(judged_by_way) => {
            "the device signs no statement about its keys that a CA can verify.".to_owned()
        }
        _ => format!("the evidence does not say everything that {policies} asks."),
    }
}

/// What is accepted: attestation, or a statement of another kind, which must not be taken for it.
fn accepted(appraisals: &[Appraisal]) -> &'static str {
    let any = |route: Route| appraisals.iter().any(|a| a.route == route);
    if any(Route::ProviderStatement) {
        "what the provider says, which is no attestation,"
    } else if any(Route::WitnessStatement) {
        "what a witness says, which is no attestation,"
    } else {
        "the evidence is authentic and"
    }
}

/// Whether a policy for the way of the statement judged it: one that asks for the way first.
fn judged_by_way(appraisal: &Appraisal) -> bool {
    let other = matches!(appraisal.route, Route::ProviderStatement | Route::WitnessStatement);
    other
        && appraisal
            .decisions
            .iter()
            .any(|d| d.requirements.iter().any(|r| r.id == "evidence-route" && r.met))
}

/// Whether the deny-list is the only thing against the evidence.
fn is_denied(appraisal: &Appraisal) -> bool {
    let mut against = appraisal.failed().filter(|c| c.means == Some(OnFail::NotAuthentic)).peekable();
    against.peek().is_some() && against.all(|c| c.id == "denied")
}

/// What became of one statement among several.
fn state(appraisal: &Appraisal) -> String {
    let authenticity = match appraisal.authenticity {
        Authenticity::Authentic => "authentic",
        Authenticity::NotAuthentic => "not authentic",
        Authenticity::Undecided => "undecided",
        Authenticity::NotAttestable if appraisal.route == Route::WitnessStatement => {
            "no attestation but a statement of witnesses"
        }
        Authenticity::NotAttestable if appraisal.route == Route::ProviderStatement => {
            "no attestation but a statement of the provider"
        }
        Authenticity::NotAttestable => "of a device that signs no attestation",
    };
    let verdicts: Vec<String> =
        appraisal.decisions.iter().map(|d| format!("{} says {}", d.policy, d.verdict.as_str())).collect();
    [vec![authenticity.to_owned()], verdicts].concat().join("; ")
}

fn statement(page: &mut Page, appraisal: &Appraisal, view: &View<'_>) {
    for decision in &appraisal.decisions {
        not_met(page, appraisal, decision);
    }
    failed(page, appraisal);
    if matches!(appraisal.route, Route::ProviderStatement | Route::WitnessStatement) {
        page.heading("No attestation");
        page.paragraph(2, match appraisal.route {
            Route::WitnessStatement => "What follows is the word of a witness whom the operator of this verifier trusts. The device itself proves none of it.",
            _ => "What follows is the word of the provider, in answer to the operator of this verifier. The device itself proves none of it.",
        });
    }
    if appraisal.authenticity == Authenticity::Authentic || appraisal.route != Route::None {
        key(page, appraisal);
        device(page, appraisal);
        if appraisal.route == Route::WitnessStatement {
            witnesses(page, appraisal);
        }
        bound_to(page, appraisal, view.request);
        findings(page, appraisal);
        notes(page, appraisal);
    } else if appraisal.authenticity == Authenticity::NotAttestable && appraisal.trust.is_some() {
        device(page, appraisal);
        page.paragraph(
            2,
            "The device is genuine. It signs nothing about the keys in it, so nothing is known of any key.",
        );
    } else if appraisal.authenticity == Authenticity::NotAttestable {
        page.heading("Key and device");
        page.paragraph(2, "Nothing is known of them: no signed statement speaks of them. This is a matter of the device and no fault of the files; where a rule allows another way, that is for the CA to judge.");
    } else if !appraisal.format.is_empty() {
        page.heading("Key and device");
        page.paragraph(2, "Nothing is known of them: what evidence says counts only when it is authentic.");
    }
    if !appraisal.limits.is_empty() {
        page.heading("Not proved by such evidence");
        appraisal.limits.iter().for_each(|limit| page.item(limit));
    }
    if view.verbose {
        claims(page, appraisal);
        requirements(page, appraisal);
        checks(page, appraisal);
    }
}

/// Requirements of a policy that are not met and decide against the key.
fn not_met(page: &mut Page, appraisal: &Appraisal, decision: &Decision) {
    // What is not judged at all is said once, and not of every requirement.
    let judged = judges(decision);
    // That a policy takes attestation only is said by no check.
    let explained = appraisal.failed().next().is_some()
        && appraisal.authenticity != Authenticity::NotAttestable
        || appraisal.failed().any(|c| c.means == Some(OnFail::NotAttestable));
    // Of evidence that does not count nothing is known, so no policy is met: the failed checks say why.
    let speaks = |r: &Requirement| {
        (judged || !r.unknown) && !(explained && EXPLAINED_BY_CHECKS.contains(&r.id.as_str()))
    };
    let unmet: Vec<&Requirement> = decision
        .requirements
        .iter()
        .filter(|r| !r.met && r.severity == Severity::Must && speaks(r))
        .collect();
    if unmet.is_empty() {
        return;
    }
    page.heading(&format!("Policy {} is not met", decision.policy));
    unmet.iter().for_each(|requirement| page.item(&with_cite(requirement)));
    if unmet.iter().any(|r| r.unknown) {
        page.under_item("→ What the evidence does not establish, other evidence must: see whether the device or its maker gives more.");
    }
    page.under_item(&format!(
        "→ What the policy asks, and by which rule: keyvouch policy show {}",
        decision.policy
    ));
}

/// Whether the policy judges such evidence at all.
fn judges(decision: &Decision) -> bool {
    decision.requirements.iter().any(|r| r.met && WAY.contains(&r.id.as_str()))
}

fn with_cite(requirement: &Requirement) -> String {
    let cite = requirement.cite.as_ref().map(|c| format!(" ({c})")).unwrap_or_default();
    format!("{}{cite} [{}]", requirement.reason, requirement.id)
}

/// Failed checks, and what to do about them.
fn failed(page: &mut Page, appraisal: &Appraisal) {
    let mut failed = appraisal.failed().peekable();
    if failed.peek().is_none() {
        return;
    }
    // A piece of advice is given once, after the last check that it is for.
    let all: Vec<&CheckRecord> = failed.collect();
    let means = |what: OnFail| all.iter().all(|c| c.means == Some(what));
    page.heading(if means(OnFail::Undecided) {
        "What is missing, and what to do"
    } else if means(OnFail::NotAttestable) {
        "Why there is none, and what to do instead"
    } else {
        "What is wrong, and what to do"
    });
    for (n, check) in all.iter().enumerate() {
        page.item(&located(check));
        let next = all.get(n.saturating_add(1));
        if let Some(advice) = check.advice.as_ref().filter(|_| next.is_none_or(|c| c.advice != check.advice))
        {
            page.under_item(&format!("→ {advice}"));
        }
    }
}

fn located(check: &CheckRecord) -> String {
    if check.place.is_empty() {
        format!("{} [{}]", check.detail, check.id)
    } else {
        format!("{}: {} [{}]", check.place, check.detail, check.id)
    }
}

fn key(page: &mut Page, appraisal: &Appraisal) {
    page.heading("Key");
    let claims = &appraisal.claims;
    page.field("Algorithm", &claims.value(ClaimName::KeyAlgorithm).to_string());
    page.field("SHA-256", &claims.value(ClaimName::KeySpkiSha256).to_string());
    page.field("Made in the device", &said(appraisal, ClaimName::KeyGeneratedInDevice));
    page.field("Can leave the device", &said(appraisal, ClaimName::KeyExportable));
    if *claims.value(ClaimName::KeyEverExportable) == Value::Bool(true) {
        page.field("Could leave it before", &said(appraisal, ClaimName::KeyEverExportable));
    }
    for (label, name) in [
        ("Purposes", ClaimName::KeyPurposes),
        ("Created", ClaimName::KeyCreatedAt),
        ("PIN", ClaimName::AuthPin),
        ("Touch", ClaimName::AuthTouch),
        ("User verification", ClaimName::AuthUserVerification),
    ] {
        known(page, appraisal, label, name);
    }
}

fn device(page: &mut Page, appraisal: &Appraisal) {
    page.heading("Device");
    for (label, name) in [
        ("Maker", ClaimName::DeviceVendor),
        ("Model", ClaimName::DeviceModel),
        ("Serial number", ClaimName::DeviceSerial),
        ("Firmware", ClaimName::DeviceFirmware),
        ("Class", ClaimName::DeviceClass),
        ("FIPS mode", ClaimName::DeviceFipsMode),
    ] {
        known(page, appraisal, label, name);
    }
    for certification in &appraisal.certifications {
        page.field("Certification", &certified(certification));
    }
    if appraisal.uncertified {
        page.field("Certification", "none: this model is known to hold none");
    }
    if let Some(trust) = &appraisal.trust {
        let anchor = trust.anchor();
        page.field("Vouched for by", &format!("{} ({})", anchor.name, anchor.origin));
    }
}

/// Who says so, and where more of it is written.
fn witnesses(page: &mut Page, appraisal: &Appraisal) {
    page.heading("Witnesses");
    for (label, name) in [
        ("Signed by", "statement.signers"),
        ("Signed on", "statement.signed_at"),
        ("Who was there", "witnesses"),
        ("Ceremony began", "ceremony.started"),
        ("Ceremony ended", "ceremony.ended"),
        ("Report", "ceremony.report"),
    ] {
        let said = appraisal.details.details().find(|(detail, _)| *detail == name);
        if let Some((_, claim)) = said.filter(|(_, claim)| !claim.value.is_unknown()) {
            page.field(label, &claim.value.to_string());
        }
    }
}

fn certified(c: &Certification) -> String {
    let matched = match c.matched {
        "model-and-firmware" => "model and firmware match",
        _ => "the model matches; whether the firmware does is not known",
    };
    let status = if c.status == "unknown" { "whether it is still active is not on record" } else { c.status };
    let mode = if c.fips_mode_required { ", in FIPS mode only" } else { "" };
    format!(
        "{} level {}, {} {}, {} ({matched}{mode})",
        c.standard,
        c.level,
        c.scheme.to_uppercase(),
        c.id,
        status
    )
}

/// A field for a claim that is known.
fn known(page: &mut Page, appraisal: &Appraisal, label: &str, name: ClaimName) {
    if !appraisal.claims.value(name).is_unknown() {
        page.field(label, &said(appraisal, name));
    }
}

/// The value of a claim in plain words, with why it is believed where that is not the signed statement.
fn said(appraisal: &Appraisal, name: ClaimName) -> String {
    let Some(claim) = appraisal.claims.get(name) else { return "not known".to_owned() };
    let value = match (name, &claim.value) {
        (_, Value::Unknown) => return "not known".to_owned(),
        (_, Value::Bool(true)) => "yes".to_owned(),
        (_, Value::Bool(false)) => "no".to_owned(),
        (ClaimName::KeyExportable, Value::Text(word)) => match word.as_str() {
            "never" => "no, never".to_owned(),
            "vendor-boundary" => "only into other devices of the same maker (backup or cloning)".to_owned(),
            "wrapped" => "yes, wrapped under a key that others may hold".to_owned(),
            "yes" => "yes".to_owned(),
            other => other.to_owned(),
        },
        (_, other) => other.to_string(),
    };
    match claim.basis {
        Basis::Attested | Basis::Unknown => value,
        Basis::Implied
            if matches!(name, ClaimName::DeviceVendor | ClaimName::DeviceModel | ClaimName::DeviceClass) =>
        {
            value
        }
        Basis::Implied => format!("{value} (by the documented behaviour of the device)"),
        Basis::Declared => format!("{value} (only declared, not signed by the device)"),
        Basis::Operator => format!("{value} (set by the operator of this verifier)"),
        Basis::Witnessed => format!("{value} (say the witnesses)"),
    }
}

fn bound_to(page: &mut Page, appraisal: &Appraisal, request: Option<&str>) {
    page.heading("Bound to");
    let text = match (appraisal.binding, request) {
        (Binding::None, None) => {
            "Nothing: no request was given. With --request, keyvouch also checks that the request holds this key.".to_owned()
        }
        (Binding::None, Some(request)) => format!("Nothing. It is not bound to {request}; the reason is above."),
        (Binding::Csr, request) => format!(
            "{}: the certification request holds this key and is signed by it",
            request.unwrap_or_default()
        ),
        (Binding::Certificate, request) => {
            format!("{}: the certificate holds this key", request.unwrap_or_default())
        }
        (Binding::PublicKey, request) => format!("{}: the same public key", request.unwrap_or_default()),
    };
    page.paragraph(2, &text);
    match appraisal.freshness {
        Freshness::NotAsked => {}
        Freshness::NonceMatched => page.paragraph(
            2,
            "Your nonce: it is in the signed statement, which was therefore made after you gave it out",
        ),
        Freshness::NonceMismatch => page.paragraph(2, "Not your nonce: the statement holds another one"),
        Freshness::NoNonceInEvidence => {
            page.paragraph(2, "No nonce: such evidence has none, so when it was made is not known")
        }
    }
}

fn findings(page: &mut Page, appraisal: &Appraisal) {
    let warnings: Vec<&CheckRecord> = appraisal.findings().collect();
    let advisories: Vec<&Advisory> = appraisal.advisories.iter().filter(|a| a.effect == "finding").collect();
    let listed = !warnings.is_empty() || !advisories.is_empty();
    let mut wishes = unmet(appraisal, Severity::Should);
    wishes.retain(|(_, r)| !(listed && r.id == NO_FINDINGS));
    if warnings.is_empty() && advisories.is_empty() && wishes.is_empty() {
        return;
    }
    page.heading("Findings");
    for check in warnings {
        page.item(&located(check));
        if let Some(advice) = &check.advice {
            page.under_item(&format!("→ {advice}"));
        }
    }
    for advisory in advisories {
        let references = advisory.references.join(", ");
        page.item(&format!("{} [{}; {references}]", advisory.detail, advisory.id));
        page.under_item(&format!("→ {}", advisory.advice));
    }
    for (policy, requirement) in wishes {
        page.item(&format!("policy {policy}: {}", with_cite(requirement)));
    }
}

fn notes(page: &mut Page, appraisal: &Appraisal) {
    let notes = unmet(appraisal, Severity::Note);
    if !notes.is_empty() {
        page.heading("Good to know");
        notes.iter().for_each(|(policy, r)| page.item(&format!("policy {policy}: {}", with_cite(r))));
    }
}

/// The requirements of one severity that are not met, with their policies.
fn unmet(appraisal: &Appraisal, severity: Severity) -> Vec<(&str, &Requirement)> {
    appraisal
        .decisions
        .iter()
        .filter(|d| judges(d))
        .flat_map(|d| d.requirements.iter().map(move |r| (d.policy.as_str(), r)))
        .filter(|(_, r)| !r.met && r.severity == severity)
        .collect()
}

fn claims(page: &mut Page, appraisal: &Appraisal) {
    if appraisal.claims.is_empty() {
        return;
    }
    page.heading("Every claim");
    let named = appraisal.claims.named().map(|(name, claim)| (name.as_str(), claim));
    for (name, claim) in named.chain(appraisal.details.details()) {
        let basis = match claim.basis {
            Basis::Attested => "attested: ",
            Basis::Implied => "implied: ",
            Basis::Declared => "declared: ",
            Basis::Operator => "operator: ",
            Basis::Witnessed => "witnessed: ",
            Basis::Unknown => "",
        };
        page.row(2, CLAIM_NAME, name, &format!("{} ({basis}{})", claim.value, claim.from));
    }
    if let Some(trust) = &appraisal.trust {
        page.heading("Path of trust");
        page.field("Anchor", &format!("{} ({})", trust.anchor().name, trust.anchor().origin));
        trust.path().iter().for_each(|name| page.item(name));
    }
}

fn requirements(page: &mut Page, appraisal: &Appraisal) {
    for decision in &appraisal.decisions {
        page.heading(&format!("Policy {}: {}", decision.policy, decision.verdict.as_str()));
        for requirement in &decision.requirements {
            let met = match (requirement.met, requirement.unknown, requirement.severity) {
                (true, ..) => "met",
                (false, true, _) => "not known",
                (false, false, _) => "not met",
            };
            let severity = match requirement.severity {
                Severity::Must => "must",
                Severity::Should => "should",
                Severity::Note => "note",
            };
            page.field(met, &format!("{severity}: {}", with_cite(requirement)));
        }
    }
}

fn checks(page: &mut Page, appraisal: &Appraisal) {
    page.heading("Every check");
    for check in &appraisal.checks {
        let outcome = match (check.outcome, check.means) {
            (Outcome::Pass, _) => "pass",
            (Outcome::Fail, Some(OnFail::Undecided)) => "missing",
            (Outcome::Fail, Some(OnFail::NotAttestable)) => "none",
            (Outcome::Fail, _) => "FAIL",
            (Outcome::Warning, _) => "warning",
            (Outcome::Info, _) => "info",
            (Outcome::Skipped, _) => "skipped",
        };
        let place = if check.place.is_empty() { String::new() } else { format!(" ({})", check.place) };
        page.item(&format!("{outcome:7} {}: {}{place}", check.id, check.detail));
        if let Some(advice) = &check.advice {
            page.under_item(&format!("→ {advice}"));
        }
    }
}

fn files(page: &mut Page, report: &Report) {
    page.heading("Files");
    for input in &report.inputs {
        let digest: String = input.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        page.item(&format!("{} ({}, {} bytes): {}", input.name, input.role, input.size, input.recognised));
        page.under_item(&format!("SHA-256 {digest}"));
    }
}
