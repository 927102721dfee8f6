//! Format `fido-u2f` (Web Authentication, "FIDO U2F Attestation Statement Format"). The statement covers RP ID, client
//! data, credential id and key; AAGUID, flags and counter are not signed.

use super::super::Context;
use super::certificate;
use super::checks as ck;
use super::claims::{self, Facts, Kind, Proved, Registered};
use super::model::{self, Ledger, attests, certification_level};
use super::packed::with_anchors;
use super::statement::{Grade, Judged, Subject, check_allowed};
use crate::authentic::SignatureValid;
use crate::checks::Checks;
use crate::crypto::{Curve, Hash, Material, PublicKey, Scheme};
use crate::pki::Certificate;

/// Flags UP and AT.
const PRESENT_WITH_CREDENTIAL: u8 = 0x41;

pub(super) fn judge(
    x5c: Result<Vec<Certificate>, String>,
    signature: &[u8],
    subject: &Subject<'_>,
    ledger: &Ledger<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let place = subject.place.as_str();
    let x5c = match x5c {
        Ok(x5c) => x5c,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), why);
            return Judged::nothing(Grade::Other);
        }
    };
    let point = subject.key.and_then(|key| p256_point(&key.key));
    let fault = match x5c.as_slice() {
        [only] if only.key().ok().and_then(p256_point).is_none() => {
            Some("its certificate is not of a P-256 key")
        }
        [_] if point.is_none() => Some("the credential is not a P-256 key"),
        [_] => None,
        _ => Some("it has several certificates"),
    };
    checks.test(&ck::U2F_CERT, place.to_owned(), fault.is_none(), "one certificate, P-256 keys", || {
        fault.unwrap_or_default().into()
    });
    // Nothing signs the flags: what a U2F authenticator cannot have was written by somebody else.
    let flags = subject.data.flags;
    if flags.0 != PRESENT_WITH_CREDENTIAL {
        let detail = format!("flags {:#04x}: a U2F authenticator has UP and AT, and no others", flags.0);
        checks.fail(&ck::MALFORMED_FLAGS, place.to_owned(), detail);
    }
    let Some(leaf) = x5c.first() else { return Judged::nothing(Grade::Other) };
    let message = subject.client_hash.zip(point).map(|(hash, point)| {
        [&[0][..], subject.data.rp_id_hash, hash, subject.credential.id, point].concat()
    });
    let proof = check_signature(leaf, message.as_deref(), signature, subject, checks);
    // Whoever hands the statement in can write any AAGUID beside it.
    check_allowed(&[0; 16], place, cx, checks);
    let model = ledger.u2f_model(certificate::key_identifier(leaf));
    let own = model.map(|model| ledger.anchors_of(model));
    if let Some(model) = model.filter(|model| !attests(model, &["basic_full", "attca"])) {
        let detail = format!("{} is attested as {} only", model.description, model.attestation.join(", "));
        checks.fail(&ck::CHAIN_UNTRUSTED, place.to_owned(), detail);
    }
    let trusted = with_anchors(own.as_deref(), &x5c, place, cx, checks);
    ledger.check(model, Kind::U2f, leaf.key().ok(), place, checks);
    let firmware = certificate::yubico_firmware(leaf);
    if let Some(key) = subject.key {
        model::check_eucleak(&key.key, firmware, place, checks);
    }
    let facts = Facts {
        kind: Kind::U2f,
        model: model.cloned(),
        certification_level: model.and_then(|model| certification_level(model, firmware, cx)),
        software: false,
    };
    let certificates = trusted.as_ref().map_or_else(|| x5c.clone(), |trusted| trusted.chain.clone());
    let attested = proof.zip(trusted).and_then(|(proof, trusted)| {
        let registered = trusted.key.authenticate(proof)?.parse(|message| read(message).ok_or(()));
        let both = registered.ok()?.join(trusted.certificate)?;
        let proved = both
            .parse(|(credential, certificate)| Ok::<_, ()>(Proved { credential, certificate, public: None }));
        Some(claims::say(&proved.ok()?, &facts))
    });
    Judged { grade: Grade::Other, attested, certificates }
}

fn p256_point(key: &PublicKey) -> Option<&[u8]> {
    match key.material() {
        Material::Ec { curve: Curve::P256, point } => Some(point),
        _ => None,
    }
}

fn check_signature<'m>(
    leaf: &Certificate,
    message: Option<&'m [u8]>,
    signature: &[u8],
    subject: &Subject<'_>,
    checks: &mut Checks,
) -> Option<SignatureValid<'m>> {
    let place = || subject.place.clone();
    let Some(message) = message else {
        checks.skip(&ck::SIGNATURE, place(), "client data or credential key are not there");
        return None;
    };
    let key = leaf.key().map_err(|error| format!("key of the attestation certificate: {error}"));
    let verified = key.and_then(|key| {
        key.verify(Scheme::Ecdsa(Hash::Sha256), message, signature).map_err(|error| error.to_string())
    });
    match verified {
        Ok(proof) => {
            checks.pass(&ck::SIGNATURE, place(), "the attestation key signed client data and credential");
            Some(proof)
        }
        Err(why) => {
            checks.fail(&ck::SIGNATURE, place(), why);
            None
        }
    }
}

/// The credential in what was signed: `00 ‖ RP ID hash ‖ client data hash ‖ credential id ‖ point`.
fn read(message: &[u8]) -> Option<Registered> {
    let rest = message.get(65..)?;
    let (id, point) = rest.split_at_checked(rest.len().checked_sub(65)?)?;
    Some(Registered { key: PublicKey::ec(Curve::P256, point).ok()?, id: id.to_vec(), fido2: None })
}
