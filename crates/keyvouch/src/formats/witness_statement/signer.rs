//! One signature: whether it is one over this statement, when it was made, who made it, and who vouches for him.

use der::asn1::ObjectIdentifier;

use super::auditors::Auditors;
use super::checks as ck;
use super::gather::{Form, Signature};
use super::revocation;
use super::said::Said;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Check, Checks, OnFail};
use crate::crypto::PublicKey;
use crate::formats::Context;
use crate::pki::Certificate;
use crate::pki::name;
use crate::pki::path::{self, Fault, FaultKind, Found, Rules, Signs, Top, Validation};
use crate::reference::anchors::{Anchor, Anchors};
use crate::time::Time;

/// How many certificates that a signature may mean are tried; more are made to waste time.
const MAX_CANDIDATES: usize = 8;

/// Purposes for signing what people read: e-mail protection, document signing (RFC 9336; Microsoft; Adobe), any.
const PURPOSES: &[ObjectIdentifier] = &[
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36"),
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.10.3.12"),
    ObjectIdentifier::new_unwrap("1.2.840.113583.1.1.5"),
    ObjectIdentifier::new_unwrap("2.5.29.37.0"),
];

/// What a signature came to.
pub(super) struct Judged {
    /// The checks of this signature.
    pub(super) checks: Checks,
    /// Whether nothing is wrong but that nobody vouches for the signer.
    pub(super) only_unknown: bool,
    /// Where it is.
    pub(super) place: String,
    /// Who signed, for people.
    pub(super) name: String,
    /// The signer's certificate, when it was found.
    pub(super) certificate: Option<Certificate>,
    /// What it authenticates, and when it says that it was made.
    pub(super) signed: Option<(Authentic<Said>, Time)>,
    /// The certificates that the judgement rests on.
    pub(super) used: Vec<Certificate>,
}

/// What is against a signature.
enum Against {
    Wrong(&'static Check, String),
    Missing(&'static Check, String),
}

struct Trial<'s, 'a> {
    octets: &'s [u8],
    signature: &'s Signature<'a>,
    /// The key that the statement is about, as far as it can be read.
    subject: Option<&'s PublicKey>,
    auditors: Result<&'s Auditors, &'s str>,
    cx: &'s Context<'a>,
}

/// Judges a signature over the statement `octets`.
pub(super) fn judge(
    octets: &[u8],
    signature: &Signature<'_>,
    subject: Option<&PublicKey>,
    auditors: Result<&Auditors, &str>,
    cx: &Context<'_>,
) -> Judged {
    if let Form::Broken(why) = &signature.form {
        let mut checks = Checks::default();
        checks.fail(&ck::SIGNATURE_INVALID, signature.place.clone(), format!("it cannot be read: {why}"));
        return nobody(signature, checks);
    }
    let trial = Trial { octets, signature, subject, auditors, cx };
    let candidates = trial.candidates();
    let judged = candidates.iter().map(|certificate| trial.judge(certificate));
    judged.min_by_key(|j| (j.checks.worst(), j.checks.failures())).unwrap_or_else(|| {
        let mut checks = Checks::default();
        let detail = "the certificate of the signer is not at hand";
        checks.fail(&ck::UNTRUSTED, signature.place.clone(), detail);
        Judged { only_unknown: true, ..nobody(signature, checks) }
    })
}

fn nobody(signature: &Signature<'_>, checks: Checks) -> Judged {
    Judged {
        checks,
        only_unknown: false,
        place: signature.place.clone(),
        name: "somebody".to_owned(),
        certificate: None,
        signed: None,
        used: Vec::new(),
    }
}

impl Trial<'_, '_> {
    /// The certificates that the signature may mean, those of auditors first.
    fn candidates(&self) -> Vec<Certificate> {
        let beside = self.cx.parts.certificates().into_iter().map(|(_, c)| c);
        let trusted = self.auditors.ok().into_iter().flat_map(Auditors::certificates);
        let at_hand = trusted.chain(&self.signature.certificates).chain(beside);
        let mut found: Vec<Certificate> = Vec::new();
        for certificate in at_hand {
            let meant = match &self.signature.form {
                Form::Cms(_, signer) => signer.is_by(certificate),
                Form::Jws(jws) => {
                    let first = self.signature.certificates.first();
                    let by_digest = jws.certificate_sha256.as_deref();
                    (first.is_some() || by_digest.is_some())
                        && first.is_none_or(|first| first == certificate)
                        && by_digest.is_none_or(|digest| digest == certificate.sha256())
                }
                Form::Broken(_) => false,
            };
            if meant && !found.contains(certificate) && found.len() < MAX_CANDIDATES {
                found.push(certificate.clone());
            }
        }
        // Where the operator pinned one of them, that is the one which is meant.
        let is_pinned = |c: &Certificate| self.auditors.is_ok_and(|auditors| auditors.pin(c).is_some());
        if found.iter().any(is_pinned) {
            found.retain(is_pinned);
        }
        found
    }

    fn signing_time(&self) -> Option<Time> {
        match &self.signature.form {
            Form::Cms(_, signer) => signer.signing_time(),
            Form::Jws(jws) => jws.signing_time,
            Form::Broken(_) => None,
        }
    }

    fn judge(&self, certificate: &Certificate) -> Judged {
        let (mut checks, place) = (Checks::default(), self.signature.place.clone());
        let name = certificate.display_name();
        let mut used = vec![certificate.clone()];
        self.check_signature(certificate, &mut checks);
        let time = self.check_time(&mut checks);
        // Without a time that can be believed the path is still looked at, at the time of the appraisal.
        let at = time.unwrap_or(self.cx.at);
        let (trusted, unknown) = self.check_signer(certificate, at, &mut used, &mut checks);
        if self.subject.is_some_and(|key| certificate.key().is_ok_and(|own| own == key)) {
            let detail = format!("{name} signs with the key that the statement is about");
            checks.fail(&ck::SELF_SIGNED, place.clone(), detail);
        }
        let clean = checks.clean();
        let signed = trusted
            .zip(time)
            .filter(|_| clean)
            .and_then(|(key, time)| Some((self.authenticate(&key)?, time)));
        if clean && signed.is_some() {
            let when = time.map(|t| t.to_string()).unwrap_or_default();
            checks.pass(
                &ck::UNTRUSTED,
                place.clone(),
                format!("{name}, who signed on {when}, is trusted as a witness"),
            );
        }
        let only_unknown = unknown && checks.failures() == 1;
        Judged { checks, only_unknown, place, name, certificate: Some(certificate.clone()), signed, used }
    }

    fn check_signature(&self, certificate: &Certificate, checks: &mut Checks) {
        let place = self.signature.place.clone();
        let name = certificate.display_name();
        let verified =
            certificate.key().map_err(|why| why.to_string()).and_then(|key| match &self.signature.form {
                Form::Cms(kind, signer) => {
                    signer.verify(*kind, self.octets, key).map_err(|why| why.to_string())
                }
                Form::Jws(jws) => jws.verify(key).map_err(|why| why.to_string()),
                Form::Broken(why) => Err(why.clone()),
            });
        match verified {
            Ok(()) => checks.pass(&ck::SIGNATURE_INVALID, place, format!("{name} signed this statement")),
            Err(why) => checks.fail(&ck::SIGNATURE_INVALID, place, format!("signature of {name}: {why}")),
        }
    }

    /// The time at which the signature says that it was made, unless that cannot be.
    fn check_time(&self, checks: &mut Checks) -> Option<Time> {
        let place = self.signature.place.clone();
        match self.signing_time() {
            None => {
                checks.lacking(&ck::SIGNING_TIME, place, "it does not say when it was made");
                None
            }
            Some(time) if time > self.cx.at => {
                let detail =
                    format!("it says {time}, which is after {}, the time of the appraisal", self.cx.at);
                checks.fail(&ck::SIGNING_TIME, place, detail);
                None
            }
            Some(time) => {
                checks.pass(&ck::SIGNING_TIME, place, format!("it says {time}"));
                Some(time)
            }
        }
    }

    /// The signer's key, when somebody vouches for it; and whether nobody is known who could.
    fn check_signer(
        &self,
        certificate: &Certificate,
        at: Time,
        used: &mut Vec<Certificate>,
        checks: &mut Checks,
    ) -> (Option<TrustedKey>, bool) {
        let place = self.signature.place.clone();
        let mut against = Vec::new();
        let trusted = match self.auditors {
            Err(why) => {
                against.push(Against::Missing(&ck::UNTRUSTED, why.to_owned()));
                None
            }
            Ok(auditors) => self.find(certificate, auditors, at, used, &mut against),
        };
        let unknown =
            matches!(against.as_slice(), [Against::Missing(check, _)] if check.id == ck::UNTRUSTED.id);
        if trusted.is_some() {
            self.check_name(certificate, &mut against);
        }
        for one in against {
            match one {
                Against::Wrong(check, detail) => {
                    checks.fail_as(check, OnFail::NotAuthentic, place.clone(), detail, check.advice);
                }
                Against::Missing(check, detail) => checks.lacking(check, place.clone(), detail),
            }
        }
        let ended = used.iter().find(|c| c.not_after() < self.cx.at && at <= c.not_after());
        if let (Some(ended), Some(_)) = (ended, &trusted) {
            let detail = format!(
                "the certificate of {} was valid on {at}, when the signer says that he signed, and ended on {}",
                ended.display_name(),
                ended.not_after()
            );
            checks.warn(&ck::EXPIRED, place, detail);
        }
        (trusted, unknown)
    }

    fn find(
        &self,
        certificate: &Certificate,
        auditors: &Auditors,
        at: Time,
        used: &mut Vec<Certificate>,
        against: &mut Vec<Against>,
    ) -> Option<TrustedKey> {
        let none = Anchors::empty();
        let rules = Rules::strict(at, Signs::Statements);
        if let Some(pin) = auditors.pin(certificate) {
            return report(path::validate_published(certificate, pin, &rules)?, against);
        }
        let beside = self.cx.parts.certificates().into_iter().map(|(_, c)| c);
        let pool: Vec<Certificate> = self
            .signature
            .certificates
            .iter()
            .chain(beside)
            .chain(&self.cx.reference.intermediates)
            .cloned()
            .collect();
        let authorities = auditors.authorities();
        let Found { chain, top } = path::find(certificate, &pool, &authorities, self.cx.signatures);
        used.extend(chain.iter().skip(1).cloned());
        let Top::Anchor(anchor) = top else {
            against.push(no_auditor(&chain, &top, &authorities));
            return None;
        };
        let trusted = report(path::validate(&chain, anchor, &none, &rules, self.cx.signatures), against);
        check_purpose(certificate, against);
        revocation::check(&chain, anchor, self.cx)
            .into_iter()
            .for_each(|detail| against.push(Against::Wrong(&ck::REVOKED, detail)));
        trusted
    }

    /// An authority vouches for many people; the operator may trust only some of them.
    fn check_name(&self, certificate: &Certificate, against: &mut Vec<Against>) {
        let mut names = self.cx.options.list("auditor_names").peekable();
        if names.peek().is_some() && !names.any(|name| certificate.common_name() == Some(name)) {
            let name = certificate.display_name();
            against.push(Against::Missing(&ck::UNTRUSTED, format!("{name} is not among auditor_names")));
        }
    }

    fn authenticate(&self, key: &TrustedKey) -> Option<Authentic<Said>> {
        match &self.signature.form {
            Form::Cms(kind, signer) => {
                signer.authenticate(*kind, self.octets, key).ok()?.parse(Said::read).ok()
            }
            Form::Jws(jws) => jws.authenticate(key).ok()?.parse(|payload| Said::read(&payload)).ok(),
            Form::Broken(_) => None,
        }
    }
}

/// The faults of a path in the words of this format.
fn report(validation: Validation, against: &mut Vec<Against>) -> Option<TrustedKey> {
    for fault in &validation.faults {
        let Fault { kind, .. } = fault;
        let check = match kind {
            FaultKind::MayNotSign => &ck::PURPOSE,
            kind if kind.is_validity() => &ck::EXPIRED,
            _ => &ck::UNTRUSTED,
        };
        against.push(Against::Wrong(check, fault.to_string()));
    }
    validation.trusted
}

/// Of a certificate that is not itself approved: an authority also issues to servers, code signers and devices.
fn check_purpose(certificate: &Certificate, against: &mut Vec<Against>) {
    let name = certificate.display_name();
    match certificate.extended_key_usage() {
        None => {}
        Some(Ok(purposes)) if purposes.iter().any(|p| PURPOSES.contains(p)) => {}
        Some(_) => against.push(Against::Wrong(
            &ck::PURPOSE,
            format!("{name}: its extended key usages name neither e-mail protection nor document signing"),
        )),
    }
}

/// Why no auditor's authority was reached. Who uses the name of one and is not signed by it is wrong; else nobody is
/// known to vouch.
fn no_auditor(chain: &[Certificate], top: &Top<'_>, authorities: &[&Anchor]) -> Against {
    let issuer = chain.last().map(|c| name::display(c.issuer())).unwrap_or_default();
    let named_like_one = chain.last().is_some_and(|c| authorities.iter().any(|a| a.subject == c.issuer()));
    match top {
        Top::NotSignedByAnchor(anchor) => {
            Against::Wrong(&ck::UNTRUSTED, format!("names {} as issuer and is not signed by it", anchor.name))
        }
        Top::SelfSigned if named_like_one => Against::Wrong(
            &ck::UNTRUSTED,
            format!("ends at a self-signed {issuer} with another key than the auditor of that name"),
        ),
        Top::NotSignedByIssuer => Against::Wrong(
            &ck::UNTRUSTED,
            format!("is not signed by the certificate of {issuer} that is there"),
        ),
        Top::Budget => Against::Wrong(
            &ck::UNTRUSTED,
            format!("no path was found in bounded time: {}", path::describe(chain)),
        ),
        Top::SelfSigned => Against::Missing(
            &ck::UNTRUSTED,
            format!("ends at a self-signed {issuer}, which is not among the auditors"),
        ),
        Top::Anchor(_) | Top::IssuerMissing => Against::Missing(
            &ck::UNTRUSTED,
            format!(
                "the signer is not among the auditors, and his issuer {issuer} is neither among them nor at hand"
            ),
        ),
    }
}
