//! Why a policy could not be loaded.

use std::fmt;

/// A fault in the text of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; none for a fault of the whole.
    pub line: Option<usize>,
    /// The id of the requirement, where it has one.
    pub requirement: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(requirement) = &self.requirement {
            write!(f, "requirement {requirement:?}: ")?;
        }
        f.write_str(&self.problem)?;
        if !self.advice.is_empty() {
            write!(f, "; {}", self.advice)?;
        }
        Ok(())
    }
}

/// Why a policy could not be loaded: every fault found, with its line and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    pub(crate) name: String,
    pub(crate) faults: Vec<Fault>,
}

impl PolicyError {
    /// The name of the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The faults, in the order of their lines. There is at least one.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.faults.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {fault}", self.name)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyError {}
