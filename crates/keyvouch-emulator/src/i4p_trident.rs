//! I4P Trident: **synthetic, not the vendor's syntax**, which is not public. All that is known is "CMS/PKCS#7"
//! (PKI Consortium, list of HSMs with key attestation). The content and its identifiers below 1.3.6.1.4.1.99999 are
//! made up here, to exercise the verifier's general road: a SignedData, an anchor and a mapping of the operator's.

use crate::cms::{self, SignedData, Signer};
use crate::key::{Key, KeyKind, SignAlg};
use crate::x509::{self, Authority, Certificate, Text, usage};
use crate::{Error, File, Sample, bundle, csr, der, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "i4p-trident";

/// Content type of the DER content.
pub const DER_CONTENT: &str = "1.3.6.1.4.1.99999.1";
/// Content type of the JSON content.
pub const JSON_CONTENT: &str = "1.3.6.1.4.1.99999.2";
/// The operator's mapping of both.
pub const MAPPING: [&str; 2] = [
    "1.3.6.1.4.1.99999.1 public-key=2 generated=3 exportable=4 created=5 serial=6",
    "1.3.6.1.4.1.99999.2 public-key=/key/spki generated=/key/generated exportable=/key/exportable created=/key/created serial=/serial",
];

const AT: &str = "2026-06-01T00:00:00Z";
const DATES: (&str, &str) = ("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z");

/// A maker: its root, and the attestation key of a module.
#[derive(Debug, Clone)]
pub struct Maker {
    /// The root, for the verifier as operator anchor.
    pub root: Authority,
    /// The certificate of the attestation key, not yet signed.
    pub certificate: Certificate,
    /// The attestation key.
    pub key: Arc<Key>,
}

impl Maker {
    /// A maker whose modules attest with a key of this kind. Its keys are the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(kind: KeyKind) -> Result<Self, Error> {
        let name = |cn: &str| x509::name(&[("O", Text::Utf8, "I4P TEST"), ("CN", Text::Utf8, cn)]);
        let root_key = Key::shared(&format!("{FORMAT}: root"), KeyKind::P384)?;
        let mut root = Certificate::new(name("keyvouch emulated root")?, &root_key, DATES.0, DATES.1)?;
        root.extensions = vec![
            x509::basic_constraints(true, None).critical(),
            x509::key_usage(&[usage::KEY_CERT_SIGN]).critical(),
        ];
        let root = Authority::root(root, root_key, SignAlg::EcdsaSha384)?;
        let key = Key::shared(&format!("{FORMAT}: module"), kind)?;
        let mut certificate = Certificate::new(name("Trident TEST")?, &key, DATES.0, DATES.1)?;
        certificate.issuer = root.certificate.subject.clone();
        certificate.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::subject_key_identifier(&x509::key_id(&key)?),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
        ];
        Ok(Self { root, certificate, key })
    }

    /// The certificate of the attestation key, signed by the root.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn certificate_der(&self) -> Result<Vec<u8>, Error> {
        self.certificate.sign(&self.root.key, SignAlg::EcdsaSha384)
    }

    /// A message of the module with this content.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn attest(&self, content_type: &str, content: Vec<u8>) -> Result<SignedData, Error> {
        let signer = Signer::new(&self.certificate, &self.key, content_type, &content, AT)?;
        Ok(SignedData {
            content_type: content_type.to_owned(),
            content,
            detached: false,
            certificates: vec![self.certificate_der()?],
            signers: vec![signer],
        })
    }

    /// The options that make a verifier take this maker's root for I4P's, and read the content.
    pub fn options(&self) -> Map<String, Value> {
        let digest = hex::encode(crate::key::sha256(&self.root.der));
        Map::from_iter([
            ("i4p_roots".to_owned(), json!([digest])),
            ("i4p_mapping".to_owned(), json!(MAPPING)),
        ])
    }
}

/// What a made-up statement says of a key.
#[derive(Debug, Clone)]
pub struct Statement {
    /// DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// Whether the module generated the key.
    pub generated: bool,
    /// Whether it can leave.
    pub exportable: bool,
}

impl Statement {
    /// A key that the module generated and keeps.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn of(key: &Key) -> Result<Self, Error> {
        Ok(Self { spki: key.spki_der()?, generated: true, exportable: false })
    }

    /// SEQUENCE { version, keyId, spki, generated, exportable, time, serial }.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        der::sequence(&[
            der::integer(&[1]),
            der::utf8_string("key 1"),
            self.spki.clone(),
            der::boolean(self.generated),
            der::boolean(self.exportable),
            der::tlv(0x18, b"20260501120000Z"),
            der::utf8_string("TEST-0001"),
        ])
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn json(&self) -> Result<Vec<u8>, Error> {
        bundle::json(&json!({
            "serial": "TEST-0001",
            "key": {
                "spki": bundle::base64(&self.spki),
                "generated": self.generated,
                "exportable": self.exportable,
                "created": "2026-05-01T12:00:00Z",
            },
        }))
    }
}

/// Positive samples: synthetic, not the vendor's syntax.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let (ec, rsa) = (Maker::new(KeyKind::P256)?, Maker::new(KeyKind::Rsa3072)?);
    let key = Key::shared(&format!("{FORMAT}: subscriber"), KeyKind::P256)?;
    let statement = Statement::of(&key)?;
    let request = File::new("request.csr", pem::request(&csr::plain("emulated subscriber", &key)?));
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, maker: &Maker, evidence: Vec<File>| {
        samples.push(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: format!("synthetic, not the vendor's syntax: {about}"),
            evidence,
            request: Some(request.clone()),
            anchors: vec![File::new("root.pem", pem::certificate(&maker.root.der))],
            at: AT.to_owned(),
            options: maker.options(),
        });
    };
    let p7m = |message: &SignedData| Ok::<_, Error>(vec![File::new("attestation.p7m", message.sign()?)]);
    let message = ec.attest(DER_CONTENT, statement.der())?;
    add("der", "DER content, P-256", &ec, p7m(&message)?);
    let pem = pem::encode("CMS", &message.sign()?);
    add("pem", "the same as PEM", &ec, vec![File::new("attestation.pem", pem)]);
    add("rsa", "DER content, RSA-3072", &rsa, p7m(&rsa.attest(DER_CONTENT, statement.der())?)?);
    add("json", "JSON content", &ec, p7m(&ec.attest(JSON_CONTENT, statement.json()?)?)?);
    let mut pss = rsa.attest(DER_CONTENT, statement.der())?;
    pss.signers[0].alg = SignAlg::RsaPssSha256;
    add("pss", "DER content, RSA-PSS", &rsa, p7m(&pss)?);
    let mut by_id = message.clone();
    (by_id.signers[0].version, by_id.signers[0].id) = (3, cms::key_id(&x509::key_id(&ec.key)?));
    by_id.certificates.clear();
    let certificate = File::new("module.pem", pem::certificate(&ec.certificate_der()?));
    let beside = [p7m(&by_id)?, vec![certificate]].concat();
    add("key-id", "signer named by key identifier, its certificate beside", &ec, beside);
    let detached = SignedData { detached: true, ..ec.attest(JSON_CONTENT, statement.json()?)? };
    let beside = vec![
        File::new("attestation.p7s", detached.sign()?),
        File::new("attestation.json", statement.json()?),
    ];
    add("detached", "JSON content in a file of its own", &ec, beside);
    Ok(samples)
}
