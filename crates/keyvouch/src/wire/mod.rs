//! Readers of encodings that several formats share.

pub(crate) mod der;
pub(crate) mod tlv;
