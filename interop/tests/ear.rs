//! The crate `ear` (github.com/veraison/rust-ear) reads our attestation results, and we read its.

use ear::{Algorithm as Theirs, Appraisal, Ear, TrustTier, VerifierID};
use keyvouch::{File, Reference, Report, Submission, Time, Verifier};
use keyvouch_emulator::samples;
use keyvouch_policy::{Policy, Settings, judge};
use keyvouch_results::{
    Algorithm, Expected, Form, KeySet, Profile, SigningKey, Terms, Tier, cmw, issue, verify,
};

/// `ear` compares `exp` with the clock of the machine.
const FAR: &str = "2100-01-01T00:00:00Z";

fn report() -> (Report, Vec<File>) {
    let sample = samples("yubikey-piv").unwrap().into_iter().next().unwrap();
    let file = |f: &keyvouch_emulator::File| File::new(f.name.clone(), f.bytes.clone());
    let mut reference = Reference::builtin().unwrap();
    for anchor in &sample.anchors {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
    }
    let evidence: Vec<File> = sample.evidence.iter().map(file).collect();
    let mut submission = Submission::new(evidence.clone(), sample.at.parse().unwrap());
    submission.request = sample.request.as_ref().map(file);
    let mut report = Verifier::new(reference).appraise(&submission).unwrap();
    judge(&mut report, &[Policy::builtin("hardware-key").unwrap()], true, &Settings::default());
    (report, evidence)
}

#[test]
fn ear_reads_our_tokens() {
    let (report, evidence) = report();
    for (ours, theirs) in [
        (Algorithm::Es256, Theirs::ES256),
        (Algorithm::Es384, Theirs::ES384),
        (Algorithm::EdDsa, Theirs::EdDSA),
        (Algorithm::Ps256, Theirs::PS256),
    ] {
        let key = SigningKey::generate(ours).unwrap();
        let terms = Terms {
            profile: Profile::V04,
            expires: Some(FAR.parse().unwrap()),
            nonce: Some(b"relying party".to_vec()),
            evidence: cmw::evidence(&evidence),
            ..Terms::new(report.at)
        };
        let token = issue(&report, &terms, Form::Jwt, &key).unwrap();
        let token = String::from_utf8(token).unwrap();
        let jwk = key.public_jwk().to_string();
        let read =
            Ear::from_jwt_jwk(&token, theirs, jwk.as_bytes()).unwrap_or_else(|e| panic!("{ours}: {e}"));
        read.validate().unwrap();
        assert_eq!(read.profile, Profile::V04.uri());
        assert_eq!(read.iat, report.at.unix());
        assert_eq!(read.status, Some(TrustTier::Affirming));
        let submod = &read.submods["yubikey-piv"];
        assert_eq!(submod.status, TrustTier::Affirming);
        assert_eq!(submod.policy_ids, ["hardware-key"]);
        assert!(submod.key_attestation.is_some());
        assert!(submod.attester_claims.contains_key("device.serial"));
        assert!(submod.verifier_claims.contains_key("authenticity"));
        let values: Vec<i8> =
            submod.trust_vector.into_iter().map(|claim| claim.value()).filter(|v| *v != 0).collect();
        assert_eq!(values, [2, 2, 2, 2]);
        assert_eq!(read.raw_evidence.is_some(), true);
    }
}

#[test]
fn we_read_its_tokens() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let at: Time = "2026-06-01T00:00:00Z".parse().unwrap();
    let mut result = Ear::new();
    result.profile = Profile::V04.uri().to_owned();
    result.iat = at.unix();
    result.vid = VerifierID { build: "1".to_owned(), developer: "somebody".to_owned() };
    let mut appraisal = Appraisal::new();
    appraisal.status = TrustTier::Warning;
    result.submods.insert("test".to_owned(), appraisal);
    let token = result.sign_jwt_pem(Theirs::ES256, key.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
    let keys = KeySet::read(key.public_jwk().to_string().as_bytes()).unwrap();
    let got = verify(token.as_bytes(), &keys, &Expected::at(at));
    assert_eq!(got.result.map(|r| r.status), Some(Tier::Warning), "{:#?}", got.checks);
}
