//! What the operator says of the content's fields: I4P's syntax is not public.
//!
//! Each text of the option `i4p_mapping` is one content type: its object identifier, then `claim=path` pairs.
//!
//! ```text
//! 1.3.6.1.4.1.99999.1 public-key=2 generated=3 exportable=4 created=5
//! 1.3.6.1.4.1.99999.2 public-key=/key/spki generated=/key/local
//! ```
//!
//! A path into DER counts members from 0, one number a level; where it goes on below an OCTET STRING, that holds DER.
//! A path into JSON is a pointer (RFC 6901). The form of the paths says what the content is.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};
use serde_json::Value as Json;

use crate::crypto::PublicKey;
use crate::input::{decode_base64, find_pem, parse_json};
use crate::submission::Options;
use crate::time::Time;
use crate::wire::der::{children, content, single, time};

const OPTION: &str = "i4p_mapping";
const MAX_MEMBERS: usize = 256;
const MAX_DEPTH: usize = 16;

/// The claims that a path can be given for.
const CLAIMS: [&str; 5] = ["public-key", "generated", "exportable", "created", "serial"];

/// The paths for one content type.
#[derive(Debug, Clone, Default)]
pub(super) struct Mapping {
    /// In the order of [`CLAIMS`].
    paths: [Option<Path>; CLAIMS.len()],
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Path {
    Der(Vec<usize>),
    Json(String),
}

/// What the mapped fields say.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) key: PublicKey,
    pub(super) generated: Option<bool>,
    pub(super) exportable: Option<bool>,
    pub(super) created: Option<Time>,
    pub(super) serial: Option<String>,
}

impl Mapping {
    /// The mapping for a content type. `Ok(None)`: the operator gave none.
    ///
    /// # Errors
    /// When the option cannot be read: then it says nothing about any content.
    pub(super) fn of(options: &Options, kind: ObjectIdentifier) -> Result<Option<Self>, String> {
        let mut found = None;
        for text in options.list(OPTION) {
            let (oid, mapping) = Self::read(text).map_err(|why| format!("{OPTION}: {text:?}: {why}"))?;
            if oid == kind && found.replace(mapping).is_some() {
                return Err(format!("{OPTION} maps content type {kind} twice"));
            }
        }
        Ok(found)
    }

    fn read(text: &str) -> Result<(ObjectIdentifier, Self), String> {
        let mut words = text.split_whitespace();
        let oid = words.next().and_then(|word| ObjectIdentifier::new(word).ok());
        let oid = oid.ok_or("does not begin with an object identifier")?;
        let mut mapping = Self::default();
        for word in words {
            let (claim, path) = word.split_once('=').ok_or_else(|| format!("{word:?} is not claim=path"))?;
            let slot = CLAIMS.iter().position(|c| *c == claim).and_then(|at| mapping.paths.get_mut(at));
            let slot = slot.ok_or_else(|| format!("{claim:?} is none of {}", CLAIMS.join(", ")))?;
            if slot.replace(Path::read(path)?).is_some() {
                return Err(format!("{claim} is there twice"));
            }
        }
        let kinds = |json: bool| mapping.paths.iter().flatten().any(|p| matches!(p, Path::Json(_)) == json);
        if kinds(true) && kinds(false) {
            return Err("paths into DER and into JSON".to_owned());
        }
        if mapping.paths.first().is_none_or(Option::is_none) {
            return Err("there is no path for public-key".to_owned());
        }
        Ok((oid, mapping))
    }

    /// Reads the mapped fields. A field other than the key may be absent; one that is there must have its form.
    pub(super) fn apply(&self, octets: &[u8]) -> Result<Fields, String> {
        let json = if self.paths.iter().flatten().any(|p| matches!(p, Path::Json(_))) {
            Some(parse_json(octets).map_err(|e| format!("the content is not JSON: {e}"))?)
        } else {
            single(octets).ok_or("the content is not one DER value")?;
            None
        };
        let [key, generated, exportable, created, serial] =
            self.paths.each_ref().map(|path| path.as_ref().and_then(|p| p.find(octets, json.as_ref())));
        let wrong = |claim: &str| format!("the field for {claim} does not have the form of one");
        Ok(Fields {
            key: key
                .ok_or("the content has no field for public-key")?
                .key()
                .ok_or_else(|| wrong("public-key"))?,
            generated: generated.map(|f| f.flag().ok_or_else(|| wrong("generated"))).transpose()?,
            exportable: exportable.map(|f| f.flag().ok_or_else(|| wrong("exportable"))).transpose()?,
            created: created.map(|f| f.time().ok_or_else(|| wrong("created"))).transpose()?,
            serial: serial.map(|f| f.text().ok_or_else(|| wrong("serial"))).transpose()?,
        })
    }
}

impl Path {
    fn read(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Json(text.to_owned()));
        }
        let steps: Result<Vec<usize>, _> = text.split('.').map(str::parse).collect();
        let steps = steps.ok().filter(|steps| steps.len() <= MAX_DEPTH);
        steps
            .map(Self::Der)
            .ok_or_else(|| format!("{text:?} is neither numbers with dots nor a JSON pointer"))
    }

    fn find<'a>(&self, octets: &'a [u8], json: Option<&'a Json>) -> Option<Field<'a>> {
        match self {
            Self::Json(pointer) => json?.pointer(pointer).map(Field::Json),
            Self::Der(steps) => steps
                .iter()
                .try_fold(octets, |tlv, step| {
                    let (tag, value) = single(tlv)?;
                    let holds = tag.is_constructed() || tag == Tag::OctetString;
                    let members = if holds { children(value, MAX_MEMBERS)? } else { return None };
                    members.get(*step).copied()
                })
                .map(Field::Der),
        }
    }
}

/// A field, as it stands.
#[derive(Clone, Copy)]
enum Field<'a> {
    Der(&'a [u8]),
    Json(&'a Json),
}

impl Field<'_> {
    /// A SubjectPublicKeyInfo, bare or inside a string; in JSON its base64 or PEM.
    fn key(self) -> Option<PublicKey> {
        match self {
            Self::Der(tlv) => {
                let spki = content(tlv, Tag::OctetString).unwrap_or(tlv);
                PublicKey::from_spki_der(spki).ok()
            }
            Self::Json(value) => {
                let text = value.as_str()?;
                let blocks = find_pem(text);
                let spki = match blocks.as_slice() {
                    [] => decode_base64(text.as_bytes())?,
                    [only] if only.label == "PUBLIC KEY" => only.der.clone()?,
                    _ => return None,
                };
                PublicKey::from_spki_der(&spki).ok()
            }
        }
    }

    fn flag(self) -> Option<bool> {
        match self {
            Self::Der(tlv) => match content(tlv, Tag::Boolean)? {
                [0] => Some(false),
                [0xff] => Some(true),
                _ => None,
            },
            Self::Json(value) => value.as_bool(),
        }
    }

    fn time(self) -> Option<Time> {
        match self {
            Self::Der(tlv) => time(tlv),
            Self::Json(value) => value.as_str()?.parse().ok(),
        }
    }

    /// Text; a whole number as its digits.
    fn text(self) -> Option<String> {
        match self {
            Self::Der(tlv) => match single(tlv)? {
                (Tag::Utf8String | Tag::PrintableString | Tag::Ia5String, text) => {
                    std::str::from_utf8(text).ok().map(str::to_owned)
                }
                (Tag::Integer, _) => u64::from_der(tlv).ok().map(|number| number.to_string()),
                (Tag::OctetString, bytes) => Some(hex::encode(bytes)),
                _ => None,
            },
            Self::Json(Json::String(text)) => Some(text.clone()),
            Self::Json(Json::Number(number)) => number.as_u64().map(|number| number.to_string()),
            Self::Json(_) => None,
        }
    }
}
