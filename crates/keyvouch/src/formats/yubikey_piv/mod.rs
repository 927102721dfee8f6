//! YubiKey PIV attestation: the certificate that a YubiKey makes for the key in one of its PIV slots.
//!
//! ```text
//! firmware 4.3.0–5.7.3   leaf ← F9 ← Yubico PIV Root CA Serial 263751, or Yubico U2F Root CA Serial 457200631
//! firmware 5.7.4 and up  leaf ← F9 ← Yubico PIV Attestation … ← Yubico Attestation Intermediate … ← Root 1
//! ```
//!
//! The *leaf* speaks of the key; *F9* is the certificate in slot F9 whose key signed it. Source: Yubico, "PIV
//! attestation" (developers.yubico.com/PIV/Introduction/PIV_attestation.html) and the PKI page.
//!
//! A leaf has no basicConstraints, and neither has F9 on old firmware. If any certificate without them could
//! issue, the owner of a real YubiKey could sign a false leaf with an attested key. Two things close that: the
//! depth is fixed (leaf, F9, then only pinned certificates), and F9 must have the shape of F9.

mod checks;
mod leaf;

use serde_json::Value;

use self::checks as ck;
use self::leaf::{F9, Leaf, LeafFault};
use super::yubico::{self, Applet, AttestationCa, ChainChecks, Found};
use super::{About, Attested, Context, Format, Proof, Statement};
use crate::authentic::Authentic;
use crate::checks::Checks;
use crate::claims::{ClaimName, ClaimSet};
use crate::input::{Carrier, PartId};
use crate::pki::Certificate;
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct YubikeyPiv;

pub(crate) const ID: &str = "yubikey-piv";

/// For statements that hold such a chain.
pub(crate) const CHECKS: &[&crate::checks::Check] = ck::ALL;
pub(crate) use ck::NO_LEAF;

static ABOUT: About = About {
    id: ID,
    title: "YubiKey PIV attestation",
    maker: "Yubico",
    devices: "YubiKey 4 from firmware 4.3, YubiKey 4 FIPS, YubiKey 5, 5 FIPS, 5 CSPN, Bio Multi-protocol",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[OptionDef {
        name: "accept_expired",
        kind: OptionKind::Bool,
        about: "certificates outside their validity are a finding instead of a failure",
    }],
    limits: &[
        "When the key was generated or attested: the device has no clock, and the statement has no nonce. The leaf's dates are copies of F9's.",
        "That the key still exists or is still in that slot: firmware 5.7 can move and delete keys.",
        "That the device is operated in its FIPS-approved mode; only that it is of the FIPS series.",
        "Who holds the device, how good the PIN is, or who knows the management key.",
        "Which single device by F9: F9 keys and certificates are shared by the devices of a batch. Only the serial number in the leaf names the device.",
    ],
    docs: "docs/devices/yubikey-piv.md",
};

/// In a request: the leaf (two identifiers, by age of the tool) and F9. The first and last also in self-signed
/// certificates; in an F9 certificate the second means something else, and is told apart by its content.
const CARRIERS: &[Carrier] = &[
    Carrier { oid: leaf::oid::IN_REQUEST_LEAF, in_certificates: false },
    Carrier { oid: leaf::oid::IN_REQUEST_F9, in_certificates: true },
    Carrier { oid: leaf::oid::CSPN_OR_IN_REQUEST_LEAF, in_certificates: true },
];

const LEAF_CN: &str = "YubiKey PIV Attestation ";
const F9_CNS: [&str; 2] = ["Yubico PIV Attestation", "YubiKey PIV Attestation"];

static APPLET: Applet = Applet {
    format: ID,
    name: "PIV",
    attester: "F9",
    role: "piv-attestation",
    authority_cn: "Yubico PIV Attestation ",
    old_roots: &["Yubico PIV Root CA Serial 263751", "Yubico U2F Root CA Serial 457200631"],
    // They say path length 0 and issue F9 all the same.
    old_roots_understate_path_len: true,
    carriers: CARRIERS,
    is_leaf,
    is_attester: is_named_like_f9,
    checks: &ChainChecks {
        malformed: &ck::MALFORMED,
        duplicate_extension: &ck::DUPLICATE_EXTENSION,
        no_leaf: &ck::NO_LEAF,
        attester_missing: &ck::F9_MISSING,
        name_chaining: &ck::NAME_CHAINING,
        leaf_signature: &ck::LEAF_SIGNATURE,
        attester_shape: &ck::F9_SHAPE,
        untrusted_root: &ck::UNTRUSTED_ROOT,
        attester_replaced: &ck::F9_REPLACED,
        preview_device: &ck::PREVIEW_DEVICE,
        wrong_application_ca: &ck::WRONG_APPLICATION_CA,
        intermediate_missing: &ck::INTERMEDIATE_MISSING,
        expired: &ck::EXPIRED,
        not_yet_valid: &ck::NOT_YET_VALID,
    },
};

impl Format for YubikeyPiv {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn carriers(&self) -> &'static [Carrier] {
        CARRIERS
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::among(cx, &APPLET) else { return Vec::new() };
        if found.leaves.is_empty() {
            return vec![found.without_leaf(cx)];
        }
        found.leaves_to_judge(cx).into_iter().map(|leaf| judge(&found, leaf, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let Some(found) = Found::among(cx, &APPLET) else { return Vec::new() };
        found.leaves.iter().chain(&found.attesters).map(|(id, c)| view(cx, *id, c)).collect()
    }
}

fn view(cx: &Context<'_>, id: PartId, certificate: &Certificate) -> Value {
    let fields = if is_leaf(certificate) {
        Leaf::read(certificate).map(|l| l.view()).map_err(|e| e.detail())
    } else {
        F9::read(certificate).map(|f| f.view()).map_err(|e| e.to_owned())
    };
    yubico::view(cx, id, certificate, fields)
}

fn is_leaf(certificate: &Certificate) -> bool {
    certificate.common_name().is_some_and(|cn| {
        cn.strip_prefix(LEAF_CN)
            .is_some_and(|slot| slot.len() == 2 && slot.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

fn is_named_like_f9(certificate: &Certificate) -> bool {
    certificate.common_name().is_some_and(|cn| F9_CNS.contains(&cn))
}

/// Judges one leaf.
fn judge(found: &Found<'_>, (leaf_id, leaf): (PartId, &Certificate), cx: &Context<'_>) -> Statement {
    let mut statement = found.statement((leaf_id, leaf), cx);
    let checks = &mut statement.checks;
    let place = cx.parts.place(leaf_id);
    let shape = check_leaf_shape(leaf, place, checks);
    APPLET.check_dates(leaf, place, cx, checks);
    let Some((f9_id, f9)) = found.pick_attester(leaf, place, cx, checks) else { return statement };
    statement.certificates.push(f9.clone());
    let f9_place = f9_id.map_or("operator's certificates", |id| cx.parts.place(id));
    let signed = APPLET.check_leaf_signature(leaf, f9, place, checks);
    let f9_shape = APPLET.check_shape(F9::read(f9), f9_place, checks);
    let trusted = yubico::check_path(found, f9, f9_place, cx, checks, &mut statement.certificates);
    if let (Ok(leaf), Some(f9)) = (&shape, &f9_shape) {
        check_device(leaf, f9, place, trusted.as_ref().map(|t| t.new_hierarchy), checks);
    }
    if !checks.clean() {
        return statement;
    }
    statement.attested = signed.zip(trusted).and_then(|(signed, trusted)| {
        let tbs = trusted.key.authenticate(signed)?;
        let both = leaf.authentic(tbs)?.join(trusted.attester)?;
        let both = both.parse(|(leaf, f9)| {
            Ok::<_, LeafFault>((Leaf::read(&leaf)?, F9::read(&f9).map_err(LeafFault::Bad)?))
        });
        both.ok().map(|both| attest(&both, trusted.ca))
    });
    statement
}

fn check_leaf_shape(leaf: &Certificate, place: &str, checks: &mut Checks) -> Result<Leaf, ()> {
    APPLET.check_duplicates(leaf, place, checks);
    let shape = Leaf::read(leaf);
    match &shape {
        Ok(_) => {
            checks.pass(
                &ck::LEAF_EXTENSION_MISSING,
                place.to_owned(),
                "firmware version and key policy are there",
            );
            checks.pass(&ck::LEAF_EXTENSION_BAD, place.to_owned(), "the leaf has the form of a leaf");
        }
        Err(fault @ LeafFault::Missing(_)) => {
            checks.fail(&ck::LEAF_EXTENSION_MISSING, place.to_owned(), fault.detail());
        }
        Err(fault @ LeafFault::Bad(_)) => {
            checks.fail(&ck::LEAF_EXTENSION_BAD, place.to_owned(), fault.detail())
        }
        Err(fault @ LeafFault::Slot(_)) => checks.fail(&ck::BAD_SLOT, place.to_owned(), fault.detail()),
    }
    if let Ok(leaf) = &shape {
        checks.pass(&ck::BAD_SLOT, place.to_owned(), format!("slot {}", leaf.slot));
    }
    shape.map_err(|_| ())
}

/// Firmware against F9, hierarchy and history.
fn check_device(leaf: &Leaf, f9: &F9, place: &str, new_hierarchy: Option<Option<bool>>, checks: &mut Checks) {
    let place = place.to_owned();
    let firmware = leaf.firmware;
    checks.test(
        &ck::IMPOSSIBLE_FIRMWARE,
        place.clone(),
        firmware >= leaf::FIRST_ATTESTING_FIRMWARE,
        "the firmware can attest",
        || format!("firmware {} cannot attest; the first that can is 4.3.0", leaf.firmware_text()).into(),
    );
    if firmware == f9.firmware {
        checks.pass(&ck::FIRMWARE_MISMATCH, place.clone(), "leaf and F9 name the same firmware");
    } else {
        let detail =
            format!("the leaf names firmware {}, F9 names {}", leaf.firmware_text(), f9.firmware_text());
        checks.warn(&ck::FIRMWARE_MISMATCH, place.clone(), detail);
    }
    if let Some(Some(new)) = new_hierarchy {
        if new == (firmware >= leaf::FIRST_ROOT_1_FIRMWARE) {
            checks.pass(&ck::UNEXPECTED_HIERARCHY, place, "firmware and root belong together");
        } else {
            let detail = format!("firmware {} is not expected under this root", leaf.firmware_text());
            checks.warn(&ck::UNEXPECTED_HIERARCHY, place, detail);
        }
    }
}

fn attest(both: &Authentic<(Leaf, F9)>, ca: AttestationCa) -> Attested {
    const DOC: &str = "Yubico, PIV attestation: the applet attests only keys that it generated; it has no command to read a private key out";
    const POLICY: &str = "leaf extension 1.3.6.1.4.1.41482.3.8";
    const FIRMWARE: &str = "leaf extension 1.3.6.1.4.1.41482.3.3";
    const SPKI: &str = "leaf subjectPublicKeyInfo";
    let claims = ClaimSet::of(both)
        .attested(ClaimName::KeyAlgorithm, SPKI, |(leaf, _)| leaf.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, SPKI, |(leaf, _)| hex::encode(leaf.key.spki_sha256()))
        .implied(ClaimName::KeyGeneratedInDevice, DOC, true)
        .implied(ClaimName::KeyExportable, DOC, "never")
        .implied(ClaimName::KeyEverExportable, DOC, false)
        .unknown(ClaimName::KeyCreatedAt, "the device has no clock")
        .attested(ClaimName::AuthPin, POLICY, |(leaf, _)| leaf.pin_policy())
        .attested(ClaimName::AuthTouch, POLICY, |(leaf, _)| leaf.touch_policy())
        .implied(ClaimName::DeviceClass, "Yubico, PIV attestation", "token")
        .implied(ClaimName::DeviceVendor, "the anchor", "Yubico")
        .attested(
            ClaimName::DeviceModel,
            "leaf extensions .3.3 and .3.9, F9 extensions .3.10 and .3.11",
            |(leaf, f9)| leaf.hardware(f9).model(),
        )
        .attested(ClaimName::DeviceSerial, "leaf extension 1.3.6.1.4.1.41482.3.7", |(leaf, _)| {
            leaf.serial.map(|s| s.to_string())
        })
        .attested(ClaimName::DeviceFirmware, FIRMWARE, |(leaf, _)| leaf.firmware_text())
        .unknown(ClaimName::DeviceFipsMode, "the series is attested, the mode is not")
        .detail("slot", "leaf subject", |(leaf, _)| leaf.slot.clone())
        .detail("slot_use", "leaf subject", |(leaf, _)| leaf.slot_use())
        .detail("form_factor", "leaf extension 1.3.6.1.4.1.41482.3.9", |(leaf, f9)| leaf.hardware(f9).shape())
        .detail("fips_series", "leaf extension .3.9, F9 extension .3.10, firmware 4.4", |(leaf, f9)| {
            leaf.hardware(f9).fips_series()
        })
        .detail("attestation_ca", "the anchor", |_| ca.text())
        .finish();
    Attested::new(both, |(leaf, _)| Some(leaf.key.clone()), claims)
}
