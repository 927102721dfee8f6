//! What an authentic attestation says.

use super::judge::{AuthData, ClientData, Environment, is_named};
use super::leaf::{self, Os};
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::PublicKey;
use crate::formats::Attested;
use crate::formats::apple::chain::Path;
use crate::formats::apple::leaf as shared;
use crate::pki::Certificate;

struct Said {
    key: PublicKey,
    app_id: Option<String>,
    os: Os,
    issued_at: Option<String>,
    environment: Option<Environment>,
}

/// `None` when the leaf does not name these authenticator data.
pub(super) fn attest(path: Path, auth_data: &[u8], client_data: &ClientData<'_>) -> Option<Attested> {
    let auth_data =
        path.certificate.endorse(auth_data, |leaf, auth_data| is_named(leaf, auth_data, client_data))?;
    let both: Authentic<(Certificate, &[u8])> = path.certificate.join(auth_data)?;
    let said = both.parse(|(leaf, auth_data)| {
        Ok::<_, String>(Said {
            key: leaf.key().map_err(|e| e.to_string())?.clone(),
            app_id: leaf::app_id(&leaf).map(str::to_owned),
            os: Os::of(&leaf),
            issued_at: shared::issued_at(&leaf).map(|time| time.to_string()),
            environment: AuthData::read(auth_data)?.environment(),
        })
    });
    let said = said.ok()?;
    const SPKI: &str = "leaf subjectPublicKeyInfo";
    const DOC: &str = "Apple, \"Establishing your app's integrity\" (DeviceCheck): the key pair is made and kept in the Secure Enclave";
    const OS: &str = "leaf extension 8.7";
    let claims = ClaimSet::of(&said)
        .attested(ClaimName::KeyAlgorithm, SPKI, |s| s.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, SPKI, |s| hex::encode(s.key.spki_sha256()))
        .implied(ClaimName::KeyGeneratedInDevice, DOC, true)
        .implied(ClaimName::KeyExportable, DOC, "never")
        .implied(ClaimName::KeyEverExportable, DOC, false)
        .unknown(
            ClaimName::KeyPurposes,
            "assertions of its app only: it signs neither requests nor documents",
        )
        .implied(ClaimName::DeviceClass, DOC, "secure-element")
        .implied(ClaimName::DeviceVendor, "the anchor", "Apple")
        .unknown(ClaimName::DeviceModel, "App Attest names no device")
        .unknown(ClaimName::DeviceSerial, "App Attest names no device")
        .unknown(
            ClaimName::DeviceFirmware,
            "the versions that are attested are those of the operating system",
        )
        .detail("app_id", "leaf extension 8.5, member 1204", |s| s.app_id.clone())
        .detail("environment", "AAGUID of the authenticator data", |s| s.environment.map(Environment::text))
        .detail("os_version", OS, |s| s.os.version.clone())
        .detail("os_build", OS, |s| s.os.build.clone())
        .detail("os_build_variant", OS, |s| s.os.variant.clone())
        .detail("platform", OS, |s| s.os.platform.clone())
        .detail("issued_at", "leaf serial number, milliseconds since 1970", |s| s.issued_at.clone())
        .finish();
    Some(Attested::new(&said, |s| Some(s.key.clone()), claims))
}
