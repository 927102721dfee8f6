//! What the extensions of leaf and device certificate say. Unlike those of a YubiKey's PIV application they are DER.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};
use serde_json::{Value, json};

use super::capability::{Capabilities, bit};
use crate::crypto::PublicKey;
use crate::pki::{BasicConstraints, Certificate};
use crate::wire::der::{content, single};

/// Object identifiers below Yubico's arc 1.3.6.1.4.1.41482.4.
pub(super) mod oid {
    use der::asn1::ObjectIdentifier;

    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }

    pub(in super::super) const FIRMWARE: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.1");
    pub(in super::super) const SERIAL: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.2");
    pub(in super::super) const ORIGIN: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.3");
    pub(super) const DOMAINS: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.4");
    pub(super) const CAPABILITIES: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.5");
    pub(super) const OBJECT_ID: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.6");
    pub(super) const LABEL: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.9");
    pub(super) const FIPS_UNIT: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.10");
    pub(super) const FIPS_MODE: ObjectIdentifier = oid("1.3.6.1.4.1.41482.4.12");
}

const LEAF_CN: &str = "YubiHSM Attestation id:0x";
/// The second is that of prototypes.
const DEVICE_CNS: [&str; 2] = ["YubiHSM Attestation (", "YubiHSM2 Attestation ("];
const MAX_LABEL: usize = 40;

/// Whether a common name is that of a leaf.
pub(super) fn is_leaf_name(cn: &str) -> bool {
    cn.strip_prefix(LEAF_CN).is_some_and(|id| id.len() == 4 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The serial number in the common name of a device certificate.
pub(super) fn number_in_device_name(cn: &str) -> Option<&str> {
    let number = DEVICE_CNS.iter().find_map(|prefix| cn.strip_prefix(prefix))?.strip_suffix(')')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

/// What a leaf says.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) key: PublicKey,
    pub(super) firmware: [u8; 3],
    pub(super) serial: u32,
    pub(super) origin: Origin,
    domains: u16,
    pub(super) capabilities: Capabilities,
    pub(super) object_id: u16,
    label: Vec<u8>,
    /// FIPS-approved mode; firmware 2.4.1 and later of FIPS units.
    pub(super) fips_mode: Option<bool>,
}

/// Where a key comes from: bits that the device keeps with the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin(u8);

/// Why a certificate is not a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeafFault {
    Missing(&'static str),
    Bad(&'static str),
    Other(ObjectIdentifier),
    ObjectId(String),
}

impl LeafFault {
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Missing(what) => format!("the leaf has no {what}"),
            Self::Bad(what) => format!("the leaf's {what}"),
            Self::Other(oid) => format!("the leaf has an extension that no YubiHSM 2 writes: {oid}"),
            Self::ObjectId(found) => found.clone(),
        }
    }
}

impl Origin {
    const GENERATED: u8 = 0x01;
    const IMPORTED: u8 = 0x02;
    const WRAPPED: u8 = 0x10;

    /// Generated in this device, and never brought into another or back.
    pub(super) fn is_generated_here(self) -> bool {
        self.0 == Self::GENERATED
    }

    pub(super) fn is_imported(self) -> bool {
        self.0 & Self::IMPORTED != 0
    }

    pub(super) fn is_wrapped(self) -> bool {
        self.0 & Self::WRAPPED != 0
    }

    /// Generated or imported, not both, and possibly moved under wrap. Anything else is not documented.
    pub(super) fn is_known(self) -> bool {
        matches!(self.0 & !Self::WRAPPED, Self::GENERATED | Self::IMPORTED)
    }

    /// For the claim `key.generated_in_device`: in *this* device.
    pub(super) fn generated(self) -> Option<bool> {
        self.is_known().then(|| self.is_generated_here())
    }

    pub(super) fn words(self) -> String {
        let mut words = Vec::new();
        for (bit, word) in [
            (Self::GENERATED, "generated"),
            (Self::IMPORTED, "imported"),
            (Self::WRAPPED, "imported under wrap"),
        ] {
            if self.0 & bit != 0 {
                words.push(word);
            }
        }
        if words.is_empty() || !self.is_known() {
            words.push("not a known origin");
        }
        format!("{} (0x{:02x})", words.join(", "), self.0)
    }
}

/// The values of a BIT STRING of whole bytes that is a number, not a list of named bits.
fn mask<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    content(value, Tag::BitString)?.strip_prefix(&[0])?.try_into().ok()
}

/// BOOLEAN or INTEGER, whichever it is: no real one was seen. Anything but zero is yes.
fn yes(value: &[u8]) -> Option<bool> {
    match single(value)? {
        (Tag::Boolean | Tag::Integer, number) => number.last().map(|last| *last != 0),
        _ => None,
    }
}

fn firmware(value: &[u8]) -> Option<[u8; 3]> {
    content(value, Tag::OctetString)?.try_into().ok()
}

impl Leaf {
    pub(super) fn read(certificate: &Certificate) -> Result<Self, LeafFault> {
        use LeafFault::{Bad, Missing};
        let value =
            |oid: ObjectIdentifier, what| certificate.extension(oid).map(|e| e.value).ok_or(Missing(what));
        let firmware_value = value(oid::FIRMWARE, "firmware version (.4.1)")?;
        let serial = value(oid::SERIAL, "serial number (.4.2)")?;
        let origin = value(oid::ORIGIN, "origin (.4.3)")?;
        let domains = value(oid::DOMAINS, "domains (.4.4)")?;
        let capabilities = value(oid::CAPABILITIES, "capabilities (.4.5)")?;
        let object_id = value(oid::OBJECT_ID, "object ID (.4.6)")?;
        let label = value(oid::LABEL, "label (.4.9)")?;
        if certificate.version() != 3 {
            return Err(Bad("certificate is not X.509 v3"));
        }
        let known = [
            oid::FIRMWARE,
            oid::SERIAL,
            oid::ORIGIN,
            oid::DOMAINS,
            oid::CAPABILITIES,
            oid::OBJECT_ID,
            oid::LABEL,
            oid::FIPS_MODE,
        ];
        if let Some(other) = certificate.extensions().find(|e| !known.contains(&e.oid)) {
            return Err(LeafFault::Other(other.oid));
        }
        if certificate.extensions().any(|e| e.critical) {
            return Err(Bad("extensions are critical, which those of a YubiHSM 2 are not"));
        }
        let fips_mode = match certificate.extension(oid::FIPS_MODE) {
            None => None,
            Some(e) => Some(yes(e.value).ok_or(Bad("FIPS mode (.4.12) is neither BOOLEAN nor INTEGER"))?),
        };
        let label = content(label, Tag::Utf8String).filter(|label| label.len() <= MAX_LABEL);
        let [origin] = mask(origin).ok_or(Bad("origin (.4.3) is not a BIT STRING of one byte"))?;
        let leaf = Self {
            key: certificate.key().map_err(|_| Bad("public key is not in a form that can be used"))?.clone(),
            firmware: firmware(firmware_value)
                .ok_or(Bad("firmware version (.4.1) is not an OCTET STRING of three bytes"))?,
            serial: u32::from_der(serial)
                .map_err(|_| Bad("serial number (.4.2) is not a positive INTEGER below 2^32"))?,
            origin: Origin(origin),
            domains: u16::from_be_bytes(
                mask(domains).ok_or(Bad("domains (.4.4) are not a BIT STRING of two bytes"))?,
            ),
            capabilities: Capabilities(u64::from_be_bytes(
                mask(capabilities).ok_or(Bad("capabilities (.4.5) are not a BIT STRING of eight bytes"))?,
            )),
            object_id: u16::from_der(object_id)
                .map_err(|_| Bad("object ID (.4.6) is not a positive INTEGER below 2^16"))?,
            label: label.ok_or(Bad("label (.4.9) is not a UTF8String of at most 40 bytes"))?.to_vec(),
            fips_mode,
        };
        leaf.check_name(certificate)?;
        Ok(leaf)
    }

    fn check_name(&self, certificate: &Certificate) -> Result<(), LeafFault> {
        let name = certificate.common_name().unwrap_or_default();
        let named = name.strip_prefix(LEAF_CN).filter(|_| is_leaf_name(name));
        match named.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(id) if id == self.object_id => Ok(()),
            _ => Err(LeafFault::ObjectId(format!(
                "the leaf's subject is {name:?} and its object ID {:#06x}",
                self.object_id
            ))),
        }
    }

    pub(super) fn firmware_text(&self) -> String {
        dotted(self.firmware)
    }

    pub(super) fn exportable(&self) -> bool {
        self.capabilities.has(bit::EXPORTABLE_UNDER_WRAP)
    }

    /// For the claim `key.ever_exportable`. Capabilities never change, so a key that was made here and cannot be
    /// exported never could be.
    pub(super) fn ever_exportable(&self) -> Option<bool> {
        if self.exportable() || self.origin.is_wrapped() {
            Some(true)
        } else {
            self.origin.is_generated_here().then_some(false)
        }
    }

    pub(super) fn domains(&self) -> String {
        let domains = (1_u32..).zip(0..u16::BITS);
        let has = |bit: u32| self.domains.checked_shr(bit).is_some_and(|rest| rest & 1 == 1);
        domains.filter(|(_, bit)| has(*bit)).map(|(n, _)| n.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// The label; devices take any bytes.
    pub(super) fn label(&self) -> String {
        String::from_utf8_lossy(&self.label).into_owned()
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "kind": "leaf", "object_id": format!("{:#06x}", self.object_id), "label": self.label(),
            "firmware": self.firmware_text(), "serial": self.serial, "origin": self.origin.words(),
            "domains": self.domains(), "capabilities": self.capabilities.names(), "fips_mode": self.fips_mode,
        })
    }
}

/// What a device certificate says.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) firmware: [u8; 3],
    pub(super) serial: u32,
    /// The number in its name; absent when the name is another.
    pub(super) named: Option<String>,
    /// Whether the unit is a YubiHSM 2 FIPS. What the number in the extension means is not documented.
    pub(super) fips_unit: bool,
}

impl Device {
    /// Reads a certificate as that of a device; an error says why it cannot be one.
    pub(super) fn read(certificate: &Certificate) -> Result<Self, &'static str> {
        let value = |oid| certificate.extension(oid).map(|e| e.value);
        if value(oid::ORIGIN).is_some() {
            return Err("has the extensions of a leaf: an attested key is used as if it were the device's");
        }
        let found = value(oid::FIRMWARE).ok_or("has no firmware version (.4.1)")?;
        let serial = value(oid::SERIAL).ok_or("has no serial number (.4.2)")?;
        if !matches!(
            certificate.basic_constraints(),
            Some(Ok(BasicConstraints { ca: true, path_len: Some(0) }))
        ) {
            return Err("is not a CA with path length 0 (basicConstraints)");
        }
        Ok(Self {
            firmware: firmware(found).ok_or("has a firmware version (.4.1) that is not three bytes")?,
            serial: u32::from_der(serial).map_err(|_| "has a serial number (.4.2) that is not an INTEGER")?,
            named: certificate.common_name().and_then(number_in_device_name).map(str::to_owned),
            fips_unit: value(oid::FIPS_UNIT).is_some(),
        })
    }

    pub(super) fn firmware_text(&self) -> String {
        dotted(self.firmware)
    }

    pub(super) fn model(&self) -> &'static str {
        if self.fips_unit { "YubiHSM 2 FIPS" } else { "YubiHSM 2" }
    }

    pub(super) fn view(&self) -> Value {
        json!({ "kind": "device certificate", "firmware": self.firmware_text(), "serial": self.serial,
            "fips_unit": self.fips_unit })
    }
}

fn dotted([major, minor, patch]: [u8; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}
