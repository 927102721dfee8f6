//! App Attest (DeviceCheck): a leaf that Apple's server makes for a key of one app in the Secure Enclave of a device.
//!
//! ```text
//! client data ──SHA-256──► clientDataHash ┐
//!                          authData ──────┴─SHA-256─► nonce in the leaf (8.2) ← App Attestation CA 1 ← root
//! ```
//!
//! The key signs assertions of its app and nothing else, so it is never the key of a request. What an app says of a
//! second key is reported (`second_key`), and binds nothing.
//!
//! Source: Apple, "Validating apps that connect to your server", "Attestation Object Validation Guide".

mod checks;
mod claims;
mod gather;
mod judge;
mod leaf;
mod receipt;
mod second_key;

use serde_json::{Value, json};

use self::checks as ck;
use self::gather::{Found, Object};
use crate::formats::{About, Context, Format, Proof, Statement};
use crate::pki::name;
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct AppAttest;

pub(super) const FORMAT: &str = "apple-app-attest";

static ABOUT: About = About {
    id: FORMAT,
    title: "Apple App Attest",
    maker: "Apple",
    devices: "iPhone and iPad (iOS 14 and later), Apple TV (tvOS 15 and later), Apple Watch (watchOS 9 and later), by way of an app",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "app_id",
            kind: OptionKind::Text,
            about: "the app that must have made the statement: team id, a dot, bundle id",
        },
        OptionDef {
            name: "environment",
            kind: OptionKind::Choice(&["production", "development", "any"]),
            about: "the environment in which the statement must have been made (default: production)",
        },
        OptionDef {
            name: "client_data",
            kind: OptionKind::File,
            about: "the client data, whose SHA-256 the app gave to the API as clientDataHash",
        },
        OptionDef {
            name: "client_data_hash",
            kind: OptionKind::Text,
            about: "the value that the app gave to the API as clientDataHash, hexadecimal, of any length",
        },
        OptionDef { name: "key_id", kind: OptionKind::Text, about: "the key id that the app stated, base64" },
        OptionDef {
            name: "assertion_client_data",
            kind: OptionKind::File,
            about: "the client data of the assertion",
        },
        OptionDef {
            name: "stored_counter",
            kind: OptionKind::Number,
            about: "the highest counter that was seen in an assertion of this key (default: 0)",
        },
    ],
    limits: &[
        "Anything about a certificate's key: the attested key signs assertions of its app only. A second key that the app names is the app's claim, not the device's.",
        "Which device it is, or who uses it: the statement names neither model nor serial number.",
        "That the operating system is uncompromised, beyond what Apple's servers take into account.",
        "In the environment development: that the app is unmodified or from the App Store.",
        "That a challenge inside the client data is the one that was given out: what the document means is agreed between the app and its server.",
        "That the assertion's challenge was used once: the operator's server must see to it.",
    ],
    docs: "docs/devices/apple-app-attest.md",
};

impl Format for AppAttest {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let found = Found::among(cx);
        if found.is_empty() {
            return Vec::new();
        }
        if found.attestations.is_empty() {
            let mut statement = judge::start(&found);
            let place = found.assertions.first().map(|a| a.place.clone());
            let place = place.or_else(|| found.receipts.first().map(|r| r.place.clone())).unwrap_or_default();
            let detail = "the attestation object of the key is not there";
            statement.checks.fail(&ck::ATTESTATION_MISSING, place, detail);
            return vec![statement];
        }
        found.attestations.iter().map(|attestation| judge::judge(attestation, &found, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let found = Found::among(cx);
        let attestations = found.attestations.iter().map(|attestation| {
            let place = &attestation.object.place;
            match Object::read(&attestation.object.bytes) {
                Ok(object) => json!({
                    "where": place, "is": "attestation object",
                    "subject": name::display(object.leaf.subject()),
                    "issuer": name::display(object.leaf.issuer()),
                    "not_before": object.leaf.not_before().to_string(),
                    "not_after": object.leaf.not_after().to_string(),
                    "app_id": leaf::app_id(&object.leaf),
                    "environment": judge::AuthData::read(object.auth_data)
                        .ok().and_then(|a| a.environment()).map(judge::Environment::text),
                    "leaf": leaf::view(&object.leaf),
                }),
                Err(why) => json!({ "where": place, "is": "attestation object", "fault": why }),
            }
        });
        let assertions = found.assertions.iter().map(|assertion| match &assertion.read {
            Ok(read) => json!({
                "where": assertion.place, "is": "assertion", "counter": read.counter(),
                "rp_id_hash": hex::encode(read.rp_id_hash()),
            }),
            Err(why) => json!({ "where": assertion.place, "is": "assertion", "fault": why }),
        });
        let receipts = found.receipts.iter().map(|r| json!({ "where": r.place, "is": "receipt" }));
        attestations.chain(assertions).chain(receipts).collect()
    }
}
