//! Witness statements: for devices that sign nothing about their keys, what auditors say who saw the key being made.
//!
//! ```text
//! JSON (docs/witness.schema.json), signed as CMS SignedData (attached or detached) or JWS (compact or JSON)
//! ```
//!
//! It is no attestation, and nothing here makes it one: the appraisal stays `not-attestable`, every claim has the basis
//! `witnessed` and names its signers, and only a policy that was written for this route can accept it. Signers are
//! trusted by the option `auditors` alone; the anchors of device makers play no part.

mod auditors;
mod checks;
mod claims;
mod gather;
mod revocation;
mod said;
mod signer;
mod view;

use serde_json::Value;

use self::auditors::Auditors;
use self::checks as ck;
use self::gather::{Found, MAX_SIGNATURES};
use self::said::Said;
use self::signer::Judged;
use super::{About, Context, Format, Proof, Statement, Way};
use crate::appraisal::Freshness;
use crate::checks::{Checks, OnFail};
use crate::pki::{Certificate, name};
use crate::submission::{OptionDef, OptionKind};
use crate::time::Time;
use crate::verifier::NONCE_MISMATCH;

/// The format.
pub(crate) struct WitnessStatement;

const ID: &str = "witness-statement";

static ABOUT: About = About {
    id: ID,
    title: "Witness statements (no attestation)",
    maker: "auditors and other witnesses",
    devices: "devices that sign no statement of their own: Utimaco, Longmai, TrustSec and others",
    proof: Proof::EmulatedOnly,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: auditors::OPTION,
            kind: OptionKind::File,
            about: "certificates (PEM) of the auditors who are trusted as witnesses, or of the authorities that vouch for them; nobody is trusted without it",
        },
        OptionDef {
            name: "auditor_names",
            kind: OptionKind::List,
            about: "of the people for whom those authorities vouch, trust only these, by the common names in their certificates",
        },
        OptionDef {
            name: "min_witnesses",
            kind: OptionKind::Number,
            about: "how many different witnesses must have signed a witness statement (default 1)",
        },
        OptionDef {
            name: "max_ceremony_age_days",
            kind: OptionKind::Number,
            about: "how many days before the appraisal a witnessed ceremony may have ended (default: any)",
        },
    ],
    limits: &[
        "Anything by the device: people say what they saw. That they saw it, understood it and tell the truth rests on them, and on the CA that approved them.",
        "When it was signed: the signer says so himself, unless somebody else keeps the time.",
        "That the key has stayed where it was made since the ceremony, beyond what the device was seen to allow.",
    ],
    docs: "docs/devices/witness-statement.md",
};

impl Format for WitnessStatement {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let found = gather::statements(cx);
        if found.is_empty() {
            return Vec::new();
        }
        let auditors = Auditors::of(cx);
        found.iter().map(|found| judge(found, &auditors, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        gather::statements(cx).iter().map(view::view).collect()
    }
}

/// Whether octets are a statement in order, before somebody signs it.
pub(super) fn check(octets: &[u8]) -> Result<(), String> {
    Said::read(octets).map(|_| ())
}

/// Judges a statement with its signatures.
fn judge(found: &Found<'_>, auditors: &Result<Auditors, String>, cx: &Context<'_>) -> Statement {
    let mut statement =
        Statement { labels: found.labels.clone(), way: Way::WitnessStatement, ..Statement::default() };
    let checks = &mut statement.checks;
    let read = match &found.fault {
        Some(fault) => Err(fault.clone()),
        None => Said::read(&found.octets),
    };
    match &read {
        Ok(_) => {
            checks.pass(&ck::MALFORMED, found.place.clone(), "the statement has the members of its schema")
        }
        Err(why) => checks.fail(&ck::MALFORMED, found.place.clone(), why.clone()),
    }
    if found.signatures.is_empty() {
        if found.fault.is_none() {
            checks.fail(&ck::UNSIGNED, found.place.clone(), "nobody signed the statement");
        }
        return statement;
    }
    if found.signatures.len() > MAX_SIGNATURES {
        let detail = format!("it has more than {MAX_SIGNATURES} signatures");
        checks.fail(&ck::MALFORMED, found.place.clone(), detail);
        return statement;
    }
    let subject = read.as_ref().ok().map(|said| &said.key.public);
    let trusted = auditors.as_ref().map_err(String::as_str);
    let judged: Vec<Judged> = found
        .signatures
        .iter()
        .map(|signature| signer::judge(&found.octets, signature, subject, trusted, cx))
        .collect();
    statement.certificates = judged.iter().flat_map(|j| j.used.iter().cloned()).collect();
    let counted = count(judged, read.is_ok(), &found.place, cx, checks);
    if read.is_err() || checks.worst() >= Some(OnFail::Undecided) {
        return statement;
    }
    let Some((first, _)) = counted.first().and_then(|j| j.signed.as_ref()) else { return statement };
    let said = first.get();
    check_named(&counted, said, checks);
    check_key(said, &found.place, checks);
    check_ceremony(said, &counted, &found.place, cx, checks);
    statement.freshness = check_nonce(said, &found.place, cx, checks);
    let signers: Vec<String> =
        counted.iter().filter_map(|j| j.certificate.as_ref()).map(claims::signer).collect();
    let times: Vec<String> =
        counted.iter().filter_map(|j| j.signed.as_ref()).map(|(_, t)| t.to_string()).collect();
    statement.attested = Some(claims::attest(first, &signers, times.join("; "), &found.octets));
    statement
}

/// Records the checks of the signatures, and returns those of different trusted witnesses. Who signed what cannot be read
/// is no witness of it.
fn count(
    judged: Vec<Judged>,
    readable: bool,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Vec<Judged> {
    let wanted = cx.options.number("min_witnesses").unwrap_or(1).max(1);
    let any_trusted = judged.iter().any(|j| j.signed.is_some());
    let mut counted: Vec<Judged> = Vec::new();
    let mut faultless = true;
    for mut one in judged {
        if one.only_unknown && any_trusted {
            let detail = format!(
                "the signature of {} is good, and nobody vouches for it: it does not count",
                one.name
            );
            checks.warn(&ck::UNTRUSTED, one.place.clone(), detail);
            continue;
        }
        faultless &= one.checks.clean();
        checks.absorb(std::mem::take(&mut one.checks));
        let other = |counted: &Judged| are_different(counted.certificate.as_ref(), one.certificate.as_ref());
        if one.signed.is_some() && counted.iter().all(other) {
            counted.push(one);
        }
    }
    let there = u64::try_from(counted.len()).unwrap_or(u64::MAX);
    if !faultless || !readable {
        checks.skip(&ck::TOO_FEW, place.to_owned(), "statement and signatures are not in order");
    } else {
        checks.test(
            &ck::TOO_FEW,
            place.to_owned(),
            there >= wanted,
            format!("{there} trusted witness(es) signed, {wanted} demanded"),
            || format!("only {there} different trusted witness(es) signed, {wanted} demanded").into(),
        );
    }
    counted
}

/// Whether two certificates are of different people with different keys.
fn are_different(a: Option<&Certificate>, b: Option<&Certificate>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let same_name = a.common_name().map(normal).zip(b.common_name().map(normal)).is_some_and(|(a, b)| a == b);
    a.subject() != b.subject() && !same_name && a.key().ok() != b.key().ok()
}

fn check_named(counted: &[Judged], said: &Said, checks: &mut Checks) {
    for judged in counted {
        let Some(certificate) = &judged.certificate else { continue };
        let own = [certificate.common_name(), name::organization(certificate.subject())];
        let own: Vec<String> = own.into_iter().flatten().map(normal).collect();
        let named = said.witnesses.iter().any(|w| {
            let names = std::iter::once(&w.name).chain(&w.organisation);
            names.map(|name| normal(name)).any(|name| own.contains(&name))
        });
        checks.test(
            &ck::NOT_WITNESS,
            judged.place.clone(),
            named,
            format!("{} is named as a witness", judged.name),
            || {
                let names: Vec<&str> = said.witnesses.iter().map(|w| w.name.as_str()).collect();
                format!("{} signed; named as witnesses are {}", judged.name, names.join(", ")).into()
            },
        );
    }
}

/// A name without differences in case and spaces.
fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn check_key(said: &Said, place: &str, checks: &mut Checks) {
    let (key, place) = (&said.key, || place.to_owned());
    let (digest, algorithm) = (hex::encode(key.public.spki_sha256()), key.public.algorithm());
    let same = key.spki_sha256 == digest && key.algorithm == algorithm;
    checks.test(&ck::KEY_MISMATCH, place(), same, "algorithm and SHA-256 are those of the key", || {
        format!(
            "it says {} with SHA-256 {}, and its key is {algorithm} with SHA-256 {digest}",
            key.algorithm, key.spki_sha256
        )
        .into()
    });
    checks.test(
        &ck::IMPORTED,
        place(),
        key.generated_in_device,
        "the key was generated in the device",
        || "it says that the key was not generated in the device".into(),
    );
    let kept = matches!(key.exportable, "never" | "vendor-boundary") && key.ever_exportable != Some(true);
    checks.test(&ck::EXPORTABLE, place(), kept, "the key does not leave the maker's devices", || {
        let before = if key.ever_exportable == Some(true) {
            ", and that it could leave the device before"
        } else {
            ""
        };
        format!("it says of the key's export: {}{before}", key.exportable).into()
    });
}

fn check_ceremony(said: &Said, counted: &[Judged], place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let signed: Vec<Time> = counted.iter().filter_map(|j| j.signed.as_ref()).map(|(_, t)| *t).collect();
    let first = signed.iter().min().copied();
    let wrong = if said.started > said.ended {
        Some(format!("it ended on {}, before it began on {}", said.ended, said.started))
    } else if said.key.created_at.is_some_and(|t| t < said.started || t > said.ended) {
        Some("the key was not created while the ceremony lasted".to_owned())
    } else if let Some(early) = first.filter(|t| *t < said.ended) {
        Some(format!("it ended on {}, and was signed on {early} already", said.ended))
    } else {
        let allowed = cx.options.number("max_ceremony_age_days").and_then(|days| i64::try_from(days).ok());
        let oldest = allowed.map(|days| (days, cx.at.plus_days(days.saturating_neg())));
        oldest
            .filter(|(_, oldest)| said.ended < *oldest)
            .map(|(days, _)| format!("it ended on {}, more than {days} day(s) ago", said.ended))
    };
    match wrong {
        Some(why) => checks.fail(&ck::CEREMONY, place.to_owned(), why),
        None => {
            let detail = format!("the ceremony was from {} to {}", said.started, said.ended);
            checks.pass(&ck::CEREMONY, place.to_owned(), detail);
        }
    }
}

fn check_nonce(said: &Said, place: &str, cx: &Context<'_>, checks: &mut Checks) -> Option<Freshness> {
    let (wanted, place) = (cx.nonce?, place.to_owned());
    match said.nonce.as_deref() {
        None => Some(Freshness::NoNonceInEvidence),
        Some(given) if given == wanted => {
            checks.pass(&NONCE_MISMATCH, place, "the statement has the nonce");
            Some(Freshness::NonceMatched)
        }
        Some(given) => {
            let detail = format!("the statement has another nonce: {}", hex::encode(given));
            checks.fail(&NONCE_MISMATCH, place, detail);
            Some(Freshness::NonceMismatch)
        }
    }
}
