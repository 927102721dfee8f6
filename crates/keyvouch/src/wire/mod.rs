//! Readers of encodings that several formats share.

pub mod cbor;
pub mod cmw;
pub(crate) mod d3s;
pub(crate) mod der;
pub(crate) mod ncore;
pub(crate) mod tlv;
pub(crate) mod tpm;
