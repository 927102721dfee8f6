//! Revocation of authority and CA, by the lists that are at hand.

use super::chain::Roles;
use super::checks as ck;
use crate::checks::Checks;
use crate::crypto::PublicKey;
use crate::formats::Context;
use crate::input::Content;
use crate::pki::{Certificate, RevocationList, name};
use crate::reference::anchors::Anchor;

/// Lists that came with the evidence, or that the operator configured.
pub(super) fn check(roles: &Roles<'_>, anchor: &Anchor, cx: &Context<'_>, checks: &mut Checks) {
    const OPERATOR: &str = "operator's revocation lists";
    let mut used = false;
    let own = cx.parts.evidence().filter_map(|(id, part)| match &part.content {
        Content::RevocationList(list) => Some((cx.parts.place(id), Ok(list))),
        Content::BrokenRevocationList(why) => Some((cx.parts.place(id), Err(why))),
        _ => None,
    });
    let all: Vec<_> = own.chain(cx.reference.revocation_lists.iter().map(|l| (OPERATOR, Ok(l)))).collect();
    let ca_key = roles.ca.key().ok();
    for (place, list) in all {
        let list = match list {
            Ok(list) => list,
            Err(why) => {
                checks.warn(&ck::REVOKED, place.to_owned(), format!("a revocation list was not used: {why}"));
                used = true;
                continue;
            }
        };
        let links = [
            (roles.authority, roles.ca.subject(), ca_key),
            (roles.ca, anchor.subject.as_slice(), Some(&anchor.key)),
        ];
        for (certificate, issuer, key) in links {
            let Some(key) = key.filter(|_| name::same_values(list.issuer(), issuer)) else { continue };
            used = true;
            check_list(certificate, key, list, place, cx, checks);
        }
    }
    if !used {
        checks.skip(
            &ck::REVOKED,
            "",
            "no revocation list of these issuers was handed over (https://pki.fortanix.com/Fortanix_Key_Attestation_CA.crl)",
        );
    }
}

fn check_list(
    certificate: &Certificate,
    issuer: &PublicKey,
    list: &RevocationList,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let place = place.to_owned();
    let name = certificate.display_name();
    if let Err(why) = list.verify_signed_by(issuer) {
        checks.warn(
            &ck::REVOKED,
            place,
            format!("the revocation list of {name}'s issuer was not used: {why}"),
        );
    } else if let Some(oid) = list.unprocessed_extension() {
        let detail = format!(
            "the revocation list of {name}'s issuer was not used: critical extension {oid} is not known"
        );
        checks.warn(&ck::REVOKED, place, detail);
    } else if list.lists(certificate.serial()) {
        checks.fail(&ck::REVOKED, place, format!("{name} is revoked by the list of {}", list.this_update()));
    } else if list.next_update().is_some_and(|next| cx.at > next) {
        let detail = format!("{name} is not on the list of {}, but a newer one is due", list.this_update());
        checks.warn(&ck::REVOKED, place, detail);
    } else {
        checks.pass(&ck::REVOKED, place, format!("{name} is not on the list of {}", list.this_update()));
    }
}
