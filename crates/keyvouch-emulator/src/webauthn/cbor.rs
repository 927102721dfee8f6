//! CBOR (RFC 8949) as authenticators write it: definite lengths, shortest heads, members in the order given.

fn head(major: u8, value: u64) -> Vec<u8> {
    let major = major << 5;
    let bytes = value.to_be_bytes();
    match value {
        0..=23 => vec![major | bytes[7]],
        24..=0xff => vec![major | 24, bytes[7]],
        0x100..=0xffff => [&[major | 25][..], &bytes[6..]].concat(),
        0x1_0000..=0xffff_ffff => [&[major | 26][..], &bytes[4..]].concat(),
        _ => [&[major | 27][..], &bytes[..]].concat(),
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// An integer.
pub fn int(value: i64) -> Vec<u8> {
    match u64::try_from(value) {
        Ok(value) => head(0, value),
        Err(_) => head(1, value.unsigned_abs() - 1),
    }
}

/// A byte string.
pub fn bytes(value: &[u8]) -> Vec<u8> {
    [head(2, length(value.len())), value.to_vec()].concat()
}

/// A text string.
pub fn text(value: &str) -> Vec<u8> {
    [head(3, length(value.len())), value.as_bytes().to_vec()].concat()
}

/// An array.
pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, length(items.len())), items.concat()].concat()
}

/// A map with names as keys.
pub fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = head(5, length(members.len()));
    out.extend(members.iter().flat_map(|(name, value)| [text(name), value.clone()].concat()));
    out
}

/// A map with integers as keys.
pub fn int_map(members: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut out = head(5, length(members.len()));
    out.extend(members.iter().flat_map(|(number, value)| [int(*number), value.clone()].concat()));
    out
}
