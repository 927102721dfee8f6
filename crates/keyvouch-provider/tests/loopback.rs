//! Providers on this machine: what is sent, which answers count, and that nothing secret comes out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyvouch::provider::aws_kms::Ready;
use keyvouch::{Reference, Route, Submission, Time, Verifier};
use keyvouch_emulator::aws::{KmsKey, NONCE, Request, Signer, envelope};
use keyvouch_emulator::azure_key_vault::VaultKey;
use keyvouch_emulator::key::KeyKind;
use keyvouch_provider::aws_kms::{Credentials, prepare, send};
use keyvouch_provider::{Client, Endpoint, Error, Exchange, Secret, Spent, azure_key_vault};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "emulated/session+token==";
const BEARER: &str = "eyJ0.emulated-bearer-token.sig";
/// In what a server says, and nowhere else.
const CHATTER: &str = "arn:aws:iam::111122223333:user/somebody-private";

/// A server that answers each request with the next of these texts, and keeps what it was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((stream, _)) = listener.accept() else { return };
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut text, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                        break;
                    }
                    if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = n.trim().parse().unwrap();
                    }
                    text += &line;
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                text += &String::from_utf8(body).unwrap();
                seen.lock().unwrap().push(text);
                if !answer.is_empty() {
                    let _ = { stream }.write_all(answer.as_bytes());
                } else {
                    std::thread::sleep(Duration::from_secs(3));
                }
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&self.url).unwrap()
    }
}

fn http(status: &str, media_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\nx-amzn-RequestId: 0a1b2c-1\r\nx-ms-request-id: 0a1b2c-1\r\n\r\n{body}",
        body.len()
    )
}

fn json(body: &str) -> String {
    http("200 OK", "application/x-amz-json-1.1", body)
}

fn now() -> Time {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn nonce() -> Vec<u8> {
    (0..NONCE.len()).step_by(2).map(|at| u8::from_str_radix(&NONCE[at..at + 2], 16).unwrap()).collect()
}

fn credentials() -> Credentials {
    Credentials {
        access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
        secret_access_key: Secret::new(SECRET),
        session_token: Some(Secret::new(TOKEN)),
    }
}

fn key() -> KmsKey {
    KmsKey::new(KeyKind::Rsa3072).unwrap()
}

fn ready(key: &KmsKey) -> Ready {
    let text = prepare(&credentials(), &key.arn, &nonce(), now()).unwrap();
    Ready::judge(text.as_bytes(), &nonce(), now()).unwrap()
}

fn answers(key: &KmsKey) -> Vec<String> {
    key.answers().iter().map(|f| json(std::str::from_utf8(&f.bytes).unwrap())).collect()
}

fn sent(answers: Vec<String>) -> (Result<Exchange, Error>, Server) {
    let server = Server::new(answers);
    let client = Client::default().with_timeout(Duration::from_secs(2));
    (send(&client, &ready(&key()), Some(&server.endpoint()), now()), server)
}

/// What is said of an error, in every way that a program can say it.
fn words(error: &Error) -> String {
    format!("{error} {error:?}")
}

#[test]
fn the_subscribers_signature_is_that_of_another_implementation() {
    let key = key();
    let text = prepare(&credentials(), &key.arn, &nonce(), now()).unwrap();
    let made: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (number, operation) in ["DescribeKey", "GetPublicKey"].into_iter().enumerate() {
        let request = Request::new(operation, &key.region, &key.arn, NONCE, "20260601T000000Z");
        let other = request.sign(&Signer::temporary());
        assert_eq!(made["requests"][number]["headers"]["authorization"], other["headers"]["Authorization"]);
    }
    let signed: Vec<_> =
        key.requests(NONCE, "20260601T000000Z").iter().map(|r| r.sign(&Signer::temporary())).collect();
    let other = envelope(NONCE, &signed).to_string();
    assert!(Ready::judge(other.as_bytes(), &nonce(), now()).is_ok());
    assert!(!text.contains(SECRET));
    assert!(matches!(prepare(&credentials(), "alias/x", &nonce(), now()), Err(Error::NotAnArn)));
    assert!(matches!(prepare(&credentials(), &key.arn, &[1; 8], now()), Err(Error::BadNonce)));
}

#[test]
fn kms_is_asked_as_signed_and_its_answers_are_judged() {
    let key = key();
    let (exchange, server) = sent(answers(&key));
    let exchange = exchange.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for (text, operation) in asked.iter().zip(["DescribeKey", "GetPublicKey"]) {
        assert!(text.starts_with("POST / HTTP/1.1\r\n"), "{text}");
        let lower = text.to_ascii_lowercase();
        assert!(lower.contains("host: kms.eu-west-1.amazonaws.com\r\n"), "{text}");
        assert!(lower.contains("content-type: application/x-amz-json-1.1\r\n"), "{text}");
        assert_eq!(lower.matches("\r\nhost:").count(), 1);
        assert!(text.contains(&format!("TrentService.{operation}")), "{text}");
        assert!(text.ends_with(&serde_json::json!({ "KeyId": key.arn }).to_string()));
    }
    let record = exchange.record.to_string();
    assert!(record.contains("0a1b2c-1") && record.contains(&server.url), "{record}");
    for secret in [SECRET, TOKEN, ready(&key).signatures()[0].as_str()] {
        assert!(!record.contains(secret) && !format!("{exchange:?}").contains(secret));
    }
    let mut submission = Submission::new(exchange.answers, now());
    submission.request = Some(keyvouch::File::new("csr", key.csr().unwrap().bytes));
    submission.options.set("provider_fetched", true);
    let report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
    assert_eq!(report.appraisals[0].route, Route::ProviderStatement);
}

#[test]
fn answers_that_do_not_count() {
    let body = String::from_utf8(key().answers()[0].bytes.clone()).unwrap();
    let denied = format!(
        r#"{{"__type":"com.amazonaws.kms#AccessDeniedException","message":"User {CHATTER} with {TOKEN}"}}"#
    );
    let elsewhere = Server::new(vec![json(&body), json(&body)]);
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n",
        elsewhere.url
    );
    for (answer, says) in [
        (redirect, "HTTP 307"),
        (http("400 Bad Request", "application/x-amz-json-1.1", &denied), "kms:DescribeKey"),
        (http("200 OK", "text/html", &body), "not JSON of KMS"),
        (http("204 No Content", "application/x-amz-json-1.1", ""), "HTTP 204"),
        (json(&" ".repeat(70_000)), "larger than any answer"),
        ("HTTP/9 nonsense\r\n\r\n".to_owned(), "no answer from"),
        (String::new(), "it took too long"),
    ] {
        let (found, _server) = sent(vec![answer]);
        let said = words(&found.unwrap_err());
        assert!(said.contains(says), "{said}");
        for secret in [SECRET, TOKEN, CHATTER, "Signature="] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    assert_eq!(elsewhere.asked().len(), 0, "a redirect was followed");
}

#[test]
fn an_envelope_is_sent_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spent.txt");
    let ready = ready(&key());
    Spent::in_file(&path).spend(ready.signatures()).unwrap();
    assert!(matches!(Spent::in_file(&path).spend(ready.signatures()), Err(Error::Spent)));
    let one = [ready.signatures()[1].clone()];
    assert!(matches!(Spent::in_file(&path).spend(&one), Err(Error::Spent)));
    assert!(Spent::in_file(&path).spend(&["0".repeat(64)]).is_ok());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&ready.signatures()[0]));
    assert!(matches!(Spent::in_file(folder.path()).spend(&one), Err(Error::Memory(_))));
}

#[test]
fn a_vault_is_asked_with_the_operators_token() {
    let key = VaultKey::premium(KeyKind::P256).unwrap();
    let kid = key.bundle["key"]["kid"].as_str().unwrap().to_owned();
    let body = key.bundle.to_string();
    let media = "application/json; charset=utf-8";
    let token = Secret::new(BEARER);
    let ask = |answer: String| {
        let server = Server::new(vec![answer]);
        let found = azure_key_vault::fetch(&Client::default(), &kid, &token, Some(&server.endpoint()), now());
        (found, server.asked())
    };
    let (exchange, asked) = ask(http("200 OK", media, &body));
    let exchange = exchange.unwrap();
    let asked = &asked[0];
    assert!(
        asked.starts_with(
            "GET /keys/code-signing/0123456789abcdef0123456789abcdef?api-version=7.4 HTTP/1.1\r\n"
        )
    );
    assert!(asked.contains(&format!("Bearer {BEARER}")));
    assert!(asked.to_ascii_lowercase().contains("host: emulated-vault.vault.azure.net\r\n"));
    assert!(!exchange.record.to_string().contains(BEARER) && !format!("{exchange:?}").contains(BEARER));
    assert!(!format!("{token:?}").contains(BEARER));
    let mut other = key.bundle.clone();
    other["key"]["kid"] = kid.replace("code-signing", "other").into();
    let forbidden = format!(r#"{{"error":{{"code":"Forbidden","message":"{CHATTER} {BEARER}"}}}}"#);
    for (answer, says) in [
        (http("403 Forbidden", media, &forbidden), "Key Vault Reader"),
        (http("200 OK", "text/html", &body), "it is not JSON"),
        (http("200 OK", media, &other.to_string()), "about another key"),
        (http("200 OK", media, "{}"), "about another key"),
    ] {
        let said = words(&ask(answer).0.unwrap_err());
        assert!(said.contains(says), "{said}");
        assert!(!said.contains(BEARER) && !said.contains(CHATTER), "{said}");
    }
    // Where the question goes is never somewhere else.
    for wrong in [
        "https://evil.example/keys/k/0123456789abcdef0123456789abcdef",
        "https://a.vault.azure.net/secrets/x/y",
    ] {
        let found = azure_key_vault::fetch(&Client::default(), wrong, &token, None, now());
        assert!(matches!(found, Err(Error::NotAKid(_))));
    }
}
