//! Signed attestation results (EAR).

use keyvouch::appraisal::Report;
use keyvouch_results::{Form, IssueError, Profile, Terms, ear, issue};

use crate::problem::{Kind, Problem, sentence};
use crate::service::{Service, now};

/// How long a result may be relied on, in seconds: as with the command.
const LIFETIME: i64 = 86_400;

/// What a result is called in a bundle.
pub(crate) const FILE_NAME: &str = "result.jwt";

/// The report as a signed result, issued now. `nonce` is what the evidence had to answer.
pub(crate) fn result(service: &Service, report: &Report, nonce: Option<&[u8]>) -> Result<String, Problem> {
    let now = now()?;
    let terms = Terms {
        profile: Profile::V04,
        expires: Some(now.plus_seconds(LIFETIME)),
        nonce: ear::answered(report, nonce).map(<[u8]>::to_vec),
        evidence_nonce: nonce.map(<[u8]>::to_vec),
        ..Terms::new(now)
    };
    let token = issue(report, &terms, Form::Jwt, &service.result_key).map_err(|error| match error {
        IssueError::Signing => Problem::internal(&error),
        _ => Problem::new(Kind::Conflict, sentence(&error)),
    })?;
    String::from_utf8(token).map_err(|e| Problem::internal(&e))
}
