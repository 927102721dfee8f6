//! Numbers about what the service does (Prometheus).

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use keyvouch::appraisal::Report;
use keyvouch_store::{Receipt, Role};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::auth::Caller;
use crate::problem::Problem;
use crate::service::Service;

/// Limits of the parts of a histogram, in seconds: from a glance to what a client gives up on.
const PARTS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// The form of the numbers.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The route of the numbers. Who may read records may read them.
pub(crate) fn routes() -> Router<Arc<Service>> {
    install();
    Router::new().route("/metrics", get(numbers))
}

async fn numbers(State(service): State<Arc<Service>>, caller: Caller) -> Result<Response, Problem> {
    caller.must_be(Role::Read)?;
    // Other nodes record too, so the record is asked. Without it the other numbers are worth more than ever.
    if let Ok(log) = service.store.log().await {
        log_size(log.size);
    }
    let text = install().map(PrometheusHandle::render).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}

/// Starts to count: once in a process.
fn install() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let start = || {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), PARTS).ok()?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok()?;
        describe();
        Some(handle)
    };
    HANDLE.get_or_init(start).as_ref()
}

/// Puts away what was measured, so that it does not pile up where nobody asks for the numbers.
pub(crate) fn upkeep() {
    if let Some(handle) = install() {
        handle.run_upkeep();
    }
}

fn describe() {
    describe_counter!("keyvouch_appraisals_total", "Appraisals that were made, by verdict.");
    describe_counter!(
        "keyvouch_statements_total",
        "Statements of devices that were appraised, by format and authenticity."
    );
    describe_counter!("keyvouch_failed_checks_total", "Checks that failed, by format and check.");
    describe_counter!("keyvouch_requests_total", "Requests that were answered, by method, route and status.");
    describe_counter!(
        "keyvouch_shed_total",
        "Requests that were not carried on, by what there was too little of: places, bytes or time."
    );
    describe_gauge!("keyvouch_requests_running", "Requests that are being answered.");
    describe_gauge!("keyvouch_log_size", "Records in the log.");
    describe_gauge!("keyvouch_build_info", "Always 1; the label is the version.");
    let seconds = Unit::Seconds;
    describe_histogram!(
        "keyvouch_request_seconds",
        seconds,
        "Time from the head of a request to its answer."
    );
    describe_histogram!("keyvouch_judging_seconds", seconds, "Time to judge evidence.");
    describe_histogram!("keyvouch_append_seconds", seconds, "Time until a record is on disk.");
    gauge!("keyvouch_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Counts an appraisal: by format, verdict and failed check.
pub(crate) fn appraised(report: &Report) {
    let verdict = report.verdict.map_or("none", keyvouch::Verdict::as_str);
    for appraisal in &report.appraisals {
        let format = if appraisal.format.is_empty() { "none" } else { appraisal.format };
        counter!("keyvouch_statements_total", "format" => format,
            "authenticity" => appraisal.authenticity.as_str())
        .increment(1);
        for check in appraisal.failed() {
            counter!("keyvouch_failed_checks_total", "format" => format, "check" => check.id.to_string())
                .increment(1);
        }
    }
    counter!("keyvouch_appraisals_total", "verdict" => verdict).increment(1);
}

/// How long it took to judge.
pub(crate) fn judged(took: Duration) {
    histogram!("keyvouch_judging_seconds").record(took);
}

/// How long it took to record, and where the record is.
pub(crate) fn recorded(took: Duration, receipt: &Receipt) {
    histogram!("keyvouch_append_seconds").record(took);
    log_size(receipt.leaf.saturating_add(1));
}

fn log_size(size: u64) {
    // Exact up to four thousand million records.
    gauge!("keyvouch_log_size").set(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
}

/// Counts a request that was not carried on.
pub(crate) fn shed(why: &'static str) {
    counter!("keyvouch_shed_total", "why" => why).increment(1);
}

/// Counts a request that was answered. Every label has few values, whatever clients send.
pub(crate) fn answered(method: &'static str, route: Option<&str>, status: u16, took: Duration) {
    let route = route.unwrap_or("none").to_owned();
    histogram!("keyvouch_request_seconds", "route" => route.clone()).record(took);
    counter!("keyvouch_requests_total", "method" => method, "route" => route, "status" => status.to_string())
        .increment(1);
}

/// The method, if it is one that the service has.
pub(crate) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

/// A request that is being answered, also when its client goes away.
pub(crate) struct Running;

impl Running {
    pub(crate) fn new() -> Self {
        gauge!("keyvouch_requests_running").increment(1.0);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!("keyvouch_requests_running").decrement(1.0);
    }
}
