//! The time of a credential challenge to a TPM, and of checking its answer, against the one public-key operation that
//! the challenge is (RSAES-OAEP, or a Diffie-Hellman with a new key) and the one digest that the check is.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use keyvouch::crypto::Material;
use keyvouch::tpm::activation::{AttestationKey, Challenge, EndorsementKey, Pending, RANDOM_LEN};
use keyvouch_bench::Error;
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::tpm::{Ak, Maker};

/// How long one row is measured.
const TIME: Duration = Duration::from_millis(1_500);

fn main() -> Result<(), Error> {
    println!("{:<44} {:>9} {:>9} {:>6} {:>7}", "credential activation", "bare µs", "µs", "ratio", "rounds");
    let ak = AttestationKey::read(&Ak::new("benchmark", KeyKind::P256)?.public.bytes())?;
    let random = [0x5a; RANDOM_LEN];
    for (name, kind) in [("RSA-2048", KeyKind::Rsa2048), ("P-256", KeyKind::P256), ("P-384", KeyKind::P384)] {
        let ek = endorsement_key(kind)?;
        let expires = "2026-06-02T00:00:00Z".parse()?;
        let bare = public_key_operation(&ek)?;
        let make = || Challenge::new(black_box(&ek), &ak, expires, &random);
        make()?;
        row(&format!("challenge: make, EK {name}"), bare, || assert!(black_box(make()).is_ok()));

        let state = make()?.pending.to_json();
        let (answer, at) = (&random[..32], "2026-06-01T00:00:00Z".parse()?);
        let check = || Pending::from_json(black_box(&state)).and_then(|pending| pending.confirm(answer, at));
        check()?;
        row(
            &format!("answer: check, EK {name}"),
            Box::new(|| assert!(!black_box(digest(&SHA256, black_box(answer))).as_ref().is_empty())),
            || assert!(black_box(check()).is_ok()),
        );
    }
    println!("bare: the public-key operation, the digest; check: with the state as it was kept, in JSON");
    Ok(())
}

fn endorsement_key(kind: KeyKind) -> Result<EndorsementKey, Error> {
    let maker = Maker::new()?;
    let certificate = maker.certificate(&*Key::shared("benchmark: EK", kind)?)?;
    Ok(EndorsementKey::read(&maker.sign(&certificate)?)?)
}

fn public_key_operation(ek: &EndorsementKey) -> Result<Box<dyn Fn()>, Error> {
    let secret = [1; 32];
    Ok(match ek.key().material() {
        Material::Rsa { .. } => {
            let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(ek.key().spki_der())?)?;
            Box::new(move || {
                let mut out = [0; 512];
                assert!(key.encrypt(&OAEP_SHA256_MGF1SHA256, &secret, &mut out, None).is_ok());
                black_box(out);
            })
        }
        Material::Ec { curve, point } => {
            let algorithm = if curve.field_len() == 32 { &ECDH_P256 } else { &ECDH_P384 };
            let (point, private) = (point.clone(), vec![0x5a; curve.field_len()]);
            Box::new(move || {
                let Ok(key) = PrivateKey::from_private_key(algorithm, &private) else { return };
                let public = key.compute_public_key();
                let peer = UnparsedPublicKey::new(algorithm, &point);
                let agreed = agreement::agree(&key, peer, (), |z| Ok(black_box(z.len())));
                assert!(black_box(public).is_ok() && agreed.is_ok());
            })
        }
        _ => return Err("no endorsement key has such a key".into()),
    })
}

/// Measures both in turn, and prints the medians.
fn row(name: &str, bare: Box<dyn Fn() + '_>, whole: impl Fn()) {
    let (mut of_bare, mut of_whole) = (Vec::new(), Vec::new());
    let timed = |work: &dyn Fn(), times: &mut Vec<f64>| {
        let started = Instant::now();
        work();
        times.push(started.elapsed().as_secs_f64() * 1e6);
    };
    let started = Instant::now();
    while started.elapsed() < TIME {
        timed(&*bare, &mut of_bare);
        timed(&whole, &mut of_whole);
    }
    let rounds = of_bare.len();
    let (bare, whole) = (median(of_bare), median(of_whole));
    println!("{name:<44} {bare:>9.1} {whole:>9.1} {:>6.2} {rounds:>7}", whole / bare);
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
