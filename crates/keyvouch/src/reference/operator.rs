//! Certificates and keys that the operator hands over: roots and bare keys become anchors, other certificates
//! help to build paths. Revocation lists are kept for the formats that look for them.

use super::anchors::{Anchor, AnchorKind, Confirmed, PublishedCertificate};
use super::{DataError, Reference};
use crate::crypto::SignatureError;
use crate::input::{Carrier, Content, Limits, Parts};
use crate::pki::{Certificate, EcdsaForm};
use crate::submission::{File, Submission};
use crate::time::Time;

impl Reference {
    /// Adds the certificates of a file (PEM, DER, or a CMS bag). A certificate that is signed by its own key
    /// becomes an anchor for every format; any other is used, untrusted, to build paths. A bare public key (PEM
    /// `PUBLIC KEY`) becomes an anchor for every format that ends at keys. Revocation lists are kept.
    ///
    /// # Errors
    /// When the file holds none of them, or one that cannot be used.
    pub fn load_operator_certificates(&mut self, name: &str, bytes: &[u8]) -> Result<(), DataError> {
        const NO_CARRIERS: &[Carrier] = &[];
        let fail = |problem: &str| DataError::new(name, "certificate", problem.to_owned());
        // Time plays no part in unwrapping.
        let file = Submission::new(vec![File::new(name, bytes)], Time::from_unix(0));
        let parts = Parts::of(&file, NO_CARRIERS, Limits::DEFAULT).map_err(|e| fail(&e.to_string()))?;
        let mut found = false;
        for (_, part) in parts.evidence() {
            match &part.content {
                Content::Certificate(certificate) => {
                    found = true;
                    self.add_operator_certificate(name, certificate)?;
                }
                Content::PublicKey(key) => {
                    found = true;
                    self.anchors.add(Anchor::key_from_operator(name, key)?)?;
                }
                Content::BrokenPublicKey(why) => return Err(fail(&format!("{}: {why}", part.place))),
                Content::RevocationList(list) => {
                    found = true;
                    if !self.revocation_lists.contains(list) {
                        self.revocation_lists.push(list.clone());
                    }
                }
                Content::BrokenRevocationList(why) => return Err(fail(&format!("{}: {why}", part.place))),
                Content::BrokenCertificate { why, .. } => {
                    return Err(fail(&format!("{}: {why}", part.place)));
                }
                _ => {}
            }
        }
        if found {
            Ok(())
        } else {
            Err(fail(
                "no certificate or public key in it: give PEM or DER certificates or revocation lists, a PEM public \
                 key, or a TOML data file",
            ))
        }
    }

    fn add_operator_certificate(&mut self, file: &str, certificate: &Certificate) -> Result<(), DataError> {
        let fail = |problem: String| DataError::new(file, &certificate.display_name(), problem);
        let key = certificate.key().map_err(|e| fail(format!("its key cannot be used: {e}")))?;
        // The self-signature tells a root from an intermediate and gives no trust: the operator does. So it may be
        // written as some makers' roots write it, or rest on SHA-1 as old roots do.
        let self_signed = matches!(
            certificate.verify_signed_by_with(key, EcdsaForm::NullParameters),
            Ok(_) | Err(SignatureError::WeakDigest)
        );
        if !certificate.is_self_issued() || !self_signed {
            if !self.intermediates.contains(certificate) {
                self.intermediates.push(certificate.clone());
            }
            return Ok(());
        }
        let path_len = certificate.basic_constraints().and_then(Result::ok).and_then(|c| c.path_len);
        let published = PublishedCertificate {
            sha256: *certificate.sha256(),
            serial: hex::encode(certificate.serial()),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            source: "the operator's certificate".to_owned(),
            looked_up: None,
            confirmed: Confirmed::Operator,
        };
        let name = certificate.display_name();
        let anchor = Anchor::from_operator(
            file,
            &name,
            AnchorKind::Root,
            certificate.subject(),
            key.spki_der(),
            path_len,
            published,
        )?;
        self.anchors.add(anchor)
    }
}
