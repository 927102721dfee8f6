//! What a verifier is asked to judge.

mod shared;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::time::Time;

pub use shared::SharedBytes;

/// A file as it was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, for reports only.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl File {
    /// A file from name and bytes.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// Evidence, and what it is to be judged against.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Evidence files, in any order.
    pub evidence: Vec<File>,
    /// The certification request, certificate or public key that must hold the attested key.
    pub request: Option<File>,
    /// The nonce that the verifier had given out.
    pub nonce: Option<Vec<u8>>,
    /// The time at which everything is judged.
    pub at: Time,
    /// Operator switches, by name; each format says which it knows.
    pub options: Options,
}

impl Submission {
    /// Evidence to be judged at a time; no request, nonce or options.
    #[must_use]
    pub fn new(evidence: Vec<File>, at: Time) -> Self {
        Self { evidence, request: None, nonce: None, at, options: Options::default() }
    }
}

/// What an option holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// `true` or `false`.
    Bool,
    /// A whole number that is not negative.
    Number,
    /// Text.
    Text,
    /// A list of texts.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A JSON object.
    Object,
    /// A file, set with [`Options::set_file`].
    File,
}

impl OptionKind {
    /// What it is called in errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Number => "a whole number",
            Self::Text => "text",
            Self::List => "a list of texts, written as a JSON array",
            Self::Choice(_) => "one of a few words",
            Self::Object => "a JSON object",
            Self::File => "a file",
        }
    }

    /// The value of an option as a person writes it. Whether the option takes it is for the verifier to say.
    #[must_use]
    pub fn read(kind: Option<Self>, text: &str) -> Value {
        let json = || serde_json::from_str::<Value>(text).ok();
        let plain = || Value::from(text);
        match kind {
            Some(Self::Text | Self::Choice(_)) => plain(),
            Some(Self::Object) => json().filter(Value::is_object).unwrap_or_else(plain),
            Some(Self::List) => json().filter(Value::is_array).unwrap_or_else(|| Value::from(vec![text])),
            _ => json().filter(|v| v.is_boolean() || v.is_number() || v.is_array()).unwrap_or_else(plain),
        }
    }

    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Bool => value.is_boolean(),
            Self::Number => value.is_u64(),
            Self::Text => value.is_string(),
            Self::List => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::Object => value.is_object(),
            Self::File => false,
        }
    }
}

/// An operator switch that a format, or every format, knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionDef {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: OptionKind,
    /// What it does.
    pub about: &'static str,
}

/// The option of that name, of every format or of one.
#[must_use]
pub fn known_option(name: &str) -> Option<&'static OptionDef> {
    let mut known = crate::SHARED_OPTIONS.iter().chain(crate::formats::about().flat_map(|a| a.options));
    known.find(|option| option.name == name)
}

/// Operator switches by name.
#[derive(Clone, Default, PartialEq)]
pub struct Options {
    values: BTreeMap<String, Value>,
    files: BTreeMap<String, SharedBytes>,
}

impl fmt::Debug for Options {
    /// Without the content of files: it may be a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("values", &self.values)
            .field("files", &self.files.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl Options {
    /// Sets an option. Whether it exists and takes that value is checked by the verifier.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.values.insert(name.into(), value.into());
    }

    /// Sets an option that takes a file to its content.
    pub fn set_file(&mut self, name: impl Into<String>, bytes: impl Into<SharedBytes>) {
        self.files.insert(name.into(), bytes.into());
    }

    /// The options that were set and are no files, by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The options that were set to the content of files, by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &SharedBytes)> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes))
    }

    /// Sets an option as examples state it: the text of an option that takes a file is the content of the file.
    pub fn set_inline(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        let mut known = crate::formats::about().flat_map(|a| a.options);
        match (known.find(|o| o.name == name).map(|o| o.kind), value) {
            (Some(OptionKind::File), Value::String(content)) => self.set_file(name, content),
            (_, value) => self.set(name, value),
        }
    }

    /// The first option that is unknown or of the wrong kind, and why.
    pub(crate) fn fault(&self, known: &[OptionDef]) -> Option<(String, String)> {
        let unknown = || {
            let names: Vec<&str> = known.iter().map(|o| o.name).collect();
            format!("no such option; there are: {}", names.join(", "))
        };
        let of = |name: &str| known.iter().find(|o| o.name == name);
        let value = self.values.iter().find_map(|(name, value)| match of(name) {
            None => Some((name.clone(), unknown())),
            Some(OptionDef { kind: OptionKind::Choice(words), .. })
                if !value.as_str().is_some_and(|word| words.contains(&word)) =>
            {
                Some((name.clone(), format!("takes one of {}, not {value}", words.join(", "))))
            }
            Some(option) if !option.kind.takes(value) => {
                Some((name.clone(), format!("takes {}, not {value}", option.kind.name())))
            }
            Some(_) => None,
        });
        value.or_else(|| {
            self.files.keys().find_map(|name| match of(name) {
                None => Some((name.clone(), unknown())),
                Some(OptionDef { kind: OptionKind::File, .. }) => None,
                Some(option) => Some((name.clone(), format!("takes {}, not a file", option.kind.name()))),
            })
        })
    }

    /// The same options without those whose names are not wanted: for evidence inside other evidence.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let values = self.values.iter().filter(|(name, _)| wanted(name));
        let files = self.files.iter().filter(|(name, _)| wanted(name));
        Self {
            values: values.map(|(name, value)| (name.clone(), value.clone())).collect(),
            files: files.map(|(name, bytes)| (name.clone(), bytes.clone())).collect(),
        }
    }

    /// Whether an option with a value is set at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether a switch is on; off when not set.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether a switch that is on by default was turned off.
    #[must_use]
    pub fn is_off(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool) == Some(false)
    }

    /// A number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.values.get(name).and_then(Value::as_u64)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// The texts of a list; none when not set.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The members of a JSON object.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&serde_json::Map<String, Value>> {
        self.values.get(name).and_then(Value::as_object)
    }

    /// The content of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|bytes| &**bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: &[OptionDef] = &[
        OptionDef { name: "word", kind: OptionKind::Choice(&["one", "two"]), about: "" },
        OptionDef { name: "record", kind: OptionKind::Object, about: "" },
        OptionDef { name: "key", kind: OptionKind::File, about: "" },
    ];

    #[test]
    fn option_values_are_read_as_the_option_takes_them() {
        for (kind, text, value) in [
            (Some(OptionKind::Bool), "true", json!(true)),
            (Some(OptionKind::Bool), "yes", json!("yes")),
            (Some(OptionKind::Number), "12", json!(12)),
            (Some(OptionKind::Text), "12", json!("12")),
            (Some(OptionKind::List), "[\"a\", \"b\"]", json!(["a", "b"])),
            (Some(OptionKind::List), "12", json!(["12"])),
            (Some(OptionKind::Object), "{\"a\": 1}", json!({"a": 1})),
            (Some(OptionKind::Object), "{", json!("{")),
            (None, "{}", json!("{}")),
        ] {
            assert_eq!(OptionKind::read(kind, text), value, "{text}");
        }
    }

    #[test]
    fn options_are_of_their_kind() {
        let mut options = Options::default();
        options.set("word", "two");
        options.set("record", serde_json::json!({"a": 1}));
        options.set_file("key", *b"secret");
        assert_eq!(options.fault(KNOWN), None);
        assert_eq!(options.text("word"), Some("two"));
        assert_eq!(options.object("record").and_then(|r| r.get("a")), Some(&1.into()));
        assert_eq!(options.file("key"), Some(&b"secret"[..]));
        assert!(!format!("{options:?}").contains("115"), "the content of a file is not printed");
    }

    #[test]
    fn other_kinds_are_faults() {
        let fault = |change: &dyn Fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            options.fault(KNOWN).map(|(_, why)| why).unwrap_or_default()
        };
        assert_eq!(fault(&|o| o.set("word", "three")), "takes one of one, two, not \"three\"");
        assert_eq!(fault(&|o| o.set("record", "text")), "takes a JSON object, not \"text\"");
        assert_eq!(fault(&|o| o.set("key", "key.pem")), "takes a file, not \"key.pem\"");
        assert_eq!(fault(&|o| o.set_file("word", *b"x")), "takes one of a few words, not a file");
        assert_eq!(fault(&|o| o.set_file("no", *b"x")), "no such option; there are: word, record, key");
    }
}
