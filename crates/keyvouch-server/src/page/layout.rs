//! What is around every page.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::assets;

/// The places of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Appraise,
    Record,
    Devices,
    Samples,
    About,
    Elsewhere,
}

const PLACES: [(Place, &str, &str); 5] = [
    (Place::Appraise, "/", "Appraise"),
    (Place::Record, "/appraisals", "Record"),
    (Place::Devices, "/devices", "Devices"),
    (Place::Samples, "/samples", "Samples"),
    (Place::About, "/about", "About"),
];

/// A page that was made.
pub(crate) struct Page {
    status: StatusCode,
    html: String,
}

/// A page with this title and these contents.
pub(super) fn page(place: Place, title: &str, contents: &Markup) -> Page {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – keyvouch" }
                link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
                link rel="stylesheet" href=(assets::address("style.css"));
                script src=(assets::address("script.js")) defer {}
            }
            body {
                a.skip href="#main" { "Skip to the contents" }
                header.top {
                    div.bar {
                        a.brand href="/" {
                            img src=(assets::address("icon.svg")) alt="" width="28" height="28";
                            span { "keyvouch" }
                        }
                        nav aria-label="Main" {
                            ul {
                                @for (each, address, name) in PLACES {
                                    li { a href=(address) aria-current=[(each == place).then_some("page")] { (name) } }
                                }
                            }
                        }
                    }
                }
                main #main tabindex="-1" { (contents) }
                footer.bottom {
                    div.bar {
                        p { "keyvouch " (env!("CARGO_PKG_VERSION")) ": was this key made in hardware, and does it stay there?" }
                        p { a href="/about" { "How to check what it says" } " · " a href="/login" { "Sign in or out" } }
                    }
                }
            }
        }
    };
    Page { status: StatusCode::OK, html: page.into_string() }
}

impl Page {
    /// The same with another status.
    pub(super) fn with(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            // Browsers that do not say `Sec-Fetch-Site` must be able to say where a form comes from: to this site only.
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        ];
        (self.status, headers, self.html).into_response()
    }
}
