//! Requests in CRMF, alone and in CMP messages.

use keyvouch::Authenticity::{Authentic, NotAuthentic};
use keyvouch::{File, InputError};
use keyvouch_emulator::csr_attestation::{ATTESTATION, Bundle, CertReq, Possession, cmp_message, messages};
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::x509::Extension;

use crate::bench::*;

fn crmf(change: impl FnOnce(&mut CertReq)) -> Vec<u8> {
    let mut request = CertReq::new(&own()).unwrap();
    request.extensions.push(Extension::new(ATTESTATION, bundle().value()));
    change(&mut request);
    request.sign(&own()).unwrap()
}

#[test]
fn every_way_of_carrying_a_request() {
    let body = messages(&[crmf(|_| {})]);
    let pkcs10 = request(&bundle());
    let mut files = vec![body.clone(), crmf(|_| {})];
    for (choice, body) in [(0, &body), (2, &body), (7, &body), (4, &pkcs10)] {
        let message = cmp_message(choice, body, &[]).unwrap();
        files.push(cmp_message(20, &messages(std::slice::from_ref(&message)), &[]).unwrap());
        files.push(message);
    }
    for file in files {
        accepts(&judge(file.clone()));
        // Named as the request, too.
        accepts(&only(report_of(file.clone(), |s| s.request = Some(File::new("message.pki", file)))));
    }
    // Certificates may come along in the message.
    let without = Bundle { certificates: Vec::new(), ..bundle() };
    let message = cmp_message(4, &request(&without), &bundle().certificates).unwrap();
    accepts(&judge(message));
    let other = cmp_message(23, &body, &[]).unwrap();
    let appraisal = judge(other);
    assert_eq!(
        (appraisal.authenticity, failed(&appraisal)),
        (NotAuthentic, vec!["csr-malformed".to_owned()])
    );
}

#[test]
fn possession_is_proved_by_a_signature_or_not_at_all() {
    for (possession, id) in [
        (Possession::BadSignature, "csr-signature"),
        (Possession::OverInput, "no-pop"),
        (Possession::RaVerified, "no-pop"),
        (Possession::Encipherment, "no-pop"),
        (Possession::None, "no-pop"),
    ] {
        let file = messages(&[crmf(|r| r.possession = possession)]);
        let appraisal = judge(file.clone());
        assert_eq!(
            (appraisal.authenticity, appraisal.binding.as_str()),
            (Authentic, "none"),
            "{possession:?}"
        );
        assert_eq!(failed(&appraisal), [id], "{possession:?}");
        let named = only(report_of(file.clone(), |s| s.request = Some(File::new("message.pki", file))));
        assert_eq!(failed(&named), [id]);
    }
}

#[test]
fn other_keys_and_several_extensions_are_refused() {
    let other = key("other", KeyKind::P256);
    let mut request = CertReq::new(&other).unwrap();
    request.extensions.push(Extension::new(ATTESTATION, bundle().value()));
    let appraisal = judge(messages(&[request.sign(&other).unwrap()]));
    assert_eq!(
        (failed(&appraisal), appraisal.binding.as_str()),
        (vec!["csr-key-mismatch".to_owned()], "none")
    );
    let twice = crmf(|r| r.extensions.push(Extension::new(ATTESTATION, bundle().value())));
    let appraisal = judge(messages(&[twice]));
    assert_eq!(
        (appraisal.authenticity, failed(&appraisal)),
        (NotAuthentic, vec!["attribute-count".to_owned()])
    );
    // Without a key or a subject there is nothing to bind to, and the signature would not cover it.
    let changes: [fn(&mut CertReq); 2] = [|r| r.spki = None, |r| r.subject = None];
    for change in changes {
        let appraisal = judge(messages(&[crmf(change)]));
        assert_eq!(failed(&appraisal), ["csr-malformed"]);
    }
}

#[test]
fn one_request_can_be_judged_at_a_time() {
    let two = messages(&[crmf(|_| {}), crmf(|r| r.extensions.clear())]);
    let report = report_of(two.clone(), |s| s.request = Some(File::new("two.pki", two)));
    assert!(matches!(report, Err(InputError::ManyRequests { count: 2, .. })), "{report:?}");
}

#[test]
fn a_request_in_crmf_binds_evidence_beside_it() {
    let plain = messages(&[CertReq::new(&own()).unwrap().sign(&own()).unwrap()]);
    let [leaf, f9] = yubikey(&own()).try_into().unwrap();
    let appraisal = only(report_of(leaf, |s| {
        s.evidence.push(File::new("f9.der", f9));
        s.request = Some(File::new("request.crmf", plain));
    }));
    assert_eq!(appraisal.format, "yubikey-piv");
    accepts(&appraisal);
}
