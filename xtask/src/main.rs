//! Developer commands: `cargo xtask COMMAND`.

mod apt;
mod browser;
mod conformance;
mod postgres;
mod tpm;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask COMMAND

  test                     everything that must hold before a change is handed in
  soundness                flip every byte and cut at every length of all evidence (minutes, release build)
  browser                  see to the browser that the test of the page needs
  conformance              try the running service against its own description (schemathesis)
  interop                  have others' libraries read what keyvouch writes (needs OpenSSL's development files)
  fuzz-seed                write the seed corpora of the fuzz targets from emulated evidence
  fuzz TARGET SECONDS      run a fuzz target (on stable Rust, without sanitizers)
";

/// Coverage as libFuzzer wants it; what cargo-fuzz passes, without the sanitizers that need nightly Rust.
const FUZZ_FLAGS: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test"] => test(),
        ["soundness"] => one(cargo("test")
            .args(["--release", "-p", "keyvouch", "--test", "soundness"])
            .args(["--", "--ignored", "--nocapture", "every_byte_and_every_length"])),
        ["browser"] => match browser::provide(&root()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        },
        ["conformance"] => conformance::run(&root()),
        ["interop"] => one(cargo("test").args(["--manifest-path", "interop/Cargo.toml"])),
        ["fuzz-seed"] => one(cargo("run").args(["--manifest-path", "fuzz/Cargo.toml", "--example", "seed"])),
        ["fuzz", target, seconds] => fuzz(target, seconds),
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Runs every step, also after one failed, and closes with a summary. Exits as the first failure did.
fn test() -> ExitCode {
    let mut skipped = Vec::new();
    // Every failure at once: to find out the next one takes long.
    let mut tests = with(cargo("test"), &["--workspace", "--no-fail-fast"]);
    // With a TPM in software the end-to-end test may not skip itself.
    match tpm::provide() {
        Ok(()) => {
            tests.env(tpm::NEEDED, "1");
        }
        Err(why) => skipped.push(format!("END-TO-END WITH A TPM IN SOFTWARE ({why})")),
    }
    // With a browser, the test of the page may not skip itself.
    match browser::provide(&root()) {
        Ok(()) => {
            tests.env(browser::NEEDED.0, browser::NEEDED.1);
        }
        Err(why) => skipped.push(format!("THE PAGE IN A BROWSER ({why})")),
    }
    // The server stops when this goes.
    let postgres = postgres::Server::start();
    match &postgres {
        Ok(server) => {
            tests.env(postgres::SERVER, server.url());
        }
        Err(why) => skipped.push(format!("THE STORE ON POSTGRESQL ({why})")),
    }
    let mut steps = vec![
        // Nothing else but Rust and the crates is needed; cargo fetches those.
        ("toolchain", cargo("--version")),
        ("formatting", with(cargo("fmt"), &["--all", "--check"])),
        ("lints", with(cargo("clippy"), &["--workspace", "--all-targets", "--", "-D", "warnings"])),
        ("tests", tests),
        ("documentation", {
            let mut doc = with(cargo("doc"), &["--workspace", "--no-deps"]);
            doc.env("RUSTDOCFLAGS", "-D warnings");
            doc
        }),
        (
            "fuzz targets",
            with(cargo("build"), &["--manifest-path", "fuzz/Cargo.toml", "--bins", "--examples"]),
        ),
    ];
    match conformance::provide(&root()) {
        Ok(()) => steps.push(("the service against its description", with(cargo("xtask"), &["conformance"]))),
        Err(why) => skipped.push(format!("THE SERVICE AGAINST ITS DESCRIPTION ({why})")),
    }
    if installed("cargo-deny") {
        steps.push(("dependencies", with(cargo("deny"), &["check"])));
    } else {
        skipped.push("dependencies (cargo-deny is not installed)".to_owned());
    }
    let (mut passed, mut failed, mut first) = (Vec::new(), Vec::new(), None);
    for (name, mut step) in steps {
        println!("\n== {name}: {}", shown(&step));
        match run(&mut step) {
            0 => passed.push(name.to_owned()),
            code => {
                failed.push(name.to_owned());
                first.get_or_insert(code);
            }
        }
    }
    println!("\n== summary");
    for (what, names) in [("passed", &passed), ("failed", &failed), ("skipped", &skipped)] {
        if !names.is_empty() {
            println!("{what}: {}", names.join(", "));
        }
    }
    println!("{} passed, {} failed, {} skipped", passed.len(), failed.len(), skipped.len());
    ExitCode::from(first.unwrap_or(0))
}

fn fuzz(target: &str, seconds: &str) -> ExitCode {
    for place in ["corpus", "artifacts"] {
        if let Err(error) = std::fs::create_dir_all(root().join("fuzz").join(place).join(target)) {
            eprintln!("fuzz/{place}/{target}: {error}");
            return ExitCode::FAILURE;
        }
    }
    let Some(host) = host() else {
        eprintln!("rustc -vV does not name a host");
        return ExitCode::FAILURE;
    };
    let mut run = cargo("run");
    // With a target named, the flags are for the targets only and not for build scripts.
    run.args(["--release", "--manifest-path", "fuzz/Cargo.toml", "--target", &host, "--bin", target, "--"])
        .env("RUSTFLAGS", FUZZ_FLAGS)
        .env("CARGO_TARGET_DIR", root().join("fuzz/target/fuzz"))
        .arg(format!("fuzz/corpus/{target}"))
        .arg(format!("-artifact_prefix=fuzz/artifacts/{target}/"))
        .arg(format!("-max_total_time={seconds}"))
        .args(["-max_len=8192", "-timeout=10", "-print_final_stats=1"]);
    one(&mut run)
}

/// The platform that this runs on, as rustc names it.
fn host() -> Option<String> {
    let output = Command::new("rustc").arg("-vV").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

fn one(step: &mut Command) -> ExitCode {
    ExitCode::from(run(step))
}

/// The exit status of a command; 1 when it could not be run or was ended by a signal.
fn run(step: &mut Command) -> u8 {
    match step.current_dir(root()).status() {
        Ok(status) if status.success() => 0,
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        Err(error) => {
            eprintln!("{}: {error}", shown(step));
            1
        }
    }
}

fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(command);
    cargo
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn shown(command: &Command) -> String {
    let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
    format!("cargo {}", arguments.join(" "))
}

/// Where cargo builds.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
