//! TPM structures for people, without judgement.

use serde_json::{Value, json};

use super::gather::{Piece, Pool, Signature};
use super::key::describe;
use super::policy;
use crate::wire::tpm::{
    Attest, Certified, CreationData, Parameters, PublicArea, SignatureValue, alg_name, kind,
};

/// Every structure of the pool.
pub(crate) fn all(pool: &Pool<'_>) -> Vec<Value> {
    let documents = |pick: for<'d, 'a> fn(&'d super::gather::Document<'a>) -> Option<&'d Piece<'a>>| {
        pool.documents.iter().filter_map(pick)
    };
    let attests = pool.attests.iter().chain(documents(|d| d.attest.as_ref()));
    let signatures = pool.signatures.iter().chain(documents(|d| d.signature.as_ref()));
    let creations = pool.creations.iter().chain(documents(|d| d.creation.as_ref()));
    attests
        .map(|piece| placed(piece, attest(&piece.bytes)))
        .chain(pool.publics.iter().map(|piece| placed(piece, public(&piece.bytes))))
        .chain(signatures.map(|piece| placed(piece, signature(&piece.bytes))))
        .chain(creations.map(|piece| placed(piece, creation(&piece.bytes))))
        .chain(pool.tpm12.iter().map(|(place, what)| json!({"where": place, "is": "SKAE", "note": what})))
        .chain(pool.broken.iter().map(|(place, why)| json!({"where": place, "fault": why})))
        .collect()
}

fn placed(piece: &Piece<'_>, mut view: Value) -> Value {
    if let Some(members) = view.as_object_mut() {
        members.insert("where".to_owned(), piece.place.clone().into());
    }
    view
}

/// An attestation.
pub(crate) fn attest(bytes: &[u8]) -> Value {
    let read = match Attest::read(bytes) {
        Ok(read) => read,
        Err(fault) => return json!({ "fault": fault.to_string() }),
    };
    let certified = match read.certified {
        Certified::Certify { name, qualified_name } => {
            json!({"name": hex::encode(name), "qualified_name": hex::encode(qualified_name)})
        }
        Certified::Creation { name, creation_hash } => {
            json!({"name": hex::encode(name), "creation_hash": hex::encode(creation_hash)})
        }
        Certified::Other => Value::Null,
    };
    json!({
        "is": "TPMS_ATTEST",
        "magic": format!("{:08x}", read.magic),
        "type": format!("{:04x} ({})", read.kind, kind::name(read.kind)),
        "qualified_signer": hex::encode(read.qualified_signer),
        "extra_data": hex::encode(read.extra_data),
        "clock": read.clock,
        "reset_count": read.reset_count,
        "restart_count": read.restart_count,
        "safe": read.safe,
        "firmware_version": format!("{:016x}", read.firmware_version),
        "attested": certified,
    })
}

/// A public area.
pub(crate) fn public(bytes: &[u8]) -> Value {
    let read = match PublicArea::read(bytes) {
        Ok(read) => read,
        Err(fault) => return json!({ "fault": fault.to_string() }),
    };
    let scheme = read.scheme().map(|s| {
        let hash = s.hash.map_or_else(String::new, |hash| format!(" with {}", alg_name(hash)));
        format!("{}{hash}", alg_name(s.alg))
    });
    let (kind, exponent) = match read.parameters {
        Parameters::Rsa { exponent, .. } => ("RSA", Some(exponent)),
        Parameters::Ecc { .. } => ("ECC", None),
        Parameters::KeyedHash => ("keyed hash", None),
        Parameters::SymCipher => ("symmetric cipher", None),
    };
    json!({
        "is": "TPMT_PUBLIC",
        "type": kind,
        "exponent": exponent,
        "name_alg": alg_name(read.name_alg),
        "name": read.name().map(hex::encode),
        "attributes": describe(read.attributes),
        "auth_policy": hex::encode(read.auth_policy),
        "auth_policy_name": policy::name(read.auth_policy),
        "scheme": scheme,
        "key": read.key().map(|k| k.algorithm()),
        "spki_sha256": read.key().map(|k| hex::encode(k.spki_sha256())),
    })
}

fn signature(bytes: &[u8]) -> Value {
    match Signature::read(bytes, &[]) {
        Ok(Signature::Structure(read)) => {
            let numbers = match read.value {
                SignatureValue::Rsa(value) => json!({ "bytes": value.len() }),
                SignatureValue::Ec { r, s } => json!({ "r": hex::encode(r), "s": hex::encode(s) }),
            };
            json!({"is": "TPMT_SIGNATURE", "alg": alg_name(read.alg), "hash": alg_name(read.hash), "value": numbers})
        }
        Ok(Signature::Bare { bytes, .. }) => json!({"is": "bare signature", "bytes": bytes.len()}),
        Err(fault) => json!({ "fault": fault.to_string() }),
    }
}

fn creation(bytes: &[u8]) -> Value {
    match CreationData::read(bytes) {
        Ok(read) => json!({
            "is": "TPMS_CREATION_DATA",
            "pcr_digest": hex::encode(read.pcr_digest),
            "locality": read.locality,
            "parent_name": hex::encode(read.parent_name),
            "parent_qualified_name": hex::encode(read.parent_qualified_name),
            "outside_info": hex::encode(read.outside_info),
        }),
        Err(fault) => json!({ "fault": fault.to_string() }),
    }
}
