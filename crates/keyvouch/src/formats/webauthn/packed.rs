//! Format `packed` (Web Authentication, "Packed Attestation Statement Format"): signed by a batch key of the maker's, or
//! by the credential key itself.

use super::super::Context;
use super::certificate;
use super::checks as ck;
use super::claims::{self, Facts, Kind, Proved, Registered};
use super::model::{self, Ledger, attests, certification_level};
use super::object::Members;
use super::statement::{Grade, Judged, Subject, check_allowed};
use super::trust::{self, Trusted, Wanted, establish};
use crate::authentic::SignatureValid;
use crate::checks::Checks;
use crate::crypto::PublicKey;
use crate::pki::Certificate;
use crate::reference::anchors::Anchor;
use crate::wire::cose::Algorithm;

pub(super) fn judge(
    members: &Members<'_, '_>,
    subject: &Subject<'_>,
    ledger: &Ledger<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let place = subject.place.as_str();
    let read = || -> Result<_, String> {
        if members.has("ecdaaKeyId") {
            return Err("the statement is of ECDAA, which was withdrawn".to_owned());
        }
        let x5c = members.has("x5c").then(|| members.x5c()).transpose()?;
        Ok((members.algorithm()?, members.bytes("sig")?, x5c))
    };
    match read() {
        Ok((id, signature, Some(x5c))) => basic(id, signature, &x5c, subject, ledger, cx, checks),
        Ok((id, signature, None)) => itself(id, signature, subject, ledger, checks),
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), why);
            Judged::nothing(Grade::Other)
        }
    }
}

/// Verifies the signature over authenticator data and client data.
pub(super) fn check_signature<'m>(
    id: i128,
    key: Result<&PublicKey, String>,
    signature: &[u8],
    subject: &Subject<'m>,
    checks: &mut Checks,
) -> Option<SignatureValid<'m>> {
    let place = || subject.place.clone();
    let Some(message) = subject.message else {
        checks.skip(&ck::SIGNATURE, place(), "the client data are not there");
        return None;
    };
    let verified = || -> Result<SignatureValid<'m>, String> {
        let key = key?;
        let algorithm = Algorithm::of(id).ok_or_else(|| format!("algorithm {id} is not known"))?;
        let scheme = algorithm.scheme.filter(|_| algorithm.is_for(key));
        let scheme =
            scheme.ok_or_else(|| format!("{} is not for a {} key", algorithm.name, key.algorithm()))?;
        key.verify(scheme, message, signature).map_err(|error| error.to_string())
    };
    match verified() {
        Ok(proof) => {
            checks.pass(&ck::SIGNATURE, place(), "the attestation key signed authenticator and client data");
            Some(proof)
        }
        Err(why) => {
            checks.fail(&ck::SIGNATURE, place(), why);
            None
        }
    }
}

fn basic(
    id: i128,
    signature: &[u8],
    x5c: &[Certificate],
    subject: &Subject<'_>,
    ledger: &Ledger<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let Some(leaf) = x5c.first() else { return Judged::nothing(Grade::Other) };
    let place = subject.place.as_str();
    let key = leaf.key().map_err(|error| format!("key of the attestation certificate: {error}"));
    let proof = check_signature(id, key, signature, subject, checks);
    let faults = certificate::packed_profile(leaf);
    checks.test(
        &ck::CERT_PROFILE,
        place.to_owned(),
        faults.is_empty(),
        "it has the form of a packed attestation certificate",
        || faults.join("; ").into(),
    );
    let aaguid = &subject.credential.aaguid;
    check_allowed(aaguid, place, cx, checks);
    check_aaguid(leaf, aaguid, place, checks);
    let model = ledger.model(aaguid);
    let own = model.map(|model| ledger.anchors_of(model));
    if let Some(model) = model.filter(|model| !attests(model, &["basic_full", "attca"])) {
        let detail = format!("{} is attested as {} only", model.description, model.attestation.join(", "));
        checks.fail(&ck::CHAIN_UNTRUSTED, place.to_owned(), detail);
    }
    let trusted = with_anchors(own.as_deref(), x5c, place, cx, checks);
    ledger.check(model, Kind::Packed, leaf.key().ok(), place, checks);
    let firmware = certificate::yubico_firmware(leaf);
    if let Some(key) = subject.key {
        model::check_eucleak(&key.key, firmware, place, checks);
    }
    let facts = Facts {
        kind: Kind::Packed,
        model: model.cloned(),
        certification_level: model.and_then(|model| certification_level(model, firmware, cx)),
        software: false,
    };
    finish(proof, trusted, x5c, subject, &facts)
}

/// A path to the anchors of the model, or of makers and operator when no metadata know it.
pub(super) fn with_anchors(
    own: Option<&[Anchor]>,
    x5c: &[Certificate],
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Trusted> {
    let anchors: Vec<&Anchor> = match own {
        Some(own) => own.iter().collect(),
        None => trust::anchors(cx, trust::MAKERS),
    };
    let wanted = Wanted { anchors: &anchors, of_model: own.is_some(), known_issuers: &[] };
    establish(x5c, &wanted, place, cx, checks)
}

fn check_aaguid(leaf: &Certificate, aaguid: &[u8; 16], place: &str, checks: &mut Checks) {
    let place = place.to_owned();
    match certificate::aaguid(leaf) {
        None => {
            let why = "the certificate names no model: that it is the right one rests on the anchor";
            checks.skip(&ck::AAGUID_MISMATCH, place, why);
        }
        Some(Err(why)) => checks.fail(&ck::AAGUID_MISMATCH, place, why),
        Some(Ok(named)) => {
            checks.test(
                &ck::AAGUID_MISMATCH,
                place,
                named == *aaguid,
                "certificate and authenticator data name the same model",
                || format!("the certificate is of model {}", hex::encode(named)).into(),
            );
        }
    }
}

fn finish(
    proof: Option<SignatureValid<'_>>,
    trusted: Option<Trusted>,
    x5c: &[Certificate],
    subject: &Subject<'_>,
    facts: &Facts,
) -> Judged {
    let certificates = trusted.as_ref().map_or_else(|| x5c.to_vec(), |trusted| trusted.chain.clone());
    let length = subject.auth_data.len();
    let attested = proof.zip(trusted).and_then(|(proof, trusted)| {
        let registered = trusted.key.authenticate(proof)?.parse(|message| {
            // Digest of the client data behind them.
            message.get(..length).and_then(Registered::read).ok_or(())
        });
        let both = registered.ok()?.join(trusted.certificate)?;
        let proved = both
            .parse(|(credential, certificate)| Ok::<_, ()>(Proved { credential, certificate, public: None }));
        Some(claims::say(&proved.ok()?, facts))
    });
    Judged { grade: Grade::Other, attested, certificates }
}

/// Self attestation: proof of possession, and no more.
fn itself(
    id: i128,
    signature: &[u8],
    subject: &Subject<'_>,
    ledger: &Ledger<'_>,
    checks: &mut Checks,
) -> Judged {
    let place = || subject.place.clone();
    if let Some(key) = subject.key {
        if key.algorithm.id == id {
            check_signature(id, Ok(&key.key), signature, subject, checks);
        } else {
            let detail =
                format!("the statement names algorithm {id}, the credential key {}", key.algorithm.id);
            checks.fail(&ck::SIGNATURE, place(), detail);
        }
    }
    match ledger.model(&subject.credential.aaguid) {
        Some(model) if !attests(model, &["basic_surrogate"]) => {
            let detail = format!("{} attests with a key of its maker's", model.description);
            checks.fail(&ck::SURROGATE, place(), detail);
        }
        Some(model) => checks.pass(&ck::SURROGATE, place(), format!("{} may attest so", model.description)),
        None => checks.skip(&ck::SURROGATE, place(), "the metadata do not know this model"),
    }
    Judged::nothing(Grade::Itself)
}
