//! Format `tpm` (Web Authentication, "TPM Attestation Statement Format"): a TPM certifies the credential key, and its
//! attestation names the digest of authenticator data and client data.
//!
//! WebAuthn does not ask what kind of key was certified: a key that was imported and can be copied passes. Whether it
//! stays in the TPM is judged here as in format `tpm`.

use super::super::tpm::checks as tck;
use super::super::tpm::ek::weakness;
use super::super::tpm::key::{self, Hierarchy};
use super::super::tpm::signature::{self, ecdsa_der, ids};
use super::super::tpm::statement::{check_name_alg, check_sha1};
use super::super::tpm::switches::{AkProfile, Switches};
use super::super::tpm::trust::{AkTrust, ByCertificate};
use super::super::{Attested, Context};
use super::checks as ck;
use super::claims::{self, Facts, Kind, Proved, Registered};
use super::model::{Ledger, attests, certification_level};
use super::object::Members;
use super::statement::{Grade, Judged, Subject, check_allowed};
use super::trust;
use crate::authentic::SignatureValid;
use crate::checks::Checks;
use crate::crypto::Scheme;
use crate::pki::Certificate;
use crate::reference::fido::Model;
use crate::wire::cose::Algorithm;
use crate::wire::tpm::{
    Attest, Certified, GENERATED, PublicArea, SignatureValue, TpmSignature, begins_like_signature, kind,
};

/// The statement's members.
struct Parts<'a> {
    version: &'a str,
    algorithm: i128,
    x5c: Vec<Certificate>,
    signature: &'a [u8],
    certified: &'a [u8],
    public: &'a [u8],
}

pub(super) fn judge(
    members: &Members<'_, '_>,
    subject: &Subject<'_>,
    ledger: &Ledger<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let place = subject.place.as_str();
    let read = || -> Result<Parts<'_>, String> {
        Ok(Parts {
            version: members.text("ver").ok_or("ver of the statement is missing or no text")?,
            algorithm: members.algorithm()?,
            x5c: members.x5c()?,
            signature: members.bytes("sig")?,
            certified: members.bytes("certInfo")?,
            public: members.bytes("pubArea")?,
        })
    };
    let parts = match read() {
        Ok(parts) => parts,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), why);
            return Judged::nothing(Grade::Other);
        }
    };
    let switches = Switches {
        subject_is_ak: false,
        derived_keys: false,
        null_hierarchy: false,
        ..Switches::of(cx.options)
    };
    let version = parts.version;
    checks.test(&ck::TPM_VERSION, place.to_owned(), version == "2.0", "version 2.0", || {
        format!("the statement is of version {version:?}").into()
    });
    let Some(leaf) = parts.x5c.first() else { return Judged::nothing(Grade::Other) };
    let scheme = check_scheme(&parts, leaf, place, checks);
    let proof = scheme.and_then(|scheme| check_signature(scheme, &parts, leaf, place, checks));
    let attest = check_attest(&parts, scheme, subject, checks);
    let public = check_public(&parts, attest.as_ref(), subject, switches, checks);
    check_allowed(&subject.credential.aaguid, place, cx, checks);
    let model = ledger.model(&subject.credential.aaguid);
    let ak = check_trust(&parts, leaf, model, ledger, place, cx, checks);
    if let Some(scheme) = scheme.filter(|_| proof.is_some()) {
        check_sha1(scheme, ak.as_ref().map(|ak| ak.microsofts), switches.sha1, place, checks);
    }
    ledger.check(model, Kind::Tpm, leaf.key().ok(), place, checks);
    let facts = Facts {
        kind: Kind::Tpm,
        model: model.cloned(),
        certification_level: model.and_then(|model| certification_level(model, None, cx)),
        software: ak.as_ref().is_some_and(|ak| ak.software),
    };
    let certificates = ak.as_ref().map_or_else(|| parts.x5c.clone(), |ak| ak.chain.clone());
    let attested = match (proof, ak, public, scheme) {
        (Some(proof), Some(ak), Some(public), Some(scheme)) => {
            say(proof, ak, public, scheme, subject, &facts)
        }
        _ => None,
    };
    Judged { grade: Grade::Other, attested, certificates }
}

/// The scheme that the statement names, when the attestation key can have it.
fn check_scheme(parts: &Parts<'_>, leaf: &Certificate, place: &str, checks: &mut Checks) -> Option<Scheme> {
    let read = || -> Result<Scheme, String> {
        let key = leaf.key().map_err(|error| format!("attestation key: {error}"))?;
        let algorithm = Algorithm::of(parts.algorithm)
            .ok_or_else(|| format!("algorithm {} is not known", parts.algorithm))?;
        let scheme = algorithm.scheme.filter(|scheme| algorithm.is_for(key) && scheme.hash().is_some());
        scheme.ok_or_else(|| format!("{} is not for a {} key in a TPM", algorithm.name, key.algorithm()))
    };
    match read() {
        Ok(scheme) => {
            if let Some(weak) = leaf.key().ok().and_then(weakness) {
                checks.fail(
                    &tck::AK_KEY_STRENGTH,
                    place.to_owned(),
                    format!("the attestation key is weak: {weak}"),
                );
            } else {
                checks.pass(&tck::AK_KEY_STRENGTH, place.to_owned(), "the attestation key is strong");
            }
            Some(scheme)
        }
        Err(why) => {
            checks.fail(&ck::SIGNATURE, place.to_owned(), why);
            None
        }
    }
}

/// The specification says TPMT_SIGNATURE; real statements carry the bare signature.
fn check_signature<'m>(
    scheme: Scheme,
    parts: &Parts<'m>,
    leaf: &Certificate,
    place: &str,
    checks: &mut Checks,
) -> Option<SignatureValid<'m>> {
    let structure =
        begins_like_signature(parts.signature).then(|| TpmSignature::read(parts.signature).ok()).flatten();
    let der;
    let value = match &structure {
        None => Some(parts.signature),
        Some(structure) if ids(scheme) != Some((structure.alg, structure.hash)) => None,
        Some(structure) => match structure.value {
            SignatureValue::Rsa(bytes) => Some(bytes),
            SignatureValue::Ec { r, s } => {
                der = ecdsa_der(r, s);
                der.as_deref()
            }
        },
    };
    let key = leaf.key().ok()?;
    let proof = value.and_then(|value| signature::with(key, scheme, parts.certified, value));
    checks.test(
        &ck::SIGNATURE,
        place.to_owned(),
        proof.is_some(),
        format!("the attestation key signed the attestation: {scheme}"),
        || match value {
            Some(_) => "the signature is not one of the attestation key over the attestation".into(),
            None => "the signature says of itself that it is of another algorithm than the statement".into(),
        },
    );
    proof
}

fn check_attest<'a>(
    parts: &Parts<'a>,
    scheme: Option<Scheme>,
    subject: &Subject<'_>,
    checks: &mut Checks,
) -> Option<Attest<'a>> {
    let place = || subject.place.clone();
    let attest = match Attest::read_with_any_flag(parts.certified) {
        Ok(attest) => attest,
        Err(fault) => {
            checks.fail(&ck::MALFORMED, place(), fault.to_string());
            return None;
        }
    };
    checks.test(&tck::TPM_MAGIC, place(), attest.magic == GENERATED, "it begins with TPM_GENERATED", || {
        format!("it begins with {:08x}, not with ff544347: no TPM composed it", attest.magic).into()
    });
    let certifies = matches!(attest.certified, Certified::Certify { .. });
    checks.test(&tck::TPM_ATTEST_TYPE, place(), certifies, kind::name(attest.kind), || {
        format!("it is a {} attestation ({:04x})", kind::name(attest.kind), attest.kind).into()
    });
    match scheme.and_then(Scheme::hash).zip(subject.message) {
        None => checks.skip(
            &ck::NONCE_MISMATCH,
            place(),
            "the client data are not there, or the hash is not known",
        ),
        Some((hash, message)) => {
            let same = attest.extra_data == hash.digest(message);
            checks.test(
                &ck::NONCE_MISMATCH,
                place(),
                same,
                "the attestation names authenticator and client data",
                || "the attestation is for other authenticator or client data".into(),
            );
        }
    }
    Some(attest)
}

fn check_public<'a>(
    parts: &Parts<'a>,
    attest: Option<&Attest<'_>>,
    subject: &Subject<'_>,
    switches: Switches,
    checks: &mut Checks,
) -> Option<PublicArea<'a>> {
    let place = || subject.place.clone();
    let public = match PublicArea::read(parts.public) {
        Ok(public) => public,
        Err(fault) => match sized(parts.public).map(PublicArea::read) {
            Some(Ok(public)) => {
                let detail =
                    "the public area has a size before it (TPM2B_PUBLIC), which WebAuthn does not have";
                checks.warn(&ck::MALFORMED, place(), detail);
                public
            }
            _ => {
                checks.fail(&ck::MALFORMED, place(), fault.to_string());
                return None;
            }
        },
    };
    if let Some(key) = subject.key {
        let same = public.key().is_some_and(|certified| certified == key.key);
        checks.test(&ck::KEY_MISMATCH, place(), same, "the public area is of the credential key", || {
            "the public area is of another key than the credential's".into()
        });
    }
    check_name_alg(&public, &subject.place, switches, checks);
    let Some(attest) = attest else { return Some(public) };
    let named = attest.name().is_some_and(|name| public.name().as_deref() == Some(name));
    if named || public.name().is_some() {
        checks.test(&tck::NAME_MISMATCH, place(), named, "its digest is the attested name", || {
            "the attestation is of another object than this public area".into()
        });
    }
    let hierarchy = Hierarchy::of(&public, &attest.certified, None);
    key::check(&public, hierarchy, &subject.place, switches, checks);
    Some(public)
}

/// The content of a TPM2B that fills the bytes.
fn sized(bytes: &[u8]) -> Option<&[u8]> {
    let (size, rest) = bytes.split_first_chunk::<2>()?;
    (usize::from(u16::from_be_bytes(*size)) == rest.len()).then_some(rest)
}

fn check_trust(
    parts: &Parts<'_>,
    leaf: &Certificate,
    model: Option<&Model>,
    ledger: &Ledger<'_>,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<AkTrust> {
    let by = ByCertificate {
        format: super::ID,
        serves: |anchor| trust::serves(anchor, trust::TPM),
        profile: AkProfile::WebAuthn,
        pool: &parts.x5c,
    };
    let ak = by.establish(leaf, place, cx, checks);
    let Some(model) = model else { return ak };
    if !attests(model, &["attca"]) {
        let detail = format!("{} is attested as {} only", model.description, model.attestation.join(", "));
        checks.fail(&ck::CHAIN_UNTRUSTED, place.to_owned(), detail);
        return None;
    }
    let own = ledger.anchors_of(model);
    let anchor = ak.as_ref()?.anchor.as_ref()?;
    let is_own = own.iter().any(|a| a.subject == anchor.subject && a.key == anchor.key);
    if !is_own {
        let detail = format!("the path ends at {}, which is no anchor of {}", anchor.name, model.description);
        checks.fail(&ck::CHAIN_UNTRUSTED, place.to_owned(), detail);
        return None;
    }
    ak
}

fn say(
    proof: SignatureValid<'_>,
    ak: AkTrust,
    public: PublicArea<'_>,
    scheme: Scheme,
    subject: &Subject<'_>,
    facts: &Facts,
) -> Option<Attested> {
    let hash = scheme.hash()?;
    let attest = ak.key.authenticate(proof)?.parse(Attest::read_with_any_flag).ok()?;
    // The attestation names the public area and the registration by their digests.
    let public = attest.endorse(public, |attest, public| {
        attest.name().is_some_and(|name| public.name().as_deref() == Some(name))
    })?;
    let registered = attest
        .endorse(subject.message?, |attest, message| attest.extra_data == hash.digest(message))?
        .parse(|message| message.get(..subject.auth_data.len()).and_then(Registered::read).ok_or(()))
        .ok()?;
    let proved =
        registered.join(public)?.join(ak.certificate?)?.parse(|((credential, public), certificate)| {
            let same = public.key().is_some_and(|key| key == credential.key);
            same.then_some(Proved { credential, certificate, public: Some(public) }).ok_or(())
        });
    Some(claims::say(&proved.ok()?, facts))
}
