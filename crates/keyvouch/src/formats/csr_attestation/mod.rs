//! Evidence inside a certification request (draft-ietf-lamps-csr-attestation): the attribute id-aa-attestation of
//! PKCS#10, the extension of that name in CRMF.
//!
//! ```text
//! request ── attribute ── bundle ── statement: type, stmt  ──► the format that the type names
//!                               └── certificates: untrusted, for every statement
//! ```
//!
//! The envelope proves nothing. Its signature shows that whoever holds the request's key wanted this evidence in it; what
//! the evidence says is for the evidence. Each statement is judged by its own format as if it had been handed over
//! beside the request, and counts for the request only when it is about its key. A statement that nobody evaluates
//! counts for nothing.

mod checks;
mod contradiction;
mod envelope;
pub(crate) mod routes;
mod tpm;
mod view;

pub(crate) use self::tpm::tcg_statement;

use serde_json::Value;

use self::checks as ck;
use self::envelope::Envelope;
use self::routes::{Route, VENDOR_EVIDENCE};
use super::tpm::limits;
use super::tpm::switches::OPTIONS as TPM_OPTIONS;
use super::{About, Context, Format, Proof, Statement};
use crate::checks::Checks;
use crate::input::{Content, Part, Parts, Role};
use crate::pki::Certificate;
use crate::pki::attestation::{self, Attestation};
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct CsrAttestation;

const ID: &str = "csr-attestation";

static ABOUT: About = About {
    id: ID,
    title: "Evidence inside a certification request (PKCS#10, CRMF)",
    maker: "any (IETF LAMPS); statements of TPMs (TCG), and of every maker whose format is known",
    devices: "every device: a request carries its evidence in the attribute id-aa-attestation",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: OPTIONS,
    limits: &[
        "Anything by the envelope itself: it is a bag that whoever signed the request filled. Hints in it are that person's text.",
        "That statements about a platform and about the key concern the same hardware.",
        limits::PASSWORD,
        limits::HOLDER,
        limits::PHYSICAL,
        limits::FIRMWARE,
        limits::TIME,
        "Freshness, unless a statement answers a nonce of this verifier. A nonce anywhere else in the request is worth nothing.",
        limits::RESTRICTED,
    ],
    docs: "docs/devices/csr-attestation.md",
};

const OPTIONS: &[OptionDef] = &all_options();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn all_options() -> [OptionDef; TPM_OPTIONS.len() + 1] {
    let mut all = [OptionDef {
        name: VENDOR_EVIDENCE,
        kind: OptionKind::Bool,
        about: "evaluate makers' own evidence in requests, under keyvouch's identifiers 2.25.243173574279165502397274057169519977584.n (default true)",
    }; TPM_OPTIONS.len() + 1];
    let mut i = 0;
    while i < TPM_OPTIONS.len() {
        all[i + 1] = TPM_OPTIONS[i];
        i += 1;
    }
    all
}

impl Format for CsrAttestation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        Envelope::all(cx).iter().flat_map(|envelope| judge(envelope, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Envelope::all(cx).iter().map(view::of).collect()
    }
}

/// Judges every statement of a request.
fn judge(envelope: &Envelope<'_>, cx: &Context<'_>) -> Vec<Statement> {
    let mut checks = Checks::default();
    let Some(attestation) = envelope.read(&mut checks) else {
        return vec![Statement { checks, ..envelope.statement("request with evidence that cannot be read") }];
    };
    let certificates = match certificates(envelope, cx) {
        Ok(certificates) => certificates,
        Err(why) => {
            let mut statement = envelope.statement("request with evidence that cannot be read");
            statement.checks.fail(&ck::BUNDLE_MALFORMED, envelope.place.to_owned(), why);
            return vec![statement];
        }
    };
    let mut judged: Vec<Statement> = Vec::new();
    let mut unknown: Vec<(String, String)> = Vec::new();
    for (number, statement) in (1_usize..).zip(&attestation.statements) {
        let place = format!("{} › {}", envelope.place, attestation::statement_name(number));
        let kind = statement.kind;
        let label = format!("statement {number} of {}, type {kind}", attestation.statements.len());
        let found = match Route::of(kind, cx.options) {
            Route::TpmCertify => {
                let mut judged = envelope.statement(label);
                envelope.note(&attestation, &mut judged.checks);
                tpm::judge(statement.body, &place, &certificates, cx, &mut judged);
                Ok(vec![judged])
            }
            Route::Format(format) => {
                by_format(format, number, label, envelope, &attestation, cx).ok_or_else(|| {
                    format!(
                        "it is not evidence of the format {} although its type says so",
                        format.about().id
                    )
                })
            }
            Route::Nothing(why) => Err(why),
        };
        match found {
            Ok(found) => judged.extend(found),
            Err(why) => unknown.push((place, format!("not evaluated: type {kind}: {why}"))),
        }
    }
    if judged.is_empty() {
        let mut statement = envelope.statement("request with evidence that is not evaluated");
        envelope.note(&attestation, &mut statement.checks);
        for (place, why) in unknown {
            statement.checks.fail(&ck::STATEMENT_UNKNOWN, place, why);
        }
        return vec![statement];
    }
    contradiction::check(&mut judged, envelope, cx);
    for statement in &mut judged {
        note_statements(&attestation, &unknown, envelope.place, &mut statement.checks);
    }
    judged
}

/// What else is in the bundle, for whoever reads the report.
fn note_statements(
    attestation: &Attestation<'_>,
    unknown: &[(String, String)],
    place: &str,
    checks: &mut Checks,
) {
    for (place, why) in unknown {
        checks.info(&ck::STATEMENT_UNKNOWN, place.clone(), why.clone());
    }
    for hint in attestation.statements.iter().filter_map(|s| s.hint).filter(|hint| !hint.is_empty()) {
        let detail = format!("the request hints at a verifier, {hint:?}: nothing hangs on it");
        checks.info(&ck::BUNDLE_MALFORMED, place.to_owned(), detail);
    }
    if attestation.statements.iter().any(|s| !s.binds_key) {
        let detail = "a statement is said not to bind the request's key: that is found by comparing keys";
        checks.info(&ck::BUNDLE_MALFORMED, place.to_owned(), detail);
    }
}

/// The certificates of the bundle, then those handed over beside the request. All of them are untrusted.
fn certificates(envelope: &Envelope<'_>, cx: &Context<'_>) -> Result<Vec<(String, Certificate)>, String> {
    let mut found: Vec<(String, Certificate)> = Vec::new();
    let enclosed = cx
        .parts
        .children(envelope.part)
        .filter(|(_, part)| part.role == Role::Enclosed && part.name.starts_with(attestation::CERTIFICATE));
    for (_, part) in enclosed {
        match &part.content {
            Content::Certificate(certificate) => found.push((part.place.clone(), certificate.clone())),
            other => return Err(format!("{}: {}", part.name, other.describe())),
        }
    }
    for (id, certificate) in cx.parts.certificates() {
        found.push((cx.parts.place(id).to_owned(), certificate.clone()));
    }
    let mut each: Vec<(String, Certificate)> = Vec::new();
    for (place, certificate) in found {
        if !each.iter().any(|(_, known)| *known == certificate) {
            each.push((place, certificate));
        }
    }
    Ok(each)
}

/// A statement that is evidence of another format: its files, and all certificates, as if handed over beside the
/// request. `None` when that format does not know it.
fn by_format(
    format: &dyn Format,
    number: usize,
    label: String,
    envelope: &Envelope<'_>,
    attestation: &Attestation<'_>,
    cx: &Context<'_>,
) -> Option<Vec<Statement>> {
    let own = attestation::statement_name(number);
    let takes = |part: &Part<'_>| part.name == own || part.name.starts_with(attestation::CERTIFICATE);
    let mut parts: Parts<'_> = cx.parts.enclosed(envelope.part, takes);
    let beside = cx.parts.evidence().filter(|(_, part)| {
        part.parent != Some(envelope.part)
            && matches!(part.content, Content::Certificate(_) | Content::RevocationList(_))
    });
    parts.parts.extend(beside.map(|(_, part)| Part { parent: None, ..part.clone() }));
    let inner = Context {
        parts: &parts,
        at: cx.at,
        nonce: cx.nonce,
        request: cx.request.or(envelope.request.as_ref()),
        reference: cx.reference,
        options: cx.options,
        signatures: cx.signatures,
    };
    let found = format.appraise(&inner);
    if found.is_empty() {
        return None;
    }
    let judged = found.into_iter().map(|statement| {
        let mut own = envelope.statement(label.clone());
        envelope.note(attestation, &mut own.checks);
        own.checks.absorb(statement.checks);
        Statement {
            about: Some(format.about()),
            checks: own.checks,
            labels: own.labels,
            request: own.request,
            ..statement
        }
    });
    Some(judged.collect())
}
