//! What the form hands in.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::multipart::{Field as Part, MultipartError, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use keyvouch::submission::known_option;
use keyvouch::{File, OptionKind};
use keyvouch_store::Role;

use super::form::form;
use crate::auth::Caller;
use crate::intake::{Intake, read_time};
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// What begins the names of fields that are options.
pub(super) const OPTION: &str = "option.";

/// The most bytes of a field that is no file.
const MAX_TEXT: usize = 8 << 10;
/// The most fields, files among them.
const MAX_FIELDS: usize = 256;

/// A place in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Evidence,
    Request,
    Policies,
    Nonce,
    Challenge,
    Time,
    Options,
}

impl Field {
    /// Where it is on the page.
    pub(super) const fn target(self) -> &'static str {
        match self {
            Self::Evidence => "#evidence",
            Self::Request => "#request",
            Self::Policies => "#policies",
            Self::Nonce | Self::Options => "#nonce",
            Self::Challenge => "#challenge",
            Self::Time => "#at",
        }
    }

    /// Whether it is among those that are folded away.
    pub(super) const fn is_folded(self) -> bool {
        matches!(self, Self::Nonce | Self::Challenge | Self::Time | Self::Options)
    }
}

/// What is wrong with what was entered, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) field: Field,
    pub(super) why: String,
    pub(super) status: StatusCode,
}

impl Fault {
    fn new(field: Field, why: impl Into<String>) -> Self {
        Self { field, why: why.into(), status: StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// A problem of the service with what was asked, at the place that it is about. Others are no fault of the form.
    fn of(problem: Problem, entered: &Entered) -> Result<Self, Problem> {
        let status = problem.status();
        let field = match status {
            StatusCode::CONFLICT => Field::Challenge,
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                let is_about = |name: &String| problem.detail().contains(name.as_str());
                if entered.options.keys().any(is_about) { Field::Options } else { Field::Evidence }
            }
            _ => return Err(problem),
        };
        Ok(Self { field, why: problem.detail().to_owned(), status })
    }
}

/// What was entered, as it was.
#[derive(Debug, Default)]
pub(super) struct Entered {
    pub(super) evidence: Vec<File>,
    pub(super) request: Option<File>,
    pub(super) policies: Vec<String>,
    pub(super) nonce: String,
    pub(super) challenge: String,
    pub(super) at: String,
    pub(super) options: BTreeMap<String, String>,
}

/// Judges what the form holds, and leads to the answer.
pub(super) async fn hand_in(
    State(service): State<Arc<Service>>,
    caller: Caller,
    multipart: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Submit)?;
    let multipart = multipart.map_err(|_| {
        Problem::new(Kind::MediaType, "This address takes the form of the page (multipart/form-data). Machines use POST /v1/appraisals.")
    })?;
    let mut entered = Entered::default();
    let answer = match entered.read(multipart).await.and_then(|()| entered.intake(&service)) {
        Err(fault) => Err(fault),
        Ok(intake) => match service.appraise(intake, &caller.name).await {
            Ok(appraised) => Ok(appraised),
            Err(problem) => Err(Fault::of(problem, &entered)?),
        },
    };
    Ok(match answer {
        Ok(appraised) => Redirect::to(&format!("/appraisals/{}", appraised.receipt.id)).into_response(),
        Err(fault) => form(&service, &entered, Some(&fault)).into_response(),
    })
}

impl Entered {
    /// Whether something is entered of what is folded away.
    pub(super) fn has_more(&self) -> bool {
        let texts = [&self.nonce, &self.challenge, &self.at];
        texts.into_iter().chain(self.options.values()).any(|text| !text.is_empty())
    }

    /// Reads the parts of the form.
    async fn read(&mut self, mut form: Multipart) -> Result<(), Fault> {
        let broken = |why: MultipartError| Fault {
            status: why.status(),
            ..Fault::new(
                Field::Evidence,
                match why.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => {
                        "The files are larger than this service takes. Hand in only what the device wrote."
                            .to_owned()
                    }
                    _ => format!("The form did not arrive whole: {}.", why.body_text()),
                },
            )
        };
        let mut fields = 0_usize;
        while let Some(part) = form.next_field().await.map_err(broken)? {
            fields = fields.saturating_add(1);
            if fields > MAX_FIELDS {
                return Err(Fault::new(
                    Field::Evidence,
                    format!("There are more than {MAX_FIELDS} files and fields. Pack them into a ZIP file."),
                ));
            }
            match part.name().unwrap_or_default().to_owned().as_str() {
                "evidence" => self.evidence.extend(file(part).await.map_err(broken)?),
                "request" => {
                    let request = file(part).await.map_err(broken)?;
                    if self.request.is_some() && request.is_some() {
                        return Err(Fault::new(
                            Field::Request,
                            "There is more than one request: hand in one at a time.",
                        ));
                    }
                    self.request = self.request.take().or(request);
                }
                name => {
                    let text = part.text().await.map_err(broken)?;
                    if text.len() > MAX_TEXT {
                        return Err(Fault::new(
                            Field::Evidence,
                            format!("Field {name:?} is longer than {MAX_TEXT} bytes."),
                        ));
                    }
                    self.set(name, text.trim())?;
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        match name {
            "policy" => self.policies.push(text.to_owned()),
            "nonce" => text.clone_into(&mut self.nonce),
            "challenge" => text.clone_into(&mut self.challenge),
            "at" => text.clone_into(&mut self.at),
            name => match name.strip_prefix(OPTION) {
                Some(_) if text.is_empty() => {}
                Some(option) => drop(self.options.insert(option.to_owned(), text.to_owned())),
                // Passed over, it could have been meant to forbid something.
                None => return Err(Fault::new(Field::Evidence, format!("The form has no field {name:?}."))),
            },
        }
        Ok(())
    }

    /// What is asked, by the rules of the API. The files are taken out.
    fn intake(&mut self, service: &Service) -> Result<Intake, Fault> {
        let at = |field: Field| {
            move |problem: Problem| Fault {
                field,
                why: problem.detail().to_owned(),
                status: problem.status(),
            }
        };
        let mut intake = Intake::default();
        for file in std::mem::take(&mut self.evidence) {
            intake.add_evidence(file).map_err(at(Field::Evidence))?;
        }
        intake.request = self.request.take();
        for name in &self.policies {
            if !service.policies.contains_key(name) {
                return Err(Fault::new(Field::Policies, format!("There is no policy {name:?} here.")));
            }
            intake.add_policy(name.clone()).map_err(at(Field::Policies))?;
        }
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        // As people copy it.
        let nonce: String = self.nonce.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let wrong = if nonce.is_empty() { Field::Challenge } else { Field::Nonce };
        intake.set_freshness(given(&nonce), given(&self.challenge)).map_err(at(wrong))?;
        intake.at = given(&self.at).map(|text| read_time(&text)).transpose().map_err(at(Field::Time))?;
        let read = |(name, text): (&String, &String)| {
            (name.clone(), OptionKind::read(known_option(name).map(|option| option.kind), text))
        };
        intake.options = self.options.iter().map(read).collect();
        intake.complete().map_err(at(Field::Evidence))
    }
}

/// The file of a part; nothing when none was chosen.
async fn file(part: Part<'_>) -> Result<Option<File>, MultipartError> {
    let name = part.file_name().unwrap_or_default().to_owned();
    let bytes = part.bytes().await?;
    Ok((!name.is_empty() || !bytes.is_empty()).then(|| File::new(name, bytes)))
}
