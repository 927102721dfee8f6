//! The trustworthiness vector of AR4SI (draft-ietf-rats-ar4si): what an appraisal says, in eight numbers.
//!
//! AR4SI knows nothing of keys; the mapping is this project's and is written down in docs/standards.md. Two rules hold
//! throughout. What is not established is left out, never called good. And a value in the vector never looks better than
//! the verdict: where a policy accepts a fact in spite of a flaw it is a warning, where it does not it is a
//! contraindication.

use std::collections::BTreeMap;

use keyvouch::appraisal::{Appraisal, Severity};
use keyvouch::checks::{CheckRecord, OnFail};
use keyvouch::{Authenticity, Basis, ClaimName, Value, Verdict};
use serde::{Serialize, Serializer};

/// How far something can be trusted, from the best to the worst: to say nothing is worse than to warn, because nobody
/// may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// It can be relied on.
    Affirming,
    /// It can, with something that somebody should look at.
    Warning,
    /// Nothing is said.
    None,
    /// It must not be relied on.
    Contraindicated,
}

impl Tier {
    const ALL: [Self; 4] = [Self::Affirming, Self::Warning, Self::None, Self::Contraindicated];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::None => "none",
            Self::Contraindicated => "contraindicated",
        }
    }

    /// The number in CBOR.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Affirming => 2,
            Self::Warning => 32,
            Self::Contraindicated => 96,
        }
    }

    /// The tier of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == word)
    }

    /// The tier of the number that stands for one.
    #[must_use]
    pub fn of_number(number: i128) -> Option<Self> {
        Self::ALL.into_iter().find(|t| i128::from(t.number()) == number)
    }

    /// The tier in which the value of a claim lies.
    #[must_use]
    pub const fn of_value(value: i8) -> Self {
        match value {
            -1..=1 => Self::None,
            2..=31 | -32..=-2 => Self::Affirming,
            32..=95 | -96..=-33 => Self::Warning,
            96..=127 | -128..=-97 => Self::Contraindicated,
        }
    }
}

impl Serialize for Tier {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

/// The claims of the vector, each at the place that is its key in CBOR.
pub const CLAIMS: [&str; 8] = [
    "instance-identity",
    "configuration",
    "executables",
    "file-system",
    "hardware",
    "runtime-opaque",
    "storage-opaque",
    "sourced-data",
];

const INSTANCE_IDENTITY: &str = "instance-identity";
const CONFIGURATION: &str = "configuration";
const HARDWARE: &str = "hardware";
const STORAGE_OPAQUE: &str = "storage-opaque";

/// The values that are given.
mod value {
    /// Recognised, approved, genuine.
    pub(super) const GOOD: i8 = 2;
    /// With a flaw.
    pub(super) const FLAWED: i8 = 32;
    /// Not to be trusted.
    pub(super) const BAD: i8 = 96;
    /// Not recognised although it should be.
    pub(super) const NOT_RECOGNISED: i8 = 97;
    /// Signatures or what depends on them did not hold.
    pub(super) const CRYPTOGRAPHY_FAILED: i8 = 99;
}

/// The vector: values by the name of the claim.
pub type Vector = BTreeMap<&'static str, i8>;

/// Status and vector of an appraisal that policies have judged. Without a judgement, or where a policy cannot decide,
/// nothing is said: status `none`, and no vector from which somebody could conclude otherwise.
#[must_use]
pub fn of(appraisal: &Appraisal) -> (Tier, Vector) {
    let verdict = appraisal.decisions.iter().map(|d| d.verdict).max();
    let judged = match (verdict, appraisal.authenticity) {
        (Some(Verdict::Refuse), _) => Tier::Contraindicated,
        (None | Some(Verdict::CannotDecide), _) => Tier::None,
        // Every policy refuses these; should one not, it is not believed.
        (_, Authenticity::NotAuthentic | Authenticity::NotAttestable) => Tier::Contraindicated,
        (_, Authenticity::Undecided) => Tier::None,
        (Some(Verdict::AcceptWithFindings), Authenticity::Authentic) => Tier::Warning,
        (Some(Verdict::Accept), Authenticity::Authentic) => Tier::Affirming,
    };
    let vector = match (judged, appraisal.authenticity) {
        (Tier::None, _) => Vector::new(),
        (_, Authenticity::Authentic) => authentic(appraisal, judged),
        (_, Authenticity::NotAuthentic) => not_authentic(appraisal),
        // Nothing is known of the device.
        (_, Authenticity::Undecided | Authenticity::NotAttestable) => Vector::new(),
    };
    let worst = vector.values().map(|v| Tier::of_value(*v)).max();
    (judged.max(worst.unwrap_or(judged)), vector)
}

fn not_authentic(appraisal: &Appraisal) -> Vector {
    let wrong: Vec<&CheckRecord> =
        appraisal.failed().filter(|c| c.means == Some(OnFail::NotAuthentic)).collect();
    let any = |holds: fn(&str) -> bool| wrong.iter().any(|c| holds(&c.id));
    if any(|id| id.contains("signature")) {
        return [INSTANCE_IDENTITY, CONFIGURATION, HARDWARE, STORAGE_OPAQUE]
            .map(|name| (name, value::CRYPTOGRAPHY_FAILED))
            .into();
    }
    if wrong.iter().all(|c| c.id == "denied" || c.id.contains("revoked")) {
        return [(INSTANCE_IDENTITY, value::BAD)].into();
    }
    [(INSTANCE_IDENTITY, value::NOT_RECOGNISED), (HARDWARE, value::NOT_RECOGNISED)].into()
}

fn authentic(appraisal: &Appraisal, judged: Tier) -> Vector {
    let flawed = if judged == Tier::Contraindicated { value::BAD } else { value::FLAWED };
    let mut vector = Vector::new();
    if proved(appraisal, ClaimName::DeviceClass) && proved(appraisal, ClaimName::DeviceVendor) {
        vector.insert(INSTANCE_IDENTITY, value::GOOD);
    }
    if let Some(value) = hardware(appraisal, flawed) {
        vector.insert(HARDWARE, value);
    }
    if let Some(value) = storage(appraisal, flawed) {
        vector.insert(STORAGE_OPAQUE, value);
    }
    vector.insert(CONFIGURATION, configuration(appraisal, judged));
    vector
}

/// Genuine by the maker's word; flawed by an advisory or by the key itself.
fn hardware(appraisal: &Appraisal, flawed: i8) -> Option<i8> {
    let refused = appraisal.advisories.iter().any(|a| a.effect == "refusal");
    if refused || appraisal.failed().any(|c| c.id == "roca-key") {
        return Some(value::BAD);
    }
    if appraisal.claims.text(ClaimName::DeviceClass) == Some("software") {
        return Some(flawed);
    }
    if !proved(appraisal, ClaimName::DeviceClass) || !proved(appraisal, ClaimName::DeviceVendor) {
        return None;
    }
    Some(if appraisal.advisories.is_empty() { value::GOOD } else { flawed })
}

/// Good is a key that was made in the device and cannot leave the maker's devices.
fn storage(appraisal: &Appraisal, flawed: i8) -> Option<i8> {
    let claims = &appraisal.claims;
    let imported = *claims.value(ClaimName::KeyGeneratedInDevice) == Value::Bool(false);
    let was_exportable = *claims.value(ClaimName::KeyEverExportable) == Value::Bool(true);
    match claims.text(ClaimName::KeyExportable) {
        _ if imported || was_exportable => Some(flawed),
        Some("wrapped" | "yes") => Some(flawed),
        Some("never" | "vendor-boundary")
            if proved(appraisal, ClaimName::KeyExportable)
                && proved(appraisal, ClaimName::KeyGeneratedInDevice) =>
        {
            Some(value::GOOD)
        }
        _ => None,
    }
}

/// What the policies say, apart from what stands in the other claims.
fn configuration(appraisal: &Appraisal, judged: Tier) -> i8 {
    let warned = appraisal.findings().next().is_some();
    let wished = appraisal
        .decisions
        .iter()
        .flat_map(|d| &d.requirements)
        // Every policy has this one; that there are findings is seen without it.
        .any(|r| !r.met && r.severity == Severity::Should && r.id != "no-findings");
    match judged {
        Tier::Contraindicated => value::BAD,
        _ if warned || wished => value::FLAWED,
        Tier::Warning if appraisal.advisories.is_empty() => value::FLAWED,
        _ => value::GOOD,
    }
}

/// Whether a claim is known from the device or its maker, not from the subscriber or the operator.
fn proved(appraisal: &Appraisal, name: ClaimName) -> bool {
    let by_device = |basis| matches!(basis, Basis::Attested | Basis::Implied);
    appraisal.claims.get(name).is_some_and(|c| by_device(c.basis) && !c.value.is_unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_tier() {
        for (values, tier) in [
            (&[-1_i8, 0, 1][..], Tier::None),
            (&[2, 31, -2, -32], Tier::Affirming),
            (&[32, 95, -33, -96], Tier::Warning),
            (&[96, 97, 99, 127, -97, -128], Tier::Contraindicated),
        ] {
            for value in values {
                assert_eq!(Tier::of_value(*value), tier, "{value}");
            }
        }
        for tier in Tier::ALL {
            assert_eq!(Tier::of_word(tier.as_str()), Some(tier));
            assert_eq!(Tier::of_number(tier.number().into()), Some(tier));
            assert!(i8::try_from(tier.number()).is_ok_and(|n| Tier::of_value(n) == tier));
        }
        assert_eq!(Tier::of_number(3), None);
        assert!(Tier::None > Tier::Warning, "nobody relies on what is not said");
    }
}
