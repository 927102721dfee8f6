//! Ready-made evidence.

use super::{AT, Chain, EMPTY_STATUS_LIST, FORMAT, KeyDescription, Level, rkp, tag};
use crate::key::{Key, KeyKind, derived};
use crate::{Error, File, Sample, bundle, cms, csr, der, pem};
use serde_json::{Map, json};
use std::sync::Arc;

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    for (variant, about, kind, level, remote) in [
        (
            "strongbox-p256",
            "P-256 key in StrongBox, remotely provisioned",
            KeyKind::P256,
            Level::StrongBox,
            true,
        ),
        ("tee-p256", "P-256 key in the TEE, remotely provisioned", KeyKind::P256, Level::Tee, true),
        (
            "tee-p256-factory",
            "P-256 key in the TEE, attestation key from the factory",
            KeyKind::P256,
            Level::Tee,
            false,
        ),
        (
            "tee-rsa3072-factory",
            "RSA-3072 key in the TEE, attestation key from the factory",
            KeyKind::Rsa3072,
            Level::Tee,
            false,
        ),
        ("tee-rsa2048", "RSA-2048 key in the TEE, remotely provisioned", KeyKind::Rsa2048, Level::Tee, true),
        ("tee-p384", "P-384 key in the TEE", KeyKind::P384, Level::Tee, true),
        ("tee-p521", "P-521 key in the TEE", KeyKind::P521, Level::Tee, true),
    ] {
        let key = subscriber(kind)?;
        let said = KeyDescription::of(&key, level);
        let chain = match remote {
            true => Chain::remote(&key, &said, level)?,
            false => Chain::factory(&key, &said, level)?,
        };
        samples.push(sample(variant, about, vec![chain.pem()?], Some(&key), &chain)?);
    }
    samples.extend(carriers()?);
    samples.push(attest_key()?);
    samples.push(device_ids()?);
    samples.push(ml_dsa()?);
    samples.push(provisioning_request()?);
    Ok(samples)
}

fn subscriber(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared("android: subscriber", kind)
}

fn sample(
    variant: &str,
    about: &str,
    evidence: Vec<File>,
    key: Option<&Arc<Key>>,
    chain: &Chain,
) -> Result<Sample, Error> {
    let request = key.map(|key| csr::plain("emulated subscriber", key)).transpose()?;
    let mut options = Map::new();
    options.insert("android_status_list".to_owned(), json!(EMPTY_STATUS_LIST));
    Ok(Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: request.map(|der| File::new("request.csr", pem::request(&der))),
        anchors: vec![chain.anchor()?],
        at: AT.to_owned(),
        options,
    })
}

fn carriers() -> Result<Vec<Sample>, Error> {
    let key = subscriber(KeyKind::P256)?;
    let chain = Chain::factory(&key, &KeyDescription::of(&key, Level::Tee), Level::Tee)?;
    let ders = chain.sign()?;
    let mut samples = Vec::new();
    let x5c: Vec<String> = ders.iter().map(|der| bundle::base64(der)).collect();
    let json = serde_json::to_vec_pretty(&json!({ "typ": "android-key", "x5c": x5c }))?;
    let separate =
        ders.iter().enumerate().map(|(n, der)| File::new(format!("cert{n}.der"), der.clone())).collect();
    let bag = cms::certs_only(&[&ders[0], &ders[1], &ders[3], &ders[2]])?;
    let without_root = pem::certificates(&ders[..3]);
    let reversed: Vec<_> = ders.iter().rev().collect();
    for (variant, about, evidence) in [
        ("json", "JSON with x5c", vec![File::new("chain.json", json)]),
        ("separate", "each certificate in a file of its own", separate),
        ("pkcs7", "PKCS#7 whose order is not that of the path", vec![File::new("chain.p7b", bag.clone())]),
        (
            "without-root",
            "no root certificate: its key is pinned",
            vec![File::new("chain.pem", without_root)],
        ),
        ("root-first", "root first", vec![File::new("chain.pem", pem::certificates(&reversed))]),
    ] {
        samples.push(sample(variant, about, evidence, Some(&key), &chain)?);
    }
    // The request carries its own evidence: the attribute of Purebred holds PKCS#7 in an OCTET STRING.
    let name = crate::x509::common_name("emulated subscriber")?;
    let carried = csr::Attribute::new("1.3.6.1.4.1.37623.26.2", der::octet_string(&bag));
    let request = csr::Request::new(name, &key)?.with(carried).sign(&key, key.default_alg())?;
    let request = File::new("request.csr", pem::request(&request));
    let mut inside =
        sample("in-request", "in an attribute of the request", vec![request.clone()], None, &chain)?;
    inside.request = Some(request);
    samples.push(inside);
    Ok(samples)
}

/// A key that an attest key of the app attested.
fn attest_key() -> Result<Sample, Error> {
    let (key, attester) = (subscriber(KeyKind::P256)?, Key::shared("android: attest key", KeyKind::P256)?);
    let mut said = KeyDescription::of(&attester, Level::StrongBox);
    said.hardware.numbers(tag::PURPOSE, &[7]);
    let chain = Chain::remote(&attester, &said, Level::StrongBox)?;
    let chain = chain.below(&key, &KeyDescription::of(&key, Level::StrongBox))?;
    sample("attest-key", "attested by an attest key of the app", vec![chain.pem()?], Some(&key), &chain)
}

/// With the device's identifiers, and a key that needs its user for every use.
fn device_ids() -> Result<Sample, Error> {
    let key = subscriber(KeyKind::P256)?;
    let mut said = KeyDescription::of(&key, Level::Tee);
    said.hardware.text(tag::ID_SERIAL, "EMU0001");
    said.hardware.text(tag::ID_MANUFACTURER, "keyvouch");
    said.hardware.text(tag::ID_MODEL, "Emulator 1");
    said.hardware.remove(tag::NO_AUTH_REQUIRED);
    said.hardware.integer(tag::USER_AUTH_TYPE, 3);
    let chain = Chain::remote(&key, &said, Level::Tee)?;
    sample(
        "device-ids",
        "with device identifiers and user authentication",
        vec![chain.pem()?],
        Some(&key),
        &chain,
    )
}

/// A key whose algorithm no request can be signed with here: only its certificate is made.
fn ml_dsa() -> Result<Sample, Error> {
    let key = subscriber(KeyKind::P256)?;
    let mut said = KeyDescription::of(&key, Level::Tee);
    said.version = 500;
    said.component_version = 500;
    said.hardware.remove(tag::KEY_SIZE);
    said.hardware.remove(tag::EC_CURVE);
    said.hardware.integer(tag::ALGORITHM, 4);
    said.hardware.integer(tag::ML_DSA_VARIANT, 1);
    let mut chain = Chain::factory(&key, &said, Level::Tee)?;
    let algorithm = der::sequence(&[der::oid("2.16.840.1.101.3.4.3.18")?]);
    chain.links[0].certificate.spki =
        der::sequence(&[algorithm, der::bit_string(&derived("android: ML-DSA-65 key", 1952))]);
    sample("tee-mldsa65", "ML-DSA-65 key in the TEE", vec![chain.pem()?], None, &chain)
}

/// The request of a device whose root key the operator knows. It speaks of no subscriber key.
fn provisioning_request() -> Result<Sample, Error> {
    let request = rkp::Request::new()?;
    Ok(Sample {
        format: FORMAT,
        variant: "provisioning-request".to_owned(),
        about: "request of a device to the provisioning server, root key pinned; no subscriber key"
            .to_owned(),
        evidence: vec![File::new("csr.cbor", request.sign()?.encode())],
        request: None,
        anchors: vec![File::new("uds.pem", pem::public_key(&request.root.spki_der()?))],
        at: AT.to_owned(),
        options: Map::new(),
    })
}
