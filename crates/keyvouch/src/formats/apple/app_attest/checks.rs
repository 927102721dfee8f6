//! The checks of App Attest.

use crate::checks::Check;
use crate::formats::apple::checks::{self as shared, AGAIN, FINDING};

pub(super) use shared::MALFORMED;

const AGREE: &str =
    "Compare what the app sent with what its server expects; then let the app attest a new key.";

pub(super) const CLIENT_DATA_MISSING: Check = Check::completeness(
    "client-data-missing",
    "the client data that the app let be attested are there",
    "Hand over the client data (option client_data, for an assertion assertion_client_data), or the value that was given to the API as clientDataHash (option client_data_hash).",
);
pub(super) const CHALLENGE_MISMATCH: Check = Check::fitness(
    "challenge-mismatch",
    "the client data are the nonce that was given out",
    "Let the app attest with the nonce as its client data. Where the nonce is a part of a document, the operator's own server must look into it.",
);
pub(super) const NONCE_MISMATCH: Check = Check::authenticity(
    "nonce-mismatch",
    "Apple's leaf names exactly this authenticator data and client data (8.2)",
    AGREE,
);
pub(super) const KEY_ID_MISMATCH: Check =
    Check::authenticity("key-id-mismatch", "key id and credential id are the hash of the leaf's key", AGREE);
pub(super) const KEY_MISMATCH: Check =
    Check::authenticity("key-mismatch", "the key in the authenticator data is the leaf's", AGREE);
pub(super) const COUNTER_NOT_ZERO: Check =
    Check::authenticity("counter-not-zero", "the counter of a new key is zero", AGREE);
pub(super) const APP_ID_MISMATCH: Check = Check::fitness(
    "app-id-mismatch",
    "the statement was made for this app",
    "The app id is the team id, a dot, and the bundle id (option app_id).",
);
pub(super) const WRONG_ENVIRONMENT: Check = Check::fitness(
    "wrong-environment",
    "the statement was made in the environment that is expected",
    "Development builds attest in a sandbox. Use the app from the App Store or TestFlight, or set option environment.",
);
pub(super) const ATTESTATION_MISSING: Check = Check::completeness(
    "attestation-missing",
    "the attestation object of the key is there",
    "A receipt or an assertion alone says nothing about a key. Add the attestation object that the app got when it made the key.",
);
pub(super) const RECEIPT_INVALID: Check = Check::fitness(
    "receipt-invalid",
    "the receipt is Apple's, and about this key, app and environment",
    "The statement stands without it. Do not use the receipt for a risk assessment.",
);
pub(super) const SECOND_KEY_UNBOUND: Check = Check::fitness(
    "second-key-unbound",
    "the attested app names the request's key",
    "An App Attest key cannot sign requests. The app must put the request's key into its client data, or sign it by an assertion.",
);
pub(super) const SECOND_KEY_APP_CLAIMED: Check = Check::fitness(
    "second-key-app-claimed",
    "the request's key is named by a genuine, unmodified app; no device attests it",
    FINDING,
);
pub(super) const ASSERTION_SIGNATURE: Check =
    Check::authenticity("assertion-signature", "the assertion is signed by the attested key", AGAIN);
pub(super) const ASSERTION_COUNTER: Check = Check::fitness(
    "assertion-counter",
    "the assertion's counter is higher than the last one that was seen",
    "The assertion was handed over before. Let the app make a new one.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &shared::LEAF_INVALID,
    &shared::CHAIN_INCOMPLETE,
    &shared::ANCHOR_UNKNOWN,
    &shared::CHAIN_UNTRUSTED,
    &shared::EXPIRED,
    &shared::NOT_YET_VALID,
    &shared::UNHANDLED_CRITICAL_EXTENSION,
    &shared::SUBJECT_KEY_HASH,
    &CLIENT_DATA_MISSING,
    &CHALLENGE_MISMATCH,
    &NONCE_MISMATCH,
    &KEY_ID_MISMATCH,
    &KEY_MISMATCH,
    &COUNTER_NOT_ZERO,
    &APP_ID_MISMATCH,
    &WRONG_ENVIRONMENT,
    &ATTESTATION_MISSING,
    &RECEIPT_INVALID,
    &SECOND_KEY_UNBOUND,
    &SECOND_KEY_APP_CLAIMED,
    &ASSERTION_SIGNATURE,
    &ASSERTION_COUNTER,
];
