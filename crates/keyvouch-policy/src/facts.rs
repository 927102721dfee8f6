//! What a policy can speak of: one table of attributes, and their values for an appraisal.
//!
//! An attribute that nobody proved is [`Fact::Unknown`] and absent from the Cedar context. The table and
//! `data/policies/keyvouch.cedarschema` say the same; a test compares them.

use std::collections::BTreeMap;

use cedar_policy::{Context, RestrictedExpression};
use keyvouch::appraisal::Appraisal;
use keyvouch::{Basis, ClaimName, Value};

use crate::certified::{Aspect, Class, Listed, certified};
use crate::settings::{self, Settings};

/// Something that a policy can speak of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Its place in the Cedar context, dotted.
    pub(crate) path: &'static str,
    /// Where its value comes from.
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Claim(ClaimName, Kind),
    /// What comes before the dash of the claim `key.algorithm`.
    Family,
    /// The size in it, of an RSA key.
    RsaBits,
    Binding,
    Findings,
    Format,
    Freshness,
    Route,
    Certified(Class, Aspect),
    Setting(usize),
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    #[cfg(test)]
    Long,
    Text,
    Words,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact<'a> {
    /// Nobody proved it.
    Unknown,
    /// It is known that there is no such thing.
    Without,
    Bool(bool),
    Long(u32),
    Text(&'a str),
    Words(Vec<&'a str>),
}

/// The knobs by which [`certified`] counts.
const COUNTING: &[usize] = &[settings::FIPS_MODE_UNKNOWN, settings::MODEL_ONLY_CERTIFICATIONS];

const fn claim(path: &'static str, name: ClaimName, kind: Kind) -> Attribute {
    Attribute { path, source: Source::Claim(name, kind) }
}

const fn of(path: &'static str, source: Source) -> Attribute {
    Attribute { path, source }
}

macro_rules! class_attributes {
    ($($name:literal = $class:expr;)* then $($rest:expr,)*) => {
        &[
            $(
                of(concat!("certification.", $name, ".active"), Source::Certified($class, Aspect::Active)),
                of(concat!("certification.", $name, ".conceded"), Source::Certified($class, Aspect::Conceded)),
                of(concat!("certification.", $name, ".firmware"), Source::Certified($class, Aspect::Firmware)),
                of(concat!("certification.", $name, ".held"), Source::Certified($class, Aspect::Held)),
                of(concat!("certification.", $name, ".mode"), Source::Certified($class, Aspect::Mode)),
            )*
            $($rest,)*
        ]
    };
}

/// Every attribute.
pub(crate) const ATTRIBUTES: &[Attribute] = class_attributes! {
    "eal_4_plus" = Class::Eal4Plus;
    "fips_1" = Class::Fips(1);
    "fips_2" = Class::Fips(2);
    "fips_2_or_eal_4_plus" = Class::FipsOrEal4Plus(2);
    "fips_3" = Class::Fips(3);
    "fips_3_or_eal_4_plus" = Class::FipsOrEal4Plus(3);
    "fips_4" = Class::Fips(4);
    "qscd" = Class::Qscd;
    then
    claim("auth.pin", ClaimName::AuthPin, Kind::Text),
    claim("auth.touch", ClaimName::AuthTouch, Kind::Text),
    claim("auth.user_verification", ClaimName::AuthUserVerification, Kind::Text),
    claim("device.class", ClaimName::DeviceClass, Kind::Text),
    claim("device.fips_mode", ClaimName::DeviceFipsMode, Kind::Bool),
    claim("device.firmware", ClaimName::DeviceFirmware, Kind::Text),
    claim("device.model", ClaimName::DeviceModel, Kind::Text),
    claim("device.serial", ClaimName::DeviceSerial, Kind::Text),
    claim("device.vendor", ClaimName::DeviceVendor, Kind::Text),
    of("evidence.binding", Source::Binding),
    of("evidence.findings", Source::Findings),
    of("evidence.format", Source::Format),
    of("evidence.freshness", Source::Freshness),
    of("evidence.route", Source::Route),
    claim("key.algorithm", ClaimName::KeyAlgorithm, Kind::Text),
    claim("key.created_at", ClaimName::KeyCreatedAt, Kind::Text),
    claim("key.ever_exportable", ClaimName::KeyEverExportable, Kind::Bool),
    claim("key.exportable", ClaimName::KeyExportable, Kind::Text),
    of("key.family", Source::Family),
    claim("key.generated_in_device", ClaimName::KeyGeneratedInDevice, Kind::Bool),
    claim("key.purposes", ClaimName::KeyPurposes, Kind::Words),
    of("key.rsa_bits", Source::RsaBits),
    claim("key.spki_sha256", ClaimName::KeySpkiSha256, Kind::Text),
    of("settings.advisories", Source::Setting(settings::ADVISORIES)),
    of("settings.fips_mode_unknown", Source::Setting(settings::FIPS_MODE_UNKNOWN)),
    of("settings.freshness", Source::Setting(settings::FRESHNESS)),
    of("settings.historical_certifications", Source::Setting(settings::HISTORICAL_CERTIFICATIONS)),
    of("settings.model_only_certifications", Source::Setting(settings::MODEL_ONLY_CERTIFICATIONS)),
};

impl Attribute {
    /// The attribute at that place.
    pub(crate) fn at(path: &str) -> Option<&'static Self> {
        ATTRIBUTES.iter().find(|a| a.path == path)
    }

    /// Whether that place holds a record of attributes.
    pub(crate) fn is_record(path: &str) -> bool {
        ATTRIBUTES.iter().any(|a| a.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    /// What is at that place or, if nothing is, nearby; for error messages.
    pub(crate) fn near(path: &str) -> Vec<&'static str> {
        let mut near: Vec<&'static str> = Vec::new();
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        for attribute in ATTRIBUTES {
            let rest = match (parent, attribute.path.strip_prefix(parent)) {
                ("", _) => attribute.path,
                (_, Some(rest)) if rest.starts_with('.') => rest.trim_start_matches('.'),
                _ => continue,
            };
            let name = rest.split_once('.').map_or(rest, |(first, _)| first);
            if !near.contains(&name) {
                near.push(name);
            }
        }
        near
    }

    /// The knobs that its value depends on.
    pub(crate) fn knobs(&self) -> impl Iterator<Item = &'static str> {
        let (own, counting): (&[usize], &[usize]) = match &self.source {
            Source::Setting(knob) => (std::slice::from_ref(knob), &[]),
            Source::Certified(..) => (&[], COUNTING),
            _ => (&[], &[]),
        };
        own.iter().chain(counting).filter_map(|k| Settings::knobs().get(*k)).map(|k| k.name)
    }

    /// What it is called in the sentence that it is not known; none when a knob or the like is always known.
    pub(crate) fn spoken(&self) -> Option<&'static str> {
        match self.source {
            Source::Claim(..) => Some(self.path),
            Source::Family | Source::RsaBits => Some("key.algorithm"),
            Source::Certified(_, Aspect::Mode) => Some("device.fips_mode"),
            Source::Certified(_, Aspect::Firmware) => Some("certified firmware"),
            Source::Certified(..) => Some("certification"),
            Source::Binding
            | Source::Findings
            | Source::Format
            | Source::Freshness
            | Source::Route
            | Source::Setting(_) => None,
        }
    }

    /// Its value.
    pub(crate) fn fact<'a>(&self, appraisal: &'a Appraisal, settings: &Settings) -> Fact<'a> {
        match self.source {
            Source::Claim(name, kind) => match (kind, proved(appraisal, name)) {
                (Kind::Bool, Value::Bool(b)) => Fact::Bool(*b),
                (Kind::Text, Value::Text(t)) => Fact::Text(t),
                (Kind::Words, Value::Set(words)) => Fact::Words(words.clone()),
                _ => Fact::Unknown,
            },
            Source::Family => algorithm(appraisal).map_or(Fact::Unknown, |(family, _)| Fact::Text(family)),
            Source::RsaBits => match algorithm(appraisal) {
                Some(("RSA", size)) => size.parse().map_or(Fact::Unknown, Fact::Long),
                Some(_) => Fact::Without,
                None => Fact::Unknown,
            },
            Source::Binding => Fact::Text(appraisal.binding.as_str()),
            Source::Findings => {
                let warnings = appraisal.findings().map(|c| c.id.as_ref());
                Fact::Words(warnings.chain(appraisal.advisories.iter().map(|a| a.id.as_str())).collect())
            }
            Source::Format => Fact::Text(appraisal.format),
            Source::Freshness => Fact::Text(appraisal.freshness.as_str()),
            Source::Route => Fact::Text(appraisal.route.as_str()),
            Source::Certified(class, aspect) => {
                let listed = Listed {
                    certifications: &appraisal.certifications,
                    uncertified: appraisal.uncertified,
                    fips_mode: match proved(appraisal, ClaimName::DeviceFipsMode) {
                        Value::Bool(on) => Some(*on),
                        _ => None,
                    },
                };
                certified(class, aspect, listed, settings).map_or(Fact::Unknown, Fact::Bool)
            }
            Source::Setting(knob) => Fact::Text(settings.choice(knob)),
        }
    }

    /// Its type and whether it may be absent.
    #[cfg(test)]
    pub(crate) fn shape(&self) -> (Kind, bool) {
        match self.source {
            Source::Claim(_, kind) => (kind, true),
            Source::Family => (Kind::Text, true),
            Source::RsaBits => (Kind::Long, true),
            Source::Certified(_, aspect) => (Kind::Bool, aspect != Aspect::Conceded),
            Source::Findings => (Kind::Words, false),
            Source::Binding | Source::Format | Source::Freshness | Source::Route | Source::Setting(_) => {
                (Kind::Text, false)
            }
        }
    }
}

/// The value of a claim that somebody stands for; what was only declared counts as unknown. What was witnessed is judged
/// only by policies for that way.
fn proved(appraisal: &Appraisal, name: ClaimName) -> &Value {
    let stood_for =
        |basis| matches!(basis, Basis::Attested | Basis::Implied | Basis::Operator | Basis::Witnessed);
    match appraisal.claims.get(name) {
        Some(claim) if stood_for(claim.basis) => &claim.value,
        _ => &Value::Unknown,
    }
}

/// `RSA-3072` in two.
fn algorithm(appraisal: &Appraisal) -> Option<(&str, &str)> {
    let name = proved(appraisal, ClaimName::KeyAlgorithm).as_text()?;
    Some(name.split_once('-').unwrap_or((name, "")))
}

impl Fact<'_> {
    /// Appends bytes that no other value, nor the beginning of another value's, has.
    pub(crate) fn encode(&self, key: &mut Vec<u8>) {
        match self {
            Self::Unknown => key.push(0),
            Self::Without => key.push(1),
            Self::Bool(false) => key.push(2),
            Self::Bool(true) => key.push(3),
            Self::Long(number) => {
                key.push(4);
                key.extend_from_slice(&number.to_le_bytes());
            }
            Self::Text(text) => {
                key.push(5);
                encode_text(text, key);
            }
            Self::Words(words) => {
                key.push(6);
                key.extend_from_slice(&words.len().to_le_bytes());
                words.iter().for_each(|w| encode_text(w, key));
            }
        }
    }

    fn expression(&self) -> Option<RestrictedExpression> {
        let text = |t: &str| RestrictedExpression::new_string(t.to_owned());
        match self {
            Self::Unknown | Self::Without => None,
            Self::Bool(b) => Some(RestrictedExpression::new_bool(*b)),
            Self::Long(number) => Some(RestrictedExpression::new_long(i64::from(*number))),
            Self::Text(t) => Some(text(t)),
            Self::Words(words) => Some(RestrictedExpression::new_set(words.iter().map(|w| text(w)))),
        }
    }
}

fn encode_text(text: &str, key: &mut Vec<u8>) {
    key.extend_from_slice(&text.len().to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

/// The Cedar context with these facts in it; none when Cedar refuses to make one.
pub(crate) fn context<'f>(facts: impl Iterator<Item = (&'static str, &'f Fact<'f>)>) -> Option<Context> {
    let mut root = Record::default();
    for (path, fact) in facts {
        let (parents, name) = path.rsplit_once('.')?;
        let record = parents.split('.').fold(&mut root, |r, parent| r.records.entry(parent).or_default());
        if let Some(value) = fact.expression() {
            record.values.push((name.to_owned(), value));
        }
    }
    Context::from_pairs(root.pairs()?).ok()
}

/// A record in the making.
#[derive(Default)]
struct Record {
    values: Vec<(String, RestrictedExpression)>,
    records: BTreeMap<&'static str, Record>,
}

impl Record {
    fn pairs(self) -> Option<Vec<(String, RestrictedExpression)>> {
        let mut pairs = self.values;
        for (name, record) in self.records {
            pairs.push((name.to_owned(), RestrictedExpression::new_record(record.pairs()?).ok()?));
        }
        Some(pairs)
    }
}
