//! Certificates of endorsement keys: what is authentic and what is refused, on an emulated maker's.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;

use keyvouch::Authenticity::{Authentic, NotAuthentic, Undecided};
use keyvouch::{
    Appraisal, Authenticity, ClaimName, File, Freshness, Reference, Submission, Verifier, formats,
};
use keyvouch_emulator::crl::RevocationList;
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::tpm::{self, Maker, Public, san, tpm2b};
use keyvouch_emulator::x509::{self, Certificate, Extension, Text, usage};
use keyvouch_emulator::{der, pem};

const AT: &str = "2026-06-01T00:00:00Z";

fn key(kind: KeyKind) -> std::sync::Arc<Key> {
    Key::shared("tpm-ek test: EK", kind).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// An EK certificate with the authority below whose root it is, and the verifier that judges them.
struct Bench {
    maker: Maker,
    ek: Certificate,
    reference: Reference,
    at: &'static str,
    /// What is handed over of the certificate's bytes.
    form: fn(Vec<u8>) -> Vec<u8>,
    extra: Vec<File>,
    options: Vec<(&'static str, serde_json::Value)>,
}

impl Bench {
    fn new() -> Self {
        let maker = Maker::new().unwrap();
        let ek = maker.certificate(&key(KeyKind::Rsa2048)).unwrap();
        let mut reference = Reference::builtin().unwrap();
        for anchor in maker.anchors() {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let extra = vec![File::new("issuer.pem", pem::certificate(&maker.issuer.der))];
        Self { maker, ek, reference, at: AT, form: |der| der, extra, options: Vec::new() }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut bench = Self::new();
        change(&mut bench);
        bench
    }

    fn certified(change: impl FnOnce(&mut Certificate)) -> Self {
        Self::with(|bench| change(&mut bench.ek))
    }

    /// The root is known as one of this maker's, as if it were built in.
    fn below(anchor: &str) -> Self {
        Self::with(|bench| {
            bench.reference = Reference::builtin().unwrap();
            bench.reference.load_operator_file("anchors.toml", &anchor_toml(&bench.maker, anchor)).unwrap();
        })
    }

    fn report(self) -> keyvouch::Report {
        let certificate = self.maker.sign(&self.ek).unwrap();
        let mut files = vec![File::new("ek.crt.der", (self.form)(certificate))];
        files.extend(self.extra);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        let verifier = Verifier::new(self.reference);
        assert!(verifier.inspect(&submission).is_ok());
        verifier.appraise(&submission).unwrap()
    }

    fn judge(self) -> Appraisal {
        let mut report = self.report();
        assert_eq!(report.appraisals.len(), 1, "{:#?}", report.appraisals);
        let appraisal = report.appraisals.pop().unwrap();
        assert_eq!(appraisal.format, "tpm-ek", "{:#?}", appraisal.checks);
        appraisal
    }
}

fn anchor_toml(maker: &Maker, id: &str) -> String {
    let certificate = keyvouch::pki::Certificate::from_der(&maker.root.der).unwrap();
    let key = certificate.key().unwrap();
    let base64 = |bytes: &[u8]| keyvouch_emulator::bundle::base64(bytes).replace('\n', "");
    format!(
        "[[anchor]]\nid = '{id}'\nname = 'emulated'\nkind = 'root'\nrole = 'discrete'\nformats = ['tpm-ek']\n\
         subject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n\
         [[anchor.certificate]]\nsha256 = '{}'\nserial = '01'\nnot_before = '{}'\nnot_after = '{}'\n",
        base64(certificate.subject()),
        base64(key.spki_der()),
        hex(&key.spki_sha256()),
        hex(certificate.sha256()),
        certificate.not_before(),
        certificate.not_after(),
    )
}

fn failed(appraisal: &Appraisal) -> BTreeSet<String> {
    appraisal.failed().map(|c| c.id.to_string()).collect()
}

/// Besides that an EK certificate alone is never enough, exactly these checks fail.
#[track_caller]
fn fails(bench: Bench, authenticity: Authenticity, ids: &[&str]) -> BTreeSet<String> {
    let appraisal = bench.judge();
    let wanted: BTreeSet<String> = ids.iter().chain(&["ek-alone"]).map(|id| (*id).to_owned()).collect();
    assert_eq!(failed(&appraisal), wanted, "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, authenticity);
    if authenticity != Authentic {
        assert!(appraisal.claims.is_empty() && appraisal.trust.is_none());
    }
    assert!(appraisal.failed().all(|c| c.advice.is_some()));
    wanted
}

#[test]
fn what_an_authentic_certificate_says() {
    let appraisal = Bench::new().judge();
    assert_eq!(appraisal.authenticity, Authentic, "{:#?}", appraisal.checks);
    assert_eq!(failed(&appraisal), BTreeSet::from(["ek-alone".to_owned()]));
    let spki = hex(&keyvouch::crypto::sha256(&key(KeyKind::Rsa2048).spki_der().unwrap()));
    for (name, value) in [
        (ClaimName::KeyAlgorithm, "RSA-2048"),
        (ClaimName::KeySpkiSha256, spki.as_str()),
        (ClaimName::KeyGeneratedInDevice, "unknown"),
        (ClaimName::KeyExportable, "unknown"),
        (ClaimName::DeviceClass, "tpm"),
        (ClaimName::DeviceVendor, "STMicroelectronics"),
        (ClaimName::DeviceModel, "ST33KTPM2X"),
        (ClaimName::DeviceFirmware, "9.256"),
        (ClaimName::DeviceSerial, spki.as_str()),
    ] {
        assert_eq!(appraisal.claims.value(name).to_string(), value, "{name:?}");
    }
    assert_eq!(appraisal.freshness, Freshness::NotAsked);
}

#[test]
fn forms_in_which_certificates_come() {
    let forms: [fn(Vec<u8>) -> Vec<u8>; 6] = [
        |der| pem::certificate(&der).into(),
        |der| [der, vec![0xff; 431]].concat(),
        |der| [der, vec![0x00; 7]].concat(),
        |der| {
            let length = u16::try_from(der.len()).unwrap().to_be_bytes();
            [&[0x10, 0x01, 0x00], &length[..], &der, &[0xff; 9]].concat()
        },
        |der| [der.clone(), Maker::new().unwrap().issuer.der, vec![0xff; 3]].concat(),
        |der| {
            let text = keyvouch_emulator::bundle::base64(&der).replace('\n', "");
            let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
            serde_json::json!({"pubhash": "AA%3D%3D", "certificate": text}).to_string().into_bytes()
        },
    ];
    for (index, form) in forms.into_iter().enumerate() {
        let appraisal = Bench::with(|bench| bench.form = form).judge();
        assert_eq!(appraisal.authenticity, Authentic, "{index}: {:#?}", appraisal.checks);
    }
    // Padding is one byte repeated; anything else after a certificate is not left aside.
    let report = Bench::with(|bench| bench.form = |der| [der, vec![0xff, 0x00, 0x01]].concat()).report();
    assert!(report.appraisals.iter().all(|a| a.format != "tpm-ek"));
}

#[test]
fn kinds_of_endorsement_keys() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521] {
        let bench = Bench::with(|bench| {
            bench.ek = bench.maker.certificate(&key(kind)).unwrap();
            // keyAgreement
            *bench.ek.extension_mut("2.5.29.15").unwrap() = x509::key_usage(&[4]).critical();
        });
        assert_eq!(bench.judge().authenticity, Authentic, "{kind:?}");
    }
    // All three attributes in one RDN.
    let one_rdn = Bench::certified(|c| {
        let rdn = x509::rdn(&[
            ("2.23.133.2.1", Text::Utf8, "id:4E544300"),
            ("2.23.133.2.2", Text::Utf8, "NPCT75x"),
            ("2.23.133.2.3", Text::Utf8, "id:72"),
        ])
        .unwrap();
        let name = der::sequence(&[rdn]);
        *c.extension_mut("2.5.29.17").unwrap() =
            Extension::new("2.5.29.17", der::sequence(&[der::explicit(4, &name)])).critical();
    });
    let appraisal = one_rdn.judge();
    assert_eq!(appraisal.claims.value(ClaimName::DeviceVendor).to_string(), "Nuvoton");
    assert_eq!(appraisal.claims.value(ClaimName::DeviceFirmware).to_string(), "id:72");
    let software = Bench::certified(|c| {
        *c.extension_mut("2.5.29.17").unwrap() = san("id:00001014", "swtpm", "id:00010000").unwrap()
    });
    assert_eq!(software.judge().claims.value(ClaimName::DeviceClass).to_string(), "software");
}

#[test]
fn a_maker_is_held_to_its_root() {
    assert_eq!(Bench::below("tpm-stmicro-emulated").judge().authenticity, Authentic);
    let unknown = Bench::certified(|c| {
        *c.extension_mut("2.5.29.17").unwrap() = san("id:58585858", "X", "id:00010000").unwrap();
    });
    let appraisal = unknown.judge();
    assert!(appraisal.findings().any(|c| c.id == "tpm-vendor-unknown"));
    assert_eq!(appraisal.authenticity, Authentic);
}

#[test]
fn every_check_can_fail() {
    let public = |kind| {
        let public = Public::of(&key(kind), tpm::ENDORSEMENT_KEY).unwrap();
        File::new("ek.pub", tpm2b(&public.bytes()))
    };
    let mut seen: BTreeSet<String> = [
        // A certificate beside it that cannot be read.
        fails(
            Bench::with(|b| {
                b.extra.push(File::new(
                    "x.pem",
                    "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
                ));
            }),
            NotAuthentic,
            &["ek-cert-parse"],
        ),
        fails(
            Bench::with(|b| {
                b.form = |mut der| {
                    let last = der.len() - 1;
                    der[last] ^= 1;
                    der
                }
            }),
            NotAuthentic,
            &["chain-untrusted"],
        ),
        fails(Bench::with(|b| b.reference = Reference::builtin().unwrap()), Undecided, &["anchor-unknown"]),
        fails(Bench::with(|b| b.extra.clear()), Undecided, &["anchor-unknown"]),
        fails(
            Bench::with(|b| {
                b.ek.issuer = x509::common_name("EUS-STM-KEYID-0011223344556677").unwrap();
            }),
            Undecided,
            &["chain-incomplete"],
        ),
        fails(Bench::with(|b| b.at = "2046-01-01T00:00:00Z"), NotAuthentic, &["expired"]),
        fails(Bench::with(|b| b.at = "2024-01-01T00:00:00Z"), NotAuthentic, &["not-yet-valid"]),
        fails(
            Bench::with(|b| {
                let issuer = b.maker.issuer.certificate.subject.clone();
                let list = RevocationList::new(issuer, "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z")
                    .with(&b.ek.serial, "2026-01-01T00:00:00Z");
                let der = list.sign(&b.maker.issuer.key, b.maker.issuer.key.default_alg()).unwrap();
                b.extra.push(File::new("list.crl", pem::encode("X509 CRL", &der)));
            }),
            NotAuthentic,
            &["revoked"],
        ),
        // It may sign; it lacks the purpose.
        fails(
            Bench::certified(|c| {
                *c.extension_mut("2.5.29.15").unwrap() =
                    x509::key_usage(&[usage::KEY_ENCIPHERMENT, usage::DIGITAL_SIGNATURE]);
            }),
            NotAuthentic,
            &["ek-usage"],
        ),
        fails(Bench::certified(|c| c.remove_extension("2.5.29.37")), NotAuthentic, &["ek-usage"]),
        fails(Bench::certified(|c| c.remove_extension("2.5.29.17")), NotAuthentic, &["ek-san"]),
        fails(Bench::below("tpm-infineon-emulated"), NotAuthentic, &["ek-maker-mismatch"]),
        fails(
            Bench::certified(|c| {
                c.spki =
                    keyvouch_emulator::key::rsa_spki(&keyvouch_emulator::key::roca_modulus(256), &[1, 0, 1])
                        .unwrap();
            }),
            NotAuthentic,
            &["ek-key-strength"],
        ),
        fails(Bench::with(|b| b.extra.push(public(KeyKind::P256))), NotAuthentic, &["ek-public-mismatch"]),
        fails(Bench::with(|b| b.extra.push(public(KeyKind::Rsa2048))), Authentic, &[]),
    ]
    .into_iter()
    .flatten()
    .collect();
    let warned = Bench::certified(|c| {
        *c.extension_mut("2.5.29.17").unwrap() = san("id:58585858", "X", "id:00010000").unwrap();
    });
    seen.extend(warned.judge().findings().map(|c| c.id.to_string()));
    let about = formats::about().find(|a| a.id == "tpm-ek").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, all);
}

#[test]
fn expired_certificates_are_findings_where_the_operator_says_so() {
    let appraisal = Bench::with(|b| {
        b.at = "2046-01-01T00:00:00Z";
        b.options.push(("accept_expired", true.into()));
    })
    .judge();
    assert_eq!(appraisal.authenticity, Authentic, "{:#?}", appraisal.checks);
    assert!(appraisal.findings().any(|c| c.id == "expired"));
}

#[test]
fn beside_a_statement_it_is_company() {
    let sample = keyvouch_emulator::samples("tpm").unwrap().remove(0);
    let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone()));
    let bench = Bench::with(|b| b.extra.extend(files));
    let report = bench.report();
    assert!(report.appraisals.iter().all(|a| a.format == "tpm"), "{:#?}", report.appraisals);
}
