//! Connections that are held, and those that are open when the service stops.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::{Served, client, raw, read_to_end, status};
use crate::{begun, in_work, post, until};

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
async fn balancers_hear_of_the_end_before_it_comes() {
    let mut served = Served::start(|config| config.limits.notice_seconds = 1).await;
    let ready = async || client().get(served.url("/readyz")).send().await.unwrap().status();
    assert_eq!(ready().await, 200);
    let running = in_work(&served).await;
    let (url, alive) = (served.url("/readyz"), served.url("/healthz"));
    served.stop();
    let told = until(async || {
        let answer = client().get(&url).send().await.unwrap();
        (answer.status() == 503).then_some(answer)
    });
    assert!(told.await.text().await.unwrap().contains("about to stop"));
    assert_eq!(client().get(&alive).send().await.unwrap().status(), 200, "it still answers");
    drop(running);
    served.stopped().await;
    assert!(client().get(&alive).send().await.is_err());
}
