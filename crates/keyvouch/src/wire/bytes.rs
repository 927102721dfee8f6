//! Bytes among others.

/// Whether `wanted` stands somewhere in `bytes`. Formats look for their marks in everything that is handed in, so this
/// must cost little.
pub(crate) fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return true };
    let mut tail = bytes;
    while let Some(after) = after_first(tail, *first) {
        if after.starts_with(rest) {
            return true;
        }
        tail = after;
    }
    false
}

/// What follows the first such byte.
fn after_first(bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    // The whole of a block is compared at once; to stop at the first would be slower.
    const BLOCK: usize = 32;
    let mut tail = bytes;
    while let Some((block, next)) = tail.split_first_chunk::<BLOCK>() {
        if block.iter().fold(false, |found, b| found | (*b == wanted)) {
            break;
        }
        tail = next;
    }
    let at = tail.iter().position(|b| *b == wanted)?;
    tail.get(at.checked_add(1)?..)
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn finds_what_windows_find() {
        let bytes: Vec<u8> = (0..200_u8).map(|n| n.wrapping_mul(37) % 11).collect();
        for length in 1..=80 {
            let bytes = &bytes[..bytes.len() - length];
            for wanted in bytes.windows(length.min(9)).step_by(3) {
                for changed in [0, 1, 200] {
                    let mut wanted = wanted.to_vec();
                    *wanted.last_mut().unwrap() ^= changed;
                    let by_windows = |bytes: &[u8]| bytes.windows(wanted.len()).any(|w| w == wanted);
                    for cut in [0, 1, 31, 32, 33, 64, bytes.len()] {
                        let bytes = &bytes[cut.min(bytes.len())..];
                        assert_eq!(contains(bytes, &wanted), by_windows(bytes), "{wanted:?} in {bytes:?}");
                    }
                }
            }
        }
        assert!(contains(b"", b"") && !contains(b"", b"a") && contains(b"aab", b"ab"));
    }
}
