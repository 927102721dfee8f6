//! A thin layer over the `der` crate: walking definite-length TLVs without copying.

use ::der::asn1::AnyRef;
use ::der::{Decode, Reader, SliceReader, Tag};

/// The one TLV that `input` consists of. `None` for anything else, trailing bytes included.
pub(crate) fn single(input: &[u8]) -> Option<(Tag, &[u8])> {
    let any = AnyRef::from_der(input).ok()?;
    Some((any.header().tag(), any.value()))
}

/// The content of the one TLV of that tag that `input` consists of.
pub(crate) fn content(input: &[u8], tag: Tag) -> Option<&[u8]> {
    single(input).filter(|(t, _)| *t == tag).map(|(_, value)| value)
}

/// The TLVs in `content`, each as a whole. `None` when they do not fill it exactly or are more than `limit`.
pub(crate) fn children(content: &[u8], limit: usize) -> Option<Vec<&[u8]>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        if found.len() >= limit {
            return None;
        }
        found.push(reader.tlv_bytes().ok()?);
    }
    Some(found)
}

/// The members of the one SEQUENCE that `input` consists of.
pub(crate) fn sequence(input: &[u8], limit: usize) -> Option<Vec<&[u8]>> {
    children(content(input, Tag::Sequence)?, limit)
}

/// Where `part`, a slice of `whole`, lies in it.
pub(crate) fn range_in(whole: &[u8], part: &[u8]) -> Option<std::ops::Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}
