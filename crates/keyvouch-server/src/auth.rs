//! Who asks, and what that allows.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use keyvouch_store::Role;

use crate::problem::{Kind, Problem};
use crate::service::Service;

/// Who asks. Put into every request before its handler runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token or certificate; `local` on a service that is open.
    pub(crate) name: String,
    /// What it allows.
    pub(crate) role: Role,
}

impl Caller {
    /// # Errors
    /// When the caller's role is less than this.
    pub(crate) fn must_be(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Forbidden,
            format!(
                "This needs the role {}; {} has the role {}.",
                role.as_str(),
                self.name,
                self.role.as_str()
            ),
        ))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller
            .ok_or_else(|| Problem::new(Kind::Unauthenticated, "Send a token: `Authorization: Bearer kv_…`."))
    }
}

/// Finds out who asks, before any handler runs.
pub(crate) fn around(inner: Router<Arc<Service>>, _service: &Arc<Service>) -> Router<Arc<Service>> {
    inner
}
