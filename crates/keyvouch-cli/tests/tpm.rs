//! `keyvouch tpm` without a TPM: what it writes, what it overwrites, and answers that do not count.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn keyvouch(dir: &Path, arguments: &str) -> Output {
    let arguments = arguments.split(' ');
    Command::new(env!("CARGO_BIN_EXE_keyvouch")).current_dir(dir).args(arguments).output().unwrap()
}

#[track_caller]
fn status(dir: &Path, arguments: &str) -> (Option<i32>, String) {
    let output = keyvouch(dir, arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// The evidence of an emulated TPM whose attestation key is activated.
fn emulated(dir: &Path) -> String {
    let (code, text) = status(dir, "emulate tpm e --variant activated");
    assert_eq!(code, Some(0), "{text}");
    let certificates = std::fs::read_dir(dir.join("e")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = certificates.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    let is_ek = |name: &&String| {
        status(
            dir,
            &format!("tpm challenge --ek e/{name} --ak e/ak.pub --credential {name}.c --state {name}.s"),
        )
        .0 == Some(0)
    };
    format!("e/{}", names.iter().find(is_ek).unwrap())
}

#[test]
fn a_challenge_is_answered_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let ek = emulated(dir);
    let challenge = format!("tpm challenge --ek {ek} --ak e/ak.pub --credential c --state s --hours 2");
    let (code, text) = status(dir, &challenge);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("tpm2_activatecredential") && text.contains("keyvouch tpm confirm --state s"),
        "{text}"
    );
    assert!(std::fs::read(dir.join("c")).unwrap().starts_with(&[0xba, 0xdc, 0xc0, 0xde]));
    let state: Value = serde_json::from_slice(&std::fs::read(dir.join("s")).unwrap()).unwrap();
    assert_eq!(state["secret_sha256"].as_str().unwrap().len(), 64);
    // Nothing is overwritten: not a challenge that waits, and not a record.
    assert_eq!(status(dir, &challenge).0, Some(2));
    std::fs::write(dir.join("answer"), [0; 32]).unwrap();
    std::fs::write(dir.join("r"), "a record").unwrap();
    assert_eq!(status(dir, "tpm confirm --state s --answer answer --record r").0, Some(2));
    assert!(dir.join("s").exists(), "the challenge still waits");
    // A wrong answer ends it.
    let (code, text) = status(dir, "tpm confirm --state s --answer answer --record other");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is not the secret"), "{text}");
    assert!(!dir.join("s").exists() && !dir.join("other").exists());
    assert_eq!(status(dir, "tpm confirm --state s --answer answer --record other").0, Some(2));
}

#[test]
fn keys_that_get_no_challenge() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let ek = emulated(dir);
    for (arguments, says) in [
        (format!("--ek {ek} --ak e/key.pub"), "no attestation key"),
        (format!("--ek {ek} --ak {ek}"), "no public area"),
        ("--ek e/key.pub --ak e/ak.pub".to_owned(), "not that of an endorsement key"),
        ("--ek e/ak.pub --ak e/ak.pub".to_owned(), "not that of an endorsement key"),
        ("--ek e/key.sig --ak e/ak.pub".to_owned(), "no endorsement key"),
    ] {
        let (code, text) =
            status(dir, &format!("tpm challenge {arguments} --credential never --state never.json"));
        assert_eq!(code, Some(2), "{arguments}: {text}");
        assert!(text.contains(says), "{arguments}: {text}");
        assert!(!dir.join("never").exists() && !dir.join("never.json").exists());
    }
}
