//! An emulated TPM with a key and an attestation key, and the verifier that judges what it makes.

use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, File, Reference, Report, Submission};
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::tpm::{Ak, AkAuthority, Signed, Statement};
use keyvouch_emulator::x509::Authority;

use crate::support::judging::{self, failed, found};

pub(crate) const AT: &str = "2026-06-01T00:00:00Z";

pub(crate) fn key(label: &str, kind: KeyKind) -> Arc<Key> {
    Key::shared(&format!("tpm test: {label}"), kind).unwrap()
}

pub(crate) fn ak(kind: KeyKind) -> Ak {
    Ak::new("test AK", kind).unwrap()
}

/// A P-256 key, attested with TPM2_Certify by a P-256 attestation key that an authority of the operator certified.
pub(crate) struct Bench {
    pub(crate) authority: AkAuthority,
    pub(crate) statement: Statement,
    pub(crate) reference: Reference,
    pub(crate) at: &'static str,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) request: Option<File>,
    /// Files of the statement that are left out, by name.
    pub(crate) without: Vec<&'static str>,
    pub(crate) extra: Vec<File>,
    pub(crate) options: Vec<(&'static str, serde_json::Value)>,
    pub(crate) pinned: Option<Vec<u8>>,
    /// Changes what was signed.
    pub(crate) spoil: Box<dyn FnOnce(&mut Signed)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::of(KeyKind::P256, KeyKind::P256)
    }

    pub(crate) fn of(kind: KeyKind, ak_kind: KeyKind) -> Self {
        Self::with(AkAuthority::new().unwrap(), kind, ak(ak_kind))
    }

    pub(crate) fn with(authority: AkAuthority, kind: KeyKind, ak: Ak) -> Self {
        let statement = Statement::new(&key("subject", kind), ak, &authority).unwrap();
        let mut reference = Reference::builtin().unwrap();
        for anchor in authority.anchors() {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        Self {
            authority,
            statement,
            reference,
            at: AT,
            nonce: None,
            request: None,
            without: Vec::new(),
            extra: Vec::new(),
            options: Vec::new(),
            pinned: None,
            spoil: Box::new(|_| {}),
        }
    }

    /// Nothing is trusted but what comes with the verifier.
    pub(crate) fn distrust(&mut self) {
        self.reference = Reference::builtin().unwrap();
    }

    /// No certificates; the attestation key is pinned by its public area.
    pub(crate) fn pin(&mut self) {
        self.statement.ak_certificate = None;
        self.statement.chain.clear();
        self.pinned = Some(self.statement.ak.public.bytes());
    }

    pub(crate) fn submission(self) -> (Reference, Submission) {
        let mut signed = self.statement.sign().unwrap();
        (self.spoil)(&mut signed);
        let mut files: Vec<File> = signed
            .files()
            .into_iter()
            .filter(|f| !self.without.contains(&f.name.as_str()))
            .map(|f| File::new(f.name, f.bytes))
            .collect();
        files.extend(self.extra);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.nonce = self.nonce;
        submission.request = self.request;
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        if let Some(pinned) = self.pinned {
            submission.options.set_file("ak_pinned", pinned);
        }
        (self.reference, submission)
    }

    pub(crate) fn judge(self) -> Appraisal {
        let (reference, submission) = self.submission();
        judging::judge(reference, &submission)
    }
}

pub(crate) fn only(mut report: Report) -> Appraisal {
    assert_eq!(report.appraisals.len(), 1, "{:#?}", report.appraisals);
    report.appraisals.pop().unwrap()
}

/// Changes the statement before it is signed.
pub(crate) fn altered(change: impl FnOnce(&mut Statement)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench.statement);
    bench
}

/// Changes what was signed.
pub(crate) fn spoilt(change: impl FnOnce(&mut Signed) + 'static) -> Bench {
    let mut bench = Bench::new();
    bench.spoil = Box::new(change);
    bench
}

/// Changes the certificate of the attestation key before it is signed.
pub(crate) fn certified(change: impl FnOnce(&mut keyvouch_emulator::x509::Certificate)) -> Bench {
    altered(|statement| change(&mut statement.ak_certificate.as_mut().unwrap().0))
}

pub(crate) fn with_option(
    mut bench: Bench,
    name: &'static str,
    value: impl Into<serde_json::Value>,
) -> Bench {
    bench.options.push((name, value.into()));
    bench
}

/// Exactly these checks fail, and the evidence is of this class.
#[track_caller]
pub(crate) fn fails(bench: Bench, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    judged(bench.judge(), authenticity, ids)
}

#[track_caller]
pub(crate) fn judged(appraisal: Appraisal, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let mut got = failed(&appraisal);
    got.sort_unstable();
    let mut wanted = ids.to_vec();
    wanted.sort_unstable();
    assert_eq!(got, wanted, "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, authenticity, "{:#?}", appraisal.checks);
    if authenticity != Authenticity::Authentic {
        assert!(
            appraisal.claims.is_empty() && appraisal.trust.is_none(),
            "claims of unauthenticated evidence"
        );
    }
    assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
    got
}

/// It is authentic, without a failed check, and this is among the findings.
#[track_caller]
pub(crate) fn finds(bench: Bench, id: &str) -> Vec<String> {
    let appraisal = bench.judge();
    assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{:#?}", appraisal.checks);
    assert_eq!(failed(&appraisal), Vec::<String>::new());
    let found = found(&appraisal);
    assert!(found.iter().any(|f| f == id), "{found:?}");
    vec![id.to_owned()]
}

/// An authority as an anchor of the operator's data file, with a role.
pub(crate) fn anchor_toml(authority: &Authority, role: &str) -> String {
    use keyvouch::pki::Certificate;
    let certificate = Certificate::from_der(&authority.der).unwrap();
    let key = certificate.key().unwrap();
    let base64 = |bytes: &[u8]| keyvouch_emulator::bundle::base64(bytes).replace('\n', "");
    format!(
        "[[anchor]]\nid = 'emulated-{role}'\nname = 'emulated {role}'\nkind = 'root'\nrole = '{role}'\n\
         formats = ['tpm']\nsubject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n\
         [[anchor.certificate]]\nsha256 = '{}'\nserial = '01'\nnot_before = '{}'\nnot_after = '{}'\n",
        base64(certificate.subject()),
        base64(key.spki_der()),
        hex(&key.spki_sha256()),
        hex(certificate.sha256()),
        certificate.not_before(),
        certificate.not_after(),
    )
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
