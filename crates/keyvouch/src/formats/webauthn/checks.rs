//! The checks of WebAuthn attestation. Those of TPM statements that have the same meaning there are those of format
//! `tpm`.

use super::super::tpm::checks as tpm;
use crate::checks::Check;

const AGAIN: &str = "Register the credential again and hand over `attestationObject` and `clientDataJSON` exactly as the browser or the authenticator gave them.";
const OTHER_MODEL: &str = "Use an authenticator whose attestation the operator trusts; its maker's root can be configured (--anchors) when the model is not in the metadata.";
const TIME: &str = "Check the time of the appraisal (--at): it is to be the time of the registration.";
const DIRECT: &str = "Ask for attestation when registering: `attestation: \"direct\"` (or `\"enterprise\"`) in `navigator.credentials.create`. Synced passkeys have none.";

pub(super) const MALFORMED: Check = Check::authenticity(
    "malformed",
    "attestation object, authenticator data and statement are read exactly: definite lengths, no key twice, no byte left over",
    AGAIN,
);
pub(super) const UNSUPPORTED_FORMAT: Check = Check::completeness(
    "unsupported-format",
    "the statement is of a format that this verifier knows",
    "Known are packed, fido-u2f, tpm, android-key, apple, none and compound.",
);
pub(super) const CLIENT_DATA_TYPE: Check = Check::authenticity(
    "client-data-type",
    "the client data are there, and those of a registration (type webauthn.create)",
    "Hand over `response.clientDataJSON` of the registration beside the attestation object, not that of a login.",
);
pub(super) const CHALLENGE_MISMATCH: Check = Check::fitness(
    "challenge-mismatch",
    "the challenge in the client data is the one that was given out",
    "Register again with the challenge that the CA gave for this request.",
);
pub(super) const ORIGIN_MISMATCH: Check = Check::fitness(
    "origin-mismatch",
    "the registration was made at one of the operator's origins",
    "Register at the page of the operator (option origins).",
);
pub(super) const CROSS_ORIGIN: Check = Check::fitness(
    "cross-origin",
    "the registration was not made in a frame of another site",
    "Register at the page itself. The operator can accept frames with the option allow_cross_origin.",
);
pub(super) const NO_ATTESTED_CREDENTIAL: Check = Check::authenticity(
    "no-attested-credential",
    "the authenticator data hold a new credential (flag AT)",
    "These are the authenticator data of a login. Hand over those of the registration.",
);
pub(super) const RP_ID_MISMATCH: Check = Check::fitness(
    "rp-id-mismatch",
    "the credential is for the operator's relying party",
    "Register at the relying party that the operator expects (option rp_id).",
);
pub(super) const USER_NOT_PRESENT: Check = Check::fitness(
    "user-not-present",
    "a user was present at the registration (flag UP)",
    "Register again and touch the authenticator.",
);
pub(super) const USER_NOT_VERIFIED: Check = Check::fitness(
    "user-not-verified",
    "the user was verified at the registration (flag UV), where the operator asks for it",
    "Set a PIN or enrol a finger, and register again with `userVerification: \"required\"`.",
);
pub(super) const MALFORMED_FLAGS: Check = Check::authenticity(
    "malformed-flags",
    "the flags agree: what is backed up may be backed up",
    "No authenticator sets these flags. Look at its firmware.",
);
pub(super) const BACKUP_ELIGIBLE: Check = Check::fitness(
    "credential-backup-eligible",
    "the credential may not be backed up (flag BE)",
    "The key may leave its authenticator by design (synced passkey). Use a security key or another device-bound authenticator.",
);
pub(super) const COSE_KEY: Check = Check::authenticity(
    "cose-key",
    "the credential's public key is a well-formed COSE key of an accepted algorithm",
    "Hand over the attestation object as the authenticator made it; clients must not decode and encode it again.",
);
pub(super) const CREDENTIAL_ID_MISMATCH: Check = Check::authenticity(
    "credential-id-mismatch",
    "the credential id beside the attestation object is the one in it",
    "Hand over one PublicKeyCredential as it came from `navigator.credentials.create`.",
);
pub(super) const SIGNATURE: Check = Check::authenticity(
    "attestation-signature-invalid",
    "the attestation key signed these authenticator data and this client data",
    AGAIN,
);
pub(super) const CERT_PROFILE: Check = Check::authenticity(
    "attestation-cert-profile",
    "the attestation certificate has the form that its statement format demands",
    "Ask the authenticator's maker: this is not a certificate for WebAuthn attestation.",
);
pub(super) const AAGUID_MISMATCH: Check = Check::authenticity(
    "aaguid-mismatch",
    "the model in the attestation certificate is the one in the authenticator data",
    "Statement and certificate are of two models. Register again with one authenticator.",
);
pub(super) const CHAIN_UNTRUSTED: Check = Check::authenticity(
    "chain-untrusted",
    "the attestation certificate chains to an anchor of this very model, every certificate signed by the next",
    OTHER_MODEL,
);
pub(super) const CHAIN_INCOMPLETE: Check = Check::completeness(
    "chain-incomplete",
    "the intermediate certificates of the statement are there",
    AGAIN,
);
pub(super) const ANCHOR_UNKNOWN: Check =
    Check::completeness("anchor-unknown", "the attestation certificate chains to an anchor", OTHER_MODEL);
pub(super) const EXPIRED: Check =
    Check::authenticity("expired", "every certificate is still valid at the time of the appraisal", TIME);
pub(super) const NOT_YET_VALID: Check = Check::authenticity(
    "not-yet-valid",
    "every certificate is already valid at the time of the appraisal",
    TIME,
);
pub(super) const SURROGATE: Check = Check::authenticity(
    "surrogate-not-allowed",
    "a model that has attestation certificates does not attest with the credential key itself",
    "The statement was made to look like self attestation, or this is not the model that it says. Register again.",
);
pub(super) const SELF_ATTESTATION: Check = Check::attestability(
    "self-attestation",
    "somebody other than the credential key itself signed the statement",
    DIRECT,
);
pub(super) const NO_ATTESTATION: Check =
    Check::attestability("no-attestation", "there is an attestation statement", DIRECT);
pub(super) const U2F_CERT: Check = Check::authenticity(
    "u2f-cert",
    "a U2F statement has exactly one certificate, of a P-256 key, and a P-256 credential",
    AGAIN,
);
pub(super) const TPM_VERSION: Check =
    Check::authenticity("tpm-version", "the TPM statement is of version 2.0", AGAIN);
pub(super) const KEY_MISMATCH: Check = Check::authenticity(
    "key-mismatch",
    "the key that is attested is the credential key",
    "Statement and credential are of two keys. Register again.",
);
pub(super) const NONCE_MISMATCH: Check = Check::authenticity(
    "nonce-mismatch",
    "what was attested names these authenticator data and this client data by their digest",
    AGAIN,
);
pub(super) const ANDROID_CHALLENGE: Check = Check::authenticity(
    "android-challenge",
    "the challenge that Android attested is the digest of the client data",
    AGAIN,
);
pub(super) const SAFETYNET: Check = Check::attestability(
    "safetynet",
    "the statement is not one of SafetyNet",
    "Google switched SafetyNet off, and its statements never said where a key is. Use an authenticator with android-key attestation.",
);
pub(super) const NONE_STATEMENT: Check =
    Check::authenticity("none-statement", "a statement of format none is empty", AGAIN);
pub(super) const COMPOUND: Check = Check::authenticity(
    "compound",
    "a compound statement has at least two members, none of them compound",
    AGAIN,
);
pub(super) const MDS_SIGNATURE: Check = Check::completeness(
    "mds-signature",
    "the operator's metadata BLOB is signed by the FIDO Metadata Service (or below the operator's metadata_roots)",
    "The operator should fetch the BLOB again (https://mds3.fidoalliance.org/) and name it unchanged with the option metadata.",
);
pub(super) const MDS_STALE: Check = Check::completeness(
    "mds-stale",
    "the metadata are not older than they should be",
    "The operator should fetch a new BLOB (https://mds3.fidoalliance.org/) and name it with the option metadata.",
);
pub(super) const MODEL_UNKNOWN: Check = Check::fitness(
    "model-unknown",
    "the metadata know the model of the authenticator",
    "Nothing is known of how this model keeps its keys. Use one that is in the FIDO Metadata Service.",
);
pub(super) const MODEL_NOT_ALLOWED: Check = Check::fitness(
    "model-not-allowed",
    "the model is one of those that the operator accepts (option aaguid_allow)",
    "Use an authenticator of a model that the operator accepts.",
);
pub(super) const MODEL_REVOKED: Check = Check::authenticity(
    "model-revoked",
    "neither the model nor its attestation keys were revoked",
    "The metadata service reports that statements of this model cannot be believed. Use another authenticator.",
);
pub(super) const MODEL_COMPROMISED: Check = Check::fitness(
    "model-compromised",
    "no compromise of the model's keys or user verification was reported",
    "Look at the maker's advisory: keys on this model may be at risk. Update it, or use another authenticator.",
);
pub(super) const KEY_PROTECTION: Check = Check::fitness(
    "key-protection",
    "the model keeps its keys in a secure element or trusted execution environment, and nowhere else",
    "Use an authenticator whose metadata say hardware with secure_element or tee, and no remote_handle.",
);
pub(super) const CSR_UNBOUND: Check = Check::fitness(
    "csr-unbound",
    "nobody expects a WebAuthn credential to be the key of a request",
    "A WebAuthn credential signs logins only: it can sign neither a request nor for a certificate. Attest the key of the request itself (PIV, TPM, ACME device-attest-01).",
);
pub(super) const EUCLEAK: Check = Check::fitness(
    "eucleak",
    "the firmware is not one whose ECDSA keys leak to whoever opens the device (CVE-2024-45678)",
    "Use a device with firmware 5.7.0 or later, or an Ed25519 or RSA credential.",
);

/// All of them, in the order in which they are made.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &UNSUPPORTED_FORMAT,
    &CLIENT_DATA_TYPE,
    &CHALLENGE_MISMATCH,
    &ORIGIN_MISMATCH,
    &CROSS_ORIGIN,
    &NO_ATTESTED_CREDENTIAL,
    &RP_ID_MISMATCH,
    &USER_NOT_PRESENT,
    &USER_NOT_VERIFIED,
    &MALFORMED_FLAGS,
    &BACKUP_ELIGIBLE,
    &COSE_KEY,
    &CREDENTIAL_ID_MISMATCH,
    &MODEL_NOT_ALLOWED,
    &CSR_UNBOUND,
    &MDS_SIGNATURE,
    &MDS_STALE,
    &SIGNATURE,
    &CERT_PROFILE,
    &AAGUID_MISMATCH,
    &CHAIN_UNTRUSTED,
    &CHAIN_INCOMPLETE,
    &ANCHOR_UNKNOWN,
    &EXPIRED,
    &NOT_YET_VALID,
    &tpm::REVOKED,
    &SURROGATE,
    &SELF_ATTESTATION,
    &NO_ATTESTATION,
    &U2F_CERT,
    &TPM_VERSION,
    &tpm::TPM_AIK_PROFILE,
    &tpm::TPM_VENDOR_UNKNOWN,
    &tpm::DEVICE_MAKER_MISMATCH,
    &tpm::AK_KEY_STRENGTH,
    &tpm::WEAK_SIGNATURE,
    &KEY_MISMATCH,
    &tpm::TPM_MAGIC,
    &tpm::TPM_ATTEST_TYPE,
    &NONCE_MISMATCH,
    &tpm::NAME_ALG,
    &tpm::NAME_ALG_SHA1,
    &tpm::NAME_MISMATCH,
    &tpm::KEY_ATTRIBUTES,
    &tpm::KEY_NOT_TPM_BOUND,
    &tpm::KEY_ORIGIN,
    &tpm::KEY_RESTRICTED,
    &tpm::KEY_TYPE,
    &tpm::KEY_STRENGTH,
    &tpm::KEY_HIERARCHY,
    &tpm::KEY_USAGE,
    &tpm::KEY_PLATFORM_HIERARCHY,
    &tpm::KEY_STCLEAR,
    &tpm::KEY_NODA,
    &tpm::KEY_UNUSABLE,
    &ANDROID_CHALLENGE,
    &SAFETYNET,
    &NONE_STATEMENT,
    &COMPOUND,
    &MODEL_UNKNOWN,
    &MODEL_REVOKED,
    &MODEL_COMPROMISED,
    &KEY_PROTECTION,
    &EUCLEAK,
];
