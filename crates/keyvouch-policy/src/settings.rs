//! The knobs that an operator may turn without writing a policy.

use std::fmt;

/// A switch that every policy obeys, built-in or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knob {
    /// Its name; policies read it as `context.settings.NAME`, except [`KnobKind::Formats`].
    pub name: &'static str,
    /// What it takes.
    pub kind: KnobKind,
    /// Its value unless set.
    pub default: &'static str,
    /// What it does, one sentence.
    pub about: &'static str,
}

/// What a knob takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnobKind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Ids of formats separated by commas, or `all`.
    Formats,
}

impl fmt::Display for KnobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(words) => f.write_str(&words.join(" | ")),
            Self::Formats => f.write_str("all | FORMAT[,FORMAT…]"),
        }
    }
}

/// Why a knob could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// There is no such knob.
    #[error("there is no policy setting {name:?}; there are: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The knob does not take this value.
    #[error("policy setting {name} takes {takes}, not {value:?}")]
    Value {
        /// The knob.
        name: &'static str,
        /// The value given.
        value: String,
        /// What it takes.
        takes: String,
    },
    /// There is no such format.
    #[error("policy setting {name}: there is no format {value:?}; there are: {known}")]
    Format {
        /// The knob.
        name: &'static str,
        /// The format asked for.
        value: String,
        /// The formats there are.
        known: String,
    },
}

/// `advisories`.
pub(crate) const ADVISORIES: usize = 0;
/// `fips_mode_unknown`.
pub(crate) const FIPS_MODE_UNKNOWN: usize = 1;
/// `freshness`.
pub(crate) const FRESHNESS: usize = 3;
/// `historical_certifications`.
pub(crate) const HISTORICAL_CERTIFICATIONS: usize = 4;
/// `model_only_certifications`.
pub(crate) const MODEL_ONLY_CERTIFICATIONS: usize = 5;

const CONCESSION: KnobKind = KnobKind::Choice(&["refuse", "cannot-decide", "finding", "accept"]);

/// By name.
const KNOBS: &[Knob] = &[
    Knob {
        name: "advisories",
        kind: KnobKind::Choice(&["finding", "refuse"]),
        default: "finding",
        about: "what a security advisory that concerns the device or the key leads to",
    },
    Knob {
        name: "fips_mode_unknown",
        kind: CONCESSION,
        default: "cannot-decide",
        about: "what becomes of a certification that covers only the FIPS mode when the evidence does not say whether the device was in it",
    },
    Knob {
        name: "formats",
        kind: KnobKind::Formats,
        default: "all",
        about: "the formats of evidence that are accepted",
    },
    Knob {
        name: "freshness",
        kind: KnobKind::Choice(&["optional", "required"]),
        default: "optional",
        about: "whether the evidence must answer the verifier's nonce",
    },
    Knob {
        name: "historical_certifications",
        kind: KnobKind::Choice(&["never", "finding", "accept"]),
        default: "finding",
        about: "whether a certification that has ended, or whose end is not on record, is enough",
    },
    Knob {
        name: "model_only_certifications",
        kind: CONCESSION,
        default: "cannot-decide",
        about: "what becomes of a certification of the model when either it or the evidence does not name the firmware",
    },
];

/// How the operator set the knobs; [`Settings::default`] has every knob at its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// By place in [`KNOBS`]. The entry of `formats` is not used.
    choices: [&'static str; KNOBS.len()],
    /// None: every format.
    formats: Option<Vec<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        let mut choices = [""; KNOBS.len()];
        for (choice, knob) in choices.iter_mut().zip(KNOBS) {
            *choice = knob.default;
        }
        Self { choices, formats: None }
    }
}

impl Settings {
    /// Every knob, by name.
    #[must_use]
    pub fn knobs() -> &'static [Knob] {
        KNOBS
    }

    /// Turns a knob.
    ///
    /// # Errors
    /// When there is no such knob, or it does not take that value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let found = KNOBS.iter().zip(&mut self.choices).find(|(k, _)| k.name == name);
        let Some((knob, choice)) = found else {
            let known: Vec<&str> = KNOBS.iter().map(|k| k.name).collect();
            return Err(SettingError::Unknown { name: name.to_owned(), known: known.join(", ") });
        };
        let unfit =
            || SettingError::Value { name: knob.name, value: value.to_owned(), takes: knob.kind.to_string() };
        match knob.kind {
            KnobKind::Choice(words) => {
                *choice = words.iter().find(|w| **w == value).ok_or_else(unfit)?;
            }
            KnobKind::Formats if value == "all" => self.formats = None,
            KnobKind::Formats => {
                let mut formats: Vec<String> = value.split(',').map(|f| f.trim().to_owned()).collect();
                formats.sort_unstable();
                formats.dedup();
                let known: Vec<&str> = keyvouch::formats::about().map(|a| a.id).collect();
                if let Some(wrong) = formats.iter().find(|f| !known.contains(&f.as_str())) {
                    return Err(SettingError::Format {
                        name: knob.name,
                        value: wrong.clone(),
                        known: known.join(", "),
                    });
                }
                self.formats = Some(formats);
            }
        }
        Ok(())
    }

    /// The value of a knob, as [`Settings::set`] takes it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let (knob, choice) = KNOBS.iter().zip(&self.choices).find(|(k, _)| k.name == name)?;
        Some(match knob.kind {
            KnobKind::Choice(_) => (*choice).to_owned(),
            KnobKind::Formats => self.formats.as_ref().map_or_else(|| "all".to_owned(), |f| f.join(",")),
        })
    }

    /// The word that a knob is set to.
    pub(crate) fn choice(&self, knob: usize) -> &'static str {
        self.choices.get(knob).copied().unwrap_or("")
    }

    /// The formats that are accepted; none: every one.
    pub(crate) fn formats(&self) -> Option<&[String]> {
        self.formats.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_have_their_places_and_defaults() {
        for (place, name) in [
            (ADVISORIES, "advisories"),
            (FIPS_MODE_UNKNOWN, "fips_mode_unknown"),
            (FRESHNESS, "freshness"),
            (HISTORICAL_CERTIFICATIONS, "historical_certifications"),
            (MODEL_ONLY_CERTIFICATIONS, "model_only_certifications"),
        ] {
            assert_eq!(KNOBS[place].name, name);
        }
        assert!(KNOBS.is_sorted_by_key(|k| k.name));
        let mut settings = Settings::default();
        for knob in Settings::knobs() {
            assert_eq!(settings.get(knob.name).as_deref(), Some(knob.default));
            settings.set(knob.name, knob.default).unwrap();
        }
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.get("colour"), None);
    }

    #[test]
    fn a_wrong_setting_says_what_would_be_right() {
        let mut settings = Settings::default();
        let mut fault = |name, value| settings.set(name, value).unwrap_err().to_string();
        assert_eq!(
            fault("historical", "never"),
            "there is no policy setting \"historical\"; there are: advisories, fips_mode_unknown, formats, \
             freshness, historical_certifications, model_only_certifications"
        );
        assert_eq!(
            fault("freshness", "yes"),
            "policy setting freshness takes optional | required, not \"yes\""
        );
        let text = fault("formats", "yubikey-piv,abacus");
        assert!(text.contains("no format \"abacus\"; there are: "), "{text}");
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn formats_are_a_list() {
        let mut settings = Settings::default();
        settings.set("formats", "yubikey-piv, yubikey-piv").unwrap();
        assert_eq!(settings.get("formats").as_deref(), Some("yubikey-piv"));
        settings.set("formats", "all").unwrap();
        assert_eq!(settings, Settings::default());
    }
}
