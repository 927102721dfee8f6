//! Identifiers of devices: of the order, of the evidence, and in requests (RFC 4043, RFC 4108,
//! draft-ietf-acme-device-attest). They are compared octet for octet.

use std::fmt;

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use crate::submission::Options;
use crate::wire::der::{children, content, sequence, single};

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const PERMANENT_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.3");
const HARDWARE_MODULE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.4");

/// More names than any certificate or request has.
const MAX_NAMES: usize = 64;

/// The words of option `identifier_type`.
pub(super) const KINDS: &[&str] = &["permanent-identifier", "hardware-module"];

/// A type of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Permanent,
    HardwareModule,
}

/// An identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifier {
    pub(super) kind: Kind,
    /// Never empty.
    pub(super) value: String,
    /// The assigner, or the type of the hardware: an object identifier as dotted text, of which there is one form.
    pub(super) oid: Option<String>,
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.value)?;
        self.oid.as_ref().map_or(Ok(()), |oid| write!(f, " of {oid}"))
    }
}

impl Identifier {
    /// A permanent identifier without assigner.
    pub(super) fn permanent(value: &str) -> Option<Self> {
        (!value.is_empty()).then(|| Self { kind: Kind::Permanent, value: value.to_owned(), oid: None })
    }

    /// The identifier of the order; `None` when no type is given, an error when it is not in form.
    pub(super) fn of_order(options: &Options) -> Option<Result<Self, String>> {
        let kind = match options.text("identifier_type")? {
            "hardware-module" => Kind::HardwareModule,
            _ => Kind::Permanent,
        };
        Some(Self::read(kind, options.text("identifier_value").unwrap_or_default()))
    }

    fn read(kind: Kind, text: &str) -> Result<Self, String> {
        let (value, oid) = match text.split_once('/') {
            None => (text, None),
            Some((value, oid)) => (value, Some(object_identifier(oid)?)),
        };
        if value.is_empty() {
            return Err(format!("{text:?} names no device"));
        }
        if kind == Kind::HardwareModule && oid.is_none() {
            return Err(format!("{text:?} names no type of hardware"));
        }
        Ok(Self { kind, value: value.to_owned(), oid })
    }

    /// Whether an identifier in the evidence is the one that the order names: of its type, with the same value, and
    /// with its object identifier where the order has one.
    pub(super) fn is_met_by(&self, other: &Self) -> bool {
        self.kind == other.kind && self.value == other.value && (self.oid.is_none() || self.oid == other.oid)
    }
}

/// Dotted decimal, without leading zeros (X.660, 7.6: below 0 and 1 there are 40 arcs).
fn object_identifier(text: &str) -> Result<String, String> {
    let arcs: Vec<&str> = text.split('.').collect();
    let is_number = |arc: &&str| {
        let digits = !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit());
        digits && (*arc == "0" || !arc.starts_with('0'))
    };
    let begins_well = match arcs.as_slice() {
        ["0" | "1", second, ..] => second.parse().is_ok_and(|second: u8| second < 40),
        ["2", _, ..] => true,
        _ => false,
    };
    match begins_well && arcs.iter().all(is_number) {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} is not an object identifier")),
    }
}

/// The dotted text of an OBJECT IDENTIFIER in DER (X.690, 8.19).
fn dotted(tlv: &[u8]) -> Option<String> {
    let mut arcs: Vec<u128> = Vec::new();
    let mut open: Option<u128> = None;
    for byte in content(tlv, Tag::ObjectIdentifier)? {
        if open.is_none() && *byte == 0x80 {
            return None;
        }
        let arc = open.unwrap_or(0).checked_mul(128)?.checked_add(u128::from(byte & 0x7f))?;
        open = Some(arc).filter(|_| byte & 0x80 != 0);
        if open.is_none() {
            arcs.push(arc);
        }
    }
    let (first, rest) = arcs.split_first().filter(|_| open.is_none())?;
    let root = first.checked_div(40)?.min(2);
    let second = first.checked_sub(root.checked_mul(40)?)?;
    let all = [root, second].into_iter().chain(rest.iter().copied());
    Some(all.map(|arc| arc.to_string()).collect::<Vec<_>>().join("."))
}

/// The names of a subjectAltName.
pub(super) struct Names {
    pub(super) devices: Vec<Identifier>,
    /// How many other names there are.
    pub(super) others: usize,
}

/// Identifiers in the subjectAltName of a certificate.
pub(super) fn in_certificate(certificate: &crate::pki::Certificate) -> Vec<Identifier> {
    let names = certificate.extension(SUBJECT_ALT_NAME).and_then(|san| Names::read(san.value));
    names.map(|names| names.devices).unwrap_or_default()
}

/// Names in the subjectAltName that a request asks for; an error when they cannot be read.
pub(super) fn in_request(request: &crate::pki::CertificationRequest) -> Result<Names, &'static str> {
    let mut all = Names { devices: Vec::new(), others: 0 };
    for (_, value) in request.requested_extensions().iter().filter(|(oid, _)| *oid == SUBJECT_ALT_NAME) {
        let names = Names::read(value).ok_or("its subjectAltName cannot be read")?;
        all.devices.extend(names.devices);
        all.others = all.others.saturating_add(names.others);
    }
    Ok(all)
}

impl Names {
    fn read(value: &[u8]) -> Option<Self> {
        let mut names = Self { devices: Vec::new(), others: 0 };
        for general in sequence(value, MAX_NAMES)? {
            let (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, other) = single(general)?
            else {
                names.others = names.others.saturating_add(1);
                continue;
            };
            let members = children(other, 2)?;
            let [kind, value] = members.as_slice() else { return None };
            let (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, value) = single(value)?
            else {
                return None;
            };
            match ObjectIdentifier::from_der(kind) {
                Ok(PERMANENT_IDENTIFIER) => names.devices.extend(permanent(value)?),
                Ok(HARDWARE_MODULE_NAME) => names.devices.extend(hardware_module(value)?),
                _ => names.others = names.others.saturating_add(1),
            }
        }
        Some(names)
    }
}

/// SEQUENCE { identifierValue UTF8String OPTIONAL, assigner OBJECT IDENTIFIER OPTIONAL }. Without a value it names no
/// device: inner `None`.
fn permanent(value: &[u8]) -> Option<Option<Identifier>> {
    let (mut text, mut oid) = (None, None);
    for (index, member) in (0..).zip(sequence(value, 2)?) {
        match single(member)? {
            (Tag::Utf8String, inner) if index == 0 => text = Some(std::str::from_utf8(inner).ok()?),
            (Tag::ObjectIdentifier, _) if oid.is_none() => oid = Some(dotted(member)?),
            _ => return None,
        }
    }
    let identifier = text.and_then(Identifier::permanent);
    Some(identifier.map(|identifier| Identifier { oid, ..identifier }))
}

/// SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }. A serial number that is no text, or has a slash,
/// cannot be what an order names: inner `None`.
fn hardware_module(value: &[u8]) -> Option<Option<Identifier>> {
    let members = sequence(value, 2)?;
    let [kind, serial] = members.as_slice() else { return None };
    let oid = dotted(kind)?;
    let serial = std::str::from_utf8(content(serial, Tag::OctetString)?).unwrap_or_default();
    let comparable = !serial.is_empty() && !serial.contains('/');
    let identifier = Identifier { kind: Kind::HardwareModule, value: serial.to_owned(), oid: Some(oid) };
    Some(comparable.then_some(identifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_the_draft() {
        let is = |kind, text| Identifier::read(kind, text).is_ok();
        for text in ["ABC", "ABC/1.2.3", "a b", "ABC/2.999.0", "ABC/0.39"] {
            assert!(is(Kind::Permanent, text), "{text}");
            assert_eq!(is(Kind::HardwareModule, text), text.contains('/'), "{text}");
        }
        for text in [
            "",
            "/",
            "/1.2.3",
            "ABC/",
            "ABC/1",
            "ABC/1.40",
            "ABC/3.1",
            "ABC/1.02",
            "ABC/1.2/3",
            "ABC/x",
            "ABC/1..2",
        ] {
            assert!(!is(Kind::Permanent, text) && !is(Kind::HardwareModule, text), "{text}");
        }
    }

    #[test]
    fn object_identifiers_count_where_the_order_has_one() {
        let read = |kind, text| Identifier::read(kind, text).unwrap();
        let own = read(Kind::Permanent, "A/1.2.3");
        assert!(read(Kind::Permanent, "A").is_met_by(&own));
        assert!(!own.is_met_by(&read(Kind::Permanent, "A")));
        assert!(
            !read(Kind::Permanent, "A/1.2.4").is_met_by(&own) && !read(Kind::Permanent, "a").is_met_by(&own)
        );
        assert!(!read(Kind::HardwareModule, "A/1.2.3").is_met_by(&own));
    }

    #[test]
    fn object_identifiers_have_one_form() {
        assert_eq!(dotted(&[6, 3, 0x88, 0x37, 3]).as_deref(), Some("2.999.3"));
        assert_eq!(dotted(&[6, 1, 0x2a]).as_deref(), Some("1.2"));
        assert_eq!(dotted(&[6, 1, 39]).as_deref(), Some("0.39"));
        assert_eq!(dotted(&[6, 2, 80, 0]).as_deref(), Some("2.0.0"));
        for bad in [&[6, 0][..], &[6, 1, 0x80], &[6, 2, 0x80, 1], &[6, 2, 0x2a, 0x81], &[4, 1, 0x2a]] {
            assert_eq!(dotted(bad), None, "{bad:02x?}");
        }
        assert_eq!(dotted(&[&[6, 20][..], &[0xff; 19], &[0x7f]].concat()), None);
    }

    #[test]
    fn names_without_value_are_none() {
        assert_eq!(permanent(&[0x30, 0]), Some(None));
        assert_eq!(permanent(&[0x30, 2, 0x0c, 0]), Some(None));
        assert_eq!(permanent(&[0x30, 3, 0x0c, 1, b'A']).unwrap().unwrap().value, "A");
        assert_eq!(permanent(&[0x30, 3, 4, 1, b'A']), None);
        assert_eq!(hardware_module(&[0x30, 6, 6, 1, 0x2a, 4, 1, 0xff]), Some(None));
        assert_eq!(hardware_module(&[0x30, 6, 6, 1, 0x2a, 4, 1, b'/']), Some(None));
        assert_eq!(
            hardware_module(&[0x30, 6, 6, 1, 0x2a, 4, 1, b'B']).unwrap().unwrap().to_string(),
            "\"B\" of 1.2"
        );
    }
}
