//! A database that goes away and comes back.

use super::postgres::Cluster;
use super::site::{Site, appraisal, until};

#[test]
fn a_lost_database_is_told_and_found_again() {
    let Some(cluster) = Cluster::start() else { return };
    let site = Site::new(&cluster.database());
    let node = site.start();
    let first = node.post("/v1/appraisals", &appraisal(0));
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(node.get("/readyz").status, 200);

    cluster.stop();
    node.post("/v1/appraisals", &appraisal(1)).is_unavailable();
    node.get("/readyz").is_unavailable();
    assert_eq!(node.get("/healthz").status, 200, "it lives");
    node.get("/v1/log/checkpoint").is_unavailable();
    node.get(&format!("/v1/appraisals/{}", first.json()["id"].as_str().unwrap())).is_unavailable();
    node.post("/v1/challenges", "{\"type\": \"nonce\"}").is_unavailable();

    cluster.go_on();
    until("it is ready again", || node.get("/readyz").status == 200);
    let second = node.post("/v1/appraisals", &appraisal(2));
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(second.json()["leaf"], 1, "nothing was recorded meanwhile");
    node.tell_to_stop();
    assert!(node.wait().success());
    assert_eq!(site.verify_log(&[]), 2);
}
