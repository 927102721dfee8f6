//! Brainpool curves (RFC 5639), which aws-lc-rs lacks: by RustCrypto's `bp256` and `bp384`, whose field arithmetic is
//! fiat-crypto's. Only public values are ever computed with.

use ecdsa::signature::hazmat::PrehashVerifier;
use ecdsa::{Signature, VerifyingKey};

use super::{Curve, Scheme, digest};

/// Whether an uncompressed point is on its curve; false for other curves.
pub(super) fn is_on_curve(curve: Curve, point: &[u8]) -> bool {
    match curve {
        Curve::BrainpoolP256r1 => VerifyingKey::<bp256::BrainpoolP256r1>::from_sec1_bytes(point).is_ok(),
        Curve::BrainpoolP384r1 => VerifyingKey::<bp384::BrainpoolP384r1>::from_sec1_bytes(point).is_ok(),
        _ => false,
    }
}

/// Verifies an ECDSA signature; none when scheme or curve is not one of these.
pub(super) fn verify(
    curve: Curve,
    point: &[u8],
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let (hash, fixed) = match scheme {
        Scheme::Ecdsa(hash) => (hash, false),
        Scheme::EcdsaFixed(hash) => (hash, true),
        _ => return None,
    };
    macro_rules! verify {
        ($curve:ty) => {{
            let signature = if fixed {
                Signature::<$curve>::from_slice(signature)
            } else {
                Signature::<$curve>::from_der(signature)
            };
            let key = VerifyingKey::<$curve>::from_sec1_bytes(point);
            match (key, signature) {
                (Ok(key), Ok(signature)) => key.verify_prehash(&digest(hash, message), &signature).is_ok(),
                _ => false,
            }
        }};
    }
    match curve {
        Curve::BrainpoolP256r1 => Some(verify!(bp256::BrainpoolP256r1)),
        Curve::BrainpoolP384r1 => Some(verify!(bp384::BrainpoolP384r1)),
        _ => None,
    }
}
