//! Commands of subscribers: `request`, `emulate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Make a certification request that carries its evidence, so that one file goes to the CA.
///
/// The evidence goes into the attribute id-aa-attestation of draft-ietf-lamps-csr-attestation. The private key stays where
/// it is: `embed` writes what the device is to sign, and `assemble` puts content and signature together.
#[derive(Debug, Args)]
pub(crate) struct Request {
    #[command(subcommand)]
    pub(crate) command: RequestCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    Embed(RequestEmbed),
    Assemble(RequestAssemble),
}

/// Write the content of a request, evidence included, for the device to sign.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  keyvouch request embed attestation.pem f9.pem --key old.csr --info request.info
  openssl dgst -sha256 -sign … -out request.sig request.info      or with the tool of the device
  keyvouch request assemble --info request.info --signature request.sig --out request.csr
  keyvouch verify request.csr")]
pub(crate) struct RequestEmbed {
    /// Evidence files that the device or its tool wrote, or folders of them
    #[arg(required = true, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) evidence: Vec<PathBuf>,

    /// The key: a public key, a certificate of it, or a certification request
    ///
    /// Of a request, subject and attributes are taken over too.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    /// The subject, such as "CN=Example, O=Example Corporation, C=NL"
    ///
    /// In the order in which it is to stand in the request. A backslash goes before a comma that belongs to a value.
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,

    /// The file to write: DER CertificationRequestInfo
    #[arg(long, value_name = "FILE", default_value = "request.info", value_hint = ValueHint::FilePath)]
    pub(crate) info: PathBuf,
}

/// Put content and signature together: a PKCS#10 request in PEM.
#[derive(Debug, Args)]
pub(crate) struct RequestAssemble {
    /// What `keyvouch request embed` wrote
    #[arg(long, value_name = "FILE", default_value = "request.info", value_hint = ValueHint::FilePath)]
    pub(crate) info: PathBuf,

    /// The signature of the key over that file, as the tool of the device wrote it, or in base64
    ///
    /// How it was made is found out: RSA PKCS#1 v1.5 or PSS, ECDSA (DER, or r and s side by side), Ed25519.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) signature: PathBuf,

    /// The request to write
    #[arg(long, value_name = "FILE", default_value = "request.csr", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
}

/// Make sample evidence with an emulated device, to try things with.
///
/// Writes evidence, a certification request and a throw-away trust anchor into a new folder, and prints the command
/// that verifies them. The evidence is as real devices make it, but it is signed by throw-away keys: it is worth
/// nothing.
#[derive(Debug, Args)]
pub(crate) struct Emulate {
    /// Id of the format; --list names them
    #[arg(value_name = "FORMAT", required_unless_present = "list")]
    pub(crate) format: Option<String>,

    /// The folder to write, which must be new or empty
    #[arg(value_name = "DIR", required_unless_present = "list", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,

    /// Which sample, by number or name; --list names them
    #[arg(long, value_name = "NUMBER|NAME", default_value = "1")]
    pub(crate) variant: String,

    /// List the samples of the format, or of every format, and write nothing
    #[arg(long)]
    pub(crate) list: bool,
}
