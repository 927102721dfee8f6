//! What the service knows: formats, policies, anchors. Open to all: it is what the operator would tell anybody who asks
//! what evidence he takes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use keyvouch::catalogue::{anchor, format_brief, format_full};
use keyvouch_policy::Settings;
use keyvouch_policy::catalogue::{knob, policy_brief, policy_full};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::document::{AnchorList, FormatDetails, FormatList, PolicyDetails, PolicyList};
use super::extract::{Named, Parameters};
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// The formats of evidence that are understood.
#[utoipa::path(
    get, path = "/v1/formats", tag = "Catalogue", operation_id = "formats",
    responses((status = 200, description = "The formats.", body = FormatList)),
)]
pub(crate) async fn formats() -> Json<Value> {
    Json(json!({ "formats": keyvouch::formats::about().map(format_brief).collect::<Value>() }))
}

/// A format: its checks, options, and what it does not prove.
#[utoipa::path(
    get, path = "/v1/formats/{id}", tag = "Catalogue", operation_id = "format",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "The format.", body = FormatDetails)),
    extensions(("x-problems" = json!([400, 404]))),
)]
pub(crate) async fn format(Named(id): Named<String>) -> Result<Json<Value>, Problem> {
    let found = keyvouch::formats::about().find(|about| about.id == id);
    let found = found.ok_or_else(|| unknown("format", &id, "/v1/formats"))?;
    Ok(Json(format_full(found)))
}

/// The policies that evidence can be judged by, and the knobs of all of them.
#[utoipa::path(
    get, path = "/v1/policies", tag = "Catalogue", operation_id = "policies",
    responses((status = 200, description = "The policies.", body = PolicyList)),
)]
pub(crate) async fn policies(State(service): State<Arc<Service>>) -> Json<Value> {
    let settings = &service.judging.settings;
    let knobs = Settings::knobs().iter().map(|k| {
        let mut value = knob(k);
        if let Value::Object(members) = &mut value {
            members.insert("set".to_owned(), settings.get(k.name).into());
        }
        value
    });
    Json(json!({
        "policies": service.policies.values().map(policy_brief).collect::<Value>(),
        "default": service.config.policies.default,
        "client_choice": service.config.policies.client_choice,
        "knobs": knobs.collect::<Value>(),
    }))
}

/// A policy: its requirements, and its source.
#[utoipa::path(
    get, path = "/v1/policies/{name}", tag = "Catalogue", operation_id = "policy",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The policy.", body = PolicyDetails)),
    extensions(("x-problems" = json!([400, 404]))),
)]
pub(crate) async fn policy(
    State(service): State<Arc<Service>>,
    Named(name): Named<String>,
) -> Result<Json<Value>, Problem> {
    let found = service.policies.get(&name).ok_or_else(|| unknown("policy", &name, "/v1/policies"))?;
    Ok(Json(policy_full(found)))
}

/// Which anchors.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichAnchors {
    /// Id of a format: those that may anchor its evidence.
    #[param(nullable = false)]
    format: Option<String>,
}

/// The trust anchors: whom this service believes.
#[utoipa::path(
    get, path = "/v1/anchors", tag = "Catalogue", operation_id = "anchors",
    params(WhichAnchors),
    responses((status = 200, description = "The anchors.", body = AnchorList)),
    extensions(("x-problems" = json!([400, 404]))),
)]
pub(crate) async fn anchors(
    State(service): State<Arc<Service>>,
    Parameters(which): Parameters<WhichAnchors>,
) -> Result<Json<Value>, Problem> {
    if let Some(id) = which.format.as_deref().filter(|id| keyvouch::formats::about().all(|a| a.id != *id)) {
        return Err(unknown("format", id, "/v1/formats"));
    }
    let anchors = service.verifier.reference().anchors.iter();
    let anchors = anchors.filter(|a| which.format.as_ref().is_none_or(|format| a.applies_to(format)));
    Ok(Json(json!({ "anchors": anchors.map(anchor).collect::<Value>() })))
}

fn unknown(what: &str, name: &str, list: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("There is no {what} {name:?}; GET {list} lists them."))
}
