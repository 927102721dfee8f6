//! A data file of the operator: TOML, or certificates.
#![no_main]

use keyvouch::Reference;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut reference = Reference::empty();
    let before = reference.digest();
    if let Ok(text) = std::str::from_utf8(data) {
        match reference.load_operator_file("file", text) {
            Ok(()) => drop(reference.digest()),
            Err(error) => {
                assert!(!error.problem().is_empty());
                assert_eq!(reference.digest(), before, "taken whole or not at all");
            }
        }
    }
    let _ = Reference::empty().load_operator_certificates("file", data);
});
