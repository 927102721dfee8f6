//! What `keyvouch serve` and the commands about its record share: the configuration, the keys, the record.

pub(crate) mod judging;
pub(crate) mod keys;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use keyvouch::Time;
use keyvouch_server::Config;
use keyvouch_store::{Location, Store};
use tokio::runtime::{Builder, Runtime};

use crate::cli::Place;
use crate::error::Error;
use crate::files;

/// The configuration that is read when none is named.
const FILE: &str = "keyvouch.toml";

/// The configuration: the file, over it the environment, over that the command line.
pub(crate) fn config(
    file: Option<&Path>,
    settings: &BTreeMap<&'static str, String>,
) -> Result<Config, Error> {
    let file = file.or_else(|| Some(Path::new(FILE)).filter(|file| file.exists()));
    let text = file.map(files::read_text).transpose()?;
    // A variable that is empty is as good as none, as everywhere in this command.
    let environment = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    Ok(Config::read(file.zip(text.as_deref()), environment, settings)?)
}

/// The configuration of a command that is about the record only.
pub(crate) fn config_of(place: &Place) -> Result<Config, Error> {
    config(place.config.as_deref(), &place.settings())
}

/// Where the record of the configuration is.
pub(crate) fn location(config: &Config) -> Result<Location, Error> {
    Ok(Location::parse(&config.database())?)
}

/// The file of the record, if it is one.
pub(crate) fn file(config: &Config) -> Result<Option<PathBuf>, Error> {
    Ok(match location(config)? {
        Location::Sqlite(file) => Some(file),
        Location::Postgres(_) => None,
    })
}

/// Opens a record that is there.
pub(crate) async fn open(config: &Config) -> Result<Store, Error> {
    match file(config)?.filter(|file| !file.exists()) {
        Some(file) => Err(Error::NoRecord(file)),
        None => Ok(Store::open(&location(config)?).await?),
    }
}

/// Opens the record, and makes it when it is not there.
pub(crate) async fn open_or_make(config: &Config) -> Result<Store, Error> {
    make_place(config)?;
    Ok(Store::open(&location(config)?).await?)
}

/// Makes the folder when the record belongs into it.
pub(crate) fn make_place(config: &Config) -> Result<(), Error> {
    let within = file(config)?.is_some_and(|file| file.starts_with(&config.folder));
    if within { make_folder(&config.folder) } else { Ok(()) }
}

/// Makes the folder of the service: for its owner alone.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path).map_err(|why| Error::write(path, why))
}

/// What runs the store and the service.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> Result<i64, Error> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Error::Clock)?;
    i64::try_from(since.as_millis()).map_err(|_| Error::Clock)
}

/// Milliseconds since 1970 as a time of day.
pub(crate) fn time(ms: i64) -> Time {
    Time::from_unix(ms.div_euclid(1000))
}

/// Whether a file is there; that it cannot be seen is an error.
pub(crate) fn is_there(path: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(Error::read(path, why)),
    }
}
