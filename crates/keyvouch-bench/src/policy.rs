//! The policy that is part of what is measured.

use keyvouch::Report;
use keyvouch_policy::{Policy, Settings};

use crate::Error;

/// The policy `hardware-key` with default settings.
pub struct HardwareKey([Policy; 1], Settings);

impl HardwareKey {
    /// Loads it.
    ///
    /// # Errors
    /// When it is not built in.
    pub fn new() -> Result<Self, Error> {
        let policy = Policy::builtin("hardware-key").ok_or("no policy hardware-key")?;
        Ok(Self([policy], Settings::default()))
    }

    /// Judges every statement of a report.
    pub fn judge(&self, report: &mut Report, request: bool) {
        keyvouch_policy::judge(report, &self.0, request, &self.1);
    }
}
