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
pub(crate) fn around(inner: Router<Arc<Service>>, service: &Arc<Service>) -> Router<Arc<Service>> {
    inner.layer(axum::middleware::from_fn_with_state(Arc::clone(service), find_out))
}

async fn find_out(
    axum::extract::State(service): axum::extract::State<Arc<Service>>,
    mut request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Result<axum::response::Response, Problem> {
    if !service.config.wants_tokens() {
        request.extensions_mut().insert(Caller { name: "local".to_owned(), role: Role::Admin });
        return Ok(next.run(request).await);
    }
    let secret = request.headers().get(axum::http::header::AUTHORIZATION);
    let secret = secret.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if let Some(secret) = secret {
        let token = service.store.authenticate(secret, crate::service::now_ms()?).await?;
        let Some(token) = token else {
            return Err(Problem::new(Kind::Unauthenticated, "The token is not in force."));
        };
        request.extensions_mut().insert(Caller { name: token.name, role: token.role });
    }
    Ok(next.run(request).await)
}
