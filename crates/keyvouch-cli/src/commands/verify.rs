//! `keyvouch verify`: evidence in, verdict out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use keyvouch::appraisal::Report;
use keyvouch::submission::{OptionKind, known_option};
use keyvouch::{File, Options, Submission, Time, Verdict};
use keyvouch_policy::Settings;
use keyvouch_record::{Case, TrustData, asked};
use serde_json::{Map, Value};

use crate::cli::{Answer, At, Judge, Pair, Verify};
use crate::commands::{policy, result};
use crate::error::Error;
use crate::files::{self, Evidence};
use crate::output::Output;
use crate::submission_file::SubmissionFile;
use crate::text::report::{self, View};
use crate::{reference, reference_folder};

/// Judges evidence and prints the answer.
pub(crate) fn run(args: &Verify, out: &Output) -> Result<ExitCode, Error> {
    // clap sees to it that there is a key for a signed answer.
    let key = args.result_key.as_deref().filter(|_| args.output == Answer::Ear);
    let signer = key.map(|key| result::Signer::read(key, &args.result)).transpose()?;
    let case = case(&args.judge, out)?;
    let report = judge(&case)?;
    match (args.output, signer) {
        (_, Some(signer)) => signer.print(&report, &case.submission, out)?,
        (Answer::Json, _) => out.json(&serde_json::to_value(&report)?)?,
        (Answer::Html, _) => out.print(&keyvouch_results::html::page(&report))?,
        (Answer::Text | Answer::Ear, None) => print(&case, &report, args.verbose, out)?,
    }
    Ok(ExitCode::from(status(report.verdict)))
}

/// Everything that the command line asks to judge, and by what.
pub(crate) fn case(args: &Judge, out: &Output) -> Result<Case, Error> {
    // Policies first: a misspelt one should not cost a look at the evidence.
    let policies = args.policy.iter().map(|name| policy::load(name)).collect::<Result<Vec<_>, _>>()?;
    let mut settings = Settings::default();
    for Pair { key, value } in &args.policy_option {
        settings.set(key, value)?;
    }

    let evidence = files::evidence(&args.evidence)?;
    let suggestion = suggestion(&evidence, args, out)?;
    let mut operator_data = reference::operator_data(&args.trust)?;
    if let Some((dir, file)) = &suggestion
        && let Some(anchors) = &file.suggested.anchors
    {
        operator_data.extend(reference::files(&dir.join(anchors))?);
    }

    let suggested = suggestion.map(|(_, file)| file.suggested).unwrap_or_default();
    let at = time(args.at, suggested.at.as_deref())?;
    let mut options = options(suggested.options, &args.option)?;
    if let Some(dir) = reference_folder::named(args.reference.as_deref()) {
        let used = reference_folder::apply(reference_folder::read(&dir)?, &mut options, &args.option, at);
        out.note(&format!("reference data in {}: {}", dir.display(), used.join("; ")));
    }
    let submission = Submission {
        at,
        nonce: args.nonce.as_ref().map(|n| n.0.clone()),
        options,
        ..read(&evidence, args.request.as_deref(), out)?
    };
    Ok(Case {
        submission,
        trust_data: TrustData::BuiltIn,
        default_anchors: !args.trust.no_default_anchors,
        operator_data,
        policies,
        settings,
    })
}

/// The report of a case. Without a request there must be one key.
pub(crate) fn judge(case: &Case) -> Result<Report, Error> {
    let report = case.judge()?;
    if case.submission.request.is_none() {
        asked::one_key(&report)?;
    }
    Ok(report)
}

/// Prints the report for people.
pub(crate) fn print(case: &Case, report: &Report, verbose: bool, out: &Output) -> Result<(), Error> {
    let request = case.submission.request.as_ref().map(|r| r.name.as_str());
    out.print(&report::render(&View { report, request, verbose }))
}

/// Exit status of a verdict.
pub(crate) fn status(verdict: Option<Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Accept | Verdict::AcceptWithFindings) => 0,
        Some(Verdict::Refuse) => 1,
        Some(Verdict::CannotDecide) | None => 3,
    }
}

/// What a folder suggests to believe, when the operator wants it. When not, says that it is not used.
fn suggestion(
    evidence: &Evidence,
    args: &Judge,
    out: &Output,
) -> Result<Option<(PathBuf, SubmissionFile)>, Error> {
    match evidence.suggestions.as_slice() {
        [] if args.trust_submission => Err(Error::NothingToTrust),
        [only] if args.trust_submission => {
            out.note(&format!(
                "trusting what {} itself suggests: {} (--trust-submission)",
                only.0.display(),
                only.1.suggested.describe()
            ));
            Ok(Some(only.clone()))
        }
        [_, _, ..] if args.trust_submission => Err(Error::MuchToTrust),
        _ => {
            for anchors in evidence.anchors.iter().filter(|a| !args.trust.anchors.contains(a)) {
                out.note(&format!(
                    "the anchors in {} are not trusted just because they lie beside the evidence; if they are yours, say --anchors {}",
                    anchors.display(),
                    super::emulate::quote(anchors),
                ));
            }
            Ok(None)
        }
    }
}

fn time(asked: Option<At>, suggested: Option<&str>) -> Result<Time, Error> {
    match (asked, suggested.and_then(|at| at.parse().ok())) {
        (Some(At::Time(time)), _) | (None, Some(time)) => Ok(time),
        (Some(At::Now), _) | (None, None) => now(),
    }
}

/// What the clock says.
pub(crate) fn now() -> Result<Time, Error> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Error::Clock)?;
    i64::try_from(since.as_secs()).map(Time::from_unix).map_err(|_| Error::Clock)
}

/// The options: those suggested, with those of the command line over them.
pub(super) fn options(suggested: Map<String, Value>, asked: &[Pair]) -> Result<Options, Error> {
    let mut given: Map<String, Value> = Map::new();
    let mut options = Options::default();
    let mut named = BTreeSet::new();
    for Pair { key, value } in asked {
        let kind = known_option(key).map(|o| o.kind);
        let fail = |why| Error::OptionFile { name: key.clone(), why: Box::new(why) };
        if kind == Some(OptionKind::File) {
            if !named.insert(key.clone()) {
                return Err(Error::OptionTwice(key.clone()));
            }
            options.set_file(key.clone(), files::read(Path::new(value)).map_err(fail)?);
            continue;
        }
        let value = match kind {
            Some(OptionKind::Object) if !value.trim_start().starts_with('{') => {
                OptionKind::read(kind, &files::read_text(Path::new(value)).map_err(fail)?)
            }
            _ => OptionKind::read(kind, value),
        };
        match (given.get_mut(key), value) {
            (None, value) => {
                given.insert(key.clone(), value);
            }
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (Some(_), _) => return Err(Error::OptionTwice(key.clone())),
        }
    }
    // A folder suggests the content of a file, never its name: that would be chosen by whoever made the folder.
    for (name, value) in suggested.into_iter().filter(|(name, _)| !named.contains(name)) {
        options.set_inline(name, value);
    }
    for (name, value) in given {
        options.set(name, value);
    }
    Ok(options)
}

/// Reads the files. The time is a placeholder.
fn read(evidence: &Evidence, request: Option<&Path>, out: &Output) -> Result<Submission, Error> {
    let mut paths: Vec<&Path> = evidence.files.iter().map(PathBuf::as_path).collect();
    if let Some(request) = request.filter(|_| paths.is_empty()) {
        // The attestation is inside the request, or so the user says.
        paths.push(request);
    }
    let evidence_count = paths.len();
    let named = match (request, evidence.requests.as_slice()) {
        (Some(request), _) => Some(request),
        (None, []) => None,
        (None, [only]) => {
            out.note(&format!("the request is {}, as its folder says", only.display()));
            Some(only.as_path())
        }
        (None, many) => {
            return Err(Error::ManyRequests(many.iter().map(|p| p.display().to_string()).collect()));
        }
    };
    if let Some(request) = named.filter(|r| !paths.contains(r)) {
        paths.push(request);
    }
    let mut all: Vec<File> = Vec::with_capacity(paths.len());
    for (path, name) in paths.iter().zip(files::report_names(&paths)) {
        all.push(File::new(name, files::read(path)?));
    }
    let at = named.and_then(|request| paths.iter().position(|p| *p == request));
    let request = match at.and_then(|at| all.get(at)) {
        Some(file) => Some(file.clone()),
        None => find_request(&all, out)?,
    };
    all.truncate(evidence_count);
    Ok(Submission { request, ..Submission::new(all, Time::from_unix(0)) })
}

/// The one file of the evidence that is a certification request.
fn find_request(evidence: &[File], out: &Output) -> Result<Option<File>, Error> {
    let found = asked::find_request(evidence)?;
    if let Some(only) = found {
        out.note(&format!("{} is a certification request and is used as the request", only.name));
    }
    Ok(found.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_command_line_count() {
        let pair = |key: &str, value: &str| Pair { key: key.into(), value: value.into() };
        let mut suggested = Map::new();
        suggested.insert("accept_expired".into(), true.into());
        let got = options(
            suggested,
            &[pair("accept_expired", "false"), pair("deny_serials", "1"), pair("deny_serials", "2")],
        );
        let got = got.unwrap();
        assert!(!got.is_on("accept_expired"));
        assert_eq!(got.list("deny_serials").collect::<Vec<_>>(), ["1", "2"]);
        let twice = options(Map::new(), &[pair("accept_expired", "true"), pair("accept_expired", "true")]);
        assert!(matches!(twice, Err(Error::OptionTwice(_))));
    }

    #[test]
    fn exit_status() {
        assert_eq!(status(Some(Verdict::Accept)), 0);
        assert_eq!(status(Some(Verdict::AcceptWithFindings)), 0);
        assert_eq!(status(Some(Verdict::Refuse)), 1);
        assert_eq!(status(Some(Verdict::CannotDecide)), 3);
        assert_eq!(status(None), 3);
    }
}
