//! What of LiquidSecurity is among the evidence, and whose it is.
//!
//! The same blobs come from three sources, each with a format of its own. Exactly one is chosen, from containers
//! and certificates, never from what a blob says.

use std::borrow::Cow;

use super::azure::answer::{Answer, Body};
use super::google::resource::{Declared, KeyVersion};
use super::layout::{self, Layout};
use super::names::DeviceName;
use crate::formats::Context;
use crate::input::{Content, Part, PartId, gzip_start, inflate_single_gzip};
use crate::pki::Certificate;
use crate::wire::bytes::contains;

/// Bounds on what Google compresses, before and after.
const MAX_CONTAINER: usize = 64 * 1024;
/// More certificates than both chains have, several times over.
pub(super) const MAX_CERTIFICATES: usize = 16;
/// A pair has two at most. Crafted piles of blobs and certificates cost no more signatures than these bounds allow.
const MAX_BLOBS: usize = 4;

/// Whose evidence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Raw blobs of a card that its owner operates.
    Marvell,
    /// gzip, JSON or ZIP of Cloud KMS, or certificates under Google's owner root.
    Google,
    /// JSON of Azure Managed HSM, or certificates under the root of such a pool.
    Azure,
}

/// A signed blob.
#[derive(Debug)]
pub(super) struct Blob<'a> {
    pub(super) part: PartId,
    pub(super) place: String,
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) layout: Layout,
}

/// A certificate of a card or a partition, by its name. It gives no trust.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    /// None for those that the operator configured.
    pub(super) part: Option<PartId>,
    pub(super) certificate: &'a Certificate,
    pub(super) name: DeviceName<'a>,
}

/// Everything of this family that was found.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) source: Source,
    pub(super) blobs: Vec<Blob<'a>>,
    /// Binary data that has no known layout: places.
    pub(super) unreadable: Vec<String>,
    /// Text that is nothing known: places. Notes, as a rule.
    pub(super) notes: Vec<String>,
    /// Containers that could not be opened, or are larger than any attestation: place and reason.
    pub(super) faults: Vec<(String, String)>,
    pub(super) named: Vec<Held<'a>>,
    /// Every certificate, those of other names too.
    pub(super) certificates: Vec<(PartId, &'a Certificate)>,
    /// Google's resources.
    pub(super) key_versions: Vec<(PartId, KeyVersion<'a>)>,
    /// Azure's answers.
    pub(super) answers: Vec<(PartId, Answer<'a>)>,
}

impl<'a> Found<'a> {
    /// What there is, if it is from that source.
    pub(super) fn among(cx: &Context<'a>, source: Source) -> Option<Self> {
        let mut search = Search::new(cx);
        for (id, part) in cx.parts.evidence() {
            search.look_at(id, part);
        }
        let found = search.finish()?;
        (found.source == source).then_some(found)
    }

    /// Whether another check says why there is no blob: a container that cannot be opened, or content of a form
    /// that is not known.
    pub(super) fn explains_absence(&self) -> bool {
        !self.unreadable.is_empty()
            || !self.faults.is_empty()
            || self.key_versions.iter().any(|(_, v)| matches!(v.format, Declared::Other(_)))
            || self.answers.iter().any(|(_, a)| a.explains_absence())
    }
}

struct Search<'a, 'c> {
    cx: &'c Context<'a>,
    found: Found<'a>,
    /// gzip files whose content is not of this family by itself.
    doubtful: Vec<(PartId, &'a Part<'a>)>,
    google: bool,
    azure: bool,
    /// A certificate whose end is missing or that has too much after it, with a name of this family.
    broken_name: bool,
}

impl<'a, 'c> Search<'a, 'c> {
    fn new(cx: &'c Context<'a>) -> Self {
        let certificates = cx.parts.certificates();
        let configured = cx.reference.intermediates.iter().map(|c| (None, c));
        let named = certificates
            .iter()
            .map(|(id, c)| (Some(*id), *c))
            .chain(configured)
            .filter_map(|(part, certificate)| {
                Some(Held { part, certificate, name: DeviceName::subject(certificate)? })
            })
            .collect();
        Self {
            cx,
            found: Found {
                source: Source::Marvell,
                blobs: Vec::new(),
                unreadable: Vec::new(),
                notes: Vec::new(),
                faults: Vec::new(),
                named,
                certificates,
                key_versions: Vec::new(),
                answers: Vec::new(),
            },
            doubtful: Vec::new(),
            google: false,
            azure: false,
            broken_name: false,
        }
    }

    fn look_at(&mut self, id: PartId, part: &'a Part<'a>) {
        match &part.content {
            Content::Gzip { .. } => {
                if self.is_compressed_blob(id, part) {
                    self.google = true;
                    self.open_gzip(id, part);
                } else {
                    self.doubtful.push((id, part));
                }
            }
            Content::Binary if !self.is_inside_gzip(part) => {
                self.take(id, &part.place, Cow::Borrowed(&part.bytes))
            }
            Content::Json(value) => {
                let versions = KeyVersion::among(value);
                self.google |= !versions.is_empty();
                for version in versions {
                    self.open_key_version(id, version, &part.place);
                }
                for answer in Answer::among(value) {
                    self.open_answer(id, answer, &part.place);
                }
            }
            Content::BrokenJson(why) => {
                // Broken text cannot be read, but is still told by its words, so that the error can be named.
                let google = contains(&part.bytes, b"\"CAVIUM_");
                self.google |= google;
                if is_azure_text(&part.bytes) {
                    self.azure = true;
                    self.found.answers.push((id, Answer::broken(why.to_string())));
                }
                if google {
                    self.fault(&part.place, format!("JSON that cannot be read: {why}"));
                }
            }
            Content::Zip { fault } => {
                let is_bundled = |p: &Part<'_>| {
                    p.name.ends_with("attestation.dat") && matches!(p.content, Content::Gzip { .. })
                };
                self.google |= self.cx.parts.children(id).any(|(_, p)| is_bundled(p));
                if let Some(why) = fault {
                    self.fault(&part.place, format!("archive that cannot be read: {why}"));
                }
            }
            Content::BrokenCertificate { why, prefix, .. } => {
                self.broken_name |= prefix.as_ref().is_some_and(|c| DeviceName::subject(c).is_some());
                self.fault(&part.place, why.to_string());
            }
            _ => {}
        }
    }

    /// Says whose it is, or that it is nobody's of this family.
    fn finish(mut self) -> Option<Found<'a>> {
        let named = || self.found.named.iter().filter(|h| h.part.is_some()).map(|h| h.certificate);
        let family = self.broken_name || named().next().is_some();
        let google_root =
            named().any(|c| c.issuer_common_name().is_some_and(|cn| cn.starts_with(GOOGLE_ROOT)));
        // The root of a pool tells too, should its certificate of the partition be damaged or missing.
        let azure_root = self
            .found
            .certificates
            .iter()
            .any(|(_, c)| c.issuer_name().organization() == Some(AZURE_ORGANIZATION));
        // An unreadable gzip beside certificates of this family can only be Google's.
        let damaged =
            self.doubtful.iter().any(|(_, p)| matches!(p.content, Content::Gzip { fault: Some(_) }));
        let mut issuer_names = self.found.certificates.iter().map(|(_, c)| c.issuer_common_name());
        let cluster = issuer_names.any(|cn| cn == Some(AWS_ROOT));

        self.found.source = match (self.google || (family && damaged), self.azure) {
            (true, _) => Source::Google,
            (false, true) => Source::Azure,
            (false, false) if self.is_refusal_alone() => Source::Azure,
            (false, false) if self.found.blobs.is_empty() && (!family || cluster) => return None,
            (false, false) if google_root => Source::Google,
            (false, false) if azure_root => Source::Azure,
            (false, false) => Source::Marvell,
        };
        if self.found.source == Source::Google {
            for (id, part) in std::mem::take(&mut self.doubtful) {
                self.open_gzip(id, part);
            }
        }
        let count = self.found.certificates.len();
        if count > MAX_CERTIFICATES {
            self.fault("", format!("{count} certificates; at most {MAX_CERTIFICATES} are read"));
            self.found.named.truncate(MAX_CERTIFICATES);
        }
        Some(self.found)
    }

    /// Whether there is nothing but a refusal of Azure's: its form is too common to say more beside other things.
    fn is_refusal_alone(&self) -> bool {
        let files = self.cx.parts.evidence().filter(|(_, p)| p.parent.is_none()).count();
        let refusal = |(_, answer): &(PartId, Answer<'_>)| matches!(answer.body, Body::Refusal { .. });
        files == self.found.answers.len() && self.found.answers.iter().all(refusal)
    }

    fn fault(&mut self, place: &str, why: impl Into<String>) {
        self.found.faults.push((place.to_owned(), why.into()));
    }

    fn is_inside_gzip(&self, part: &Part<'_>) -> bool {
        let parent = part.parent.and_then(|id| self.cx.parts.get(id));
        parent.is_some_and(|p| matches!(p.content, Content::Gzip { .. }))
    }

    /// Whether a gzip file holds a blob, or what is left of one.
    fn is_compressed_blob(&self, id: PartId, part: &Part<'_>) -> bool {
        match self.cx.parts.children(id).next() {
            Some((_, inside)) => {
                Layout::of(&inside.bytes).is_some() || layout::begins_like_fw3(&inside.bytes)
            }
            None => layout::begins_like_fw3(&gzip_start(&part.bytes, 16)),
        }
    }

    fn open_gzip(&mut self, id: PartId, part: &'a Part<'a>) {
        if let Content::Gzip { fault: Some(why) } = &part.content {
            return self.fault(&part.place, format!("gzip file: {why}"));
        }
        if part.bytes.len() > MAX_CONTAINER {
            return self.fault(&part.place, format!("gzip file of more than {MAX_CONTAINER} bytes"));
        }
        let Some((inside_id, inside)) = self.cx.parts.children(id).next() else {
            return self.fault(&part.place, "gzip file inside more containers than are opened");
        };
        if inside.bytes.len() > MAX_CONTAINER {
            return self.fault(&part.place, format!("inflates to more than {MAX_CONTAINER} bytes"));
        }
        self.take(inside_id, &inside.place, Cow::Borrowed(&inside.bytes));
    }

    fn open_key_version(&mut self, id: PartId, version: KeyVersion<'a>, place: &str) {
        let declared_v1 = version.format == Declared::V1;
        // The content of an unknown format is not looked at: nothing could be said of it.
        let readable = !matches!(version.format, Declared::Other(_));
        let content = version.content().filter(|_| readable);
        self.found.key_versions.push((id, version));
        let place = format!("{place} › content");
        let inflated = match content {
            None => return,
            Some(Err(why)) => return self.fault(&place, why),
            Some(Ok(compressed)) if compressed.len() > MAX_CONTAINER => {
                return self.fault(&place, format!("more than {MAX_CONTAINER} bytes"));
            }
            Some(Ok(compressed)) => inflate_single_gzip(&compressed, MAX_CONTAINER),
        };
        match inflated {
            Err(why) => self.fault(&place, format!("not one gzip member: {why}")),
            Ok(bytes) if declared_v1 => self.add(id, place, Cow::Owned(bytes), Layout::V1),
            Ok(bytes) => self.take(id, &place, Cow::Owned(bytes)),
        }
    }

    fn open_answer(&mut self, id: PartId, answer: Answer<'a>, place: &str) {
        self.azure |= !matches!(answer.body, Body::Refusal { .. });
        if let Body::Statement { private, public } = &answer.body {
            let halves =
                [("privateKeyAttestation", Some(private)), ("publicKeyAttestation", public.as_ref())];
            for (member, half) in halves {
                let Some(half) = half else { continue };
                let place = format!("{place} › {member}");
                match Layout::of(half) {
                    Some(layout) => self.add(id, place, Cow::Owned(half.clone()), layout),
                    None => self.found.unreadable.push(place),
                }
            }
        }
        self.found.answers.push((id, answer));
    }

    /// Takes binary data for a blob if its sizes say so.
    fn take(&mut self, part: PartId, place: &str, bytes: Cow<'a, [u8]>) {
        let place = place.to_owned();
        match Layout::of(&bytes) {
            Some(layout) => self.add(part, place, bytes, layout),
            // A note or a script beside the evidence is not a damaged attestation.
            None if std::str::from_utf8(&bytes).is_ok_and(|t| !t.contains('\0')) => {
                self.found.notes.push(place)
            }
            None => self.found.unreadable.push(place),
        }
    }

    fn add(&mut self, part: PartId, place: String, bytes: Cow<'a, [u8]>, layout: Layout) {
        let blobs = &self.found.blobs;
        if bytes.len() < layout::MIN_BLOB || bytes.len() > layout::MAX_BLOB {
            self.fault(&place, format!("an attestation of {} bytes", bytes.len()));
        } else if blobs.len() < MAX_BLOBS && !blobs.iter().any(|b| b.bytes == bytes) {
            // The same answer in several containers is one attestation.
            self.found.blobs.push(Blob { part, place, bytes, layout });
        }
    }
}

/// Google's owner roots.
pub(super) const GOOGLE_ROOT: &str = "Hawksbill Root";
/// In the name of the root of an Azure pool.
pub(super) const AZURE_ORGANIZATION: &str = "Microsoft Corporation";
/// Its certificates are those of a CloudHSM cluster: an identity without a statement on a key.
const AWS_ROOT: &str = "AWS CloudHSM Root G1";

fn is_azure_text(text: &[u8]) -> bool {
    contains(text, b"\"privateKeyAttestation\"") || contains(text, b"\"certificatePemFile\"")
}
