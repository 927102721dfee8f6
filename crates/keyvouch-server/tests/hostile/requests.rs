//! Requests that are too large, or mean two things.

use reqwest::header;

use crate::post;
use crate::served::{Served, client, problem, raw, status};

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
