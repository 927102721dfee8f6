//! Statements that are spoilt, wrongly signed, or not whole.

use keyvouch::Authenticity::{NotAuthentic, Undecided};
use keyvouch::{File, Reference, Submission};
use keyvouch_emulator::csr::{Attribute, Request};
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::tpm::{AkAuthority, Body, Scheme, alg, kind, tpm2b};
use keyvouch_emulator::x509::{self};
use keyvouch_emulator::{der, pem};

use crate::bench::{AT, Bench, ak, altered, fails, finds, judged, key, spoilt, with_option};
use crate::refused::{Ids, gather};
use crate::support::judging;

pub(crate) fn structures() -> Ids {
    gather(vec![
        // malformed: bytes after the attestation (signed so), a flag that is neither 0 nor 1, bytes after the
        // signature, a wrong size before the public area
        fails(
            altered(|s| {
                s.change = |a| {
                    if let Body::Certify { name, qualified_name } = &a.body {
                        a.body = Body::Raw([tpm2b(name), tpm2b(qualified_name), vec![0]].concat());
                    }
                }
            }),
            NotAuthentic,
            &["malformed"],
        ),
        fails(altered(|s| s.change = |a| a.safe = 2), NotAuthentic, &["malformed"]),
        fails(spoilt(|s| s.signature.push(0)), NotAuthentic, &["malformed"]),
        fails(spoilt(|s| s.public.truncate(40)), NotAuthentic, &["malformed", "public-area-missing"]),
        fails(
            {
                let mut bench = Bench::new();
                bench.extra.push(File::new("broken.der", [0x30, 0x82, 0, 1, 0]));
                bench.extra.push(File::new("broken.pem", pem::certificate(&[0x30, 0])));
                bench
            },
            NotAuthentic,
            &["malformed"],
        ),
        fails(altered(|s| s.change = |a| a.magic = 0x0102_0304), NotAuthentic, &["tpm-magic"]),
        fails(
            altered(|s| {
                s.change = |a| {
                    a.kind = kind::QUOTE;
                    a.body = Body::Raw(vec![0, 0, 0, 0, 0, 0]);
                }
            }),
            NotAuthentic,
            &["tpm-attest-type"],
        ),
        fails_tpm12(),
    ])
}

/// Subject Key Attestation Evidence: as attribute, as requested extension, in a certificate; in the TCG's form, in the
/// clear and encrypted, and in another.
fn fails_tpm12() -> Ids {
    const SKAE: &str = "2.23.133.6.1.1";
    let subject = key("subject", KeyKind::P256);
    let evidence = |number| {
        let version = der::sequence(&[der::integer(&[1]), der::integer(&[2])]);
        der::sequence(&[version, der::explicit(number, &der::sequence(&[der::null()]))])
    };
    let request = |attribute| {
        let request = Request::new(x509::common_name("TPM 1.2").unwrap(), &subject).unwrap();
        request.with(attribute).sign(&subject, SignAlg::EcdsaSha256).unwrap()
    };
    let extension = |oid: &str, value| {
        let critical = false;
        x509::Extension { oid: oid.to_owned(), critical, default_written: false, value }
    };
    let attribute = |value| request(Attribute::new(SKAE, value));
    let requested = extension("2.23.133.6.1.0", evidence(0));
    let certificate = {
        let mut certificate = AkAuthority::new().unwrap().certificate(&ak(KeyKind::P256)).unwrap();
        certificate.extensions.push(extension(SKAE, evidence(1)));
        certificate.sign(&subject, SignAlg::EcdsaSha256).unwrap()
    };
    let cases = [
        (attribute(evidence(0)), "TPM 1.2, in the clear"),
        (attribute(evidence(1)), "TPM 1.2, encrypted"),
        (attribute(der::null()), "another form"),
        (request(Attribute::extension_request(&[requested]).unwrap()), "in the clear"),
        (certificate, "encrypted"),
    ];
    let judge_one = |(bytes, says): (Vec<u8>, &str)| {
        let submission = Submission::new(vec![File::new("skae.der", bytes)], AT.parse().unwrap());
        let appraisal = judging::judge(Reference::builtin().unwrap(), &submission);
        assert!(appraisal.failed().any(|c| c.detail.contains(says)), "{says}: {:#?}", appraisal.checks);
        judged(appraisal, Undecided, &["tpm12-evidence"])
    };
    gather(cases.into_iter().map(judge_one).collect())
}

pub(crate) fn signature() -> Ids {
    let rsa = || Bench::of(KeyKind::P256, KeyKind::Rsa2048);
    let spoilt_rsa = |change: fn(&mut Vec<u8>)| {
        let mut bench = rsa();
        bench.spoil = Box::new(move |s| change(&mut s.signature));
        bench
    };
    gather(vec![
        // sig-alg: another hash, or another padding, than the structure says
        fails(spoilt_rsa(|s| s[3] = 0x0c), NotAuthentic, &["sig-alg"]),
        fails(spoilt_rsa(|s| s[1] = 0x16), NotAuthentic, &["sig-alg"]),
        // ... or than the public area of the attestation key says
        fails(
            {
                let mut bench = rsa();
                bench.statement.ak.public.scheme = Scheme { alg: alg::RSAPSS, hash: alg::SHA256 };
                let public = tpm2b(&bench.statement.ak.public.bytes());
                bench.extra.push(File::new("ak.pub", public));
                bench
            },
            NotAuthentic,
            &["sig-alg"],
        ),
        // ... or of a kind that the only attestation key at hand does not make
        fails(
            {
                let mut bench = Bench::new();
                let certificate = AkAuthority::new().unwrap().certificate(&ak(KeyKind::Rsa2048)).unwrap();
                bench.statement.ak_certificate.as_mut().unwrap().0 = certificate;
                bench
            },
            NotAuthentic,
            &["sig-alg", "attest-signature"],
        ),
        // attest-signature
        fails(spoilt(|s| *s.signature.last_mut().unwrap() ^= 1), NotAuthentic, &["attest-signature"]),
        fails(spoilt(|s| s.attest[40] ^= 1), NotAuthentic, &["attest-signature"]),
        fails(
            {
                let mut bench = Bench::new();
                bench.statement.ak.key = key("stranger", KeyKind::P256);
                bench
            },
            NotAuthentic,
            &["attest-signature"],
        ),
        // r or s zero
        fails(
            spoilt(|s| s.signature = [&[0, 0x18, 0, 0x0b][..], &tpm2b(&[0; 32]), &tpm2b(&[1; 32])].concat()),
            NotAuthentic,
            &["attest-signature"],
        ),
        // weak-signature: by default, and when refused; allowed, it is a finding
        fails(sha1(), NotAuthentic, &["weak-signature"]),
        fails(with_option(sha1(), "sha1_attestation", "refuse"), NotAuthentic, &["weak-signature"]),
        finds(with_option(sha1(), "sha1_attestation", "allow"), "weak-signature"),
    ])
}

pub(crate) fn sha1() -> Bench {
    let ak = ak(KeyKind::Rsa2048).signing(SignAlg::RsaPkcs1Sha1);
    Bench::with(AkAuthority::new().unwrap(), KeyKind::P256, ak)
}

pub(crate) fn missing() -> Ids {
    let without = |names: &[&'static str]| {
        let mut bench = Bench::new();
        bench.without = names.to_vec();
        bench
    };
    gather(vec![
        fails(without(&["key.sig"]), Undecided, &["statement-missing"]),
        fails(without(&["key.sig", "key.attest"]), Undecided, &["statement-missing"]),
        fails(without(&["key.attest", "key.pub"]), Undecided, &["statement-missing"]),
        fails(
            {
                let mut bench = without(&["key.pub", "key.sig", "key.attest"]);
                bench.extra.push(File::new("cred.blob", [&[0xba, 0xdc, 0xc0, 0xde][..], &[0; 40]].concat()));
                bench
            },
            Undecided,
            &["statement-missing"],
        ),
        fails(without(&["key.pub"]), Undecided, &["public-area-missing"]),
        // The public area of the attestation key is not that of the key.
        fails(
            {
                let mut bench = without(&["key.pub"]);
                bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
                bench
            },
            Undecided,
            &["public-area-missing"],
        ),
    ])
}
