//! BER-TLV as smart cards write it (ISO/IEC 7816-4, 5.2.2.2): tags of one or two bytes, definite lengths of one to
//! three bytes, always the shortest form.

/// One data object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tlv<'a> {
    /// Its tag, such as 0x42 or 0x7f21.
    pub(crate) tag: u16,
    /// All of it.
    pub(crate) whole: &'a [u8],
    /// What is in it.
    pub(crate) value: &'a [u8],
}

/// The tag and the length of the value at the start of the input, and the length of both; whether the value is all
/// there is not looked at.
pub(crate) fn header(input: &[u8]) -> Option<(u16, usize, usize)> {
    let (tag, rest) = match input {
        [first, second, rest @ ..] if first & 0x1f == 0x1f => {
            // A second byte with the top bit announces a third; one below 0x1f would have fitted into the first.
            let short = (0x1f..0x80).contains(second);
            short.then_some((u16::from_be_bytes([*first, *second]), rest))?
        }
        [first, rest @ ..] if first & 0x1f != 0x1f => (u16::from(*first), rest),
        _ => return None,
    };
    let (length, rest) = match rest {
        [length, rest @ ..] if *length < 0x80 => (usize::from(*length), rest),
        [0x81, length, rest @ ..] if *length >= 0x80 => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] if *high > 0 => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    Some((tag, length, input.len().checked_sub(rest.len())?))
}

/// The object at the start of the input, and what follows it.
pub(crate) fn first(input: &[u8]) -> Option<(Tlv<'_>, &[u8])> {
    let (tag, length, header) = header(input)?;
    let (whole, rest) = input.split_at_checked(header.checked_add(length)?)?;
    Some((Tlv { tag, whole, value: whole.get(header..)? }, rest))
}

/// The objects that fill the input exactly. None when they do not, or are more than `limit`.
pub(crate) fn all(mut input: &[u8], limit: usize) -> Option<Vec<Tlv<'_>>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        if found.len() >= limit {
            return None;
        }
        let (tlv, rest) = first(input)?;
        found.push(tlv);
        input = rest;
    }
    Some(found)
}

/// The one object that the input consists of, if it has that tag.
pub(crate) fn only(input: &[u8], tag: u16) -> Option<Tlv<'_>> {
    first(input).filter(|(tlv, rest)| rest.is_empty() && tlv.tag == tag).map(|(tlv, _)| tlv)
}

#[cfg(test)]
mod tests {
    use super::{all, first, header, only};

    #[test]
    fn tags_and_lengths() {
        let (tlv, rest) = first(&[0x7f, 0x21, 2, 1, 2, 9]).unwrap();
        assert_eq!(
            (tlv.tag, tlv.value, tlv.whole, rest),
            (0x7f21, &[1, 2][..], &[0x7f, 0x21, 2, 1, 2][..], &[9][..])
        );
        assert_eq!(header(&[0x42, 0x81, 0x80]), Some((0x42, 128, 3)));
        assert_eq!(header(&[0x42, 0x82, 1, 0]), Some((0x42, 256, 4)));
        assert_eq!(all(&[0x42, 0, 0x86, 1, 7], 2).unwrap().len(), 2);
        assert!(only(&[0x42, 0], 0x42).is_some() && only(&[0x42, 0, 0], 0x42).is_none());
    }

    #[test]
    fn one_way_to_write_and_nothing_left_over() {
        for bad in [
            &[][..],
            &[0x42],
            &[0x42, 0x80],
            &[0x42, 0x81, 0x7f],
            &[0x42, 0x82, 0, 0xff],
            &[0x42, 0x83, 1, 0, 0],
            &[0x5f],
            &[0x5f, 0x81, 0x01, 0],
            &[0x5f, 0x1e, 0],
        ] {
            assert_eq!(header(bad), None, "{bad:02x?}");
        }
        assert!(first(&[0x42, 2, 0]).is_none());
        assert!(all(&[0x42, 0, 0x42, 0], 1).is_none());
    }
}
