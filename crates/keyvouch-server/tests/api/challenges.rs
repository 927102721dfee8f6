//! What is given out is answered once.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyvouch_emulator::Sample;
use keyvouch_server::Setup;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::{Node, anchors, asking, file, run, sample, yubikey};

const PATH: &str = "/v1/challenges";

#[test]
fn a_nonce_is_given_out_and_used_once() {
    run(async {
        let node = Node::new().await;
        let challenge = node.post(PATH, &json!({"type": "nonce"})).await;
        assert_eq!(challenge.status, 201);
        let challenge = challenge.json();
        assert_eq!(challenge["nonce"].as_str().unwrap().len(), 64);
        let short = node.post(PATH, &json!({"type": "nonce", "bytes": 8.0})).await.ok();
        assert_eq!(short["nonce"].as_str().unwrap().len(), 16);
        assert_ne!(challenge["id"], short["id"]);

        let mut asked = asking(&yubikey());
        asked["challenge"] = challenge["id"].clone();
        let envelope = node.post("/v1/appraisals", &asked).await.ok();
        // A YubiKey signs no nonce: it was asked for one.
        assert_eq!(envelope["report"]["appraisals"][0]["freshness"], "no-nonce-in-evidence");
        let bundle = node.service.store().bundle(envelope["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(hex::encode(bundle.case.submission.nonce.unwrap()), challenge["nonce"].as_str().unwrap());
        node.post("/v1/appraisals", &asked).await.is_problem(409, "was used before");
    });
}

#[test]
fn what_cannot_be_asked_does_not_use_a_challenge_up() {
    run(async {
        let node = Node::new().await;
        let id = node.post(PATH, &json!({"type": "nonce"})).await.ok()["id"].take();
        let mut asked = asking(&yubikey());
        asked["challenge"] = id;
        asked["policies"] = json!(["nonesuch"]);
        node.post("/v1/appraisals", &asked).await.is_problem(422, "nonesuch");
        asked["policies"] = json!([]);
        assert_eq!(node.post("/v1/appraisals", &asked).await.status, 200);
    });
}

#[test]
fn a_challenge_ends() {
    run(async {
        let node = Node::with(|setup| setup.config.limits.challenge_seconds = 0).await;
        let id = node.post(PATH, &json!({"type": "nonce"})).await.ok()["id"].take();
        let mut asked = asking(&yubikey());
        asked["challenge"] = id;
        node.post("/v1/appraisals", &asked).await.is_problem(409, "not answered in time");
    });
}

#[test]
fn what_is_over_is_forgotten() {
    run(async {
        let node = Node::new().await;
        let store = node.service.store();
        store.issue("nonce", "ancient", 0, 1, "00").await.unwrap();
        // One of sixty-four clears up; that none of two thousand does has a chance of 2⁻⁴⁵.
        for _ in 0..2_000 {
            node.post(PATH, &json!({"type": "nonce"})).await.ok();
            if store.use_once("nonce", "ancient", 2).await.unwrap() == keyvouch_store::Used::Unknown {
                return;
            }
        }
        panic!("nothing was forgotten");
    });
}

#[test]
fn requests_that_get_no_challenge() {
    run(async {
        let node = Node::new().await;
        for (asked, status, words) in [
            (json!({"type": "nonce", "bytes": 7}), 422, "8 to 64"),
            (json!({"type": "nonce", "bytes": 65}), 422, "8 to 64"),
            (json!({"type": "nonce", "bytes": 8.5}), 400, "no whole number"),
            (json!({"type": "nonce", "bytes": -8}), 400, "no whole number"),
            (json!({"type": "nonce", "byte": 8}), 400, "byte"),
            (json!({"type": "riddle"}), 400, "riddle"),
            (json!({}), 400, "type"),
            (json!({"type": "tpm", "ek": "eA=="}), 400, "ak"),
            (json!({"type": "tpm", "ek": "*", "ak": "eA=="}), 422, "ek is not base64"),
            (json!({"type": "tpm", "ek": "eA==", "ak": "eA=="}), 422, "`ek`: No endorsement key"),
        ] {
            node.post(PATH, &asked).await.is_problem(status, words);
        }
        let large = json!({"type": "tpm", "ek": "A".repeat(100_000), "ak": ""});
        node.post(PATH, &large).await.is_problem(413, "at most");
    });
}

/// Of many who use one challenge at once, on two nodes, one is answered.
#[test]
fn a_challenge_is_used_once_under_race() {
    run(async {
        race(|_| ()).await;
        match std::env::var("KEYVOUCH_TEST_POSTGRES") {
            Ok(server) => {
                let url = postgres(&server).await;
                race(|setup| setup.config.database = Some(url.clone())).await;
            }
            Err(_) => eprintln!(
                "\n*** NO POSTGRESQL: set KEYVOUCH_TEST_POSTGRES to postgres://user@host. Only SQLite was tried. ***\n"
            ),
        }
    });
}

async fn race(change: impl Fn(&mut Setup)) {
    const USERS: usize = 40;
    let one = Node::with(&change).await;
    let two = Node::in_folder(Arc::clone(&one.folder), &change).await;
    for _ in 0..3 {
        let id = one.post(PATH, &json!({"type": "nonce"})).await.ok()["id"].take();
        let mut asked = asking(&yubikey());
        asked["challenge"] = id;
        let nodes = [Arc::new(one.router.clone()), Arc::new(two.router.clone())];
        let mut users = tokio::task::JoinSet::new();
        for number in 0..USERS {
            let router = nodes[number % 2].as_ref().clone();
            let request = crate::support::post("/v1/appraisals", &asked);
            users.spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() });
        }
        let statuses = users.join_all().await;
        assert_eq!(statuses.iter().filter(|s| s.as_u16() == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|s| s.as_u16() == 409).count(), USERS - 1, "{statuses:?}");
    }
    assert_eq!(one.service.store().log().await.unwrap().size, 3);
}

/// A database of its own on a PostgreSQL server.
async fn postgres(server: &str) -> String {
    let name = format!("keyvouch_api_{}", std::process::id());
    let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    format!("{server}/{name}")
}

/// The TPM whose attestation key was activated, and the record of that.
fn activated() -> (Sample, Value) {
    let mut number = 0;
    loop {
        let sample = sample("tpm", number);
        if sample.variant == "activated" {
            let record = sample.options["activation"].clone();
            return (sample, record);
        }
        number += 1;
    }
}

#[test]
fn a_tpm_gets_a_credential_that_only_it_can_open() {
    run(async {
        let (sample, _) = activated();
        let node = Node::with(|setup| setup.judging.operator_data = anchors(&sample)).await;
        let ak = sample.evidence.iter().find(|f| f.name == "ak.pub").unwrap();
        let mut issued = Vec::new();
        for ek in &sample.evidence {
            let [ek, ak] = [ek, ak].map(|f| BASE64_STANDARD.encode(&f.bytes));
            let answer = node.post(PATH, &json!({"type": "tpm", "ek": ek, "ak": ak})).await;
            if answer.status == 201 {
                issued.push(answer.json());
            }
        }
        let [challenge] = issued.as_slice() else { panic!("one file is the endorsement key: {issued:?}") };
        let credential = BASE64_STANDARD.decode(challenge["credential"].as_str().unwrap()).unwrap();
        assert!(credential.starts_with(&[0xba, 0xdc, 0xc0, 0xde]));

        // A wrong answer ends it, and nothing is recorded.
        let mut asked = asking(&sample);
        asked["tpm"] = json!({"challenge": challenge["id"], "answer": BASE64_STANDARD.encode([0; 32])});
        node.post("/v1/appraisals", &asked).await.is_problem(422, "not the secret");
        node.post("/v1/appraisals", &asked).await.is_problem(409, "was used before");
        assert_eq!(node.service.store().log().await.unwrap().size, 0);
    });
}

#[test]
fn the_right_answer_of_a_tpm_counts_once() {
    run(async {
        let (sample, mut state) = activated();
        let node = Node::with(|setup| setup.judging.operator_data = anchors(&sample)).await;
        let answer = b"the secret in the credential";
        state["challenge"] = 1.into();
        state["secret_sha256"] = hex::encode(digest(&SHA256, answer)).into();
        state["expires"] = "2999-01-01T00:00:00Z".into();
        let id = "0123456789abcdef0123456789abcdef";
        let store = node.service.store();
        store.issue("tpm", id, 0, i64::MAX, &state.to_string()).await.unwrap();

        let mut asked = json!({
            "evidence": sample.evidence.iter().map(file).collect::<Value>(), "at": sample.at,
            "request": sample.request.as_ref().map(file),
        });
        let without = node.post("/v1/appraisals", &asked).await.ok();
        assert_eq!(without["verdict"], "cannot-decide");
        asked["tpm"] = json!({"challenge": id, "answer": BASE64_STANDARD.encode(answer)});
        let envelope = node.post("/v1/appraisals", &asked).await.ok();
        assert_eq!(envelope["report"]["appraisals"][0]["authenticity"], "authentic", "{envelope:#}");
        node.post("/v1/appraisals", &asked).await.is_problem(409, "was used before");
    });
}
