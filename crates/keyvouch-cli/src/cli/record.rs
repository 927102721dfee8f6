//! `keyvouch record`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Format;
use super::verify::{Judge, RESULT, ResultTerms};

/// Keep what an appraisal rested on and what it said, and check it later.
#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(subcommand)]
    pub(crate) command: RecordCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    Export(Box<RecordExport>),
    Verify(RecordVerify),
}

/// Judge evidence as `keyvouch verify` does, and write a record of it for auditors.
///
/// The record is one ZIP file: evidence, request, options, your own trust data, policies and their settings, and the
/// report. Whoever has it can run the appraisal again.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  accepted, with or without findings, and recorded
  1  refused, and recorded
  2  an error: nothing was recorded
  3  cannot decide, and recorded

Example:
  keyvouch record export attestation.pem --request request.csr --policy cabf-code-signing --to order-4711.zip")]
pub(crate) struct RecordExport {
    #[command(flatten)]
    pub(crate) judge: Judge,

    /// The record to write, a new file
    #[arg(long, value_name = "FILE.zip", value_hint = ValueHint::FilePath)]
    pub(crate) to: PathBuf,

    /// Include keyvouch's own trust data, so that a later version with other data can judge as this one does
    #[arg(long)]
    pub(crate) with_trust_data: bool,

    /// Put a file about the report beside it, such as the answer of a time-stamping authority. May be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) proof: Vec<PathBuf>,

    /// Sign the report as a result (EAR) with this private key, PKCS#8 or JWK, and put it into the record
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = RESULT)]
    pub(crate) result_key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) result: ResultTerms,
}

/// Judge a record again, at its own time, and say whether the answer is the same, byte for byte.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  the answer is the same (when another version or other trust data gave it, that is said)
  1  the answer is another; the places where it differs are named. Or, with --log-key, the record is not in the log
  2  this is no record, or it was altered or damaged, or it cannot be judged today")]
pub(crate) struct RecordVerify {
    /// The record, as `keyvouch record export` wrote it
    #[arg(value_name = "FILE.zip", value_hint = ValueHint::FilePath)]
    pub(crate) record: PathBuf,

    /// Judge by the trust data of this keyvouch, also when the record has its own
    #[arg(long)]
    pub(crate) todays_trust_data: bool,

    /// The public key of the service's log, or a file with it: verify the proof that the record is in that log
    #[arg(long, value_name = "KEY|FILE")]
    pub(crate) log_key: Option<String>,

    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}
