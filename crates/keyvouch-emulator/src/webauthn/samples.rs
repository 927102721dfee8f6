//! Positive samples.

use super::mds::{Blob, entry};
use super::{
    AAGUID, Batch, FORMAT, Registration, android_description, android_key, apple, as_u2f, compound, tpm,
};
use crate::android::{Chain, EMPTY_STATUS_LIST, Level};
use crate::key::KeyKind;
use crate::{Error, File, Sample, pem};
use serde_json::{Map, json};

/// Positive samples; the first is the showcase. A WebAuthn credential cannot be the key of a request: its request is
/// there to show what is said of that.
///
/// # Errors
/// Those of the cryptographic library.
pub fn samples() -> Result<Vec<Sample>, Error> {
    let batch = Batch::new("packed")?;
    let mut blob = Blob::new()?;
    let kept = ["hardware", "secure_element"];
    blob.entries = vec![
        entry(&batch, Some(&AAGUID), &["basic_full"], &kept),
        entry(&batch, None, &["basic_full"], &kept),
    ];
    let known = |mut sample: Sample| -> Result<Sample, Error> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        sample.options.insert("metadata".to_owned(), json!(text(blob.sign()?)));
        sample.options.insert("metadata_roots".to_owned(), json!(text(blob.roots())));
        Ok(sample)
    };
    let es256 = Registration::new(KeyKind::P256)?;
    let packed = batch.packed(&es256)?;
    let mut showcase = sample(
        "packed-es256",
        "security key, batch certificate, ES256",
        es256.files("packed", &packed),
        batch.anchors(),
    );
    showcase.request = Some(File::new("credential-key.pem", pem::public_key(&es256.key.spki_der()?)));
    let ed25519 = Registration::new(KeyKind::Ed25519)?;
    let rs256 = Registration::new(KeyKind::Rsa2048)?;
    let u2f = as_u2f(es256.clone());
    let hello = |registration: &Registration| -> Result<_, Error> {
        let hello = tpm::Hello::new(registration)?;
        Ok((registration.files("tpm", &hello.statement()?), hello.authority.anchors()))
    };
    let (tpm_rsa, tpm_anchors) = hello(&rs256)?;
    let (tpm_ecc, _) = hello(&es256)?;
    let anonymous = apple::Anonymous::new(&es256)?;
    let two = compound(&[("packed", packed.clone()), ("packed", packed.clone())]);
    let chain = Chain::remote(&es256.key, &android_description(&es256), Level::Tee)?;
    let mut phone = sample(
        "android-key",
        "a key in the TEE of a phone",
        es256.files("android-key", &android_key(&es256, &chain)?),
        vec![chain.anchor()?],
    );
    phone.options.insert("android_status_list".to_owned(), json!(EMPTY_STATUS_LIST));
    Ok(vec![
        known(showcase)?,
        known(sample(
            "packed-eddsa-json",
            "the same with Ed25519, as PublicKeyCredential in JSON",
            vec![ed25519.credential_json("packed", &batch.packed(&ed25519)?)?],
            batch.anchors(),
        ))?,
        sample(
            "packed-unknown-model",
            "the same below the operator's anchor, of a model that no metadata know",
            es256.files("packed", &packed),
            batch.anchors(),
        ),
        known(sample(
            "fido-u2f",
            "U2F authenticator",
            u2f.files("fido-u2f", &batch.u2f(&u2f)?),
            batch.anchors(),
        ))?,
        sample("tpm-rsa2048", "Windows Hello, RSA key in a TPM", tpm_rsa, tpm_anchors.clone()),
        sample("tpm-p256", "the same with an ECC key", tpm_ecc, tpm_anchors),
        phone,
        sample(
            "apple",
            "Apple's anonymous attestation",
            es256.files("apple", &anonymous.statement()?),
            anonymous.anchors(),
        ),
        known(sample(
            "compound",
            "two statements about one credential",
            es256.files("compound", &two),
            batch.anchors(),
        ))?,
    ])
}

fn sample(variant: &str, about: &str, evidence: Vec<File>, anchors: Vec<File>) -> Sample {
    let mut options = Map::new();
    options.insert("rp_id".to_owned(), json!("login.example"));
    options.insert("origins".to_owned(), json!(["https://login.example"]));
    Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: None,
        anchors,
        at: "2026-06-01T00:00:00Z".to_owned(),
        options,
    }
}
