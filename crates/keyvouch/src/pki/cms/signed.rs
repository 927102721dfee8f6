//! CMS SignedData with signers (RFC 5652, section 5), verified over the bytes received.
//!
//! Strict: DER, one content, signed attributes with exactly the members that RFC 5652 demands, no SHA-1, one digest
//! for message and signature. Who may sign what is for the caller to decide: nothing here knows an anchor.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use super::content_info;
use crate::authentic::{Authentic, TrustedKey};
use crate::crypto::{Hash, PublicKey, Scheme, SchemeError, SignatureError};
use crate::pki::Certificate;
use crate::time::Time;
use crate::wire::der::{children, content, sequence, single, time};

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
/// rsaEncryption as a signature algorithm: PKCS#1 v1.5 with the digest that is named beside it (RFC 3370, 3.2).
const RSA_ENCRYPTION: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";

const MAX_CERTIFICATES: usize = 64;
const MAX_SIGNERS: usize = 16;
const MAX_ATTRIBUTES: usize = 32;

/// A SignedData, taken apart. Nothing in it is authentic.
#[derive(Debug, Clone)]
pub struct SignedData<'a> {
    /// What is signed, and of which type it is said to be.
    pub content: Content<'a>,
    /// The members of the certificates field, each as it stands.
    pub certificates: Vec<&'a [u8]>,
    /// Who signed.
    pub signers: Vec<SignerInfo<'a>>,
}

/// What a SignedData signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// eContentType.
    pub kind: ObjectIdentifier,
    /// The octets of eContent; `None` when the content is detached.
    pub octets: Option<&'a [u8]>,
}

/// How a SignerInfo names its signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerId<'a> {
    /// DER Name of the issuer, and content of the serial number INTEGER.
    IssuerAndSerial(&'a [u8], &'a [u8]),
    /// subjectKeyIdentifier.
    KeyId(&'a [u8]),
}

/// A signature of a SignedData.
#[derive(Debug, Clone)]
pub struct SignerInfo<'a> {
    /// Who is said to have made it.
    pub id: SignerId<'a>,
    digest_algorithm: &'a [u8],
    /// The signed attributes as they stand, `[0]` and all, and taken apart.
    attributes: Option<(&'a [u8], Vec<Attribute<'a>>)>,
    signature_algorithm: &'a [u8],
    signature: &'a [u8],
}

#[derive(Debug, Clone)]
struct Attribute<'a> {
    oid: ObjectIdentifier,
    values: Vec<&'a [u8]>,
}

/// Why a signature of a SignedData does not authenticate the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsFault {
    /// The signed attributes are not those that RFC 5652 demands.
    #[error("signed attributes: {0}")]
    Attributes(&'static str),
    /// An algorithm that is not known, or algorithms that do not belong together.
    #[error("{0}")]
    Algorithm(String),
    /// The content is not the one whose digest was signed.
    #[error("the content is not the one that was signed: its digest is another than messageDigest")]
    Digest,
    /// The signature is not that of the key.
    #[error(transparent)]
    Signature(SignatureError),
}

type Read<T> = Result<T, &'static str>;

impl<'a> SignedData<'a> {
    /// Takes a DER ContentInfo of type signedData apart.
    ///
    /// # Errors
    /// When it is not one; the text says where.
    pub fn read(der: &'a [u8]) -> Read<Self> {
        let fields = content_info(der).ok_or("not a ContentInfo of type signedData")?;
        let fields = sequence(fields, 6).ok_or("SignedData is not a SEQUENCE of its fields")?;
        let [version, digests, encapsulated, rest @ .., signers] = fields.as_slice() else {
            return Err("SignedData lacks fields");
        };
        if !matches!(content(version, Tag::Integer), Some([1 | 3 | 4 | 5])) {
            return Err("the version of SignedData is none that exists");
        }
        content(digests, Tag::Set).ok_or("digestAlgorithms is not a SET")?;
        let mut certificates = Vec::new();
        let mut next = 0;
        for field in rest {
            // certificates [0], crls [1], each once and in this order.
            let (number, value) = context(field)
                .filter(|(n, _)| *n >= next && *n <= 1)
                .ok_or("SignedData has a field that is neither certificates nor crls")?;
            next = number.saturating_add(1);
            if number == 0 {
                certificates =
                    children(value, MAX_CERTIFICATES).ok_or("certificates is not a SET of a few")?;
            }
        }
        let signers = content(signers, Tag::Set)
            .and_then(|set| children(set, MAX_SIGNERS))
            .ok_or("signerInfos is not a SET of a few")?;
        Ok(Self {
            content: Content::read(encapsulated)?,
            certificates,
            signers: signers.into_iter().map(SignerInfo::read).collect::<Read<_>>()?,
        })
    }
}

impl<'a> Content<'a> {
    fn read(encapsulated: &'a [u8]) -> Read<Self> {
        const SHAPE: &str = "encapContentInfo is not a SEQUENCE of a type and an OCTET STRING";
        let members = sequence(encapsulated, 2).ok_or(SHAPE)?;
        let kind = members.first().and_then(|oid| ObjectIdentifier::from_der(oid).ok()).ok_or(SHAPE)?;
        let octets = match members.get(1) {
            None => None,
            Some(field) => {
                let (number, value) = context(field).ok_or(SHAPE)?;
                Some(content(value, Tag::OctetString).filter(|_| number == 0).ok_or(SHAPE)?)
            }
        };
        Ok(Self { kind, octets })
    }
}

/// Number and content of a constructed context tag.
fn context(tlv: &[u8]) -> Option<(u32, &[u8])> {
    match single(tlv)? {
        (Tag::ContextSpecific { constructed: true, number: TagNumber(number) }, value) => {
            Some((number, value))
        }
        _ => None,
    }
}

impl<'a> SignerInfo<'a> {
    fn read(der: &'a [u8]) -> Read<Self> {
        const SHAPE: &str = "a SignerInfo is not a SEQUENCE of its fields";
        let fields = sequence(der, 7).ok_or(SHAPE)?;
        let [version, id, digest_algorithm, rest @ ..] = fields.as_slice() else { return Err(SHAPE) };
        let id = SignerId::read(id).ok_or("a SignerInfo does not name its signer")?;
        let wanted: &[u8] = if matches!(id, SignerId::KeyId(_)) { &[3] } else { &[1] };
        if content(version, Tag::Integer) != Some(wanted) {
            return Err("the version of a SignerInfo is not that of the way it names its signer");
        }
        let (attributes, rest) = match rest {
            [first, rest @ ..] if context(first).is_some_and(|(number, _)| number == 0) => {
                (Some(*first), rest)
            }
            rest => (None, rest),
        };
        let (signature_algorithm, signature) = match rest {
            [algorithm, signature] => (*algorithm, *signature),
            // unsignedAttrs
            [algorithm, signature, unsigned] if context(unsigned).is_some_and(|(n, _)| n == 1) => {
                (*algorithm, *signature)
            }
            _ => return Err(SHAPE),
        };
        let read = |field: &'a [u8]| read_attributes(field).map(|each| (field, each));
        Ok(Self {
            id,
            digest_algorithm,
            attributes: match attributes {
                None => None,
                Some(field) => Some(read(field).ok_or("signedAttrs is not a SET of attributes")?),
            },
            signature_algorithm,
            signature: content(signature, Tag::OctetString).ok_or("a signature is not an OCTET STRING")?,
        })
    }

    /// The digest of the content; SHA-1 is no digest here.
    ///
    /// # Errors
    /// When the algorithm is not known or not accepted.
    pub fn digest(&self) -> Result<Hash, CmsFault> {
        match Hash::from_algorithm_identifier(self.digest_algorithm) {
            Ok(Hash::Sha1) => Err(CmsFault::Signature(SignatureError::WeakDigest)),
            Ok(hash) => Ok(hash),
            Err(SchemeError::Unknown(oid)) => {
                Err(CmsFault::Algorithm(format!("digest algorithm {oid} is not supported")))
            }
            Err(why) => Err(CmsFault::Algorithm(why.to_string())),
        }
    }

    /// How the signature was made. Its digest must be that of the content: nothing good comes of two.
    ///
    /// # Errors
    /// When an algorithm is not known or not accepted, or the two do not belong together.
    pub fn scheme(&self) -> Result<Scheme, CmsFault> {
        let digest = self.digest()?;
        let members = sequence(self.signature_algorithm, 2).unwrap_or_default();
        let scheme = if members.first() == Some(&RSA_ENCRYPTION) {
            Scheme::RsaPkcs1(digest)
        } else {
            Scheme::from_algorithm_identifier(self.signature_algorithm)
                .map_err(|why| CmsFault::Algorithm(why.to_string()))?
        };
        // Ed25519 goes with SHA-512 (RFC 8419, 2.3).
        let own = if scheme == Scheme::Ed25519 { Some(Hash::Sha512) } else { scheme.hash() };
        match own {
            Some(own) if own == digest => Ok(scheme),
            Some(Hash::Sha1) => Err(CmsFault::Signature(SignatureError::WeakDigest)),
            _ => Err(CmsFault::Algorithm(format!("{scheme} over a digest of the content by {digest}"))),
        }
    }

    /// Whether a certificate is the one that this SignerInfo names.
    #[must_use]
    pub fn is_by(&self, certificate: &Certificate) -> bool {
        match self.id {
            SignerId::IssuerAndSerial(issuer, serial) => {
                certificate.issuer() == issuer && certificate.serial() == serial
            }
            SignerId::KeyId(id) => certificate.subject_key_identifier() == Some(id),
        }
    }

    /// Whether these octets are the ones whose digest is among the signed attributes. `None` without attributes.
    #[must_use]
    pub fn has_digest_of(&self, octets: &[u8]) -> Option<bool> {
        let digest = self.digest().ok()?.digest(octets);
        Some(self.message_digest().ok()?? == digest)
    }

    /// signingTime, as the signer says; `None` when there is none or it cannot be read.
    #[must_use]
    pub fn signing_time(&self) -> Option<Time> {
        time(self.only(SIGNING_TIME).ok()??)
    }

    /// Verifies the signature over `octets`, the content of type `kind`, with a key that need not be trusted.
    ///
    /// # Errors
    /// When anything about it is wrong.
    pub fn verify(&self, kind: ObjectIdentifier, octets: &[u8], key: &PublicKey) -> Result<(), CmsFault> {
        let message = self.message(kind, octets)?;
        let _valid = key.verify(self.scheme()?, &message, self.signature).map_err(CmsFault::Signature)?;
        Ok(())
    }

    /// The same with a trusted key: the content, now authentic.
    ///
    /// # Errors
    /// When anything about it is wrong.
    pub fn authenticate<'c>(
        &self,
        kind: ObjectIdentifier,
        octets: &'c [u8],
        trusted: &TrustedKey,
    ) -> Result<Authentic<&'c [u8]>, CmsFault> {
        let message = self.message(kind, octets)?;
        let valid =
            trusted.key().verify(self.scheme()?, &message, self.signature).map_err(CmsFault::Signature)?;
        let signed = trusted.authenticate(valid).ok_or(CmsFault::Signature(SignatureError::Invalid))?;
        // Either the content itself was signed, or attributes that name it by its digest.
        let names = |signed: &&[u8], octets: &&[u8]| match self.attributes {
            None => signed == octets,
            Some(_) => *signed == &*message && self.has_digest_of(octets) == Some(true),
        };
        signed.endorse(octets, names).ok_or(CmsFault::Digest)
    }

    /// What the signature is over: the attributes, after their members were checked, or the content.
    fn message<'m>(&'m self, kind: ObjectIdentifier, octets: &'m [u8]) -> Result<Cow<'m, [u8]>, CmsFault> {
        let Some((field, attributes)) = &self.attributes else {
            if kind != ID_DATA {
                return Err(CmsFault::Attributes("absent, and the content is not of type id-data"));
            }
            // Attributes that were signed once could be handed over as a content of their own.
            if may_be_attributes(octets) {
                return Err(CmsFault::Attributes("absent, and the content looks like signed attributes"));
            }
            return Ok(Cow::Borrowed(octets));
        };
        let mut seen: Vec<ObjectIdentifier> = Vec::with_capacity(attributes.len());
        for attribute in attributes {
            if seen.contains(&attribute.oid) {
                return Err(CmsFault::Attributes("an attribute is there twice"));
            }
            seen.push(attribute.oid);
        }
        let named = self.only(CONTENT_TYPE)?.ok_or(CmsFault::Attributes("contentType is missing"))?;
        if ObjectIdentifier::from_der(named) != Ok(kind) {
            return Err(CmsFault::Attributes("contentType is not the type of the content"));
        }
        if self.message_digest()?.ok_or(CmsFault::Attributes("messageDigest is missing"))?
            != self.digest()?.digest(octets)
        {
            return Err(CmsFault::Digest);
        }
        // RFC 5652, 5.4: signed as the SET that they are, not with the tag that they have here.
        let mut message = field.to_vec();
        if let Some(tag) = message.first_mut() {
            *tag = 0x31;
        }
        Ok(Cow::Owned(message))
    }

    fn message_digest(&self) -> Result<Option<&'a [u8]>, CmsFault> {
        const SHAPE: CmsFault = CmsFault::Attributes("messageDigest is not an OCTET STRING");
        let value = self.only(MESSAGE_DIGEST)?;
        value.map(|value| content(value, Tag::OctetString).ok_or(SHAPE)).transpose()
    }

    /// The one value of an attribute; `None` when it is not there.
    fn only(&self, oid: ObjectIdentifier) -> Result<Option<&'a [u8]>, CmsFault> {
        let attributes = self.attributes.as_ref().map(|(_, each)| each.as_slice()).unwrap_or_default();
        match attributes.iter().find(|a| a.oid == oid).map(|a| a.values.as_slice()) {
            None => Ok(None),
            Some([only]) => Ok(Some(*only)),
            Some(_) => Err(CmsFault::Attributes("an attribute of one value has several, or none")),
        }
    }
}

impl<'a> SignerId<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        if let Some((Tag::ContextSpecific { constructed: false, number: TagNumber(0) }, id)) = single(der) {
            return Some(Self::KeyId(id));
        }
        let members = sequence(der, 2)?;
        let [issuer, serial] = members.as_slice() else { return None };
        content(issuer, Tag::Sequence)?;
        Some(Self::IssuerAndSerial(issuer, content(serial, Tag::Integer)?))
    }
}

/// Whether the octets are a SET with no member, or with one that begins like an Attribute: with an identifier. Signed
/// attributes have two such members at least, so a SET without any can have been signed only as a content.
fn may_be_attributes(octets: &[u8]) -> bool {
    let Some(set) = content(octets, Tag::Set) else { return false };
    let begins_with_oid = |member: &&[u8]| {
        sequence(member, MAX_ATTRIBUTES)
            .and_then(|fields| Some(matches!(single(fields.first()?)?, (Tag::ObjectIdentifier, _))))
            .unwrap_or(true)
    };
    children(set, MAX_ATTRIBUTES)
        .is_none_or(|members| members.is_empty() || members.iter().any(begins_with_oid))
}

fn read_attributes(field: &[u8]) -> Option<Vec<Attribute<'_>>> {
    let (_, set) = context(field)?;
    children(set, MAX_ATTRIBUTES)?
        .into_iter()
        .map(|attribute| {
            let members = sequence(attribute, 2)?;
            let [oid, values] = members.as_slice() else { return None };
            let values = children(content(values, Tag::Set)?, MAX_ATTRIBUTES)?;
            Some(Attribute { oid: ObjectIdentifier::from_der(oid).ok()?, values })
        })
        .collect()
}
