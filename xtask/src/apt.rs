//! Programs for tests, from the packages of Debian and Ubuntu.

use std::env;
use std::process::{Command, Stdio};

/// Forbids to install anything.
const NO_INSTALL: &str = "KEYVOUCH_NO_INSTALL";

/// Sees to it that something is there, by installing packages where that is possible. An error says why it is not.
pub(crate) fn provide(what: &str, packages: &[&str], is_there: impl Fn() -> bool) -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    let wanted = packages.join(" ");
    if env::var_os(NO_INSTALL).is_some() {
        return Err(format!("{NO_INSTALL} is set; the packages are {wanted}"));
    }
    if !answers("apt-get", &["--version"]) {
        return Err(format!("there is no apt-get; on Debian the packages are {wanted}"));
    }
    let root = is_root();
    if !root && !answers("sudo", &["-n", "true"]) {
        return Err(format!("neither root nor sudo without a password; install {wanted}"));
    }
    println!("\n== {what}: installing {wanted}");
    let install = || apt(root, &[&["install", "-y", "--no-install-recommends"], packages].concat());
    // The lists may be old or not there; they are fetched only then.
    let installed = install() || (apt(root, &["update"]) && install());
    match installed && is_there() {
        true => Ok(()),
        false => Err(format!("apt-get could not install {wanted}")),
    }
}

pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}

pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
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
