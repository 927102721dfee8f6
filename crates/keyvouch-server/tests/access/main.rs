//! Who comes in, and who does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod browsers;
mod numbers;
mod process;
#[path = "../support/served.rs"]
mod served;
mod tls;
mod tokens;
