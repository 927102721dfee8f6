//! A BLOB of the FIDO Metadata Service (v3) about emulated models.

use super::Batch;
use crate::key::{Key, KeyKind, SignAlg};
use crate::x509::{self, Authority, Certificate, Extension, usage};
use crate::{Error, der, pem};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::Arc;

/// A BLOB, not yet signed.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Number of the payload.
    pub number: u64,
    /// Day of the next one, YYYY-MM-DD.
    pub next_update: String,
    /// Entries.
    pub entries: Vec<Value>,
    /// The algorithm that the header names.
    pub alg: String,
    /// The root below which it is signed.
    pub root: Authority,
    /// The signer's certificate, not yet signed.
    pub certificate: Certificate,
    /// The signer's key.
    pub key: Arc<Key>,
}

impl Blob {
    /// A BLOB without entries.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        let root = super::root("keyvouch emulated metadata root")?;
        let key = Key::shared("webauthn: metadata signer", KeyKind::P256)?;
        let subject = x509::common_name("keyvouch emulated metadata signer")?;
        let mut certificate =
            Certificate::new(subject, &key, "2025-01-01T00:00:00Z", "2045-01-01T00:00:00Z")?;
        certificate.issuer = root.certificate.subject.clone();
        certificate.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
            Extension::new("2.5.29.17", der::sequence(&[der::tlv(0x82, b"mds.fidoalliance.org")])),
        ];
        Ok(Self {
            number: 1000,
            next_update: "2030-01-01".to_owned(),
            entries: Vec::new(),
            alg: "ES256".to_owned(),
            root,
            certificate,
            key,
        })
    }

    /// The JWS.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn sign(&self) -> Result<Vec<u8>, Error> {
        let certificate = self.certificate.sign(&self.root.key, SignAlg::EcdsaSha256)?;
        let header = json!({ "alg": self.alg, "typ": "JWT", "x5c": [STANDARD.encode(certificate)] });
        let payload = json!({
            "legalHeader": "emulated", "no": self.number, "nextUpdate": self.next_update, "entries": self.entries,
        });
        let part = |value: &Value| Ok::<_, Error>(URL_SAFE_NO_PAD.encode(serde_json::to_vec(value)?));
        let signed = format!("{}.{}", part(&header)?, part(&payload)?);
        let signature = self.key.sign(SignAlg::EcdsaSha256Raw, signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into_bytes())
    }

    /// The root of the signer, PEM.
    pub fn roots(&self) -> Vec<u8> {
        pem::certificate(&self.root.der).into_bytes()
    }
}

/// The entry of a batch's model: FIDO2 with its AAGUID, or U2F by its key identifier.
pub fn entry(batch: &Batch, aaguid: Option<&[u8; 16]>, attestation: &[&str], protection: &[&str]) -> Value {
    let mut entry = json!({
        "metadataStatement": {
            "description": "keyvouch emulated authenticator",
            "authenticatorVersion": 1,
            "attestationTypes": attestation,
            "keyProtection": protection,
            "attestationRootCertificates": [STANDARD.encode(&batch.root.der)],
        },
        "statusReports": [{ "status": "FIDO_CERTIFIED_L2", "effectiveDate": "2025-06-01" }],
    });
    match aaguid {
        Some(aaguid) => {
            let hex = hex::encode(aaguid);
            entry["aaguid"] = json!(format!(
                "{}-{}-{}-{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..]
            ));
        }
        None => {
            entry["attestationCertificateKeyIdentifiers"] = json!([hex::encode(batch.key_identifier())]);
        }
    }
    entry
}

/// The same entry with one more report.
#[must_use]
pub fn with_report(mut entry: Value, status: &str) -> Value {
    if let Some(reports) = entry["statusReports"].as_array_mut() {
        reports.push(json!({ "status": status, "effectiveDate": "2025-07-01" }));
    }
    entry
}
