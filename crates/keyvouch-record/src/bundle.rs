//! A case and the report it got, in one ZIP file.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest;
use keyvouch::appraisal::json_text;
use keyvouch::submission::SharedBytes;
use keyvouch::{File, Reference, Submission};
use keyvouch_policy::{Policy, PolicyError, SettingError, Settings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zip::result::ZipError;

use crate::case::{Case, CaseError, TrustData};
use crate::packing::{MAX_FILES, README, harmless, pack, unpack};

const SCHEMA: &str = "keyvouch.record/1";
pub(crate) const MANIFEST: &str = "record.json";

/// A case and the report it got.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// What was judged.
    pub case: Case,
    /// The report, as it was given out: the JSON contract.
    pub report: Vec<u8>,
    /// What the keeper of the record says of it, such as its id and when it was recorded. Nothing is judged by it.
    pub labels: BTreeMap<String, String>,
    /// Signed results and other proofs about the record, by file name. They came after it and are no part of it:
    /// they are carried, not read.
    pub proofs: Vec<File>,
}

/// A record taken apart: what a store keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The manifest: it names every file by its SHA-256, so that it stands for all of the record.
    pub manifest: Vec<u8>,
    /// The files.
    pub files: Vec<Part>,
}

/// A file of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it is in the ZIP file.
    pub path: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub bytes: SharedBytes,
}

/// Why a bundle cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It is no ZIP file, or a damaged one.
    #[error("not a ZIP file that can be read: {0}")]
    Zip(#[from] ZipError),
    /// It is too large.
    #[error("larger than {0} bytes, as no record is")]
    TooLarge(u64),
    /// It has too many files.
    #[error("more than {MAX_FILES} files, as no record has")]
    TooMany,
    /// A file is not there.
    #[error("{0} is missing: this is no record, or not all of it")]
    Missing(String),
    /// A file is there that should not be.
    #[error("{0} is in the ZIP file and not in {MANIFEST}: something was added to the record")]
    Unlisted(String),
    /// A file is not what the manifest says.
    #[error("{0} is not the file that {MANIFEST} describes: the record was altered or damaged")]
    Altered(String),
    /// The manifest cannot be read.
    #[error("{MANIFEST}: {0}")]
    Manifest(String),
    /// The schema is another.
    #[error("{MANIFEST}: schema {0:?}; this keyvouch reads {SCHEMA:?}")]
    Schema(String),
    /// A policy of the record is not one to this version.
    #[error("the record's policy cannot be used: {0}")]
    Policy(#[from] PolicyError),
    /// A policy setting of the record is not one to this version.
    #[error("the record's setting cannot be used: {0}")]
    Setting(#[from] SettingError),
    /// The trust data in it is not that which the manifest names.
    #[error("trust-data/ is not the data that {MANIFEST} names: the record was altered or damaged")]
    TrustData,
    /// The report does not belong to the case.
    #[error(transparent)]
    Case(#[from] CaseError),
}

/// `record.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    schema: String,
    at: String,
    nonce: Option<String>,
    options: Map<String, Value>,
    /// Digest of the trust data that comes with keyvouch.
    trust_data: String,
    default_anchors: bool,
    policy_settings: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Where it is in the ZIP file.
    path: String,
    role: Role,
    /// What reports call it, or the option or policy that it is.
    name: String,
    sha256: String,
    size: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Report,
    Evidence,
    Request,
    Option,
    OperatorData,
    Policy,
}

pub(crate) const TRUST_DATA: &str = "trust-data/";
pub(crate) const RESULT: &str = "result/";

impl Role {
    const fn folder(self) -> &'static str {
        match self {
            Self::Report => "",
            Self::Evidence => "evidence/",
            Self::Request => "request/",
            Self::Option => "options/",
            Self::OperatorData => "anchors/",
            Self::Policy => "policies/",
        }
    }
}

impl Bundle {
    /// Judges a case and keeps the answer with it.
    ///
    /// # Errors
    /// When the case cannot be judged at all.
    pub fn of(case: Case) -> Result<Self, BundleError> {
        let report = case.judge()?;
        let report = report.to_json().map_err(|e| BundleError::Manifest(e.to_string()))?;
        Ok(Self { case, report: report.into_bytes(), labels: BTreeMap::new(), proofs: Vec::new() })
    }

    /// Takes the built-in trust data of this keyvouch along, so that a later version with other data can still
    /// judge as this one did.
    pub fn include_trust_data(&mut self) {
        if self.case.trust_data == TrustData::BuiltIn {
            let files = Reference::builtin_data().map(|(name, text)| File::new(name, text)).collect();
            self.case.trust_data = TrustData::Files(files);
        }
    }

    /// The record taken apart. The same record gives the same bytes.
    ///
    /// # Errors
    /// When its trust data cannot be read.
    pub fn parts(&self) -> Result<Parts, BundleError> {
        let files = self.files();
        let parts: Vec<Part> = numbered(&files)
            .map(|(path, (_, _, bytes))| Part {
                path,
                sha256: hex::encode(bytes.sha256()),
                bytes: bytes.clone(),
            })
            .collect();
        let entries = files.iter().zip(&parts).map(|((role, name, bytes), part)| Entry {
            path: part.path.clone(),
            role: *role,
            name: (*name).to_owned(),
            sha256: part.sha256.clone(),
            size: size(bytes),
        });
        let submission = &self.case.submission;
        let manifest = Manifest {
            schema: SCHEMA.to_owned(),
            at: submission.at.to_string(),
            nonce: submission.nonce.as_ref().map(hex::encode),
            options: submission.options.values().map(|(k, v)| (k.to_owned(), v.clone())).collect(),
            trust_data: self.case.trust_data.digest()?,
            default_anchors: self.case.default_anchors,
            policy_settings: Settings::knobs()
                .iter()
                .filter_map(|k| Some((k.name.to_owned(), self.case.settings.get(k.name)?)))
                .collect(),
            labels: self.labels.clone(),
            files: entries.collect(),
        };
        let manifest = serde_json::to_value(&manifest).and_then(json_text);
        let manifest = manifest.map_err(|e| BundleError::Manifest(e.to_string()))?.into_bytes();
        Ok(Parts { manifest, files: parts })
    }

    /// The ZIP file. The same bundle gives the same bytes.
    ///
    /// # Errors
    /// When a file is too large for it.
    pub fn write(&self) -> Result<Vec<u8>, BundleError> {
        self.write_parts(&self.parts()?)
    }

    /// The ZIP file of a record that was kept in parts, with the trust data and the proofs of this bundle of it. Its manifest
    /// is the one that was kept, byte for byte: a later version of keyvouch would write another, and the log has this one.
    ///
    /// # Errors
    /// When a file is too large for it.
    pub fn write_parts(&self, parts: &Parts) -> Result<Vec<u8>, BundleError> {
        let trust_data = match &self.case.trust_data {
            TrustData::BuiltIn => &[][..],
            TrustData::Files(files) => files,
        };
        pack(parts, trust_data, &self.proofs)
    }

    /// The manifest in a ZIP file: the leaf of the log.
    ///
    /// # Errors
    /// When there is none.
    pub fn manifest(zip: &[u8]) -> Result<Vec<u8>, BundleError> {
        unpack(zip)?.remove(MANIFEST).ok_or_else(|| BundleError::Missing(MANIFEST.to_owned()))
    }

    /// Every file that the manifest lists, with its role and name, in the order of the ZIP file.
    fn files(&self) -> Vec<(Role, &str, SharedBytes)> {
        fn of(role: Role, files: &[File]) -> impl Iterator<Item = (Role, &str, SharedBytes)> {
            files.iter().map(move |f| (role, f.name.as_str(), f.bytes.clone().into()))
        }
        let case = &self.case;
        let mut files = vec![(Role::Report, "report.json", SharedBytes::from(self.report.clone()))];
        files.extend(of(Role::Evidence, &case.submission.evidence));
        files.extend(of(Role::Request, case.submission.request.as_slice()));
        files
            .extend(case.submission.options.files().map(|(name, bytes)| (Role::Option, name, bytes.clone())));
        files.extend(of(Role::OperatorData, &case.operator_data));
        files.extend(case.policies.iter().map(|p| (Role::Policy, p.name(), SharedBytes::from(p.source()))));
        files
    }

    /// Reads a ZIP file. Every file in it is compared with its digest.
    ///
    /// # Errors
    /// When it is no record, or not all of one, or altered.
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        let mut members = unpack(bytes)?;
        let manifest = members.remove(MANIFEST).ok_or_else(|| BundleError::Missing(MANIFEST.to_owned()))?;
        members.remove(README);
        let mut bundle = Self::from_parts(&manifest, |path, _| members.remove(path))?;
        let mut trust_data = Vec::new();
        for (path, bytes) in members {
            if let Some(name) = path.strip_prefix(RESULT) {
                // Without the number that kept the files in order.
                let name = name.split_once('-').map_or(name, |(_, name)| name);
                bundle.proofs.push(File::new(name, bytes));
            } else if let Some(name) = path.strip_prefix(TRUST_DATA) {
                trust_data.push(File::new(name, bytes));
            } else {
                return Err(BundleError::Unlisted(path));
            }
        }
        if !trust_data.is_empty() {
            let named = read_manifest(&manifest)?.trust_data;
            bundle.case.trust_data = TrustData::Files(trust_data);
            if bundle.case.trust_data.digest()? != named {
                return Err(BundleError::TrustData);
            }
        }
        Ok(bundle)
    }

    /// Puts a record together from its manifest and files. `fetch` is given the path and the SHA-256 of each.
    ///
    /// # Errors
    /// When a file is not there or not the one that the manifest names.
    pub fn from_parts(
        manifest: &[u8],
        mut fetch: impl FnMut(&str, &str) -> Option<Vec<u8>>,
    ) -> Result<Self, BundleError> {
        let manifest = read_manifest(manifest)?;
        let mut contents = Contents::default();
        for entry in &manifest.files {
            let bytes = entry.content(&mut fetch)?;
            contents.0.entry(entry.role).or_default().push(File::new(&entry.name, bytes));
        }
        contents.bundle(manifest)
    }
}

impl Parts {
    /// The parts of a record by its manifest. `fetch` is given the path and the SHA-256 of each file.
    ///
    /// # Errors
    /// When a file is not there or not the one that the manifest names.
    pub fn of(
        manifest: Vec<u8>,
        mut fetch: impl FnMut(&str, &str) -> Option<Vec<u8>>,
    ) -> Result<Self, BundleError> {
        let mut files = Vec::new();
        for entry in read_manifest(&manifest)?.files {
            let bytes = entry.content(&mut fetch)?.into();
            files.push(Part { path: entry.path, sha256: entry.sha256, bytes });
        }
        Ok(Self { manifest, files })
    }
}

impl Entry {
    /// The file, when it is the one that the manifest names.
    fn content(&self, fetch: &mut impl FnMut(&str, &str) -> Option<Vec<u8>>) -> Result<Vec<u8>, BundleError> {
        let bytes = fetch(&self.path, &self.sha256).ok_or_else(|| BundleError::Missing(self.path.clone()))?;
        if sha256(&bytes) != self.sha256 || size(&bytes) != self.size {
            return Err(BundleError::Altered(self.path.clone()));
        }
        Ok(bytes)
    }
}

/// The files of a bundle by their roles.
#[derive(Default)]
struct Contents(BTreeMap<Role, Vec<File>>);

impl Contents {
    fn take(&mut self, role: Role) -> Vec<File> {
        self.0.remove(&role).unwrap_or_default()
    }

    fn at_most_one(&mut self, role: Role) -> Result<Option<File>, BundleError> {
        let mut files = self.take(role);
        let first = files.pop();
        if files.is_empty() {
            Ok(first)
        } else {
            Err(BundleError::Manifest(format!("more than one file of the role {role:?}")))
        }
    }

    fn bundle(mut self, manifest: Manifest) -> Result<Bundle, BundleError> {
        let fault = |what: &str| BundleError::Manifest(what.to_owned());
        let report =
            self.at_most_one(Role::Report)?.ok_or_else(|| BundleError::Missing("report.json".into()))?;
        let at = manifest.at.parse().map_err(|_| fault("at: not a time"))?;
        let mut submission = Submission::new(self.take(Role::Evidence), at);
        submission.request = self.at_most_one(Role::Request)?;
        let nonce = manifest.nonce.map(hex::decode).transpose();
        submission.nonce = nonce.map_err(|_| fault("nonce: not hexadecimal"))?;
        for (name, value) in manifest.options {
            submission.options.set(name, value);
        }
        for file in self.take(Role::Option) {
            submission.options.set_file(file.name, file.bytes);
        }
        let mut policies = Vec::new();
        for file in self.take(Role::Policy) {
            let source = String::from_utf8(file.bytes).map_err(|_| fault("a policy that is not text"))?;
            let built_in = Policy::builtin(&file.name).filter(|p| p.source() == source);
            policies.push(built_in.map_or_else(|| Policy::from_source(&file.name, &source), Ok)?);
        }
        let mut settings = Settings::default();
        for (name, value) in &manifest.policy_settings {
            settings.set(name, value)?;
        }
        let case = Case {
            submission,
            trust_data: TrustData::BuiltIn,
            default_anchors: manifest.default_anchors,
            operator_data: self.take(Role::OperatorData),
            policies,
            settings,
        };
        Ok(Bundle { case, report: report.bytes, labels: manifest.labels, proofs: Vec::new() })
    }
}

/// The digest of the trust data that a record was judged with, as its manifest names it.
///
/// # Errors
/// When it is no manifest.
pub fn trust_data_of(manifest: &[u8]) -> Result<String, BundleError> {
    Ok(read_manifest(manifest)?.trust_data)
}

fn read_manifest(bytes: &[u8]) -> Result<Manifest, BundleError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }
    let fault = |e: serde_json::Error| BundleError::Manifest(e.to_string());
    // The schema first: a later one may have other members.
    let Schema { schema } = serde_json::from_slice(bytes).map_err(fault)?;
    if schema != SCHEMA {
        return Err(BundleError::Schema(schema));
    }
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(fault)?;
    let mut paths = BTreeSet::new();
    match manifest.files.iter().find(|entry| !paths.insert(entry.path.as_str())) {
        Some(twice) => Err(BundleError::Manifest(format!("{} is listed twice", twice.path))),
        None => Ok(manifest),
    }
}

/// Every file with its place in the ZIP file: its role's folder, its number there, and as much of its name as is
/// harmless.
fn numbered<'a>(
    files: &'a [(Role, &'a str, SharedBytes)],
) -> impl Iterator<Item = (String, &'a (Role, &'a str, SharedBytes))> {
    let mut counts: BTreeMap<Role, usize> = BTreeMap::new();
    files.iter().map(move |file| {
        let (role, name, _) = file;
        let count = counts.entry(*role).or_default();
        *count = count.saturating_add(1);
        let path = match role {
            Role::Report => (*name).to_owned(),
            _ => format!("{}{count:03}-{}", role.folder(), harmless(name)),
        };
        (path, file)
    })
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
