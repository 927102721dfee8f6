//! The value of the attribute, made of evidence files.

use std::collections::BTreeSet;

use der::Tag;

use super::{EmbedError, encode};
use crate::formats::csr_attestation::routes::{NUMBERS, TCG_CERTIFY, VENDOR_ARC};
use crate::formats::csr_attestation::tcg_statement;
use crate::formats::{self, Context, Format};
use crate::input::{Content, PartId};
use crate::pki::attestation::{MAX_CERTIFICATES, MAX_FILES};
use crate::submission::Submission;
use crate::verifier::Verifier;

/// An AttestationBundle (drafts -24 to -28) of evidence files.
#[derive(Debug, Clone)]
pub struct Bundle {
    value: Vec<u8>,
    statements: Vec<Carried>,
    certificates: usize,
}

/// A statement of a bundle, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The format of the evidence.
    pub format: &'static str,
    /// The type of the statement, in dotted decimal.
    pub kind: String,
    /// The names of the files in it.
    pub files: Vec<String>,
}

/// What a format took of the files, by their indexes.
struct Taken {
    format: &'static dyn Format,
    files: BTreeSet<usize>,
}

impl Bundle {
    /// A bundle of the evidence files of a submission. Each is put under the format that knows it; certificates that
    /// none takes for its own go among the bundle's. Request, nonce and anchors do not matter.
    ///
    /// # Errors
    /// When files cannot be read, or no format knows one.
    pub fn of(verifier: &Verifier, submission: &Submission) -> Result<Self, EmbedError> {
        verifier.with_context(submission, Self::of_context)?
    }

    fn of_context(cx: &Context<'_>) -> Result<Self, EmbedError> {
        let name =
            |file: usize| cx.parts.files.get(file).map_or("", |(file, _)| file.name.as_str()).to_owned();
        let mut taken = take(cx);
        if let Some(other) = taken.iter().find(|t| number(t.format.about().id).is_none()) {
            return Err(EmbedError::NotCarried(other.format.about().id));
        }
        let mut certificates: Vec<Vec<u8>> = Vec::new();
        for file in 0..cx.parts.files.len() {
            if taken.iter().any(|t| t.files.contains(&file)) {
                continue;
            }
            if let Some(own) = only_certificates(cx, file) {
                certificates.extend(own);
                continue;
            }
            match taken.as_mut_slice() {
                [] => return Err(EmbedError::NotEvidence(name(file))),
                [only] => drop(only.files.insert(file)),
                several => {
                    let formats: Vec<&str> = several.iter().map(|t| t.format.about().id).collect();
                    return Err(EmbedError::Stray { file: name(file), formats: formats.join(", ") });
                }
            }
        }
        if taken.is_empty() {
            return Err(EmbedError::NotEvidence(name(0)));
        }
        let mut statements = Vec::new();
        let mut carried = Vec::new();
        for one in &taken {
            let id = one.format.about().id;
            let files: Vec<String> = one.files.iter().map(|file| name(*file)).collect();
            let (kind, text, body) = match tcg_statement(cx).filter(|_| id == "tpm" && taken.len() == 1) {
                Some((parts, chain)) => {
                    certificates.extend(chain);
                    let parts: Vec<Vec<u8>> =
                        parts.iter().map(|p| encode::octets(p)).collect::<Result<_, _>>()?;
                    (TCG_CERTIFY_CONTENT.to_vec(), TCG_CERTIFY.to_owned(), encode::sequence(&parts)?)
                }
                None => {
                    let number = number(id).ok_or(EmbedError::NotCarried(id))?;
                    let kind = [&VENDOR_ARC[..], &encode::arc(number)].concat();
                    (kind, format!("{}.{number}", super::VENDOR_ARC), files_body(one, cx)?)
                }
            };
            statements.push(encode::sequence(&[encode::tlv(Tag::ObjectIdentifier, &kind)?, body])?);
            carried.push(Carried { format: id, kind: text, files });
        }
        let mut each: Vec<Vec<u8>> = Vec::new();
        for certificate in certificates {
            if !each.contains(&certificate) {
                each.push(certificate);
            }
        }
        if each.len() > MAX_CERTIFICATES {
            return Err(EmbedError::TooMany { what: "certificates", limit: MAX_CERTIFICATES });
        }
        let mut members = vec![encode::sequence(&statements)?];
        if !each.is_empty() {
            members.push(encode::sequence(&each)?);
        }
        let value = encode::sequence(&members)?;
        Ok(Self { value, statements: carried, certificates: each.len() })
    }

    /// The value of the attribute: DER AttestationBundle.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Its statements.
    #[must_use]
    pub fn statements(&self) -> &[Carried] {
        &self.statements
    }

    /// How many certificates it has beside them.
    #[must_use]
    pub fn certificates(&self) -> usize {
        self.certificates
    }
}

/// tcg-attest-tpm-certify, 2.23.133.20.1.
const TCG_CERTIFY_CONTENT: [u8; 5] = [0x67, 0x81, 0x05, 0x14, 0x01];

fn number(id: &str) -> Option<u32> {
    NUMBERS.iter().find(|(_, known)| *known == id).map(|(number, _)| *number)
}

/// Which files each format takes for its evidence.
fn take(cx: &Context<'_>) -> Vec<Taken> {
    let mut all = Vec::new();
    for format in formats::ALL.iter().filter(|format| !format.is_last_resort()) {
        let statements = format.appraise(cx);
        if statements.is_empty() {
            continue;
        }
        let parts = statements.iter().flat_map(|statement| statement.labels.iter().map(|(part, _)| *part));
        let file_of = |part: PartId| cx.parts.get(part).map(|part| part.file);
        all.push(Taken { format: *format, files: parts.filter_map(file_of).collect() });
    }
    all
}

/// The certificates of a file that holds nothing else.
fn only_certificates(cx: &Context<'_>, file: usize) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for (_, part) in cx.parts.iter().filter(|(_, part)| part.file == file) {
        match &part.content {
            Content::Certificate(certificate) => found.push(certificate.der().to_vec()),
            Content::Pem | Content::Base64 | Content::Cms { readable: true } => {}
            _ => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

/// CHOICE { file OCTET STRING, files SEQUENCE OF OCTET STRING }: the files as they are.
fn files_body(taken: &Taken, cx: &Context<'_>) -> Result<Vec<u8>, EmbedError> {
    if taken.files.len() > MAX_FILES {
        return Err(EmbedError::TooMany { what: "files", limit: MAX_FILES });
    }
    let files = taken.files.iter().filter_map(|file| cx.parts.files.get(*file));
    let each: Vec<Vec<u8>> = files.map(|(file, _)| encode::octets(&file.bytes)).collect::<Result<_, _>>()?;
    match each.as_slice() {
        [only] => Ok(only.clone()),
        several => encode::sequence(several),
    }
}
