//! A PostgreSQL server for the tests of the store: new, on this machine only, and gone afterwards.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::apt;

/// Tells the tests where the server is.
pub(crate) const SERVER: &str = "KEYVOUCH_TEST_POSTGRES";

const PACKAGES: [&str; 1] = ["postgresql"];
/// Debian keeps the programs of each version apart.
const VERSIONS: &str = "/usr/lib/postgresql";
/// PostgreSQL does not run as root; Debian's package makes this user.
const USER: &str = "postgres";

/// A server that runs until it is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server. An error says why there is none.
    pub(crate) fn start() -> Result<Self, String> {
        apt::provide("PostgreSQL", &PACKAGES, || programs().is_some())?;
        let programs = programs().ok_or("its programs are not where they were expected")?;
        let folder = std::env::temp_dir().join(format!("keyvouch-postgres-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // It is removed from here on, also when something fails.
        let server = Self { programs, folder, port: free_port().map_err(|error| error.to_string())? };
        server.run()?;
        Ok(server)
    }

    fn run(&self) -> Result<(), String> {
        if apt::is_root() && !apt::answers("chown", &[USER, &self.folder.to_string_lossy()]) {
            return Err(format!("there is no user {USER}"));
        }
        let mut initdb = self.program("initdb");
        // Whoever reaches the port may do anything: it is open to this machine, and holds nothing of worth.
        initdb.arg("-D").arg(self.data()).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"]);
        succeed(&mut initdb)?;
        let mut start = self.program("pg_ctl");
        start
            .arg("-D")
            .arg(self.data())
            .arg("-l")
            .arg(self.folder.join("log"))
            .args(["-w", "-s", "start", "-o"]);
        start.arg(format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", self.port));
        succeed(&mut start)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command;
        if apt::is_root() {
            command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(program);
        } else {
            command = Command::new(program);
        }
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-s", "stop"]).stderr(Stdio::null());
        // When it never started there is nothing to stop.
        let _ = stop.status();
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{}: {error}", self.folder.display());
        }
    }
}

/// The folder of the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let has_all = |folder: &Path| folder.join("initdb").exists() && folder.join("pg_ctl").exists();
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let number = |name: OsString| name.to_string_lossy().parse::<u32>().ok();
    let newest = versions.filter(|v| has_all(&v.path().join("bin"))).max_by_key(|v| number(v.file_name()));
    let in_path = || std::env::split_paths(&std::env::var_os("PATH")?).find(|folder| has_all(folder));
    newest.map(|v| v.path().join("bin")).or_else(in_path)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}
