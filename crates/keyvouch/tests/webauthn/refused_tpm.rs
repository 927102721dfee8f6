//! Failures of TPM statements.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use keyvouch::Authenticity::{Authentic, NotAuthentic, Undecided};
use keyvouch_emulator::crl;
use keyvouch_emulator::key::{Key, KeyKind, SignAlg, sha1};
use keyvouch_emulator::tpm::{AkAuthority, Public, SUBJECT_KEY, alg, attribute, hierarchy, kind, san};
use keyvouch_emulator::webauthn::Registration;
use keyvouch_emulator::webauthn::tpm::Hello;

use crate::bench::{Bench, hello};
use crate::support::judging::{Seen, failed, found};

fn changed(change: impl FnOnce(&mut Hello)) -> Bench {
    hello(KeyKind::P256, |_, h| change(h))
}

pub(crate) fn statements(seen: &mut Seen) {
    seen.fails(&changed(|h| h.version = "1.2".to_owned()).judged(), NotAuthentic, &["tpm-version"]);
    // The statement names another algorithm than the attestation key has.
    let other = changed(|h| h.alg = -257);
    seen.fails(&other.judged(), NotAuthentic, &["attestation-signature-invalid"]);
    let forged = changed(|h| h.statement.ak.key = Key::shared("webauthn: nobody's", KeyKind::P256).unwrap());
    seen.fails(&forged.judged(), NotAuthentic, &["attestation-signature-invalid"]);
    let magic = changed(|h| h.statement.change = |a| a.magic = 0x1234_5678);
    seen.fails(&magic.judged(), NotAuthentic, &["tpm-magic"]);
    let creation = changed(|h| h.statement.command = keyvouch_emulator::tpm::Command::CertifyCreation);
    seen.fails(&creation.judged(), NotAuthentic, &["tpm-attest-type"]);
    assert_ne!(kind::CREATION, kind::CERTIFY);
    let nonce = changed(|h| h.statement.nonce = vec![7; 32]);
    seen.fails(&nonce.judged(), NotAuthentic, &["nonce-mismatch"]);
    let name = changed(|h| {
        let mut public = h.statement.public.clone();
        public.auth_policy = vec![7; 32];
        h.public = Some(public.bytes());
    });
    seen.fails(&name.judged(), NotAuthentic, &["name-mismatch"]);
    let key = changed(|h| {
        let other = Key::shared("webauthn: nobody's", KeyKind::P256).unwrap();
        h.statement.public = Public::of(&other, SUBJECT_KEY).unwrap();
    });
    seen.fails(&key.judged(), NotAuthentic, &["key-mismatch"]);
    // A name made with SHA-1, or with a hash that nobody knows.
    let weak = changed(|h| h.statement.public.name_alg = alg::SHA1);
    seen.fails(&weak.judged(), NotAuthentic, &["name-alg-sha1"]);
    let allowed = weak.option("name_alg_sha1", "allow").judged();
    assert_eq!(failed(&allowed), Vec::<String>::new());
    let unknown = changed(|h| h.statement.public.name_alg = 0x0012);
    seen.fails(&unknown.judged(), NotAuthentic, &["name-alg"]);
    weak_signature(seen);
    certificates(seen);
}

/// Windows signs with SHA-1; below Microsoft's root that is let pass, below others only by the operator's leave.
fn weak_signature(seen: &mut Seen) {
    let bench = hello(KeyKind::P256, |registration, h| {
        let ak = keyvouch_emulator::tpm::Ak::new("hello rsa", KeyKind::Rsa2048).unwrap();
        let ak = ak.signing(SignAlg::RsaPkcs1Sha1);
        let certificate = h.authority.certificate(&ak).unwrap();
        let issuer = h.authority.issuer.key.clone();
        h.statement.ak_certificate = Some((certificate, issuer));
        h.statement.ak = ak;
        h.statement.nonce = sha1(&registration.message());
        h.alg = -65_535;
    });
    seen.fails(&bench.judged(), NotAuthentic, &["weak-signature"]);
    let allowed = bench.clone().option("sha1_attestation", "allow").judged();
    assert_eq!(failed(&allowed), Vec::<String>::new());
    assert!(found(&allowed).contains(&"weak-signature".to_owned()));
    // Nobody trusts the attestation key: nothing is decided anyhow.
    let mut untrusted = bench;
    untrusted.anchors.clear();
    seen.fails(&untrusted.judged(), Undecided, &["anchor-unknown"]);
}

fn certificates(seen: &mut Seen) {
    let of = |change: &dyn Fn(&mut keyvouch_emulator::x509::Certificate)| {
        changed(|h| change(&mut h.statement.ak_certificate.as_mut().unwrap().0))
    };
    let subject = of(&|c| c.subject = keyvouch_emulator::x509::common_name("an AIK").unwrap());
    seen.fails(&subject.judged(), NotAuthentic, &["tpm-aik-profile"]);
    let purpose = of(&|c| c.remove_extension("2.5.29.37"));
    seen.fails(&purpose.judged(), NotAuthentic, &["tpm-aik-profile"]);
    // The maker of the certificate is not the one in its issuer's name.
    let maker =
        of(&|c| *c.extension_mut("2.5.29.17").unwrap() = san("id:53544D20", "x", "id:1").unwrap().critical());
    seen.fails(&maker.judged(), NotAuthentic, &["device-maker-mismatch"]);
    let vendor = hello(KeyKind::P256, |_, h| {
        let authority = AkAuthority::named("keyvouch emulated AIK Root", "keyvouch emulated AIK CA").unwrap();
        let (certificate, key) = h.statement.ak_certificate.as_mut().unwrap();
        certificate.issuer = authority.issuer.certificate.subject.clone();
        *key = authority.issuer.key.clone();
        *certificate.extension_mut("2.5.29.17").unwrap() =
            san("id:00000000", "x", "id:1").unwrap().critical();
        h.statement.chain = vec![authority.issuer.der.clone()];
        h.authority = authority;
    });
    let judged = vendor.judged();
    assert_eq!(failed(&judged), Vec::<String>::new());
    seen.finds(&judged, "tpm-vendor-unknown");
    let weak = hello(KeyKind::P256, |_, h| {
        let (certificate, _) = h.statement.ak_certificate.as_mut().unwrap();
        let modulus = keyvouch_emulator::key::roca_modulus(256);
        certificate.spki = keyvouch_emulator::key::rsa_spki(&modulus, &[1, 0, 1]).unwrap();
        h.alg = -257;
    });
    let judged = weak.judged();
    seen.fails(&judged, NotAuthentic, &["ak-key-strength", "attestation-signature-invalid"]);
    // A list of the issuer's that has the certificate.
    let mut revoked = changed(|_| {});
    let fresh = Hello::new(&Registration::new(KeyKind::P256).unwrap()).unwrap();
    let (certificate, _) = fresh.statement.ak_certificate.clone().unwrap();
    let issuer = &fresh.authority.issuer;
    let (this, next) = ("2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z");
    let list = crl::RevocationList::new(issuer.certificate.subject.clone(), this, next)
        .with(&certificate.serial, "2026-04-01T00:00:00Z");
    let der = list.sign(&issuer.key, SignAlg::EcdsaSha384).unwrap();
    revoked.files.push(keyvouch_emulator::File::new("issuer.crl", der));
    seen.fails(&revoked.judged(), NotAuthentic, &["revoked"]);
    // The issuer, which is known by the form of its name, is not in the statement.
    let incomplete = changed(|h| h.statement.chain.clear());
    seen.fails(&incomplete.judged(), Undecided, &["chain-incomplete"]);
    // An AAGUID of a model that others attest: Windows Hello, below the operator's anchor.
    let windows = hello(KeyKind::P256, |registration, h| {
        registration.aaguid = *b"\x08\x98\x70\x58\xca\xdc\x4b\x81\xb6\xe1\x30\xde\x50\xdc\xbe\x96";
        h.statement.nonce = keyvouch_emulator::key::sha256(&registration.message());
    });
    seen.fails(&windows.judged(), NotAuthentic, &["chain-untrusted"]);
}

pub(crate) fn keys(seen: &mut Seen) {
    use attribute::{
        DECRYPT, FIXED_PARENT, FIXED_TPM, NO_DA, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN, ST_CLEAR,
        USER_WITH_AUTH,
    };
    let with = |attributes: u32| changed(|h| h.statement.public.attributes = attributes);
    let good = SUBJECT_KEY;
    seen.fails(&with(good | 1 << 13).judged(), NotAuthentic, &["key-attributes"]);
    let copied = with(good & !(FIXED_TPM | FIXED_PARENT)).judged();
    seen.fails(&copied, Authentic, &["key-not-tpm-bound"]);
    let imported = with(good & !(FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN)).judged();
    seen.fails(&imported, Authentic, &["key-not-tpm-bound", "key-origin"]);
    let restricted = changed(|h| {
        h.statement.public.attributes = good | RESTRICTED;
        h.statement.public.scheme = h.statement.ak.public.scheme;
    });
    seen.fails(&restricted.judged(), Authentic, &["key-restricted"]);
    // A size that is not that of the modulus.
    let size = hello(KeyKind::Rsa2048, |_, h| h.statement.public.key_bits = 3072);
    seen.fails(&size.judged(), Authentic, &["key-strength"]);
    let kind = changed(|h| {
        h.statement.public.kind = alg::KEYEDHASH;
        h.statement.public.unique = vec![vec![7; 32]];
    });
    seen.fails(&kind.judged(), NotAuthentic, &["key-type", "key-mismatch"]);
    let null = changed(|h| h.statement.parent = hierarchy::NULL.to_be_bytes().to_vec());
    seen.fails(&null.judged(), Authentic, &["key-hierarchy"]);
    let platform = changed(|h| h.statement.parent = hierarchy::PLATFORM.to_be_bytes().to_vec()).judged();
    seen.finds(&platform, "key-platform-hierarchy");
    seen.finds(&with((good & !SIGN) | DECRYPT).judged(), "key-usage");
    seen.finds(&with(good | ST_CLEAR).judged(), "key-stclear");
    seen.finds(&with(good | NO_DA).judged(), "key-noda");
    seen.finds(&with(good & !USER_WITH_AUTH).judged(), "key-unusable");
}
