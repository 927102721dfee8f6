//! What the answers of KMS come to when the operator fetched them himself.

use super::answers::Origin;
use super::judge::Facts;
use crate::authentic::Fetched;
use crate::claims::{ClaimName, ClaimSet, Value};

/// The answers, and who signed the requests for them.
pub(super) struct Told {
    pub(super) facts: Facts,
    pub(super) access_key_id: Option<String>,
}

pub(super) fn claims(told: &Fetched<Told>) -> ClaimSet {
    ClaimSet::told(told)
        .operator(ClaimName::DeviceClass, "AWS, KMS: keys are kept in HSMs of the service", |_| "cloud-hsm")
        .operator(ClaimName::DeviceVendor, "ARN of the answer", |_| "AWS")
        .operator(ClaimName::DeviceModel, "ARN of the answer", |_| "KMS")
        .operator(ClaimName::KeyAlgorithm, "PublicKey of the answer to GetPublicKey", |t| {
            t.facts.key.algorithm()
        })
        .operator(ClaimName::KeySpkiSha256, "PublicKey of the answer to GetPublicKey", |t| {
            hex::encode(t.facts.key.spki_sha256())
        })
        .operator(
            ClaimName::KeyGeneratedInDevice,
            "Origin of the answer to DescribeKey; AWS KMS API reference, KeyMetadata",
            |t| match t.facts.description.origin {
                Origin::Kms if t.facts.description.is_generated() => Value::Bool(true),
                Origin::External => Value::Bool(false),
                _ => Value::Unknown,
            },
        )
        .operator(
            ClaimName::KeyExportable,
            "Origin of the answer to DescribeKey; AWS KMS API reference: no operation exports a private key",
            |t| match t.facts.description.is_generated() {
                true => Value::from("vendor-boundary"),
                false => Value::Unknown,
            },
        )
        .operator(ClaimName::KeyPurposes, "KeyUsage of the answer to DescribeKey", |t| {
            match t.facts.description.usage.as_deref() {
                Some("SIGN_VERIFY") => Value::Set(vec!["sign"]),
                Some("ENCRYPT_DECRYPT") => Value::Set(vec!["decrypt"]),
                Some("KEY_AGREEMENT") => Value::Set(vec!["agree"]),
                _ => Value::Unknown,
            }
        })
        .operator(ClaimName::KeyCreatedAt, "CreationDate of the answer to DescribeKey", |t| {
            t.facts.description.created.map(|time| time.to_string())
        })
        .detail("account", "ARN of the answer", |t| t.facts.arn.account.clone())
        .detail("region", "ARN of the answer", |t| t.facts.arn.region.as_str().to_owned())
        .detail("key_arn", "ARN of the answer", |t| t.facts.arn.as_str().to_owned())
        .detail("multi_region", "MultiRegion of the answer to DescribeKey", |t| {
            t.facts.description.multi_region
        })
        .detail("signer_access_key_id", "Authorization header of the envelope", |t| t.access_key_id.clone())
        .finish()
}
