//! What of this format is among the evidence: documents, each with what may be its signature and chain.
//!
//! | container | document | signature | chain |
//! |---|---|---|---|
//! | ZIP of the TSB | the XML member | the binary member | the PEM member |
//! | files of JCE and Primus Tools | the XML file | the binary file | the PEM file |
//! | JSON of the TSB | `xml`, or `keyAttributes` | `xmlSignature`, or `keyAttributesSignature` | not in it |
//! | JSON of a CA's form | `attestationData` | `attestationSignature` | `attestationCertChain` |
//!
//! Beside `xml`, the TSB gives an unsigned copy, `json`. It is not read.

use std::borrow::Cow;

use serde_json::Value;

use crate::formats::Context;
use crate::input::{Content, Part, PartId, Parts, decode_base64};
use crate::pki::Certificate;
use crate::wire::bytes::contains;

/// A real document has 2 to 3 KB.
pub(super) const MAX_XML: usize = 256 << 10;
pub(super) const MAX_CERTIFICATES: usize = 10;
/// Only so many are tried; each costs a signature verification.
const MAX_SIGNATURES: usize = 8;
const MAX_DOCUMENTS: usize = 16;

/// The root element of any document is near its beginning.
const LOOK_WITHIN: usize = 4096;

/// Signatures are 64 (ECDSA) to 1024 (RSA-8192) bytes; DER can be a little shorter.
const SIGNATURE_LENGTHS: std::ops::RangeInclusive<usize> = 48..=1024;

/// Something that was handed in, and where it was.
#[derive(Debug, Clone)]
pub(super) struct Piece<'a> {
    pub(super) part: PartId,
    pub(super) place: String,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// A document with all that may belong to it.
#[derive(Debug, Default)]
pub(super) struct Bundle<'a> {
    pub(super) xml: Option<Piece<'a>>,
    /// What may be its signature; which one is, the attestation key decides.
    pub(super) signatures: Vec<Piece<'a>>,
    pub(super) certificates: Vec<(PartId, &'a Certificate)>,
    /// A bare public key came along, which gives no trust.
    pub(super) bare_key: bool,
    /// Place and reason of what could not be read.
    pub(super) faults: Vec<(String, String)>,
}

/// A document or its envelope, as it was found.
struct Source<'a> {
    /// Where what belongs to it is looked for first.
    home: Option<PartId>,
    xml: Option<Piece<'a>>,
    signature: Option<Piece<'a>>,
    fault: Option<(String, String)>,
}

/// The bundles of this format among the evidence; none when it is of another.
pub(super) fn bundles<'a>(cx: &Context<'a>) -> Vec<Bundle<'a>> {
    let parts = cx.parts;
    let mut sources = sources(parts);
    if sources.is_empty() {
        if !parts.certificates().iter().any(|(_, c)| is_of_primus(c)) {
            return Vec::new();
        }
        sources.push(Source { home: None, xml: None, signature: None, fault: None });
    }
    let too_many = sources.len() > MAX_DOCUMENTS;
    sources.truncate(MAX_DOCUMENTS);
    let loose = loose_signatures(parts);
    let mut bundles: Vec<Bundle<'a>> = Vec::new();
    for source in sources {
        let mut bundle = complete(source, &loose, parts);
        if too_many {
            let why = format!("more than {MAX_DOCUMENTS} documents; hand over those of one key");
            bundle.faults.push((String::new(), why));
        }
        let same =
            |b: &Bundle<'_>| b.xml.as_ref().zip(bundle.xml.as_ref()).is_some_and(|(a, b)| a.bytes == b.bytes);
        match bundles.iter_mut().find(|b| same(b)) {
            // The same document twice, say in a ZIP and beside it, is one.
            Some(same) => same.merge(bundle),
            None => bundles.push(bundle),
        }
    }
    bundles
}

impl<'a> Bundle<'a> {
    fn merge(&mut self, other: Self) {
        for piece in other.signatures {
            if !self.signatures.iter().any(|s| s.bytes == piece.bytes) {
                self.signatures.push(piece);
            }
        }
        for (id, certificate) in other.certificates {
            if !self.certificates.iter().any(|(_, c)| *c == certificate) {
                self.certificates.push((id, certificate));
            }
        }
        self.faults.extend(other.faults);
    }

    /// The place to name when a check looks at no single piece.
    pub(super) fn place(&self) -> &str {
        self.xml.as_ref().or(self.signatures.first()).map_or("", |p| &p.place)
    }
}

fn sources<'a>(parts: &'a Parts<'a>) -> Vec<Source<'a>> {
    let mut found = Vec::new();
    for (id, part) in parts.evidence() {
        match &part.content {
            Content::Json(value) => envelopes(id, part, value, &mut found),
            Content::BrokenJson(why) if names_an_envelope(&part.bytes) => found.push(Source {
                home: Some(id),
                xml: None,
                signature: None,
                fault: Some((part.place.clone(), format!("broken JSON: {why}"))),
            }),
            Content::Xml | Content::Binary | Content::Pem if is_document(&part.bytes) => {
                found.push(Source {
                    home: part.parent,
                    xml: Some(Piece {
                        part: id,
                        place: part.place.clone(),
                        bytes: Cow::Borrowed(&part.bytes),
                    }),
                    signature: None,
                    fault: None,
                });
            }
            _ => {}
        }
    }
    found
}

/// Whether bytes look like a document, for recognition only: also one that is not UTF-8 or has another root.
fn is_document(bytes: &[u8]) -> bool {
    let start = bytes.get(..bytes.len().min(LOOK_WITHIN)).unwrap_or_default();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let mentions = |text: &[u8]| contains(start, text);
    let utf_16 = "private_key".bytes().flat_map(|b| [b, 0]).take(21).collect::<Vec<u8>>();
    match start.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'<') => mentions(b"<private_key") || mentions(b"<attest_time") || mentions(&utf_16),
        Some(0 | 0xfe | 0xff) => mentions(&utf_16),
        _ => false,
    }
}

/// Whether a part was unwrapped from the text of a document: a label can hold a PEM block.
fn is_in_document(id: PartId, parts: &Parts<'_>) -> bool {
    let above = |id: &PartId| parts.get(*id).and_then(|p| p.parent);
    std::iter::successors(above(&id), above).filter_map(|id| parts.get(id)).any(|p| is_document(&p.bytes))
}

fn names_an_envelope(json: &[u8]) -> bool {
    [&b"\"xmlSignature\""[..], b"\"keyAttributesSignature\""].iter().any(|name| contains(json, name))
}

/// How an envelope holds the document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Base64,
}

const MEMBERS: [(&str, &str, Form); 3] = [
    ("xml", "xmlSignature", Form::Text),
    ("keyAttributes", "keyAttributesSignature", Form::Text),
    ("attestationData", "attestationSignature", Form::Base64),
];

/// Finds the envelopes anywhere in a JSON value: approval objects hold them deep inside.
fn envelopes<'a>(id: PartId, part: &Part<'_>, value: &'a Value, found: &mut Vec<Source<'a>>) {
    let mut open = vec![(String::new(), value)];
    while let Some((pointer, value)) = open.pop() {
        // In reverse, so that the stack gives them back in order.
        match value {
            Value::Array(items) => {
                open.extend(items.iter().enumerate().rev().map(|(i, v)| (format!("{pointer}/{i}"), v)));
            }
            Value::Object(members) => {
                open.extend(members.iter().rev().map(|(k, v)| (format!("{pointer}/{k}"), v)));
                let place = format!("{} › {pointer}", part.place);
                for (xml, signature, form) in MEMBERS {
                    let member = |name| members.get(name).filter(|v| !v.is_null());
                    found.extend(envelope(
                        id,
                        &place,
                        (xml, member(xml)),
                        (signature, member(signature)),
                        form,
                    ));
                }
            }
            _ => {}
        }
    }
}

fn envelope<'a>(
    id: PartId,
    place: &str,
    (xml_name, xml): (&str, Option<&'a Value>),
    (signature_name, signature): (&str, Option<&'a Value>),
    form: Form,
) -> Option<Source<'a>> {
    let at = |name: &str| format!("{}/{name}", place.trim_end_matches('/'));
    let text = xml.and_then(Value::as_str);
    let document: Option<Cow<'a, [u8]>> = match form {
        Form::Text => text.map(|t| Cow::Borrowed(t.as_bytes())),
        Form::Base64 => text.and_then(|t| decode_base64(t.as_bytes())).map(Cow::Owned),
    };
    // `attestationData` is a name that other formats' envelopes have too; the others are this format's own.
    let ours = document.as_ref().is_some_and(|d| is_document(d));
    if !ours && (form == Form::Base64 || signature.is_none()) {
        return None;
    }
    let piece = |name: &str, bytes| Piece { part: id, place: at(name), bytes };
    let mut fault = None;
    if xml.is_some() && document.is_none() {
        fault = Some((at(xml_name), "is not text".to_owned()));
    }
    let decoded = signature.map(|s| s.as_str().and_then(|t| decode_base64(t.as_bytes())));
    if decoded == Some(None) {
        fault = Some((at(signature_name), "is not base64".to_owned()));
    }
    Some(Source {
        home: Some(id),
        xml: document.map(|bytes| piece(xml_name, bytes)),
        signature: decoded.flatten().map(|bytes| piece(signature_name, Cow::Owned(bytes))),
        fault,
    })
}

/// Everything that may be a signature: binary of the right length. base64 text was decoded already, and what
/// it holds is a part of its own.
fn loose_signatures<'a>(parts: &'a Parts<'a>) -> Vec<Piece<'a>> {
    let may_be = |part: &Part<'_>| {
        // By chance a signature can begin like a compressed file or like DER.
        let kind = matches!(
            part.content,
            Content::Binary
                | Content::Der
                | Content::Gzip { fault: Some(_) }
                | Content::Zip { fault: Some(_) }
        );
        // Text (the README of the TSB) is none.
        kind && SIGNATURE_LENGTHS.contains(&part.bytes.len()) && std::str::from_utf8(&part.bytes).is_err()
    };
    parts
        .evidence()
        .filter(|(_, part)| may_be(part))
        .map(|(id, part)| Piece { part: id, place: part.place.clone(), bytes: Cow::Borrowed(&part.bytes) })
        .collect()
}

/// Adds to a document what belongs to it: what is with it in the innermost container, else anything.
fn complete<'a>(source: Source<'a>, loose: &[Piece<'a>], parts: &'a Parts<'a>) -> Bundle<'a> {
    let mut bundle = Bundle { xml: source.xml, ..Bundle::default() };
    bundle.faults.extend(source.fault);
    bundle.signatures = match source.signature {
        Some(own) => vec![own],
        None => {
            nearest(source.home, parts, |inside| loose.iter().filter(|p| inside(p.part)).cloned().collect())
        }
    };
    if bundle.signatures.len() > MAX_SIGNATURES {
        let why = format!("more than {MAX_SIGNATURES} files that may be the signature");
        bundle.faults.push((bundle.place().to_owned(), why));
        bundle.signatures.truncate(MAX_SIGNATURES);
    }
    let certificates: Vec<(PartId, &Part<'_>)> = nearest(source.home, parts, |inside| {
        let kind =
            |p: &Part<'_>| matches!(p.content, Content::Certificate(_) | Content::BrokenCertificate { .. });
        parts.evidence().filter(|(id, p)| kind(p) && inside(*id) && !is_in_document(*id, parts)).collect()
    });
    for (id, part) in certificates {
        match &part.content {
            Content::BrokenCertificate { why, .. } => {
                bundle.faults.push((part.place.clone(), why.to_string()));
            }
            Content::Certificate(certificate)
                if !bundle.certificates.iter().any(|(_, c)| *c == certificate) =>
            {
                bundle.certificates.push((id, certificate));
            }
            _ => {}
        }
    }
    // Evidence of several devices can be handed in together.
    if bundle.certificates.iter().any(|(_, c)| is_of_securosys(c)) {
        bundle.certificates.retain(|(_, c)| is_of_securosys(c));
    }
    bundle.bare_key = parts.evidence().any(|(_, p)| matches!(p.content, Content::PublicKey(_)));
    for container in std::iter::successors(source.home, |id| parts.get(*id)?.parent) {
        if let Some(Part { content: Content::Zip { fault: Some(why) }, place, .. }) = parts.get(container) {
            bundle.faults.push((place.clone(), why.clone()));
        }
    }
    bundle
}

/// What `find` gives for the innermost container around `home` in which it finds anything.
fn nearest<'a, T>(
    home: Option<PartId>,
    parts: &'a Parts<'a>,
    find: impl Fn(&dyn Fn(PartId) -> bool) -> Vec<T>,
) -> Vec<T> {
    let up = |id: &PartId| parts.get(*id).and_then(|p| p.parent);
    for container in std::iter::successors(home, up) {
        let found = find(&|id| std::iter::successors(Some(id), up).any(|id| id == container));
        if !found.is_empty() {
            return found;
        }
    }
    find(&|_| true)
}

fn is_of_securosys(certificate: &Certificate) -> bool {
    [certificate.subject_name(), certificate.issuer_name()]
        .iter()
        .any(|n| n.organization() == Some("Securosys"))
}

/// For recognition of a chain that came alone.
fn is_of_primus(certificate: &Certificate) -> bool {
    is_of_securosys(certificate)
        && [certificate.common_name(), certificate.issuer_common_name()]
            .into_iter()
            .flatten()
            .any(|cn| cn.starts_with("PRIMUS") || cn.starts_with("SECUROSYS_ROOTKEY"))
}
