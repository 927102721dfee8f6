//! What is known beforehand: trust anchors, certifications and advisories of devices, and what the operator
//! denies.
//!
//! The built-in facts are the TOML files below `data/` in the repository, compiled in. An operator's file has
//! the same tables, and adds to them. Every error names the file, the entry, and what to change.

pub mod anchors;
pub mod android_status;
pub mod deny;
pub mod devices;
pub mod fido;
pub mod firmware;
mod operator;
pub mod unattested;

use std::fmt;
use std::io;

use base64::Engine as _;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use self::anchors::Anchors;
use self::deny::DenyList;
use self::devices::Devices;
use self::unattested::UnattestedDevices;
use crate::pki::{Certificate, RevocationList};
use crate::time::Time;

/// The built-in data files. A new file is one line here.
const DATA: &[(&str, &str)] = &[
    ("data/anchors/android.toml", include_str!("../../../../data/anchors/android.toml")),
    ("data/anchors/apple.toml", include_str!("../../../../data/anchors/apple.toml")),
    ("data/anchors/aws.toml", include_str!("../../../../data/anchors/aws.toml")),
    ("data/anchors/crypto4a-qasm.toml", include_str!("../../../../data/anchors/crypto4a-qasm.toml")),
    ("data/anchors/fortanix.toml", include_str!("../../../../data/anchors/fortanix.toml")),
    ("data/anchors/google-cloud-hsm.toml", include_str!("../../../../data/anchors/google-cloud-hsm.toml")),
    ("data/anchors/marvell.toml", include_str!("../../../../data/anchors/marvell.toml")),
    ("data/anchors/nshield.toml", include_str!("../../../../data/anchors/nshield.toml")),
    ("data/anchors/securosys.toml", include_str!("../../../../data/anchors/securosys.toml")),
    ("data/anchors/smartcard-hsm.toml", include_str!("../../../../data/anchors/smartcard-hsm.toml")),
    ("data/anchors/thales-luna.toml", include_str!("../../../../data/anchors/thales-luna.toml")),
    ("data/anchors/tpm-intermediates.toml", include_str!("../../../../data/anchors/tpm-intermediates.toml")),
    ("data/anchors/tpm.toml", include_str!("../../../../data/anchors/tpm.toml")),
    ("data/anchors/webauthn.toml", include_str!("../../../../data/anchors/webauthn.toml")),
    ("data/anchors/yubihsm2.toml", include_str!("../../../../data/anchors/yubihsm2.toml")),
    ("data/anchors/yubikey-openpgp.toml", include_str!("../../../../data/anchors/yubikey-openpgp.toml")),
    ("data/anchors/yubikey-piv.toml", include_str!("../../../../data/anchors/yubikey-piv.toml")),
    ("data/devices/amd.toml", include_str!("../../../../data/devices/amd.toml")),
    ("data/devices/crypto4a.toml", include_str!("../../../../data/devices/crypto4a.toml")),
    ("data/devices/entrust.toml", include_str!("../../../../data/devices/entrust.toml")),
    ("data/devices/fortanix.toml", include_str!("../../../../data/devices/fortanix.toml")),
    ("data/devices/infineon.toml", include_str!("../../../../data/devices/infineon.toml")),
    ("data/devices/longmai.toml", include_str!("../../../../data/devices/longmai.toml")),
    ("data/devices/marvell.toml", include_str!("../../../../data/devices/marvell.toml")),
    ("data/devices/nuvoton.toml", include_str!("../../../../data/devices/nuvoton.toml")),
    ("data/devices/securosys.toml", include_str!("../../../../data/devices/securosys.toml")),
    (
        "data/devices/stmicroelectronics.toml",
        include_str!("../../../../data/devices/stmicroelectronics.toml"),
    ),
    ("data/devices/thales.toml", include_str!("../../../../data/devices/thales.toml")),
    ("data/devices/utimaco.toml", include_str!("../../../../data/devices/utimaco.toml")),
    (
        "data/devices/without-attestation.toml",
        include_str!("../../../../data/devices/without-attestation.toml"),
    ),
    ("data/devices/yubico.toml", include_str!("../../../../data/devices/yubico.toml")),
];

/// The tables that a data file can have.
const TABLES: &[&str] =
    &["anchor", "certification", "uncertified", "advisory", "without_attestation", "deny"];

/// The largest data file that is read, in bytes.
const MAX_FILE: usize = 4 << 20;

/// The reference data that an appraisal uses.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// Whom to believe.
    pub anchors: Anchors,
    /// What is known of devices.
    pub devices: Devices,
    /// What is known to have no attestation.
    pub unattested: UnattestedDevices,
    /// What the FIDO Metadata Service says of models of authenticators.
    pub fido: fido::Metadata,
    /// What the operator refuses.
    pub deny: DenyList,
    /// Certificates of the operator that are no anchors: they help to build paths and give no trust, unless a format
    /// says otherwise.
    pub intermediates: Vec<Certificate>,
    /// Revocation lists of the operator.
    pub revocation_lists: Vec<RevocationList>,
}

impl Reference {
    /// The data that comes with keyvouch.
    ///
    /// # Errors
    ///
    /// The built-in data is checked like an operator's; a test makes sure that it has no errors.
    pub fn builtin() -> Result<Self, DataError> {
        Self::from_data(DATA)
    }

    /// The files of the data that comes with keyvouch: their names and texts.
    pub fn builtin_data() -> impl Iterator<Item = (&'static str, &'static str)> {
        DATA.iter().copied()
    }

    /// Data as it came with another version of keyvouch ([`Reference::builtin_data`]), to judge as that one did.
    /// Whoever gives these files decides what is believed.
    ///
    /// # Errors
    ///
    /// Names the file, the entry, and what is wrong.
    pub fn from_data(files: &[(&str, &str)]) -> Result<Self, DataError> {
        let mut reference = Self::default();
        for (name, text) in files {
            reference.load(&Tables::read(name, text, Origin::BuiltIn)?)?;
        }
        reference.anchors.check()?;
        reference.fido = fido::Metadata::builtin()?;
        Ok(reference)
    }

    /// No data at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds an operator's file: TOML with any of the tables `anchor`, `certification`, `uncertified`,
    /// `advisory`, `deny`.
    ///
    /// # Errors
    ///
    /// Names the file, the entry, and what to change. After an error the data is as it was before.
    pub fn load_operator_file(&mut self, name: &str, text: &str) -> Result<(), DataError> {
        let tables = Tables::read(name, text, Origin::Operator(name.to_owned()))?;
        let mut loaded = self.clone();
        loaded.load(&tables)?;
        loaded.anchors.check()?;
        *self = loaded;
        Ok(())
    }

    fn load(&mut self, tables: &Tables) -> Result<(), DataError> {
        for anchor in anchors::read(tables)? {
            self.anchors.add(anchor)?;
        }
        self.devices.load(tables)?;
        self.unattested.load(tables)?;
        if tables.origin == Origin::BuiltIn {
            tables.refuse_all_but(
                "built-in data",
                &["anchor", "certification", "uncertified", "advisory", "without_attestation"],
            )?;
        }
        for entry in tables.of("deny") {
            self.deny.insert(deny::read(entry)?);
        }
        Ok(())
    }

    /// Names this data: the SHA-256, in hex, of all its content. The names of the files, and the order in
    /// which they were read, are no content; only of the denied families of devices the order is, because it
    /// decides which reason is given.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256));
        let mut intermediates: Vec<_> = self.intermediates.iter().map(|c| hex::encode(c.sha256())).collect();
        intermediates.sort();
        let mut lists: Vec<_> = self.revocation_lists.iter().map(|l| hex::encode(l.sha256())).collect();
        lists.sort();
        let content = (
            "keyvouch.reference/1",
            self.anchors.iter().collect::<Vec<_>>(),
            self.devices.canonical(),
            self.unattested.iter().collect::<Vec<_>>(),
            &self.fido,
            self.deny.canonical(),
            intermediates,
            lists,
        );
        if let Err(error) = serde_json::to_writer(&mut hasher, &content) {
            // Cannot happen: the hasher takes every byte, and every value has a JSON form. Were it to happen,
            // the digest would be that of no content.
            hasher.0.update(b"\0incomplete: ");
            hasher.0.update(error.to_string().as_bytes());
        }
        hex::encode(hasher.0.finish())
    }
}

struct Hasher(aws_lc_rs::digest::Context);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where an entry comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It comes with keyvouch.
    BuiltIn,
    /// It is the operator's; the name of the file.
    Operator(String),
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // Without the file's name: it is no part of what is known.
        to.serialize_str(match self {
            Self::BuiltIn => "built-in",
            Self::Operator(_) => "operator",
        })
    }
}

/// An error in a data file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{problem}", Self::prefix(.entry))]
pub struct DataError {
    file: String,
    entry: String,
    problem: String,
}

impl DataError {
    fn new(file: &str, entry: &str, problem: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), entry: entry.to_owned(), problem: problem.to_string() }
    }

    fn prefix(entry: &str) -> String {
        if entry.is_empty() { String::new() } else { format!("{entry}: ") }
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The entry, such as `[[anchor]] "example-root"`; empty when the error is in the file as a whole.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// What is wrong, and what to do.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// A day, as `YYYY-MM-DD`, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(Time);

impl Date {
    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Exactly ten characters, so that nothing but the date can be in them.
        if text.len() != 10 {
            return None;
        }
        format!("{text}T00:00:00Z").parse().ok().map(Self)
    }

    /// Its first second.
    #[must_use]
    pub const fn first_second(self) -> Time {
        self.0
    }

    /// Its last second.
    #[must_use]
    pub const fn last_second(self) -> Time {
        self.0.plus_seconds(86_399)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.split_once('T').map_or(text.as_str(), |(date, _)| date))
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A data file, taken apart into entries that are not read yet.
struct Tables {
    file: String,
    origin: Origin,
    entries: Vec<Entry>,
}

/// One entry of a data file.
struct Entry {
    file: String,
    table: &'static str,
    label: String,
    value: toml::Value,
}

impl Tables {
    fn read(file: &str, text: &str, origin: Origin) -> Result<Self, DataError> {
        if text.len() > MAX_FILE {
            return Err(DataError::new(file, "", format_args!("larger than {MAX_FILE} bytes: split it")));
        }
        let document: toml::Table = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.bytes().filter(|b| *b == b'\n').count().saturating_add(1);
            DataError::new(file, "", format_args!("line {line}: not valid TOML: {}", error.message()))
        })?;
        let mut entries = Vec::new();
        for (key, value) in document {
            let Some(table) = TABLES.iter().copied().find(|t| *t == key) else {
                let known = TABLES.join("]], [[");
                let problem = format_args!("unknown table {key:?}: the tables are [[{known}]]").to_string();
                return Err(DataError::new(file, "", problem));
            };
            let toml::Value::Array(values) = value else {
                return Err(DataError::new(
                    file,
                    "",
                    format_args!("{table} is not a list of tables: write [[{table}]]"),
                ));
            };
            for (i, value) in values.into_iter().enumerate() {
                let label = Entry::label(table, i.saturating_add(1), &value);
                entries.push(Entry { file: file.to_owned(), table, label, value });
            }
        }
        Ok(Self { file: file.to_owned(), origin, entries })
    }

    /// The entries of one table, in the order of the file.
    fn of(&self, table: &'static str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |e| e.table == table)
    }

    fn refuse_all_but(&self, what: &str, tables: &[&str]) -> Result<(), DataError> {
        match self.entries.iter().find(|e| !tables.contains(&e.table)) {
            None => Ok(()),
            Some(e) => Err(e.error(format_args!("{what} has no [[{}]] entries: take it out", e.table))),
        }
    }
}

impl Entry {
    /// How errors name the entry: by its id if it has one, else by its number.
    fn label(table: &str, number: usize, value: &toml::Value) -> String {
        let text = |key: &str| value.get(key).and_then(toml::Value::as_str);
        match (text("scheme"), text("id")) {
            (Some(scheme), Some(id)) => format!("[[{table}]] \"{scheme} {id}\""),
            (None, Some(id)) => format!("[[{table}]] {id:?}"),
            (_, None) => format!("[[{table}]] number {number}"),
        }
    }

    fn row<T: DeserializeOwned>(&self) -> Result<T, DataError> {
        self.value.clone().try_into().map_err(|error: toml::de::Error| self.error(error.message()))
    }

    fn error(&self, problem: impl fmt::Display) -> DataError {
        DataError::new(&self.file, &self.label, problem)
    }
}

fn hex_32(entry: &Entry, field: &str, text: &str) -> Result<[u8; 32], DataError> {
    hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        entry.error(format_args!(
            "{field}: {text:?} is not a SHA-256 in hex: write its 64 digits without separators"
        ))
    })
}

fn base64_der(entry: &Entry, field: &str, text: &str) -> Result<Vec<u8>, DataError> {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|error| entry.error(format_args!("{field} is not base64 in one line: {error}")))
}

fn date(entry: &Entry, field: &str, text: &str) -> Result<Date, DataError> {
    Date::parse(text)
        .ok_or_else(|| entry.error(format_args!("{field}: {text:?} is not a date such as 2026-06-01")))
}

fn time(entry: &Entry, field: &str, text: &str) -> Result<Time, DataError> {
    text.parse().map_err(|error| entry.error(format_args!("{field}: {error}")))
}

fn not_empty(entry: &Entry, field: &str, text: &str) -> Result<(), DataError> {
    if text.trim().is_empty() {
        return Err(entry.error(format_args!("{field} is empty: fill it in")));
    }
    Ok(())
}

/// The lists of names in data files: at least one, none empty, none twice.
fn names(entry: &Entry, field: &str, list: &[String]) -> Result<(), DataError> {
    if list.is_empty() {
        return Err(entry.error(format_args!("{field} is an empty list: name at least one")));
    }
    for (i, name) in list.iter().enumerate() {
        not_empty(entry, field, name)?;
        if list.iter().take(i).any(|earlier| earlier == name) {
            return Err(entry.error(format_args!("{field} has {name:?} twice: keep one")));
        }
    }
    Ok(())
}

/// Ids are lower-case words joined by hyphens.
fn kebab(entry: &Entry, field: &str, text: &str) -> Result<(), DataError> {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if text.split('-').all(word) {
        return Ok(());
    }
    Err(entry.error(format_args!("{field}: {text:?} is not made of lower-case words joined by hyphens")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_file_loads() {
        for (name, text) in DATA {
            let tables = Tables::read(name, text, Origin::BuiltIn).unwrap();
            assert_eq!(tables.file, *name);
            assert!(!tables.entries.is_empty(), "{name}");
        }
        let reference = Reference::builtin().unwrap();
        assert!(reference.anchors.iter().count() >= 25);
        assert!(reference.deny.is_empty());
    }

    #[test]
    fn the_digest_names_the_content() {
        let a = Reference::builtin().unwrap();
        assert_eq!(a.digest(), Reference::builtin().unwrap().digest());
        assert_eq!(a.digest().len(), 64);
        assert_ne!(a.digest(), Reference::empty().digest());

        let deny = "[[deny]]\nserial = '1'\nreason = 'r'\n[[deny]]\nserial = '2'\nreason = 'r'\n";
        let mut b = a.clone();
        b.load_operator_file("one.toml", deny).unwrap();
        assert_ne!(a.digest(), b.digest());
        let mut c = a.clone();
        c.load_operator_file("two.toml", deny).unwrap();
        assert_eq!(b.digest(), c.digest(), "the name of the file is no content");
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_files() {
        let load = |reversed: bool| {
            let mut reference = Reference::empty();
            let mut files: Vec<_> = DATA.iter().collect();
            if reversed {
                files.reverse();
            }
            for (name, text) in files {
                reference.load(&Tables::read(name, text, Origin::BuiltIn).unwrap()).unwrap();
            }
            reference.digest()
        };
        assert_eq!(load(false), load(true));
    }

    #[test]
    fn an_operator_file_is_taken_whole_or_not_at_all() {
        let mut reference = Reference::builtin().unwrap();
        let before = reference.digest();
        let text = "[[deny]]\nserial = '1'\nreason = 'r'\n[[deny]]\nserial = '2'\n";
        let error = reference.load_operator_file("mine.toml", text).unwrap_err();
        assert_eq!(error.file(), "mine.toml");
        assert_eq!(error.entry(), "[[deny]] number 2");
        assert!(error.problem().contains("reason"), "{error}");
        assert_eq!(reference.digest(), before);
    }

    #[test]
    fn an_operator_file_may_have_all_tables() {
        let mut reference = Reference::builtin().unwrap();
        let text = r#"
            [[certification]]
            scheme = "qscd"
            id = "AT-1"
            vendor = "Example"
            models = ["Box"]
            module = "Box"
            standard = "eIDAS"
            level = "QSCD"
            fips_mode_required = false
            valid_from = "2026-01-01"
            valid_to = "2030-01-01"
            source = "own look-up"
            looked_up = "2026-11-01"

            [[uncertified]]
            vendor = "Example"
            models = ["Toy"]
            source = "own look-up"
            looked_up = "2026-11-01"

            [[deny]]
            serial = "1"
            reason = "r"
        "#;
        reference.load_operator_file("mine.toml", text).unwrap();
        let at = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(reference.devices.certifications("Example", "Box", None, at).len(), 1);
        assert!(reference.devices.known_uncertified("Example", "Toy"));
        assert_eq!(reference.deny.device("Example", None, Some("1"), None), Some("r"));
    }

    #[test]
    fn errors_in_the_file_as_a_whole() {
        let mut reference = Reference::empty();
        for (text, says) in [
            ("[[anchors]]\nid = 'x'\n", "unknown table \"anchors\""),
            ("anchor = 3\n", "write [[anchor]]"),
            ("\n\n[[anchor\n", "line 3: not valid TOML"),
        ] {
            let error = reference.load_operator_file("mine.toml", text).unwrap_err();
            assert_eq!(error.file(), "mine.toml");
            assert!(error.to_string().contains(says), "{error}");
        }
        let big = "#".repeat(MAX_FILE + 1);
        assert!(reference.load_operator_file("mine.toml", &big).is_err());
    }

    #[test]
    fn built_in_data_denies_nothing() {
        let text = "[[deny]]\nserial = '1'\nreason = 'r'\n";
        let tables = Tables::read("data/x.toml", text, Origin::BuiltIn).unwrap();
        assert!(Reference::empty().load(&tables).is_err());
    }

    #[test]
    fn dates() {
        let date = Date::parse("2026-05-02").unwrap();
        assert_eq!(date.to_string(), "2026-05-02");
        assert_eq!(date.first_second().to_string(), "2026-05-02T00:00:00Z");
        assert_eq!(date.last_second().to_string(), "2026-05-02T23:59:59Z");
        for text in ["", "2026", "2026-13-01", "2026-02-30", "02.05.2026", "2026-5-2"] {
            assert!(Date::parse(text).is_none(), "{text}");
        }
    }
}
