//! `keyvouch reappraise`.

use clap::{Args, ValueEnum};

use super::service::Place;
use super::values::{At, Moment, at, moment};

/// Judge recorded evidence again by what is known today, and list what changed.
///
/// Every record is judged by today's trust anchors, advisories, options and policies: which certificates rest on keys
/// that would be refused now? Without filters, all records are. Nothing in the records changes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Answers:
  changed  another verdict, or another failed check, finding, advisory or unmet requirement
  aged     it did change, and for no other reason than the time that has passed
  same     nothing of that kind
  failed   it cannot be judged today; the reason is told

Exit status:
  0  nothing changed for another reason than time
  1  something did, or a record could not be judged
  2  an error; what was done is kept, and --resume goes on from there

Examples:
  keyvouch reappraise --vendor Infineon --since 2016-01-01T00:00:00Z --output csv > changed.csv
  keyvouch reappraise --resume 0197…          go on after an interruption
  keyvouch reappraise --worker                help with it on another machine (PostgreSQL)")]
pub(crate) struct Reappraise {
    /// Go on with a re-appraisal that was interrupted, by its id
    #[arg(long, value_name = "JOB", conflicts_with_all = ["worker", "Which", "policy", "at"])]
    pub(crate) resume: Option<String>,

    /// Help with the newest re-appraisal that is not done, and list nothing
    #[arg(long, conflicts_with_all = ["Which", "policy", "at"])]
    pub(crate) worker: bool,

    /// Judge by this policy instead of those that judged then. May be repeated
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) policy: Vec<String>,

    /// The time at which to judge: now, recorded (each record at its own), or one such as 2026-06-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment, default_value = "now", hide_default_value = true)]
    pub(crate) at: Moment,

    /// How many records to judge at once [default: as many as there are processors]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// List all records, not only those of which something changed
    #[arg(long)]
    pub(crate) all: bool,

    /// How to print
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Listing::Text)]
    pub(crate) output: Listing,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) which: Which,
}

/// How to print a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// For people
    Text,
    /// For spreadsheets
    Csv,
    /// For programs
    Json,
}

const WHICH: &str = "Which records (all that is given must hold)";

/// Which records.
#[derive(Debug, Args)]
#[command(next_help_heading = WHICH)]
pub(crate) struct Which {
    /// About the key whose SubjectPublicKeyInfo has this SHA-256, in hexadecimal
    #[arg(long, value_name = "HEX")]
    pub(crate) spki_sha256: Option<String>,

    /// With the request file that has this SHA-256, in hexadecimal
    #[arg(long, value_name = "HEX")]
    pub(crate) request_sha256: Option<String>,

    /// Of devices of this maker, as reports name it
    #[arg(long, value_name = "NAME")]
    pub(crate) vendor: Option<String>,

    /// Of devices of this model, as reports name it
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// Of the device with this serial number
    #[arg(long, value_name = "SERIAL")]
    pub(crate) serial: Option<String>,

    /// Of devices with this firmware or a later one
    #[arg(long, value_name = "VERSION")]
    pub(crate) firmware_from: Option<String>,

    /// Of devices with this firmware or an earlier one
    #[arg(long, value_name = "VERSION")]
    pub(crate) firmware_to: Option<String>,

    /// With evidence of this format, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) format: Option<String>,

    /// With this answer then: authentic, not-authentic, undecided or not-attestable
    #[arg(long, value_name = "WORD")]
    pub(crate) authenticity: Option<String>,

    /// With this verdict then: accept, accept-with-findings, refuse or cannot-decide
    #[arg(long, value_name = "WORD")]
    pub(crate) verdict: Option<String>,

    /// Judged then by the policy of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) judged_by: Option<String>,

    /// Recorded at this time or later, such as 2026-06-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = at)]
    pub(crate) since: Option<At>,

    /// Recorded before this time
    #[arg(long, value_name = "TIME", value_parser = at)]
    pub(crate) until: Option<At>,
}
