//! The certificates put in order, leaf first.
//!
//! The order in which they came is kept when every certificate's signature verifies under the next one's key, whatever
//! the names say. Otherwise the path is found anew by name and signature. That issuer and subject are the same name
//! says nothing here: key and attest key may both be called "Android Keystore Key".

use crate::crypto::PublicKey;
use crate::pki::{Certificate, EcdsaForm, name};
use crate::reference::anchors::{AnchorKind, Anchors};
use crate::signatures::Signatures;

/// How many signatures the search may verify; crafted sets of same-named certificates end here.
const MAX_SIGNATURES: usize = 64;

/// Certificates in order.
#[derive(Debug)]
pub(super) struct Ordered {
    /// Leaf first.
    pub(super) chain: Vec<Certificate>,
    /// Positions of certificates that the next one's key did not sign.
    pub(super) unsigned: Vec<usize>,
    /// Certificates that were there twice.
    pub(super) duplicates: usize,
}

/// Why there is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disorder {
    /// More than one leaf, certificates beside the path, or none at the end of it.
    Ambiguous(&'static str),
    /// The budget was used up.
    Budget,
}

impl Disorder {
    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::Ambiguous(why) => why,
            Self::Budget => "too many certificates of one name",
        }
    }
}

/// Puts certificates in order.
pub(super) fn order(
    certificates: &[Certificate],
    anchors: &Anchors,
    signatures: &Signatures<'_>,
) -> Result<Ordered, Disorder> {
    let mut pool: Vec<Certificate> = Vec::new();
    for certificate in certificates {
        // A root under another of its published certificates is the same issuer.
        let same_root = |c: &Certificate| {
            c.is_self_issued()
                && c.subject() == certificate.subject()
                && certificate.is_self_issued()
                && matches!((c.key(), certificate.key()), (Ok(a), Ok(b)) if a == b)
                && known_root(c, anchors)
                && known_root(certificate, anchors)
        };
        if !pool.iter().any(|c| c == certificate || same_root(c)) {
            pool.push(certificate.clone());
        }
    }
    let duplicates = certificates.len().saturating_sub(pool.len());
    let mut links = Links { anchors, signatures, budget: MAX_SIGNATURES };
    let given = pool.windows(2).all(|pair| match pair {
        [lower, upper] => links.signed(lower, upper) == Some(true),
        _ => true,
    });
    let (chain, unsigned) = match given {
        true => (pool, Vec::new()),
        false => links.rebuild(&pool)?,
    };
    Ok(Ordered { chain, unsigned, duplicates })
}

/// Whether it is one of an anchor's published certificates.
fn known_root(certificate: &Certificate, anchors: &Anchors) -> bool {
    anchors
        .by_subject(certificate.subject())
        .any(|a| a.certificates.iter().any(|p| p.sha256 == *certificate.sha256()))
}

struct Links<'s> {
    anchors: &'s Anchors,
    signatures: &'s Signatures<'s>,
    budget: usize,
}

impl Links<'_> {
    /// Whether `upper` signed `lower`; `None` when the budget is used up.
    fn signed(&mut self, lower: &Certificate, upper: &Certificate) -> Option<bool> {
        self.budget = self.budget.checked_sub(1)?;
        let Ok(key) = upper.key() else { return Some(false) };
        // The usual form first: the path validator will ask the same, and the answer is remembered.
        let valid = self.signatures.check(lower, key).is_ok()
            || lower.scheme().is_err()
                && self.signatures.check_with(lower, key, EcdsaForm::NullParameters).is_ok();
        Some(valid || self.is_too_weak_to_verify(lower, upper, key))
    }

    /// The software attestation keys of the Android source are RSA keys of 1024 bits, under which no signature is
    /// verified. They are linked by name, so that the report can name them; they are never trusted.
    fn is_too_weak_to_verify(&self, lower: &Certificate, upper: &Certificate, key: &PublicKey) -> bool {
        lower.issuer() == upper.subject()
            && key.rsa_bits().is_some_and(|bits| bits < 2048)
            && self.anchors.by_spki(key.spki_der()).any(|a| a.kind == AnchorKind::Untrusted)
    }

    fn rebuild(&mut self, pool: &[Certificate]) -> Result<(Vec<Certificate>, Vec<usize>), Disorder> {
        /// Index of the issuer, and whether its key signed.
        type Issuer = Option<(usize, bool)>;
        let mut issuers: Vec<Issuer> = Vec::with_capacity(pool.len());
        for (index, certificate) in pool.iter().enumerate() {
            let mut found: Issuer = None;
            let others = pool
                .iter()
                .enumerate()
                .filter(|(i, c)| *i != index && name::same_values(certificate.issuer(), c.subject()));
            for (candidate, upper) in others {
                match self.signed(certificate, upper) {
                    None => return Err(Disorder::Budget),
                    Some(true) => {
                        found = Some((candidate, true));
                        break;
                    }
                    Some(false) => found = found.or(Some((candidate, false))),
                }
            }
            // A certificate that signed itself needs no other of its name.
            if matches!(found, Some((_, false))) && self.signed(certificate, certificate) == Some(true) {
                found = None;
            }
            issuers.push(found);
        }
        let issues = |index: usize| issuers.iter().any(|i| i.is_some_and(|(at, _)| at == index));
        let mut leaves = (0..pool.len()).filter(|i| !issues(*i));
        let (Some(leaf), None) = (leaves.next(), leaves.next()) else {
            return Err(Disorder::Ambiguous("the certificates are not one chain with one leaf"));
        };
        let (mut chain, mut unsigned) = (Vec::with_capacity(pool.len()), Vec::new());
        let mut at = Some(leaf);
        while let Some(index) = at.filter(|_| chain.len() < pool.len()) {
            chain.extend(pool.get(index).cloned());
            let issuer = issuers.get(index).copied().flatten();
            if matches!(issuer, Some((_, false))) {
                unsigned.push(chain.len().saturating_sub(1));
            }
            at = issuer.map(|(upper, _)| upper);
        }
        if chain.len() != pool.len() {
            return Err(Disorder::Ambiguous("certificates are there that are not part of the chain"));
        }
        Ok((chain, unsigned))
    }
}
