//! What an App Attest leaf says beyond its key: the nonce, the app, and the operating system.

use der::asn1::ObjectIdentifier;
use der::{Tag, TagNumber};
use serde_json::{Map, Value};

use crate::pki::Certificate;
use crate::wire::der::{content, sequence, single};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const NONCE: ObjectIdentifier = oid("1.2.840.113635.100.8.2");
const KEY_DESCRIPTION: ObjectIdentifier = oid("1.2.840.113635.100.8.5");
const OS_INFORMATION: ObjectIdentifier = oid("1.2.840.113635.100.8.7");

const APP_ID: u32 = 1204;
const OS_VERSION: u32 = 1400;
const OS_BUILD: u32 = 1403;
const PLATFORM: u32 = 1026;
const BUILD_VARIANT: u32 = 1029;

/// More members than any leaf has.
const MAX_MEMBERS: usize = 64;

/// The nonce: SEQUENCE { [1] EXPLICIT OCTET STRING (32) }, and nothing else.
pub(super) fn nonce(leaf: &Certificate) -> Option<&[u8]> {
    const HEADER: [u8; 6] = [0x30, 0x24, 0xa1, 0x22, 0x04, 0x20];
    leaf.extension(NONCE)?.value.strip_prefix(&HEADER).filter(|nonce| nonce.len() == 32)
}

/// What is described in members of a numbered kind each. Most numbers are not documented.
struct Described<'a>(Vec<(u32, &'a [u8])>);

impl<'a> Described<'a> {
    fn read(leaf: &'a Certificate, oid: ObjectIdentifier) -> Option<Self> {
        let members = sequence(leaf.extension(oid)?.value, MAX_MEMBERS)?;
        let numbered = |member| match single(member)? {
            (Tag::ContextSpecific { constructed: true, number: TagNumber(number) }, inner) => {
                Some((number, inner))
            }
            _ => None,
        };
        members.into_iter().map(numbered).collect::<Option<_>>().map(Self)
    }

    /// The text of the one member with this number.
    fn text(&self, number: u32) -> Option<&'a str> {
        let mut found = self.0.iter().filter(|(n, _)| *n == number);
        let (_, inner) = found.next()?;
        let text = content(inner, Tag::OctetString).filter(|_| found.next().is_none())?;
        std::str::from_utf8(text).ok()
    }

    fn view(&self) -> Value {
        let shown = |inner: &[u8]| match single(inner) {
            Some((Tag::Integer, number)) => format!("0x{}", hex::encode(number)),
            Some((_, value)) => match std::str::from_utf8(value) {
                Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
                _ => hex::encode(value),
            },
            None => hex::encode(inner),
        };
        let members: Map<String, Value> =
            self.0.iter().map(|(number, inner)| (number.to_string(), shown(inner).into())).collect();
        members.into()
    }
}

/// The app id: team id, a dot, bundle id.
pub(super) fn app_id(leaf: &Certificate) -> Option<&str> {
    Described::read(leaf, KEY_DESCRIPTION)?.text(APP_ID)
}

/// The operating system, as far as the leaf says.
#[derive(Debug, Clone, Default)]
pub(super) struct Os {
    pub(super) version: Option<String>,
    pub(super) build: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) variant: Option<String>,
}

impl Os {
    pub(super) fn of(leaf: &Certificate) -> Self {
        let Some(described) = Described::read(leaf, OS_INFORMATION) else { return Self::default() };
        let text = |number| described.text(number).map(str::to_owned);
        Self {
            version: text(OS_VERSION),
            build: text(OS_BUILD),
            platform: text(PLATFORM),
            variant: text(BUILD_VARIANT),
        }
    }
}

/// The numbered members for people.
pub(super) fn view(leaf: &Certificate) -> Value {
    let of = |oid| Described::read(leaf, oid).map(|d| d.view());
    serde_json::json!({
        "nonce": nonce(leaf).map(hex::encode),
        "key_description": of(KEY_DESCRIPTION),
        "os_information": of(OS_INFORMATION),
    })
}
