//! Writers of TPM 2.0 structures (part 2 of the library specification).

use crate::Error;
use crate::key::{Key, KeyKind, SignAlg, derived, sha1, sha256};
use aws_lc_rs::digest as lc;

/// Algorithm identifiers.
pub mod alg {
    /// RSA.
    pub const RSA: u16 = 0x0001;
    /// SHA-1.
    pub const SHA1: u16 = 0x0004;
    /// Keyed hash.
    pub const KEYEDHASH: u16 = 0x0008;
    /// SHA-256.
    pub const SHA256: u16 = 0x000b;
    /// SHA-384.
    pub const SHA384: u16 = 0x000c;
    /// SHA-512.
    pub const SHA512: u16 = 0x000d;
    /// None.
    pub const NULL: u16 = 0x0010;
    /// SM3, which keyvouch does not compute.
    pub const SM3: u16 = 0x0012;
    /// RSASSA-PKCS1-v1_5.
    pub const RSASSA: u16 = 0x0014;
    /// RSASSA-PSS.
    pub const RSAPSS: u16 = 0x0016;
    /// ECDSA.
    pub const ECDSA: u16 = 0x0018;
    /// Elliptic curves.
    pub const ECC: u16 = 0x0023;
}

/// Types of attestation.
pub mod kind {
    /// TPM2_Certify.
    pub const CERTIFY: u16 = 0x8017;
    /// TPM2_Quote.
    pub const QUOTE: u16 = 0x8018;
    /// TPM2_CertifyCreation.
    pub const CREATION: u16 = 0x801a;
}

/// Handles of hierarchies.
pub mod hierarchy {
    /// Owner.
    pub const OWNER: u32 = 0x4000_0001;
    /// Null: lost at the next reset.
    pub const NULL: u32 = 0x4000_0007;
    /// Endorsement.
    pub const ENDORSEMENT: u32 = 0x4000_000b;
    /// Platform.
    pub const PLATFORM: u32 = 0x4000_000c;
}

/// Bits of objectAttributes.
pub mod attribute {
    /// fixedTPM.
    pub const FIXED_TPM: u32 = 1 << 1;
    /// stClear.
    pub const ST_CLEAR: u32 = 1 << 2;
    /// fixedParent.
    pub const FIXED_PARENT: u32 = 1 << 4;
    /// sensitiveDataOrigin.
    pub const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
    /// userWithAuth.
    pub const USER_WITH_AUTH: u32 = 1 << 6;
    /// noDA.
    pub const NO_DA: u32 = 1 << 10;
    /// encryptedDuplication.
    pub const ENCRYPTED_DUPLICATION: u32 = 1 << 11;
    /// restricted.
    pub const RESTRICTED: u32 = 1 << 16;
    /// decrypt.
    pub const DECRYPT: u32 = 1 << 17;
    /// sign.
    pub const SIGN: u32 = 1 << 18;
    /// x509sign.
    pub const X509_SIGN: u32 = 1 << 19;
}

/// A 16-bit size, and the bytes.
pub fn tpm2b(bytes: &[u8]) -> Vec<u8> {
    // What is minted here is far shorter than 64 KiB.
    let size = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&size.to_be_bytes()[..], bytes].concat()
}

/// The digest of a hash that TPMs use for names.
pub fn digest(hash: u16, bytes: &[u8]) -> Vec<u8> {
    match hash {
        alg::SHA1 => sha1(bytes),
        alg::SHA384 => lc::digest(&lc::SHA384, bytes).as_ref().to_vec(),
        alg::SHA512 => lc::digest(&lc::SHA512, bytes).as_ref().to_vec(),
        _ => sha256(bytes),
    }
}

/// A name or qualified name over these parts.
pub fn name_of(hash: u16, parts: &[&[u8]]) -> Vec<u8> {
    [&hash.to_be_bytes()[..], &digest(hash, &parts.concat())].concat()
}

/// A scheme with its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    /// Algorithm; [`alg::NULL`] for none.
    pub alg: u16,
    /// Hash, where the algorithm has one.
    pub hash: u16,
}

impl Scheme {
    /// No scheme.
    pub const NONE: Self = Self { alg: alg::NULL, hash: alg::NULL };

    /// The scheme of a signature.
    pub fn of(signature: SignAlg) -> Self {
        use SignAlg as S;
        let (alg, hash) = match signature {
            S::RsaPkcs1Sha1 => (alg::RSASSA, alg::SHA1),
            S::RsaPkcs1Sha384 => (alg::RSASSA, alg::SHA384),
            S::RsaPkcs1Sha512 => (alg::RSASSA, alg::SHA512),
            S::RsaPssSha256 | S::RsaPssSha256LongestSalt => (alg::RSAPSS, alg::SHA256),
            S::EcdsaSha1 => (alg::ECDSA, alg::SHA1),
            S::EcdsaSha256 => (alg::ECDSA, alg::SHA256),
            S::EcdsaSha384 => (alg::ECDSA, alg::SHA384),
            S::EcdsaSha512 => (alg::ECDSA, alg::SHA512),
            _ => (alg::RSASSA, alg::SHA256),
        };
        Self { alg, hash }
    }

    fn bytes(self) -> Vec<u8> {
        match self.alg {
            alg::NULL => alg::NULL.to_be_bytes().to_vec(),
            alg => [alg.to_be_bytes(), self.hash.to_be_bytes()].concat(),
        }
    }
}

/// TPMT_PUBLIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// Type of the object.
    pub kind: u16,
    /// Hash of the name.
    pub name_alg: u16,
    /// objectAttributes.
    pub attributes: u32,
    /// authPolicy.
    pub auth_policy: Vec<u8>,
    /// Signing or decryption scheme.
    pub scheme: Scheme,
    /// RSA: size as stated.
    pub key_bits: u16,
    /// RSA: public exponent; 0 is 65537.
    pub exponent: u32,
    /// ECC: TPM_ECC_CURVE.
    pub curve: u16,
    /// Modulus, or the two coordinates.
    pub unique: Vec<Vec<u8>>,
}

impl Public {
    /// The public area of a key with these attributes, without a scheme.
    ///
    /// # Errors
    /// [`Error::UnfitKey`] for kinds that no TPM has.
    pub fn of(key: &Key, attributes: u32) -> Result<Self, Error> {
        let curve = match key.kind() {
            KeyKind::P256 => 3,
            KeyKind::P384 => 4,
            KeyKind::P521 => 5,
            _ => 0,
        };
        let (kind, unique, exponent, key_bits) = match (key.rsa_public(), key.point()) {
            (Some((modulus, exponent)), _) => {
                let exponent = exponent.iter().fold(0, |number: u32, octet| number << 8 | u32::from(*octet));
                let bits = u16::try_from(modulus.len() * 8).map_err(|_| Error::TooLarge("modulus"))?;
                let exponent = if exponent == 65_537 { 0 } else { exponent };
                (alg::RSA, vec![modulus.to_vec()], exponent, bits)
            }
            (None, Some(point)) if curve != 0 => {
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                (alg::ECC, vec![x.to_vec(), y.to_vec()], 0, 0)
            }
            _ => return Err(Error::UnfitKey("TPM", key.kind())),
        };
        Ok(Self {
            kind,
            name_alg: alg::SHA256,
            attributes,
            auth_policy: Vec::new(),
            scheme: Scheme::NONE,
            key_bits,
            exponent,
            curve,
            unique,
        })
    }

    /// TPMT_PUBLIC.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = [self.kind.to_be_bytes(), self.name_alg.to_be_bytes()].concat();
        out.extend(self.attributes.to_be_bytes());
        out.extend(tpm2b(&self.auth_policy));
        match self.kind {
            alg::KEYEDHASH => out.extend(alg::NULL.to_be_bytes()),
            alg::RSA => {
                out.extend(alg::NULL.to_be_bytes());
                out.extend(self.scheme.bytes());
                out.extend(self.key_bits.to_be_bytes());
                out.extend(self.exponent.to_be_bytes());
            }
            _ => {
                out.extend(alg::NULL.to_be_bytes());
                out.extend(self.scheme.bytes());
                out.extend(self.curve.to_be_bytes());
                out.extend(alg::NULL.to_be_bytes());
            }
        }
        out.extend(self.unique.iter().flat_map(|part| tpm2b(part)));
        out
    }

    /// The name.
    pub fn name(&self) -> Vec<u8> {
        name_of(self.name_alg, &[&self.bytes()])
    }
}

/// What is attested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Name and qualified name of an object.
    Certify {
        /// Name.
        name: Vec<u8>,
        /// Qualified name.
        qualified_name: Vec<u8>,
    },
    /// Name and creation hash of an object.
    Creation {
        /// Name.
        name: Vec<u8>,
        /// Creation hash.
        hash: Vec<u8>,
    },
    /// Anything else, as it stands.
    Raw(Vec<u8>),
}

/// TPMS_ATTEST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attest {
    /// TPM_GENERATED_VALUE.
    pub magic: u32,
    /// Type.
    pub kind: u16,
    /// qualifiedSigner.
    pub qualified_signer: Vec<u8>,
    /// extraData.
    pub extra_data: Vec<u8>,
    /// Milliseconds.
    pub clock: u64,
    /// resetCount and restartCount.
    pub counts: [u32; 2],
    /// The safe flag.
    pub safe: u8,
    /// firmwareVersion.
    pub firmware_version: u64,
    /// What is attested.
    pub body: Body,
}

impl Attest {
    /// A certify attestation of nothing yet; counters and firmware are scrambled, as for most attestation keys.
    pub fn new(qualified_signer: Vec<u8>, extra_data: Vec<u8>) -> Self {
        Self {
            magic: 0xff54_4347,
            kind: kind::CERTIFY,
            qualified_signer,
            extra_data,
            clock: 86_400_000,
            counts: [0x8c54_7148, 0x62e4_6fc4],
            safe: 1,
            firmware_version: 0x5ce7_ab8d_d3b2_d833,
            body: Body::Raw(Vec::new()),
        }
    }

    /// TPMS_ATTEST.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.magic.to_be_bytes().to_vec();
        out.extend(self.kind.to_be_bytes());
        out.extend(tpm2b(&self.qualified_signer));
        out.extend(tpm2b(&self.extra_data));
        out.extend(self.clock.to_be_bytes());
        out.extend(self.counts.iter().flat_map(|count| count.to_be_bytes()));
        out.push(self.safe);
        out.extend(self.firmware_version.to_be_bytes());
        match &self.body {
            Body::Certify { name, qualified_name: second } | Body::Creation { name, hash: second } => {
                out.extend(tpm2b(name));
                out.extend(tpm2b(second));
            }
            Body::Raw(bytes) => out.extend(bytes),
        }
        out
    }
}

/// TPMS_CREATION_DATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// parentNameAlg.
    pub parent_name_alg: u16,
    /// parentName.
    pub parent_name: Vec<u8>,
    /// parentQualifiedName.
    pub parent_qualified_name: Vec<u8>,
    /// outsideInfo.
    pub outside_info: Vec<u8>,
}

impl Creation {
    /// Of an object below the storage key.
    pub fn below_storage_key() -> Self {
        Self {
            parent_name_alg: alg::SHA256,
            parent_name: [&alg::SHA256.to_be_bytes()[..], &derived("tpm: storage key", 32)].concat(),
            parent_qualified_name: super::storage_key(),
            outside_info: Vec::new(),
        }
    }

    /// Of a primary object.
    pub fn primary(handle: u32) -> Self {
        Self {
            parent_name_alg: alg::NULL,
            parent_name: handle.to_be_bytes().to_vec(),
            parent_qualified_name: handle.to_be_bytes().to_vec(),
            outside_info: Vec::new(),
        }
    }

    /// TPMS_CREATION_DATA, without PCRs.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; 4];
        out.extend(tpm2b(&sha256(&[])));
        out.push(1);
        out.extend(self.parent_name_alg.to_be_bytes());
        for part in [&self.parent_name, &self.parent_qualified_name, &self.outside_info] {
            out.extend(tpm2b(part));
        }
        out
    }
}

/// TPMT_SIGNATURE of a bare signature.
pub fn signature_structure(signature: SignAlg, bare: &[u8]) -> Vec<u8> {
    let scheme = Scheme::of(signature);
    let mut out = scheme.bytes();
    if scheme.alg == alg::ECDSA {
        out.extend(integers(bare).iter().flat_map(|number| tpm2b(number)));
    } else {
        out.extend(tpm2b(bare));
    }
    out
}

/// r and s of an Ecdsa-Sig-Value that aws-lc-rs wrote: SEQUENCE of two INTEGERs, each shorter than 128 octets.
fn integers(der: &[u8]) -> Vec<Vec<u8>> {
    let start = if der[1] == 0x81 { 3 } else { 2 };
    let r_len = usize::from(der[start + 1]);
    let (r, rest) = der[start + 2..].split_at(r_len);
    [r, &rest[2..]]
        .iter()
        .map(|number| number.iter().copied().skip_while(|octet| *octet == 0).collect())
        .collect()
}
