//! Android key attestation on emulated devices: every shape, carrier and option, and one failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

#[path = "android/accepted.rs"]
mod accepted;
#[path = "android/bench.rs"]
mod bench;
#[path = "android/chains.rs"]
mod chains;
#[path = "android/provisioning.rs"]
mod provisioning;
#[path = "android/statements.rs"]
mod statements;

use support::judging::Seen;

#[test]
fn every_check_can_fail_and_no_other_does() {
    let mut seen = Seen::default();
    chains::fail(&mut seen);
    chains::warn(&mut seen);
    chains::attest_keys(&mut seen);
    statements::fail(&mut seen);
    statements::warn(&mut seen);
    statements::switches(&mut seen);
    provisioning::fail(&mut seen);
    provisioning::verdicts(&mut seen);
    seen.are_all_of("android", &["csr-key-mismatch", "weak-key"]);
}
