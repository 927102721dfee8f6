//! The extensions of leaf and F9. Their values are raw bytes, not DER, which is how the device writes them.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};
use serde_json::{Value, json};

use super::super::yubico::{Firmware, Hardware, dotted};
use super::{F9_CNS, LEAF_CN};
use crate::crypto::PublicKey;
use crate::pki::Certificate;
use crate::wire::der::content;

/// Object identifiers below Yubico's arc 1.3.6.1.4.1.41482.3.
pub(super) mod oid {
    use der::asn1::ObjectIdentifier;

    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }

    pub(in super::super) const IN_REQUEST_LEAF: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.1");
    pub(in super::super) const IN_REQUEST_F9: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.2");
    pub(super) const FIRMWARE: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.3");
    pub(super) const SERIAL: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.7");
    pub(super) const POLICY: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.8");
    pub(super) const FORM_FACTOR: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.9");
    pub(super) const FIPS: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.10");
    /// "CSPN certified" in F9; the leaf itself in a request or self-signed certificate.
    pub(in super::super) const CSPN_OR_IN_REQUEST_LEAF: ObjectIdentifier = oid("1.3.6.1.4.1.41482.3.11");
}

/// The first firmware with PIV attestation.
pub(super) const FIRST_ATTESTING_FIRMWARE: Firmware = [4, 3, 0];
/// The first firmware whose F9 chains to Yubico Attestation Root 1.
pub(super) const FIRST_ROOT_1_FIRMWARE: Firmware = [5, 7, 4];

/// What a leaf says.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) slot: String,
    pub(super) key: PublicKey,
    pub(super) firmware: Firmware,
    pub(super) serial: Option<u32>,
    policy: [u8; 2],
    form: Option<u8>,
}

/// What F9 says.
#[derive(Debug, Clone)]
pub(super) struct F9 {
    pub(super) firmware: Firmware,
    fips: bool,
    cspn: bool,
}

/// Why a certificate is not a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeafFault {
    Missing(&'static str),
    Bad(&'static str),
    Slot(String),
}

impl LeafFault {
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Missing(what) => format!("the leaf has no {what}"),
            Self::Bad(what) => (*what).to_owned(),
            Self::Slot(slot) => format!("slot {slot} is not one whose key a YubiKey attests"),
        }
    }
}

/// The raw value, or the same wrapped as a DER OCTET STRING, as other makers' PIV applets may write it.
fn raw<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok().or_else(|| content(value, Tag::OctetString)?.try_into().ok())
}

fn value(certificate: &Certificate, oid: ObjectIdentifier) -> Option<&[u8]> {
    certificate.extension(oid).map(|e| e.value)
}

impl Leaf {
    pub(super) fn read(certificate: &Certificate) -> Result<Self, LeafFault> {
        use LeafFault::{Bad, Missing};
        let slot = certificate.common_name().and_then(|cn| cn.strip_prefix(LEAF_CN)).unwrap_or_default();
        let firmware = value(certificate, oid::FIRMWARE).ok_or(Missing("firmware version (.3.3)"))?;
        let policy = value(certificate, oid::POLICY).ok_or(Missing("key policy (.3.8)"))?;
        if certificate.version() != 3 {
            return Err(Bad("the leaf is not an X.509 v3 certificate"));
        }
        if [oid::FIPS, oid::CSPN_OR_IN_REQUEST_LEAF].iter().any(|o| value(certificate, *o).is_some()) {
            return Err(Bad("the leaf has an extension of F9 (.3.10 or .3.11)"));
        }
        if certificate.basic_constraints().is_some() {
            return Err(Bad("the leaf has basicConstraints, which no leaf has"));
        }
        let serial = match value(certificate, oid::SERIAL) {
            None => None,
            Some(value) => Some(
                u32::from_der(value)
                    .map_err(|_| Bad("the serial number (.3.7) is not a positive INTEGER below 2^32"))?,
            ),
        };
        let form = match value(certificate, oid::FORM_FACTOR) {
            None => None,
            Some(value) => {
                let [form] = raw::<1>(value).ok_or(Bad("the form factor (.3.9) is not one byte"))?;
                Some(form)
            }
        };
        if form.is_some_and(|f| f & 0x40 != 0) {
            return Err(Bad("the form factor (.3.9) is of the Security Key series, which has no PIV"));
        }
        let leaf = Self {
            slot: slot.to_ascii_lowercase(),
            key: certificate
                .key()
                .map_err(|_| Bad("the leaf's public key is not in a form that can be used"))?
                .clone(),
            firmware: raw(firmware).ok_or(Bad("the firmware version (.3.3) is not three bytes"))?,
            serial,
            policy: raw(policy).ok_or(Bad("the key policy (.3.8) is not two bytes"))?,
            form,
        };
        match u8::from_str_radix(slot, 16) {
            Ok(0x9a | 0x9c | 0x9d | 0x9e | 0x82..=0x95) => Ok(leaf),
            _ => Err(LeafFault::Slot(slot.to_owned())),
        }
    }

    pub(super) fn firmware_text(&self) -> String {
        dotted(self.firmware)
    }

    pub(super) fn pin_policy(&self) -> Option<&'static str> {
        match self.policy[0] {
            1 => Some("never"),
            2 => Some("once"),
            3 => Some("always"),
            4 => Some("match-once"),
            5 => Some("match-always"),
            _ => None,
        }
    }

    pub(super) fn touch_policy(&self) -> Option<&'static str> {
        match self.policy[1] {
            1 => Some("never"),
            2 => Some("always"),
            3 => Some("cached"),
            _ => None,
        }
    }

    /// What the device is, by leaf and F9.
    pub(super) fn hardware(&self, f9: &F9) -> Hardware {
        Hardware { fips: f9.fips, cspn: f9.cspn, ..self.own_hardware() }
    }

    fn own_hardware(&self) -> Hardware {
        Hardware { firmware: self.firmware, form: self.form, fips: false, cspn: false }
    }

    /// What the slot is for (NIST SP 800-73-4, Yubico for 82 to 95).
    pub(super) fn slot_use(&self) -> &'static str {
        match self.slot.as_str() {
            "9a" => "authentication",
            "9c" => "signature",
            "9d" => "key management",
            "9e" => "card authentication",
            _ => "retired key management",
        }
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "kind": "leaf", "slot": self.slot, "slot_use": self.slot_use(), "firmware": self.firmware_text(),
            "serial": self.serial, "pin_policy": self.pin_policy(), "pin_policy_byte": self.policy[0],
            "touch_policy": self.touch_policy(), "touch_policy_byte": self.policy[1],
            "form_factor": self.own_hardware().shape(), "form_factor_byte": self.form,
        })
    }
}

impl F9 {
    /// Reads a certificate as F9; an error says why it cannot be one.
    pub(super) fn read(certificate: &Certificate) -> Result<Self, &'static str> {
        if !certificate.common_name().is_some_and(|cn| F9_CNS.contains(&cn))
            || certificate.subject_name().rdn_count() != 1
        {
            return Err("the subject is not that of an F9 certificate (Yubico PIV Attestation, alone)");
        }
        let leaf_only = [oid::SERIAL, oid::POLICY, oid::FORM_FACTOR];
        if leaf_only.iter().any(|o| value(certificate, *o).is_some()) {
            return Err("has extensions of a leaf: an attested key is used as if it were an authority");
        }
        let firmware = value(certificate, oid::FIRMWARE).ok_or("has no firmware version (.3.3)")?;
        if matches!(certificate.basic_constraints(), Some(Err(()))) {
            return Err("has basicConstraints that cannot be read");
        }
        if certificate.basic_constraints().is_some_and(|c| c.is_ok_and(|c| !c.ca)) {
            return Err("has basicConstraints that say it is not a CA");
        }
        let key = certificate.key().map_err(|_| "has a public key that is not in a form that can be used")?;
        if key.rsa_bits().is_some_and(|bits| bits < 2048) {
            return Err("has an RSA key under 2048 bits");
        }
        Ok(Self {
            firmware: raw(firmware).ok_or("has a firmware version (.3.3) that is not three bytes")?,
            fips: value(certificate, oid::FIPS).is_some(),
            cspn: value(certificate, oid::CSPN_OR_IN_REQUEST_LEAF).is_some(),
        })
    }

    pub(super) fn firmware_text(&self) -> String {
        dotted(self.firmware)
    }

    pub(super) fn view(&self) -> Value {
        json!({ "kind": "F9", "firmware": self.firmware_text(), "fips_series": self.fips, "cspn": self.cspn })
    }
}
