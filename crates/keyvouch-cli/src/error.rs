//! Why a command could not do what it was asked, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use keyvouch::requests::EmbedError;
use keyvouch::tpm::activation::ActivationError;
use keyvouch::{DataError, InputError};
use keyvouch_policy::{PolicyError, SettingError};
use keyvouch_record::{AskedError, BundleError, CaseError};

/// Exit status of every error.
pub(crate) const EXIT: u8 = 2;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}: cannot be read: {}", .path.display(), advise(.why))]
    Read { path: PathBuf, why: io::Error },
    #[error("{}: cannot be written: {}", .path.display(), advise(.why))]
    Write { path: PathBuf, why: io::Error },
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    #[error(
        "{}: larger than {} MiB and therefore not read; evidence is a few kilobytes, so look whether this is the right file",
        .0.display(), crate::files::MAX_MIB
    )]
    TooLarge(PathBuf),
    #[error("{}: neither a file nor a folder; give the files that the device or its tool wrote", .0.display())]
    Special(PathBuf),
    #[error("{}: this is a folder; give a file here", .0.display())]
    Folder(PathBuf),
    #[error("{}: the folder has no files in it (hidden files and subfolders do not count)", .0.display())]
    EmptyFolder(PathBuf),
    #[error(
        "{}: the folder has more than {limit} files; give only the evidence of one key", .path.display()
    )]
    ManyFiles { path: PathBuf, limit: usize },
    #[error("{}: not text (UTF-8); save it as such", .0.display())]
    NotText(PathBuf),
    #[error("{}: {why}", .path.display())]
    SubmissionFile { path: PathBuf, why: String },
    #[error(
        "there is no {}, which --trust-submission is about; leave the option out, or name anchors with --anchors",
        crate::submission_file::NAME
    )]
    NothingToTrust,
    #[error(
        "there is more than one {}; with --trust-submission give one folder at a time",
        crate::submission_file::NAME
    )]
    MuchToTrust,
    #[error("{}", two_requests(.0))]
    ManyRequests(Vec<String>),
    #[error("{}", several_keys(.0))]
    SeveralKeys(Vec<String>),
    #[error("option {0}: given twice; only options that take a list can be repeated")]
    OptionTwice(String),
    #[error("no format {id:?}; there are: {}", .known.join(", "))]
    UnknownFormat { id: String, known: Vec<&'static str> },
    #[error("no anchor {0:?}; `keyvouch anchors list` names them")]
    UnknownAnchor(String),
    #[error(
        "no policy {name:?}: it is neither a built-in policy ({}) nor a file", .known.join(", ")
    )]
    UnknownPolicy { name: String, known: Vec<&'static str> },
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("no sample {variant:?} of {format}; `keyvouch emulate {format} --list` names them")]
    UnknownVariant { format: String, variant: String },
    #[error("no emulator for format {id:?}; there are: {}", .known.join(", "))]
    NoEmulator { id: String, known: Vec<&'static str> },
    #[error("{}: the folder is not empty; name a new one, so that nothing is overwritten", .0.display())]
    NotEmpty(PathBuf),
    #[error("the sample could not be made: {0}")]
    Emulator(keyvouch_emulator::Error),
    #[error("{}: it is there already; name a new file, so that nothing is overwritten", .0.display())]
    Exists(PathBuf),
    #[error("{}: {why}", .path.display())]
    Activation { path: PathBuf, why: ActivationError },
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error("{}: {why}", .path.display())]
    RequestKey { path: PathBuf, why: &'static str },
    #[error("name the subject with --subject, such as \"CN=Example\": a public key has none")]
    NoSubject,
    #[error("{0}")]
    Provider(keyvouch_provider::Error),
    #[error("{}: {why}", .path.display())]
    ResultKey { path: PathBuf, why: keyvouch_results::KeyError },
    #[error("the result cannot be made: {0}")]
    Result(#[from] keyvouch_results::IssueError),
    #[error(
        "a result in this form is binary and would garble the terminal; send it into a file: > result.cwt"
    )]
    Binary,
    #[error(
        "{}: holds {found} requests, certificates or public keys; give the one that is to be certified", .path.display()
    )]
    NotOneKey { path: PathBuf, found: usize },
    #[error("{}: {why}", .path.display())]
    Witness { path: PathBuf, why: keyvouch::witness::sign::SignError },
    #[error("{}: {what}", .path.display())]
    Unusable { path: PathBuf, what: &'static str },
    #[error(
        "nothing to sign with: give the private key with --key, or sign elsewhere with --to-be-signed and --signature"
    )]
    NoSigner,
    #[error("this machine gives no random bytes")]
    Random,
    #[error("option {name}: {why}")]
    OptionFile { name: String, why: Box<Error> },
    #[error("{}: {why}", .path.display())]
    ReferenceData { path: PathBuf, why: String },
    #[error(
        "name the folder of the reference data with --reference DIR, or in the environment variable {}",
        crate::reference_folder::VARIABLE
    )]
    NoReferenceFolder,
    #[error(
        "{option} is about the {about}, and none is imported; leave the option out, or name the file with --from"
    )]
    Idle { option: &'static str, about: &'static str },
    #[error("the clock of this machine cannot be read; give the time with --at")]
    Clock,
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{}: {why}", .path.display())]
    Record { path: PathBuf, why: BundleError },
    #[error(transparent)]
    Config(#[from] keyvouch_server::config::ConfigError),
    #[error(transparent)]
    Start(#[from] keyvouch_server::StartError),
    #[error(transparent)]
    Store(#[from] keyvouch_store::StoreError),
    #[error(
        "{}: there is no record; `keyvouch serve` makes it, or name another with --config, --folder or --database", .0.display()
    )]
    NoRecord(PathBuf),
    #[error("{}: {why}", .path.display())]
    LogKey { path: PathBuf, why: keyvouch_record::log::LogError },
    #[error(
        "{0:?} is not the public key of a log: that is one line, name+id+key, as `keyvouch log public` prints it"
    )]
    NotALogKey(String),
    #[error("{}: there is no key; make it with `{}`", .path.display(), make_key(.path, *.log))]
    NoKey { path: PathBuf, log: bool },
    #[error(
        "a service on PostgreSQL may have several nodes, and all of them sign with the same keys: make them once with \
         `keyvouch log key attest.example/log --out log.key` and `keyvouch result key generate result.key`, give them to \
         every node, and name them with --log-key and --result-key or in the configuration (`[keys]`)"
    )]
    KeysOfNodes,
    #[error(
        "{}: the key is not there, and the record has {records} records that rest on it; put it back from your backup. To go on with another key all \
         the same, make one yourself with `keyvouch log key` or `keyvouch result key generate`: checkpoints and results that were signed before stay \
         good under the old public keys only", .path.display()
    )]
    KeyLost { path: PathBuf, records: u64 },
    #[error("{}: the policy cannot be called {name:?}: {why}; rename the file", .path.display())]
    PolicyName { path: PathBuf, name: String, why: &'static str },
    #[error("`trust.options`: no option {0:?}; `keyvouch formats show ID` names those of a format")]
    UnknownOption(String),
    #[error("`trust.options`: option {0} takes a file; write its name in quotes")]
    OptionNeedsFile(String),
    #[error("this machine cannot run the service: {0}")]
    Runtime(io::Error),
    #[error("no token {0:?} is in force; `keyvouch token list` names them")]
    NoToken(String),
    #[error(
        "the record is on PostgreSQL, which has its own tools for backups: use pg_dump, or archive its log continuously; docs/operations.md says how"
    )]
    NotAFile,
    #[error("{}: {why}", .path.display())]
    Checkpoint { path: PathBuf, why: keyvouch_record::log::LogError },
    #[error("records must be kept for at least {0} days; to break that rule, say --force-below-two-years")]
    TooYoung(u32),
    #[error("no re-appraisal {0:?} in this record")]
    NoJob(String),
    #[error("no re-appraisal is waiting to be worked on; start one with `keyvouch reappraise`")]
    NothingToDo,
    #[error(
        "re-appraisal {job} was started with {what} that are not those of this configuration, and half an answer by the one and half by the \
         other is none; start a new one"
    )]
    OtherJudge { job: String, what: &'static str },
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn read(path: &Path, why: io::Error) -> Self {
        Self::Read { path: path.to_owned(), why }
    }

    pub(crate) fn write(path: &Path, why: io::Error) -> Self {
        Self::Write { path: path.to_owned(), why }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(why) if why.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<AskedError> for Error {
    fn from(error: AskedError) -> Self {
        match error {
            AskedError::ManyRequests(files) => Self::ManyRequests(files),
            AskedError::SeveralKeys(statements) => Self::SeveralKeys(statements),
        }
    }
}

/// The reason in plain words where there are some, and what to do.
fn advise(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::NotFound => "it does not exist; check the name".to_owned(),
        io::ErrorKind::PermissionDenied => "you may not; check its permissions".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => format!("{why}; check the name and the disk"),
    }
}

fn make_key(path: &Path, log: bool) -> String {
    let path = crate::commands::quote(path);
    if log {
        format!("keyvouch log key NAME --out {path}")
    } else {
        format!("keyvouch result key generate {path}")
    }
}

fn two_requests(files: &[String]) -> String {
    format!(
        "there are {} certification requests and one key can be judged at a time: {}. Name the one that is to be certified with --request",
        files.len(),
        files.join(", ")
    )
}

fn several_keys(statements: &[String]) -> String {
    let list: Vec<String> = (1..).zip(statements).map(|(n, s): (usize, _)| format!("\n  {n}. {s}")).collect();
    format!(
        "the files hold {} statements that are not about one and the same key:{}\nSay with --request which key is to be certified, or verify them one by one.",
        statements.len(),
        list.concat()
    )
}
