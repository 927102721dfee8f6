//! What of this format is among the evidence: each file is recognised by its own bytes, in any order.

use std::borrow::Cow;

use super::{json, nv, skae};
use crate::checks::Text;
use crate::formats::Context;
use crate::input::{Content, Part, PartId};
use crate::pki::Certificate;
use crate::wire::tpm::{
    Attest, CreationData, Fault, PublicArea, TpmSignature, alg, begins_like_signature, is_hash, is_type,
    tpm2b, u16_at,
};

/// Structures of one kind, and certificates, that are looked at; nobody needs more for one key.
const MAX_EACH: usize = 6;
const MAX_CERTIFICATES: usize = 32;

/// A structure as it was handed in, without the size before it.
#[derive(Debug, Clone)]
pub(crate) struct Piece<'a> {
    pub(crate) place: String,
    pub(crate) bytes: Cow<'a, [u8]>,
}

/// A statement whose parts came together in one document.
#[derive(Debug, Clone)]
pub(crate) struct Document<'a> {
    pub(crate) attest: Option<Piece<'a>>,
    pub(crate) signature: Option<Piece<'a>>,
    pub(crate) creation: Option<Piece<'a>>,
}

/// Everything that may belong to statements of this format.
#[derive(Debug, Default)]
pub(crate) struct Pool<'a> {
    pub(crate) attests: Vec<Piece<'a>>,
    pub(crate) signatures: Vec<Piece<'a>>,
    pub(crate) publics: Vec<Piece<'a>>,
    pub(crate) creations: Vec<Piece<'a>>,
    pub(crate) documents: Vec<Document<'a>>,
    pub(crate) certificates: Vec<(String, Certificate)>,
    /// What begins like a structure and cannot be read.
    pub(crate) broken: Vec<(String, String)>,
    /// Certificates that cannot be read, and what may be a spoilt structure. They make nothing evidence of this
    /// format.
    pub(crate) spoilt: Vec<(String, String)>,
    /// Evidence of TPM 1.2, with what it is.
    pub(crate) tpm12: Vec<(String, String)>,
    /// What belongs to TPM tools and is no statement: a credential, a saved context.
    pub(crate) stray: Vec<String>,
    /// Contents of NV indexes with more than certificates in them.
    pub(crate) padded: Vec<String>,
    pub(crate) labels: Vec<(PartId, Text)>,
    /// Parts that may be signatures without a structure around them.
    loose: Vec<(PartId, Piece<'a>)>,
}

impl<'a> Pool<'a> {
    /// Looks at every part of the evidence.
    pub(crate) fn of(cx: &Context<'a>) -> Self {
        let mut pool = Self::default();
        for (id, part) in cx.parts.evidence() {
            let place = part.place.clone();
            match &part.content {
                Content::Certificate(certificate) => {
                    pool.certificate(place.clone(), certificate.clone());
                    pool.note_tpm12(id, place, skae::in_certificate(certificate));
                }
                Content::Request(request) => {
                    pool.note_tpm12(id, place, skae::in_request(request));
                }
                Content::BrokenCertificate { .. } | Content::Binary | Content::Der
                    if let Some(found) = nv::certificates(&part.bytes) =>
                {
                    pool.take_nv(id, &place, found);
                }
                Content::BrokenCertificate { why, .. } => pool.spoilt.push((place, why.to_string())),
                Content::Json(value) => json::take(value, id, &place, &mut pool),
                Content::Binary
                | Content::Der
                | Content::Gzip { fault: Some(_) }
                | Content::Zip { fault: Some(_) } => pool.take(id, part),
                _ => {}
            }
        }
        pool.adopt_bare_signatures();
        pool
    }

    /// Whether there is anything that only this format explains. What merely begins like a structure is explained by
    /// others too.
    pub(crate) fn recognised(&self) -> bool {
        let signature = self.signatures.iter().any(|piece| TpmSignature::read(&piece.bytes).is_ok());
        let statement = !self.attests.is_empty() || signature || !self.documents.is_empty();
        // Beside an EK certificate, a public area alone is that of the EK: another format's.
        let of_ek = self.certificates.iter().any(|(_, c)| super::identity::is_ek_certificate(c));
        statement
            || !self.tpm12.is_empty()
            || (!of_ek && (!self.publics.is_empty() || !self.broken.is_empty() || !self.stray.is_empty()))
    }

    pub(crate) fn certificate(&mut self, place: String, certificate: Certificate) {
        if self.certificates.iter().any(|(_, known)| *known == certificate) {
            return;
        }
        if self.certificates.len() < MAX_CERTIFICATES {
            self.certificates.push((place, certificate));
        } else {
            self.broken.push((place, format!("more than {MAX_CERTIFICATES} certificates")));
        }
    }

    pub(crate) fn public(&mut self, piece: Piece<'a>) {
        self.sort_in(Kind::Public, piece);
    }

    pub(crate) fn document(&mut self, place: &str, document: Document<'a>) {
        if self.documents.len() < MAX_EACH {
            self.documents.push(document);
        } else {
            self.broken.push((place.to_owned(), format!("more than {MAX_EACH} documents")));
        }
    }

    fn take_nv(&mut self, id: PartId, place: &str, found: nv::Found) {
        self.labels.push((id, "content of an NV index with certificates".into()));
        if found.padding > 0 || found.wrapped {
            self.padded.push(place.to_owned());
        }
        let many = found.certificates.len() > 1;
        for (index, certificate) in found.certificates.into_iter().enumerate() {
            let place = if many {
                format!("{place} › certificate {}", index.saturating_add(1))
            } else {
                place.to_owned()
            };
            self.certificate(place, certificate);
        }
    }

    fn note_tpm12(&mut self, id: PartId, place: String, what: Option<String>) {
        if let Some(what) = what {
            self.labels.push((id, "evidence of TPM 1.2".into()));
            self.tpm12.push((place, what));
        }
    }

    fn take(&mut self, id: PartId, part: &Part<'a>) {
        let (place, bytes) = (part.place.clone(), &part.bytes);
        let Some((kind, skip)) = recognise(bytes) else {
            self.loose.push((id, Piece { place, bytes: bytes.clone() }));
            return;
        };
        let label = match kind {
            Kind::Attest => "attestation",
            Kind::Public => "public area",
            Kind::Signature => "signature",
            Kind::Creation => "creation data",
            Kind::Ticket => "ticket (only the TPM can check it)",
            Kind::Digest => "digest or name",
            Kind::Credential => "credential or saved context (no statement)",
            Kind::Broken(why) => {
                self.broken.push((place.clone(), why.to_owned()));
                "broken TPM structure"
            }
            Kind::Doubtful(why) => {
                self.spoilt.push((place, why.to_owned()));
                return;
            }
        };
        if matches!(kind, Kind::Credential) {
            self.stray.push(place.clone());
        }
        self.labels.push((id, label.into()));
        let piece = Piece { place, bytes: without(part, skip) };
        self.sort_in(kind, piece);
    }

    fn sort_in(&mut self, kind: Kind, piece: Piece<'a>) {
        let fault = match kind {
            Kind::Public => PublicArea::read(&piece.bytes).err().map(|f| f.to_string()),
            // Whether a signature can be read hangs on the keys at hand; see `adopt_bare_signatures`.
            _ => None,
        };
        if let Some(why) = fault {
            self.broken.push((piece.place, why));
            return;
        }
        let list = match kind {
            Kind::Attest => &mut self.attests,
            Kind::Public => &mut self.publics,
            Kind::Signature => &mut self.signatures,
            Kind::Creation => &mut self.creations,
            Kind::Ticket | Kind::Digest | Kind::Credential | Kind::Broken(_) | Kind::Doubtful(_) => return,
        };
        if list.iter().any(|known| known.bytes == piece.bytes) {
            return;
        }
        if list.len() < MAX_EACH {
            list.push(piece);
        } else {
            self.broken.push((piece.place, format!("more than {MAX_EACH} structures of this kind")));
        }
    }

    /// Beside an attestation, whatever has the form of a bare signature is taken for one.
    fn adopt_bare_signatures(&mut self) {
        if self.attests.is_empty() {
            return;
        }
        for (id, piece) in std::mem::take(&mut self.loose) {
            if is_bare_signature(&piece.bytes) {
                self.labels.push((id, "signature".into()));
                self.sort_in(Kind::Signature, piece);
            }
        }
    }
}

/// The bytes of a part without the size before them.
fn without<'a>(part: &Part<'a>, skip: usize) -> Cow<'a, [u8]> {
    match &part.bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(skip..).unwrap_or_default()),
        Cow::Owned(bytes) => Cow::Owned(bytes.get(skip..).unwrap_or_default().to_vec()),
    }
}

/// What a structure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Attest,
    Public,
    Signature,
    Creation,
    Ticket,
    Digest,
    /// tpm2-tools: a credential blob, or a saved context.
    Credential,
    Broken(&'static str),
    /// Broken, or nothing of a TPM.
    Doubtful(&'static str),
}

/// What the bytes are, and how many of them are only the size before it.
fn recognise(bytes: &[u8]) -> Option<(Kind, usize)> {
    /// The first bytes of the files of tpm2-tools that are no structures of the TPM.
    const TOOLS_MAGIC: [u8; 4] = [0xba, 0xdc, 0xc0, 0xde];
    let inner = tpm2b(bytes);
    if let Some(attest) = attestation(bytes) {
        return Some((Kind::Attest, bytes.len().saturating_sub(attest.len())));
    }
    if bytes.get(2..).is_some_and(Attest::announced) {
        return Some((Kind::Broken("attestation (TPM2B_ATTEST): its size is wrong"), 0));
    }
    if let Some(public) = public_area(bytes) {
        return Some((Kind::Public, bytes.len().saturating_sub(public.len())));
    }
    if begins_like_signature(bytes) {
        return Some((Kind::Signature, 0));
    }
    let u16_of = |at| u16_at(bytes, at);
    if CreationData::read(bytes).is_ok() {
        return Some((Kind::Creation, 0));
    }
    let plausible = |size: u16| (16..2048).contains(&size);
    if u16_of(0).is_some_and(plausible) && bytes.get(2..).is_some_and(begins_like_public) {
        return Some((Kind::Broken("public area (TPM2B_PUBLIC): its size is wrong"), 0));
    }
    if bytes.starts_with(&TOOLS_MAGIC) {
        return Some((Kind::Credential, 0));
    }
    match u16_of(0) {
        // Tag, hierarchy, digest: TPMT_TK_CREATION and its kin.
        Some(0x8021..=0x8024) if u16_of(2) == Some(0x4000) && bytes.len() < 128 => {
            return Some((Kind::Ticket, 0));
        }
        Some(alg) if is_hash(alg) && matches!(bytes.len(), 22 | 34 | 50 | 66) => {
            return Some((Kind::Digest, 0));
        }
        _ => {}
    }
    // A number of PCR banks comes first.
    let begins_like_creation =
        |bytes: &[u8]| u16_at(bytes, 0) == Some(0) && u16_at(bytes, 2).is_some_and(|n| n <= 16);
    let sized = u16_of(0).is_some_and(plausible) && bytes.get(2..).is_some_and(begins_like_creation);
    if sized && inner.is_none_or(|inner| CreationData::read(inner).is_err()) || begins_like_creation(bytes) {
        return Some((Kind::Doubtful("creation data (TPMS_CREATION_DATA): it cannot be read"), 0));
    }
    match inner {
        Some(inner) if CreationData::read(inner).is_ok() => Some((Kind::Creation, 2)),
        Some(inner) if matches!(inner.len(), 20 | 32 | 48 | 64) => Some((Kind::Digest, 0)),
        _ => None,
    }
}

/// The TPMS_ATTEST that the bytes announce themselves to be, with or without a size before it. One whose magic is
/// wrong is known by the rest, and then fails the check of the magic.
pub(crate) fn attestation(bytes: &[u8]) -> Option<&[u8]> {
    if Attest::announced(bytes) {
        return Some(bytes);
    }
    [Some(bytes), tpm2b(bytes)]
        .into_iter()
        .flatten()
        .find(|bytes| Attest::announced(bytes) || (Attest::has_type(bytes) && Attest::read(bytes).is_ok()))
}

/// The TPMT_PUBLIC that the bytes begin like, with or without a size before it.
pub(crate) fn public_area(bytes: &[u8]) -> Option<&[u8]> {
    // A size of 1, 8, 35 or 37 bytes would be below that of any public area: the forms cannot be mistaken.
    let sized = tpm2b(bytes).filter(|bytes| begins_like_public(bytes));
    sized.or_else(|| Some(bytes).filter(|bytes| begins_like_public(bytes)))
}

/// Type, hash of the name, and the size of a digest where that of the policy is.
fn begins_like_public(bytes: &[u8]) -> bool {
    let is_name_alg = |id| is_hash(id) || id == alg::NULL;
    u16_at(bytes, 0).is_some_and(is_type)
        && u16_at(bytes, 2).is_some_and(is_name_alg)
        && (matches!(u16_at(bytes, 8), Some(0 | 20 | 32 | 48 | 64)) || PublicArea::read(bytes).is_ok())
}

/// An RSA block of a usual length, or an Ecdsa-Sig-Value.
fn is_bare_signature(bytes: &[u8]) -> bool {
    use crate::wire::der::{content, sequence};
    let rsa = matches!(bytes.len(), 128 | 256 | 384 | 512);
    let integers = |members: Vec<&[u8]>| {
        members.len() == 2 && members.iter().all(|m| content(m, der::Tag::Integer).is_some())
    };
    rsa || sequence(bytes, 2).is_some_and(integers)
}

/// A signature: in its structure, or bare.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signature<'p> {
    Structure(TpmSignature<'p>),
    Bare {
        bytes: &'p [u8],
        /// Algorithm and hash, where the container names them.
        stated: Option<(u16, u16)>,
    },
}

impl<'p> Signature<'p> {
    /// Reads one: a structure when it begins like one, unless it is as long as a modulus at hand and no structure.
    pub(crate) fn read(bytes: &'p [u8], moduli: &[usize]) -> Result<Self, Fault> {
        if !begins_like_signature(bytes) {
            return Ok(Self::Bare { bytes, stated: None });
        }
        match TpmSignature::read(bytes) {
            Ok(read) => Ok(Self::Structure(read)),
            Err(_) if moduli.contains(&bytes.len()) => Ok(Self::Bare { bytes, stated: None }),
            Err(fault) => Err(fault),
        }
    }
}
