//! The running service against its own description, by schemathesis: does it answer as the OpenAPI document says,
//! whatever is asked?

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use crate::{apt, cargo, target};

const PACKAGES: [&str; 2] = ["python3", "python3-venv"];
/// What pip installs, and which exactly.
const REQUIREMENTS: &str = "xtask/conformance/requirements.txt";
const CONFIG: &str = "xtask/conformance/schemathesis.toml";
/// The same requests every time.
const SEED: &str = "20261128";
/// Requests for each operation and kind of test, unless another number is told.
const EXAMPLES: &str = "60";
const EXAMPLES_VARIABLE: &str = "KEYVOUCH_CONFORMANCE_EXAMPLES";

/// Sees to it that schemathesis is in the target folder. An error says why it is not.
pub(crate) fn provide(root: &Path) -> Result<(), String> {
    apt::provide("Python", &PACKAGES, || apt::answers("python3", &["-c", "import ensurepip, venv"]))?;
    let (wanted, folder) = (root.join(REQUIREMENTS), environment(root));
    let installed = folder.join("requirements.txt");
    let same = |a: &Path, b: &Path| matches!((fs::read(a), fs::read(b)), (Ok(a), Ok(b)) if a == b);
    if same(&wanted, &installed) {
        return Ok(());
    }
    println!("\n== schemathesis: pip install in {}", folder.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    succeed(&mut make)?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&wanted);
    succeed(&mut pip)?;
    // Last: what is there is then all of it.
    fs::copy(&wanted, &installed).map(drop).map_err(|why| format!("{}: {why}", installed.display()))
}

/// Runs the service and tries it.
pub(crate) fn run(root: &Path) -> ExitCode {
    match provide(root).and_then(|()| try_all(root)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn try_all(root: &Path) -> Result<(), String> {
    succeed(cargo("build").args(["-p", "keyvouch-cli"]).current_dir(root))?;
    let program = target(root).join("debug/keyvouch");
    let service = Service::start(&program)?;
    let mut schemathesis = Command::new(environment(root).join("bin/schemathesis"));
    let examples = std::env::var(EXAMPLES_VARIABLE).unwrap_or_else(|_| EXAMPLES.to_owned());
    schemathesis
        .current_dir(&service.folder)
        .arg("--config-file")
        .arg(root.join(CONFIG).canonicalize().map_err(|why| format!("{CONFIG}: {why}"))?)
        .args(["run", &format!("{}v1/openapi.json", service.address)])
        // Also tries what happens without it, and with wrong ones.
        .args(["--header", &format!("Authorization: Bearer {}", service.token)])
        .args(["--checks", "all", "--seed", SEED, "--max-examples", &examples])
        // How fast requests are made up depends on the machine.
        .args(["--suppress-health-check", "all"]);
    succeed(&mut schemathesis)
}

/// A service on a free port of this machine, with a record of its own. It is gone when it is dropped.
struct Service {
    folder: PathBuf,
    address: String,
    token: String,
    child: Option<Child>,
}

impl Service {
    fn start(program: &Path) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("keyvouch-conformance-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        // The folder is removed from here on, also when something fails.
        let mut service = Self { folder, address: String::new(), token: String::new(), child: None };
        let config = service.folder.join("keyvouch.toml");
        let text = "listen = \"127.0.0.1:0\"\naccess = \"tokens\"\n[limits]\nper_minute = 0\n[log]\nlevel = \"warn\"\n";
        fs::write(&config, text).map_err(|why| format!("{}: {why}", config.display()))?;
        let keyvouch = |arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(&service.folder).stdin(Stdio::null());
            // A service that somebody runs here is not to be tried.
            for (name, _) in std::env::vars_os() {
                if name.to_string_lossy().starts_with("KEYVOUCH_") {
                    command.env_remove(name);
                }
            }
            command
        };
        let token = keyvouch(&["token", "create", "conformance", "--role", "admin"]).output();
        let token = token.map_err(|why| format!("{}: {why}", program.display()))?;
        let token = String::from_utf8_lossy(&token.stdout).trim().to_owned();
        let child = keyvouch(&["serve"]).stdout(Stdio::piped()).spawn();
        service.token = token;
        service.listening(child.map_err(|why| format!("{}: {why}", program.display()))?)?;
        Ok(service)
    }

    /// Waits until it says where it is.
    fn listening(&mut self, mut child: Child) -> Result<(), String> {
        let output = child.stdout.take();
        self.child = Some(child);
        let mut line = String::new();
        let read = output.map(|output| BufReader::new(output).read_line(&mut line));
        let address = line.trim().strip_prefix("keyvouch is at ").map(str::to_owned);
        self.address = address.ok_or_else(|| format!("the service does not start: {read:?} {line:?}"))?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // When it has ended already there is nothing to stop.
            let _ended = child.kill().and_then(|()| child.wait());
        }
        if let Err(why) = fs::remove_dir_all(&self.folder) {
            eprintln!("{}: {why}", self.folder.display());
        }
    }
}

fn environment(root: &Path) -> PathBuf {
    target(root).join("conformance")
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(why) => Err(format!("{program}: {why}")),
    }
}
