//! Attestation results: what keyvouch found, signed for relying parties that were not there.
//!
//! The form is EAR, the EAT Attestation Result (draft-ietf-rats-ear), as JWT or as CWT, with the trustworthiness vector
//! of AR4SI. A report becomes a token with [`issue`]; a relying party checks one with [`verify()`]. The native JSON
//! report stays the primary result: EAR is a compact view of it.
//!
//! A token states the opinion of whoever signed it. It proves nothing to somebody who does not trust that key.
//!
//! Pure like the verifier: no clock, no network, no files. Only signing draws randomness.

pub mod cmw;
pub mod cwt;
pub mod ear;
pub mod html;
mod jwk;
pub mod jwt;
pub mod keys;
mod labels;
mod payload;
pub mod signing;
mod token;
pub mod vector;
pub mod verify;

pub use ear::{Profile, Terms};
pub use keys::{Algorithm, KeyError, KeySet};
pub use signing::SigningKey;
pub use token::{Form, IssueError, TokenError};
pub use vector::Tier;
pub use verify::{Bound, Expected, Verification, verify};

use keyvouch::Report;

/// A report as signed attestation result.
///
/// # Errors
/// When the terms have no place in a token, or the key does not sign.
pub fn issue(report: &Report, terms: &Terms, form: Form, key: &SigningKey) -> Result<Vec<u8>, IssueError> {
    let claims = ear::claims(report, terms)?;
    match form {
        Form::Jwt => jwt::sign(&claims, key).map(String::into_bytes),
        Form::Cwt => cwt::sign(&claims, key),
    }
}
