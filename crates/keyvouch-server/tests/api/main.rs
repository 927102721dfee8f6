//! The API, over its router.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod appraisals;
mod catalogue;
mod challenges;
mod description;
mod docs;
mod records;
mod roles;
