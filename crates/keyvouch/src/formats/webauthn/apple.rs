//! Format `apple` (Web Authentication, "Apple Anonymous Attestation Statement Format"): Apple's authority issues a
//! certificate for the credential key, and writes the digest of authenticator data and client data into it.

use der::Tag;
use der::asn1::ObjectIdentifier;

use super::super::Context;
use super::checks as ck;
use super::claims::{self, Facts, Kind, Proved, Registered};
use super::object::Members;
use super::statement::{Grade, Judged, Subject, check_allowed};
use super::trust::{self, Trusted, Wanted, establish};
use crate::checks::Checks;
use crate::crypto::{Material, sha256};
use crate::pki::Certificate;
use crate::wire::der::{content, sequence, single};

const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.8.2");
/// The authority below Apple's root, as it is named.
const ISSUER: &str = "Apple WebAuthn CA 1";

pub(super) fn judge(
    members: &Members<'_, '_>,
    subject: &Subject<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Judged {
    let place = || subject.place.clone();
    // iOS 14 wrote an algorithm into the statement, which means nothing.
    let x5c = match members.x5c() {
        Ok(x5c) => x5c,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place(), why);
            return Judged::nothing(Grade::Other);
        }
    };
    let Some(leaf) = x5c.first() else { return Judged::nothing(Grade::Other) };
    let is_ca = !matches!(leaf.basic_constraints(), Some(Ok(constraints)) if !constraints.ca);
    let is_ec = leaf.key().is_ok_and(|key| matches!(key.material(), Material::Ec { .. }));
    checks.test(
        &ck::CERT_PROFILE,
        place(),
        leaf.version() == 3 && !is_ca && is_ec,
        "it has the form of Apple's certificates for credentials",
        || "the certificate is not that of an EC key which is no CA".into(),
    );
    check_nonce(leaf, subject, checks);
    if let Some(key) = subject.key {
        let same = leaf.key().is_ok_and(|certified| *certified == key.key);
        checks.test(&ck::KEY_MISMATCH, place(), same, "the certificate is of the credential key", || {
            "the certificate is of another key than the credential's".into()
        });
    }
    check_allowed(&subject.credential.aaguid, &subject.place, cx, checks);
    let anchors = trust::anchors(cx, trust::APPLE);
    let wanted = Wanted { anchors: &anchors, of_model: false, known_issuers: &[ISSUER] };
    let trusted = establish(&x5c, &wanted, &subject.place, cx, checks);
    let certificates = trusted.as_ref().map_or_else(|| x5c.clone(), |trusted| trusted.chain.clone());
    let attested = trusted.and_then(|trusted| attest(trusted, subject));
    Judged { grade: Grade::Other, attested, certificates }
}

fn attest(trusted: Trusted, subject: &Subject<'_>) -> Option<super::super::Attested> {
    // The certificate is what Apple signed; it names the rest by digest, and holds the credential key.
    let named = trusted.certificate.endorse(subject.message?, |certificate, message| {
        nonce(certificate).is_some_and(|nonce| nonce == sha256(message))
    })?;
    let length = subject.auth_data.len();
    let registered =
        named.parse(|message| message.get(..length).and_then(Registered::read).ok_or(())).ok()?;
    let proved = registered.join(trusted.certificate)?.parse(|(credential, certificate)| {
        let same = certificate.key().is_ok_and(|key| *key == credential.key);
        same.then_some(Proved { credential, certificate, public: None }).ok_or(())
    });
    let facts = Facts { kind: Kind::Apple, model: None, certification_level: None, software: false };
    Some(claims::say(&proved.ok()?, &facts))
}

fn check_nonce(leaf: &Certificate, subject: &Subject<'_>, checks: &mut Checks) {
    let place = subject.place.clone();
    let Some(message) = subject.message else {
        checks.skip(&ck::NONCE_MISMATCH, place, "the client data are not there");
        return;
    };
    match nonce(leaf) {
        None => checks.fail(&ck::NONCE_MISMATCH, place, "the certificate has no nonce in Apple's form"),
        Some(nonce) => {
            checks.test(
                &ck::NONCE_MISMATCH,
                place,
                nonce == sha256(message),
                "the certificate names authenticator and client data",
                || "the certificate is for other authenticator or client data".into(),
            );
        }
    }
}

/// `SEQUENCE { [1] EXPLICIT OCTET STRING }`, exactly.
fn nonce(certificate: &Certificate) -> Option<&[u8]> {
    let members = sequence(certificate.extension(NONCE)?.value, 1)?;
    let (tag, inner) = single(members.first()?)?;
    let explicit = matches!(tag, Tag::ContextSpecific { constructed: true, number: der::TagNumber(1) });
    content(inner, Tag::OctetString).filter(|nonce| explicit && nonce.len() == 32)
}
