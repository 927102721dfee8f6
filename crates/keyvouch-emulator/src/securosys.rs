//! Securosys Primus HSM: an XML document about one key, signed byte for byte, under a chain of three certificates.
//!
//! Source: Securosys documentation, "Key Attestation" of the Transaction Security Broker (REST) and application note
//! AN-E01, and the JCE provider's `PrimusAttestation`.

mod chain;
mod document;

pub use chain::{Primus, SignedChain};
pub use document::{Content, Document, Element, policy};

use crate::key::{Key, KeyKind, SignAlg};
use crate::{Error, File, Sample, bundle, csr, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "securosys";

/// A signed attestation with its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Label of the key, for file names.
    pub label: String,
    /// The document, as signed.
    pub xml: Vec<u8>,
    /// The signature, binary.
    pub signature: Vec<u8>,
    /// Leaf, device and root certificate.
    pub chain: SignedChain,
    /// SubjectPublicKeyInfo of the attestation key, which some carriers repeat.
    pub attestation_key: Vec<u8>,
}

impl Evidence {
    /// Sign a document with the attestation key: RSASSA-PKCS1-v1_5 or ECDSA with SHA-256, or any other way.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn new(document: &Document, primus: &Primus, alg: SignAlg) -> Result<Self, Error> {
        Self::of_bytes(&document.label(), document.render(), primus, alg)
    }

    /// The same for any bytes in place of a document.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn of_bytes(label: &str, xml: Vec<u8>, primus: &Primus, alg: SignAlg) -> Result<Self, Error> {
        Ok(Self {
            label: label.to_owned(),
            signature: primus.attestation_key.sign(alg, &xml)?,
            xml,
            chain: primus.sign()?,
            attestation_key: primus.attestation_key.spki_der()?,
        })
    }

    /// Leaf and device certificate, leaf first, with or without the root.
    pub fn chain_pem(&self, with_root: bool) -> String {
        let SignedChain { root, device, leaf } = &self.chain;
        if with_root { pem::certificates(&[leaf, device, root]) } else { pem::certificates(&[leaf, device]) }
    }

    /// The three files of JCE and Primus Tools.
    pub fn jce_files(&self) -> Vec<File> {
        let base = format!("{}.xml", self.label);
        vec![
            File::new(base.clone(), self.xml.clone()),
            File::new(format!("{base}.signature"), self.signature.clone()),
            File::new(format!("{base}.certificatechain"), self.chain_pem(true)),
        ]
    }

    /// The ZIP of the Transaction Security Broker.
    ///
    /// # Errors
    /// [`Error::Zip`], [`Error::Io`].
    pub fn tsb_zip(&self) -> Result<Vec<u8>, Error> {
        bundle::zip(&[
            File::new(format!("{}.xml", self.label), self.xml.clone()),
            File::new(format!("{}.sig", self.label), self.signature.clone()),
            File::new("PrimusHSM_Attestation_PublicKey.pem", pem::public_key(&self.attestation_key)),
            File::new("PrimusHSM_Attestation.crt", self.chain_pem(true)),
            File::new("README_PrimusHSM_AuditAndAttestation_AN-E01.md", "# Emulated key attestation\n"),
        ])
    }

    /// The JSON of the Transaction Security Broker (`/v1/key/attributes`); `copy` is its unsigned member `json`, see
    /// [`Document::unsigned_copy`]. It holds no chain.
    pub fn tsb_json(&self, copy: Value) -> Value {
        json!({
            "xml": String::from_utf8_lossy(&self.xml),
            "json": copy,
            "xmlSignature": bundle::base64(&self.signature),
            "attestationKeyName": "attestation-key",
        })
    }

    /// The JSON of a CA's web form: all in one, with a request.
    pub fn web_json(&self, request: &[u8]) -> Value {
        let SignedChain { device, leaf, .. } = &self.chain;
        json!({
            "attestationData": bundle::base64(&self.xml),
            "attestationSignature": bundle::base64(&self.signature),
            "attestationCertChain": [pem::certificate(leaf), pem::certificate(device)],
            "csr": pem::request(request),
        })
    }
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let primus = Primus::new()?;
    let anchors = vec![File::new("root.pem", pem::certificate(&primus.root.der))];
    let sample = |variant: &str, about: &str, evidence: Vec<File>, key: &Arc<Key>| {
        let request = csr::plain("emulated subscriber", key)?;
        Ok::<_, Error>(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence,
            request: Some(File::new("request.csr", pem::request(&request))),
            anchors: anchors.clone(),
            at: "2026-06-01T00:00:00Z".to_owned(),
            options: Map::new(),
        })
    };
    let subscriber = |kind| Key::shared("securosys: subscriber", kind);
    let rsa = subscriber(KeyKind::Rsa3072)?;
    let document = Document::of("code_signing", &rsa)?;
    let evidence = Evidence::new(&document, &primus, SignAlg::RsaPkcs1Sha256)?;

    let zip = vec![File::new("code_signing-attestation.zip", evidence.tsb_zip()?)];
    let tsb = vec![
        File::new("attributes.json", bundle::json(&evidence.tsb_json(document.unsigned_copy()))?),
        File::new("chain.pem", evidence.chain_pem(false)),
    ];
    let request = csr::plain("emulated subscriber", &rsa)?;
    let web = vec![File::new("request.json", bundle::json(&evidence.web_json(&request))?)];
    let mut samples = vec![
        sample("rsa3072", "XML, signature and chain of an RSA-3072 key", evidence.jce_files(), &rsa)?,
        sample("rsa3072-tsb-zip", "ZIP of the Transaction Security Broker", zip, &rsa)?,
        sample("rsa3072-tsb-json", "JSON of the Transaction Security Broker, and the chain", tsb, &rsa)?,
        sample("rsa3072-web-json", "JSON of a CA's web form", web, &rsa)?,
    ];

    let pss = Evidence::new(&document, &primus, SignAlg::RsaPssSha256)?;
    samples.push(sample("rsa3072-pss", "signed RSASSA-PSS with salt 32", pss.jce_files(), &rsa)?);
    let ec_primus = Primus::with_attestation_key(KeyKind::P256)?;
    let p384 = subscriber(KeyKind::P384)?;
    let document = Document::of("document_signing", &p384)?;
    let (der, raw) = (SignAlg::EcdsaSha256, SignAlg::EcdsaSha256Raw);
    let signed = Evidence::new(&document, &ec_primus, der)?;
    samples.push(sample("p384-ecdsa", "P-384 key, attestation key P-256", signed.jce_files(), &p384)?);
    let signed = Evidence::new(&document, &ec_primus, raw)?;
    let about = "P-384 key, attestation key P-256, signature as r and s";
    samples.push(sample("p384-ecdsa-raw", about, signed.jce_files(), &p384)?);

    let ed = subscriber(KeyKind::Ed25519)?;
    let mut document = Document::of("smart_key", &ed)?;
    document.root.push(policy(1, &Key::shared("securosys: approver", KeyKind::P384)?.spki_der()?));
    let signed = Evidence::new(&document, &primus, SignAlg::RsaPkcs1Sha256)?;
    let about = "Ed25519 key with approval policy (Smart Key Attributes)";
    samples.push(sample("ed25519-ska", about, signed.jce_files(), &ed)?);
    Ok(samples)
}
