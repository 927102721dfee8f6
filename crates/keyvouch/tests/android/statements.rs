//! Statements that say what no CA accepts, or say it oddly.

use keyvouch::Authenticity::{Authentic, NotAuthentic, Undecided};
use keyvouch::File;
use keyvouch_emulator::android::{AppId, KeyDescription, Level, RootOfTrust, tag};
use keyvouch_emulator::crl::RevocationList;
use keyvouch_emulator::der;
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::{csr, x509};

use crate::bench::{Bench, key, subject};
use crate::support::judging::{Seen, failed, found};

type Change = fn(&mut KeyDescription);

pub(crate) fn fail(seen: &mut Seen) {
    structure(seen);
    let cases: &[(Change, &[&str])] = &[
        (|s| (s.attestation_level, s.key_level) = (0, 0), &["level-software"]),
        (|s| s.hardware.remove(tag::ORIGIN), &["origin-missing"]),
        (|s| s.hardware.set(tag::ORIGIN, der::null()), &["origin-missing"]),
        (
            |s| {
                s.hardware.remove(tag::ORIGIN);
                s.software.integer(tag::ORIGIN, 0);
            },
            &["origin-missing"],
        ),
        (|s| s.hardware.integer(tag::ORIGIN, 1), &["origin-derived"]),
        (|s| s.hardware.integer(tag::ORIGIN, 2), &["origin-imported"]),
        (|s| s.hardware.integer(tag::ORIGIN, 4), &["origin-securely-imported"]),
        (|s| s.hardware.integer(tag::ORIGIN, 3), &["origin-unknown"]),
        (|s| s.hardware.flag(tag::EXPORTABLE), &["key-exportable"]),
        (|s| s.software.flag(tag::EXPORTABLE), &["key-exportable"]),
        (|s| s.hardware.flag(tag::ALL_APPLICATIONS), &["all-applications"]),
        (|s| s.software.flag(tag::ALL_APPLICATIONS), &["all-applications"]),
        (|s| s.hardware.flag(tag::IDENTITY_CREDENTIAL), &["identity-credential-key"]),
        (|s| s.hardware.remove(tag::ROOT_OF_TRUST), &["rot-missing"]),
        (|s| s.hardware.set(tag::ROOT_OF_TRUST, der::null()), &["rot-missing"]),
        (|s| s.booted(|r| r.locked = 0), &["bootloader-unlocked"]),
        (|s| s.booted(|r| r.state = 1), &["boot-state-selfsigned"]),
        (|s| s.booted(|r| r.state = 2), &["boot-state-unverified"]),
        (|s| s.booted(|r| (r.locked, r.state) = (0, 2)), &["bootloader-unlocked", "boot-state-unverified"]),
        (|s| s.booted(|r| r.state = 3), &["boot-state-failed"]),
        (|s| s.booted(|r| r.state = 4), &["rot-missing"]),
        (|s| s.hardware.remove(tag::PURPOSE), &["purpose-not-hardware-enforced"]),
        (
            |s| {
                s.hardware.remove(tag::PURPOSE);
                s.software.numbers(tag::PURPOSE, &[2]);
            },
            &["purpose-not-hardware-enforced"],
        ),
        (|s| s.hardware.numbers(tag::PURPOSE, &[3]), &["purpose-not-allowed"]),
        (|s| s.hardware.numbers(tag::PURPOSE, &[2, 7]), &["purpose-not-allowed"]),
    ];
    for (change, ids) in cases {
        seen.fails(&Bench::saying(change).judge(), Authentic, ids);
    }
    let mismatch = Bench::saying(|s| (s.attestation_level, s.key_level) = (1, 2));
    seen.fails(&mismatch.judge(), NotAuthentic, &["level-mismatch"]);
    let parameters: &[Change] = &[
        |s| s.hardware.integer(tag::ALGORITHM, 1),
        |s| s.hardware.remove(tag::ALGORITHM),
        |s| s.hardware.integer(tag::KEY_SIZE, 384),
        |s| s.hardware.integer(tag::EC_CURVE, 2),
        |s| {
            s.hardware.remove(tag::KEY_SIZE);
            s.hardware.remove(tag::EC_CURVE);
        },
        |s| s.hardware.set(tag::KEY_SIZE, der::null()),
    ];
    for change in parameters {
        seen.fails(&Bench::saying(change).judge(), NotAuthentic, &["key-params-mismatch"]);
    }
    // The size stands for the curve in old statements.
    assert_eq!(failed(&Bench::saying(|s| s.hardware.remove(tag::EC_CURVE)).judge()), Vec::<String>::new());
    let rsa = key("rsa", KeyKind::Rsa2048);
    let exponent = Bench::of_key(&rsa, |s| s.hardware.integer(tag::RSA_EXPONENT, 3));
    seen.fails(&exponent.judge(), NotAuthentic, &["key-params-mismatch"]);
    let curve = Bench::of_key(&key("other curve", KeyKind::Secp256k1), |_| {});
    seen.fails(&curve.judge(), NotAuthentic, &["key-params-mismatch"]);
    // The emulated attestation key is RSA too, and large enough.
    let small = Bench::of_key(&key("small", KeyKind::Rsa1024), |_| {});
    seen.fails(&small.judge(), Authentic, &["key-too-small", "weak-key"]);

    let mut asked = Bench::factory();
    asked.nonce = Some(b"another".to_vec());
    seen.fails(&asked.judge(), Authentic, &["challenge-mismatch"]);
    let other = key("another", KeyKind::P256);
    let mut bound = Bench::factory();
    bound.request = Some(File::new("request.der", csr::plain("subscriber", &other).unwrap()));
    seen.fails(&bound.judge(), Authentic, &["csr-key-mismatch"]);
}

fn structure(seen: &mut Seen) {
    let broken: &[Change] = &[
        |s| s.more = der::null(),
        |s| s.trailing = vec![0],
        |s| s.hardware.0.push((2, der::null())),
        |s| s.hardware.0.push((5000, Vec::new())),
        |s| s.software.0.push((5000, vec![4, 5, 0])),
        |s| s.key_level = 0x80,
        |s| s.challenge = vec![7; 9000],
    ];
    for change in broken {
        seen.fails(&Bench::saying(change).judge(), NotAuthentic, &["keydesc-parse"]);
    }
    let level = Bench::saying(|s| (s.attestation_level, s.key_level) = (3, 3));
    seen.fails(&level.judge(), Undecided, &["keydesc-level-unknown"]);
    // Structure comes before trust.
    let mut unknown = Bench::saying(|s| s.more = der::null());
    unknown.reference = keyvouch::Reference::builtin().unwrap();
    seen.fails(&unknown.judge(), NotAuthentic, &["keydesc-parse", "anchor-unknown"]);
}

/// Findings.
pub(crate) fn warn(seen: &mut Seen) {
    let strict: [(Change, &str, &str); 4] = [
        (|s| s.booted(|r| r.locked = 1), "der-boolean-not-ff", "keydesc-not-der"),
        (|s| s.hardware.flag(9999), "unknown-tag", "unknown-tag"),
        (|s| s.software.integer(2001, 1), "unknown-tag", "unknown-tag"),
        (|s| s.hardware.0.swap(0, 1), "tags-out-of-order", "tags-out-of-order"),
    ];
    for (change, finding, failure) in strict {
        let bench = Bench::saying(change);
        seen.warns(&bench.judge(), &[finding]);
        seen.fails(&bench.strict().judge(), NotAuthentic, &[failure]);
    }
    let always: [(Change, &str); 6] = [
        (|s| s.version = 600, "version-unknown"),
        (|s| s.booted(|r| r.boot_hash = None), "rot-shape-vs-version"),
        (|s| s.hardware.integer(tag::VENDOR_PATCH_LEVEL, 0), "patch-level-zero"),
        (|s| s.hardware.integer(tag::BOOT_PATCH_LEVEL, 20_260_500), "patch-level-zero"),
        (|s| s.hardware.remove(tag::NO_AUTH_REQUIRED), "auth-policy-unknown"),
        (
            |s| {
                s.hardware.remove(tag::NO_AUTH_REQUIRED);
                s.software.flag(tag::NO_AUTH_REQUIRED);
            },
            "auth-policy-unknown",
        ),
    ];
    for (change, finding) in always {
        seen.warns(&Bench::saying(change).judge(), &[finding]);
        seen.warns(&Bench::saying(change).strict().judge(), &[finding]);
    }
    // Four fields in a version that has three
    let forged = Bench::saying(|s| (s.version, s.component_version) = (2, 3));
    seen.warns(&forged.judge(), &["rot-shape-vs-version"]);
    // An RSA key signed for by the EC key of the factory
    let rsa = key("rsa", KeyKind::Rsa2048);
    let forged = Bench::factory().changed(|chain| {
        let said = KeyDescription::of(&rsa, Level::Tee);
        let certificate = &mut chain.links[0].certificate;
        certificate.spki = rsa.spki_der().unwrap();
        certificate.extension_mut(keyvouch_emulator::android::KEY_DESCRIPTION).unwrap().value = said.der();
        chain.links[0].key = rsa.clone();
        chain.links[0].alg = SignAlg::EcdsaSha256;
    });
    seen.warns(&forged.judge(), &["rsa-under-ec-factory-key"]);
    // StrongBox said under the attestation key of the TEE
    for bench in [Bench::factory(), Bench::remote()] {
        let upgraded = bench.changed(|chain| {
            let said = KeyDescription::of(&subject(), Level::StrongBox);
            let certificate = &mut chain.links[0].certificate;
            certificate.extension_mut(keyvouch_emulator::android::KEY_DESCRIPTION).unwrap().value =
                said.der();
        });
        seen.warns(&upgraded.judge(), &["level-vs-certificate-mismatch"]);
        seen.fails(&upgraded.strict().judge(), NotAuthentic, &["level-vs-certificate-mismatch"]);
    }
    // One value that cannot be read does not hide the others.
    let odd = Bench::saying(|s| s.hardware.set(tag::OS_PATCH_LEVEL, der::null()));
    seen.warns(&odd.judge(), &["patch-level-zero"]);
}

/// What the operator asks for.
pub(crate) fn switches(seen: &mut Seen) {
    let low = Bench::factory().with("android_min_level", "strongbox");
    seen.fails(&low.judge(), Authentic, &["level-too-low"]);
    let stale = |least: &str| Bench::factory().with("android_min_patch", least).judge();
    assert_eq!(failed(&stale("2026-05")), Vec::<String>::new());
    for least in ["2026-06", "soon"] {
        seen.fails(&stale(least), Authentic, &["patch-stale"]);
    }
    let unknown =
        Bench::saying(|s| s.hardware.remove(tag::OS_PATCH_LEVEL)).with("android_min_patch", "2020-01");
    seen.fails(&unknown.judge(), Authentic, &["patch-stale"]);

    let own =
        |s: &mut KeyDescription| s.booted(|r: &mut RootOfTrust| (r.boot_key, r.state) = (vec![7; 32], 1));
    let keys = |key: &str| Bench::saying(own).with("android_boot_keys", serde_json::json!([key])).judge();
    seen.warns(&keys(&"07".repeat(32)), &["boot-state-selfsigned"]);
    seen.fails(&keys(&"08".repeat(32)), Authentic, &["boot-state-selfsigned"]);
    seen.fails(&keys("not hex"), Authentic, &["boot-state-selfsigned"]);

    let signer = vec![0xab; 32];
    let app = AppId { packages: vec![("a.b".to_owned(), 1), ("c.d".to_owned(), 2)], signers: vec![signer] };
    let apps = |listed: &str| {
        let app = app.clone();
        let bench = Bench::saying(|s| s.software.set(tag::APPLICATION_ID, app.der()));
        bench.with("android_apps", serde_json::json!([listed])).judge()
    };
    let digest = "ab".repeat(32);
    assert_eq!(failed(&apps(&format!("c.d:{digest}"))), Vec::<String>::new());
    for other in [format!("c.e:{digest}"), format!("c.d:{}", "ac".repeat(32)), "c.d".to_owned()] {
        seen.fails(&apps(&other), Authentic, &["app-id-mismatch"]);
    }
    let none = Bench::saying(|s| s.software.remove(tag::APPLICATION_ID));
    let none = none.with("android_apps", serde_json::json!([format!("c.d:{digest}")]));
    seen.fails(&none.judge(), Authentic, &["app-id-mismatch"]);
    samsung(seen);
}

fn samsung(seen: &mut Seen) {
    let knox = |integrity| Bench::samsung(integrity).with("android_samsung_knox", true);
    assert_eq!(failed(&knox([0, 0, 2]).judge()), Vec::<String>::new());
    seen.fails(&knox([0, 1, 0]).judge(), Authentic, &["knox-integrity-abnormal"]);
    seen.fails(&knox([3, 0, 0]).judge(), Authentic, &["knox-integrity-abnormal"]);
    // Off by default
    seen.fails(&Bench::samsung([0, 0, 0]).judge(), Undecided, &["anchor-unknown"]);
    // Its leaf's dates do count, and the SAK says its generation.
    let mut late = knox([0, 0, 0]);
    late.at = "2028-01-01T00:00:00Z";
    seen.fails(&late.judge(), NotAuthentic, &["cert-expired"]);
    let other = knox([0, 0, 0]).changed(|chain| {
        chain.links[1].certificate.subject = x509::common_name("SAK").unwrap();
        chain.link_names();
    });
    seen.fails(&other.judge(), NotAuthentic, &["root-untrusted"]);
    // Three certificates, and no attest keys of apps
    let mut longer = knox([0, 0, 0]).changed(|chain| {
        let mut said = KeyDescription::of(&subject(), Level::Tee);
        said.hardware.numbers(tag::PURPOSE, &[7]);
        let certificate = &mut chain.links[0].certificate;
        certificate.extension_mut(keyvouch_emulator::android::KEY_DESCRIPTION).unwrap().value = said.der();
    });
    let other = key("below", KeyKind::P256);
    longer.chain = longer.chain.below(&other, &KeyDescription::of(&other, Level::Tee)).unwrap();
    seen.fails(&longer.judge(), NotAuthentic, &["chain-extended"]);
    // Google's list does not speak of it; Samsung's own does, when the operator has it and Samsung's root signed it.
    let mut listed = Bench { status: None, ..knox([0, 0, 0]) };
    assert_eq!(failed(&listed.judge()), Vec::<String>::new());
    let (sak, root) = (&listed.chain.links[1], &listed.chain.links[2]);
    let list =
        RevocationList::new(root.certificate.subject.clone(), "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z");
    let list = list.with(&sak.certificate.serial, "2026-05-01T00:00:00Z");
    let forged = list.sign(&sak.key, SignAlg::EcdsaSha384).unwrap();
    let list = list.sign(&root.key, SignAlg::EcdsaSha512).unwrap();
    listed.reference.load_operator_certificates("forged.crl", &forged).unwrap();
    assert_eq!(failed(&listed.judge()), Vec::<String>::new());
    listed.reference.load_operator_certificates("samsung.crl", &list).unwrap();
    seen.fails(&listed.judge(), NotAuthentic, &["revoked"]);
    let silent = knox([0, 0, 0])
        .changed(|c| c.links[0].certificate.remove_extension(keyvouch_emulator::android::KNOX));
    assert_eq!((failed(&silent.judge()), found(&silent.judge())), (Vec::new(), Vec::new()));
}
