//! The ZIP file of a record: written without a clock, read within bounds.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use keyvouch::File;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::bundle::{BundleError, MANIFEST, Parts, RESULT, TRUST_DATA};

/// The largest bundle that is read, in bytes.
pub const MAX_BUNDLE: usize = 64 << 20;
/// The most bytes that the files of a bundle may have together, unpacked.
const MAX_UNPACKED: u64 = 128 << 20;
/// The most files in a bundle.
pub(crate) const MAX_FILES: usize = 1_024;

pub(crate) const README: &str = "README.txt";
const README_TEXT: &str = "\
This is the record of an appraisal by keyvouch: everything that it rested on, and what it said.

  record.json   what is in here, with SHA-256 digests, and how it was judged
  report.json   the answer
  evidence/     the evidence as it was handed in
  request/      the certification request, certificate or public key, if there was one
  options/      files that operator options named
  anchors/      the operator's own trust data
  policies/     the policies that it was judged by
  trust-data/   the trust data of the keyvouch that judged, if it was included; record.json has its digest
  result/       signed results and other proofs about the record, if there are any; they came after it

`keyvouch record verify FILE.zip` judges the evidence again at its own time and says whether the answer is the same.
";

/// The ZIP file of a record.
pub(crate) fn pack(parts: &Parts, trust_data: &[File], proofs: &[File]) -> Result<Vec<u8>, BundleError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // No clock: the time of every member is that of the ZIP format's beginning.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    let mut put = |path: &str, bytes: &[u8]| -> Result<(), BundleError> {
        zip.start_file(path, options)?;
        zip.write_all(bytes).map_err(ZipError::Io)?;
        Ok(())
    };
    put(README, README_TEXT.as_bytes())?;
    put(MANIFEST, &parts.manifest)?;
    for part in &parts.files {
        put(&part.path, &part.bytes)?;
    }
    for file in trust_data {
        put(&format!("{TRUST_DATA}{}", file.name), &file.bytes)?;
    }
    for (number, file) in (1..).zip(proofs) {
        let number: usize = number;
        put(&format!("{RESULT}{number:03}-{}", harmless(&file.name)), &file.bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The members of a ZIP file by name: bounded, and none twice.
pub(crate) fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    if bytes.len() > MAX_BUNDLE {
        return Err(BundleError::TooLarge(u64::try_from(MAX_BUNDLE).unwrap_or(u64::MAX)));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    if archive.len() > MAX_FILES {
        return Err(BundleError::TooMany);
    }
    let mut left = MAX_UNPACKED;
    let mut members = BTreeMap::new();
    for at in 0..archive.len() {
        let file = archive.by_index(at)?;
        let name = file.name()?.into_owned();
        let mut content = Vec::new();
        file.take(left.saturating_add(1)).read_to_end(&mut content).map_err(ZipError::Io)?;
        left = u64::try_from(content.len())
            .ok()
            .and_then(|size| left.checked_sub(size))
            .ok_or(BundleError::TooLarge(MAX_UNPACKED))?;
        if members.insert(name.clone(), content).is_some() {
            return Err(BundleError::Altered(name));
        }
    }
    Ok(members)
}

/// The last part of a name, with nothing that a file system could take amiss.
pub(crate) fn harmless(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    last.chars().take(100).map(safe).collect()
}
