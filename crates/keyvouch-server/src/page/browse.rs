//! Browsing and searching the record.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use keyvouch::Time;
use keyvouch_store::{Filter, Found, FoundStatement, Role};
use maud::{Markup, html};

use super::layout::{Page, Place, page};
use super::query;
use super::report::{format_title, label};
use super::text::{clean, count, short, time};
use crate::auth::Caller;
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// Records on a page.
const ON_A_PAGE: u32 = 25;

/// A field of the filter: its name, and what people call it.
struct Field(&'static str, &'static str, &'static str);

/// What is asked for most.
const FIRST: [Field; 4] = [
    Field("serial", "Serial number", "as reports print it"),
    Field("vendor", "Maker", "such as Yubico"),
    Field("spki_sha256", "Key", "SHA-256 of its SubjectPublicKeyInfo"),
    Field("request_sha256", "Request", "SHA-256 of the file"),
];

/// What is folded away.
const MORE: [Field; 3] = [
    Field("model", "Model", "as reports print it"),
    Field("firmware_from", "Firmware from", "such as 5.2"),
    Field("firmware_to", "Firmware to", "such as 5.6; with all below it"),
];

const VERDICTS: [(&str, &str); 4] = [
    ("accept", "Accepted"),
    ("accept-with-findings", "Accepted with findings"),
    ("refuse", "Refused"),
    ("cannot-decide", "Cannot decide"),
];

const AUTHENTICITIES: [(&str, &str); 4] = [
    ("authentic", "Authentic"),
    ("not-authentic", "Not authentic"),
    ("undecided", "Undecided"),
    ("not-attestable", "No attestation"),
];

/// What is asked for, as it was entered.
struct Asked {
    entered: Vec<(String, String)>,
    filter: Filter,
    before: Option<u64>,
}

/// The records that the query names.
pub(super) async fn records(
    State(service): State<Arc<Service>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Page, Problem> {
    caller.must_be(Role::Read)?;
    let asked = Asked::read(&query.unwrap_or_default())?;
    let found = service.store.search(&asked.filter, asked.before, ON_A_PAGE).await?;
    let contents = html! {
        h1 { "Record" }
        p.lead { "Every appraisal of this service, the newest first." }
        (form(&service, &asked))
        @if found.records.is_empty() {
            div.empty {
                @if asked.is_narrowed() {
                    p { strong { "No record is like that." } " Leave something out of the search, or write it as reports print it." }
                    p { a.button.quiet href="/appraisals" { "Show all" } }
                } @else {
                    p { strong { "Nothing is recorded yet." } }
                    p { a.button href="/" { "Hand in evidence" } }
                }
            }
        } @else {
            (table(&found.records))
            nav.paging aria-label="Pages" {
                p { (count(found.records.len(), "record", "records")) " on this page" }
                @if asked.before.is_some() { a.button.quiet href=(asked.address(None)) { "Newest" } }
                @if let Some(next) = found.next { a.button.quiet rel="next" href=(asked.address(Some(next))) { "Older" } }
            }
        }
    };
    Ok(page(Place::Record, "Record", &contents))
}

impl Asked {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut asked = Self { entered: Vec::new(), filter: Filter::default(), before: None };
        for (name, value) in query::parameters(query) {
            let filter = &mut asked.filter;
            match name.as_str() {
                "spki_sha256" => filter.spki_sha256 = Some(digest(&value)),
                "request_sha256" => filter.request_sha256 = Some(digest(&value)),
                "vendor" => filter.vendor = Some(value.clone()),
                "model" => filter.model = Some(value.clone()),
                "serial" => filter.serial = Some(value.clone()),
                "firmware_from" => filter.firmware_from = Some(value.clone()),
                "firmware_to" => filter.firmware_to = Some(value.clone()),
                "format" => filter.format = Some(value.clone()),
                "authenticity" => filter.authenticity = Some(value.clone()),
                "verdict" => filter.verdict = Some(value.clone()),
                "policy" => filter.policy = Some(value.clone()),
                "since" => filter.since = Some(day(&value)?),
                // Of a day, the whole.
                "until" if value.contains('T') => filter.until = Some(day(&value)?),
                "until" => filter.until = Some(day(&value)?.plus_days(1)),
                "before" => {
                    let place = value.parse();
                    asked.before =
                        Some(place.map_err(|_| wrong("before", "a place in the log, which is a number"))?);
                    continue;
                }
                other => return Err(wrong(other, "nothing: there is no such filter")),
            }
            asked.entered.push((name, value));
        }
        Ok(asked)
    }

    fn entered(&self, name: &str) -> &str {
        self.entered
            .iter()
            .find(|(each, _)| each == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    fn is_narrowed(&self) -> bool {
        !self.entered.is_empty() || self.before.is_some()
    }

    /// The address of another page of the same search.
    fn address(&self, before: Option<u64>) -> String {
        let before = before.map(|place| place.to_string());
        let pairs = self.entered.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        query::address("/appraisals", pairs.chain(before.as_deref().map(|place| ("before", place))))
    }
}

fn wrong(name: &str, takes: &str) -> Problem {
    Problem::new(Kind::Malformed, format!("{name:?} takes {takes}."))
}

/// A digest as people copy it.
fn digest(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect::<String>().to_lowercase()
}

/// The beginning of a day, or a time.
fn day(text: &str) -> Result<Time, Problem> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    whole.parse().map_err(|_| {
        wrong("since and until", "a day such as 2026-06-01, or a time such as 2026-06-01T08:00:00Z")
    })
}

fn form(service: &Service, asked: &Asked) -> Markup {
    let formats: Vec<(&str, &str)> =
        keyvouch::formats::about().map(|about| (about.id, about.title)).collect();
    let policies: Vec<(&str, &str)> = service.policies.values().map(|p| (p.name(), p.name())).collect();
    let folded =
        ["model", "firmware_from", "firmware_to", "format", "authenticity", "policy", "since", "until"];
    let is_open = folded.iter().any(|name| !asked.entered(name).is_empty());
    html! {
        form.search method="get" action="/appraisals" role="search" aria-label="Records" {
            div.grid {
                @for each in FIRST { (text_field(&each, asked)) }
                (choice("verdict", "Verdict", &VERDICTS, asked))
            }
            details.more open[is_open] {
                summary { "More filters" }
                div.grid {
                    @for each in MORE { (text_field(&each, asked)) }
                    (choice("format", "Format", &formats, asked))
                    (choice("authenticity", "Authenticity", &AUTHENTICITIES, asked))
                    (choice("policy", "Policy", &policies, asked))
                    (day_field("since", "Recorded from", asked))
                    (day_field("until", "Recorded until", asked))
                }
            }
            div.send {
                button type="submit" { "Search" }
                @if asked.is_narrowed() { a.button.quiet href="/appraisals" { "Show all" } }
            }
        }
    }
}

fn text_field(Field(name, label, hint): &Field, asked: &Asked) -> Markup {
    let hint_id = format!("{name}-hint");
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type="text" value=(asked.entered(name)) autocomplete="off" spellcheck="false" aria-describedby=(hint_id);
            p.hint id=(hint_id) { (hint) }
        }
    }
}

fn day_field(name: &str, label: &str, asked: &Asked) -> Markup {
    html! { div.field { label for=(name) { (label) } input id=(name) name=(name) type="date" value=(asked.entered(name)); } }
}

fn choice(name: &str, label: &str, words: &[(&str, &str)], asked: &Asked) -> Markup {
    let chosen = asked.entered(name);
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { "any" }
                @for (word, title) in words { option value=(word) selected[*word == chosen] { (title) } }
            }
        }
    }
}

fn table(records: &[Found]) -> Markup {
    html! {
        table.cards.found role="table" {
            caption { "Records" }
            thead role="rowgroup" { tr role="row" {
                @for head in ["Recorded", "Verdict", "Device", "Key", "Policies", "Handed in by"] { th scope="col" role="columnheader" { (head) } }
            } }
            tbody role="rowgroup" { @for record in records { (row(record)) } }
        }
    }
}

fn row(record: &Found) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                a href=(format!("/appraisals/{}", record.id)) { (time(record.recorded_at)) }
            }
            td role="cell" data-label="Verdict" {
                (label(&record.verdict))
                @if record.pruned { span.hint { "contents pruned" } }
            }
            td role="cell" data-label="Device" { div { @for statement in &record.statements { (device(statement)) } } }
            td role="cell" data-label="Key" {
                div { @for statement in &record.statements {
                    @if let Some(spki) = &statement.spki_sha256 {
                        p { a href=(query::address("/appraisals", [("spki_sha256", spki.as_str())])) title="Records about this key" { code { (short(spki)) } } }
                    }
                } }
            }
            td role="cell" data-label="Policies" { span { (clean(&record.policies)) } }
            td role="cell" data-label="Handed in by" { span { (clean(&record.submitter)) } }
        }
    }
}

fn device(statement: &FoundStatement) -> Markup {
    let name: Vec<&str> =
        [&statement.vendor, &statement.model].into_iter().flatten().map(String::as_str).collect();
    html! {
        p {
            @if name.is_empty() { (format_title(&statement.format)) } @else { (clean(&name.join(" "))) }
            @if let Some(serial) = &statement.serial { span.hint { " serial " (clean(serial)) } }
            @if let Some(firmware) = &statement.firmware { span.hint { " firmware " (clean(firmware)) } }
        }
    }
}
