//! ECDSA signatures whose numbers are not written as DER wants them.

use der::Tag;

use crate::wire::der::{content, sequence};

/// r ‖ s, each of `len` bytes, from a SEQUENCE of two INTEGERs whose contents are unsigned big-endian numbers of
/// any length. `None` when it is not such a SEQUENCE, or a number is zero or does not fit. That r and s are below
/// the group order is for the verification to say.
pub(crate) fn unsigned_to_fixed(signature: &[u8], len: usize) -> Option<Vec<u8>> {
    let numbers = sequence(signature, 2)?;
    let [r, s] = numbers.as_slice() else { return None };
    let mut fixed = Vec::with_capacity(len.saturating_mul(2));
    for number in [r, s] {
        let number = content(number, Tag::Integer)?;
        let start = number.iter().position(|byte| *byte != 0)?;
        let number = number.get(start..)?;
        fixed.resize(fixed.len().saturating_add(len.checked_sub(number.len())?), 0);
        fixed.extend_from_slice(number);
    }
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use super::unsigned_to_fixed;

    fn fixed(hexed: &str) -> Option<String> {
        unsigned_to_fixed(&hex::decode(hexed).unwrap(), 2).map(hex::encode)
    }

    #[test]
    fn sign_padding_may_be_missing_or_abundant() {
        assert_eq!(fixed("3008020280010202ff02"), Some("8001ff02".to_owned()));
        assert_eq!(fixed("300a0203008001020300ff02"), Some("8001ff02".to_owned()));
        assert_eq!(fixed("30090202000102030000ff"), Some("000100ff".to_owned()));
        assert_eq!(fixed("3006020101020102"), Some("00010002".to_owned()));
    }

    #[test]
    fn everything_else_is_strict() {
        for bad in [
            "",
            "3000",
            "3003020101",
            "3006020100020101",       // r is zero
            "3005020002020101",       // lengths do not add up
            "300702020000020101",     // r is zero, longer
            "30080203010203020101",   // r does not fit
            "3009020101020101020101", // three numbers
            "30060201010201020000",   // bytes after the end
            "3006040101020101",       // not an INTEGER
            "308106020101020101",     // length not in the fewest bytes
            "3106020101020101",       // not a SEQUENCE
        ] {
            assert_eq!(fixed(bad), None, "{bad}");
        }
    }
}
