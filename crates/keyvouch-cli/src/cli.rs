//! The command line: every subcommand, every option, and their help.

mod keeping;
mod look;
mod policy;
mod provider;
mod reappraise;
mod record;
mod reference;
mod request;
mod result;
mod service;
mod tools;
mod tpm;
mod values;
mod verify;
mod witness;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use keeping::*;
pub(crate) use look::*;
pub(crate) use policy::*;
pub(crate) use provider::*;
pub(crate) use reappraise::*;
pub(crate) use record::*;
pub(crate) use reference::*;
pub(crate) use request::*;
pub(crate) use result::*;
pub(crate) use service::*;
pub(crate) use tools::*;
pub(crate) use tpm::*;
pub(crate) use values::*;
pub(crate) use verify::*;
pub(crate) use witness::*;

/// Decide whether a private key was made in, and stays in, a hardware cryptographic module.
///
/// A device (an HSM, a security key, a cloud HSM) or its maker signs a statement about a key: attestation
/// evidence. keyvouch checks every signature up to a trust anchor, says what the evidence proves and what it does
/// not, compares the key with a certification request, and judges all of it under a policy.
#[derive(Debug, Parser)]
#[command(
    name = "keyvouch",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_long_help = "\
Start here:
  keyvouch verify attestation.pem --request request.csr   judge evidence
  keyvouch formats                                        what evidence is understood
  keyvouch emulate yubikey-piv sample                     make a sample to try things with
  keyvouch serve                                          a page in the browser, and an API"
)]
pub(crate) struct Cli {
    /// When to colour the output
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to colour the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How to print the answer about evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// For people
    Text,
    /// For programs
    Json,
    /// A signed attestation result for relying parties (EAR)
    Ear,
    /// A page to print or to keep, for people
    Html,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Verify(Box<Verify>),
    Inspect(Inspect),
    Formats(Formats),
    Anchors(Anchors),
    Reference(ReferenceData),
    Policy(Policy),
    Request(Request),
    Emulate(Emulate),
    Record(Record),
    Result(Result_),
    Tpm(Tpm),
    Provider(Provider),
    Witness(Witness),
    Serve(Box<Serve>),
    Token(Token),
    Store(Store),
    Log(Log),
    Reappraise(Box<Reappraise>),
    Completions(Completions),
    Manpage(Manpage),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        Cli::command().debug_assert();
    }
}
