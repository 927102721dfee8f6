//! `keyvouch serve`, and where the record of a service is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Run the service: evidence in over HTTP, an answer out, and a record of every appraisal.
///
/// Without a configuration it listens on this machine only, keeps its record in the folder keyvouch-data, and lets
/// whoever reaches it do everything. At its first start it makes what it needs: the folder, the database and the keys
/// that sign.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Every setting can also be in the environment, as KEYVOUCH_ and its name (KEYVOUCH_LISTEN, KEYVOUCH_TLS_KEY), and all of \
them and more in keyvouch.toml. The command line counts before the environment, and that before the file.

Exit status:
  0  it was told to stop, or --check found nothing wrong
  2  it cannot start: the reason says what to change

Examples:
  keyvouch serve                                           on http://127.0.0.1:8080/
  keyvouch serve --config /etc/keyvouch/keyvouch.toml --check
  keyvouch token create ra-1 --role submit && keyvouch serve --listen 0.0.0.0:8080")]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,

    /// Where people and machines reach the service, such as `https://attest.example`
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// Who may use it: auto, open or tokens [default: auto, which is open on this machine only]
    #[arg(long, value_name = "WHO")]
    pub(crate) access: Option<String>,

    /// PEM file with the certificate of the service, and those up to its root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_certificate: Option<String>,

    /// PEM file with the private key of that certificate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_key: Option<String>,

    /// PEM file with the roots of client certificates
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_client_roots: Option<String>,

    /// The private key that signs the log; `keyvouch log key` makes one [default: log.key in the folder]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log_key: Option<String>,

    /// The private key that signs results; `keyvouch result key generate` makes one [default: result.key in the
    /// folder]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) result_key: Option<String>,

    /// A folder of `keyvouch reference update`: revocation and metadata
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) reference: Option<String>,

    /// The form of log lines, on standard error: text or json [default: text]
    #[arg(long, value_name = "FORM")]
    pub(crate) log_format: Option<String>,

    /// What is logged: error, warn, info, debug, or directives of `tracing` [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,

    /// Read everything that the configuration names, say what would be done, and do not listen
    #[arg(long)]
    pub(crate) check: bool,
}

impl Serve {
    /// The settings of the command line, by name.
    pub(crate) fn settings(&self) -> BTreeMap<&'static str, String> {
        let mut settings = self.place.settings();
        for (name, value) in [
            ("listen", &self.listen),
            ("public-url", &self.public_url),
            ("access", &self.access),
            ("tls-certificate", &self.tls_certificate),
            ("tls-key", &self.tls_key),
            ("tls-client-roots", &self.tls_client_roots),
            ("log-key", &self.log_key),
            ("result-key", &self.result_key),
            ("reference", &self.reference),
            ("log-format", &self.log_format),
            ("log-level", &self.log_level),
        ] {
            settings.extend(value.clone().map(|value| (name, value)));
        }
        settings
    }
}

/// Where the record of the service is. The same as for `keyvouch serve`.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The configuration of the service [default: keyvouch.toml in the current folder, if there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// The folder for the database and for keys that are not named elsewhere [default: keyvouch-data]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<String>,

    /// The record: a file (SQLite), or postgres://user@host/database [default: record.db in the folder]
    ///
    /// A password had better be in the configuration or the environment (KEYVOUCH_DATABASE): others on this machine
    /// can see a command line.
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) database: Option<String>,
}

impl Place {
    /// The settings of the command line, by name.
    pub(crate) fn settings(&self) -> BTreeMap<&'static str, String> {
        let named = [("folder", &self.folder), ("database", &self.database)];
        named.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}
