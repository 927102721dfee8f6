//! Keys and algorithms of COSE (RFC 9052, section 7; RFC 9053; RFC 8230; RFC 8812; RFC 9864) as authenticators use
//! them (Web Authentication, "Cryptographic Algorithm Identifiers"; CTAP2).
//!
//! Stricter than COSE: a key names its algorithm, has the members of its type and no others, and its algorithm
//! fixes its curve. ECDSA signatures of authenticators are DER, not the pair of numbers that COSE has.

use super::cbor::{Item, Map};
use crate::crypto::{Curve, Hash, Material, MlDsa, PublicKey, Scheme, hygiene};

/// A signature algorithm by its number in the IANA registry "COSE Algorithms".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Algorithm {
    pub(crate) id: i128,
    pub(crate) name: &'static str,
    /// How its signatures are verified; `None` for one that this verifier can only name.
    pub(crate) scheme: Option<Scheme>,
    key: KeyType,
}

/// The keys of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyType {
    Ec(Curve),
    Ed25519,
    Ed448,
    Rsa,
    MlDsa(MlDsa),
}

/// RSASSA-PKCS1-v1_5 with SHA-1, which Windows Hello uses in statements of TPMs.
pub(crate) const RS1: i128 = -65_535;

const TABLE: [Algorithm; 20] = {
    use Hash::{Sha1, Sha256, Sha384, Sha512};
    use KeyType::{Ec, Ed448, Ed25519, Rsa};
    const fn row(id: i128, name: &'static str, scheme: Option<Scheme>, key: KeyType) -> Algorithm {
        Algorithm { id, name, scheme, key }
    }
    [
        row(-7, "ES256", Some(Scheme::Ecdsa(Sha256)), Ec(Curve::P256)),
        row(-9, "ESP256", Some(Scheme::Ecdsa(Sha256)), Ec(Curve::P256)),
        row(-35, "ES384", Some(Scheme::Ecdsa(Sha384)), Ec(Curve::P384)),
        row(-51, "ESP384", Some(Scheme::Ecdsa(Sha384)), Ec(Curve::P384)),
        row(-36, "ES512", Some(Scheme::Ecdsa(Sha512)), Ec(Curve::P521)),
        row(-52, "ESP512", Some(Scheme::Ecdsa(Sha512)), Ec(Curve::P521)),
        row(-47, "ES256K", Some(Scheme::Ecdsa(Sha256)), Ec(Curve::Secp256k1)),
        row(-8, "EdDSA", Some(Scheme::Ed25519), Ed25519),
        row(-19, "Ed25519", Some(Scheme::Ed25519), Ed25519),
        row(-53, "Ed448", None, Ed448),
        row(-37, "PS256", Some(Scheme::RsaPss(Sha256)), Rsa),
        row(-38, "PS384", Some(Scheme::RsaPss(Sha384)), Rsa),
        row(-39, "PS512", Some(Scheme::RsaPss(Sha512)), Rsa),
        row(-257, "RS256", Some(Scheme::RsaPkcs1(Sha256)), Rsa),
        row(-258, "RS384", Some(Scheme::RsaPkcs1(Sha384)), Rsa),
        row(-259, "RS512", Some(Scheme::RsaPkcs1(Sha512)), Rsa),
        row(RS1, "RS1", Some(Scheme::RsaPkcs1(Sha1)), Rsa),
        row(-48, "ML-DSA-44", Some(Scheme::MlDsa(MlDsa::MlDsa44)), KeyType::MlDsa(MlDsa::MlDsa44)),
        row(-49, "ML-DSA-65", Some(Scheme::MlDsa(MlDsa::MlDsa65)), KeyType::MlDsa(MlDsa::MlDsa65)),
        row(-50, "ML-DSA-87", Some(Scheme::MlDsa(MlDsa::MlDsa87)), KeyType::MlDsa(MlDsa::MlDsa87)),
    ]
};

impl Algorithm {
    /// The algorithm with this number.
    pub(crate) fn of(id: i128) -> Option<Self> {
        TABLE.into_iter().find(|algorithm| algorithm.id == id)
    }

    /// Whether a key is of the type, and on the curve, of this algorithm.
    pub(crate) fn is_for(self, key: &PublicKey) -> bool {
        match (self.key, key.material()) {
            (KeyType::Ec(of), Material::Ec { curve, .. }) => *curve == of,
            (KeyType::MlDsa(of), Material::MlDsa { set, .. }) => *set == of,
            (KeyType::Ed25519, Material::Ed25519(_)) | (KeyType::Rsa, Material::Rsa { .. }) => true,
            _ => false,
        }
    }
}

/// A public key and the algorithm that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CoseKey {
    pub(crate) key: PublicKey,
    pub(crate) algorithm: Algorithm,
}

/// Why an item is no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    #[error("{0}")]
    Form(&'static str),
    #[error("algorithm {0} is not one of this verifier")]
    Algorithm(i128),
    #[error("{0} keys cannot be evaluated here")]
    Unsupported(&'static str),
    #[error("{0}")]
    Weak(String),
}

/// Labels of the members.
mod label {
    pub(super) const KTY: i128 = 1;
    pub(super) const ALG: i128 = 3;
}

/// Key types.
mod kty {
    pub(super) const OKP: i128 = 1;
    pub(super) const EC2: i128 = 2;
    pub(super) const RSA: i128 = 3;
    pub(super) const AKP: i128 = 7;
}

impl CoseKey {
    /// Reads a COSE_Key and checks its numbers: points on their curve, RSA of at least 2048 bits with an odd
    /// exponent of at least 65537.
    pub(crate) fn read(item: &Item<'_>) -> Result<Self, KeyFault> {
        let map = item.as_map().ok_or(KeyFault::Form("the key is not a map"))?;
        let int = |label, what| map.int_key(label).and_then(Item::as_int).ok_or(KeyFault::Form(what));
        let kty = int(label::KTY, "the key type (1) is missing or no integer")?;
        let id = int(label::ALG, "the algorithm (3) is missing or no integer")?;
        let algorithm = Algorithm::of(id).ok_or(KeyFault::Algorithm(id))?;
        let own = match kty {
            kty::OKP => &[-1, -2][..],
            kty::EC2 => &[-1, -2, -3],
            kty::RSA => &[-1, -2],
            kty::AKP => &[-1],
            _ => return Err(KeyFault::Form("the key type (1) is none of OKP, EC2, RSA and AKP")),
        };
        let known = |key: &Item<'_>| key.as_int().is_some_and(|n| n == 1 || n == 3 || own.contains(&n));
        if !map.entries().all(|(key, _)| known(key)) {
            return Err(KeyFault::Form("the key has a member that its type does not have"));
        }
        let key = match kty {
            kty::OKP => okp(map, int(-1, "the curve (-1) is missing or no integer")?)?,
            kty::EC2 => ec2(map, int(-1, "the curve (-1) is missing or no integer")?)?,
            kty::RSA => rsa(map)?,
            _ => akp(map, algorithm)?,
        };
        if !algorithm.is_for(&key) {
            return Err(KeyFault::Form("the algorithm (3) is for keys of another type or curve"));
        }
        if algorithm.id == RS1 {
            return Err(KeyFault::Weak("the key is for signatures with SHA-1".to_owned()));
        }
        Ok(Self { key, algorithm })
    }
}

fn bytes<'a>(map: &Map<'a>, label: i128, what: &'static str) -> Result<&'a [u8], KeyFault> {
    map.int_key(label).and_then(Item::as_bytes).ok_or(KeyFault::Form(what))
}

fn okp(map: &Map<'_>, curve: i128) -> Result<PublicKey, KeyFault> {
    let x = bytes(map, -2, "x (-2) is missing or no byte string")?;
    match curve {
        6 => PublicKey::ed25519(x).map_err(|_| KeyFault::Form("x (-2) has not 32 bytes")),
        7 => Err(KeyFault::Unsupported("Ed448")),
        _ => Err(KeyFault::Form("the curve (-1) is not one that signs")),
    }
}

fn ec2(map: &Map<'_>, curve: i128) -> Result<PublicKey, KeyFault> {
    let curve = match curve {
        1 => Curve::P256,
        2 => Curve::P384,
        3 => Curve::P521,
        8 => Curve::Secp256k1,
        _ => return Err(KeyFault::Form("the curve (-1) is not known")),
    };
    let x = bytes(map, -2, "x (-2) is missing or no byte string")?;
    let y = bytes(map, -3, "y (-3) is missing or no byte string")?;
    if x.len() != curve.field_len() || y.len() != curve.field_len() {
        return Err(KeyFault::Form("a coordinate is not as long as its curve's field"));
    }
    let key = PublicKey::ec(curve, &[&[4], x, y].concat())
        .map_err(|_| KeyFault::Form("the coordinates are not in form"))?;
    match key.is_on_curve() {
        Some(true) => Ok(key),
        _ => Err(KeyFault::Form("the point is not on its curve")),
    }
}

fn rsa(map: &Map<'_>) -> Result<PublicKey, KeyFault> {
    let n = bytes(map, -1, "n (-1) is missing or no byte string")?;
    let e = bytes(map, -2, "e (-2) is missing or no byte string")?;
    let key = PublicKey::rsa(n, e).map_err(|_| KeyFault::Form("n or e is zero or too long"))?;
    let bits = key.rsa_bits().unwrap_or(0);
    if bits < 2048 {
        return Err(KeyFault::Weak(format!("the RSA key has only {bits} bits")));
    }
    match key.material() {
        Material::Rsa { e, .. } if hygiene::exponent_is_sound(e) && hygiene::exponent_is_usual(e) => Ok(key),
        _ => Err(KeyFault::Weak("the RSA exponent is even or below 65537".to_owned())),
    }
}

fn akp(map: &Map<'_>, algorithm: Algorithm) -> Result<PublicKey, KeyFault> {
    let KeyType::MlDsa(set) = algorithm.key else {
        return Err(KeyFault::Form("the algorithm (3) is for keys of another type or curve"));
    };
    let public = bytes(map, -1, "the public key (-1) is missing or no byte string")?;
    PublicKey::ml_dsa(set, public)
        .map_err(|_| KeyFault::Form("the public key (-1) has not its algorithm's length"))
}

#[cfg(test)]
mod tests {
    use keyvouch_emulator::key::{Key, KeyKind};

    use super::super::cbor;
    use super::*;

    fn read(bytes: &[u8]) -> Result<CoseKey, KeyFault> {
        CoseKey::read(&cbor::read(bytes).unwrap())
    }

    fn point(kind: KeyKind) -> (Vec<u8>, PublicKey) {
        let key = Key::shared("cose", kind).unwrap();
        let public = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        let Material::Ec { point, .. } = public.material() else { panic!() };
        (point[1..].to_vec(), public)
    }

    /// `{1: kty, 3: alg, -1: crv, -2: x, -3: y}`
    fn ec(alg: &[u8], curve: u8, xy: &[u8]) -> Vec<u8> {
        let half = xy.len() / 2;
        let coordinate = |bytes: &[u8]| [&[0x58, u8::try_from(bytes.len()).unwrap()], bytes].concat();
        [
            &[0xa5, 1, 2, 3][..],
            alg,
            &[0x20, curve, 0x21],
            &coordinate(&xy[..half]),
            &[0x22],
            &coordinate(&xy[half..]),
        ]
        .concat()
    }

    #[test]
    fn an_ec_key_of_its_algorithms_curve() {
        let (xy, key) = point(KeyKind::P256);
        let read_key = read(&ec(&[0x26], 1, &xy)).unwrap();
        assert_eq!((read_key.algorithm.name, &read_key.key), ("ES256", &key));
        assert_eq!(read(&ec(&[0x28], 1, &xy)).unwrap().algorithm.name, "ESP256");
        // ES384 wants P-384, and P-384 another length.
        assert!(matches!(read(&ec(&[0x38, 34], 1, &xy)), Err(KeyFault::Form(_))));
        assert!(matches!(read(&ec(&[0x26], 2, &xy)), Err(KeyFault::Form(_))));
        assert!(matches!(read(&ec(&[0x26], 8, &xy)), Err(KeyFault::Form(_))));
        let mut off = xy.clone();
        off[40] ^= 1;
        assert_eq!(read(&ec(&[0x26], 1, &off)), Err(KeyFault::Form("the point is not on its curve")));
        assert_eq!(read(&ec(&[0x39, 0xff, 0xfd], 1, &xy)), Err(KeyFault::Algorithm(-65_534)));
    }

    #[test]
    fn members_are_those_of_the_type() {
        let (xy, _) = point(KeyKind::P256);
        let good = ec(&[0x26], 1, &xy);
        let mut more = good.clone();
        more[0] = 0xa6;
        more.extend([2, 0x41, 7]);
        assert_eq!(read(&more), Err(KeyFault::Form("the key has a member that its type does not have")));
        // y as a sign bit is compression, which authenticators may not use.
        let sign = [&good[..good.len() - 34], &[0xf5]].concat();
        assert_eq!(read(&sign), Err(KeyFault::Form("y (-3) is missing or no byte string")));
        assert!(read(&[0xa2, 1, 2, 0x20, 1]).is_err() && read(&[0x80]).is_err());
        assert!(read(&[0xa2, 1, 4, 3, 0x26]).is_err());
    }

    #[test]
    fn other_types() {
        let ed = [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32][..], &[9; 32]].concat();
        assert_eq!(read(&ed).unwrap().key.algorithm(), "Ed25519");
        let short = [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 31][..], &[9; 31]].concat();
        assert_eq!(read(&short), Err(KeyFault::Form("x (-2) has not 32 bytes")));
        let ed448 = [&[0xa4, 1, 1, 3, 0x38, 52, 0x20, 7, 0x21, 0x58, 57][..], &[9; 57]].concat();
        assert_eq!(read(&ed448), Err(KeyFault::Unsupported("Ed448")));
        let akp = [&[0xa3, 1, 7, 3, 0x38, 47, 0x20, 0x59, 0x05, 0x20][..], &[9; 1312]].concat();
        assert_eq!(read(&akp).unwrap().key.algorithm(), "ML-DSA-44");
        let other = [&[0xa3, 1, 7, 3, 0x26, 0x20, 0x59, 0x05, 0x20][..], &[9; 1312]].concat();
        assert!(read(&other).is_err());
    }

    #[test]
    fn rsa_keys_are_strong() {
        let rsa = |bits: u16, exponent: &[u8]| {
            let n = bits / 8;
            [
                &[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59][..],
                &n.to_be_bytes(),
                &vec![0xc1; usize::from(n)],
                &[0x21, 0x40 + u8::try_from(exponent.len()).unwrap()],
                exponent,
            ]
            .concat()
        };
        assert_eq!(read(&rsa(2048, &[1, 0, 1])).unwrap().key.algorithm(), "RSA-2048");
        assert!(matches!(read(&rsa(1024, &[1, 0, 1])), Err(KeyFault::Weak(_))));
        assert!(matches!(read(&rsa(2048, &[3])), Err(KeyFault::Weak(_))));
        assert!(matches!(read(&rsa(2048, &[1, 0, 2])), Err(KeyFault::Weak(_))));
    }

    #[test]
    fn numbers_are_there_once() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(TABLE.iter().position(|other| other.id == row.id), Some(index));
        }
    }
}
