//! The headers that every answer has.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Headers of every answer whose handler did not set them.
const ALWAYS: &[(&str, &str)] = &[
    // What comes from this service, and nothing else; no frames, no plugins, no scripts or styles within the page.
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Addresses may name serial numbers.
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    ),
    ("cache-control", "no-store"),
];

/// A year.
const HTTPS_ONLY: (&str, &str) = ("strict-transport-security", "max-age=31536000");

pub(super) fn of(secure: bool) -> Vec<(HeaderName, HeaderValue)> {
    let all = ALWAYS.iter().chain(secure.then_some(&HTTPS_ONLY));
    all.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

pub(super) async fn add(
    State(all): State<Arc<Vec<(HeaderName, HeaderValue)>>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in all.iter() {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    response
}
