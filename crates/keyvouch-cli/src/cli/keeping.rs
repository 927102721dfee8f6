//! Commands for who keeps the record of a service: `token`, `store`, `log`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::Format;
use super::service::Place;
use super::values::{Days, Seconds, days, duration};

/// Make, list and revoke the tokens that clients of the service send.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    Create(TokenCreate),
    List(TokenList),
    Revoke(TokenRevoke),
}

/// Make a token, and print its secret: once, the record has only its hash.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  keyvouch token create ra-1 --role submit --expires 90d
  curl -H 'Authorization: Bearer kv_…' https://attest.example/v1/formats")]
pub(crate) struct TokenCreate {
    /// Who will use it: records name it as the submitter
    #[arg(value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) name: String,

    /// What it allows
    #[arg(long, value_enum, value_name = "ROLE")]
    pub(crate) role: TokenRole,

    /// After which time it ends, such as 90d [default: never]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) expires: Option<Seconds>,

    #[command(flatten)]
    pub(crate) place: Place,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// What a token allows. Each allows what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenRole {
    /// Hand in evidence, and read the answer to it
    Submit,
    /// Read all records
    Read,
    /// Everything
    Admin,
}

/// List the tokens, also those that are no longer in force.
#[derive(Debug, Args)]
pub(crate) struct TokenList {
    #[command(flatten)]
    pub(crate) place: Place,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// Take a token out of force, at once.
#[derive(Debug, Args)]
pub(crate) struct TokenRevoke {
    /// The id of the token, as `keyvouch token list` has it
    #[arg(value_name = "ID")]
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Look after the record of the service: its state, a backup, letting go of what is old.
#[derive(Debug, Args)]
pub(crate) struct Store {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Say how many records there are, how large they are, and what the log is
    Status {
        #[command(flatten)]
        place: Place,
        /// How to print
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        output: Format,
    },
    Backup(StoreBackup),
    Prune(StorePrune),
}

/// Write the whole record into a new file while the service runs: SQLite only.
///
/// The file is a database like the record itself; to go back to it, stop the service and put it in the record's place. The
/// keys in the folder are not in it. PostgreSQL has tools of its own for this: pg_dump, and archiving.
#[derive(Debug, Args)]
pub(crate) struct StoreBackup {
    /// The file to write, a new one
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Let go of the evidence and reports of records that are old enough.
///
/// Who asked, when, and the verdict stay, and so does the place in the log: proofs of the other records hold. Less than
/// two years is refused: CA/Browser Forum rules demand that much.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  done
  2  refused, or the record cannot be used

Example:
  keyvouch store prune --older-than 1000d --dry-run")]
pub(crate) struct StorePrune {
    /// How old records must be to be let go of, in days, such as 1000d
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pub(crate) older_than: Days,

    /// Also when that is less than two years, which breaks the rule that CAs follow
    #[arg(long)]
    pub(crate) force_below_two_years: bool,

    /// Only say how many records it would be
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) place: Place,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}

/// Sign and verify the append-only log over all records.
#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(subcommand)]
    pub(crate) command: LogCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    Key(LogKeyMake),
    Public(LogPublic),
    Checkpoint(LogCheckpoint),
    Verify(LogVerify),
}

/// Make the key that signs the log, in a new file that only you can read, and print its public key.
#[derive(Debug, Args)]
pub(crate) struct LogKeyMake {
    /// The name of the log, such as attest.example/log: without spaces, without +, and never the name of another log
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "log.key", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
}

/// Print the public key of the log, for whoever verifies it.
#[derive(Debug, Args)]
pub(crate) struct LogPublic {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Print the signed state of the log: a checkpoint (C2SP tlog-checkpoint).
///
/// Keep it where whoever can write to the database cannot. Only that shows later that nobody made the log anew.
#[derive(Debug, Args)]
pub(crate) struct LogCheckpoint {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Write it into this new file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
}

/// Compute the whole log anew, and find every record that was altered, dropped or reordered.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  the log is whole, and what the checkpoints say is in it
  1  it is not; every fault is named
  2  the record or a file cannot be read

Example:
  keyvouch log verify --checkpoint kept/2026-06-01.checkpoint --log-key 'attest.example/log+a5d2c6b1+AQ…'")]
pub(crate) struct LogVerify {
    /// A checkpoint that was signed earlier and kept elsewhere. May be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) checkpoint: Vec<PathBuf>,

    /// The public key of the log that signed them, or a file with it [default: that of the service's own key]
    #[arg(long, value_name = "KEY|FILE")]
    pub(crate) log_key: Option<String>,

    #[command(flatten)]
    pub(crate) place: Place,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}
