//! TPMS_CREATION_DATA (part 2, 15.1): under which circumstances a TPM created an object.

use super::{Fault, MAX_DATA, MAX_DIGEST, MAX_NAME, Reader};

/// A TPMS_CREATION_DATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreationData<'a> {
    /// The PCRs whose values are in `pcr_digest`: bank and bitmap.
    pub(crate) pcrs: Vec<(u16, &'a [u8])>,
    pub(crate) pcr_digest: &'a [u8],
    /// A set of bits: bit 0 is locality 0.
    pub(crate) locality: u8,
    pub(crate) parent_name_alg: u16,
    /// Of a primary object, the handle of its hierarchy, like the next.
    pub(crate) parent_name: &'a [u8],
    pub(crate) parent_qualified_name: &'a [u8],
    /// Chosen by the caller at creation.
    pub(crate) outside_info: &'a [u8],
}

impl<'a> CreationData<'a> {
    /// Reads one that fills `bytes` exactly.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new("creation data (TPMS_CREATION_DATA)", bytes);
        let read = Self {
            pcrs: reader.pcr_selection()?,
            pcr_digest: reader.sized(MAX_DIGEST)?,
            locality: reader.u8()?,
            parent_name_alg: reader.u16()?,
            parent_name: reader.sized(MAX_NAME)?,
            parent_qualified_name: reader.sized(MAX_NAME)?,
            outside_info: reader.sized(MAX_DATA)?,
        };
        reader.finish()?;
        Ok(read)
    }

    /// The hierarchy of a primary object.
    pub(crate) fn hierarchy(&self) -> Option<u32> {
        self.parent_name.try_into().ok().map(u32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_object_has_its_hierarchy_as_parent() {
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 1, 0, 0x10];
        for _ in 0..2 {
            bytes.extend([0, 4, 0x40, 0, 0, 7]);
        }
        bytes.extend([0, 1, 9]);
        let read = CreationData::read(&bytes).unwrap();
        assert_eq!((read.hierarchy(), read.outside_info), (Some(super::super::hierarchy::NULL), &[9][..]));
        for end in 0..bytes.len() {
            assert!(CreationData::read(&bytes[..end]).is_err(), "{end}");
        }
        bytes.push(0);
        assert!(CreationData::read(&bytes).is_err());
    }
}
