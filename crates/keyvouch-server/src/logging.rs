//! What the service tells about itself, on standard error.
//!
//! One line for each request: what was asked, by whom, what the answer was, and how long it took. Never a body, a header
//! or a query: they may hold evidence, tokens and serial numbers.

use std::io::IsTerminal as _;
use std::time::Instant;

use aws_lc_rs::rand;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use crate::auth::Seen;
use crate::config::{ConfigError, Log, LogFormat};
use crate::limits::is_watch;
use crate::measure;

/// The header that names a request in the answer, as the log does.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// More of a path is not logged.
const LONGEST_PATH: usize = 256;

/// Starts to log, for the whole process.
///
/// # Errors
/// When the level is none, or the process logs already.
pub fn init(log: &Log) -> Result<(), ConfigError> {
    let fault = |why: String| ConfigError::Setting { place: "log.level".to_owned(), why };
    let filter =
        EnvFilter::try_new(directives(&log.level).map_err(fault)?).map_err(|e| fault(e.to_string()))?;
    let to = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => to.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => to.json().flatten_event(true).with_span_list(false).try_init(),
    };
    started.map_err(|e| ConfigError::Setting { place: "log".to_owned(), why: e.to_string() })?;
    // What a panic says may be evidence; where it happened is enough to mend it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault in the code");
    }));
    Ok(())
}

/// A level alone is that of keyvouch. What it is built on tells more than one wants to know at `debug`, so that stays at
/// `info` unless directives say otherwise.
fn directives(level: &str) -> Result<String, String> {
    if level.contains(['=', ',']) {
        return Ok(level.to_owned());
    }
    // A word that is no level would be the name of a module, and everything else would be silent.
    let known: LevelFilter = match level.to_ascii_lowercase().as_str() {
        "off" | "error" | "warn" | "info" | "debug" | "trace" => level.parse().map_err(|_| level.to_owned()),
        _ => Err(level.to_owned()),
    }
    .map_err(|level| format!("{level:?} is no level: write off, error, warn, info, debug or trace"))?;
    let others = known.min(LevelFilter::INFO);
    Ok(format!("{others},keyvouch={known}"))
}

/// Names a request, and tells how it went.
pub(crate) async fn watch(mut request: Request, next: Next) -> Response {
    let id = request_id();
    let began = Instant::now();
    let method = measure::method(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // What is no route of the service may be anything, also a secret in the wrong place.
    let path = route.as_ref().map_or("", |_| request.uri().path());
    let path = path.get(..LONGEST_PATH).unwrap_or(path).to_owned();
    let quiet = is_watch(request.uri().path());
    let seen = Seen::default();
    request.extensions_mut().insert(seen.clone());
    let span = tracing::info_span!("request", id);
    let running = measure::Running::new();
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(running);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    measure::answered(method, route.as_deref(), status, took);
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let caller = seen.0.get().map_or("-", String::as_str);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| match status {
        500.. => tracing::warn!(method, path, status, ms, caller, "answered"),
        _ if quiet => tracing::debug!(method, path, status, ms, caller, "answered"),
        _ => tracing::info!(method, path, status, ms, caller, "answered"),
    });
    response
}

/// A name for a request. Those of clients are not taken: they could name others' requests.
fn request_id() -> String {
    let mut random = [0; 8];
    // Only a name: without random bytes it names less.
    let _known = rand::fill(&mut random);
    hex::encode(random)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_that_of_keyvouch() {
        assert_eq!(directives("debug").unwrap(), "info,keyvouch=debug");
        assert_eq!(directives("ERROR").unwrap(), "error,keyvouch=error");
        assert_eq!(directives("warn,sqlx=debug").unwrap(), "warn,sqlx=debug");
        assert!(directives("verbose").unwrap_err().contains("debug"));
    }
}
