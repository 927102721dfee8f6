//! What is asked: evidence, and what it is to be judged against.

mod form;
mod json;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use keyvouch::{File, Time};
use serde_json::{Map, Value};

use crate::problem::{Kind, Problem};

pub(crate) use json::{AppraisalRequest, base64, decode, read as read_json};

/// The most files of one kind in a request.
pub(crate) const MAX_FILES: usize = 64;
/// The most policies, and the most options, in a request.
pub(crate) const MAX_NAMES: usize = 32;
/// The most characters of a file's name.
const MAX_NAME: usize = 255;
/// The most bytes of JSON that are read where they came in.
const SMALL: usize = 256 << 10;
/// The most bytes of a nonce.
const MAX_NONCE: usize = 1_024;

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

impl Intake {
    /// Reads the body of a request: JSON, or a form with files. At most so many bytes.
    ///
    /// # Errors
    /// Names the member or field that is not understood.
    pub(crate) async fn read(request: Request, most: usize) -> Result<Self, Problem> {
        match content_type(request.headers()).as_deref() {
            Some("application/json") => {
                let bytes = body(request.into_body(), most).await?;
                if bytes.len() <= SMALL {
                    return Self::of_json(&bytes);
                }
                // Much JSON takes long to read: others are not to wait for it.
                let reading = tokio::task::spawn_blocking(move || Self::of_json(&bytes));
                reading.await.map_err(|e| Problem::internal(&e))?
            }
            Some("multipart/form-data") => Self::of_form(request, most).await,
            other => Err(media_type(other, "application/json, or multipart/form-data with the files")),
        }
    }

    /// The whole, when it can be asked at all.
    pub(crate) fn complete(mut self) -> Result<Self, Problem> {
        if self.evidence.is_empty() {
            // The attestation is inside the request, or so the client says.
            self.evidence.extend(self.request.clone());
        }
        if self.evidence.is_empty() {
            return Err(unprocessable(
                "No evidence was given: hand over the files that the device or its tool wrote.",
            ));
        }
        let files = || self.evidence.iter().chain(&self.request);
        files().try_for_each(|file| check_name(&file.name))?;
        // The request may lie among the evidence too.
        if let Some(request) = &self.request
            && self.evidence.iter().any(|other| other.name == request.name && other.bytes != request.bytes)
        {
            return Err(same_name(&request.name));
        }
        Ok(self)
    }

    pub(crate) fn add_evidence(&mut self, file: File) -> Result<(), Problem> {
        if self.evidence.len() >= MAX_FILES {
            return Err(unprocessable(format!(
                "There are more than {MAX_FILES} evidence files; hand over only the evidence of one key."
            )));
        }
        if self.evidence.iter().any(|other| other.name == file.name) {
            return Err(same_name(&file.name));
        }
        self.evidence.push(file);
        Ok(())
    }

    pub(crate) fn add_policy(&mut self, name: String) -> Result<(), Problem> {
        if self.policies.contains(&name) {
            return Err(unprocessable(format!("Policy {name:?} is named twice.")));
        }
        if self.policies.len() >= MAX_NAMES {
            return Err(unprocessable(format!("There are more than {MAX_NAMES} policies.")));
        }
        self.policies.push(name);
        Ok(())
    }

    pub(crate) fn set_freshness(
        &mut self,
        nonce: Option<String>,
        challenge: Option<String>,
    ) -> Result<(), Problem> {
        self.freshness = match (nonce, challenge) {
            (None, None) => Freshness::Unasked,
            (Some(nonce), None) => Freshness::Nonce(read_nonce(&nonce)?),
            (None, Some(id)) => Freshness::Challenge(challenge_id(id)?),
            (Some(_), Some(_)) => {
                return Err(unprocessable(
                    "`nonce` and `challenge` were both given: a challenge of this service names its nonce itself.",
                ));
            }
        };
        Ok(())
    }
}

/// The type of a body, without its parameters, in lower case.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// The whole body.
pub(crate) async fn body(body: Body, most: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, most).await.map_err(|error| {
        let inner = std::error::Error::source(&error);
        if inner.is_some_and(|e| e.is::<http_body_util::LengthLimitError>()) {
            too_large(most)
        } else {
            Problem::new(Kind::Malformed, "The body of the request ended before it was complete.")
        }
    })
}

pub(crate) fn too_large(most: usize) -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!(
            "This service takes requests of at most {most} bytes; evidence is a few kilobytes, so look whether these are the right files."
        ),
    )
}

pub(crate) fn media_type(found: Option<&str>, wanted: &str) -> Problem {
    let found = found.map_or("without a Content-Type".to_owned(), |found| format!("of the type {found:?}"));
    Problem::new(Kind::MediaType, format!("The body is {found}; send {wanted}."))
}

fn unprocessable(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::Unprocessable, detail)
}

fn same_name(name: &str) -> Problem {
    unprocessable(format!(
        "Two files are called {name:?}: reports call files by their names, so give one another name."
    ))
}

fn read_nonce(text: &str) -> Result<Vec<u8>, Problem> {
    let why = match hex::decode(text) {
        Ok(bytes) if (1..=MAX_NONCE).contains(&bytes.len()) => return Ok(bytes),
        Ok(bytes) if bytes.is_empty() => "it is empty; leave it out when none was given out",
        Ok(_) => "it is longer than any nonce",
        Err(hex::FromHexError::OddLength) => {
            "it has an odd number of digits; write two hexadecimal digits for each byte"
        }
        Err(_) => "write hexadecimal digits only, such as 00ff12",
    };
    Err(unprocessable(format!("`nonce`: {why}.")))
}

fn challenge_id(id: String) -> Result<String, Problem> {
    if (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Ok(id);
    }
    Err(unprocessable("A challenge is named by the `id` that `POST /v1/challenges` answered with."))
}

pub(crate) fn read_time(text: &str) -> Result<Time, Problem> {
    text.parse().map_err(|_| {
        unprocessable("`at`: write date, time and zone as in 2026-06-01T00:00:00Z, or leave it out for now.")
    })
}

fn check_name(name: &str) -> Result<(), Problem> {
    let why = if name.trim().is_empty() {
        "a file has no name"
    } else if name.chars().count() > MAX_NAME {
        "the name of a file is longer than 255 characters"
    } else if name.chars().any(char::is_control) {
        "the name of a file has control characters"
    } else {
        return Ok(());
    };
    Err(unprocessable(format!("Reports call files by their names, and {why}: give it another.")))
}
