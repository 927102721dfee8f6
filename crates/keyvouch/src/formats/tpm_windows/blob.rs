//! The blobs of Windows: little-endian headers around TPM structures (MS-WCCE, 2.2.2.7.9; PCPTool of the TSS.MSR
//! sources for the inner ones). Nothing in the headers is signed.

use super::checks as ck;
use crate::checks::Check;
use crate::formats::tpm::checks as tpm;
use crate::wire::tpm::{Reader, TpmSignature, tpm2b};

/// What is wrong with a blob, and which check that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) check: &'static Check,
    pub(super) why: &'static str,
}

/// Larger ones are not looked at; real ones have one or two kilobytes.
const MAX_BLOB: usize = 64 * 1024;

/// The platform of TPM 2.0, in both headers.
const TPM20: u32 = 2;
const TPM12: u32 = 1;

/// Reads the fields of a header, then the segments that it gives the sizes of.
struct Header<'a> {
    check: &'static Check,
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    /// After the magic.
    fn of(check: &'static Check, magic: &[u8; 4], blob: &'a [u8]) -> Result<Self, Fault> {
        let fault = |why| Fault { check, why };
        if blob.len() > MAX_BLOB {
            return Err(fault("it is longer than any such blob"));
        }
        let rest = blob.strip_prefix(magic).ok_or(fault("it does not begin with its magic"))?;
        Ok(Self { check, rest })
    }

    fn fault(&self, why: &'static str) -> Fault {
        Fault { check: self.check, why }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| self.fault("its sizes run over its end"))?;
        self.rest = rest;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        let bytes = self.take(4)?.try_into().map_err(|_| self.fault("it is cut short"))?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn sizes<const N: usize>(&mut self) -> Result<[usize; N], Fault> {
        let mut sizes = [0; N];
        for size in &mut sizes {
            *size = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        }
        Ok(sizes)
    }

    fn expect(&mut self, wanted: u32, why: &'static str) -> Result<(), Fault> {
        if self.u32()? == wanted { Ok(()) } else { Err(self.fault(why)) }
    }

    fn platform(&mut self) -> Result<(), Fault> {
        match self.u32()? {
            TPM20 => Ok(()),
            TPM12 => Err(Fault { check: &tpm::TPM12_EVIDENCE, why: "the statement is of TPM 1.2" }),
            _ => Err(self.fault("its platform is not TPM 2.0")),
        }
    }

    fn finish(self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault("there are bytes after its end")) }
    }
}

/// Key attestation statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kast<'a> {
    /// Of the flow with an endorsement key: the attestation key and its creation statement. Else empty.
    pub(super) id_binding: &'a [u8],
    pub(super) key_attestation: &'a [u8],
}

impl<'a> Kast<'a> {
    pub(super) const MAGIC: &'static [u8; 4] = b"KAST";

    pub(super) fn read(blob: &'a [u8]) -> Result<Self, Fault> {
        let mut header = Header::of(&ck::KAST_HEADER, Self::MAGIC, blob)?;
        header.expect(1, "its version is not 1")?;
        header.platform()?;
        header.expect(28, "its header is not 28 bytes long")?;
        let [id_binding, key_attestation, aik_opaque] = header.sizes()?;
        let read =
            Self { id_binding: header.take(id_binding)?, key_attestation: header.take(key_attestation)? };
        header.take(aik_opaque)?;
        header.finish()?;
        Ok(read)
    }
}

/// Key attestation of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kads<'a> {
    pub(super) attest: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) key_blob: &'a [u8],
}

impl<'a> Kads<'a> {
    pub(super) const MAGIC: &'static [u8; 4] = b"KADS";

    pub(super) fn read(blob: &'a [u8]) -> Result<Self, Fault> {
        let mut header = Header::of(&ck::KADS_HEADER, Self::MAGIC, blob)?;
        header.platform()?;
        header.expect(24, "its header is not 24 bytes long")?;
        let [attest, signature, key_blob] = header.sizes()?;
        let read = Self {
            attest: header.take(attest)?,
            signature: header.take(signature)?,
            key_blob: header.take(key_blob)?,
        };
        header.finish()?;
        Ok(read)
    }
}

/// A key blob of the Platform Crypto Provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pcpm<'a> {
    /// TPMT_PUBLIC.
    pub(super) public: &'a [u8],
    /// The branches of the policy.
    pub(super) branches: Vec<&'a [u8]>,
}

impl<'a> Pcpm<'a> {
    pub(super) const MAGIC: &'static [u8; 4] = b"PCPM";

    pub(super) fn read(blob: &'a [u8]) -> Result<Self, Fault> {
        let mut header = Header::of(&ck::PCPM_HEADER, Self::MAGIC, blob)?;
        header.expect(56, "its header is not 56 bytes long")?;
        header.expect(2, "it is not of a TPM 2.0")?;
        let _flags = header.u32()?;
        let [public, private, migration_public, migration_private, policy, rest @ ..] =
            header.sizes::<9>()?;
        // pcrAlgId, and two bytes of padding
        header.take(4)?;
        let public = header.take(public)?;
        for size in [private, migration_public, migration_private] {
            header.take(size)?;
        }
        let policy = header.take(policy)?;
        for size in rest {
            header.take(size)?;
        }
        let public = tpm2b(public).ok_or(header.fault("its public area is no TPM2B_PUBLIC"))?;
        let branches = branches(policy).ok_or(header.fault("its list of policy digests cannot be read"))?;
        header.finish()?;
        Ok(Self { public, branches })
    }
}

/// A 32-bit big-endian count, then TPM2B_DIGESTs.
fn branches(list: &[u8]) -> Option<Vec<&[u8]>> {
    const MAX_BRANCHES: u32 = 8;
    const MAX_DIGEST: usize = 64;
    if list.is_empty() {
        return Some(Vec::new());
    }
    let mut reader = Reader::new("policy digests", list);
    let count = reader.u32().ok().filter(|count| *count <= MAX_BRANCHES)?;
    let branches = (0..count).map(|_| reader.sized(MAX_DIGEST).ok()).collect::<Option<Vec<_>>>()?;
    reader.finish().ok()?;
    Some(branches)
}

/// The attestation key in a KAST of the flow with an endorsement key, with its creation statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdBinding<'a> {
    /// TPMT_PUBLIC.
    pub(super) public: &'a [u8],
    pub(super) creation: &'a [u8],
    pub(super) attest: &'a [u8],
    pub(super) signature: TpmSignature<'a>,
}

impl<'a> IdBinding<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        const MAX: usize = 4096;
        let mut reader = Reader::new("idBinding", bytes);
        let mut read = || {
            Ok::<_, crate::wire::tpm::Fault>(Self {
                public: reader.sized(MAX)?,
                creation: reader.sized(MAX)?,
                attest: reader.sized(MAX)?,
                signature: TpmSignature::read_from(&mut reader)?,
            })
        };
        let read = read().map_err(|fault| fault.to_string())?;
        reader.finish().map_err(|fault| fault.to_string())?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kads(platform: u32, sizes: [u32; 3], tail: &[u8]) -> Vec<u8> {
        let mut blob = b"KADS".to_vec();
        for number in [platform, 24].into_iter().chain(sizes) {
            blob.extend(number.to_le_bytes());
        }
        blob.extend(tail);
        blob
    }

    #[test]
    fn sizes_are_exact() {
        let read =
            |blob: &[u8]| Kads::read(blob).map(|k| (k.attest.len(), k.signature.len(), k.key_blob.len()));
        assert_eq!(read(&kads(2, [1, 2, 3], &[0; 6])), Ok((1, 2, 3)));
        for bad in [
            kads(2, [1, 2, 3], &[0; 5]),
            kads(2, [1, 2, 3], &[0; 7]),
            kads(2, [1, 2, u32::MAX], &[0; 6]),
            kads(3, [1, 2, 3], &[0; 6]),
        ] {
            assert_eq!(read(&bad).unwrap_err().check, &ck::KADS_HEADER);
        }
        assert_eq!(read(&kads(1, [1, 2, 3], &[0; 6])).unwrap_err().check, &tpm::TPM12_EVIDENCE);
    }

    #[test]
    fn policy_digests_are_counted() {
        assert_eq!(branches(&[]), Some(vec![]));
        assert_eq!(branches(&[0, 0, 0, 2, 0, 1, 9, 0, 0]), Some(vec![&[9][..], &[]]));
        assert_eq!(branches(&[0, 0, 0, 9]), None);
        assert_eq!(branches(&[0, 0, 0, 1, 0, 1, 9, 0]), None);
    }
}
