//! Checks of the request that a device makes to Google's provisioning server (DICE).

use crate::checks::Check;

const FACTORY: &str =
    "Extract the request again on the device (rkp_factory_extraction_tool) and hand it over unchanged.";

pub(in super::super) const FORMAT_NOT_KEY_ATTESTATION: Check = Check::attestability(
    "format-not-key-attestation",
    "the file is a statement about a key",
    "SafetyNet and Play Integrity say how trustworthy a device looked to Google's server; they say nothing about a key. Hand over the certificate chain of the key instead: KeyStore.getCertificateChain(alias).",
);
pub(in super::super) const RKP_FORMAT: Check = Check::authenticity(
    "rkp-format",
    "the request and its DICE chain have the form of their version",
    FACTORY,
);
pub(in super::super) const RKP_V2_ENCRYPTED: Check = Check::completeness(
    "rkp-v2-encrypted",
    "the content of the request can be read",
    "Requests before version 3 are encrypted to Google's provisioning server; nobody else can verify them.",
);
pub(in super::super) const COSE_KEY_DISALLOWED_LABEL: Check = Check::authenticity(
    "cose-key-disallowed-label",
    "no COSE key has other members than a public key has",
    "Label -4 would be the private key. Treat that key as compromised.",
);
pub(in super::super) const DICE_SIGNATURE: Check = Check::authenticity(
    "dice-signature",
    "every entry of the DICE chain is signed by the key of the one before it",
    FACTORY,
);
pub(in super::super) const DICE_MODE_NOT_NORMAL: Check = Check::fitness(
    "dice-mode-not-normal",
    "every stage of the boot ran in normal mode",
    "The device booted in debug or recovery mode, or its mode was not configured. Use a production device.",
);
pub(in super::super) const RKP_DEGENERATE_CHAIN: Check = Check::fitness(
    "rkp-degenerate-chain",
    "the chain comes from DICE",
    "The device signs for itself with one key, without DICE: the chain says nothing about what was booted.",
);
pub(in super::super) const RKP_UDS_CHAIN: Check = Check::authenticity(
    "rkp-uds-chain",
    "the maker's certificates for the device's root key verify, root first",
    FACTORY,
);
pub(in super::super) const RKP_UDS_MISMATCH: Check = Check::authenticity(
    "rkp-uds-mismatch",
    "the maker's certificates are for the root key of the DICE chain",
    FACTORY,
);
pub(in super::super) const RKP_SIGNED_DATA_SIGNATURE: Check = Check::authenticity(
    "rkp-signed-data-signature",
    "the request is signed by the last key of the DICE chain",
    FACTORY,
);
pub(in super::super) const RKP_NOT_FUSED: Check = Check::fitness(
    "rkp-not-fused",
    "secure boot is enforced in the device's fuses",
    "The device is not fused for production. Use one that was sold.",
);
pub(in super::super) const RKP_PRIVATE_KEY_DISCLOSED: Check = Check::fitness(
    "rkp-private-key-disclosed",
    "no key to be certified has its private part in the request",
    "The request contains the private scalar of a key that it asks a certificate for. Whoever saw the request has that key.",
);
