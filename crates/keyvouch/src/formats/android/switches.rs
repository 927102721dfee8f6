//! The operator's switches.

use super::keydesc::Level;
use crate::submission::{OptionDef, OptionKind, Options};

/// How far a key may be attested by an attest key of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttestKey {
    SameChallenge,
    AnyChallenge,
    Off,
}

pub(crate) const OPTIONS: &[OptionDef] = &[
    OptionDef {
        name: "android_status_list",
        kind: OptionKind::File,
        about: "Google's list of revoked attestation certificates (https://android.googleapis.com/attestation/status); without it nothing is decided",
    },
    OptionDef {
        name: "android_status_time",
        kind: OptionKind::Text,
        about: "when that list was fetched, RFC 3339; the file does not say",
    },
    OptionDef {
        name: "android_status_max_age",
        kind: OptionKind::Number,
        about: "how many hours old the list may be; an older one, or one of unknown time, decides nothing (default: no limit)",
    },
    OptionDef {
        name: "android_attest_key",
        kind: OptionKind::Choice(&["same-challenge", "any-challenge", "off"]),
        about: "whether a key may be attested by an attest key of the app: same-challenge (default), any-challenge, off",
    },
    OptionDef {
        name: "android_factory_expiry",
        kind: OptionKind::Choice(&["warn", "fail"]),
        about: "certificates from the factory that have run out: warn (default) or fail",
    },
    OptionDef {
        name: "android_strict",
        kind: OptionKind::Bool,
        about: "refuse the departures from DER and from the documented form that some real phones make",
    },
    OptionDef {
        name: "android_min_level",
        kind: OptionKind::Choice(&["tee", "strongbox"]),
        about: "the least security level: tee (default) or strongbox",
    },
    OptionDef {
        name: "android_min_patch",
        kind: OptionKind::Text,
        about: "the oldest patch level of the system, YYYY-MM",
    },
    OptionDef {
        name: "android_boot_keys",
        kind: OptionKind::List,
        about: "verifiedBootKey values (hex) of systems that users may have installed themselves",
    },
    OptionDef {
        name: "android_apps",
        kind: OptionKind::List,
        about: "apps whose keys are accepted, each package:signer-digest with the SHA-256 of the signing certificate in hex; one must match",
    },
    OptionDef {
        name: "android_samsung_knox",
        kind: OptionKind::Bool,
        about: "accept chains under the roots of Samsung Knox (SAK)",
    },
];

/// The switches as they are set.
#[derive(Debug)]
pub(super) struct Switches {
    pub(super) attest_key: AttestKey,
    pub(super) expired_factory_fails: bool,
    pub(super) strict: bool,
    pub(super) min_level: Level,
    /// YYYYMM; `Err` holds text that is not a month.
    pub(super) min_patch: Option<Result<u64, String>>,
    pub(super) boot_keys: Vec<Vec<u8>>,
    /// Package and signer; `None` when no list is set. What cannot be read matches nothing.
    pub(super) apps: Option<Vec<(String, Vec<u8>)>>,
    pub(super) samsung: bool,
}

impl Switches {
    pub(super) fn of(options: &Options) -> Self {
        let apps: Vec<&str> = options.list("android_apps").collect();
        Self {
            attest_key: match options.text("android_attest_key") {
                Some("any-challenge") => AttestKey::AnyChallenge,
                Some("off") => AttestKey::Off,
                _ => AttestKey::SameChallenge,
            },
            expired_factory_fails: options.text("android_factory_expiry") == Some("fail"),
            strict: options.is_on("android_strict"),
            min_level: match options.text("android_min_level") {
                Some("strongbox") => Level::STRONGBOX,
                _ => Level::TEE,
            },
            min_patch: options.text("android_min_patch").map(month),
            boot_keys: options.list("android_boot_keys").filter_map(|k| hex::decode(k).ok()).collect(),
            apps: (!apps.is_empty()).then(|| apps.into_iter().filter_map(app).collect()),
            samsung: options.is_on("android_samsung_knox"),
        }
    }
}

fn app(text: &str) -> Option<(String, Vec<u8>)> {
    let (package, signer) = text.rsplit_once(':')?;
    let signer = hex::decode(signer).ok().filter(|s| s.len() == 32)?;
    (!package.is_empty()).then(|| (package.to_owned(), signer))
}

/// YYYY-MM as YYYYMM.
fn month(text: &str) -> Result<u64, String> {
    let read = || {
        let (year, month) = text.split_once('-')?;
        let digits = |t: &str, len: usize| t.len() == len && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return None;
        }
        let (year, month): (u64, u64) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some(year.saturating_mul(100).saturating_add(month))
    };
    read().ok_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_matches_nothing() {
        assert_eq!(month("2026-06"), Ok(202_606));
        for bad in ["", "2026", "2026-13", "2026-6", "+026-06", "2026-06-01"] {
            assert!(month(bad).is_err(), "{bad}");
        }
        let digest = "ab".repeat(32);
        assert_eq!(app(&format!("a.b:{digest}")), Some(("a.b".to_owned(), vec![0xab; 32])));
        for bad in ["a.b", "a.b:abcd", &format!(":{digest}")] {
            assert_eq!(app(bad), None, "{bad}");
        }
    }
}
