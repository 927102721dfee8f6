//! A key object: its handle and its attributes, each a type, a length and a value.

use super::attributes::{self as attribute, Form};
use super::checks as ck;
use super::layout::{Fault, Layout, Reader};

/// More attributes than any object has.
const MAX_ATTRIBUTES: u32 = 256;

/// CKO_PUBLIC_KEY, CKO_PRIVATE_KEY.
pub(super) const PUBLIC: u8 = 2;
pub(super) const PRIVATE: u8 = 3;

/// CKK_RSA, CKK_EC.
pub(super) const RSA: u8 = 0;
pub(super) const EC: u8 = 3;

/// A key object.
#[derive(Debug, Clone)]
pub(super) struct Object<'b> {
    pub(super) handle: u32,
    /// Length of the attributes as the object's header states it.
    pub(super) size: u32,
    /// Type and value, in the order of the bytes.
    pub(super) attributes: Vec<(u32, &'b [u8])>,
}

impl<'b> Object<'b> {
    pub(super) fn read(from: &mut Reader<'b>, layout: Layout) -> Result<Self, Fault> {
        let cut = || Fault::layout("an object runs past the end of the attributes");
        let (handle, count, size) =
            (from.word().ok_or_else(cut)?, from.word().ok_or_else(cut)?, from.word().ok_or_else(cut)?);
        let body = usize::try_from(size).ok().and_then(|size| from.take(size)).ok_or_else(cut)?;
        if count > MAX_ATTRIBUTES {
            return Err(Fault::tlv(format!(
                "an object of {count} attributes; at most {MAX_ATTRIBUTES} are read"
            )));
        }
        let mut reader = Reader::new(body);
        let mut attributes: Vec<(u32, &'b [u8])> = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for _ in 0..count {
            let (number, value) = read_attribute(&mut reader)?;
            if attributes.iter().any(|(n, _)| *n == number) {
                return Err(Fault::tlv(format!("attribute {} is there twice", attribute::name(number))));
            }
            attributes.push((number, value));
        }
        match layout {
            // Firmware 2 states sizes that are some bytes too large; nothing may hide in them.
            Layout::Fw2 if !reader.is_zero() => Err(Fault::layout(
                "bytes that are not zero between the attributes and the end of their object",
            )),
            Layout::Fw3 | Layout::V1 if !reader.is_empty() => {
                Err(Fault::tlv("bytes left over after the last attribute of an object"))
            }
            _ => Self { handle, size, attributes }.complete(layout),
        }
    }

    /// What every object of a key must have.
    fn complete(self, layout: Layout) -> Result<Self, Fault> {
        let mut required = vec![attribute::CLASS];
        if matches!(self.class(), Some(PUBLIC | PRIVATE)) {
            required.extend([
                attribute::KEY_TYPE,
                attribute::LABEL,
                attribute::ID,
                attribute::MODULUS,
                attribute::MODULUS_BITS,
                attribute::KCV,
            ]);
            if self.key_type() == Some(RSA) {
                required.push(attribute::PUBLIC_EXPONENT);
            }
            if layout == Layout::Fw3 {
                required.push(attribute::EKCV);
            }
        }
        match required.into_iter().find(|number| self.value(*number).is_none()) {
            Some(missing) => Err(Fault::tlv(format!("an object has no {}", attribute::name(missing)))),
            None => Ok(self),
        }
    }

    pub(super) fn value(&self, number: u32) -> Option<&'b [u8]> {
        self.attributes.iter().find(|(n, _)| *n == number).map(|(_, value)| *value)
    }

    pub(super) fn byte(&self, number: u32) -> Option<u8> {
        match self.value(number)? {
            [byte] => Some(*byte),
            _ => None,
        }
    }

    /// A flag; none when it is not there. Absent is never taken for a value.
    pub(super) fn flag(&self, number: u32) -> Option<bool> {
        match self.byte(number)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn word(&self, number: u32) -> Option<u32> {
        self.value(number)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// Text without its padding.
    pub(super) fn text(&self, number: u32) -> Option<&'b str> {
        unpadded(self.value(number)?)
    }

    pub(super) fn class(&self) -> Option<u8> {
        self.byte(attribute::CLASS)
    }

    pub(super) fn key_type(&self) -> Option<u8> {
        self.byte(attribute::KEY_TYPE)
    }

    /// Not zero: the object outlives the session.
    pub(super) fn is_persistent(&self) -> Option<bool> {
        self.byte(attribute::TOKEN).map(|token| token != 0)
    }
}

fn read_attribute<'b>(from: &mut Reader<'b>) -> Result<(u32, &'b [u8]), Fault> {
    let cut = || Fault::tlv("an attribute runs past the end of its object");
    let (number, length) = (from.word().ok_or_else(cut)?, from.word().ok_or_else(cut)?);
    let value = usize::try_from(length).ok().and_then(|length| from.take(length)).ok_or_else(cut)?;
    let Some(known) = attribute::known(number) else { return Ok((number, value)) };
    if known.form.length().is_some_and(|length| length != value.len()) {
        return Err(Fault { check: &ck::TLV, detail: format!("{} of {} bytes", known.name, value.len()) });
    }
    if known.form == Form::Flag && !matches!(value, [0 | 1]) {
        return Err(Fault { check: &ck::TLV, detail: format!("{} is neither 0 nor 1", known.name) });
    }
    Ok((number, value))
}

/// Printable text up to the NUL padding; none for anything else.
pub(super) fn unpadded(value: &[u8]) -> Option<&str> {
    let end = value.iter().rposition(|b| *b != 0).map_or(0, |last| last.saturating_add(1));
    let text = std::str::from_utf8(value.get(..end)?).ok()?;
    text.chars().all(|c| !c.is_control()).then_some(text)
}
