//! A browser for the test of the page.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::apt::{self, answers};
use crate::target;

/// By `required`, the test may not skip itself.
pub(crate) const NEEDED: (&str, &str) = ("KEYVOUCH_TEST_BROWSER", "required");

const PACKAGES: [&str; 3] = ["chromium", "nodejs", "npm"];

/// What says which modules the test needs, and which exactly.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Sees to it that there is a browser, and what drives it, in the target folder. An error says why there is none.
pub(crate) fn provide(root: &Path) -> Result<(), String> {
    apt::provide("a browser", &PACKAGES, is_there)?;
    let (from, to) = (root.join("crates/keyvouch-server/tests/browser"), target(root).join("browser"));
    let is_current = |name: &str| match (fs::read(from.join(name)), fs::read(to.join(name))) {
        (Ok(wanted), Ok(there)) => wanted == there,
        _ => false,
    };
    if FILES.into_iter().all(is_current) && to.join("node_modules").is_dir() {
        return Ok(());
    }
    println!("\n== a browser: npm ci in {}", to.display());
    fs::create_dir_all(&to).map_err(|why| format!("{}: {why}", to.display()))?;
    for name in FILES {
        fs::copy(from.join(name), to.join(name)).map_err(|why| format!("{name}: {why}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&to);
    match npm.status() {
        Ok(status) if status.success() => Ok(()),
        _ => {
            // Else the next run would take what is there for all of it.
            let _gone = fs::remove_file(to.join("package-lock.json"));
            Err("npm could not fetch the modules".to_owned())
        }
    }
}

fn is_there() -> bool {
    ["chromium", "node", "npm"].iter().all(|program| answers("sh", &["-c", &format!("command -v {program}")]))
}
