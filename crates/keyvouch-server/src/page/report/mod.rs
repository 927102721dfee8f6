//! A report, from the verdict down to the bytes.

mod checks;
mod decisions;
mod facts;
mod raw;
mod statement;
mod verdict;

pub(super) use self::raw::decode;
pub(super) use self::statement::format_title;
pub(super) use self::verdict::label;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use keyvouch_record::Bundle;
use keyvouch_store::{Role, Stored};
use maud::{Markup, html};

use self::statement::StatementPlace;
use super::again::can_be_judged_again;
use super::layout::{Page, Place, page};
use super::view::Report;
use crate::api::{self, Form, Named, in_form, look_up};
use crate::auth::Caller;
use crate::problem::Problem;
use crate::service::Service;

/// The page of a recorded appraisal.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Page, Problem> {
    let seen = look_up(&service, &caller, &id).await?;
    let bundle = service.store.bundle(&id).await?;
    of_record(&service, &caller, &seen.stored, &seen.submitter, bundle).await
}

/// The page of a record, for whoever may see it.
pub(crate) async fn of_record(
    service: &Arc<Service>,
    caller: &Caller,
    stored: &Stored,
    submitter: &str,
    bundle: Bundle,
) -> Result<Page, Problem> {
    let decoding = service.compute(move |service| {
        let decoded = raw::decode(&service.verifier, &bundle.case);
        Ok((bundle, decoded))
    });
    let (bundle, decoded) = decoding.await?;
    let report = Report::read(&bundle.report)?;
    let record = Recorded {
        stored,
        submitter,
        bundle: &bundle,
        log: service.log_key.name(),
        whole: caller.must_be(Role::Read).is_ok(),
    };
    let shown =
        Shown { report: &report, decoded: decoded.as_ref().map_err(String::as_str), record: Some(record) };
    Ok(page(Place::Record, &shown.title(), &shown.contents()))
}

/// The recorded report, to keep.
pub(super) async fn json(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    look_up(&service, &caller, &id).await?;
    let report = service.store.bundle(&id).await?.report;
    Ok((kept("application/json", &format!("{id}.json"))?, report).into_response())
}

/// The signed result, to keep.
pub(super) async fn signed(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let mut response = in_form(&service, &caller, &id, Form::Ear).await?;
    let kept = kept("application/eat+jwt", &format!("{id}.jwt"))?;
    response.headers_mut().extend(kept);
    Ok(response)
}

/// The report as one page, to keep.
pub(super) async fn one_page(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let page = api::one_page(&service, &caller, &id).await?;
    Ok((kept("text/html; charset=utf-8", &format!("{id}.html"))?, page).into_response())
}

/// Headers of what browsers keep in a file.
fn kept(kind: &'static str, name: &str) -> Result<HeaderMap, Problem> {
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .map_err(|e| Problem::internal(&e))?;
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, name)];
    Ok(headers.into_iter().collect())
}

/// What is shown of an appraisal.
pub(super) struct Shown<'a> {
    pub(super) report: &'a Report,
    /// The evidence, decoded; or why it cannot be.
    pub(super) decoded: Result<&'a serde_json::Value, &'a str>,
    /// The record; nothing when it is not recorded.
    pub(super) record: Option<Recorded<'a>>,
}

/// Where an appraisal is recorded.
pub(super) struct Recorded<'a> {
    pub(super) stored: &'a Stored,
    pub(super) submitter: &'a str,
    pub(super) bundle: &'a Bundle,
    /// The name of the log.
    pub(super) log: &'a str,
    /// Whether the caller may see what is the operator's.
    pub(super) whole: bool,
}

impl Shown<'_> {
    /// All of it.
    pub(super) fn contents(&self) -> Markup {
        let report = self.report;
        let several = report.appraisals.len() > 1;
        let request = report.inputs.iter().any(|input| input.role == "request");
        html! {
            (verdict::banner(report))
            (verdict::reasons(report))
            @for (number, appraisal) in (1_usize..).zip(&report.appraisals) {
                @let place = StatementPlace { number, several, request, sample: self.record.is_none() };
                @if several {
                    section.statement aria-labelledby=(place.id("statement")) {
                        h2 id=(place.id("statement")) {
                            "Statement " (number) " of " (report.appraisals.len()) ": " (statement::format_title(&appraisal.format))
                        }
                        (statement::statement(place, appraisal))
                    }
                } @else {
                    (statement::statement(place, appraisal))
                }
            }
            (facts::files(report, self.record.as_ref()))
            (raw::decoded(self.decoded))
            @if let Some(record) = &self.record {
                (facts::record(report, record))
                (facts::again(record, can_be_judged_again(record.bundle)))
            }
        }
    }

    /// The title of the page.
    pub(super) fn title(&self) -> String {
        format!("{}: {}", verdict::title(self.report.verdict.as_deref()), verdict::subject(self.report))
    }
}
