//! What the certificates of a Luna say. The maker's extensions hold raw little-endian words, not DER.

use der::Decode;
use der::asn1::{BitStringRef, ObjectIdentifier};
use serde_json::{Value, json};

use crate::crypto::PublicKey;
use crate::pki::Certificate;
use crate::wire::bytes::contains;
use crate::wire::der::is_below;

/// Object identifiers below the arc 1.3.6.1.4.1.12383 of Chrysalis-ITS, now Thales.
pub(super) mod oid {
    use der::asn1::ObjectIdentifier;

    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }

    pub(super) const EXTENDED_KEY_USAGE: ObjectIdentifier = oid("2.5.29.37");

    /// Purposes (extended key usage).
    pub(in super::super) const ROOT: ObjectIdentifier = oid("1.3.6.1.4.1.12383.1.1");
    pub(in super::super) const MIC: ObjectIdentifier = oid("1.3.6.1.4.1.12383.1.7");
    pub(in super::super) const HOC: ObjectIdentifier = oid("1.3.6.1.4.1.12383.1.8");
    pub(in super::super) const DAC: ObjectIdentifier = oid("1.3.6.1.4.1.12383.1.12");
    pub(in super::super) const PKC: ObjectIdentifier = oid("1.3.6.1.4.1.12383.1.13");
    pub(in super::super) const ECC_ROOT: ObjectIdentifier = oid("1.3.6.1.4.1.12383.1.14");
    pub(in super::super) const ECC_HOC: ObjectIdentifier = oid("1.3.6.1.4.1.12383.1.15");

    /// Extensions.
    pub(super) const SERIAL: ObjectIdentifier = oid("1.3.6.1.4.1.12383.2.1");
    pub(super) const FIRMWARE: ObjectIdentifier = oid("1.3.6.1.4.1.12383.2.3");
    pub(super) const HARDWARE: ObjectIdentifier = oid("1.3.6.1.4.1.12383.2.4");
    pub(super) const FLAGS: ObjectIdentifier = oid("1.3.6.1.4.1.12383.2.5");
}

const ARC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.12383");
/// The purpose of a PKC in DER.
const PKC_DER: &[u8] = b"\x06\x09\x2b\x06\x01\x04\x01\xe0\x5f\x01\x0d";

/// The extended key usage of a certificate.
pub(super) enum Purposes {
    Absent,
    Unreadable,
    Are(Vec<ObjectIdentifier>),
}

impl Purposes {
    /// Whether there is exactly one, and it is this.
    pub(super) fn is_exactly(&self, wanted: ObjectIdentifier) -> bool {
        matches!(self, Self::Are(oids) if *oids == [wanted])
    }

    /// For reports.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Absent => "none".to_owned(),
            Self::Unreadable => "unreadable".to_owned(),
            Self::Are(oids) => oids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

pub(super) fn purposes(certificate: &Certificate) -> Purposes {
    match certificate.extended_key_usage() {
        None => Purposes::Absent,
        Some(Err(())) => Purposes::Unreadable,
        Some(Ok(oids)) => Purposes::Are(oids),
    }
}

/// Whether the bytes have an object identifier below the maker's arc in them.
pub(super) fn mentions_arc(bytes: &[u8]) -> bool {
    let arc = ARC.as_bytes();
    contains(bytes, arc)
}

/// Whether the certificate has a purpose or an extension below the maker's arc.
pub(super) fn is_ours(certificate: &Certificate) -> bool {
    let below = |oid: &ObjectIdentifier| is_below(*oid, ARC);
    let by_purpose = match purposes(certificate) {
        Purposes::Absent => false,
        Purposes::Unreadable => {
            certificate.extension(oid::EXTENDED_KEY_USAGE).is_some_and(|e| mentions_arc(e.value))
        }
        Purposes::Are(oids) => oids.iter().any(below),
    };
    by_purpose || certificate.extensions().any(|e| below(&e.oid))
}

/// Whether the certificate calls itself a PKC; that it is nothing else besides is for a check to say.
pub(super) fn is_leaf(certificate: &Certificate) -> bool {
    match purposes(certificate) {
        Purposes::Absent => false,
        Purposes::Unreadable => {
            certificate.extension(oid::EXTENDED_KEY_USAGE).is_some_and(|e| contains(e.value, PKC_DER))
        }
        Purposes::Are(oids) => oids.contains(&oid::PKC),
    }
}

/// What a certificate says it is, by its purpose.
pub(super) fn role(certificate: &Certificate) -> &'static str {
    let Purposes::Are(oids) = purposes(certificate) else { return "other certificate" };
    match oids.as_slice() {
        [oid::ROOT] => "root",
        [oid::MIC] => "manufacturing integrity certificate (MIC)",
        [oid::HOC] => "hardware origin certificate (HOC)",
        [oid::DAC] => "device authentication certificate (DAC)",
        [oid::PKC] => "public key confirmation (PKC)",
        [oid::ECC_ROOT] => "ECC root",
        [oid::ECC_HOC] => "ECC hardware origin certificate (HOC)",
        _ => "other certificate",
    }
}

/// An extension's raw little-endian word: absent, or of another length.
fn word(certificate: &Certificate, oid: ObjectIdentifier) -> Option<Result<u32, usize>> {
    let value = certificate.extension(oid)?.value;
    Some(<[u8; 4]>::try_from(value).map(u32::from_le_bytes).map_err(|_| value.len()))
}

/// Object unique id of the key: counter, a word of unknown meaning, serial number of the HSM.
fn ouid(leaf: &Certificate) -> Option<[u8; 12]> {
    hex::decode(leaf.common_name()?).ok()?.try_into().ok()
}

/// A place that names the HSM, and what it says: nothing, a serial number, or something that is none.
pub(super) type Named = (&'static str, Option<Result<u32, String>>);

/// Serial numbers of the HSM in the PKC itself.
pub(super) fn serials_of_leaf(leaf: &Certificate) -> Vec<Named> {
    let by_ouid = ouid(leaf).map(|[.., a, b, c, d]| Ok(u32::from_le_bytes([a, b, c, d])));
    vec![
        ("extension .2.1 of the PKC", extension_serial(leaf)),
        ("object id in the subject of the PKC", by_ouid),
    ]
}

/// … in the DAC. Its extension may be missing.
pub(super) fn serials_of_dac(dac: &Certificate) -> Vec<Named> {
    let by_name = dac.common_name().and_then(|cn| cn.rsplit_once('-')).map(|(_, serial)| decimal(serial));
    let mut named = vec![("common name of the DAC", by_name)];
    if let Some(serial) = extension_serial(dac) {
        named.push(("extension .2.1 of the DAC", Some(serial)));
    }
    named
}

/// … in a HOC: the low 32 bits of its serial number.
pub(super) fn serials_of_hoc(hoc: &Certificate) -> Vec<Named> {
    let low = hoc.serial().last_chunk::<4>().map(|low| Ok(u32::from_be_bytes(*low)));
    vec![("serial number of the HOC", low)]
}

/// … in an ECC HOC: also its common name.
pub(super) fn serials_of_ecc_hoc(hoc: &Certificate) -> Vec<Named> {
    let mut named = serials_of_hoc(hoc);
    named.push(("common name of the HOC", hoc.common_name().map(decimal)));
    named
}

fn extension_serial(certificate: &Certificate) -> Option<Result<u32, String>> {
    word(certificate, oid::SERIAL).map(|w| w.map_err(|len| format!("{len} bytes instead of 4")))
}

fn decimal(text: &str) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| format!("{text:?} is not a serial number"))
}

/// The flags of a PKC: absent, whether the first four are all set, or not a BIT STRING.
pub(super) fn flags(leaf: &Certificate) -> Option<Result<bool, ()>> {
    let value = leaf.extension(oid::FLAGS)?.value;
    let read = BitStringRef::from_der(value).map_err(|_| ());
    Some(read.map(|bits| bits.bit_len() >= 4 && bits.raw_bytes().first().is_some_and(|b| b & 0xf0 == 0xf0)))
}

/// What a PKC says.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) key: PublicKey,
    pub(super) serial: Option<u32>,
    firmware: Option<u32>,
    hardware: Option<u32>,
    pub(super) flags: Option<String>,
    pub(super) ouid: Option<String>,
}

impl Leaf {
    pub(super) fn read(leaf: &Certificate) -> Result<Self, String> {
        let word = |oid| word(leaf, oid).and_then(Result::ok);
        Ok(Self {
            key: leaf.key().map_err(|e| format!("the key of the PKC: {e}"))?.clone(),
            serial: word(oid::SERIAL),
            firmware: word(oid::FIRMWARE),
            hardware: word(oid::HARDWARE),
            flags: leaf.extension(oid::FLAGS).map(|e| hex::encode(e.value)),
            ouid: ouid(leaf).map(hex::encode),
        })
    }

    /// Major and minor half of the firmware word.
    fn firmware_halves(&self) -> Option<(u32, u32)> {
        self.firmware.map(|word| (word >> 16, word & 0xffff))
    }

    /// Firmware as Luna displays it. The minor half holds two decimal digits (84 is 8.4); how a third would be
    /// displayed is not known.
    pub(super) fn firmware(&self) -> Option<String> {
        let (major, minor) = self.firmware_halves()?;
        let tens = minor.checked_div(10).filter(|tens| *tens < 10)?;
        Some(format!("{major}.{tens}.{}", minor.checked_rem(10)?))
    }

    /// Firmware as it is written.
    pub(super) fn firmware_word(&self) -> Option<String> {
        self.firmware_halves().map(|(major, minor)| format!("{major}.{minor}"))
    }

    pub(super) fn hardware_word(&self) -> Option<String> {
        self.hardware.map(|word| word.to_string())
    }
}

/// The model in the name of a DAC: what stands before the serial number.
pub(super) fn model(dac: &Certificate) -> Option<String> {
    let (model, serial) = dac.common_name()?.rsplit_once('-')?;
    (decimal(serial).is_ok() && !model.is_empty()).then(|| model.to_owned())
}

pub(super) fn view(certificate: &Certificate) -> Value {
    let mut fields = serde_json::Map::new();
    for extension in certificate.extensions().filter(|e| is_below(e.oid, ARC)) {
        fields.insert(extension.oid.to_string(), hex::encode(extension.value).into());
    }
    if let (true, Ok(leaf)) = (is_leaf(certificate), Leaf::read(certificate)) {
        fields.insert("serial".to_owned(), json!(leaf.serial));
        fields.insert("firmware".to_owned(), json!(leaf.firmware()));
        fields.insert("firmware_word".to_owned(), json!(leaf.firmware_word()));
        fields.insert("ouid".to_owned(), json!(leaf.ouid));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Curve;

    #[test]
    fn firmware_words() {
        let of = |word| {
            let key = PublicKey::ec(Curve::P256, &[&[4_u8][..], &[1; 64]].concat()).unwrap();
            let firmware = Some(word);
            Leaf { key, serial: None, firmware, hardware: None, flags: None, ouid: None }.firmware()
        };
        assert_eq!(of(0x0007_0054).as_deref(), Some("7.8.4"));
        assert_eq!(of(0x0007_0003).as_deref(), Some("7.0.3"));
        assert_eq!(of(0x0007_0064), None);
    }

    #[test]
    fn serials_are_plain_decimal() {
        assert_eq!(decimal("521174"), Ok(521_174));
        for bad in ["", "+1", "-1", "1 ", "0x1", "4294967296"] {
            assert!(decimal(bad).is_err(), "{bad}");
        }
    }
}
