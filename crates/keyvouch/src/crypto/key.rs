//! Public keys as SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), and signature verification with them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::signature::{self as lc, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm};
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Encode};

use super::scheme::{Hash, Scheme, algorithm_identifier};
use super::{MlDsa, SignatureError, brainpool, dsa, ecdsa, lms, sha256};
use crate::authentic::SignatureValid;
use crate::wire::der::{Children, content, single};

/// Largest RSA modulus that is looked at; larger ones only cost time.
const MAX_RSA_BITS: usize = 8192;

/// A named elliptic curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256, secp256r1.
    P256,
    /// NIST P-384, secp384r1.
    P384,
    /// NIST P-521, secp521r1.
    P521,
    /// secp256k1 (SEC 2).
    Secp256k1,
    /// brainpoolP256r1 (RFC 5639).
    BrainpoolP256r1,
    /// brainpoolP384r1 (RFC 5639).
    BrainpoolP384r1,
}

impl Curve {
    /// Every curve of the table.
    pub const ALL: [Self; 6] =
        [Self::P256, Self::P384, Self::P521, Self::Secp256k1, Self::BrainpoolP256r1, Self::BrainpoolP384r1];

    const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => const { ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7") },
            Self::P384 => const { ObjectIdentifier::new_unwrap("1.3.132.0.34") },
            Self::P521 => const { ObjectIdentifier::new_unwrap("1.3.132.0.35") },
            Self::Secp256k1 => const { ObjectIdentifier::new_unwrap("1.3.132.0.10") },
            Self::BrainpoolP256r1 => const { ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7") },
            Self::BrainpoolP384r1 => const { ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11") },
        }
    }

    /// What stands before the point in a SubjectPublicKeyInfo (RFC 5480, 2).
    const fn spki_head(self) -> &'static [u8] {
        match self {
            Self::P256 => {
                b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                  \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"
            }
            Self::P384 => {
                b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                  \x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00"
            }
            Self::P521 => {
                b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                  \x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00"
            }
            Self::Secp256k1 => {
                b"\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                  \x06\x05\x2b\x81\x04\x00\x0a\x03\x42\x00"
            }
            Self::BrainpoolP256r1 => {
                b"\x30\x5a\x30\x14\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                  \x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07\x03\x42\x00"
            }
            Self::BrainpoolP384r1 => {
                b"\x30\x7a\x30\x14\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                  \x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b\x03\x62\x00"
            }
        }
    }

    /// Length of a field element in bytes.
    #[must_use]
    pub const fn field_len(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 | Self::BrainpoolP256r1 => 32,
            Self::P384 | Self::BrainpoolP384r1 => 48,
            Self::P521 => 66,
        }
    }

    /// The curve's name in claims, without the `EC-`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P256",
            Self::P384 => "P384",
            Self::P521 => "P521",
            Self::Secp256k1 => "secp256k1",
            Self::BrainpoolP256r1 => "brainpoolP256r1",
            Self::BrainpoolP384r1 => "brainpoolP384r1",
        }
    }

    /// The curve with this object identifier, in dotted text.
    #[must_use]
    pub fn from_oid_text(text: &str) -> Option<Self> {
        let oid = ObjectIdentifier::new(text).ok()?;
        Self::ALL.into_iter().find(|c| c.oid() == oid)
    }
}

/// The numbers of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// RSA, big-endian without leading zeros.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Public exponent.
        e: Vec<u8>,
    },
    /// A point on a named curve, uncompressed (SEC 1, 2.3.3).
    Ec {
        /// The curve.
        curve: Curve,
        /// `04 ‖ X ‖ Y`.
        point: Vec<u8>,
    },
    /// Ed25519 (RFC 8410).
    Ed25519(Vec<u8>),
    /// X25519 (RFC 8410): key agreement only.
    X25519(Vec<u8>),
    /// DSA (FIPS 186-4), big-endian without leading zeros.
    Dsa {
        /// Prime modulus.
        p: Vec<u8>,
        /// Prime divisor of p − 1.
        q: Vec<u8>,
        /// Generator of the subgroup of order q.
        g: Vec<u8>,
        /// Public value.
        y: Vec<u8>,
    },
    /// ML-DSA (FIPS 204).
    MlDsa {
        /// The parameter set.
        set: MlDsa,
        /// The public key as FIPS 204 encodes it.
        key: Vec<u8>,
    },
    /// A key type that this verifier can name but not use.
    Other {
        /// Object identifier of the key type (and of the curve), dotted.
        oid: String,
        /// The subjectPublicKey bits.
        bits: Vec<u8>,
    },
}

/// A public key.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    spki: Vec<u8>,
    /// The bits of the BIT STRING: what aws-lc-rs takes as key.
    bits: Vec<u8>,
    material: Material,
    spki_sha256: OnceLock<[u8; 32]>,
    /// The key as aws-lc-rs holds it, for the scheme it was first used with. Pinned keys are used over and
    /// over, and most keys are used with one scheme only.
    parsed: OnceLock<Option<(Scheme, ParsedPublicKey)>>,
    /// The same for a DSA key, as the `dsa` crate holds it.
    dsa: OnceLock<Option<dsa::Verifier>>,
}

/// Why bytes are not a usable SubjectPublicKeyInfo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not DER of a SubjectPublicKeyInfo.
    #[error("not a SubjectPublicKeyInfo")]
    Malformed,
    /// An RSA modulus or exponent that is zero, negative or over the limit.
    #[error("RSA modulus or exponent is zero, negative or longer than {MAX_RSA_BITS} bits")]
    RsaNumbers,
    /// A point that is compressed or has the wrong length.
    #[error("the EC point is not an uncompressed point of the curve's length")]
    PointForm,
    /// DSA numbers that are out of range or not of an accepted size.
    #[error("the DSA key is not one of 2048 or 3072 bits with a divisor of 256 bits")]
    DsaNumbers,
}

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ID_DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// id-alg-hss-lms-hashsig (RFC 8708, 3), as dotted text: such keys are [`Material::Other`].
const HSS_LMS: &str = "1.2.840.113549.1.9.16.3.17";
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When it is malformed, or an RSA or EC key out of form. Unknown key types are [`Material::Other`].
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, bits) = split_spki(der).ok_or(KeyError::Malformed)?;
        let (oid, parameters) = algorithm_identifier(algorithm).map_err(|_| KeyError::Malformed)?;
        match oid {
            RSA_ENCRYPTION | RSA_PSS => {
                let (n, e) = rsa_numbers(bits).ok_or(KeyError::RsaNumbers)?;
                Self::rsa(n, e)
            }
            EC_PUBLIC_KEY => {
                let curve_oid = parameters
                    .and_then(|p| p.decode_as::<ObjectIdentifier>().ok())
                    .ok_or(KeyError::Malformed)?;
                match Curve::ALL.into_iter().find(|c| c.oid() == curve_oid) {
                    Some(curve) => Self::ec(curve, bits),
                    None => Ok(Self::other(format!("{oid}/{curve_oid}"), der, bits)),
                }
            }
            ED25519 | X25519 if parameters.is_some() || bits.len() != 32 => Err(KeyError::Malformed),
            ED25519 => Ok(Self::make(der.to_vec(), bits.to_vec(), Material::Ed25519(bits.to_vec()))),
            X25519 => Ok(Self::make(der.to_vec(), bits.to_vec(), Material::X25519(bits.to_vec()))),
            _ => match MlDsa::ALL.into_iter().find(|set| set.oid() == oid) {
                Some(_) if parameters.is_some() => Err(KeyError::Malformed),
                Some(set) => Self::ml_dsa(set, bits),
                None => Ok(Self::other(oid.to_string(), der, bits)),
            },
        }
    }

    /// An RSA key from modulus and exponent, big-endian, leading zeros allowed.
    ///
    /// # Errors
    /// When either is zero or over the limit.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = (strip_zeros(n), strip_zeros(e));
        if n.is_empty() || e.is_empty() || n.len() > MAX_RSA_BITS / 8 || e.len() > n.len() {
            return Err(KeyError::RsaNumbers);
        }
        let bits = encode_rsa(n, e).map_err(|_| KeyError::RsaNumbers)?;
        // rsaEncryption with NULL parameters (RFC 3279, 2.3.1)
        const ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        let spki = join_spki(ALGORITHM, &bits).map_err(|_| KeyError::RsaNumbers)?;
        Ok(Self::make(spki, bits, Material::Rsa { n: n.to_vec(), e: e.to_vec() }))
    }

    /// A key on a named curve from its uncompressed point. Whether the point is *on* the curve is for
    /// [`is_on_curve`](Self::is_on_curve) to say.
    ///
    /// # Errors
    /// When the point is compressed or of another length.
    pub fn ec(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        let right_length = point.len() == curve.field_len().saturating_mul(2).saturating_add(1);
        if point.first() != Some(&4) || !right_length {
            return Err(KeyError::PointForm);
        }
        let spki = [curve.spki_head(), point].concat();
        Ok(Self::make(spki, point.to_vec(), Material::Ec { curve, point: point.to_vec() }))
    }

    /// A DSA key from its numbers, big-endian, leading zeros allowed. Only the sizes (2048, 256) and (3072, 256)
    /// of FIPS 186-4 are accepted, and only numbers within range; whether y and g are of order q is found out
    /// when the key is first used.
    ///
    /// # Errors
    /// When a number is out of range or the sizes are others.
    pub fn dsa(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let [p, q, g, y] = [p, q, g, y].map(strip_zeros);
        if !matches!((bit_len(p), bit_len(q)), (2048 | 3072, 256))
            || !dsa::in_range(p, g)
            || !dsa::in_range(p, y)
        {
            return Err(KeyError::DsaNumbers);
        }
        // id-dsa with Dss-Parms; the key is an INTEGER (RFC 3279, 2.3.2)
        let encode = || -> der::Result<(Vec<u8>, Vec<u8>)> {
            let integer = |n: &[u8]| UintRef::new(n).and_then(|n| n.to_der());
            let parameters = sequence(&[integer(p)?, integer(q)?, integer(g)?].concat())?;
            let algorithm = sequence(&[ID_DSA.to_der()?, parameters].concat())?;
            let bits = integer(y)?;
            Ok((join_spki(&algorithm, &bits)?, bits))
        };
        let (spki, bits) = encode().map_err(|_| KeyError::DsaNumbers)?;
        let [p, q, g, y] = [p, q, g, y].map(<[u8]>::to_vec);
        Ok(Self::make(spki, bits, Material::Dsa { p, q, g, y }))
    }

    /// An Ed25519 key.
    ///
    /// # Errors
    /// When it has not 32 bytes.
    pub fn ed25519(key: &[u8]) -> Result<Self, KeyError> {
        if key.len() != 32 {
            return Err(KeyError::Malformed);
        }
        let encode = || join_spki(&sequence(&ED25519.to_der()?)?, key);
        let spki = encode().map_err(|_| KeyError::Malformed)?;
        Ok(Self::make(spki, key.to_vec(), Material::Ed25519(key.to_vec())))
    }

    /// An ML-DSA key as FIPS 204 encodes it.
    ///
    /// # Errors
    /// When it is not of the parameter set's length.
    pub fn ml_dsa(set: MlDsa, key: &[u8]) -> Result<Self, KeyError> {
        if key.len() != set.key_len() {
            return Err(KeyError::Malformed);
        }
        let encode = || join_spki(&sequence(&set.oid().to_der()?)?, key);
        let spki = encode().map_err(|_| KeyError::Malformed)?;
        Ok(Self::make(spki, key.to_vec(), Material::MlDsa { set, key: key.to_vec() }))
    }

    fn other(oid: String, spki: &[u8], bits: &[u8]) -> Self {
        Self::make(spki.to_vec(), bits.to_vec(), Material::Other { oid, bits: bits.to_vec() })
    }

    fn make(spki: Vec<u8>, bits: Vec<u8>, material: Material) -> Self {
        Self(Arc::new(Inner {
            spki,
            bits,
            material,
            spki_sha256: OnceLock::new(),
            parsed: OnceLock::new(),
            dsa: OnceLock::new(),
        }))
    }

    /// The numbers of the key.
    #[must_use]
    pub fn material(&self) -> &Material {
        &self.0.material
    }

    /// The bits of the BIT STRING.
    pub(crate) fn bits(&self) -> &[u8] {
        &self.0.bits
    }

    /// DER SubjectPublicKeyInfo in its normal form: RSA as rsaEncryption with NULL parameters, EC with the
    /// named curve.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// SHA-256 of [`spki_der`](Self::spki_der).
    #[must_use]
    pub fn spki_sha256(&self) -> [u8; 32] {
        *self.0.spki_sha256.get_or_init(|| sha256(&self.0.spki))
    }

    /// Key type and size as in the claim `key.algorithm`: `RSA-3072`, `EC-P256`, `Ed25519` …
    #[must_use]
    pub fn algorithm(&self) -> String {
        match &self.0.material {
            Material::Rsa { n, .. } => format!("RSA-{}", bit_len(n)),
            Material::Ec { curve, .. } => format!("EC-{}", curve.name()),
            Material::Ed25519(_) => "Ed25519".to_owned(),
            Material::X25519(_) => "X25519".to_owned(),
            Material::Dsa { p, .. } => format!("DSA-{}", bit_len(p)),
            Material::MlDsa { set, .. } => set.name().to_owned(),
            Material::Other { oid, .. } if oid == HSS_LMS => "HSS-LMS".to_owned(),
            Material::Other { oid, .. } => match curve_without_arithmetic(oid) {
                Some(name) => format!("EC-{name}"),
                None => format!("OID-{oid}"),
            },
        }
    }

    /// Length of the RSA modulus in bits.
    #[must_use]
    pub fn rsa_bits(&self) -> Option<usize> {
        match &self.0.material {
            Material::Rsa { n, .. } => Some(bit_len(n)),
            _ => None,
        }
    }

    /// Whether an EC point lies on its curve (SP 800-56A, 5.6.2.3.3); `None` for keys that are not EC.
    #[must_use]
    pub fn is_on_curve(&self) -> Option<bool> {
        let Material::Ec { curve, point } = &self.0.material else { return None };
        let hash = match curve {
            Curve::P256 | Curve::Secp256k1 => Hash::Sha256,
            Curve::P384 => Hash::Sha384,
            Curve::P521 => Hash::Sha512,
            Curve::BrainpoolP256r1 | Curve::BrainpoolP384r1 => {
                return Some(brainpool::is_on_curve(*curve, point));
            }
        };
        let scheme = Scheme::Ecdsa(hash);
        // The key may be held for another scheme, with which it was used first.
        let read = || ParsedPublicKey::new(self.verification_algorithm(scheme).ok()?, &self.0.bits).ok();
        Some(self.parsed(scheme).is_some() || read().is_some())
    }

    /// Verifies a signature of this key over `message`.
    ///
    /// # Errors
    /// When it does not verify, or the scheme is not one for this key or not accepted.
    pub fn verify<'m>(
        &self,
        scheme: Scheme,
        message: &'m [u8],
        signature: &[u8],
    ) -> Result<SignatureValid<'m>, SignatureError> {
        if scheme.hash() == Some(Hash::Sha1) {
            return Err(SignatureError::WeakDigest);
        }
        if let Scheme::EcdsaUnsigned(hash) = scheme {
            let Material::Ec { curve, .. } = &self.0.material else { return Err(self.wrong_type(scheme)) };
            let fixed =
                ecdsa::unsigned_to_fixed(signature, curve.field_len()).ok_or(SignatureError::Invalid)?;
            return self.verify(Scheme::EcdsaFixed(hash), message, &fixed);
        }
        if scheme == Scheme::HssLms {
            let Material::Other { oid, bits } = &self.0.material else { return Err(self.wrong_type(scheme)) };
            if oid != HSS_LMS {
                return Err(self.wrong_type(scheme));
            }
            // RFC 8708 puts the key into an OCTET STRING within the BIT STRING, RFC 9708 does not.
            let key = content(bits, der::Tag::OctetString).unwrap_or(bits);
            lms::verify(key, message, signature).ok_or(SignatureError::Invalid)?;
        } else if scheme == Scheme::RsaPkcs1BareSha256 {
            self.verify_bare_digest(message, signature)?;
        } else if let (Material::Dsa { p, q, g, y }, Scheme::DsaFixed(Hash::Sha256)) =
            (self.material(), scheme)
        {
            let key = self.0.dsa.get_or_init(|| dsa::Verifier::new(p, q, g, y));
            let valid = key.as_ref().is_some_and(|key| key.verify(&sha256(message), signature));
            valid.then_some(()).ok_or(SignatureError::Invalid)?;
        } else if let Material::Ec { curve, point } = &self.0.material
            && let Some(verified) = brainpool::verify(*curve, point, scheme, message, signature)
        {
            verified.then_some(()).ok_or(SignatureError::Invalid)?;
        } else if let (Material::Ec { curve, .. }, Scheme::EcdsaFixed(hash)) = (&self.0.material, scheme)
            && self.verification_algorithm(scheme).is_err()
        {
            // aws-lc-rs has some combinations of curve and hash only for signatures in DER.
            let der = ecdsa_der(signature, curve.field_len()).ok_or(SignatureError::Invalid)?;
            return self.verify(Scheme::Ecdsa(hash), message, &der);
        } else {
            let algorithm = self.verification_algorithm(scheme)?;
            match self.parsed(scheme) {
                Some(key) => key.verify_sig(message, signature),
                None => UnparsedPublicKey::new(algorithm, &self.0.bits).verify(message, signature),
            }
            .map_err(|_| SignatureError::Invalid)?;
        }
        Ok(SignatureValid::new(message, self.clone()))
    }

    /// The key as aws-lc-rs holds it, when it was first used with this scheme.
    fn parsed(&self, scheme: Scheme) -> Option<&ParsedPublicKey> {
        let parse = || {
            let algorithm = self.verification_algorithm(scheme).ok()?;
            Some((scheme, ParsedPublicKey::new(algorithm, &self.0.bits).ok()?))
        };
        match self.0.parsed.get_or_init(parse) {
            Some((used, key)) if *used == scheme => Some(key),
            _ => None,
        }
    }

    fn verification_algorithm(
        &self,
        scheme: Scheme,
    ) -> Result<&'static dyn VerificationAlgorithm, SignatureError> {
        use Hash::{Sha256, Sha384, Sha512};
        let algorithm: Option<&'static dyn VerificationAlgorithm> = match (&self.0.material, scheme) {
            // Below 2048 bits only to tell a valid signature of a weak key from an invalid one: the key is
            // refused by `weak-key` or by the path validator.
            (Material::Rsa { n, .. }, Scheme::RsaPkcs1(Sha256)) if bit_len(n) < 2048 => {
                Some(&lc::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
            }
            (Material::Rsa { .. }, Scheme::RsaPkcs1(Sha256)) => Some(&lc::RSA_PKCS1_2048_8192_SHA256),
            (Material::Rsa { .. }, Scheme::RsaPkcs1(Sha384)) => Some(&lc::RSA_PKCS1_2048_8192_SHA384),
            (Material::Rsa { .. }, Scheme::RsaPkcs1(Sha512)) => Some(&lc::RSA_PKCS1_2048_8192_SHA512),
            (Material::Rsa { .. }, Scheme::RsaPss(Sha256)) => Some(&lc::RSA_PSS_2048_8192_SHA256),
            (Material::Rsa { .. }, Scheme::RsaPss(Sha384)) => Some(&lc::RSA_PSS_2048_8192_SHA384),
            (Material::Rsa { .. }, Scheme::RsaPss(Sha512)) => Some(&lc::RSA_PSS_2048_8192_SHA512),
            (Material::Ec { curve, .. }, Scheme::Ecdsa(hash)) => match (curve, hash) {
                (Curve::P256, Sha256) => Some(&lc::ECDSA_P256_SHA256_ASN1),
                (Curve::P256, Sha384) => Some(&lc::ECDSA_P256_SHA384_ASN1),
                (Curve::P256, Sha512) => Some(&lc::ECDSA_P256_SHA512_ASN1),
                (Curve::P384, Sha256) => Some(&lc::ECDSA_P384_SHA256_ASN1),
                (Curve::P384, Sha384) => Some(&lc::ECDSA_P384_SHA384_ASN1),
                (Curve::P384, Sha512) => Some(&lc::ECDSA_P384_SHA512_ASN1),
                (Curve::P521, Sha256) => Some(&lc::ECDSA_P521_SHA256_ASN1),
                (Curve::P521, Sha384) => Some(&lc::ECDSA_P521_SHA384_ASN1),
                (Curve::P521, Sha512) => Some(&lc::ECDSA_P521_SHA512_ASN1),
                (Curve::Secp256k1, Sha256) => Some(&lc::ECDSA_P256K1_SHA256_ASN1),
                _ => None,
            },
            (Material::Ec { curve, .. }, Scheme::EcdsaFixed(hash)) => match (curve, hash) {
                (Curve::P256, Sha256) => Some(&lc::ECDSA_P256_SHA256_FIXED),
                (Curve::P384, Sha384) => Some(&lc::ECDSA_P384_SHA384_FIXED),
                (Curve::P521, Sha512) => Some(&lc::ECDSA_P521_SHA512_FIXED),
                (Curve::Secp256k1, Sha256) => Some(&lc::ECDSA_P256K1_SHA256_FIXED),
                _ => None,
            },
            (Material::Ed25519(_), Scheme::Ed25519) => Some(&lc::ED25519),
            (Material::MlDsa { set, .. }, Scheme::MlDsa(of)) if *set == of => {
                Some(of.verification_algorithm())
            }
            _ => None,
        };
        algorithm.ok_or_else(|| self.wrong_type(scheme))
    }

    fn wrong_type(&self, scheme: Scheme) -> SignatureError {
        SignatureError::WrongKeyType { key: self.algorithm(), scheme: scheme.to_string() }
    }

    /// The whole encoded block is compared, so nothing can hide in the padding.
    fn verify_bare_digest(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let wrong_type = || self.wrong_type(Scheme::RsaPkcs1BareSha256);
        let Material::Rsa { n, e } = &self.0.material else { return Err(wrong_type()) };
        if signature.len() != n.len() {
            return Err(SignatureError::Invalid);
        }
        let key = rsa::PublicKey::new(
            rsa::BoxedUint::from_be_slice_vartime(n),
            rsa::BoxedUint::from_be_slice_vartime(e),
        )
        .map_err(|_| wrong_type())?;
        key.verify(rsa::Pkcs1v15Sign::new_unprefixed(), &sha256(message), signature)
            .map_err(|_| SignatureError::Invalid)
    }
}

impl PartialEq for PublicKey {
    /// Equality of the key's numbers, not of its encoding.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.material == other.0.material
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.algorithm(), hex::encode(self.spki_sha256()))
    }
}

/// Curves that devices have and this verifier can only name: no signature of theirs verifies here.
fn curve_without_arithmetic(oid: &str) -> Option<&'static str> {
    match oid.strip_prefix("1.2.840.10045.2.1/")? {
        "1.3.132.0.33" => Some("P224"),
        "1.3.36.3.3.2.8.1.1.13" => Some("brainpoolP512r1"),
        _ => None,
    }
}

/// AlgorithmIdentifier (whole TLV) and key bits of a SubjectPublicKeyInfo.
fn split_spki(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let [algorithm, bits] = two(content(der, der::Tag::Sequence)?)?;
    Some((algorithm, BitStringRef::from_der(bits).ok()?.as_bytes()?))
}

fn rsa_numbers(bits: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, numbers) = single(bits)?;
    let [n, e] = two(numbers)?.map(|number| UintRef::from_der(number).ok());
    Some((n?.as_bytes(), e?.as_bytes()))
}

/// The two TLVs that some content consists of.
fn two(content: &[u8]) -> Option<[&[u8]; 2]> {
    let mut members = Children::of(content, 2);
    let both = [members.next()??, members.next()??];
    members.next().is_none().then_some(both)
}

/// A signature `r ‖ s`, each of the field's length, in DER.
pub(crate) fn ecdsa_der(signature: &[u8], field_len: usize) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(field_len).filter(|(_, s)| s.len() == field_len)?;
    let mut body = UintRef::new(r).ok()?.to_der().ok()?;
    body.extend(UintRef::new(s).ok()?.to_der().ok()?);
    sequence(&body).ok()
}

fn encode_rsa(n: &[u8], e: &[u8]) -> der::Result<Vec<u8>> {
    let mut body = UintRef::new(n)?.to_der()?;
    body.extend(UintRef::new(e)?.to_der()?);
    sequence(&body)
}

fn join_spki(algorithm: &[u8], bits: &[u8]) -> der::Result<Vec<u8>> {
    let mut body = algorithm.to_vec();
    body.extend(BitStringRef::from_bytes(bits)?.to_der()?);
    sequence(&body)
}

fn sequence(body: &[u8]) -> der::Result<Vec<u8>> {
    AnyRef::new(der::Tag::Sequence, body)?.to_der()
}

fn strip_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Bits of a big-endian number without leading zero bytes.
pub(super) fn bit_len(bytes: &[u8]) -> usize {
    let first = bytes.first().map_or(0, |b| usize::try_from(b.leading_zeros()).unwrap_or(0));
    bytes.len().saturating_mul(8).saturating_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_ec_keys_are_what_the_der_crate_writes() {
        for curve in Curve::ALL {
            let point = [&[4][..], &vec![7; 2 * curve.field_len()]].concat();
            let algorithm = [EC_PUBLIC_KEY.to_der().unwrap(), curve.oid().to_der().unwrap()].concat();
            let spki = join_spki(&sequence(&algorithm).unwrap(), &point).unwrap();
            assert_eq!(PublicKey::ec(curve, &point).unwrap().spki_der(), spki, "{}", curve.name());
            assert_eq!(PublicKey::from_spki_der(&spki).unwrap().spki_der(), spki, "{}", curve.name());
        }
    }
}
