//! The `keyvouch` command. What it can do is in [`cli`]; every subcommand is a file in [`commands`].

mod cli;
mod commands;
mod error;
mod files;
mod output;
mod progress;
mod reference;
mod reference_folder;
mod service;
mod submission_file;
mod text;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let out = output::Output::new(cli.color);
    match commands::run(cli.command, &out) {
        Ok(code) => code,
        // Whoever read our output had enough, as `head` does.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            out.error(&error);
            ExitCode::from(error::EXIT)
        }
    }
}
