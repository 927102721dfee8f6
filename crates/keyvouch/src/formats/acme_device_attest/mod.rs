//! ACME device attestation (`device-attest-01`): the answer of a client to a challenge of an ACME server. It is a
//! container and a binding; the statement inside is of another format.
//!
//! ```text
//! authority ──attests──► key ══ key of the request
//!     └───────names────► device ══ identifier of the order
//! statement ──covers───► token (apple), or key authorization: token and account (the others)
//! ```
//!
//! Source: draft-ietf-acme-device-attest; for what its statements are signed over, smallstep's ACME server.
//!
//! Each inner format has its own roots. A root that is given for one is none for another: else a certificate of one
//! maker could be handed in under the format of another.

mod checks;
mod envelope;
mod identifier;
mod inner;

use std::borrow::Cow;

use serde_json::{Value, json};

use self::checks as ck;
use self::envelope::{Answer, Found};
use self::identifier::Identifier;
use self::inner::{Identifiers, Inner, Task};
use super::apple::mda;
use super::{About, Context, Format, Proof, Statement};
use crate::appraisal::Freshness;
use crate::checks::{Checks, OnFail};
use crate::submission::{OptionDef, OptionKind};
use crate::wire::attestation_object::{self, AttestationObject};

/// The format.
pub(crate) struct AcmeDeviceAttest;

pub(crate) const FORMAT: &str = "acme-device-attest";

const OPTIONS: &[OptionDef] = &[
    OptionDef {
        name: "identifier_type",
        kind: OptionKind::Choice(identifier::KINDS),
        about: "type of the order's identifier; without it identifiers are not compared",
    },
    OptionDef { name: "identifier_value", kind: OptionKind::Text, about: "value of the order's identifier" },
    OptionDef { name: "token", kind: OptionKind::Text, about: "token of the ACME challenge" },
    OptionDef {
        name: "key_authorization",
        kind: OptionKind::Text,
        about: "key authorization of the ACME challenge (default: token, a dot, account_thumbprint)",
    },
    OptionDef {
        name: "account_thumbprint",
        kind: OptionKind::Text,
        about: "thumbprint of the account's key (RFC 7638), base64url",
    },
    OptionDef {
        name: "formats",
        kind: OptionKind::List,
        about: "the formats of statements that are taken (default: all that are verified)",
    },
    OptionDef {
        name: "roots_apple",
        kind: OptionKind::File,
        about: "roots for statements of format apple alone",
    },
    OptionDef {
        name: "roots_step",
        kind: OptionKind::File,
        about: "roots for statements of format step alone",
    },
    OptionDef {
        name: "roots_tpm",
        kind: OptionKind::File,
        about: "roots for statements of format tpm alone: of the authorities that certify attestation keys",
    },
    OptionDef {
        name: "roots_android_key",
        kind: OptionKind::File,
        about: "roots for statements of format android-key alone",
    },
    mda::POSTURE_OPTIONS[0],
    mda::POSTURE_OPTIONS[1],
];

static ABOUT: About = About {
    id: FORMAT,
    title: "ACME device attestation (device-attest-01)",
    maker: "Apple, Yubico, makers of TPMs and Android devices; clients of Apple and smallstep",
    devices: "managed Apple devices, YubiKeys (PIV), TPM 2.0, Android phones, as clients of an ACME server",
    proof: Proof::EmulatedOnly,
    checks: ck::ALL,
    options: OPTIONS,
    limits: &[
        "That the account's holder is entitled to the device: use external account binding, or compare with an inventory.",
        "The account, for statements of format apple: they cover the token alone, which must be told to nobody else.",
        "That the token was used once, and in time: the ACME server must see to it.",
        "That no other challenge could have been answered instead: an order that offers other types proves nothing by this one.",
        mda::limits::OS,
        mda::limits::POSTURE,
        super::tpm::limits::PASSWORD,
        super::tpm::limits::HOLDER,
        super::tpm::limits::RESTRICTED,
    ],
    docs: "docs/devices/acme-device-attest.md",
};

/// What the challenge was, as the operator says.
#[derive(Debug, Clone)]
struct Challenge<'a> {
    token: Option<&'a str>,
    key_authorization: Option<Cow<'a, str>>,
}

impl<'a> Challenge<'a> {
    /// An error says what does not fit together.
    fn of(cx: &Context<'a>) -> Result<Self, &'static str> {
        let token = cx.options.text("token").filter(|token| !token.is_empty());
        let thumbprint = cx.options.text("account_thumbprint").filter(|text| !text.is_empty());
        let made = token.zip(thumbprint).map(|(token, thumbprint)| format!("{token}.{thumbprint}"));
        let given = cx.options.text("key_authorization");
        if let (Some(given), Some(token)) = (given, token) {
            let rest = given.strip_prefix(token).and_then(|rest| rest.strip_prefix('.'));
            if rest.is_none_or(str::is_empty) {
                return Err("key_authorization is not the token, a dot and a thumbprint");
            }
        }
        if let (Some(given), Some(made)) = (given, &made)
            && given != made
        {
            return Err("key_authorization is not the one of token and account_thumbprint");
        }
        let key_authorization = given.filter(|_| token.is_some()).map(Cow::Borrowed);
        Ok(Self { token, key_authorization: key_authorization.or(made.map(Cow::Owned)) })
    }
}

impl Format for AcmeDeviceAttest {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        envelope::find(cx).iter().map(|found| judge(found, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        envelope::find(cx)
            .iter()
            .map(|found| match &found.answer {
                Answer::ClientError(said) => json!({ "where": found.place, "client_error": said }),
                Answer::Bad(why) => json!({ "where": found.place, "fault": why }),
                Answer::Object(bytes) => view(&found.place, bytes),
            })
            .collect()
    }
}

fn view(place: &str, bytes: &[u8]) -> Value {
    let read = AttestationObject::read(bytes).and_then(|object| {
        let x5c = attestation_object::certificates(&object.x5c()?)?;
        Ok((object.fmt.to_owned(), x5c))
    });
    match read {
        Err(why) => json!({ "where": place, "fault": why }),
        Ok((fmt, x5c)) => json!({
            "where": place,
            "format": fmt,
            "certificates": x5c.iter().map(|c| c.display_name()).collect::<Vec<_>>(),
            "device": (Inner::of(&fmt) == Some(Inner::Apple)).then(|| x5c.first().map(mda::view)).flatten(),
        }),
    }
}

fn judge(found: &Found, cx: &Context<'_>) -> Statement {
    let place = found.place.as_str();
    let mut statement = Statement::default();
    let order = check_order(cx, &mut statement.checks);
    let bytes = match &found.answer {
        Answer::Object(bytes) => bytes,
        Answer::ClientError(said) => {
            statement.labels.push((found.id, "client error".into()));
            let detail = format!("the client says: {}", said.chars().take(200).collect::<String>());
            statement.checks.fail(&ck::CLIENT_ERROR, place.to_owned(), detail);
            return statement;
        }
        Answer::Bad(why) => {
            statement.labels.push((found.id, "broken answer".into()));
            statement.checks.fail(&ck::BAD_ATTOBJ, place.to_owned(), why.clone());
            return statement;
        }
    };
    statement.labels.push((found.id, "answer to a challenge".into()));
    statement.checks.pass(&ck::BAD_ATTOBJ, place.to_owned(), "there is an attestation object");
    judge_object(bytes, order.as_ref(), place, cx, &mut statement);
    // Bytes that nobody authenticated answer no challenge.
    let stands = statement.checks.worst().is_none_or(|worst| worst == OnFail::Unfit);
    statement.freshness = statement.freshness.filter(|f| stands || *f != Freshness::NonceMatched);
    statement
}

/// The identifier of the order; the outer `None` when none is given, the inner when it is not in form.
fn check_order(cx: &Context<'_>, checks: &mut Checks) -> Option<Option<Identifier>> {
    const PLACE: &str = "options identifier_type, identifier_value";
    match Identifier::of_order(cx.options)? {
        Ok(order) => {
            checks.pass(&ck::IDENTIFIER_SYNTAX, PLACE, format!("the order names {order}"));
            Some(Some(order))
        }
        Err(why) => {
            checks.fail(&ck::IDENTIFIER_SYNTAX, PLACE, why);
            Some(None)
        }
    }
}

fn judge_object(
    bytes: &[u8],
    order: Option<&Option<Identifier>>,
    place: &str,
    cx: &Context<'_>,
    statement: &mut Statement,
) {
    let checks = &mut statement.checks;
    let object = match AttestationObject::read(bytes) {
        Ok(object) => object,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), why);
            return;
        }
    };
    let Some(inner) = Inner::of(object.fmt) else {
        let detail = format!("statements of format {:?} are not verified here", object.fmt);
        checks.fail(&ck::UNSUPPORTED_FORMAT, place.to_owned(), detail);
        return;
    };
    checks.pass(&ck::UNSUPPORTED_FORMAT, place.to_owned(), format!("a statement of format {}", inner.fmt()));
    let listed = cx.options.list("formats").collect::<Vec<_>>();
    let enabled = listed.is_empty() && !cx.options.has("formats") || listed.contains(&inner.fmt());
    let right = "the operator takes statements of this format";
    if !checks.test(&ck::FORMAT_DISABLED, place.to_owned(), enabled, right, || {
        format!("the operator does not take statements of format {}", inner.fmt()).into()
    }) {
        return;
    }
    let x5c = match object.x5c() {
        Ok(x5c) => x5c,
        Err(why) => {
            checks.fail(&ck::X5C, place.to_owned(), why);
            return;
        }
    };
    checks.pass(&ck::X5C, place.to_owned(), format!("{} certificates", x5c.len()));
    let x5c = match attestation_object::certificates(&x5c) {
        Ok(x5c) => x5c,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), format!("x5c: {why}"));
            return;
        }
    };
    let challenge = check_challenge(inner, cx, checks);
    let task = Task { object: &object, x5c: &x5c, place, challenge };
    let identifiers = inner::judge(inner, &task, cx, statement);
    if !statement.checks.failed(&ck::MALFORMED) {
        statement.checks.pass(&ck::MALFORMED, place.to_owned(), "the attestation object is well-formed");
    }
    let Some(order) = order else { return };
    check_identity(order.as_ref(), identifiers, place, &mut statement.checks);
    check_request(order.as_ref(), cx, &mut statement.checks);
}

/// What the statement must answer, as far as the operator says.
fn check_challenge<'a>(inner: Inner, cx: &Context<'a>, checks: &mut Checks) -> Challenge<'a> {
    const PLACE: &str = "options token, key_authorization, account_thumbprint";
    let unknown = Challenge { token: None, key_authorization: None };
    let challenge = match Challenge::of(cx) {
        Ok(challenge) => challenge,
        Err(why) => {
            checks.fail(&ck::CHALLENGE_MISSING, PLACE, why);
            return unknown;
        }
    };
    let lacking = match (challenge.token, &challenge.key_authorization) {
        (None, _) => "the token of the challenge is not given",
        (_, None) if inner.covers_account() => {
            "neither key authorization nor thumbprint of the account is given"
        }
        _ => {
            let detail = match inner.covers_account() {
                true => "the statement must answer the key authorization: it is bound to the account",
                false => "the statement must answer the token: the account is not bound",
            };
            checks.pass(&ck::CHALLENGE_MISSING, PLACE, detail);
            return challenge;
        }
    };
    checks.fail(&ck::CHALLENGE_MISSING, PLACE, lacking);
    challenge
}

/// Whether the evidence names the device of the order. Nothing is equal to nothing.
fn check_identity(order: Option<&Identifier>, found: Identifiers, place: &str, checks: &mut Checks) {
    let place = place.to_owned();
    let Some(found) = found else {
        checks.skip(&ck::IDENTIFIER_MISMATCH, place, "nothing was authenticated that names a device");
        return;
    };
    if found.is_empty() {
        checks.fail(&ck::DEVICE_IDENTITY_ABSENT, place, "the evidence names no device");
        return;
    }
    checks.pass(&ck::DEVICE_IDENTITY_ABSENT, place.clone(), "the evidence names a device");
    let Some(order) = order else {
        checks.skip(&ck::IDENTIFIER_MISMATCH, place, "the identifier of the order is not in form");
        return;
    };
    match found.iter().find(|(own, _)| order.is_met_by(own)) {
        Some((_, from)) => {
            checks.pass(&ck::IDENTIFIER_MISMATCH, place, format!("the order's device: {from}"));
        }
        None => {
            let own: Vec<String> = found.iter().map(|(own, _)| own.to_string()).collect();
            let detail = format!("the order names {order}, the evidence names {}", own.join(" and "));
            checks.fail(&ck::IDENTIFIER_MISMATCH, place, detail);
        }
    }
}

/// Device identifiers in a request must be those of the order. They may be left out (privacy).
fn check_request(order: Option<&Identifier>, cx: &Context<'_>, checks: &mut Checks) {
    let Some((request, csr)) = cx.request.and_then(|request| Some((request, request.csr()?))) else { return };
    let place = request.place().to_owned();
    let names = match identifier::in_request(csr) {
        Ok(names) => names,
        Err(why) => {
            checks.fail(&ck::CSR_IDENTIFIERS, place, why);
            return;
        }
    };
    if let Some(other) = names.devices.iter().find(|own| Some(*own) != order) {
        let detail = format!("the request names {other}, which the order does not");
        checks.fail(&ck::CSR_IDENTIFIERS, place, detail);
    } else if names.others > 0 {
        let detail = "the request asks for names of other types too: the order must have them all";
        checks.warn(&ck::CSR_IDENTIFIERS, place, detail);
    } else {
        let detail = match names.devices.is_empty() {
            true => "the request names no device",
            false => "the request names the device of the order",
        };
        checks.pass(&ck::CSR_IDENTIFIERS, place, detail);
    }
}
