//! Spoilt envelopes, answers and certificates of format `aws`, as if the operator had fetched them.
#![no_main]

use std::sync::LazyLock;

use keyvouch::File;
use keyvouch_emulator::aws::{KmsKey, cloudhsm::Cluster};
use keyvouch_emulator::key::KeyKind;

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let key = KmsKey::new(KeyKind::P256).expect("a key");
    let cluster = Cluster::new().and_then(|c| c.files()).expect("a cluster");
    let all = key.answers().into_iter().chain([key.envelope()]).chain(cluster);
    all.map(|f| File::new(f.name, f.bytes)).collect()
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyvouch_fuzz::spoil_told("aws", &FILES, data));
