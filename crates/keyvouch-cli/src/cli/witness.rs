//! `keyvouch witness`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::values::{At, at};
use super::verify::Verify;

/// Write, sign and judge witness statements, for devices that attest nothing.
///
/// An auditor who saw the key being made in the device says so in a JSON statement and signs it (CMS or JWS). It is never
/// attestation: only a policy for witnessed ceremonies accepts it, and only from auditors whom the CA trusts.
#[derive(Debug, Args)]
pub(crate) struct Witness {
    #[command(subcommand)]
    pub(crate) command: WitnessCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    Template(WitnessTemplate),
    Sign(WitnessSign),
    Verify(Box<WitnessVerify>),
}

/// Print a statement to be filled in.
///
/// Every place in angle brackets must be filled in, and what is true or false must be seen to: left as they are, such
/// places refuse the key.
#[derive(Debug, Args)]
pub(crate) struct WitnessTemplate {
    /// The certification request, certificate or public key; what follows from its key is filled in
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The model of the device, as its certification names it, such as "u.trust Anchor"
    #[arg(long, value_name = "MODEL")]
    pub(crate) device: Option<String>,
}

/// Sign a statement, with a key in a file or anywhere else.
///
/// Without --key, the bytes to be signed are written to --to-be-signed for an external signer, and its signature comes back
/// with --signature; statement, certificate, form and --time must be the same both times.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  keyvouch witness sign statement.json --certificate auditor.pem --key auditor.key --out statement.p7m
  keyvouch witness sign statement.json --certificate auditor.pem --form cms-detached --time 2026-05-20T15:00:00Z \
--to-be-signed tbs.bin
  openssl dgst -sha256 -sign auditor.key -out signature.bin tbs.bin    # or a card, or an HSM
  keyvouch witness sign statement.json --certificate auditor.pem --form cms-detached --time 2026-05-20T15:00:00Z \
--signature signature.bin --out statement.p7s")]
pub(crate) struct WitnessSign {
    /// The statement, filled in
    #[arg(value_name = "STATEMENT", value_hint = ValueHint::FilePath)]
    pub(crate) statement: PathBuf,

    /// The certificate of the witness, then those of the authorities above it (PEM or DER). May be repeated
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) certificate: Vec<PathBuf>,

    /// The private key of the witness: PKCS#8, PKCS#1 or SEC 1, PEM or DER, without password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// How to sign
    #[arg(long, value_enum, value_name = "FORM", default_value_t = SignatureForm::Cms)]
    pub(crate) form: SignatureForm,

    /// The signing time [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) time: Option<At>,

    /// Write the bytes to be signed into this file, and nothing else
    #[arg(long, value_name = "FILE", requires = "time", conflicts_with_all = ["key", "signature", "out"], value_hint = ValueHint::FilePath)]
    pub(crate) to_be_signed: Option<PathBuf>,

    /// The signature that an external signer made of those bytes
    #[arg(long, value_name = "FILE", requires = "time", conflicts_with = "key", value_hint = ValueHint::FilePath)]
    pub(crate) signature: Option<PathBuf>,

    /// The file to write
    #[arg(long, value_name = "FILE", required_unless_present = "to_be_signed", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
}

/// How a witness signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignatureForm {
    /// CMS SignedData with the statement in it, PEM
    Cms,
    /// CMS SignedData beside the statement, PEM
    CmsDetached,
    /// JWS, compact
    Jws,
    /// JWS, flattened JSON
    JwsJson,
}

/// Judge a signed statement: keyvouch verify with the policy for witnessed ceremonies.
#[derive(Debug, Args)]
pub(crate) struct WitnessVerify {
    /// The auditors whom you trust as witnesses: their certificates, or those of the authorities that vouch for them
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) auditors: PathBuf,

    /// How many different witnesses must have signed
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) min_witnesses: Option<u8>,

    #[command(flatten)]
    pub(crate) verify: Verify,
}
