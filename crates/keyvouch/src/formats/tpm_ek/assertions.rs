//! What a maker asserts of a TPM in the subjectDirectoryAttributes of its EK certificate.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use crate::pki::Certificate;
use crate::wire::der::{children, content, sequence, single};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const SUBJECT_DIRECTORY_ATTRIBUTES: ObjectIdentifier = oid("2.5.29.9");
const TPM_SPECIFICATION: ObjectIdentifier = oid("2.23.133.2.16");
const TPM_SECURITY_ASSERTIONS: ObjectIdentifier = oid("2.23.133.2.18");

/// More members than any of these structures has.
const MAX_MEMBERS: usize = 16;

/// The value of an attribute.
fn attribute(certificate: &Certificate, wanted: ObjectIdentifier) -> Option<&[u8]> {
    let value = certificate.extension(SUBJECT_DIRECTORY_ATTRIBUTES)?.value;
    sequence(value, MAX_MEMBERS)?.into_iter().find_map(|attribute| {
        let members = sequence(attribute, 2)?;
        let [id, values] = members.as_slice() else { return None };
        (ObjectIdentifier::from_der(id).ok()? == wanted).then_some(())?;
        let values = children(content(values, Tag::Set)?, 2)?;
        match values.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    })
}

/// TPMSpecification: family, level and revision.
pub(super) fn specification(certificate: &Certificate) -> Option<String> {
    let members = sequence(attribute(certificate, TPM_SPECIFICATION)?, MAX_MEMBERS)?;
    let [family, level, revision, ..] = members.as_slice() else { return None };
    let family = std::str::from_utf8(content(family, Tag::Utf8String)?).ok()?;
    let number = |der: &[u8]| u32::from_der(der).ok();
    Some(format!("TPM {family}, level {}, revision {}", number(level)?, number(revision)?))
}

/// TPMSecurityAssertions, as far as it can be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Assertions {
    /// ekGenerationType.
    generation: Option<u8>,
    /// ccInfo, for people.
    pub(super) common_criteria: Option<String>,
    /// fipsLevel, for people.
    pub(super) fips: Option<String>,
}

impl Assertions {
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        Self::read(attribute(certificate, TPM_SECURITY_ASSERTIONS)?)
    }

    /// Tags are IMPLICIT; certificates of STMicroelectronics have them EXPLICIT. Both are read: what an explicit tag
    /// holds begins with the universal tag of what an implicit one replaces.
    fn read(der: &[u8]) -> Option<Self> {
        let mut read = Self::default();
        for member in sequence(der, MAX_MEMBERS)? {
            let (Tag::ContextSpecific { constructed, number: TagNumber(number) }, inner) = single(member)?
            else {
                continue;
            };
            match number {
                0 => read.generation = enumerated(constructed, inner),
                3 => read.common_criteria = common_criteria(inner),
                4 => read.fips = fips(inner),
                _ => {}
            }
        }
        Some(read)
    }

    /// Whether the endorsement key was generated in the TPM.
    pub(super) fn generated_inside(&self) -> Option<bool> {
        match self.generation? {
            0 | 2 => Some(true),
            1 | 3 => Some(false),
            _ => None,
        }
    }

    pub(super) fn generation_text(&self) -> Option<&'static str> {
        match self.generation? {
            0 => Some("generated in the TPM"),
            1 => Some("injected"),
            2 => Some("generated in the TPM, revocable"),
            3 => Some("injected, revocable"),
            _ => None,
        }
    }
}

fn enumerated(explicit: bool, inner: &[u8]) -> Option<u8> {
    let value = if explicit { content(inner, Tag::Enumerated)? } else { inner };
    match value {
        [value] => Some(*value),
        _ => None,
    }
}

/// The members of a SEQUENCE whose tag is replaced, or stands inside the other.
fn members(inner: &[u8]) -> Option<Vec<&[u8]>> {
    sequence(inner, MAX_MEMBERS).or_else(|| children(inner, MAX_MEMBERS))
}

fn ia5(der: &[u8]) -> Option<&str> {
    std::str::from_utf8(content(der, Tag::Ia5String)?).ok()
}

fn common_criteria(inner: &[u8]) -> Option<String> {
    let members = members(inner)?;
    let [version, level, status, rest @ ..] = members.as_slice() else { return None };
    let level = enumerated(true, level)?;
    let status = match enumerated(true, status)? {
        0 => "designed to meet",
        1 => "evaluation in progress",
        2 => "evaluation completed",
        _ => return None,
    };
    let plus = rest.first().and_then(|der| bool::from_der(der).ok()).unwrap_or(false);
    Some(format!("Common Criteria {} EAL{level}{}, {status}", ia5(version)?, if plus { "+" } else { "" }))
}

fn fips(inner: &[u8]) -> Option<String> {
    let members = members(inner)?;
    let [version, level, rest @ ..] = members.as_slice() else { return None };
    let plus = rest.first().and_then(|der| bool::from_der(der).ok()).unwrap_or(false);
    Some(format!("FIPS {} level {}{}", ia5(version)?, enumerated(true, level)?, if plus { "+" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_taggings_say_the_same() {
        // ekGenerationType injected; Common Criteria 3.1 EAL4+ completed; FIPS 140-2 level 2.
        let implicit = "303a 800101 a3 0e 1603332e31 0a0104 0a0102 0101ff a4 0d 16053134302d32 0a0102 010100";
        let explicit = "3042 a0030a0101 a310 300e 1603332e31 0a0104 0a0102 0101ff a40f 300d 16053134302d32 0a0102 010100";
        let read = |text: &str| {
            let mut der = hex::decode(text.replace(' ', "")).unwrap();
            der[1] = u8::try_from(der.len() - 2).unwrap();
            Assertions::read(&der).unwrap()
        };
        let first = read(implicit);
        assert_eq!(first.generated_inside(), Some(false));
        assert_eq!(first.common_criteria.as_deref(), Some("Common Criteria 3.1 EAL4+, evaluation completed"));
        assert_eq!(first.fips.as_deref(), Some("FIPS 140-2 level 2"));
        assert_eq!(first, read(explicit));
        assert_eq!(Assertions::read(&[0x04, 0x00]), None);
    }
}
