//! The marshalling of nCore, the command interface of nShield modules: little-endian words and what is made of
//! them. Source: Entrust, nShield application note "Wire format".

/// Larger numbers than any key has (8192 bits, rounded up to words) are not read.
const MAX_NUMBER: usize = 1028;
/// Larger texts than any serial number are not read.
const MAX_TEXT: usize = 256;

/// Why bytes are not what they were read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NcoreError {
    /// A field needs more bytes than there are.
    #[error("it ends in the middle of a field")]
    Short,
    /// Bytes after the last field.
    #[error("{0} bytes are left over after its last field")]
    Trailing(usize),
    /// More items announced than the remaining bytes could hold.
    #[error("it announces {0} items, more than the bytes that follow could hold")]
    Count(u32),
    /// A number whose length is no multiple of a word, or beyond every key.
    #[error("a number of {0} bytes, which is not a multiple of 4 or longer than that of any key")]
    Number(u32),
    /// A text that is empty, too long, not printable ASCII, or not ended and padded by zero bytes.
    #[error("a text that is not printable ASCII ended and padded with zero bytes")]
    Text,
}

/// Reads fields one after another; no field is read beyond the bytes given.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Everything was read.
    pub(crate) fn finish(self) -> Result<(), NcoreError> {
        if self.rest.is_empty() { Ok(()) } else { Err(NcoreError::Trailing(self.rest.len())) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], NcoreError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(NcoreError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NcoreError> {
        self.take(N)?.try_into().map_err(|_| NcoreError::Short)
    }

    /// A word, an enumeration or a bitmap.
    pub(crate) fn word(&mut self) -> Result<u32, NcoreError> {
        self.array().map(u32::from_le_bytes)
    }

    /// M_Hash: 20 bytes.
    pub(crate) fn hash(&mut self) -> Result<[u8; 20], NcoreError> {
        self.array()
    }

    /// The number of items that follow, each of at least `least` bytes.
    pub(crate) fn count(&mut self, least: usize) -> Result<u32, NcoreError> {
        let count = self.word()?;
        let bytes = usize::try_from(count).ok().and_then(|n| n.checked_mul(least));
        if bytes.is_some_and(|bytes| bytes <= self.rest.len()) {
            Ok(count)
        } else {
            Err(NcoreError::Count(count))
        }
    }

    /// M_Bignum, as big-endian without leading zeros: empty for 0.
    pub(crate) fn number(&mut self) -> Result<Vec<u8>, NcoreError> {
        let length = self.word()?;
        let bytes = usize::try_from(length).ok().filter(|n| *n <= MAX_NUMBER && length % 4 == 0);
        let little_endian = self.take(bytes.ok_or(NcoreError::Number(length))?)?;
        Ok(little_endian.iter().rev().copied().skip_while(|byte| *byte == 0).collect())
    }

    /// M_ASCIIString: its length counts the zero byte at its end; padded to a word.
    pub(crate) fn text(&mut self) -> Result<&'a str, NcoreError> {
        let length = usize::try_from(self.word()?).map_err(|_| NcoreError::Text)?;
        if !(2..=MAX_TEXT).contains(&length) {
            return Err(NcoreError::Text);
        }
        let padded = self.take(length.next_multiple_of(4))?;
        let (text, zeros) = padded.split_at_checked(length.saturating_sub(1)).ok_or(NcoreError::Text)?;
        let printable = text.iter().all(|byte| matches!(byte, 0x20..=0x7e));
        if !printable || zeros.iter().any(|byte| *byte != 0) {
            return Err(NcoreError::Text);
        }
        str::from_utf8(text).map_err(|_| NcoreError::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_one_after_another() {
        let bytes = b"\x2a\0\0\0\x04\0\0\0\x01\0\x01\0\x05\0\0\0ABCD\0\0\0\0";
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.word(), Ok(42));
        assert_eq!(reader.number().unwrap(), [1, 0, 1]);
        assert_eq!(reader.text(), Ok("ABCD"));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn zero_is_an_empty_number() {
        assert_eq!(Reader::new(&[0; 4]).number().unwrap(), [0_u8; 0]);
        assert_eq!(Reader::new(&[4, 0, 0, 0, 0, 0, 0, 0]).number().unwrap(), [0_u8; 0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(Reader::new(&[1, 2, 3]).word(), Err(NcoreError::Short));
        assert_eq!(Reader::new(&[1]).finish(), Err(NcoreError::Trailing(1)));
        assert_eq!(Reader::new(&[5, 0, 0, 0, 1, 2, 3, 4]).number(), Err(NcoreError::Number(5)));
        assert_eq!(Reader::new(&[8, 0, 0, 0, 1, 2, 3, 4]).number(), Err(NcoreError::Short));
        assert_eq!(Reader::new(&[0xff; 8]).number(), Err(NcoreError::Number(u32::MAX)));
        assert_eq!(Reader::new(&[3, 0, 0, 0, 0, 0]).count(1), Err(NcoreError::Count(3)));
        assert_eq!(Reader::new(&[2, 0, 0, 0, 0, 0]).count(1), Ok(2));
        assert_eq!(Reader::new(&[0xff; 64]).count(4), Err(NcoreError::Count(u32::MAX)));
        assert_eq!(Reader::new(&[0; 19]).hash(), Err(NcoreError::Short));
    }

    #[test]
    fn texts_end_and_are_padded_with_zeros() {
        let read = |bytes: &[u8]| Reader::new(bytes).text().map(str::to_owned);
        assert_eq!(read(b"\x03\0\0\0AB\0\0").unwrap(), "AB");
        for bad in [
            b"\x03\0\0\0ABC\0".as_slice(),
            b"\x03\0\0\0AB\0\x01",
            b"\x03\0\0\0A\0\0\0",
            b"\x01\0\0\0\0\0\0\0",
            b"\0\0\0\0",
            b"\xff\xff\xff\xffAB\0\0",
        ] {
            assert_eq!(read(bad), Err(NcoreError::Text), "{bad:?}");
        }
        assert_eq!(read(b"\x03\0\0\0AB\0"), Err(NcoreError::Short));
    }
}
