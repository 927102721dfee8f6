//! Apple Managed Device Attestation on an emulated Mac: every container, and one failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking, in their helpers too"
)]

mod support;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, Binding, ClaimName, File, Freshness, Reference, Submission};
use keyvouch_emulator::apple::mda::{self, SERIAL, TOKEN, UDID, freshness_of};
use keyvouch_emulator::apple::{AT, Chain, SignedChain, oid};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Extension};
use keyvouch_emulator::{csr, der, samples};
use serde_json::Value as Json;
use support::cases;
use support::judging::{Seen, failed, found, judge, text};

const BASIC_CONSTRAINTS: &str = "2.5.29.19";

/// A leaf of an emulated Mac with what a CA asks of it.
struct Bench {
    chain: Chain,
    reference: Reference,
    at: String,
    nonce: Option<Vec<u8>>,
    options: Vec<(&'static str, Json)>,
    request: Option<Vec<u8>>,
}

fn key() -> std::sync::Arc<Key> {
    Key::shared("apple-mda test: subject", KeyKind::P384).unwrap()
}

impl Bench {
    fn new() -> Self {
        let chain = mda::chain(&key(), &freshness_of(TOKEN)).unwrap();
        let mut reference = Reference::builtin().unwrap();
        for anchor in chain.sign().unwrap().anchors() {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let options = vec![("acme_token", TOKEN.into()), ("device_identifier", SERIAL.into())];
        Self { chain, reference, at: AT.to_owned(), nonce: None, options, request: None }
    }

    fn altered(change: impl FnOnce(&mut Chain)) -> Self {
        let mut bench = Self::new();
        change(&mut bench.chain);
        bench
    }

    /// Another value of an extension of Apple's; none takes it away.
    fn saying(arc: &str, value: Option<&[u8]>) -> Self {
        Self::altered(|chain| match value {
            Some(value) => chain.leaf.extension_mut(&oid(arc)).unwrap().value = value.to_vec(),
            None => chain.leaf.remove_extension(&oid(arc)),
        })
    }

    fn option(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.options.retain(|(known, _)| *known != name);
        self.options.push((name, value.into()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.options.retain(|(known, _)| *known != name);
        self
    }

    fn signed(&self) -> SignedChain {
        self.chain.sign().unwrap()
    }

    fn judge(self) -> Appraisal {
        let array = self.signed().array();
        self.judge_array(&array)
    }

    fn judge_array(self, array: &[Vec<u8>]) -> Appraisal {
        self.judge_file("attestation.cbor", mda::attestation_object(array))
    }

    fn judge_file(self, name: &str, bytes: impl Into<Vec<u8>>) -> Appraisal {
        let mut submission = Submission::new(vec![File::new(name, bytes)], self.at.parse().unwrap());
        submission.nonce = self.nonce;
        submission.request = self.request.map(|der| File::new("request.csr", der));
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        let appraisal = judge(self.reference, &submission);
        assert_eq!(appraisal.format, "apple-mda");
        if appraisal.authenticity != Authenticity::Authentic {
            assert!(appraisal.claims.is_empty() && appraisal.trust.is_none(), "claims without authenticity");
        }
        assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
        appraisal
    }
}

#[test]
fn samples_are_authentic_in_every_container() {
    for sample in samples("apple-mda").unwrap() {
        let case = cases::of_sample(&sample);
        let appraisal = judge(case.reference.clone(), &case.submission);
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{}: {:#?}", case.id, appraisal.checks);
        assert!(failed(&appraisal).is_empty() && found(&appraisal).is_empty(), "{}", case.id);
        assert_eq!((appraisal.binding, appraisal.freshness), (Binding::Csr, Freshness::NonceMatched));
        for (name, value) in [
            (ClaimName::KeyGeneratedInDevice, "true"),
            (ClaimName::KeyExportable, "never"),
            (ClaimName::KeyEverExportable, "false"),
            (ClaimName::DeviceClass, "secure-element"),
            (ClaimName::DeviceVendor, "Apple"),
            (ClaimName::DeviceModel, "J413AP"),
            (ClaimName::DeviceSerial, SERIAL),
            (ClaimName::DeviceFirmware, "26.1"),
            (ClaimName::KeyPurposes, "unknown"),
        ] {
            assert_eq!(text(&appraisal, name), value, "{}: {name}", case.id);
        }
        let detail = |name: &str| {
            appraisal.details.details().find(|(n, _)| *n == name).map(|(_, c)| c.value.to_string()).unwrap()
        };
        assert_eq!((detail("udid"), detail("os_version")), (UDID.to_owned(), "26.1.2".to_owned()));
        assert_eq!(detail("issued_at"), "2026-06-01T10:00:00Z");
        let mac = !["iphone-p256", "with-root"].contains(&sample.variant.as_str());
        assert_eq!(detail("sip_enabled"), if mac { "yes" } else { "unknown" });
    }
}

#[test]
fn an_mdm_answer_answers_the_nonce_itself() {
    let mut bench = Bench::saying("11.1", Some(b"nonce")).without("acme_token");
    bench.nonce = Some(b"nonce".to_vec());
    let answer = mda::answer(&bench.signed().array());
    let appraisal = bench.judge_file("answer.plist", answer);
    assert_eq!((failed(&appraisal), appraisal.freshness), (Vec::new(), Freshness::NonceMatched));

    let appraisal = Bench::new().without("acme_token").judge();
    assert_eq!((failed(&appraisal), appraisal.freshness), (Vec::new(), Freshness::NotAsked));
}

#[test]
fn values_may_be_wrapped_and_blank_ones_are_unknown() {
    let appraisal = Bench::saying("9.1", Some(&der::utf8_string(SERIAL))).judge();
    assert_eq!((failed(&appraisal), text(&appraisal, ClaimName::DeviceSerial)), (vec![], SERIAL.to_owned()));
    let appraisal = Bench::saying("9.4", Some(b"  ")).judge();
    assert_eq!(
        (failed(&appraisal), text(&appraisal, ClaimName::DeviceModel)),
        (vec![], "unknown".to_owned())
    );
    // 32 bytes that look like DER are not looked into.
    let code = [&[4, 30][..], &[7; 30]].concat();
    let mut bench = Bench::saying("11.1", Some(&code)).without("acme_token");
    bench.nonce = Some(code);
    assert_eq!(bench.judge().freshness, Freshness::NonceMatched);
}

#[test]
fn a_udid_is_an_identity_too() {
    let appraisal = Bench::new().option("device_identifier", UDID).judge();
    assert_eq!(failed(&appraisal), Vec::<String>::new());
}

#[test]
fn other_families_and_formats_are_not_claimed() {
    // An attestation object with authenticator data is WebAuthn's; a leaf of another authority nobody's.
    let signed = Bench::new().signed();
    let mut object = mda::attestation_object(&signed.array());
    object[0] = 0xa3;
    object.extend(b"\x68authData\x41\x00");
    let submission = Submission::new(vec![File::new("a.cbor", object)], AT.parse().unwrap());
    let report = keyvouch::Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
    assert!(report.appraisals.iter().all(|a| a.format != "apple-mda"));
}

#[test]
fn every_check_can_fail() {
    use Authenticity::{Authentic, NotAuthentic, Undecided};
    let mut seen = Seen::default();

    // Containers and certificates
    let mut object = mda::attestation_object(&Bench::new().signed().array());
    object.push(0);
    seen.fails(&Bench::new().judge_file("a.cbor", object.clone()), NotAuthentic, &["malformed"]);
    object.truncate(500);
    seen.fails(&Bench::new().judge_file("a.cbor", object), NotAuthentic, &["malformed"]);
    seen.fails(&Bench::new().judge_array(&[]), NotAuthentic, &["malformed"]);
    let twice = "<plist><dict><key>DevicePropertiesAttestation</key><array/><key>DevicePropertiesAttestation</key><array/></dict></plist>";
    seen.fails(&Bench::new().judge_file("a.plist", twice), NotAuthentic, &["malformed"]);
    seen.fails(&Bench::saying("9.1", Some(&[0xff])).judge(), NotAuthentic, &["malformed"]);
    seen.fails(&Bench::saying("13.1", Some(b"0")).judge(), NotAuthentic, &["malformed"]);
    let doubled = Bench::altered(|c| c.leaf.extensions.push(Extension::new(&oid("9.1"), "OTHER")));
    seen.fails(&doubled.judge(), NotAuthentic, &["malformed"]);

    let no_constraints = Bench::altered(|c| c.leaf.remove_extension(BASIC_CONSTRAINTS));
    seen.fails(&no_constraints.judge(), NotAuthentic, &["leaf-invalid"]);
    let authority = Bench::altered(|c| {
        *c.leaf.extension_mut(BASIC_CONSTRAINTS).unwrap() = x509::basic_constraints(true, None).critical();
    });
    seen.fails(&authority.judge(), NotAuthentic, &["leaf-invalid"]);
    let nothing = Bench::altered(|c| c.leaf.extensions.truncate(2));
    let nothing = nothing.without("acme_token").without("device_identifier").judge();
    seen.fails(&nothing, NotAuthentic, &["leaf-invalid"]);
    let rsa = Key::shared("apple-mda test: RSA", KeyKind::Rsa2048).unwrap();
    let rsa = Bench::altered(|c| c.leaf.spki = rsa.spki_der().unwrap());
    seen.fails(&rsa.judge(), NotAuthentic, &["leaf-invalid"]);

    // The path
    let alone = |bench: Bench| {
        let leaf = bench.signed().leaf;
        bench.judge_array(&[leaf])
    };
    seen.fails(&alone(Bench::new()), Undecided, &["chain-incomplete"]);
    let mut strange = Bench::new();
    strange.reference = Reference::builtin().unwrap();
    seen.fails(&strange.judge(), Undecided, &["anchor-unknown"]);
    let stranger = Key::shared("apple-mda test: stranger", KeyKind::P384).unwrap();
    for forged in [
        Bench::altered(|c| c.leaf_signer = Some(key())),
        Bench::altered(|c| c.intermediate_signer = Some(stranger.clone())),
        Bench::altered(|c| {
            c.intermediate_key = Key::shared("apple-mda test: P-521", KeyKind::P521).unwrap();
            c.intermediate.spki = c.intermediate_key.spki_der().unwrap();
            c.leaf_alg = SignAlg::EcdsaSha512;
        }),
    ] {
        seen.fails(&forged.judge(), NotAuthentic, &["chain-untrusted"]);
    }
    seen.fails(&issued_by_a_device(), NotAuthentic, &["chain-untrusted"]);
    let bench = Bench::new();
    let SignedChain { root, intermediate, leaf } = bench.signed();
    let disordered = bench.judge_array(&[leaf, root, intermediate]);
    seen.fails(&disordered, NotAuthentic, &["chain-untrusted"]);
    let self_signed = Bench::altered(|c| {
        c.leaf.issuer = c.leaf.subject.clone();
        c.leaf_signer = Some(key());
    });
    seen.fails(&alone(self_signed), NotAuthentic, &["chain-untrusted"]);

    let mut late = Bench::new();
    late.at = "2026-09-01T00:00:00Z".to_owned();
    seen.fails(&late.judge(), NotAuthentic, &["expired"]);
    let mut early = Bench::new();
    early.at = "2026-05-01T00:00:00Z".to_owned();
    seen.fails(&early.judge(), NotAuthentic, &["not-yet-valid"]);
    let critical = Bench::altered(|c| c.leaf.extensions.push(Extension::new("1.2.3", [5, 0]).critical()));
    seen.fails(&critical.judge(), NotAuthentic, &["unhandled-critical-extension"]);

    // What the leaf says
    let named = Bench::altered(|c| c.leaf.subject = x509::common_name("a Mac").unwrap());
    seen.warns(&named.judge(), &["subject-key-hash"]);

    let missing = Bench::saying("11.1", None).judge();
    seen.fails(&missing, Authentic, &["freshness-missing"]);
    assert_eq!(missing.freshness, Freshness::NoNonceInEvidence);
    for (token, code) in
        [("other", freshness_of(TOKEN)), (TOKEN, TOKEN.as_bytes().to_vec()), (TOKEN, vec![0; 32])]
    {
        let other = Bench::saying("11.1", Some(&code)).option("acme_token", token).judge();
        seen.fails(&other, Authentic, &["freshness-mismatch"]);
        assert_eq!(other.freshness, Freshness::NonceMismatch);
    }

    let nameless = |wanted: &str| {
        Bench::altered(|c| {
            c.leaf.remove_extension(&oid("9.1"));
            c.leaf.extension_mut(&oid("9.2")).unwrap().value = b" ".to_vec();
        })
        .option("device_identifier", wanted)
        .judge()
    };
    seen.fails(&nameless(SERIAL), Authentic, &["device-identity-absent"]);
    seen.fails(&nameless(""), Authentic, &["device-identity-absent"]);
    for wanted in ["", "OTHER", "kvemulated", "KVEMULATED "] {
        let other = Bench::new().option("device_identifier", wanted).judge();
        seen.fails(&other, Authentic, &["identifier-mismatch"]);
    }

    posture(&mut seen);

    let other = Key::shared("apple-mda test: other", KeyKind::P384).unwrap();
    let mut bench = Bench::new();
    bench.request = Some(csr::plain("other", &other).unwrap());
    let unbound = bench.judge();
    seen.fails(&unbound, Authentic, &["csr-key-mismatch"]);
    assert_eq!(unbound.binding, Binding::None);

    seen.are_all_of("apple-mda", &["csr-key-mismatch"]);
}

fn posture(seen: &mut Seen) {
    use Authenticity::Authentic;
    let disabled = [2, 1, 1];
    for (arc, bad, id) in [
        ("13.1", &disabled[..], "posture-sip"),
        ("13.2", b"Permissive Security", "posture-secure-boot"),
        ("13.3", &disabled, "posture-kext"),
    ] {
        seen.warns(&Bench::saying(arc, Some(bad)).judge(), &[id]);
        let demanded = |value| Bench::saying(arc, value).option("mda_posture", "require").judge();
        seen.fails(&demanded(Some(bad)), Authentic, &[id]);
        seen.fails(&demanded(None), Authentic, &[id]);
        assert_eq!(found(&Bench::saying(arc, None).judge()), Vec::<String>::new());
    }
    assert!(failed(&Bench::new().option("mda_posture", "require").judge()).is_empty());
    assert!(failed(&Bench::new().option("mda_min_os_version", "26.1").judge()).is_empty());
    for (version, least) in [(Some("26.1.2"), "26.2"), (Some("26.1"), "none"), (None, "1")] {
        let old = Bench::saying("10.1", version.map(str::as_bytes)).option("mda_min_os_version", least);
        seen.fails(&old.judge(), Authentic, &["posture-os-version"]);
    }
}

/// The owner of a genuine device lets its attested key sign a leaf for another one.
fn issued_by_a_device() -> Appraisal {
    let bench = Bench::new();
    let genuine = bench.signed();
    let victim = Key::shared("apple-mda test: victim", KeyKind::P384).unwrap();
    let mut forged = mda::chain(&victim, &freshness_of(TOKEN)).unwrap();
    forged.leaf.issuer = bench.chain.leaf.subject.clone();
    forged.leaf_signer = Some(key());
    let forged = forged.sign().unwrap().leaf;
    bench.judge_array(&[forged, genuine.leaf, genuine.intermediate])
}

#[test]
fn a_leaf_of_webauthn_or_app_attest_is_none_of_mda() {
    // The same leaf below a root of another family that the verifier knows.
    let bench = Bench::new();
    let root = bench.signed().root;
    let mut reference = Reference::builtin().unwrap();
    let anchor = format!(
        "[[anchor]]\nid = \"other\"\nname = \"other family\"\nkind = \"root\"\nformats = [\"apple-app-attest\"]\nsubject = {:?}\nspki = {:?}\nspki_sha256 = {:?}\n\n[[anchor.certificate]]\nsha256 = {:?}\nserial = \"01\"\nnot_before = \"2020-03-18T00:00:00Z\"\nnot_after = \"2045-03-15T00:00:00Z\"\n",
        keyvouch_emulator::bundle::base64(&bench.chain.root.subject),
        keyvouch_emulator::bundle::base64(&bench.chain.root.spki),
        hex::encode(keyvouch_emulator::key::sha256(&bench.chain.root.spki)),
        hex::encode(keyvouch_emulator::key::sha256(&root)),
    );
    reference.load_operator_file("other.toml", &anchor).unwrap();
    let array = bench.signed().array();
    let appraisal = Bench { reference, ..bench }.judge_array(&array);
    assert_eq!(failed(&appraisal), ["chain-untrusted"]);
    assert_eq!(appraisal.authenticity, Authenticity::NotAuthentic);
}
