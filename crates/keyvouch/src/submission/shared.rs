//! Bytes that many submissions share.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::crypto;

/// Bytes that many submissions share, such as a list of revoked keys of some megabytes: copied by reference, and digested
/// once.
#[derive(Clone)]
pub struct SharedBytes(Arc<Inner>);

struct Inner {
    bytes: Vec<u8>,
    sha256: OnceLock<[u8; 32]>,
}

impl SharedBytes {
    /// SHA-256 of the bytes.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        self.0.sha256.get_or_init(|| crypto::sha256(&self.0.bytes))
    }
}

impl<B: Into<Vec<u8>>> From<B> for SharedBytes {
    fn from(bytes: B) -> Self {
        Self(Arc::new(Inner { bytes: bytes.into(), sha256: OnceLock::new() }))
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl PartialEq for SharedBytes {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for SharedBytes {}

impl fmt::Debug for SharedBytes {
    /// Without the bytes: they may be a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBytes({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_bytes_and_digest() {
        let one = SharedBytes::from(*b"abc");
        let copy = one.clone();
        assert_eq!(one.sha256(), &crypto::sha256(b"abc"));
        assert!(std::ptr::eq(one.sha256(), copy.sha256()) && std::ptr::eq(&*one, &*copy));
        assert_eq!(one, SharedBytes::from(*b"abc"));
        assert_ne!(one, SharedBytes::from(*b"abd"));
        assert_eq!(format!("{one:?}"), "SharedBytes(3 bytes)");
    }
}
