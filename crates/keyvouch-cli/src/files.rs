//! Reading files: bounded, and with errors that name them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::submission_file::{self, SubmissionFile};

/// The largest file that is read, in MiB.
pub(crate) const MAX_MIB: u64 = 16;
const MAX_BYTES: u64 = MAX_MIB << 20;

/// The most files that are taken from a folder; evidence never has as many.
const MAX_FILES: usize = 256;

/// Reads a file that is not too large.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let fail = |why| Error::read(path, why);
    // Before it is opened: to open a pipe can wait for ever.
    let meta = fs::metadata(path).map_err(fail)?;
    if meta.is_dir() {
        return Err(Error::Folder(path.to_owned()));
    }
    if !meta.is_file() {
        return Err(Error::Special(path.to_owned()));
    }
    if meta.len() > MAX_BYTES {
        return Err(Error::TooLarge(path.to_owned()));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|f| f.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(fail)?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > MAX_BYTES) {
        return Err(Error::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

/// Reads a text file that is not too large.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?).map_err(|_| Error::NotText(path.to_owned()))
}

/// Writes a file that is not there yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let open = fs::OpenOptions::new().write(true).create_new(true).open(path);
    open.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(|why| {
        match why.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(path.to_owned()),
            _ => Error::write(path, why),
        }
    })
}

/// Writes a file that is not there yet and that only its owner can read. It has its name only when it is whole: who is
/// killed meanwhile leaves no half of a key.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // Left by somebody who was killed, if it is there at all.
    let _left = fs::remove_file(&part);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()));
    // A link, unlike a new name for the file, takes nobody's place.
    let named = written.and_then(|()| fs::hard_link(&part, path));
    let removed = fs::remove_file(&part);
    named.and(removed).map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(path.to_owned()),
        _ => Error::write(path, why),
    })
}

/// A new name in the folder is on the disk too, where the system lets one say so.
pub(crate) fn sync_folder(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// What is in a folder, one level deep, sorted, without hidden entries.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) folders: Vec<PathBuf>,
}

/// Lists a folder.
pub(crate) fn list(dir: &Path) -> Result<Listing, Error> {
    let fail = |why| Error::read(dir, why);
    let mut listing = Listing::default();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        if path.is_dir() { &mut listing.folders } else { &mut listing.files }.push(path);
        if listing.files.len() > MAX_FILES {
            return Err(Error::ManyFiles { path: dir.to_owned(), limit: MAX_FILES });
        }
    }
    listing.files.sort();
    listing.folders.sort();
    Ok(listing)
}

/// The evidence that was named on the command line, and what its folders say of it.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// The evidence, each file once.
    pub(crate) files: Vec<PathBuf>,
    /// The requests that submission files name.
    pub(crate) requests: Vec<PathBuf>,
    /// What submission files suggest, with their folders.
    pub(crate) suggestions: Vec<(PathBuf, SubmissionFile)>,
    /// Subfolders `anchors`, which are not read.
    pub(crate) anchors: Vec<PathBuf>,
}

/// Finds the evidence files among files and folders.
pub(crate) fn evidence(named: &[PathBuf]) -> Result<Evidence, Error> {
    let mut found = Evidence::default();
    for path in named {
        if fs::metadata(path).map_err(|why| Error::read(path, why))?.is_dir() {
            found.take_folder(path)?;
        } else {
            found.files.push(path.clone());
        }
    }
    let mut seen = BTreeSet::new();
    found.files.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    Ok(found)
}

impl Evidence {
    fn take_folder(&mut self, dir: &Path) -> Result<(), Error> {
        let listing = list(dir)?;
        self.anchors.extend(listing.folders.into_iter().filter(|f| f.ends_with("anchors")));
        if let Some(path) = listing.files.iter().find(|f| f.ends_with(submission_file::NAME)) {
            let submission = SubmissionFile::read(path)?;
            self.files.extend(submission.evidence.iter().map(|name| dir.join(name)));
            self.requests.extend(submission.request.iter().map(|name| dir.join(name)));
            self.suggestions.push((dir.to_owned(), submission));
        } else if listing.files.is_empty() {
            return Err(Error::EmptyFolder(dir.to_owned()));
        } else {
            self.files.extend(listing.files);
        }
        Ok(())
    }
}

/// How a report calls files: by their names alone, or as they were given where names repeat.
pub(crate) fn report_names(paths: &[&Path]) -> Vec<String> {
    let base = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let unique = |path: &Path| paths.iter().filter(|other| base(other) == base(path)).count() == 1;
    paths
        .iter()
        .map(|path| match base(path) {
            Some(name) if unique(path) => name,
            _ => path.to_string_lossy().into_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(matches!(read(&path), Err(Error::TooLarge(_))));
        assert!(matches!(read(dir.path()), Err(Error::Folder(_))));
        assert!(matches!(read(&dir.path().join("none")), Err(Error::Read { .. })));
        #[cfg(unix)]
        assert!(matches!(read(Path::new("/dev/null")), Err(Error::Special(_))));
    }

    #[test]
    fn a_key_is_written_whole_and_takes_nobodys_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.key");
        // Left by somebody who was killed.
        fs::write(dir.path().join("log.key.part"), "half").unwrap();
        write_private(&path, b"one").unwrap();
        assert!(matches!(write_private(&path, b"two"), Err(Error::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn folders_give_their_visible_files_sorted() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b", "a", ".hidden"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        for folder in ["anchors", "other"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            fs::write(dir.path().join(folder).join("c"), "x").unwrap();
        }
        let found = evidence(&[dir.path().join("b"), dir.path().to_owned()]).unwrap();
        assert_eq!(found.files, [dir.path().join("b"), dir.path().join("a")]);
        assert_eq!(found.anchors, [dir.path().join("anchors")]);
    }

    #[test]
    fn reports_call_files_by_name_unless_names_repeat() {
        let names = report_names(&[Path::new("x/a"), Path::new("x/b"), Path::new("y/b")]);
        assert_eq!(names, ["a", "x/b", "y/b"]);
    }
}
