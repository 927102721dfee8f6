//! App Attest: an attestation object for the key of an app, assertions by it, and receipts.

mod receipt;

pub use receipt::Receipt;

use super::{AT, Chain, Names, cbor, extension};
use crate::key::{Key, KeyKind, SignAlg, sha256};
use crate::x509::{self, Text};
use crate::{Error, File, Sample, bundle, csr, der, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "apple-app-attest";
/// The app of the samples.
pub const APP_ID: &str = "KVEMULATED.example.keyvouch.app";
/// AAGUID of production.
pub const PRODUCTION: &[u8; 16] = b"appattest\0\0\0\0\0\0\0";
/// AAGUID of development.
pub const DEVELOPMENT: &[u8; 16] = b"appattestdevelop";

/// An attestation object before anything in it is signed: change what the test is about, then [`Attestation::sign`].
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The leaf and its chain; the nonce of the leaf is added when it is signed.
    pub chain: Chain,
    /// SHA-256 of the app id.
    pub rp_id_hash: Vec<u8>,
    /// Flags.
    pub flags: u8,
    /// Counter.
    pub counter: u32,
    /// AAGUID.
    pub aaguid: Vec<u8>,
    /// Credential id.
    pub credential_id: Vec<u8>,
    /// COSE_Key.
    pub cose_key: Vec<u8>,
    /// Whatever follows in the authenticator data.
    pub trailing: Vec<u8>,
    /// The value that the app gave to the API.
    pub client_data_hash: Vec<u8>,
    /// The value of extension 8.2, instead of the right one.
    pub nonce_extension: Option<Vec<u8>>,
    /// The receipt; `None` leaves the member out.
    pub receipt: Option<Receipt>,
    /// How many certificates of the chain go along, the leaf first.
    pub certificates: usize,
    /// `fmt`.
    pub fmt: String,
}

/// The same, signed.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The attestation object.
    pub object: Vec<u8>,
    /// The leaf, DER.
    pub leaf: Vec<u8>,
    /// The roots of the leaf and of the receipt.
    pub anchors: Vec<File>,
}

impl Attestation {
    /// For a P-256 key, in production.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(key: &Key, client_data_hash: &[u8]) -> Result<Self, Error> {
        let point = key.point().ok_or(Error::UnfitKey(FORMAT, key.kind()))?;
        let name = |cn: &str, o: &str| {
            x509::name(&[("CN", Text::Utf8, cn), ("O", Text::Utf8, o), ("ST", Text::Utf8, "California")])
        };
        let names = Names {
            label: FORMAT,
            intermediate_key: KeyKind::P256,
            root: name("keyvouch emulated App Attestation Root CA", "keyvouch")?,
            intermediate: name("Apple App Attestation CA 1", "Apple Inc.")?,
        };
        let mut chain = Chain::new(names, key, "2026-06-04T10:00:00Z", SignAlg::EcdsaSha256)?;
        chain.leaf.extensions.extend([
            extension("5", key_description(APP_ID)),
            extension("7", os_information(&[(1400, "26.1"), (1403, "23B85"), (1026, "iphoneos")])),
        ]);
        Ok(Self {
            chain,
            rp_id_hash: sha256(APP_ID.as_bytes()),
            flags: 0x40,
            counter: 0,
            aaguid: PRODUCTION.to_vec(),
            credential_id: sha256(point),
            cose_key: cbor::cose_p256(point),
            trailing: Vec::new(),
            client_data_hash: client_data_hash.to_vec(),
            nonce_extension: None,
            receipt: Some(Receipt::new()?),
            certificates: 2,
            fmt: "apple-appattest".to_owned(),
        })
    }

    /// The authenticator data.
    #[must_use]
    pub fn auth_data(&self) -> Vec<u8> {
        [
            &self.rp_id_hash[..],
            &[self.flags],
            &self.counter.to_be_bytes(),
            &self.aaguid,
            &u16::try_from(self.credential_id.len()).unwrap_or(u16::MAX).to_be_bytes(),
            &self.credential_id,
            &self.cose_key,
            &self.trailing,
        ]
        .concat()
    }

    /// Signs.
    ///
    /// # Errors
    /// As [`x509::Certificate::sign`].
    pub fn sign(&self) -> Result<Signed, Error> {
        let auth_data = self.auth_data();
        let nonce = sha256(&[&auth_data[..], &self.client_data_hash].concat());
        let value = der::sequence(&[der::explicit(1, &der::octet_string(&nonce))]);
        let mut chain = self.chain.clone();
        chain.leaf.extensions.push(extension("2", self.nonce_extension.clone().unwrap_or(value)));
        let signed = chain.sign()?;
        let x5c: Vec<_> = signed.array().iter().take(self.certificates).map(|der| cbor::bytes(der)).collect();
        let mut statement = vec![("x5c", cbor::array(&x5c))];
        let mut anchors = signed.anchors();
        if let Some(receipt) = &self.receipt {
            let bytes = receipt.sign(&signed.leaf, &self.client_data_hash)?;
            statement.push(("receipt", cbor::bytes(&bytes)));
            anchors.push(File::new("receipt-root.pem", pem::certificate(&receipt.root()?)));
        }
        let object = cbor::map(&[
            ("fmt", cbor::text(&self.fmt)),
            ("attStmt", cbor::map(&statement)),
            ("authData", cbor::bytes(&auth_data)),
        ]);
        Ok(Signed { object, leaf: signed.leaf, anchors })
    }
}

/// An assertion: CBOR.
///
/// # Errors
/// Those of [`Key::sign`].
pub fn assertion(key: &Key, app_id: &str, counter: u32, client_data: &[u8]) -> Result<Vec<u8>, Error> {
    let data = [&sha256(app_id.as_bytes())[..], &[0x40], &counter.to_be_bytes()].concat();
    let nonce = sha256(&[&data[..], &sha256(client_data)].concat());
    let signature = key.sign(SignAlg::EcdsaSha256, &nonce)?;
    Ok(cbor::map(&[("signature", cbor::bytes(&signature)), ("authenticatorData", cbor::bytes(&data))]))
}

/// Extension 8.5 with this app.
#[must_use]
pub fn key_description(app_id: &str) -> Vec<u8> {
    der::sequence(&[
        numbered(4, &der::integer(&[10])),
        numbered(1200, &der::integer(&[0])),
        numbered(1204, &der::octet_string(app_id.as_bytes())),
        numbered(1206, &der::integer(&[4])),
    ])
}

/// Extension 8.7 with these texts.
#[must_use]
pub fn os_information(texts: &[(u16, &str)]) -> Vec<u8> {
    let members: Vec<_> =
        texts.iter().map(|(number, text)| numbered(*number, &der::octet_string(text.as_bytes()))).collect();
    der::sequence(&members)
}

/// An explicit context tag whose number may take two bytes (X.690, 8.1.2.4).
fn numbered(number: u16, content: &[u8]) -> Vec<u8> {
    if number < 31 {
        return der::explicit(u8::try_from(number).unwrap_or(0), content);
    }
    let [high, low] = [(number >> 7) & 0x7f, number & 0x7f].map(|bits| u8::try_from(bits).unwrap_or(0));
    let framed = der::tlv(0xbf, content);
    [&[0xbf, 0x80 | high, low], framed.get(1..).unwrap_or_default()].concat()
}

fn app_key() -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: app"), KeyKind::P256)
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let second = Key::shared(&format!("{FORMAT}: second"), KeyKind::P256)?;
    let request = File::new("request.csr", pem::request(&csr::plain("emulated subscriber", &second)?));
    let point = bundle::base64url(second.point().unwrap_or_default());
    let document = serde_json::to_vec(&json!({ "challenge": "a2V5dm91Y2g", "publicKey": point }))?;
    let key = app_key()?;
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, evidence: File, anchors: &[File], hash: Option<&[u8]>| {
        let mut options = Map::new();
        options.insert("app_id".to_owned(), Value::from(APP_ID));
        if let Some(hash) = hash {
            options.insert("client_data_hash".to_owned(), Value::from(hex::encode(hash)));
        }
        samples.push(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence: vec![evidence],
            request: hash.is_none().then(|| request.clone()),
            anchors: anchors.to_vec(),
            at: AT.to_owned(),
            options,
        });
    };
    // The container brings its client data along, in which the app names the key of the request.
    let signed = Attestation::new(&key, &sha256(&document))?.sign()?;
    let container = json!({
        "typ": "ios-appattest",
        "attestation": bundle::base64url(&signed.object),
        "clientDataJSON": bundle::base64url(&document),
    });
    let about = "JSON container with client data that name the request's key";
    add("container", about, File::new("proof.json", bundle::json(&container)?), &signed.anchors, None);
    let raw = b"a challenge of any length";
    let signed = Attestation::new(&key, raw)?.sign()?;
    let about = "attestation object over a challenge that was not hashed";
    add("raw-challenge", about, File::new("attestation.cbor", signed.object), &signed.anchors, Some(raw));
    let data = "client data of an app";
    let signed = Attestation::new(&key, &sha256(data.as_bytes()))?.sign()?;
    let about = "attestation object, its client data beside it";
    add("client-data", about, File::new("attestation.cbor", signed.object), &signed.anchors, Some(b""));
    if let Some(sample) = samples.last_mut() {
        sample.options.remove("client_data_hash");
        sample.options.insert("client_data".to_owned(), Value::from(data));
    }
    Ok(samples)
}
