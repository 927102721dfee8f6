//! What the service adds to an appraisal: appraisals per second over HTTP, each on record before it is answered, against
//! those of the library, in one run.
//!
//! Everything shares the processors: the service, its database, and the clients. Every request brings evidence that was
//! not seen before (text before the PEM blocks that says its number), so that it is stored anew. The database is a new
//! SQLite file; `KEYVOUCH_BENCH_DATABASE` names another, such as `postgres://…`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyvouch::{File, Options, Submission, Verifier};
use keyvouch_bench::Error;
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::log::LogKey;
use keyvouch_record::{Case, TrustData};
use keyvouch_results::{Algorithm, SigningKey};
use keyvouch_server::config::Access;
use keyvouch_server::{Config, Judging, Service, Setup};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How long one rate is measured.
const TIME: Duration = Duration::from_secs(5);
/// Of these the showcase of the emulator is judged: cheap evidence and dear.
const FORMATS: [&str; 3] = ["yubikey-piv", "tpm", "android"];
/// How many clients ask at once.
const CLIENTS: [usize; 3] = [1, 32, 256];

fn main() -> Result<(), Error> {
    println!(
        "{:<14} {:>8} {:>11} {:>10} {:>6} {:>8} {:>8} {:>8} {:>9}",
        "evidence",
        "clients",
        "library 1/s",
        "service 1/s",
        "ratio",
        "p50 ms",
        "p99 ms",
        "max ms",
        "memory MiB"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for format in FORMATS {
        let case = showcase(format)?;
        let library = library(&case)?;
        for clients in CLIENTS {
            let run = runtime.block_on(service(&case, clients))?;
            println!(
                "{format:<14} {clients:>8} {library:>11.0} {:>10.0} {:>5.0}% {:>8.1} {:>8.1} {:>8.1} {:>9}",
                run.rate,
                run.rate / library * 100.0,
                run.quantile(50),
                run.quantile(99),
                run.quantile(100),
                resident().map_or("?".to_owned(), |mib| mib.to_string()),
            );
        }
    }
    println!(
        "library: on as many threads as there are processors, with policy, without the report as JSON and without a record"
    );
    Ok(())
}

/// The showcase of a format, trusted, at its own time.
fn showcase(format: &str) -> Result<Case, Error> {
    let sample = keyvouch_emulator::samples(format)?.into_iter().next().ok_or("no sample")?;
    let file = |file: &keyvouch_emulator::File| File::new(file.name.clone(), file.bytes.clone());
    let mut submission = Submission::new(sample.evidence.iter().map(file).collect(), sample.at.parse()?);
    submission.request = sample.request.as_ref().map(file);
    for (name, value) in sample.options.clone() {
        submission.options.set_inline(name, value);
    }
    Ok(Case {
        submission,
        trust_data: TrustData::BuiltIn,
        default_anchors: true,
        operator_data: sample.anchors.iter().map(file).collect(),
        policies: vec![Policy::builtin("hardware-key").ok_or("no policy hardware-key")?],
        settings: Settings::default(),
    })
}

/// Appraisals per second of the library, on all processors.
fn library(case: &Case) -> Result<f64, Error> {
    let verifier = Verifier::new(case.reference()?);
    case.judge_with(&verifier)?;
    let threads = std::thread::available_parallelism()?.get();
    let start = Instant::now();
    let done: u64 = std::thread::scope(|scope| {
        let work = || {
            let mut done = 0_u64;
            while start.elapsed() < TIME && case.judge_with(&verifier).is_ok() {
                done = done.saturating_add(1);
            }
            done
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).sum()
    });
    Ok(rate(done, start.elapsed()))
}

/// What came of a run.
struct Run {
    rate: f64,
    /// Milliseconds, in order.
    latencies: Vec<f64>,
}

impl Run {
    fn quantile(&self, percent: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = last.saturating_mul(percent).checked_div(100).unwrap_or(0);
        self.latencies.get(at).copied().unwrap_or(f64::NAN)
    }
}

/// Appraisals per second of a service with so many clients.
async fn service(case: &Case, clients: usize) -> Result<Run, Error> {
    let folder = tempfile::tempdir()?;
    let mut config = Config { folder: folder.path().to_owned(), access: Access::Open, ..Config::default() };
    config.database = std::env::var("KEYVOUCH_BENCH_DATABASE").ok();
    config.clients.time = true;
    config.limits.per_minute = 0;
    let setup = Setup {
        config,
        judging: Judging {
            operator_data: case.operator_data.clone(),
            default_anchors: true,
            options: Options::default(),
            policies: case.policies.clone(),
            settings: Settings::default(),
        },
        log_key: LogKey::generate("keyvouch.example/bench")?.0,
        result_key: SigningKey::generate(Algorithm::Es256)?,
        former_results: Vec::new(),
    };
    let service = Service::open(setup).await?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(keyvouch_server::serve_on(service, listener, async {
        let _ = stopped.await;
    }));
    let (number, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut asking = Vec::new();
    for _ in 0..clients {
        asking.push(tokio::spawn(client(address, case.submission.clone(), Arc::clone(&number), start)));
    }
    let mut latencies = Vec::new();
    for client in asking {
        latencies.extend(client.await??);
    }
    let elapsed = start.elapsed();
    drop(stop);
    serving.await??;
    latencies.sort_by(f64::total_cmp);
    Ok(Run { rate: rate(u64::try_from(latencies.len())?, elapsed), latencies })
}

/// Asks again and again, one request after the other. How long each took, in milliseconds.
async fn client(
    address: SocketAddr,
    submission: Submission,
    number: Arc<AtomicU64>,
    start: Instant,
) -> io::Result<Vec<f64>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut answer = vec![0; 256 << 10];
    while start.elapsed() < TIME {
        let request = request(&submission, number.fetch_add(1, Ordering::Relaxed));
        let began = Instant::now();
        stream.write_all(&request).await?;
        read(&mut stream, &mut answer).await?;
        latencies.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(latencies)
}

/// A request whose evidence has a number.
fn request(submission: &Submission, number: u64) -> Vec<u8> {
    let file = |file: &File| {
        let is_pem = file.bytes.starts_with(b"-----BEGIN ");
        let before = if is_pem { format!("number {number}\n").into_bytes() } else { Vec::new() };
        json!({ "name": file.name, "content": BASE64_STANDARD.encode([&before, &file.bytes[..]].concat()) })
    };
    let body = json!({
        "evidence": submission.evidence.iter().map(file).collect::<Vec<_>>(),
        "request": submission.request.as_ref().map(file),
        "at": submission.at.to_string(),
    })
    .to_string();
    format!(
        "POST /v1/appraisals HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one answer, which must be an appraisal.
async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let fault = |what: &str| io::Error::other(what.to_owned());
    let mut filled = 0;
    loop {
        let free = buffer
            .get_mut(filled..)
            .filter(|free| !free.is_empty())
            .ok_or_else(|| fault("too long an answer"))?;
        let count = stream.read(free).await?;
        if count == 0 {
            return Err(fault("the service hung up"));
        }
        filled = filled.saturating_add(count);
        let answer = buffer.get(..filled).unwrap_or_default();
        let Some(head) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default()).to_ascii_lowercase();
        let length =
            text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        let length = length.ok_or_else(|| fault("an answer without its length"))?;
        if filled >= head.saturating_add(4).saturating_add(length) {
            let expected = text.starts_with("http/1.1 200 ");
            return if expected { Ok(()) } else { Err(fault(&String::from_utf8_lossy(answer))) };
        }
    }
}

fn rate(count: u64, elapsed: Duration) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from) / elapsed.as_secs_f64()
}

/// Memory of this process, in MiB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}
