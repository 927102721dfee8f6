//! Checks of an attested key's quality, the same for every format (CSBR 6.1.1.3, 6.1.6).

use crate::checks::{Check, Checks};
use crate::crypto::hygiene::{self, Residues};
use crate::crypto::{Material, PublicKey};

pub(crate) const WEAK_KEY: Check = Check::fitness(
    "weak-key",
    "an RSA key has at least 2048 bits",
    "Generate a key of at least 3072 bits, or an EC key, in the device.",
);
pub(crate) const ROCA_KEY: Check = Check::fitness(
    "roca-key",
    "an RSA modulus has no ROCA fingerprint (CVE-2017-15361)",
    "The private key can be computed from this public key. Generate a new one on a device with corrected firmware and revoke what this key has signed.",
);
pub(crate) const RSA_MODULUS: Check = Check::fitness(
    "rsa-modulus",
    "an RSA modulus is odd and has no prime factor below 752",
    "Generate a new key; this one was not made by a sound generator.",
);
pub(crate) const RSA_CLOSE_PRIMES: Check = Check::fitness(
    "rsa-close-primes",
    "the primes of an RSA modulus are not close to each other (CVE-2022-26320)",
    "The private key can be computed from this public key. Generate a new one with another generator.",
);
pub(crate) const RSA_EXPONENT: Check = Check::fitness(
    "rsa-exponent",
    "an RSA public exponent is odd and at least 3; it should lie between 65537 and 2^256",
    "Generate the key with public exponent 65537.",
);
pub(crate) const EC_POINT: Check = Check::fitness(
    "ec-point",
    "an EC public key is a point on its curve",
    "Export the public key again; these numbers are not a key.",
);

/// The checks of this module.
pub(crate) const CHECKS: &[&Check] =
    &[&WEAK_KEY, &ROCA_KEY, &RSA_MODULUS, &RSA_CLOSE_PRIMES, &RSA_EXPONENT, &EC_POINT];

const PLACE: &str = "attested key";

/// Makes the checks that go with the key's type.
pub(crate) fn check(key: &PublicKey, checks: &mut Checks) {
    match key.material() {
        Material::Rsa { n, e } => check_rsa(key, n, e, checks),
        Material::Ec { .. } => {
            checks.test(
                &EC_POINT,
                PLACE,
                key.is_on_curve() == Some(true),
                "the point is on its curve",
                || "the point is not on its curve".into(),
            );
        }
        Material::Ed25519(_)
        | Material::X25519(_)
        | Material::Dsa { .. }
        | Material::MlDsa { .. }
        | Material::Other { .. } => {}
    }
}

fn check_rsa(key: &PublicKey, n: &[u8], e: &[u8], checks: &mut Checks) {
    let bits = key.rsa_bits().unwrap_or(0);
    checks.test(&WEAK_KEY, PLACE, bits >= 2048, "the key is not shorter than 2048 bits", || {
        format!("the key has only {bits} bits").into()
    });
    let residues = Residues::of(n);
    checks.test(&ROCA_KEY, PLACE, !residues.has_roca_fingerprint(), "no ROCA fingerprint", || {
        "the modulus has the fingerprint of the broken Infineon library: the key can be factored".into()
    });
    let factor = residues.small_factor();
    checks.test(&RSA_MODULUS, PLACE, factor.is_none(), "odd, without a factor below 752", || {
        format!("the modulus is divisible by {}", factor.unwrap_or(0)).into()
    });
    checks.test(
        &RSA_CLOSE_PRIMES,
        PLACE,
        !hygiene::close_primes(n),
        "not factored by Fermat's method",
        || "Fermat's method factors the modulus at once: its primes are close to each other".into(),
    );
    if hygiene::exponent_is_sound(e) && !hygiene::exponent_is_usual(e) {
        checks.warn(&RSA_EXPONENT, PLACE, "the public exponent is outside 65537 … 2^256−1");
    } else {
        checks.test(
            &RSA_EXPONENT,
            PLACE,
            hygiene::exponent_is_sound(e),
            "the public exponent is sound",
            || "the public exponent is even or 1".into(),
        );
    }
}
