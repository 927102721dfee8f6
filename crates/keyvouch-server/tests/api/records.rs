//! Reading the record.

use axum::http::{StatusCode, header};
use keyvouch_record::log::{Checkpoint, Proof};
use keyvouch_record::{Answer, Bundle, recheck};
use keyvouch_store::Record;
use serde_json::{Value, json};

use crate::support::{Node, asking, run, yubikey};

const NOBODY: &str = "/v1/appraisals/019b2f04-4b4a-7d3c-9d0b-3f6f0c2c7f10";

async fn recorded(node: &Node) -> String {
    let answer = node.post("/v1/appraisals", &asking(&yubikey())).await;
    answer.ok();
    answer.header(header::LOCATION).to_owned()
}

/// A record that says another word than keyvouch does today.
async fn of_another_version(node: &Node) -> String {
    let id = recorded(node).await.rsplit('/').next().unwrap().to_owned();
    let mut bundle = node.service.store().bundle(&id).await.unwrap();
    let report = String::from_utf8(bundle.report).unwrap();
    bundle.report = report.replace("\"name\": \"keyvouch\"", "\"name\": \"keyvouch \"").into_bytes();
    let record = Record::new(bundle, "local", 0).unwrap();
    format!("/v1/appraisals/{}", node.service.store().append(record).await.unwrap().id)
}

#[test]
fn a_record_comes_in_every_form() {
    run(async {
        let node = Node::new().await;
        let path = recorded(&node).await;
        let page = node.get_as(&path, "text/html").await;
        assert!(page.status == 200 && page.text().contains("<title>"), "{}", page.text());
        let token = node.get_as(&path, "application/eat+jwt").await;
        assert_eq!((token.status, token.text().split('.').count()), (StatusCode::OK, 3));
        assert_eq!(token.header(header::VARY), "accept");
        node.get_as(&path, "application/xml").await.is_problem(406, "application/json");
    });
}

#[test]
fn no_signed_result_says_what_keyvouch_would_not_say_today() {
    run(async {
        let node = Node::new().await;
        let path = of_another_version(&node).await;
        // The record itself is there all the same; what is described is the contract, which this report breaks.
        assert!(node.service.store().bundle(path.rsplit('/').next().unwrap()).await.is_ok());
        node.get_as(&path, "application/eat+jwt").await.is_problem(409, "/verifier/name");
        assert_eq!(node.get_as(&path, "text/html").await.status, 200);
        let zip = node.get(&format!("{path}/bundle")).await;
        let names: Vec<String> =
            Bundle::read(&zip.body).unwrap().proofs.into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["proof.tlog-proof"], "no result");
    });
}

#[test]
fn records_that_are_not_there() {
    run(async {
        let node = Node::new().await;
        for end in ["", "/evidence", "/bundle", "/proof"] {
            node.get(&format!("{NOBODY}{end}")).await.is_problem(404, "no record");
            node.get(&format!("/v1/appraisals/x%00{end}")).await.is_problem(404, "no record");
        }
        node.get("/v1/appraisals/%ff").await.is_problem(400, "UTF-8");
    });
}

#[test]
fn a_pruned_record_is_gone() {
    run(async {
        let node = Node::new().await;
        let path = recorded(&node).await;
        node.service.store().prune(1, true, 32_503_680_000_000).await.unwrap();
        for end in ["", "/evidence", "/bundle", "/proof"] {
            node.get(&format!("{path}{end}")).await.is_problem(410, "was pruned");
        }
        assert_eq!(node.get("/v1/appraisals").await.ok()["records"][0]["pruned"], true);
    });
}

#[test]
fn the_files_of_a_record_are_what_was_handed_in() {
    run(async {
        let node = Node::new().await;
        let path = recorded(&node).await;
        let files = node.get(&format!("{path}/evidence")).await.ok();
        let files = files["files"].as_array().unwrap();
        let of = |role: &str| files.iter().filter(|f| f["role"] == role).cloned().collect::<Vec<Value>>();
        assert_eq!(of("evidence").len(), yubikey().evidence.len());
        assert_eq!((of("report").len(), of("request").len(), of("policy").len()), (1, 1, 1));
        assert!(!of("operator-data").is_empty());
        let request = of("request")[0].clone();
        let address = format!("{path}/evidence/{}", request["sha256"].as_str().unwrap());
        let bytes = node.get(&address).await;
        assert_eq!(bytes.body, yubikey().request.unwrap().bytes);
        assert_eq!(request["size"], bytes.body.len());
        assert!(bytes.header(header::CONTENT_DISPOSITION).starts_with("attachment"));
        assert_eq!(bytes.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        for other in ["00".repeat(32), "x".to_owned(), "%00".to_owned()] {
            node.get(&format!("{path}/evidence/{other}")).await.is_problem(404, "no file");
        }
    });
}

#[test]
fn a_bundle_holds_all_that_an_auditor_needs() {
    run(async {
        let node = Node::new().await;
        recorded(&node).await;
        let path = recorded(&node).await;
        let zip = node.get(&format!("{path}/bundle")).await;
        let id = path.rsplit('/').next().unwrap();
        assert_eq!(zip.header(header::CONTENT_DISPOSITION), format!("attachment; filename=\"{id}.zip\""));
        let bundle = Bundle::read(&zip.body).unwrap();
        assert_eq!(recheck(&bundle).unwrap().answer, Answer::Identical);
        let names: Vec<&str> = bundle.proofs.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["result.jwt", "proof.tlog-proof"]);
        let manifest = bundle.parts().unwrap().manifest;
        let proof = Proof::read(&bundle.proofs[1].bytes).unwrap();
        assert_eq!(proof.verify(&manifest, &node.log_key).unwrap().size, 2);

        let alone = node.get(&format!("{path}/proof")).await;
        let proof = Proof::read(&alone.body).unwrap();
        assert_eq!(proof.index, 1);
        let checkpoint = proof.verify(&manifest, &node.log_key).unwrap();
        let state = node.get("/v1/log/checkpoint").await;
        assert_eq!(Checkpoint::open(&state.body, &node.log_key).unwrap(), checkpoint);
        assert_eq!(node.get("/v1/log/key").await.text().trim_end(), node.log_key);
    });
}

#[test]
fn records_are_found_page_by_page() {
    run(async {
        let node = Node::new().await;
        for _ in 0..5 {
            recorded(&node).await;
        }
        let mut address = "/v1/appraisals?verdict=accept&limit=2".to_owned();
        let mut leaves = Vec::new();
        loop {
            let page = node.get(&address).await;
            let records = page.ok();
            leaves.extend(records["records"].as_array().unwrap().iter().map(|r| r["leaf"].as_u64().unwrap()));
            let link = page.header(header::LINK);
            let Some(next) = records["next"].as_str() else {
                assert_eq!(link, "");
                break;
            };
            let wanted = format!("/v1/appraisals?verdict=accept&limit=2&cursor={next}");
            assert_eq!(link, format!("<{wanted}>; rel=\"next\""));
            address = wanted;
        }
        assert_eq!(leaves, [4, 3, 2, 1, 0]);
    });
}

#[test]
fn every_filter_finds_and_excludes() {
    run(async {
        let node = Node::new().await;
        let path = recorded(&node).await;
        let found = node.get("/v1/appraisals").await.ok()["records"][0].take();
        assert_eq!(format!("/v1/appraisals/{}", found["id"].as_str().unwrap()), path);
        assert_eq!(found["verdict"], "accept");
        assert_eq!(found["policies"], json!(["hardware-key"]));
        let key = &found["statements"][0];
        let text = |value: &Value| value.as_str().unwrap().replace(' ', "%20");
        let other = "00".repeat(32);
        for (name, hit, miss) in [
            ("spki_sha256", text(&key["spki_sha256"]).to_uppercase(), other.as_str()),
            ("request_sha256", text(&found["request_sha256"]), other.as_str()),
            ("vendor", text(&key["vendor"]), "nobody"),
            ("model", text(&key["model"]), "none"),
            ("serial", text(&key["serial"]), "0"),
            ("firmware_from", "5.4".to_owned(), "99"),
            ("firmware_to", "99".to_owned(), "1.0"),
            ("format", "yubikey-piv".to_owned(), "tpm"),
            ("authenticity", "authentic".to_owned(), "undecided"),
            ("verdict", "accept".to_owned(), "refuse"),
            ("policy", "hardware-key".to_owned(), "hardware"),
            ("since", "2000-01-01T00:00:00Z".to_owned(), "2999-01-01T00:00:00%2B02:00"),
            ("until", "2999-01-01T00:00:00Z".to_owned(), "2000-01-01T00:00:00Z"),
        ] {
            let count = async |value: &str| {
                let page = node.get(&format!("/v1/appraisals?{name}={value}")).await.ok();
                page["records"].as_array().unwrap().len()
            };
            assert_eq!((count(&hit).await, count(miss).await), (1, 0), "{name}");
        }
    });
}

#[test]
fn filters_that_cannot_be_meant_are_named() {
    run(async {
        let node = Node::new().await;
        for (query, status, words) in [
            ("spki_sha256=00", 422, "`spki_sha256`"),
            ("request_sha256=zz", 422, "`request_sha256`"),
            ("verdict=good", 422, "accept-with-findings"),
            ("authenticity=real", 422, "not-attestable"),
            ("since=yesterday", 422, "`since`"),
            ("until=2026-01-01", 422, "`until`"),
            ("limit=0", 422, "`limit`"),
            ("limit=501", 422, "500"),
            ("limit=x", 400, "limit"),
            ("cursor=17", 422, "`cursor`"),
            ("cursor=cffffffffffffffff0", 422, "`cursor`"),
            ("vendr=x", 400, "vendr"),
            ("vendor=x&vendor=y", 400, "vendor"),
        ] {
            node.get(&format!("/v1/appraisals?{query}")).await.is_problem(status, words);
        }
        // What a database might take amiss.
        for query in ["vendor=%00", "vendor=%27%3B--", "policy=%25", "format=", "cursor=cffffffffffffffff"] {
            assert_eq!(node.get(&format!("/v1/appraisals?{query}")).await.ok()["records"], json!([]));
        }
    });
}
