//! Receipts: CMS in BER, as Apple's servers write it.

use super::APP_ID;
use crate::apple::authority;
use crate::key::{Key, KeyKind, SignAlg};
use crate::x509::{self, Certificate, Extension, Text, usage};
use crate::{Error, cms, der};
use std::sync::Arc;

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const DATA: &str = "1.2.840.113549.1.7.1";
const MARKER: &str = "1.2.840.113635.100.12.15";

/// A receipt before it is signed.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The fields, by number. Those of the leaf (3) and the client data (4) are added when they are not there.
    pub fields: Vec<(u8, Vec<u8>)>,
    /// Certificate of the signer.
    pub signer: Certificate,
    /// The key that signs.
    pub signer_key: Arc<Key>,
    /// Whether lengths are definite.
    pub is_der: bool,
    root: Certificate,
    root_key: Arc<Key>,
    intermediate: Certificate,
    intermediate_key: Arc<Key>,
}

impl Receipt {
    /// The first receipt of a key, in production.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        let key = |what: &str, kind| Key::shared(&format!("{}: receipt {what}", super::FORMAT), kind);
        let name = |cn: &str, o: &str| {
            x509::name(&[("CN", Text::Utf8, cn), ("O", Text::Utf8, o), ("C", Text::Printable, "US")])
        };
        let (root_key, intermediate_key) = (key("root", KeyKind::P384)?, key("intermediate", KeyKind::P256)?);
        let signer_key = key("signer", KeyKind::P256)?;
        let root = authority(name("keyvouch emulated receipt root", "keyvouch")?, &root_key, None)?;
        let intermediate =
            name("Apple Application Integration CA 5 - G1", "Apple Inc.").and_then(|subject| {
                let mut certificate = authority(subject, &intermediate_key, None)?;
                certificate.issuer.clone_from(&root.subject);
                Ok(certificate)
            })?;
        let subject = name("Application Attestation Fraud Receipt Signing", "Apple Inc.")?;
        let mut signer =
            Certificate::new(subject, &signer_key, "2026-01-01T00:00:00Z", "2027-01-31T00:00:00Z")?;
        signer.issuer.clone_from(&intermediate.subject);
        signer.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
            Extension::new(MARKER, der::null()),
        ];
        let fields = [
            (2, APP_ID),
            (5, "b3BhcXVl"),
            (6, "ATTEST"),
            (7, "production"),
            (12, "2026-06-01T10:00:00.5Z"),
            (19, "2026-06-01T10:00:00.5Z"),
            (21, "2026-08-30T10:00:00.5Z"),
        ];
        Ok(Self {
            fields: fields.map(|(number, text)| (number, text.as_bytes().to_vec())).to_vec(),
            signer,
            signer_key,
            is_der: false,
            root,
            root_key,
            intermediate,
            intermediate_key,
        })
    }

    /// Sets a field.
    pub fn set(&mut self, number: u8, value: impl Into<Vec<u8>>) {
        self.fields.retain(|(known, _)| *known != number);
        self.fields.push((number, value.into()));
    }

    pub(super) fn root(&self) -> Result<Vec<u8>, Error> {
        self.root.sign(&self.root_key, SignAlg::EcdsaSha384)
    }

    /// Signs the receipt for a leaf.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self, leaf: &[u8], client_data_hash: &[u8]) -> Result<Vec<u8>, Error> {
        let mut fields = self.fields.clone();
        for (number, value) in [(3, leaf), (4, client_data_hash)] {
            if !fields.iter().any(|(known, _)| *known == number) {
                fields.push((number, value.to_vec()));
            }
        }
        let each: Vec<_> = fields
            .iter()
            .map(|(number, value)| {
                der::sequence(&[der::integer(&[*number]), der::integer(&[1]), der::octet_string(value)])
            })
            .collect();
        // In no order.
        let content = der::set(&each);
        let digest = der::sequence(&[der::oid("2.16.840.1.101.3.4.2.1")?, der::null()]);
        let signer = der::sequence(&[
            der::integer(&[1]),
            cms::issuer_and_serial(&self.signer),
            digest.clone(),
            SignAlg::EcdsaSha256.algorithm_identifier()?,
            der::octet_string(&self.signer_key.sign(SignAlg::EcdsaSha256, &content)?),
        ]);
        let certificates = der::join(&[
            self.signer.sign(&self.intermediate_key, SignAlg::EcdsaSha256)?,
            self.intermediate.sign(&self.root_key, SignAlg::EcdsaSha384)?,
            self.root()?,
        ]);
        let open = |tag: u8, content: &[u8]| match self.is_der {
            true => der::tlv(tag, content),
            false => [&[tag, 0x80], content, &[0, 0]].concat(),
        };
        let octets = match self.is_der {
            true => der::octet_string(&content),
            false => open(0x24, &content.chunks(1000).map(der::octet_string).collect::<Vec<_>>().concat()),
        };
        let encapsulated = open(0x30, &[der::oid(DATA)?, open(0xa0, &octets)].concat());
        let signed_data = open(
            0x30,
            &[
                der::integer(&[1]),
                der::set(&[digest]),
                encapsulated,
                open(0xa0, &certificates),
                der::set(&[signer]),
            ]
            .concat(),
        );
        Ok(open(0x30, &[der::oid(SIGNED_DATA)?, open(0xa0, &signed_data)].concat()))
    }
}
