//! Chains that are wrong, incomplete, revoked or odd.

use keyvouch::Authenticity::{Authentic, NotAttestable, NotAuthentic, Undecided};
use keyvouch::reference::anchors::AnchorKind;
use keyvouch::{File, Reference};
use keyvouch_emulator::android::{Chain, EAT, KEY_DESCRIPTION, KeyDescription, Level, tag};
use keyvouch_emulator::der;
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::pem;
use keyvouch_emulator::x509::{self, Extension};

use crate::bench::{Bench, key, subject};
use crate::support::judging::{Seen, failed, found};

const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";

pub(crate) fn fail(seen: &mut Seen) {
    malformed(seen);
    incomplete(seen);
    anchors(seen);
    roles(seen);
    dates(seen);
    revocation(seen);
    presence(seen);
}

fn malformed(seen: &mut Seen) {
    let twice = Bench::factory().changed(|chain| {
        let extension = chain.links[0].certificate.extensions[0].clone();
        chain.links[0].certificate.extensions.push(extension);
    });
    seen.fails(&twice.judge(), NotAuthentic, &["cert-parse"]);
    // One certificate too many with bytes after its end
    let mut trailing = Bench::factory();
    let mut text = trailing.chain.pem().unwrap().bytes;
    let mut longer = trailing.chain.sign().unwrap()[2].clone();
    longer.extend([0, 0]);
    text.extend(pem::certificate(&longer).into_bytes());
    trailing.files = Some(vec![File::new("chain.pem", text)]);
    seen.fails(&trailing.judge(), NotAuthentic, &["cert-trailing-data"]);
    // The signature algorithm stands outside the signed part too.
    let inner = Bench::factory().changed(|c| {
        c.links[0].certificate.outer_algorithm = SignAlg::EcdsaSha384.algorithm_identifier().ok()
    });
    assert!(failed(&inner.judge()).contains(&"signature-invalid".to_owned()));
    // Broken, and still recognised
    let mut cut = Bench::factory();
    let mut leaf = cut.chain.sign().unwrap()[0].clone();
    leaf.truncate(leaf.len() - 1);
    cut.files = Some(vec![File::new("leaf.pem", pem::certificate(&leaf))]);
    assert_eq!(cut.judge().authenticity, NotAuthentic);
}

fn incomplete(seen: &mut Seen) {
    let mut ambiguous = Bench::factory();
    let other = Bench::of_key(&key("other", KeyKind::P256), |_| {});
    let mut text = ambiguous.chain.pem().unwrap().bytes;
    text.extend(pem::certificate(&other.chain.sign().unwrap()[0]).into_bytes());
    ambiguous.files = Some(vec![File::new("chain.pem", text)]);
    seen.fails(&ambiguous.judge(), Undecided, &["chain-ambiguous"]);

    seen.fails(&Bench::factory().giving(&[0, 1]).judge(), Undecided, &["chain-incomplete"]);
    seen.fails(&Bench::remote().giving(&[0]).judge(), Undecided, &["chain-incomplete"]);
    seen.fails(&Bench::remote().giving(&[0, 1, 2]).judge(), Undecided, &["chain-incomplete"]);
    // Directly below the root, as in the vector of the WebAuthn specification
    let direct = Bench::factory().changed(|chain| {
        chain.links.remove(2);
        chain.links.remove(1);
        chain.links[0].alg = SignAlg::RsaPkcs1Sha256;
        chain.link_names();
    });
    seen.fails(&direct.judge(), Undecided, &["chain-shape"]);
    // A batch key directly under the root
    let short = Bench::factory().changed(|chain| {
        chain.links.remove(2);
        chain.links[1].alg = SignAlg::RsaPkcs1Sha256;
        chain.link_names();
    });
    seen.fails(&short.judge(), Undecided, &["chain-shape"]);
    // The provisioning path also issues certificates that are for other things.
    let widevine = Bench::remote().changed(|chain| {
        chain.links[1].certificate.subject = x509::common_name("Widevine").unwrap();
        chain.link_names();
    });
    seen.fails(&widevine.judge(), Undecided, &["chain-shape"]);
}

fn anchors(seen: &mut Seen) {
    let mut unknown = Bench::factory();
    unknown.reference = Reference::builtin().unwrap();
    seen.fails(&unknown.judge(), Undecided, &["anchor-unknown"]);
    for (role, id) in [("software", "root-software"), ("test", "root-untrusted")] {
        for position in [1, 3] {
            let mut known = Bench::factory();
            known.reference = Reference::builtin().unwrap();
            known.anchor(position, AnchorKind::Untrusted, role);
            seen.fails(&known.judge(), NotAuthentic, &[id]);
        }
        // The root omitted
        let mut known = Bench::factory().giving(&[0, 1, 2]);
        known.reference = Reference::builtin().unwrap();
        known.anchor(3, AnchorKind::Untrusted, role);
        seen.fails(&known.judge(), NotAuthentic, &[id]);
    }
    let impostor = key("impostor", KeyKind::Rsa2048);
    let lookalike = Bench::factory().changed(|chain| {
        chain.links[3].certificate.spki = impostor.spki_der().unwrap();
        chain.links[3].key = impostor;
    });
    seen.fails(&lookalike.judge(), NotAuthentic, &["root-untrusted"]);
    let omitted = lookalike.giving(&[0, 1, 2]);
    seen.fails(&omitted.judge(), NotAuthentic, &["signature-invalid"]);
    // The anchor's key under another name
    let renamed = Bench::factory().changed(|chain| {
        chain.links[3].certificate.subject = x509::common_name("another").unwrap();
        chain.link_names();
    });
    seen.fails(&renamed.judge(), NotAuthentic, &["name-mismatch"]);
}

fn roles(seen: &mut Seen) {
    for position in [0, 1, 2] {
        let forged = Bench::factory().changed(|chain| {
            chain.links[position].alg = SignAlg::EcdsaSha256;
            // Another key of the same kind signs in place of the issuer.
            let issuer = &mut chain.links[position + 1];
            let kind = issuer.key.kind();
            let alg = issuer.key.default_alg();
            issuer.key = key("forger", kind);
            chain.links[position].alg = alg;
        });
        let mut bench = forged;
        // The certificates above are the genuine ones.
        let genuine = Bench::factory().chain.sign().unwrap();
        let mut ders = bench.chain.sign().unwrap();
        for (at, der) in genuine.iter().enumerate() {
            if at != position {
                ders[at].clone_from(der);
            }
        }
        bench.files = Some(vec![File::new("chain.pem", pem::certificates(&ders))]);
        seen.fails(&bench.judge(), NotAuthentic, &["signature-invalid"]);
    }
    let misnamed =
        Bench::factory().changed(|c| c.links[0].certificate.issuer = x509::common_name("another").unwrap());
    seen.fails(&misnamed.judge(), NotAuthentic, &["name-mismatch"]);
    let no_ca = Bench::factory().changed(|chain| {
        let certificate = &mut chain.links[2].certificate;
        *certificate.extension_mut(BASIC_CONSTRAINTS).unwrap() = x509::basic_constraints(false, None);
    });
    seen.fails(&no_ca.judge(), NotAuthentic, &["ca-flag"]);
    let may_not = Bench::factory().changed(|chain| {
        let certificate = &mut chain.links[2].certificate;
        *certificate.extension_mut(KEY_USAGE).unwrap() = x509::key_usage(&[0]);
    });
    seen.fails(&may_not.judge(), NotAuthentic, &["ca-flag"]);
    for position in [0, 1, 2] {
        let critical = Bench::factory().changed(|chain| {
            let extension = Extension::new("1.2.3.4", [5, 0]).critical();
            chain.links[position].certificate.extensions.push(extension);
        });
        seen.fails(&critical.judge(), NotAuthentic, &["critical-extension"]);
    }
}

fn dates(seen: &mut Seen) {
    for mut early in [Bench::factory(), Bench::remote()] {
        early.at = "2019-06-01T00:00:00Z";
        seen.fails(&early.judge(), NotAuthentic, &["cert-not-yet-valid"]);
    }
    let mut late = Bench::remote();
    late.at = "2026-07-01T00:00:00Z";
    seen.fails(&late.judge(), NotAuthentic, &["cert-expired"]);
    let mut old = Bench::factory();
    old.at = "2031-01-01T00:00:00Z";
    seen.warns(&old.judge(), &["factory-cert-expired"]);
    seen.fails(&old.with("android_factory_expiry", "fail").judge(), NotAuthentic, &["cert-expired"]);
    // The leaf's own dates are the app's and mean nothing.
    let leaf =
        Bench::factory().changed(|c| c.links[0].certificate.not_after = "1970-01-02T00:00:00Z".to_owned());
    assert_eq!(failed(&leaf.judge()), Vec::<String>::new());
}

fn revocation(seen: &mut Seen) {
    let listing = |position: usize, status: &str| {
        let mut bench = Bench::factory();
        let serial = hex(&bench.chain.links[position].certificate.serial);
        bench.status = Some(format!(r#"{{"entries":{{"{serial}":{{"status":"{status}"}}}}}}"#));
        bench
    };
    for position in [1, 2, 3] {
        seen.fails(&listing(position, "REVOKED").judge(), NotAuthentic, &["revoked"]);
        seen.fails(&listing(position, "SUSPENDED").judge(), NotAuthentic, &["suspended"]);
        seen.fails(&listing(position, "ABROAD").judge(), NotAuthentic, &["revoked"]);
    }
    // The serial number of every key's certificate is 1.
    assert_eq!(failed(&listing(0, "REVOKED").judge()), Vec::<String>::new());
    let mut none = Bench::factory();
    none.status = None;
    seen.fails(&none.judge(), Undecided, &["status-unavailable"]);
    none.status = Some("{}".to_owned());
    seen.fails(&none.judge(), Undecided, &["status-unavailable"]);
    let limited = |fetched: Option<&str>| {
        let bench = Bench::factory().with("android_status_max_age", 24);
        match fetched {
            Some(at) => bench.with("android_status_time", at),
            None => bench,
        }
        .judge()
    };
    seen.fails(&limited(None), Undecided, &["status-unavailable"]);
    seen.fails(&limited(Some("2026-05-30T23:59:59Z")), Undecided, &["status-unavailable"]);
    seen.fails(&limited(Some("yesterday")), Undecided, &["status-unavailable"]);
    for recent in ["2026-05-31T00:00:00Z", "2026-07-01T00:00:00Z"] {
        assert_eq!(failed(&limited(Some(recent))), Vec::<String>::new(), "{recent}");
    }
    // What an old list revokes is revoked.
    let old = listing(1, "REVOKED").with("android_status_max_age", 24);
    seen.fails(&old.judge(), NotAuthentic, &["revoked", "status-unavailable"]);
}

fn presence(seen: &mut Seen) {
    let without = Bench::factory().changed(|c| c.links[0].certificate.remove_extension(KEY_DESCRIPTION));
    seen.fails(&without.judge(), NotAttestable, &["ext-missing"]);
    let eat = |c: &mut Chain| c.links[0].certificate.extensions.push(Extension::new(EAT, [0xa0]));
    seen.fails(&Bench::factory().changed(eat).judge(), NotAuthentic, &["ext-ambiguous"]);
    let alone = without.changed(eat);
    seen.fails(&alone.judge(), Undecided, &["unsupported-eat"]);
    for position in [1, 2] {
        let above = Bench::factory().changed(|chain| {
            let extension = chain.links[0].certificate.extension_mut(KEY_DESCRIPTION).unwrap().clone();
            chain.links[position].certificate.extensions.push(extension);
        });
        seen.fails(&above.judge(), NotAuthentic, &["ext-wrong-position"]);
    }
}

fn hex(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    text.trim_start_matches('0').to_owned()
}

/// What real devices do: findings, and failures where the operator is strict.
pub(crate) fn warn(seen: &mut Seen) {
    let ders = Bench::factory().chain.sign().unwrap();
    let twice = Bench::factory();
    let files =
        vec![File::new("chain.pem", pem::certificates(&[&ders[0], &ders[1], &ders[1], &ders[2], &ders[3]]))];
    let twice = Bench { files: Some(files), ..twice };
    let usage = Bench::factory().changed(|chain| {
        chain.links[0].certificate.extension_mut(KEY_USAGE).unwrap().value = vec![3, 3, 7, 0x80, 0];
    });
    let rsa = Bench::of_key(&key("rsa", KeyKind::Rsa2048), |_| {})
        .changed(|c| c.links[0].alg = SignAlg::RsaPkcs1Sha256NoNull);
    let null = Bench::factory().changed(|chain| {
        let algorithm = der::sequence(&[der::oid("1.2.840.10045.4.3.2").unwrap(), der::null()]);
        chain.links[0].certificate.inner_algorithm = Some(algorithm.clone());
        chain.links[0].certificate.outer_algorithm = Some(algorithm);
    });
    let dates = Bench::factory().changed(|c| c.links[0].certificate.generalized_dates = true);
    for (bench, id) in [
        (twice, "duplicate-certificate"),
        (usage, "der-keyusage-not-minimal"),
        (rsa, "der-rsa-algid-without-null"),
        (null, "der-ecdsa-algid-null"),
        (dates, "der-generalizedtime-before-2050"),
    ] {
        seen.warns(&bench.judge(), &[id]);
        seen.fails(&bench.strict().judge(), NotAuthentic, &[id]);
    }
    // NULL parameters are tolerated below the attestation key only.
    let above = Bench::factory().changed(|chain| {
        let algorithm = der::sequence(&[der::oid("1.2.840.10045.4.3.3").unwrap(), der::null()]);
        chain.links[1].certificate.inner_algorithm = Some(algorithm.clone());
        chain.links[1].certificate.outer_algorithm = Some(algorithm);
    });
    assert_eq!(failed(&above.judge()), ["signature-invalid"]);
}

/// A chain in which a key of the app signed for another.
fn appended(attester: impl FnOnce(&mut KeyDescription), leaf: impl FnOnce(&mut KeyDescription)) -> Bench {
    let upper = key("attest key", KeyKind::P256);
    let mut bench = Bench::of_remote(&upper, |said| {
        said.hardware.numbers(tag::PURPOSE, &[7]);
        attester(said);
    });
    let mut said = KeyDescription::of(&subject(), Level::Tee);
    leaf(&mut said);
    bench.chain = bench.chain.below(&subject(), &said).unwrap();
    bench
}

/// The chain-extension attack, and the one case in which a chain may be longer.
pub(crate) fn attest_keys(seen: &mut Seen) {
    let good = appended(|_| {}, |_| {});
    seen.warns(&good.judge(), &["attest-key-chain"]);
    let extended = [
        // A signing key: the app can sign anything.
        appended(|said| said.hardware.numbers(tag::PURPOSE, &[2]), |_| {}),
        appended(|said| said.hardware.numbers(tag::PURPOSE, &[2, 7]), |_| {}),
        appended(|said| said.hardware.remove(tag::PURPOSE), |_| {}),
        // An attest key that may be known elsewhere.
        appended(|said| said.hardware.integer(tag::ORIGIN, 2), |_| {}),
        appended(|said| said.hardware.remove(tag::ORIGIN), |_| {}),
        // One attest key under another.
        appended(|_| {}, |said| said.hardware.numbers(tag::PURPOSE, &[7])),
        good.clone().with("android_attest_key", "off"),
        // The appended certificate says nothing, or it alone speaks.
        good.clone().changed(|c| c.links[0].certificate.remove_extension(KEY_DESCRIPTION)),
        good.clone().changed(|c| c.links[1].certificate.remove_extension(KEY_DESCRIPTION)),
    ];
    for bench in extended {
        seen.fails(&bench.judge(), NotAuthentic, &["chain-extended"]);
    }
    let mut two = good.clone();
    let lowest = key("lowest", KeyKind::P256);
    two.chain = two.chain.below(&lowest, &KeyDescription::of(&lowest, Level::Tee)).unwrap();
    seen.fails(&two.judge(), NotAuthentic, &["chain-extended"]);
    // A factory chain is no better.
    let mut factory = Bench::factory();
    factory.chain = factory.chain.below(&lowest, &KeyDescription::of(&lowest, Level::StrongBox)).unwrap();
    seen.fails(&factory.judge(), NotAuthentic, &["chain-extended"]);

    let disagreeing: [fn(&mut KeyDescription); 6] = [
        |said| (said.attestation_level, said.key_level) = (2, 2),
        |said| said.challenge = b"another".to_vec(),
        |said| said.booted(|rot| rot.boot_key = vec![1; 32]),
        |said| said.hardware.integer(tag::OS_PATCH_LEVEL, 202_606),
        |said| said.software.remove(tag::APPLICATION_ID),
        |said| said.version = 300,
    ];
    for change in disagreeing {
        seen.fails(&appended(|_| {}, change).judge(), NotAuthentic, &["attest-key-mismatch"]);
    }
    let other = appended(|_| {}, |said| said.challenge = b"another".to_vec());
    let other = other.with("android_attest_key", "any-challenge");
    seen.warns(&other.judge(), &["attest-key-chain"]);
    let level = appended(|_| {}, |said| (said.attestation_level, said.key_level) = (2, 2));
    let level = level.with("android_attest_key", "any-challenge");
    seen.fails(&level.judge(), NotAuthentic, &["attest-key-mismatch"]);
    // The facts are those of the key, not of the attest key.
    let imported = appended(|_| {}, |said| said.hardware.integer(tag::ORIGIN, 2));
    seen.fails(&imported.judge(), Authentic, &["origin-imported"]);
    assert_eq!(found(&imported.judge()), ["attest-key-chain"]);
}
