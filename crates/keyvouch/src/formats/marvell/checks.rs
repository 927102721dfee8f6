//! The checks of LiquidSecurity attestation, whoever operates the card.

use crate::checks::Check;

const SAME_DEVICE: &str = "Hand over the attestation and the certificates of the same partition, as they were exported, and nothing edited.";
const FETCH_AGAIN: &str =
    "Fetch the attestation again and hand over the file as it was written: binary, whole, unchanged.";
const GENUINE_CHAIN: &str = "Export the manufacturer's certificates of the card and the partition again. If they are unchanged, this is not a genuine device, or its root is not one that the operator of this verifier trusts.";
const NOT_A_KEY: &str = "A device does not write such an object. Fetch the attestation again; if it is the same, report it to the maker of the HSM.";

pub(super) const CONTAINER: Check = Check::authenticity(
    "container",
    "files and archives can be opened and are no larger than an attestation can be",
    FETCH_AGAIN,
);
pub(super) const FORMAT: Check =
    Check::authenticity("format", "the sizes in the attestation fit a known layout", FETCH_AGAIN);
pub(super) const NO_ATTESTATION_BLOB: Check = Check::completeness(
    "no-attestation-blob",
    "the attestation itself is there, not only certificates",
    "Add the attestation of the key: the binary answer that the HSM's tool writes for the key object.",
);
pub(super) const DEVICE_ERROR: Check = Check::authenticity(
    "device-error",
    "the device answered the request for an attestation with success",
    "The HSM refused to attest: look up the response code in its manual and ask again for an existing key.",
);
pub(super) const LAYOUT: Check = Check::authenticity(
    "layout",
    "every byte of the attestation is accounted for by its header, its objects or its signature",
    FETCH_AGAIN,
);
pub(super) const TLV: Check = Check::authenticity(
    "tlv",
    "the attributes are complete, each once, in the form of their type",
    FETCH_AGAIN,
);
pub(super) const HANDLE: Check = Check::authenticity(
    "handle",
    "header and objects name the same handles, and the halves of a pair different ones",
    FETCH_AGAIN,
);
pub(super) const NO_PARTITION: Check = Check::completeness(
    "no-partition-certificate",
    "the manufacturer's certificate of the partition is there",
    "Add the certificates of the HSM partition: the manufacturer's certificate of the partition and that of the card.",
);
pub(super) const NO_CARD: Check = Check::completeness(
    "no-card-certificate",
    "the manufacturer's certificate of the card is there",
    "Add the manufacturer's certificate of the card that holds the partition.",
);
pub(super) const SIGNATURE: Check = Check::authenticity(
    "signature",
    "the attestation is signed by the key of a partition whose certificate is there",
    SAME_DEVICE,
);
pub(super) const MIXED_BLOBS: Check = Check::authenticity(
    "mixed-blobs",
    "the attestation is of one key, from one partition",
    "Hand over the attestation of one key only; with firmware 2, its private and its public half from the same partition.",
);
pub(super) const PARTITION_KEY: Check = Check::authenticity(
    "partition-key",
    "the partition key is RSA with 2048 bits and exponent 65537, as the devices make it",
    GENUINE_CHAIN,
);
pub(super) const MANUFACTURER_CHAIN: Check = Check::authenticity(
    "manufacturer-chain",
    "the partition was certified by its card, and the card by the manufacturer",
    GENUINE_CHAIN,
);
pub(super) const ANCHOR_UNKNOWN: Check = Check::completeness(
    "anchor-unknown",
    "the root at the top of each chain is one that this verifier knows",
    "The operator can add the root (--anchors) after obtaining it from its owner; a root inside the evidence proves nothing. Update the built-in anchors first.",
);
pub(super) const FIPS_MODE_WORDS: Check = Check::authenticity(
    "fips-mode-words",
    "card and partition certificate name the same mode of operation",
    SAME_DEVICE,
);
pub(super) const EXPIRED: Check = Check::authenticity(
    "expired",
    "every certificate is valid at the time of the appraisal",
    "Ask the operator of the HSM for renewed certificates. To judge evidence as of the day it was received, give that time (--at).",
);
pub(super) const LEFTOVER: Check = Check::authenticity(
    "leftover-certificates",
    "every certificate that was handed over has a part in the chains (only with strict_certificates)",
    "Hand over the certificates of this one partition and its card only.",
);
pub(super) const PAIR_MISMATCH: Check = Check::authenticity(
    "pair-mismatch",
    "the two objects are the public and the private half of one key pair",
    "Hand over the attestation of the private and of the public half of the same key.",
);
pub(super) const KEY_VALUES: Check = Check::authenticity(
    "key-values",
    "the attested numbers are those of a public key: sizes agree, the point is on its curve",
    NOT_A_KEY,
);
pub(super) const CURVE_UNKNOWN: Check = Check::completeness(
    "curve-unknown",
    "key type and curve are ones that this verifier knows",
    "Use an RSA key or one on P-256, P-384, P-521 or secp256k1.",
);
pub(super) const KCV: Check = Check::authenticity(
    "kcv",
    "the key check values in the objects are those of the attested public key",
    NOT_A_KEY,
);
pub(super) const UNTESTED_LAYOUT: Check = Check::completeness(
    "untested-layout",
    "the attestation has a layout whose reader was tested on real evidence",
    "This is the layout of old firmware (CAVIUM_V1), of which no sample is public. Make a new key on current firmware and hand over its attestation.",
);
pub(super) const NOT_ASYMMETRIC: Check = Check::fitness(
    "not-asymmetric",
    "the attested object is a private key",
    "This attestation is of a secret key or another object, which nobody can certify. Hand over the attestation of the asymmetric key.",
);
pub(super) const NO_PRIVATE_OBJECT: Check = Check::fitness(
    "no-private-object",
    "the attestation speaks of the private key",
    "Only the public half is attested, which says nothing about the private key. Add the attestation of the private key object.",
);
pub(super) const PRIVATE_KEY_ATTRIBUTES: Check = Check::fitness(
    "private-key-attributes",
    "the private key was generated in the device, was never extractable, is always sensitive, persistent, whole, and can sign",
    "Generate a new key pair inside the HSM, not extractable; an imported key never qualifies, whatever is done to it later.",
);
/// A finding.
pub(super) const NOT_FIPS_MODE: Check = Check::fitness(
    "device-not-fips-mode",
    "the device runs in its FIPS mode",
    "The certificates of card and partition say non-FIPS mode. Whether that is enough is for the CA's policy.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &CONTAINER,
    &FORMAT,
    &NO_ATTESTATION_BLOB,
    &DEVICE_ERROR,
    &LAYOUT,
    &TLV,
    &HANDLE,
    &NO_PARTITION,
    &NO_CARD,
    &SIGNATURE,
    &MIXED_BLOBS,
    &PARTITION_KEY,
    &MANUFACTURER_CHAIN,
    &ANCHOR_UNKNOWN,
    &FIPS_MODE_WORDS,
    &EXPIRED,
    &LEFTOVER,
    &PAIR_MISMATCH,
    &KEY_VALUES,
    &CURVE_UNKNOWN,
    &KCV,
    &UNTESTED_LAYOUT,
    &NOT_ASYMMETRIC,
    &NO_PRIVATE_OBJECT,
    &PRIVATE_KEY_ATTRIBUTES,
    &NOT_FIPS_MODE,
];
