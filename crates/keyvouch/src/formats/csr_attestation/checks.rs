//! The checks of evidence inside requests: those of the envelope, and those of the TPM statement in it. A statement of
//! another format has that format's own.

use crate::checks::Check;
use crate::formats::tpm::checks as tpm;

const AGAIN: &str =
    "Make the request again, for example with `keyvouch request embed`, and hand it over as it was signed.";

pub(crate) const TOO_LARGE: Check = Check::authenticity(
    "too-large",
    "the request has at most 1 MiB, 16 statements and 64 certificates",
    "Put only the evidence of the request's key, and the certificates above it, into the request.",
);
pub(crate) const CSR_MALFORMED: Check = Check::authenticity(
    "csr-malformed",
    "the request is exactly one PKCS#10 or CRMF request in DER, and its signature algorithm is one of its key",
    "Hand over the signed request (PEM or DER), not its unsigned content, an attribute alone, or a cut file.",
);
pub(crate) const CSR_KEY_WEAK: Check = Check::fitness(
    "csr-key-weak",
    "the key of the request is none that is known to be weak",
    "Generate a key of at least RSA-3072 or on P-256 in the device, and make request and evidence for it.",
);
pub(crate) const ATTRIBUTE_COUNT: Check = Check::authenticity(
    "attribute-count",
    "the request has one attestation attribute (or CRMF extension) of one value",
    AGAIN,
);
pub(crate) const BUNDLE_MALFORMED: Check = Check::authenticity(
    "bundle-malformed",
    "the attestation has one of the shapes of draft-ietf-lamps-csr-attestation",
    AGAIN,
);
pub(crate) const STATEMENT_UNKNOWN: Check = Check::completeness(
    "statement-unknown",
    "a statement is of a type that this verifier evaluates",
    "Add a statement that it evaluates: a TPM's (2.23.133.20.1), PKIX Evidence, or a device's own evidence as `keyvouch request embed` writes it.",
);
pub(crate) const STATEMENTS_CONTRADICT: Check = Check::authenticity(
    "statements-contradict",
    "the statements about the request's key do not contradict each other",
    "Statements of one key must agree on where it was made and whether it can leave. Leave out the one that is wrong.",
);

const OWN: [&Check; 7] = [
    &TOO_LARGE,
    &CSR_MALFORMED,
    &CSR_KEY_WEAK,
    &ATTRIBUTE_COUNT,
    &BUNDLE_MALFORMED,
    &STATEMENT_UNKNOWN,
    &STATEMENTS_CONTRADICT,
];

/// Of a TPM statement (2.23.133.20.1), which has neither creation data nor anything of the attestation key but
/// certificates.
const OF_TPM: [&Check; 34] = [
    &tpm::PUBLIC_AREA_MISSING,
    &tpm::MALFORMED,
    &tpm::TPM_MAGIC,
    &tpm::TPM_ATTEST_TYPE,
    &tpm::SIG_ALG,
    &tpm::ATTEST_SIGNATURE,
    &tpm::AK_UNKNOWN,
    &tpm::ACTIVATION,
    &tpm::CHAIN_UNTRUSTED,
    &tpm::CHAIN_INCOMPLETE,
    &tpm::ANCHOR_UNKNOWN,
    &tpm::EXPIRED,
    &tpm::NOT_YET_VALID,
    &tpm::REVOKED,
    &tpm::TPM_AIK_PROFILE,
    &tpm::TPM_VENDOR_UNKNOWN,
    &tpm::DEVICE_MAKER_MISMATCH,
    &tpm::WEAK_SIGNATURE,
    &tpm::AK_NOT_RESTRICTED,
    &tpm::AK_KEY_STRENGTH,
    &tpm::NAME_ALG,
    &tpm::NAME_ALG_SHA1,
    &tpm::NAME_MISMATCH,
    &tpm::KEY_ATTRIBUTES,
    &tpm::KEY_NOT_TPM_BOUND,
    &tpm::KEY_ORIGIN,
    &tpm::KEY_RESTRICTED,
    &tpm::KEY_TYPE,
    &tpm::KEY_STRENGTH,
    &tpm::KEY_HIERARCHY,
    &tpm::KEY_USAGE,
    &tpm::KEY_PLATFORM_HIERARCHY,
    &tpm::KEY_NODA,
    &tpm::KEY_UNUSABLE,
];

/// Those of the envelope, then those of a TPM statement.
pub(crate) const ALL: &[&Check] = &all();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn all() -> [&'static Check; OWN.len() + OF_TPM.len() + 2] {
    let mut all = [OWN[0]; OWN.len() + OF_TPM.len() + 2];
    let mut i = 0;
    while i < OWN.len() + OF_TPM.len() {
        all[i] = if i < OWN.len() { OWN[i] } else { OF_TPM[i - OWN.len()] };
        i += 1;
    }
    all[i] = &tpm::KEY_STCLEAR;
    // Its data is never there: it is only said to be skipped.
    all[i + 1] = &tpm::CREATION_HASH;
    all
}
