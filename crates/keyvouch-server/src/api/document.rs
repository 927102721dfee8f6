//! The description of the API (OpenAPI 3.1), from the code.

mod schema;

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::Modify;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::problem;

pub(crate) use schema::*;

/// The JSON Schema of reports, which the command shares.
const REPORT: &str = include_str!("../../../../docs/result.schema.json");

/// What a handler says with it: the problems that its answer may be, by their statuses.
const PROBLEMS: &str = "x-problems";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "keyvouch",
        description = "Verifier for remote key attestation: was this private key made in, and does it stay in, a hardware \
            cryptographic module? Evidence in, an answer out, and a record of both.\n\nA completed appraisal is answered \
            with 200 whatever its verdict. Every error is a problem document (RFC 9457). What the service knows, its keys, \
            the state of its log and its health are open to all; the rest needs a token, unless the service runs open on a \
            loopback address.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    tags(
        (name = "Appraisals", description = "Evidence in, answers out, and the record of both."),
        (name = "Challenges", description = "What is given out to be answered once."),
        (name = "Catalogue", description = "What the service knows. No token is needed."),
        (name = "Log", description = "Keys and checkpoints, to check answers and the record with. No token is needed."),
        (name = "Health", description = "For whatever looks after the service. No token is needed."),
    ),
    modifiers(&Bearer),
    components(schemas(problem::Problem)),
)]
pub(super) struct Head;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("kv_…")
            .description(Some(
                "A token that the operator made with `keyvouch token create`. Its role is `submit` (hand in evidence, get \
                 challenges, read one's own records), `read` (all records too) or `admin`. A client certificate that the \
                 operator named does as well.",
            ))
            .build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The description of the API (OpenAPI 3.1), as JSON.
#[must_use]
pub fn openapi() -> Value {
    let (_, document) = super::routes().split_for_parts();
    // Always an object; a test looks at it.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    if let Some(schemas) = schemas {
        schemas.insert("Report".to_owned(), report_schema());
        add_exclusions(schemas);
        // What serde refuses and utoipa does not know of: other members beside those of a variant.
        let variants = schemas.get_mut("ChallengeRequest").and_then(|schema| schema.get_mut("oneOf"));
        for variant in variants.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(members) = variant {
                members.insert("additionalProperties".to_owned(), false.into());
            }
        }
    }
    add_links(&mut document);
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operation in paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        operation.values_mut().filter_map(Value::as_object_mut).for_each(add_problems);
    }
    keyvouch::appraisal::sorted(document)
}

/// The schema of reports, at home in this document: its references begin at the document.
fn report_schema() -> Value {
    let mut schema: Value = serde_json::from_str(REPORT).unwrap_or_default();
    if let Value::Object(members) = &mut schema {
        members.remove("$id");
        members.remove("$schema");
    }
    move_in(&mut schema);
    schema
}

fn move_in(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(to) if name == "$ref" => {
                        *to = to.replace("#/$defs/", "#/components/schemas/Report/$defs/");
                    }
                    other => move_in(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_in),
        _ => {}
    }
}

/// What an answer leads to: where it stands in the document, the operation, and its parameters.
type Link = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const LINKS: &[Link] = &[
    (APPRAISED, "appraisal", &[("id", "$response.body#/id")]),
    (APPRAISED, "evidence", &[("id", "$response.body#/id")]),
    (APPRAISED, "bundle", &[("id", "$response.body#/id")]),
    (APPRAISED, "proof", &[("id", "$response.body#/id")]),
    (
        "/paths/~1v1~1appraisals~1{id}~1evidence/get/responses/200",
        "file",
        &[("id", "$request.path.id"), ("sha256", "$response.body#/files/0/sha256")],
    ),
    ("/paths/~1v1~1formats/get/responses/200", "format", &[("id", "$response.body#/formats/0/id")]),
    ("/paths/~1v1~1policies/get/responses/200", "policy", &[("name", "$response.body#/policies/0/name")]),
];
const APPRAISED: &str = "/paths/~1v1~1appraisals/post/responses/200";

/// Says what answers lead to.
fn add_links(document: &mut Value) {
    for (place, operation, parameters) in LINKS {
        let Some(answer) = document.pointer_mut(place).and_then(Value::as_object_mut) else { continue };
        let links = answer.entry("links").or_insert_with(|| json!({}));
        if let Value::Object(links) = links {
            let parameters: Map<String, Value> =
                parameters.iter().map(|(name, from)| ((*name).to_owned(), (*from).into())).collect();
            let link = json!({ "operationId": operation, "parameters": parameters });
            links.insert((*operation).to_owned(), link);
        }
    }
}

/// What utoipa has no words for: members that are not given together. The same of the form is told in words only: tools
/// that make up forms stumble over it.
fn add_exclusions(schemas: &mut Map<String, Value>) {
    let both = |a: &str, b: &str| {
        let text = json!({ "type": "string" });
        json!({ "required": [a, b], "properties": { a: text, b: text } })
    };
    for (name, fault) in
        [("AppraisalRequest", both("nonce", "challenge")), ("NamedFile", both("content", "text"))]
    {
        if let Some(Value::Object(schema)) = schemas.get_mut(name) {
            schema.insert("not".to_owned(), fault);
        }
    }
}

/// Adds the problems that the answer may be: those that the handler names, and those of every one.
fn add_problems(operation: &mut Map<String, Value>) {
    let named = operation.remove(PROBLEMS);
    let named = named.as_ref().and_then(Value::as_array).into_iter().flatten();
    let mut statuses: Vec<u64> = named.filter_map(Value::as_u64).collect();
    statuses.extend([429, 500, 503]);
    if operation.contains_key("security") {
        statuses.push(401);
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for status in statuses {
        let code = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let description = code.and_then(problem::title_of).unwrap_or_default();
        responses.insert(
            status.to_string(),
            json!({
                "description": description,
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            }),
        );
    }
}

/// This description.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "Catalogue", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)),
)]
pub(crate) async fn description() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| openapi().to_string());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
