//! `keyvouch reappraise`: recorded evidence, judged by what is known today.

mod list;
mod plan;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use keyvouch::Time;
use keyvouch_record::{Bundle, Today, reappraise};
use keyvouch_store::{Filter, Job, Outcome, Store};
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::plan::Plan;
use super::verify;
use crate::cli::{At, Moment, Reappraise, Which};
use crate::error::Error;
use crate::output::Output;
use crate::progress;
use crate::service::{self, judging, now_ms};
use crate::text::count;

/// Exit status when the answer to a record is another.
const CHANGED: u8 = 1;
/// How long to wait for records that others have in hand, and between two looks at how far it is.
const PAUSE: Duration = Duration::from_millis(500);

pub(crate) fn run(args: &Reappraise, out: &Output) -> Result<ExitCode, Error> {
    service::runtime()?.block_on(start(args, out))
}

async fn start(args: &Reappraise, out: &Output) -> Result<ExitCode, Error> {
    let config = service::config_of(&args.place)?;
    let now = verify::now()?;
    let judging = judging::read(&config, now, out)?;
    let verifier = judging::verifier(&judging, now)?;
    let store = service::open(&config).await?;

    let (job, plan) = match &args.resume {
        Some(id) => plan::resume(&store, id).await?,
        None if args.worker => plan::newest(&store).await?,
        None => {
            let plan = Plan::new(
                &config,
                &judging,
                &verifier,
                moment(args.at, now),
                filter(&args.which, now),
                args,
            )?;
            let job =
                store.start_reappraisal(&plan.filter, &serde_json::to_string(&plan)?, now_ms()?).await?;
            (job, plan)
        }
    };
    let today = plan.today(&job, &config, judging, verifier)?;
    let progress = store.reappraisal_progress(&job.id).await?;
    let left = usize::try_from(progress.total.saturating_sub(progress.done)).unwrap_or(usize::MAX);
    out.note(&format!(
        "re-appraisal {}: {} to judge; if it is interrupted, go on with `keyvouch reappraise --resume {0}`",
        job.id,
        count(left, "record", "records"),
    ));
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    work(&store, &job, today, args.jobs.map_or(processors, usize::from)).await?;

    if args.worker {
        store.close().await;
        out.print(&format!("Re-appraisal {} is done.\n", job.id))?;
        return Ok(ExitCode::SUCCESS);
    }
    let found = list::print(&store, &job, &plan, args, out).await?;
    store.close().await;
    Ok(if found.is_change() { ExitCode::from(CHANGED) } else { ExitCode::SUCCESS })
}

/// Judges all records of the job, and waits for those that others have in hand.
async fn work(store: &Store, job: &Job, today: Today, workers: usize) -> Result<(), Error> {
    let today = Arc::new(today);
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(worker(store.clone(), job.id.clone(), Arc::clone(&today)));
    }
    let bar = progress::bar(store.reappraisal_progress(&job.id).await?.total, "records");
    let watching = tokio::spawn(watch(store.clone(), job.id.clone(), bar.clone()));
    let mut answer = Ok(());
    while let Some(done) = tasks.join_next().await {
        let done = done.unwrap_or_else(|why| Err(Error::Runtime(std::io::Error::other(why))));
        if answer.is_ok() && done.is_err() {
            answer = done;
            tasks.abort_all();
        }
    }
    watching.abort();
    bar.finish_and_clear();
    answer
}

async fn worker(store: Store, job: String, today: Arc<Today>) -> Result<(), Error> {
    loop {
        let today = Arc::clone(&today);
        let judged = store.reappraise_some(&job, now_ms()?, move |bundle| judge(&bundle, &today)).await?;
        if judged > 0 {
            continue;
        }
        let progress = store.reappraisal_progress(&job).await?;
        if progress.done >= progress.total {
            return Ok(());
        }
        // In other hands; when those are dead, they are free again after a minute.
        sleep(PAUSE).await;
    }
}

fn judge(bundle: &Bundle, today: &Today) -> Outcome {
    let judged = reappraise(bundle, today).map_err(|why| why.to_string());
    let told = judged.and_then(|found| {
        let detail = serde_json::to_string(&found).map_err(|why| why.to_string())?;
        Ok(Outcome { answer: found.change.as_str(), verdict: found.today, detail })
    });
    told.unwrap_or_else(|why| Outcome { answer: list::FAILED, verdict: None, detail: why })
}

/// Shows how far it is, with what other machines do.
async fn watch(store: Store, job: String, bar: ProgressBar) {
    // When the database does not answer, the workers say so.
    while let Ok(progress) = store.reappraisal_progress(&job).await {
        bar.set_position(progress.done);
        sleep(PAUSE).await;
    }
}

fn moment(moment: Moment, now: Time) -> Option<Time> {
    match moment {
        Moment::Recorded => None,
        Moment::At(at) => Some(time(at, now)),
    }
}

fn time(at: At, now: Time) -> Time {
    match at {
        At::Now => now,
        At::Time(time) => time,
    }
}

fn filter(which: &Which, now: Time) -> Filter {
    let lower = |digest: &Option<String>| digest.as_ref().map(|d| d.to_lowercase());
    Filter {
        spki_sha256: lower(&which.spki_sha256),
        request_sha256: lower(&which.request_sha256),
        vendor: which.vendor.clone(),
        model: which.model.clone(),
        serial: which.serial.clone(),
        firmware_from: which.firmware_from.clone(),
        firmware_to: which.firmware_to.clone(),
        format: which.format.clone(),
        authenticity: which.authenticity.clone(),
        verdict: which.verdict.clone(),
        policy: which.judged_by.clone(),
        since: which.since.map(|at| time(at, now)),
        until: which.until.map(|at| time(at, now)),
    }
}
