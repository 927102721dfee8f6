//! Why a provider could not be asked, or its answer does not count. No error holds anything of a credential, nor text of
//! an answer beyond a word of AWS's or Microsoft's own.

use keyvouch::checks::CheckRecord;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A credential is not in the environment.
    #[error("the environment variable {0} is not set; it must hold the credential of whoever asks")]
    NoCredential(&'static str),
    /// A credential that cannot be written into a header.
    #[error("the credential in {0} is out of form: it has characters that no such credential has")]
    BadCredential(&'static str),
    /// Not the full ARN of a key.
    #[error(
        "this is not the ARN of a key: write arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias or a bare id (`aws kms describe-key` shows it)"
    )]
    NotAnArn,
    /// Not the identifier of a key version.
    #[error("this is not the identifier of a key version: {0}; `az keyvault key show` prints it as key.kid")]
    NotAKid(String),
    /// The nonce is not one.
    #[error("the nonce is not 16 to 64 bytes in lower-case hexadecimal, as the CA gives it out")]
    BadNonce,
    /// An address that is not allowed in the place of the provider's.
    #[error(
        "{0:?} is no endpoint: write https://HOST/, or http:// with an address of this machine for tests"
    )]
    BadEndpoint(String),
    /// An envelope that is not sent.
    #[error("the envelope is not sent: {}", faults(.0))]
    Refused(Vec<CheckRecord>),
    /// An envelope that was sent before.
    #[error(
        "the envelope is not sent: it was sent before, and each is good for one time; ask the subscriber for a new one"
    )]
    Spent,
    /// The memory of what was sent cannot be kept.
    #[error("the list of what was sent cannot be read or written: {0}; without it nothing is sent")]
    Memory(std::io::Error),
    /// Nobody answered.
    #[error("no answer from {host}: {why}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// The provider said no.
    #[error("{host} refused {operation}: HTTP {status}{}{}", bracketed(.code), advice(.code))]
    Status {
        /// Who was asked.
        host: String,
        /// For what.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// The provider's own word for it.
        code: String,
    },
    /// An answer that is none.
    #[error("the answer of {host} to {operation} does not count: {why}")]
    Answer {
        /// Who was asked.
        host: String,
        /// For what.
        operation: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The machine gives no random bytes.
    #[error("this machine gives no random bytes")]
    Random,
}

fn faults(failed: &[CheckRecord]) -> String {
    let each = failed.iter().map(|c| {
        let advice = c.advice.as_deref().unwrap_or_default();
        format!("{} [{}]. {advice}", c.detail, c.id)
    });
    each.collect::<Vec<_>>().join(" ")
}

fn bracketed(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(" ({code})") }
}

fn advice(code: &str) -> &'static str {
    match code {
        "AccessDeniedException" => "; the signer needs kms:DescribeKey and kms:GetPublicKey on this key",
        "NotFoundException" => "; look at the ARN: there is no such key in this Region",
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignatureException" => {
            "; the requests were changed after they were signed, or the secret is not that of the access key: make the envelope again"
        }
        "ExpiredTokenException" | "UnrecognizedClientException" | "InvalidClientTokenId" => {
            "; the credentials are not in force: make the envelope again with credentials that are"
        }
        "KMSInvalidStateException" | "DisabledException" => {
            "; the key is disabled or is to be deleted: enable it and make the envelope again"
        }
        "Unauthorized" => {
            "; the token is not in force or not for https://vault.azure.net: `az account get-access-token --resource https://vault.azure.net`"
        }
        "Forbidden" => {
            "; the principal that asks needs the role Key Vault Reader (or the key permission get) on this key, and a network from which the vault can be reached"
        }
        "KeyNotFound" => "; look at the name and the version of the key",
        _ => "",
    }
}
