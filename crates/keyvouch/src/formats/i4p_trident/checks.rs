//! The checks of I4P Trident attestation.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Export the attestation again with I4P's tool and hand the file over unchanged.";
const ASK_I4P: &str = "I4P publishes neither the syntax of this attestation nor its root. The operator must obtain both from I4P and configure them: --anchors, i4p_roots, i4p_mapping.";

pub(super) const MALFORMED: Check =
    Check::authenticity("malformed", "the file is a CMS SignedData in strict DER", EXPORT_AGAIN);
pub(super) const ANCHOR_NOT_CONFIGURED: Check =
    Check::completeness("anchor-not-configured", "the operator has configured I4P's root", ASK_I4P);
pub(super) const SIGNERS: Check =
    Check::authenticity("cms-signers", "exactly one signer signed the attestation", EXPORT_AGAIN);
pub(super) const CONTENT_MISSING: Check = Check::completeness(
    "cms-content-missing",
    "the content that was signed is there",
    "The signature is detached: hand over the signed file together with it.",
);
pub(super) const SIGNER_CERTIFICATE: Check = Check::completeness(
    "cms-signer-certificate",
    "the certificate of the signer is there",
    "Hand over the certificate of the module's attestation key together with the attestation.",
);
pub(super) const ALGORITHM: Check = Check::completeness(
    "cms-algorithm",
    "the algorithms are RSA or ECDSA on P-256, P-384 or P-521, with SHA-256, SHA-384 or SHA-512",
    "Have the attestation signed with one of these algorithms.",
);
pub(super) const ATTRIBUTES: Check = Check::authenticity(
    "cms-attributes",
    "the signed attributes name the type and the digest of the content",
    EXPORT_AGAIN,
);
pub(super) const DIGEST: Check = Check::authenticity(
    "cms-digest",
    "the content is the one whose digest was signed",
    "The content was changed after it was signed, or belongs to another attestation. Export both again.",
);
pub(super) const SIGNATURE: Check =
    Check::authenticity("cms-signature", "the signature is that of the signer's key", EXPORT_AGAIN);
pub(super) const UNTRUSTED_ROOT: Check = Check::authenticity(
    "untrusted-root",
    "the signer's certificate chains to I4P's root",
    "Hand over the certificates that belong to this module. The operator should compare his root with the one that I4P names today.",
);
pub(super) const ANCHOR_UNKNOWN: Check = Check::completeness(
    "anchor-unknown",
    "a root that the operator configured for I4P vouches for the signer",
    "Hand over the certificates between the module and I4P's root; or the operator must configure the root of this generation of modules.",
);
pub(super) const EXPIRED: Check = Check::authenticity(
    "expired",
    "every certificate is valid at the time of the appraisal",
    "Check the time of the appraisal (--at).",
);
pub(super) const UNMAPPED: Check = Check::completeness(
    "claims-unmapped",
    "the operator has said what the fields of the content mean",
    ASK_I4P,
);
pub(super) const UNREADABLE: Check = Check::completeness(
    "claims-unreadable",
    "the fields that the operator named are in the content, in a form that they can have",
    "Compare the mapping (i4p_mapping) with I4P's description and with `keyvouch inspect`.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &ANCHOR_NOT_CONFIGURED,
    &SIGNERS,
    &CONTENT_MISSING,
    &SIGNER_CERTIFICATE,
    &ALGORITHM,
    &ATTRIBUTES,
    &DIGEST,
    &SIGNATURE,
    &UNTRUSTED_ROOT,
    &ANCHOR_UNKNOWN,
    &EXPIRED,
    &UNMAPPED,
    &UNREADABLE,
];
