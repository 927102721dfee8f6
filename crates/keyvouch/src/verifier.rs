//! The verifier: reference data in, then submissions in and reports out.

use crate::appraisal::{
    Advisory, Appraisal, Authenticity, Binding, Certification, Freshness, Input, NO_PLACE, Report, Route,
    Trust, VerifierIdentity,
};
use crate::checks::{Check, Checks, OnFail, Outcome};
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::{PublicKey, sha256};
use crate::formats::{self, Context, Format, Statement, Way};
use crate::input::{Carrier, InputError, Limits, Part, Parts, Role};
use crate::key_quality;
use crate::reference::Reference;
use crate::reference::devices::{Effect, MatchedBy};
use crate::request::{self, Request};
use crate::signatures::{IssuerCache, Signatures};
use crate::submission::{OptionDef, OptionKind, Submission};

/// Issuer certificates whose signatures are remembered unless the caller says otherwise.
const DEFAULT_ISSUER_CACHE: usize = 4096;

pub(crate) const DENIED: Check = Check::authenticity(
    "denied",
    "neither a certificate, the key, nor the device is on the operator's deny-list",
    "The operator of this verifier has denied it; ask the CA for the reason.",
);
pub(crate) const NOT_RECOGNISED: Check = Check::completeness(
    "not-recognised",
    "the files hold evidence of a format that this verifier knows",
    "Hand over the attestation that the device or its tool wrote; the device pages say how to get it. A certificate or request alone says nothing about where its key is.",
);
pub(crate) const NONCE_MISMATCH: Check = Check::fitness(
    "nonce-mismatch",
    "the signed statement answers the nonce that was given out",
    "Make the attestation again with the nonce that the CA gave for this request.",
);
pub(crate) const UNAUTHENTICATED: Check = Check::completeness(
    "statement-unauthenticated",
    "the statement was authenticated up to a pinned anchor",
    "Hand over the complete evidence: the statement, its signature, and the certificates up to the maker's.",
);

/// Checks that every format shares.
pub fn shared_checks() -> impl Iterator<Item = &'static Check> {
    [&DENIED, &NOT_RECOGNISED, &UNAUTHENTICATED, &NONCE_MISMATCH]
        .into_iter()
        .chain(request::CHECKS.iter().copied())
        .chain(key_quality::CHECKS.iter().copied())
}

/// Operator switches that every format shares.
pub const SHARED_OPTIONS: &[OptionDef] = &[
    OptionDef {
        name: "deny_certificates",
        kind: OptionKind::List,
        about: "refuse evidence that rests on a certificate with one of these SHA-256 digests (hexadecimal)",
    },
    OptionDef {
        name: "deny_serials",
        kind: OptionKind::List,
        about: "refuse devices with one of these serial numbers, as reports print them",
    },
    OptionDef {
        name: "declared_device",
        kind: OptionKind::Text,
        about: "the device that the subscriber says it is, looked at when no file is an attestation: whether it could attest, and what else can be done",
    },
];

/// Appraises submissions with one set of reference data.
///
/// Cheap to share between threads; the only state is a bounded memory of certificate signatures that were
/// found valid, which never changes an answer.
#[derive(Debug)]
pub struct Verifier {
    reference: Reference,
    data: String,
    limits: Limits,
    issuers: IssuerCache,
    carriers: Vec<Carrier>,
    options: Vec<OptionDef>,
}

impl Verifier {
    /// A verifier with this reference data.
    #[must_use]
    pub fn new(reference: Reference) -> Self {
        let mut options = SHARED_OPTIONS.to_vec();
        for option in formats::about().flat_map(|a| a.options) {
            if !options.iter().any(|o| o.name == option.name) {
                options.push(*option);
            }
        }
        Self {
            data: reference.digest(),
            reference,
            limits: Limits::DEFAULT,
            issuers: IssuerCache::new(DEFAULT_ISSUER_CACHE),
            carriers: formats::ALL.iter().flat_map(|f| f.carriers()).copied().collect(),
            options,
        }
    }

    /// The same with another bound on the memory of issuer certificates; zero turns it off.
    #[must_use]
    pub fn with_issuer_cache(mut self, capacity: usize) -> Self {
        self.issuers = IssuerCache::new(capacity);
        self
    }

    /// The reference data.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Appraises a submission. The report has no verdict yet: that is for a policy to say.
    ///
    /// # Errors
    /// When the submission cannot be appraised at all: see [`InputError`]. Evidence that is wrong is not an
    /// error but an appraisal that says so.
    pub fn appraise(&self, submission: &Submission) -> Result<Report, InputError> {
        self.with_context(submission, |cx| {
            let mut appraisals = Vec::new();
            let mut labels: Vec<(usize, String)> = Vec::new();
            for format in formats::ALL {
                if format.is_last_resort() && !appraisals.is_empty() {
                    continue;
                }
                for statement in format.appraise(cx) {
                    let id = format.about().id;
                    for (part, label) in &statement.labels {
                        if let Some(part) = cx.parts.get(*part) {
                            labels.push((part.file, format!("{id}: {label}")));
                        }
                    }
                    appraisals.push(finish(*format, statement, cx));
                }
            }
            if appraisals.is_empty() {
                appraisals.push(unrecognised(cx));
            }
            Report {
                schema: "keyvouch.result/1",
                verifier: VerifierIdentity {
                    name: "keyvouch",
                    version: env!("CARGO_PKG_VERSION"),
                    data: self.data.clone(),
                },
                at: submission.at,
                inputs: inputs(cx, &labels),
                verdict: None,
                appraisals,
            }
        })
    }

    /// Decodes a submission for people, without judgement: what each file is, and each format's view of it.
    ///
    /// # Errors
    /// When the submission cannot be read at all: see [`InputError`].
    pub fn inspect(&self, submission: &Submission) -> Result<serde_json::Value, InputError> {
        self.with_context(submission, |cx| {
            let parts: Vec<_> = cx
                .parts
                .iter()
                .map(|(_, p)| {
                    serde_json::json!({
                        "where": p.place, "is": p.content.describe(), "size": p.bytes.len(),
                        "sha256": hex::encode(sha256(&p.bytes)),
                    })
                })
                .collect();
            let mut statements = Vec::new();
            for format in formats::ALL {
                if format.is_last_resort() && !statements.is_empty() {
                    continue;
                }
                let id = format.about().id;
                let views = format.inspect(cx).into_iter();
                statements.extend(views.map(|view| serde_json::json!({"format": id, "view": view})));
            }
            serde_json::json!({ "parts": parts, "statements": statements, "note":
                "decoded, not judged: nothing here is authenticated" })
        })
    }

    pub(crate) fn with_context<T>(
        &self,
        submission: &Submission,
        work: impl FnOnce(&Context<'_>) -> T,
    ) -> Result<T, InputError> {
        if let Some((name, why)) = submission.options.fault(&self.options) {
            return Err(InputError::Option { name, why });
        }
        let parts = Parts::of(submission, &self.carriers, self.limits)?;
        let request = Request::of(&parts)?;
        let signatures = Signatures::new(&self.issuers);
        Ok(work(&Context {
            parts: &parts,
            at: submission.at,
            nonce: submission.nonce.as_deref(),
            request: request.as_ref(),
            reference: &self.reference,
            options: &submission.options,
            signatures: &signatures,
        }))
    }
}

/// What a statement says, by whichever way.
struct Spoken {
    key: Option<PublicKey>,
    claims: ClaimSet,
    trust: Option<Trust>,
}

impl Spoken {
    /// What was fetched counts only by the way of provider statements, so that it can never pass for attested.
    fn of(statement: &mut Statement) -> Option<Self> {
        let (stated, attested) = (statement.stated.take(), statement.attested.take());
        match statement.way {
            Way::ProviderStatement => stated.map(|s| Self { key: s.key, claims: s.claims, trust: None }),
            Way::Attestation | Way::WitnessStatement => {
                attested.map(|a| Self { key: a.key, claims: a.claims, trust: Some(a.trust) })
            }
            // A device may be genuine and still say nothing of its keys.
            Way::None => attested.map(|a| Self { key: None, claims: a.claims, trust: Some(a.trust) }),
        }
    }
}

/// Turns a judged statement into an appraisal: key quality, deny-lists, binding, freshness, reference data.
fn finish(format: &dyn Format, mut statement: Statement, cx: &Context<'_>) -> Appraisal {
    let mut spoken = Spoken::of(&mut statement);
    let Statement { mut checks, certificates, freshness, request, about, unbindable, way, .. } = statement;
    let about = about.unwrap_or_else(|| format.about());
    let attests = way == Way::Attestation;
    let is_signed = matches!(way, Way::Attestation | Way::WitnessStatement);
    spoken = spoken.filter(|_| !is_signed || !stops_authenticity(&checks));
    deny(&certificates, spoken.as_ref(), cx, &mut checks);
    if is_signed && spoken.is_none() && !stops_authenticity(&checks) {
        // A format that reports no fault and authenticates nothing: never a pass.
        checks.fail(&UNAUTHENTICATED, NO_PLACE, "nothing was authenticated");
    }
    let authenticity = authenticity(&checks, way);
    spoken = spoken.filter(|_| match way {
        Way::Attestation => authenticity == Authenticity::Authentic,
        Way::WitnessStatement => !stops_authenticity(&checks),
        Way::ProviderStatement | Way::None => checks.worst() != Some(OnFail::NotAuthentic),
    });
    let key = spoken.as_ref().and_then(|s| s.key.as_ref());
    if let Some(key) = key {
        key_quality::check(key, &mut checks);
    }
    let unreadable = cx.request.is_none() && cx.parts.files.iter().any(|(_, role)| *role == Role::Request);
    if unreadable {
        Request::refuse_unreadable(cx.parts, &mut checks);
    }
    let binding = match cx.request.or(request.as_ref()).filter(|_| !unreadable) {
        Some(request) if unbindable => request.leave_unbound(&mut checks),
        Some(request) => request.bind(key, &mut checks),
        None => Binding::None,
    };
    let freshness = freshness.unwrap_or(match cx.nonce {
        None => Freshness::NotAsked,
        Some(_) => Freshness::NoNonceInEvidence,
    });
    if freshness == Freshness::NonceMismatch && checks.clean() {
        // Formats say it in their own words; none may stay silent.
        checks.fail(&NONCE_MISMATCH, NO_PLACE, "the statement answers another nonce");
    }
    let mut appraisal = Appraisal {
        format: about.id,
        authenticity,
        route: if spoken.is_some() { way.route() } else { Route::None },
        claims: ClaimSet::default(),
        details: ClaimSet::default(),
        key: None,
        binding,
        freshness,
        checks: Vec::new(),
        certifications: Vec::new(),
        uncertified: false,
        advisories: Vec::new(),
        limits: about.limits,
        trust: None,
        decisions: Vec::new(),
    };
    if let Some(Spoken { claims, trust, key }) = spoken {
        look_up(&claims, cx, &mut checks, &mut appraisal);
        appraisal.details = claims.clone();
        appraisal.claims = claims;
        appraisal.trust = trust;
        appraisal.key = key.filter(|_| attests);
    } else if !is_signed {
        appraisal.claims = ClaimSet::unknown();
    }
    appraisal.checks = checks.into_records();
    appraisal
}

fn stops_authenticity(checks: &Checks) -> bool {
    checks.worst() >= Some(OnFail::Undecided)
}

fn authenticity(checks: &Checks, way: Way) -> Authenticity {
    match (way, checks.worst()) {
        // A provider's word, or none at all: nothing there could be authentic or not.
        (Way::ProviderStatement | Way::None, _) => Authenticity::NotAttestable,
        (_, Some(OnFail::NotAuthentic)) => Authenticity::NotAuthentic,
        (_, Some(OnFail::NotAttestable)) => Authenticity::NotAttestable,
        (_, Some(OnFail::Undecided)) => Authenticity::Undecided,
        (Way::Attestation, Some(OnFail::Unfit) | None) => Authenticity::Authentic,
        // However good the signature: no device and no maker made it.
        (Way::WitnessStatement, Some(OnFail::Unfit) | None) => Authenticity::NotAttestable,
    }
}

/// Deny-lists: by certificate, by key, by device.
fn deny(
    certificates: &[crate::pki::Certificate],
    spoken: Option<&Spoken>,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let listed = &cx.reference.deny;
    if listed.is_empty()
        && cx.options.list("deny_certificates").chain(cx.options.list("deny_serials")).next().is_none()
    {
        return;
    }
    let mut hit = None;
    for certificate in certificates {
        let digest = hex::encode(certificate.sha256());
        let by_option = cx.options.list("deny_certificates").any(|d| d.eq_ignore_ascii_case(&digest));
        let by_key = certificate.key().ok().and_then(|k| listed.spki(&k.spki_sha256()));
        let reason = listed.certificate(certificate.sha256()).or(by_key);
        if let Some(reason) = reason.or_else(|| by_option.then_some("deny_certificates")) {
            hit = Some(format!("certificate of {} is denied: {reason}", certificate.display_name()));
        }
    }
    if let Some(spoken) = spoken {
        let claims = &spoken.claims;
        let key = spoken.key.as_ref().and_then(|k| listed.spki(&k.spki_sha256()));
        if let Some(reason) = key {
            hit = Some(format!("the key is denied: {reason}"));
        }
        let serial = claims.text(ClaimName::DeviceSerial);
        if let Some(serial) = serial.filter(|s| cx.options.list("deny_serials").any(|d| d == *s)) {
            hit = Some(format!("the device with serial number {serial} is denied: deny_serials"));
        }
        let device = claims.text(ClaimName::DeviceVendor).and_then(|vendor| {
            let (model, firmware) =
                (claims.text(ClaimName::DeviceModel), claims.text(ClaimName::DeviceFirmware));
            listed.device(vendor, model, serial, firmware)
        });
        if let Some(reason) = device {
            hit = Some(format!("the device is denied: {reason}"));
        }
    }
    match hit {
        Some(detail) => checks.fail(&DENIED, NO_PLACE, detail),
        None => checks.pass(&DENIED, NO_PLACE, "nothing is on the deny-list"),
    }
}

/// Certifications and advisories of the device, by its authenticated claims.
fn look_up(claims: &ClaimSet, cx: &Context<'_>, checks: &mut Checks, appraisal: &mut Appraisal) {
    let text = |name| claims.text(name);
    let (Some(vendor), Some(model)) = (text(ClaimName::DeviceVendor), text(ClaimName::DeviceModel)) else {
        return;
    };
    let firmware = text(ClaimName::DeviceFirmware);
    let devices = &cx.reference.devices;
    for found in devices.certifications(vendor, model, firmware, cx.at) {
        let c = found.certification;
        appraisal.certifications.push(Certification {
            scheme: c.scheme.as_str().to_owned(),
            id: c.id.clone(),
            module: c.module.clone(),
            standard: c.standard.clone(),
            level: c.level.clone(),
            status: found.status.as_str(),
            matched: match found.matched {
                MatchedBy::ModelAndFirmware => "model-and-firmware",
                MatchedBy::ModelOnly => "model",
            },
            fips_mode_required: c.fips_mode_required,
            source: c.source.clone(),
            looked_up: c.looked_up.to_string(),
        });
    }
    appraisal.uncertified = devices.known_uncertified(vendor, model);
    for found in devices.advisories(vendor, model, firmware, text(ClaimName::KeyAlgorithm)) {
        let a = found.advisory;
        let refused = a.effect == Effect::Refusal && found.certain;
        if refused {
            checks.push(
                a.id.clone(),
                Outcome::Fail,
                Some(OnFail::Unfit),
                "reference data".into(),
                a.detail.clone().into(),
                Some(a.advice.clone().into()),
            );
        }
        let doubt = if found.certain {
            ""
        } else {
            " (whether it concerns this device depends on what the evidence does not say)"
        };
        appraisal.advisories.push(Advisory {
            id: a.id.clone(),
            effect: if refused { "refusal" } else { "finding" },
            detail: format!("{}{doubt}", a.detail),
            advice: a.advice.clone(),
            references: a.references.clone(),
            source: a.source.clone(),
        });
    }
}

fn unrecognised(cx: &Context<'_>) -> Appraisal {
    let mut checks = Checks::default();
    for (_, part) in cx.parts.evidence().filter(|(_, p)| p.parent.is_none()) {
        checks.fail(&NOT_RECOGNISED, part.place.clone(), format!("this is {}", seen(cx, part)));
    }
    let binding = cx.request.map_or(Binding::None, |r| r.bind(None, &mut checks));
    Appraisal {
        format: "",
        authenticity: Authenticity::Undecided,
        route: Route::None,
        claims: ClaimSet::default(),
        details: ClaimSet::default(),
        key: None,
        binding,
        freshness: if cx.nonce.is_some() { Freshness::NoNonceInEvidence } else { Freshness::NotAsked },
        checks: checks.into_records(),
        certifications: Vec::new(),
        uncertified: false,
        advisories: Vec::new(),
        limits: &[],
        trust: None,
        decisions: Vec::new(),
    }
}

/// What a file is, with what it holds.
fn seen(cx: &Context<'_>, top: &Part<'_>) -> String {
    let inside: Vec<String> = cx
        .parts
        .iter()
        .filter(|(_, p)| p.file == top.file && p.parent.is_some())
        .map(|(_, p)| p.content.describe())
        .collect();
    if inside.is_empty() {
        top.content.describe()
    } else {
        format!("{} with {}", top.content.describe(), inside.join(", "))
    }
}

fn inputs(cx: &Context<'_>, labels: &[(usize, String)]) -> Vec<Input> {
    let describe = |index: usize| {
        let mut found: Vec<&str> = Vec::new();
        for label in labels.iter().filter(|(file, _)| *file == index).map(|(_, l)| l.as_str()) {
            if !found.contains(&label) {
                found.push(label);
            }
        }
        if found.is_empty() {
            let top = cx.parts.iter().find(|(_, p)| p.file == index && p.parent.is_none());
            top.map_or_else(String::new, |(_, top)| seen(cx, top))
        } else {
            found.join("; ")
        }
    };
    cx.parts
        .files
        .iter()
        .enumerate()
        .map(|(index, (file, role))| Input {
            name: file.name.clone(),
            role: match role {
                Role::Evidence | Role::Enclosed => "evidence",
                Role::Request => "request",
            },
            sha256: sha256(&file.bytes),
            size: file.bytes.len(),
            recognised: match (role, cx.request) {
                (Role::Request, Some(request)) => request.label().to_owned(),
                _ => describe(index),
            },
        })
        .collect()
}
