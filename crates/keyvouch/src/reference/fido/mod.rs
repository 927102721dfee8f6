//! Models of authenticators as the FIDO Metadata Service describes them: below which keys each is attested, how it
//! keeps its keys, and what was reported of it.
//!
//! The built-in index (data/metadata/fido.toml) holds facts of one payload of the service, without its signature. An
//! operator can name a signed BLOB instead: [`Metadata::from_blob`].

mod blob;
mod bundled;

use std::collections::HashMap;

use serde::{Serialize, Serializer};

pub use self::blob::BlobError;

use super::anchors::{Anchor, AnchorKind, Confirmed, PublishedCertificate};
use super::{DataError, Date, Origin};
use crate::crypto::PublicKey;
use crate::pki::name;
use crate::time::Time;

/// What the metadata service says, as far as appraisals use it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Metadata {
    /// Number of the payload: each is greater than the one before.
    pub number: u64,
    /// When the next payload is due.
    pub next_update: Option<Date>,
    /// Where it is from.
    pub source: String,
    models: Vec<Model>,
    anchors: Vec<MetadataAnchor>,
    #[serde(skip)]
    by_aaguid: HashMap<[u8; 16], usize>,
    #[serde(skip)]
    by_key_identifier: HashMap<[u8; 20], usize>,
    #[serde(skip)]
    signed: bool,
}

/// A model of authenticators.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    /// The AAGUID of a FIDO2 authenticator.
    #[serde(serialize_with = "optional_hex")]
    pub aaguid: Option<[u8; 16]>,
    /// SHA-1 of the public keys of a U2F authenticator's attestation certificates.
    #[serde(serialize_with = "list_of_hex")]
    pub key_identifiers: Vec<[u8; 20]>,
    /// The model in its maker's words.
    pub description: String,
    /// Firmware version that the statement is about, in the maker's own numbering.
    pub version: u64,
    /// Types of attestation: `basic_full`, `basic_surrogate`, `attca`, …
    pub attestation: Vec<String>,
    /// How keys are kept: `hardware`, `software`, `secure_element`, `tee`, `remote_handle`.
    pub key_protection: Vec<String>,
    /// Indices of its anchors.
    anchors: Vec<usize>,
    /// What was reported, in no particular order.
    pub reports: Vec<StatusReport>,
}

/// Something that was reported of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// Such as `FIDO_CERTIFIED_L1` or `REVOKED`.
    pub status: String,
    /// Since when.
    pub from: Option<Date>,
    /// Of which firmware version on; `None`: of every one.
    pub version: Option<u64>,
    /// SHA-256 of the key of the one attestation certificate that it is about; `None`: of every one.
    #[serde(serialize_with = "optional_hex")]
    pub certificate_key: Option<[u8; 32]>,
}

/// A certificate below which, or as which, authenticators are attested. It counts as name and key, or as that very
/// certificate: many are intermediates, expired, or without basicConstraints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct MetadataAnchor {
    #[serde(serialize_with = "as_hex")]
    sha256: [u8; 32],
    serial: String,
    #[serde(serialize_with = "as_text")]
    not_before: Time,
    #[serde(serialize_with = "as_text")]
    not_after: Time,
    #[serde(serialize_with = "as_hex")]
    subject: Vec<u8>,
    #[serde(serialize_with = "as_hex")]
    spki: Vec<u8>,
}

impl Metadata {
    /// The index that comes with keyvouch.
    ///
    /// # Errors
    /// Names the entry, and what to change.
    pub fn builtin() -> Result<Self, DataError> {
        bundled::read()
    }

    /// The model with this AAGUID. The AAGUID of zeros is nobody's.
    #[must_use]
    pub fn by_aaguid(&self, aaguid: &[u8; 16]) -> Option<&Model> {
        self.models.get(*self.by_aaguid.get(aaguid).filter(|_| *aaguid != [0; 16])?)
    }

    /// The model with this key identifier of its attestation certificate.
    #[must_use]
    pub fn by_key_identifier(&self, identifier: &[u8; 20]) -> Option<&Model> {
        self.models.get(*self.by_key_identifier.get(identifier)?)
    }

    /// How many models there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// Whether it was read from a BLOB whose signature was verified, and is not the built-in index.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// The anchors of a model, as far as their keys can be used here.
    pub(crate) fn anchors_of(&self, model: &Model) -> Vec<Anchor> {
        let of = |index: &usize| self.anchors.get(*index)?.anchor(self);
        model.anchors.iter().filter_map(of).collect()
    }

    fn of(number: u64, source: String, next_update: Option<Date>, signed: bool) -> Self {
        Self { number, next_update, source, signed, ..Self::default() }
    }

    /// Takes in a model. Two with the same identifier must say the same of what counts: else it would be by chance
    /// which of them is believed.
    fn push(&mut self, model: Model) -> Result<(), String> {
        let index = self.models.len();
        let differs = |known: Option<&usize>| {
            known.and_then(|index| self.models.get(*index)).is_some_and(|known| !known.agrees(&model))
        };
        let by_aaguid = model.aaguid.iter().find(|aaguid| differs(self.by_aaguid.get(*aaguid)));
        let by_key = model.key_identifiers.iter().find(|id| differs(self.by_key_identifier.get(*id)));
        if let Some(name) = by_aaguid.map(hex::encode).or_else(|| by_key.map(hex::encode)) {
            return Err(format!("two models that differ have the identifier {name}"));
        }
        if let Some(aaguid) = &model.aaguid {
            self.by_aaguid.entry(*aaguid).or_insert(index);
        }
        for identifier in &model.key_identifiers {
            self.by_key_identifier.entry(*identifier).or_insert(index);
        }
        self.models.push(model);
        Ok(())
    }
}

impl Model {
    /// Whether another one says the same of everything that an appraisal looks at.
    fn agrees(&self, other: &Self) -> bool {
        self.description == other.description
            && self.attestation == other.attestation
            && self.key_protection == other.key_protection
            && self.anchors == other.anchors
            && self.reports == other.reports
    }
}

impl MetadataAnchor {
    fn anchor(&self, metadata: &Metadata) -> Option<Anchor> {
        let key = PublicKey::from_spki_der(&self.spki).ok()?;
        let common = name::common_name(&self.subject).map(str::to_owned);
        let digest = hex::encode(self.sha256);
        Some(Anchor {
            id: format!("fido-{}", digest.get(..16).unwrap_or_default()),
            name: common.unwrap_or_else(|| name::display(&self.subject)),
            kind: AnchorKind::Root,
            formats: vec!["webauthn".to_owned()],
            every_format: false,
            role: None,
            issuer: None,
            subject: self.subject.clone(),
            spki_sha256: key.spki_sha256(),
            spki: self.spki.clone(),
            key,
            path_len: None,
            certificates: vec![PublishedCertificate {
                sha256: self.sha256,
                serial: self.serial.clone(),
                not_before: self.not_before,
                not_after: self.not_after,
                source: metadata.source.clone(),
                looked_up: None,
                confirmed: Confirmed::ThirdParty,
            }],
            published: None,
            origin: match metadata.signed {
                true => Origin::Operator("option metadata".to_owned()),
                false => Origin::BuiltIn,
            },
        })
    }
}

/// An AAGUID as text, with or without hyphens.
fn aaguid(text: &str) -> Option<[u8; 16]> {
    hex::decode(text.replace('-', "")).ok()?.try_into().ok()
}

fn as_hex<B: AsRef<[u8]>, S: Serializer>(bytes: &B, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(bytes))
}

fn optional_hex<const N: usize, S: Serializer>(bytes: &Option<[u8; N]>, to: S) -> Result<S::Ok, S::Error> {
    bytes.map(hex::encode).serialize(to)
}

fn list_of_hex<S: Serializer>(list: &[[u8; 20]], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(list.iter().map(hex::encode))
}

fn as_text<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}
