//! A witnessed ceremony from the template to the verdict, with keys and signatures of OpenSSL, as
//! `docs/devices/witness-statement.md` tells it; and what must be refused.
//!
//! Needs openssl; without it, it says loudly that it tries nothing.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/devices/witness-statement.md");
/// When everything here is signed and judged.
const SIGNED: &str = "2026-05-20T15:00:00Z";

struct Ceremony {
    dir: tempfile::TempDir,
}

impl Ceremony {
    /// A subscriber's request, an auditor's certificate under an authority, and the statement, filled in. `None` without
    /// OpenSSL.
    fn new(kind: &str) -> Option<Self> {
        if !Command::new("openssl").arg("version").output().is_ok_and(|o| o.status.success()) {
            eprintln!("NO OPENSSL: nothing was tried");
            return None;
        }
        let ceremony = Self { dir: tempfile::tempdir().unwrap() };
        ceremony.openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout subscriber.key -subj /CN=Subscriber -out request.csr");
        ceremony.openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=Authority -days 7300 -out ca.pem",
        );
        ceremony.openssl(&format!(
            "req -new -newkey {kind} -nodes -keyout auditor.key -subj /O=Audit/CN=Erika -out auditor.csr"
        ));
        std::fs::write(
            ceremony.path("extensions"),
            "keyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n",
        )
        .unwrap();
        ceremony.openssl("x509 -req -in auditor.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile extensions -out auditor.pem");
        let printed = ceremony.keyvouch("witness template --request request.csr --device Model");
        let mut said: Value = serde_json::from_slice(&printed.stdout).unwrap();
        said["ceremony"] =
            json!({ "started": "2026-05-20T09:00:00Z", "ended": "2026-05-20T11:00:00Z", "report": "R-1" });
        said["witnesses"] = json!([{ "name": "Erika", "role": "auditor" }]);
        said["device"] =
            json!({ "vendor": "Maker", "model": "Model", "serial": "1", "firmware": "1.0", "class": "hsm" });
        for member in ["label", "created_at"] {
            said["key"].as_object_mut().unwrap().remove(member);
        }
        said["key"]["generated_in_device"] = true.into();
        said["key"]["exportable"] = "never".into();
        said["key"]["ever_exportable"] = false.into();
        said["key"]["purposes"] = json!(["sign"]);
        for member in ["subscriber", "remarks"] {
            said.as_object_mut().unwrap().remove(member);
        }
        std::fs::write(ceremony.path("statement.json"), format!("{said:#}\r\n")).unwrap();
        Some(ceremony)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, program: &Path, words: &str) -> Output {
        Command::new(program).args(words.split(' ')).current_dir(self.dir.path()).output().unwrap()
    }

    fn openssl(&self, words: &str) {
        let output = self.run(Path::new("openssl"), words);
        assert!(output.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn keyvouch(&self, words: &str) -> Output {
        self.run(Path::new(env!("CARGO_BIN_EXE_keyvouch")), words)
    }

    /// Signs as the command line says, and succeeds.
    fn sign(&self, words: &str) {
        let output = self.keyvouch(&format!("witness sign statement.json --certificate auditor.pem {words}"));
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Authenticity, route and the failed checks of the only appraisal.
    fn judged(&self, files: &str, auditors: &str, at: &str) -> (String, String, Vec<String>) {
        let words = format!(
            "witness verify {files} --request request.csr --auditors {auditors} --at {at} --output json"
        );
        let output = self.keyvouch(&words);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{words}: {}", String::from_utf8_lossy(&output.stderr)));
        let [appraisal] = report["appraisals"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let failed = appraisal["checks"].as_array().unwrap().iter().filter(|c| c["outcome"] == "fail");
        (
            text(&appraisal["authenticity"]),
            text(&appraisal["route"]),
            failed.map(|c| text(&c["id"])).collect(),
        )
    }

    #[track_caller]
    fn stands(&self, files: &str, at: &str) {
        let expected = ("not-attestable".to_owned(), "witness-statement".to_owned(), Vec::new());
        assert_eq!(self.judged(files, "ca.pem", at), expected, "{files}");
    }
}

/// OpenSSL's certificates begin today, which is after the signing time of the page's examples.
fn now(ceremony: &Ceremony) -> String {
    let output =
        ceremony.run(Path::new("openssl"), "x509 -in auditor.pem -noout -startdate -dateopt iso_8601");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().strip_prefix("notBefore=").unwrap().replace(' ', "T")
}

#[test]
fn a_ceremony_with_keys_of_openssl() {
    for kind in ["ec -pkeyopt ec_paramgen_curve:P-384", "rsa:3072", "ed25519"] {
        let Some(ceremony) = Ceremony::new(kind) else { return };
        let time = now(&ceremony);
        for form in ["cms", "cms-detached", "jws", "jws-json"] {
            ceremony.sign(&format!("--key auditor.key --form {form} --time {time} --out by-{form}"));
        }
        ceremony.stands("by-cms", "now");
        ceremony.stands("statement.json by-cms-detached", "now");
        ceremony.stands("by-jws", "now");
        ceremony.stands("by-jws-json", "now");
        // What OpenSSL does with Ed25519 in CMS hangs on its version.
        if kind == "ed25519" {
            refused(&ceremony, &time);
            continue;
        }
        ceremony.openssl("cms -verify -binary -inform PEM -in by-cms -CAfile ca.pem -out read.json");
        let read = std::fs::read(ceremony.path("read.json")).unwrap();
        assert_eq!(read, std::fs::read(ceremony.path("statement.json")).unwrap());
        openssl_signs(&ceremony);
        elsewhere(&ceremony, &time, if kind.starts_with("ec") { "-sha384" } else { "-sha256" });
        refused(&ceremony, &time);
    }
}

fn openssl_signs(ceremony: &Ceremony) {
    let documented = "openssl cms -sign -binary -md sha256 -in statement.json -signer auditor.pem -inkey auditor.key -certfile issuing-ca.pem -outform PEM -out statement.p7s";
    assert!(PAGE.contains(documented));
    let command = documented.replace("openssl ", "").replace(" -certfile issuing-ca.pem", "");
    // OpenSSL wants the digest of an ECDSA signature and of the content to be one, as keyvouch does.
    ceremony.openssl(&command);
    ceremony.stands("statement.json statement.p7s", "now");
    ceremony
        .openssl(&command.replace("-binary", "-binary -nodetach").replace("statement.p7s", "statement.p7m"));
    ceremony.stands("statement.p7m", "now");
}

/// The key is somewhere else: the bytes go out, the signature comes in.
fn elsewhere(ceremony: &Ceremony, time: &str, digest: &str) {
    for (form, files) in [("cms-detached", "statement.json elsewhere"), ("jws", "elsewhere")] {
        for name in ["tbs.bin", "signature.bin", "elsewhere"] {
            let _ = std::fs::remove_file(ceremony.path(name));
        }
        ceremony.sign(&format!("--form {form} --time {time} --to-be-signed tbs.bin"));
        ceremony.openssl(&format!("dgst {digest} -sign auditor.key -out signature.bin tbs.bin"));
        ceremony.sign(&format!("--form {form} --time {time} --signature signature.bin --out elsewhere"));
        ceremony.stands(files, "now");
    }
}

fn refused(ceremony: &Ceremony, time: &str) {
    let judged = |files: &str, auditors: &str, at: &str| ceremony.judged(files, auditors, at);
    let is = |authenticity: &str, id: &str| (authenticity.to_owned(), "none".to_owned(), vec![id.to_owned()]);
    ceremony.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout other.key -subj /CN=Other -days 3650 -out other.pem",
    );
    assert_eq!(judged("by-cms", "other.pem", "now"), is("undecided", "signer-untrusted"));
    assert_eq!(judged("statement.json", "ca.pem", "now"), is("undecided", "statement-unsigned"));
    let early = judged("by-cms", "ca.pem", SIGNED);
    assert_eq!(
        (early.0.as_str(), early.2.first().map(String::as_str)),
        ("not-authentic", Some("signing-time"))
    );
    let said = std::fs::read_to_string(ceremony.path("statement.json")).unwrap();
    std::fs::write(ceremony.path("other.json"), said.replace("\"never\"", "\"vendor-boundary\"")).unwrap();
    assert_eq!(
        judged("other.json by-cms-detached", "ca.pem", "now"),
        is("not-authentic", "signature-invalid")
    );
    // Another key than the certificate's signs nothing, and no output holds anything of a key.
    for key in ["other.key", "subscriber.key", "statement.json", "auditor.pem"] {
        let words = format!(
            "witness sign statement.json --certificate auditor.pem --key {key} --time {time} --out none"
        );
        let output = ceremony.keyvouch(&words);
        assert_eq!(output.status.code(), Some(2), "{key}");
        assert!(output.stdout.is_empty() && !ceremony.path("none").exists());
        let told = String::from_utf8(output.stderr).unwrap();
        let secret = std::fs::read_to_string(ceremony.path(key)).unwrap();
        assert!(
            secret
                .lines()
                .filter(|line| line.len() > 30 && !line.starts_with("---"))
                .all(|line| !told.contains(line))
        );
    }
    // The template, as it is.
    let template = ceremony.keyvouch("witness template --request request.csr").stdout;
    std::fs::write(ceremony.path("unread.json"), template).unwrap();
    let output =
        ceremony.keyvouch("witness sign unread.json --certificate auditor.pem --key auditor.key --out none");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not filled in"), "{output:?}");
}
