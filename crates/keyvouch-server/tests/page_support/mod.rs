//! The page as a browser gets it.

#![allow(dead_code, reason = "each test uses a part")]

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use keyvouch_emulator::Sample;
use keyvouch_server::Config;
use tower::ServiceExt as _;

use crate::support::{Node, yubikey};

pub(crate) struct Site {
    pub(crate) node: Node,
    /// Evidence that this service believes.
    pub(crate) sample: Sample,
}

impl Site {
    /// A service on a loopback address, open to whoever reaches it.
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let node = Node::with(|setup| {
            // A person is slower than a test.
            setup.config.limits.per_minute = 0;
            change(&mut setup.config);
        });
        Self { node: node.await, sample: yubikey() }
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.node.router.clone().oneshot(request).await.unwrap();
        Answer::of(response).await
    }

    /// As a browser does it.
    pub(crate) async fn get(&self, address: &str) -> Answer {
        self.ask(browser("GET", address).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, address: &str, form: &str) -> Answer {
        let request =
            browser("POST", address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Hands in a form with files.
    pub(crate) async fn hand_in(&self, parts: &[Part<'_>]) -> Answer {
        self.ask(multipart("/appraise", parts)).await
    }

    /// Hands in the evidence that is believed, and gives the address of the answer.
    pub(crate) async fn recorded(&self) -> String {
        let answer = self.hand_in(&parts(&self.sample)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.location
    }
}

pub(crate) fn browser(method: &str, address: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(address)
        .header(header::HOST, "localhost")
        .header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// A part of a form: its name, the name of its file if it is one, its bytes.
pub(crate) type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// The parts that hand in a sample.
pub(crate) fn parts(sample: &Sample) -> Vec<Part<'_>> {
    let evidence = sample.evidence.iter().map(|f| ("evidence", Some(f.name.as_str()), f.bytes.as_slice()));
    let request = sample.request.iter().map(|f| ("request", Some(f.name.as_str()), f.bytes.as_slice()));
    evidence.chain(request).collect()
}

pub(crate) fn multipart(address: &str, parts: &[Part<'_>]) -> Request<Body> {
    const BOUNDARY: &str = "----page-test";
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"").bytes());
        if let Some(file) = file {
            // As browsers write it.
            let file = file.replace('"', "%22");
            body.extend(format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream").bytes());
        }
        body.extend(b"\r\n\r\n");
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    browser("POST", address).header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let location = parts.headers.get(header::LOCATION).map(|l| l.to_str().unwrap().to_owned());
        Self {
            status: parts.status,
            location: location.unwrap_or_default(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            headers: parts.headers,
        }
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Fails unless every text is on the page.
    pub(crate) fn shows(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.text.contains(text), "no {text:?} in {}", self.text);
        }
    }
}
