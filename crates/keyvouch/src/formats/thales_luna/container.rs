//! What of this format is among the evidence, and whether it came in a container of the right form.

use der::asn1::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

use super::fields::{self, Purposes};
use super::{Context, ID};
use crate::input::{Content, Part, PartId};
use crate::pki::{Certificate, cms};
use crate::reference::anchors::AnchorKind;
use crate::wire::der::{content, sequence, single};

/// A PKC with its chain has 7 KB.
const MAX_CONTAINER: usize = 64 * 1024;
/// … and 5 certificates.
const MAX_CERTIFICATES: usize = 16;

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// OBJECT IDENTIFIER id-signedData, as it stands at the beginning of a PKCS#7 file.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The evidence of this format.
pub(super) struct Found<'a> {
    /// PKCs, by the container they came in.
    pub(super) groups: Vec<Group<'a>>,
    /// Every certificate of the evidence.
    pub(super) all: Vec<(PartId, &'a Certificate)>,
    /// What is wrong with containers and certificates.
    pub(super) faults: Vec<(PartId, ContainerFault)>,
    /// The first part that was recognised, to name a place.
    pub(super) first: Option<PartId>,
}

/// The PKCs of one container; there should be one.
pub(super) struct Group<'a> {
    of: Container,
    pub(super) leaves: Vec<(PartId, &'a Certificate)>,
}

/// What certificates came in: something that was unwrapped, or a file of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Part(PartId),
    File(usize),
}

impl Container {
    fn of(part: &Part<'_>) -> Self {
        part.parent.map_or(Self::File(part.file), Self::Part)
    }
}

/// What is wrong with a container.
pub(super) enum ContainerFault {
    Malformed(String),
    Unexpected(&'static str),
    Trailing(usize),
}

impl<'a> Found<'a> {
    /// `None` when nothing of this format is there.
    pub(super) fn among(cx: &Context<'a>) -> Option<Self> {
        let all = cx.parts.certificates();
        let mut found = Self { groups: Vec::new(), all, faults: Vec::new(), first: None };
        let mut containers: Vec<(Container, usize)> = Vec::new();
        for (id, part) in cx.parts.evidence() {
            let Content::Certificate(certificate) = &part.content else { continue };
            let of = Container::of(part);
            if fields::is_ours(certificate) {
                found.first.get_or_insert(id);
                if !containers.iter().any(|(c, _)| *c == of) {
                    containers.push((of, 0));
                }
            }
            if fields::is_leaf(certificate) {
                found.add_leaf(of, id, certificate);
            }
        }
        for (id, part) in cx.parts.evidence() {
            let of = Container::of(part);
            match containers.iter_mut().find(|(c, _)| *c == of) {
                Some((_, count)) => {
                    if let Content::BrokenCertificate { why, .. } = &part.content {
                        found.faults.push((id, ContainerFault::Malformed(why.to_string())));
                    } else if !matches!(part.content, Content::Certificate(_)) {
                        continue;
                    }
                    *count = count.saturating_add(1);
                    if *count == MAX_CERTIFICATES.saturating_add(1) {
                        let detail = format!("more than {MAX_CERTIFICATES} certificates in one container");
                        found.faults.push((id, ContainerFault::Malformed(detail)));
                    }
                }
                None => found.faults.extend(broken(part).map(|fault| (id, fault))),
            }
            if containers.iter().any(|(c, _)| *c == Container::Part(id)) {
                found.faults.extend(wrong_form(part).map(|fault| (id, fault)));
            }
        }
        found.first = found.first.or_else(|| found.faults.first().map(|(id, _)| *id));
        found.first?;
        found.drop_repeated_groups();
        Some(found)
    }

    /// The first self-issued certificate in the container of a PKC whose key is not that of a pinned root.
    pub(super) fn foreign_root(&self, leaf: PartId, cx: &Context<'a>) -> Option<&'a Certificate> {
        let of = cx.parts.get(leaf).map(Container::of)?;
        cx.parts.evidence().filter(|(_, part)| Container::of(part) == of).find_map(|(_, part)| {
            let Content::Certificate(certificate) = &part.content else { return None };
            let pinned = certificate.key().is_ok_and(|key| {
                let mut anchors = cx.reference.anchors.by_spki(key.spki_der());
                anchors.any(|a| a.kind == AnchorKind::Root && a.applies_to(ID))
            });
            (certificate.is_self_issued() && !pinned).then_some(certificate)
        })
    }

    fn add_leaf(&mut self, of: Container, id: PartId, leaf: &'a Certificate) {
        match self.groups.iter_mut().find(|g| g.of == of) {
            Some(group) if group.leaves.iter().any(|(_, c)| *c == leaf) => {}
            Some(group) => group.leaves.push((id, leaf)),
            None => self.groups.push(Group { of, leaves: vec![(id, leaf)] }),
        }
    }

    /// The same PKC handed over twice is one statement.
    fn drop_repeated_groups(&mut self) {
        let mut seen: Vec<Vec<&Certificate>> = Vec::new();
        self.groups.retain(|group| {
            let leaves: Vec<&Certificate> = group.leaves.iter().map(|(_, c)| *c).collect();
            let new = !seen.contains(&leaves);
            seen.push(leaves);
            new
        });
    }

    /// Whether the evidence is three RSA certificates, none of them issued by a pinned root: how the TC-Trustcenter
    /// type is described, whose PKC may have another purpose.
    pub(super) fn is_tctrust(&self, cx: &Context<'_>) -> bool {
        let rsa = |c: &Certificate| c.key().is_ok_and(|k| k.rsa_bits().is_some());
        let pinned = |c: &Certificate| cx.reference.anchors.by_subject(c.issuer()).next().is_some();
        self.all.len() == 3 && self.all.iter().all(|(_, c)| rsa(c) && !pinned(c))
    }
}

/// The fault of a part that is a container or certificate of this format and could not be read as one.
fn broken(part: &Part<'_>) -> Option<ContainerFault> {
    // The kind first: to look through all bytes of a part takes long.
    let may_be = matches!(
        part.content,
        Content::BrokenCertificate { .. } | Content::Cms { readable: false } | Content::Der | Content::Binary
    );
    if !may_be || !fields::mentions_arc(&part.bytes) {
        return None;
    }
    match &part.content {
        Content::BrokenCertificate { why, .. } => Some(ContainerFault::Malformed(why.to_string())),
        Content::Cms { readable: false } => {
            Some(ContainerFault::Malformed("the certificates of the PKCS#7 file cannot be read".to_owned()))
        }
        Content::Der | Content::Binary if begins_like_signed_data(&part.bytes) => {
            Some(match trailing(&part.bytes) {
                Some(extra) => ContainerFault::Trailing(extra),
                None => ContainerFault::Malformed("not a DER PKCS#7 file, or cut off".to_owned()),
            })
        }
        _ => None,
    }
}

fn begins_like_signed_data(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(24)).unwrap_or_default();
    bytes.first() == Some(&0x30) && head.windows(SIGNED_DATA.len()).any(|w| w == SIGNED_DATA)
}

/// How many bytes follow a whole PKCS#7 file.
fn trailing(bytes: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let whole = reader.tlv_bytes().ok()?;
    cms::looks_like_signed_data(whole).then(|| bytes.len().saturating_sub(whole.len()))
}

/// Whether a container that holds certificates of this format is more, or less, than a bag of certificates.
fn wrong_form(part: &Part<'_>) -> Option<ContainerFault> {
    let in_a_bag = matches!(part.content, Content::Cms { .. } | Content::Pem);
    if in_a_bag && part.bytes.len() > MAX_CONTAINER {
        return Some(ContainerFault::Malformed(format!("longer than {MAX_CONTAINER} bytes")));
    }
    match part.content {
        Content::Cms { .. } => certs_only(&part.bytes).err(),
        _ => None,
    }
}

/// SignedData with nothing signed and nobody who signs (RFC 8551, 3.2.2). With a content or a signer it would be
/// another kind of statement, which is not verified here.
fn certs_only(der: &[u8]) -> Result<(), ContainerFault> {
    use ContainerFault::Unexpected;
    let malformed = || ContainerFault::Malformed("not a PKCS#7 SignedData".to_owned());
    let info = sequence(der, 2).ok_or_else(malformed)?;
    let explicit = info.get(1).and_then(|field| single(field)).ok_or_else(malformed)?;
    let fields = sequence(explicit.1, 8).ok_or_else(malformed)?;
    let [version, digests, encapsulated, .., signers] = fields.as_slice() else { return Err(malformed()) };
    let encapsulated = sequence(encapsulated, 2).ok_or_else(malformed)?;
    let content_type = encapsulated.first().and_then(|oid| ObjectIdentifier::from_der(oid).ok());
    if content_type != Some(ID_DATA) {
        return Err(Unexpected("the content type is not id-data"));
    }
    if content(version, Tag::Integer) != Some(&[1]) {
        return Err(Unexpected("the version is not 1"));
    }
    if encapsulated.len() != 1 {
        return Err(Unexpected("there is encapsulated content"));
    }
    if content(digests, Tag::Set).is_none_or(|set| !set.is_empty()) {
        return Err(Unexpected("there are digest algorithms"));
    }
    if content(signers, Tag::Set).is_none_or(|set| !set.is_empty()) {
        return Err(Unexpected("there are signers"));
    }
    let certificates = fields.get(3).and_then(|field| single(field)).map(|(tag, _)| tag);
    match certificates {
        Some(Tag::ContextSpecific { constructed: true, number: TagNumber(0) }) => Ok(()),
        _ => Err(malformed()),
    }
}

/// A certificate for people, without judgement.
pub(super) fn view(place: &str, certificate: &Certificate) -> serde_json::Value {
    use crate::pki::name;
    let purposes = match fields::purposes(certificate) {
        Purposes::Absent => serde_json::Value::Null,
        Purposes::Unreadable => "unreadable".into(),
        Purposes::Are(oids) => oids.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
    };
    serde_json::json!({
        "where": place,
        "subject": name::display(certificate.subject()),
        "issuer": name::display(certificate.issuer()),
        "sha256": hex::encode(certificate.sha256()),
        "key": certificate.key().map(|k| k.algorithm()).unwrap_or_default(),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "role": fields::role(certificate),
        "purposes": purposes,
        "fields": fields::view(certificate),
    })
}
