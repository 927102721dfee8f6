//! Fortanix DSM key attestation: the certificate that a cluster makes for a key, under its monthly authority.
//!
//! Source of names, numbers and shapes: Fortanix, "Using Fortanix DSM for Verifying Key Attestation Statements", and
//! the vendor's verifier github.com/fortanix/user-assurance. The certificates have the names, string types and
//! extension order of real ones, with what is not DER in them; only the root has a name that no real one has.

mod samples;

pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg, derived, sha1};
use crate::x509::{self, Certificate, Extension, Text, usage};
use crate::{Error, File, bundle, der, pem};
use serde_json::{Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "fortanix";

/// Object identifiers of the vendor arc.
pub mod oid {
    /// Attribute of a name: UUID of a DSM key.
    pub const KEY_ID: &str = "1.3.6.1.4.1.49690.1.2.2";
    /// Statement: the key was generated in DSM.
    pub const GENERATED: &str = "1.3.6.1.4.1.49690.2.4.1.1";
    /// Statement: the key is and was never exportable.
    pub const NEVER_EXPORTABLE: &str = "1.3.6.1.4.1.49690.2.4.1.2";
    /// Authority: which nodes the cluster takes in.
    pub const CLUSTER_POLICY: &str = "1.3.6.1.4.1.49690.2.5";
    /// Policy item: minimum protection profile.
    pub const MINIMUM_PROTECTION: &str = "1.3.6.1.4.1.49690.2.5.1";
    /// Protection profile: FX2200 appliance.
    pub const FX2200: &str = "1.3.6.1.4.1.49690.2.5.1.1";
    /// Policy item: approval by the site's operator.
    pub const SITE_OPERATOR_APPROVAL: &str = "1.3.6.1.4.1.49690.2.5.2";
    /// Certificate policy of key attestation.
    pub const KEY_ATTESTATION_POLICY: &str = "1.3.6.1.4.1.49690.6.1.2";
    /// Certificate policy of another service.
    pub const OTHER_POLICY: &str = "1.3.6.1.4.1.49690.6.1.3";
    /// Extended key usage of authorities.
    pub const KEY_ATTESTATION_PURPOSE: &str = "1.3.6.1.4.1.49690.8.1";
    /// cRLDistributionPoints.
    pub const CRL_POINTS: &str = "2.5.29.31";
}

/// Name of the emulated root.
pub const ROOT_CN: &str = "keyvouch emulated Attestation and Provisioning Root CA";
/// Name of a statement.
pub const STATEMENT_CN: &str = "Fortanix DSM Key Attestation";
/// Name of an authority.
pub const AUTHORITY_CN: &str = "Fortanix DSM SaaS Key Attestation Authority";

/// A statement with its chain before the certificates are signed: change what the test is about, then
/// [`Attestation::sign`].
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The root.
    pub root: Certificate,
    /// The Key Attestation CA.
    pub ca: Certificate,
    /// The authority.
    pub authority: Certificate,
    /// The statement.
    pub statement: Certificate,
    /// The key that signs root and CA.
    pub root_key: Arc<Key>,
    /// The key that signs the authority.
    pub ca_key: Arc<Key>,
    /// The key that signs the statement.
    pub authority_key: Arc<Key>,
    /// Algorithm of the CA's signature.
    pub ca_signature: SignAlg,
    /// Algorithm of the authority's signature.
    pub authority_signature: SignAlg,
    /// Algorithm of the statement's signature.
    pub statement_signature: SignAlg,
}

/// Signed certificates, DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The root.
    pub root: Vec<u8>,
    /// The Key Attestation CA.
    pub ca: Vec<u8>,
    /// The authority.
    pub authority: Vec<u8>,
    /// The statement.
    pub statement: Vec<u8>,
}

/// When things happen in the emulated cluster, RFC 3339.
pub mod date {
    /// Start of root and CA.
    pub const PKI: &str = "2026-01-05T16:38:12Z";
    /// End of the root.
    pub const ROOT_END: &str = "2036-01-03T16:38:12Z";
    /// End of the CA.
    pub const CA_END: &str = "2029-01-04T16:38:12Z";
    /// Start of the authority.
    pub const AUTHORITY: &str = "2026-05-05T14:08:13Z";
    /// End of the authority.
    pub const AUTHORITY_END: &str = "2026-06-04T14:08:13Z";
    /// The statement.
    pub const STATEMENT: &str = "2026-05-20T18:11:51Z";
    /// No end.
    pub const NEVER: &str = "9999-12-31T23:59:59Z";
}

impl Attestation {
    /// What DSM says of a key that it generated, that is never exportable, and that may sign. The keys of the
    /// authorities are the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(key: &Key) -> Result<Self, Error> {
        let root_key = Key::shared("fortanix: root", KeyKind::Rsa4096)?;
        let ca_key = Key::shared("fortanix: CA", KeyKind::Rsa4096)?;
        let authority_key = Key::shared("fortanix: authority", KeyKind::Rsa3072)?;
        let root = root(&root_key)?;
        let ca = ca(&ca_key, &root, &root_key)?;
        let authority = authority(&authority_key, &ca, &ca_key)?;
        let statement = statement(key, &authority, &authority_key)?;
        Ok(Self {
            root,
            ca,
            authority,
            statement,
            root_key,
            ca_key,
            authority_key,
            ca_signature: SignAlg::RsaPkcs1Sha256,
            authority_signature: SignAlg::RsaPkcs1Sha256,
            statement_signature: SignAlg::RsaPkcs1Sha256,
        })
    }

    /// Sign all four.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Signed, Error> {
        Ok(Signed {
            root: self.root.sign(&self.root_key, SignAlg::RsaPkcs1Sha256)?,
            ca: self.ca.sign(&self.root_key, self.ca_signature)?,
            authority: self.authority.sign(&self.ca_key, self.authority_signature)?,
            statement: self.statement.sign(&self.authority_key, self.statement_signature)?,
        })
    }
}

/// Key identifiers of this PKI: SHA-1 over the whole SubjectPublicKeyInfo.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn key_id(key: &Key) -> Result<Vec<u8>, Error> {
    Ok(sha1(&key.spki_der()?))
}

/// A name with the locality of the vendor, all UTF8String.
fn vendor_name(common_name: &str) -> Result<Vec<u8>, Error> {
    x509::name(&[
        ("C", Text::Utf8, "US"),
        ("ST", Text::Utf8, "California"),
        ("L", Text::Utf8, "Santa Clara"),
        ("O", Text::Utf8, "Fortanix, Inc."),
        ("CN", Text::Utf8, common_name),
    ])
}

/// Serial numbers have 20 octets, and a zero octet before a set top bit: 21.
fn serial(label: &str) -> Vec<u8> {
    let mut serial = derived(&format!("{FORMAT}: {label}"), 20);
    serial[0] |= 0x80;
    der::unsigned(&serial)
}

/// cRLDistributionPoints with one address, not critical.
pub fn crl_point(uri: &str) -> Extension {
    let name = der::implicit(6, uri.as_bytes());
    let point = der::sequence(&[der::explicit(0, &der::explicit(0, &name))]);
    Extension::new(oid::CRL_POINTS, der::sequence(&[point]))
}

/// ClusterNodeEnrollmentPolicy: items, each with an optional qualifier that is an object identifier.
///
/// # Errors
/// [`Error::Oid`].
pub fn cluster_policy(items: &[(&str, Option<&str>)]) -> Result<Vec<u8>, Error> {
    let items: Vec<_> = items
        .iter()
        .map(|(item, qualifier)| {
            let qualifier = qualifier.map(der::oid).transpose()?.unwrap_or_default();
            Ok(der::sequence(&[der::oid(item)?, qualifier]))
        })
        .collect::<Result<_, Error>>()?;
    Ok(der::sequence(&items))
}

const CA_USAGE: [u8; 3] = [usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN, usage::CRL_SIGN];

fn root(key: &Key) -> Result<Certificate, Error> {
    let mut root = Certificate::new(vendor_name(ROOT_CN)?, key, date::PKI, date::ROOT_END)?;
    root.serial = serial("root");
    root.extensions = vec![
        x509::key_usage(&CA_USAGE).critical(),
        x509::basic_constraints(true, None).critical(),
        x509::subject_key_identifier(&key_id(key)?),
    ];
    Ok(root)
}

fn ca(key: &Key, root: &Certificate, root_key: &Key) -> Result<Certificate, Error> {
    let mut ca = Certificate::new(vendor_name("Fortanix Key Attestation CA")?, key, date::PKI, date::CA_END)?;
    ca.serial = serial("CA");
    ca.issuer = root.subject.clone();
    ca.extensions = vec![
        x509::key_usage(&CA_USAGE).critical(),
        x509::basic_constraints(true, None).critical(),
        x509::subject_key_identifier(&key_id(key)?),
        crl_point("https://pki.fortanix.com/Fortanix_Attestation_and_Provisioning_Root_CA.crl"),
        x509::certificate_policies(&[oid::KEY_ATTESTATION_POLICY])?,
        x509::authority_key_identifier(&key_id(root_key)?),
    ];
    Ok(ca)
}

/// keyUsage digitalSignature as the vendor writes it: one unused bit, although six more are zero.
const USAGE_NOT_MINIMAL: [u8; 4] = [0x03, 0x02, 0x01, 0x80];
/// basicConstraints with cA FALSE written out, which DER leaves out.
const NOT_A_CA_NOT_DER: [u8; 5] = [0x30, 0x03, 0x01, 0x01, 0x00];

fn authority(key: &Key, ca: &Certificate, ca_key: &Key) -> Result<Certificate, Error> {
    let name = x509::common_name(AUTHORITY_CN)?;
    let mut authority = Certificate::new(name, key, date::AUTHORITY, date::AUTHORITY_END)?;
    authority.serial = serial("authority");
    authority.issuer = ca.subject.clone();
    let policy =
        cluster_policy(&[(oid::MINIMUM_PROTECTION, Some(oid::FX2200)), (oid::SITE_OPERATOR_APPROVAL, None)])?;
    authority.extensions = vec![
        Extension::new("2.5.29.15", USAGE_NOT_MINIMAL).critical(),
        Extension::new("2.5.29.19", NOT_A_CA_NOT_DER).critical(),
        x509::subject_key_identifier(&key_id(key)?),
        x509::extended_key_usage(&[oid::KEY_ATTESTATION_PURPOSE])?,
        Extension::new(oid::CLUSTER_POLICY, policy),
        crl_point("https://pki.fortanix.com/Fortanix_Key_Attestation_CA.crl"),
        x509::certificate_policies(&[oid::KEY_ATTESTATION_POLICY])?,
        x509::authority_key_identifier(&key_id(ca_key)?),
    ];
    Ok(authority)
}

fn statement(key: &Key, authority: &Certificate, authority_key: &Key) -> Result<Certificate, Error> {
    let id = hex::encode(derived(&hex::encode(key.spki_der()?), 16));
    let uuid = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
    let name = x509::name(&[("CN", Text::Utf8, STATEMENT_CN), (oid::KEY_ID, Text::Utf8, &uuid)])?;
    let mut statement = Certificate::new(name, key, date::STATEMENT, date::NEVER)?;
    statement.serial = serial(&uuid);
    statement.issuer = authority.subject.clone();
    let empty: [&[u8]; 0] = [];
    statement.extensions = vec![
        x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
        Extension::new(oid::GENERATED, der::sequence(&empty)),
        Extension::new(oid::NEVER_EXPORTABLE, der::sequence(&empty)),
        x509::authority_key_identifier(&key_id(authority_key)?),
    ];
    Ok(statement)
}

/// In what a subscriber hands in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The response as DSM gives it.
    Json,
    /// The response without the root.
    JsonWithoutRoot,
    /// The response with its chain in reverse order.
    JsonReversed,
    /// The response as one base64 text.
    Base64,
    /// Statement, authority, CA and root in one PEM file.
    Pem,
    /// Four DER files.
    Der,
}

impl Signed {
    /// The chain in the order of real responses.
    pub fn chain(&self) -> [&[u8]; 3] {
        [&self.authority, &self.ca, &self.root]
    }

    /// The response as JSON with these certificates as chain.
    pub fn response(&self, chain: &[&[u8]]) -> Value {
        let chain: Vec<_> = chain.iter().map(|certificate| bundle::base64(certificate)).collect();
        json!({
            "authority_chain": chain,
            "attestation_statement": {
                "format": "x509_certificate", "statement": bundle::base64(&self.statement),
            },
        })
    }

    /// The certificates in a carrier.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn carried(&self, carrier: Carrier) -> Result<Vec<File>, Error> {
        let [authority, ca, root] = self.chain();
        let json = |chain: &[&[u8]]| bundle::json(&self.response(chain));
        Ok(match carrier {
            Carrier::Json => vec![File::new("key_attestation.json", json(&[authority, ca, root])?)],
            Carrier::JsonWithoutRoot => vec![File::new("key_attestation.json", json(&[authority, ca])?)],
            Carrier::JsonReversed => vec![File::new("key_attestation.json", json(&[root, ca, authority])?)],
            Carrier::Base64 => {
                vec![File::new("key_attestation.b64", bundle::base64(&json(&[authority, ca, root])?))]
            }
            Carrier::Pem => {
                let all = [&self.statement[..], authority, ca, root];
                vec![File::new("key_attestation.pem", pem::certificates(&all))]
            }
            Carrier::Der => vec![
                File::new("statement.der", self.statement.clone()),
                File::new("authority.der", authority),
                File::new("ca.der", ca),
                File::new("root.der", root),
            ],
        })
    }

    /// The root as PEM file, for the verifier as operator anchor.
    pub fn anchors(&self) -> Vec<File> {
        vec![File::new("root.pem", pem::certificate(&self.root))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_as_long_as_real_ones() {
        let key = Key::shared("fortanix: subscriber", KeyKind::Rsa2048).unwrap();
        let signed = Attestation::new(&key).unwrap().sign().unwrap();
        // The real one: 1027 octets, with a serial number of 20 octets instead of 21.
        assert_eq!(signed.statement.len(), 1027 + 1);
        // The real one has the same name and a serial number of 21 octets.
        assert_eq!(signed.authority.len(), 1505);
    }

    #[test]
    fn what_is_not_der_is_written_so() {
        let key = Key::shared("fortanix: subscriber", KeyKind::Rsa2048).unwrap();
        let signed = Attestation::new(&key).unwrap().sign().unwrap();
        let text = hex::encode(&signed.authority);
        assert!(text.contains("0603551d130101ff04053003010100"));
        assert!(text.contains("0603551d0f0101ff040403020180"));
        assert!(text.contains(
            "302c301b060b2b060104018384 1a02050106 0c2b060104018384 1a0205 0101300d060b2b060104018384 1a020502"
                .replace(' ', "").as_str()
        ));
    }
}
