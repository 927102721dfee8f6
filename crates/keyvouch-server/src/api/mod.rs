//! The API for machines: `/v1`.

mod appraisals;
mod catalogue;
mod challenges;
mod document;
mod extract;
mod health;
mod log;
mod negotiate;
mod record;
mod search;
mod signed;

use std::sync::Arc;

use axum::http::{Method, Uri};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Kind, Problem};
use crate::service::Service;

pub use document::openapi;
pub(crate) use extract::Named;
pub(crate) use negotiate::Form;
pub(crate) use record::{in_form, look_up, one_page};

/// The routes of the API, with their description.
pub(crate) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(document::Head::openapi())
        .routes(routes!(appraisals::appraise, search::search))
        .routes(routes!(record::record))
        .routes(routes!(record::evidence))
        .routes(routes!(record::file))
        .routes(routes!(record::bundle))
        .routes(routes!(record::proof))
        .routes(routes!(challenges::challenge))
        .routes(routes!(catalogue::formats))
        .routes(routes!(catalogue::format))
        .routes(routes!(catalogue::policies))
        .routes(routes!(catalogue::policy))
        .routes(routes!(catalogue::anchors))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::key))
        .routes(routes!(log::jwks))
        .routes(routes!(document::description))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
}

/// The answer where there is nothing.
pub(crate) async fn nothing_here(uri: Uri) -> Problem {
    Problem::new(
        Kind::NotFound,
        format!("There is nothing at {}; GET /v1/openapi.json says what there is.", uri.path()),
    )
}

/// The answer to a method that is none of the resource. The header `Allow` names those that are.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        Kind::Method,
        format!("{} takes no {method}; the header Allow names what it takes.", uri.path()),
    )
}
