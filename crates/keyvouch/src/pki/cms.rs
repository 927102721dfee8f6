//! CMS SignedData as a bag of certificates (RFC 5652, 5.1; "certs-only", RFC 8551, 3.2.2), and the requests in a
//! Full PKI Request (CMC, RFC 5272, 3.2). What is signed is verified by [`SignedData`]; of a bag or a request nobody
//! looks at the signers: what a device signed is inside.

mod signed;

pub use signed::{CmsFault, Content, SignedData, SignerId, SignerInfo};

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use crate::wire::der::{children, sequence, single};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// id-cct-PKIData (RFC 5272, 3.2.1).
const PKI_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.12.2");
const MAX_CERTIFICATES: usize = 64;
const MAX_REQUESTS: usize = 16;

/// Whether `der` begins like a ContentInfo of type signedData.
#[must_use]
pub fn looks_like_signed_data(der: &[u8]) -> bool {
    content_info(der).is_some()
}

fn content_info(der: &[u8]) -> Option<&[u8]> {
    let members = sequence(der, 2)?;
    let oid = ObjectIdentifier::from_der(members.first()?).ok()?;
    let (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, signed_data) =
        single(members.get(1)?)?
    else {
        return None;
    };
    (oid == SIGNED_DATA).then_some(signed_data)
}

/// The members of the certificates field, each as it stands (which may be anything: the reader of a member
/// says whether it is a certificate). `None` when `der` is not a readable SignedData.
#[must_use]
pub fn certificates(der: &[u8]) -> Option<Vec<&[u8]>> {
    for field in sequence(content_info(der)?, 8)? {
        if let Some((Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, set)) = single(field) {
            return children(set, MAX_CERTIFICATES);
        }
    }
    Some(Vec::new())
}

/// The PKCS#10 requests of a SignedData that is a Full PKI Request, each as it stands. Empty for any other.
#[must_use]
pub fn requests(der: &[u8]) -> Vec<&[u8]> {
    let read = || {
        let signed_data = sequence(content_info(der)?, 8)?;
        // version, digestAlgorithms, encapContentInfo { eContentType, [0] eContent OCTET STRING }
        let encapsulated = sequence(signed_data.get(2)?, 2)?;
        if ObjectIdentifier::from_der(encapsulated.first()?).ok()? != PKI_DATA {
            return None;
        }
        let content_of = |tlv, tag| single(tlv).filter(|(found, _)| *found == tag).map(|(_, value)| value);
        let explicit = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
        let pki_data = content_of(content_of(encapsulated.get(1)?, explicit)?, Tag::OctetString)?;
        // controlSequence, reqSequence, cmsSequence, otherMsgSequence
        let fields = sequence(pki_data, 4)?;
        let mut found = Vec::new();
        for request in sequence(fields.get(1)?, MAX_REQUESTS)? {
            // tcr [0] TaggedCertificationRequest { bodyPartID, certificationRequest }; CRMF has other tags.
            if let Some(tagged) = content_of(request, explicit) {
                found.push(*children(tagged, 2)?.get(1)?);
            }
        }
        Some(found)
    };
    read().unwrap_or_default()
}
