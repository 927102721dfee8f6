//! The protection of credentials: TPM2_MakeCredential in software (TPM 2.0 library specification, part 1, 24 and
//! annexes B.10.4 and C.6.4; KDFa and KDFe: part 1, 11.4.10).

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, UnparsedPublicKey};
use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use num_bigint::BigUint;

use crate::crypto::{Curve, Hash};

/// RSAES-OAEP and KDFe: with the zero byte that ends it.
const IDENTITY: &[u8] = b"IDENTITY\0";

/// `sha1` has no place here: no endorsement key's template uses it.
pub(super) fn digest_len(hash: Hash) -> Option<usize> {
    match hash {
        Hash::Sha256 => Some(32),
        Hash::Sha384 => Some(48),
        Hash::Sha512 => Some(64),
        _ => None,
    }
}

fn mac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    let algorithm = match hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
        _ => return None,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    parts.iter().for_each(|part| context.update(part));
    Some(context.sign().as_ref().to_vec())
}

/// Blocks of a counter mode from 1, cut to `len` bytes.
fn counted(len: usize, block: impl Fn([u8; 4]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for i in 1_u32.. {
        if out.len() >= len {
            break;
        }
        out.extend(block(i.to_be_bytes())?);
    }
    out.truncate(len);
    Some(out)
}

/// `len` bytes of KDFa.
pub(super) fn kdf_a(hash: Hash, key: &[u8], label: &str, context: &[u8], len: usize) -> Option<Vec<u8>> {
    let bits = u32::try_from(len.checked_mul(8)?).ok()?.to_be_bytes();
    counted(len, |i| mac(hash, key, &[&i, label.as_bytes(), &[0], context, &bits]))
}

/// `len` bytes of KDFe.
pub(super) fn kdf_e(hash: Hash, z: &[u8], parties: [&[u8]; 2], len: usize) -> Option<Vec<u8>> {
    let [u, v] = parties;
    counted(len, |i| Some(hash.digest(&[&i, z, IDENTITY, u, v].concat())))
}

/// A credential under a seed.
pub(super) struct Protected {
    pub(super) hmac: Vec<u8>,
    pub(super) identity: Vec<u8>,
}

/// Encrypts and authenticates the credential for the object of that name.
pub(super) fn protect(
    hash: Hash,
    aes_bits: u16,
    seed: &[u8],
    name: &[u8],
    credential: &[u8],
) -> Option<Protected> {
    let algorithm = match aes_bits {
        128 => &AES_128,
        192 => &AES_192,
        256 => &AES_256,
        _ => return None,
    };
    let key = kdf_a(hash, seed, "STORAGE", name, usize::from(aes_bits.checked_div(8)?))?;
    let key = EncryptingKey::cfb128(UnboundCipherKey::new(algorithm, &key).ok()?).ok()?;
    let mut identity = tpm2b(credential)?;
    // The key is used once, so the initialisation vector may be zero: the specification wants it so.
    key.less_safe_encrypt(&mut identity, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
    let key = kdf_a(hash, seed, "INTEGRITY", &[], digest_len(hash)?)?;
    Some(Protected { hmac: mac(hash, &key, &[&identity, name])?, identity })
}

/// RSAES-OAEP (RFC 8017, 7.1.1) of the seed, with the masking seed given.
pub(super) fn encrypt_seed(hash: Hash, n: &[u8], e: &[u8], seed: &[u8], mask: &[u8]) -> Option<Vec<u8>> {
    let size = n.len();
    let digest = hash.digest(IDENTITY);
    if mask.len() != digest.len() {
        return None;
    }
    let block = size.checked_sub(digest.len())?.checked_sub(1)?;
    let padding = block.checked_sub(digest.len())?.checked_sub(seed.len())?.checked_sub(1)?;
    let mut data = digest.clone();
    data.extend(std::iter::repeat_n(0, padding));
    data.push(1);
    data.extend(seed);
    let data = xor(&data, &mgf1(hash, mask, block)?);
    let masked = xor(mask, &mgf1(hash, &data, digest.len())?);
    let message = BigUint::from_bytes_be(&[&[0], &masked[..], &data].concat());
    let cipher = message.modpow(&BigUint::from_bytes_be(e), &BigUint::from_bytes_be(n)).to_bytes_be();
    let mut out = vec![0; size.checked_sub(cipher.len())?];
    out.extend(cipher);
    Some(out)
}

fn mgf1(hash: Hash, seed: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for i in 0_u32.. {
        if out.len() >= len {
            break;
        }
        out.extend(hash.digest(&[seed, &i.to_be_bytes()].concat()));
    }
    out.truncate(len);
    Some(out)
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// A seed agreed on with an elliptic endorsement key, and the point that the TPM needs for it.
pub(super) struct Agreed {
    pub(super) seed: Vec<u8>,
    pub(super) x: Vec<u8>,
    pub(super) y: Vec<u8>,
}

/// One-pass Diffie-Hellman with the ephemeral private key given. `None` when that is none of the curve.
pub(super) fn agree_seed(hash: Hash, curve: Curve, point: &[u8], ephemeral: &[u8]) -> Option<Agreed> {
    let algorithm = match curve {
        Curve::P256 => &ECDH_P256,
        Curve::P384 => &ECDH_P384,
        Curve::P521 => &ECDH_P521,
        Curve::Secp256k1 | Curve::BrainpoolP256r1 | Curve::BrainpoolP384r1 => return None,
    };
    let key = agreement::PrivateKey::from_private_key(algorithm, ephemeral).ok()?;
    let own = key.compute_public_key().ok()?;
    let coordinates = |point: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(curve.field_len())?;
        Some((x.to_vec(), y.to_vec()))
    };
    let ((x, y), (ek_x, _)) = (coordinates(own.as_ref())?, coordinates(point)?);
    let len = digest_len(hash)?;
    let peer = UnparsedPublicKey::new(algorithm, point);
    let seed = agreement::agree(&key, peer, (), |z| kdf_e(hash, z, [&x, &ek_x], len).ok_or(())).ok()?;
    Some(Agreed { seed, x, y })
}

/// A size and the bytes.
pub(super) fn tpm2b(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = u16::try_from(bytes.len()).ok()?.to_be_bytes();
    Some([&size[..], bytes].concat())
}
