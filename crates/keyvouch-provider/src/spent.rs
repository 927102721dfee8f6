//! What was sent: a signature is good for one sending, and whoever sends remembers it.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::Error;

/// A list of digests in a file, one a line. Signatures themselves are not written down.
#[derive(Debug, Clone)]
pub struct Spent(PathBuf);

impl Spent {
    /// The list in that file, which is made when it is first needed.
    #[must_use]
    pub fn in_file(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Puts the signatures on the list, before they are sent.
    ///
    /// # Errors
    /// [`Error::Spent`] when one of them is there already, [`Error::Memory`] when the list cannot be kept.
    pub fn spend(&self, signatures: &[String]) -> Result<(), Error> {
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(&self.0).map_err(Error::Memory)?;
        // Two processes at once must not both find that nothing was sent.
        file.lock().map_err(Error::Memory)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(Error::Memory)?;
        let digests: Vec<String> =
            signatures.iter().map(|s| hex::encode(digest::digest(&digest::SHA256, s.as_bytes()))).collect();
        if text.lines().any(|line| digests.iter().any(|digest| digest == line)) {
            return Err(Error::Spent);
        }
        let lines: String = digests.iter().map(|digest| format!("{digest}\n")).collect();
        file.seek(SeekFrom::End(0)).map_err(Error::Memory)?;
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::Memory)
    }
}
