//! What the service knows, its keys and its health.

use keyvouch_policy::Policy;
use serde_json::{Value, json};

use crate::support::{Node, run};

#[test]
fn formats_policies_and_anchors() {
    run(async {
        let node = Node::new().await;
        let formats = node.get("/v1/formats").await.ok();
        for format in formats["formats"].as_array().unwrap() {
            let id = format["id"].as_str().unwrap();
            assert_eq!(node.get(&format!("/v1/formats/{id}")).await.ok()["title"], format["title"]);
            assert_eq!(node.get(&format!("/v1/anchors?format={id}")).await.status, 200);
        }
        let policies = node.get("/v1/policies").await.ok();
        assert_eq!(policies["default"], json!(["hardware-key"]));
        for policy in policies["policies"].as_array().unwrap() {
            let name = policy["name"].as_str().unwrap();
            let full = node.get(&format!("/v1/policies/{name}")).await.ok();
            assert_eq!(full["source"], Policy::builtin(name).unwrap().source());
        }
        let anchors = node.get("/v1/anchors").await.ok();
        let origins: Vec<&str> =
            anchors["anchors"].as_array().unwrap().iter().map(|a| a["origin"].as_str().unwrap()).collect();
        assert!(origins.contains(&"built-in") && origins.iter().any(|o| o.starts_with("operator: ")));
    });
}

#[test]
fn what_the_service_does_not_know() {
    run(async {
        let node = Node::new().await;
        node.get("/v1/formats/abacus").await.is_problem(404, "no format \"abacus\"");
        node.get("/v1/policies/none").await.is_problem(404, "no policy \"none\"");
        node.get("/v1/anchors?format=abacus").await.is_problem(404, "no format \"abacus\"");
        node.get("/v1/anchors?formt=tpm").await.is_problem(400, "formt");
        node.get("/v1").await.is_problem(404, "nothing at /v1");
        node.get("/v1/nonesuch").await.is_problem(404, "openapi.json");
    });
}

#[test]
fn a_method_that_is_none_of_the_resource_is_a_problem_that_names_those_that_are() {
    run(async {
        let node = Node::new().await;
        let answer = node.post("/v1/formats", &json!({})).await;
        answer.is_problem(405, "takes no POST");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    });
}

#[test]
fn former_keys_are_published_with_the_one_that_signs() {
    run(async {
        let former = keyvouch_results::SigningKey::generate(keyvouch_results::Algorithm::EdDsa).unwrap();
        let former = former.public_jwk();
        let (set, twice) = (json!({"keys": [former]}), former.clone());
        let node = Node::with(|setup| setup.former_results = vec![set, twice]).await;
        let keys = node.get("/.well-known/jwks.json").await.ok();
        assert_eq!(keys, json!({"keys": [node.result_key, former]}));
        let private = |key: &Value| key.get("d").is_some();
        assert!(!keys["keys"].as_array().unwrap().iter().any(private));
    });
}

#[test]
fn a_service_without_its_database_lives_and_is_not_ready() {
    run(async {
        let node = Node::new().await;
        assert_eq!(node.get("/readyz").await.ok()["status"], "ok");
        node.service.store().close().await;
        node.get("/readyz").await.is_problem(503, "cannot be reached");
        assert_eq!(node.get("/healthz").await.ok()["status"], "ok");
    });
}
