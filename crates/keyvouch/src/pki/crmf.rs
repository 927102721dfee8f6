//! Certification requests of CMP: CertReqMessages (RFC 4211), alone or in a PKIMessage (RFC 9810).
//!
//! ```text
//! CertReqMsg  ::= SEQUENCE { certReq CertRequest, popo ProofOfPossession OPTIONAL, regInfo … OPTIONAL }
//! CertRequest ::= SEQUENCE { certReqId INTEGER, certTemplate CertTemplate, controls … OPTIONAL }
//! ```
//!
//! Of a PKIMessage only the body and the extra certificates are read. Its protection says who sent it, not what the
//! key is; the CA's own software checks it.

use std::ops::Range;
use std::sync::Arc;

use der::asn1::{BitStringRef, ObjectIdentifier};
use der::{Decode, Tag, TagNumber};

use crate::authentic::SignatureValid;
use crate::crypto::{KeyError, PublicKey, Scheme, SchemeError, SignatureError};
use crate::wire::der::{children, content, range_in, sequence, single};

const MAX_MESSAGE: usize = 1 << 20;
/// Requests in one message, and messages nested in one.
const MAX_REQUESTS: usize = 16;
const MAX_CERTIFICATES: usize = 64;
const MAX_EXTENSIONS: usize = 64;

/// A CertReqMsg: one request. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CertReqMsg(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    request: Range<usize>,
    key: PublicKey,
    extensions: Vec<(ObjectIdentifier, Range<usize>)>,
    possession: Possession,
}

/// The proof of possession of a request.
#[derive(Debug, Clone)]
enum Possession {
    /// There is none.
    None,
    /// A signature over CertRequest.
    Signature { scheme: Result<Scheme, SchemeError>, signature: Range<usize> },
    /// Another way.
    Other(&'static str),
}

/// Why bytes are not a CertReqMsg that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrmfError {
    /// Not DER of a CertReqMsg.
    #[error("not a certification request in CRMF")]
    Malformed,
    /// The template names no key: the CA is to make it, or it is not said.
    #[error("a certification request (CRMF) without subject or public key")]
    NoKey,
    /// Its public key is out of form.
    #[error("public key of the request: {0}")]
    Key(#[from] KeyError),
}

/// Why a request does not prove possession of its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PossessionError {
    /// There is no signature by the key.
    #[error("{0}")]
    NoSignature(&'static str),
    /// There is one, and it does not hold.
    #[error("{0}")]
    Signature(#[from] SignatureError),
}

fn context(number: u32) -> impl Fn(Tag) -> bool {
    move |tag| tag == Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

impl CertReqMsg {
    /// Reads a DER CertReqMsg that fills `der` exactly.
    ///
    /// # Errors
    /// When the bytes are not one request, or one without a key.
    pub fn from_der(der: &[u8]) -> Result<Self, CrmfError> {
        let parts = Parts::of(der).ok_or(CrmfError::Malformed)?;
        let (Some(spki), true) = (parts.spki, parts.has_subject) else { return Err(CrmfError::NoKey) };
        // IMPLICIT: the tag of the field stands in place of the SEQUENCE's.
        let mut own = spki.to_vec();
        if let Some(tag) = own.first_mut() {
            *tag = 0x30;
        }
        let place = |part: &[u8]| range_in(der, part).ok_or(CrmfError::Malformed);
        let mut extensions = Vec::with_capacity(parts.extensions.len());
        for (oid, value) in &parts.extensions {
            extensions.push((*oid, place(value)?));
        }
        Ok(Self(Arc::new(Inner {
            request: place(parts.request)?,
            key: PublicKey::from_spki_der(&own)?,
            extensions,
            possession: match parts.possession {
                Found::None => Possession::None,
                Found::Other(what) => Possession::Other(what),
                Found::Signature { algorithm, signature } => Possession::Signature {
                    scheme: Scheme::from_algorithm_identifier(algorithm),
                    signature: place(signature)?,
                },
            },
            der: der.to_vec(),
        })))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were measured on these very bytes.
        self.0.der.get(range.clone()).unwrap_or_default()
    }

    /// The request as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The public key that is to be certified.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.0.key
    }

    /// The extensions of the template: identifier and content of extnValue.
    pub fn extensions(&self) -> impl Iterator<Item = (ObjectIdentifier, &[u8])> {
        self.0.extensions.iter().map(|(oid, value)| (*oid, self.slice(value)))
    }

    /// Verifies the proof of possession: a signature of the key over CertRequest.
    ///
    /// # Errors
    /// When there is none, or it does not verify.
    pub fn verify(&self) -> Result<SignatureValid<'_>, PossessionError> {
        match &self.0.possession {
            Possession::None => Err(PossessionError::NoSignature("the request has no proof of possession")),
            Possession::Other(what) => Err(PossessionError::NoSignature(what)),
            Possession::Signature { scheme, signature } => {
                let scheme = scheme.clone().map_err(SignatureError::from)?;
                Ok(self.0.key.verify(scheme, self.slice(&self.0.request), self.slice(signature))?)
            }
        }
    }
}

struct Parts<'a> {
    request: &'a [u8],
    spki: Option<&'a [u8]>,
    has_subject: bool,
    extensions: Vec<(ObjectIdentifier, &'a [u8])>,
    possession: Found<'a>,
}

enum Found<'a> {
    None,
    Signature { algorithm: &'a [u8], signature: &'a [u8] },
    Other(&'static str),
}

impl<'a> Parts<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        if der.len() > MAX_MESSAGE {
            return None;
        }
        let members = sequence(der, 3)?;
        let (request, rest) = members.split_first()?;
        let fields = sequence(request, 3)?;
        content(fields.first()?, Tag::Integer)?;
        let template = sequence(fields.get(1)?, 10)?;
        let (mut spki, mut subject, mut extensions) = (None, None, Vec::new());
        let mut next = 0;
        for field in template {
            let (Tag::ContextSpecific { number: TagNumber(number), .. }, inner) = single(field)? else {
                return None;
            };
            // In order, each once (X.690, 10; the template is a SEQUENCE of optional fields).
            if number < next || number > 9 {
                return None;
            }
            next = number.saturating_add(1);
            match number {
                5 => subject = Some(content(inner, Tag::Sequence)?),
                6 => spki = Some(field),
                9 => extensions = read_extensions(inner)?,
                _ => {}
            }
        }
        // What follows the request is told apart by its tag: regInfo is a SEQUENCE, every proof is tagged.
        let possession = match rest.first() {
            Some(proof) if single(proof)?.0.is_context_specific() => read_possession(proof)?,
            _ => Found::None,
        };
        Some(Self { request, spki, has_subject: subject.is_some(), extensions, possession })
    }
}

/// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }, below an IMPLICIT tag.
fn read_extensions(list: &[u8]) -> Option<Vec<(ObjectIdentifier, &[u8])>> {
    let mut found = Vec::new();
    for extension in children(list, MAX_EXTENSIONS)? {
        let members = sequence(extension, 3)?;
        let oid = ObjectIdentifier::from_der(members.first()?).ok()?;
        found.push((oid, content(members.last()?, Tag::OctetString)?));
    }
    Some(found)
}

/// ProofOfPossession ::= CHOICE { raVerified [0] NULL, signature [1] POPOSigningKey, keyEncipherment [2] POPOPrivKey,
/// keyAgreement [3] POPOPrivKey }
fn read_possession(proof: &[u8]) -> Option<Found<'_>> {
    const OVER_INPUT: &str =
        "the proof of possession is over a POPOSigningKeyInput, which does not cover the request";
    let (Tag::ContextSpecific { number: TagNumber(number), .. }, inner) = single(proof)? else { return None };
    Some(match number {
        0 => Found::Other(
            "a registration authority says that it verified the possession; no signature shows it",
        ),
        1 => {
            let members = children(inner, 3)?;
            match members.as_slice() {
                [algorithm, signature] => Found::Signature {
                    algorithm,
                    signature: BitStringRef::from_der(signature).ok()?.as_bytes()?,
                },
                [input, _, _] if context(0)(single(input)?.0) => Found::Other(OVER_INPUT),
                _ => return None,
            }
        }
        2 => Found::Other("possession is to be proved by decrypting, not by a signature"),
        3 => Found::Other("possession is to be proved by key agreement, not by a signature"),
        _ => return None,
    })
}

/// What a CMP message holds.
#[derive(Debug, Default)]
pub struct Message<'a> {
    /// CertReqMsg, each as it stands.
    pub requests: Vec<&'a [u8]>,
    /// PKCS#10 requests.
    pub pkcs10: Vec<&'a [u8]>,
    /// Messages in it.
    pub nested: Vec<&'a [u8]>,
    /// Certificates that came along.
    pub certificates: Vec<&'a [u8]>,
}

/// Reads CertReqMessages or a PKIMessage with requests in it (ir, cr, p10cr, kur, nested). `None` for anything else.
#[must_use]
pub fn read_message(der: &[u8]) -> Option<Message<'_>> {
    if der.len() > MAX_MESSAGE {
        return None;
    }
    cert_req_messages(der)
        .map(|requests| Message { requests, ..Message::default() })
        .or_else(|| pki_message(der))
}

/// CertReqMessages ::= SEQUENCE SIZE (1..MAX) OF CertReqMsg; known by the shape of the first.
fn cert_req_messages(der: &[u8]) -> Option<Vec<&[u8]>> {
    let members = sequence(der, MAX_REQUESTS)?;
    Parts::of(members.first()?)?;
    Some(members)
}

/// PKIMessage ::= SEQUENCE { header PKIHeader, body PKIBody, protection [0] … OPTIONAL, extraCerts [1] … OPTIONAL }
fn pki_message(der: &[u8]) -> Option<Message<'_>> {
    let members = sequence(der, 4)?;
    // PKIHeader begins with pvno and two GeneralNames.
    let header = sequence(members.first()?, 16)?;
    content(header.first()?, Tag::Integer)?;
    let general_name = |tlv: &&[u8]| single(tlv).is_some_and(|(tag, _)| tag.is_context_specific());
    if !(header.get(1).is_some_and(general_name) && header.get(2).is_some_and(general_name)) {
        return None;
    }
    let mut message = Message::default();
    let (Tag::ContextSpecific { constructed: true, number: TagNumber(kind) }, body) =
        single(members.get(1)?)?
    else {
        return None;
    };
    match kind {
        // ir, cr, kur
        0 | 2 | 7 => message.requests = cert_req_messages(body)?,
        // p10cr
        4 => message.pkcs10.push(body),
        // nested
        20 => message.nested = sequence(body, MAX_REQUESTS)?,
        _ => return None,
    }
    for member in members.iter().skip(2) {
        if let Some((tag, certificates)) = single(member)
            && context(1)(tag)
        {
            message.certificates = sequence(certificates, MAX_CERTIFICATES)?;
        }
    }
    Some(message)
}
