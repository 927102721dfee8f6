//! Thales Luna and Luna Cloud HSM: public key confirmations (PKC).
//!
//! ```text
//! RSA   PKC ← DAC ← HOC ← MIC ← Chrysalis-ITS Root
//! ECC   PKC ← HOC ← SafeNet ECC Manufacturer Integrity Module
//! ```
//!
//! A PKC is a certificate that the HSM issues for one of its own key pairs. There is no statement in it besides its
//! purpose (extended key usage 1.3.6.1.4.1.12383.1.13): that the HSM issued it *is* the statement. Sources: Thales
//! Luna documentation, "Verifying the HSM's Authenticity" and "cmu getpkc"; github.com/ThalesGroup/luna-pkc-validator.
//!
//! All of it hangs on the purposes. Were a certificate accepted in another place than its own, the owner of a Luna
//! could use the key of a PKC as if it were a DAC. So every place has its one purpose, and a PKC that is a CA is none.

mod chain;
mod checks;
mod container;
mod fields;

use serde_json::Value;

use self::chain::{Chain, Profile, Trusted};
use self::checks as ck;
use self::container::{ContainerFault, Found, Group};
use self::fields::Leaf;
use super::{About, Attested, Context, Format, Proof, Statement};
use crate::authentic::Authentic;
use crate::checks::{Check, Checks};
use crate::claims::{ClaimName, ClaimSet};
use crate::input::PartId;
use crate::pki::Certificate;
use crate::reference::firmware;
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct ThalesLuna;

const ID: &str = "thales-luna";

static ABOUT: About = About {
    id: ID,
    title: "Thales Luna public key confirmation (PKC)",
    maker: "Thales (SafeNet, Chrysalis-ITS)",
    devices: "Luna Network HSM 7, Luna PCIe HSM 7, Luna USB HSM 7, Luna Cloud HSM",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "accept_expired",
            kind: OptionKind::Bool,
            about: "certificates outside their validity are a finding instead of a failure",
        },
        OptionDef {
            name: "deny_firmware",
            kind: OptionKind::List,
            about: "refuse devices with one of these firmware versions, as reports print them",
        },
    ],
    limits: &[
        "That the key is in one device only: it may have been cloned to other Luna HSMs, to backup HSMs and, from firmware 7.8.0 on, between Luna HSMs and Luna Cloud HSM. The serial number is that of the device that issued the confirmation.",
        "That the key stays inside the box: with Scalable Key Storage (V1 partitions, firmware 7.7.0 and later) encrypted key blobs are stored outside; Thales counts that as inside its security perimeter.",
        "How the partition is configured: cloning or key export mode, and its policies. That the key cannot be exported rests on its own attribute CKA_EXTRACTABLE.",
        "That the device is in FIPS mode (HSM policy 12), or which certification it has.",
        "That no functionality module, which is code of the customer, runs inside the device (HSM policy 50).",
        "What the key may be used for, who may use it, and who controls the partition.",
        "When the key was generated or the confirmation made: the dates are constants of manufacture, and there is no nonce.",
        "That the firmware is free of known flaws. An ECC confirmation does not name the firmware; firmware before the corrections of 2015 let a client recover EC private keys with CKA_DERIVE (CVE-2015-5464).",
    ],
    docs: "docs/devices/thales-luna.md",
};

impl Format for ThalesLuna {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::among(cx) else { return Vec::new() };
        if found.groups.is_empty() {
            return vec![without_leaf(&found, cx)];
        }
        groups_to_judge(&found, cx)
            .into_iter()
            .map(|group| match group.leaves.as_slice() {
                [(id, leaf)] => judge(&found, *id, leaf, cx),
                several => ambiguous(&found, several, cx),
            })
            .collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let Some(found) = Found::among(cx) else { return Vec::new() };
        let ours = found.all.iter().filter(|(_, c)| fields::is_ours(c));
        ours.map(|(id, c)| container::view(cx.parts.place(*id), c)).collect()
    }
}

/// With a request, the PKC that holds its key; else each of them.
fn groups_to_judge<'f, 'a>(found: &'f Found<'a>, cx: &Context<'_>) -> Vec<&'f Group<'a>> {
    let requested = |group: &&Group<'_>| match group.leaves.as_slice() {
        [(_, leaf)] => cx.request.is_some_and(|r| leaf.key().is_ok_and(|k| k == r.key())),
        _ => false,
    };
    match found.groups.iter().find(requested) {
        Some(group) => vec![group],
        None => found.groups.iter().collect(),
    }
}

/// A statement with what is to be said of the containers.
fn start(found: &Found<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = Statement::default();
    for (id, fault) in &found.faults {
        let place = cx.parts.place(*id).to_owned();
        match fault {
            ContainerFault::Malformed(why) => statement.checks.fail(&ck::INPUT_MALFORMED, place, why.clone()),
            ContainerFault::Unexpected(why) => statement.checks.fail(&ck::CONTAINER_UNEXPECTED, place, *why),
            ContainerFault::Trailing(extra) => {
                let detail = format!("{extra} byte(s) after the end of the PKCS#7 file");
                statement.checks.fail(&ck::CONTAINER_TRAILING, place, detail);
            }
        }
        statement.labels.push((*id, "broken".into()));
    }
    if found.faults.is_empty() {
        statement.checks.pass(&ck::INPUT_MALFORMED, "", "container and certificates are well-formed");
        statement.checks.pass(&ck::CONTAINER_UNEXPECTED, "", "the container holds certificates only");
        statement.checks.pass(&ck::CONTAINER_TRAILING, "", "nothing stands after the end of the container");
    }
    statement
}

fn without_leaf(found: &Found<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = start(found, cx);
    if found.faults.is_empty() {
        let place = found.first.map_or("", |id| cx.parts.place(id)).to_owned();
        if found.is_tctrust(cx) {
            let detail = "three RSA certificates, none of which is a PKC of a known type";
            statement.checks.fail(&ck::TCTRUST, place, detail);
        } else {
            let detail = "certificates of a Luna, and none of them confirms a key";
            statement.checks.fail(&ck::LEAF_MISSING, place, detail);
        }
    }
    statement.labels.extend(found.first.map(|id| (id, "certificates of a Luna".into())));
    statement
}

fn ambiguous(found: &Found<'_>, leaves: &[(PartId, &Certificate)], cx: &Context<'_>) -> Statement {
    let mut statement = start(found, cx);
    let place = leaves.first().map_or("", |(id, _)| cx.parts.place(*id)).to_owned();
    let detail = format!("{} PKCs in one container", leaves.len());
    statement.checks.fail(&ck::LEAF_AMBIGUOUS, place, detail);
    statement.labels.extend(leaves.iter().map(|(id, _)| (*id, "PKC".into())));
    statement
}

/// Judges one PKC.
fn judge(found: &Found<'_>, id: PartId, leaf: &Certificate, cx: &Context<'_>) -> Statement {
    let mut statement = start(found, cx);
    statement.labels.push((id, "PKC".into()));
    statement.certificates.push(leaf.clone());
    let checks = &mut statement.checks;
    let place = cx.parts.place(id);
    let profile = match leaf.key() {
        Err(error) => {
            checks.fail(&ck::INPUT_MALFORMED, place.to_owned(), format!("the key of the PKC: {error}"));
            return statement;
        }
        Ok(key) => Profile::of(key).ok_or_else(|| key.algorithm()),
    };
    let profile = match profile {
        Ok(profile) => profile,
        Err(algorithm) => {
            let detail = format!("no PKC is documented for a key of the kind {algorithm}");
            checks.fail(&ck::LEAF_MISSING, place.to_owned(), detail);
            return statement;
        }
    };
    checks.pass(&ck::LEAF_MISSING, place.to_owned(), "the PKC is there");
    checks.pass(&ck::LEAF_AMBIGUOUS, place.to_owned(), "the file confirms one key");
    check_leaf(leaf, place, checks);
    check_dates(leaf, place, cx, checks);
    check_flags(leaf, place, checks);
    let chain = Chain::of(leaf, profile, found, cx);
    statement.certificates.extend(chain.issuers.iter().map(|c| (*c).clone()));
    check_identity(leaf, &chain, place, checks);
    check_denied(leaf, &statement.certificates, place, cx, checks);
    let trusted = chain.judge(leaf, place, cx, checks);
    if let (Some(root), false) = (found.foreign_root(id, cx), checks.failed(&ck::ROOT_UNKNOWN)) {
        let detail =
            format!("the self-signed certificate of {} beside the PKC is not pinned", root.display_name());
        checks.fail(&ck::ROOT_UNKNOWN, place.to_owned(), detail);
    }
    if !checks.failed(&ck::CHAIN_CA_FLAG) && trusted.is_some() {
        checks.pass(&ck::CHAIN_CA_FLAG, place.to_owned(), "issuers are CAs, and the PKC is none");
    }
    if !checks.clean() {
        return statement;
    }
    statement.attested = trusted.and_then(|trusted| attested(leaf, profile, trusted));
    statement
}

/// What RFC 5280 and this format want of a PKC itself.
fn check_leaf(leaf: &Certificate, place: &str, checks: &mut Checks) {
    if let Some(oid) = leaf.duplicate_extension() {
        let detail = format!("the PKC has extension {oid} twice");
        checks.fail(&ck::INPUT_MALFORMED, place.to_owned(), detail);
    }
    let usage = leaf.key_usage().and_then(Result::ok);
    let wrong = match (leaf.basic_constraints(), usage) {
        (Some(Err(())), _) => Some("the PKC has basicConstraints that cannot be read"),
        (Some(Ok(constraints)), _) if constraints.ca => Some("the PKC says that it is a CA"),
        (_, None) => Some("the PKC has no keyUsage, or one that cannot be read"),
        (_, Some(usage)) if !usage.digital_signature => {
            Some("the keyUsage of the PKC lacks digitalSignature")
        }
        (_, Some(usage)) if usage.key_cert_sign => Some("the keyUsage of the PKC has keyCertSign"),
        _ => None,
    };
    if let Some(detail) = wrong {
        checks.fail(&ck::CHAIN_CA_FLAG, place.to_owned(), detail);
    }
    const PROCESSED: [&str; 3] = ["2.5.29.15", "2.5.29.19", "2.5.29.37"];
    let unknown = leaf.extensions().find(|e| e.critical && !PROCESSED.contains(&e.oid.to_string().as_str()));
    match unknown {
        Some(extension) => {
            let detail = format!("the PKC has the critical extension {}, which is not known", extension.oid);
            checks.fail(&ck::EXT_UNKNOWN_CRITICAL, place.to_owned(), detail);
        }
        None => {
            let detail = "the PKC has no critical extension that is not known";
            checks.pass(&ck::EXT_UNKNOWN_CRITICAL, place.to_owned(), detail);
        }
    }
}

fn check_dates(leaf: &Certificate, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    if cx.at < leaf.not_before() {
        let detail = format!("the PKC is valid only from {}", leaf.not_before());
        report_date(&ck::TIME_NOT_YET_VALID, place, detail, cx, checks);
    } else {
        checks.pass(&ck::TIME_NOT_YET_VALID, place.to_owned(), "the PKC is already valid");
    }
    if cx.at > leaf.not_after() {
        let detail = format!("the PKC is valid only until {}", leaf.not_after());
        report_date(&ck::TIME_EXPIRED, place, detail, cx, checks);
    } else {
        checks.pass(&ck::TIME_EXPIRED, place.to_owned(), "the PKC is still valid");
    }
}

/// A date that does not hold: a failure, or by the operator's choice a finding.
fn report_date(check: &'static Check, place: &str, detail: String, cx: &Context<'_>, checks: &mut Checks) {
    if cx.options.is_on("accept_expired") {
        checks.warn(check, place.to_owned(), detail);
    } else {
        checks.fail(check, place.to_owned(), detail);
    }
}

fn check_flags(leaf: &Certificate, place: &str, checks: &mut Checks) {
    let place = place.to_owned();
    match fields::flags(leaf) {
        None => checks.skip(&ck::FLAGS_UNEXPECTED, place, "the PKC has no flags, as those of EC keys"),
        Some(Ok(true)) => checks.pass(&ck::FLAGS_UNEXPECTED, place, "the four flags are set"),
        Some(Ok(false)) => {
            let raw = Leaf::read(leaf).ok().and_then(|l| l.flags).unwrap_or_default();
            checks.fail(&ck::FLAGS_UNEXPECTED, place, format!("not all of the four flags are set: {raw}"));
        }
        Some(Err(())) => checks.fail(&ck::FLAGS_UNEXPECTED, place, "the flags are not a BIT STRING"),
    }
}

/// Every place that names the HSM names the same one.
fn check_identity(leaf: &Certificate, chain: &Chain<'_>, place: &str, checks: &mut Checks) {
    let mut named = fields::serials_of_leaf(leaf);
    named.extend(chain.serials());
    let missing: Vec<&str> = named.iter().filter(|(_, serial)| serial.is_none()).map(|(at, _)| *at).collect();
    let said: Vec<_> = named.iter().filter_map(|(at, serial)| Some((*at, serial.as_ref()?))).collect();
    let first = said.iter().find_map(|(_, serial)| serial.as_ref().ok());
    let contradicts = |serial: &Result<u32, String>| serial.as_ref().map_or(true, |s| Some(s) != first);
    if said.iter().any(|(_, serial)| contradicts(serial)) {
        let texts = said.iter().map(|(at, serial)| match serial {
            Ok(serial) => format!("{at}: {serial}"),
            Err(why) => format!("{at}: {why}"),
        });
        let detail = format!("the serial numbers differ: {}", texts.collect::<Vec<_>>().join("; "));
        checks.fail(&ck::IDENTITY_MISMATCH, place.to_owned(), detail);
    } else {
        let detail = format!("{} places name the same HSM", said.len());
        checks.pass(&ck::IDENTITY_MISMATCH, place.to_owned(), detail);
    }
    if missing.is_empty() {
        checks.pass(&ck::IDENTITY_INCOMPLETE, place.to_owned(), "every place names the HSM");
    } else {
        let detail = format!("no serial number in: {}", missing.join(", "));
        checks.warn(&ck::IDENTITY_INCOMPLETE, place.to_owned(), detail);
    }
}

/// The operator's options against this device. Read before anything is trusted: a denied device is denied.
fn check_denied(
    leaf: &Certificate,
    certificates: &[Certificate],
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let place = place.to_owned();
    let listed = |option: &str, is: &dyn Fn(&str) -> bool| cx.options.list(option).any(is);
    let said = Leaf::read(leaf).ok();
    let serial = said.as_ref().and_then(|l| l.serial).map(|s| s.to_string());
    let versions: Vec<String> =
        said.iter().flat_map(|l| l.firmware().into_iter().chain(l.firmware_word())).collect();
    let is_version =
        |denied: &str| versions.iter().any(|v| firmware::compare(v, denied).is_some_and(|o| o.is_eq()));
    let is_certificate =
        |denied: &str| certificates.iter().any(|c| hex::encode(c.sha256()).eq_ignore_ascii_case(denied));
    let hit = if listed("deny_serials", &|denied| serial.as_deref() == Some(denied)) {
        Some("the serial number of the HSM is in deny_serials")
    } else if listed("deny_certificates", &is_certificate) {
        Some("a certificate of the chain is in deny_certificates")
    } else if listed("deny_firmware", &is_version) {
        Some("the firmware of the HSM is in deny_firmware")
    } else {
        None
    };
    match hit {
        Some(detail) => checks.fail(&ck::REVOKED, place, detail),
        None if versions.is_empty() && cx.options.list("deny_firmware").next().is_some() => {
            checks.warn(
                &ck::REVOKED,
                place,
                "this PKC does not name the firmware: deny_firmware says nothing of it",
            );
        }
        None => checks.pass(&ck::REVOKED, place, "not denied by the options"),
    }
}

/// What an authenticated PKC says; the model stands in the certificate of its issuer.
struct Pkc {
    leaf: Leaf,
    model: Option<String>,
}

fn attested(leaf: &Certificate, profile: Profile, trusted: Trusted<'_>) -> Option<Attested> {
    let tbs = trusted.key.authenticate(trusted.signed)?;
    let both = leaf.authentic(tbs)?.join(trusted.issuer)?;
    let read = |(leaf, issuer): (Certificate, Certificate)| {
        let model = if profile == Profile::Rsa { fields::model(&issuer) } else { None };
        Leaf::read(&leaf).map(|leaf| Pkc { leaf, model })
    };
    both.parse(read).ok().map(|pkc| claims(&pkc, profile))
}

fn claims(pkc: &Authentic<Pkc>, profile: Profile) -> Attested {
    const DOC: &str = "Thales Luna documentation, \"Verifying the HSM's Authenticity\" and \"cmu getpkc\": a PKC is issued only for a non-extractable private key that a Luna generated";
    const CLONING: &str = "Thales Luna documentation, \"Verifying the HSM's Authenticity\" and \"Configuring the Partition for Cloning or Export\": the key cannot leave Luna modules, and may be cloned between them";
    const SPKI: &str = "PKC subjectPublicKeyInfo";
    let claims = ClaimSet::of(pkc)
        .attested(ClaimName::KeyAlgorithm, SPKI, |p| p.leaf.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, SPKI, |p| hex::encode(p.leaf.key.spki_sha256()))
        .implied(ClaimName::KeyGeneratedInDevice, DOC, true)
        .implied(ClaimName::KeyExportable, CLONING, "vendor-boundary")
        .implied(ClaimName::KeyEverExportable, DOC, false)
        .unknown(ClaimName::KeyPurposes, "the keyUsage of a PKC is a constant, not the attributes of the key")
        .unknown(ClaimName::KeyCreatedAt, "the dates of a PKC are constants of manufacture")
        .implied(ClaimName::DeviceClass, "the anchor", "hsm")
        .implied(ClaimName::DeviceVendor, "the anchor", "Thales")
        .attested(ClaimName::DeviceModel, "common name of the DAC", |p| p.model.clone())
        .attested(ClaimName::DeviceSerial, "PKC extension 1.3.6.1.4.1.12383.2.1", |p| {
            p.leaf.serial.map(|s| s.to_string())
        })
        .attested(ClaimName::DeviceFirmware, "PKC extension 1.3.6.1.4.1.12383.2.3", |p| p.leaf.firmware())
        .unknown(ClaimName::DeviceFipsMode, "HSM policy 12 is not in a PKC")
        .detail("ouid", "PKC subject: object id of the key, for `cmu list`", |p| p.leaf.ouid.clone())
        .detail("pkc_type", "the chain", |_| profile.name())
        .detail("firmware_word", "PKC extension 1.3.6.1.4.1.12383.2.3, as written", |p| {
            p.leaf.firmware_word()
        })
        .detail("hardware_word", "PKC extension 1.3.6.1.4.1.12383.2.4, meaning not published", |p| {
            p.leaf.hardware_word()
        })
        .detail("flags", "PKC extension 1.3.6.1.4.1.12383.2.5, meaning not published", |p| {
            p.leaf.flags.clone()
        })
        .finish();
    Attested::new(pkc, |p| Some(p.leaf.key.clone()), claims)
}
