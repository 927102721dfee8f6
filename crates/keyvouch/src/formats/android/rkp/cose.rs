//! COSE keys and COSE_Sign1 (RFC 9052, 9053), as far as DICE chains use them.

use crate::crypto::{Curve, Hash, PublicKey, Scheme};
use crate::wire::cbor::{Item, Map};

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFault {
    /// Not a key of a kind that these chains use.
    Form,
    /// It has a member that a public key does not have.
    Label(i128),
}

/// A public key, and the algorithm that it states.
#[derive(Debug, Clone)]
pub(super) struct CoseKey {
    pub(super) key: PublicKey,
    pub(super) algorithm: i128,
}

/// The private part of a key.
pub(super) const PRIVATE: i128 = -4;
/// Marks a key that was made for a test; in keys to be certified only.
pub(super) const TEST_KEY: i128 = -70_000;

const ED_DSA: i128 = -8;
const ES256: i128 = -7;
const ES384: i128 = -35;

/// A COSE_Key with the members of a public key and those in `allowed`, and no others.
pub(super) fn key(map: &Map<'_>, allowed: &[i128]) -> Result<CoseKey, KeyFault> {
    for (label, _) in map.entries() {
        let label = label.as_int().ok_or(KeyFault::Form)?;
        if !matches!(label, 1 | 3 | 4 | -1 | -2 | -3) && !allowed.contains(&label) {
            return Err(KeyFault::Label(label));
        }
    }
    let int = |label: i128| map.int_key(label).and_then(Item::as_int);
    let bytes = |label: i128, len: usize| {
        map.int_key(label).and_then(Item::as_bytes).filter(|b| b.len() == len).ok_or(KeyFault::Form)
    };
    // key_ops, where stated, must allow what a public key does: verify.
    if let Some(operations) = map.int_key(4) {
        let operations = operations.as_array().ok_or(KeyFault::Form)?;
        if !operations.iter().any(|o| o.as_int() == Some(2)) {
            return Err(KeyFault::Form);
        }
    }
    let algorithm = int(3).ok_or(KeyFault::Form)?;
    let key = match (int(1), algorithm, int(-1)) {
        (Some(1), ED_DSA, Some(6)) if map.int_key(-3).is_none() => {
            // SubjectPublicKeyInfo of Ed25519 (RFC 8410, 4)
            const HEAD: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
            PublicKey::from_spki_der(&[HEAD, bytes(-2, 32)?].concat())
        }
        (Some(2), ES256, Some(1)) => {
            PublicKey::ec(Curve::P256, &[&[4], bytes(-2, 32)?, bytes(-3, 32)?].concat())
        }
        (Some(2), ES384, Some(2)) => {
            PublicKey::ec(Curve::P384, &[&[4], bytes(-2, 48)?, bytes(-3, 48)?].concat())
        }
        _ => return Err(KeyFault::Form),
    };
    Ok(CoseKey { key: key.map_err(|_| KeyFault::Form)?, algorithm })
}

impl CoseKey {
    fn scheme(&self) -> Scheme {
        match self.algorithm {
            ES256 => Scheme::EcdsaFixed(Hash::Sha256),
            ES384 => Scheme::EcdsaFixed(Hash::Sha384),
            _ => Scheme::Ed25519,
        }
    }
}

/// An untagged COSE_Sign1 whose only header is the protected algorithm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sign1<'a> {
    protected: &'a [u8],
    algorithm: i128,
    pub(super) payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Sign1<'a> {
    pub(super) fn read(item: &Item<'a>) -> Option<Self> {
        let [protected, unprotected, payload, signature] = item.as_array()? else { return None };
        let protected = protected.as_bytes()?;
        let header = crate::wire::cbor::read(protected).ok()?;
        let header = header.as_map()?;
        let algorithm = header.int_key(1)?.as_int()?;
        if header.len() != 1 || !unprotected.as_map()?.is_empty() {
            return None;
        }
        Some(Self { protected, algorithm, payload: payload.as_bytes()?, signature: signature.as_bytes()? })
    }

    /// What is signed: Sig_structure with empty external data (RFC 9052, 4.4).
    pub(super) fn signed_bytes(self) -> Vec<u8> {
        let mut out = b"\x84\x6aSignature1".to_vec();
        byte_string(self.protected, &mut out);
        byte_string(&[], &mut out);
        byte_string(self.payload, &mut out);
        out
    }

    /// The scheme and the signature, when the message states the algorithm of the key.
    pub(super) fn signature_for(&self, key: &CoseKey) -> Option<(Scheme, &'a [u8])> {
        (self.algorithm == key.algorithm).then(|| (key.scheme(), self.signature))
    }

    pub(super) fn is_signed_by(&self, key: &CoseKey) -> bool {
        self.signature_for(key).is_some_and(|(scheme, signature)| {
            key.key.verify(scheme, &self.signed_bytes(), signature).is_ok()
        })
    }
}

/// The payload in a Sig_structure.
pub(super) fn payload_of(signed: &[u8]) -> Option<Vec<u8>> {
    let item = crate::wire::cbor::read(signed).ok()?;
    let [_, _, _, payload] = item.as_array()? else { return None };
    payload.as_bytes().map(<[u8]>::to_vec)
}

/// A byte string with the shortest length.
fn byte_string(bytes: &[u8], out: &mut Vec<u8>) {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let [_, _, high, low] = len.to_be_bytes();
    match len {
        0..=23 => out.push(0x40 | low),
        24..=0xff => out.extend([0x58, low]),
        0x100..=0xffff => out.extend([0x59, high, low]),
        _ => {
            out.push(0x5a);
            out.extend(len.to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}
