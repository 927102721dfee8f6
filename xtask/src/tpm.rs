//! A TPM in software for the end-to-end test.

use crate::apt::{self, answers};

/// Tells the test that it must not skip itself.
pub(crate) const NEEDED: &str = "KEYVOUCH_NEEDS_TPM";

const PACKAGES: [&str; 7] =
    ["swtpm", "swtpm-tools", "tpm2-tools", "tpm2-openssl", "libtss2-tcti-swtpm0", "openssl", "bash"];

/// The programs that the test runs.
const PROGRAMS: [&str; 6] =
    ["swtpm", "swtpm_setup", "swtpm_localca", "tpm2_activatecredential", "openssl", "bash"];

/// Sees to it that there is a TPM in software. An error says why there is none.
pub(crate) fn provide() -> Result<(), String> {
    apt::provide("a TPM in software", &PACKAGES, is_there)
}

fn is_there() -> bool {
    let programs = PROGRAMS.iter().all(|p| answers("sh", &["-c", &format!("command -v {p}")]));
    // The provider itself cannot be asked: it does not load without a TPM.
    programs
        && answers("bash", &["-c", r#"test -e "$(openssl version -m | sed 's/.*"\(.*\)".*/\1/')/tpm2.so""#])
}
