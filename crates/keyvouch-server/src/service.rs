//! The verifier with its configuration and its record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use keyvouch::appraisal::Report;
use keyvouch::tpm::activation::{ActivationError, Pending};
use keyvouch::{File, Options, Submission, Time, Verifier};
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::log::LogKey;
use keyvouch_record::{AskedError, Bundle, Case, CaseError, TrustData, asked};
use keyvouch_results::SigningKey;
use keyvouch_store::{Location, Receipt, Record, Store, StoreError, Used};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::auth::Keeper;
use crate::config::Config;
use crate::intake::{Activation, Freshness, Intake};
use crate::limits::Load;
use crate::measure;
use crate::problem::{Kind, Problem, sentence};

/// The kinds of challenges in the store.
pub(crate) const NONCE: &str = "nonce";
pub(crate) const TPM: &str = "tpm";
/// How long the service counts as unable to record after it was, in milliseconds: then somebody has to try again, or a
/// balancer that sends nobody here would never find out that the disk has room again.
const DISTRUST: i64 = 10_000;

/// How evidence is judged: what the configuration names, read.
#[derive(Debug, Clone)]
pub struct Judging {
    /// The operator's own files: anchors and data.
    pub operator_data: Vec<File>,
    /// Whether the anchors that come with keyvouch count.
    pub default_anchors: bool,
    /// The operator's options.
    pub options: Options,
    /// Every policy that can be named.
    pub policies: Vec<Policy>,
    /// The knobs of the policies.
    pub settings: Settings,
}

/// What a service is made of.
#[derive(Debug)]
pub struct Setup {
    /// How it is run.
    pub config: Config,
    /// How evidence is judged.
    pub judging: Judging,
    /// The key that signs the log.
    pub log_key: LogKey,
    /// The key that signs results.
    pub result_key: SigningKey,
    /// Public keys that signed results before: a JWKS.
    pub former_results: Vec<Value>,
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The record cannot be opened.
    #[error("the record cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The trust data cannot be used.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// A default policy is not there.
    #[error("policy {0:?} of `policies.default` is neither built in nor among `policies.files`")]
    NoPolicy(String),
    /// Nobody would be kept out.
    #[error(
        "`access = \"open\"` lets whoever reaches the service do everything, so it is for loopback addresses only; {0} is none. \
         Make a token with `keyvouch token create`, and write `access = \"tokens\"`"
    )]
    Open(std::net::IpAddr),
    /// The public address is none.
    #[error(
        "`public_url` is {0:?}: write `https://` or `http://`, the host and, if need be, the port, and nothing more"
    )]
    PublicUrl(String),
    /// The port cannot be listened on.
    #[error("{address}: cannot listen: {why}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        why: std::io::Error,
    },
    /// A file of TLS cannot be used.
    #[error("{file}: {why}")]
    Tls {
        /// Its name.
        file: String,
        /// What is wrong.
        why: String,
    },
}

/// The verifier with its configuration and its record. One for all requests.
#[derive(Debug)]
pub struct Service {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) judging: Judging,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) policies: BTreeMap<String, Policy>,
    pub(crate) log_key: LogKey,
    pub(crate) result_key: SigningKey,
    pub(crate) former_results: Vec<Value>,
    /// Knows who may come in.
    pub(crate) keeper: Keeper,
    /// What is carried at once.
    pub(crate) load: Load,
    /// Whether the service was told to stop.
    pub(crate) stopping: AtomicBool,
    /// When a record could not be kept, in milliseconds since 1970; zero once one could again.
    not_kept: AtomicI64,
    /// Appraisals at once: more threads than processors only make all of them late.
    turns: Arc<Semaphore>,
}

/// An appraisal that is on record.
#[derive(Debug)]
pub(crate) struct Appraised {
    /// The report.
    pub(crate) report: Report,
    /// The same as it was recorded: the JSON contract.
    pub(crate) json: Vec<u8>,
    /// Where it is recorded.
    pub(crate) receipt: Receipt,
    /// When it was recorded, in milliseconds since 1970.
    pub(crate) recorded_at: i64,
    /// The nonce that the evidence had to answer.
    pub(crate) nonce: Option<Vec<u8>>,
}

impl Service {
    /// Opens the record and reads the trust data.
    ///
    /// # Errors
    /// When the configuration cannot work or the record cannot be opened.
    pub async fn open(setup: Setup) -> Result<Arc<Self>, StartError> {
        let Setup { config, judging, log_key, result_key, former_results } = setup;
        let ip = config.listen.ip();
        if !config.wants_tokens() && !ip.is_loopback() {
            return Err(StartError::Open(ip));
        }
        let keeper = Keeper::new(&config)?;
        let policies: BTreeMap<String, Policy> =
            judging.policies.iter().map(|p| (p.name().to_owned(), p.clone())).collect();
        if let Some(name) = config.policies.default.iter().find(|name| !policies.contains_key(*name)) {
            return Err(StartError::NoPolicy(name.clone()));
        }
        let empty = Submission::new(Vec::new(), Time::from_unix(0));
        let verifier = Arc::new(Verifier::new(case(&judging, empty, Vec::new()).reference()?));
        let store = Store::open(&Location::parse(&config.database())?).await?;
        store.keep_trust_data().await?;
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let at_once = config.limits.at_once.unwrap_or(processors).clamp(1, Semaphore::MAX_PERMITS);
        let load = Load::new(&config.limits, at_once);
        let turns = Arc::new(Semaphore::new(at_once));
        Ok(Arc::new(Self {
            config,
            store,
            judging,
            verifier,
            policies,
            log_key,
            result_key,
            former_results,
            keeper,
            load,
            stopping: AtomicBool::new(false),
            not_kept: AtomicI64::new(0),
            turns,
        }))
    }

    /// The record.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the service was told to stop: it answers still, and wants no new requests.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Whether the last record could not be kept, a short time ago. A full disk is read from as if nothing were wrong.
    pub(crate) fn cannot_record(&self) -> Result<bool, Problem> {
        Ok(now_ms()?.saturating_sub(self.not_kept.load(Ordering::Relaxed)) < DISTRUST)
    }

    /// Judges what is asked and records it. Whatever the verdict, it is an answer; an error means that there is none
    /// and that nothing was recorded.
    pub(crate) async fn appraise(
        self: &Arc<Self>,
        mut intake: Intake,
        submitter: &str,
    ) -> Result<Appraised, Problem> {
        if intake.request.is_none() {
            intake = self
                .compute(move |_| {
                    intake.request = asked::find_request(&intake.evidence).map_err(unasked)?.cloned();
                    Ok(intake)
                })
                .await?;
        }
        let case = self.case(intake).await?;
        let nonce = case.submission.nonce.clone();
        let submitter = submitter.to_owned();
        let recorded_at = now_ms()?;
        let judging = self.compute(move |service| {
            let began = Instant::now();
            let judged = service.judge(case, &submitter, recorded_at);
            measure::judged(began.elapsed());
            judged
        });
        let (report, json, record) = judging.await?;
        measure::appraised(&report);
        // On disk before anybody is told.
        let began = Instant::now();
        let kept = self.store.append(record).await;
        match &kept {
            Ok(_) => self.not_kept.store(0, Ordering::Relaxed),
            Err(why) if why.is_temporary() => self.not_kept.store(now_ms()?, Ordering::Relaxed),
            // The fault is that of the record.
            Err(_) => {}
        }
        let receipt = kept?;
        measure::recorded(began.elapsed(), &receipt);
        tracing::info!(
            id = receipt.id,
            leaf = receipt.leaf,
            verdict = report.verdict.map_or("none", keyvouch::Verdict::as_str),
            "appraised"
        );
        Ok(Appraised { report, json, receipt, recorded_at, nonce })
    }

    /// Computes on a thread for it, when it is its turn. The turn ends with the work, also when nobody waits for it any
    /// more.
    pub(crate) async fn compute<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|e| Problem::internal(&e))?;
        let service = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&service);
            drop(turn);
            done
        });
        // It panicked. What a panic says may be evidence, so it is not logged; where it was is.
        done.await.map_err(|_| Problem::internal(&std::io::Error::other("the work ended before its end")))?
    }

    fn judge(&self, case: Case, submitter: &str, now: i64) -> Result<(Report, Vec<u8>, Record), Problem> {
        let report = case.judge_with(&self.verifier)?;
        if case.submission.request.is_none() {
            asked::one_key(&report).map_err(unasked)?;
        }
        let json = report.to_json().map_err(|e| Problem::internal(&e))?.into_bytes();
        let bundle = Bundle { case, report: json.clone(), labels: BTreeMap::new(), proofs: Vec::new() };
        let record = Record::new(bundle, submitter, now)?;
        Ok((report, json, record))
    }

    /// The case that a client asks to judge: its words, as far as the operator lets it have any.
    async fn case(&self, intake: Intake) -> Result<Case, Problem> {
        let now = now()?;
        let policies = self.named_policies(&intake.policies)?;
        let at = match intake.at {
            None => now,
            Some(at) if self.config.clients.time => at,
            Some(_) => {
                return Err(Problem::new(
                    Kind::Forbidden,
                    "This service judges as of now: leave `at` out. (`clients.time` in its configuration would allow it.)",
                ));
            }
        };
        let mut options = self.judging.options.clone();
        for (name, value) in intake.options {
            if !self.config.clients.options.contains(&name) {
                return Err(Problem::new(
                    Kind::Forbidden,
                    format!(
                        "Option {name:?} is the operator's. This service lets clients set: {}.",
                        self.config.clients.options.join(", ")
                    ),
                ));
            }
            options.set(name, value);
        }
        // What can be refused was refused: only now are challenges used up.
        if let Some(activation) = intake.activation {
            options.set("activation", self.activation(activation, now).await?);
        }
        let nonce = match intake.freshness {
            Freshness::Unasked => None,
            Freshness::Nonce(nonce) => Some(nonce),
            Freshness::Challenge(id) => Some(self.nonce(&id).await?),
        };
        let submission =
            Submission { evidence: intake.evidence, request: intake.request, nonce, at, options };
        Ok(case(&self.judging, submission, policies))
    }

    /// The policies of those names, or those of the configuration.
    fn named_policies(&self, names: &[String]) -> Result<Vec<Policy>, Problem> {
        let default = &self.config.policies.default;
        let names = if names.is_empty() { default } else { names };
        let policy = |name: &String| {
            if !self.config.policies.client_choice && !default.contains(name) {
                return Err(Problem::new(
                    Kind::Forbidden,
                    format!("This service judges by {}: leave `policies` out.", default.join(", ")),
                ));
            }
            self.policies.get(name).cloned().ok_or_else(|| {
                let known: Vec<&str> = self.policies.keys().map(String::as_str).collect();
                Problem::new(
                    Kind::Unprocessable,
                    format!("There is no policy {name:?}; there are: {}.", known.join(", ")),
                )
            })
        };
        names.iter().map(policy).collect()
    }

    /// The nonce that was given out under this id: once.
    async fn nonce(&self, id: &str) -> Result<Vec<u8>, Problem> {
        let nonce = self.use_once(NONCE, id).await?;
        hex::decode(nonce).map_err(|e| Problem::internal(&e))
    }

    /// The record of an activation, when the answer is right: once.
    async fn activation(&self, activation: Activation, now: Time) -> Result<Value, Problem> {
        let state = self.use_once(TPM, &activation.challenge).await?;
        let damaged = |e: ActivationError| Problem::internal(&e);
        let state = serde_json::from_str(&state).map_err(|e| Problem::internal(&e))?;
        let pending = Pending::from_json(&state).map_err(damaged)?;
        let record = pending.confirm(&activation.answer, now);
        record.map_err(|why| Problem::new(Kind::Unprocessable, sentence(&why)))
    }

    async fn use_once(&self, kind: &'static str, id: &str) -> Result<String, Problem> {
        let gone =
            |why: &str| Problem::new(Kind::Conflict, format!("Challenge {id:?} {why}; ask for a new one."));
        match self.store.use_once(kind, id, now_ms()?).await? {
            Used::Now(state) => Ok(state),
            Used::Before => Err(gone("was used before")),
            Used::Expired => Err(gone("was not answered in time")),
            Used::Unknown => Err(gone("was not given out by this service")),
        }
    }
}

fn unasked(error: AskedError) -> Problem {
    Problem::new(Kind::Unprocessable, sentence(&error))
}

/// A case under the operator's trust.
fn case(judging: &Judging, submission: Submission, policies: Vec<Policy>) -> Case {
    Case {
        submission,
        trust_data: TrustData::BuiltIn,
        default_anchors: judging.default_anchors,
        operator_data: judging.operator_data.clone(),
        policies,
        settings: judging.settings.clone(),
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> Result<i64, Problem> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let since = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    since.ok_or_else(|| Problem::new(Kind::Internal, "The clock of the service is before 1970."))
}

/// What the clock says, in whole seconds.
pub(crate) fn now() -> Result<Time, Problem> {
    Ok(Time::from_unix(now_ms()?.div_euclid(1000)))
}
