//! What an authenticated request says.

use der::asn1::ObjectIdentifier;

use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet, Value};
use crate::crypto::PublicKey;
use crate::pki::cvc::CvCertificate;

/// In requests for keys of a key domain: its identifier.
const KEY_DOMAIN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.24991.3.2.2");

/// The certificate of the new key, as the device signed it, and the device's, as its issuer signed it.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) request: CvCertificate,
    pub(super) device: CvCertificate,
}

impl Statement {
    pub(super) fn key(&self) -> Option<PublicKey> {
        self.request.public_key(None).ok()
    }

    /// The holder reference without its sequence number.
    fn serial(&self) -> Option<&str> {
        let holder = self.device.holder();
        holder.get(..holder.len().checked_sub(5)?).filter(|serial| !serial.is_empty())
    }

    fn issuer(&self) -> &str {
        self.device.authority().unwrap_or_default()
    }

    /// By the mnemonic in the issuer's reference, which follows the country.
    fn producer(&self) -> Option<&'static str> {
        let mnemonic = self.issuer().get(2..)?;
        match mnemonic {
            _ if mnemonic.starts_with("DINK") => Some("Nitrokey"),
            _ if mnemonic.starts_with("DICC") => Some("CardContact"),
            _ => None,
        }
    }

    fn model(&self) -> &'static str {
        if self.producer() == Some("Nitrokey") { "Nitrokey HSM 2" } else { "SmartCard-HSM" }
    }
}

pub(super) fn claims(statement: &Authentic<Statement>) -> ClaimSet {
    const KEY: &str = "public key in the request";
    const GENERATED: &str = "an authenticated request is made when a key pair is generated, and only then (CardContact, \"Remote Key Attestation explained\")";
    const NOT_ATTESTED: &str =
        "not in the evidence: a token with DKEK shares, or a key in a key domain, can be wrapped out";
    const HOLDER: &str = "holder reference of the device certificate";
    const ISSUER: &str = "authority reference of the device certificate";
    let model = statement.get().model();
    ClaimSet::of(statement)
        .attested(ClaimName::KeyAlgorithm, KEY, |s| s.key().map(|k| k.algorithm()))
        .attested(ClaimName::KeySpkiSha256, KEY, |s| s.key().map(|k| hex::encode(k.spki_sha256())))
        .implied(ClaimName::KeyGeneratedInDevice, GENERATED, true)
        .unknown(ClaimName::KeyExportable, NOT_ATTESTED)
        .unknown(ClaimName::KeyEverExportable, NOT_ATTESTED)
        .unknown(ClaimName::KeyPurposes, "not in the evidence")
        .unknown(ClaimName::KeyCreatedAt, "the request has no time")
        .implied(ClaimName::DeviceClass, "SmartCard-HSM: a smart card or a USB token with one", "token")
        .implied(ClaimName::DeviceVendor, "the scheme root's anchor", "CardContact")
        .implied(ClaimName::DeviceModel, ISSUER, model)
        .attested(ClaimName::DeviceSerial, HOLDER, |s| Value::from(s.serial()))
        .unknown(ClaimName::DeviceFirmware, "not in the evidence")
        .unknown(ClaimName::DeviceFipsMode, "not in the evidence")
        .detail("producer", ISSUER, |s| Value::from(s.producer()))
        .detail("device_issuer", ISSUER, |s| s.issuer().to_owned())
        .detail("device_valid_until", "expiration date of the device certificate", |s| {
            s.device.validity().map(|(_, to)| to.to_string())
        })
        .detail("request_holder", "holder reference in the request, chosen by the host", |s| {
            s.request.holder().to_owned()
        })
        .detail("request_authority", "authority reference in the request, chosen by the host", |s| {
            s.request.authority().map(str::to_owned)
        })
        .detail("key_domain", "extension of the request", |s| {
            s.request.extension(KEY_DOMAIN).map(hex::encode)
        })
        .finish()
}
