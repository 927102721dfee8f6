//! Which parts of a submission are App Attest's: attestation objects, assertions and receipts.

use std::borrow::Cow;

use super::receipt;
use crate::formats::Context;
use crate::input::{Content, PartId, decode_base64};
use crate::pki::Certificate;
use crate::wire::attestation_object::{self, AttestationObject, sniff};
use crate::wire::bytes::contains;
use crate::wire::cbor::{self, Item};

const FMT: &str = "apple-appattest";

/// Everything of this format.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) attestations: Vec<Attestation<'a>>,
    pub(super) assertions: Vec<Assertion>,
    pub(super) receipts: Vec<Piece<'a>>,
}

/// Bytes and where they are.
pub(super) struct Piece<'a> {
    pub(super) id: PartId,
    pub(super) place: String,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// An attestation object, with the client data that came in the same container.
pub(super) struct Attestation<'a> {
    pub(super) object: Piece<'a>,
    pub(super) client_data: Option<Vec<u8>>,
    /// What is wrong with the container.
    pub(super) fault: Option<&'static str>,
}

/// An assertion.
pub(super) struct Assertion {
    pub(super) id: PartId,
    pub(super) place: String,
    pub(super) read: Result<SignedData, String>,
}

/// The members of an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedData {
    pub(super) signature: Vec<u8>,
    /// 37 bytes. Their flags say that credential data follow, and none do.
    pub(super) authenticator_data: [u8; 37],
}

impl SignedData {
    pub(super) fn rp_id_hash(&self) -> &[u8] {
        self.authenticator_data.get(..32).unwrap_or_default()
    }

    pub(super) fn counter(&self) -> u32 {
        self.authenticator_data.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let item = cbor::read(bytes).map_err(|e| e.to_string())?;
        let map = item.as_map().filter(|map| map.len() == 2).ok_or("not a map of two members")?;
        let member = |name: &str| {
            let item = map.text_key(name).and_then(Item::as_bytes);
            item.ok_or_else(|| format!("{name} is missing or no byte string"))
        };
        let authenticator_data = member("authenticatorData")?;
        Ok(Self {
            signature: member("signature")?.to_vec(),
            authenticator_data: authenticator_data
                .try_into()
                .map_err(|_| format!("authenticatorData has {} bytes, not 37", authenticator_data.len()))?,
        })
    }
}

impl<'a> Found<'a> {
    pub(super) fn among(cx: &'a Context<'_>) -> Self {
        let mut found = Self::default();
        for (id, part) in cx.parts.evidence() {
            let piece = |bytes| Piece { id, place: part.place.clone(), bytes };
            match &part.content {
                Content::Json(value) => found.add_attestation(in_json(value, &piece)),
                Content::Cms { .. } if receipt::is_like(&part.bytes) => {
                    found.add_receipt(piece(Cow::Borrowed(&part.bytes)));
                }
                _ => {
                    let Some(bytes) = part.unknown_bytes() else { continue };
                    if sniff(&bytes).is_some_and(|(fmt, _)| fmt == FMT) {
                        let object = piece(bytes);
                        found.add_attestation(Some(Attestation { object, client_data: None, fault: None }));
                    } else if is_like_assertion(&bytes) {
                        found.add_assertion(id, &part.place, SignedData::read(&bytes));
                    } else if receipt::is_like(&bytes) {
                        found.add_receipt(piece(bytes));
                    }
                }
            }
        }
        found
    }

    fn add_attestation(&mut self, new: Option<Attestation<'a>>) {
        let Some(new) = new else { return };
        let same =
            |a: &Attestation<'_>| a.object.bytes == new.object.bytes && a.client_data == new.client_data;
        if !self.attestations.iter().any(same) {
            self.attestations.push(new);
        }
    }

    fn add_assertion(&mut self, id: PartId, place: &str, read: Result<SignedData, String>) {
        if !self.assertions.iter().any(|known| known.read == read) {
            self.assertions.push(Assertion { id, place: place.to_owned(), read });
        }
    }

    fn add_receipt(&mut self, receipt: Piece<'a>) {
        if !self.receipts.iter().any(|known| known.bytes == receipt.bytes) {
            self.receipts.push(receipt);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attestations.is_empty() && self.assertions.is_empty() && self.receipts.is_empty()
    }
}

/// A map of two members with the names that an assertion has, also when it is damaged.
fn is_like_assertion(bytes: &[u8]) -> bool {
    let has = |name: &[u8]| contains(bytes, name);
    bytes.first() == Some(&0xa2) && has(b"\x69signature") && has(b"\x71authenticatorData")
}

/// The container of warden-supreme: `{"typ": "ios-appattest", "attestation": …, "clientDataJSON": …}`.
fn in_json<'a>(
    value: &serde_json::Value,
    piece: &dyn Fn(Cow<'a, [u8]>) -> Piece<'a>,
) -> Option<Attestation<'a>> {
    if value.get("typ").and_then(serde_json::Value::as_str) != Some("ios-appattest") {
        return None;
    }
    let decoded = |name: &str| decode_base64(value.get(name)?.as_str()?.as_bytes());
    let (object, client_data) = (decoded("attestation"), decoded("clientDataJSON"));
    let fault = match (&object, &client_data) {
        (None, _) => Some("attestation is missing or not base64url"),
        (_, None) if value.get("clientDataJSON").is_some() => Some("clientDataJSON is not base64url"),
        _ => None,
    };
    Some(Attestation { object: piece(Cow::Owned(object.unwrap_or_default())), client_data, fault })
}

/// An attestation object as this format has it.
pub(super) struct Object<'a> {
    pub(super) leaf: Certificate,
    pub(super) above: Vec<Certificate>,
    pub(super) receipt: &'a [u8],
    pub(super) auth_data: &'a [u8],
}

impl<'a> Object<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let object = AttestationObject::read(bytes)?;
        if object.fmt != FMT || object.has_others || object.statement.len() != 2 {
            return Err(format!("its members are not those of {FMT}: fmt, attStmt (x5c, receipt), authData"));
        }
        let mut certificates = attestation_object::certificates(&object.x5c()?)?.into_iter();
        Ok(Self {
            leaf: certificates.next().ok_or("x5c is empty")?,
            above: certificates.collect(),
            receipt: object
                .statement
                .text_key("receipt")
                .and_then(Item::as_bytes)
                .ok_or("receipt is missing or no byte string")?,
            auth_data: object.auth_data.ok_or("authData is missing")?,
        })
    }
}
