//! Format `android-key` (Web Authentication, "Android Key Attestation Statement Format"): the credential key signs, and
//! Android's certificate chain says where it is. The chain is judged as in format `android`, and its challenge is the
//! digest of the client data.

use super::super::Context;
use super::super::android::judge_chain;
use super::checks as ck;
use super::object::Members;
use super::packed::check_signature;
use super::statement::{Grade, Judged, Subject, check_allowed};
use crate::checks::Checks;
use crate::claims::ClaimName;

/// What the chain's check of its challenge is called.
const CHALLENGE: &str = "challenge-mismatch";

pub(super) fn judge(
    members: &Members<'_, '_>,
    subject: &Subject<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let place = || subject.place.clone();
    let read = || Ok::<_, String>((members.algorithm()?, members.bytes("sig")?, members.x5c()?));
    let (id, signature, x5c) = match read() {
        Ok(read) => read,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place(), why);
            return Judged::nothing(Grade::Other);
        }
    };
    let Some(leaf) = x5c.first() else { return Judged::nothing(Grade::Other) };
    let key = leaf.key().map_err(|error| format!("key of the certificate: {error}"));
    let proof = check_signature(id, key, signature, subject, checks);
    if let Some(key) = subject.key {
        let same = leaf.key().is_ok_and(|certified| *certified == key.key);
        checks.test(&ck::KEY_MISMATCH, place(), same, "the certificate is of the credential key", || {
            "the certificate is of another key than the credential's".into()
        });
    }
    check_allowed(&subject.credential.aaguid, &subject.place, cx, checks);
    let mut judged = judge_chain(&x5c, &subject.place, None, cx);
    let challenged = match (subject.client_hash, &judged.challenge) {
        (Some(hash), Some(challenge)) => checks.test(
            &ck::ANDROID_CHALLENGE,
            place(),
            challenge == hash,
            "the challenge names the client data",
            || "the challenge of the key description is not the digest of the client data".into(),
        ),
        _ => {
            let why = "the client data are not there, or the key description is not authentic";
            checks.skip(&ck::ANDROID_CHALLENGE, place(), why);
            false
        }
    };
    // The challenge of the chain is this one, and not the one that was given out.
    judged.checks.forget(CHALLENGE);
    checks.absorb(judged.checks);
    // What the chain says is about the key of its leaf, and only that key's signature joins it to the registration.
    let attested = judged.attested.filter(|attested| {
        let same = subject.key.is_some_and(|key| attested.key.as_ref() == Some(&key.key));
        same && proof.is_some() && challenged
    });
    let attested = attested.map(|mut attested| {
        if subject.data.flags.backup_eligible() {
            attested.claims.overrule(
                ClaimName::KeyExportable,
                "yes",
                "flag BE of the authenticator data: a credential that may be backed up",
            );
        }
        attested
    });
    Judged { grade: Grade::Other, attested, certificates: judged.certificates }
}
