//! Checks of what the KeyDescription says.

use crate::checks::Check;

const MAKE_AGAIN: &str = "Make a new key in AndroidKeyStore (KeyPairGenerator with KeyGenParameterSpec); keys that were imported or made outside are not accepted.";
const UNMODIFIED: &str = "Use a phone whose bootloader is locked and that runs the maker's system; then make a new key, because the statement speaks of the moment the key was made.";
const NOT_GENUINE: &str =
    "No genuine device makes such a statement. Make the key again on an unmodified device.";

pub(in super::super) const KEYDESC_PARSE: Check = Check::authenticity(
    "keydesc-parse",
    "the attestation extension is a KeyDescription",
    "Export the chain again, unchanged. If the device wrote it so, it cannot be used.",
);
pub(in super::super) const KEYDESC_NOT_DER: Check = Check::authenticity(
    "keydesc-not-der",
    "the KeyDescription is DER (asked for by android_strict)",
    "The device writes BOOLEAN TRUE as 01. The operator accepts that with android_strict=false.",
);
pub(in super::super) const DER_BOOLEAN_NOT_FF: Check = Check::authenticity(
    "der-boolean-not-ff",
    "BOOLEAN TRUE is written as FF",
    "One Android 10 phone writes 01. Google's own library cannot read the root of trust then.",
);
pub(in super::super) const KEYDESC_LEVEL_UNKNOWN: Check = Check::completeness(
    "keydesc-level-unknown",
    "the security levels are ones that are defined",
    "The statement uses a security level that this version does not know. Look for a newer version.",
);
pub(in super::super) const VERSION_UNKNOWN: Check = Check::fitness(
    "version-unknown",
    "the attestation version is one that is known",
    "The statement was judged by the rules of the newest version that is known. Look for a newer version.",
);
pub(in super::super) const UNKNOWN_TAG: Check = Check::authenticity(
    "unknown-tag",
    "every tag of the authorization lists is known",
    "Samsung builds write tags of their own. What an unknown tag permits is not known either.",
);
pub(in super::super) const TAGS_OUT_OF_ORDER: Check = Check::authenticity(
    "tags-out-of-order",
    "the tags of the authorization lists ascend",
    "A Motorola phone of 2022 writes them out of order: this is a finding unless the operator sets android_strict.",
);
pub(in super::super) const LEVEL_SOFTWARE: Check = Check::fitness(
    "level-software",
    "key and statement were made in hardware (TEE or StrongBox)",
    "The key is kept by software, or software made the statement. Use a phone with hardware-backed keys (Android 8 or later).",
);
pub(in super::super) const LEVEL_MISMATCH: Check =
    Check::authenticity("level-mismatch", "statement and key are of the same security level", NOT_GENUINE);
pub(in super::super) const LEVEL_TOO_LOW: Check = Check::fitness(
    "level-too-low",
    "the security level is at least the one that the operator asks for",
    "Make the key with KeyGenParameterSpec.Builder.setIsStrongBoxBacked(true), on a phone that has a StrongBox.",
);
pub(in super::super) const LEVEL_VS_CERTIFICATE_MISMATCH: Check = Check::authenticity(
    "level-vs-certificate-mismatch",
    "the certificate of the attestation key names the same environment as the statement",
    "The statement claims an environment that its signer's certificate does not name. Ask which device made it.",
);
pub(in super::super) const ORIGIN_MISSING: Check =
    Check::fitness("origin-missing", "the hardware says where the key comes from", MAKE_AGAIN);
pub(in super::super) const ORIGIN_DERIVED: Check =
    Check::fitness("origin-derived", "the key was not derived from another", MAKE_AGAIN);
pub(in super::super) const ORIGIN_IMPORTED: Check =
    Check::fitness("origin-imported", "the key was not imported", MAKE_AGAIN);
pub(in super::super) const ORIGIN_SECURELY_IMPORTED: Check =
    Check::fitness("origin-securely-imported", "the key was not imported in wrapped form", MAKE_AGAIN);
pub(in super::super) const ORIGIN_UNKNOWN: Check =
    Check::fitness("origin-unknown", "the origin of the key is one that is defined", MAKE_AGAIN);
pub(in super::super) const KEY_EXPORTABLE: Check =
    Check::fitness("key-exportable", "the private key may not be exported (tag 602)", MAKE_AGAIN);
pub(in super::super) const ALL_APPLICATIONS: Check =
    Check::fitness("all-applications", "the key is not open to every app (tag 600)", MAKE_AGAIN);
pub(in super::super) const IDENTITY_CREDENTIAL_KEY: Check = Check::fitness(
    "identity-credential-key",
    "the key is not one of an identity credential (tag 721)",
    "Make a general key in AndroidKeyStore; this one belongs to a stored identity document.",
);
pub(in super::super) const ROT_MISSING: Check =
    Check::fitness("rot-missing", "the hardware says how the device was booted (root of trust)", UNMODIFIED);
pub(in super::super) const ROT_SHAPE_VS_VERSION: Check = Check::fitness(
    "rot-shape-vs-version",
    "the root of trust has the form of the statement's version",
    "Known forgeries made with leaked attestation keys look like this. Ask which device made it, and look at the status list.",
);
pub(in super::super) const BOOTLOADER_UNLOCKED: Check =
    Check::fitness("bootloader-unlocked", "the bootloader is locked", UNMODIFIED);
pub(in super::super) const BOOT_STATE_SELFSIGNED: Check = Check::fitness(
    "boot-state-selfsigned",
    "the system was signed by the maker, or by a key that the operator lists",
    "The device runs a system that its user installed. The operator can list its key with android_boot_keys.",
);
pub(in super::super) const BOOT_STATE_UNVERIFIED: Check =
    Check::fitness("boot-state-unverified", "the system was verified when it was booted", UNMODIFIED);
pub(in super::super) const BOOT_STATE_FAILED: Check =
    Check::fitness("boot-state-failed", "verification of the system did not fail", UNMODIFIED);
pub(in super::super) const PURPOSE_NOT_HARDWARE_ENFORCED: Check = Check::fitness(
    "purpose-not-hardware-enforced",
    "the hardware enforces what the key may be used for",
    MAKE_AGAIN,
);
pub(in super::super) const PURPOSE_NOT_ALLOWED: Check = Check::fitness(
    "purpose-not-allowed",
    "the key may sign, decrypt or agree on keys, and does not attest other keys",
    "Make a key with PURPOSE_SIGN (or PURPOSE_DECRYPT, PURPOSE_AGREE_KEY); an attest key is no subscriber key.",
);
pub(in super::super) const KEY_PARAMS_MISMATCH: Check = Check::authenticity(
    "key-params-mismatch",
    "the key in the certificate is of the type and size that the hardware states",
    NOT_GENUINE,
);
pub(in super::super) const KEY_TOO_SMALL: Check = Check::fitness(
    "key-too-small",
    "the key has at least 2048 bits (RSA) or 256 bits (EC)",
    "Make a new key: RSA with at least 3072 bits, or EC on P-256.",
);
pub(in super::super) const RSA_UNDER_EC_FACTORY_KEY: Check = Check::fitness(
    "rsa-under-ec-factory-key",
    "an RSA key is attested by the RSA attestation key of the factory",
    "Known forgeries made with leaked attestation keys look like this. Ask which device made it, and look at the status list.",
);
pub(in super::super) const CHALLENGE_MISMATCH: Check = Check::fitness(
    "challenge-mismatch",
    "the statement answers the challenge that was given",
    "A statement cannot be renewed: make a new key with setAttestationChallenge and the challenge of this request.",
);
pub(in super::super) const APP_ID_MISMATCH: Check = Check::fitness(
    "app-id-mismatch",
    "the key belongs to an app that the operator lists",
    "Make the key in the CA's own app, in the version that the operator signed. The list is android_apps.",
);
pub(in super::super) const PATCH_STALE: Check = Check::fitness(
    "patch-stale",
    "the system's patch level is at least the one that the operator asks for",
    "Update the phone, then make a new key: the patch level in a statement does not move.",
);
pub(in super::super) const PATCH_LEVEL_ZERO: Check = Check::fitness(
    "patch-level-zero",
    "every patch level that is stated is a date",
    "Some phones state zero or a day 00; that patch level is taken as unknown.",
);
pub(in super::super) const AUTH_POLICY_UNKNOWN: Check = Check::fitness(
    "auth-policy-unknown",
    "the hardware says whether the user must authenticate",
    "Neither noAuthRequired nor userAuthType is among the hardware-enforced authorizations.",
);
pub(in super::super) const KNOX_INTEGRITY_ABNORMAL: Check = Check::fitness(
    "knox-integrity-abnormal",
    "Samsung Knox reports trusted boot, warranty bit and integrity check as normal",
    "The Samsung device was modified. Use one whose Knox warranty bit is intact.",
);
