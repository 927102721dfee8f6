//! Tokens as CWT in a COSE_Sign1 (RFC 9052): signing, and taking apart.
//!
//! The bytes are read by the strict reader of the core first, so that no key is there twice; what is signed is put
//! together by `coset` from the bytes received.

use coset::cbor::value::Value as Cbor;
use coset::{
    CoseSign1Builder, HeaderBuilder, ProtectedHeader, SignatureContext, TaggedCborSerializable as _, iana,
    iana::EnumI64 as _, sig_structure_data,
};
use keyvouch::wire::cbor::{self, Item, Map};
use serde_json::Value;

use crate::keys::Algorithm;
use crate::labels;
use crate::signing::SigningKey;
use crate::token::{Form, IssueError, TokenError, Unverified};

/// Tags of a CWT and of a COSE_Sign1.
const CWT: u64 = 61;
const COSE_SIGN1: u64 = 18;

/// Header parameters (RFC 9052, 3.1; RFC 9596).
const ALG: i128 = 1;
const CRIT: i128 = 2;
const KID: i128 = 4;
const TYP: i128 = 16;

const TYPE: &str = "application/eat+cwt";

/// A claims set as signed CWT, in deterministic encoding.
///
/// # Errors
/// When a claim has no place in CBOR, or the key does not sign.
pub fn sign(claims: &Value, key: &SigningKey) -> Result<Vec<u8>, IssueError> {
    sign_payload(&labels::encode(claims).map_err(IssueError::Claim)?, key)
}

/// Any payload as signed CWT.
///
/// # Errors
/// When the key does not sign.
pub fn sign_payload(payload: &[u8], key: &SigningKey) -> Result<Vec<u8>, IssueError> {
    let algorithm = iana::Algorithm::from_i64(key.algorithm().cose()).ok_or(IssueError::Signing)?;
    let header = HeaderBuilder::new()
        .algorithm(algorithm)
        .key_id(key.id().as_bytes().to_vec())
        .value(i64::try_from(TYP).unwrap_or_default(), Cbor::Text(TYPE.to_owned()))
        .build();
    let signed = CoseSign1Builder::new()
        .protected(header)
        .payload(payload.to_vec())
        .try_create_signature(b"", |message| key.sign(message).ok_or(IssueError::Signing))?
        .build();
    signed.to_tagged_vec().map_err(|_| IssueError::Signing)
}

/// Whether bytes begin like a COSE_Sign1: tagged, or an array of four that begins with bytes.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    let untagged = |bytes: &[u8]| matches!(bytes, [0xd2, ..] | [0x84, 0x40..=0x5b, ..]);
    untagged(bytes) || bytes.strip_prefix(&[0xd8, 0x3d]).is_some_and(untagged)
}

/// Takes a COSE_Sign1 apart.
pub(crate) fn read(bytes: &[u8]) -> Result<Unverified, TokenError> {
    let fault = |what: &str| TokenError::Header(what.to_owned());
    let item = cbor::read(bytes).map_err(|e| TokenError::Header(e.to_string()))?;
    let item = untag(&item, CWT);
    let item = untag(item, COSE_SIGN1);
    let Some([protected, unprotected, payload, signature]) = item.as_array() else {
        return Err(TokenError::Form);
    };
    let (Some(protected), Some(unprotected)) = (protected.as_bytes(), unprotected.as_map()) else {
        return Err(TokenError::Form);
    };
    let payload = payload.as_bytes().ok_or_else(|| fault("the payload is not in it"))?;
    let signature = signature.as_bytes().ok_or(TokenError::Form)?;
    if protected.is_empty() {
        // An empty map may be written as no bytes at all (RFC 9052, 3).
        return Err(TokenError::Algorithm("is missing".to_owned()));
    }
    let header = cbor::read(protected).map_err(|e| fault(&format!("protected header: {e}")))?;
    let header = header.as_map().ok_or_else(|| fault("the protected header is no map"))?;
    let (algorithm, key_id) = headers(header, unprotected)?;
    let signed = ProtectedHeader::from_cbor_bstr(Cbor::Bytes(protected.to_vec()))
        .map_err(|e| fault(&format!("protected header: {e}")))?;
    let message = sig_structure_data(SignatureContext::CoseSign1, signed, None, b"", payload);
    Ok(Unverified {
        form: Form::Cwt,
        algorithm,
        key_id,
        message,
        payload: payload.to_vec(),
        signature: signature.to_vec(),
    })
}

fn untag<'i, 'a>(item: &'i Item<'a>, tag: u64) -> &'i Item<'a> {
    match item {
        Item::Tag(number, inside) if *number == tag => inside,
        other => other,
    }
}

fn headers(protected: &Map<'_>, unprotected: &Map<'_>) -> Result<(Algorithm, Option<Vec<u8>>), TokenError> {
    let fault = |what: &str| TokenError::Header(what.to_owned());
    if protected.int_key(CRIT).is_some() || unprotected.int_key(CRIT).is_some() {
        return Err(TokenError::Critical("crit"));
    }
    for name in [ALG, TYP] {
        if unprotected.int_key(name).is_some() {
            return Err(fault("the algorithm or the type is not protected"));
        }
    }
    let algorithm = match protected.int_key(ALG) {
        Some(Item::Int(number)) => {
            Algorithm::of_cose(*number).ok_or_else(|| TokenError::Algorithm(number.to_string()))?
        }
        Some(_) => return Err(TokenError::Algorithm("is not a number".to_owned())),
        None => return Err(TokenError::Algorithm("is missing".to_owned())),
    };
    match protected.int_key(TYP) {
        None => {}
        Some(Item::Text(typ)) if typ.eq_ignore_ascii_case(TYPE) => {}
        Some(Item::Text(typ)) => return Err(TokenError::Type((*typ).to_owned())),
        Some(_) => return Err(fault("the type is not text")),
    }
    let key_id = match (protected.int_key(KID), unprotected.int_key(KID)) {
        (None, None) => None,
        (Some(id), None) | (None, Some(id)) => {
            Some(id.as_bytes().ok_or_else(|| fault("the key identifier is not bytes"))?.to_vec())
        }
        (Some(_), Some(_)) => return Err(fault("the key identifier is there twice")),
    };
    Ok((algorithm, key_id))
}
