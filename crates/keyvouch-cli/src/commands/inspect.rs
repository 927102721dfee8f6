//! `keyvouch inspect`: what files hold, without judgement.

use std::path::{Path, PathBuf};

use keyvouch::{File, Reference, Submission, Time, Verifier};
use serde_json::Value;

use crate::cli::{Format, Inspect};
use crate::error::Error;
use crate::files;
use crate::output::Output;
use crate::text::{Page, outline};

/// Decodes files and prints what they hold.
pub(crate) fn run(args: &Inspect, out: &Output) -> Result<(), Error> {
    let found = files::evidence(&args.evidence)?;
    let mut paths: Vec<&Path> = found.files.iter().map(PathBuf::as_path).collect();
    for request in found.requests.iter().map(PathBuf::as_path) {
        if !paths.contains(&request) {
            paths.push(request);
        }
    }
    let names = files::report_names(&paths);
    let mut all = Vec::with_capacity(paths.len());
    for (path, name) in paths.into_iter().zip(names) {
        all.push(File::new(name, files::read(path)?));
    }
    // Nothing is judged, so the time plays no part.
    let submission = Submission::new(all, Time::from_unix(0));
    let view = Verifier::new(Reference::builtin()?).inspect(&submission)?;
    match args.output {
        Format::Json => out.json(&view),
        Format::Text => out.print(&render(&view)),
    }
}

fn render(view: &Value) -> String {
    let mut page = Page::default();
    page.heading("Parts");
    for part in list(view, "parts") {
        let text = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default();
        let size = part.get("size").and_then(Value::as_u64).unwrap_or_default();
        page.item(&format!("{}: {}, {size} bytes", text("where"), text("is")));
    }
    for statement in list(view, "statements") {
        page.heading(statement.get("format").and_then(Value::as_str).unwrap_or_default());
        outline(&mut page, 2, statement.get("view").unwrap_or(&Value::Null));
    }
    if list(view, "statements").is_empty() {
        page.gap();
        page.paragraph(0, "No evidence of a format that keyvouch knows.");
    }
    page.gap();
    page.paragraph(0, "Decoded, not judged: nothing here is authenticated. `keyvouch verify` judges.");
    page.into_text()
}

fn list<'v>(view: &'v Value, name: &str) -> &'v [Value] {
    view.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
