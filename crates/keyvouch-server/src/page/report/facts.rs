//! The files of a record, where it is in the log, and what can be done with it.

use maud::{Markup, html};

use super::Recorded;
use crate::page::text::{clean, readable, size, time};
use crate::page::view::{Input, Report};

/// The files, with links to those that are on record.
pub(super) fn files(report: &Report, record: Option<&Recorded<'_>>) -> Markup {
    html! {
        section aria-labelledby="files" {
            h2 #files { "Files" }
            table.cards.handed role="table" {
                caption { "As they were handed in" }
                thead role="rowgroup" { tr role="row" {
                    @for head in ["Name", "Role", "Recognised as", "Size", "SHA-256"] { th scope="col" role="columnheader" { (head) } }
                } }
                tbody role="rowgroup" { @for input in &report.inputs { (file(input, record)) } }
            }
        }
    }
}

fn file(input: &Input, record: Option<&Recorded<'_>>) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                @match record {
                    Some(record) => { a href=(content(record, &input.sha256)) download { (clean(&input.name)) } }
                    None => { (clean(&input.name)) }
                }
            }
            td role="cell" data-label="Role" { span { (clean(&input.role)) } }
            td role="cell" data-label="Recognised as" { span { (clean(&input.recognised)) } }
            td role="cell" data-label="Size" { span { (size(input.size)) } }
            td role="cell" data-label="SHA-256" { code { (clean(&input.sha256)) } }
        }
    }
}

/// Where the API has a file of the record.
fn content(record: &Recorded<'_>, sha256: &str) -> String {
    let harmless: String = sha256.chars().filter(char::is_ascii_hexdigit).collect();
    format!("/v1/appraisals/{}/evidence/{harmless}", record.stored.id)
}

/// Where and when it was recorded, and the record itself.
pub(super) fn record(report: &Report, record: &Recorded<'_>) -> Markup {
    let stored = record.stored;
    let submission = &record.bundle.case.submission;
    let (api, here) = (format!("/v1/appraisals/{}", stored.id), format!("/appraisals/{}", stored.id));
    html! {
        section.record aria-labelledby="record" {
            h2 #record { "Record" }
            dl.facts {
                (fact("Id", &html! { code { (stored.id) } }))
                (fact("Recorded", &html! { (time(stored.recorded_at)) }))
                (fact("Judged as of", &html! { (readable(&report.at)) }))
                (fact("Handed in by", &html! { (clean(record.submitter)) }))
                @if let Some(nonce) = &submission.nonce { (fact("Nonce", &html! { code { (hex::encode(nonce)) } })) }
                @for (name, value) in submission.options.values().filter(|_| record.whole) { (fact("Option", &html! { code { (clean(name)) } " = " (clean(&value.to_string())) })) }
                (fact("Place in the log", &html! { "leaf " (stored.leaf) " of " (clean(record.log)) }))
                (fact("Judged by", &html! { (clean(&report.verifier.name)) " " (clean(&report.verifier.version)) ", reference data " code { (clean(&report.verifier.data)) } }))
            }
            h3 { "Take it along" }
            ul.downloads {
                @if record.whole {
                    li { a href=(format!("{api}/bundle")) download { "Auditor's bundle" } span.hint { "ZIP with everything it rested on, the answer, and the proof that it is in the log" } }
                }
                li { a href=(format!("{here}/report.json")) download { "Report as JSON" } span.hint { "The contract for programs" } }
                li { a href=(format!("{here}/result.jwt")) download { "Signed result (EAR)" } span.hint { "For relying parties that trust this service" } }
                li { a href=(format!("{here}/report.html")) download { "Report as one page" } span.hint { "To file or to send on" } }
                li { a href=(format!("{api}/proof")) download=(format!("{}.tlog-proof", stored.id)) { "Proof of the log" } span.hint { "That the record is in it" } }
            }
            p.small { "Check a bundle anywhere: " code { "keyvouch record verify " (stored.id) ".zip" } ". " a href="/about" { "How that works" } }
        }
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// What can be done next.
pub(super) fn again(record: &Recorded<'_>, can: bool) -> Markup {
    html! {
        section.next aria-label="Next" {
            @if can {
                form method="post" action=(format!("/appraisals/{}/again", record.stored.id)) {
                    button.quiet type="submit" { "Judge again" }
                    p.hint { "The same evidence by the same policies, as of now and without its nonce: what answered it then is not fresh today. It becomes a record of its own; this one stays." }
                }
            }
            p { a.button.quiet href="/" { "Hand in other evidence" } }
        }
    }
}
