//! The service as a process: its log, its signals.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use keyvouch_server::config::{Access, Log, LogFormat};
use keyvouch_server::{Config, Service, logging};
use keyvouch_store::{Location, Role, Store};
use reqwest::header;
use serde_json::json;

use crate::served::{client, now_ms, setup};

pub(crate) fn signal(which: &str, process: u32) {
    assert!(Command::new("kill").args([which, &process.to_string()]).status().unwrap().success());
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
        .args(["process::child", "--exact", "--nocapture"])
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
    let location = Location::parse(dir.path().join("record.db").to_str().unwrap()).unwrap();
    let store = Store::open(&location).await.unwrap();
    let token = store.create_token("alice", Role::Submit, now_ms(), None).await.unwrap().secret;
    let content = BASE64_STANDARD.encode("secret-evidence");
    let evidence =
        json!({ "evidence": [{ "name": "secret-file", "content": content }], "nonce": "5ec3e7".repeat(8) });
    let handed_in = client().post(url("/v1/appraisals")).bearer_auth(&token).json(&evidence);
    let handed_in = handed_in.send().await.unwrap();
    assert_eq!(handed_in.status(), 200);
    let appraisal = handed_in.headers()["x-request-id"].to_str().unwrap().to_owned();
    let nowhere = client().get(url("/kv_secret-path")).send().await.unwrap();
    assert_eq!(nowhere.status(), 404);

    // Without TLS there is nothing to read again, and it goes on.
    signal("-HUP", process.id());
    assert_eq!(client().get(url("/healthz")).send().await.unwrap().status(), 200);
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
    let of_alice: Vec<&String> = rest.iter().filter(|line| line.contains(&appraisal)).collect();
    assert!(of_alice.iter().any(|line| line.contains("\"appraised\"")), "{of_alice:#?}");
    assert!(of_alice.iter().any(|line| line.contains("\"caller\":\"alice\"")), "{of_alice:#?}");
    let secrets = ["secret", &token, &content, "5ec3e75ec3e7"];
    let told: Vec<&String> =
        rest.iter().filter(|line| secrets.iter().any(|secret| line.contains(secret))).collect();
    assert!(told.is_empty(), "{told:#?}");
}
