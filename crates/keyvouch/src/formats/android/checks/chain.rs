//! Checks of the certificates, and of which of them counts.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Export the chain again with KeyStore.getCertificateChain(alias) and hand over every certificate unchanged.";
const NOT_GENUINE: &str = "No genuine device makes such a chain. Make the key again on an unmodified device with Google's attestation, in the subscriber's own app.";

pub(in super::super) const CERT_PARSE: Check = Check::authenticity(
    "cert-parse",
    "every certificate is well-formed, has no extension twice, and the chain is no longer than any device's",
    EXPORT_AGAIN,
);
pub(in super::super) const CERT_TRAILING_DATA: Check =
    Check::authenticity("cert-trailing-data", "no bytes follow the end of a certificate", EXPORT_AGAIN);
pub(in super::super) const DUPLICATE_CERTIFICATE: Check = Check::authenticity(
    "duplicate-certificate",
    "no certificate is there twice",
    "Hand over each certificate once.",
);
pub(in super::super) const CHAIN_AMBIGUOUS: Check = Check::completeness(
    "chain-ambiguous",
    "the certificates are one chain with one leaf",
    "Hand over the chain of one key alone: KeyStore.getCertificateChain(alias), nothing else.",
);
pub(in super::super) const CHAIN_INCOMPLETE: Check = Check::completeness(
    "chain-incomplete",
    "no certificate is missing between the key and Google's root",
    "Add the missing certificates: hand over everything that KeyStore.getCertificateChain(alias) returns, not only the first certificate.",
);
pub(in super::super) const CHAIN_SHAPE: Check = Check::completeness(
    "chain-shape",
    "the chain has the shape of a factory-provisioned or of a remotely provisioned device",
    "This kind of chain is not known (a device-unique attestation of a maker, or a certificate of another purpose). Attest the key with the device's ordinary attestation key.",
);
pub(in super::super) const SIGNATURE_INVALID: Check = Check::authenticity(
    "signature-invalid",
    "every certificate is signed by the key of the next one",
    "A certificate was altered, or belongs to another device. Export the chain again, unchanged.",
);
pub(in super::super) const NAME_MISMATCH: Check = Check::authenticity(
    "name-mismatch",
    "every certificate's issuer is the subject of the next one",
    NOT_GENUINE,
);
pub(in super::super) const ANCHOR_UNKNOWN: Check = Check::completeness(
    "anchor-unknown",
    "the chain ends at a root that is trusted",
    "The root is neither Google's nor configured. A maker's own root can be added by the operator (--anchors); Samsung Knox chains need the option android_samsung_knox.",
);
pub(in super::super) const ROOT_SOFTWARE: Check = Check::authenticity(
    "root-software",
    "the chain does not end at the software attestation keys of the Android source",
    "The private keys of this chain are public: an emulator made it, or a device without hardware attestation. Use a phone that was sold with Google services and Android 8 or later.",
);
pub(in super::super) const ROOT_UNTRUSTED: Check = Check::authenticity(
    "root-untrusted",
    "the root is not a test root and not an imitation of a known one",
    NOT_GENUINE,
);
pub(in super::super) const CA_FLAG: Check = Check::authenticity(
    "ca-flag",
    "every certificate above the attestation key's is that of a CA, within its path length",
    NOT_GENUINE,
);
pub(in super::super) const CRITICAL_EXTENSION: Check = Check::authenticity(
    "critical-extension",
    "no certificate has a critical extension that is not known",
    NOT_GENUINE,
);
pub(in super::super) const CERT_NOT_YET_VALID: Check = Check::authenticity(
    "cert-not-yet-valid",
    "every certificate above the key's own is already valid at the time of the appraisal",
    "Check the time of the appraisal (--at): it must be the time at which the evidence was received.",
);
pub(in super::super) const CERT_EXPIRED: Check = Check::authenticity(
    "cert-expired",
    "every certificate above the key's own is still valid at the time of the appraisal",
    "Remotely provisioned certificates live for weeks. Appraise evidence as of the time it was received (--at), or make a new key and export its chain now.",
);
pub(in super::super) const FACTORY_CERT_EXPIRED: Check = Check::fitness(
    "factory-cert-expired",
    "the certificates from the factory have not run out",
    "Phones cannot renew certificates from the factory, and those of 2016 to 2018 run out from 2026 on: this is a finding. An operator who wants it refused sets android_factory_expiry=fail.",
);
pub(in super::super) const STATUS_UNAVAILABLE: Check = Check::completeness(
    "status-unavailable",
    "Google's list of revoked attestation certificates is at hand and recent enough",
    "The operator must hand over the list: fetch https://android.googleapis.com/attestation/status and give --option android_status_list=FILE, with --option android_status_time=TIME when its age is limited.",
);
pub(in super::super) const REVOKED: Check = Check::authenticity(
    "revoked",
    "no certificate of the chain is revoked by Google",
    "The attestation key of this device (or of its whole batch) leaked or is flawed. Nothing that it attests can be believed; use another device.",
);
pub(in super::super) const SUSPENDED: Check = Check::authenticity(
    "suspended",
    "no certificate of the chain is suspended by Google",
    "Google has suspended this attestation key. Wait until the suspension is lifted, or use another device.",
);
pub(in super::super) const DER_KEYUSAGE_NOT_MINIMAL: Check = Check::authenticity(
    "der-keyusage-not-minimal",
    "keyUsage is written without trailing zero bits",
    "Some phones (LG, Samsung, Nothing) write it so: this is a finding unless the operator sets android_strict.",
);
pub(in super::super) const DER_RSA_ALGID_WITHOUT_NULL: Check = Check::authenticity(
    "der-rsa-algid-without-null",
    "an RSA AlgorithmIdentifier has NULL parameters",
    "Some Huawei phones leave them out: this is a finding unless the operator sets android_strict.",
);
pub(in super::super) const DER_ECDSA_ALGID_NULL: Check = Check::authenticity(
    "der-ecdsa-algid-null",
    "an ECDSA AlgorithmIdentifier has no parameters",
    "Pixel StrongBox of 2018 to 2022 writes NULL there: this is a finding unless the operator sets android_strict.",
);
pub(in super::super) const DER_GENERALIZEDTIME_BEFORE_2050: Check = Check::authenticity(
    "der-generalizedtime-before-2050",
    "dates before 2050 are written as UTCTime",
    "Pixel StrongBox writes GeneralizedTime: this is a finding unless the operator sets android_strict.",
);
pub(in super::super) const EXT_MISSING: Check = Check::attestability(
    "ext-missing",
    "a certificate has the attestation extension 1.3.6.1.4.1.11129.2.1.17",
    "The key was made without a challenge, so nothing was attested. Make a new key with KeyGenParameterSpec.Builder.setAttestationChallenge(nonce).",
);
pub(in super::super) const EXT_WRONG_POSITION: Check = Check::authenticity(
    "ext-wrong-position",
    "no certificate of the attestation key or above it has the attestation extension",
    NOT_GENUINE,
);
pub(in super::super) const EXT_AMBIGUOUS: Check = Check::authenticity(
    "ext-ambiguous",
    "no certificate has the attestation extension in two forms (ASN.1 and EAT)",
    NOT_GENUINE,
);
pub(in super::super) const UNSUPPORTED_EAT: Check = Check::completeness(
    "unsupported-eat",
    "the attestation extension is the one in ASN.1",
    "Statements in the EAT form (1.3.6.1.4.1.11129.2.1.25) occur in development builds only and are not judged. Use a device that was sold.",
);
pub(in super::super) const CHAIN_EXTENDED: Check = Check::authenticity(
    "chain-extended",
    "nothing was appended below the certificate that the device's attestation key signed",
    "The certificate of the submitted key was signed by a key that an app controls, not by the device's attestation key. Submit the chain that getCertificateChain returns for this very key. A key attested with setAttestKeyAlias is accepted when the attest key has the purpose ATTEST_KEY alone, was generated in the device, and the option android_attest_key allows it.",
);
pub(in super::super) const ATTEST_KEY_MISMATCH: Check = Check::authenticity(
    "attest-key-mismatch",
    "the statements about the key and about the attest key that signed for it agree",
    "Make the attest key and the key on the same device with the same challenge, in the same app. The operator can allow another challenge with android_attest_key=any-challenge.",
);
pub(in super::super) const ATTEST_KEY_CHAIN: Check = Check::fitness(
    "attest-key-chain",
    "the device's own attestation key signed for the key",
    "An attest key of the app stands between (setAttestKeyAlias). It was itself attested as such, and the statements agree.",
);
