//! `keyvouch anchors`: whom the verifier believes.

use keyvouch::catalogue::{self, anchor_kind, confirmed, origin};
use keyvouch::formats;
use keyvouch::pki::name;
use keyvouch::reference::anchors::{Anchor, AnchorKind};

use crate::cli::{Anchors, AnchorsCommand, Format};
use crate::error::Error;
use crate::output::Output;
use crate::reference;
use crate::text::{Page, count, table};

/// Lists the anchors, or shows one.
pub(crate) fn run(args: &Anchors, out: &Output) -> Result<(), Error> {
    match &args.command {
        AnchorsCommand::List { format, trust, output } => {
            let known = || formats::about().map(|a| a.id);
            if let Some(id) = format.as_ref().filter(|id| !known().any(|k| k == *id)) {
                return Err(Error::UnknownFormat { id: id.clone(), known: known().collect() });
            }
            let reference = reference::load(trust)?;
            let anchors = reference.anchors.iter();
            let anchors: Vec<&Anchor> =
                anchors.filter(|a| format.as_ref().is_none_or(|f| a.applies_to(f))).collect();
            match output {
                Format::Json => out.json(&anchors.into_iter().map(catalogue::anchor).collect()),
                Format::Text => {
                    out.print(&list(&anchors))?;
                    match reference.intermediates.len() {
                        0 => Ok(()),
                        n => out.print(&format!(
                            "\nBesides, {} that give no trust and only help to build paths.\n",
                            count(n, "certificate", "certificates")
                        )),
                    }
                }
            }
        }
        AnchorsCommand::Show { id, trust, output } => {
            let reference = reference::load(trust)?;
            let anchor = reference.anchors.by_id(id).ok_or_else(|| Error::UnknownAnchor(id.clone()))?;
            match output {
                Format::Json => out.json(&catalogue::anchor(anchor)),
                Format::Text => out.print(&show(anchor)),
            }
        }
    }
}

fn formats_of(anchor: &Anchor) -> String {
    if anchor.every_format { "every format".to_owned() } else { anchor.formats.join(", ") }
}

fn list(anchors: &[&Anchor]) -> String {
    if anchors.is_empty() {
        return "No anchors: nothing can be authenticated. Add some with --anchors.\n".to_owned();
    }
    let head = ["ID", "KIND", "FORMATS", "VALID", "NAME"].map(str::to_owned).to_vec();
    let rows = anchors
        .iter()
        .map(|a| vec![a.id.clone(), anchor_kind(a.kind).to_owned(), formats_of(a), days(a), a.name.clone()]);
    table(&[head].into_iter().chain(rows).collect::<Vec<_>>())
}

/// First and last day of validity.
fn days(anchor: &Anchor) -> String {
    let day = |t: Option<keyvouch::Time>| {
        t.map(|t| t.to_string().chars().take_while(|c| *c != 'T').collect::<String>()).unwrap_or_default()
    };
    format!("{}..{}", day(anchor.not_before()), day(anchor.not_after()))
}

fn show(a: &Anchor) -> String {
    let mut page = Page::default();
    page.heading(&a.name);
    page.field("Id", &a.id);
    page.field(
        "Kind",
        match a.kind {
            AnchorKind::Root => "root: paths may end here",
            AnchorKind::Intermediate => "intermediate: trusted only through the anchor that issued it",
            AnchorKind::Key => {
                "key: a public key pinned without certificate; statements of such formats end here"
            }
            AnchorKind::Untrusted => "untrusted: known so that it can be recognised, never trusted",
        },
    );
    page.field("Formats", &formats_of(a));
    if let Some(role) = &a.role {
        page.field("Role", role);
    }
    if let Some(issuer) = &a.issuer {
        page.field("Issued by", issuer);
    }
    page.field("Subject", &name::display(&a.subject));
    page.field("Key", &a.key.algorithm());
    page.field("SHA-256 of the key", &hex::encode(a.spki_sha256));
    if let Some(length) = a.path_len {
        page.field("Path length", &length.to_string());
    }
    page.field("Origin", &origin(&a.origin));
    for c in &a.certificates {
        page.heading(&format!("Certificate {}", c.serial));
        page.field("Valid", &format!("{} to {}", c.not_before, c.not_after));
        page.field("SHA-256", &hex::encode(c.sha256));
        let looked_up = c.looked_up.map(|d| format!(", looked up {d}")).unwrap_or_default();
        page.field("Source", &format!("{}{looked_up}", c.source));
        page.field("Confirmed", confirmed(c.confirmed));
    }
    page.into_text()
}
