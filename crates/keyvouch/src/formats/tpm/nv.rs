//! Certificates as they lie in an NV index of a TPM: DER, perhaps after a header of TPM 1.2 times, perhaps several
//! (a chain), and then whatever fills the index up.

use der::{Decode, Header, Length, Reader, SliceReader, Tag};

use crate::pki::Certificate;

/// More certificates than any TPM's index holds.
const MAX_CERTIFICATES: usize = 8;

/// What an index holds.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) certificates: Vec<Certificate>,
    /// Bytes after the last certificate.
    pub(crate) padding: usize,
    /// Whether the header of TPM 1.2 stood before.
    pub(crate) wrapped: bool,
}

/// The certificates, if the bytes are such content and not a plain certificate: that is read elsewhere. What follows
/// them must be padding: one byte repeated, 00 or ff.
pub(crate) fn certificates(bytes: &[u8]) -> Option<Found> {
    /// TCG_PCCLIENT_STORED_CERT, full certificate; then its length.
    const HEADER: [u8; 3] = [0x10, 0x01, 0x00];
    let unwrapped = bytes.strip_prefix(&HEADER).and_then(|rest| {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        rest.get(..usize::from(u16::from_be_bytes(*length)))
    });
    let wrapped = unwrapped.is_some();
    let mut rest = unwrapped.unwrap_or(bytes);
    let mut certificates = Vec::new();
    while let Some(length) = sequence_length(rest) {
        if certificates.len() >= MAX_CERTIFICATES {
            return None;
        }
        let (der, after) = rest.split_at_checked(length)?;
        certificates.push(Certificate::from_der(der).ok()?);
        rest = after;
    }
    let is_padding = [0x00, 0xff].into_iter().any(|fill| rest.iter().all(|b| *b == fill));
    let plain = certificates.len() == 1 && rest.is_empty() && !wrapped;
    (!certificates.is_empty() && is_padding && !plain).then_some(Found {
        certificates,
        padding: rest.len(),
        wrapped,
    })
}

/// How long the SEQUENCE is with which the bytes begin.
fn sequence_length(bytes: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let header = Header::decode(&mut reader).ok().filter(|header| header.tag() == Tag::Sequence)?;
    let length = |length: Length| usize::try_from(u32::from(length)).ok();
    let total = length(reader.position())?.checked_add(length(header.length())?)?;
    Some(total).filter(|length| *length <= bytes.len())
}
