//! DeviceInfo of a provisioning request, version 3.

use super::super::checks as ck;
use crate::checks::Checks;
use crate::wire::cbor::{Item, Map};

const TEXTS: [&str; 5] = ["brand", "manufacturer", "product", "model", "device"];
const OTHERS: [&str; 9] = [
    "vb_state",
    "bootloader_state",
    "vbmeta_digest",
    "os_version",
    "system_patch_level",
    "boot_patch_level",
    "vendor_patch_level",
    "security_level",
    "fused",
];

/// What the device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeviceInfo {
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) brand: String,
    pub(super) strongbox: bool,
    locked: bool,
    verified: bool,
    fused: bool,
}

impl DeviceInfo {
    pub(super) fn read(map: &Map<'_>) -> Result<Self, String> {
        for (name, _) in map.entries() {
            let name = name.as_text().ok_or("a member of DeviceInfo is not named by text")?;
            if !TEXTS.contains(&name) && !OTHERS.contains(&name) {
                return Err(format!("DeviceInfo has {name:?}, which version 3 does not have"));
            }
        }
        let text = |name: &str| map.text_key(name).and_then(Item::as_text).filter(|t| !t.is_empty());
        let required = |name: &str| text(name).ok_or_else(|| format!("{name} is empty or absent"));
        for name in TEXTS {
            required(name)?;
        }
        let one_of = |name: &str, words: &[&str]| -> Result<String, String> {
            let word = required(name)?;
            words.contains(&word).then(|| word.to_owned()).ok_or_else(|| format!("{name} is {word:?}"))
        };
        let state = one_of("vb_state", &["green", "yellow", "orange"])?;
        let bootloader = one_of("bootloader_state", &["locked", "unlocked"])?;
        let level = one_of("security_level", &["tee", "strongbox"])?;
        if level == "tee" {
            required("os_version")?;
        }
        let digest = map.text_key("vbmeta_digest").and_then(Item::as_bytes).unwrap_or_default();
        if digest.iter().all(|b| *b == 0) {
            return Err("vbmeta_digest is empty or all zero".to_owned());
        }
        for name in ["system_patch_level", "boot_patch_level", "vendor_patch_level"] {
            let value = map.text_key(name).and_then(Item::as_int);
            if !value.is_some_and(is_date) {
                return Err(format!("{name} is no date"));
            }
        }
        let fused = match map.text_key("fused").and_then(Item::as_int) {
            Some(0) => false,
            Some(1) => true,
            _ => return Err("fused is neither 0 nor 1".to_owned()),
        };
        Ok(Self {
            manufacturer: required("manufacturer")?.to_owned(),
            model: required("model")?.to_owned(),
            brand: required("brand")?.to_owned(),
            strongbox: level == "strongbox",
            locked: bootloader == "locked",
            verified: state == "green",
            fused,
        })
    }

    pub(super) fn check(&self, place: &str, checks: &mut Checks) {
        let sound = self.locked && self.verified;
        checks.test(
            &ck::BOOTLOADER_UNLOCKED,
            place.to_owned(),
            sound,
            "locked, verified boot: green",
            || match self.locked {
                true => "verified boot is not green".into(),
                false => "the bootloader is unlocked".into(),
            },
        );
        checks.test(&ck::RKP_NOT_FUSED, place.to_owned(), self.fused, "fused for production", || {
            "the device is not fused for production".into()
        });
    }
}

/// YYYYMM or YYYYMMDD.
fn is_date(value: i128) -> bool {
    let (month, day) = match value {
        100_000..=999_999 => (value.checked_rem(100), Some(1)),
        10_000_000..=99_999_999 => {
            (value.checked_div(100).and_then(|m| m.checked_rem(100)), value.checked_rem(100))
        }
        _ => return false,
    };
    month.is_some_and(|m| (1..=12).contains(&m)) && day.is_some_and(|d| (1..=31).contains(&d))
}
