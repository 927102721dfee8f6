//! A service on a port of its own, and clients that are not browsers.

#![allow(dead_code, reason = "every test binary uses its own part")]

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyvouch::Options;
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::log::LogKey;
use keyvouch_results::{Algorithm, SigningKey};
use keyvouch_server::config::Access;
use keyvouch_server::{Config, Judging, Service, Setup, StartError, serve_on};
use keyvouch_store::Role;
use reqwest::redirect;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// No answer takes longer, except where a test waits for more.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that runs.
pub(crate) struct Served {
    pub(crate) service: Arc<Service>,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), StartError>>,
    dir: tempfile::TempDir,
}

impl Served {
    /// A service that wants tokens; without rates, as its clients all come from one address.
    pub(crate) async fn with_tokens(change: impl FnOnce(&mut Config)) -> Self {
        Self::start(|config| {
            config.access = Access::Tokens;
            change(config);
        })
        .await
    }

    pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config { folder: dir.path().to_owned(), ..Config::default() };
        config.limits.per_minute = 0;
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let service = Service::open(setup(config)).await.unwrap();
        let (stop, told) = oneshot::channel();
        let running = tokio::spawn(serve_on(Arc::clone(&service), listener, async {
            let _told = told.await;
        }));
        Self { service, address, stop: Some(stop), running, dir }
    }

    /// The file of its record.
    pub(crate) fn record(&self) -> PathBuf {
        self.dir.path().join("record.db")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The secret of a new token.
    pub(crate) async fn token(&self, role: Role) -> String {
        self.token_until(role, None).await
    }

    pub(crate) async fn token_until(&self, role: Role, expires_at: Option<i64>) -> String {
        let name = format!("a {}", role.as_str());
        self.service.store().create_token(&name, role, now_ms(), expires_at).await.unwrap().secret
    }

    /// Tells the service to stop, without waiting.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(&mut self) {
        tokio::time::timeout(PATIENCE, &mut self.running).await.unwrap().unwrap().unwrap();
    }
}

/// What a service is made of when only its doors are tried.
pub(crate) fn setup(config: Config) -> Setup {
    Setup {
        config,
        judging: Judging {
            operator_data: Vec::new(),
            default_anchors: true,
            options: Options::default(),
            policies: vec![Policy::builtin("hardware-key").unwrap()],
            settings: Settings::default(),
        },
        log_key: LogKey::generate("log.example").unwrap().0,
        result_key: SigningKey::generate(Algorithm::EdDsa).unwrap(),
        former_results: Vec::new(),
    }
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// What hands in a sample, as JSON.
pub(crate) fn asking(sample: &keyvouch_emulator::Sample) -> serde_json::Value {
    let file = |file: &keyvouch_emulator::File| {
        let content = BASE64_STANDARD.encode(&file.bytes);
        serde_json::json!({ "name": file.name, "content": content })
    };
    let evidence: Vec<_> = sample.evidence.iter().map(file).collect();
    serde_json::json!({ "evidence": evidence, "request": sample.request.as_ref().map(file) })
}

/// A client that follows nothing, so that what is answered is seen.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE).build().unwrap()
}

/// Sends the bytes as they are, and reads until the other end closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    read_to_end(&mut stream).await
}

/// What comes until the other end closes.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A reset after the answer ends it too.
    let _end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it closes");
    String::from_utf8_lossy(&all).into_owned()
}

/// The status line of an answer.
pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// The problem document that the answer is.
pub(crate) async fn problem(answer: reqwest::Response) -> serde_json::Value {
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(kind, "application/problem+json");
    let status = answer.status().as_u16();
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["status"], status);
    problem
}
