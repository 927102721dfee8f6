//! One record: the answer again, its files, its bundle and its proof.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use keyvouch::File;
use keyvouch::appraisal::Report;
use keyvouch_record::{Answer, Bundle, TrustData, recheck};
use keyvouch_results::html;
use keyvouch_store::{Role, StoreError, Stored};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::appraisals::{Envelope, answer};
use super::extract::Named;
use super::negotiate::Form;
use super::{document, signed};
use crate::auth::Caller;
use crate::page;
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// What a proof of inclusion is called in a bundle.
const PROOF_NAME: &str = "proof.tlog-proof";

/// As much of a manifest as is needed.
#[derive(Debug, Deserialize)]
struct Manifest {
    labels: BTreeMap<String, String>,
    files: Vec<RecordedFile>,
}

/// A file of a record.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub(crate) struct RecordedFile {
    /// `report`, `evidence`, `request`, `option`, `operator-data` or `policy`.
    #[schema(schema_with = document::role)]
    role: String,
    /// What reports call it, or the option or policy that it is.
    name: String,
    /// SHA-256 of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// Its size in bytes.
    size: u64,
}

/// The files of a record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedFiles {
    /// The files, in the order of the bundle.
    files: Vec<RecordedFile>,
}

/// A record that the caller may see.
pub(crate) struct Seen {
    pub(crate) stored: Stored,
    pub(crate) submitter: String,
    files: Vec<RecordedFile>,
}

/// Looks a record up. Whoever may only hand in evidence sees his own records: of others he does not even learn that
/// they exist.
pub(crate) async fn look_up(service: &Service, caller: &Caller, id: &str) -> Result<Seen, Problem> {
    caller.must_be(Role::Submit)?;
    let all = caller.must_be(Role::Read).is_ok();
    let none = || {
        let whose = if all { "" } else { " of yours" };
        Problem::new(Kind::NotFound, format!("There is no record{whose} with the id {id:?}."))
    };
    if !is_id(id) {
        return Err(none());
    }
    let stored = match service.store.stored(id).await {
        Err(StoreError::NoRecord(_)) => return Err(none()),
        stored => stored?,
    };
    let Some(manifest) = &stored.manifest else {
        // Whose it was is gone too.
        return Err(if all { StoreError::Pruned(id.to_owned()).into() } else { none() });
    };
    let Manifest { labels, mut files } =
        serde_json::from_slice(manifest).map_err(|e| Problem::internal(&e))?;
    let submitter = labels.get("submitter").cloned().unwrap_or_default();
    if !all {
        if submitter != caller.name {
            return Err(none());
        }
        // What he handed in and what he was answered, and not what is the operator's.
        files.retain(|file| ["report", "evidence", "request"].contains(&file.role.as_str()));
    }
    Ok(Seen { stored, submitter, files })
}

/// The form of ids: a UUID in lower case. Nothing else goes to the database.
fn is_id(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

/// A record judged again as it was then.
struct Again {
    bundle: Bundle,
    /// The report of today, when it is the recorded one byte for byte; else what differs.
    report: Result<Report, String>,
}

async fn judge_again(service: &Arc<Service>, id: &str) -> Result<Again, Problem> {
    let bundle = service.store.bundle(id).await?;
    service
        .compute(move |service| {
            let (case, judging) = (&bundle.case, &service.judging);
            // To read the trust data takes far longer than an appraisal: it is done when it is another.
            let same = case.trust_data == TrustData::BuiltIn
                && case.default_anchors == judging.default_anchors
                && case.operator_data == judging.operator_data;
            if same {
                let report = case.judge_with(&service.verifier)?;
                if report.to_json().is_ok_and(|json| json.as_bytes() == bundle.report) {
                    return Ok(Again { bundle, report: Ok(report) });
                }
            }
            let again = recheck(&bundle)?;
            let report = match again.answer {
                Answer::Identical => Ok(again.report),
                Answer::SameFindings(differences) | Answer::Different { differences, .. } => {
                    let places: Vec<String> = differences.iter().take(3).map(ToString::to_string).collect();
                    Err(places.join("; "))
                }
            };
            Ok(Again { bundle, report })
        })
        .await
}

fn not_as_then(what: &str, differences: &str) -> Problem {
    Problem::new(
        Kind::Conflict,
        format!(
            "{what} states what this version of keyvouch finds, and judged again the record gets another report ({differences}). \
             The recorded report is there as application/json; hand the evidence in again for a new one."
        ),
    )
}

/// One appraisal.
///
/// As JSON, and as a page, it is what was recorded. A signed result is made when the record, judged again at its own time,
/// still gets the recorded report, byte for byte; otherwise the answer is 409.
///
/// Callers of the role `submit` see their own records only.
#[utoipa::path(
    get, path = "/v1/appraisals/{id}", tag = "Appraisals", operation_id = "appraisal",
    params(("id" = String, Path, description = "The id of the record.")),
    responses((
        status = 200, description = "The appraisal.",
        content(
            (Envelope = "application/json"),
            (String = "text/html"),
            (String = "application/eat+jwt"),
        ),
    )),
    extensions(("x-problems" = json!([400, 403, 404, 406, 409, 410]))),
    security(("bearer" = [])),
)]
pub(crate) async fn record(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    in_form(&service, &caller, &id, Form::wanted(&headers)?).await
}

/// One appraisal in that form.
pub(crate) async fn in_form(
    service: &Arc<Service>,
    caller: &Caller,
    id: &str,
    form: Form,
) -> Result<Response, Problem> {
    let seen = look_up(service, caller, id).await?;
    if form == Form::Json {
        let report = seen.files.iter().find(|file| file.role == "report");
        let report = report.ok_or_else(|| damaged(id))?.sha256.clone();
        let report = content(service, &seen, &report).await?;
        let stored = seen.stored;
        let envelope = Envelope::new(stored.id, stored.leaf, stored.recorded_at, seen.submitter, report)?;
        let json = serde_json::to_vec(&envelope).map_err(|e| Problem::internal(&e))?;
        return Ok(answer(form, json));
    }
    if form == Form::Html {
        let bundle = service.store.bundle(id).await?;
        let page = page::of_record(service, caller, &seen.stored, &seen.submitter, bundle).await?;
        return Ok(answer(form, page));
    }
    let again = judge_again(service, id).await?;
    let report = again.report.map_err(|why| not_as_then("A signed result", &why))?;
    let nonce = again.bundle.case.submission.nonce.as_deref();
    Ok(answer(form, signed::result(service, &report, nonce)?))
}

/// The report of a record as one page that needs nothing beside it, to keep.
pub(crate) async fn one_page(service: &Arc<Service>, caller: &Caller, id: &str) -> Result<String, Problem> {
    look_up(service, caller, id).await?;
    let report = judge_again(service, id).await?.report;
    Ok(html::page(&report.map_err(|why| not_as_then("A page to keep", &why))?))
}

/// The files of a record.
///
/// Callers of the role `submit` see what they handed in and the report of it.
#[utoipa::path(
    get, path = "/v1/appraisals/{id}/evidence", tag = "Appraisals", operation_id = "evidence",
    params(("id" = String, Path, description = "The id of the record.")),
    responses((status = 200, description = "The files.", body = RecordedFiles)),
    extensions(("x-problems" = json!([400, 403, 404, 410]))),
    security(("bearer" = [])),
)]
pub(crate) async fn evidence(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<RecordedFiles>, Problem> {
    let seen = look_up(&service, &caller, &id).await?;
    Ok(Json(RecordedFiles { files: seen.files }))
}

/// A file of a record.
///
/// It comes from strangers: treat it as what it is, bytes.
#[utoipa::path(
    get, path = "/v1/appraisals/{id}/evidence/{sha256}", tag = "Appraisals", operation_id = "file",
    params(
        ("id" = String, Path, description = "The id of the record."),
        ("sha256" = String, Path, description = "SHA-256 of the file, as the list of files has it."),
    ),
    responses((
        status = 200, description = "Its bytes.", body = document::Bytes, content_type = "application/octet-stream",
    )),
    extensions(("x-problems" = json!([400, 403, 404, 410]))),
    security(("bearer" = [])),
)]
pub(crate) async fn file(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named((id, sha256)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let seen = look_up(&service, &caller, &id).await?;
    if !seen.files.iter().any(|file| file.sha256 == sha256) {
        return Err(Problem::new(
            Kind::NotFound,
            format!(
                "Record {id} has no file with the SHA-256 {sha256:?}; GET /v1/appraisals/{id}/evidence lists them."
            ),
        ));
    }
    let bytes = content(&service, &seen, &sha256).await?;
    Ok((attachment("application/octet-stream", &sha256), bytes).into_response())
}

/// The bundle of a record, for auditors.
///
/// A ZIP file with everything that the appraisal rested on, the report, the proof that the record is in the log and,
/// when the record still gets the same report, a signed result. `keyvouch record verify` judges it again.
#[utoipa::path(
    get, path = "/v1/appraisals/{id}/bundle", tag = "Appraisals", operation_id = "bundle",
    params(("id" = String, Path, description = "The id of the record.")),
    responses((status = 200, description = "The bundle.", body = document::Bytes, content_type = "application/zip")),
    extensions(("x-problems" = json!([400, 403, 404, 410]))),
    security(("bearer" = [])),
)]
pub(crate) async fn bundle(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    // The operator's options and trust data are in it.
    caller.must_be(Role::Read)?;
    let seen = look_up(&service, &caller, &id).await?;
    let Again { mut bundle, report } = judge_again(&service, &id).await?;
    if let Ok(report) = &report
        && let Ok(result) = signed::result(&service, report, bundle.case.submission.nonce.as_deref())
    {
        bundle.proofs.push(File::new(signed::FILE_NAME, result));
    }
    let proof = service.store.prove(seen.stored.leaf, &service.log_key).await?;
    bundle.proofs.push(File::new(PROOF_NAME, proof.write()));
    // With the manifest that the log has, and not the one that this version would write.
    let parts = service.store.parts(&id).await?;
    let zip = service.compute(move |_| bundle.write_parts(&parts).map_err(|e| Problem::internal(&e))).await?;
    Ok((attachment("application/zip", &format!("{id}.zip")), zip).into_response())
}

/// The proof that a record is in the log.
///
/// A C2SP tlog-proof with a checkpoint of now. Its leaf is the manifest of the record, `record.json` of the bundle.
#[utoipa::path(
    get, path = "/v1/appraisals/{id}/proof", tag = "Appraisals", operation_id = "proof",
    params(("id" = String, Path, description = "The id of the record.")),
    responses((status = 200, description = "The proof.", body = String, content_type = "text/plain")),
    extensions(("x-problems" = json!([400, 403, 404, 410]))),
    security(("bearer" = [])),
)]
pub(crate) async fn proof(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let seen = look_up(&service, &caller, &id).await?;
    let proof = service.store.prove(seen.stored.leaf, &service.log_key).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], proof.write()).into_response())
}

async fn content(service: &Service, seen: &Seen, sha256: &str) -> Result<Vec<u8>, Problem> {
    let bytes = service.store.content(seen.stored.leaf, sha256).await?;
    bytes.ok_or_else(|| damaged(&seen.stored.id))
}

fn damaged(id: &str) -> Problem {
    Problem::internal(&StoreError::Damaged(format!("record {id} has not all of its files")))
}

/// Headers of bytes that no browser is to show.
fn attachment(media_type: &str, name: &str) -> [(HeaderName, String); 4] {
    [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ]
}
