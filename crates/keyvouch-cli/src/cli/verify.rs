//! `keyvouch verify`, and what other commands that judge share with it.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::Answer;
use super::values::{At, Nonce, Pair, Seconds, at, duration, nonce, pair};

/// Judge evidence: is the key in hardware, and does that satisfy the policy?
///
/// Give all files that the device or its tool wrote, in any order and encoding; keyvouch finds out what each is.
/// The answer comes first, then the reasons and what to do next.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  accepted, with or without findings
  1  refused
  2  the command line is wrong, a file cannot be read, or there is no single thing to judge
  3  cannot decide: something is missing or not known

Examples:
  keyvouch verify attestation.pem intermediate.pem --request request.csr
  keyvouch verify evidence.zip --request request.csr --policy cabf-code-signing --output json
  keyvouch verify folder/ --anchors our-own-root.pem --at 2026-06-01T00:00:00Z

Trust never comes from the evidence: only the built-in anchors (`keyvouch anchors list`) and those that you name \
with --anchors count.")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) judge: Judge,

    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Answer::Text)]
    pub(crate) output: Answer,

    /// Also print every check and every claim
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// The private key that signs the result: PKCS#8 or JWK; `keyvouch result key generate` makes one
    #[arg(long, value_name = "FILE", required_if_eq("output", "ear"), value_hint = ValueHint::FilePath, help_heading = RESULT)]
    pub(crate) result_key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) result: ResultTerms,
}

pub(super) const RESULT: &str = "Options of signed results (EAR)";

/// What stands in a signed result.
#[derive(Debug, Args)]
#[command(next_help_heading = RESULT)]
pub(crate) struct ResultTerms {
    /// The form of the result
    #[arg(long, value_enum, value_name = "FORM", default_value_t = ResultForm::Jwt)]
    pub(crate) result_format: ResultForm,

    /// The version of the draft
    #[arg(long, value_enum, value_name = "DRAFT", default_value_t = EarProfile::V04)]
    pub(crate) ear_profile: EarProfile,

    /// How long the result may be relied on, counted from the time at which the evidence is judged
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "24h")]
    pub(crate) result_lifetime: Seconds,

    /// The nonce of the relying party, in hexadecimal [default: --nonce, when the evidence answers it]
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) result_nonce: Option<Nonce>,

    /// Who runs this verifier
    #[arg(long, value_name = "NAME", default_value = "keyvouch", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) result_developer: String,

    /// Put the evidence into the result
    #[arg(long)]
    pub(crate) result_evidence: bool,

    /// Put the result into a wrapper (CMW) that says what it is
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) result_wrapper: Option<Wrapper>,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultForm {
    /// JSON Web Token
    Jwt,
    /// CBOR Web Token, in binary
    Cwt,
}

/// The version of EAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EarProfile {
    /// draft-ietf-rats-ear-03
    #[value(name = "03")]
    V03,
    /// draft-ietf-rats-ear-04
    #[value(name = "04")]
    V04,
}

/// The form of a wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wrapper {
    /// In JSON
    Json,
    /// In CBOR, in binary
    Cbor,
}

/// What to judge, and by what.
#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// Evidence files, or folders of them
    ///
    /// Of a folder every file is taken, but no hidden file and nothing in subfolders. Leave it out when the
    /// attestation is inside the request.
    #[arg(required_unless_present = "request", value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) evidence: Vec<PathBuf>,

    /// What must hold the attested key: a certification request (PKCS#10), certificate or public key
    ///
    /// Without it, a certification request among the evidence is used when there is exactly one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The nonce that you had given out, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Option<Nonce>,

    /// The policy to judge by: a built-in name, or a policy file. May be repeated: the worst verdict counts
    #[arg(long, value_name = "NAME|FILE", default_value = "hardware-key")]
    pub(crate) policy: Vec<String>,

    /// Turn a knob of the policies; `keyvouch policy list` names them. May be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) policy_option: Vec<Pair>,

    /// The time at which to judge, such as 2026-06-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) at: Option<At>,

    #[command(flatten)]
    pub(crate) trust: Trust,

    /// A folder of `keyvouch reference update`: revocation and metadata [default: $KEYVOUCH_REFERENCE, if set]
    ///
    /// Its files are the options that take them. A file that --option names counts instead.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) reference: Option<PathBuf>,

    /// Also trust what the folder itself suggests: anchors, time, options. Only for your own samples!
    ///
    /// A folder written by `keyvouch emulate` has a file keyvouch-submission.toml that suggests trust anchors, a
    /// time and options. They are not used unless you say so, because whoever made the folder would decide what
    /// is believed. Never use this on a folder that you received from somebody.
    #[arg(long)]
    pub(crate) trust_submission: bool,

    /// Set an operator option; `keyvouch formats show ID` names them. May be repeated
    ///
    /// The value is true or false, a number, text, or a list, as the option takes it. A list is written as a JSON
    /// array, or by repeating the option. Where the option takes a file, the value is its name; where it takes an
    /// object, JSON or the name of a file with it.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) option: Vec<Pair>,
}

/// Which anchors to trust.
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// More trust anchors: PEM or DER certificates, a keyvouch TOML data file, or a folder of these. May be
    /// repeated
    ///
    /// A certificate that signed itself becomes an anchor for every format; any other only helps to build paths.
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) anchors: Vec<PathBuf>,

    /// Do not trust the built-in anchors
    #[arg(long)]
    pub(crate) no_default_anchors: bool,
}
