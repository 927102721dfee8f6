//! The tags of authorization lists (AOSP, KeyMint `Tag.aidl` and its Keymaster forerunners).

/// How many tags a list may have: none has half as many.
pub(super) const MAX_TAGS: usize = 128;

macro_rules! tags {
    ($($name:ident = $number:literal $text:literal $since:literal,)*) => {
        $(
            #[allow(dead_code, reason = "the table is complete; not every tag means something to a CA")]
            pub(super) const $name: u32 = $number;
        )*

        /// Number, name, and the first attestation version that has it.
        const TABLE: &[(u32, &str, u32)] = &[$(($number, $text, $since),)*];
    };
}

tags! {
    PURPOSE = 1 "purpose" 1,
    ALGORITHM = 2 "algorithm" 1,
    KEY_SIZE = 3 "keySize" 1,
    BLOCK_MODE = 4 "blockMode" 1,
    DIGEST = 5 "digest" 1,
    PADDING = 6 "padding" 1,
    CALLER_NONCE = 7 "callerNonce" 1,
    MIN_MAC_LENGTH = 8 "minMacLength" 1,
    KDF = 9 "kdf" 1,
    EC_CURVE = 10 "ecCurve" 1,
    ML_DSA_VARIANT = 11 "mlDsaVariant" 500,
    RSA_PUBLIC_EXPONENT = 200 "rsaPublicExponent" 1,
    RSA_OAEP_MGF_DIGEST = 203 "rsaOaepMgfDigest" 100,
    ROLLBACK_RESISTANCE = 303 "rollbackResistance" 3,
    EARLY_BOOT_ONLY = 305 "earlyBootOnly" 4,
    ACTIVE_DATE_TIME = 400 "activeDateTime" 1,
    ORIGINATION_EXPIRE = 401 "originationExpireDateTime" 1,
    USAGE_EXPIRE = 402 "usageExpireDateTime" 1,
    USAGE_COUNT_LIMIT = 405 "usageCountLimit" 100,
    USER_SECURE_ID = 502 "userSecureId" 1,
    NO_AUTH_REQUIRED = 503 "noAuthRequired" 1,
    USER_AUTH_TYPE = 504 "userAuthType" 1,
    AUTH_TIMEOUT = 505 "authTimeout" 1,
    ALLOW_WHILE_ON_BODY = 506 "allowWhileOnBody" 1,
    TRUSTED_USER_PRESENCE = 507 "trustedUserPresenceRequired" 3,
    TRUSTED_CONFIRMATION = 508 "trustedConfirmationRequired" 3,
    UNLOCKED_DEVICE = 509 "unlockedDeviceRequired" 3,
    ALL_APPLICATIONS = 600 "allApplications" 1,
    APPLICATION_ID = 601 "applicationId" 1,
    EXPORTABLE = 602 "exportable" 1,
    CREATION_DATE_TIME = 701 "creationDateTime" 1,
    ORIGIN = 702 "origin" 1,
    ROLLBACK_RESISTANT = 703 "rollbackResistant" 1,
    ROOT_OF_TRUST = 704 "rootOfTrust" 1,
    OS_VERSION = 705 "osVersion" 1,
    OS_PATCH_LEVEL = 706 "osPatchLevel" 1,
    ATTESTATION_APPLICATION_ID = 709 "attestationApplicationId" 2,
    ID_BRAND = 710 "attestationIdBrand" 2,
    ID_DEVICE = 711 "attestationIdDevice" 2,
    ID_PRODUCT = 712 "attestationIdProduct" 2,
    ID_SERIAL = 713 "attestationIdSerial" 2,
    ID_IMEI = 714 "attestationIdImei" 2,
    ID_MEID = 715 "attestationIdMeid" 2,
    ID_MANUFACTURER = 716 "attestationIdManufacturer" 2,
    ID_MODEL = 717 "attestationIdModel" 2,
    VENDOR_PATCH_LEVEL = 718 "vendorPatchLevel" 3,
    BOOT_PATCH_LEVEL = 719 "bootPatchLevel" 3,
    DEVICE_UNIQUE = 720 "deviceUniqueAttestation" 4,
    IDENTITY_CREDENTIAL = 721 "identityCredentialKey" 4,
    ID_SECOND_IMEI = 723 "attestationIdSecondImei" 300,
    MODULE_HASH = 724 "moduleHash" 400,
}

/// Left over from Keymaster; they say nothing of interest.
const LEFTOVERS: &[(u32, &str)] = &[
    (101, "allUsers"),
    (102, "userId"),
    (201, "eciesSingleHashMode"),
    (301, "bootloaderOnly"),
    (302, "rescopeAuthAdd"),
    (304, "hardwareType"),
    (403, "minSecondsBetweenOps"),
    (404, "maxUsesPerBoot"),
    (500, "allUsers"),
    (501, "userId"),
];

/// Attestation versions that are known: Keymaster 2 to 4.1, KeyMint 1 to 5.
pub(super) const VERSIONS: [u64; 9] = [1, 2, 3, 4, 100, 200, 300, 400, 500];

/// The name of a tag; `None` when it is not known.
pub(super) fn name(tag: u32) -> Option<&'static str> {
    let current = TABLE.iter().find(|(number, ..)| *number == tag).map(|(_, name, _)| *name);
    current.or_else(|| LEFTOVERS.iter().find(|(number, _)| *number == tag).map(|(_, name)| *name))
}

/// Tags that no device of that attestation version writes, by the version that introduced them.
pub(super) fn is_newer_than(tag: u32, version: u64) -> bool {
    TABLE.iter().any(|(number, _, since)| *number == tag && u64::from(*since) > version)
}
