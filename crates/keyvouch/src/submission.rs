//! What a verifier is asked to judge.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::time::Time;

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
        }
    }

    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Bool => value.is_boolean(),
            Self::Number => value.is_u64(),
            Self::Text => value.is_string(),
            Self::List => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
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

/// Operator switches by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options(BTreeMap<String, Value>);

impl Options {
    /// Sets an option. Whether it exists and takes that value is checked by the verifier.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The first option that is unknown or of the wrong kind, and why.
    pub(crate) fn fault(&self, known: &[OptionDef]) -> Option<(String, String)> {
        self.0.iter().find_map(|(name, value)| match known.iter().find(|o| o.name == *name) {
            None => {
                let names: Vec<&str> = known.iter().map(|o| o.name).collect();
                Some((name.clone(), format!("no such option; there are: {}", names.join(", "))))
            }
            Some(option) if !option.kind.takes(value) => {
                Some((name.clone(), format!("takes {}, not {value}", option.kind.name())))
            }
            Some(_) => None,
        })
    }

    /// Whether a switch is on; off when not set.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether a switch that is on by default was turned off.
    #[must_use]
    pub fn is_off(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(false)
    }

    /// A number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The texts of a list; none when not set.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
}
