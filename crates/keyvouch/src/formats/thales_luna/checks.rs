//! The checks of Thales Luna public key confirmations.

use crate::checks::Check;

const FETCH_AGAIN: &str = "Fetch the PKC again (`cmu getpkc -handle=NN -outputfile=attestation.p7b`) and hand over the file unchanged, with every certificate in it.";
const FOREIGN_CHAIN: &str = "Ask where the file came from: no Luna writes such a chain. Fetch the PKC from the HSM that holds the key (`cmu getpkc -handle=NN -outputfile=attestation.p7b`).";

pub(super) const INPUT_MALFORMED: Check = Check::authenticity(
    "input-malformed",
    "container and certificates are well-formed, within the size of a PKC",
    FETCH_AGAIN,
);
pub(super) const CONTAINER_UNEXPECTED: Check = Check::authenticity(
    "container-unexpected",
    "the PKCS#7 file holds certificates only: no content, no signer",
    FETCH_AGAIN,
);
pub(super) const CONTAINER_TRAILING: Check = Check::authenticity(
    "container-trailing-data",
    "nothing stands after the end of the PKCS#7 file",
    FETCH_AGAIN,
);
pub(super) const LEAF_MISSING: Check = Check::completeness(
    "leaf-missing",
    "the public key confirmation itself is there: the certificate with purpose 1.3.6.1.4.1.12383.1.13",
    "The certificates of the HSM alone say nothing about a key. Fetch the PKC of the key: `cmu list -class private -label=LABEL`, then `cmu getpkc -handle=NN -outputfile=attestation.p7b` (Luna Cloud HSM: `-ouid=…` in place of `-handle`).",
);
pub(super) const LEAF_AMBIGUOUS: Check = Check::authenticity(
    "leaf-ambiguous",
    "one file confirms one key",
    "Hand over each PKC as the file that `cmu getpkc` wrote; do not merge them.",
);
pub(super) const TCTRUST: Check = Check::completeness(
    "pkctype-tctrust-unsupported",
    "the PKC is of a type whose root is known",
    "This is a PKC of the TC-Trustcenter type, whose root is not published. Ask the HSM for the Chrysalis-ITS type: repeat `cmu getpkc` with another `-pkctype`.",
);
pub(super) const EKU_MISMATCH: Check = Check::authenticity(
    "eku-mismatch",
    "each certificate has exactly the one purpose (extended key usage) of its place in the chain",
    FOREIGN_CHAIN,
);
pub(super) const CHAIN_INCOMPLETE: Check = Check::completeness(
    "chain-incomplete",
    "the certificates between the PKC and the maker's root are there",
    FETCH_AGAIN,
);
pub(super) const CHAIN_SIGNATURE: Check = Check::authenticity(
    "chain-signature",
    "each certificate is signed by the key of the next, with the algorithm of a Luna",
    FETCH_AGAIN,
);
pub(super) const ROOT_UNKNOWN: Check = Check::authenticity(
    "root-unknown",
    "the chain ends at a pinned root key of Thales or of the operator",
    FOREIGN_CHAIN,
);
pub(super) const CHAIN_CA_FLAG: Check = Check::authenticity(
    "chain-ca-flag",
    "issuers are CAs that may sign certificates, and the PKC is no CA and may sign",
    FOREIGN_CHAIN,
);
pub(super) const EXT_UNKNOWN_CRITICAL: Check = Check::authenticity(
    "ext-unknown-critical",
    "no certificate has a critical extension that is not understood",
    FOREIGN_CHAIN,
);
pub(super) const TIME_EXPIRED: Check = Check::authenticity(
    "time-expired",
    "certificates and root are still valid at the time of the appraisal",
    "Check the time of the appraisal (--at). The dates are constants of manufacture: the known ECC chains end on 2030-08-12, the RSA root on 2032-01-01. An operator who accepts that sets the option accept_expired.",
);
pub(super) const TIME_NOT_YET_VALID: Check = Check::authenticity(
    "time-not-yet-valid",
    "certificates and root are already valid at the time of the appraisal",
    "Check the time of the appraisal (--at).",
);
pub(super) const IDENTITY_MISMATCH: Check = Check::authenticity(
    "identity-mismatch",
    "every place that names the serial number of the HSM names the same one",
    FOREIGN_CHAIN,
);
pub(super) const IDENTITY_INCOMPLETE: Check = Check::authenticity(
    "identity-incomplete",
    "every place where a Luna names its serial number has one",
    "All PKCs seen so far name the HSM in each of these places. Ask the subscriber for model and firmware.",
);
pub(super) const FLAGS_UNEXPECTED: Check = Check::completeness(
    "flags-unexpected",
    "the four flags of extension 1.3.6.1.4.1.12383.2.5, whose meaning is not published, are all set as in every PKC known",
    "Ask Thales what these flags say of the key before relying on it. Make a new key in the HSM (`cmu generatekeypair`, not extractable) and fetch its PKC.",
);
pub(super) const REVOKED: Check = Check::authenticity(
    "revoked",
    "neither serial number, certificates nor firmware are denied by the options",
    "The operator of this verifier has denied this HSM, certificate or firmware; ask the CA for the reason.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &INPUT_MALFORMED,
    &CONTAINER_UNEXPECTED,
    &CONTAINER_TRAILING,
    &LEAF_MISSING,
    &LEAF_AMBIGUOUS,
    &TCTRUST,
    &EKU_MISMATCH,
    &CHAIN_INCOMPLETE,
    &CHAIN_SIGNATURE,
    &ROOT_UNKNOWN,
    &CHAIN_CA_FLAG,
    &EXT_UNKNOWN_CRITICAL,
    &TIME_EXPIRED,
    &TIME_NOT_YET_VALID,
    &IDENTITY_MISMATCH,
    &IDENTITY_INCOMPLETE,
    &FLAGS_UNEXPECTED,
    &REVOKED,
];
