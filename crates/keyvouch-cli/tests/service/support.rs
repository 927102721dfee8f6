//! A service with a record of its own, in a folder of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use keyvouch::{File, Submission};
use keyvouch_policy::Policy;
use keyvouch_record::log::LogKey;
use keyvouch_record::{Bundle, Case};
use keyvouch_store::{Location, Store};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

pub(crate) fn keyvouch(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyvouch")).args(args).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub(crate) fn printed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", text(&output.stdout), text(&output.stderr)))
}

/// The folder of a service.
pub(crate) struct Record(tempfile::TempDir);

/// A service that runs. It is killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    address: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Serving {
    /// Asks for something: status and body of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let token = token.map(|t| format!("Authorization: Bearer {t}\r\n")).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let status = text(&answer[..end]).split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_off(end.saturating_add(4)))
    }

    /// Stops it as systemd does, and waits for its end.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> bool {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
        let status = self.child.wait().unwrap();
        // It is gone; there is nothing to kill.
        std::mem::forget(self);
        status.success()
    }
}

/// A request for an appraisal of the sample.
pub(crate) fn appraisal() -> String {
    let sample = sample();
    let file = |f: &keyvouch_emulator::File| json!({"name": f.name, "text": text(&f.bytes)});
    json!({
        "evidence": sample.evidence.iter().map(file).collect::<Vec<_>>(),
        "request": sample.request.as_ref().map(file),
    })
    .to_string()
}

impl Record {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A service that trusts the anchors of the sample.
    pub(crate) fn trusting() -> Self {
        let record = Self::new();
        let folder = record.dir().join("anchors");
        fs::create_dir(&folder).unwrap();
        for anchor in &sample().anchors {
            fs::write(folder.join(&anchor.name), &anchor.bytes).unwrap();
        }
        record.configure(&format!("[trust]\nanchors = [{:?}]\n", record.anchors()));
        record
    }

    /// The same with so many records.
    pub(crate) fn with(records: u32) -> Self {
        let record = Self::trusting();
        drop(record.serve(&[]));
        let sample = sample();
        let bundle = bundle(&sample, &record.anchors());
        let now = 1_780_272_000_000_i64.max(i64::try_from(since_1970()).unwrap());
        on(async {
            let store = record.store().await;
            for number in 0..records {
                let made =
                    keyvouch_store::Record::new(bundle.clone(), &format!("client {number}"), now).unwrap();
                store.append(made).await.unwrap();
            }
            store.close().await;
        });
        record
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.dir().join("keyvouch-data")
    }

    pub(crate) fn anchors(&self) -> String {
        self.dir().join("anchors").to_str().unwrap().to_owned()
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, config: &str) {
        fs::write(self.dir().join("keyvouch.toml"), config).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyvouch"));
        command.args(args).current_dir(self.dir());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYVOUCH_")) {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command where the service is.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The same under another configuration.
    pub(crate) fn run_with(&self, config: &str, args: &[&str]) -> Output {
        let path = self.dir().join("keyvouch.toml");
        let before = fs::read_to_string(&path).ok();
        self.configure(&format!("{config}\n{}", before.clone().unwrap_or_default()));
        let output = self.run(args);
        match before {
            Some(before) => self.configure(&before),
            None => fs::remove_file(path).unwrap(),
        }
        output
    }

    /// Starts the service, and waits until it says where it is.
    pub(crate) fn serve(&self, args: &[&str]) -> Serving {
        let all = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let mut child = self.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if !line.starts_with("keyvouch is at http") {
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("{line}{told}");
        }
        // Nobody reads on; what is logged must not fill the pipe.
        thread::spawn({
            let told = child.stderr.take().unwrap();
            move || std::io::copy(&mut { told }, &mut std::io::sink())
        });
        let address =
            line.trim().trim_start_matches("keyvouch is at http://").trim_end_matches('/').to_owned();
        Serving { child, address }
    }

    async fn store(&self) -> Store {
        let file = self.folder().join("record.db");
        Store::open(&Location::parse(file.to_str().unwrap()).unwrap()).await.unwrap()
    }

    /// The same record once more.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        fs::create_dir(copy.folder()).unwrap();
        for entry in fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.folder().join(path.file_name().unwrap())).unwrap();
        }
        copy
    }

    /// Runs SQL, as somebody who can write to the file could.
    pub(crate) fn sql(&self, sql: &str) {
        on(async {
            let mut connection = self.connection().await;
            connection.execute("PRAGMA foreign_keys = OFF").await.unwrap();
            connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// The number that a query answers.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        on(async {
            let mut connection = self.connection().await;
            let count = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await;
            connection.close().await.unwrap();
            count.unwrap()
        })
    }

    async fn connection(&self) -> SqliteConnection {
        let file = self.folder().join("record.db");
        SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap()
    }

    /// Begins to judge all records again, and is killed when some of them are done. The id of the re-appraisal.
    pub(crate) fn killed_reappraisal(&self) -> String {
        let mut child = self
            .command(&["reappraise", "--at", "recorded", "--jobs", "1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut note = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut note).unwrap();
        let job = note.split("re-appraisal ").nth(1).and_then(|rest| rest.split(':').next());
        let job = job.unwrap_or_else(|| panic!("{note}")).to_owned();
        let patience = Instant::now();
        while self.count("SELECT COUNT(done_at) FROM reappraisal_items") == 0 {
            assert!(patience.elapsed() < Duration::from_secs(60), "nothing is done");
            thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        job
    }

    /// The serial number of the device of the records.
    pub(crate) fn serial(&self) -> String {
        on(async {
            let store = self.store().await;
            let page = store.search(&keyvouch_store::Filter::default(), None, 1).await.unwrap();
            store.close().await;
            page.records[0].statements[0].serial.clone().unwrap()
        })
    }

    /// Writes the bundle of a record as the service gives it out.
    pub(crate) fn bundle(&self, leaf: u64, to: &Path) {
        let key = LogKey::read(&fs::read_to_string(self.folder().join("log.key")).unwrap()).unwrap();
        let zip = on(async {
            let store = self.store().await;
            let page = store
                .search(&keyvouch_store::Filter::default(), Some(leaf.saturating_add(1)), 1)
                .await
                .unwrap();
            let id = &page.records[0].id;
            let (parts, mut bundle) = (store.parts(id).await.unwrap(), store.bundle(id).await.unwrap());
            let proof = store.prove(leaf, &key).await.unwrap();
            store.close().await;
            bundle.proofs.push(File::new("proof.tlog-proof", proof.write()));
            bundle.write_parts(&parts).unwrap()
        });
        fs::write(to, zip).unwrap();
    }
}

fn sample() -> keyvouch_emulator::Sample {
    keyvouch_emulator::samples("yubikey-piv").unwrap().swap_remove(0)
}

/// The record of a sample, judged as the service does.
fn bundle(sample: &keyvouch_emulator::Sample, anchors: &str) -> Bundle {
    let file = |f: &keyvouch_emulator::File| File::new(f.name.clone(), f.bytes.clone());
    let mut submission =
        Submission::new(sample.evidence.iter().map(file).collect(), sample.at.parse().unwrap());
    submission.request = sample.request.as_ref().map(file);
    let mut case = Case::new(submission, Policy::builtin("hardware-key").unwrap());
    let anchor = |f: &keyvouch_emulator::File| File::new(format!("{anchors}/{}", f.name), f.bytes.clone());
    case.operator_data = sample.anchors.iter().map(anchor).collect();
    Bundle::of(case).unwrap()
}

fn since_1970() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
}

fn on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}
