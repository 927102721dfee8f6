//! What TbsEvidence says:
//!
//! ```text
//! TbsEvidence ::= SEQUENCE { version INTEGER (1), reportedElements SEQUENCE SIZE (1..MAX) OF ReportedElement }
//! ReportedElement ::= SEQUENCE { elementType OBJECT IDENTIFIER, claims SEQUENCE SIZE (1..MAX) OF ReportedClaim }
//! ReportedClaim ::= SEQUENCE { claimType OBJECT IDENTIFIER, value ANY OPTIONAL }
//! ```
//!
//! Values have universal tags since draft -06, and context tags before; the numbers of some platform claims differ
//! between the two, so that a number alone does not say what is claimed.

use std::collections::{BTreeMap, BTreeSet};

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};

use super::oids::{Arc, Named};
use super::value::{Encoding, Given, Shape};
use crate::crypto::PublicKey;
use crate::time::Time;
use crate::wire::der::{content, sequence};

const MAX_ELEMENTS: usize = 512;
const MAX_CLAIMS: usize = 128;

/// Kinds of elements.
pub(super) mod kind {
    pub(in super::super) const TRANSACTION: u32 = 0;
    pub(in super::super) const PLATFORM: u32 = 1;
    pub(in super::super) const KEY: u32 = 2;
}

/// Claims of a transaction, by number.
pub(super) mod transaction {
    pub(in super::super) const NONCE: u32 = 0;
    pub(in super::super) const TIMESTAMP: u32 = 1;
    pub(in super::super) const AK_SPKI: u32 = 2;
}

/// Claims of a platform, by their number in the current encoding.
pub(super) mod platform {
    pub(in super::super) const VENDOR: u32 = 0;
    pub(in super::super) const OEMID: u32 = 1;
    pub(in super::super) const HWMODEL: u32 = 2;
    pub(in super::super) const HWVERSION: u32 = 3;
    pub(in super::super) const HWSERIAL: u32 = 4;
    pub(in super::super) const SWNAME: u32 = 5;
    pub(in super::super) const SWVERSION: u32 = 6;
    pub(in super::super) const DBGSTAT: u32 = 7;
    pub(in super::super) const UPTIME: u32 = 8;
    pub(in super::super) const BOOTCOUNT: u32 = 9;
    pub(in super::super) const FIPSBOOT: u32 = 10;
    pub(in super::super) const FIPSVER: u32 = 11;
    pub(in super::super) const FIPSLEVEL: u32 = 12;
    pub(in super::super) const FIPSMODULE: u32 = 13;
}

/// Claims of a key, by number.
pub(super) mod key {
    pub(in super::super) const IDENTIFIER: u32 = 0;
    pub(in super::super) const SPKI: u32 = 1;
    pub(in super::super) const EXTRACTABLE: u32 = 2;
    pub(in super::super) const SENSITIVE: u32 = 3;
    pub(in super::super) const NEVER_EXTRACTABLE: u32 = 4;
    pub(in super::super) const LOCAL: u32 = 5;
    pub(in super::super) const EXPIRY: u32 = 6;
    pub(in super::super) const PURPOSE: u32 = 7;
}

/// Every claim: kind of element, number in the current encoding, name, form of the value, whether it may be repeated.
const CLAIMS: &[(u32, u32, &str, Shape, bool)] = {
    use Shape::{Flag, Number, Octets, Purposes, Spki, Text, Time};
    &[
        (kind::TRANSACTION, transaction::NONCE, "nonce", Octets, false),
        (kind::TRANSACTION, transaction::TIMESTAMP, "timestamp", Time, false),
        (kind::TRANSACTION, transaction::AK_SPKI, "ak-spki", Spki, true),
        (kind::PLATFORM, platform::VENDOR, "vendor", Text, false),
        (kind::PLATFORM, platform::OEMID, "oemid", Octets, false),
        (kind::PLATFORM, platform::HWMODEL, "hwmodel", Octets, false),
        (kind::PLATFORM, platform::HWVERSION, "hwversion", Text, false),
        (kind::PLATFORM, platform::HWSERIAL, "hwserial", Text, false),
        (kind::PLATFORM, platform::SWNAME, "swname", Text, false),
        (kind::PLATFORM, platform::SWVERSION, "swversion", Text, false),
        (kind::PLATFORM, platform::DBGSTAT, "dbgstat", Number, false),
        (kind::PLATFORM, platform::UPTIME, "uptime", Number, false),
        (kind::PLATFORM, platform::BOOTCOUNT, "bootcount", Number, false),
        (kind::PLATFORM, platform::FIPSBOOT, "fipsboot", Flag, false),
        (kind::PLATFORM, platform::FIPSVER, "fipsver", Text, false),
        (kind::PLATFORM, platform::FIPSLEVEL, "fipslevel", Number, false),
        (kind::PLATFORM, platform::FIPSMODULE, "fipsmodule", Text, false),
        (kind::KEY, key::IDENTIFIER, "identifier", Text, true),
        (kind::KEY, key::SPKI, "spki", Spki, false),
        (kind::KEY, key::EXTRACTABLE, "extractable", Flag, false),
        (kind::KEY, key::SENSITIVE, "sensitive", Flag, false),
        (kind::KEY, key::NEVER_EXTRACTABLE, "never-extractable", Flag, false),
        (kind::KEY, key::LOCAL, "local", Flag, false),
        (kind::KEY, key::EXPIRY, "expiry", Time, false),
        (kind::KEY, key::PURPOSE, "purpose", Purposes, false),
    ]
};

/// The name of a claim, for people.
pub(super) fn claim_name(kind: u32, number: u32) -> &'static str {
    CLAIMS.iter().find(|(k, n, ..)| (*k, *n) == (kind, number)).map_or("", |(_, _, name, ..)| name)
}

/// In the older encoding `usermods` has number 10 and what follows is moved by one. Its form is not documented, so
/// it is passed over like an unknown claim.
fn current_number(encoding: Encoding, kind: u32, number: u32) -> Option<u32> {
    const USERMODS: u32 = 10;
    match (encoding, kind) {
        (Encoding::Older, kind::PLATFORM) if number == USERMODS => None,
        (Encoding::Older, kind::PLATFORM) if number > USERMODS => number.checked_sub(1),
        _ => Some(number),
    }
}

/// The claims of one element, by their number in the current encoding.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims(BTreeMap<u32, Vec<Given>>);

impl Claims {
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Given)> {
        self.0.iter().flat_map(|(number, values)| values.iter().map(|value| (*number, value)))
    }

    fn values(&self, number: u32) -> impl Iterator<Item = &Given> {
        self.0.get(&number).into_iter().flatten()
    }

    pub(super) fn octets(&self, number: u32) -> Option<&[u8]> {
        self.values(number)
            .find_map(|v| if let Given::Octets(bytes) = v { Some(bytes.as_slice()) } else { None })
    }

    pub(super) fn text(&self, number: u32) -> Option<&str> {
        self.texts(number).next()
    }

    pub(super) fn texts(&self, number: u32) -> impl Iterator<Item = &str> {
        self.values(number).filter_map(|v| if let Given::Text(text) = v { Some(text.as_str()) } else { None })
    }

    pub(super) fn flag(&self, number: u32) -> Option<bool> {
        self.values(number).find_map(|v| if let Given::Flag(flag) = v { Some(*flag) } else { None })
    }

    pub(super) fn number(&self, number: u32) -> Option<u64> {
        self.values(number).find_map(|v| if let Given::Number(n) = v { Some(*n) } else { None })
    }

    pub(super) fn time(&self, number: u32) -> Option<Time> {
        self.values(number).find_map(|v| if let Given::Time(time) = v { Some(*time) } else { None })
    }

    pub(super) fn keys(&self, number: u32) -> impl Iterator<Item = &PublicKey> {
        self.values(number).filter_map(|v| if let Given::Key(key) = v { Some(key) } else { None })
    }

    pub(super) fn purposes(&self, number: u32) -> Option<&[ObjectIdentifier]> {
        self.values(number)
            .find_map(|v| if let Given::Purposes(oids) = v { Some(oids.as_slice()) } else { None })
    }
}

/// What TbsEvidence says.
#[derive(Debug, Clone)]
pub(super) struct Contents {
    pub(super) arc: Arc,
    pub(super) encoding: Encoding,
    pub(super) transaction: Option<Claims>,
    pub(super) platform: Option<Claims>,
    pub(super) keys: Vec<Claims>,
    /// Elements and claims that this verifier does not know.
    pub(super) ignored: Vec<String>,
}

/// TbsEvidence as read: the arc it uses, even when the rest is not in order.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) arc: Option<Arc>,
    pub(super) contents: Result<Contents, Vec<String>>,
}

/// Reads TbsEvidence.
pub(super) fn read(tbs: &[u8], arcs: &[Arc]) -> Reading {
    let elements = match raw_elements(tbs) {
        Ok(elements) => elements,
        Err(fault) => return Reading { arc: None, contents: Err(vec![fault]) },
    };
    let used = |element: &RawElement<'_>| {
        arcs.iter().copied().find(|arc| matches!(arc.name(element.oid), Some(Named::Element(_))))
    };
    let arc = elements.iter().find_map(used);
    let mut faults = Vec::new();
    if elements.iter().filter_map(used).any(|other| Some(other) != arc) {
        faults.push("elements of two arcs".to_owned());
    }
    let Some(arc) = arc else {
        return Reading { arc, contents: Err(vec!["no element of a known arc".to_owned()]) };
    };
    let mut contents = Contents {
        arc,
        encoding: encoding(&elements, &mut faults),
        transaction: None,
        platform: None,
        keys: Vec::new(),
        ignored: Vec::new(),
    };
    for (number, element) in (1_usize..).zip(&elements) {
        contents.add(number, element, &mut faults);
    }
    contents.check_identifiers(&mut faults);
    Reading { arc: Some(arc), contents: if faults.is_empty() { Ok(contents) } else { Err(faults) } }
}

struct RawElement<'a> {
    oid: ObjectIdentifier,
    claims: Vec<(ObjectIdentifier, Option<&'a [u8]>)>,
}

fn raw_elements(tbs: &[u8]) -> Result<Vec<RawElement<'_>>, String> {
    let members = sequence(tbs, 2).unwrap_or_default();
    let [version, elements] = members.as_slice() else {
        return Err("TbsEvidence is not a SEQUENCE of version and elements".to_owned());
    };
    if content(version, Tag::Integer) != Some(&[1]) {
        return Err("the version is not 1".to_owned());
    }
    let elements = sequence(elements, MAX_ELEMENTS)
        .filter(|elements| !elements.is_empty())
        .ok_or("reportedElements is not a SEQUENCE of at least one element")?;
    (1_usize..)
        .zip(elements)
        .map(|(number, element)| RawElement::read(element).map_err(|why| format!("element {number}: {why}")))
        .collect()
}

impl<'a> RawElement<'a> {
    fn read(element: &'a [u8]) -> Result<Self, String> {
        let members = sequence(element, 2).unwrap_or_default();
        let [kind, claims] = members.as_slice() else {
            return Err("not a SEQUENCE of type and claims".to_owned());
        };
        let oid = ObjectIdentifier::from_der(kind).map_err(|_| "its type is not an object identifier")?;
        let claims = sequence(claims, MAX_CLAIMS)
            .filter(|claims| !claims.is_empty())
            .ok_or("its claims are not a SEQUENCE of at least one")?;
        let claims = claims.into_iter().map(|claim| {
            let members = sequence(claim, 2).unwrap_or_default();
            let oid = members.first().and_then(|oid| ObjectIdentifier::from_der(oid).ok());
            oid.map(|oid| (oid, members.get(1).copied()))
                .ok_or_else(|| "a claim is not a SEQUENCE of type and value".to_owned())
        });
        Ok(Self { oid, claims: claims.collect::<Result<_, _>>()? })
    }
}

/// The encoding of the values: all context-tagged, or none.
fn encoding(elements: &[RawElement<'_>], faults: &mut Vec<String>) -> Encoding {
    let values = elements.iter().flat_map(|e| &e.claims).filter_map(|(_, value)| *value);
    let used: BTreeSet<Encoding> = values.map(Encoding::of).collect();
    if used.len() > 1 {
        faults.push("values of the current encoding and of the older one".to_owned());
    }
    used.first().copied().unwrap_or(Encoding::Current)
}

impl Contents {
    fn add(&mut self, number: usize, element: &RawElement<'_>, faults: &mut Vec<String>) {
        let Some(Named::Element(kind)) = self.arc.name(element.oid).filter(is_known_element) else {
            self.ignored.push(format!("element {}", element.oid));
            return;
        };
        let claims =
            self.read_claims(kind, element, &mut |why| faults.push(format!("element {number}: {why}")));
        let single = match kind {
            kind::TRANSACTION => &mut self.transaction,
            kind::PLATFORM => &mut self.platform,
            _ => {
                if claims.text(key::IDENTIFIER).is_none() {
                    faults.push(format!("element {number}: a key without identifier"));
                }
                self.keys.push(claims);
                return;
            }
        };
        if single.replace(claims).is_some() {
            let name = if kind == kind::TRANSACTION { "transaction" } else { "platform" };
            faults.push(format!("element {number}: a second {name} element"));
        }
    }

    fn read_claims(&mut self, kind: u32, element: &RawElement<'_>, fault: &mut dyn FnMut(String)) -> Claims {
        let mut claims = Claims::default();
        for (oid, value) in &element.claims {
            let named = match self.arc.name(*oid) {
                Some(Named::Claim(k, n)) => current_number(self.encoding, k, n).map(|n| (k, n)),
                _ => None,
            };
            let known = named.and_then(|(k, n)| CLAIMS.iter().find(|(kk, nn, ..)| (*kk, *nn) == (k, n)));
            let Some((of, number, name, shape, repeatable)) = known else {
                self.ignored.push(format!("claim {oid}"));
                continue;
            };
            if *of != kind {
                fault(format!("claim {name} belongs to another kind of element"));
                continue;
            }
            match value.ok_or_else(|| "has no value".to_owned()).and_then(|v| shape.read(self.encoding, v)) {
                Ok(given) => {
                    let values = claims.0.entry(*number).or_default();
                    values.push(given);
                    if values.len() > 1 && !repeatable {
                        fault(format!("claim {name} is there twice"));
                    }
                }
                Err(why) => fault(format!("claim {name} {why}")),
            }
        }
        if claims.number(platform::FIPSLEVEL).is_some_and(|level| !(1..=4).contains(&level)) {
            fault("claim fipslevel is not 1, 2, 3 or 4".to_owned());
        }
        claims
    }

    fn check_identifiers(&self, faults: &mut Vec<String>) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for key in &self.keys {
            let own: BTreeSet<&str> = key.texts(key::IDENTIFIER).collect();
            for shared in own.intersection(&seen) {
                faults.push(format!("two keys have the identifier {shared:?}"));
            }
            seen.extend(own);
        }
    }
}

fn is_known_element(named: &Named) -> bool {
    matches!(named, Named::Element(kind::TRANSACTION | kind::PLATFORM | kind::KEY))
}
