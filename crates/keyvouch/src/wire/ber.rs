//! BER framing (X.690, 8.1.3.6 and 8.7.3.2) of what is DER otherwise: lengths that are not known in advance, and
//! OCTET STRINGs in pieces. Some signers write CMS so.
//!
//! Only the framing is made anew; whatever has a definite length is kept byte for byte, and what is in the pieces is
//! joined. Signatures of CMS cover neither.

/// How deep such framing nests.
const MAX_DEPTH: usize = 16;
/// How many elements and pieces there may be in it.
const MAX_ELEMENTS: usize = 4_096;

const INDEFINITE: u8 = 0x80;
const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Whether the bytes begin with an element of unknown length.
pub(crate) fn is_indefinite(bytes: &[u8]) -> bool {
    matches!(bytes, [tag, INDEFINITE, ..] if tag & CONSTRUCTED != 0)
}

/// The one element that the bytes are, with definite lengths. `None` when they are not one such element.
pub(crate) fn to_definite(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut budget = MAX_ELEMENTS;
    let (element, rest) = element(bytes, 0, &mut budget)?;
    rest.is_empty().then_some(element)
}

/// The element at the start of the input, and what follows it.
fn element<'a>(input: &'a [u8], depth: usize, budget: &mut usize) -> Option<(Vec<u8>, &'a [u8])> {
    *budget = budget.checked_sub(1)?;
    let (&tag, after_tag) = input.split_first()?;
    // Nothing in CMS has a number that takes a second byte.
    if depth > MAX_DEPTH || tag & 0x1f == 0x1f {
        return None;
    }
    if after_tag.first() != Some(&INDEFINITE) {
        let (length, rest) = length(after_tag)?;
        let (content, rest) = rest.split_at_checked(length)?;
        if tag == OCTET_STRING | CONSTRUCTED {
            return Some((framed(OCTET_STRING, &pieces(content, budget)?)?, rest));
        }
        let whole = input.get(..input.len().checked_sub(rest.len())?)?;
        return Some((whole.to_vec(), rest));
    }
    if tag & CONSTRUCTED == 0 {
        return None;
    }
    let mut rest = after_tag.get(1..)?;
    let mut content = Vec::new();
    while !rest.starts_with(&END_OF_CONTENTS) {
        let (inner, behind) = element(rest, depth.checked_add(1)?, budget)?;
        // Pieces of an OCTET STRING are OCTET STRINGs; only their content counts.
        if tag == OCTET_STRING | CONSTRUCTED {
            content.extend(octets(&inner)?);
        } else {
            content.extend(inner);
        }
        rest = behind;
    }
    let tag = if tag == OCTET_STRING | CONSTRUCTED { OCTET_STRING } else { tag };
    Some((framed(tag, &content)?, rest.get(END_OF_CONTENTS.len()..)?))
}

/// The contents of the OCTET STRINGs that fill the input.
fn pieces(mut input: &[u8], budget: &mut usize) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    while !input.is_empty() {
        *budget = budget.checked_sub(1)?;
        let (&tag, after_tag) = input.split_first()?;
        let (length, rest) = length(after_tag)?;
        let (content, rest) = rest.split_at_checked(length)?;
        if tag != OCTET_STRING {
            return None;
        }
        joined.extend_from_slice(content);
        input = rest;
    }
    Some(joined)
}

/// The content of the one OCTET STRING of definite length that the element is.
fn octets(element: &[u8]) -> Option<&[u8]> {
    let (&tag, after_tag) = element.split_first()?;
    let (length, content) = length(after_tag)?;
    (tag == OCTET_STRING && content.len() == length).then_some(content)
}

/// A definite length in the fewest bytes, and what follows it.
fn length(input: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = input.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    let (bytes, rest) = rest.split_at_checked(count)?;
    let length = match bytes {
        [a] if *a >= 0x80 => usize::from(*a),
        [a, b] if *a > 0 => usize::from(u16::from_be_bytes([*a, *b])),
        [a, b, c] if *a > 0 => usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).ok()?,
        _ => return None,
    };
    Some((length, rest))
}

fn framed(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok()?.to_be_bytes();
    let mut out = vec![tag];
    match length {
        [0, 0, 0, short] if short < 0x80 => out.push(short),
        [0, 0, 0, a] => out.extend([0x81, a]),
        [0, 0, a, b] => out.extend([0x82, a, b]),
        [0, a, b, c] => out.extend([0x83, a, b, c]),
        _ => return None,
    }
    out.extend_from_slice(content);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_made_definite_and_the_rest_is_kept() {
        let ber = [
            &[0x30, 0x80, 0x06, 1, 5, 0xa0, 0x80, 0x24, 0x80, 4, 2, 1, 2, 4, 1, 3, 0, 0, 0, 0][..],
            // Not DER inside, and none of this reader's business.
            &[0xa1, 2, 0x30, 0x80, 0, 0],
        ]
        .concat();
        let definite = [&[0x30, 14, 0x06, 1, 5, 0xa0, 5, 4, 3, 1, 2, 3][..], &[0xa1, 2, 0x30, 0x80]].concat();
        assert!(is_indefinite(&ber) && !is_indefinite(&definite));
        assert_eq!(to_definite(&ber), Some(definite.clone()));
        assert_eq!(to_definite(&definite), Some(definite));
        assert_eq!(to_definite(&[0x24, 6, 4, 1, 1, 4, 1, 2]), Some(vec![4, 2, 1, 2]));
        let long = [&[0x30, 0x80, 4, 0x82, 1, 0][..], &[7; 256], &[0, 0]].concat();
        assert_eq!(to_definite(&long).unwrap()[..8], [0x30, 0x82, 1, 4, 4, 0x82, 1, 0]);
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = [[0x30, 0x80].repeat(20), [0, 0].repeat(20)].concat();
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x80, 0],
            &[0x30, 0x80, 0, 0, 0],
            &[0x04, 0x80, 0, 0],
            &[0x24, 0x80, 2, 1, 0, 0, 0],
            &[0x24, 3, 2, 1, 0],
            &[0x30, 0x81, 0x7f],
            &[0x30, 0x84, 0, 0, 0, 0],
            &[0x3f, 0x80, 0, 0],
            &deep,
        ] {
            assert_eq!(to_definite(bad), None, "{bad:02x?}");
        }
    }
}
