//! Clients that mean no good, and too many that do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]
#![allow(dead_code, reason = "not every test needs all of the support")]

#[path = "support/served.rs"]
mod served;

use std::time::{Duration, Instant};

use keyvouch_store::Role;
use reqwest::header;
use served::{Served, client, problem, raw, read_to_end, status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A route that reads a body, and needs no token.
fn post(extra: &str, body: &str) -> String {
    format!(
        "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{extra}\r\n{body}"
    )
}

/// A connection on which the beginning of a request was sent.
async fn begun(served: &Served, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// A connection with a request whose body its handler waits for.
async fn in_work(served: &Served) -> TcpStream {
    let mut stream = begun(served, &post("Content-Length: 8\r\nExpect: 100-continue\r\n", "")).await;
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_do_not_end_are_cut_off() {
    let served = Served::start(|config| config.limits.header_seconds = 1).await;
    for head in ["", "G", "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n", "PRI * HTTP/2.0\r\n"] {
        let began = Instant::now();
        let mut stream = begun(&served, head).await;
        read_to_end(&mut stream).await;
        let took = began.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(8)).contains(&took), "{head:?}: {took:?}");
    }
    // One byte from time to time does not help.
    let mut stream = begun(&served, "GET / HTTP/1.1\r\n").await;
    let began = Instant::now();
    while stream.write_all(b"a").await.is_ok() && began.elapsed() < Duration::from_secs(8) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_on_which_nothing_is_asked_any_more_are_closed() {
    let served = Served::start(|config| config.limits.header_seconds = 1).await;
    let mut stream = begun(&served, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let answer = read_to_end(&mut stream).await;
    assert_eq!(status(&answer), "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_end_are_cut_off() {
    let served = Served::start(|config| config.limits.request_seconds = 1).await;
    for request in [
        post("Content-Length: 100\r\n", "token=k"),
        post("Transfer-Encoding: chunked\r\n", "7\r\ntoken=k\r\n"),
    ] {
        let answer = raw(served.address, &request).await;
        assert_eq!(status(&answer), "408", "{answer}");
        assert!(answer.contains("urn:keyvouch:problem:too-slow"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_are_refused_before_and_while_they_come_in() {
    let served = Served::start(|config| config.limits.request_bytes = 1_000).await;
    let chunk = format!("258\r\n{}\r\n", "a".repeat(600));
    for (request, wanted) in [
        // Told before anything of it is sent.
        (post("Content-Length: 1001\r\n", ""), "413"),
        (post("Content-Length: 18446744073709551615\r\n", ""), "431"),
        (post("Content-Length: 9223372036854775807\r\n", ""), "413"),
        (post("Transfer-Encoding: chunked\r\n", &format!("{chunk}{chunk}0\r\n\r\n")), "413"),
        (post("Content-Length: 1000\r\n", &format!("token={}", "a".repeat(994))), "303"),
        (post("Transfer-Encoding: chunked\r\n", "8\r\ntoken=kv\r\n0\r\n\r\n"), "303"),
    ] {
        let answer = raw(served.address, &request).await;
        assert_eq!(status(&answer), wanted, "{request:.60} {answer}");
        assert_eq!(wanted == "413", answer.contains("urn:keyvouch:problem:too-large"), "{answer}");
    }
    let head = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-A: {}\r\n\r\n", "a".repeat(70_000));
    assert_eq!(status(&raw(served.address, &head).await), "431");
    let many = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-A: 1\r\n".repeat(200));
    assert_eq!(status(&raw(served.address, &many).await), "431");
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_are_refused() {
    let served = Served::start(|_| {}).await;
    for coding in ["gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip"] {
        let request = client().post(served.url("/login")).header(header::CONTENT_ENCODING, coding);
        let answer = request.body(vec![0x1f, 0x8b, 8, 0]).send().await.unwrap();
        assert_eq!(answer.status(), 415, "{coding}");
        assert_eq!(problem(answer).await["type"], "urn:keyvouch:problem:media-type");
    }
}

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

/// Asks again until there is an answer that is wanted.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not come about");
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
async fn more_connections_than_may_be_wait_for_their_turn() {
    let served = Served::start(|config| config.limits.connections = 2).await;
    let quiet = [begun(&served, "").await, begun(&served, "").await];
    let address = served.address;
    let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut third = tokio::spawn(async move { raw(address, head).await });
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut third).await.is_err(), "there is no place");
    drop(quiet);
    assert_eq!(status(&third.await.unwrap()), "200");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_answers_what_it_began() {
    let mut served = Served::start(|_| {}).await;
    let mut running = in_work(&served).await;
    let mut idle = begun(&served, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    served.stop();
    until(async || TcpStream::connect(served.address).await.is_err().then_some(())).await;
    read_to_end(&mut idle).await;
    running.write_all(b"token=kv").await.unwrap();
    assert_eq!(status(&read_to_end(&mut running).await), "303");
    let store = served.service.store().clone();
    served.stopped().await;
    assert!(store.ping().await.is_err(), "the record is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_does_not_wait_for_ever() {
    let mut served = Served::start(|config| config.limits.shutdown_seconds = 1).await;
    let mut running = in_work(&served).await;
    served.stop();
    assert_eq!(read_to_end(&mut running).await, "");
    served.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_two_servers_could_read_differently_are_refused() {
    let served = Served::start(|_| {}).await;
    for extra in [
        "Content-Length: 8\r\nContent-Length: 9\r\n",
        "Content-Length: 8, 9\r\n",
        "Content-Length: +8\r\n",
        "Content-Length: -8\r\n",
        "Content-Length : 8\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunkedd\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X-A: 1\r\n folded\r\n",
    ] {
        let answer = raw(served.address, &post(extra, "token=kv")).await;
        assert_eq!(status(&answer), "400", "{extra:?}: {answer}");
    }
    for chunks in [
        "8;\rtoken=kv\r\n0\r\n\r\n",
        "0x8\r\ntoken=kv\r\n0\r\n\r\n",
        "-8\r\ntoken=kv\r\n0\r\n\r\n",
        "8\ntoken=kv\n0\n\n",
    ] {
        let answer = raw(served.address, &post("Transfer-Encoding: chunked\r\n", chunks)).await;
        assert_ne!(status(&answer), "303", "{chunks:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_lengths_the_chunks_count_and_nothing_is_hidden_in_the_other() {
    let served = Served::start(|_| {}).await;
    for lengths in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 100\r\n",
    ] {
        let body = "8\r\ntoken=kv\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let answer = raw(served.address, &post(lengths, body)).await;
        assert_eq!(status(&answer), "303", "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}
