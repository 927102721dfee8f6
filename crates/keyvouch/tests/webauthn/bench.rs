//! Registrations with everything that a verifier needs to accept them, to be spoilt.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use keyvouch::appraisal::Appraisal;
use keyvouch::{File, Reference, Submission};
use keyvouch_emulator as emulator;
use keyvouch_emulator::android::{Chain, EMPTY_STATUS_LIST, KeyDescription, Level};
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::webauthn::mds::{Blob, entry};
use keyvouch_emulator::webauthn::tpm::Hello;
use keyvouch_emulator::webauthn::{
    AAGUID, Batch, Registration, android_description, android_key, as_u2f, challenge,
};

use crate::support::judging::judge;

pub(crate) const AT: &str = "2026-06-01T00:00:00Z";
pub(crate) const KEPT: &[&str] = &["hardware", "secure_element"];

/// Evidence, anchors, metadata and options.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) files: Vec<emulator::File>,
    pub(crate) anchors: Vec<emulator::File>,
    pub(crate) blob: Option<Blob>,
    /// The operator's data file.
    pub(crate) toml: Option<String>,
    pub(crate) submission: Submission,
}

impl Bench {
    pub(crate) fn new(files: Vec<emulator::File>) -> Self {
        let mut submission = Submission::new(Vec::new(), AT.parse().unwrap());
        submission.nonce = Some(challenge());
        submission.options.set("rp_id", "login.example");
        submission.options.set("origins", serde_json::json!(["https://login.example"]));
        Self { files, anchors: Vec::new(), blob: None, toml: None, submission }
    }

    pub(crate) fn option(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.submission.options.set(name, value);
        self
    }

    pub(crate) fn judged(&self) -> Appraisal {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &self.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        if let Some(toml) = &self.toml {
            reference.load_operator_file("operator.toml", toml).unwrap();
        }
        let mut submission = self.submission.clone();
        submission.evidence = self.files.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        if let Some(blob) = &self.blob {
            submission.options.set_file("metadata", blob.sign().unwrap());
            submission.options.set_file("metadata_roots", blob.roots());
        }
        judge(reference, &submission)
    }
}

/// A registration with a batch key whose model the metadata know.
#[derive(Clone)]
pub(crate) struct Packed {
    pub(crate) registration: Registration,
    pub(crate) batch: Batch,
    pub(crate) blob: Blob,
}

impl Packed {
    pub(crate) fn new() -> Self {
        let batch = Batch::new("known").unwrap();
        let mut blob = Blob::new().unwrap();
        blob.entries = vec![entry(&batch, Some(&AAGUID), &["basic_full"], KEPT)];
        Self { registration: Registration::new(KeyKind::P256).unwrap(), batch, blob }
    }

    pub(crate) fn bench(&self) -> Bench {
        let statement = self.batch.packed(&self.registration).unwrap();
        self.with("packed", &statement)
    }

    pub(crate) fn with(&self, format: &str, statement: &[u8]) -> Bench {
        Bench { blob: Some(self.blob.clone()), ..Bench::new(self.registration.files(format, statement)) }
    }

    pub(crate) fn judged(&self) -> Appraisal {
        self.bench().judged()
    }
}

/// A changed registration, signed so.
pub(crate) fn registered(change: impl FnOnce(&mut Registration)) -> Bench {
    let mut packed = Packed::new();
    change(&mut packed.registration);
    packed.bench()
}

/// A changed batch certificate, signed so.
pub(crate) fn certified(change: impl FnOnce(&mut Batch)) -> Bench {
    let mut packed = Packed::new();
    change(&mut packed.batch);
    packed.bench()
}

/// Changed metadata, signed so.
pub(crate) fn described(change: impl FnOnce(&mut Blob, &Batch)) -> Bench {
    let mut packed = Packed::new();
    change(&mut packed.blob, &packed.batch);
    packed.bench()
}

/// A U2F registration whose model the metadata know.
pub(crate) fn u2f(change: impl FnOnce(&mut Registration, &mut Batch)) -> Bench {
    let mut packed = Packed::new();
    packed.registration = as_u2f(packed.registration);
    packed.blob.entries = vec![entry(&packed.batch, None, &["basic_full"], KEPT)];
    change(&mut packed.registration, &mut packed.batch);
    let statement = packed.batch.u2f(&packed.registration).unwrap();
    packed.with("fido-u2f", &statement)
}

/// A TPM's statement, changed and signed so.
pub(crate) fn hello(kind: KeyKind, change: impl FnOnce(&mut Registration, &mut Hello)) -> Bench {
    let mut registration = Registration::new(kind).unwrap();
    let mut hello = Hello::new(&registration).unwrap();
    change(&mut registration, &mut hello);
    let files = registration.files("tpm", &hello.statement().unwrap());
    Bench { anchors: hello.authority.anchors(), ..Bench::new(files) }
}

/// An android-key statement about a key of whose description something is changed.
pub(crate) fn android(change: impl FnOnce(&mut Registration, &mut KeyDescription)) -> Bench {
    let mut registration = Registration::new(KeyKind::P256).unwrap();
    let mut said = android_description(&registration);
    change(&mut registration, &mut said);
    let chain = Chain::remote(&registration.key, &said, Level::Tee).unwrap();
    let files = registration.files("android-key", &android_key(&registration, &chain).unwrap());
    let mut bench = Bench { anchors: vec![chain.anchor().unwrap()], ..Bench::new(files) };
    bench.submission.options.set_file("android_status_list", EMPTY_STATUS_LIST);
    bench
}
