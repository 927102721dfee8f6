//! What is asked, as a form with files.

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request};
use axum::http::StatusCode;
use keyvouch::submission::known_option;
use keyvouch::{File, OptionKind};
use serde_json::Value;

use super::{Activation, Intake, MAX_NAMES, challenge_id, read_time, too_large, unprocessable};
use crate::problem::{Kind, Problem};

/// Every field there is.
const FIELDS: &str = "evidence, request, policy, nonce, challenge, at, option, tpm_challenge, tpm_answer";

/// The fields that stand once.
#[derive(Default)]
struct Single {
    request: Option<File>,
    nonce: Option<String>,
    challenge: Option<String>,
    at: Option<String>,
    tpm_challenge: Option<String>,
    tpm_answer: Option<Vec<u8>>,
}

impl Intake {
    /// Reads a form. At most so many bytes.
    ///
    /// # Errors
    /// Names the field that is not understood.
    pub(super) async fn of_form(mut request: Request, most: usize) -> Result<Self, Problem> {
        DefaultBodyLimit::max(most).apply(&mut request);
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(|e| Problem::new(Kind::Malformed, format!("{}.", e.body_text())))?;
        let mut intake = Self::default();
        let mut single = Single::default();
        while let Some(field) = form.next_field().await.map_err(|e| broken(&e, most))? {
            intake.take(&mut single, field, most).await?;
        }
        intake.request = single.request;
        intake.set_freshness(single.nonce, single.challenge)?;
        intake.at = single.at.as_deref().map(read_time).transpose()?;
        intake.activation = match (single.tpm_challenge, single.tpm_answer) {
            (None, None) => None,
            (Some(id), Some(answer)) => Some(Activation { challenge: challenge_id(id)?, answer }),
            _ => {
                return Err(unprocessable(
                    "`tpm_challenge` and `tpm_answer` belong together: the id of the challenge, and what the TPM made of it.",
                ));
            }
        };
        intake.complete()
    }

    async fn take(&mut self, single: &mut Single, field: Field<'_>, most: usize) -> Result<(), Problem> {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let bytes = field.bytes().await.map_err(|e| broken(&e, most))?;
        let text = || match String::from_utf8(bytes.to_vec()) {
            Ok(text) if text.is_empty() => {
                Err(unprocessable(format!("Field `{name}` is empty: leave it out.")))
            }
            Ok(text) => Ok(text),
            Err(_) => Err(unprocessable(format!("Field `{name}` is not text (UTF-8)."))),
        };
        let file = || match &file_name {
            Some(file_name) => Ok(File::new(file_name, bytes.to_vec())),
            None => Err(unprocessable(format!("Field `{name}` is a file: send it with its file name."))),
        };
        match name.as_str() {
            "evidence" => self.add_evidence(file()?)?,
            "request" => once(&mut single.request, &name, file()?)?,
            "policy" => self.add_policy(text()?)?,
            "option" => self.add_option(&text()?)?,
            "nonce" => once(&mut single.nonce, &name, text()?)?,
            "challenge" => once(&mut single.challenge, &name, text()?)?,
            "at" => once(&mut single.at, &name, text()?)?,
            "tpm_challenge" => once(&mut single.tpm_challenge, &name, text()?)?,
            "tpm_answer" => once(&mut single.tpm_answer, &name, bytes.to_vec())?,
            _ => {
                return Err(unprocessable(format!("There is no field {name:?}; there are: {FIELDS}.")));
            }
        }
        Ok(())
    }

    /// Adds an option as the command reads it: a list may stand there several times.
    fn add_option(&mut self, text: &str) -> Result<(), Problem> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => (name.trim(), value),
            _ => return Err(unprocessable("Field `option`: write it as KEY=VALUE.")),
        };
        let value = OptionKind::read(known_option(name).map(|option| option.kind), value);
        let full = self.options.len() >= MAX_NAMES;
        match (self.options.get_mut(name), value) {
            (None, _) if full => {
                return Err(unprocessable(format!("There are more than {MAX_NAMES} options.")));
            }
            (None, value) => drop(self.options.insert(name.to_owned(), value)),
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (Some(_), _) => {
                return Err(unprocessable(format!(
                    "Option {name:?} is given twice; only options that take a list can be repeated."
                )));
            }
        }
        Ok(())
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(unprocessable(format!("Field `{name}` is there twice."))),
    }
}

fn broken(error: &MultipartError, most: usize) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(most);
    }
    Problem::new(Kind::Malformed, format!("The form cannot be read: {}.", error.body_text()))
}
