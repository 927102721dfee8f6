//! Told to stop: what is begun is answered, and what is answered is on record.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::client::{answer, connected, head};
use super::load::Load;
use super::site::{Running, Site, appraisal, until};

/// A connection with a request whose body the service waits for.
fn in_work(node: &Running, body: &str) -> TcpStream {
    let mut stream = connected(node.address).unwrap();
    let head = head("POST", "/v1/appraisals", Some(body.len()), "Expect: 100-continue\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn a_service_that_is_told_to_stop_under_load_answers_what_it_began() {
    let site = Site::sqlite();
    let node = site.start();
    let load = Load::begin(6, &[&node]);
    load.until_more(20);
    let bodies: Vec<String> = (0..8).map(|number| appraisal(1_000_000 + number)).collect();
    let streams: Vec<TcpStream> = bodies.iter().map(|body| in_work(&node, body)).collect();
    node.tell_to_stop();
    until("it takes no new requests", || TcpStream::connect(node.address).is_err());
    let mut ids = Vec::new();
    for (mut stream, body) in streams.into_iter().zip(&bodies) {
        stream.write_all(body.as_bytes()).unwrap();
        let answer = answer(&mut stream).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        ids.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    assert!(node.wait().success(), "{}", site.faults());
    let outcome = load.stop();
    let again = site.start();
    for id in ids {
        assert_eq!(again.get(&format!("/v1/appraisals/{id}")).status, 200);
    }
    outcome.is_on_record(&site, again);
}
