//! What every policy demands, whatever it says: in code, so that no policy can leave it out.

use keyvouch::appraisal::{Appraisal, Requirement, Route, Severity};
use keyvouch::checks::OnFail;
use keyvouch::{Authenticity, Binding, Freshness};

use crate::settings::{ADVISORIES, FRESHNESS, Settings};

/// The requirements that every policy has, by id, with what each demands. The first two are one: the first for policies
/// of attestation, the second for those of another way.
pub const PRECONDITIONS: &[(&str, &str)] = &[
    ("evidence-authentic", "The evidence is authentic: its signatures hold up to a pinned anchor."),
    ("evidence-route", "The evidence came by the way that the policy is for."),
    ("no-failed-check", "No check of the key, the binding or the device failed."),
    ("about-the-request", "The evidence is about the key of the request."),
    ("format-allowed", "The operator accepts evidence of this format."),
    ("evidence-fresh", "The evidence answers the verifier's nonce."),
    ("no-advisory", "No security advisory concerns the device or the key."),
    ("no-findings", "There is nothing that somebody should look at."),
];

/// The requirements before those of the policy, as far as they are asked for.
pub(crate) fn before(
    appraisal: &Appraisal,
    route: Route,
    request: bool,
    settings: &Settings,
) -> Vec<Requirement> {
    let evidence = match route {
        Route::Attestation => evidence_authentic(appraisal),
        _ => evidence_route(appraisal, route),
    };
    let mut asked = vec![evidence, no_failed_check(appraisal, route)];
    if request {
        asked.push(about_the_request(appraisal, route));
    }
    if let Some(allowed) = settings.formats() {
        asked.push(format_allowed(appraisal, allowed));
    }
    if settings.choice(FRESHNESS) == "required" {
        asked.push(evidence_fresh(appraisal));
    }
    if settings.choice(ADVISORIES) == "refuse" {
        asked.push(no_advisory(appraisal));
    }
    asked
}

/// Whether the evidence says anything by that way. Attestation must be authentic; what came by another way can never be,
/// and must not have been taken for it.
pub(crate) fn speaks(appraisal: &Appraisal, route: Route) -> bool {
    let authenticity = match route {
        Route::Attestation => Authenticity::Authentic,
        Route::ProviderStatement | Route::WitnessStatement => Authenticity::NotAttestable,
        Route::None => return false,
    };
    appraisal.route == route && appraisal.authenticity == authenticity
}

/// The last requirement: nothing to look at.
pub(crate) fn no_findings(appraisal: &Appraisal, settings: &Settings) -> Requirement {
    let warnings = appraisal.findings().map(|c| c.id.as_ref());
    // Those that refuse are not findings.
    let counted = settings.choice(ADVISORIES) != "refuse";
    let advisories = appraisal.advisories.iter().filter(|a| counted && a.effect == "finding");
    let ids = list(warnings.chain(advisories.map(|a| a.id.as_str())));
    let mut requirement = requirement("no-findings", ids.is_empty(), || format!("To be looked at: {ids}."));
    requirement.severity = Severity::Should;
    requirement
}

fn requirement(id: &'static str, met: bool, wrong: impl FnOnce() -> String) -> Requirement {
    let demand = PRECONDITIONS.iter().find(|(known, _)| *known == id).map_or("", |(_, demand)| demand);
    Requirement {
        id: id.to_owned(),
        met,
        severity: Severity::Must,
        unknown: false,
        reason: if met { demand.to_owned() } else { wrong() },
        cite: None,
    }
}

/// Nothing is certain of evidence to which a piece is missing.
fn unless_undecided(mut requirement: Requirement, appraisal: &Appraisal) -> Requirement {
    requirement.unknown = !requirement.met && appraisal.authenticity == Authenticity::Undecided;
    requirement
}

/// For policies of another way than attestation.
fn evidence_route(appraisal: &Appraisal, route: Route) -> Requirement {
    let mut requirement = requirement("evidence-route", speaks(appraisal, route), || {
        let asked = match route {
            Route::WitnessStatement => "statements of witnesses whom the operator trusts",
            _ => "statements of a provider that the operator fetched himself",
        };
        let there = match (appraisal.authenticity, appraisal.route) {
            (Authenticity::Authentic, _) => "this is an attestation, for which there are other policies",
            (_, Route::ProviderStatement) => "this is a statement of a provider",
            (_, Route::WitnessStatement) => "this is a statement of a witness",
            _ => "there is none",
        };
        format!("The policy is for {asked}; {there}.")
    });
    // What is not there may still be fetched or signed.
    let missing = appraisal.route == Route::None && appraisal.authenticity != Authenticity::NotAuthentic;
    requirement.unknown = !requirement.met && missing;
    requirement
}

fn evidence_authentic(appraisal: &Appraisal) -> Requirement {
    let failed = |means| list(appraisal.failed().filter(|c| c.means == Some(means)).map(|c| c.id.as_ref()));
    let authentic = speaks(appraisal, Route::Attestation);
    let requirement = requirement("evidence-authentic", authentic, || {
        match appraisal.authenticity {
        Authenticity::NotAttestable if appraisal.route == Route::WitnessStatement => {
            "This is a statement of a witness and no attestation. There are other policies for such statements."
                .to_owned()
        }
        Authenticity::NotAttestable => {
            "The device signs no statement that a third party can verify. The key \
                                        may be vouched for in another way, by an auditor or a witness."
                .to_owned()
        }
        Authenticity::Undecided => match failed(OnFail::Undecided) {
            ids if ids.is_empty() => "Whether the evidence is authentic is not known.".to_owned(),
            ids => format!("A piece of the evidence is missing: {ids}."),
        },
        Authenticity::NotAuthentic | Authenticity::Authentic => match failed(OnFail::NotAuthentic) {
            ids if ids.is_empty() => "The evidence is not authentic.".to_owned(),
            ids => format!("The evidence is not authentic: {ids}."),
        },
    }
    });
    unless_undecided(requirement, appraisal)
}

fn no_failed_check(appraisal: &Appraisal, route: Route) -> Requirement {
    // What a failed check means for authenticity is said by `evidence-authentic`. A failure without a meaning
    // is a failure.
    let failed = appraisal.failed().filter(|c| {
        c.means.is_none_or(|m| m == OnFail::Unfit)
            || appraisal.authenticity == Authenticity::Authentic
            // By another way than attestation, no check says what the first requirement says.
            || route != Route::Attestation
    });
    let ids = list(failed.map(|c| c.id.as_ref()));
    let requirement = requirement("no-failed-check", ids.is_empty(), || format!("Failed: {ids}."));
    unless_undecided(requirement, appraisal)
}

fn about_the_request(appraisal: &Appraisal, route: Route) -> Requirement {
    let mut requirement = requirement("about-the-request", appraisal.binding != Binding::None, || {
        "Nothing shows that the evidence is about the key of the request.".to_owned()
    });
    // Without a statement there is no key to compare with.
    requirement.unknown = !requirement.met && !speaks(appraisal, route);
    requirement
}

fn format_allowed(appraisal: &Appraisal, allowed: &[String]) -> Requirement {
    let requirement = requirement("format-allowed", allowed.iter().any(|f| f == appraisal.format), || {
        format!("The operator accepts only evidence of: {}.", allowed.join(", "))
    });
    unless_undecided(requirement, appraisal)
}

fn evidence_fresh(appraisal: &Appraisal) -> Requirement {
    let mut requirement =
        requirement("evidence-fresh", appraisal.freshness == Freshness::NonceMatched, || {
            match appraisal.freshness {
                Freshness::NotAsked => {
                    "A fresh statement is required, but no nonce was given to compare with."
                }
                Freshness::NoNonceInEvidence => "The evidence has no nonce in it.",
                Freshness::NonceMismatch | Freshness::NonceMatched => "The evidence has another nonce in it.",
            }
            .to_owned()
        });
    requirement.unknown = !requirement.met
        && (appraisal.freshness == Freshness::NotAsked || appraisal.authenticity == Authenticity::Undecided);
    requirement
}

fn no_advisory(appraisal: &Appraisal) -> Requirement {
    let ids = list(appraisal.advisories.iter().map(|a| a.id.as_str()));
    let requirement = requirement("no-advisory", ids.is_empty(), || {
        format!("The operator refuses what an advisory concerns: {ids}.")
    });
    unless_undecided(requirement, appraisal)
}

/// Ids, each once.
fn list<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut seen: Vec<&str> = Vec::new();
    for id in ids {
        if seen.contains(&id) {
            continue;
        }
        if !seen.is_empty() {
            text.push_str(", ");
        }
        text.push_str(id);
        seen.push(id);
    }
    text
}
