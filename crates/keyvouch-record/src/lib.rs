//! The record of an appraisal, for somebody who must check it years later.
//!
//! A [`Case`] is everything that an appraisal rests on: the evidence, the request, the nonce, the time, the options,
//! the operator's own trust data, the policies and their settings. [`Case::judge`] is a function of it: the same case
//! gets the same report, byte for byte, from the same version of keyvouch with the same built-in data.
//!
//! A [`Bundle`] is a case with the report that it got, in one ZIP file that needs no other. [`recheck`] judges the
//! case again and says whether the answer is the same. [`reappraise()`] judges its evidence by what is known today and says
//! what changed.
//!
//! The files of a bundle are guarded by digests in its manifest, and the manifest by nothing: whoever hands over a
//! bundle could have written it. What makes it a proof is the re-appraisal, and the signature of a result token that
//! may lie in it.

#![forbid(unsafe_code)]

pub mod asked;
mod bundle;
mod case;
pub mod log;
mod packing;
mod reappraise;
mod recheck;

pub use asked::AskedError;
pub use bundle::{Bundle, BundleError, Part, Parts, trust_data_of};
pub use case::{Case, CaseError, TrustData};
pub use packing::MAX_BUNDLE;
pub use reappraise::{Change, Reappraisal, Said, StatementChange, Today, reappraise};
pub use recheck::{Answer, Difference, Recheck, recheck};
