//! Structures of the TPM 2.0 library specification (part 2): attestations, public areas, signatures, creation data.
//!
//! All numbers are big-endian, nothing is padded, and a `TPM2B` is a 16-bit size and as many bytes. Every reader
//! consumes its input exactly: bytes left over are a fault. Nothing here is authentic.

mod attest;
mod creation;
mod public;
mod signature;

pub(crate) use attest::{Attest, Certified, GENERATED, kind};
pub(crate) use creation::CreationData;
pub(crate) use public::{Parameters, PublicArea, attribute, is_type};
pub(crate) use signature::{SignatureValue, TpmSignature, begins_like_signature};

use crate::crypto::Hash;

/// Algorithm identifiers (TPM_ALG_ID).
pub(crate) mod alg {
    pub(crate) const RSA: u16 = 0x0001;
    pub(crate) const SHA1: u16 = 0x0004;
    pub(crate) const HMAC: u16 = 0x0005;
    pub(crate) const KEYEDHASH: u16 = 0x0008;
    pub(crate) const XOR: u16 = 0x000a;
    pub(crate) const SHA256: u16 = 0x000b;
    pub(crate) const SHA384: u16 = 0x000c;
    pub(crate) const SHA512: u16 = 0x000d;
    pub(crate) const NULL: u16 = 0x0010;
    pub(crate) const SM3_256: u16 = 0x0012;
    pub(crate) const RSASSA: u16 = 0x0014;
    pub(crate) const RSAES: u16 = 0x0015;
    pub(crate) const RSAPSS: u16 = 0x0016;
    pub(crate) const OAEP: u16 = 0x0017;
    pub(crate) const ECDSA: u16 = 0x0018;
    pub(crate) const ECDH: u16 = 0x0019;
    pub(crate) const ECDAA: u16 = 0x001a;
    pub(crate) const SM2: u16 = 0x001b;
    pub(crate) const ECSCHNORR: u16 = 0x001c;
    pub(crate) const ECMQV: u16 = 0x001d;
    pub(crate) const ECC: u16 = 0x0023;
    pub(crate) const SYMCIPHER: u16 = 0x0025;
    pub(crate) const SHA3_256: u16 = 0x0027;
    pub(crate) const SHA3_384: u16 = 0x0028;
    pub(crate) const SHA3_512: u16 = 0x0029;
}

/// Handles of the hierarchies (TPM_RH).
pub(crate) mod hierarchy {
    pub(crate) const OWNER: u32 = 0x4000_0001;
    pub(crate) const NULL: u32 = 0x4000_0007;
    pub(crate) const ENDORSEMENT: u32 = 0x4000_000b;
    pub(crate) const PLATFORM: u32 = 0x4000_000c;
}

/// Where and why a structure cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{structure}: {why}")]
pub(crate) struct Fault {
    structure: &'static str,
    why: &'static str,
}

/// The hash with this identifier, of those that the verifier can compute.
pub(crate) fn hash(id: u16) -> Option<Hash> {
    match id {
        alg::SHA1 => Some(Hash::Sha1),
        alg::SHA256 => Some(Hash::Sha256),
        alg::SHA384 => Some(Hash::Sha384),
        alg::SHA512 => Some(Hash::Sha512),
        _ => None,
    }
}

/// Whether this is the identifier of a hash, computable here or not.
pub(crate) fn is_hash(id: u16) -> bool {
    hash(id).is_some() || matches!(id, alg::SM3_256 | alg::SHA3_256 | alg::SHA3_384 | alg::SHA3_512)
}

/// The name of an algorithm for people.
pub(crate) fn alg_name(id: u16) -> String {
    let name = match id {
        alg::RSA => "RSA",
        alg::SHA1 => "SHA-1",
        alg::HMAC => "HMAC",
        alg::KEYEDHASH => "keyed hash",
        alg::XOR => "XOR",
        alg::SHA256 => "SHA-256",
        alg::SHA384 => "SHA-384",
        alg::SHA512 => "SHA-512",
        alg::NULL => "none",
        alg::SM3_256 => "SM3",
        alg::RSASSA => "RSASSA",
        alg::RSAES => "RSAES",
        alg::RSAPSS => "RSAPSS",
        alg::OAEP => "OAEP",
        alg::ECDSA => "ECDSA",
        alg::ECDH => "ECDH",
        alg::ECDAA => "ECDAA",
        alg::SM2 => "SM2",
        alg::ECSCHNORR => "ECSchnorr",
        alg::ECC => "ECC",
        alg::SYMCIPHER => "symmetric cipher",
        alg::SHA3_256 => "SHA3-256",
        alg::SHA3_384 => "SHA3-384",
        alg::SHA3_512 => "SHA3-512",
        other => return format!("algorithm {other:#06x}"),
    };
    name.to_owned()
}

/// The u16 at `at`.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(two.try_into().ok()?))
}

/// The content of the one TPM2B that `bytes` is.
pub(crate) fn tpm2b(bytes: &[u8]) -> Option<&[u8]> {
    let size = usize::from(u16_at(bytes, 0)?);
    bytes.get(2..).filter(|content| content.len() == size)
}

/// A name or qualified name: the identifier of the hash, then the digest of `parts`. `None` for a hash that the
/// verifier cannot compute.
pub(crate) fn name_of(name_alg: u16, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut name = name_alg.to_be_bytes().to_vec();
    name.extend(hash(name_alg)?.digest(&parts.concat()));
    Some(name)
}

/// Reads big-endian numbers and sized buffers, within bounds.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    structure: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(structure: &'static str, bytes: &'a [u8]) -> Self {
        Self { structure, rest: bytes }
    }

    pub(crate) fn fault(&self, why: &'static str) -> Fault {
        Fault { structure: self.structure, why }
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.fault("it is cut short"))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.bytes(N)?.try_into().map_err(|_| self.fault("it is cut short"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_be_bytes)
    }

    /// A TPM2B of at most `limit` bytes.
    pub(crate) fn sized(&mut self, limit: usize) -> Result<&'a [u8], Fault> {
        let size = usize::from(self.u16()?);
        if size > limit {
            return Err(self.fault("a buffer is longer than any TPM makes it"));
        }
        self.bytes(size)
    }

    /// A TPML_PCR_SELECTION: at most 16 banks of at most 4 bytes.
    pub(crate) fn pcr_selection(&mut self) -> Result<Vec<(u16, &'a [u8])>, Fault> {
        const MAX_BANKS: u32 = 16;
        const MAX_BYTES: u8 = 4;
        let count = self.u32()?;
        if count > MAX_BANKS {
            return Err(self.fault("more than 16 PCR banks"));
        }
        let mut banks = Vec::new();
        for _ in 0..count {
            let (bank, size) = (self.u16()?, self.u8()?);
            if size > MAX_BYTES {
                return Err(self.fault("a PCR selection is longer than 4 bytes"));
            }
            banks.push((bank, self.bytes(usize::from(size))?));
        }
        Ok(banks)
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault("there are bytes after its end")) }
    }
}

/// Largest TPM2B_NAME: a hash identifier and a digest of 64 bytes.
const MAX_NAME: usize = 66;
/// Largest digest.
const MAX_DIGEST: usize = 64;
/// Largest TPM2B_DATA (TPMT_HA); TPMs with SHA-512 take 64 bytes of qualifying data.
const MAX_DATA: usize = 66;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sized_buffers_are_exact() {
        assert_eq!(tpm2b(&[0, 2, 1, 2]), Some(&[1, 2][..]));
        assert_eq!(tpm2b(&[0, 0]), Some(&[][..]));
        for bad in [&[][..], &[0], &[0, 2, 1], &[0, 1, 1, 2]] {
            assert_eq!(tpm2b(bad), None);
        }
    }

    #[test]
    fn a_reader_never_runs_over_its_end() {
        let mut reader = Reader::new("test", &[0, 3, 1, 2]);
        assert_eq!(reader.sized(8), Err(Fault { structure: "test", why: "it is cut short" }));
        let mut reader = Reader::new("test", &[0, 9]);
        assert!(reader.sized(8).is_err_and(|f| f.to_string().contains("longer than any")));
        let mut reader = Reader::new("test", &[1, 2, 3]);
        assert_eq!(reader.u16(), Ok(0x0102));
        assert!(reader.clone().u32().is_err() && reader.finish().is_err());
    }

    #[test]
    fn pcr_selections_are_bounded() {
        let good = [0, 0, 0, 1, 0, 0x0b, 3, 1, 0, 0];
        assert_eq!(Reader::new("test", &good).pcr_selection(), Ok(vec![(0x0b, &[1, 0, 0][..])]));
        assert!(Reader::new("test", &[0, 0, 0, 17]).pcr_selection().is_err());
        assert!(Reader::new("test", &[0, 0, 0, 1, 0, 0x0b, 5, 0, 0, 0, 0, 0]).pcr_selection().is_err());
    }

    #[test]
    fn names_begin_with_their_hash() {
        let name = name_of(alg::SHA256, &[b"a", b"bc"]).unwrap();
        assert_eq!(name.len(), 34);
        assert_eq!(name, name_of(alg::SHA256, &[b"abc"]).unwrap());
        assert_eq!(name_of(alg::SM3_256, &[b"abc"]), None);
    }
}
