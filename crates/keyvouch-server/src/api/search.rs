//! Finding records.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use keyvouch::{Authenticity, Time, Verdict};
use keyvouch_store::{Filter, Found, FoundStatement, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::appraisals::time;
use super::document;
use super::extract::Parameters;
use crate::auth::Caller;
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// Records on a page when the client does not say how many.
const PAGE: u32 = 50;
/// The most records on a page.
const MAX_PAGE: u32 = 500;

/// Which records. Every part that is given must hold; the parts about a statement must hold for one statement.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// SHA-256 of the attested key's SubjectPublicKeyInfo.
    #[param(pattern = "^[0-9a-fA-F]{64}$", nullable = false)]
    spki_sha256: Option<String>,
    /// SHA-256 of the request file.
    #[param(pattern = "^[0-9a-fA-F]{64}$", nullable = false)]
    request_sha256: Option<String>,
    /// Maker of the device.
    #[param(nullable = false)]
    vendor: Option<String>,
    /// Model of the device.
    #[param(nullable = false)]
    model: Option<String>,
    /// Serial number of the device.
    #[param(nullable = false)]
    serial: Option<String>,
    /// The lowest firmware.
    #[param(nullable = false)]
    firmware_from: Option<String>,
    /// The highest firmware: also what begins with it.
    #[param(nullable = false)]
    firmware_to: Option<String>,
    /// Id of the format.
    #[param(nullable = false)]
    format: Option<String>,
    /// Whether the statement was authentic.
    #[param(schema_with = document::authenticity)]
    authenticity: Option<String>,
    /// The verdict of all policies; `none` when none judged.
    #[param(schema_with = document::verdict_or_none)]
    verdict: Option<String>,
    /// Name of a policy that judged.
    #[param(nullable = false)]
    policy: Option<String>,
    /// Recorded at or after.
    #[param(format = DateTime, nullable = false)]
    since: Option<String>,
    /// Recorded before.
    #[param(format = DateTime, nullable = false)]
    until: Option<String>,
    /// The most records of the answer.
    #[param(minimum = 1, maximum = 500, default = 50, nullable = false)]
    limit: Option<u32>,
    /// Where to go on: `next` of the answer before.
    #[param(pattern = "^c[0-9a-f]{1,16}$", nullable = false)]
    cursor: Option<String>,
}

/// Records, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Records {
    /// The records.
    records: Vec<FoundRecord>,
    /// The cursor of the next page; nothing on the last.
    next: Option<String>,
}

/// A record that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundRecord {
    /// Its id.
    id: String,
    /// Its place in the log.
    leaf: u64,
    /// When it was recorded.
    #[schema(format = DateTime)]
    recorded_at: String,
    /// The time as of which it was judged.
    #[schema(format = DateTime)]
    judged_at: String,
    /// Who asked.
    submitter: String,
    /// The verdict of all policies; nothing when none judged.
    #[schema(schema_with = document::verdict)]
    verdict: Option<String>,
    /// The policies that judged.
    policies: Vec<String>,
    /// SHA-256 of the request, if there was one.
    request_sha256: Option<String>,
    /// Whether its contents are gone.
    pruned: bool,
    /// The statements that were found in the evidence.
    statements: Vec<FoundKey>,
}

/// A statement of a record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundKey {
    /// Id of the format; empty when nobody knew the evidence.
    format: String,
    /// Whether it was authentic.
    #[schema(schema_with = document::authenticity)]
    authenticity: String,
    /// SHA-256 of the attested key.
    spki_sha256: Option<String>,
    /// Maker of the device.
    vendor: Option<String>,
    /// Model of the device.
    model: Option<String>,
    /// Serial number of the device.
    serial: Option<String>,
    /// Firmware of the device.
    firmware: Option<String>,
}

impl From<FoundStatement> for FoundKey {
    fn from(found: FoundStatement) -> Self {
        let FoundStatement { format, authenticity, spki_sha256, vendor, model, serial, firmware } = found;
        Self { format, authenticity, spki_sha256, vendor, model, serial, firmware }
    }
}

impl From<Found> for FoundRecord {
    fn from(found: Found) -> Self {
        Self {
            id: found.id,
            leaf: found.leaf,
            recorded_at: time(found.recorded_at),
            judged_at: Time::from_unix(found.judged_at).to_string(),
            submitter: found.submitter,
            verdict: Some(found.verdict).filter(|verdict| verdict != NONE),
            policies: found.policies.split_whitespace().map(str::to_owned).collect(),
            request_sha256: found.request_sha256,
            pruned: found.pruned,
            statements: found.statements.into_iter().map(FoundKey::from).collect(),
        }
    }
}

/// Find appraisals.
///
/// The newest first, a page at a time.
#[utoipa::path(
    get, path = "/v1/appraisals", tag = "Appraisals", operation_id = "search",
    params(Wanted),
    responses((
        status = 200, description = "The records.", body = Records,
        headers(("Link" = Option<String>, description = "`rel=\"next\"`: the address of the next page, when there is one.")),
    )),
    extensions(("x-problems" = json!([400, 403, 422]))),
    security(("bearer" = [])),
)]
pub(crate) async fn search(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Parameters(wanted): Parameters<Wanted>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    caller.must_be(Role::Read)?;
    let before = wanted.cursor.as_deref().map(place).transpose()?;
    let limit = match wanted.limit {
        None => PAGE,
        Some(limit @ 1..=MAX_PAGE) => limit,
        Some(_) => return Err(wrong("limit", &format!("write a number from 1 to {MAX_PAGE}"))),
    };
    let page = service.store.search(&wanted.filter()?, before, limit).await?;
    let next = page.next.map(cursor);
    let link = next.as_deref().map(|next| {
        let kept = query.unwrap_or_default().replace('>', "%3E");
        let kept = kept.split('&').filter(|part| !part.is_empty() && !part.starts_with("cursor="));
        let all: Vec<String> = kept.map(str::to_owned).chain([format!("cursor={next}")]).collect();
        [(header::LINK, format!("</v1/appraisals?{}>; rel=\"next\"", all.join("&")))]
    });
    let records = page.records.into_iter().map(FoundRecord::from).collect();
    Ok((link, Json(Records { records, next })).into_response())
}

/// The verdict of a record that no policy judged.
const NONE: &str = "none";

impl Wanted {
    fn filter(self) -> Result<Filter, Problem> {
        let verdicts = [Verdict::Accept, Verdict::AcceptWithFindings, Verdict::CannotDecide, Verdict::Refuse];
        let verdicts: Vec<&str> = verdicts.iter().map(|v| v.as_str()).chain([NONE]).collect();
        let authenticities = [
            Authenticity::Authentic,
            Authenticity::NotAuthentic,
            Authenticity::Undecided,
            Authenticity::NotAttestable,
        ];
        let authenticities: Vec<&str> = authenticities.iter().map(|a| a.as_str()).collect();
        Ok(Filter {
            spki_sha256: digest("spki_sha256", self.spki_sha256)?,
            request_sha256: digest("request_sha256", self.request_sha256)?,
            vendor: self.vendor,
            model: self.model,
            serial: self.serial,
            firmware_from: self.firmware_from,
            firmware_to: self.firmware_to,
            format: self.format,
            authenticity: word("authenticity", self.authenticity, &authenticities)?,
            verdict: word("verdict", self.verdict, &verdicts)?,
            policy: self.policy,
            since: moment("since", self.since)?,
            until: moment("until", self.until)?,
        })
    }
}

fn wrong(name: &str, why: &str) -> Problem {
    Problem::new(Kind::Unprocessable, format!("`{name}`: {why}."))
}

fn digest(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Err(wrong(name, "write the 64 hexadecimal digits of a SHA-256"))
        }
        value => Ok(value),
    }
}

fn word(name: &str, value: Option<String>, words: &[&str]) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if !words.contains(&text.as_str()) => {
            Err(wrong(name, &format!("write one of {}", words.join(", "))))
        }
        value => Ok(value),
    }
}

fn moment(name: &str, value: Option<String>) -> Result<Option<Time>, Problem> {
    let read = |text: String| {
        text.parse().map_err(|_| {
            wrong(name, "write date, time and zone as in 2026-06-01T00:00:00Z (a + of the zone as %2B)")
        })
    };
    value.map(read).transpose()
}

fn cursor(leaf: u64) -> String {
    format!("c{leaf:x}")
}

fn place(cursor: &str) -> Result<u64, Problem> {
    let digits =
        cursor.strip_prefix('c').filter(|d| d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    let leaf = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    leaf.ok_or_else(|| wrong("cursor", "send `next` of the answer before as it is"))
}
