//! YubiHSM 2 attestation: the certificate that a YubiHSM 2 makes for an asymmetric key object.
//!
//! Leaf (the statement) ← device certificate (one key for each device, opaque object 0) ← an authority of Yubico for
//! YubiHSM 2 ← root. Unlike a YubiKey, the device also attests keys that were imported: what the statement says of the
//! key's origin and capabilities decides, not that there is one. Paths are judged strictly; no leniency is needed.

mod capability;
mod checks;
mod device;
mod leaf;

use serde_json::{Value, json};

use self::capability::bit;
use self::checks as ck;
use self::leaf::{Device, Leaf, LeafFault, oid};
use super::{About, Attested, Context, Format, Proof, Statement};
use crate::authentic::Authentic;
use crate::checks::Checks;
use crate::claims::{ClaimName, ClaimSet};
use crate::input::{Content, PartId};
use crate::pki::{Certificate, name};
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct Yubihsm2;

const ID: &str = "yubihsm2";

const ABOUT: About = About {
    id: ID,
    title: "YubiHSM 2 attestation",
    maker: "Yubico",
    devices: "YubiHSM 2, YubiHSM 2 FIPS, from firmware 2.0.0",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[OptionDef {
        name: "accept_expired",
        kind: OptionKind::Bool,
        about: "certificates outside their validity are a finding instead of a failure",
    }],
    limits: &[
        "When the key was generated or attested: the device has no clock, and the statement has no nonce. The leaf's dates are copies of the device certificate's.",
        "That no wrapped copy exists, when the key is exportable under wrap or came in under wrap.",
        "That the key still exists in the device.",
        "The FIPS mode, on firmware before 2.4.1: only that the unit is a YubiHSM 2 FIPS.",
        "Who holds the device, or who knows its authentication keys.",
    ],
    docs: "docs/devices/yubihsm2.md",
};

impl Format for Yubihsm2 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::among(cx) else { return Vec::new() };
        if found.leaves.is_empty() {
            return vec![without_leaf(&found, cx)];
        }
        found.leaves_to_judge(cx).into_iter().map(|leaf| judge(&found, leaf, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let Some(found) = Found::among(cx) else { return Vec::new() };
        found.leaves.iter().chain(&found.devices).map(|(id, c)| view(cx, *id, c)).collect()
    }
}

fn view(cx: &Context<'_>, id: PartId, certificate: &Certificate) -> Value {
    let fields = if is_leaf(certificate) {
        Leaf::read(certificate).map_or_else(|e| json!({ "fault": e.detail() }), |l| l.view())
    } else {
        Device::read(certificate).map_or_else(|e| json!({ "fault": e }), |d| d.view())
    };
    json!({
        "where": cx.parts.place(id),
        "subject": name::display(certificate.subject()),
        "issuer": name::display(certificate.issuer()),
        "sha256": hex::encode(certificate.sha256()),
        "key": certificate.key().map(|k| k.algorithm()).unwrap_or_default(),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "fields": fields,
    })
}

/// What of this format is among the evidence.
struct Found<'a> {
    leaves: Vec<(PartId, &'a Certificate)>,
    devices: Vec<(PartId, &'a Certificate)>,
    /// Every certificate: authorities, and whatever else came along.
    all: Vec<(PartId, &'a Certificate)>,
    broken: Vec<(PartId, String)>,
}

fn is_leaf(certificate: &Certificate) -> bool {
    certificate.extension(oid::ORIGIN).is_some() || certificate.common_name().is_some_and(leaf::is_leaf_name)
}

fn is_device(certificate: &Certificate) -> bool {
    let has = |oid| certificate.extension(oid).is_some();
    let named = certificate.common_name().is_some_and(|cn| leaf::number_in_device_name(cn).is_some());
    !is_leaf(certificate) && (named || (has(oid::FIRMWARE) && has(oid::SERIAL)))
}

impl<'a> Found<'a> {
    fn among(cx: &Context<'a>) -> Option<Self> {
        let all = cx.parts.certificates();
        let leaves: Vec<_> = all.iter().copied().filter(|(_, c)| is_leaf(c)).collect();
        let devices: Vec<_> = all.iter().copied().filter(|(_, c)| is_device(c)).collect();
        let mut recognised = !leaves.is_empty() || !devices.is_empty();
        let mut broken = Vec::new();
        for (id, part) in cx.parts.evidence() {
            if let Content::BrokenCertificate { why, prefix, .. } = &part.content {
                broken.push((id, why.to_string()));
                recognised |= prefix.as_ref().is_some_and(|c| is_leaf(c) || is_device(c));
            }
        }
        recognised.then_some(Self { leaves, devices, all, broken })
    }

    /// With a request, the leaves that hold its key, where there are any; else each of them.
    fn leaves_to_judge(&self, cx: &Context<'_>) -> Vec<(PartId, &'a Certificate)> {
        let requested = |c: &Certificate| cx.request.is_some_and(|r| c.key().is_ok_and(|k| k == r.key()));
        let of_request: Vec<_> = self.leaves.iter().copied().filter(|(_, c)| requested(c)).collect();
        if of_request.is_empty() { self.leaves.clone() } else { of_request }
    }

    fn start(&self, cx: &Context<'_>) -> Statement {
        let mut statement = Statement::default();
        for (id, why) in &self.broken {
            statement.checks.fail(&ck::MALFORMED, cx.parts.place(*id).to_owned(), why.clone());
            statement.labels.push((*id, "broken certificate".into()));
        }
        statement.labels.extend(self.devices.iter().map(|(id, _)| (*id, "device certificate".into())));
        statement
    }
}

fn without_leaf(found: &Found<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = found.start(cx);
    if found.broken.is_empty() {
        let place = found.devices.first().map_or("", |(id, _)| cx.parts.place(*id)).to_owned();
        let detail = "only a device certificate: it says which device, and nothing about a key";
        statement.checks.fail(&ck::NO_LEAF, place, detail);
    }
    statement
}

/// Judges one leaf.
fn judge(found: &Found<'_>, (leaf_id, leaf): (PartId, &Certificate), cx: &Context<'_>) -> Statement {
    let mut statement = found.start(cx);
    statement.labels.push((leaf_id, "leaf".into()));
    statement.certificates.push(leaf.clone());
    let checks = &mut statement.checks;
    if found.broken.is_empty() {
        checks.pass(&ck::MALFORMED, "", "every certificate is well-formed");
    }
    let place = cx.parts.place(leaf_id);
    let read = check_leaf(leaf, place, checks);
    check_dates(leaf, place, cx, checks);
    if let Some(read) = &read {
        check_said(read, place, checks);
    }
    let Some((device_id, device)) = device::pick(found, leaf, place, cx, checks) else { return statement };
    statement.certificates.push(device.clone());
    let device_place = device_id.map_or("operator's certificates", |id| cx.parts.place(id));
    let signed = device::check_leaf_signature(leaf, device, place, checks);
    let device_read = device::check_shape(device, device_place, checks);
    let trusted = device::check_path(found, device, device_place, cx, checks, &mut statement.certificates);
    if let (Some(leaf), Some(device)) = (&read, &device_read) {
        check_same_device(leaf, device, place, checks);
    }
    statement.attested = signed.zip(trusted).and_then(|(signed, trusted)| {
        let tbs = trusted.key.authenticate(signed)?;
        let both = leaf.authentic(tbs)?.join(trusted.certificate)?;
        let both = both.parse(|(leaf, device)| {
            Ok::<_, LeafFault>((Leaf::read(&leaf)?, Device::read(&device).map_err(LeafFault::Bad)?))
        });
        both.ok().map(|both| attest(&both))
    });
    statement
}

fn check_leaf(leaf: &Certificate, place: &str, checks: &mut Checks) -> Option<Leaf> {
    let place = place.to_owned();
    match leaf.duplicate_extension() {
        Some(oid) => {
            let detail = format!("the leaf has extension {oid} twice");
            checks.fail(&ck::DUPLICATE_EXTENSION, place.clone(), detail);
        }
        None => {
            checks.pass(&ck::DUPLICATE_EXTENSION, place.clone(), "no extension of the leaf is there twice")
        }
    }
    let fault = match Leaf::read(leaf) {
        Ok(read) => {
            checks.pass(&ck::INCOMPLETE, place.clone(), "all seven extensions are there");
            checks.pass(&ck::BAD_EXTENSION, place.clone(), "the extensions have their form");
            let detail = format!("object {:#06x} {:?}", read.object_id, read.label());
            checks.pass(&ck::OBJECT_ID_MISMATCH, place, detail);
            return Some(read);
        }
        Err(fault) => fault,
    };
    let check = match &fault {
        LeafFault::Missing(_) => &ck::INCOMPLETE,
        LeafFault::Bad(_) | LeafFault::Other(_) => &ck::BAD_EXTENSION,
        LeafFault::ObjectId(_) => &ck::OBJECT_ID_MISMATCH,
    };
    checks.fail(check, place, fault.detail());
    None
}

fn check_dates(leaf: &Certificate, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let (check, detail) = if cx.at < leaf.not_before() {
        (&ck::NOT_YET_VALID, format!("the leaf is valid only from {}", leaf.not_before()))
    } else if cx.at > leaf.not_after() {
        (&ck::EXPIRED, format!("the leaf is valid only until {}", leaf.not_after()))
    } else {
        return;
    };
    if cx.options.is_on("accept_expired") {
        checks.warn(check, place.to_owned(), detail);
    } else {
        checks.fail(check, place.to_owned(), detail);
    }
}

fn check_same_device(leaf: &Leaf, device: &Device, place: &str, checks: &mut Checks) {
    let place = place.to_owned();
    let serial = leaf.serial.to_string();
    let fault = if leaf.serial != device.serial {
        Some(format!("the leaf is of device {serial}, the device certificate of {}", device.serial))
    } else if device.named.as_deref() != Some(&serial) {
        let named = device.named.as_deref().unwrap_or("no number");
        Some(format!("device {serial}, and {named} in the name of its certificate"))
    } else if leaf.firmware < device.firmware {
        // Firmware is not downgraded; a device made with a newer one is another device.
        Some(format!(
            "the leaf names firmware {}, older than {} of the device certificate",
            leaf.firmware_text(),
            device.firmware_text()
        ))
    } else {
        None
    };
    match fault {
        Some(why) => checks.fail(&ck::SERIAL_MISMATCH, place.clone(), why),
        None => checks.pass(&ck::SERIAL_MISMATCH, place.clone(), format!("both are of device {serial}")),
    }
    if leaf.firmware == device.firmware {
        checks.pass(&ck::FIRMWARE_MISMATCH, place, "leaf and device certificate name the same firmware");
    } else {
        let (leaf, device) = (leaf.firmware_text(), device.firmware_text());
        let detail = format!("the leaf names firmware {leaf}, the device certificate {device}");
        checks.warn(&ck::FIRMWARE_MISMATCH, place, detail);
    }
}

/// What the leaf says of the key, and whether that is enough.
fn check_said(leaf: &Leaf, place: &str, checks: &mut Checks) {
    let place = || place.to_owned();
    let (origin, can) = (leaf.origin, leaf.capabilities);
    let words = || format!("origin: {}", origin.words()).into();
    checks.test(&ck::IMPORTED, place(), !origin.is_imported(), "not imported", words);
    checks.test(&ck::IMPORTED_WRAPPED, place(), !origin.is_wrapped(), "did not come in under wrap", words);
    checks.test(&ck::UNKNOWN_ORIGIN, place(), origin.is_known(), "the origin is known", words);
    checks.test(&ck::EXPORTABLE, place(), !leaf.exportable(), "not exportable under wrap", || {
        "the key can be exported under a wrap key, which others may hold".into()
    });
    checks.test(&ck::CANNOT_SIGN, place(), can.signs(), "the key can sign", || {
        format!("the key can only: {}", can.names().join(", ")).into()
    });
    let mut finding = |check, holds: bool, right: &'static str, wrong: String| {
        if holds {
            checks.pass(check, place(), right);
        } else {
            checks.warn(check, place(), wrong);
        }
    };
    finding(
        &ck::ODD_CAPABILITY,
        !can.has_any(&[bit::EXPORT_WRAPPED, bit::IMPORT_WRAPPED]),
        "no capability of a wrap key",
        "the key has export-wrapped or import-wrapped, which belong to wrap keys".to_owned(),
    );
    let unknown = can.unknown();
    finding(
        &ck::UNKNOWN_CAPABILITY,
        unknown.is_empty(),
        "every capability is known",
        format!("capability bits that are not known: {unknown:?}"),
    );
    finding(
        &ck::SELF_CERTIFYING,
        !(can.signs() && can.has(bit::SIGN_ATTESTATION_CERTIFICATE)),
        "not a key that signs both attestations and other data",
        "the key can sign attestations and any other data, so also what looks like an attestation".to_owned(),
    );
}

fn attest(both: &Authentic<(Leaf, Device)>) -> Attested {
    const SPKI: &str = "leaf subjectPublicKeyInfo";
    const ORIGIN: &str = "leaf extension 1.3.6.1.4.1.41482.4.3 (origin)";
    const CAPABILITIES: &str = "leaf extension 1.3.6.1.4.1.41482.4.5 (capabilities)";
    let claims =
        ClaimSet::of(both)
            .attested(ClaimName::KeyAlgorithm, SPKI, |(leaf, _)| leaf.key.algorithm())
            .attested(ClaimName::KeySpkiSha256, SPKI, |(leaf, _)| hex::encode(leaf.key.spki_sha256()))
            .attested(ClaimName::KeyGeneratedInDevice, ORIGIN, |(leaf, _)| leaf.origin.generated())
            .attested(ClaimName::KeyExportable, CAPABILITIES, |(leaf, _)| {
                if leaf.exportable() { "wrapped" } else { "never" }
            })
            .attested(
                ClaimName::KeyEverExportable,
                "leaf extensions .4.3 (origin) and .4.5 (capabilities, which never change)",
                |(leaf, _)| leaf.ever_exportable(),
            )
            .attested(ClaimName::KeyPurposes, CAPABILITIES, |(leaf, _)| leaf.capabilities.purposes())
            .unknown(ClaimName::KeyCreatedAt, "the device has no clock")
            .implied(ClaimName::DeviceClass, "Yubico, YubiHSM 2 attestation", "hsm")
            .implied(ClaimName::DeviceVendor, "the anchor", "Yubico")
            .attested(
                ClaimName::DeviceModel,
                "device certificate, extension 1.3.6.1.4.1.41482.4.10 (FIPS unit)",
                |(_, device)| device.model(),
            )
            .attested(ClaimName::DeviceSerial, "leaf extension 1.3.6.1.4.1.41482.4.2", |(leaf, _)| {
                leaf.serial.to_string()
            })
            .attested(ClaimName::DeviceFirmware, "leaf extension 1.3.6.1.4.1.41482.4.1", |(leaf, _)| {
                leaf.firmware_text()
            })
            .attested(
                ClaimName::DeviceFipsMode,
                "leaf extension 1.3.6.1.4.1.41482.4.12 (FIPS mode, firmware 2.4.1 and later of FIPS units)",
                |(leaf, _)| leaf.fips_mode,
            )
            .detail("object_id", "leaf extension 1.3.6.1.4.1.41482.4.6", |(leaf, _)| {
                format!("{:#06x}", leaf.object_id)
            })
            .detail("label", "leaf extension 1.3.6.1.4.1.41482.4.9", |(leaf, _)| leaf.label())
            .detail("domains", "leaf extension 1.3.6.1.4.1.41482.4.4", |(leaf, _)| leaf.domains())
            .detail("origin", ORIGIN, |(leaf, _)| leaf.origin.words())
            .detail("capabilities", CAPABILITIES, |(leaf, _)| leaf.capabilities.names().join(", "))
            .finish();
    Attested::new(both, |(leaf, _)| Some(leaf.key.clone()), claims)
}
