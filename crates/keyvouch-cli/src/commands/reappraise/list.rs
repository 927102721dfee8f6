//! The list of what changed.

use std::fmt::Write as _;

use keyvouch_record::Change;
use keyvouch_store::{Item, Job, Store};
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::Plan;
use crate::cli::{Listing, Reappraise};
use crate::error::Error;
use crate::output::Output;
use crate::service::time;
use crate::text::{Page, count};

/// The answer of a record that could not be judged.
pub(super) const FAILED: &str = "failed";
/// Records that are read at once.
const ROWS: u32 = 500;

/// How many records there are of each answer.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Counts {
    same: usize,
    changed: usize,
    aged: usize,
    failed: usize,
}

impl Counts {
    /// Whether anything changed that did not by time alone.
    pub(super) const fn is_change(&self) -> bool {
        self.changed > 0 || self.failed > 0
    }

    fn add(&mut self, answer: &str) {
        let place = match answer {
            a if a == Change::Same.as_str() => &mut self.same,
            a if a == Change::Aged.as_str() => &mut self.aged,
            a if a == Change::Changed.as_str() => &mut self.changed,
            _ => &mut self.failed,
        };
        *place = place.saturating_add(1);
    }
}

/// What the store keeps of an answer: a `Reappraisal`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    statements: Vec<Statement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statement {
    format: String,
    number: usize,
    spki_sha256: Option<String>,
    recorded: Option<String>,
    today: Option<String>,
    new: Said,
    gone: Said,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    failed: Vec<String>,
    findings: Vec<String>,
    advisories: Vec<String>,
    unmet: Vec<String>,
}

impl Said {
    fn lists(&self) -> [&Vec<String>; 4] {
        [&self.failed, &self.findings, &self.advisories, &self.unmet]
    }
}

/// Prints what changed, in the order of the log, page by page: there may be more than fits into memory.
pub(super) async fn print(
    store: &Store,
    job: &Job,
    plan: &Plan,
    args: &Reappraise,
    out: &Output,
) -> Result<Counts, Error> {
    let mut counts = Counts::default();
    let mut after = None;
    let mut first = true;
    out.print(&head(job, plan, args.output))?;
    loop {
        let items = store.reappraisal_items(&job.id, after, ROWS).await?;
        let Some(last) = items.last() else { break };
        after = Some(last.leaf);
        let mut text = String::new();
        for item in &items {
            let answer = item.answer.as_deref().unwrap_or(FAILED);
            counts.add(answer);
            if !args.all && answer != Change::Changed.as_str() && answer != FAILED {
                continue;
            }
            match args.output {
                Listing::Text => text.push_str(&lines(item)),
                Listing::Csv => text.push_str(&csv(item)),
                Listing::Json => {
                    text.push_str(if first { "\n" } else { ",\n" });
                    // Writing to a `String` cannot fail.
                    let _ = write!(text, "    {}", entry(item));
                    first = false;
                }
            }
        }
        out.print(&text)?;
    }
    out.print(&tail(&counts, args))?;
    Ok(counts)
}

fn head(job: &Job, plan: &Plan, output: Listing) -> String {
    let at = plan.at.as_deref().unwrap_or("recorded");
    match output {
        Listing::Text => String::new(),
        Listing::Csv => format!("{}\r\n", COLUMNS.join(",")),
        Listing::Json => {
            let (at, job) = (Value::from(at), Value::from(job.id.as_str()));
            format!("{{\n  \"at\": {at},\n  \"job\": {job},\n  \"records\": [")
        }
    }
}

fn tail(counts: &Counts, args: &Reappraise) -> String {
    match args.output {
        Listing::Csv => String::new(),
        Listing::Json => {
            format!(
                "\n  ],\n  \"schema\": \"keyvouch.reappraisal/1\",\n  \"summary\": {}\n}}\n",
                json!(counts)
            )
        }
        Listing::Text => {
            let all = [counts.same, counts.aged, counts.changed, counts.failed]
                .into_iter()
                .fold(0, usize::saturating_add);
            let mut page = Page::default();
            page.paragraph(
                0,
                &format!(
                    "{} judged again: {} changed, {} same, {} aged, {} failed.",
                    count(all, "record was", "records were"),
                    counts.changed,
                    counts.same,
                    counts.aged,
                    counts.failed
                ),
            );
            if counts.aged > 0 && !args.all {
                page.paragraph(
                    0,
                    "Aged: only the time that has passed makes the answer another, such as a certificate that has ended. --all lists them; --at recorded judges each record at its own time.",
                );
            }
            page.into_text()
        }
    }
}

/// The answer to a record, and what is known of it.
fn entry(item: &Item) -> Value {
    let answer = item.answer.as_deref().unwrap_or(FAILED);
    let detail = item.detail.as_deref().unwrap_or_default();
    let found: Value = serde_json::from_str(detail).ok().filter(|_| answer != FAILED).unwrap_or_default();
    json!({
        "id": item.id,
        "leaf": item.leaf,
        "recorded_at": time(item.recorded_at).to_string(),
        "answer": answer,
        "verdict": {"recorded": item.recorded_verdict, "today": item.verdict},
        "statements": found.get("statements").cloned().unwrap_or_else(|| json!([])),
        "error": (answer == FAILED).then_some(detail),
    })
}

/// What is told of a record, and by which statement.
fn statements(item: &Item) -> Vec<Statement> {
    let detail = item.detail.as_deref().unwrap_or_default();
    serde_json::from_str::<Detail>(detail).unwrap_or_default().statements
}

fn lines(item: &Item) -> String {
    let mut page = Page::default();
    let answer = item.answer.as_deref().unwrap_or(FAILED);
    page.item(&format!(
        "{answer}: record {}, made {}: {} then, {} today",
        item.id,
        time(item.recorded_at),
        item.recorded_verdict,
        item.verdict.as_deref().unwrap_or("nothing"),
    ));
    if answer == FAILED {
        page.under_item(item.detail.as_deref().unwrap_or("it was not judged"));
        return page.into_text();
    }
    for statement in statements(item) {
        let key = statement.spki_sha256.as_deref().map(|k| format!(", key {k}")).unwrap_or_default();
        let format = if statement.format.is_empty() { "not recognised" } else { &statement.format };
        page.under_item(&format!("{format} {}{key}", statement.number));
        if statement.recorded != statement.today {
            let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "not there".to_owned());
            page.under_item(&format!("{} then, {} today", word(&statement.recorded), word(&statement.today)));
        }
        for (when, said) in [("new", &statement.new), ("gone", &statement.gone)] {
            let names = ["failed checks", "findings", "advisories", "requirements not met"];
            for (name, list) in names.iter().zip(said.lists()).filter(|(_, list)| !list.is_empty()) {
                page.under_item(&format!("{when} {name}: {}", list.join(", ")));
            }
        }
    }
    page.into_text()
}

const COLUMNS: [&str; 20] = [
    "id",
    "leaf",
    "recorded_at",
    "answer",
    "recorded_verdict",
    "today_verdict",
    "format",
    "number",
    "spki_sha256",
    "recorded_authenticity",
    "today_authenticity",
    "new_failed",
    "new_findings",
    "new_advisories",
    "new_unmet",
    "gone_failed",
    "gone_findings",
    "gone_advisories",
    "gone_unmet",
    "error",
];

/// A line for each statement of which something changed, and one where there is none.
fn csv(item: &Item) -> String {
    let answer = item.answer.clone().unwrap_or_else(|| FAILED.to_owned());
    let mut some = statements(item);
    if some.is_empty() {
        some.push(Statement::default());
    }
    let line = |s: &Statement| {
        let mut cells = vec![
            item.id.clone(),
            item.leaf.to_string(),
            time(item.recorded_at).to_string(),
            answer.clone(),
            item.recorded_verdict.clone(),
            item.verdict.clone().unwrap_or_default(),
            s.format.clone(),
            if s.number == 0 { String::new() } else { s.number.to_string() },
            s.spki_sha256.clone().unwrap_or_default(),
            s.recorded.clone().unwrap_or_default(),
            s.today.clone().unwrap_or_default(),
        ];
        cells.extend(s.new.lists().into_iter().chain(s.gone.lists()).map(|list| list.join("; ")));
        cells.push(item.detail.clone().filter(|_| answer == FAILED).unwrap_or_default());
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        format!("{}\r\n", cells.join(","))
    };
    some.iter().map(line).collect()
}

/// A cell (RFC 4180) that no spreadsheet takes for a formula.
fn quoted(cell: &str) -> String {
    let mark = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if mark.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{mark}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_two_cells() {
        assert_eq!(quoted("accept"), "accept");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
    }
}
