//! `keyvouch provider` against services on this machine: from the envelope to the record, and no credential anywhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use keyvouch_emulator::aws::{KmsKey, NONCE};
use keyvouch_emulator::azure_key_vault::VaultKey;
use keyvouch_emulator::key::KeyKind;
use serde_json::Value;

const ACCESS_KEY: &str = "ASIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "emulated/session+token==";
const BEARER: &str = "eyJ0.emulated-bearer-token.sig";

/// A service that gives these answers, one after another.
fn serve(answers: Vec<(u16, &'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (status, media_type, body) in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

fn keyvouch(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyvouch"))
        .args(args)
        .current_dir(folder)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("AZURE_ACCESS_TOKEN", BEARER)
        .output()
        .unwrap()
}

/// Everything that was printed or written, but for the files named.
fn everything(folder: &Path, outputs: &[&Output], but: &[&str]) -> String {
    let mut all = String::new();
    for output in outputs {
        all += &String::from_utf8_lossy(&output.stdout);
        all += &String::from_utf8_lossy(&output.stderr);
    }
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                open.push(path);
            } else if !but.contains(&name.as_str()) {
                all += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
            }
        }
    }
    all
}

fn status(output: &Output) -> i32 {
    let code = output.status.code().unwrap();
    assert!(code != 2, "{}", String::from_utf8_lossy(&output.stderr));
    code
}

#[test]
fn kms_from_the_envelope_to_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let key = KmsKey::new(KeyKind::Rsa3072).unwrap();
    std::fs::write(at.join("request.csr"), key.csr().unwrap().bytes).unwrap();
    let media = "application/x-amz-json-1.1";
    let answers = |key: &KmsKey| -> Vec<(u16, &'static str, String)> {
        key.answers().into_iter().map(|f| (200, media, String::from_utf8(f.bytes).unwrap())).collect()
    };
    let nonce = keyvouch(at, &["provider", "nonce", "--ca", "Example CA", "--request", "request.csr"]);
    let nonce = String::from_utf8(nonce.stdout).unwrap().trim().to_owned();
    assert_eq!(nonce.len(), 64);
    let prepared = keyvouch(at, &["provider", "aws-kms", "prepare", "--key", &key.arn, "--nonce", &nonce]);
    assert_eq!(status(&prepared), 0);
    let envelope = std::fs::read_to_string(at.join("envelope.json")).unwrap();
    let parsed: Value = serde_json::from_str(&envelope).unwrap();
    let authorization = parsed["requests"][0]["headers"]["authorization"].as_str().unwrap();
    let signature = authorization.rsplit_once('=').unwrap().1.to_owned();

    let url = serve(answers(&key));
    let check = |url: &str, record: &str, nonce: &str| {
        keyvouch(
            at,
            &[
                "provider",
                "aws-kms",
                "check",
                "envelope.json",
                "--nonce",
                nonce,
                "--request",
                "request.csr",
                "--record",
                record,
                "--endpoint",
                url,
            ],
        )
    };
    let accepted = check(&url, "order-1", &nonce);
    let text = String::from_utf8_lossy(&accepted.stdout).into_owned();
    assert_eq!(status(&accepted), 0, "{text}");
    assert!(text.contains("which is no attestation"), "{text}");
    assert!(text.contains("No attestation\n"), "{text}");
    // Sent once; another order's nonce; both without a record.
    let again = check(&url, "order-2", &nonce);
    assert!(String::from_utf8_lossy(&again.stderr).contains("it was sent before"));
    let other = check(&url, "order-3", NONCE);
    assert!(String::from_utf8_lossy(&other.stderr).contains("[nonce]"));
    assert_eq!((status(&again), status(&other)), (1, 1));
    assert!(!at.join("order-2").exists() && !at.join("order-3").exists());
    // The record is judged again as it was.
    let command = text.lines().rev().find(|l| l.contains("keyvouch verify")).unwrap();
    let args: Vec<&str> = command.split_whitespace().skip(1).collect();
    let judged = keyvouch(at, &args);
    assert_eq!(status(&judged), 0, "{}", String::from_utf8_lossy(&judged.stdout));
    // Under a policy of attestation the same record is refused.
    let mut strict = args.clone();
    strict.extend(["--policy", "cabf-code-signing"]);
    let refused = keyvouch(at, &strict);
    assert_eq!(status(&refused), 1);

    // With credentials of the CA's own, a key that was imported.
    let mut imported = key.clone();
    imported.metadata["Origin"] = "EXTERNAL".into();
    let url = serve(answers(&imported));
    let fetch = keyvouch(
        at,
        &[
            "provider",
            "aws-kms",
            "fetch",
            "--key",
            &key.arn,
            "--request",
            "request.csr",
            "--record",
            "order-4",
            "--endpoint",
            &url,
        ],
    );
    assert_eq!(status(&fetch), 1);
    assert!(String::from_utf8_lossy(&fetch.stdout).contains("[imported]"));
    // AWS refuses, and says more than it should.
    let says = format!(r#"{{"__type":"AccessDeniedException","message":"{TOKEN} {SECRET}"}}"#);
    let url = serve(vec![(400, media, says)]);
    let denied = keyvouch(
        at,
        &["provider", "aws-kms", "fetch", "--key", &key.arn, "--record", "order-5", "--endpoint", &url],
    );
    assert_eq!(status(&denied), 1);
    assert!(String::from_utf8_lossy(&denied.stderr).contains("kms:DescribeKey"));

    let outputs = [&prepared, &accepted, &again, &other, &judged, &refused, &fetch, &denied];
    let all = everything(at, &outputs, &["envelope.json"]);
    for secret in [SECRET, TOKEN, signature.as_str()] {
        assert!(!all.contains(secret), "a credential came out: {secret}");
    }
    assert!(all.contains(ACCESS_KEY), "the record names the signer");
    assert!(!envelope.contains(SECRET), "the envelope has no secret key");
    for look in ["inspect", "verify"] {
        let shown = keyvouch(at, &[look, "envelope.json"]);
        let shown = everything(&at.join("order-1"), &[&shown], &[]);
        assert!(!shown.contains(TOKEN) && !shown.contains(&signature), "{look}");
    }
}

#[test]
fn a_vault_from_the_question_to_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let key = VaultKey::premium(KeyKind::Rsa3072).unwrap();
    let kid = key.bundle["key"]["kid"].as_str().unwrap().to_owned();
    std::fs::write(at.join("request.csr"), key.csr().unwrap().bytes).unwrap();
    let fetch = |answer: (u16, &'static str, String), record: &str, policy: &str| {
        let url = serve(vec![answer]);
        keyvouch(
            at,
            &[
                "provider",
                "azure-key-vault",
                "fetch",
                "--key",
                &kid,
                "--request",
                "request.csr",
                "--record",
                record,
                "--endpoint",
                &url,
                "--policy",
                policy,
            ],
        )
    };
    // What the operator knows beside it, and says in a policy of his own.
    let own = r#"
        @title("Keys in vaults whose creation was witnessed on paper")
        @route("provider-statement")
        permit (principal, action, resource);
        @id("stays") @severity("must") @reason("The key can leave the vault.")
        forbid (principal, action, resource) unless {
          context.key has exportable && context.key.exportable == "vendor-boundary"
        };"#;
    std::fs::write(at.join("own.cedar"), own).unwrap();
    let good = || (200, "application/json; charset=utf-8", key.bundle.to_string());
    let accepted = fetch(good(), "order-1", "own.cedar");
    let open = fetch(good(), "order-2", "cabf-code-signing-provider-report");
    let strict = fetch(good(), "order-3", "hardware-key");
    let mut software = key.bundle.clone();
    software["key"]["kty"] = "RSA".into();
    let software = (200, "application/json", software.to_string());
    let refused = fetch(software, "order-4", "own.cedar");
    let says = format!(r#"{{"error":{{"code":"Forbidden","message":"{BEARER}"}}}}"#);
    let denied = fetch((403, "application/json", says), "order-5", "own.cedar");
    let outputs = [&accepted, &open, &strict, &refused, &denied];
    assert_eq!(outputs.map(status), [0, 3, 1, 1, 1], "{}", String::from_utf8_lossy(&accepted.stdout));
    assert!(!everything(at, &outputs, &[]).contains(BEARER));
    assert!(String::from_utf8_lossy(&denied.stderr).contains("Key Vault Reader"));
}
