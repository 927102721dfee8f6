//! Numbers about what the service does (Prometheus).

use keyvouch::appraisal::Report;

/// Counts an appraisal: by format, verdict and failed check.
pub(crate) fn appraised(report: &Report) {
    let verdict = report.verdict.map_or("none", keyvouch::Verdict::as_str);
    for appraisal in &report.appraisals {
        let format = if appraisal.format.is_empty() { "none" } else { appraisal.format };
        metrics::counter!("keyvouch_statements_total", "format" => format,
            "authenticity" => appraisal.authenticity.as_str())
        .increment(1);
        for check in appraisal.failed() {
            metrics::counter!("keyvouch_failed_checks_total", "format" => format, "check" => check.id.to_string())
                .increment(1);
        }
    }
    metrics::counter!("keyvouch_appraisals_total", "verdict" => verdict).increment(1);
}
