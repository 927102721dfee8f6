//! The checks that only Google Cloud HSM has, and those of the core that need other advice there.

use super::super::checks as core;
use crate::checks::Check;

const GET_CHAINS: &str = "Download the attestation bundle (console: key version, Verify attestation), or add the chains: `gcloud kms keys versions get-certificate-chain VERSION --key KEY --keyring RING --location LOCATION --certificate-chain-type all --output-file chains.pem`.";
const GET_BLOB: &str = "Add the attestation: `gcloud kms keys versions describe VERSION --key KEY --keyring RING --location LOCATION --attestation-file attestation.dat`. Only keys of protection level HSM or HSM_SINGLE_TENANT have one; keys of levels SOFTWARE, EXTERNAL and EXTERNAL_VPC have none.";
const OWNER: &str = "The owner's certificates must be Google's for this very card and partition. Fetch all chains of this key version again and hand them over unchanged.";

pub(in super::super) const NO_ATTESTATION_BLOB: Check =
    Check::completeness(core::NO_ATTESTATION_BLOB.id, core::NO_ATTESTATION_BLOB.about, GET_BLOB);
pub(in super::super) const NO_PARTITION: Check =
    Check::completeness(core::NO_PARTITION.id, core::NO_PARTITION.about, GET_CHAINS);
pub(in super::super) const NO_CARD: Check =
    Check::completeness(core::NO_CARD.id, core::NO_CARD.about, GET_CHAINS);
pub(super) const ATTESTATION_FORMAT: Check = Check::completeness(
    "attestation-format",
    "the attestation is of a format that this verifier knows",
    "The format member must be CAVIUM_V2_COMPRESSED. Update this verifier, or ask its operator.",
);
pub(super) const NO_OWNER: Check = Check::completeness(
    "no-owner-certificates",
    "Google's own certificates of card and partition are there",
    GET_CHAINS,
);
pub(super) const OWNER_PARTITION: Check = Check::authenticity(
    "owner-partition",
    "Google's root certified the partition whose key signed the attestation",
    OWNER,
);
pub(super) const OWNER_CARD: Check =
    Check::authenticity("owner-card", "Google's root certified the card that holds the partition", OWNER);
pub(super) const OWNER_PROFILE: Check = Check::authenticity(
    "owner-profile",
    "Google's certificates have the form and the names of card and partition certificates",
    OWNER,
);
pub(super) const RESOURCE_NAME: Check = Check::fitness(
    "resource-name",
    "the attested key is the key version that was named",
    "Name the key version in full, without host or leading slash, and with the project's id: projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY/cryptoKeyVersions/VERSION. Each version has an attestation of its own.",
);
/// A finding.
pub(super) const RESOURCE_NAME_DIFFERS: Check = Check::fitness(
    "resource-name-differs",
    "the unsigned resource name beside the attestation is the signed one",
    "The name in the JSON is unsigned and was changed, or written with the project's number. State the name that matters as resource_name.",
);
/// A finding.
pub(super) const IMPORT_METADATA_DIFFERS: Check = Check::fitness(
    "import-metadata-differs",
    "the unsigned import data beside the attestation agrees with the signed attributes",
    "The JSON says that the key was imported, the signed attributes say that it was generated. The signed ones count; ask where the JSON comes from.",
);

/// Those that this module adds or replaces, and the rest of the core's.
pub(super) const ALL: &[&Check] = &[
    &core::CONTAINER,
    &ATTESTATION_FORMAT,
    &core::FORMAT,
    &NO_ATTESTATION_BLOB,
    &core::DEVICE_ERROR,
    &core::LAYOUT,
    &core::TLV,
    &core::HANDLE,
    &NO_PARTITION,
    &NO_CARD,
    &core::SIGNATURE,
    &core::MIXED_BLOBS,
    &core::PARTITION_KEY,
    &core::MANUFACTURER_CHAIN,
    &NO_OWNER,
    &OWNER_PARTITION,
    &OWNER_CARD,
    &OWNER_PROFILE,
    &core::ANCHOR_UNKNOWN,
    &core::FIPS_MODE_WORDS,
    &core::EXPIRED,
    &core::LEFTOVER,
    &core::PAIR_MISMATCH,
    &core::KEY_VALUES,
    &core::CURVE_UNKNOWN,
    &core::KCV,
    &core::UNTESTED_LAYOUT,
    &core::NOT_ASYMMETRIC,
    &core::NO_PRIVATE_OBJECT,
    &core::PRIVATE_KEY_ATTRIBUTES,
    &RESOURCE_NAME,
    &core::NOT_FIPS_MODE,
    &RESOURCE_NAME_DIFFERS,
    &IMPORT_METADATA_DIFFERS,
];
