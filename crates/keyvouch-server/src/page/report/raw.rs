//! The evidence, decoded and not judged.

use keyvouch::{Submission, Time, Verifier};
use keyvouch_record::Case;
use maud::{Markup, html};
use serde_json::Value;

use super::statement::format_title;
use crate::page::text::{clean, size};

/// How deep the view of a format is followed.
const MAX_DEPTH: usize = 24;

/// What the files hold, as `keyvouch inspect` shows it; or why that cannot be said.
pub(in crate::page) fn decode(verifier: &Verifier, case: &Case) -> Result<Value, String> {
    let mut files = case.submission.evidence.clone();
    // The same file can be both: the evidence is inside the request.
    files.extend(
        case.submission
            .request
            .iter()
            .filter(|request| !files.contains(request))
            .cloned()
            .collect::<Vec<_>>(),
    );
    // Nothing is judged, so the time plays no part.
    verifier.inspect(&Submission::new(files, Time::from_unix(0))).map_err(|why| why.to_string())
}

/// What was decoded, folded away.
pub(super) fn decoded(view: Result<&Value, &str>) -> Markup {
    html! {
        details.panel #decoded {
            summary { h2 { "Decoded evidence" } span.hint { "What the files hold; nothing here is authenticated" } }
            @match view {
                Err(why) => { p { "The files cannot be decoded: " (clean(why)) "." } }
                Ok(view) => {
                    h3 { "Parts" }
                    ul.parts { @for part in list(view, "parts") { (self::part(part)) } }
                    @for statement in list(view, "statements") {
                        h3 { (format_title(text(statement, "format"))) }
                        (outline(statement.get("view").unwrap_or(&Value::Null), 0))
                    }
                    @if list(view, "statements").is_empty() { p { "No evidence of a format that keyvouch knows." } }
                }
            }
        }
    }
}

fn part(part: &Value) -> Markup {
    let bytes = part.get("size").and_then(Value::as_u64).unwrap_or_default();
    html! { li { strong { (clean(text(part, "where"))) } ": " (clean(text(part, "is"))) ", " (size(bytes)) } }
}

/// A view as nested lists.
fn outline(value: &Value, depth: usize) -> Markup {
    let deeper = depth.saturating_add(1);
    html! {
        @match value {
            _ if depth >= MAX_DEPTH => { p { "…" } }
            Value::Object(fields) => {
                dl.decoded {
                    @for (name, value) in fields {
                        div.nested[!is_short(value)] {
                            dt { (clean(name)) }
                            dd { @if is_short(value) { (short(value)) } @else { (outline(value, deeper)) } }
                        }
                    }
                }
            }
            Value::Array(items) => {
                ul.decoded { @for item in items { li { @if is_short(item) { (short(item)) } @else { (outline(item, deeper)) } } } }
            }
            other => { p { (short(other)) } }
        }
    }
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => clean(text),
        Value::Number(number) => number.to_string(),
        Value::Array(items) if !items.is_empty() => items.iter().map(short).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Array(_) | Value::Object(_) => "none".to_owned(),
    }
}

fn list<'v>(view: &'v Value, name: &str) -> &'v [Value] {
    view.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
