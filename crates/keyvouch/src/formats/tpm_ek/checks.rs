//! The checks of certificates of endorsement keys. Those of the path and the certificate itself are the ones that an
//! activation rests on, too.

use crate::checks::Check;
pub(crate) use crate::formats::tpm::checks::{
    ANCHOR_UNKNOWN, CHAIN_INCOMPLETE, CHAIN_UNTRUSTED, EK_KEY_STRENGTH, EK_MAKER_MISMATCH, EK_SAN, EK_USAGE,
    EXPIRED, NOT_YET_VALID, REVOKED, TPM_VENDOR_UNKNOWN,
};

pub(crate) const EK_CERT_PARSE: Check = Check::authenticity(
    "ek-cert-parse",
    "every certificate can be read",
    "Read the certificate again (`tpm2_nvread 0x1c00002 -o ek.crt.der`) and hand it over unchanged.",
);
pub(crate) const EK_PUBLIC_MISMATCH: Check = Check::authenticity(
    "ek-public-mismatch",
    "a public key or public area beside the EK certificate is that of the EK",
    "Hand over the public area of the EK of this certificate (`tpm2_createek -u ek.pub`), or leave it out.",
);
pub(crate) const EK_ALONE: Check = Check::fitness(
    "ek-alone",
    "there is a statement about a subject's key, and not only the certificate of a TPM",
    "Make a key and an attestation key in the TPM, answer a challenge (`keyvouch tpm challenge`, `tpm2_activatecredential`), and hand over the statement of the attestation key about the key: docs/devices/tpm.md.",
);

/// All of them, in the order in which they are made.
pub(crate) const ALL: &[&Check] = &[
    &EK_CERT_PARSE,
    &CHAIN_UNTRUSTED,
    &CHAIN_INCOMPLETE,
    &ANCHOR_UNKNOWN,
    &EXPIRED,
    &NOT_YET_VALID,
    &REVOKED,
    &EK_USAGE,
    &EK_SAN,
    &TPM_VENDOR_UNKNOWN,
    &EK_MAKER_MISMATCH,
    &EK_KEY_STRENGTH,
    &EK_PUBLIC_MISMATCH,
    &EK_ALONE,
];
