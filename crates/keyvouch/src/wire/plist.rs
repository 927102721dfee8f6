//! Property lists of Apple's, XML or binary (`bplist00`), as far as evidence comes in them: dictionaries, arrays, data
//! and texts. Other values are kept as places without content.
//!
//! Own, because a binary list names its objects by number and may name one many times: a reader that follows every
//! name builds a tree as large as the writer of a few hundred bytes likes. Here every name followed counts.

use roxmltree::{Document, Node, ParsingOptions};

/// How deep values nest.
const MAX_DEPTH: usize = 16;
/// How many values there may be, each counted as often as it is named.
const MAX_VALUES: usize = 4_096;

const BINARY: &[u8] = b"bplist00";

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Data(Vec<u8>),
    Text(String),
    Array(Vec<Value>),
    /// No key is there twice.
    Dictionary(Vec<(String, Value)>),
    /// A number, a date, a truth value.
    Other,
}

/// Why bytes are not a property list.
pub(crate) type Fault = String;

/// Whether the bytes begin like a binary property list.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(BINARY)
}

/// The value that the bytes are.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Fault> {
    if is_binary(bytes) {
        return Binary::read(bytes).ok_or_else(|| "not a binary property list in form".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let options = ParsingOptions {
        // Apple's lists name their document type; roxmltree opens nothing outside, and bounds what entities expand to.
        allow_dtd: true,
        nodes_limit: u32::try_from(MAX_VALUES.saturating_mul(8)).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| e.to_string())?;
    let root = document.root_element();
    if root.tag_name().name() != "plist" {
        return Err("the root element is not plist".to_owned());
    }
    let mut inside = elements(root);
    match (inside.next(), inside.next()) {
        (Some(only), None) => of_element(only, 0),
        _ => Err("plist does not hold one value".to_owned()),
    }
}

impl Value {
    /// The values of this key in any dictionary, at any depth.
    pub(crate) fn all_of<'v>(&'v self, key: &str) -> Vec<&'v Value> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            match value {
                Self::Array(items) => open.extend(items),
                Self::Dictionary(members) => {
                    found.extend(members.iter().filter(|(name, _)| name == key).map(|(_, value)| value));
                    open.extend(members.iter().map(|(_, value)| value));
                }
                _ => {}
            }
        }
        found
    }

    /// The items of an array of data.
    pub(crate) fn as_data_array(&self) -> Option<Vec<&[u8]>> {
        let Self::Array(items) = self else { return None };
        items
            .iter()
            .map(|item| if let Self::Data(data) = item { Some(data.as_slice()) } else { None })
            .collect()
    }
}

fn elements<'a, 'i>(of: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    of.children().filter(Node::is_element)
}

fn of_element(element: Node<'_, '_>, depth: usize) -> Result<Value, Fault> {
    if depth > MAX_DEPTH {
        return Err("values nested too deep".to_owned());
    }
    let inner = depth.saturating_add(1);
    let text = || element.children().filter(Node::is_text).filter_map(|n| n.text()).collect::<String>();
    Ok(match element.tag_name().name() {
        "data" => {
            let text = text();
            match text.trim().is_empty() {
                true => Value::Data(Vec::new()),
                false => Value::Data(
                    crate::input::decode_base64(text.as_bytes()).ok_or("data that is not base64")?,
                ),
            }
        }
        "string" => Value::Text(text()),
        "array" => Value::Array(elements(element).map(|e| of_element(e, inner)).collect::<Result<_, _>>()?),
        "dict" => {
            let mut members: Vec<(String, Value)> = Vec::new();
            let mut children = elements(element);
            while let Some(key) = children.next() {
                if key.tag_name().name() != "key" {
                    return Err("a dict has a value without key".to_owned());
                }
                let name = key.text().unwrap_or_default().to_owned();
                let value = children.next().ok_or("a dict has a key without value")?;
                if members.iter().any(|(known, _)| *known == name) {
                    return Err(format!("key {name:?} is there twice"));
                }
                members.push((name, of_element(value, inner)?));
            }
            Value::Dictionary(members)
        }
        "true" | "false" | "integer" | "real" | "date" => Value::Other,
        other => return Err(format!("element {other:?} has no place in a property list")),
    })
}

/// A binary property list: objects, the table of their places, and a trailer.
struct Binary<'a> {
    bytes: &'a [u8],
    offsets: &'a [u8],
    offset_size: usize,
    reference_size: usize,
    values: usize,
}

impl<'a> Binary<'a> {
    fn read(bytes: &'a [u8]) -> Option<Value> {
        let (body, trailer) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        let [_, _, _, _, _, _, offset_size, reference_size, numbers @ ..] = trailer else { return None };
        let (count, numbers) = numbers.split_first_chunk::<8>()?;
        let (top, numbers) = numbers.split_first_chunk::<8>()?;
        let table = usize::try_from(u64::from_be_bytes(*numbers.first_chunk::<8>()?)).ok()?;
        let (offset_size, reference_size) = (usize::from(*offset_size), usize::from(*reference_size));
        let count = usize::try_from(u64::from_be_bytes(*count)).ok()?;
        if !(1..=8).contains(&offset_size) || !(1..=8).contains(&reference_size) || count > MAX_VALUES {
            return None;
        }
        let offsets = body.get(table..)?.get(..count.checked_mul(offset_size)?)?;
        let mut reader = Self { bytes: body.get(..table)?, offsets, offset_size, reference_size, values: 0 };
        reader.object(usize::try_from(u64::from_be_bytes(*top)).ok()?, 0)
    }

    fn object(&mut self, number: usize, depth: usize) -> Option<Value> {
        self.values = self.values.checked_add(1)?;
        if self.values > MAX_VALUES || depth > MAX_DEPTH {
            return None;
        }
        let start = number.checked_mul(self.offset_size)?;
        let at = big_endian(self.offsets.get(start..)?.get(..self.offset_size)?)?;
        let (&marker, rest) = self.bytes.get(at..)?.split_first()?;
        let (kind, low) = (marker >> 4, marker & 0x0f);
        let inner = depth.checked_add(1)?;
        Some(match kind {
            // null, truth values, numbers, dates, identifiers
            0x0..=0x3 | 0x8 => Value::Other,
            0x4 => {
                let (count, rest) = length(low, rest)?;
                Value::Data(rest.get(..count)?.to_vec())
            }
            0x5 => {
                let (count, rest) = length(low, rest)?;
                Value::Text(std::str::from_utf8(rest.get(..count)?).ok()?.to_owned())
            }
            0x6 => {
                let (count, rest) = length(low, rest)?;
                let units = rest.get(..count.checked_mul(2)?)?.chunks_exact(2);
                let units: Vec<u16> =
                    units.filter_map(|u| Some(u16::from_be_bytes(*u.first_chunk()?))).collect();
                Value::Text(String::from_utf16(&units).ok()?)
            }
            0xa | 0xc => {
                let (count, rest) = length(low, rest)?;
                let items = self.references(rest, count)?;
                Value::Array(items.into_iter().map(|item| self.object(item, inner)).collect::<Option<_>>()?)
            }
            0xd => {
                let (count, rest) = length(low, rest)?;
                let keys = self.references(rest, count)?;
                let values = self.references(rest.get(count.checked_mul(self.reference_size)?..)?, count)?;
                let mut members: Vec<(String, Value)> = Vec::new();
                for (key, value) in keys.into_iter().zip(values) {
                    let Value::Text(name) = self.object(key, inner)? else { return None };
                    if members.iter().any(|(known, _)| *known == name) {
                        return None;
                    }
                    members.push((name, self.object(value, inner)?));
                }
                Value::Dictionary(members)
            }
            _ => return None,
        })
    }

    fn references(&self, bytes: &[u8], count: usize) -> Option<Vec<usize>> {
        if count > MAX_VALUES {
            return None;
        }
        let bytes = bytes.get(..count.checked_mul(self.reference_size)?)?;
        bytes.chunks_exact(self.reference_size).map(big_endian).collect()
    }
}

/// The count in the low half of a marker; 15 says that an integer object with it follows.
fn length(low: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    if low < 0x0f {
        return Some((usize::from(low), rest));
    }
    let (&marker, rest) = rest.split_first()?;
    let size = 1_usize.checked_shl(u32::from(marker & 0x0f))?;
    if marker >> 4 != 1 || size > 8 {
        return None;
    }
    let (number, rest) = rest.split_at_checked(size)?;
    Some((big_endian(number)?, rest))
}

fn big_endian(bytes: &[u8]) -> Option<usize> {
    let mut number = 0_usize;
    for byte in bytes {
        number = number.checked_mul(256)?.checked_add(usize::from(*byte))?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(inside: &str) -> Result<Value, Fault> {
        let head = "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">";
        read(format!("{head}<plist version=\"1.0\">{inside}</plist>").as_bytes())
    }

    /// A binary list of these objects, the first the top, with one byte for each number.
    fn binary(objects: &[&[u8]]) -> Vec<u8> {
        let mut out = BINARY.to_vec();
        let mut offsets = Vec::new();
        for object in objects {
            offsets.push(u8::try_from(out.len()).unwrap());
            out.extend(*object);
        }
        let table = out.len();
        out.extend(&offsets);
        out.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        for number in [objects.len(), 0, table] {
            out.extend(u64::try_from(number).unwrap().to_be_bytes());
        }
        out
    }

    #[test]
    fn both_forms_say_the_same() {
        let in_xml =
            xml("<dict><key>a</key><array><data>AQI=</data><data/></array><key>b</key><true/></dict>");
        let in_binary = read(&binary(&[
            &[0xd2, 1, 2, 3, 4],
            b"\x51a",
            b"\x51b",
            &[0xa2, 5, 6],
            &[0x09],
            &[0x42, 1, 2],
            &[0x40],
        ]));
        assert_eq!(in_xml, in_binary);
        let value = in_xml.unwrap();
        let data = value.all_of("a")[0].as_data_array();
        assert_eq!(data, Some(vec![&[1, 2][..], &[]]));
        assert!(value.all_of("b")[0].as_data_array().is_none() && value.all_of("c").is_empty());
        assert_eq!(xml("<string>x</string>"), Ok(Value::Text("x".to_owned())));
        assert_eq!(read(&binary(&[&[0x61, 0, b'x']])), Ok(Value::Text("x".to_owned())));
        let long = [&[0x4f, 0x10, 20][..], &[9; 20]].concat();
        assert_eq!(read(&binary(&[&long])), Ok(Value::Data(vec![9; 20])));
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_never_ends_is_refused() {
        for inside in [
            "",
            "<true/><true/>",
            "<dict><key>a</key><true/><key>a</key><true/></dict>",
            "<dict><true/></dict>",
            "<dict><key>a</key></dict>",
            "<data>!</data>",
            "<html/>",
        ] {
            assert!(xml(inside).is_err(), "{inside}");
        }
        assert!(xml(&format!("{}{}", "<array>".repeat(20), "</array>".repeat(20))).is_err());
        assert!(read(b"<html/>").is_err() && read(b"\xff").is_err());
        // In itself; and each array twice in the one before it, eight times over fifteen.
        assert!(read(&binary(&[&[0xa1, 0]])).is_err());
        let doubling: Vec<Vec<u8>> = (1..16).map(|n| vec![0xa2, n, n]).chain([vec![0x40]]).collect();
        let doubling: Vec<&[u8]> = doubling.iter().map(Vec::as_slice).collect();
        assert!(read(&binary(&doubling)).is_err());
        assert!(read(&binary(&[&[0xd2, 1, 1, 2, 2], b"\x51a", &[9]])).is_err(), "a key twice");
        for cut in 0..40 {
            assert!(read(&binary(&[&[0xa1, 1], &[0x41, 7]])[..cut]).is_err(), "{cut}");
        }
        for bad in [&[0x42, 1][..], &[0xa1, 9], &[0x70], &[0x4f, 0x20, 1], &[0x51, 0xff], &[0x61, 0xd8]] {
            assert!(read(&binary(&[bad])).is_err(), "{bad:02x?}");
        }
    }
}
