//! Attestation objects: `{fmt, attStmt, authData}`, in WebAuthn with names, in CTAP2 with numbers; and the answer to a
//! U2F registration, brought into the same form.

use super::gather::without_status;
use crate::crypto::sha256;
use crate::pki::Certificate;
use crate::wire::cbor::{self, Item, Map};
use crate::wire::der::single;

/// Longest attestation object. Those of TPMs, the longest of all, have less than 8 KiB.
const MAX_OBJECT: usize = 64 << 10;
/// How deep items of it may nest.
const MAX_DEPTH: usize = 8;
/// More certificates than any statement has.
const MAX_CERTIFICATES: usize = 8;

/// An attestation object.
#[derive(Debug, Clone)]
pub(super) struct Attestation<'a> {
    pub(super) format: &'a str,
    pub(super) statement: Item<'a>,
    pub(super) auth_data: &'a [u8],
}

impl<'a> Attestation<'a> {
    /// Reads one that fills `bytes` exactly, a status byte before it aside.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let bytes = without_status(bytes);
        if bytes.len() > MAX_OBJECT {
            return Err(format!("the attestation object is longer than {MAX_OBJECT} bytes"));
        }
        let item =
            cbor::read(bytes).map_err(|error| format!("the attestation object is not in form: {error}"))?;
        if depth(&item) > MAX_DEPTH {
            return Err("items of the attestation object are nested too deep".to_owned());
        }
        let Item::Map(map) = item else { return Err("the attestation object is not a map".to_owned()) };
        let named = map.text_key("fmt").is_some();
        let known = |key: &Item<'_>| match key {
            Item::Text(name) => named && matches!(*name, "fmt" | "attStmt" | "authData"),
            // CTAP2 has also: enterprise attestation, large-blob key, unsigned extension outputs.
            Item::Int(number) => !named && (1..=6).contains(number),
            _ => false,
        };
        if !map.entries().all(|(key, _)| known(key)) {
            return Err("the attestation object has a member that does not belong to it".to_owned());
        }
        // epAtt: whether the authenticator says that it made an enterprise attestation.
        if map.int_key(4).is_some_and(|enterprise| enterprise.as_bool().is_none()) {
            return Err("member 4 of the authenticator's answer is not true or false".to_owned());
        }
        let member = |name, number| if named { map.text_key(name) } else { map.int_key(number) };
        let (format, statement, data) = (member("fmt", 1), member("attStmt", 3), member("authData", 2));
        match (format.and_then(Item::as_text), statement, data.and_then(Item::as_bytes)) {
            (Some(format), Some(statement), Some(auth_data)) => {
                Ok(Self { format, statement: statement.clone(), auth_data })
            }
            _ => Err("fmt, attStmt or authData is missing or of another type".to_owned()),
        }
    }
}

fn depth(item: &Item<'_>) -> usize {
    let inner = match item {
        Item::Array(items) => items.iter().map(depth).max(),
        Item::Map(map) => map.entries().map(|(_, value)| depth(value)).max(),
        Item::Tag(_, item) => Some(depth(item)),
        _ => return 0,
    };
    inner.unwrap_or(0).saturating_add(1)
}

/// The answer to a U2F registration (FIDO U2F Raw Message Formats, 4.3).
#[derive(Debug, Clone)]
pub(super) struct U2fRegistration<'a> {
    point: &'a [u8],
    handle: &'a [u8],
    pub(super) certificate: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> U2fRegistration<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[5])?;
        let (point, rest) = rest.split_at_checked(65)?;
        let (length, rest) = rest.split_first()?;
        let (handle, rest) = rest.split_at_checked(usize::from(*length))?;
        let length = der_length(rest)?;
        let (certificate, signature) = rest.split_at_checked(length)?;
        single(certificate)?;
        (point.first() == Some(&4)).then_some(Self { point, handle, certificate, signature })
    }

    /// Authenticator data with what was registered, as WebAuthn has them (Web Authentication, "FIDO U2F Attestation").
    pub(super) fn auth_data(&self, rp_id: &str) -> Option<Vec<u8>> {
        const PRESENT_WITH_CREDENTIAL: u8 = 0x41;
        let (x, y) = self.point.get(1..)?.split_at_checked(32)?;
        let mut data = sha256(rp_id.as_bytes()).to_vec();
        data.push(PRESENT_WITH_CREDENTIAL);
        data.extend([0; 4 + 16]);
        data.extend(u16::try_from(self.handle.len()).ok()?.to_be_bytes());
        data.extend(self.handle);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(x);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(y);
        Some(data)
    }
}

/// Length of the SEQUENCE at the start, header included.
fn der_length(bytes: &[u8]) -> Option<usize> {
    let (length, header) = match bytes {
        [0x30, 0x81, length, ..] => (usize::from(*length), 3_usize),
        [0x30, 0x82, high, low, ..] => (usize::from(u16::from_be_bytes([*high, *low])), 4),
        [0x30, length, ..] if *length < 0x80 => (usize::from(*length), 2),
        _ => return None,
    };
    header.checked_add(length)
}

/// The members of a statement that most formats have.
#[derive(Debug)]
pub(super) struct Members<'i, 'a> {
    map: &'i Map<'a>,
}

impl<'i, 'a> Members<'i, 'a> {
    pub(super) fn of(statement: &'i Item<'a>) -> Result<Self, &'static str> {
        statement.as_map().map(|map| Self { map }).ok_or("the statement (attStmt) is not a map")
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.text_key(name).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.map.text_key(name)?.as_text()
    }

    pub(super) fn bytes(&self, name: &'static str) -> Result<&'a [u8], String> {
        let bytes = self.map.text_key(name).and_then(Item::as_bytes);
        bytes.ok_or_else(|| format!("{name} of the statement is missing or no byte string"))
    }

    pub(super) fn algorithm(&self) -> Result<i128, String> {
        let number = self.map.text_key("alg").and_then(Item::as_int);
        number.ok_or_else(|| "alg of the statement is missing or no integer".to_owned())
    }

    /// The certificates, the attestation key's first.
    pub(super) fn x5c(&self) -> Result<Vec<Certificate>, String> {
        let items = self.map.text_key("x5c").and_then(Item::as_array);
        let items = items.ok_or("x5c of the statement is missing or no array")?;
        if items.is_empty() || items.len() > MAX_CERTIFICATES {
            return Err(format!("x5c of the statement has {} certificates", items.len()));
        }
        (1_usize..)
            .zip(items)
            .map(|(number, item)| {
                let der = item.as_bytes().ok_or_else(|| format!("certificate {number} is no byte string"))?;
                Certificate::from_der(der).map_err(|error| format!("certificate {number}: {error}"))
            })
            .collect()
    }
}
