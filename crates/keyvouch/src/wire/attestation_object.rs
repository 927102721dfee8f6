//! Attestation objects (Web Authentication, "Generating an Attestation Object") outside of WebAuthn: a CBOR map with
//! the text `fmt`, the map `attStmt` and, with some formats, the byte string `authData`.

use super::cbor::{self, Item, Map};
use crate::pki::Certificate;

/// An attestation object. Nothing in it is authentic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AttestationObject<'a> {
    pub(crate) fmt: &'a str,
    pub(crate) statement: Map<'a>,
    pub(crate) auth_data: Option<&'a [u8]>,
    /// Whether it has members beyond these three.
    pub(crate) has_others: bool,
}

impl<'a> AttestationObject<'a> {
    /// Reads the one object that the bytes are.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let item = cbor::read(bytes).map_err(|e| e.to_string())?;
        let map = item.as_map().ok_or("not a map")?;
        if map.entries().any(|(key, _)| key.as_text().is_none()) {
            return Err("a member's name is not text".to_owned());
        }
        let fmt = map.text_key("fmt").and_then(Item::as_text).ok_or("fmt is missing or no text")?;
        let statement =
            map.text_key("attStmt").and_then(Item::as_map).ok_or("attStmt is missing or no map")?;
        let auth_data = match map.text_key("authData") {
            None => None,
            Some(item) => Some(item.as_bytes().ok_or("authData is no byte string")?),
        };
        let known = |key: &Item<'_>| matches!(key.as_text(), Some("fmt" | "attStmt" | "authData"));
        let has_others = map.entries().any(|(key, _)| !known(key));
        Ok(Self { fmt, statement: statement.clone(), auth_data, has_others })
    }

    /// The member `x5c` of the statement: an array of at least one byte string.
    pub(crate) fn x5c(&self) -> Result<Vec<&'a [u8]>, &'static str> {
        let array = self.statement.text_key("x5c").ok_or("x5c is missing")?;
        let items = array.as_array().ok_or("x5c is not an array")?;
        if items.is_empty() {
            return Err("x5c is empty");
        }
        items.iter().map(|item| item.as_bytes().ok_or("x5c holds something that is no byte string")).collect()
    }
}

/// The certificates of an array, each exactly one; an error says which is not.
pub(crate) fn certificates(array: &[&[u8]]) -> Result<Vec<Certificate>, String> {
    (1_usize..)
        .zip(array)
        .map(|(number, der)| Certificate::from_der(der).map_err(|why| format!("certificate {number}: {why}")))
        .collect()
}

/// What the bytes name as `fmt` when they begin like an attestation object, and whether they seem to have `authData`:
/// so that one that is damaged is still known for what it is.
pub(crate) fn sniff(bytes: &[u8]) -> Option<(&str, bool)> {
    const FMT: &[u8] = b"\x63fmt";
    const AUTH_DATA: &[u8] = b"\x68authData";
    if bytes.first()? >> 5 != 5 {
        return None;
    }
    let at = position(bytes, FMT)?;
    let (&head, rest) = bytes.get(at.checked_add(FMT.len())?..)?.split_first()?;
    let (length, rest) = match head {
        0x60..=0x77 => (usize::from(head & 0x1f), rest),
        0x78 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        _ => return None,
    };
    let fmt = std::str::from_utf8(rest.get(..length)?).ok()?;
    Some((fmt, position(bytes, AUTH_DATA).is_some()))
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there() {
        let bytes = b"\xa4\x63fmt\x61x\x67attStmt\xa1\x63x5c\x81\x41\x07\x68authData\x41\x01\x61y\x01";
        let read = AttestationObject::read(bytes).unwrap();
        assert_eq!((read.fmt, read.auth_data, read.has_others), ("x", Some(&[1][..]), true));
        assert_eq!(read.x5c(), Ok(vec![&[7][..]]));
        assert!(certificates(&[&[7]]).unwrap_err().starts_with("certificate 1: "));
        assert_eq!(sniff(bytes), Some(("x", true)));
        assert_eq!(sniff(&bytes[..9]), Some(("x", false)));
    }

    #[test]
    fn refuses_what_is_none() {
        for bad in [
            &b"\x01"[..],
            b"\xa1\x01\x02",
            b"\xa1\x63fmt\x61x",
            b"\xa2\x63fmt\x01\x67attStmt\xa0",
            b"\xa2\x63fmt\x61x\x67attStmt\x01",
            b"\xa3\x63fmt\x61x\x67attStmt\xa0\x68authData\x01",
        ] {
            assert!(AttestationObject::read(bad).is_err());
        }
        for statement in [&b"\xa0"[..], b"\xa1\x63x5c\x01", b"\xa1\x63x5c\x80", b"\xa1\x63x5c\x81\x01"] {
            let bytes = [&b"\xa2\x63fmt\x61x\x67attStmt"[..], statement].concat();
            assert!(AttestationObject::read(&bytes).unwrap().x5c().is_err());
        }
        assert_eq!((sniff(b"\x63fmt\x61x"), sniff(b"\xa1\x63fmt"), sniff(b"")), (None, None, None));
    }
}
