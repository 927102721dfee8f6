//! Crypto4A QASM attestation messages: claims of a module, signed with ECDSA and with HSS/LMS.
//!
//! Source: the message that the PKI Consortium shows (github.com/pkic/remote-key-attestation,
//! validation/crypto4a-qasm.md). Claims, names, dates and extensions are in its order and form; the HSS trees have height
//! 5 instead of 10, to be quick.

mod samples;

pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::lms::{HssKey, lms_type, ots_type};
use crate::x509::{self, Authority, Certificate, Extension, Text, usage};
use crate::{Error, File, der, pem};
use std::sync::{Arc, Mutex, PoisonError};

/// Format id.
pub const FORMAT: &str = "crypto4a-qasm";

/// Label of the PEM block.
pub const PEM_LABEL: &str = "ATTESTATION MESSAGE";

/// Object identifiers.
pub mod oid {
    /// Arc of the claims about the module.
    pub const MODULE: &str = "1.3.6.1.4.1.39901.6.1";
    /// Arc of the claims about keys.
    pub const KEY: &str = "1.3.6.1.4.1.39901.6.2";
    /// Purpose of the signers' certificates.
    pub const ATTESTATION: &str = "1.3.6.1.4.1.39901.4.1.1";
    /// id-alg-hss-lms-hashsig.
    pub const HSS_LMS: &str = "1.2.840.113549.1.9.16.3.17";
}

/// A UUID.
pub type Uuid = [u8; 16];

/// What a claim says beyond its predicate, as a complete TLV.
pub mod complement {
    use crate::{Error, der};

    /// OCTET STRING.
    pub fn bytes(value: &[u8]) -> Vec<u8> {
        der::implicit(0, value)
    }
    /// UTF8String.
    pub fn text(value: &str) -> Vec<u8> {
        der::implicit(1, value.as_bytes())
    }
    /// GeneralizedTime, from `20240612143307Z`.
    pub fn time(value: &str) -> Vec<u8> {
        der::implicit(2, value.as_bytes())
    }
    /// INTEGER.
    pub fn int(value: u32) -> Vec<u8> {
        der::implicit(3, &der::unsigned(&value.to_be_bytes()))
    }
    /// RFC 3339 to GeneralizedTime.
    ///
    /// # Errors
    /// [`Error::Time`].
    pub fn rfc3339(value: &str) -> Result<Vec<u8>, Error> {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        if value.len() != 20 || digits.len() != 14 {
            return Err(Error::Time(value.to_owned()));
        }
        Ok(time(&format!("{digits}Z")))
    }
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Object identifier of the predicate.
    pub oid: String,
    /// What it is about, if not the module.
    pub subject: Option<Uuid>,
    /// Whether the subject stands in a SEQUENCE, as the maker's specification is said to have it.
    pub subject_in_sequence: bool,
    /// Its complement, see [`complement`].
    pub complement: Option<Vec<u8>>,
}

impl Claim {
    /// About the module: predicate `number` of [`oid::MODULE`].
    pub fn module(number: u8, complement: Option<Vec<u8>>) -> Self {
        let oid = format!("{}.{number}", oid::MODULE);
        Self { oid, subject: None, subject_in_sequence: false, complement }
    }

    /// About a key: predicate `number` of [`oid::KEY`].
    pub fn key(number: u8, subject: Uuid, complement: Option<Vec<u8>>) -> Self {
        let oid = format!("{}.{number}", oid::KEY);
        Self { oid, subject: Some(subject), subject_in_sequence: false, complement }
    }

    fn der(&self) -> Result<Vec<u8>, Error> {
        let subject = self.subject.map(|uuid| {
            let uuid = der::implicit(0, &uuid);
            der::explicit(0, &if self.subject_in_sequence { der::sequence(&[uuid]) } else { uuid })
        });
        let complement = self.complement.as_ref().map(|value| der::explicit(1, value));
        Ok(der::sequence(&[
            der::oid(&self.oid)?,
            subject.unwrap_or_default(),
            complement.unwrap_or_default(),
        ]))
    }
}

/// Who signs a block.
#[derive(Debug, Clone)]
pub enum Signer {
    /// An ECDSA key.
    Ec(Arc<Key>, SignAlg),
    /// An HSS/LMS key.
    Hss(Arc<HssKey>),
}

impl Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Ec(key, algorithm) => key.sign(*algorithm, message),
            Self::Hss(key) => key.sign(message),
        }
    }

    fn algorithm(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Ec(_, algorithm) => algorithm.algorithm_identifier(),
            Self::Hss(_) => Ok(der::sequence(&[der::oid(oid::HSS_LMS)?])),
        }
    }
}

/// A signature block before it is signed.
#[derive(Debug, Clone)]
pub struct Block {
    /// UUID of the key that signs.
    pub key_id: Option<Vec<u8>>,
    /// Content of the spki field, which no real message has.
    pub spki: Option<Vec<u8>>,
    /// Certificate of the signer.
    pub certificate: Option<Certificate>,
    /// The key that signs that certificate.
    pub issuer: Arc<Key>,
    /// Who signs.
    pub signer: Signer,
    /// DER AlgorithmIdentifier instead of that of the signer.
    pub algorithm: Option<Vec<u8>>,
    /// The bytes to sign, instead of the claims.
    pub signed: Option<Vec<u8>>,
}

impl Block {
    fn der(&self, claims: &[u8]) -> Result<Vec<u8>, Error> {
        let certificate = match &self.certificate {
            None => Vec::new(),
            Some(certificate) => der::explicit(2, &certificate.sign(&self.issuer, SignAlg::EcdsaSha384)?),
        };
        let key_id = self.key_id.as_ref().map(|id| der::explicit(0, &der::octet_string(id)));
        let spki = self.spki.as_ref().map(|spki| der::explicit(1, spki));
        let signature = self.signer.sign(self.signed.as_deref().unwrap_or(claims))?;
        Ok(der::sequence(&[
            der::sequence(&[key_id.unwrap_or_default(), spki.unwrap_or_default(), certificate]),
            self.algorithm.clone().map_or_else(|| self.signer.algorithm(), Ok)?,
            der::bit_string(&signature),
        ]))
    }
}

/// A message before it is signed: change what the test is about, then [`Message::sign`].
#[derive(Debug, Clone)]
pub struct Message {
    /// Version of the message.
    pub version: u8,
    /// Version of the claims.
    pub claims_version: u8,
    /// The claims.
    pub claims: Vec<Claim>,
    /// The signature blocks.
    pub blocks: Vec<Block>,
    /// Attached certificates; none at all writes no field.
    pub related: Vec<Vec<u8>>,
}

impl Message {
    /// SetOfClaims: what is signed.
    ///
    /// # Errors
    /// [`Error::Oid`].
    pub fn claims_der(&self) -> Result<Vec<u8>, Error> {
        let claims: Vec<_> = self.claims.iter().map(Claim::der).collect::<Result<_, _>>()?;
        Ok(der::sequence(&[der::integer(&[self.claims_version]), der::sequence(&claims)]))
    }

    /// Sign every block: DER of the message.
    ///
    /// # Errors
    /// Those of the keys.
    pub fn sign(&self) -> Result<Vec<u8>, Error> {
        let claims = self.claims_der()?;
        let blocks: Vec<_> = self.blocks.iter().map(|block| block.der(&claims)).collect::<Result<_, _>>()?;
        let related = match self.related.as_slice() {
            [] => Vec::new(),
            related => der::explicit(0, &der::join(related)),
        };
        Ok(der::sequence(&[der::integer(&[self.version]), claims, der::sequence(&blocks), related]))
    }

    /// The first claim of this number about a key.
    pub fn key_claim_mut(&mut self, number: u8) -> Option<&mut Claim> {
        let oid = format!("{}.{number}", oid::KEY);
        self.claims.iter_mut().find(|claim| claim.oid == oid)
    }

    /// The first claim of this number about the module.
    pub fn module_claim_mut(&mut self, number: u8) -> Option<&mut Claim> {
        let oid = format!("{}.{number}", oid::MODULE);
        self.claims.iter_mut().find(|claim| claim.oid == oid)
    }

    /// Take away every claim of this object identifier.
    pub fn remove(&mut self, oid: &str) {
        self.claims.retain(|claim| claim.oid != oid);
    }
}

/// A module and the hierarchy that certifies it.
#[derive(Debug, Clone)]
pub struct Module {
    /// Throw-away root.
    pub root: Authority,
    /// The issuing authority.
    pub issuer: Authority,
    /// Digits of the serial number.
    pub number: String,
    /// The module's ECDSA key for attestation.
    pub ec: Arc<Key>,
    /// The module's HSS/LMS key for attestation.
    pub hss: Arc<HssKey>,
    /// When it attests, RFC 3339.
    pub time: String,
}

impl Module {
    /// A module. Its keys are the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        Self::under(&Key::shared("crypto4a-qasm: root", KeyKind::P384)?)
    }

    /// A module under a root of the same name with another key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn under(root_key: &Arc<Key>) -> Result<Self, Error> {
        let name = x509::name(&[
            // Six characters where X.520 has two: as the real root has it.
            ("C", Text::Utf8, "Canada"),
            ("ST", Text::Utf8, "Ontario"),
            ("L", Text::Utf8, "Ottawa"),
            ("O", Text::Utf8, "keyvouch emulated"),
            ("CN", Text::Utf8, "keyvouch emulated RCA"),
        ])?;
        let id = |key: &Key| x509::key_id(key);
        let authority = |path_len| {
            [
                x509::basic_constraints(true, path_len).critical(),
                x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
            ]
        };
        let mut root = Certificate::new(name, root_key, "2020-07-13T13:06:33Z", "2045-07-13T13:06:33Z")?;
        root.extensions = authority(None).to_vec();
        root.extensions.push(x509::authority_key_identifier(&id(root_key)?));
        root.extensions.push(x509::subject_key_identifier(&id(root_key)?));
        let root = Authority::root(root, Arc::clone(root_key), SignAlg::EcdsaSha384)?;
        let key = Key::shared("crypto4a-qasm: issuer", KeyKind::P384)?;
        let name = x509::common_name("keyvouch emulated SCA_MFG")?;
        let mut issuer = Certificate::new(name, &key, "2022-04-11T18:47:51Z", "2042-04-11T18:47:51Z")?;
        issuer.extensions = authority(Some(0)).to_vec();
        issuer.extensions.push(x509::authority_key_identifier(&id(root_key)?));
        issuer.extensions.push(x509::subject_key_identifier(&id(&key)?));
        let issuer = root.subordinate(issuer, key, SignAlg::EcdsaSha384)?;
        Ok(Self {
            root,
            issuer,
            number: "000777".to_owned(),
            ec: Key::shared("crypto4a-qasm: module", KeyKind::P384)?,
            hss: module_hss()?,
            time: "2026-05-01T12:00:00Z".to_owned(),
        })
    }

    /// The root as PEM file, for the verifier as operator anchor.
    pub fn anchors(&self) -> Vec<File> {
        vec![File::new("root.pem", pem::certificate(&self.root.der))]
    }

    /// A UUID of the module or an object in it.
    pub fn uuid(&self, of: &str) -> Uuid {
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&derived(&format!("{} {of}", self.number), 16));
        uuid
    }

    /// The claims about the module.
    ///
    /// # Errors
    /// [`Error::Time`].
    pub fn module_claims(&self) -> Result<Vec<Claim>, Error> {
        Ok(vec![
            Claim::module(0, Some(complement::bytes(&self.uuid("module")))),
            Claim::module(1, Some(complement::text(&format!("QSM{}", self.number)))),
            Claim::module(2, Some(complement::rfc3339(&self.time)?)),
            Claim::module(3, Some(complement::text("4.0.2.493"))),
            Claim::module(4, None),
            Claim { oid: format!("{}.0", oid::KEY), ..Claim::module(0, None) },
        ])
    }

    /// The claims about a key that was generated in the module and may sign.
    pub fn key_claims(&self, uuid: Uuid, spki: &[u8]) -> Vec<Claim> {
        let number = |number, value| Claim::key(number, uuid, Some(complement::int(value)));
        let mark = |number| Claim::key(number, uuid, None);
        vec![
            Claim::key(1, uuid, Some(complement::bytes(spki))),
            number(4, 4),
            number(5, 2),
            number(6, 256),
            mark(7),
            mark(8),
            mark(9),
            number(13, 261),
            number(14, 263),
        ]
    }

    /// The message about a key, with both signature blocks and both authorities attached, not yet signed.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn attest(&self, key: &Key) -> Result<Message, Error> {
        let mut claims = self.module_claims()?;
        claims.extend(self.key_claims(self.uuid("key"), &key.spki_der()?));
        let attached = [self.issuer.der.clone(), self.root.der.clone()];
        Ok(Message {
            version: 1,
            claims_version: 1,
            claims,
            blocks: vec![
                self.block(
                    "EC",
                    self.ec.spki_der()?,
                    Signer::Ec(Arc::clone(&self.ec), SignAlg::EcdsaSha384),
                )?,
                self.block("HSS", hss_spki(&self.hss, true)?, Signer::Hss(Arc::clone(&self.hss)))?,
            ],
            // Once for each signer.
            related: [&attached[..], &attached].concat(),
        })
    }

    /// A signature block of this module.
    ///
    /// # Errors
    /// [`Error::Oid`].
    pub fn block(&self, kind: &str, spki: Vec<u8>, signer: Signer) -> Result<Block, Error> {
        let name = x509::common_name(&format!("C4A{} Assertion Authority {kind}", self.number))?;
        let mut certificate =
            Certificate::new(name, &self.ec, "2023-08-14T14:46:44Z", "9999-12-31T23:59:59Z")?;
        certificate.issuer = self.issuer.certificate.subject.clone();
        let other_name = der::sequence(&[der::explicit(
            0,
            &der::join(&[
                der::oid("1.3.6.1.4.1.39901.3")?,
                der::explicit(0, &der::oid("1.3.6.1.4.1.39901.3.1")?),
            ]),
        )]);
        certificate.extensions = vec![
            x509::subject_key_identifier(&derived(&hex::encode(&spki), 20)),
            x509::authority_key_identifier(&x509::key_id(&self.issuer.key)?),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
            Extension::new("2.5.29.17", other_name),
            x509::extended_key_usage(&[oid::ATTESTATION])?,
        ];
        certificate.spki = spki;
        Ok(Block {
            key_id: Some(self.uuid(kind).to_vec()),
            spki: None,
            certificate: Some(certificate),
            issuer: Arc::clone(&self.issuer.key),
            signer,
            algorithm: None,
            signed: None,
        })
    }
}

fn module_hss() -> Result<Arc<HssKey>, Error> {
    static KEY: Mutex<Option<Arc<HssKey>>> = Mutex::new(None);
    let mut key = KEY.lock().unwrap_or_else(PoisonError::into_inner);
    match &*key {
        Some(key) => Ok(Arc::clone(key)),
        None => {
            let levels = [(lms_type::H5, ots_type::W8); 3];
            Ok(Arc::clone(key.insert(Arc::new(HssKey::new("crypto4a-qasm", &levels)?))))
        }
    }
}

/// SubjectPublicKeyInfo of an HSS key: in an OCTET STRING within the BIT STRING (RFC 8708), or bare (RFC 9708).
///
/// # Errors
/// [`Error::TooLarge`].
pub fn hss_spki(key: &HssKey, wrapped: bool) -> Result<Vec<u8>, Error> {
    let public = key.public_key()?;
    let public = if wrapped { der::octet_string(&public) } else { public };
    Ok(der::sequence(&[der::sequence(&[der::oid(oid::HSS_LMS)?]), der::bit_string(&public)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_long_as_real_ones() {
        let module = Module::new().unwrap();
        let key = Key::shared("crypto4a-qasm: subscriber", KeyKind::P256).unwrap();
        let message = module.attest(&key).unwrap();
        assert_eq!(message.claims_der().unwrap().len(), 605);
        let tbs = |block: &Block, alg| block.certificate.as_ref().unwrap().tbs(alg).unwrap().len() - 4;
        // Real length; the issuer's name is longer here and the serial number shorter.
        let names = "keyvouch emulated SCA_MFG".len() - "C4A_SCA_MFG4".len();
        assert_eq!(tbs(&message.blocks[0], SignAlg::EcdsaSha384), 411 + names - 4);
        assert_eq!(tbs(&message.blocks[1], SignAlg::EcdsaSha384), 374 + names - 4);
    }
}
