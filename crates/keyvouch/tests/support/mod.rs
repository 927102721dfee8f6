//! What several tests share: evidence to judge, and ways to spoil it.

// Every test binary uses its own part of this.
#![allow(dead_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

pub(crate) mod cases;
pub(crate) mod judging;
pub(crate) mod views;
