//! A thin layer over the `der` crate: walking definite-length TLVs without copying.

use ::der::asn1::{AnyRef, ObjectIdentifier};
use ::der::{Decode, Reader, SliceReader, Tag};

use crate::time::Time;

/// A TLV at the beginning of `input`, and what follows it.
struct First<'a> {
    tag: Tag,
    value: &'a [u8],
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> First<'a> {
    /// By the rules of the `der` crate. The forms that nearly every TLV of a certificate has are read here, because
    /// names and extensions are read again and again; the others are left to that crate.
    fn of(input: &'a [u8]) -> Option<Self> {
        let (tag, length, header) = match *input {
            [tag, length @ 0..=0x7f, ..] => (tag, usize::from(length), 2_usize),
            [tag, 0x81, length @ 0x80..=0xff, ..] => (tag, usize::from(length), 3),
            [tag, 0x82, high @ 1..=0xff, low, ..] => (tag, usize::from(u16::from_be_bytes([high, low])), 4),
            _ => return Self::of_any_form(input),
        };
        let Some(tag) = common_tag(tag) else { return Self::of_any_form(input) };
        let (whole, rest) = input.split_at_checked(header.checked_add(length)?)?;
        Some(Self { tag, value: whole.get(header..)?, whole, rest })
    }

    fn of_any_form(input: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(input).ok()?;
        let any = AnyRef::decode(&mut reader).ok()?;
        let (whole, rest) = input.split_at_checked(usize::try_from(reader.position()).ok()?)?;
        Some(Self { tag: any.header().tag(), value: any.value(), whole, rest })
    }
}

/// The tag in one byte, if it is one of those that are everywhere.
const fn common_tag(byte: u8) -> Option<Tag> {
    Some(match byte {
        0x01 => Tag::Boolean,
        0x02 => Tag::Integer,
        0x03 => Tag::BitString,
        0x04 => Tag::OctetString,
        0x05 => Tag::Null,
        0x06 => Tag::ObjectIdentifier,
        0x0c => Tag::Utf8String,
        0x13 => Tag::PrintableString,
        0x16 => Tag::Ia5String,
        0x17 => Tag::UtcTime,
        0x18 => Tag::GeneralizedTime,
        0x30 => Tag::Sequence,
        0x31 => Tag::Set,
        _ => return None,
    })
}

/// The one TLV that `input` consists of. `None` for anything else, trailing bytes included.
pub(crate) fn single(input: &[u8]) -> Option<(Tag, &[u8])> {
    let first = First::of(input)?;
    first.rest.is_empty().then_some((first.tag, first.value))
}

/// The content of the one TLV of that tag that `input` consists of.
pub(crate) fn content(input: &[u8], tag: Tag) -> Option<&[u8]> {
    single(input).filter(|(t, _)| *t == tag).map(|(_, value)| value)
}

/// The TLVs in some content, one after another, each as a whole. The last is `None` when they do not fill it exactly
/// or are more than a limit.
pub(crate) struct Children<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Children<'a> {
    pub(crate) const fn of(content: &'a [u8], limit: usize) -> Self {
        Self { rest: content, left: limit }
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let first = self.left.checked_sub(1).and_then(|left| Some((left, First::of(self.rest)?)));
        let none: &[u8] = &[];
        (self.left, self.rest) = first.as_ref().map_or((0, none), |(left, first)| (*left, first.rest));
        Some(first.map(|(_, first)| first.whole))
    }
}

/// The TLVs in `content`, each as a whole. `None` when they do not fill it exactly or are more than `limit`.
pub(crate) fn children(content: &[u8], limit: usize) -> Option<Vec<&[u8]>> {
    Children::of(content, limit).collect()
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
    oid.as_bytes().strip_prefix(arc.as_bytes()).is_some_and(|further| !further.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the `der` crate makes of the same bytes.
    fn by_der(input: &[u8]) -> Option<(Tag, &[u8])> {
        let any = AnyRef::from_der(input).ok()?;
        Some((any.header().tag(), any.value()))
    }

    #[test]
    fn tlvs_are_read_as_the_der_crate_reads_them() {
        let headers = |tag: u8| {
            let lengths = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x123, 0xffff, 0x1_0000];
            let forms = lengths.map(|length: usize| {
                let octets = length.to_be_bytes();
                (0..=4).map(move |size| match size {
                    0 => vec![tag, u8::try_from(length).unwrap_or(0x80)],
                    size => [&[tag, 0x80 | u8::try_from(size).unwrap()], &octets[8 - size..]].concat(),
                })
            });
            forms.into_iter().flatten()
        };
        for tag in 0..=0xff {
            for header in headers(tag) {
                for content in [0, 1, 2, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x123, 0xffff, 0x1_0000, 0x1_0001] {
                    let whole = [header.as_slice(), &vec![0; content]].concat();
                    assert_eq!(single(&whole), by_der(&whole), "{header:02x?} and {content} bytes");
                }
                assert_eq!(single(&header[..1]), None);
            }
        }
        assert_eq!(single(&[]), None);
    }

    #[test]
    fn children_fill_their_parent_and_are_not_too_many() {
        let [a, b, c] = [&[5_u8, 0][..], &[2, 1, 7], &[0x5f, 0x21, 1, 9]];
        let all = [a, b, c].concat();
        assert_eq!(children(&all, 3), Some(vec![a, b, c]));
        assert_eq!(children(&all, 2), None);
        assert_eq!(children(&all[..all.len() - 1], 3), None);
        assert_eq!((children(&[], 0), children(&[5], 1)), (Some(Vec::new()), None));
        assert_eq!(Children::of(&all, 2).collect::<Vec<_>>(), [Some(a), Some(b), None]);
    }

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
