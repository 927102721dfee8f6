//! Spoilt answers of format `azure-key-vault`, as if the operator had fetched them.
#![no_main]

use std::sync::LazyLock;

use keyvouch::File;
use keyvouch_emulator::azure_key_vault::VaultKey;
use keyvouch_emulator::key::KeyKind;

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let answer = VaultKey::premium(KeyKind::P256).expect("a key").answer();
    vec![File::new(answer.name, answer.bytes)]
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyvouch_fuzz::spoil_told("azure-key-vault", &FILES, data));
