//! Who asks, and what that allows.
//!
//! A service on a loopback address may be open: whoever reaches it is the operator. Otherwise a request carries a token
//! (`Authorization: Bearer kv_…`, or the cookie that the login form sets), or comes over TLS with a client certificate
//! that the configuration names. A request without any of these still gets to the routes that need no role.

mod login;
mod site;
mod tokens;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum_server::tls::TlsInfo;
use keyvouch_store::{Role, Store};

use crate::config::{Config, Tls};
use crate::limits::{Client, Rates, is_watch};
use crate::listen::Peer;
use crate::problem::{Kind, Problem};
use crate::service::{Service, StartError};
use site::Site;
use tokens::Known;

pub(crate) use login::{inside, routes};

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

/// Where the name of the caller is left for those who only see the request go in and the answer come out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(pub(crate) Arc<OnceLock<String>>);

/// Knows those who may come in.
#[derive(Debug)]
pub(crate) struct Keeper {
    open: bool,
    site: Site,
    /// By the SHA-256 of their certificates.
    certificates: BTreeMap<String, Role>,
    known: Known,
    rates: Rates,
}

/// What a request says about who sends it.
enum Shown {
    Local(Caller),
    Token(String),
    Cookie(String),
    Certificate(Caller),
    Nothing,
}

impl Keeper {
    /// # Errors
    /// When the public address or a client certificate of the configuration is none.
    pub(crate) fn new(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            open: !config.wants_tokens(),
            site: Site::of(config)?,
            certificates: config.tls.as_ref().map_or(Ok(BTreeMap::new()), certificates)?,
            known: Known::default(),
            rates: Rates::new(&config.limits),
        })
    }

    /// Whether browsers reach the service by HTTPS only.
    pub(crate) const fn is_secure(&self) -> bool {
        self.site.is_secure()
    }

    fn shown(&self, request: &Request) -> Result<Shown, Problem> {
        if self.open {
            return Ok(Shown::Local(Caller { name: "local".to_owned(), role: Role::Admin }));
        }
        let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
        if let Some(value) = headers.next() {
            let token = value.to_str().ok().and_then(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            });
            return match (token, headers.next()) {
                (Some(token), None) => Ok(Shown::Token(token.to_owned())),
                _ => Err(Problem::new(
                    Kind::Unauthenticated,
                    "There is one way to authorize here: `Authorization: Bearer kv_…`, once.",
                )),
            };
        }
        if let Some(token) = login::token_of(request.headers(), self.is_secure()) {
            return Ok(Shown::Cookie(token));
        }
        let tls = request.extensions().get::<Arc<TlsInfo>>();
        let certificate = tls.and_then(|tls| tls.peer_certificates.first()).and_then(|der| {
            let name = hex::encode(digest::digest(&digest::SHA256, der));
            self.certificates
                .get(&name)
                .map(|role| Caller { name: format!("certificate:{name}"), role: *role })
        });
        Ok(certificate.map_or(Shown::Nothing, Shown::Certificate))
    }
}

/// The certificates that have a role, their names as this service writes them.
fn certificates(tls: &Tls) -> Result<BTreeMap<String, Role>, StartError> {
    let fault = |place: &str, why: String| StartError::Tls { file: place.to_owned(), why };
    if tls.client_roots.is_none() && (tls.client_required || !tls.client_roles.is_empty()) {
        return Err(fault(
            "tls.client_roots",
            "client certificates need the roots they come from".to_owned(),
        ));
    }
    let name = |(name, role): (&String, &Role)| {
        let bare = name.replace(':', "").to_ascii_lowercase();
        if hex::decode(&bare).is_ok_and(|digest| digest.len() == 32) {
            return Ok((bare, *role));
        }
        Err(fault(
            "tls.client_roles",
            format!("{name:?} is no SHA-256 of a certificate: write its 64 hexadecimal digits"),
        ))
    };
    tls.client_roles.iter().map(name).collect()
}

/// Finds out who asks, before any handler runs.
pub(crate) fn around(inner: Router<Arc<Service>>, service: &Arc<Service>) -> Router<Arc<Service>> {
    inner.layer(service.keeper.site.same_site()).layer(from_fn_with_state(Arc::clone(service), admit))
}

async fn admit(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let asked = Asked::of(&service.keeper, &request);
    let (caller, stale) = match service.keeper.caller(&service.store, asked).await {
        Ok(known) => known,
        Err(refused) => return *refused,
    };
    if let Some(caller) = caller {
        if let Some(seen) = request.extensions().get::<Seen>() {
            // Asked once for a request.
            let _first = seen.0.set(caller.name.clone());
        }
        request.extensions_mut().insert(caller);
    }
    let mut response = next.run(request).await;
    if stale && !response.headers().contains_key(header::SET_COOKIE) {
        response.headers_mut().insert(header::SET_COOKIE, login::no_cookie(service.keeper.is_secure()));
    }
    response
}

/// What of a request says who sends it.
struct Asked {
    shown: Result<Shown, Problem>,
    address: Client,
    counts: bool,
}

impl Asked {
    fn of(keeper: &Keeper, request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<Peer>>();
        Self {
            shown: keeper.site.check_host(request, keeper.open).and_then(|()| keeper.shown(request)),
            address: keeper.rates.address(peer.map(|ConnectInfo(Peer(address))| address.ip())),
            // Those who look whether the service lives must hear it, however many others come from their address.
            counts: !is_watch(request.uri().path()),
        }
    }
}

impl Keeper {
    /// Who asks, if the request says so; and whether it has a cookie that says so no more.
    async fn caller(&self, store: &Store, asked: Asked) -> Result<(Option<Caller>, bool), Box<Response>> {
        let no = |problem: Problem| Box::new(problem.into_response());
        let found = match asked.shown {
            Ok(Shown::Local(caller)) => return Ok((Some(caller), false)),
            Ok(Shown::Nothing) => Ok((None, false)),
            Ok(Shown::Certificate(caller)) => Ok((Some(caller), false)),
            Ok(Shown::Token(token)) => match self.known.find(store, &token).await.map_err(no)? {
                Some(caller) => Ok((Some(caller), false)),
                None => {
                    let why = "The token is unknown, or revoked, or its time is over.";
                    Err(Problem::new(Kind::Unauthenticated, why))
                }
            },
            // Not refused: who is sent away could not get to the form to log in again.
            Ok(Shown::Cookie(token)) => {
                let caller = self.known.find(store, &token).await.map_err(no)?;
                let stale = caller.is_none();
                Ok((caller, stale))
            }
            Err(problem) => Err(problem),
        };
        if asked.counts || found.is_err() {
            let caller = found.as_ref().ok().and_then(|(caller, _)| caller.as_ref());
            self.rates.check(&caller.map_or(asked.address, |caller| Client::Caller(caller.name.clone())))?;
        }
        found.map_err(no)
    }
}
