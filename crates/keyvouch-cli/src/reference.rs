//! Reference data: what is built in, and what the operator adds.

use std::path::{Path, PathBuf};

use keyvouch::Reference;
use keyvouch::reference::anchors::Anchors;

use crate::cli::Trust;
use crate::error::Error;
use crate::files;

/// The reference data that the command line asks for.
pub(crate) fn load(trust: &Trust) -> Result<Reference, Error> {
    let mut reference = Reference::builtin()?;
    if trust.no_default_anchors {
        reference.anchors = Anchors::empty();
    }
    for path in &trust.anchors {
        add(&mut reference, path)?;
    }
    Ok(reference)
}

/// Adds a file or folder of the operator's.
pub(crate) fn add(reference: &mut Reference, path: &Path) -> Result<(), Error> {
    if !path.is_dir() {
        return add_file(reference, path);
    }
    let files: Vec<PathBuf> = files::list(path)?.files;
    if files.is_empty() {
        return Err(Error::EmptyFolder(path.to_owned()));
    }
    files.iter().try_for_each(|file| add_file(reference, file))
}

fn add_file(reference: &mut Reference, path: &Path) -> Result<(), Error> {
    let name = path.to_string_lossy();
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) {
        reference.load_operator_file(&name, &files::read_text(path)?)?;
    } else {
        reference.load_operator_certificates(&name, &files::read(path)?)?;
    }
    Ok(())
}
