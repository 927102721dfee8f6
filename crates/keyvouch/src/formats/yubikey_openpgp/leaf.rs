//! The extensions of leaf and ATT. Unlike those of the PIV applet their values are DER.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};
use serde_json::{Value, json};

use super::super::yubico::{Firmware, Hardware, dotted};
use super::is_named_like_att;
use crate::crypto::{Material, PublicKey};
use crate::pki::Certificate;
use crate::pki::openpgp::v4_fingerprints;
use crate::time::Time;
use crate::wire::der::content;

/// Object identifiers below Yubico's arc 1.3.6.1.4.1.41482.5.
pub(super) mod oid {
    use der::asn1::ObjectIdentifier;

    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }

    pub(super) const CARDHOLDER: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.1");
    pub(in super::super) const SOURCE: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.2");
    pub(super) const FIRMWARE: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.3");
    pub(super) const FINGERPRINT: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.4");
    pub(super) const CREATED: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.5");
    pub(super) const COUNTER: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.6");
    pub(super) const SERIAL: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.7");
    pub(super) const TOUCH: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.8");
    pub(super) const FORM_FACTOR: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.9");
    pub(super) const FIPS: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.10");
    pub(super) const CSPN: ObjectIdentifier = oid("1.3.6.1.4.1.41482.5.11");
}

/// A key of the OpenPGP applet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Sig,
    Dec,
    Aut,
}

impl Slot {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sig => "SIG",
            Self::Dec => "DEC",
            Self::Aut => "AUT",
        }
    }
}

/// Where the device has the key from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Imported,
    Generated,
    Unknown,
}

/// What a leaf says.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) slot: Slot,
    pub(super) key: PublicKey,
    pub(super) source: Source,
    pub(super) firmware: Firmware,
    pub(super) serial: u32,
    touch: u8,
    form: Option<u8>,
    /// Of the SIG key only.
    pub(super) counter: Option<u32>,
    /// Whoever has the admin PIN writes this and the two below.
    pub(super) fingerprint: Option<[u8; 20]>,
    created: Option<[u8; 4]>,
    cardholder: Option<String>,
}

/// What ATT says.
#[derive(Debug, Clone)]
pub(super) struct Att {
    pub(super) firmware: Firmware,
    fips: bool,
    cspn: bool,
}

/// Why a certificate is not a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeafFault {
    Missing(&'static str),
    Bad(&'static str),
}

impl LeafFault {
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Missing(what) => format!("the leaf has no {what}"),
            Self::Bad(what) => (*what).to_owned(),
        }
    }
}

fn value(certificate: &Certificate, oid: ObjectIdentifier) -> Option<&[u8]> {
    certificate.extension(oid).map(|e| e.value)
}

/// The content of a DER OCTET STRING of that length.
fn octets<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    content(value, Tag::OctetString)?.try_into().ok()
}

/// The extension, where it is there, read as `read` does; `bad` when it cannot be.
fn optional<T>(
    certificate: &Certificate,
    oid: ObjectIdentifier,
    bad: &'static str,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Option<T>, LeafFault> {
    value(certificate, oid).map(|value| read(value).ok_or(LeafFault::Bad(bad))).transpose()
}

fn required<T>(
    certificate: &Certificate,
    oid: ObjectIdentifier,
    missing: &'static str,
    bad: &'static str,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, LeafFault> {
    optional(certificate, oid, bad, read)?.ok_or(LeafFault::Missing(missing))
}

fn source(value: &[u8]) -> Option<Source> {
    // Any INTEGER has the right form; what is neither 0 nor 1 has no meaning.
    match content(value, Tag::Integer)? {
        [] => None,
        [0] => Some(Source::Imported),
        [1] => Some(Source::Generated),
        _ => Some(Source::Unknown),
    }
}

impl Leaf {
    pub(super) fn read(certificate: &Certificate) -> Result<Self, LeafFault> {
        use LeafFault::Bad;
        if certificate.version() != 3 {
            return Err(Bad("the leaf is not an X.509 v3 certificate"));
        }
        let number = |value: &[u8]| u32::from_der(value).ok();
        let source = required(
            certificate,
            oid::SOURCE,
            "key source (.5.2)",
            "the key source (.5.2) is not an INTEGER",
            source,
        )?;
        let firmware = required(
            certificate,
            oid::FIRMWARE,
            "firmware version (.5.3)",
            "the firmware version (.5.3) is not an OCTET STRING of three bytes",
            octets::<3>,
        )?;
        let serial = required(
            certificate,
            oid::SERIAL,
            "serial number (.5.7)",
            "the serial number (.5.7) is not a positive INTEGER below 2^32",
            number,
        )?;
        let [touch] = required(
            certificate,
            oid::TOUCH,
            "touch setting (.5.8)",
            "the touch setting (.5.8) is not an OCTET STRING of one byte",
            octets::<1>,
        )?;
        let form = optional(
            certificate,
            oid::FORM_FACTOR,
            "the form factor (.5.9) is not an OCTET STRING of one byte",
            octets::<1>,
        )?;
        let leaf = Self {
            slot: slot(certificate).ok_or(Bad("the leaf's subject names none of the keys SIG, DEC, AUT"))?,
            key: certificate
                .key()
                .map_err(|_| Bad("the leaf's public key is not in a form that can be used"))?
                .clone(),
            source,
            firmware,
            serial,
            touch,
            form: form.map(|[form]| form),
            counter: optional(
                certificate,
                oid::COUNTER,
                "the signature counter (.5.6) is not a positive INTEGER below 2^32",
                number,
            )?,
            fingerprint: optional(
                certificate,
                oid::FINGERPRINT,
                "the fingerprint (.5.4) is not an OCTET STRING of 20 bytes",
                octets,
            )?,
            created: optional(
                certificate,
                oid::CREATED,
                "the creation time (.5.5) is not an OCTET STRING of four bytes",
                octets,
            )?,
            cardholder: optional(
                certificate,
                oid::CARDHOLDER,
                "the cardholder name (.5.1) is not a UTF8String",
                |value| String::from_utf8(content(value, Tag::Utf8String)?.to_vec()).ok(),
            )?,
        };
        if certificate.basic_constraints().is_some() {
            return Err(Bad("the leaf has basicConstraints, which no leaf has"));
        }
        if leaf.form.is_some_and(|f| f & 0x40 != 0) {
            return Err(Bad("the form factor (.5.9) is of the Security Key series, which has no OpenPGP"));
        }
        Ok(leaf)
    }

    /// What the device is, by leaf and ATT.
    pub(super) fn hardware(&self, att: &Att) -> Hardware {
        Hardware { fips: att.fips, cspn: att.cspn, ..self.own_hardware() }
    }

    fn own_hardware(&self) -> Hardware {
        Hardware { firmware: self.firmware, form: self.form, fips: false, cspn: false }
    }

    pub(super) fn firmware_text(&self) -> String {
        dotted(self.firmware)
    }

    pub(super) fn generated(&self) -> Option<bool> {
        match self.source {
            Source::Generated => Some(true),
            Source::Imported => Some(false),
            Source::Unknown => None,
        }
    }

    pub(super) fn touch_policy(&self) -> Option<&'static str> {
        match self.touch {
            0 => Some("never"),
            1 | 2 => Some("always"),
            3 | 4 => Some("cached"),
            _ => None,
        }
    }

    /// Whether the admin PIN can change the touch policy while the key stays.
    pub(super) fn touch_changeable(&self) -> Option<bool> {
        match self.touch {
            0 | 1 | 3 => Some(true),
            2 | 4 => Some(false),
            _ => None,
        }
    }

    /// What the applet uses the key for.
    pub(super) fn purposes(&self) -> Vec<&'static str> {
        match (self.slot, self.key.material()) {
            (Slot::Sig | Slot::Aut, _) => vec!["sign"],
            (Slot::Dec, Material::Rsa { .. }) => vec!["decrypt"],
            (Slot::Dec, _) => vec!["agree"],
        }
    }

    pub(super) fn created_claimed(&self) -> Option<String> {
        let seconds = u32::from_be_bytes(self.created?);
        (seconds != 0).then(|| Time::from_unix(i64::from(seconds)).to_string())
    }

    pub(super) fn cardholder_claimed(&self) -> Option<String> {
        self.cardholder.clone().filter(|name| !name.is_empty())
    }

    /// Whether the fingerprint is that of the key with the creation time in the leaf; `None` when there is none,
    /// which the applet writes as zeros.
    pub(super) fn fingerprint_fits(&self) -> Option<bool> {
        let fingerprint = self.fingerprint.filter(|f| f.iter().any(|b| *b != 0))?;
        Some(v4_fingerprints(&self.key, self.created.unwrap_or_default()).contains(&fingerprint))
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "kind": "leaf", "slot": self.slot.name(), "firmware": self.firmware_text(), "serial": self.serial,
            "generated_in_device": self.generated(), "touch_policy": self.touch_policy(),
            "touch_policy_byte": self.touch, "touch_policy_changeable": self.touch_changeable(),
            "form_factor": self.own_hardware().shape(), "form_factor_byte": self.form,
            "signature_counter": self.counter, "fingerprint_claimed": self.fingerprint.map(hex::encode),
            "created_claimed": self.created_claimed(), "cardholder_claimed": self.cardholder_claimed(),
        })
    }
}

/// The key that the leaf's subject names.
pub(super) fn slot(certificate: &Certificate) -> Option<Slot> {
    let (name, slot) = certificate.common_name()?.rsplit_once(' ')?;
    let slot = match slot {
        "SIG" => Slot::Sig,
        "DEC" => Slot::Dec,
        "AUT" => Slot::Aut,
        _ => return None,
    };
    name.eq_ignore_ascii_case(super::ATT_CN).then_some(slot)
}

impl Att {
    /// Reads a certificate as ATT; an error says why it cannot be one.
    pub(super) fn read(certificate: &Certificate) -> Result<Self, &'static str> {
        if !is_named_like_att(certificate) || certificate.subject_name().rdn_count() != 1 {
            return Err("the subject is not that of an ATT certificate (YubiKey OPGP Attestation, alone)");
        }
        let leaf_only = [oid::SOURCE, oid::FINGERPRINT, oid::SERIAL];
        if leaf_only.iter().any(|o| value(certificate, *o).is_some()) {
            return Err("has extensions of a leaf: an attested key is used as if it were an authority");
        }
        let firmware = value(certificate, oid::FIRMWARE).ok_or("has no firmware version (.5.3)")?;
        match certificate.basic_constraints() {
            Some(Err(())) => return Err("has basicConstraints that cannot be read"),
            Some(Ok(constraints)) if !constraints.ca => {
                return Err("has basicConstraints that say it is not a CA");
            }
            _ => {}
        }
        let key = certificate.key().map_err(|_| "has a public key that is not in a form that can be used")?;
        if key.rsa_bits().is_some_and(|bits| bits < 2048) {
            return Err("has an RSA key under 2048 bits");
        }
        Ok(Self {
            firmware: octets(firmware)
                .ok_or("has a firmware version (.5.3) that is not an OCTET STRING of three bytes")?,
            fips: value(certificate, oid::FIPS).is_some(),
            cspn: value(certificate, oid::CSPN).is_some(),
        })
    }

    pub(super) fn firmware_text(&self) -> String {
        dotted(self.firmware)
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "kind": "ATT", "firmware": self.firmware_text(), "fips_series": self.fips, "cspn": self.cspn,
        })
    }
}
