//! nShield key attestation: the bundle that `nfkmattest` makes for a key that an Entrust nShield module generated.
//!
//! ```text
//! KWARN-1 → warrant (delegation, module) → KLF2 → module state → KML  → key generation certificate → key and its list
//!                                                    └─ hash of KNSO → KNSO → keys of the Security World
//! ```
//!
//! None of it is X.509: the warrant is D3S, everything else is marshalled as nCore commands are, and keys are named
//! by their hashes. The access control list that the key got when it was made is an upper bound of what can ever be
//! done with it; [`exposure`] reads from it whether the key can leave. Sources: Entrust, nShield application notes
//! "Key Attestation Format", "Wire format", "Warrants", "nCore key hash", "Dynamically Defined Data Structures".
//!
//! What is not confirmed by Entrust's documents or by real bundles is refused, as `undecided` where nothing is known
//! to be wrong: other key types and curves, unknown actions, limits, flags and permissions.

mod acl;
mod bundle;
mod checks;
mod claims;
mod curves;
mod exposure;
mod keygen;
mod keys;
mod state;
mod view;
mod warrant;
mod world;

use serde_json::{Map, Value};

use self::acl::AclFault;
use self::bundle::Bundle;
use self::checks as ck;
use self::keys::{KeyData, KeyFault};
use super::{About, Context, Format, Proof, Statement};
use crate::checks::{Check, Checks};
use crate::input::{Content, PartId};
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct Nshield;

const ID: &str = "nshield";

static ABOUT: About = About {
    id: ID,
    title: "nShield key attestation bundle",
    maker: "Entrust",
    devices: "nShield Solo, Connect, Edge, 5s, 5c with a KLF2 warrant",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "allow_field_upgrade_warrant",
            kind: OptionKind::Bool,
            about: "accept modules that got their long-term key by a field upgrade, on the word of a DSA-1024 key (default true)",
        },
        OptionDef {
            name: "accept_recoverable",
            kind: OptionKind::Bool,
            about: "take a quorum of the Administrator Card Set for part of the device: a key that only it can take out counts as not exportable (default false)",
        },
    ],
    limits: &[
        "That the key exists today or that the subscriber holds it: no nonce, no signature by the key. Only a request signed with it proves possession.",
        "When the key was generated or the bundle was made: nothing in it carries a time.",
        "The model and firmware of the module: which certification applies, and which advisories about firmware, must be looked up by its serial number.",
        "Whether the Security World runs in a FIPS mode today; a FIPS 140 level 3 world is told by the kind of its binding.",
        "What the access control list is today. It can only have been reduced since generation, unless it allows ExpandACL.",
        "How the module key and the Security Officer's key were made: whoever initialised the Security World chose them, and can load the key on every module of that world.",
        "That the module has not been decommissioned or its warrant withdrawn: no revocation is published.",
    ],
    docs: "docs/devices/nshield.md",
};

impl Format for Nshield {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let found = Found::all(cx);
        let requested: Vec<&Found> = found.iter().filter(|f| f.holds_requested_key(cx)).collect();
        // With a request, the bundle that speaks of its key; else each of them.
        if requested.is_empty() {
            found.iter().map(|f| judge(f, cx)).collect()
        } else {
            requested.into_iter().map(|f| judge(f, cx)).collect()
        }
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Found::all(cx).iter().map(|f| view::of(cx.parts.place(f.id), f.bundle.as_ref())).collect()
    }
}

/// A bundle among the evidence, or what was to be one.
struct Found {
    id: PartId,
    bundle: Result<Bundle, Vec<String>>,
}

impl Found {
    /// Each bundle once, however often it was handed in.
    fn all(cx: &Context<'_>) -> Vec<Self> {
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut found = Vec::new();
        for (id, part) in cx.parts.evidence() {
            let bytes: &[u8] = &part.bytes;
            let bundle = match &part.content {
                Content::Json(Value::Object(object)) if bundle::is_bundle(object) => open(bytes, object),
                Content::BrokenJson(why) if bundle::looks_like_bundle(bytes) => {
                    Err(vec![format!("not JSON: {why}")])
                }
                _ => continue,
            };
            if !seen.contains(&bytes) {
                seen.push(bytes);
                found.push(Self { id, bundle });
            }
        }
        found
    }

    fn holds_requested_key(&self, cx: &Context<'_>) -> bool {
        let key = self.bundle.as_ref().ok().and_then(|b| KeyData::from_bytes(&b.key).ok()?.public_key().ok());
        cx.request.is_some_and(|request| key.is_some_and(|key| key == *request.key()))
    }
}

fn open(bytes: &[u8], object: &Map<String, Value>) -> Result<Bundle, Vec<String>> {
    if bytes.len() > bundle::MAX_SIZE {
        return Err(vec![format!("the bundle has {} bytes; real ones have less than 10,000", bytes.len())]);
    }
    Bundle::of(object)
}

/// Judges one bundle. Each step needs what the one before it has authenticated.
fn judge(found: &Found, cx: &Context<'_>) -> Statement {
    let mut statement =
        Statement { labels: vec![(found.id, "key attestation bundle".into())], ..Statement::default() };
    let checks = &mut statement.checks;
    let place = cx.parts.place(found.id);
    let bundle = match &found.bundle {
        Ok(bundle) => bundle,
        Err(faults) => {
            for fault in faults {
                checks.fail(&ck::MALFORMED, place.to_owned(), fault.clone());
            }
            return statement;
        }
    };
    let key = read_key(bundle, place, checks);
    let Some(module) = warrant::check(&bundle.root, &bundle.warrant, place, cx, checks) else {
        skip(checks, place, &ck::STATE_SIGNATURE, "the warrant gives no long-term key to verify with");
        return statement;
    };
    let (message, signature) = (&bundle.state, &bundle.state_signature);
    let Some(state) = state::check(message, signature, &module, place, checks) else {
        skip(checks, place, &ck::KNSO, "the state of the module is not authentic");
        return statement;
    };
    let bound = world::check(bundle, &state, place, checks);
    let (message, signature) = (&bundle.key_certificate, &bundle.key_signature);
    let generation = keygen::check(message, signature, key, &state, place, checks);
    let (Some(bound), Some(generation)) = (bound, generation) else {
        skip(
            checks,
            place,
            &ck::UNKNOWN_ACTION,
            "the key generation certificate or the world is not authentic",
        );
        return statement;
    };
    if let Err(AclFault::Unread(why)) = &generation.0.get().acl {
        let detail = format!("{why}: what the list allows beyond it cannot be told");
        checks.fail(&ck::UNKNOWN_ACTION, place.to_owned(), detail);
        return statement;
    }
    let Some(facts) = claims::gather(module, state, bound, generation) else { return statement };
    report_exposure(&facts.get().exposure, place, checks);
    statement.attested = Some(claims::attest(&facts, cx.options.is_on("accept_recoverable")));
    statement
}

fn read_key(bundle: &Bundle, place: &str, checks: &mut Checks) -> Option<KeyData> {
    let key = KeyData::from_bytes(&bundle.key);
    let usable = key.as_ref().map_err(Clone::clone).and_then(|key| key.hash().and_then(|_| key.public_key()));
    if let Err(fault) = usable {
        key_fault(&fault, "member pubkeydata", place, checks);
        return None;
    }
    checks.pass(&ck::MALFORMED, place.to_owned(), "every member that is needed is there and has its form");
    if bundle.unknown > 0 {
        let detail =
            format!("{} members that this verifier does not know were not looked at", bundle.unknown);
        checks.info(&ck::MALFORMED, place.to_owned(), detail);
    }
    key.ok()
}

/// A key that cannot be used: malformed, or of a kind whose form is not confirmed, which leaves all undecided.
fn key_fault(fault: &KeyFault, what: &str, place: &str, checks: &mut Checks) {
    let detail = format!("{what}: {fault}");
    match fault {
        KeyFault::Malformed(_) => checks.fail(&ck::MALFORMED, place.to_owned(), detail),
        KeyFault::Unsupported(_) => checks.lacking(&ck::MALFORMED, place.to_owned(), detail),
    }
}

/// Records that the checks from `first` on were not made.
fn skip(checks: &mut Checks, place: &str, first: &'static Check, why: &'static str) {
    for check in ck::ALL.iter().skip_while(|check| check.id != first.id) {
        checks.skip(check, place.to_owned(), why);
    }
}

/// The checks of the list, each with what exactly refuses the key.
fn report_exposure(exposure: &exposure::Exposure, place: &str, checks: &mut Checks) {
    checks.pass(&ck::UNKNOWN_ACTION, place.to_owned(), "the access control list was read to its end");
    for check in [
        &ck::UNKNOWN_PERMISSION,
        &ck::FOREIGN_CERTIFIER,
        &ck::FORBIDDEN_PERMISSION,
        &ck::UNSAFE_BLOB,
        &ck::ARCHIVE,
        &ck::UNSAFE_DERIVATION,
    ] {
        let faults: Vec<&String> =
            exposure.faults.iter().filter(|(c, _)| c.id == check.id).map(|(_, d)| d).collect();
        if faults.is_empty() {
            checks.pass(check, place.to_owned(), "nothing in the access control list is against it");
        }
        for fault in faults {
            checks.fail(check, place.to_owned(), fault.clone());
        }
    }
    if exposure.quorum.is_empty() {
        checks.pass(&ck::RECOVERABLE, place.to_owned(), "no group of the list gives administrators a way");
    }
    for way in &exposure.quorum {
        checks.warn(&ck::RECOVERABLE, place.to_owned(), way.clone());
    }
}
