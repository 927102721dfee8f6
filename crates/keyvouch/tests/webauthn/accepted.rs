//! What is authentic, and what is then claimed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use keyvouch::{Authenticity, Binding, ClaimName, Freshness, Verifier};
use keyvouch_emulator::der;
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::webauthn::{cbor, flag};
use keyvouch_emulator::x509::Extension;
use serde_json::json;

use crate::bench::{Bench, Packed, android, certified, hello, registered, u2f};
use crate::support::cases;
use crate::support::judging::{failed, found, text};

#[test]
fn every_sample_is_authentic() {
    for sample in keyvouch_emulator::samples("webauthn").unwrap() {
        let case = cases::of_sample(&sample);
        let report = Verifier::new(case.reference).appraise(&case.submission).unwrap();
        let [appraisal] = report.appraisals.as_slice() else { panic!("{}", sample.variant) };
        assert_eq!(
            appraisal.authenticity,
            Authenticity::Authentic,
            "{}: {:#?}",
            sample.variant,
            appraisal.checks
        );
        let generated = text(appraisal, ClaimName::KeyGeneratedInDevice);
        let (expected, exportable) = match sample.variant.as_str() {
            "packed-unknown-model" => ("unknown", "unknown"),
            _ => ("true", "never"),
        };
        assert_eq!(generated, expected, "{}", sample.variant);
        assert_eq!(text(appraisal, ClaimName::KeyExportable), exportable, "{}", sample.variant);
    }
}

#[test]
fn a_model_that_the_metadata_know() {
    let appraisal = Packed::new().judged();
    assert_eq!((failed(&appraisal), found(&appraisal)), (vec![], vec![]), "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, Authenticity::Authentic);
    assert_eq!(appraisal.freshness, Freshness::NonceMatched);
    for (name, value) in [
        (ClaimName::KeyAlgorithm, "EC-P256"),
        (ClaimName::KeyGeneratedInDevice, "true"),
        (ClaimName::KeyExportable, "never"),
        (ClaimName::KeyEverExportable, "unknown"),
        (ClaimName::KeyPurposes, "sign"),
        (ClaimName::DeviceClass, "token"),
        (ClaimName::DeviceModel, "keyvouch emulated authenticator"),
        (ClaimName::DeviceVendor, "unknown"),
        (ClaimName::DeviceSerial, "unknown"),
    ] {
        assert_eq!(text(&appraisal, name), value, "{name}");
    }
    let details: Vec<(&str, String)> =
        appraisal.details.details().map(|(name, claim)| (name, claim.value.to_string())).collect();
    assert!(details.contains(&("certification_level", "L2".to_owned())), "{details:?}");
    assert!(details.contains(&("attestation_type", "basic".to_owned())));
}

#[test]
fn a_u2f_authenticator_that_the_metadata_know() {
    let appraisal = u2f(|_, _| {}).judged();
    assert_eq!((failed(&appraisal), found(&appraisal)), (vec![], vec![]), "{:#?}", appraisal.checks);
    assert_eq!(text(&appraisal, ClaimName::KeyExportable), "never");
}

#[test]
fn every_kind_of_key() {
    for kind in [KeyKind::P384, KeyKind::P521, KeyKind::Secp256k1, KeyKind::Ed25519, KeyKind::Rsa2048] {
        let mut packed = Packed::new();
        packed.registration = keyvouch_emulator::webauthn::Registration::new(kind).unwrap();
        let appraisal = packed.judged();
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{kind:?}");
        // Self attestation is read, and proves nothing about hardware.
        let statement = packed.registration.self_statement().unwrap();
        let appraisal = Bench::new(packed.registration.files("packed", &statement)).judged();
        assert_eq!(appraisal.authenticity, Authenticity::NotAttestable);
        assert_eq!(found(&appraisal), ["self-attestation"], "{kind:?}: {:#?}", appraisal.checks);
    }
}

#[test]
fn containers_give_the_same_answer() {
    let packed = Packed::new();
    let statement = packed.batch.packed(&packed.registration).unwrap();
    let object = packed.registration.object("packed", &statement);
    let file = |name: &str, bytes: Vec<u8>| keyvouch_emulator::File::new(name, bytes);
    let client = file("client.json", packed.registration.client_data.clone());
    let spki = text(&packed.judged(), ClaimName::KeySpkiSha256);
    for files in [
        vec![packed.registration.credential_json("packed", &statement).unwrap()],
        vec![file("ctap2.bin", packed.registration.ctap2("packed", &statement)), client.clone()],
        vec![file("hex.txt", hex::encode(&object).into_bytes()), client.clone()],
        vec![client.clone(), file("b64.txt", keyvouch_emulator::bundle::base64(&object).into_bytes())],
        // Client data of another registration beside it do not confuse.
        vec![
            file(
                "other.json",
                keyvouch_emulator::webauthn::client_data("webauthn.create", b"x", "https://a"),
            ),
            client.clone(),
            file("object.cbor", object.clone()),
        ],
    ] {
        let name = files[0].name.clone();
        let appraisal = Bench { files, ..packed.bench() }.judged();
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{name}");
        assert_eq!(text(&appraisal, ClaimName::KeySpkiSha256), spki);
    }
    let u2f_packed = Packed::new();
    let registration = keyvouch_emulator::webauthn::as_u2f(u2f_packed.registration.clone());
    let raw = file("u2f.bin", u2f_packed.batch.raw_u2f(&registration).unwrap());
    let mut bench = u2f(|_, _| {});
    bench.files = vec![raw, client];
    assert_eq!(failed(&bench.judged()), Vec::<String>::new());
    bench.submission.options = keyvouch::Submission::new(Vec::new(), bench.submission.at).options;
    assert_eq!(bench.judged().authenticity, Authenticity::Undecided);
}

#[test]
fn what_is_said_of_the_credential() {
    // Backed up: the key may leave, whatever the metadata say.
    let synced = registered(|r| r.flags |= flag::BE | flag::BS).judged();
    assert_eq!(text(&synced, ClaimName::KeyExportable), "yes");
    assert_eq!(found(&synced), ["credential-backup-eligible"]);
    // Extensions of authenticator and certificate are told.
    let extended = registered(|r| {
        r.flags |= flag::ED;
        r.extensions = Some(cbor::map(&[("credProtect", cbor::int(2))]));
    });
    let json = serde_json::to_value(extended.judged()).unwrap();
    assert_eq!(json["details"]["extensions"]["value"], json!("credProtect"));
    let enterprise = certified(|b| {
        let serial = Extension::new("1.3.6.1.4.1.45724.1.1.2", der::octet_string(&[1, 2, 3]));
        let firmware = Extension::new("1.3.6.1.4.1.45724.1.1.5", der::integer_u32(7));
        b.certificate.extensions.extend([serial, firmware]);
    })
    .judged();
    assert_eq!(text(&enterprise, ClaimName::DeviceSerial), "010203");
    assert_eq!(text(&enterprise, ClaimName::DeviceFirmware), "7");
}

#[test]
fn a_tpm_in_its_variants() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
        let appraisal = hello(kind, |_, _| {}).judged();
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{kind:?}");
        assert_eq!(found(&appraisal), ["model-unknown"]);
        assert_eq!(text(&appraisal, ClaimName::DeviceVendor), "Infineon");
        assert_eq!(text(&appraisal, ClaimName::KeyEverExportable), "false");
    }
    // The signature as the specification has it, and a size before the public area.
    let structure = hello(KeyKind::P256, |_, h| {
        h.statement.form = keyvouch_emulator::tpm::SignatureForm::Structure;
        h.public = Some(keyvouch_emulator::tpm::tpm2b(&h.statement.public.bytes()));
    })
    .judged();
    assert_eq!(failed(&structure), Vec::<String>::new());
    assert_eq!(found(&structure), ["malformed", "model-unknown"]);
    // The specification's own vector has another byte than 0 and 1 there.
    let flag = hello(KeyKind::P256, |_, h| h.statement.change = |a| a.safe = 0x33).judged();
    assert_eq!(failed(&flag), Vec::<String>::new());
}

#[test]
fn a_phone() {
    let appraisal = android(|_, _| {}).judged();
    assert_eq!((failed(&appraisal), found(&appraisal)), (vec![], vec![]), "{:#?}", appraisal.checks);
    assert_eq!(appraisal.freshness, Freshness::NonceMatched);
    for (name, value) in [
        (ClaimName::KeyGeneratedInDevice, "true"),
        (ClaimName::KeyExportable, "never"),
        (ClaimName::DeviceClass, "tee"),
    ] {
        assert_eq!(text(&appraisal, name), value, "{name}");
    }
    let synced = android(|r, _| r.flags |= flag::BE).judged();
    assert_eq!(text(&synced, ClaimName::KeyExportable), "yes");
}

#[test]
fn a_request_is_never_bound() {
    let mut bench = Packed::new().bench();
    let key = &Packed::new().registration.key;
    let spki = keyvouch_emulator::pem::public_key(&key.spki_der().unwrap());
    bench.submission.request = Some(keyvouch::File::new("key.pem", spki));
    let appraisal = bench.judged();
    assert_eq!((appraisal.binding, found(&appraisal)), (Binding::None, vec!["csr-unbound".to_owned()]));
    assert_eq!(failed(&appraisal), Vec::<String>::new());
}

#[test]
fn nothing_expected_nothing_compared() {
    let mut bench = Packed::new().bench();
    bench.submission.nonce = None;
    bench.submission.options = keyvouch::Submission::new(Vec::new(), bench.submission.at).options;
    let appraisal = bench.judged();
    assert_eq!((failed(&appraisal), appraisal.freshness), (vec![], Freshness::NotAsked));
}
