//! `keyvouch tpm`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Challenge a TPM, so that its attestation key can be believed.
///
/// A TPM answers a challenge only when it has both the endorsement key that its maker certified and the attestation
/// key that signs its statements. The record of a right answer is what `keyvouch verify` takes as the option activation.
#[derive(Debug, Args)]
pub(crate) struct Tpm {
    #[command(subcommand)]
    pub(crate) command: TpmCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TpmCommand {
    Challenge(TpmChallenge),
    Confirm(TpmConfirm),
}

/// Make a challenge for tpm2_activatecredential.
#[derive(Debug, Args)]
pub(crate) struct TpmChallenge {
    /// The certificate of the endorsement key, as read from the TPM, or its public area (TPM2B_PUBLIC)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ek: PathBuf,

    /// The public area of the attestation key (TPM2B_PUBLIC), as tpm2_createak -u wrote it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ak: PathBuf,

    /// The file to write for the subscriber
    #[arg(long, value_name = "FILE", default_value = "credential.blob", value_hint = ValueHint::FilePath)]
    pub(crate) credential: PathBuf,

    /// The file to write for yourself: what the answer is checked with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: PathBuf,

    /// How long the challenge can be answered, and its record is in force
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) hours: u16,
}

/// Check the answer to a challenge. It can be done once: the state is deleted whatever the answer is.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  the answer is right
  1  it is wrong, or too late
  2  a file cannot be read or written")]
pub(crate) struct TpmConfirm {
    /// The state that `keyvouch tpm challenge` wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: PathBuf,

    /// The answer: the file that tpm2_activatecredential -o wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) answer: PathBuf,

    /// The record to write
    #[arg(long, value_name = "FILE", default_value = "activation.json", value_hint = ValueHint::FilePath)]
    pub(crate) record: PathBuf,
}
