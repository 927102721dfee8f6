//! The envelope and the statement of a TPM in it.

use keyvouch::Authenticity::{Authentic, NotAuthentic, Undecided};
use keyvouch::{ClaimName, File, Freshness, InputError};
use keyvouch_emulator::csr::{Attribute, EXTENSION_REQUEST, Request};
use keyvouch_emulator::csr_attestation::{ATTESTATION, Bundle, Nesting, Statement};
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::tpm::{Body, WINDOWS_KEY, attribute, kind};
use keyvouch_emulator::x509::{self, Extension};
use keyvouch_emulator::{der, pem};

use crate::bench::*;
use crate::support::judging::text;

/// A bundle changed.
fn altered(change: impl FnOnce(&mut Bundle)) -> Vec<u8> {
    let mut bundle = bundle();
    change(&mut bundle);
    request(&bundle)
}

/// A request of the own key with these attributes.
fn with_attributes(attributes: Vec<Attribute>) -> Vec<u8> {
    let key = own();
    let mut request = Request::new(x509::common_name("subscriber").unwrap(), &key).unwrap();
    request.attributes = attributes;
    request.sign(&key, key.default_alg()).unwrap()
}

#[test]
fn every_sample_is_authentic_and_bound() {
    for sample in keyvouch_emulator::samples("csr-attestation").unwrap() {
        let case = crate::support::cases::of_sample(&sample);
        let report = case.verifier().appraise(&case.submission).unwrap();
        report.appraisals.iter().for_each(accepts);
        let formats: Vec<&str> = report.appraisals.iter().map(|a| a.format).collect();
        match sample.variant.as_str() {
            "two-statements" => assert_eq!(formats, ["csr-attestation", "yubikey-piv"]),
            variant => assert_eq!(formats, ["csr-attestation"], "{variant}"),
        }
        let appraisal = &report.appraisals[0];
        assert_eq!(text(appraisal, ClaimName::KeyExportable), "never");
        assert_eq!(text(appraisal, ClaimName::KeyGeneratedInDevice), "true");
        assert_eq!(text(appraisal, ClaimName::DeviceModel), "SLB9672");
        // Handed over once it is evidence and request.
        let mut alone = case.submission.clone();
        alone.request = None;
        case.verifier().appraise(&alone).unwrap().appraisals.iter().for_each(accepts);
    }
}

#[test]
fn what_is_said_beside_is_told_and_counts_for_nothing() {
    let dice = der::oid("2.23.133.5.4.1").unwrap();
    let appraisal = judge(altered(|b| {
        b.statements.push(Statement::new(dice, der::sequence(&[der::null()])));
        b.statements[0].after = der::utf8_string("trust me");
    }));
    accepts(&appraisal);
    let told = |id: &str, part: &str| appraisal.checks.iter().any(|c| c.id == id && c.detail.contains(part));
    assert!(told("statement-unknown", "DICE TcbInfo"), "{:#?}", appraisal.checks);
    assert!(told("bundle-malformed", "trust me"), "{:#?}", appraisal.checks);
}

#[test]
fn every_check_of_the_envelope_can_fail() {
    let mut seen = Seen::default();
    too_large(&mut seen);
    malformed(&mut seen);
    counted(&mut seen);
    unknown(&mut seen);
    let weak = key("weak", KeyKind::Rsa1024);
    let appraisal = judge(bundle().request(&weak).unwrap());
    seen.fails(&appraisal, Authentic, &["csr-key-weak", "csr-key-mismatch"]);
    // Two statements of one key, one of which says that it can be duplicated.
    let duplicable = tpm(&own(), |s| {
        s.public.attributes &= !(attribute::FIXED_TPM | attribute::FIXED_PARENT);
    });
    let report =
        report_of(altered(|b| b.statements.push(Statement::tpm(&duplicable).unwrap())), |_| {}).unwrap();
    assert_eq!(report.appraisals.len(), 2);
    seen.fails(&report.appraisals[0], NotAuthentic, &["statements-contradict"]);
    seen.fails(&report.appraisals[1], NotAuthentic, &["statements-contradict", "key-not-tpm-bound"]);

    let about = keyvouch::formats::about().find(|a| a.id == "csr-attestation").unwrap();
    let of_tpm = keyvouch::formats::about().find(|a| a.id == "tpm").unwrap();
    for check in about.checks {
        let shown_by_tpm = of_tpm.checks.iter().any(|c| c.id == check.id);
        assert!(seen.has(check.id) || shown_by_tpm, "{} was not seen", check.id);
    }
}

fn too_large(seen: &mut Seen) {
    let many = altered(|b| b.statements = vec![b.statements[0].clone(); 17]);
    seen.fails(&judge(many), NotAuthentic, &["too-large"]);
    let many = altered(|b| b.certificates = vec![b.certificates[0].clone(); 65]);
    seen.fails(&judge(many), NotAuthentic, &["too-large"]);
    let long = altered(|b| b.statements.push(Statement::of_maker(1, &[&vec![0; 1 << 20]])));
    seen.fails(&judge(long), NotAuthentic, &["too-large"]);
}

fn malformed(seen: &mut Seen) {
    let whole = request(&bundle());
    let mut longer = whole.clone();
    longer.push(0);
    let mut cut = whole.clone();
    cut.pop();
    let info = Request::new(x509::common_name("a").unwrap(), &own()).unwrap().with(bundle().attribute());
    let info = info.sign(&own(), SignAlg::EcdsaSha256).unwrap();
    // The content alone: the first member of the SEQUENCE.
    let header = 4;
    let length = usize::from(info[header + 2]) << 8 | usize::from(info[header + 3]);
    let info = info[header..header + 4 + length].to_vec();
    // The attributes alone, in the place of a request.
    let attribute =
        der::sequence(&[der::oid(ATTESTATION).unwrap(), der::set_of(&bundle().attribute().values)]);
    for file in [longer, cut, info, der::explicit(0, &attribute)] {
        seen.fails(&judge(file.clone()), NotAuthentic, &["csr-malformed"]);
        // The same as request: it is bound to nothing.
        let named = only(report_of(file.clone(), |s| s.request = Some(File::new("request.csr", file))));
        seen.fails(&named, NotAuthentic, &["csr-malformed", "csr-key-mismatch"]);
    }
    // An algorithm that is not one of the key.
    let key = own();
    let mut other = Request::new(x509::common_name("a").unwrap(), &key).unwrap().with(bundle().attribute());
    other.algorithm = Some(SignAlg::RsaPkcs1Sha256.algorithm_identifier().unwrap());
    let appraisal = judge(other.sign(&key, SignAlg::EcdsaSha256).unwrap());
    seen.fails(&appraisal, NotAuthentic, &["csr-malformed", "csr-signature"]);

    type Change = fn(&mut Bundle);
    let shapes: [(&str, Change); 12] = [
        ("a needless SEQUENCE", |b| b.nesting = Nesting::ListWithNeedless),
        ("no statement", |b| b.statements.clear()),
        ("no type", |b| b.statements[0].kind = der::null()),
        ("no stmt", |b| b.statements[0].body.clear()),
        ("another third member", |b| b.statements[0].after = der::printable_string("hint")),
        ("a hint that is no UTF-8", |b| b.statements[0].after = der::tlv(0x0c, &[0xff])),
        ("an IA5String that is none", |b| b.statements[0].after = der::tlv(0x16, &[0xc3, 0xa9])),
        ("a default that is written", |b| b.statements[0].before = der::implicit(0, &[0xff])),
        ("a tagged certificate", |b| b.certificates.push(der::explicit(0, &b.certificates[0].clone()))),
        ("an attribute certificate", |b| b.certificates.push(der::explicit(2, &[]))),
        ("no certificate", |b| b.certificates.push(der::sequence(&[der::null()]))),
        ("a broken identifier", |b| b.statements[0].kind = vec![0x06, 2, 0x2a, 0x83]),
    ];
    for (what, change) in shapes {
        let appraisal = judge(altered(change));
        assert_eq!(failed(&appraisal), ["bundle-malformed"], "{what}: {:#?}", appraisal.checks);
        seen.fails(&appraisal, NotAuthentic, &["bundle-malformed"]);
    }
    // Where the needless SEQUENCE is, and around what.
    let appraisal = judge(altered(|b| b.nesting = Nesting::ListWithNeedless));
    assert!(appraisal.checks.iter().any(|c| c.detail.contains("2.23.133.20.1")), "{:#?}", appraisal.checks);
    // The certificates are there, and empty.
    let empty: [Vec<u8>; 0] = [];
    let value = der::sequence(&[der::sequence(&[bundle().statements[0].der()]), der::sequence(&empty)]);
    let appraisal = judge(with_attributes(vec![Attribute::new(ATTESTATION, value)]));
    seen.fails(&appraisal, NotAuthentic, &["bundle-malformed"]);
}

fn counted(seen: &mut Seen) {
    let attribute = bundle().attribute();
    let twice = with_attributes(vec![attribute.clone(), attribute.clone()]);
    seen.fails(&judge(twice), NotAuthentic, &["attribute-count"]);
    let mut two_values = attribute.clone();
    two_values.values.push(der::null());
    seen.fails(&judge(with_attributes(vec![two_values])), NotAuthentic, &["attribute-count"]);
    let mut none = attribute.clone();
    none.values.clear();
    seen.fails(&judge(with_attributes(vec![none])), NotAuthentic, &["attribute-count"]);
    let extension = Extension::new(ATTESTATION, bundle().value());
    let asked = Attribute::extension_request(std::slice::from_ref(&extension)).unwrap();
    assert_eq!(asked.oid, EXTENSION_REQUEST);
    seen.fails(&judge(with_attributes(vec![asked.clone()])), NotAuthentic, &["attribute-count"]);
    seen.fails(&judge(with_attributes(vec![attribute, asked])), NotAuthentic, &["attribute-count"]);
}

fn unknown(seen: &mut Seen) {
    for oid in ["1.2.3.4", "2.23.133.20.2", "2.23.133.5.4.9", "1.3.6.1.5.5.7.1.35", "2.23.133.20.1.1"] {
        let appraisal = judge(altered(|b| b.statements[0].kind = der::oid(oid).unwrap()));
        seen.fails(&appraisal, Undecided, &["statement-unknown"]);
        assert!(appraisal.failed().any(|c| c.detail.contains(oid)), "{:#?}", appraisal.checks);
        assert!(appraisal.claims.is_empty() && appraisal.binding.as_str() == "none");
    }
}

#[test]
fn the_statement_is_judged_like_every_other_of_a_tpm() {
    let mut seen = Seen::default();
    let mut fails = |signed: &keyvouch_emulator::tpm::Signed, authenticity, ids: &[&str]| {
        let appraisal = judge(request(&Bundle::of_tpm(signed).unwrap()));
        assert_eq!(appraisal.format, "csr-attestation");
        seen.fails(&appraisal, authenticity, ids);
    };
    let good = tpm(&own(), |_| {});
    let mut changed = good.clone();
    changed.attest[20] ^= 1;
    fails(&changed, NotAuthentic, &["attest-signature"]);
    let mut other = good.clone();
    other.public = tpm(&key("other", KeyKind::P256), |_| {}).public;
    fails(&other, NotAuthentic, &["name-mismatch"]);
    let mut broken = good.clone();
    broken.public.pop();
    fails(&broken, NotAuthentic, &["malformed", "public-area-missing"]);
    let mut sized = good.clone();
    sized.attest = keyvouch_emulator::tpm::tpm2b(&sized.attest);
    fails(&sized, NotAuthentic, &["malformed", "attest-signature"]);
    fails(&tpm(&own(), |s| s.change = |attest| attest.magic = 0x1234_5678), NotAuthentic, &["tpm-magic"]);
    fails(
        &tpm(&own(), |s| {
            s.change = |attest| {
                attest.kind = kind::QUOTE;
                attest.body = Body::Raw(vec![0; 6]);
            }
        }),
        NotAuthentic,
        &["tpm-attest-type"],
    );
    fails(&tpm(&own(), |s| s.ak_certificate = None), Undecided, &["ak-unknown"]);
    fails(&tpm(&own(), |s| s.chain.clear()), Undecided, &["anchor-unknown"]);
    fails(
        &tpm(&own(), |s| s.public.attributes &= !attribute::SENSITIVE_DATA_ORIGIN),
        Authentic,
        &["key-origin"],
    );
    accepts(&judge(request(&Bundle::of_tpm(&tpm(&own(), |s| s.public.attributes = WINDOWS_KEY)).unwrap())));

    // No public area; other than octets.
    let two = |parts: &[Vec<u8>]| {
        let mut bundle = bundle();
        bundle.statements[0].body = der::sequence(parts);
        judge(request(&bundle))
    };
    let octets = |bytes: &Vec<u8>| der::octet_string(bytes);
    seen.fails(&two(&[octets(&good.attest), octets(&good.signature)]), Undecided, &["public-area-missing"]);
    seen.fails(&two(&[octets(&good.attest), der::null()]), NotAuthentic, &["malformed"]);
}

#[test]
fn only_a_nonce_inside_the_signed_statement_counts() {
    let with_nonce = |nonce: &'static [u8]| {
        let signed = tpm(&own(), |s| s.nonce = nonce.to_vec());
        let mut bundle = Bundle::of_tpm(&signed).unwrap();
        bundle.statements[0].after = der::utf8_string("asked for");
        only(report_of(request(&bundle), |s| s.nonce = Some(b"asked for".to_vec())))
    };
    let matched = with_nonce(b"asked for");
    accepts(&matched);
    assert_eq!(matched.freshness, Freshness::NonceMatched);
    for (nonce, freshness) in [
        (&b"another"[..], Freshness::NonceMismatch),
        (&[0x00, 0xff, 0x55, 0xaa], Freshness::NoNonceInEvidence),
        (&[], Freshness::NoNonceInEvidence),
    ] {
        let appraisal = with_nonce(nonce);
        assert_eq!(failed(&appraisal), ["nonce-mismatch"]);
        assert_eq!((appraisal.authenticity, appraisal.freshness), (Authentic, freshness));
    }
}

#[test]
fn a_statement_counts_only_for_the_key_of_the_request() {
    // Genuine evidence of another key, in a request that is good by itself.
    let other = judge(bundle().request(&key("other", KeyKind::P256)).unwrap());
    assert_eq!((failed(&other), other.binding.as_str()), (vec!["csr-key-mismatch".to_owned()], "none"));
    // A request signed by another key than its own.
    let own = own();
    let stolen = Request::new(x509::common_name("thief").unwrap(), &own).unwrap().with(bundle().attribute());
    let stolen = judge(stolen.sign(&key("other", KeyKind::P256), SignAlg::EcdsaSha256).unwrap());
    assert_eq!((failed(&stolen), stolen.binding.as_str()), (vec!["csr-signature".to_owned()], "none"));
    // A statement about the platform beside the one about the key: each is what it is.
    let platform = tpm(&key("platform", KeyKind::P256), |_| {});
    let mut both = bundle();
    both.statements.insert(0, Statement::tpm(&platform).unwrap());
    let report = report_of(request(&both), |_| {}).unwrap();
    assert_eq!(report.appraisals.len(), 2);
    assert_eq!(failed(&report.appraisals[0]), ["csr-key-mismatch"]);
    accepts(&report.appraisals[1]);
    // One that is forged says nothing against the other, and nothing for itself.
    let mut forged = platform.clone();
    forged.attest[20] ^= 1;
    let mut both = bundle();
    both.statements.push(Statement::tpm(&forged).unwrap());
    let report = report_of(request(&both), |_| {}).unwrap();
    accepts(&report.appraisals[0]);
    assert_eq!(report.appraisals[1].authenticity, NotAuthentic);
    assert_eq!(report.appraisals[1].binding.as_str(), "none");
    // The request that the caller names is the one to be bound.
    let plain = keyvouch_emulator::csr::plain("other", &key("other", KeyKind::P256)).unwrap();
    let appraisal = only(report_of(request(&bundle()), |s| {
        s.request = Some(File::new("other.csr", pem::request(&plain)))
    }));
    assert_eq!(
        (failed(&appraisal), appraisal.binding.as_str()),
        (vec!["csr-key-mismatch".to_owned()], "none")
    );
}

#[test]
fn roots_in_the_bundle_give_no_trust() {
    let authority = keyvouch_emulator::tpm::AkAuthority::named("somebody's root", "somebody's CA").unwrap();
    let ak = keyvouch_emulator::tpm::Ak::new("AK", KeyKind::P256).unwrap();
    let mut statement = keyvouch_emulator::tpm::Statement::new(&own(), ak, &authority).unwrap();
    statement.chain.push(authority.root.der.clone());
    let appraisal = judge(request(&Bundle::of_tpm(&statement.sign().unwrap()).unwrap()));
    assert_eq!((appraisal.authenticity, failed(&appraisal)), (Undecided, vec!["anchor-unknown".to_owned()]));
}

#[test]
fn the_order_of_certificates_does_not_matter() {
    let mut bundle = bundle();
    bundle.certificates.reverse();
    bundle.certificates.extend(bundle.certificates.clone());
    accepts(&judge(request(&bundle)));
    // Beside the request instead of in it.
    let beside: Vec<File> = bundle.certificates.drain(..).map(|der| File::new("c.der", der)).collect();
    accepts(&only(report_of(request(&bundle), |s| s.evidence.extend(beside))));
}

#[test]
fn a_request_that_cannot_be_read_binds_nothing_else_either() {
    // Good evidence of a device, a request that is only almost one.
    let mut broken = request(&bundle());
    broken.push(0);
    let evidence = yubikey(&own()).into_iter().map(|der| File::new("yubikey.der", der));
    let report = report_of(broken.clone(), |s| {
        s.evidence.extend(evidence);
        s.request = Some(File::new("request.csr", broken.clone()));
    });
    for appraisal in &report.unwrap().appraisals {
        assert!(failed(appraisal).contains(&"csr-key-mismatch".to_owned()), "{appraisal:#?}");
        assert_eq!(appraisal.binding.as_str(), "none");
    }
    // Not handed in as evidence, it is no request at all.
    let plain = report_of(request(&bundle()), |s| s.request = Some(File::new("broken.csr", broken)));
    assert!(matches!(plain, Err(InputError::BadRequest { .. })), "{plain:?}");
}
