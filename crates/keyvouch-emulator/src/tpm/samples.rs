//! Ready-made evidence.

use super::{Ak, AkAuthority, Command, FORMAT, Maker, SignatureForm, Statement, hierarchy};
use crate::key::{Key, KeyKind, SignAlg};
use crate::{Error, File, Sample, csr, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const AT: &str = "2026-06-01T00:00:00Z";

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let authority = AkAuthority::new()?;
    let mut samples = vec![
        of(
            "creation-p256",
            "TPM2_CertifyCreation of a P-256 key, with its creation data",
            &authority,
            KeyKind::P256,
            KeyKind::P256,
            |s| s.command = Command::CertifyCreation,
        )?,
        of(
            "certify-rsa3072",
            "TPM2_Certify of an RSA-3072 key by an RSA attestation key",
            &authority,
            KeyKind::Rsa3072,
            KeyKind::Rsa2048,
            |_| {},
        )?,
        of(
            "certify-p384",
            "a P-384 key, attested by a P-521 attestation key",
            &authority,
            KeyKind::P384,
            KeyKind::P521,
            |_| {},
        )?,
        of("plain-rsa2048", "bare RSA signature", &authority, KeyKind::Rsa2048, KeyKind::Rsa2048, |s| {
            s.form = SignatureForm::Bare
        })?,
        of("plain-p256", "bare ECDSA signature", &authority, KeyKind::P256, KeyKind::P256, |s| {
            s.form = SignatureForm::Bare
        })?,
        of("pss", "RSASSA-PSS", &authority, KeyKind::P256, KeyKind::Rsa2048, |s| {
            s.ak = s.ak.clone().signing(SignAlg::RsaPssSha256);
        })?,
        of(
            "pss-longest-salt",
            "RSASSA-PSS with the longest salt",
            &authority,
            KeyKind::P256,
            KeyKind::Rsa2048,
            |s| {
                s.ak = s.ak.clone().signing(SignAlg::RsaPssSha256LongestSalt);
            },
        )?,
        of(
            "primary",
            "a primary key of the owner hierarchy",
            &authority,
            KeyKind::P256,
            KeyKind::P256,
            |s| {
                s.parent = hierarchy::OWNER.to_be_bytes().to_vec();
            },
        )?,
    ];
    samples.push(go_attestation(&authority)?);
    samples.push(attestation_key(&authority)?);
    samples.push(activated()?);
    Ok(samples)
}

fn subscriber(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: subscriber"), kind)
}

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

fn request_of(key: &Key) -> Result<Option<File>, Error> {
    Ok(Some(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?))))
}

fn of(
    variant: &str,
    about: &str,
    authority: &AkAuthority,
    kind: KeyKind,
    ak_kind: KeyKind,
    change: impl FnOnce(&mut Statement),
) -> Result<Sample, Error> {
    let key = subscriber(kind)?;
    let mut statement = Statement::new(&key, Ak::new("AK", ak_kind)?, authority)?;
    change(&mut statement);
    Ok(sample(variant, about, statement.sign()?.files(), request_of(&key)?, authority.anchors()))
}

fn go_attestation(authority: &AkAuthority) -> Result<Sample, Error> {
    let key = subscriber(KeyKind::P256)?;
    let signed = Statement::new(&key, Ak::new("AK", KeyKind::P256)?, authority)?.sign()?;
    let mut evidence = vec![signed.go_attestation()?];
    evidence.extend(signed.certificates());
    let about = "the JSON of go-attestation";
    Ok(sample("go-attestation", about, evidence, request_of(&key)?, authority.anchors()))
}

/// An attestation key that attests itself, for a certificate of its own.
fn attestation_key(authority: &AkAuthority) -> Result<Sample, Error> {
    let ak = Ak::new("AK", KeyKind::P256)?;
    let mut statement = Statement::new(&ak.key, ak.clone(), authority)?;
    statement.public = ak.public.clone();
    statement.command = Command::CertifyCreation;
    let about = "an attestation key, attested by itself";
    let mut made = sample("attestation-key", about, statement.sign()?.files(), None, authority.anchors());
    made.options.insert("subject".to_owned(), Value::from("attestation-key"));
    Ok(made)
}

/// No certificate of the attestation key, but the operator's record that it was activated for an endorsement key.
fn activated() -> Result<Sample, Error> {
    let maker = Maker::new()?;
    let ek = Key::shared(&format!("{FORMAT}: EK"), KeyKind::Rsa2048)?;
    let mut ak = Ak::new("AK in the endorsement hierarchy", KeyKind::P256)?;
    ak.parent = hierarchy::ENDORSEMENT.to_be_bytes().to_vec();
    let key = subscriber(KeyKind::P256)?;
    let mut statement = Statement::new(&key, ak.clone(), &AkAuthority::new()?)?;
    statement.ak_certificate = None;
    statement.chain = vec![maker.sign(&maker.certificate(&ek)?)?, maker.issuer.der.clone()];
    let signed = statement.sign()?;
    let mut evidence = signed.files();
    evidence.push(File::new("ak.pub", super::tpm2b(&signed.ak_public)));
    let about = "attestation key by credential activation; EK certificate";
    let mut made = sample("activated", about, evidence, request_of(&key)?, maker.anchors());
    let record = json!({
        "ek_spki_sha256": hex::encode(crate::key::sha256(&ek.spki_der()?)),
        "ak_name": hex::encode(ak.public.name()),
        "expires": "2026-06-01T01:00:00Z",
    });
    made.options.insert("activation".to_owned(), record);
    Ok(made)
}
