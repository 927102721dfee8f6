//! Distinguished names: compared byte for byte, decoded only for people and for patterns on common names.

use std::fmt::Write as _;

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};

use crate::wire::der::{children, content, sequence};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// More parts than any name of a device has.
const MAX_PARTS: usize = 32;

/// An attribute of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Which attribute.
    pub oid: ObjectIdentifier,
    /// Its value as text; `None` for string types other than UTF8String, PrintableString and IA5String.
    pub text: Option<&'a str>,
}

/// The attributes of a DER Name, in order, whatever RDN they are in. Empty when it cannot be read.
#[must_use]
pub fn attributes(name: &[u8]) -> Vec<Attribute<'_>> {
    read(name).unwrap_or_default()
}

fn read(name: &[u8]) -> Option<Vec<Attribute<'_>>> {
    let mut found = Vec::new();
    for rdn in sequence(name, MAX_PARTS)? {
        for attribute in children(content(rdn, Tag::Set)?, MAX_PARTS)? {
            let members = sequence(attribute, 2)?;
            let (oid, value) = (members.first()?, members.get(1)?);
            let oid = ObjectIdentifier::from_der(oid).ok()?;
            let text = match crate::wire::der::single(value)? {
                (Tag::Utf8String | Tag::PrintableString | Tag::Ia5String, text) => {
                    std::str::from_utf8(text).ok()
                }
                _ => None,
            };
            found.push(Attribute { oid, text });
        }
    }
    Some(found)
}

fn only(name: &[u8], oid: ObjectIdentifier) -> Option<&str> {
    let mut found = attributes(name).into_iter().filter(|a| a.oid == oid);
    let first = found.next()?;
    if found.next().is_some() { None } else { first.text }
}

/// The only commonName of a DER Name; `None` when there is none, or more than one.
#[must_use]
pub fn common_name(name: &[u8]) -> Option<&str> {
    only(name, COMMON_NAME)
}

/// The only organizationName of a DER Name.
#[must_use]
pub fn organization(name: &[u8]) -> Option<&str> {
    only(name, ORGANIZATION)
}

/// How many RDNs a DER Name has.
#[must_use]
pub fn rdn_count(name: &[u8]) -> usize {
    sequence(name, MAX_PARTS).map_or(0, |rdns| rdns.len())
}

/// Whether two DER Names have the same attributes with the same values in the same order, whatever string types
/// hold them. Values of other types than text are never the same unless the whole names are, byte for byte.
#[must_use]
pub fn same_values(a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    match (read(a), read(b)) {
        (Some(left), Some(right)) => {
            rdn_count(a) == rdn_count(b) && left == right && left.iter().all(|each| each.text.is_some())
        }
        _ => false,
    }
}

/// A name for people, in the manner of RFC 4514 but in encoding order.
#[must_use]
pub fn display(name: &[u8]) -> String {
    let mut out = String::new();
    for attribute in attributes(name) {
        if !out.is_empty() {
            out.push_str(", ");
        }
        let label = match attribute.oid.to_string().as_str() {
            "2.5.4.3" => "CN".to_owned(),
            "2.5.4.5" => "serialNumber".to_owned(),
            "2.5.4.6" => "C".to_owned(),
            "2.5.4.7" => "L".to_owned(),
            "2.5.4.8" => "ST".to_owned(),
            "2.5.4.10" => "O".to_owned(),
            "2.5.4.11" => "OU".to_owned(),
            other => other.to_owned(),
        };
        let _ = write!(out, "{label}={}", attribute.text.unwrap_or("(not text)"));
    }
    if out.is_empty() { "(empty name)".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyvouch_emulator::x509::{self, Text};

    #[test]
    fn string_types_do_not_matter_and_everything_else_does() {
        let of = |text, parts: &[(&str, &str)]| {
            let parts: Vec<_> = parts.iter().map(|(kind, value)| (*kind, text, *value)).collect();
            x509::name(&parts).unwrap()
        };
        let utf8 = of(Text::Utf8, &[("O", "A"), ("CN", "B")]);
        assert!(same_values(&utf8, &of(Text::Printable, &[("O", "A"), ("CN", "B")])));
        for other in [
            of(Text::Printable, &[("CN", "B"), ("O", "A")]),
            of(Text::Printable, &[("O", "A"), ("CN", "b")]),
            of(Text::Printable, &[("O", "A")]),
            of(Text::Printable, &[("OU", "A"), ("CN", "B")]),
            Vec::new(),
        ] {
            assert!(!same_values(&utf8, &other));
        }
        // Both in one RDN
        let one = keyvouch_emulator::der::sequence(&[x509::rdn(&[
            ("O", Text::Utf8, "A"),
            ("CN", Text::Utf8, "B"),
        ])
        .unwrap()]);
        assert!(!same_values(&utf8, &one));
        // Not text, or not a name: the same bytes only
        assert!(same_values(&[5, 0], &[5, 0]) && !same_values(&[5, 0], &[5]));
    }
}
