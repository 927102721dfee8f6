//! Keys, key hashes and signatures as nCore marshals them (M_KeyData, M_KeyHashEx, M_CipherText).

use super::curves;
use crate::crypto::{Curve, Hash, PublicKey, Scheme, sha1};
use crate::wire::ncore::{NcoreError, Reader};

/// SHA-1 of a key: how nCore names keys.
pub(super) type KeyHash = [u8; 20];

/// Mech_SHA1Hash: the only mechanism of key hashes that was ever seen.
const SHA1_HASH: u32 = 44;
/// Mech_DSAhSHA256.
pub(super) const DSA_SHA256: u32 = 170;
/// Mech_ECDSAhSHA512.
pub(super) const ECDSA_SHA512: u32 = 187;

/// A public key, its numbers big-endian without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyData {
    Rsa { e: Vec<u8>, n: Vec<u8> },
    Dsa { p: Vec<u8>, q: Vec<u8>, g: Vec<u8>, y: Vec<u8> },
    Ec { ecdsa: bool, curve: Curve, x: Vec<u8>, y: Vec<u8> },
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyFault {
    /// Not the marshalled form of a public key.
    #[error("it is not a marshalled public key: {0}")]
    Malformed(String),
    /// A key whose form or hash Entrust documents only by name: nothing is wrong with it, and it cannot be read.
    #[error("{0}, which this verifier does not read yet")]
    Unsupported(String),
}

impl From<NcoreError> for KeyFault {
    fn from(error: NcoreError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl KeyData {
    /// The one key that `bytes` consists of.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, KeyFault> {
        let mut reader = Reader::new(bytes);
        let key = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(key)
    }

    /// The key that is next.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, KeyFault> {
        match reader.word()? {
            1 => {
                let e = reader.number()?;
                Ok(Self::Rsa { e, n: reader.number()? })
            }
            3 => {
                let (p, q) = (reader.number()?, reader.number()?);
                Ok(Self::Dsa { p, q, g: reader.number()?, y: reader.number()? })
            }
            kind @ (44 | 46) => {
                let curve = curve(reader.word()?)?;
                if reader.word()? != 0 {
                    return Err(KeyFault::Malformed(
                        "its point is at infinity, or has unknown flags".to_owned(),
                    ));
                }
                let x = reader.number()?;
                Ok(Self::Ec { ecdsa: kind == 46, curve, x, y: reader.number()? })
            }
            other => Err(match key_type(other) {
                Some(name) => KeyFault::Unsupported(format!("a key of type {name}")),
                None => KeyFault::Malformed(format!("key type {other} is not that of a public key")),
            }),
        }
    }

    /// The key for signature verification and claims.
    pub(super) fn public_key(&self) -> Result<PublicKey, KeyFault> {
        match self {
            Self::Rsa { e, n } => PublicKey::rsa(n, e),
            Self::Dsa { p, q, g, y } => PublicKey::dsa(p, q, g, y),
            Self::Ec { curve, x, y, .. } => {
                let field = curve.field_len();
                let (Some(x), Some(y)) = (padded(x, field), padded(y, field)) else {
                    return Err(KeyFault::Malformed("a coordinate is larger than the field".to_owned()));
                };
                PublicKey::ec(*curve, &[&[4], x.as_slice(), &y].concat())
            }
        }
        .map_err(|error| KeyFault::Malformed(error.to_string()))
    }

    /// The hash by which nCore names the key (application note "nCore key hash"). It is the same for the private
    /// key.
    pub(super) fn hash(&self) -> Result<KeyHash, KeyFault> {
        let mut material = b"nFast KeyHash\0".to_vec();
        match self {
            Self::Rsa { e, .. } if e.len() > 4 => {
                return Err(KeyFault::Unsupported(
                    "an RSA key with an exponent of more than 32 bits".to_owned(),
                ));
            }
            Self::Rsa { e, n } => {
                material.extend(b"RSA00\0");
                [e, n].into_iter().for_each(|number| push_number(&mut material, number));
            }
            Self::Dsa { p, q, g, y } => {
                material.extend(b"DSA00\0");
                [p, q, g, y].into_iter().for_each(|number| push_number(&mut material, number));
            }
            Self::Ec { ecdsa, curve, x, y } => {
                let unsupported = || KeyFault::Unsupported(format!("a key on the curve {}", curve.name()));
                let domain = curves::of(*curve).ok_or_else(unsupported)?;
                material.extend(if *ecdsa { b"ECDSA00\0".as_slice() } else { b"EC00\0" });
                // Two zero words for a prime field, and its length; then the domain, cofactor last.
                for word in [0, 0, domain.bits] {
                    material.extend(word.to_le_bytes());
                }
                for number in domain.numbers {
                    push_number(&mut material, &hex::decode(number).unwrap_or_default());
                }
                push_number(&mut material, &[1]);
                [x, y].into_iter().for_each(|number| push_number(&mut material, number));
            }
        }
        material.extend(b"invented by nCipher 1997\0");
        Ok(sha1(&material))
    }

    /// The mechanism with which such a key signs module certificates.
    pub(super) fn mechanism(&self) -> Option<u32> {
        match self {
            Self::Dsa { .. } => Some(DSA_SHA256),
            Self::Ec { curve: Curve::P521, .. } => Some(ECDSA_SHA512),
            Self::Rsa { .. } | Self::Ec { .. } => None,
        }
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        self.public_key().map_or_else(|fault| fault.to_string(), |key| key.algorithm())
    }
}

/// A number as key hashes have it: little-endian, padded to a multiple of 64 bytes.
fn push_number(to: &mut Vec<u8>, big_endian: &[u8]) {
    to.extend(big_endian.iter().rev());
    let missing = big_endian.len().next_multiple_of(64).saturating_sub(big_endian.len());
    to.extend(std::iter::repeat_n(0, missing));
}

/// Big-endian with leading zeros up to a length; `None` when the number is longer.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let missing = length.checked_sub(number.len())?;
    Some(std::iter::repeat_n(0, missing).chain(number.iter().copied()).collect())
}

/// M_ECName. The curves without a confirmed key hash are told apart from numbers that are none.
pub(super) fn curve(name: u32) -> Result<Curve, KeyFault> {
    match name {
        4 => Ok(Curve::P256),
        5 => Ok(Curve::P384),
        6 => Ok(Curve::P521),
        2 | 3 | 7..=19 | 22..=36 => {
            Err(KeyFault::Unsupported(format!("a key on curve number {name} of nCore")))
        }
        _ => Err(KeyFault::Malformed(format!("curve number {name} is not known"))),
    }
}

/// M_KeyType of public keys that are documented by name only.
fn key_type(number: u32) -> Option<&'static str> {
    Some(match number {
        39 => "KCDSA",
        59 => "X25519",
        65 => "Ed25519",
        82 => "Ed448",
        84 => "ML-DSA",
        86 => "ML-KEM",
        88 => "SLH-DSA",
        _ => return None,
    })
}

/// M_KeyHashEx: a hash with its mechanism, which must be SHA-1; the inner error is another mechanism.
pub(super) fn read_hash_ex(reader: &mut Reader<'_>) -> Result<Result<KeyHash, u32>, NcoreError> {
    match reader.word()? {
        SHA1_HASH => reader.hash().map(Ok),
        other => Ok(Err(other)),
    }
}

/// The one M_KeyHashEx that `bytes` consists of.
pub(super) fn hash_ex(bytes: &[u8]) -> Result<KeyHash, String> {
    let mut reader = Reader::new(bytes);
    let hash = read_hash_ex(&mut reader).map_err(|e| e.to_string())?;
    let hash = hash.map_err(|mechanism| format!("hash mechanism {mechanism} is not SHA-1"))?;
    reader.finish().map_err(|e| e.to_string())?;
    Ok(hash)
}

/// M_CipherText of a signature: the scheme, and r ‖ s. Only the mechanism that belongs to the key is taken.
pub(super) fn signature(bytes: &[u8], key: &PublicKey) -> Result<(Scheme, Vec<u8>), String> {
    let mut reader = Reader::new(bytes);
    let mut read = || Ok::<_, NcoreError>((reader.word()?, reader.number()?, reader.number()?));
    let (mechanism, r, s) = read().map_err(|e| format!("not a marshalled signature: {e}"))?;
    reader.finish().map_err(|e| format!("not a marshalled signature: {e}"))?;
    let (scheme, length) = match mechanism {
        DSA_SHA256 => (Scheme::DsaFixed(Hash::Sha256), 32),
        ECDSA_SHA512 => (Scheme::EcdsaFixed(Hash::Sha512), Curve::P521.field_len()),
        other => return Err(format!("signature mechanism {other} is not one of module certificates")),
    };
    match (padded(&r, length), padded(&s, length)) {
        (Some(r), Some(s)) => Ok((scheme, [r, s].concat())),
        _ => Err(format!("r or s is larger than the order of a {} key", key.algorithm())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_blocks_of_64_bytes() {
        let pushed = |number: &[u8]| {
            let mut out = Vec::new();
            push_number(&mut out, number);
            out
        };
        assert_eq!(pushed(&[]), [0_u8; 0]);
        assert_eq!(pushed(&[1, 2]).len(), 64);
        assert_eq!(pushed(&[1, 2])[..3], [2, 1, 0]);
        assert_eq!((pushed(&[1; 64]).len(), pushed(&[1; 65]).len()), (64, 128));
    }

    #[test]
    fn curves_are_those_of_the_key() {
        // Each point is on its curve: so the domain parameters were copied well.
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let [_, _, _, x, y, _] = curves::of(curve).unwrap().numbers.map(|n| hex::decode(n).unwrap());
            let key = KeyData::Ec { ecdsa: true, curve, x, y };
            assert_eq!(key.public_key().unwrap().is_on_curve(), Some(true), "{}", curve.name());
        }
    }

    #[test]
    fn keys_that_are_known_by_name_are_not_called_malformed() {
        let word = |n: u32| n.to_le_bytes().to_vec();
        assert!(matches!(KeyData::from_bytes(&word(65)), Err(KeyFault::Unsupported(_))));
        assert!(matches!(KeyData::from_bytes(&word(2)), Err(KeyFault::Malformed(_))));
        assert!(matches!(curve(22), Err(KeyFault::Unsupported(_))));
        assert!(matches!(curve(20), Err(KeyFault::Malformed(_))));
        let large = KeyData::Rsa { e: vec![1; 5], n: vec![1; 256] };
        assert!(matches!(large.hash(), Err(KeyFault::Unsupported(_))));
    }
}
