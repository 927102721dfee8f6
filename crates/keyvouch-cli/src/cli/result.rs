//! `keyvouch result`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::Format;
use super::values::{At, Nonce, Seconds, at, duration, nonce};

/// Check attestation results, and handle the keys that sign them.
#[derive(Debug, Args)]
#[command(name = "result")]
pub(crate) struct Result_ {
    #[command(subcommand)]
    pub(crate) command: ResultCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResultCommand {
    Verify(ResultVerify),
    /// Make and publish the keys that sign results
    Key {
        #[command(subcommand)]
        command: ResultKeyCommand,
    },
}

/// Check an attestation result (EAR), as a relying party that was not there when the evidence was judged.
///
/// The result states the opinion of the verifier whose key you give; it proves nothing to somebody who does not trust
/// that verifier.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  it can be relied on, with or without a warning
  1  it cannot, or it says that the key must not be relied on
  2  the command line is wrong, or a file cannot be read
  3  it says nothing: status none

Example:
  keyvouch result verify result.jwt --key verifier.jwks --request request.csr --nonce 8f3c21d09a7b4e65")]
pub(crate) struct ResultVerify {
    /// The result: a JWT, a CWT, or a wrapper (CMW) around one
    #[arg(value_name = "TOKEN", value_hint = ValueHint::FilePath)]
    pub(crate) token: PathBuf,

    /// The public key of the verifier: JWK, JWK set, SubjectPublicKeyInfo or certificate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    /// The nonce that you had given to the verifier, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Option<Nonce>,

    /// What must hold the attested key: a certification request (PKCS#10), certificate or public key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The time at which to judge, such as 2026-06-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = at, hide_default_value = true)]
    pub(crate) at: Option<At>,

    /// How long ago it may have been issued, such as 8h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Seconds>,

    /// By how much the clocks may differ
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) skew: Seconds,

    /// How to print the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub(crate) output: Format,

    /// Also print every check and everything that the result says
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ResultKeyCommand {
    /// Make a key that signs results, in a new file that only you can read
    Generate {
        /// The file to write
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// What the key signs with
        #[arg(long, value_enum, value_name = "NAME", ignore_case = true, default_value_t = KeyAlgorithm::Es256)]
        algorithm: KeyAlgorithm,
        /// The form of the file
        #[arg(long, value_enum, value_name = "FORM", default_value_t = KeyForm::Pkcs8)]
        form: KeyForm,
    },
    /// Print the public keys as JWK set, for relying parties
    Jwks {
        /// The private keys, PKCS#8 or JWK
        #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
}

/// What a key signs results with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyAlgorithm {
    /// ECDSA on P-256
    #[value(name = "ES256")]
    Es256,
    /// ECDSA on P-384
    #[value(name = "ES384")]
    Es384,
    /// Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSA of 3072 bits
    #[value(name = "PS256")]
    Ps256,
}

/// The form of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyForm {
    /// PKCS#8 in PEM
    Pkcs8,
    /// JSON Web Key
    Jwk,
}
