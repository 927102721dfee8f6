//! The checks of SmartCard-HSM key attestation.

use crate::checks::Check;

const READ_AGAIN: &str = "Read the files from the token again and hand them over unchanged, binary or as hexadecimal or base64 text: EF 2F02 (device and issuer certificate) and EF CExx of the key (its request); or export one file with `sc-hsm-tool --key-reference N --export-for-pub-key-auth key.pka`.";
const GET_CERTIFICATES: &str = "Add the content of EF 2F02, which holds the certificate of the device and that of its issuer: `opensc-tool -s 00A404000BE82B0601040181C31F020100 -s 00B12F020454020000FF`, then again from the offset where it ended until the answer is short.";
const GET_REQUEST: &str = "Add the request of the key, EF CExx of key reference xx: `opensc-tool -s 00A404000BE82B0601040181C31F020100 -s 00B1CExx0454020000FF`. A key that was imported, or whose file was overwritten by a certificate, has none: generate a new key and read the request before anything else is stored.";
const GENUINE: &str = "This is not a genuine SmartCard-HSM or Nitrokey HSM, or its files were changed. Read them again; if they are the same, use another token.";
const SAME_TOKEN: &str =
    "Hand over the request and the device certificate of one and the same token, unchanged.";
const NOT_A_KEY: &str = "A token does not make such a key. Read the request again; if it is the same, generate a new RSA key, or one on P-256, P-384, P-521, secp256k1, brainpoolP256r1 or brainpoolP384r1.";

pub(super) const MALFORMED: Check = Check::authenticity(
    "malformed-cvc",
    "certificates and request are well-formed: every field once, in its order, nothing left over",
    READ_AGAIN,
);
pub(super) const REQUEST_MISSING: Check = Check::completeness(
    "request-missing",
    "the request that the token made with the key is there",
    GET_REQUEST,
);
pub(super) const DEVICE_MISSING: Check = Check::completeness(
    "device-certificate-missing",
    "the certificate of the device is there",
    GET_CERTIFICATES,
);
pub(super) const DICA_MISSING: Check =
    Check::completeness("dica-missing", "the certificate of the device's issuer is there", GET_CERTIFICATES);
pub(super) const UNTRUSTED_ROOT: Check = Check::completeness(
    "untrusted-root",
    "the issuer was certified by a root that this verifier knows",
    "The operator can add the root (--anchors, the binary CV certificate) after obtaining it from its owner; a root inside the evidence proves nothing. Update the built-in anchors first.",
);
pub(super) const TEST_ROOT: Check = Check::authenticity(
    "test-root",
    "the issuer was not certified by a test root",
    "This is a token for tests, not a product. Use a production token.",
);
pub(super) const DEVELOPMENT_DEVICE: Check = Check::authenticity(
    "development-device",
    "the device is not a development device",
    "Development devices have a known key and can import a private key where others generate one. Use a production token.",
);
pub(super) const SELF_SIGNED: Check = Check::authenticity(
    "self-signed-device",
    "the device certificate was issued by somebody else than the device",
    "Look-alikes (such as Pico HSM) certify themselves, which proves nothing. Use a SmartCard-HSM or Nitrokey HSM.",
);
pub(super) const WRONG_ROLE: Check = Check::authenticity(
    "wrong-role",
    "device and issuer certificate each have the role of their place",
    GENUINE,
);
pub(super) const DICA_SIGNATURE: Check =
    Check::authenticity("dica-signature", "the root signed the certificate of the device's issuer", GENUINE);
pub(super) const DEVICE_SIGNATURE: Check =
    Check::authenticity("device-signature", "the issuer signed the certificate of the device", GENUINE);
pub(super) const NAME_CHAINING: Check = Check::authenticity(
    "name-chaining",
    "the device certificate names the issuer whose certificate is there",
    SAME_TOKEN,
);
pub(super) const BAD_DATE: Check =
    Check::authenticity("bad-date", "the dates in the certificates are dates", GENUINE);
pub(super) const EXPIRED: Check = Check::authenticity(
    "expired",
    "the certificates are still valid at the time of the appraisal",
    "The certificate of the device has run out, and the attestation has no time that could show it was made before. Use a newer token; or the operator accepts expired certificates (accept_expired).",
);
pub(super) const NOT_YET_VALID: Check = Check::authenticity(
    "not-yet-valid",
    "the certificates are already valid at the time of the appraisal",
    "Look at the time for which the appraisal was made (--at), and at the clock of the verifier.",
);
pub(super) const NOT_THIS_DEVICE: Check = Check::authenticity(
    "not-this-device",
    "the request names the device whose certificate is there as its signer",
    SAME_TOKEN,
);
pub(super) const OUTER_SIGNATURE: Check = Check::authenticity(
    "outer-signature",
    "the device signed the request, with the name of the signer in it",
    SAME_TOKEN,
);
pub(super) const INNER_SIGNATURE: Check = Check::authenticity(
    "inner-signature",
    "the new key signed its own certificate (proof of possession when it was generated)",
    READ_AGAIN,
);
pub(super) const BAD_PUBLIC_KEY: Check = Check::authenticity(
    "bad-public-key",
    "the attested numbers are those of a public key on a known curve, or of RSA",
    NOT_A_KEY,
);
/// A finding.
pub(super) const EXPORTABILITY: Check = Check::fitness(
    "exportability-not-attested",
    "the evidence says whether the key can leave the device",
    "It cannot say so: a token that was initialised with DKEK shares, or a key in a key domain, can be wrapped out. A CA that needs keys which cannot leave must know it by other means, such as an audited initialisation without DKEK shares and key domains.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &REQUEST_MISSING,
    &DEVICE_MISSING,
    &DICA_MISSING,
    &SELF_SIGNED,
    &UNTRUSTED_ROOT,
    &TEST_ROOT,
    &DEVELOPMENT_DEVICE,
    &WRONG_ROLE,
    &DICA_SIGNATURE,
    &DEVICE_SIGNATURE,
    &NAME_CHAINING,
    &BAD_DATE,
    &EXPIRED,
    &NOT_YET_VALID,
    &NOT_THIS_DEVICE,
    &OUTER_SIGNATURE,
    &INNER_SIGNATURE,
    &BAD_PUBLIC_KEY,
    &EXPORTABILITY,
];
