//! Managed Device Attestation: a leaf that Apple's servers make for a key in the Secure Enclave of a managed device,
//! with what they know of the device.
//!
//! It comes in two ways, which look alike: as the answer to an ACME challenge, where the leaf's key is the one of the
//! request that follows; and as the answer to an MDM server's `DeviceInformation` query, where it is a key for the
//! attestation alone, and no request has it. What tells them apart is the request: a binding comes about only when the
//! keys are equal.
//!
//! Source: Apple, "Managed Device Attestation" (Apple Platform Deployment) and the schemas in apple/device-management.

pub(crate) mod checks;
mod claims;
mod device;
pub(crate) mod gather;
mod judge;

use serde_json::{Value, json};

use self::checks as ck;
pub(crate) use self::gather::Chain;
pub(crate) use self::judge::{Identifier, Wanted, judge};
use crate::formats::{About, Context, Format, Proof, Statement};
use crate::pki::{Certificate, name};
use crate::submission::{OptionDef, OptionKind};

/// The format: attestation objects without `authData`, MDM answers, and certificates by themselves.
pub(crate) struct Mda;

pub(crate) const FORMAT: &str = "apple-mda";

/// What a leaf does not prove, whatever it comes in.
pub(crate) mod limits {
    pub(crate) const OS: &str = "That the operating system is uncompromised: a broken one can still ask for attestations of keys that it then misuses. The statement rests on the Secure Enclave and Apple's servers.";
    pub(crate) const HOLDER: &str = "Who holds the device, or that it is enrolled with your organisation: compare the serial number with your inventory.";
    pub(crate) const ACCESS: &str =
        "That a PIN or biometry protects the key: the statement has nothing on it.";
    pub(crate) const POSTURE: &str = "The state of the device now: versions and posture are those that Apple knew at the time of issue. What is absent is unknown, not good.";
}

/// The switches of the posture, the same in every wrapping.
pub(crate) const POSTURE_OPTIONS: [OptionDef; 2] = [
    OptionDef {
        name: "mda_min_os_version",
        kind: OptionKind::Text,
        about: "refuse devices whose attested operating system is older than this version, or not attested",
    },
    OptionDef {
        name: "mda_posture",
        kind: OptionKind::Choice(&["report", "require"]),
        about: "state of a Mac (SIP, boot policy, kernel extensions): a finding where it is bad (default), or a failure where it is bad or not attested",
    },
];

static ABOUT: About = About {
    id: FORMAT,
    title: "Apple Managed Device Attestation",
    maker: "Apple",
    devices: "managed iPhone and iPad (A11 and later), Mac with Apple silicon, Apple TV (A12 and later), Apple Watch (S4 and later), Vision Pro",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "acme_token",
            kind: OptionKind::Text,
            about: "token of the ACME challenge that the attestation must answer",
        },
        OptionDef {
            name: "device_identifier",
            kind: OptionKind::Text,
            about: "serial number or UDID of the device that is expected",
        },
        POSTURE_OPTIONS[0],
        POSTURE_OPTIONS[1],
    ],
    limits: &[
        limits::OS,
        limits::HOLDER,
        limits::ACCESS,
        limits::POSTURE,
        "That the leaf's key is a certificate's, unless a request holds it: answers to DeviceInformation queries are about a key of their own. A nonce made of another key's digest is your deployment's convention and binds nothing here.",
        "Which ACME account asked: the freshness code covers the token alone.",
    ],
    docs: "docs/devices/apple-mda.md",
};

impl Format for Mda {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        gather::find(cx)
            .into_iter()
            .map(|found| {
                let place = cx.parts.place(found.id);
                let mut statement = Statement::default();
                statement.labels.push((found.id, found.label.into()));
                match &found.chain {
                    Err(why) => statement.checks.fail(&ck::MALFORMED, place.to_owned(), why.clone()),
                    Ok(chain) => {
                        let wanted = Wanted { token: cx.options.text("acme_token"), nonce: cx.nonce };
                        let identifiers = judge(chain, wanted, place, cx, &mut statement);
                        if let (Some(wanted), Some(own)) = (cx.options.text("device_identifier"), identifiers)
                        {
                            judge::check_identity(wanted, &own, place, &mut statement.checks);
                        }
                    }
                }
                statement
            })
            .collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let found = gather::find(cx);
        found
            .iter()
            .map(|found| {
                let place = cx.parts.place(found.id);
                match &found.chain {
                    Ok(chain) => json!({ "where": place, "is": found.label, "leaf": view(&chain.leaf) }),
                    Err(why) => json!({ "where": place, "is": found.label, "fault": why }),
                }
            })
            .collect()
    }
}

/// A leaf for people.
pub(crate) fn view(leaf: &Certificate) -> Value {
    json!({
        "subject": name::display(leaf.subject()),
        "issuer": name::display(leaf.issuer()),
        "key": leaf.key().map(|k| k.algorithm()).unwrap_or_default(),
        "not_before": leaf.not_before().to_string(),
        "not_after": leaf.not_after().to_string(),
        "device": device::Device::read(leaf).map_or_else(|why| json!({ "fault": why }), |d| d.view()),
        "freshness_code": device::freshness(leaf).map(hex::encode),
    })
}
