//! Fortanix DSM key attestation: a certificate that a DSM cluster makes for a key that it holds.
//!
//! The response of DSM is JSON with the statement, an X.509 certificate of the key, and the chain of the authority
//! that signed it. Three things are unusual, and each is met at one place:
//!
//! * The authority is no CA (basicConstraints CA:FALSE), so no path runs through it to the statement. The path ends
//!   at the authority, and the statement is verified like data under its key (`check_signature`).
//! * The authority's certificate lives 30 days, the statement has no end. The path is validated at the time of the
//!   statement (`chain::validation_time`).
//! * The authority's certificate is not DER in two places: cA FALSE is written out, and keyUsage is a bit string
//!   with one unused bit. The readers of both extensions take that; signatures cover the bytes as they are.

mod chain;
mod checks;
mod response;
mod revocation;
mod statement;

use serde_json::{Value, json};

use self::chain::Roles;
use self::checks as ck;
use self::response::{Fault, Response};
use self::statement::{Cluster, Statement};
use super::{About, Attested, Context, Format, Proof, Statement as Judged};
use crate::authentic::{Authentic, SignatureValid};
use crate::checks::Checks;
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::{Hash, Scheme};
use crate::pki::{Certificate, name};
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct Fortanix;

const ID: &str = "fortanix";

const ABOUT: About = About {
    id: ID,
    title: "Fortanix DSM key attestation",
    maker: "Fortanix",
    devices: "Fortanix Data Security Manager SaaS on FX2200 appliances",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "max_age_days",
            kind: OptionKind::Number,
            about: "refuse statements that are older than so many days",
        },
        OptionDef {
            name: "issuer_valid_now",
            kind: OptionKind::Bool,
            about: "the certificates above the statement must be valid at the time of the appraisal, not only when it was signed",
        },
    ],
    limits: &[
        "That the applicant can use the key now: the statement has no nonce. The request's signature shows possession.",
        "That the key still exists in DSM.",
        "Which appliance holds the key: a cluster replicates it between its nodes. The statement names neither serial number nor firmware.",
        "That the cluster runs in a FIPS-approved mode, or under a certain FIPS certificate; only that its policy admits FX2200 appliances alone.",
        "The state of the enclaves: Fortanix's PKI attests the nodes when it issues the monthly authority certificate, and the statement rests on that.",
    ],
    docs: "docs/devices/fortanix.md",
};

const STATEMENT_CN: &str = "Fortanix DSM Key Attestation";
const AUTHORITY_CN: &str = "Fortanix DSM SaaS Key Attestation Authority";

impl Format for Fortanix {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Judged> {
        response::find(cx)
            .into_iter()
            .map(|found| {
                let mut judged = Judged::default();
                let place = cx.parts.place(found.id);
                match &found.read {
                    Ok(response) => {
                        judged.labels.push((found.id, "key attestation".into()));
                        judged.checks.pass(&ck::MALFORMED, place.to_owned(), "the response is well-formed");
                        judge(response, place, cx, &mut judged);
                    }
                    Err(Fault::Malformed(why)) => {
                        judged.labels.push((found.id, "broken key attestation".into()));
                        judged.checks.fail(&ck::MALFORMED, place.to_owned(), why.clone());
                    }
                    Err(Fault::NoStatement) => {
                        judged.labels.push((found.id, "authority".into()));
                        judged.checks.lacking(
                            &ck::MALFORMED,
                            place.to_owned(),
                            "there is an authority, and no statement that it signed",
                        );
                    }
                }
                judged
            })
            .collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        response::find(cx)
            .iter()
            .map(|found| {
                let place = cx.parts.place(found.id);
                match &found.read {
                    Ok(response) => view(response, place),
                    Err(fault) => json!({ "where": place, "fault": match fault {
                        Fault::Malformed(why) => why.as_str(),
                        Fault::NoStatement => "an authority without statement",
                    }}),
                }
            })
            .collect()
    }
}

fn view(response: &Response, place: &str) -> Value {
    let certificate = |c: &Certificate| {
        json!({
            "subject": name::display(c.subject()),
            "issuer": name::display(c.issuer()),
            "sha256": hex::encode(c.sha256()),
            "key": c.key().map(|k| k.algorithm()).unwrap_or_default(),
            "not_before": c.not_before().to_string(),
            "not_after": c.not_after().to_string(),
        })
    };
    let authority = response.chain.iter().find(|c| c.common_name() == Some(AUTHORITY_CN));
    json!({
        "where": place,
        "statement": certificate(&response.statement),
        "fields": Statement::read(&response.statement).map_or_else(|why| json!({ "fault": why }), |s| s.view()),
        "cluster_policy": authority.map(|a| Cluster::read(a).view()),
        "authority_chain": response.chain.iter().map(certificate).collect::<Vec<_>>(),
    })
}

/// Makes every check that can be made, and authenticates the statement when none stands against it.
fn judge(response: &Response, place: &str, cx: &Context<'_>, judged: &mut Judged) {
    let statement = &response.statement;
    judged.certificates.push(statement.clone());
    judged.certificates.extend(response.chain.iter().cloned());
    let checks = &mut judged.checks;
    let roles = Roles::of(response, place, checks);
    let read = check_form(statement, roles.as_ref().map(|r| r.authority), place, checks);
    let Some(roles) = roles else { return };
    let anchor = chain::anchor(&roles, place, cx, checks);
    let at = chain::validation_time(statement, roles.authority, place, cx, checks);
    let validation = anchor.and_then(|anchor| chain::check_path(&roles, anchor, at, place, cx, checks));
    chain::check_profile(&roles, anchor, place, checks);
    let signed = check_signature(statement, roles.authority, place, checks);
    if let Some(anchor) = anchor {
        revocation::check(&roles, anchor, cx, checks);
    }
    if let Some(read) = &read {
        check_said(read, &Cluster::read(roles.authority), place, cx, checks);
    }
    judged.attested = validation.zip(signed).and_then(|(validation, signed)| {
        let tbs = validation.trusted?.authenticate(signed)?;
        let both = statement.authentic(tbs)?.join(validation.certificate?)?;
        let both = both.parse(|(statement, authority)| {
            Ok::<_, String>((Statement::read(&statement)?, Cluster::read(&authority)))
        });
        both.ok().map(|both| attest(&both))
    });
}

/// The statement's own form, and that it names this authority as its issuer.
fn check_form(
    statement: &Certificate,
    authority: Option<&Certificate>,
    place: &str,
    checks: &mut Checks,
) -> Option<Statement> {
    let read = Statement::read(statement);
    match (&read, authority.and_then(|authority| issuer_fault(statement, authority))) {
        (Ok(read), None) => checks.pass(
            &ck::STATEMENT_PROFILE,
            place.to_owned(),
            format!("statement of key {}, signed at {}", read.key_id, read.at),
        ),
        (Ok(_), Some(why)) => checks.fail(&ck::STATEMENT_PROFILE, place.to_owned(), why),
        (Err(why), _) => checks.fail(&ck::STATEMENT_PROFILE, place.to_owned(), format!("statement: {why}")),
    }
    read.ok()
}

fn issuer_fault(statement: &Certificate, authority: &Certificate) -> Option<&'static str> {
    let identifier = statement.authority_key_identifier();
    if !name::same_values(statement.issuer(), authority.subject()) {
        Some("the statement's issuer is not the authority")
    } else if identifier.is_none() || identifier != authority.subject_key_identifier() {
        Some("the statement's authorityKeyIdentifier is not the authority's key identifier")
    } else {
        None
    }
}

/// By the authority's key alone: it is no CA, and a path through it to the statement would never be valid.
fn check_signature<'s>(
    statement: &'s Certificate,
    authority: &Certificate,
    place: &str,
    checks: &mut Checks,
) -> Option<SignatureValid<'s>> {
    let verified = match (statement.scheme(), authority.key()) {
        (Err(error), _) => Err(error.to_string()),
        (_, Err(error)) => Err(format!("key of the authority: {error}")),
        (Ok(Scheme::RsaPkcs1(Hash::Sha256)), Ok(key)) => {
            statement.verify_signed_by(key).map_err(|e| e.to_string())
        }
        (Ok(other), _) => Err(format!("{other} is not an algorithm of this PKI")),
    };
    match verified {
        Ok(valid) => {
            checks.pass(
                &ck::STATEMENT_SIGNATURE,
                place.to_owned(),
                "the statement is signed by the authority",
            );
            Some(valid)
        }
        Err(why) => {
            let detail = format!("signature of the statement by the authority: {why}");
            checks.fail(&ck::STATEMENT_SIGNATURE, place.to_owned(), detail);
            None
        }
    }
}

/// What the statement says, and whether that is enough.
fn check_said(statement: &Statement, cluster: &Cluster, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let place = || place.to_owned();
    checks.test(
        &ck::CLUSTER_POLICY,
        place(),
        cluster.is_fx2200(),
        "the cluster takes in only FX2200 appliances approved by the site's operator",
        || cluster.fault().unwrap_or_default().to_owned().into(),
    );
    checks.test(&ck::NOT_GENERATED, place(), statement.generated, "the key was generated in DSM", || {
        "the statement does not say that the key was generated in DSM".into()
    });
    checks.test(
        &ck::EXPORTABLE,
        place(),
        statement.never_exportable,
        "the key never was and never is exportable",
        || "the statement does not say that the key is never exportable".into(),
    );
    if let Some(days) = cx.options.number("max_age_days") {
        let oldest = statement.at.plus_days(i64::try_from(days).unwrap_or(i64::MAX));
        checks.test(&ck::STALE, place(), cx.at <= oldest, "the statement is not too old", || {
            format!("signed at {}, more than {days} days before {}", statement.at, cx.at).into()
        });
    }
}

fn attest(both: &Authentic<(Statement, Cluster)>) -> Attested {
    const SPKI: &str = "statement subjectPublicKeyInfo";
    const GENERATED: &str = "statement extension 1.3.6.1.4.1.49690.2.4.1.1 (key generated in DSM)";
    const NEVER_EXPORTABLE: &str = "statement extension 1.3.6.1.4.1.49690.2.4.1.2 (key never exportable)";
    const CLUSTER: &str = "authority extension 1.3.6.1.4.1.49690.2.5 (cluster node enrolment policy)";
    let claims = ClaimSet::of(both)
        .attested(ClaimName::KeyAlgorithm, SPKI, |(s, _)| s.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, SPKI, |(s, _)| hex::encode(s.key.spki_sha256()))
        // Absent is not false: DSM makes statements of keys whose past it does not vouch for.
        .attested(ClaimName::KeyGeneratedInDevice, GENERATED, |(s, _)| s.generated.then_some(true))
        // Never leaves the cluster in any form; within it, nodes replicate it.
        .attested(ClaimName::KeyExportable, NEVER_EXPORTABLE, |(s, _)| {
            s.never_exportable.then_some("vendor-boundary")
        })
        .attested(ClaimName::KeyEverExportable, NEVER_EXPORTABLE, |(s, _)| {
            s.never_exportable.then_some(false)
        })
        .attested(ClaimName::KeyPurposes, "statement keyUsage", |(s, _)| s.purposes.clone())
        .unknown(ClaimName::KeyCreatedAt, "the statement's date is that of the statement")
        .attested(ClaimName::DeviceClass, CLUSTER, |(_, c)| c.is_fx2200().then_some("cloud-hsm"))
        .implied(ClaimName::DeviceVendor, "the anchor", "Fortanix")
        .attested(ClaimName::DeviceModel, CLUSTER, |(_, c)| c.is_fx2200().then_some("FX2200"))
        .unknown(ClaimName::DeviceSerial, "the key is in a cluster, not in one appliance")
        .unknown(ClaimName::DeviceFirmware, "not in the statement")
        .unknown(ClaimName::DeviceFipsMode, "not in the statement")
        .detail("key_id", "statement subject, 1.3.6.1.4.1.49690.1.2.2", |(s, _)| s.key_id.clone())
        .detail("signed_at", "statement notBefore", |(s, _)| s.at.to_string())
        .detail("cluster_policy", CLUSTER, |(_, c)| c.words())
        .detail("other_extensions", "statement extensions", |(s, _)| {
            if s.others.is_empty() { "none".to_owned() } else { s.others.join(", ") }
        })
        .finish();
    Attested::new(both, |(s, _)| Some(s.key.clone()), claims)
}
