//! Attestation certificates of packed and U2F statements, and what makers put into them.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};

use crate::crypto::sha1;
use crate::pki::{Certificate, name};
use crate::wire::der::content;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// id-fido-gen-ce-aaguid.
pub(super) const AAGUID: ObjectIdentifier = oid("1.3.6.1.4.1.45724.1.1.4");
/// id-fido-gen-ce-fw-version.
const FIRMWARE: ObjectIdentifier = oid("1.3.6.1.4.1.45724.1.1.5");
/// id-fido-gen-ce-sernum: enterprise attestation.
const SERIAL: ObjectIdentifier = oid("1.3.6.1.4.1.45724.1.1.2");
const YUBICO_DEVICE: ObjectIdentifier = oid("1.3.6.1.4.1.41482.2");
const YUBICO_FIPS: ObjectIdentifier = oid("1.3.6.1.4.1.41482.12");
const YUBICO_FIRMWARE: ObjectIdentifier = oid("1.3.6.1.4.1.41482.13.1");

fn value(certificate: &Certificate, oid: ObjectIdentifier) -> Option<&[u8]> {
    certificate.extension(oid).map(|extension| extension.value)
}

/// What is wrong with the form of a packed attestation certificate (Web Authentication, "Certificate Requirements
/// for Packed Attestation Statements").
pub(super) fn packed_profile(certificate: &Certificate) -> Vec<&'static str> {
    let attributes = name::attributes(certificate.subject());
    let only = |oid: &str| {
        let oid = ObjectIdentifier::new(oid).ok()?;
        let mut found = attributes.iter().filter(|a| a.oid == oid);
        let first = found.next()?.text?;
        found.next().is_none().then_some(first)
    };
    let country = only("2.5.4.6").is_some_and(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_alphabetic()));
    let named = |oid| only(oid).is_some_and(|text| !text.is_empty());
    [
        (certificate.version() == 3, "it is not X.509 v3"),
        (country, "its subject has no country of two letters"),
        (named("2.5.4.10"), "its subject has no organization"),
        (
            only("2.5.4.11") == Some("Authenticator Attestation"),
            "its unit is not \"Authenticator Attestation\"",
        ),
        (named("2.5.4.3"), "its subject has no common name"),
        (
            matches!(certificate.basic_constraints(), Some(Ok(constraints)) if !constraints.ca),
            "its basicConstraints do not say that it is no CA",
        ),
    ]
    .into_iter()
    .filter(|(holds, _)| !holds)
    .map(|(_, fault)| fault)
    .collect()
}

/// The AAGUID in the certificate. `Some(Err)` when the extension is not in its form.
pub(super) fn aaguid(certificate: &Certificate) -> Option<Result<[u8; 16], &'static str>> {
    let extension = certificate.extension(AAGUID)?;
    if extension.critical {
        return Some(Err("the AAGUID extension is critical"));
    }
    let read = content(extension.value, Tag::OctetString).and_then(|value| value.try_into().ok());
    Some(read.ok_or("the AAGUID extension is not an OCTET STRING of 16 bytes"))
}

/// The key identifier by which the metadata name U2F attestation certificates: SHA-1 of the subjectPublicKey
/// (RFC 5280, 4.2.1.2, method 1).
pub(super) fn key_identifier(certificate: &Certificate) -> Option<[u8; 20]> {
    Some(sha1(certificate.key().ok()?.bits()))
}

/// Firmware that Yubico states.
pub(super) fn yubico_firmware(certificate: &Certificate) -> Option<[u8; 3]> {
    content(value(certificate, YUBICO_FIRMWARE)?, Tag::OctetString)?.try_into().ok()
}

pub(super) fn firmware(certificate: &Certificate) -> Option<String> {
    if let Some([major, minor, patch]) = yubico_firmware(certificate) {
        return Some(format!("{major}.{minor}.{patch}"));
    }
    u64::from_der(value(certificate, FIRMWARE)?).ok().map(|version| version.to_string())
}

/// Serial number of enterprise attestation, hexadecimal.
pub(super) fn serial(certificate: &Certificate) -> Option<String> {
    content(value(certificate, SERIAL)?, Tag::OctetString).map(hex::encode)
}

/// Yubico's number of the device type, such as `1.3.6.1.4.1.41482.1.7`.
pub(super) fn yubico_device(certificate: &Certificate) -> Option<String> {
    let text = std::str::from_utf8(value(certificate, YUBICO_DEVICE)?).ok()?;
    text.bytes().all(|b| b.is_ascii_graphic()).then(|| text.to_owned())
}

/// Whether it is marked as of a FIPS series: the model, not the mode.
pub(super) fn is_yubico_fips(certificate: &Certificate) -> bool {
    value(certificate, YUBICO_FIPS).is_some()
}
