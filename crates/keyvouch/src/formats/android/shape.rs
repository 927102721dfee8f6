//! What each certificate of a chain is, by its position.

use der::asn1::ObjectIdentifier;

use super::keydesc::{Level, oid};
use crate::pki::Certificate;
use crate::pki::name::{self, Name};
use crate::wire::cbor;

const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
const TITLE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.12");

/// How the attestation key came into the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provisioning {
    /// In the factory, the same for a batch of devices: target ← batch ← intermediate ← root.
    Factory,
    /// Remotely, for one device: target ← attestation ← Droid CA3 ← Droid CA2 ← root.
    Remote,
    /// Samsung Attestation Key: target ← SAK ← root.
    Samsung,
}

impl Provisioning {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Factory => "factory",
            Self::Remote => "rkp",
            Self::Samsung => "samsung",
        }
    }

    /// How many certificates stand between the target and the root.
    pub(super) const fn between(self) -> usize {
        match self {
            Self::Factory => 2,
            Self::Remote => 3,
            Self::Samsung => 1,
        }
    }

    /// Of a chain under Google's root, by the certificate just below it.
    pub(super) fn by_top(top: &Certificate) -> Option<Self> {
        let subject = top.subject_name();
        if is_droid_ca(subject, "Droid CA2") {
            Some(Self::Remote)
        } else if subject.attribute(SERIAL_NUMBER).is_some() {
            Some(Self::Factory)
        } else {
            None
        }
    }
}

fn is_droid_ca(subject: Name<'_>, cn: &str) -> bool {
    subject.common_name() == Some(cn) && subject.organization() == Some("Google LLC")
}

/// O= of a remotely provisioned attestation certificate.
fn environment(subject: Name<'_>) -> Option<Level> {
    match subject.organization()? {
        "TEE" => Some(Level::TEE),
        "StrongBox" => Some(Level::STRONGBOX),
        _ => None,
    }
}

fn titled(subject: Name<'_>) -> Option<Level> {
    match subject.attribute(TITLE)? {
        "TEE" => Some(Level::TEE),
        "StrongBox" => Some(Level::STRONGBOX),
        _ => None,
    }
}

/// Whether it is the certificate of a remotely provisioned attestation key.
pub(super) fn is_remote_attestation(certificate: &Certificate) -> bool {
    environment(certificate.subject_name()).is_some()
}

/// The level that the certificates above the target name; `None` when they name none.
pub(super) fn level_by_certificates(provisioning: Provisioning, above: &[Certificate]) -> Option<Level> {
    let signer = above.first()?;
    match provisioning {
        Provisioning::Remote => environment(signer.subject_name()),
        Provisioning::Samsung => None,
        Provisioning::Factory => titled(signer.subject_name()).or_else(|| {
            let says =
                |c: &Certificate| name::display(c.subject()).to_ascii_lowercase().contains("strongbox");
            above.iter().any(says).then_some(Level::STRONGBOX)
        }),
    }
}

/// Whether a name is one that stands in such chains and is nobody else's: that of a known intermediate, of an
/// attestation key or of a key.
pub(super) fn is_known_name(subject: Name<'_>) -> bool {
    let factory = titled(subject).is_some() && subject.attribute(SERIAL_NUMBER).is_some();
    factory
        || is_droid_ca(subject, "Droid CA2")
        || is_droid_ca(subject, "Droid CA3")
        || subject.common_name() == Some("Android Keystore Key")
}

/// Whether a certificate that is not given was the issuer of one of ours: the known names, and those of attestation
/// certificates, which others may bear too.
pub(super) fn is_missing_intermediate(issuer: Name<'_>) -> bool {
    let bare_factory = issuer.rdn_count() == 1
        && issuer
            .attribute(SERIAL_NUMBER)
            .is_some_and(|s| matches!(s.len(), 16 | 32) && s.bytes().all(|b| b.is_ascii_hexdigit()));
    is_known_name(issuer) || environment(issuer).is_some() || bare_factory
}

/// Whether a certificate belongs to Android key attestation by itself.
pub(super) fn is_android(certificate: &Certificate) -> bool {
    [oid::KEY_DESCRIPTION, oid::EAT, oid::PROVISIONING].iter().any(|o| certificate.extension(*o).is_some())
        || is_known_name(certificate.subject_name())
        || is_known_name(certificate.issuer_name())
}

/// Provisioning information (…2.1.30): what Google's server says of the device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ProvisioningInfo {
    /// Certificates issued to the device in the last thirty days.
    pub(super) issued: Option<u64>,
    /// Not documented by Google; text that names a maker.
    pub(super) manufacturer: Option<String>,
    /// In the text of the Android Open Source Project; not seen yet.
    pub(super) lost: Option<bool>,
}

impl ProvisioningInfo {
    /// The extnValue holds CBOR. Keys that are not known are ignored; so is an extension that is not CBOR, because
    /// nothing but report details comes from it.
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        let value = certificate.extension(oid::PROVISIONING)?.value;
        let item = cbor::read(value).ok();
        let map = item.as_ref().and_then(cbor::Item::as_map);
        Some(Self {
            issued: map.and_then(|m| m.int_key(1)?.as_int()).and_then(|n| u64::try_from(n).ok()),
            manufacturer: map.and_then(|m| m.int_key(3)?.as_text()).map(str::to_owned),
            lost: map.and_then(|m| m.int_key(6)?.as_bool()),
        })
    }
}
