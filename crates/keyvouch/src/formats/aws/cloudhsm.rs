//! Certificates of an AWS CloudHSM cluster: the HSM is certified twice, by AWS and by its maker.
//!
//! ```text
//! HSM ← card, certified by AWS     ← AWS CloudHSM Root G1
//! HSM ← card, certified by Marvell ← Marvell's root
//! ```
//!
//! Both chains end at the same keys. They prove that the cluster has a genuine HSM which AWS operates; no key of a
//! customer appears in them. The certificates are X.509 v1 under names of Marvell's grammar: see `marvell/chain.rs` for
//! why depth and names are fixed.

use serde_json::{Value, json};

use super::checks as ck;
use crate::authentic::Authentic;
use crate::checks::Checks;
use crate::claims::{ClaimName, ClaimSet};
use crate::formats::marvell::names::DeviceName;
use crate::formats::{Attested, Context, Statement, Way};
use crate::input::{Content, PartId};
use crate::pki::path::{self, Rules, Signs};
use crate::pki::{Certificate, name};
use crate::reference::anchors::Anchor;

/// Common name of AWS's root.
const ROOT: &str = "AWS CloudHSM Root G1";
/// The card issues the HSM's certificate, and is X.509 v1.
const CARD_POSITION: &[usize] = &[1];
/// A cluster hands out four.
const MAX_CERTIFICATES: usize = 16;

/// Whose chain it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Aws,
    Maker,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Maker => "the maker",
        }
    }

    fn owns(self, anchor: &Anchor) -> bool {
        (name::common_name(&anchor.subject) == Some(ROOT)) == (self == Self::Aws)
    }
}

/// A chain that holds.
struct Chain {
    hsm: Authentic<Certificate>,
    card: Certificate,
}

fn is_of_cluster(certificate: &Certificate) -> bool {
    [certificate.common_name(), certificate.issuer_common_name()].contains(&Some(ROOT))
}

pub(super) fn inspect(cx: &Context<'_>) -> Vec<Value> {
    if !cx.parts.certificates().iter().any(|(_, c)| is_of_cluster(c)) {
        return Vec::new();
    }
    let view = |(id, c): (PartId, &Certificate)| {
        json!({ "where": cx.parts.place(id), "is": "certificate of a CloudHSM cluster", "subject": c.display_name(),
            "issuer": name::display(c.issuer()), "not_after": c.not_after().to_string() })
    };
    cx.parts.certificates().into_iter().map(view).collect()
}

pub(super) fn appraise(cx: &Context<'_>) -> Option<Statement> {
    let certificates = cx.parts.certificates();
    let first = certificates.iter().find(|(_, c)| is_of_cluster(c)).map(|(id, _)| *id)?;
    let place = cx.parts.place(first).to_owned();
    let mut statement = Statement { way: Way::None, ..Statement::default() };
    for (id, certificate) in &certificates {
        let ours = is_of_cluster(certificate) || DeviceName::subject(certificate).is_some();
        if ours {
            statement.labels.push((*id, "certificate of a CloudHSM cluster".into()));
            statement.certificates.push((*certificate).clone());
        }
    }
    let checks = &mut statement.checks;
    checks.fail(
        &ck::NO_FORMAT,
        place.clone(),
        "AWS CloudHSM: certificates of a cluster speak of its HSM, not of a key",
    );
    let held: Vec<&Certificate> = certificates.iter().map(|(_, c)| *c).take(MAX_CERTIFICATES).collect();
    let aws = chain(By::Aws, &held, &place, cx, checks);
    let maker = chain(By::Maker, &held, &place, cx, checks);
    let (Some(aws), Some(maker)) = (aws, maker) else { return Some(statement) };
    checks.pass(&ck::CLOUDHSM_CHAIN, place.clone(), "certified under AWS's root and under the maker's");
    if check_keys(&aws, &maker, &place, cx, checks) {
        let claims = ClaimSet::of(&aws.hsm)
            .attested(ClaimName::DeviceClass, "AWS's root certified the HSM", |_| "cloud-hsm")
            .attested(ClaimName::DeviceVendor, "AWS's root certified the HSM", |_| "AWS")
            .attested(ClaimName::DeviceModel, "AWS's root certified the HSM", |_| "CloudHSM")
            .attested(ClaimName::DeviceSerial, "issuer of the HSM's certificate: its card", |hsm| {
                DeviceName::issuer(hsm).map(|card| card.serial.to_owned())
            })
            .detail("hsm_key_spki_sha256", "HSM certificate", |hsm| {
                hsm.key().ok().map(|key| hex::encode(key.spki_sha256()))
            })
            .finish();
        statement.attested = Some(Attested::new(&aws.hsm, |_| None, claims));
    }
    Some(statement)
}

/// The chain of one of the two; what is wrong with it is reported.
fn chain(by: By, held: &[&Certificate], place: &str, cx: &Context<'_>, checks: &mut Checks) -> Option<Chain> {
    match find(by, held, cx) {
        Ok(chain) => Some(chain),
        Err(why) => {
            checks.fail(&ck::CLOUDHSM_CHAIN, place.to_owned(), format!("chain of {}: {why}", by.word()));
            None
        }
    }
}

fn find(by: By, held: &[&Certificate], cx: &Context<'_>) -> Result<Chain, String> {
    let anchors: Vec<&Anchor> = cx.reference.anchors.roots_for("aws").filter(|a| by.owns(a)).collect();
    let is = |c: &Certificate, partition: bool| {
        DeviceName::subject(c).is_some_and(|name| name.is_partition() == partition)
    };
    let mut why = "the certificate of the card is missing, or its issuer is not known".to_owned();
    for card in held.iter().filter(|c| is(c, false)) {
        // A name that says it was issued by a card or partition was not issued by a root.
        let Some(anchor) = anchors.iter().find(|a| a.subject == card.issuer()) else { continue };
        why = "the certificate of the HSM is missing".to_owned();
        for hsm in held.iter().filter(|c| is(c, true) && c.issuer() == card.subject()) {
            let path = [(*hsm).clone(), (*card).clone()];
            let rules = Rules {
                issuers_without_basic_constraints: CARD_POSITION,
                ..Rules::strict(cx.at, Signs::Statements)
            };
            let found = path::validate(&path, anchor, &cx.reference.anchors, &rules, cx.signatures);
            match found.certificate {
                Some(hsm) => return Ok(Chain { hsm, card: (*card).clone() }),
                None => why = found.faults.first().map(ToString::to_string).unwrap_or_default(),
            }
        }
    }
    Err(why)
}

/// Whether both chains and the cluster's request are for one and the same HSM.
fn check_keys(aws: &Chain, maker: &Chain, place: &str, cx: &Context<'_>, checks: &mut Checks) -> bool {
    let place = || place.to_owned();
    let same = |a: &Certificate, b: &Certificate| matches!((a.key(), b.key()), (Ok(a), Ok(b)) if a == b);
    if !same(aws.hsm.get(), maker.hsm.get()) || !same(&aws.card, &maker.card) {
        checks.fail(&ck::CLOUDHSM_KEY, place(), "the two chains are of two different HSMs");
        return false;
    }
    let requests: Vec<_> = cx
        .parts
        .evidence()
        .filter_map(|(_, part)| match &part.content {
            Content::Request(request) => Some(request),
            _ => None,
        })
        .collect();
    let of_hsm = |key| aws.hsm.get().key() == Ok(key);
    match requests.as_slice() {
        [] => {
            let detail = "both chains are of one HSM; the request of the cluster (ClusterCsr) is not there to compare with";
            checks.skip(&ck::CLOUDHSM_KEY, place(), detail);
            true
        }
        all => checks.test(
            &ck::CLOUDHSM_KEY,
            place(),
            all.iter().any(|request| of_hsm(request.key())),
            "both chains and the request of the cluster are of one HSM",
            || "the request of the cluster is of another key than the HSM's".into(),
        ),
    }
}
