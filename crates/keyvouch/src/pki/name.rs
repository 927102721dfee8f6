//! Distinguished names: compared byte for byte, decoded only for people and for patterns on common names.

use std::fmt::Write as _;
use std::ops::Range;

use der::Tag;
use der::asn1::ObjectIdentifier;

use crate::wire::der::{Children, content, range_in, single};

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

/// A name that was read once, beside its DER: formats ask for the same attributes again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// The attributes with the place of their text.
    attributes: Vec<(ObjectIdentifier, Option<Range<usize>>)>,
    rdns: usize,
    common_name: Option<Range<usize>>,
    organization: Option<Range<usize>>,
}

impl Index {
    /// Of a DER Name. Empty when it cannot be read.
    pub(super) fn of(name: &[u8]) -> Self {
        let mut attributes = Vec::with_capacity(4);
        let place = |text: &str| range_in(name, text.as_bytes());
        let read = walk(name, |oid, text| attributes.push((oid, text.and_then(place))));
        if read.is_none() {
            attributes.clear();
        }
        let only = |oid| {
            let mut found = attributes.iter().filter(|(o, _)| *o == oid);
            let (_, first) = found.next()?;
            if found.next().is_some() { None } else { first.clone() }
        };
        let (common_name, organization) = (only(COMMON_NAME), only(ORGANIZATION));
        Self { attributes, rdns: rdn_count(name), common_name, organization }
    }
}

/// A name of a certificate.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    der: &'a [u8],
    index: &'a Index,
}

impl<'a> Name<'a> {
    /// `index` is that of the same name.
    pub(super) const fn new(der: &'a [u8], index: &'a Index) -> Self {
        Self { der, index }
    }

    fn text(self, at: Option<&Range<usize>>) -> Option<&'a str> {
        std::str::from_utf8(self.der.get(at?.clone())?).ok()
    }

    /// The only commonName; `None` when there is none, or more than one.
    #[must_use]
    pub fn common_name(self) -> Option<&'a str> {
        self.text(self.index.common_name.as_ref())
    }

    /// The only organizationName; `None` when there is none, or more than one.
    #[must_use]
    pub fn organization(self) -> Option<&'a str> {
        self.text(self.index.organization.as_ref())
    }

    /// The first attribute of that type, as text.
    #[must_use]
    pub fn attribute(self, oid: ObjectIdentifier) -> Option<&'a str> {
        let (_, text) = self.index.attributes.iter().find(|(o, _)| *o == oid)?;
        self.text(text.as_ref())
    }

    /// How many RDNs it has.
    #[must_use]
    pub const fn rdn_count(self) -> usize {
        self.index.rdns
    }
}

/// The attributes of a DER Name, in order, whatever RDN they are in. Empty when it cannot be read.
#[must_use]
pub fn attributes(name: &[u8]) -> Vec<Attribute<'_>> {
    read(name).unwrap_or_default()
}

fn read(name: &[u8]) -> Option<Vec<Attribute<'_>>> {
    let mut found = Vec::new();
    walk(name, |oid, text| found.push(Attribute { oid, text }))?;
    Some(found)
}

/// Hands over every attribute. `None` when the name cannot be read; some may have been handed over then.
fn walk<'a>(name: &'a [u8], mut each: impl FnMut(ObjectIdentifier, Option<&'a str>)) -> Option<()> {
    for rdn in Children::of(content(name, Tag::Sequence)?, MAX_PARTS) {
        for attribute in Children::of(content(rdn?, Tag::Set)?, MAX_PARTS) {
            let mut members = Children::of(content(attribute?, Tag::Sequence)?, 2);
            let (oid, value) = (members.next()??, members.next()??);
            if members.next().is_some() {
                return None;
            }
            let oid = ObjectIdentifier::from_bytes(content(oid, Tag::ObjectIdentifier)?).ok()?;
            let text = match single(value)? {
                (Tag::Utf8String | Tag::PrintableString | Tag::Ia5String, text) => {
                    std::str::from_utf8(text).ok()
                }
                _ => None,
            };
            each(oid, text);
        }
    }
    Some(())
}

fn only(name: &[u8], oid: ObjectIdentifier) -> Option<&str> {
    let (mut found, mut times) = (None, 0_usize);
    let tell = |own, text| {
        if own == oid {
            (found, times) = (text, times.saturating_add(1));
        }
    };
    walk(name, tell)?;
    found.filter(|_| times == 1)
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
    let count =
        |rdns| Children::of(rdns, MAX_PARTS).try_fold(0_usize, |n, rdn| rdn.map(|_| n.saturating_add(1)));
    content(name, Tag::Sequence).and_then(count).unwrap_or_default()
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
    fn a_name_that_was_read_once_says_what_its_bytes_say() {
        let of = |parts: &[(&str, Text, &str)]| x509::name(parts).unwrap();
        let (utf8, printable) = (Text::Utf8, Text::Printable);
        let good = of(&[("C", printable, "DE"), ("O", utf8, "A"), ("OU", utf8, "B"), ("CN", utf8, "C é")]);
        let names = [
            of(&[("O", utf8, "A"), ("O", utf8, "A"), ("CN", utf8, "B"), ("CN", printable, "B")]),
            keyvouch_emulator::der::sequence(&[x509::rdn(&[("O", utf8, "A"), ("CN", utf8, "B")]).unwrap()]),
            good[..good.len() - 1].to_vec(),
            [good.as_slice(), &[0]].concat(),
            // A string type that is not read, an attribute without value, one with two, and no object identifier
            b"\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x1e\x03\x00\x41\x42".to_vec(),
            b"\x30\x09\x31\x07\x30\x05\x06\x03\x55\x04\x03".to_vec(),
            b"\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x01A\x0c\x01B".to_vec(),
            b"\x30\x0a\x31\x08\x30\x06\x05\x00\x0c\x02AB".to_vec(),
            b"\x30\x00".to_vec(),
            Vec::new(),
            good,
        ];
        for der in &names {
            let index = Index::of(der);
            let name = Name::new(der, &index);
            assert_eq!(name.common_name(), common_name(der), "{der:02x?}");
            assert_eq!(name.organization(), organization(der), "{der:02x?}");
            assert_eq!(name.rdn_count(), rdn_count(der), "{der:02x?}");
            let first = |oid| attributes(der).into_iter().find(|a| a.oid == oid).and_then(|a| a.text);
            for oid in
                ["2.5.4.3", "2.5.4.6", "2.5.4.10", "2.5.4.11", "2.5.4.12"].map(ObjectIdentifier::new_unwrap)
            {
                assert_eq!(name.attribute(oid), first(oid), "{oid} in {der:02x?}");
            }
        }
        let [.., last] = &names;
        assert_eq!((common_name(last), organization(last)), (Some("C é"), Some("A")));
    }

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
