//! What outsiders check with: the keys, and the state of the log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use keyvouch_results::keys::jwks as key_set;
use serde_json::{Value, json};

use super::document::Jwks;
use crate::problem::Problem;
use crate::service::Service;

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

/// The signed state of the log.
///
/// A C2SP tlog-checkpoint: size and root of the Merkle tree over all records. Keep it elsewhere: a log that does not go on
/// from it was rewritten.
#[utoipa::path(
    get, path = "/v1/log/checkpoint", tag = "Log", operation_id = "checkpoint",
    responses((status = 200, description = "The checkpoint.", body = String, content_type = "text/plain")),
)]
pub(crate) async fn checkpoint(State(service): State<Arc<Service>>) -> Result<impl IntoResponse, Problem> {
    let state = service.store.log().await?;
    let signed = service.log_key.sign(&state).map_err(|e| Problem::internal(&e))?;
    Ok((TEXT, signed))
}

/// The public key of the log.
///
/// One line, `name+id+key`, as checkpoints are verified with. Get it by another way once, to compare.
#[utoipa::path(
    get, path = "/v1/log/key", tag = "Log", operation_id = "log_key",
    responses((status = 200, description = "The key.", body = String, content_type = "text/plain")),
)]
pub(crate) async fn key(State(service): State<Arc<Service>>) -> impl IntoResponse {
    (TEXT, format!("{}\n", service.log_key.public()))
}

/// The public keys of signed results.
///
/// A JSON Web Key Set (RFC 7517): the key that signs now, and those that did.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "Log", operation_id = "jwks",
    responses((status = 200, description = "The keys.", body = Jwks)),
)]
pub(crate) async fn jwks(State(service): State<Arc<Service>>) -> Json<Value> {
    let now = key_set([&service.result_key]);
    let mut keys: Vec<Value> = Vec::new();
    for set in std::iter::once(&now).chain(&service.former_results) {
        let several = set.get("keys").and_then(Value::as_array);
        let keys_of = several.map_or(std::slice::from_ref(set), Vec::as_slice);
        for key in keys_of {
            if !keys.iter().any(|known| known.get("kid") == key.get("kid")) {
                keys.push(key.clone());
            }
        }
    }
    Json(json!({ "keys": keys }))
}
