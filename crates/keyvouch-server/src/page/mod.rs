//! The page for people.
//!
//! HTML made here, a style sheet and a small script beside it: nothing from elsewhere, nothing that a browser must run to
//! show it. The script only makes things easier; every form works without it.
//!
//! What stands in a report comes from strangers. Every text is escaped by the templates, and [`text::clean`] takes out
//! first what would turn the direction of writing.

mod about;
mod again;
mod appraise;
mod assets;
mod browse;
mod errors;
mod form;
mod guides;
mod layout;
mod login;
mod markdown;
mod query;
mod report;
mod samples;
mod text;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::service::Service;

pub(crate) use errors::for_people;
pub(crate) use report::of_record;

/// The most bytes of a form without files.
const SMALL_FORM: usize = 64 << 10;

/// The routes of the page.
pub(crate) fn routes(service: &Service) -> Router<Arc<Service>> {
    let whole = DefaultBodyLimit::max(service.config.limits.request_bytes);
    let small = DefaultBodyLimit::max(SMALL_FORM);
    Router::new()
        .route("/", get(form::empty))
        .route("/appraise", post(appraise::hand_in).layer(whole))
        .route("/appraisals", get(browse::records))
        .route("/appraisals/{id}", get(report::show))
        .route("/appraisals/{id}/report.json", get(report::json))
        .route("/appraisals/{id}/report.html", get(report::one_page))
        .route("/appraisals/{id}/result.jwt", get(report::signed))
        .route("/appraisals/{id}/again", post(again::judge).layer(small))
        .route("/devices", get(guides::all))
        .route("/devices/{name}", get(guides::device))
        .route("/docs/{name}", get(guides::beside))
        .route("/samples", get(samples::all).post(samples::show).layer(small))
        .route("/samples/files", post(samples::files).layer(small))
        .route("/about", get(about::show))
        .route("/login", get(login::show))
        .route("/assets/{name}", get(assets::file))
}
