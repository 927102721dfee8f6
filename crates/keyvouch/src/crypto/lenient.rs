//! Signatures that [`PublicKey::verify`] refuses, for formats whose devices make no others and whose operator asks
//! for them: SHA-1, and RSASSA-PSS with a salt of another length than the digest.

use aws_lc_rs::signature::{self as lc, UnparsedPublicKey, VerificationAlgorithm};
use rsa::pss::VerifyingKey;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::Verifier as _;

use super::{Curve, Hash, Material, PublicKey, Scheme, SignatureError};
use crate::authentic::SignatureValid;

impl PublicKey {
    /// Verifies a signature that was made with SHA-1: RSASSA-PKCS1-v1_5, or ECDSA on P-256 or P-521. Who calls this
    /// has to say so in a check of its own.
    ///
    /// # Errors
    /// When it does not verify, or the scheme is another.
    pub(crate) fn verify_sha1<'m>(
        &self,
        scheme: Scheme,
        message: &'m [u8],
        signature: &[u8],
    ) -> Result<SignatureValid<'m>, SignatureError> {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.material(), scheme) {
            (Material::Rsa { .. }, Scheme::RsaPkcs1(Hash::Sha1)) => {
                &lc::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            (Material::Ec { curve: Curve::P256, .. }, Scheme::Ecdsa(Hash::Sha1)) => &lc::ECDSA_P256_SHA1_ASN1,
            (Material::Ec { curve: Curve::P521, .. }, Scheme::Ecdsa(Hash::Sha1)) => &lc::ECDSA_P521_SHA1_ASN1,
            _ => {
                let (key, scheme) = (self.algorithm(), scheme.to_string());
                return Err(SignatureError::WrongKeyType { key, scheme });
            }
        };
        UnparsedPublicKey::new(algorithm, self.bits())
            .verify(message, signature)
            .map_err(|_| SignatureError::Invalid)?;
        Ok(SignatureValid::new(message, self.clone()))
    }

    /// Verifies an RSASSA-PSS signature whatever the length of its salt (RFC 8017, 9.1.2, with sLen taken from the
    /// padding), with MGF1 of the same hash. RSA keys of 2048 to 4096 bits.
    ///
    /// # Errors
    /// When it does not verify, or the key is another.
    pub(crate) fn verify_pss_any_salt<'m>(
        &self,
        hash: Hash,
        message: &'m [u8],
        signature: &[u8],
    ) -> Result<SignatureValid<'m>, SignatureError> {
        let wrong_type = || SignatureError::WrongKeyType {
            key: self.algorithm(),
            scheme: Scheme::RsaPss(hash).to_string(),
        };
        let Material::Rsa { n, e } = self.material() else { return Err(wrong_type()) };
        if !self.rsa_bits().is_some_and(|bits| (2048..=4096).contains(&bits)) {
            return Err(wrong_type());
        }
        let number = rsa::BoxedUint::from_be_slice_vartime;
        let key = rsa::PublicKey::new(number(n), number(e)).map_err(|_| wrong_type())?;
        let signature = rsa::pss::Signature::try_from(signature).map_err(|_| SignatureError::Invalid)?;
        match hash {
            Hash::Sha1 => return Err(SignatureError::WeakDigest),
            Hash::Sha256 => VerifyingKey::<Sha256>::new_with_auto_salt_len(key).verify(message, &signature),
            Hash::Sha384 => VerifyingKey::<Sha384>::new_with_auto_salt_len(key).verify(message, &signature),
            Hash::Sha512 => VerifyingKey::<Sha512>::new_with_auto_salt_len(key).verify(message, &signature),
        }
        .map_err(|_| SignatureError::Invalid)?;
        Ok(SignatureValid::new(message, self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyvouch_emulator::key::{Key, KeyKind, SignAlg};

    fn keys(kind: KeyKind) -> (std::sync::Arc<Key>, PublicKey) {
        let key = Key::shared("lenient", kind).unwrap();
        let public = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        (key, public)
    }

    #[test]
    fn sha1_only_where_asked_for() {
        let cases = [
            (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha1, Scheme::RsaPkcs1(Hash::Sha1)),
            (KeyKind::P256, SignAlg::EcdsaSha1, Scheme::Ecdsa(Hash::Sha1)),
        ];
        for (kind, alg, scheme) in cases {
            let (key, public) = keys(kind);
            let mut signature = key.sign(alg, b"message").unwrap();
            assert!(public.verify_sha1(scheme, b"message", &signature).is_ok());
            assert!(public.verify_sha1(scheme, b"other", &signature).is_err());
            assert_eq!(
                public.verify(scheme, b"message", &signature).unwrap_err(),
                SignatureError::WeakDigest
            );
            if let Some(last) = signature.last_mut() {
                *last ^= 1;
            }
            assert!(public.verify_sha1(scheme, b"message", &signature).is_err());
        }
        // It is no way around for other schemes.
        let (key, public) = keys(KeyKind::Rsa2048);
        let signature = key.sign(SignAlg::RsaPkcs1Sha256, b"message").unwrap();
        assert!(public.verify_sha1(Scheme::RsaPkcs1(Hash::Sha256), b"message", &signature).is_err());
    }

    #[test]
    fn pss_with_the_longest_salt() {
        let (key, public) = keys(KeyKind::Rsa2048);
        for alg in [SignAlg::RsaPssSha256, SignAlg::RsaPssSha256LongestSalt] {
            let mut signature = key.sign(alg, b"message").unwrap();
            assert!(public.verify_pss_any_salt(Hash::Sha256, b"message", &signature).is_ok(), "{alg:?}");
            assert!(public.verify_pss_any_salt(Hash::Sha256, b"other", &signature).is_err());
            assert!(public.verify_pss_any_salt(Hash::Sha384, b"message", &signature).is_err());
            if let Some(last) = signature.last_mut() {
                *last ^= 1;
            }
            assert!(public.verify_pss_any_salt(Hash::Sha256, b"message", &signature).is_err());
        }
        let longest = key.sign(SignAlg::RsaPssSha256LongestSalt, b"message").unwrap();
        assert!(public.verify(Scheme::RsaPss(Hash::Sha256), b"message", &longest).is_err());
        let (_, small) = keys(KeyKind::Rsa1024);
        assert!(small.verify_pss_any_salt(Hash::Sha256, b"message", &[0; 128]).is_err());
    }
}
