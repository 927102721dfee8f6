//! Errors as problem documents (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use keyvouch_record::CaseError;
use keyvouch_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// How long a client had better wait when the database is away, in seconds.
const RETRY_AFTER: &str = "2";

/// Why a request was not answered: a problem document (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem: `urn:keyvouch:problem:` and its name.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in a few words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong in this request, and what to do.
    detail: String,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident $kind:literal $title:literal;)*) => {
        /// The kinds of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[$doc])* $name),* }

        impl Kind {
            const fn of(self) -> (StatusCode, &'static str, &'static str) {
                match self { $(Self::$name => (StatusCode::$status, $kind, $title)),* }
            }
        }

        /// The title of the problems of that status.
        pub(crate) fn title_of(status: StatusCode) -> Option<&'static str> {
            [$((StatusCode::$status, $title)),*].into_iter().find(|(s, _)| *s == status).map(|(_, title)| title)
        }
    };
}

problems! {
    /// The body cannot be understood.
    Malformed = BAD_REQUEST "malformed" "The request cannot be understood";
    /// The body is understood and asks for what cannot be done.
    Unprocessable = UNPROCESSABLE_ENTITY "unprocessable" "The request asks for what cannot be done";
    /// No token, or one that is not in force.
    Unauthenticated = UNAUTHORIZED "unauthenticated" "No token that is in force";
    /// The role does not allow it.
    Forbidden = FORBIDDEN "forbidden" "Not allowed";
    /// There is no such thing.
    NotFound = NOT_FOUND "not-found" "There is no such thing";
    /// It was there and is not any more.
    Gone = GONE "gone" "It is gone";
    /// What is there does not allow it.
    Conflict = CONFLICT "conflict" "It does not fit what is there";
    /// The method is none of this resource.
    Method = METHOD_NOT_ALLOWED "method" "No such method here";
    /// No form of the answer is one that the client takes.
    NotAcceptable = NOT_ACCEPTABLE "not-acceptable" "No such form of the answer";
    /// The form of the body is not one that is read.
    MediaType = UNSUPPORTED_MEDIA_TYPE "media-type" "No such form of the request";
    /// The request is too large.
    TooLarge = PAYLOAD_TOO_LARGE "too-large" "The request is too large";
    /// The client asks too often.
    TooMany = TOO_MANY_REQUESTS "too-many" "Too many requests";
    /// It took too long to come in.
    TooSlow = REQUEST_TIMEOUT "too-slow" "The request took too long";
    /// The service cannot answer now.
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "The service cannot answer now";
    /// A fault of the service.
    Internal = INTERNAL_SERVER_ERROR "internal" "A fault of the service";
}

impl Problem {
    /// A problem of that kind; `detail` says what is wrong here and what to do.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, name, title) = kind.of();
        Self {
            kind: format!("urn:keyvouch:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
        }
    }

    /// A fault of the service. The client is not told more than that; the log is.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request could not be answered");
        Self::new(Kind::Internal, "The fault is in the log of the service. Nothing was recorded.")
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong, and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The kind in a few words.
    pub(crate) const fn title(&self) -> &'static str {
        self.title
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(&self)).into_response();
        // For those who show it in another form.
        response.extensions_mut().insert(self);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NoRecord(_) => Self::new(Kind::NotFound, sentence(&error)),
            StoreError::Pruned(_) => Self::new(Kind::Gone, sentence(&error)),
            _ if error.is_temporary() => {
                tracing::warn!(%error, "the database is away");
                Self::new(
                    Kind::Unavailable,
                    "The record cannot be reached. Nothing was recorded; send the request again later.",
                )
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<CaseError> for Problem {
    fn from(error: CaseError) -> Self {
        match &error {
            CaseError::Input(_) => Self::new(Kind::Unprocessable, sentence(&error)),
            _ => Self::internal(&error),
        }
    }
}

/// The error as a sentence.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let text = capitalised(&error.to_string());
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{text}{end}")
}

/// The text as a sentence begins. What begins with a name, such as that of a file, stays as it is.
pub(crate) fn capitalised(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    if !first.chars().all(char::is_alphabetic) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    let capital: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{capital}{}", chars.as_str())
}
