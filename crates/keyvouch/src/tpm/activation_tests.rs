use std::path::Path;

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::tpm::{Ak, ENDORSEMENT_KEY, Maker, Public};

use super::super::credential::{kdf_a, kdf_e};
use super::*;

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

const EXPIRES: &str = "2026-06-02T00:00:00Z";

fn ak() -> AttestationKey {
    AttestationKey::read(&Ak::new("activation", KeyKind::P256).unwrap().public.bytes()).unwrap()
}

fn ek(kind: KeyKind) -> (std::sync::Arc<Key>, EndorsementKey) {
    let key = Key::shared("activation: EK", kind).unwrap();
    let own = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
    (key, EndorsementKey::of_template(&own).unwrap())
}

/// Every intermediate value of activations that a TPM answered.
#[test]
fn values_that_a_tpm_agreed_with() {
    let folder = std::env::var("KEYVOUCH_VECTORS")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"), Into::into);
    let Ok(text) = std::fs::read_to_string(folder.join("tpm-swtpm/activations.json")) else {
        eprintln!("NO REAL ACTIVATIONS: set KEYVOUCH_VECTORS to their folder; only emulated ones are tried");
        return;
    };
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() >= 5);
    for case in &cases {
        let value = |name: &str| hex(case[name].as_str().unwrap());
        let id = &case["id"];
        let ek = EndorsementKey::read(&value("ekPublic")).unwrap();
        // The template that is taken for a certificate of this key is the right one.
        assert_eq!(ek, EndorsementKey::of_template(&ek.key).unwrap(), "{id}");
        let (seed, name, secret) = (value("seed"), value("credentialedName"), value("secret"));
        let protected = protect(ek.hash, ek.aes_bits, &seed, &name, &secret).unwrap();
        assert_eq!(protected.hmac, value("outerHMAC"), "{id}");
        assert_eq!(protected.identity, value("encIdentity"), "{id}");
        let aes = usize::from(ek.aes_bits) / 8;
        assert_eq!(kdf_a(ek.hash, &seed, "STORAGE", &name, aes), Some(value("symKey")), "{id}");
        let len = digest_len(ek.hash).unwrap();
        assert_eq!(kdf_a(ek.hash, &seed, "INTEGRITY", &[], len), Some(value("hmacKey")), "{id}");
        let credential = tpm2b(&[tpm2b(&protected.hmac).unwrap(), protected.identity].concat()).unwrap();
        assert_eq!(credential, value("credentialBlob_TPM2B_ID_OBJECT"), "{id}");
        if let Material::Ec { curve, point } = ek.key.material() {
            let private = value("ephemeralPrivate");
            let agreed = agree_seed(ek.hash, *curve, point, &private).unwrap();
            assert_eq!((agreed.x, agreed.y), (value("ephemeralX"), value("ephemeralY")), "{id}");
            assert_eq!(agreed.seed, seed, "{id}");
            let ek_x = &point[1..=curve.field_len()];
            assert_eq!(kdf_e(ek.hash, &value("Z"), [&value("ephemeralX"), ek_x], len), Some(seed), "{id}");
            let made = make(&ek, &name, &secret, &[], &private).unwrap();
            assert_eq!(made, (credential, value("encryptedSecret_TPM2B_ENCRYPTED_SECRET")), "{id}");
        }
    }
}

#[test]
fn a_seed_for_an_rsa_key_is_what_the_key_decrypts() {
    let (key, ek) = ek(KeyKind::Rsa2048);
    let challenge = Challenge::new(&ek, &ak(), at(EXPIRES), &[7; RANDOM_LEN]).unwrap();
    let private = PrivateDecryptingKey::from_pkcs8(key.pkcs8_der()).unwrap();
    let private = OaepPrivateDecryptingKey::new(private).unwrap();
    let mut out = vec![0; private.min_output_size()];
    let seed =
        private.decrypt(&OAEP_SHA256_MGF1SHA256, &challenge.secret[2..], &mut out, Some(b"IDENTITY\0"));
    assert_eq!(seed.unwrap(), [7; 32]);
    assert_eq!(challenge.secret.len(), 258);
}

#[test]
fn every_kind_of_endorsement_key_and_both_forms_of_it() {
    let maker = Maker::new().unwrap();
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::P256, KeyKind::P384, KeyKind::P521] {
        let (key, wanted) = ek(kind);
        let certificate = maker.sign(&maker.certificate(&key).unwrap()).unwrap();
        for form in [
            certificate.clone(),
            keyvouch_emulator::pem::certificate(&certificate).into(),
            [&certificate[..], &[0xff; 50]].concat(),
        ] {
            assert_eq!(EndorsementKey::read(&form), Ok(wanted.clone()), "{kind:?}");
        }
        let challenge = Challenge::new(&wanted, &ak(), at(EXPIRES), &[3; RANDOM_LEN]).unwrap();
        assert_eq!(usize::from(u16_at(&challenge.credential, 0).unwrap()) + 2, challenge.credential.len());
        assert_eq!(usize::from(u16_at(&challenge.secret, 0).unwrap()) + 2, challenge.secret.len());
        assert!(challenge.tools_file().starts_with(&[0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1, 0]));
        let other = Challenge::new(&wanted, &ak(), at(EXPIRES), &[4; RANDOM_LEN]).unwrap();
        assert_ne!(challenge.credential, other.credential);
    }
}

#[test]
fn an_answer_counts_once_in_time_and_when_it_is_the_secret() {
    let (_, ek) = ek(KeyKind::P256);
    let mut random = [9; RANDOM_LEN];
    random[..32].copy_from_slice(&[1; 32]);
    let pending = Challenge::new(&ek, &ak(), at(EXPIRES), &random).unwrap().pending;
    assert_eq!(Pending::from_json(&pending.to_json()), Ok(pending.clone()));
    assert!(!pending.to_json().to_string().contains(&"01".repeat(32)), "the state does not hold the secret");
    let record = pending.clone().confirm(&[1; 32], at(EXPIRES)).unwrap();
    assert_eq!(record["ak_name"], hex::encode(ak().name()));
    assert_eq!(record["ek_spki_sha256"], hex::encode(ek.key().spki_sha256()));
    assert_eq!(record["expires"], EXPIRES);
    assert_eq!(pending.clone().confirm(&[1; 32], at("2026-06-02T00:00:01Z")), Err(ActivationError::Late));
    for wrong in [&[2; 32][..], &[1; 31], &[1; 33], &[]] {
        assert_eq!(pending.clone().confirm(wrong, at(EXPIRES)), Err(ActivationError::Wrong));
    }
    for member in ["challenge", "ek_spki_sha256", "ak_name", "secret_sha256", "expires"] {
        let mut state = pending.to_json();
        state[member] = "".into();
        assert_eq!(Pending::from_json(&state), Err(ActivationError::State), "{member}");
    }
}

#[test]
fn what_is_no_endorsement_or_attestation_key() {
    use ActivationError as E;
    let key = Key::shared("activation: EK", KeyKind::P256).unwrap();
    let area = |attributes| Public::of(&key, attributes).unwrap().bytes();
    assert_eq!(EndorsementKey::read(b"nothing"), Err(E::NoEndorsementKey));
    // No storage cipher, or an ordinary key.
    assert!(EndorsementKey::read(&area(0x0004_0072)) == Err(E::NotAnEndorsementKey));
    assert!(EndorsementKey::read(&area(ENDORSEMENT_KEY & !2)) == Err(E::NotAnEndorsementKey));
    let maker = Maker::new().unwrap();
    assert_eq!(EndorsementKey::read(&maker.issuer.der), Err(E::NoEndorsementKey));
    let short = PublicKey::rsa(&[0xff; 128], &[1, 0, 1]).unwrap();
    assert_eq!(EndorsementKey::of_template(&short), Err(E::Template));
    assert_eq!(AttestationKey::read(b"nothing"), Err(E::NoAttestationKey));
    for attributes in [0x0004_0072, 0x0005_0070, 0x0005_0062, 0x0005_0052, 0x0007_0072, ENDORSEMENT_KEY] {
        assert_eq!(AttestationKey::read(&area(attributes)), Err(E::NotAnAttestationKey), "{attributes:08x}");
    }
}
