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

use axum::extract::{Path, State};
use keyvouch_record::Bundle;
use keyvouch_store::{Role, Stored};
use maud::{Markup, html};

use super::again::can_be_judged_again;
use super::layout::{Page, Place, page};
use super::view::Report;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::service::Service;

/// The page of a recorded appraisal.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Page, Problem> {
    let stored = service.store.stored(&id).await?;
    // Here too: a record that is gone says so.
    let bundle = service.store.bundle(&id).await?;
    may_see(&caller, &bundle)?;
    let decoding = (Arc::clone(&service), bundle);
    let decoded = tokio::task::spawn_blocking(move || {
        let (service, bundle) = decoding;
        let view = raw::decode(&service.verifier, &bundle.case);
        (bundle, view)
    });
    let (bundle, decoded) = decoded.await.map_err(|e| Problem::internal(&e))?;
    let report = Report::read(&bundle.report)?;
    let shown = Shown {
        report: &report,
        decoded: decoded.as_ref().map_err(String::as_str),
        record: Some(Recorded { stored: &stored, bundle: &bundle, log: service.log_key.name() }),
    };
    Ok(page(Place::Record, &shown.title(), &shown.contents()))
}

/// # Errors
/// When the caller neither handed it in nor may read all records.
pub(super) fn may_see(caller: &Caller, bundle: &Bundle) -> Result<(), Problem> {
    if bundle.labels.get("submitter") == Some(&caller.name) {
        return caller.must_be(Role::Submit);
    }
    caller.must_be(Role::Read)
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
    pub(super) bundle: &'a Bundle,
    /// The name of the log.
    pub(super) log: &'a str,
}

impl Shown<'_> {
    /// All of it.
    pub(super) fn contents(&self) -> Markup {
        let report = self.report;
        let several = report.appraisals.len() > 1;
        html! {
            (verdict::banner(report))
            (verdict::reasons(report))
            @for (number, appraisal) in (1_usize..).zip(&report.appraisals) {
                @if several {
                    section.statement aria-labelledby=(format!("statement-{number}")) {
                        h2 id=(format!("statement-{number}")) {
                            "Statement " (number) " of " (report.appraisals.len()) ": " (statement::format_title(&appraisal.format))
                        }
                        (statement::statement(number, appraisal))
                    }
                } @else {
                    (statement::statement(number, appraisal))
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
