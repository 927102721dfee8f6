//! `keyvouch completions`: for the shell.

use clap::CommandFactory as _;

use crate::cli::{Cli, Completions};
use crate::error::Error;
use crate::output::Output;

/// Prints the completions of a shell.
pub(crate) fn run(args: &Completions, out: &Output) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keyvouch", &mut script);
    out.print(&String::from_utf8_lossy(&script))
}
