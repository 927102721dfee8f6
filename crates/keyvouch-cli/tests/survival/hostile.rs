//! Evidence and clients that mean no good, against the real command with its ordinary limits.

use std::io::{Cursor, Write as _};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::client::{self, Answer, answer, connected};
use super::site::{Running, Site, appraisal, random_below};

/// Zeros in one member of a bomb.
const MEMBER: usize = 30 << 20;

/// A ZIP file with these members.
fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Wide: many members of many zeros. Deep: one within the other.
fn bombs() -> Vec<Vec<u8>> {
    let mut member = zip(&[("zeros".to_owned(), vec![0; MEMBER])]);
    let wide = zip(&(0..60).map(|n| (format!("{n}.zip"), member.clone())).collect::<Vec<_>>());
    for depth in 0..40 {
        member = zip(&[(format!("{depth}.zip"), member)]);
    }
    vec![wide, member]
}

#[test]
fn bombs_do_not_go_off() {
    let site = Site::sqlite();
    let node = site.start();
    assert_eq!(node.post("/v1/appraisals", &appraisal(0)).status, 200);
    let before = node.most_memory();
    let bombs: Vec<String> = bombs()
        .iter()
        .map(|bomb| {
            json!({"evidence": [{"name": "bomb.zip", "content": BASE64_STANDARD.encode(bomb)}]}).to_string()
        })
        .collect();
    thread::scope(|scope| {
        for bomb in bombs.iter().cycle().take(8) {
            let node = &node;
            scope.spawn(move || {
                let answer = node.post("/v1/appraisals", bomb);
                assert!([200, 422].contains(&answer.status), "{answer:?}");
                if answer.status == 200 {
                    assert_ne!(answer.json()["verdict"], "accept");
                }
            });
        }
    });
    let more = node.most_memory() - before;
    eprintln!("{} MiB more for bombs of {} MiB", more >> 20, (MEMBER * 60) >> 20);
    // What is unwrapped is bounded (64 MiB) for each of the appraisals that are made at once; the buffer that grows to
    // that size may be twice as large. And something for the allocator.
    let at_once = u64::try_from(thread::available_parallelism().unwrap().get()).unwrap();
    assert!(more < (128 << 20) * at_once + (64 << 20), "{more}");
    assert_eq!(node.post("/v1/appraisals", &appraisal(1)).status, 200);
}

const BOUNDARY: &str = "a-boundary-of-a-test";

fn form() -> Vec<u8> {
    let field = |name: &str, file: &str, value: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n")
    };
    let text = [
        field("evidence", "; filename=\"a.txt\"", "a text that is no evidence"),
        field("nonce", "", "00ff"),
        field("policy", "", "hardware-key"),
        format!("--{BOUNDARY}--\r\n"),
    ];
    text.concat().into_bytes()
}

fn post_form(node: &Running, media_type: &str, body: &[u8]) -> Answer {
    let mut stream = connected(node.address).unwrap();
    let head = format!(
        "POST /v1/appraisals HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {media_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    // It may answer before it has read all.
    let _sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    answer(&mut stream).unwrap()
}

#[test]
fn forms_that_are_none_are_answered_as_what_they_are() {
    let site = Site::sqlite();
    let node = site.start();
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    assert_eq!(post_form(&node, &media_type, &form()).status, 200);
    for media_type in
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other"]
    {
        let answer = post_form(&node, media_type, &form());
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, Some("application/problem+json")),
            "{media_type}"
        );
    }
    // Cut anywhere, or with bytes that stood elsewhere.
    for _ in 0..200 {
        let mut body = form();
        let at = |body: &[u8]| usize::try_from(random_below(u64::try_from(body.len()).unwrap())).unwrap();
        match random_below(3) {
            0 => body.truncate(at(&body)),
            1 => {
                let (from, to) = (at(&body), at(&body));
                body[to] = body[from];
            }
            _ => {
                let (from, to) = (at(&body), at(&body));
                let some = body[from.min(to)..from.max(to)].to_vec();
                let place = at(&body);
                body.splice(place..place, some);
            }
        }
        let answer = post_form(&node, &media_type, &body);
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert!([200, 400, 409, 422].contains(&answer.status), "{shown}\n{answer:?}");
        if answer.status != 200 {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{shown}");
        }
    }
}

#[test]
fn a_thousand_clients_at_once_have_their_evidence_judged() {
    let site = Site::with("record.db", "per_minute = 0\nrequest_seconds = 120\n");
    let node = site.start();
    let (address, small) = (node.address, 128 << 10);
    let clients: Vec<_> = (0..1_000)
        .map(|number| {
            let post = move || client::ask(address, "POST", "/v1/appraisals", Some(&appraisal(number)));
            thread::Builder::new().stack_size(small * 4).spawn(post).unwrap()
        })
        .collect();
    let answers: Vec<Answer> = clients.into_iter().map(|client| client.join().unwrap().unwrap()).collect();
    let recorded = answers.iter().filter(|a| a.status == 200).count();
    answers.iter().filter(|a| a.status != 200).for_each(Answer::is_unavailable);
    eprintln!("{recorded} of 1000 clients at once were served");
    assert!(recorded >= 900, "{recorded}");
    node.kill();
    assert!(site.verify_log(&[]) >= u64::try_from(recorded).unwrap());
}
