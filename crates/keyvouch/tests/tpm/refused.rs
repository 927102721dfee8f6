//! One failure for every check; the last assertion proves that none is missing.

use std::collections::BTreeSet;

use keyvouch::Authenticity::{Authentic, NotAuthentic, Undecided};
use keyvouch::{File, Reference, Submission, Verifier};
use keyvouch_emulator::csr::{Attribute, Request};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg, roca_modulus, rsa_spki};
use keyvouch_emulator::tpm::{
    Ak, AkAuthority, Body, Command, Creation, Maker, Public, Scheme, Statement, alg, attribute, hierarchy,
    kind, name_of, san, tpm2b,
};
use keyvouch_emulator::x509::{self, Authority, usage};
use keyvouch_emulator::{der, pem};

use crate::bench::{
    AT, Bench, ak, altered, anchor_toml, certified, failed, fails, finds, hex, judged, key, only, spoilt,
    with_option,
};

#[test]
fn every_check_can_fail() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for group in [
        structures,
        signature,
        missing,
        attestation_key_trust,
        certificates,
        chains,
        revocation,
        activation,
        attestation_key,
        names,
        key_itself,
        findings,
    ] {
        seen.extend(group());
    }
    let about = keyvouch::formats::about().find(|a| a.id == "tpm").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    // Key quality is judged for every format.
    let shared: BTreeSet<&str> = keyvouch::shared_checks().map(|c| c.id).collect();
    seen.retain(|id| !shared.contains(id.as_str()));
    assert_eq!(seen, all);
}

type Ids = Vec<String>;

fn gather(groups: Vec<Ids>) -> Ids {
    groups.into_iter().flatten().collect()
}

fn structures() -> Ids {
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

fn fails_tpm12() -> Ids {
    let subject = key("subject", KeyKind::P256);
    let request = Request::new(x509::common_name("TPM 1.2").unwrap(), &subject)
        .unwrap()
        .with(Attribute::new("2.23.133.6.1.1", der::null()))
        .sign(&subject, SignAlg::EcdsaSha256)
        .unwrap();
    let submission = Submission::new(vec![File::new("skae.csr", request)], AT.parse().unwrap());
    let report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
    judged(only(report), Undecided, &["tpm12-evidence"])
}

fn signature() -> Ids {
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

fn missing() -> Ids {
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

fn attestation_key_trust() -> Ids {
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

fn certificates() -> Ids {
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

fn chains() -> Ids {
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

fn revocation() -> Ids {
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

/// A statement whose attestation key was activated for an endorsement key.
pub(crate) struct Activated {
    pub(crate) bench: Bench,
    maker: Maker,
    ek: x509::Certificate,
    record: serde_json::Value,
}

impl Activated {
    pub(crate) fn new() -> Self {
        let maker = Maker::new().unwrap();
        let ek_key = key("EK", KeyKind::Rsa2048);
        let ek = maker.certificate(&ek_key).unwrap();
        let mut bench = Bench::new();
        bench.statement.ak_certificate = None;
        bench.distrust();
        for anchor in maker.anchors() {
            bench.reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
        let record = serde_json::json!({
            "ek_spki_sha256": hex(&keyvouch::crypto::sha256(&ek.spki)),
            "ak_name": hex(&bench.statement.ak.public.name()),
            "expires": "2026-06-01T01:00:00Z",
        });
        Self { bench, maker, ek, record }
    }

    pub(crate) fn bench(mut self) -> Bench {
        let ek = self.maker.sign(&self.ek).unwrap();
        self.bench.statement.chain = vec![ek, self.maker.issuer.der.clone()];
        with_option(self.bench, "activation", self.record)
    }

    fn recording(mut self, member: &str, value: &str) -> Bench {
        self.record[member] = value.into();
        self.bench()
    }

    fn ek(mut self, change: impl FnOnce(&mut x509::Certificate)) -> Bench {
        change(&mut self.ek);
        self.record["ek_spki_sha256"] = hex(&keyvouch::crypto::sha256(&self.ek.spki)).into();
        self.bench()
    }
}

/// The certificate names STMicroelectronics, and its root is known as one of Infineon's.
fn below_another_makers_root() -> Bench {
    let activated = Activated::new();
    let anchor = anchor_toml(&activated.maker.root, "discrete")
        .replace("emulated-discrete", "tpm-infineon-emulated")
        .replace("['tpm']", "['tpm-ek']");
    let mut bench = activated.bench();
    bench.distrust();
    bench.reference.load_operator_file("anchors.toml", &anchor).unwrap();
    bench
}

fn activation() -> Ids {
    let no_public = || {
        let mut bench = Activated::new().bench();
        bench.extra.clear();
        bench
    };
    let usages = |bits: &'static [u8]| {
        Activated::new().ek(|c| *c.extension_mut("2.5.29.15").unwrap() = x509::key_usage(bits))
    };
    gather(vec![
        fails(Activated::new().recording("ak_name", "000b00"), Undecided, &["activation"]),
        fails(Activated::new().recording("ek_spki_sha256", &"00".repeat(32)), Undecided, &["activation"]),
        fails(Activated::new().recording("expires", "2026-05-31T23:59:59Z"), Undecided, &["activation"]),
        fails(Activated::new().recording("expires", "soon"), Undecided, &["activation"]),
        // Without the public area, the name is not known: and the key is not there either.
        fails(no_public(), Undecided, &["ak-unknown"]),
        // A record that is not for this evidence is never silent, even where a certificate would do.
        fails(with_option(Bench::new(), "activation", Activated::new().record), Undecided, &["activation"]),
        fails(
            {
                let mut bench = Activated::new().bench();
                bench.distrust();
                bench
            },
            Undecided,
            &["anchor-unknown"],
        ),
        fails(below_another_makers_root(), NotAuthentic, &["ek-maker-mismatch"]),
        // ek-usage: may sign; lacks its purpose; is an authority
        fails(usages(&[usage::KEY_ENCIPHERMENT, usage::DIGITAL_SIGNATURE]), NotAuthentic, &["ek-usage"]),
        fails(usages(&[usage::KEY_CERT_SIGN]), NotAuthentic, &["ek-usage"]),
        fails(Activated::new().ek(|c| c.remove_extension("2.5.29.37")), NotAuthentic, &["ek-usage"]),
        fails(
            Activated::new()
                .ek(|c| *c.extension_mut("2.5.29.19").unwrap() = x509::basic_constraints(true, None)),
            NotAuthentic,
            &["ek-usage"],
        ),
        fails(Activated::new().ek(|c| c.remove_extension("2.5.29.17")), NotAuthentic, &["ek-san"]),
        // ek-key-strength: ROCA
        fails(
            Activated::new().ek(|c| c.spki = rsa_spki(&roca_modulus(256), &[1, 0, 1]).unwrap()),
            NotAuthentic,
            &["ek-key-strength"],
        ),
        // An unrestricted key, activated: it is in the TPM and signs anything.
        fails(
            {
                let mut activated = Activated::new();
                let ak = &mut activated.bench.statement.ak;
                ak.public.attributes = keyvouch_emulator::tpm::SUBJECT_KEY;
                activated.record["ak_name"] = hex(&ak.public.name()).into();
                activated.bench.extra = vec![File::new("ak.pub", tpm2b(&ak.public.bytes()))];
                activated.bench()
            },
            NotAuthentic,
            &["ak-not-restricted"],
        ),
    ])
}

fn attestation_key() -> Ids {
    use attribute::{DECRYPT, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN};
    let with_attributes = |attributes: u32| {
        let mut bench = Bench::new();
        bench.statement.ak.public.attributes = attributes;
        bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
        bench
    };
    let good = keyvouch_emulator::tpm::ATTESTATION_KEY;
    let mut groups = Vec::new();
    for lacking in [RESTRICTED, SIGN, FIXED_TPM, FIXED_PARENT, SENSITIVE_DATA_ORIGIN] {
        groups.push(fails(with_attributes(good & !lacking), NotAuthentic, &["ak-not-restricted"]));
    }
    groups.push(fails(with_attributes(good | DECRYPT), NotAuthentic, &["ak-not-restricted"]));
    groups.push(fails(
        {
            let mut bench = Bench::new();
            bench.statement.ak.public.scheme = Scheme::NONE;
            bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
            bench
        },
        NotAuthentic,
        &["ak-not-restricted"],
    ));
    // ak-key-strength
    groups.push(fails(
        {
            let mut bench = Bench::with(AkAuthority::new().unwrap(), KeyKind::P256, ak(KeyKind::Rsa1024));
            bench.pin();
            bench
        },
        NotAuthentic,
        &["ak-key-strength"],
    ));
    let own_creation = |creation: Option<Creation>, parent: Vec<u8>| {
        let mut bench = Bench::new();
        let ak = bench.statement.ak.clone();
        bench.statement.ak.parent = parent;
        let made = creation.clone().unwrap_or_else(Creation::below_storage_key);
        let (attest, signature) = ak.creation_statement(&made).unwrap();
        bench.extra = vec![
            File::new("ak.pub", tpm2b(&ak.public.bytes())),
            File::new("ak.attest", attest),
            File::new("ak.sig", signature),
        ];
        bench.extra.extend(creation.map(|data| File::new("ak.cdata", tpm2b(&data.bytes()))));
        bench
    };
    let below = Creation::below_storage_key();
    let owner = hierarchy::OWNER.to_be_bytes().to_vec();
    let complete = own_creation(Some(below.clone()), below.parent_qualified_name.clone()).judge();
    assert_eq!(failed(&complete), Vec::<String>::new());
    assert!(complete.checks.iter().any(|c| c.id == "ak-creation"));
    groups.push(fails(
        own_creation(None, below.parent_qualified_name.clone()),
        NotAuthentic,
        &["ak-creation"],
    ));
    groups.push(fails(own_creation(Some(below), owner), NotAuthentic, &["qualified-signer"]));
    // An attestation key that is the subject has the same to be.
    groups.push(fails(
        with_option(
            altered(|s| s.public = Public::of(&key("subject", KeyKind::P256), 0x0004_0072).unwrap()),
            "subject",
            "attestation-key",
        ),
        NotAuthentic,
        &["ak-not-restricted"],
    ));
    gather(groups)
}

fn names() -> Ids {
    gather(vec![
        fails(altered(|s| s.public.name_alg = alg::SM3), NotAuthentic, &["name-alg"]),
        fails(altered(|s| s.public.name_alg = alg::SHA1), NotAuthentic, &["name-alg-sha1"]),
        finds(
            with_option(altered(|s| s.public.name_alg = alg::SHA1), "name_alg_sha1", "allow"),
            "name-alg-sha1",
        ),
        // name-mismatch: another public area; the same with one attribute more
        fails(
            spoilt(|s| {
                s.public = Public::of(&key("stranger", KeyKind::P256), 0x0004_0072).unwrap().bytes();
            }),
            NotAuthentic,
            &["name-mismatch"],
        ),
        fails(spoilt(|s| s.public[6] |= 0x04), NotAuthentic, &["name-mismatch"]),
        // creation-hash
        fails(
            {
                let mut bench = altered(|s| s.command = Command::CertifyCreation);
                bench.spoil = Box::new(|s| *s.creation.as_mut().unwrap().last_mut().unwrap() ^= 0);
                bench.without = vec!["key.cdata"];
                let mut other = Creation::below_storage_key();
                other.outside_info = vec![1];
                bench.extra.push(File::new("other.cdata", other.bytes()));
                bench
            },
            NotAuthentic,
            &["creation-hash"],
        ),
    ])
}

fn key_itself() -> Ids {
    use attribute::{
        DECRYPT, ENCRYPTED_DUPLICATION, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN,
        USER_WITH_AUTH,
    };
    let with = |attributes: u32| altered(|s| s.public.attributes = attributes);
    let good = keyvouch_emulator::tpm::SUBJECT_KEY;
    let fit = |bench: Bench, ids: &[&str]| fails(bench, Authentic, ids);
    let of_rsa = |change: fn(&mut Statement)| {
        let mut bench = Bench::of(KeyKind::Rsa2048, KeyKind::P256);
        change(&mut bench.statement);
        bench
    };
    let null = |s: &mut Statement| s.parent = hierarchy::NULL.to_be_bytes().to_vec();
    gather(vec![
        // key-attributes: what no TPM creates
        fails(with(good | 1 << 13), NotAuthentic, &["key-attributes"]),
        fails(with(good & !FIXED_PARENT), NotAuthentic, &["key-attributes", "key-not-tpm-bound"]),
        fails(with(good | ENCRYPTED_DUPLICATION), NotAuthentic, &["key-attributes"]),
        fails(with(good & !SIGN), NotAuthentic, &["key-attributes"]),
        fails(with(good | RESTRICTED | DECRYPT), NotAuthentic, &["key-attributes", "key-restricted"]),
        fails(with(good | RESTRICTED), NotAuthentic, &["key-attributes", "key-restricted"]),
        // The rest is authentic, and no policy accepts it.
        fit(with(good & !(FIXED_TPM | FIXED_PARENT)), &["key-not-tpm-bound"]),
        fit(with(good & !FIXED_TPM), &["key-not-tpm-bound"]),
        fit(with(good & !SENSITIVE_DATA_ORIGIN), &["key-origin"]),
        fit(with(SIGN | USER_WITH_AUTH), &["key-not-tpm-bound", "key-origin"]),
        finds(with_option(with(good & !SENSITIVE_DATA_ORIGIN), "derived_keys", "allow"), "key-origin"),
        // ... and no leave for what was imported
        fit(
            with_option(with(SIGN | USER_WITH_AUTH), "derived_keys", "allow"),
            &["key-not-tpm-bound", "key-origin"],
        ),
        fit(altered(|s| s.public = s.ak.public.clone()), &["key-restricted"]),
        fit(
            altered(|s| {
                s.public.kind = alg::KEYEDHASH;
                s.public.unique = vec![vec![7; 32]];
            }),
            &["key-type"],
        ),
        fit(Bench::of(KeyKind::Rsa1024, KeyKind::P256), &["key-strength", "weak-key"]),
        fit(of_rsa(|s| s.public.key_bits = 3072), &["key-strength"]),
        fit(of_rsa(|s| s.public.exponent = 2), &["key-strength", "rsa-exponent"]),
        fit(altered(|s| s.public.curve = 2), &["key-strength"]),
        fit(altered(|s| s.public.unique[0][5] ^= 1), &["key-strength", "ec-point"]),
        fit(altered(null), &["key-hierarchy"]),
        finds(with_option(altered(null), "null_hierarchy", "allow"), "key-hierarchy"),
        fit(
            altered(|s| {
                s.command = Command::CertifyCreation;
                s.creation = Creation::primary(hierarchy::NULL);
            }),
            &["key-hierarchy"],
        ),
    ])
}

fn findings() -> Ids {
    use attribute::{DECRYPT, NO_DA, SIGN, ST_CLEAR, USER_WITH_AUTH};
    let good = keyvouch_emulator::tpm::SUBJECT_KEY;
    let with = |attributes: u32| altered(|s| s.public.attributes = attributes);
    gather(vec![
        finds(with(good & !SIGN | DECRYPT), "key-usage"),
        finds(altered(|s| s.parent = hierarchy::PLATFORM.to_be_bytes().to_vec()), "key-platform-hierarchy"),
        finds(with(good | ST_CLEAR), "key-stclear"),
        finds(with(good | NO_DA), "key-noda"),
        finds(with(good & !USER_WITH_AUTH), "key-unusable"),
    ])
}

/// The owner of a genuine TPM lets an ordinary key of it sign a forged attestation of a key made in software.
#[test]
fn an_unrestricted_key_forges_and_is_refused() {
    let forged = || {
        let mut bench = Bench::new();
        bench.statement.ak.public.attributes = keyvouch_emulator::tpm::SUBJECT_KEY;
        bench
    };
    // Nothing but its public area tells it: given beside, or pinned.
    let mut beside = forged();
    beside.extra.push(File::new("ak.pub", tpm2b(&beside.statement.ak.public.bytes())));
    fails(beside, NotAuthentic, &["ak-not-restricted"]);
    let mut pinned = forged();
    pinned.pin();
    fails(pinned, NotAuthentic, &["ak-not-restricted"]);
}

/// A second public area of the attestation key with better attributes helps nothing: every one is looked at.
#[test]
fn a_false_public_area_of_the_attestation_key_does_not_hide_the_true_one() {
    let mut activated = Activated::new();
    let ak = &mut activated.bench.statement.ak;
    let better = ak.public.clone();
    ak.public.attributes = keyvouch_emulator::tpm::SUBJECT_KEY;
    activated.record["ak_name"] = hex(&ak.public.name()).into();
    let files = [&ak.public, &better].map(|p| File::new("ak.pub", tpm2b(&p.bytes())));
    activated.bench.extra = files.to_vec();
    fails(activated.bench(), NotAuthentic, &["ak-not-restricted"]);
}

#[test]
fn a_signature_of_another_statement_is_no_use() {
    let first = Bench::new().statement.sign().unwrap();
    let mut second = altered(|s| s.nonce = vec![1; 32]);
    second.spoil = Box::new(move |s| s.signature = first.signature);
    fails(second, NotAuthentic, &["attest-signature"]);
}

#[test]
fn more_structures_than_one_key_needs_are_refused() {
    let mut bench = Bench::new();
    for number in 0..8_u8 {
        let mut public = Public::of(&key("stranger", KeyKind::P256), 0x0004_0072).unwrap();
        public.auth_policy = vec![number; 32];
        bench.extra.push(File::new("other.pub", tpm2b(&public.bytes())));
    }
    fails(bench, NotAuthentic, &["malformed"]);
}

#[test]
fn names_are_over_the_bytes_received() {
    // The same key with exponent 65537 written out has another name: the digest decides, not the meaning.
    let mut bench = Bench::of(KeyKind::Rsa2048, KeyKind::P256);
    bench.spoil = Box::new(|s| s.public[16..20].copy_from_slice(&[0, 1, 0, 1]));
    fails(bench, NotAuthentic, &["name-mismatch"]);
    let name = name_of(alg::SHA256, &[b"x"]);
    assert_eq!(name.len(), 34);
}

/// Statements of other kinds of devices, and TPM files beside them, are nobody's but their own.
#[test]
fn an_endorsement_key_alone_is_not_of_this_format() {
    let maker = Maker::new().unwrap();
    let ek = key("EK", KeyKind::Rsa2048);
    let certificate = maker.sign(&maker.certificate(&ek).unwrap()).unwrap();
    let public = Public::of(&ek, keyvouch_emulator::tpm::ENDORSEMENT_KEY).unwrap();
    let files = vec![File::new("ek.der", certificate), File::new("ek.pub", tpm2b(&public.bytes()))];
    let report = Verifier::new(Reference::builtin().unwrap())
        .appraise(&Submission::new(files, AT.parse().unwrap()))
        .unwrap();
    assert!(report.appraisals.iter().all(|a| a.format != "tpm"));
}

/// Blobs of other makers begin with small numbers too.
#[test]
fn what_merely_begins_like_a_structure_is_not_claimed() {
    for start in [&[0, 0, 0, 4][..], &[0, 0x14, 0, 4], &[0, 1, 0, 0x0b], &[0x10, 0, 0, 0, 0, 1]] {
        let mut bytes = start.to_vec();
        bytes.extend([0xa5; 400]);
        let submission = Submission::new(vec![File::new("blob.dat", bytes)], AT.parse().unwrap());
        let report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
        assert_eq!(only(report).format, "", "{start:?}");
    }
}
