//! Evidence inside a certification request: the value of the attribute (PKCS#10) or extension (CRMF)
//! id-aa-attestation, in every shape that drafts of draft-ietf-lamps-csr-attestation gave it.
//!
//! ```text
//! A  AttestationBundle ::= SEQUENCE { attestations SEQUENCE OF Statement, certs SEQUENCE OF Cert OPTIONAL }  -16 to -28
//! B  EvidenceBundles   ::= SEQUENCE OF A                                                                      -03 to -15
//! Statement ::= SEQUENCE { type OBJECT IDENTIFIER, stmt ANY }                       -24 to -28, or without the rest:
//!             | SEQUENCE { type, stmt, hint UTF8String or IA5String }               -03 to -22
//!             | SEQUENCE { type, bindsPublicKey [0] BOOLEAN DEFAULT TRUE, stmt, attrs [1] }                   -23
//! Cert ::= Certificate | [3] OtherCertificateFormat
//! ```
//!
//! Nothing here is authentic: whoever signed the request chose all of it.

use std::fmt;

use der::asn1::ObjectIdentifier;
use der::{Tag, TagNumber};

use crate::input::{Content, Part, Parts, Role};
use crate::submission::File;
use crate::wire::bytes::contains;
use crate::wire::der::{children, content, sequence, single};
use crate::wire::oid::Oid;

/// id-aa-attestation (id-aa-evidence up to -22).
pub(crate) const ATTESTATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.59");

/// The same as a whole TLV, to find it in what cannot be read.
const ATTESTATION_TLV: &[u8] =
    &[0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x3b];

/// More than any request needs. The work of an appraisal grows with both.
pub(crate) const MAX_STATEMENTS: usize = 16;
pub(crate) const MAX_CERTIFICATES: usize = 64;
const MAX_BUNDLES: usize = 16;
/// Files that belong to one statement.
pub(crate) const MAX_FILES: usize = 16;
const MAX_HINT: usize = 256;

/// Whether bytes that cannot be read as a request announce themselves as one with evidence in it: a SEQUENCE or a
/// set of attributes with the identifier of the attribute somewhere in them.
pub(crate) fn announced(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0x30 | 0xa0)) && contains(bytes, ATTESTATION_TLV)
}

/// Whether a file that cannot be read as a request is such a one, and was handed in as evidence as well.
pub(crate) fn announced_in(parts: &Parts<'_>, request: &[u8]) -> bool {
    let same = |(file, role): &(&File, Role)| *role == Role::Evidence && file.bytes == request;
    parts.files.iter().any(same)
        && parts.evidence().any(|(_, part)| is_unreadable(part) && announced(&part.bytes))
}

/// Whether it is a part that no reader of requests could read.
pub(crate) fn is_unreadable(part: &Part<'_>) -> bool {
    matches!(part.content, Content::Der | Content::Binary | Content::BrokenRequest(_))
}

/// The names of the parts that a value is unwrapped to; the files of a statement have one name.
pub(crate) fn statement_name(number: usize) -> String {
    format!("statement {number}")
}

pub(crate) fn certificate_name(number: usize) -> String {
    format!("{CERTIFICATE} {number}")
}

pub(crate) const CERTIFICATE: &str = "attestation certificate";

/// Which draft's shape a value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A bundle, nothing in its statements that only one draft has.
    Bundle,
    /// A bundle with a UTF8String as hint.
    Utf8Hint,
    /// A bundle with an IA5String as hint.
    Ia5Hint,
    /// A bundle whose statements say whether they bind the key, or have attributes.
    Binds,
    /// A list of bundles.
    Bundles,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bundle => "AttestationBundle (drafts -16 to -28)",
            Self::Utf8Hint => "EvidenceBundle with a UTF8String hint (draft -16)",
            Self::Ia5Hint => "EvidenceBundle with an IA5String hint (drafts -17 to -22)",
            Self::Binds => "AttestationBundle with bindsPublicKey or attributes (draft -23)",
            Self::Bundles => "EvidenceBundles (drafts -03 to -15)",
        })
    }
}

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    TooLarge(&'static str),
    Malformed(String),
}

type Read<T> = Result<T, Fault>;

fn malformed<T>(why: impl Into<String>) -> Read<T> {
    Err(Fault::Malformed(why.into()))
}

/// The statements and certificates of a value.
#[derive(Debug)]
pub(crate) struct Attestation<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) statements: Vec<Statement<'a>>,
    /// What stands where X.509 certificates do, each as it stands.
    pub(crate) certificates: Vec<&'a [u8]>,
    /// Certificates of other formats; nobody uses them.
    pub(crate) other_certificates: usize,
}

/// One statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement<'a> {
    pub(crate) kind: Oid<'a>,
    /// stmt: a whole TLV.
    pub(crate) body: &'a [u8],
    /// Text of whoever made the request. Nothing hangs on it.
    pub(crate) hint: Option<&'a str>,
    /// What draft -23 let a statement say of itself. Nothing hangs on it either.
    pub(crate) binds_key: bool,
}

impl<'a> Attestation<'a> {
    /// Reads the value: a whole TLV.
    pub(crate) fn read(value: &'a [u8]) -> Read<Self> {
        let mut found = Self {
            dialect: Dialect::Bundle,
            statements: Vec::new(),
            certificates: Vec::new(),
            other_certificates: 0,
        };
        match depth_of_type(value) {
            Some(3) => found.take_bundle(value, "the bundle")?,
            Some(4) => {
                found.dialect = Dialect::Bundles;
                let Some(bundles) = sequence(value, MAX_BUNDLES) else {
                    return malformed("not a SEQUENCE of a few bundles");
                };
                for (number, bundle) in (1_usize..).zip(bundles) {
                    found.take_bundle(bundle, &format!("bundle {number}"))?;
                }
            }
            Some(5) => {
                let kind = type_at(value, 5).map_or_else(String::new, |kind| format!(" of type {kind}"));
                return malformed(format!("one SEQUENCE too many around the statement{kind}"));
            }
            _ => return malformed("neither an AttestationBundle nor a SEQUENCE of EvidenceBundle"),
        }
        Ok(found)
    }

    fn take_bundle(&mut self, bundle: &'a [u8], place: &str) -> Read<()> {
        let members = sequence(bundle, 2).unwrap_or_default();
        let (attestations, certs) = match members.as_slice() {
            [attestations] => (*attestations, None),
            [attestations, certs] => (*attestations, Some(*certs)),
            _ => return malformed(format!("{place} is not a SEQUENCE of statements and certificates")),
        };
        let statements = list(attestations, &format!("the statements of {place}"))?;
        for statement in statements {
            if self.statements.len() >= MAX_STATEMENTS {
                return Err(Fault::TooLarge("more than 16 statements"));
            }
            let number = self.statements.len().saturating_add(1);
            let (statement, dialect) = Statement::read(statement)
                .map_err(|why| Fault::Malformed(format!("statement {number}: {why}")))?;
            if self.dialect == Dialect::Bundle {
                self.dialect = dialect;
            }
            self.statements.push(statement);
        }
        for certificate in
            certs.map_or(Ok(Vec::new()), |c| list(c, &format!("the certificates of {place}")))?
        {
            if self.certificates.len().saturating_add(self.other_certificates) >= MAX_CERTIFICATES {
                return Err(Fault::TooLarge("more than 64 certificates"));
            }
            match single(certificate) {
                Some((Tag::Sequence, _)) => self.certificates.push(certificate),
                Some((Tag::ContextSpecific { constructed: true, number: TagNumber(3) }, other))
                    if is_other_certificate(other) =>
                {
                    self.other_certificates = self.other_certificates.saturating_add(1);
                }
                _ => {
                    return malformed(format!(
                        "the certificates of {place} hold something that is neither a certificate nor one of another format ([3])"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The members of a SEQUENCE that is not empty.
fn list<'a>(tlv: &'a [u8], what: &str) -> Read<Vec<&'a [u8]>> {
    // One more than either bound, so that each can say what it is.
    match sequence(tlv, 4096) {
        Some(members) if members.is_empty() => malformed(format!("{what}: there are none")),
        Some(members) => Ok(members),
        None => malformed(format!("{what}: not a SEQUENCE")),
    }
}

/// OtherCertificateFormat ::= SEQUENCE { otherCertFormat OBJECT IDENTIFIER, otherCert ANY }
fn is_other_certificate(inner: &[u8]) -> bool {
    children(inner, 2).is_some_and(|m| m.len() == 2 && m.first().and_then(|oid| Oid::read(oid)).is_some())
}

/// How many SEQUENCEs lie around the first type of a statement.
fn depth_of_type(value: &[u8]) -> Option<u8> {
    (1..=5).find(|depth| type_at(value, *depth).is_some())
}

/// The identifier that comes first in the first of that many SEQUENCEs, each the first member of the one around it.
fn type_at(value: &[u8], depth: u8) -> Option<Oid<'_>> {
    let mut at = value;
    for _ in 0..depth {
        at = sequence(at, 4096)?.first().copied()?;
    }
    Oid::read(at)
}

impl<'a> Statement<'a> {
    fn read(tlv: &'a [u8]) -> Result<(Self, Dialect), String> {
        const SHAPE: &str = "not a SEQUENCE of type and statement";
        let members = sequence(tlv, 4).ok_or(SHAPE)?;
        let (kind, rest) = members.split_first().ok_or(SHAPE)?;
        let kind = Oid::read(kind).ok_or("its type is not an OBJECT IDENTIFIER")?;
        let plain = |body| Self { kind, body, hint: None, binds_key: true };
        let extra = |tlv: &'a [u8]| single(tlv).filter(|(tag, _)| tag.is_context_specific());
        match rest {
            [body] if extra(body).is_none() => Ok((plain(*body), Dialect::Bundle)),
            [binds, body] if bool_default_true(binds) => {
                Ok((Self { binds_key: false, ..plain(*body) }, Dialect::Binds))
            }
            [body, attributes] if is_attributes(attributes) && extra(body).is_none() => {
                Ok((plain(*body), Dialect::Binds))
            }
            [binds, body, attributes] if bool_default_true(binds) && is_attributes(attributes) => {
                Ok((Self { binds_key: false, ..plain(*body) }, Dialect::Binds))
            }
            [body, hint] if extra(body).is_none() => {
                let (hint, dialect) = read_hint(hint).ok_or_else(|| {
                    format!("type {kind}: what follows the statement is no hint (UTF8String or IA5String)")
                })?;
                Ok((Self { hint: Some(hint), ..plain(*body) }, dialect))
            }
            _ => Err(format!("type {kind}: {SHAPE}")),
        }
    }

    /// The files that the statement is, for formats that have files: what is in its OCTET STRING, or in each of a
    /// SEQUENCE of them; the TLV itself when it is anything else.
    pub(crate) fn files(&self) -> Vec<&'a [u8]> {
        let of = |tlv| content(tlv, Tag::OctetString);
        if let Some(only) = of(self.body) {
            return vec![only];
        }
        let several = sequence(self.body, MAX_FILES).filter(|members| !members.is_empty());
        several
            .and_then(|members| members.into_iter().map(of).collect::<Option<Vec<_>>>())
            .unwrap_or_else(|| vec![self.body])
    }
}

/// bindsPublicKey: DER writes it only when it is FALSE.
fn bool_default_true(tlv: &[u8]) -> bool {
    single(tlv) == Some((Tag::ContextSpecific { constructed: false, number: TagNumber(0) }, &[0x00][..]))
}

fn is_attributes(tlv: &[u8]) -> bool {
    matches!(single(tlv), Some((Tag::ContextSpecific { constructed: true, number: TagNumber(1) }, _)))
}

fn read_hint(tlv: &[u8]) -> Option<(&str, Dialect)> {
    let (tag, text) = single(tlv)?;
    let dialect = match tag {
        Tag::Utf8String => Dialect::Utf8Hint,
        Tag::Ia5String if text.is_ascii() => Dialect::Ia5Hint,
        _ => return None,
    };
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_HINT)?;
    Some((text, dialect))
}
