//! What did I get? Files are recognised by content, never by name, and unwrapped: PEM, DER, base64, zip, gzip,
//! JSON, CMS, conceptual message wrappers, requests and certificates that carry certificates.
//!
//! The result is a flat list of [`Part`]s. Nothing here knows a vendor, and nothing here is authentic. All of
//! it is bounded ([`Limits`]): what does not fit is a fault of the part that would not unwrap, or an error that
//! names the file.

mod base64;
mod compressed;
mod json;
mod pem;
mod unwrap;

use std::borrow::Cow;

use ::der::asn1::ObjectIdentifier;

pub use base64::{decode as decode_base64, decode_url as decode_base64url};
pub(crate) use compressed::{gzip_start, inflate_single_gzip};
pub use json::JsonError;
pub use json::parse as parse_json;
pub use pem::find as find_pem;

use crate::crypto::{KeyError, PublicKey};
use crate::pki::{
    CertReqMsg, Certificate, CertificateError, CertificationRequest, CrlError, CsrError, OpenPgpError,
    OpenPgpKey, RevocationList,
};
use crate::submission::{File, Submission};
use crate::wire::cmw::{Cmw, CmwError};

/// Bounds on what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub total_in: usize,
    /// Bytes of everything unwrapped from them.
    pub total_unwrapped: usize,
    /// How deep a part may lie inside others.
    pub depth: usize,
    /// How many parts there may be.
    pub parts: usize,
}

impl Limits {
    /// 16 MiB in, 64 MiB unwrapped, depth 8, 256 parts.
    pub const DEFAULT: Self = Self { total_in: 16 << 20, total_unwrapped: 64 << 20, depth: 8, parts: 256 };
}

/// A submission that cannot be appraised, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// No evidence file.
    #[error("no evidence was given: hand over the files that the device or its tool wrote")]
    NoEvidence,
    /// A file without content.
    #[error("{0}: the file is empty; export it again")]
    Empty(String),
    /// Files over the limit.
    #[error(
        "{name}: the files together are larger than {limit} bytes; evidence is a few kilobytes, so look whether this is the right file"
    )]
    TooLarge {
        /// The file with which the limit was passed.
        name: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// More parts than any evidence has.
    #[error("{name}: unwraps to more than {limit} parts; hand over only the evidence of one key")]
    TooManyParts {
        /// The file with which the limit was passed.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// A private key: it must not be here at all.
    #[error(
        "{0}: this is a private key. It was not read further, stored or printed. A verifier never needs it; if it left its device by mistake, treat it as compromised and make a new one"
    )]
    PrivateKey(String),
    /// The request is not one.
    #[error("{name}: not a certification request, certificate or public key: {why}")]
    BadRequest {
        /// The file.
        name: String,
        /// What it is instead.
        why: String,
    },
    /// More than one thing that could be the request.
    #[error("{name}: holds {count} requests, certificates or keys; hand over the one that is to be judged")]
    ManyRequests {
        /// The file.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// An operator option that no format knows, or of the wrong kind.
    #[error("option {name}: {why}")]
    Option {
        /// The option.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Where a certificate may stand inside a request or another certificate: an extension that a device's tool
/// puts there. Formats declare theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carrier {
    /// Identifier of the extension.
    pub oid: ObjectIdentifier,
    /// Whether it also occurs in certificates, where other meanings of the identifier are told apart by
    /// content: only a value that begins like a certificate is taken for one.
    pub in_certificates: bool,
}

/// Whether a part came with the evidence or with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Evidence.
    Evidence,
    /// The request, or something inside it.
    Request,
    /// Evidence inside a request: for the format of that envelope, which says whose it is. No other looks at it.
    Enclosed,
}

/// Index of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId(usize);

/// Something that was handed in, or was found inside something that was.
#[derive(Debug, Clone)]
pub struct Part<'s> {
    /// Where it is, for people: `bundle.zip › chain.pem › certificate 2`.
    pub place: String,
    /// Index of the file it came from.
    pub file: usize,
    /// With what it came.
    pub role: Role,
    /// What it was unwrapped from.
    pub parent: Option<PartId>,
    /// Its name inside a container (a zip member, a JSON pointer, a PEM label), or the file's name.
    pub name: String,
    /// Its bytes.
    pub bytes: Cow<'s, [u8]>,
    /// What it is.
    pub content: Content,
}

impl Part<'_> {
    /// The bytes of a part of no kind that is known here: as they are, or what they spell when they are hexadecimal
    /// digits.
    pub(crate) fn unknown_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match &self.content {
            // Hexadecimal digits are letters of base64 too.
            Content::Binary | Content::Base64 => {}
            _ => return None,
        }
        let spelt = || {
            let may_be = |b: &u8| b.is_ascii_hexdigit() || b.is_ascii_whitespace();
            let text = std::str::from_utf8(&self.bytes).ok().filter(|_| self.bytes.iter().all(may_be))?;
            hex::decode(text.split_ascii_whitespace().collect::<String>()).ok()
        };
        Some(spelt().map_or(Cow::Borrowed(&*self.bytes), Cow::Owned))
    }
}

/// What a part is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Content {
    /// An X.509 certificate.
    Certificate(Certificate),
    /// Something that announces itself as a certificate and is not one.
    BrokenCertificate {
        /// Why not.
        why: CertificateError,
        /// The extension that announced it, when it stood in a request.
        announced: Option<ObjectIdentifier>,
        /// The certificate that the bytes begin with, when only bytes after it are wrong. For recognition only.
        prefix: Option<Certificate>,
    },
    /// A PKCS#10 request.
    Request(CertificationRequest),
    /// A request in CRMF.
    CrmfRequest(CertReqMsg),
    /// A CMP message with requests; they are parts of their own, and so are the certificates that came along.
    CmpMessage,
    /// Something labelled a request that is not one.
    BrokenRequest(CsrError),
    /// A SubjectPublicKeyInfo.
    PublicKey(PublicKey),
    /// Something labelled a public key that is not one.
    BrokenPublicKey(KeyError),
    /// A certificate revocation list.
    RevocationList(RevocationList),
    /// Something labelled a revocation list that is not one.
    BrokenRevocationList(CrlError),
    /// An OpenPGP public key.
    OpenPgpKey(OpenPgpKey),
    /// Something labelled an OpenPGP public key that is not one.
    BrokenOpenPgpKey(OpenPgpError),
    /// CMS SignedData; its certificates are parts of their own.
    Cms {
        /// Whether its certificates could be read.
        readable: bool,
    },
    /// JSON text.
    Json(serde_json::Value),
    /// Text that begins like JSON and is not.
    BrokenJson(JsonError),
    /// A conceptual message wrapper in JSON or CBOR; the evidence in it is parts of its own.
    Cmw(Cmw),
    /// Something of the shape of a wrapper that is none.
    BrokenCmw(CmwError),
    /// Text that begins like XML. It is not parsed here.
    Xml,
    /// PEM blocks and text; the blocks are parts of their own.
    Pem,
    /// base64 text; what it decodes to is a part of its own.
    Base64,
    /// A gzip file; what it inflates to is a part of its own unless there is a fault.
    Gzip {
        /// Why it was not inflated.
        fault: Option<String>,
    },
    /// A zip archive; its members are parts of their own.
    Zip {
        /// Why it was not (wholly) read.
        fault: Option<String>,
    },
    /// DER of something else.
    Der,
    /// Anything else.
    Binary,
}

impl Content {
    /// What it is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Certificate(c) => format!("certificate of {}", c.display_name()),
            Self::BrokenCertificate { why, .. } => format!("not a certificate although it says so ({why})"),
            Self::Request(_) => "certification request (PKCS#10)".to_owned(),
            Self::CrmfRequest(_) => "certification request (CRMF)".to_owned(),
            Self::CmpMessage => "CMP message with certification requests".to_owned(),
            Self::BrokenRequest(why) => format!("not a certification request although it says so ({why})"),
            Self::PublicKey(key) => format!("public key, {}", key.algorithm()),
            Self::BrokenPublicKey(why) => format!("not a public key although it says so ({why})"),
            Self::RevocationList(_) => "certificate revocation list".to_owned(),
            Self::BrokenRevocationList(why) => {
                format!("not a certificate revocation list although it says so ({why})")
            }
            Self::OpenPgpKey(key) => format!("OpenPGP public key, {}", key.key().algorithm()),
            Self::BrokenOpenPgpKey(why) => format!("not an OpenPGP public key although it says so ({why})"),
            Self::Cms { .. } => "CMS SignedData".to_owned(),
            Self::Json(_) => "JSON".to_owned(),
            Self::BrokenJson(why) => format!("broken JSON ({why})"),
            Self::Cmw(_) => "conceptual message wrapper (CMW)".to_owned(),
            Self::BrokenCmw(why) => format!("broken conceptual message wrapper ({why})"),
            Self::Xml => "XML".to_owned(),
            Self::Pem => "PEM text".to_owned(),
            Self::Base64 => "base64 text".to_owned(),
            Self::Gzip { fault: None } => "gzip file".to_owned(),
            Self::Gzip { fault: Some(why) } => format!("gzip file that cannot be read ({why})"),
            Self::Zip { fault: None } => "zip archive".to_owned(),
            Self::Zip { fault: Some(why) } => format!("zip archive that cannot be read ({why})"),
            Self::Der => "DER of an unknown kind".to_owned(),
            Self::Binary => "binary data of an unknown kind".to_owned(),
        }
    }
}

/// Everything that was handed in, unwrapped.
#[derive(Debug)]
pub struct Parts<'s> {
    pub(crate) files: Vec<(&'s File, Role)>,
    pub(crate) parts: Vec<Part<'s>>,
}

impl<'s> Parts<'s> {
    /// Unwraps the files of a submission.
    ///
    /// # Errors
    /// When a file is empty, the limits are passed, or a private key is among them.
    pub fn of(submission: &'s Submission, carriers: &[Carrier], limits: Limits) -> Result<Self, InputError> {
        unwrap::unwrap(submission, carriers, limits)
    }

    /// The part with that id.
    #[must_use]
    pub fn get(&self, id: PartId) -> Option<&Part<'s>> {
        self.parts.get(id.0)
    }

    /// Every part, containers before their content.
    pub fn iter(&self) -> impl Iterator<Item = (PartId, &Part<'s>)> {
        self.parts.iter().enumerate().map(|(i, p)| (PartId(i), p))
    }

    /// Every part that came as evidence. A request handed in as both is unwrapped once for each.
    pub fn evidence(&self) -> impl Iterator<Item = (PartId, &Part<'s>)> {
        self.iter().filter(|(_, p)| p.role == Role::Evidence)
    }

    /// The certificates that came as evidence, each once however often it was handed in.
    #[must_use]
    pub fn certificates(&self) -> Vec<(PartId, &Certificate)> {
        let mut found: Vec<(PartId, &Certificate)> = Vec::new();
        for (id, part) in self.evidence() {
            if let Content::Certificate(certificate) = &part.content
                && !found.iter().any(|(_, c)| *c == certificate)
            {
                found.push((id, certificate));
            }
        }
        found
    }

    /// The parts directly inside another.
    pub fn children(&self, of: PartId) -> impl Iterator<Item = (PartId, &Part<'s>)> {
        self.iter().filter(move |(_, p)| p.parent == Some(of))
    }

    /// What is enclosed below a part, in the given members of it, as evidence of its own.
    pub(crate) fn enclosed<'p>(&'p self, of: PartId, takes: impl Fn(&Part<'_>) -> bool) -> Parts<'p> {
        let mut own: Vec<Part<'p>> = Vec::new();
        let mut known: Vec<(PartId, PartId)> = Vec::new();
        for (id, part) in self.iter().filter(|(_, p)| p.role == Role::Enclosed) {
            let above = part.parent.and_then(|parent| known.iter().find(|(old, _)| *old == parent));
            let parent = above.map(|(_, new)| *new);
            if parent.is_none() && !(part.parent == Some(of) && takes(part)) {
                continue;
            }
            known.push((id, PartId(own.len())));
            own.push(Part {
                place: part.place.clone(),
                file: part.file,
                role: Role::Evidence,
                parent,
                name: part.name.clone(),
                bytes: Cow::Borrowed(&part.bytes),
                content: part.content.clone(),
            });
        }
        Parts { files: self.files.clone(), parts: own }
    }

    /// The place of a part, for reports.
    #[must_use]
    pub fn place(&self, id: PartId) -> &str {
        self.get(id).map_or("", |p| &p.place)
    }
}
