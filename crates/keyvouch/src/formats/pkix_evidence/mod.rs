//! PKIX Evidence: the vendor-neutral statement of hardware security modules about their keys
//! (draft-ietf-rats-pkix-key-attestation, "Evidence Encoding for Hardware Security Modules").
//!
//! ```text
//! Evidence = TbsEvidence (transaction, platform, keys), any number of signatures over it, certificates
//! ```
//!
//! What it proves hangs on the anchor: whoever issued the attestation key's certificate vouches that this key signs
//! nothing but evidence that the module made. No root is built in, and the format's object identifiers are not
//! assigned yet; until they are, everything is under placeholders, which are for tests.
//!
//! Signatures are detachable: nothing says how many there must be. One that is trusted is needed, none of a trusted
//! signer may be wrong, and nothing is concluded from the rest.

mod checks;
mod claims;
mod elements;
mod envelope;
mod oids;
mod signer;
mod trust;
mod value;
mod view;

use serde_json::Value;

use self::checks as ck;
use self::claims::Facts;
use self::elements::{Claims, Contents, Reading, key, transaction};
use self::envelope::{Envelope, looks_like_evidence};
use self::oids::Arc;
use self::signer::{Judged, Signed};
use super::{About, Context, Format, Proof, Statement};
use crate::appraisal::Freshness;
use crate::authentic::Authentic;
use crate::checks::Checks;
use crate::input::{Content, Part, PartId};
use crate::request::{CSR_KEY_MISMATCH, Request};
use crate::submission::{OptionDef, OptionKind};
use crate::verifier::NONCE_MISMATCH;

/// The format.
pub(crate) struct PkixEvidence;

const ID: &str = "pkix-evidence";

/// PEM label of the sample data.
const LABEL: &str = "evidence ";

static ABOUT: About = About {
    id: ID,
    title: "PKIX Evidence for hardware security modules",
    maker: "any (IETF RATS)",
    devices: "none known to ship it yet; read on the sample data of the drafts",
    proof: Proof::EmulatedOnly,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "accept_placeholder_oids",
            kind: OptionKind::Bool,
            about: "for tests: accept the placeholder identifiers of drafts and sample data (default false)",
        },
        OptionDef {
            name: "ak_eku",
            kind: OptionKind::List,
            about: "extended key usages of attestation keys that count besides id-kp-attestationKey (object identifiers)",
        },
        OptionDef {
            name: "evidence_arc",
            kind: OptionKind::Text,
            about: "object identifier that stands for id-evidence, when it is assigned or a maker uses his own",
        },
    ],
    limits: &[
        "That the subscriber holds the key: the format has no proof of possession. Only a request signed with it proves that.",
        "Anything that is not claimed: an absent claim means nothing, neither yes nor no.",
        "Whether the maker's own backup or cloning can copy the key: extractable and never-extractable speak of PKCS#11 alone.",
        "That the module tells the truth: that rests on whoever certified the attestation key for signing evidence only.",
        "When the evidence was made: the timestamp is the module's own clock. Only a nonce proves that it is fresh.",
        "That the module is certified: fipsboot, fipsver and fipslevel say how it runs, not that a laboratory examined it.",
    ],
    docs: "docs/devices/pkix-evidence.md",
};

impl Format for PkixEvidence {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let arcs = Arc::known(cx.options);
        let found = Found::all(cx, &arcs);
        // With a request, the evidence that speaks of its key; else each of them.
        let requested: Vec<&Found<'_>> = found.iter().filter(|f| f.speaks_of_request(cx, &arcs)).collect();
        let judged = if requested.is_empty() { found.iter().collect() } else { requested };
        judged.into_iter().map(|f| judge(f, &arcs, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let arcs = Arc::known(cx.options);
        Found::all(cx, &arcs)
            .iter()
            .map(|f| view::of(cx.parts.place(f.id), f.envelope.as_ref(), &arcs))
            .collect()
    }
}

/// Evidence among the files, or what was to be some.
struct Found<'a> {
    id: PartId,
    envelope: Result<Envelope<'a>, String>,
}

impl<'a> Found<'a> {
    /// Each once, however often it was handed in.
    fn all(cx: &Context<'a>, arcs: &[Arc]) -> Vec<Self> {
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut found = Vec::new();
        for (id, part) in cx.parts.evidence() {
            let bytes: &[u8] = &part.bytes;
            let announced = is_labelled(part, cx);
            let unclaimed = matches!(part.content, Content::Der | Content::Binary);
            if (announced || (unclaimed && looks_like_evidence(bytes, arcs))) && !seen.contains(&bytes) {
                seen.push(bytes);
                found.push(Self { id, envelope: Envelope::read(bytes) });
            }
        }
        found
    }

    fn speaks_of_request(&self, cx: &Context<'_>, arcs: &[Arc]) -> bool {
        let contents = self.envelope.as_ref().ok().and_then(|e| elements::read(e.tbs, arcs).contents.ok());
        contents.zip(cx.request).is_some_and(|(contents, request)| !holding(&contents, request).is_empty())
    }
}

/// Whether the part is a PEM block labelled EVIDENCE.
fn is_labelled(part: &Part<'_>, cx: &Context<'_>) -> bool {
    let in_pem =
        part.parent.and_then(|id| cx.parts.get(id)).is_some_and(|p| matches!(p.content, Content::Pem));
    let number = part.name.strip_prefix(LABEL);
    in_pem && number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

/// The key elements that hold the request's key, by place.
fn holding(contents: &Contents, request: &Request) -> Vec<usize> {
    let holds = |claims: &Claims| claims.keys(key::SPKI).any(|k| k == request.key());
    contents.keys.iter().enumerate().filter(|(_, claims)| holds(claims)).map(|(index, _)| index).collect()
}

/// Judges one piece of Evidence.
fn judge(found: &Found<'_>, arcs: &[Arc], cx: &Context<'_>) -> Statement {
    let mut statement = Statement { labels: vec![(found.id, "evidence".into())], ..Statement::default() };
    let place = cx.parts.place(found.id);
    let checks = &mut statement.checks;
    let envelope = match &found.envelope {
        Ok(envelope) => envelope,
        Err(fault) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), fault.clone());
            return statement;
        }
    };
    let Reading { arc, contents } = elements::read(envelope.tbs, arcs);
    match &contents {
        Ok(_) => checks.pass(&ck::MALFORMED, place.to_owned(), "the structure is that of the draft"),
        Err(faults) => {
            faults.iter().for_each(|fault| checks.fail(&ck::MALFORMED, place.to_owned(), fault.clone()));
        }
    }
    check_arc(arc, place, cx, checks);
    let signers: Vec<Judged<'_>> = envelope.blocks.iter().map(|b| signer::judge(envelope, b, cx)).collect();
    let signed = check_signatures(&signers, place, checks);
    statement.certificates.extend(signers.iter().flat_map(|s| s.certificates.iter().cloned()));
    let Ok(contents) = contents else { return statement };
    check_attestation_keys(&contents, &signers, place, checks);
    statement.freshness = check_nonce(&contents, place, cx, checks);
    let stands = checks.worst().is_none_or(|worst| worst == crate::checks::OnFail::Unfit);
    let (Some(signed), true) = (signed, stands) else {
        // Bytes that nobody authenticated answer no nonce.
        statement.freshness = statement.freshness.filter(|f| *f != Freshness::NonceMatched);
        return statement;
    };
    let selected = select(&contents, place, cx, checks);
    let facts = signed.parse(|(tbs, signer)| {
        elements::read(tbs, arcs).contents.map(|contents| Facts::new(contents, selected, signer))
    });
    statement.attested = facts.ok().map(|facts| claims::attest(&facts));
    statement
}

fn check_arc(arc: Option<Arc>, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    match arc {
        Some(arc) if arc.placeholder && !cx.options.is_on("accept_placeholder_oids") => {
            checks.fail(
                &ck::PLACEHOLDER_OIDS,
                place.to_owned(),
                format!("the identifiers are under {arc}, a placeholder"),
            );
        }
        Some(arc) => {
            checks.pass(&ck::PLACEHOLDER_OIDS, place.to_owned(), format!("the identifiers are under {arc}"))
        }
        None => checks.skip(&ck::PLACEHOLDER_OIDS, place.to_owned(), "no identifier of the format was found"),
    }
}

/// Reports what each signature came to, and returns what the first trusted one authenticates.
fn check_signatures<'a>(
    signers: &[Judged<'a>],
    place: &str,
    checks: &mut Checks,
) -> Option<Authentic<Signed<'a>>> {
    if !checks.test(&ck::UNSIGNED, place.to_owned(), !signers.is_empty(), "the evidence is signed", || {
        "there is no signature".into()
    }) {
        return None;
    }
    let trusted = signers.iter().find_map(|s| s.authentic.as_ref());
    for (number, signer) in (1_usize..).zip(signers) {
        let place = format!("{place}, signature {number}");
        if trusted.is_some() && signer.is_only_unknown() {
            let detail = format!("the signature of {} is good, and nobody vouches for it", signer.name);
            checks.warn(&ck::EXTRA_SIGNATURE, place, detail);
            continue;
        }
        for (check, detail) in &signer.faults {
            checks.fail(check, place.clone(), format!("{}: {detail}", signer.name));
        }
        if signer.authentic.is_some() {
            let name = &signer.name;
            checks.pass(&ck::SIGNATURE_INVALID, place.clone(), format!("the signature of {name} verifies"));
            checks.pass(&ck::ANCHOR_UNKNOWN, place, format!("an anchor vouches for {name}"));
        }
    }
    trusted.cloned()
}

/// The signed claims may name the attestation keys, so that a signature cannot be exchanged for another's.
fn check_attestation_keys(contents: &Contents, signers: &[Judged<'_>], place: &str, checks: &mut Checks) {
    let claims = contents.transaction.as_ref();
    let named: Vec<_> = claims.into_iter().flat_map(|c| c.keys(transaction::AK_SPKI)).collect();
    if named.is_empty() {
        checks.skip(&ck::AK_SPKI_MISMATCH, place.to_owned(), "the evidence names no attestation key");
        return;
    }
    let stranger = signers.iter().find(|s| s.key.as_ref().is_some_and(|key| !named.contains(&key)));
    checks.test(
        &ck::AK_SPKI_MISMATCH,
        place.to_owned(),
        stranger.is_none(),
        "every signer is an attestation key that the evidence names",
        || {
            format!("the evidence names other attestation keys than {}", stranger.map_or("", |s| &s.name))
                .into()
        },
    );
}

fn check_nonce(contents: &Contents, place: &str, cx: &Context<'_>, checks: &mut Checks) -> Option<Freshness> {
    let wanted = cx.nonce?;
    let place = place.to_owned();
    match contents.transaction.as_ref().and_then(|c| c.octets(transaction::NONCE)) {
        Some(given) if given == wanted => {
            checks.pass(&NONCE_MISMATCH, place, "the transaction has the nonce");
            Some(Freshness::NonceMatched)
        }
        Some(given) => {
            let detail = format!("the transaction has another nonce: {}", hex::encode(given));
            checks.fail(&NONCE_MISMATCH, place, detail);
            Some(Freshness::NonceMismatch)
        }
        None => {
            checks.fail(&ck::NONCE_MISSING, place, "the evidence has no transaction element with a nonce");
            Some(Freshness::NoNonceInEvidence)
        }
    }
}

/// The key element that the claims are about: with a request, the only one that holds its key; else the only one.
fn select(contents: &Contents, place: &str, cx: &Context<'_>, checks: &mut Checks) -> Option<usize> {
    let Some(request) = cx.request else { return (contents.keys.len() == 1).then_some(0) };
    match holding(contents, request).as_slice() {
        [only] => Some(*only),
        several => {
            let detail = match (several.len(), contents.keys.len()) {
                (0, 0) => "the evidence speaks of no key".to_owned(),
                (0, keys) => format!("none of the {keys} key(s) in the evidence is the request's"),
                (same, _) => {
                    format!("{same} key elements hold the request's key: which one is meant is not said")
                }
            };
            checks.fail(&CSR_KEY_MISMATCH, place.to_owned(), detail);
            None
        }
    }
}
