//! The checks of Securosys Primus HSM key attestation.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Attest the key again (TSB `POST /v1/key/keyAttestation`, or Primus Tools `GetAttestation`) and hand over the files byte for byte as they were written: no editor, no mail text, no copy and paste.";
const CHAIN_AGAIN: &str = "Hand over the certificate chain that came with the attestation, unchanged: the attestation key's certificate, the device's, and (optional) the root.";
const NOT_A_PRIMUS: &str =
    "No Primus HSM writes such a document. Ask the subscriber where it comes from; attest the key again.";
const GENERATE: &str = "Generate a new key inside the HSM with extractable=false, sensitive=true and, if it must be fixed for good, modifiable=false; then attest that key.";
const CLOCK: &str =
    "Check the time of the appraisal (--at) and the clock of the HSM, then attest the key again.";

// The input.
pub(super) const INPUT_MALFORMED: Check = Check::authenticity(
    "input-malformed",
    "document, signature and certificates can be read and are of ordinary size",
    EXPORT_AGAIN,
);
pub(super) const INPUT_MISSING: Check = Check::completeness(
    "input-missing",
    "the XML document, its signature and the certificate chain are there",
    "Hand over all three: the XML document, its signature, and the certificate chain of the attestation key. The ZIP of the TSB holds them all; the JSON of the TSB has no chain, add it. A bare public key gives no trust.",
);

// The chain.
pub(super) const CHAIN_MALFORMED: Check = Check::authenticity(
    "chain-malformed",
    "the chain is exactly attestation key, device, root, in certificates of the usual form",
    CHAIN_AGAIN,
);
pub(super) const CHAIN_INCOMPLETE: Check = Check::completeness(
    "chain-incomplete",
    "the certificates of the attestation key and of the device are there",
    CHAIN_AGAIN,
);
pub(super) const CHAIN_SIGNATURE: Check = Check::authenticity(
    "chain-signature",
    "each certificate is signed by the next one, and names it byte for byte",
    CHAIN_AGAIN,
);
pub(super) const CHAIN_CA_FLAG: Check = Check::authenticity(
    "chain-ca-flag",
    "device and root are certification authorities with the right to issue at that depth",
    CHAIN_AGAIN,
);
pub(super) const TIME_EXPIRED: Check = Check::authenticity(
    "time-expired",
    "every certificate is still valid at the time of the appraisal",
    "Check the time of the appraisal (--at). Chains known so far are valid until 2054.",
);
pub(super) const TIME_NOT_YET_VALID: Check = Check::authenticity(
    "time-not-yet-valid",
    "every certificate is already valid at the time of the appraisal",
    "Check the time of the appraisal (--at).",
);
pub(super) const ROOT_DEVELOPMENT: Check = Check::authenticity(
    "root-development",
    "the root is not that of developer and sandbox systems",
    "Keys of developer and sandbox systems are never accepted. Use a production Primus HSM or a production CloudHSM package.",
);
pub(super) const ROOT_UNKNOWN: Check = Check::authenticity(
    "root-unknown",
    "the chain ends at a pinned root of Securosys's, or one that the operator configured",
    "A root that comes with the evidence counts for nothing. If this is a genuine root of Securosys that is not built in (EC, or from before August 2024), the operator must get it from Securosys and configure it (--anchors).",
);
pub(super) const DEVICE_PROFILE: Check = Check::fitness(
    "device-profile",
    "the device certificate has Securosys's certificate policy and names the serial number",
    "Ask Securosys about this device certificate; without its serial number the device cannot be told from others.",
);
pub(super) const LEAF_PROFILE: Check = Check::authenticity(
    "leaf-profile",
    "the attestation key's certificate is that of a signing key, no authority, for no other purpose",
    "Attest with an attestation key (Primus Tools `CreateAttestationKey`), not with a timestamp or other key of the partition.",
);

// The document.
pub(super) const SIGNATURE_INVALID: Check = Check::authenticity(
    "signature-invalid",
    "the document is signed, every byte of it, by the attestation key",
    EXPORT_AGAIN,
);
pub(super) const XML_DOCTYPE: Check = Check::authenticity(
    "xml-doctype",
    "the document has no DOCTYPE and no entities of its own",
    NOT_A_PRIMUS,
);
pub(super) const XML_ENCODING: Check =
    Check::authenticity("xml-encoding", "the document is UTF-8 without byte-order mark", NOT_A_PRIMUS);
pub(super) const XML_DUPLICATE: Check = Check::authenticity(
    "xml-duplicate",
    "no element or attribute that belongs there once is there twice",
    NOT_A_PRIMUS,
);
pub(super) const XML_ROOT_ELEMENT: Check = Check::authenticity(
    "xml-root-element",
    "the document speaks of a private key",
    "Attest the private key of the key pair, not a secret key or a public key.",
);
pub(super) const XML_DEPTH: Check =
    Check::authenticity("xml-depth", "elements are nested no deeper than ten levels", NOT_A_PRIMUS);
pub(super) const XML_MALFORMED: Check = Check::authenticity(
    "xml-malformed",
    "the document is well-formed XML with nothing in it that a Primus HSM does not write",
    NOT_A_PRIMUS,
);
pub(super) const ATTR_VALUE: Check =
    Check::authenticity("attr-value", "every value has the form that a Primus HSM gives it", NOT_A_PRIMUS);
pub(super) const ATTR_MISSING: Check = Check::fitness(
    "attr-missing",
    "the document says how the key came in, when, and what its access flags are",
    "The document does not say it, so it is not known. Update the firmware or the tool, and attest the key again.",
);
pub(super) const PUBKEY_INCONSISTENT: Check = Check::authenticity(
    "pubkey-inconsistent",
    "the public key is one, and is of the type, curve and size that the document names",
    NOT_A_PRIMUS,
);

// The key.
pub(super) const KEY_IMPORTED: Check = Check::fitness(
    "key-imported",
    "the key was not imported",
    "Generate a new key inside the HSM and attest that. A key that was loaded again from the external key store can be accepted by the operator (--option allow_external_store=true).",
);
pub(super) const KEY_ORIGIN_UNKNOWN: Check = Check::fitness(
    "key-origin-unknown",
    "the document gives an origin of the key that is known",
    "Generate a new key inside the HSM and attest that; keys that were derived or restored are not known to be made inside.",
);
pub(super) const KEY_EXTRACTABLE: Check =
    Check::fitness("key-extractable", "the key cannot be extracted (extractable=false)", GENERATE);
pub(super) const KEY_WAS_EXTRACTABLE: Check = Check::fitness(
    "key-was-extractable",
    "the key never could be extracted (never_extractable=true)",
    GENERATE,
);
pub(super) const KEY_NOT_SENSITIVE: Check =
    Check::fitness("key-not-sensitive", "the key cannot be read in the clear (sensitive=true)", GENERATE);
pub(super) const KEY_WAS_NOT_SENSITIVE: Check = Check::fitness(
    "key-was-not-sensitive",
    "the key never could be read in the clear (always_sensitive=true)",
    GENERATE,
);
pub(super) const KEY_BLOCKED: Check = Check::fitness(
    "key-blocked",
    "the key is not blocked by its approval policy",
    "A blocked key cannot be used until its approvers unblock it. Ask the subscriber why it is blocked.",
);

// Time.
pub(super) const TIME_ATTEST_FUTURE: Check = Check::authenticity(
    "time-attest-future",
    "the document was not made after the time of the appraisal (ten minutes allowed)",
    CLOCK,
);
pub(super) const TIME_ATTEST_TOO_OLD: Check = Check::fitness(
    "time-attest-too-old",
    "the document is not older than the operator allows",
    "Attest the key again; a new document takes a second. The operator can allow more days (--option max_age_days=N).",
);
pub(super) const TIME_ORDER: Check =
    Check::authenticity("time-order", "the key was created before it was attested", CLOCK);
pub(super) const TIME_OUTSIDE_LEAF: Check = Check::authenticity(
    "time-outside-leaf",
    "the document was made while the attestation key's certificate was valid",
    CLOCK,
);

/// Those that judge the path to the root.
pub(super) const OF_THE_PATH: &[&Check] = &[
    &CHAIN_MALFORMED,
    &CHAIN_INCOMPLETE,
    &CHAIN_SIGNATURE,
    &CHAIN_CA_FLAG,
    &TIME_EXPIRED,
    &TIME_NOT_YET_VALID,
    &ROOT_DEVELOPMENT,
    &ROOT_UNKNOWN,
];

/// Those that judge what kind of certificate the two below the root are.
pub(super) const OF_THE_PROFILE: &[&Check] = &[&DEVICE_PROFILE, &LEAF_PROFILE];

/// Those that judge the form of the document.
pub(super) const OF_THE_FORM: &[&Check] =
    &[&XML_ENCODING, &XML_DOCTYPE, &XML_MALFORMED, &XML_ROOT_ELEMENT, &XML_DEPTH, &XML_DUPLICATE];

/// Those that judge what the document says.
pub(super) const OF_THE_CONTENT: &[&Check] = &[
    &ATTR_VALUE,
    &ATTR_MISSING,
    &KEY_IMPORTED,
    &KEY_ORIGIN_UNKNOWN,
    &KEY_EXTRACTABLE,
    &KEY_WAS_EXTRACTABLE,
    &KEY_NOT_SENSITIVE,
    &KEY_WAS_NOT_SENSITIVE,
    &KEY_BLOCKED,
    &TIME_ATTEST_FUTURE,
    &TIME_ATTEST_TOO_OLD,
    &TIME_ORDER,
    &TIME_OUTSIDE_LEAF,
    &PUBKEY_INCONSISTENT,
];

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &INPUT_MALFORMED,
    &INPUT_MISSING,
    &CHAIN_MALFORMED,
    &CHAIN_INCOMPLETE,
    &CHAIN_SIGNATURE,
    &CHAIN_CA_FLAG,
    &TIME_EXPIRED,
    &TIME_NOT_YET_VALID,
    &ROOT_DEVELOPMENT,
    &ROOT_UNKNOWN,
    &DEVICE_PROFILE,
    &LEAF_PROFILE,
    &SIGNATURE_INVALID,
    &XML_DOCTYPE,
    &XML_ENCODING,
    &XML_DUPLICATE,
    &XML_ROOT_ELEMENT,
    &XML_DEPTH,
    &XML_MALFORMED,
    &ATTR_VALUE,
    &ATTR_MISSING,
    &KEY_IMPORTED,
    &KEY_ORIGIN_UNKNOWN,
    &KEY_EXTRACTABLE,
    &KEY_WAS_EXTRACTABLE,
    &KEY_NOT_SENSITIVE,
    &KEY_WAS_NOT_SENSITIVE,
    &KEY_BLOCKED,
    &TIME_ATTEST_FUTURE,
    &TIME_ATTEST_TOO_OLD,
    &TIME_ORDER,
    &TIME_OUTSIDE_LEAF,
    &PUBKEY_INCONSISTENT,
];
