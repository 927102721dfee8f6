//! What is asked, as JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyvouch::File;
use keyvouch::input::parse_json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Activation, Intake, MAX_NAMES, challenge_id, read_time, unprocessable};
use crate::problem::{Kind, Problem};

/// What is to be judged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "evidence": [{"name": "attestation.pem", "text": "-----BEGIN CERTIFICATE-----\n…"}],
    "request": {"name": "request.csr", "text": "-----BEGIN CERTIFICATE REQUEST-----\n…"},
    "policies": ["hardware-key"],
}))]
pub(crate) struct AppraisalRequest {
    /// The files that the device or its tool wrote, in any order; the verifier finds out what each is. May be left out
    /// when the request carries the attestation. No two have the same name.
    #[serde(default)]
    #[schema(max_items = 64)]
    evidence: Vec<NamedFile>,
    /// The certification request, certificate or public key that must hold the attested key. When it is left out and one
    /// file of the evidence is a certification request, that is used. Without any, the evidence must be about one key.
    request: Option<NamedFile>,
    /// Names of the policies to judge by; those of the service when there is none.
    #[serde(default)]
    #[schema(max_items = 32)]
    policies: Vec<String>,
    /// The nonce that you had given out and that the evidence must answer, hexadecimal. You see to it that it is used once.
    #[schema(pattern = "^([0-9a-fA-F]{2})+$", max_length = 2048)]
    nonce: Option<String>,
    /// In place of a nonce: the id of one that this service gave out. It is used up by being named.
    #[schema(pattern = "^[0-9A-Za-z-]{1,64}$")]
    challenge: Option<String>,
    /// The time at which to judge, when the service lets clients say it; otherwise now.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// Options that the service lets clients set, such as `declared_device`.
    #[serde(default)]
    #[schema(value_type = Object)]
    options: Map<String, Value>,
    /// The answer of a TPM to a challenge of this service.
    tpm: Option<TpmAnswer>,
}

/// A file: its name, and its content as base64 or, when it is text, as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "attestation.pem", "text": "-----BEGIN CERTIFICATE-----\n…"}))]
pub(crate) struct NamedFile {
    /// What the report calls it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Its bytes, as base64 (RFC 4648, section 4). Either this or `text`.
    #[schema(content_encoding = "base64")]
    content: Option<String>,
    /// Its text. Either this or `content`.
    text: Option<String>,
}

/// The answer of a TPM to a challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TpmAnswer {
    /// The id of the challenge. It is used up by being answered.
    #[schema(pattern = "^[0-9A-Za-z-]{1,64}$")]
    challenge: String,
    /// What `tpm2_activatecredential` wrote, as base64.
    #[schema(content_encoding = "base64")]
    answer: String,
}

impl Intake {
    /// Reads JSON.
    pub(super) fn of_json(bytes: &[u8]) -> Result<Self, Problem> {
        let asked: AppraisalRequest = read(bytes)?;
        let mut intake = Self { options: asked.options, ..Self::default() };
        if intake.options.len() > MAX_NAMES {
            return Err(unprocessable(format!("There are more than {MAX_NAMES} options.")));
        }
        for file in asked.evidence {
            intake.add_evidence(file.read()?)?;
        }
        intake.request = asked.request.map(NamedFile::read).transpose()?;
        for name in asked.policies {
            intake.add_policy(name)?;
        }
        intake.set_freshness(asked.nonce, asked.challenge)?;
        intake.at = asked.at.as_deref().map(read_time).transpose()?;
        if let Some(tpm) = asked.tpm {
            let answer = decode("tpm.answer", &tpm.answer)?;
            intake.activation = Some(Activation { challenge: challenge_id(tpm.challenge)?, answer });
        }
        intake.complete()
    }
}

impl NamedFile {
    fn read(self) -> Result<File, Problem> {
        let Self { name, content, text } = self;
        match (content, text) {
            (Some(content), None) => {
                let bytes = decode(&format!("content of {name:?}"), &content)?;
                Ok(File::new(name, bytes))
            }
            (None, Some(text)) => Ok(File::new(name, text)),
            _ => Err(unprocessable(format!(
                "File {name:?}: give either `content` (base64) or `text`, and not both."
            ))),
        }
    }
}

/// Reads JSON without members that are not known or stand there twice.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = |why: &dyn std::fmt::Display| {
        Problem::new(Kind::Malformed, format!("The JSON of the body is not what it should be: {why}."))
    };
    // Twice the same member in one object: who reads it otherwise would see another request.
    let value: Value = parse_json(bytes).map_err(|e| malformed(&e))?;
    serde_json::from_value(value).map_err(|e| malformed(&e))
}

pub(crate) fn decode(what: &str, text: &str) -> Result<Vec<u8>, Problem> {
    BASE64_STANDARD.decode(text).map_err(|_| {
        unprocessable(format!(
            "The {what} is not base64 (RFC 4648, section 4, with padding and without line breaks)."
        ))
    })
}
