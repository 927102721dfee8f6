//! OpenPGP public keys (RFC 9580): what is needed to say that an attested key is the key of an OpenPGP certificate.
//!
//! Only the key packets are read. User IDs and signatures are not looked at, so nothing here says whose key it is,
//! or that a subkey belongs to the primary key.

use crate::crypto::{Curve, KeyError, Material, PublicKey, sha1, sha256};
use crate::time::Time;

/// More packets than any key of a subscriber has.
const MAX_PACKETS: usize = 4096;

/// Packet types (RFC 9580, 5).
const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;
const SECRET_SUBKEY: u8 = 7;
const PUBLIC_SUBKEY: u8 = 14;

/// Public-key algorithms (RFC 9580, 9.1).
mod algorithm {
    pub(super) const RSA: [u8; 3] = [1, 2, 3];
    pub(super) const ECDH: u8 = 18;
    pub(super) const ECDSA: u8 = 19;
    pub(super) const EDDSA_LEGACY: u8 = 22;
    pub(super) const X25519: u8 = 25;
    pub(super) const ED25519: u8 = 27;
}

/// Curve identifiers as OpenPGP writes them: the content of the OBJECT IDENTIFIER (RFC 9580, 9.2).
const ED25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
const CURVE25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01];
const CURVES: [(Curve, &[u8]); 6] = [
    (Curve::P256, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
    (Curve::P384, &[0x2b, 0x81, 0x04, 0x00, 0x22]),
    (Curve::P521, &[0x2b, 0x81, 0x04, 0x00, 0x23]),
    (Curve::Secp256k1, &[0x2b, 0x81, 0x04, 0x00, 0x0a]),
    (Curve::BrainpoolP256r1, &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07]),
    (Curve::BrainpoolP384r1, &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b]),
];

/// First octet of a point on one of the legacy curves: the native form follows.
const NATIVE_POINT: u8 = 0x40;

/// An OpenPGP public key with its subkeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPgpKey {
    key: PublicKey,
    created: Time,
    fingerprint: Vec<u8>,
    subkeys: Vec<PublicKey>,
}

/// Why bytes are not an OpenPGP public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenPgpError {
    /// Not a row of whole packets that begins with a key.
    #[error("not a row of OpenPGP packets that begins with a public key")]
    Malformed,
    /// A private key.
    #[error("a private key")]
    Private,
    /// Two primary keys.
    #[error("more than one primary key: export only the one that is to be judged")]
    Several,
    /// A version or algorithm that is not read here.
    #[error("a key of a version or algorithm that is not supported")]
    Unsupported,
}

impl OpenPgpKey {
    /// Reads the packets of a transferable public key (RFC 9580, 10.1), or a key packet alone.
    ///
    /// # Errors
    /// When the bytes are something else. [`OpenPgpError::Private`] only for whole packets with a private key.
    pub fn read(bytes: &[u8]) -> Result<Self, OpenPgpError> {
        let packets = packets(bytes).ok_or(OpenPgpError::Malformed)?;
        if packets.iter().any(|(tag, body)| is_secret(*tag, body)) {
            return Err(OpenPgpError::Private);
        }
        let Some(((PUBLIC_KEY, primary), rest)) = packets.split_first() else {
            return Err(OpenPgpError::Malformed);
        };
        if rest.iter().any(|(tag, _)| *tag == PUBLIC_KEY) {
            return Err(OpenPgpError::Several);
        }
        let (created, key) = key_packet(primary)?;
        // A subkey that cannot be read is one that cannot be told from the attested key: nothing is bound to it.
        let subkeys = rest.iter().filter(|(tag, _)| *tag == PUBLIC_SUBKEY);
        let subkeys = subkeys.filter_map(|(_, body)| Some(key_packet(body).ok()?.1)).collect();
        Ok(Self { key, created, fingerprint: fingerprint(primary).ok_or(OpenPgpError::Malformed)?, subkeys })
    }

    /// The primary key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// When it says it was created.
    #[must_use]
    pub fn created(&self) -> Time {
        self.created
    }

    /// Fingerprint of the primary key.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }

    /// The subkeys that can be read. That they belong to the primary key is not checked.
    #[must_use]
    pub fn subkeys(&self) -> &[PublicKey] {
        &self.subkeys
    }
}

/// The version 4 fingerprints that a key with this creation time (four octets, as in the packet) can have: an
/// Elliptic Curve key has one for each way in which OpenPGP writes it.
#[must_use]
pub fn v4_fingerprints(key: &PublicKey, created: [u8; 4]) -> Vec<[u8; 20]> {
    let bodies: Vec<Vec<u8>> = match key.material() {
        Material::Rsa { n, e } => vec![[&[1][..], &mpi(n), &mpi(e)].concat()],
        Material::Ec { curve, point } => {
            let oid = CURVES.iter().find(|(c, _)| c == curve).map(|(_, oid)| sized(oid)).unwrap_or_default();
            let on_curve = |id: u8, parameters: &[u8]| [&[id][..], &oid, &mpi(point), parameters].concat();
            // Key derivation: digest and cipher of RFC 9580, 11.5.1, and what GnuPG writes for P-384.
            let (sha256, sha384, sha512) = (8, 9, 10);
            let (aes128, aes192, aes256) = (7, 8, 9);
            let kdfs: &[[u8; 2]] = match curve {
                Curve::P384 | Curve::BrainpoolP384r1 => &[[sha384, aes192], [sha384, aes256]],
                Curve::P521 => &[[sha512, aes256]],
                Curve::P256 | Curve::Secp256k1 | Curve::BrainpoolP256r1 => {
                    &[[sha256, aes128], [sha256, aes256]]
                }
            };
            let ecdh = kdfs.iter().map(|[hash, cipher]| on_curve(algorithm::ECDH, &[3, 1, *hash, *cipher]));
            std::iter::once(on_curve(algorithm::ECDSA, &[])).chain(ecdh).collect()
        }
        Material::Ed25519(point) => {
            let native = [&[NATIVE_POINT], point.as_slice()].concat();
            vec![
                [&[algorithm::EDDSA_LEGACY][..], &sized(ED25519_LEGACY), &mpi(&native)].concat(),
                [&[algorithm::ED25519][..], point].concat(),
            ]
        }
        Material::X25519(point) => {
            let native = [&[NATIVE_POINT], point.as_slice()].concat();
            let kdf = [3, 1, 8, 7];
            vec![
                [&[algorithm::ECDH][..], &sized(CURVE25519_LEGACY), &mpi(&native), &kdf].concat(),
                [&[algorithm::X25519][..], point].concat(),
            ]
        }
        Material::Dsa { .. } | Material::MlDsa { .. } | Material::Other { .. } => Vec::new(),
    };
    let packet = |body: &Vec<u8>| v4_fingerprint(&[&[4][..], &created, body].concat());
    bodies.iter().filter_map(packet).collect()
}

fn v4_fingerprint(body: &[u8]) -> Option<[u8; 20]> {
    let length = u16::try_from(body.len()).ok()?.to_be_bytes();
    Some(sha1(&[&[0x99], length.as_slice(), body].concat()))
}

/// RFC 9580, 5.5.4.
fn fingerprint(body: &[u8]) -> Option<Vec<u8>> {
    match body.first()? {
        4 => v4_fingerprint(body).map(Vec::from),
        6 => {
            let length = u32::try_from(body.len()).ok()?.to_be_bytes();
            Some(sha256(&[&[0x9b], length.as_slice(), body].concat()).to_vec())
        }
        _ => None,
    }
}

fn is_secret(tag: u8, body: &[u8]) -> bool {
    matches!(tag, SECRET_KEY | SECRET_SUBKEY) && matches!(body.first(), Some(2..=6))
}

/// The packets that the bytes consist of (RFC 9580, 4.2): type and body. Lengths that are not told beforehand are
/// for messages, not for keys.
fn packets(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        if first & 0x80 == 0 || found.len() >= MAX_PACKETS {
            return None;
        }
        let (tag, length, after) = if first & 0x40 != 0 {
            let (length, after) = new_length(after)?;
            (first & 0x3f, length, after)
        } else {
            let (length, after) = match first & 3 {
                0 => big_endian::<1>(after)?,
                1 => big_endian::<2>(after)?,
                2 => big_endian::<4>(after)?,
                _ => return None,
            };
            (first >> 2 & 0x0f, length, after)
        };
        let (body, after) = after.split_at_checked(length)?;
        found.push((tag, body));
        rest = after;
    }
    Some(found)
}

fn new_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0..=191 => Some((usize::from(first), rest)),
        192..=223 => {
            let (&second, rest) = rest.split_first()?;
            let high = usize::from(first).checked_sub(192)?.checked_mul(256)?;
            Some((high.checked_add(usize::from(second))?.checked_add(192)?, rest))
        }
        255 => big_endian::<4>(rest),
        224..=254 => None,
    }
}

fn big_endian<const N: usize>(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    let number = number.iter().try_fold(0_usize, |n, b| n.checked_mul(256)?.checked_add(usize::from(*b)))?;
    Some((number, rest))
}

/// Creation time and key of a key packet (RFC 9580, 5.5.2).
fn key_packet(body: &[u8]) -> Result<(Time, PublicKey), OpenPgpError> {
    let (&version, rest) = body.split_first().ok_or(OpenPgpError::Malformed)?;
    if !matches!(version, 4 | 6) {
        return Err(OpenPgpError::Unsupported);
    }
    let (created, rest) = rest.split_first_chunk::<4>().ok_or(OpenPgpError::Malformed)?;
    let (&id, mut rest) = rest.split_first().ok_or(OpenPgpError::Malformed)?;
    if version == 6 {
        let (length, material) = big_endian::<4>(rest).ok_or(OpenPgpError::Malformed)?;
        if length != material.len() {
            return Err(OpenPgpError::Malformed);
        }
        rest = material;
    }
    let created = Time::from_unix(i64::from(u32::from_be_bytes(*created)));
    Ok((created, key_material(id, rest)?))
}

fn key_material(id: u8, material: &[u8]) -> Result<PublicKey, OpenPgpError> {
    let broken = || OpenPgpError::Malformed;
    let whole = |rest: &[u8]| rest.is_empty().then_some(()).ok_or(OpenPgpError::Malformed);
    match id {
        id if algorithm::RSA.contains(&id) => {
            let (n, rest) = read_mpi(material).ok_or_else(broken)?;
            let (e, rest) = read_mpi(rest).ok_or_else(broken)?;
            whole(rest)?;
            PublicKey::rsa(n, e).map_err(|_| broken())
        }
        algorithm::ECDSA | algorithm::ECDH | algorithm::EDDSA_LEGACY => {
            let (oid, rest) = read_sized(material).ok_or_else(broken)?;
            let (point, rest) = read_mpi(rest).ok_or_else(broken)?;
            // Key derivation parameters are no part of the key.
            let rest = if id == algorithm::ECDH { read_sized(rest).ok_or_else(broken)?.1 } else { rest };
            whole(rest)?;
            on_curve(id, oid, point)
        }
        algorithm::ED25519 => edwards(ED25519_SPKI, material),
        algorithm::X25519 => edwards(X25519_SPKI, material),
        _ => Err(OpenPgpError::Unsupported),
    }
}

fn on_curve(id: u8, oid: &[u8], point: &[u8]) -> Result<PublicKey, OpenPgpError> {
    let native = || point.split_first().filter(|(first, _)| **first == NATIVE_POINT).map(|(_, rest)| rest);
    match (id, oid) {
        (algorithm::EDDSA_LEGACY, ED25519_LEGACY) => {
            edwards(ED25519_SPKI, native().ok_or(OpenPgpError::Malformed)?)
        }
        (algorithm::ECDH, CURVE25519_LEGACY) => {
            edwards(X25519_SPKI, native().ok_or(OpenPgpError::Malformed)?)
        }
        (algorithm::ECDSA | algorithm::ECDH, oid) => {
            let (curve, _) = CURVES.iter().find(|(_, o)| *o == oid).ok_or(OpenPgpError::Unsupported)?;
            PublicKey::ec(*curve, point).map_err(|_: KeyError| OpenPgpError::Malformed)
        }
        _ => Err(OpenPgpError::Unsupported),
    }
}

/// SubjectPublicKeyInfo up to the 32 octets of the key (RFC 8410, 4).
const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const X25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00];

fn edwards(spki: &[u8], point: &[u8]) -> Result<PublicKey, OpenPgpError> {
    PublicKey::from_spki_der(&[spki, point].concat()).map_err(|_| OpenPgpError::Malformed)
}

/// Multiprecision integer (RFC 9580, 3.2): the count of bits is exact, so that there is one way to write a number.
fn read_mpi(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bits, rest) = big_endian::<2>(bytes)?;
    let (number, rest) = rest.split_at_checked(bits.div_ceil(8))?;
    (bit_length(number) == bits).then_some((number, rest))
}

fn mpi(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|b| **b == 0).count();
    let number = number.get(zeros..).unwrap_or_default();
    let bits = u16::try_from(bit_length(number)).unwrap_or(u16::MAX);
    [&bits.to_be_bytes(), number].concat()
}

fn bit_length(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |b| usize::try_from(b.leading_zeros()).unwrap_or(0));
    number.len().saturating_mul(8).saturating_sub(unused)
}

/// A string after its length in one octet.
fn read_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = big_endian::<1>(bytes)?;
    rest.split_at_checked(length)
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[length], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ed25519(point: [u8; 32]) -> PublicKey {
        edwards(ED25519_SPKI, &point).unwrap()
    }

    /// RFC 9580, A.1 (version 4, EdDSA legacy): the first packet.
    fn sample_v4() -> Vec<u8> {
        hex::decode("98330453f35f0b16092b06010401da470f010107403f098994bdd916ed4053197934e4a87c80733a1280d62f8010992e43ee3b2406").unwrap()
    }

    /// RFC 9580, A.3 (version 6, Ed25519 with an X25519 subkey): the key packets.
    fn sample_v6() -> Vec<u8> {
        let primary =
            "c62a0663877fe31b00000020f94da7bb48d60a61e567706a6587d0331999bb9d891a08242ead84543df895a3";
        let subkey =
            "ce2a0663877fe319000000208693248367f9e5015db922f8f48095dda784987f2d5985b12fbad16caf5e4435";
        hex::decode(format!("{primary}{subkey}")).unwrap()
    }

    #[test]
    fn reads_the_keys_of_the_standard() {
        let key = OpenPgpKey::read(&sample_v4()).unwrap();
        assert_eq!(key.key().algorithm(), "Ed25519");
        assert_eq!(key.created().unix(), 0x53f3_5f0b);
        assert_eq!(hex::encode(key.fingerprint()), "c959bdbafa32a2f89a153b678cfde12197965a9a");
        let fingerprints = v4_fingerprints(key.key(), [0x53, 0xf3, 0x5f, 0x0b]);
        assert!(fingerprints.iter().any(|f| f[..] == *key.fingerprint()));

        let key = OpenPgpKey::read(&sample_v6()).unwrap();
        assert_eq!(key.key().algorithm(), "Ed25519");
        assert_eq!(
            hex::encode(key.fingerprint()),
            "cb186c4f0609a697e4d52dfa6c722b0c1f1e27c18a56708f6525ec27bad9acc9"
        );
        assert_eq!(key.subkeys().iter().map(PublicKey::algorithm).collect::<Vec<_>>(), ["X25519"]);
    }

    #[test]
    fn every_key_type_is_read_back_with_its_fingerprint() {
        let rsa = PublicKey::rsa(&[&[0xc5][..], &[0x5a; 255]].concat(), &[1, 0, 1]).unwrap();
        let p256 = PublicKey::ec(Curve::P256, &[&[4][..], &[7; 64]].concat()).unwrap();
        let created = [1, 2, 3, 4];
        for key in [rsa, p256, ed25519([9; 32])] {
            let (Some(body), Some(print)) =
                (body_of(&key, created), v4_fingerprints(&key, created).first().copied())
            else {
                panic!("no packet")
            };
            let length = u16::try_from(body.len()).unwrap().to_be_bytes();
            let read = OpenPgpKey::read(&[&[0x99], &length[..], &body].concat()).unwrap();
            assert_eq!(*read.key(), key);
            assert_eq!(read.fingerprint(), print);
        }
    }

    fn body_of(key: &PublicKey, created: [u8; 4]) -> Option<Vec<u8>> {
        let material = match key.material() {
            Material::Rsa { n, e } => [&[1][..], &mpi(n), &mpi(e)].concat(),
            Material::Ec { point, .. } => {
                [&[19, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7][..], &mpi(point)].concat()
            }
            Material::Ed25519(point) => {
                let native = [&[0x40], point.as_slice()].concat();
                [&[22][..], &sized(ED25519_LEGACY), &mpi(&native)].concat()
            }
            _ => return None,
        };
        Some([&[4][..], &created, &material].concat())
    }

    #[test]
    fn what_is_not_one_public_key_is_an_error() {
        let good = sample_v4();
        let cut = |n: usize| good[..n].to_vec();
        let with = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            bytes
        };
        for (bytes, error) in [
            (Vec::new(), OpenPgpError::Malformed),
            (cut(20), OpenPgpError::Malformed),
            ([good.clone(), vec![0]].concat(), OpenPgpError::Malformed),
            ([good.clone(), good.clone()].concat(), OpenPgpError::Several),
            // A secret key packet, and a secret subkey after a public key.
            (with(0, 0x94), OpenPgpError::Private),
            ([good.clone(), with(0, 0x9c)].concat(), OpenPgpError::Private),
            // Version 3; an algorithm that is not known; a user ID first.
            (with(2, 3), OpenPgpError::Unsupported),
            (with(7, 99), OpenPgpError::Unsupported),
            (with(0, 0xb4), OpenPgpError::Malformed),
            // The number of bits is not that of the number.
            (with(19, 6), OpenPgpError::Malformed),
            (with(18, 2), OpenPgpError::Malformed),
        ] {
            assert_eq!(OpenPgpKey::read(&bytes), Err(error), "{}", hex::encode(&bytes));
        }
    }
}
