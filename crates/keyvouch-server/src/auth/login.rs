//! Tokens for browsers: the login form, and the cookie that it sets.
//!
//! The cookie holds the token, so that the service keeps no sessions and a revoked token ends them all. No script can
//! read it, and no browser sends it with a request that another site's page made.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Form, Router};
use serde::Deserialize;

use crate::problem::{Kind, Problem, sentence};
use crate::service::Service;

/// How long a browser keeps the cookie: a working day, in seconds.
const KEPT: u32 = 12 * 60 * 60;
/// Where the form is.
const FORM: &str = "/login";

/// The name of the cookie. With the prefix browsers take it only over TLS and from this host.
const fn name(secure: bool) -> &'static str {
    if secure { "__Host-keyvouch" } else { "keyvouch" }
}

fn cookie(value: &str, seconds: u32, secure: bool) -> String {
    let only = if secure { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{only}", name(secure))
}

/// What makes a browser forget the cookie.
pub(super) fn no_cookie(secure: bool) -> HeaderValue {
    let text = cookie("", 0, secure);
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("keyvouch=; Path=/; Max-Age=0"))
}

/// The token in the cookie.
pub(super) fn token_of(headers: &HeaderMap, secure: bool) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(n, value)| *n == name(secure) && !value.is_empty()).map(|(_, value)| value.to_owned())
}

/// The routes of the form; the form itself is a page.
pub(crate) fn routes() -> Router<Arc<Service>> {
    Router::new().route(FORM, post(login)).route("/logout", post(logout))
}

#[derive(Deserialize)]
struct Login {
    token: String,
    /// Where to go then.
    #[serde(default)]
    next: String,
}

async fn login(
    State(service): State<Arc<Service>>,
    form: Result<Form<Login>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(login) = form.map_err(|why| Problem::new(Kind::Malformed, sentence(&why)))?;
    let (keeper, token) = (&service.keeper, login.token.trim());
    let next = inside(&login.next);
    if keeper.open {
        return Ok(go(next, None));
    }
    let Some(caller) = keeper.known.find(&service.store, token).await? else {
        tracing::warn!("a login with a token that is not in force");
        return Ok(go(&format!("{FORM}?failed=1&next={}", encoded(next)), None));
    };
    tracing::info!(caller = caller.name, role = caller.role.as_str(), "logged in");
    let cookie = cookie(token, KEPT, keeper.is_secure());
    // A token that was found is text that a header can have.
    let cookie = HeaderValue::try_from(cookie).map_err(|e| Problem::internal(&e))?;
    Ok(go(next, Some(cookie)))
}

async fn logout(State(service): State<Arc<Service>>) -> Response {
    go("/", Some(no_cookie(service.keeper.is_secure())))
}

/// Text as the value of a parameter.
fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn go(to: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = HeaderValue::try_from(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, to);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The place, when it is one of this service; otherwise the first page. `//host` and `/\host` are other services.
pub(crate) fn inside(place: &str) -> &str {
    let bare = place.strip_prefix('/').filter(|rest| !rest.starts_with(['/', '\\']));
    let plain = place.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if bare.is_some() && plain && place.len() <= 2_048 { place } else { "/" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_no_other_service() {
        for (place, to) in [
            ("/records?format=tpm", "/records?format=tpm"),
            ("", "/"),
            ("records", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
            ("javascript:x", "/"),
            ("\\/", "/"),
            ("/a\\b", "/"),
        ] {
            assert_eq!(inside(place), to, "{place:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(text));
            headers
        };
        let found = |text, secure| token_of(&headers(text), secure);
        assert_eq!(found("a=b; keyvouch=kv_1; c=d", false).as_deref(), Some("kv_1"));
        assert_eq!(found("__Host-keyvouch=kv_2", true).as_deref(), Some("kv_2"));
        assert_eq!(found("keyvouch=kv_1", true), None, "one that anybody on the way could have set");
        assert_eq!(found("xkeyvouch=kv_1; keyvouch=", false), None);
    }
}
