//! Azure Managed HSM on emulated devices: every container, both chains, and one failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic: that is how they fail"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use keyvouch::Authenticity::{self, Authentic, NotAuthentic, Undecided};
use keyvouch::appraisal::Appraisal;
use keyvouch::claims::Basis;
use keyvouch::{ClaimName, File, Reference, Submission, Value, Verifier};
use keyvouch_emulator::azure_managed_hsm::{self as azure, Attestation, KEY_NAME, KEY_VERSION, POOL, Pool};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::marvell::{self, Fw2, Hsm, Maker, Mode, Object, kind};
use keyvouch_emulator::x509::{self, usage};
use keyvouch_emulator::{bundle, csr, pem, samples};
use serde_json::{Value as Json, json};

const AT: &str = "2026-06-01T00:00:00Z";
const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;
/// What is found in every good answer.
const USUAL: [&str; 2] = ["device-not-fips-mode", "operator-self-asserted"];

/// A pool with a key in it.
struct Bench {
    maker: Maker,
    hsm: Hsm,
    pool: Pool,
    key: Arc<Key>,
    reference: Reference,
    at: &'static str,
    request: Option<File>,
    options: Vec<(&'static str, Json)>,
}

impl Bench {
    fn new() -> Self {
        Self::of(POOL, "5.3G2142-EMU000277", KeyKind::P256)
    }

    fn of(pool: &str, card: &str, kind: KeyKind) -> Self {
        let maker = Maker::new().unwrap();
        let hsm = azure::hsm(&maker, card).unwrap();
        let pool = Pool::of(pool, &hsm).unwrap();
        let key = Key::shared("azure test: subject", kind).unwrap();
        let reference = anchors(&[&hsm.root.der]);
        Self { maker, hsm, pool, key, reference, at: AT, request: None, options: Vec::new() }
    }

    fn halves(&self) -> (Fw2, Fw2) {
        marvell::fw2_pair(&self.key, &azure::profile(KEY_NAME, KEY_VERSION)).unwrap()
    }

    fn attestation(&self) -> Attestation {
        Attestation::of(&self.key, &self.pool, &self.hsm).unwrap()
    }

    /// The answer with blobs that were changed before they were signed.
    fn changed(&self, change: impl FnOnce(&mut Fw2, &mut Fw2)) -> Vec<File> {
        let (mut private, mut public) = self.halves();
        change(&mut private, &mut public);
        answer(&Attestation::with(&private, &public, &self.key, &self.pool, &self.hsm).unwrap().answer())
    }

    /// The answer with blobs or certificates that were changed after they were signed.
    fn spoilt(&self, change: impl FnOnce(&mut Attestation)) -> Vec<File> {
        let mut attestation = self.attestation();
        change(&mut attestation);
        answer(&attestation.answer())
    }

    /// The answer with changed JSON.
    fn edited(&self, change: impl FnOnce(&mut Json)) -> Vec<File> {
        let mut value = self.attestation().answer();
        change(&mut value);
        answer(&value)
    }

    /// The answer with other certificates.
    fn with(&self, ders: &[&Vec<u8>]) -> Vec<File> {
        self.edited(|a| a["attributes"]["attestation"]["certificatePemFile"] = pem_member(ders))
    }

    fn good(&self) -> Vec<File> {
        self.edited(|_| {})
    }

    fn pin(&self) -> Json {
        json!([hex::encode(keyvouch_emulator::key::sha256(&self.pool.root.key.spki_der().unwrap()))])
    }

    fn judge(&self, files: Vec<File>) -> Appraisal {
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.request = self.request.clone();
        for (name, value) in &self.options {
            submission.options.set(*name, value.clone());
        }
        appraise(&self.reference, &submission)
    }
}

fn anchors(ders: &[&Vec<u8>]) -> Reference {
    let mut reference = Reference::builtin().unwrap();
    for der in ders {
        reference.load_operator_certificates("root.der", der).unwrap();
    }
    reference
}

fn answer(value: &Json) -> Vec<File> {
    vec![File::new("attestation.json", bundle::json(value).unwrap())]
}

fn pem_member(ders: &[&Vec<u8>]) -> Json {
    json!(bundle::base64url(pem::certificates(ders).as_bytes()))
}

fn decoded(attestation: &Attestation) -> Vec<File> {
    vec![
        File::new("private.bin", attestation.private.clone()),
        File::new("public.bin", attestation.public.clone()),
        File::new("certificates.pem", pem::certificates(&attestation.certificates())),
    ]
}

fn appraise(reference: &Reference, submission: &Submission) -> Appraisal {
    let mut report = Verifier::new(reference.clone()).appraise(submission).unwrap();
    assert_eq!(
        report.appraisals.len(),
        1,
        "{:?}",
        report.appraisals.iter().map(|a| a.format).collect::<Vec<_>>()
    );
    report.appraisals.pop().unwrap()
}

fn failed(appraisal: &Appraisal) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for check in appraisal.failed() {
        if !ids.contains(&&*check.id) {
            ids.push(&check.id);
        }
    }
    ids
}

fn findings(appraisal: &Appraisal) -> Vec<&str> {
    appraisal.findings().map(|c| &*c.id).collect()
}

fn detail(appraisal: &Appraisal, name: &str) -> (String, Option<Basis>) {
    let found = appraisal.details.details().find(|(n, _)| *n == name).map(|(_, c)| c);
    (found.map(|c| c.value.to_string()).unwrap_or_default(), found.map(|c| c.basis))
}

/// Which checks have been seen failing.
#[derive(Default)]
struct Seen(BTreeSet<&'static str>);

impl Seen {
    #[track_caller]
    fn fails(&mut self, bench: &Bench, files: Vec<File>, authenticity: Authenticity, ids: &[&'static str]) {
        let appraisal = bench.judge(files);
        assert_eq!(appraisal.format, "azure-managed-hsm");
        assert_eq!(failed(&appraisal), ids, "{:#?}", appraisal.checks);
        assert_eq!(appraisal.authenticity, authenticity);
        if authenticity != Authentic {
            assert!(appraisal.claims.is_empty() && appraisal.trust.is_none(), "unauthenticated claims");
        }
        assert!(appraisal.failed().all(|c| c.advice.as_ref().is_some_and(|a| !a.is_empty())));
        self.0.extend(ids);
    }

    #[track_caller]
    fn finds(&mut self, bench: &Bench, files: Vec<File>, ids: &[&'static str]) {
        let appraisal = bench.judge(files);
        assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authentic));
        assert_eq!(findings(&appraisal), ids);
        self.0.extend(ids);
    }
}

#[test]
fn every_sample_is_authentic_in_its_container() {
    let samples = samples("azure-managed-hsm").unwrap();
    assert!(samples.len() >= 10);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = Submission::new(files, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        for (name, value) in &sample.options {
            submission.options.set(name.clone(), value.clone());
        }
        submission.options.set("strict_certificates", true);
        let appraisal = appraise(&reference, &submission);
        let variant = &sample.variant;
        let pinned = variant.starts_with("pinned");
        let usual = if pinned { &USUAL[..1] } else { &USUAL[..] };
        assert_eq!((failed(&appraisal), findings(&appraisal)), (vec![], usual.to_vec()), "{variant}");
        assert_eq!((appraisal.format, appraisal.authenticity), ("azure-managed-hsm", Authentic), "{variant}");
        assert_eq!(appraisal.binding.as_str(), "csr", "{variant}");
        let claims = &appraisal.claims;
        assert_eq!(claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(claims.value(ClaimName::KeyEverExportable), &Value::Bool(false));
        assert_eq!(claims.text(ClaimName::KeyExportable), Some("vendor-boundary"));
        assert_eq!(claims.value(ClaimName::KeyPurposes), &Value::Set(vec!["sign", "decrypt", "wrap"]));
        assert_eq!(claims.text(ClaimName::DeviceClass), Some("cloud-hsm"));
        assert_eq!(claims.text(ClaimName::DeviceVendor), Some("Marvell"));
        assert_eq!(claims.text(ClaimName::DeviceSerial), Some("5.3G2142-EMU000001"));
        assert_eq!(claims.value(ClaimName::DeviceFipsMode), &Value::Bool(false));
        assert!(claims.value(ClaimName::KeyCreatedAt).is_unknown());
        assert_eq!(detail(&appraisal, "key_name").0, KEY_NAME);
        assert_eq!(detail(&appraisal, "key_version").0, KEY_VERSION);
        // What the pool says of itself is not presented as proved.
        let basis = if pinned { Basis::Attested } else { Basis::Declared };
        assert_eq!(detail(&appraisal, "pool"), (POOL.to_owned(), Some(basis)), "{variant}");
        let operator = if pinned { "Microsoft" } else { "unknown" };
        assert_eq!(detail(&appraisal, "operator").0, operator, "{variant}");
    }
}

#[test]
fn what_else_is_accepted() {
    let bench = Bench::of(POOL, "5.3G2142-EMU000278", KeyKind::Rsa2048);
    let attestation = bench.attestation();
    let bom = [&b"\xef\xbb\xbf"[..], &bench.good()[0].bytes].concat();
    let standard = bench.edited(|a| {
        let inner = &mut a["attributes"]["attestation"];
        inner["privateKeyAttestation"] = json!(bundle::base64(&attestation.private));
        inner["publicKeyAttestation"] = json!(bundle::base64(&attestation.public));
    });
    let mut reversed = attestation.certificates();
    reversed.reverse();
    let mut twice = bench.good();
    twice.extend(decoded(&attestation));
    twice.push(File::new("readme.txt", "our key"));
    let with_root = [&attestation.certificates()[..], &[&bench.maker.root.der]].concat();
    let mut with_refusal = bench.good();
    with_refusal.extend(answer(&json!({"error": {"code": "Throttled", "message": "later"}})));
    let port = bench.edited(|a| {
        a["key"]["kid"] = json!(attestation.kid.replace("azure.net", "azure.net:443").replace("emu", "EMU"));
    });
    let zip = bundle::zip(&[keyvouch_emulator::File::new("a.json", bench.good()[0].bytes.clone())]).unwrap();
    for (n, files) in [
        vec![File::new("a.json", bom)],
        standard,
        bench.with(&reversed),
        twice,
        bench.with(&with_root),
        with_refusal,
        port,
        bench.edited(|a| *a = json!([a.clone()])),
        vec![File::new("a.zip", zip)],
    ]
    .into_iter()
    .enumerate()
    {
        let appraisal = bench.judge(files);
        assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authentic), "{n}");
        assert_eq!(findings(&appraisal), USUAL, "{n}");
    }
}

/// The same blobs without Azure's JSON and chain are of a card of one's own.
#[test]
fn the_source_is_chosen_from_containers_and_certificates() {
    let bench = Bench::new();
    let attestation = bench.attestation();
    let made = [&attestation.manufacturer.partition, &attestation.manufacturer.card];
    let mut raw = decoded(&attestation);
    raw[2] = File::new("chain.pem", pem::certificates(&made));
    let appraisal = bench.judge(raw);
    assert_eq!((appraisal.format, appraisal.authenticity), ("marvell", Authentic));
    // Any of the pool's certificates tells.
    for owned in [&attestation.pool_root, &attestation.pool_partition] {
        let mut files = decoded(&attestation);
        files[2] = File::new("chain.pem", pem::certificates(&[made[0], made[1], owned]));
        let appraisal = bench.judge(files);
        assert_eq!(
            (appraisal.format, failed(&appraisal)),
            ("azure-managed-hsm", vec!["no-owner-certificates"])
        );
    }
    // Keys of vaults are of another format.
    let vault =
        json!({"key": {"kid": "https://v.vault.azure.net/keys/k/1", "kty": "RSA-HSM"}, "attributes": {}});
    assert_eq!(bench.judge(answer(&vault)).format, "azure-key-vault");
    // Other refusals, other JSON.
    for other in [
        json!({"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}}),
        json!({"attestation": {"format": "packed"}, "name": "certificatePemFile"}),
    ] {
        assert_eq!(bench.judge(answer(&other)).format, "", "{other}");
    }
    // A refusal beside evidence of another format says nothing.
    let mut beside = vec![File::new("a.bin", attestation.private.clone())];
    beside.extend(answer(&json!({"error": {"code": "Forbidden", "message": "no"}})));
    assert_eq!(bench.judge(beside).format, "marvell");
}

/// Nobody but the operator makes a pool's root more than the pool's own word.
#[test]
fn a_pool_root_is_pinned_by_the_operator_only() {
    let mut seen = Seen::default();
    let mut bench = Bench::new();
    // Somebody else's root with the pool's name, for the same partition: only a pin can tell.
    let forger = Key::shared("azure test: forger", KeyKind::Rsa2048).unwrap();
    let genuine = bench.pin();
    bench.pool = Pool::with_key(POOL, &bench.hsm, forger).unwrap();
    seen.finds(&bench, bench.good(), &USUAL);
    bench.options.push(("pool_root_spki_sha256", genuine.clone()));
    seen.fails(&bench, bench.good(), NotAuthentic, &["owner-pin"]);
    bench.options = vec![("pool_root_spki_sha256", json!(["", "zz"]))];
    seen.fails(&bench, bench.good(), NotAuthentic, &["owner-pin"]);
    // Several pins, in capitals.
    let mut bench = Bench::new();
    let upper = genuine[0].as_str().unwrap().to_ascii_uppercase();
    bench.options.push(("pool_root_spki_sha256", json!(["00", upper])));
    seen.finds(&bench, bench.good(), &USUAL[..1]);
    // The root itself as an anchor: for the pool of that name, and never as the manufacturer's.
    let mut bench = Bench::new();
    bench.reference = anchors(&[&bench.hsm.root.der, &bench.pool.root.der]);
    seen.finds(&bench, bench.good(), &USUAL[..1]);
    let forger = Key::shared("azure test: forger", KeyKind::Rsa2048).unwrap();
    bench.pool = Pool::with_key(POOL, &bench.hsm, forger).unwrap();
    seen.fails(&bench, bench.good(), NotAuthentic, &["owner-pin"]);
    bench.pool = Pool::of("otherpool", &bench.hsm).unwrap();
    let files = bench.edited(|a| a["key"] = Json::Null);
    assert_eq!(failed(&bench.judge(files)), ["json-malformed"]);
    let files = answer(&bench.attestation().inner());
    seen.finds(&bench, files, &USUAL);
    bench.reference = anchors(&[&bench.pool.root.der]);
    seen.fails(&bench, answer(&bench.attestation().inner()), Undecided, &["anchor-unknown"]);
    // The pool's certificates in the place of the manufacturer's: the pool as a maker of devices.
    let bench = Bench::new();
    let attestation = bench.attestation();
    let files = bench.with(&[&attestation.pool_root, &attestation.pool_partition]);
    seen.fails(&bench, files, Undecided, &["no-partition-certificate"]);
}

#[test]
fn every_check_can_fail() {
    let mut seen = Seen::default();
    answers(&mut seen);
    wrapper(&mut seen);
    pool_chain(&mut seen);
    manufacturer(&mut seen);
    blobs(&mut seen);
    objects(&mut seen);

    let about = keyvouch::formats::about().find(|a| a.id == "azure-managed-hsm").unwrap();
    let declared: BTreeSet<&str> = about.checks.iter().map(|c| c.id).collect();
    assert_eq!(seen.0, declared);
}

fn answers(seen: &mut Seen) {
    let bench = Bench::new();
    let text = String::from_utf8(bench.good()[0].bytes.clone()).unwrap();
    let twice = text.replacen("\"version\":", "\"version\": \"MRVL-1\", \"version\":", 1);
    assert_ne!(text, twice);
    for broken in [twice, text[..text.len() - 10].to_owned(), format!("{text} x")] {
        seen.fails(&bench, vec![File::new("a.json", broken)], NotAuthentic, &["json-malformed"]);
    }
    for (member, value) in [
        ("privateKeyAttestation", json!("not base64!")),
        ("privateKeyAttestation", Json::Null),
        ("publicKeyAttestation", json!(1)),
        ("certificatePemFile", json!([])),
        ("certificatePemFile", Json::Null),
        ("version", json!(1)),
    ] {
        let files = bench.edited(|a| a["attributes"]["attestation"][member] = value);
        seen.fails(&bench, files, NotAuthentic, &["json-malformed"]);
    }
    for version in [json!("MRVL-2"), json!("mrvl-1"), json!("")] {
        let files = bench.edited(|a| a["attributes"]["attestation"]["version"] = version);
        seen.fails(&bench, files, Undecided, &["version"]);
    }
    let unversioned = bench.edited(|a| {
        a["attributes"]["attestation"].as_object_mut().unwrap().remove("version");
    });
    seen.fails(&bench, unversioned, Undecided, &["version"]);
    let refusal = answer(&json!({"error": {"code": "Forbidden", "message": "Caller is not authorized"}}));
    seen.fails(&bench, refusal, Undecided, &["provider-error-answer"]);
    let without = bench.edited(|a| {
        a["attributes"].as_object_mut().unwrap().remove("attestation");
    });
    seen.fails(&bench, without.clone(), Undecided, &["no-attestation-blob"]);
    let advice = bench.judge(without).failed().next().unwrap().advice.clone().unwrap();
    assert!(advice.contains("az keyvault key get-attestation"), "{advice}");
    let chain = vec![File::new("chain.pem", pem::certificates(&bench.attestation().certificates()))];
    seen.fails(&bench, chain, Undecided, &["no-attestation-blob"]);
}

fn wrapper(seen: &mut Seen) {
    let bench = Bench::new();
    let kid = bench.attestation().kid;
    let other = Key::shared("azure test: another", KeyKind::P256).unwrap();
    let named = |kid: String| bench.edited(|a| a["key"]["kid"] = json!(kid));
    for wrong in [
        kid.replace(POOL, "otherpool"),
        kid.replace("https", "http"),
        kid.replace("managedhsm.azure.net", "managedhsm.azure.net.example"),
        kid.replace("https://", "https://user@"),
        kid.replace("azure.net", "azure.net:8443"),
        kid.replace(&format!("https://{POOL}"), &format!("https://evil.{POOL}")),
    ] {
        seen.fails(&bench, named(wrong), Authentic, &["pool-name"]);
    }
    for wrong in [
        kid.replace(KEY_VERSION, &KEY_VERSION.replace('5', "6")),
        kid.replace(KEY_NAME, "Code-Signing"),
        format!("{kid}/"),
        format!("{kid}?api-version=7.6"),
        kid.replace(&format!("/{KEY_VERSION}"), ""),
    ] {
        seen.fails(&bench, named(wrong), Authentic, &["key-id"]);
    }
    seen.fails(&bench, named("masked".to_owned()), Authentic, &["pool-name", "key-id"]);
    let jwk = azure::jwk(&other).unwrap();
    for (member, value) in [
        ("x", jwk["x"].clone()),
        ("crv", json!("P-256K")),
        ("kty", json!("EC")),
        ("y", Json::Null),
        ("x", json!("!")),
    ] {
        let files = bench.edited(|a| a["key"][member] = value);
        seen.fails(&bench, files, Authentic, &["jwk-mismatch"]);
    }
    let files = bench.edited(|a| a["attributes"]["exportable"] = json!(true));
    let appraisal = bench.judge(files.clone());
    assert!(findings(&appraisal).contains(&"json-exportable-differs"));
    seen.finds(&bench, files, &["device-not-fips-mode", "operator-self-asserted", "json-exportable-differs"]);

    let swapped = bench.spoilt(|a| std::mem::swap(&mut a.private, &mut a.public));
    seen.fails(&bench, swapped, NotAuthentic, &["swapped"]);
    // The private half in both members: one attestation, and it is not the public half.
    let doubled = bench.spoilt(|a| a.public = a.private.clone());
    seen.fails(&bench, doubled, NotAuthentic, &["no-public-object", "swapped"]);
    let doubled = bench.spoilt(|a| a.private = a.public.clone());
    seen.fails(&bench, doubled, NotAuthentic, &["no-private-object", "swapped"]);

    let without_public = |bench: &Bench| {
        bench.edited(|a| {
            a["attributes"]["attestation"].as_object_mut().unwrap().remove("publicKeyAttestation");
        })
    };
    seen.fails(&bench, without_public(&bench), Undecided, &["no-public-object"]);
    let mut lenient = Bench::new();
    lenient.options.push(("allow_missing_public_object", json!(true)));
    seen.finds(&lenient, without_public(&lenient), &USUAL);
}

fn pool_chain(seen: &mut Seen) {
    let bench = Bench::new();
    let a = bench.attestation();
    let (made, root, owned) = (&a.manufacturer, &a.pool_root, &a.pool_partition);
    for ders in [
        vec![&made.card, &made.partition],
        vec![&made.card, &made.partition, root],
        vec![&made.card, &made.partition, owned],
    ] {
        seen.fails(&bench, bench.with(&ders), Undecided, &["no-owner-certificates"]);
    }
    let other = Bench::of("otherpool", "5.3G2142-EMU000279", KeyKind::P256);
    let o = other.attestation();
    // Another root than the one that issued, another partition's certificate, another pool's both.
    let files = bench.with(&[&made.card, &made.partition, &o.pool_root, owned]);
    seen.fails(&bench, files, Undecided, &["no-owner-certificates"]);
    for (root, owned) in [(root, &o.pool_partition), (&o.pool_root, &o.pool_partition)] {
        let files = bench.with(&[&made.card, &made.partition, root, owned]);
        seen.fails(&bench, files, NotAuthentic, &["owner-partition"]);
    }
    // Not signed by the root that is named; a root that did not sign itself.
    let forged = bench.pool.partition.sign(&other.pool.root.key, ALG).unwrap();
    let files = bench.with(&[&made.card, &made.partition, root, &forged]);
    seen.fails(&bench, files, NotAuthentic, &["owner-partition"]);
    let forged = bench.pool.root.certificate.sign(&other.pool.root.key, ALG).unwrap();
    let files = bench.with(&[&made.card, &made.partition, &forged, owned]);
    seen.fails(&bench, files, NotAuthentic, &["owner-partition"]);
    let profile = |seen: &mut Seen, change: &dyn Fn(&mut Pool)| {
        let mut bench = Bench::new();
        change(&mut bench.pool);
        let key = Arc::clone(&bench.pool.root.key);
        let again = x509::Authority::root(bench.pool.root.certificate.clone(), key, ALG).unwrap();
        bench.pool.root = again;
        seen.fails(&bench, bench.good(), NotAuthentic, &["owner-partition"]);
    };
    profile(seen, &|pool| pool.root.certificate.extensions.clear());
    profile(seen, &|pool| {
        pool.root.certificate.extensions[1] = x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical();
    });
    profile(seen, &|pool| {
        pool.partition.extensions[0] = x509::basic_constraints(true, None).critical();
    });
    profile(seen, &|pool| {
        let name = marvell::common_name("5.3G2142-EMU000277", Some(1), Mode::NonFips);
        pool.partition.subject = marvell::device_name(&name).unwrap();
    });
    for (from, to) in [("2026-06-02T00:00:00Z", "2050-05-02T06:14:23Z"), ("2025-05-08T06:14:33Z", AT)] {
        let mut bench = Bench::new();
        bench.at = "2026-06-01T00:00:01Z";
        bench.pool.partition.not_before = from.to_owned();
        bench.pool.partition.not_after = to.to_owned();
        seen.fails(&bench, bench.good(), NotAuthentic, &["expired"]);
    }
    let mut strict = Bench::new();
    strict.options.push(("strict_certificates", json!(true)));
    let files = strict.with(&[&made.card, &made.partition, root, owned, &o.pool_root]);
    seen.fails(&strict, files, NotAuthentic, &["leftover-certificates"]);
    let mut bench = Bench::new();
    bench.options.push(("pool_root_spki_sha256", other.pin()));
    seen.fails(&bench, bench.good(), NotAuthentic, &["owner-pin"]);
    let bench = Bench::new();
    seen.finds(&bench, bench.good(), &USUAL);
}

fn manufacturer(seen: &mut Seen) {
    let mut bench = Bench::new();
    let a = bench.attestation();
    let (made, root, owned) = (&a.manufacturer, &a.pool_root, &a.pool_partition);
    let files = bench.with(&[&made.card, root, owned]);
    seen.fails(&bench, files, Undecided, &["no-partition-certificate"]);
    let files = bench.with(&[&made.partition, root, owned]);
    seen.fails(&bench, files, Undecided, &["no-card-certificate"]);
    let forged = bench.hsm.card.sign(&bench.hsm.partition_key, ALG).unwrap();
    let files = bench.with(&[&forged, &made.partition, root, owned]);
    seen.fails(&bench, files, NotAuthentic, &["manufacturer-chain"]);
    bench.reference = Reference::builtin().unwrap();
    seen.fails(&bench, bench.good(), Undecided, &["anchor-unknown"]);

    let other = Maker::new().unwrap().hsm("5.3G2142-EMU000280", Mode::Fips).unwrap();
    let mut bench = Bench::new();
    bench.hsm.card.subject.clone_from(&other.card.subject);
    bench.hsm.partition.issuer.clone_from(&other.card.subject);
    seen.fails(&bench, bench.good(), NotAuthentic, &["fips-mode-words"]);
    // An exponent for which signatures are easy to forge.
    let mut bench = Bench::new();
    bench.hsm.partition_key = Key::shared("azure test: exponent 3", KeyKind::Rsa2048Exponent3).unwrap();
    bench.hsm.partition.spki = bench.hsm.partition_key.spki_der().unwrap();
    bench.pool = Pool::of(POOL, &bench.hsm).unwrap();
    seen.fails(&bench, bench.good(), NotAuthentic, &["partition-key"]);
}

fn blobs(seen: &mut Seen) {
    let bench = Bench::new();
    let flip = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    seen.fails(&bench, bench.spoilt(|a| flip(&mut a.private)), NotAuthentic, &["signature"]);
    seen.fails(&bench, bench.spoilt(|a| flip(&mut a.public)), NotAuthentic, &["signature"]);
    // The other signature scheme of these devices is not that of this layout.
    let (private, _) = bench.halves();
    let other_scheme = private.sign_with(&bench.hsm.partition_key, ALG).unwrap();
    seen.fails(&bench, bench.spoilt(|a| a.private = other_scheme), NotAuthentic, &["signature"]);
    // Genuine halves of two partitions, and the halves of two keys.
    let other = Bench::of(POOL, "5.3G2142-EMU000281", KeyKind::P256);
    let o = other.attestation();
    let mixed = bench.edited(|a| {
        let mine = bench.attestation();
        let all = [&mine.certificates()[..], &o.certificates()[..]].concat();
        a["attributes"]["attestation"]["publicKeyAttestation"] = json!(bundle::base64url(&o.public));
        a["attributes"]["attestation"]["certificatePemFile"] = pem_member(&all);
    });
    seen.fails(&bench, mixed, NotAuthentic, &["mixed-blobs"]);
    let mut several = bench.good();
    several.extend(answer(&o.answer()));
    assert!(failed(&bench.judge(several)).contains(&"mixed-blobs"));

    let cut = bench.spoilt(|a| a.public.truncate(20));
    seen.fails(&bench, cut, NotAuthentic, &["format", "no-public-object"]);
    let text = bench.edited(|a| {
        let inner = &mut a["attributes"]["attestation"];
        for half in ["privateKeyAttestation", "publicKeyAttestation"] {
            inner[half] = json!(bundle::base64url(b"not an attestation"));
        }
    });
    seen.fails(&bench, text, NotAuthentic, &["format"]);
    let broken = pem::encode("CERTIFICATE", b"no certificate");
    let files = bench.edited(|a| {
        let text = format!("{broken}{}", pem::certificates(&bench.attestation().certificates()));
        a["attributes"]["attestation"]["certificatePemFile"] = json!(bundle::base64url(text.as_bytes()));
    });
    seen.fails(&bench, files, NotAuthentic, &["container"]);

    // A byte hidden where the device writes zeros.
    let files = bench.changed(|private, _| private.tail[100] = 1);
    seen.fails(&bench, files, NotAuthentic, &["layout"]);
    let files = bench.changed(|private, _| private.object.padding[3] = 1);
    seen.fails(&bench, files, NotAuthentic, &["layout"]);
    let files = bench.changed(|private, _| private.object.duplicate(kind::EXTRACTABLE));
    seen.fails(&bench, files, NotAuthentic, &["tlv"]);
    let files = bench.changed(|private, public| private.object.handle = public.object.handle);
    seen.fails(&bench, files, NotAuthentic, &["handle"]);

    // Firmware 3 at Azure: nobody has seen how it would be handed out.
    let profile = azure::profile(KEY_NAME, KEY_VERSION);
    let mut fw3 = marvell::pair(&bench.key, &profile).unwrap();
    let hand_out = |blob: Vec<u8>| {
        bench.edited(|a| {
            let inner = a["attributes"]["attestation"].as_object_mut().unwrap();
            inner.insert("privateKeyAttestation".to_owned(), json!(bundle::base64url(&blob)));
            inner.remove("publicKeyAttestation");
        })
    };
    let blob = fw3.sign(&bench.hsm.partition_key).unwrap();
    seen.fails(&bench, hand_out(blob), Undecided, &["untested-layout"]);
    fw3.response_code = 0x20;
    let blob = fw3.sign(&bench.hsm.partition_key).unwrap();
    seen.fails(&bench, hand_out(blob), NotAuthentic, &["device-error", "untested-layout"]);
}

fn objects(seen: &mut Seen) {
    let bench = Bench::new();
    let other = Key::shared("azure test: another", KeyKind::P256).unwrap();
    let (_, others) = marvell::fw2_pair(&other, &azure::profile(KEY_NAME, KEY_VERSION)).unwrap();
    let files = bench.changed(|_, public| public.object = others.object);
    seen.fails(&bench, files, NotAuthentic, &["pair-mismatch"]);
    let files = bench.changed(|_, public| public.object.set(kind::ID, vec![b'x'; 128]));
    seen.fails(&bench, files, NotAuthentic, &["pair-mismatch"]);
    let both = |kind: u32, value: Vec<u8>| {
        bench.changed(|private, public| {
            private.object.set(kind, value.clone());
            public.object.set(kind, value);
        })
    };
    let mut point = bench.key.point().unwrap().to_vec();
    point[64] ^= 1;
    seen.fails(&bench, both(kind::MODULUS, point), NotAuthentic, &["key-values"]);
    seen.fails(&bench, both(kind::MODULUS_BITS, vec![0, 0, 4, 0x3f]), Undecided, &["curve-unknown"]);
    seen.fails(&bench, both(kind::KCV, vec![1, 2, 3]), NotAuthentic, &["kcv"]);
    for (number, value) in [
        (kind::LOCAL, 0),
        (kind::EXTRACTABLE, 1),
        (kind::NEVER_EXTRACTABLE, 0),
        (kind::SENSITIVE, 0),
        (kind::ALWAYS_SENSITIVE, 0),
        (kind::SIGN, 0),
        (kind::TOKEN, 0),
        (kind::IS_SPLIT, 1),
        (kind::SPLITTABLE, 1),
    ] {
        let files = bench.changed(|private, _| private.object.set(number, [value]));
        let appraisal = bench.judge(files.clone());
        if number == kind::LOCAL {
            let generated = appraisal.claims.value(ClaimName::KeyGeneratedInDevice);
            assert_eq!(generated, &Value::Bool(false), "an imported key");
        }
        seen.fails(&bench, files, Authentic, &["private-key-attributes"]);
    }
    // A secret key: only one member, as the service does it.
    let files = bench.edited(|a| {
        let secret = Fw2::new(Object::fw3_secret(0x10, &azure::profile(KEY_NAME, KEY_VERSION)));
        let blob = secret.sign(&bench.hsm.partition_key).unwrap();
        let inner = a["attributes"]["attestation"].as_object_mut().unwrap();
        inner.insert("privateKeyAttestation".to_owned(), json!(bundle::base64url(&blob)));
        inner.remove("publicKeyAttestation");
        a["key"]["kty"] = json!("oct-HSM");
    });
    seen.fails(&bench, files, Authentic, &["not-asymmetric"]);
    // The public half says nothing of the private key, whatever its attributes are.
    let attestation = bench.attestation();
    let mut files = decoded(&attestation);
    files.remove(0);
    seen.fails(&bench, files, Authentic, &["no-private-object"]);
    let mut files = decoded(&attestation);
    files.remove(1);
    seen.fails(&bench, files, Undecided, &["no-public-object"]);
}

#[test]
fn requests_and_nonces() {
    let mut bench = Bench::new();
    let other = Key::shared("azure test: another", KeyKind::P256).unwrap();
    bench.request = Some(File::new("a.pem", pem::public_key(&other.spki_der().unwrap())));
    let appraisal = bench.judge(bench.good());
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["csr-key-mismatch"], Authentic));
    assert_eq!(appraisal.binding.as_str(), "none");
    let mut forged = csr::plain("subject", &bench.key).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    bench.request = Some(File::new("a.csr", pem::request(&forged)));
    let appraisal = bench.judge(bench.good());
    assert_eq!((failed(&appraisal), appraisal.binding.as_str()), (vec!["csr-signature"], "none"));
    let mut submission = Submission::new(bench.good(), AT.parse().unwrap());
    submission.nonce = Some(vec![1; 16]);
    assert_eq!(appraise(&bench.reference, &submission).freshness.as_str(), "no-nonce-in-evidence");
}

/// Pool certificates count for deny-lists, and inspect shows every answer.
#[test]
fn deny_lists_and_inspection() {
    let mut bench = Bench::new();
    let digest = hex::encode(keyvouch_emulator::key::sha256(&bench.attestation().pool_root));
    bench.options.push(("deny_certificates", json!([digest])));
    assert_eq!(failed(&bench.judge(bench.good())), ["denied"]);
    let submission = Submission::new(bench.good(), AT.parse().unwrap());
    let view = Verifier::new(bench.reference.clone()).inspect(&submission).unwrap().to_string();
    assert!(view.contains("answer of Azure (unsigned)") && view.contains("customer_key"), "{view}");
}
