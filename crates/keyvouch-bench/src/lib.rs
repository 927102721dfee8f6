//! What an appraisal costs beyond its signature checks: the evidence to measure with, and the bare signature checks
//! that it contains.
//!
//! `cargo bench` prints two tables: times (`benches/appraisal.rs`), and allocations (`benches/allocations.rs`), which
//! are apart because counting them costs time.

mod bare;
mod evidence;
mod policy;

pub use bare::Bare;
pub use evidence::{Subject, subjects};
pub use policy::HardwareKey;

/// Failures end a benchmark, whatever they are.
pub type Error = Box<dyn std::error::Error>;
