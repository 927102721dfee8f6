//! Handing in evidence, and the answer to it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use keyvouch::Time;
use keyvouch_store::Role;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::negotiate::Form;
use super::{document, signed};
use crate::auth::Caller;
use crate::intake::{AppraisalRequest, Intake};
use crate::page;
use crate::problem::Problem;
use crate::service::Service;

/// A recorded appraisal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope {
    /// The id of the record.
    #[schema(example = "019b2f04-4b4a-7d3c-9d0b-3f6f0c2c7f10")]
    pub(crate) id: String,
    /// Its place in the log, from 0.
    pub(crate) leaf: u64,
    /// When it was recorded.
    #[schema(format = DateTime)]
    pub(crate) recorded_at: String,
    /// Who asked: the name of the token or certificate.
    pub(crate) submitter: String,
    /// The verdict of all policies; nothing when none judged.
    #[schema(schema_with = document::verdict)]
    pub(crate) verdict: Option<String>,
    /// The report, byte for byte as it was recorded.
    #[schema(schema_with = document::report)]
    pub(crate) report: Box<RawValue>,
}

impl Envelope {
    /// Puts the recorded bytes of a report into it.
    pub(crate) fn new(
        id: String,
        leaf: u64,
        recorded_at: i64,
        submitter: String,
        report: Vec<u8>,
    ) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Verdict {
            verdict: Option<String>,
        }
        let report = String::from_utf8(report).map_err(|e| Problem::internal(&e))?;
        let Verdict { verdict } = serde_json::from_str(&report).map_err(|e| Problem::internal(&e))?;
        let report = RawValue::from_string(report).map_err(|e| Problem::internal(&e))?;
        Ok(Self { id, leaf, recorded_at: time(recorded_at), submitter, verdict, report })
    }
}

/// Milliseconds since 1970 as text, to the second: as in the labels of a record.
pub(crate) fn time(milliseconds: i64) -> String {
    Time::from_unix(milliseconds.div_euclid(1000)).to_string()
}

/// The address of a record.
pub(crate) fn address(id: &str) -> String {
    format!("/v1/appraisals/{id}")
}

/// An answer in the form that was asked for.
pub(crate) fn answer(form: Form, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, form.media_type()),
        (header::VARY, header::ACCEPT.to_string()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, body).into_response()
}

/// Have evidence judged.
///
/// Judges the evidence, records everything that the answer rests on, and answers. A completed appraisal is answered with
/// 200 whatever its verdict; look at `verdict`. When an error is answered, nothing was recorded, and a challenge that was
/// named is used up only if the error is about the evidence itself.
///
/// As a form (`multipart/form-data`), `evidence`, `policy` and `option` may stand there several times.
#[utoipa::path(
    post, path = "/v1/appraisals", tag = "Appraisals", operation_id = "appraise",
    request_body(
        description = "The evidence, and what it is to be judged against.",
        content((AppraisalRequest = "application/json"), (document::AppraisalForm = "multipart/form-data")),
    ),
    responses((
        status = 200, description = "The appraisal is complete and on record.",
        headers(("Location" = String, description = "The address of the record.")),
        content(
            (Envelope = "application/json"),
            (String = "text/html"),
            (String = "application/eat+jwt"),
        ),
    )),
    extensions(("x-problems" = json!([400, 403, 406, 408, 409, 413, 415, 422]))),
    security(("bearer" = [])),
)]
pub(crate) async fn appraise(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    caller.must_be(Role::Submit)?;
    // Before anything is recorded.
    let form = Form::wanted(&headers)?;
    let intake = Intake::read(request, service.config.limits.request_bytes).await?;
    let done = service.appraise(intake, &caller.name).await?;
    let location = [(header::LOCATION, address(&done.receipt.id))];
    let response = match form {
        Form::Json => {
            let receipt = done.receipt;
            let envelope = Envelope::new(receipt.id, receipt.leaf, done.recorded_at, caller.name, done.json)?;
            answer(form, serde_json::to_vec(&envelope).map_err(|e| Problem::internal(&e))?)
        }
        Form::Html => {
            let id = &done.receipt.id;
            let (stored, bundle) = (service.store.stored(id).await?, service.store.bundle(id).await?);
            answer(form, page::of_record(&service, &caller, &stored, &caller.name, bundle).await?)
        }
        Form::Ear => answer(form, signed::result(&service, &done.report, done.nonce.as_deref())?),
    };
    Ok((location, response).into_response())
}
