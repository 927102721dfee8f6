//! Signature algorithms: X.509 AlgorithmIdentifiers and the schemes they name.

use std::fmt;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

use super::MlDsa;
use crate::wire::der::{Children, content, single};

/// A digest of the SHA family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1; recognised so that it can be refused by name.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Length of the digest in bytes.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of `bytes`. SHA-1 only names things here; it signs nothing.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        use aws_lc_rs::digest;
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }

    /// The digest that a DER AlgorithmIdentifier names; its parameters are NULL or absent (RFC 5754, 2).
    ///
    /// # Errors
    /// When it is malformed, unknown, or has other parameters.
    pub fn from_algorithm_identifier(der: &[u8]) -> Result<Self, SchemeError> {
        let (oid, parameters) = algorithm_identifier(der)?;
        let hash = Self::from_oid(oid).ok_or_else(|| SchemeError::Unknown(oid.to_string()))?;
        match parameters {
            Some(parameters) if !parameters.is_null() => {
                Err(SchemeError::Parameters { algorithm: "digest", why: "unexpected parameters" })
            }
            _ => Ok(hash),
        }
    }

    fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        match oid {
            SHA1 => Some(Self::Sha1),
            SHA256 => Some(Self::Sha256),
            SHA384 => Some(Self::Sha384),
            SHA512 => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// How a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2).
    RsaPkcs1(Hash),
    /// RSASSA-PSS with MGF1 of the same hash and a salt of the digest's length (RFC 8017, 8.1).
    RsaPss(Hash),
    /// ECDSA, signature in DER (RFC 3279, 2.2.3).
    Ecdsa(Hash),
    /// ECDSA, signature as r ‖ s, each of the field's length (PKCS#11, IEEE P1363).
    EcdsaFixed(Hash),
    /// ECDSA as in DER, except that r and s are unsigned numbers of any length: a device wrote them without the
    /// zero byte that keeps an INTEGER positive, or with leading zeros (Thales Luna).
    EcdsaUnsigned(Hash),
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// DSA (FIPS 186-4), signature as r ‖ s, each of the length of q. No AlgorithmIdentifier of the table names
    /// it: it is for formats whose devices sign with DSA.
    DsaFixed(Hash),
    /// HSS/LMS, the hash-based signature of RFC 8554 with SHA-256 (in certificates and CMS: RFC 8708, RFC 9708).
    HssLms,
    /// PKCS#1 type-1 padding around the bare SHA-256 digest, without DigestInfo (LiquidSecurity firmware 2).
    RsaPkcs1BareSha256,
    /// ML-DSA, pure, with an empty context (FIPS 204; RFC 9881).
    MlDsa(MlDsa),
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(h) => write!(f, "RSA PKCS#1 v1.5 with {h}"),
            Self::RsaPss(h) => write!(f, "RSA-PSS with {h}"),
            Self::Ecdsa(h) => write!(f, "ECDSA with {h}"),
            Self::EcdsaFixed(h) => write!(f, "ECDSA (r and s side by side) with {h}"),
            Self::EcdsaUnsigned(h) => write!(f, "ECDSA (r and s as unsigned numbers) with {h}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::DsaFixed(h) => write!(f, "DSA (r and s side by side) with {h}"),
            Self::HssLms => f.write_str("HSS/LMS"),
            Self::MlDsa(set) => f.write_str(set.name()),
            Self::RsaPkcs1BareSha256 => f.write_str("RSA PKCS#1 v1.5 padding around a bare SHA-256 digest"),
        }
    }
}

/// An AlgorithmIdentifier that names no scheme of this verifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// An object identifier that is not in the table.
    #[error("signature algorithm {0} is not supported")]
    Unknown(String),
    /// Parameters that the algorithm does not have, or a combination that is not accepted.
    #[error("parameters of signature algorithm {algorithm} are not accepted: {why}")]
    Parameters {
        /// The algorithm.
        algorithm: &'static str,
        /// What is wrong with its parameters.
        why: &'static str,
    },
    /// Not an AlgorithmIdentifier.
    #[error("not an AlgorithmIdentifier")]
    Malformed,
}

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

/// Which parameters an algorithm must have.
enum Parameters {
    /// NULL, or absent as some devices write it (RFC 4055, section 5, tells to accept both).
    NullOrAbsent,
    /// None (RFC 5758, 3.2; RFC 8410, 3).
    Absent,
}

/// The algorithms without parameters of their own (RSASSA-PSS has its own reader).
const TABLE: &[(ObjectIdentifier, Scheme, Parameters, &str)] = {
    use Parameters::{Absent, NullOrAbsent};
    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }
    &[
        (
            oid("1.2.840.113549.1.1.11"),
            Scheme::RsaPkcs1(Hash::Sha256),
            NullOrAbsent,
            "sha256WithRSAEncryption",
        ),
        (
            oid("1.2.840.113549.1.1.12"),
            Scheme::RsaPkcs1(Hash::Sha384),
            NullOrAbsent,
            "sha384WithRSAEncryption",
        ),
        (
            oid("1.2.840.113549.1.1.13"),
            Scheme::RsaPkcs1(Hash::Sha512),
            NullOrAbsent,
            "sha512WithRSAEncryption",
        ),
        (oid("1.2.840.10045.4.3.2"), Scheme::Ecdsa(Hash::Sha256), Absent, "ecdsa-with-SHA256"),
        (oid("1.2.840.10045.4.3.3"), Scheme::Ecdsa(Hash::Sha384), Absent, "ecdsa-with-SHA384"),
        (oid("1.2.840.10045.4.3.4"), Scheme::Ecdsa(Hash::Sha512), Absent, "ecdsa-with-SHA512"),
        (oid("1.3.101.112"), Scheme::Ed25519, Absent, "Ed25519"),
        (oid("1.2.840.113549.1.9.16.3.17"), Scheme::HssLms, Absent, "id-alg-hss-lms-hashsig"),
        (MlDsa::MlDsa44.oid(), Scheme::MlDsa(MlDsa::MlDsa44), Absent, "ML-DSA-44"),
        (MlDsa::MlDsa65.oid(), Scheme::MlDsa(MlDsa::MlDsa65), Absent, "ML-DSA-65"),
        (MlDsa::MlDsa87.oid(), Scheme::MlDsa(MlDsa::MlDsa87), Absent, "ML-DSA-87"),
        (oid("1.2.840.113549.1.1.5"), Scheme::RsaPkcs1(Hash::Sha1), NullOrAbsent, "sha1WithRSAEncryption"),
        (oid("1.2.840.10045.4.1"), Scheme::Ecdsa(Hash::Sha1), Absent, "ecdsa-with-SHA1"),
    ]
};

impl Scheme {
    /// The scheme that a DER AlgorithmIdentifier names.
    ///
    /// # Errors
    /// When it is malformed, unknown, or has parameters that are not accepted.
    pub fn from_algorithm_identifier(der: &[u8]) -> Result<Self, SchemeError> {
        let (oid, parameters) = algorithm_identifier(der)?;
        if oid == RSA_PSS {
            return pss(parameters);
        }
        let Some((_, scheme, wanted, name)) = TABLE.iter().find(|(known, ..)| *known == oid) else {
            return Err(SchemeError::Unknown(oid.to_string()));
        };
        let good = match (wanted, parameters) {
            (_, None) => true,
            (Parameters::NullOrAbsent, Some(p)) => p.is_null(),
            (Parameters::Absent, Some(_)) => false,
        };
        let why = "unexpected parameters";
        if good { Ok(*scheme) } else { Err(SchemeError::Parameters { algorithm: name, why }) }
    }

    /// The same, except that NULL parameters are accepted with ECDSA, which has none (RFC 5758, 3.2). Only for
    /// requests, and certificates of devices that are known to write them.
    ///
    /// # Errors
    /// As [`from_algorithm_identifier`](Self::from_algorithm_identifier).
    pub fn from_algorithm_identifier_or_null(der: &[u8]) -> Result<Self, SchemeError> {
        let (oid, parameters) = algorithm_identifier(der)?;
        let ecdsa = TABLE.iter().find(|(known, ..)| *known == oid).map(|(_, scheme, ..)| *scheme);
        match (ecdsa, parameters) {
            (Some(scheme @ Self::Ecdsa(_)), Some(null)) if null.is_null() => Ok(scheme),
            _ => Self::from_algorithm_identifier(der),
        }
    }

    /// The hash, where the scheme has one.
    #[must_use]
    pub const fn hash(self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(h)
            | Self::RsaPss(h)
            | Self::Ecdsa(h)
            | Self::EcdsaFixed(h)
            | Self::DsaFixed(h)
            | Self::EcdsaUnsigned(h) => Some(h),
            Self::RsaPkcs1BareSha256 => Some(Hash::Sha256),
            Self::Ed25519 | Self::HssLms | Self::MlDsa(_) => None,
        }
    }
}

/// OID and parameters of a DER AlgorithmIdentifier.
pub(crate) fn algorithm_identifier(
    der: &[u8],
) -> Result<(ObjectIdentifier, Option<AnyRef<'_>>), SchemeError> {
    let read = || {
        let mut members = Children::of(content(der, Tag::Sequence)?, 2);
        let oid = ObjectIdentifier::from_bytes(content(members.next()??, Tag::ObjectIdentifier)?).ok()?;
        let parameters = match members.next() {
            None => None,
            Some(parameters) => {
                let (tag, value) = single(parameters?)?;
                Some(AnyRef::new(tag, value).ok()?)
            }
        };
        members.next().is_none().then_some((oid, parameters))
    };
    read().ok_or(SchemeError::Malformed)
}

/// RSASSA-PSS-params (RFC 4055, 3.1): one hash for message and MGF1, salt as long as the digest, trailer 1.
fn pss(parameters: Option<AnyRef<'_>>) -> Result<Scheme, SchemeError> {
    const NAME: &str = "RSASSA-PSS";
    let refuse = |why| SchemeError::Parameters { algorithm: NAME, why };
    let parameters = parameters.ok_or_else(|| refuse("absent, which would mean SHA-1"))?;
    let (mut hash, mut mgf_hash, mut salt, mut trailer) = (Hash::Sha1, Hash::Sha1, 20_u32, 1_u32);
    let mut read = || -> der::Result<()> {
        let mut reader = SliceReader::new(parameters.value())?;
        while !reader.is_finished() {
            let field = AnyRef::decode(&mut reader)?;
            let Tag::ContextSpecific { constructed: true, number } = field.header().tag() else {
                return Err(Tag::Sequence.value_error().into());
            };
            match number {
                TagNumber(0) => hash = hash_identifier(field.value())?,
                TagNumber(1) => {
                    let (oid, inner) = algorithm_identifier(field.value()).map_err(|_| bad())?;
                    if oid != MGF1 {
                        return Err(bad());
                    }
                    let inner = inner.ok_or_else(bad)?;
                    mgf_hash = hash_from(SliceReader::new(inner.value()).and_then(|mut r| {
                        let oid = ObjectIdentifier::decode(&mut r)?;
                        Ok(oid)
                    })?)?;
                }
                TagNumber(2) => salt = u32::from_der(field.value())?,
                TagNumber(3) => trailer = u32::from_der(field.value())?,
                _ => return Err(bad()),
            }
        }
        Ok(())
    };
    read().map_err(|_| refuse("not RSASSA-PSS-params of a known hash"))?;
    if hash == Hash::Sha1 {
        return Err(refuse("SHA-1"));
    }
    if mgf_hash != hash {
        return Err(refuse("MGF1 uses another hash than the message"));
    }
    if u32::try_from(hash.output_len()) != Ok(salt) {
        return Err(refuse("the salt is not as long as the digest"));
    }
    if trailer != 1 {
        return Err(refuse("trailer field is not 1"));
    }
    Ok(Scheme::RsaPss(hash))
}

fn bad() -> der::Error {
    Tag::Sequence.value_error().into()
}

fn hash_identifier(der: &[u8]) -> der::Result<Hash> {
    let (oid, _) = algorithm_identifier(der).map_err(|_| bad())?;
    hash_from(oid)
}

fn hash_from(oid: ObjectIdentifier) -> der::Result<Hash> {
    Hash::from_oid(oid).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(hexed: &str) -> Result<Scheme, SchemeError> {
        Scheme::from_algorithm_identifier(&hex::decode(hexed).unwrap())
    }

    #[test]
    fn null_parameters_may_be_absent_for_rsa() {
        assert_eq!(scheme("300d06092a864886f70d01010b0500"), Ok(Scheme::RsaPkcs1(Hash::Sha256)));
        assert_eq!(scheme("300b06092a864886f70d01010b"), Ok(Scheme::RsaPkcs1(Hash::Sha256)));
        assert!(matches!(scheme("300e06092a864886f70d01010b020101"), Err(SchemeError::Parameters { .. })));
    }

    #[test]
    fn ecdsa_has_no_parameters() {
        assert_eq!(scheme("300a06082a8648ce3d040302"), Ok(Scheme::Ecdsa(Hash::Sha256)));
        assert!(matches!(scheme("300c06082a8648ce3d0403020500"), Err(SchemeError::Parameters { .. })));
    }

    #[test]
    fn ecdsa_with_null_only_where_asked_for() {
        let lenient = |hexed: &str| Scheme::from_algorithm_identifier_or_null(&hex::decode(hexed).unwrap());
        assert_eq!(lenient("300c06082a8648ce3d0403030500"), Ok(Scheme::Ecdsa(Hash::Sha384)));
        assert_eq!(lenient("300a06082a8648ce3d040303"), Ok(Scheme::Ecdsa(Hash::Sha384)));
        assert!(matches!(lenient("300d06082a8648ce3d040303020101"), Err(SchemeError::Parameters { .. })));
        assert!(matches!(lenient("300706032b65700500"), Err(SchemeError::Parameters { .. })));
    }

    #[test]
    fn pss_needs_one_hash_and_a_full_salt() {
        // SHA-256, MGF1 with SHA-256, salt 32.
        let good = "304106092a864886f70d01010a3034a00f300d06096086480165030402010500\
                    a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120";
        assert_eq!(scheme(good), Ok(Scheme::RsaPss(Hash::Sha256)));
        let short_salt = good.replace("a203020120", "a203020114");
        assert!(matches!(scheme(&short_salt), Err(SchemeError::Parameters { .. })));
        assert!(matches!(scheme("300b06092a864886f70d01010a"), Err(SchemeError::Parameters { .. })));
    }

    #[test]
    fn unknown_and_malformed_are_told_apart() {
        assert!(matches!(scheme("300a06082a864886f70d0204"), Err(SchemeError::Unknown(_))));
        assert_eq!(scheme("30"), Err(SchemeError::Malformed));
        assert_eq!(scheme(""), Err(SchemeError::Malformed));
    }
}
