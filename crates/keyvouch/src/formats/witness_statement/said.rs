//! What a statement says: the JSON of docs/witness.schema.json, read strictly. A member that is not known is an error,
//! and so is a place of the template that nobody filled in: an auditor signs what he reads, and nothing else.

use serde_json::{Map, Value};

use crate::crypto::PublicKey;
use crate::input::{decode_base64, parse_json};
use crate::time::Time;
use crate::witness::{CLASSES, EXPORTABLE, PURPOSES, SCHEMA, SCHEMA_NAME};

/// Longer than any statement.
const MAX_STATEMENT: usize = 64 * 1024;
const MAX_TEXT: usize = 500;
const MAX_WITNESSES: usize = 16;

/// A statement.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) started: Time,
    pub(super) ended: Time,
    pub(super) place: Option<String>,
    pub(super) report: String,
    pub(super) report_sha256: Option<String>,
    pub(super) subscriber: Option<String>,
    pub(super) witnesses: Vec<Witness>,
    pub(super) device: Device,
    pub(super) key: Key,
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) remarks: Option<String>,
}

/// A person who was there.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    pub(super) name: String,
    pub(super) organisation: Option<String>,
    pub(super) role: String,
    pub(super) qualification: Option<String>,
}

/// The device in which the key was made.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) vendor: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) firmware: String,
    pub(super) class: &'static str,
    pub(super) fips_mode: Option<bool>,
    pub(super) mode: Option<String>,
    pub(super) certification: Option<String>,
}

/// The key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) public: PublicKey,
    pub(super) spki_sha256: String,
    pub(super) algorithm: String,
    pub(super) label: Option<String>,
    pub(super) generated_in_device: bool,
    pub(super) exportable: &'static str,
    pub(super) ever_exportable: Option<bool>,
    pub(super) purposes: Option<Vec<&'static str>>,
    pub(super) created_at: Option<Time>,
}

/// Whether the octets are such a statement, be it a broken one.
pub(super) fn looks_like_statement(octets: &[u8]) -> bool {
    let text = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    if text.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return false;
    }
    match parse_json(octets) {
        Ok(value) => is_statement(&value),
        Err(_) => octets.windows(SCHEMA_NAME.len()).any(|window| window == SCHEMA_NAME.as_bytes()),
    }
}

/// Whether the JSON says that it is such a statement, of whatever version.
pub(super) fn is_statement(value: &Value) -> bool {
    value.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with(SCHEMA_NAME))
}

impl Said {
    /// Reads a statement; an error says what is wrong with it.
    pub(super) fn read(octets: &[u8]) -> Result<Self, String> {
        if octets.len() > MAX_STATEMENT {
            return Err(format!("it is longer than {MAX_STATEMENT} bytes"));
        }
        let value = parse_json(octets).map_err(|why| why.to_string())?;
        let top = Members::of(
            &value,
            "",
            &["schema", "ceremony", "subscriber", "witnesses", "device", "key", "nonce", "remarks"],
        )?;
        let schema = top.text("schema")?;
        if schema != SCHEMA {
            return Err(format!("its schema is {schema:?}, and {SCHEMA:?} is the one that is known"));
        }
        let ceremony = top.object("ceremony", &["started", "ended", "place", "report", "report_sha256"])?;
        Ok(Self {
            started: ceremony.time("started")?,
            ended: ceremony.time("ended")?,
            place: ceremony.optional("place", Members::text)?,
            report: ceremony.text("report")?,
            report_sha256: ceremony.optional("report_sha256", Members::sha256)?,
            subscriber: top.optional("subscriber", Members::text)?,
            witnesses: witnesses(&top)?,
            device: Device::read(&top)?,
            key: Key::read(&top)?,
            nonce: top.optional("nonce", Members::hex)?,
            remarks: top.optional("remarks", Members::text)?,
        })
    }
}

fn witnesses(top: &Members<'_>) -> Result<Vec<Witness>, String> {
    let list = top.get("witnesses")?.as_array().filter(|l| (1..=MAX_WITNESSES).contains(&l.len()));
    let list = list.ok_or_else(|| format!("witnesses is not a list of 1 to {MAX_WITNESSES}"))?;
    let read = |(number, value): (usize, &Value)| {
        let one = Members::of(
            value,
            &format!("witnesses/{number}"),
            &["name", "organisation", "role", "qualification"],
        )?;
        Ok(Witness {
            name: one.text("name")?,
            organisation: one.optional("organisation", Members::text)?,
            role: one.text("role")?,
            qualification: one.optional("qualification", Members::text)?,
        })
    };
    list.iter().enumerate().map(read).collect()
}

impl Device {
    fn read(top: &Members<'_>) -> Result<Self, String> {
        let of = top.object(
            "device",
            &["vendor", "model", "serial", "firmware", "class", "fips_mode", "mode", "certification"],
        )?;
        Ok(Self {
            vendor: of.text("vendor")?,
            model: of.text("model")?,
            serial: of.text("serial")?,
            firmware: of.text("firmware")?,
            class: of.word("class", CLASSES)?,
            fips_mode: of.optional("fips_mode", Members::yes_or_no)?,
            mode: of.optional("mode", Members::text)?,
            certification: of.optional("certification", Members::text)?,
        })
    }
}

impl Key {
    fn read(top: &Members<'_>) -> Result<Self, String> {
        let of = top.object(
            "key",
            &[
                "spki",
                "spki_sha256",
                "algorithm",
                "label",
                "generated_in_device",
                "exportable",
                "ever_exportable",
                "purposes",
                "created_at",
            ],
        )?;
        let spki = decode_base64(of.long_text("spki")?.as_bytes()).ok_or("key/spki is not base64")?;
        Ok(Self {
            public: PublicKey::from_spki_der(&spki).map_err(|why| format!("key/spki: {why}"))?,
            spki_sha256: of.sha256("spki_sha256")?,
            algorithm: of.text("algorithm")?,
            label: of.optional("label", Members::text)?,
            generated_in_device: of.yes_or_no("generated_in_device")?,
            exportable: of.word("exportable", EXPORTABLE)?,
            ever_exportable: of.optional("ever_exportable", Members::yes_or_no)?,
            purposes: of.optional("purposes", Members::purposes)?,
            created_at: of.optional("created_at", Members::time)?,
        })
    }
}

/// The members of an object, none of which is unknown.
struct Members<'v> {
    place: String,
    map: &'v Map<String, Value>,
}

impl<'v> Members<'v> {
    fn of(value: &'v Value, place: &str, known: &[&str]) -> Result<Self, String> {
        let name = if place.is_empty() { "it" } else { place };
        let map = value.as_object().ok_or_else(|| format!("{name} is not an object"))?;
        if let Some(unknown) = map.keys().find(|member| !known.contains(&member.as_str())) {
            let shown: String = unknown.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
            return Err(format!("{name} has a member {shown:?}, which the schema does not have"));
        }
        Ok(Self { place: place.to_owned(), map })
    }

    fn object(&self, name: &str, known: &[&str]) -> Result<Self, String> {
        Self::of(self.get(name)?, name, known)
    }

    fn at(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}/{name}", self.place) }
    }

    fn get(&self, name: &str) -> Result<&'v Value, String> {
        self.map.get(name).ok_or_else(|| format!("{} is missing", self.at(name)))
    }

    /// A member that may be absent. `null` is not absent.
    fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        if self.map.contains_key(name) { read(self, name).map(Some) } else { Ok(None) }
    }

    fn long_text(&self, name: &str) -> Result<&'v str, String> {
        self.get(name)?.as_str().ok_or_else(|| format!("{} is not a text", self.at(name)))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        let text = self.long_text(name)?.trim();
        let at = || self.at(name);
        if text.starts_with('<') && text.ends_with('>') {
            return Err(format!("{} is not filled in", at()));
        }
        if text.is_empty() || text.chars().count() > MAX_TEXT {
            return Err(format!("{} is empty or longer than {MAX_TEXT} characters", at()));
        }
        if text.chars().any(hides) {
            return Err(format!("{} has characters that cannot be seen", at()));
        }
        Ok(text.to_owned())
    }

    fn yes_or_no(&self, name: &str) -> Result<bool, String> {
        self.get(name)?.as_bool().ok_or_else(|| format!("{} is not true or false", self.at(name)))
    }

    fn word(&self, name: &str, words: &'static [&'static str]) -> Result<&'static str, String> {
        let text = self.text(name)?;
        let known = words.iter().find(|word| **word == text);
        known.copied().ok_or_else(|| format!("{} is none of {}", self.at(name), words.join(", ")))
    }

    fn purposes(&self, name: &str) -> Result<Vec<&'static str>, String> {
        let wrong = || format!("{} is not a list of some of {}", self.at(name), PURPOSES.join(", "));
        let given = self.get(name)?.as_array().filter(|l| !l.is_empty()).ok_or_else(wrong)?;
        let known = |word: &Value| word.as_str().is_some_and(|word| PURPOSES.contains(&word));
        if !given.iter().all(known) {
            return Err(wrong());
        }
        // In the order of the vocabulary, each once.
        Ok(PURPOSES.iter().copied().filter(|word| given.iter().any(|g| g == word)).collect())
    }

    fn time(&self, name: &str) -> Result<Time, String> {
        self.text(name)?.parse().map_err(|why| format!("{}: {why}", self.at(name)))
    }

    fn hex(&self, name: &str) -> Result<Vec<u8>, String> {
        let decoded = hex::decode(self.text(name)?).ok().filter(|bytes| !bytes.is_empty());
        decoded.ok_or_else(|| format!("{} is not hexadecimal", self.at(name)))
    }

    fn sha256(&self, name: &str) -> Result<String, String> {
        let digest = self.hex(name)?;
        if digest.len() == 32 {
            Ok(hex::encode(digest))
        } else {
            Err(format!("{} is no SHA-256", self.at(name)))
        }
    }
}

/// Characters that make a text look like another: controls, and what turns or hides text.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
