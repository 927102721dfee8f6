//! The pool's chain: a self-signed root of the pool certifies the partition once more.
//!
//! The root is made when the pool is activated, and nobody stands above it. Unless the operator of the verifier
//! pinned it, the chain shows only that whoever holds that root means this partition. It is judged by the same
//! strict rules either way, and in neither case does it authenticate the attestation: only the manufacturer's
//! chain does.

use super::super::chain::{self, is_owner};
use super::super::checks as core;
use super::super::found::{Found, Held, MAX_CERTIFICATES};
use super::super::judge::Judged;
use super::super::names::DeviceName;
use super::super::statement::Gathering;
use super::{PROFILE, checks as ck};
use crate::checks::Checks;
use crate::formats::Context;
use crate::input::PartId;
use crate::pki::path::{self, Rules, Signs};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind, Confirmed, PublishedCertificate};

pub(super) const PINS: &str = "pool_root_spki_sha256";

/// The pool that says the partition is its.
#[derive(Debug)]
pub(super) struct Pool<'b> {
    /// The common name of its root.
    pub(super) name: &'b str,
    /// Its root, as the anchor of its own chain.
    pub(super) root: Anchor,
    pinned: bool,
}

/// Whether the operator vouches for the pool's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pin {
    /// He does.
    Matches,
    /// He expects another one.
    Differs,
    /// He said nothing of it.
    None,
}

/// Makes the checks of the pool's chain.
pub(super) fn check<'b>(found: &'b Found<'b>, judged: &mut Judged<'b>, cx: &Context<'b>) -> Option<Pool<'b>> {
    let owned: Vec<Held<'b>> = found
        .named
        .iter()
        .copied()
        .filter(|h| h.name.is_partition() && !judged.is_makers(h.certificate))
        .collect();
    let is_root =
        |c: &Certificate| c.is_self_issued() && DeviceName::subject(c).is_none() && !judged.is_makers(c);
    let roots: Vec<_> =
        found.certificates.iter().copied().take(MAX_CERTIFICATES).filter(|(_, c)| is_root(c)).collect();
    let made = judged.chosen.map(|c| c.partition);
    let checks = &mut judged.statement.checks;
    if owned.is_empty() || roots.is_empty() {
        let what = if owned.is_empty() { "certificate of the partition" } else { "root" };
        checks.fail(&ck::NO_OWNER, "", format!("the pool's {what} is not there"));
        return None;
    }
    let Some(made) = made else {
        checks.pass(&ck::NO_OWNER, "", "the pool's certificates are there");
        let why =
            "the manufacturer's partition certificate is not known, so there is nothing to compare with";
        checks.skip(&ck::OWNER_PARTITION, "", why);
        return None;
    };
    let (held, (id, root)) = choose(&owned, &roots, &made, cx, checks)?;
    judged.statement.labels.push((id, "root of the pool".into()));
    judged.statement.certificates.extend([held.certificate.clone(), root.clone()]);
    judge(&held, root, &made, cx, &mut judged.statement.checks)
}

/// The pool's certificate with the partition's key, and the root that issued it.
fn choose<'b>(
    owned: &[Held<'b>],
    roots: &[(PartId, &'b Certificate)],
    made: &Held<'b>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<(Held<'b>, (PartId, &'b Certificate))> {
    let same = |h: &&Held<'_>| h.certificate.key().is_ok() && h.certificate.key() == made.certificate.key();
    let matching: Vec<&Held<'b>> = owned.iter().filter(same).collect();
    let Some(first) = matching.first() else {
        checks.pass(&ck::NO_OWNER, "", "the pool's certificates are there");
        let at = owned.first().map(|h| chain::place(h, cx)).unwrap_or_default();
        let detail = "the pool's certificate is for another partition: it holds another key";
        checks.fail(&ck::OWNER_PARTITION, at, detail);
        return None;
    };
    let named: Vec<_> = matching
        .iter()
        .flat_map(|h| roots.iter().map(move |root| (**h, *root)))
        .filter(|(h, (_, root))| h.certificate.issuer() == root.subject())
        .collect();
    let signed = |(h, (_, root)): &&(Held<'_>, (PartId, &Certificate))| {
        root.key().is_ok_and(|key| cx.signatures.check(h.certificate, key).is_ok())
    };
    match named.iter().find(signed).or_else(|| named.first()) {
        Some(pair) => {
            checks.pass(&ck::NO_OWNER, "", "the pool's certificates are there");
            Some(*pair)
        }
        None => {
            let issuer = name::display(first.certificate.issuer());
            checks.fail(&ck::NO_OWNER, chain::place(first, cx), format!("no certificate of {issuer}"));
            None
        }
    }
}

fn judge<'b>(
    held: &Held<'b>,
    root: &'b Certificate,
    made: &Held<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Pool<'b>> {
    let at = chain::place(held, cx);
    let (Some(pool), Some(anchor)) = (root.common_name(), anchor(root)) else {
        checks.fail(&ck::OWNER_PARTITION, at, "the pool's root has no name, or its key cannot be used");
        return None;
    };
    // The root is judged as the last certificate of its own chain: self-signed, a CA, valid. No trust comes of
    // it: what the validator hands out is dropped, whoever pinned the root.
    let chain = [held.certificate.clone(), root.clone()];
    let rules = Rules::strict(cx.at, Signs::Statements);
    let faults = path::validate(&chain, &anchor, &cx.reference.anchors, &rules, cx.signatures).faults;
    for fault in &faults {
        let check = if fault.kind.is_validity() { &core::EXPIRED } else { &ck::OWNER_PARTITION };
        checks.fail(check, at.clone(), format!("pool's chain: {fault}"));
    }
    let no_ca = !matches!(held.certificate.basic_constraints(), Some(Ok(c)) if c.ca);
    let named = held.certificate.common_name() == made.certificate.common_name();
    if !no_ca || !named {
        let detail = if named { "is a CA" } else { "has another name than the manufacturer's" };
        checks.fail(&ck::OWNER_PARTITION, at.clone(), format!("the pool's partition certificate {detail}"));
    }
    let right = no_ca && named && faults.iter().all(|f| f.kind.is_validity());
    if right {
        checks.pass(&ck::OWNER_PARTITION, at.clone(), format!("the root of {pool} certified the partition"));
    }
    if faults.is_empty() {
        checks.pass(&core::EXPIRED, at.clone(), "the pool's certificates are valid at the time");
    }
    let pin = pin(root, &anchor, cx);
    let digest = hex::encode(anchor.spki_sha256);
    match pin {
        Pin::Matches => checks.pass(&ck::OWNER_PIN, at, format!("the root of {pool} is pinned: {digest}")),
        Pin::Differs => {
            let detail = format!("the root of {pool} is not the pinned one; its key has SHA-256 {digest}");
            checks.fail(&ck::OWNER_PIN, at, detail);
        }
        Pin::None => {
            checks.skip(&ck::OWNER_PIN, at.clone(), "no root of this pool was pinned");
            let detail = format!("Azure, pool {pool}, by its own word; its root's key has SHA-256 {digest}");
            checks.warn(&ck::SELF_ASSERTED, at, detail);
        }
    }
    right.then_some(Pool { name: pool, root: anchor, pinned: pin == Pin::Matches })
}

/// Pins are the operator's option, or roots of pools among his anchors; the latter only for the pool of that name.
fn pin(root: &Certificate, anchor: &Anchor, cx: &Context<'_>) -> Pin {
    let digest = hex::encode(anchor.spki_sha256);
    let mut expected = false;
    let mut matches = false;
    for pinned in cx.options.list(PINS) {
        expected = true;
        matches |= pinned.trim().eq_ignore_ascii_case(&digest);
    }
    for known in cx.reference.anchors.by_subject(root.subject()) {
        if !known.applies_to(PROFILE.id) || !is_owner(known) {
            continue;
        }
        match (known.spki == anchor.spki, known.kind) {
            (true, AnchorKind::Untrusted) => return Pin::Differs,
            (same, AnchorKind::Root) => {
                expected = true;
                matches |= same;
            }
            _ => {}
        }
    }
    match (expected, matches) {
        (_, true) => Pin::Matches,
        (true, false) => Pin::Differs,
        (false, false) => Pin::None,
    }
}

/// The root in the form that the path validator takes.
fn anchor(root: &Certificate) -> Option<Anchor> {
    let published = PublishedCertificate {
        sha256: *root.sha256(),
        serial: hex::encode(root.serial()),
        not_before: root.not_before(),
        not_after: root.not_after(),
        source: "evidence".to_owned(),
        looked_up: None,
        confirmed: Confirmed::Operator,
    };
    let path_len = root.basic_constraints().and_then(Result::ok).and_then(|c| c.path_len);
    let (name, subject, spki) = (root.display_name(), root.subject(), root.key().ok()?.spki_der());
    Anchor::from_operator(PINS, &name, AnchorKind::Root, subject, spki, path_len, published).ok()
}

impl Pool<'_> {
    pub(super) fn claims<'s, 'b>(&self, claims: Gathering<'s, 'b>) -> Gathering<'s, 'b> {
        const PINNED: &str = "certificates of the pool, whose root the operator of the verifier pinned";
        const OWN_WORD: &str = "certificates of the pool, by its own word";
        const PROVIDER: &str = "Azure Managed HSM";
        let root = hex::encode(self.root.spki_sha256);
        if self.pinned {
            claims
                .detail("provider", PINNED, |_| PROVIDER)
                .detail("operator", PINNED, |_| "Microsoft")
                .detail("pool", PINNED, |_| self.name)
                .detail("pool_root_spki_sha256", PINNED, |_| root)
        } else {
            claims
                .declared("provider", OWN_WORD, PROVIDER)
                .detail("operator", "the pool's root is not pinned", |_| None::<&str>)
                .declared("pool", OWN_WORD, self.name)
                .declared("pool_root_spki_sha256", OWN_WORD, root)
        }
    }
}
