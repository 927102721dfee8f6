//! Commands that show what is there: `inspect`, `formats`, `anchors`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Format;
use super::verify::Trust;

/// Show what files hold, without judging it.
///
/// Decodes evidence for people. Nothing that is shown has been authenticated.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) evidence: Vec<PathBuf>,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// List the evidence formats that are understood, and how far each was proved.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Formats {
    #[command(subcommand)]
    pub(crate) command: Option<FormatsCommand>,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FormatsCommand {
    /// List the formats
    List {
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Show a format: its checks and what to do when they fail, its options, and what it cannot prove
    Show {
        /// Id of the format, as `keyvouch formats` lists it
        #[arg(value_name = "ID")]
        id: String,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
}

/// List the trust anchors, or show one.
#[derive(Debug, Args)]
pub(crate) struct Anchors {
    #[command(subcommand)]
    pub(crate) command: AnchorsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AnchorsCommand {
    /// List the anchors
    List {
        /// Only those of one format, by its id
        #[arg(long, value_name = "ID")]
        format: Option<String>,
        #[command(flatten)]
        trust: Trust,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    /// Show an anchor: its key, its certificates, and where they were published
    Show {
        /// Id of the anchor, as `keyvouch anchors list` has it
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        trust: Trust,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
}
