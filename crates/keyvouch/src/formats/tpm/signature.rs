//! Whether a key made a signature over an attestation, and how.

use super::gather::Signature;
use crate::authentic::SignatureValid;
use crate::crypto::{Curve, Hash, Material, PublicKey, Scheme};
use crate::wire::tpm::{SignatureValue, alg, alg_name, hash};

/// A signature that is valid.
#[derive(Debug)]
pub(crate) struct Made<'m> {
    pub(crate) proof: SignatureValid<'m>,
    pub(crate) scheme: Scheme,
    /// What was stated of it and is not so.
    pub(crate) contradiction: Option<String>,
}

/// Verifies `signature` by `key` over `message`. `own` are algorithm and hash of the key's public area, when it is
/// known. `None`: it is not this key's.
pub(crate) fn verify<'m>(
    key: &PublicKey,
    signature: &Signature<'_>,
    own: Option<(u16, u16)>,
    message: &'m [u8],
) -> Option<Made<'m>> {
    let (stated, value, der);
    match signature {
        Signature::Structure(structure) => {
            stated = Some((structure.alg, structure.hash));
            value = match structure.value {
                SignatureValue::Rsa(bytes) => bytes,
                SignatureValue::Ec { r, s } => {
                    der = ecdsa_der(r, s)?;
                    &der
                }
            };
        }
        Signature::Bare { bytes, stated: by_container } => {
            stated = *by_container;
            value = bytes;
        }
    }
    for scheme in candidates(key, stated.or(own)) {
        let Some(proof) = with(key, scheme, message, value) else { continue };
        let contradiction = [(stated, "it is stated to be"), (own, "the attestation key is one of")]
            .into_iter()
            .find_map(|(named, what)| {
                let (alg, hash) = named.filter(|named| ids(scheme) != Some(*named))?;
                Some(format!(
                    "the signature is {scheme}, but {what} {} with {}",
                    alg_name(alg),
                    alg_name(hash)
                ))
            });
        return Some(Made { proof, scheme, contradiction });
    }
    None
}

/// Whether a signature of this form can be one of a key of this type.
pub(crate) fn fits(key: &PublicKey, signature: &Signature<'_>) -> bool {
    let rsa = matches!(key.material(), Material::Rsa { .. });
    match signature {
        Signature::Structure(structure) => matches!(structure.value, SignatureValue::Rsa(_)) == rsa,
        Signature::Bare { bytes, .. } => rsa == (bytes.first() != Some(&0x30) || bytes.len() >= 256),
    }
}

/// The schemes to try, the named one first. Of RSA, the others are tried after it so that a contradiction can be
/// told from a forgery; what was found by them is not accepted.
fn candidates(key: &PublicKey, named: Option<(u16, u16)>) -> Vec<Scheme> {
    use Hash::{Sha1, Sha256, Sha384, Sha512};
    let named = named.and_then(|(alg, id)| scheme(alg, hash(id)?));
    let usual = match key.material() {
        Material::Rsa { .. } => vec![
            Scheme::RsaPkcs1(Sha256),
            Scheme::RsaPkcs1(Sha1),
            Scheme::RsaPkcs1(Sha384),
            Scheme::RsaPkcs1(Sha512),
            Scheme::RsaPss(Sha256),
            Scheme::RsaPss(Sha384),
            Scheme::RsaPss(Sha512),
        ],
        // A bare signature says nothing of its hash: that of the key's size, then SHA-256.
        Material::Ec { curve, .. } if named.is_none() => {
            let by_curve = match curve {
                Curve::P384 => Sha384,
                Curve::P521 => Sha512,
                _ => Sha256,
            };
            vec![Scheme::Ecdsa(by_curve), Scheme::Ecdsa(Sha256)]
        }
        _ => Vec::new(),
    };
    let mut all: Vec<Scheme> = Vec::new();
    for scheme in named.into_iter().chain(usual) {
        if !all.contains(&scheme) {
            all.push(scheme);
        }
    }
    all
}

/// Verifies the bare value of a signature of exactly this scheme, SHA-1 and long salts included.
pub(crate) fn with<'m>(
    key: &PublicKey,
    scheme: Scheme,
    message: &'m [u8],
    value: &[u8],
) -> Option<SignatureValid<'m>> {
    match scheme {
        Scheme::RsaPkcs1(Hash::Sha1) | Scheme::Ecdsa(Hash::Sha1) => {
            key.verify_sha1(scheme, message, value).ok()
        }
        // TPMs make salts as long as the digest, or as long as fits.
        Scheme::RsaPss(hash) => {
            key.verify(scheme, message, value).or_else(|_| key.verify_pss_any_salt(hash, message, value)).ok()
        }
        _ => key.verify(scheme, message, value).ok(),
    }
}

fn scheme(alg: u16, hash: Hash) -> Option<Scheme> {
    match alg {
        alg::RSASSA => Some(Scheme::RsaPkcs1(hash)),
        alg::RSAPSS => Some(Scheme::RsaPss(hash)),
        alg::ECDSA => Some(Scheme::Ecdsa(hash)),
        _ => None,
    }
}

/// Algorithm and hash by their identifiers.
pub(crate) fn ids(scheme: Scheme) -> Option<(u16, u16)> {
    let alg = match scheme {
        Scheme::RsaPkcs1(_) => alg::RSASSA,
        Scheme::RsaPss(_) => alg::RSAPSS,
        Scheme::Ecdsa(_) => alg::ECDSA,
        _ => return None,
    };
    let hash = match scheme.hash()? {
        Hash::Sha1 => alg::SHA1,
        Hash::Sha256 => alg::SHA256,
        Hash::Sha384 => alg::SHA384,
        Hash::Sha512 => alg::SHA512,
    };
    Some((alg, hash))
}

/// Ecdsa-Sig-Value (RFC 3279, 2.2.3) of two numbers. `None` when one of them is zero.
pub(crate) fn ecdsa_der(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    use der::Encode as _;
    use der::asn1::{AnyRef, UintRef};
    let mut content = Vec::new();
    for number in [r, s] {
        if number.iter().all(|byte| *byte == 0) {
            return None;
        }
        content.extend(UintRef::new(number).ok()?.to_der().ok()?);
    }
    AnyRef::new(der::Tag::Sequence, &content).ok()?.to_der().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_der_wants_them() {
        assert_eq!(ecdsa_der(&[0, 0x80], &[1]), Some(vec![0x30, 7, 2, 2, 0, 0x80, 2, 1, 1]));
        assert_eq!(ecdsa_der(&[0, 0], &[1]), None);
        assert_eq!(ecdsa_der(&[1], &[]), None);
    }
}
