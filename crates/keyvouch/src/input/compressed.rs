//! gzip and zip with limits on what comes out.

use std::io::{Cursor, Read};

use flate2::bufread::GzDecoder;

/// Inflates exactly one gzip member that fills `bytes`, to at most `limit` bytes.
///
/// # Errors
/// One sentence that says what is wrong.
pub(crate) fn inflate_single_gzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut decoder = GzDecoder::new(bytes);
    let inflated = read_bounded(&mut decoder, limit)?;
    let rest = decoder.into_inner();
    if rest.is_empty() { Ok(inflated) } else { Err(format!("{} byte(s) after the gzip member", rest.len())) }
}

/// The first bytes that a gzip file inflates to, at most `limit`, however damaged the rest is: to tell what it was.
pub(crate) fn gzip_start(bytes: &[u8], limit: usize) -> Vec<u8> {
    let mut start = Vec::new();
    // An error ends the reading; what came before it stays.
    let _ = GzDecoder::new(bytes).take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut start);
    start
}

fn read_bounded(reader: &mut impl Read, limit: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bounded = reader.take(bound);
    bounded.read_to_end(&mut out).map_err(|e| format!("damaged or cut: {e}"))?;
    if out.len() > limit { Err(format!("unwraps to more than {limit} bytes")) } else { Ok(out) }
}

/// A member of a zip archive.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) content: Result<Vec<u8>, String>,
}

/// Reads the files of a zip archive: at most `max_members`, at most `limit` bytes in all.
pub(super) fn read_zip(bytes: &[u8], max_members: usize, limit: usize) -> Result<Vec<Member>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    if archive.len() > max_members {
        return Err(format!("more than {max_members} members"));
    }
    let mut left = limit;
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|e| e.to_string())?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().map_err(|e| e.to_string())?.into_owned();
        // The declared size is only a hint; what comes out is counted.
        let content = read_bounded(&mut file, left);
        left = left.saturating_sub(content.as_ref().map_or(0, Vec::len));
        members.push(Member { name, content });
    }
    Ok(members)
}
