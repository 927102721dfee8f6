//! Ready-made evidence.

use super::{Carrier, Device, FORMAT, Hierarchy, Maker, oid, pin, touch};
use crate::key::{Key, KeyKind, SignAlg};
use crate::{Error, File, Sample, csr, pem};
use serde_json::Map;
use std::sync::Arc;

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let mut samples = plain_samples()?;
    samples.extend(carrier_samples()?);
    samples.extend(request_samples()?);
    Ok(samples)
}

const AT: &str = "2026-06-01T00:00:00Z";

fn sample(
    variant: &str,
    about: &str,
    evidence: Vec<File>,
    request: Option<File>,
    anchors: Vec<File>,
) -> Sample {
    Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request,
        anchors,
        at: AT.to_owned(),
        options: Map::new(),
    }
}

fn request_file(der: &[u8]) -> File {
    File::new("request.csr", pem::request(der))
}

pub(super) fn subject_key(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: subscriber"), kind)
}

fn plain_samples() -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, maker: &Maker, device: &Device, slot, kind, (pin, touch)| {
        let key = subject_key(kind)?;
        let signed = maker.attest(device, slot, &key, pin, touch)?.sign()?;
        // X25519 signs nothing, hence no request.
        let request = match kind {
            KeyKind::X25519 => None,
            _ => Some(request_file(&csr::plain("emulated subscriber", &key)?)),
        };
        samples.push(sample(variant, about, signed.carried(Carrier::TwoPems)?, request, maker.anchors()));
        Ok::<_, Error>(())
    };

    let (piv, root1) = (Maker::new(Hierarchy::PivRoot)?, Maker::new(Hierarchy::Root1)?);
    let renamed = Device {
        f9_common_name: "YubiKey PIV Attestation".to_owned(),
        serial: Some(33_162_554),
        ..Device::new([5, 7, 4])?
    };
    let about = "YubiKey 5 with firmware 5.7.4: P-384 in slot 9c, PIN always, touch cached";
    add("5.7.4-9c-p384", about, &root1, &renamed, 0x9c, KeyKind::P384, (pin::ALWAYS, touch::CACHED))?;

    let without_null = Device {
        f9_signature: SignAlg::RsaPkcs1Sha256NoNull,
        serial: Some(38_906_121),
        ..Device::new([5, 7, 4])?
    };
    let about = "firmware 5.7.4, F9 without NULL parameters: RSA-3072 in slot 9a";
    add("5.7.4-9a-rsa3072", about, &root1, &without_null, 0x9a, KeyKind::Rsa3072, (pin::ONCE, touch::NEVER))?;
    let about = "firmware 5.7.4: RSA-4096 in retired slot 82";
    add("5.7.4-82-rsa4096", about, &root1, &renamed, 0x82, KeyKind::Rsa4096, (pin::ALWAYS, touch::ALWAYS))?;
    let about = "firmware 5.7.4: Ed25519 in slot 9a";
    add("5.7.4-9a-ed25519", about, &root1, &renamed, 0x9a, KeyKind::Ed25519, (pin::ONCE, touch::ALWAYS))?;

    let old = Device { serial: Some(15_732_500), form_factor: Some(4), ..Device::new([5, 4, 3])? };
    let about = "firmware 5.4.3 under the PIV root: RSA-2048 in slot 9a";
    add("5.4.3-9a-rsa2048", about, &piv, &old, 0x9a, KeyKind::Rsa2048, (pin::ONCE, touch::NEVER))?;
    let about = "firmware 5.4.3: P-256 in slot 9a, within reach of EUCLEAK";
    add("5.4.3-9a-p256", about, &piv, &old, 0x9a, KeyKind::P256, (pin::ONCE, touch::NEVER))?;
    let fips = Device { form_factor: Some(0x81), fips: Some(7), serial: Some(28_989_702), ..old.clone() };
    let about = "YubiKey 5 FIPS with firmware 5.4.3: RSA-2048 in slot 9c";
    add("5.4.3-9c-rsa2048-fips", about, &piv, &fips, 0x9c, KeyKind::Rsa2048, (pin::ALWAYS, touch::CACHED))?;
    let bio = Device { form_factor: Some(7), serial: Some(30_000_948), ..Device::new([5, 7, 2])? };
    let about = "YubiKey Bio with firmware 5.7.2: P-256 in slot 9a, match always";
    add("5.7.2-9a-p256-bio", about, &piv, &bio, 0x9a, KeyKind::P256, (pin::MATCH_ALWAYS, touch::NEVER))?;

    let without_constraints = Device { serial: Some(10_000_001), ..Device::new([5, 2, 4])? };
    let about = "firmware 5.2.4: F9 without basicConstraints, RSA-2048 in slot 9d";
    add(
        "5.2.4-9d-rsa2048",
        about,
        &piv,
        &without_constraints,
        0x9d,
        KeyKind::Rsa2048,
        (pin::ONCE, touch::NEVER),
    )?;
    let four = Device { serial: None, ..Device::new([4, 3, 7])? };
    let about = "YubiKey 4 with firmware 4.3.7: neither serial number nor form factor";
    add("4.3.7-9a-p256", about, &piv, &four, 0x9a, KeyKind::P256, (pin::ONCE, touch::NEVER))?;
    Ok(samples)
}

fn carrier_samples() -> Result<Vec<Sample>, Error> {
    let maker = Maker::new(Hierarchy::Root1)?;
    let key = subject_key(KeyKind::P384)?;
    let request = csr::plain("emulated subscriber", &key)?;
    let signed = maker.attest(&Device::new([5, 7, 4])?, 0x9c, &key, pin::ALWAYS, touch::ALWAYS)?.sign()?;
    let root_only = maker.anchors().into_iter().take(1).collect();
    let mut samples = vec![sample(
        "full-chain",
        "leaf, F9 and both intermediates in one PEM file; only the root is an anchor",
        signed.carried(Carrier::PemFullChain)?,
        Some(request_file(&request)),
        root_only,
    )];
    for (variant, about, carrier) in [
        ("pem-chain", "leaf and F9 in one PEM file", Carrier::PemChain),
        ("base64-chain", "the PEM chain as one base64 string", Carrier::Base64Chain),
        ("der", "leaf and F9 as DER files", Carrier::Der),
        ("p7b", "leaf and F9 in a certs-only CMS", Carrier::P7b),
        ("json", "leaf and F9 as a JSON array of PEM texts", Carrier::Json),
    ] {
        let (evidence, request) = (signed.carried(carrier)?, Some(request_file(&request)));
        samples.push(sample(variant, about, evidence, request, maker.anchors()));
    }
    Ok(samples)
}

/// The attestation inside the request or a self-signed certificate.
fn request_samples() -> Result<Vec<Sample>, Error> {
    let maker = Maker::new(Hierarchy::Root1)?;
    let old_maker = Maker::new(Hierarchy::PivRoot)?;
    let (ec, rsa) = (subject_key(KeyKind::P384)?, subject_key(KeyKind::Rsa2048)?);
    let signed = maker.attest(&Device::new([5, 7, 4])?, 0x9a, &ec, pin::ONCE, touch::NEVER)?.sign()?;
    let fips = Device { form_factor: Some(0x81), fips: Some(7), ..Device::new([5, 4, 3])? };
    let old_signed = old_maker.attest(&fips, 0x9a, &rsa, pin::ONCE, touch::CACHED)?.sign()?;

    let in_request = |variant: &str, about: &str, maker: &Maker, der: Vec<u8>| {
        let file = request_file(&der);
        sample(variant, about, vec![file.clone()], Some(file), maker.anchors())
    };
    let self_signed = signed.self_signed(&ec, oid::CSPN_OR_LEAF)?.sign(&ec, ec.default_alg())?;
    Ok(vec![
        in_request(
            "request-3.1",
            "attestation inside the request, leaf in extension 1.3.6.1.4.1.41482.3.1",
            &maker,
            signed.request(&ec, oid::LEAF_IN_REQUEST)?.sign(&ec, ec.default_alg())?,
        ),
        in_request(
            "request-3.11-pss",
            "attestation inside a request signed RSASSA-PSS, leaf in extension 1.3.6.1.4.1.41482.3.11",
            &old_maker,
            old_signed.request(&rsa, oid::CSPN_OR_LEAF)?.sign(&rsa, SignAlg::RsaPssSha256)?,
        ),
        in_request(
            "request-cms",
            "attestation as certs-only CMS in attribute 1.3.6.1.4.1.37623.26.4 of the request",
            &maker,
            signed.request_with_cms(&ec)?.sign(&ec, ec.default_alg())?,
        ),
        sample(
            "self-signed",
            "attestation inside a self-signed certificate of the attested key",
            vec![File::new("self-signed.pem", pem::certificate(&self_signed))],
            Some(request_file(&csr::plain("emulated subscriber", &ec)?)),
            maker.anchors(),
        ),
    ])
}
