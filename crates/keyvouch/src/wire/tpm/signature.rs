//! TPMT_SIGNATURE (part 2, 11.3.4).

use super::{Fault, Reader, alg, is_hash, u16_at};

/// Largest modulus or coordinate: RSA-8192 has 1024 bytes, P-521 has 66.
const MAX_RSA: usize = 1024;
const MAX_EC: usize = 66;

/// A TPMT_SIGNATURE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TpmSignature<'a> {
    /// How it was made: RSASSA, RSAPSS or ECDSA.
    pub(crate) alg: u16,
    pub(crate) hash: u16,
    pub(crate) value: SignatureValue<'a>,
}

/// The numbers of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureValue<'a> {
    Rsa(&'a [u8]),
    Ec { r: &'a [u8], s: &'a [u8] },
}

/// Whether bytes begin like one of a kind that attestation keys make.
pub(crate) fn begins_like_signature(bytes: &[u8]) -> bool {
    matches!(u16_at(bytes, 0), Some(alg::RSASSA | alg::RSAPSS | alg::ECDSA))
        && u16_at(bytes, 2).is_some_and(is_hash)
}

impl<'a> TpmSignature<'a> {
    /// Reads one that fills `bytes` exactly.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new("signature (TPMT_SIGNATURE)", bytes);
        let read = Self::read_from(&mut reader)?;
        reader.finish()?;
        Ok(read)
    }

    /// Reads one that others follow.
    pub(crate) fn read_from(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (alg, hash) = (reader.u16()?, reader.u16()?);
        let value = match alg {
            alg::RSASSA | alg::RSAPSS => SignatureValue::Rsa(reader.sized(MAX_RSA)?),
            alg::ECDSA => SignatureValue::Ec { r: reader.sized(MAX_EC)?, s: reader.sized(MAX_EC)? },
            _ => return Err(reader.fault("its algorithm is none of RSASSA, RSAPSS and ECDSA")),
        };
        if !is_hash(hash) {
            return Err(reader.fault("its hash is not known"));
        }
        Ok(Self { alg, hash, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds() {
        let rsa = [0, 0x14, 0, 0x0b, 0, 2, 1, 2];
        let read = TpmSignature::read(&rsa).unwrap();
        assert_eq!((read.alg, read.hash, read.value), (0x14, 0x0b, SignatureValue::Rsa(&[1, 2])));
        let ec = [0, 0x18, 0, 0x0b, 0, 1, 1, 0, 1, 2];
        assert_eq!(TpmSignature::read(&ec).unwrap().value, SignatureValue::Ec { r: &[1], s: &[2] });
        assert!(begins_like_signature(&rsa) && begins_like_signature(&ec));
        for end in 0..ec.len() {
            assert!(TpmSignature::read(&ec[..end]).is_err(), "{end}");
        }
        assert!(TpmSignature::read(&[&ec[..], &[0]].concat()).is_err());
    }

    #[test]
    fn other_algorithms_are_faults() {
        for bytes in [[0, 0x1a, 0, 0x0b, 0, 1, 1, 0, 1, 2], [0, 0x18, 0, 0x10, 0, 1, 1, 0, 1, 2]] {
            assert!(!begins_like_signature(&bytes));
            assert!(TpmSignature::read(&bytes).is_err());
        }
    }
}
