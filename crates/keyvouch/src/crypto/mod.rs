//! Keys, signatures and digests: the one table of algorithms that the verifier knows.
//!
//! Signatures are verified by aws-lc-rs over the bytes received. An algorithm that is not in
//! [`Scheme::from_algorithm_identifier`] does not verify: unknown is never valid.

mod brainpool;
mod dsa;
mod ecdsa;
pub mod hygiene;
mod key;
mod lenient;
mod lms;
mod ml_dsa;
mod scheme;

pub(crate) use ecdsa::unsigned_to_fixed as ecdsa_fixed;
pub(crate) use key::ecdsa_der;
pub use key::{Curve, KeyError, Material, PublicKey};
pub use ml_dsa::MlDsa;
pub(crate) use scheme::algorithm_identifier;
pub use scheme::{Hash, Scheme, SchemeError};

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    out
}

/// Digest of `bytes`.
fn digest(hash: Hash, bytes: &[u8]) -> Vec<u8> {
    use aws_lc_rs::digest::{self as lc, digest};
    let algorithm = match hash {
        Hash::Sha1 => &lc::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &lc::SHA256,
        Hash::Sha384 => &lc::SHA384,
        Hash::Sha512 => &lc::SHA512,
    };
    digest(algorithm, bytes).as_ref().to_vec()
}

/// SHA-1 of `bytes`; for values that a device computes with it (key check values), never for trust.
#[must_use]
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref(),
    );
    out
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature is not one of this key over these bytes.
    #[error("the signature does not verify")]
    Invalid,
    /// The key cannot make signatures of that algorithm.
    #[error("a {key} key cannot make a {scheme} signature")]
    WrongKeyType {
        /// The key, such as `EC-P256`.
        key: String,
        /// The algorithm of the signature.
        scheme: String,
    },
    /// SHA-1, which does not bind a signature to its message any more.
    #[error("the signature uses SHA-1, which is not accepted")]
    WeakDigest,
    /// An algorithm that this verifier does not know.
    #[error(transparent)]
    Unsupported(#[from] SchemeError),
}
