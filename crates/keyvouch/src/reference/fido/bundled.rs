//! Reads data/metadata/fido.toml.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::super::{DataError, Date};
use super::{Metadata, MetadataAnchor, Model, StatusReport, aaguid};
use crate::input::decode_base64;

const FILE: &str = "data/metadata/fido.toml";
const TEXT: &str = include_str!("../../../../../data/metadata/fido.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    number: u64,
    next_update: String,
    source: String,
    looked_up: String,
    models: Vec<ModelRow>,
    anchors: Vec<AnchorRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelRow {
    aaguid: Option<String>,
    #[serde(default)]
    key_identifiers: Vec<String>,
    description: String,
    version: u64,
    attestation: Vec<String>,
    key_protection: Vec<String>,
    /// The first 16 digits of the digests of its anchors.
    anchors: Vec<String>,
    reports: Vec<ReportRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportRow {
    status: String,
    from: String,
    version: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorRow {
    sha256: String,
    serial: String,
    not_before: String,
    not_after: String,
    subject: String,
    spki: String,
}

/// The index. It is a constant, and is taken apart once.
pub(super) fn read() -> Result<Metadata, DataError> {
    static INDEX: LazyLock<Result<Metadata, DataError>> = LazyLock::new(parse);
    INDEX.clone()
}

fn parse() -> Result<Metadata, DataError> {
    let index: Index =
        toml::from_str(TEXT).map_err(|error| DataError::new(FILE, "", error.message().to_owned()))?;
    let date = |text: &str| {
        Date::parse(text).ok_or_else(|| DataError::new(FILE, "", format_args!("{text:?} is not a day")))
    };
    date(&index.looked_up)?;
    let source = format!("{} (looked up {})", index.source, index.looked_up);
    let mut metadata = Metadata::of(index.number, source, Some(date(&index.next_update)?), false);
    let mut known: HashMap<String, usize> = HashMap::new();
    for (number, row) in index.anchors.into_iter().enumerate() {
        let fail = |what: &str| DataError::new(FILE, &row.sha256, format_args!("{what} is not in form"));
        let time = |text: &str| text.parse().map_err(|_| fail("a time"));
        let anchor = MetadataAnchor {
            sha256: digits(&row.sha256).ok_or_else(|| fail("sha256"))?,
            serial: row.serial.clone(),
            not_before: time(&row.not_before)?,
            not_after: time(&row.not_after)?,
            subject: decode_base64(row.subject.as_bytes()).ok_or_else(|| fail("subject"))?,
            spki: decode_base64(row.spki.as_bytes()).ok_or_else(|| fail("spki"))?,
        };
        let short = row.sha256.get(..16).ok_or_else(|| fail("sha256"))?.to_owned();
        if known.insert(short, number).is_some() {
            return Err(fail("sha256 (there twice)"));
        }
        metadata.anchors.push(anchor);
    }
    for row in index.models {
        let label = row.description.clone();
        let fail = |what: &str| DataError::new(FILE, &label, format_args!("{what} is not in form"));
        let reports = row.reports.into_iter().map(|report| {
            let from = Some(date(&report.from)?);
            Ok(StatusReport { status: report.status, from, version: report.version, certificate_key: None })
        });
        let model = Model {
            aaguid: match &row.aaguid {
                Some(text) => Some(aaguid(text).ok_or_else(|| fail("aaguid"))?),
                None => None,
            },
            key_identifiers: row
                .key_identifiers
                .iter()
                .map(|text| digits(text).ok_or_else(|| fail("a key identifier")))
                .collect::<Result<_, _>>()?,
            description: row.description.clone(),
            version: row.version,
            attestation: row.attestation,
            key_protection: row.key_protection,
            anchors: row
                .anchors
                .iter()
                .map(|short| known.get(short).copied().ok_or_else(|| fail("an anchor")))
                .collect::<Result<_, _>>()?,
            reports: reports.collect::<Result<_, _>>()?,
        };
        metadata.push(model).map_err(|problem| DataError::new(FILE, &label, problem))?;
    }
    Ok(metadata)
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use crate::crypto::PublicKey;

    use super::*;

    #[test]
    fn the_built_in_index_is_in_order() {
        let metadata = read().unwrap();
        assert_eq!((metadata.number, metadata.len()), (291, 484));
        let yubikey = aaguid("fa2b99dc-9e39-4257-8f92-4a30d23c4118").unwrap();
        let model = metadata.by_aaguid(&yubikey).unwrap();
        assert_eq!(model.description, "YubiKey 5 Series with NFC");
        assert_eq!(metadata.anchors_of(model).len(), 1);
        assert!(metadata.by_aaguid(&[0; 16]).is_none());
        let neo = digits("8e16186d1843a956625e5db37dc77dc74c21904c").unwrap();
        assert!(
            metadata.by_key_identifier(&neo).unwrap().key_protection.contains(&"remote_handle".to_owned())
        );
        // Every key can be used, so that no model is without anchors only because of it.
        for anchor in &metadata.anchors {
            assert!(PublicKey::from_spki_der(&anchor.spki).is_ok(), "{}", hex::encode(anchor.sha256));
        }
    }
}
