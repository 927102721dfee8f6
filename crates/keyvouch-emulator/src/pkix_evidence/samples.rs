//! Ready-made evidence.

use super::{Block, Encoding, Evidence, FORMAT, Maker, OLDER_EKU, Statement, claim, key_id, spki};
use crate::key::{Key, KeyKind, SignAlg};
use crate::{Error, File, Sample, bundle, csr, pem, x509};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const AT: &str = "2026-06-01T00:00:00Z";

struct Draft {
    evidence: Vec<File>,
    key: Arc<Key>,
    anchors: Vec<File>,
    options: Map<String, Value>,
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, draft: Draft| {
        let request = File::new("request.csr", pem::request(&csr::plain("emulated subscriber", &draft.key)?));
        samples.push(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence: draft.evidence,
            request: Some(request),
            anchors: draft.anchors,
            at: AT.to_owned(),
            options: draft.options,
        });
        Ok::<_, Error>(())
    };
    add("p256", "current encoding, P-256 key, signer by certificate", plain(KeyKind::P256, KeyKind::P256)?)?;
    add(
        "rsa-ed25519",
        "RSA-3072 key, attested by an Ed25519 key",
        plain(KeyKind::Ed25519, KeyKind::Rsa3072)?,
    )?;
    add("p384-rsa", "P-384 key, attested by an RSA-3072 key", plain(KeyKind::Rsa3072, KeyKind::P384)?)?;
    add("pss", "P-256 key, attested with RSA-PSS", pss()?)?;
    add("der", "as a DER file", contained(|der| Ok(der.to_vec()))?)?;
    add("base64", "as base64 text", contained(|der| Ok(bundle::base64(der).into_bytes()))?)?;
    add("explicit-tag", "the list of certificates tagged as the module demands", explicit()?)?;
    add("older", "encoding of drafts before -06, with the key purpose of its sample data", older()?)?;
    add("key-id", "signer named by key identifier, certificates beside the evidence", by_key_id()?)?;
    add("pinned-key", "signer a bare key that the operator pinned", pinned()?)?;
    add("two-signatures", "a second signature of a maker that is not configured", counter_signed()?)?;
    add("several-keys", "three keys, of which one is the request's", several_keys()?)?;
    Ok(samples)
}

fn subject(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: subscriber"), kind)
}

fn for_tests() -> Map<String, Value> {
    Map::from_iter([("accept_placeholder_oids".to_owned(), Value::Bool(true))])
}

fn draft(maker: &Maker, evidence: &Evidence, key: &Arc<Key>) -> Result<Draft, Error> {
    Ok(Draft {
        evidence: vec![File::new("evidence.pem", pem::encode("EVIDENCE", &evidence.sign()?))],
        key: Arc::clone(key),
        anchors: vec![File::new("root.pem", pem::certificate(&maker.root.der))],
        options: for_tests(),
    })
}

fn evidence(encoding: Encoding, ak: KeyKind, key: KeyKind) -> Result<(Maker, Evidence, Arc<Key>), Error> {
    let (maker, key) = (Maker::with_key("Maker", ak)?, subject(key)?);
    let evidence = maker.attest(Statement::of(encoding, &maker.ak_key, &key)?)?;
    Ok((maker, evidence, key))
}

fn plain(ak: KeyKind, key: KeyKind) -> Result<Draft, Error> {
    let (maker, evidence, key) = evidence(Encoding::Current, ak, key)?;
    draft(&maker, &evidence, &key)
}

fn pss() -> Result<Draft, Error> {
    let (maker, mut evidence, key) = evidence(Encoding::Current, KeyKind::Rsa3072, KeyKind::P256)?;
    evidence.blocks[0].alg = SignAlg::RsaPssSha256;
    draft(&maker, &evidence, &key)
}

fn contained(container: fn(&[u8]) -> Result<Vec<u8>, Error>) -> Result<Draft, Error> {
    let (maker, evidence, key) = evidence(Encoding::Current, KeyKind::P256, KeyKind::P256)?;
    let file = File::new("evidence", container(&evidence.sign()?)?);
    Ok(Draft { evidence: vec![file], ..draft(&maker, &evidence, &key)? })
}

fn explicit() -> Result<Draft, Error> {
    let (maker, mut evidence, key) = evidence(Encoding::Current, KeyKind::P256, KeyKind::P256)?;
    evidence.explicit = true;
    draft(&maker, &evidence, &key)
}

fn older() -> Result<Draft, Error> {
    let (mut maker, key) = (Maker::new("Maker of older modules")?, subject(KeyKind::P256)?);
    maker.ak.extension_mut("2.5.29.37").ok_or(Error::Crypto("no key purpose"))?.value =
        x509::extended_key_usage(&[OLDER_EKU])?.value;
    let evidence = maker.attest(Statement::of(Encoding::Older, &maker.ak_key, &key)?)?;
    let mut draft = draft(&maker, &evidence, &key)?;
    draft.options.insert("ak_eku".to_owned(), json!([OLDER_EKU]));
    Ok(draft)
}

fn by_key_id() -> Result<Draft, Error> {
    let (maker, mut evidence, key) = evidence(Encoding::Current, KeyKind::P256, KeyKind::P256)?;
    evidence.blocks[0].signer = vec![key_id(&x509::key_id(&maker.ak_key)?)];
    evidence.intermediates.clear();
    let mut draft = draft(&maker, &evidence, &key)?;
    draft.evidence.push(File::new("ak.pem", pem::certificate(&maker.ak_der()?)));
    draft.evidence.push(File::new("intermediate.pem", pem::certificate(&maker.intermediate.der)));
    Ok(draft)
}

fn pinned() -> Result<Draft, Error> {
    let (maker, mut evidence, key) = evidence(Encoding::Current, KeyKind::P256, KeyKind::P256)?;
    let public = maker.ak_key.spki_der()?;
    evidence.blocks[0].signer = vec![spki(&public)];
    evidence.intermediates.clear();
    let anchors = vec![File::new("attestation-key.pem", pem::public_key(&public))];
    Ok(Draft { anchors, ..draft(&maker, &evidence, &key)? })
}

fn counter_signed() -> Result<Draft, Error> {
    let (maker, mut evidence, key) = evidence(Encoding::Current, KeyKind::P256, KeyKind::P256)?;
    let other = Maker::new("Other maker")?;
    let own = evidence.statement.encoding.octets(&other.ak_key.spki_der()?);
    evidence.statement.elements[0].claims.push(super::Claim {
        claim: claim::AK_SPKI,
        oid: None,
        value: Some(own),
    });
    evidence.blocks.push(Block::new(vec![super::certificate(&other.ak_der()?)], &other.ak_key));
    draft(&maker, &evidence, &key)
}

fn several_keys() -> Result<Draft, Error> {
    let (maker, mut evidence, key) = evidence(Encoding::Current, KeyKind::P256, KeyKind::P256)?;
    let e = evidence.statement.encoding;
    for (label, kind) in [("signing key 2", KeyKind::P384), ("signing key 3", KeyKind::Rsa2048)] {
        let mut element = evidence.statement.elements[2].clone();
        element.set(claim::IDENTIFIER, e.text(label));
        element.set(claim::SPKI, e.octets(&subject(kind)?.spki_der()?));
        evidence.statement.elements.push(element);
    }
    draft(&maker, &evidence, &key)
}
