//! The checks of Windows key attestation requests, besides those of the statement in them.

use crate::checks::Check;
use crate::formats::tpm::checks as tpm;

const AGAIN: &str = "Make the request again on Windows with a template that asks for key attestation (provider \"Microsoft Platform Crypto Provider\"), and hand it over unchanged.";
const FINDING: &str = "For the CA to consider; what is attested of the key stands beside it.";

pub(crate) const KAST_HEADER: Check = Check::authenticity(
    "kast-header",
    "the attestation statement of the request has the form of one (KAST)",
    AGAIN,
);
pub(crate) const KADS_HEADER: Check =
    Check::authenticity("kads-header", "the key attestation in it has the form of one (KADS)", AGAIN);
pub(crate) const PCPM_HEADER: Check = Check::authenticity(
    "pcpm-header",
    "the key blob in it is one of the Platform Crypto Provider (PCPM)",
    AGAIN,
);
pub(crate) const AIK_INFO: Check =
    Check::authenticity("aik-info", "the encrypted information on the attestation key is in form", AGAIN);
pub(crate) const AIK_CERTIFICATE: Check = Check::authenticity(
    "aik-certificate",
    "the certificate of the attestation key holds the key beside it",
    AGAIN,
);
pub(crate) const PCP_POLICY: Check = Check::authenticity(
    "pcp-policy",
    "the policy branches in the key blob are those of the key's policy",
    AGAIN,
);
pub(crate) const PCP_DUPLICATION_BRANCH: Check = Check::fitness(
    "pcp-duplication-branch",
    "the key has no policy branch for being duplicated out of the TPM",
    FINDING,
);
pub(crate) const KSP_NAME: Check =
    Check::fitness("ksp-name", "the request names one of Microsoft's TPM key storage providers", FINDING);

const OWN: [&Check; 8] = [
    &KAST_HEADER,
    &KADS_HEADER,
    &PCPM_HEADER,
    &AIK_INFO,
    &AIK_CERTIFICATE,
    &PCP_POLICY,
    &PCP_DUPLICATION_BRANCH,
    &KSP_NAME,
];

/// These, then those of every TPM statement.
pub(crate) const ALL: &[&Check] = &all();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn all() -> [&'static Check; OWN.len() + tpm::ALL.len()] {
    let mut all = [OWN[0]; OWN.len() + tpm::ALL.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = if i < OWN.len() { OWN[i] } else { tpm::ALL[i - OWN.len()] };
        i += 1;
    }
    all
}
