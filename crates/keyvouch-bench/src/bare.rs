//! The signatures that are in a piece of evidence, found by trying: no format is known here. What verifies under a
//! key that is at hand is a signature check that an appraisal has to make.

use aws_lc_rs::signature::{self as lc, UnparsedPublicKey, VerificationAlgorithm};
use keyvouch::crypto::{Curve, Material, PublicKey};
use keyvouch::input::{Content, Limits, Parts};
use keyvouch::pki::Certificate;
use keyvouch::{Reference, Submission};
use serde_json::Value as Json;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::Error;

/// A signature with everything that aws-lc-rs needs to verify it.
pub struct Bare {
    algorithm: &'static dyn VerificationAlgorithm,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Bare {
    /// Verifies it.
    #[must_use]
    pub fn verify(&self) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.key).verify(&self.message, &self.signature).is_ok()
    }

    /// The signature as one of this key, whatever the algorithm; `None` when it is not.
    fn find(key: &PublicKey, message: &[u8], signature: &[u8]) -> Option<Self> {
        let (_, spki) = SubjectPublicKeyInfo::from_der(key.spki_der()).ok()?;
        let key_bits = spki.subject_public_key.data.to_vec();
        let algorithm = algorithms(key.material())
            .iter()
            .find(|a| UnparsedPublicKey::new(**a, &key_bits).verify(message, signature).is_ok())?;
        Some(Self {
            algorithm: *algorithm,
            key: key_bits,
            message: message.to_vec(),
            signature: signature.to_vec(),
        })
    }
}

fn algorithms(key: &Material) -> &'static [&'static dyn VerificationAlgorithm] {
    match key {
        Material::Rsa { .. } => &[
            &lc::RSA_PKCS1_2048_8192_SHA256,
            &lc::RSA_PKCS1_2048_8192_SHA384,
            &lc::RSA_PKCS1_2048_8192_SHA512,
            &lc::RSA_PSS_2048_8192_SHA256,
            &lc::RSA_PSS_2048_8192_SHA384,
            &lc::RSA_PSS_2048_8192_SHA512,
        ],
        Material::Ec { curve: Curve::P256, .. } => {
            &[&lc::ECDSA_P256_SHA256_ASN1, &lc::ECDSA_P256_SHA384_ASN1, &lc::ECDSA_P256_SHA256_FIXED]
        }
        Material::Ec { curve: Curve::P384, .. } => {
            &[&lc::ECDSA_P384_SHA384_ASN1, &lc::ECDSA_P384_SHA256_ASN1, &lc::ECDSA_P384_SHA384_FIXED]
        }
        Material::Ec { curve: Curve::P521, .. } => {
            &[&lc::ECDSA_P521_SHA512_ASN1, &lc::ECDSA_P521_SHA256_ASN1, &lc::ECDSA_P521_SHA512_FIXED]
        }
        Material::Ec { curve: Curve::Secp256k1, .. } => {
            &[&lc::ECDSA_P256K1_SHA256_ASN1, &lc::ECDSA_P256K1_SHA256_FIXED]
        }
        Material::Ed25519(_) => &[&lc::ED25519],
        _ => &[],
    }
}

/// Every signature in a submission: of certificates up to an anchor, of the request, of statements.
pub(crate) fn signatures(submission: &Submission, reference: &Reference) -> Result<Vec<Bare>, Error> {
    let parts = Parts::of(submission, &[], Limits::DEFAULT)?;
    let mut found = Vec::new();
    let mut open: Vec<Certificate> = parts.certificates().into_iter().map(|(_, c)| c.clone()).collect();
    let own = open.clone();
    let mut seen: Vec<Certificate> = Vec::new();
    while let Some(certificate) = open.pop() {
        // Nobody verifies the certificate of an anchor: it is the anchor.
        if seen.contains(&certificate) || is_anchor(&certificate, reference) {
            continue;
        }
        let named = |c: &&Certificate| c.subject() == certificate.issuer();
        let (message, signature) = (certificate.tbs(), certificate.signature());
        let by_anchor = reference
            .anchors
            .by_subject(certificate.issuer())
            .find_map(|anchor| Bare::find(&anchor.key, message, signature));
        let by_other = || {
            own.iter().chain(&reference.intermediates).filter(named).find_map(|issuer| {
                Some((Bare::find(issuer.key().ok()?, message, signature)?, issuer.clone()))
            })
        };
        match by_anchor {
            Some(bare) => found.push(bare),
            None => {
                if let Some((bare, issuer)) = by_other() {
                    found.push(bare);
                    open.push(issuer);
                }
            }
        }
        seen.push(certificate);
    }
    for (_, part) in parts.iter() {
        if let Content::Request(request) = &part.content {
            let (_, parsed) = X509CertificationRequest::from_der(request.der())?;
            let info = parsed.certification_request_info.raw;
            found.extend(Bare::find(request.key(), info, &parsed.signature_value.data));
        }
    }
    found.extend(statements(&parts, &seen));
    Ok(found)
}

fn is_anchor(certificate: &Certificate, reference: &Reference) -> bool {
    let Ok(key) = certificate.key() else { return false };
    reference.anchors.by_spki(key.spki_der()).any(|anchor| anchor.subject == certificate.subject())
}

/// Signatures over anything that is no certificate: at its end, or beside it.
fn statements(parts: &Parts<'_>, certificates: &[Certificate]) -> Vec<Bare> {
    let mut blobs: Vec<Vec<u8>> = Vec::new();
    for (_, part) in parts.evidence() {
        match &part.content {
            Content::Certificate(_) | Content::Pem => {}
            Content::Json(value) => texts(value, &mut blobs),
            _ => {
                blobs.extend(of_a_tpm(&part.bytes));
                blobs.push(part.bytes.to_vec());
            }
        }
    }
    let mut found = Vec::new();
    for key in certificates.iter().filter_map(|c| c.key().ok()) {
        let length = key.rsa_bits().map_or(0, |bits| bits.div_ceil(8));
        for blob in &blobs {
            let split = blob
                .len()
                .checked_sub(length)
                .filter(|_| length > 0)
                .and_then(|at| blob.split_at_checked(at));
            found.extend(split.and_then(|(message, signature)| Bare::find(key, message, signature)));
            for signature in blobs.iter().filter(|s| s.len() <= 512 && *s != blob) {
                found.extend(Bare::find(key, blob, signature));
            }
        }
    }
    found
}

/// A TPMT_SIGNATURE without its structure: the RSA block, or r and s side by side.
fn of_a_tpm(bytes: &[u8]) -> Option<Vec<u8>> {
    let algorithm = bytes.first_chunk::<2>()?;
    let sized = |bytes: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
        let (size, rest) = bytes.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
        Some((value.to_vec(), rest.to_vec()))
    };
    // After the algorithm and its hash.
    let (first, rest) = sized(bytes.get(4..)?)?;
    match algorithm {
        [0, 0x14 | 0x16] => rest.is_empty().then_some(first),
        [0, 0x18] => {
            let (second, rest) = sized(&rest)?;
            (rest.is_empty() && first.len() == second.len()).then(|| [first, second].concat())
        }
        _ => None,
    }
}

/// What is encoded in the texts of a JSON document.
fn texts(value: &Json, blobs: &mut Vec<Vec<u8>>) {
    match value {
        Json::String(text) => blobs.extend(keyvouch::input::decode_base64(text.as_bytes())),
        Json::Array(items) => items.iter().for_each(|item| texts(item, blobs)),
        Json::Object(members) => members.values().for_each(|member| texts(member, blobs)),
        _ => {}
    }
}
