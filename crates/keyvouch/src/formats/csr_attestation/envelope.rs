//! The request around the evidence: which parts are one, and the value in it.

use crate::checks::{Checks, Text};
use crate::crypto::PublicKey;
use crate::formats::{Context, Statement};
use crate::input::{Content, PartId};
use crate::key_quality;
use crate::pki::attestation::{ATTESTATION, Attestation, Fault, announced, is_unreadable};
use crate::pki::csr::MAX_REQUEST;
use crate::request::Request;

use super::checks as ck;

/// A request with evidence in it, or what was to be one.
pub(super) struct Envelope<'a> {
    pub(super) part: PartId,
    pub(super) place: &'a str,
    /// The request, for binding; absent when it cannot be read.
    pub(super) request: Option<Request>,
    key: Option<&'a PublicKey>,
    values: Result<Values<'a>, Unreadable>,
}

enum Unreadable {
    TooLarge,
    Malformed(&'static str),
}

/// The values of every attribute or extension of the type.
struct Values<'a> {
    /// One for each attribute; an extension has one value.
    attributes: Vec<Vec<&'a [u8]>>,
    /// Of a PKCS#10 request, extensions of the type in extensionRequest: they have no place there.
    misplaced: usize,
}

impl<'a> Envelope<'a> {
    /// Every one among the evidence, each once however often it was handed in.
    pub(super) fn all(cx: &Context<'a>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let mut seen: Vec<&[u8]> = Vec::new();
        for (part, at) in cx.parts.evidence() {
            let place = at.place.as_str();
            let envelope = match &at.content {
                Content::Request(csr) => {
                    let attributes: Vec<Vec<&[u8]>> =
                        csr.attributes().filter(|(oid, _)| *oid == ATTESTATION).map(|(_, v)| v).collect();
                    let misplaced =
                        csr.requested_extensions().iter().filter(|(oid, _)| *oid == ATTESTATION).count();
                    if attributes.is_empty() && misplaced == 0 {
                        continue;
                    }
                    let values = if csr.algorithm_fits() {
                        Ok(Values { attributes, misplaced })
                    } else {
                        Err(Unreadable::Malformed("its signature algorithm is not one of its key"))
                    };
                    let request = Some(Request::carried(place, csr));
                    Self { part, place, request, key: Some(csr.key()), values }
                }
                Content::CrmfRequest(request) => {
                    let attributes: Vec<Vec<&[u8]>> = request
                        .extensions()
                        .filter(|(oid, _)| *oid == ATTESTATION)
                        .map(|(_, value)| vec![value])
                        .collect();
                    if attributes.is_empty() {
                        continue;
                    }
                    let values = Ok(Values { attributes, misplaced: 0 });
                    let carried = Some(Request::carried_crmf(place, request));
                    Self { part, place, request: carried, key: Some(request.key()), values }
                }
                _ if is_unreadable(at) && announced(&at.bytes) => {
                    let why = if at.bytes.len() > MAX_REQUEST {
                        Unreadable::TooLarge
                    } else {
                        Unreadable::Malformed(
                            "it has the identifier of the attestation attribute in it, and is no certification request",
                        )
                    };
                    Self { part, place, request: None, key: None, values: Err(why) }
                }
                _ => continue,
            };
            if !seen.contains(&&*at.bytes) {
                seen.push(&at.bytes);
                found.push(envelope);
            }
        }
        found
    }

    /// The one value, read. `None`, and why, when there is not one that can be.
    pub(super) fn read(&self, checks: &mut Checks) -> Option<Attestation<'a>> {
        let place = || self.place.to_owned();
        let values = match &self.values {
            Ok(values) => values,
            Err(Unreadable::TooLarge) => {
                checks.fail(&ck::TOO_LARGE, place(), format!("longer than {MAX_REQUEST} bytes"));
                return None;
            }
            Err(Unreadable::Malformed(why)) => {
                checks.fail(&ck::CSR_MALFORMED, place(), *why);
                return None;
            }
        };
        let value = match (values.attributes.as_slice(), values.misplaced) {
            ([only], 0) => match only.as_slice() {
                [value] => *value,
                several => {
                    let detail = format!("the attestation attribute has {} values", several.len());
                    checks.fail(&ck::ATTRIBUTE_COUNT, place(), detail);
                    return None;
                }
            },
            ([], _) => {
                let detail =
                    "the attestation is an extension that is asked for, and not an attribute of the request";
                checks.fail(&ck::ATTRIBUTE_COUNT, place(), detail);
                return None;
            }
            (several, misplaced) => {
                let count = several.len().saturating_add(misplaced);
                checks.fail(&ck::ATTRIBUTE_COUNT, place(), format!("the attestation is there {count} times"));
                return None;
            }
        };
        match Attestation::read(value) {
            Ok(attestation) => Some(attestation),
            Err(Fault::TooLarge(why)) => {
                checks.fail(&ck::TOO_LARGE, place(), why);
                None
            }
            Err(Fault::Malformed(why)) => {
                checks.fail(&ck::BUNDLE_MALFORMED, place(), why);
                None
            }
        }
    }

    /// The checks of the envelope that hold, or concern its key; for each statement anew.
    pub(super) fn note(&self, attestation: &Attestation<'_>, checks: &mut Checks) {
        let place = || self.place.to_owned();
        checks.pass(&ck::CSR_MALFORMED, place(), "the request is read exactly");
        checks.pass(&ck::ATTRIBUTE_COUNT, place(), "the attestation is there once");
        let mut shape = format!(
            "{}: {} statement(s), {} certificate(s)",
            attestation.dialect,
            attestation.statements.len(),
            attestation.certificates.len()
        );
        if attestation.other_certificates > 0 {
            shape.push_str(&format!(", {} of other formats", attestation.other_certificates));
        }
        checks.pass(&ck::BUNDLE_MALFORMED, place(), shape);
        let weak = self.key.and_then(weakness);
        checks.test(&ck::CSR_KEY_WEAK, place(), weak.is_none(), "no weakness is known of the key", || {
            format!("the key of the request is weak: {}", weak.unwrap_or_default()).into()
        });
    }

    /// A statement of this envelope, nothing judged yet.
    pub(super) fn statement(&self, label: impl Into<Text>) -> Statement {
        Statement {
            labels: vec![(self.part, label.into())],
            request: self.request.clone(),
            ..Statement::default()
        }
    }

    /// The key that a statement must be about.
    pub(super) fn wanted<'k>(&'k self, cx: &'k Context<'_>) -> Option<&'k PublicKey> {
        cx.request.or(self.request.as_ref()).map(Request::key)
    }
}

/// What is known against a key, by the checks that every attested key has.
fn weakness(key: &PublicKey) -> Option<String> {
    let mut checks = Checks::default();
    key_quality::check(key, &mut checks);
    let faults = checks.into_records().into_iter().filter(|record| record.means.is_some());
    let faults: Vec<String> = faults.map(|record| record.detail.into_owned()).collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}
