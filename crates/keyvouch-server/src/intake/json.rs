//! What is asked, as JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyvouch::File;
use keyvouch::input::parse_json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Activation, Intake, MAX_NAME, MAX_NAMES, challenge_id, read_time, unprocessable};
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

/// A file: its name, and its content.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedFile {
    name: String,
    content: Option<String>,
    text: Option<String>,
}

impl ToSchema for NamedFile {}

impl PartialSchema for NamedFile {
    fn schema() -> RefOr<Schema> {
        let nothing = || Object::with_type(Type::Null);
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some("Its text."));
        // Either of the two, and not both.
        let with = |content: RefOr<Schema>, text: RefOr<Schema>, required: &str| {
            let name = ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some(NAME))
                .max_length(Some(MAX_NAME))
                .description(Some("What the report calls it. No control characters."));
            ObjectBuilder::new()
                .property("name", name)
                .required("name")
                .property("content", content)
                .property("text", text)
                .required(required)
                .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let of_bytes = with(base64().into(), nothing().into(), "content");
        let of_text = with(nothing().into(), text.into(), "text");
        OneOfBuilder::new()
            .item(of_bytes)
            .item(of_text)
            .description(Some("A file: its name, and its content as base64 or, when it is text, as it is."))
            .examples([json!({"name": "attestation.pem", "text": "-----BEGIN CERTIFICATE-----\n…"})])
            .into()
    }
}

/// A name with something in it that can be seen, and no control characters.
const NAME: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u001f\u007f-\u009f\s][^\u0000-\u001f\u007f-\u009f]*$";

/// The schema of bytes in JSON.
pub(crate) fn base64() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .content_encoding("base64")
        .pattern(Some("^([0-9A-Za-z+/]{4})*([0-9A-Za-z+/][AQgw]==|[0-9A-Za-z+/]{2}[AEIMQUYcgkosw048]=)?$"))
        .description(Some("Its bytes, as base64 (RFC 4648, section 4), without line breaks."))
        .build()
}

/// The answer of a TPM to a challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TpmAnswer {
    /// The id of the challenge. It is used up by being answered.
    #[schema(pattern = "^[0-9A-Za-z-]{1,64}$")]
    challenge: String,
    /// What `tpm2_activatecredential` wrote, as base64.
    #[schema(schema_with = base64)]
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
