//! What a service on record promises, tried on the real command: whatever ends it or takes its disk or its database away,
//! an appraisal that was answered is on record, and the log is whole.
//!
//! Each test takes a few seconds. `KEYVOUCH_PROOF_SECONDS` says how long each of the long ones goes on instead.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "numbers of tests are small")]
#![cfg(target_os = "linux")]

mod client;
mod disk;
mod hostile;
mod killed;
mod load;
mod lost;
mod memory;
mod postgres;
mod site;
mod stopped;

use std::time::Duration;

/// How long a test goes on that could go on for ever.
fn proof_time() -> Duration {
    let told = std::env::var("KEYVOUCH_PROOF_SECONDS").ok();
    let told = told.map(|text| text.parse().expect("KEYVOUCH_PROOF_SECONDS is a number of seconds"));
    Duration::from_secs(told.unwrap_or(10))
}

/// Says that a part was not tried, so that nobody overlooks it.
fn skipped(what: &str, why: &str) {
    eprintln!("\n*** NOT TRIED: {what}: {why} ***\n");
}
