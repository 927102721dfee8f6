//! `keyvouch reference`: revocation and metadata that the operator fetches, because keyvouch fetches nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use keyvouch::input::parse_json;
use keyvouch::reference::android_status::AndroidStatusList;
use keyvouch::reference::fido::Metadata;
use keyvouch::{Reference, Time};
use serde_json::{Value, json};

use super::emulate::quote;
use super::verify::now;
use crate::cli::{At, Format, ReferenceCommand, ReferenceData, ReferenceUpdate, ReferenceView};
use crate::error::Error;
use crate::files;
use crate::output::Output;
use crate::reference_folder::{self as folder, Entry, Kind, Stamp, Stored, Writer};
use crate::text::{Page, count, table};

pub(crate) fn run(args: &ReferenceData, out: &Output) -> Result<(), Error> {
    match &args.command {
        ReferenceCommand::Update(args) => update(args, out),
        ReferenceCommand::List(args) => list(args, out),
        ReferenceCommand::Show(args) => show(args, out),
    }
}

fn folder_of(asked: Option<&Path>) -> Result<PathBuf, Error> {
    folder::named(asked).ok_or(Error::NoReferenceFolder)
}

fn time(asked: Option<At>) -> Result<Time, Error> {
    match asked {
        Some(At::Time(time)) => Ok(time),
        Some(At::Now) | None => now(),
    }
}

/// A file that is about to be imported: what can be verified of it was.
struct Import {
    path: PathBuf,
    entry: Entry,
    bytes: Vec<u8>,
    content: Content,
}

enum Content {
    StatusList(AndroidStatusList),
    Metadata(Box<Metadata>),
}

impl Import {
    fn fail(&self, why: String) -> Error {
        refused(&self.path, why)
    }
}

fn refused(path: &Path, why: String) -> Error {
    Error::ReferenceData { path: path.to_owned(), why }
}

/// Imports files. All of them are verified before anything is written.
fn update(args: &ReferenceUpdate, out: &Output) -> Result<(), Error> {
    let dir = folder_of(args.reference.as_deref())?;
    let at = time(args.at)?;
    let reference = Reference::builtin()?;
    let roots = args.metadata_roots.as_deref().map(files::read).transpose()?;
    let mut imports: Vec<Import> = Vec::new();
    for path in &args.from {
        let import = import(path, files::read(path)?, args, roots.as_deref(), &reference, at)?;
        if imports.iter().any(|other| other.entry.kind == import.entry.kind) {
            return Err(import.fail(format!("the second {}; give one", import.entry.kind.title())));
        }
        imports.push(import);
    }
    let has = |kind| imports.iter().any(|import| import.entry.kind == kind);
    if args.retrieved.is_some() && !has(Kind::AndroidStatusList) {
        return Err(Error::Idle { option: "--retrieved", about: Kind::AndroidStatusList.title() });
    }
    if args.metadata_roots.is_some() && !has(Kind::FidoMetadata) {
        return Err(Error::Idle { option: "--metadata-roots", about: Kind::FidoMetadata.title() });
    }

    let writer = Writer::open(&dir)?;
    let mut page = Page::default();
    for import in &imports {
        if !args.allow_older {
            check_newer(import, &writer, roots.is_none().then_some(&reference))?;
        }
        summary(import, &writer, at, &mut page);
    }
    let mut gone = Vec::new();
    let mut new = Vec::new();
    if has(Kind::FidoMetadata) {
        match (&args.metadata_roots, roots) {
            (Some(path), Some(bytes)) => {
                let entry = Entry::new(Kind::FidoMetadataRoots, &bytes, path, at);
                new.push(Stored { entry, bytes });
            }
            _ => gone.push(Kind::FidoMetadataRoots),
        }
    }
    new.extend(imports.into_iter().map(|import| Stored { entry: import.entry, bytes: import.bytes }));
    writer.replace(new, &gone)?;
    out.print(&format!(
        "{}\nStored in {}. Judge by it:\n\n  keyvouch verify … --reference {}\n",
        page.into_text(),
        dir.display(),
        quote(&dir)
    ))
}

/// Finds out what a file is, and verifies what can be verified.
fn import(
    path: &Path,
    bytes: Vec<u8>,
    args: &ReferenceUpdate,
    roots: Option<&[u8]>,
    reference: &Reference,
    at: Time,
) -> Result<Import, Error> {
    let fail = |why: String| refused(path, why);
    let (entry, content) = match recognise(&bytes) {
        Some(Kind::AndroidStatusList) => {
            let list = AndroidStatusList::parse(&bytes).map_err(|e| fail(e.to_string()))?;
            let retrieved = retrieved(path, args.retrieved, at)?;
            let entry = Entry {
                retrieved_at: Some(Stamp(retrieved)),
                entries: Some(list.len()),
                ..Entry::new(Kind::AndroidStatusList, &bytes, path, at)
            };
            (entry, Content::StatusList(list))
        }
        Some(Kind::FidoMetadata) => {
            let metadata =
                Metadata::from_blob(&bytes, roots, reference, at).map_err(|e| fail(e.to_string()))?;
            let entry = Entry {
                number: Some(metadata.number),
                next_update: metadata.next_update.map(|date| date.to_string()),
                entries: Some(metadata.len()),
                ..Entry::new(Kind::FidoMetadata, &bytes, path, at)
            };
            (entry, Content::Metadata(Box::new(metadata)))
        }
        _ => return Err(fail(unknown(&bytes).to_owned())),
    };
    Ok(Import { path: path.to_owned(), entry, bytes, content })
}

/// What a file is by its looks: JSON with entries, or the three parts of a JWS.
fn recognise(bytes: &[u8]) -> Option<Kind> {
    let text = bytes.trim_ascii();
    let base64url = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=');
    let parts: Vec<&[u8]> = text.split(|b| *b == b'.').take(4).collect();
    if let [header, payload, _] = parts.as_slice()
        && header.starts_with(b"ey")
        && [header, payload].iter().all(|part| part.iter().all(base64url))
    {
        return Some(Kind::FidoMetadata);
    }
    // The reader of the list says what is wrong with other JSON.
    (text.starts_with(b"{") && !is_payload(text)).then_some(Kind::AndroidStatusList)
}

/// Whether it is what a metadata BLOB signs, without the signature.
fn is_payload(bytes: &[u8]) -> bool {
    parse_json(bytes).is_ok_and(|json| json.get("no").is_some() && json.get("nextUpdate").is_some())
}

fn unknown(bytes: &[u8]) -> &'static str {
    if is_payload(bytes) {
        "the content of a FIDO metadata BLOB without its signature, so that nobody vouches for it; give the BLOB as https://mds3.fidoalliance.org/ sends it"
    } else {
        "neither Google's attestation status list (https://android.googleapis.com/attestation/status) nor a BLOB of the FIDO Metadata Service (https://mds3.fidoalliance.org/); give the file as it was downloaded"
    }
}

/// When the list was fetched, at the latest: what the operator says, or else the time of the file, or else now.
fn retrieved(path: &Path, asked: Option<At>, at: Time) -> Result<Time, Error> {
    if let Some(At::Time(time)) = asked {
        return match time > at {
            true => Err(refused(
                path,
                format!("it cannot have been retrieved later than now: --retrieved {time}"),
            )),
            false => Ok(time),
        };
    }
    let changed = fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let changed = changed.and_then(|since| i64::try_from(since.as_secs()).ok()).map(Time::from_unix);
    Ok(changed.filter(|time| *time < at && asked.is_none()).unwrap_or(at))
}

/// Refuses what is older than what is there: whoever can hold back the newest could hide a revocation.
fn check_newer(import: &Import, writer: &Writer, built_in: Option<&Reference>) -> Result<(), Error> {
    const HELP: &str = "fetch the newest, or say --allow-older";
    let old = writer.entry(import.entry.kind);
    match &import.content {
        Content::Metadata(metadata) => {
            let older = |than: u64, whose: &str| {
                let why =
                    format!("payload {} is older than payload {than}, which is {whose}", metadata.number);
                import.fail(format!("{why}; {HELP}"))
            };
            if let Some(stored) = old.and_then(|old| old.number).filter(|stored| metadata.number < *stored) {
                return Err(older(stored, "stored"));
            }
            if let Some(known) = built_in.map(|r| r.fido.number).filter(|known| metadata.number < *known) {
                return Err(older(known, "built in"));
            }
        }
        Content::StatusList(_) => {
            let times = (import.entry.retrieved_at, old.and_then(|old| old.retrieved_at));
            if let (Some(Stamp(new)), Some(Stamp(old))) = times
                && new < old
            {
                return Err(import.fail(format!(
                    "retrieved {new}, which is earlier than {old}, when the stored one was; {HELP}"
                )));
            }
        }
    }
    Ok(())
}

/// What was imported.
fn summary(import: &Import, writer: &Writer, at: Time, page: &mut Page) {
    let entry = &import.entry;
    page.heading(entry.kind.title());
    page.field("From", &import.path.display().to_string());
    details(entry, at, page);
    match &import.content {
        Content::StatusList(list) => {
            counts(list, page);
            page.field("Verified", UNSIGNED);
            let old = writer.bytes(Kind::AndroidStatusList);
            if let Some(old) = old.and_then(|bytes| AndroidStatusList::parse(&bytes).ok()) {
                page.field("Before", &changes(&old, list));
            }
        }
        Content::Metadata(metadata) => {
            page.field("Verified", &format!("signed by the metadata service: {}", metadata.source));
            if let Some(old) = writer.entry(Kind::FidoMetadata).and_then(|old| old.number) {
                page.field("Before", &format!("payload {old}"));
            }
        }
    }
}

const UNSIGNED: &str = "the form only. Google does not sign the list: it is as trustworthy as the TLS connection over which it was fetched, and as whoever kept it since";

/// What another list has that the one before had not, and the other way round. Certificates that have expired may be
/// taken off; a list of which much is gone is for the operator to wonder about.
fn changes(old: &AndroidStatusList, new: &AndroidStatusList) -> String {
    let missing = |from: &AndroidStatusList, to: &AndroidStatusList| {
        let there: std::collections::BTreeSet<&str> = to.entries().map(|(serial, _)| serial).collect();
        from.entries().filter(|(serial, _)| !there.contains(serial)).count()
    };
    format!(
        "{}: {} added, {} taken off",
        count(old.len(), "entry", "entries"),
        missing(new, old),
        missing(old, new)
    )
}

fn counts(list: &AndroidStatusList, page: &mut Page) {
    for ((status, reason), n) in list.summary() {
        page.field(&status, &format!("{n} for {reason}"));
    }
}

/// What the manifest says of a file.
fn details(entry: &Entry, at: Time, page: &mut Page) {
    if let Some(number) = entry.number {
        page.field("Payload", &number.to_string());
    }
    if let Some(entries) = entry.entries {
        page.field("Entries", &entries.to_string());
    }
    page.field("Age", &entry.age(at));
    page.field("SHA-256", &entry.sha256);
}

/// Lists what is stored.
fn list(args: &ReferenceView, out: &Output) -> Result<(), Error> {
    let (stored, at) = view(args)?;
    if args.output == Format::Json {
        return out.json(&describe(&stored, at)?);
    }
    let head = ["FILE", "ENTRIES", "PAYLOAD", "IMPORTED", "AGE"].map(str::to_owned).to_vec();
    let text = |n: Option<String>| n.unwrap_or_else(|| "-".to_owned());
    let rows = stored.iter().map(|Stored { entry, .. }| {
        vec![
            entry.file.clone(),
            text(entry.entries.map(|n| n.to_string())),
            text(entry.number.map(|n| n.to_string())),
            entry.imported_at.0.to_string(),
            entry.age(at),
        ]
    });
    out.print(&table(&[head].into_iter().chain(rows).collect::<Vec<_>>()))
}

/// Shows what is stored, and verifies it again.
fn show(args: &ReferenceView, out: &Output) -> Result<(), Error> {
    let (stored, at) = view(args)?;
    if args.output == Format::Json {
        return out.json(&describe(&stored, at)?);
    }
    let reference = Reference::builtin()?;
    let roots = stored.iter().find(|s| s.entry.kind == Kind::FidoMetadataRoots).map(|s| s.bytes.as_slice());
    let mut page = Page::default();
    for Stored { entry, bytes } in &stored {
        page.heading(entry.kind.title());
        page.field("File", &entry.file);
        page.field("Imported", &format!("{} from {}", entry.imported_at.0, entry.source));
        details(entry, at, &mut page);
        match entry.kind {
            Kind::AndroidStatusList => match AndroidStatusList::parse(bytes) {
                Ok(list) => {
                    counts(&list, &mut page);
                    page.field("Verified", UNSIGNED);
                }
                Err(why) => page.field("Verified", &format!("no: {why}")),
            },
            Kind::FidoMetadata => match Metadata::from_blob(bytes, roots, &reference, at) {
                Ok(metadata) => {
                    page.field("Verified", &format!("signed by the metadata service: {}", metadata.source));
                }
                Err(why) => page.field("Verified", &format!("no: {why}")),
            },
            Kind::FidoMetadataRoots => page.field("Verified", "the operator vouches for them"),
        }
    }
    out.print(&page.into_text())
}

fn view(args: &ReferenceView) -> Result<(Vec<Stored>, Time), Error> {
    Ok((folder::read(&folder_of(args.reference.as_deref())?)?, time(args.at)?))
}

/// The manifest, with the age of each file in seconds: of the list since it was fetched, of the metadata since the next
/// were due.
fn describe(stored: &[Stored], at: Time) -> Result<Value, Error> {
    let mut files = Vec::new();
    for Stored { entry, .. } in stored {
        let mut file = serde_json::to_value(entry)?;
        if let Some(members) = file.as_object_mut() {
            let ages = [
                ("age_seconds", entry.retrieved_at.map(|Stamp(retrieved)| retrieved)),
                ("overdue_seconds", entry.due().map(keyvouch::reference::Date::last_second)),
            ];
            for (name, from) in ages {
                members.extend(from.map(|from| (name.to_owned(), json!(folder::since(from, at)))));
            }
        }
        files.push(file);
    }
    Ok(Value::Array(files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_content() {
        for (text, kind) in [
            (" {\"entries\":{}}\n", Some(Kind::AndroidStatusList)),
            ("{", Some(Kind::AndroidStatusList)),
            ("eyJ9.e30.AA\n", Some(Kind::FidoMetadata)),
            ("{\"no\":1,\"nextUpdate\":\"2030-01-01\",\"entries\":[]}", None),
            ("eyJ9.e30", None),
            ("eyJ9.e30.AA.AA", None),
            ("a.b.c", None),
            ("", None),
        ] {
            assert_eq!(recognise(text.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn metadata_older_than_the_built_in_index_are_not_newer() {
        let dir = tempfile::tempdir().unwrap();
        let reference = Reference::builtin().unwrap();
        let at = "2026-06-01T00:00:00Z".parse().unwrap();
        let mut blob = keyvouch_emulator::webauthn::mds::Blob::new().unwrap();
        for (number, newer) in [(reference.fido.number - 1, false), (reference.fido.number, true)] {
            blob.number = number;
            let bytes = blob.sign().unwrap();
            let metadata = Metadata::from_blob(&bytes, Some(&blob.roots()), &reference, at).unwrap();
            let import = Import {
                path: PathBuf::from("blob.jwt"),
                entry: Entry::new(Kind::FidoMetadata, &bytes, Path::new("blob.jwt"), at),
                bytes,
                content: Content::Metadata(Box::new(metadata)),
            };
            let writer = Writer::open(dir.path()).unwrap();
            assert_eq!(check_newer(&import, &writer, Some(&reference)).is_ok(), newer, "{number}");
            // Below roots of one's own the service's numbers mean nothing.
            assert!(check_newer(&import, &writer, None).is_ok());
        }
    }
}
