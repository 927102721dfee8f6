//! What a relying party does with a result: the signature first, then everything that it says.
//!
//! Every check is reported by its id, as those of evidence are. A result is relied on only when none failed and its
//! status allows it; what a result says is repeated only when its signature holds.

use keyvouch::checks::{Check, CheckRecord, Checks};
use keyvouch::crypto::PublicKey;
use keyvouch::input::parse_json;
use keyvouch::pki::CertificationRequest;
use keyvouch::wire::{cbor, cmw};
use keyvouch::{Time, Verdict};
use serde::Serialize;

use crate::cmw::{Cmw, Record};
use crate::keys::KeySet;
use crate::payload::{self, AttestedKey, Base, Statement, VerifierId};
use crate::token::{MAX_TOKEN, TokenError, Unverified};
use crate::vector::Tier;
use crate::{cwt, jwt};

const FORM: Check = Check::authenticity(
    "result-form",
    "it is a compact JWT or a COSE_Sign1, alone or in a wrapper (CMW)",
    "Hand over the attestation result as the verifier gave it, without changes.",
);
const ALGORITHM: Check = Check::authenticity(
    "result-algorithm",
    "it is signed with ES256, ES384, EdDSA or PS256, and its header asks for nothing else",
    "Ask the verifier for a result that is signed with one of these.",
);
const KEY: Check = Check::authenticity(
    "result-key",
    "a key that was given is of its algorithm, has its key identifier, and is in force",
    "Give the key of the verifier that made the result with --key; look whether it has a new one.",
);
const SIGNATURE: Check = Check::authenticity(
    "result-signature",
    "it is signed by a key that was given",
    "The result was changed, or it is by another verifier. Fetch it again from the verifier.",
);
const CLAIMS: Check = Check::authenticity(
    "result-claims",
    "what is signed is one claims set in JSON or CBOR, no claim twice",
    "Tell whoever runs the verifier: what it signed cannot be read in one way only.",
);
const PROFILE: Check = Check::authenticity(
    "result-profile",
    "it is of a profile of EAR that is known",
    "Ask the verifier for an EAR of profile #03 or #04.",
);
const MANDATORY: Check = Check::authenticity(
    "result-mandatory",
    "what every result has is there and of its type: iat, the verifier's identity",
    "Tell whoever runs the verifier: its result does not conform to EAR.",
);
const TIME: Check = Check::fitness(
    "result-time",
    "it is in force: not of the future, not expired, not too old",
    "Ask the verifier for a new result; look whether both clocks are right.",
);
const NONCE: Check = Check::fitness(
    "result-nonce",
    "it has the nonce that was given out",
    "Have the verifier make the result again with the nonce that you gave for this request.",
);
const REPLAY: Check = Check::fitness(
    "result-replay",
    "a nonce or an expiry keeps it from being shown again later",
    "Give the verifier a nonce, or demand results that expire.",
);
const SUBMODS: Check = Check::authenticity(
    "result-submods",
    "there is an appraisal at least, and each has a status and a vector in their ranges",
    "Tell whoever runs the verifier: its result does not conform to EAR.",
);
const STATUS: Check = Check::authenticity(
    "result-status",
    "no status is better than what it sums up",
    "Do not rely on it, and tell whoever runs the verifier: its result contradicts itself.",
);
const ATTESTED_KEY: Check = Check::fitness(
    "result-attested-key",
    "the key that it attests is the key of the request",
    "Have the result made for this request, or make the request with the key that was attested.",
);
const CSR_SIGNATURE: Check = Check::fitness(
    "csr-signature",
    "the request is signed by its own key (proof of possession)",
    "Make the request again with the device that holds the key. Do not edit a request after it was signed.",
);

/// The checks of a result, in their order.
pub const CHECKS: &[&Check] = &[
    &FORM,
    &ALGORITHM,
    &KEY,
    &SIGNATURE,
    &CLAIMS,
    &PROFILE,
    &MANDATORY,
    &TIME,
    &NONCE,
    &REPLAY,
    &SUBMODS,
    &STATUS,
    &ATTESTED_KEY,
    &CSR_SIGNATURE,
];

/// What the result must be about.
#[derive(Debug, Clone)]
pub enum Bound {
    /// A certification request: it must hold the attested key and be signed by it.
    Request(CertificationRequest),
    /// A public key.
    Key(PublicKey),
}

/// What a relying party expects.
#[derive(Debug, Clone)]
pub struct Expected<'e> {
    /// The time at which to judge.
    pub at: Time,
    /// By how many seconds clocks may differ.
    pub skew: i64,
    /// How many seconds ago it may have been issued.
    pub max_age: Option<i64>,
    /// The nonce that was given to the verifier.
    pub nonce: Option<&'e [u8]>,
    /// What it must be about.
    pub bound: Option<Bound>,
}

impl Expected<'_> {
    /// A skew of a minute; no nonce, no request.
    #[must_use]
    pub fn at(at: Time) -> Self {
        Self { at, skew: 60, max_age: None, nonce: None, bound: None }
    }
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// `keyvouch.verification/1`.
    pub schema: &'static str,
    /// The time at which it was judged.
    #[serde(serialize_with = "as_text")]
    pub at: Time,
    /// Whether it can be relied on: the status, or refusal when a check failed.
    pub verdict: Verdict,
    /// What the result says; absent unless its signature and its form hold.
    pub result: Option<Said>,
    /// Every check that was made, in order.
    pub checks: Vec<CheckRecord>,
}

/// What a result says.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    /// `jwt` or `cwt`.
    pub form: &'static str,
    /// The profile of EAR.
    pub profile: &'static str,
    /// The algorithm of its signature.
    pub algorithm: &'static str,
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signed it, hexadecimal.
    pub signer_spki_sha256: String,
    /// Who made it.
    pub verifier: VerifierId,
    /// When it was issued.
    #[serde(serialize_with = "as_text")]
    pub issued: Time,
    /// Until when it may be relied on.
    #[serde(serialize_with = "as_text_or_null")]
    pub expires: Option<Time>,
    /// Its nonces, hexadecimal.
    pub nonces: Vec<String>,
    /// The worst of all that it says.
    pub status: Tier,
    /// Its appraisals.
    pub statements: Vec<Statement>,
}

/// Verifies a result with the keys of verifiers that the relying party trusts.
#[must_use]
pub fn verify(token: &[u8], keys: &KeySet, expected: &Expected<'_>) -> Verification {
    let mut checks = Checks::default();
    let said = check(token, keys, expected, &mut checks);
    let clean = checks.clean();
    let status = said.as_ref().map(|s| s.status).filter(|_| clean);
    Verification {
        schema: "keyvouch.verification/1",
        at: expected.at,
        verdict: match status {
            Some(Tier::Affirming) => Verdict::Accept,
            Some(Tier::Warning) => Verdict::AcceptWithFindings,
            Some(Tier::None) => Verdict::CannotDecide,
            Some(Tier::Contraindicated) | None => Verdict::Refuse,
        },
        result: said,
        checks: checks.into_records(),
    }
}

const PLACE: &str = "result";

/// Makes the checks; `None` when what the result says does not count.
fn check(token: &[u8], keys: &KeySet, expected: &Expected<'_>, checks: &mut Checks) -> Option<Said> {
    let token = match open(token) {
        Ok(token) => {
            checks.pass(&FORM, PLACE, format!("it is a {}", token.form.as_str().to_uppercase()));
            checks.pass(&ALGORITHM, PLACE, token.algorithm.as_str());
            token
        }
        Err(why) if why.is_of_algorithm() => {
            checks.fail(&ALGORITHM, PLACE, why.to_string());
            return None;
        }
        Err(why) => {
            checks.fail(&FORM, PLACE, why.to_string());
            return None;
        }
    };
    let signer = signer(&token, keys, expected.at, checks)?;
    let claims = tested(&CLAIMS, checks, "one claims set", payload::open(token.form, &token.payload))?;
    let profile = payload::profile(&claims);
    let profile = tested(&PROFILE, checks, "a known profile", profile)?;
    let base = payload::base(&claims, profile, token.form);
    let base = tested(&MANDATORY, checks, "what must be there is there", base)?;
    time(&base, expected, checks);
    nonce(&base, expected, checks);
    let statements = payload::statements(&claims, profile, token.form);
    let statements = tested(&SUBMODS, checks, "every appraisal is in its form", statements)?;
    unknown_names(&statements, checks);
    status(&base, &statements, checks);
    attested_key(&statements, expected, checks);
    Some(Said {
        form: token.form.as_str(),
        profile: profile.uri(),
        algorithm: token.algorithm.as_str(),
        signer_spki_sha256: payload::hexadecimal(&signer.spki_sha256()),
        issued: base.issued,
        expires: base.expires,
        nonces: base.nonces.iter().map(|n| payload::hexadecimal(n)).collect(),
        status: worst(&base, &statements),
        verifier: base.verifier,
        statements: statements.into_iter().map(summed_up).collect(),
    })
}

fn tested<T>(
    check: &'static Check,
    checks: &mut Checks,
    right: &'static str,
    read: Result<T, String>,
) -> Option<T> {
    match read {
        Ok(value) => {
            checks.pass(check, PLACE, right);
            Some(value)
        }
        Err(why) => {
            checks.fail(check, PLACE, why);
            None
        }
    }
}

/// The token, out of a wrapper where it is in one.
fn open(bytes: &[u8]) -> Result<Unverified, TokenError> {
    if bytes.len() > MAX_TOKEN {
        return Err(TokenError::Large);
    }
    if cwt::looks_like(bytes) {
        return cwt::read(bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes).map(str::trim) {
        if jwt::looks_like(text) {
            return jwt::read(text);
        }
        let json = parse_json(text.as_bytes()).ok().filter(cmw::looks_like_json);
        return inside(json.and_then(|json| Cmw::from_json(&json).ok()));
    }
    let item = cbor::read(bytes).ok().filter(cmw::looks_like_cbor);
    inside(item.and_then(|item| Cmw::from_cbor(&item).ok()))
}

/// A wrapper holds one token, and says so.
fn inside(wrapper: Option<Cmw>) -> Result<Unverified, TokenError> {
    let Some(Cmw::Record(record @ Record { .. })) = wrapper else { return Err(TokenError::Form) };
    let text = || std::str::from_utf8(&record.value).map_err(|_| TokenError::Form);
    match record.media_type().as_deref() {
        Some("application/eat+jwt") => jwt::read(text()?),
        Some("application/eat+cwt") => cwt::read(&record.value),
        Some(other) => Err(TokenError::Type(other.to_owned())),
        None => Err(TokenError::Type(record.media.to_string())),
    }
}

/// The key that signed it.
fn signer(token: &Unverified, keys: &KeySet, at: Time, checks: &mut Checks) -> Option<PublicKey> {
    let of_token: Vec<_> = keys.candidates(token.algorithm, token.key_id.as_deref()).collect();
    let in_force: Vec<_> =
        of_token.iter().filter(|k| k.period.is_none_or(|(from, to)| from <= at && at <= to)).collect();
    if in_force.is_empty() {
        let id = token.key_id.as_ref().map(|id| String::from_utf8_lossy(id).into_owned());
        checks.fail(
            &KEY,
            PLACE,
            match (of_token.as_slice(), id) {
                ([_, ..], _) => format!("the certificate of the key is not in force at {at}"),
                ([], Some(id)) => {
                    format!("no key that was given is for {} with key identifier {id:?}", token.algorithm)
                }
                ([], None) => format!("no key that was given is for {}", token.algorithm),
            },
        );
        return None;
    }
    checks.pass(&KEY, PLACE, "a key that was given is meant");
    let verified = in_force
        .iter()
        .find(|k| k.key.verify(token.algorithm.scheme(), &token.message, &token.signature).is_ok());
    match verified {
        Some(key) => {
            checks.pass(&SIGNATURE, PLACE, "the signature holds");
            Some(key.key.clone())
        }
        None => {
            checks.fail(&SIGNATURE, PLACE, "the signature does not verify");
            None
        }
    }
}

fn time(base: &Base, expected: &Expected<'_>, checks: &mut Checks) {
    let at = expected.at;
    let skew = expected.skew.max(0);
    let (early, late) = (at.plus_seconds(skew.saturating_neg()), at.plus_seconds(skew));
    let oldest = expected.max_age.map(|age| early.plus_seconds(age.saturating_neg()));
    let fault = if base.issued > late {
        Some(format!("it is of the future: issued {}, judged at {at}", base.issued))
    } else if let Some(from) = base.not_before.filter(|from| *from > late) {
        Some(format!("it is not in force before {from}, judged at {at}"))
    } else if let Some(expires) = base.expires.filter(|expires| *expires <= early) {
        Some(format!("it expired {expires}, judged at {at}"))
    } else if base.expires.is_some_and(|expires| expires <= base.issued) {
        Some("it expires before it is issued".to_owned())
    } else if oldest.is_some_and(|oldest| base.issued < oldest) {
        Some(format!("it is too old: issued {}, judged at {at}", base.issued))
    } else {
        None
    };
    checks.test(&TIME, PLACE, fault.is_none(), format!("issued {}, in force at {at}", base.issued), || {
        fault.unwrap_or_default().into()
    });
}

fn nonce(base: &Base, expected: &Expected<'_>, checks: &mut Checks) {
    match expected.nonce {
        Some(nonce) => {
            let there = base.nonces.iter().any(|n| n == nonce);
            checks.test(&NONCE, PLACE, there, "it has the nonce", || {
                if base.nonces.is_empty() { "it has no nonce" } else { "it has another nonce" }.into()
            });
        }
        None => checks.skip(&NONCE, PLACE, "no nonce was given out"),
    }
    match (expected.nonce, base.expires, expected.max_age) {
        (None, None, None) => {
            checks.warn(&REPLAY, PLACE, "neither nonce nor expiry: it may be shown again at any time");
        }
        _ => checks.pass(&REPLAY, PLACE, "it cannot be shown again for ever"),
    }
}

fn unknown_names(statements: &[Statement], checks: &mut Checks) {
    let unknown: Vec<&str> = statements.iter().flat_map(Statement::unknown_claims).collect();
    if !unknown.is_empty() {
        checks.info(&SUBMODS, PLACE, format!("claims that AR4SI does not have: {}", unknown.join(", ")));
    }
}

fn status(base: &Base, statements: &[Statement], checks: &mut Checks) {
    let better = |claimed: Tier, than: Option<Tier>| {
        // To say nothing is never too good.
        claimed != Tier::None && than.is_some_and(|t| t != Tier::None && claimed < t)
    };
    let mut faults = Vec::new();
    for statement in statements {
        if better(statement.status, statement.vector_tier()) {
            faults.push(format!("the status of {:?} is better than its vector", statement.name));
        }
    }
    let worst = statements.iter().map(|s| s.status).filter(|t| *t != Tier::None).max();
    if base.status.is_some_and(|claimed| better(claimed, worst)) {
        faults.push("the status over all is better than that of an appraisal".to_owned());
    }
    checks.test(&STATUS, PLACE, faults.is_empty(), "no status is better than what it sums up", || {
        faults.join("; ").into()
    });
}

/// The worst of everything. A status `none` says nothing, even where others say something.
fn worst(base: &Base, statements: &[Statement]) -> Tier {
    let all = statements.iter().flat_map(|s| [Some(s.status), s.vector_tier()]).flatten();
    all.chain(base.status).max().unwrap_or(Tier::None)
}

fn summed_up(statement: Statement) -> Statement {
    let status = statement.vector_tier().map_or(statement.status, |t| t.max(statement.status));
    Statement { status, ..statement }
}

fn attested_key(statements: &[Statement], expected: &Expected<'_>, checks: &mut Checks) {
    let keys: Vec<&PublicKey> = statements
        .iter()
        .filter_map(|s| match &s.key {
            AttestedKey::Key(key) => Some(key),
            _ => None,
        })
        .collect();
    let unreadable = statements.iter().any(|s| s.key == AttestedKey::Unreadable);
    let key = match &expected.bound {
        None if unreadable => {
            checks.warn(&ATTESTED_KEY, PLACE, "what it names as attested key is none");
            return;
        }
        None => {
            checks.skip(&ATTESTED_KEY, PLACE, "no request was given to compare with");
            return;
        }
        Some(Bound::Key(key)) => key,
        Some(Bound::Request(request)) => {
            let verified = request.verify();
            checks.test(
                &CSR_SIGNATURE,
                "request",
                verified.is_ok(),
                "the request is signed by its own key",
                || verified.err().map(|e| e.to_string()).unwrap_or_default().into(),
            );
            request.key()
        }
    };
    let fault = if unreadable {
        Some("what it names as attested key is none")
    } else if keys.is_empty() {
        Some("it names no attested key, so it is about nobody's request")
    } else if keys.iter().any(|k| *k != key) {
        Some("it attests another key than that of the request")
    } else {
        None
    };
    checks.test(&ATTESTED_KEY, PLACE, fault.is_none(), "it attests the key of the request", || {
        fault.unwrap_or_default().into()
    });
}

fn as_text<S: serde::Serializer>(time: &Time, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(time)
}

fn as_text_or_null<S: serde::Serializer>(time: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => s.collect_str(time),
        None => s.serialize_none(),
    }
}
