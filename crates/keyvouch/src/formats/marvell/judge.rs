//! The judgement that all sources share: containers, layout, signature, the manufacturer's chain, the objects.

use super::chain::{self, Chosen, Trusted};
use super::checks as ck;
use super::found::{Blob, Found, Held};
use super::layout::{self, Fault, Layout};
use super::names::DeviceName;
use super::semantics::{self, Objects, Subject};
use crate::authentic::SignatureValid;
use crate::checks::{Check, Checks};
use crate::crypto::{Material, PublicKey};
use crate::formats::{Context, Statement};
use crate::pki::Certificate;
use crate::reference::anchors::Anchor;

/// What differs between the formats.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) id: &'static str,
    pub(super) device_class: &'static str,
    /// What the class follows from.
    pub(super) device_class_from: &'static str,
    // The same checks everywhere, each with advice that fits the source.
    pub(super) no_blob: &'static Check,
    pub(super) no_partition: &'static Check,
    pub(super) no_card: &'static Check,
}

/// The exponent of every partition key.
const EXPONENT: &[u8] = &[1, 0, 1];

/// How far the judgement came.
pub(super) struct Judged<'b> {
    pub(super) statement: Statement,
    pub(super) makers: Vec<&'b Anchor>,
    pub(super) chosen: Option<Chosen<'b>>,
    pub(super) trusted: Option<Trusted>,
    /// One per blob, all by the key of the chosen partition.
    pub(super) signed: Vec<SignatureValid<'b>>,
    pub(super) layout: Option<Layout>,
    /// As the blobs say, not authenticated: for checks only. Claims are read anew from authenticated bytes.
    pub(super) objects: Option<Objects<'b>>,
    pub(super) place: String,
}

/// Makes the checks that all sources share.
pub(super) fn judge<'b>(found: &'b Found<'b>, cx: &Context<'b>, profile: &'static Profile) -> Judged<'b> {
    let mut judged = Judged {
        statement: Statement::default(),
        makers: chain::makers(cx, profile.id),
        chosen: None,
        trusted: None,
        signed: Vec::new(),
        layout: None,
        objects: None,
        place: found.blobs.first().map_or("", |b| &b.place).to_owned(),
    };
    let checks = &mut judged.statement.checks;
    check_containers(found, checks);
    if !check_presence(found, profile, checks) {
        label(found, &mut judged.statement);
        return judged;
    }
    let one_key = check_count(found, checks);
    judged.layout = found.blobs.first().map(|b| b.layout);
    // Of several keys nothing can be said together.
    judged.objects = check_layout(found, checks).filter(|_| one_key);
    check_rest(found, judged.objects.as_ref(), checks);
    check_signature_and_chain(found, cx, profile, &mut judged);
    let checks = &mut judged.statement.checks;
    if let (Some(objects), Some(layout)) = (&judged.objects, judged.layout) {
        semantics::check(objects, layout, &judged.place, checks);
    }
    label(found, &mut judged.statement);
    judged
}

fn label(found: &Found<'_>, statement: &mut Statement) {
    for blob in &found.blobs {
        statement.labels.push((blob.part, format!("attestation ({})", blob.layout).into()));
    }
    for held in &found.named {
        let what = if held.name.is_partition() { "partition certificate" } else { "card certificate" };
        statement.labels.extend(held.part.map(|id| (id, what.into())));
    }
    statement.labels.extend(found.key_versions.iter().map(|(id, _)| (*id, "key version".into())));
    statement.labels.extend(found.answers.iter().map(|(id, _)| (*id, "answer of Azure".into())));
}

impl Judged<'_> {
    /// Whether the manufacturer issued a certificate: as the root of the chosen card, or any card or partition.
    pub(super) fn is_makers(&self, certificate: &Certificate) -> bool {
        let issuer = certificate.issuer();
        let of_chosen =
            self.chosen.and_then(|c| c.card).is_some_and(|card| card.certificate.issuer() == issuer);
        of_chosen
            || DeviceName::issuer(certificate).is_some()
            || self.makers.iter().any(|a| a.subject == issuer)
    }
}

fn check_containers(found: &Found<'_>, checks: &mut Checks) {
    for (place, why) in &found.faults {
        checks.fail(&ck::CONTAINER, place.clone(), why.clone());
    }
    if found.faults.is_empty() {
        checks.pass(&ck::CONTAINER, "", "every container can be opened");
    }
}

/// Whether there is a blob at all.
fn check_presence(found: &Found<'_>, profile: &Profile, checks: &mut Checks) -> bool {
    if let Some(blob) = found.blobs.first() {
        checks.pass(profile.no_blob, blob.place.clone(), "an attestation is there");
        return true;
    }
    for place in &found.unreadable {
        checks.fail(
            &ck::FORMAT,
            place.clone(),
            "its sizes fit no layout of an attestation; perhaps cut or extended",
        );
    }
    if !found.explains_absence() {
        let level = found.key_versions.iter().find_map(|(_, v)| v.protection_level);
        let detail = match level.filter(|level| !level.starts_with("HSM")) {
            Some(level) => {
                format!("a key of protection level {level}, which is in no HSM and has no attestation")
            }
            None if !found.answers.is_empty() => "a key of a pool, without its attestation".to_owned(),
            None => "only certificates: they say which kind of device, and nothing about a key".to_owned(),
        };
        checks.fail(profile.no_blob, "", detail);
    }
    false
}

/// What is neither attestation nor certificate. It does no harm beside a whole statement; but where only the public
/// half of a pair can be read, it may be what is left of the private half, and the statement is not whole.
fn check_rest(found: &Found<'_>, objects: Option<&Objects<'_>>, checks: &mut Checks) {
    let half = objects.is_some_and(|o| matches!(o.subject(), Subject::Public(_)));
    for place in &found.unreadable {
        if half {
            checks.fail(
                &ck::FORMAT,
                place.clone(),
                "cannot be read, and the private half of the pair is missing",
            );
        } else {
            checks.skip(&ck::FORMAT, place.clone(), "binary data that is no attestation; left out");
        }
    }
    for place in found.notes.iter().filter(|_| half) {
        checks.fail(
            &ck::FORMAT,
            place.clone(),
            "cannot be read, and the private half of the pair is missing",
        );
    }
}

/// One FW3 blob, or the FW2 blobs of one pair.
fn check_count(found: &Found<'_>, checks: &mut Checks) -> bool {
    let alone = found.blobs.iter().any(|b| b.layout != Layout::Fw2);
    let limit = if alone { 1 } else { 2 };
    checks.test(&ck::MIXED_BLOBS, "", found.blobs.len() <= limit, "the attestation of one key", || {
        format!("{} attestations: which key is meant?", found.blobs.len()).into()
    })
}

/// The layout checks, in the order in which reading makes them.
const READING: [&Check; 4] = [&ck::DEVICE_ERROR, &ck::LAYOUT, &ck::TLV, &ck::HANDLE];

fn check_layout<'b>(found: &'b Found<'_>, checks: &mut Checks) -> Option<Objects<'b>> {
    let mut objects = Vec::new();
    for blob in &found.blobs {
        let place = &blob.place;
        checks.pass(&ck::FORMAT, place.clone(), format!("sizes as in layout {}", blob.layout));
        if blob.layout == Layout::V1 {
            checks.fail(&ck::UNTESTED_LAYOUT, place.clone(), "an attestation in the layout of old firmware");
            continue;
        }
        let read = layout::split(&blob.bytes)
            .ok_or_else(|| Fault::layout("shorter than a signature"))
            .and_then(|(signed, _)| blob.layout.read(signed));
        let fault = read.as_ref().err().map(|f| f.check);
        let mut reached = true;
        for check in READING {
            if let (true, Err(fault)) = (fault == Some(check), &read) {
                checks.fail(check, place.clone(), fault.detail.clone());
                reached = false;
            } else if !reached {
                checks.skip(check, place.clone(), "not read so far");
            } else if check == &ck::DEVICE_ERROR && blob.layout == Layout::Fw2 {
                checks.skip(check, place.clone(), "this layout has no response code");
            } else {
                checks.pass(check, place.clone(), check.about);
            }
        }
        objects.push(read.ok()?);
    }
    if found.blobs.iter().any(|b| b.layout == Layout::V1) {
        return None;
    }
    match Objects::new(objects.concat()) {
        Ok(objects) => Some(objects),
        Err(fault) => {
            checks.fail(fault.check, "", fault.detail);
            None
        }
    }
}

fn check_signature_and_chain<'b>(
    found: &'b Found<'b>,
    cx: &Context<'b>,
    profile: &'static Profile,
    judged: &mut Judged<'b>,
) {
    let checks = &mut judged.statement.checks;
    let place = &judged.place;
    let partitions = chain::partitions(found, &judged.makers);
    if partitions.is_empty() {
        let detail = if found.named.is_empty() {
            "no certificate of a card or partition is there: nobody can say whose attestation this is"
        } else {
            "no partition certificate of the manufacturer is there"
        };
        checks.fail(profile.no_partition, place.clone(), detail);
        checks.skip(&ck::SIGNATURE, place.clone(), "no partition certificate to verify it with");
        checks.skip(&ck::MANUFACTURER_CHAIN, place.clone(), "no partition certificate");
        return;
    }
    checks.pass(profile.no_partition, place.clone(), "a partition certificate is there");
    let Some((signers, signed)) = check_signature(found, &partitions, checks) else {
        checks.skip(
            &ck::MANUFACTURER_CHAIN,
            place.clone(),
            "no partition to judge: none signed the attestation",
        );
        return;
    };
    let Some(chosen) = chain::choose(found, &signers, &judged.makers, cx) else { return };
    check_partition_key(chosen.partition.certificate, place, checks);
    judged.trusted = chain::check(&chosen, &judged.makers, profile.no_card, cx, checks);
    if !chosen.partition.name.fips {
        checks.warn(
            &ck::NOT_FIPS_MODE,
            place.clone(),
            "the names of card and partition say: for non-FIPS mode",
        );
    } else {
        checks.pass(&ck::NOT_FIPS_MODE, place.clone(), "the names of card and partition say: for FIPS mode");
    }
    let certificates = &mut judged.statement.certificates;
    certificates.push(chosen.partition.certificate.clone());
    certificates.extend(chosen.card.map(|c| c.certificate.clone()));
    judged.signed = signed;
    judged.chosen = Some(chosen);
}

/// Partition certificates whose key signed every blob, and the signatures.
fn check_signature<'b>(
    found: &'b Found<'b>,
    partitions: &[Held<'b>],
    checks: &mut Checks,
) -> Option<(Vec<Held<'b>>, Vec<SignatureValid<'b>>)> {
    let mut signers = Vec::new();
    let mut signatures = None;
    // Which blobs anybody signed: to tell two partitions from a wrong signature.
    let mut signed_by_some = vec![false; found.blobs.len()];
    for partition in partitions {
        let Ok(key) = partition.certificate.key() else { continue };
        let verified: Vec<Option<SignatureValid<'b>>> =
            found.blobs.iter().map(|blob| verify(key, blob)).collect();
        for (some, by_this) in signed_by_some.iter_mut().zip(&verified) {
            *some |= by_this.is_some();
        }
        if let Some(all) = verified.into_iter().collect::<Option<Vec<_>>>() {
            signers.push(*partition);
            signatures.get_or_insert(all);
        }
    }
    if let Some(signatures) = signatures {
        for blob in &found.blobs {
            let scheme = blob.layout.scheme();
            checks.pass(&ck::SIGNATURE, blob.place.clone(), format!("signed by the partition key, {scheme}"));
        }
        return Some((signers, signatures));
    }
    for (blob, signed) in found.blobs.iter().zip(&signed_by_some) {
        let place = blob.place.clone();
        checks.test(&ck::SIGNATURE, place, *signed, "signed by the key of a partition", || {
            "no partition whose certificate is there signed it, or it was changed after signing".into()
        });
    }
    if signed_by_some.iter().all(|signed| *signed) {
        checks.fail(&ck::MIXED_BLOBS, "", "the halves were signed by different partitions");
    }
    None
}

/// The signature over the bytes received. Keys of another kind or size make no signatures here.
fn verify<'b>(key: &PublicKey, blob: &'b Blob<'_>) -> Option<SignatureValid<'b>> {
    let bits = layout::SIGNATURE.saturating_mul(8);
    if key.rsa_bits() != Some(bits) {
        return None;
    }
    let (signed, signature) = layout::split(&blob.bytes)?;
    key.verify(blob.layout.scheme(), signed, signature).ok()
}

fn check_partition_key(partition: &Certificate, place: &str, checks: &mut Checks) {
    let exponent = partition.key().ok().and_then(|key| match key.material() {
        Material::Rsa { e, .. } => Some(e.clone()),
        _ => None,
    });
    checks.test(
        &ck::PARTITION_KEY,
        place.to_owned(),
        exponent.as_deref() == Some(EXPONENT),
        "RSA-2048 with exponent 65537",
        || "the exponent is not 65537: such keys are easy to forge for".into(),
    );
}
