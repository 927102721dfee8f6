//! Readers of encodings that several formats share.

pub(crate) mod attestation_object;
pub(crate) mod authenticator_data;
pub(crate) mod ber;
pub(crate) mod bytes;
pub mod cbor;
pub mod cmw;
pub(crate) mod cose;
pub(crate) mod d3s;
pub(crate) mod der;
pub(crate) mod jwk;
pub(crate) mod jws;
pub(crate) mod ncore;
pub(crate) mod oid;
pub(crate) mod plist;
pub(crate) mod tlv;
pub(crate) mod tpm;
