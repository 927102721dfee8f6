//! The message: ASN.1 of Crypto4A's own, in DER.
//!
//! ```text
//! AttestationMessage ::= SEQUENCE { version INTEGER (1), claims SetOfClaims, signatures SEQUENCE OF SignatureBlock,
//!                                   relatedCertificates [0] IMPLICIT SEQUENCE OF Certificate OPTIONAL }
//! SignatureBlock     ::= SEQUENCE { signer SEQUENCE { keyId [0] OCTET STRING OPTIONAL, spki [1] ANY OPTIONAL,
//!                                                     certificate [2] Certificate OPTIONAL },
//!                                   algorithm AlgorithmIdentifier, signature BIT STRING }
//! ```
//!
//! Only SetOfClaims is signed, as it stands: blocks and related certificates can be added and removed by anybody.

use der::asn1::BitStringRef;
use der::{Decode, Tag, TagNumber};

use crate::input::{Content, Part};
use crate::pki::Certificate;
use crate::wire::bytes::contains;
use crate::wire::der::{children, content, sequence, single};

/// A real message has 8.6 KB, most of it the HSS signature; one with the largest HSS parameters would have 100 KB.
const MAX_MESSAGE: usize = 256 * 1024;
const MAX_BLOCKS: usize = 8;
const MAX_RELATED: usize = 16;
/// Structures lie deeper in no certificate.
const MAX_DEPTH: usize = 24;

/// Content of every claim's object identifier begins so: 1.3.6.1.4.1.39901.6.
const ARC_DER: &[u8] = b"\x2b\x06\x01\x04\x01\x82\xb7\x5d\x06";
/// Where the first of them is looked for.
const HEAD: usize = 64;
const PEM_LABEL: &str = "attestation message ";

/// Whether a part is a message, or was meant to be one.
pub(super) fn is_message(part: &Part<'_>) -> bool {
    if !matches!(part.content, Content::Der | Content::Binary) {
        return false;
    }
    let head = part.bytes.get(..part.bytes.len().min(HEAD)).unwrap_or_default();
    let by_content = head.first() == Some(&0x30) && contains(head, ARC_DER);
    by_content || (part.parent.is_some() && part.name.starts_with(PEM_LABEL))
}

/// A message, taken apart and not verified.
pub(super) struct Message<'a> {
    /// SetOfClaims, tag and length included: what is signed.
    pub(super) claims: &'a [u8],
    pub(super) blocks: Vec<Block<'a>>,
    pub(super) related: Vec<Certificate>,
}

/// A signature block.
pub(super) struct Block<'a> {
    pub(super) certificate: Option<Certificate>,
    /// AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes a message apart; an error says what is wrong with it.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        if bytes.len() > MAX_MESSAGE {
            return Err(format!("longer than {MAX_MESSAGE} bytes"));
        }
        if !is_der(bytes, MAX_DEPTH) {
            return Err("not DER, cut off, or followed by other bytes".to_owned());
        }
        let fields = sequence(bytes, 4).ok_or("not a SEQUENCE of the message's fields")?;
        let [version, claims, blocks, related @ ..] = fields.as_slice() else {
            return Err("fields are missing".to_owned());
        };
        version_1(version)?;
        let blocks = sequence(blocks, MAX_BLOCKS).ok_or("signatures are no SEQUENCE, or too many")?;
        let related = match related {
            [] => Vec::new(),
            [related, ..] => {
                let list = tagged(related, 0).ok_or("the last field is not the related certificates")?;
                children(list, MAX_RELATED).ok_or("too many related certificates")?
            }
        };
        let certificate = |der: &[u8]| Certificate::from_der(der).map_err(|e| e.to_string());
        Ok(Self {
            claims,
            blocks: blocks.into_iter().map(Block::read).collect::<Result<_, _>>()?,
            related: related.into_iter().map(certificate).collect::<Result<_, _>>()?,
        })
    }
}

impl<'a> Block<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let members = sequence(bytes, 3).ok_or("a signature block is not a SEQUENCE of three")?;
        let [signer, algorithm, signature] = members.as_slice() else {
            return Err("a signature block lacks a member".to_owned());
        };
        let mut certificate = None;
        let mut last = None;
        for field in sequence(signer, 3).ok_or("a signer is not a SEQUENCE of its fields")? {
            let number = (0..3).find(|number| tagged(field, *number).is_some());
            if number.is_none() || number <= last {
                return Err("a signer has a field that it should not have".to_owned());
            }
            last = number;
            let value = number.and_then(|number| tagged(field, number)).unwrap_or_default();
            match number {
                Some(0) if content(value, Tag::OctetString).is_none() => {
                    return Err("the key id of a signer is not an OCTET STRING".to_owned());
                }
                Some(2) => {
                    let read = Certificate::from_der(value);
                    certificate = Some(read.map_err(|e| format!("certificate of a signer: {e}"))?);
                }
                _ => {}
            }
        }
        let signature = BitStringRef::from_der(signature).ok().and_then(|bits| bits.as_bytes());
        let signature = signature.ok_or("a signature is not a BIT STRING of whole bytes")?;
        Ok(Self { certificate, algorithm, signature })
    }
}

/// INTEGER 1, the only version known.
pub(super) fn version_1(version: &[u8]) -> Result<(), String> {
    match content(version, Tag::Integer) {
        Some([1]) => Ok(()),
        Some(other) => Err(format!("version 0x{} instead of 1", hex::encode(other))),
        None => Err("the version is not an INTEGER".to_owned()),
    }
}

/// The content of a constructed context-specific TLV.
pub(super) fn tagged(bytes: &[u8], wanted: u32) -> Option<&[u8]> {
    match single(bytes)? {
        (Tag::ContextSpecific { constructed: true, number: TagNumber(number) }, value)
            if number == wanted =>
        {
            Some(value)
        }
        _ => None,
    }
}

/// Whether the bytes are one TLV with lengths, BOOLEANs and INTEGERs as DER wants them, at every depth.
fn is_der(bytes: &[u8], depth: usize) -> bool {
    let Some((tag, value)) = single(bytes) else { return false };
    match tag {
        Tag::Boolean => matches!(value, [0 | 0xff]),
        Tag::Integer => !matches!(value, [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]),
        _ if tag.is_constructed() => {
            let members = depth.checked_sub(1).zip(children(value, MAX_MESSAGE));
            members.is_some_and(|(depth, members)| members.into_iter().all(|member| is_der(member, depth)))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_is_strict_at_every_depth() {
        let of = |hexed: &str| is_der(&hex::decode(hexed).unwrap(), 4);
        for good in ["020101", "30060201010101ff", "a003020180", "020200ff", "3000", "0500"] {
            assert!(of(good), "{good}");
        }
        for bad in [
            "",
            "02810101",                 // length not in the fewest bytes
            "30800000",                 // indefinite length
            "3003010101",               // BOOLEAN that is neither 00 nor FF
            "30040202 0001",            // INTEGER with a superfluous zero
            "a0040202ff80",             // … or sign
            "3000 00",                  // bytes after the end
            "300a30083006300430023000", // deeper than allowed
        ] {
            let bad = bad.replace(' ', "");
            assert!(!of(&bad), "{bad}");
        }
    }
}
