//! The checks that only Azure Managed HSM has, and those of the core that need other advice there.

use super::super::checks as core;
use crate::checks::Check;

const GET: &str = "Ask the pool again and hand over the file unchanged: `az keyvault key get-attestation --hsm-name POOL --name KEY --file attestation.json` (Azure CLI 2.73 or later; a role with the data action keys/read). `az keyvault key show` does not give the attestation.";
const SAME_ANSWER: &str = "Hand over one answer of the service as it was written. If parts of it were masked or edited, fetch it again: `az keyvault key get-attestation --hsm-name POOL --name KEY --file attestation.json`.";
const OWNER: &str = "The pool's own certificates must be for this very partition. Fetch the attestation again and hand over the file unchanged, or all decoded certificates.";

pub(super) const JSON_MALFORMED: Check = Check::authenticity(
    "json-malformed",
    "the answer is strict JSON, and the members of the attestation are there and base64url",
    GET,
);
pub(super) const VERSION: Check = Check::completeness(
    "version",
    "the attestation is of the version MRVL-1",
    "Nothing is guessed about an unknown version. Update this verifier, or ask its operator.",
);
pub(super) const PROVIDER_ERROR: Check = Check::completeness(
    "provider-error-answer",
    "the file holds an answer of the service, not its refusal",
    "The service refused. Unauthorized: sign in again (`az login`). Forbidden: you need a role with the data action keys/read on the pool, such as Managed HSM Crypto User, and a network from which the pool can be reached. KeyNotFound: look at the names of the pool and the key. Then ask again: `az keyvault key get-attestation --hsm-name POOL --name KEY --file attestation.json`.",
);
pub(super) const NO_ATTESTATION_BLOB: Check =
    Check::completeness(core::NO_ATTESTATION_BLOB.id, core::NO_ATTESTATION_BLOB.about, GET);
pub(super) const NO_PARTITION: Check =
    Check::completeness(core::NO_PARTITION.id, core::NO_PARTITION.about, GET);
pub(super) const NO_CARD: Check = Check::completeness(core::NO_CARD.id, core::NO_CARD.about, GET);
pub(super) const UNTESTED_LAYOUT: Check = Check::completeness(
    core::UNTESTED_LAYOUT.id,
    core::UNTESTED_LAYOUT.about,
    "The service is known to hand out blobs of firmware 2 only. Ask the operator of this verifier to look at this one.",
);
pub(super) const NO_OWNER: Check = Check::completeness(
    "no-owner-certificates",
    "the pool's own certificates are there: its root, and that of the partition",
    GET,
);
pub(super) const OWNER_PARTITION: Check = Check::authenticity(
    "owner-partition",
    "the pool's root certified the partition whose key signed the attestation",
    OWNER,
);
pub(super) const OWNER_PIN: Check = Check::authenticity(
    "owner-pin",
    "the pool's root is one that the operator of this verifier pinned",
    "This is another pool than the CA expects, or a pool that was made again under its name. Tell the CA the SHA-256 of the public key of the pool's root by a trustworthy way, so that it can be pinned (pool_root_spki_sha256).",
);
pub(super) const SWAPPED: Check = Check::authenticity(
    "swapped",
    "the private and the public half are each in the member of their name",
    SAME_ANSWER,
);
pub(super) const NO_PUBLIC_OBJECT: Check = Check::completeness(
    "no-public-object",
    "the public half of the key pair is attested too",
    "Add the public half (publicKeyAttestation): hand over the whole answer of the service. The operator can do without it (allow_missing_public_object).",
);
pub(super) const POOL_NAME: Check = Check::fitness(
    "pool-name",
    "the unsigned key identifier names the pool whose root certified the partition",
    SAME_ANSWER,
);
pub(super) const KEY_ID: Check = Check::fitness(
    "key-id",
    "the unsigned key identifier names the key and version that is signed",
    SAME_ANSWER,
);
pub(super) const JWK_MISMATCH: Check = Check::fitness(
    "jwk-mismatch",
    "the unsigned public key beside the attestation is the attested one",
    SAME_ANSWER,
);
/// A finding.
pub(super) const SELF_ASSERTED: Check = Check::fitness(
    "operator-self-asserted",
    "somebody other than the pool itself says whose pool it is",
    "Every pool has a root of its own, under no root of Microsoft's. That the device is genuine is proved; that it is this pool of Azure is only its own word. To prove that, the CA pins the root (option pool_root_spki_sha256) after it obtained it by a trustworthy way.",
);
/// A finding.
pub(super) const EXPORTABLE_DIFFERS: Check = Check::fitness(
    "json-exportable-differs",
    "the unsigned member exportable agrees with the signed attribute",
    "The signed attribute counts; ask where the JSON comes from.",
);

/// Those that this module adds or replaces, and the rest of the core's.
pub(super) const ALL: &[&Check] = &[
    &JSON_MALFORMED,
    &VERSION,
    &PROVIDER_ERROR,
    &core::CONTAINER,
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
    &OWNER_PIN,
    &core::ANCHOR_UNKNOWN,
    &core::FIPS_MODE_WORDS,
    &core::EXPIRED,
    &core::LEFTOVER,
    &SWAPPED,
    &NO_PUBLIC_OBJECT,
    &core::PAIR_MISMATCH,
    &core::KEY_VALUES,
    &core::CURVE_UNKNOWN,
    &core::KCV,
    &UNTESTED_LAYOUT,
    &core::NOT_ASYMMETRIC,
    &core::NO_PRIVATE_OBJECT,
    &core::PRIVATE_KEY_ATTRIBUTES,
    &POOL_NAME,
    &KEY_ID,
    &JWK_MISMATCH,
    &core::NOT_FIPS_MODE,
    &SELF_ASSERTED,
    &EXPORTABLE_DIFFERS,
];
