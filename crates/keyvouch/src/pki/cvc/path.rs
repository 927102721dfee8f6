//! Paths of CV certificates: of fixed length, each in its role, up to a pinned anchor.
//!
//! Without the roles a device could issue devices: nothing else in a CV certificate says who may.

use std::fmt;

use der::asn1::ObjectIdentifier;

use super::{CvCertificate, name_of};
use crate::appraisal::{AnchorRef, Trust};
use crate::authentic::{Authentic, TrustedKey};
use crate::crypto::{Curve, Hash, PublicKey, Scheme, SignatureError};
use crate::reference::anchors::Anchor;
use crate::time::Time;

/// How the keys of anchors sign.
pub const ANCHOR_SCHEME: Scheme = Scheme::EcdsaFixed(Hash::Sha256);

/// The rules of one path validation.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The time at which every certificate must be valid.
    pub at: Time,
    /// The scheme that every certificate must be of.
    pub scheme: ObjectIdentifier,
    /// The role of each certificate, end first: that many there must be.
    pub roles: &'static [u8],
    /// The curve of every key.
    pub curve: Curve,
    /// Operator's choice: expired certificates are reported and do not break the path.
    pub accept_expired: bool,
}

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which certificate: 0 is the end; the number of certificates stands for the anchor.
    pub position: usize,
    /// Its holder.
    pub holder: String,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// The ways in which a certificate breaks a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// It names another authority.
    #[error("its authority is {0}, not the holder of the next certificate")]
    NameChaining(String),
    /// Its signature is not the next one's.
    #[error("signature by its authority: {0}")]
    Signature(SignatureError),
    /// Its key cannot be used.
    #[error("its key: {0}")]
    Key(String),
    /// It is of another scheme, or in another role.
    #[error("it has role {0}")]
    Role(String),
    /// Dates that are none.
    #[error("its dates are none")]
    BadDate,
    /// It is not valid yet.
    #[error("valid only from {0}")]
    NotYetValid(Time),
    /// It is not valid any more.
    #[error("valid only until {0}")]
    Expired(Time),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.holder, self.kind)
    }
}

/// The outcome of a path validation.
#[derive(Debug)]
pub struct Validation {
    /// The end key with its trust, when the path is whole and nothing is wrong.
    pub trusted: Option<TrustedKey>,
    /// The end certificate itself, likewise.
    pub certificate: Option<Authentic<CvCertificate>>,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
    /// What is wrong and accepted by the operator's choice.
    pub tolerated: Vec<Fault>,
}

/// Judges `chain` (end certificate first), as far as it is there, and `anchor` above it. Only a whole path under an
/// anchor makes trust.
#[must_use]
pub fn validate(chain: &[&CvCertificate], anchor: Option<&Anchor>, rules: &Rules) -> Validation {
    let mut faults = Vec::new();
    for (position, certificate) in chain.iter().enumerate() {
        let mut found = Vec::new();
        check_role(certificate, rules.roles.get(position).copied(), rules, &mut found);
        check_dates(certificate, rules, &mut found);
        if let Err(why) = key_of(certificate, rules) {
            found.push(FaultKind::Key(why));
        }
        match (chain.get(position.saturating_add(1)), anchor) {
            (Some(upper), _) => check_issuer(certificate, upper, rules, &mut found),
            (None, Some(anchor)) => check_anchor(certificate, anchor, &mut found),
            (None, None) => {}
        }
        let holder = || certificate.holder().to_owned();
        faults.extend(found.into_iter().map(|kind| Fault { position, holder: holder(), kind }));
    }
    if let Some(anchor) = anchor.filter(|a| !a.valid_at(rules.at)) {
        let kind = match (anchor.not_before(), anchor.not_after()) {
            (Some(from), _) if rules.at < from => FaultKind::NotYetValid(from),
            (_, Some(to)) => FaultKind::Expired(to),
            _ => FaultKind::BadDate,
        };
        faults.push(Fault { position: chain.len(), holder: anchor.name.clone(), kind });
    }
    let (tolerated, faults): (Vec<_>, Vec<_>) =
        faults.into_iter().partition(|f| rules.accept_expired && matches!(f.kind, FaultKind::Expired(_)));
    let (mut trusted, mut certificate) = (None, None);
    if let (Some(end), Some(anchor), true) = (chain.first(), anchor, faults.is_empty())
        && chain.len() == rules.roles.len()
        && let Ok(key) = key_of(end, rules)
    {
        let mut path = vec![anchor.name.clone()];
        path.extend(chain.iter().rev().map(|c| c.holder().to_owned()));
        let trust = Trust::new(AnchorRef::of(anchor), path);
        certificate = Some(Authentic::vouched((*end).clone(), trust.clone()));
        trusted = Some(TrustedKey::new(key, trust));
    }
    Validation { trusted, certificate, faults, tolerated }
}

/// The key of a certificate on the path.
///
/// # Errors
/// Why it is none.
pub fn key_of(certificate: &CvCertificate, rules: &Rules) -> Result<PublicKey, String> {
    let key = certificate.public_key(Some(rules.curve)).map_err(|e| e.to_string())?;
    let expected =
        matches!(key.material(), crate::crypto::Material::Ec { curve, .. } if *curve == rules.curve);
    expected.then_some(key).ok_or_else(|| format!("it is not on {}", rules.curve.name()))
}

fn check_role(certificate: &CvCertificate, role: Option<u8>, rules: &Rules, found: &mut Vec<FaultKind>) {
    let right = match (certificate.role(), role) {
        (Some((scheme, [actual])), Some(role)) => scheme == rules.scheme && *actual == role,
        _ => false,
    };
    if !right {
        let shown = certificate.role().map(|(scheme, role)| format!("{} of {scheme}", hex::encode(role)));
        found.push(FaultKind::Role(shown.unwrap_or_else(|| "none".to_owned())));
    }
}

fn check_dates(certificate: &CvCertificate, rules: &Rules, found: &mut Vec<FaultKind>) {
    match certificate.validity() {
        None => found.push(FaultKind::BadDate),
        Some((from, to)) => {
            if rules.at < from {
                found.push(FaultKind::NotYetValid(from));
            }
            if rules.at > to {
                found.push(FaultKind::Expired(to));
            }
        }
    }
}

fn check_issuer(
    certificate: &CvCertificate,
    upper: &CvCertificate,
    rules: &Rules,
    found: &mut Vec<FaultKind>,
) {
    let authority = certificate.authority().unwrap_or_default();
    if authority != upper.holder() {
        found.push(FaultKind::NameChaining(authority.to_owned()));
    }
    // An issuer whose key is unusable is reported at the issuer itself, and cannot have signed.
    let signed = match (key_of(upper, rules), upper.scheme()) {
        (Ok(key), Ok(scheme)) => certificate.verify(scheme, &key).map(|_| ()),
        _ => Err(SignatureError::Invalid),
    };
    if let Err(error) = signed {
        found.push(FaultKind::Signature(error));
    }
}

fn check_anchor(certificate: &CvCertificate, anchor: &Anchor, found: &mut Vec<FaultKind>) {
    let authority = certificate.authority().unwrap_or_default();
    if name_of(authority) != anchor.subject {
        found.push(FaultKind::NameChaining(authority.to_owned()));
    }
    if let Err(error) = certificate.verify(ANCHOR_SCHEME, &anchor.key) {
        found.push(FaultKind::Signature(error));
    }
}
