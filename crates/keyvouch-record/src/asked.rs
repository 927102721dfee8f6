//! What is asked when nobody says it: which file is the request, and whether the files are about one key.
//!
//! The command and the service ask the same, so that they answer the same.

use keyvouch::appraisal::{Appraisal, Report};
use keyvouch::input::{Content, Limits, Part, Parts};
use keyvouch::{ClaimName, File, Submission, Time};

/// Why it cannot be told what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskedError {
    /// Several files are certification requests: their names.
    #[error(
        "there are {} certification requests and one key can be judged at a time: {}. Hand in the one that is to be certified as the request",
        .0.len(), .0.join(", ")
    )]
    ManyRequests(Vec<String>),
    /// There is no request, and the files are about several keys: a line for each statement.
    #[error(
        "the files hold {} statements that are not about one and the same key: {}. Hand in a request that says which key is to be certified, or have them judged one by one",
        .0.len(), .0.join("; ")
    )]
    SeveralKeys(Vec<String>),
}

/// The one file of the evidence that is a certification request. It stays evidence too: some devices put the
/// attestation into the request.
///
/// # Errors
/// When there are several.
pub fn find_request(evidence: &[File]) -> Result<Option<&File>, AskedError> {
    let requests: Vec<&File> = evidence.iter().filter(|file| is_request(file)).collect();
    match requests.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        many => Err(AskedError::ManyRequests(many.iter().map(|f| f.name.clone()).collect())),
    }
}

/// Whether a file is a certification request, also in PEM, base64 or an archive, and also a damaged one.
fn is_request(file: &File) -> bool {
    let alone = Submission::new(vec![file.clone()], Time::from_unix(0));
    // A file that cannot be unwrapped is for the verifier to complain about.
    let Ok(parts) = Parts::of(&alone, &[], Limits::DEFAULT) else { return false };
    parts.iter().any(|(_, part)| {
        matches!(part.content, Content::Request(_) | Content::CrmfRequest(_) | Content::BrokenRequest(_))
            && is_only_wrapped(part, &parts)
    })
}

fn is_only_wrapped(part: &Part<'_>, parts: &Parts<'_>) -> bool {
    let mut parent = part.parent;
    while let Some(container) = parent.and_then(|id| parts.get(id)) {
        let wraps = matches!(
            container.content,
            Content::Pem
                | Content::Base64
                | Content::CmpMessage
                | Content::Gzip { .. }
                | Content::Zip { .. }
                | Content::Cmw(_)
        );
        if !wraps {
            return false;
        }
        parent = container.parent;
    }
    true
}

/// Without a request there must be one key: a verdict about two would be about neither.
///
/// # Errors
/// When there are several: with the key and the files of each statement.
pub fn one_key(report: &Report) -> Result<(), AskedError> {
    let statements: Vec<(Option<&str>, Vec<&str>)> = report
        .appraisals
        .iter()
        .map(|a| (a.claims.text(ClaimName::KeySpkiSha256), files_of(a, report)))
        .collect();
    let differ = |a: &(Option<&str>, Vec<&str>), b: &(Option<&str>, Vec<&str>)| match (a.0, b.0) {
        (Some(a), Some(b)) => a != b,
        // Of a statement that is not authentic the key is not known; statements without a common file are not
        // two views of one.
        _ => !a.1.is_empty() && !b.1.is_empty() && !a.1.iter().any(|file| b.1.contains(file)),
    };
    let mut rest = statements.as_slice();
    let mut several = false;
    while let [first, others @ ..] = rest {
        several = several || others.iter().any(|other| differ(first, other));
        rest = others;
    }
    if !several {
        return Ok(());
    }
    Err(AskedError::SeveralKeys(
        report.appraisals.iter().zip(&statements).map(|(a, (_, files))| name_statement(a, files)).collect(),
    ))
}

/// The files in which the checks of a statement looked.
fn files_of<'r>(appraisal: &Appraisal, report: &'r Report) -> Vec<&'r str> {
    let looked_in = |name: &str| {
        appraisal.checks.iter().any(|check| {
            check
                .place
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '#', '/', ',']))
        })
    };
    report.inputs.iter().map(|input| input.name.as_str()).filter(|name| looked_in(name)).collect()
}

fn name_statement(appraisal: &Appraisal, files: &[&str]) -> String {
    let text = |name| appraisal.claims.text(name);
    let mut words = vec![appraisal.format.to_owned()];
    match text(ClaimName::KeySpkiSha256) {
        Some(spki) => {
            let algorithm = text(ClaimName::KeyAlgorithm).unwrap_or("key");
            let start: String = spki.chars().take(16).collect();
            words.push(format!("{algorithm} key with SHA-256 {start}…"));
        }
        None => words.push(appraisal.authenticity.as_str().to_owned()),
    }
    if let Some(serial) = text(ClaimName::DeviceSerial) {
        words.push(format!("device {serial}"));
    }
    format!("{}: {}", words.join(", "), files.join(", "))
}
