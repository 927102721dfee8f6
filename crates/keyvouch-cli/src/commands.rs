//! The subcommands, one file each.

mod anchors;
mod completions;
mod emulate;
mod formats;
mod inspect;
mod log;
mod manpage;
mod policy;
mod provider;
mod reappraise;
mod record;
mod reference;
mod request;
mod result;
mod serve;
mod store;
mod token;
mod tpm;
pub(crate) mod verify;
mod witness;

pub(crate) use emulate::quote;

use std::process::ExitCode;

use crate::cli::Command;
use crate::error::Error;
use crate::output::Output;

/// Does what the command line says.
pub(crate) fn run(command: Command, out: &Output) -> Result<ExitCode, Error> {
    match command {
        Command::Verify(args) => return verify::run(&args, out),
        Command::Record(args) => return record::run(&args, out),
        Command::Result(args) => return result::run(&args, out),
        Command::Tpm(args) => return tpm::run(&args, out),
        Command::Provider(args) => return provider::run(&args, out),
        Command::Witness(args) => return witness::run(args, out),
        Command::Log(args) => return log::run(&args, out),
        Command::Reappraise(args) => return reappraise::run(&args, out),
        Command::Serve(args) => serve::run(&args, out),
        Command::Token(args) => token::run(&args, out),
        Command::Store(args) => store::run(&args, out),
        Command::Inspect(args) => inspect::run(&args, out),
        Command::Formats(args) => formats::run(&args, out),
        Command::Anchors(args) => anchors::run(&args, out),
        Command::Reference(args) => reference::run(&args, out),
        Command::Policy(args) => policy::run(&args, out),
        Command::Request(args) => request::run(&args, out),
        Command::Emulate(args) => emulate::run(&args, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Manpage(args) => manpage::run(&args, out),
    }?;
    Ok(ExitCode::SUCCESS)
}
