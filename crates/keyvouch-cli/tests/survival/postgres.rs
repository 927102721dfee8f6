//! PostgreSQL: databases on the server of the tests, and a server of a test's own that can be killed.

use std::ffi::OsString;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::site;
use super::skipped;

/// Debian keeps the programs of each version apart.
const VERSIONS: &str = "/usr/lib/postgresql";
/// PostgreSQL does not run as root; Debian's package makes this user.
const USER: &str = "postgres";

/// A new database on the server of the tests.
pub(crate) fn database() -> Option<String> {
    match std::env::var("KEYVOUCH_TEST_POSTGRES") {
        Ok(server) => Some(new_database(&server)),
        Err(_) => {
            skipped("POSTGRESQL", "set KEYVOUCH_TEST_POSTGRES to postgres://user@host:port");
            None
        }
    }
}

fn new_database(server: &str) -> String {
    let name = format!("keyvouch_survival_{:016x}", site::random_below(u64::MAX));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        connection.close().await.unwrap();
    });
    format!("{server}/{name}")
}

/// A server of a test's own. It is gone when it is dropped.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl Cluster {
    /// A server that runs, unless there is no PostgreSQL on this machine.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            skipped(
                "A POSTGRESQL SERVER THAT IS KILLED",
                "there is no initdb; the Debian package is postgresql",
            );
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { programs, folder: tempfile::tempdir().unwrap(), port };
        if is_root() {
            let owned = Command::new("chown").arg(USER).arg(cluster.folder.path()).status().unwrap();
            assert!(owned.success(), "there is a user {USER}");
        }
        let mut initdb = cluster.program("initdb");
        // Whoever reaches the port may do anything: it is open to this machine, and holds nothing of worth.
        initdb.arg("-D").arg(cluster.data()).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"]);
        assert!(initdb.status().unwrap().success());
        cluster.go_on();
        Some(cluster)
    }

    /// A new database on it.
    pub(crate) fn database(&self) -> String {
        new_database(&format!("postgres://{USER}@127.0.0.1:{}", self.port))
    }

    /// Starts it again. What a killed server left in memory may still be there for a moment.
    pub(crate) fn go_on(&self) {
        site::until("PostgreSQL starts", || {
            let mut start = self.program("pg_ctl");
            start.arg("-D").arg(self.data()).arg("-l").arg(self.folder.path().join("log"));
            start.args(["-w", "-s", "start", "-o"]).stderr(Stdio::null());
            start
                .arg(format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", self.port));
            start.status().unwrap().success()
        });
    }

    /// Stops it, as an administrator does who does not wait for clients.
    pub(crate) fn stop(&self) {
        assert!(self.stopped("fast"));
    }

    fn stopped(&self, how: &str) -> bool {
        let mut stop = self.program("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", how, "-w", "-s", "stop"]).stderr(Stdio::null());
        stop.status().is_ok_and(|status| status.success())
    }

    /// Kills it: none of its processes is asked.
    pub(crate) fn kill(&self) {
        let first = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let first = first.lines().next().unwrap().to_owned();
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &first]).output().unwrap();
        let mut kill = Command::new("kill");
        kill.arg("-9").arg(&first).args(String::from_utf8_lossy(&children.stdout).split_whitespace());
        // One that has ended by itself meanwhile is no fault.
        let _told = kill.stderr(Stdio::null()).status().unwrap();
        site::until("PostgreSQL is gone", || TcpStream::connect(("127.0.0.1", self.port)).is_err());
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command;
        if is_root() {
            command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(program);
        } else {
            command = Command::new(program);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // When it does not run there is nothing to stop.
        let _stopped = self.stopped("immediate");
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

pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}
