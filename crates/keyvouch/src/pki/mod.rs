//! Certificates, requests and paths.
//!
//! Certificates are *read* by `x509-parser`, which keeps the original bytes; *judging* them is this module's
//! trade: one path validator, strict by RFC 5280, with named leniencies that a format must ask for.

pub(crate) mod attestation;
mod certificate;
pub mod cms;
mod crl;
pub mod crmf;
pub mod csr;
pub mod cvc;
pub mod enveloped;
mod extensions;
pub mod jws;
pub mod name;
pub mod openpgp;
pub mod path;

pub use certificate::{BasicConstraints, Certificate, CertificateError, EcdsaForm, Extension, KeyUsage};
pub use crl::{CrlError, RevocationList};
pub use crmf::{CertReqMsg, CrmfError};
pub use csr::{CertificationRequest, CsrError};
pub(crate) use extensions::SUBJECT_ALT_NAME;
pub use openpgp::{OpenPgpError, OpenPgpKey};
