//! Every check that was made.

use maud::{Markup, html};

use super::statement::StatementPlace;
use crate::page::text::{clean, count};
use crate::page::view::{Appraisal, Check};

/// The checks of the statement at that place, folded away.
pub(super) fn checks(place: StatementPlace, appraisal: &Appraisal) -> Markup {
    let all = count(appraisal.checks.len(), "check", "checks");
    let failed = appraisal.failed().count();
    let findings = appraisal.findings().count();
    html! {
        details.panel {
            summary {
                (place.heading("checks", "Every check"))
                span.hint {
                    (all)
                    @if failed > 0 { ", " (failed) " failed" } @else { ", none failed" }
                    @if findings > 0 { ", " (count(findings, "finding", "findings")) }
                }
            }
            table.cards.checks role="table" {
                caption { "In the order in which they were made" }
                thead role="rowgroup" { tr role="row" {
                    @for head in ["Check", "Outcome", "What was found", "Where"] { th scope="col" role="columnheader" { (head) } }
                } }
                tbody role="rowgroup" {
                    @for check in &appraisal.checks {
                        @let (class, word) = outcome(check);
                        tr role="row" {
                            th scope="row" role="rowheader" { code { (clean(&check.id)) } }
                            td role="cell" data-label="Outcome" { span.outcome.(class) { (word) } }
                            td role="cell" data-label="Found" { span { (clean(&check.detail)) } }
                            td role="cell" data-label="Where" { span { @if check.place.is_empty() { "–" } @else { (clean(&check.place)) } } }
                        }
                    }
                }
            }
        }
    }
}

fn outcome(check: &Check) -> (&'static str, String) {
    let (class, word) = match (check.outcome.as_str(), check.means.as_deref()) {
        ("pass", _) => ("pass", "✓ pass"),
        ("fail", Some("undecided")) => ("warn", "? missing"),
        ("fail", Some("not-attestable")) => ("warn", "? none"),
        ("fail", Some("unfit")) => ("fail", "✕ unfit"),
        ("fail", _) => ("fail", "✕ fail"),
        ("warning", _) => ("warn", "! finding"),
        ("info", _) => ("info", "i info"),
        ("skipped", _) => ("info", "– skipped"),
        (other, _) => return ("info", clean(other)),
    };
    (class, word.to_owned())
}
