//! The page of a report: whole, self-contained, and the same as the JSON report.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use keyvouch::File;
use keyvouch_results::html;
use serde_json::Value;
use support::{first, report, report_of, sample, submission};

/// Every text of the JSON report.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|v| texts(v, found)),
        Value::Object(members) => members.values().for_each(|v| texts(v, found)),
        _ => {}
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn everything_of_the_report_is_on_the_page() {
    // Words that the page says otherwise.
    let other = ["keyvouch.result/1", "must", "should", "note", "unknown", "fail", "undecided", "unfit"];
    for variant in ["5.7.4-9c-p384", "5.4.3-9a-p256"] {
        let sample = if variant.starts_with("5.7") { first() } else { sample(variant) };
        let report = report(&sample);
        let page = html::page(&report);
        let mut found = Vec::new();
        texts(&serde_json::to_value(&report).unwrap(), &mut found);
        for text in found.iter().filter(|t| !other.contains(&t.as_str())) {
            assert!(page.contains(&escaped(text)), "{text:?} is not on the page");
        }
        assert_eq!(page, html::page(&report));
    }
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let mut hostile = first();
    hostile.evidence =
        vec![keyvouch_emulator::File::new("<script>alert(1)</script>\u{202e}.pem", "<img src=x onerror=y>")];
    let mut submission = submission(&hostile);
    submission.evidence.push(File::new("\"><svg onload=z>", "more"));
    let page = html::page(&report_of(&hostile, &submission, &["hardware-key"], &[]));
    assert!(page.starts_with("<!DOCTYPE html>"));
    for bad in ["<script", "<img", "<svg", " src=\"", " href=\"", "url(", "@import", "\u{202e}"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("default-src 'none'"));
}
