//! Everything under one roof: the API, the page, and what is around both.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;

use crate::service::Service;
use crate::{api, auth, limits, measure, page};

/// The service as one handler of HTTP requests.
pub fn router(service: Arc<Service>) -> Router {
    let (api, _) = api::routes().split_for_parts();
    let inner = api
        .merge(page::routes(&service))
        .merge(auth::routes())
        .merge(measure::routes())
        .fallback(api::nothing_here)
        .method_not_allowed_fallback(api::no_such_method);
    // From the inside out: a request meets the limits first, then who asks is found out.
    let limited = limits::around(auth::around(inner, &service), &service);
    // What was refused there is a page to people, with the headers that every answer has.
    let readable = limited.layer(from_fn(page::for_people));
    limits::outermost(readable, &service).with_state(service)
}
