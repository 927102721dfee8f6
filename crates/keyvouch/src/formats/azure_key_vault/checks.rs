//! The checks of answers about keys in Azure Key Vault vaults.

use super::super::provider::unsigned_answer;
use crate::checks::Check;

const FETCH: &str = "Let the CA ask the vault itself: grant the CA's Entra principal the role Key Vault Reader (or the access policy `get` for keys) on this one key; the CA then runs `keyvouch provider azure-key-vault fetch --key KID`. Or use an Azure Managed HSM, whose keys are attested.";
const SAME_ANSWER: &str = "Hand over one answer of the service as it was received, unchanged: GET https://VAULT.vault.azure.net/keys/NAME/VERSION?api-version=7.4";
const NEW_HSM_KEY: &str = "Make a new key in a vault of the Premium tier: `az keyvault key create --vault-name VAULT --name NAME --kty RSA-HSM --size 3072` (or EC-HSM), and make the request with it.";

pub(super) const UNSIGNED: Check = unsigned_answer(FETCH);
pub(super) const JSON_MALFORMED: Check = Check::fitness(
    "json-malformed",
    "the answer is strict JSON, its members are of the documented types, and it holds a public key",
    SAME_ANSWER,
);
pub(super) const KID_HOST: Check = Check::fitness(
    "kid-host",
    "the key identifier names a version of a key in a vault of Azure Key Vault",
    SAME_ANSWER,
);
pub(super) const SOFTWARE_KEY: Check =
    Check::fitness("software-key", "the vault keeps the key in an HSM", NEW_HSM_KEY);
pub(super) const SYMMETRIC_KEY: Check = Check::fitness("symmetric-key", "the key is a key pair", NEW_HSM_KEY);
pub(super) const EXPORTABLE_KEY: Check = Check::fitness(
    "exportable-key",
    "the key cannot be released from the vault: not exportable, and without a release policy",
    "Make a new key without `--exportable` and without a release policy: neither can be taken away from a key.",
);
pub(super) const PLATFORM_UNKNOWN: Check = Check::fitness(
    "hsm-platform-unknown",
    "the answer says by which HSM platform the key is kept",
    "Ask with api-version 7.4 or later. If the platform is a new one, update this verifier.",
);
/// A finding.
pub(super) const PLATFORM_OLD: Check = Check::fitness(
    "hsm-platform-old",
    "the key is kept by the current HSM platform",
    "Platform 1 is validated to FIPS 140-2 level 2 only. A new key version comes to platform 2 (FIPS 140-3 level 3).",
);
pub(super) const KEY_DISABLED: Check = Check::fitness(
    "key-disabled",
    "the key is enabled",
    "Enable it: `az keyvault key set-attributes --id KID --enabled true`, and ask again.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &JSON_MALFORMED,
    &UNSIGNED,
    &KID_HOST,
    &SOFTWARE_KEY,
    &SYMMETRIC_KEY,
    &EXPORTABLE_KEY,
    &PLATFORM_UNKNOWN,
    &PLATFORM_OLD,
    &KEY_DISABLED,
];
