//! One chain, judged.

use super::checks as ck;
use super::claims::{self, Path, Said};
use super::gather::{MAX_CERTIFICATE, MAX_CERTIFICATES};
use super::keydesc::KeyDescription;
use super::order::{self, Ordered};
use super::rules::{self, Case};
use super::shape::{Provisioning, ProvisioningInfo};
use super::switches::Switches;
use super::target;
use super::trust::{self, Anchored, SAMSUNG, at};
use super::{knox, quirks, status, structure};
use crate::appraisal::Freshness;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Checks;
use crate::formats::{Attested, Context};
use crate::pki::{Certificate, EcdsaForm, name};

/// What came of a chain. Claims are there only when no check failed that authenticity hangs on.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) checks: Checks,
    pub(crate) attested: Option<Attested>,
    /// Every certificate, leaf first where the order could be found.
    pub(crate) certificates: Vec<Certificate>,
    /// How the statement answers the challenge; absent when there is no statement or no challenge was given.
    pub(crate) freshness: Option<Freshness>,
    /// The challenge in the authenticated statement.
    #[allow(dead_code, reason = "for the formats that carry such a chain")]
    pub(crate) challenge: Option<Vec<u8>>,
}

/// Judges the certificate chain of a key attested by Android, in whatever order it came: path, revocation, which
/// certificate counts, the KeyDescription against the operator's switches, and its challenge against the expected one.
pub(crate) fn chain(
    certificates: &[Certificate],
    place: &str,
    challenge: Option<&[u8]>,
    cx: &Context<'_>,
) -> Judged {
    let mut judged = Judged { certificates: certificates.to_vec(), ..Judged::default() };
    let switches = Switches::of(cx.options);
    let checks = &mut judged.checks;
    if !bounded(certificates, place, checks) {
        return judged;
    }
    let ordered = match order::order(certificates, &cx.reference.anchors, cx.signatures) {
        Ok(ordered) => ordered,
        Err(disorder) => {
            checks.fail(&ck::CHAIN_AMBIGUOUS, place.to_owned(), disorder.detail());
            check_statements(certificates, &switches, place, checks);
            return judged;
        }
    };
    checks.pass(&ck::CHAIN_AMBIGUOUS, place.to_owned(), "one chain with one leaf");
    if ordered.duplicates > 0 {
        let detail = format!("{} certificates are there twice", ordered.duplicates);
        structure::quirk(switches.strict, &ck::DUPLICATE_CERTIFICATE, place, detail, checks);
    }
    let mut chain = ordered.chain.clone();
    trust::complete(&mut chain, cx);
    judged.certificates.clone_from(&chain);
    check_links(&ordered, &chain, place, checks);
    quirks::check(&chain, switches.strict, place, checks);
    let readable = check_statements(&chain, &switches, place, checks);
    let speaks = target::check_presence(&chain, place, checks);
    let Some(anchored) = trust::find(&chain, place, &switches, cx, checks) else { return judged };
    if !(readable && speaks) {
        return judged;
    }
    let below = match anchored.included {
        true => chain.split_last().map_or(&[][..], |(_, below)| below),
        false => chain.as_slice(),
    };
    let bench = Bench { below, anchored: &anchored, root: chain.last(), place, switches: &switches, cx };
    if let Some((said, attested, freshness)) = bench.judge(challenge, checks) {
        judged.challenge = Some(said.get().description.challenge.clone());
        (judged.attested, judged.freshness) = (Some(attested), freshness);
    }
    judged
}

fn bounded(certificates: &[Certificate], place: &str, checks: &mut Checks) -> bool {
    let many = certificates.len() > MAX_CERTIFICATES;
    let large = (0_usize..).zip(certificates).find(|(_, c)| c.der().len() > MAX_CERTIFICATE);
    let twice = (0_usize..).zip(certificates).find(|(_, c)| c.duplicate_extension().is_some());
    if many {
        let detail = format!("more than {MAX_CERTIFICATES} certificates");
        checks.fail(&ck::CERT_PARSE, place.to_owned(), detail);
    } else if let Some((position, _)) = large {
        let detail = format!("longer than {MAX_CERTIFICATE} bytes");
        checks.fail(&ck::CERT_PARSE, at(place, position), detail);
    } else if let Some((position, _)) = twice {
        checks.fail(&ck::CERT_PARSE, at(place, position), "an extension is there twice");
    } else {
        checks.pass(&ck::CERT_PARSE, place.to_owned(), "every certificate is well-formed");
        return true;
    }
    false
}

/// Signatures and names from one certificate to the next.
fn check_links(ordered: &Ordered, chain: &[Certificate], place: &str, checks: &mut Checks) {
    for position in &ordered.unsigned {
        let detail = "it is not signed by the key of the next certificate";
        checks.fail(&ck::SIGNATURE_INVALID, at(place, *position), detail);
    }
    if ordered.unsigned.is_empty() {
        let detail = "every certificate is signed by the key of the next one";
        checks.pass(&ck::SIGNATURE_INVALID, place.to_owned(), detail);
    }
    let mut named = true;
    for (position, pair) in (0_usize..).zip(chain.windows(2)) {
        let [lower, upper] = pair else { continue };
        if !name::same_values(lower.issuer(), upper.subject()) {
            named = false;
            let (issuer, subject) = (name::display(lower.issuer()), name::display(upper.subject()));
            let detail = format!("its issuer is {issuer}, the next certificate is {subject}");
            checks.fail(&ck::NAME_MISMATCH, at(place, position), detail);
        }
    }
    if named {
        checks.pass(&ck::NAME_MISMATCH, place.to_owned(), "every issuer is the next certificate's subject");
    }
}

/// The structure of every statement in the chain. Whether all can be read.
fn check_statements(chain: &[Certificate], switches: &Switches, place: &str, checks: &mut Checks) -> bool {
    let mut readable = true;
    for (position, certificate) in (0_usize..).zip(chain) {
        match KeyDescription::of(certificate) {
            None => {}
            Some(Ok(said)) => structure::check(&said, switches, &at(place, position), checks),
            Some(Err(why)) => {
                readable = false;
                checks.fail(&ck::KEYDESC_PARSE, at(place, position), why);
            }
        }
    }
    readable
}

/// A chain under an anchor.
struct Bench<'b, 'a> {
    /// The chain without the root.
    below: &'b [Certificate],
    anchored: &'b Anchored<'a>,
    /// The last certificate that was given.
    root: Option<&'b Certificate>,
    place: &'b str,
    switches: &'b Switches,
    cx: &'b Context<'b>,
}

impl Bench<'_, '_> {
    fn judge(
        &self,
        challenge: Option<&[u8]>,
        checks: &mut Checks,
    ) -> Option<(Authentic<Said>, Attested, Option<Freshness>)> {
        let provisioning = self.provisioning(checks)?;
        let target = target::find(self.below, provisioning, self.place, checks)?;
        target::check_position(self.below, target, self.place, checks);
        let above = self.below.get(target.saturating_add(1)..).unwrap_or_default();
        let signer = self.signer(above, provisioning, checks);
        self.revocation(above, provisioning, checks);
        if target == 1
            && let (Some(leaf), Some(attester)) = (self.description(0), self.description(1))
        {
            target::check_attest_key(&leaf, &attester, self.switches.attest_key, self.place, checks);
        }
        self.critical_extensions(target, checks);
        if provisioning == Provisioning::Samsung {
            self.samsung(target, checks);
        }
        // Claims are read, and judged, only in what is authentic.
        let signer = signer.filter(|_| !stops(checks))?;
        let said = self.authenticate(target, signer, checks)?;
        let target_key = self.below.get(target).and_then(|c| c.key().ok());
        let case = Case {
            said: &said.get().description,
            key: &said.get().key,
            provisioning,
            above,
            target_key: target_key.unwrap_or(&said.get().key),
            switches: self.switches,
            place: self.place,
        };
        rules::check(&case, checks);
        let freshness = rules::challenge(case.said, challenge, self.place, checks);
        let until = above.iter().map(Certificate::not_after).min();
        let attested = claims::attest(&said, &Path { provisioning, until });
        Some((said, attested, freshness))
    }

    fn provisioning(&self, checks: &mut Checks) -> Option<Provisioning> {
        if self.anchored.anchor.role.as_deref() == Some(SAMSUNG) {
            return Some(Provisioning::Samsung);
        }
        let top = self.below.last();
        let found = top.and_then(Provisioning::by_top);
        if found.is_none() {
            let name = top.map_or_else(|| "nothing".to_owned(), Certificate::display_name);
            let detail = format!("below the root stands {name}, which is of no known kind");
            checks.fail(&ck::CHAIN_SHAPE, self.place.to_owned(), detail);
        }
        found
    }

    fn description(&self, position: usize) -> Option<KeyDescription> {
        self.below.get(position).and_then(KeyDescription::of)?.ok()
    }

    /// The attestation key with its trust, when the path above the target is in order.
    fn signer(
        &self,
        above: &[Certificate],
        provisioning: Provisioning,
        checks: &mut Checks,
    ) -> Option<(TrustedKey, Authentic<Certificate>)> {
        let anchor = self.anchored.anchor;
        let validation = trust::validate(above, anchor, provisioning, self.switches, self.cx);
        let anchor_is_new = anchor.not_before().is_some_and(|t| self.cx.at < t);
        trust::report(&validation, self.place, anchor_is_new, checks);
        validation.trusted.zip(validation.certificate)
    }

    fn revocation(&self, above: &[Certificate], provisioning: Provisioning, checks: &mut Checks) {
        if let (Provisioning::Samsung, Some(sak)) = (provisioning, above.first()) {
            status::check_samsung(sak, self.anchored.anchor, self.cx, checks);
            return;
        }
        let root = self.root.filter(|_| self.anchored.included);
        let listed: Vec<&Certificate> = above.iter().chain(root).collect();
        status::check(&listed, self.cx, checks);
    }

    /// The path validator looks above the target only.
    fn critical_extensions(&self, target: usize, checks: &mut Checks) {
        use der::asn1::ObjectIdentifier;
        const KNOWN: [ObjectIdentifier; 3] = [
            ObjectIdentifier::new_unwrap("2.5.29.15"),
            ObjectIdentifier::new_unwrap("2.5.29.19"),
            super::keydesc::oid::KEY_DESCRIPTION,
        ];
        for (position, certificate) in (0_usize..).zip(self.below).take(target.saturating_add(1)) {
            let unknown = certificate.extensions().find(|e| e.critical && !KNOWN.contains(&e.oid));
            if let Some(extension) = unknown {
                let detail = format!("critical extension {} is not known", extension.oid);
                checks.fail(&ck::CRITICAL_EXTENSION, at(self.place, position), detail);
            }
        }
    }

    fn samsung(&self, target: usize, checks: &mut Checks) {
        if target > 0 {
            let detail = "a chain of a Samsung Attestation Key has three certificates";
            checks.fail(&ck::CHAIN_EXTENDED, at(self.place, 0), detail);
        }
        let (leaf, sak) = (self.below.get(target), self.below.get(target.saturating_add(1)));
        let (Some(leaf), Some(sak)) = (leaf, sak) else { return };
        knox::check(leaf, sak, self.anchored.anchor, self.place, self.cx, checks);
    }

    /// The statement and the key that it speaks of, from the certificate that the attestation key signed, or from the
    /// one that a proper attest key below it signed.
    fn authenticate(
        &self,
        target: usize,
        (signer, attestation): (TrustedKey, Authentic<Certificate>),
        checks: &mut Checks,
    ) -> Option<Authentic<Said>> {
        let mut certificate = self.signed_by(target, &signer, checks)?;
        if target > 0 {
            let attester = certificate.get().display_name();
            let key = certificate.delegate(attester, |c| c.key().ok().cloned())?;
            certificate = self.signed_by(0, &key, checks)?;
        }
        let both = certificate.beside(attestation)?;
        let said = both.parse(|(certificate, attestation)| {
            let description = KeyDescription::of(&certificate).ok_or(())?.map_err(drop)?;
            let key = certificate.key().map_err(drop)?.clone();
            Ok::<_, ()>(Said { description, key, info: ProvisioningInfo::of(&attestation) })
        });
        if said.is_err() {
            let detail = "the public key is in no form that can be used";
            checks.fail(&ck::CERT_PARSE, at(self.place, 0), detail);
        }
        said.ok()
    }

    fn signed_by(
        &self,
        position: usize,
        key: &TrustedKey,
        checks: &mut Checks,
    ) -> Option<Authentic<Certificate>> {
        let certificate = self.below.get(position)?;
        // StrongBox of some Pixels writes NULL parameters; that is told by a check of its own.
        match certificate.verify_signed_by_with(key.key(), EcdsaForm::NullParameters) {
            Ok(proof) => certificate.authentic(key.authenticate(proof)?),
            Err(why) => {
                checks.fail(&ck::SIGNATURE_INVALID, at(self.place, position), why.to_string());
                None
            }
        }
    }
}

/// Whether authenticity is already lost or in doubt.
fn stops(checks: &Checks) -> bool {
    checks.worst().is_some_and(|worst| worst > crate::checks::OnFail::Unfit)
}
