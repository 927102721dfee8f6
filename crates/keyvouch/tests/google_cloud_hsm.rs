//! Google Cloud HSM on emulated devices: every container, both chains, and one failure for every check.

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
use keyvouch::reference::anchors::{Anchor, AnchorKind};
use keyvouch::{ClaimName, File, Reference, Submission, Value, Verifier};
use keyvouch_emulator::google_cloud_hsm::{self as google, KeyVersion, Owner, RESOURCE_NAME};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::marvell::{self, Fw3, Hsm, Maker, Mode, kind};
use keyvouch_emulator::x509::{self, usage};
use keyvouch_emulator::{bundle, csr, pem, samples};
use serde_json::{Value as Json, json};

const AT: &str = "2026-06-01T00:00:00Z";
const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";

/// A card at Google with a key version on it.
struct Bench {
    maker: Maker,
    hsm: Hsm,
    owner: Owner,
    key: Arc<Key>,
    reference: Reference,
    at: &'static str,
    request: Option<File>,
    options: Vec<(&'static str, Json)>,
}

impl Bench {
    fn new() -> Self {
        Self::of("5.3G2041-EMU000177", Mode::Fips)
    }

    fn of(serial: &str, mode: Mode) -> Self {
        let maker = Maker::new().unwrap();
        let hsm = maker.hsm(serial, mode).unwrap();
        let owner = Owner::of(&hsm).unwrap();
        let key = Key::shared("google test: subject", KeyKind::P256).unwrap();
        let reference = anchors(&[&hsm.root.der, &owner.root.der]);
        Self { maker, hsm, owner, key, reference, at: AT, request: None, options: Vec::new() }
    }

    fn pair(&self) -> Fw3 {
        marvell::pair(&self.key, &google::profile(RESOURCE_NAME)).unwrap()
    }

    fn version(&self) -> KeyVersion {
        self.version_of(&self.pair())
    }

    fn version_of(&self, blob: &Fw3) -> KeyVersion {
        let algorithm = "EC_SIGN_P256_SHA256";
        KeyVersion::new(RESOURCE_NAME, algorithm, blob, &self.maker, &self.hsm, &self.owner).unwrap()
    }

    /// The blob changed before it is signed, as the files of the console.
    fn changed(&self, change: impl FnOnce(&mut Fw3)) -> Vec<File> {
        let mut blob = self.pair();
        change(&mut blob);
        files(&self.version_of(&blob))
    }

    /// The resource, changed.
    fn resource(&self, change: impl FnOnce(&mut Json)) -> Vec<File> {
        let mut resource = self.version().resource().unwrap();
        change(&mut resource);
        vec![File::new("key-version.json", bundle::json(&resource).unwrap())]
    }

    fn dat(&self) -> File {
        File::new("attestation.dat", self.version().dat().unwrap())
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

fn files(version: &KeyVersion) -> Vec<File> {
    version.files().unwrap().into_iter().map(|f| File::new(f.name, f.bytes)).collect()
}

fn pem_file<D: AsRef<[u8]>>(ders: &[D]) -> File {
    File::new("chain.pem", pem::certificates(ders))
}

fn appraise(reference: &Reference, submission: &Submission) -> Appraisal {
    let mut report = Verifier::new(reference.clone()).appraise(submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
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

fn detail(appraisal: &Appraisal, name: &str) -> String {
    let found = appraisal.details.details().find(|(n, _)| *n == name);
    found.map(|(_, c)| c.value.to_string()).unwrap_or_default()
}

/// Which checks have been seen failing.
#[derive(Default)]
struct Seen(BTreeSet<&'static str>);

impl Seen {
    #[track_caller]
    fn fails(&mut self, bench: &Bench, files: Vec<File>, authenticity: Authenticity, ids: &[&'static str]) {
        let appraisal = bench.judge(files);
        assert_eq!(appraisal.format, "google-cloud-hsm");
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
    let samples = samples("google-cloud-hsm").unwrap();
    assert!(samples.len() >= 6);
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
        assert_eq!((failed(&appraisal), findings(&appraisal)), (vec![], vec![]), "{variant}");
        assert_eq!((appraisal.format, appraisal.authenticity), ("google-cloud-hsm", Authentic), "{variant}");
        let binding = if variant.starts_with("public-key") { "public-key" } else { "csr" };
        assert_eq!(appraisal.binding.as_str(), binding, "{variant}");
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("vendor-boundary"));
        assert_eq!(appraisal.claims.text(ClaimName::DeviceClass), Some("cloud-hsm"));
        assert_eq!(detail(&appraisal, "operator"), "Google");
    }
}

#[test]
fn the_resource_name_is_confirmed_by_its_digest() {
    let mut bench = Bench::new();
    let digest = hex::encode(keyvouch_emulator::key::sha256(RESOURCE_NAME.as_bytes()));
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!(detail(&appraisal, "resource_name_sha256"), digest);
    assert_eq!(detail(&appraisal, "resource_name"), "unknown");
    let appraisal = bench.judge(bench.resource(|_| {}));
    assert_eq!(detail(&appraisal, "resource_name"), RESOURCE_NAME);
    // The caller may give the project both as id and as number.
    let by_number = RESOURCE_NAME.replace("emulated-project", "123456789012");
    bench.options.push(("resource_name", json!(format!("{by_number}, {RESOURCE_NAME}"))));
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!(failed(&appraisal), [""; 0]);
    assert_eq!(detail(&appraisal, "resource_name"), RESOURCE_NAME);
}

#[test]
fn what_else_is_accepted() {
    let bench = Bench::new();
    let version = bench.version();
    let certificates = || vec![File::new("chains.pem", version.combined_chain())];
    let numbered = bench.resource(|r| r["attestation"]["format"] = json!(4));
    let listed = bench.resource(|r| *r = json!([r.clone()]));
    let mut raw = certificates();
    raw.push(File::new("attestation", version.blob.clone()));
    let mut text = certificates();
    text.push(File::new("attestation.txt", bundle::base64(&version.dat().unwrap())));
    let mut twice = bench.resource(|_| {});
    twice.extend(files(&version));
    let broken_lines = bench.resource(|r| {
        let content = r["attestation"]["content"].as_str().unwrap().to_owned();
        r["attestation"]["content"] = json!(format!("{}\n{}", &content[..76], &content[76..]));
    });
    let mut zip_only = vec![File::new("bundle.zip", version.zip().unwrap())];
    zip_only.push(File::new("readme.txt", "our key"));
    for (n, files) in [numbered, listed, raw, text, twice, broken_lines, zip_only].into_iter().enumerate() {
        let appraisal = bench.judge(files);
        assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authentic), "{n}");
    }
}

/// A re-encoded name is still the name, for the owner's certificates.
#[test]
fn owner_names_may_be_encoded_differently() {
    let mut bench = Bench::new();
    let cn = marvell::common_name("5.3G2041-EMU000177", Some(1), Mode::Fips);
    bench.owner.partition.subject = google::reordered_name(&cn).unwrap();
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authentic));
}

/// The same blob without Google's containers and chain is of a card of one's own.
#[test]
fn the_source_is_chosen_from_containers_and_certificates() {
    let bench = Bench::new();
    let version = bench.version();
    let made = [&version.manufacturer.partition, &version.manufacturer.card];
    let raw = vec![File::new("a.bin", version.blob.clone()), pem_file(&made)];
    let appraisal = bench.judge(raw);
    assert_eq!((appraisal.format, appraisal.authenticity), ("marvell", Authentic));
    let compressed = vec![bench.dat(), pem_file(&made)];
    assert_eq!(bench.judge(compressed).format, "google-cloud-hsm");
    // A cut gzip file is still told, by what it begins with.
    let dat = bench.dat().bytes;
    let appraisal = bench.judge(vec![File::new("cut.dat", &dat[..dat.len() / 2])]);
    assert_eq!((appraisal.format, failed(&appraisal)), ("google-cloud-hsm", vec!["container"]));
    // Other gzip files and other JSON are nobody's.
    let other = File::new("notes.gz", bundle::gzip(b"some notes of other things").unwrap());
    assert_eq!(bench.judge(vec![other]).format, "");
    let other = File::new("notes.json", r#"{"format": "packed", "content": "AAAA"}"#);
    assert_eq!(bench.judge(vec![other]).format, "");
}

/// One flat list of anchors would let Google's root stand in for the manufacturer's, and the other way round.
#[test]
fn roots_do_not_stand_in_for_each_other() {
    let mut seen = Seen::default();
    let mut bench = Bench::new();
    bench.reference = anchors(&[&bench.owner.root.der]);
    seen.fails(&bench, bench.changed(|_| {}), Undecided, &["anchor-unknown"]);
    bench.reference = anchors(&[&bench.hsm.root.der]);
    seen.fails(&bench, bench.changed(|_| {}), Undecided, &["anchor-unknown"]);
    // The owner's certificates in the place of the manufacturer's.
    let bench = Bench::new();
    let owner = bench.owner.sign().unwrap();
    let files = vec![bench.dat(), pem_file(&[owner.partition, owner.card])];
    seen.fails(&bench, files, Undecided, &["no-partition-certificate"]);
    // An owner's root that is not named like Google's is no owner root.
    let mut bench = Bench::new();
    bench.owner = Owner::named("Some other root", &bench.hsm).unwrap();
    bench.reference = anchors(&[&bench.hsm.root.der, &bench.owner.root.der]);
    assert_ne!(bench.judge(bench.changed(|_| {})).authenticity, Authentic);
}

#[test]
fn every_check_can_fail() {
    let mut seen = Seen::default();
    containers(&mut seen);
    owner_chain(&mut seen);
    shared_core(&mut seen);

    let mut bench = Bench::new();
    seen.finds(&bench, bench.resource(|r| r["name"] = json!("projects/p")), &["resource-name-differs"]);
    for member in ["importTime", "importJob"] {
        let files = bench.resource(|r| r[member] = json!("2026-05-20T09:12:44Z"));
        seen.finds(&bench, files, &["import-metadata-differs"]);
    }
    bench.options.push(("resource_name", json!(RESOURCE_NAME.replace("Versions/1", "Versions/2"))));
    seen.fails(&bench, bench.changed(|_| {}), Authentic, &["resource-name"]);
    let other_id = |blob: &mut Fw3| {
        let id = [b"0".repeat(127), b"Z".to_vec()].concat();
        blob.objects.iter_mut().for_each(|o| o.set(kind::ID, id.clone()));
    };
    seen.fails(&bench, bench.changed(other_id), Authentic, &["resource-name"]);
    let bench = Bench::of("5.3G2041-EMU000178", Mode::NonFips);
    seen.finds(&bench, bench.changed(|_| {}), &["device-not-fips-mode"]);

    let about = keyvouch::formats::about().find(|a| a.id == "google-cloud-hsm").unwrap();
    let declared: BTreeSet<&str> = about.checks.iter().map(|c| c.id).collect();
    assert_eq!(seen.0, declared);
}

fn containers(seen: &mut Seen) {
    let bench = Bench::new();
    let version = bench.version();
    let chain = || File::new("chains.pem", version.combined_chain());
    let dat = version.dat().unwrap();
    let bomb = bundle::gzip(&vec![0; 16 << 20]).unwrap();
    let incompressible = keyvouch_emulator::key::derived("noise", 70_000);
    for bytes in [
        dat[..dat.len() - 1].to_vec(),
        [&dat[..], &[0]].concat(),
        [&dat[..], &dat[..]].concat(),
        bomb,
        bundle::gzip(&incompressible).unwrap(),
        dat[..12].to_vec(),
    ] {
        seen.fails(&bench, vec![File::new("a.dat", bytes), chain()], NotAuthentic, &["container"]);
    }
    for content in [json!("not base64!"), json!(7), json!(bundle::base64(&version.blob))] {
        let files = bench.resource(|r| r["attestation"]["content"] = content);
        seen.fails(&bench, files, NotAuthentic, &["container"]);
    }
    // A member twice: readers differ in which one they take.
    let text = String::from_utf8(bench.resource(|_| {})[0].bytes.clone()).unwrap();
    let twice = text.replacen("\"content\":", "\"content\": \"AAAA\", \"content\":", 1);
    assert_ne!(text, twice);
    for broken in [twice, text[..text.len() - 10].to_owned()] {
        let files = vec![File::new("a.json", broken), chain()];
        seen.fails(&bench, files, NotAuthentic, &["container"]);
    }
    let many: Vec<Vec<u8>> = (0..17_u8)
        .map(|n| {
            let mut card = bench.hsm.card.clone();
            card.serial = vec![n];
            card.sign(&bench.hsm.root.key, ALG).unwrap()
        })
        .collect();
    let files = vec![bench.dat(), pem_file(&many), chain()];
    assert!(failed(&bench.judge(files)).contains(&"container"));

    let short = bundle::gzip(&version.blob[..version.blob.len() - 1]).unwrap();
    seen.fails(&bench, vec![File::new("a.dat", short), chain()], NotAuthentic, &["format"]);

    for format in [json!("CAVIUM_V3_COMPRESSED"), json!("ATTESTATION_FORMAT_UNSPECIFIED"), json!(5)] {
        let files = bench.resource(|r| r["attestation"]["format"] = format);
        seen.fails(&bench, files, Undecided, &["attestation-format"]);
    }
    for format in [json!("CAVIUM_V1_COMPRESSED"), json!(3)] {
        let files = bench.resource(|r| r["attestation"]["format"] = format);
        seen.fails(&bench, files, Undecided, &["untested-layout"]);
    }
    seen.fails(&bench, vec![chain()], Undecided, &["no-attestation-blob"]);
    // A key in software has no attestation, and the answer says so.
    let software = json!({"name": RESOURCE_NAME, "protectionLevel": "SOFTWARE", "state": "ENABLED"});
    let appraisal = bench.judge(vec![File::new("a.json", bundle::json(&software).unwrap())]);
    assert_eq!((appraisal.format, failed(&appraisal)), ("google-cloud-hsm", vec!["no-attestation-blob"]));
    assert!(appraisal.failed().any(|c| c.detail.contains("SOFTWARE")));
}

fn owner_chain(seen: &mut Seen) {
    let bench = Bench::new();
    let version = bench.version();
    let (made, owned) = (&version.manufacturer, &version.owner);
    let with = |ders: &[&Vec<u8>]| vec![bench.dat(), pem_file(ders)];

    // `.dat` alone: the advice is the command that gets the rest.
    let files = vec![bench.dat()];
    seen.fails(&bench, files.clone(), Undecided, &["no-partition-certificate", "no-owner-certificates"]);
    let advice = bench.judge(files).failed().next().unwrap().advice.clone().unwrap();
    assert!(advice.contains("gcloud kms keys versions get-certificate-chain"), "{advice}");
    for ders in [
        vec![&made.partition, &made.card],
        vec![&made.partition, &made.card, &owned.card],
        vec![&made.partition, &made.card, &owned.partition],
    ] {
        seen.fails(&bench, with(&ders), Undecided, &["no-owner-certificates"]);
    }
    let only_owner = with(&[&owned.partition, &owned.card]);
    seen.fails(&bench, only_owner, Undecided, &["no-partition-certificate"]);
    let no_card = with(&[&made.partition, &owned.partition, &owned.card]);
    seen.fails(&bench, no_card, Undecided, &["no-card-certificate"]);

    // Certificates of another card of the same owner: the check that peers never make.
    let other = Bench::of("5.3G2041-EMU000179", Mode::Fips);
    let others = other.owner.sign().unwrap();
    let files = with(&[&made.partition, &made.card, &others.partition, &owned.card]);
    seen.fails(&bench, files, NotAuthentic, &["owner-partition"]);
    let files = with(&[&made.partition, &made.card, &owned.partition, &others.card]);
    seen.fails(&bench, files, NotAuthentic, &["owner-card"]);
    // Not signed by the root that they name.
    let forged = bench.owner.partition.sign(&bench.key_of_another(), ALG).unwrap();
    let files = with(&[&made.partition, &made.card, &forged, &owned.card]);
    seen.fails(&bench, files, NotAuthentic, &["owner-partition"]);
    let forged = bench.owner.card.sign(&bench.key_of_another(), ALG).unwrap();
    let files = with(&[&made.partition, &made.card, &owned.partition, &forged]);
    seen.fails(&bench, files, NotAuthentic, &["owner-card"]);
    // The owner's card does not issue the owner's partition certificate.
    let mut below = bench.owner.partition.clone();
    below.issuer.clone_from(&bench.owner.card.subject);
    let below = below.sign(&bench.hsm.card_key, ALG).unwrap();
    let files = with(&[&made.partition, &made.card, &below, &owned.card]);
    seen.fails(&bench, files, Undecided, &["no-owner-certificates"]);

    // A development root, in the evidence and not among the anchors.
    let mut dev = Bench::new();
    dev.owner = Owner::named("Hawksbill Root emulated dev", &dev.hsm).unwrap();
    seen.fails(&dev, dev.changed(|_| {}), Undecided, &["anchor-unknown"]);
    let root = &dev.owner.root.certificate;
    let published = bench.reference.anchors.by_subject(&bench.owner.root.certificate.subject).next().unwrap();
    let published = published.certificates[0].clone();
    let distrusted = Anchor::from_operator(
        "mine",
        "development",
        AnchorKind::Untrusted,
        &root.subject,
        &root.spki,
        None,
        published,
    );
    dev.reference.anchors.add(distrusted.unwrap()).unwrap();
    seen.fails(&dev, dev.changed(|_| {}), NotAuthentic, &["owner-partition", "owner-card"]);
    let stranger = Bench { owner: Owner::named("Some root", &dev.hsm).unwrap(), ..Bench::new() };
    seen.fails(&stranger, stranger.changed(|_| {}), Undecided, &["anchor-unknown"]);

    let changes: [fn(&mut Owner); 7] = [
        |o| *o.partition.extension_mut(BASIC_CONSTRAINTS).unwrap() = x509::basic_constraints(true, None),
        |o| o.partition.remove_extension(BASIC_CONSTRAINTS),
        |o| o.card.remove_extension(KEY_USAGE),
        |o| *o.card.extension_mut(KEY_USAGE).unwrap() = x509::key_usage(&[usage::KEY_ENCIPHERMENT]),
        |o| *o.partition.extension_mut(KEY_USAGE).unwrap() = x509::key_usage(&[usage::NON_REPUDIATION]),
        |o| {
            let cn = marvell::common_name("5.3G2041-EMU000177", Some(2), Mode::Fips);
            o.partition.subject = marvell::device_name(&cn).unwrap();
        },
        |o| {
            let cn = marvell::common_name("5.3G2041-EMU000177", None, Mode::NonFips);
            o.card.subject = marvell::device_name(&cn).unwrap();
        },
    ];
    for change in changes {
        let mut bench = Bench::new();
        change(&mut bench.owner);
        seen.fails(&bench, bench.changed(|_| {}), NotAuthentic, &["owner-profile"]);
    }
    let mut late = Bench::new();
    late.owner.card.not_after = "2026-01-01T00:00:00Z".to_owned();
    seen.fails(&late, late.changed(|_| {}), NotAuthentic, &["expired"]);
}

impl Bench {
    fn key_of_another(&self) -> Arc<Key> {
        Key::shared("google test: another", KeyKind::Rsa2048).unwrap()
    }
}

/// The checks of the shared core, in Google's containers: one failure each; the rest is in the tests of `marvell`.
fn shared_core(seen: &mut Seen) {
    let bench = Bench::new();
    seen.fails(&bench, bench.changed(|b| b.response_code = 1), NotAuthentic, &["device-error"]);
    seen.fails(&bench, bench.changed(|b| b.version = 2), NotAuthentic, &["layout"]);
    let files = bench.changed(|b| b.objects[1].duplicate(kind::LOCAL));
    seen.fails(&bench, files, NotAuthentic, &["tlv"]);
    seen.fails(&bench, bench.changed(|b| b.handles = Some(vec![1, 2])), NotAuthentic, &["handle"]);
    let other = Bench::of("5.3G2041-EMU000180", Mode::Fips);
    let files = vec![bench.dat(), File::new("chains.pem", other.version().combined_chain())];
    seen.fails(&bench, files, NotAuthentic, &["signature"]);
    let mut second = Bench::new();
    second.key = Key::shared("google test: second", KeyKind::P256).unwrap();
    let mut files = bench.changed(|_| {});
    files.push(second.dat());
    seen.fails(&bench, files, NotAuthentic, &["mixed-blobs"]);

    let mut weak = Bench::new();
    weak.hsm.partition_key = Key::shared("google test: weak", KeyKind::Rsa2048Exponent3).unwrap();
    weak.hsm.partition.spki = weak.hsm.partition_key.spki_der().unwrap();
    weak.owner = Owner::of(&weak.hsm).unwrap();
    seen.fails(&weak, weak.changed(|_| {}), NotAuthentic, &["partition-key"]);
    let mut forged = Bench::new();
    forged.hsm.card_key = forged.key_of_another();
    seen.fails(&forged, forged.changed(|_| {}), NotAuthentic, &["manufacturer-chain"]);
    let mut words = Bench::new();
    let cn = marvell::common_name("5.3G2041-EMU000177", Some(1), Mode::NonFips);
    words.hsm.partition.subject = marvell::device_name(&cn).unwrap();
    words.owner = Owner::of(&words.hsm).unwrap();
    seen.fails(&words, words.changed(|_| {}), NotAuthentic, &["fips-mode-words"]);
    let late = Bench { at: "2029-01-01T00:00:00Z", ..Bench::new() };
    seen.fails(&late, late.changed(|_| {}), NotAuthentic, &["expired"]);
    let mut strict = Bench::new();
    strict.options.push(("strict_certificates", json!(true)));
    let mut files = strict.changed(|_| {});
    files.push(pem_file(&[other.version().manufacturer.card]));
    seen.fails(&strict, files, NotAuthentic, &["leftover-certificates"]);

    let files = bench.changed(|b| b.objects[0].set(kind::LABEL, vec![b'x'; 128]));
    seen.fails(&bench, files, NotAuthentic, &["pair-mismatch"]);
    let both = |number: u32, value: Vec<u8>| {
        bench.changed(|b| b.objects.iter_mut().for_each(|o| o.set(number, value.clone())))
    };
    seen.fails(&bench, both(kind::MODULUS, vec![4; 65]), NotAuthentic, &["key-values"]);
    let ed25519 = both(kind::MODULUS_BITS, 1087_u32.to_be_bytes().to_vec());
    seen.fails(&bench, ed25519, Undecided, &["curve-unknown"]);
    seen.fails(&bench, both(kind::EKCV, vec![0; 32]), NotAuthentic, &["kcv"]);
    let secret = marvell::secret(&google::profile(RESOURCE_NAME));
    seen.fails(&bench, files_of(&bench, &secret), Authentic, &["not-asymmetric"]);
    let public = Fw3::new(vec![bench.pair().objects[0].clone()]);
    seen.fails(&bench, files_of(&bench, &public), Authentic, &["no-private-object"]);
    let imported = marvell::imported(&bench.key, &google::profile(RESOURCE_NAME)).unwrap();
    seen.fails(&bench, files_of(&bench, &imported), Authentic, &["private-key-attributes"]);
    let exportable = bench.changed(|b| b.objects[1].set(kind::EXTRACTABLE, [1]));
    seen.fails(&bench, exportable, Authentic, &["private-key-attributes"]);
}

fn files_of(bench: &Bench, blob: &Fw3) -> Vec<File> {
    files(&bench.version_of(blob))
}

#[test]
fn a_request_of_another_key_is_not_bound() {
    let mut bench = Bench::new();
    let other = Key::shared("google test: other", KeyKind::P384).unwrap();
    bench.request = Some(File::new("a.pem", pem::public_key(&other.spki_der().unwrap())));
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["csr-key-mismatch"], Authentic));
    assert_eq!(appraisal.binding.as_str(), "none");
    let mut forged = csr::plain("subject", &bench.key).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    bench.request = Some(File::new("a.csr", pem::request(&forged)));
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!((failed(&appraisal), appraisal.binding.as_str()), (vec!["csr-signature"], "none"));
}

/// An expired root in the bundle does no harm as long as its key is anchored by a newer certificate.
#[test]
fn an_expired_bundled_root_is_explained() {
    let bench = Bench::new();
    let appraisal = bench.judge(bench.changed(|_| {}));
    let told = appraisal.checks.iter().any(|c| c.id == "expired" && c.detail.contains("2025-11-16"));
    assert!(told, "{:#?}", appraisal.checks);
    let mut bench = bench;
    bench.reference = anchors(&[&bench.maker.expired_root.der, &bench.owner.root.der]);
    assert_eq!(failed(&bench.judge(bench.changed(|_| {}))), ["expired"]);
}
