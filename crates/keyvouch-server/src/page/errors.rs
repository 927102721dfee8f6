//! Problems as people read them.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::layout::{Place, page};
use super::login;
use crate::problem::Problem;

/// Gives browsers a page where machines get a problem document, and asks for a token where there is none.
pub(crate) async fn for_people(request: Request, next: Next) -> Response {
    let people = wants_html(request.headers()) && !is_for_machines(request.uri().path());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>().filter(|_| people).cloned() else {
        return response;
    };
    let status = problem.status();
    if status == StatusCode::UNAUTHORIZED && uri.path() != login::ADDRESS {
        // What was posted is not asked for again: its form is.
        let wanted =
            if method == Method::GET { uri.path_and_query().map_or("/", |p| p.as_str()) } else { "/" };
        return Redirect::to(&login::address(wanted)).into_response();
    }
    // All that is around the answer stays: limits, cookies, security.
    let (mut parts, _) = response.into_parts();
    for name in
        [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::REFERRER_POLICY]
    {
        parts.headers.remove(name);
    }
    (parts.headers, shown(&problem).with(status)).into_response()
}

fn shown(problem: &Problem) -> super::layout::Page {
    let contents = html! {
        h1 { (problem.title()) }
        p.lead { (super::text::clean(problem.detail())) }
        p { a.button href="/" { "Hand in evidence" } " " a.button.quiet href="/about" { "About this service" } }
        p.small { "Status " (problem.status().as_u16()) "." }
    };
    page(Place::Elsewhere, problem.title(), &contents)
}

fn is_for_machines(path: &str) -> bool {
    ["/v1/", "/healthz", "/readyz", "/metrics", "/.well-known/"].iter().any(|begin| path.starts_with(begin))
}

/// Whether the client asks for HTML by name: a browser does, and hardly anything else.
fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let mut parts = kind.split(';').map(str::trim);
        let is_html = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
        is_html && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}
