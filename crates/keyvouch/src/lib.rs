//! keyvouch: a verifier for remote key attestation.
//!
//! Evidence in, appraisal out. A device (an HSM, a token, a TPM, a phone) or its maker signs a statement about
//! a key; keyvouch decides whether the statement is authentic, says what it proves and what it does not, binds
//! it to a certification request, and reports every check it made. Whether that is *enough* is for a policy
//! to say (crate `keyvouch-policy`).
//!
//! The words are those of RFC 9334 (RATS). This crate is pure: no I/O, no network, no clock, no global state.
//! The same input gives the same report, byte for byte.
//!
//! ```
//! use keyvouch::{File, Reference, Submission, Verifier};
//!
//! let verifier = Verifier::new(Reference::builtin()?);
//! let evidence = vec![File::new("notes.txt", "this is not evidence of anything")];
//! let report = verifier.appraise(&Submission::new(evidence, "2026-06-01T00:00:00Z".parse()?))?;
//! assert_eq!(report.appraisals[0].authenticity.as_str(), "undecided");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The stages, in the order in which data moves: [`submission`] → [`input`] → [`formats`] → [`claims`] →
//! request binding → [`mod@reference`] → [`appraisal`].

pub mod appraisal;
pub mod authentic;
pub mod catalogue;
pub mod checks;
pub mod claims;
pub mod crypto;
pub mod formats;
pub mod input;
mod key_quality;
pub mod pki;
pub mod provider;
pub mod reference;
mod request;
pub mod requests;
pub mod signatures;
pub mod submission;
mod time;
pub mod tpm;
mod verifier;
pub mod wire;
pub mod witness;

pub use appraisal::{Appraisal, Authenticity, Binding, Freshness, Report, Route, Verdict};
pub use claims::{Basis, Claim, ClaimName, ClaimSet, Value};
pub use input::InputError;
pub use reference::{DataError, Reference};
pub use submission::{File, OptionDef, OptionKind, Options, Submission};
pub use time::{NotATime, Time};
pub use verifier::{SHARED_OPTIONS, Verifier, shared_checks};
