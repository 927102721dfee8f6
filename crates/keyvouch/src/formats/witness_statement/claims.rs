//! What a verified statement claims: each value with the basis `witnessed`, and the names of those who signed it.

use super::said::{Said, Witness};
use crate::authentic::Authentic;
use crate::claims::{ClaimName as N, ClaimSet};
use crate::crypto::sha256;
use crate::formats::Attested;
use crate::pki::Certificate;

/// A signer as reports name him: subject and key.
pub(super) fn signer(certificate: &Certificate) -> String {
    let key = certificate.key().map(|key| hex::encode(key.spki_sha256())).unwrap_or_default();
    format!("{} (SPKI SHA-256 {key})", certificate.display_name())
}

/// The claims of a statement that these people signed.
pub(super) fn attest(
    statement: &Authentic<Said>,
    signers: &[String],
    signed_at: String,
    octets: &[u8],
) -> Attested {
    let digest = hex::encode(sha256(octets));
    let claims = ClaimSet::witnessed(statement, signers.join(" and "))
        .claim(N::KeyAlgorithm, "key/spki", |s| s.key.public.algorithm())
        .claim(N::KeySpkiSha256, "key/spki", |s| hex::encode(s.key.public.spki_sha256()))
        .claim(N::KeyGeneratedInDevice, "key/generated_in_device", |s| s.key.generated_in_device)
        .claim(N::KeyExportable, "key/exportable", |s| s.key.exportable)
        .claim(N::KeyEverExportable, "key/ever_exportable", |s| s.key.ever_exportable)
        .claim(N::KeyPurposes, "key/purposes", |s| s.key.purposes.clone())
        .claim(N::KeyCreatedAt, "key/created_at", |s| s.key.created_at.map(|t| t.to_string()))
        .claim(N::DeviceVendor, "device/vendor", |s| s.device.vendor.clone())
        .claim(N::DeviceModel, "device/model", |s| s.device.model.clone())
        .claim(N::DeviceSerial, "device/serial", |s| s.device.serial.clone())
        .claim(N::DeviceFirmware, "device/firmware", |s| s.device.firmware.clone())
        .claim(N::DeviceClass, "device/class", |s| s.device.class)
        .claim(N::DeviceFipsMode, "device/fips_mode", |s| s.device.fips_mode)
        .detail("ceremony.started", "ceremony/started", |s| s.started.to_string())
        .detail("ceremony.ended", "ceremony/ended", |s| s.ended.to_string())
        .detail("ceremony.place", "ceremony/place", |s| s.place.clone())
        .detail("ceremony.report", "ceremony/report", |s| s.report.clone())
        .detail("ceremony.report_sha256", "ceremony/report_sha256", |s| s.report_sha256.clone())
        .detail("device.mode", "device/mode", |s| s.device.mode.clone())
        .detail("device.certification", "device/certification", |s| s.device.certification.clone())
        .detail("key.label", "key/label", |s| s.key.label.clone())
        .detail("remarks", "remarks", |s| s.remarks.clone())
        .detail("statement.sha256", "the statement as signed", |_| digest)
        .detail("statement.signed_at", "signing time", |_| signed_at)
        .detail("statement.signers", "signatures", |_| signers.join("; "))
        .detail("subscriber", "subscriber", |s| s.subscriber.clone())
        .detail("witnesses", "witnesses", |s| s.witnesses.iter().map(person).collect::<Vec<_>>().join("; "))
        .finish();
    Attested::new(statement, |s| Some(s.key.public.clone()), claims)
}

fn person(witness: &Witness) -> String {
    let more =
        [witness.organisation.as_deref(), Some(witness.role.as_str()), witness.qualification.as_deref()];
    let words: Vec<&str> = std::iter::once(witness.name.as_str()).chain(more.into_iter().flatten()).collect();
    words.join(", ")
}
