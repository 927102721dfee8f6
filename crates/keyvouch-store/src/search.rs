//! Finding records.

use keyvouch::Time;

use crate::append::Store;
use crate::db::read;
use crate::error::StoreError;
use crate::firmware;

/// The most records on a page.
const MAX_PAGE: u32 = 500;

/// Which records. Every part that is given must hold; the parts about a statement must hold for one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// SHA-256 of the attested key's SubjectPublicKeyInfo, hexadecimal.
    pub spki_sha256: Option<String>,
    /// SHA-256 of the request file, hexadecimal.
    pub request_sha256: Option<String>,
    /// Maker of the device.
    pub vendor: Option<String>,
    /// Model of the device.
    pub model: Option<String>,
    /// Serial number of the device.
    pub serial: Option<String>,
    /// The lowest firmware.
    pub firmware_from: Option<String>,
    /// The highest firmware.
    pub firmware_to: Option<String>,
    /// Id of the format.
    pub format: Option<String>,
    /// `authentic`, `not-authentic`, `undecided` or `not-attestable`.
    pub authenticity: Option<String>,
    /// `accept`, `accept-with-findings`, `refuse` or `cannot-decide`.
    pub verdict: Option<String>,
    /// Name of a policy that judged.
    pub policy: Option<String>,
    /// Recorded at or after.
    #[serde(with = "time_text")]
    pub since: Option<Time>,
    /// Recorded before.
    #[serde(with = "time_text")]
    pub until: Option<Time>,
}

mod time_text {
    use keyvouch::Time;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
        time.map(|t| t.to_string()).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Time>, D::Error> {
        let text = Option::<String>::deserialize(d)?;
        text.map(|t| t.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

/// A page of records, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Page {
    /// The records.
    pub records: Vec<Found>,
    /// Where the next page begins. Nothing when this is the last.
    pub next: Option<u64>,
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Its place in the log.
    pub leaf: u64,
    /// Milliseconds since 1970.
    pub recorded_at: i64,
    /// Seconds since 1970: the time at which it was judged.
    pub judged_at: i64,
    /// Who asked.
    pub submitter: String,
    /// The verdict of all policies.
    pub verdict: String,
    /// Names of the policies, divided by spaces.
    pub policies: String,
    /// SHA-256 of the request.
    pub request_sha256: Option<String>,
    /// Whether its contents are gone.
    pub pruned: bool,
    /// Its statements.
    pub statements: Vec<FoundStatement>,
}

/// A statement of a record that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FoundStatement {
    /// Id of the format; empty when nobody knew the evidence.
    pub format: String,
    /// Whether it was authentic.
    pub authenticity: String,
    /// SHA-256 of the attested key.
    pub spki_sha256: Option<String>,
    /// Maker of the device.
    pub vendor: Option<String>,
    /// Model of the device.
    pub model: Option<String>,
    /// Serial number of the device.
    pub serial: Option<String>,
    /// Firmware of the device.
    pub firmware: Option<String>,
}

/// The condition, with one place for every part. A part that is not given is NULL.
macro_rules! condition {
    () => {
        "(CAST($1 AS TEXT) IS NULL OR r.request_sha256 = $1)
         AND (CAST($2 AS TEXT) IS NULL OR r.verdict = $2)
         AND (CAST($3 AS TEXT) IS NULL OR ' ' || r.policies || ' ' LIKE '% ' || $3 || ' %' ESCAPE '!')
         AND (CAST($4 AS BIGINT) IS NULL OR r.recorded_at >= $4)
         AND (CAST($5 AS BIGINT) IS NULL OR r.recorded_at < $5)
         AND (CAST($6 AS BIGINT) IS NULL OR r.leaf < $6)
         AND (CAST($7 AS BIGINT) = 0 OR EXISTS (
             SELECT 1 FROM statements s WHERE s.leaf = r.leaf
             AND (CAST($8 AS TEXT) IS NULL OR s.spki_sha256 = $8)
             AND (CAST($9 AS TEXT) IS NULL OR s.vendor = $9)
             AND (CAST($10 AS TEXT) IS NULL OR s.model = $10)
             AND (CAST($11 AS TEXT) IS NULL OR s.serial = $11)
             AND (CAST($12 AS TEXT) IS NULL OR s.firmware_order >= $12)
             AND (CAST($13 AS TEXT) IS NULL OR s.firmware_order <= $13)
             AND (CAST($14 AS TEXT) IS NULL OR s.format = $14)
             AND (CAST($15 AS TEXT) IS NULL OR s.authenticity = $15)))"
    };
}

/// Binds the parts of a filter to the places of the condition.
macro_rules! bind {
    ($query:expr, $filter:expr, $before:expr) => {{
        let filter: &Filter = $filter;
        let of_statement = filter.names_a_statement();
        $query
            .bind(filter.request_sha256.as_deref().map(str::to_lowercase))
            .bind(filter.verdict.clone())
            .bind(filter.policy.as_deref().map(literally))
            .bind(filter.since.map(milliseconds))
            .bind(filter.until.map(milliseconds))
            .bind($before)
            .bind(i64::from(of_statement))
            .bind(filter.spki_sha256.as_deref().map(str::to_lowercase))
            .bind(filter.vendor.clone())
            .bind(filter.model.clone())
            .bind(filter.serial.clone())
            .bind(filter.firmware_from.as_deref().map(lowest))
            .bind(filter.firmware_to.as_deref().map(highest))
            .bind(filter.format.clone())
            .bind(filter.authenticity.clone())
    }};
}

pub(crate) use {bind, condition};

impl Filter {
    pub(crate) fn names_a_statement(&self) -> bool {
        [
            &self.spki_sha256,
            &self.vendor,
            &self.model,
            &self.serial,
            &self.firmware_from,
            &self.firmware_to,
            &self.format,
            &self.authenticity,
        ]
        .iter()
        .any(|part| part.is_some())
    }
}

pub(crate) fn milliseconds(time: Time) -> i64 {
    time.unix().saturating_mul(1000)
}

/// For LIKE, with no character that has a meaning there.
pub(crate) fn literally(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

pub(crate) fn lowest(version: &str) -> String {
    firmware::order(version).unwrap_or_else(|| version.to_owned())
}

/// Also every version that begins with the given one: 5.7.4 is not above 5.7.
pub(crate) fn highest(version: &str) -> String {
    let mut order = lowest(version);
    order.push('.');
    order.push(char::MAX);
    order
}

type Row = (i64, String, i64, i64, String, String, String, Option<String>, i64);
type StatementRow = (
    i64,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Store {
    /// Records that the filter names, the newest first: at most `limit`, before the place `before` in the log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn search(&self, filter: &Filter, before: Option<u64>, limit: u32) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let before = before.map(|leaf| i64::try_from(leaf).unwrap_or(i64::MAX));
        // One more than asked for, to know whether there are more.
        let rows: Vec<Row> = read!(&self.db, pool => {
            bind!(
                sqlx::query_as(concat!(
                    "SELECT r.leaf, r.id, r.recorded_at, r.judged_at, r.submitter, r.verdict, r.policies,
                            r.request_sha256, CASE WHEN r.manifest IS NULL THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END
                     FROM records r WHERE ",
                    condition!(),
                    " ORDER BY r.leaf DESC LIMIT $16"
                )),
                filter,
                before
            )
            .bind(i64::from(limit).saturating_add(1))
            .fetch_all(pool)
            .await
        })?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        let mut records = Vec::with_capacity(rows.len().min(wanted));
        for row in rows.into_iter().take(wanted) {
            let (leaf, id, recorded_at, judged_at, submitter, verdict, policies, request_sha256, pruned) = row;
            records.push(Found {
                id,
                leaf: leaf.unsigned_abs(),
                recorded_at,
                judged_at,
                submitter,
                verdict,
                policies,
                request_sha256,
                pruned: pruned != 0,
                statements: self.statements_of(leaf).await?,
            });
        }
        let next = if more { records.last().map(|r| r.leaf) } else { None };
        Ok(Page { records, next })
    }

    async fn statements_of(&self, leaf: i64) -> Result<Vec<FoundStatement>, StoreError> {
        let rows: Vec<StatementRow> = read!(&self.db, pool => {
            sqlx::query_as(
                "SELECT number, format, authenticity, spki_sha256, vendor, model, serial, firmware
                 FROM statements WHERE leaf = $1 ORDER BY number",
            )
            .bind(leaf)
            .fetch_all(pool)
            .await
        })?;
        let found = |(_, format, authenticity, spki_sha256, vendor, model, serial, firmware): StatementRow| {
            FoundStatement { format, authenticity, spki_sha256, vendor, model, serial, firmware }
        };
        Ok(rows.into_iter().map(found).collect())
    }
}
