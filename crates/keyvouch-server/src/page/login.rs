//! Where a token is asked for.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use maud::html;

use super::layout::{Page, Place, page};
use super::query::{self, parameter};
use crate::auth::inside;
use crate::service::Service;

/// Where it is asked for.
pub(super) const ADDRESS: &str = "/login";

/// The form that leads on to `wanted`.
pub(super) fn address(wanted: &str) -> String {
    query::address(ADDRESS, [("next", wanted)])
}

/// The form. Whether the token is in force is found out by whom it is posted to.
pub(super) async fn show(State(service): State<Arc<Service>>, RawQuery(query): RawQuery) -> Page {
    let query = query.unwrap_or_default();
    let next = parameter(&query, "next").unwrap_or_default();
    let next = inside(&next);
    let failed = parameter(&query, "failed").is_some();
    let contents = html! {
        h1 { "Sign in" }
        @if !service.config.wants_tokens() {
            p.lead { "This service is open to whoever reaches it: no token is needed." }
            p { a.button href="/" { "Hand in evidence" } }
        } @else {
            @if failed {
                div.problem role="alert" { p { strong { "That token is not in force." } " It may have ended or been revoked; ask whoever runs this service for another." } }
            }
            p.lead { "This service wants to know who asks. Its operator gives out tokens; they begin with " code { "kv_" } "." }
            form.narrow method="post" action=(ADDRESS) {
                input type="hidden" name="next" value=(next);
                div.field {
                    label for="token" { "Token" }
                    input #token type="password" name="token" autocomplete="current-password" required spellcheck="false";
                }
                button type="submit" { "Sign in" }
            }
            form.narrow method="post" action="/logout" {
                button.plain type="submit" { "Sign out of this browser" }
            }
        }
    };
    page(Place::Elsewhere, "Sign in", &contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_one_parameter() {
        assert_eq!(address("/appraisals?a=1&b=ä"), "/login?next=%2Fappraisals%3Fa%3D1%26b%3D%C3%A4");
    }
}
