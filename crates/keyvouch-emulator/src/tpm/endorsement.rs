//! Endorsement keys of the TCG's templates, and certificates of them alone.

use super::{Maker, Public, tpm2b};
use crate::key::{Key, KeyKind};
use crate::{Error, File, Sample, pem, x509};
use serde_json::Map;

/// Format id.
pub const FORMAT: &str = "tpm-ek";

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    Ok(vec![
        of(
            "rsa2048",
            "certificate of an RSA-2048 endorsement key, with its public area",
            KeyKind::Rsa2048,
            false,
        )?,
        of(
            "p384-nv",
            "certificate of a P-384 endorsement key as it lies in the NV index",
            KeyKind::P384,
            true,
        )?,
    ])
}

fn of(variant: &str, about: &str, kind: KeyKind, padded: bool) -> Result<Sample, Error> {
    let maker = Maker::new()?;
    let key = Key::shared(&format!("{FORMAT}: {variant}"), kind)?;
    let mut certificate = maker.certificate(&key)?;
    if key.rsa_public().is_none()
        && let Some(usage) = certificate.extension_mut("2.5.29.15")
    {
        *usage = x509::key_usage(&[KEY_AGREEMENT]).critical();
    }
    let mut der = maker.sign(&certificate)?;
    if padded {
        der.extend([0xff; 100]);
    }
    let mut evidence =
        vec![File::new("ek.crt.der", der), File::new("ek-issuer.pem", pem::certificate(&maker.issuer.der))];
    if !padded {
        let public = Public::of(&key, super::ENDORSEMENT_KEY)?;
        evidence.push(File::new("ek.pub", tpm2b(&public.bytes())));
    }
    Ok(Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: Some(File::new("ek-key.pem", pem::public_key(&key.spki_der()?))),
        anchors: maker.anchors(),
        at: "2026-06-01T00:00:00Z".to_owned(),
        options: Map::new(),
    })
}

/// Bit of keyUsage.
const KEY_AGREEMENT: u8 = 4;
