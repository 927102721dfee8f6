//! The unsigned wrapper against the signed content: which member holds which half, the key identifier, the public
//! key, the attribute `exportable`.

use super::super::attributes as attribute;
use super::super::found::Found;
use super::super::judge::Judged;
use super::super::layout::{self, Layout};
use super::super::object::{Object, PRIVATE, PUBLIC};
use super::super::semantics::{Subject, key_of};
use super::super::statement::Gathering;
use super::ALLOW_MISSING_PUBLIC;
use super::answer::{Answer, Body};
use super::checks as ck;
use super::kid::Kid;
use super::pool::Pool;
use crate::checks::Checks;
use crate::formats::Context;
use crate::wire::jwk;

/// Compares every answer with what the blobs say.
pub(super) fn check(found: &Found<'_>, judged: &mut Judged<'_>, pool: Option<&Pool<'_>>, cx: &Context<'_>) {
    check_halves(judged, cx);
    let object = judged.objects.as_ref().and_then(|o| o.any());
    for (id, answer) in &found.answers {
        let place = cx.parts.place(*id);
        let checks = &mut judged.statement.checks;
        if let Body::Statement { private, public } = &answer.body {
            check_members(private, public.as_deref(), place, checks);
        }
        if let Some(object) = object {
            check_kid(answer, object, pool, place, checks);
            check_key(answer, object, place, checks);
        }
    }
}

/// A private key alone has all that is needed, but the service hands out both halves.
fn check_halves(judged: &mut Judged<'_>, cx: &Context<'_>) {
    let place = judged.place.clone();
    let Some(objects) = &judged.objects else { return };
    let checks = &mut judged.statement.checks;
    match objects.subject() {
        Subject::Private(_) if cx.options.is_on(ALLOW_MISSING_PUBLIC) => {
            checks.skip(&ck::NO_PUBLIC_OBJECT, place, "allow_missing_public_object is on: it is not there");
        }
        Subject::Private(_) => {
            checks.fail(&ck::NO_PUBLIC_OBJECT, place, "only the private half of the key pair is attested");
        }
        Subject::Pair { .. } => {
            checks.pass(&ck::NO_PUBLIC_OBJECT, place, "both halves of the key pair are attested");
        }
        _ => {}
    }
}

fn check_members(private: &[u8], public: Option<&[u8]>, place: &str, checks: &mut Checks) {
    let class = |blob: &[u8]| match Layout::of(blob)? {
        Layout::Fw2 => Layout::Fw2.read(layout::split(blob)?.0).ok()?.first()?.class(),
        Layout::Fw3 | Layout::V1 => None,
    };
    let swapped =
        class(private) == Some(PUBLIC) || public.and_then(class).is_some_and(|class| class != PUBLIC);
    checks.test(&ck::SWAPPED, place.to_owned(), !swapped, "each half is in the member of its name", || {
        let holds = |blob| class(blob).map_or("nothing that can be read", attribute::class_name);
        let public = public.map_or("nothing", holds);
        format!("privateKeyAttestation holds a {}, publicKeyAttestation a {public}", holds(private)).into()
    });
}

fn check_kid(
    answer: &Answer<'_>,
    object: &Object<'_>,
    pool: Option<&Pool<'_>>,
    place: &str,
    checks: &mut Checks,
) {
    let at = || place.to_owned();
    let Some(text) = answer.kid else {
        checks.skip(&ck::POOL_NAME, at(), "no kid to compare with");
        return checks.skip(&ck::KEY_ID, at(), "no kid to compare with");
    };
    let Some(kid) = Kid::parse(text) else {
        checks.fail(&ck::POOL_NAME, at(), format!("kid {text:?} is no URL"));
        return checks.fail(&ck::KEY_ID, at(), format!("kid {text:?} is no URL"));
    };
    match pool {
        None => checks.skip(&ck::POOL_NAME, at(), "no pool certified the partition"),
        Some(pool) => match kid.pool() {
            Ok(named) if named == pool.name.to_ascii_lowercase() => {
                checks.pass(&ck::POOL_NAME, at(), format!("kid names the pool {named}"));
            }
            Ok(named) => {
                let detail = format!("kid names the pool {named}, the root is of the pool {}", pool.name);
                checks.fail(&ck::POOL_NAME, at(), detail);
            }
            Err(why) => checks.fail(&ck::POOL_NAME, at(), format!("kid {text:?}: {why}")),
        },
    }
    let signed = object.text(attribute::ID);
    checks.test(
        &ck::KEY_ID,
        at(),
        signed == Some(kid.path),
        "kid names the key and version that is signed",
        || {
            let signed = signed.unwrap_or("not a text");
            format!("kid names {}, the signed key ID is {signed}", kid.path).into()
        },
    );
}

fn check_key(answer: &Answer<'_>, object: &Object<'_>, place: &str, checks: &mut Checks) {
    let at = || place.to_owned();
    if object.class() != Some(PRIVATE) {
        // Said by other checks; there is no private key to compare.
        return;
    }
    let attested = key_of(object).ok();
    match (answer.jwk, &attested) {
        (None, _) => checks.skip(&ck::JWK_MISMATCH, at(), "no public key to compare with"),
        (_, None) => checks.skip(&ck::JWK_MISMATCH, at(), "no attested key to compare with"),
        (Some(members), Some(attested)) => match jwk::hsm_key(members) {
            Ok(key) => {
                checks.test(
                    &ck::JWK_MISMATCH,
                    at(),
                    key == *attested,
                    "the public key beside the attestation is the attested one",
                    || format!("the key beside the attestation is another one, {}", key.algorithm()).into(),
                );
            }
            Err(why) => {
                checks.fail(&ck::JWK_MISMATCH, at(), format!("the key beside the attestation: {why}"));
            }
        },
    }
    let extractable = object.flag(attribute::EXTRACTABLE);
    match (answer.exportable, extractable) {
        (Some(said), Some(signed)) if said != signed => {
            let detail = format!("the JSON says exportable {said}, the signed attribute says {signed}");
            checks.warn(&ck::EXPORTABLE_DIFFERS, at(), detail);
        }
        (Some(_), Some(_)) => {
            checks.pass(&ck::EXPORTABLE_DIFFERS, at(), "exportable agrees with the signed attribute");
        }
        _ => {}
    }
}

/// Name and version in the signed key ID, `/keys/<name>/<version>`.
fn names<'b>(object: &Object<'b>) -> Option<(&'b str, &'b str)> {
    let (name, version) = object.text(attribute::ID)?.strip_prefix("/keys/")?.split_once('/')?;
    (!name.is_empty() && !version.is_empty() && !version.contains('/')).then_some((name, version))
}

pub(super) fn claims<'s, 'b>(claims: Gathering<'s, 'b>) -> Gathering<'s, 'b> {
    claims.detail("key_name", "ID", |s| s.objects.any().and_then(names).map(|(name, _)| name)).detail(
        "key_version",
        "ID",
        |s| s.objects.any().and_then(names).map(|(_, version)| version),
    )
}
