//! Attestations that Apple's servers make for keys in the Secure Enclave: an X.509 leaf for the key, with extensions
//! below 1.2.840.113635.100.8.
//!
//! | format | root | what its key does |
//! |---|---|---|
//! | [`mda`], Managed Device Attestation | Apple Enterprise Attestation Root CA | signs requests, serves certificates |
//! | [`app_attest`], App Attest | Apple App Attestation Root CA | signs assertions of one app, and nothing else |
//!
//! (WebAuthn's Apple Anonymous attestation is a statement of that format.) The families look alike, and no leaf of one
//! may pass as one of another: each has its own root, and the roots are never pooled.

mod app_attest;
mod chain;
mod checks;
mod leaf;
pub(crate) mod mda;

pub(crate) use app_attest::AppAttest;
pub(crate) use mda::Mda;
