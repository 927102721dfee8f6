//! Ready-made evidence.

use super::{Block, Claim, FORMAT, Module, PEM_LABEL, Signer, complement, hss_spki};
use crate::key::{Key, KeyKind};
use crate::lms::{HssKey, lms_type, ots_type};
use crate::{Error, File, Sample, csr, pem};
use serde_json::Map;
use std::sync::Arc;

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let module = Module::new()?;
    let mut samples = Vec::new();
    for (variant, about, kind) in [
        ("p256", "P-256, ECDSA and HSS/LMS block, PEM", KeyKind::P256),
        ("p384", "the same for P-384", KeyKind::P384),
        ("rsa3072", "the same for RSA-3072", KeyKind::Rsa3072),
    ] {
        let key = subscriber(kind)?;
        let message = module.attest(&key)?.sign()?;
        samples.push(sample(variant, about, pem_file(&message), &key, &module)?);
    }
    samples.extend(block_samples(&module)?);
    samples.extend(claim_samples(&module)?);
    Ok(samples)
}

fn subscriber(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared("crypto4a-qasm: subscriber", kind)
}

fn pem_file(message: &[u8]) -> Vec<File> {
    vec![File::new("attestation.pem", pem::encode(PEM_LABEL, message))]
}

fn sample(
    variant: &str,
    about: &str,
    evidence: Vec<File>,
    key: &Key,
    module: &Module,
) -> Result<Sample, Error> {
    Ok(Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: Some(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?))),
        anchors: module.anchors(),
        at: "2026-06-01T00:00:00Z".to_owned(),
        options: Map::new(),
    })
}

/// What can differ outside the claims.
fn block_samples(module: &Module) -> Result<Vec<Sample>, Error> {
    let key = subscriber(KeyKind::P256)?;
    let whole = module.attest(&key)?;
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, evidence| {
        samples.push(sample(variant, about, evidence, &key, module)?);
        Ok::<_, Error>(())
    };
    add("der", "DER", vec![File::new("attestation.der", whole.sign()?)])?;
    let mut one = whole.clone();
    one.blocks.truncate(1);
    add("only-ecdsa", "one block, ECDSA", pem_file(&one.sign()?))?;
    let mut one = whole.clone();
    one.blocks.remove(0);
    add("only-hss", "one block, HSS/LMS", pem_file(&one.sign()?))?;
    let mut beside = whole.clone();
    beside.related.clear();
    let mut files = pem_file(&beside.sign()?);
    files.push(File::new("issuer.pem", pem::certificate(&module.issuer.der)));
    add("issuer-beside", "the issuing authority beside the message, nothing attached", files)?;
    let mut bare = whole.clone();
    bare.blocks.iter_mut().for_each(|block| block.key_id = None);
    add("without-key-id", "signers named by their certificates only", pem_file(&bare.sign()?))?;
    // Parameters of the real message, and one of every digit width.
    for (variant, about, levels) in [
        (
            "hss-h10",
            "HSS with trees of height 10",
            &[(lms_type::H10, ots_type::W4), (lms_type::H5, ots_type::W8)][..],
        ),
        ("hss-w1", "HSS of one level, W1", &[(lms_type::H5, ots_type::W1)]),
        (
            "hss-w2",
            "HSS of two levels, W2 and W4",
            &[(lms_type::H5, ots_type::W2), (lms_type::H5, ots_type::W4)],
        ),
    ] {
        let hss = Arc::new(HssKey::new(variant, levels)?);
        let mut message = whole.clone();
        message.blocks[1] = hss_block(module, &hss, false)?;
        add(variant, about, pem_file(&message.sign()?))?;
    }
    Ok(samples)
}

fn hss_block(module: &Module, hss: &Arc<HssKey>, wrapped: bool) -> Result<Block, Error> {
    module.block("HSS", hss_spki(hss, wrapped)?, Signer::Hss(Arc::clone(hss)))
}

/// What can differ in the claims.
fn claim_samples(module: &Module) -> Result<Vec<Sample>, Error> {
    let key = subscriber(KeyKind::P256)?;
    let whole = module.attest(&key)?;
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, message: super::Message| {
        samples.push(sample(variant, about, pem_file(&message.sign()?), &key, module)?);
        Ok::<_, Error>(())
    };
    let mut sequence = whole.clone();
    sequence.claims.iter_mut().for_each(|claim| claim.subject_in_sequence = true);
    add("subject-in-sequence", "subjects in a SEQUENCE", sequence)?;
    let mut digest = whole.clone();
    if let Some(claim) = digest.key_claim_mut(1) {
        let spki = crate::key::sha256(&key.spki_der()?);
        *claim = Claim::key(3, module.uuid("key"), Some(complement::bytes(&spki)));
    }
    add("key-by-digest", "the key by its SHA-256 only", digest)?;
    let mut fips = whole.clone();
    fips.claims.push(Claim::module(5, None));
    add("fips-mode", "the module claims to be in FIPS mode", fips)?;
    let mut two = whole.clone();
    let other = Key::shared("crypto4a-qasm: other subscriber", KeyKind::P256)?;
    two.claims.extend(module.key_claims(module.uuid("other key"), &other.spki_der()?));
    add("two-keys", "claims of two keys: the request says which", two)?;
    let mut again = whole;
    again.claims.extend(again.claims.clone());
    add("claims-repeated", "every claim twice", again)?;
    Ok(samples)
}
