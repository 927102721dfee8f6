//! The reference folder: what `keyvouch reference update` imported, for the commands that judge.
//!
//! Reference data that ages (revocation, metadata) is handed to the verifier as options that are files. The folder
//! keeps those files, with a manifest that says what each is and when it was fetched. It is the operator's own: the
//! digests of the manifest find damage and half an update, not somebody who may write there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use keyvouch::reference::Date;
use keyvouch::{Options, Time};
use serde::{Deserialize, Serialize};

use crate::cli::Pair;
use crate::error::Error;
use crate::files;
use crate::text::count;

/// Names the folder where the command line does not.
pub(crate) const VARIABLE: &str = "KEYVOUCH_REFERENCE";

const MANIFEST: &str = "reference.json";
const SCHEMA: &str = "keyvouch.reference/1";
/// Held while the folder is written or read: nobody sees half an update.
const LOCK: &str = ".lock";

/// What a file of the folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    AndroidStatusList,
    FidoMetadata,
    /// Those that the operator named instead of the built-in root of the metadata service.
    FidoMetadataRoots,
}

impl Kind {
    /// Its word in the manifest and on the command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AndroidStatusList => "android-status-list",
            Self::FidoMetadata => "fido-metadata",
            Self::FidoMetadataRoots => "fido-metadata-roots",
        }
    }

    /// What it is, for people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::AndroidStatusList => "Android attestation status list",
            Self::FidoMetadata => "FIDO metadata BLOB",
            Self::FidoMetadataRoots => "roots of the FIDO metadata BLOB",
        }
    }

    /// The name of its file.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::AndroidStatusList => "android-status.json",
            Self::FidoMetadata => "fido-metadata.jwt",
            Self::FidoMetadataRoots => "fido-metadata-roots.crt",
        }
    }

    /// The option that takes it.
    const fn option(self) -> &'static str {
        match self {
            Self::AndroidStatusList => "android_status_list",
            Self::FidoMetadata => "metadata",
            Self::FidoMetadataRoots => "metadata_roots",
        }
    }
}

/// A time in the manifest.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Stamp(pub(crate) Time);

impl TryFrom<String> for Stamp {
    type Error = keyvouch::NotATime;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> Self {
        stamp.0.to_string()
    }
}

/// What the manifest says of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) file: String,
    pub(crate) sha256: String,
    pub(crate) size: usize,
    /// What the file was called that was imported.
    pub(crate) source: String,
    pub(crate) imported_at: Stamp,
    /// Of the status list, which does not say how old it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retrieved_at: Option<Stamp>,
    /// Of the metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_update: Option<String>,
    /// How many certificates or models it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entries: Option<usize>,
}

impl Entry {
    /// An entry for these bytes, without what only some kinds have.
    pub(crate) fn new(kind: Kind, bytes: &[u8], source: &Path, imported_at: Time) -> Self {
        let source = source.file_name().map(|name| name.to_string_lossy().into_owned());
        Self {
            kind,
            file: kind.file().to_owned(),
            sha256: sha256(bytes),
            size: bytes.len(),
            source: source.unwrap_or_default(),
            imported_at: Stamp(imported_at),
            retrieved_at: None,
            number: None,
            next_update: None,
            entries: None,
        }
    }

    /// When the next metadata are due.
    pub(crate) fn due(&self) -> Option<Date> {
        self.next_update.as_deref().and_then(Date::parse)
    }

    /// Whether it says what its kind must say.
    fn is_whole(&self) -> bool {
        self.file == self.kind.file()
            && match self.kind {
                Kind::AndroidStatusList => self.retrieved_at.is_some(),
                Kind::FidoMetadata => self.number.is_some() && self.due().is_some(),
                Kind::FidoMetadataRoots => true,
            }
    }

    /// How old it is at a time, for people.
    pub(crate) fn age(&self, at: Time) -> String {
        match (self.retrieved_at, self.due()) {
            (Some(Stamp(retrieved)), _) => match at < retrieved {
                true => format!("retrieved {retrieved}, which is later"),
                false => format!("retrieved {retrieved}, {} ago", span(since(retrieved, at))),
            },
            (None, Some(due)) if at > due.last_second() => {
                format!("the next was due {due}, {} ago", span(since(due.last_second(), at)))
            }
            (None, Some(due)) => format!("next due {due}"),
            (None, None) => format!("imported {}", self.imported_at.0),
        }
    }

    /// What it is and how old, in a few words.
    fn describe(&self, at: Time) -> String {
        let number = self.number.map(|n| format!(", payload {n}")).unwrap_or_default();
        let entries = self.entries.map(|n| format!(", {}", count(n, "entry", "entries"))).unwrap_or_default();
        format!("{}{number}{entries}, {}", self.kind.title(), self.age(at))
    }
}

/// Seconds from one time to a later one.
pub(crate) fn since(from: Time, to: Time) -> i64 {
    to.unix().saturating_sub(from.unix()).max(0)
}

/// A span of time, for people.
pub(crate) fn span(seconds: i64) -> String {
    const HOUR: i64 = 3_600;
    const DAY: i64 = 86_400;
    let (unit, one, many) = match seconds {
        ..HOUR => (60, "minute", "minutes"),
        HOUR..172_800 => (HOUR, "hour", "hours"),
        _ => (DAY, "day", "days"),
    };
    let n = seconds.checked_div(unit).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    count(n, one, many)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    schema: String,
    files: Vec<Entry>,
}

/// A file of the folder, as the manifest has it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) entry: Entry,
    pub(crate) bytes: Vec<u8>,
}

/// The folder that the command line names, or the environment.
pub(crate) fn named(asked: Option<&Path>) -> Option<PathBuf> {
    let from_environment = || std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    asked.map(Path::to_owned).or_else(from_environment)
}

/// Reads everything in the folder, and compares it with the manifest.
pub(crate) fn read(dir: &Path) -> Result<Vec<Stored>, Error> {
    // A folder that may only be read, or was copied without its lock, is guarded by the digests alone.
    let lock = File::open(dir.join(LOCK)).ok();
    let _held = lock.as_ref().map(File::lock_shared);
    let manifest = manifest(dir)?.ok_or_else(|| damaged(dir, NO_MANIFEST.to_owned()))?;
    manifest.into_values().map(|entry| stored(dir, entry)).collect()
}

const NO_MANIFEST: &str = "this is no reference folder: it has no reference.json. Make it with `keyvouch reference update --from FILE --reference DIR`";

fn damaged(path: &Path, why: String) -> Error {
    Error::ReferenceData { path: path.to_owned(), why }
}

/// The entries of the manifest, by kind; `None` when there is no manifest.
fn manifest(dir: &Path) -> Result<Option<BTreeMap<Kind, Entry>>, Error> {
    const HELP: &str = "delete it, and import the files anew with `keyvouch reference update`";
    let path = dir.join(MANIFEST);
    let text = match fs::symlink_metadata(&path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => files::read_text(&path)?,
    };
    let fail = |why: String| damaged(&path, format!("{why}; {HELP}"));
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|e| fail(format!("damaged, or of another version: {e}")))?;
    if manifest.schema != SCHEMA {
        return Err(fail(format!("its schema is {:?} and not {SCHEMA}", manifest.schema)));
    }
    let mut entries = BTreeMap::new();
    for entry in manifest.files {
        let kind = entry.kind;
        if !entry.is_whole() {
            return Err(fail(format!("what it says of {} is not complete", kind.as_str())));
        }
        if entries.insert(kind, entry).is_some() {
            return Err(fail(format!("it names {} twice", kind.as_str())));
        }
    }
    Ok(Some(entries))
}

fn stored(dir: &Path, entry: Entry) -> Result<Stored, Error> {
    let path = dir.join(entry.kind.file());
    let bytes = files::read(&path)?;
    if bytes.len() != entry.size || sha256(&bytes) != entry.sha256 {
        return Err(damaged(
            &path,
            "not the file that was imported: its SHA-256 is not that in reference.json. Import it anew with `keyvouch reference update`".to_owned(),
        ));
    }
    Ok(Stored { entry, bytes })
}

/// The folder, held for writing.
#[derive(Debug)]
pub(crate) struct Writer {
    dir: PathBuf,
    entries: BTreeMap<Kind, Entry>,
    _lock: File,
}

impl Writer {
    /// Takes hold of the folder, which is made when it is not there. Files that are damaged do not hinder: they may
    /// be about to be replaced.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|why| Error::write(dir, why))?;
        let path = dir.join(LOCK);
        let lock = fs::OpenOptions::new().create(true).append(true).open(&path);
        let lock =
            lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|why| Error::write(&path, why))?;
        let entries = manifest(dir)?.unwrap_or_default();
        Ok(Self { dir: dir.to_owned(), entries, _lock: lock })
    }

    /// What the manifest says of a file.
    pub(crate) fn entry(&self, kind: Kind) -> Option<&Entry> {
        self.entries.get(&kind)
    }

    /// A file, when it is whole.
    pub(crate) fn bytes(&self, kind: Kind) -> Option<Vec<u8>> {
        stored(&self.dir, self.entry(kind)?.clone()).ok().map(|stored| stored.bytes)
    }

    /// Replaces files, and takes out others. The manifest comes last: after a crash in between it does not match, and
    /// nobody believes what is there until the update is made again.
    pub(crate) fn replace(mut self, new: Vec<Stored>, gone: &[Kind]) -> Result<(), Error> {
        for Stored { entry, bytes } in new {
            self.write(entry.kind.file(), &bytes)?;
            self.entries.insert(entry.kind, entry);
        }
        for kind in gone {
            self.entries.remove(kind);
        }
        let manifest =
            Manifest { schema: SCHEMA.to_owned(), files: self.entries.values().cloned().collect() };
        let mut text = serde_json::to_string_pretty(&manifest)?;
        text.push('\n');
        self.write(MANIFEST, text.as_bytes())?;
        for path in gone.iter().map(|kind| self.dir.join(kind.file())) {
            match fs::remove_file(&path) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(Error::write(&path, why)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes a file so that it is either the old one or the new one, also when the machine stops.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.dir.join(name);
        let new = self.dir.join(format!(".{name}.new"));
        File::create(&new)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| files::sync_folder(&self.dir))
            .map_err(|why| Error::write(&path, why))
    }
}

/// Sets the options that take the files of the folder, and says what is used. What is set already stays: the option of
/// the command line counts, or what a folder suggests that is to be trusted.
pub(crate) fn apply(stored: Vec<Stored>, options: &mut Options, asked: &[Pair], at: Time) -> Vec<String> {
    let is_set = |options: &Options, kind: Kind| options.file(kind.option()).is_some();
    let own_metadata = is_set(options, Kind::FidoMetadata);
    let mut used = Vec::new();
    for Stored { entry, bytes } in stored {
        let kind = entry.kind;
        let name = kind.option();
        // Roots belong to the stored BLOB; for another one they mean nothing.
        if is_set(options, kind) || (kind == Kind::FidoMetadataRoots && own_metadata) {
            used.push(format!("{} not used, because option {name} is set", kind.title()));
            continue;
        }
        used.push(entry.describe(at));
        options.set_file(name, bytes);
        // The time belongs to the list: only the operator may say another.
        const TIME: &str = "android_status_time";
        if let Some(Stamp(retrieved)) = entry.retrieved_at.filter(|_| !asked.iter().any(|p| p.key == TIME)) {
            options.set(TIME, retrieved.to_string());
        }
    }
    used
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn list(bytes: &[u8]) -> Stored {
        let retrieved_at = Some(Stamp(time("2026-06-01T00:00:00Z")));
        let entry = Entry::new(Kind::AndroidStatusList, bytes, Path::new("a/status"), Time::from_unix(0));
        Stored { entry: Entry { retrieved_at, ..entry }, bytes: bytes.to_vec() }
    }

    #[test]
    fn what_was_stored_is_read_back_and_damage_is_found() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("new");
        assert!(matches!(read(&dir), Err(Error::ReferenceData { .. })));
        let roots = Entry::new(Kind::FidoMetadataRoots, b"r", Path::new("r"), Time::from_unix(0));
        let roots = Stored { entry: roots, bytes: b"r".to_vec() };
        Writer::open(&dir).unwrap().replace(vec![list(b"one"), roots], &[]).unwrap();
        assert_eq!(read(&dir).unwrap().len(), 2);
        Writer::open(&dir).unwrap().replace(vec![list(b"two")], &[Kind::FidoMetadataRoots]).unwrap();
        let stored = read(&dir).unwrap();
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0].bytes.as_slice(), stored[0].entry.source.as_str()), (&b"two"[..], "status"));
        // Nothing is left beside it.
        assert_eq!(files::list(&dir).unwrap().files.len(), 2);

        fs::write(dir.join(Kind::AndroidStatusList.file()), "twO").unwrap();
        assert!(matches!(read(&dir), Err(Error::ReferenceData { .. })));
        assert!(Writer::open(&dir).unwrap().bytes(Kind::AndroidStatusList).is_none());

        let text = fs::read_to_string(dir.join(MANIFEST)).unwrap();
        for (from, to) in [
            (SCHEMA, "keyvouch.reference/2"),
            ("android-status.json", "../android-status.json"),
            ("retrieved_at", "fetched_at"),
            ("2026-06-01T00:00:00Z", "lately"),
        ] {
            fs::write(dir.join(MANIFEST), text.replace(from, to)).unwrap();
            assert!(matches!(read(&dir), Err(Error::ReferenceData { .. })), "{to}");
            assert!(Writer::open(&dir).is_err(), "{to}");
        }
    }

    #[test]
    fn options_that_are_set_stay() {
        let at = time("2026-06-02T00:00:00Z");
        let mut options = Options::default();
        options.set("android_status_time", "2020-01-01T00:00:00Z");
        let used = apply(vec![list(b"one")], &mut options, &[], at);
        assert_eq!(used, ["Android attestation status list, retrieved 2026-06-01T00:00:00Z, 24 hours ago"]);
        // What somebody suggested does not say how old the operator's list is.
        assert_eq!(options.text("android_status_time"), Some("2026-06-01T00:00:00Z"));
        assert_eq!(options.file("android_status_list"), Some(&b"one"[..]));

        let asked = Pair { key: "android_status_time".into(), value: "2020-01-01T00:00:00Z".into() };
        let mut options = Options::default();
        options.set("android_status_time", asked.value.as_str());
        options.set_file("metadata", *b"mine");
        let roots = Entry::new(Kind::FidoMetadataRoots, b"r", Path::new("r"), at);
        let roots = Stored { entry: roots, bytes: b"r".to_vec() };
        apply(vec![list(b"one"), roots], &mut options, &[asked], at);
        assert_eq!(options.text("android_status_time"), Some("2020-01-01T00:00:00Z"));
        assert_eq!(options.file("metadata_roots"), None);
        assert!(apply(vec![list(b"two")], &mut options, &[], at)[0].contains("not used"));
        assert_eq!(options.file("android_status_list"), Some(&b"one"[..]));
    }

    #[test]
    fn spans() {
        let spans = [59, 60, 3_600, 172_799, 172_800].map(span);
        assert_eq!(spans, ["0 minutes", "1 minute", "1 hour", "47 hours", "2 days"]);
    }
}
