//! WebAuthn attestation: what an authenticator says of a new credential key when it is registered.
//!
//! ```text
//! attestation key ──signs──► authenticator data ‖ SHA-256(client data)
//!   ▲ certificate to an anchor of its model        └ RP ID, flags, model (AAGUID), credential id, public key
//! ```
//!
//! Source: W3C, "Web Authentication: An API for accessing Public Key Credentials", Level 3; FIDO Metadata Service v3;
//! FIDO U2F Raw Message Formats.
//!
//! How much a statement is worth depends on who signed it: a batch key of the maker's (`packed`, `fido-u2f`), a key of
//! the TPM that Microsoft certified (`tpm`), Apple's anonymous authority (`apple`), the credential key itself (self
//! attestation: nothing about hardware), or nobody (`none`).

mod android;
mod apple;
mod certificate;
mod checks;
mod claims;
mod client_data;
mod gather;
mod model;
mod object;
mod packed;
mod statement;
mod tpm;
mod trust;
mod u2f;
mod view;

use serde_json::Value;

use self::gather::{Client, Gathered};
use super::android::OPTIONS as ANDROID;
use super::{About, Context, Format, Proof, Statement};
use crate::checks::OnFail;
use crate::submission::{OptionDef, OptionKind};

/// The format: attestation objects of WebAuthn and CTAP2, and answers to U2F registrations.
pub(crate) struct WebAuthn;

pub(crate) const ID: &str = "webauthn";

const OPTIONS: &[OptionDef] = &[
    OptionDef {
        name: "rp_id",
        kind: OptionKind::Text,
        about: "RP ID (domain) for which the credential must be; not checked when not given",
    },
    OptionDef {
        name: "origins",
        kind: OptionKind::List,
        about: "origins at which the registration may have been made; not checked when not given",
    },
    OptionDef {
        name: "require_uv",
        kind: OptionKind::Bool,
        about: "whether the user must have been verified (PIN, biometry) at the registration",
    },
    OptionDef {
        name: "allow_cross_origin",
        kind: OptionKind::Bool,
        about: "accept registrations made in a frame of another site",
    },
    OptionDef {
        name: "aaguid_allow",
        kind: OptionKind::List,
        about: "AAGUIDs of the models that are accepted; all when not given",
    },
    OptionDef {
        name: "metadata",
        kind: OptionKind::File,
        about: "BLOB (JWS) of the FIDO Metadata Service to be used instead of the built-in index",
    },
    OptionDef {
        name: "metadata_roots",
        kind: OptionKind::File,
        about: "certificates (PEM, or one in DER) below which that BLOB is signed; GlobalSign Root R3 when not given",
    },
    OptionDef {
        name: "metadata_max_stale",
        kind: OptionKind::Number,
        about: "how many days the metadata may be older than the date of their next issue; older ones leave the answer undecided",
    },
    OptionDef {
        name: "sha1_attestation",
        kind: OptionKind::Choice(&["microsoft-only", "allow", "refuse"]),
        about: "SHA-1 signatures of attestation keys: a finding below Microsoft's TPM root only (default), a finding always, or a failure always",
    },
    OptionDef {
        name: "name_alg_sha1",
        kind: OptionKind::Choice(&["refuse", "allow"]),
        about: "object names made with SHA-1: a failure (default) or a finding",
    },
];

/// The switches of this format, and those of Android's chains.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
static ALL_OPTIONS: [OptionDef; OPTIONS.len() + ANDROID.len()] = {
    let mut all = [ANDROID[0]; OPTIONS.len() + ANDROID.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < OPTIONS.len() { OPTIONS[index] } else { ANDROID[index - OPTIONS.len()] };
        index += 1;
    }
    all
};

static ABOUT: About = About {
    id: ID,
    title: "WebAuthn attestation objects",
    maker: "members of the FIDO Alliance, Microsoft, Apple and others",
    devices: "FIDO2 and U2F security keys, Windows Hello, older Apple devices; synced passkeys have no attestation",
    proof: Proof::RealEvidence,
    checks: checks::ALL,
    options: &ALL_OPTIONS,
    limits: &[
        "That the key can be that of a certificate: a WebAuthn credential signs logins for its relying party, and can sign neither a request nor a handshake.",
        "Which device it is: a batch key is shared by at least 100,000 devices of a model. Only enterprise attestation has a serial number.",
        "Who used the device: presence and verification (flags UP, UV) are of the registration alone.",
        "How keys are kept: that is the metadata's word for the model, not the device's own.",
        "Which firmware runs: few makers put it into the certificate, and then as of manufacture. Where none is stated, advisories by firmware (EUCLEAK) cannot be checked.",
        "When the credential was made: no statement has a time.",
    ],
    docs: "docs/devices/webauthn.md",
};

impl Format for WebAuthn {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let gathered = Gathered::of(cx);
        let judge = |found| {
            // Which client data belong to the statement is said by its signature: those that it covers.
            let own = match &found {
                gather::Found { client: Some(own), .. } => std::slice::from_ref(own),
                _ => gathered.clients.as_slice(),
            };
            let mut clients: Vec<Option<&Client<'_>>> = own.iter().take(MAX_CLIENTS).map(Some).collect();
            if clients.is_empty() {
                clients.push(None);
            }
            let judged = clients.into_iter().map(|client| statement::judge(&found, client, cx));
            best(judged.collect())
        };
        gathered.found.clone().into_iter().filter_map(judge).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let gathered = Gathered::of(cx);
        gathered.found.iter().map(view::found).collect()
    }
}

/// How many client data one statement is tried with.
const MAX_CLIENTS: usize = 8;

/// The statement with its own client data: the first that is not contradicted, else the first.
fn best(mut judged: Vec<Statement>) -> Option<Statement> {
    let own = judged.iter().position(|statement| statement.checks.worst() < Some(OnFail::NotAuthentic));
    let index = own.unwrap_or(0);
    (index < judged.len()).then(|| judged.swap_remove(index))
}
