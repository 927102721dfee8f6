//! Giving out what is to be answered once.

use std::sync::Arc;

use aws_lc_rs::rand;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyvouch::Time;
use keyvouch::tpm::activation::{ActivationError, AttestationKey, Challenge, EndorsementKey, RANDOM_LEN};
use keyvouch_store::Role;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::intake::{base64, body, content_type, decode, media_type, read_json};
use crate::problem::{Kind, Problem, sentence};
use crate::service::{NONCE, Service, TPM, now_ms};

/// The most bytes of a request for a challenge.
const MAX_REQUEST: usize = 64 << 10;
/// Bytes of a nonce when the client does not say how many.
const NONCE_BYTES: u16 = 32;
/// How long an expired challenge is remembered, in milliseconds: who comes late is told so.
const REMEMBERED: i64 = 86_400_000;
/// How many times random bytes may make no key: once is as good as impossible.
const TRIES: u8 = 8;

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
#[schema(example = json!({"type": "nonce"}))]
pub(crate) enum ChallengeRequest {
    /// A nonce.
    Nonce {
        /// Its length in bytes: 32 unless said.
        #[serde(default = "nonce_bytes", deserialize_with = "whole")]
        #[schema(minimum = 8, maximum = 64, default = 32)]
        bytes: u16,
    },
    /// A credential that only the TPM with both keys can open.
    Tpm {
        /// The endorsement key: its certificate or public area, as base64.
        #[schema(schema_with = base64)]
        ek: String,
        /// The public area of the attestation key, as base64.
        #[schema(schema_with = base64)]
        ak: String,
    },
}

const fn nonce_bytes() -> u16 {
    NONCE_BYTES
}

/// A whole number, as JSON Schema has it: 32.0 is one too.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let number = Number::deserialize(from)?;
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits
        .parse()
        .map_err(|_| D::Error::custom(format!("`bytes`: {number} is no whole number that a nonce can have")))
}

/// A challenge. Its id is named in the appraisal that answers it, once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum IssuedChallenge {
    /// A nonce that evidence is to answer.
    Nonce {
        /// What `challenge` of the appraisal names.
        id: String,
        /// The nonce, hexadecimal.
        #[schema(pattern = "^([0-9a-f]{2}){8,64}$")]
        nonce: String,
        /// Until when it can be answered.
        #[schema(format = DateTime)]
        expires_at: String,
    },
    /// A credential for a TPM.
    Tpm {
        /// What `tpm.challenge` of the appraisal names.
        id: String,
        /// The file that `tpm2_activatecredential -i` reads, as base64.
        #[schema(schema_with = base64)]
        credential: String,
        /// Until when it can be answered.
        #[schema(format = DateTime)]
        expires_at: String,
    },
}

/// Get a challenge.
///
/// A nonce that evidence has to answer, or a credential that a TPM has to open. It can be answered once, by one appraisal,
/// and not after its end.
#[utoipa::path(
    post, path = "/v1/challenges", tag = "Challenges", operation_id = "challenge",
    request_body(content = ChallengeRequest, description = "What is asked for."),
    responses((status = 201, description = "The challenge.", body = IssuedChallenge)),
    extensions(("x-problems" = json!([400, 403, 408, 413, 415, 422]))),
    security(("bearer" = [])),
)]
pub(crate) async fn challenge(
    State(service): State<Arc<Service>>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<IssuedChallenge>), Problem> {
    caller.must_be(Role::Submit)?;
    match content_type(request.headers()).as_deref() {
        Some("application/json") => {}
        other => return Err(media_type(other, "application/json")),
    }
    let most = MAX_REQUEST.min(service.config.limits.request_bytes);
    let asked: ChallengeRequest = read_json(&body(request.into_body(), most).await?)?;
    let mut id = [0; 16];
    random(&mut id)?;
    forget_now_and_then(&service, &id)?;
    let id = hex::encode(id);
    let now = now_ms()?;
    let expires = Time::from_unix(now.div_euclid(1000))
        .plus_seconds(i64::from(service.config.limits.challenge_seconds));
    let expires_at = expires.to_string();
    let (kind, state, issued) = match asked {
        ChallengeRequest::Nonce { bytes } => {
            let nonce = nonce(bytes)?;
            let issued = IssuedChallenge::Nonce { id: id.clone(), nonce: nonce.clone(), expires_at };
            (NONCE, nonce, issued)
        }
        ChallengeRequest::Tpm { ek, ak } => {
            let (ek, ak) = (decode("ek", &ek)?, decode("ak", &ak)?);
            let challenge = service.compute(move |_| credential(&ek, &ak, expires)).await?;
            let credential = BASE64_STANDARD.encode(challenge.tools_file());
            let issued = IssuedChallenge::Tpm { id: id.clone(), credential, expires_at };
            (TPM, challenge.pending.to_json().to_string(), issued)
        }
    };
    service.store.issue(kind, &id, now, expires.unix().saturating_mul(1000), &state).await?;
    Ok((StatusCode::CREATED, Json(issued)))
}

fn nonce(bytes: u16) -> Result<String, Problem> {
    if !(8..=64).contains(&bytes) {
        return Err(Problem::new(Kind::Unprocessable, "`bytes`: a nonce has 8 to 64 bytes."));
    }
    let mut nonce = vec![0; usize::from(bytes)];
    random(&mut nonce)?;
    Ok(hex::encode(nonce))
}

fn credential(ek: &[u8], ak: &[u8], expires: Time) -> Result<Challenge, Problem> {
    let of = |name: &str, why: ActivationError| {
        Problem::new(Kind::Unprocessable, format!("`{name}`: {}", sentence(&why)))
    };
    let ek = EndorsementKey::read(ek).map_err(|why| of("ek", why))?;
    let ak = AttestationKey::read(ak).map_err(|why| of("ak", why))?;
    let mut tries = 0..TRIES;
    loop {
        let mut bytes = [0; RANDOM_LEN];
        random(&mut bytes)?;
        match Challenge::new(&ek, &ak, expires, &bytes) {
            Err(ActivationError::Randomness) if tries.next().is_some() => {}
            made => return made.map_err(|e| Problem::internal(&e)),
        }
    }
}

fn random(bytes: &mut [u8]) -> Result<(), Problem> {
    rand::fill(bytes).map_err(|_| Problem::internal(&keyvouch_store::StoreError::Random))
}

/// Forgets challenges that are long over, at one of sixty-four that are given out: so none stays, however many nodes
/// there are, and none waits for it.
fn forget_now_and_then(service: &Arc<Service>, random: &[u8]) -> Result<(), Problem> {
    if random.last().is_none_or(|byte| byte % 64 != 0) {
        return Ok(());
    }
    let before = now_ms()?.saturating_sub(REMEMBERED);
    let store = service.store.clone();
    tokio::spawn(async move {
        match store.forget_challenges(before).await {
            Ok(forgotten) => tracing::debug!(forgotten, "challenges that are over were forgotten"),
            Err(error) => tracing::warn!(%error, "challenges that are over could not be forgotten"),
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_state_of_a_nonce_is_the_nonce() {
        for bytes in [8, 32, 64] {
            assert_eq!(super::nonce(bytes).unwrap().len(), usize::from(bytes) * 2);
        }
        assert!(super::nonce(7).is_err() && super::nonce(65).is_err());
    }
}
