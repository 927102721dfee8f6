//! Evidence inside certification requests: every shape and statement, one failure for every check of the envelope, and
//! what must never count.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

#[path = "csr_attestation/bench.rs"]
mod bench;
#[path = "csr_attestation/carried.rs"]
mod carried;
#[path = "csr_attestation/crmf.rs"]
mod crmf;
#[path = "csr_attestation/embed.rs"]
mod embed;
#[path = "csr_attestation/envelope.rs"]
mod envelope;
