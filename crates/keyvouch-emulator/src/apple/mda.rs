//! Managed Device Attestation: a leaf that names a managed device.

use super::{AT, Chain, Names, SignedChain, cbor, extension};
use crate::key::{Key, KeyKind, SignAlg, sha256};
use crate::x509::{self, Text};
use crate::{Error, File, Sample, bundle, csr, der, pem};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "apple-mda";

/// The token of the challenge that the samples answer.
pub const TOKEN: &str = "keyvouch-emulated-token-0123456789abcdefghi";
/// Serial number of the emulated Mac.
pub const SERIAL: &str = "KVEMULATED";
/// Its UDID.
pub const UDID: &str = "00006030-0000000000000001";

/// A leaf and its chain, as templates. The extensions of the leaf are those of a Mac in good state.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn chain(key: &Key, freshness: &[u8]) -> Result<Chain, Error> {
    let names = Names {
        label: FORMAT,
        intermediate_key: KeyKind::P384,
        root: x509::name(&[
            ("CN", Text::Utf8, "keyvouch emulated Enterprise Attestation Root CA"),
            ("O", Text::Utf8, "keyvouch"),
            ("C", Text::Printable, "US"),
        ])?,
        intermediate: x509::name(&[
            ("CN", Text::Utf8, "Apple Enterprise Attestation Sub CA 1"),
            ("O", Text::Utf8, "Apple Inc."),
            ("C", Text::Printable, "US"),
        ])?,
    };
    let mut chain = Chain::new(names, key, "2026-08-30T10:00:00Z", SignAlg::EcdsaSha384)?;
    chain.leaf.extensions.extend([
        extension("10.2", "26.1"),
        extension("10.3", "26.1.0"),
        extension("10.1", "26.1.2"),
        extension("9.4", "J413AP"),
        extension("13.2", "Full Security"),
        extension("13.1", der::integer(&[0])),
        extension("13.3", der::integer(&[0])),
        extension("9.1", SERIAL),
        extension("9.2", UDID),
        extension("11.1", freshness),
    ]);
    Ok(chain)
}

/// The freshness code of an ACME token.
#[must_use]
pub fn freshness_of(token: &str) -> Vec<u8> {
    sha256(token.as_bytes())
}

/// An attestation object without `authData`, as in an ACME answer.
#[must_use]
pub fn attestation_object(array: &[Vec<u8>]) -> Vec<u8> {
    let x5c: Vec<_> = array.iter().map(|der| cbor::bytes(der)).collect();
    let statement = cbor::map(&[("x5c", cbor::array(&x5c))]);
    cbor::map(&[("fmt", cbor::text("apple")), ("attStmt", statement)])
}

/// The answer to a `DeviceInformation` query, as an XML property list.
#[must_use]
pub fn answer(array: &[Vec<u8>]) -> Vec<u8> {
    let data: String = array.iter().map(|der| format!("<data>{}</data>\n", bundle::base64(der))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n\
         <key>QueryResponses</key>\n<dict>\n<key>DevicePropertiesAttestation</key>\n<array>\n{data}</array>\n</dict>\n\
         <key>Status</key>\n<string>Acknowledged</string>\n</dict>\n</plist>\n"
    )
    .into_bytes()
}

/// The array of certificates alone, as a binary property list.
#[must_use]
pub fn binary_answer(array: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"bplist00".to_vec();
    let mut offsets = vec![out.len()];
    // At most a handful of certificates.
    out.push(0xa0 | u8::try_from(array.len()).unwrap_or(15));
    out.extend((1..=array.len()).map(|number| u8::try_from(number).unwrap_or(255)));
    for data in array {
        offsets.push(out.len());
        let [.., high, low] = data.len().to_be_bytes();
        out.extend([0x4f, 0x11, high, low]);
        out.extend(data);
    }
    let table = out.len();
    out.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
    out.extend([0, 0, 0, 0, 0, 0, 8, 1]);
    for number in [offsets.len(), 0, table] {
        out.extend(number.to_be_bytes());
    }
    out
}

fn subscriber(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: subscriber"), kind)
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, key: &Key, signed: &SignedChain, evidence: File| {
        let mut options = Map::new();
        options.insert("acme_token".to_owned(), Value::from(TOKEN));
        options.insert("device_identifier".to_owned(), Value::from(SERIAL));
        samples.push(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence: vec![evidence],
            request: Some(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?))),
            anchors: signed.anchors(),
            at: AT.to_owned(),
            options,
        });
        Ok::<_, Error>(())
    };
    let key = subscriber(KeyKind::P384)?;
    let signed = chain(&key, &freshness_of(TOKEN))?.sign()?;
    let array = signed.array();
    let object = File::new("attestation.cbor", attestation_object(&array));
    add("mac-p384", "attestation object of a Mac, key on P-384", &key, &signed, object)?;
    let pem = File::new("chain.pem", pem::certificates(&array));
    add("pem", "leaf and intermediate as PEM", &key, &signed, pem)?;
    let xml = File::new("answer.plist", answer(&array));
    add("mdm-answer", "answer to an MDM server, XML property list", &key, &signed, xml)?;
    let binary = File::new("answer.bplist", binary_answer(&array));
    add("mdm-array", "the array of certificates alone, binary property list", &key, &signed, binary)?;

    let key = subscriber(KeyKind::P256)?;
    let mut phone = chain(&key, &freshness_of(TOKEN))?;
    for arc in ["13.1", "13.2", "13.3"] {
        phone.leaf.remove_extension(&super::oid(arc));
    }
    let signed = phone.sign()?;
    let object = File::new("attestation.cbor", attestation_object(&signed.array()));
    add("iphone-p256", "attestation object of an iPhone, key on P-256", &key, &signed, object)?;
    let with_root = [signed.array(), vec![signed.root.clone()]].concat();
    let object = File::new("attestation.b64", bundle::base64(&attestation_object(&with_root)));
    add("with-root", "attestation object with the root in it, as base64", &key, &signed, object)?;
    Ok(samples)
}
