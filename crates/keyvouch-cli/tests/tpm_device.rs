//! A TPM in software (swtpm), the commands of `docs/devices/tpm-ek.md`, and what must be refused.
//!
//! Needs swtpm, swtpm_setup, tpm2-tools, tpm2-openssl and bash; without them it says loudly that it tries nothing.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/devices/tpm-ek.md");

/// Two neighbouring ports for each TPM, which nothing else is likely to use.
const PORTS: [u16; 2] = [28_421, 28_431];

fn is_there(program: &str) -> bool {
    Command::new("bash")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .is_ok_and(|o| o.status.success())
}

fn has_everything() -> bool {
    let programs = ["swtpm", "swtpm_setup", "swtpm_localca", "tpm2_activatecredential", "openssl"];
    let missing: Vec<&str> = programs.into_iter().filter(|p| !is_there(p)).collect();
    // The provider itself cannot be asked: it does not load without a TPM.
    let provider = || {
        let script = r#"test -e "$(openssl version -m | sed 's/.*"\(.*\)".*/\1/')/tpm2.so""#;
        Command::new("bash").args(["-c", script]).status().is_ok_and(|status| status.success())
    };
    if missing.is_empty() && provider() {
        return true;
    }
    eprintln!(
        "NO TPM IN SOFTWARE: {missing:?} or the tpm2 provider of OpenSSL is missing; nothing was tried"
    );
    false
}

/// A TPM with EK certificates of an authority of its own.
struct Tpm {
    dir: PathBuf,
    port: u16,
}

impl Tpm {
    fn start(dir: &Path, port: u16) -> Self {
        let tpm = Self { dir: dir.to_owned(), port };
        std::fs::create_dir_all(dir).unwrap();
        tpm.run(
            r#"mkdir -p tpm ca
printf 'create_certs_tool = %s\ncreate_certs_tool_config = %s/localca.conf\ncreate_certs_tool_options = %s/localca.options\nactive_pcr_banks = sha256\n' "$(command -v swtpm_localca)" "$PWD" "$PWD" > setup.conf
printf 'statedir = %s/ca\nsigningkey = %s/ca/signkey.pem\nissuercert = %s/ca/issuercert.pem\ncertserial = %s/ca/certserial\n' "$PWD" "$PWD" "$PWD" "$PWD" > localca.conf
printf -- '--platform-manufacturer Example\n--platform-version 1\n--platform-model Example\n' > localca.options
swtpm_setup --tpm2 --tpm-state dir://$PWD/tpm --config $PWD/setup.conf --create-ek-cert --lock-nvram --overwrite
swtpm socket --tpm2 --tpmstate dir=$PWD/tpm --server type=tcp,port=$PORT --ctrl type=tcp,port=$((PORT+1)) --flags not-need-init,startup-clear --daemon --pid file=$PWD/swtpm.pid
f"#,
        );
        tpm
    }

    fn shell(&self, script: &str) -> Output {
        let keyvouch = Path::new(env!("CARGO_BIN_EXE_keyvouch")).parent().unwrap();
        let head = "set -eu\nf() { tpm2_flushcontext -t; tpm2_flushcontext -l; tpm2_flushcontext -s; }\n";
        let tcti = format!("swtpm:port={}", self.port);
        Command::new("bash")
            .args(["-c", &format!("{head}{script}")])
            .current_dir(&self.dir)
            .env("PATH", format!("{}:{}", keyvouch.display(), std::env::var("PATH").unwrap()))
            .env("PORT", self.port.to_string())
            .env("TPM2TOOLS_TCTI", &tcti)
            .env("TPM2OPENSSL_TCTI", &tcti)
            .output()
            .unwrap()
    }

    #[track_caller]
    fn run(&self, script: &str) -> String {
        let output = self.shell(script);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{}\n{text}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// It must fail: the TPM or keyvouch refuses.
    #[track_caller]
    fn refuses(&self, script: &str) {
        let output = self.shell(script);
        assert!(!output.status.success(), "not refused: {script}");
        self.run("f");
    }

    /// The appraisal of evidence: authenticity and failed checks.
    #[track_caller]
    fn verify(&self, args: &str) -> (String, Vec<String>) {
        let anchors = "--anchors ca/swtpm-localca-rootca-cert.pem --anchors ca/issuercert.pem";
        let output = self.shell(&format!("keyvouch verify --output json {anchors} {args}"));
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
        let appraisals = report["appraisals"].as_array().unwrap();
        assert_eq!(appraisals.len(), 1, "{report:#}");
        let checks = appraisals[0]["checks"].as_array().unwrap();
        let failed =
            checks.iter().filter(|c| c["outcome"] == "fail").map(|c| c["id"].as_str().unwrap().to_owned());
        let mut failed: Vec<String> = failed.collect();
        failed.sort();
        failed.dedup();
        (appraisals[0]["authenticity"].as_str().unwrap().to_owned(), failed)
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.shell("kill \"$(cat swtpm.pid)\"");
    }
}

/// The commands of the page. The kernel's resource manager keeps the few slots of a TPM free; here `f` does, except
/// within a session. What the operator of a real TPM need not say is added: the anchors of this TPM.
fn commands() -> String {
    let (_, section) = PAGE.split_once("## Command by command").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut script = String::new();
    for block in section.split("```sh\n").skip(1) {
        for line in block.split_once("```").unwrap().0.lines() {
            let in_session =
                line.starts_with("tpm2_startauthsession") || line.starts_with("tpm2_policysecret");
            let line = match line.strip_prefix("keyvouch verify ") {
                // Judged below.
                Some(_) => continue,
                None => line,
            };
            script.push_str(line);
            script.push_str(if in_session || !line.starts_with("tpm2_") { "\n" } else { "; f\n" });
        }
    }
    script + "echo $NONCE > nonce\n"
}

fn verified(prefix: &str) -> String {
    let (_, rest) = PAGE.split_once(prefix).unwrap();
    rest.split_once('\n').unwrap().0.replace("$NONCE", "$(cat nonce)")
}

#[test]
fn a_tpm_in_software() {
    if !has_everything() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tpm = Tpm::start(&dir.path().join("a"), PORTS[0]);
    tpm.run(&commands());

    // As the page says it, RSA and ECC.
    let rsa = verified("keyvouch verify key.pub");
    let ecc = verified("keyvouch verify key-ecc.pub");
    assert_eq!(tpm.verify(&format!("key.pub{rsa}")), ("authentic".to_owned(), vec![]));
    assert_eq!(tpm.verify(&format!("key-ecc.pub{ecc}")), ("authentic".to_owned(), vec![]));
    // It is software, so the policy for hardware refuses it.
    tpm.refuses(&format!(
        "keyvouch verify --anchors ca/swtpm-localca-rootca-cert.pem --anchors ca/issuercert.pem key.pub{rsa}"
    ));
    refused_evidence(&tpm, &ecc);
    refused_challenges(&tpm, dir.path());
}

fn refused_evidence(tpm: &Tpm, ecc: &str) {
    let failed = |args: &str| tpm.verify(args).1;
    // Another nonce.
    assert_eq!(
        failed(&format!("key-ecc.pub{}", ecc.replace("$(cat nonce)", &"00".repeat(32)))),
        ["nonce-mismatch"]
    );
    // The record of another attestation key; none at all.
    let other = ecc.replace("activation-ecc.json", "activation.json");
    assert_eq!(
        tpm.verify(&format!("key-ecc.pub{other}")),
        ("undecided".to_owned(), vec!["activation".to_owned()])
    );
    let none = ecc.replace("--option activation=activation-ecc.json", "");
    assert_eq!(
        tpm.verify(&format!("key-ecc.pub{none}")),
        ("undecided".to_owned(), vec!["ak-unknown".to_owned()])
    );
    // A key that may be duplicated, and one that was imported.
    tpm.run(
        "tpm2_create -C 0x81000001 -G ecc256:ecdsa-sha256:null -g sha256 -a 'sensitivedataorigin|userwithauth|sign' -u dup.pub -r dup.priv -d dup.chash -t dup.ctick; f
tpm2_load -C 0x81000001 -u dup.pub -r dup.priv -c dup.ctx; f
tpm2_certifycreation -C ak-ecc.ctx -c dup.ctx -d dup.chash -t dup.ctick -g sha256 -q $(cat nonce) --attestation dup.attest -o dup.sig -f tss; f
openssl ecparam -name prime256v1 -genkey -noout -out soft.pem
tpm2_import -C 0x81000001 -G ecc -i soft.pem -u imp.pub -r imp.priv -a 'userwithauth|sign'; f
tpm2_load -C 0x81000001 -u imp.pub -r imp.priv -c imp.ctx; f
tpm2_certify -c imp.ctx -C ak-ecc.ctx -g sha256 -o imp.attest -s imp.sig -f tss; f
openssl req -new -key soft.pem -subj /CN=soft -out soft.csr",
    );
    let common = "ak-ecc.pub ek-ecc.crt.der --option activation=activation-ecc.json";
    assert_eq!(failed(&format!("dup.pub dup.attest dup.sig {common}")), ["key-not-tpm-bound"]);
    assert_eq!(failed(&format!("imp.pub imp.attest imp.sig {common}")), ["key-not-tpm-bound", "key-origin"]);
    // A request of a key in software, with the statement of one in the TPM.
    assert_eq!(
        failed(&format!("key-ecc.pub{}", ecc.replace("key-ecc.pem", "soft.csr"))),
        ["csr-key-mismatch"]
    );
    // The public area of another key than the one attested.
    let (authenticity, failed) = tpm.verify(&format!("imp.pub key-ecc.attest key-ecc.sig {common}"));
    assert_eq!(
        (authenticity.as_str(), failed.contains(&"name-mismatch".to_owned())),
        ("not-authentic", true),
        "{failed:?}"
    );
}

fn refused_challenges(tpm: &Tpm, dir: &Path) {
    // An answer counts once, and a wrong one ends the challenge.
    tpm.run("keyvouch tpm challenge --ek ek.crt.der --ak ak.pub --credential c1 --state s1");
    tpm.refuses("keyvouch tpm confirm --state s1 --answer answer.bin --record r1");
    tpm.run("test ! -e s1 && test ! -e r1");
    // The TPM does not answer for another attestation key, nor is an ordinary key one.
    tpm.run("keyvouch tpm challenge --ek ek-ecc.crt.der --ak ak.pub --credential c2 --state s2");
    tpm.refuses("tpm2_activatecredential -c ak-ecc.ctx -C 0x81010016 -i c2 -o never.bin");
    tpm.refuses("keyvouch tpm challenge --ek ek-ecc.crt.der --ak key-ecc.pub --credential c3 --state s3");
    // The attestation key of another TPM: neither TPM can answer.
    let other = Tpm::start(&dir.join("b"), PORTS[1]);
    other.run(
        "tpm2_createek -G rsa -c ek.ctx -u ek.pub; f
tpm2_createak -C ek.ctx -G rsa -g sha256 -s rsassa -c ak.ctx -u ak.pub -n ak.name; f
keyvouch tpm challenge --ek ../a/ek.crt.der --ak ak.pub --credential c --state s",
    );
    other.refuses(
        "tpm2_startauthsession --policy-session -S s.ctx
tpm2_policysecret -S s.ctx -c e
tpm2_activatecredential -c ak.ctx -C ek.ctx -i c -o never.bin -P session:s.ctx",
    );
    tpm.refuses("tpm2_activatecredential -c ak-ecc.ctx -C 0x81010016 -i ../b/c -o never.bin");
}
