//! What keeps one client from taking the service away from the others, and the headers that every answer has.

mod headers;
mod load;
mod rate;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Response, StatusCode, Version, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use crate::logging;
use crate::problem::{Kind, Problem};
use crate::service::Service;

pub(crate) use load::Load;
pub(crate) use rate::{Client, Rates};

/// Answers that are smaller are not made smaller.
const WORTH_COMPRESSING: u64 = 1_024;

/// Routes that tell whether the service lives. They are answered also when everything else must wait.
pub(crate) fn is_watch(path: &str) -> bool {
    ["/healthz", "/readyz", "/metrics"].contains(&path)
}

/// Puts the limits around all routes.
pub(crate) fn around(inner: Router<Arc<Service>>, service: &Arc<Service>) -> Router<Arc<Service>> {
    // From the inside out.
    inner
        .layer(from_fn(load::no_coding))
        // The measure of a body is taken in `load`, for all routes alike.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(service), load::carry))
}

/// Puts around everything what every answer has: the form in which it goes out, its headers, its line in the log.
pub(crate) fn outermost(inner: Router<Arc<Service>>, service: &Arc<Service>) -> Router<Arc<Service>> {
    let worth = SizeAbove::new(WORTH_COMPRESSING).and(compressible);
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth);
    let headers = Arc::new(headers::of(service.keeper.is_secure()));
    inner.layer(compression).layer(from_fn_with_state(headers, headers::add)).layer(from_fn(logging::watch))
}

/// Text only: what else there is (bundles, images) is compressed already. No answer holds both a secret and what a
/// stranger can put into it, so that lengths tell nothing.
fn compressible(_: StatusCode, _: Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_text = kind.starts_with("text/") && kind != "text/event-stream";
    is_text || kind.ends_with("/json") || kind.ends_with("+json") || kind == "image/svg+xml"
}

/// Answers when a handler panicked. What it said is not told and not logged: it may be evidence.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<axum::body::Body> {
    tracing::error!("a handler panicked");
    Problem::new(
        Kind::Internal,
        "The service failed at this request. That is a fault in keyvouch: please report it.",
    )
    .into_response()
}
