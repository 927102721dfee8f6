#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::get;
use keyvouch::Options;
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::log::LogKey;
use keyvouch_results::{Algorithm, SigningKey};
use tower::ServiceExt as _;

use super::{around, outermost};
use crate::config::Config;
use crate::service::{Judging, Service, Setup};

/// Routes of the test behind the limits, with one second for each request.
async fn limited(routes: Router<Arc<Service>>) -> Router {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config { folder: dir.path().to_owned(), ..Config::default() };
    config.limits.request_seconds = 1;
    let judging = Judging {
        operator_data: Vec::new(),
        default_anchors: true,
        options: Options::default(),
        policies: vec![Policy::builtin("hardware-key").unwrap()],
        settings: Settings::default(),
    };
    let log_key = LogKey::generate("log.example").unwrap().0;
    let result_key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let setup = Setup { config, judging, log_key, result_key, former_results: Vec::new() };
    let service = Service::open(setup).await.unwrap();
    outermost(around(routes, &service), &service).with_state(service)
}

async fn ask(app: &Router, path: &str) -> Response<Body> {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, "gzip, br");
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8_lossy(&body).into_owned()
}

#[tokio::test]
async fn a_panic_is_a_problem_and_tells_nothing() {
    let boom = async || -> StatusCode { panic!("evidence") };
    let app = limited(Router::new().route("/boom", get(boom))).await;
    let response = ask(&app, "/boom").await;
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert!(response.headers().contains_key("content-security-policy"));
    assert!(!text(response).await.contains("evidence"));
}

#[tokio::test]
async fn who_waits_too_long_is_told() {
    let forever = async || tokio::time::sleep(Duration::from_secs(60)).await;
    let app = limited(Router::new().route("/forever", get(forever))).await;
    let response = ask(&app, "/forever").await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert!(text(response).await.contains("no answer within 1 s"));
}

#[tokio::test]
async fn long_text_is_compressed_and_nothing_else() {
    let long = || "keyvouch ".repeat(1_000);
    let of = |kind: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], long()) });
    let routes = Router::new()
        .route("/json", of("application/json"))
        .route("/problem", of("application/problem+json"))
        .route("/page", of("text/html; charset=utf-8"))
        .route("/bundle", of("application/zip"))
        .route("/events", of("text/event-stream"))
        .route("/short", get(async || "short"));
    let app = limited(routes).await;
    for (path, compressed) in [
        ("/json", true),
        ("/problem", true),
        ("/page", true),
        ("/bundle", false),
        ("/events", false),
        ("/short", false),
    ] {
        let response = ask(&app, path).await;
        let coding = response.headers().get(header::CONTENT_ENCODING).cloned();
        assert_eq!(coding.is_some_and(|coding| coding == "gzip"), compressed, "{path}");
        let length = to_bytes(response.into_body(), 1 << 20).await.unwrap().len();
        assert_eq!(length < 1_000, compressed || path == "/short", "{path}: {length}");
    }
}

#[tokio::test]
async fn a_handler_may_say_otherwise() {
    let mut own = HeaderMap::new();
    own.insert(header::CACHE_CONTROL, "public, max-age=3600".parse().unwrap());
    own.insert(header::CONTENT_SECURITY_POLICY, "default-src 'none'".parse().unwrap());
    let sent = own.clone();
    let app = limited(Router::new().route("/own", get(async move || (sent, "own")))).await;
    let response = ask(&app, "/own").await;
    for (name, value) in &own {
        assert_eq!(response.headers().get_all(name).iter().collect::<Vec<_>>(), [value]);
    }
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}
