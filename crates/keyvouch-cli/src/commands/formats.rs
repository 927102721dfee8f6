//! `keyvouch formats`: which evidence is understood.

use keyvouch::catalogue::{format_brief, format_full, proof};
use keyvouch::checks::{Check, OnFail};
use keyvouch::formats::{About, about};
use keyvouch::submission::OptionDef;
use keyvouch::{SHARED_OPTIONS, shared_checks};

use crate::cli::{Format, Formats, FormatsCommand};
use crate::error::Error;
use crate::output::Output;
use crate::text::{Page, table};

/// Lists the formats, or shows one.
pub(crate) fn run(args: &Formats, out: &Output) -> Result<(), Error> {
    match &args.command {
        None => list(args.output, out),
        Some(FormatsCommand::List { output }) => list(*output, out),
        Some(FormatsCommand::Show { id, output }) => {
            let unknown = || Error::UnknownFormat { id: id.clone(), known: about().map(|a| a.id).collect() };
            let format = about().find(|a| a.id == id).ok_or_else(unknown)?;
            match output {
                Format::Json => out.json(&format_full(format)),
                Format::Text => out.print(&show(format)),
            }
        }
    }
}

fn list(output: Format, out: &Output) -> Result<(), Error> {
    if output == Format::Json {
        return out.json(&about().map(format_brief).collect());
    }
    let head = ["ID", "TITLE", "MAKER", "PROVED", "PAGE"].map(str::to_owned).to_vec();
    let rows = about().map(|a| [a.id, a.title, a.maker, proof(a.proof), a.docs].map(str::to_owned).to_vec());
    out.print(&table(&[head].into_iter().chain(rows).collect::<Vec<_>>()))
}

fn show(a: &About) -> String {
    let mut page = Page::default();
    page.heading(a.title);
    page.field("Id", a.id);
    page.field("Maker", a.maker);
    page.field("Devices", a.devices);
    page.field("Proved", proof(a.proof));
    page.field("Page", a.docs);
    page.heading("Checks of this format");
    a.checks.iter().for_each(|c| check(&mut page, c));
    page.heading("Checks of every format");
    shared_checks().for_each(|c| check(&mut page, c));
    page.heading("Options of this format (--option KEY=VALUE)");
    if a.options.is_empty() {
        page.paragraph(2, "none");
    }
    a.options.iter().for_each(|o| option(&mut page, o));
    page.heading("Options of every format");
    SHARED_OPTIONS.iter().for_each(|o| option(&mut page, o));
    page.heading("What the evidence does not prove");
    a.limits.iter().for_each(|limit| page.item(limit));
    page.into_text()
}

fn check(page: &mut Page, check: &Check) {
    page.item(&format!("{}: {}", check.id, check.about));
    let meaning = match check.on_fail {
        OnFail::NotAuthentic => "the evidence is not authentic",
        OnFail::NotAttestable => "there is no evidence to be had",
        OnFail::Undecided => "something is missing, nothing can be decided",
        OnFail::Unfit => "the key is not accepted",
    };
    page.under_item(&format!("When it fails, {meaning}. {}", check.advice));
}

fn option(page: &mut Page, option: &OptionDef) {
    page.item(&format!("{}: {} ({})", option.name, option.about, option.kind.name()));
}
