//! One failure for every check; the last assertion proves that none is missing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use keyvouch::Authenticity::{Authentic, NotAttestable, NotAuthentic, Undecided};
use keyvouch::{Freshness, Reference, Submission, Verifier};
use keyvouch_emulator::der;
use keyvouch_emulator::key::{Key, KeyKind, sha256};
use keyvouch_emulator::webauthn::apple::Anonymous;
use keyvouch_emulator::webauthn::mds::{entry, with_report};
use keyvouch_emulator::webauthn::{
    AAGUID, Batch, Registration, aaguid_extension, cbor, challenge, client_data, compound, flag,
};
use keyvouch_emulator::x509::{self, Extension};
use serde_json::json;

use crate::bench::{Bench, KEPT, Packed, android, certified, described, registered, u2f};
use crate::refused_tpm;
use crate::support::judging::{Seen, failed, found};

#[test]
fn every_check_can_fail() {
    let mut seen = Seen::default();
    for group in [
        form,
        client,
        authenticator_data,
        signature,
        certificates,
        chains,
        self_and_none,
        u2f_statements,
        apple_statements,
        android_and_others,
        metadata,
        models,
        request,
        refused_tpm::statements,
        refused_tpm::keys,
    ] {
        group(&mut seen);
    }
    seen.are_all_of("webauthn", &[]);
}

/// The object, changed after it was signed.
fn altered(change: impl FnOnce(&mut Vec<u8>)) -> Bench {
    let mut bench = Packed::new().bench();
    change(&mut bench.files[0].bytes);
    bench
}

fn form(seen: &mut Seen) {
    seen.fails(&altered(|o| o.push(0)).judged(), NotAuthentic, &["malformed"]);
    seen.fails(&altered(|o| o.truncate(o.len() - 1)).judged(), NotAuthentic, &["malformed"]);
    // fmt twice: readers differ in which one counts.
    let twice = altered(|o| {
        o[0] = 0xa4;
        o.extend([cbor::text("fmt"), cbor::text("none")].concat());
    });
    seen.fails(&twice.judged(), NotAuthentic, &["malformed"]);
    // A member that does not belong to it.
    let more = altered(|o| {
        o[0] = 0xa4;
        o.extend([cbor::text("more"), cbor::int(1)].concat());
    });
    seen.fails(&more.judged(), NotAuthentic, &["malformed"]);
    // Indefinite length.
    let indefinite = altered(|o| {
        o[0] = 0xbf;
        o.push(0xff);
    });
    seen.fails(&indefinite.judged(), NotAuthentic, &["malformed"]);
    let trailing = registered(|r| r.trailing = vec![0]);
    seen.fails(&trailing.judged(), NotAuthentic, &["malformed"]);
    let statement = cbor::map(&[("alg", cbor::int(-7)), ("sig", cbor::int(1))]);
    seen.fails(&Packed::new().with("packed", &statement).judged(), NotAuthentic, &["malformed"]);
    let ecdaa =
        cbor::map(&[("alg", cbor::int(-7)), ("sig", cbor::bytes(b"x")), ("ecdaaKeyId", cbor::bytes(b"x"))]);
    seen.fails(&Packed::new().with("packed", &ecdaa).judged(), NotAuthentic, &["malformed"]);
    let unknown = Packed::new().with("packed2", &cbor::map(&[]));
    seen.fails(&unknown.judged(), Undecided, &["unsupported-format"]);
}

fn client(seen: &mut Seen) {
    let with = |data: Vec<u8>| registered(|r| r.client_data = data);
    let (origin, challenge) = ("https://login.example", challenge());
    let login = with(client_data("webauthn.get", &challenge, origin));
    seen.fails(&login.judged(), NotAuthentic, &["client-data-type"]);
    let mut missing = Packed::new().bench();
    missing.files.pop();
    seen.fails(&missing.judged(), Undecided, &["client-data-type"]);
    let twice = with(br#"{"type":"webauthn.create","type":"webauthn.create","challenge":"AA"}"#.to_vec());
    seen.fails(&twice.judged(), NotAuthentic, &["client-data-type"]);
    let other = with(client_data("webauthn.create", b"another challenge", origin));
    let judged = other.judged();
    seen.fails(&judged, Authentic, &["challenge-mismatch"]);
    assert_eq!(judged.freshness, Freshness::NonceMismatch);
    let elsewhere = with(client_data("webauthn.create", &challenge, "https://phish.example"));
    seen.fails(&elsewhere.judged(), Authentic, &["origin-mismatch"]);
    let text = String::from_utf8(client_data("webauthn.create", &challenge, origin)).unwrap();
    let framed = with(text.replace("\"crossOrigin\":false", "\"crossOrigin\":true").into_bytes());
    seen.fails(&framed.judged(), Authentic, &["cross-origin"]);
    let allowed = framed.option("allow_cross_origin", true).judged();
    assert_eq!(failed(&allowed), Vec::<String>::new());
}

fn authenticator_data(seen: &mut Seen) {
    let without = registered(|r| r.flags &= !flag::AT);
    seen.fails(&without.judged(), NotAuthentic, &["no-attested-credential"]);
    let other = registered(|r| r.rp_id = "other.example".to_owned());
    seen.fails(&other.judged(), Authentic, &["rp-id-mismatch"]);
    let absent = registered(|r| r.flags &= !flag::UP);
    seen.fails(&absent.judged(), Authentic, &["user-not-present"]);
    let unverified = registered(|r| r.flags &= !flag::UV).option("require_uv", true);
    seen.fails(&unverified.judged(), Authentic, &["user-not-verified"]);
    let flags = registered(|r| r.flags |= flag::BS);
    seen.fails(&flags.judged(), NotAuthentic, &["malformed-flags"]);
    seen.warns(&registered(|r| r.flags |= 2).judged(), &["malformed-flags"]);
    seen.warns(&registered(|r| r.flags |= flag::BE).judged(), &["credential-backup-eligible"]);
    // y left out; a point that is not on its curve; an algorithm that nobody knows.
    let key = Registration::new(KeyKind::P256).unwrap().key;
    let point = key.point().unwrap();
    let ec = |alg: i64, x: &[u8], y: &[u8]| {
        let mut members = vec![
            (1, cbor::int(2)),
            (3, cbor::int(alg)),
            (-1, cbor::int(1)),
            (-2, cbor::bytes(x)),
            (-3, cbor::bytes(y)),
        ];
        members.retain(|(label, _)| *label != -3 || !y.is_empty());
        cbor::int_map(&members)
    };
    let mut off = point[33..].to_vec();
    off[7] ^= 1;
    for cose in
        [ec(-7, &point[1..33], &[]), ec(-7, &point[1..33], &off), ec(-999, &point[1..33], &point[33..])]
    {
        let bench = registered(|r| r.cose_key = Some(cose));
        seen.fails(&bench.judged(), NotAuthentic, &["cose-key"]);
    }
    let packed = Packed::new();
    let statement = packed.batch.packed(&packed.registration).unwrap();
    let mut json = packed.registration.credential_json("packed", &statement).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&json.bytes).unwrap();
    document["rawId"] = json!("AAAA");
    json.bytes = serde_json::to_vec(&document).unwrap();
    let bench = Bench { files: vec![json], ..packed.bench() };
    seen.fails(&bench.judged(), NotAuthentic, &["credential-id-mismatch"]);
}

fn signature(seen: &mut Seen) {
    const INVALID: &[&str] = &["attestation-signature-invalid"];
    // Client data of another registration.
    let mut other = Packed::new().bench();
    other.files[1].bytes = client_data("webauthn.create", &challenge(), "https://login.example ");
    seen.fails(&other.option("origins", json!(["https://login.example "])).judged(), NotAuthentic, INVALID);
    // ES384 for a P-256 key.
    seen.fails(&certified(|b| b.alg = Some(-35)).judged(), NotAuthentic, INVALID);
    seen.fails(&certified(|b| b.alg = Some(-65_535)).judged(), NotAuthentic, INVALID);
    // Another key than the certificate's.
    let other_key = certified(|b| b.key = Key::shared("webauthn: nobody's", KeyKind::P256).unwrap());
    seen.fails(&other_key.judged(), NotAuthentic, INVALID);
}

fn certificates(seen: &mut Seen) {
    let named = |unit: &str| {
        x509::name(&[
            ("C", x509::Text::Printable, "DE"),
            ("O", x509::Text::Utf8, "keyvouch"),
            ("OU", x509::Text::Utf8, unit),
            ("CN", x509::Text::Utf8, "x"),
        ])
        .unwrap()
    };
    let profile = certified(|b| b.certificate.subject = named("Something Else"));
    seen.fails(&profile.judged(), NotAuthentic, &["attestation-cert-profile"]);
    let without = certified(|b| b.certificate.remove_extension("2.5.29.19"));
    seen.fails(&without.judged(), NotAuthentic, &["attestation-cert-profile"]);
    let other = certified(|b| b.certificate.extensions[0] = aaguid_extension(&[9; 16]));
    seen.fails(&other.judged(), NotAuthentic, &["aaguid-mismatch"]);
    let critical = certified(|b| b.certificate.extensions[0] = aaguid_extension(&AAGUID).critical());
    // Nobody who checks the path knows it either.
    seen.fails(&critical.judged(), NotAuthentic, &["aaguid-mismatch", "chain-untrusted"]);
    let expired = certified(|b| b.certificate.not_after = "2026-01-01T00:00:00Z".to_owned());
    seen.fails(&expired.judged(), NotAuthentic, &["expired"]);
    let early = certified(|b| b.certificate.not_before = "2027-01-01T00:00:00Z".to_owned());
    seen.fails(&early.judged(), NotAuthentic, &["not-yet-valid"]);
}

fn chains(seen: &mut Seen) {
    // A batch of another maker's claims the model.
    let mut other = Packed::new();
    other.batch = Batch::new("other").unwrap();
    seen.fails(&other.judged(), NotAuthentic, &["chain-untrusted"]);
    // The operator's anchors are not those of a model that the metadata know.
    let mut bench = other.bench();
    bench.anchors = other.batch.anchors();
    seen.fails(&bench.judged(), NotAuthentic, &["chain-untrusted"]);
    // An authority that the operator distrusts; for other formats it may be the wrong one, and is the right one here.
    let distrusted = |formats: &str| {
        let packed = Packed::new();
        let root = &packed.batch.root;
        let base64 = |bytes: &[u8]| keyvouch_emulator::bundle::base64(bytes);
        let toml = format!(
            "[[anchor]]\nid = 'elsewhere'\nname = 'Elsewhere'\nkind = 'untrusted'\nformats = ['{formats}']\n\
             subject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n[[anchor.certificate]]\nsha256 = '{}'\nserial = '01'\n\
             not_before = '2025-01-01T00:00:00Z'\nnot_after = '2045-01-01T00:00:00Z'\n",
            base64(&root.certificate.subject),
            base64(&root.certificate.spki),
            hex::encode(sha256(&root.certificate.spki)),
            hex::encode(sha256(&root.der)),
        );
        Bench { toml: Some(toml), ..packed.bench() }.judged()
    };
    seen.fails(&distrusted("webauthn"), NotAuthentic, &["chain-untrusted"]);
    assert_eq!(failed(&distrusted("yubikey-piv")), Vec::<String>::new());
    // A root with the right name and another key.
    let mut forged = Packed::new();
    forged.batch.root.key = Key::shared("webauthn: forged root", KeyKind::P256).unwrap();
    seen.fails(&forged.judged(), NotAuthentic, &["chain-untrusted"]);
    // A certificate in the array that issued nothing.
    let stray = certified(|b| b.chain = vec![Batch::new("other").unwrap().root.der]);
    seen.fails(&stray.judged(), NotAuthentic, &["chain-untrusted"]);
    // The root itself may be there, and gives no trust.
    let with_root = certified(|b| b.chain = vec![b.root.der.clone()]);
    assert_eq!(failed(&with_root.judged()), Vec::<String>::new());
    // A model that nobody knows, below a root that nobody knows.
    let mut unknown = Packed::new();
    unknown.registration.aaguid = [5; 16];
    unknown.batch.certificate.extensions[0] = aaguid_extension(&[5; 16]);
    seen.fails(&unknown.judged(), Undecided, &["anchor-unknown", "key-protection"]);
    // The same below the operator's anchor: nothing is known of how it keeps its keys.
    let mut bench = unknown.bench();
    bench.anchors = unknown.batch.anchors();
    let judged = bench.judged();
    seen.fails(&judged, Authentic, &["key-protection"]);
    assert_eq!(found(&judged), ["model-unknown"]);
    seen.finds(&judged, "model-unknown");
}

fn self_and_none(seen: &mut Seen) {
    let packed = Packed::new();
    let itself = packed.registration.self_statement().unwrap();
    // The metadata say that this model has certificates.
    let judged = packed.with("packed", &itself).judged();
    seen.fails(&judged, NotAuthentic, &["surrogate-not-allowed"]);
    let mut unknown = packed.clone();
    unknown.registration.aaguid = [5; 16];
    let statement = unknown.registration.self_statement().unwrap();
    let judged = unknown.with("packed", &statement).judged();
    seen.fails(&judged, NotAttestable, &[]);
    seen.finds(&judged, "self-attestation");
    // A batch signature without its certificates is no self attestation.
    let dropped = {
        let signature =
            packed.batch.key.sign(packed.batch.key.default_alg(), &unknown.registration.message());
        cbor::map(&[("alg", cbor::int(-7)), ("sig", cbor::bytes(&signature.unwrap()))])
    };
    let judged = unknown.with("packed", &dropped).judged();
    seen.fails(&judged, NotAuthentic, &["attestation-signature-invalid"]);
    let none = packed.with("none", &cbor::map(&[])).judged();
    seen.fails(&none, NotAttestable, &[]);
    seen.finds(&none, "no-attestation");
    let full = packed.with("none", &itself).judged();
    seen.fails(&full, NotAuthentic, &["none-statement"]);
}

fn u2f_statements(seen: &mut Seen) {
    let two = u2f(|_, b| b.chain = vec![b.root.der.clone()]);
    seen.fails(&two.judged(), NotAuthentic, &["u2f-cert"]);
    let signature = u2f(|_, b| b.key = Key::shared("webauthn: nobody's", KeyKind::P256).unwrap());
    seen.fails(&signature.judged(), NotAuthentic, &["attestation-signature-invalid"]);
    // Nothing signs the flags.
    let flags = u2f(|r, _| r.flags |= flag::BE);
    seen.fails(&flags.judged(), NotAuthentic, &["malformed-flags"]);
    // Nor the AAGUID: it is not looked at, and allows nothing.
    let claimed = u2f(|r, _| r.aaguid = AAGUID);
    assert_eq!(failed(&claimed.judged()), Vec::<String>::new());
    let allowed = claimed.option("aaguid_allow", json!(["6b657976-6f75-6368-2d65-6d756c617465"]));
    seen.fails(&allowed.judged(), Authentic, &["model-not-allowed"]);
}

fn apple_statements(seen: &mut Seen) {
    let registration = Registration::new(KeyKind::P256).unwrap();
    let with = |change: &dyn Fn(&mut Anonymous)| {
        let mut anonymous = Anonymous::new(&registration).unwrap();
        change(&mut anonymous);
        let files = registration.files("apple", &anonymous.statement().unwrap());
        Bench { anchors: anonymous.anchors(), ..Bench::new(files) }
    };
    assert_eq!(failed(&with(&|_| {}).judged()), Vec::<String>::new());
    let other = der::sequence(&[der::explicit(1, &der::octet_string(&sha256(b"other")))]);
    let nonce =
        with(&|a| a.certificate.extensions[2] = Extension::new("1.2.840.113635.100.8.2", other.clone()));
    seen.fails(&nonce.judged(), NotAuthentic, &["nonce-mismatch"]);
    let key = with(&|a| {
        let other = Key::shared("webauthn: nobody's", KeyKind::P256).unwrap();
        a.certificate.spki = other.spki_der().unwrap();
    });
    seen.fails(&key.judged(), NotAuthentic, &["key-mismatch"]);
    // Apple's own intermediate is known by name, and has to be there.
    let incomplete = with(&|a| {
        a.certificate.issuer = x509::common_name("Apple WebAuthn CA 1").unwrap();
        a.with_issuer = false;
    });
    seen.fails(&incomplete.judged(), Undecided, &["chain-incomplete"]);
    let mut unknown = with(&|_| {});
    unknown.anchors.clear();
    seen.fails(&unknown.judged(), Undecided, &["anchor-unknown"]);
}

fn android_and_others(seen: &mut Seen) {
    let challenge = android(|_, said| said.challenge = vec![7; 32]).judged();
    seen.fails(&challenge, NotAuthentic, &["android-challenge"]);
    let other = android(|r, _| {
        let nobodys = Key::shared("webauthn: nobody's", KeyKind::P256).unwrap();
        r.cose_key = Some(keyvouch_emulator::webauthn::cose_key(&nobodys));
    });
    seen.fails(&other.judged(), NotAuthentic, &["key-mismatch"]);
    let packed = Packed::new();
    let statement = cbor::map(&[("ver", cbor::text("1")), ("response", cbor::bytes(b"e30.e30."))]);
    let retired = packed.with("android-safetynet", &statement).judged();
    seen.fails(&retired, NotAttestable, &["safetynet"]);
    let good = packed.batch.packed(&packed.registration).unwrap();
    for members in [
        compound(&[("packed", good.clone())]),
        compound(&[("packed", good.clone()), ("compound", compound(&[]))]),
        good.clone(),
    ] {
        seen.fails(&packed.with("compound", &members).judged(), NotAuthentic, &["compound"]);
    }
    // All must hold.
    let mut broken = packed.batch.clone();
    broken.key = Key::shared("webauthn: nobody's", KeyKind::P256).unwrap();
    let broken = broken.packed(&packed.registration).unwrap();
    let second = compound(&[("packed", good.clone()), ("packed", broken)]);
    let judged = packed.with("compound", &second).judged();
    seen.fails(&judged, NotAuthentic, &["attestation-signature-invalid"]);
    // A member that proves nothing takes nothing away.
    let weak = compound(&[("none", cbor::map(&[])), ("packed", good)]);
    let judged = packed.with("compound", &weak).judged();
    assert_eq!((failed(&judged), found(&judged)), (vec![], vec!["no-attestation".to_owned()]));
    let nothing = compound(&[("none", cbor::map(&[])), ("none", cbor::map(&[]))]);
    seen.fails(&packed.with("compound", &nothing).judged(), NotAttestable, &[]);
}

fn metadata(seen: &mut Seen) {
    let wrong =
        |change: &dyn Fn(&mut keyvouch_emulator::webauthn::mds::Blob)| described(|blob, _| change(blob));
    // Another algorithm than the one it is signed with, or none.
    for alg in ["RS256", "none", "HS256"] {
        let judged = wrong(&|b| b.alg = alg.to_owned()).judged();
        seen.fails(&judged, Undecided, &["mds-signature", "anchor-unknown"]);
    }
    // Signed below another root than the operator's.
    let mut bench = Packed::new().bench();
    let blob = bench.blob.take().unwrap();
    bench.submission.options.set_file("metadata", blob.sign().unwrap());
    seen.fails(&bench.judged(), Undecided, &["mds-signature", "anchor-unknown"]);
    let expired = wrong(&|b| b.certificate.not_after = "2026-01-01T00:00:00Z".to_owned());
    seen.fails(&expired.judged(), Undecided, &["mds-signature", "anchor-unknown"]);
    let stale = wrong(&|b| b.next_update = "2026-01-01".to_owned());
    seen.warns(&stale.judged(), &["mds-stale"]);
    seen.fails(&stale.clone().option("metadata_max_stale", 100).judged(), Undecided, &["mds-stale"]);
    assert_eq!(failed(&stale.option("metadata_max_stale", 200).judged()), Vec::<String>::new());
    // Two entries of one AAGUID that differ.
    let twice = described(|blob, batch| {
        blob.entries.push(entry(batch, Some(&AAGUID), &["basic_full"], &["software"]));
    });
    seen.fails(&twice.judged(), Undecided, &["mds-signature", "anchor-unknown"]);
}

fn models(seen: &mut Seen) {
    let reported = |status: &str| {
        described(|blob, batch| {
            blob.entries = vec![with_report(entry(batch, Some(&AAGUID), &["basic_full"], KEPT), status)];
        })
    };
    for status in ["REVOKED", "ATTESTATION_KEY_COMPROMISE"] {
        seen.fails(&reported(status).judged(), NotAuthentic, &["model-revoked"]);
    }
    for status in ["USER_KEY_REMOTE_COMPROMISE", "USER_KEY_PHYSICAL_COMPROMISE", "USER_VERIFICATION_BYPASS"] {
        seen.fails(&reported(status).judged(), Authentic, &["model-compromised"]);
    }
    seen.warns(&reported("UPDATE_AVAILABLE").judged(), &["model-compromised"]);
    for protection in [&["software"][..], &["hardware"], &["hardware", "secure_element", "remote_handle"]] {
        let judged = described(|blob, batch| {
            blob.entries = vec![entry(batch, Some(&AAGUID), &["basic_full"], protection)]
        });
        seen.fails(&judged.judged(), Authentic, &["key-protection"]);
    }
    let surrogate =
        described(|blob, batch| blob.entries = vec![entry(batch, Some(&AAGUID), &["basic_surrogate"], KEPT)]);
    seen.fails(&surrogate.judged(), NotAuthentic, &["chain-untrusted"]);
    let list = json!(["00000000-0000-0000-0000-000000000001"]);
    seen.fails(&registered(|_| {}).option("aaguid_allow", list).judged(), Authentic, &["model-not-allowed"]);
    let yubico = certified(|b| {
        let firmware = Extension::new("1.3.6.1.4.1.41482.13.1", der::octet_string(&[5, 4, 3]));
        b.certificate.extensions.push(firmware);
    });
    seen.warns(&yubico.judged(), &["eucleak"]);
}

fn request(seen: &mut Seen) {
    let mut bench = Packed::new().bench();
    let key = Key::shared("webauthn: request", KeyKind::P256).unwrap();
    let csr = keyvouch_emulator::csr::plain("a", &key).unwrap();
    bench.submission.request = Some(keyvouch::File::new("request.csr", csr));
    seen.warns(&bench.judged(), &["csr-unbound"]);
}

#[test]
fn what_is_nobodys_evidence_is_not_taken() {
    let verifier = Verifier::new(Reference::builtin().unwrap());
    let packed = Packed::new();
    let client = packed.registration.client_data.clone();
    for bytes in [
        client,
        cbor::map(&[("fmt", cbor::text("apple")), ("attStmt", cbor::map(&[]))]),
        packed.registration.object("apple-appattest", &cbor::map(&[])),
        cbor::int_map(&[(1, cbor::int(2)), (3, cbor::int(-7))]),
    ] {
        let files = vec![keyvouch::File::new("file", bytes)];
        let report = verifier.appraise(&Submission::new(files, crate::bench::AT.parse().unwrap())).unwrap();
        assert!(report.appraisals.iter().all(|a| a.format != "webauthn"));
    }
}
