//! Carriers that hold files: ZIP, gzip, base64, JSON.

use crate::{Error, File};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::{Compression, GzBuilder};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A ZIP with deflated members and no date.
///
/// # Errors
/// [`Error::Zip`], [`Error::Io`].
pub fn zip(files: &[File]) -> Result<Vec<u8>, Error> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        writer.start_file(file.name.as_str(), options)?;
        writer.write_all(&file.bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// One gzip member (RFC 1952) with a bare header: no name, no time, operating system 0.
///
/// # Errors
/// [`Error::Io`].
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut writer = GzBuilder::new().operating_system(0).write(Vec::new(), Compression::default());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// Standard base64 on one line (RFC 4648, 4).
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// base64url without padding (RFC 4648, 5).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Indented JSON with a final line feed.
///
/// # Errors
/// [`Error::Json`].
pub fn json(value: &serde_json::Value) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_has_a_bare_header() {
        assert_eq!(hex::encode(&gzip(b"a").unwrap()[..10]), "1f8b0800000000000000");
    }

    #[test]
    fn zip_is_the_same_every_time() {
        let files = [File::new("a", "a"), File::new("b", vec![0; 1000])];
        assert_eq!(zip(&files).unwrap(), zip(&files).unwrap());
        assert!(zip(&files).unwrap().len() < 400);
    }
}
