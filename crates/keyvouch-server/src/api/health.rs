//! Whether the service lives, and whether it can answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Kind, Problem};
use crate::service::Service;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// Whether the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "Health", operation_id = "alive",
    responses((status = 200, description = "It does.", body = Health)),
)]
pub(crate) async fn alive() -> Json<Health> {
    OK
}

/// Whether the service can answer: its database does and takes records, and it was not told to stop.
#[utoipa::path(
    get, path = "/readyz", tag = "Health", operation_id = "ready",
    responses((status = 200, description = "It can.", body = Health)),
)]
pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Result<Json<Health>, Problem> {
    if service.is_stopping() {
        return Err(Problem::new(Kind::Unavailable, "The service is about to stop."));
    }
    if service.cannot_record()? {
        return Err(Problem::new(Kind::Unavailable, "The record takes nothing more: is its disk full?"));
    }
    let why: Box<dyn std::error::Error> = match tokio::time::timeout(PATIENCE, service.store.ping()).await {
        Ok(Ok(())) => return Ok(OK),
        Ok(Err(error)) => error.into(),
        Err(late) => late.into(),
    };
    tracing::warn!(error = why.as_ref(), "not ready: the database does not answer");
    Err(Problem::new(Kind::Unavailable, "The record cannot be reached."))
}
