//! Revocation of a signer and the authorities above him, by the lists that are at hand.

use crate::crypto::PublicKey;
use crate::formats::Context;
use crate::input::Content;
use crate::pki::{Certificate, RevocationList};
use crate::reference::anchors::Anchor;

/// What is revoked on the path. A list counts when it is signed by the issuer; whether it is the newest plays no part,
/// for what was revoked once stays so. A list that cannot be used proves nothing and is passed over.
pub(super) fn check(chain: &[Certificate], anchor: &Anchor, cx: &Context<'_>) -> Vec<String> {
    let own = cx.parts.evidence().filter_map(|(_, part)| match &part.content {
        Content::RevocationList(list) => Some(list),
        _ => None,
    });
    let lists: Vec<&RevocationList> = own.chain(&cx.reference.revocation_lists).collect();
    let mut revoked = Vec::new();
    for (index, certificate) in chain.iter().enumerate() {
        let issuer: Option<(&[u8], &PublicKey)> = match chain.get(index.saturating_add(1)) {
            Some(upper) => upper.key().ok().map(|key| (upper.subject(), key)),
            None => Some((anchor.subject.as_slice(), &anchor.key)),
        };
        let Some((name, key)) = issuer else { continue };
        let lists = lists.iter().filter(|list| {
            list.issuer() == name && list.lists(certificate.serial()) && list.verify_signed_by(key).is_ok()
        });
        for list in lists {
            let when = list.this_update();
            revoked.push(format!("{} is revoked by the list of {when}", certificate.display_name()));
        }
    }
    revoked
}
