//! `keyvouch log`: the append-only log over all records.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use keyvouch_record::log::{Checkpoint, LogError, LogKey};
use keyvouch_server::Config;
use keyvouch_store::StoreError;
use keyvouch_store::audit::{Audit, AuditFault};
use serde_json::json;

use super::quote;
use crate::cli::{Format, Log, LogCheckpoint, LogCommand, LogKeyMake, LogPublic, LogVerify};
use crate::error::Error;
use crate::output::Output;
use crate::service::{self, keys};
use crate::text::{BAD, GOOD, Page};
use crate::{files, progress};

/// Exit status when something is wrong with the log.
const BROKEN: u8 = 1;

pub(crate) fn run(args: &Log, out: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        LogCommand::Key(args) => make(args, out)?,
        LogCommand::Public(args) => public(args, out)?,
        LogCommand::Checkpoint(args) => service::runtime()?.block_on(checkpoint(args, out))?,
        LogCommand::Verify(args) => return service::runtime()?.block_on(verify(args, out)),
    }
    Ok(ExitCode::SUCCESS)
}

fn make(args: &LogKeyMake, out: &Output) -> Result<(), Error> {
    let fail = |why| Error::LogKey { path: args.out.clone(), why };
    let (key, text) = LogKey::generate(&args.name).map_err(fail)?;
    files::write_private(&args.out, format!("{text}\n").as_bytes())?;
    out.note(&format!(
        "the private key is in {}: keep it to yourself, with a copy in a safe place. The public key, for whoever verifies the log:",
        args.out.display()
    ));
    out.print(&format!("{}\n", key.public()))
}

fn public(args: &LogPublic, out: &Output) -> Result<(), Error> {
    let key = keys::log_key_of(&service::config_of(&args.place)?)?;
    out.print(&format!("{}\n", key.public()))
}

async fn checkpoint(args: &LogCheckpoint, out: &Output) -> Result<(), Error> {
    let config = service::config_of(&args.place)?;
    let key = keys::log_key_of(&config)?;
    let store = service::open(&config).await?;
    let state = store.log().await?;
    store.close().await;
    let signed = key.sign(&state).map_err(|e| StoreError::Damaged(e.to_string()))?;
    match &args.out {
        None => out.print(&String::from_utf8_lossy(&signed)),
        Some(file) => {
            files::write_new(file, &signed)?;
            out.print(&format!(
                "A checkpoint over {} records is in {}. Keep it where whoever can write to the record cannot.\n",
                state.size,
                quote(file)
            ))
        }
    }
}

async fn verify(args: &LogVerify, out: &Output) -> Result<ExitCode, Error> {
    let config = service::config_of(&args.place)?;
    let checkpoints = checkpoints(args, &config)?;
    let store = service::open(&config).await?;
    let bar = progress::bar(store.log().await.map_or(0, |log| log.size), "records");
    let audited = store
        .audit(&checkpoints, |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        })
        .await;
    bar.finish_and_clear();
    store.close().await;
    let audit = match audited {
        Ok(audit) => audit,
        // What the tree is made of is gone: a finding, and no reason to find nothing.
        Err(StoreError::Damaged(what)) => {
            Audit { faults: vec![AuditFault { leaf: None, what }], more: true, ..Audit::default() }
        }
        Err(why) => return Err(why.into()),
    };
    match args.output {
        Format::Json => out.json(&json!({
            "schema": "keyvouch.log-audit/1",
            "whole": audit.is_whole(),
            "records": audit.records,
            "pruned": audit.pruned,
            "root": audit.root,
            "checkpoints": checkpoints.len(),
            "faults": audit.faults,
            "more": audit.more,
        }))?,
        Format::Text => out.print(&text(&audit, checkpoints.len()))?,
    }
    Ok(if audit.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

/// The checkpoints, each signed by the key of the log.
fn checkpoints(args: &LogVerify, config: &Config) -> Result<Vec<Checkpoint>, Error> {
    if args.checkpoint.is_empty() {
        return Ok(Vec::new());
    }
    let key = match &args.log_key {
        Some(key) => public_key(key)?,
        None => keys::log_key_of(config)?.public().to_owned(),
    };
    let open = |path: &PathBuf| {
        let fail = |why| match why {
            LogError::Key(_) => Error::NotALogKey(key.clone()),
            why => Error::Checkpoint { path: path.clone(), why },
        };
        Checkpoint::open(&files::read(path)?, &key).map_err(fail)
    };
    args.checkpoint.iter().map(open).collect()
}

/// A public key as it was given: itself, or a file with it.
pub(super) fn public_key(given: &str) -> Result<String, Error> {
    let is_key = given.contains('+') && !Path::new(given).exists();
    if is_key { Ok(given.to_owned()) } else { Ok(files::read_text(Path::new(given))?.trim().to_owned()) }
}

fn text(audit: &Audit, checkpoints: usize) -> String {
    let mut page = Page::default();
    if audit.is_whole() {
        page.title(GOOD, "WHOLE", ": every record is the one that was logged, at its place.");
    } else {
        page.title(BAD, "NOT WHOLE", ": the record is not what was logged.");
        page.heading("Faults");
        for fault in &audit.faults {
            match fault.leaf {
                Some(leaf) => page.item(&format!("record at place {leaf}: {}", fault.what)),
                None => page.item(&fault.what),
            }
        }
        if audit.more {
            page.item("and more");
        }
    }
    page.heading("The log");
    page.field("Records", &audit.records.to_string());
    page.field("Of these pruned", &audit.pruned.to_string());
    if !audit.root.is_empty() {
        page.field("Root", &audit.root);
    }
    page.field("Checkpoints compared", &checkpoints.to_string());
    if audit.is_whole() && checkpoints == 0 {
        page.gap();
        page.paragraph(
            0,
            "Whoever can write to the record can make a log anew that is whole in itself. Only a checkpoint that was kept elsewhere shows that: name it with --checkpoint.",
        );
    }
    page.into_text()
}
