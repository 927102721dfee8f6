//! `keyvouch record`: what an appraisal rested on, for later.

use std::collections::BTreeMap;
use std::process::ExitCode;

use keyvouch::{File, Verdict};
use keyvouch_record::{Answer, Bundle, BundleError, Difference, TrustData, recheck};
use serde_json::{Value, json};

use super::emulate::quote;
use super::verify;
use crate::cli::{Format, Record, RecordCommand, RecordExport, RecordVerify};
use crate::error::Error;
use crate::files;
use crate::output::Output;

/// Exit status when the answer is another.
const DIFFERENT: u8 = 1;

pub(crate) fn run(args: &Record, out: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        RecordCommand::Export(args) => export(args, out),
        RecordCommand::Verify(args) => check(args, out),
    }
}

fn export(args: &RecordExport, out: &Output) -> Result<ExitCode, Error> {
    let case = verify::case(&args.judge, out)?;
    let report = verify::judge(&case)?;
    let fail = |why| Error::Record { path: args.to.clone(), why };
    let proofs = files::report_names(&args.proof.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    let proofs = args.proof.iter().zip(proofs).map(|(path, name)| Ok(File::new(name, files::read(path)?)));
    let mut bundle = Bundle {
        case,
        report: report.to_json()?.into_bytes(),
        labels: BTreeMap::new(),
        proofs: proofs.collect::<Result<_, Error>>()?,
    };
    if args.with_trust_data {
        bundle.include_trust_data();
    }
    files::write_new(&args.to, &bundle.write().map_err(fail)?)?;
    let verdict = report.verdict.map_or("no verdict", Verdict::as_str);
    out.print(&format!(
        "{verdict}: recorded in {}

Check it at any time with

  keyvouch record verify {}
",
        args.to.display(),
        quote(&args.to),
    ))?;
    Ok(ExitCode::from(verify::status(report.verdict)))
}

fn check(args: &RecordVerify, out: &Output) -> Result<ExitCode, Error> {
    let fail = |why| Error::Record { path: args.record.clone(), why };
    let mut bundle = Bundle::read(&files::read(&args.record)?).map_err(fail)?;
    if args.todays_trust_data {
        bundle.case.trust_data = TrustData::BuiltIn;
    } else if bundle.case.trust_data != TrustData::BuiltIn {
        out.note(
            "judging by the trust data in the record; --todays-trust-data judges by that of this keyvouch",
        );
    }
    let again = recheck(&bundle).map_err(|why| fail(BundleError::Case(why)))?;
    let recorded = serde_json::from_slice::<Value>(&bundle.report).unwrap_or(Value::Null);
    match args.output {
        Format::Json => out.json(&json!({
            "schema": "keyvouch.recheck/1",
            "answer": word(&again.answer),
            "differences": differences(&again.answer).iter().map(entry).collect::<Vec<_>>(),
            "recorded": {
                "verifier": recorded.get("verifier"),
                "verdict": recorded.get("verdict"),
                "at": recorded.get("at"),
            },
            "today": {"verifier": again.report.verifier, "verdict": again.report.verdict},
        }))?,
        Format::Text => out.print(&text(&again.answer, &recorded))?,
    }
    Ok(match again.answer {
        Answer::Identical | Answer::SameFindings(_) => ExitCode::SUCCESS,
        Answer::Different { .. } => ExitCode::from(DIFFERENT),
    })
}

const fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Identical => "identical",
        Answer::SameFindings(_) => "same-findings",
        Answer::Different { .. } => "different",
    }
}

fn differences(answer: &Answer) -> &[Difference] {
    match answer {
        Answer::Identical => &[],
        Answer::SameFindings(differences) | Answer::Different { differences, .. } => differences,
    }
}

fn entry(difference: &Difference) -> Value {
    json!({"place": difference.place, "recorded": difference.recorded, "today": difference.today})
}

fn text(answer: &Answer, recorded: &Value) -> String {
    let of =
        |pointer: &str| recorded.pointer(pointer).and_then(Value::as_str).unwrap_or("nothing").to_owned();
    let judged = format!("judged at {}: {}", of("/at"), of("/verdict"));
    let list = |differences: &[Difference]| -> String {
        differences.iter().map(|d| format!("  {d}\n")).collect::<Vec<_>>().concat()
    };
    match answer {
        Answer::Identical => format!("The answer is the same, byte for byte.\n{judged}\n"),
        Answer::SameFindings(differences) => format!(
            "The answer is the same. Another version of keyvouch, or other trust data, gave it:\n{}{judged}\n",
            list(differences)
        ),
        Answer::Different { differences, .. } if differences.is_empty() => format!(
            "The answer is the same, but the report in the record is not written as keyvouch writes it.\n{judged}\n"
        ),
        Answer::Different { differences, more } => format!(
            "The answer is another today:\n{}{}recorded: {judged}\n",
            list(differences),
            if *more { "  and more\n" } else { "" },
        ),
    }
}
