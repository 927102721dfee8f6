//! Everything under one roof: the API, the page, and what is around both.

use std::sync::Arc;

use axum::Router;

use crate::service::Service;
use crate::{api, auth, limits, measure, page};

/// The service as one handler of HTTP requests.
pub fn router(service: Arc<Service>) -> Router {
    let (api, _) = api::routes().split_for_parts();
    let inner = api.merge(page::routes(&service)).merge(auth::routes()).merge(measure::routes());
    // From the inside out: a request meets the limits first, then who asks is found out.
    let whole = limits::around(auth::around(inner, &service), &service);
    whole.layer(axum::middleware::from_fn(page::for_people)).with_state(service)
}
