//! Statements in JSON: go-attestation's parameters, smallstep's request to an attestation authority.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::gather::{Document, Piece, Pool, attestation, public_area};
use crate::input::{PartId, decode_base64};
use crate::pki::Certificate;
use crate::wire::tpm::tpm2b;

/// Certificates that are taken out of one document.
const MAX_CERTIFICATES: usize = 16;

/// Names of the members that hold public area, creation data, attestation and signature.
const GO_ATTESTATION: [&str; 4] = ["Public", "CreateData", "CreateAttestation", "CreateSignature"];
const SMALLSTEP: [&str; 4] = ["public", "createData", "createAttestation", "createSignature"];

/// Takes what a JSON document holds, when it is one of these.
pub(super) fn take(value: &Value, id: PartId, place: &str, pool: &mut Pool<'_>) {
    let Some(members) = value.as_object() else { return };
    let announced = |members: &Map<String, Value>, names: [&str; 4]| {
        names.iter().filter(|name| members.get(**name).is_some_and(Value::is_string)).count() >= 2
    };
    if announced(members, GO_ATTESTATION) {
        pool.labels.push((id, "statement (go-attestation)".into()));
        take_document(members, GO_ATTESTATION, place, pool);
    } else if let Some(inner) = members.get("params").and_then(Value::as_object)
        && announced(inner, SMALLSTEP)
    {
        pool.labels.push((id, "request to an attestation authority (smallstep)".into()));
        take_document(inner, SMALLSTEP, &format!("{place} › /params"), pool);
        take_certificates(members, place, pool);
    } else if let (Some(_), Some(text)) = (members.get("pubhash"), members.get("certificate")) {
        // Intel's service for certificates of endorsement keys.
        // The padding may be percent-encoded.
        let unescaped = text.as_str().map(|text| text.replace("%3D", "=").replace("%3d", "="));
        let der = unescaped.and_then(|text| decode_base64(text.as_bytes()));
        let Some(Ok(certificate)) = der.map(|der| Certificate::from_der(&der)) else { return };
        pool.labels.push((id, "EK certificate (Intel's service)".into()));
        pool.certificate(place.to_owned(), certificate);
    }
}

fn take_document(members: &Map<String, Value>, names: [&str; 4], place: &str, pool: &mut Pool<'_>) {
    let mut decode = |name: &str| {
        let place = format!("{place} › {name}");
        let text = members.get(name)?.as_str().filter(|text| !text.is_empty())?;
        match decode_base64(text.as_bytes()) {
            Some(bytes) => Some((place, bytes)),
            None => {
                pool.broken.push((place, "not base64".to_owned()));
                None
            }
        }
    };
    let [public, creation, attest, signature] = names.map(&mut decode);
    let piece = |(place, bytes): (String, Vec<u8>)| Piece { place, bytes: Cow::Owned(bytes) };
    if let Some((place, bytes)) = public {
        let inner = public_area(&bytes).unwrap_or(&bytes);
        pool.public(Piece { place, bytes: Cow::Owned(inner.to_vec()) });
    }
    let attest = attest.map(|(place, bytes)| {
        let bytes = attestation(&bytes).map(<[u8]>::to_vec).unwrap_or(bytes);
        Piece { place, bytes: Cow::Owned(bytes) }
    });
    // With or without a size before it: a count of PCR banks below 17 begins with two zero bytes.
    let creation = creation.map(|(place, bytes)| {
        let inner = tpm2b(&bytes).filter(|_| !bytes.starts_with(&[0, 0])).map(<[u8]>::to_vec);
        Piece { place, bytes: Cow::Owned(inner.unwrap_or(bytes)) }
    });
    pool.document(place, Document { attest, signature: signature.map(piece), creation });
}

fn take_certificates(members: &Map<String, Value>, place: &str, pool: &mut Pool<'_>) {
    let single = members.get("akCert").map(|value| ("akCert".to_owned(), value));
    let listed = ["ekCerts", "akChain"].into_iter().flat_map(|name| {
        let items = members.get(name).and_then(Value::as_array).into_iter().flatten();
        items.enumerate().map(move |(index, value)| (format!("{name}/{index}"), value))
    });
    for (name, value) in single.into_iter().chain(listed).take(MAX_CERTIFICATES) {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { continue };
        let place = format!("{place} › /{name}");
        match decode_base64(text.as_bytes()).map(|der| Certificate::from_der(&der)) {
            Some(Ok(certificate)) => pool.certificate(place, certificate),
            Some(Err(why)) => pool.broken.push((place, why.to_string())),
            None => pool.broken.push((place, "not base64".to_owned())),
        }
    }
}
