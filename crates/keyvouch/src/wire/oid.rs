//! Object identifiers as they stand in DER. The `der` crate's own type holds no arcs above 32 bits, and statement
//! types below a UUID (X.667: 2.25.n) have arcs of 128.

use std::fmt;

use ::der::Tag;

use super::der::content;

/// Longer identifiers are nobody's.
const MAX_LENGTH: usize = 64;

/// The content of an OBJECT IDENTIFIER, of well-formed arcs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oid<'a>(&'a [u8]);

impl<'a> Oid<'a> {
    /// Reads the one TLV that `input` consists of.
    pub(crate) fn read(input: &'a [u8]) -> Option<Self> {
        Self::of_content(content(input, Tag::ObjectIdentifier)?)
    }

    fn of_content(bytes: &'a [u8]) -> Option<Self> {
        let mut first = true;
        for byte in bytes {
            // An arc has no leading zeros (X.690, 8.19.2).
            if first && *byte == 0x80 {
                return None;
            }
            first = byte & 0x80 == 0;
        }
        (first && !bytes.is_empty() && bytes.len() <= MAX_LENGTH).then_some(Self(bytes))
    }

    /// What follows the arcs of `arc`, the content of another identifier, in this one: its further arcs, encoded.
    pub(crate) fn below(&self, arc: &[u8]) -> Option<&'a [u8]> {
        self.0.strip_prefix(arc)
    }

    /// The only further arc below `arc`.
    pub(crate) fn number_below(&self, arc: &[u8]) -> Option<u32> {
        let rest = self.below(arc)?;
        match arcs(rest).as_slice() {
            [Some(only)] => u32::try_from(*only).ok(),
            _ => None,
        }
    }

    /// Whether it is the identifier in dotted decimal.
    pub(crate) fn is(&self, dotted: &str) -> bool {
        self.to_string() == dotted
    }
}

/// The arcs of encoded ones; `None` for one of more than 128 bits.
fn arcs(encoded: &[u8]) -> Vec<Option<u128>> {
    let mut all = Vec::new();
    let mut value = Some(0_u128);
    for byte in encoded {
        let low = u128::from(byte & 0x7f);
        value = value.and_then(|v| v.checked_mul(128)).and_then(|v| v.checked_add(low));
        if byte & 0x80 == 0 {
            all.push(value);
            value = Some(0);
        }
    }
    all
}

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = arcs(self.0).into_iter();
        match all.next().flatten() {
            // The first octets hold two arcs (X.690, 8.19.4).
            Some(first @ 0..=79) => write!(f, "{}.{}", first / 40, first % 40)?,
            Some(first) => write!(f, "2.{}", first.saturating_sub(80))?,
            None => f.write_str("2.?")?,
        }
        for arc in all {
            match arc {
                Some(arc) => write!(f, ".{arc}")?,
                None => f.write_str(".?")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content: &[u8]) -> Option<String> {
        Oid::of_content(content).map(|oid| oid.to_string())
    }

    #[test]
    fn identifiers_are_read_and_shown() {
        assert_eq!(shown(&[0x67, 0x81, 0x05, 0x14, 0x01]).as_deref(), Some("2.23.133.20.1"));
        assert_eq!(shown(&[0x2a, 0x03]).as_deref(), Some("1.2.3"));
        assert_eq!(shown(&[0x88, 0x37]).as_deref(), Some("2.999"));
        // 2.25 and a UUID of ones.
        let mut uuid = vec![0x69, 0x83];
        uuid.extend([0xff; 17]);
        uuid.push(0x7f);
        assert_eq!(shown(&uuid).as_deref(), Some("2.25.340282366920938463463374607431768211455"));
        let mut longer = uuid.clone();
        longer[1] = 0x87;
        assert_eq!(shown(&longer).as_deref(), Some("2.25.?"));
        for broken in [&[][..], &[0x80, 0x01], &[0x2a, 0x80, 0x01], &[0x2a, 0x83]] {
            assert_eq!(shown(broken), None, "{broken:02x?}");
        }
    }

    #[test]
    fn numbers_below_an_arc() {
        let oid = Oid::of_content(&[0x67, 0x81, 0x05, 0x14, 0x01]).unwrap();
        assert_eq!(oid.number_below(&[0x67, 0x81, 0x05, 0x14]), Some(1));
        assert_eq!(oid.number_below(&[0x67, 0x81, 0x05]), None);
        assert_eq!(oid.number_below(&[0x67, 0x82]), None);
        assert!(oid.is("2.23.133.20.1") && !oid.is("2.23.133.20.10"));
    }
}
