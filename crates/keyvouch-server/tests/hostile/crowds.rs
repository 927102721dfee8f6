//! More than the service can carry.

use std::time::Duration;

use keyvouch_store::Role;
use reqwest::header;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::served::{Served, client, problem, raw, read_to_end, status};
use crate::{begun, in_work, post, until};

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_waits_and_the_others_do_not() {
    let served = Served::with_tokens(|config| (config.limits.per_minute, config.limits.burst) = (1, 3)).await;
    let (a, b) = (served.token(Role::Admin).await, served.token(Role::Admin).await);
    let store = served.service.store();
    let c = store.create_token("another", Role::Admin, 0, None).await.unwrap().secret;
    let post = async |token: Option<&str>| {
        let request = client().post(served.url("/logout"));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap()
    };
    for _ in 0..3 {
        assert_eq!(post(Some(&a)).await.status(), 303);
    }
    let refused = post(Some(&a)).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(problem(refused).await["type"], "urn:keyvouch:problem:too-many");
    assert_eq!(post(Some(&b)).await.status(), 429, "two tokens of one name are one client");
    assert_eq!(post(Some(&c)).await.status(), 303);
    // Without a token the address counts, and so it does with wrong ones.
    for wanted in [303, 303, 303, 429] {
        assert_eq!(post(None).await.status(), wanted);
    }
    assert_eq!(post(Some("kv_wrong")).await.status(), 429);
    // The numbers are read every few seconds, and must be there when they matter.
    for _ in 0..5 {
        let request = client().get(served.url("/metrics")).bearer_auth(&a);
        assert_eq!(request.send().await.unwrap().status(), 200);
        assert_eq!(client().get(served.url("/healthz")).send().await.unwrap().status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_which_there_is_no_place_are_told_at_once() {
    let served = Served::start(|config| (config.limits.at_once, config.limits.waiting) = (Some(1), 1)).await;
    let (mut first, mut second) = (in_work(&served).await, in_work(&served).await);
    let shed = client().post(served.url("/logout")).send().await.unwrap();
    assert_eq!(shed.status(), 503);
    assert!(shed.headers().contains_key(header::RETRY_AFTER));
    problem(shed).await;
    let watch = client().get(served.url("/metrics")).send().await.unwrap();
    assert_eq!(watch.status(), 200);
    assert!(watch.text().await.unwrap().contains("keyvouch_shed_total{why=\"places\"}"));
    for stream in [&mut first, &mut second] {
        stream.write_all(b"token=kv").await.unwrap();
        assert_eq!(status(&read_to_end(stream).await), "303", "those who are in come to their end");
    }
    let after = client().post(served.url("/logout")).send().await.unwrap();
    assert_eq!(after.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_not_read_yet_take_bounded_memory() {
    let served = Served::start(|config| config.limits.request_bytes = 1_000).await;
    let half = post("Content-Length: 1000\r\n", &format!("token={}", "a".repeat(984)));
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(begun(&served, &half).await);
    }
    // All that found no room are answered before their end has come.
    let mut refused = JoinSet::new();
    let (answers, mut heard) = tokio::sync::mpsc::unbounded_channel();
    for mut stream in streams {
        let answers = answers.clone();
        refused.spawn(async move {
            let mut first = [0; 12];
            stream.read_exact(&mut first).await.unwrap();
            answers.send(String::from_utf8_lossy(&first).into_owned()).unwrap();
        });
    }
    for _ in 0..8 {
        let answer = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.unwrap().unwrap();
        assert_eq!(answer, "HTTP/1.1 503");
    }
    drop(refused);
    // Room is given back.
    let whole = post("Content-Length: 1000\r\n", &format!("token={}", "a".repeat(994)));
    until(async || (status(&raw(served.address, &whole).await) == "303").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_at_once_are_answered() {
    let served = Served::start(|config| config.limits.waiting = 200).await;
    let mut clients = JoinSet::new();
    for number in 0..1_000 {
        let address = served.address;
        clients.spawn(async move {
            let request = if number % 2 == 0 {
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned()
            } else {
                post("Content-Length: 8\r\n", "token=kv")
            };
            let answer = raw(address, &request).await;
            (status(&answer).to_owned(), answer.contains("retry-after"))
        });
    }
    let answers = clients.join_all().await;
    let good = answers.iter().filter(|(status, _)| ["200", "303"].contains(&status.as_str())).count();
    let later = answers.iter().filter(|(status, retry)| status == "503" && *retry).count();
    assert_eq!(good + later, 1_000);
    assert!(good >= 500, "{good}");
}
