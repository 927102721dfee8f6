//! `keyvouch.toml`: how a service is run.
//!
//! Every setting has a default, so that an empty file is a configuration. A setting is taken from the command line
//! first, then from the environment (`KEYVOUCH_` and its name, as in `KEYVOUCH_DATABASE` or `KEYVOUCH_TLS_KEY`), then
//! from the file.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// What begins the names of settings in the environment.
const PREFIX: &str = "KEYVOUCH_";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file, or a setting of the environment or the command line, is not what it should be.
    #[error("{place}: {why}")]
    Setting {
        /// The file, the variable or the option.
        place: String,
        /// What is wrong, and what to write instead.
        why: String,
    },
}

/// How a service is run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The folder for what is not named elsewhere: the database, and keys that are made at the first start.
    pub folder: PathBuf,
    /// `postgres://…` or the file of an SQLite database. By default `record.db` in the folder.
    pub database: Option<String>,
    /// The address at which people and machines reach the service, such as `https://attest.example`.
    pub public_url: Option<String>,
    /// Who may use the service.
    pub access: Access,
    /// TLS. Without it the service speaks plain HTTP.
    pub tls: Option<Tls>,
    /// The keys that sign.
    pub keys: Keys,
    /// What is believed.
    pub trust: Trust,
    /// What evidence is judged by.
    pub policies: Policies,
    /// What those who hand in evidence may choose.
    pub clients: Clients,
    /// How much is taken, and how long.
    pub limits: Limits,
    /// How the service tells what it does.
    pub log: Log,
}

/// Who may use the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// `open` when the service listens on this machine only, else `tokens`.
    #[default]
    Auto,
    /// Whoever reaches it may do everything: only on a loopback address.
    Open,
    /// Bearers of a token (`keyvouch token create`), or of a client certificate that the configuration names.
    Tokens,
}

/// TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificate of the service, and those up to its root.
    pub certificate: PathBuf,
    /// PEM file with its private key.
    pub key: PathBuf,
    /// PEM file with the roots of client certificates. Without it none is asked for.
    #[serde(default)]
    pub client_roots: Option<PathBuf>,
    /// Whether nobody comes in without a client certificate.
    #[serde(default)]
    pub client_required: bool,
    /// The roles of clients that have a certificate and no token: by the SHA-256 of the certificate, hexadecimal.
    #[serde(default)]
    pub client_roles: BTreeMap<String, keyvouch_store::Role>,
}

/// The keys that sign. Those of a service on PostgreSQL must be named: all its nodes have the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The key of the log (`keyvouch log key`). By default `log.key` in the folder.
    pub log: Option<PathBuf>,
    /// The key of signed results (`keyvouch result key generate`). By default `result.key` in the folder.
    pub result: Option<PathBuf>,
    /// Public keys that signed results in the past, as JWK or JWKS: for those who verify old ones.
    pub former_results: Vec<PathBuf>,
}

/// What is believed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// More trust anchors: certificates, keyvouch TOML files, or folders of these.
    pub anchors: Vec<PathBuf>,
    /// Whether the anchors that come with keyvouch count.
    pub default_anchors: bool,
    /// A folder of `keyvouch reference update`.
    pub reference: Option<PathBuf>,
    /// Operator options, as `keyvouch formats show ID` names them. Of an option that takes a file, its name.
    pub options: Map<String, Value>,
}

/// What evidence is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// Those that judge when a client names none.
    pub default: Vec<String>,
    /// Policy files beside the built-in ones.
    pub files: Vec<PathBuf>,
    /// Whether a client may name another policy than those of `default`.
    pub client_choice: bool,
    /// How the knobs of the policies are set; `keyvouch policy list` names them.
    pub settings: BTreeMap<String, String>,
}

/// What those who hand in evidence may choose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clients {
    /// Options that a client may set.
    pub options: Vec<String>,
    /// Whether a client may say at which time to judge.
    pub time: bool,
}

/// How much is taken, and how long. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most bytes of a request. All requests together may have 32 times as many.
    pub request_bytes: usize,
    /// The most seconds from the first byte of a request to the last of its answer.
    pub request_seconds: u64,
    /// The most seconds until the head of a request is there, and for which a connection without one stays open.
    pub header_seconds: u64,
    /// Appraisals at once. By default as many as the machine has processors.
    pub at_once: Option<usize>,
    /// Requests that wait for their turn; more are answered with 503.
    pub waiting: usize,
    /// Requests of one client in a minute; zero is no limit. A client is a token, or an address without one. An open
    /// service has one client, and counts nothing.
    pub per_minute: u32,
    /// Requests of one client at once, before the rate counts.
    pub burst: u32,
    /// Connections at once.
    pub connections: usize,
    /// How long a challenge can be answered.
    pub challenge_seconds: u32,
    /// How long `/readyz` says that the service is about to stop before it takes no more requests: for balancers that
    /// ask now and then.
    pub notice_seconds: u64,
    /// How long running requests may go on when the service is told to stop.
    pub shutdown_seconds: u64,
}

/// How the service tells what it does, on standard error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, or directives of `tracing`.
    pub level: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            folder: PathBuf::from("keyvouch-data"),
            database: None,
            public_url: None,
            access: Access::Auto,
            tls: None,
            keys: Keys::default(),
            trust: Trust::default(),
            policies: Policies::default(),
            clients: Clients::default(),
            limits: Limits::default(),
            log: Log::default(),
        }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self { anchors: Vec::new(), default_anchors: true, reference: None, options: Map::new() }
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            default: vec!["hardware-key".to_owned()],
            files: Vec::new(),
            client_choice: true,
            settings: BTreeMap::new(),
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self { options: vec!["declared_device".to_owned()], time: false }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 8 << 20,
            request_seconds: 30,
            header_seconds: 10,
            at_once: None,
            waiting: 1_024,
            per_minute: 600,
            burst: 100,
            connections: 4_096,
            challenge_seconds: 3_600,
            notice_seconds: 0,
            shutdown_seconds: 20,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// A setting that the environment and the command line can have: its name, and its place in the file.
struct Setting {
    /// As in `--tls-key`, and with underscores and in capitals in the environment.
    name: &'static str,
    path: &'static [&'static str],
}

/// Settings that the environment and the command line can have.
const SETTINGS: &[Setting] = &[
    Setting { name: "listen", path: &["listen"] },
    Setting { name: "folder", path: &["folder"] },
    Setting { name: "database", path: &["database"] },
    Setting { name: "public-url", path: &["public_url"] },
    Setting { name: "access", path: &["access"] },
    Setting { name: "tls-certificate", path: &["tls", "certificate"] },
    Setting { name: "tls-key", path: &["tls", "key"] },
    Setting { name: "tls-client-roots", path: &["tls", "client_roots"] },
    Setting { name: "log-key", path: &["keys", "log"] },
    Setting { name: "result-key", path: &["keys", "result"] },
    Setting { name: "reference", path: &["trust", "reference"] },
    Setting { name: "log-format", path: &["log", "format"] },
    Setting { name: "log-level", path: &["log", "level"] },
];

impl Setting {
    fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('-', "_").to_uppercase())
    }
}

impl Config {
    /// The configuration: from the file, if there is one; over it the environment; over that the options of the
    /// command line, by name.
    ///
    /// # Errors
    /// Names the place, and what to write instead.
    pub fn read(
        file: Option<(&Path, &str)>,
        environment: impl Fn(&str) -> Option<String>,
        options: &BTreeMap<&str, String>,
    ) -> Result<Self, ConfigError> {
        let mut all = match file {
            None => toml::Table::new(),
            Some((path, text)) => {
                let fault = |why: toml::de::Error| ConfigError::Setting {
                    place: path.display().to_string(),
                    why: why.to_string(),
                };
                // The whole file first: its own errors have lines.
                toml::from_str::<Self>(text).map_err(fault)?;
                text.parse().map_err(fault)?
            }
        };
        for setting in SETTINGS {
            let variable = setting.variable();
            let (place, value) = match (options.get(setting.name), environment(&variable)) {
                (Some(value), _) => (format!("--{}", setting.name), value.clone()),
                (None, Some(value)) => (variable, value),
                (None, None) => continue,
            };
            set(&mut all, setting.path, value).map_err(|why| ConfigError::Setting { place, why })?;
        }
        let config = toml::Value::Table(all).try_into::<Self>();
        config.map_err(|why| ConfigError::Setting { place: "configuration".to_owned(), why: why.to_string() })
    }

    /// The place of the database.
    #[must_use]
    pub fn database(&self) -> String {
        self.database.clone().unwrap_or_else(|| self.folder.join("record.db").to_string_lossy().into_owned())
    }

    /// Whether only bearers of a token come in.
    #[must_use]
    pub fn wants_tokens(&self) -> bool {
        match self.access {
            Access::Tokens => true,
            Access::Open => false,
            Access::Auto => !self.listen.ip().is_loopback(),
        }
    }
}

/// Sets a text at its place. Whether the place takes it is found out where the whole is read; here only those that
/// are a word alone are looked at, so that the error can name the option or the variable.
fn set(all: &mut toml::Table, path: &[&str], value: String) -> Result<(), String> {
    let Some((last, tables)) = path.split_last() else { return Ok(()) };
    let mut table = &mut *all;
    for name in tables {
        let entry = table.entry((*name).to_owned()).or_insert_with(|| toml::Table::new().into());
        table = entry.as_table_mut().ok_or_else(|| format!("{name} is no table in the file"))?;
    }
    let single = toml::Value::String(value);
    let wrong = |why: toml::de::Error| why.message().to_owned();
    match path {
        ["listen"] => drop(single.clone().try_into::<SocketAddr>().map_err(wrong)?),
        ["access"] => drop(single.clone().try_into::<Access>().map_err(wrong)?),
        ["log", "format"] => drop(single.clone().try_into::<LogFormat>().map_err(wrong)?),
        _ => {}
    }
    table.insert((*last).to_owned(), single);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn read(file: &str, env: &[(&str, &str)], options: &[(&'static str, &str)]) -> Result<Config, String> {
        let variable = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let options = options.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Config::read(Some((Path::new("keyvouch.toml"), file)), variable, &options).map_err(|e| e.to_string())
    }

    #[test]
    fn the_command_line_is_before_the_environment_and_that_before_the_file() {
        let file = "database = \"file.db\"\n[log]\nlevel = \"warn\"";
        assert_eq!(read("", &[], &[]).unwrap(), Config::default());
        assert_eq!(read(file, &[], &[]).unwrap().database(), "file.db");
        let env = [("KEYVOUCH_DATABASE", "env.db"), ("KEYVOUCH_LOG_FORMAT", "json")];
        let config = read(file, &env, &[]).unwrap();
        assert_eq!((config.database(), config.log.format), ("env.db".to_owned(), LogFormat::Json));
        assert_eq!(config.log.level, "warn", "what is beside it in its table stays");
        assert_eq!(read(file, &env, &[("database", "option.db")]).unwrap().database(), "option.db");
    }

    #[test]
    fn errors_name_their_place() {
        for (file, env, options, wanted) in [
            ("databse = 1", None, None, ["keyvouch.toml", "databse"]),
            ("", Some(("KEYVOUCH_LISTEN", "here")), None, ["KEYVOUCH_LISTEN", "socket address"]),
            ("", None, Some(("access", "all")), ["--access", "tokens"]),
            ("", Some(("KEYVOUCH_TLS_KEY", "k")), None, ["configuration", "certificate"]),
        ] {
            let error = read(file, env.as_slice(), options.as_slice()).unwrap_err();
            assert!(wanted.iter().all(|w| error.contains(w)), "{error}");
        }
    }

    #[test]
    fn only_a_loopback_address_is_open_by_itself() {
        assert!(!read("listen = \"[::1]:80\"", &[], &[]).unwrap().wants_tokens());
        assert!(read("listen = \"0.0.0.0:80\"", &[], &[]).unwrap().wants_tokens());
        assert!(read("access = \"tokens\"", &[], &[]).unwrap().wants_tokens());
    }
}
