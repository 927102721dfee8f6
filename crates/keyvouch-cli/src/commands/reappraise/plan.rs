//! What a re-appraisal judges by. It is kept with the job, so that all who work on it judge alike.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use keyvouch::{Time, Verifier};
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::Today;
use keyvouch_server::{Config, Judging};
use keyvouch_store::{Filter, Job, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::Reappraise;
use crate::commands::policy;
use crate::error::Error;

/// The option of a TPM's answer to a challenge: about the evidence, whoever set it.
const ACTIVATION: &str = "activation";

/// What a re-appraisal judges by.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The time at which to judge; nothing when each record is judged at its own.
    pub(super) at: Option<String>,
    /// Which records.
    pub(super) filter: Filter,
    /// The policies that were named, by name: their source.
    pub(super) policies: BTreeMap<String, String>,
    /// The version of keyvouch.
    version: String,
    /// SHA-256 over the trust data, options, policies and settings of whoever started it.
    judge: String,
}

impl Plan {
    pub(super) fn new(
        config: &Config,
        judging: &Judging,
        verifier: &Verifier,
        at: Option<Time>,
        filter: Filter,
        args: &Reappraise,
    ) -> Result<Self, Error> {
        let mut policies = BTreeMap::new();
        for name in &args.policy {
            let known = judging.policies.iter().find(|p| p.name() == name);
            let policy = known.map_or_else(|| policy::load(name), |policy| Ok(policy.clone()))?;
            policies.insert(policy.name().to_owned(), policy.source().to_owned());
        }
        Ok(Self {
            at: at.map(|at| at.to_string()),
            filter,
            policies,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            judge: judge(config, judging, verifier),
        })
    }

    /// What the records are judged by: the same as for whoever started it.
    pub(super) fn today(
        &self,
        job: &Job,
        config: &Config,
        judging: Judging,
        verifier: Verifier,
    ) -> Result<Today, Error> {
        let other = |what| Error::OtherJudge { job: job.id.clone(), what };
        if self.version != env!("CARGO_PKG_VERSION") {
            return Err(other("a version of keyvouch, trust data or policies"));
        }
        if self.judge != judge(config, &judging, &verifier) {
            return Err(other("trust data, options or policies"));
        }
        let at = self.at.as_deref().map(str::parse).transpose();
        let at = at.map_err(|_| Error::NoJob(job.id.clone()))?;
        let mut policies = Vec::new();
        for (name, source) in &self.policies {
            let built_in = Policy::builtin(name).filter(|p| p.source() == source);
            policies.push(built_in.map_or_else(|| Policy::from_source(name, source), Ok)?);
        }
        Ok(Today {
            verifier,
            at,
            options: judging.options,
            submitted: submitted(config),
            policies,
            known: judging.policies,
            settings: judging.settings,
        })
    }
}

/// Options that are the submitter's word.
fn submitted(config: &Config) -> Vec<String> {
    let mut names = config.clients.options.clone();
    names.push(ACTIVATION.to_owned());
    names
}

/// Names everything that the answer rests on beside the records.
fn judge(config: &Config, judging: &Judging, verifier: &Verifier) -> String {
    let sha256 = |bytes: &[u8]| hex::encode(digest::digest(&digest::SHA256, bytes));
    let settings: BTreeMap<&str, String> =
        Settings::knobs().iter().filter_map(|k| Some((k.name, judging.settings.get(k.name)?))).collect();
    let all = json!({
        "data": verifier.reference().digest(),
        "options": judging.options.values().collect::<BTreeMap<&str, &Value>>(),
        "files": judging.options.files().map(|(n, b)| (n, sha256(b))).collect::<BTreeMap<_, _>>(),
        "policies": judging.policies.iter().map(|p| (p.name(), p.source())).collect::<BTreeMap<_, _>>(),
        "settings": settings,
        "submitted": submitted(config),
    });
    sha256(all.to_string().as_bytes())
}

/// The re-appraisal of that id.
pub(super) async fn resume(store: &Store, id: &str) -> Result<(Job, Plan), Error> {
    let job = store.reappraisals().await?.into_iter().find(|job| job.id == id);
    read(job.ok_or_else(|| Error::NoJob(id.to_owned()))?)
}

/// The newest re-appraisal that is not done.
pub(super) async fn newest(store: &Store) -> Result<(Job, Plan), Error> {
    for job in store.reappraisals().await? {
        let progress = store.reappraisal_progress(&job.id).await?;
        if progress.done < progress.total {
            return read(job);
        }
    }
    Err(Error::NothingToDo)
}

fn read(job: Job) -> Result<(Job, Plan), Error> {
    let other =
        || Error::OtherJudge { job: job.id.clone(), what: "a version of keyvouch, trust data or policies" };
    let plan = serde_json::from_str(&job.about).map_err(|_| other())?;
    Ok((job, plan))
}
