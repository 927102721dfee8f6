//! The model of the authenticator in the metadata: which it is, what was reported of it, how it keeps its keys.

use std::borrow::Cow;

use super::super::Context;
use super::checks as ck;
use super::claims::{Kind, Protection};
use crate::checks::Checks;
use crate::crypto::{Material, PublicKey};
use crate::reference::anchors::Anchor;
use crate::reference::fido::{Metadata, Model};

/// The metadata of a submission.
pub(super) struct Ledger<'a> {
    metadata: Cow<'a, Metadata>,
    /// Whether the operator's BLOB could not be used.
    broken: bool,
}

impl<'a> Ledger<'a> {
    /// The operator's BLOB where he names one, else the built-in index; with the checks of its signature and age.
    pub(super) fn open(cx: &Context<'a>, checks: &mut Checks) -> Self {
        const PLACE: &str = "option metadata";
        let metadata = match cx.options.file("metadata") {
            None => Cow::Borrowed(&cx.reference.fido),
            Some(blob) => {
                match Metadata::from_blob(blob, cx.options.file("metadata_roots"), cx.reference, cx.at) {
                    Ok(metadata) => {
                        let detail = format!("{} is signed", metadata.source);
                        checks.pass(&ck::MDS_SIGNATURE, PLACE, detail);
                        Cow::Owned(metadata)
                    }
                    Err(error) => {
                        checks.fail(&ck::MDS_SIGNATURE, PLACE, error.to_string());
                        return Self { metadata: Cow::Owned(Metadata::default()), broken: true };
                    }
                }
            }
        };
        check_age(&metadata, cx, checks);
        Self { metadata, broken: false }
    }

    /// The model of a statement. A U2F statement does not cover the AAGUID: its model is known by the key of its
    /// attestation certificate.
    pub(super) fn model(&self, aaguid: &[u8; 16]) -> Option<&Model> {
        self.metadata.by_aaguid(aaguid)
    }

    pub(super) fn u2f_model(&self, key_identifier: Option<[u8; 20]>) -> Option<&Model> {
        self.metadata.by_key_identifier(&key_identifier?)
    }

    pub(super) fn anchors_of(&self, model: &Model) -> Vec<Anchor> {
        self.metadata.anchors_of(model)
    }

    /// Makes the checks of the model, once it is known to whom the attestation key belongs.
    pub(super) fn check(
        &self,
        model: Option<&Model>,
        kind: Kind,
        key: Option<&PublicKey>,
        place: &str,
        checks: &mut Checks,
    ) {
        let place = || place.to_owned();
        let isolating = matches!(kind, Kind::Packed | Kind::U2f);
        let Some(model) = model else {
            if self.broken {
                checks.skip(&ck::MODEL_UNKNOWN, place(), "the metadata could not be read");
                return;
            }
            checks.warn(&ck::MODEL_UNKNOWN, place(), "the metadata do not know this model");
            if isolating {
                let detail = "the metadata do not know this model: nothing says how it keeps its keys";
                checks.fail(&ck::KEY_PROTECTION, place(), detail);
            }
            return;
        };
        checks.pass(&ck::MODEL_UNKNOWN, place(), model.description.clone());
        check_reports(model, key, &place(), checks);
        if isolating {
            let says = model.key_protection.join(", ");
            let kept = Protection::of(model) == Protection::Kept;
            checks.test(&ck::KEY_PROTECTION, place(), kept, format!("keys are kept in {says}"), || {
                format!("the metadata say of this model's keys only: {says}").into()
            });
        }
    }
}

/// Whether the model attests in one of these ways, as the metadata say.
pub(super) fn attests(model: &Model, types: &[&str]) -> bool {
    model.attestation.iter().any(|t| types.contains(&t.as_str()))
}

fn check_age(metadata: &Metadata, cx: &Context<'_>, checks: &mut Checks) {
    const PLACE: &str = "metadata";
    let Some(next) = metadata.next_update else { return };
    if cx.at <= next.last_second() {
        checks.pass(&ck::MDS_STALE, PLACE, format!("{}, next due {next}", metadata.source));
        return;
    }
    let days = cx.at.unix().saturating_sub(next.last_second().unix()).max(0) / 86_400;
    let detail = format!("{}: the next was due {next}, {days} days ago", metadata.source);
    let limit = cx.options.number("metadata_max_stale");
    if limit.is_some_and(|limit| u64::try_from(days).is_ok_and(|days| days > limit)) {
        checks.fail(&ck::MDS_STALE, PLACE, detail);
    } else {
        checks.warn(&ck::MDS_STALE, PLACE, detail);
    }
}

/// Reports against the model count whenever they were made and whatever version they name: what is known now of a
/// compromise is not to be forgotten because the statement is older.
fn check_reports(model: &Model, key: Option<&PublicKey>, place: &str, checks: &mut Checks) {
    let place = || place.to_owned();
    let mut reports: Vec<_> = model.reports.iter().collect();
    reports.sort_by_key(|report| report.from);
    let mut revoked = Vec::new();
    let mut compromised = Vec::new();
    let mut update = None;
    for report in reports {
        let since = report.from.map_or_else(String::new, |from| format!(" since {from}"));
        let named = format!("{}{since}", report.status);
        // A report that names one attestation key is about statements of that key.
        let concerned = report.certificate_key.is_none_or(|of| key.is_none_or(|key| key.spki_sha256() == of));
        match report.status.as_str() {
            "REVOKED" | "ATTESTATION_KEY_COMPROMISE" if concerned => revoked.push(named),
            "USER_VERIFICATION_BYPASS" | "USER_KEY_REMOTE_COMPROMISE" | "USER_KEY_PHYSICAL_COMPROMISE" => {
                compromised.push(named);
            }
            "UPDATE_AVAILABLE" => update = Some(named),
            _ => {}
        }
    }
    checks.test(&ck::MODEL_REVOKED, place(), revoked.is_empty(), "not revoked", || {
        format!("{}: {}", model.description, revoked.join(", ")).into()
    });
    if !compromised.is_empty() {
        let detail = format!("{}: {}", model.description, compromised.join(", "));
        checks.fail(&ck::MODEL_COMPROMISED, place(), detail);
    } else if let Some(update) = update {
        let detail = format!("{}: {update}; the device may lack it", model.description);
        checks.warn(&ck::MODEL_COMPROMISED, place(), detail);
    } else {
        checks.pass(&ck::MODEL_COMPROMISED, place(), "no compromise reported");
    }
}

/// The highest level that the model was certified for at the time, of the versions that the device has.
pub(super) fn certification_level(
    model: &Model,
    firmware: Option<[u8; 3]>,
    cx: &Context<'_>,
) -> Option<String> {
    // Yubico numbers a version as ten thousands, hundreds and ones.
    let version = firmware.map(|[major, minor, patch]| {
        u64::from(major)
            .saturating_mul(10_000)
            .saturating_add(u64::from(minor).saturating_mul(100))
            .saturating_add(u64::from(patch))
    });
    let counts = |from: Option<crate::reference::Date>, of: Option<u64>| {
        from.is_none_or(|from| from.first_second() <= cx.at)
            && of.is_none_or(|of| version.is_none_or(|version| of <= version))
    };
    let levels = model.reports.iter().filter(|report| counts(report.from, report.version));
    let mut levels: Vec<&str> =
        levels.filter_map(|report| report.status.strip_prefix("FIDO_CERTIFIED_")).collect();
    levels.sort_unstable();
    levels.last().map(|level| (*level).to_owned())
}

/// EUCLEAK: Yubico's devices before firmware 5.7.0, of those that state one.
pub(super) fn check_eucleak(key: &PublicKey, firmware: Option<[u8; 3]>, place: &str, checks: &mut Checks) {
    let Some(firmware) = firmware else { return };
    if !matches!(key.material(), Material::Ec { .. }) {
        return;
    }
    let [major, minor, patch] = firmware;
    let place = place.to_owned();
    if firmware < [5, 7, 0] {
        let detail = format!(
            "an ECDSA key of a Yubico device with firmware {major}.{minor}.{patch}: whoever opens the device can extract it"
        );
        checks.warn(&ck::EUCLEAK, place, detail);
    } else {
        checks.pass(&ck::EUCLEAK, place, format!("firmware {major}.{minor}.{patch}"));
    }
}
