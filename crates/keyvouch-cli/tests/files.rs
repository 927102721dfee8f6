//! Commands that write files.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn keyvouch(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyvouch")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_sample_is_accepted_by_the_commands_that_emulate_prints() {
    let parent = tempfile::tempdir().unwrap();
    // A name that the shell would break.
    let dir = parent.path().join("my sample");
    // The showcase, and one whose attestation is inside the request.
    for variant in ["1", "request-3.1"] {
        let made = keyvouch(&["emulate", "yubikey-piv", dir.to_str().unwrap(), "--variant", variant]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let commands: Vec<&str> =
            text(&made.stdout).lines().filter_map(|l| l.trim().strip_prefix("keyvouch ")).collect();
        assert_eq!(commands.len(), 2);
        let readme = fs::read_to_string(dir.join("README.txt")).unwrap();
        for command in commands {
            assert!(readme.contains(command), "{readme}");
            #[cfg(unix)]
            {
                let run = format!("{} {command}", env!("CARGO_BIN_EXE_keyvouch"));
                let verified = Command::new("sh").args(["-c", &run]).output().unwrap();
                assert!(
                    verified.status.success(),
                    "{command}: {}{}",
                    text(&verified.stdout),
                    text(&verified.stderr)
                );
            }
        }
        // Without the operator's word nothing is trusted.
        let verified = keyvouch(&["verify", dir.to_str().unwrap()]);
        assert_ne!(verified.status.code(), Some(0), "{}", text(&verified.stdout));
        assert!(text(&verified.stderr).contains("not trusted"), "{}", text(&verified.stderr));

        let again = keyvouch(&["emulate", "yubikey-piv", dir.to_str().unwrap()]);
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("not empty"));
        fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn a_request_among_the_evidence_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/yubikey-piv"));
    for name in ["attestation.pem", "f9.pem", "request.csr"] {
        fs::copy(example.join(name), dir.path().join(name)).unwrap();
    }
    let anchors = example.join("anchors");
    let verified =
        keyvouch(&["verify", dir.path().to_str().unwrap(), "--anchors", anchors.to_str().unwrap()]);
    assert!(text(&verified.stderr).contains("request.csr is a certification request"));
    assert!(text(&verified.stdout).contains("request.csr: the certification request holds this key"));
    assert!(verified.status.success());
}

#[test]
fn shells_have_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let made = keyvouch(&["completions", shell]);
        assert!(made.status.success() && text(&made.stdout).contains("trust-submission"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("man");
    assert!(keyvouch(&["manpage", pages.to_str().unwrap()]).status.success());
    for page in ["keyvouch.1", "keyvouch-verify.1", "keyvouch-policy-check.1"] {
        assert!(fs::read_to_string(pages.join(page)).unwrap().contains(".TH"), "{page}");
    }
}

#[test]
fn text_is_coloured_only_when_asked_or_on_a_terminal() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/yubikey-piv");
    let plain = keyvouch(&["verify", example]);
    assert!(!text(&plain.stdout).contains('\u{1b}') && !text(&plain.stderr).contains('\u{1b}'));
    let coloured = keyvouch(&["verify", example, "--color", "always"]);
    assert!(text(&coloured.stdout).contains("\u{1b}[") && text(&coloured.stderr).contains("\u{1b}["));
}
