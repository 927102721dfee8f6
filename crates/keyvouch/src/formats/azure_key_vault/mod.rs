//! Azure Key Vault, vaults of the Standard and Premium tiers: the provider's word about a key.
//!
//! A vault signs no statement about its keys. What a CA can have is the answer of the service to a question that the
//! CA asked itself, over its own authenticated connection. That answer does not tell keys that were generated in the
//! HSM from keys that were brought to it. (Managed HSM pools do attest: format `azure-managed-hsm`.)
//!
//! Source: Microsoft, Azure Key Vault REST API reference, "Get Key" and "About keys".

mod answer;
mod checks;
pub(crate) mod kid;

use serde_json::{Value, json};

use self::answer::{Answer, Platform};
use self::checks as ck;
use self::kid::Kid;
use super::provider::FETCHED_OPTION;
use super::{About, Context, Format, Proof, Stated, Statement, Way};
use crate::authentic::Fetched;
use crate::checks::Checks;
use crate::claims::{ClaimName, ClaimSet, Value as Said};
use crate::input::{Content, PartId};

/// Answers about keys in vaults.
pub(crate) struct AzureKeyVault;

static ABOUT: About = About {
    id: "azure-key-vault",
    title: "Azure Key Vault provider statement",
    maker: "Microsoft",
    devices: "vaults of Azure Key Vault, Standard and Premium; not Managed HSM pools, which attest",
    proof: Proof::ProviderStatement,
    checks: ck::ALL,
    options: &[FETCHED_OPTION],
    limits: &[
        "Anything by signature: this is what the service answered to the operator of this verifier, and no attestation.",
        "That the key was generated in the HSM: keys that were imported (BYOK) look the same.",
        "That the answer is fresh: it has no nonce.",
        "The certification of the HSMs: the platform number is the service's word for it.",
    ],
    docs: "docs/devices/azure-key-vault.md",
};

impl Format for AzureKeyVault {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        found(cx).into_iter().map(|(id, content)| judge(id, content, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let view = |(id, read): (PartId, Result<Answer, String>)| {
            let place = cx.parts.place(id);
            match read {
                Err(why) => json!({ "where": place, "is": "answer about a key, unreadable", "why": why }),
                Ok(answer) => json!({
                    "where": place, "is": "answer about a key", "kid": answer.kid, "kty": answer.kty,
                    "key": answer.key.map(|key| key.algorithm()), "platform": format!("{:?}", answer.platform),
                    "exportable": answer.exportable, "release_policy": answer.release_policy,
                    "enabled": answer.enabled, "created": answer.created.map(|t| t.to_string()),
                }),
            }
        };
        found(cx).into_iter().map(view).collect()
    }
}

fn found(cx: &Context<'_>) -> Vec<(PartId, Result<Answer, String>)> {
    let read = |content: &Content, bytes: &[u8]| match content {
        Content::Json(value) if Answer::is(value) => Some(Answer::read(value)),
        Content::BrokenJson(why) if Answer::was_meant(bytes) => Some(Err(why.to_string())),
        _ => None,
    };
    cx.parts.evidence().filter_map(|(id, part)| Some((id, read(&part.content, &part.bytes)?))).collect()
}

fn judge(id: PartId, read: Result<Answer, String>, cx: &Context<'_>) -> Statement {
    let place = cx.parts.place(id).to_owned();
    let mut statement = Statement {
        way: Way::ProviderStatement,
        labels: vec![(id, "answer about a key".into())],
        ..Statement::default()
    };
    let checks = &mut statement.checks;
    let answer = match read {
        Ok(answer) => {
            checks.pass(&ck::JSON_MALFORMED, place.clone(), "an answer of the service");
            Some(answer)
        }
        Err(why) => {
            checks.fail(&ck::JSON_MALFORMED, place.clone(), why);
            None
        }
    };
    let fetched = cx.options.is_on(FETCHED_OPTION.name);
    checks.test(
        &ck::UNSIGNED,
        place.clone(),
        fetched,
        "the operator of this verifier says that he fetched it himself (provider_fetched)",
        || "nobody signed this answer, and the operator did not fetch it himself".into(),
    );
    let Some(answer) = answer else { return statement };
    let kid = match Kid::parse(&answer.kid) {
        Ok(kid) => {
            checks.pass(&ck::KID_HOST, place.clone(), format!("key {} of vault {}", kid.name, kid.vault));
            Some(kid)
        }
        Err(why) => {
            checks.fail(&ck::KID_HOST, place.clone(), format!("the key identifier: {why}"));
            None
        }
    };
    check_key(&answer, &place, checks);
    statement.stated = kid
        .and_then(|kid| Fetched::by_operator(Told { answer, kid }, cx.options))
        .map(|told| Stated::new(&told, |t| t.answer.key.clone(), claims(&told)));
    statement
}

fn check_key(answer: &Answer, place: &str, checks: &mut Checks) {
    let place = || place.to_owned();
    let kind: String = answer.kty.chars().filter(|c| !c.is_control()).take(32).collect();
    checks.test(&ck::SYMMETRIC_KEY, place(), !answer.is_symmetric(), format!("a key pair ({kind})"), || {
        format!("a symmetric key ({kind})").into()
    });
    let software = answer.platform == Platform::Software || !answer.is_hsm_type();
    checks.test(&ck::SOFTWARE_KEY, place(), !software, format!("kept by an HSM ({kind})"), || {
        format!("kept by software (kty {kind}, hsmPlatform {})", name(&answer.platform)).into()
    });
    checks.test(
        &ck::EXPORTABLE_KEY,
        place(),
        !answer.exportable && !answer.release_policy,
        "not exportable, and no release policy",
        || match answer.release_policy {
            true => "the key has a release policy: it can be released to whom the policy names".into(),
            false => "the key is exportable".into(),
        },
    );
    match &answer.platform {
        Platform::Absent | Platform::Other(_) => {
            let detail = format!("hsmPlatform is {}", name(&answer.platform));
            checks.fail(&ck::PLATFORM_UNKNOWN, place(), detail);
        }
        known => {
            checks.pass(&ck::PLATFORM_UNKNOWN, place(), format!("hsmPlatform is {}", name(known)));
            if *known == Platform::Old {
                let detail = "the key is kept by HSMs of the old platform (FIPS 140-2 level 2)";
                checks.warn(&ck::PLATFORM_OLD, place(), detail);
            } else {
                checks.pass(&ck::PLATFORM_OLD, place(), "not of the old platform");
            }
        }
    }
    checks.test(&ck::KEY_DISABLED, place(), answer.enabled == Some(true), "the key is enabled", || {
        match answer.enabled {
            Some(_) => "the key is disabled".into(),
            None => "the answer does not say that the key is enabled".into(),
        }
    });
}

fn name(platform: &Platform) -> &str {
    match platform {
        Platform::Software => "0 (software)",
        Platform::Old => "1 (FIPS 140-2 level 2)",
        Platform::Current => "2 (FIPS 140-3 level 3)",
        Platform::Absent => "not said",
        Platform::Other(word) => word,
    }
}

/// An answer with its identifier read.
struct Told {
    answer: Answer,
    kid: Kid,
}

fn claims(told: &Fetched<Told>) -> ClaimSet {
    let text = |t: &str| Said::from(t);
    ClaimSet::told(told)
        .operator(ClaimName::DeviceClass, "kty and hsmPlatform of the answer", |t| {
            match (t.answer.is_hsm_type(), &t.answer.platform) {
                (false, _) => text("software"),
                // The two contradict each other.
                (true, Platform::Software) => Said::Unknown,
                (true, _) => text("cloud-hsm"),
            }
        })
        .operator(ClaimName::DeviceVendor, "host of the key identifier", |_| "Microsoft")
        .operator(ClaimName::DeviceModel, "host of the key identifier", |_| "Azure Key Vault")
        .operator(ClaimName::KeyAlgorithm, "JWK of the answer", |t| {
            t.answer.key.as_ref().map(crate::crypto::PublicKey::algorithm)
        })
        .operator(ClaimName::KeySpkiSha256, "JWK of the answer", |t| {
            t.answer.key.as_ref().map(|key| hex::encode(key.spki_sha256()))
        })
        .unknown(
            ClaimName::KeyGeneratedInDevice,
            "the service does not tell generated keys from imported ones",
        )
        .operator(
            ClaimName::KeyExportable,
            "exportable and release_policy of the answer; Microsoft, About keys: HSM keys stay in the HSMs of the vault's geography",
            |t| exportable(&t.answer),
        )
        .detail("vault", "key identifier", |t| t.kid.vault.clone())
        .detail("key_name", "key identifier", |t| t.kid.name.clone())
        .detail("key_version", "key identifier", |t| t.kid.version.clone())
        .detail("hsm_platform", "hsmPlatform of the answer", |t| name(&t.answer.platform).to_owned())
        .detail("created_at", "created of the answer", |t| t.answer.created.map(|time| time.to_string()))
        .detail("recovery_level", "recoveryLevel of the answer", |t| t.answer.recovery_level.clone())
        .detail("managed", "managed of the answer: the key of a certificate of the vault", |t| t.answer.managed)
        .finish()
}

fn exportable(answer: &Answer) -> Said {
    if !answer.is_hsm_type() {
        Said::Unknown
    } else if answer.exportable || answer.release_policy {
        "wrapped".into()
    } else if matches!(answer.platform, Platform::Old | Platform::Current) {
        "vendor-boundary".into()
    } else {
        Said::Unknown
    }
}
