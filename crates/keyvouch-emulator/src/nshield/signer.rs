//! Keys as nCore names and marshals them, and signatures with them.

use super::dsa::DsaKey;
use super::marshal::{bignum, word};
use crate::Error;
use crate::key::{Key, KeyKind, SignAlg, sha1};
use std::sync::Arc;

/// M_KeyData of a public key. EC keys come in two types: for any use (`EC`), or for ECDSA only.
///
/// # Errors
/// [`Error::UnfitKey`] for kinds whose form is not known.
pub fn key_data(key: &Key, ecdsa: bool) -> Result<Vec<u8>, Error> {
    if let Some((modulus, exponent)) = key.rsa_public() {
        return Ok([word(1), bignum(exponent), bignum(modulus)].concat());
    }
    let (name, _) = curve(key.kind())?;
    let (x, y) = coordinates(key)?;
    Ok([word(if ecdsa { 46 } else { 44 }), word(name), word(0), bignum(x), bignum(y)].concat())
}

/// The key hash.
///
/// # Errors
/// As [`key_data`].
pub fn key_hash(key: &Key, ecdsa: bool) -> Result<Vec<u8>, Error> {
    if let Some((modulus, exponent)) = key.rsa_public() {
        return Ok(hash("RSA00", &[], &[exponent, modulus]));
    }
    let (_, domain) = curve(key.kind())?;
    let (x, y) = coordinates(key)?;
    let (bits, parameters) = domain.split_first().ok_or(Error::UnfitKey("key hash", key.kind()))?;
    let bits: u32 = bits.parse().map_err(|_| Error::UnfitKey("key hash", key.kind()))?;
    let parameters: Vec<Vec<u8>> = parameters.iter().map(|p| hex::decode(p).unwrap_or_default()).collect();
    let mut numbers: Vec<&[u8]> = parameters.iter().map(Vec::as_slice).collect();
    numbers.extend([&[1], x, y]);
    let head = [word(0), word(0), word(bits)].concat();
    Ok(hash(if ecdsa { "ECDSA00" } else { "EC00" }, &head, &numbers))
}

/// SHA-1 over the name of the type and its numbers, each little-endian in blocks of 64 octets.
fn hash(kind: &str, head: &[u8], numbers: &[&[u8]]) -> Vec<u8> {
    let mut message = format!("nFast KeyHash\0{kind}\0").into_bytes();
    message.extend(head);
    for number in numbers {
        let mut block: Vec<u8> = number.iter().skip_while(|octet| **octet == 0).copied().collect();
        block.reverse();
        block.resize(block.len().div_ceil(64) * 64, 0);
        message.extend(block);
    }
    message.extend(b"invented by nCipher 1997\0");
    sha1(&message)
}

fn coordinates(key: &Key) -> Result<(&[u8], &[u8]), Error> {
    let point = key.point().and_then(|p| p.strip_prefix(&[4]));
    point.map(|p| p.split_at(p.len() / 2)).ok_or(Error::UnfitKey("EC key data", key.kind()))
}

/// Number of the curve, and its domain: bits, then p, a, b, x and y of the generator, its order.
fn curve(kind: KeyKind) -> Result<(u32, &'static [&'static str; 7]), Error> {
    match kind {
        KeyKind::P256 => Ok((4, &P256)),
        KeyKind::P384 => Ok((5, &P384)),
        KeyKind::P521 => Ok((6, &P521)),
        other => Err(Error::UnfitKey("EC key data", other)),
    }
}

/// A key of a module or world that signs.
#[derive(Debug, Clone)]
pub enum Signer {
    /// ECDSA on P-521.
    Ecdsa(Arc<Key>),
    /// DSA.
    Dsa(Arc<DsaKey>),
}

impl Signer {
    /// The ECDSA key of this name.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn ecdsa(label: &str) -> Result<Self, Error> {
        Ok(Self::Ecdsa(Key::shared(&format!("nshield: {label}"), KeyKind::P521)?))
    }

    /// The DSA key of this name.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn dsa(label: &str) -> Result<Self, Error> {
        Ok(Self::Dsa(DsaKey::shared(label)?))
    }

    /// M_KeyData.
    ///
    /// # Errors
    /// As [`key_data`].
    pub fn key_data(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Ecdsa(key) => key_data(key, true),
            Self::Dsa(key) => Ok(key.numbers().iter().fold(word(3), |mut out, number| {
                out.extend(bignum(number));
                out
            })),
        }
    }

    /// The key hash.
    ///
    /// # Errors
    /// As [`key_data`].
    pub fn hash(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Ecdsa(key) => key_hash(key, true),
            Self::Dsa(key) => {
                let numbers = key.numbers();
                Ok(hash("DSA00", &[], &numbers.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            }
        }
    }

    /// Number of the mechanism with which it signs.
    pub fn mechanism(&self) -> u32 {
        match self {
            Self::Ecdsa(_) => 187,
            Self::Dsa(_) => 170,
        }
    }

    /// M_CipherText of a signature.
    ///
    /// # Errors
    /// Those of signing.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let [r, s] = match self {
            Self::Ecdsa(key) => {
                let both = key.sign(SignAlg::EcdsaSha512Raw, message)?;
                let (r, s) = both.split_at(both.len() / 2);
                [r.to_vec(), s.to_vec()]
            }
            Self::Dsa(key) => key.sign(message)?,
        };
        Ok([word(self.mechanism()), bignum(&r), bignum(&s)].concat())
    }
}

// SP 800-186, 3.2.1.
const P256: [&str; 7] = [
    "256",
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
    "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
];
const P384: [&str; 7] = [
    "384",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffff\
     ffff",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffff\
     fffc",
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec\
     2aef",
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e387276\
     0ab7",
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea\
     0e5f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc5\
     2973",
];
const P521: [&str; 7] = [
    "521",
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
     ffffffffffffffffffffffffffffffffffffffff",
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
     fffffffffffffffffffffffffffffffffffffffc",
    "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3b\
     b1bf073573df883d2c34f1ef451fd46b503f00",
    "c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2\
     ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
    "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b901\
     3fad0761353c7086a272c24088be94769fd16650",
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148\
     f709a5d03bb5c9b8899c47aebb6fb71e91386409",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_differ_by_type() {
        let key = Key::shared("test", KeyKind::P256).unwrap();
        assert_ne!(key_hash(&key, true).unwrap(), key_hash(&key, false).unwrap());
        assert!(matches!(
            key_data(&Key::shared("test", KeyKind::Ed25519).unwrap(), true),
            Err(Error::UnfitKey(..))
        ));
    }

    #[test]
    fn signatures_are_as_long_as_real_ones() {
        assert_eq!(Signer::dsa("test").unwrap().key_data().unwrap().len(), 1204);
        // r and s are seldom shorter by a word.
        assert!(Signer::dsa("test").unwrap().sign(b"m").unwrap().len() >= 68);
        assert!(Signer::ecdsa("test").unwrap().sign(b"m").unwrap().len() >= 140);
    }
}
