//! `keyvouch request`: evidence of emulated devices goes into a request, the device's key signs it, and the CA accepts the
//! one file.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use keyvouch_emulator::key::{Key, KeyKind};

fn keyvouch(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyvouch")).current_dir(dir).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Writes a sample, and gives the names of its evidence files.
fn write_sample(dir: &Path, format: &str) -> (Vec<String>, String) {
    let sample = keyvouch_emulator::samples(format).unwrap().remove(0);
    for file in sample.evidence.iter().chain(&sample.request) {
        fs::write(dir.join(&file.name), &file.bytes).unwrap();
    }
    fs::create_dir(dir.join("anchors")).unwrap();
    for file in &sample.anchors {
        fs::write(dir.join("anchors").join(&file.name), &file.bytes).unwrap();
    }
    (sample.evidence.into_iter().map(|f| f.name).collect(), sample.request.unwrap().name)
}

#[test]
fn one_file_carries_everything_to_the_ca() {
    for (format, kind, statement) in [
        ("yubikey-piv", KeyKind::P384, "2.25.243173574279165502397274057169519977584.1\n"),
        ("thales-luna", KeyKind::Rsa3072, "2.25.243173574279165502397274057169519977584.11\n"),
        ("securosys", KeyKind::Rsa3072, "2.25.243173574279165502397274057169519977584.7\n"),
        ("tpm", KeyKind::P256, "2.25.243173574279165502397274057169519977584.14\n"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (evidence, request) = write_sample(dir.path(), format);
        let mut args = vec!["request", "embed"];
        args.extend(evidence.iter().map(String::as_str));
        args.extend(["--key", &request]);
        let embedded = keyvouch(dir.path(), &args);
        assert!(embedded.status.success(), "{format}: {}", text(&embedded.stderr));
        assert!(text(&embedded.stdout).contains(statement), "{}", text(&embedded.stdout));

        // The device signs.
        let key = Key::shared(&format!("{format}: subscriber"), kind).unwrap();
        let info = fs::read(dir.path().join("request.info")).unwrap();
        let signature = key.sign(key.default_alg(), &info).unwrap();
        fs::write(dir.path().join("request.sig"), &signature).unwrap();
        let made =
            keyvouch(dir.path(), &["request", "assemble", "--signature", "request.sig", "--out", "new.csr"]);
        assert!(made.status.success(), "{format}: {}", text(&made.stderr));

        let verify = ["verify", "new.csr", "--anchors", "anchors", "--at", "2026-06-01T00:00:00Z"];
        let verified = keyvouch(dir.path(), &verify);
        assert_eq!(verified.status.code(), Some(0), "{format}: {}", text(&verified.stdout));
        // Nothing is overwritten, and a signature over something else is refused.
        assert_eq!(keyvouch(dir.path(), &args).status.code(), Some(2));
        fs::write(dir.path().join("other.sig"), key.sign(key.default_alg(), b"other").unwrap()).unwrap();
        let refused =
            keyvouch(dir.path(), &["request", "assemble", "--signature", "other.sig", "--out", "other.csr"]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains("does not verify"), "{}", text(&refused.stderr));
        assert!(!dir.path().join("other.csr").exists());
    }
}

#[test]
fn a_signature_may_be_text_and_the_subject_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (evidence, _) = write_sample(dir.path(), "yubikey-piv");
    let key = Key::shared("yubikey-piv: subscriber", KeyKind::P384).unwrap();
    let spki = keyvouch_emulator::pem::public_key(&key.spki_der().unwrap());
    fs::write(dir.path().join("key.pem"), spki).unwrap();
    let mut args = vec!["request", "embed"];
    args.extend(evidence.iter().map(String::as_str));
    args.extend(["--key", "key.pem"]);
    let nameless = keyvouch(dir.path(), &args);
    assert_eq!(nameless.status.code(), Some(2));
    assert!(text(&nameless.stderr).contains("--subject"), "{}", text(&nameless.stderr));
    args.extend(["--subject", "CN=Example, O=Example Corporation, C=NL"]);
    assert!(keyvouch(dir.path(), &args).status.success());
    let info = fs::read(dir.path().join("request.info")).unwrap();
    let signature = key.sign(key.default_alg(), &info).unwrap();
    fs::write(dir.path().join("s.txt"), keyvouch_emulator::bundle::base64(&signature)).unwrap();
    let made = keyvouch(dir.path(), &["request", "assemble", "--signature", "s.txt", "--out", "new.csr"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let inspected = keyvouch(dir.path(), &["inspect", "new.csr"]);
    assert!(text(&inspected.stdout).contains("yubikey-piv"), "{}", text(&inspected.stdout));
}
