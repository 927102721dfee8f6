//! TPMT_PUBLIC (part 2, 12.2.4): the public area of an object, of which its name is the digest.

use super::{Fault, MAX_DIGEST, Reader, alg, name_of};
use crate::crypto::{Curve, PublicKey};

/// Bits of objectAttributes (TPMA_OBJECT).
pub(crate) mod attribute {
    pub(crate) const FIXED_TPM: u32 = 1 << 1;
    pub(crate) const ST_CLEAR: u32 = 1 << 2;
    pub(crate) const FIXED_PARENT: u32 = 1 << 4;
    pub(crate) const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
    pub(crate) const USER_WITH_AUTH: u32 = 1 << 6;
    pub(crate) const ADMIN_WITH_POLICY: u32 = 1 << 7;
    pub(crate) const FIRMWARE_LIMITED: u32 = 1 << 8;
    pub(crate) const SVN_LIMITED: u32 = 1 << 9;
    pub(crate) const NO_DA: u32 = 1 << 10;
    pub(crate) const ENCRYPTED_DUPLICATION: u32 = 1 << 11;
    pub(crate) const RESTRICTED: u32 = 1 << 16;
    pub(crate) const DECRYPT: u32 = 1 << 17;
    pub(crate) const SIGN: u32 = 1 << 18;
    pub(crate) const X509_SIGN: u32 = 1 << 19;

    /// Every bit with a meaning, and its name.
    pub(crate) const ALL: [(u32, &str); 14] = [
        (FIXED_TPM, "fixedTPM"),
        (ST_CLEAR, "stClear"),
        (FIXED_PARENT, "fixedParent"),
        (SENSITIVE_DATA_ORIGIN, "sensitiveDataOrigin"),
        (USER_WITH_AUTH, "userWithAuth"),
        (ADMIN_WITH_POLICY, "adminWithPolicy"),
        (FIRMWARE_LIMITED, "firmwareLimited"),
        (SVN_LIMITED, "svnLimited"),
        (NO_DA, "noDA"),
        (ENCRYPTED_DUPLICATION, "encryptedDuplication"),
        (RESTRICTED, "restricted"),
        (DECRYPT, "decrypt"),
        (SIGN, "sign"),
        (X509_SIGN, "x509sign"),
    ];

    /// Bits that must be zero.
    pub(crate) const RESERVED: u32 = 0xfff0_f009;
}

/// A scheme with its hash, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ObjectScheme {
    pub(crate) alg: u16,
    pub(crate) hash: Option<u16>,
}

/// What depends on the type of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters<'a> {
    Rsa { symmetric: u16, scheme: ObjectScheme, key_bits: u16, exponent: u32, modulus: &'a [u8] },
    Ecc { symmetric: u16, scheme: ObjectScheme, curve: u16, x: &'a [u8], y: &'a [u8] },
    KeyedHash,
    SymCipher,
}

/// A TPMT_PUBLIC, with the bytes that its name is the digest of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicArea<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) name_alg: u16,
    pub(crate) attributes: u32,
    pub(crate) auth_policy: &'a [u8],
    pub(crate) parameters: Parameters<'a>,
}

/// Whether this is the type of an object.
pub(crate) fn is_type(id: u16) -> bool {
    matches!(id, alg::RSA | alg::ECC | alg::KEYEDHASH | alg::SYMCIPHER)
}

/// Largest modulus: RSA-8192. No TPM has more than 4096 bits.
const MAX_RSA: usize = 1024;
/// Largest coordinate that is read: BN-P638 has 80 bytes.
const MAX_EC: usize = 80;

impl<'a> PublicArea<'a> {
    /// Reads one that fills `bytes` exactly.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new("public area (TPMT_PUBLIC)", bytes);
        let (kind, name_alg, attributes) = (reader.u16()?, reader.u16()?, reader.u32()?);
        let auth_policy = reader.sized(MAX_DIGEST)?;
        let parameters = match kind {
            alg::RSA => Parameters::Rsa {
                symmetric: symmetric(&mut reader)?,
                scheme: scheme(&mut reader)?,
                key_bits: reader.u16()?,
                exponent: reader.u32()?,
                modulus: reader.sized(MAX_RSA)?,
            },
            alg::ECC => {
                let (symmetric, scheme) = (symmetric(&mut reader)?, scheme(&mut reader)?);
                let curve = reader.u16()?;
                let kdf = reader.u16()?;
                if kdf != alg::NULL {
                    reader.u16()?;
                }
                Parameters::Ecc {
                    symmetric,
                    scheme,
                    curve,
                    x: reader.sized(MAX_EC)?,
                    y: reader.sized(MAX_EC)?,
                }
            }
            alg::KEYEDHASH => {
                match reader.u16()? {
                    alg::HMAC => drop(reader.u16()?),
                    alg::XOR => drop((reader.u16()?, reader.u16()?)),
                    alg::NULL => {}
                    _ => return Err(reader.fault("the scheme of a keyed hash is not known")),
                }
                reader.sized(MAX_DIGEST)?;
                Parameters::KeyedHash
            }
            alg::SYMCIPHER => {
                symmetric(&mut reader)?;
                reader.sized(MAX_DIGEST)?;
                Parameters::SymCipher
            }
            _ => return Err(reader.fault("its type is not known")),
        };
        reader.finish()?;
        Ok(Self { bytes, name_alg, attributes, auth_policy, parameters })
    }

    /// Whether every one of these bits is set.
    pub(crate) fn has(&self, bits: u32) -> bool {
        self.attributes & bits == bits
    }

    /// The name of the object, over the bytes received. `None` when the hash is one that cannot be computed.
    pub(crate) fn name(&self) -> Option<Vec<u8>> {
        name_of(self.name_alg, &[self.bytes])
    }

    /// The qualified name of the object below a parent with this qualified name (or hierarchy handle).
    pub(crate) fn qualified_name(&self, parent: &[u8]) -> Option<Vec<u8>> {
        name_of(self.name_alg, &[parent, &self.name()?])
    }

    /// The scheme of an asymmetric key.
    pub(crate) fn scheme(&self) -> Option<ObjectScheme> {
        match self.parameters {
            Parameters::Rsa { scheme, .. } | Parameters::Ecc { scheme, .. } => Some(scheme),
            Parameters::KeyedHash | Parameters::SymCipher => None,
        }
    }

    /// The public key. `None` for objects that have none, for numbers out of form, and for curves that the
    /// verifier does not know.
    pub(crate) fn key(&self) -> Option<PublicKey> {
        match self.parameters {
            Parameters::Rsa { exponent, modulus, .. } => {
                // Zero stands for the default (part 2, 12.2.3.5).
                let exponent = if exponent == 0 { 65_537 } else { exponent };
                PublicKey::rsa(modulus, &exponent.to_be_bytes()).ok()
            }
            Parameters::Ecc { curve, x, y, .. } => {
                let curve = self::curve(curve)?;
                let mut point = vec![4];
                for coordinate in [x, y] {
                    // Older firmware strips leading zeros.
                    point.extend(std::iter::repeat_n(0, curve.field_len().checked_sub(coordinate.len())?));
                    point.extend(coordinate);
                }
                PublicKey::ec(curve, &point).ok()
            }
            Parameters::KeyedHash | Parameters::SymCipher => None,
        }
    }
}

/// The curve with this identifier (TPM_ECC_CURVE), of those that a subject's key may be on.
fn curve(id: u16) -> Option<Curve> {
    match id {
        0x0003 => Some(Curve::P256),
        0x0004 => Some(Curve::P384),
        0x0005 => Some(Curve::P521),
        _ => None,
    }
}

/// TPMT_SYM_DEF_OBJECT: an algorithm and, unless it is none, key size and mode.
fn symmetric(reader: &mut Reader<'_>) -> Result<u16, Fault> {
    let algorithm = reader.u16()?;
    if algorithm != alg::NULL {
        reader.u16()?;
        reader.u16()?;
    }
    Ok(algorithm)
}

/// TPMT_RSA_SCHEME or TPMT_ECC_SCHEME.
fn scheme(reader: &mut Reader<'_>) -> Result<ObjectScheme, Fault> {
    let algorithm = reader.u16()?;
    let hash = match algorithm {
        alg::NULL | alg::RSAES => None,
        alg::RSASSA
        | alg::RSAPSS
        | alg::OAEP
        | alg::ECDSA
        | alg::ECDH
        | alg::SM2
        | alg::ECSCHNORR
        | alg::ECMQV => Some(reader.u16()?),
        alg::ECDAA => {
            let hash = reader.u16()?;
            reader.u16()?;
            Some(hash)
        }
        _ => return Err(reader.fault("its scheme is not known")),
    };
    Ok(ObjectScheme { alg: algorithm, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecc(x: &[u8], y: &[u8]) -> Vec<u8> {
        let mut bytes = hex::decode("0023000b00040072000000100018000b00030010").unwrap();
        for coordinate in [x, y] {
            bytes.extend(u16::try_from(coordinate.len()).unwrap().to_be_bytes());
            bytes.extend(coordinate);
        }
        bytes
    }

    #[test]
    fn stripped_coordinates_are_padded() {
        let bytes = ecc(&[7; 31], &[8; 32]);
        let area = PublicArea::read(&bytes).unwrap();
        assert!(area.has(attribute::FIXED_TPM | attribute::SIGN) && !area.has(attribute::DECRYPT));
        assert_eq!(area.scheme(), Some(ObjectScheme { alg: alg::ECDSA, hash: Some(alg::SHA256) }));
        let padded = ecc(&[&[0][..], &[7; 31]].concat(), &[8; 32]);
        let padded = PublicArea::read(&padded).unwrap();
        assert_eq!(area.key(), padded.key());
        assert!(area.key().is_some());
        // The name is over the bytes received.
        assert_ne!(area.name(), padded.name());
        assert_eq!(PublicArea::read(&ecc(&[7; 33], &[8; 32])).unwrap().key(), None);
    }

    #[test]
    fn every_truncation_and_every_extra_byte_is_a_fault() {
        let bytes = ecc(&[7; 32], &[8; 32]);
        for end in 0..bytes.len() {
            assert!(PublicArea::read(&bytes[..end]).is_err(), "{end}");
        }
        assert!(PublicArea::read(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn rsa_exponent_zero_is_the_usual_one() {
        let with = |exponent: &str| {
            let head = format!("0001000b0004007200000010001008 00{exponent}0100").replace(' ', "");
            [hex::decode(head).unwrap(), vec![0xc1; 256]].concat()
        };
        let (zero, given) = (with("00000000"), with("00010001"));
        let (zero, given) = (PublicArea::read(&zero).unwrap(), PublicArea::read(&given).unwrap());
        assert_eq!(zero.key(), given.key());
        assert!(zero.key().is_some());
    }

    #[test]
    fn objects_that_are_no_key_of_a_certificate() {
        for text in [
            "0008000b000400420000000500 0b0000",
            "0008000b0004004200000010 0000",
            "0025000b00020042000000060080004300 00",
        ] {
            let bytes = hex::decode(text.replace(' ', "")).unwrap();
            let area = PublicArea::read(&bytes).unwrap();
            assert!(area.key().is_none() && area.scheme().is_none() && area.name().is_some());
        }
    }

    #[test]
    fn reserved_bits_are_those_without_a_name() {
        let named = attribute::ALL.iter().fold(0, |all, (bit, _)| all | bit);
        assert_eq!(named ^ attribute::RESERVED, u32::MAX);
    }
}
