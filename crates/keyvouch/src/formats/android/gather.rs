//! Which certificates belong together, and how they came.

use serde_json::Value;

use super::ID;
use super::shape;
use crate::formats::Context;
use crate::input::{Content, PartId, decode_base64};
use crate::pki::{Certificate, CertificateError};
use crate::request::Request;
use crate::wire::bytes::contains;

/// No chain of a device is longer.
pub(super) const MAX_CERTIFICATES: usize = 16;
/// No certificate of a device is larger.
pub(super) const MAX_CERTIFICATE: usize = 16 * 1024;
/// How deep arrays of certificates lie in JSON.
const MAX_JSON_DEPTH: usize = 4;
/// How many chains one file may hold.
const MAX_CHAINS: usize = 16;

/// The certificates of one chain, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) place: String,
    pub(super) parts: Vec<PartId>,
    pub(super) certificates: Vec<Certificate>,
    /// What announces itself as a certificate and is none, with the reason.
    pub(super) broken: Vec<(String, CertificateError)>,
    /// The request in which the chain came.
    pub(super) request: Option<Request>,
}

/// Every chain among the evidence that is Android's.
///
/// Certificates that came in one container are one chain, whatever they are. Those that came alone belong to the
/// chains that their names connect them with, or make one together; others of them are left aside.
pub(super) fn groups(cx: &Context<'_>) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    let mut alone: Vec<Group> = Vec::new();
    for (container, members) in containers(cx) {
        let group = collect(cx, container, &members);
        match group.certificates.len().saturating_add(group.broken.len()) > 1 {
            true if !is_ours(&group, cx) => {}
            // Handed over twice: one chain.
            true => match found.iter_mut().find(|g| g.certificates == group.certificates) {
                Some(same) if group.broken.is_empty() => same.parts.extend(group.parts),
                _ => found.push(group),
            },
            false => alone.push(group),
        }
    }
    for group in &mut found {
        connect(group, &mut alone.iter().collect());
    }
    found.extend(of_separate_files(&alone, &found, cx));
    found.extend(json_chains(cx));
    found.truncate(MAX_CHAINS);
    found
}

/// Adds certificates that came alone to a chain, as far as names connect them. A certificate that is there already is
/// not added.
fn connect(group: &mut Group, alone: &mut Vec<&Group>) {
    let linked = |single: &Group, group: &Group| {
        single.certificates.iter().any(|c| {
            group.certificates.iter().any(|o| o.issuer() == c.subject() || c.issuer() == o.subject())
        })
    };
    while let Some(at) = alone.iter().position(|single| linked(single, group)) {
        let single = alone.swap_remove(at);
        if single.certificates.iter().any(|c| !group.certificates.contains(c)) {
            group.certificates.extend(single.certificates.iter().cloned());
        }
        group.parts.extend(single.parts.iter().copied());
    }
}

/// The chain that certificates in files of their own make, in the order of the files.
fn of_separate_files(alone: &[Group], chains: &[Group], cx: &Context<'_>) -> Option<Group> {
    let in_a_chain = |single: &Group| {
        !single.certificates.is_empty()
            && chains.iter().any(|g| single.certificates.iter().all(|c| g.certificates.contains(c)))
    };
    let left: Vec<&Group> = alone.iter().filter(|single| !in_a_chain(single)).collect();
    let seed = left.iter().position(|single| is_ours(single, cx))?;
    let mut connected = Group::default();
    let mut rest = left.clone();
    let first = rest.remove(seed);
    connected.parts.extend(first.parts.iter().copied());
    connected.certificates.extend(first.certificates.iter().cloned());
    // A file that is no certificate and says that it is one of ours, and every other of ours, belongs there too.
    rest.retain(|single| {
        let ours = is_ours(single, cx);
        if ours {
            connected.parts.extend(single.parts.iter().copied());
            connected.certificates.extend(single.certificates.iter().cloned());
        }
        !ours
    });
    connect(&mut connected, &mut rest);
    let used =
        |single: &&&Group| single.parts.iter().any(|p| connected.parts.contains(p)) || is_ours(single, cx);
    let mut group = Group::default();
    for single in left.iter().filter(used) {
        if group.place.is_empty() {
            (group.place, group.request) = (single.place.clone(), single.request.clone());
        }
        group.parts.extend(single.parts.iter().copied());
        group.certificates.extend(single.certificates.iter().cloned());
        group.broken.extend(single.broken.iter().cloned());
    }
    Some(group)
}

/// Parts that are certificates, or say so, by what they lie in. A file that is a certificate is its own container.
fn containers(cx: &Context<'_>) -> Vec<(PartId, Vec<PartId>)> {
    let mut found: Vec<(PartId, Vec<PartId>)> = Vec::new();
    for (id, part) in cx.parts.evidence() {
        if !matches!(part.content, Content::Certificate(_) | Content::BrokenCertificate { .. }) {
            continue;
        }
        let container = part.parent.unwrap_or(id);
        match found.iter_mut().find(|(c, _)| *c == container) {
            Some((_, members)) => members.push(id),
            None => found.push((container, vec![id])),
        }
    }
    found
}

fn collect(cx: &Context<'_>, container: PartId, members: &[PartId]) -> Group {
    let mut group = Group {
        place: cx.parts.place(container).to_owned(),
        request: carrying_request(cx, container),
        ..Group::default()
    };
    for id in members {
        match cx.parts.get(*id).map(|p| &p.content) {
            Some(Content::Certificate(certificate)) => {
                group.parts.push(*id);
                group.certificates.push(certificate.clone());
            }
            Some(Content::BrokenCertificate { why, .. }) => {
                group.broken.push((cx.parts.place(*id).to_owned(), why.clone()));
            }
            _ => {}
        }
    }
    group
}

/// The request in which a part lies.
fn carrying_request(cx: &Context<'_>, of: PartId) -> Option<Request> {
    let mut at = Some(of);
    while let Some(part) = at.and_then(|id| cx.parts.get(id)) {
        if let Content::Request(csr) = &part.content {
            return Some(Request::carried(part.place.clone(), csr));
        }
        at = part.parent;
    }
    None
}

fn is_ours(group: &Group, cx: &Context<'_>) -> bool {
    group.certificates.iter().any(|c| is_seed(c, cx))
        || group.broken.iter().any(|(place, _)| says_so(cx, place))
}

/// Whether it is Android's by itself, or stands under one of the roots of Android.
fn is_seed(certificate: &Certificate, cx: &Context<'_>) -> bool {
    let ours = |name: &[u8]| {
        cx.reference.anchors.by_subject(name).any(|a| !a.every_format && a.formats.iter().any(|f| f == ID))
    };
    shape::is_android(certificate) || ours(certificate.subject()) || ours(certificate.issuer())
}

/// Whether bytes that are no certificate hold the identifier of the attestation extension.
fn says_so(cx: &Context<'_>, place: &str) -> bool {
    /// 1.3.6.1.4.1.11129.2.1.17
    const EXTENSION: &[u8] = b"\x06\x0a\x2b\x06\x01\x04\x01\xd6\x79\x02\x01\x11";
    let part = cx.parts.evidence().find(|(_, p)| p.place == place);
    part.is_some_and(|(_, p)| contains(&p.bytes, EXTENSION))
}

/// Arrays of base64 certificates in JSON: `x5c`, bare arrays, arrays of arrays.
fn json_chains(cx: &Context<'_>) -> Vec<Group> {
    let mut found = Vec::new();
    for (id, part) in cx.parts.evidence() {
        let Content::Json(value) = &part.content else { continue };
        let mut open = vec![(String::new(), value, 0_usize)];
        while let Some((pointer, value, depth)) = open.pop() {
            let deeper = depth.saturating_add(1);
            match value {
                _ if depth > MAX_JSON_DEPTH || found.len() >= MAX_CHAINS => {}
                Value::Array(items) => match chain(items, &format!("{} › {pointer}", part.place)) {
                    Some(mut group) => {
                        group.parts.push(id);
                        group.request = carrying_request(cx, id);
                        if is_ours(&group, cx) {
                            found.push(group);
                        }
                    }
                    None => open.extend(
                        (0_usize..)
                            .zip(items)
                            .take(MAX_CHAINS)
                            .map(|(i, v)| (format!("{pointer}/{i}"), v, deeper)),
                    ),
                },
                Value::Object(members) => {
                    open.extend(members.iter().map(|(k, v)| (format!("{pointer}/{k}"), v, deeper)));
                }
                _ => {}
            }
        }
    }
    found
}

/// An array whose every member is base64 of something that begins like a certificate.
fn chain(items: &[Value], place: &str) -> Option<Group> {
    if items.is_empty() || items.len() > MAX_CERTIFICATES {
        return None;
    }
    let mut group = Group { place: place.to_owned(), ..Group::default() };
    for (position, item) in (0_usize..).zip(items) {
        let der = decode_base64(item.as_str()?.as_bytes()).filter(|der| der.starts_with(&[0x30, 0x82]))?;
        match Certificate::from_der(&der) {
            Ok(certificate) => group.certificates.push(certificate),
            Err(why) => group.broken.push((format!("{place}/{position}"), why)),
        }
    }
    Some(group)
}
