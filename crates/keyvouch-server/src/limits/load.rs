//! How much the service carries at once: requests, bytes of their bodies, and time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::Semaphore;

use super::is_watch;
use crate::config::Limits;
use crate::measure;
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// How many bodies of the greatest size are held at once. As most are small, many more requests are.
const GREATEST_BODIES: usize = 32;

/// What the service carries.
#[derive(Debug)]
pub(crate) struct Load {
    /// Requests that may come in.
    places: Semaphore,
    /// Bytes of bodies that may come in.
    room: Arc<AtomicUsize>,
}

impl Load {
    /// Requests are in work (`at_once`) or wait.
    pub(crate) fn new(limits: &Limits, at_once: usize) -> Self {
        let places = limits.waiting.saturating_add(at_once).min(Semaphore::MAX_PERMITS);
        let room = limits.request_bytes.saturating_mul(GREATEST_BODIES);
        Self { places: Semaphore::new(places), room: Arc::new(AtomicUsize::new(room)) }
    }
}

/// Refuses bodies that are compressed: none is larger than what came over the wire.
pub(super) async fn no_coding(request: Request, next: Next) -> Response {
    let coded = |value: &axum::http::HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if request.headers().get_all(header::CONTENT_ENCODING).iter().any(coded) {
        let why = "Send the body as it is, without `Content-Encoding`. Evidence files may be compressed themselves.";
        return Problem::new(Kind::MediaType, why).into_response();
    }
    next.run(request).await
}

/// Lets a request in when there is a place for it, and watches the measure of its body and its time.
pub(super) async fn carry(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    if is_watch(request.uri().path()) {
        return next.run(request).await;
    }
    let limits = &service.config.limits;
    let Ok(_place) = service.load.places.try_acquire() else {
        measure::shed("places");
        return Problem::new(Kind::Unavailable, "Too many requests wait already. Send it again later.")
            .into_response();
    };
    if length(request.headers()).is_some_and(|length| length > limits.request_bytes) {
        return Fault::Large.problem(limits).into_response();
    }
    let taken = Arc::new(Taken {
        limit: limits.request_bytes,
        room: Arc::clone(&service.load.room),
        bytes: AtomicUsize::new(0),
        fault: AtomicU8::new(0),
        ended: AtomicBool::new(false),
    });
    let request = request.map(|body| {
        taken.ended.store(body.is_end_stream(), Ordering::Relaxed);
        Body::new(Measured { body, taken: Arc::clone(&taken) })
    });
    let answer =
        tokio::time::timeout(Duration::from_secs(limits.request_seconds.max(1)), next.run(request)).await;
    // Whatever the handler made of a body that broke off: this is why it did.
    match (taken.fault(), answer) {
        (Some(fault), _) => fault.problem(limits).into_response(),
        (None, Ok(response)) => response,
        (None, Err(_)) if taken.ended.load(Ordering::Relaxed) => Fault::Late.problem(limits).into_response(),
        (None, Err(_)) => Fault::Slow.problem(limits).into_response(),
    }
}

/// What the head of the request says about its length.
fn length(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    Some(text.parse().unwrap_or(usize::MAX))
}

/// Why a request is not carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Large,
    Full,
    Slow,
    Late,
}

impl Fault {
    fn problem(self, limits: &Limits) -> Problem {
        match self {
            Self::Large => Problem::new(
                Kind::TooLarge,
                format!("A request may have {} bytes. Send fewer files at once.", limits.request_bytes),
            ),
            Self::Full => {
                measure::shed("bytes");
                Problem::new(Kind::Unavailable, "Too much is coming in at once. Send it again later.")
            }
            Self::Slow => Problem::new(
                Kind::TooSlow,
                format!("The request did not come in within {} s.", limits.request_seconds),
            ),
            Self::Late => {
                measure::shed("time");
                let seconds = limits.request_seconds;
                let why = format!(
                    "There was no answer within {seconds} s. Whether something was recorded is not known; \
                     it does no harm to send the request again later."
                );
                Problem::new(Kind::Unavailable, why)
            }
        }
    }
}

/// What one request has taken of the room. Given back when the request is over.
#[derive(Debug)]
struct Taken {
    limit: usize,
    room: Arc<AtomicUsize>,
    bytes: AtomicUsize,
    fault: AtomicU8,
    ended: AtomicBool,
}

impl Taken {
    fn take(&self, bytes: usize) -> Result<(), Fault> {
        let before = self.bytes.load(Ordering::Relaxed);
        let after = before.saturating_add(bytes);
        if after > self.limit {
            return Err(Fault::Large);
        }
        let take = |room: usize| room.checked_sub(bytes);
        if self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return Err(Fault::Full);
        }
        // One task reads the body.
        self.bytes.store(after, Ordering::Relaxed);
        Ok(())
    }

    fn fail(&self, fault: Fault) {
        let code = if fault == Fault::Large { 1 } else { 2 };
        self.fault.store(code, Ordering::Relaxed);
    }

    fn fault(&self) -> Option<Fault> {
        match self.fault.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Fault::Large),
            _ => Some(Fault::Full),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.fetch_add(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// A body that breaks off when it is too large.
struct Measured {
    body: Body,
    taken: Arc<Taken>,
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let taken = &self.taken;
        Poll::Ready(match frame {
            Some(Ok(frame)) => match taken.take(frame.data_ref().map_or(0, Bytes::len)) {
                Ok(()) => {
                    taken.ended.store(self.body.is_end_stream(), Ordering::Relaxed);
                    Some(Ok(frame))
                }
                Err(fault) => {
                    taken.fail(fault);
                    Some(Err("the body is larger than there is room for".into()))
                }
            },
            Some(Err(why)) => Some(Err(why.into())),
            None => {
                taken.ended.store(true, Ordering::Relaxed);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
