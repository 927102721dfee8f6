//! A thin layer over the `der` crate: walking definite-length TLVs without copying.

use ::der::asn1::{AnyRef, ObjectIdentifier};
use ::der::{Decode, Reader, SliceReader, Tag};

use crate::time::Time;

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

/// The content of a GeneralizedTime as DER has it (X.690, 11.7): seconds, `Z`, a fraction only without trailing zeros.
/// The fraction is dropped.
pub(crate) fn generalized_time(content: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || fraction.is_some_and(|f| !digits(f) || f.ends_with('0')) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to);
    let [year, month, day] = [part(0, 4)?, part(4, 6)?, part(6, 8)?];
    let [hour, minute, second] = [part(8, 10)?, part(10, 12)?, part(12, 14)?];
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// The content of a UTCTime as DER has it (X.690, 11.8), of the years 1950 to 2049 (RFC 5280, 4.1.2.5.1).
pub(crate) fn utc_time(content: &[u8]) -> Option<Time> {
    if content.len() != 13 {
        return None;
    }
    let century: &[u8] = if content.first()? < &b'5' { b"20" } else { b"19" };
    generalized_time(&[century, content].concat())
}

/// A UTCTime or GeneralizedTime.
pub(crate) fn time(tlv: &[u8]) -> Option<Time> {
    match single(tlv)? {
        (Tag::UtcTime, content) => utc_time(content),
        (Tag::GeneralizedTime, content) => generalized_time(content),
        _ => None,
    }
}

/// Whether an object identifier lies below an arc.
pub(crate) fn is_below(oid: ObjectIdentifier, arc: ObjectIdentifier) -> bool {
    oid != arc && oid.starts_with(arc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_der() {
        let general = |text: &str| generalized_time(text.as_bytes()).map(|t| t.to_string());
        assert_eq!(general("20260721111338Z").as_deref(), Some("2026-07-21T11:13:38Z"));
        assert_eq!(general("20260721111338.25Z").as_deref(), Some("2026-07-21T11:13:38Z"));
        for text in ["", "Z", "202607211113Z", "20260721111338", "20260721111338+0100", "20261321111338Z"] {
            assert_eq!(general(text), None, "{text}");
        }
        for text in ["20260721111338.Z", "20260721111338.0Z", "20260721111338.250Z", "2026072111133xZ"] {
            assert_eq!(general(text), None, "{text}");
        }
        let utc = |text: &str| utc_time(text.as_bytes()).map(|t| t.to_string());
        assert_eq!(utc("491231235959Z").as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(utc("500101000000Z").as_deref(), Some("1950-01-01T00:00:00Z"));
        assert_eq!((utc("4912312359Z"), utc("+91231235959Z")), (None, None));
        assert!(time(b"\x17\x0d260101000000Z").is_some() && time(b"\x04\x0d260101000000Z").is_none());
    }
}
