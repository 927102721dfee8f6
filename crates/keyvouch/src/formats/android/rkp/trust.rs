//! Whether the operator knows the device's root key, and what may be claimed then.

use super::super::ID;
use super::super::checks as ck;
use super::cose::{Sign1, payload_of};
use super::dice::{Chain, Entry};
use super::request::Content;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Checks;
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::PublicKey;
use crate::formats::{Attested, Context};
use crate::pki::Certificate;
use crate::pki::path::{self, Rules, Signs, Top};
use crate::reference::anchors::Anchor;

/// Roots of makers' certificates for device root keys. An operator's root that names no role does not count here:
/// below a root of key attestation an app could have a certificate for a key of its own, and sign a chain with it.
pub(in super::super) const UDS: &str = "uds";

/// The root key with its trust: pinned by the operator, or certified under a root of that role.
pub(super) fn root_key(
    root: &PublicKey,
    uds: Option<&Vec<Vec<Certificate>>>,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<TrustedKey> {
    let anchors = &cx.reference.anchors;
    let pinned = anchors.keys_for(ID).find(|a| a.key == *root).and_then(TrustedKey::pinned);
    let trusted = pinned.or_else(|| uds.into_iter().flatten().find_map(|chain| certified(chain, cx)));
    match &trusted {
        Some(key) => {
            let detail = format!("the root key is known by {}", key.trust().anchor().name);
            checks.pass(&ck::ANCHOR_UNKNOWN, place.to_owned(), detail);
        }
        None => checks.fail_as(
            &ck::ANCHOR_UNKNOWN,
            ck::ANCHOR_UNKNOWN.on_fail,
            place.to_owned(),
            "nothing is known of the device's root key; the rest was checked for consistency only",
            "This is a request of a device to Google's server, not evidence about a subscriber's key: hand over the certificate chain of the key (KeyStore.getCertificateChain). A maker's root for devices can be configured with role uds (--anchors).",
        ),
    }
    trusted
}

fn certified(chain: &[Certificate], cx: &Context<'_>) -> Option<TrustedKey> {
    let roots: Vec<&Anchor> =
        cx.reference.anchors.roots_for(ID).filter(|a| a.role.as_deref() == Some(UDS)).collect();
    let found = path::find(chain.last()?, chain, &roots, cx.signatures);
    let Top::Anchor(anchor) = found.top else { return None };
    let rules = Rules::strict(cx.at, Signs::Statements);
    path::validate(&found.chain, anchor, &cx.reference.anchors, &rules, cx.signatures).trusted
}

/// The last stage of a chain whose every link is authentic.
fn follow(chain: &Chain<'_>, root: TrustedKey) -> Option<(TrustedKey, Authentic<Entry>)> {
    let (mut key, mut last) = (root, None);
    let mut signer = &chain.root;
    for (message, entry) in chain.messages.iter().zip(&chain.entries) {
        let (scheme, signature) = message.signature_for(signer)?;
        let signed = message.signed_bytes();
        let proof = key.key().verify(scheme, &signed, signature).ok()?;
        let stage = key.authenticate(proof)?.parse(|signed| {
            payload_of(signed).ok_or(()).and_then(|payload| Entry::read(&payload).map_err(drop))
        });
        let stage = stage.ok()?;
        key = stage.delegate(stage.get().subject().to_owned(), |e| Some(e.key.key.clone()))?;
        (signer, last) = (&entry.key, Some(stage));
    }
    Some((key, last?))
}

/// A chain alone: it says nothing but that the device booted so.
pub(super) fn attest_chain(chain: &Chain<'_>, root: TrustedKey) -> Option<Attested> {
    let (_, last) = follow(chain, root)?;
    let claims = ClaimSet::of(&last)
        .detail("last_stage", "DICE chain, subject of the last entry", |e| e.subject().to_owned())
        .finish();
    Some(Attested::new(&last, |_| None, claims))
}

/// A request: it says which device it is, and nothing of a subscriber's key.
pub(super) fn attest_request(chain: &Chain<'_>, signed: &Sign1<'_>, root: TrustedKey) -> Option<Attested> {
    const INFO: &str = "DeviceInfo of the provisioning request";
    let (key, _) = follow(chain, root)?;
    let (scheme, signature) = signed.signature_for(chain.last_key())?;
    let bytes = signed.signed_bytes();
    let proof = key.key().verify(scheme, &bytes, signature).ok()?;
    let content = key.authenticate(proof)?.parse(|signed| {
        payload_of(signed).ok_or(()).and_then(|payload| Content::read(&payload).map_err(drop))
    });
    let content = content.ok()?;
    let claims = ClaimSet::of(&content)
        .attested(ClaimName::DeviceVendor, INFO, |c| c.device.manufacturer.clone())
        .attested(ClaimName::DeviceModel, INFO, |c| c.device.model.clone())
        .attested(ClaimName::DeviceClass, INFO, |c| match c.device.strongbox {
            true => "secure-element",
            false => "tee",
        })
        .detail("brand", INFO, |c| c.device.brand.clone())
        .detail("request_type", "CsrPayload", |c| c.kind.clone())
        .finish();
    Some(Attested::new(&content, |_| None, claims))
}
