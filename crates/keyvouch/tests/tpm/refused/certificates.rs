//! Certificates of attestation keys, and paths from them.

use keyvouch::Authenticity::{NotAuthentic, Undecided};
use keyvouch::File;
use keyvouch_emulator::der;
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::tpm::{Ak, AkAuthority, san, tpm2b};
use keyvouch_emulator::x509::{self, Authority, usage};

use crate::bench::{Bench, ak, altered, anchor_toml, certified, fails, finds, key, with_option};
use crate::refused::{Ids, gather};
use crate::support::judging::failed;

pub(crate) fn attestation_key_trust() -> Ids {
    let bare = || {
        let mut bench = Bench::new();
        bench.statement.ak_certificate = None;
        bench.statement.chain.clear();
        bench
    };
    let with_public = |mut bench: Bench| {
        bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
        bench
    };
    let pinning = |mut bench: Bench, bytes: Vec<u8>| {
        bench.pinned = Some(bytes);
        bench
    };
    let stranger = key("stranger", KeyKind::P256).spki_der().unwrap();
    gather(vec![
        fails(bare(), Undecided, &["ak-unknown"]),
        fails(with_public(bare()), Undecided, &["ak-unknown"]),
        // A pin that holds no key, or several.
        fails(pinning(bare(), b"no key".to_vec()), Undecided, &["ak-unknown"]),
        fails(pinning(Bench::new(), b"no key".to_vec()), Undecided, &["ak-unknown"]),
        // The pinned key did not sign: nothing else is there, or another key did.
        fails(pinning(bare(), stranger.clone()), NotAuthentic, &["attest-signature"]),
        fails(pinning(Bench::new(), stranger), Undecided, &["ak-unknown"]),
    ])
}

pub(crate) fn certificates() -> Ids {
    let maker = |text: &'static str| {
        certified(move |c| *c.extension_mut("2.5.29.17").unwrap() = san(text, "M", "1").unwrap())
    };
    gather(vec![
        // tpm-aik-profile: no purpose, that of an EK, no maker, an authority, a key that may not sign
        fails(certified(|c| c.remove_extension("2.5.29.37")), NotAuthentic, &["tpm-aik-profile"]),
        fails(
            certified(|c| {
                *c.extension_mut("2.5.29.37").unwrap() = x509::extended_key_usage(&["2.23.133.8.1"]).unwrap();
            }),
            NotAuthentic,
            &["tpm-aik-profile"],
        ),
        fails(certified(|c| c.remove_extension("2.5.29.17")), NotAuthentic, &["tpm-aik-profile"]),
        fails(
            certified(|c| {
                *c.extension_mut("2.5.29.19").unwrap() = x509::basic_constraints(true, None);
            }),
            NotAuthentic,
            &["tpm-aik-profile"],
        ),
        fails(
            certified(|c| {
                *c.extension_mut("2.5.29.15").unwrap() = x509::key_usage(&[usage::NON_REPUDIATION])
            }),
            NotAuthentic,
            &["tpm-aik-profile"],
        ),
        fails(
            certified(|c| {
                *c.extension_mut("2.5.29.15").unwrap() = x509::key_usage(&[usage::KEY_ENCIPHERMENT])
            }),
            NotAuthentic,
            &["tpm-aik-profile"],
        ),
        // With the profile "any" an EK's certificate and an authority's are still refused.
        fails(
            with_option(
                certified(|c| {
                    *c.extension_mut("2.5.29.37").unwrap() =
                        x509::extended_key_usage(&["2.23.133.8.1"]).unwrap();
                }),
                "ak_profile",
                "any",
            ),
            NotAuthentic,
            &["tpm-aik-profile"],
        ),
        // WebAuthn's profile demands an empty subject and a critical SAN.
        fails(
            with_option(
                certified(|c| c.subject = x509::common_name("AK").unwrap()),
                "ak_profile",
                "webauthn",
            ),
            NotAuthentic,
            &["tpm-aik-profile"],
        ),
        fails(
            with_option(
                certified(|c| c.extension_mut("2.5.29.17").unwrap().critical = false),
                "ak_profile",
                "webauthn",
            ),
            NotAuthentic,
            &["tpm-aik-profile"],
        ),
        // tpm-vendor-unknown is a finding
        finds(maker("id:58585858"), "tpm-vendor-unknown"),
        finds(maker("Infineon"), "tpm-vendor-unknown"),
        // device-maker-mismatch: the issuer certifies TPMs of Nuvoton
        fails(keyid("EUS-NTC-KEYID-00112233445566778899"), NotAuthentic, &["device-maker-mismatch"]),
        // expired, not-yet-valid
        fails(certified(|c| c.not_after = "2026-01-01T00:00:00Z".to_owned()), NotAuthentic, &["expired"]),
        fails(
            certified(|c| c.not_before = "2026-07-01T00:00:00Z".to_owned()),
            NotAuthentic,
            &["not-yet-valid"],
        ),
        fails(
            {
                let mut bench = Bench::new();
                bench.at = "2046-01-01T00:00:00Z";
                bench
            },
            NotAuthentic,
            &["expired"],
        ),
    ])
}

pub(crate) fn keyid(issuer: &str) -> Bench {
    let authority = AkAuthority::named("keyvouch emulated AK Root CA", issuer).unwrap();
    Bench::with(authority, KeyKind::P256, ak(KeyKind::P256))
}

pub(crate) fn chains() -> Ids {
    let swapped = |from: usize| {
        // The same names, other keys.
        let mut bench = Bench::new();
        let key = key("impostor", KeyKind::P384);
        let root =
            Authority::root(bench.authority.root.certificate.clone(), key.clone(), SignAlg::EcdsaSha384);
        let root = root.unwrap();
        let mut template = bench.authority.issuer.certificate.clone();
        template.spki = key.spki_der().unwrap();
        let issuer = match from {
            0 => bench.authority.root.subordinate(template, key.clone(), SignAlg::EcdsaSha384).unwrap(),
            _ => root.subordinate(template, key.clone(), SignAlg::EcdsaSha384).unwrap(),
        };
        bench.statement.ak_certificate.as_mut().unwrap().1 = key;
        (bench, root, issuer)
    };
    gather(vec![
        // chain-untrusted: the issuer at hand did not sign; a false issuer below a false root of the same name,
        // with and without the root; an issuer that is no authority
        fails(swapped(0).0, NotAuthentic, &["chain-untrusted"]),
        fails(
            {
                let (mut bench, _, issuer) = swapped(1);
                bench.statement.chain = vec![issuer.der];
                bench
            },
            NotAuthentic,
            &["chain-untrusted"],
        ),
        fails(
            {
                let (mut bench, root, issuer) = swapped(1);
                bench.statement.chain = vec![issuer.der, root.der];
                bench
            },
            NotAuthentic,
            &["chain-untrusted"],
        ),
        fails(
            {
                let mut bench = Bench::new();
                let root = bench.authority.root.clone();
                let mut template = bench.authority.issuer.certificate.clone();
                template.remove_extension("2.5.29.19");
                let issuer =
                    root.subordinate(template, bench.authority.issuer.key.clone(), SignAlg::EcdsaSha384);
                bench.statement.chain = vec![issuer.unwrap().der];
                bench
            },
            NotAuthentic,
            &["chain-untrusted"],
        ),
        // An attestation key of a genuine TPM issues no certificates.
        fails(
            {
                let mut bench = Bench::new();
                let genuine = bench.statement.ak.clone();
                let other = Ak::new("AK below an AK", KeyKind::P256).unwrap();
                let mut certificate = bench.authority.certificate(&other).unwrap();
                certificate.issuer = x509::common_name("AK").unwrap();
                let (mut above, signer) = bench.statement.ak_certificate.take().unwrap();
                above.subject = certificate.issuer.clone();
                bench.statement.ak = other;
                bench.statement.ak_certificate = Some((certificate, genuine.key));
                bench.statement.chain.insert(0, above.sign(&signer, SignAlg::EcdsaSha384).unwrap());
                bench
            },
            NotAuthentic,
            &["chain-untrusted"],
        ),
        // A root that is known and never trusted.
        fails(
            {
                let mut bench = Bench::new();
                bench.distrust();
                let data = anchor_toml(&bench.authority.root, "test").replace("'root'", "'untrusted'");
                bench.reference.load_operator_file("tests.toml", &data).unwrap();
                bench
            },
            NotAuthentic,
            &["chain-untrusted"],
        ),
        // chain-incomplete: an issuer of Microsoft's naming that is not at hand
        fails(
            {
                let mut bench = keyid("EUS-IFX-KEYID-00112233445566778899");
                bench.statement.chain.clear();
                bench
            },
            Undecided,
            &["chain-incomplete"],
        ),
        // anchor-unknown: no anchor; no intermediate; a self-signed certificate of the attestation key
        fails(
            {
                let mut bench = Bench::new();
                bench.distrust();
                bench
            },
            Undecided,
            &["anchor-unknown"],
        ),
        fails(altered(|s| s.chain.clear()), Undecided, &["anchor-unknown"]),
        fails(
            altered(|s| {
                let (certificate, signer) = s.ak_certificate.as_mut().unwrap();
                certificate.subject = x509::common_name("AK").unwrap();
                certificate.issuer = certificate.subject.clone();
                *signer = s.ak.key.clone();
            }),
            Undecided,
            &["anchor-unknown"],
        ),
    ])
}

pub(crate) fn revocation() -> Ids {
    let list = |bench: &Bench, serial: &[u8], signer: &Key| {
        let issuer = &bench.authority.issuer;
        let algorithm = SignAlg::EcdsaSha384.algorithm_identifier().unwrap();
        let time = |text| der::time(text).unwrap();
        let entry = der::sequence(&[der::tlv(0x02, serial), time("2026-01-01T00:00:00Z")]);
        let tbs = der::sequence(&[
            der::integer(&[1]),
            algorithm.clone(),
            issuer.certificate.subject.clone(),
            time("2026-05-01T00:00:00Z"),
            time("2026-07-01T00:00:00Z"),
            der::sequence(&[entry]),
        ]);
        let signature = signer.sign(SignAlg::EcdsaSha384, &tbs).unwrap();
        der::sequence(&[tbs, algorithm, der::bit_string(&signature)])
    };
    let listing = |serial: Option<Vec<u8>>, operators: bool, signer: Option<&Key>| {
        let mut bench = Bench::new();
        let own = bench.statement.ak_certificate.as_ref().unwrap().0.serial.clone();
        let key = bench.authority.issuer.key.clone();
        let crl = list(&bench, &serial.unwrap_or(own), signer.unwrap_or(&key));
        if operators {
            bench.reference.load_operator_certificates("list.crl", &crl).unwrap();
        } else {
            bench.extra.push(File::new("list.crl", crl));
        }
        bench
    };
    let other = listing(Some(vec![7]), false, None).judge();
    assert_eq!(failed(&other), Vec::<String>::new());
    // A list that another key signed says nothing, and is told.
    let stranger = key("impostor", KeyKind::P384);
    gather(vec![
        fails(listing(None, false, None), NotAuthentic, &["revoked"]),
        fails(listing(None, true, None), NotAuthentic, &["revoked"]),
        finds(listing(None, false, Some(&stranger)), "revoked"),
    ])
}
