//! YubiKey OpenPGP attestation: the certificate that a YubiKey makes for one of the keys of its OpenPGP applet.
//!
//! ```text
//! firmware 5.2–5.7.3     leaf ← ATT ← Yubico OpenPGP Attestation CA
//! firmware 5.7.4 and up  leaf ← ATT ← Yubico OPGP Attestation … ← Yubico Attestation Intermediate … ← Root 1
//! ```
//!
//! The *leaf* speaks of the key; *ATT* is the certificate of the key that signed it. Source: Yubico, "OpenPGP
//! Attestation" (developers.yubico.com/PGP/Attestation.html), "OpenPGP Attestation OID Arc"
//! (docs.yubico.com/hardware/oid/oid-pgp-arc.html), and the PKI page.
//!
//! A leaf has no basicConstraints, and the applet takes an ATT certificate without them. What keeps an attested key
//! from attesting in its turn is what does so in PIV: the depth is fixed, and ATT must have the shape of ATT.

mod checks;
mod leaf;

use serde_json::Value;

use self::checks as ck;
use self::leaf::{Att, Leaf, LeafFault, Slot, Source};
use super::yubico::{self, Applet, AttestationCa, ChainChecks, Found};
use super::{About, Attested, Context, Format, Proof, Statement};
use crate::authentic::Authentic;
use crate::checks::{Checks, OnFail};
use crate::claims::{ClaimName, ClaimSet};
use crate::input::PartId;
use crate::pki::Certificate;
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct YubikeyOpenpgp;

const ID: &str = "yubikey-openpgp";

static ABOUT: About = About {
    id: ID,
    title: "YubiKey OpenPGP attestation",
    maker: "Yubico",
    devices: "YubiKey 5, 5 FIPS, 5 CSPN from firmware 5.2",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[OptionDef {
        name: "accept_expired",
        kind: OptionKind::Bool,
        about: "certificates outside their validity are a finding instead of a failure",
    }],
    limits: &[
        "When the key was generated or attested: the device has no clock, and the statement has no nonce. The leaf's dates are copies of ATT's; the creation time in it can be written by whoever knows the admin PIN.",
        "Whether a PIN is asked for before the key is used: the statement does not say.",
        "That the touch setting stays: only a fixed one stays as long as the key. Any other can be changed with the admin PIN after the attestation.",
        "The cardholder's name and the OpenPGP fingerprint: whoever knows the admin PIN can write them.",
        "That the device is operated in its FIPS-approved mode; only that it is of the FIPS series.",
        "Who holds the device.",
    ],
    docs: "docs/devices/yubikey-openpgp.md",
};

/// Written with a small k on some firmware.
const ATT_CN: &str = "YubiKey OPGP Attestation";

static APPLET: Applet = Applet {
    format: ID,
    name: "OpenPGP",
    attester: "ATT",
    role: "openpgp-attestation",
    authority_cn: "Yubico OPGP Attestation ",
    old_roots: &["Yubico OpenPGP Attestation CA"],
    old_roots_understate_path_len: false,
    carriers: &[],
    is_leaf,
    is_attester: is_named_like_att,
    checks: &ChainChecks {
        malformed: &ck::MALFORMED,
        duplicate_extension: &ck::DUPLICATE_EXTENSION,
        no_leaf: &ck::NO_LEAF,
        attester_missing: &ck::ATT_MISSING,
        name_chaining: &ck::NAME_CHAINING,
        leaf_signature: &ck::LEAF_SIGNATURE,
        attester_shape: &ck::ATT_SHAPE,
        untrusted_root: &ck::UNTRUSTED_ROOT,
        attester_replaced: &ck::ATT_REPLACED,
        preview_device: &ck::PREVIEW_DEVICE,
        wrong_application_ca: &ck::WRONG_APPLICATION_CA,
        intermediate_missing: &ck::INTERMEDIATE_MISSING,
        expired: &ck::EXPIRED,
        not_yet_valid: &ck::NOT_YET_VALID,
    },
};

/// By its name, so that a leaf to which something is missing is told so; and by the extension that only a leaf has.
fn is_leaf(certificate: &Certificate) -> bool {
    leaf::slot(certificate).is_some()
        || (certificate.extension(leaf::oid::SOURCE).is_some() && !is_named_like_att(certificate))
}

fn is_named_like_att(certificate: &Certificate) -> bool {
    certificate.common_name().is_some_and(|cn| cn.eq_ignore_ascii_case(ATT_CN))
}

impl Format for YubikeyOpenpgp {
    fn about(&self) -> &'static About {
        &ABOUT
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
        Att::read(certificate).map(|a| a.view()).map_err(str::to_owned)
    };
    yubico::view(cx, id, certificate, fields)
}

/// Judges one leaf.
fn judge(found: &Found<'_>, (leaf_id, leaf): (PartId, &Certificate), cx: &Context<'_>) -> Statement {
    let mut statement = found.statement((leaf_id, leaf), cx);
    let checks = &mut statement.checks;
    let place = cx.parts.place(leaf_id);
    let shape = check_leaf_shape(leaf, place, checks);
    APPLET.check_dates(leaf, place, cx, checks);
    let Some((att_id, att)) = found.pick_attester(leaf, place, cx, checks) else {
        check_key(shape.as_ref(), place, checks);
        return statement;
    };
    statement.certificates.push(att.clone());
    let att_place = att_id.map_or("operator's certificates", |id| cx.parts.place(id));
    let signed = APPLET.check_leaf_signature(leaf, att, place, checks);
    let att_shape = APPLET.check_shape(Att::read(att), att_place, checks);
    let trusted = yubico::check_path(found, att, att_place, cx, checks, &mut statement.certificates);
    if let (Some(leaf), Some(att)) = (&shape, &att_shape) {
        check_firmware(leaf, att, place, checks);
    }
    let authentic = checks.clean();
    check_key(shape.as_ref(), place, checks);
    if !authentic {
        return statement;
    }
    statement.attested = signed.zip(trusted).and_then(|(signed, trusted)| {
        let tbs = trusted.key.authenticate(signed)?;
        let both = leaf.authentic(tbs)?.join(trusted.attester)?;
        let both = both.parse(|(leaf, att)| {
            Ok::<_, LeafFault>((Leaf::read(&leaf)?, Att::read(&att).map_err(LeafFault::Bad)?))
        });
        both.ok().map(|both| attest(&both, trusted.ca))
    });
    statement
}

fn check_leaf_shape(leaf: &Certificate, place: &str, checks: &mut Checks) -> Option<Leaf> {
    APPLET.check_duplicates(leaf, place, checks);
    let shape = Leaf::read(leaf);
    match &shape {
        Ok(_) => {
            let detail = "key source, firmware version, serial number and touch setting are there";
            checks.pass(&ck::LEAF_EXTENSION_MISSING, place.to_owned(), detail);
            checks.pass(&ck::BAD_EXTENSION, place.to_owned(), "the leaf has the form of a leaf");
        }
        Err(fault @ LeafFault::Missing(_)) => {
            checks.fail(&ck::LEAF_EXTENSION_MISSING, place.to_owned(), fault.detail());
        }
        Err(fault @ LeafFault::Bad(_)) => checks.fail(&ck::BAD_EXTENSION, place.to_owned(), fault.detail()),
    }
    shape.ok()
}

fn check_firmware(leaf: &Leaf, att: &Att, place: &str, checks: &mut Checks) {
    let place = place.to_owned();
    if leaf.firmware == att.firmware {
        checks.pass(&ck::FIRMWARE_MISMATCH, place, "leaf and ATT name the same firmware");
    } else {
        let (of_leaf, of_att) = (leaf.firmware_text(), att.firmware_text());
        let detail = format!("the leaf names firmware {of_leaf}, ATT names {of_att}");
        checks.warn(&ck::FIRMWARE_MISMATCH, place, detail);
    }
}

/// What the leaf says of the key. Not looked at where the evidence is wrong; where only a piece is missing, it tells
/// the subscriber early.
fn check_key(leaf: Option<&Leaf>, place: &str, checks: &mut Checks) {
    let Some(leaf) = leaf.filter(|_| checks.worst() != Some(OnFail::NotAuthentic)) else { return };
    let at = || place.to_owned();
    match leaf.source {
        Source::Generated => {
            checks.pass(&ck::IMPORTED, at(), "the key was generated in the device");
            checks.pass(&ck::UNKNOWN_SOURCE, at(), "the key's source is known");
        }
        Source::Imported => checks.fail(&ck::IMPORTED, at(), "the key was imported into the device"),
        Source::Unknown => {
            let detail = "the key source (.5.2) is neither imported (0) nor generated (1)";
            checks.fail(&ck::UNKNOWN_SOURCE, at(), detail);
        }
    }
    let slot = leaf.slot.name();
    checks.test(&ck::WRONG_SLOT, at(), leaf.slot != Slot::Dec, format!("the key is the {slot} key"), || {
        "the key is the DEC key, which decrypts and does not sign".into()
    });
    match leaf.fingerprint_fits() {
        None => checks.skip(&ck::FINGERPRINT_MISMATCH, at(), "the leaf has no fingerprint"),
        Some(true) => checks.pass(&ck::FINGERPRINT_MISMATCH, at(), "the fingerprint is that of the key"),
        Some(false) => {
            let detail = "the fingerprint (.5.4) is not that of the key with the creation time (.5.5)";
            checks.warn(&ck::FINGERPRINT_MISMATCH, at(), detail);
        }
    }
    match leaf.counter {
        None => checks.skip(&ck::KEY_ALREADY_USED, at(), "only the SIG key has a signature counter"),
        Some(0) => checks.pass(&ck::KEY_ALREADY_USED, at(), "the key has signed nothing yet"),
        Some(count) => {
            let detail = format!("the signature counter is {count}: the key has been used");
            checks.warn(&ck::KEY_ALREADY_USED, at(), detail);
        }
    }
}

fn attest(both: &Authentic<(Leaf, Att)>, ca: AttestationCa) -> Attested {
    const DOC: &str =
        "OpenPGP smart card application 3.4: no command reads a private key out; Yubico, OpenPGP Attestation";
    const SOURCE: &str = "leaf extension 1.3.6.1.4.1.41482.5.2";
    const TOUCH: &str = "leaf extension 1.3.6.1.4.1.41482.5.8";
    const SPKI: &str = "leaf subjectPublicKeyInfo";
    const FORM: &str = "leaf extension 1.3.6.1.4.1.41482.5.9";
    // A key that was imported was elsewhere before.
    let never_outside = both.get().0.generated() == Some(true);
    let claims = ClaimSet::of(both)
        .attested(ClaimName::KeyAlgorithm, SPKI, |(leaf, _)| leaf.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, SPKI, |(leaf, _)| hex::encode(leaf.key.spki_sha256()))
        .attested(ClaimName::KeyGeneratedInDevice, SOURCE, |(leaf, _)| leaf.generated())
        .attested(ClaimName::KeyPurposes, "leaf subject", |(leaf, _)| leaf.purposes())
        .implied(ClaimName::KeyExportable, DOC, "never")
        .implied(ClaimName::KeyEverExportable, DOC, never_outside.then_some(false))
        .unknown(ClaimName::KeyCreatedAt, "the holder of the admin PIN can write the creation time")
        .unknown(ClaimName::AuthPin, "not in this evidence")
        .attested(ClaimName::AuthTouch, TOUCH, |(leaf, _)| leaf.touch_policy())
        .implied(ClaimName::DeviceClass, "Yubico, OpenPGP Attestation", "token")
        .implied(ClaimName::DeviceVendor, "the anchor", "Yubico")
        .attested(
            ClaimName::DeviceModel,
            "leaf extensions .5.3 and .5.9, ATT extensions .5.10 and .5.11",
            |(leaf, att)| leaf.hardware(att).model(),
        )
        .attested(ClaimName::DeviceSerial, "leaf extension 1.3.6.1.4.1.41482.5.7", |(leaf, _)| {
            leaf.serial.to_string()
        })
        .attested(ClaimName::DeviceFirmware, "leaf extension 1.3.6.1.4.1.41482.5.3", |(leaf, _)| {
            leaf.firmware_text()
        })
        .unknown(ClaimName::DeviceFipsMode, "the series is attested, the mode is not")
        .detail("slot", "leaf subject", |(leaf, _)| leaf.slot.name())
        .detail("touch_policy_changeable", TOUCH, |(leaf, _)| leaf.touch_changeable())
        .detail("signature_counter", "leaf extension 1.3.6.1.4.1.41482.5.6", |(leaf, _)| {
            leaf.counter.map(|count| count.to_string())
        })
        .detail("form_factor", FORM, |(leaf, att)| leaf.hardware(att).shape())
        .detail("fips_series", "leaf extension .5.9, ATT extension .5.10", |(leaf, att)| {
            leaf.hardware(att).fips_series()
        })
        .detail("cardholder_claimed", "leaf extension .5.1, written with the admin PIN", |(leaf, _)| {
            leaf.cardholder_claimed()
        })
        .detail("fingerprint_claimed", "leaf extension .5.4, written with the admin PIN", |(leaf, _)| {
            leaf.fingerprint.map(hex::encode)
        })
        .detail("created_claimed", "leaf extension .5.5, written with the admin PIN", |(leaf, _)| {
            leaf.created_claimed()
        })
        .detail("attestation_ca", "the anchor", |_| ca.text())
        .finish();
    Attested::new(both, |(leaf, _)| Some(leaf.key.clone()), claims)
}
