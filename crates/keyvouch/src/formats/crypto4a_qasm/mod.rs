//! Crypto4A QASM: attestation messages.
//!
//! The module checks each claim that it is asked for, and signs the list of those that hold, with an ECDSA key, an
//! HSS/LMS key, or both. Claims about the module come without a subject; claims about an object in it name its UUID.
//! Source: a message published by the PKI Consortium (github.com/pkic/remote-key-attestation,
//! validation/crypto4a-qasm.md); the maker's specification, C4A-302-0043, is not public.
//!
//! Two things are easy to get wrong. Only the list of claims is signed: whoever passes a message on can take away a
//! signature block, so protection against quantum computers must be *demanded* (`require_hss`). And claims of one object
//! must never be credited to another.

mod checks;
mod claims;
mod message;
mod said;
mod signers;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::checks as ck;
use self::claims::{About as ClaimsAbout, Claims, uuid_text};
use self::message::Message;
use self::said::{NoObject, Said};
use self::signers::Vouched;
use super::{About, Context, Format, Proof, Statement};
use crate::checks::{Check, Checks};
use crate::crypto::Scheme;
use crate::input::{Part, PartId};
use crate::request::CSR_KEY_MISMATCH;
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct Crypto4aQasm;

const ID: &str = "crypto4a-qasm";

static ABOUT: About = About {
    id: ID,
    title: "Crypto4A QASM attestation message",
    maker: "Crypto4A",
    devices: "QxEDGE, QxHSM and other devices with a QASM",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "require_hss",
            kind: OptionKind::Bool,
            about: "refuse messages without a signature that withstands quantum computers (HSS/LMS)",
        },
        OptionDef {
            name: "max_age_days",
            kind: OptionKind::Number,
            about: "the age in days from which an attestation is stale, by the device's own clock",
        },
    ],
    limits: &[
        "Anything about a claim that is not in the message: a module claims only what it was asked for and what holds.",
        "When the message was made, beyond the module's own clock; there is no nonce.",
        "That nobody took a signature block away: blocks are not signed. Demand an HSS/LMS signature with require_hss.",
        "That the module is in FIPS mode, unless it claims so; nor which certification it has.",
        "The firmware beyond what the module says of itself.",
        "Who may use the key, and who controls the module.",
    ],
    docs: "docs/devices/crypto4a-qasm.md",
};

impl Format for Crypto4aQasm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let messages = messages(cx);
        let requested = |(_, part): &&(PartId, &Part<'_>)| {
            let claims = Message::read(&part.bytes).and_then(|m| Claims::read(m.claims));
            claims.is_ok_and(|c| cx.request.is_some_and(|r| c.objects.values().any(|o| o.holds(r.key()))))
        };
        // With a request, the message that speaks of its key; else each of them.
        match messages.iter().find(requested) {
            Some((id, part)) => vec![judge(*id, part, cx)],
            None => messages.iter().map(|(id, part)| judge(*id, part, cx)).collect(),
        }
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        messages(cx).into_iter().map(|(_, part)| view(part)).collect()
    }
}

/// The messages among the evidence, each once however often it was handed over.
fn messages<'a>(cx: &Context<'a>) -> Vec<(PartId, &'a Part<'a>)> {
    let mut found: Vec<(PartId, &Part<'_>)> = Vec::new();
    for (id, part) in cx.parts.evidence().filter(|(_, part)| message::is_message(part)) {
        if !found.iter().any(|(_, p)| p.bytes == part.bytes) {
            found.push((id, part));
        }
    }
    found
}

/// Judges one message.
fn judge(id: PartId, part: &Part<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = Statement::default();
    statement.labels.push((id, "attestation message".into()));
    let checks = &mut statement.checks;
    let place = part.place.as_str();
    let read = Message::read(&part.bytes).and_then(|message| Ok((Claims::read(message.claims)?, message)));
    let (claims, message) = match read {
        Ok(read) => read,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), why);
            return statement;
        }
    };
    checks.pass(&ck::MALFORMED, place.to_owned(), "the message is well-formed");
    let vouched = signers::judge(&message, place, cx, checks, &mut statement.certificates);
    check_hss(&vouched, place, cx, checks);
    match claims.conflict() {
        Some(conflict) => checks.fail(&ck::CONFLICTING_CLAIMS, place.to_owned(), conflict),
        None => checks.pass(&ck::CONFLICTING_CLAIMS, place.to_owned(), "no claims contradict each other"),
    }
    check_future(&claims, place, cx, checks);
    if !checks.clean() {
        return statement;
    }
    let Some(first) = vouched.first() else { return statement };
    // Every block vouches for the same bytes; what is claimed is read from those that the first vouches for.
    let Ok(claims) = first.claims.clone().parse(Claims::read) else { return statement };
    check_signer_names(claims.get(), &vouched, place, checks);
    let Some(said) = said::of(claims, cx.request.map(|r| r.key())) else { return statement };
    check_said(said.get(), place, cx, checks);
    statement.attested = Some(said::attested(&said, &vouched));
    statement
}

fn check_hss(vouched: &[Vouched<'_>], place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let hss = vouched.iter().any(|v| v.scheme == Scheme::HssLms);
    if !cx.options.is_on("require_hss") {
        checks.skip(&ck::HSS_REQUIRED, place.to_owned(), "not asked for: option require_hss");
        return;
    }
    checks.test(
        &ck::HSS_REQUIRED,
        place.to_owned(),
        hss,
        "an HSS/LMS signature vouches for the claims",
        || "no HSS/LMS signature vouches for the claims".into(),
    );
}

fn check_future(claims: &Claims, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let place = place.to_owned();
    match claims.module.time(claims::ATTESTATION_TIME) {
        Some(time) if time > cx.at => {
            let detail = format!("attested at {time}, after the time of the appraisal");
            checks.fail(&ck::TIME_IN_FUTURE, place, detail);
        }
        Some(time) => checks.pass(&ck::TIME_IN_FUTURE, place, format!("attested at {time}")),
        None => checks.skip(&ck::TIME_IN_FUTURE, place, "the message does not say when it was made"),
    }
}

/// `C4A000129 Assertion Authority EC`, `C4A000129 Assertion Authority HSS` and the serial number `QSM000129`.
fn check_signer_names(claims: &Claims, vouched: &[Vouched<'_>], place: &str, checks: &mut Checks) {
    let digits = |text: &str, before: &str| {
        let digits = text.strip_prefix(before).map(|rest| rest.split(' ').next().unwrap_or_default());
        digits.filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit())).map(str::to_owned)
    };
    let device = claims.module.text(claims::QASM_SERIAL).and_then(|serial| digits(serial, "QSM"));
    let signers: BTreeSet<Option<String>> =
        vouched.iter().map(|v| v.signer.common_name().and_then(|cn| digits(cn, "C4A"))).collect();
    if device.is_some() && signers == BTreeSet::from([device]) {
        checks.pass(&ck::SIGNER_DEVICE_MISMATCH, place.to_owned(), "the signers are named after the module");
    } else {
        let names: Vec<String> = vouched.iter().map(|v| v.signer.display_name()).collect();
        let serial = claims.module.text(claims::QASM_SERIAL).unwrap_or("(no serial number)");
        let detail = format!("the signers {} are not named after the module {serial}", names.join(", "));
        checks.warn(&ck::SIGNER_DEVICE_MISMATCH, place.to_owned(), detail);
    }
}

/// What is claimed, against what is needed.
fn check_said(said: &Said, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let module = &said.claims().module;
    let mut need = |check: &'static Check, holds: bool| {
        checks.test(check, place.to_owned(), holds, "claimed", || "not claimed".into());
    };
    need(&ck::MISSING_CERTIFIED_PRODUCTION, module.has(claims::CERTIFIED_PRODUCTION));
    need(&ck::MISSING_UNIQUE_KEYS, module.has(claims::UNIQUE_KEYS));
    if let Some(key) = said.about() {
        need(&ck::MISSING_OBJECT_CLASS, said::is_private_key(key));
        need(&ck::MISSING_CONFINED, key.has(claims::CONFINED));
        need(&ck::MISSING_HARDWARE_GENERATED, key.has(claims::HARDWARE_GENERATED));
        need(&ck::MISSING_NEVER_EXTRACTED, key.has(claims::NEVER_EXTRACTED));
    }
    match (said.object(), cx.request) {
        (Err(NoObject::NoKey), Some(_)) => {
            let detail = "the message claims no key that could be compared with the request's";
            checks.fail(&CSR_KEY_MISMATCH, place.to_owned(), detail);
        }
        (Err(NoObject::Several), Some(_)) => {
            let detail = "several objects of the message hold the key of the request: which claims are its is not clear";
            checks.fail(&CSR_KEY_MISMATCH, place.to_owned(), detail);
        }
        (Err(NoObject::NotOne(count)), _) => {
            let detail = format!("the message claims {count} keys: no claims are made of any");
            checks.skip(&ck::MISSING_OBJECT_CLASS, place.to_owned(), detail);
        }
        _ => {}
    }
    check_age(said, place, cx, checks);
}

fn check_age(said: &Said, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let place = place.to_owned();
    let Some(days) = cx.options.number("max_age_days") else {
        checks.skip(&ck::STALE, place, "not asked for: option max_age_days");
        return;
    };
    let Some(time) = said.claims().module.time(claims::ATTESTATION_TIME) else {
        checks.fail(&ck::MISSING_TIME, place, "the message does not say when it was made");
        return;
    };
    checks.pass(&ck::MISSING_TIME, place.clone(), "claimed");
    let fresh = time.plus_days(i64::try_from(days).unwrap_or(i64::MAX)) >= cx.at;
    checks.test(&ck::STALE, place, fresh, format!("attested at {time}"), || {
        format!("attested at {time}, more than {days} days before the time of the appraisal").into()
    });
}

/// A message decoded, without judgement.
fn view(part: &Part<'_>) -> Value {
    let about = |about: &ClaimsAbout| -> Value {
        let text = |said: &[claims::Complement]| -> Value {
            said.iter().map(|c| Value::from(c.display())).collect::<Vec<_>>().into()
        };
        about
            .entries()
            .map(|(name, said)| (name.to_owned(), text(said)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let read = || -> Result<Value, String> {
        let message = Message::read(&part.bytes)?;
        let claims = Claims::read(message.claims)?;
        let objects: serde_json::Map<String, Value> =
            claims.objects.iter().map(|(uuid, said)| (uuid_text(uuid), about(said))).collect();
        let blocks: Vec<Value> = message
            .blocks
            .iter()
            .map(|block| {
                let algorithm = Scheme::from_algorithm_identifier(block.algorithm);
                json!({
                    "signer": block.certificate.as_ref().map(crate::pki::Certificate::display_name),
                    "algorithm": algorithm.map_or_else(|e| e.to_string(), |s| s.to_string()),
                    "bytes": block.signature.len(),
                })
            })
            .collect();
        let related: Vec<String> =
            message.related.iter().map(crate::pki::Certificate::display_name).collect();
        Ok(json!({
            "module": about(&claims.module), "objects": objects, "unknown": claims.unknown,
            "blocks": blocks, "related": related,
        }))
    };
    match read() {
        Ok(view) => json!({ "where": part.place, "message": view }),
        Err(fault) => json!({ "where": part.place, "fault": fault }),
    }
}
