//! Readers of encodings that several formats share.

pub(crate) mod cbor;
pub(crate) mod d3s;
pub(crate) mod der;
pub(crate) mod jwk;
pub(crate) mod ncore;
pub(crate) mod tlv;
pub(crate) mod tpm;
