//! TLS, client certificates, and the service as a process: its log, its signals.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]
#![allow(dead_code, reason = "not every test needs all of the support")]

#[path = "support/served.rs"]
mod served;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use keyvouch_server::config::{Access, Log, LogFormat, Tls};
use keyvouch_server::{Config, Service, logging};
use keyvouch_store::Role;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use reqwest::{Certificate, Identity, Version, header, tls};
use served::{Served, client, problem, read_to_end, setup};
use tokio::net::TcpStream;

/// Who signs certificates.
struct Root(CertifiedIssuer<'static, KeyPair>);

impl Root {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate and its key as PEM, and the SHA-256 of the certificate.
    fn issue(&self, purpose: ExtendedKeyUsagePurpose) -> Issued {
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages.push(purpose);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let sha256 = hex::encode(digest::digest(&digest::SHA256, certificate.der()));
        Issued { certificate: certificate.pem(), key: key.serialize_pem(), sha256 }
    }

    fn client(&self) -> Issued {
        self.issue(ExtendedKeyUsagePurpose::ClientAuth)
    }
}

struct Issued {
    certificate: String,
    key: String,
    sha256: String,
}

impl Issued {
    fn identity(&self) -> Identity {
        Identity::from_pem(format!("{}{}", self.certificate, self.key).as_bytes()).unwrap()
    }
}

/// The files of a service that speaks TLS.
struct Files {
    dir: tempfile::TempDir,
    root: Root,
}

impl Files {
    fn new() -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap(), root: Root::new() };
        files.renew(&files.root);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn renew(&self, root: &Root) {
        let issued = root.issue(ExtendedKeyUsagePurpose::ServerAuth);
        fs::write(self.path("certificate.pem"), issued.certificate).unwrap();
        fs::write(self.path("key.pem"), issued.key).unwrap();
    }

    fn tls(&self) -> Tls {
        Tls {
            certificate: self.path("certificate.pem"),
            key: self.path("key.pem"),
            client_roots: None,
            client_required: false,
            client_roles: std::collections::BTreeMap::new(),
        }
    }

    fn with_clients(&self, roots: &Root, roles: &[(&Issued, Role)]) -> Tls {
        fs::write(self.path("roots.pem"), roots.pem()).unwrap();
        Tls {
            client_roots: Some(self.path("roots.pem")),
            client_roles: roles.iter().map(|(issued, role)| (issued.sha256.to_uppercase(), *role)).collect(),
            ..self.tls()
        }
    }
}

async fn serve_tls(tls: Tls) -> Served {
    Served::with_tokens(|config| config.tls = Some(tls)).await
}

fn https(served: &Served, path: &str) -> String {
    format!("https://{}{path}", served.address)
}

/// A client that trusts this root and no other.
fn trusting(root: &Root) -> reqwest::ClientBuilder {
    let root = Certificate::from_pem(root.pem().as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([root])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_stay_with_https() {
    let files = Files::new();
    let served = serve_tls(files.tls()).await;
    let token = served.token(Role::Read).await;
    let client = trusting(&files.root).build().unwrap();
    let login = client
        .post(https(&served, "/login"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = login.body(format!("token={token}")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (303, Version::HTTP_2));
    assert!(answer.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-keyvouch=kv_") && cookie.ends_with("; Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let read = client.get(https(&served, "/metrics")).header(header::COOKIE, pair).send().await.unwrap();
    assert_eq!(read.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_of_tls() {
    let files = Files::new();
    let served = serve_tls(files.tls()).await;
    for version in [tls::Version::TLS_1_2, tls::Version::TLS_1_3] {
        let client = trusting(&files.root).tls_version_min(version).tls_version_max(version).http1_only();
        let answer = client.build().unwrap().get(https(&served, "/metrics")).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (401, Version::HTTP_11), "{version:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_has_the_role_that_the_configuration_gives_it() {
    let (files, roots) = (Files::new(), Root::new());
    let [reader, submitter, unlisted] = [roots.client(), roots.client(), roots.client()];
    let tls = files.with_clients(&roots, &[(&reader, Role::Read), (&submitter, Role::Submit)]);
    let served = serve_tls(tls).await;
    let token = served.token(Role::Admin).await;
    let numbers = async |identity: Option<&Issued>, token: Option<&str>| {
        let client = trusting(&files.root);
        let client = match identity {
            Some(issued) => client.identity(issued.identity()),
            None => client,
        };
        let mut request = client.build().unwrap().get(https(&served, "/metrics"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await
    };
    assert_eq!(numbers(Some(&reader), None).await.unwrap().status(), 200);
    assert_eq!(numbers(Some(&unlisted), None).await.unwrap().status(), 401);
    assert_eq!(numbers(None, None).await.unwrap().status(), 401);
    let forbidden = numbers(Some(&submitter), None).await.unwrap();
    assert_eq!(forbidden.status(), 403);
    let problem = problem(forbidden).await;
    assert!(problem["detail"].as_str().unwrap().contains(&format!("certificate:{}", submitter.sha256)));
    assert_eq!(numbers(Some(&submitter), Some(&token)).await.unwrap().status(), 200, "a token goes first");
    assert_eq!(numbers(Some(&reader), Some("kv_wrong")).await.unwrap().status(), 401);
    assert!(numbers(Some(&Root::new().client()), Some(&token)).await.is_err(), "of another root");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_without_a_certificate_that_is_required() {
    let (files, roots) = (Files::new(), Root::new());
    let listed = roots.client();
    let tls = Tls { client_required: true, ..files.with_clients(&roots, &[(&listed, Role::Read)]) };
    let served = serve_tls(tls).await;
    let token = served.token(Role::Admin).await;
    let without = trusting(&files.root).build().unwrap();
    assert!(without.get(https(&served, "/metrics")).bearer_auth(&token).send().await.is_err());
    let with = trusting(&files.root).identity(listed.identity()).build().unwrap();
    assert_eq!(with.get(https(&served, "/metrics")).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_is_cut_off() {
    let files = Files::new();
    let served = Served::with_tokens(|config| {
        config.tls = Some(files.tls());
        config.limits.header_seconds = 1;
    })
    .await;
    assert!(client().get(served.url("/metrics")).send().await.is_err(), "plain HTTP");
    let began = Instant::now();
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    assert_eq!(read_to_end(&mut silent).await, "");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_read_when_told() {
    let (files, next) = (Files::new(), Root::new());
    let served = serve_tls(files.tls()).await;
    let works = async |root: &Root| {
        trusting(root).build().unwrap().get(https(&served, "/metrics")).send().await.is_ok()
    };
    assert!(works(&files.root).await && !works(&next).await);
    // One that cannot be used changes nothing.
    fs::write(files.path("certificate.pem"), "none").unwrap();
    signal("-HUP", std::process::id());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(works(&files.root).await);
    files.renew(&next);
    signal("-HUP", std::process::id());
    let began = Instant::now();
    while !works(&next).await {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!works(&files.root).await);
}

fn signal(which: &str, process: u32) {
    assert!(Command::new("kill").args([which, &process.to_string()]).status().unwrap().success());
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let files = Files::new();
    let fault = |tls: Tls| {
        let config = Config { tls: Some(tls), access: Access::Tokens, ..Config::default() };
        keyvouch_server::check(&config).unwrap_err().to_string()
    };
    keyvouch_server::check(&Config { tls: Some(files.tls()), ..Config::default() }).unwrap();
    for (tls, wanted) in [
        (Tls { certificate: files.path("none.pem"), ..files.tls() }, "none.pem"),
        (Tls { certificate: files.path("key.pem"), ..files.tls() }, "no certificate"),
        (Tls { key: files.path("certificate.pem"), ..files.tls() }, "certificate.pem"),
        (Tls { client_required: true, ..files.tls() }, "tls.client_roots"),
        (
            Tls {
                client_roots: Some(files.path("certificate.pem")),
                client_roles: [("abc".to_owned(), Role::Read)].into(),
                ..files.tls()
            },
            "64 hexadecimal digits",
        ),
    ] {
        let fault = fault(tls);
        assert!(fault.contains(wanted), "{fault}");
    }
}

/// Set in the process that [`the_service_as_a_process`] starts: the folder of its service.
const CHILD: &str = "KEYVOUCH_TEST_CHILD";

#[test]
fn child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    logging::init(&Log { format: LogFormat::Json, level: "trace".to_owned() }).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = Config { folder: folder.into(), listen, access: Access::Tokens, ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let service = Service::open(setup(config)).await.unwrap();
        keyvouch_server::serve(service, |_| {}).await.unwrap();
    });
}

/// Starts this program once more, as a service.
fn start(folder: &Path, notify: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, folder)
        .env("NOTIFY_SOCKET", notify)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn heard(ear: &UnixDatagram) -> String {
    let mut state = [0; 64];
    let length = ear.recv(&mut state).unwrap();
    String::from_utf8_lossy(&state[..length]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_as_a_process() {
    let dir = tempfile::tempdir().unwrap();
    let ear = UnixDatagram::bind(dir.path().join("notify")).unwrap();
    ear.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut process = start(dir.path(), &dir.path().join("notify"));
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
    let listening = log.find(|line| line.contains("listening on")).unwrap();
    let address = listening.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(heard(&ear), "READY=1");

    let url = |path: &str| format!("http://{address}{path}");
    let form = "application/x-www-form-urlencoded";
    let login = client().post(url("/login?secret-query=1")).header(header::CONTENT_TYPE, form);
    let login = login.header(header::COOKIE, "keyvouch=kv_secret-cookie").header("x-secret", "secret-header");
    let login = login.body("token=kv_secret-token&next=/secret-place").send().await.unwrap();
    assert_eq!(login.status(), 303);
    let id = login.headers()["x-request-id"].to_str().unwrap().to_owned();
    let wrong = client().get(url("/metrics")).bearer_auth("kv_secret-bearer").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let nowhere = client().get(url("/kv_secret-path")).send().await.unwrap();
    assert_eq!(nowhere.status(), 404);

    signal("-TERM", process.id());
    assert_eq!(heard(&ear), "STOPPING=1");
    let rest: Vec<String> = log.collect();
    assert!(process.wait().unwrap().success());
    let line =
        rest.iter().find(|line| line.contains(&id) && line.contains("\"answered\"")).expect("its line");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["method"], &line["path"], &line["status"]),
        (&"POST".into(), &"/login".into(), &303.into())
    );
    assert_eq!((&line["caller"], &line["span"]["id"]), (&"-".into(), &id.as_str().into()));
    assert!(line["ms"].is_u64());
    assert!(rest.last().unwrap().contains("stopped"));
    let told: Vec<&String> = rest.iter().filter(|line| line.contains("secret")).collect();
    assert!(told.is_empty(), "{told:#?}");
}
