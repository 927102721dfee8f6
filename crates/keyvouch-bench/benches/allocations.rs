//! How often, and how much, an appraisal with its policy decision allocates.

use std::alloc::System;
use std::hint::black_box;

use keyvouch_bench::{Error, HardwareKey, subjects};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<(), Error> {
    println!(
        "{:<44} {:>6} {:>12} {:>10} {:>15}",
        "evidence", "bytes", "allocations", "allocated", "× evidence"
    );
    let policy = HardwareKey::new()?;
    for subject in subjects()? {
        let region = Region::new(ALLOCATOR);
        let mut report = subject.cold.appraise(black_box(&subject.submission))?;
        policy.judge(&mut report, subject.submission.request.is_some());
        let stats = region.change();
        drop(black_box(report));
        let size = subject.size();
        println!(
            "{:<44} {:>6} {:>12} {:>10} {:>15}",
            subject.name,
            size,
            stats.allocations.saturating_add(stats.reallocations),
            stats.bytes_allocated,
            stats.bytes_allocated.checked_div(size).unwrap_or(0),
        );
    }
    println!("cold: no issuer certificate remembered; what aws-lc allocates in C is not counted");
    Ok(())
}
