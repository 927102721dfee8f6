//! Requests and certificates in whatever form a token's files were handed over.
//!
//! ```text
//! 67 …            EF CExx, the request of a key
//! 7F21 … 7F21 …   EF 2F02, device certificate and issuer certificate; all three may be in one file
//! 30 { 67, 7F21, 7F21 }                  PKA file of older tools
//! 30 { 06, 61 {7F21}, 62 {7F21}, 63 {67} }   PKA file; tools differ in which of 61 and 62 is the device
//! XML             RequestCertificate of CardContact's CA service
//! ```

use crate::crypto::sha256;
use crate::formats::Context;
use crate::input::{Content, Part, PartId, decode_base64};
use crate::pki::cvc::{CvCertificate, CvRequest};
use crate::wire::tlv;

/// More than the files of a token with many keys, of which a few are handed over.
const MAX_CERTIFICATES: usize = 16;
const MAX_REQUESTS: usize = 16;
/// Longer files are none of a token.
const MAX_FILE: usize = 64 * 1024;

/// 1.3.6.1.4.1.24991.4.3.1, with its tag and length.
const PKA: &[u8] = b"\x06\x0b\x2b\x06\x01\x04\x01\x81\xc3\x1f\x04\x03\x01";

/// Everything of this kind that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) requests: Vec<(PartId, CvRequest)>,
    pub(super) certificates: Vec<(PartId, CvCertificate)>,
    /// What begins like such a file and cannot be read: place and reason.
    pub(super) faults: Vec<(PartId, String)>,
}

impl Found {
    /// What there is; none when nothing is of this kind.
    pub(super) fn among(cx: &Context<'_>) -> Option<Self> {
        let mut found = Self::default();
        let mut seen: Vec<[u8; 32]> = Vec::new();
        for (id, part) in cx.parts.evidence() {
            for bytes in files_in(part) {
                if recognises(&bytes) {
                    found.read(id, &bytes, &mut seen);
                }
            }
        }
        let any = !found.requests.is_empty() || !found.certificates.is_empty() || !found.faults.is_empty();
        any.then_some(found)
    }

    fn read(&mut self, id: PartId, bytes: &[u8], seen: &mut Vec<[u8; 32]>) {
        let Some(objects) = objects(bytes) else {
            return self.faults.push((id, "cut, or with bytes that belong to no object".to_owned()));
        };
        for object in objects {
            // The same certificate handed in twice is one.
            let digest = sha256(object);
            if seen.contains(&digest) {
                continue;
            }
            seen.push(digest);
            let full = self.requests.len() >= MAX_REQUESTS || self.certificates.len() >= MAX_CERTIFICATES;
            let read = match object {
                _ if full => Err("more certificates or requests than are read".to_owned()),
                [0x67, ..] => CvRequest::from_bytes(object)
                    .map(|r| self.requests.push((id, r)))
                    .map_err(|e| format!("request: {e}")),
                _ => CvCertificate::from_bytes(object)
                    .map(|c| self.certificates.push((id, c)))
                    .map_err(|e| format!("certificate: {e}")),
            };
            if let Err(why) = read {
                self.faults.push((id, why));
                if full {
                    return;
                }
            }
        }
    }
}

/// The bytes of a part that may be a token's file.
fn files_in(part: &Part<'_>) -> Vec<Vec<u8>> {
    if part.bytes.len() > MAX_FILE {
        return Vec::new();
    }
    match &part.content {
        // Hexadecimal digits are letters of base64 too.
        Content::Binary | Content::Base64 => {
            let text = std::str::from_utf8(&part.bytes).ok().and_then(hexadecimal);
            vec![text.unwrap_or_else(|| part.bytes.to_vec())]
        }
        // PEM labels tell nothing of these.
        Content::Der | Content::BrokenCertificate { .. } | Content::BrokenRequest(_) => {
            vec![part.bytes.to_vec()]
        }
        Content::Xml => std::str::from_utf8(&part.bytes).map(in_xml).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    hex::decode(digits).ok()
}

/// The two members of a call to the CA service, wherever the envelope has them.
fn in_xml(text: &str) -> Vec<Vec<u8>> {
    const MAX_NODES: u32 = 1000;
    if !text.contains("RequestCertificate") {
        return Vec::new();
    }
    let options = roxmltree::ParsingOptions { nodes_limit: MAX_NODES, ..Default::default() };
    let Ok(document) = roxmltree::Document::parse_with_options(text, options) else { return Vec::new() };
    let is_member = |name: &str| matches!(name, "CertificateSigningRequest" | "DeviceCertificate");
    document
        .descendants()
        .filter(|node| node.is_element() && is_member(node.tag_name().name()))
        .filter_map(|node| decode_base64(node.text()?.as_bytes()))
        .collect()
}

/// By the first tags; whether the rest is whole is for reading to say.
fn recognises(bytes: &[u8]) -> bool {
    let inside = |tag: u16| -> Option<&[u8]> {
        let (found, _, header) = tlv::header(bytes)?;
        (found == tag).then(|| bytes.get(header..))?
    };
    let begins = |inner: &[u8]| inner.starts_with(&[0x7f, 0x21]) || inner.starts_with(&[0x67]);
    inside(0x67).is_some_and(|inner| inner.starts_with(&[0x7f, 0x21]))
        || inside(0x7f21).is_some_and(|inner| inner.starts_with(&[0x7f, 0x4e]))
        || inside(0x30).is_some_and(|inner| begins(inner) || inner.starts_with(PKA))
}

/// Requests and certificates in a file, each as a whole. None when it holds anything else.
fn objects(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    const MAX: usize = 64;
    let members = match tlv::only(bytes, 0x30) {
        None => tlv::all(bytes, MAX)?,
        Some(pka) => {
            let content = pka.value.strip_prefix(PKA).unwrap_or(pka.value);
            tlv::all(content, MAX)?
        }
    };
    let mut found = Vec::new();
    for member in members {
        match member.tag {
            0x67 | 0x7f21 => found.push(member.whole),
            0x61 | 0x62 => found.push(tlv::only(member.value, 0x7f21)?.whole),
            0x63 => found.push(tlv::only(member.value, 0x67)?.whole),
            _ => return None,
        }
    }
    Some(found)
}
