//! D3S, the binary form of Entrust's "Dynamically Defined Data Structures": big-endian, self-describing. nShield
//! warrants are written in it. Source: Entrust, application note "Dynamically Defined Data Structures"; only the
//! tags that were seen on real warrants or are documented are read, every other tag is refused.

/// No warrant is nested deeper.
const MAX_DEPTH: u8 = 8;

/// A value. Maps have symbols as keys, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// 0 to 31.
    Small(u8),
    /// Big-endian, without leading zeros.
    Big(&'a [u8]),
    Text(&'a str),
    Symbol(&'a str),
    Bytes(&'a [u8]),
    List(Vec<Value<'a>>),
    Set(Vec<Value<'a>>),
    Map(Vec<(&'a str, Value<'a>)>),
}

/// Why bytes are not one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum D3sError {
    #[error("it ends in the middle of a value")]
    Short,
    #[error("{0} bytes are left over after its value")]
    Trailing(usize),
    #[error("tag {0:#04x} is not known")]
    Tag(u8),
    #[error("a text or symbol that is not UTF-8")]
    Utf8,
    #[error("a map with a key that is not a symbol, or with a key twice")]
    Key,
    #[error("values nested deeper than {MAX_DEPTH}")]
    Depth,
}

/// Reads the one value that `bytes` consists of.
pub(crate) fn read(bytes: &[u8]) -> Result<Value<'_>, D3sError> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(0)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(D3sError::Trailing(reader.rest.len())) }
}

impl<'a> Value<'a> {
    /// The member of a map.
    pub(crate) fn member(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Self::Map(members) => members.iter().find(|(k, _)| *k == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn symbol(&self) -> Option<&'a str> {
        match self {
            Self::Symbol(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], D3sError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(D3sError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn octet(&mut self) -> Result<u8, D3sError> {
        self.take(1)?.first().copied().ok_or(D3sError::Short)
    }

    fn utf8(&mut self, length: u8) -> Result<&'a str, D3sError> {
        str::from_utf8(self.take(length.into())?).map_err(|_| D3sError::Utf8)
    }

    fn value(&mut self, depth: u8) -> Result<Value<'a>, D3sError> {
        if depth > MAX_DEPTH {
            return Err(D3sError::Depth);
        }
        let tag = self.octet()?;
        let low = tag & 0x0f;
        Ok(match tag {
            0x00..=0x1f => Value::Small(tag),
            0x20..=0x2f => Value::Text(self.utf8(low)?),
            0x30..=0x3f => Value::Symbol(self.utf8(low)?),
            0x90..=0x9f => Value::List(self.items(low, depth)?),
            0xa0..=0xaf => Value::Set(self.items(low, depth)?),
            0xb0..=0xbf => Value::Map(self.members(low, depth)?),
            0xc4 => {
                let length = self.octet()?;
                Value::Symbol(self.utf8(length)?)
            }
            0xc5 | 0xd5 => Value::Bytes(self.block(tag)?),
            0xf4 => {
                let tag = self.octet()?;
                let mut number = self.block(tag)?;
                while let [0, rest @ ..] = number {
                    number = rest;
                }
                Value::Big(number)
            }
            unknown => return Err(D3sError::Tag(unknown)),
        })
    }

    fn block(&mut self, tag: u8) -> Result<&'a [u8], D3sError> {
        let length = match tag {
            0xc5 => usize::from(self.octet()?),
            0xd5 => usize::from(u16::from_be_bytes([self.octet()?, self.octet()?])),
            unknown => return Err(D3sError::Tag(unknown)),
        };
        self.take(length)
    }

    fn items(&mut self, count: u8, depth: u8) -> Result<Vec<Value<'a>>, D3sError> {
        (0..count).map(|_| self.value(depth.saturating_add(1))).collect()
    }

    fn members(&mut self, count: u8, depth: u8) -> Result<Vec<(&'a str, Value<'a>)>, D3sError> {
        let mut members: Vec<(&str, Value<'_>)> = Vec::new();
        for _ in 0..count {
            let key = self.value(depth.saturating_add(1))?.symbol().ok_or(D3sError::Key)?;
            if members.iter().any(|(k, _)| *k == key) {
                return Err(D3sError::Key);
            }
            members.push((key, self.value(depth.saturating_add(1))?));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_that_is_known() {
        let value =
            read(b"\xb4\x31a\x92\x1f\x00\x31b\x22hi\xc4\x01c\xa1\xf4\xc5\x03\x00\x01\x02\x31d\xd5\x00\x01x")
                .unwrap();
        assert_eq!(value.member("a").unwrap().list(), Some([Value::Small(31), Value::Small(0)].as_slice()));
        assert_eq!(value.member("b").unwrap().text(), Some("hi"));
        assert_eq!(value.member("c"), Some(&Value::Set(vec![Value::Big(&[1, 2])])));
        assert_eq!(value.member("d").unwrap().bytes(), Some(b"x".as_slice()));
        assert_eq!(value.member("e"), None);
        assert_eq!(value.symbol(), None);
    }

    #[test]
    fn everything_else_is_refused() {
        for (bytes, error) in [
            (b"".as_slice(), D3sError::Short),
            (b"\x25abc", D3sError::Short),
            (b"\xd5\xff\xff", D3sError::Short),
            (b"\x91", D3sError::Short),
            (b"\x00\x00", D3sError::Trailing(1)),
            (b"\xc3\x00", D3sError::Tag(0xc3)),
            (b"\xf4\x01", D3sError::Tag(0x01)),
            (b"\x21\xff", D3sError::Utf8),
            (b"\xb2\x31a\x00\x31a\x00", D3sError::Key),
            (b"\xb1\x00\x00", D3sError::Key),
            (&[0x91; 64], D3sError::Depth),
        ] {
            assert_eq!(read(bytes), Err(error), "{bytes:?}");
        }
    }
}
