//! SmartCard-HSM and Nitrokey HSM: when the token generates a key pair, it signs a request for it with the key of the
//! device.
//!
//! ```text
//! request (signed by the new key, then by the device) ← device ← device issuer (DICA) ← scheme root (SRCA)
//! ```
//!
//! All are CV certificates; see [`pki::cvc`](crate::pki::cvc).
//!
//! Sources: BSI TR-03110-3, appendix C and D; CardContact, "Remote Key Attestation explained", and scsh-scripts; OpenSC,
//! `card-sc-hsm`.

mod checks;
mod gather;
mod judge;
mod statement;
mod view;

use der::asn1::ObjectIdentifier;
use serde_json::Value;

use self::gather::Found;
use super::{About, Context, Format, Proof, Statement};
use crate::submission::{OptionDef, OptionKind};

/// Tokens with the SmartCard-HSM applet.
pub(crate) struct SmartcardHsm;

const ID: &str = "smartcard-hsm";

/// Roles in certificates of the scheme.
const SCHEME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.24991.3.1.1");

static ABOUT: About = About {
    id: ID,
    title: "SmartCard-HSM key attestation",
    maker: "CardContact, Nitrokey and others",
    devices: "SmartCard-HSM (cards, USB sticks, MicroSD), Nitrokey HSM 1 and 2",
    proof: Proof::RealEvidence,
    checks: checks::ALL,
    options: &[
        OptionDef {
            name: "accept_expired",
            kind: OptionKind::Bool,
            about: "expired certificates of devices and makers are a finding",
        },
        OptionDef {
            name: "deny_holders",
            kind: OptionKind::List,
            about: "refuse devices and device issuers with one of these holder references, such as DENK040414400000",
        },
    ],
    limits: &[
        "That the key cannot leave the device: a token with DKEK shares, or a key in a key domain, can be wrapped out, and nothing in the evidence tells.",
        "When the request was made, and that the key still exists: it has no time and no nonce.",
        "What the key may be used for, how the PIN is set, the firmware version, and how the token was initialised.",
        "That the device signs with its key nothing but requests: its maker says so, and publishes no proof.",
    ],
    docs: "docs/devices/smartcard-hsm.md",
};

impl Format for SmartcardHsm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::among(cx) else { return Vec::new() };
        if found.requests.is_empty() {
            return vec![judge::judge(&found, None, cx)];
        }
        found.requests.iter().map(|request| judge::judge(&found, Some(request), cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Found::among(cx).map(|found| view::all(&found, cx)).unwrap_or_default()
    }
}
