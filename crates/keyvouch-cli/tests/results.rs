//! Attestation results by the command: a verifier signs, a relying party checks.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/yubikey-piv");
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const NONCE: &str = "8f3c21d09a7b4e65";

fn keyvouch(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyvouch")).args(args).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// A key, and its public part as JWK set.
    fn key(&self, algorithm: &str, form: &str) -> (String, String) {
        let (key, jwks) =
            (self.path(&format!("{algorithm}.{form}")), self.path(&format!("{algorithm}.jwks")));
        let made = keyvouch(&["result", "key", "generate", &key, "--algorithm", algorithm, "--form", form]);
        assert!(made.status.success(), "{made:?}");
        let set = keyvouch(&["result", "key", "jwks", &key]);
        assert!(set.status.success() && !text(&set).contains("\"d\""), "{set:?}");
        std::fs::write(&jwks, set.stdout).unwrap();
        (key, jwks)
    }

    /// The example as a result.
    fn issue(&self, key: &str, more: &[&str]) -> (Option<i32>, PathBuf) {
        let anchors = format!("{EXAMPLE}/anchors");
        let args = [
            &["verify", EXAMPLE, "--anchors", &anchors, "--at", "2026-06-01T00:00:00Z"][..],
            &["--output", "ear", "--result-key", key],
            more,
        ];
        let output = keyvouch(&args.concat());
        let path = self.dir.path().join("result");
        std::fs::write(&path, &output.stdout).unwrap();
        (output.status.code(), path)
    }

    fn check(&self, token: &Path, key: &str, more: &[&str]) -> (Option<i32>, Value) {
        let token = token.to_str().unwrap();
        let args = [&["result", "verify", token, "--key", key, "--output", "json"][..], more];
        let output = keyvouch(&args.concat());
        let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code(), json)
    }
}

/// Just after the result was made.
const THEN: [&str; 2] = ["--at", "2026-06-01T00:10:00Z"];

#[test]
fn every_algorithm_form_and_wrapper() {
    let bench = Bench::new();
    let request = format!("{EXAMPLE}/request.csr");
    for (algorithm, form) in [("ES256", "jwk"), ("ES384", "pkcs8"), ("EdDSA", "pkcs8"), ("PS256", "pkcs8")] {
        let (key, jwks) = bench.key(algorithm, form);
        for more in [
            &["--result-format", "jwt"][..],
            &["--result-format", "cwt", "--ear-profile", "03"],
            &["--result-format", "cwt", "--result-wrapper", "json"],
            &["--result-format", "jwt", "--result-wrapper", "cbor", "--result-evidence"],
        ] {
            let (status, token) = bench.issue(&key, &[more, &["--result-nonce", NONCE]].concat());
            assert_eq!(status, Some(0), "{algorithm} {more:?}");
            let (status, said) =
                bench.check(&token, &jwks, &[&THEN[..], &["--nonce", NONCE, "--request", &request]].concat());
            assert_eq!(status, Some(0), "{algorithm} {more:?}: {said:#}");
            assert_eq!(said["result"]["algorithm"], algorithm);
            assert_eq!(said["result"]["statements"][0]["status"], "affirming");
            assert_eq!(said["result"]["expires"], "2026-06-02T00:00:00Z");
            // Any byte of it changed, here and there.
            let good = std::fs::read(&token).unwrap();
            for at in (0..good.len().saturating_sub(2)).step_by(good.len() / 12) {
                let mut bad = good.clone();
                // Never to the same character with other white space, and never out of the alphabet only.
                bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
                let path = bench.dir.path().join("changed");
                std::fs::write(&path, bad).unwrap();
                let (status, said) = bench.check(&path, &jwks, &THEN);
                // In a wrapper, what it is said to be may change to something that means the same: its indicator.
                assert!(status == Some(1), "{algorithm} {more:?}: byte {at}: {said:#}");
            }
        }
    }
}

#[test]
fn what_a_relying_party_expects_is_checked() {
    let bench = Bench::new();
    let (key, jwks) = bench.key("ES256", "pkcs8");
    let (_, other) = bench.key("EdDSA", "pkcs8");
    let (_, token) = bench.issue(&key, &["--result-lifetime", "8h"]);
    let failed = |key: &str, more: &[&str]| {
        let (status, said) = bench.check(&token, key, more);
        assert_eq!(status, Some(1), "{said:#}");
        let checks = said["checks"].as_array().unwrap();
        let failed = checks.iter().filter(|c| c["outcome"] == "fail");
        failed.map(|c| c["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(failed(&other, &THEN), ["result-key"]);
    assert_eq!(failed(&jwks, &["--at", "2026-06-01T08:02:00Z"]), ["result-time"]);
    assert_eq!(failed(&jwks, &["--at", "2026-05-31T00:00:00Z"]), ["result-time"]);
    assert_eq!(failed(&jwks, &["--at", "2026-06-01T00:10:00Z", "--max-age", "5m"]), ["result-time"]);
    assert_eq!(failed(&jwks, &["--at", "2026-06-01T00:10:00Z", "--nonce", NONCE]), ["result-nonce"]);
    let request = format!("{DATA}/other-device/request.csr");
    assert_eq!(
        failed(&jwks, &["--at", "2026-06-01T00:10:00Z", "--request", &request]),
        ["result-attested-key"]
    );
    // No --at: now, which is later.
    assert_eq!(failed(&jwks, &[]), ["result-time"]);
}

#[test]
fn verdicts_and_exit_statuses() {
    let bench = Bench::new();
    let (key, jwks) = bench.key("ES256", "jwk");
    let result = |evidence: &str, more: &[&str]| {
        let at = ["--at", "2026-06-01T00:00:00Z", "--output", "ear", "--result-key", &key];
        let output = keyvouch(&[&["verify", evidence][..], &at, more].concat());
        let path = bench.dir.path().join("result");
        std::fs::write(&path, &output.stdout).unwrap();
        let (checked, said) = bench.check(&path, &jwks, &THEN);
        (output.status.code(), checked, said["result"]["status"].as_str().unwrap_or_default().to_owned())
    };
    let anchors = format!("{EXAMPLE}/anchors");
    // Refused by a policy, not recognised, and not judged for want of an anchor.
    let refused = result(EXAMPLE, &["--anchors", &anchors, "--policy", "cabf-code-signing"]);
    assert_eq!(refused, (Some(1), Some(1), "contraindicated".to_owned()));
    let unknown = result(&format!("{DATA}/notes.txt"), &[]);
    assert_eq!(unknown, (Some(3), Some(3), "none".to_owned()));
}

#[test]
fn a_nonce_that_the_evidence_does_not_answer_is_not_in_the_result() {
    let bench = Bench::new();
    let (key, jwks) = bench.key("ES256", "jwk");
    let (_, token) = bench.issue(&key, &["--nonce", NONCE]);
    let (_, said) = bench.check(&token, &jwks, &THEN);
    assert_eq!(said["result"]["nonces"], serde_json::json!([]));
}

#[test]
fn private_keys_are_kept() {
    let bench = Bench::new();
    let (key, _) = bench.key("ES256", "pkcs8");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Never written over.
    let again = keyvouch(&["result", "key", "generate", &key]);
    assert_eq!(again.status.code(), Some(2));
    // Not taken where a public key belongs, and not printed.
    let (_, token) = bench.issue(&key, &[]);
    let output = keyvouch(&["result", "verify", token.to_str().unwrap(), "--key", &key]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("private key"));
}

#[test]
fn a_page_of_html() {
    let args = ["verify", EXAMPLE, "--trust-submission", "--output", "html"];
    let output = keyvouch(&args);
    assert_eq!(output.status.code(), Some(0));
    let page = text(&output);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("33162554") && !page.contains("<script"));
    assert_eq!(text(&keyvouch(&args)), page);
}
