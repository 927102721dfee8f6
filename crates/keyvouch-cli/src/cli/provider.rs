//! `keyvouch provider`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::values::{Nonce, Pair, nonce, pair};

/// Ask the provider of a cloud service about a key that it does not attest.
///
/// AWS KMS and vaults of Azure Key Vault sign no statement about their keys. What a CA can have is the provider's answer
/// to a question that it asked itself. That is no attestation, and only policies for it accept it.
#[derive(Debug, Args)]
pub(crate) struct Provider {
    #[command(subcommand)]
    pub(crate) command: ProviderCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    Nonce(ProviderNonce),
    AwsKms(AwsKms),
    AzureKeyVault(AzureKeyVault),
}

/// For the CA: make the nonce of an order, for the subscriber's envelope.
#[derive(Debug, Args)]
pub(crate) struct ProviderNonce {
    /// The certification request of the order
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: PathBuf,

    /// The name of the CA: an envelope for one CA is of no use to another
    #[arg(long, value_name = "NAME")]
    pub(crate) ca: String,
}

/// AWS KMS.
#[derive(Debug, Args)]
pub(crate) struct AwsKms {
    #[command(subcommand)]
    pub(crate) command: AwsKmsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AwsKmsCommand {
    Prepare(AwsKmsPrepare),
    Check(AwsKmsCheck),
    Fetch(AwsKmsFetch),
}

/// For the subscriber: sign the two requests with which the CA can ask KMS about a key.
///
/// The credentials are those of the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones,
/// AWS_SESSION_TOKEN (`aws configure export-credentials --format env` prints them). They stay here; the envelope has
/// signatures that are good for these two requests and about five minutes.
#[derive(Debug, Args)]
pub(crate) struct AwsKmsPrepare {
    /// The key, by its full ARN
    #[arg(long, value_name = "ARN")]
    pub(crate) key: String,

    /// The nonce that the CA gave for this order, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Nonce,

    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "envelope.json", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

/// For the CA: check a subscriber's envelope, send it to KMS, and judge the answers.
#[derive(Debug, Args)]
#[command(after_long_help = PROVIDER_STATUS)]
pub(crate) struct AwsKmsCheck {
    /// The envelope
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) envelope: PathBuf,

    /// The nonce that was given out for this order, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub(crate) nonce: Nonce,

    /// The list of envelopes that were sent, so that none is sent twice; it is made when it is not there
    #[arg(long, value_name = "FILE", default_value = "keyvouch-spent.txt", value_hint = ValueHint::FilePath)]
    pub(crate) spent: PathBuf,

    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// For the CA: ask KMS with credentials of its own, which the subscriber let describe the key.
///
/// The credentials are those of the environment, as for `prepare`. The key policy must allow their principal
/// kms:DescribeKey and kms:GetPublicKey.
#[derive(Debug, Args)]
#[command(after_long_help = PROVIDER_STATUS)]
pub(crate) struct AwsKmsFetch {
    /// The key, by its full ARN
    #[arg(long, value_name = "ARN")]
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Azure Key Vault (vaults; a Managed HSM attests its keys).
#[derive(Debug, Args)]
pub(crate) struct AzureKeyVault {
    #[command(subcommand)]
    pub(crate) command: AzureCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AzureCommand {
    Fetch(AzureFetch),
}

/// For the CA: ask a vault about a key, and judge the answer.
///
/// The access token of the CA's own principal is that of the environment variable AZURE_ACCESS_TOKEN (`az account
/// get-access-token --resource https://vault.azure.net --query accessToken --output tsv`). The subscriber grants that
/// principal the role Key Vault Reader on the one key.
#[derive(Debug, Args)]
#[command(after_long_help = PROVIDER_STATUS)]
pub(crate) struct AzureFetch {
    /// The key, by the identifier of its version: `https://VAULT.vault.azure.net/keys/NAME/VERSION`
    #[arg(long, value_name = "KID")]
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) asking: Asking,
}

const PROVIDER_STATUS: &str = "\
Exit status:
  0  accepted, with or without findings
  1  refused; or nothing was sent, or the provider did not answer
  2  the command line is wrong, or a file cannot be read or written
  3  cannot decide: something is not known";

/// What is the same whichever provider is asked.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// What must hold the key: a certification request (PKCS#10), certificate or public key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The folder to write the record into, which must be new: the answers, how they were got, the report
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) record: PathBuf,

    /// The policy to judge by. May be repeated: the worst verdict counts
    #[arg(long, value_name = "NAME|FILE", default_value = "cabf-code-signing-provider-report")]
    pub(crate) policy: Vec<String>,

    /// Set an operator option; `keyvouch formats show ID` names them. May be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) option: Vec<Pair>,

    /// Ask at this address instead of the provider's: a private endpoint of your own, or a test
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
}
