//! How a service judges: what its configuration names, read.

use std::path::Path;

use keyvouch::submission::{OptionKind, known_option};
use keyvouch::{File, InputError, Options, Submission, Time, Verifier};
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::{Case, TrustData};
use keyvouch_server::{Config, Judging};
use serde_json::Value;

use crate::cli::Pair;
use crate::error::Error;
use crate::output::Output;
use crate::{files, reference, reference_folder};

/// Reads everything that the configuration names.
pub(crate) fn read(config: &Config, at: Time, out: &Output) -> Result<Judging, Error> {
    let policies = policies(config)?;
    let mut settings = Settings::default();
    for (name, value) in &config.policies.settings {
        settings.set(name, value)?;
    }
    let mut operator_data = Vec::new();
    for path in &config.trust.anchors {
        operator_data.extend(reference::files(path)?);
    }
    Ok(Judging {
        operator_data,
        default_anchors: config.trust.default_anchors,
        options: options(config, at, out)?,
        policies,
        settings,
    })
}

/// A verifier for it: says what is wrong with anchors, data or options.
pub(crate) fn verifier(judging: &Judging, at: Time) -> Result<Verifier, Error> {
    // No evidence ever begins like this; options are looked at first.
    let trial = File::new("trial", *b"-");
    let case = Case {
        submission: Submission { options: judging.options.clone(), ..Submission::new(vec![trial], at) },
        trust_data: TrustData::BuiltIn,
        default_anchors: judging.default_anchors,
        operator_data: judging.operator_data.clone(),
        policies: Vec::new(),
        settings: judging.settings.clone(),
    };
    let verifier = Verifier::new(case.reference()?);
    match verifier.appraise(&case.submission) {
        Err(why @ InputError::Option { .. }) => Err(why.into()),
        _ => Ok(verifier),
    }
}

/// The built-in policies and those of the files, which are named after them.
fn policies(config: &Config) -> Result<Vec<Policy>, Error> {
    let built_in = Policy::builtin_names().iter().filter_map(|name| Policy::builtin(name));
    let mut policies: Vec<Policy> = built_in.collect();
    for path in &config.policies.files {
        let name = policy_name(path)?;
        if policies.iter().any(|p| p.name() == name) {
            return Err(Error::PolicyName {
                path: path.clone(),
                name,
                why: "there is one of this name already",
            });
        }
        policies.push(Policy::from_source(&name, &files::read_text(path)?)?);
    }
    Ok(policies)
}

/// The name of a policy file without its end: `our-rule` of `policies/our-rule.cedar`.
pub(crate) fn policy_name(path: &Path) -> Result<String, Error> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() || name.contains(char::is_whitespace) {
        let why = "the name of a policy has no spaces";
        return Err(Error::PolicyName { path: path.to_owned(), name, why });
    }
    Ok(name)
}

/// The operator's options: what the configuration sets, and under it the files of the reference folder.
fn options(config: &Config, at: Time, out: &Output) -> Result<Options, Error> {
    let mut options = Options::default();
    let mut asked = Vec::new();
    for (name, value) in &config.trust.options {
        let Some(kind) = known_option(name).map(|o| o.kind) else {
            return Err(Error::UnknownOption(name.clone()));
        };
        let fail = |why| Error::OptionFile { name: name.clone(), why: Box::new(why) };
        match (kind, value) {
            (OptionKind::File, Value::String(path)) => {
                options.set_file(name, files::read(Path::new(path)).map_err(fail)?);
            }
            (OptionKind::File, _) => return Err(Error::OptionNeedsFile(name.clone())),
            (OptionKind::Object, Value::String(path)) => {
                let text = files::read_text(Path::new(path)).map_err(fail)?;
                options.set(name, serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text)));
            }
            _ => options.set(name, value.clone()),
        }
        asked.push(Pair { key: name.clone(), value: String::new() });
    }
    if let Some(dir) = &config.trust.reference {
        let used = reference_folder::apply(reference_folder::read(dir)?, &mut options, &asked, at);
        out.note(&format!("reference data in {}: {}", dir.display(), used.join("; ")));
    }
    Ok(options)
}
