//! `keyvouch reference`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Format;
use super::values::{At, at};

/// Import revocation and metadata that you fetched, and show how old they are.
///
/// keyvouch fetches nothing. What ages is fetched by you and imported into a folder, after everything that can be verified
/// of it was; `keyvouch verify --reference DIR` judges by it.
#[derive(Debug, Args)]
#[command(name = "reference")]
pub(crate) struct ReferenceData {
    #[command(subcommand)]
    pub(crate) command: ReferenceCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReferenceCommand {
    Update(ReferenceUpdate),
    /// List what is stored, and how old it is
    List(ReferenceView),
    /// Show what is stored, and verify it again
    Show(ReferenceView),
}

/// Import Google's attestation status list, or a BLOB of the FIDO Metadata Service.
///
/// Which of the two a file is, is found out. A BLOB must be signed by the metadata service. The status list is not signed:
/// only its form can be verified, and when it was fetched is for you to say.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  everything was imported
  2  nothing was: a file is not what it should be, or is older than what is there

Example:
  curl -fsSo status.json https://android.googleapis.com/attestation/status
  curl -fsSLo blob.jwt https://mds3.fidoalliance.org/
  keyvouch reference update --from status.json --from blob.jwt --reference reference/
  keyvouch verify evidence/ --reference reference/ --option android_status_max_age=24")]
pub(crate) struct ReferenceUpdate {
    /// The file, as it was downloaded. May be repeated
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from: Vec<PathBuf>,

    /// The folder to keep it in; it is made when it is not there [default: $KEYVOUCH_REFERENCE]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) reference: Option<PathBuf>,

    /// When the status list was fetched [default: now, or when the file was last changed if that is earlier]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) retrieved: Option<At>,

    /// Certificates below which the BLOB is signed, instead of the built-in root of the metadata service
    ///
    /// They are stored with the BLOB, and used with it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) metadata_roots: Option<PathBuf>,

    /// Import also what is older than what is stored or built in
    #[arg(long)]
    pub(crate) allow_older: bool,

    /// The time at which to verify [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) at: Option<At>,
}

/// What is stored.
#[derive(Debug, Args)]
pub(crate) struct ReferenceView {
    /// The folder [default: $KEYVOUCH_REFERENCE]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) reference: Option<PathBuf>,

    /// The time for which to tell the age [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) at: Option<At>,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,
}
