//! The chain of a PKC: found by name and signature, each certificate in its place, up to a pinned root key.

use der::asn1::ObjectIdentifier;

use super::fields::{self, Named, oid};
use super::{Context, Found, ID, checks as ck, report_date};
use crate::authentic::{Authentic, SignatureValid, TrustedKey};
use crate::checks::Checks;
use crate::crypto::{Hash, Material, PublicKey, Scheme};
use crate::pki::path::{self, FaultKind, Rules, Signs};
use crate::pki::{Certificate, EcdsaForm, name};
use crate::reference::anchors::{Anchor, AnchorKind};

/// How many signatures the search for one chain may verify; crafted sets of same-named certificates end here.
const MAX_SIGNATURES: usize = 32;

/// The two kinds of chain that a Luna hands out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// PKC ← DAC ← HOC ← MIC ← Chrysalis-ITS root.
    Rsa,
    /// PKC ← HOC ← ECC root.
    Ecc,
}

/// A place above the PKC.
struct Place {
    name: &'static str,
    purpose: ObjectIdentifier,
}

const RSA_PLACES: &[Place] = &[
    Place { name: "device authentication certificate (DAC)", purpose: oid::DAC },
    Place { name: "hardware origin certificate (HOC)", purpose: oid::HOC },
    Place { name: "manufacturing integrity certificate (MIC)", purpose: oid::MIC },
];
const ECC_PLACES: &[Place] = &[Place { name: "hardware origin certificate (HOC)", purpose: oid::ECC_HOC }];

impl Profile {
    /// By the key that is confirmed; `None` for kinds of key for which no PKC is documented.
    pub(super) fn of(key: &PublicKey) -> Option<Self> {
        match key.material() {
            Material::Rsa { .. } => Some(Self::Rsa),
            Material::Ec { .. } => Some(Self::Ecc),
            // A curve that this verifier can name only.
            Material::Other { oid, .. } if oid.starts_with("1.2.840.10045.2.1/") => Some(Self::Ecc),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA (Chrysalis-ITS)",
            Self::Ecc => "ECC",
        }
    }

    fn places(self) -> &'static [Place] {
        match self {
            Self::Rsa => RSA_PLACES,
            Self::Ecc => ECC_PLACES,
        }
    }

    /// What is tolerated in the signature of the certificate at this height above the PKC. The HSM itself, which
    /// signs the PKC, writes r and s without sign padding; the factory, which signs the HOC, does not. Both write
    /// NULL parameters.
    fn form(self, height: usize) -> EcdsaForm {
        match (self, height) {
            (Self::Rsa, _) => EcdsaForm::Standard,
            (Self::Ecc, 0) => EcdsaForm::NullAndUnsigned,
            (Self::Ecc, _) => EcdsaForm::NullParameters,
        }
    }

    /// The algorithm of every signature of the chain.
    fn accepts(self, scheme: Scheme) -> bool {
        match self {
            Self::Rsa => scheme == Scheme::RsaPkcs1(Hash::Sha384),
            Self::Ecc => {
                matches!(scheme, Scheme::Ecdsa(Hash::Sha384) | Scheme::EcdsaUnsigned(Hash::Sha384))
            }
        }
    }
}

/// A chain as far as it was found.
pub(super) struct Chain<'a> {
    profile: Profile,
    /// Issuers above the PKC, the nearest first.
    pub(super) issuers: Vec<&'a Certificate>,
    /// The signature of the PKC by the first of them.
    signed: Option<SignatureValid<'a>>,
    /// Why a signature does not hold.
    broken: Vec<String>,
    top: Top<'a>,
}

/// What stands above the last certificate that was found.
enum Top<'a> {
    /// A pinned root whose key verifies it.
    Anchor(&'a Anchor),
    /// A pinned root by name, whose key does not, and why.
    NotSignedByAnchor(&'a Anchor, String),
    /// A self-issued certificate of the evidence that is not pinned.
    SelfIssued,
    /// Another certificate of the evidence.
    AtHand,
    /// Nothing.
    Missing,
}

/// The PKC's issuer as trusted, and the PKC's signature by it.
pub(super) struct Trusted<'a> {
    pub(super) signed: SignatureValid<'a>,
    pub(super) key: TrustedKey,
    pub(super) issuer: Authentic<Certificate>,
}

impl<'a> Chain<'a> {
    /// Looks for the issuers of a PKC in the evidence and among what the operator gave.
    pub(super) fn of(leaf: &'a Certificate, profile: Profile, found: &Found<'a>, cx: &Context<'a>) -> Self {
        let mut chain =
            Self { profile, issuers: Vec::new(), signed: None, broken: Vec::new(), top: Top::Missing };
        let pool: Vec<&'a Certificate> =
            found.all.iter().map(|(_, c)| *c).chain(&cx.reference.intermediates).collect();
        let mut budget = MAX_SIGNATURES;
        let mut last = leaf;
        for height in 0..profile.places().len() {
            let named: Vec<&'a Certificate> = pool
                .iter()
                .copied()
                .filter(|c| c.subject() == last.issuer() && !c.is_self_issued())
                .filter(|c| *c != leaf && !chain.issuers.contains(c))
                .collect();
            let Some(first) = named.first().copied() else { break };
            let mut why = None;
            let signer = named.iter().copied().find(|candidate| {
                let Some(left) = budget.checked_sub(1) else {
                    why = Some("too many certificates of the same name".to_owned());
                    return false;
                };
                budget = left;
                let key = candidate.key().map_err(|e| format!("key of the issuer: {e}"));
                let outcome = key.and_then(|key| chain.check(last, height, key, cx));
                why = why.take().or_else(|| outcome.as_ref().err().cloned());
                outcome.is_ok()
            });
            if let (None, Some(why)) = (signer, why) {
                chain.broken.push(format!("{} by {}: {why}", last.display_name(), first.display_name()));
            }
            let issuer = signer.unwrap_or(first);
            if let (0, Some(issuer)) = (height, signer) {
                let verify = |key| leaf.verify_signed_by_with(key, profile.form(0)).ok();
                chain.signed = issuer.key().ok().and_then(verify);
            }
            chain.issuers.push(issuer);
            last = issuer;
        }
        chain.top = chain.top_above(last, &pool, found, cx);
        chain
    }

    /// Whether `certificate`, at this height above the PKC, is signed by `key` as a Luna signs.
    fn check(
        &self,
        certificate: &Certificate,
        height: usize,
        key: &PublicKey,
        cx: &Context<'_>,
    ) -> Result<(), String> {
        let form = self.profile.form(height);
        let scheme = certificate.scheme_with(form).map_err(|e| e.to_string())?;
        if !self.profile.accepts(scheme) {
            return Err(format!(
                "{scheme} is not the algorithm of a Luna chain of type {}",
                self.profile.name()
            ));
        }
        cx.signatures.check_with(certificate, key, form).map_err(|e| e.to_string())
    }

    fn top_above(
        &self,
        last: &Certificate,
        pool: &[&'a Certificate],
        found: &Found<'a>,
        cx: &Context<'a>,
    ) -> Top<'a> {
        let pinned = || {
            let named = cx.reference.anchors.by_subject(last.issuer());
            named.filter(|a| a.kind == AnchorKind::Root && a.applies_to(ID))
        };
        let height = self.issuers.len();
        let mut refused = None;
        for anchor in pinned() {
            match self.check(last, height, &anchor.key, cx) {
                Ok(()) => return Top::Anchor(anchor),
                Err(why) => refused = Some(Top::NotSignedByAnchor(anchor, why)),
            }
        }
        if let Some(refused) = refused {
            return refused;
        }
        let above = |c: &Certificate| c.subject() == last.issuer();
        if pool.iter().any(|c| above(c) && c.is_self_issued()) {
            return Top::SelfIssued;
        }
        if found.all.iter().any(|(_, c)| above(c) && *c != last) { Top::AtHand } else { Top::Missing }
    }

    /// Three RSA certificates, the last by an unknown issuer, and none of those that a Chrysalis-ITS chain has: how
    /// the TC-Trustcenter type is described.
    fn is_tctrust(&self) -> bool {
        let known = [oid::DAC, oid::HOC, oid::MIC];
        let foreign = |c: &&Certificate| {
            let purposes = fields::purposes(c);
            known.iter().all(|k| !purposes.is_exactly(*k)) && c.key().is_ok_and(|k| k.rsa_bits().is_some())
        };
        self.profile == Profile::Rsa
            && self.issuers.len() == 2
            && matches!(self.top, Top::Missing)
            && self.issuers.iter().all(foreign)
    }

    /// Judges the chain; the PKC's issuer when all of it holds.
    pub(super) fn judge(
        self,
        leaf: &Certificate,
        place: &str,
        cx: &Context<'_>,
        checks: &mut Checks,
    ) -> Option<Trusted<'a>> {
        if self.is_tctrust() {
            let detail = "three RSA certificates, of which the last has an unknown issuer";
            checks.fail(&ck::TCTRUST, place.to_owned(), detail);
            return None;
        }
        checks.pass(
            &ck::TCTRUST,
            place.to_owned(),
            format!("the PKC is of the type {}", self.profile.name()),
        );
        self.judge_purposes(leaf, place, checks);
        if self.issuers.is_empty() {
            checks.skip(&ck::CHAIN_SIGNATURE, place.to_owned(), "no issuer is there to verify with");
        } else if self.broken.is_empty() {
            checks.pass(&ck::CHAIN_SIGNATURE, place.to_owned(), "each certificate is signed by the next");
        }
        for why in &self.broken {
            checks.fail(&ck::CHAIN_SIGNATURE, place.to_owned(), format!("signature of {why}"));
        }
        let anchor = self.judge_top(leaf, place, checks)?;
        self.judge_path(anchor, place, cx, checks)
    }

    /// Exactly one purpose each, that of its place. None at all is a failure too.
    fn judge_purposes(&self, leaf: &Certificate, place: &str, checks: &mut Checks) {
        let issuers = self.issuers.iter().zip(self.profile.places());
        let chain = std::iter::once((leaf, "PKC", oid::PKC));
        let wrong: Vec<String> = chain
            .chain(issuers.map(|(c, place)| (*c, place.name, place.purpose)))
            .filter(|(c, _, purpose)| !fields::purposes(c).is_exactly(*purpose))
            .map(|(c, role, purpose)| {
                let has = fields::purposes(c).describe();
                format!(
                    "{} stands in the place of the {role} and has the purpose {has} instead of {purpose}",
                    c.display_name()
                )
            })
            .collect();
        if wrong.is_empty() {
            checks.pass(&ck::EKU_MISMATCH, place.to_owned(), "each certificate has the purpose of its place");
        }
        for detail in wrong {
            checks.fail(&ck::EKU_MISMATCH, place.to_owned(), detail);
        }
    }

    /// The anchor at which a whole chain ends.
    fn judge_top(&self, leaf: &Certificate, place: &str, checks: &mut Checks) -> Option<&'a Anchor> {
        let place = place.to_owned();
        let last = self.issuers.last().copied().unwrap_or(leaf);
        let issuer = name::display(last.issuer());
        let missing = self.profile.places().get(self.issuers.len());
        match (&self.top, missing) {
            (Top::Anchor(anchor), None) => {
                checks.pass(&ck::CHAIN_INCOMPLETE, place.clone(), "every certificate of the chain is there");
                checks.pass(&ck::ROOT_UNKNOWN, place, format!("the chain ends at {}", anchor.name));
                return Some(anchor);
            }
            (Top::NotSignedByAnchor(anchor, why), _) => {
                let detail = format!("{} names {} as issuer: {why}", last.display_name(), anchor.name);
                checks.fail(&ck::ROOT_UNKNOWN, place, detail);
            }
            (Top::SelfIssued, _) => {
                let detail =
                    format!("the chain ends at {issuer}, a self-signed certificate that is not pinned");
                checks.fail(&ck::ROOT_UNKNOWN, place, detail);
            }
            (Top::Anchor(anchor), Some(missing)) => {
                let detail = format!("{} stands in the place of the {}", anchor.name, missing.name);
                checks.fail(&ck::EKU_MISMATCH, place, detail);
            }
            (Top::AtHand, None) => {
                let detail =
                    format!("the chain goes on to {issuer}, which is not pinned and no root of a Luna");
                checks.fail(&ck::ROOT_UNKNOWN, place, detail);
            }
            (Top::AtHand | Top::Missing, Some(missing)) => {
                let detail = format!("the {} ({issuer}) is not there", missing.name);
                checks.fail(&ck::CHAIN_INCOMPLETE, place, detail);
            }
            (Top::Missing, None) => {
                let detail = format!("the issuer {issuer} is neither pinned nor in the evidence");
                let advice = "If this is the root of another generation of Luna, the operator must obtain it from Thales and configure it (--anchors).";
                checks.fail_as(&ck::ROOT_UNKNOWN, crate::checks::OnFail::Undecided, place, detail, advice);
            }
        }
        None
    }

    /// RFC 5280 for the issuers, below the pinned root.
    fn judge_path(
        self,
        anchor: &Anchor,
        place: &str,
        cx: &Context<'_>,
        checks: &mut Checks,
    ) -> Option<Trusted<'a>> {
        let issuers: Vec<Certificate> = self.issuers.iter().map(|c| (*c).clone()).collect();
        let rules = Rules {
            // The factory's signature on the ECC HOC.
            ecdsa_null_parameters: match self.profile {
                Profile::Rsa => &[],
                Profile::Ecc => &[0],
            },
            accept_expired: cx.options.is_on("accept_expired"),
            ..Rules::strict(cx.at, Signs::Certificates)
        };
        let validation = path::validate(&issuers, anchor, &cx.reference.anchors, &rules, cx.signatures);
        for fault in validation.faults.iter().chain(&validation.tolerated) {
            let check = match &fault.kind {
                FaultKind::NotYetValid(_) => &ck::TIME_NOT_YET_VALID,
                FaultKind::AnchorOutsideValidity(_) if anchor.not_before().is_some_and(|t| cx.at < t) => {
                    &ck::TIME_NOT_YET_VALID
                }
                FaultKind::Expired(_) | FaultKind::AnchorOutsideValidity(_) => &ck::TIME_EXPIRED,
                FaultKind::CriticalExtension(_) | FaultKind::NameConstraints => &ck::EXT_UNKNOWN_CRITICAL,
                FaultKind::DuplicateExtension(_) => &ck::INPUT_MALFORMED,
                FaultKind::NotCa
                | FaultKind::MayNotIssue
                | FaultKind::MayNotSign
                | FaultKind::PathLen
                | FaultKind::UnreadableExtension => &ck::CHAIN_CA_FLAG,
                // Said already.
                FaultKind::Signature(_) if checks.failed(&ck::CHAIN_SIGNATURE) => continue,
                FaultKind::NameChaining
                | FaultKind::Signature(_)
                | FaultKind::ShortKey(_)
                | FaultKind::Key(_)
                | FaultKind::TooDeep => &ck::CHAIN_SIGNATURE,
            };
            if fault.kind.is_validity() {
                report_date(check, place, fault.to_string(), cx, checks);
            } else {
                checks.fail(check, place.to_owned(), fault.to_string());
            }
        }
        // RFC 5280 lets an issuer be without keyUsage; a Luna does not.
        for issuer in issuers.iter().filter(|c| c.key_usage().is_none()) {
            let detail = format!("{} issued a certificate and has no keyUsage", issuer.display_name());
            checks.fail(&ck::CHAIN_CA_FLAG, place.to_owned(), detail);
        }
        Some(Trusted { signed: self.signed?, key: validation.trusted?, issuer: validation.certificate? })
    }

    /// Where the issuers name the HSM.
    pub(super) fn serials(&self) -> Vec<Named> {
        let at = |height: usize| self.issuers.get(height);
        match self.profile {
            Profile::Rsa => {
                let dac = at(0).map(|c| fields::serials_of_dac(c));
                let hoc = at(1).map(|c| fields::serials_of_hoc(c));
                dac.into_iter().chain(hoc).flatten().collect()
            }
            Profile::Ecc => at(0).map(|c| fields::serials_of_ecc_hoc(c)).unwrap_or_default(),
        }
    }
}
