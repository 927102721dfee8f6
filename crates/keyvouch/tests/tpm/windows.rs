//! Windows requests: the blobs around the statement, and what is encrypted to the CA.

use std::collections::BTreeSet;

use keyvouch::Authenticity::{self, Authentic, NotAuthentic, Undecided};
use keyvouch::appraisal::Appraisal;
use keyvouch::{File, Freshness, Reference, Submission, Verifier};
use keyvouch_emulator::csr::Attribute;
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::tpm::windows::{Exchange, WindowsRequest, id_binding, info, oid};
use keyvouch_emulator::tpm::{Ak, AkAuthority, Creation, Statement, attribute};

use crate::bench::{AT, ak, judged, key, only};
use crate::support::judging::{failed, found};

/// A Windows request for an RSA key, with the certificate of the attestation key in AIK_INFO.
struct Bench {
    authority: AkAuthority,
    request: WindowsRequest,
    exchange: Exchange,
    /// Whether the verifier has the exchange key.
    can_open: bool,
    sha1: bool,
    nonce: Option<Vec<u8>>,
    named: bool,
    blob_only: Option<fn(&WindowsRequest) -> Vec<u8>>,
    pinned: Option<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        Self::with(ak(KeyKind::Rsa2048))
    }

    fn with(ak: Ak) -> Self {
        let mut bench = Self::bare(ak);
        let certificate = bench.ak_certificate();
        bench.aik_info(&[certificate]);
        bench
    }

    /// Without AIK_INFO.
    fn bare(ak: Ak) -> Self {
        let authority = AkAuthority::new().unwrap();
        let statement = Statement::new(&key("windows", KeyKind::Rsa2048), ak, &authority).unwrap();
        Self {
            authority,
            request: WindowsRequest::new(statement).unwrap(),
            exchange: Exchange::new().unwrap(),
            can_open: true,
            sha1: false,
            nonce: None,
            named: true,
            blob_only: None,
            pinned: None,
        }
    }

    fn ak_certificate(&self) -> Vec<u8> {
        let (certificate, signer) = self.request.statement.ak_certificate.as_ref().unwrap();
        certificate.sign(signer, SignAlg::EcdsaSha384).unwrap()
    }

    fn aik_info(&mut self, certificates: &[Vec<u8>]) {
        let spki = self.request.statement.ak.key.spki_der().unwrap();
        self.encrypted(oid::AIK_INFO, &info(&spki, certificates));
    }

    fn encrypted(&mut self, oid: &str, content: &[u8]) {
        self.request.attributes.retain(|a| a.oid != oid);
        let enveloped = self.exchange.encrypt(content).unwrap();
        self.request.attributes.push(Attribute::new(oid, enveloped));
    }

    fn judge(self) -> Appraisal {
        let mut reference = Reference::builtin().unwrap();
        for anchor in self.authority.anchors() {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let csr = self.request.request(&key("windows", KeyKind::Rsa2048)).unwrap();
        let first = match self.blob_only {
            Some(blob) => File::new("blob.bin", blob(&self.request)),
            None => File::new("request.csr", csr.clone()),
        };
        let files = vec![first, File::new("ca.der", self.authority.issuer.der.clone())];
        let mut submission = Submission::new(files, AT.parse().unwrap());
        submission.nonce = self.nonce;
        submission.request = self.named.then(|| File::new("request.csr", csr));
        if self.can_open {
            submission.options.set_file("exchange_key", self.exchange.key_pem());
            submission.options.set_file("exchange_cert", self.exchange.certificate.clone());
        }
        if let Some(pinned) = self.pinned {
            submission.options.set_file("ak_pinned", pinned);
        }
        if self.sha1 {
            submission.options.set("sha1_attestation", "allow");
        }
        only(Verifier::new(reference).appraise(&submission).unwrap())
    }
}

fn altered(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench);
    bench
}

#[track_caller]
fn fails(bench: Bench, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let appraisal = bench.judge();
    assert_eq!(appraisal.format, "tpm-windows");
    judged(appraisal, authenticity, ids)
}

#[test]
fn the_attestation_key_comes_encrypted() {
    let mut bench = Bench::with(ak(KeyKind::Rsa2048).signing(SignAlg::RsaPkcs1Sha1));
    bench.sha1 = true;
    bench.named = false;
    let appraisal = bench.judge();
    assert_eq!(appraisal.authenticity, Authentic, "{:#?}", appraisal.checks);
    assert_eq!(failed(&appraisal), Vec::<String>::new());
    assert_eq!(found(&appraisal), ["weak-signature"]);
    // The request that carries the statement is the request.
    assert_eq!(appraisal.binding.as_str(), "csr");
    assert_eq!(appraisal.freshness, Freshness::NotAsked);
}

#[test]
fn every_check_of_windows_can_fail() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);
    // kast-header, kads-header, pcpm-header
    note(fails(altered(|b| b.request.headers.kast = *b"XAST"), NotAuthentic, &["kast-header"]));
    note(fails(altered(|b| b.request.headers.version = 2), NotAuthentic, &["kast-header"]));
    note(fails(altered(|b| b.request.headers.platform = 3), NotAuthentic, &["kast-header"]));
    note(fails(altered(|b| b.request.headers.kads = *b"XADS"), NotAuthentic, &["kads-header"]));
    note(fails(
        altered(|b| b.request.headers.pcpm = *b"XCPM"),
        NotAuthentic,
        &["pcpm-header", "public-area-missing"],
    ));
    note(fails(
        altered(|b| b.request.headers.pcp_type = 1),
        NotAuthentic,
        &["pcpm-header", "public-area-missing"],
    ));
    // The platform of TPM 1.2.
    note(fails(altered(|b| b.request.headers.platform = 1), Undecided, &["tpm12-evidence"]));
    // aik-info: not the SEQUENCE; not an EnvelopedData
    note(fails(
        altered(|b| b.encrypted(oid::AIK_INFO, b"nothing")),
        NotAuthentic,
        &["aik-info", "ak-unknown"],
    ));
    note(fails(
        altered(|b| {
            b.request.attributes = vec![Attribute::new(oid::AIK_INFO, keyvouch_emulator::der::null())];
        }),
        NotAuthentic,
        &["aik-info", "ak-unknown"],
    ));
    // aik-certificate: of another key than the one beside it
    note(fails(
        altered(|b| {
            let certificate = b.ak_certificate();
            let other = key("stranger", KeyKind::Rsa2048).spki_der().unwrap();
            b.encrypted(oid::AIK_INFO, &info(&other, &[certificate]));
        }),
        NotAuthentic,
        &["aik-certificate"],
    ));
    // pcp-policy: branches in another order; one more
    note(fails(altered(|b| b.request.branches.reverse()), NotAuthentic, &["pcp-policy"]));
    note(fails(altered(|b| b.request.branches.push(vec![1; 32])), NotAuthentic, &["pcp-policy"]));
    note(fails(altered(|b| b.request.branches.truncate(1)), NotAuthentic, &["pcp-policy"]));
    // Findings: pcp-duplication-branch, ksp-name
    let duplicable = altered(|b| {
        // An empty branch more, which leaves no trace in the policy, hides nothing.
        b.request.branches.insert(5, vec![7; 32]);
        let public = &mut b.request.statement.public;
        public.auth_policy = keyvouch_emulator::tpm::windows::policy_or(&b.request.branches);
        public.attributes &= !(attribute::FIXED_TPM | attribute::FIXED_PARENT);
    })
    .judge();
    assert_eq!(
        (duplicable.authenticity, failed(&duplicable)),
        (Authentic, vec!["key-not-tpm-bound".to_owned()])
    );
    note(found(&duplicable));
    let provider =
        altered(|b| b.request.ksp_name = Some("Microsoft Software Key Storage Provider".to_owned())).judge();
    assert_eq!(failed(&provider), Vec::<String>::new());
    note(found(&provider));

    // Every other check is one of the statement, whose failures the format `tpm` shows.
    let checks = |id: &str| -> BTreeSet<String> {
        let about = keyvouch::formats::about().find(|a| a.id == id).unwrap();
        about.checks.iter().map(|c| c.id.to_owned()).collect()
    };
    let shared = checks("tpm");
    let all: BTreeSet<String> = seen.union(&shared).cloned().collect();
    assert_eq!(all, checks("tpm-windows"));
    let own: Vec<_> = checks("tpm-windows").difference(&shared).cloned().collect();
    assert!(own.iter().all(|id| seen.contains(id)), "{own:?}");
}

#[test]
fn without_the_exchange_key_the_attestation_key_is_not_known() {
    fails(altered(|b| b.can_open = false), Undecided, &["ak-unknown"]);
    // Another CA's key opens nothing.
    let mut other = Bench::new();
    other.request.attributes.clear();
    let key = keyvouch_emulator::key::Key::shared("another CA", KeyKind::Rsa2048).unwrap();
    let foreign = Exchange { key, certificate: Vec::new() };
    let spki = other.request.statement.ak.key.spki_der().unwrap();
    let value = foreign.encrypt(&info(&spki, &[other.ak_certificate()])).unwrap();
    other.request.attributes.push(Attribute::new(oid::AIK_INFO, value));
    fails(other, Undecided, &["ak-unknown"]);
    // The key alone, without a certificate, is no trust.
    fails(altered(|b| b.aik_info(&[])), Undecided, &["ak-unknown"]);
    // Pinned, it is.
    let pinned = altered(|b| {
        b.can_open = false;
        b.pinned = Some(b.request.statement.ak.public.bytes());
    });
    assert_eq!(pinned.judge().authenticity, Authentic);
}

#[test]
fn the_flow_with_an_endorsement_key() {
    let mut bench = Bench::bare(ak(KeyKind::Rsa2048));
    let ak = bench.request.statement.ak.clone();
    bench.request.id_binding = id_binding(&ak, &Creation::below_storage_key()).unwrap();
    let consistent = bench.judge();
    assert_eq!((failed(&consistent), consistent.authenticity), (vec!["ak-unknown".to_owned()], Undecided));
    assert!(consistent.checks.iter().any(|c| c.id == "ak-creation"));
    assert!(consistent.checks.iter().any(|c| c.id == "qualified-signer"));
    // Its creation statement must be its own.
    let mut other = Bench::bare(ak.clone());
    let mut binding = id_binding(&ak, &Creation::below_storage_key()).unwrap();
    *binding.last_mut().unwrap() ^= 1;
    other.request.id_binding = binding;
    fails(other, NotAuthentic, &["ak-creation", "ak-unknown"]);
    let mut cut = Bench::bare(ak.clone());
    cut.request.id_binding = vec![0, 9, 1];
    fails(cut, NotAuthentic, &["malformed", "ak-unknown"]);
}

#[test]
fn other_numbers_and_other_wrappings() {
    // The number that MS-WCCE prints.
    let printed = altered(|b| b.request.statement_oid = "1.3.6.1.4.1.311.21.33").judge();
    assert_eq!(printed.authenticity, Authentic);
    let pinned = |blob: fn(&WindowsRequest) -> Vec<u8>| {
        altered(|b| {
            b.blob_only = Some(blob);
            b.pinned = Some(b.request.statement.ak.public.bytes());
        })
    };
    let bare = pinned(|r| r.kads().unwrap()).judge();
    assert_eq!((bare.authenticity, bare.binding.as_str()), (Authentic, "csr"));
    fails(pinned(|r| r.pcpm()), Undecided, &["statement-missing"]);
}

#[test]
fn the_constant_of_windows_is_no_freshness() {
    let exchange = Exchange::new().unwrap();
    let mut bench = Bench::new();
    bench.request.statement.nonce = keyvouch_emulator::key::sha1(&exchange.certificate);
    bench.nonce = Some(vec![1; 20]);
    let appraisal = bench.judge();
    assert_eq!(appraisal.freshness, Freshness::NonceMismatch);
    assert_eq!(failed(&appraisal), ["nonce-mismatch"]);
    assert!(appraisal.checks.iter().any(|c| c.detail.contains("SHA-1 of the exchange certificate")));
}
