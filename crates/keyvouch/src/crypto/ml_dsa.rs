//! The parameter sets of ML-DSA (FIPS 204; in certificates RFC 9881).

use der::asn1::ObjectIdentifier;

use aws_lc_rs::signature::{self as lc, VerificationAlgorithm};

/// A parameter set of ML-DSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MlDsa {
    /// ML-DSA-44, security category 2.
    MlDsa44,
    /// ML-DSA-65, security category 3.
    MlDsa65,
    /// ML-DSA-87, security category 5.
    MlDsa87,
}

impl MlDsa {
    /// Every parameter set.
    pub const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    pub(super) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::MlDsa44 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17"),
            Self::MlDsa65 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18"),
            Self::MlDsa87 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19"),
        }
    }

    /// Length of a public key in bytes (FIPS 204, table 2).
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    /// Its name in claims.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    pub(super) fn verification_algorithm(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::MlDsa44 => &lc::ML_DSA_44,
            Self::MlDsa65 => &lc::ML_DSA_65,
            Self::MlDsa87 => &lc::ML_DSA_87,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        KeyPair as _, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair,
    };

    use super::MlDsa;
    use crate::crypto::{KeyError, PublicKey, Scheme};

    #[test]
    fn each_set_verifies_its_own_signatures_only() {
        for (set, alg) in
            MlDsa::ALL.into_iter().zip([&ML_DSA_44_SIGNING, &ML_DSA_65_SIGNING, &ML_DSA_87_SIGNING])
        {
            let pair = PqdsaKeyPair::generate(alg).unwrap();
            let key = PublicKey::ml_dsa(set, pair.public_key().as_ref()).unwrap();
            let mut signature = vec![0; alg.signature_len()];
            pair.sign(b"message", &mut signature).unwrap();
            assert!(key.verify(Scheme::MlDsa(set), b"message", &signature).is_ok());
            assert!(key.verify(Scheme::MlDsa(set), b"other", &signature).is_err());
            for other in MlDsa::ALL.into_iter().filter(|other| *other != set) {
                assert!(key.verify(Scheme::MlDsa(other), b"message", &signature).is_err());
            }
            signature[9] ^= 1;
            assert!(key.verify(Scheme::MlDsa(set), b"message", &signature).is_err());
            // The encoding is that of RFC 9881: read again it is the same key.
            assert_eq!(PublicKey::from_spki_der(key.spki_der()), Ok(key.clone()));
            assert_eq!(key.algorithm(), set.name());
        }
    }

    #[test]
    fn keys_are_of_their_length() {
        assert_eq!(PublicKey::ml_dsa(MlDsa::MlDsa65, &[0; 1312]), Err(KeyError::Malformed));
    }
}
