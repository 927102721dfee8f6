//! OpenPGP public keys (RFC 9580): version 4 key packets, their fingerprints, and armor.

use crate::key::{Key, KeyKind, curve_oid, sha1};
use crate::{Error, der, pem};

/// Packet types.
pub mod tag {
    /// Secret key.
    pub const SECRET_KEY: u8 = 5;
    /// Public key.
    pub const PUBLIC_KEY: u8 = 6;
    /// User ID.
    pub const USER_ID: u8 = 13;
    /// Public subkey.
    pub const PUBLIC_SUBKEY: u8 = 14;
}

/// Object identifiers of the legacy curves.
const ED25519_LEGACY: &str = "1.3.6.1.4.1.11591.15.1";
const CURVE25519_LEGACY: &str = "1.3.6.1.4.1.3029.1.5.1";

/// Body of a version 4 public-key packet as GnuPG writes it. `decrypts` makes an EC key one for ECDH.
///
/// # Errors
/// [`Error::TooLarge`], or [`Error::UnfitKey`] for a key without numbers.
pub fn key_body(key: &Key, created: u32, decrypts: bool) -> Result<Vec<u8>, Error> {
    let mut body = vec![4];
    body.extend(created.to_be_bytes());
    if let Some((modulus, exponent)) = key.rsa_public() {
        body.push(1);
        body.extend(mpi(modulus)?);
        body.extend(mpi(exponent)?);
        return Ok(body);
    }
    let point = key.point().ok_or(Error::UnfitKey("an OpenPGP key", key.kind()))?;
    let native = der::join(&[&[0x40], point]);
    let kind = key.kind();
    let (algorithm, curve, point) = match kind {
        KeyKind::Ed25519 => (22, ED25519_LEGACY, native.as_slice()),
        KeyKind::X25519 => (18, CURVE25519_LEGACY, native.as_slice()),
        kind => (if decrypts { 18 } else { 19 }, curve_oid(kind)?, point),
    };
    body.push(algorithm);
    // The length of the identifier, and its content without the DER tag.
    body.extend(der::oid(curve)?.split_first().map(|(_, rest)| rest).unwrap_or_default());
    body.extend(mpi(point)?);
    if algorithm == 18 {
        body.extend(match kind {
            KeyKind::P384 => [3, 1, 9, 9],
            KeyKind::P521 => [3, 1, 10, 9],
            _ => [3, 1, 8, 7],
        });
    }
    Ok(body)
}

fn mpi(number: &[u8]) -> Result<Vec<u8>, Error> {
    let zeros = number.first().map_or(0, |first| first.leading_zeros());
    let octets = u32::try_from(number.len()).map_err(|_| Error::TooLarge("an OpenPGP number"))?;
    let bits = u16::try_from(octets * 8 - zeros).map_err(|_| Error::TooLarge("an OpenPGP number"))?;
    Ok(der::join(&[&bits.to_be_bytes(), number]))
}

/// Version 4 fingerprint of the body of a key packet.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn fingerprint(body: &[u8]) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(body.len()).map_err(|_| Error::TooLarge("an OpenPGP key"))?;
    Ok(sha1(&der::join(&[&[0x99], &length.to_be_bytes()[..], body])))
}

/// A packet in the old form with a length of two octets, as GnuPG writes keys.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn packet(tag: u8, body: &[u8]) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(body.len()).map_err(|_| Error::TooLarge("an OpenPGP packet"))?;
    Ok(der::join(&[&[0x81 | tag << 2], &length.to_be_bytes()[..], body]))
}

/// A public key with a user ID that nobody signed.
///
/// # Errors
/// As [`key_body`].
pub fn public_key(key: &Key, created: u32, user_id: &str) -> Result<Vec<u8>, Error> {
    let primary = packet(tag::PUBLIC_KEY, &key_body(key, created, false)?)?;
    Ok(der::join(&[primary, packet(tag::USER_ID, user_id.as_bytes())?]))
}

/// Armor with the optional checksum.
pub fn armor(packets: &[u8]) -> String {
    let text = pem::encode("PGP PUBLIC KEY BLOCK", packets);
    let checksum = crc24(packets).to_be_bytes();
    let line = crate::bundle::base64(&checksum[1..]);
    text.replacen("-----\n", "-----\nComment: emulated\n\n", 1).replacen(
        "-----END",
        &format!("={}\n-----END", line.trim_end()),
        1,
    )
}

/// RFC 9580, 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc: u32 = 0x00b7_04ce;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    crc & 0x00ff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_real_armor() {
        // A public-key packet of Ed25519 and a user ID, with the checksum of another program.
        let text = "xjMEZOyFYxYJKwYBBAHaRw8BAQdAI8qaBmLIHEwYulY4BiIvnRc64Ggw0NXmMpZq5sxgZj3NHGRlcml2ZWQgZnJvbSB0aGUgYXR0ZXN0YXRpb24=";
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        assert!(armor(&bytes).contains("\n=/ZSN\n-----END PGP PUBLIC KEY BLOCK-----\n"));
    }
}
