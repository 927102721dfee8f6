//! What is handed in: containers, limits, hostile files, private keys.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use std::io::{Cursor, Write as _};

use keyvouch::input::{Content, Limits, Parts};
use keyvouch::{File, InputError, Reference, Submission, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::{bundle, cms, der, pem, x509};
use zip::write::SimpleFileOptions;

fn submission(files: Vec<File>) -> Submission {
    Submission::new(files, "2026-06-01T00:00:00Z".parse().unwrap())
}

fn one(bytes: impl Into<Vec<u8>>) -> Submission {
    submission(vec![File::new("file", bytes)])
}

/// Where each part is, and what it is.
fn unwrapped(bytes: impl Into<Vec<u8>>) -> Vec<(String, String)> {
    within(bytes, Limits::DEFAULT).unwrap()
}

fn within(bytes: impl Into<Vec<u8>>, limits: Limits) -> Result<Vec<(String, String)>, InputError> {
    let submission = one(bytes);
    let parts = Parts::of(&submission, &[], limits)?;
    Ok(parts.iter().map(|(_, part)| (part.place.clone(), part.content.describe())).collect())
}

fn certificate(name: &str) -> Vec<u8> {
    let key = Key::shared("input", KeyKind::Ed25519).unwrap();
    let subject = x509::common_name(name).unwrap();
    x509::Certificate::new(subject, &key, "2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z")
        .unwrap()
        .sign(&key, SignAlg::Ed25519)
        .unwrap()
}

fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<_> =
        files.iter().map(|(name, bytes)| keyvouch_emulator::File::new(*name, bytes.clone())).collect();
    bundle::zip(&files).unwrap()
}

fn holds(places: &[(String, String)], place: &str, what: &str) -> bool {
    places.iter().any(|(p, w)| p == place && w == what)
}

#[track_caller]
fn certificate_at(bytes: impl Into<Vec<u8>>, place: &str) {
    let found = unwrapped(bytes);
    assert!(holds(&found, place, "certificate of A"), "{found:?}");
}

#[test]
fn a_certificate_is_found_in_every_container() {
    let der = certificate("A");
    let text = pem::certificate(&der);
    certificate_at(der.clone(), "file");
    certificate_at(text.clone(), "file › certificate 1");
    certificate_at(text.replace('\n', "\r\n"), "file › certificate 1");
    certificate_at(text.replace("CERTIFICATE", "X509 CERTIFICATE"), "file › x509 certificate 1");
    certificate_at(text.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "file › trusted certificate 1");
    certificate_at(format!("\u{feff}Subject: A\n\n{text}"), "file › certificate 1");
    certificate_at(bundle::base64(&der), "file › base64");
    certificate_at(bundle::base64url(&der), "file › base64");
    certificate_at(bundle::base64(text.as_bytes()), "file › base64 › certificate 1");
    certificate_at(bundle::gzip(&der).unwrap(), "file › gzip");
    certificate_at(bundle::gzip(text.as_bytes()).unwrap(), "file › gzip › certificate 1");
    certificate_at(zipped(&[("a.der", der.clone())]), "file › a.der");
    certificate_at(zipped(&[("x/a.pem", text.clone().into())]), "file › x/a.pem › certificate 1");
    certificate_at(cms::certs_only(&[&der]).unwrap(), "file › certificate 1");
    let pkcs7 = pem::encode("PKCS7", &cms::certs_only(&[certificate("B"), der.clone()]).unwrap());
    certificate_at(pkcs7, "file › pkcs7 1 › certificate 2");
    let json = serde_json::json!({ "chain": [1, { "pem": text }] });
    certificate_at(bundle::json(&json).unwrap(), "file › /chain/1/pem › certificate 1");
    let json = serde_json::json!({ "chain": bundle::base64url(text.as_bytes()) });
    certificate_at(bundle::json(&json).unwrap(), "file › /chain › certificate 1");
    let inner = zipped(&[("b.zip", zipped(&[("a.gz", bundle::gzip(&der).unwrap())]))]);
    certificate_at(inner, "file › b.zip › a.gz › gzip");
}

#[test]
fn names_of_files_mean_nothing() {
    let files = vec![File::new("key.pem.private", certificate("A")), File::new("", certificate("B"))];
    let submission = submission(files);
    let parts = Parts::of(&submission, &[], Limits::DEFAULT).unwrap();
    assert_eq!(parts.certificates().len(), 2);
}

#[test]
fn what_is_unknown_is_described() {
    for (bytes, what) in [
        (b"hello".to_vec(), "binary data of an unknown kind"),
        (b"\xff\xfe\x00".to_vec(), "binary data of an unknown kind"),
        (b"<a>b</a>".to_vec(), "XML"),
        (b"{\"a\": 1}".to_vec(), "JSON"),
        (der::sequence(&[der::null()]), "DER of an unknown kind"),
    ] {
        assert_eq!(unwrapped(bytes), [("file".to_owned(), what.to_owned())]);
    }
    let broken = unwrapped("{\"a\": 1, \"a\": 2}");
    assert!(broken[0].1.starts_with("broken JSON"), "{broken:?}");
    let broken = unwrapped(pem::certificate(&der::null()));
    assert!(broken[1].1.starts_with("not a certificate although it says so"), "{broken:?}");
}

#[test]
fn no_evidence_and_empty_files_are_errors() {
    let of = |submission: &Submission| Parts::of(submission, &[], Limits::DEFAULT).err();
    assert_eq!(of(&submission(Vec::new())), Some(InputError::NoEvidence));
    for empty in ["", " ", "\n\r\n\t"] {
        assert_eq!(of(&one(empty)), Some(InputError::Empty("file".to_owned())), "{empty:?}");
    }
    let mut with_request = one("evidence");
    with_request.request = Some(File::new("request", ""));
    assert_eq!(of(&with_request), Some(InputError::Empty("request".to_owned())));
    let mut only_request = submission(Vec::new());
    only_request.request = Some(File::new("request", "x"));
    assert_eq!(of(&only_request), Some(InputError::NoEvidence));
}

#[test]
fn the_limit_on_all_files_counts_all_files() {
    let limits = Limits { total_in: 100, ..Limits::DEFAULT };
    let of = |sizes: &[usize], request: Option<usize>| {
        let files = sizes.iter().enumerate().map(|(i, size)| File::new(format!("{i}"), vec![b'x'; *size]));
        let mut submission = submission(files.collect());
        submission.request = request.map(|size| File::new("request", vec![b'x'; size]));
        Parts::of(&submission, &[], limits).err()
    };
    let too_large = |name: &str| Some(InputError::TooLarge { name: name.to_owned(), limit: 100 });
    assert_eq!(of(&[100], None), None);
    assert_eq!(of(&[101], None), too_large("0"));
    assert_eq!(of(&[50, 50], None), None);
    assert_eq!(of(&[50, 51], None), too_large("1"));
    assert_eq!(of(&[50], Some(51)), too_large("request"));
}

#[test]
fn the_limit_on_parts_names_the_file() {
    let text = |count: usize| pem::certificate(&certificate("A")).repeat(count);
    let limits = Limits { parts: 4, ..Limits::DEFAULT };
    assert_eq!(within(text(3), limits).unwrap().len(), 4);
    let error = within(text(4), limits).unwrap_err();
    assert_eq!(error, InputError::TooManyParts { name: "file".to_owned(), limit: 4 });
    // 300 certificates in one file, with the limits in force.
    let error = within(text(300), Limits::DEFAULT).unwrap_err();
    assert_eq!(error, InputError::TooManyParts { name: "file".to_owned(), limit: 256 });
    let error = within(bundle::gzip(text(300).as_bytes()).unwrap(), Limits::DEFAULT).unwrap_err();
    assert_eq!(error, InputError::TooManyParts { name: "file".to_owned(), limit: 256 });
}

#[test]
fn parts_deeper_than_the_limit_stay_closed() {
    let mut bytes = certificate("A");
    for _ in 0..3 {
        bytes = zipped(&[("in", bytes)]);
    }
    let found = within(bytes.clone(), Limits { depth: 3, ..Limits::DEFAULT }).unwrap();
    assert!(holds(&found, "file › in › in › in", "certificate of A"), "{found:?}");
    let found = within(bytes.clone(), Limits { depth: 2, ..Limits::DEFAULT }).unwrap();
    assert!(holds(&found, "file › in › in", "zip archive"), "{found:?}");
    assert_eq!(found.len(), 3);
    let found = within(bytes, Limits { depth: 0, ..Limits::DEFAULT }).unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn what_unwraps_to_more_than_the_limit_stays_closed() {
    let der = certificate("A");
    let enough = Limits { total_unwrapped: der.len(), ..Limits::DEFAULT };
    let short = Limits { total_unwrapped: der.len() - 1, ..Limits::DEFAULT };
    let wrapped: [(&str, Vec<u8>); 4] = [
        ("base64", bundle::base64(&der).into()),
        ("PEM", pem::certificate(&der).into()),
        ("gzip", bundle::gzip(&der).unwrap()),
        ("zip", zipped(&[("a", der.clone())])),
    ];
    for (what, bytes) in wrapped {
        let is_there = |found: &[(String, String)]| found.iter().any(|(_, w)| w == "certificate of A");
        assert!(is_there(&within(bytes.clone(), enough).unwrap()), "{what}");
        let found = within(bytes, short).unwrap();
        assert!(!is_there(&found), "{what}: {found:?}");
    }
    // The limit counts everything that is unwrapped, not each part.
    let two = zipped(&[("a", der.clone()), ("b", certificate("B"))]);
    let found = within(two, enough).unwrap();
    assert!(found.iter().any(|(_, w)| w == "certificate of A"), "{found:?}");
    assert!(!found.iter().any(|(_, w)| w == "certificate of B"), "{found:?}");
}

#[test]
fn compressed_bombs_stay_closed() {
    let limits = Limits { total_unwrapped: 1 << 20, ..Limits::DEFAULT };
    let zeros = vec![0_u8; 16 << 20];
    let found = within(bundle::gzip(&zeros).unwrap(), limits).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("unwraps to more than"), "{found:?}");
    let found = within(zipped(&[("zeros", zeros.clone())]), limits).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("unwraps to more than"), "{found:?}");
    // Many members that are small enough each.
    let members: Vec<(String, Vec<u8>)> = (0..64).map(|i| (format!("{i}"), vec![0; 64 << 10])).collect();
    let members: Vec<(&str, Vec<u8>)> = members.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    let submission = one(zipped(&members));
    let parts = Parts::of(&submission, &[], limits).unwrap();
    let total: usize = parts.iter().skip(1).map(|(_, part)| part.bytes.len()).sum();
    assert!(total <= 1 << 20, "{total}");
    // A zip in a zip in a zip …
    let mut nested = zipped(&[("zeros", zeros)]);
    for _ in 0..20 {
        nested = zipped(&[("in", nested)]);
    }
    let found = within(nested, limits).unwrap();
    assert!(found.len() <= 10, "{found:?}");
}

#[test]
fn a_zip_with_too_many_members_stays_closed() {
    let names: Vec<String> = (0..300).map(|i| i.to_string()).collect();
    let members: Vec<(&str, Vec<u8>)> = names.iter().map(|n| (n.as_str(), vec![1])).collect();
    let found = unwrapped(zipped(&members));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("more than 256 members"), "{found:?}");
}

#[test]
fn damaged_archives_are_told() {
    let good = zipped(&[("a", certificate("A"))]);
    for cut in [5, good.len() / 2, good.len() - 1] {
        let found = unwrapped(&good[..cut]);
        assert!(found[0].1.starts_with("zip archive that cannot be read"), "{cut}: {found:?}");
    }
    let good = bundle::gzip(&certificate("A")).unwrap();
    for cut in [3, 11, good.len() - 9, good.len() - 1] {
        let found = unwrapped(&good[..cut]);
        assert!(found[0].1.starts_with("gzip file that cannot be read"), "{cut}: {found:?}");
        assert_eq!(found.len(), 1);
    }
    let mut spoilt = good;
    let at = spoilt.len() - 6;
    spoilt[at] ^= 1;
    assert!(unwrapped(spoilt)[0].1.starts_with("gzip file that cannot be read"));
}

#[test]
fn gzip_is_one_member_and_nothing_after_it() {
    // Readers differ in what they make of more.
    let (a, b) = (bundle::gzip(&certificate("A")).unwrap(), bundle::gzip(&certificate("B")).unwrap());
    for (what, bytes) in [
        ("two members", [a.clone(), b].concat()),
        ("a byte", [a.clone(), vec![0]].concat()),
        ("text", [a, b"text".to_vec()].concat()),
    ] {
        let found = unwrapped(bytes);
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert!(found[0].1.contains("after the gzip member"), "{what}: {found:?}");
    }
}

#[test]
fn a_file_name_in_an_archive_is_only_a_name() {
    let der = certificate("A");
    let found =
        unwrapped(zipped(&[("../../etc/passwd", der.clone()), ("/abs", der.clone()), ("a b/ü", der)]));
    assert_eq!(found.len(), 4);
    assert!(holds(&found, "file › ../../etc/passwd", "certificate of A"), "{found:?}");
}

#[test]
fn two_members_of_one_name_are_both_read() {
    let options = SimpleFileOptions::default();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["a", "b"] {
        archive.start_file(name, options).unwrap();
        archive.write_all(&certificate(if name == "a" { "A" } else { "B" })).unwrap();
    }
    // The writer refuses a name twice: it is put in afterwards, in both places where a name stands.
    let bytes = archive.finish().unwrap().into_inner();
    let found = unwrapped(bytes);
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn deep_and_broken_json_is_told() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let found = unwrapped(deep);
    assert!(found[0].1.starts_with("broken JSON"), "{found:?}");
    let wide = serde_json::json!(vec!["x"; 100_000]);
    assert_eq!(unwrapped(bundle::json(&wide).unwrap()).len(), 1);
    let shallow = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(unwrapped(shallow)[0].1, "JSON");
    for broken in ["{", "[1,]", "{} {}", "{\"a\" 1}", "{\"a\": {\"b\": 1, \"b\": 2}}", "[\"\u{1}\"]"] {
        assert!(unwrapped(broken)[0].1.starts_with("broken JSON"), "{broken}");
    }
}

#[test]
fn unfinished_pem_is_told() {
    let text = pem::certificate(&certificate("A"));
    for (what, spoilt) in [
        ("no end", text.replace("-----END CERTIFICATE-----", "")),
        ("other end", text.replace("END CERTIFICATE", "END CERTIFICATES")),
        ("not base64", text.replacen("\nM", "\n!", 1)),
        ("empty", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned()),
    ] {
        let found = unwrapped(spoilt);
        assert_eq!(found.len(), 2, "{what}: {found:?}");
        assert!(found[1].1.starts_with("not a certificate"), "{what}: {found:?}");
    }
}

#[test]
fn a_submission_is_judged_whatever_the_files_are() {
    let verifier = Verifier::new(Reference::empty());
    for bytes in
        [vec![0_u8; 100], vec![0x30; 1000], b"PK\x03\x04".to_vec(), b"\x1f\x8b".to_vec(), vec![0x30, 0x84]]
    {
        let report = verifier.appraise(&one(bytes)).unwrap();
        assert_eq!(report.appraisals[0].authenticity.as_str(), "undecided");
    }
}

// Private keys.

/// A name, and the DER of a private key in that form.
fn private_keys() -> Vec<(&'static str, Vec<u8>)> {
    let (rsa, ec, ed) = (
        Key::shared("input", KeyKind::Rsa2048).unwrap(),
        Key::shared("input", KeyKind::P256).unwrap(),
        Key::shared("input", KeyKind::Ed25519).unwrap(),
    );
    let inner = |pkcs8: &[u8]| {
        // PrivateKeyInfo ::= SEQUENCE { version, algorithm, OCTET STRING { the key in its own form } }
        let mut reader = Der(Der(pkcs8).value());
        reader.skip().skip();
        reader.value().to_vec()
    };
    let secret = keyvouch_emulator::key::derived("encrypted", 64);
    let pbes2 = der::sequence(&[der::oid("1.2.840.113549.1.5.13").unwrap(), der::sequence(&[der::null()])]);
    let pkcs12_pbe =
        der::sequence(&[der::oid("1.2.840.113549.1.12.1.3").unwrap(), der::sequence(&[der::null()])]);
    let data = |content: &[u8]| {
        der::sequence(&[
            der::oid("1.2.840.113549.1.7.1").unwrap(),
            der::explicit(0, &der::octet_string(content)),
        ])
    };
    vec![
        ("PKCS#8, RSA", rsa.pkcs8_der().to_vec()),
        ("PKCS#8, EC", ec.pkcs8_der().to_vec()),
        ("PKCS#8, Ed25519", ed.pkcs8_der().to_vec()),
        ("RSAPrivateKey", inner(rsa.pkcs8_der())),
        ("ECPrivateKey", inner(ec.pkcs8_der())),
        ("encrypted PKCS#8, PBES2", der::sequence(&[pbes2, der::octet_string(&secret)])),
        ("encrypted PKCS#8, PKCS#12", der::sequence(&[pkcs12_pbe, der::octet_string(&secret)])),
        ("PKCS#12", der::sequence(&[der::integer(&[3]), data(&secret), der::sequence(&[der::null()])])),
    ]
}

/// As much of DER as is needed to take keys apart.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn split(&self) -> (&'a [u8], &'a [u8]) {
        let (start, length) = match self.0[1] {
            short if short < 0x80 => (2, usize::from(short)),
            0x81 => (3, usize::from(self.0[2])),
            _ => (4, usize::from(self.0[2]) << 8 | usize::from(self.0[3])),
        };
        (&self.0[start..start + length], &self.0[start + length..])
    }

    fn value(&self) -> &'a [u8] {
        self.split().0
    }

    fn skip(&mut self) -> &mut Self {
        self.0 = self.split().1;
        self
    }
}

#[track_caller]
fn refused(what: &str, bytes: impl Into<Vec<u8>>, secret: &[u8]) {
    let verifier = Verifier::new(Reference::empty());
    let bytes = bytes.into();
    let mut as_request = one("evidence");
    as_request.request = Some(File::new("file", bytes.clone()));
    let beside = submission(vec![File::new("a", certificate("A")), File::new("file", bytes.clone())]);
    for submission in [one(bytes), as_request, beside] {
        let error = verifier.appraise(&submission).expect_err(what);
        let InputError::PrivateKey(place) = &error else { panic!("{what}: {error}") };
        assert!(place.starts_with("file"), "{what}: {place}");
        let says = format!("{error} {error:?}");
        assert!(!holds_part(says.as_bytes(), secret), "{what}: {says}");
        // Inspecting does not show it either.
        assert_eq!(verifier.inspect(&submission).expect_err(what), error);
    }
}

/// Whether any eight bytes of the secret are in the text, bare or in hexadecimal or base64.
fn holds_part(text: &[u8], secret: &[u8]) -> bool {
    let hexed: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let encoded = bundle::base64(secret);
    [secret, hexed.as_bytes(), encoded.as_bytes()]
        .iter()
        .any(|form| form.windows(12).any(|part| text.windows(part.len()).any(|window| window == part)))
}

#[test]
fn private_keys_are_refused_in_every_form_and_wrapping() {
    for (what, der) in private_keys() {
        refused(what, der.clone(), &der);
        refused(&format!("{what}, base64"), bundle::base64(&der), &der);
        refused(&format!("{what}, base64url"), bundle::base64url(&der), &der);
        refused(&format!("{what}, gzip"), bundle::gzip(&der).unwrap(), &der);
        let archive = zipped(&[("cert.der", certificate("A")), ("key.der", der.clone())]);
        refused(&format!("{what}, zip"), archive.clone(), &der);
        refused(&format!("{what}, zip in zip"), zipped(&[("keys.zip", archive)]), &der);
        let labelled = |label: &str| pem::encode(label, &der);
        // The label does not matter where the content is what it is, nor the content where the label says it.
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PKCS12"] {
            refused(&format!("{what}, PEM {label}"), labelled(label), &der);
        }
        let json = serde_json::json!({ "a": { "key": labelled("PRIVATE KEY") } });
        refused(&format!("{what}, JSON"), bundle::json(&json).unwrap(), &der);
        let json = serde_json::json!({ "a": bundle::base64(labelled("PRIVATE KEY").as_bytes()) });
        refused(&format!("{what}, base64 in JSON"), bundle::json(&json).unwrap(), &der);
        let chain = pem::certificate(&certificate("A")) + &labelled("PRIVATE KEY");
        refused(&format!("{what}, after a certificate"), chain, &der);
    }
}

#[test]
fn private_keys_under_a_wrong_label_are_refused() {
    for (what, der) in private_keys() {
        for label in ["CERTIFICATE", "CERTIFICATE REQUEST", "PUBLIC KEY", "DATA"] {
            refused(&format!("{what}, PEM {label}"), pem::encode(label, &der), &der);
        }
    }
}

#[test]
fn private_keys_in_pem_of_other_programs_are_refused() {
    let secret = keyvouch_emulator::key::derived("openssh", 200);
    for label in ["OPENSSH PRIVATE KEY", "DSA PRIVATE KEY", "ANY PRIVATE KEY", "SSH2 ENCRYPTED PRIVATE KEY"] {
        refused(label, pem::encode(label, &secret), &secret);
    }
    let with_headers = pem::encode("RSA PRIVATE KEY", &secret).replacen(
        "KEY-----\n",
        "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n",
        1,
    );
    refused("encrypted PEM of old", with_headers, &secret);
    // Cut or damaged, it is still somebody's key.
    let cut = pem::encode("PRIVATE KEY", &secret);
    refused("without an end", cut[..150].to_owned(), &secret);
}

#[test]
fn public_keys_and_certificates_are_not_taken_for_private_ones() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::Ed25519] {
        let spki = Key::shared("input", kind).unwrap().spki_der().unwrap();
        let submission = one(spki);
        let parts = Parts::of(&submission, &[], Limits::DEFAULT).unwrap();
        assert!(matches!(parts.iter().next().unwrap().1.content, Content::PublicKey(_)), "{kind:?}");
    }
}
