//! Windows key attestation (AD CS): a certification request with a statement of the TPM about its key.
//!
//! ```text
//! PKCS#10 (alone, in a CMC message, or that again in a SCEP request)
//!   attribute ATTESTATION_STATEMENT   KAST ── KADS ── TPMS_ATTEST, signature, PCPM ── public area, policy branches
//!   attribute AIK_INFO or EK_INFO     encrypted to the exchange certificate of the CA
//! ```
//!
//! Source: Microsoft, MS-WCCE (Windows Client Certificate Enrollment Protocol), 2.2.2.7; MS-WCCE gives
//! ATTESTATION_STATEMENT the number 33, every request seen has 24: both are read.
//!
//! The statement itself is judged like every other: see the format `tpm`.

mod aik;
mod blob;
mod checks;
mod rules;

use der::Tag;
use der::asn1::ObjectIdentifier;
use serde_json::{Value, json};

use self::blob::{Fault, IdBinding, Kads, Kast, Pcpm};
use self::checks as ck;
use super::tpm::checks as tpm;
use super::tpm::gather::{Pool, Signature};
use super::tpm::statement::{AkStatement, Material, judge};
use super::tpm::switches::{OPTIONS as TPM_OPTIONS, Switches, pinned};
use super::tpm::{limits, view};
use super::{About, Context, Format, Proof, Statement};
use crate::checks::Checks;
use crate::input::{Content, PartId};
use crate::pki::CertificationRequest;
use crate::request::Request;
use crate::submission::{OptionDef, OptionKind};
use crate::wire::der::content;
use crate::wire::tpm::PublicArea;

/// The format.
pub(crate) struct TpmWindows;

const ID: &str = "tpm-windows";

static ABOUT: About = About {
    id: ID,
    title: "Windows TPM key attestation (AD CS)",
    maker: "Microsoft Windows, on the TPM of any maker",
    devices: "Windows 8.1 and later with a TPM 2.0: keys of the Microsoft Platform Crypto Provider, TPM virtual smart cards",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: OPTIONS,
    limits: &[
        limits::PASSWORD,
        limits::HOLDER,
        limits::PHYSICAL,
        limits::FIRMWARE,
        limits::TIME,
        "Freshness: the value that Windows puts into the statement is the same in all requests to one CA.",
        limits::RESTRICTED,
        "Anything that stands only in the headers of the blobs or in the request's other attributes: no TPM signs them.",
    ],
    docs: "docs/devices/tpm.md",
};

const OPTIONS: &[OptionDef] = &all_options();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn all_options() -> [OptionDef; TPM_OPTIONS.len() + 2] {
    let mut all = [OptionDef {
        name: "exchange_key",
        kind: OptionKind::File,
        about: "private key of the CA's exchange certificate (PKCS#8, PEM or DER): opens AIK_INFO and EK_INFO",
    }; TPM_OPTIONS.len() + 2];
    all[1] = OptionDef {
        name: "exchange_cert",
        kind: OptionKind::File,
        about: "the CA's exchange certificate (PEM or DER): only compared with the value in the statement",
    };
    let mut i = 0;
    while i < TPM_OPTIONS.len() {
        all[i + 2] = TPM_OPTIONS[i];
        i += 1;
    }
    all
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// Attributes of the request, below Microsoft's arc.
const STATEMENT: [ObjectIdentifier; 2] = [oid("1.3.6.1.4.1.311.21.24"), oid("1.3.6.1.4.1.311.21.33")];
const KSP_NAME: ObjectIdentifier = oid("1.3.6.1.4.1.311.21.25");
const EK_INFO: ObjectIdentifier = oid("1.3.6.1.4.1.311.21.23");
const AIK_INFO: ObjectIdentifier = oid("1.3.6.1.4.1.311.21.39");
const AIK_INFO_NAME: &str = "AIK_INFO";

impl Format for TpmWindows {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let found = find(cx);
        if found.is_empty() {
            return Vec::new();
        }
        let pool = Pool::of(cx);
        found.iter().map(|found| judge_blob(found, &pool, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        find(cx)
            .iter()
            .map(|found| json!({ "where": found.place, "statement": blob_view(found.blob) }))
            .collect()
    }
}

/// Whether there is a statement of this format: then certificates of TPMs beside it are its company.
pub(crate) fn recognises(cx: &Context<'_>) -> bool {
    !find(cx).is_empty()
}

/// A blob, and the request that it came in.
struct Found<'a> {
    part: PartId,
    place: String,
    blob: Result<&'a [u8], &'static str>,
    request: Option<&'a CertificationRequest>,
}

/// Statements in requests, and blobs beside them; the same blob only once.
fn find<'a>(cx: &Context<'a>) -> Vec<Found<'a>> {
    let mut all: Vec<Found<'a>> = Vec::new();
    for (part, at) in cx.parts.evidence() {
        match &at.content {
            Content::Request(request) => {
                for (oid, values) in request.attributes().filter(|(oid, _)| STATEMENT.contains(oid)) {
                    let blob = match values.as_slice() {
                        [only] => {
                            content(only, Tag::OctetString).ok_or("the attribute holds no OCTET STRING")
                        }
                        _ => Err("the attribute has not exactly one value"),
                    };
                    let place = format!("{} › attribute {oid}", at.place);
                    all.push(Found { part, place, blob, request: Some(request) });
                }
            }
            Content::Binary if is_blob(&at.bytes) => {
                all.push(Found { part, place: at.place.clone(), blob: Ok(&at.bytes), request: None });
            }
            _ => {}
        }
    }
    // Those in requests come with more.
    all.sort_by_key(|found| found.request.is_none());
    let mut seen: Vec<Result<&[u8], &str>> = Vec::new();
    all.retain(|found| {
        let new = !seen.contains(&found.blob) || found.blob.is_err();
        seen.push(found.blob);
        new
    });
    all
}

fn is_blob(bytes: &[u8]) -> bool {
    [Kast::MAGIC, Kads::MAGIC, Pcpm::MAGIC].into_iter().any(|magic| bytes.starts_with(magic))
}

/// The blobs, taken apart as far as they can be.
struct Parts<'a> {
    id_binding: Option<Result<IdBinding<'a>, String>>,
    kads: Option<Kads<'a>>,
    pcpm: Option<Pcpm<'a>>,
}

fn take_apart<'a>(
    blob: &'a [u8],
    mut note: impl FnMut(Result<&'static crate::checks::Check, Fault>),
) -> Parts<'a> {
    let mut parts = Parts { id_binding: None, kads: None, pcpm: None };
    let (mut attestation, mut key_blob) = (None, None);
    if blob.starts_with(Kads::MAGIC) {
        attestation = Some(blob);
    } else if blob.starts_with(Pcpm::MAGIC) {
        key_blob = Some(blob);
    } else {
        let kast = Kast::read(blob);
        note(kast.map(|_| &ck::KAST_HEADER));
        if let Ok(kast) = kast {
            attestation = Some(kast.key_attestation);
            parts.id_binding = (!kast.id_binding.is_empty()).then(|| IdBinding::read(kast.id_binding));
        }
    }
    if let Some(attestation) = attestation {
        let kads = Kads::read(attestation);
        note(kads.map(|_| &ck::KADS_HEADER));
        parts.kads = kads.ok();
        key_blob = kads.ok().map(|kads| kads.key_blob);
    }
    if let Some(key_blob) = key_blob {
        let pcpm = Pcpm::read(key_blob);
        note(pcpm.as_ref().map(|_| &ck::PCPM_HEADER).map_err(|fault| *fault));
        parts.pcpm = pcpm.ok();
    }
    parts
}

fn judge_blob(found: &Found<'_>, pool: &Pool<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = Statement {
        labels: vec![(found.part, "key attestation statement".into())],
        request: found.request.map(|request| carrier(found.part, request, cx)),
        ..Statement::default()
    };
    let checks = &mut statement.checks;
    let blob = match found.blob {
        Ok(blob) => blob,
        Err(why) => {
            checks.fail(&ck::KAST_HEADER, found.place.clone(), why);
            return statement;
        }
    };
    for (place, why) in &pool.spoilt {
        checks.fail(&tpm::MALFORMED, place.clone(), why.clone());
    }
    let parts = take_apart(blob, |read| match read {
        Ok(check) => checks.pass(check, found.place.clone(), "sizes and magic are in order"),
        Err(fault) => checks.fail(fault.check, found.place.clone(), fault.why),
    });
    let opened = open_attributes(found, cx, checks);
    rules::check_ksp_name(found.request, &found.place, checks);
    let public = public_areas(found, &parts, pool, checks);
    let Some(kads) = parts.kads else {
        if checks.clean() {
            let detail = "a key blob alone says nothing: the attestation and its signature are not there";
            checks.fail(&tpm::STATEMENT_MISSING, found.place.clone(), detail);
        }
        return statement;
    };
    let own = parts.pcpm.as_ref().and_then(|pcpm| PublicArea::read(pcpm.public).ok());
    rules::note_exchange_certificate(&kads, &found.place, cx, checks);
    let certificates: Vec<_> = pool.certificates.iter().cloned().chain(opened.certificates).collect();
    let (pinned, pin_fault) = match pinned(cx) {
        Some(Err(why)) => (None, Some(why)),
        other => (other.and_then(Result::ok), None),
    };
    if let Some(why) = pin_fault {
        checks.fail(&tpm::AK_UNKNOWN, "option ak_pinned", why);
    }
    let material = Material {
        format: super::tpm::ID,
        place: &found.place,
        attest: kads.attest,
        signature: Some(Signature::Bare { bytes: kads.signature, stated: None }),
        publics: public,
        creations: Vec::new(),
        certificates: &certificates,
        bare_keys: opened.aik.iter().map(|(place, key)| (place.as_str(), key.clone())).collect(),
        ak_statements: ak_statements(found, &parts),
        pinned,
        switches: Switches::of(cx.options),
        nonce: cx.nonce,
    };
    judge(&material, cx, &mut statement);
    if let (Some(pcpm), Some(own)) = (&parts.pcpm, own) {
        rules::check_policy(&pcpm.branches, &own, &found.place, &mut statement.checks);
    }
    statement
}

/// The outermost request around the statement: of a SCEP request around a CMC message, the SCEP request.
fn carrier(part: PartId, request: &CertificationRequest, cx: &Context<'_>) -> Request {
    let mut outermost = Request::carried(cx.parts.place(part), request);
    let mut next = cx.parts.get(part).and_then(|p| p.parent);
    while let Some((id, above)) = next.and_then(|id| Some((id, cx.parts.get(id)?))) {
        if let Content::Request(request) = &above.content {
            outermost = Request::carried(cx.parts.place(id), request);
        }
        next = above.parent;
    }
    outermost
}

fn open_attributes(found: &Found<'_>, cx: &Context<'_>, checks: &mut Checks) -> aik::Opened {
    let mut opened = aik::Opened::default();
    let key = aik::exchange_key(cx);
    for (oid, values) in found.request.iter().flat_map(|request| request.attributes()) {
        let name = match oid {
            AIK_INFO => AIK_INFO_NAME,
            EK_INFO => "EK_INFO",
            _ => continue,
        };
        for value in values {
            aik::open(name, value, &found.place, key.as_deref(), &mut opened, checks);
        }
    }
    opened
}

/// The key's public area, the attestation key's of idBinding, and whatever came along.
fn public_areas<'a>(
    found: &'a Found<'_>,
    parts: &Parts<'a>,
    pool: &'a Pool<'_>,
    checks: &mut Checks,
) -> Vec<(&'a str, PublicArea<'a>)> {
    let place = found.place.as_str();
    let mut all = Vec::new();
    let mut add = |what: &str, bytes| match PublicArea::read(bytes) {
        Ok(public) => all.push((place, public)),
        Err(fault) => checks.fail(&tpm::MALFORMED, place.to_owned(), format!("{what}: {fault}")),
    };
    if let Some(pcpm) = &parts.pcpm {
        add("key blob", pcpm.public);
    }
    match &parts.id_binding {
        Some(Ok(binding)) => add("idBinding", binding.public),
        Some(Err(why)) => checks.fail(&tpm::MALFORMED, place.to_owned(), why.clone()),
        None => {}
    }
    let beside = pool
        .publics
        .iter()
        .filter_map(|piece| Some((piece.place.as_str(), PublicArea::read(&piece.bytes).ok()?)));
    all.extend(beside);
    all
}

fn ak_statements<'a>(found: &'a Found<'_>, parts: &Parts<'a>) -> Vec<AkStatement<'a>> {
    let binding = parts.id_binding.as_ref().and_then(|binding| binding.as_ref().ok());
    binding
        .map(|binding| AkStatement {
            place: &found.place,
            attest: binding.attest,
            signature: Some(Signature::Structure(binding.signature)),
            creations: vec![binding.creation],
        })
        .into_iter()
        .collect()
}

fn blob_view(blob: Result<&[u8], &'static str>) -> Value {
    let blob = match blob {
        Ok(blob) => blob,
        Err(why) => return json!({ "fault": why }),
    };
    let mut faults = Vec::new();
    let parts = take_apart(blob, |read| {
        if let Err(fault) = read {
            faults.push(format!("{}: {}", fault.check.id, fault.why));
        }
    });
    let binding = parts.id_binding.as_ref().map(|binding| match binding {
        Ok(binding) => {
            json!({"public": view::public(binding.public), "attest": view::attest(binding.attest)})
        }
        Err(why) => json!({ "fault": why }),
    });
    json!({
        "faults": faults,
        "attest": parts.kads.map(|kads| view::attest(kads.attest)),
        "signature_bytes": parts.kads.map(|kads| kads.signature.len()),
        "public": parts.pcpm.as_ref().map(|pcpm| view::public(pcpm.public)),
        "policy_branches": parts.pcpm.map(|pcpm| pcpm.branches.iter().map(hex::encode).collect::<Vec<_>>()),
        "id_binding": binding,
    })
}
