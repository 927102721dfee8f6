//! The checks of TPM 2.0 key attestation, in every wrapping.

use crate::checks::Check;

const AGAIN: &str = "Make the statement again on the machine that holds the key (`tpm2_certify` or `tpm2_certifycreation`) and hand over the files unchanged.";
const OTHER_AK: &str = "Make the statement with an attestation key that the operator trusts: one with a certificate of a configured authority, one that was activated for this TPM, or one that the operator pinned (option ak_pinned).";
const NEW_AK: &str = "Create the attestation key with `tpm2_createak`, or with `-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'`, and attest with it.";
const NEW_KEY: &str = "Create the key in the TPM with `tpm2_create -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'`; the attributes of a key cannot be changed later.";
const OTHER_CHAIN: &str = "Hand over the certificates up to the authority as they were issued. If the authority is the CA's own, its operator must configure the root (--anchors).";
const TIME: &str =
    "Check the time of the appraisal (--at), and ask the attestation authority for a new certificate.";

pub(crate) const MALFORMED: Check =
    Check::authenticity("malformed", "every TPM structure is read exactly, without bytes left over", AGAIN);
pub(crate) const TPM_MAGIC: Check = Check::authenticity(
    "tpm-magic",
    "the attestation begins with TPM_GENERATED (ff544347), so a TPM composed it",
    AGAIN,
);
pub(crate) const TPM_ATTEST_TYPE: Check = Check::authenticity(
    "tpm-attest-type",
    "the attestation is of an object: certify or creation",
    "Hand over the attestation of the key, not a quote, time or audit attestation: `tpm2_certify` or `tpm2_certifycreation`.",
);
pub(crate) const SIG_ALG: Check = Check::authenticity(
    "sig-alg",
    "the signature is of the algorithm that is stated, and that the attestation key has",
    AGAIN,
);
pub(crate) const WEAK_SIGNATURE: Check = Check::authenticity(
    "weak-signature",
    "the signature does not use SHA-1",
    "Make the statement with an attestation key that signs SHA-256 (`tpm2_createak -g sha256`). The operator can accept SHA-1 with the option sha1_attestation=allow.",
);
pub(crate) const ATTEST_SIGNATURE: Check = Check::authenticity(
    "attest-signature",
    "the attestation is signed by the attestation key",
    "Attestation, signature and attestation key must come from one command on one TPM. Make them again and hand them over unchanged.",
);
pub(crate) const STATEMENT_MISSING: Check = Check::completeness(
    "statement-missing",
    "the attestation and its signature are there",
    "Add the attestation and its signature: `tpm2_certifycreation … --attestation key.attest -o key.sig` (or `tpm2_certify -o key.attest -s key.sig`).",
);
pub(crate) const PUBLIC_AREA_MISSING: Check = Check::completeness(
    "public-area-missing",
    "the public area of the attested key is there",
    "Add the public area of the key: the file that `tpm2_create -u` wrote, or `tpm2_readpublic -c key.ctx -o key.pub`.",
);
pub(crate) const TPM12_EVIDENCE: Check = Check::completeness(
    "tpm12-evidence",
    "the evidence is of a TPM 2.0",
    "Evidence of TPM 1.2 is recognised and not evaluated. Use a TPM 2.0.",
);

pub(crate) const AK_UNKNOWN: Check = Check::completeness(
    "ak-unknown",
    "the attestation key is known to be in a genuine TPM: by certificate, activation or pin",
    OTHER_AK,
);
pub(crate) const ACTIVATION: Check = Check::completeness(
    "activation",
    "the operator's record of a credential activation is for this attestation key and this endorsement key, and in force",
    "Repeat the challenge for this attestation key (`tpm2_activatecredential`), and hand over the public area of the attestation key and the EK certificate of the same TPM.",
);
pub(crate) const CHAIN_UNTRUSTED: Check = Check::authenticity(
    "chain-untrusted",
    "every certificate of the path is signed by the authority that it names, and that may issue it",
    OTHER_CHAIN,
);
pub(crate) const CHAIN_INCOMPLETE: Check = Check::completeness(
    "chain-incomplete",
    "the intermediate certificates of the path are there",
    "Add the intermediate that issued the last certificate; its address is in that certificate (authority information access).",
);
pub(crate) const ANCHOR_UNKNOWN: Check = Check::completeness(
    "anchor-unknown",
    "the path ends at an anchor",
    "If the attestation authority is your own, its operator must configure its root (--anchors). Otherwise hand over the certificates between the attestation key and the maker's root.",
);
pub(crate) const EXPIRED: Check =
    Check::authenticity("expired", "every certificate is still valid at the time of the appraisal", TIME);
pub(crate) const NOT_YET_VALID: Check = Check::authenticity(
    "not-yet-valid",
    "every certificate is already valid at the time of the appraisal",
    TIME,
);
pub(crate) const REVOKED: Check = Check::authenticity(
    "revoked",
    "no certificate is on a revocation list that was handed over",
    "The certificate was revoked by its authority; ask it for the reason and for a new one.",
);
pub(crate) const TPM_AIK_PROFILE: Check = Check::authenticity(
    "tpm-aik-profile",
    "the certificate of the attestation key has the form of one (TCG AIK certificate profile)",
    "Hand over the certificate of the attestation key, not that of the EK or of another key. If the authority is your own and its certificates have another form, its operator can say so with the option ak_profile=any.",
);
pub(crate) const TPM_VENDOR_UNKNOWN: Check = Check::authenticity(
    "tpm-vendor-unknown",
    "the maker of the TPM is in the TCG vendor ID registry",
    "Look the identifier up in the TCG Vendor ID Registry; maker and model are not claimed.",
);
pub(crate) const DEVICE_MAKER_MISMATCH: Check = Check::authenticity(
    "device-maker-mismatch",
    "the maker in the certificate is the one for whose TPMs its issuer is",
    "The certificate contradicts its issuer. Ask the authority for a new one.",
);
pub(crate) const EK_USAGE: Check = Check::authenticity(
    "ek-usage",
    "the EK certificate is one of an endorsement key, which only decrypts",
    "Hand over the certificate of the endorsement key: `tpm2_nvread 0x1c00002 -o ek.crt.der`.",
);
pub(crate) const EK_SAN: Check = Check::authenticity(
    "ek-san",
    "the EK certificate names maker and model of the TPM",
    "Hand over the certificate of the endorsement key: `tpm2_nvread 0x1c00002 -o ek.crt.der`.",
);
pub(crate) const EK_MAKER_MISMATCH: Check = Check::authenticity(
    "ek-maker-mismatch",
    "the maker in the EK certificate is the one below whose root it is",
    "The certificate contradicts its issuer: a mistake of the maker, or a forgery. Do not accept this TPM, and ask the maker.",
);
pub(crate) const EK_KEY_STRENGTH: Check = Check::authenticity(
    "ek-key-strength",
    "the endorsement key is strong enough and has no ROCA fingerprint",
    "The endorsement key of this TPM is weak. Update its firmware and make a new one, or use another TPM.",
);

pub(crate) const AK_NOT_RESTRICTED: Check = Check::authenticity(
    "ak-not-restricted",
    "the attestation key is a restricted signing key that cannot leave its TPM",
    NEW_AK,
);
pub(crate) const AK_KEY_STRENGTH: Check = Check::authenticity(
    "ak-key-strength",
    "the attestation key is at least RSA-2048 or P-256, and has no ROCA fingerprint",
    "Anyone could forge statements with this attestation key. Create a new one, after a firmware update of the TPM if it is one of Infineon's.",
);
pub(crate) const AK_CREATION: Check = Check::authenticity(
    "ak-creation",
    "the creation statement of the attestation key is about it, and signed by it",
    "Make the creation statement of the attestation key again (`tpm2_certifycreation -C ak.ctx -c ak.ctx …`), or leave it out.",
);
pub(crate) const QUALIFIED_SIGNER: Check = Check::authenticity(
    "qualified-signer",
    "the attestation names the attestation key below its parent as signer",
    "Creation data and statement must be of the same attestation key.",
);

pub(crate) const NAME_ALG: Check = Check::authenticity(
    "name-alg",
    "the name of the key is made with SHA-256, SHA-384 or SHA-512 (SHA-1: see name-alg-sha1)",
    "Create the key with `-g sha256`.",
);
pub(crate) const NAME_ALG_SHA1: Check = Check::authenticity(
    "name-alg-sha1",
    "the name of the key is not made with SHA-1, with which two public areas could have one name",
    "Create the key with `-g sha256`. The operator can accept SHA-1 with the option name_alg_sha1=allow.",
);
pub(crate) const NAME_MISMATCH: Check = Check::authenticity(
    "name-mismatch",
    "the attested name is that of the public area, over the bytes received",
    "Hand over the public area of the key that was attested (`tpm2_readpublic -c key.ctx -o key.pub`), unchanged.",
);
pub(crate) const CREATION_HASH: Check = Check::authenticity(
    "creation-hash",
    "the attested creation hash is that of the creation data",
    "Hand over the creation data of this key (`tpm2_create --creation-data`), unchanged, or leave it out.",
);
pub(crate) const KEY_ATTRIBUTES: Check = Check::authenticity(
    "key-attributes",
    "the attributes of the key are a combination that a TPM creates",
    "No TPM made this public area. Hand over the file that the tool wrote.",
);

pub(crate) const KEY_NOT_TPM_BOUND: Check = Check::fitness(
    "key-not-tpm-bound",
    "the key cannot leave its TPM: fixedTPM and fixedParent are set",
    NEW_KEY,
);
pub(crate) const KEY_ORIGIN: Check =
    Check::fitness("key-origin", "the key was generated by the TPM: sensitiveDataOrigin is set", NEW_KEY);
pub(crate) const KEY_RESTRICTED: Check = Check::fitness(
    "key-restricted",
    "the key is no attestation or storage key: restricted is clear",
    "Create an ordinary key (without `restricted`). If a certificate for an attestation key is asked, the operator says so with the option subject=attestation-key.",
);
pub(crate) const KEY_TYPE: Check = Check::fitness(
    "key-type",
    "the object is an RSA or ECC key",
    "Attest the key that is in the request; a keyed hash or symmetric object has no place in a certificate.",
);
pub(crate) const KEY_STRENGTH: Check = Check::fitness(
    "key-strength",
    "the key is RSA of at least 2048 bits or on P-256, P-384 or P-521, and well-formed",
    "Create an RSA key of at least 3072 bits or an ECC key on P-256 or P-384: `tpm2_create -G ecc256` or `-G rsa3072`.",
);
pub(crate) const KEY_HIERARCHY: Check = Check::fitness(
    "key-hierarchy",
    "the key is not in the null hierarchy, whose keys are lost at the next reset",
    "Create the key below a primary key of the owner hierarchy: `tpm2_createprimary -C o`. The operator can accept it with the option null_hierarchy=allow.",
);

// Findings: they never fail.
const LOOK: &str = "For the CA to consider; the subscriber can create the key with other attributes.";
pub(crate) const KEY_USAGE: Check = Check::fitness("key-usage", "the key may sign: sign is set", LOOK);
pub(crate) const KEY_PLATFORM_HIERARCHY: Check =
    Check::fitness("key-platform-hierarchy", "the key is not in the platform hierarchy", LOOK);
pub(crate) const KEY_STCLEAR: Check =
    Check::fitness("key-stclear", "the key survives a restart of the TPM: stClear is clear", LOOK);
pub(crate) const KEY_NODA: Check = Check::fitness(
    "key-noda",
    "guessing the key's password locks the TPM (dictionary-attack protection): noDA is clear",
    LOOK,
);
pub(crate) const KEY_UNUSABLE: Check =
    Check::fitness("key-unusable", "the key can be used: by password or by a policy", LOOK);

/// All of them, in the order in which they are made.
pub(crate) const ALL: &[&Check] = &[
    &TPM12_EVIDENCE,
    &STATEMENT_MISSING,
    &PUBLIC_AREA_MISSING,
    &MALFORMED,
    &TPM_MAGIC,
    &TPM_ATTEST_TYPE,
    &SIG_ALG,
    &ATTEST_SIGNATURE,
    &AK_UNKNOWN,
    &ACTIVATION,
    &CHAIN_UNTRUSTED,
    &CHAIN_INCOMPLETE,
    &ANCHOR_UNKNOWN,
    &EXPIRED,
    &NOT_YET_VALID,
    &REVOKED,
    &TPM_AIK_PROFILE,
    &TPM_VENDOR_UNKNOWN,
    &DEVICE_MAKER_MISMATCH,
    &EK_USAGE,
    &EK_SAN,
    &EK_MAKER_MISMATCH,
    &EK_KEY_STRENGTH,
    &WEAK_SIGNATURE,
    &AK_NOT_RESTRICTED,
    &AK_KEY_STRENGTH,
    &AK_CREATION,
    &QUALIFIED_SIGNER,
    &NAME_ALG,
    &NAME_ALG_SHA1,
    &NAME_MISMATCH,
    &CREATION_HASH,
    &KEY_ATTRIBUTES,
    &KEY_NOT_TPM_BOUND,
    &KEY_ORIGIN,
    &KEY_RESTRICTED,
    &KEY_TYPE,
    &KEY_STRENGTH,
    &KEY_HIERARCHY,
    &KEY_USAGE,
    &KEY_PLATFORM_HIERARCHY,
    &KEY_STCLEAR,
    &KEY_NODA,
    &KEY_UNUSABLE,
];
