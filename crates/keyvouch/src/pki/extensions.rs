//! Extensions of certificates that some formats look at and path validation does not.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use super::certificate::{Certificate, oids};
use crate::wire::der::{children, content, sequence, single};

/// subjectAltName (RFC 5280, 4.2.1.6).
pub(crate) const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");

/// More members than any extension of a device has.
const MAX_MEMBERS: usize = 32;
/// Servers have many names.
const MAX_SUBJECT_NAMES: usize = 256;

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

    /// The dNSNames of subjectAltName (RFC 5280, 4.2.1.6). Empty when it is not there or cannot be read.
    #[must_use]
    pub fn dns_names(&self) -> Vec<&str> {
        let names = self.extension(SUBJECT_ALT_NAME).and_then(|san| sequence(san.value, MAX_SUBJECT_NAMES));
        let mut found = Vec::new();
        for general in names.into_iter().flatten() {
            if let Some((Tag::ContextSpecific { constructed: false, number: TagNumber(2) }, text)) =
                single(general)
            {
                found.extend(std::str::from_utf8(text).ok());
            }
        }
        found
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

#[cfg(test)]
mod tests {
    use super::*;
    use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
    use keyvouch_emulator::{fortanix, x509};

    fn certificate(extensions: Vec<x509::Extension>) -> Certificate {
        let key = Key::shared("extensions", KeyKind::P256).unwrap();
        let name = x509::common_name("A").unwrap();
        let mut template =
            x509::Certificate::new(name, &key, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z").unwrap();
        template.extensions = extensions;
        Certificate::from_der(&template.sign(&key, SignAlg::EcdsaSha256).unwrap()).unwrap()
    }

    fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new(text).unwrap()
    }

    #[test]
    fn reads_what_is_there() {
        let c = certificate(vec![
            x509::subject_key_identifier(&[1, 2]),
            x509::authority_key_identifier(&[3]),
            x509::extended_key_usage(&["1.2.3", "1.2.4"]).unwrap(),
            x509::certificate_policies(&["1.2.5", "1.2.6"]).unwrap(),
            fortanix::crl_point("https://example.com/a.crl"),
            x509::Extension::new("1.2.7", [0x30, 0]),
        ]);
        assert_eq!(c.subject_key_identifier(), Some(&[1, 2][..]));
        assert_eq!(c.authority_key_identifier(), Some(&[3][..]));
        assert!(c.has_extended_key_usage(oid("1.2.4")) && !c.has_extended_key_usage(oid("1.2.5")));
        assert!(c.has_policy(oid("1.2.6")) && !c.has_policy(oid("1.2.4")));
        assert_eq!(c.crl_uris(), ["https://example.com/a.crl"]);
        assert_eq!(c.empty_sequence(oid("1.2.7")), Some(true));
        assert_eq!(c.empty_sequence(oid("2.5.29.14")), Some(false));
    }

    #[test]
    fn what_is_absent_or_unreadable_is_nothing() {
        let unreadable = ["2.5.29.14", "2.5.29.35", "2.5.29.37", "2.5.29.32", "2.5.29.31"]
            .map(|oid| x509::Extension::new(oid, [0x30, 2, 5]));
        for c in [certificate(Vec::new()), certificate(unreadable.to_vec())] {
            assert_eq!(c.subject_key_identifier(), None);
            assert_eq!(c.authority_key_identifier(), None);
            assert!(!c.has_extended_key_usage(oid("1.2.3")) && !c.has_policy(oid("1.2.3")));
            assert!(c.crl_uris().is_empty());
            assert_eq!(c.empty_sequence(oid("1.2.3")), None);
        }
    }
}
