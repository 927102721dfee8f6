//! Schemas of what has no type here: forms, and answers that are made in other crates.

#![allow(dead_code, reason = "these types describe; nothing is made of them")]

use keyvouch::{Authenticity, Verdict};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The report: docs/result.schema.json.
pub(crate) fn report() -> RefOr<Schema> {
    Ref::from_schema_name("Report").into()
}

fn verdicts() -> Vec<Value> {
    let all = [Verdict::Accept, Verdict::AcceptWithFindings, Verdict::CannotDecide, Verdict::Refuse];
    all.iter().map(|verdict| verdict.as_str().into()).collect()
}

fn one_of(types: SchemaType, words: Vec<Value>, description: &str) -> Object {
    ObjectBuilder::new().schema_type(types).enum_values(Some(words)).description(Some(description)).build()
}

/// A verdict, or nothing.
pub(crate) fn verdict() -> Object {
    let words = verdicts().into_iter().chain([Value::Null]).collect();
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    one_of(types, words, "The verdict of all policies; null when none judged.")
}

/// A verdict as it is looked for.
pub(crate) fn verdict_or_none() -> Object {
    let words = verdicts().into_iter().chain([json!("none")]).collect();
    one_of(Type::String.into(), words, "The verdict of all policies; `none` when none judged.")
}

/// Whether a statement is authentic.
pub(crate) fn authenticity() -> Object {
    let all = [
        Authenticity::Authentic,
        Authenticity::NotAuthentic,
        Authenticity::Undecided,
        Authenticity::NotAttestable,
    ];
    let words = all.iter().map(|a| a.as_str().into()).collect();
    one_of(Type::String.into(), words, "Whether the statement is what it says it is.")
}

/// What a file of a record is.
pub(crate) fn role() -> Object {
    let words = ["report", "evidence", "request", "option", "operator-data", "policy"];
    one_of(Type::String.into(), words.map(Value::from).to_vec(), "What the file is.")
}

/// Bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Bytes(Vec<u8>);

/// What is to be judged, as a form with files. Fields that are not here, or stand there twice, are errors.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppraisalForm {
    /// The files that the device or its tool wrote, each with its name.
    #[schema(max_items = 64, nullable = false)]
    evidence: Option<Vec<Bytes>>,
    /// The certification request, certificate or public key that must hold the attested key, with its name.
    #[schema(nullable = false)]
    request: Option<Bytes>,
    /// Names of the policies to judge by; those of the service when there is none.
    #[schema(max_items = 32, nullable = false)]
    policy: Option<Vec<String>>,
    /// The nonce that you had given out and that the evidence must answer, hexadecimal.
    #[schema(pattern = "^([0-9a-fA-F]{2})+$", nullable = false)]
    nonce: Option<String>,
    /// In place of a nonce: the id of one that this service gave out.
    #[schema(pattern = "^[0-9A-Za-z-]{1,64}$", nullable = false)]
    challenge: Option<String>,
    /// The time at which to judge, when the service lets clients say it.
    #[schema(format = DateTime, nullable = false)]
    at: Option<String>,
    /// Options that the service lets clients set, each as KEY=VALUE.
    #[schema(max_items = 32, nullable = false)]
    option: Option<Vec<String>>,
    /// The id of the challenge that a TPM answers.
    #[schema(pattern = "^[0-9A-Za-z-]{1,64}$", nullable = false)]
    tpm_challenge: Option<String>,
    /// What `tpm2_activatecredential` wrote.
    #[schema(nullable = false)]
    tpm_answer: Option<Bytes>,
}

/// The formats of evidence.
#[derive(ToSchema)]
pub(crate) struct FormatList {
    formats: Vec<Format>,
}

/// A format in brief.
#[derive(ToSchema)]
pub(crate) struct Format {
    /// Its id.
    id: String,
    /// Its name.
    title: String,
    /// Who makes such devices.
    maker: String,
    /// Which devices.
    devices: String,
    /// On what its reader was proved.
    proof: String,
    /// The page about it.
    page: String,
}

/// A format.
#[derive(ToSchema)]
pub(crate) struct FormatDetails {
    /// Its id.
    id: String,
    /// Its name.
    title: String,
    /// Who makes such devices.
    maker: String,
    /// Which devices.
    devices: String,
    /// On what its reader was proved.
    proof: String,
    /// The page about it.
    page: String,
    /// Its own checks.
    checks: Vec<FormatCheck>,
    /// The checks of every format.
    shared_checks: Vec<FormatCheck>,
    /// Its own options.
    options: Vec<FormatOption>,
    /// The options of every format.
    shared_options: Vec<FormatOption>,
    /// What such evidence does not prove.
    limits: Vec<String>,
}

/// A check.
#[derive(ToSchema)]
pub(crate) struct FormatCheck {
    /// Its id in reports.
    id: String,
    /// What must hold.
    about: String,
    /// What it means when it does not.
    on_fail: String,
    /// What to do then.
    advice: String,
}

/// An option.
#[derive(ToSchema)]
pub(crate) struct FormatOption {
    /// Its name.
    name: String,
    /// What it takes.
    takes: String,
    /// What it does.
    about: String,
}

/// The policies.
#[derive(ToSchema)]
pub(crate) struct PolicyList {
    policies: Vec<PolicyBrief>,
    /// Those that judge when a client names none.
    default: Vec<String>,
    /// Whether a client may name others.
    client_choice: bool,
    /// The knobs of all policies, and how the operator set them.
    knobs: Vec<PolicyKnob>,
}

/// A policy in brief.
#[derive(ToSchema)]
pub(crate) struct PolicyBrief {
    /// Its name.
    name: String,
    /// What it is for.
    title: String,
}

/// A knob.
#[derive(ToSchema)]
pub(crate) struct PolicyKnob {
    /// Its name.
    name: String,
    /// What it takes.
    takes: String,
    /// Its value when nobody sets it.
    default: String,
    /// What it does.
    about: String,
    /// How it is set; null: its default.
    set: Option<String>,
}

/// A policy.
#[derive(ToSchema)]
pub(crate) struct PolicyDetails {
    /// Its name.
    name: String,
    /// What it is for.
    title: String,
    /// What it requires.
    requirements: Vec<PolicyRequirement>,
    /// Its source, in Cedar.
    source: String,
}

/// A requirement.
#[derive(ToSchema)]
pub(crate) struct PolicyRequirement {
    /// Its id in reports.
    id: String,
    /// `must`, `should` or `note`.
    severity: String,
    /// What is demanded.
    demand: Option<String>,
    /// Why a key is refused that does not meet it.
    reason: String,
    /// Clause of the rule it comes from.
    cite: Option<String>,
    /// The knobs that have a say in it.
    knobs: Vec<String>,
}

/// The trust anchors.
#[derive(ToSchema)]
pub(crate) struct AnchorList {
    anchors: Vec<Anchor>,
}

/// A trust anchor.
#[derive(ToSchema)]
pub(crate) struct Anchor {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// `root`, `intermediate`, `key` or `untrusted`.
    kind: String,
    /// The formats it may anchor.
    formats: Vec<String>,
    /// Whether it may anchor every format.
    every_format: bool,
    /// Its part in the formats, for those that tell anchors apart.
    role: Option<String>,
    /// The id of the anchor that issued it.
    issuer: Option<String>,
    /// Its name in certificates; empty for a bare key.
    subject: String,
    /// Type and size of its key.
    algorithm: String,
    /// SHA-256 of its SubjectPublicKeyInfo.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    spki_sha256: String,
    /// The longest path below it; null: as long as paths are.
    path_len: Option<u32>,
    /// The certificates that were published for it.
    certificates: Vec<AnchorCertificate>,
    /// `built-in`, or the operator's file.
    origin: String,
}

/// A published certificate of an anchor.
#[derive(ToSchema)]
pub(crate) struct AnchorCertificate {
    /// SHA-256 of its DER.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// Its serial number, hexadecimal.
    serial: String,
    /// The first second of its validity.
    #[schema(format = DateTime)]
    not_before: String,
    /// The last second of its validity.
    #[schema(format = DateTime)]
    not_after: String,
    /// Where it was published.
    source: String,
    /// When it was looked up there.
    #[schema(format = Date)]
    looked_up: Option<String>,
    /// Who confirmed it.
    confirmed: String,
}

/// Public keys (RFC 7517).
#[derive(ToSchema)]
pub(crate) struct Jwks {
    /// The keys.
    keys: Vec<Jwk>,
}

/// A public key.
#[derive(ToSchema)]
pub(crate) struct Jwk {
    /// `EC`, `OKP` or `RSA`.
    kty: String,
    /// Its name in tokens.
    kid: String,
    /// The algorithm it signs with.
    alg: String,
}
