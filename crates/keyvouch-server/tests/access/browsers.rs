//! Browsers: the login, and what pages of others make them do.

use keyvouch_store::Role;
use reqwest::header;

use crate::served::{Served, client, problem, raw, status};

const FORM: &str = "application/x-www-form-urlencoded";

async fn log_in(served: &Served, token: &str, next: &str) -> reqwest::Response {
    let request = client().post(served.url("/login")).header(header::CONTENT_TYPE, FORM);
    request.body(format!("token={token}&next={next}")).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_logs_in_and_out() {
    let served = Served::with_tokens(|_| {}).await;
    let token = served.token(Role::Read).await;
    let answer = log_in(&served, &token, "%2Fappraisals").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[header::LOCATION]),
        (303, &"/appraisals".parse().unwrap())
    );
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "it would not come back over plain HTTP");
    let pair = cookie.split(';').next().unwrap();
    let read = client().get(served.url("/metrics")).header(header::COOKIE, pair).send().await.unwrap();
    assert_eq!(read.status(), 200);

    let out = client().post(served.url("/logout")).header(header::COOKIE, pair).send().await.unwrap();
    assert_eq!(out.status(), 303);
    assert!(out.headers()[header::SET_COOKIE].to_str().unwrap().starts_with("keyvouch=; Path=/; Max-Age=0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_login_is_told_and_sets_no_cookie() {
    let served = Served::with_tokens(|_| {}).await;
    let answer = log_in(&served, "kv_wrong", "%2Fa%3Fb%3D1%26c").await;
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()[header::LOCATION], "/login?failed=1&next=/a%3Fb%3D1%26c");
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    let form = answer.headers()[header::LOCATION].to_str().unwrap();
    let form = client().get(served.url(form)).send().await.unwrap().text().await.unwrap();
    assert!(
        form.contains("That token is not in force.") && form.contains("value=\"/a?b=1&amp;c\""),
        "{form}"
    );
    let token = served.token(Role::Read).await;
    let elsewhere = log_in(&served, &token, "https%3A%2F%2Fevil.example").await;
    assert_eq!(elsewhere.headers()[header::LOCATION], "/");
    let not_a_form = client().post(served.url("/login")).json(&token).send().await.unwrap();
    assert_eq!(not_a_form.status(), 400);
    problem(not_a_form).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_is_over_is_forgotten_and_does_not_lock_out() {
    let served = Served::with_tokens(|_| {}).await;
    let request = client().post(served.url("/login")).header(header::COOKIE, "keyvouch=kv_over");
    let token = served.token(Role::Read).await;
    let request = request.header(header::CONTENT_TYPE, FORM).body(format!("token={token}"));
    let again = request.send().await.unwrap();
    assert!(again.headers()[header::SET_COOKIE].to_str().unwrap().contains(&token), "the login goes first");
    let request = client().get(served.url("/metrics")).header(header::COOKIE, "keyvouch=kv_over");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_change_nothing() {
    let served =
        Served::with_tokens(|config| config.public_url = Some("https://attest.example/".to_owned())).await;
    let own = served.url("");
    for (headers, wanted) in [
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("sec-fetch-site", "same-origin"), ("origin", own.as_str())], 303),
        (vec![("sec-fetch-site", "none")], 303),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", own.as_str())], 303),
        (vec![("origin", "https://attest.example")], 303),
        (vec![("origin", "https://attest.example:8443")], 403),
        (vec![], 303),
    ] {
        let mut request = client().post(served.url("/logout"));
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), wanted, "{headers:?}");
        if wanted == 403 {
            problem(answer).await;
        }
    }
    let request = client().get(served.url("/metrics")).header("sec-fetch-site", "cross-site");
    assert_eq!(request.send().await.unwrap().status(), 401, "a link is only a link");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_service_answers_to_names_of_this_machine_only() {
    let served = Served::start(|config| config.public_url = Some("http://attest.example".to_owned())).await;
    let asked = async |host: &str| {
        let head = format!("GET /metrics HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        raw(served.address, &head).await
    };
    for host in ["localhost", "localhost:1", "127.0.0.1:8080", "[::1]", "attest.example", "ATTEST.example:80"]
    {
        assert_eq!(status(&asked(&format!("Host: {host}\r\n")).await), "200", "{host}");
    }
    for host in
        ["evil.example", "evil.example:8080", "localhost.evil.example", "192.0.2.1", "a@localhost", ""]
    {
        assert_eq!(status(&asked(&format!("Host: {host}\r\n")).await), "403", "{host}");
    }
    assert_eq!(status(&asked("").await), "200", "a browser would name one");
    assert_eq!(status(&asked("Host: localhost\r\nHost: evil.example\r\n").await), "400");
    let absolute = "GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&raw(served.address, absolute).await), "403");

    let closed = Served::with_tokens(|_| {}).await;
    let head = "GET /metrics HTTP/1.1\r\nHost: proxy.example\r\nConnection: close\r\n\r\n";
    assert_eq!(
        status(&raw(closed.address, head).await),
        "401",
        "tokens keep strangers out, whatever the name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers() {
    let served = Served::start(|_| {}).await;
    let mut ids = std::collections::BTreeSet::new();
    for (path, wanted) in [("/metrics", 200), ("/no-such-page", 404)] {
        let answer = client().get(served.url(path)).header("x-request-id", "mine").send().await.unwrap();
        assert_eq!(answer.status(), wanted);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'self';"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
        assert!(header("permissions-policy").contains("camera=()"));
        assert!(!answer.headers().contains_key("strict-transport-security"));
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
        ids.insert(header("x-request-id"));
    }
    assert_eq!(ids.len(), 2);
    assert!(!ids.contains("mine"));
}
