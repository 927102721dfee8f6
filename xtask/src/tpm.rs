//! A TPM in software for the end-to-end test, from the packages of Debian and Ubuntu.

use std::env;
use std::process::{Command, Stdio};

/// Tells the test that it must not skip itself.
pub(crate) const NEEDED: &str = "KEYVOUCH_NEEDS_TPM";

/// Forbids to install anything.
const NO_INSTALL: &str = "KEYVOUCH_NO_INSTALL";

const PACKAGES: [&str; 7] =
    ["swtpm", "swtpm-tools", "tpm2-tools", "tpm2-openssl", "libtss2-tcti-swtpm0", "openssl", "bash"];

/// The programs that the test runs.
const PROGRAMS: [&str; 6] =
    ["swtpm", "swtpm_setup", "swtpm_localca", "tpm2_activatecredential", "openssl", "bash"];

/// Sees to it that there is a TPM in software. An error says why there is none.
pub(crate) fn provide() -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    let wanted = PACKAGES.join(" ");
    if env::var_os(NO_INSTALL).is_some() {
        return Err(format!("{NO_INSTALL} is set; the packages are {wanted}"));
    }
    if !answers("apt-get", &["--version"]) {
        return Err(format!("there is no apt-get; on Debian the packages are {wanted}"));
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0");
    if !root && !answers("sudo", &["-n", "true"]) {
        return Err(format!("neither root nor sudo without a password; install {wanted}"));
    }
    println!("\n== a TPM in software: installing {wanted}");
    // The lists may be old or not there; they are fetched only then.
    let installed = install(root) || (apt(root, &["update"]) && install(root));
    match installed && is_there() {
        true => Ok(()),
        false => Err(format!("apt-get could not install {wanted}")),
    }
}

fn is_there() -> bool {
    let programs = PROGRAMS.iter().all(|p| answers("sh", &["-c", &format!("command -v {p}")]));
    // The provider itself cannot be asked: it does not load without a TPM.
    programs
        && answers("bash", &["-c", r#"test -e "$(openssl version -m | sed 's/.*"\(.*\)".*/\1/')/tpm2.so""#])
}

fn install(root: bool) -> bool {
    apt(root, &[&["install", "-y", "--no-install-recommends"], &PACKAGES[..]].concat())
}

fn apt(root: bool, arguments: &[&str]) -> bool {
    let mut command = Command::new(if root { "env" } else { "sudo" });
    if !root {
        command.args(["-n", "env"]);
    }
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"])
        // Nobody waits for a network that is not there.
        .args(["-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1", "-o", "DPkg::Lock::Timeout=60"])
        .args(arguments)
        .status()
        .is_ok_and(|status| status.success())
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
