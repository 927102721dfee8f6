//! The outer structure of Evidence, over the bytes received:
//!
//! ```text
//! Evidence ::= SEQUENCE { tbs TbsEvidence, signatures SEQUENCE OF SignatureBlock,
//!                         intermediateCertificates [0] SEQUENCE OF Certificate OPTIONAL }
//! SignatureBlock ::= SEQUENCE { sid SignerIdentifier, signatureAlgorithm AlgorithmIdentifier,
//!                               signatureValue OCTET STRING }
//! SignerIdentifier ::= SEQUENCE { keyId [0] EXPLICIT OCTET STRING OPTIONAL,
//!                                 subjectPublicKeyInfo [1] EXPLICIT SubjectPublicKeyInfo OPTIONAL,
//!                                 certificate [2] EXPLICIT Certificate OPTIONAL }
//! ```

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use super::oids::{Arc, Named};
use crate::crypto::{PublicKey, sha1, sha256};
use crate::pki::Certificate;
use crate::wire::der::{children, content, sequence, single};

/// Larger than the statement of any module: hundreds of keys fit.
const MAX_SIZE: usize = 256 * 1024;
const MAX_BLOCKS: usize = 16;
const MAX_CERTIFICATES: usize = 32;

/// Evidence, taken apart. Nothing in it is authentic.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// TbsEvidence: what is signed.
    pub(super) tbs: &'a [u8],
    pub(super) blocks: Vec<Block<'a>>,
    pub(super) certificates: Vec<Certificate>,
}

/// A signature and who is said to have made it.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) signer: Signer<'a>,
    /// DER AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// SignerIdentifier, whose members agree with each other.
#[derive(Debug)]
pub(super) enum Signer<'a> {
    Certificate(Certificate),
    Key(PublicKey),
    KeyId(&'a [u8]),
}

type Read<T> = Result<T, String>;

impl<'a> Envelope<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Read<Self> {
        if bytes.len() > MAX_SIZE {
            return Err(format!("longer than {MAX_SIZE} bytes"));
        }
        let members = sequence(bytes, 3).ok_or("not one DER SEQUENCE of two or three members")?;
        let (tbs, signatures, rest) = match members.as_slice() {
            [tbs, signatures, rest @ ..] => (*tbs, *signatures, rest.first()),
            _ => return Err("not a SEQUENCE of two or three members".to_owned()),
        };
        let blocks =
            sequence(signatures, MAX_BLOCKS).ok_or("signatures is not a SEQUENCE of a few blocks")?;
        let blocks = (1_usize..)
            .zip(blocks)
            .map(|(number, block)| {
                Block::read(block).map_err(|why| format!("signature block {number}: {why}"))
            })
            .collect::<Read<_>>()?;
        let certificates = rest.map_or(Ok(Vec::new()), |field| read_certificates(field))?;
        Ok(Self { tbs, blocks, certificates })
    }
}

/// Whether the bytes begin like Evidence: the type of the first element is one of this format. Lengths are not
/// looked at, so that evidence that was cut, extended or re-encoded is still known for what it is.
pub(super) fn looks_like_evidence(bytes: &[u8], arcs: &[Arc]) -> bool {
    let first_element = || {
        let tbs = open(bytes, 0x30)?;
        let version = open(tbs, 0x30)?;
        let elements = version.get(usize::from(*version.get(1)?).checked_add(2)?..)?;
        let claims = open(open(elements, 0x30)?, 0x30)?;
        let length = usize::from(*claims.get(1)?).checked_add(2)?;
        let oid = ObjectIdentifier::from_der(claims.get(..length)?).ok()?;
        (version.first() == Some(&0x02)).then_some(oid)
    };
    let is_element = |oid| arcs.iter().any(|arc| matches!(arc.name(oid), Some(Named::Element(_))));
    first_element().is_some_and(is_element)
}

/// What follows a header with this tag and a length of any form.
fn open(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let more = if *length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    (*found == tag).then(|| rest.get(more..)).flatten()
}

fn context(tlv: &[u8]) -> Option<(u32, &[u8])> {
    match single(tlv)? {
        (Tag::ContextSpecific { constructed: true, number: TagNumber(number) }, value) => {
            Some((number, value))
        }
        _ => None,
    }
}

impl<'a> Block<'a> {
    fn read(block: &'a [u8]) -> Read<Self> {
        let members = sequence(block, 3).unwrap_or_default();
        let [sid, algorithm, signature] = members.as_slice() else {
            return Err("not a SEQUENCE of three members".to_owned());
        };
        let signature = content(signature, Tag::OctetString).ok_or("the signature is not an OCTET STRING")?;
        Ok(Self { signer: Signer::read(sid)?, algorithm, signature })
    }
}

impl<'a> Signer<'a> {
    fn read(sid: &'a [u8]) -> Read<Self> {
        const SHAPE: &str = "the signer is not identified by keyId, subjectPublicKeyInfo or certificate";
        let (mut key_id, mut key, mut certificate) = (None, None, None);
        let mut next = 0;
        for member in sequence(sid, 3).ok_or(SHAPE)? {
            let (number, value) = context(member).filter(|(number, _)| *number >= next).ok_or(SHAPE)?;
            next = number.saturating_add(1);
            match number {
                0 => key_id = Some(content(value, Tag::OctetString).ok_or("keyId is not an OCTET STRING")?),
                1 => {
                    let why = |e| format!("subjectPublicKeyInfo of the signer: {e}");
                    key = Some(PublicKey::from_spki_der(value).map_err(why)?);
                }
                2 => certificate = Some(Certificate::from_der(value).map_err(|e| e.to_string())?),
                _ => return Err(SHAPE.to_owned()),
            }
        }
        let certified = certificate.as_ref().and_then(|c| c.key().ok());
        if let (Some(key), Some(_)) = (&key, &certificate)
            && certified != Some(key)
        {
            return Err("the signer's subjectPublicKeyInfo is not the key of its certificate".to_owned());
        }
        if let Some(id) = key_id {
            let agrees = match (&certificate, &key) {
                (Some(certificate), _) => certificate_has_id(certificate, id),
                (None, Some(key)) => key_has_id(key, id),
                (None, None) => true,
            };
            if !agrees {
                return Err("the signer's keyId is not that of its certificate or key".to_owned());
            }
        }
        match (certificate, key, key_id) {
            (Some(certificate), _, _) => Ok(Self::Certificate(certificate)),
            (None, Some(key), _) => Ok(Self::Key(key)),
            (None, None, Some(id)) => Ok(Self::KeyId(id)),
            (None, None, None) => Err(SHAPE.to_owned()),
        }
    }
}

/// Whether a certificate is the one that a keyId names: by its subjectKeyIdentifier, as the sample data does; by
/// its key when it has none.
pub(super) fn certificate_has_id(certificate: &Certificate, id: &[u8]) -> bool {
    match certificate.subject_key_identifier() {
        Some(own) => own == id,
        None => certificate.key().is_ok_and(|key| key_has_id(key, id)),
    }
}

/// Whether a keyId is made from a key in one of the usual ways (RFC 5280, 4.2.1.2, method 1; RFC 7093, methods 1
/// and 4). The draft leaves the way to the signer.
pub(super) fn key_has_id(key: &PublicKey, id: &[u8]) -> bool {
    let spki = key.spki_der();
    let bits = sequence(spki, 2).and_then(|members| content(members.get(1)?, Tag::BitString)?.get(1..));
    let Some(bits) = bits else { return false };
    let (of_bits, of_spki) = (sha256(bits), sha256(spki));
    id == sha1(bits) || Some(id) == of_bits.get(..20) || id == of_bits || id == of_spki
}

/// The module says EXPLICIT TAGS; all sample data has the tag in place of the SEQUENCE's. Both are read.
fn read_certificates(field: &[u8]) -> Read<Vec<Certificate>> {
    const SHAPE: &str = "intermediateCertificates is not a list of certificates";
    let value = context(field).filter(|(number, _)| *number == 0).ok_or(SHAPE)?.1;
    let mut members = children(value, MAX_CERTIFICATES).ok_or(SHAPE)?;
    if let [only] = members.as_slice()
        && !begins_like_certificate(only)
    {
        members = sequence(only, MAX_CERTIFICATES).ok_or(SHAPE)?;
    }
    let read = |der: &&[u8]| Certificate::from_der(der).map_err(|e| format!("intermediateCertificates: {e}"));
    members.iter().map(read).collect()
}

/// Whether the first member is a SEQUENCE that begins with a version or a serial number, as a TBSCertificate does.
fn begins_like_certificate(der: &[u8]) -> bool {
    let first = || open(open(der, 0x30)?, 0x30)?.first().copied();
    matches!(first(), Some(0xa0 | 0x02))
}
