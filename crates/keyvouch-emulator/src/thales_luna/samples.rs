//! Ready-made evidence.

use super::{Confirmation, Device, FORMAT, Maker};
use crate::key::{Key, KeyKind};
use crate::{Error, File, Sample, bundle, cms, csr, pem};
use serde_json::Map;
use std::sync::Arc;

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let maker = Maker::new()?;
    let mut samples = Vec::new();
    for (variant, about, kind) in [
        ("rsa3072", "Chrysalis-ITS type for RSA-3072, DER PKCS#7", KeyKind::Rsa3072),
        ("rsa2048", "the same for RSA-2048", KeyKind::Rsa2048),
        ("rsa4096", "the same for RSA-4096", KeyKind::Rsa4096),
        ("ecc-p256", "ECC type for P-256", KeyKind::P256),
        ("ecc-p384", "ECC type for P-384", KeyKind::P384),
        ("ecc-p521", "ECC type for P-521", KeyKind::P521),
    ] {
        let key = subscriber(kind)?;
        let p7b = maker.confirm(&Device::default(), &key)?.p7b()?;
        samples.push(sample(variant, about, vec![File::new("attestation.p7b", p7b)], &key, &maker)?);
    }
    samples.extend(container_samples(&maker)?);
    samples.extend(signature_samples(&maker)?);
    Ok(samples)
}

fn subscriber(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared("thales-luna: subscriber", kind)
}

fn sample(
    variant: &str,
    about: &str,
    evidence: Vec<File>,
    key: &Key,
    maker: &Maker,
) -> Result<Sample, Error> {
    // cmu writes this label, and lines that end in CR LF.
    let request = csr::plain("emulated subscriber", key)?;
    let request = pem::encode("NEW CERTIFICATE REQUEST", &request).replace('\n', "\r\n");
    Ok(Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: Some(File::new("request.csr", request)),
        anchors: maker.anchors(),
        at: "2026-06-01T00:00:00Z".to_owned(),
        options: Map::new(),
    })
}

fn container_samples(maker: &Maker) -> Result<Vec<Sample>, Error> {
    let key = subscriber(KeyKind::Rsa3072)?;
    let whole = maker.confirm(&Device::default(), &key)?;
    let p7b = whole.p7b()?;
    let mut reversed = whole.sign()?;
    reversed.reverse();
    let separate = whole.sign()?.into_iter().enumerate();
    let separate = separate.map(|(at, der)| File::new(format!("certificate-{at}.der"), der)).collect();
    let commented: String = whole
        .sign()?
        .iter()
        .map(|der| format!("subject=/CN=some name\nissuer=/CN=another\n{}\n", pem::certificate(der)))
        .collect();
    let one = |name: &str, bytes: Vec<u8>| vec![File::new(name, bytes)];
    let mut samples = Vec::new();
    for (variant, about, evidence) in [
        ("pem-pkcs7", "PEM with label PKCS7", one("pkc.pem", pem::encode("PKCS7", &p7b).into_bytes())),
        ("pem-cms", "PEM with label CMS", one("pkc.pem", pem::encode("CMS", &p7b).into_bytes())),
        ("base64", "base64 without armour", one("pkc.txt", bundle::base64(&p7b).into_bytes())),
        ("certificates", "certificates as openssl prints them", one("pkc.pem", commented.into_bytes())),
        ("separate", "each certificate in a file of its own", separate),
        ("reversed", "the certificates in reverse order", one("pkc.p7b", cms::certs_only(&reversed)?)),
        (
            "without-root",
            "no certificate of the root: its key is pinned",
            one("pkc.p7b", Confirmation { root: None, ..whole.clone() }.p7b()?),
        ),
        (
            "newer-root",
            "with the newer certificate of the root key",
            one("pkc.p7b", Confirmation { root: Some(maker.root.der.clone()), ..whole.clone() }.p7b()?),
        ),
    ] {
        samples.push(sample(variant, about, evidence, &key, maker)?);
    }
    Ok(samples)
}

/// The ways in which an HSM's r and s can come out.
fn signature_samples(maker: &Maker) -> Result<Vec<Sample>, Error> {
    type Wanted = fn(&[u8], &[u8]) -> bool;
    let key = subscriber(KeyKind::P256)?;
    let whole = maker.confirm(&Device::default(), &key)?;
    let forms: [(&str, &str, Wanted); 5] = [
        ("ecc-plain", "r and s below 2^383", |r, s| r[0] < 0x80 && s[0] < 0x80),
        ("ecc-negative-r", "r written as a negative INTEGER", |r, s| r[0] >= 0x80 && s[0] < 0x80),
        ("ecc-negative-s", "s written as a negative INTEGER", |r, s| r[0] < 0x80 && s[0] >= 0x80),
        ("ecc-negative-both", "both written as negative INTEGERs", |r, s| r[0] >= 0x80 && s[0] >= 0x80),
        ("ecc-leading-zero", "r or s with a leading zero octet", |r, s| r[0] == 0 || s[0] == 0),
    ];
    let mut samples = Vec::new();
    for (variant, about, wanted) in forms {
        let p7b = cms::certs_only(&whole.sign_until(wanted)?)?;
        samples.push(sample(variant, about, vec![File::new("attestation.p7b", p7b)], &key, maker)?);
    }
    Ok(samples)
}
