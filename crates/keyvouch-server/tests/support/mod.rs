//! A service to try things with, and the promise that whatever it answers is what its description says.

#![allow(dead_code, reason = "every test binary uses its own part")]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt as _;
use keyvouch::{File, Options};
use keyvouch_emulator::Sample;
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::log::LogKey;
use keyvouch_results::{Algorithm, SigningKey};
use keyvouch_server::config::Access;
use keyvouch_server::{Config, Judging, Service, Setup};
use keyvouch_store::Role;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A sample of the emulator: the same one in every test of a process.
pub(crate) fn sample(format: &'static str, number: usize) -> Sample {
    static MINTED: Mutex<BTreeMap<&str, Vec<Sample>>> = Mutex::new(BTreeMap::new());
    let mut minted = MINTED.lock().unwrap();
    let samples = minted.entry(format).or_insert_with(|| keyvouch_emulator::samples(format).unwrap());
    samples[number].clone()
}

/// The YubiKey that most tests hand in.
pub(crate) fn yubikey() -> Sample {
    sample("yubikey-piv", 0)
}

/// A running service with a folder and a database of its own. Whoever reaches it may do everything; it trusts the
/// emulator's YubiKeys, and clients may say at which time to judge.
pub(crate) struct Node {
    pub(crate) service: Arc<Service>,
    pub(crate) router: Router,
    pub(crate) log_key: String,
    pub(crate) result_key: Value,
    /// Kept as long as the node.
    pub(crate) folder: Arc<TempDir>,
}

impl Node {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        Self::in_folder(Arc::new(tempfile::tempdir().unwrap()), change).await
    }

    /// One that keeps its record where another node has it.
    pub(crate) async fn in_folder(folder: Arc<TempDir>, change: impl FnOnce(&mut Setup)) -> Self {
        static KEYS: OnceLock<(String, String)> = OnceLock::new();
        let (log_key, result_key) = KEYS.get_or_init(|| {
            let result = SigningKey::generate(Algorithm::Es256).unwrap();
            (LogKey::generate("keyvouch.example/log").unwrap().1, result.to_pkcs8_pem().unwrap())
        });
        let mut config =
            Config { folder: folder.path().to_owned(), access: Access::Open, ..Config::default() };
        config.clients.time = true;
        let mut setup = Setup {
            config,
            judging: Judging {
                operator_data: anchors(&yubikey()),
                default_anchors: true,
                options: Options::default(),
                policies: Policy::builtin_names().iter().map(|name| Policy::builtin(name).unwrap()).collect(),
                settings: Settings::default(),
            },
            log_key: LogKey::read(log_key).unwrap(),
            result_key: SigningKey::read(result_key.as_bytes()).unwrap(),
            former_results: Vec::new(),
        };
        change(&mut setup);
        let (log_key, result_key) = (setup.log_key.public().to_owned(), setup.result_key.public_jwk());
        let service = Service::open(setup).await.unwrap();
        let router = keyvouch_server::router(Arc::clone(&service));
        Self { service, router, log_key, result_key, folder }
    }

    /// A node that only bearers of tokens may use.
    pub(crate) async fn guarded() -> Self {
        Self::with(|setup| setup.config.access = Access::Tokens).await
    }

    /// A new token of the role, as the value of the header.
    pub(crate) async fn token(&self, name: &str, role: Role) -> String {
        let token = self.service.store().create_token(name, role, 0, None).await.unwrap();
        format!("Bearer {}", token.secret)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send(Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body)).await
    }

    /// Sends a request, and sees to it that the answer is what the description of the API says.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().as_str().to_lowercase(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        let answer = Answer { status, headers, body };
        is_described(&method, &path, &answer);
        answer
    }
}

pub(crate) fn post(path: &str, body: &Value) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The JSON of an answer of this status.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }

    /// Sees to it that it is this problem, and that its text says these words.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, words: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail:?} does not say {words:?}");
        assert!(problem["type"].as_str().unwrap().starts_with("urn:keyvouch:problem:"));
    }
}

/// The operator data that a sample needs.
pub(crate) fn anchors(sample: &Sample) -> Vec<File> {
    sample.anchors.iter().map(|file| File::new(&file.name, file.bytes.clone())).collect()
}

/// A file as JSON has it.
pub(crate) fn file(file: &keyvouch_emulator::File) -> Value {
    json!({"name": file.name, "content": BASE64_STANDARD.encode(&file.bytes)})
}

/// The request that hands a sample in, as of the sample's own time.
pub(crate) fn asking(sample: &Sample) -> Value {
    json!({
        "evidence": sample.evidence.iter().map(file).collect::<Value>(),
        "request": sample.request.as_ref().map(file),
        "at": sample.at,
    })
}

/// The description of the API.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(keyvouch_server::openapi);

/// The path of the description that an address belongs to.
pub(crate) fn template_of(path: &str) -> Option<&'static str> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fits = |template: &str| {
        let (a, b): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| *a == b || (a.starts_with('{') && !b.is_empty()))
    };
    // Those without a placeholder are before those with one.
    let exact = paths.keys().find(|template| *template == path);
    exact.or_else(|| paths.keys().find(|template| fits(template))).map(String::as_str)
}

/// Sees to it that the answer is one that the description has.
#[track_caller]
fn is_described(method: &str, path: &str, answer: &Answer) {
    let Some(template) = template_of(path) else { return };
    let operation = &DOCUMENT["paths"][template][method];
    if operation.is_null() {
        return assert!(
            method == "head" || answer.status == StatusCode::METHOD_NOT_ALLOWED,
            "{method} {template} is not described"
        );
    }
    let described = &operation["responses"][answer.status.as_str()];
    assert!(
        described.is_object(),
        "{method} {template}: {} is not described: {}",
        answer.status,
        answer.text()
    );
    let media_type = answer.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default();
    let content = &described["content"][media_type];
    assert!(content.is_object(), "{method} {template}: {media_type:?} is not described");
    if media_type.ends_with("json") {
        let mut schema = content["schema"].clone();
        schema["components"] = DOCUMENT["components"].clone();
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let body = answer.json();
        let faults: Vec<String> =
            schema.iter_errors(&body).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{method} {template}: {}", faults.join("\n"));
    }
    for name in described["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        assert!(name == "Link" || answer.headers.contains_key(name.as_str()), "{template}: no {name}");
    }
}

/// Runs a test.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}

/// A form with files.
#[derive(Default)]
pub(crate) struct Form(Vec<u8>);

const BOUNDARY: &str = "a-boundary-of-a-test";

impl Form {
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        self.0.extend([head.as_bytes(), value.as_bytes(), b"\r\n"].concat());
        self
    }

    pub(crate) fn file(mut self, name: &str, file_name: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        self.0.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        self
    }

    /// The sample, with its time.
    pub(crate) fn of(sample: &Sample) -> Self {
        let mut form = Self::default().field("at", &sample.at);
        for file in &sample.evidence {
            form = form.file("evidence", &file.name, &file.bytes);
        }
        match &sample.request {
            Some(file) => form.file("request", &file.name, &file.bytes),
            None => form,
        }
    }

    pub(crate) fn request(mut self, path: &str) -> Request<Body> {
        self.0.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        Request::post(path).header(header::CONTENT_TYPE, media_type).body(Body::from(self.0)).unwrap()
    }
}
