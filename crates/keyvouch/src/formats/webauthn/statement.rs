//! One attestation object, judged: what every statement format shares, then the statement itself.

use super::super::{Attested, Context, Statement};
use super::checks as ck;
use super::client_data;
use super::gather::{Client, Found, Object};
use super::model::Ledger;
use super::object::{Attestation, Members, U2fRegistration};
use super::{android, apple, packed, tpm, u2f};
use crate::checks::Checks;
use crate::crypto::sha256;
use crate::pki::Certificate;
use crate::wire::authenticator_data::{AuthenticatorData, Credential, Fault, aaguid_text};
use crate::wire::cbor::Item;
use crate::wire::cose::CoseKey;

/// More members than any compound statement has.
const MAX_MEMBERS: usize = 8;

/// What a statement is about.
pub(super) struct Subject<'a> {
    pub(super) place: String,
    pub(super) auth_data: &'a [u8],
    pub(super) data: &'a AuthenticatorData<'a>,
    pub(super) credential: &'a Credential<'a>,
    /// `None` when it is no key that is accepted.
    pub(super) key: Option<&'a CoseKey>,
    pub(super) client_hash: Option<&'a [u8; 32]>,
    /// Authenticator data and digest of the client data: what most formats sign. `None` without client data.
    pub(super) message: Option<&'a [u8]>,
}

/// How much a statement can be worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// Nobody signed it.
    None,
    /// The credential key itself did.
    Itself,
    /// Somebody else did.
    Other,
}

/// A statement, judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) grade: Grade,
    pub(super) attested: Option<Attested>,
    pub(super) certificates: Vec<Certificate>,
}

impl Judged {
    /// Without anything authenticated.
    pub(super) fn nothing(grade: Grade) -> Self {
        Self { grade, attested: None, certificates: Vec::new() }
    }
}

/// Judges an attestation object together with client data.
pub(super) fn judge(found: &Found<'_>, client: Option<&Client<'_>>, cx: &Context<'_>) -> Statement {
    let mut statement = Statement { unbindable: true, ..Statement::default() };
    statement.labels.push((found.part, "attestation object".into()));
    if let Some(client) = client.filter(|client| client.part != found.part) {
        statement.labels.push((client.part, "client data".into()));
    }
    let checks = &mut statement.checks;
    if cx.request.is_some() {
        checks.warn(&ck::CSR_UNBOUND, "", "a request was given, and a WebAuthn key cannot be its key");
    }
    let client = client_data::check(client, cx, checks);
    statement.freshness = Some(client.freshness);
    let place = || found.place.clone();
    let judged = match &found.object {
        Object::Unreadable => {
            checks.fail(&ck::MALFORMED, place(), "the attestation object is not base64url");
            return statement;
        }
        Object::Cbor(bytes) => match Attestation::read(bytes) {
            Ok(object) => with_credential(found, object.auth_data, client.hash, cx, checks, |s, checks| {
                of_format(object.format, &object.statement, s, cx, checks)
            }),
            Err(why) => {
                checks.fail(&ck::MALFORMED, place(), why);
                return statement;
            }
        },
        Object::U2f(bytes) => {
            let Some(registration) = U2fRegistration::read(bytes) else {
                checks.fail(&ck::MALFORMED, place(), "the answer to the U2F registration is not in form");
                return statement;
            };
            let auth_data = cx.options.text("rp_id").and_then(|rp_id| registration.auth_data(rp_id));
            let Some(auth_data) = auth_data else {
                let detail = "a raw U2F registration does not hold the RP ID: the option rp_id is needed";
                checks.lacking(&ck::RP_ID_MISMATCH, place(), detail);
                return statement;
            };
            with_credential(found, &auth_data, client.hash, cx, checks, |subject, checks| {
                let ledger = Ledger::open(cx, checks);
                let x5c = Certificate::from_der(registration.certificate).map_err(|e| e.to_string());
                u2f::judge(x5c.map(|c| vec![c]), registration.signature, subject, &ledger, cx, checks)
            })
        }
    };
    if let Some(judged) = judged {
        statement.attested = judged.attested;
        statement.certificates = judged.certificates;
    }
    statement
}

/// Reads the authenticator data, makes the checks of them, and has the statement judged.
fn with_credential(
    found: &Found<'_>,
    auth_data: &[u8],
    client_hash: Option<[u8; 32]>,
    cx: &Context<'_>,
    checks: &mut Checks,
    judge: impl FnOnce(&Subject<'_>, &mut Checks) -> Judged,
) -> Option<Judged> {
    let place = &found.place;
    let data = match AuthenticatorData::read(auth_data) {
        Ok(data) => data,
        Err(fault) => {
            // Left-over bytes may be those of a key that somebody encoded wrongly.
            if let Some(credential) = Credential::first(auth_data) {
                check_key(&credential.key, place, checks);
            }
            let check = if matches!(fault, Fault::Key(_)) { &ck::COSE_KEY } else { &ck::MALFORMED };
            checks.fail(check, place.clone(), fault.to_string());
            return None;
        }
    };
    checks.pass(&ck::MALFORMED, place.clone(), "attestation object and authenticator data are in form");
    check_flags(&data, place, cx, checks);
    let Some(credential) = &data.credential else {
        checks.fail(
            &ck::NO_ATTESTED_CREDENTIAL,
            place.clone(),
            "flag AT is clear: there is no new credential",
        );
        return None;
    };
    checks.pass(&ck::NO_ATTESTED_CREDENTIAL, place.clone(), "there is a new credential");
    let key = check_key(&credential.key, place, checks);
    check_ids(found, credential, checks);
    let message = client_hash.map(|hash| [auth_data, &hash].concat());
    let subject = Subject {
        place: place.clone(),
        auth_data,
        data: &data,
        credential,
        key: key.as_ref(),
        client_hash: client_hash.as_ref(),
        message: message.as_deref(),
    };
    Some(judge(&subject, checks))
}

fn check_flags(data: &AuthenticatorData<'_>, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let place = || place.to_owned();
    match cx.options.text("rp_id") {
        None => checks.skip(&ck::RP_ID_MISMATCH, place(), "the option rp_id does not say which is expected"),
        Some(rp_id) => {
            let same = data.rp_id_hash == sha256(rp_id.as_bytes());
            checks.test(&ck::RP_ID_MISMATCH, place(), same, format!("the RP ID is {rp_id}"), || {
                format!("the RP ID is not {rp_id}: its digest is {}", hex::encode(data.rp_id_hash)).into()
            });
        }
    }
    let flags = data.flags;
    checks.test(&ck::USER_NOT_PRESENT, place(), flags.user_present(), "a user was present", || {
        "flag UP is clear: nobody touched the authenticator".into()
    });
    if cx.options.is_on("require_uv") {
        checks.test(&ck::USER_NOT_VERIFIED, place(), flags.user_verified(), "the user was verified", || {
            "flag UV is clear: neither PIN nor biometry was asked".into()
        });
    }
    if flags.backed_up() && !flags.backup_eligible() {
        let detail = "flag BS is set and BE is not: backed up although that cannot be";
        checks.fail(&ck::MALFORMED_FLAGS, place(), detail);
    } else if flags.reserved() != 0 {
        checks.warn(&ck::MALFORMED_FLAGS, place(), "a flag is set that has no meaning yet");
    } else {
        checks.pass(&ck::MALFORMED_FLAGS, place(), format!("flags {:#04x}", flags.0));
    }
    if flags.backup_eligible() {
        let state = if flags.backed_up() { "is backed up" } else { "may be backed up" };
        checks.warn(
            &ck::BACKUP_ELIGIBLE,
            place(),
            format!("the credential {state}: its key may leave the device"),
        );
    }
}

fn check_key(item: &Item<'_>, place: &str, checks: &mut Checks) -> Option<CoseKey> {
    match CoseKey::read(item) {
        Ok(key) => {
            let detail = format!("{} for {}", key.key.algorithm(), key.algorithm.name);
            checks.pass(&ck::COSE_KEY, place.to_owned(), detail);
            Some(key)
        }
        Err(fault) => {
            checks.fail(&ck::COSE_KEY, place.to_owned(), fault.to_string());
            None
        }
    }
}

fn check_ids(found: &Found<'_>, credential: &Credential<'_>, checks: &mut Checks) {
    if found.ids.is_empty() {
        return;
    }
    let same = found.ids.iter().all(|id| id.as_deref() == Some(credential.id));
    checks.test(
        &ck::CREDENTIAL_ID_MISMATCH,
        found.place.clone(),
        same,
        "the id beside the object is that of the credential",
        || format!("the credential's id is {}, not the one beside it", hex::encode(credential.id)).into(),
    );
}

/// Whether the operator accepts the model. Only for statements that cover the AAGUID; of others it is that of nobody.
pub(super) fn check_allowed(aaguid: &[u8; 16], place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let mut allowed = cx.options.list("aaguid_allow").peekable();
    if allowed.peek().is_none() {
        return;
    }
    let text = aaguid_text(aaguid);
    let known = allowed.any(|allowed| allowed.eq_ignore_ascii_case(&text));
    checks.test(&ck::MODEL_NOT_ALLOWED, place.to_owned(), known, format!("{text} is in the list"), || {
        format!("{text} is not in the list").into()
    });
}

/// A statement of a format, alone or compound.
fn of_format(
    format: &str,
    statement: &Item<'_>,
    subject: &Subject<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let members = match format {
        "compound" => match compound(statement) {
            Ok(members) => {
                let detail = format!("{} members", members.len());
                checks.pass(&ck::COMPOUND, subject.place.clone(), detail);
                members
            }
            Err(why) => {
                checks.fail(&ck::COMPOUND, subject.place.clone(), why);
                return Judged::nothing(Grade::Other);
            }
        },
        single => vec![(single, statement)],
    };
    // The metadata are opened once, for the formats that use them.
    let uses_metadata = members.iter().any(|(format, _)| matches!(*format, "packed" | "fido-u2f" | "tpm"));
    let ledger = uses_metadata.then(|| Ledger::open(cx, checks));
    let judge = |(format, statement): &(&str, &Item<'_>), checks: &mut Checks| {
        of_member(format, statement, subject, ledger.as_ref(), cx, checks)
    };
    let judged: Vec<Judged> = members.iter().map(|member| judge(member, checks)).collect();
    let best = judged.iter().map(|j| j.grade).max().unwrap_or(Grade::None);
    for (grade, check, detail) in [
        (Grade::Itself, &ck::SELF_ATTESTATION, "the credential key itself signed: the key may be anywhere"),
        (Grade::None, &ck::NO_ATTESTATION, "nobody signed: the key may be anywhere"),
    ] {
        if grade == best {
            checks.nothing_attested(check, subject.place.clone(), detail);
        } else if judged.iter().any(|j| j.grade == grade) {
            checks.warn(check, subject.place.clone(), "one of the members");
        }
    }
    let certificates = judged.iter().flat_map(|j| j.certificates.iter().cloned()).collect();
    // Every member speaks of the same credential: the first that is authenticated says what there is to say.
    let attested = judged.into_iter().find_map(|j| j.attested);
    Judged { grade: best, attested, certificates }
}

fn of_member(
    format: &str,
    statement: &Item<'_>,
    subject: &Subject<'_>,
    ledger: Option<&Ledger<'_>>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let place = || subject.place.clone();
    let members = match Members::of(statement) {
        Ok(members) => members,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place(), why);
            return Judged::nothing(Grade::Other);
        }
    };
    match (format, ledger) {
        ("packed", Some(ledger)) => packed::judge(&members, subject, ledger, cx, checks),
        ("fido-u2f", Some(ledger)) => match members.bytes("sig") {
            Ok(signature) => u2f::judge(members.x5c(), signature, subject, ledger, cx, checks),
            Err(why) => {
                checks.fail(&ck::MALFORMED, place(), why);
                Judged::nothing(Grade::Other)
            }
        },
        ("tpm", Some(ledger)) => tpm::judge(&members, subject, ledger, cx, checks),
        ("android-key", _) => android::judge(&members, subject, cx, checks),
        ("apple", _) => apple::judge(&members, subject, cx, checks),
        ("none", _) => {
            checks.test(&ck::NONE_STATEMENT, place(), members.is_empty(), "the statement is empty", || {
                "the statement says that it is none, and holds something".into()
            });
            Judged::nothing(Grade::None)
        }
        ("android-safetynet", _) => {
            let detail =
                "a statement of SafetyNet, which Google switched off and which says nothing of the key";
            checks.fail(&ck::SAFETYNET, place(), detail);
            Judged::nothing(Grade::Other)
        }
        (other, _) => {
            let detail = format!("statement format {other:?} is not known");
            checks.fail(&ck::UNSUPPORTED_FORMAT, place(), detail);
            Judged::nothing(Grade::Other)
        }
    }
}

/// Format and statement of each member.
fn compound<'i, 'a>(statement: &'i Item<'a>) -> Result<Vec<(&'a str, &'i Item<'a>)>, &'static str> {
    let items = statement.as_array().ok_or("the statement is no array")?;
    if items.len() < 2 || items.len() > MAX_MEMBERS {
        return Err("a compound statement has two members at least, and eight at most");
    }
    let read = |item: &'i Item<'a>| {
        let map = item.as_map().filter(|map| map.len() == 2)?;
        Some((map.text_key("fmt")?.as_text()?, map.text_key("attStmt")?))
    };
    let members: Option<Vec<_>> = items.iter().map(read).collect();
    let members = members.ok_or("a member is not a map of fmt and attStmt")?;
    match members.iter().any(|(format, _)| *format == "compound") {
        true => Err("a member is compound itself"),
        false => Ok(members),
    }
}
