//! Extensions of certificates that some formats look at and path validation does not.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use super::certificate::{Certificate, oids};
use crate::wire::der::{children, content, sequence, single};

const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");

/// More members than any extension of a device has.
const MAX_MEMBERS: usize = 32;

impl Certificate {
    /// subjectKeyIdentifier (RFC 5280, 4.2.1.2). `None` when it is not there or cannot be read.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        let value = self.extension(SUBJECT_KEY_IDENTIFIER)?.value;
        content(value, Tag::OctetString)
    }

    /// keyIdentifier of authorityKeyIdentifier (RFC 5280, 4.2.1.1). `None` when it is not there or cannot be read.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        let value = self.extension(AUTHORITY_KEY_IDENTIFIER)?.value;
        match single(sequence(value, 3)?.first()?)? {
            (Tag::ContextSpecific { constructed: false, number: TagNumber(0) }, id) => Some(id),
            _ => None,
        }
    }

    /// Whether extKeyUsage (RFC 5280, 4.2.1.12) names this purpose itself.
    #[must_use]
    pub fn has_extended_key_usage(&self, purpose: ObjectIdentifier) -> bool {
        let read = || sequence(self.extension(oids::EXTENDED_KEY_USAGE)?.value, MAX_MEMBERS);
        read().is_some_and(|purposes| purposes.iter().any(|p| ObjectIdentifier::from_der(p) == Ok(purpose)))
    }

    /// Whether certificatePolicies (RFC 5280, 4.2.1.4) names this policy itself; anyPolicy does not count.
    #[must_use]
    pub fn has_policy(&self, policy: ObjectIdentifier) -> bool {
        let read = || {
            let mut found = false;
            for information in sequence(self.extension(oids::CERTIFICATE_POLICIES)?.value, MAX_MEMBERS)? {
                let members = sequence(information, 2)?;
                found |= ObjectIdentifier::from_der(members.first()?) == Ok(policy);
            }
            Some(found)
        };
        read().unwrap_or(false)
    }

    /// The URIs of cRLDistributionPoints (RFC 5280, 4.2.1.13). Empty when it is not there or cannot be read.
    #[must_use]
    pub fn crl_uris(&self) -> Vec<&str> {
        let read = || {
            let mut uris = Vec::new();
            for point in sequence(self.extension(CRL_DISTRIBUTION_POINTS)?.value, MAX_MEMBERS)? {
                for field in sequence(point, 3)? {
                    // distributionPoint [0] { fullName [0] GeneralNames }, uniformResourceIdentifier [6]
                    let (Tag::ContextSpecific { number: TagNumber(0), .. }, name) = single(field)? else {
                        continue;
                    };
                    let (Tag::ContextSpecific { number: TagNumber(0), .. }, names) = single(name)? else {
                        continue;
                    };
                    for name in children(names, MAX_MEMBERS)? {
                        if let (Tag::ContextSpecific { number: TagNumber(6), .. }, uri) = single(name)? {
                            uris.push(std::str::from_utf8(uri).ok()?);
                        }
                    }
                }
            }
            Some(uris)
        };
        read().unwrap_or_default()
    }

    /// The content of an extension that must be an empty SEQUENCE; `Some(false)` when it is something else.
    #[must_use]
    pub fn empty_sequence(&self, oid: ObjectIdentifier) -> Option<bool> {
        let value = self.extension(oid)?.value;
        Some(content(value, Tag::Sequence).is_some_and(<[u8]>::is_empty))
    }
}
