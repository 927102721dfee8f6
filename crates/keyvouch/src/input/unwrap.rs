//! Recognising what bytes are, and taking out what they hold.

mod requests;

use std::borrow::Cow;
use std::str;

use ::der::asn1::{AnyRef, ObjectIdentifier};
use ::der::{Decode, Reader, SliceReader, Tag};
use serde_json::Value;

use super::{Carrier, Content, InputError, Limits, Part, PartId, Parts, Role, compressed, json, pem};
use crate::crypto::PublicKey;
use crate::pki::{
    CertReqMsg, Certificate, CertificateError, CertificationRequest, OpenPgpError, OpenPgpKey,
    RevocationList, attestation, cms, crmf,
};
use crate::submission::{File, Submission};
use crate::wire::cbor;
use crate::wire::cmw::{self, Cmw};
use crate::wire::der::{content, is_below, sequence, single};

/// Shorter text is not taken for base64: too many words are.
const MIN_BASE64: usize = 64;

pub(super) fn unwrap<'s>(
    submission: &'s Submission,
    carriers: &[Carrier],
    limits: Limits,
) -> Result<Parts<'s>, InputError> {
    let evidence = submission.evidence.iter().map(|f| (f, Role::Evidence));
    let files: Vec<(&File, Role)> =
        evidence.chain(submission.request.iter().map(|f| (f, Role::Request))).collect();
    if submission.evidence.is_empty() {
        return Err(InputError::NoEvidence);
    }
    let mut total = 0_usize;
    for (file, _) in &files {
        total = total.saturating_add(file.bytes.len());
        if total > limits.total_in {
            return Err(InputError::TooLarge { name: file.name.clone(), limit: limits.total_in });
        }
        if file.bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(InputError::Empty(file.name.clone()));
        }
    }
    let mut unwrapper = Unwrapper {
        carriers,
        limits,
        unwrapped: 0,
        parts: Vec::with_capacity(8),
        file: 0,
        role: Role::Evidence,
    };
    for (index, (file, role)) in files.iter().enumerate() {
        (unwrapper.file, unwrapper.role) = (index, *role);
        let top = Position { parent: None, place: file.name.clone(), name: file.name.clone(), depth: 0 };
        unwrapper.take(Cow::Borrowed(&file.bytes), top, Hint::None)?;
    }
    Ok(Parts { parts: unwrapper.parts, files })
}

struct Unwrapper<'s, 'c> {
    carriers: &'c [Carrier],
    limits: Limits,
    unwrapped: usize,
    parts: Vec<Part<'s>>,
    file: usize,
    role: Role,
}

struct Position {
    parent: Option<PartId>,
    place: String,
    name: String,
    depth: usize,
}

/// What the container says of its content.
#[derive(Clone, Copy)]
enum Hint {
    None,
    Certificate,
    /// An extension of a request that holds a bare certificate.
    Announced(ObjectIdentifier),
    Request,
    /// A CertReqMsg.
    Crmf,
    PublicKey,
    RevocationList,
    OpenPgpKey,
    /// The extension id-pe-cmw.
    Wrapper,
}

impl<'s> Unwrapper<'s, '_> {
    /// Records a part, then whatever is inside it.
    fn take(&mut self, bytes: Cow<'s, [u8]>, at: Position, hint: Hint) -> Result<(), InputError> {
        if self.parts.len() >= self.limits.parts {
            let name = at.place.split(SEPARATOR).next().unwrap_or_default().to_owned();
            return Err(InputError::TooManyParts { name, limit: self.limits.parts });
        }
        let content = recognise(&bytes, hint);
        if content.is_none() {
            return Err(InputError::PrivateKey(at.place));
        }
        let content = content.unwrap_or(Content::Binary);
        let id = PartId(self.parts.len());
        let Position { parent, place, name, depth } = at;
        let (file, role) = (self.file, self.role);
        let mut part = Part { place, file, role, parent, name, bytes, content };
        // The place in the list is kept while the part is opened: containers come before their content.
        self.parts.push(Part {
            place: String::new(),
            file,
            role,
            parent,
            name: String::new(),
            bytes: Cow::Borrowed(&[]),
            content: Content::Binary,
        });
        // Deeper than any evidence goes: the part stays, closed.
        if depth < self.limits.depth {
            let found = self.open(id, &part, depth.saturating_add(1))?;
            if let Content::Gzip { fault } | Content::Zip { fault } = &mut part.content {
                *fault = found;
            }
        }
        if let Some(place) = self.parts.get_mut(id.0) {
            *place = part;
        }
        Ok(())
    }

    /// Takes out what is inside; returns what is wrong with a compressed file.
    fn open(&mut self, id: PartId, part: &Part<'s>, depth: usize) -> Result<Option<String>, InputError> {
        let inside = |name: String| Position {
            parent: Some(id),
            place: [part.place.as_str(), SEPARATOR, &name].concat(),
            name,
            depth,
        };
        match &part.content {
            Content::Pem => self.open_pem(&text_of(&part.bytes), &inside)?,
            Content::Base64 => {
                if let Some(decoded) = super::decode_base64(without_bom(&part.bytes))
                    && self.afford(decoded.len())
                {
                    self.take(Cow::Owned(decoded), inside("base64".to_owned()), Hint::None)?;
                }
            }
            Content::Json(value) => self.open_json(value, &part.place, id, depth)?,
            Content::Cmw(cmw) => self.open_cmw(cmw, &inside)?,
            Content::Cms { .. } => {
                for (number, member) in (1_usize..).zip(cms::certificates(&part.bytes).unwrap_or_default()) {
                    let at = inside(format!("certificate {number}"));
                    self.take(Cow::Owned(member.to_vec()), at, Hint::Certificate)?;
                }
                for (number, request) in (1_usize..).zip(cms::requests(&part.bytes)) {
                    let at = inside(format!("request {number}"));
                    self.take(Cow::Owned(request.to_vec()), at, Hint::Request)?;
                }
            }
            Content::Request(request) => self.open_request(request, &inside)?,
            Content::CrmfRequest(request) => {
                self.open_extensions(request.extensions().collect(), &inside)?;
                for (_, value) in request.extensions().filter(|(oid, _)| *oid == attestation::ATTESTATION) {
                    self.open_attestation(value, &inside)?;
                }
            }
            Content::CmpMessage => self.open_message(&part.bytes, &inside)?,
            Content::Certificate(certificate) => self.open_certificate(certificate, &inside)?,
            Content::Gzip { .. } => match compressed::inflate_single_gzip(&part.bytes, self.left()) {
                Ok(inflated) => {
                    self.unwrapped = self.unwrapped.saturating_add(inflated.len());
                    self.take(Cow::Owned(inflated), inside("gzip".to_owned()), Hint::None)?;
                }
                Err(fault) => return Ok(Some(fault)),
            },
            Content::Zip { .. } => return self.open_zip(&part.bytes, &inside),
            _ => {}
        }
        Ok(None)
    }

    fn left(&self) -> usize {
        self.limits.total_unwrapped.saturating_sub(self.unwrapped)
    }

    /// Spends from the budget of unwrapped bytes; what does not fit stays closed.
    fn afford(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.left();
        if fits {
            self.unwrapped = self.unwrapped.saturating_add(bytes);
        }
        fits
    }

    fn open_pem(&mut self, text: &str, inside: &dyn Fn(String) -> Position) -> Result<(), InputError> {
        let mut number = 0_usize;
        for block in pem::find(text) {
            number = number.saturating_add(1);
            let at = inside(format!("{} {number}", block.label.to_ascii_lowercase()));
            if block.label.ends_with("PRIVATE KEY") || block.label == "PGP PRIVATE KEY BLOCK" {
                return Err(InputError::PrivateKey(at.place));
            }
            let hint = match block.label {
                "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Hint::Certificate,
                "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Hint::Request,
                "PUBLIC KEY" => Hint::PublicKey,
                "X509 CRL" => Hint::RevocationList,
                "PGP PUBLIC KEY BLOCK" => Hint::OpenPgpKey,
                _ => Hint::None,
            };
            let der = block.der.unwrap_or_default();
            if self.afford(der.len()) {
                self.take(Cow::Owned(der), at, hint)?;
            }
        }
        Ok(())
    }

    /// Strings that hold PEM, plain or in base64, become parts; everything else in JSON is for the format that
    /// knows its members.
    fn open_json(&mut self, value: &Value, place: &str, id: PartId, depth: usize) -> Result<(), InputError> {
        let mut open = vec![(String::new(), value)];
        while let Some((pointer, value)) = open.pop() {
            match value {
                Value::String(text) => {
                    if let Some(pem) = pem_in(text)
                        && self.afford(pem.len())
                    {
                        let place = format!("{place}{SEPARATOR}{pointer}");
                        let at = Position { parent: Some(id), place, name: pointer, depth };
                        self.take(Cow::Owned(pem), at, Hint::None)?;
                    }
                }
                // In reverse, so that the stack gives them back in order.
                Value::Array(items) => {
                    open.extend(items.iter().enumerate().rev().map(|(i, v)| (format!("{pointer}/{i}"), v)));
                }
                Value::Object(members) => {
                    open.extend(members.iter().rev().map(|(k, v)| (format!("{pointer}/{k}"), v)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Evidence and endorsements; other messages of RATS stay closed.
    fn open_cmw(&mut self, cmw: &Cmw, inside: &dyn Fn(String) -> Position) -> Result<(), InputError> {
        for (label, record) in cmw.records().into_iter().filter(|(_, r)| r.may_be_evidence()) {
            if self.afford(record.value.len()) {
                let name = if label.is_empty() { record.media.to_string() } else { label };
                self.take(Cow::Owned(record.value.clone()), inside(name), Hint::None)?;
            }
        }
        Ok(())
    }

    fn open_certificate(
        &mut self,
        certificate: &Certificate,
        inside: &dyn Fn(String) -> Position,
    ) -> Result<(), InputError> {
        if let Some(wrapper) = certificate.extension(cmw::EXTENSION)
            && self.afford(wrapper.value.len())
        {
            let at = inside(format!("extension {}", cmw::EXTENSION));
            self.take(Cow::Owned(wrapper.value.to_vec()), at, Hint::Wrapper)?;
        }
        let carried = certificate
            .extensions()
            .filter(|e| self.carriers.iter().any(|c| c.in_certificates && c.oid == e.oid))
            .filter(|e| e.value.starts_with(&[0x30, 0x82]));
        for extension in carried {
            if self.afford(extension.value.len()) {
                let at = inside(format!("extension {}", extension.oid));
                self.take(Cow::Owned(extension.value.to_vec()), at, Hint::Announced(extension.oid))?;
            }
        }
        Ok(())
    }

    fn open_zip(
        &mut self,
        bytes: &[u8],
        inside: &dyn Fn(String) -> Position,
    ) -> Result<Option<String>, InputError> {
        let members = match compressed::read_zip(bytes, self.limits.parts, self.left()) {
            Ok(members) => members,
            Err(fault) => return Ok(Some(fault)),
        };
        let mut found = None;
        for member in members {
            match member.content {
                Ok(content) => {
                    self.unwrapped = self.unwrapped.saturating_add(content.len());
                    self.take(Cow::Owned(content), inside(member.name), Hint::None)?;
                }
                Err(fault) => found = Some(format!("member {}: {fault}", member.name)),
            }
        }
        Ok(found)
    }
}

/// Between the names of nested parts.
const SEPARATOR: &str = " › ";

/// The PEM text that a JSON string is, or holds in base64.
fn pem_in(text: &str) -> Option<Vec<u8>> {
    if pem::is_pem(text.as_bytes()) {
        return Some(text.as_bytes().to_vec());
    }
    let decoded = (text.len() >= MIN_BASE64).then(|| super::decode_base64(text.as_bytes()))??;
    pem::is_pem(&decoded).then_some(decoded)
}

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = without_bom(bytes);
    // Far quicker than the lossy reading, which is for what is not UTF-8.
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// What the bytes are; `None` for a private key, which is not looked at further.
fn recognise(bytes: &[u8], hint: Hint) -> Option<Content> {
    let announced = match hint {
        Hint::None => None,
        Hint::Certificate => Some(certificate(bytes, None)),
        Hint::Announced(oid) => Some(certificate(bytes, Some(oid))),
        Hint::Request => {
            let request = CertificationRequest::from_der(bytes);
            Some(request.map_or_else(Content::BrokenRequest, Content::Request))
        }
        // One that cannot be read stays DER, which the reports describe.
        Hint::Crmf => CertReqMsg::from_der(bytes).ok().map(Content::CrmfRequest),
        Hint::PublicKey => {
            let key = PublicKey::from_spki_der(bytes);
            Some(key.map_or_else(Content::BrokenPublicKey, Content::PublicKey))
        }
        Hint::RevocationList => {
            let list = RevocationList::from_der(bytes);
            Some(list.map_or_else(Content::BrokenRevocationList, Content::RevocationList))
        }
        Hint::Wrapper => Some(wrapper(Cmw::from_extension(bytes))),
        Hint::OpenPgpKey => match OpenPgpKey::read(bytes) {
            Err(OpenPgpError::Private) => return None,
            key => Some(key.map_or_else(Content::BrokenOpenPgpKey, Content::OpenPgpKey)),
        },
    };
    match announced {
        None => {}
        // What is announced as something else and is not that may still be a private key.
        Some(
            Content::BrokenCertificate { .. }
            | Content::BrokenRequest(_)
            | Content::BrokenPublicKey(_)
            | Content::BrokenRevocationList(_),
        ) if is_private_key(bytes) => {
            return None;
        }
        Some(content) => return Some(content),
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Some(Content::Gzip { fault: None });
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(Content::Zip { fault: None });
    }
    if !bytes.starts_with(&[0x30]) && !looks_like_json(bytes) && pem::is_pem(bytes) {
        return Some(Content::Pem);
    }
    if bytes.first() == Some(&0x30)
        && let Some(content) = der(bytes)?
    {
        return Some(content);
    }
    if let Some(content) = wrapper_in_cbor(bytes) {
        return Some(content);
    }
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        // Binary data of other kinds begins so too: only what is wholly of OpenPGP packets is taken for it.
        match OpenPgpKey::read(bytes) {
            Ok(key) => return Some(Content::OpenPgpKey(key)),
            Err(OpenPgpError::Private) => return None,
            Err(_) => {}
        }
    }
    Some(text(bytes).unwrap_or(Content::Binary))
}

fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(without_bom(bytes).iter().find(|b| !b.is_ascii_whitespace()), Some(b'{' | b'['))
}

fn text(bytes: &[u8]) -> Option<Content> {
    let text = without_bom(bytes);
    str::from_utf8(text).ok()?;
    match text.iter().find(|b| !b.is_ascii_whitespace())? {
        b'{' | b'[' => Some(match json::parse(text) {
            Ok(value) if cmw::looks_like_json(&value) => wrapper(Cmw::from_json(&value)),
            Ok(value) => Content::Json(value),
            Err(why) => Content::BrokenJson(why),
        }),
        b'<' => Some(Content::Xml),
        _ if text.len() >= MIN_BASE64 && super::decode_base64(text).is_some() => Some(Content::Base64),
        _ => None,
    }
}

fn wrapper(read: Result<Cmw, cmw::CmwError>) -> Content {
    read.map_or_else(Content::BrokenCmw, Content::Cmw)
}

/// A wrapper in CBOR: an array of two or three, a tag of a content-format, or a map.
fn wrapper_in_cbor(bytes: &[u8]) -> Option<Content> {
    if !matches!(bytes, [0x82 | 0x83 | 0xa1..=0xb9, ..] | [0xda, 0x63, 0x74 | 0x75, ..]) {
        return None;
    }
    let item = cbor::read(bytes).ok().filter(cmw::looks_like_cbor)?;
    Some(wrapper(Cmw::from_cbor(&item)))
}

fn certificate(bytes: &[u8], announced: Option<ObjectIdentifier>) -> Content {
    match Certificate::from_der(bytes) {
        Ok(certificate) => Content::Certificate(certificate),
        Err(why) => {
            let prefix = match why {
                CertificateError::Trailing(extra) => bytes
                    .get(..bytes.len().saturating_sub(extra))
                    .and_then(|cut| Certificate::from_der(cut).ok()),
                _ => None,
            };
            Content::BrokenCertificate { why, announced, prefix }
        }
    }
}

/// What DER is. Outer `None`: a private key. Inner `None`: not DER.
fn der(bytes: &[u8]) -> Option<Option<Content>> {
    if is_private_key(bytes) {
        return None;
    }
    Some(match Certificate::from_der(bytes) {
        Ok(certificate) => Some(Content::Certificate(certificate)),
        Err(CertificateError::Trailing(_) | CertificateError::AlgorithmMismatch) => {
            Some(certificate(bytes, None))
        }
        Err(_) => {
            if let Ok(request) = CertificationRequest::from_der(bytes) {
                Some(Content::Request(request))
            } else if cms::looks_like_signed_data(bytes) {
                Some(Content::Cms { readable: cms::certificates(bytes).is_some() })
            } else if let Ok(key) = PublicKey::from_spki_der(bytes) {
                Some(Content::PublicKey(key))
            } else if let Ok(list) = RevocationList::from_der(bytes) {
                Some(Content::RevocationList(list))
            } else if let Ok(request) = CertReqMsg::from_der(bytes) {
                Some(Content::CrmfRequest(request))
            } else if crmf::read_message(bytes).is_some() {
                Some(Content::CmpMessage)
            } else {
                single(bytes).map(|_| Content::Der)
            }
        }
    })
}

/// PKCS#8 and encrypted PKCS#8 (RFC 5958), RSAPrivateKey (RFC 8017, A.1.2), ECPrivateKey (RFC 5915), PKCS#12
/// (RFC 7292).
fn is_private_key(bytes: &[u8]) -> bool {
    let Some(members) = sequence(bytes, 16) else { return false };
    let integer = |index: usize| members.get(index).and_then(|m| content(m, Tag::Integer));
    let tag = |index: usize| members.get(index).and_then(|m| single(m)).map(|(tag, _)| tag);
    let version = integer(0);
    let pkcs8 =
        matches!(version, Some([0 | 1])) && tag(1) == Some(Tag::Sequence) && tag(2) == Some(Tag::OctetString);
    let rsa = matches!(version, Some([0 | 1])) && members.len() >= 9 && (1..9).all(|i| integer(i).is_some());
    let ec = version == Some(&[1][..]) && tag(1) == Some(Tag::OctetString);
    let pkcs12 = version == Some(&[3][..]) && tag(1) == Some(Tag::Sequence);
    let encrypted = members.len() == 2
        && tag(1) == Some(Tag::OctetString)
        && members.first().is_some_and(|m| is_password_encryption(m));
    pkcs8 || rsa || ec || pkcs12 || encrypted
}

/// AlgorithmIdentifier of PKCS#5 or PKCS#12 encryption.
fn is_password_encryption(algorithm: &[u8]) -> bool {
    let read = || -> ::der::Result<ObjectIdentifier> {
        let sequence = AnyRef::from_der(algorithm)?;
        let mut reader = SliceReader::new(sequence.value())?;
        let oid = ObjectIdentifier::decode(&mut reader)?;
        let _ = reader.is_finished();
        Ok(oid)
    };
    const PKCS_5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5");
    const PKCS_12: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12");
    read().is_ok_and(|oid| is_below(oid, PKCS_5) || is_below(oid, PKCS_12))
}
