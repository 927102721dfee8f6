//! What a leaf says of the device. The values of the extensions are raw bytes, without any DER around them, except the
//! two INTEGERs.

use der::Tag;
use der::asn1::ObjectIdentifier;
use serde_json::{Value, json};

use crate::pki::Certificate;
use crate::wire::der::{content, single};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const SERIAL: ObjectIdentifier = oid("1.2.840.113635.100.8.9.1");
const UDID: ObjectIdentifier = oid("1.2.840.113635.100.8.9.2");
const BOARD: ObjectIdentifier = oid("1.2.840.113635.100.8.9.4");
const OS: ObjectIdentifier = oid("1.2.840.113635.100.8.10.1");
const SEP_OS: ObjectIdentifier = oid("1.2.840.113635.100.8.10.2");
const BOOT_LOADER: ObjectIdentifier = oid("1.2.840.113635.100.8.10.3");
const FRESHNESS: ObjectIdentifier = oid("1.2.840.113635.100.8.11.1");
const SIP: ObjectIdentifier = oid("1.2.840.113635.100.8.13.1");
const SECURE_BOOT: ObjectIdentifier = oid("1.2.840.113635.100.8.13.2");
const KEXT: ObjectIdentifier = oid("1.2.840.113635.100.8.13.3");

/// Longer than any value that Apple writes.
const MAX_TEXT: usize = 128;

/// Whether the certificate is a leaf of this kind: one that names a device, its versions or a freshness code.
pub(super) fn is_leaf(certificate: &Certificate) -> bool {
    /// Content octets of 1.2.840.113635.100.8.
    const ARC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 8];
    certificate.extensions().any(|e| matches!(e.oid.as_bytes().strip_prefix(ARC), Some([9..=11, _, ..])))
}

/// The device. What is absent or blank is not known, and never good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) serial: Option<String>,
    pub(super) udid: Option<String>,
    /// Software update device id: the board.
    pub(super) board: Option<String>,
    pub(super) os: Option<String>,
    pub(super) sep_os: Option<String>,
    pub(super) boot_loader: Option<String>,
    /// System Integrity Protection: whether it is enabled.
    pub(super) sip: Option<bool>,
    pub(super) secure_boot: Option<String>,
    /// Whether kernel extensions of third parties are allowed.
    pub(super) kext: Option<bool>,
}

impl Device {
    pub(super) fn read(leaf: &Certificate) -> Result<Self, String> {
        Ok(Self {
            serial: text(leaf, SERIAL)?,
            udid: text(leaf, UDID)?,
            board: text(leaf, BOARD)?,
            os: text(leaf, OS)?,
            sep_os: text(leaf, SEP_OS)?,
            boot_loader: text(leaf, BOOT_LOADER)?,
            // 0 is enabled, 1 is disabled; what is neither is not enabled.
            sip: number(leaf, SIP)?.map(|n| n == 0),
            secure_boot: text(leaf, SECURE_BOOT)?,
            // 0 is not allowed, 1 is allowed; what is neither is allowed.
            kext: number(leaf, KEXT)?.map(|n| n != 0),
        })
    }

    /// Serial number and UDID, as far as they are there.
    pub(super) fn identifiers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("serial number (8.9.1)", &self.serial), ("UDID (8.9.2)", &self.udid)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "serial_number": self.serial, "udid": self.udid, "board": self.board, "os_version": self.os,
            "sep_os_version": self.sep_os, "boot_loader_version": self.boot_loader,
            "sip_enabled": self.sip, "secure_boot": self.secure_boot, "third_party_kexts_allowed": self.kext,
        })
    }
}

/// The freshness code, raw. Its 32 bytes may happen to look like DER: only what is longer is looked into.
pub(super) fn freshness(leaf: &Certificate) -> Option<&[u8]> {
    let value = leaf.extension(FRESHNESS)?.value;
    let wrapped = (value.len() == 34).then(|| content(value, Tag::OctetString)).flatten();
    Some(wrapped.unwrap_or(value)).filter(|code| !code.is_empty())
}

/// A text: raw, or in an ASN.1 string, which begins with a character that no text has.
fn text(leaf: &Certificate, oid: ObjectIdentifier) -> Result<Option<String>, String> {
    let Some(extension) = leaf.extension(oid) else { return Ok(None) };
    let value = match single(extension.value) {
        Some((Tag::Utf8String | Tag::Ia5String | Tag::OctetString, inner)) => inner,
        _ => extension.value,
    };
    let printable = value.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    if !printable || value.len() > MAX_TEXT {
        return Err(format!("the value of extension {oid} is not a short text"));
    }
    let text = String::from_utf8_lossy(value).into_owned();
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

fn number(leaf: &Certificate, oid: ObjectIdentifier) -> Result<Option<u8>, String> {
    let Some(extension) = leaf.extension(oid) else { return Ok(None) };
    if extension.value.is_empty() {
        return Ok(None);
    }
    match content(extension.value, Tag::Integer) {
        Some([number]) => Ok(Some(*number)),
        _ => Err(format!("the value of extension {oid} is not a small INTEGER")),
    }
}
