//! TPM 2.0 key attestation on emulated TPMs: every form and way of trust, and one failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

#[path = "tpm/accepted.rs"]
mod accepted;
#[path = "tpm/bench.rs"]
mod bench;
#[path = "tpm/devices.rs"]
mod devices;
#[path = "tpm/refused.rs"]
mod refused;
#[path = "tpm/windows.rs"]
mod windows;
