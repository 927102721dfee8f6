//! `keyvouch manpage`: the manual.

use std::fs;

use clap::CommandFactory as _;

use crate::cli::{Cli, Manpage};
use crate::error::Error;
use crate::output::Output;

/// Writes a page for the command and each of its subcommands.
pub(crate) fn run(args: &Manpage, out: &Output) -> Result<(), Error> {
    let fail = |why| Error::write(&args.dir, why);
    fs::create_dir_all(&args.dir).map_err(fail)?;
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(fail)?;
    out.print(&format!(
        "The manual pages are in {}; read one with: man -l {0}/keyvouch.1\n",
        args.dir.display()
    ))
}
