//! The checks of PKIX Evidence.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Export the evidence again with the module's tool and hand the file over unchanged. If it is refused again, send it to the maker: the module does not follow the draft.";

pub(super) const MALFORMED: Check = Check::authenticity(
    "malformed",
    "the evidence has the structure that the draft demands, in strict DER",
    EXPORT_AGAIN,
);
pub(super) const PLACEHOLDER_OIDS: Check = Check::completeness(
    "placeholder-oids",
    "the object identifiers are assigned ones, not the placeholders of drafts and sample data",
    "Update the module's firmware once the identifiers are assigned. For tests only, the operator can set accept_placeholder_oids.",
);
pub(super) const UNSIGNED: Check = Check::authenticity(
    "unsigned",
    "the evidence is signed",
    "Export the evidence with its signature; a list of claims that nobody signed says nothing.",
);
pub(super) const UNKNOWN_SIGNER: Check = Check::completeness(
    "unknown-signer",
    "every signer that is named by a key identifier is known",
    "Hand over the certificate of the module's attestation key together with the evidence.",
);
pub(super) const SIGNATURE_INVALID: Check = Check::authenticity(
    "signature-invalid",
    "every signature verifies over the bytes received, with the algorithm that it declares",
    EXPORT_AGAIN,
);
pub(super) const UNKNOWN_ALGORITHM: Check = Check::completeness(
    "unknown-algorithm",
    "every signature is of an algorithm that this verifier knows",
    "Have the module sign with ECDSA, RSA PKCS#1, RSA-PSS (each with SHA-256, SHA-384 or SHA-512) or Ed25519.",
);
pub(super) const AK_PROFILE: Check = Check::authenticity(
    "ak-profile",
    "the signer's certificate is one of an attestation key: keyUsage digitalSignature, and the purpose id-kp-attestationKey",
    "Have the evidence signed by the module's attestation key. If its maker uses a purpose of his own, the operator can accept it with ak_eku.",
);
pub(super) const UNTRUSTED_ROOT: Check = Check::authenticity(
    "untrusted-root",
    "the signer's certificate chains to an anchor, through certification authorities only",
    "Hand over the certificates that belong to this module. The operator should compare his anchor with the one that the maker publishes today.",
);
pub(super) const ANCHOR_UNKNOWN: Check = Check::completeness(
    "anchor-unknown",
    "the signer is vouched for by an anchor that is configured",
    "Hand over the certificates between the attestation key and the maker's root. The operator must obtain that root from the maker and configure it (--anchors): none is built in for this format.",
);
pub(super) const EXPIRED: Check = Check::authenticity(
    "expired",
    "every certificate is valid at the time of the appraisal",
    "Check the time of the appraisal (--at). Otherwise the module needs a new certificate for its attestation key.",
);
pub(super) const EXTRA_SIGNATURE: Check = Check::fitness(
    "extra-signature-untrusted",
    "every good signature is one of a trusted signer",
    "Nothing needs to be done: one signature is trusted, and nothing is concluded from the others.",
);
pub(super) const AK_SPKI_MISMATCH: Check = Check::authenticity(
    "ak-spki-mismatch",
    "every signer's key is one that the evidence names as an attestation key (ak-spki)",
    "The signed claims name other attestation keys than those that signed. Export the evidence again, and look who re-signed it.",
);
pub(super) const NONCE_MISSING: Check = Check::fitness(
    "nonce-missing",
    "the evidence holds a nonce when one was given out",
    "Make the evidence again with the nonce that the CA gave for this request.",
);

/// All of them. The mismatch of a nonce is a check that every format shares.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &PLACEHOLDER_OIDS,
    &UNSIGNED,
    &UNKNOWN_SIGNER,
    &SIGNATURE_INVALID,
    &UNKNOWN_ALGORITHM,
    &AK_PROFILE,
    &UNTRUSTED_ROOT,
    &ANCHOR_UNKNOWN,
    &EXPIRED,
    &EXTRA_SIGNATURE,
    &AK_SPKI_MISMATCH,
    &NONCE_MISSING,
];
