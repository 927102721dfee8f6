//! The envelope: two requests to KMS that the subscriber signed (AWS Signature Version 4) and the CA sends.
//!
//! A signature of that kind is good for one exact request, once sent to AWS it is checked there; nobody else can
//! check it, for the key is a secret between AWS and the signer. What is checked here is that sending the requests
//! can do nothing but ask KMS about one key: the address, every header and the body are held against what they must
//! be, byte for byte. (The fault of CVE-2020-16250 was to be lenient at this place.)

use serde_json::{Map, Value};

use super::checks as ck;
use super::names::{Endpoint, KeyArn};
use super::sigv4::{self, Authorization};
use crate::checks::{Check, Checks};
use crate::crypto::sha256;
use crate::input::parse_json;
use crate::time::Time;

/// The member `type` of an envelope.
pub(super) const TYPE: &str = "aws-kms-signed-requests";
const MAX_BODY: usize = 4096;
/// Session tokens have no documented bound; those seen have up to 2 KiB.
const MAX_VALUE: usize = 8192;
/// How far the time of signing may lie from the time of sending, in seconds.
const WINDOW: i64 = 300;

pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
pub(crate) const NONCE_HEADER: &str = "x-rka-nonce";
const DESCRIBE: &str = "TrentService.DescribeKey";
const PUBLIC: &str = "TrentService.GetPublicKey";

/// Every header that may be there, in lower case.
const ALLOWED: [&str; 8] = [
    "authorization",
    "content-type",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
    NONCE_HEADER,
];
/// Those that the signature must cover.
const MUST_BE_SIGNED: [&str; 5] = ["content-type", "host", "x-amz-date", "x-amz-target", NONCE_HEADER];

/// A request as it stands in the envelope. Only its form was looked at.
#[derive(Debug)]
pub(super) struct Request<'a> {
    method: &'a str,
    url: &'a str,
    /// As written.
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

impl<'a> Request<'a> {
    /// A header, whatever the case of its name; none when it is there twice.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(*value)
    }

    pub(super) fn body(&self) -> &'a str {
        self.body
    }

    pub(super) fn authorization(&self) -> Option<Authorization<'a>> {
        Authorization::parse(self.header("authorization")?)
    }

    fn date(&self) -> Option<(Time, &'a str)> {
        let text = self.header("x-amz-date")?;
        Some((sigv4::time(text)?, text.get(..8)?))
    }
}

/// An envelope of the right form.
#[derive(Debug)]
pub(super) struct Form<'a> {
    pub(super) nonce: &'a str,
    pub(super) requests: [Request<'a>; 2],
}

impl<'a> Form<'a> {
    pub(super) fn read(value: &'a Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("it is no object")?;
        only(members, &["nonce", "requests", "type", "version"])?;
        if members.get("type").and_then(Value::as_str) != Some(TYPE) {
            return Err("type is another".to_owned());
        }
        if members.get("version").and_then(Value::as_u64) != Some(1) {
            return Err("version is not the number 1".to_owned());
        }
        let nonce = members.get("nonce").and_then(Value::as_str).ok_or("nonce is no text")?;
        let requests = members.get("requests").and_then(Value::as_array).ok_or("requests is no list")?;
        let [first, second] = requests.as_slice() else {
            return Err(format!("it holds {} requests, not two", requests.len()));
        };
        Ok(Self { nonce, requests: [request(first)?, request(second)?] })
    }
}

fn only(members: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(_) => Err(format!("it has members other than {}", names.join(", "))),
    }
}

fn request(value: &Value) -> Result<Request<'_>, String> {
    let members = value.as_object().ok_or("a request is no object")?;
    only(members, &["body", "headers", "method", "url"])?;
    let text = |name: &str| {
        let value = members.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("{name} of a request is no text"))
    };
    let headers = members.get("headers").and_then(Value::as_object).ok_or("headers is no object")?;
    let headers: Option<Vec<(&str, &str)>> =
        headers.iter().map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
    let headers = headers.ok_or("the value of a header is no text")?;
    let body = text("body")?;
    if body.len() > MAX_BODY {
        return Err(format!("a body has more than {MAX_BODY} bytes"));
    }
    Ok(Request { method: text("method")?, url: text("url")?, headers, body })
}

/// What the envelope is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) nonce: Option<&'a [u8]>,
    pub(super) at: Time,
}

/// An envelope that may be sent.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) arn: KeyArn,
    /// DescribeKey, then GetPublicKey.
    pub(super) requests: [Request<'a>; 2],
}

/// Makes every check of the envelope; the envelope where all of them hold.
pub(super) fn judge<'a>(
    form: Form<'a>,
    asked: Asked<'_>,
    place: &str,
    checks: &mut Checks,
) -> Option<Envelope<'a>> {
    let endpoint = record(checks, &ck::HOST, place, host(&form.requests), |e| {
        format!("to {}, by its bare address", e.host)
    });
    let both = |check: &'static Check,
                test: &dyn Fn(&Request<'a>) -> Result<(), String>,
                right: &str,
                checks: &mut Checks| {
        let found = form.requests.iter().try_for_each(test);
        record(checks, check, place, found, |()| right.to_owned()).is_some()
    };
    let good_headers = both(&ck::HEADER, &|r| headers(r, endpoint.as_ref()), "no header too many", checks);
    let signed = both(
        &ck::SIGNED_HEADERS,
        &|r| signature(r, endpoint.as_ref()),
        "AWS Signature Version 4 over every header; AWS checks the signatures themselves",
        checks,
    );
    let swapped = record(checks, &ck::TARGET, place, target(&form.requests), |_| {
        "DescribeKey and GetPublicKey".to_owned()
    });
    let arn = record(checks, &ck::KEY_ID, place, key_id(&form.requests, endpoint.as_ref()), |arn| {
        format!("both ask for {arn}")
    });
    let fresh = record(checks, &ck::NONCE, place, nonce(&form, asked.nonce), |()| {
        "the nonce of this order, in both requests".to_owned()
    });
    let in_time = both(&ck::STALE, &|r| age(r, asked.at), "signed within five minutes of being sent", checks);
    if !(good_headers && signed && in_time) {
        return None;
    }
    let (endpoint, arn, swapped) = (endpoint?, arn?, swapped?);
    fresh?;
    let [first, second] = form.requests;
    let requests = if swapped { [second, first] } else { [first, second] };
    Some(Envelope { endpoint, arn, requests })
}

fn record<T>(
    checks: &mut Checks,
    check: &'static Check,
    place: &str,
    found: Result<T, String>,
    right: impl FnOnce(&T) -> String,
) -> Option<T> {
    match found {
        Ok(value) => {
            checks.pass(check, place.to_owned(), right(&value));
            Some(value)
        }
        Err(why) => {
            checks.fail(check, place.to_owned(), why);
            None
        }
    }
}

fn host(requests: &[Request<'_>; 2]) -> Result<Endpoint, String> {
    let [first, second] = requests;
    if [first, second].iter().any(|r| r.method != "POST") {
        return Err("a request is no POST".to_owned());
    }
    let of = |r: &Request<'_>| {
        Endpoint::of_url(r.url)
            .ok_or("a request does not go to https://kms.REGION.amazonaws.com/ or another address of KMS")
    };
    let (one, other) = (of(first)?, of(second)?);
    if one != other {
        return Err("the requests go to two endpoints".to_owned());
    }
    Ok(one)
}

fn headers(request: &Request<'_>, endpoint: Option<&Endpoint>) -> Result<(), String> {
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        // The names of others are not repeated: a credential may be among them.
        if !ALLOWED.contains(&name.as_str()) {
            return Err("a request has a header that it needs not".to_owned());
        }
        if seen.contains(&name) {
            return Err(format!("header {name} is there twice"));
        }
        let printable = value.bytes().all(|c| matches!(c, 0x20..=0x7e)) && value.trim() == *value;
        if value.is_empty() || value.len() > MAX_VALUE || !printable || value.contains("  ") {
            return Err(format!("header {name} has a value out of form"));
        }
        seen.push(name);
    }
    if request.header("content-type") != Some(CONTENT_TYPE) {
        return Err(format!("header content-type is not {CONTENT_TYPE}"));
    }
    if let (Some(host), Some(endpoint)) = (request.header("host"), endpoint)
        && host != endpoint.host
    {
        return Err("header host names another host than the address".to_owned());
    }
    if let Some(digest) = request.header("x-amz-content-sha256")
        && digest != hex::encode(sha256(request.body.as_bytes()))
    {
        return Err("header x-amz-content-sha256 is not the digest of the body".to_owned());
    }
    Ok(())
}

fn signature(request: &Request<'_>, endpoint: Option<&Endpoint>) -> Result<(), String> {
    let found = request.authorization().ok_or("header authorization is not of AWS4-HMAC-SHA256")?;
    let (_, day) = request.date().ok_or("there is no time of signing (header x-amz-date)")?;
    if found.day != day {
        return Err("the signature is for another day than the time of signing".to_owned());
    }
    if endpoint.is_some_and(|e| e.region.as_str() != found.region) {
        return Err("the signature is for another Region than the address".to_owned());
    }
    if found.service != "kms" {
        return Err("the signature is for another service than kms".to_owned());
    }
    let must = MUST_BE_SIGNED.iter().copied();
    let sent: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let covered = |name: &str| found.signed.contains(&name);
    if let Some(name) =
        must.chain(sent.iter().map(String::as_str)).find(|n| *n != "authorization" && !covered(n))
    {
        return Err(format!("the signature does not cover the header {name}"));
    }
    let known = |name: &&str| *name == "host" || sent.iter().any(|s| s == name);
    if !found.signed.iter().all(known) {
        return Err("the signature covers a header that is not there".to_owned());
    }
    Ok(())
}

/// Whether the requests are in the other order than DescribeKey, GetPublicKey.
fn target(requests: &[Request<'_>; 2]) -> Result<bool, String> {
    let [first, second] = requests;
    match (first.header("x-amz-target"), second.header("x-amz-target")) {
        (Some(DESCRIBE), Some(PUBLIC)) => Ok(false),
        (Some(PUBLIC), Some(DESCRIBE)) => Ok(true),
        _ => Err("the requests are not one for DescribeKey and one for GetPublicKey".to_owned()),
    }
}

fn key_id(requests: &[Request<'_>; 2], endpoint: Option<&Endpoint>) -> Result<KeyArn, String> {
    let of = |r: &Request<'_>| {
        let body = parse_json(r.body.as_bytes()).map_err(|_| "a body is not strict JSON")?;
        let members = body.as_object().filter(|m| m.len() == 1);
        let id = members.and_then(|m| m.get("KeyId")).and_then(Value::as_str);
        let id = id.ok_or("a body holds something else than KeyId alone")?;
        KeyArn::parse(id).ok_or("KeyId is not the full ARN of a key")
    };
    let [first, second] = requests;
    let (one, other) = (of(first)?, of(second)?);
    if one != other {
        return Err("the requests ask for two different keys".to_owned());
    }
    if endpoint.is_some_and(|e| e.region != one.region) {
        return Err("the key is in another Region than the requests go to".to_owned());
    }
    Ok(one)
}

fn nonce(form: &Form<'_>, given: Option<&[u8]>) -> Result<(), String> {
    if form.requests.iter().any(|r| r.header(NONCE_HEADER) != Some(form.nonce)) {
        return Err("the nonce of the envelope is not in both requests".to_owned());
    }
    let given = given.ok_or("the verifier was given no nonce: nothing ties the envelope to an order")?;
    if hex::decode(form.nonce).as_deref() != Ok(given) {
        return Err("the envelope was made with another nonce than that of this order".to_owned());
    }
    Ok(())
}

fn age(request: &Request<'_>, at: Time) -> Result<(), String> {
    let (signed, _) = request.date().ok_or("there is no time of signing (header x-amz-date)")?;
    if at < signed.plus_seconds(-WINDOW) {
        return Err(format!("signed at {signed}, more than five minutes after {at}"));
    }
    if at > signed.plus_seconds(WINDOW) {
        return Err(format!("signed at {signed}, more than five minutes before {at}"));
    }
    Ok(())
}
