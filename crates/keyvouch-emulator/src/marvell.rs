//! Marvell (Cavium) LiquidSecurity: binary attestation of key objects, signed by the partition key.
//!
//! Two layouts are written: FW3 (firmware from 3.2-08; one blob for a key pair) and FW2 (firmware 2.x; one blob an
//! object, with a signature of its own kind). Source: Marvell, "Software Key Attestation", and its parse scripts.
//! Attribute numbers are those of PKCS#11 where PKCS#11 has one.

mod blob;
mod chain;
mod object;

pub use blob::{Fw2, Fw3};
pub use chain::{Chain, Hsm, Maker, Mode, common_name, device_name};
pub use object::{Attribute, Object, Profile, PublicValues, kind};

use crate::key::{Key, KeyKind};
use crate::{Error, File, Sample, bundle, csr, pem};
use serde_json::Map;
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "marvell";

/// The time at which the samples are to be judged; all certificates are valid then.
pub const AT: &str = "2026-06-01T00:00:00Z";

/// FW3 blob of a key pair generated in the device, not yet signed.
///
/// # Errors
/// [`Error::UnfitKey`].
pub fn pair(key: &Key, profile: &Profile) -> Result<Fw3, Error> {
    let values = PublicValues::of(key)?;
    Ok(Fw3::new(vec![
        Object::fw3_public(0xa1c, &values, profile),
        Object::fw3_private(0xa1d, &values, profile, true),
    ]))
}

/// FW3 blob of an imported private key: a single object, not yet signed.
///
/// # Errors
/// [`Error::UnfitKey`].
pub fn imported(key: &Key, profile: &Profile) -> Result<Fw3, Error> {
    Ok(Fw3::new(vec![Object::fw3_private(0x1f0a, &PublicValues::of(key)?, profile, false)]))
}

/// FW3 blob of an AES-256 key, not yet signed.
pub fn secret(profile: &Profile) -> Fw3 {
    Fw3::new(vec![Object::fw3_secret(0x976, profile)])
}

/// FW2 blobs of a key pair generated in the device, private half first, not yet signed.
///
/// # Errors
/// [`Error::UnfitKey`].
pub fn fw2_pair(key: &Key, profile: &Profile) -> Result<(Fw2, Fw2), Error> {
    let values = PublicValues::of(key)?;
    Ok((
        Fw2::new(Object::fw2_private(0x0e, &values, profile)),
        Fw2::new(Object::fw2_public(0x0d, &values, profile)),
    ))
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let maker = Maker::new()?;
    let hsm = maker.hsm("5.3G2041-EMU000001", Mode::Fips)?;
    let profile = Profile::plain("emulated-key");
    let mut samples = Vec::new();
    for (variant, about, kind) in [
        ("fw3-p256", "FW3 blob of a P-256 pair, card and partition certificate", KeyKind::P256),
        ("fw3-p384", "FW3 blob of a P-384 pair", KeyKind::P384),
        ("fw3-secp256k1", "FW3 blob of a secp256k1 pair", KeyKind::Secp256k1),
        ("fw3-rsa2048", "FW3 blob of an RSA-2048 pair", KeyKind::Rsa2048),
        ("fw3-rsa3072", "FW3 blob of an RSA-3072 pair", KeyKind::Rsa3072),
        ("fw3-rsa4096", "FW3 blob of an RSA-4096 pair", KeyKind::Rsa4096),
    ] {
        let key = subject_key(kind)?;
        let blob = pair(&key, &profile)?.sign(&hsm.partition_key)?;
        samples.push(sample(variant, about, vec![File::new("attestation.bin", blob)], &key, &hsm)?);
    }

    let key = subject_key(KeyKind::P256)?;
    let blob = pair(&key, &profile)?.sign(&hsm.partition_key)?;
    let url = vec![File::new("attestation.b64url", bundle::base64url(&blob))];
    samples.push(sample("fw3-base64url", "the blob as base64url without padding", url, &key, &hsm)?);

    let mut azure_like = maker.hsm("5.2G1747-EMU000002", Mode::NonFips)?;
    azure_like.partition.subject =
        device_name(&common_name("F351E9AF9A7AAD1A82AF8DD90B6B3F", Some(1), Mode::NonFips))?;
    let key = subject_key(KeyKind::Rsa2048)?;
    let (private, public) = fw2_pair(&key, &Profile { token: 1, extended: 0, ..profile })?;
    let blobs = vec![
        File::new("private.bin", private.sign(&azure_like.partition_key)?),
        File::new("public.bin", public.sign(&azure_like.partition_key)?),
    ];
    let about = "FW2 blobs of an RSA-2048 pair, on a card that is not in FIPS mode";
    samples.push(sample("fw2-rsa2048", about, blobs, &key, &azure_like)?);
    Ok(samples)
}

fn subject_key(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared("marvell: subscriber", kind)
}

fn sample(variant: &str, about: &str, blobs: Vec<File>, key: &Key, hsm: &Hsm) -> Result<Sample, Error> {
    let chain = hsm.sign()?;
    let mut evidence = blobs;
    evidence.push(File::new("chain.pem", pem::certificates(&[&chain.partition, &chain.card])));
    Ok(Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: Some(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?))),
        anchors: vec![File::new("root.pem", pem::certificate(&hsm.root.der))],
        at: AT.to_owned(),
        options: Map::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{sha1, sha256};

    fn profile() -> Profile {
        Profile::plain("app_key")
    }

    fn partition_key() -> Arc<Key> {
        Key::shared("test", KeyKind::Rsa2048).unwrap()
    }

    fn key(kind: KeyKind) -> Arc<Key> {
        subject_key(kind).unwrap()
    }

    #[test]
    fn fw3_blobs_are_as_long_as_real_ones() {
        let length = |blob: Fw3| blob.sign(&partition_key()).unwrap().len();
        assert_eq!(length(pair(&key(KeyKind::P256), &profile()).unwrap()), 2112);
        assert_eq!(length(pair(&key(KeyKind::Secp256k1), &profile()).unwrap()), 2112);
        assert_eq!(length(pair(&key(KeyKind::Rsa2048), &profile()).unwrap()), 2528);
        assert_eq!(length(secret(&profile())), 1111);
        assert_eq!(length(imported(&key(KeyKind::Rsa4096), &profile()).unwrap()), 1666);
    }

    #[test]
    fn fw3_headers_are_those_of_real_blobs() {
        let blob = pair(&key(KeyKind::P256), &profile()).unwrap().body().unwrap();
        assert_eq!(
            hex::encode(&blob[..40]),
            "00000000000000030000084000000720 0000000000000a1c0000000000000a1d 0001000300080394"
                .replace(' ', "")
        );
        assert_eq!(hex::encode(&blob[40..52]), "00000a1c0000002300000380");
        assert_eq!(hex::encode(&blob[32 + 916..][..12]), "00000a1d0000002300000380");
        let blob = pair(&key(KeyKind::Rsa2048), &profile()).unwrap().body().unwrap();
        assert_eq!(hex::encode(&blob[32..40]), "000100030008045e");
        assert_eq!(hex::encode(&blob[32 + 1118 + 4..][..8]), "0000002500000456");
        let blob = secret(&profile()).body().unwrap();
        assert_eq!(
            hex::encode(&blob[16..44]),
            "00000000000009760001000300080000000009760000002100 00032b".replace(' ', "")
        );
    }

    #[test]
    fn fw2_blobs_are_as_long_as_real_ones() {
        let (private, public) = fw2_pair(&key(KeyKind::Rsa2048), &profile()).unwrap();
        let (private, public) =
            (private.sign(&partition_key()).unwrap(), public.sign(&partition_key()).unwrap());
        assert_eq!((private.len(), public.len()), (1523, 1511));
        assert_eq!(hex::encode(&private[16..32]), "000003d70000000e0000002d000003cb");
        assert_eq!(hex::encode(&public[16..32]), "000003cb0000000d0000002b000003bf");
        // The last attribute is DESTROYABLE; all that follows up to the signature is zero.
        assert_eq!(
            (&private[978..987], &public[957..966]),
            (&[0, 0, 1, 0x72, 0, 0, 0, 1, 1][..], &[0, 0, 1, 0x72, 0, 0, 0, 1, 1][..])
        );
        assert!(private[987..1523 - 256].iter().chain(&public[966..1511 - 256]).all(|octet| *octet == 0));
    }

    #[test]
    fn check_values_are_digests_of_the_public_key() {
        let key = key(KeyKind::P384);
        let blob = pair(&key, &profile()).unwrap();
        let spki = key.spki_der().unwrap();
        for object in &blob.objects {
            assert_eq!(object.get(kind::KCV).unwrap(), &sha1(&spki)[..3]);
            assert_eq!(object.get(kind::EKCV).unwrap(), sha256(&spki));
            assert_eq!(object.get(kind::MODULUS_BITS).unwrap(), [0, 0, 2, 0xcb]);
        }
    }

    #[test]
    fn attributes_and_header_can_be_spoilt() {
        let mut blob = pair(&key(KeyKind::P256), &profile()).unwrap();
        let honest = blob.body().unwrap();
        let private = &mut blob.objects[1];
        private.set(kind::EXTRACTABLE, [1]);
        assert_eq!(blob.body().unwrap().iter().zip(&honest).filter(|(a, b)| a != b).count(), 1);
        blob.objects[1].duplicate(kind::EXTRACTABLE);
        assert_eq!(blob.body().unwrap().len(), honest.len() + 9);
        blob.objects[1].remove(kind::EXTRACTABLE);
        assert_eq!(blob.body().unwrap().len(), honest.len() - 9);
        blob.response_code = 0x20;
        blob.total_size = Some(7);
        blob.key2_offset = Some(1);
        let body = blob.body().unwrap();
        assert_eq!((body[3], &body[8..12], &body[38..40]), (0x20, &[0, 0, 0, 7][..], &[0, 1][..]));
    }
}
