//! Trust anchors: the keys that evidence has to end at.
//!
//! An anchor is a name and a key. A maker may publish several certificates for them (reissues with new dates
//! or path lengths); those are one anchor, valid in each of the published periods. Certificates inside
//! evidence never become anchors.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use der::Tag;
use serde::{Deserialize, Serialize, Serializer};

pub use super::Origin;

use super::{DATA, DataError, Date, Entry, Tables, base64_der, date, hex_32, kebab, names, not_empty, time};
use crate::crypto::{PublicKey, sha256};
use crate::time::Time;
use crate::wire::der::content;

/// What an anchor may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorKind {
    /// Paths may end here.
    Root,
    /// A published certification authority below a root. Trusted only through the anchor that issued it.
    Intermediate,
    /// A bare public key, pinned without certificate, name or validity. Formats whose signers are keys and not
    /// certificates may end there ([`Anchors::keys_for`]); certificate paths never do.
    Key,
    /// Known, so that it can be recognised, and never trusted: another application's authority, a preview or
    /// test root.
    Untrusted,
}

/// Who confirmed that a published certificate is the maker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmed {
    /// The maker published it.
    Maker,
    /// Only others published it.
    ThirdParty,
    /// The operator vouches for it.
    Operator,
}

/// A published certificate of an anchor's name and key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedCertificate {
    /// The SHA-256 of its DER.
    #[serde(serialize_with = "as_hex")]
    pub sha256: [u8; 32],
    /// Its serial number, in lower-case hex.
    pub serial: String,
    /// The first second of its validity.
    #[serde(serialize_with = "as_text")]
    pub not_before: Time,
    /// The last second of its validity.
    #[serde(serialize_with = "as_text")]
    pub not_after: Time,
    /// Where it was published.
    pub source: String,
    /// When it was looked up there; operators need not say.
    pub looked_up: Option<Date>,
    /// Who confirmed it.
    pub confirmed: Confirmed,
}

/// Where a bare key was published, which has no certificate to say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedKey {
    /// Where it was published.
    pub source: String,
    /// When it was looked up there; operators need not say.
    pub looked_up: Option<Date>,
    /// Who confirmed it.
    pub confirmed: Confirmed,
}

/// A name and a key that evidence may end at, or that is known and must not be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anchor {
    /// Its id, unique among all anchors.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What it may be used for.
    pub kind: AnchorKind,
    /// The formats it may anchor, sorted.
    pub formats: Vec<String>,
    /// Whether it may anchor every format: the operator named none.
    pub every_format: bool,
    /// Its part in the formats, for those that tell anchors apart.
    pub role: Option<String>,
    /// The id of the anchor that issued it, for intermediates. An operator's may have none.
    pub issuer: Option<String>,
    /// Its name, as the DER that stands in certificates; empty for a bare key.
    #[serde(serialize_with = "as_base64")]
    pub subject: Vec<u8>,
    /// Its public key, as DER SubjectPublicKeyInfo.
    #[serde(serialize_with = "as_base64")]
    pub spki: Vec<u8>,
    /// The same key, ready to verify signatures.
    #[serde(skip)]
    pub key: PublicKey,
    /// The SHA-256 of `spki`.
    #[serde(serialize_with = "as_hex")]
    pub spki_sha256: [u8; 32],
    /// The path length of its latest certificate's basic constraints; `None`: no constraint recorded.
    pub path_len: Option<u32>,
    /// The certificates published for it, oldest first; at least one, unless it is a bare key.
    pub certificates: Vec<PublishedCertificate>,
    /// Where a bare key was published; `None` for every other anchor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedKey>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Anchor {
    /// An anchor from a certificate that the operator handed over. It has no formats, so it applies to every
    /// one.
    ///
    /// The id is made from its name and key.
    ///
    /// # Errors
    ///
    /// If the name or key is not the DER that a certificate has.
    pub fn from_operator(
        file: &str,
        name: &str,
        kind: AnchorKind,
        subject: &[u8],
        spki: &[u8],
        path_len: Option<u32>,
        certificate: PublishedCertificate,
    ) -> Result<Self, DataError> {
        let name_and_key = hex::encode(sha256(&[subject, spki].concat()));
        let spki_sha256 = sha256(spki);
        let key = public_key(spki).map_err(|problem| DataError::new(file, name, problem))?;
        let anchor = Self {
            id: format!("operator-{name_and_key}"),
            name: name.to_owned(),
            kind,
            formats: Vec::new(),
            every_format: true,
            role: None,
            issuer: None,
            subject: subject.to_owned(),
            spki: spki.to_owned(),
            key,
            spki_sha256,
            path_len,
            certificates: vec![certificate],
            published: None,
            origin: Origin::Operator(file.to_owned()),
        };
        anchor.check().map_err(|problem| DataError::new(file, name, problem))?;
        Ok(anchor)
    }

    /// An anchor from a bare public key that the operator handed over, for every format that ends at keys.
    ///
    /// # Errors
    ///
    /// If the anchor is not in order.
    pub fn key_from_operator(file: &str, key: &PublicKey) -> Result<Self, DataError> {
        let spki_sha256 = key.spki_sha256();
        let name = format!("{} key of {file}", key.algorithm());
        let anchor = Self {
            id: format!("operator-key-{}", hex::encode(spki_sha256)),
            name: name.clone(),
            kind: AnchorKind::Key,
            formats: Vec::new(),
            every_format: true,
            role: None,
            issuer: None,
            subject: Vec::new(),
            spki: key.spki_der().to_owned(),
            key: key.clone(),
            spki_sha256,
            path_len: None,
            certificates: Vec::new(),
            published: Some(PublishedKey {
                source: "the operator's key".to_owned(),
                looked_up: None,
                confirmed: Confirmed::Operator,
            }),
            origin: Origin::Operator(file.to_owned()),
        };
        anchor.check().map_err(|problem| DataError::new(file, &name, problem))?;
        Ok(anchor)
    }

    /// Whether it may anchor evidence of this format. What is untrusted is so by its kind: this says only
    /// where it is known.
    #[must_use]
    pub fn applies_to(&self, format: &str) -> bool {
        self.every_format || self.formats.iter().any(|f| f == format)
    }

    /// Whether it is a key alone: no certificate, no name. Such an anchor can be distrusted like any other.
    #[must_use]
    pub fn is_bare_key(&self) -> bool {
        self.published.is_some()
    }

    /// Whether one of its certificates is valid at this time; never for a bare key, which has none.
    #[must_use]
    pub fn valid_at(&self, at: Time) -> bool {
        self.certificates.iter().any(|c| c.not_before <= at && at <= c.not_after)
    }

    /// The first second in which it is valid.
    #[must_use]
    pub fn not_before(&self) -> Option<Time> {
        self.certificates.iter().map(|c| c.not_before).min()
    }

    /// The last second in which it is valid.
    #[must_use]
    pub fn not_after(&self) -> Option<Time> {
        self.certificates.iter().map(|c| c.not_after).max()
    }

    /// When it is valid, for people: the periods of its certificates, those that meet joined.
    #[must_use]
    pub fn period(&self) -> String {
        let mut periods: Vec<(Time, Time)> = Vec::new();
        for c in &self.certificates {
            match periods.last_mut() {
                Some((_, end)) if c.not_before <= end.plus_seconds(1) => *end = (*end).max(c.not_after),
                _ => periods.push((c.not_before, c.not_after)),
            }
        }
        let texts: Vec<_> = periods.iter().map(|(from, to)| format!("{from} to {to}")).collect();
        texts.join(", and ")
    }

    /// What holds for every anchor, wherever it comes from; an error says what is wrong.
    fn check(&self) -> Result<(), String> {
        if self.kind == AnchorKind::Key && !self.is_bare_key() {
            return Err("a key has no subject and no certificate: take them out".to_owned());
        }
        if self.is_bare_key() {
            if !matches!(self.kind, AnchorKind::Key | AnchorKind::Untrusted) {
                return Err("a root or intermediate has a subject and certificates: add them".to_owned());
            }
            if self.path_len.is_some() || !self.certificates.is_empty() || !self.subject.is_empty() {
                return Err("a key has no subject, certificate or path_len: take them out".to_owned());
            }
        } else if content(&self.subject, Tag::Sequence).is_none_or(<[u8]>::is_empty) {
            return Err(
                "subject is not the DER of one name: take the whole Name, with its SEQUENCE".to_owned()
            );
        }
        let actual = sha256(&self.spki);
        if actual != self.spki_sha256 {
            return Err(format!(
                "fingerprint does not match key: spki_sha256 is {}, the SHA-256 of spki is {}: find out which is \
                 right, do not just copy the second",
                hex::encode(self.spki_sha256),
                hex::encode(actual)
            ));
        }
        if self.certificates.is_empty() && !self.is_bare_key() {
            return Err(
                "no certificate: add an [[anchor.certificate]], which says when it is valid".to_owned()
            );
        }
        if self.certificates.iter().any(|c| c.not_before > c.not_after) {
            return Err("not_before is after not_after: check the dates of the certificate".to_owned());
        }
        if self.formats.is_empty() && !self.every_format {
            return Err("no formats: name those it may anchor".to_owned());
        }
        if self.every_format && self.origin == Origin::BuiltIn {
            return Err("built-in anchors name their formats".to_owned());
        }
        match (self.kind, &self.issuer) {
            (AnchorKind::Intermediate, None) if self.origin == Origin::BuiltIn => {
                Err("an intermediate needs an issuer: the id of the anchor that issued it".to_owned())
            }
            (AnchorKind::Intermediate, Some(issuer)) if *issuer == self.id => {
                Err("issuer is the anchor itself: it is a root, or the issuer is wrong".to_owned())
            }
            (AnchorKind::Root | AnchorKind::Key | AnchorKind::Untrusted, Some(_)) => {
                Err("only an intermediate has an issuer: take it out, or correct the kind".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Takes in another anchor of the same name and key. On an error nothing has changed.
    fn merge(&mut self, mut other: Self) -> Result<(), DataError> {
        let label = format!("[[anchor]] {:?}", other.id);
        let fail = |file: &str, what: &str| {
            let problem = format!("the same name and key is {:?}, with {what}", self.id);
            Err(DataError::new(file, &label, problem))
        };
        let distrusts = |anchor: &Self| anchor.kind == AnchorKind::Untrusted;
        let built_in = |anchor: &Self| anchor.origin == Origin::BuiltIn;
        match (built_in(self), built_in(&other)) {
            (true, true) => {
                if self.kind != other.kind {
                    return fail(other.file(), "another kind: correct one");
                }
                if (&self.role, &self.issuer, self.path_len) != (&other.role, &other.issuer, other.path_len) {
                    return fail(other.file(), "another role, issuer or path_len: make them equal");
                }
            }
            (false, false) if distrusts(self) != distrusts(&other) => {
                return fail(other.file(), "trusted in one place and untrusted in another: take one out");
            }
            (false, false) => {}
            (false, true) => std::mem::swap(self, &mut other),
            (true, false) => {}
        }
        // The operator may trust what is not trusted by default, and the other way round. A root and an
        // intermediate are both trusted: there it stays what it was.
        if distrusts(self) != distrusts(&other) {
            self.kind = other.kind;
            self.role = other.role;
            self.issuer = other.issuer;
        }
        for certificate in other.certificates {
            if !self.certificates.iter().any(|c| c.sha256 == certificate.sha256) {
                self.certificates.push(certificate);
            }
        }
        self.formats.extend(other.formats);
        // A certificate that the operator hands over names no formats. That makes an anchor of his own good for
        // every format; it does not widen what is known of a maker's.
        self.every_format |= other.every_format && self.origin != Origin::BuiltIn;
        self.tidy();
        Ok(())
    }

    fn tidy(&mut self) {
        self.formats.sort();
        self.formats.dedup();
        self.certificates.sort_by_key(|c| (c.not_before, c.not_after, c.sha256));
    }

    fn file(&self) -> &str {
        match &self.origin {
            Origin::BuiltIn => "built-in data",
            Origin::Operator(file) => file,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorRow {
    id: String,
    name: String,
    kind: AnchorKind,
    formats: Option<Vec<String>>,
    role: Option<String>,
    issuer: Option<String>,
    /// Absent for a bare key, like the certificates.
    subject: Option<String>,
    spki: String,
    spki_sha256: String,
    path_len: Option<u32>,
    #[serde(default)]
    certificate: Vec<CertificateRow>,
    published: Option<PublishedRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishedRow {
    source: Option<String>,
    looked_up: Option<String>,
    confirmed: Option<Confirmed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateRow {
    sha256: String,
    serial: String,
    not_before: String,
    not_after: String,
    source: Option<String>,
    looked_up: Option<String>,
    confirmed: Option<Confirmed>,
}

/// Reads a data file of `[[anchor]]` entries as part of the built-in data.
///
/// # Errors
///
/// Names the file, the entry, and what to change.
pub fn parse_file(name: &str, text: &str) -> Result<Vec<Anchor>, DataError> {
    parse(name, text, Origin::BuiltIn)
}

/// Reads an operator's file of `[[anchor]]` entries: formats, sources and, for intermediates, issuers may be
/// left out.
///
/// # Errors
///
/// Names the file, the entry, and what to change.
pub fn parse_operator_file(name: &str, text: &str) -> Result<Vec<Anchor>, DataError> {
    parse(name, text, Origin::Operator(name.to_owned()))
}

fn parse(name: &str, text: &str, origin: Origin) -> Result<Vec<Anchor>, DataError> {
    let tables = Tables::read(name, text, origin)?;
    tables.refuse_all_but("an anchor file", &["anchor"])?;
    read(&tables)
}

/// Reads the `[[anchor]]` entries of a file.
pub(super) fn read(tables: &Tables) -> Result<Vec<Anchor>, DataError> {
    let mut anchors: Vec<Anchor> = Vec::new();
    for entry in tables.of("anchor") {
        let anchor = read_anchor(entry, &tables.origin)?;
        if anchors.iter().any(|a| a.id == anchor.id) {
            return Err(entry.error("this id is used twice in the file: give each anchor its own"));
        }
        anchors.push(anchor);
    }
    Ok(anchors)
}

fn read_anchor(entry: &Entry, origin: &Origin) -> Result<Anchor, DataError> {
    let row: AnchorRow = entry.row()?;
    kebab(entry, "id", &row.id)?;
    not_empty(entry, "name", &row.name)?;
    for format in row.formats.iter().flatten() {
        kebab(entry, "formats", format)?;
    }
    let formats = row.formats.unwrap_or_default();
    if !formats.is_empty() {
        names(entry, "formats", &formats)?;
    }
    if let Some(role) = &row.role {
        kebab(entry, "role", role)?;
    }
    let certificates =
        row.certificate.into_iter().map(|c| read_certificate(entry, c, origin)).collect::<Result<_, _>>()?;
    let spki = base64_der(entry, "spki", &row.spki)?;
    let mut anchor = Anchor {
        id: row.id,
        name: row.name,
        kind: row.kind,
        every_format: formats.is_empty() && *origin != Origin::BuiltIn,
        formats,
        role: row.role,
        issuer: row.issuer,
        subject: row.subject.map(|s| base64_der(entry, "subject", &s)).transpose()?.unwrap_or_default(),
        key: public_key(&spki).map_err(|problem| entry.error(problem))?,
        spki,
        spki_sha256: hex_32(entry, "spki_sha256", &row.spki_sha256)?,
        path_len: row.path_len,
        certificates,
        published: row.published.map(|p| read_published(entry, p, origin)).transpose()?,
        origin: origin.clone(),
    };
    anchor.check().map_err(|problem| entry.error(problem))?;
    anchor.tidy();
    Ok(anchor)
}

fn read_certificate(
    entry: &Entry,
    row: CertificateRow,
    origin: &Origin,
) -> Result<PublishedCertificate, DataError> {
    if row.serial.is_empty() || !row.serial.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(entry.error(format_args!(
            "serial: {:?} is not hex: write its digits without separators",
            row.serial
        )));
    }
    let PublishedKey { source, looked_up, confirmed } = read_published(
        entry,
        PublishedRow { source: row.source, looked_up: row.looked_up, confirmed: row.confirmed },
        origin,
    )?;
    Ok(PublishedCertificate {
        sha256: hex_32(entry, "sha256", &row.sha256)?,
        serial: row.serial.to_ascii_lowercase(),
        not_before: time(entry, "not_before", &row.not_before)?,
        not_after: time(entry, "not_after", &row.not_after)?,
        source,
        looked_up,
        confirmed,
    })
}

/// Where something was published; an operator need not say.
fn read_published(entry: &Entry, row: PublishedRow, origin: &Origin) -> Result<PublishedKey, DataError> {
    let looked_up = row.looked_up.as_deref().map(|t| date(entry, "looked_up", t)).transpose()?;
    let (source, confirmed) = match origin {
        Origin::BuiltIn => {
            let (Some(source), Some(_), Some(confirmed)) = (row.source, looked_up, row.confirmed) else {
                return Err(
                    entry.error("certificate or key needs source, looked_up and confirmed: fill them in")
                );
            };
            not_empty(entry, "source", &source)?;
            if confirmed == Confirmed::Operator {
                return Err(
                    entry.error("confirmed: built-in data is confirmed by \"maker\" or \"third-party\"")
                );
            }
            (source, confirmed)
        }
        Origin::Operator(_) => (
            row.source.unwrap_or_else(|| "operator".to_owned()),
            row.confirmed.unwrap_or(Confirmed::Operator),
        ),
    };
    Ok(PublishedKey { source, looked_up, confirmed })
}

/// The key of an anchor, which has to be one that can verify signatures.
fn public_key(spki: &[u8]) -> Result<PublicKey, String> {
    PublicKey::from_spki_der(spki)
        .map_err(|e| format!("spki is not the DER of one SubjectPublicKeyInfo that can be used: {e}"))
}

/// A set of anchors, to be looked up by name, key or id.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    anchors: Vec<Anchor>,
    /// By id, for a fixed order.
    ids: BTreeMap<String, usize>,
    /// Ids of anchors that were merged into another.
    merged_ids: HashMap<String, usize>,
    subjects: HashMap<Vec<u8>, Vec<usize>>,
    keys: HashMap<Vec<u8>, Vec<usize>>,
    /// Made when it is first asked for, and anew after every change.
    formats: OnceLock<ByFormat>,
}

/// Which anchors apply to a format, of every kind, in the order of their ids.
#[derive(Clone, Debug, Default)]
struct ByFormat {
    /// For the formats that an anchor names, by format.
    named: HashMap<String, Vec<usize>>,
    /// For any other format.
    others: Vec<usize>,
}

impl ByFormat {
    fn of(anchors: &Anchors) -> Self {
        let mut all = Self::default();
        for format in anchors.iter().flat_map(|a| &a.formats) {
            if !all.named.contains_key(format) {
                all.named.insert(format.clone(), Vec::new());
            }
        }
        for (index, anchor) in anchors.ids.values().filter_map(|i| Some((*i, anchors.anchors.get(*i)?))) {
            for (_, list) in all.named.iter_mut().filter(|(format, _)| anchor.applies_to(format)) {
                list.push(index);
            }
            if anchor.every_format {
                all.others.push(index);
            }
        }
        all
    }

    fn get(&self, format: &str) -> &[usize] {
        self.named.get(format).unwrap_or(&self.others)
    }
}

impl Anchors {
    /// The anchors that come with keyvouch.
    ///
    /// # Errors
    ///
    /// The built-in data is checked like an operator's; a test makes sure that it has no errors.
    pub fn builtin() -> Result<Self, DataError> {
        let mut anchors = Self::empty();
        for (name, text) in DATA {
            for anchor in read(&Tables::read(name, text, Origin::BuiltIn)?)? {
                anchors.add(anchor)?;
            }
        }
        anchors.check()?;
        Ok(anchors)
    }

    /// No anchors.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds an anchor. One of the same name and key takes it in: the periods and formats are united, and the
    /// id, the name and the role stay those of the built-in one. Between trusted and untrusted the operator's
    /// word counts.
    ///
    /// # Errors
    ///
    /// If the anchor is not in order, or its id is that of another one.
    pub fn add(&mut self, mut anchor: Anchor) -> Result<(), DataError> {
        let fail = |anchor: &Anchor, problem: &str| {
            Err(DataError::new(anchor.file(), &format!("[[anchor]] {:?}", anchor.id), problem))
        };
        if let Err(problem) = anchor.check() {
            return fail(&anchor, &problem);
        }
        anchor.tidy();
        self.formats = OnceLock::new();
        let same = self.subjects.get(&anchor.subject).into_iter().flatten().copied();
        let same = same.into_iter().find(|i| self.anchors.get(*i).is_some_and(|a| a.spki == anchor.spki));
        let id_of = self.ids.get(&anchor.id).or_else(|| self.merged_ids.get(&anchor.id)).copied();
        if id_of.is_some() && id_of != same {
            return fail(&anchor, "this id is that of another anchor: give it its own");
        }
        let index = match same {
            Some(index) => {
                let Some(existing) = self.anchors.get_mut(index) else { return Ok(()) };
                let old_id = existing.id.clone();
                let new_id = anchor.id.clone();
                existing.merge(anchor)?;
                self.ids.remove(&old_id);
                self.ids.insert(existing.id.clone(), index);
                for id in [old_id, new_id] {
                    if id != existing.id {
                        self.merged_ids.insert(id, index);
                    }
                }
                index
            }
            None => {
                let index = self.anchors.len();
                self.ids.insert(anchor.id.clone(), index);
                self.subjects.entry(anchor.subject.clone()).or_default().push(index);
                self.keys.entry(anchor.spki.clone()).or_default().push(index);
                self.anchors.push(anchor);
                index
            }
        };
        // Keep what one look-up finds in the order of the ids.
        if let Some(anchor) = self.anchors.get(index) {
            let id = |i: &usize| self.anchors.get(*i).map(|a| a.id.clone());
            for list in [self.subjects.get_mut(&anchor.subject), self.keys.get_mut(&anchor.spki)] {
                list.into_iter().for_each(|list| list.sort_by_key(id));
            }
        }
        Ok(())
    }

    /// Whether every issuer that is named is there, and none issued itself in a roundabout way.
    ///
    /// # Errors
    ///
    /// Names the anchor whose issuer is wrong.
    pub fn check(&self) -> Result<(), DataError> {
        for anchor in self.iter() {
            let fail = |problem: String| {
                Err(DataError::new(anchor.file(), &format!("[[anchor]] {:?}", anchor.id), problem))
            };
            let mut at = anchor;
            let mut steps = 0..self.anchors.len();
            while let Some(issuer) = &at.issuer {
                let Some(next) = self.by_id(issuer) else {
                    return fail(format!("issuer {issuer:?} is not the id of an anchor: correct it"));
                };
                // More steps than there are anchors: they go in a circle.
                if steps.next().is_none() {
                    return fail("its issuers go in a circle: correct one".to_owned());
                }
                at = next;
            }
        }
        Ok(())
    }

    /// All anchors, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Anchor> {
        self.ids.values().filter_map(|i| self.anchors.get(*i))
    }

    /// The anchors that apply to a format, of any kind, in the order of their ids.
    fn of_format<'a>(&'a self, format: &str) -> impl Iterator<Item = &'a Anchor> + use<'a> {
        self.found(self.formats.get_or_init(|| ByFormat::of(self)).get(format))
    }

    /// The roots that may anchor a format, in the order of their ids.
    pub fn roots_for<'a>(&'a self, format: &'a str) -> impl Iterator<Item = &'a Anchor> {
        self.of_format(format).filter(|a| a.kind == AnchorKind::Root)
    }

    /// The bare keys that evidence of a format may end at, in the order of their ids.
    pub fn keys_for<'a>(&'a self, format: &'a str) -> impl Iterator<Item = &'a Anchor> {
        self.of_format(format).filter(|a| a.kind == AnchorKind::Key)
    }

    /// The intermediates of a format, in the order of their ids.
    pub fn intermediates_for<'a>(&'a self, format: &'a str) -> impl Iterator<Item = &'a Anchor> {
        self.of_format(format).filter(|a| a.kind == AnchorKind::Intermediate)
    }

    /// What is known of a format and not trusted, in the order of the ids.
    pub fn untrusted_for<'a>(&'a self, format: &'a str) -> impl Iterator<Item = &'a Anchor> {
        self.of_format(format).filter(|a| a.kind == AnchorKind::Untrusted)
    }

    /// What is known and not trusted, in the order of the ids.
    pub fn untrusted(&self) -> impl Iterator<Item = &Anchor> {
        self.iter().filter(|a| a.kind == AnchorKind::Untrusted)
    }

    /// The anchors of this name (DER), of any kind and format, in the order of their ids.
    pub fn by_subject<'a>(&'a self, subject: &[u8]) -> impl Iterator<Item = &'a Anchor> + use<'a> {
        self.found(self.subjects.get(subject).map_or(&[], Vec::as_slice))
    }

    /// The anchors of this public key (DER SubjectPublicKeyInfo), of any kind and format, in the order of
    /// their ids.
    pub fn by_spki<'a>(&'a self, spki: &[u8]) -> impl Iterator<Item = &'a Anchor> + use<'a> {
        self.found(self.keys.get(spki).map_or(&[], Vec::as_slice))
    }

    /// The anchor of this id, also when it was merged into another.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Anchor> {
        let index = self.ids.get(id).or_else(|| self.merged_ids.get(id))?;
        self.anchors.get(*index)
    }

    /// The anchor that issued this intermediate: `None` when none is named, or the operator stopped trusting
    /// it. An operator's intermediate may name none; look for its issuer by name and signature then.
    #[must_use]
    pub fn issuer_of(&self, anchor: &Anchor) -> Option<&Anchor> {
        self.by_id(anchor.issuer.as_ref()?).filter(|a| a.kind != AnchorKind::Untrusted)
    }

    fn found<'a>(&'a self, indices: &'a [usize]) -> impl Iterator<Item = &'a Anchor> + use<'a> {
        indices.iter().filter_map(|i| self.anchors.get(*i))
    }
}

fn as_hex<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(bytes))
}

fn as_base64<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    to.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn as_text<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key; `n` makes it unlike others.
    fn spki(n: u8) -> Vec<u8> {
        // Ed25519 (RFC 8410, section 4)
        let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        [head.as_slice(), &[n; 32]].concat()
    }

    fn subject(n: u8) -> Vec<u8> {
        vec![0x30, 0x02, 0x31, n]
    }

    fn base64(bytes: &[u8]) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    /// An `[[anchor]]` entry of name and key `n`, valid for the years given.
    fn entry(id: &str, n: u8, kind: &str, years: &[(u16, u16)]) -> String {
        let mut text = format!(
            "[[anchor]]\nid = '{id}'\nname = 'Name {n}'\nkind = '{kind}'\nformats = ['marvell']\n\
             subject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n",
            base64(&subject(n)),
            base64(&spki(n)),
            hex::encode(sha256(&spki(n)))
        );
        if kind == "intermediate" {
            text.push_str("issuer = 'root'\n");
        }
        for (i, (from, to)) in years.iter().enumerate() {
            text.push_str(&format!(
                "[[anchor.certificate]]\nsha256 = '{}'\nserial = '0{i}'\nnot_before = '{from}-01-01T00:00:00Z'\n\
                 not_after = '{to}-12-31T23:59:59Z'\nsource = 'test'\nlooked_up = '2026-11-01'\nconfirmed = 'maker'\n",
                hex::encode(sha256(format!("{n} {from} {to}").as_bytes()))
            ));
        }
        text
    }

    fn set(texts: &[String]) -> Anchors {
        let mut set = Anchors::empty();
        for text in texts {
            for anchor in parse_file("built-in.toml", text).unwrap() {
                set.add(anchor).unwrap();
            }
        }
        set
    }

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn ids<'a>(anchors: impl Iterator<Item = &'a Anchor>) -> Vec<&'a str> {
        anchors.map(|a| a.id.as_str()).collect()
    }

    #[test]
    fn built_in_anchors_are_those_expected() {
        let set = Anchors::builtin().unwrap();
        assert_eq!(
            ids(set.roots_for("yubikey-piv")),
            ["yubico-attestation-root-1", "yubico-piv-root-263751", "yubico-u2f-root-457200631"]
        );
        assert_eq!(
            ids(set.roots_for("marvell")),
            ["marvell-liquidsecurity-2-mi-root", "marvell-liquidsecurity-root"]
        );
        assert_eq!(ids(set.roots_for("google-cloud-hsm")).len(), 3);
        assert_eq!(ids(set.roots_for("azure-managed-hsm")).len(), 2);
        assert_eq!(ids(set.roots_for("securosys")), ["securosys-primus-hsm-rootkey-2024"]);
        assert_eq!(ids(set.roots_for("crypto4a-qasm")), ["crypto4a-rca"]);
        assert_eq!(
            ids(set.roots_for("thales-luna")),
            ["thales-chrysalis-its-root", "thales-safenet-ecc-manufacturer-integrity"]
        );
        assert_eq!(ids(set.roots_for("apple-mda")), ["apple-enterprise-attestation-root"]);
        assert_eq!(
            ids(set.roots_for("apple-app-attest")),
            ["apple-app-attestation-root", "apple-root-ca-g3"]
        );
        // Every root of an ACME statement is one of the format inside, or the operator's.
        assert_eq!(set.roots_for("acme-device-attest").count(), 0);
        assert_eq!(ids(set.roots_for("fortanix")), ["fortanix-attestation-and-provisioning-root"]);
        assert_eq!(ids(set.roots_for("yubihsm2")), ["yubico-attestation-root-1", "yubico-yubihsm-root"]);
        assert_eq!(set.intermediates_for("yubihsm2").count(), 4);
        assert_eq!(set.roots_for("no-such-format").count(), 0);
        assert_eq!(set.intermediates_for("yubikey-piv").count(), 5);
        assert_eq!(set.intermediates_for("marvell").count(), 0);
        assert_eq!(set.intermediates_for("yubikey-openpgp").count(), 5);
        assert_eq!(set.untrusted().filter(|a| a.role.as_deref() == Some("preview")).count(), 5);
        assert_eq!(set.untrusted().filter(|a| a.role.as_deref() == Some("other-application")).count(), 6);
        for anchor in set.intermediates_for("yubikey-piv").chain(set.intermediates_for("yubikey-openpgp")) {
            let mut top = anchor;
            while let Some(issuer) = set.issuer_of(top) {
                top = issuer;
            }
            assert_eq!(top.id, "yubico-attestation-root-1");
        }
        let third_party: Vec<_> = set
            .iter()
            .filter(|a| !a.id.starts_with("tpm-") && !a.id.starts_with("android-"))
            .filter(|a| a.certificates.iter().any(|c| c.confirmed != Confirmed::Maker))
            .collect();
        assert_eq!(
            ids(third_party.into_iter()),
            [
                "aws-cloudhsm-root-g1",
                "crypto4a-rca",
                "globalsign-root-r3",
                "securosys-primus-hsm-rootkey-2024",
                "thales-chrysalis-its-root"
            ]
        );
    }

    #[test]
    fn built_in_anchors_are_found_by_name_key_and_id() {
        let set = Anchors::builtin().unwrap();
        for anchor in set.iter() {
            // Fortanix's test root has the name of the true one.
            // AMD's two TPM keys share their name, and so do Samsung's roots of two generations.
            if !["fortanix-", "tpm-", "android-"].iter().any(|maker| anchor.id.starts_with(maker)) {
                assert_eq!(ids(set.by_subject(&anchor.subject)), [&anchor.id]);
            }
            // Makers of TPMs wrote the names of four keys in two ways each.
            if !anchor.id.starts_with("tpm-") {
                assert_eq!(ids(set.by_spki(&anchor.spki)), [&anchor.id]);
            }
            assert!(ids(set.by_spki(&anchor.spki)).contains(&anchor.id.as_str()));
            assert_eq!(set.by_id(&anchor.id), Some(anchor));
        }
        assert_eq!(set.by_subject(&[0x30, 0x00]).count(), 0);
        assert_eq!(set.by_spki(&[]).count(), 0);
        assert!(set.by_id("no-such-anchor").is_none());
    }

    #[test]
    fn periods_of_reissued_roots_are_united() {
        let set = Anchors::builtin().unwrap();
        let root = set.by_id("marvell-liquidsecurity-root").unwrap();
        assert_eq!(root.certificates.len(), 2);
        assert_eq!(root.period(), "2015-11-19T13:55:25Z to 2034-07-23T20:29:20Z");
        assert!(root.valid_at(at("2025-12-01T00:00:00Z")), "after the first certificate's end");
        assert!(!root.valid_at(at("2034-07-23T20:29:21Z")));

        // Yubico's preview authority was renewed only after it had ended.
        let preview = set.by_id("yubico-piv-preview-ca").unwrap();
        assert_eq!(
            preview.period(),
            "2018-04-12T10:59:17Z to 2018-12-31T10:59:17Z, and 2019-02-18T12:32:22Z to 2020-02-18T12:32:22Z"
        );
        assert!(preview.valid_at(at("2018-12-31T10:59:17Z")), "the end is inclusive");
        assert!(!preview.valid_at(at("2018-12-31T10:59:18Z")));
        assert!(!preview.valid_at(at("2019-02-18T12:32:21Z")));
        assert!(preview.valid_at(at("2019-02-18T12:32:22Z")), "the start is inclusive");
        assert_eq!(preview.not_before(), Some(at("2018-04-12T10:59:17Z")));
        assert_eq!(preview.not_after(), Some(at("2020-02-18T12:32:22Z")));
    }

    #[test]
    fn an_operator_anchor_of_the_same_name_and_key_is_merged() {
        let mut set = set(&[entry("root", 1, "root", &[(2000, 2010)])]);
        let mine =
            entry("mine", 1, "root", &[(2000, 2010), (2020, 2030)]).replace("'marvell'", "'securosys'");
        for anchor in parse_operator_file("mine.toml", &mine).unwrap() {
            set.add(anchor).unwrap();
        }
        assert_eq!(ids(set.iter()), ["root"]);
        let root = set.by_id("root").unwrap();
        assert_eq!(set.by_id("mine"), Some(root));
        assert_eq!(root.formats, ["marvell", "securosys"]);
        assert_eq!(root.certificates.len(), 2);
        assert_eq!(root.origin, Origin::BuiltIn);
        assert!(root.valid_at(at("2005-01-01T00:00:00Z")));
        assert!(!root.valid_at(at("2015-01-01T00:00:00Z")), "a gap stays a gap");
        assert!(root.valid_at(at("2025-01-01T00:00:00Z")));
    }

    #[test]
    fn merging_does_not_depend_on_the_order() {
        let built_in = parse_file("b.toml", &entry("root", 1, "root", &[(2000, 2010)])).unwrap().remove(0);
        let mine =
            parse_operator_file("m.toml", &entry("mine", 1, "root", &[(2005, 2030)])).unwrap().remove(0);
        let mut a = Anchors::empty();
        a.add(built_in.clone()).unwrap();
        a.add(mine.clone()).unwrap();
        let mut b = Anchors::empty();
        b.add(mine).unwrap();
        b.add(built_in).unwrap();
        assert_eq!(a.iter().collect::<Vec<_>>(), b.iter().collect::<Vec<_>>());
        assert_eq!(a.by_id("mine").map(|x| &x.id), b.by_id("mine").map(|x| &x.id));
        assert_eq!(a.by_id("root").unwrap().period(), "2000-01-01T00:00:00Z to 2030-12-31T23:59:59Z");
    }

    #[test]
    fn the_operator_decides_between_trusted_and_untrusted() {
        let kind_after = |first: &str, second: &str| {
            let mut set = set(&[entry("a", 1, first, &[(2000, 2010)])]);
            let mine = entry("a", 1, second, &[(2000, 2010)]);
            set.add(parse_operator_file("m.toml", &mine).unwrap().remove(0)).unwrap();
            set.by_id("a").unwrap().kind
        };
        assert_eq!(kind_after("untrusted", "root"), AnchorKind::Root);
        assert_eq!(kind_after("root", "untrusted"), AnchorKind::Untrusted);
        assert_eq!(kind_after("root", "intermediate"), AnchorKind::Root);
        assert_eq!(kind_after("intermediate", "root"), AnchorKind::Intermediate);

        let mut set = set(&[
            entry("root", 1, "root", &[(2000, 2010)]),
            entry("below", 2, "intermediate", &[(2000, 2010)]),
        ]);
        assert!(set.issuer_of(set.by_id("below").unwrap()).is_some());
        let distrust = entry("root", 1, "untrusted", &[(2000, 2010)]);
        set.add(parse_operator_file("m.toml", &distrust).unwrap().remove(0)).unwrap();
        set.check().unwrap();
        assert!(set.issuer_of(set.by_id("below").unwrap()).is_none());

        // Two operator files that contradict each other are an error.
        let trust = entry("root", 1, "root", &[(2000, 2010)]);
        let mut set = Anchors::empty();
        set.add(parse_operator_file("m.toml", &distrust).unwrap().remove(0)).unwrap();
        let error = set.add(parse_operator_file("n.toml", &trust).unwrap().remove(0)).unwrap_err();
        assert_eq!(error.file(), "n.toml");
    }

    #[test]
    fn operator_anchors_without_formats_apply_to_every_format_unless_known() {
        let certificate = PublishedCertificate {
            sha256: [7; 32],
            serial: "01".to_owned(),
            not_before: at("2000-01-01T00:00:00Z"),
            not_after: at("2030-01-01T00:00:00Z"),
            source: "operator".to_owned(),
            looked_up: None,
            confirmed: Confirmed::Operator,
        };
        let root = |n: u8, key: &[u8]| {
            let c = certificate.clone();
            Anchor::from_operator("own.pem", "Own root", AnchorKind::Root, &subject(n), key, None, c)
        };
        let mut set = set(&[entry("root", 1, "root", &[(2000, 2010)])]);
        set.add(root(1, &spki(1)).unwrap()).unwrap();
        set.add(root(2, &spki(1)).unwrap()).unwrap();
        // The one that was known already keeps its formats; the other is good for every one.
        assert_eq!(set.roots_for("any-format").count(), 1);
        assert_eq!(set.roots_for("marvell").count(), 2);
        assert_eq!(set.by_spki(&spki(1)).count(), 2, "one key under two names");
        assert!(!set.by_id("root").unwrap().every_format);
        assert!(root(3, b"no key").is_err());

        let text = entry("own", 4, "root", &[(2000, 2010)]).replace("formats = ['marvell']\n", "");
        assert!(parse_operator_file("own.toml", &text).unwrap()[0].applies_to("any-format"));
        assert!(parse_file("own.toml", &text).is_err());
    }

    #[test]
    fn look_ups_by_format_follow_every_change() {
        let mut set = set(&[
            entry("root", 1, "root", &[(2000, 2010)]),
            entry("below", 2, "intermediate", &[])
                .replace("formats = ['marvell']", "formats = ['marvell', 'tpm']")
                + "[[anchor.certificate]]\nsha256 = '0101010101010101010101010101010101010101010101010101010101010101'\n\
               serial = '00'\nnot_before = '2000-01-01T00:00:00Z'\nnot_after = '2010-12-31T23:59:59Z'\n\
               source = 'test'\nlooked_up = '2026-11-01'\nconfirmed = 'maker'\n",
        ]);
        let roots =
            |set: &Anchors, format: &str| set.roots_for(format).map(|a| a.id.clone()).collect::<Vec<_>>();
        let by_look = |set: &Anchors, format: &str| {
            set.iter()
                .filter(|a| a.kind == AnchorKind::Root && a.applies_to(format))
                .map(|a| a.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(roots(&set, "marvell"), ["root"]);
        assert_eq!(set.intermediates_for("tpm").count(), 1);
        assert!(roots(&set, "tpm").is_empty() && roots(&set, "android").is_empty());
        // One of the operator's for every format, then one of his that widens it, then the built-in one of that key.
        let own = entry("own", 3, "root", &[(2000, 2010)]).replace("formats = ['marvell']\n", "");
        let android = entry("built-in", 3, "root", &[(2011, 2012)]).replace("marvell", "android");
        let wider = entry("wider", 4, "root", &[(2000, 2010)]).replace("marvell", "tpm");
        for (text, operators) in [(own, true), (wider, true), (android, false)] {
            let read = if operators { parse_operator_file } else { parse_file };
            set.add(read("x.toml", &text).unwrap().remove(0)).unwrap();
            for format in ["marvell", "tpm", "android", "any"] {
                assert_eq!(roots(&set, format), by_look(&set, format), "{format}");
            }
        }
        assert_eq!(roots(&set, "android"), ["built-in"]);
        assert!(roots(&set, "any").is_empty());
    }

    #[test]
    fn look_ups_are_in_the_order_of_the_ids() {
        let key_of_1 = |id: &str, n: u8| {
            entry(id, n, "root", &[(2000, 2010)])
                .replace(&base64(&spki(n)), &base64(&spki(1)))
                .replace(&hex::encode(sha256(&spki(n))), &hex::encode(sha256(&spki(1))))
        };
        let set = set(&[key_of_1("zebra", 1), key_of_1("ant", 2), key_of_1("bee", 3)]);
        assert_eq!(ids(set.by_spki(&spki(1))), ["ant", "bee", "zebra"]);
        assert_eq!(ids(set.iter()), ["ant", "bee", "zebra"]);
    }

    #[test]
    fn errors_name_the_file_and_the_entry() {
        let good = entry("example", 1, "root", &[(2000, 2010)]);
        assert!(parse_file("x.toml", &good).is_ok());
        let fingerprint = hex::encode(sha256(&spki(1)));
        let twice = format!("{good}{}", entry("example", 2, "root", &[(2000, 2010)]));
        for (text, says) in [
            (good.replace(&fingerprint, &"00".repeat(32)), "fingerprint does not match key"),
            (good.replace(&fingerprint, "00"), "spki_sha256"),
            (good.replace("kind = 'root'", "kind = 'root'\ncolour = 'red'"), "colour"),
            (good.replace("serial = '00'", "serial = '00'\ncolour = 'red'"), "colour"),
            (good.replace("2000-01-01T00:00:00Z", "2000-01-01"), "not_before"),
            (good.replace("2010-12-31T23:59:59Z", "2010-13-31T23:59:59Z"), "not_after"),
            (good.replace("2010-12-31T23:59:59Z", "1999-12-31T23:59:59Z"), "not_before is after not_after"),
            (good.replace("2026-11-01", "2026-11-31"), "looked_up"),
            (good.replace(&base64(&spki(1)), "MAgw*"), "spki is not base64"),
            (good.replace(&base64(&subject(1)), "MAIxAQ"), "subject is not base64"),
            (
                good.replace(&base64(&subject(1)), &base64(&[0x30, 0x02, 0x31, 1, 0])),
                "subject is not the DER",
            ),
            (good.replace(&base64(&subject(1)), &base64(&[0x30, 0x00])), "subject is not the DER"),
            (good.replace(&base64(&spki(1)), &base64(&subject(1))), "spki is not the DER"),
            (good.replace("kind = 'root'", "kind = 'leaf'"), "leaf"),
            (good.replace("kind = 'root'", "kind = 'root'\nissuer = 'other'"), "issuer"),
            (good.replace("kind = 'root'", "kind = 'intermediate'"), "issuer"),
            (good.replace("kind = 'root'", "kind = 'intermediate'\nissuer = 'example'"), "anchor itself"),
            (good.replace("['marvell']", "[]"), "formats"),
            (good.replace("['marvell']", "['marvell', 'marvell']"), "twice"),
            (good.replace("['marvell']", "['Marvell']"), "formats"),
            (good.replace("serial = '00'", "serial = '0x00'"), "serial"),
            (good.replace("'maker'", "'operator'"), "confirmed"),
            (good.replace("source = 'test'\n", ""), "source"),
            (entry("example", 1, "root", &[]), "no certificate"),
            (twice, "used twice"),
        ] {
            let error = parse_file("x.toml", &text).unwrap_err();
            assert_eq!(error.file(), "x.toml", "{error}");
            assert_eq!(error.entry(), "[[anchor]] \"example\"", "{error}");
            assert!(error.to_string().contains(says), "{says}: {error}");
        }
        let error = parse_file("x.toml", &good.replace("id = 'example'\n", "")).unwrap_err();
        assert_eq!(error.to_string(), "x.toml: [[anchor]] number 1: missing field `id`");
    }

    fn bare_key(id: &str, n: u8, kind: &str) -> String {
        format!(
            "[[anchor]]\nid = '{id}'\nname = 'Key {n}'\nkind = '{kind}'\nformats = ['nshield']\nspki = '{}'\n\
             spki_sha256 = '{}'\n[anchor.published]\nsource = 'test'\nlooked_up = '2026-01-01'\nconfirmed = 'maker'\n",
            base64(&spki(n)),
            hex::encode(sha256(&spki(n)))
        )
    }

    #[test]
    fn a_bare_key_is_found_by_its_format_and_never_on_a_path() {
        let mut set = Anchors::empty();
        let key = parse_file("x.toml", &bare_key("key", 1, "key")).unwrap().remove(0);
        assert!(key.is_bare_key() && key.subject.is_empty() && !key.valid_at(Time::from_unix(0)));
        set.add(key).unwrap();
        set.check().unwrap();
        assert_eq!(set.keys_for("nshield").count(), 1);
        assert_eq!(set.keys_for("marvell").count(), 0);
        assert_eq!(set.roots_for("nshield").count(), 0);
        // The operator's copy of the same key is the same anchor; another key is another one.
        let own = Anchor::key_from_operator("own.pem", &PublicKey::from_spki_der(&spki(1)).unwrap()).unwrap();
        set.add(own).unwrap();
        let other =
            Anchor::key_from_operator("own.pem", &PublicKey::from_spki_der(&spki(2)).unwrap()).unwrap();
        set.add(other).unwrap();
        assert_eq!(set.keys_for("nshield").count(), 2);
        assert_eq!(set.keys_for("marvell").count(), 1);
        // The operator can distrust it.
        let distrust = parse_operator_file("y.toml", &bare_key("no", 1, "untrusted")).unwrap().remove(0);
        let mut set = Anchors::empty();
        set.add(parse_file("x.toml", &bare_key("key", 1, "key")).unwrap().remove(0)).unwrap();
        set.add(distrust).unwrap();
        assert_eq!(set.keys_for("nshield").count(), 0);
    }

    #[test]
    fn a_bare_key_has_neither_name_nor_certificate() {
        let good = bare_key("key", 1, "key");
        let certified = entry("key", 1, "root", &[(2000, 2010)]).replace("'root'", "'key'");
        for (text, says) in [
            (good.replace("kind = 'key'", "kind = 'root'"), "subject"),
            (good.replace("spki =", "path_len = 1\nspki ="), "path_len"),
            (good.replace("looked_up = '2026-01-01'\n", ""), "looked_up"),
            (good.replace("'maker'", "'operator'"), "confirmed"),
            (certified, "no subject"),
        ] {
            let error = parse_file("x.toml", &text).unwrap_err();
            assert!(error.to_string().contains(says), "{says}: {error}");
        }
    }

    #[test]
    fn errors_between_files() {
        let mut set = set(&[entry("root", 1, "root", &[(2000, 2010)])]);
        let other = parse_file("y.toml", &entry("root", 2, "root", &[(2000, 2010)])).unwrap().remove(0);
        assert!(set.add(other).unwrap_err().to_string().contains("another anchor"));
        let other = parse_file("y.toml", &entry("again", 1, "untrusted", &[(2000, 2010)])).unwrap().remove(0);
        assert!(set.add(other).unwrap_err().to_string().contains("another kind"));

        let below = entry("below", 3, "intermediate", &[(2000, 2010)]);
        set.add(parse_file("y.toml", &below).unwrap().remove(0)).unwrap();
        set.check().unwrap();
        let lost = entry("lost", 4, "intermediate", &[(2000, 2010)]).replace("'root'", "'nobody'");
        set.add(parse_file("y.toml", &lost).unwrap().remove(0)).unwrap();
        assert!(set.check().unwrap_err().to_string().contains("\"nobody\" is not the id"));

        let mut circle = Anchors::empty();
        for (id, n, issuer) in [("a", 1, "'b'"), ("b", 2, "'a'")] {
            let text = entry(id, n, "intermediate", &[(2000, 2010)]).replace("'root'", issuer);
            circle.add(parse_file("y.toml", &text).unwrap().remove(0)).unwrap();
        }
        assert!(circle.check().unwrap_err().to_string().contains("circle"));
    }
}
