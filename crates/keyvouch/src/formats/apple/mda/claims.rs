//! What an authentic leaf says.

use super::device::{self, Device};
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::PublicKey;
use crate::formats::Attested;
use crate::formats::apple::chain::Path;
use crate::formats::apple::leaf;
use crate::pki::Certificate;

struct Leaf {
    key: PublicKey,
    device: Device,
    freshness: Option<String>,
    issued_at: Option<String>,
}

impl Leaf {
    fn read(leaf: &Certificate) -> Option<Self> {
        Some(Self {
            key: leaf.key().ok()?.clone(),
            device: Device::read(leaf).ok()?,
            freshness: device::freshness(leaf).map(hex::encode),
            issued_at: leaf::issued_at(leaf).map(|time| time.to_string()),
        })
    }
}

pub(super) fn attest(path: Path) -> Option<Attested> {
    let leaf: Authentic<Leaf> = path.certificate.parse(|leaf| Leaf::read(&leaf).ok_or(())).ok()?;
    const SPKI: &str = "leaf subjectPublicKeyInfo";
    const DOC: &str = "Apple, device management, ACMECertificate payload: with HardwareBound and Attest the key is generated in the Secure Enclave and cannot leave it";
    let no = |value: bool| if value { "yes" } else { "no" };
    let claims = ClaimSet::of(&leaf)
        .attested(ClaimName::KeyAlgorithm, SPKI, |l| l.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, SPKI, |l| hex::encode(l.key.spki_sha256()))
        .implied(ClaimName::KeyGeneratedInDevice, DOC, true)
        .implied(ClaimName::KeyExportable, DOC, "never")
        .implied(ClaimName::KeyEverExportable, DOC, false)
        .unknown(ClaimName::KeyPurposes, "not in the evidence")
        .implied(ClaimName::DeviceClass, DOC, "secure-element")
        .implied(ClaimName::DeviceVendor, "the anchor", "Apple")
        .attested(ClaimName::DeviceModel, "leaf extension 8.9.4 (software update device id)", |l| {
            l.device.board.clone()
        })
        .attested(ClaimName::DeviceSerial, "leaf extension 8.9.1", |l| l.device.serial.clone())
        .attested(ClaimName::DeviceFirmware, "leaf extension 8.10.2 (sepOS version)", |l| {
            l.device.sep_os.clone()
        })
        .unknown(ClaimName::DeviceFipsMode, "not in the evidence")
        .detail("udid", "leaf extension 8.9.2", |l| l.device.udid.clone())
        .detail("os_version", "leaf extension 8.10.1", |l| l.device.os.clone())
        .detail("boot_loader_version", "leaf extension 8.10.3", |l| l.device.boot_loader.clone())
        .detail("sip_enabled", "leaf extension 8.13.1", |l| l.device.sip.map(no))
        .detail("secure_boot", "leaf extension 8.13.2", |l| l.device.secure_boot.clone())
        .detail("third_party_kexts_allowed", "leaf extension 8.13.3", |l| l.device.kext.map(no))
        .detail("freshness_code", "leaf extension 8.11.1", |l| l.freshness.clone())
        .detail("issued_at", "leaf serial number, milliseconds since 1970", |l| l.issued_at.clone())
        .finish();
    Some(Attested::new(&leaf, |l| Some(l.key.clone()), claims))
}
