//! A small CBOR writer (RFC 8949): definite lengths, in the order given.

/// A map with text keys.
pub(crate) fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = head(5, members.len());
    for (name, value) in members {
        out.extend(text(name));
        out.extend(value);
    }
    out
}

/// An array.
pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len()), items.concat()].concat()
}

/// A byte string.
pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [&head(2, bytes.len()), bytes].concat()
}

/// A text.
pub(crate) fn text(text: &str) -> Vec<u8> {
    [&head(3, text.len()), text.as_bytes()].concat()
}

/// An integer that is not far from zero.
pub(crate) fn int(value: i32) -> Vec<u8> {
    let magnitude =
        usize::try_from(value).unwrap_or_else(|_| usize::try_from(-1 - value).unwrap_or_default());
    head(u8::from(value < 0), magnitude)
}

/// COSE_Key of a point (0x04 ‖ X ‖ Y) on P-256, for ES256.
pub(crate) fn cose_p256(point: &[u8]) -> Vec<u8> {
    let coordinate = |from: usize, to: usize| bytes(point.get(from..to).unwrap_or_default());
    let members =
        [(1, int(2)), (3, int(-7)), (-1, int(1)), (-2, coordinate(1, 33)), (-3, coordinate(33, 65))];
    let mut out = head(5, members.len());
    for (label, value) in members {
        out.extend(int(label));
        out.extend(value);
    }
    out
}

fn head(major: u8, length: usize) -> Vec<u8> {
    let length = length.to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match significant.as_slice() {
        [] => vec![major << 5],
        [small] if *small < 24 => vec![major << 5 | small],
        [one] => vec![major << 5 | 24, *one],
        [a, b] => vec![major << 5 | 25, *a, *b],
        [b, c, d] => vec![major << 5 | 26, 0, *b, *c, *d],
        longer => [&[major << 5 | 27][..], &vec![0; 8 - longer.len()], longer].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes() {
        assert_eq!(hex::encode(map(&[("a", array(&[int(-7), int(24)]))])), "a161618226".to_owned() + "1818");
        assert_eq!(hex::encode(&bytes(&[0; 300])[..3]), "59012c");
        let cose = cose_p256(&[4; 65]);
        assert_eq!((cose.len(), hex::encode(&cose[..10])), (77, "a5010203262001215820".to_owned()));
    }
}
