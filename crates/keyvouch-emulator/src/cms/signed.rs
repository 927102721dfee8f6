//! SignedData with signers (RFC 5652, section 5) as templates: every field can be spoilt before signing.

use super::SIGNED_DATA;
use crate::key::{Key, SignAlg};
use crate::x509::Certificate;
use crate::{Error, der};
use aws_lc_rs::digest;
use std::sync::Arc;

const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";

/// A signed message before it is signed.
#[derive(Debug, Clone)]
pub struct SignedData {
    /// Dotted eContentType.
    pub content_type: String,
    /// What is signed.
    pub content: Vec<u8>,
    /// Whether the content is left out of the message.
    pub detached: bool,
    /// DER certificates; none writes no field.
    pub certificates: Vec<Vec<u8>>,
    /// Who signs.
    pub signers: Vec<Signer>,
}

/// One attribute: dotted identifier and DER values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Identifier.
    pub oid: String,
    /// Values.
    pub values: Vec<Vec<u8>>,
}

/// A SignerInfo before it is signed.
#[derive(Debug, Clone)]
pub struct Signer {
    /// 1 or 3.
    pub version: u8,
    /// SignerIdentifier, as [`issuer_and_serial`] and [`key_id`] make it.
    pub id: Vec<u8>,
    /// The key that signs.
    pub key: Arc<Key>,
    /// How it signs.
    pub alg: SignAlg,
    /// DER AlgorithmIdentifier of the digest instead of that of the signature's.
    pub digest_algorithm: Option<Vec<u8>>,
    /// DER AlgorithmIdentifier instead of that of the signature.
    pub signature_algorithm: Option<Vec<u8>>,
    /// Signed attributes, sorted when written; none at all signs the content itself.
    pub attributes: Option<Vec<Attribute>>,
}

/// SignerIdentifier by the issuer and serial number of a certificate.
#[must_use]
pub fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    der::sequence(&[certificate.issuer.clone(), der::tlv(0x02, &certificate.serial)])
}

/// SignerIdentifier by key identifier.
#[must_use]
pub fn key_id(id: &[u8]) -> Vec<u8> {
    der::implicit(0, id)
}

impl Signer {
    /// A signer with the attributes contentType, messageDigest and signingTime over this content.
    ///
    /// # Errors
    /// [`Error::Oid`], [`Error::Time`].
    pub fn new(
        certificate: &Certificate,
        key: &Arc<Key>,
        content_type: &str,
        content: &[u8],
        time: &str,
    ) -> Result<Self, Error> {
        let alg = key.default_alg();
        let attribute = |oid: &str, value| Attribute { oid: oid.to_owned(), values: vec![value] };
        Ok(Self {
            version: 1,
            id: issuer_and_serial(certificate),
            key: Arc::clone(key),
            alg,
            digest_algorithm: None,
            signature_algorithm: None,
            attributes: Some(vec![
                attribute(CONTENT_TYPE, der::oid(content_type)?),
                attribute(MESSAGE_DIGEST, der::octet_string(&digest_of(alg, content))),
                attribute(SIGNING_TIME, der::time(time)?),
            ]),
        })
    }

    /// The value of the first attribute of this identifier.
    pub fn attribute_mut(&mut self, oid: &str) -> Option<&mut Vec<Vec<u8>>> {
        let attributes = self.attributes.as_mut()?;
        attributes.iter_mut().find(|attribute| attribute.oid == oid).map(|attribute| &mut attribute.values)
    }

    fn der(&self, content: &[u8]) -> Result<Vec<u8>, Error> {
        let attributes = match &self.attributes {
            None => None,
            Some(attributes) => {
                let each: Vec<_> = attributes
                    .iter()
                    .map(|a| Ok(der::sequence(&[der::oid(&a.oid)?, der::set_of(&a.values)])))
                    .collect::<Result<_, Error>>()?;
                Some(der::sorted(&each))
            }
        };
        // Signed as a SET, sent with a context tag (RFC 5652, 5.4).
        let signature = match &attributes {
            None => self.key.sign(self.alg, content)?,
            Some(members) => self.key.sign(self.alg, &der::tlv(0x31, members))?,
        };
        let digest_algorithm =
            self.digest_algorithm.clone().map_or_else(|| digest_identifier(self.alg), Ok)?;
        let algorithm =
            self.signature_algorithm.clone().map_or_else(|| self.alg.algorithm_identifier(), Ok)?;
        Ok(der::sequence(&[
            der::integer(&[self.version]),
            self.id.clone(),
            digest_algorithm,
            attributes.map(|members| der::tlv(0xa0, &members)).unwrap_or_default(),
            algorithm,
            der::octet_string(&signature),
        ]))
    }
}

impl SignedData {
    /// Signs: DER ContentInfo.
    ///
    /// # Errors
    /// [`Error::Oid`] and those of [`Key::sign`].
    pub fn sign(&self) -> Result<Vec<u8>, Error> {
        let signers: Vec<_> =
            self.signers.iter().map(|signer| signer.der(&self.content)).collect::<Result<_, _>>()?;
        let digests: Vec<_> =
            self.signers.iter().map(|signer| digest_identifier(signer.alg)).collect::<Result<_, _>>()?;
        let content =
            if self.detached { Vec::new() } else { der::explicit(0, &der::octet_string(&self.content)) };
        let certificates = if self.certificates.is_empty() {
            Vec::new()
        } else {
            der::explicit(0, &der::sorted(&self.certificates))
        };
        let signed_data = der::sequence(&[
            der::integer(&[3]),
            der::set_of(&digests),
            der::sequence(&[der::oid(&self.content_type)?, content]),
            certificates,
            der::set_of(&signers),
        ]);
        Ok(der::sequence(&[der::oid(SIGNED_DATA)?, der::explicit(0, &signed_data)]))
    }
}

fn digest_of(alg: SignAlg, content: &[u8]) -> Vec<u8> {
    let algorithm = match alg {
        SignAlg::RsaPkcs1Sha384 | SignAlg::EcdsaSha384 => &digest::SHA384,
        SignAlg::RsaPkcs1Sha512 | SignAlg::EcdsaSha512 | SignAlg::Ed25519 => &digest::SHA512,
        _ => &digest::SHA256,
    };
    digest::digest(algorithm, content).as_ref().to_vec()
}

fn digest_identifier(alg: SignAlg) -> Result<Vec<u8>, Error> {
    let oid = match digest_of(alg, &[]).len() {
        48 => "2.16.840.1.101.3.4.2.2",
        64 => "2.16.840.1.101.3.4.2.3",
        _ => "2.16.840.1.101.3.4.2.1",
    };
    Ok(der::sequence(&[der::oid(oid)?]))
}
