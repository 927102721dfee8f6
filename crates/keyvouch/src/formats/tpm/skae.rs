//! TCG Subject Key Attestation Evidence (SKAE): recognised, told what it is, and not evaluated.
//!
//! ```text
//! SubjectKeyAttestationEvidence ::= SEQUENCE {
//!   tcgSpecVersion         SEQUENCE { major INTEGER, minor INTEGER },
//!   keyAttestationEvidence CHOICE { attestEvidence [0], envelopedAttestEvidence [1] } }
//! ```
//!
//! What it carries is a TPM_CERTIFY_INFO of TPM 1.2, whose rules are not those of TPM 2.0. No real one was seen, and
//! implementations differ in the last number of its identifier; so everything below its arc is taken for one, and
//! nothing in it is believed.
//!
//! Source: TCG, "Subject Key Attestation Evidence Extension", version 1.0.

use der::asn1::ObjectIdentifier;
use der::{Tag, TagNumber};

use crate::pki::{Certificate, CertificationRequest};
use crate::wire::der::{content, sequence, single};

/// The arc of its identifier, as extension or attribute.
const ARC: &str = "2.23.133.6.1.";

fn is_skae(oid: ObjectIdentifier) -> bool {
    oid.to_string().starts_with(ARC)
}

/// What the certificate's extension is, if it has one.
pub(super) fn in_certificate(certificate: &Certificate) -> Option<String> {
    certificate.extensions().find(|e| is_skae(e.oid)).map(|e| describe(e.value))
}

/// What the request's attribute or requested extension is, if it has one.
pub(super) fn in_request(request: &CertificationRequest) -> Option<String> {
    let mut attributes = request.attributes().filter(|(oid, _)| is_skae(*oid));
    let mut extensions = request.requested_extensions().into_iter().filter(|(oid, _)| is_skae(*oid));
    let attribute =
        attributes.next().map(|(_, values)| values.first().map_or_else(String::new, |v| describe(v)));
    attribute.or_else(|| extensions.next().map(|(_, value)| describe(value)))
}

/// One sentence about it.
fn describe(value: &[u8]) -> String {
    const NOT_EVALUATED: &str = "TCG Subject Key Attestation Evidence is of TPM 1.2, and is not evaluated";
    match read(value) {
        Some((major, minor, form)) => format!("{NOT_EVALUATED} (it says TPM {major}.{minor}, {form})"),
        None => format!("{NOT_EVALUATED} (and it has another form than the TCG's)"),
    }
}

/// Version, and whether the evidence is encrypted.
fn read(value: &[u8]) -> Option<(u8, u8, &'static str)> {
    let members = sequence(value, 2)?;
    let [version, evidence] = members.as_slice() else { return None };
    let numbers = sequence(version, 2)?;
    let [major, minor] = numbers.as_slice() else { return None };
    let number = |tlv: &[u8]| match content(tlv, Tag::Integer)? {
        [number] => Some(*number),
        _ => None,
    };
    let form = match single(evidence)?.0 {
        Tag::ContextSpecific { number: TagNumber(0), .. } => "in the clear",
        Tag::ContextSpecific { number: TagNumber(1), .. } => "encrypted",
        _ => return None,
    };
    Some((number(major)?, number(minor)?, form))
}
