//! The checks of AWS evidence: signed requests for KMS, KMS's answers, certificates of CloudHSM clusters.

use super::super::provider::unsigned_answer;
use crate::checks::Check;

const PREPARE: &str = "Make the envelope again with the CA's nonce and hand it over at once: `keyvouch provider aws-kms prepare --key KEY-ARN --nonce NONCE --output envelope.json`.";
const ASK_AGAIN: &str = "The CA must ask KMS itself, with the subscriber's fresh envelope (`keyvouch provider aws-kms check`) or with its own credentials (`keyvouch provider aws-kms fetch`), and keep both answers unchanged.";
const NEW_KEY: &str = "Make a new key whose material KMS generates: `aws kms create-key --key-spec RSA_3072 --key-usage SIGN_VERIFY --origin AWS_KMS`, and make the request with it.";
const CLUSTER: &str = "Hand over the certificates of the cluster while it is not initialised: `aws cloudhsmv2 describe-clusters --filters clusterIds=ID` (ClusterCsr, HsmCertificate, AwsHardwareCertificate, ManufacturerHardwareCertificate). They prove a genuine HSM, never a key.";

pub(super) const ENVELOPE: Check = Check::fitness(
    "envelope",
    "the envelope is strict JSON of version 1 with exactly two requests, and nothing else",
    PREPARE,
);
pub(super) const HOST: Check = Check::fitness(
    "host",
    "both requests are a POST to the KMS endpoint of one Region, by its bare address",
    PREPARE,
);
pub(super) const HEADER: Check = Check::fitness(
    "header",
    "the requests have only the headers that such a request needs, each once",
    PREPARE,
);
pub(super) const SIGNED_HEADERS: Check = Check::fitness(
    "signed-headers",
    "the signatures are of AWS Signature Version 4, for KMS in that Region on that day, and cover every header",
    PREPARE,
);
pub(super) const TARGET: Check =
    Check::fitness("target", "one request is for DescribeKey, the other for GetPublicKey", PREPARE);
pub(super) const KEY_ID: Check = Check::fitness(
    "key-id",
    "both requests ask for one key by its full ARN, in the Region that they go to, and for nothing else",
    "Name the key by its key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not by an alias or a bare id, and make the envelope again.",
);
pub(super) const NONCE: Check = Check::fitness(
    "nonce",
    "the requests carry the nonce that the CA gave out for this order",
    "Make the envelope with the nonce of this order; without one, ask the CA for it. Whoever verifies gives the nonce with --nonce.",
);
pub(super) const STALE: Check = Check::fitness(
    "stale",
    "the requests were signed at most five minutes before or after they are sent",
    "AWS refuses old requests. Set the clock of the machine that signs, make the envelope again, and hand it over at once.",
);
pub(super) const ANSWER_MISSING: Check =
    Check::fitness("answer-missing", "both answers are there: of DescribeKey and of GetPublicKey", ASK_AGAIN);
pub(super) const PROVIDER_ERROR: Check = Check::fitness(
    "provider-error-answer",
    "the files hold answers of KMS, not its refusal",
    "KMS refused. AccessDeniedException: the signer needs kms:DescribeKey and kms:GetPublicKey on the key. NotFoundException: look at the ARN and the Region. InvalidSignatureException or ExpiredTokenException: make the envelope again with credentials that are in force. KMSInvalidStateException: the key is disabled or is to be deleted.",
);
pub(super) const UNSIGNED: Check = unsigned_answer(
    "AWS signs no answer for others, so a saved answer proves nothing. Make an envelope with which the CA can ask KMS itself: `keyvouch provider aws-kms prepare --key KEY-ARN --nonce NONCE --output envelope.json`, or let the CA's principal describe the key (kms:DescribeKey, kms:GetPublicKey in the key policy).",
);
pub(super) const RESPONSE: Check = Check::fitness(
    "response",
    "the answers are strict JSON, one of each kind, and their members are of the documented types",
    ASK_AGAIN,
);
pub(super) const ARN: Check = Check::fitness(
    "arn",
    "both answers are about the key that was asked for, and agree with each other",
    ASK_AGAIN,
);
pub(super) const PUBLIC_KEY: Check = Check::fitness(
    "public-key",
    "the public key is a SubjectPublicKeyInfo in DER, of the kind that KeySpec names",
    ASK_AGAIN,
);
pub(super) const IMPORTED: Check = Check::fitness("imported", "the key material was not imported", NEW_KEY);
pub(super) const CUSTOM_STORE: Check = Check::fitness(
    "custom-store",
    "the key is in the HSMs of KMS itself, not in a custom or external key store",
    NEW_KEY,
);
pub(super) const ORIGIN_UNKNOWN: Check =
    Check::fitness("origin-unknown", "the answer says where the key material is from", NEW_KEY);
pub(super) const KEY_MANAGER: Check = Check::fitness(
    "key-manager",
    "the key is managed by the customer",
    "Keys that AWS manages for its services cannot be certified. Make a key of your own with `aws kms create-key`.",
);
pub(super) const KEY_USAGE: Check = Check::fitness("key-usage", "the key is for signing", NEW_KEY);
pub(super) const KEY_STATE: Check = Check::fitness(
    "key-state",
    "the key is enabled",
    "Enable the key (`aws kms enable-key`, or `aws kms cancel-key-deletion` first), and ask again.",
);
pub(super) const KEY_SPEC: Check =
    Check::fitness("key-spec", "the key is a key pair of a known kind", NEW_KEY);
pub(super) const MULTI_REGION: Check = Check::fitness(
    "multi-region",
    "the key stays in one Region, or the operator allows others (allow_multi_region)",
    "KMS copies the key of a multi-Region key to other Regions. Make a key without `--multi-region`, or ask the CA whether it allows them.",
);
pub(super) const REGION: Check = Check::fitness(
    "region",
    "the key is not in a Region in China, or the operator allows that (allow_china_regions)",
    "The HSMs of KMS in China are certified by other schemes. Make the key in another Region, or ask the CA.",
);
pub(super) const CLOUDHSM_CHAIN: Check = Check::fitness(
    "cloudhsm-chain",
    "the HSM of the cluster is certified both under AWS's root and under the maker's",
    CLUSTER,
);
pub(super) const CLOUDHSM_KEY: Check = Check::fitness(
    "cloudhsm-key",
    "both chains and the request of the cluster are for one and the same HSM key",
    CLUSTER,
);
/// Always fails: that is the answer for keys in a cluster.
pub(super) const NO_FORMAT: Check = Check::attestability(
    "no-attestation-format",
    "the device signs statements about its keys that a third party can verify",
    "AWS CloudHSM hands out no statement about keys. For code signing the CA/Browser Forum's Baseline Requirements (6.2.7.4.2) leave: a report of an approved auditor who witnessed the creation of the key (method 6), an audit (method 4), a report of the subscription and resource configuration (method 5). Or use a cloud HSM that attests (Google Cloud HSM, Azure Managed HSM).",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &ENVELOPE,
    &HOST,
    &HEADER,
    &SIGNED_HEADERS,
    &TARGET,
    &KEY_ID,
    &NONCE,
    &STALE,
    &PROVIDER_ERROR,
    &ANSWER_MISSING,
    &UNSIGNED,
    &RESPONSE,
    &ARN,
    &PUBLIC_KEY,
    &IMPORTED,
    &CUSTOM_STORE,
    &ORIGIN_UNKNOWN,
    &KEY_MANAGER,
    &KEY_USAGE,
    &KEY_STATE,
    &KEY_SPEC,
    &MULTI_REGION,
    &REGION,
    &CLOUDHSM_CHAIN,
    &CLOUDHSM_KEY,
    &NO_FORMAT,
];
