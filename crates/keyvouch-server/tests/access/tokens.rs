//! Tokens and roles.

use keyvouch_server::config::Access;
use keyvouch_server::{Config, Service, StartError};
use keyvouch_store::Role;
use reqwest::header;

use crate::served::{Served, client, now_ms, problem, raw, setup, status};

async fn numbers(served: &Served, authorization: &str) -> reqwest::Response {
    let request = client().get(served.url("/metrics")).header(header::AUTHORIZATION, authorization);
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_allows_what_its_role_does() {
    let served = Served::with_tokens(|_| {}).await;
    let all = [None, Some(Role::Submit), Some(Role::Read), Some(Role::Admin)];
    for (method, path, wanted) in [
        ("GET", "/healthz", [200, 200, 200, 200]),
        ("GET", "/v1/policies", [200, 200, 200, 200]),
        // What is understood and cannot be done: they came in.
        ("POST", "/v1/appraisals", [401, 422, 422, 422]),
        ("GET", "/v1/appraisals", [401, 403, 200, 200]),
        ("GET", "/metrics", [401, 403, 200, 200]),
    ] {
        for (role, wanted) in all.iter().zip(wanted) {
            let mut request = client().request(method.parse().unwrap(), served.url(path));
            if method == "POST" {
                request = request.json(&serde_json::json!({ "evidence": [] }));
            }
            if let Some(role) = role {
                request = request.bearer_auth(served.token(*role).await);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), wanted, "{method} {path} {role:?}");
            match wanted {
                401 => {
                    assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], "Bearer");
                    assert_eq!(problem(answer).await["type"], "urn:keyvouch:problem:unauthenticated");
                }
                403 => {
                    let problem = problem(answer).await;
                    assert_eq!(problem["detail"], "This needs the role read; a submit has the role submit.");
                }
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_in_force_is_refused() {
    let served = Served::with_tokens(|_| {}).await;
    let store = served.service.store();
    let revoked = store.create_token("revoked", Role::Admin, now_ms(), None).await.unwrap();
    assert!(store.revoke_token(&revoked.token.id, now_ms()).await.unwrap());
    let expired = served.token_until(Role::Admin, Some(now_ms() - 1)).await;
    let good = served.token(Role::Admin).await;
    for authorization in [
        format!("Bearer {}", revoked.secret),
        format!("Bearer {expired}"),
        format!("Bearer {good}x"),
        "Bearer ".to_owned(),
        format!("Bearer {}", "x".repeat(10_000)),
        format!("Basic {good}"),
        good.clone(),
    ] {
        let answer = numbers(&served, &authorization).await;
        assert_eq!(answer.status(), 401, "{authorization}");
        problem(answer).await;
    }
    assert_eq!(numbers(&served, &format!("bearer {good}")).await.status(), 200);
    // Also where no role is needed: who shows a token means it.
    let answer = client().post(served.url("/logout")).bearer_auth("kv_unknown").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let twice = format!(
        "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {good}\r\nAuthorization: Bearer {good}\r\n\r\n"
    );
    assert_eq!(status(&raw(served.address, &twice).await), "401");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_remembered_ends_in_time() {
    let served = Served::with_tokens(|_| {}).await;
    let end = now_ms() + 700;
    let authorization = format!("Bearer {}", served.token_until(Role::Read, Some(end)).await);
    assert_eq!(numbers(&served, &authorization).await.status(), 200);
    tokio::time::sleep(std::time::Duration::from_millis((end - now_ms()).max(0).unsigned_abs() + 5)).await;
    assert_eq!(numbers(&served, &authorization).await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_record_nobody_is_known() {
    let served = Served::with_tokens(|_| {}).await;
    let token = served.token(Role::Admin).await;
    served.service.store().close().await;
    let answer = numbers(&served, &format!("Bearer {token}")).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    problem(answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_configured_wrongly_does_not_start() {
    let open = async |change: fn(&mut Config)| {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config { folder: dir.path().to_owned(), ..Config::default() };
        change(&mut config);
        Service::open(setup(config)).await.unwrap_err()
    };
    let everybody = open(|config| {
        config.access = Access::Open;
        config.listen = "0.0.0.0:0".parse().unwrap();
    });
    assert!(matches!(everybody.await, StartError::Open(_)));
    let url = open(|config| config.public_url = Some("attest.example".to_owned())).await;
    assert!(url.to_string().contains("attest.example"), "{url}");
}
