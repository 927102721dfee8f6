//! The manufacturer's chain: partition ← card ← root.
//!
//! The card certificate is X.509 v1 and the partition certificate has no extensions, so nothing in them says who
//! may issue. If any certificate without basicConstraints could issue, whoever holds a certified key of a lower
//! rank could make devices. What closes that: the depth is fixed, names follow a grammar that tells cards from
//! partitions, and only a card may issue a partition.

use super::checks as ck;
use super::found::{AZURE_ORGANIZATION, Found, GOOGLE_ROOT, Held};
use super::names::DeviceName;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Check, Checks};
use crate::formats::Context;
use crate::pki::path::{self, FaultKind, Rules, Signs};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};
use crate::wire::bytes::contains;

/// In the name of the roots of the second generation.
const SECOND_GENERATION: &str = "-ls2";

/// The card issues the partition's certificate, and is X.509 v1.
const CARD_POSITION: &[usize] = &[1];

/// The certificates that the attestation is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub(super) partition: Held<'a>,
    pub(super) card: Option<Held<'a>>,
}

/// The partition as the manufacturer vouches for it.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) key: TrustedKey,
    pub(super) partition: Authentic<Certificate>,
    pub(super) model: &'static str,
}

/// Whether an anchor is of those who operate cards, not of those who make them. An owner certifies cards under
/// their own names and keys, so in one flat list his root could stand in for the manufacturer's.
pub(super) fn is_owner(anchor: &Anchor) -> bool {
    // To look for bytes is quicker than to take a name apart, and few names have them.
    let may_be_named = |name: &str| contains(&anchor.subject, name.as_bytes());
    let googles = || name::common_name(&anchor.subject).is_some_and(|cn| cn.starts_with(GOOGLE_ROOT));
    let azures = || name::organization(&anchor.subject) == Some(AZURE_ORGANIZATION);
    anchor.role.as_deref() == Some("owner")
        || (may_be_named(GOOGLE_ROOT) && googles())
        || (may_be_named(AZURE_ORGANIZATION) && azures())
}

/// The manufacturer's roots for a format, and known roots that must not be trusted.
pub(super) fn makers<'a>(cx: &Context<'a>, format: &'a str) -> Vec<&'a Anchor> {
    let anchors = &cx.reference.anchors;
    anchors.roots_for(format).chain(untrusted(cx, format)).filter(|a| !is_owner(a)).collect()
}

pub(super) fn untrusted<'a>(cx: &Context<'a>, format: &'a str) -> impl Iterator<Item = &'a Anchor> {
    cx.reference.anchors.untrusted_for(format)
}

/// The certificates that can be the manufacturer's for a partition: issued by a card, or wrongly by a partition or
/// by the root itself. What others issued is an owner's.
pub(super) fn partitions<'a>(found: &Found<'a>, makers: &[&Anchor]) -> Vec<Held<'a>> {
    let by_maker =
        |c: &Certificate| DeviceName::issuer(c).is_some() || makers.iter().any(|a| a.subject == c.issuer());
    found.named.iter().copied().filter(|h| h.name.is_partition() && by_maker(h.certificate)).collect()
}

/// Of several certificates with the partition's key, and several of its card, those that fit best. Card names and
/// even serial numbers repeat, so only signatures decide; nothing is trusted by being chosen.
pub(super) fn choose<'a>(
    found: &Found<'a>,
    partitions: &[Held<'a>],
    makers: &[&Anchor],
    cx: &Context<'_>,
) -> Option<Chosen<'a>> {
    let signed =
        |c: &Certificate, by: &Certificate| by.key().is_ok_and(|key| cx.signatures.check(c, key).is_ok());
    let rooted = |c: &Certificate| {
        makers.iter().any(|a| c.issuer() == a.subject && cx.signatures.check(c, &a.key).is_ok())
    };
    let named = |c: &Certificate| makers.iter().any(|a| c.issuer() == a.subject);
    let owners: Vec<&[u8]> = owner_issuers(found, makers);
    let mut best: Option<((bool, bool, bool), Chosen<'a>)> = None;
    for partition in partitions {
        for card in found.named.iter().filter(|h| !h.name.is_partition()) {
            let (p, c) = (partition.certificate, card.certificate);
            if p.issuer() != c.subject() || owners.contains(&c.issuer()) {
                continue;
            }
            let signed = signed(p, c);
            let score = (signed && rooted(c), signed, named(c));
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, Chosen { partition: *partition, card: Some(*card) }));
            }
        }
    }
    let alone = || partitions.first().map(|partition| Chosen { partition: *partition, card: None });
    best.map(|(_, chosen)| chosen).or_else(alone)
}

/// Issuers whose certificates are an owner's: of known owner roots, and of whoever certified partitions without
/// being a card or a manufacturer.
fn owner_issuers<'a>(found: &Found<'a>, makers: &[&Anchor]) -> Vec<&'a [u8]> {
    let mut issuers = Vec::new();
    for held in &found.named {
        let issuer = held.certificate.issuer();
        let known = held.certificate.issuer_common_name().is_some_and(|cn| cn.starts_with(GOOGLE_ROOT))
            || name::organization(issuer) == Some(AZURE_ORGANIZATION);
        let by_maker = makers.iter().any(|a| a.subject == issuer);
        let by_device = DeviceName::issuer(held.certificate).is_some();
        if known || (held.name.is_partition() && !by_maker && !by_device) {
            issuers.push(issuer);
        }
    }
    issuers
}

/// Judges the chain of the chosen partition.
pub(super) fn check(
    chosen: &Chosen<'_>,
    makers: &[&Anchor],
    no_card: &'static Check,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Trusted> {
    let partition = chosen.partition.certificate;
    let place = place(&chosen.partition, cx);
    if DeviceName::issuer(partition).is_none_or(|issuer| issuer.is_partition()) {
        let detail = "the partition certificate was not issued by a card";
        checks.fail(&ck::MANUFACTURER_CHAIN, place, detail);
        return None;
    }
    let Some(card) = &chosen.card else {
        let detail = format!("no certificate of {}", name::display(partition.issuer()));
        checks.fail(no_card, place, detail);
        return None;
    };
    checks.pass(no_card, place.clone(), "the card certificate is there");
    check_names(chosen.partition.name, card.name, &place, checks);
    if DeviceName::issuer(card.certificate).is_some() {
        let detail = "the card certificate was issued by a card or partition, not by the manufacturer";
        checks.fail(&ck::MANUFACTURER_CHAIN, place, detail);
        return None;
    }
    let chain = [partition.clone(), card.certificate.clone()];
    let Some(anchor) = anchor_of(card.certificate, makers, cx) else {
        report_unknown_anchor(&chain, &place, cx, checks);
        return None;
    };
    if anchor.kind == AnchorKind::Untrusted {
        let detail = format!("the card was certified by {}, which is known and not trusted", anchor.name);
        checks.fail(&ck::MANUFACTURER_CHAIN, place, detail);
        return None;
    }
    checks.pass(&ck::ANCHOR_UNKNOWN, place.clone(), format!("the card's issuer is {}", anchor.name));
    let rules =
        Rules { issuers_without_basic_constraints: CARD_POSITION, ..Rules::strict(cx.at, Signs::Statements) };
    let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
    for fault in &validation.faults {
        let check = if fault.kind.is_validity() { &ck::EXPIRED } else { &ck::MANUFACTURER_CHAIN };
        checks.fail(check, place.clone(), fault.to_string());
    }
    if validation.faults.iter().all(|f| f.kind.is_validity()) {
        let detail = format!("partition and card chain to {}", anchor.name);
        checks.pass(&ck::MANUFACTURER_CHAIN, place.clone(), detail);
    }
    if !validation.faults.iter().any(|f| f.kind.is_validity()) {
        checks.pass(&ck::EXPIRED, place, "the manufacturer's certificates are valid at the time");
    }
    let second = name::common_name(&anchor.subject).is_some_and(|cn| cn.contains(SECOND_GENERATION));
    Some(Trusted {
        key: validation.trusted?,
        partition: validation.certificate?,
        model: if second { "LiquidSecurity 2" } else { "LiquidSecurity" },
    })
}

/// The anchor of a certificate's issuer: of several with that name, the one whose key signed it.
pub(super) fn anchor_of<'a>(
    certificate: &Certificate,
    anchors: &[&'a Anchor],
    cx: &Context<'_>,
) -> Option<&'a Anchor> {
    let named = || anchors.iter().filter(|a| a.subject == certificate.issuer()).copied();
    named().find(|a| cx.signatures.check(certificate, &a.key).is_ok()).or_else(|| named().next())
}

fn check_names(partition: DeviceName<'_>, card: DeviceName<'_>, place: &str, checks: &mut Checks) {
    let place = place.to_owned();
    checks.test(
        &ck::FIPS_MODE_WORDS,
        place.clone(),
        partition.fips == card.fips,
        "card and partition name the same mode",
        || {
            format!("the card is for {} mode, the partition for {} mode", card.mode(), partition.mode())
                .into()
        },
    );
    if !partition.hides_card_serial() && partition.serial != card.serial {
        let detail = format!("the partition is named after card {}, not {}", partition.serial, card.serial);
        checks.fail(&ck::MANUFACTURER_CHAIN, place, detail);
    }
}

/// Nobody knows the root; what can be judged below it still is.
fn report_unknown_anchor(chain: &[Certificate; 2], place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let [partition, card] = chain;
    let detail = format!("the card's issuer {} is no anchor", name::display(card.issuer()));
    checks.fail(&ck::ANCHOR_UNKNOWN, place.to_owned(), detail);
    if !card.key().is_ok_and(|key| cx.signatures.check(partition, key).is_ok()) {
        checks.fail(
            &ck::MANUFACTURER_CHAIN,
            place.to_owned(),
            "the card did not sign the partition certificate",
        );
    }
    for certificate in chain {
        if let Some(kind) = outside_validity(certificate, cx) {
            checks.fail(&ck::EXPIRED, place.to_owned(), format!("{}: {kind}", certificate.display_name()));
        }
    }
}

pub(super) fn outside_validity(certificate: &Certificate, cx: &Context<'_>) -> Option<FaultKind> {
    if cx.at < certificate.not_before() {
        Some(FaultKind::NotYetValid(certificate.not_before()))
    } else if cx.at > certificate.not_after() {
        Some(FaultKind::Expired(certificate.not_after()))
    } else {
        None
    }
}

/// Where a certificate is, for reports.
pub(super) fn place(held: &Held<'_>, cx: &Context<'_>) -> String {
    held.part.map_or("operator's certificates", |id| cx.parts.place(id)).to_owned()
}

/// Certificates without a part in the chains. `used` are those of the chains; none when no chain was judged.
pub(super) fn check_leftovers(
    found: &Found<'_>,
    used: &[Certificate],
    roots: &[&Anchor],
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    if used.is_empty() {
        return checks.skip(&ck::LEFTOVER, "", "no chain was judged");
    }
    let is_root = |c: &Certificate| {
        c.is_self_issued()
            && roots.iter().any(|a| a.subject == c.subject())
            && c.key().is_ok_and(|key| cx.signatures.check(c, key).is_ok())
    };
    let leftover: Vec<_> =
        found.certificates.iter().filter(|(_, c)| !used.contains(c) && !is_root(c)).collect();
    let Some((first, _)) = leftover.first() else {
        return checks.pass(&ck::LEFTOVER, "", "every certificate has a part in the chains");
    };
    let names: Vec<String> = leftover.iter().map(|(_, c)| c.display_name()).collect();
    let detail = format!("without a part in the chains: {}", names.join("; "));
    if cx.options.is_on("strict_certificates") {
        checks.fail(&ck::LEFTOVER, cx.parts.place(*first).to_owned(), detail);
    } else {
        checks.skip(&ck::LEFTOVER, "", format!("strict_certificates is off; {detail}"));
    }
}

/// Says that a bundled root certificate has expired although its key is still anchored: it puzzles people.
pub(super) fn tell_expired_roots(
    found: &Found<'_>,
    roots: &[&Anchor],
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    for (id, certificate) in &found.certificates {
        let anchored = roots.iter().any(|a| {
            a.subject == certificate.subject() && certificate.key() == Ok(&a.key) && a.valid_at(cx.at)
        });
        if anchored && certificate.is_self_issued() && cx.at > certificate.not_after() {
            let detail = format!(
                "the root certificate in the evidence ended on {}; its key is anchored by a newer certificate, so this does no harm",
                certificate.not_after()
            );
            checks.info(&ck::EXPIRED, cx.parts.place(*id).to_owned(), detail);
        }
    }
}
