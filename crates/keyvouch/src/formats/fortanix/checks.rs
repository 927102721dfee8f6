//! The checks of Fortanix DSM key attestation.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Download the key attestation again (DSM web interface: the key's page, or `POST /crypto/v1/keys/key_attestation` with body {\"key\":{\"kid\":\"KEY UUID\"}}) and hand over the file unchanged.";
const NOT_FORTANIX: &str = "The statement does not come from Fortanix DSM SaaS. Download it again from your account; if it stays so, ask Fortanix.";

pub(super) const MALFORMED: Check = Check::authenticity(
    "malformed",
    "the response has exactly its members, in their encodings, with well-formed certificates",
    EXPORT_AGAIN,
);
pub(super) const CHAIN_SHAPE: Check = Check::authenticity(
    "chain-shape",
    "the chain holds one authority, one Key Attestation CA and at most one root, and nothing else",
    EXPORT_AGAIN,
);
pub(super) const UNTRUSTED_ROOT: Check = Check::authenticity(
    "untrusted-root",
    "a root that comes along under an anchor's name is that anchor's certificate",
    NOT_FORTANIX,
);
pub(super) const ANCHOR_UNKNOWN: Check = Check::completeness(
    "anchor-unknown",
    "the Key Attestation CA is issued by the name of an anchor",
    "The operator must configure the root of this cluster (--anchors); the root inside the evidence gives no trust.",
);
pub(super) const CHAIN_INVALID: Check = Check::authenticity(
    "chain-invalid",
    "anchor, Key Attestation CA and authority form a valid path under the key attestation policy",
    NOT_FORTANIX,
);
pub(super) const TIME: Check = Check::authenticity(
    "time",
    "the statement was signed in the past, while the authority lived and its issuers were valid",
    "Check the time of the appraisal (--at). If it is right, download a new statement: it comes with the authority of this month.",
);
pub(super) const PREDATES_AUTHORITY: Check = Check::authenticity(
    "statement-predates-authority",
    "the statement is not older than the authority's certificate",
    "The authority's certificate is renewed every month over the same key. Download a new statement if the CA wants one within the certificate's dates.",
);
pub(super) const ISSUER_EXPIRED_NOW: Check = Check::authenticity(
    "issuer-expired-now",
    "the certificates above the statement are valid at the time of the appraisal",
    "Authority certificates live a month, and statements do not end with them. A new statement has an authority that is valid now.",
);
pub(super) const STALE: Check = Check::fitness(
    "stale",
    "the statement is not older than the operator allows (max_age_days)",
    "Download a new statement of the same key.",
);
pub(super) const AUTHORITY_PROFILE: Check = Check::authenticity(
    "authority-profile",
    "authority and CA have the form of a DSM SaaS Key Attestation Authority and of its CA",
    NOT_FORTANIX,
);
pub(super) const CLUSTER_POLICY: Check = Check::fitness(
    "cluster-policy",
    "the cluster takes in only FX2200 appliances, each approved by the site's operator",
    "This cluster may run on machines that are no HSM. Use a key in a DSM cluster of FX2200 appliances.",
);
pub(super) const STATEMENT_SIGNATURE: Check =
    Check::authenticity("statement-signature", "the statement is signed by the authority", EXPORT_AGAIN);
pub(super) const STATEMENT_PROFILE: Check =
    Check::authenticity("statement-profile", "the statement has the form that DSM gives it", EXPORT_AGAIN);
pub(super) const NOT_GENERATED: Check = Check::fitness(
    "not-generated",
    "the statement says that the key was generated in DSM",
    "The key may have been imported. Generate a new key in DSM (Create key, Generate) and attest that one.",
);
pub(super) const EXPORTABLE: Check = Check::fitness(
    "exportable",
    "the statement says that the key never was and never is exportable",
    "Generate a new key in DSM without the permitted operation Export, and attest that one; taking the permission away later is not enough.",
);
pub(super) const REVOKED: Check = Check::authenticity(
    "revoked",
    "no revocation list that was handed over lists a certificate of the path",
    "The authority was revoked. Download a new statement; ask Fortanix for the reason.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &CHAIN_SHAPE,
    &UNTRUSTED_ROOT,
    &ANCHOR_UNKNOWN,
    &CHAIN_INVALID,
    &TIME,
    &PREDATES_AUTHORITY,
    &ISSUER_EXPIRED_NOW,
    &STALE,
    &AUTHORITY_PROFILE,
    &CLUSTER_POLICY,
    &STATEMENT_SIGNATURE,
    &STATEMENT_PROFILE,
    &NOT_GENERATED,
    &EXPORTABLE,
    &REVOKED,
];
