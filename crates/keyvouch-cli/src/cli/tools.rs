//! `keyvouch completions` and `keyvouch manpage`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Print the completions of a shell, to be sourced or saved where it looks for them.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Write the manual pages into a folder.
#[derive(Debug, Args)]
pub(crate) struct Manpage {
    /// The folder; it is made when it is not there
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}
