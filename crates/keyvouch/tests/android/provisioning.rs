//! Requests of devices to the provisioning server, and verdicts that are no key attestation.

use keyvouch::Authenticity::{Authentic, NotAttestable, NotAuthentic, Undecided};
use keyvouch::appraisal::Appraisal;
use keyvouch::{File, Freshness, Reference, Submission};
use keyvouch_emulator::android::AT;
use keyvouch_emulator::android::rkp::{Cbor, Request, cose_key};
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Authority, Certificate};
use keyvouch_emulator::{bundle, pem};
use serde_json::json;

use crate::bench::key;
use crate::support::judging::{self, Seen, failed};

type Change = fn(&mut Request);

/// With the device's root key pinned.
fn pinned(request: &Request) -> Reference {
    let mut reference = Reference::builtin().unwrap();
    let key = pem::public_key(&request.root.spki_der().unwrap());
    reference.load_operator_certificates("uds.pem", key.as_bytes()).unwrap();
    reference
}

fn judge(request: &Request, bytes: Vec<u8>) -> Appraisal {
    judging::judge(pinned(request), &Submission::new(vec![File::new("csr.cbor", bytes)], AT.parse().unwrap()))
}

fn changed(change: impl FnOnce(&mut Request)) -> Appraisal {
    let mut request = Request::new().unwrap();
    change(&mut request);
    judge(&request, request.sign().unwrap().encode())
}

pub(crate) fn fail(seen: &mut Seen) {
    formats(seen);
    signatures(seen);
    uds(seen);
    let unfit: &[(Change, &[&str])] = &[
        (|r| r.stages[1].mode = 2, &["dice-mode-not-normal"]),
        (|r| r.stages[0].mode = 0, &["dice-mode-not-normal"]),
        (|r| r.device_member("bootloader_state", Cbor::text("unlocked")), &["bootloader-unlocked"]),
        (|r| r.device_member("vb_state", Cbor::text("orange")), &["bootloader-unlocked"]),
        (|r| r.device_member("fused", Cbor::Int(0)), &["rkp-not-fused"]),
        (
            |r| {
                let scalar = (Cbor::Int(-4), Cbor::Bytes(vec![7; 32]));
                r.keys[0].entries_mut().unwrap().push(scalar);
            },
            &["rkp-private-key-disclosed"],
        ),
        (
            |r| {
                r.stages.truncate(1);
                r.stages[0].key = r.root.clone();
            },
            &["rkp-degenerate-chain"],
        ),
    ];
    for (change, ids) in unfit {
        seen.fails(&changed(change), Authentic, ids);
    }
    // The root of a device in the first profile may be in debug mode.
    assert_eq!(failed(&changed(|r| r.stages[0].mode = 2)), Vec::<String>::new());

    let request = Request::new().unwrap();
    let bytes = request.sign().unwrap().encode();
    let mut submission = Submission::new(vec![File::new("csr.cbor", bytes)], AT.parse().unwrap());
    let unknown = judging::judge(Reference::builtin().unwrap(), &submission);
    seen.fails(&unknown, Undecided, &["anchor-unknown"]);
    submission.nonce = Some(b"server challenge".to_vec());
    assert_eq!(judging::judge(pinned(&request), &submission).freshness, Freshness::NonceMatched);
    submission.nonce = Some(b"another".to_vec());
    seen.fails(&judging::judge(pinned(&request), &submission), Authentic, &["challenge-mismatch"]);
}

fn formats(seen: &mut Seen) {
    let broken: &[Change] = &[
        |r| r.device_member("version", Cbor::Int(3)),
        |r| r.device_member("brand", Cbor::text("")),
        |r| r.device_member("vbmeta_digest", Cbor::Bytes(vec![0; 32])),
        |r| r.device_member("system_patch_level", Cbor::Int(202_613)),
        |r| r.device_member("fused", Cbor::Int(2)),
        |r| r.stages[1].usage = vec![0x21],
        |r| r.stages[1].issuer = "another".to_owned(),
        |r| r.stages[1].subject = "first".to_owned(),
        |r| r.stages[1].key = r.stages[0].key.clone(),
        |r| r.stages[1].more = vec![(Cbor::Int(7), Cbor::Int(7))],
        |r| r.kind = "rkp-vm".to_owned(),
        |r| r.stages.iter_mut().for_each(|s| s.rkp_vm = true),
        |r| r.challenge = vec![1; 65],
        |r| r.stages.clear(),
    ];
    for change in broken {
        let appraisal = changed(change);
        // Without a stage it has no form of a request at all.
        if appraisal.format == "android" {
            seen.fails(&appraisal, NotAuthentic, &["rkp-format"]);
        }
    }
    let vm = changed(|r| {
        r.kind = "rkp-vm".to_owned();
        r.stages.iter_mut().for_each(|s| s.rkp_vm = true);
    });
    assert_eq!(failed(&vm), Vec::<String>::new());
    let request = Request::new().unwrap();
    let mut cut = request.sign().unwrap().encode();
    cut.pop();
    seen.fails(&judge(&request, cut), NotAuthentic, &["rkp-format"]);
    // Before version 3
    let old = Cbor::Array(vec![
        Cbor::Array(vec![request.device.clone(), Cbor::Map(Vec::new())]),
        Cbor::Bytes(b"challenge".to_vec()),
        Cbor::Array(Vec::new()),
        Cbor::Array(Vec::new()),
    ]);
    seen.fails(&judge(&request, old.encode()), Undecided, &["rkp-v2-encrypted"]);
    // base64, and the JSON lines of the factory
    let bytes = request.sign().unwrap().encode();
    let text = bundle::base64(&bytes);
    assert_eq!(failed(&judge(&request, text.clone().into_bytes())), Vec::<String>::new());
    let line = json!({ "name": "default", "csr": text, "serialno": "1" }).to_string();
    assert_eq!(failed(&judge(&request, line.clone().into_bytes())), Vec::<String>::new());
    let chain = request.chain().unwrap().encode();
    assert_eq!(judge(&request, chain).authenticity, Authentic);
}

fn signatures(seen: &mut Seen) {
    let private = changed(|r| {
        r.root_cose.entries_mut().unwrap().push((Cbor::Int(-4), Cbor::Bytes(vec![1; 32])));
    });
    seen.fails(&private, NotAuthentic, &["cose-key-disallowed-label"]);
    // The root key is another than the one that signed.
    let other = changed(|r| r.root_cose = cose_key(&key("other root", KeyKind::Ed25519)));
    seen.fails(&other, NotAuthentic, &["dice-signature"]);
    let request = Request::new().unwrap();
    let Cbor::Array(mut items) = request.sign().unwrap() else { panic!() };
    let mut stranger = request.clone();
    stranger.stages[1].key = key("stranger", KeyKind::P256);
    let Cbor::Array(theirs) = stranger.sign().unwrap() else { panic!() };
    items[3] = theirs[3].clone();
    let bytes = Cbor::Array(items).encode();
    seen.fails(&judge(&request, bytes), NotAuthentic, &["rkp-signed-data-signature"]);
}

/// The maker's certificates of the device's root key.
fn certified(request: &Request, of: &keyvouch_emulator::key::Key) -> (Vec<Vec<u8>>, Certificate) {
    let root_key = key("UDS root", KeyKind::P256);
    let name = x509::common_name("Maker root").unwrap();
    let dates = ("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
    let mut root = Certificate::new(name, &root_key, dates.0, dates.1).unwrap();
    root.extensions = vec![x509::basic_constraints(true, None).critical()];
    let root = Authority::root(root, root_key, SignAlg::EcdsaSha256).unwrap();
    let leaf = Certificate::new(x509::common_name("device").unwrap(), of, dates.0, dates.1).unwrap();
    let leaf = root.subordinate(leaf, request.root.clone(), SignAlg::EcdsaSha256).unwrap();
    (vec![root.der.clone(), leaf.der], root.certificate)
}

fn uds(seen: &mut Seen) {
    let request = Request::new().unwrap();
    let (chain, root) = certified(&request, &request.root);
    let with = |chain: Vec<Vec<u8>>| changed(|r| r.certificates = vec![("maker".to_owned(), chain)]);
    assert_eq!(failed(&with(chain.clone())), Vec::<String>::new());
    let leaf_first = vec![chain[1].clone(), chain[0].clone()];
    for broken in [leaf_first, vec![chain[1].clone()], vec![chain[0].clone(), vec![0x30, 0]]] {
        seen.fails(&with(broken), NotAuthentic, &["rkp-uds-chain"]);
    }
    let (others, _) = certified(&request, &key("another device", KeyKind::Ed25519));
    seen.fails(&with(others), NotAuthentic, &["rkp-uds-mismatch"]);

    // A root of the operator's vouches for the key only in that role: below one of key attestation an app could have a
    // certificate too.
    let mut request = request;
    request.certificates = vec![("maker".to_owned(), chain.clone())];
    let files = vec![File::new("csr.cbor", request.sign().unwrap().encode())];
    let submission = Submission::new(files, AT.parse().unwrap());
    let trusting = |role: Option<&str>| {
        let mut reference = Reference::builtin().unwrap();
        reference.load_operator_certificates("root.pem", pem::certificate(&chain[0]).as_bytes()).unwrap();
        let anchor = reference.anchors.by_subject(&root.subject).next().unwrap().clone();
        let mut reference = Reference::builtin().unwrap();
        let role = role.map(str::to_owned);
        reference.anchors.add(keyvouch::reference::anchors::Anchor { role, ..anchor }).unwrap();
        reference
    };
    seen.fails(&judging::judge(trusting(None), &submission), Undecided, &["anchor-unknown"]);
    assert_eq!(judging::judge(trusting(Some("uds")), &submission).authenticity, Authentic);
}

/// Verdicts about devices are not statements about keys.
pub(crate) fn verdicts(seen: &mut Seen) {
    let part = |value: &serde_json::Value| bundle::base64(value.to_string().as_bytes()).replace('=', "");
    let jws = |payload| format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(&payload));
    let safetynet = jws(json!({ "nonce": "AA==", "ctsProfileMatch": true, "basicIntegrity": true }));
    let jwe = format!("{}.a.b.c.d", part(&json!({ "alg": "A256KW", "enc": "A256GCM" })));
    for token in [safetynet, jwe] {
        let submission = Submission::new(vec![File::new("token.txt", token)], AT.parse().unwrap());
        let appraisal = judging::judge(Reference::builtin().unwrap(), &submission);
        seen.fails(&appraisal, NotAttestable, &["format-not-key-attestation"]);
    }
    // Other tokens are nobody's.
    let submission = Submission::new(vec![File::new("t", jws(json!({ "sub": "x" })))], AT.parse().unwrap());
    assert_eq!(judging::judge(Reference::builtin().unwrap(), &submission).format, "");
}
