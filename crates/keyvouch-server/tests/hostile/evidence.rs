//! Evidence that is handed in by many, while the service stops, or by those who mean no good.

use std::io::Write as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use keyvouch_store::{Location, Store};
use reqwest::header;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::post_json;
use crate::served::{Served, asking, client, problem, raw, status};

fn yubikey() -> Value {
    asking(&keyvouch_emulator::samples("yubikey-piv").unwrap()[0])
}

/// How many records there are, found out after the service is gone.
async fn recorded(served: &Served) -> usize {
    let location = Location::parse(served.record().to_str().unwrap()).unwrap();
    let store = Store::open(&location).await.unwrap();
    store.log().await.unwrap().size.try_into().unwrap()
}

/// Sends the same from so many at once; the status of each answer, `none` where there was none.
async fn crowd(served: &Served, clients: usize, request: &str) -> JoinSet<String> {
    let mut crowd = JoinSet::new();
    for _ in 0..clients {
        let (address, request) = (served.address, request.to_owned());
        crowd.spawn(async move { status(&raw(address, &request).await).to_owned() });
    }
    crowd
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_who_hand_in_each_is_recorded_or_told_to_come_later() {
    // However slow the machine of the test is: who is sent away for the time it took may be recorded.
    let mut served =
        Served::start(|config| (config.limits.waiting, config.limits.request_seconds) = (500, 300)).await;
    let request = post_json("/v1/appraisals", &yubikey());
    let answers = crowd(&served, 1_000, &request).await.join_all().await;
    let good = answers.iter().filter(|status| *status == "200").count();
    let later = answers.iter().filter(|status| *status == "503").count();
    assert_eq!(good + later, 1_000, "{:?}", answers.iter().find(|s| !["200", "503"].contains(&s.as_str())));
    assert!(good >= 400, "{good}");
    served.stop();
    served.stopped().await;
    assert_eq!(recorded(&served).await, good);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_is_recorded_and_who_is_recorded_is_told_also_when_the_service_stops() {
    let mut served = Served::start(|config| config.limits.shutdown_seconds = 60).await;
    let request = post_json("/v1/appraisals", &yubikey());
    let mut crowd = crowd(&served, 100, &request).await;
    // In the middle of the work.
    let mut good = usize::from(crowd.join_next().await.unwrap().unwrap() == "200");
    served.stop();
    while let Some(status) = crowd.join_next().await {
        let status = status.unwrap();
        assert!(["200", "none"].contains(&status.as_str()), "{status}");
        good += usize::from(status == "200");
    }
    served.stopped().await;
    assert!(good > 1);
    assert_eq!(recorded(&served).await, good);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_told_and_leaves_nothing() {
    let mut served = Served::start(|_| {}).await;
    let form = "multipart/form-data; boundary=b";
    let part =
        |head: &str, body: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}");
    let good = part("name=\"evidence\"; filename=\"a\"", "a\r\n");
    for (kind, body) in [
        ("application/json", String::new()),
        ("application/json", "{".to_owned()),
        ("application/json", "[]".to_owned()),
        ("application/json", "null".to_owned()),
        ("application/json", "[".repeat(100_000)),
        ("application/json", format!("{{\"evidence\":{}", "[".repeat(100_000))),
        ("application/json", r#"{"evidence":"a"}"#.to_owned()),
        ("application/json", r#"{"evidence":[{"name":"a","content":"!"}]}"#.to_owned()),
        ("application/json", r#"{"evidence":[],"evidence":[]}"#.to_owned()),
        ("application/json; charset=utf-16", "{}".to_owned()),
        ("text/plain", "evidence".to_owned()),
        ("", "evidence".to_owned()),
        ("multipart/form-data", good.clone()),
        ("multipart/form-data; boundary=", good.clone()),
        (form, String::new()),
        (form, "no boundary".to_owned()),
        (form, good.clone()),
        (form, format!("{good}--c--\r\n")),
        (form, format!("--b\r\n{}\r\n\r\na\r\n--b--\r\n", "X: y\r\n".repeat(10_000))),
        (form, format!("{}\r\n--b--\r\n", part("filename=\"a\"", "a"))),
        (form, format!("{}\r\n--b--\r\n", part("name=\"unknown\"", "a"))),
        (form, format!("{}--b--\r\n", good.repeat(2_000))),
    ] {
        let request = client().post(served.url("/v1/appraisals")).header(header::CONTENT_TYPE, kind);
        let answer = request.body(body.clone()).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{kind} {body:.60}: {}", answer.status());
        problem(answer).await;
    }
    let request =
        client().post(served.url("/v1/appraisals")).header(header::CONTENT_TYPE, "application/json");
    let not_text = request.body(vec![0xff, 0xfe, 0]).send().await.unwrap();
    assert!(not_text.status().is_client_error());
    served.stop();
    served.stopped().await;
    assert_eq!(recorded(&served).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_unpacks_to_more_than_anybody_has_is_answered_soon() {
    let served = Served::start(|_| {}).await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..512 {
        gzip.write_all(&zeros).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let mut nested = GzEncoder::new(Vec::new(), Compression::best());
    nested.write_all(&bomb).unwrap();
    for bomb in [bomb, nested.finish().unwrap()] {
        let began = Instant::now();
        let asked = json!({ "evidence": [{ "name": "a.gz", "content": BASE64_STANDARD.encode(bomb) }] });
        let answer = client().post(served.url("/v1/appraisals")).json(&asked).send().await.unwrap();
        assert!(answer.status() == 200 || answer.status() == 422, "{}", answer.status());
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        let said: Value = answer.json().await.unwrap();
        assert!(said.to_string().len() < 100_000);
    }
}
