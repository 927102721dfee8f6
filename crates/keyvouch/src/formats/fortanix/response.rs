//! The response of DSM: JSON with base64 certificates, or the same certificates as PEM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{AUTHORITY_CN, STATEMENT_CN};
use crate::formats::Context;
use crate::input::{Content, Part, PartId};
use crate::pki::{Certificate, name};

/// No response is near this; the sample has 8 KiB.
const MAX_RESPONSE: usize = 64 * 1024;

/// The two members by which a response is recognised.
const CHAIN: &str = "authority_chain";
const STATEMENT: &str = "attestation_statement";

/// The only form of a statement that is known.
const X509: &str = "x509_certificate";

/// What of this format was found in one place.
pub(super) struct Found {
    /// The response; for PEM, the statement.
    pub(super) id: PartId,
    pub(super) read: Result<Response, Fault>,
}

/// A statement with what came along.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) statement: Certificate,
    /// In the order received.
    pub(super) chain: Vec<Certificate>,
}

/// Why there is no readable response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed(String),
    /// An authority without a statement: somebody may still hand it over.
    NoStatement,
}

/// The responses among the evidence: each JSON document is one, and the PEM or DER certificates together are one.
pub(super) fn find(cx: &Context<'_>) -> Vec<Found> {
    let documents: Vec<Found> = cx
        .parts
        .evidence()
        .filter(|(_, part)| is_response(part))
        .map(|(id, part)| Found { id, read: read_document(part) })
        .collect();
    let certificates = find_certificates(cx, documents.is_empty());
    documents.into_iter().chain(certificates).collect()
}

fn is_response(part: &Part<'_>) -> bool {
    match &part.content {
        Content::Json(Value::Object(members)) => {
            members.contains_key(CHAIN) && members.contains_key(STATEMENT)
        }
        // Cut off, or with a member twice: known by the quoted names.
        Content::BrokenJson(_) => {
            let text = String::from_utf8_lossy(&part.bytes);
            let text = text.trim_start_matches('\u{feff}').trim_start();
            text.starts_with('{')
                && [CHAIN, STATEMENT].iter().all(|name| text.contains(&format!("\"{name}\"")))
        }
        _ => false,
    }
}

fn read_document(part: &Part<'_>) -> Result<Response, Fault> {
    let malformed = |why: &str| Fault::Malformed(why.to_owned());
    if part.bytes.len() > MAX_RESPONSE {
        return Err(Fault::Malformed(format!("longer than {MAX_RESPONSE} bytes")));
    }
    let document = match &part.content {
        Content::Json(Value::Object(document)) => document,
        Content::BrokenJson(why) => return Err(Fault::Malformed(why.to_string())),
        _ => return Err(malformed("not a JSON object")),
    };
    only_members(document, &[CHAIN, STATEMENT], "the response")?;
    let statement = document
        .get(STATEMENT)
        .and_then(Value::as_object)
        .ok_or_else(|| malformed("attestation_statement is not an object"))?;
    only_members(statement, &["format", "statement"], "attestation_statement")?;
    match statement.get("format").and_then(Value::as_str) {
        Some(X509) => {}
        Some(other) => {
            return Err(Fault::Malformed(format!("statement format {other:?} is not supported")));
        }
        None => return Err(malformed("the format of the statement is not a text")),
    }
    let chain = document
        .get(CHAIN)
        .and_then(Value::as_array)
        .ok_or_else(|| malformed("authority_chain is not an array"))?;
    let chain = chain
        .iter()
        .enumerate()
        .map(|(index, value)| certificate(Some(value), &format!("authority_chain[{index}]")))
        .collect::<Result<_, _>>()?;
    Ok(Response { statement: certificate(statement.get("statement"), "statement")?, chain })
}

fn only_members(object: &Map<String, Value>, names: &[&str], place: &str) -> Result<(), Fault> {
    if let Some(missing) = names.iter().find(|name| !object.contains_key(**name)) {
        return Err(Fault::Malformed(format!("{place} has no member {missing}")));
    }
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(other) => Err(Fault::Malformed(format!("{place} has a member {other:?} that is not known"))),
        None => Ok(()),
    }
}

/// Standard base64 with padding and without line breaks: one text for one certificate.
fn certificate(value: Option<&Value>, place: &str) -> Result<Certificate, Fault> {
    let text =
        value.and_then(Value::as_str).ok_or_else(|| Fault::Malformed(format!("{place} is not a text")))?;
    let der = STANDARD
        .decode(text)
        .map_err(|_| Fault::Malformed(format!("{place} is not base64 in its standard form")))?;
    let certificate =
        Certificate::from_der(&der).map_err(|why| Fault::Malformed(format!("{place}: {why}")))?;
    distinct_extensions(certificate, place)
}

fn distinct_extensions(certificate: Certificate, place: &str) -> Result<Certificate, Fault> {
    match certificate.duplicate_extension() {
        Some(oid) => Err(Fault::Malformed(format!("{place} has extension {oid} twice"))),
        None => Ok(certificate),
    }
}

pub(super) fn is_statement(certificate: &Certificate) -> bool {
    certificate.common_name() == Some(STATEMENT_CN)
}

/// Certificates outside JSON. `alone`: there is no JSON response, so an authority without statement is told.
fn find_certificates(cx: &Context<'_>, alone: bool) -> Option<Found> {
    let all = cx.parts.certificates();
    let broken: Vec<_> = cx
        .parts
        .evidence()
        .filter_map(|(id, part)| match &part.content {
            Content::BrokenCertificate { why, prefix, .. } => Some((id, why.to_string(), prefix.as_ref())),
            _ => None,
        })
        .collect();
    let statements: Vec<_> = all.iter().filter(|(_, c)| is_statement(c)).collect();
    let of_format = broken.iter().find(|(_, _, prefix)| prefix.is_some_and(is_statement));
    if let Some((id, why, _)) = of_format.or_else(|| broken.first().filter(|_| !statements.is_empty())) {
        return Some(Found { id: *id, read: Err(Fault::Malformed(why.clone())) });
    }
    match statements.as_slice() {
        [] => {
            let authority = all.iter().find(|(_, c)| c.common_name() == Some(AUTHORITY_CN))?;
            alone.then_some(Found { id: authority.0, read: Err(Fault::NoStatement) })
        }
        [(id, statement)] => Some(Found { id: *id, read: with_issuers(statement, &all) }),
        [(id, _), _, ..] => {
            let why = format!("{} statements among the certificates; hand over one", statements.len());
            Some(Found { id: *id, read: Err(Fault::Malformed(why)) })
        }
    }
}

/// Loose certificates may lie among others: those of the chain are the ones that are named as issuers, from the
/// statement upwards. More than one of a name stays, for `chain-shape` to refuse.
fn with_issuers(statement: &Certificate, all: &[(PartId, &Certificate)]) -> Result<Response, Fault> {
    let mut chain: Vec<Certificate> = Vec::new();
    let mut names = vec![statement.issuer().to_vec()];
    while let Some(wanted) = names.pop() {
        for (_, certificate) in all.iter().filter(|(_, c)| name::same_values(c.subject(), &wanted)) {
            if *certificate != statement && !chain.contains(certificate) {
                names.push(certificate.issuer().to_vec());
                chain.push((*certificate).clone());
            }
        }
    }
    let chain = chain.into_iter().map(|c| distinct_extensions(c, "chain")).collect::<Result<_, _>>()?;
    Ok(Response { statement: distinct_extensions(statement.clone(), "statement")?, chain })
}
