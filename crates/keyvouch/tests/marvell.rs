//! LiquidSecurity attestations of cards that their owners operate: emulated devices, and one failure for every check.

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
use keyvouch::{ClaimName, File, Freshness, Reference, Submission, Value, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::marvell::{self, Fw2, Fw3, Hsm, Maker, Mode, Object, Profile, PublicValues, kind};
use keyvouch_emulator::x509::{self, Text};
use keyvouch_emulator::{bundle, csr, google_cloud_hsm, pem, samples};

const AT: &str = "2026-06-01T00:00:00Z";
const SERIAL: &str = "5.3G2041-EMU000077";

/// A card with one partition, and the anchor that vouches for it.
struct Bench {
    maker: Maker,
    hsm: Hsm,
    key: Arc<Key>,
    reference: Reference,
    at: &'static str,
    nonce: Option<Vec<u8>>,
    request: Option<File>,
    options: Vec<(&'static str, serde_json::Value)>,
}

impl Bench {
    fn new() -> Self {
        Self::of(SERIAL, Mode::Fips)
    }

    fn of(serial: &str, mode: Mode) -> Self {
        let maker = Maker::new().unwrap();
        let hsm = maker.hsm(serial, mode).unwrap();
        let mut reference = Reference::builtin().unwrap();
        let root = pem::certificate(&hsm.root.der);
        reference.load_operator_certificates("root.pem", root.as_bytes()).unwrap();
        let key = Key::shared("marvell test: subject", KeyKind::P256).unwrap();
        Self { maker, hsm, key, reference, at: AT, nonce: None, request: None, options: Vec::new() }
    }

    fn profile() -> Profile {
        Profile::plain("test-key")
    }

    fn pair(&self) -> Fw3 {
        marvell::pair(&self.key, &Self::profile()).unwrap()
    }

    fn fw2(&self) -> (Fw2, Fw2) {
        marvell::fw2_pair(&self.key, &Self::profile()).unwrap()
    }

    fn signed(&self, blob: &Fw3) -> File {
        File::new("attestation.bin", blob.sign(&self.hsm.partition_key).unwrap())
    }

    fn signed_fw2(&self, blob: &Fw2) -> File {
        File::new("object.bin", blob.sign(&self.hsm.partition_key).unwrap())
    }

    fn chain(&self) -> File {
        let chain = self.hsm.sign().unwrap();
        File::new("chain.pem", pem::certificates(&[chain.card, chain.partition]))
    }

    /// The pair, changed before it is signed, with its chain.
    fn changed(&self, change: impl FnOnce(&mut Fw3)) -> Vec<File> {
        let mut blob = self.pair();
        change(&mut blob);
        vec![self.signed(&blob), self.chain()]
    }

    fn judge(&self, files: Vec<File>) -> Appraisal {
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.nonce = self.nonce.clone();
        submission.request = self.request.clone();
        for (name, value) in &self.options {
            submission.options.set(*name, value.clone());
        }
        appraise(&self.reference, &submission)
    }
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

/// Which checks have been seen failing.
#[derive(Default)]
struct Seen(BTreeSet<&'static str>);

impl Seen {
    #[track_caller]
    fn fails(&mut self, bench: &Bench, files: Vec<File>, authenticity: Authenticity, ids: &[&'static str]) {
        let appraisal = bench.judge(files);
        assert_eq!(appraisal.format, "marvell");
        assert_eq!(failed(&appraisal), ids, "{:#?}", appraisal.checks);
        assert_eq!(appraisal.authenticity, authenticity);
        if authenticity != Authentic {
            assert!(appraisal.claims.is_empty() && appraisal.trust.is_none(), "unauthenticated claims");
        }
        assert!(appraisal.failed().all(|c| c.advice.as_ref().is_some_and(|a| !a.is_empty())));
        self.0.extend(ids);
    }
}

/// Both objects of a pair.
fn both(blob: &mut Fw3, number: u32, value: &[u8]) {
    for object in &mut blob.objects {
        object.set(number, value);
    }
}

#[test]
fn every_sample_is_authentic() {
    let samples = samples("marvell").unwrap();
    assert!(samples.len() >= 8);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = Submission::new(files, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        let appraisal = appraise(&reference, &submission);
        let variant = &sample.variant;
        assert_eq!(failed(&appraisal), [""; 0], "{variant}");
        assert_eq!((appraisal.format, appraisal.authenticity), ("marvell", Authentic), "{variant}");
        assert_eq!(appraisal.binding.as_str(), "csr", "{variant}");
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true), "{variant}");
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("vendor-boundary"), "{variant}");
        let fips = appraisal.claims.value(ClaimName::DeviceFipsMode);
        let findings: Vec<_> = appraisal.findings().map(|c| &*c.id).collect();
        if variant.starts_with("fw2") {
            assert_eq!((fips, &findings[..]), (&Value::Bool(false), &["device-not-fips-mode"][..]));
        } else {
            assert_eq!((fips, &findings[..]), (&Value::Bool(true), &[][..]), "{variant}");
        }
    }
}

#[test]
fn claims_and_details_of_a_pair() {
    let bench = Bench::new();
    let appraisal = bench.judge(bench.changed(|_| {}));
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "EC-P256");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign, decrypt, wrap");
    assert_eq!(claim(ClaimName::KeyEverExportable), "false");
    assert_eq!(claim(ClaimName::KeyCreatedAt), "unknown");
    assert_eq!(claim(ClaimName::DeviceClass), "hsm");
    assert_eq!(claim(ClaimName::DeviceVendor), "Marvell");
    assert_eq!(claim(ClaimName::DeviceModel), "LiquidSecurity");
    assert_eq!(claim(ClaimName::DeviceSerial), SERIAL);
    assert_eq!(claim(ClaimName::DeviceFirmware), "unknown");
    let details: Vec<_> = appraisal.details.details().map(|(n, c)| (n, c.value.to_string())).collect();
    for (name, value) in
        [("partition", "1"), ("persistent", "true"), ("label", "test-key"), ("operator", "unknown")]
    {
        assert!(details.contains(&(name, value.to_owned())), "{name}: {details:?}");
    }
    assert_eq!(appraisal.trust.unwrap().path().len(), 3);
}

#[test]
fn claims_follow_the_private_object() {
    let bench = Bench::new();
    let value = |name, number, flag: Option<u8>| {
        let files = bench.changed(|blob| match flag {
            Some(flag) => blob.objects[1].set(number, [flag]),
            None => blob.objects[1].remove(number),
        });
        let appraisal = bench.judge(files);
        assert_eq!(appraisal.authenticity, Authentic);
        appraisal.claims.value(name).to_string()
    };
    let export = |number, flag| value(ClaimName::KeyExportable, number, flag);
    assert_eq!(export(kind::SENSITIVE, Some(0)), "yes");
    assert_eq!(export(kind::EXTRACTABLE, Some(1)), "wrapped");
    for number in [kind::SPLITTABLE, kind::IS_SPLIT] {
        assert_eq!(export(number, Some(1)), "unknown");
        assert_eq!(export(number, None), "unknown");
    }
    assert_eq!(export(kind::SENSITIVE, None), "unknown");
    assert_eq!(export(kind::EXTRACTABLE, None), "unknown");
    let ever = |number, flag| value(ClaimName::KeyEverExportable, number, flag);
    assert_eq!(ever(kind::NEVER_EXTRACTABLE, Some(0)), "true");
    assert_eq!(ever(kind::ALWAYS_SENSITIVE, Some(0)), "true");
    assert_eq!(ever(kind::ALWAYS_SENSITIVE, None), "unknown");
    assert_eq!(value(ClaimName::KeyGeneratedInDevice, kind::LOCAL, Some(0)), "false");
    assert_eq!(value(ClaimName::KeyGeneratedInDevice, kind::LOCAL, None), "unknown");
    assert_eq!(value(ClaimName::KeyPurposes, kind::DERIVE, Some(1)), "sign, decrypt, agree, wrap");
    assert_eq!(value(ClaimName::KeyPurposes, kind::DERIVE, None), "unknown");
}

#[test]
fn public_and_secret_objects_say_nothing_of_a_private_key() {
    let bench = Bench::new();
    let public = bench.judge(vec![bench.signed_fw2(&bench.fw2().1), bench.chain()]);
    let secret = bench.judge(vec![bench.signed(&marvell::secret(&Bench::profile())), bench.chain()]);
    for appraisal in [public, secret] {
        assert_eq!(appraisal.authenticity, Authentic);
        for name in ClaimName::ALL.iter().filter(|n| n.as_str().starts_with("key.")) {
            assert!(appraisal.claims.value(*name).is_unknown(), "{name}");
        }
        assert_eq!(appraisal.claims.text(ClaimName::DeviceSerial), Some(SERIAL));
    }
}

#[test]
fn request_and_nonce() {
    let mut bench = Bench::new();
    bench.nonce = Some(vec![1; 16]);
    let other = Key::shared("marvell test: other", KeyKind::P256).unwrap();
    let other = csr::plain("other", &other).unwrap();
    bench.request = Some(File::new("request.csr", pem::request(&other)));
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!(appraisal.freshness, Freshness::NoNonceInEvidence);
    assert_eq!(failed(&appraisal), ["csr-key-mismatch"]);
    assert_eq!((appraisal.authenticity, appraisal.binding.as_str()), (Authentic, "none"));

    let mut forged = csr::plain("subject", &bench.key).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    bench.request = Some(File::new("request.csr", pem::request(&forged)));
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!(failed(&appraisal), ["csr-signature"]);
    assert_eq!((appraisal.authenticity, appraisal.binding.as_str()), (Authentic, "none"));
}

#[test]
fn what_else_is_accepted() {
    let bench = Bench::new();
    // Both halves as text, in any order; the private half alone; P-521; the same blob twice.
    let (private, public) = bench.fw2();
    let (private, public) = (bench.signed_fw2(&private), bench.signed_fw2(&public));
    let text = File::new("public.txt", bundle::base64url(&public.bytes));
    for files in [
        vec![text.clone(), bench.chain(), private.clone()],
        vec![private.clone(), bench.chain()],
        vec![private.clone(), text, public, bench.chain()],
    ] {
        let appraisal = bench.judge(files);
        assert_eq!(failed(&appraisal), [""; 0], "{:#?}", appraisal.checks);
        assert_eq!(appraisal.authenticity, Authentic);
    }
    let mut bench = bench;
    bench.key = Key::shared("marvell test: subject", KeyKind::P521).unwrap();
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!(failed(&appraisal), [""; 0]);
    assert_eq!(appraisal.claims.text(ClaimName::KeyAlgorithm), Some("EC-P521"));
    // Unknown attributes are kept, and are no fault.
    let files = bench.changed(|blob| blob.objects[1].set(0x7777_7777, *b"what?"));
    let submission = Submission::new(files, AT.parse().unwrap());
    assert_eq!(appraise(&bench.reference, &submission).authenticity, Authentic);
    let view = Verifier::new(bench.reference.clone()).inspect(&submission).unwrap().to_string();
    assert!(view.contains("unknown 0x77777777") && view.contains(&hex::encode("what?")), "{view}");
}

/// Certificates of other cards do no harm, and the right ones are found among those of an owner.
#[test]
fn the_right_chain_is_found_among_others() {
    let mut bench = Bench::new();
    let owner = google_cloud_hsm::Owner::named("A company's root", &bench.hsm).unwrap().sign().unwrap();
    let other = bench.maker.hsm("5.3G2041-EMU000078", Mode::Fips).unwrap().sign().unwrap();
    let mut files =
        vec![File::new("owner.pem", pem::certificates(&[owner.partition, owner.card, owner.root]))];
    files.push(File::new("other.pem", pem::certificates(&[other.partition, other.card])));
    files.extend(bench.changed(|_| {}));
    let appraisal = bench.judge(files.clone());
    assert_eq!(failed(&appraisal), [""; 0], "{:#?}", appraisal.checks);
    assert_eq!((appraisal.format, appraisal.authenticity), ("marvell", Authentic));
    bench.options.push(("strict_certificates", true.into()));
    assert_eq!(failed(&bench.judge(files)), ["leftover-certificates"]);
    // The root itself may be there, also the expired one.
    let mut files = bench.changed(|_| {});
    files.push(File::new("old-root.pem", pem::certificate(&bench.maker.expired_root.der)));
    let appraisal = bench.judge(files);
    assert_eq!(failed(&appraisal), [""; 0], "{:#?}", appraisal.checks);
}

/// Azure's evidence is a format of its own, and must not be taken for a card of one's own.
#[test]
fn azure_evidence_is_not_taken() {
    let bench = Bench::new();
    let pool = x509::name(&[("O", Text::Utf8, "Microsoft Corporation"), ("CN", Text::Utf8, "pool")]).unwrap();
    let mut owned = bench.hsm.partition.clone();
    owned.issuer = pool;
    let owned = owned.sign(&bench.hsm.card_key, SignAlg::RsaPkcs1Sha256).unwrap();
    let mut files = bench.changed(|_| {});
    files.push(File::new("owner.pem", pem::certificate(&owned)));
    assert_eq!(bench.judge(files).format, "azure-managed-hsm");
    for text in
        [r#"{"privateKeyAttestation": "AAAA"}"#, r#"{"certificatePemFile": "AAAA", "certificatePemFile": 1"#]
    {
        let mut files = bench.changed(|_| {});
        files.push(File::new("attestation.json", text));
        assert_eq!(bench.judge(files).format, "azure-managed-hsm");
    }
}

/// The certificates of a CloudHSM cluster are its identity; without a blob they are not of this format.
#[test]
fn a_cluster_identity_is_not_taken() {
    let bench = Bench::new();
    let mut card = bench.hsm.card.clone();
    card.issuer = x509::common_name("AWS CloudHSM Root G1").unwrap();
    let card = card.sign(&bench.hsm.card_key, SignAlg::RsaPkcs1Sha256).unwrap();
    let files = vec![bench.chain(), File::new("aws.pem", pem::certificate(&card))];
    assert_eq!(bench.judge(files).format, "aws");
}

/// An owner's root among the operator's anchors proves nothing about the maker.
#[test]
fn owner_roots_are_no_manufacturer_roots() {
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    // Whoever holds an owner's root could issue this; the operator trusts him as an owner only.
    let owner = google_cloud_hsm::Owner::of(&bench.hsm).unwrap();
    bench.reference.load_operator_certificates("owner.pem", &owner.root.der).unwrap();
    bench.hsm.root = owner.root;
    bench.hsm.card.issuer = bench.hsm.root.certificate.subject.clone();
    let card = bench.hsm.sign().unwrap().card;
    let partition = bench.hsm.sign().unwrap().partition;
    let blob = bench.signed(&bench.pair());
    let files = vec![blob, File::new("chain.pem", pem::certificates(&[card, partition]))];
    let appraisal = bench.judge(files);
    assert_ne!(appraisal.authenticity, Authentic);
}

#[test]
fn every_check_can_fail() {
    let mut seen = Seen::default();
    containers_and_layout(&mut seen);
    certificates(&mut seen);
    objects(&mut seen);

    let mut bench = Bench::of("5.3G2041-EMU000079", Mode::NonFips);
    bench.key = Key::shared("marvell test: subject", KeyKind::Rsa3072).unwrap();
    let appraisal = bench.judge(bench.changed(|_| {}));
    assert_eq!(appraisal.authenticity, Authentic);
    assert_eq!(appraisal.findings().map(|c| &*c.id).collect::<Vec<_>>(), ["device-not-fips-mode"]);
    seen.0.insert("device-not-fips-mode");

    let about = keyvouch::formats::about().find(|a| a.id == "marvell").unwrap();
    let declared: BTreeSet<&str> = about.checks.iter().map(|c| c.id).collect();
    assert_eq!(seen.0, declared);
}

fn containers_and_layout(seen: &mut Seen) {
    let bench = Bench::new();
    let files = bench.changed(|blob| blob.objects[0].set(0x7777_7777, vec![0; 17_000]));
    seen.fails(&bench, files, NotAuthentic, &["container"]);
    let mut files = bench.changed(|_| {});
    let mut longer = bench.hsm.sign().unwrap().card;
    longer.push(0);
    files.push(File::new("broken.pem", pem::certificate(&longer)));
    seen.fails(&bench, files, NotAuthentic, &["container"]);

    let blob = bench.signed(&bench.pair()).bytes;
    for bytes in [blob[..blob.len() - 1].to_vec(), [&blob[..], &[0]].concat(), blob[..100].to_vec()] {
        seen.fails(&bench, vec![File::new("cut.bin", bytes), bench.chain()], NotAuthentic, &["format"]);
    }
    seen.fails(&bench, bench.changed(|b| b.response_code = 0x20), NotAuthentic, &["device-error"]);

    let wrong_layouts: [fn(&mut Fw3); 8] = [
        |b| b.flags = 7,
        |b| b.version = 2,
        |b| b.key1_offset = Some(9),
        |b| b.key2_offset = Some(0),
        |b| b.buffer_size = Some(44),
        |b| b.objects[1].size = Some(1 << 30),
        |b| drop(b.objects.pop()),
        |b| b.objects.push(b.objects[0].clone()),
    ];
    for (n, change) in wrong_layouts.into_iter().enumerate() {
        let files = bench.changed(|b| {
            if n == 6 {
                b.handles = Some(b.objects.iter().map(|o| o.handle).collect());
            }
            change(b);
        });
        seen.fails(&bench, files, NotAuthentic, &["layout"]);
    }
    let changes: [fn(&mut Fw2); 3] = [|b| b.tail[100] = 1, |b| b.object.padding[0] = 1, |b| b.tail.push(0)];
    for change in changes {
        let (mut private, public) = bench.fw2();
        change(&mut private);
        let files = vec![bench.signed_fw2(&private), bench.signed_fw2(&public), bench.chain()];
        seen.fails(&bench, files, NotAuthentic, &["layout"]);
    }

    let wrong_attributes: [fn(&mut Object); 10] = [
        |o| o.duplicate(kind::EXTRACTABLE),
        |o| o.duplicate(kind::LABEL),
        |o| o.set(kind::LOCAL, [2]),
        |o| o.set(kind::LOCAL, [0, 1]),
        |o| o.set(kind::LABEL, *b"short"),
        |o| o.remove(kind::CLASS),
        |o| o.remove(kind::ID),
        |o| o.remove(kind::EKCV),
        |o| o.count = Some(3),
        |o| o.count = Some(300),
    ];
    for change in wrong_attributes {
        seen.fails(&bench, bench.changed(|b| change(&mut b.objects[1])), NotAuthentic, &["tlv"]);
    }

    seen.fails(&bench, bench.changed(|b| b.handles = Some(vec![0xa1c, 0xa1e])), NotAuthentic, &["handle"]);
    let same = bench.changed(|b| b.objects[1].handle = b.objects[0].handle);
    seen.fails(&bench, same, NotAuthentic, &["handle"]);
    // The private half is there and cannot be read: not the same as an attestation of the public half alone.
    let (private, public) = bench.fw2();
    let private = bench.signed_fw2(&private).bytes;
    let mut flipped = private.clone();
    flipped[0] ^= 1;
    let text = bundle::base64url(&private);
    for bytes in [flipped, private[..20].to_vec(), text[..40].into(), format!("!{text}").into()] {
        let files = vec![File::new("private", bytes), bench.signed_fw2(&public), bench.chain()];
        seen.fails(&bench, files, NotAuthentic, &["format", "no-private-object"]);
    }

    let (mut private, public) = bench.fw2();
    private.object.handle = public.object.handle;
    let files = vec![bench.signed_fw2(&private), bench.signed_fw2(&public), bench.chain()];
    seen.fails(&bench, files, NotAuthentic, &["handle"]);

    seen.fails(&bench, vec![bench.chain()], Undecided, &["no-attestation-blob"]);
    let note = File::new("readme.txt", "The chain of our HSM.");
    seen.fails(&bench, vec![bench.chain(), note], Undecided, &["no-attestation-blob"]);

    // The oldest layout: objects at a fixed offset.
    let objects = bench.pair().objects;
    let mut old = vec![0; 984];
    old.extend(objects.iter().flat_map(|o| o.encode().unwrap()));
    let signature = bench.hsm.partition_key.sign(SignAlg::RsaPkcs1Sha256, &old).unwrap();
    old.extend(signature);
    seen.fails(
        &bench,
        vec![File::new("v1.bin", old.clone()), bench.chain()],
        Undecided,
        &["untested-layout"],
    );
    *old.last_mut().unwrap() ^= 1;
    let files = vec![File::new("v1.bin", old), bench.chain()];
    seen.fails(&bench, files, NotAuthentic, &["untested-layout", "signature"]);
}

fn certificates(seen: &mut Seen) {
    const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;
    let bench = Bench::new();
    let chain = bench.hsm.sign().unwrap();
    let blob = || bench.signed(&bench.pair());
    let pem = |ders: &[&Vec<u8>]| File::new("chain.pem", pem::certificates(ders));

    seen.fails(&bench, vec![blob()], Undecided, &["no-partition-certificate"]);
    seen.fails(&bench, vec![blob(), pem(&[&chain.card])], Undecided, &["no-partition-certificate"]);
    let owner = google_cloud_hsm::Owner::named("A company's root", &bench.hsm).unwrap().sign().unwrap();
    let files = vec![blob(), pem(&[&owner.partition, &owner.card])];
    seen.fails(&bench, files, Undecided, &["no-partition-certificate"]);
    seen.fails(&bench, vec![blob(), pem(&[&chain.partition])], Undecided, &["no-card-certificate"]);

    // Another device, another way to sign, a changed byte.
    let other = Bench::of("5.3G2041-EMU000080", Mode::Fips);
    seen.fails(&bench, vec![blob(), other.chain()], NotAuthentic, &["signature"]);
    let bare = bench.pair().sign_with(&bench.hsm.partition_key, SignAlg::RsaBareDigest).unwrap();
    seen.fails(&bench, vec![File::new("a.bin", bare), bench.chain()], NotAuthentic, &["signature"]);
    let (private, public) = bench.fw2();
    let prefixed = private.sign_with(&bench.hsm.partition_key, ALG).unwrap();
    let files = vec![File::new("a.bin", prefixed), bench.signed_fw2(&public), bench.chain()];
    seen.fails(&bench, files, NotAuthentic, &["signature"]);
    let mut changed = blob();
    *changed.bytes.last_mut().unwrap() ^= 1;
    seen.fails(&bench, vec![changed, bench.chain()], NotAuthentic, &["signature"]);

    // A partition key of another size verifies nothing; one with a small exponent is refused by name.
    let mut large = Bench::new();
    large.hsm.partition_key = Key::shared("marvell test: large", KeyKind::Rsa3072).unwrap();
    large.hsm.partition.spki = large.hsm.partition_key.spki_der().unwrap();
    let files = vec![large.signed(&large.pair()), large.chain()];
    seen.fails(&large, files, NotAuthentic, &["format"]);
    for kind in [KeyKind::P256, KeyKind::Rsa3072] {
        large.hsm.partition.spki = Key::shared("marvell test: large", kind).unwrap().spki_der().unwrap();
        seen.fails(&large, vec![blob(), large.chain()], NotAuthentic, &["signature"]);
    }
    let mut weak = Bench::new();
    weak.hsm.partition_key = Key::shared("marvell test: weak", KeyKind::Rsa2048Exponent3).unwrap();
    weak.hsm.partition.spki = weak.hsm.partition_key.spki_der().unwrap();
    seen.fails(&weak, weak.changed(|_| {}), NotAuthentic, &["partition-key"]);
    let (private, public) = weak.fw2();
    let files = vec![weak.signed_fw2(&private), weak.signed_fw2(&public), weak.chain()];
    seen.fails(&weak, files, NotAuthentic, &["partition-key"]);

    // More than one key; halves of two partitions.
    let mut second = Bench::new();
    second.key = Key::shared("marvell test: second", KeyKind::P256).unwrap();
    let files = vec![blob(), second.signed(&second.pair()), bench.chain()];
    seen.fails(&bench, files, NotAuthentic, &["mixed-blobs"]);
    let files = vec![bench.signed_fw2(&private), other.signed_fw2(&public), bench.chain(), other.chain()];
    seen.fails(&bench, files, NotAuthentic, &["mixed-blobs"]);

    manufacturer_chain(seen, &bench, &other);

    let mut unknown = Bench::new();
    unknown.reference = Reference::builtin().unwrap();
    seen.fails(&unknown, unknown.changed(|_| {}), Undecided, &["anchor-unknown"]);
    // A root in the evidence is no anchor.
    let mut files = unknown.changed(|_| {});
    files.push(File::new("root.pem", pem::certificate(&unknown.hsm.root.der)));
    seen.fails(&unknown, files, Undecided, &["anchor-unknown"]);
    // A root that the operator distrusts.
    let subject = &bench.hsm.root.certificate.subject;
    let spki = &bench.hsm.root.certificate.spki;
    let kind = AnchorKind::Untrusted;
    let published = bench.reference.anchors.by_subject(subject).next().unwrap().certificates[0].clone();
    let distrusted = Anchor::from_operator("mine", "root", kind, subject, spki, None, published).unwrap();
    unknown.reference.anchors.add(distrusted).unwrap();
    seen.fails(&unknown, unknown.changed(|_| {}), NotAuthentic, &["manufacturer-chain"]);

    let card = marvell::device_name(&marvell::common_name(SERIAL, None, Mode::NonFips)).unwrap();
    let mut words = Bench::new();
    words.hsm.card.subject = card.clone();
    words.hsm.partition.issuer = card;
    seen.fails(&words, words.changed(|_| {}), NotAuthentic, &["fips-mode-words"]);
    for at in ["2028-06-01T00:00:00Z", "2018-01-01T00:00:00Z", "2035-01-01T00:00:00Z"] {
        let expired = Bench { at, ..Bench::new() };
        seen.fails(&expired, expired.changed(|_| {}), NotAuthentic, &["expired"]);
    }
    let mut strict = Bench::new();
    strict.options.push(("strict_certificates", true.into()));
    let mut files = strict.changed(|_| {});
    files.push(other.chain());
    seen.fails(&strict, files, NotAuthentic, &["leftover-certificates"]);
    // What is missing is no accusation, however strict.
    seen.fails(&strict, vec![strict.chain()], Undecided, &["no-attestation-blob"]);
}

fn manufacturer_chain(seen: &mut Seen, bench: &Bench, other: &Bench) {
    const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;
    let chain = bench.hsm.sign().unwrap();
    let blob = || bench.signed(&bench.pair());
    let mut wrong = |ders: &[Vec<u8>]| {
        let files = vec![blob(), File::new("chain.pem", pem::certificates(ders))];
        seen.fails(bench, files, NotAuthentic, &["manufacturer-chain"]);
    };
    let (root, card_key) = (&bench.hsm.root, &bench.hsm.card_key);
    let partition_key = &bench.hsm.partition_key;
    // Signed by others under the right names.
    wrong(&[bench.hsm.card.sign(&other.hsm.card_key, ALG).unwrap(), chain.partition.clone()]);
    wrong(&[chain.card.clone(), bench.hsm.partition.sign(&other.hsm.card_key, ALG).unwrap()]);
    // Issued by the root itself: not two below it.
    let mut direct = bench.hsm.partition.clone();
    direct.issuer.clone_from(&root.certificate.subject);
    wrong(&[chain.card.clone(), direct.sign(&root.key, ALG).unwrap()]);
    // Issued by a partition: as a partition, and as a card.
    let mut below = bench.hsm.partition.clone();
    below.issuer.clone_from(&bench.hsm.partition.subject);
    wrong(&[chain.card.clone(), below.sign(partition_key, ALG).unwrap()]);
    let mut card = bench.hsm.card.clone();
    card.issuer.clone_from(&bench.hsm.partition.subject);
    wrong(&[card.sign(partition_key, ALG).unwrap(), chain.partition.clone()]);
    // A card of another name than the partition's.
    let mut named = bench.hsm.partition.clone();
    let name = marvell::common_name("5.3G2041-EMU999999", Some(1), Mode::Fips);
    named.subject = marvell::device_name(&name).unwrap();
    wrong(&[chain.card.clone(), named.sign(card_key, ALG).unwrap()]);
    // A card that says it is no CA.
    let mut card = bench.hsm.card.clone();
    card.version = 3;
    card.extensions.push(x509::basic_constraints(false, None));
    wrong(&[card.sign(&root.key, ALG).unwrap(), chain.partition]);
}

fn objects(seen: &mut Seen) {
    let bench = Bench::new();
    for number in [kind::ID, kind::LABEL] {
        let files = bench.changed(|b| b.objects[1].set(number, vec![7; 128]));
        seen.fails(&bench, files, NotAuthentic, &["pair-mismatch"]);
    }
    let files = bench.changed(|b| b.objects[0].set(kind::CLASS, [4]));
    seen.fails(&bench, files, NotAuthentic, &["pair-mismatch"]);

    let point = bench.pair().objects[0].get(kind::MODULUS).unwrap().to_vec();
    let off_curve = [&point[..64], &[point[64] ^ 1]].concat();
    let compressed = [&[2][..], &point[1..33]].concat();
    for value in [off_curve, compressed, vec![4]] {
        let files = bench.changed(|b| both(b, kind::MODULUS, &value));
        seen.fails(&bench, files, NotAuthentic, &["key-values"]);
    }
    let files = bench.changed(|b| both(b, kind::MODULUS_BITS, &715_u32.to_be_bytes()));
    seen.fails(&bench, files, NotAuthentic, &["key-values"]);
    let mut rsa = Bench::new();
    rsa.key = Key::shared("marvell test: subject", KeyKind::Rsa2048).unwrap();
    for exponent in [[0, 0, 3], [1, 0, 0], [0, 0, 0]] {
        let files = rsa.changed(|b| both(b, kind::PUBLIC_EXPONENT, &exponent));
        seen.fails(&rsa, files, NotAuthentic, &["key-values"]);
    }
    let files = rsa.changed(|b| both(b, kind::MODULUS_BITS, &2047_u32.to_be_bytes()));
    seen.fails(&rsa, files, NotAuthentic, &["key-values"]);

    for change in [(kind::MODULUS_BITS, 1087_u32.to_be_bytes().to_vec()), (kind::KEY_TYPE, vec![0x31])] {
        let files = bench.changed(|b| both(b, change.0, &change.1));
        seen.fails(&bench, files, Undecided, &["curve-unknown"]);
    }
    seen.fails(&bench, bench.changed(|b| both(b, kind::KCV, &[1, 2, 3])), NotAuthentic, &["kcv"]);
    seen.fails(&bench, bench.changed(|b| both(b, kind::EKCV, &[1; 32])), NotAuthentic, &["kcv"]);

    let secret = vec![bench.signed(&marvell::secret(&Bench::profile())), bench.chain()];
    seen.fails(&bench, secret, Authentic, &["not-asymmetric"]);
    let public = vec![bench.signed_fw2(&bench.fw2().1), bench.chain()];
    seen.fails(&bench, public, Authentic, &["no-private-object"]);

    for (number, bad) in [
        (kind::LOCAL, 0),
        (kind::EXTRACTABLE, 1),
        (kind::NEVER_EXTRACTABLE, 0),
        (kind::SENSITIVE, 0),
        (kind::ALWAYS_SENSITIVE, 0),
        (kind::SIGN, 0),
        (kind::TOKEN, 0),
        (kind::SPLITTABLE, 1),
        (kind::IS_SPLIT, 1),
    ] {
        let files = bench.changed(|b| b.objects[1].set(number, [bad]));
        seen.fails(&bench, files, Authentic, &["private-key-attributes"]);
        let files = bench.changed(|b| b.objects[1].remove(number));
        seen.fails(&bench, files, Authentic, &["private-key-attributes"]);
    }
    let imported = marvell::imported(&bench.key, &Bench::profile()).unwrap();
    let files = vec![bench.signed(&imported), bench.chain()];
    seen.fails(&bench, files.clone(), Authentic, &["private-key-attributes"]);
    let appraisal = bench.judge(files);
    assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(false));
    assert_eq!(appraisal.claims.value(ClaimName::KeyEverExportable), &Value::Bool(true));
}

/// A weak key is told by the numbers, whatever the device says of it.
#[test]
fn key_quality_is_judged() {
    let bench = Bench::new();
    let modulus = keyvouch_emulator::key::roca_modulus(256);
    let values = PublicValues::rsa(&modulus, &[1, 0, 1]).unwrap();
    let profile = Bench::profile();
    let blob = Fw3::new(vec![
        Object::fw3_public(1, &values, &profile),
        Object::fw3_private(2, &values, &profile, true),
    ]);
    let appraisal = bench.judge(vec![bench.signed(&blob), bench.chain()]);
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["roca-key"], Authentic));
}

/// No changed byte (every seventh, for time) and no cut leaves an authentic statement, and none makes the reader panic.
#[test]
fn damage_is_never_believed() {
    let bench = Bench::new();
    let verifier = Verifier::new(bench.reference.clone());
    let judge = |bytes: Vec<u8>| {
        let files = vec![File::new("a.bin", bytes), bench.chain()];
        verifier.appraise(&Submission::new(files, AT.parse().unwrap())).unwrap().appraisals[0].authenticity
    };
    let (private, _) = bench.fw2();
    for blob in [bench.signed(&bench.pair()).bytes, bench.signed_fw2(&private).bytes] {
        assert_eq!(judge(blob.clone()), Authentic);
        for at in (0..blob.len()).step_by(7) {
            let mut flipped = blob.clone();
            flipped[at] ^= 0x5a;
            assert_ne!(judge(flipped), Authentic, "byte {at}");
            if at > 0 && at % 3 == 0 {
                assert_ne!(judge(blob[..at].to_vec()), Authentic, "cut at {at}");
            }
        }
    }
}
