//! Amazon Web Services: KMS and CloudHSM. Neither signs a statement about a key.
//!
//! For KMS there is the provider's word. A subscriber cannot hand over an answer that anybody else could check, but he
//! can sign the *requests* for it: AWS Signature Version 4 is good for one exact request, for some minutes. The CA
//! sends them, over its own TLS connection, and has AWS's own answer about the key. The idea is HashiCorp Vault's,
//! whose AWS login works so.
//!
//! ```text
//! nonce of the CA → envelope: two signed requests → the CA sends them → answers → origin, kind, state of the key
//! ```
//!
//! For CloudHSM the certificates of a cluster prove a genuine HSM, and nothing about keys in it.
//!
//! Sources: AWS KMS API reference; AWS General Reference, Signature Version 4; AWS CloudHSM user guide, "Verify the
//! identity and authenticity of your cluster's HSM".

mod answers;
mod checks;
mod claims;
mod cloudhsm;
pub(crate) mod envelope;
mod gather;
mod judge;
pub(crate) mod names;
pub(crate) mod ready;
mod sigv4;

use serde_json::{Value, json};

use self::checks as ck;
use self::claims::Told;
use self::envelope::{Asked, Envelope, Form};
use self::gather::Found;
use self::judge::{ALLOW_CHINA, ALLOW_MULTI_REGION};
use super::provider::FETCHED_OPTION;
use super::{About, Context, Format, Proof, Stated, Statement, Way};
use crate::appraisal::Freshness;
use crate::authentic::Fetched;
use crate::checks::Checks;
use crate::submission::{OptionDef, OptionKind};

/// Keys in KMS, HSMs in CloudHSM.
pub(crate) struct Aws;

static ABOUT: About = About {
    id: "aws",
    title: "AWS KMS provider statement, AWS CloudHSM identity",
    maker: "Amazon Web Services",
    devices: "keys of AWS KMS (what the service says of them); clusters of AWS CloudHSM (their identity, never a key)",
    proof: Proof::ProviderStatement,
    checks: ck::ALL,
    options: &[
        FETCHED_OPTION,
        OptionDef {
            name: ALLOW_MULTI_REGION,
            kind: OptionKind::Bool,
            about: "accept keys that KMS may copy to other Regions",
        },
        OptionDef {
            name: ALLOW_CHINA,
            kind: OptionKind::Bool,
            about: "accept keys in Regions in China, where the HSMs are certified by other schemes",
        },
    ],
    limits: &[
        "Anything by signature: this is what AWS answered to the operator of this verifier, and no attestation.",
        "Who owns the account: whoever may describe a key can sign an envelope for it. That the subscriber has the key is shown by the signature of the request alone.",
        "The certification of the HSMs of KMS: AWS documents it, no answer states it.",
        "Anything about a key in AWS CloudHSM: the certificates of a cluster speak of the HSM only.",
    ],
    docs: "docs/devices/aws.md",
};

impl Format for Aws {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let found = Found::among(cx);
        let kms = (!found.is_empty()).then(|| judge_kms(&found, cx));
        kms.into_iter().chain(cloudhsm::appraise(cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let mut views = Found::among(cx).views();
        views.extend(cloudhsm::inspect(cx));
        views
    }
}

fn judge_kms(found: &Found<'_>, cx: &Context<'_>) -> Statement {
    let mut statement =
        Statement { way: Way::ProviderStatement, labels: found.labels.clone(), ..Statement::default() };
    let checks = &mut statement.checks;
    for (place, kind) in &found.errors {
        checks.fail(&ck::PROVIDER_ERROR, (*place).to_owned(), format!("KMS refused: {kind}"));
    }
    let nonce = cx.nonce;
    let envelope =
        match found.envelope(checks) {
            None => None,
            Some(form) => {
                statement.freshness = form.as_ref().ok().and_then(|(_, form)| freshness(form, nonce));
                Some(form.ok().and_then(|(place, form)| {
                    envelope::judge(form, Asked { nonce, at: cx.at }, place, checks)
                }))
            }
        };
    let ready = match &envelope {
        None => true,
        Some(envelope) => envelope.is_some(),
    };
    let envelope = envelope.flatten();
    if !found.has_answers() {
        if let (Some(envelope), true) = (&envelope, checks.clean()) {
            let detail = format!(
                "the envelope is ready to be sent to {}; until KMS has answered, nothing is known of the key",
                envelope.endpoint.host
            );
            checks.skip(&ck::ANSWER_MISSING, "", detail);
        }
        return statement;
    }
    let fetched = cx.options.is_on(FETCHED_OPTION.name);
    let answers = found.answers(checks);
    let place = found.answer_place();
    checks.test(
        &ck::UNSIGNED,
        place,
        fetched,
        "the operator of this verifier says that he fetched the answers himself (provider_fetched)",
        || "nobody signed these answers, and the operator did not fetch them himself".into(),
    );
    let Some(answers) = answers else { return statement };
    let facts = judge::judge(&answers, envelope.as_ref().map(|e| &e.arn), cx.options, checks);
    let told = facts.filter(|_| ready && found.errors.is_empty()).and_then(|facts| {
        let access_key_id = envelope.as_ref().and_then(signer);
        Fetched::by_operator(Told { facts, access_key_id }, cx.options)
    });
    statement.stated =
        told.map(|told| Stated::new(&told, |t| Some(t.facts.key.clone()), claims::claims(&told)));
    statement
}

/// Whose access key made the signatures; each of them where they differ.
fn signer(envelope: &Envelope<'_>) -> Option<String> {
    let mut ids: Vec<&str> =
        envelope.requests.iter().filter_map(|r| Some(r.authorization()?.access_key_id)).collect();
    ids.dedup();
    (!ids.is_empty()).then(|| ids.join(", "))
}

/// How the envelope answers the nonce that was given.
fn freshness(form: &Form<'_>, given: Option<&[u8]>) -> Option<Freshness> {
    let given = given?;
    let same = hex::decode(form.nonce).as_deref() == Ok(given)
        && form.requests.iter().all(|r| r.header(envelope::NONCE_HEADER) == Some(form.nonce));
    Some(if same { Freshness::NonceMatched } else { Freshness::NonceMismatch })
}

/// A view of an envelope without what may be a secret: signatures and session tokens stay out.
fn view(place: &str, form: &Form<'_>) -> Value {
    let requests: Vec<Value> = form
        .requests
        .iter()
        .map(|r| {
            let authorization = r.authorization();
            json!({
                "target": r.header("x-amz-target"), "signed_at": r.header("x-amz-date"),
                "access_key_id": authorization.as_ref().map(|a| a.access_key_id),
                "region": authorization.as_ref().map(|a| a.region),
                "signed_headers": authorization.as_ref().map(|a| a.signed.join(";")),
                "session_token": r.header("x-amz-security-token").map(|_| "there, not shown"),
            })
        })
        .collect();
    json!({ "where": place, "is": "envelope of signed requests to KMS", "nonce": form.nonce, "requests": requests })
}

/// One thing of a kind; a fault where there are more.
fn one<'a, T>(
    mut found: Vec<(&'a str, T)>,
    check: &'static crate::checks::Check,
    what: &str,
    checks: &mut Checks,
) -> Result<Option<(&'a str, T)>, ()> {
    if found.len() > 1 {
        let place = found.last().map(|(place, _)| (*place).to_owned()).unwrap_or_default();
        checks.fail(check, place, format!("there is more than one {what}"));
        return Err(());
    }
    Ok(found.pop())
}
