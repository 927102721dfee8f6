//! TPMs in software.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn is_there(program: &str) -> bool {
    Command::new("bash")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .is_ok_and(|o| o.status.success())
}

/// Whether the programs are there; says so loudly when they are not.
pub(crate) fn has_everything() -> bool {
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
    let text = format!(
        "\nSKIPPED, NOTHING WAS TRIED: there is no TPM in software; {missing:?} or the tpm2 provider of OpenSSL is missing. \
         `cargo xtask test` installs them on Debian and Ubuntu.\n"
    );
    // Not by a macro, whose output is kept back when a test passes.
    let _ = std::io::stderr().write_all(text.as_bytes());
    assert!(
        std::env::var_os("KEYVOUCH_NEEDS_TPM").is_none(),
        "KEYVOUCH_NEEDS_TPM is set, and there is no TPM in software"
    );
    false
}

/// A TPM with EK certificates of an authority of its own.
pub(crate) struct Tpm {
    dir: PathBuf,
    port: u16,
}

impl Tpm {
    /// `more`: further options of swtpm_setup.
    pub(crate) fn start(dir: &Path, port: u16, more: &str) -> Self {
        let tpm = Self { dir: dir.to_owned(), port };
        std::fs::create_dir_all(dir).unwrap();
        let script = r#"mkdir -p tpm ca
printf 'create_certs_tool = %s\ncreate_certs_tool_config = %s/localca.conf\ncreate_certs_tool_options = %s/localca.options\nactive_pcr_banks = sha256\n' "$(command -v swtpm_localca)" "$PWD" "$PWD" > setup.conf
printf 'statedir = %s/ca\nsigningkey = %s/ca/signkey.pem\nissuercert = %s/ca/issuercert.pem\ncertserial = %s/ca/certserial\n' "$PWD" "$PWD" "$PWD" "$PWD" > localca.conf
printf -- '--platform-manufacturer Example\n--platform-version 1\n--platform-model Example\n' > localca.options
swtpm_setup --tpm2 --tpm-state dir://$PWD/tpm --config $PWD/setup.conf --create-ek-cert --lock-nvram --overwrite MORE
swtpm socket --tpm2 --tpmstate dir=$PWD/tpm --server type=tcp,port=$PORT --ctrl type=tcp,port=$((PORT+1)) --flags not-need-init,startup-clear --daemon --pid file=$PWD/swtpm.pid
f"#;
        tpm.run(&script.replace("MORE", more));
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
    pub(crate) fn run(&self, script: &str) -> String {
        let output = self.shell(script);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{}\n{text}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// It must fail: the TPM or keyvouch refuses.
    #[track_caller]
    pub(crate) fn refuses(&self, script: &str) {
        let output = self.shell(script);
        assert!(!output.status.success(), "not refused: {script}");
        self.run("f");
    }

    /// The appraisal of evidence: authenticity and failed checks.
    #[track_caller]
    pub(crate) fn verify(&self, args: &str) -> (String, Vec<String>) {
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
