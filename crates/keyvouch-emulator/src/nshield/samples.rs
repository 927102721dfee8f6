//! Ready-made evidence.

use super::acl::{Action, Blob, Group, permission};
use super::{Attestation, FORMAT, Module, SIGNING};
use crate::key::{Key, KeyKind};
use crate::{Error, File, Sample, bundle, csr, pem};
use serde_json::Map;
use std::sync::Arc;

fn sample(
    variant: &str,
    about: &str,
    evidence: Vec<File>,
    key: &Key,
    module: &Module,
    options: &[(&str, bool)],
) -> Result<Sample, Error> {
    let request = csr::plain("emulated subscriber", key)?;
    Ok(Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: Some(File::new("request.csr", pem::request(&request))),
        anchors: vec![module.anchor()?],
        at: "2026-06-01T00:00:00Z".to_owned(),
        options: options.iter().map(|(name, on)| ((*name).to_owned(), (*on).into())).collect::<Map<_, _>>(),
    })
}

fn subject(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared("nshield: subscriber", kind)
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let module = Module::new()?;
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, module: &Module, kind: KeyKind, groups: Vec<Group>| {
        let key = subject(kind)?;
        let evidence = vec![module.attest(&key, groups)?.sign()?.file()?];
        samples.push(sample(variant, about, evidence, &key, module, &[])?);
        Ok::<_, Error>(())
    };

    let about = "RSA-3072 signing key, module protection, not recoverable";
    add("rsa3072-module", about, &module, KeyKind::Rsa3072, module.usual_groups(SIGNING))?;
    let [hkm, ..] = module.hashes();
    let token = |flags, needed, total, seconds| {
        let blob = Blob::token(&hkm, [flags, needed, total, seconds]);
        vec![Group::of(Action::Permissions(SIGNING)), Group::of(Action::MakeBlob(blob)).once()]
    };
    add("p256-softcard", "P-256 signing key under a softcard", &module, KeyKind::P256, token(7, 1, 1, 0))?;
    add(
        "p384-cardset",
        "P-384 signing key under a card set, 2 of 3",
        &module,
        KeyKind::P384,
        token(3, 2, 3, 3600),
    )?;

    let fips = Module::new_ecdsa_fips()?;
    let about = "P-521 signing key in a FIPS 140 level 3 world with ECDSA keys";
    add("p521-fips-ecdsa", about, &fips, KeyKind::P521, fips.usual_groups(SIGNING))?;

    let wrapping = SIGNING | permission::DECRYPT | permission::USE_AS_BLOB_KEY;
    let about = "RSA-4096 key that signs, decrypts and unwraps";
    add("rsa4096-unwrap", about, &module, KeyKind::Rsa4096, module.usual_groups(wrapping))?;

    let direct = Module { delegates: Vec::new(), recovery: false, ..Module::new()? };
    let about = "warrant signed by the root itself; a world without recovery keys";
    add("direct-warrant", about, &direct, KeyKind::P256, direct.usual_groups(SIGNING))?;
    let upgraded = Module { field_upgrade: true, ..Module::new()? };
    let about = "module with a field upgrade warrant: authentic, with a finding";
    add("field-upgrade", about, &upgraded, KeyKind::Rsa2048, upgraded.usual_groups(SIGNING))?;

    let key = subject(KeyKind::P256)?;
    let mut session = module.attest(&key, vec![Group::of(Action::Permissions(SIGNING))])?;
    session.world = None;
    let about = "session key: no world, no blob";
    samples.push(sample("session", about, vec![session.sign()?.file()?], &key, &module, &[])?);
    samples.push(recoverable(&module)?);
    samples.extend(carriers(&module)?);
    Ok(samples)
}

/// A key that a quorum of administrators can take out, which the operator accepts.
fn recoverable(module: &Module) -> Result<Sample, Error> {
    let key = subject(KeyKind::Rsa2048)?;
    let groups = [module.usual_groups(SIGNING), module.recovery_groups()?].concat();
    let evidence = vec![module.attest(&key, groups)?.sign()?.file()?];
    let about = "recoverable key; the operator takes the card quorum for part of the device";
    sample("recoverable-accepted", about, evidence, &key, module, &[("accept_recoverable", true)])
}

fn carriers(module: &Module) -> Result<Vec<Sample>, Error> {
    let key = subject(KeyKind::P256)?;
    let attestation: Attestation = module.attest(&key, module.usual_groups(SIGNING))?;
    let signed = attestation.sign()?;
    let mut unpadded = signed.clone();
    for value in unpadded.members.values_mut() {
        if let Some(text) = value.as_str() {
            *value = text.trim_end_matches('=').into();
        }
    }
    let base64 = vec![File::new("bundle.txt", bundle::base64(&signed.json()?))];
    let zip = vec![File::new("bundle.zip", bundle::zip(&[signed.file()?])?)];
    Ok(vec![
        sample("no-padding", "members without padding", vec![unpadded.file()?], &key, module, &[])?,
        sample("base64", "the whole file as base64 text", base64, &key, module, &[])?,
        sample("zip", "the file in a ZIP", zip, &key, module, &[])?,
    ])
}
