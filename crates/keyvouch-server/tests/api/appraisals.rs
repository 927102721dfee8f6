//! Handing in evidence.

use axum::body::Body;
use axum::http::{Request, header};
use keyvouch_results::{Expected, KeySet, verify};
use serde_json::{Value, json};

use crate::support::{Form, Node, asking, file, post, run, sample, yubikey};

const PATH: &str = "/v1/appraisals";

/// The recorded bytes of the report inside an envelope.
pub(crate) fn report_text(envelope: &str) -> String {
    let start = envelope.find("\"report\":").unwrap() + "\"report\":".len();
    format!("{}\n", &envelope[start..envelope.len() - 1])
}

#[test]
fn evidence_is_judged_recorded_and_answered() {
    run(async {
        let node = Node::new().await;
        let answer = node.post(PATH, &asking(&yubikey())).await;
        let envelope = answer.ok();
        assert_eq!(envelope["verdict"], "accept");
        assert_eq!(envelope["report"]["verdict"], "accept");
        assert_eq!(envelope["leaf"], 0);
        assert_eq!(envelope["submitter"], "local");
        let id = envelope["id"].as_str().unwrap();
        assert_eq!(answer.header(header::LOCATION), format!("{PATH}/{id}"));
        // Byte for byte what is on record.
        let bundle = node.service.store().bundle(id).await.unwrap();
        assert_eq!(report_text(&answer.text()).as_bytes(), bundle.report);
        assert_eq!(bundle.labels["recorded_at"], envelope["recorded_at"].as_str().unwrap());
        assert_eq!(node.get(answer.header(header::LOCATION)).await.text(), answer.text());
    });
}

#[test]
fn a_refusal_is_an_answer() {
    run(async {
        let node = Node::with(|setup| setup.judging.operator_data.clear()).await;
        let envelope = node.post(PATH, &asking(&yubikey())).await.ok();
        assert_eq!(envelope["verdict"], "cannot-decide");
        let text = json!({"evidence": [{"name": "notes.txt", "text": "nothing of the kind"}]});
        assert_eq!(node.post(PATH, &text).await.ok()["verdict"], "cannot-decide");
        assert_eq!(node.service.store().log().await.unwrap().size, 2);
    });
}

#[test]
fn a_form_gets_the_answer_that_json_gets() {
    run(async {
        let node = Node::new().await;
        let of_json = node.post(PATH, &asking(&yubikey())).await;
        let of_form = node.send(Form::of(&yubikey()).request(PATH)).await;
        assert_eq!(of_form.ok()["verdict"], "accept");
        assert_eq!(report_text(&of_form.text()), report_text(&of_json.text()));
    });
}

#[test]
fn the_request_is_found_among_the_evidence() {
    run(async {
        let node = Node::new().await;
        let sample = yubikey();
        let mut asked = asking(&sample);
        let request = asked["request"].take();
        asked["evidence"].as_array_mut().unwrap().push(request);
        let report = &node.post(PATH, &asked).await.ok()["report"];
        assert_eq!(report["appraisals"][0]["binding"], "csr");
        // Two of them.
        let mut other = file(sample.request.as_ref().unwrap());
        other["name"] = "another.csr".into();
        asked["evidence"].as_array_mut().unwrap().push(other);
        node.post(PATH, &asked).await.is_problem(422, "here are 2 certification requests");
    });
}

#[test]
fn without_a_request_there_must_be_one_key() {
    run(async {
        let node = Node::new().await;
        let mut evidence: Vec<Value> = yubikey().evidence.iter().map(file).collect();
        for mut other in sample("yubikey-piv", 1).evidence.iter().map(file) {
            other["name"] = format!("other-{}", other["name"].as_str().unwrap()).into();
            evidence.push(other);
        }
        let asked = json!({"evidence": evidence, "at": yubikey().at});
        node.post(PATH, &asked).await.is_problem(422, "not about one and the same key");
        assert_eq!(node.service.store().log().await.unwrap().size, 0, "nothing was recorded");
    });
}

#[test]
fn an_answer_comes_in_the_form_that_is_asked_for() {
    run(async {
        let node = Node::new().await;
        let asked = |accept: &str| {
            let mut request = post(PATH, &asking(&yubikey()));
            request.headers_mut().insert(header::ACCEPT, accept.parse().unwrap());
            request
        };
        let page = node.send(asked("text/html, */*;q=0.1")).await;
        assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert!(page.text().contains("<title>"), "{}", page.text());
        assert!(page.header(header::LOCATION).starts_with("/v1/appraisals/"));

        let token = node.send(asked("application/eat+jwt")).await;
        assert!(token.header(header::CONTENT_TYPE).starts_with("application/eat+jwt; eat_profile="));
        let keys = KeySet::read(node.get("/.well-known/jwks.json").await.text().as_bytes()).unwrap();
        let claims = token.text();
        let iat = claims.split('.').nth(1).map(decode_json).unwrap()["iat"].as_i64().unwrap();
        let expected =
            Expected { at: keyvouch::Time::from_unix(iat), skew: 0, max_age: None, nonce: None, bound: None };
        assert_eq!(verify(&token.body, &keys, &expected).verdict.as_str(), "accept");

        node.send(asked("image/png")).await.is_problem(406, "application/eat+jwt");
        assert_eq!(node.service.store().log().await.unwrap().size, 2, "what is not acceptable is not judged");
    });
}

fn decode_json(part: &str) -> Value {
    use base64::Engine as _;
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn what_is_not_understood_is_named() {
    run(async {
        let node = Node::new().await;
        let good = asking(&yubikey());
        let with = |name: &str, value: Value| {
            let mut asked = good.clone();
            asked[name] = value;
            asked
        };
        let text = |name: &str| json!({"name": name, "text": "x"});
        for (asked, status, words) in [
            (with("evidnce", json!([])), 400, "evidnce"),
            (with("evidence", json!("x")), 400, "invalid type"),
            (json!([]), 400, "invalid"),
            (with("evidence", json!([{"name": "a"}])), 422, "either `content`"),
            (with("evidence", json!([{"name": "a", "text": "x", "content": "eA=="}])), 422, "not both"),
            (
                with("evidence", json!([{"name": "a", "content": "***"}])),
                422,
                "content of \"a\" is not base64",
            ),
            (with("evidence", json!([text("a"), text("a")])), 422, "Two files are called \"a\""),
            (with("evidence", json!([text("")])), 422, "no name"),
            (with("evidence", json!([text("a\u{0}b")])), 422, "control characters"),
            (with("evidence", vec![text("a"); 65].into()), 422, "Two files"),
            (with("evidence", (0..65).map(|n| text(&n.to_string())).collect()), 422, "more than 64"),
            (json!({"evidence": []}), 422, "No evidence"),
            (json!({}), 422, "No evidence"),
            (with("request", text("a")), 422, ": not a certification request"),
            (with("policies", json!(["nonesuch"])), 422, "no policy \"nonesuch\""),
            (with("policies", json!(["hardware-key", "hardware-key"])), 422, "named twice"),
            (with("nonce", json!("0")), 422, "odd number"),
            (with("nonce", json!("zz")), 422, "hexadecimal"),
            (with("nonce", json!("")), 422, "empty"),
            (with("challenge", json!("a\u{0}")), 422, "POST /v1/challenges"),
            (with("challenge", json!("0123456789abcdef0123456789abcdef")), 409, "not given out"),
            (with("at", json!("2026-06-01")), 422, "`at`"),
            (with("options", json!({"accept_expired": true})), 403, "the operator's"),
            (with("options", json!({"declared_device": 1})), 422, "declared_device"),
        ] {
            node.post(PATH, &asked).await.is_problem(status, words);
        }
        let mut both = with("nonce", json!("00ff"));
        both["challenge"] = "x".into();
        node.post(PATH, &both).await.is_problem(422, "both given");
        let twice = post(PATH, &json!({}));
        let twice = twice.map(|_| Body::from("{\"nonce\": \"00\", \"nonce\": \"01\"}"));
        node.send(twice).await.is_problem(400, "nonce");
        assert_eq!(node.service.store().log().await.unwrap().size, 0, "nothing was recorded");
    });
}

#[test]
fn fields_of_a_form_are_taken_as_strictly() {
    run(async {
        let node = Node::new().await;
        let form = || Form::default().file("evidence", "a", b"x");
        for (form, status, words) in [
            (form().field("evidnce", "x"), 422, "no field \"evidnce\""),
            (form().field("nonce", "00").field("nonce", "00"), 422, "`nonce` is there twice"),
            (form().field("nonce", ""), 422, "`nonce` is empty"),
            (form().field("evidence", "x"), 422, "with its file name"),
            (form().field("option", "x"), 422, "KEY=VALUE"),
            (
                form().field("option", "declared_device=a").field("option", "declared_device=b"),
                422,
                "given twice",
            ),
            (
                form().field("option", "deny_serials=a").field("option", "deny_serials=b"),
                403,
                "the operator's",
            ),
            (form().field("tpm_challenge", "00"), 422, "belong together"),
            (form().file("evidence", "a", b"y"), 422, "Two files"),
            (Form::default(), 422, "No evidence"),
        ] {
            node.send(form.request(PATH)).await.is_problem(status, words);
        }
        let cut = form().request(PATH).map(|_| Body::from("--a-boundary-of-a-test\r\nContent-Dispo"));
        node.send(cut).await.is_problem(400, "form");
        let bare = Request::post(PATH).header(header::CONTENT_TYPE, "multipart/form-data");
        node.send(bare.body(Body::empty()).unwrap()).await.is_problem(400, "oundary");
        let option = form().field("option", "declared_device=aws-kms").field("policy", "hardware-key");
        assert_eq!(node.send(option.request(PATH)).await.status, 200);
    });
}

#[test]
fn bodies_are_bounded_and_of_a_type_that_is_read() {
    run(async {
        let node = Node::with(|setup| setup.config.limits.request_bytes = 10_000).await;
        let large = json!({"evidence": [{"name": "a", "text": "x".repeat(10_000)}]});
        node.post(PATH, &large).await.is_problem(413, "10000 bytes");
        let form = Form::default().file("evidence", "a", &[b'x'; 10_000]);
        node.send(form.request(PATH)).await.is_problem(413, "10000 bytes");
        let bare = || Request::post(PATH);
        node.send(bare().body(Body::from("{}")).unwrap()).await.is_problem(415, "without a Content-Type");
        let xml = bare().header(header::CONTENT_TYPE, "text/xml").body(Body::from("<a/>")).unwrap();
        node.send(xml).await.is_problem(415, "\"text/xml\"");
    });
}

#[test]
fn the_time_is_the_operators_unless_he_gives_it_away() {
    run(async {
        let node = Node::with(|setup| setup.config.clients.time = false).await;
        node.post(PATH, &asking(&yubikey())).await.is_problem(403, "leave `at` out");
        let mut now = asking(&yubikey());
        now.as_object_mut().unwrap().remove("at");
        assert!(node.post(PATH, &now).await.ok()["report"]["at"].is_string());
    });
}
