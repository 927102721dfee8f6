//! What is known of devices: certifications, models without any, and advisories.
//!
//! Evidence proves a vendor, a model and at best a firmware. What follows from that is looked up here, for a
//! date. A device that matches by its vendor's name only inherits nothing.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::firmware::{FirmwareFields, FirmwareRange, Inclusion, Version};
use super::{DATA, DataError, Date, Entry, Origin, Tables, date, kebab, names, not_empty};
use crate::time::Time;

/// Under which scheme a device is certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// NIST Cryptographic Module Validation Program: FIPS 140.
    Cmvp,
    /// Common Criteria.
    Cc,
    /// Qualified signature creation device under eIDAS.
    Qscd,
    /// French Certification de Sécurité de Premier Niveau.
    Cspn,
}

impl Scheme {
    /// Its name in data files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cmvp => "cmvp",
            Self::Cc => "cc",
            Self::Qscd => "qscd",
            Self::Cspn => "cspn",
        }
    }
}

/// A certification of some models of one vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certification {
    /// The scheme.
    pub scheme: Scheme,
    /// The certificate's number within the scheme.
    pub id: String,
    /// The vendor, as the claim `device.vendor` has it.
    pub vendor: String,
    /// The models, as the claim `device.model` has them.
    pub models: Vec<String>,
    /// The name of the certified module.
    pub module: String,
    /// The standard.
    pub standard: String,
    /// The overall level: a number for FIPS 140, `EAL4+` and the like for Common Criteria.
    pub level: String,
    /// The firmware that is certified.
    pub firmware: FirmwareRange,
    /// Whether only a device in FIPS mode is certified.
    pub fips_mode_required: bool,
    /// The first day.
    pub valid_from: Date,
    /// The last day; `None` when none was given.
    pub valid_to: Option<Date>,
    /// Whether it is an interim validation, whose end is often extended.
    pub interim: bool,
    /// Whether the list called it historical without giving a last day.
    pub historical: bool,
    /// Where it was looked up.
    pub source: String,
    /// When it was looked up.
    pub looked_up: Date,
    /// Where the entry comes from.
    pub origin: Origin,
}

impl Certification {
    /// Its status at a date.
    #[must_use]
    pub fn status(&self, at: Time) -> Status {
        if at < self.valid_from.first_second() {
            return Status::NotYet;
        }
        match self.valid_to {
            // Since when it is historical is not known. It counts as historical all along.
            _ if self.historical => Status::Historical,
            Some(last) if at > last.last_second() => Status::Historical,
            Some(_) => Status::Active,
            None => Status::Unknown,
        }
    }

    /// The level of FIPS 140, 1 to 4; `None` in other schemes.
    #[must_use]
    pub fn fips_level(&self) -> Option<u8> {
        if self.scheme == Scheme::Cmvp { self.level.parse().ok() } else { None }
    }

    /// The evaluation assurance level of Common Criteria, and whether it is augmented (`EAL4+`); `None` in
    /// other schemes.
    #[must_use]
    pub fn eal(&self) -> Option<(u8, bool)> {
        if self.scheme != Scheme::Cc {
            return None;
        }
        let text = self.level.strip_prefix("EAL")?;
        let (number, augmented) = text.strip_suffix('+').map_or((text, false), |number| (number, true));
        match number.as_bytes() {
            [digit @ b'1'..=b'7'] => Some((digit.saturating_sub(b'0'), augmented)),
            _ => None,
        }
    }
}

/// Whether a certification stands at a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It stands.
    Active,
    /// It stood, or is on the list of historical ones.
    Historical,
    /// It begins later.
    NotYet,
    /// No last day is recorded, so it cannot be said whether it still stands.
    Unknown,
}

impl Status {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Historical => "historical",
            Self::NotYet => "not-yet",
            Self::Unknown => "unknown",
        }
    }
}

/// How a device matches a certification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// The certification names the device's firmware.
    ModelAndFirmware,
    /// The certification names no firmware, or that of the device is not known: the device may be another
    /// version than the certified one.
    ModelOnly,
}

impl MatchedBy {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModelAndFirmware => "model-and-firmware",
            Self::ModelOnly => "model-only",
        }
    }
}

/// A certification that a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificationMatch<'a> {
    /// The certification.
    pub certification: &'a Certification,
    /// How the device matches.
    pub matched: MatchedBy,
    /// Whether it stands at the date asked for.
    pub status: Status,
}

/// What an advisory means for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is reported; a policy may refuse it.
    Finding,
    /// The key is refused.
    Refusal,
}

impl Effect {
    /// Its name in data files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Refusal => "refusal",
        }
    }
}

/// A known flaw of some devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advisory {
    /// Its id, which is also that of the finding.
    pub id: String,
    /// A title.
    pub title: String,
    /// The numbers of published advisories.
    pub references: Vec<String>,
    /// The vendor, as the claim `device.vendor` has it.
    pub vendor: String,
    /// The key algorithms concerned, exact or the beginning of a name followed by `*`; empty: every one.
    pub key_algorithms: Vec<String>,
    /// What it means for a key.
    pub effect: Effect,
    /// What is wrong, in one sentence.
    pub detail: String,
    /// What to do.
    pub advice: String,
    /// Where it was published.
    pub source: String,
    /// Which devices are affected.
    pub affected: Vec<Affected>,
    /// Where the entry comes from.
    pub origin: Origin,
}

/// Models of one vendor, and the firmware that has a flaw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// The models, as the claim `device.model` has them.
    pub models: Vec<String>,
    /// The firmware.
    pub firmware: FirmwareRange,
}

/// An advisory that concerns a key on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvisoryMatch<'a> {
    /// The advisory.
    pub advisory: &'a Advisory,
    /// Whether it is certain that the key is concerned: not so when it depends on firmware or an algorithm
    /// that is not known.
    pub certain: bool,
}

/// Models known to have no certification at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Uncertified {
    models: Vec<String>,
    vendor: String,
    source: String,
    looked_up: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificationRow {
    scheme: Scheme,
    id: String,
    vendor: String,
    models: Vec<String>,
    module: String,
    standard: String,
    level: String,
    firmware: Option<Vec<String>>,
    firmware_min: Option<String>,
    firmware_max: Option<String>,
    fips_mode_required: bool,
    valid_from: String,
    valid_to: Option<String>,
    #[serde(default)]
    interim: bool,
    #[serde(default)]
    historical: bool,
    source: String,
    looked_up: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncertifiedRow {
    vendor: String,
    models: Vec<String>,
    source: String,
    looked_up: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvisoryRow {
    id: String,
    title: String,
    #[serde(default)]
    references: Vec<String>,
    vendor: String,
    #[serde(default)]
    key_algorithms: Vec<String>,
    effect: Effect,
    detail: String,
    advice: String,
    source: String,
    #[serde(default)]
    affected: Vec<AffectedRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AffectedRow {
    models: Vec<String>,
    firmware: Option<Vec<String>>,
    firmware_min: Option<String>,
    firmware_max: Option<String>,
    firmware_below: Option<String>,
}

/// What is known of devices, to be looked up by vendor and model.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    /// By scheme and number, for a fixed order.
    certifications: BTreeMap<(Scheme, String), Certification>,
    /// By id, for a fixed order.
    advisories: BTreeMap<String, Advisory>,
    uncertified: Vec<Uncertified>,
    /// By vendor, then by model.
    index: HashMap<String, HashMap<String, Known>>,
}

/// What is known of one model.
#[derive(Clone, Debug, Default)]
struct Known {
    certifications: Vec<(Scheme, String)>,
    /// The advisory's id and the place of the affected models in it.
    advisories: Vec<(String, usize)>,
    uncertified: bool,
}

impl Devices {
    /// The data that comes with keyvouch.
    ///
    /// # Errors
    ///
    /// The built-in data is checked like an operator's; a test makes sure that it has no errors.
    pub fn builtin() -> Result<Self, DataError> {
        let mut devices = Self::empty();
        for (name, text) in DATA {
            devices.load(&Tables::read(name, text, Origin::BuiltIn)?)?;
        }
        Ok(devices)
    }

    /// No data.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds an operator's file of `[[certification]]`, `[[uncertified]]` and `[[advisory]]` entries.
    ///
    /// An entry with the number of a built-in one replaces it: so a validation can be extended, or an
    /// advisory be made a refusal. A certification for a model that is known to have none counts.
    ///
    /// # Errors
    ///
    /// Names the file, the entry, and what to change. After an error the data is as it was before.
    pub fn add_file(&mut self, name: &str, text: &str) -> Result<(), DataError> {
        let tables = Tables::read(name, text, Origin::Operator(name.to_owned()))?;
        tables.refuse_all_but("a device file", &["certification", "uncertified", "advisory"])?;
        let mut loaded = self.clone();
        loaded.load(&tables)?;
        *self = loaded;
        Ok(())
    }

    /// Adds the entries of a file. After an error some may have been added.
    pub(super) fn load(&mut self, tables: &Tables) -> Result<(), DataError> {
        for entry in tables.of("certification") {
            let row = read_certification(entry, &tables.origin)?;
            let key = (row.scheme, row.id.clone());
            may_replace(entry, self.certifications.get(&key).map(|c| &c.origin), &tables.origin)?;
            self.certifications.insert(key, row);
        }
        for entry in tables.of("advisory") {
            let row = read_advisory(entry, &tables.origin)?;
            may_replace(entry, self.advisories.get(&row.id).map(|a| &a.origin), &tables.origin)?;
            self.advisories.insert(row.id.clone(), row);
        }
        for entry in tables.of("uncertified") {
            let row: UncertifiedRow = entry.row()?;
            not_empty(entry, "vendor", &row.vendor)?;
            names(entry, "models", &row.models)?;
            not_empty(entry, "source", &row.source)?;
            let looked_up = date(entry, "looked_up", &row.looked_up)?;
            let UncertifiedRow { vendor, models, source, .. } = row;
            self.uncertified.push(Uncertified { models, vendor, source, looked_up });
        }
        self.rebuild_index();
        if tables.origin == Origin::BuiltIn {
            self.refuse_contradictions(tables)?;
        }
        Ok(())
    }

    fn rebuild_index(&mut self) {
        let mut index: HashMap<String, HashMap<String, Known>> = HashMap::new();
        let mut known = |vendor: &str, model: &str, add: &dyn Fn(&mut Known)| {
            add(index.entry(vendor.to_owned()).or_default().entry(model.to_owned()).or_default());
        };
        for (key, certification) in &self.certifications {
            for model in &certification.models {
                known(&certification.vendor, model, &|k| k.certifications.push(key.clone()));
            }
        }
        for (id, advisory) in &self.advisories {
            for (place, affected) in advisory.affected.iter().enumerate() {
                for model in &affected.models {
                    known(&advisory.vendor, model, &|k| k.advisories.push((id.clone(), place)));
                }
            }
        }
        for entry in &self.uncertified {
            for model in &entry.models {
                known(&entry.vendor, model, &|k| k.uncertified = true);
            }
        }
        self.index = index;
    }

    fn refuse_contradictions(&self, tables: &Tables) -> Result<(), DataError> {
        for (vendor, models) in &self.index {
            for (model, known) in models {
                if known.uncertified && !known.certifications.is_empty() {
                    let problem = format!(
                        "{vendor} {model} is in [[uncertified]] and has a certification: take one out"
                    );
                    return Err(DataError::new(&tables.file, "[[uncertified]]", problem));
                }
            }
        }
        Ok(())
    }

    fn known(&self, vendor: &str, model: &str) -> Option<&Known> {
        self.index.get(vendor)?.get(model)
    }

    /// The certifications of a device at a date, in the order of scheme and number. One that names other
    /// firmware than the device has is left out.
    #[must_use]
    pub fn certifications(
        &self,
        vendor: &str,
        model: &str,
        firmware: Option<&str>,
        at: Time,
    ) -> Vec<CertificationMatch<'_>> {
        let firmware = firmware.and_then(Version::parse);
        let keys = self.known(vendor, model).map(|k| k.certifications.as_slice()).unwrap_or_default();
        let found = keys.iter().filter_map(|key| self.certifications.get(key));
        found
            .filter_map(|certification| {
                let matched = match certification.firmware.includes(firmware) {
                    Inclusion::Included => MatchedBy::ModelAndFirmware,
                    Inclusion::Unnamed | Inclusion::Unknown => MatchedBy::ModelOnly,
                    Inclusion::Excluded => return None,
                };
                Some(CertificationMatch { certification, matched, status: certification.status(at) })
            })
            .collect()
    }

    /// Whether it is known that this model has no certification at all. False for models that nothing is
    /// known of.
    #[must_use]
    pub fn known_uncertified(&self, vendor: &str, model: &str) -> bool {
        self.known(vendor, model).is_some_and(|k| k.uncertified && k.certifications.is_empty())
    }

    /// The advisories that concern a key of this algorithm on this device, in the order of their ids. `None`
    /// stands for what is not known; what then depends on it is returned as not certain.
    #[must_use]
    pub fn advisories(
        &self,
        vendor: &str,
        model: &str,
        firmware: Option<&str>,
        algorithm: Option<&str>,
    ) -> Vec<AdvisoryMatch<'_>> {
        let firmware = firmware.and_then(Version::parse);
        let ids = self.known(vendor, model).map(|k| k.advisories.as_slice()).unwrap_or_default();
        let mut found: Vec<AdvisoryMatch<'_>> = Vec::new();
        for (id, place) in ids {
            let Some(advisory) = self.advisories.get(id) else { continue };
            let Some(affected) = advisory.affected.get(*place) else { continue };
            let certain_firmware = match affected.firmware.includes(firmware) {
                Inclusion::Unnamed | Inclusion::Included => true,
                Inclusion::Unknown => false,
                Inclusion::Excluded => continue,
            };
            let certain_algorithm = match algorithm {
                _ if advisory.key_algorithms.is_empty() => true,
                Some(a) if advisory.key_algorithms.iter().any(|p| algorithm_matches(p, a)) => true,
                Some(_) => continue,
                None => false,
            };
            let certain = certain_firmware && certain_algorithm;
            match found.last_mut() {
                // Several groups of affected models may name the same model.
                Some(last) if last.advisory.id == advisory.id => last.certain |= certain,
                _ => found.push(AdvisoryMatch { advisory, certain }),
            }
        }
        found
    }

    /// All certifications, in the order of scheme and number.
    pub fn all_certifications(&self) -> impl Iterator<Item = &Certification> {
        self.certifications.values()
    }

    /// All advisories, in the order of their ids.
    pub fn all_advisories(&self) -> impl Iterator<Item = &Advisory> {
        self.advisories.values()
    }

    /// All content in an order that depends on nothing but the content.
    pub(super) fn canonical(&self) -> impl Serialize + '_ {
        let certifications: Vec<_> = self.certifications.values().collect();
        let advisories: Vec<_> = self.advisories.values().collect();
        let mut uncertified: Vec<_> = self.uncertified.iter().collect();
        uncertified.sort_by(|a, b| {
            (&a.vendor, &a.models, &a.source, a.looked_up).cmp(&(
                &b.vendor,
                &b.models,
                &b.source,
                b.looked_up,
            ))
        });
        (certifications, advisories, uncertified)
    }
}

/// Whether a pattern of an advisory, exact or the beginning of a name followed by `*`, is that of an
/// algorithm.
fn algorithm_matches(pattern: &str, algorithm: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => algorithm.starts_with(beginning),
        None => algorithm == pattern,
    }
}

/// An operator's entry may replace a built-in one; otherwise numbers are unique.
fn may_replace(entry: &Entry, existing: Option<&Origin>, new: &Origin) -> Result<(), DataError> {
    match (existing, new) {
        (None, _) | (Some(Origin::BuiltIn), Origin::Operator(_)) => Ok(()),
        (Some(Origin::Operator(file)), _) => {
            Err(entry
                .error(format_args!("it is in {file} already: keep one, with all its models and firmware")))
        }
        (Some(Origin::BuiltIn), Origin::BuiltIn) => {
            Err(entry.error("it is in the built-in data twice: keep one, with all its models and firmware"))
        }
    }
}

fn read_certification(entry: &Entry, origin: &Origin) -> Result<Certification, DataError> {
    let row: CertificationRow = entry.row()?;
    for (field, text) in [
        ("id", &row.id),
        ("vendor", &row.vendor),
        ("module", &row.module),
        ("standard", &row.standard),
        ("level", &row.level),
        ("source", &row.source),
    ] {
        not_empty(entry, field, text)?;
    }
    names(entry, "models", &row.models)?;
    let fields = FirmwareFields {
        firmware: row.firmware,
        firmware_min: row.firmware_min,
        firmware_max: row.firmware_max,
        firmware_below: None,
    };
    let firmware = FirmwareRange::from_fields(&fields).map_err(|problem| entry.error(problem))?;
    let valid_from = date(entry, "valid_from", &row.valid_from)?;
    let valid_to = row.valid_to.as_deref().map(|t| date(entry, "valid_to", t)).transpose()?;
    if valid_to.is_some_and(|to| to < valid_from) {
        return Err(entry.error("valid_to is before valid_from: check the dates"));
    }
    if valid_to.is_some() && row.historical {
        return Err(entry
            .error("historical is for certifications without a last day: take out valid_to or historical"));
    }
    let certification = Certification {
        scheme: row.scheme,
        id: row.id,
        vendor: row.vendor,
        models: row.models,
        module: row.module,
        standard: row.standard,
        level: row.level,
        firmware,
        fips_mode_required: row.fips_mode_required,
        valid_from,
        valid_to,
        interim: row.interim,
        historical: row.historical,
        source: row.source,
        looked_up: date(entry, "looked_up", &row.looked_up)?,
        origin: origin.clone(),
    };
    let level = &certification.level;
    match certification.scheme {
        Scheme::Cmvp if !matches!(level.as_str(), "1" | "2" | "3" | "4") => {
            Err(entry
                .error(format_args!("level: {level:?} is not a level of FIPS 140: write \"1\" to \"4\"")))
        }
        Scheme::Cc if certification.eal().is_none() => Err(entry.error(format_args!(
            "level: {level:?} is not an evaluation assurance level: write \"EAL4\" or \"EAL4+\""
        ))),
        _ => Ok(certification),
    }
}

fn read_advisory(entry: &Entry, origin: &Origin) -> Result<Advisory, DataError> {
    let row: AdvisoryRow = entry.row()?;
    kebab(entry, "id", &row.id)?;
    for (field, text) in [
        ("title", &row.title),
        ("vendor", &row.vendor),
        ("detail", &row.detail),
        ("advice", &row.advice),
        ("source", &row.source),
    ] {
        not_empty(entry, field, text)?;
    }
    if !row.key_algorithms.is_empty() {
        names(entry, "key_algorithms", &row.key_algorithms)?;
    }
    if row.affected.is_empty() {
        return Err(entry.error("no device is affected: add an [[advisory.affected]] with models"));
    }
    let mut affected = Vec::new();
    for group in row.affected {
        names(entry, "models", &group.models)?;
        let fields = FirmwareFields {
            firmware: group.firmware,
            firmware_min: group.firmware_min,
            firmware_max: group.firmware_max,
            firmware_below: group.firmware_below,
        };
        let firmware = FirmwareRange::from_fields(&fields).map_err(|problem| entry.error(problem))?;
        affected.push(Affected { models: group.models, firmware });
    }
    Ok(Advisory {
        id: row.id,
        title: row.title,
        references: row.references,
        vendor: row.vendor,
        key_algorithms: row.key_algorithms,
        effect: row.effect,
        detail: row.detail,
        advice: row.advice,
        source: row.source,
        affected,
        origin: origin.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Time {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    fn devices() -> Devices {
        Devices::builtin().unwrap()
    }

    /// Number, level, how it matched, status.
    fn certified(
        devices: &Devices,
        vendor: &str,
        model: &str,
        firmware: Option<&str>,
        day: &str,
    ) -> Vec<(String, String, MatchedBy, Status)> {
        let found = devices.certifications(vendor, model, firmware, at(day));
        found
            .iter()
            .map(|m| (m.certification.id.clone(), m.certification.level.clone(), m.matched, m.status))
            .collect()
    }

    /// Id, and whether it is certain.
    fn concerned(model: &str, firmware: Option<&str>, algorithm: Option<&str>) -> Vec<(String, bool)> {
        let devices = devices();
        let found = devices.advisories("Yubico", model, firmware, algorithm);
        found.iter().map(|m| (m.advisory.id.clone(), m.certain)).collect()
    }

    #[test]
    fn yubikey_5_fips_on_both_sides_of_its_last_day() {
        let on = |day: &str| {
            let all = certified(&devices(), "Yubico", "YubiKey 5 FIPS", Some("5.4.3"), day);
            all.into_iter().find(|(id, ..)| id == "3914").unwrap()
        };
        let row = |status| ("3914".to_owned(), "2".to_owned(), MatchedBy::ModelAndFirmware, status);
        assert_eq!(on("2026-01-10"), row(Status::Active));
        assert_eq!(on("2026-11-23"), row(Status::Historical));
        assert_eq!(on("2026-05-02"), row(Status::Active));
        assert_eq!(on("2026-05-03"), row(Status::Historical));
        assert_eq!(on("2021-05-03"), row(Status::Active));
        assert_eq!(on("2021-05-02"), row(Status::NotYet));
    }

    #[test]
    fn firmware_decides_when_it_is_known() {
        let with = |firmware| certified(&devices(), "Yubico", "YubiKey 5 FIPS", firmware, "2026-01-10");
        assert_eq!(with(Some("5.4.2")).len(), 2);
        assert_eq!(with(Some("5.7.4")), []);
        assert!(with(None).iter().all(|(_, _, matched, _)| *matched == MatchedBy::ModelOnly));
        assert_eq!(with(None).len(), 2);
        assert_eq!(with(Some("five")), with(None));
    }

    #[test]
    fn no_certification_by_the_vendors_name_alone() {
        let devices = devices();
        for model in ["YubiKey 5", "YubiKey 4", "YubiKey Bio"] {
            assert_eq!(certified(&devices, "Yubico", model, Some("5.4.3"), "2026-01-10"), []);
            assert!(devices.known_uncertified("Yubico", model), "{model}");
        }
        assert_eq!(certified(&devices, "Yubico", "YubiKey", None, "2026-01-10"), []);
        assert!(!devices.known_uncertified("Yubico", "YubiKey"));
        assert!(!devices.known_uncertified("Yubico", "YubiKey 5 FIPS"));
        assert!(!devices.known_uncertified("Nobody", "YubiKey 5"));
    }

    #[test]
    fn hsms_match_by_model_only() {
        let devices = devices();
        let first = certified(&devices, "Marvell", "LiquidSecurity", None, "2026-11-23");
        assert_eq!(first.len(), 6);
        assert!(first.iter().all(|(_, level, matched, _)| level == "3" && *matched == MatchedBy::ModelOnly));
        let active: Vec<_> = first.iter().filter(|(.., status)| *status == Status::Active).collect();
        assert_eq!(active.len(), 1);
        assert_eq!(active[0].0, "4700");
        let second = certified(&devices, "Marvell", "LiquidSecurity 2", None, "2026-11-23");
        assert_eq!(second, [("4703".to_owned(), "3".to_owned(), MatchedBy::ModelOnly, Status::Active)]);

        let primus = certified(&devices, "Securosys", "Primus HSM", None, "2026-11-23");
        assert_eq!(primus.len(), 5);
        assert!(primus.iter().all(|(id, .., status)| {
            *status == if id.starts_with("OCSI") { Status::Unknown } else { Status::Historical }
        }));
        assert_eq!(certified(&devices, "Securosys", "Primus HSM", Some("3.1.0"), "2026-11-23").len(), 3);
    }

    #[test]
    fn levels() {
        let devices = devices();
        let level = |scheme, id: &str| {
            let c = devices.certifications.get(&(scheme, id.to_owned())).unwrap();
            (c.fips_level(), c.eal())
        };
        assert_eq!(level(Scheme::Cmvp, "3914"), (Some(2), None));
        assert_eq!(level(Scheme::Cc, "OCSI 13/2026"), (None, Some((4, true))));
        for certification in devices.all_certifications() {
            let levels = (certification.fips_level(), certification.eal());
            assert_eq!(levels.0.is_some(), certification.scheme == Scheme::Cmvp);
            assert_eq!(levels.1.is_some(), certification.scheme == Scheme::Cc);
        }
    }

    #[test]
    fn roca_bounds() {
        let rsa = |firmware| concerned("YubiKey 4", firmware, Some("RSA-2048"));
        let hit = [("roca-firmware".to_owned(), true)];
        assert_eq!(rsa(Some("4.2.5")), []);
        assert_eq!(rsa(Some("4.2.6")), hit);
        assert_eq!(rsa(Some("4.3.4")), hit);
        assert_eq!(rsa(Some("4.3.5")), []);
        assert_eq!(rsa(None), [("roca-firmware".to_owned(), false)]);
        assert_eq!(concerned("YubiKey 4", Some("4.3.4"), Some("EC-P256")), []);
        assert_eq!(concerned("YubiKey 4", Some("4.3.4"), None), [("roca-firmware".to_owned(), false)]);
        let devices = devices();
        let found = devices.advisories("Yubico", "YubiKey 4", Some("4.3.4"), Some("RSA-2048"));
        assert_eq!(found[0].advisory.effect, Effect::Refusal);
    }

    #[test]
    fn ysa_2019_02_bounds() {
        let hit = [("ysa-2019-02".to_owned(), true)];
        for algorithm in ["RSA-2048", "EC-P256"] {
            let with = |firmware| concerned("YubiKey 4 FIPS", Some(firmware), Some(algorithm));
            assert_eq!(with("4.4.1"), []);
            assert_eq!(with("4.4.2"), hit);
            assert_eq!(with("4.4.3"), []);
            assert_eq!(with("4.4.4"), hit);
            assert_eq!(with("4.4.5"), []);
        }
    }

    #[test]
    fn eucleak_bounds() {
        let hit = [("eucleak".to_owned(), true)];
        for model in ["YubiKey 5", "YubiKey 5 FIPS", "YubiKey 5 CSPN", "YubiKey 5 FIPS CSPN"] {
            let ec = |firmware| concerned(model, Some(firmware), Some("EC-P256"));
            assert_eq!(ec("5.0.0"), hit);
            assert_eq!(ec("5.6.9"), hit);
            assert_eq!(ec("5.7.0"), []);
            assert_eq!(ec("5.7.4"), []);
            assert_eq!(concerned(model, Some("5.4.3"), Some("RSA-2048")), []);
            assert_eq!(concerned(model, None, Some("EC-P384")), [("eucleak".to_owned(), false)]);
        }
        assert_eq!(concerned("YubiKey Bio", Some("5.7.1"), Some("EC-P256")), hit);
        assert_eq!(concerned("YubiKey Bio", Some("5.7.2"), Some("EC-P256")), []);
        assert_eq!(concerned("YubiKey 4", Some("4.3.7"), Some("EC-P256")), []);
    }

    const ROW: &str = "[[certification]]\nscheme = 'cmvp'\nid = '1'\nvendor = 'V'\nmodels = ['M']\nmodule = 'm'\n\
                       standard = 'FIPS 140-3'\nlevel = '3'\nfips_mode_required = true\nvalid_from = '2025-01-01'\n\
                       valid_to = '2030-01-01'\nsource = 's'\nlooked_up = '2026-11-01'\n";
    const ADVISORY: &str = "[[advisory]]\nid = 'flaw'\ntitle = 't'\nvendor = 'V'\neffect = 'finding'\ndetail = 'd'\n\
                            advice = 'a'\nsource = 's'\n[[advisory.affected]]\nmodels = ['M']\n";

    #[test]
    fn firmware_ranges_of_certifications() {
        let mut devices = Devices::empty();
        let text = ROW.replace("level =", "firmware_min = '7.8.4'\nfirmware_max = '7.8.10'\nlevel =");
        devices.add_file("mine.toml", &text).unwrap();
        let with = |firmware| certified(&devices, "V", "M", Some(firmware), "2026-11-23").len();
        assert_eq!((with("7.8.3"), with("7.8.4"), with("7.8.10"), with("7.8.11")), (0, 1, 1, 0));
    }

    #[test]
    fn the_operator_may_replace_and_add() {
        let mut devices = devices();
        let text = ROW
            .replace("'1'", "'3914'")
            .replace("'V'", "'Yubico'")
            .replace("['M']", "['YubiKey 5 FIPS', 'YubiKey 5']");
        devices.add_file("mine.toml", &text).unwrap();
        let found = certified(&devices, "Yubico", "YubiKey 5 FIPS", Some("5.4.3"), "2026-11-23");
        assert!(found.contains(&("3914".to_owned(), "3".to_owned(), MatchedBy::ModelOnly, Status::Active)));
        assert!(!devices.known_uncertified("Yubico", "YubiKey 5"), "the operator knows a certification");

        let eucleak = ADVISORY
            .replace("'flaw'", "'eucleak'")
            .replace("'V'", "'Yubico'")
            .replace("['M']", "['YubiKey 5']")
            .replace("finding", "refusal");
        devices.add_file("mine-too.toml", &eucleak).unwrap();
        let found = devices.advisories("Yubico", "YubiKey 5", None, None);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].advisory.effect, found[0].certain), (Effect::Refusal, true));

        let error = devices.add_file("third.toml", &text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "third.toml: [[certification]] \"cmvp 3914\": it is in mine.toml already: keep one, with all its models and firmware"
        );
    }

    #[test]
    fn overlapping_groups_of_an_advisory_are_one_match() {
        let mut devices = Devices::empty();
        let text = format!("{ADVISORY}firmware = ['1.0']\n[[advisory.affected]]\nmodels = ['M']\n");
        devices.add_file("mine.toml", &text).unwrap();
        let found = devices.advisories("V", "M", None, None);
        assert_eq!(found.len(), 1);
        assert!(found[0].certain, "the second group names no firmware");
    }

    #[test]
    fn errors_name_the_file_and_the_entry() {
        let uncertified =
            "[[uncertified]]\nvendor = 'V'\nmodels = ['M']\nsource = 's'\nlooked_up = '2026-11-01'\n";
        let row = "[[certification]] \"cmvp 1\"";
        for (text, entry, says) in [
            (ROW.replace("2030-01-01", "2030-02-30"), row, "valid_to"),
            (ROW.replace("2030-01-01", "2024-12-31"), row, "before valid_from"),
            (ROW.replace("2025-01-01", "soon"), row, "valid_from"),
            (ROW.replace("2026-11-01", "2026"), row, "looked_up"),
            (ROW.replace("level = '3'", "level = '5'"), row, "level"),
            (ROW.replace("level = '3'", "level = 3"), row, "string"),
            (ROW.replace("level = '3'", "level = '3'\ncolour = 'red'"), row, "colour"),
            (ROW.replace("level = '3'", "level = '3'\nhistorical = true"), row, "historical"),
            (ROW.replace("level = '3'", "level = '3'\nfirmware = ['x']"), row, "firmware"),
            (ROW.replace("['M']", "[]"), row, "models"),
            (ROW.replace("['M']", "['M', 'M']"), row, "twice"),
            (ROW.replace("'V'", "''"), row, "vendor is empty"),
            (ROW.replace("'cmvp'", "'cc'"), "[[certification]] \"cc 1\"", "level"),
            (ROW.replace("'cmvp'", "'fips'"), "[[certification]] \"fips 1\"", "fips"),
            (format!("{ROW}{ROW}"), row, "already"),
            (ADVISORY.replace("'finding'", "'bad'"), "[[advisory]] \"flaw\"", "bad"),
            (ADVISORY.replace("title = 't'\n", ""), "[[advisory]] \"flaw\"", "title"),
            (ADVISORY.replace("'flaw'", "'Flaw 1'"), "[[advisory]] \"Flaw 1\"", "id"),
            (
                ADVISORY.replace("[[advisory.affected]]\nmodels = ['M']\n", ""),
                "[[advisory]] \"flaw\"",
                "affected",
            ),
            (format!("{ADVISORY}{ADVISORY}"), "[[advisory]] \"flaw\"", "already"),
            (uncertified.replace("2026-11-01", "x"), "[[uncertified]] number 1", "looked_up"),
            (uncertified.replace("vendor = 'V'\n", ""), "[[uncertified]] number 1", "vendor"),
        ] {
            let mut devices = Devices::empty();
            let error = devices.add_file("mine.toml", &text).unwrap_err();
            assert_eq!((error.file(), error.entry()), ("mine.toml", entry), "{error}");
            assert!(error.problem().contains(says), "{says}: {error}");
            assert_eq!(devices.all_certifications().count(), 0, "nothing was added");
        }
        let mut devices = Devices::empty();
        assert!(devices.add_file("mine.toml", "[[deny]]\nserial = '1'\nreason = 'r'\n").is_err());
    }

    #[test]
    fn built_in_contradictions_are_errors() {
        let text = format!(
            "{ROW}[[uncertified]]\nvendor = 'V'\nmodels = ['M']\nsource = 's'\nlooked_up = '2026-11-01'\n"
        );
        let tables = Tables::read("data/x.toml", &text, Origin::BuiltIn).unwrap();
        let error = Devices::empty().load(&tables).unwrap_err();
        assert!(error.to_string().contains("V M"), "{error}");
    }
}
