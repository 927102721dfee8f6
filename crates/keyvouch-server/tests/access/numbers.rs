//! The numbers for Prometheus. One process has one set of them, so other tests count too.

use crate::served::{Served, asking, client};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_counted() {
    let served = Served::start(|_| {}).await;
    let yubikey = asking(&keyvouch_emulator::samples("yubikey-piv").unwrap()[0]);
    let answer = client().post(served.url("/v1/appraisals")).json(&yubikey).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for path in ["/v1/appraisals/one", "/v1/appraisals/two", "/a/b", "/c"] {
        assert_eq!(client().get(served.url(path)).send().await.unwrap().status(), 404);
    }
    let odd = client().request("BREW".parse().unwrap(), served.url("/healthz")).send().await.unwrap();
    assert_eq!(odd.status(), 405);
    let answer = client().get(served.url("/metrics")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let numbers = answer.text().await.unwrap();
    for wanted in [
        "# HELP keyvouch_appraisals_total ",
        "# TYPE keyvouch_appraisals_total counter",
        "keyvouch_appraisals_total{verdict=\"",
        "keyvouch_statements_total{format=\"yubikey-piv\",authenticity=\"",
        "keyvouch_failed_checks_total{format=\"yubikey-piv\",check=\"",
        "keyvouch_requests_total{method=\"POST\",route=\"/v1/appraisals\",status=\"200\"} ",
        "keyvouch_requests_total{method=\"GET\",route=\"/v1/appraisals/{id}\",status=\"404\"} ",
        "keyvouch_requests_total{method=\"GET\",route=\"none\",status=\"404\"} ",
        "keyvouch_requests_total{method=\"other\",route=\"/healthz\",status=\"405\"} ",
        "keyvouch_request_seconds_bucket{route=\"/v1/appraisals\",le=\"0.1\"} ",
        "keyvouch_judging_seconds_count ",
        "keyvouch_append_seconds_bucket{le=\"+Inf\"} ",
        "keyvouch_requests_running ",
        "keyvouch_log_size 1\n",
        "keyvouch_build_info{version=\"",
    ] {
        assert!(numbers.contains(wanted), "{wanted}\n{numbers}");
    }
    for line in numbers.lines().filter(|line| !line.starts_with('#')) {
        assert!(!line.contains("/one") && !line.contains("BREW"), "{line}");
    }
    let told: Vec<&str> = numbers.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    for line in told {
        let name = line.split(' ').next().unwrap();
        assert!(numbers.contains(&format!("# HELP {name} ")), "{name} is not explained");
    }
}
