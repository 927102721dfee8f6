//! Results: made from emulated evidence, and verified as a relying party does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use keyvouch::appraisal::{Appraisal, Report};
use keyvouch::checks::Outcome;
use keyvouch::pki::CertificationRequest;
use keyvouch::{Authenticity, Time, Verdict};
use keyvouch_results::vector::{self, Tier};
use keyvouch_results::{
    Algorithm, Bound, Expected, Form, IssueError, KeySet, Profile, SigningKey, Terms, Verification, cmw, ear,
    issue, jwt, verify,
};
use serde_json::{Value, json};
use support::{NONCE, first, key, keys, report, report_with, sample};

fn terms(report: &Report) -> Terms {
    Terms {
        expires: Some(report.at.plus_seconds(3600)),
        nonce: Some(NONCE.to_vec()),
        ..Terms::new(report.at)
    }
}

fn expected(report: &Report) -> Expected<'static> {
    Expected { nonce: Some(NONCE), ..Expected::at(report.at) }
}

fn failed(verification: &Verification) -> Vec<&str> {
    let failed = verification.checks.iter().filter(|c| c.outcome == Outcome::Fail);
    failed.map(|c| c.id.as_ref()).collect()
}

fn request() -> CertificationRequest {
    let blocks = String::from_utf8(first().request.unwrap().bytes).unwrap();
    let der = keyvouch::input::find_pem(&blocks).remove(0).der.unwrap();
    CertificationRequest::from_der(&der).unwrap()
}

#[test]
fn every_algorithm_form_and_profile() {
    let report = report(&first());
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        for form in [Form::Jwt, Form::Cwt] {
            for profile in [Profile::V03, Profile::V04] {
                let terms = Terms { profile, ..terms(&report) };
                let token = issue(&report, &terms, form, &key).unwrap();
                let bound = Some(Bound::Request(request()));
                let got = verify(&token, &keys(&key), &Expected { bound, ..expected(&report) });
                let what = format!("{algorithm} {form:?} {profile:?}");
                assert_eq!(got.verdict, Verdict::Accept, "{what}: {:#?}", got.checks);
                assert_eq!(failed(&got), Vec::<&str>::new());
                let said = got.result.unwrap();
                assert_eq!((said.status, said.profile), (Tier::Affirming, profile.uri()), "{what}");
                assert_eq!((said.issued, said.expires), (report.at, terms.expires), "{what}");
                assert_eq!(said.nonces, [hex::encode(NONCE)]);
                let statement = &said.statements[0];
                assert_eq!(statement.name, "yubikey-piv");
                let vector: Vec<(&str, i8)> =
                    statement.vector.iter().map(|(n, v)| (n.as_str(), *v)).collect();
                assert_eq!(
                    vector,
                    [("configuration", 2), ("hardware", 2), ("instance-identity", 2), ("storage-opaque", 2)]
                );
                assert_eq!(statement.policies, ["hardware-key"]);
                let spki = hex::encode(report.appraisals[0].key.as_ref().unwrap().spki_sha256());
                assert_eq!(statement.key_spki_sha256, Some(spki));
                let (attester, verifier) = match profile {
                    Profile::V04 => ("ear_attester_claims", "ear_verifier_claims"),
                    _ => ("ear_veraison_annotated_evidence", "ear_veraison_policy_claims"),
                };
                assert_eq!(statement.claims[attester]["device.vendor"], "Yubico", "{what}");
                assert_eq!(statement.claims[verifier]["binding"], "csr", "{what}");
            }
        }
    }
}

#[test]
fn the_same_report_gives_the_same_claims() {
    let report = report(&first());
    let claims = || ear::claims(&report, &terms(&report)).unwrap().to_string();
    assert_eq!(claims(), claims());
    // Ed25519 draws nothing at random: the whole token is the same.
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    for form in [Form::Jwt, Form::Cwt] {
        let token = || issue(&report, &terms(&report), form, &key).unwrap();
        assert_eq!(token(), token());
    }
    assert!(!claims().contains('.') || !claims().contains("e+"), "no number is a float");
}

#[test]
fn a_changed_token_is_refused_wherever_it_is_changed() {
    let report = report(&first());
    let key = key();
    let keys = keys(&key);
    for form in [Form::Jwt, Form::Cwt] {
        let token = issue(&report, &terms(&report), form, &key).unwrap();
        for at in 0..token.len() {
            for bit in [0x01, 0x20] {
                let mut changed = token.clone();
                changed[at] ^= bit;
                let got = verify(&changed, &keys, &expected(&report));
                assert_eq!(got.verdict, Verdict::Refuse, "{form:?}: bit {bit} of byte {at}");
                assert!(got.result.is_none(), "nothing is repeated of what does not hold");
            }
            let got = verify(&token[..at], &keys, &expected(&report));
            assert_eq!(got.verdict, Verdict::Refuse, "{form:?}: cut at {at}");
        }
        let got = verify(&[&token[..], b"\x00"].concat(), &keys, &expected(&report));
        assert_eq!(got.verdict, Verdict::Refuse, "{form:?}: longer");
    }
}

#[test]
fn verdicts_become_status_and_vector() {
    let plain = |variant| report_with(&sample(variant), &["hardware-key"], &[]);
    let of = |report: &Report| vector::of(&report.appraisals[0]);

    let (tier, values) = of(&plain("5.4.3-9a-p256"));
    assert_eq!((tier, values["hardware"], values["configuration"]), (Tier::Warning, 32, 2), "EUCLEAK");

    let refused = report_with(&sample("5.4.3-9a-p256"), &["hardware-key"], &[("advisories", "refuse")]);
    let (tier, values) = of(&refused);
    assert_eq!((tier, values["hardware"], values["configuration"]), (Tier::Contraindicated, 96, 96));

    // The worst of several policies.
    let both = report_with(&first(), &["hardware-key", "cabf-code-signing"], &[]);
    let (tier, values) = of(&both);
    assert_eq!((tier, values["hardware"], values["configuration"]), (Tier::Contraindicated, 2, 96));

    let mut tampered = first();
    tampered.evidence.iter_mut().for_each(|f| {
        let text = String::from_utf8(f.bytes.clone()).unwrap();
        let mut der = keyvouch::input::find_pem(&text).remove(0).der.unwrap();
        let last = der.len() - 5;
        der[last] ^= 1;
        f.bytes = der;
    });
    let report = report(&tampered);
    assert_eq!(report.appraisals[0].authenticity, Authenticity::NotAuthentic);
    let (tier, values) = of(&report);
    assert_eq!(tier, Tier::Contraindicated);
    assert!(values.len() == 4 && values.values().all(|v| *v == 99), "{values:?}");
    assert!(
        ear::claims(&report, &terms(&report)).unwrap()["submods"]["yubikey-piv"]
            .get("ear_veraison_key_attestation")
            .is_none()
    );

    let mut denied = first();
    denied.options.insert("deny_serials".into(), json!([]));
    let mut submission = support::submission(&denied);
    submission.options.set("deny_serials", json!(["33162554"]));
    let report = support::report_of(&denied, &submission, &["hardware-key"], &[]);
    let (tier, values) = of(&report);
    assert_eq!(
        (tier, values.into_iter().collect::<Vec<_>>()),
        (Tier::Contraindicated, vec![("instance-identity", 96)])
    );

    let mut alone = first();
    alone.anchors.clear();
    let (tier, values) = of(&support::report(&alone));
    assert!(tier == Tier::None || values["hardware"] == 97, "{tier:?} {values:?}");
}

#[test]
fn what_is_not_decided_says_nothing() {
    let mut notes = first();
    notes.evidence = vec![keyvouch_emulator::File::new("notes.txt", "nothing of the kind")];
    let report = report(&notes);
    let claims = ear::claims(&report, &terms(&report)).unwrap();
    assert_eq!(claims["ear_status"], "none");
    let submod = &claims["submods"]["unrecognised"];
    assert_eq!(submod["ear_status"], "none");
    assert_eq!(submod["ear_verifier_claims"]["failed"], json!(["not-recognised"]));
    for name in ["ear_trustworthiness_vector", "ear_attester_claims", "ear_veraison_key_attestation"] {
        assert!(submod.get(name).is_none(), "{name}");
    }
    let key = key();
    let token = issue(&report, &terms(&report), Form::Jwt, &key).unwrap();
    assert_eq!(verify(&token, &keys(&key), &expected(&report)).verdict, Verdict::CannotDecide);

    // A report that no policy judged.
    let unjudged = support::verifier(&first()).appraise(&support::submission(&first())).unwrap();
    assert_eq!(vector::of(&unjudged.appraisals[0]), (Tier::None, vector::Vector::new()));
    // A policy that accepted what is not authentic is not believed.
    let mut odd = support::report(&first());
    for (authenticity, tier) in [
        (Authenticity::Undecided, Tier::None),
        (Authenticity::NotAuthentic, Tier::Contraindicated),
        (Authenticity::NotAttestable, Tier::Contraindicated),
    ] {
        odd.appraisals[0].authenticity = authenticity;
        assert_eq!(vector::of(&odd.appraisals[0]).0, tier);
    }
}

#[test]
fn one_submodule_for_each_statement_and_the_worst_over_all() {
    let mut report = report(&first());
    let another: Appraisal = support::report(&sample("5.4.3-9a-p256")).appraisals.remove(0);
    report.appraisals.push(another.clone());
    report.appraisals.push(another);
    let claims = ear::claims(&report, &terms(&report)).unwrap();
    let submods = claims["submods"].as_object().unwrap();
    let names: Vec<&str> = submods.keys().map(String::as_str).collect();
    assert_eq!(names, ["yubikey-piv", "yubikey-piv-2", "yubikey-piv-3"]);
    assert_eq!(
        (&submods["yubikey-piv"]["ear_status"], &claims["ear_status"]),
        (&json!("affirming"), &json!("warning"))
    );
    // Two keys in one result: a relying party that asks for one of them must not get the other along.
    let key = key();
    let token = issue(&report, &terms(&report), Form::Cwt, &key).unwrap();
    let bound = Some(Bound::Request(request()));
    let got = verify(&token, &keys(&key), &Expected { bound, ..expected(&report) });
    assert_eq!((got.verdict, failed(&got)), (Verdict::Refuse, vec!["result-attested-key"]));
    let got = verify(&token, &keys(&key), &expected(&report));
    assert_eq!(got.verdict, Verdict::AcceptWithFindings);
}

#[test]
fn nonces_of_results_and_of_evidence_are_not_mixed_up() {
    let mut report = report(&first());
    assert_eq!(ear::answered(&report, Some(NONCE)), None, "this evidence has no nonce");
    report.appraisals[0].freshness = keyvouch::Freshness::NonceMatched;
    assert_eq!(ear::answered(&report, Some(NONCE)), Some(NONCE));
    let terms = Terms { evidence_nonce: Some(b"evidence".to_vec()), ..terms(&report) };
    let claims = ear::claims(&report, &terms).unwrap();
    assert_eq!(claims["submods"]["yubikey-piv"]["eat_nonce"], "ZXZpZGVuY2U");
    assert_eq!(claims["eat_nonce"], "cmVseWluZyBwYXJ0eSdzIG5vbmNl");
}

#[test]
fn terms_without_a_place_in_a_result_are_refused() {
    let report = report(&first());
    let refused = |change: &dyn Fn(&mut Terms)| {
        let mut terms = terms(&report);
        change(&mut terms);
        ear::claims(&report, &terms).unwrap_err()
    };
    assert_eq!(refused(&|t| t.nonce = Some(vec![0; 7])), IssueError::Nonce(7));
    assert_eq!(refused(&|t| t.nonce = Some(vec![0; 65])), IssueError::Nonce(65));
    assert_eq!(refused(&|t| t.expires = Some(t.issued)), IssueError::Expiry);
    assert_eq!(refused(&|t| t.issued = Time::from_unix(-1)), IssueError::Time);
    assert_eq!(refused(&|t| t.profile = Profile::V02), IssueError::Profile);
    let empty = Report { appraisals: Vec::new(), ..report.clone() };
    assert_eq!(ear::claims(&empty, &terms(&report)), Err(IssueError::Empty));
}

#[test]
fn results_and_evidence_in_wrappers() {
    let sample = first();
    let report = report(&sample);
    let key = key();
    let files = support::submission(&sample).evidence;
    let record = cmw::evidence(&files).unwrap();
    assert_eq!(record.media.to_string(), "application/cmw+cbor");
    for profile in [Profile::V03, Profile::V04] {
        for form in [Form::Jwt, Form::Cwt] {
            let terms = Terms { profile, evidence: Some(record.clone()), ..terms(&report) };
            let token = issue(&report, &terms, form, &key).unwrap();
            let wrapped = cmw::around(token, form, profile);
            for bytes in [wrapped.to_json().unwrap().to_string().into_bytes(), wrapped.to_cbor()] {
                let got = verify(&bytes, &keys(&key), &expected(&report));
                assert_eq!(got.verdict, Verdict::Accept, "{:#?}", got.checks);
            }
        }
    }
    // What says that it is something else is not looked into.
    let token = issue(&report, &terms(&report), Form::Jwt, &key).unwrap();
    let cmw::Cmw::Record(mut record) = cmw::around(token, Form::Jwt, Profile::V04) else { panic!() };
    record.media = cmw::Media::Type("text/plain".into());
    let text = cmw::Cmw::Record(record).to_json().unwrap().to_string();
    assert_eq!(failed(&verify(text.as_bytes(), &keys(&key), &expected(&report))), ["result-form"]);

    // The evidence in a result is evidence again.
    let evidence = cmw::Cmw::Record(cmw::evidence(&files).unwrap());
    let mut again = support::submission(&sample);
    again.evidence = vec![keyvouch::File::new("evidence.cmw", evidence.to_cbor())];
    let again = support::report_of(&sample, &again, &["hardware-key"], &[]);
    assert_eq!(again.verdict, Some(Verdict::Accept), "{:#?}", again.appraisals);
}

#[test]
fn keys_of_every_form() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let again = SigningKey::read(key.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
        assert_eq!((again.id(), again.algorithm()), (key.id(), algorithm));
        match key.to_private_jwk() {
            Ok(jwk) => {
                let again = SigningKey::read(jwk.to_string().as_bytes()).unwrap();
                assert_eq!(again.public(), key.public());
                // Public and private part that do not belong together.
                let mut mixed = jwk.clone();
                mixed["d"] = SigningKey::generate(algorithm).unwrap().to_private_jwk().unwrap()["d"].clone();
                assert!(SigningKey::read(mixed.to_string().as_bytes()).is_err(), "{algorithm}");
                assert!(
                    KeySet::read(jwk.to_string().as_bytes()).is_err(),
                    "a private key is none to verify with"
                );
            }
            Err(_) => assert_eq!(algorithm, Algorithm::Ps256),
        }
        assert!(KeySet::read(key.to_pkcs8_pem().unwrap().as_bytes()).is_err());
        let report = report(&first());
        let token = issue(&report, &terms(&report), Form::Jwt, &key).unwrap();
        let spki = key.public().spki_der();
        let other = support::key();
        let set = keyvouch_results::keys::jwks([&other, &key]);
        for bytes in [spki.to_vec(), set.to_string().into_bytes()] {
            let keys = KeySet::read(&bytes).unwrap();
            let got = verify(&token, &keys, &expected(&report));
            assert_eq!(got.verdict, Verdict::Accept, "{algorithm}: {:#?}", got.checks);
        }
    }
}

#[test]
fn a_private_rsa_key_as_jwk() {
    // Made for this test.
    let jwk = include_str!("data/rsa.jwk");
    let key = SigningKey::read(jwk.as_bytes()).unwrap();
    assert_eq!((key.algorithm(), key.id()), (Algorithm::Ps256, "a test"));
    let report = report(&first());
    let token = issue(&report, &terms(&report), Form::Cwt, &key).unwrap();
    assert_eq!(verify(&token, &keys(&key), &expected(&report)).verdict, Verdict::Accept);
}

#[test]
fn what_a_relying_party_prints_says_what_it_verified() {
    let report = report(&first());
    let key = key();
    let token = jwt::sign(&ear::claims(&report, &terms(&report)).unwrap(), &key).unwrap();
    let got = verify(token.as_bytes(), &keys(&key), &expected(&report));
    let json: Value = serde_json::to_value(&got).unwrap();
    assert_eq!(json["schema"], "keyvouch.verification/1");
    assert_eq!(json["verdict"], "accept");
    assert_eq!(json["result"]["statements"][0]["status"], "affirming");
    assert_eq!(json["result"]["expires"], report.at.plus_seconds(3600).to_string());
}
