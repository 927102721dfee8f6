//! Keys, and every signature that a device in the collection makes.

use crate::{Error, der};
use ::rsa::traits::PublicKeyParts;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair};
use aws_lc_rs::{agreement, digest, rsa};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA, 1024 bits, e = 65537: too weak, and signs only [`SignAlg::RsaPkcs1Sha256`] and
    /// [`SignAlg::RsaBareDigest`].
    Rsa1024,
    /// RSA, 2048 bits, e = 3: a public exponent that verifiers should refuse.
    Rsa2048Exponent3,
    /// RSA, 2048 bits, e = 65537.
    Rsa2048,
    /// RSA, 3072 bits, e = 65537.
    Rsa3072,
    /// RSA, 4096 bits, e = 65537.
    Rsa4096,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// secp256k1.
    Secp256k1,
    /// brainpoolP256r1 (RFC 5639).
    BrainpoolP256r1,
    /// Ed25519.
    Ed25519,
    /// X25519: key agreement, cannot sign.
    X25519,
}

/// A signature algorithm as certificates, requests and devices use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignAlg {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2).
    RsaPkcs1Sha256,
    /// The same signature; its AlgorithmIdentifier lacks the NULL parameters that RFC 4055, 5 demands.
    RsaPkcs1Sha256NoNull,
    /// RSASSA-PKCS1-v1_5 with SHA-1, as on roots of 2002.
    RsaPkcs1Sha1,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, salt of 32 octets (RFC 4055, 3.1).
    RsaPssSha256,
    /// The same with the longest salt that fits, as some TPMs make it.
    RsaPssSha256LongestSalt,
    /// PKCS#1 type-1 padding around the bare SHA-256 digest, without DigestInfo: LiquidSecurity firmware 2.x.
    RsaBareDigest,
    /// ECDSA with SHA-1 on P-256, DER, as some TPMs sign.
    EcdsaSha1,
    /// ECDSA with SHA-256, signature as a DER SEQUENCE (RFC 3279, 2.2.3).
    EcdsaSha256,
    /// ECDSA with SHA-384, DER.
    EcdsaSha384,
    /// The same signature; its AlgorithmIdentifier has NULL parameters, which RFC 5758, 3.2 forbids (Thales Luna).
    EcdsaSha384Null,
    /// The same again, r and s each an INTEGER of exactly 48 content octets: negative, or with leading zeros, as it
    /// happens (Thales Luna).
    EcdsaSha384NullFixed,
    /// ECDSA with SHA-512, DER.
    EcdsaSha512,
    /// ECDSA with SHA-256, signature as r and s one after another.
    EcdsaSha256Raw,
    /// The same with SHA-384.
    EcdsaSha384Raw,
    /// The same with SHA-512.
    EcdsaSha512Raw,
    /// Ed25519 (RFC 8410).
    Ed25519,
}

impl SignAlg {
    /// DER AlgorithmIdentifier.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn algorithm_identifier(self) -> Result<Vec<u8>, Error> {
        const SHA256_RSA: &str = "1.2.840.113549.1.1.11";
        let null = der::null();
        Ok(match self {
            Self::RsaPkcs1Sha256 | Self::RsaBareDigest => der::sequence(&[der::oid(SHA256_RSA)?, null]),
            Self::RsaPkcs1Sha256NoNull => der::sequence(&[der::oid(SHA256_RSA)?]),
            Self::RsaPkcs1Sha1 => der::sequence(&[der::oid("1.2.840.113549.1.1.5")?, null]),
            Self::RsaPkcs1Sha384 => der::sequence(&[der::oid("1.2.840.113549.1.1.12")?, null]),
            Self::RsaPkcs1Sha512 => der::sequence(&[der::oid("1.2.840.113549.1.1.13")?, null]),
            Self::RsaPssSha256 | Self::RsaPssSha256LongestSalt => pss_sha256()?,
            Self::EcdsaSha1 => der::sequence(&[der::oid("1.2.840.10045.4.1")?]),
            Self::EcdsaSha256 | Self::EcdsaSha256Raw => der::sequence(&[der::oid("1.2.840.10045.4.3.2")?]),
            Self::EcdsaSha384 | Self::EcdsaSha384Raw => der::sequence(&[der::oid("1.2.840.10045.4.3.3")?]),
            Self::EcdsaSha512 | Self::EcdsaSha512Raw => der::sequence(&[der::oid("1.2.840.10045.4.3.4")?]),
            Self::EcdsaSha384Null | Self::EcdsaSha384NullFixed => {
                der::sequence(&[der::oid("1.2.840.10045.4.3.3")?, null])
            }
            Self::Ed25519 => der::sequence(&[der::oid("1.3.101.112")?]),
        })
    }
}

/// id-RSASSA-PSS with its parameters (RFC 4055, 3.1); trailerField is left at its default.
fn pss_sha256() -> Result<Vec<u8>, Error> {
    let sha256 = der::sequence(&[der::oid("2.16.840.1.101.3.4.2.1")?, der::null()]);
    let mgf1 = der::sequence(&[der::oid("1.2.840.113549.1.1.8")?, sha256.clone()]);
    let parameters = der::sequence(&[
        der::explicit(0, &sha256),
        der::explicit(1, &mgf1),
        der::explicit(2, &der::integer_u32(32)),
    ]);
    Ok(der::sequence(&[der::oid("1.2.840.113549.1.1.10")?, parameters]))
}

/// A private key with its public half.
pub struct Key {
    kind: KeyKind,
    pkcs8: Vec<u8>,
    public: Public,
}

/// The public value in the form that the key's formats want it.
enum Public {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// EC: uncompressed point. Ed25519 and X25519: 32 octets.
    Point(Vec<u8>),
}

impl Key {
    /// A fresh key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn generate(kind: KeyKind) -> Result<Self, Error> {
        let random = SystemRandom::new();
        let pkcs8 = match kind {
            KeyKind::Rsa1024 => odd_rsa_pkcs8(1024, 65537)?,
            KeyKind::Rsa2048Exponent3 => odd_rsa_pkcs8(2048, 3)?,
            KeyKind::Rsa2048 => rsa_pkcs8(rsa::KeySize::Rsa2048)?,
            KeyKind::Rsa3072 => rsa_pkcs8(rsa::KeySize::Rsa3072)?,
            KeyKind::Rsa4096 => rsa_pkcs8(rsa::KeySize::Rsa4096)?,
            KeyKind::Ed25519 => Ed25519KeyPair::generate_pkcs8v1(&random)
                .map_err(|_| Error::Crypto("Ed25519 key generation"))?
                .as_ref()
                .to_vec(),
            KeyKind::X25519 => return x25519(),
            KeyKind::BrainpoolP256r1 => brainpool_pkcs8()?,
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Secp256k1 => {
                EcdsaKeyPair::generate_pkcs8(own_ecdsa(kind)?, &random)
                    .map_err(|_| Error::Crypto("EC key generation"))?
                    .as_ref()
                    .to_vec()
            }
        };
        Self::from_pkcs8(kind, &pkcs8)
    }

    /// A key from its unencrypted PKCS#8 DER (RFC 5958).
    ///
    /// # Errors
    /// [`Error::Crypto`] when it is no such key.
    pub fn from_pkcs8(kind: KeyKind, pkcs8: &[u8]) -> Result<Self, Error> {
        let rejected = |_| Error::Crypto("PKCS#8 private key");
        let public = match kind {
            KeyKind::Rsa1024
            | KeyKind::Rsa2048
            | KeyKind::Rsa2048Exponent3
            | KeyKind::Rsa3072
            | KeyKind::Rsa4096 => {
                let private = odd_rsa(pkcs8)?;
                Public::Rsa {
                    modulus: private.n().to_be_bytes_trimmed_vartime().into(),
                    exponent: private.e().to_be_bytes_trimmed_vartime().into(),
                }
            }
            KeyKind::Ed25519 => Public::Point(
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
                    .map_err(rejected)?
                    .public_key()
                    .as_ref()
                    .to_vec(),
            ),
            KeyKind::X25519 => return Err(Error::Crypto("X25519 keys are only generated")),
            KeyKind::BrainpoolP256r1 => {
                Public::Point(brainpool(pkcs8)?.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Secp256k1 => Public::Point(
                EcdsaKeyPair::from_pkcs8(own_ecdsa(kind)?, pkcs8)
                    .map_err(rejected)?
                    .public_key()
                    .as_ref()
                    .to_vec(),
            ),
        };
        Ok(Self { kind, pkcs8: pkcs8.to_vec(), public })
    }

    /// The key of this name and kind, generated once in the life of the process: RSA generation is slow, and most
    /// tests do not care which key they have. Different labels give different keys.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn shared(label: &str, kind: KeyKind) -> Result<Arc<Self>, Error> {
        type Slot = Arc<Mutex<Option<Arc<Key>>>>;
        static KEYS: Mutex<BTreeMap<(String, KeyKind), Slot>> = Mutex::new(BTreeMap::new());
        // Two locks: keys of different names are generated side by side, one name only once.
        let slot = Arc::clone(
            KEYS.lock().unwrap_or_else(PoisonError::into_inner).entry((label.to_owned(), kind)).or_default(),
        );
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Some(key) => Ok(Arc::clone(key)),
            None => Ok(Arc::clone(slot.insert(Arc::new(Self::generate(kind)?)))),
        }
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// PKCS#8 DER of the private key; empty for X25519.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.pkcs8
    }

    /// DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 3279; RFC 5480; RFC 8410).
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn spki_der(&self) -> Result<Vec<u8>, Error> {
        match &self.public {
            Public::Rsa { modulus, exponent } => rsa_spki(modulus, exponent),
            Public::Point(point) => match self.kind {
                KeyKind::Ed25519 => spki(&[der::oid("1.3.101.112")?], point),
                KeyKind::X25519 => spki(&[der::oid("1.3.101.110")?], point),
                kind => ec_spki(curve_oid(kind)?, point),
            },
        }
    }

    /// Modulus and public exponent, big-endian without leading zeros; none unless RSA.
    pub fn rsa_public(&self) -> Option<(&[u8], &[u8])> {
        match &self.public {
            Public::Rsa { modulus, exponent } => Some((modulus, exponent)),
            Public::Point(_) => None,
        }
    }

    /// EC: uncompressed point `04 X Y`; Ed25519 and X25519: 32 octets; none for RSA.
    pub fn point(&self) -> Option<&[u8]> {
        match &self.public {
            Public::Point(point) => Some(point),
            Public::Rsa { .. } => None,
        }
    }

    /// The usual algorithm for certificates and requests signed with this key.
    pub fn default_alg(&self) -> SignAlg {
        match self.kind {
            KeyKind::Rsa1024
            | KeyKind::Rsa2048
            | KeyKind::Rsa2048Exponent3
            | KeyKind::Rsa3072
            | KeyKind::Rsa4096 => SignAlg::RsaPkcs1Sha256,
            KeyKind::P256 | KeyKind::Secp256k1 | KeyKind::BrainpoolP256r1 => SignAlg::EcdsaSha256,
            KeyKind::P384 => SignAlg::EcdsaSha384,
            KeyKind::P521 => SignAlg::EcdsaSha512,
            KeyKind::Ed25519 | KeyKind::X25519 => SignAlg::Ed25519,
        }
    }

    /// Sign a message.
    ///
    /// ECDSA: P-256, secp256k1 and brainpoolP256r1 sign with SHA-256, P-384 with SHA-384, P-521 with any of the three.
    ///
    /// # Errors
    /// [`Error::WrongKey`] when the key cannot make this signature.
    pub fn sign(&self, alg: SignAlg, message: &[u8]) -> Result<Vec<u8>, Error> {
        use SignAlg as S;
        match alg {
            S::RsaPkcs1Sha256 | S::RsaPkcs1Sha256NoNull => {
                self.rsa(alg, &signature::RSA_PKCS1_SHA256, message)
            }
            S::RsaPkcs1Sha384 => self.rsa(alg, &signature::RSA_PKCS1_SHA384, message),
            S::RsaPkcs1Sha512 => self.rsa(alg, &signature::RSA_PKCS1_SHA512, message),
            S::RsaPssSha256 => self.rsa(alg, &signature::RSA_PSS_SHA256, message),
            S::RsaPssSha256LongestSalt => self.rsa_pss_longest_salt(message),
            S::RsaBareDigest => self.rsa_bare_digest(message),
            S::EcdsaSha256
            | S::EcdsaSha384
            | S::EcdsaSha512
            | S::EcdsaSha256Raw
            | S::EcdsaSha384Raw
            | S::EcdsaSha512Raw => self.ecdsa(alg, message),
            S::RsaPkcs1Sha1 => self.rsa_sha1(message),
            S::EcdsaSha384Null => self.ecdsa(S::EcdsaSha384, message),
            S::EcdsaSha384NullFixed => {
                let numbers = self.ecdsa(alg, message)?;
                let (r, s) = numbers.split_at(numbers.len() / 2);
                Ok(der::sequence(&[der::tlv(0x02, r), der::tlv(0x02, s)]))
            }
            S::EcdsaSha1 => self.ecdsa_sha1(message),
            S::Ed25519 => match self.kind {
                KeyKind::Ed25519 => Ok(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.pkcs8)
                    .map_err(|_| Error::Crypto("Ed25519 private key"))?
                    .sign(message)
                    .as_ref()
                    .to_vec()),
                _ => Err(Error::WrongKey(self.kind, alg)),
            },
        }
    }

    fn rsa(
        &self,
        alg: SignAlg,
        encoding: &'static dyn signature::RsaEncoding,
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        match (self.kind, alg) {
            _ if self.rsa_public().is_none() => return Err(Error::WrongKey(self.kind, alg)),
            // Too small for aws-lc-rs.
            (KeyKind::Rsa1024, SignAlg::RsaPkcs1Sha256 | SignAlg::RsaPkcs1Sha256NoNull) => {
                return self.odd_rsa_sign(::rsa::Pkcs1v15Sign::new::<::rsa::sha2::Sha256>(), message);
            }
            (KeyKind::Rsa1024, _) => return Err(Error::WrongKey(self.kind, alg)),
            _ => {}
        }
        let pair = rsa::KeyPair::from_pkcs8(&self.pkcs8).map_err(|_| Error::Crypto("RSA private key"))?;
        let mut out = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut out)
            .map_err(|_| Error::Crypto("RSA signature"))?;
        Ok(out)
    }

    fn rsa_bare_digest(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        if self.rsa_public().is_none() {
            return Err(Error::WrongKey(self.kind, SignAlg::RsaBareDigest));
        }
        self.odd_rsa_sign(::rsa::Pkcs1v15Sign::new_unprefixed(), message)
    }

    fn rsa_sha1(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        if self.rsa_public().is_none() {
            return Err(Error::WrongKey(self.kind, SignAlg::RsaPkcs1Sha1));
        }
        // DigestInfo (RFC 8017, A.2.4), which the bare padding takes as it is.
        let sha1_identifier = der::sequence(&[der::oid("1.3.14.3.2.26")?, der::null()]);
        let info = der::sequence(&[sha1_identifier, der::octet_string(&sha1(message))]);
        odd_rsa(&self.pkcs8)?
            .sign(::rsa::Pkcs1v15Sign::new_unprefixed(), &info)
            .map_err(|_| Error::Crypto("RSA signature"))
    }

    fn rsa_pss_longest_salt(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        use ::rsa::pss::SigningKey;
        use ::rsa::sha2::Sha256;
        use ::rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
        let Some((modulus, _)) = self.rsa_public() else {
            return Err(Error::WrongKey(self.kind, SignAlg::RsaPssSha256LongestSalt));
        };
        // emLen - hLen - 2 (RFC 8017, 9.1.1)
        let key = SigningKey::<Sha256>::new_with_salt_len(odd_rsa(&self.pkcs8)?, modulus.len() - 32 - 2);
        let signature =
            key.try_sign_with_rng(&mut Random, message).map_err(|_| Error::Crypto("RSA signature"))?;
        Ok(signature.to_vec())
    }

    fn odd_rsa_sign(&self, padding: ::rsa::Pkcs1v15Sign, message: &[u8]) -> Result<Vec<u8>, Error> {
        odd_rsa(&self.pkcs8)?.sign(padding, &sha256(message)).map_err(|_| Error::Crypto("RSA signature"))
    }

    fn ecdsa_sha1(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        if self.kind != KeyKind::P256 {
            return Err(Error::WrongKey(self.kind, SignAlg::EcdsaSha1));
        }
        // A digest shorter than the field is the same number with zeros before it (FIPS 186-4, 6.4).
        let padded = [vec![0; 12], sha1(message)].concat();
        let digest = digest::Digest::import_less_safe(&padded, &digest::SHA256)
            .map_err(|_| Error::Crypto("ECDSA signature"))?;
        let pair = EcdsaKeyPair::from_pkcs8(own_ecdsa(self.kind)?, &self.pkcs8)
            .map_err(|_| Error::Crypto("EC private key"))?;
        Ok(pair.sign_digest(&digest).map_err(|_| Error::Crypto("ECDSA signature"))?.as_ref().to_vec())
    }

    fn ecdsa(&self, alg: SignAlg, message: &[u8]) -> Result<Vec<u8>, Error> {
        use {KeyKind as K, SignAlg as S};
        let algorithm: &'static EcdsaSigningAlgorithm = match (self.kind, alg) {
            (K::P256, S::EcdsaSha256) => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
            (K::P256, S::EcdsaSha256Raw) => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            (K::Secp256k1, S::EcdsaSha256) => &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
            (K::Secp256k1, S::EcdsaSha256Raw) => &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
            (K::P384, S::EcdsaSha384) => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
            (K::P384, S::EcdsaSha384NullFixed) => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            (K::P521, S::EcdsaSha256) => &signature::ECDSA_P521_SHA256_ASN1_SIGNING,
            (K::P521, S::EcdsaSha384) => &signature::ECDSA_P521_SHA384_ASN1_SIGNING,
            (K::P521, S::EcdsaSha512) => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
            (K::P384, S::EcdsaSha384Raw) => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            (K::P521, S::EcdsaSha256Raw) => &signature::ECDSA_P521_SHA256_FIXED_SIGNING,
            (K::P521, S::EcdsaSha512Raw) => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
            (K::BrainpoolP256r1, S::EcdsaSha256 | S::EcdsaSha256Raw) => {
                return brainpool_sign(&self.pkcs8, alg == S::EcdsaSha256Raw, message);
            }
            _ => return Err(Error::WrongKey(self.kind, alg)),
        };
        let pair =
            EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8).map_err(|_| Error::Crypto("EC private key"))?;
        let signature =
            pair.sign(&SystemRandom::new(), message).map_err(|_| Error::Crypto("ECDSA signature"))?;
        Ok(signature.as_ref().to_vec())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kind", &self.kind).finish_non_exhaustive()
    }
}

fn rsa_pkcs8(size: rsa::KeySize) -> Result<Vec<u8>, Error> {
    let pair = rsa::KeyPair::generate(size).map_err(|_| Error::Crypto("RSA key generation"))?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::Crypto("PKCS#8 private key"))?;
    Ok(der.as_ref().to_vec())
}

/// RSA by the `rsa` crate, for what aws-lc-rs refuses.
fn odd_rsa(pkcs8: &[u8]) -> Result<::rsa::PrivateKey, Error> {
    use ::rsa::pkcs8::DecodePrivateKey;
    ::rsa::PrivateKey::from_pkcs8_der(pkcs8).map_err(|_| Error::Crypto("RSA private key"))
}

fn odd_rsa_pkcs8(bits: usize, exponent: u64) -> Result<Vec<u8>, Error> {
    use ::rsa::pkcs8::EncodePrivateKey;
    let key = ::rsa::PrivateKey::new_with_exp(&mut Random, bits, exponent.into())
        .map_err(|_| Error::Crypto("RSA key generation"))?;
    Ok(key.to_pkcs8_der().map_err(|_| Error::Crypto("PKCS#8 private key"))?.as_bytes().to_vec())
}

/// The random generator of aws-lc-rs for RustCrypto crates.
pub(crate) struct Random;

impl ::rsa::rand_core::TryRng for Random {
    type Error = NoRandom;
    fn try_next_u32(&mut self) -> Result<u32, NoRandom> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets).map(|()| u32::from_be_bytes(octets))
    }
    fn try_next_u64(&mut self) -> Result<u64, NoRandom> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets).map(|()| u64::from_be_bytes(octets))
    }
    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), NoRandom> {
        aws_lc_rs::rand::fill(octets).map_err(|_| NoRandom)
    }
}

impl ::rsa::rand_core::TryCryptoRng for Random {}

#[derive(Debug, thiserror::Error)]
#[error("no random octets")]
pub(crate) struct NoRandom;

/// PKCS#8 (RFC 5958) around an ECPrivateKey (RFC 5915) that holds nothing but the private number.
fn brainpool_pkcs8() -> Result<Vec<u8>, Error> {
    let mut scalar = [0; BRAINPOOL_OCTETS];
    loop {
        aws_lc_rs::rand::fill(&mut scalar).map_err(|_| Error::Crypto("EC key generation"))?;
        if ecdsa::SigningKey::<bp256::BrainpoolP256r1>::from_slice(&scalar).is_ok() {
            break;
        }
    }
    let private = der::sequence(&[der::integer(&[1]), der::octet_string(&scalar)]);
    let curve = der::oid(curve_oid(KeyKind::BrainpoolP256r1)?)?;
    let algorithm = der::sequence(&[der::oid("1.2.840.10045.2.1")?, curve]);
    Ok(der::sequence(&[der::integer(&[0]), algorithm, der::octet_string(&private)]))
}

const BRAINPOOL_OCTETS: usize = 32;

/// The private number is what such PKCS#8 ends with.
fn brainpool(pkcs8: &[u8]) -> Result<ecdsa::SigningKey<bp256::BrainpoolP256r1>, Error> {
    let scalar = &pkcs8[pkcs8.len().saturating_sub(BRAINPOOL_OCTETS)..];
    ecdsa::SigningKey::from_slice(scalar).map_err(|_| Error::Crypto("EC private key"))
}

fn brainpool_sign(pkcs8: &[u8], raw: bool, message: &[u8]) -> Result<Vec<u8>, Error> {
    use ecdsa::signature::hazmat::PrehashSigner;
    let signature: ecdsa::Signature<bp256::BrainpoolP256r1> =
        brainpool(pkcs8)?.sign_prehash(&sha256(message)).map_err(|_| Error::Crypto("ECDSA signature"))?;
    Ok(if raw { signature.to_bytes().to_vec() } else { signature.to_der().as_bytes().to_vec() })
}

fn x25519() -> Result<Key, Error> {
    let public = agreement::PrivateKey::generate(&agreement::X25519)
        .and_then(|key| key.compute_public_key())
        .map_err(|_| Error::Crypto("X25519 key generation"))?;
    Ok(Key { kind: KeyKind::X25519, pkcs8: Vec::new(), public: Public::Point(public.as_ref().to_vec()) })
}

/// The signing algorithm under which a key of this curve is generated and read.
fn own_ecdsa(kind: KeyKind) -> Result<&'static EcdsaSigningAlgorithm, Error> {
    Ok(match kind {
        KeyKind::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        KeyKind::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        KeyKind::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        KeyKind::Secp256k1 => &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
        other => return Err(Error::UnfitKey("ECDSA", other)),
    })
}

/// Object identifier of the named curve (RFC 5480, 2.1.1.1; SEC 2), dotted.
///
/// # Errors
/// [`Error::UnfitKey`] when the key is not on a Weierstrass curve.
pub fn curve_oid(kind: KeyKind) -> Result<&'static str, Error> {
    Ok(match kind {
        KeyKind::P256 => "1.2.840.10045.3.1.7",
        KeyKind::P384 => "1.3.132.0.34",
        KeyKind::P521 => "1.3.132.0.35",
        KeyKind::Secp256k1 => "1.3.132.0.10",
        KeyKind::BrainpoolP256r1 => "1.3.36.3.3.2.8.1.1.7",
        other => return Err(Error::UnfitKey("named curve", other)),
    })
}

/// SubjectPublicKeyInfo of any modulus and exponent (unsigned, big-endian): to attest a key that no library would make.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Result<Vec<u8>, Error> {
    let key = der::sequence(&[der::integer(modulus), der::integer(exponent)]);
    spki(&[der::oid("1.2.840.113549.1.1.1")?, der::null()], &key)
}

/// SubjectPublicKeyInfo of any octets taken for a point of a named curve.
///
/// # Errors
/// [`Error::Oid`].
pub fn ec_spki(curve: &str, point: &[u8]) -> Result<Vec<u8>, Error> {
    spki(&[der::oid("1.2.840.10045.2.1")?, der::oid(curve)?], point)
}

fn spki(algorithm: &[Vec<u8>], key: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(der::sequence(&[der::sequence(algorithm), der::bit_string(key)]))
}

/// A number of this many octets (28 or more) with the ROCA fingerprint (CVE-2017-15361): modulo every prime up to 167 it lies in
/// the group that 65537 generates, since it is 1 there. Its factors are of no use to anyone.
pub fn roca_modulus(octets: usize) -> Vec<u8> {
    const PRIMES: [u8; 39] = [
        2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
        103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    // The product of the primes is 1.14 × 2^219: a cofactor that begins 0x14 fills the octets to the top bit.
    // Little-endian while multiplying.
    let mut number = derived("roca", octets.saturating_sub(28));
    number.push(0x14);
    for prime in PRIMES {
        let mut carry = 0u16;
        for digit in &mut number {
            let product = u16::from(*digit) * u16::from(prime) + carry;
            let [high, low] = product.to_be_bytes();
            *digit = low;
            carry = u16::from(high);
        }
        if carry > 0 {
            number.push(carry.to_be_bytes()[1]);
        }
    }
    // The product is even, so adding 1 carries nowhere.
    if let Some(lowest) = number.first_mut() {
        *lowest |= 1;
    }
    number.reverse();
    number
}

/// SHA-1 digest.
pub fn sha1(message: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message).as_ref().to_vec()
}

/// SHA-256 digest.
pub fn sha256(message: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, message).as_ref().to_vec()
}

/// Octets that look random and are always the same for a label: serial numbers, ids, filler.
pub fn derived(label: &str, octets: usize) -> Vec<u8> {
    (0u32..)
        .flat_map(|block| sha256(&[&block.to_be_bytes(), label.as_bytes()].concat()))
        .take(octets)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::VerificationAlgorithm;

    fn verify(alg: &'static dyn VerificationAlgorithm, key: &Key, signature: &[u8]) {
        let public = match key.rsa_public() {
            Some((n, e)) => der::sequence(&[der::integer(n), der::integer(e)]),
            None => key.point().unwrap().to_vec(),
        };
        alg.verify_sig(&public, b"message", signature).unwrap();
    }

    #[test]
    fn signatures_verify() {
        use {KeyKind as K, SignAlg as S};
        let cases: [(K, S, &'static dyn VerificationAlgorithm); 15] = [
            (K::Rsa2048, S::RsaPkcs1Sha256, &signature::RSA_PKCS1_2048_8192_SHA256),
            (K::Rsa2048, S::RsaPkcs1Sha256NoNull, &signature::RSA_PKCS1_2048_8192_SHA256),
            (K::Rsa2048, S::RsaPkcs1Sha1, &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
            (K::P384, S::EcdsaSha384Null, &signature::ECDSA_P384_SHA384_ASN1),
            (K::Rsa2048, S::RsaPkcs1Sha384, &signature::RSA_PKCS1_2048_8192_SHA384),
            (K::Rsa2048, S::RsaPkcs1Sha512, &signature::RSA_PKCS1_2048_8192_SHA512),
            (K::Rsa2048, S::RsaPssSha256, &signature::RSA_PSS_2048_8192_SHA256),
            (K::Rsa2048Exponent3, S::RsaPkcs1Sha256, &signature::RSA_PKCS1_2048_8192_SHA256),
            (K::Rsa1024, S::RsaPkcs1Sha256, &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
            (K::P256, S::EcdsaSha256, &signature::ECDSA_P256_SHA256_ASN1),
            (K::P256, S::EcdsaSha256Raw, &signature::ECDSA_P256_SHA256_FIXED),
            (K::P384, S::EcdsaSha384, &signature::ECDSA_P384_SHA384_ASN1),
            (K::P521, S::EcdsaSha512, &signature::ECDSA_P521_SHA512_ASN1),
            (K::Secp256k1, S::EcdsaSha256, &signature::ECDSA_P256K1_SHA256_ASN1),
            (K::Ed25519, S::Ed25519, &signature::ED25519),
        ];
        for (kind, alg, verifier) in cases {
            let key = Key::shared("test", kind).unwrap();
            verify(verifier, &key, &key.sign(alg, b"message").unwrap());
        }
    }

    #[test]
    fn the_bare_digest_is_padded_without_digest_info() {
        let key = Key::shared("test", KeyKind::Rsa2048).unwrap();
        let signature = key.sign(SignAlg::RsaBareDigest, b"message").unwrap();
        let public = {
            use ::rsa::pkcs8::DecodePublicKey;
            ::rsa::PublicKey::from_public_key_der(&key.spki_der().unwrap()).unwrap()
        };
        assert_eq!((signature.len(), public.size()), (256, 256));
        public.verify(::rsa::Pkcs1v15Sign::new_unprefixed(), &sha256(b"message"), &signature).unwrap();
    }

    #[test]
    fn a_key_signs_only_what_it_can() {
        for (kind, alg) in [
            (KeyKind::P256, SignAlg::RsaPkcs1Sha256),
            (KeyKind::P256, SignAlg::RsaBareDigest),
            (KeyKind::P256, SignAlg::EcdsaSha384),
            (KeyKind::Rsa2048, SignAlg::Ed25519),
            (KeyKind::Ed25519, SignAlg::EcdsaSha256),
            (KeyKind::X25519, SignAlg::Ed25519),
        ] {
            let key = Key::shared("test", kind).unwrap();
            assert!(matches!(key.sign(alg, b""), Err(Error::WrongKey(..))), "{kind:?} {alg:?}");
        }
    }

    #[test]
    fn public_keys_have_the_usual_form() {
        let length = |kind| Key::shared("test", kind).unwrap().spki_der().unwrap().len();
        assert_eq!(length(KeyKind::Rsa2048), 294);
        assert_eq!(length(KeyKind::P256), 91);
        assert_eq!(length(KeyKind::P384), 120);
        assert_eq!(length(KeyKind::P521), 158);
        assert_eq!(length(KeyKind::Secp256k1), 88);
        assert_eq!(length(KeyKind::Ed25519), 44);
        assert_eq!(length(KeyKind::X25519), 44);
        for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::Ed25519] {
            let key = Key::shared("test", kind).unwrap();
            let again = Key::from_pkcs8(kind, key.pkcs8_der()).unwrap();
            assert_eq!(again.spki_der().unwrap(), key.spki_der().unwrap());
        }
    }

    #[test]
    fn sharing_is_by_label_and_kind() {
        let spki = |label| Key::shared(label, KeyKind::P256).unwrap().spki_der().unwrap();
        assert_eq!(spki("a"), spki("a"));
        assert_ne!(spki("a"), spki("b"));
    }

    #[test]
    fn the_roca_modulus_has_the_fingerprint() {
        let modulus = roca_modulus(256);
        assert!(modulus.len() == 256 && modulus[0] >= 0x80);
        for prime in [2u32, 3, 11, 13, 17, 97, 151, 167] {
            let rest = modulus.iter().fold(0, |rest, octet| (rest * 256 + u32::from(*octet)) % prime);
            assert_eq!(rest, 1, "{prime}");
        }
    }
}
