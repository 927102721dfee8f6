//! The keys of a service: read where they are named, made at the first start where they are not.

use std::path::{Path, PathBuf};

use keyvouch_record::log::LogKey;
use keyvouch_results::{Algorithm, KeySet, SigningKey};
use keyvouch_server::Config;
use serde_json::Value;

use super::{file, is_there, make_folder, open};
use crate::error::Error;
use crate::files;

/// The name of a log whose service has no address.
const LOCAL: &str = "keyvouch.local/log";

/// The key of the log in the folder.
const LOG: &str = "log.key";

/// A key of the service: where it is, and whether it has to be made.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) is_there: bool,
}

/// The keys of the service.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) log: Place,
    pub(crate) result: Place,
}

impl Keys {
    /// Where the keys are. Nothing is made.
    pub(crate) fn find(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            log: find(config, config.keys.log.as_deref(), LOG)?,
            result: find(config, config.keys.result.as_deref(), "result.key")?,
        })
    }

    /// Whether one has to be made.
    pub(crate) const fn is_first_start(&self) -> bool {
        !self.log.is_there || !self.result.is_there
    }

    /// Makes those that are not there: when nothing was ever signed with them.
    pub(crate) async fn make(&self, config: &Config) -> Result<(), Error> {
        if !self.is_first_start() {
            return Ok(());
        }
        make_folder(&config.folder)?;
        if file(config)?.is_some_and(|file| file.exists()) {
            let store = open(config).await?;
            let records = store.log().await?.size;
            store.close().await;
            let lost = [&self.log, &self.result].into_iter().find(|key| !key.is_there);
            if let Some(lost) = lost.filter(|_| records > 0) {
                return Err(Error::KeyLost { path: lost.path.clone(), records });
            }
        }
        if !self.log.is_there {
            let fail = |why| Error::LogKey { path: self.log.path.clone(), why };
            let (_, text) = LogKey::generate(&log_name(config)).map_err(fail)?;
            made(files::write_private(&self.log.path, format!("{text}\n").as_bytes()))?;
        }
        if !self.result.is_there {
            let fail = |why| Error::ResultKey { path: self.result.path.clone(), why };
            let key = SigningKey::generate(Algorithm::Es256).map_err(fail)?;
            let text = key.to_pkcs8_pem().map_err(fail)?;
            made(files::write_private(&self.result.path, text.as_bytes()))?;
        }
        Ok(())
    }
}

/// Another process that starts at the same time may have made it; then that one counts.
fn made(written: Result<(), Error>) -> Result<(), Error> {
    match written {
        Err(Error::Exists(_)) => Ok(()),
        written => written,
    }
}

fn find(config: &Config, named: Option<&Path>, name: &str) -> Result<Place, Error> {
    match named {
        Some(path) if is_there(path)? => Ok(Place { path: path.to_owned(), is_there: true }),
        Some(path) => Err(Error::NoKey { path: path.to_owned(), log: name == LOG }),
        // Each node would make one of its own.
        None if file(config)?.is_none() => Err(Error::KeysOfNodes),
        None => {
            let path = config.folder.join(name);
            Ok(Place { is_there: is_there(&path)?, path })
        }
    }
}

/// The key of the log.
pub(crate) fn log_key(path: &Path) -> Result<LogKey, Error> {
    LogKey::read(&files::read_text(path)?).map_err(|why| Error::LogKey { path: path.to_owned(), why })
}

/// The key of the log that the configuration names, for commands that start nothing.
pub(crate) fn log_key_of(config: &Config) -> Result<LogKey, Error> {
    log_key(&config.keys.log.clone().unwrap_or_else(|| config.folder.join(LOG)))
}

/// The key of results.
pub(crate) fn result_key(path: &Path) -> Result<SigningKey, Error> {
    SigningKey::read(&files::read(path)?).map_err(|why| Error::ResultKey { path: path.to_owned(), why })
}

/// Public keys that signed results before: those of all files.
pub(crate) fn former_results(config: &Config) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for path in &config.keys.former_results {
        let fail = |why| Error::ResultKey { path: path.clone(), why };
        let bytes = files::read(path)?;
        // Also tells private keys apart, which must not be published.
        KeySet::read(&bytes).map_err(fail)?;
        let mut value = keyvouch::input::parse_json(&bytes)
            .map_err(|e| fail(keyvouch_results::KeyError::Json(e.to_string())))?;
        match value.get_mut("keys").map(Value::take) {
            Some(Value::Array(keys)) => all.extend(keys),
            _ => all.push(value),
        }
    }
    Ok(all)
}

/// The name of the log: by the address of the service.
fn log_name(config: &Config) -> String {
    let host = config.public_url.as_deref().and_then(host);
    host.map_or_else(|| LOCAL.to_owned(), |host| format!("{host}/log"))
}

/// The host of an address.
fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    Some(host).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_named_after_the_address_of_its_service() {
        for (url, name) in [
            (Some("https://attest.example"), "attest.example/log"),
            (Some("https://attest.example:8443/keyvouch/"), "attest.example/log"),
            (Some("http://[2001:db8::1]:80"), "[2001:db8::1]/log"),
            (Some("attest.example"), "attest.example/log"),
            (Some("https://"), LOCAL),
            (None, LOCAL),
        ] {
            let config = Config { public_url: url.map(str::to_owned), ..Config::default() };
            assert_eq!(log_name(&config), name);
            assert!(LogKey::generate(name).is_ok());
        }
    }
}
