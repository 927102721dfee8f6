//! The style sheet, the script and the icon.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::extract::RawQuery;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::api::Named;
use crate::problem::{Kind, Problem};

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset { name: "style.css", kind: "text/css; charset=utf-8", text: include_str!("assets/style.css") },
    Asset {
        name: "script.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("assets/script.js"),
    },
    Asset { name: "icon.svg", kind: "image/svg+xml", text: include_str!("assets/icon.svg") },
];

/// What tells one version of an asset from the next.
static VERSIONS: LazyLock<[String; 3]> = LazyLock::new(|| {
    ASSETS.map(|asset| {
        let mut hash = hex::encode(digest::digest(&digest::SHA256, asset.text.as_bytes()));
        hash.truncate(12);
        hash
    })
});

/// The address of an asset. It changes with the content, so that browsers may keep what they have.
pub(super) fn address(name: &str) -> String {
    let version = version(name).unwrap_or_default();
    format!("/assets/{name}?v={version}")
}

fn version(name: &str) -> Option<&'static str> {
    let place = ASSETS.iter().position(|asset| asset.name == name)?;
    VERSIONS.get(place).map(String::as_str)
}

/// An asset.
pub(super) async fn file(Named(name): Named<String>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::new(Kind::NotFound, "There is no such file."))?;
    let asked = query.as_deref().and_then(|query| query.strip_prefix("v="));
    // Whoever asks without the version, or for another, must ask again.
    let keep = if asked == version(asset.name) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
    ];
    Ok((headers, asset.text).into_response())
}
