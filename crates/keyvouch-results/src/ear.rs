//! From a report to the claims set of an attestation result.
//!
//! One submodule for each statement, so that a request with two statements has two appraisals and one status over
//! all: the worst.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyvouch::appraisal::{Appraisal, Report};
use keyvouch::{Authenticity, Basis, Freshness, Time};
use serde_json::{Map, Value, json};

use crate::cmw::Record;
use crate::token::IssueError;
use crate::vector::{self, Tier};

/// The last second of the year 9999.
const LAST_TIME: i64 = 253_402_300_799;

/// A version of EAR. Names and types of claims differ between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Veraison's, before the draft had one: names with dots. Read, not made.
    Veraison2023,
    /// Draft -02: names with dots. Read, not made.
    V02,
    /// Draft -03.
    V03,
    /// Draft -04: evidence in a wrapper (CMW), claims of attester and verifier.
    V04,
}

impl Profile {
    /// Every profile that is read.
    pub const ALL: [Self; 4] = [Self::Veraison2023, Self::V02, Self::V03, Self::V04];

    /// The value of `eat_profile`.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Veraison2023 => "tag:github.com,2023:veraison/ear",
            Self::V02 => "tag:ietf.org,2025-07:ear",
            Self::V03 => "tag:ietf.org,2026:rats/ear#03",
            Self::V04 => "tag:ietf.org,2026:rats/ear#04",
        }
    }

    /// The profile of that name.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.uri() == uri)
    }

    /// Whether names have dots in JSON.
    pub(crate) const fn dotted(self) -> bool {
        matches!(self, Self::Veraison2023 | Self::V02)
    }
}

/// What stands in a result apart from the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The profile: [`Profile::V03`] or [`Profile::V04`].
    pub profile: Profile,
    /// When the result is issued.
    pub issued: Time,
    /// Until when it may be relied on.
    pub expires: Option<Time>,
    /// The relying party's nonce: that the *result* is fresh.
    pub nonce: Option<Vec<u8>>,
    /// The nonce that the statements had to answer; it stands in the submodule of each that did (#04).
    pub evidence_nonce: Option<Vec<u8>>,
    /// Who runs the verifier.
    pub developer: String,
    /// The evidence itself.
    pub evidence: Option<Record>,
}

impl Terms {
    /// A result of profile #04, issued at this time; nothing else.
    #[must_use]
    pub fn new(issued: Time) -> Self {
        Self {
            profile: Profile::V04,
            issued,
            expires: None,
            nonce: None,
            evidence_nonce: None,
            developer: "keyvouch".to_owned(),
            evidence: None,
        }
    }
}

/// The nonce as that of a result: only when every statement that counts answered it. Who asked with a nonce and finds it
/// in the result must not be misled about evidence that has none.
#[must_use]
pub fn answered<'n>(report: &Report, nonce: Option<&'n [u8]>) -> Option<&'n [u8]> {
    let all = report.appraisals.iter().all(|a| a.freshness == Freshness::NonceMatched);
    nonce.filter(|n| all && is_nonce(n))
}

/// The claims set of a report.
///
/// # Errors
/// When the terms have no place in a result.
pub fn claims(report: &Report, terms: &Terms) -> Result<Value, IssueError> {
    if !matches!(terms.profile, Profile::V03 | Profile::V04) {
        return Err(IssueError::Profile);
    }
    if report.appraisals.is_empty() {
        return Err(IssueError::Empty);
    }
    let mut submods = Map::new();
    let mut worst = Tier::Affirming;
    for appraisal in &report.appraisals {
        let (tier, submod) = submodule(appraisal, terms);
        worst = worst.max(tier);
        submods.insert(unique(&submods, appraisal.format), submod);
    }
    let verifier = &report.verifier;
    let mut claims = json!({
        "eat_profile": terms.profile.uri(),
        "iat": seconds(terms.issued)?,
        "ear_status": worst.as_str(),
        "ear_verifier_id": {
            "developer": terms.developer,
            "build": format!("{} {}, data {}", verifier.name, verifier.version, verifier.data),
        },
        "submods": submods,
    });
    if let Some(expires) = terms.expires {
        if expires <= terms.issued {
            return Err(IssueError::Expiry);
        }
        put(&mut claims, "exp", seconds(expires)?.into());
    }
    if let Some(nonce) = &terms.nonce {
        if !is_nonce(nonce) {
            return Err(IssueError::Nonce(nonce.len()));
        }
        put(&mut claims, "eat_nonce", URL_SAFE_NO_PAD.encode(nonce).into());
    }
    if let Some(evidence) = &terms.evidence {
        let value = URL_SAFE_NO_PAD.encode(&evidence.value);
        let raw = match terms.profile {
            Profile::V04 => json!([evidence.media.to_string(), value]),
            // Bytes without their type.
            _ => Value::from(value),
        };
        put(&mut claims, "ear_raw_evidence", raw);
    }
    Ok(keyvouch::appraisal::sorted(claims))
}

fn submodule(appraisal: &Appraisal, terms: &Terms) -> (Tier, Value) {
    let (tier, vector) = vector::of(appraisal);
    let mut submod = json!({ "ear_status": tier.as_str() });
    if !vector.is_empty() {
        put(&mut submod, "ear_trustworthiness_vector", json!(vector));
    }
    let policies: Vec<&str> = appraisal.decisions.iter().map(|d| d.policy.as_str()).collect();
    if !policies.is_empty() {
        put(&mut submod, "ear_appraisal_policy_ids", json!(policies));
    }
    if let (Some(key), Authenticity::Authentic) = (&appraisal.key, appraisal.authenticity) {
        let spki = URL_SAFE_NO_PAD.encode(key.spki_der());
        put(&mut submod, "ear_veraison_key_attestation", json!({ "akpub": spki }));
    }
    let (of_attester, of_verifier) = match terms.profile {
        Profile::V04 => ("ear_attester_claims", "ear_verifier_claims"),
        _ => ("ear_veraison_annotated_evidence", "ear_veraison_policy_claims"),
    };
    let attested = attester_claims(appraisal);
    if !attested.is_empty() {
        put(&mut submod, of_attester, Value::Object(attested));
    }
    put(&mut submod, of_verifier, verifier_claims(appraisal));
    if let (Profile::V04, Freshness::NonceMatched, Some(nonce)) =
        (terms.profile, appraisal.freshness, terms.evidence_nonce.as_deref().filter(|n| is_nonce(n)))
    {
        put(&mut submod, "eat_nonce", URL_SAFE_NO_PAD.encode(nonce).into());
    }
    (tier, submod)
}

/// What the device or its maker says, by the names of reports.
fn attester_claims(appraisal: &Appraisal) -> Map<String, Value> {
    appraisal
        .claims
        .named()
        .filter(|(_, c)| matches!(c.basis, Basis::Attested | Basis::Implied) && !c.value.is_unknown())
        .filter_map(|(name, c)| Some((name.as_str().to_owned(), serde_json::to_value(&c.value).ok()?)))
        .collect()
}

/// What the verifier says.
fn verifier_claims(appraisal: &Appraisal) -> Value {
    let mut claims = json!({
        "authenticity": appraisal.authenticity.as_str(),
        "binding": appraisal.binding.as_str(),
        "format": appraisal.format,
        "freshness": appraisal.freshness.as_str(),
    });
    let verdicts: Map<String, Value> =
        appraisal.decisions.iter().map(|d| (d.policy.clone(), Value::from(d.verdict.as_str()))).collect();
    let certifications: Vec<Value> = appraisal
        .certifications
        .iter()
        .map(|c| json!({"scheme": c.scheme, "id": c.id, "level": c.level, "status": c.status, "matched": c.matched}))
        .collect();
    let mut failed: Vec<&str> = appraisal.failed().map(|c| c.id.as_ref()).collect();
    let mut findings: Vec<&str> = appraisal.findings().map(|c| c.id.as_ref()).collect();
    let advisories = appraisal.advisories.iter().filter(|a| a.effect == "finding");
    findings.extend(advisories.map(|a| a.id.as_str()));
    for ids in [&mut failed, &mut findings] {
        ids.sort_unstable();
        ids.dedup();
    }
    for (name, value, there) in [
        ("verdicts", json!(verdicts), !verdicts.is_empty()),
        ("certifications", json!(certifications), !certifications.is_empty()),
        ("failed", json!(failed), !failed.is_empty()),
        ("findings", json!(findings), !findings.is_empty()),
    ] {
        if there {
            put(&mut claims, name, value);
        }
    }
    if let Some(trust) = &appraisal.trust {
        let anchor = trust.anchor();
        let spki = URL_SAFE_NO_PAD.encode(anchor.spki_sha256);
        put(
            &mut claims,
            "anchor",
            json!({ "name": anchor.name, "origin": anchor.origin, "spki_sha256": spki }),
        );
    }
    claims
}

/// The name of a submodule: the format, with a number from the second on.
fn unique(taken: &Map<String, Value>, format: &str) -> String {
    let format = if format.is_empty() { "unrecognised" } else { format };
    if !taken.contains_key(format) {
        return format.to_owned();
    }
    let mut names = (2_usize..).map(|n| format!("{format}-{n}"));
    names.find(|name| !taken.contains_key(name)).unwrap_or_default()
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}

fn is_nonce(nonce: &[u8]) -> bool {
    (8..=64).contains(&nonce.len())
}

fn seconds(time: Time) -> Result<i64, IssueError> {
    let seconds = time.unix();
    if (0..=LAST_TIME).contains(&seconds) { Ok(seconds) } else { Err(IssueError::Time) }
}
