//! `keyvouch store`: the state of the record, a backup, letting go of what is old.

use std::fs;
use std::path::Path;

use keyvouch_store::MIN_RETENTION_DAYS;
use serde_json::json;

use super::quote;
use crate::cli::{self, Format, Place, StoreBackup, StoreCommand, StorePrune};
use crate::error::Error;
use crate::files;
use crate::output::Output;
use crate::service::{self, now_ms, time};
use crate::text::Page;

pub(crate) fn run(args: &cli::Store, out: &Output) -> Result<(), Error> {
    service::runtime()?.block_on(async {
        match &args.command {
            StoreCommand::Status { place, output } => status(place, *output, out).await,
            StoreCommand::Backup(args) => backup(args, out).await,
            StoreCommand::Prune(args) => prune(args, out).await,
        }
    })
}

async fn status(place: &Place, output: Format, out: &Output) -> Result<(), Error> {
    let config = service::config_of(place)?;
    let store = service::open(&config).await?;
    let status = store.status().await?;
    store.close().await;
    let text = |at: Option<i64>| at.map(|at| time(at).to_string());
    if output == Format::Json {
        return out.json(&json!({
            "schema": "keyvouch.store-status/1",
            "database": status.database,
            "bytes": status.bytes,
            "records": status.records,
            "pruned": status.pruned,
            "contents": status.contents,
            "oldest": text(status.oldest),
            "newest": text(status.newest),
            "log": {"size": status.records, "root": status.root},
        }));
    }
    let place = match service::file(&config)? {
        Some(file) => format!("SQLite, {}", file.display()),
        None => "PostgreSQL".to_owned(),
    };
    let mut page = Page::default();
    page.heading("The record");
    page.field("Database", &place);
    page.field("Size", &size(status.bytes));
    page.field("Records", &status.records.to_string());
    page.field("Of these pruned", &status.pruned.to_string());
    page.field("Different contents", &status.contents.to_string());
    page.field("Oldest not pruned", &text(status.oldest).unwrap_or_else(|| "none".to_owned()));
    page.field("Newest", &text(status.newest).unwrap_or_else(|| "none".to_owned()));
    page.field("Root of the log", &status.root);
    out.print(&page.into_text())
}

async fn backup(args: &StoreBackup, out: &Output) -> Result<(), Error> {
    let config = service::config_of(&args.place)?;
    if service::file(&config)?.is_none() {
        return Err(Error::NotAFile);
    }
    let store = service::open(&config).await?;
    // Empty, and for its owner alone: what the backup then goes into.
    files::write_private(&args.file, b"")?;
    let copied = store.backup(&args.file).await;
    store.close().await;
    if let Err(why) = copied {
        // What was begun is no backup, and must not be taken for one.
        let _ = fs::remove_file(&args.file);
        return Err(why.into());
    }
    files::sync_folder(args.file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        .map_err(|why| Error::write(&args.file, why))?;
    let written = fs::metadata(&args.file).map_err(|why| Error::read(&args.file, why))?.len();
    out.print(&format!(
        "The record is in {}: {}.

See whether it is whole with

  keyvouch log verify --database {}

The keys that sign are not in it.
",
        args.file.display(),
        size(written),
        quote(&args.file),
    ))
}

async fn prune(args: &StorePrune, out: &Output) -> Result<(), Error> {
    let (days, forced) = (args.older_than.0, args.force_below_two_years);
    if days < MIN_RETENTION_DAYS && !forced {
        return Err(Error::TooYoung(MIN_RETENTION_DAYS));
    }
    let store = service::open(&service::config_of(&args.place)?).await?;
    let now = now_ms()?;
    if args.dry_run {
        let records = store.prunable(days, now).await?;
        store.close().await;
        return match args.output {
            Format::Json => {
                out.json(&json!({"schema": "keyvouch.prune/1", "dry_run": true, "records": records}))
            }
            Format::Text => out.print(&format!("{records} records would be let go of; nothing was done.\n")),
        };
    }
    let pruned = store.prune(days, forced, now).await?;
    store.close().await;
    match args.output {
        Format::Json => out.json(&json!({
            "schema": "keyvouch.prune/1",
            "dry_run": false,
            "records": pruned.records,
            "contents": pruned.contents,
        })),
        Format::Text => out.print(&format!(
            "{} records were let go of, and {} contents that no other record needs.\n",
            pruned.records, pruned.contents
        )),
    }
}

/// A number of bytes, for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut shown = (bytes, "bytes");
    for unit in UNITS {
        if shown.0 < 10_240 {
            break;
        }
        shown = (shown.0.div_euclid(1024), unit);
    }
    format!("{} {}", shown.0, shown.1)
}
