//! The checks of ACME device attestation, besides those of the statement inside.

use crate::checks::Check;
use crate::formats::apple::mda;
use crate::formats::{android, tpm, yubikey_piv};

pub(super) use mda::checks::{DEVICE_IDENTITY_ABSENT, IDENTIFIER_MISMATCH, MALFORMED};

const AGAIN: &str =
    "Hand over the payload of the answer to the challenge, {\"attObj\": …}, as the client sent it.";
const CHALLENGE: &str = "The operator must say what the challenge was: option token, and for every inner format but apple key_authorization or account_thumbprint.";
const ORDER: &str = "Compare the order with the device: the client must ask for an identifier that its device attests, written the same octet for octet.";

pub(super) const IDENTIFIER_SYNTAX: Check = Check::fitness(
    "identifier-syntax",
    "the identifier of the order is a permanent-identifier or hardware-module in form",
    "Make a new order. A permanent-identifier is a text without \"/\", with \"/\" and an object identifier behind it where there is an assigner; a hardware-module is a serial number, \"/\" and an object identifier.",
);
pub(super) const CLIENT_ERROR: Check = Check::completeness(
    "client-error",
    "the client sent an attestation, and not word that there is none",
    "Look at the client: the device refused to attest, or the profile does not ask it to. For Apple devices, HardwareBound and Attest must be true.",
);
pub(super) const BAD_ATTOBJ: Check =
    Check::authenticity("bad-attobj", "attObj is text in base64url, and not empty", AGAIN);
pub(super) const UNSUPPORTED_FORMAT: Check = Check::completeness(
    "unsupported-format",
    "the statement is of a format that is verified here",
    "Statements of formats apple, step, tpm and android-key are verified.",
);
pub(super) const FORMAT_DISABLED: Check = Check::completeness(
    "format-disabled",
    "the operator takes statements of this format",
    "Use a device of another kind, or ask the operator to enable the format (option formats).",
);
pub(super) const X5C: Check =
    Check::authenticity("x5c", "the statement has certificates (x5c), the leaf first", AGAIN);
pub(super) const SIGNATURE: Check = Check::authenticity(
    "attestation-signature-invalid",
    "the statement is signed by the key that must have signed it, over this challenge where it covers one",
    "Answer the challenge anew with the account that made the order: the signature is over the key authorization, not the token alone.",
);
pub(super) const CHALLENGE_MISSING: Check =
    Check::completeness("challenge-missing", "what the challenge was is known", CHALLENGE);
pub(super) const CHALLENGE_MISMATCH: Check = Check::fitness(
    "challenge-mismatch",
    "the statement answers this challenge, for this account",
    "Answer the challenge anew with the account that made the order.",
);
pub(super) const TPM_VERSION: Check =
    Check::authenticity("tpm-version", "the statement is of TPM 2.0", AGAIN);
pub(super) const CSR_IDENTIFIERS: Check =
    Check::fitness("csr-identifiers", "device identifiers in the request are those of the order", ORDER);

/// Those that are made here.
pub(super) const OWN: &[&Check] = &[
    &IDENTIFIER_SYNTAX,
    &CLIENT_ERROR,
    &BAD_ATTOBJ,
    &MALFORMED,
    &UNSUPPORTED_FORMAT,
    &FORMAT_DISABLED,
    &X5C,
    &SIGNATURE,
    &CHALLENGE_MISSING,
    &CHALLENGE_MISMATCH,
    &TPM_VERSION,
    &DEVICE_IDENTITY_ABSENT,
    &IDENTIFIER_MISMATCH,
    &CSR_IDENTIFIERS,
];

/// The statements inside bring their own.
const SETS: [&[&Check]; 5] = [OWN, mda::checks::ALL, yubikey_piv::CHECKS, tpm::checks::ALL, android::CHECKS];

const COUNT: usize = collect::<0>().1;

/// All of them, each id once.
pub(super) const ALL: &[&Check] = &collect::<COUNT>().0;

/// The checks of every set whose ids are new, as far as there is place, and how many there are.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn collect<const N: usize>() -> ([&'static Check; N], usize) {
    let mut all = [&MALFORMED; N];
    let (mut set, mut count) = (0, 0);
    while set < SETS.len() {
        let mut index = 0;
        while index < SETS[set].len() {
            if is_new(set, index) {
                if count < N {
                    all[count] = SETS[set][index];
                }
                count += 1;
            }
            index += 1;
        }
        set += 1;
    }
    (all, count)
}

/// Whether no check before this one has its id, and it does not go by another name here.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn is_new(set: usize, index: usize) -> bool {
    let id = SETS[set][index].id;
    if is(id, tpm::checks::ATTEST_SIGNATURE.id) {
        return false;
    }
    let mut earlier = 0;
    while earlier <= set {
        let mut at = 0;
        while at < SETS[earlier].len() && (earlier < set || at < index) {
            if is(id, SETS[earlier][at].id) {
                return false;
            }
            at += 1;
        }
        earlier += 1;
    }
    true
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn is(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
