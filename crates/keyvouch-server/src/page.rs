//! The page for people.

use std::sync::Arc;

use axum::Router;

use crate::service::Service;

/// The routes of the page.
pub(crate) fn routes() -> Router<Arc<Service>> {
    Router::new()
}
