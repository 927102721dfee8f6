//! AWS KMS as the Python package moto emulates it, over HTTP on this machine, with envelopes that botocore signed.
//!
//! The packages are installed from PyPI into a folder of the build. Where that is not possible the test says loudly that
//! it did nothing. (moto does not check signatures; that ours are AWS's is compared with botocore's.)

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use keyvouch::appraisal::Appraisal;
use keyvouch::provider::aws_kms::Ready;
use keyvouch::{
    Authenticity, Binding, ClaimName, File, Reference, Route, Submission, Time, Verdict, Verifier,
};
use keyvouch_policy::{Policy, Settings, judge};
use keyvouch_provider::aws_kms::{Credentials, nonce, prepare, send};
use keyvouch_provider::{Client, Endpoint, Secret};
use serde_json::Value;

const PACKAGES: [&str; 3] = ["moto[server,kms]==5.2.1", "boto3>=1.40,<2", "cryptography>=42"];
const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Starts the emulator on a free port, says which, and makes keys, with a certification request for each.
const EMULATE: &str = r#"
import base64, hashlib, json, sys, boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
kms = boto3.client("kms", region_name="eu-west-1", endpoint_url=url)
from cryptography import x509
from cryptography.hazmat.primitives import serialization, hashes
def tlv(tag, *parts):
    body = b"".join(parts); n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + body
def csr(key_id, algorithm, oid):
    spki = kms.get_public_key(KeyId=key_id)["PublicKey"]
    info = tlv(0x30, b"\x02\x01\x00", b"\x30\x00", spki, b"\xa0\x00")
    signature = kms.sign(KeyId=key_id, Message=info, MessageType="RAW", SigningAlgorithm=algorithm)["Signature"]
    return tlv(0x30, info, tlv(0x30, oid), tlv(3, b"\x00", signature))
rsa = bytes.fromhex("06092a864886f70d01010b0500"); ec = bytes.fromhex("06082a8648ce3d040302")
keys = {}
for name, spec, usage, algorithm, oid in [
    ("rsa", "RSA_3072", "SIGN_VERIFY", "RSASSA_PKCS1_V1_5_SHA_256", rsa),
    ("ec", "ECC_NIST_P256", "SIGN_VERIFY", "ECDSA_SHA_256", ec),
    ("encrypt", "RSA_3072", "ENCRYPT_DECRYPT", None, None),
]:
    made = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    keys[name] = {"arn": made["Arn"], "csr": base64.b64encode(csr(made["KeyId"], algorithm, oid)).decode() if algorithm else None}
print(json.dumps({"url": url, "keys": keys}), flush=True)
sys.stdin.read()
"#;

struct Emulator {
    process: Child,
    python: PathBuf,
    said: Value,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    /// None where it cannot be had.
    fn start() -> Option<Self> {
        let python = install()?;
        let mut process = Command::new(&python)
            .args(["-c", EMULATE])
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut line).ok()?;
        match serde_json::from_str(&line) {
            Ok(said) => Some(Self { process, python, said }),
            Err(_) => {
                let _ = process.kill();
                let _ = process.wait();
                None
            }
        }
    }

    /// moto calls its JSON text/html, and names the key of GetPublicKey by its id where KMS gives the ARN. What asks and
    /// judges is strict about both, and stays so: they are put right on the way.
    fn endpoint(&self) -> Endpoint {
        let behind = self.said["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let (mut request, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = n.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        request += "Connection: close\r\n\r\n";
                        break;
                    }
                    request += &line;
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let mut moto = TcpStream::connect(&behind).unwrap();
                moto.write_all(request.as_bytes()).unwrap();
                moto.write_all(&body).unwrap();
                let mut answer = String::new();
                moto.read_to_string(&mut answer).unwrap();
                let (head, text) = answer.split_once("\r\n\r\n").unwrap();
                let mut answer: Value = serde_json::from_str(text).unwrap();
                if answer.get("PublicKey").is_some() {
                    let asked: Value = serde_json::from_slice(&body).unwrap();
                    answer["KeyId"] = asked["KeyId"].clone();
                }
                let (status, text) = (head.lines().next().unwrap(), answer.to_string());
                let head = format!(
                    "{status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}",
                    text.len()
                );
                let answer = format!("{head}\r\nConnection: close\r\n\r\n{text}");
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        Endpoint::parse(&url).unwrap()
    }

    fn arn(&self, key: &str) -> String {
        self.said["keys"][key]["arn"].as_str().unwrap().to_owned()
    }

    fn csr(&self, key: &str) -> Option<File> {
        self.said["keys"][key]["csr"].as_str().map(|text| File::new("request.csr", text.as_bytes()))
    }

    /// An envelope of the script that subscribers are given.
    fn envelope(&self, arn: &str, nonce: &[u8]) -> Vec<u8> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/devices/aws-kms-envelope.py");
        let text: String = nonce.iter().map(|b| format!("{b:02x}")).collect();
        let made = Command::new(&self.python)
            .arg(script)
            .args([arn, &text])
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        made.stdout
    }
}

/// A Python with the packages, in a folder of the build.
fn install() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto");
    let python = folder.join("bin/python");
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    let import = ["-c", "import moto.server, boto3, cryptography"];
    if !quiet(Command::new(&python).args(import)) {
        let made = quiet(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            && quiet(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))
            && quiet(Command::new(&python).args(import));
        if !made {
            return None;
        }
    }
    Some(python)
}

fn now() -> Time {
    Time::from_unix(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap())
}

fn appraise(evidence: Vec<File>, csr: Option<File>, nonce: &[u8], policy: &str) -> (Appraisal, Verdict) {
    let mut submission = Submission::new(evidence, now());
    let bound = csr.is_some();
    submission.request = csr;
    submission.nonce = Some(nonce.to_vec());
    submission.options.set("provider_fetched", true);
    let mut report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
    judge(&mut report, &[Policy::builtin(policy).unwrap()], bound, &Settings::default());
    let verdict = report.verdict.unwrap();
    assert_eq!(report.appraisals.len(), 1);
    (report.appraisals.remove(0), verdict)
}

#[test]
fn kms_answers_envelopes_of_boto3_and_of_our_own() {
    let Some(emulator) = Emulator::start() else {
        eprintln!(
            "\n*** NO KMS EMULATOR: python3 with moto and boto3 could not be had. Nothing was checked against it. ***\n"
        );
        return;
    };
    let client = Client::default();
    let credentials = Credentials {
        access_key_id: ACCESS_KEY.into(),
        secret_access_key: Secret::new(SECRET),
        session_token: None,
    };
    for (name, algorithm, verdict) in [
        ("rsa", "RSA-3072", Verdict::AcceptWithFindings),
        ("ec", "EC-P256", Verdict::AcceptWithFindings),
        ("encrypt", "RSA-3072", Verdict::Refuse),
    ] {
        let arn = emulator.arn(name);
        let nonce = nonce("Example CA", name.as_bytes()).unwrap();
        let boto = emulator.envelope(&arn, &nonce);
        let text = String::from_utf8(boto.clone()).unwrap();
        let signed: Value = serde_json::from_str(&text).unwrap();
        // The same second, the same key: the same signature.
        let date = signed["requests"][0]["headers"]["X-Amz-Date"].as_str().unwrap();
        let at = format!(
            "{}-{}-{}T{}:{}:{}Z",
            &date[..4],
            &date[4..6],
            &date[6..8],
            &date[9..11],
            &date[11..13],
            &date[13..15]
        );
        let own = prepare(&credentials, &arn, &nonce, at.parse().unwrap()).unwrap();
        for envelope in [boto, own.into_bytes()] {
            let ready = Ready::judge(&envelope, &nonce, now()).unwrap();
            let exchange = send(&client, &ready, Some(&emulator.endpoint()), now()).unwrap();
            let mut evidence = exchange.answers;
            evidence.push(File::new("envelope.json", envelope));
            let report = "cabf-code-signing-provider-report";
            let (appraisal, found) = appraise(evidence.clone(), emulator.csr(name), &nonce, report);
            assert_eq!(found, verdict, "{:#?}", appraisal.checks);
            assert_eq!(appraisal.authenticity, Authenticity::NotAttestable);
            assert_eq!(appraisal.route, Route::ProviderStatement);
            assert_eq!(appraisal.claims.text(ClaimName::KeyAlgorithm), Some(algorithm));
            let bound = if emulator.csr(name).is_some() { Binding::Csr } else { Binding::None };
            assert_eq!(appraisal.binding, bound);
            for other in ["hardware-key", "cabf-code-signing"] {
                let (_, refused) = appraise(evidence.clone(), emulator.csr(name), &nonce, other);
                assert_eq!(refused, Verdict::Refuse, "{other}");
            }
            // Another order's nonce is not answered.
            assert!(Ready::judge(&evidence[2].bytes, &[0; 16], now()).is_err());
        }
    }
    // A key that is not there.
    let arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000";
    let nonce = nonce("Example CA", b"none").unwrap();
    let envelope = prepare(&credentials, arn, &nonce, now()).unwrap();
    let ready = Ready::judge(envelope.as_bytes(), &nonce, now()).unwrap();
    let refused = send(&client, &ready, Some(&emulator.endpoint()), now()).unwrap_err().to_string();
    assert!(refused.contains("NotFoundException"), "{refused}");
}
