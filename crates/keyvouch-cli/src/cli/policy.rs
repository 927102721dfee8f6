//! `keyvouch policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Format;

/// List the policies, show one, or check your own.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the built-in policies and their knobs
    List {
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Show a policy: what it requires, by which clause, and its source
    Show {
        /// Name of a built-in policy, or a policy file
        #[arg(value_name = "NAME|FILE")]
        policy: String,
        /// Print only the source, to start your own policy from
        #[arg(long, conflicts_with = "output")]
        source: bool,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Check a policy file and explain its errors
    Check {
        /// The policy file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}
