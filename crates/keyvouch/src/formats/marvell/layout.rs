//! The layouts of a signed blob. All numbers are big-endian; the last 256 bytes are the signature.
//!
//! ```text
//! FW3  firmware from 3.2-08: response code, flags, total size, buffer size, handles, then a buffer with one object,
//!      or with the public and the private half of a pair
//! FW2  firmware 2.x: 16 zeros, total size, one object, zeros; a pair is two blobs, each signed on its own
//! V1   the oldest: objects at a fixed offset. No real sample is public, so what it says is never believed
//! ```
//!
//! Sources: Marvell, "Software Key Attestation", with the scripts `parse_v1`, `parse_v2` and `parse_attest_2.x`.

use std::fmt;

use super::checks as ck;
use super::object::Object;
use crate::checks::Check;
use crate::crypto::{Hash, Scheme};

/// Length of the signature: that of the partition key, which is RSA-2048.
pub(super) const SIGNATURE: usize = 256;

/// Smallest and largest blob that is read. Real ones have 1100 to 2600 bytes.
pub(super) const MIN_BLOB: usize = 44 + SIGNATURE;
pub(super) const MAX_BLOB: usize = 16 * 1024;

/// FW3: response with attributes and attestation.
const GET_ATTRIBUTES_AND_ATTESTATION: u32 = 3;
/// FW3: where the first object lies in the attribute buffer.
const KEY_1_OFFSET: u16 = 8;
/// Handle, attribute count and size of an object.
const OBJECT_HEADER: u32 = 12;
/// FW2: zeros between the object and the signature.
const FW2_TAIL: usize = 264;
/// V1: where the object of a secret key lies, and the first of a pair.
const V1_OFFSETS: [usize; 2] = [24, 984];

/// How a blob is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Fw3,
    Fw2,
    V1,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fw3 => "FW3",
            Self::Fw2 => "FW2",
            Self::V1 => "CAVIUM_V1",
        })
    }
}

/// The sizes of FW3 are consistent with each other; the length of the file may be another.
pub(super) fn begins_like_fw3(start: &[u8]) -> bool {
    matches!(
        (word(start, 0), word(start, 4), word(start, 8), word(start, 12)),
        (Some(0), Some(GET_ATTRIBUTES_AND_ATTESTATION), Some(total), Some(buffer))
            if buffer < total && usize::try_from(total).is_ok_and(|total| total <= MAX_BLOB)
    )
}

impl Layout {
    /// By what the sizes in the blob say of each other and of its length; never by trying signatures.
    pub(super) fn of(blob: &[u8]) -> Option<Self> {
        let sizes = (word(blob, 8), word(blob, 12));
        if let (Some(total), Some(buffer)) = sizes
            && usize::try_from(total) == Ok(blob.len())
            && buffer < total
        {
            return Some(Self::Fw3);
        }
        if blob.get(..16).is_some_and(|zeros| zeros.iter().all(|b| *b == 0))
            && let (Some(total), Some(size)) = (word(blob, 16), word(blob, 28))
            && size.checked_add(OBJECT_HEADER) == Some(total)
        {
            return Some(Self::Fw2);
        }
        let (signed, _) = split(blob)?;
        (!v1(signed).is_empty()).then_some(Self::V1)
    }

    /// How the partition key signs it.
    pub(super) const fn scheme(self) -> Scheme {
        match self {
            Self::Fw3 | Self::V1 => Scheme::RsaPkcs1(Hash::Sha256),
            Self::Fw2 => Scheme::RsaPkcs1BareSha256,
        }
    }

    /// The objects in the signed part of a blob.
    pub(super) fn read(self, signed: &[u8]) -> Result<Vec<Object<'_>>, Fault> {
        match self {
            Self::Fw3 => fw3(signed),
            Self::Fw2 => fw2(signed).map(|object| vec![object]),
            Self::V1 => Ok(v1(signed)),
        }
    }
}

/// The signed part and the signature.
pub(super) fn split(blob: &[u8]) -> Option<(&[u8], &[u8])> {
    blob.split_at_checked(blob.len().checked_sub(SIGNATURE)?)
}

/// What is wrong with a blob, and which check says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) check: &'static Check,
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn layout(detail: impl Into<String>) -> Self {
        Self { check: &ck::LAYOUT, detail: detail.into() }
    }

    pub(super) fn tlv(detail: impl Into<String>) -> Self {
        Self { check: &ck::TLV, detail: detail.into() }
    }
}

fn fw3(signed: &[u8]) -> Result<Vec<Object<'_>>, Fault> {
    let cut = || Fault::layout("shorter than its own header");
    let mut reader = Reader::new(signed);
    let response = reader.word().ok_or_else(cut)?;
    if response != 0 {
        let detail = format!("the device answered with error {response:#x}");
        return Err(Fault { check: &ck::DEVICE_ERROR, detail });
    }
    let flags = reader.word().ok_or_else(cut)?;
    if flags != GET_ATTRIBUTES_AND_ATTESTATION {
        return Err(Fault::layout(format!("flags {flags:#x} instead of 3")));
    }
    let (total, buffer) = (reader.word().ok_or_else(cut)?, reader.word().ok_or_else(cut)?);
    if signed.len().checked_add(SIGNATURE) != usize::try_from(total).ok() {
        return Err(Fault::layout("the total size is not the length of the blob"));
    }
    // What is neither attributes nor signature is the header, and its length tells how many handles it has.
    let header = signed.len().checked_sub(usize::try_from(buffer).unwrap_or(usize::MAX));
    let handles = match header {
        Some(24) => vec![read_handle(&mut reader)?],
        Some(32) => vec![read_handle(&mut reader)?, read_handle(&mut reader)?],
        _ => return Err(Fault::layout("the buffer size fits neither one object nor two")),
    };
    let (version, _flags) = (reader.half().ok_or_else(cut)?, reader.half().ok_or_else(cut)?);
    let (key_1, key_2) = (reader.half().ok_or_else(cut)?, reader.half().ok_or_else(cut)?);
    if version != 1 || key_1 != KEY_1_OFFSET {
        return Err(Fault::layout("the attribute buffer has an unknown version or offset"));
    }
    let mut objects = Vec::with_capacity(handles.len());
    for _ in &handles {
        objects.push(Object::read(&mut reader, Layout::Fw3)?);
    }
    let expected = match objects.as_slice() {
        [first, _] => first.size.checked_add(OBJECT_HEADER.saturating_add(u32::from(KEY_1_OFFSET))),
        _ => Some(0),
    };
    if Some(u32::from(key_2)) != expected {
        return Err(Fault::layout("the offset of the second object is not where the first one ends"));
    }
    if !reader.is_empty() {
        return Err(Fault::layout("bytes between the last object and the signature"));
    }
    let differs = |(header, object): &(&u32, &Object<'_>)| **header != object.handle;
    if let Some((header, object)) = handles.iter().zip(&objects).find(differs) {
        let detail = format!("the header names handle {header:#x}, the object {:#x}", object.handle);
        return Err(Fault { check: &ck::HANDLE, detail });
    }
    distinct_handles(&objects)?;
    Ok(objects)
}

fn read_handle(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    match (reader.word(), reader.word()) {
        (Some(0), Some(handle)) => Ok(handle),
        _ => Err(Fault::layout("the list of handles has an unknown form")),
    }
}

/// The halves of a pair are two objects.
pub(super) fn distinct_handles(objects: &[Object<'_>]) -> Result<(), Fault> {
    match objects {
        [first, second] if first.handle == second.handle => {
            let detail = format!("both objects have handle {:#x}", first.handle);
            Err(Fault { check: &ck::HANDLE, detail })
        }
        _ => Ok(()),
    }
}

fn fw2(signed: &[u8]) -> Result<Object<'_>, Fault> {
    let cut = || Fault::layout("shorter than its own header");
    let mut reader = Reader::new(signed);
    let zeros = reader.take(16).ok_or_else(cut)?;
    let total = reader.word().ok_or_else(cut)?;
    let object = Object::read(&mut reader, Layout::Fw2)?;
    if zeros.iter().any(|b| *b != 0) || object.size.checked_add(OBJECT_HEADER) != Some(total) {
        return Err(Fault::layout("the sizes contradict each other"));
    }
    if reader.len() != FW2_TAIL {
        return Err(Fault::layout(format!(
            "{} bytes between object and signature instead of {FW2_TAIL}",
            reader.len()
        )));
    }
    if !reader.is_zero() {
        return Err(Fault::layout("bytes that are not zero between object and signature"));
    }
    Ok(object)
}

/// The objects of the oldest layout; empty when these bytes are not of it.
fn v1(signed: &[u8]) -> Vec<Object<'_>> {
    for offset in V1_OFFSETS {
        let Some(rest) = signed.get(offset..) else { continue };
        let mut reader = Reader::new(rest);
        let mut objects = Vec::new();
        while let (true, Ok(object)) = (objects.len() < 2, Object::read(&mut reader, Layout::V1)) {
            objects.push(object);
        }
        if !objects.is_empty() {
            return objects;
        }
    }
    Vec::new()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Reader::new(bytes.get(at..)?).word()
}

/// Reads big-endian numbers and slices off the front.
#[derive(Debug, Clone)]
pub(super) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub(super) fn half(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|b| *b == 0)
    }
}
