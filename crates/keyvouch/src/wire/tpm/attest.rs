//! TPMS_ATTEST (part 2, 10.12): what a TPM signs.

use super::{Fault, MAX_DATA, MAX_DIGEST, MAX_NAME, Reader, u16_at};

/// TPM_GENERATED_VALUE: the first four bytes of everything that a TPM signs of its own. A restricted key signs no
/// outside data that begins so, which is why the value must be looked at.
pub(crate) const GENERATED: u32 = 0xff54_4347;

/// Types of attestation (TPM_ST).
pub(crate) mod kind {
    pub(crate) const NV: u16 = 0x8014;
    pub(crate) const COMMAND_AUDIT: u16 = 0x8015;
    pub(crate) const SESSION_AUDIT: u16 = 0x8016;
    pub(crate) const CERTIFY: u16 = 0x8017;
    pub(crate) const QUOTE: u16 = 0x8018;
    pub(crate) const TIME: u16 = 0x8019;
    pub(crate) const CREATION: u16 = 0x801a;
    pub(crate) const NV_DIGEST: u16 = 0x801c;

    /// The name of a type for people.
    pub(crate) fn name(kind: u16) -> &'static str {
        match kind {
            NV => "NV content",
            COMMAND_AUDIT => "command audit",
            SESSION_AUDIT => "session audit",
            CERTIFY => "certify",
            QUOTE => "quote",
            TIME => "time",
            CREATION => "creation",
            NV_DIGEST => "NV digest",
            _ => "unknown type",
        }
    }
}

/// What is attested of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certified<'a> {
    /// TPMS_CERTIFY_INFO.
    Certify { name: &'a [u8], qualified_name: &'a [u8] },
    /// TPMS_CREATION_INFO.
    Creation { name: &'a [u8], creation_hash: &'a [u8] },
    /// Something else than an object.
    Other,
}

/// A TPMS_ATTEST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attest<'a> {
    pub(crate) magic: u32,
    pub(crate) kind: u16,
    pub(crate) qualified_signer: &'a [u8],
    pub(crate) extra_data: &'a [u8],
    pub(crate) clock: u64,
    pub(crate) reset_count: u32,
    pub(crate) restart_count: u32,
    pub(crate) safe: bool,
    pub(crate) firmware_version: u64,
    pub(crate) certified: Certified<'a>,
}

impl<'a> Attest<'a> {
    /// Whether bytes announce themselves as one: by their magic, or by the type behind it.
    pub(crate) fn announced(bytes: &[u8]) -> bool {
        bytes.starts_with(&GENERATED.to_be_bytes())
    }

    /// Whether the type is where it belongs, whatever the magic is.
    pub(crate) fn has_type(bytes: &[u8]) -> bool {
        matches!(u16_at(bytes, 4), Some(kind::NV..=kind::NV_DIGEST))
    }

    /// Reads one that fills `bytes` exactly. The magic is for the caller to look at.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        Self::read_with(bytes, boolean)
    }

    /// The same, except that `safe` may be any byte. For statements of WebAuthn: nothing there looks at the flag, and
    /// the specification's own test vector has 33 in it.
    pub(crate) fn read_with_any_flag(bytes: &'a [u8]) -> Result<Self, Fault> {
        Self::read_with(bytes, |reader| reader.u8().map(|safe| safe != 0))
    }

    fn read_with(
        bytes: &'a [u8],
        flag: impl FnOnce(&mut Reader<'a>) -> Result<bool, Fault>,
    ) -> Result<Self, Fault> {
        let mut reader = Reader::new("attestation (TPMS_ATTEST)", bytes);
        let (magic, kind) = (reader.u32()?, reader.u16()?);
        let (qualified_signer, extra_data) = (reader.sized(MAX_NAME)?, reader.sized(MAX_DATA)?);
        let (clock, reset_count, restart_count) = (reader.u64()?, reader.u32()?, reader.u32()?);
        let safe = flag(&mut reader)?;
        let firmware_version = reader.u64()?;
        let certified = match kind {
            kind::CERTIFY => {
                Certified::Certify { name: reader.sized(MAX_NAME)?, qualified_name: reader.sized(MAX_NAME)? }
            }
            kind::CREATION => Certified::Creation {
                name: reader.sized(MAX_NAME)?,
                creation_hash: reader.sized(MAX_DIGEST)?,
            },
            other => {
                skip(other, &mut reader)?;
                Certified::Other
            }
        };
        reader.finish()?;
        Ok(Self {
            magic,
            kind,
            qualified_signer,
            extra_data,
            clock,
            reset_count,
            restart_count,
            safe,
            firmware_version,
            certified,
        })
    }

    /// The name of the object that is attested.
    pub(crate) fn name(&self) -> Option<&'a [u8]> {
        match self.certified {
            Certified::Certify { name, .. } | Certified::Creation { name, .. } => Some(name),
            Certified::Other => None,
        }
    }
}

fn boolean(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(reader.fault("a flag is neither 0 nor 1")),
    }
}

/// The attested part of the other types, which are read only so that their end is known.
fn skip(kind: u16, reader: &mut Reader<'_>) -> Result<(), Fault> {
    /// Largest TPM2B_MAX_NV_BUFFER that the wire format allows for; TPMs have 2048 or less.
    const MAX_NV: usize = 4096;
    match kind {
        kind::NV => {
            reader.sized(MAX_NAME)?;
            reader.u16()?;
            reader.sized(MAX_NV)?;
        }
        kind::COMMAND_AUDIT => {
            reader.u64()?;
            reader.u16()?;
            reader.sized(MAX_DIGEST)?;
            reader.sized(MAX_DIGEST)?;
        }
        kind::SESSION_AUDIT => {
            boolean(reader)?;
            reader.sized(MAX_DIGEST)?;
        }
        kind::QUOTE => {
            reader.pcr_selection()?;
            reader.sized(MAX_DIGEST)?;
        }
        kind::TIME => {
            // TPMS_TIME_INFO: time, clock, resetCount, restartCount, safe; then the firmware version.
            reader.bytes(24)?;
            boolean(reader)?;
            reader.u64()?;
        }
        kind::NV_DIGEST => {
            reader.sized(MAX_NAME)?;
            reader.sized(MAX_DIGEST)?;
        }
        _ => return Err(reader.fault("its type is not known")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attest(kind: u16, safe: u8, tail: &[u8]) -> Vec<u8> {
        let mut bytes = GENERATED.to_be_bytes().to_vec();
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 1, 0xaa, 0, 2, 1, 2]);
        bytes.extend([0; 16]);
        bytes.push(safe);
        bytes.extend([7; 8]);
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn certify_and_creation() {
        let bytes = attest(kind::CERTIFY, 1, &[0, 1, 5, 0, 1, 6]);
        let read = Attest::read(&bytes).unwrap();
        assert_eq!((read.magic, read.kind, read.safe), (GENERATED, kind::CERTIFY, true));
        assert_eq!((read.qualified_signer, read.extra_data), (&[0xaa][..], &[1, 2][..]));
        assert_eq!(read.certified, Certified::Certify { name: &[5], qualified_name: &[6] });
        let bytes = attest(kind::CREATION, 0, &[0, 1, 5, 0, 1, 6]);
        let read = Attest::read(&bytes).unwrap();
        assert_eq!(read.certified, Certified::Creation { name: &[5], creation_hash: &[6] });
        assert_eq!(read.name(), Some(&[5][..]));
    }

    #[test]
    fn every_truncation_and_every_extra_byte_is_a_fault() {
        let bytes = attest(kind::CERTIFY, 1, &[0, 1, 5, 0, 1, 6]);
        for end in 0..bytes.len() {
            assert!(Attest::read(&bytes[..end]).is_err(), "{end}");
        }
        assert!(Attest::read(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert!(Attest::read(&attest(kind::CERTIFY, 2, &[0, 0, 0, 0])).is_err());
    }

    #[test]
    fn other_types_are_read_to_their_end() {
        for (kind, tail) in [
            (kind::QUOTE, vec![0, 0, 0, 1, 0, 0x0b, 3, 1, 0, 0, 0, 1, 9]),
            (kind::SESSION_AUDIT, vec![1, 0, 1, 9]),
            (kind::COMMAND_AUDIT, [&[0; 10][..], &[0, 0, 0, 0]].concat()),
            (kind::TIME, [&[0; 24][..], &[1], &[0; 8]].concat()),
            (kind::NV, vec![0, 1, 9, 0, 0, 0, 1, 9]),
            (kind::NV_DIGEST, vec![0, 1, 9, 0, 1, 9]),
        ] {
            let bytes = attest(kind, 1, &tail);
            assert_eq!(Attest::read(&bytes).unwrap().name(), None, "{}", kind::name(kind));
            assert!(Attest::read(&[bytes.as_slice(), &[0]].concat()).is_err());
        }
        assert!(Attest::read(&attest(0x801b, 1, &[])).is_err());
    }
}
