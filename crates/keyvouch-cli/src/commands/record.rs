//! `keyvouch record`: what an appraisal rested on, for later.

use std::collections::BTreeMap;
use std::process::ExitCode;

use keyvouch::{File, Verdict};
use keyvouch_record::log::{LogError, Proof};
use keyvouch_record::{Answer, Bundle, BundleError, Difference, TrustData, recheck};
use serde_json::{Value, json};

use super::emulate::quote;
use super::log::public_key;
use super::result::Signer;
use super::verify;
use crate::cli::{Format, Record, RecordCommand, RecordExport, RecordVerify};
use crate::error::Error;
use crate::files;
use crate::output::Output;

/// The name of the proof that the bundle of a service carries.
const PROOF: &str = "proof.tlog-proof";
/// Exit status when the answer is another.
const DIFFERENT: u8 = 1;

pub(crate) fn run(args: &Record, out: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        RecordCommand::Export(args) => export(args, out),
        RecordCommand::Verify(args) => check(args, out),
    }
}

fn export(args: &RecordExport, out: &Output) -> Result<ExitCode, Error> {
    let signer = args.result_key.as_deref().map(|key| Signer::read(key, &args.result)).transpose()?;
    let case = verify::case(&args.judge, out)?;
    let report = verify::judge(&case)?;
    let signed = signer.map(|signer| {
        let (token, _) = signer.issue(&report, &case.submission, out)?;
        Ok(File::new(signer.file_name(), token))
    });
    let fail = |why| Error::Record { path: args.to.clone(), why };
    let proofs = files::report_names(&args.proof.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    let proofs = args.proof.iter().zip(proofs).map(|(path, name)| Ok(File::new(name, files::read(path)?)));
    let mut bundle = Bundle {
        case,
        report: report.to_json()?.into_bytes(),
        labels: BTreeMap::new(),
        proofs: signed.into_iter().chain(proofs).collect::<Result<_, Error>>()?,
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
    let zip = files::read(&args.record)?;
    let mut bundle = Bundle::read(&zip).map_err(fail)?;
    let logged = logged(args, &zip, &bundle)?;
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
            "log": logged.to_json(),
        }))?,
        Format::Text => out.print(&format!("{}{}", text(&again.answer, &recorded), logged.text()))?,
    }
    if logged.is_fault() {
        return Ok(ExitCode::from(DIFFERENT));
    }
    Ok(match again.answer {
        Answer::Identical | Answer::SameFindings(_) => ExitCode::SUCCESS,
        Answer::Different { .. } => ExitCode::from(DIFFERENT),
    })
}

/// What is known about the record's place in the log of a service.
enum Logged {
    /// It carries no proof, and none was asked for.
    Unsaid,
    /// It carries a proof, and nobody said whose log it is.
    NotVerified,
    /// It carries no proof.
    NoProof,
    /// It was in the log, at this place, when that had so many records.
    There { log: String, place: u64, size: u64 },
    /// The proof does not hold.
    NotThere(LogError),
}

fn logged(args: &RecordVerify, zip: &[u8], bundle: &Bundle) -> Result<Logged, Error> {
    let proof = bundle.proofs.iter().find(|file| file.name == PROOF);
    let (key, proof) = match (&args.log_key, proof) {
        (None, None) => return Ok(Logged::Unsaid),
        (None, Some(_)) => return Ok(Logged::NotVerified),
        (Some(_), None) => return Ok(Logged::NoProof),
        (Some(key), Some(proof)) => (public_key(key)?, proof),
    };
    let fail = |why| Error::Record { path: args.record.clone(), why };
    let manifest = Bundle::manifest(zip).map_err(fail)?;
    let verified =
        Proof::read(&proof.bytes).and_then(|proof| Ok((proof.index, proof.verify(&manifest, &key)?)));
    match verified {
        // The key is the caller's, not the record's.
        Err(LogError::Key(_)) => Err(Error::NotALogKey(key)),
        Err(why) => Ok(Logged::NotThere(why)),
        Ok((place, checkpoint)) => {
            let log = key.split('+').next().unwrap_or_default().to_owned();
            Ok(Logged::There { log, place, size: checkpoint.size })
        }
    }
}

impl Logged {
    const fn is_fault(&self) -> bool {
        matches!(self, Self::NoProof | Self::NotThere(_))
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Unsaid => Value::Null,
            Self::NotVerified => json!({"proof": "not-verified"}),
            Self::NoProof => json!({"proof": "missing"}),
            Self::There { log, place, size } => {
                json!({"proof": "valid", "log": log, "place": place, "size": size})
            }
            Self::NotThere(why) => json!({"proof": "invalid", "why": why.to_string()}),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Unsaid => String::new(),
            Self::NotVerified => {
                "It carries a proof that it is in the log of a service, which was not verified: name the public key of that log with --log-key.\n"
                    .to_owned()
            }
            Self::NoProof => "It carries no proof that it is in a log.\n".to_owned(),
            Self::There { log, place, size } => {
                format!("It is in the log {log}, at place {place}; the log had {size} records then.\n")
            }
            Self::NotThere(why) => format!("The proof that it is in the log does not hold: {why}.\n"),
        }
    }
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
