//! Asks cloud providers about keys that attest nothing, so that a CA need not take the subscriber's word for the answer.
//!
//! The verifier core has no network, and stays so: it says what may be sent ([`keyvouch::provider`]), and judges what
//! came back (formats `aws` and `azure-key-vault`, under the operator switch `provider_fetched`). What lies between is
//! here: sign, send, and keep a record.
//!
//! * **AWS KMS**: the subscriber signs two requests and hands them over ([`aws_kms::prepare`]); the CA sends them
//!   ([`aws_kms::send`]). Or the CA asks with credentials of its own.
//! * **Azure Key Vault**: the CA asks with a token of its own principal ([`azure_key_vault::fetch`]).
//!
//! Where a question goes is never taken from what a subscriber hands in: the host is made anew from a Region or a vault
//! that was read strictly. Nothing follows a redirect or a proxy. TLS with the roots of the web and the name of the host
//! is the whole proof that the provider answered.
//!
//! Credentials are a [`Secret`]: they are not printed, and no error, answer or record holds them.

pub mod aws_kms;
pub mod azure_key_vault;
mod endpoint;
mod error;
mod http;
mod secret;
mod sigv4;
mod spent;

pub use endpoint::Endpoint;
pub use error::Error;
pub use http::Client;
pub use secret::Secret;
pub use spent::Spent;

use keyvouch::File;
use serde_json::Value;

/// What a provider answered, and how it was asked.
#[derive(Debug)]
pub struct Exchange {
    /// The answers, byte for byte, to be judged under `provider_fetched`.
    pub answers: Vec<File>,
    /// Where, when and how it was asked; without anything secret.
    pub record: Value,
}
