//! Readers of encodings that several formats share.

pub(crate) mod d3s;
pub(crate) mod der;
pub(crate) mod ncore;
pub(crate) mod oid;
pub(crate) mod tlv;
pub(crate) mod tpm;
