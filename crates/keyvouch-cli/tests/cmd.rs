//! Transcripts of the command: `tests/cmd/*.trycmd`. They run at the root of the repository, as a reader of the
//! README would. `TRYCMD=overwrite cargo test -p keyvouch-cli --test cmd` writes them anew; read the difference.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use keyvouch::Reference;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The digest of the built-in reference data and some anchors: it changes with every fact that is added.
fn data(anchors: Option<&str>) -> String {
    let mut reference = Reference::builtin().unwrap();
    for entry in anchors.into_iter().flat_map(|dir| std::fs::read_dir(dir).unwrap()) {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        reference.load_operator_certificates(name, &std::fs::read(name).unwrap()).unwrap();
    }
    reference.digest()
}

#[test]
fn transcripts() {
    // This file has one test only: the working directory is one for all threads.
    std::env::set_current_dir(ROOT).unwrap();
    // Where transcripts write; what an earlier run wrote would be in the way.
    let _ = std::fs::remove_dir_all("target/transcripts");
    std::fs::create_dir_all("target/transcripts").unwrap();
    let cases = trycmd::TestCases::new();
    cases.env("NO_COLOR", "1").env("COLUMNS", "100");
    let example = data(Some("examples/yubikey-piv/anchors"));
    let other = data(Some("crates/keyvouch-cli/tests/data/other-device/anchors"));
    let built_in = data(None);
    let start = |digest: &str| digest.chars().take(16).collect::<String>();
    for (name, digest) in [
        ("[DATA_START]", start(&built_in)),
        ("[EXAMPLE_DATA_START]", start(&example)),
        ("[OTHER_DATA_START]", start(&other)),
        ("[GOOGLE_DATA_START]", start(&data(Some("examples/google-cloud-hsm/anchors")))),
        ("[SECUROSYS_DATA_START]", start(&data(Some("examples/securosys/anchors")))),
        ("[EXAMPLE_DATA]", example),
        ("[VERSION]", env!("CARGO_PKG_VERSION").to_owned()),
    ] {
        cases.insert_var(name, digest).unwrap();
    }
    cases.case(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/*.trycmd"));
    cases.run();
}
