//! Certification paths (RFC 5280, section 6): found in what is at hand, judged strictly.
//!
//! A path runs from the *end certificate*, whose key signed the statement, up to a pinned anchor. Everything
//! is strict unless a format asks for a leniency in [`Rules`]; a leniency is named after the one departure
//! from RFC 5280 that it permits, and a format's documentation says which devices need it.

use std::cmp::Reverse;
use std::fmt;

use der::asn1::ObjectIdentifier;

use super::certificate::{Certificate, EcdsaForm, oids};
use super::name;
use crate::appraisal::{AnchorRef, Trust};
use crate::authentic::{Authentic, TrustedKey};
use crate::crypto::{KeyError, PublicKey, SignatureError};
use crate::reference::anchors::{Anchor, Anchors};
use crate::signatures::Signatures;
use crate::time::Time;

/// No path of any device has more certificates below its anchor.
const MAX_DEPTH: usize = 8;

/// How many signatures the search for one path may verify; crafted sets of same-named certificates end here.
const MAX_SIGNATURES: usize = 32;

/// What the key at the end of the path has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// A statement in the device's own form: a keyUsage, where present, must allow signing data.
    Statements,
    /// A certificate that is the statement: the end certificate must be a CA like every other issuer.
    Certificates,
    /// Nothing: the key decrypts or agrees on keys. What its keyUsage must say is for the format to check.
    Nothing,
}

/// The rules of one path validation. Strict unless a field says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The time at which every certificate must be valid.
    pub at: Time,
    /// What the end key signs.
    pub signs: Signs,
    /// Leniency: a certificate at one of these positions (0 is the end certificate) may act as issuer
    /// although it is X.509 v1 or has no basicConstraints.
    pub issuers_without_basic_constraints: &'static [usize],
    /// Leniency: a certificate at one of these positions may act as issuer although its basicConstraints say that it
    /// is no CA, or its keyUsage lacks keyCertSign.
    pub issuers_that_deny_it: &'static [usize],
    /// Leniency: nameConstraints of a certificate at one of these positions are ignored unless they are critical.
    pub ignored_name_constraints: &'static [usize],
    /// Leniency: the ECDSA AlgorithmIdentifier of a certificate at one of these positions may have NULL parameters.
    pub ecdsa_null_parameters: &'static [usize],
    /// Leniency: pathLenConstraint of the anchor is not enforced.
    pub ignore_anchor_path_len: bool,
    /// Leniency: the dates of the anchor's certificates are not looked at. For anchors that an index names by name
    /// and key, whatever certificate it found them in.
    pub ignore_anchor_validity: bool,
    /// Leniency: issuer and subject match when their attributes have the same values in the same order, whatever
    /// string types hold them (RFC 5280, 7.1, without its folding of case and spaces).
    pub names_by_value: bool,
    /// Critical extensions of the end certificate that the format itself processes.
    pub processed_extensions: &'static [ObjectIdentifier],
    /// Operator's choice, or the format's where devices cannot renew their certificates: certificates outside their
    /// validity are reported and do not break the path.
    pub accept_expired: bool,
}

impl Rules {
    /// No leniency.
    #[must_use]
    pub const fn strict(at: Time, signs: Signs) -> Self {
        Self {
            at,
            signs,
            issuers_without_basic_constraints: &[],
            issuers_that_deny_it: &[],
            ignored_name_constraints: &[],
            ecdsa_null_parameters: &[],
            ignore_anchor_path_len: false,
            ignore_anchor_validity: false,
            names_by_value: false,
            processed_extensions: &[],
            accept_expired: false,
        }
    }
}

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which certificate: its name for people.
    pub certificate: String,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// The ways in which a certificate breaks a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// Its issuer is not the subject of the next one.
    #[error("its issuer is not the subject of the next certificate")]
    NameChaining,
    /// Its signature is not the next one's.
    #[error("signature by its issuer: {0}")]
    Signature(SignatureError),
    /// It is not valid yet.
    #[error("valid only from {0}")]
    NotYetValid(Time),
    /// It is not valid any more.
    #[error("valid only until {0}")]
    Expired(Time),
    /// The anchor has no published certificate that is valid at the time.
    #[error("the anchor is not valid at that time; its validity: {0}")]
    AnchorOutsideValidity(String),
    /// It issued a certificate and is not a CA.
    #[error("issued a certificate although it is not a CA (basicConstraints)")]
    NotCa,
    /// It issued a certificate and its keyUsage does not allow that.
    #[error("issued a certificate although its keyUsage lacks keyCertSign")]
    MayNotIssue,
    /// It signed a statement and its keyUsage does not allow that.
    #[error("signed a statement although its keyUsage lacks digitalSignature and nonRepudiation")]
    MayNotSign,
    /// More certificates below it than it allows.
    #[error("more certificates below it than its pathLenConstraint allows")]
    PathLen,
    /// A critical extension that is not processed here.
    #[error("critical extension {0} is not known")]
    CriticalExtension(String),
    /// Name constraints are not supported; a certificate with them is refused.
    #[error("has name constraints, which are not supported")]
    NameConstraints,
    /// An extension twice.
    #[error("extension {0} is there twice")]
    DuplicateExtension(String),
    /// basicConstraints or keyUsage that cannot be read.
    #[error("basicConstraints or keyUsage cannot be read")]
    UnreadableExtension,
    /// An RSA key under 2048 bits.
    #[error("its RSA key has only {0} bits")]
    ShortKey(usize),
    /// A key that cannot be used.
    #[error("its key: {0}")]
    Key(#[from] KeyError),
    /// Too long.
    #[error("the path is longer than {MAX_DEPTH} certificates")]
    TooDeep,
}

impl FaultKind {
    /// Whether it is a matter of dates.
    #[must_use]
    pub fn is_validity(&self) -> bool {
        matches!(self, Self::NotYetValid(_) | Self::Expired(_) | Self::AnchorOutsideValidity(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.certificate, self.kind)
    }
}

/// The outcome of a path validation.
#[derive(Debug)]
pub struct Validation {
    /// The end key with its trust, when nothing is wrong.
    pub trusted: Option<TrustedKey>,
    /// The end certificate itself, which its issuer signed, when nothing is wrong.
    pub certificate: Option<Authentic<Certificate>>,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
    /// What is wrong and accepted by the operator's choice.
    pub tolerated: Vec<Fault>,
}

/// Validates the path `chain` (end certificate first) below `anchor`, which is one of `anchors`. Where it is a
/// pinned intermediate, the anchors that issued it must be valid too.
#[must_use]
pub fn validate(
    chain: &[Certificate],
    anchor: &Anchor,
    anchors: &Anchors,
    rules: &Rules,
    signatures: &Signatures<'_>,
) -> Validation {
    let mut faults = Vec::new();
    for (index, certificate) in chain.iter().enumerate() {
        let mut found = Vec::new();
        let upper = chain.get(index.saturating_add(1));
        let form = match rules.ecdsa_null_parameters.contains(&index) {
            true => EcdsaForm::NullParameters,
            false => EcdsaForm::Standard,
        };
        let check = |c: &Certificate, key: &PublicKey| signatures.check_with(c, key, form);
        check_issuer(certificate, upper, anchor, rules, check, &mut found);
        check_validity(certificate, rules.at, &mut found);
        check_key(certificate, &mut found);
        let processed = if index == 0 { rules.processed_extensions } else { &[] };
        let ignore_names = rules.ignored_name_constraints.contains(&index);
        check_extensions(certificate, processed, ignore_names, &mut found);
        check_role(certificate, index, chain, rules, &mut found);
        let name = || certificate.display_name();
        faults.extend(found.into_iter().map(|kind| Fault { certificate: name(), kind }));
    }
    let at_anchor = |kind| Fault { certificate: anchor.name.clone(), kind };
    let above: Vec<&Anchor> = std::iter::successors(Some(anchor), |a| anchors.issuer_of(a)).collect();
    for anchor in above.iter().filter(|a| !rules.ignore_anchor_validity && !a.valid_at(rules.at)) {
        let kind = FaultKind::AnchorOutsideValidity(anchor.period());
        faults.push(Fault { certificate: anchor.name.clone(), kind });
    }
    if !rules.ignore_anchor_path_len && exceeds(anchor.path_len, chain, chain.len(), rules.signs) {
        faults.push(at_anchor(FaultKind::PathLen));
    }
    if chain.len() > MAX_DEPTH {
        faults.push(at_anchor(FaultKind::TooDeep));
    }
    let (tolerated, faults): (Vec<_>, Vec<_>) =
        faults.into_iter().partition(|f| rules.accept_expired && f.kind.is_validity());
    let (mut trusted, mut certificate) = (None, None);
    if let (Some(end), true) = (chain.first(), faults.is_empty())
        && let Ok(key) = end.key()
    {
        let trust = trust(chain, &above, anchor);
        certificate = Some(Authentic::vouched(end.clone(), trust.clone()));
        trusted = Some(TrustedKey::new(key.clone(), trust));
    }
    Validation { trusted, certificate, faults, tolerated }
}

/// Validates an end certificate that is itself published as this anchor's, byte for byte: nobody's signature on it is
/// asked, everything else is. `None` when it is not published so.
#[must_use]
pub fn validate_published(end: &Certificate, anchor: &Anchor, rules: &Rules) -> Option<Validation> {
    if !anchor.certificates.iter().any(|published| published.sha256 == *end.sha256()) {
        return None;
    }
    let mut found = Vec::new();
    check_validity(end, rules.at, &mut found);
    check_key(end, &mut found);
    check_extensions(end, rules.processed_extensions, false, &mut found);
    check_role(end, 0, std::slice::from_ref(end), rules, &mut found);
    let fault = |kind: FaultKind| Fault { certificate: end.display_name(), kind };
    let (tolerated, faults): (Vec<_>, Vec<_>) =
        found.into_iter().map(fault).partition(|f| rules.accept_expired && f.kind.is_validity());
    let (mut trusted, mut certificate) = (None, None);
    if let (Ok(key), true) = (end.key(), faults.is_empty() && *end.key().ok()? == anchor.key) {
        let trust = Trust::new(AnchorRef::of(anchor), vec![anchor.name.clone()]);
        certificate = Some(Authentic::vouched(end.clone(), trust.clone()));
        trusted = Some(TrustedKey::new(key.clone(), trust));
    }
    Some(Validation { trusted, certificate, faults, tolerated })
}

fn trust(chain: &[Certificate], above: &[&Anchor], anchor: &Anchor) -> Trust {
    let mut path: Vec<String> = above.iter().rev().map(|a| a.name.clone()).collect();
    path.extend(chain.iter().rev().map(Certificate::display_name));
    Trust::new(AnchorRef::of(anchor), path)
}

fn check_issuer(
    certificate: &Certificate,
    upper: Option<&Certificate>,
    anchor: &Anchor,
    rules: &Rules,
    check: impl Fn(&Certificate, &PublicKey) -> Result<(), SignatureError>,
    found: &mut Vec<FaultKind>,
) {
    let (issuer, key) = match upper {
        Some(upper) => (upper.subject(), upper.key()),
        None => (anchor.subject.as_slice(), Ok(&anchor.key)),
    };
    let same = certificate.issuer() == issuer
        || (rules.names_by_value && name::same_values(certificate.issuer(), issuer));
    if !same {
        found.push(FaultKind::NameChaining);
    }
    // An issuer whose key is unusable is reported at the issuer itself, and cannot have signed.
    let signed = key.map_err(|_| SignatureError::Invalid).and_then(|key| check(certificate, key));
    if let Err(error) = signed {
        found.push(FaultKind::Signature(error));
    }
}

fn check_validity(certificate: &Certificate, at: Time, found: &mut Vec<FaultKind>) {
    if at < certificate.not_before() {
        found.push(FaultKind::NotYetValid(certificate.not_before()));
    }
    if at > certificate.not_after() {
        found.push(FaultKind::Expired(certificate.not_after()));
    }
}

fn check_key(certificate: &Certificate, found: &mut Vec<FaultKind>) {
    match certificate.key() {
        Err(error) => found.push(FaultKind::Key(error)),
        Ok(key) => {
            if let Some(bits) = key.rsa_bits().filter(|bits| *bits < 2048) {
                found.push(FaultKind::ShortKey(bits));
            }
        }
    }
}

fn check_extensions(
    certificate: &Certificate,
    processed: &[ObjectIdentifier],
    ignore_names: bool,
    found: &mut Vec<FaultKind>,
) {
    if let Some(oid) = certificate.duplicate_extension() {
        found.push(FaultKind::DuplicateExtension(oid.to_string()));
    }
    for extension in certificate.extensions() {
        match extension.oid {
            oids::NAME_CONSTRAINTS if ignore_names && !extension.critical => {}
            oids::NAME_CONSTRAINTS => found.push(FaultKind::NameConstraints),
            oids::BASIC_CONSTRAINTS | oids::KEY_USAGE => {}
            // Policies are for formats to read; a path needs none (RFC 5280, 6.1.1: any-policy initial set).
            oids::CERTIFICATE_POLICIES | oids::EXTENDED_KEY_USAGE => {}
            unknown if extension.critical && !processed.contains(&unknown) => {
                found.push(FaultKind::CriticalExtension(unknown.to_string()));
            }
            _ => {}
        }
    }
}

fn check_role(
    certificate: &Certificate,
    index: usize,
    chain: &[Certificate],
    rules: &Rules,
    found: &mut Vec<FaultKind>,
) {
    let (constraints, usage) = (certificate.basic_constraints(), certificate.key_usage());
    if matches!(constraints, Some(Err(()))) || matches!(usage, Some(Err(()))) {
        found.push(FaultKind::UnreadableExtension);
        return;
    }
    let (constraints, usage) = (constraints.and_then(Result::ok), usage.and_then(Result::ok));
    let issues = index > 0 || rules.signs == Signs::Certificates;
    if !issues {
        let signs = rules.signs == Signs::Statements;
        if signs && usage.is_some_and(|u| !u.digital_signature && !u.content_commitment) {
            found.push(FaultKind::MayNotSign);
        }
        return;
    }
    let denial_is_ignored = rules.issuers_that_deny_it.contains(&index);
    match constraints {
        Some(c) if c.ca => {
            if exceeds(c.path_len, chain, index, rules.signs) {
                found.push(FaultKind::PathLen);
            }
        }
        None if rules.issuers_without_basic_constraints.contains(&index) => {}
        Some(_) if denial_is_ignored => {}
        _ => found.push(FaultKind::NotCa),
    }
    if usage.is_some_and(|u| !u.key_cert_sign) && !denial_is_ignored {
        found.push(FaultKind::MayNotIssue);
    }
}

/// Whether more non-self-issued intermediate certificates lie below position `index` than `limit` allows.
/// The last certificate of a path is not an intermediate (RFC 5280, 4.2.1.9): the end certificate itself,
/// unless it issued the certificate that is the statement.
fn exceeds(limit: Option<u32>, chain: &[Certificate], index: usize, signs: Signs) -> bool {
    let skip = usize::from(signs != Signs::Certificates);
    let below = chain.iter().take(index).skip(skip).filter(|c| !c.is_self_issued()).count();
    limit.is_some_and(|limit| u32::try_from(below).map_or(true, |below| below > limit))
}

/// Where the search for a path ended.
#[derive(Debug)]
pub enum Top<'a> {
    /// At an anchor whose key verifies the last certificate.
    Anchor(&'a Anchor),
    /// At a name that an anchor has, and its key does not verify the last certificate.
    NotSignedByAnchor(&'a Anchor),
    /// At a self-signed certificate that is no anchor.
    SelfSigned,
    /// At a certificate whose issuer is at hand by name, and none of that name verifies it.
    NotSignedByIssuer,
    /// At a certificate whose issuer is neither at hand nor an anchor.
    IssuerMissing,
    /// The budget for crafted sets of certificates was used up.
    Budget,
}

/// A path as far as it could be found: end certificate first.
#[derive(Debug)]
pub struct Found<'a> {
    /// The certificates, end first, without the anchor.
    pub chain: Vec<Certificate>,
    /// Where it ended.
    pub top: Top<'a>,
}

/// Looks for a path from `end` to one of `anchors` through `pool`. An issuer is taken when its subject is the
/// issuer's name and its key verifies the signature; certificates in `pool` give no trust. A way that leads to no
/// anchor is given up for another (cross certificates). Of several certificates of one issuer the one that is
/// valid longest comes first, whatever the order of the pool. When no way leads to an anchor, the first is told.
#[must_use]
pub fn find<'a>(
    end: &Certificate,
    pool: &[Certificate],
    anchors: &[&'a Anchor],
    signatures: &Signatures<'_>,
) -> Found<'a> {
    search(end, pool, anchors, signatures, |issuer, subject| issuer == subject)
}

/// The same with names compared by the values of their attributes; see [`Rules::names_by_value`].
#[must_use]
pub fn find_by_values<'a>(
    end: &Certificate,
    pool: &[Certificate],
    anchors: &[&'a Anchor],
    signatures: &Signatures<'_>,
) -> Found<'a> {
    search(end, pool, anchors, signatures, name::same_values)
}

fn search<'a>(
    end: &Certificate,
    pool: &[Certificate],
    anchors: &[&'a Anchor],
    signatures: &Signatures<'_>,
    same: fn(&[u8], &[u8]) -> bool,
) -> Found<'a> {
    let mut search = Search { pool, anchors, signatures, same, budget: MAX_SIGNATURES, first: None };
    let mut chain = vec![end.clone()];
    match search.extend(&mut chain) {
        Some(top) => Found { chain, top },
        None => search.first.unwrap_or(Found { chain, top: Top::IssuerMissing }),
    }
}

struct Search<'s, 'a> {
    pool: &'s [Certificate],
    anchors: &'s [&'a Anchor],
    signatures: &'s Signatures<'s>,
    /// Whether an issuer's name is the subject's.
    same: fn(&[u8], &[u8]) -> bool,
    /// Signatures that may still be verified. What was verified before counts like the rest, so that an answer
    /// does not hang on earlier ones.
    budget: usize,
    /// The first way that led nowhere.
    first: Option<Found<'a>>,
}

impl<'a> Search<'_, 'a> {
    fn spend(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    /// Extends the chain to an anchor, or until the budget is used up. `None`: it leads nowhere, and is as it was.
    fn extend(&mut self, chain: &mut Vec<Certificate>) -> Option<Top<'a>> {
        let (last, same) = (chain.last()?.clone(), self.same);
        let mut named = None;
        for anchor in self.anchors.iter().filter(|a| same(last.issuer(), &a.subject)) {
            if !self.spend() {
                return Some(Top::Budget);
            }
            if self.signatures.check(&last, &anchor.key).is_ok() {
                return Some(Top::Anchor(anchor));
            }
            named = Some(*anchor);
        }
        let mut candidates: Vec<&Certificate> =
            self.pool.iter().filter(|c| same(last.issuer(), c.subject())).collect();
        candidates.retain(|c| !chain.contains(c));
        candidates.sort_by_key(|c| (Reverse(c.not_after()), *c.sha256()));
        candidates.dedup();
        let seen_issuer = !candidates.is_empty();
        let mut signed = false;
        for candidate in candidates {
            if !self.spend() {
                return Some(Top::Budget);
            }
            if candidate.key().is_ok_and(|key| self.signatures.check(&last, key).is_ok()) {
                signed = true;
                if chain.len() >= MAX_DEPTH {
                    break;
                }
                chain.push(candidate.clone());
                if let Some(top) = self.extend(chain) {
                    return Some(top);
                }
                chain.pop();
            }
        }
        if self.first.is_none() {
            let self_signed =
                last.is_self_issued() && last.key().is_ok_and(|k| self.signatures.check(&last, k).is_ok());
            let top = match named {
                _ if signed => Top::Budget,
                Some(anchor) if !self_signed => Top::NotSignedByAnchor(anchor),
                _ if self_signed => Top::SelfSigned,
                _ if seen_issuer => Top::NotSignedByIssuer,
                _ => Top::IssuerMissing,
            };
            self.first = Some(Found { chain: chain.clone(), top });
        }
        None
    }
}

/// The names of a chain for people, end first.
#[must_use]
pub fn describe(chain: &[Certificate]) -> String {
    let names: Vec<String> = chain.iter().map(Certificate::display_name).collect();
    let top = chain.last().map(|c| name::display(c.issuer())).unwrap_or_default();
    format!("{} ← issued by {top}", names.join(" ← "))
}
