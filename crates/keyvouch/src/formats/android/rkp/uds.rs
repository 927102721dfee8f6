//! The maker's certificates for the root key of a device: chains with the root first.

use super::super::checks as ck;
use crate::checks::Checks;
use crate::crypto::PublicKey;
use crate::formats::Context;
use crate::pki::Certificate;
use crate::wire::cbor::{Item, Map};

/// More signers, or certificates of one, than any device has.
const MAX: usize = 8;

/// The chains that hold and are for the device's root key, root first.
pub(super) fn check(
    signers: &Map<'_>,
    root: &PublicKey,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Vec<Vec<Certificate>> {
    let mut found = Vec::new();
    if signers.is_empty() {
        checks.skip(&ck::RKP_UDS_CHAIN, place.to_owned(), "the request has no certificates of the maker");
        checks.skip(&ck::RKP_UDS_MISMATCH, place.to_owned(), "the request has no certificates of the maker");
        return found;
    }
    for (name, item) in signers.entries().take(MAX) {
        let signer = name.as_text().unwrap_or("(not text)");
        let Some(chain) = chain(item) else {
            let detail = format!("{signer}: not a chain of two or more certificates");
            checks.fail(&ck::RKP_UDS_CHAIN, place.to_owned(), detail);
            continue;
        };
        if let Some(why) = fault(&chain, cx) {
            checks.fail(&ck::RKP_UDS_CHAIN, place.to_owned(), format!("{signer}: {why}"));
            continue;
        }
        let detail = format!("{signer}: {} certificates, each signed by the one before it", chain.len());
        checks.pass(&ck::RKP_UDS_CHAIN, place.to_owned(), detail);
        let same = chain.last().is_some_and(|leaf| leaf.key().is_ok_and(|key| key == root));
        let same = checks.test(
            &ck::RKP_UDS_MISMATCH,
            place.to_owned(),
            same,
            "the certificate is for the root key of the DICE chain",
            || format!("{signer}: the certificate is for another key than the root of the DICE chain").into(),
        );
        if same {
            found.push(chain);
        }
    }
    if signers.len() > MAX {
        checks.fail(&ck::RKP_UDS_CHAIN, place.to_owned(), "too many signers");
    }
    found
}

fn chain(item: &Item<'_>) -> Option<Vec<Certificate>> {
    let items = item.as_array().filter(|items| (2..=MAX).contains(&items.len()))?;
    items.iter().map(|c| Certificate::from_der(c.as_bytes()?).ok()).collect()
}

/// Root first: the first signed itself, every other was signed by the one before it.
fn fault(chain: &[Certificate], cx: &Context<'_>) -> Option<&'static str> {
    let signed = |lower: &Certificate, upper: &Certificate| {
        lower.issuer() == upper.subject()
            && upper.key().is_ok_and(|key| cx.signatures.check(lower, key).is_ok())
    };
    if !chain.first().is_some_and(|root| signed(root, root)) {
        return Some("the first certificate is not a root");
    }
    let holds = chain.windows(2).all(|pair| matches!(pair, [upper, lower] if signed(lower, upper)));
    (!holds).then_some("a certificate is not signed by the one before it")
}
