//! Finding records.

use std::collections::BTreeMap;

use keyvouch::Time;
use sqlx::{Database, Encode, QueryBuilder, Type};

use crate::append::Store;
use crate::db::reading;
use crate::error::StoreError;
use crate::firmware;
use crate::index::{key, storable};

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

impl Filter {
    /// Whether a part is given that an index of the statements has.
    const fn names_a_device(&self) -> bool {
        self.spki_sha256.is_some() || self.vendor.is_some() || self.serial.is_some()
    }

    const fn names_a_statement(&self) -> bool {
        self.names_a_device()
            || self.model.is_some()
            || self.firmware_from.is_some()
            || self.firmware_to.is_some()
            || self.format.is_some()
            || self.authenticity.is_some()
    }
}

/// Adds the conditions of the filter to a statement about `records r` that has one already. Only what is given becomes
/// a condition, so that the databases can use their indexes.
pub(crate) fn narrow<DB>(sql: &mut QueryBuilder<DB>, filter: &Filter)
where
    DB: Database,
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    let text = |part: &Option<String>| part.as_deref().map(key);
    let digest = |part: &Option<String>| part.as_deref().map(|digest| key(&digest.to_lowercase()));
    let milliseconds = |time: Time| time.unix().saturating_mul(1000);
    add(sql, " AND r.request_sha256 = ", digest(&filter.request_sha256));
    add(sql, " AND r.verdict = ", text(&filter.verdict));
    add(sql, " AND r.recorded_at >= ", filter.since.map(milliseconds));
    add(sql, " AND r.recorded_at < ", filter.until.map(milliseconds));
    if let Some(policy) = &filter.policy {
        // LIKE has its own idea of letters on either database.
        sql.push(" AND replace(' ' || r.policies || ' ', ").push_bind(format!(" {} ", storable(policy)));
        sql.push(", '') <> ' ' || r.policies || ' '");
    }
    if !filter.names_a_statement() {
        return;
    }
    // Few statements are of one device or key: those first. Else the records in their order, until the page is full.
    sql.push(if filter.names_a_device() {
        " AND r.leaf IN (SELECT s.leaf FROM statements s WHERE s.number >= 0"
    } else {
        " AND EXISTS (SELECT 1 FROM statements s WHERE s.leaf = r.leaf"
    });
    add(sql, " AND s.spki_sha256 = ", digest(&filter.spki_sha256));
    add(sql, " AND s.vendor = ", text(&filter.vendor));
    add(sql, " AND s.model = ", text(&filter.model));
    add(sql, " AND s.serial = ", text(&filter.serial));
    add(sql, " AND s.firmware_order >= ", filter.firmware_from.as_deref().map(lowest));
    add(sql, " AND s.firmware_order <= ", filter.firmware_to.as_deref().map(highest));
    add(sql, " AND s.format = ", text(&filter.format));
    add(sql, " AND s.authenticity = ", text(&filter.authenticity));
    sql.push(")");
}

/// A condition, when there is something to compare with.
fn add<DB, T>(sql: &mut QueryBuilder<DB>, condition: &'static str, value: Option<T>)
where
    DB: Database,
    T: for<'q> Encode<'q, DB> + Type<DB>,
{
    if let Some(value) = value {
        sql.push(condition).push_bind(value);
    }
}

fn lowest(version: &str) -> String {
    let version = key(version);
    firmware::order(&version).unwrap_or(version)
}

/// Also every version that begins with the given one: 5.7.4 is not above 5.7.
fn highest(version: &str) -> String {
    let mut order = lowest(version);
    order.push('.');
    order.push(char::MAX);
    order
}

type Row = (i64, String, i64, i64, String, String, String, Option<String>, bool);
type StatementRow =
    (i64, String, String, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

impl Store {
    /// Records that the filter names, the newest first: at most `limit`, before the place `before` in the log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn search(&self, filter: &Filter, before: Option<u64>, limit: u32) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let before = before.map_or(i64::MAX, |leaf| i64::try_from(leaf).unwrap_or(i64::MAX));
        // One more than asked for, to know whether there are more.
        let mut rows: Vec<Row> = reading!(&self.db, pool, Sql => {
            let mut sql = QueryBuilder::<Sql>::new(
                "SELECT r.leaf, r.id, r.recorded_at, r.judged_at, r.submitter, r.verdict, r.policies, \
                 r.request_sha256, r.manifest IS NULL FROM records r WHERE r.leaf < ",
            );
            sql.push_bind(before);
            narrow(&mut sql, filter);
            sql.push(" ORDER BY r.leaf DESC LIMIT ").push_bind(i64::from(limit).saturating_add(1));
            sql.build_query_as().fetch_all(pool).await
        })?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let leaves: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let mut statements = self.statements_of(&leaves).await?;
        let found = |row: Row| {
            let (leaf, id, recorded_at, judged_at, submitter, verdict, policies, request_sha256, pruned) =
                row;
            Found {
                id,
                leaf: leaf.unsigned_abs(),
                recorded_at,
                judged_at,
                submitter,
                verdict,
                policies,
                request_sha256,
                pruned,
                statements: statements.remove(&leaf).unwrap_or_default(),
            }
        };
        let records: Vec<Found> = rows.into_iter().map(found).collect();
        let next = if more { records.last().map(|r| r.leaf) } else { None };
        Ok(Page { records, next })
    }

    /// The statements of some records, by the places of those.
    async fn statements_of(&self, leaves: &[i64]) -> Result<BTreeMap<i64, Vec<FoundStatement>>, StoreError> {
        if leaves.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<StatementRow> = reading!(&self.db, pool, Sql => {
            let mut sql = QueryBuilder::<Sql>::new(
                "SELECT leaf, format, authenticity, spki_sha256, vendor, model, serial, firmware \
                 FROM statements WHERE leaf IN (",
            );
            let mut list = sql.separated(", ");
            for leaf in leaves {
                list.push_bind(*leaf);
            }
            sql.push(") ORDER BY leaf, number");
            sql.build_query_as().fetch_all(pool).await
        })?;
        let mut found: BTreeMap<i64, Vec<FoundStatement>> = BTreeMap::new();
        for (leaf, format, authenticity, spki_sha256, vendor, model, serial, firmware) in rows {
            let statement =
                FoundStatement { format, authenticity, spki_sha256, vendor, model, serial, firmware };
            found.entry(leaf).or_default().push(statement);
        }
        Ok(found)
    }
}
