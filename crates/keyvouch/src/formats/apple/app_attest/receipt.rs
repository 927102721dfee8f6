//! Receipts: CMS that Apple signs for each key, and again each time an app's server asks for a risk metric. Valid at
//! their own time; the statement stands without them.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};

use super::FORMAT;
use crate::formats::Context;
use crate::formats::apple::chain::{Above, Family};
use crate::pki::cms::SignedData;
use crate::pki::path::{Rules, Signs};
use crate::pki::{Certificate, cms};
use crate::time::Time;
use crate::wire::ber;
use crate::wire::bytes::contains;
use crate::wire::der::{children, content, sequence};

const FAMILY: Family = Family {
    format: FORMAT,
    role: Some("receipts"),
    intermediates: &["Apple Application Integration CA 5 - G1"],
};

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// In certificates of signers of receipts.
const MARKER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.12.15");
/// The same as it stands in a certificate.
const MARKER_DER: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x0c, 0x0f];

/// More fields than any receipt has.
const MAX_FIELDS: usize = 32;

/// Numbers of the fields.
mod field {
    pub(super) const APP_ID: u32 = 2;
    pub(super) const LEAF: u32 = 3;
    pub(super) const CLIENT_DATA_HASH: u32 = 4;
    pub(super) const KIND: u32 = 6;
    pub(super) const ENVIRONMENT: u32 = 7;
    pub(super) const CREATED: u32 = 12;
    pub(super) const RISK_METRIC: u32 = 17;
    pub(super) const NOT_BEFORE: u32 = 19;
    pub(super) const EXPIRES: u32 = 21;
}

/// Whether the bytes are CMS with a signer of receipts in it, also when they are damaged.
pub(super) fn is_like(bytes: &[u8]) -> bool {
    (ber::is_indefinite(bytes) && bytes.starts_with(&[0x30]) || cms::looks_like_signed_data(bytes))
        && contains(bytes, MARKER_DER)
}

/// What a receipt must agree with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) leaf: &'a Certificate,
    pub(super) app_id: Option<&'a str>,
    pub(super) environment: Option<&'static str>,
    /// What was attested, where it is known.
    pub(super) client_data_hash: Option<&'a [u8]>,
    /// Whether it came in the attestation object, and so must be the first one.
    pub(super) first: bool,
}

/// Judges a receipt: what it says, or what is wrong with it.
pub(super) fn judge(bytes: &[u8], expected: &Expected<'_>, cx: &Context<'_>) -> Result<String, String> {
    let der = match ber::is_indefinite(bytes) {
        true => Cow::Owned(ber::to_definite(bytes).ok_or("it is not CMS")?),
        false => Cow::Borrowed(bytes),
    };
    let signed = SignedData::read(&der)?;
    let octets = signed.content.octets.ok_or("it has no content")?;
    let claimed = Fields::read(octets)?;
    let [signer] = signed.signers.as_slice() else { return Err("it has not one signature".to_owned()) };
    // A certificate that cannot be read is none; whether one is lacking is seen below.
    let certificates: Vec<Certificate> =
        signed.certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    let named = certificates.iter().find(|c| signer.is_by(c));
    let named = named.ok_or("the certificate of its signer is not there, or cannot be read")?;
    if named.extension(MARKER).is_none() {
        return Err(format!("{} does not sign receipts", named.display_name()));
    }
    let created = claimed.time(field::CREATED)?;
    let above: Vec<Certificate> = certificates.iter().filter(|c| *c != named).cloned().collect();
    let above = Above { certificates: &above, in_order: false };
    let rules = Rules::strict(created, Signs::Statements);
    let path = FAMILY.judge(named, &above, &rules, cx, &mut Vec::new());
    let (path, _) = path.map_err(|faults| {
        faults.into_iter().map(|(_, detail)| format!("its signer: {detail}")).collect::<Vec<_>>().join("; ")
    })?;
    let content = signer.authenticate(ID_DATA, octets, &path.key).map_err(|fault| fault.to_string())?;
    let fields = content.parse(Fields::read)?;
    agrees(fields.get(), expected)?;
    Ok(said(fields.get()))
}

fn agrees(fields: &Fields<'_>, expected: &Expected<'_>) -> Result<(), String> {
    let kind = fields.text(field::KIND)?;
    if kind != "ATTEST" && (expected.first || kind != "RECEIPT") {
        return Err(format!("it is of kind {kind:?}"));
    }
    if fields.get(field::LEAF)? != expected.leaf.der() {
        return Err("it is about another key".to_owned());
    }
    let app = fields.text(field::APP_ID)?;
    if expected.app_id.is_some_and(|own| own != app) {
        return Err(format!("it is for app {app:?}"));
    }
    let environment = fields.text(field::ENVIRONMENT)?;
    if expected.environment.is_some_and(|own| own != environment) {
        return Err(format!("it is of environment {environment:?}"));
    }
    // Apple's own servers wrote refreshed receipts in which this field is mangled.
    let hash = expected.client_data_hash.filter(|_| kind == "ATTEST");
    if let Some(hash) = hash
        && fields.get(field::CLIENT_DATA_HASH)? != hash
    {
        return Err("it is about other client data".to_owned());
    }
    Ok(())
}

/// What a receipt says, for the report.
fn said(fields: &Fields<'_>) -> String {
    let mut said = format!("{} receipt", fields.text(field::KIND).unwrap_or_default());
    for (number, what) in [
        (field::CREATED, "made"),
        (field::NOT_BEFORE, "next not before"),
        (field::EXPIRES, "good until"),
        (field::RISK_METRIC, "risk metric"),
    ] {
        if let Ok(value) = fields.text(number) {
            said.push_str(&format!(", {what} {value}"));
        }
    }
    said
}

/// The content: a SET of SEQUENCE { INTEGER type, INTEGER version, OCTET STRING value }, in any order.
struct Fields<'a>(Vec<(u32, &'a [u8])>);

impl<'a> Fields<'a> {
    fn read(octets: &'a [u8]) -> Result<Self, String> {
        const SHAPE: &str = "its content is not a SET of numbered fields";
        let members = content(octets, Tag::Set).and_then(|set| children(set, MAX_FIELDS)).ok_or(SHAPE)?;
        let mut fields: Vec<(u32, &[u8])> = Vec::new();
        for member in members {
            let parts = sequence(member, 3).ok_or(SHAPE)?;
            let [number, version, value] = parts.as_slice() else { return Err(SHAPE.to_owned()) };
            let number = u32::from_der(number).map_err(|_| SHAPE)?;
            if content(version, Tag::Integer) != Some(&[1]) {
                return Err(format!("field {number} is of a version that is not known"));
            }
            if fields.iter().any(|(known, _)| *known == number) {
                return Err(format!("field {number} is there twice"));
            }
            fields.push((number, content(value, Tag::OctetString).ok_or(SHAPE)?));
        }
        Ok(Self(fields))
    }

    fn get(&self, number: u32) -> Result<&'a [u8], String> {
        let found = self.0.iter().find(|(n, _)| *n == number).map(|(_, value)| *value);
        found.ok_or_else(|| format!("field {number} is missing"))
    }

    fn text(&self, number: u32) -> Result<&'a str, String> {
        std::str::from_utf8(self.get(number)?).map_err(|_| format!("field {number} is no text"))
    }

    fn time(&self, number: u32) -> Result<Time, String> {
        self.text(number)?.parse().map_err(|_| format!("field {number} is no time"))
    }
}
