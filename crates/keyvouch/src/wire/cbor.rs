//! CBOR (RFC 8949) as evidence uses it: one item, definite lengths, no key twice, bounded in depth and count.
//!
//! The stricter parts of CTAP2's canonical form that cannot make two readers disagree (shortest integers, sorted keys)
//! are not demanded: authenticators break them.

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error as DecodeError};

/// How deep items may nest.
const MAX_DEPTH: usize = 16;
/// How many items there may be in all.
const MAX_ITEMS: usize = 16_384;

/// An item.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'a> {
    /// An integer: CBOR's range is that of 65 bits.
    Int(i128),
    /// A byte string.
    Bytes(&'a [u8]),
    /// A text string.
    Text(&'a str),
    /// An array.
    Array(Vec<Item<'a>>),
    /// A map.
    Map(Map<'a>),
    /// A tag and what it is on.
    Tag(u64, Box<Item<'a>>),
    /// True or false.
    Bool(bool),
    /// Null.
    Null,
    /// Undefined.
    Undefined,
    /// A floating-point number of any size.
    Float(f64),
    /// Another simple value.
    Simple(u8),
}

/// A map. No key is there twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map<'a>(Vec<(Item<'a>, Item<'a>)>);

/// Why bytes are not such an item, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Error {
    what: &'static str,
    at: usize,
}

/// The one item that the bytes are.
///
/// # Errors
/// When they are not exactly one item within the bounds.
pub fn read(bytes: &[u8]) -> Result<Item<'_>, Error> {
    match read_first(bytes)? {
        (item, []) => Ok(item),
        (_, rest) => {
            Err(Error { what: "bytes after the end of the item", at: bytes.len().saturating_sub(rest.len()) })
        }
    }
}

/// The item at the start of the bytes, and what follows it.
///
/// # Errors
/// When they do not begin with an item within the bounds.
pub fn read_first(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), Error> {
    let mut reader = Reader { decoder: Decoder::new(bytes), items: 0 };
    let item = reader.item(0)?;
    let rest = bytes.get(reader.decoder.position()..).unwrap_or_default();
    Ok((item, rest))
}

struct Reader<'a> {
    decoder: Decoder<'a>,
    items: usize,
}

impl<'a> Reader<'a> {
    fn item(&mut self, depth: usize) -> Result<Item<'a>, Error> {
        let at = self.decoder.position();
        let error = |what| Error { what, at };
        self.items = self.items.saturating_add(1);
        if self.items > MAX_ITEMS {
            return Err(error("too many items"));
        }
        if depth > MAX_DEPTH {
            return Err(error("items nested too deep"));
        }
        let read =
            |e: DecodeError| error(if e.is_end_of_input() { "the end comes too early" } else { "not CBOR" });
        let inner = depth.saturating_add(1);
        let d = &mut self.decoder;
        Ok(match d.datatype().map_err(read)? {
            Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::I8
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Int => Item::Int(d.int().map_err(read)?.into()),
            Type::Bytes => Item::Bytes(d.bytes().map_err(read)?),
            Type::String => Item::Text(d.str().map_err(|e| match e.is_end_of_input() {
                true => error("the end comes too early"),
                false => error("text that is not UTF-8"),
            })?),
            Type::Array => {
                let count = d.array().map_err(read)?.ok_or_else(|| error("an array of indefinite length"))?;
                let mut items = Vec::new();
                for _ in 0..count {
                    items.push(self.item(inner)?);
                }
                Item::Array(items)
            }
            Type::Map => {
                let count = d.map().map_err(read)?.ok_or_else(|| error("a map of indefinite length"))?;
                Item::Map(self.map(count, inner)?)
            }
            Type::Tag => {
                let tag = d.tag().map_err(read)?.as_u64();
                Item::Tag(tag, Box::new(self.item(inner)?))
            }
            Type::Bool => Item::Bool(d.bool().map_err(read)?),
            Type::Null => {
                d.null().map_err(read)?;
                Item::Null
            }
            Type::Undefined => {
                d.undefined().map_err(read)?;
                Item::Undefined
            }
            Type::F16 | Type::F32 | Type::F64 => {
                let float = match d.datatype().map_err(read)? {
                    Type::F16 => d.f16().map(f64::from),
                    Type::F32 => d.f32().map(f64::from),
                    _ => d.f64(),
                };
                Item::Float(float.map_err(read)?)
            }
            Type::Simple => Item::Simple(d.simple().map_err(read)?),
            Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef => {
                return Err(error("an item of indefinite length"));
            }
            Type::Break | Type::Unknown(_) => return Err(error("not CBOR")),
        })
    }

    fn map(&mut self, count: u64, depth: usize) -> Result<Map<'a>, Error> {
        let mut entries: Vec<(Item<'a>, Item<'a>)> = Vec::new();
        for _ in 0..count {
            let at = self.decoder.position();
            let key = self.item(depth)?;
            // Keys of evidence are a handful: no table is worth its cost. What is not compared cheaply is refused.
            match key {
                Item::Int(_) | Item::Text(_) | Item::Bytes(_) => {}
                _ => return Err(Error { what: "a map key that is neither integer, text nor bytes", at }),
            }
            if entries.len() >= MAX_KEYS {
                return Err(Error { what: "too many keys in a map", at });
            }
            if entries.iter().any(|(k, _)| *k == key) {
                return Err(Error { what: "a map key for the second time", at });
            }
            let value = self.item(depth)?;
            entries.push((key, value));
        }
        Ok(Map(entries))
    }
}

/// How many keys a map may have: the search for one that is there twice takes the square of it.
const MAX_KEYS: usize = 1_024;

impl<'a> Map<'a> {
    /// The value of a text key.
    #[must_use]
    pub fn text_key(&self, name: &str) -> Option<&Item<'a>> {
        self.0.iter().find(|(k, _)| matches!(k, Item::Text(t) if *t == name)).map(|(_, v)| v)
    }

    /// The value of an integer key.
    #[must_use]
    pub fn int_key(&self, number: i128) -> Option<&Item<'a>> {
        self.0.iter().find(|(k, _)| matches!(k, Item::Int(n) if *n == number)).map(|(_, v)| v)
    }

    /// Keys and values, in the order of the bytes.
    pub fn entries(&self) -> impl Iterator<Item = &(Item<'a>, Item<'a>)> {
        self.0.iter()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Item<'a> {
    /// The integer.
    #[must_use]
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The byte string.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of the array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Item<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The map.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map<'a>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// True or false.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex).unwrap()
    }

    #[test]
    fn items_of_every_kind() {
        // RFC 8949, appendix A, and what evidence is made of.
        let cases: &[(&str, Item<'_>)] = &[
            ("00", Item::Int(0)),
            ("1bffffffffffffffff", Item::Int(18_446_744_073_709_551_615)),
            ("3bffffffffffffffff", Item::Int(-18_446_744_073_709_551_616)),
            ("3903e7", Item::Int(-1000)),
            ("4401020304", Item::Bytes(&[1, 2, 3, 4])),
            ("6449455446", Item::Text("IETF")),
            ("820102", Item::Array(vec![Item::Int(1), Item::Int(2)])),
            ("d20a", Item::Tag(18, Box::new(Item::Int(10)))),
            ("f5", Item::Bool(true)),
            ("f6", Item::Null),
            ("f7", Item::Undefined),
            ("f93c00", Item::Float(1.0)),
            ("fa47c35000", Item::Float(100_000.0)),
            ("fb3ff199999999999a", Item::Float(1.1)),
            ("f0", Item::Simple(16)),
            ("a0", Item::Map(Map::default())),
        ];
        for (hex, item) in cases {
            assert_eq!(read(&bytes(hex)).as_ref(), Ok(item), "{hex}");
        }
        let map = bytes("a2 61 61 01 26 02".replace(' ', "").as_str());
        let item = read(&map).unwrap();
        let map = item.as_map().unwrap();
        assert_eq!((map.text_key("a"), map.int_key(-7)), (Some(&Item::Int(1)), Some(&Item::Int(2))));
        assert_eq!((map.text_key("b"), map.int_key(7)), (None, None));
    }

    #[test]
    fn what_follows_the_first_item_is_told() {
        let (item, rest) = read_first(&[0x01, 0xff, 0x00]).unwrap();
        assert_eq!((item, rest), (Item::Int(1), &[0xff, 0x00][..]));
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        let deep = format!("{}00", "81".repeat(MAX_DEPTH + 1));
        for (hex, what) in [
            ("", "the end comes too early at byte 0"),
            ("0001", "bytes after the end of the item at byte 1"),
            ("4401", "the end comes too early at byte 0"),
            ("62c328", "text that is not UTF-8 at byte 0"),
            ("9f01ff", "an item of indefinite length at byte 0"),
            ("bf6161019f02ffff", "an item of indefinite length at byte 0"),
            ("5f4101ff", "an item of indefinite length at byte 0"),
            ("7f6161ff", "an item of indefinite length at byte 0"),
            ("a2616101616102", "a map key for the second time at byte 4"),
            // The same key, not in its shortest form.
            ("a2010218010 3".replace(' ', "").as_str(), "a map key for the second time at byte 3"),
            ("a1f502", "a map key that is neither integer, text nor bytes at byte 1"),
            ("ff", "not CBOR at byte 0"),
            ("1c", "not CBOR at byte 0"),
            ("9bffffffffffffffff", "the end comes too early at byte 9"),
            ("5bffffffffffffffff00", "the end comes too early at byte 0"),
            (&deep, "items nested too deep at byte 17"),
        ] {
            assert_eq!(read(&bytes(hex)).unwrap_err().to_string(), what, "{hex}");
        }
        let many = [&[0x99, 0x40, 0x00][..], &[0; MAX_ITEMS]].concat();
        assert_eq!(read(&many).unwrap_err().to_string(), "too many items at byte 16386");
    }
}
