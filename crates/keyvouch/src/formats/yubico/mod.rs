//! What the attestations of a YubiKey's applets (PIV, OpenPGP) have in common.
//!
//! Both applets sign a certificate, the *leaf*, for a key that they hold. The key that signs, and its certificate,
//! come from the factory; that certificate is called the *attester* here (F9 in PIV, ATT in OpenPGP). It chains to
//! a root of the applet's own on old firmware, and through an authority of the applet's to Yubico Attestation
//! Root 1 on new firmware.
//!
//! What differs (names, extensions, what a leaf says) is the format's. Here is the judgement of the chain, which is
//! the same for both: how leaf and attester are found, and what the attester must be signed by.

mod chain;
mod hardware;

pub(super) use chain::{AttestationCa, check_path};
pub(super) use hardware::{Firmware, Hardware, dotted};

use super::{Context, Statement};
use crate::authentic::SignatureValid;
use crate::checks::{Check, Checks};
use crate::crypto::{Hash, Scheme, SignatureError};
use crate::input::{Carrier, Content, PartId};
use crate::pki::{Certificate, name};

/// An applet that attests, and what its checks are called.
pub(super) struct Applet {
    /// The format id, as anchors name it.
    pub(super) format: &'static str,
    /// The applet, for people.
    pub(super) name: &'static str,
    /// The attester, for people.
    pub(super) attester: &'static str,
    /// The role of its authorities in the data of anchors.
    pub(super) role: &'static str,
    /// How the names of its authorities below Root 1 begin.
    pub(super) authority_cn: &'static str,
    /// The roots of firmware before 5.7.4, which issue attesters directly.
    pub(super) old_roots: &'static [&'static str],
    /// Whether the old roots' pathLenConstraint forbids the very attesters that they issue.
    pub(super) old_roots_understate_path_len: bool,
    pub(super) carriers: &'static [Carrier],
    pub(super) is_leaf: fn(&Certificate) -> bool,
    /// Whether it is named like an attester.
    pub(super) is_attester: fn(&Certificate) -> bool,
    pub(super) checks: &'static ChainChecks,
}

/// The checks of the chain, under the names that the format gives them.
pub(super) struct ChainChecks {
    pub(super) malformed: &'static Check,
    pub(super) duplicate_extension: &'static Check,
    pub(super) no_leaf: &'static Check,
    pub(super) attester_missing: &'static Check,
    pub(super) name_chaining: &'static Check,
    pub(super) leaf_signature: &'static Check,
    pub(super) attester_shape: &'static Check,
    pub(super) untrusted_root: &'static Check,
    pub(super) attester_replaced: &'static Check,
    pub(super) preview_device: &'static Check,
    pub(super) wrong_application_ca: &'static Check,
    pub(super) intermediate_missing: &'static Check,
    pub(super) expired: &'static Check,
    pub(super) not_yet_valid: &'static Check,
}

/// How the names of the intermediates between Root 1 and the applets' authorities begin.
const INTERMEDIATE_CN: &str = "Yubico Attestation Intermediate ";

/// What of an applet's evidence was handed in.
pub(super) struct Found<'a> {
    applet: &'static Applet,
    pub(super) leaves: Vec<(PartId, &'a Certificate)>,
    pub(super) attesters: Vec<(PartId, &'a Certificate)>,
    /// Every certificate: intermediates, and whatever else came along.
    all: Vec<(PartId, &'a Certificate)>,
    broken: Vec<(PartId, String)>,
}

impl<'a> Found<'a> {
    /// `None` when nothing of this applet is there.
    pub(super) fn among(cx: &Context<'a>, applet: &'static Applet) -> Option<Self> {
        let all = cx.parts.certificates();
        let leaves: Vec<_> = all.iter().copied().filter(|(_, c)| (applet.is_leaf)(c)).collect();
        let attesters: Vec<_> = all.iter().copied().filter(|(_, c)| (applet.is_attester)(c)).collect();
        let mut recognised = !leaves.is_empty() || !attesters.is_empty();
        let mut broken = Vec::new();
        for (id, part) in cx.parts.evidence() {
            if let Content::BrokenCertificate { why, announced, prefix } = &part.content {
                broken.push((id, why.to_string()));
                recognised |= announced.is_some_and(|oid| applet.carriers.iter().any(|c| c.oid == oid))
                    || prefix.as_ref().is_some_and(|c| (applet.is_leaf)(c) || (applet.is_attester)(c));
            }
        }
        recognised.then_some(Self { applet, leaves, attesters, all, broken })
    }

    /// With a request, the leaf that holds its key; else each of them.
    pub(super) fn leaves_to_judge(&self, cx: &Context<'_>) -> Vec<(PartId, &'a Certificate)> {
        let requested = |c: &Certificate| cx.request.is_some_and(|r| c.key().is_ok_and(|k| k == r.key()));
        match self.leaves.iter().find(|(_, c)| requested(c)) {
            Some(leaf) => vec![*leaf],
            None => self.leaves.clone(),
        }
    }

    /// A statement about one leaf, with the checks of what came with it.
    pub(super) fn statement(&self, (id, leaf): (PartId, &Certificate), cx: &Context<'_>) -> Statement {
        let mut statement = self.start(cx);
        statement.labels.push((id, "leaf".into()));
        statement.certificates.push(leaf.clone());
        if self.broken.is_empty() {
            statement.checks.pass(self.applet.checks.malformed, "", "every certificate is well-formed");
        }
        statement
    }

    /// The statement about an attester alone.
    pub(super) fn without_leaf(&self, cx: &Context<'_>) -> Statement {
        let mut statement = self.start(cx);
        if self.broken.is_empty() {
            let place = self.attesters.first().map_or("", |(id, _)| cx.parts.place(*id)).to_owned();
            let detail = format!(
                "only an {} certificate: it says which kind of device, and nothing about a key",
                self.applet.attester
            );
            statement.checks.fail(self.applet.checks.no_leaf, place, detail);
        }
        statement
    }

    fn start(&self, cx: &Context<'_>) -> Statement {
        let mut statement = Statement::default();
        for (id, why) in &self.broken {
            let place = cx.parts.place(*id).to_owned();
            statement.checks.fail(self.applet.checks.malformed, place, why.clone());
            statement.labels.push((*id, "broken certificate".into()));
        }
        statement.labels.extend(self.attesters.iter().map(|(id, _)| (*id, self.applet.attester.into())));
        statement
    }

    /// The certificate whose subject is the leaf's issuer and, of several, the one whose key verifies the leaf.
    pub(super) fn pick_attester<'c>(
        &self,
        leaf: &Certificate,
        place: &str,
        cx: &Context<'c>,
        checks: &mut Checks,
    ) -> Option<(Option<PartId>, &'c Certificate)>
    where
        'a: 'c,
    {
        let ids = self.applet.checks;
        let own = self.all.iter().map(|(id, c)| (Some(*id), *c));
        // Attesters are shared by a batch of devices: one that the operator has seen before serves as well.
        let known = cx.reference.intermediates.iter().map(|c| (None, c));
        let candidates: Vec<_> = own.chain(known).filter(|(_, c)| *c != leaf).collect();
        let signs = |c: &Certificate| c.key().is_ok_and(|k| leaf.verify_signed_by(k).is_ok());
        let named: Vec<_> =
            candidates.iter().copied().filter(|(_, c)| c.subject() == leaf.issuer()).collect();
        let picked = match named.as_slice() {
            [only] => Some(*only),
            several => several.iter().copied().find(|(_, c)| signs(c)).or_else(|| several.first().copied()),
        };
        if picked.is_some() {
            let subject = format!("the leaf's issuer is the subject of {}", self.applet.attester);
            let there = "the certificate that signed the leaf is there";
            checks.pass(ids.attester_missing, place.to_owned(), there);
            checks.pass(ids.name_chaining, place.to_owned(), subject);
            return picked;
        }
        let issuer = name::display(leaf.issuer());
        if let Some((_, other)) = candidates.iter().find(|(_, c)| signs(c)) {
            let other = other.display_name();
            let detail = format!("the leaf is signed by the key of {other} but names {issuer} as its issuer");
            checks.fail(ids.name_chaining, place.to_owned(), detail);
        } else {
            let detail = format!("no certificate of {issuer} is there");
            checks.fail(ids.attester_missing, place.to_owned(), detail);
        }
        None
    }
}

impl Applet {
    pub(super) fn check_duplicates(&self, leaf: &Certificate, place: &str, checks: &mut Checks) {
        checks.test(
            self.checks.duplicate_extension,
            place.to_owned(),
            leaf.duplicate_extension().is_none(),
            "no extension of the leaf is there twice",
            || {
                let oid = leaf.duplicate_extension().map(|oid| oid.to_string()).unwrap_or_default();
                format!("the leaf has extension {oid} twice").into()
            },
        );
    }

    pub(super) fn check_dates(&self, leaf: &Certificate, place: &str, cx: &Context<'_>, checks: &mut Checks) {
        let (check, detail) = if cx.at < leaf.not_before() {
            (self.checks.not_yet_valid, format!("the leaf is valid only from {}", leaf.not_before()))
        } else if cx.at > leaf.not_after() {
            (self.checks.expired, format!("the leaf is valid only until {}", leaf.not_after()))
        } else {
            return;
        };
        if cx.options.is_on("accept_expired") {
            checks.warn(check, place.to_owned(), detail);
        } else {
            checks.fail(check, place.to_owned(), detail);
        }
    }

    pub(super) fn check_leaf_signature<'l>(
        &self,
        leaf: &'l Certificate,
        attester: &Certificate,
        place: &str,
        checks: &mut Checks,
    ) -> Option<SignatureValid<'l>> {
        let noun = self.attester;
        let scheme = leaf.scheme();
        let accepted = matches!(scheme, Ok(Scheme::RsaPkcs1(Hash::Sha256) | Scheme::Ecdsa(Hash::Sha256)));
        let verified = match (scheme, attester.key()) {
            (Ok(other), _) if !accepted => Err(format!("{other} is not an algorithm of a YubiKey")),
            (Err(error), _) => Err(error.to_string()),
            (_, Err(error)) => Err(format!("key of {noun}: {error}")),
            (Ok(_), Ok(key)) => leaf.verify_signed_by(key).map_err(|e: SignatureError| e.to_string()),
        };
        match verified {
            Ok(valid) => {
                let detail = format!("the leaf is signed by the key of {noun}");
                checks.pass(self.checks.leaf_signature, place.to_owned(), detail);
                Some(valid)
            }
            Err(why) => {
                let detail = format!("signature of the leaf by {noun}: {why}");
                checks.fail(self.checks.leaf_signature, place.to_owned(), detail);
                None
            }
        }
    }

    /// The verdict on the attester's form, which the format has read.
    pub(super) fn check_shape<T>(
        &self,
        read: Result<T, &'static str>,
        place: &str,
        checks: &mut Checks,
    ) -> Option<T> {
        let noun = self.attester;
        match &read {
            Ok(_) => {
                let detail = format!("{noun} has the form of an {noun} certificate");
                checks.pass(self.checks.attester_shape, place.to_owned(), detail);
            }
            Err(why) => checks.fail(self.checks.attester_shape, place.to_owned(), *why),
        }
        read.ok()
    }
}

/// A certificate for people, with what the format reads in it.
pub(super) fn view(
    cx: &Context<'_>,
    id: PartId,
    certificate: &Certificate,
    fields: Result<serde_json::Value, String>,
) -> serde_json::Value {
    serde_json::json!({
        "where": cx.parts.place(id),
        "subject": name::display(certificate.subject()),
        "issuer": name::display(certificate.issuer()),
        "sha256": hex::encode(certificate.sha256()),
        "key": certificate.key().map(|k| k.algorithm()).unwrap_or_default(),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "fields": fields.unwrap_or_else(|fault| serde_json::json!({ "fault": fault })),
    })
}
