//! What the certifications of a device come to, in three values.
//!
//! A certification counts when its level is high enough, it stands, it names the device's firmware, and the
//! device was in the mode that it covers. Each of these may be true, false or not known; so may the whole.

use keyvouch::appraisal::Certification;

use crate::settings::{FIPS_MODE_UNKNOWN, MODEL_ONLY_CERTIFICATIONS, Settings};

/// A class of certifications that a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// FIPS 140-2 or 140-3 of this overall level or a higher one.
    Fips(u8),
    /// Common Criteria EAL 4 augmented, or higher.
    Eal4Plus,
    /// Either of the two.
    FipsOrEal4Plus(u8),
    /// A qualified signature creation device.
    Qscd,
}

/// What is asked of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// Whether a certification counts that stands or has ended.
    Held,
    /// Whether one counts that stands.
    Active,
    /// Whether one covers the device's firmware.
    Firmware,
    /// Whether one covers the device's mode.
    Mode,
    /// Whether none counts but by what the operator's settings concede.
    Conceded,
}

/// True, false, or not known. The order makes `and` the minimum and `or` the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    fn known(self) -> Option<bool> {
        match self {
            Self::No => Some(false),
            Self::Unknown => None,
            Self::Yes => Some(true),
        }
    }
}

/// One certification of the class.
struct Counted {
    held: Truth,
    active: Truth,
    firmware: Truth,
    mode: Truth,
    conceded: bool,
}

/// What is known of a device's certifications.
#[derive(Clone, Copy)]
pub(crate) struct Listed<'a> {
    /// Those of its model, as far as they do not name another firmware.
    pub(crate) certifications: &'a [Certification],
    /// Whether it is known to have none.
    pub(crate) uncertified: bool,
    /// Whether it was in FIPS mode.
    pub(crate) fips_mode: Option<bool>,
}

/// The answer; none: not known.
pub(crate) fn certified(
    class: Class,
    aspect: Aspect,
    listed: Listed<'_>,
    settings: &Settings,
) -> Option<bool> {
    let of_class = listed
        .certifications
        .iter()
        .filter(|c| class.includes(c) && c.status != "not-yet")
        .map(|c| count(c, listed.fips_mode, settings));
    let any = |value: fn(&Counted) -> Truth, of_none: Truth| {
        of_class.clone().map(|c| value(&c)).max().unwrap_or(of_none)
    };
    // The list speaks for the model once it names it, be it to say that there is nothing.
    let speaks = listed.uncertified || !listed.certifications.is_empty();
    let of_none = if speaks { Truth::No } else { Truth::Unknown };
    match aspect {
        Aspect::Held => any(|c| c.held, of_none).known(),
        Aspect::Active => any(|c| c.active, of_none).known(),
        // Where the class has none, that is the fault, not the firmware or the mode.
        Aspect::Firmware => any(|c| c.firmware, Truth::Yes).known(),
        Aspect::Mode => any(|c| c.mode, Truth::Yes).known(),
        Aspect::Conceded => {
            let active = any(|c| c.active, Truth::No) == Truth::Yes;
            let counts = |c: &Counted| if active { c.active } else { c.held } == Truth::Yes;
            let mut best = of_class.filter(counts).peekable();
            Some(best.peek().is_some() && best.all(|c| c.conceded))
        }
    }
}

fn count(certification: &Certification, fips_mode: Option<bool>, settings: &Settings) -> Counted {
    let concede = |knob| match settings.choice(knob) {
        "accept" => (Truth::Yes, false),
        "finding" => (Truth::Yes, true),
        "refuse" => (Truth::No, false),
        _ => (Truth::Unknown, false),
    };
    let (firmware, by_firmware) = if certification.matched == "model-and-firmware" {
        (Truth::Yes, false)
    } else {
        concede(MODEL_ONLY_CERTIFICATIONS)
    };
    let (mode, by_mode) = match (certification.fips_mode_required, fips_mode) {
        (false, _) | (true, Some(true)) => (Truth::Yes, false),
        (true, Some(false)) => (Truth::No, false),
        (true, None) => concede(FIPS_MODE_UNKNOWN),
    };
    let stands = match certification.status {
        "active" => Truth::Yes,
        "historical" => Truth::No,
        // No end is on record: nobody can say whether it stands.
        _ => Truth::Unknown,
    };
    let held = firmware.min(mode);
    Counted { held, active: held.min(stands), firmware, mode, conceded: by_firmware || by_mode }
}

impl Class {
    fn includes(self, certification: &Certification) -> bool {
        match self {
            Self::Fips(level) => fips_level(certification).is_some_and(|l| l >= level),
            Self::Eal4Plus => eal_4_plus(certification),
            Self::FipsOrEal4Plus(level) => {
                Self::Fips(level).includes(certification) || eal_4_plus(certification)
            }
            Self::Qscd => certification.scheme == "qscd",
        }
    }
}

/// The overall level of FIPS 140-2 or a later edition.
fn fips_level(certification: &Certification) -> Option<u8> {
    let edition = ["FIPS 140-2", "FIPS 140-3"].iter().any(|e| certification.standard.starts_with(e));
    if certification.scheme == "cmvp" && edition { certification.level.parse().ok() } else { None }
}

/// EAL 4 counts when it is augmented, a higher one in any case.
fn eal_4_plus(certification: &Certification) -> bool {
    certification.scheme == "cc"
        && certification.level.strip_prefix("EAL").is_some_and(|level| {
            level == "4+" || matches!(level.strip_suffix('+').unwrap_or(level), "5" | "6" | "7")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "model";
    const FIRMWARE: &str = "model-and-firmware";

    fn fips(
        level: &str,
        status: &'static str,
        matched: &'static str,
        fips_mode_required: bool,
    ) -> Certification {
        Certification {
            scheme: "cmvp".to_owned(),
            id: "1".to_owned(),
            module: "m".to_owned(),
            standard: "FIPS 140-3".to_owned(),
            level: level.to_owned(),
            status,
            matched,
            fips_mode_required,
            source: "s".to_owned(),
            looked_up: "2026-01-01".to_owned(),
        }
    }

    fn cc(level: &str, status: &'static str) -> Certification {
        let fips = fips(level, status, FIRMWARE, false);
        Certification { scheme: "cc".to_owned(), standard: "Common Criteria".to_owned(), ..fips }
    }

    /// Held, active, firmware, mode, conceded.
    type Answers = [Option<bool>; 5];
    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    fn ask(
        class: Class,
        certifications: &[Certification],
        fips_mode: Option<bool>,
        settings: &Settings,
    ) -> Answers {
        let listed = Listed { certifications, uncertified: false, fips_mode };
        [Aspect::Held, Aspect::Active, Aspect::Firmware, Aspect::Mode, Aspect::Conceded]
            .map(|aspect| certified(class, aspect, listed, settings))
    }

    fn with(knobs: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in knobs {
            settings.set(name, value).unwrap();
        }
        settings
    }

    #[test]
    fn a_list_that_names_the_model_says_what_it_has_not() {
        let settings = Settings::default();
        assert_eq!(ask(Class::Fips(2), &[], None, &settings), [None, None, YES, YES, NO]);
        let none = Listed { certifications: &[], uncertified: true, fips_mode: None };
        assert_eq!(certified(Class::Fips(1), Aspect::Held, none, &settings), NO);
        let level_1 = [fips("1", "active", FIRMWARE, false)];
        assert_eq!(ask(Class::Fips(2), &level_1, None, &settings), [NO, NO, YES, YES, NO]);
        assert_eq!(ask(Class::Fips(1), &level_1, None, &settings), [YES, YES, YES, YES, NO]);
        assert_eq!(ask(Class::Qscd, &level_1, None, &settings), [NO, NO, YES, YES, NO]);
    }

    #[test]
    fn levels() {
        let holds =
            |class, c: &Certification| ask(class, std::slice::from_ref(c), None, &Settings::default())[0];
        let level = |level| fips(level, "active", FIRMWARE, false);
        assert_eq!(holds(Class::Fips(2), &level("3")), YES);
        assert_eq!(holds(Class::Fips(3), &level("2")), NO);
        assert_eq!(holds(Class::Fips(1), &level("none")), NO);
        let old = Certification { standard: "FIPS 140-1".to_owned(), ..level("3") };
        assert_eq!(holds(Class::Fips(2), &old), NO);
        for (eal, counts) in
            [("EAL4+", YES), ("EAL4", NO), ("EAL5", YES), ("EAL6+", YES), ("EAL3+", NO), ("4+", NO)]
        {
            assert_eq!(holds(Class::Eal4Plus, &cc(eal, "active")), counts, "{eal}");
            assert_eq!(holds(Class::FipsOrEal4Plus(3), &cc(eal, "active")), counts, "{eal}");
            assert_eq!(holds(Class::Fips(1), &cc(eal, "active")), NO, "{eal}");
        }
        assert_eq!(holds(Class::Eal4Plus, &level("3")), NO);
        let qscd = Certification { scheme: "qscd".to_owned(), ..level("-") };
        assert_eq!(holds(Class::Qscd, &qscd), YES);
    }

    #[test]
    fn status() {
        let ask =
            |status| ask(Class::Fips(2), &[fips("2", status, FIRMWARE, false)], None, &Settings::default());
        assert_eq!(ask("active"), [YES, YES, YES, YES, NO]);
        assert_eq!(ask("historical"), [YES, NO, YES, YES, NO]);
        assert_eq!(ask("unknown"), [YES, None, YES, YES, NO]);
        assert_eq!(ask("not-yet"), [NO, NO, YES, YES, NO]);
    }

    #[test]
    fn fips_mode() {
        let only_in_mode = [fips("2", "active", FIRMWARE, true)];
        let ask =
            |mode, knob| ask(Class::Fips(2), &only_in_mode, mode, &with(&[("fips_mode_unknown", knob)]));
        for knob in ["refuse", "cannot-decide", "finding", "accept"] {
            assert_eq!(ask(YES, knob), [YES, YES, YES, YES, NO]);
            assert_eq!(ask(NO, knob), [NO, NO, YES, NO, NO]);
        }
        assert_eq!(ask(None, "refuse"), [NO, NO, YES, NO, NO]);
        assert_eq!(ask(None, "cannot-decide"), [None, None, YES, None, NO]);
        assert_eq!(ask(None, "finding"), [YES, YES, YES, YES, YES]);
        assert_eq!(ask(None, "accept"), [YES, YES, YES, YES, NO]);
    }

    #[test]
    fn model_only() {
        let model = [fips("2", "active", MODEL, false)];
        let ask = |knob| ask(Class::Fips(2), &model, None, &with(&[("model_only_certifications", knob)]));
        assert_eq!(ask("refuse"), [NO, NO, NO, YES, NO]);
        assert_eq!(ask("cannot-decide"), [None, None, None, YES, NO]);
        assert_eq!(ask("finding"), [YES, YES, YES, YES, YES]);
        assert_eq!(ask("accept"), [YES, YES, YES, YES, NO]);
    }

    #[test]
    fn several_certifications_do_not_add_up_to_one() {
        let settings = with(&[("model_only_certifications", "finding")]);
        let proven_but_old = fips("2", "historical", FIRMWARE, false);
        let active_by_model = fips("2", "active", MODEL, false);
        let both = [proven_but_old.clone(), active_by_model.clone()];
        // Active is the one by model only, and so it is a concession.
        assert_eq!(ask(Class::Fips(2), &both, None, &settings), [YES, YES, YES, YES, YES]);
        assert_eq!(ask(Class::Fips(2), &both, None, &Settings::default()), [YES, None, YES, YES, NO]);
        // Across schemes as well.
        let common = [active_by_model, cc("EAL4+", "historical")];
        assert_eq!(ask(Class::FipsOrEal4Plus(2), &common, None, &settings), [YES, YES, YES, YES, YES]);
        // A better one that is not proven does not spoil the one that is.
        let enough = [fips("3", "active", MODEL, false), fips("2", "active", FIRMWARE, false)];
        assert_eq!(ask(Class::Fips(2), &enough, None, &Settings::default()), [YES, YES, YES, YES, NO]);
        assert_eq!(ask(Class::Fips(3), &enough, None, &Settings::default()), [None, None, None, YES, NO]);
    }
}
