//! Ready-made evidence.

use super::{Attestation, Carrier, FORMAT};
use crate::key::{Key, KeyKind};
use crate::x509::{self, usage};
use crate::{Error, File, Sample, csr, pem};
use serde_json::Map;
use std::sync::Arc;

/// While the authority lives.
const AT: &str = "2026-06-01T00:00:00Z";

fn subject_key(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: subscriber"), kind)
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, key: &Key, attestation: &Attestation, carrier, at: &str| {
        let signed = attestation.sign()?;
        samples.push(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence: signed.carried(carrier)?,
            request: Some(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?))),
            anchors: signed.anchors(),
            at: at.to_owned(),
            options: Map::new(),
        });
        Ok::<_, Error>(())
    };

    let rsa = subject_key(KeyKind::Rsa3072)?;
    let plain = Attestation::new(&rsa)?;
    add("rsa3072", "response for an RSA-3072 signing key", &rsa, &plain, Carrier::Json, AT)?;
    for (variant, about, carrier) in [
        ("without-root", "the response without the root", Carrier::JsonWithoutRoot),
        ("reversed", "the response with its chain in reverse order", Carrier::JsonReversed),
        ("base64", "the response as one base64 text", Carrier::Base64),
        ("pem", "statement, authority, CA and root in one PEM file", Carrier::Pem),
        ("der", "four DER files", Carrier::Der),
    ] {
        add(variant, about, &rsa, &plain, carrier, AT)?;
    }

    let mut all_uses = plain.clone();
    if let Some(key_usage) = all_uses.statement.extension_mut("2.5.29.15") {
        let bits = [usage::DIGITAL_SIGNATURE, usage::KEY_ENCIPHERMENT, 3, 4];
        *key_usage = x509::key_usage(&bits).critical();
    }
    let about = "a key that may sign, decrypt, wrap and agree";
    add("all-uses", about, &rsa, &all_uses, Carrier::Json, AT)?;

    let mut renewed = plain.clone();
    renewed.statement.not_before = "2026-05-05T00:36:06Z".to_owned();
    let about = "signed 14 hours before the authority's certificate was renewed";
    add("renewed-authority", about, &rsa, &renewed, Carrier::Json, AT)?;

    let about = "judged a year after the authority's end";
    add("expired-authority", about, &rsa, &plain, Carrier::Json, "2027-06-01T00:00:00Z")?;

    for (variant, kind) in [("p256", KeyKind::P256), ("ed25519", KeyKind::Ed25519)] {
        let key = subject_key(kind)?;
        let about = "response for a key that is not RSA (no real one was seen)";
        add(variant, about, &key, &Attestation::new(&key)?, Carrier::Json, AT)?;
    }

    let mut printable = plain.clone();
    printable.authority.issuer = x509::name(&[
        ("C", x509::Text::Printable, "US"),
        ("ST", x509::Text::Printable, "California"),
        ("L", x509::Text::Printable, "Santa Clara"),
        ("O", x509::Text::Printable, "Fortanix, Inc."),
        ("CN", x509::Text::Printable, "Fortanix Key Attestation CA"),
    ])?;
    let about = "issuer name of the authority in PrintableString, the CA's subject in UTF8String";
    add("printable-names", about, &rsa, &printable, Carrier::Json, AT)?;
    Ok(samples)
}
