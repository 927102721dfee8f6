//! The description of the API. That answers are what it says is seen to in every test.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::Value;

use crate::support::{DOCUMENT, Node, run};

/// Every value in the document, with its place.
fn walk<'v>(value: &'v Value, place: &str, see: &mut impl FnMut(&str, &'v Value)) {
    see(place, value);
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                walk(value, &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), see);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                walk(value, &format!("{place}/{at}"), see);
            }
        }
        _ => {}
    }
}

#[test]
fn it_is_served_as_it_is_made() {
    run(async {
        let node = Node::new().await;
        assert_eq!(node.get("/v1/openapi.json").await.ok(), *DOCUMENT);
        assert_eq!(DOCUMENT["openapi"], "3.1.0");
    });
}

#[test]
fn its_references_lead_somewhere() {
    let mut count = 0;
    walk(&DOCUMENT, "", &mut |place, value| {
        if let Some(to) = value.get("$ref").and_then(Value::as_str) {
            let pointer = to.strip_prefix('#').unwrap_or_else(|| panic!("{place}: {to} leads out"));
            assert!(DOCUMENT.pointer(pointer).is_some(), "{place}: {to} leads nowhere");
            count += 1;
        }
    });
    assert!(count > 50, "{count}");
}

#[test]
fn its_schemas_are_json_schemas_and_its_examples_are_valid() {
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        jsonschema::meta::validate(schema).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut schema = schema.clone();
        schema["components"] = DOCUMENT["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        if let Some(example) = schema.get("example") {
            assert!(validator.is_valid(example), "{name}: the example is not valid: {example}");
        }
    }
}

#[test]
fn its_operations_have_names_words_and_answers() {
    let mut names = BTreeSet::new();
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} is there twice");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{method} {path}");
            let tag = &operation["tags"][0];
            assert!(DOCUMENT["tags"].as_array().unwrap().iter().any(|t| t["name"] == *tag), "{path}: {tag}");
            let placeholders: Vec<&str> = path.split('/').filter_map(|s| s.strip_prefix('{')).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            for placeholder in placeholders {
                let name = placeholder.trim_end_matches('}');
                let described = parameters.iter().any(|p| p["name"] == name && p["in"] == "path");
                assert!(described, "{path}: {name}");
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                let place = format!("{method} {path} {status}");
                assert!(!response["description"].as_str().unwrap().is_empty(), "{place}");
                let of_problem = response["content"].get("application/problem+json").is_some();
                assert_eq!(of_problem, status.parse::<u16>().unwrap() >= 400, "{place}");
            }
        }
    }
}

#[test]
fn its_methods_are_those_of_the_routes() {
    run(async {
        let node = Node::new().await;
        for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
            let uri = path.replace(['{', '}'], "");
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                let described = operations.get(method.as_str().to_lowercase()).is_some();
                let request = Request::builder().method(&method).uri(&uri).body(Body::empty()).unwrap();
                let answer = node.send(request).await;
                assert_eq!(answer.status != 405, described, "{method} {path}: {}", answer.status);
            }
        }
    });
}
