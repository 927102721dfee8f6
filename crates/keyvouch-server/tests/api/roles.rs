//! Who may do what.

use axum::body::Body;
use axum::http::{Request, header};
use keyvouch_store::Role;
use serde_json::json;

use crate::support::{Answer, DOCUMENT, Node, asking, post, run, yubikey};

async fn as_(node: &Node, token: &str, mut request: Request<Body>) -> Answer {
    request.headers_mut().insert(header::AUTHORIZATION, token.parse().unwrap());
    node.send(request).await
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[test]
fn submitters_see_their_own_records_only() {
    run(async {
        let node = Node::guarded().await;
        let alice = node.token("alice", Role::Submit).await;
        let bob = node.token("bob", Role::Submit).await;
        let auditor = node.token("auditor", Role::Read).await;
        let record = as_(&node, &alice, post("/v1/appraisals", &asking(&yubikey()))).await;
        assert_eq!(record.ok()["submitter"], "alice");
        let path = record.header(header::LOCATION);
        let files = as_(&node, &alice, get(&format!("{path}/evidence"))).await.ok();
        let roles: Vec<&str> =
            files["files"].as_array().unwrap().iter().map(|f| f["role"].as_str().unwrap()).collect();
        assert!(roles.iter().all(|role| ["report", "evidence", "request"].contains(role)), "{roles:?}");
        let all = as_(&node, &auditor, get(&format!("{path}/evidence"))).await.ok();
        let anchor = all["files"].as_array().unwrap().iter().find(|f| f["role"] == "operator-data").unwrap();
        let anchor = format!("/evidence/{}", anchor["sha256"].as_str().unwrap());
        let evidence = format!("/evidence/{}", files["files"][0]["sha256"].as_str().unwrap());
        for (end, of_alice) in [
            ("", 200),
            ("/evidence", 200),
            (evidence.as_str(), 200),
            ("/proof", 200),
            (anchor.as_str(), 404),
            ("/bundle", 403),
        ] {
            let address = format!("{path}{end}");
            assert_eq!(as_(&node, &alice, get(&address)).await.status.as_u16(), of_alice, "{end}");
            assert_eq!(as_(&node, &auditor, get(&address)).await.status.as_u16(), 200, "{end}");
            let bobs = as_(&node, &bob, get(&address)).await.status.as_u16();
            assert!(bobs == 404 || end == "/bundle", "{end}: {bobs}");
        }
        as_(&node, &alice, get("/v1/appraisals")).await.is_problem(403, "role read");
        assert_eq!(as_(&node, &auditor, get("/v1/appraisals")).await.status, 200);
        // What he had is gone: he is told no more than of others'.
        node.service.store().prune(1, true, 32_503_680_000_000).await.unwrap();
        as_(&node, &alice, get(path)).await.is_problem(404, "no record of yours");
        as_(&node, &auditor, get(path)).await.is_problem(410, "pruned");
    });
}

#[test]
fn what_the_description_calls_open_is_open_and_nothing_else() {
    run(async {
        let node = Node::guarded().await;
        let mut open = Vec::new();
        for (template, operations) in DOCUMENT["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let path = template
                    .replace("{id}", "yubikey-piv")
                    .replace("{name}", "hardware-key")
                    .replace("{sha256}", "00");
                let request = match method.as_str() {
                    "get" => get(&path),
                    "post" => post(&path, &json!({})),
                    other => panic!("{other} is not tried"),
                };
                let status = node.send(request).await.status.as_u16();
                if operation["security"].is_null() {
                    assert_eq!(status, 200, "{method} {template}");
                    open.push(template.as_str());
                } else {
                    assert_eq!(status, 401, "{method} {template}");
                }
            }
        }
        open.sort_unstable();
        let wanted = [
            "/.well-known/jwks.json",
            "/healthz",
            "/readyz",
            "/v1/anchors",
            "/v1/formats",
            "/v1/formats/{id}",
            "/v1/log/checkpoint",
            "/v1/log/key",
            "/v1/openapi.json",
            "/v1/policies",
            "/v1/policies/{name}",
        ];
        assert_eq!(open, wanted);
    });
}
