//! Whom the operator trusts as witnesses: the certificates of the option `auditors`, and nothing else. They are no trust
//! anchors of the reference data, so that no maker's root can vouch for a witness and no auditor for a device.

use crate::formats::Context;
use crate::input::{Carrier, Content, Limits, Parts};
use crate::pki::Certificate;
use crate::reference::anchors::{Anchor, AnchorKind, Confirmed, PublishedCertificate};
use crate::submission::{File, Submission};
use crate::time::Time;

/// The name of the option.
pub(super) const OPTION: &str = "auditors";

/// The trusted witnesses.
pub(super) struct Auditors {
    /// Each certificate, as what it is pinned for.
    pinned: Vec<(Certificate, Anchor)>,
}

impl Auditors {
    /// Reads the option; an error says what is missing.
    pub(super) fn of(cx: &Context<'_>) -> Result<Self, String> {
        const NO_CARRIERS: &[Carrier] = &[];
        let bytes = cx.options.file(OPTION).ok_or("no auditor is configured (option auditors)")?;
        let file = Submission::new(vec![File::new(OPTION, bytes)], Time::from_unix(0));
        // What is wrong with the file is not repeated: it may be a private key.
        let parts = Parts::of(&file, NO_CARRIERS, Limits::DEFAULT)
            .map_err(|_| "the file of the option auditors is not one of certificates")?;
        let mut pinned: Vec<(Certificate, Anchor)> = Vec::new();
        for (_, part) in parts.evidence() {
            match &part.content {
                Content::Certificate(certificate) if !pinned.iter().any(|(c, _)| c == certificate) => {
                    let why =
                        |why: String| format!("a certificate of the option auditors cannot be used: {why}");
                    pinned.push((certificate.clone(), anchor(certificate).map_err(why)?));
                }
                Content::BrokenCertificate { why, .. } => {
                    return Err(format!("a certificate of the option auditors cannot be read: {why}"));
                }
                _ => {}
            }
        }
        if pinned.is_empty() {
            return Err("the file of the option auditors holds no certificate".to_owned());
        }
        Ok(Self { pinned })
    }

    /// The pin of this very certificate.
    pub(super) fn pin(&self, certificate: &Certificate) -> Option<&Anchor> {
        self.pinned.iter().find(|(pinned, _)| pinned == certificate).map(|(_, anchor)| anchor)
    }

    /// The certification authorities among them. Whoever is none vouches only for himself.
    pub(super) fn authorities(&self) -> Vec<&Anchor> {
        self.pinned.iter().filter(|(c, _)| is_authority(c)).map(|(_, anchor)| anchor).collect()
    }

    /// The certificates themselves.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.pinned.iter().map(|(certificate, _)| certificate)
    }
}

fn is_authority(certificate: &Certificate) -> bool {
    let constraints = certificate.basic_constraints().and_then(Result::ok);
    let may_issue = match certificate.key_usage() {
        None => true,
        Some(usage) => usage.is_ok_and(|usage| usage.key_cert_sign),
    };
    constraints.is_some_and(|c| c.ca) && may_issue
}

fn anchor(certificate: &Certificate) -> Result<Anchor, String> {
    let published = PublishedCertificate {
        sha256: *certificate.sha256(),
        serial: hex::encode(certificate.serial()),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        source: "the operator's list of auditors".to_owned(),
        looked_up: None,
        confirmed: Confirmed::Operator,
    };
    let path_len = certificate.basic_constraints().and_then(Result::ok).and_then(|c| c.path_len);
    let spki = certificate.key().map_err(|why| why.to_string())?.spki_der();
    let (name, subject) = (certificate.display_name(), certificate.subject());
    Anchor::from_operator(OPTION, &name, AnchorKind::Root, subject, spki, path_len, published)
        .map_err(|why| why.to_string())
}
