//! A few TLVs.

use der::asn1::AnyRef;
use der::{Encode, Tag, TagNumber};

use super::EmbedError;

pub(super) fn tlv(tag: Tag, content: &[u8]) -> Result<Vec<u8>, EmbedError> {
    AnyRef::new(tag, content).and_then(|any| any.to_der()).map_err(|_| EmbedError::Encoding)
}

pub(super) fn sequence<P: AsRef<[u8]>>(members: &[P]) -> Result<Vec<u8>, EmbedError> {
    let content: Vec<u8> = members.iter().flat_map(|member| member.as_ref().iter().copied()).collect();
    tlv(Tag::Sequence, &content)
}

pub(super) fn octets(content: &[u8]) -> Result<Vec<u8>, EmbedError> {
    tlv(Tag::OctetString, content)
}

/// A constructed context tag.
pub(super) fn context(number: u32, content: &[u8]) -> Result<Vec<u8>, EmbedError> {
    tlv(Tag::ContextSpecific { constructed: true, number: TagNumber(number) }, content)
}

/// Base 128 of one arc of an identifier (X.690, 8.19.2).
pub(super) fn arc(mut value: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut more = 0x00;
    loop {
        let [.., low] = value.to_be_bytes();
        octets.push((low & 0x7f) | more);
        value >>= 7;
        more = 0x80;
        if value == 0 {
            break;
        }
    }
    octets.reverse();
    octets
}
