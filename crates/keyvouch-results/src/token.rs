//! What the two forms of a token have in common.

use crate::ear::Profile;
use crate::keys::Algorithm;

/// The largest token that is read. Results with the evidence in them are a few hundred kilobytes.
pub(crate) const MAX_TOKEN: usize = 16 << 20;

/// The form of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON Web Token in compact form (RFC 7519).
    Jwt,
    /// CBOR Web Token in a COSE_Sign1 (RFC 8392).
    Cwt,
}

impl Form {
    /// `jwt` or `cwt`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Cwt => "cwt",
        }
    }

    /// The media type (RFC 9782), with the profile.
    #[must_use]
    pub fn media_type(self, profile: Profile) -> String {
        format!("application/eat+{}; eat_profile=\"{}\"", self.as_str(), profile.uri())
    }
}

/// A token that was taken apart and not verified.
#[derive(Debug)]
pub(crate) struct Unverified {
    pub(crate) form: Form,
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Vec<u8>>,
    /// What is signed.
    pub(crate) message: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// Why something is not a token that can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Larger than any.
    #[error("it is larger than {MAX_TOKEN} bytes")]
    Large,
    /// None of the forms.
    #[error("it is neither a compact JWT, nor a COSE_Sign1, nor a wrapper (CMW) around one")]
    Form,
    /// A part that is not base64url.
    #[error("its {0} is not base64url without padding")]
    Base64(&'static str),
    /// Headers that are out of form.
    #[error("its header is out of form: {0}")]
    Header(String),
    /// A header parameter that changes what must be understood.
    #[error("its header has {0}, which is not understood")]
    Critical(&'static str),
    /// Another type of token.
    #[error("it is a token of type {0:?}, not an attestation result")]
    Type(String),
    /// An algorithm that is not taken.
    #[error("algorithm {0}: only ES256, ES384, EdDSA and PS256 are taken")]
    Algorithm(String),
}

impl TokenError {
    /// Whether it is about the algorithm.
    pub(crate) fn is_of_algorithm(&self) -> bool {
        matches!(self, Self::Algorithm(_) | Self::Critical(_))
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// A nonce that results do not take.
    #[error("a nonce for a result has 8 to 64 bytes, not {0}")]
    Nonce(usize),
    /// The result ends before it begins.
    #[error("the result would expire before it is issued")]
    Expiry,
    /// A time that is not in any token.
    #[error("the time is before 1970 or after 9999")]
    Time,
    /// Tokens of this profile are read, not made.
    #[error("results are made in profile #03 or #04 only")]
    Profile,
    /// Nothing to state.
    #[error("the report has no appraisal")]
    Empty,
    /// A claim without a place in CBOR.
    #[error("claim {0} has no form in CBOR")]
    Claim(String),
    /// The key does not sign.
    #[error("the key does not sign")]
    Signing,
}
