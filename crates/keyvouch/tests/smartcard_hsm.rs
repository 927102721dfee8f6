//! SmartCard-HSM on emulated tokens: every container, and one failure for every check.

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
use keyvouch::{ClaimName, File, Reference, Report, Submission, Value, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg, roca_modulus};
use keyvouch_emulator::smartcard_hsm::{self as token, Certificate, ISSUER, ROOT, SCHEME, Token};
use keyvouch_emulator::{bundle, csr, pem, samples};
use serde_json::{Value as Json, json};

const AT: &str = "2026-06-01T00:00:00Z";
const SERIAL: &str = "UTNK0000177";
/// What is found in every good answer.
const USUAL: [&str; 1] = ["exportability-not-attested"];

/// A token with a key in it.
struct Bench {
    token: Token,
    key: Arc<Key>,
    reference: Reference,
    at: &'static str,
    request: Option<File>,
    options: Vec<(&'static str, Json)>,
}

impl Bench {
    fn new() -> Self {
        Self::of(KeyKind::P256)
    }

    fn of(kind: KeyKind) -> Self {
        let token = Token::new(SERIAL).unwrap();
        let key = Key::shared("smartcard-hsm test: subject", kind).unwrap();
        let reference = trusting(&token);
        Self { token, key, reference, at: AT, request: None, options: Vec::new() }
    }

    fn ef_2f02(&self) -> Vec<u8> {
        self.token.certificates().unwrap().concat()
    }

    fn ef_ce01(&self) -> Vec<u8> {
        self.token.request(&self.key).unwrap()
    }

    fn good(&self) -> Vec<File> {
        files(&self.ef_ce01(), &self.ef_2f02())
    }

    /// The token changed before its certificates are signed.
    fn changed(change: impl FnOnce(&mut Token)) -> (Self, Vec<File>) {
        let mut bench = Self::new();
        change(&mut bench.token);
        let files = bench.good();
        (bench, files)
    }

    /// The request changed before it is signed.
    fn requested(&self, change: impl FnOnce(&mut Certificate)) -> Vec<File> {
        let mut template = self.token.template(&self.key).unwrap();
        change(&mut template);
        files(&self.token.request_of(&template, &self.key).unwrap(), &self.ef_2f02())
    }

    fn report(&self, files: Vec<File>) -> Report {
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.request = self.request.clone();
        for (name, value) in &self.options {
            submission.options.set(*name, value.clone());
        }
        Verifier::new(self.reference.clone()).appraise(&submission).unwrap()
    }

    fn judge(&self, files: Vec<File>) -> Appraisal {
        let mut report = self.report(files);
        assert_eq!(report.appraisals.len(), 1);
        report.appraisals.pop().unwrap()
    }
}

fn trusting(token: &Token) -> Reference {
    let mut reference = Reference::builtin().unwrap();
    reference.load_operator_certificates("root.cvcert", &token.root().unwrap()).unwrap();
    reference
}

fn files(request: &[u8], certificates: &[u8]) -> Vec<File> {
    vec![File::new("ef-ce01.bin", request), File::new("ef-2f02.bin", certificates)]
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
        assert_eq!(appraisal.format, "smartcard-hsm");
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
    let samples = samples("smartcard-hsm").unwrap();
    assert!(samples.len() >= 13);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let mut bench = Bench::new();
        bench.reference = reference;
        bench.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        let evidence = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let appraisal = bench.judge(evidence);
        let variant = &sample.variant;
        assert_eq!((failed(&appraisal), findings(&appraisal)), (vec![], USUAL.to_vec()), "{variant}");
        assert_eq!((appraisal.format, appraisal.authenticity), ("smartcard-hsm", Authentic), "{variant}");
        assert_eq!(appraisal.binding.as_str(), "csr", "{variant}");
        let claims = &appraisal.claims;
        assert_eq!(claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(claims.get(ClaimName::KeyGeneratedInDevice).unwrap().basis, Basis::Implied);
        // Nothing in the evidence tells whether the key can leave the device.
        for unknown in [ClaimName::KeyExportable, ClaimName::KeyEverExportable, ClaimName::KeyPurposes] {
            assert!(claims.value(unknown).is_unknown(), "{variant}");
        }
        assert_eq!(claims.text(ClaimName::DeviceClass), Some("token"));
        assert_eq!(claims.text(ClaimName::DeviceVendor), Some("CardContact"));
        assert_eq!(claims.text(ClaimName::DeviceModel), Some("Nitrokey HSM 2"));
        assert_eq!(claims.text(ClaimName::DeviceSerial), Some("UTNK0000001"));
        assert_eq!(detail(&appraisal, "producer"), "Nitrokey");
    }
}

#[test]
fn details_and_trust() {
    let mut bench = Bench::new();
    bench.token.issuer.holder = "UTDICC9900001".to_owned();
    bench.token.device.authority = Some("UTDICC9900001".to_owned());
    let name = hex::decode("2b0601040181c31f030202").unwrap();
    let domain = token::tlv(0x73, &[token::tlv(0x06, &name), token::tlv(0x80, &[1])].concat());
    let files = bench.requested(|r| {
        r.authority = None;
        r.holder = "my key".to_owned();
        r.extensions = Some(domain);
    });
    let appraisal = bench.judge(files);
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authentic), "{:#?}", appraisal.checks);
    assert_eq!(appraisal.claims.text(ClaimName::DeviceModel), Some("SmartCard-HSM"));
    for (name, value) in [
        ("producer", "CardContact"),
        ("device_issuer", "UTDICC9900001"),
        ("device_valid_until", "2031-05-27T23:59:59Z"),
        ("request_holder", "my key"),
        ("request_authority", "unknown"),
        ("key_domain", "800101"),
    ] {
        assert_eq!(detail(&appraisal, name), value, "{name}");
    }
    let trust = appraisal.trust.unwrap();
    assert_eq!(trust.path(), ["UTEMROOT00001", "UTDICC9900001", "UTNK000017700000"]);
    assert_eq!(trust.anchor().origin, "operator: root.cvcert");
}

#[test]
fn what_else_is_accepted() {
    let bench = Bench::of(KeyKind::P521);
    let (request, certificates) = (bench.ef_ce01(), bench.token.certificates().unwrap());
    let [device, issuer] = &certificates;
    let root = bench.token.root().unwrap();
    let separate = vec![
        File::new("issuer", issuer.clone()),
        File::new("root", root.clone()),
        File::new("request", request.clone()),
        File::new("device", device.clone()),
    ];
    let turned = files(&request, &[&issuer[..], &root, device, device].concat());
    let labelled = vec![File::new(
        "all.pem",
        pem::encode("CV CERTIFICATE", device)
            + &pem::encode("CERTIFICATE", issuer)
            + &pem::encode("CERTIFICATE REQUEST", &request),
    )];
    let spaced: Vec<String> = bench.ef_2f02().iter().map(|b| format!("{b:02X}")).collect();
    let hexed = files(&request, spaced.join(" ").as_bytes());
    let archive =
        bundle::zip(&[keyvouch_emulator::File::new("all", [&request[..], device, issuer].concat())]);
    // P-521 with SHA-256, as OpenSC asks for it.
    let mut template = bench.token.template(&bench.key).unwrap();
    template.key.algorithm = "0.4.0.127.0.7.2.2.2.2.3".to_owned();
    let inner = template.sign_with(&bench.key, SignAlg::EcdsaSha256Raw).unwrap();
    let token = &bench.token;
    let short_hash = token::authenticated_request(&inner, &token.device.holder, &token.device_key).unwrap();
    for (n, files) in [
        separate,
        turned,
        labelled,
        hexed,
        vec![File::new("a.zip", archive.unwrap())],
        files(&short_hash, &bench.ef_2f02()),
    ]
    .into_iter()
    .enumerate()
    {
        let appraisal = bench.judge(files);
        assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authentic), "{n}");
    }
    // The certificates of another token beside: names decide, then signatures.
    let other = Token::new("UTNK0000178").unwrap();
    let beside = [&other.certificates().unwrap().concat()[..], &bench.ef_2f02()].concat();
    let appraisal = bench.judge(files(&request, &beside));
    assert_eq!(appraisal.claims.text(ClaimName::DeviceSerial), Some(SERIAL));
}

/// Each request is a statement of its own.
#[test]
fn several_keys_of_one_token() {
    let bench = Bench::new();
    let other = Key::shared("smartcard-hsm test: another", KeyKind::Secp256k1).unwrap();
    let mut files = bench.good();
    files.push(File::new("ef-ce02.bin", bench.token.request(&other).unwrap()));
    let report = bench.report(files);
    let algorithms: Vec<_> =
        report.appraisals.iter().map(|a| a.claims.text(ClaimName::KeyAlgorithm).unwrap()).collect();
    assert_eq!(algorithms, ["EC-P256", "EC-secp256k1"]);
}

#[test]
fn nothing_else_is_taken() {
    let bench = Bench::new();
    for bytes in [
        b"good morning, this is a note that begins with the letter g".to_vec(),
        b"\x67\x05hello".to_vec(),
        b"\x7f\x21\x02\x42\x00".to_vec(),
        csr::plain("subject", &bench.key).unwrap(),
    ] {
        assert_eq!(bench.judge(vec![File::new("a", bytes)]).format, "");
    }
}

#[test]
fn every_check_can_fail() {
    let mut seen = Seen::default();
    presence(&mut seen);
    form(&mut seen);
    roots(&mut seen);
    path(&mut seen);
    request(&mut seen);
    let bench = Bench::new();
    seen.finds(&bench, bench.good(), &USUAL);

    let about = keyvouch::formats::about().find(|a| a.id == "smartcard-hsm").unwrap();
    let declared: BTreeSet<&str> = about.checks.iter().map(|c| c.id).collect();
    assert_eq!(seen.0, declared);
}

fn presence(seen: &mut Seen) {
    let bench = Bench::new();
    let [device, issuer] = bench.token.certificates().unwrap();
    let one = |bytes: Vec<u8>| vec![File::new("a.bin", bytes)];
    seen.fails(&bench, one(bench.ef_2f02()), Undecided, &["request-missing"]);
    seen.fails(&bench, one(bench.ef_ce01()), Undecided, &["device-certificate-missing"]);
    seen.fails(&bench, files(&bench.ef_ce01(), &device), Undecided, &["dica-missing"]);
    // The issuer alone is no device: it has another role and name.
    seen.fails(
        &bench,
        files(&bench.ef_ce01(), &issuer),
        NotAuthentic,
        &["dica-missing", "wrong-role", "not-this-device", "outer-signature"],
    );
    let root = bench.token.root().unwrap();
    seen.fails(&bench, files(&bench.ef_ce01(), &root), Undecided, &["device-certificate-missing"]);
}

fn form(seen: &mut Seen) {
    let bench = Bench::new();
    let (request, certificates) = (bench.ef_ce01(), bench.ef_2f02());
    let cut = request[..request.len() - 1].to_vec();
    let longer = [&request[..], &[0]].concat();
    // A length in more bytes than it needs.
    let long_form = [&[0x67, 0x83, 0x00][..], &request[2..]].concat();
    for broken in [cut, longer] {
        seen.fails(&bench, files(&broken, &certificates), NotAuthentic, &["malformed-cvc"]);
    }
    assert_eq!(failed(&bench.judge(files(&long_form, &certificates))), ["request-missing"]);
    let pka = token::old_pka(&request, &bench.token.certificates().unwrap());
    let extended = [&pka[..], &[0x30, 0]].concat();
    seen.fails(&bench, vec![File::new("a.pka", extended)], NotAuthentic, &["malformed-cvc"]);
    let body = |change: &dyn Fn(&mut Certificate)| {
        let mut bench = Bench::new();
        change(&mut bench.token.device);
        bench.good()
    };
    let twice = token::tlv(0x5f20, b"UTNK000017700000");
    for files in [
        body(&|c| c.profile = vec![1]),
        body(&|c| c.authority = None),
        body(&|c| c.dates = None),
        body(&|c| c.role = None),
        body(&|c| c.more.clone_from(&twice)),
        body(&|c| c.holder = "UTNK00001770000000".to_owned()),
        body(&|c| c.holder = String::new()),
        body(&|c| c.extensions = Some(vec![1, 2])),
        body(&|c| c.key.parts.push((0x88, vec![1]))),
        body(&|c| c.key.algorithm = "0.4.0.127.0.7.2.2.2.1.2".to_owned()),
        body(&|c| c.key.algorithm = "1.2.840.10045.2.1".to_owned()),
    ] {
        let appraisal = bench.judge(files);
        assert!(failed(&appraisal).contains(&"malformed-cvc"), "{:#?}", appraisal.checks);
        assert_eq!(appraisal.authenticity, NotAuthentic);
    }
    // Dates and roles have no place in a request.
    let dated = bench.requested(|r| r.dates = Some(([2, 6, 0, 1, 0, 1], [2, 6, 0, 1, 0, 2])));
    seen.fails(&bench, dated, NotAuthentic, &["malformed-cvc"]);
}

fn roots(seen: &mut Seen) {
    let bench = Bench::new();
    let untrusting = Bench { reference: Reference::builtin().unwrap(), ..Bench::new() };
    seen.fails(&untrusting, bench.good(), Undecided, &["untrusted-root"]);
    // A root in the evidence gives no trust.
    let with_root = [bench.ef_2f02(), bench.token.root().unwrap()].concat();
    seen.fails(&untrusting, files(&bench.ef_ce01(), &with_root), Undecided, &["untrusted-root"]);
    let under = |root: &str| {
        let root = root.to_owned();
        Bench::changed(|t| t.issuer.authority = Some(root)).1
    };
    seen.fails(&bench, under("UTSRCACC100001"), NotAuthentic, &["test-root"]);
    seen.fails(&bench, under("UTSRCACC199999"), NotAuthentic, &["test-root"]);
    seen.fails(&bench, under("DECA00001"), NotAuthentic, &["development-device"]);
    seen.fails(&bench, under("DESRCACC100001"), NotAuthentic, &["dica-signature"]);
    // The name of the root with another key.
    let mut other = Bench::new();
    other.token.root_key = Key::shared("smartcard-hsm test: another root", KeyKind::BrainpoolP256r1).unwrap();
    seen.fails(&bench, other.good(), NotAuthentic, &["dica-signature"]);

    // A look-alike certifies itself, whatever it calls itself.
    let mut bench = Bench::new();
    bench.token.device.authority = Some(bench.token.device.holder.clone());
    let device = bench.token.device.sign(&bench.token.device_key).unwrap();
    let files_of = |device: &[u8]| files(&bench.ef_ce01(), device);
    seen.fails(&bench, files_of(&device), NotAuthentic, &["self-signed-device"]);
    let mut root_like = bench.token.device.clone();
    root_like.role = Some((SCHEME.to_owned(), vec![ROOT]));
    let root_like = root_like.sign(&bench.token.device_key).unwrap();
    seen.fails(&bench, files_of(&root_like), Undecided, &["device-certificate-missing"]);
}

fn path(seen: &mut Seen) {
    // A device that issues a device: only the roles tell.
    let mut bench = Bench::new();
    let rogue = Key::shared("smartcard-hsm test: rogue", KeyKind::BrainpoolP256r1).unwrap();
    let [device, issuer] = bench.token.certificates().unwrap();
    let mut below = bench.token.device.clone();
    below.authority = Some(below.holder.clone());
    below.holder = "UTNK000099900000".to_owned();
    below.key = token::PublicKey::of(&rogue, false).unwrap();
    let below = below.sign(&bench.token.device_key).unwrap();
    let inner = bench.token.template(&bench.key).unwrap().sign(&bench.key).unwrap();
    let request = token::authenticated_request(&inner, "UTNK000099900000", &rogue).unwrap();
    let evidence = files(&request, &[below, device, issuer].concat());
    seen.fails(&bench, evidence, NotAuthentic, &["untrusted-root", "wrong-role"]);

    let role = |role: Vec<u8>, scheme: &str| Some((scheme.to_owned(), role));
    let (judge, evidence) = Bench::changed(|t| t.device.role = role(vec![ISSUER], SCHEME));
    seen.fails(&judge, evidence, NotAuthentic, &["wrong-role"]);
    let (judge, evidence) = Bench::changed(|t| t.issuer.role = role(vec![ROOT], SCHEME));
    seen.fails(&judge, evidence, NotAuthentic, &["wrong-role"]);
    let (judge, evidence) = Bench::changed(|t| t.issuer.role = role(vec![ISSUER], "0.4.0.127.0.7.3.1.2.2"));
    seen.fails(&judge, evidence, NotAuthentic, &["wrong-role"]);
    let (judge, evidence) = Bench::changed(|t| t.device.role = role(vec![0, 0], SCHEME));
    seen.fails(&judge, evidence, NotAuthentic, &["wrong-role"]);

    let flipped = |at: usize| {
        let bench = Bench::new();
        let [mut device, mut issuer] = bench.token.certificates().unwrap();
        for certificate in [&mut device, &mut issuer].into_iter().skip(at).take(1) {
            *certificate.last_mut().unwrap() ^= 1;
        }
        files(&bench.ef_ce01(), &[device, issuer].concat())
    };
    seen.fails(&bench, flipped(0), NotAuthentic, &["device-signature"]);
    seen.fails(&bench, flipped(1), NotAuthentic, &["dica-signature"]);
    let (judge, evidence) = Bench::changed(|t| t.device.authority = Some("UTDINK9800001".to_owned()));
    seen.fails(&judge, evidence, NotAuthentic, &["name-chaining"]);
    // Keys on another curve than the scheme's.
    let strange = Key::shared("smartcard-hsm test: strange device", KeyKind::P256).unwrap();
    let (judge, evidence) = Bench::changed(|t| {
        t.device.key = token::PublicKey::of(&strange, true).unwrap();
        t.device_key = Arc::clone(&strange);
    });
    let ids = ["device-signature", "outer-signature"];
    seen.fails(&judge, evidence, NotAuthentic, &ids);

    for digits in [[3, 1, 0, 5, 2, 10], [3, 1, 1, 3, 0, 1], [2, 7, 0, 2, 2, 9], [3, 1, 0, 0, 0, 1]] {
        let (judge, evidence) = Bench::changed(|t| t.device.dates.as_mut().unwrap().1 = digits);
        seen.fails(&judge, evidence, NotAuthentic, &["bad-date"]);
    }
    bench.at = "2026-05-27T23:59:59Z";
    seen.fails(&bench, bench.good(), NotAuthentic, &["not-yet-valid"]);
    bench.at = "2026-05-28T00:00:00Z";
    seen.finds(&bench, bench.good(), &USUAL);
    bench.at = "2031-05-27T23:59:59Z";
    seen.finds(&bench, bench.good(), &USUAL);
    // Device, then issuer, then the root.
    for at in ["2031-05-28T00:00:00Z", "2032-10-30T00:00:00Z", "2032-11-09T00:00:00Z"] {
        let mut bench = Bench::new();
        bench.at = at;
        seen.fails(&bench, bench.good(), NotAuthentic, &["expired"]);
        bench.options.push(("accept_expired", json!(true)));
        let appraisal = bench.judge(bench.good());
        assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authentic), "{at}");
        assert!(findings(&appraisal).contains(&"expired"));
        bench.at = "2026-05-27T23:59:59Z";
        seen.fails(&bench, bench.good(), NotAuthentic, &["not-yet-valid"]);
    }
}

fn request(seen: &mut Seen) {
    let bench = Bench::new();
    let token = &bench.token;
    let inner = token.template(&bench.key).unwrap().sign(&bench.key).unwrap();
    // Signed by this device, and says that it was another.
    let named = token::authenticated_request(&inner, "UTNK000017800000", &token.device_key).unwrap();
    seen.fails(&bench, files(&named, &bench.ef_2f02()), NotAuthentic, &["not-this-device"]);
    // Signed by a key in the token that is not the device's, or by nobody.
    let forged = token::authenticated_request(&inner, &token.device.holder, &token.issuer_key).unwrap();
    seen.fails(&bench, files(&forged, &bench.ef_2f02()), NotAuthentic, &["outer-signature"]);
    let other = Key::shared("smartcard-hsm test: another", KeyKind::P256).unwrap();
    let unproved = token.template(&bench.key).unwrap().sign(&other).unwrap();
    let unproved = token::authenticated_request(&unproved, &token.device.holder, &token.device_key).unwrap();
    seen.fails(&bench, files(&unproved, &bench.ef_2f02()), NotAuthentic, &["inner-signature"]);

    let point = bench.key.point().unwrap().to_vec();
    let mut off = point.clone();
    off[64] ^= 1;
    let k1 = token::parameters(KeyKind::Secp256k1).unwrap().map(|n| hex::decode(n).unwrap());
    let with = |tag: u16, value: Vec<u8>| bench.requested(|r| r.key.set(tag, value));
    for evidence in [
        with(0x86, off),
        with(0x86, vec![0]),
        with(0x86, [&[2][..], &point[1..33]].concat()),
        // Parameters of two curves, a small change to each, another cofactor.
        with(0x84, k1[3].clone()),
        with(0x83, k1[2].clone()),
        with(0x81, k1[0].clone()),
        with(0x85, k1[4].clone()),
        with(0x82, vec![1]),
        with(0x87, vec![2]),
        bench.requested(|r| r.key.parts = vec![(0x86, point.clone())]),
    ] {
        seen.fails(&bench, evidence, NotAuthentic, &["bad-public-key"]);
    }
    // What the verifier does not know is not held against the key.
    let bp512 = "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3";
    seen.fails(&bench, with(0x81, hex::decode(bp512).unwrap()), Undecided, &["bad-public-key"]);
    let sha224 = bench.requested(|r| r.key.algorithm = "0.4.0.127.0.7.2.2.2.2.2".to_owned());
    seen.fails(&bench, sha224, Undecided, &["bad-public-key"]);
    let sha1 = bench.requested(|r| r.key.algorithm = "0.4.0.127.0.7.2.2.2.2.1".to_owned());
    seen.fails(&bench, sha1, NotAuthentic, &["inner-signature"]);

    let bench = Bench::of(KeyKind::Rsa2048);
    let modulus = bench.key.rsa_public().unwrap().0.to_vec();
    let with = |tag: u16, value: Vec<u8>| bench.requested(|r| r.key.set(tag, value));
    let mut even = modulus.clone();
    *even.last_mut().unwrap() &= 0xfe;
    for evidence in [with(0x81, even), with(0x82, vec![3]), with(0x82, vec![1, 0, 0]), with(0x81, vec![0])] {
        seen.fails(&bench, evidence, NotAuthentic, &["bad-public-key"]);
    }
    seen.fails(&bench, with(0x81, roca_modulus(256)), NotAuthentic, &["inner-signature"]);
}

#[test]
fn requests_keys_and_nonces() {
    let mut bench = Bench::new();
    let other = Key::shared("smartcard-hsm test: another", KeyKind::Rsa2048).unwrap();
    bench.request = Some(File::new("a.pem", pem::public_key(&other.spki_der().unwrap())));
    let appraisal = bench.judge(bench.good());
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["csr-key-mismatch"], Authentic));
    assert_eq!(appraisal.binding.as_str(), "none");
    let mut forged = csr::plain("subject", &bench.key).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    bench.request = Some(File::new("a.csr", pem::request(&forged)));
    let appraisal = bench.judge(bench.good());
    assert_eq!((failed(&appraisal), appraisal.binding.as_str()), (vec!["csr-signature"], "none"));
    let weak = Bench::of(KeyKind::Rsa1024);
    let appraisal = weak.judge(weak.good());
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["weak-key"], Authentic));
    let mut submission = Submission::new(bench.good(), AT.parse().unwrap());
    submission.nonce = Some(vec![1; 16]);
    let report = Verifier::new(bench.reference.clone()).appraise(&submission).unwrap();
    assert_eq!(report.appraisals[0].freshness.as_str(), "no-nonce-in-evidence");
}

#[test]
fn deny_lists_and_inspection() {
    let bench = Bench::new();
    let [device, issuer] = bench.token.certificates().unwrap();
    let digest = |bytes: &[u8]| hex::encode(keyvouch_emulator::key::sha256(bytes));
    for (option, value) in [
        ("deny_holders", "UTNK000017700000".to_owned()),
        ("deny_holders", "UTDINK9900001".to_owned()),
        ("deny_certificates", digest(&device)),
        ("deny_certificates", digest(&issuer).to_uppercase()),
        ("deny_serials", SERIAL.to_owned()),
    ] {
        let mut bench = Bench::new();
        bench.options.push((option, json!([value])));
        let appraisal = bench.judge(bench.good());
        assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["denied"], NotAuthentic), "{option}");
        bench.options = vec![(option, json!(["UTNK000017800000"]))];
        assert_eq!(failed(&bench.judge(bench.good())), [""; 0], "{option}");
    }
    let mut listed = Bench::new();
    let spki = listed.token.issuer_key.spki_der().unwrap();
    listed.reference.deny.add_key(keyvouch_emulator::key::sha256(&spki).try_into().unwrap(), "stolen");
    assert_eq!(failed(&listed.judge(listed.good())), ["denied"]);
    let submission = Submission::new(bench.good(), AT.parse().unwrap());
    let view = Verifier::new(bench.reference.clone()).inspect(&submission).unwrap().to_string();
    assert!(view.contains("authenticated request") && view.contains("UTDINK9900001"), "{view}");
}

/// A binary CV certificate can be an operator's anchor, if it is a root.
#[test]
fn operator_roots_are_cv_certificates() {
    let token = Token::new(SERIAL).unwrap();
    let mut reference = Reference::empty();
    reference.load_operator_certificates("root.cvcert", &token.root().unwrap()).unwrap();
    let anchor = reference.anchors.iter().next().unwrap();
    assert_eq!((anchor.name.as_str(), anchor.every_format), ("UTEMROOT00001", false));
    assert_eq!(anchor.formats, ["smartcard-hsm"]);
    assert_eq!(anchor.period(), "2012-11-09T00:00:00Z to 2032-11-08T23:59:59Z");
    let [device, issuer] = token.certificates().unwrap();
    let mut forged = token.root().unwrap();
    *forged.last_mut().unwrap() ^= 1;
    let mut undated = token.clone();
    undated.root.dates = Some(([9; 6], [9; 6]));
    for bytes in [device, issuer, forged, undated.root().unwrap(), vec![0x7f, 0x21, 0]] {
        assert!(reference.load_operator_certificates("a.cvcert", &bytes).is_err());
    }
    assert_eq!(reference.anchors.iter().count(), 1);
}
