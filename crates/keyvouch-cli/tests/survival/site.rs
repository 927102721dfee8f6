//! A service in a folder of its own: started, killed, stopped and looked into.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyvouch_emulator::Sample;
use keyvouch_record::log::LogKey;
use keyvouch_results::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::client::{self, Answer};

/// Evidence to hand in.
static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let one = |format| keyvouch_emulator::samples(format).unwrap().swap_remove(0);
    ["yubikey-piv", "smartcard-hsm", "android"].into_iter().map(one).collect()
});

/// The request for appraisal of this number. Each has evidence that no other has, so that nothing of it is on record yet.
pub(crate) fn appraisal(number: u64) -> String {
    let sample = &SAMPLES[usize::try_from(number).unwrap() % SAMPLES.len()];
    let file =
        |f: &keyvouch_emulator::File| json!({"name": f.name, "content": BASE64_STANDARD.encode(&f.bytes)});
    let mut evidence: Vec<Value> = sample.evidence.iter().map(file).collect();
    evidence.push(json!({"name": "note.txt", "text": format!("note {number}\n").repeat(20)}));
    json!({
        "evidence": evidence,
        "request": sample.request.as_ref().map(file),
        "nonce": format!("{number:032x}"),
    })
    .to_string()
}

/// What a service needs, and where it keeps its record.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    /// The public key of the log.
    pub(crate) log_key: String,
}

impl Site {
    /// One that keeps its record in this database.
    pub(crate) fn new(database: &str) -> Self {
        Self::with(database, "per_minute = 0\n")
    }

    /// One with these limits.
    pub(crate) fn with(database: &str, limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (key, secret) = LogKey::generate("keyvouch.example/log").unwrap();
        fs::write(at("log.key"), secret).unwrap();
        let result = SigningKey::generate(Algorithm::Es256).unwrap();
        fs::write(at("result.key"), result.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
        fs::create_dir(at("anchors")).unwrap();
        for anchor in SAMPLES.iter().flat_map(|sample| &sample.anchors) {
            fs::write(at("anchors").join(&anchor.name), &anchor.bytes).unwrap();
        }
        let config = format!(
            "listen = \"127.0.0.1:0\"\nfolder = {folder:?}\ndatabase = {database:?}\n\
             [keys]\nlog = {log:?}\nresult = {result:?}\n[trust]\nanchors = [{anchors:?}]\n[limits]\n{limits}",
            folder = folder.path(),
            log = at("log.key"),
            result = at("result.key"),
            anchors = at("anchors"),
        );
        fs::write(at("keyvouch.toml"), config).unwrap();
        Self { log_key: key.public().to_owned(), folder }
    }

    /// One that keeps its record in a file.
    pub(crate) fn sqlite() -> Self {
        Self::new("record.db")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("keyvouch.toml")
    }

    /// The command, in the folder, and with nothing of our own environment that concerns it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYVOUCH_")) {
            command.env_remove(name);
        }
        command
    }

    /// Starts a node, without waiting for it.
    pub(crate) fn begin(&self) -> Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_keyvouch"));
        command.args(["serve", "--config"]).arg(self.config());
        self.spawn(command)
    }

    fn spawn(&self, mut command: Command) -> Child {
        // What is logged is kept, for whoever looks why a test failed.
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("stderr"));
        command.stdout(Stdio::piped()).stderr(log.unwrap()).spawn().unwrap()
    }

    /// Starts a node, and waits until it listens.
    pub(crate) fn start(&self) -> Running {
        self.listening(self.begin())
    }

    /// Starts a node that cannot write files larger than this, and is told so by the system as of a full disk.
    pub(crate) fn start_with_file_limit(&self, kilobytes: u64) -> Running {
        let mut command = self.command("bash");
        command
            .args(["-c", "trap '' XFSZ; ulimit -S -f \"$1\"; exec \"$2\" serve --config \"$3\"", "bash"])
            .arg(kilobytes.to_string())
            .arg(env!("CARGO_BIN_EXE_keyvouch"))
            .arg(self.config());
        self.listening(self.spawn(command))
    }

    fn listening(&self, mut child: Child) -> Running {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("keyvouch is at http://").map(|a| a.trim_end_matches('/'));
        let Some(address) = address else {
            let ended = child.wait();
            panic!("{line}{ended:?}\n{}", self.logged());
        };
        Running { address: address.parse().unwrap(), child: Some(child) }
    }

    /// What the nodes logged.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// The last faults that the nodes logged.
    pub(crate) fn faults(&self) -> String {
        let all = self.logged();
        let mut faults: Vec<&str> =
            all.lines().rev().filter(|line| !line.contains(" INFO ")).take(20).collect();
        faults.reverse();
        faults.join("\n")
    }

    /// Sees to it that `keyvouch log verify` finds the log whole and going on from these signed checkpoints. How many
    /// records there are.
    pub(crate) fn verify_log(&self, checkpoints: &[Vec<u8>]) -> u64 {
        let mut command = self.command(env!("CARGO_BIN_EXE_keyvouch"));
        command
            .args(["log", "verify", "--output", "json", "--log-key", &self.log_key, "--config"])
            .arg(self.config());
        for (number, checkpoint) in checkpoints.iter().enumerate() {
            let file = self.folder.path().join(format!("{number}.checkpoint"));
            fs::write(&file, checkpoint).unwrap();
            command.arg("--checkpoint").arg(file);
        }
        let done = command.output().unwrap();
        let found: Value = serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&done.stderr)));
        assert_eq!((&found["whole"], &found["faults"]), (&json!(true), &json!([])), "{found:#}");
        assert_eq!(found["checkpoints"], checkpoints.len());
        found["records"].as_u64().unwrap()
    }
}

/// A service that runs. It is killed when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    child: Option<Child>,
}

impl Running {
    pub(crate) fn get(&self, path: &str) -> Answer {
        client::get(self.address, path).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        client::ask(self.address, "POST", path, Some(body)).unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Ends it as a power cut does: it is not asked.
    pub(crate) fn kill(mut self) {
        end(self.child.take().unwrap());
    }

    /// Tells it to stop, without waiting.
    pub(crate) fn tell_to_stop(&self) {
        let told = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(told.success());
    }

    /// Waits for its end after it was told to stop.
    pub(crate) fn wait(mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let patience = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if patience.elapsed() > Duration::from_secs(60) {
                end(child);
                panic!("it does not stop");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Bytes of memory that it has now.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most bytes of memory that it ever had.
    pub(crate) fn most_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, line: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let kilobytes = status.lines().find_map(|l| l.strip_prefix(line)?.trim().strip_suffix(" kB"));
        kilobytes.unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            end(child);
        }
    }
}

pub(crate) fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let patience = Instant::now();
    while !so() {
        assert!(patience.elapsed() < Duration::from_secs(60), "it did not come about: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A number that nobody knows before, below this one.
pub(crate) fn random_below(end: u64) -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish() % end
}
