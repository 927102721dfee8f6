//! Devices without attestation: a plain answer instead of "not recognised".
//!
//! Many tokens and HSMs sign nothing about their keys that a third party could verify. When no other format finds
//! anything, this one looks whether the files come from such a device, or whether the subscriber says that the key
//! is in one (option `declared_device`), and tells which ways are left. What is known of such devices is data
//! (`data/devices/without-attestation.toml`), to which operators can add.
//!
//! Nothing is ever authentic here, and nothing is claimed: what a subscriber declares decides only which advice is
//! given.

mod checks;

use serde_json::{Value, json};

use self::checks as ck;
use super::{About, Context, Format, Proof, Statement};
use crate::checks::OnFail;
use crate::input::{Content, Part, PartId};
use crate::pki::{Certificate, CertificationRequest};
use crate::reference::unattested::{Confidence, Unattested, contains, words};

/// The format.
pub(crate) struct WithoutAttestation;

const ID: &str = "without-attestation";

static ABOUT: About = About {
    id: ID,
    title: "Devices without attestation",
    maker: "several",
    devices: "those of data/devices/without-attestation.toml: tokens, HSMs and services that sign no statement about their keys",
    proof: Proof::NoEvidence,
    checks: ck::ALL,
    options: &[],
    limits: &[
        "That the key is in any hardware: what a subscriber declares, documents, screenshots and answers of an API are not signed by a device. They are for a person to judge.",
    ],
    docs: "docs/devices/without-attestation.md",
};

/// More of a declared name is not repeated in a report.
const MAX_DECLARED: usize = 100;

impl Format for WithoutAttestation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn is_last_resort(&self) -> bool {
        true
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let mut statement = Statement::default();
        for (id, device) in recognised(cx) {
            statement.labels.push((id, format!("of {}", device.name).into()));
            if let Some(Content::Certificate(certificate)) = cx.parts.get(id).map(|part| &part.content) {
                statement.certificates.push(certificate.clone());
            }
            not_attestable(device, cx.parts.place(id), &mut statement);
        }
        if let Some(declared) = cx.options.text("declared_device") {
            judge_declared(declared, cx, &mut statement);
        }
        let answered = !statement.checks.clean();
        for (id, kind) in documents(cx) {
            statement.labels.push((id, kind.into()));
            let place = cx.parts.place(id).to_owned();
            let detail = format!("{kind}: for a person to judge, not for a verifier");
            if answered {
                statement.checks.info(&ck::DOCUMENT, place, detail);
            } else {
                statement.checks.fail(&ck::DOCUMENT, place, detail);
            }
        }
        if statement.checks.clean() { Vec::new() } else { vec![statement] }
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let view = |(id, device): (PartId, &Unattested)| json!({ "where": cx.parts.place(id), "is_of": device.name, "instead_of_attestation": device.exists });
        recognised(cx).into_iter().map(view).collect()
    }
}

/// What tells by its names or extensions that it is of a device without attestation.
fn recognised<'a>(cx: &Context<'a>) -> Vec<(PartId, &'a Unattested)> {
    let kind = |part: &Part<'_>| match &part.content {
        Content::Certificate(certificate) => {
            cx.reference.unattested.iter().find(|device| made(device, certificate))
        }
        Content::Request(request) => cx.reference.unattested.iter().find(|device| carried(device, request)),
        _ => None,
    };
    cx.parts.evidence().filter_map(|(id, part)| Some((id, kind(part)?))).collect()
}

fn made(device: &Unattested, certificate: &Certificate) -> bool {
    let names = [certificate.common_name(), certificate.issuer_common_name()];
    names.into_iter().flatten().any(|name| device.has_common_name(name))
        || certificate.extensions().any(|extension| device.has_extension(extension.oid))
}

fn carried(device: &Unattested, request: &CertificationRequest) -> bool {
    request.requested_extensions().into_iter().any(|(oid, _)| device.has_extension(oid))
        || request.attributes().into_iter().any(|(oid, _)| device.has_extension(oid))
}

/// The answer for a device that is known to have no attestation.
fn not_attestable(device: &Unattested, place: &str, statement: &mut Statement) {
    let certainty = match device.confidence {
        Confidence::Documented => "there is no attestation of its keys",
        Confidence::NothingFound => "no attestation of its keys is known",
    };
    let detail = format!("{}: {certainty}. {}", device.name, device.exists);
    let more = device.ways_left().into_iter().chain(device.to_do());
    let advice = std::iter::once(device.advice.clone()).chain(more).collect::<Vec<_>>().join(" ");
    statement.checks.fail_as(&ck::NO_FORMAT, OnFail::NotAttestable, place.to_owned(), detail, advice);
}

/// The answer for the device that the subscriber declares.
fn judge_declared(declared: &str, cx: &Context<'_>, statement: &mut Statement) {
    const PLACE: &str = "declared device";
    if let Some(device) = cx.reference.unattested.called(declared) {
        return not_attestable(device, PLACE, statement);
    }
    let shown: String = declared.chars().filter(|c| !c.is_control()).take(MAX_DECLARED).collect();
    let formats: Vec<&About> = super::about().filter(|about| is_of(declared, about)).collect();
    if formats.is_empty() {
        let detail = format!("nothing is known of a device called {shown:?}");
        statement.checks.fail(&ck::DECLARED_UNKNOWN, PLACE, detail);
        return;
    }
    let list = |field: fn(&About) -> &'static str| {
        formats.iter().map(|about| field(about)).collect::<Vec<_>>().join(", ")
    };
    let detail = format!("{shown:?} may be a device that attests: {}", list(|about| about.title));
    let advice = format!("{} See {}.", ck::DECLARED_ATTESTS.advice, list(|about| about.docs));
    statement.checks.fail_as(&ck::DECLARED_ATTESTS, OnFail::Undecided, PLACE, detail, advice);
}

/// Whether the words may mean a device of the format: they have its maker, or what its title begins with.
fn is_of(declared: &str, about: &About) -> bool {
    let declared = words(declared);
    let maker = about.maker.split(['(', ',']).next().unwrap_or_default();
    let title: Vec<String> = words(about.title).into_iter().take(1).collect();
    // A provider's word is none of the device's.
    let attests = about.id != ID && about.proof != Proof::ProviderStatement;
    attests && (contains(&declared, &words(maker)) || contains(&declared, &title))
}

/// Files that people make to show what a device is.
fn documents(cx: &Context<'_>) -> Vec<(PartId, &'static str)> {
    const KINDS: [(&[u8], &str); 4] = [
        (b"%PDF-", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"\xff\xd8\xff", "a picture (JPEG)"),
        (b"GIF8", "a picture (GIF)"),
    ];
    let kind = |part: &Part<'_>| {
        let known = matches!(part.content, Content::Binary);
        KINDS.iter().find(|(start, _)| known && part.bytes.starts_with(start)).map(|(_, kind)| *kind)
    };
    cx.parts.evidence().filter_map(|(id, part)| Some((id, kind(part)?))).collect()
}
