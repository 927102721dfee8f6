//! The two layouts of a signed blob. All integers are big-endian.

use super::object::{Object, size};
use crate::Error;
use crate::key::{Key, SignAlg};

/// Octets of the signature, which the sizes in the header count.
const SIGNATURE: usize = 256;

/// FW3 blob (firmware from 3.2-08), not yet signed. Fields that are `None` are computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fw3 {
    /// Response code; 0 is success.
    pub response_code: u32,
    /// Response flags; 3 is "attributes and attestation".
    pub flags: u32,
    /// Length of the whole blob with its signature.
    pub total_size: Option<u32>,
    /// Length of the attribute buffer.
    pub buffer_size: Option<u32>,
    /// Handles in the header, each written after a zero word.
    pub handles: Option<Vec<u32>>,
    /// Version of the attribute buffer.
    pub version: u16,
    /// Flags of the attribute buffer.
    pub buffer_flags: u16,
    /// Offset of the first object in the buffer.
    pub key1_offset: Option<u16>,
    /// Offset of the second object; 0 when there is none.
    pub key2_offset: Option<u16>,
    /// One object, or the public and the private half of a pair.
    pub objects: Vec<Object>,
}

impl Fw3 {
    /// A successful answer with these objects.
    pub fn new(objects: Vec<Object>) -> Self {
        Self {
            response_code: 0,
            flags: 3,
            total_size: None,
            buffer_size: None,
            handles: None,
            version: 1,
            buffer_flags: 3,
            key1_offset: None,
            key2_offset: None,
            objects,
        }
    }

    /// All but the signature: what is signed.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn body(&self) -> Result<Vec<u8>, Error> {
        let buffer = self.buffer()?;
        let handles =
            self.handles.clone().unwrap_or_else(|| self.objects.iter().map(|object| object.handle).collect());
        let total = 16 + 8 * handles.len() + buffer.len() + SIGNATURE;
        let mut out = Vec::new();
        out.extend(self.response_code.to_be_bytes());
        out.extend(self.flags.to_be_bytes());
        out.extend(self.total_size.map_or_else(|| size(total), Ok)?.to_be_bytes());
        out.extend(self.buffer_size.map_or_else(|| size(buffer.len()), Ok)?.to_be_bytes());
        for handle in handles {
            out.extend(0u32.to_be_bytes());
            out.extend(handle.to_be_bytes());
        }
        out.extend(buffer);
        Ok(out)
    }

    /// Buffer header and objects.
    fn buffer(&self) -> Result<Vec<u8>, Error> {
        const FIRST: u16 = 8;
        let objects: Vec<_> = self.objects.iter().map(Object::encode).collect::<Result<_, _>>()?;
        let second = match &objects[..] {
            [first, _, ..] => u16::try_from(first.len())
                .ok()
                .and_then(|length| length.checked_add(FIRST))
                .ok_or(Error::TooLarge("offset of the second object"))?,
            _ => 0,
        };
        let mut out = Vec::new();
        out.extend(self.version.to_be_bytes());
        out.extend(self.buffer_flags.to_be_bytes());
        out.extend(self.key1_offset.unwrap_or(FIRST).to_be_bytes());
        out.extend(self.key2_offset.unwrap_or(second).to_be_bytes());
        out.extend(objects.concat());
        Ok(out)
    }

    /// Sign with the partition key: RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and those of [`Key::sign`].
    pub fn sign(&self, partition: &Key) -> Result<Vec<u8>, Error> {
        self.sign_with(partition, SignAlg::RsaPkcs1Sha256)
    }

    /// Sign in another way than the firmware does.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and those of [`Key::sign`].
    pub fn sign_with(&self, partition: &Key, alg: SignAlg) -> Result<Vec<u8>, Error> {
        signed(self.body()?, partition, alg)
    }
}

/// FW2 blob (firmware 2.x), not yet signed. One object; a pair is two blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fw2 {
    /// The first 16 octets, zeros.
    pub prefix: Vec<u8>,
    /// Object size with its header, when not computed.
    pub object_total: Option<u32>,
    /// The object.
    pub object: Object,
    /// What follows the object, 264 zeros.
    pub tail: Vec<u8>,
}

impl Fw2 {
    /// A blob of this object.
    pub fn new(object: Object) -> Self {
        Self { prefix: vec![0; 16], object_total: None, object, tail: vec![0; 264] }
    }

    /// All but the signature: what is signed.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn body(&self) -> Result<Vec<u8>, Error> {
        let object = self.object.encode()?;
        let total = self.object_total.map_or_else(|| size(object.len()), Ok)?;
        Ok([&self.prefix[..], &total.to_be_bytes(), &object, &self.tail].concat())
    }

    /// Sign with the partition key: PKCS#1 type-1 padding around the bare SHA-256 digest.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and those of [`Key::sign`].
    pub fn sign(&self, partition: &Key) -> Result<Vec<u8>, Error> {
        self.sign_with(partition, SignAlg::RsaBareDigest)
    }

    /// Sign in another way than the firmware does.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and those of [`Key::sign`].
    pub fn sign_with(&self, partition: &Key, alg: SignAlg) -> Result<Vec<u8>, Error> {
        signed(self.body()?, partition, alg)
    }
}

fn signed(mut body: Vec<u8>, key: &Key, alg: SignAlg) -> Result<Vec<u8>, Error> {
    let signature = key.sign(alg, &body)?;
    body.extend(signature);
    Ok(body)
}
