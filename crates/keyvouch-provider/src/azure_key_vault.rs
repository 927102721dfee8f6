//! Azure Key Vault: the CA asks the vault with a token of its own principal.

use std::env;

use aws_lc_rs::digest;
use keyvouch::provider::azure_key_vault::KeyIdentifier;
use keyvouch::{File, Time};
use serde_json::{Value, json};

use crate::http::Question;
use crate::{Client, Endpoint, Error, Exchange, Secret};

/// The API version that answers are read by.
const API_VERSION: &str = "7.4";
const REQUEST_ID: &str = "x-ms-request-id";
const OPERATION: &str = "GET key";
/// Where the token is looked for.
pub const TOKEN_VARIABLE: &str = "AZURE_ACCESS_TOKEN";

/// The token of the environment, [`TOKEN_VARIABLE`]: `az account get-access-token --resource https://vault.azure.net`.
///
/// # Errors
/// When it is not there, or has characters that no token has.
pub fn token_from_env() -> Result<Secret, Error> {
    match env::var(TOKEN_VARIABLE) {
        Ok(text) if text.is_empty() => Err(Error::NoCredential(TOKEN_VARIABLE)),
        Ok(text) if text.bytes().all(|c| c.is_ascii_graphic()) => Ok(Secret::new(text)),
        Err(env::VarError::NotPresent) => Err(Error::NoCredential(TOKEN_VARIABLE)),
        _ => Err(Error::BadCredential(TOKEN_VARIABLE)),
    }
}

/// Asks a vault, or the operator's endpoint for it, about a key and keeps the answer.
///
/// # Errors
/// When `kid` names no version of a key in a vault, or the answer is not of status 200 and JSON.
pub fn fetch(
    client: &Client,
    kid: &str,
    token: &Secret,
    endpoint: Option<&Endpoint>,
    at: Time,
) -> Result<Exchange, Error> {
    let key = KeyIdentifier::parse(kid).map_err(Error::NotAKid)?;
    let own = Endpoint::of_host(&key.host);
    let address = endpoint.unwrap_or(&own);
    let authorization = format!("Bearer {}", token.expose());
    let path = format!("{}?api-version={API_VERSION}", key.path);
    let answer = client.ask(&Question {
        endpoint: address,
        host: &key.host,
        path: &path,
        headers: vec![("authorization", &authorization)],
        body: None,
        operation: OPERATION,
        request_id: REQUEST_ID,
    })?;
    let host = key.host.clone();
    if answer.status != 200 {
        let code = code_of(&answer.bytes);
        return Err(Error::Status { host, operation: OPERATION, status: answer.status, code });
    }
    let media_type = answer.content_type.split(';').next().unwrap_or_default().trim();
    if media_type != "application/json" {
        return Err(Error::Answer { host, operation: OPERATION, why: "it is not JSON" });
    }
    // The vault must speak of the key that it was asked about.
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    let named = body.pointer("/key/kid").and_then(Value::as_str).map(KeyIdentifier::parse);
    if named != Some(Ok(key.clone())) {
        return Err(Error::Answer { host, operation: OPERATION, why: "it is about another key" });
    }
    const NAME: &str = "key.response.json";
    let record = json!({
        "schema": "keyvouch.provider-exchange/1", "provider": "azure-key-vault", "at": at.to_string(),
        "host": host, "path": path,
        "operations": [{
            "operation": OPERATION, "http_status": answer.status, "request_id": answer.request_id, "answer": NAME,
            "answer_sha256": hex::encode(digest::digest(&digest::SHA256, &answer.bytes)),
        }],
        "endpoint_of_the_operator": endpoint.map(Endpoint::base), "tls": address.is_tls(),
    });
    Ok(Exchange { answers: vec![File::new(NAME, answer.bytes)], record })
}

/// Microsoft's word for an error.
fn code_of(bytes: &[u8]) -> String {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let code = value.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
    code.chars().filter(char::is_ascii_alphanumeric).take(60).collect()
}
