//! Where leaves come from: an attestation object, an MDM answer, or certificates by themselves.

use super::device;
use crate::formats::Context;
use crate::input::{Content, PartId};
use crate::pki::Certificate;
use crate::wire::attestation_object::{self, AttestationObject, sniff};
use crate::wire::bytes::contains;
use crate::wire::plist;

/// The text `fmt` of an attestation object of this kind. WebAuthn's Apple Anonymous attestation has the same, and
/// always has `authData`, which this one has not.
pub(crate) const FMT: &str = "apple";

/// The key of an MDM answer under which the certificates are.
const ANSWER: &str = "DevicePropertiesAttestation";

/// A leaf with what came above it, or why there is none.
pub(super) struct Found {
    pub(super) id: PartId,
    pub(super) label: &'static str,
    pub(super) chain: Result<Chain, String>,
}

/// Certificates as they came.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) leaf: Certificate,
    pub(crate) above: Vec<Certificate>,
    /// Whether each must have issued the one before it, as in an array.
    pub(crate) in_order: bool,
}

impl Chain {
    /// An array of certificates, the leaf first.
    pub(crate) fn of_array(array: &[&[u8]]) -> Result<Self, String> {
        let mut certificates = attestation_object::certificates(array)?.into_iter();
        let leaf = certificates.next().ok_or("the array holds no certificate")?;
        Ok(Self { leaf, above: certificates.collect(), in_order: true })
    }
}

pub(super) fn find(cx: &Context<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (id, part) in cx.parts.evidence() {
        let chain = match &part.content {
            Content::Xml => in_answer(&part.bytes).map(|chain| ("answer to an MDM server", chain)),
            Content::Binary if plist::is_binary(&part.bytes) => {
                in_answer(&part.bytes).map(|chain| ("answer to an MDM server", chain))
            }
            _ => part
                .unknown_bytes()
                .and_then(|bytes| in_object(&bytes))
                .map(|chain| ("attestation object", chain)),
        };
        found.extend(chain.map(|(label, chain)| Found { id, label, chain }));
    }
    found.extend(by_themselves(cx));
    found
}

fn in_object(bytes: &[u8]) -> Option<Result<Chain, String>> {
    if sniff(bytes) != Some((FMT, false)) {
        return None;
    }
    let read = || {
        let object = AttestationObject::read(bytes)?;
        Chain::of_array(&object.x5c()?)
    };
    Some(read())
}

/// Under its key at any depth, or the array alone when its first member is a leaf.
fn in_answer(bytes: &[u8]) -> Option<Result<Chain, String>> {
    let announced = contains(bytes, ANSWER.as_bytes());
    let list = match plist::read(bytes) {
        Ok(list) => list,
        Err(why) => return announced.then_some(Err(why)),
    };
    if !announced {
        let chain = Chain::of_array(&list.as_data_array()?).ok()?;
        return device::is_leaf(&chain.leaf).then_some(Ok(chain));
    }
    let read = || match list.all_of(ANSWER).as_slice() {
        [] => Err(format!("there is no key {ANSWER}")),
        [only] => {
            let array = only.as_data_array().ok_or_else(|| format!("{ANSWER} is not an array of data"))?;
            Chain::of_array(&array)
        }
        _ => Err(format!("key {ANSWER} is there more than once")),
    };
    Some(read())
}

/// Leaves among the certificates; with a request, only the one that holds its key, where there is one.
fn by_themselves(cx: &Context<'_>) -> Vec<Found> {
    let all = cx.parts.certificates();
    let mut leaves: Vec<_> = all.iter().filter(|(_, c)| device::is_leaf(c)).collect();
    let requested = |c: &Certificate| cx.request.is_some_and(|r| c.key().is_ok_and(|k| k == r.key()));
    if leaves.iter().any(|(_, c)| requested(c)) {
        leaves.retain(|(_, c)| requested(c));
    }
    let mut found: Vec<Found> = leaves
        .into_iter()
        .map(|(id, leaf)| {
            let above = all.iter().filter(|(_, c)| c != leaf).map(|(_, c)| (*c).clone()).collect();
            let chain = Chain { leaf: (*leaf).clone(), above, in_order: false };
            Found { id: *id, label: "leaf", chain: Ok(chain) }
        })
        .collect();
    for (id, part) in cx.parts.evidence() {
        if let Content::BrokenCertificate { why, prefix: Some(prefix), .. } = &part.content
            && device::is_leaf(prefix)
        {
            found.push(Found { id, label: "broken leaf", chain: Err(why.to_string()) });
        }
    }
    found
}
