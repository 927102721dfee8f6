//! The result: what was found in a submission, in a form that people and programs can keep.
//!
//! [`Report`] serialises to the JSON contract `keyvouch.result/1` (docs/result.schema.json): keys sorted, no
//! clock, no randomness, so the same input gives the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::checks::{CheckRecord, OnFail, Outcome, Text};
use crate::claims::{Claim, ClaimName, ClaimSet};
use crate::crypto::PublicKey;
use crate::reference::anchors::{Anchor, Origin};
use crate::time::Time;

/// Whether the evidence is what it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authenticity {
    /// Signatures and chain hold up to a pinned anchor.
    Authentic,
    /// Something in the evidence is wrong.
    NotAuthentic,
    /// A piece is missing, or nobody knows this evidence.
    Undecided,
    /// A device that signs no statement which a third party can verify.
    NotAttestable,
}

impl Authenticity {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentic => "authentic",
            Self::NotAuthentic => "not-authentic",
            Self::Undecided => "undecided",
            Self::NotAttestable => "not-attestable",
        }
    }
}

/// By which way the claims came. Only the first is attestation; what comes by another way is never `authentic`, and no
/// policy judges it unless it was written for that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// The device or its maker signed a statement, up to a pinned anchor.
    Attestation,
    /// The operator asked the provider of the device himself.
    ProviderStatement,
    /// A person whom the operator trusts signed what he witnessed.
    WitnessStatement,
    /// None: nothing is claimed of a key.
    None,
}

impl Route {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attestation => "attestation",
            Self::ProviderStatement => "provider-statement",
            Self::WitnessStatement => "witness-statement",
            Self::None => "none",
        }
    }
}

/// What the statement is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// A certification request of the same key, with proof of possession.
    Csr,
    /// A certificate of the same key.
    Certificate,
    /// The same public key.
    PublicKey,
    /// Nothing.
    None,
}

impl Binding {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csr => "csr",
            Self::Certificate => "certificate",
            Self::PublicKey => "public-key",
            Self::None => "none",
        }
    }
}

/// Whether the statement answers the verifier's nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// The nonce is in the signed statement.
    NonceMatched,
    /// Another nonce is.
    NonceMismatch,
    /// A nonce was asked for, and this evidence has none.
    NoNonceInEvidence,
    /// No nonce was asked for.
    NotAsked,
}

impl Freshness {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NonceMatched => "nonce-matched",
            Self::NonceMismatch => "nonce-mismatch",
            Self::NoNonceInEvidence => "no-nonce-in-evidence",
            Self::NotAsked => "not-asked",
        }
    }
}

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every requirement is met.
    Accept,
    /// Every `must` is met; something should be looked at.
    AcceptWithFindings,
    /// A `must` hangs on something that is not known.
    CannotDecide,
    /// A `must` is not met.
    Refuse,
}

impl Verdict {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::AcceptWithFindings => "accept-with-findings",
            Self::CannotDecide => "cannot-decide",
            Self::Refuse => "refuse",
        }
    }
}

/// The anchor at the top of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnchorRef {
    /// Name for people.
    pub name: String,
    /// SHA-256 of its SubjectPublicKeyInfo.
    #[serde(serialize_with = "hexadecimal")]
    pub spki_sha256: [u8; 32],
    /// `built-in`, or the operator's file that it came from.
    pub origin: String,
}

impl AnchorRef {
    pub(crate) fn of(anchor: &Anchor) -> Self {
        let origin = match &anchor.origin {
            Origin::BuiltIn => "built-in".to_owned(),
            Origin::Operator(file) => format!("operator: {file}"),
        };
        Self { name: anchor.name.clone(), spki_sha256: anchor.spki_sha256, origin }
    }
}

/// Why a key is trusted: the anchor, and the names from it down to the key. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust(Arc<(AnchorRef, Vec<String>)>);

impl Trust {
    pub(crate) fn new(anchor: AnchorRef, path: Vec<String>) -> Self {
        Self(Arc::new((anchor, path)))
    }

    /// The pinned anchor.
    #[must_use]
    pub fn anchor(&self) -> &AnchorRef {
        &self.0.0
    }

    /// Names from the anchor down to the key that signed the statement.
    #[must_use]
    pub fn path(&self) -> &[String] {
        &self.0.1
    }
}

impl Serialize for Trust {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Form<'a> {
            anchor: &'a AnchorRef,
            path: &'a [String],
        }
        Form { anchor: self.anchor(), path: self.path() }.serialize(s)
    }
}

/// A certification of the device's model and firmware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certification {
    /// `cmvp`, `cc`, `qscd` or `cspn`.
    pub scheme: String,
    /// Number of the certificate.
    pub id: String,
    /// Module as the certificate names it.
    pub module: String,
    /// The standard, such as `FIPS 140-2`.
    pub standard: String,
    /// Overall level, such as `2` or `EAL4+`.
    pub level: String,
    /// `active`, `historical`, `not-yet` or `unknown` at the time of the appraisal.
    pub status: &'static str,
    /// `model-and-firmware`, or `model` when the certificate's firmware or the device's is not known.
    pub matched: &'static str,
    /// Whether it covers only the FIPS mode of the device.
    pub fips_mode_required: bool,
    /// Where the fact was looked up.
    pub source: String,
    /// When it was looked up.
    pub looked_up: String,
}

/// An advisory that concerns the device or the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advisory {
    /// Stable id.
    pub id: String,
    /// `finding` or `refusal`.
    pub effect: &'static str,
    /// What is wrong.
    pub detail: String,
    /// What can be done.
    pub advice: String,
    /// CVE and vendor numbers.
    pub references: Vec<String>,
    /// Where it was published.
    pub source: String,
}

/// How grave a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Not met: refuse, or cannot decide.
    Must,
    /// Not met: a finding.
    Should,
    /// Not met: said in the report, nothing more.
    Note,
}

/// A requirement of a policy and whether it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// Id within the policy.
    pub id: String,
    /// Whether it is met.
    pub met: bool,
    /// How grave it is.
    pub severity: Severity,
    /// When not met: whether that is because a claim is unknown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// What is required, or why it is not met.
    pub reason: String,
    /// Clause of the rule it comes from.
    pub cite: Option<String>,
}

/// What a policy says of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Name of the policy.
    pub policy: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its requirements, in its order.
    pub requirements: Vec<Requirement>,
}

/// A file of the submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Its name as handed in.
    pub name: String,
    /// `evidence` or `request`.
    pub role: &'static str,
    /// SHA-256 of its bytes.
    #[serde(serialize_with = "hexadecimal")]
    pub sha256: [u8; 32],
    /// Size in bytes.
    pub size: usize,
    /// What it was taken for.
    pub recognised: String,
}

/// What was found of one statement.
#[derive(Debug, Clone, Serialize)]
pub struct Appraisal {
    /// Format id; empty when nobody recognised the evidence.
    pub format: &'static str,
    /// Whether the statement is what it says it is.
    pub authenticity: Authenticity,
    /// By which way its claims came.
    pub route: Route,
    /// What it says; empty unless authentic, or come by another way than attestation.
    #[serde(serialize_with = "named_claims")]
    pub claims: ClaimSet,
    /// What only this format says; empty where the claims are.
    #[serde(serialize_with = "detail_claims", rename = "details")]
    pub details: ClaimSet,
    /// The key it speaks of; absent unless authentic. The contract has its digest, as a claim.
    #[serde(skip)]
    pub key: Option<PublicKey>,
    /// What it is bound to.
    pub binding: Binding,
    /// Whether it answers a nonce.
    pub freshness: Freshness,
    /// Every check that was made, in order.
    pub checks: Vec<CheckRecord>,
    /// Certifications of the device, by the reference data.
    pub certifications: Vec<Certification>,
    /// Whether the reference data says that this model holds no certification.
    pub uncertified: bool,
    /// Advisories that concern the device or the key.
    pub advisories: Vec<Advisory>,
    /// What evidence of this format does not prove.
    pub limits: &'static [&'static str],
    /// Why the signer is trusted; absent where nobody signed, or nobody is believed.
    pub trust: Option<Trust>,
    /// What each policy says.
    pub decisions: Vec<Decision>,
}

impl Appraisal {
    /// Whether its claims count: it is authentic, or came by another way than attestation and nothing is wrong with it.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.authenticity == Authenticity::Authentic
            || (self.authenticity == Authenticity::NotAttestable && self.route != Route::None)
    }

    /// Ids of the failed checks.
    pub fn failed(&self) -> impl Iterator<Item = &CheckRecord> {
        self.checks.iter().filter(|c| c.outcome == Outcome::Fail)
    }

    /// Checks that hold with a finding.
    pub fn findings(&self) -> impl Iterator<Item = &CheckRecord> {
        self.checks.iter().filter(|c| c.outcome == Outcome::Warning)
    }

    /// The gravest meaning among the failed checks.
    #[must_use]
    pub fn worst(&self) -> Option<OnFail> {
        self.checks.iter().filter_map(|c| c.means).max()
    }
}

/// Who made the report, with which data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifierIdentity {
    /// `keyvouch`.
    pub name: &'static str,
    /// Version of the crate.
    pub version: &'static str,
    /// Digest of the reference data used: anchors, certifications, advisories, deny-lists.
    pub data: String,
}

/// What was found in a submission.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `keyvouch.result/1`.
    pub schema: &'static str,
    /// Who made it.
    pub verifier: VerifierIdentity,
    /// The time at which everything was judged.
    #[serde(serialize_with = "as_text")]
    pub at: Time,
    /// The files.
    pub inputs: Vec<Input>,
    /// The worst verdict of the statements that speak of the request's key; absent before a policy judged.
    pub verdict: Option<Verdict>,
    /// One per statement found.
    pub appraisals: Vec<Appraisal>,
}

impl Report {
    /// Sets the overall verdict from the decisions: of the statements bound to the request's key where a
    /// request was given and any is; of all statements otherwise. No decision at all leaves it absent.
    pub fn conclude(&mut self) {
        let worst = |appraisals: &mut dyn Iterator<Item = &Appraisal>| {
            appraisals.flat_map(|a| &a.decisions).map(|d| d.verdict).max()
        };
        let bound = worst(&mut self.appraisals.iter().filter(|a| a.binding != Binding::None));
        self.verdict = bound.or_else(|| worst(&mut self.appraisals.iter()));
    }

    /// The JSON contract: sorted keys, two spaces, a line feed at the end.
    ///
    /// # Errors
    /// Never for a report that this crate made; the signature is serde's.
    pub fn to_json(&self) -> serde_json::Result<String> {
        json_text(serde_json::to_value(self)?)
    }
}

/// JSON as keyvouch writes it: sorted keys, two spaces, a line feed at the end.
///
/// # Errors
/// Never for a value in memory; the signature is serde's.
pub fn json_text(value: serde_json::Value) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&sorted(value))?;
    text.push('\n');
    Ok(text)
}

/// The same value with the members of every object in the order of their names. A `serde_json::Map` keeps them
/// sorted or as inserted, depending on what other crates of a build ask of it.
#[must_use]
pub fn sorted(mut value: serde_json::Value) -> serde_json::Value {
    value.sort_all_objects();
    value
}

fn hexadecimal<S: Serializer>(digest: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&hex::encode(digest))
}

fn as_text<S: Serializer>(time: &Time, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(time)
}

fn named_claims<S: Serializer>(claims: &ClaimSet, s: S) -> Result<S::Ok, S::Error> {
    claims.named().collect::<BTreeMap<ClaimName, &Claim>>().serialize(s)
}

fn detail_claims<S: Serializer>(claims: &ClaimSet, s: S) -> Result<S::Ok, S::Error> {
    claims.details().collect::<BTreeMap<&str, &Claim>>().serialize(s)
}

/// The place of a check that looks at no file.
pub(crate) const NO_PLACE: Text = Text::Borrowed("");
