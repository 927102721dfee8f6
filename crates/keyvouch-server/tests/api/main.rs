//! The API, over its router.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod appraisals;
mod catalogue;
mod challenges;
mod description;
mod records;
mod roles;
