//! Reference data: what is built in, and what the operator adds.

use std::path::{Path, PathBuf};

use keyvouch::{File, Reference, Submission, Time};
use keyvouch_record::{Case, TrustData};

use crate::cli::Trust;
use crate::error::Error;
use crate::files as disk;

/// The reference data that the command line asks for.
pub(crate) fn load(trust: &Trust) -> Result<Reference, Error> {
    let case = Case {
        submission: Submission::new(Vec::new(), Time::from_unix(0)),
        trust_data: TrustData::BuiltIn,
        default_anchors: !trust.no_default_anchors,
        operator_data: operator_data(trust)?,
        policies: Vec::new(),
        settings: keyvouch_policy::Settings::default(),
    };
    Ok(case.reference()?)
}

/// The operator's own files, in the order of the command line.
pub(crate) fn operator_data(trust: &Trust) -> Result<Vec<File>, Error> {
    let mut data = Vec::new();
    for path in &trust.anchors {
        data.extend(files(path)?);
    }
    Ok(data)
}

/// A file of the operator's, or all of a folder.
pub(crate) fn files(path: &Path) -> Result<Vec<File>, Error> {
    let read = |path: &Path| Ok(File::new(path.to_string_lossy(), disk::read(path)?));
    if !path.is_dir() {
        return Ok(vec![read(path)?]);
    }
    let files: Vec<PathBuf> = disk::list(path)?.files;
    if files.is_empty() {
        return Err(Error::EmptyFolder(path.to_owned()));
    }
    files.iter().map(|file| read(file)).collect()
}
