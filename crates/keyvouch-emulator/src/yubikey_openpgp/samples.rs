//! Ready-made evidence.

use super::{Attested, Device, FORMAT, Maker, Signed, touch};
use crate::key::{Key, KeyKind};
use crate::{Error, File, Sample, cms, csr, openpgp, pem};
use serde_json::Map;
use std::sync::Arc;

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

fn subject_key(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: subscriber"), kind)
}

fn two_pems(signed: &Signed) -> Vec<File> {
    vec![
        File::new("attest-sig.pem", pem::certificate(&signed.leaf)),
        File::new("att.pem", pem::certificate(&signed.att)),
    ]
}

fn request(key: &Key) -> Result<File, Error> {
    Ok(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?)))
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let (old, new) = (Maker::old()?, Maker::new()?);
    let new_device = Device { serial: 35_718_625, form_factor: 1, ..Device::new([5, 7, 4])? };
    let old_device = Device::new([5, 2, 7])?;
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, maker: &Maker, device: &Device, attested: &Attested| {
        let signed = maker.attest(device, attested)?.sign()?;
        let request = request(&attested.key)?;
        samples.push(sample(variant, about, two_pems(&signed), Some(request), maker.anchors()));
        Ok::<_, Error>(())
    };
    let key = |slot, kind| Ok::<_, Error>(Attested::new(slot, &subject_key(kind)?));

    let about = "YubiKey 5 with firmware 5.7.4: P-384 as SIG key, touch fixed";
    let fixed = Attested { touch: touch::FIXED, ..key("SIG", KeyKind::P384)? };
    add("5.7.4-sig-p384", about, &new, &new_device, &fixed)?;
    let about = "firmware 5.7.4: RSA-4096 as SIG key";
    add("5.7.4-sig-rsa4096", about, &new, &new_device, &key("SIG", KeyKind::Rsa4096)?)?;
    let about = "firmware 5.7.4: Ed25519 as AUT key, touch cached";
    let cached = Attested { touch: touch::CACHED, ..key("AUT", KeyKind::Ed25519)? };
    add("5.7.4-aut-ed25519", about, &new, &new_device, &cached)?;
    let about = "YubiKey 5 FIPS with firmware 5.4.3: RSA-3072 as SIG key";
    let fips = Device { form_factor: 0x81, ..Device::new([5, 4, 3])? };
    add("5.4.3-sig-rsa3072-fips", about, &old, &fips, &key("SIG", KeyKind::Rsa3072)?)?;
    let about = "firmware 5.2.7 under the root of 2019: Ed25519 as SIG key that was used, with a cardholder";
    let used = Attested {
        touch: touch::FIXED,
        counter: 1,
        cardholder: "Subscriber<<Emulated".to_owned(),
        ..key("SIG", KeyKind::Ed25519)?
    };
    add("5.2.7-sig-ed25519", about, &old, &old_device, &used)?;
    let about = "firmware 5.2.7, an attestation key of P-256 that its owner has put there: P-256 as SIG key";
    let own =
        Device { att_key: Key::shared("yubikey-openpgp: own ATT", KeyKind::P256)?, ..old_device.clone() };
    add("own-att-p256", about, &old, &own, &key("SIG", KeyKind::P256)?)?;

    let attested = key("SIG", KeyKind::Ed25519)?;
    let signed = new.attest(&new_device, &attested)?.sign()?;
    let all: Vec<_> = [&signed.leaf, &signed.att].into_iter().chain(&signed.intermediates).collect();
    let root_only = new.anchors().into_iter().take(1).collect();
    let chain = vec![File::new("chain.pem", pem::certificates(&all))];
    let about = "leaf, ATT and both intermediates in one PEM file; only the root is an anchor";
    samples.push(sample("full-chain", about, chain, Some(request(&attested.key)?), root_only));
    let p7b = vec![File::new("chain.p7b", cms::certs_only(&[&signed.leaf, &signed.att])?)];
    let about = "leaf and ATT in a certs-only CMS";
    samples.push(sample("p7b", about, p7b, Some(request(&attested.key)?), new.anchors()));
    let packets = openpgp::public_key(&attested.key, attested.created, "emulated subscriber")?;
    let armored = File::new("key.asc", openpgp::armor(&packets));
    let about = "bound to an armored OpenPGP public key";
    samples.push(sample("openpgp-key", about, two_pems(&signed), Some(armored), new.anchors()));
    let about = "bound to a binary OpenPGP public key";
    let binary = File::new("key.pgp", packets);
    samples.push(sample("openpgp-key-binary", about, two_pems(&signed), Some(binary), new.anchors()));
    Ok(samples)
}
