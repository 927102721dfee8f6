//! What the fuzz targets share: how an input stands for files, and the target of one format.

use std::sync::LazyLock;

use keyvouch::{File, Reference, Report, Submission, Time, Verifier};
use serde_json::Value as Json;

/// The time of every appraisal here.
pub fn at() -> Time {
    Time::from_unix(1_780_272_000)
}

/// An input as files: each a length of two bytes and as many bytes; the first is the request when there are two or
/// more and the first byte of the input is odd.
pub fn split(data: &[u8]) -> Option<Submission> {
    let (flags, mut rest) = data.split_first()?;
    let mut files = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (bytes, after) = after.split_at(length);
        files.push(File::new(format!("file {}", files.len()), bytes));
        rest = after;
    }
    let request = (flags & 1 == 1 && files.len() > 1).then(|| files.remove(0));
    let mut submission = Submission::new(files, at());
    submission.request = request;
    Some(submission)
}

/// The input that [`split`] takes for these files.
pub fn join(evidence: &[Vec<u8>], request: Option<&[u8]>) -> Vec<u8> {
    let mut data = vec![u8::from(request.is_some())];
    for bytes in request.into_iter().chain(evidence.iter().map(Vec::as_slice)) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        data.extend(length.to_be_bytes());
        data.extend(bytes.iter().take(usize::from(length)));
    }
    data
}

/// A verifier with the built-in data.
pub static BUILT_IN: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new(Reference::builtin().expect("built-in data is in order")));

/// Judges and looks at a submission; twice, because the answer must be the same.
pub fn appraise(verifier: &Verifier, submission: &Submission) {
    let json = |report: Report| report.to_json().expect("a report is JSON");
    let first = verifier.appraise(submission).map(json);
    assert_eq!(first, verifier.appraise(submission).map(json));
    assert_eq!(first.is_ok(), verifier.inspect(submission).is_ok());
}

/// An emulated sample with its verifier and its claims.
pub struct Sample {
    submission: Submission,
    verifier: Verifier,
    honest: Vec<Json>,
}

/// The samples of a format, minted when the fuzzer starts: its chain is right, so that what an input changes is read
/// as deep as it can be.
pub fn samples(format: &str) -> Vec<Sample> {
    let file = |file: keyvouch_emulator::File| File::new(file.name, file.bytes);
    keyvouch_emulator::samples(format)
        .expect("the format has an emulator")
        .into_iter()
        .map(|sample| {
            let mut reference = Reference::builtin().expect("built-in data is in order");
            for anchor in &sample.anchors {
                reference.load_operator_certificates(&anchor.name, &anchor.bytes).expect("an anchor");
            }
            let mut submission = Submission::new(sample.evidence.into_iter().map(file).collect(), at());
            submission.request = sample.request.map(file);
            for (name, value) in sample.options {
                submission.options.set_inline(name, value);
            }
            // PEM is taken off, so that changes reach what is inside.
            for file in &mut submission.evidence {
                let text = String::from_utf8_lossy(&file.bytes).into_owned();
                if let [block] = &keyvouch::input::find_pem(&text)[..]
                    && let Some(der) = &block.der
                {
                    file.bytes.clone_from(der);
                }
            }
            let verifier = Verifier::new(reference);
            let honest = claims(&verifier, &submission);
            Sample { submission, verifier, honest }
        })
        .collect()
}

fn claims(verifier: &Verifier, submission: &Submission) -> Vec<Json> {
    let Ok(report) = verifier.appraise(submission) else { return Vec::new() };
    let json = serde_json::to_value(&report.appraisals).expect("a report is JSON");
    json.as_array()
        .into_iter()
        .flatten()
        .filter(|appraisal| appraisal["authenticity"] == "authentic")
        .map(|appraisal| serde_json::json!([appraisal["format"], appraisal["claims"], appraisal["details"]]))
        .collect()
}

/// Spoils one of the files of a provider statement, and judges all of them as if the operator had fetched them. Nobody
/// signed them, so they may say anything; they must never pass for attestation. An input is: file, then triples of place
/// (2 bytes) and mask.
pub fn spoil_told(format: &str, files: &[File], data: &[u8]) {
    let Some((file, changes)) = data.split_first() else { return };
    let mut files = files.to_vec();
    let count = files.len().max(1);
    let Some(file) = files.get_mut(usize::from(*file) % count) else { return };
    for change in changes.chunks_exact(3) {
        let [high, low, mask] = change else { continue };
        let place = usize::from(u16::from_be_bytes([*high, *low])) % file.bytes.len().max(1);
        if let Some(byte) = file.bytes.get_mut(place) {
            *byte ^= mask;
        }
    }
    let mut submission = Submission::new(files, at());
    submission.nonce = Some(vec![0x11; 16]);
    submission.options.set("provider_fetched", true);
    appraise(&BUILT_IN, &submission);
    let Ok(report) = BUILT_IN.appraise(&submission) else { return };
    for appraisal in report.appraisals.iter().filter(|a| a.format == format) {
        assert_eq!(appraisal.authenticity, keyvouch::Authenticity::NotAttestable);
        assert_ne!(appraisal.route, keyvouch::Route::Attestation);
    }
}

/// Spoils a sample as the input says and demands that nothing else is claimed. An input is: sample, file, then
/// changes of `what, place (2 bytes), length or mask, bytes`.
pub fn spoil(samples: &[Sample], data: &[u8]) {
    let Some((&[sample, file], mut changes)) = data.split_first_chunk::<2>() else { return };
    let Some(sample) = samples.get(usize::from(sample) % samples.len().max(1)) else { return };
    let mut submission = sample.submission.clone();
    let count = submission.evidence.len().max(1);
    let Some(file) = submission.evidence.get_mut(usize::from(file) % count) else { return };
    while let Some((&[what, high, low, argument], rest)) = changes.split_first_chunk::<4>() {
        let place = usize::from(u16::from_be_bytes([high, low])) % file.bytes.len().max(1);
        let end = place.saturating_add(usize::from(argument)).min(file.bytes.len());
        changes = rest;
        match what % 4 {
            0 => {
                if let Some(byte) = file.bytes.get_mut(place) {
                    *byte ^= argument;
                }
            }
            1 => drop(file.bytes.drain(place.min(end)..end)),
            2 => {
                let (inserted, rest) = rest.split_at(usize::from(argument).min(rest.len()));
                let place = place.min(file.bytes.len());
                file.bytes.splice(place..place, inserted.iter().copied());
                changes = rest;
            }
            _ => {
                let (written, rest) = rest.split_at(usize::from(argument).min(rest.len()));
                let end = place.saturating_add(written.len()).min(file.bytes.len());
                file.bytes.splice(place.min(end)..end, written.iter().copied());
                changes = rest;
            }
        }
    }
    for claim in claims(&sample.verifier, &submission) {
        assert!(sample.honest.contains(&claim), "spoilt evidence claims {claim}");
    }
    let _ = sample.verifier.inspect(&submission);
}

/// The fuzz target of one format.
#[macro_export]
macro_rules! format_target {
    ($format:literal) => {
        static SAMPLES: std::sync::LazyLock<Vec<$crate::Sample>> =
            std::sync::LazyLock::new(|| $crate::samples($format));
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::spoil(&SAMPLES, data));
    };
}
