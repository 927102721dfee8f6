//! Conceptual message wrappers (CMW, draft-ietf-rats-msg-wrap-23): evidence, results and other messages of RATS,
//! each with its media type, in JSON or CBOR.
//!
//! | form | JSON | CBOR |
//! |---|---|---|
//! | record | `[type, base64url, ?indicator]` | `[type or content-format, bytes, ?indicator]` |
//! | tag | – | a tag that stands for a content-format (RFC 9277), on bytes |
//! | collection | object of wrappers | map of wrappers |
//!
//! A wrapper is recognised by its shape ([`looks_like_json`], [`looks_like_cbor`]) and then read strictly. It says
//! nothing about whether what it wraps is genuine.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ::der::asn1::ObjectIdentifier;
use ::der::{Tag, asn1::Utf8StringRef};
use minicbor::Encoder;
use minicbor::data::Tag as CborTag;
use serde_json::{Map, Value};

use super::cbor::{self, Item};
use super::der::single;
use crate::input::parse_json;

/// The extension of certificates and requests that holds a wrapper: id-pe-cmw.
pub const EXTENSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.35");

/// How deep collections may nest.
const MAX_DEPTH: usize = 4;
/// How many records there may be in all.
const MAX_RECORDS: usize = 64;
/// The member of a collection that says what kind of collection it is.
const KIND: &str = "__cmwc_t";

/// First and last tag that stand for a content-format (RFC 9277, 4.3).
const FIRST_TAG: u64 = 1_668_546_817;
const LAST_TAG: u64 = 1_668_612_095;

/// A wrapper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cmw {
    /// One message.
    Record(Record),
    /// Several, by label.
    Collection(Collection),
}

/// A message and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What type the message is of.
    pub media: Media,
    /// The message.
    pub value: Vec<u8>,
    /// Which conceptual messages it holds, as bits; see [`indicator`].
    pub indicator: Option<u32>,
}

/// The bits of an indicator.
pub mod indicator {
    /// Reference values.
    pub const REFERENCE_VALUES: u32 = 1;
    /// Endorsements.
    pub const ENDORSEMENTS: u32 = 2;
    /// Evidence.
    pub const EVIDENCE: u32 = 4;
    /// Attestation results.
    pub const ATTESTATION_RESULTS: u32 = 8;
    /// An appraisal policy.
    pub const APPRAISAL_POLICY: u32 = 16;
}

/// The type of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// A media type, with its parameters.
    Type(String),
    /// A CoAP content-format (RFC 7252, 12.3).
    Format(u16),
}

/// Wrappers by label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// What kind of collection it is: a URI or an object identifier.
    pub kind: Option<String>,
    /// The members, at least one, in the order of the wrapper.
    pub members: Vec<(Label, Cmw)>,
}

/// The label of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// A text.
    Text(String),
    /// A number, in CBOR only.
    Number(i128),
}

/// Why something of the shape of a wrapper is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmwError {
    /// Neither record, nor tag, nor collection.
    #[error("neither a record, nor a tag, nor a collection")]
    Form,
    /// A type that is none.
    #[error("the type of a record is neither a media type nor a content-format")]
    Media,
    /// A value that is not in base64url.
    #[error("the value of a record is not base64url without padding")]
    Value,
    /// An indicator that is not a set of bits.
    #[error("the indicator of a record is not a positive number of 32 bits")]
    Indicator,
    /// A collection of nothing.
    #[error("a collection without members")]
    Empty,
    /// The kind of a collection is out of form.
    #[error("__cmwc_t is neither a URI nor an object identifier")]
    Kind,
    /// Collections nested too deep.
    #[error("collections nested deeper than {MAX_DEPTH}")]
    Depth,
    /// Too many records.
    #[error("more than {MAX_RECORDS} records")]
    Records,
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// The bytes are not CBOR.
    #[error("not CBOR: {0}")]
    Cbor(#[from] cbor::Error),
}

/// Whether JSON has the shape of a wrapper: an array that begins with a media type and a text, or an object of
/// nothing but such.
#[must_use]
pub fn looks_like_json(value: &Value) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => match items.as_slice() {
                [Value::String(media), Value::String(_)] | [Value::String(media), Value::String(_), _]
                    if is_media_type(media) => {}
                _ => return false,
            },
            Value::Object(members) => {
                let mut inside = members.iter().filter(|(name, _)| *name != KIND).map(|(_, v)| v).peekable();
                if inside.peek().is_none() {
                    return false;
                }
                open.extend(inside);
            }
            _ => return false,
        }
    }
    true
}

/// Whether CBOR has the shape of a wrapper.
#[must_use]
pub fn looks_like_cbor(item: &Item<'_>) -> bool {
    let mut open = vec![item];
    while let Some(item) = open.pop() {
        match item {
            Item::Tag(tag, inside) if content_format(*tag).is_some() && inside.as_bytes().is_some() => {}
            Item::Array(items) => match items.as_slice() {
                [media, Item::Bytes(_)] | [media, Item::Bytes(_), _]
                    if media.as_text().is_some_and(is_media_type) || media.as_int().is_some() => {}
                _ => return false,
            },
            Item::Map(map) => {
                let mut inside =
                    map.entries().filter(|(k, _)| k.as_text() != Some(KIND)).map(|(_, v)| v).peekable();
                if inside.peek().is_none() {
                    return false;
                }
                open.extend(inside);
            }
            _ => return false,
        }
    }
    true
}

impl Cmw {
    /// Reads a wrapper in JSON.
    ///
    /// # Errors
    /// When it is out of form or over a bound.
    pub fn from_json(value: &Value) -> Result<Self, CmwError> {
        let cmw = Self::json(value, 0)?;
        cmw.bounded()
    }

    /// Reads a wrapper in CBOR.
    ///
    /// # Errors
    /// When it is out of form or over a bound.
    pub fn from_cbor(item: &Item<'_>) -> Result<Self, CmwError> {
        let cmw = Self::cbor(item, 0)?;
        cmw.bounded()
    }

    /// Reads the content of the extension id-pe-cmw: a UTF8String with JSON, or an OCTET STRING with CBOR.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_extension(der: &[u8]) -> Result<Self, CmwError> {
        match single(der).ok_or(CmwError::Form)? {
            (Tag::Utf8String, text) => {
                let text = Utf8StringRef::new(text).map_err(|_| CmwError::Form)?;
                let json = parse_json(text.as_str().as_bytes()).map_err(|e| CmwError::Json(e.to_string()))?;
                Self::from_json(&json)
            }
            (Tag::OctetString, bytes) => Self::from_cbor(&cbor::read(bytes)?),
            _ => Err(CmwError::Form),
        }
    }

    /// Every record, with the labels that lead to it.
    #[must_use]
    pub fn records(&self) -> Vec<(String, &Record)> {
        let mut found = Vec::new();
        self.walk("", &mut found);
        found
    }

    /// The wrapper in JSON; `None` when something has no place there: a number as label or as type.
    #[must_use]
    pub fn to_json(&self) -> Option<Value> {
        match self {
            Self::Record(record) => record.to_json(),
            Self::Collection(collection) => {
                let mut members = Map::new();
                if let Some(kind) = &collection.kind {
                    members.insert(KIND.to_owned(), kind.as_str().into());
                }
                for (label, cmw) in &collection.members {
                    let Label::Text(label) = label else { return None };
                    members.insert(label.clone(), cmw.to_json()?);
                }
                Some(Value::Object(members))
            }
        }
    }

    /// The wrapper in CBOR.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a `Vec` cannot fail.
        let _ = self.encode(&mut encoder);
        encoder.into_writer()
    }

    fn json(value: &Value, depth: usize) -> Result<Self, CmwError> {
        match value {
            Value::Array(items) => {
                let (media, value, indicator) = match items.as_slice() {
                    [media, value] => (media, value, None),
                    [media, value, indicator] => (media, value, Some(indicator)),
                    _ => return Err(CmwError::Form),
                };
                let media = media.as_str().filter(|m| is_media_type(m)).ok_or(CmwError::Media)?;
                let value = value.as_str().ok_or(CmwError::Value)?;
                let indicator = indicator
                    .map(|i| i.as_u64().and_then(|i| u32::try_from(i).ok()).filter(|i| *i > 0))
                    .map(|i| i.ok_or(CmwError::Indicator))
                    .transpose()?;
                Ok(Self::Record(Record {
                    media: Media::Type(media.to_owned()),
                    value: URL_SAFE_NO_PAD.decode(value).map_err(|_| CmwError::Value)?,
                    indicator,
                }))
            }
            Value::Object(members) => {
                let kind = members.get(KIND).map(|kind| {
                    kind.as_str().filter(|k| is_kind(k)).map(str::to_owned).ok_or(CmwError::Kind)
                });
                let inside = members.iter().filter(|(name, _)| *name != KIND);
                Self::collection(
                    kind.transpose()?,
                    inside.map(|(name, value)| (Ok(Label::Text(name.clone())), value)),
                    |value| Self::json(value, deeper(depth)?),
                )
            }
            _ => Err(CmwError::Form),
        }
    }

    fn cbor(item: &Item<'_>, depth: usize) -> Result<Self, CmwError> {
        match item {
            Item::Tag(tag, inside) => {
                let format = content_format(*tag).ok_or(CmwError::Media)?;
                let value = inside.as_bytes().ok_or(CmwError::Form)?;
                Ok(Self::Record(Record {
                    media: Media::Format(format),
                    value: value.to_vec(),
                    indicator: None,
                }))
            }
            Item::Array(items) => {
                let (media, value, indicator) = match items.as_slice() {
                    [media, value] => (media, value, None),
                    [media, value, indicator] => (media, value, Some(indicator)),
                    _ => return Err(CmwError::Form),
                };
                let media = match media {
                    Item::Text(media) if is_media_type(media) => Media::Type((*media).to_owned()),
                    Item::Int(number) => Media::Format(u16::try_from(*number).map_err(|_| CmwError::Media)?),
                    _ => return Err(CmwError::Media),
                };
                let indicator = indicator
                    .map(|i| i.as_int().and_then(|i| u32::try_from(i).ok()).filter(|i| *i > 0))
                    .map(|i| i.ok_or(CmwError::Indicator))
                    .transpose()?;
                let value = value.as_bytes().ok_or(CmwError::Form)?;
                Ok(Self::Record(Record { media, value: value.to_vec(), indicator }))
            }
            Item::Map(map) => {
                let kind = map.text_key(KIND).map(|kind| {
                    let kind = match kind {
                        Item::Text(uri) => Some((*uri).to_owned()),
                        // An object identifier (RFC 9090).
                        Item::Tag(111, oid) => oid
                            .as_bytes()
                            .and_then(|b| ObjectIdentifier::from_bytes(b).ok())
                            .map(|o| o.to_string()),
                        _ => None,
                    };
                    kind.filter(|k| is_kind(k)).ok_or(CmwError::Kind)
                });
                let inside = map.entries().filter(|(key, _)| key.as_text() != Some(KIND));
                Self::collection(
                    kind.transpose()?,
                    inside.map(|(key, value)| {
                        let label = match key {
                            Item::Text(text) => Ok(Label::Text((*text).to_owned())),
                            Item::Int(number) => Ok(Label::Number(*number)),
                            _ => Err(CmwError::Form),
                        };
                        (label, value)
                    }),
                    |value| Self::cbor(value, deeper(depth)?),
                )
            }
            _ => Err(CmwError::Form),
        }
    }

    fn collection<T>(
        kind: Option<String>,
        inside: impl Iterator<Item = (Result<Label, CmwError>, T)>,
        read: impl Fn(T) -> Result<Self, CmwError>,
    ) -> Result<Self, CmwError> {
        let members =
            inside.map(|(label, value)| Ok((label?, read(value)?))).collect::<Result<Vec<_>, CmwError>>()?;
        if members.is_empty() {
            return Err(CmwError::Empty);
        }
        Ok(Self::Collection(Collection { kind, members }))
    }

    fn bounded(self) -> Result<Self, CmwError> {
        if self.records().len() > MAX_RECORDS { Err(CmwError::Records) } else { Ok(self) }
    }

    fn walk<'c>(&'c self, path: &str, found: &mut Vec<(String, &'c Record)>) {
        match self {
            Self::Record(record) => found.push((path.to_owned(), record)),
            Self::Collection(collection) => {
                for (label, cmw) in &collection.members {
                    let label = match label {
                        Label::Text(text) => text.clone(),
                        Label::Number(number) => number.to_string(),
                    };
                    let path = if path.is_empty() { label } else { format!("{path}/{label}") };
                    cmw.walk(&path, found);
                }
            }
        }
    }

    fn encode(
        &self,
        to: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
        match self {
            Self::Record(record) => {
                to.array(if record.indicator.is_some() { 3 } else { 2 })?;
                match &record.media {
                    Media::Type(media) => to.str(media)?,
                    Media::Format(number) => to.u16(*number)?,
                };
                to.bytes(&record.value)?;
                if let Some(indicator) = record.indicator {
                    to.u32(indicator)?;
                }
            }
            Self::Collection(collection) => {
                let count = collection.members.len().saturating_add(usize::from(collection.kind.is_some()));
                to.map(u64::try_from(count).unwrap_or(u64::MAX))?;
                if let Some(kind) = &collection.kind {
                    to.str(KIND)?;
                    match ObjectIdentifier::new(kind) {
                        Ok(oid) => to.tag(CborTag::new(111))?.bytes(oid.as_bytes())?,
                        Err(_) => to.str(kind)?,
                    };
                }
                for (label, cmw) in &collection.members {
                    match label {
                        Label::Text(text) => to.str(text)?,
                        Label::Number(number) => match minicbor::data::Int::try_from(*number) {
                            Ok(number) => to.int(number)?,
                            Err(_) => to.null()?,
                        },
                    };
                    cmw.encode(to)?;
                }
            }
        }
        Ok(())
    }
}

impl Record {
    /// Whether it may hold something to appraise: evidence or endorsements, or it does not say what.
    #[must_use]
    pub fn may_be_evidence(&self) -> bool {
        self.indicator.is_none_or(|i| i & (indicator::EVIDENCE | indicator::ENDORSEMENTS) != 0)
    }

    /// The media type without its parameters, in lower case; `None` for a content-format.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        match &self.media {
            Media::Type(media) => {
                Some(media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
            }
            Media::Format(_) => None,
        }
    }

    fn to_json(&self) -> Option<Value> {
        let Media::Type(media) = &self.media else { return None };
        let mut record = vec![Value::from(media.as_str()), URL_SAFE_NO_PAD.encode(&self.value).into()];
        record.extend(self.indicator.map(Value::from));
        Some(Value::Array(record))
    }
}

impl std::fmt::Display for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type(media) => f.write_str(media),
            Self::Format(number) => write!(f, "content-format {number}"),
        }
    }
}

fn deeper(depth: usize) -> Result<usize, CmwError> {
    if depth < MAX_DEPTH { Ok(depth.saturating_add(1)) } else { Err(CmwError::Depth) }
}

/// The content-format that a tag stands for (RFC 9277, 4.3): every 256th tag of the range stands for none.
fn content_format(tag: u64) -> Option<u16> {
    if !(FIRST_TAG..=LAST_TAG).contains(&tag) {
        return None;
    }
    let offset = tag.checked_sub(FIRST_TAG)?;
    let (block, within) = (offset.checked_div(256)?, offset.checked_rem(256)?);
    let format = block.checked_mul(255)?.checked_add(within)?;
    (within < 255).then(|| u16::try_from(format).ok())?
}

/// `type/subtype` of the characters of RFC 6838, 4.2, and parameters, which are not looked at.
fn is_media_type(text: &str) -> bool {
    let name = text.split(';').next().unwrap_or_default().trim_end();
    let word = |word: &str| {
        (1..=127).contains(&word.len())
            && word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    name.split_once('/').is_some_and(|(kind, subtype)| word(kind) && word(subtype))
}

/// A URI (its scheme is looked at) or an object identifier in dotted decimal.
fn is_kind(text: &str) -> bool {
    let uri = text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
    });
    uri || ObjectIdentifier::new(text).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn cbor(hex: &str) -> Result<Cmw, CmwError> {
        let bytes = hex::decode(hex).unwrap();
        let item = cbor::read(&bytes).unwrap();
        Cmw::from_cbor(&item)
    }

    #[test]
    fn records_and_collections_in_json() {
        let record = json!(["application/x; a=\"b/c\"", "AQI", 4]);
        let read = Cmw::from_json(&record).unwrap();
        assert!(looks_like_json(&record));
        assert_eq!(
            read,
            Cmw::Record(Record {
                media: Media::Type("application/x; a=\"b/c\"".into()),
                value: vec![1, 2],
                indicator: Some(4)
            })
        );
        assert_eq!(read.to_json(), Some(record.clone()));
        let nested = json!({"__cmwc_t": "tag:a,2026:b", "a": record, "b": {"c": ["text/x", "AQ"]}});
        let read = Cmw::from_json(&nested).unwrap();
        assert!(looks_like_json(&nested));
        assert_eq!(read.to_json(), Some(nested));
        let found: Vec<_> = read.records().into_iter().map(|(p, r)| (p, r.value.clone())).collect();
        assert_eq!(found, [("a".to_owned(), vec![1, 2]), ("b/c".to_owned(), vec![1])]);
        let item = cbor::read(&read.to_cbor()).map(|i| Cmw::from_cbor(&i).unwrap()).unwrap();
        assert_eq!(item, read);
    }

    #[test]
    fn records_tags_and_collections_in_cbor() {
        // [30001, h'2347da55', 4]; 1668576935(h'01'); {1: [...], "a": tag}
        let record = cbor("831975314101 04".replace(' ', "").as_str()).unwrap();
        assert_eq!(
            record,
            Cmw::Record(Record { media: Media::Format(30001), value: vec![1], indicator: Some(4) })
        );
        assert_eq!(record.to_json(), None);
        assert_eq!(hex::encode(record.to_cbor()), "83197531410104");
        let tag = cbor("da6374ffe64101").unwrap();
        assert_eq!(tag, Cmw::Record(Record { media: Media::Format(64999), value: vec![1], indicator: None }));
        let both = cbor("a201821975314101616 1da6374ffe64101".replace(' ', "").as_str()).unwrap();
        let labels: Vec<_> = both.records().into_iter().map(|(path, _)| path).collect();
        assert_eq!(labels, ["1", "a"]);
        let kind = "a2685f5f636d77635f74d86f4603010101016f6161821975314101";
        let Ok(Cmw::Collection(collection)) = cbor(kind) else { panic!("{:?}", cbor(kind)) };
        assert_eq!(hex::encode(Cmw::Collection(collection).to_cbor()), kind);
    }

    #[test]
    fn tags_of_content_formats() {
        assert_eq!(content_format(1_668_546_817), Some(0));
        assert_eq!(content_format(1_668_546_817 + 254), Some(254));
        assert_eq!(content_format(1_668_546_817 + 255), None);
        assert_eq!(content_format(1_668_546_817 + 256), Some(255));
        assert_eq!(content_format(1_668_612_070), Some(64_999));
        assert_eq!(content_format(1_668_612_095), Some(65_024));
        assert_eq!(content_format(1_668_612_096), None);
        assert_eq!(content_format(18), None);
    }

    #[test]
    fn what_is_out_of_form_is_refused() {
        let mut deep = json!(["a/b", "AQ"]);
        for _ in 0..=MAX_DEPTH {
            deep = json!({ "a": deep });
        }
        let many: Map<String, Value> =
            (0..=MAX_RECORDS).map(|n| (n.to_string(), json!(["a/b", "AQ"]))).collect();
        for (value, why) in [
            (json!(["a/b", "AQ=="]), CmwError::Value),
            // Bits that decode to nothing: the same bytes written in two ways.
            (json!(["a/b", "AR"]), CmwError::Value),
            (json!(["a/b", "+/"]), CmwError::Value),
            (json!(["a/b", "AQ", 0]), CmwError::Indicator),
            (json!(["a/b", "AQ", 4.0]), CmwError::Indicator),
            (json!(["a/b", "AQ", -1]), CmwError::Indicator),
            (json!(["a b", "AQ"]), CmwError::Media),
            (json!(["a/b"]), CmwError::Form),
            (json!({}), CmwError::Empty),
            (json!({"__cmwc_t": "a:b"}), CmwError::Empty),
            (json!({"__cmwc_t": "no", "a": ["a/b", "AQ"]}), CmwError::Kind),
            (json!({"a": "b"}), CmwError::Form),
            (deep, CmwError::Depth),
            (Value::Object(many), CmwError::Records),
        ] {
            assert_eq!(Cmw::from_json(&value), Err(why), "{value}");
        }
        for (hex, why) in [
            ("8200f6", CmwError::Form),
            ("821a0001000041aa", CmwError::Media),
            ("822041aa", CmwError::Media),
            ("830041aa00", CmwError::Indicator),
            ("d241aa", CmwError::Media),
            ("a0", CmwError::Empty),
            ("a14101820041aa", CmwError::Form),
        ] {
            assert_eq!(cbor(hex), Err(why), "{hex}");
        }
    }

    #[test]
    fn other_json_is_not_taken_for_one() {
        for value in [
            json!([]),
            json!({}),
            json!(["-----BEGIN CERTIFICATE-----\n", "a"]),
            json!(["MIIB/AA==", "MIIB"]),
            json!(["a/b", "AQ", 4, 4]),
            json!({"fmt": "packed", "a": ["a/b", "AQ"]}),
            json!({"__cmwc_t": "a:b"}),
        ] {
            assert!(!looks_like_json(&value), "{value}");
        }
    }

    #[test]
    fn the_extension_holds_json_or_cbor() {
        let json = b"\x0c\x0d[\"a/b\",\"AQI\"]";
        let expected = Record { media: Media::Type("a/b".into()), value: vec![1, 2], indicator: None };
        assert_eq!(Cmw::from_extension(json), Ok(Cmw::Record(expected)));
        assert_eq!(Cmw::from_extension(b"\x04\x04\x82\x00\x41\xaa").map(|c| c.records().len()), Ok(1));
        for der in
            [&b"\x0c\x01["[..], b"\x04\x01\x82", b"\x05\x00", b"\x0c\x02\xc3\x28", b"", b"\x04\x00\x00"]
        {
            assert!(Cmw::from_extension(der).is_err(), "{der:x?}");
        }
    }
}
