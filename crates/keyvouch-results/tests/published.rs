//! Published examples of EAR and CMW, and what must come of each.
//!
//! They are not part of this repository: they are looked for in the folder `rats-results` of the folder that
//! `KEYVOUCH_VECTORS` names, else of `shared/vectors` beside the checkout. Without it the test says loudly that it did
//! nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::path::{Path, PathBuf};

use keyvouch::checks::Outcome;
use keyvouch::pki::Certificate;
use keyvouch::wire::cbor;
use keyvouch::wire::cmw::{Cmw, EXTENSION, Media};
use keyvouch::{Time, Verdict};
use keyvouch_results::{Expected, KeySet, Tier, Verification, cwt, jwt, verify};
use serde_json::Value;
use support::{key, keys};

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("KEYVOUCH_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"), PathBuf::from);
    let folder = root.join("rats-results");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "\n*** NO PUBLISHED EXAMPLES: set KEYVOUCH_VECTORS to their folder. Nothing was checked against them. ***\n"
    );
    None
}

fn failed(got: &Verification) -> Vec<&str> {
    got.checks.iter().filter(|c| c.outcome == Outcome::Fail).map(|c| c.id.as_ref()).collect()
}

#[test]
fn signed_results() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let keys = KeySet::read(&read("ear-es256.pub.jwk")).unwrap();
    let expected = Expected::at(Time::from_unix(10));

    let got = verify(&read("ear-04-es256.jwt"), &keys, &expected);
    assert_eq!((got.verdict, failed(&got)), (Verdict::CannotDecide, vec![]), "{:#?}", got.checks);
    let said = got.result.unwrap();
    assert_eq!((said.status, said.issued, said.expires), (Tier::None, Time::from_unix(1), None));
    assert_eq!(said.statements[0].name, "test");

    let got = verify(&read("ear-dotted-es256.jwt"), &keys, &expected);
    let holds = |id| got.checks.iter().any(|c| c.id == id && c.outcome == Outcome::Pass);
    assert!(holds("result-signature"), "the signature of the older one holds as well");
    assert_eq!((got.verdict, failed(&got)), (Verdict::Refuse, vec!["result-profile"]));
}

#[test]
fn claims_sets() {
    let Some(folder) = folder() else { return };
    let key = key();
    let keys = keys(&key);
    let at = Expected::at(Time::from_unix(1_666_530_000));
    let mut results = Vec::new();
    for name in ["ear-json-1", "ear-json-2", "ext-veraison-json-1", "ext-veraison-json-2"] {
        let payload = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
        let token = jwt::sign_payload(&payload, &key).unwrap();
        let got = verify(token.as_bytes(), &keys, &at);
        assert_eq!(failed(&got), Vec::<&str>::new(), "{name}: {:#?}", got.checks);
        let warned =
            got.checks.iter().any(|c| c.id == "result-attested-key" && c.outcome == Outcome::Warning);
        assert_eq!(warned, name == "ext-veraison-json-2", "a placeholder is no key");
        let said = got.result.unwrap();
        results.push((said.status, said.statements.iter().map(|s| s.vector.len()).collect::<Vec<_>>()));
    }
    assert_eq!(
        results,
        [
            (Tier::Contraindicated, vec![3]),
            (Tier::Affirming, vec![3, 1]),
            (Tier::Contraindicated, vec![3]),
            (Tier::Affirming, vec![3]),
        ]
    );
    let payload = std::fs::read(folder.join("ear-cbor-1.cbor")).unwrap();
    let token = cwt::sign_payload(&payload, &key).unwrap();
    let got = verify(&token, &keys, &at);
    assert_eq!((got.verdict, failed(&got)), (Verdict::Refuse, vec![]), "{:#?}", got.checks);
    let said = got.result.unwrap();
    assert_eq!(said.status, Tier::Contraindicated);
    assert_eq!(said.statements[0].vector["executables"], 96);
    // Our own encoding of these claims has the same entries; the published one has them in another order.
    let claims: Value = serde_json::json!({
        "eat_profile": said.profile,
        "iat": said.issued.unix(),
        "ear_verifier_id": said.verifier,
        "ear_raw_evidence": "bGlmZWJvYXRtYW4",
        "submods": {
            "PSA": {
                "ear_status": "contraindicated",
                "ear_trustworthiness_vector": said.statements[0].vector,
                "ear_appraisal_policy_ids": said.statements[0].policies,
            },
        },
    });
    let ours = cwt::sign(&claims, &key).unwrap();
    let token = cbor::read(&ours).unwrap();
    let cbor::Item::Tag(18, token) = token else { panic!("{token:?}") };
    let ours = token.as_array().unwrap()[2].as_bytes().unwrap();
    let (published, ours) = (cbor::read(&payload).unwrap(), cbor::read(ours).unwrap());
    let (published, ours) = (published.as_map().unwrap(), ours.as_map().unwrap());
    assert_eq!(published.len(), ours.len());
    for (label, value) in published.entries() {
        assert_eq!(Some(value), ours.int_key(label.as_int().unwrap()), "{label:?}");
    }
}

#[test]
fn wrappers() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let json = |name: &str| serde_json::from_slice::<Value>(&read(name)).unwrap();
    let in_cbor = |name: &str| {
        let bytes = read(name);
        let cmw = Cmw::from_cbor(&cbor::read(&bytes).unwrap()).unwrap();
        (bytes, cmw)
    };
    for (name, records) in [
        ("msg-wrap-cmw-example-1.json", 1),
        ("msg-wrap-cmw-example-2.json", 1),
        ("msg-wrap-collection-example-1.json", 2),
        ("rust-cmw-collection-ok.json", 2),
    ] {
        let cmw = Cmw::from_json(&json(name)).unwrap();
        assert_eq!(cmw.records().len(), records, "{name}");
        assert_eq!(cmw.to_json(), Some(json(name)), "{name}");
    }
    let eat = &json("msg-wrap-eat-example-1.json")["cmw"];
    assert_eq!(Cmw::from_json(eat).unwrap().records().len(), 2);

    for (name, records) in [
        ("msg-wrap-cmw-example-1.cbor", 1),
        ("msg-wrap-cmw-example-3.cbor", 1),
        ("msg-wrap-cmw-example-tag-1.cbor", 1),
        ("msg-wrap-collection-example-1.cbor", 3),
        ("rust-cmw-collection-cbor-ok.cbor", 3),
        ("rust-cmw-collection-cbor-mixed-keys.cbor", 2),
    ] {
        let (bytes, cmw) = in_cbor(name);
        assert_eq!(cmw.records().len(), records, "{name}");
        let again = cmw.to_cbor();
        assert_eq!(Cmw::from_cbor(&cbor::read(&again).unwrap()), Ok(cmw), "{name}");
        // Tags are written as records; everything else is written as it was.
        if !bytes.windows(2).any(|w| w == [0xda, 0x63]) {
            assert_eq!(again, bytes, "{name}");
        }
    }
    let (_, tag) = in_cbor("msg-wrap-cmw-example-tag-1.cbor");
    assert_eq!(tag.records()[0].1.media, Media::Format(64_999));

    let certificate = Certificate::from_der(&read("rust-cmw-x509-cert+json-cmw.der")).unwrap();
    let extension = certificate.extension(EXTENSION).unwrap();
    assert_eq!(Cmw::from_extension(extension.value).unwrap().records().len(), 2);
}
