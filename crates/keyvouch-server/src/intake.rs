//! What is asked: evidence, and what it is to be judged against.

use keyvouch::{File, Time};
use serde_json::{Map, Value};

/// What a client asks to be judged. Everything in it is the client's word.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// Evidence files, in any order.
    pub(crate) evidence: Vec<File>,
    /// What must hold the attested key.
    pub(crate) request: Option<File>,
    /// Names of policies; those of the configuration when there is none.
    pub(crate) policies: Vec<String>,
    /// How the evidence is fresh.
    pub(crate) freshness: Freshness,
    /// The time at which to judge; now when there is none.
    pub(crate) at: Option<Time>,
    /// Options that a client may set.
    pub(crate) options: Map<String, Value>,
    /// The answer of a TPM to a credential challenge of this service.
    pub(crate) activation: Option<Activation>,
}

/// How evidence is fresh.
#[derive(Debug, Default)]
pub(crate) enum Freshness {
    /// Nobody asked.
    #[default]
    Unasked,
    /// The client gave out this nonce, and sees to it that it is used once.
    Nonce(Vec<u8>),
    /// The service gave out a nonce under this id. It is used up by being named.
    Challenge(String),
}

/// The answer of a TPM to a credential challenge.
#[derive(Debug)]
pub(crate) struct Activation {
    /// The id of the challenge. It is used up by being answered.
    pub(crate) challenge: String,
    /// What the TPM made of it.
    pub(crate) answer: Vec<u8>,
}
