//! Which TPM a certificate speaks of: maker, model and version in its subjectAltName, the TCG's registry of makers,
//! and the names of Microsoft's issuers.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, TagNumber};

use crate::pki::{Certificate, name};
use crate::wire::der::{children, sequence, single};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

pub(crate) const SUBJECT_ALT_NAME: ObjectIdentifier = oid("2.5.29.17");
pub(crate) const EKU_EK: ObjectIdentifier = oid("2.23.133.8.1");
pub(crate) const EKU_AIK: ObjectIdentifier = oid("2.23.133.8.3");
const MANUFACTURER: ObjectIdentifier = oid("2.23.133.2.1");
const MODEL: ObjectIdentifier = oid("2.23.133.2.2");
const VERSION: ObjectIdentifier = oid("2.23.133.2.3");

const MAX_NAMES: usize = 16;

/// Identifiers of makers, from the TCG Vendor ID Registry and, the last three, from what such TPMs report.
const VENDORS: &[(u32, &str)] = &[
    (0x414d_4400, "AMD"),
    (0x414e_5400, "Ant Group"),
    (0x4154_4d4c, "Atmel"),
    (0x4252_434d, "Broadcom"),
    (0x4353_434f, "Cisco"),
    (0x464c_5953, "Flyslice"),
    (0x474f_4f47, "Google"),
    (0x4849_5349, "Huawei"),
    (0x4850_4500, "HPE"),
    (0x4850_4900, "HPI"),
    (0x4942_4d00, "IBM"),
    (INFINEON, "Infineon"),
    (0x494e_5443, "Intel"),
    (0x4c45_4e00, "Lenovo"),
    (0x4d53_4654, "Microsoft"),
    (0x4e53_4700, "NSING"),
    (0x4e53_4d20, "National Semiconductor"),
    (0x4e54_4300, "Nuvoton"),
    (0x4e54_5a00, "Nationz"),
    (0x5143_4f4d, "Qualcomm"),
    (0x524f_4343, "Fuzhou Rockchip"),
    (0x5345_414c, "WiseKey"),
    (0x5345_4345, "SecEdge"),
    (0x534d_5343, "SMSC"),
    (0x534d_534e, "Samsung"),
    (0x534e_5300, "Sinosun"),
    (0x5354_4d20, "STMicroelectronics"),
    (0x5458_4e00, "Texas Instruments"),
    (0x5745_4300, "Winbond"),
    (0x414d_5a4e, "Amazon"),
    (0x564d_5700, "VMware"),
    (SWTPM, "swtpm"),
    (FIDO, "FIDO"),
];
const INFINEON: u32 = 0x4946_5800;
/// Certificates of swtpm-localca.
const SWTPM: u32 = 0x0000_1014;
/// FIDO's conformance tests.
const FIDO: u32 = 0xffff_f1d0;
/// Makers of TPMs in software, whoever certifies them.
const VIRTUAL: [u32; 4] = [SWTPM, 0x474f_4f47, 0x564d_5700, 0x414d_5a4e];

/// What a certificate says of the TPM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TpmIdentity {
    /// The identifier of the maker; `None` when it is not of the form `id:` and 8 hexadecimal digits.
    pub(crate) maker: Option<u32>,
    /// The text of tpmManufacturer.
    pub(crate) maker_text: String,
    pub(crate) model: Option<String>,
    pub(crate) version: Option<String>,
}

impl TpmIdentity {
    /// From the first directoryName of the subjectAltName, whatever RDNs its attributes are in. `None` when there
    /// is none with a manufacturer.
    pub(crate) fn of(certificate: &Certificate) -> Option<Self> {
        let names = sequence(certificate.extension(SUBJECT_ALT_NAME)?.value, MAX_NAMES)?;
        let directory = names.into_iter().find_map(|general| match single(general)? {
            (Tag::ContextSpecific { constructed: true, number: TagNumber(4) }, inner) => Some(inner),
            _ => None,
        })?;
        let attributes = name::attributes(directory);
        let text = |oid| {
            let mut found = attributes.iter().filter(|a| a.oid == oid);
            let first = found.next()?.text?;
            // Which of two is meant cannot be told.
            found.next().is_none().then(|| first.to_owned())
        };
        let maker_text = text(MANUFACTURER)?;
        let digits = maker_text.strip_prefix("id:").or_else(|| maker_text.strip_prefix("ID:"));
        let maker = digits.filter(|d| d.len() == 8).and_then(|d| u32::from_str_radix(d, 16).ok());
        Some(Self { maker, maker_text, model: text(MODEL), version: text(VERSION) })
    }

    /// The maker's name, when the identifier is registered.
    pub(crate) fn vendor(&self) -> Option<&'static str> {
        VENDORS.iter().find(|(id, _)| Some(*id) == self.maker).map(|(_, name)| *name)
    }

    /// Whether such TPMs are software.
    pub(crate) fn is_virtual(&self) -> bool {
        self.maker.is_some_and(|maker| VIRTUAL.contains(&maker))
    }

    /// Whether no maker of hardware has this identifier: those of software for tests.
    pub(crate) fn is_test(&self) -> bool {
        matches!(self.maker, Some(SWTPM | FIDO))
    }

    /// The version at manufacture: dotted when it has the form `id:` and 8 digits (two numbers of 16 bits), or with
    /// Infineon 4 digits (two of 8 bits: `id:0755` is 7.85); else as it stands, as nobody says how to read it.
    pub(crate) fn firmware(&self) -> Option<String> {
        let version = self.version.as_deref()?;
        let digits = version.strip_prefix("id:").filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let (width, numbers) = match digits {
            Some(digits) if digits.len() == 8 => (4, digits),
            Some(digits) if digits.len() == 4 && self.maker == Some(INFINEON) => (2, digits),
            _ => return Some(version.to_owned()),
        };
        let (major, minor) = numbers.split_at_checked(width)?;
        let number = |digits| u16::from_str_radix(digits, 16).ok();
        Some(format!("{}.{}", number(major)?, number(minor)?))
    }
}

/// Whether the certificate is one of an endorsement key, by its purpose.
pub(crate) fn is_ek_certificate(certificate: &Certificate) -> bool {
    certificate.has_extended_key_usage(EKU_EK) && !certificate.has_extended_key_usage(EKU_AIK)
}

/// Whether the certificate speaks of a TPM: by purpose or maker, by the hardware type of a TPM, or because it is of
/// Google's authority for endorsement and attestation keys, whose certificates name neither.
pub(crate) fn is_ek_like(certificate: &Certificate) -> bool {
    let googles = || {
        certificate.issuer_name().organization() == Some("Google LLC")
            && certificate.issuer_common_name().is_some_and(|name| name.starts_with("EK/AK CA"))
    };
    certificate.has_extended_key_usage(EKU_EK)
        || TpmIdentity::of(certificate).is_some()
        || names_tpm_hardware(certificate)
        || googles()
}

/// Whether the subjectAltName has a HardwareModuleName (RFC 4108, 5) whose type is a TPM 2.0.
fn names_tpm_hardware(certificate: &Certificate) -> bool {
    const HARDWARE_MODULE_NAME: ObjectIdentifier = oid("1.3.6.1.5.5.7.8.4");
    const TPM_2_0: ObjectIdentifier = oid("2.23.133.1.2");
    let is_tpm = |general: &[u8]| -> Option<bool> {
        let (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, other) = single(general)?
        else {
            return None;
        };
        let members = children(other, 2)?;
        let [id, value] = members.as_slice() else { return None };
        let (Tag::ContextSpecific { number: TagNumber(0), .. }, module) = single(value)? else { return None };
        let kind = *sequence(module, 2)?.first()?;
        Some(
            ObjectIdentifier::from_der(id) == Ok(HARDWARE_MODULE_NAME)
                && ObjectIdentifier::from_der(kind) == Ok(TPM_2_0),
        )
    };
    let names = certificate.extension(SUBJECT_ALT_NAME).and_then(|san| sequence(san.value, MAX_NAMES));
    names.into_iter().flatten().any(|general| is_tpm(general) == Some(true))
}

/// Whether the certificate is that of an authority.
pub(crate) fn is_authority(certificate: &Certificate) -> bool {
    matches!(certificate.basic_constraints(), Some(Ok(constraints)) if constraints.ca)
}

/// The name of an issuer of attestation keys in Microsoft's manner: `[region-]VENDOR-KEYID-hex` or
/// `[region-]VENDOR-NAMEID-hex`, where the number names the authority that issued the EK certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IssuerName<'a> {
    /// The maker's letters.
    pub(crate) vendor: &'a str,
    /// `KEYID-hex` or `NAMEID-hex`.
    pub(crate) ek_issuer: &'a str,
}

impl<'a> IssuerName<'a> {
    /// Reads a common name.
    pub(crate) fn read(common_name: &'a str) -> Option<Self> {
        let parts: Vec<&str> = common_name.split('-').collect();
        let (vendor, kind, number) = match parts.as_slice() {
            [vendor, kind, number] | [_, vendor, kind, number] => (*vendor, *kind, *number),
            _ => return None,
        };
        let kinds = ["KEYID", "NAMEID"];
        let right = kinds.iter().any(|k| kind.eq_ignore_ascii_case(k))
            && number.len() >= 8
            && number.bytes().all(|b| b.is_ascii_hexdigit());
        let from = common_name.len().checked_sub(kind.len().checked_add(number.len())?.checked_add(1)?)?;
        right.then_some(Self { vendor, ek_issuer: common_name.get(from..)? })
    }

    /// Whether the maker's identifier spells these letters.
    pub(crate) fn agrees(&self, maker: u32) -> bool {
        let letters: Vec<u8> = maker.to_be_bytes().into_iter().filter(|b| !matches!(b, 0 | b' ')).collect();
        letters.eq_ignore_ascii_case(self.vendor.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_names_of_microsoft() {
        let read = |text| IssuerName::read(text).map(|n| (n.vendor, n.ek_issuer));
        assert_eq!(read("EUS-NTC-KEYID-1591D4B6"), Some(("NTC", "KEYID-1591D4B6")));
        assert_eq!(read("ncu-ifx-KeyId-40b8682b"), Some(("ifx", "KeyId-40b8682b")));
        assert_eq!(read("STM-NAMEID-0011223344"), Some(("STM", "NAMEID-0011223344")));
        for other in ["", "A", "NTC-KEYID", "NTC-KEYID-xyz", "A-B-NTC-KEYID-00112233", "NTC-OTHER-00112233"] {
            assert_eq!(read(other), None, "{other}");
        }
        let stm = IssuerName { vendor: "stm", ek_issuer: "" };
        assert!(stm.agrees(0x5354_4d20) && !stm.agrees(0x4946_5800));
    }

    #[test]
    fn versions() {
        let of = |maker: u32, version: &str| {
            TpmIdentity {
                maker: Some(maker),
                maker_text: String::new(),
                model: None,
                version: Some(version.to_owned()),
            }
            .firmware()
        };
        let nuvoton = 0x4e54_4300;
        assert_eq!(of(nuvoton, "id:00070002").as_deref(), Some("7.2"));
        assert_eq!(of(INFINEON, "id:0755").as_deref(), Some("7.85"));
        assert_eq!(of(INFINEON, "id:0F16").as_deref(), Some("15.22"));
        for other in ["id:13", "id:0755", "id:+755", "id:+0070002", "7.85", ""] {
            assert_eq!(of(nuvoton, other).as_deref(), Some(other));
        }
    }
}
