//! The BLOB of the FIDO Metadata Service (v3): a JWS whose payload lists every model.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::Reference;
use super::{Date, Metadata, MetadataAnchor, Model, StatusReport, aaguid};
use crate::crypto::sha256;
use crate::input::{Carrier, Content, Limits, Parts, decode_base64, parse_json};
use crate::pki::path::{self, Rules, Signs, Top};
use crate::pki::{Certificate, CertificateError, RevocationList, SUBJECT_ALT_NAME};
use crate::reference::anchors::{Anchor, AnchorKind, Confirmed, PublishedCertificate};
use crate::signatures::{IssuerCache, Signatures};
use crate::submission::{File, Submission};
use crate::time::Time;
use crate::wire::jws::{Jws, JwsError, payload};

/// No BLOB is larger: that of 2026 has six million bytes.
const MAX_BLOB: usize = 64 << 20;

/// Anchors of this format, which no evidence has, sign BLOBs.
const FORMAT: &str = "fido-metadata";
/// For whom the signer's certificate must be.
const HOST: &str = "mds.fidoalliance.org";
const SOURCE: &str = "FIDO Metadata Service BLOB";

/// Why a BLOB is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Not a JWS, or not signed by the signer that it names.
    #[error("metadata BLOB: {0}")]
    Signature(String),
    /// The signer's certificate does not chain to an anchor, or is for somebody else.
    #[error("metadata BLOB: signer: {0}")]
    Signer(String),
    /// The roots given for it are no certificates.
    #[error("roots of the metadata BLOB: {0}")]
    Roots(String),
    /// The payload is not one of the metadata service.
    #[error("metadata BLOB: payload: {0}")]
    Payload(String),
}

impl From<JwsError> for BlobError {
    fn from(error: JwsError) -> Self {
        Self::Signature(error.to_string())
    }
}

impl Metadata {
    /// Reads a BLOB whose signer chains to the built-in root of the metadata service, or to the operator's own
    /// `roots` (PEM or DER certificates), at this time. Revocation lists of the reference data count.
    ///
    /// Whether it is the newest is for the caller to look at: see [`number`](Self::number) and
    /// [`next_update`](Self::next_update).
    ///
    /// # Errors
    /// When its signature does not hold, or its payload cannot be read.
    pub fn from_blob(
        blob: &[u8],
        roots: Option<&[u8]>,
        reference: &Reference,
        at: Time,
    ) -> Result<Self, BlobError> {
        if blob.len() > MAX_BLOB {
            return Err(BlobError::Payload(format!("larger than {MAX_BLOB} bytes")));
        }
        let own = roots.map(read_roots).transpose()?;
        let anchors: Vec<&Anchor> = match &own {
            Some(own) => own.iter().collect(),
            None => reference
                .anchors
                .roots_for(FORMAT)
                .filter(|anchor| anchor.formats.iter().any(|format| format == FORMAT))
                .collect(),
        };
        let cache = IssuerCache::new(0);
        let signatures = Signatures::new(&cache);
        let jws = Jws::read(blob)?;
        let certificates = jws.certificates()?;
        let signer = certificates.first().ok_or(JwsError::Form("no certificate"))?;
        let key = signer.key().map_err(|error| BlobError::Signer(error.to_string()))?;
        let proof = jws.verify(key)?;
        let wrong = |why: String| BlobError::Signer(why);
        let found = path::find(signer, &certificates, &anchors, &signatures);
        let Top::Anchor(anchor) = found.top else {
            return Err(wrong(format!("no path to a root: {}", path::describe(&found.chain))));
        };
        let rules =
            Rules { processed_extensions: &[SUBJECT_ALT_NAME], ..Rules::strict(at, Signs::Statements) };
        let validation = path::validate(&found.chain, anchor, &reference.anchors, &rules, &signatures);
        if let Some(fault) = validation.faults.first() {
            return Err(wrong(fault.to_string()));
        }
        if own.is_none() && !signer.dns_names().iter().any(|name| name.eq_ignore_ascii_case(HOST)) {
            return Err(wrong(format!("its certificate is not for {HOST}")));
        }
        if let Some(revoked) = revoked(&found.chain, anchor, &reference.revocation_lists) {
            return Err(wrong(format!("{revoked} is revoked")));
        }
        let trusted = validation.trusted.ok_or_else(|| wrong("it is not trusted".to_owned()))?;
        let signed = trusted.authenticate(proof).ok_or_else(|| wrong("another key signed it".to_owned()))?;
        signed.parse(read_payload).map(|metadata| metadata.get().clone())
    }
}

/// Every certificate of the operator's file, each an anchor.
fn read_roots(bytes: &[u8]) -> Result<Vec<Anchor>, BlobError> {
    const NO_CARRIERS: &[Carrier] = &[];
    const NAME: &str = "option metadata_roots";
    let file = Submission::new(vec![File::new(NAME, bytes)], Time::from_unix(0));
    let parts =
        Parts::of(&file, NO_CARRIERS, Limits::DEFAULT).map_err(|e| BlobError::Roots(e.to_string()))?;
    let mut anchors = Vec::new();
    for (_, certificate) in parts.certificates() {
        let key = certificate.key().map_err(|e| BlobError::Roots(e.to_string()))?;
        let published = PublishedCertificate {
            sha256: *certificate.sha256(),
            serial: hex::encode(certificate.serial()),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            source: NAME.to_owned(),
            looked_up: None,
            confirmed: Confirmed::Operator,
        };
        let anchor = Anchor::from_operator(
            NAME,
            &certificate.display_name(),
            AnchorKind::Root,
            certificate.subject(),
            key.spki_der(),
            certificate.basic_constraints().and_then(Result::ok).and_then(|c| c.path_len),
            published,
        );
        anchors.push(anchor.map_err(|e| BlobError::Roots(e.to_string()))?);
    }
    let broken = parts.iter().any(|(_, part)| matches!(part.content, Content::BrokenCertificate { .. }));
    if anchors.is_empty() || broken {
        return Err(BlobError::Roots("not PEM or DER of certificates".to_owned()));
    }
    Ok(anchors)
}

/// The first certificate of the path that a list of its issuer has.
fn revoked(chain: &[Certificate], anchor: &Anchor, lists: &[RevocationList]) -> Option<String> {
    chain.iter().enumerate().find_map(|(index, certificate)| {
        let (issuer, key) = match chain.get(index.saturating_add(1)) {
            Some(upper) => (upper.subject(), upper.key().ok()?),
            None => (anchor.subject.as_slice(), &anchor.key),
        };
        let listed = lists.iter().any(|list| {
            list.issuer() == issuer && list.lists(certificate.serial()) && list.verify_signed_by(key).is_ok()
        });
        listed.then(|| certificate.display_name())
    })
}

fn read_payload(signed: &[u8]) -> Result<Metadata, BlobError> {
    let wrong = |what: &str| BlobError::Payload(what.to_owned());
    let json = parse_json(&payload(signed)?).map_err(|error| BlobError::Payload(error.to_string()))?;
    let number = json.get("no").and_then(Value::as_u64).ok_or_else(|| wrong("no number (no)"))?;
    let next = json.get("nextUpdate").and_then(Value::as_str).and_then(Date::parse);
    let next = next.ok_or_else(|| wrong("no date of the next one (nextUpdate)"))?;
    let entries = json.get("entries").and_then(Value::as_array).ok_or_else(|| wrong("no entries"))?;
    let mut metadata = Metadata::of(number, format!("{SOURCE}, payload {number}"), Some(next), true);
    let mut known: HashMap<[u8; 32], usize> = HashMap::new();
    for entry in entries.iter().filter_map(Value::as_object) {
        if let Some(model) = read_model(entry, &mut metadata, &mut known)? {
            metadata.push(model).map_err(BlobError::Payload)?;
        }
    }
    Ok(metadata)
}

/// An entry. `None` for those that are no FIDO2 or U2F authenticator, or that say nothing of one.
fn read_model(
    entry: &Map<String, Value>,
    metadata: &mut Metadata,
    known: &mut HashMap<[u8; 32], usize>,
) -> Result<Option<Model>, BlobError> {
    let wrong = |what: &str| BlobError::Payload(format!("an entry's {what} is not in form"));
    let aaguid = match entry.get("aaguid") {
        Some(value) => Some(value.as_str().and_then(self::aaguid).ok_or_else(|| wrong("aaguid"))?),
        None => None,
    };
    let key_identifiers = texts(entry, "attestationCertificateKeyIdentifiers")
        .iter()
        .map(|text| hex::decode(text).ok()?.try_into().ok())
        .collect::<Option<Vec<[u8; 20]>>>()
        .ok_or_else(|| wrong("key identifier"))?;
    let Some(statement) = entry.get("metadataStatement").and_then(Value::as_object) else { return Ok(None) };
    if aaguid.is_none() && key_identifiers.is_empty() {
        return Ok(None);
    }
    let mut anchors = Vec::new();
    for text in texts(statement, "attestationRootCertificates") {
        let der = decode_base64(text.as_bytes()).ok_or_else(|| wrong("root certificate"))?;
        // What cannot be read anchors nothing.
        let Some(certificate) = certificate(&der) else { continue };
        let Ok(key) = certificate.key() else { continue };
        let index = *known.entry(sha256(&der)).or_insert_with(|| {
            metadata.anchors.push(MetadataAnchor {
                sha256: sha256(&der),
                serial: hex::encode(certificate.serial()),
                not_before: certificate.not_before(),
                not_after: certificate.not_after(),
                subject: certificate.subject().to_vec(),
                spki: key.spki_der().to_vec(),
            });
            metadata.anchors.len().saturating_sub(1)
        });
        anchors.push(index);
    }
    let mut reports = Vec::new();
    for report in entry.get("statusReports").and_then(Value::as_array).into_iter().flatten() {
        reports.push(read_report(report).ok_or_else(|| wrong("status report"))?);
    }
    let description = statement.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Some(Model {
        aaguid,
        key_identifiers,
        description,
        version: statement.get("authenticatorVersion").and_then(Value::as_u64).unwrap_or(0),
        attestation: texts(statement, "attestationTypes"),
        key_protection: texts(statement, "keyProtection"),
        anchors,
        reports,
    }))
}

fn read_report(report: &Value) -> Option<StatusReport> {
    // A certificate that is named and cannot be read must not widen the report to all, nor narrow it to none.
    let certificate_key = match report.get("certificate").and_then(Value::as_str) {
        Some(text) => Some(certificate(&decode_base64(text.as_bytes())?)?.key().ok()?.spki_sha256()),
        None => None,
    };
    Some(StatusReport {
        status: report.get("status")?.as_str()?.to_owned(),
        from: report.get("effectiveDate").and_then(Value::as_str).and_then(Date::parse),
        version: report.get("authenticatorVersion").and_then(Value::as_u64),
        certificate_key,
    })
}

/// The certificate that the bytes are, or begin with: some of the service's have bytes behind them.
fn certificate(der: &[u8]) -> Option<Certificate> {
    match Certificate::from_der(der) {
        Err(CertificateError::Trailing(extra)) => {
            Certificate::from_der(der.get(..der.len().checked_sub(extra)?)?).ok()
        }
        read => read.ok(),
    }
}

/// The texts of an array; none when it is not there.
fn texts(object: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = object.get(name).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
