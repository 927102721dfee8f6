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

use serde_json::{Value, json};

use self::checks as ck;
use self::leaf::{F9, Leaf, LeafFault};
use super::{About, Attested, Context, Format, Proof, Statement};
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Checks, OnFail};
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::{Hash, Scheme, SignatureError};
use crate::input::{Carrier, Content, PartId};
use crate::pki::path::{self, FaultKind, Rules, Signs, Top};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct YubikeyPiv;

const ID: &str = "yubikey-piv";

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

/// The roots of firmware before 5.7.4, which issue F9 directly.
const ROOTS_OF_OLD_FIRMWARE: [&str; 2] =
    ["Yubico PIV Root CA Serial 263751", "Yubico U2F Root CA Serial 457200631"];

const LEAF_CN: &str = "YubiKey PIV Attestation ";
const F9_CNS: [&str; 2] = ["Yubico PIV Attestation", "YubiKey PIV Attestation"];
const PIV_INTERMEDIATE_CN: &str = "Yubico PIV Attestation ";
const INTERMEDIATE_CN: &str = "Yubico Attestation Intermediate ";

impl Format for YubikeyPiv {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn carriers(&self) -> &'static [Carrier] {
        CARRIERS
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
        found
            .leaves
            .iter()
            .map(|(id, c)| view(cx, *id, c))
            .chain(found.f9s.iter().map(|(id, c)| view(cx, *id, c)))
            .collect()
    }
}

fn view(cx: &Context<'_>, id: PartId, certificate: &Certificate) -> Value {
    let fields = |text: Result<Value, String>| text.unwrap_or_else(|e| json!({ "fault": e }));
    let leaf = Leaf::read(certificate).map(|l| l.view()).map_err(|e| e.detail());
    let f9 = F9::read(certificate).map(|f| f.view()).map_err(|e| e.to_owned());
    json!({
        "where": cx.parts.place(id),
        "subject": name::display(certificate.subject()),
        "issuer": name::display(certificate.issuer()),
        "sha256": hex::encode(certificate.sha256()),
        "key": certificate.key().map(|k| k.algorithm()).unwrap_or_default(),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "fields": if is_leaf(certificate) { fields(leaf) } else { fields(f9) },
    })
}

/// What of this format is among the evidence.
struct Found<'a> {
    leaves: Vec<(PartId, &'a Certificate)>,
    f9s: Vec<(PartId, &'a Certificate)>,
    /// Every certificate: intermediates, and whatever else came along.
    all: Vec<(PartId, &'a Certificate)>,
    broken: Vec<(PartId, String)>,
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

impl<'a> Found<'a> {
    fn among(cx: &Context<'a>) -> Option<Self> {
        let all = cx.parts.certificates();
        let leaves: Vec<_> = all.iter().copied().filter(|(_, c)| is_leaf(c)).collect();
        let f9s: Vec<_> = all.iter().copied().filter(|(_, c)| is_named_like_f9(c)).collect();
        let mut recognised = !leaves.is_empty() || !f9s.is_empty();
        let mut broken = Vec::new();
        for (id, part) in cx.parts.evidence() {
            if let Content::BrokenCertificate { why, announced, prefix } = &part.content {
                broken.push((id, why.to_string()));
                recognised |= announced.is_some_and(|oid| CARRIERS.iter().any(|c| c.oid == oid))
                    || prefix.as_ref().is_some_and(|c| is_leaf(c) || is_named_like_f9(c));
            }
        }
        recognised.then_some(Self { leaves, f9s, all, broken })
    }

    /// With a request, the leaf that holds its key; else each of them.
    fn leaves_to_judge(&self, cx: &Context<'_>) -> Vec<(PartId, &'a Certificate)> {
        let requested = |c: &Certificate| cx.request.is_some_and(|r| c.key().is_ok_and(|k| k == r.key()));
        match self.leaves.iter().find(|(_, c)| requested(c)) {
            Some(leaf) => vec![*leaf],
            None => self.leaves.clone(),
        }
    }

    fn start(&self, cx: &Context<'_>) -> Statement {
        let mut statement = Statement::default();
        for (id, why) in &self.broken {
            statement.checks.fail(&ck::MALFORMED, cx.parts.place(*id).to_owned(), why.clone());
            statement.labels.push((*id, "broken certificate".into()));
        }
        statement.labels.extend(self.f9s.iter().map(|(id, _)| (*id, "F9".into())));
        statement
    }
}

fn without_leaf(found: &Found<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = found.start(cx);
    if found.broken.is_empty() {
        let place = found.f9s.first().map_or("", |(id, _)| cx.parts.place(*id)).to_owned();
        statement.checks.fail(
            &ck::NO_LEAF,
            place,
            "only an F9 certificate: it says which kind of device, and nothing about a key",
        );
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
    let shape = check_leaf_shape(leaf, place, checks);
    check_dates(leaf, place, cx, checks);
    let Some((f9_id, f9)) = pick_f9(found, leaf, place, cx, checks) else { return statement };
    statement.certificates.push(f9.clone());
    let f9_place = f9_id.map_or("operator's certificates", |id| cx.parts.place(id));
    let signed = check_leaf_signature(leaf, f9, place, checks);
    let f9_shape = check_f9_shape(f9, f9_place, checks);
    let trusted = check_f9_path(found, f9, f9_place, cx, checks, &mut statement.certificates);
    if let (Ok(leaf), Some(f9)) = (&shape, &f9_shape) {
        check_device(leaf, f9, place, trusted.as_ref().map(|t| t.new_hierarchy), checks);
    }
    if !checks.clean() {
        return statement;
    }
    statement.attested = signed.zip(trusted).and_then(|(signed, trusted)| {
        let tbs = trusted.key.authenticate(signed)?;
        let both = leaf.authentic(tbs)?.join(trusted.f9)?;
        let both = both.parse(|(leaf, f9)| {
            Ok::<_, LeafFault>((Leaf::read(&leaf)?, F9::read(&f9).map_err(LeafFault::Bad)?))
        });
        both.ok().map(|both| attest(&both, trusted.name))
    });
    statement
}

fn check_leaf_shape(leaf: &Certificate, place: &str, checks: &mut Checks) -> Result<Leaf, ()> {
    if let Some(oid) = leaf.duplicate_extension() {
        checks.fail(
            &ck::DUPLICATE_EXTENSION,
            place.to_owned(),
            format!("the leaf has extension {oid} twice"),
        );
    } else {
        checks.pass(&ck::DUPLICATE_EXTENSION, place.to_owned(), "no extension of the leaf is there twice");
    }
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

fn check_dates(leaf: &Certificate, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let early = cx.at < leaf.not_before();
    let late = cx.at > leaf.not_after();
    if !early && !late {
        return;
    }
    let (check, detail) = if early {
        (&ck::NOT_YET_VALID, format!("the leaf is valid only from {}", leaf.not_before()))
    } else {
        (&ck::EXPIRED, format!("the leaf is valid only until {}", leaf.not_after()))
    };
    if cx.options.is_on("accept_expired") {
        checks.warn(check, place.to_owned(), detail);
    } else {
        checks.fail(check, place.to_owned(), detail);
    }
}

/// The certificate whose subject is the leaf's issuer and, of several, the one whose key verifies the leaf.
fn pick_f9<'c>(
    found: &Found<'c>,
    leaf: &Certificate,
    place: &str,
    cx: &Context<'c>,
    checks: &mut Checks,
) -> Option<(Option<PartId>, &'c Certificate)> {
    let own = found.all.iter().map(|(id, c)| (Some(*id), *c));
    // F9 certificates are shared by a batch of devices: one that the operator has seen before serves as well.
    let known = cx.reference.intermediates.iter().map(|c| (None, c));
    let candidates: Vec<_> = own.chain(known).filter(|(_, c)| *c != leaf).collect();
    let signs = |c: &Certificate| c.key().is_ok_and(|k| leaf.verify_signed_by(k).is_ok());
    let named: Vec<_> = candidates.iter().copied().filter(|(_, c)| c.subject() == leaf.issuer()).collect();
    let picked = match named.as_slice() {
        [only] => Some(*only),
        several => several.iter().copied().find(|(_, c)| signs(c)).or_else(|| several.first().copied()),
    };
    if picked.is_some() {
        checks.pass(&ck::F9_MISSING, place.to_owned(), "the certificate that signed the leaf is there");
        checks.pass(&ck::NAME_CHAINING, place.to_owned(), "the leaf's issuer is the subject of F9");
        return picked;
    }
    if let Some((_, other)) = candidates.iter().find(|(_, c)| signs(c)) {
        checks.fail(
            &ck::NAME_CHAINING,
            place.to_owned(),
            format!(
                "the leaf is signed by the key of {} but names {} as its issuer",
                other.display_name(),
                name::display(leaf.issuer())
            ),
        );
    } else {
        checks.fail(
            &ck::F9_MISSING,
            place.to_owned(),
            format!("no certificate of {} is there", name::display(leaf.issuer())),
        );
    }
    None
}

fn check_leaf_signature<'l>(
    leaf: &'l Certificate,
    f9: &Certificate,
    place: &str,
    checks: &mut Checks,
) -> Option<crate::authentic::SignatureValid<'l>> {
    let scheme = leaf.scheme();
    let accepted = matches!(scheme, Ok(Scheme::RsaPkcs1(Hash::Sha256) | Scheme::Ecdsa(Hash::Sha256)));
    let verified = match (scheme, f9.key()) {
        (Ok(other), _) if !accepted => Err(format!("{other} is not an algorithm of a YubiKey")),
        (Err(error), _) => Err(error.to_string()),
        (_, Err(error)) => Err(format!("key of F9: {error}")),
        (Ok(_), Ok(key)) => leaf.verify_signed_by(key).map_err(|e: SignatureError| e.to_string()),
    };
    match verified {
        Ok(valid) => {
            checks.pass(&ck::LEAF_SIGNATURE, place.to_owned(), "the leaf is signed by the key of F9");
            Some(valid)
        }
        Err(why) => {
            checks.fail(&ck::LEAF_SIGNATURE, place.to_owned(), format!("signature of the leaf by F9: {why}"));
            None
        }
    }
}

fn check_f9_shape(f9: &Certificate, place: &str, checks: &mut Checks) -> Option<F9> {
    match F9::read(f9) {
        Ok(read) => {
            checks.pass(&ck::F9_SHAPE, place.to_owned(), "F9 has the form of an F9 certificate");
            Some(read)
        }
        Err(why) => {
            checks.fail(&ck::F9_SHAPE, place.to_owned(), why);
            None
        }
    }
}

/// F9 as trusted: its key, itself, and the anchor.
struct TrustedF9 {
    key: TrustedKey,
    f9: Authentic<Certificate>,
    /// For the claim `attestation_ca`.
    name: AttestationCa,
    new_hierarchy: Option<bool>,
}

#[derive(Clone, Copy)]
enum AttestationCa {
    Yubico,
    Custom,
}

fn check_f9_path(
    found: &Found<'_>,
    f9: &Certificate,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
    used: &mut Vec<Certificate>,
) -> Option<TrustedF9> {
    if issued_by_untrusted(f9, place, cx, checks) {
        return None;
    }
    let anchors: Vec<&Anchor> = cx
        .reference
        .anchors
        .by_subject(f9.issuer())
        .chain(cx.reference.anchors.roots_for(ID))
        .filter(|a| a.kind != AnchorKind::Untrusted && a.applies_to(ID))
        .collect();
    let pool: Vec<Certificate> = found
        .all
        .iter()
        .map(|(_, c)| *c)
        .chain(&cx.reference.intermediates)
        .filter(|c| !is_leaf(c) && !is_named_like_f9(c))
        .cloned()
        .collect();
    let path::Found { chain, top } = path::find(f9, &pool, &anchors, cx.signatures);
    used.extend(chain.iter().skip(1).cloned());
    let Top::Anchor(anchor) = top else {
        report_no_anchor(f9, &chain, &top, place, checks);
        return None;
    };
    let cn = name::common_name(&anchor.subject).unwrap_or_default();
    let yubico = cn.starts_with("Yubico ");
    if !check_application(&chain, anchor, yubico, place, checks) {
        return None;
    }
    let rules = Rules {
        issuers_without_basic_constraints: &[0],
        // The old roots say pathLen 0 and issue F9 all the same. A root pinned directly above F9 is pinned for that.
        ignore_anchor_path_len: anchor.kind == AnchorKind::Root && chain.len() == 1,
        accept_expired: cx.options.is_on("accept_expired"),
        ..Rules::strict(cx.at, Signs::Certificates)
    };
    let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
    for (faults, tolerated) in [(&validation.faults, false), (&validation.tolerated, true)] {
        for fault in faults {
            let check = match &fault.kind {
                FaultKind::NotYetValid(_) => &ck::NOT_YET_VALID,
                FaultKind::Expired(_) => &ck::EXPIRED,
                FaultKind::AnchorOutsideValidity(_) if anchor.not_before().is_some_and(|t| cx.at < t) => {
                    &ck::NOT_YET_VALID
                }
                FaultKind::AnchorOutsideValidity(_) => &ck::EXPIRED,
                FaultKind::NameChaining => &ck::NAME_CHAINING,
                FaultKind::DuplicateExtension(_) => &ck::DUPLICATE_EXTENSION,
                _ if fault.certificate == f9.display_name() => &ck::F9_SHAPE,
                _ => &ck::UNTRUSTED_ROOT,
            };
            if tolerated {
                checks.warn(check, place.to_owned(), fault.to_string());
            } else {
                checks.fail(check, place.to_owned(), fault.to_string());
            }
        }
    }
    if validation.faults.is_empty() {
        checks.pass(&ck::UNTRUSTED_ROOT, place.to_owned(), format!("F9 chains to {}", anchor.name));
        if validation.tolerated.is_empty() {
            checks.pass(&ck::EXPIRED, place.to_owned(), "every certificate is valid at the time");
        }
    }
    Some(TrustedF9 {
        key: validation.trusted?,
        f9: validation.certificate?,
        name: if yubico { AttestationCa::Yubico } else { AttestationCa::Custom },
        new_hierarchy: yubico.then(|| !ROOTS_OF_OLD_FIRMWARE.contains(&cn)),
    })
}

/// Whether F9 was issued by an authority that is known and must not be trusted here.
fn issued_by_untrusted(f9: &Certificate, place: &str, cx: &Context<'_>, checks: &mut Checks) -> bool {
    let known = &cx.reference.anchors;
    let issuer = known
        .by_subject(f9.issuer())
        .filter(|a| a.role.as_deref() != Some("piv-attestation"))
        .filter(|a| a.kind == AnchorKind::Untrusted || a.role.is_some())
        .find(|a| cx.signatures.check(f9, &a.key).is_ok());
    match issuer {
        Some(anchor) if anchor.role.as_deref() == Some("preview") => {
            let detail = format!("F9 was issued by {}: an engineering sample", anchor.name);
            checks.fail(&ck::PREVIEW_DEVICE, place.to_owned(), detail);
            true
        }
        Some(anchor) => {
            let detail = format!("F9 was issued by {}, which does not issue F9 certificates", anchor.name);
            checks.fail(&ck::WRONG_APPLICATION_CA, place.to_owned(), detail);
            true
        }
        None => {
            checks.pass(&ck::PREVIEW_DEVICE, place.to_owned(), "not a preview device");
            false
        }
    }
}

/// Below Root 1 only the intermediates for PIV may issue F9.
fn check_application(
    chain: &[Certificate],
    anchor: &Anchor,
    yubico: bool,
    place: &str,
    checks: &mut Checks,
) -> bool {
    let cn = |index: usize| chain.get(index).and_then(Certificate::common_name);
    let is = |index: usize, prefix: &str| cn(index).is_some_and(|cn| cn.starts_with(prefix));
    let pinned = anchor.kind == AnchorKind::Intermediate;
    let old_root = ROOTS_OF_OLD_FIRMWARE.contains(&name::common_name(&anchor.subject).unwrap_or_default());
    // An operator's own hierarchy is his to arrange, as long as nothing in it is named after Yubico.
    let own = !yubico && !is(1, "Yubico ");
    let right = match chain.len() {
        _ if own => true,
        // F9 directly below: a pinned PIV intermediate, or one of the roots of old firmware.
        0 | 1 => pinned || old_root,
        2 => pinned && is(1, PIV_INTERMEDIATE_CN),
        3 => is(1, PIV_INTERMEDIATE_CN) && is(2, INTERMEDIATE_CN),
        _ => false,
    };
    checks.test(
        &ck::WRONG_APPLICATION_CA,
        place.to_owned(),
        right,
        "F9 was issued by an authority for PIV",
        || {
            format!(
                "the path from F9 to {} does not go through the authorities for PIV: {}",
                anchor.name,
                path::describe(chain)
            )
            .into()
        },
    )
}

fn report_no_anchor(
    f9: &Certificate,
    chain: &[Certificate],
    top: &Top<'_>,
    place: &str,
    checks: &mut Checks,
) {
    let place = place.to_owned();
    let issuer = chain.last().map(|c| name::display(c.issuer())).unwrap_or_default();
    match top {
        Top::NotSignedByAnchor(anchor) => {
            checks.fail(
                &ck::UNTRUSTED_ROOT,
                place,
                format!("names {} as issuer and is not signed by it", anchor.name),
            );
        }
        Top::SelfSigned => {
            checks.fail(
                &ck::UNTRUSTED_ROOT,
                place.clone(),
                format!("ends at a self-signed certificate of {issuer}, which is not an anchor"),
            );
            checks.fail(&ck::F9_REPLACED, place, "F9 was replaced: it was not issued by Yubico");
        }
        Top::NotSignedByIssuer | Top::Budget => {
            checks.fail(
                &ck::UNTRUSTED_ROOT,
                place,
                format!("is not signed by the certificate of {issuer} that is there"),
            );
        }
        Top::Anchor(_) | Top::IssuerMissing => {
            let piv = f9.issuer_common_name().is_some_and(|cn| cn.starts_with(PIV_INTERMEDIATE_CN));
            if piv && chain.len() == 1 {
                checks.fail(
                    &ck::INTERMEDIATE_MISSING,
                    place,
                    format!("the certificate of {issuer} is neither configured nor in the evidence"),
                );
            } else {
                checks.fail_as(
                    &ck::UNTRUSTED_ROOT,
                    OnFail::Undecided,
                    place,
                    format!("the issuer {issuer} is neither an anchor nor in the evidence"),
                    "If this YubiKey belongs to a fleet with its own attestation authority, the operator must configure that root (--anchors). Otherwise slot F9 was replaced, and this device cannot attest for Yubico any more.",
                );
            }
        }
    }
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
            |(leaf, f9)| leaf.model(f9),
        )
        .attested(ClaimName::DeviceSerial, "leaf extension 1.3.6.1.4.1.41482.3.7", |(leaf, _)| {
            leaf.serial.map(|s| s.to_string())
        })
        .attested(ClaimName::DeviceFirmware, FIRMWARE, |(leaf, _)| leaf.firmware_text())
        .unknown(ClaimName::DeviceFipsMode, "the series is attested, the mode is not")
        .detail("slot", "leaf subject", |(leaf, _)| leaf.slot.clone())
        .detail("slot_use", "leaf subject", |(leaf, _)| leaf.slot_use())
        .detail("form_factor", "leaf extension 1.3.6.1.4.1.41482.3.9", |(leaf, _)| leaf.form_factor())
        .detail("fips_series", "leaf extension .3.9, F9 extension .3.10, firmware 4.4", |(leaf, f9)| {
            leaf.fips_series(f9)
        })
        .detail("attestation_ca", "the anchor", |_| match ca {
            AttestationCa::Yubico => "Yubico",
            AttestationCa::Custom => "custom: genuineness rests on the operator of that authority",
        })
        .finish();
    Attested::new(both, |(leaf, _)| Some(leaf.key.clone()), claims)
}
