//! Devices, services and proposals that have no statement about keys which a third party can verify.
//!
//! Knowing that is an answer too: a subscriber learns at once that there is nothing to send, and which ways are left.

use std::collections::BTreeMap;

use der::asn1::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use super::{DataError, Date, Entry, Tables, date, kebab, names, not_empty};

/// The methods of the CA/Browser Forum's Code Signing Baseline Requirements (3.10.0, 6.2.7.4.2) by which a CA may
/// make sure of a subscriber's module, with a name for people. Method 2 is key attestation.
const METHODS: &[(u8, &str)] = &[
    (1, "a module that the CA ships, with keys that it generated"),
    (3, "a crypto library and module that the CA prescribes"),
    (4, "an audit showing that only suitable modules are used"),
    (5, "a report of the cloud service's subscription and resource configuration"),
    (6, "a report of an approved auditor who witnessed the creation of the key"),
    (7, "an agreement to use a signing service"),
];

/// The method that a witness statement serves.
const WITNESSED: u8 = 6;

/// How sure it is that there is no attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Documents, source code or a list of others say so.
    Documented,
    /// Nothing was found. There may be something all the same.
    NothingFound,
}

/// A kind of device, service or proposal without attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unattested {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// How a subscriber may name it.
    pub called: Vec<String>,
    /// What there is instead of attestation, in sentences.
    pub exists: String,
    /// What the subscriber can do.
    pub advice: String,
    /// The methods that are left, by number, in order.
    pub methods: Vec<u8>,
    /// The page that tells its owner what to do.
    pub page: Option<String>,
    /// How sure that is.
    pub confidence: Confidence,
    /// Where it was looked up.
    pub source: String,
    /// When it was looked up.
    pub looked_up: Date,
    /// How the common name of its certificates, or of their issuers, begins.
    pub common_names: Vec<String>,
    /// Arcs of the extensions of its certificates and requests.
    #[serde(serialize_with = "as_texts")]
    pub extensions: Vec<ObjectIdentifier>,
}

impl Unattested {
    /// The ways that are left, in one sentence; `None` when there are none.
    #[must_use]
    pub fn ways_left(&self) -> Option<String> {
        let ways = METHODS.iter().filter(|(number, _)| self.methods.contains(number));
        let ways: Vec<String> = ways.map(|(number, text)| format!("{text} (method {number})")).collect();
        (!ways.is_empty()).then(|| {
            let ways = ways.join("; ");
            format!(
                "For code signing, the CA/Browser Forum's Baseline Requirements (6.2.7.4.2) leave: {ways}."
            )
        })
    }

    /// What to do for the ways that keyvouch itself can check; `None` when it can check none.
    #[must_use]
    pub fn to_do(&self) -> Option<String> {
        let witnessed = self.methods.contains(&WITNESSED).then_some(
            "For a witnessed ceremony: `keyvouch witness template --request request.csr > statement.json`, have the auditor fill it in and sign it with `keyvouch witness sign`, and hand over statement and signature (docs/devices/witness-statement.md).",
        );
        let page = self.page.as_ref().map(|page| format!("All of it, step by step: {page}."));
        let all: Vec<&str> = witnessed.into_iter().chain(page.as_deref()).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// Whether the extension is one of its own.
    #[must_use]
    pub fn has_extension(&self, oid: ObjectIdentifier) -> bool {
        self.extensions.iter().any(|arc| {
            let mut arcs = oid.arcs();
            arc.arcs().all(|number| arcs.next() == Some(number))
        })
    }

    /// Whether the common name is one of its own: the very name, or that and more words.
    #[must_use]
    pub fn has_common_name(&self, name: &str) -> bool {
        self.common_names.iter().any(|own| {
            name.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    name: String,
    called: Vec<String>,
    exists: String,
    advice: String,
    methods: Vec<u8>,
    page: Option<String>,
    confidence: Confidence,
    source: String,
    looked_up: String,
    #[serde(default)]
    recognise: Recognise,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recognise {
    #[serde(default)]
    common_names: Vec<String>,
    #[serde(default)]
    extensions: Vec<String>,
}

/// What is known to be without attestation, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnattestedDevices(BTreeMap<String, Unattested>);

impl UnattestedDevices {
    pub(super) fn load(&mut self, tables: &Tables) -> Result<(), DataError> {
        for entry in tables.of("without_attestation") {
            let row = read(entry)?;
            if self.0.contains_key(&row.id) {
                return Err(entry.error("this id is known already: give the entry its own"));
            }
            self.0.insert(row.id.clone(), row);
        }
        Ok(())
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Unattested> {
        self.0.values()
    }

    /// The one that a subscriber means by these words: the one whose name in them is the longest.
    #[must_use]
    pub fn called(&self, declared: &str) -> Option<&Unattested> {
        let declared = words(declared);
        let length = |device: &Unattested| {
            let names = device.called.iter().map(|name| words(name));
            names.filter(|name| contains(&declared, name)).map(|name| name.len()).max()
        };
        let mut best: Option<(usize, &Unattested)> = None;
        for device in self.iter() {
            if let Some(length) = length(device).filter(|l| best.is_none_or(|(longest, _)| *l > longest)) {
                best = Some((length, device));
            }
        }
        best.map(|(_, device)| device)
    }
}

/// The words of a text: letters and digits, without case.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// Whether the words of a name stand in a text, one after another.
pub(crate) fn contains(text: &[String], name: &[String]) -> bool {
    !name.is_empty() && text.windows(name.len()).any(|window| window == name)
}

fn read(entry: &Entry) -> Result<Unattested, DataError> {
    let mut row: Row = entry.row()?;
    kebab(entry, "id", &row.id)?;
    for (field, text) in
        [("name", &row.name), ("exists", &row.exists), ("advice", &row.advice), ("source", &row.source)]
    {
        not_empty(entry, field, text)?;
    }
    let Recognise { common_names, extensions } = row.recognise;
    if row.called.is_empty() && common_names.is_empty() && extensions.is_empty() {
        return Err(entry.error("nothing tells it: add how it is called, or what to recognise it by"));
    }
    for (field, list) in [("called", &row.called), ("common_names", &common_names)] {
        if !list.is_empty() {
            names(entry, field, list)?;
        }
    }
    if let Some(name) = row.called.iter().find(|name| words(name).is_empty()) {
        return Err(entry.error(format_args!("called: {name:?} has no words")));
    }
    if let Some(number) = row.methods.iter().find(|n| !METHODS.iter().any(|(known, _)| known == *n)) {
        return Err(entry.error(format_args!("methods: {number} is not one that can be left")));
    }
    row.methods.sort_unstable();
    row.methods.dedup();
    let arc = |text: &String| {
        ObjectIdentifier::new(text)
            .map_err(|_| entry.error(format_args!("extensions: {text:?} is not an object identifier")))
    };
    Ok(Unattested {
        id: row.id,
        name: row.name,
        called: row.called,
        exists: row.exists,
        advice: row.advice,
        methods: row.methods,
        page: row.page,
        confidence: row.confidence,
        source: row.source,
        looked_up: date(entry, "looked_up", &row.looked_up)?,
        common_names,
        extensions: extensions.iter().map(arc).collect::<Result<_, _>>()?,
    })
}

fn as_texts<S: serde::Serializer>(oids: &[ObjectIdentifier], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(oids.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::super::Reference;
    use super::*;

    fn builtin() -> UnattestedDevices {
        Reference::builtin().unwrap().unattested
    }

    #[test]
    fn a_device_is_known_by_the_words_that_name_it() {
        let known = builtin();
        let id = |declared: &str| known.called(declared).map(|d| d.id.as_str());
        assert_eq!(id("Utimaco SecurityServer Se Gen2"), Some("utimaco"));
        assert_eq!(id("u.trust Anchor CSAR"), Some("utimaco"));
        assert_eq!(id("SafeNet eToken 5110+ FIPS"), Some("thales-etoken"));
        assert_eq!(id("nitrokey 3C NFC"), None, "3C is another word than 3");
        assert_eq!(id("Nitrokey 3 C NFC"), Some("nitrokey-3"));
        assert_eq!(id("a google titan key"), Some("fido-keys"));
        assert_eq!(id("Virtual YubiHSM in Rust"), Some("software-tokens"));
        // Devices that attest, and words that are only part of a name.
        for other in ["Nitrokey HSM 2", "Thales Luna 7", "YubiKey 5", "Azure Managed HSM", "Crypto", "", "?!"]
        {
            assert_eq!(id(other), None, "{other}");
        }
    }

    #[test]
    fn every_name_leads_to_its_own_entry() {
        let known = builtin();
        for device in known.iter() {
            for name in &device.called {
                assert_eq!(known.called(name).map(|d| &d.id), Some(&device.id), "{name}");
            }
        }
    }

    #[test]
    fn arcs_and_names_are_matched_as_a_whole() {
        let known = builtin();
        let draft = known.iter().find(|d| d.id == "draft-pkix-key-attestation-2022").unwrap();
        let oid = |text: &str| ObjectIdentifier::new(text).unwrap();
        assert!(draft.has_extension(oid("1.3.6.1.4.1.54392.5.1567")));
        assert!(!draft.has_extension(oid("1.3.6.1.4.1.54392.51")));
        assert!(!draft.has_extension(oid("1.3.6.1.4.1.54392")));
        let applet = known.iter().find(|d| d.id == "pivapplet").unwrap();
        assert!(applet.has_common_name("PIVApplet Attestation"));
        assert!(applet.has_common_name("PIVApplet Attestation 9a"));
        assert!(!applet.has_common_name("PIVApplet Attestations"));
    }

    #[test]
    fn an_operator_adds_entries_and_errors_name_them() {
        let good = "[[without_attestation]]\nid = 'acme'\nname = 'Acme HSM'\ncalled = ['Acme']\nexists = 'x'\n\
                    advice = 'y'\nmethods = [6, 4]\nconfidence = 'nothing-found'\nsource = 's'\nlooked_up = '2026-01-01'\n";
        let mut reference = Reference::builtin().unwrap();
        let before = reference.digest();
        reference.load_operator_file("own.toml", good).unwrap();
        assert_ne!(reference.digest(), before);
        assert_eq!(reference.unattested.called("an Acme box").unwrap().methods, [4, 6]);
        for (text, says) in [
            (good.replace("'acme'", "'utimaco'"), "its own"),
            (good.replace("['Acme']", "[]"), "nothing tells it"),
            (good.replace("['Acme']", "['!']"), "no words"),
            (good.replace("[6, 4]", "[2]"), "methods"),
            (good.replace("'x'", "' '"), "exists"),
            (good.replace("nothing-found", "sure"), "expected `documented`"),
            (format!("{good}[without_attestation.recognise]\nextensions = ['x']\n"), "object identifier"),
        ] {
            let error = Reference::builtin().unwrap().load_operator_file("own.toml", &text).unwrap_err();
            assert!(error.to_string().contains(says), "{says}: {error}");
        }
    }
}
