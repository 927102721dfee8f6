//! AWS KMS: an envelope on the subscriber's side, its sending on the CA's.

use std::env;

use aws_lc_rs::{digest, rand};
use keyvouch::provider::aws_kms::{MEDIA_TYPE, Ready, ReadyRequest, endpoint_of_key};
use keyvouch::{File, Time};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::http::{Answer, Question};
use crate::sigv4::{self, ToSign};
use crate::{Client, Endpoint, Error, Exchange, Secret};

const SERVICE: &str = "kms";
const REQUEST_ID: &str = "x-amzn-requestid";

/// Credentials of AWS, permanent or temporary.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Names the key; no secret.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: Secret,
    /// Of temporary credentials.
    pub session_token: Option<Secret>,
}

impl Credentials {
    /// Those of the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// When one of the first two is not there, or one has characters that it cannot have.
    pub fn from_env() -> Result<Self, Error> {
        let variable = |name: &'static str| match env::var(name) {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) if text.bytes().all(|c| c.is_ascii_graphic()) => Ok(Some(text)),
            Err(env::VarError::NotPresent) => Ok(None),
            _ => Err(Error::BadCredential(name)),
        };
        let needed = |name: &'static str| variable(name)?.ok_or(Error::NoCredential(name));
        Ok(Self {
            access_key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret_access_key: Secret::new(needed("AWS_SECRET_ACCESS_KEY")?),
            session_token: variable("AWS_SESSION_TOKEN")?.map(Secret::new),
        })
    }
}

/// A nonce for an order: nobody could know it before, and it belongs to this CA and this request.
///
/// # Errors
/// [`Error::Random`].
pub fn nonce(ca: &str, request: &[u8]) -> Result<[u8; 32], Error> {
    let mut random = [0; 32];
    rand::fill(&mut random).map_err(|_| Error::Random)?;
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"keyvouch provider nonce v1\0");
    // Digests, so that no two inputs run into each other.
    context.update(digest::digest(&digest::SHA256, ca.as_bytes()).as_ref());
    context.update(digest::digest(&digest::SHA256, request).as_ref());
    context.update(&random);
    let mut nonce = [0; 32];
    nonce.copy_from_slice(context.finish().as_ref());
    Ok(nonce)
}

/// Makes an envelope: requests for DescribeKey and GetPublicKey about one key, signed now. For a CA that asks with
/// credentials of its own it is the same, sent at once.
///
/// # Errors
/// When `arn` is not the full ARN of a key, or what was made would not be sent.
pub fn prepare(credentials: &Credentials, arn: &str, nonce: &[u8], at: Time) -> Result<String, Error> {
    let (region, host) = endpoint_of_key(arn).ok_or(Error::NotAnArn)?;
    if !(16..=64).contains(&nonce.len()) {
        return Err(Error::BadNonce);
    }
    let nonce_text = hex::encode(nonce);
    let requests: Vec<Value> = ["DescribeKey", "GetPublicKey"]
        .iter()
        .map(|operation| signed(credentials, operation, arn, (&region, &host), &nonce_text, at))
        .collect();
    let envelope = json!({
        "type": "aws-kms-signed-requests", "version": 1, "nonce": nonce_text, "requests": requests,
    });
    let text = format!("{envelope:#}\n");
    Ready::judge(text.as_bytes(), nonce, at).map_err(Error::Refused)?;
    Ok(text)
}

fn signed(
    credentials: &Credentials,
    operation: &str,
    arn: &str,
    (region, host): (&str, &str),
    nonce: &str,
    at: Time,
) -> Value {
    let (target, date) = (format!("TrentService.{operation}"), date(at));
    let body = json!({ "KeyId": arn }).to_string();
    let mut headers = vec![
        ("content-type", MEDIA_TYPE),
        ("x-amz-date", date.as_str()),
        ("x-amz-target", target.as_str()),
        ("x-rka-nonce", nonce),
    ];
    if let Some(token) = &credentials.session_token {
        headers.push(("x-amz-security-token", token.expose()));
    }
    let mut written: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    headers.push(("host", host));
    let to_sign = ToSign { headers, body: &body, date: &date, region, service: SERVICE };
    let authorization =
        sigv4::authorization(&to_sign, &credentials.access_key_id, &credentials.secret_access_key);
    written.insert("authorization".to_owned(), authorization.into());
    json!({ "method": "POST", "url": format!("https://{host}/"), "headers": written, "body": body })
}

/// `20260302T101500Z`
fn date(at: Time) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.unix()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Sends both requests of an envelope to KMS, or to the operator's endpoint for it, and keeps the answers.
///
/// # Errors
/// When one is not answered with status 200 and JSON of the right type.
pub fn send(
    client: &Client,
    ready: &Ready,
    endpoint: Option<&Endpoint>,
    at: Time,
) -> Result<Exchange, Error> {
    let own = Endpoint::of_host(ready.host());
    let address = endpoint.unwrap_or(&own);
    let mut answers = Vec::new();
    let mut operations = Vec::new();
    for (operation, request, name) in [
        ("DescribeKey", ready.describe(), "describe-key.response.json"),
        ("GetPublicKey", ready.publish(), "get-public-key.response.json"),
    ] {
        let answer = ask(client, ready.host(), address, operation, request)?;
        operations.push(json!({
            "operation": operation, "http_status": answer.status, "request_id": answer.request_id,
            "answer": name, "answer_sha256": hex::encode(digest::digest(&digest::SHA256, &answer.bytes)),
        }));
        answers.push(File::new(name, answer.bytes));
    }
    let record = json!({
        "schema": "keyvouch.provider-exchange/1", "provider": "aws-kms", "at": at.to_string(),
        "host": ready.host(), "region": ready.region(), "key_arn": ready.key_arn(),
        "signer_access_key_id": ready.access_key_id(), "operations": operations,
        // What came from elsewhere than the provider proves nothing of it: the record says so.
        "endpoint_of_the_operator": endpoint.map(Endpoint::base), "tls": address.is_tls(),
    });
    Ok(Exchange { answers, record })
}

fn ask(
    client: &Client,
    host: &str,
    endpoint: &Endpoint,
    operation: &'static str,
    request: &ReadyRequest,
) -> Result<Answer, Error> {
    let answer = client.ask(&Question {
        endpoint,
        host,
        path: "/",
        headers: request.headers().collect(),
        body: Some(request.body()),
        operation,
        request_id: REQUEST_ID,
    })?;
    if answer.status != 200 {
        let code = code_of(&answer.bytes);
        return Err(Error::Status { host: host.to_owned(), operation, status: answer.status, code });
    }
    if answer.content_type != MEDIA_TYPE {
        let why = "it is not JSON of KMS (application/x-amz-json-1.1)";
        return Err(Error::Answer { host: host.to_owned(), operation, why });
    }
    Ok(answer)
}

/// AWS's word for an error; the message beside it may name things of the subscriber.
fn code_of(bytes: &[u8]) -> String {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let kind = value.get("__type").and_then(Value::as_str).unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    kind.chars().filter(char::is_ascii_alphanumeric).take(60).collect()
}
