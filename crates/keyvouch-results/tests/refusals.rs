//! What a relying party refuses: for every check of a result one that fails it, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::BTreeSet;

use keyvouch::checks::Outcome;
use keyvouch::crypto::PublicKey;
use keyvouch::pki::CertificationRequest;
use keyvouch::{Time, Verdict};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::{csr, pem, x509};
use keyvouch_results::{
    Algorithm, Bound, Expected, KeyError, KeySet, SigningKey, Tier, Verification, cwt, jwt, verify,
};
use serde_json::{Value, json};
use support::{key, keys};

/// 2026-06-01T00:00:00Z
const NOW: i64 = 1_780_272_000;

/// A claims set that nothing is wrong with.
fn good() -> Value {
    json!({
        "eat_profile": "tag:ietf.org,2026:rats/ear#04",
        "iat": NOW,
        "exp": NOW + 3600,
        "eat_nonce": "cmVseWluZyBwYXJ0eQ",
        "ear_status": "warning",
        "ear_verifier_id": { "developer": "somebody", "build": "1" },
        "submods": {
            "a": { "ear_status": "affirming", "ear_trustworthiness_vector": { "hardware": 2 } },
            "b": { "ear_status": "warning", "ear_appraisal_policy_ids": ["p"] },
        },
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut claims = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = claims.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name)
    } else {
        parent.insert(name.into(), value)
    };
    claims
}

struct Bench {
    key: SigningKey,
    seen: BTreeSet<String>,
}

impl Bench {
    fn new() -> Self {
        Self { key: key(), seen: BTreeSet::new() }
    }

    fn expected() -> Expected<'static> {
        Expected::at(Time::from_unix(NOW + 10))
    }

    fn verify(&self, token: &[u8], expected: &Expected<'_>) -> Verification {
        verify(token, &keys(&self.key), expected)
    }

    #[track_caller]
    fn fails(&mut self, got: &Verification, id: &str, why: &str) {
        let failed: Vec<_> = got.checks.iter().filter(|c| c.outcome == Outcome::Fail).collect();
        let [only] = failed.as_slice() else { panic!("{id}: {:#?}", got.checks) };
        assert_eq!(only.id, id, "{}", only.detail);
        assert!(only.detail.contains(why), "{id}: {} does not say {why:?}", only.detail);
        assert!(only.advice.is_some());
        assert_eq!(got.verdict, Verdict::Refuse);
        self.seen.insert(id.to_owned());
    }

    /// As JWT, and as CWT where the claims have a place there, the same check fails.
    #[track_caller]
    fn claims(&mut self, claims: &Value, id: &str, why: &str) {
        let token = jwt::sign(claims, &self.key).unwrap();
        let got = self.verify(token.as_bytes(), &Self::expected());
        self.fails(&got, id, why);
        if let Ok(token) = cwt::sign(claims, &self.key) {
            let got = self.verify(&token, &Self::expected());
            self.fails(&got, id, "");
        }
    }
}

#[test]
fn every_check_fails_where_it_must() {
    let mut bench = Bench::new();
    let good = jwt::sign(&good(), &bench.key).unwrap();
    let got = bench.verify(good.as_bytes(), &Bench::expected());
    assert_eq!(got.verdict, Verdict::AcceptWithFindings, "{:#?}", got.checks);

    forms_and_headers(&mut bench, &good);
    signers(&mut bench, &good);
    claims_sets(&mut bench);
    times_and_nonces(&mut bench, &good);
    statuses(&mut bench);
    requests(&mut bench);

    let all: BTreeSet<String> = verify::CHECKS.iter().map(|c| c.id.to_owned()).collect();
    // Never a refusal, only a warning: see below.
    let all: BTreeSet<String> = all.into_iter().filter(|id| id != "result-replay").collect();
    assert_eq!(bench.seen, all);
}

fn forms_and_headers(bench: &mut Bench, good: &str) {
    let parts: Vec<&str> = good.split('.').collect();
    for token in [
        "",
        "notes",
        parts[0],
        &parts[..2].join("."),
        &format!("{good}.{}", parts[2]),
        &format!("{good}="),
        &good.replace('.', ".."),
        r#"["application/eat+jwt","!"]"#,
        r#"{"a":["application/eat+jwt","AQ"]}"#,
        r#"["application/eat+jwt","AQ"]"#,
    ] {
        let got = bench.verify(token.as_bytes(), &Bench::expected());
        bench.fails(&got, "result-form", "");
    }
    let header = |header: &str| {
        use base64::Engine as _;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        format!("{header}.{}.{}", parts[1], parts[2])
    };
    for (text, id, why) in [
        (r#"{"alg":"none"}"#, "result-algorithm", "none"),
        (r#"{"alg":"HS256"}"#, "result-algorithm", "HS256"),
        (r#"{"alg":"RS256"}"#, "result-algorithm", "RS256"),
        (r#"{"alg":"es256"}"#, "result-algorithm", "es256"),
        (r#"{"alg":"ES256","crit":["exp"]}"#, "result-algorithm", "crit"),
        (r#"{"alg":"ES256","b64":false}"#, "result-algorithm", "b64"),
        (r#"{"alg":1}"#, "result-algorithm", "missing"),
        (r#"{}"#, "result-algorithm", "missing"),
        (r#"{"alg":"ES256","alg":"none"}"#, "result-form", "twice"),
        (r#"{"alg":"ES256","typ":"secevent+jwt"}"#, "result-form", "secevent+jwt"),
        (r#"{"alg":"ES256","kid":1}"#, "result-form", "kid"),
        (r#"["ES256"]"#, "result-form", "JSON object"),
        (" {\"alg\":\"ES256\"}", "result-form", "JSON object"),
    ] {
        let got = bench.verify(header(text).as_bytes(), &Bench::expected());
        bench.fails(&got, id, why);
    }
    // A key that comes inside the token is not looked at.
    let own = SigningKey::generate(Algorithm::Es256).unwrap();
    let with_key = json!({"alg": "ES256", "jwk": own.public_jwk()}).to_string();
    let got = bench.verify(header(&with_key).as_bytes(), &Bench::expected());
    bench.fails(&got, "result-signature", "");

    // COSE_Sign1: [protected, unprotected, payload, signature]
    for (hex, id, why) in [
        ("d28440a04100 40", "result-algorithm", "missing"),
        ("d28443a10126a041004100", "result-signature", ""),
        ("d28443a10105a041004100", "result-algorithm", "5"),
        ("d28446a20126028101a041004100", "result-algorithm", "crit"),
        ("d28443a10126a1028101 41004100", "result-algorithm", "crit"),
        ("d28441a0a1012641004100", "result-form", "not protected"),
        ("d28443a10126a104614141004100", "result-form", "not bytes"),
        ("d28446a20126044161a104416141004100", "result-form", "twice"),
        ("d28443a10126a0f64100", "result-form", "payload"),
        ("d28445a201260126a041004100", "result-form", "second time"),
        ("d2844aa201261065782f63777 4a041004100", "result-form", "x/cwt"),
        ("d284430126a0a041004100", "result-form", ""),
        ("d28344a10126a04100", "result-form", ""),
    ] {
        let bytes = hex::decode(hex.replace(' ', "")).unwrap();
        let without_id = KeySet::of_key(bench.key.public()).unwrap();
        let got = verify(&bytes, &without_id, &Bench::expected());
        bench.fails(&got, id, why);
    }
}

fn signers(bench: &mut Bench, good: &str) {
    let other = key();
    for keys in [keys(&other), keys(&SigningKey::generate(Algorithm::Es384).unwrap())] {
        let got = verify(good.as_bytes(), &keys, &Bench::expected());
        bench.fails(&got, "result-key", bench.key.id().to_owned().as_str());
    }
    // A key without identifier takes any token of its algorithm; the signature decides.
    let bare = KeySet::of_key(other.public()).unwrap();
    let got = verify(good.as_bytes(), &bare, &Bench::expected());
    bench.fails(&got, "result-signature", "");
    let bare = KeySet::of_key(SigningKey::generate(Algorithm::EdDsa).unwrap().public()).unwrap();
    let got = verify(good.as_bytes(), &bare, &Bench::expected());
    bench.fails(&got, "result-key", "ES256");

    // Certificates are in force for a time.
    let subject = Key::shared("results: verifier", KeyKind::P256).unwrap();
    let name = x509::common_name("a verifier").unwrap();
    let certificate = |from: &str, to: &str| {
        let template = x509::Certificate::new(name.clone(), &subject, from, to).unwrap();
        template.sign(&subject, SignAlg::EcdsaSha256).unwrap()
    };
    let ended = certificate("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    let got = verify(good.as_bytes(), &KeySet::read(&ended).unwrap(), &Bench::expected());
    bench.fails(&got, "result-key", "not in force");
    let in_force = certificate("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let pem = pem::encode("CERTIFICATE", &in_force);
    let got = verify(good.as_bytes(), &KeySet::read(pem.as_bytes()).unwrap(), &Bench::expected());
    bench.fails(&got, "result-signature", "");
    assert_eq!(KeySet::read(format!("{pem}{pem}").as_bytes()).unwrap_err(), KeyError::Many(2));
}

fn claims_sets(bench: &mut Bench) {
    for payload in [&b"{}{}"[..], b"[]", b"\"\"", br#"{"iat":1,"iat":2}"#, b"\xff"] {
        let token = jwt::sign_payload(payload, &bench.key).unwrap();
        let got = bench.verify(token.as_bytes(), &Bench::expected());
        bench.fails(&got, "result-claims", "");
    }
    // The last: a number and its text are one name here.
    for hex in
        ["80", "a10601 00", "a2060106 02", "bf0601ff", "a1613101a1", "a16369617401", "a21903e70163393939 01"]
    {
        let payload = hex::decode(hex.replace(' ', "")).unwrap();
        let token = cwt::sign_payload(&payload, &bench.key).unwrap();
        let got = bench.verify(&token, &Bench::expected());
        bench.fails(&got, "result-claims", "");
    }
    for (value, why) in [
        (json!(null), "none"),
        (json!(4), "not text"),
        (json!("test"), "\"test\""),
        (json!("tag:ietf.org,2026:rats/ear#05"), "#05"),
        (json!("TAG:ietf.org,2026:rats/ear#04"), "TAG"),
    ] {
        bench.claims(&with("/eat_profile", value), "result-profile", why);
    }
    for (pointer, value, why) in [
        ("/iat", json!(null), "iat is missing"),
        ("/iat", json!("1"), "whole seconds"),
        ("/iat", json!(1_780_272_000.5), "whole seconds"),
        ("/iat", json!(1_780_272_000.0), "whole seconds"),
        ("/iat", json!(-1), "whole seconds"),
        ("/exp", json!(1.5e9), "whole seconds"),
        ("/nbf", json!(true), "whole seconds"),
        ("/ear_verifier_id", json!(null), "missing"),
        ("/ear_verifier_id", json!({"developer": "a"}), "another type"),
        ("/ear_verifier_id", json!({"developer": "", "build": "1"}), "another type"),
        ("/eat_nonce", json!("AQ"), "8 to 64"),
        ("/eat_nonce", json!([]), "8 to 64"),
        ("/eat_nonce", json!(12_345_678), "8 to 64"),
        ("/ear_status", json!("good"), "four tiers"),
        ("/ear_status", json!(2), "four tiers"),
        // #04 has a wrapper here, #03 bytes.
        ("/ear_raw_evidence", json!("AQID"), "another type"),
        ("/ear_raw_evidence", json!(["a/b"]), "another type"),
    ] {
        let claims = with(pointer, value);
        let token = jwt::sign(&claims, &bench.key).unwrap();
        let got = bench.verify(token.as_bytes(), &Bench::expected());
        bench.fails(&got, "result-mandatory", why);
    }
    // 1.666529184e+09 is a float, however whole it is.
    let text = good().to_string().replace(&format!("\"iat\":{NOW}"), "\"iat\":1.780272e+09");
    let token = jwt::sign_payload(text.as_bytes(), &bench.key).unwrap();
    let got = bench.verify(token.as_bytes(), &Bench::expected());
    bench.fails(&got, "result-mandatory", "whole seconds");
    // Names with dots are those of older profiles; here they are no claims at all.
    let mut dotted = with("/ear_verifier_id", json!(null));
    dotted["ear.verifier-id"] = json!({"developer": "a", "build": "1"});
    bench.claims(&dotted, "result-mandatory", "ear_verifier_id is missing");

    for (pointer, value, why) in [
        ("/submods", json!(null), "missing"),
        ("/submods", json!({}), "no submodule"),
        ("/submods", json!([]), "another type"),
        ("/submods/a", json!("eyJ"), "no object"),
        ("/submods/a/ear_status", json!(null), "missing"),
        ("/submods/a/ear_status", json!("fine"), "four tiers"),
        ("/submods/a/ear_trustworthiness_vector", json!({}), "empty"),
        ("/submods/a/ear_trustworthiness_vector", json!({"hardware": 128}), "-128 to 127"),
        ("/submods/a/ear_trustworthiness_vector", json!({"hardware": -129}), "-128 to 127"),
        ("/submods/a/ear_trustworthiness_vector", json!({"hardware": 2.0}), "-128 to 127"),
        ("/submods/a/ear_trustworthiness_vector", json!({"hardware": "2"}), "-128 to 127"),
        ("/submods/b/ear_appraisal_policy_ids", json!([]), "another type"),
        ("/submods/b/ear_appraisal_policy_ids", json!("p"), "another type"),
        ("/submods/b/ear_appraisal_policy_ids", json!([1]), "another type"),
        ("/submods/b/ear_veraison_key_attestation", json!({"pub": "AQ"}), "another type"),
    ] {
        let token = jwt::sign(&with(pointer, value), &bench.key).unwrap();
        let got = bench.verify(token.as_bytes(), &Bench::expected());
        bench.fails(&got, "result-submods", why);
    }
    let many: serde_json::Map<_, _> =
        (0..65).map(|n| (n.to_string(), json!({"ear_status": "none"}))).collect();
    bench.claims(&with("/submods", many.into()), "result-submods", "more than 64");
}

fn times_and_nonces(bench: &mut Bench, good: &str) {
    for (at, why) in [(NOW - 61, "future"), (NOW + 3600 + 60, "expired"), (NOW + 100_000, "expired")] {
        let got = bench.verify(good.as_bytes(), &Expected::at(Time::from_unix(at)));
        bench.fails(&got, "result-time", why);
    }
    for at in [NOW - 60, NOW + 3600 + 59] {
        let got = bench.verify(good.as_bytes(), &Expected::at(Time::from_unix(at)));
        assert_eq!(got.verdict, Verdict::AcceptWithFindings, "clocks may differ by a minute");
    }
    let strict = Expected { skew: 0, ..Expected::at(Time::from_unix(NOW + 3600)) };
    let got = bench.verify(good.as_bytes(), &strict);
    bench.fails(&got, "result-time", "expired");
    let old = Expected { max_age: Some(600), ..Expected::at(Time::from_unix(NOW + 661)) };
    let got = bench.verify(good.as_bytes(), &old);
    bench.fails(&got, "result-time", "too old");
    bench.claims(&with("/nbf", json!(NOW + 600)), "result-time", "not in force before");
    bench.claims(&with("/exp", json!(NOW)), "result-time", "before it is issued");

    let asked = |nonce| Expected { nonce: Some(nonce), ..Bench::expected() };
    let got = bench.verify(good.as_bytes(), &asked(b"relying party"));
    assert_eq!(got.verdict, Verdict::AcceptWithFindings);
    let got = bench.verify(good.as_bytes(), &asked(b"another nonce"));
    bench.fails(&got, "result-nonce", "another");
    let without = jwt::sign(&with("/eat_nonce", json!(null)), &bench.key).unwrap();
    let got = bench.verify(without.as_bytes(), &asked(b"relying party"));
    bench.fails(&got, "result-nonce", "no nonce");
    let several = with("/eat_nonce", json!(["b3RoZXIgbm9uY2U", "cmVseWluZyBwYXJ0eQ"]));
    let token = jwt::sign(&several, &bench.key).unwrap();
    assert_eq!(bench.verify(token.as_bytes(), &asked(b"relying party")).verdict, Verdict::AcceptWithFindings);
}

#[test]
fn what_can_be_shown_for_ever_is_a_finding() {
    let bench = Bench::new();
    let forever = jwt::sign(&with("/exp", json!(null)), &bench.key).unwrap();
    let warned = |expected: &Expected<'_>| {
        let got = bench.verify(forever.as_bytes(), expected);
        assert_eq!(got.verdict, Verdict::AcceptWithFindings);
        got.checks.iter().any(|c| c.id == "result-replay" && c.outcome == Outcome::Warning)
    };
    assert!(warned(&Bench::expected()));
    assert!(!warned(&Expected { max_age: Some(60), ..Bench::expected() }));
    assert!(!warned(&Expected { nonce: Some(b"relying party"), ..Bench::expected() }));
}

fn statuses(bench: &mut Bench) {
    for (pointer, value) in [
        ("/ear_status", json!("affirming")),
        ("/submods/a/ear_trustworthiness_vector", json!({"hardware": 32})),
        ("/submods/a/ear_trustworthiness_vector", json!({"hardware": 2, "configuration": -97})),
        ("/submods/b/ear_trustworthiness_vector", json!({"hardware": 96})),
        // A claim that nobody knows may not be overlooked when it is bad.
        ("/submods/a/ear_trustworthiness_vector", json!({"something-new": 96})),
    ] {
        let token = jwt::sign(&with(pointer, value), &bench.key).unwrap();
        let got = bench.verify(token.as_bytes(), &Bench::expected());
        bench.fails(&got, "result-status", "better");
    }
}

#[test]
fn the_worst_status_is_the_one_that_counts() {
    let bench = Bench::new();
    for (pointer, value, verdict, status) in [
        ("/submods/b", json!(null), Verdict::AcceptWithFindings, Tier::Warning),
        ("/submods/b/ear_status", json!("none"), Verdict::CannotDecide, Tier::None),
        ("/ear_status", json!("none"), Verdict::CannotDecide, Tier::None),
        ("/ear_status", json!("contraindicated"), Verdict::Refuse, Tier::Contraindicated),
        ("/ear_status", json!(null), Verdict::AcceptWithFindings, Tier::Warning),
    ] {
        let claims = with(pointer, value);
        for token in
            [jwt::sign(&claims, &bench.key).unwrap().into_bytes(), cwt::sign(&claims, &bench.key).unwrap()]
        {
            let got = bench.verify(&token, &Bench::expected());
            assert_eq!((got.verdict, got.result.unwrap().status), (verdict, status), "{pointer}");
        }
    }
    // Status none with a vector that is bad.
    let mut claims = with("/submods/b", json!(null));
    claims["submods"]["a"] = json!({"ear_status": "none", "ear_trustworthiness_vector": {"hardware": 96}});
    let token = jwt::sign(&claims, &bench.key).unwrap();
    let got = bench.verify(token.as_bytes(), &Bench::expected());
    assert_eq!(got.result.unwrap().statements[0].status, Tier::Contraindicated);
    assert_eq!(got.verdict, Verdict::Refuse);
}

#[test]
fn older_profiles_have_dots_in_their_names() {
    let bench = Bench::new();
    for profile in ["tag:github.com,2023:veraison/ear", "tag:ietf.org,2025-07:ear"] {
        let claims = json!({
            "eat_profile": profile,
            "iat": NOW,
            "ear.verifier-id": { "developer": "somebody", "build": "1" },
            "ear.raw-evidence": "AQID",
            "submods": { "a": {
                "ear.status": "affirming",
                "ear.trustworthiness-vector": { "hardware": 2 },
                "ear.appraisal-policy-id": "p",
                "ear_status": "contraindicated",
            } },
        });
        let token = jwt::sign(&claims, &bench.key).unwrap();
        let got = bench.verify(token.as_bytes(), &Bench::expected());
        assert_eq!(got.verdict, Verdict::Accept, "{:#?}", got.checks);
        let statement = &got.result.unwrap().statements[0];
        assert_eq!(
            (statement.status, statement.policies.as_slice()),
            (Tier::Affirming, &["p".to_owned()][..])
        );
        assert_eq!(statement.claims["ear_status"], "contraindicated", "kept, not used");
    }
}

fn requests(bench: &mut Bench) {
    let subject = Key::shared("results: subscriber", KeyKind::P256).unwrap();
    let other = Key::shared("results: another", KeyKind::P256).unwrap();
    let der = csr::plain("somebody", &subject).unwrap();
    let request = CertificationRequest::from_der(&der).unwrap();
    let b64 = |key: &Key| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key.spki_der().unwrap())
    };
    let attesting =
        |akpub: String| with("/submods/a/ear_veraison_key_attestation", json!({ "akpub": akpub }));
    let bound = |bound: Bound| Expected { bound: Some(bound), ..Bench::expected() };
    let public = PublicKey::from_spki_der(&subject.spki_der().unwrap()).unwrap();

    let token = jwt::sign(&attesting(b64(&subject)), &bench.key).unwrap();
    for to in [Bound::Request(request.clone()), Bound::Key(public.clone())] {
        let got = bench.verify(token.as_bytes(), &bound(to));
        assert_eq!(got.verdict, Verdict::AcceptWithFindings, "{:#?}", got.checks);
    }
    for (claims, why) in [
        (attesting(b64(&other)), "another key"),
        (attesting("MFkwEwYHKoZIzj0CAQYIKoZIz___".to_owned()), "is none"),
        (good(), "no attested key"),
    ] {
        let token = jwt::sign(&claims, &bench.key).unwrap();
        let got = bench.verify(token.as_bytes(), &bound(Bound::Key(public.clone())));
        bench.fails(&got, "result-attested-key", why);
    }
    let mut spoilt = der;
    let last = spoilt.len() - 1;
    spoilt[last] ^= 1;
    let spoilt = CertificationRequest::from_der(&spoilt).unwrap();
    let got = bench.verify(token.as_bytes(), &bound(Bound::Request(spoilt)));
    bench.fails(&got, "csr-signature", "");
}
