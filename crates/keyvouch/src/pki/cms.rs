//! CMS SignedData as a bag of certificates (RFC 5652, 5.1; "certs-only", RFC 8551, 3.2.2). What is signed is verified by
//! [`SignedData`]; a bag has no signers, and its reader looks at none.

mod signed;

pub use signed::{CmsFault, Content, SignedData, SignerId, SignerInfo};

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use crate::wire::der::{children, sequence, single};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const MAX_CERTIFICATES: usize = 64;

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
