//! Ready-made evidence.

use super::{Carrier, Device, FORMAT, Hierarchy, Maker, Object, capability};
use crate::key::{Key, KeyKind};
use crate::{Error, File, Sample, csr, der, pem};
use serde_json::Map;

const AT: &str = "2026-06-01T00:00:00Z";

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    use capability::{DECRYPT_OAEP, SIGN_ECDSA, SIGN_EDDSA, SIGN_PKCS, SIGN_PSS};
    let old = Maker::new(Hierarchy::SubCa)?;
    let new = Maker::new(Hierarchy::Root1)?;
    let mut samples = Vec::new();
    let mut add =
        |variant: &str, about: &str, maker: &Maker, device: &Device, object: &Object, kind, carrier| {
            let key = Key::shared(&format!("{FORMAT}: subscriber"), kind)?;
            let signed = maker.attest(device, object, &key)?.sign()?;
            let mut anchors = maker.anchors();
            if carrier == Carrier::PemFullChain {
                anchors.truncate(1);
            }
            samples.push(Sample {
                format: FORMAT,
                variant: variant.to_owned(),
                about: about.to_owned(),
                evidence: signed.carried(carrier)?,
                request: Some(File::new(
                    "request.csr",
                    pem::request(&csr::plain("emulated subscriber", &key)?),
                )),
                anchors,
                at: AT.to_owned(),
                options: Map::new(),
            });
            Ok::<_, Error>(())
        };

    let device = Device::new([2, 4, 0], 31_650_425)?;
    let rsa = Object::generated(0x1234, SIGN_PKCS | SIGN_PSS);
    let about = "YubiHSM 2 with firmware 2.4.0: RSA-3072 for signing";
    add("2.4.0-rsa3072", about, &old, &device, &rsa, KeyKind::Rsa3072, Carrier::TwoPems)?;
    for (variant, about, carrier) in [
        ("pem-chain", "leaf and device certificate in one PEM file", Carrier::PemChain),
        ("full-chain", "the PEM chain with the Sub-CA; only the root is an anchor", Carrier::PemFullChain),
        ("der", "leaf and device certificate as DER files", Carrier::Der),
        ("p7b", "leaf and device certificate in a certs-only CMS", Carrier::P7b),
        ("json", "leaf and device certificate as a JSON array of PEM texts", Carrier::Json),
    ] {
        add(variant, about, &old, &device, &rsa, KeyKind::Rsa3072, carrier)?;
    }

    let newer = Device::new([2, 4, 1], 39_160_506)?;
    let ec = Object { label: Vec::new(), domains: 0xffff, ..Object::generated(0x0001, SIGN_ECDSA) };
    let about = "production of 2025 with firmware 2.4.1: P-384, no label, all domains";
    add("2.4.1-p384", about, &new, &newer, &ec, KeyKind::P384, Carrier::TwoPems)?;
    let about = "the same with every authority; only the root is an anchor";
    add("2.4.1-p384-full-chain", about, &new, &newer, &ec, KeyKind::P384, Carrier::PemFullChain)?;

    let fips = Device { fips_unit: Some(5), ..Device::new([2, 2, 0], 20_783_176)? };
    let both = Object::generated(0x0024, SIGN_PSS | DECRYPT_OAEP);
    let about = "YubiHSM 2 FIPS with firmware 2.2.0: RSA-4096 for signing and decryption";
    add("2.2.0-fips-rsa4096", about, &old, &fips, &both, KeyKind::Rsa4096, Carrier::TwoPems)?;

    let fips = Device { fips_unit: Some(6), ..Device::new([2, 4, 1], 39_160_507)? };
    for (variant, mode) in
        [("2.4.1-fips-mode-on", der::boolean(true)), ("2.4.1-fips-mode-off", der::integer(&[0]))]
    {
        let object = Object { fips_mode: Some(mode), ..Object::generated(0x0042, SIGN_ECDSA) };
        let about = "YubiHSM 2 FIPS with firmware 2.4.1, which tells its mode";
        add(variant, about, &new, &fips, &object, KeyKind::P256, Carrier::TwoPems)?;
    }

    let ed25519 = Object { label: vec![0xff, 0xfe], ..Object::generated(0xfffe, SIGN_EDDSA) };
    let about = "Ed25519 on firmware 2.0.0, with a label that is no text";
    let oldest = Device::new([2, 0, 0], 2_000_000)?;
    add("2.0.0-ed25519", about, &old, &oldest, &ed25519, KeyKind::Ed25519, Carrier::TwoPems)?;
    Ok(samples)
}
