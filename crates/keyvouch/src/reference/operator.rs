//! Certificates and keys that the operator hands over: roots and bare keys become anchors, other certificates
//! help to build paths. Revocation lists are kept for the formats that look for them. Roots of card schemes are CV
//! certificates.

use super::anchors::{Anchor, AnchorKind, Confirmed, PublishedCertificate};
use super::{DataError, Reference};
use crate::crypto::SignatureError;
use crate::input::{Carrier, Content, Limits, Parts};
use crate::pki::cvc::path::ANCHOR_SCHEME;
use crate::pki::cvc::{CvCertificate, name_of};
use crate::pki::{Certificate, EcdsaForm};
use crate::submission::{File, Submission};
use crate::time::Time;

/// The formats whose certificates are CV certificates.
const CVC_FORMATS: &[&str] = &["smartcard-hsm"];

impl Reference {
    /// Adds the certificates of a file (PEM, DER, a CMS bag, or one CV certificate). A certificate that is signed by its own key
    /// becomes an anchor for every format; any other is used, untrusted, to build paths. A bare public key (PEM
    /// `PUBLIC KEY`) becomes an anchor for every format that ends at keys. Revocation lists are kept.
    ///
    /// # Errors
    /// When the file holds none of them, or one that cannot be used.
    pub fn load_operator_certificates(&mut self, name: &str, bytes: &[u8]) -> Result<(), DataError> {
        const NO_CARRIERS: &[Carrier] = &[];
        let fail = |problem: &str| DataError::new(name, "certificate", problem.to_owned());
        if let Ok(certificate) = CvCertificate::from_bytes(bytes) {
            return self.add_operator_cvc(name, &certificate);
        }
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

    /// A CV certificate anchors only formats of card schemes, and only one that signed itself.
    fn add_operator_cvc(&mut self, file: &str, certificate: &CvCertificate) -> Result<(), DataError> {
        let fail = |problem: String| DataError::new(file, certificate.holder(), problem);
        let key = certificate.public_key(None).map_err(|e| fail(format!("its key cannot be used: {e}")))?;
        if !certificate.is_self_issued() || certificate.verify(ANCHOR_SCHEME, &key).is_err() {
            let why = "only a root, signed by its own key with ECDSA and SHA-256, can be an anchor; leave the others to the evidence";
            return Err(fail(why.to_owned()));
        }
        let (not_before, not_after) =
            certificate.validity().ok_or_else(|| fail("its dates are none".to_owned()))?;
        let holder = certificate.holder();
        let published = PublishedCertificate {
            sha256: certificate.sha256(),
            serial: holder.get(holder.len().saturating_sub(5)..).unwrap_or_default().to_owned(),
            not_before,
            not_after,
            source: format!("operator file {file}"),
            looked_up: None,
            confirmed: Confirmed::Operator,
        };
        let (subject, spki) = (name_of(holder), key.spki_der());
        let mut anchor =
            Anchor::from_operator(file, holder, AnchorKind::Root, &subject, spki, None, published)?;
        anchor.every_format = false;
        anchor.formats = CVC_FORMATS.iter().map(|f| (*f).to_owned()).collect();
        self.anchors.add(anchor)
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
