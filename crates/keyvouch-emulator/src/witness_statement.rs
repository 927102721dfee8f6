//! Witness statements: an auditor under a throw-away authority signs, in CMS or JWS, what he saw of a key.

use crate::cms::{SignedData, Signer};
use crate::key::{Key, KeyKind, SignAlg, sha256};
use crate::x509::{self, Authority, Certificate, Text, usage};
use crate::{Error, File, Sample, bundle, csr, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "witness-statement";
/// When the ceremony was.
pub const CEREMONY: (&str, &str) = ("2026-05-20T09:00:00Z", "2026-05-20T11:30:00Z");
/// When the statement is signed.
pub const SIGNED: &str = "2026-05-20T15:00:00Z";

const AT: &str = "2026-06-01T00:00:00Z";
const DATA: &str = "1.2.840.113549.1.7.1";
const NOT_BEFORE: &str = "2025-01-01T00:00:00Z";
const NOT_AFTER: &str = "2028-01-01T00:00:00Z";

/// A statement about a key, every member filled in; to be changed before it is signed.
///
/// # Errors
/// None in practice.
pub fn statement(key: &Key) -> Result<Value, Error> {
    let spki = key.spki_der()?;
    Ok(json!({
        "schema": "keyvouch.witness/1",
        "ceremony": {
            "started": CEREMONY.0,
            "ended": CEREMONY.1,
            "place": "Example data centre, cage 7",
            "report": "Key ceremony report EX-2026-017",
            "report_sha256": hex::encode(sha256(b"the report")),
        },
        "subscriber": "Example Software GmbH",
        "witnesses": [{
            "name": "Erika Mustermann",
            "organisation": "Example Audit AG",
            "role": "auditor",
            "qualification": "CISA 1234567",
        }],
        "device": {
            "vendor": "Utimaco",
            "model": "u.trust Anchor",
            "serial": "CS700142",
            "firmware": "4.49.0",
            "class": "hsm",
            "fips_mode": true,
            "mode": "FIPS mode, shown by csadm GetState",
            "certification": "FIPS 140-2 #4151",
        },
        "key": {
            "spki": bundle::base64(&spki),
            "spki_sha256": hex::encode(sha256(&spki)),
            "algorithm": algorithm(key),
            "label": "code-signing-2026",
            "generated_in_device": true,
            "exportable": "vendor-boundary",
            "ever_exportable": false,
            "purposes": ["sign"],
            "created_at": "2026-05-20T10:15:00Z",
        },
    }))
}

/// The name of a key's algorithm in statements.
fn algorithm(key: &Key) -> &'static str {
    match key.kind() {
        KeyKind::Rsa1024 => "RSA-1024",
        KeyKind::Rsa2048 | KeyKind::Rsa2048Exponent3 => "RSA-2048",
        KeyKind::Rsa3072 => "RSA-3072",
        KeyKind::Rsa4096 => "RSA-4096",
        KeyKind::P384 => "EC-P384",
        KeyKind::P521 => "EC-P521",
        KeyKind::Ed25519 => "Ed25519",
        _ => "EC-P256",
    }
}

/// An auditor with a certificate of an authority.
#[derive(Debug, Clone)]
pub struct Auditor {
    /// The authority that vouches for him.
    pub root: Authority,
    /// His certificate before it is signed.
    pub certificate: Certificate,
    /// His key.
    pub key: Arc<Key>,
}

impl Auditor {
    /// An auditor of this name at `Example Audit AG`, with a key of this kind.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(name: &str, kind: KeyKind) -> Result<Self, Error> {
        let root_key = Key::shared("witness-statement root", KeyKind::P256)?;
        let subject = x509::common_name("Emulated auditors' authority")?;
        let mut root = Certificate::new(subject, &root_key, NOT_BEFORE, "2035-01-01T00:00:00Z")?;
        root.extensions = vec![
            x509::basic_constraints(true, None).critical(),
            x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
        ];
        let root = Authority::root(root, root_key, SignAlg::EcdsaSha256)?;
        let key = Key::shared(&format!("witness-statement {name}"), kind)?;
        let subject = x509::name(&[("O", Text::Utf8, "Example Audit AG"), ("CN", Text::Utf8, name)])?;
        let mut certificate = Certificate::new(subject, &key, NOT_BEFORE, NOT_AFTER)?;
        certificate.issuer = root.certificate.subject.clone();
        certificate.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::NON_REPUDIATION]).critical(),
            x509::extended_key_usage(&["1.3.6.1.5.5.7.3.36"])?,
        ];
        Ok(Self { root, certificate, key })
    }

    /// His certificate, signed by the authority.
    ///
    /// # Errors
    /// Those of [`Certificate::sign`].
    pub fn der(&self) -> Result<Vec<u8>, Error> {
        self.certificate.sign(&self.root.key, SignAlg::EcdsaSha256)
    }

    /// The operator's list of auditors: the authority.
    #[must_use]
    pub fn list(&self) -> File {
        File::new("auditors.pem", pem::certificate(&self.root.der))
    }

    /// A CMS signature before it is signed.
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub fn cms(&self, statement: &[u8], signed: &str) -> Result<SignedData, Error> {
        Ok(SignedData {
            content_type: DATA.to_owned(),
            content: statement.to_vec(),
            detached: false,
            certificates: vec![self.der()?],
            signers: vec![Signer::new(&self.certificate, &self.key, DATA, statement, signed)?],
        })
    }

    /// The header of a JWS that he signs.
    ///
    /// # Errors
    /// Those of [`Certificate::sign`].
    pub fn header(&self, signed: i64) -> Result<Value, Error> {
        let x5c = [bundle::base64(&self.der()?), bundle::base64(&self.root.der)];
        Ok(json!({ "alg": jws_algorithm(self.key.kind()).0, "iat": signed, "x5c": x5c }))
    }

    /// Signs a JWS: header, payload and signature, each in base64url.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn jws(&self, header: &Value, statement: &[u8]) -> Result<[String; 3], Error> {
        let header = bundle::base64url(header.to_string().as_bytes());
        let payload = bundle::base64url(statement);
        let message = format!("{header}.{payload}");
        let signature = self.key.sign(jws_algorithm(self.key.kind()).1, message.as_bytes())?;
        Ok([header, payload, bundle::base64url(&signature)])
    }
}

fn jws_algorithm(kind: KeyKind) -> (&'static str, SignAlg) {
    match kind {
        KeyKind::P384 => ("ES384", SignAlg::EcdsaSha384Raw),
        KeyKind::P521 => ("ES512", SignAlg::EcdsaSha512Raw),
        KeyKind::Ed25519 => ("EdDSA", SignAlg::Ed25519),
        KeyKind::P256 => ("ES256", SignAlg::EcdsaSha256Raw),
        _ => ("PS256", SignAlg::RsaPssSha256),
    }
}

/// 2026-05-20T15:00:00Z, as JWS has it.
pub const SIGNED_UNIX: i64 = 1_779_289_200;

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let key = Key::shared("witness-statement subject", KeyKind::Rsa3072)?;
    let erika = Auditor::new("Erika Mustermann", KeyKind::P256)?;
    let text = bundle::json(&statement(&key)?)?;
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, key: &Key, evidence: Vec<File>| {
        let request = pem::request(&csr::plain("Example Software GmbH", key)?);
        let mut options = Map::new();
        options.insert("auditors".to_owned(), pem::certificate(&erika.root.der).into());
        samples.push(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence,
            request: Some(File::new("request.csr", request)),
            // Auditors are trusted by the option only.
            anchors: Vec::new(),
            at: AT.to_owned(),
            options,
        });
        Ok::<_, Error>(())
    };
    let mut detached = erika.cms(&text, SIGNED)?;
    let attached = pem::encode("CMS", &detached.sign()?);
    add(
        "cms",
        "a key in a u.trust Anchor, signed in CMS by one auditor",
        &key,
        vec![File::new("statement.pem", attached)],
    )?;
    detached.detached = true;
    add(
        "cms-detached",
        "the same statement with the signature beside it",
        &key,
        vec![File::new("statement.json", text.clone()), File::new("statement.json.p7s", detached.sign()?)],
    )?;
    let [header, payload, signature] = erika.jws(&erika.header(SIGNED_UNIX)?, &text)?;
    add(
        "jws",
        "the same statement as a compact JWS",
        &key,
        vec![File::new("statement.jws", format!("{header}.{payload}.{signature}\n"))],
    )?;
    let flattened = json!({ "payload": payload, "protected": header, "signature": signature });
    add(
        "jws-flattened",
        "the same statement as a JWS in flattened JSON",
        &key,
        vec![File::new("statement.jws.json", bundle::json(&flattened)?)],
    )?;
    let (two, pair) = two_witnesses(&erika)?;
    add(
        "two-witnesses",
        "two auditors sign a statement about a P-384 key in one JWS",
        &pair,
        vec![File::new("statement.jws.json", two)],
    )?;
    Ok(samples)
}

fn two_witnesses(erika: &Auditor) -> Result<(Vec<u8>, Arc<Key>), Error> {
    let key = Key::shared("witness-statement subject", KeyKind::P384)?;
    let max = Auditor::new("Max Mustermann", KeyKind::Rsa2048)?;
    let mut said = statement(&key)?;
    if let Some(witnesses) = said["witnesses"].as_array_mut() {
        witnesses.push(json!({ "name": "Max Mustermann", "role": "second witness" }));
    }
    let text = bundle::json(&said)?;
    let mut signatures = Vec::new();
    let mut payload = String::new();
    for auditor in [erika, &max] {
        let [header, encoded, signature] = auditor.jws(&auditor.header(SIGNED_UNIX)?, &text)?;
        signatures.push(json!({ "protected": header, "signature": signature }));
        payload = encoded;
    }
    Ok((bundle::json(&json!({ "payload": payload, "signatures": signatures }))?, key))
}
