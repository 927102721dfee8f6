//! Certification paths: cases in the manner of PKITS and x509-limbo for [`keyvouch::pki::path`].
//!
//! A hierarchy is made right, one thing in it is spoilt before signing, and the faults must be exactly those
//! expected. Position 0 is the end certificate; the anchor stands above the last one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use keyvouch::Time;
use keyvouch::crypto::SignatureError;
use keyvouch::pki::Certificate;
use keyvouch::pki::path::{self, FaultKind, Rules, Signs, Top, Validation};
use keyvouch::reference::anchors::{Anchor, AnchorKind, Anchors, Confirmed, PublishedCertificate};
use keyvouch::signatures::{IssuerCache, Signatures};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Extension, usage};
use keyvouch_emulator::{der, pem};

const FROM: &str = "2020-01-01T00:00:00Z";
const TO: &str = "2030-01-01T00:00:00Z";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn at() -> Time {
    time("2026-06-01T00:00:00Z")
}

fn key(label: &str) -> Arc<Key> {
    Key::shared(&format!("pki: {label}"), KeyKind::P256).unwrap()
}

fn named(name: &str) -> Vec<u8> {
    x509::common_name(name).unwrap()
}

/// A certificate before it is signed, and what signs it.
#[derive(Clone)]
struct Template {
    fields: x509::Certificate,
    issuer: Arc<Key>,
    alg: SignAlg,
}

impl Template {
    /// `name` certified by `issuer`, each with the key of its name.
    fn ca(name: &str, issuer: &str) -> Self {
        let mut fields = x509::Certificate::new(named(name), &key(name), FROM, TO).unwrap();
        fields.issuer = named(issuer);
        fields.extensions = vec![
            x509::basic_constraints(true, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN]).critical(),
        ];
        Self { fields, issuer: key(issuer), alg: SignAlg::EcdsaSha256 }
    }

    fn set(&mut self, extension: Extension) {
        self.fields.remove_extension(&extension.oid);
        self.fields.extensions.push(extension);
    }

    fn der(&self) -> Vec<u8> {
        self.fields.sign(&self.issuer, self.alg).unwrap()
    }

    fn sign(&self) -> Certificate {
        Certificate::from_der(&self.der()).unwrap()
    }
}

/// `ca0` (the end) ← `ca1` ← … ← `anchor`, as many as asked for.
fn chain(length: usize) -> Vec<Template> {
    let name = |i: usize| if i == length { "anchor".to_owned() } else { format!("ca{i}") };
    (0..length).map(|i| Template::ca(&name(i), &name(i + 1))).collect()
}

fn sign(chain: &[Template]) -> Vec<Certificate> {
    chain.iter().map(Template::sign).collect()
}

fn anchor_named(name: &str, key: &Key) -> Anchor {
    let published = published(FROM, TO);
    Anchor::from_operator(
        "test",
        name,
        AnchorKind::Root,
        &named(name),
        &key.spki_der().unwrap(),
        None,
        published,
    )
    .unwrap()
}

fn anchor() -> Anchor {
    anchor_named("anchor", &key("anchor"))
}

fn the_anchor() -> &'static Anchor {
    static ANCHOR: LazyLock<Anchor> = LazyLock::new(anchor);
    &ANCHOR
}

fn published(from: &str, to: &str) -> PublishedCertificate {
    PublishedCertificate {
        sha256: [0; 32],
        serial: "01".to_owned(),
        not_before: time(from),
        not_after: time(to),
        source: "test".to_owned(),
        looked_up: None,
        confirmed: Confirmed::Operator,
    }
}

fn set_of(anchors: &[&Anchor]) -> Anchors {
    let mut set = Anchors::empty();
    for anchor in anchors {
        set.add((*anchor).clone()).unwrap();
    }
    set
}

fn validate_below(chain: &[Certificate], anchor: &Anchor, rules: &Rules) -> Validation {
    let memory = IssuerCache::new(0);
    path::validate(chain, anchor, &set_of(&[anchor]), rules, &Signatures::new(&memory))
}

fn validate(chain: &[Template], rules: &Rules) -> Validation {
    validate_below(&sign(chain), &anchor(), rules)
}

fn strict(signs: Signs) -> Rules {
    Rules::strict(at(), signs)
}

/// The faults with the position of their certificate, by its name.
fn faults(validation: &Validation) -> Vec<(String, FaultKind)> {
    assert_eq!(validation.trusted.is_some(), validation.faults.is_empty());
    assert_eq!(validation.certificate.is_some(), validation.faults.is_empty());
    validation.faults.iter().map(|f| (f.certificate.clone(), f.kind.clone())).collect()
}

#[track_caller]
fn good(chain: &[Template], signs: Signs) {
    let validation = validate(chain, &strict(signs));
    assert_eq!(faults(&validation), [], "{signs:?}");
    assert_eq!(validation.trusted.unwrap().key().spki_der(), chain[0].fields.spki);
}

#[track_caller]
fn bad(chain: &[Template], signs: Signs, certificate: &str, kind: FaultKind) {
    let found = faults(&validate(chain, &strict(signs)));
    assert_eq!(found, [(certificate.to_owned(), kind)], "{signs:?}");
}

#[track_caller]
fn bad_both(chain: &[Template], certificate: &str, kind: &FaultKind) {
    for signs in [Signs::Statements, Signs::Certificates] {
        bad(chain, signs, certificate, kind.clone());
    }
}

#[test]
fn right_paths_of_every_depth_are_valid() {
    for length in 1..=8 {
        for signs in [Signs::Statements, Signs::Certificates] {
            good(&chain(length), signs);
        }
    }
}

#[test]
fn a_path_names_its_anchor_and_every_certificate() {
    let signed = sign(&chain(3));
    let validation = validate_below(&signed, &anchor(), &strict(Signs::Certificates));
    let trusted = validation.trusted.unwrap();
    assert_eq!(trusted.trust().path(), ["anchor", "ca2", "ca1", "ca0"]);
    assert_eq!(trusted.trust().anchor().name, "anchor");
    assert_eq!(trusted.trust().anchor().origin, "operator: test");
    assert_eq!(validation.certificate.unwrap().get(), &signed[0]);
}

#[test]
fn an_empty_chain_gives_no_trust() {
    let validation = validate(&[], &strict(Signs::Statements));
    assert!(validation.trusted.is_none() && validation.certificate.is_none());
}

#[test]
fn every_kind_of_signature_key_may_issue() {
    for (kind, alg) in [
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256NoNull),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha384),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha512),
        (KeyKind::Rsa2048, SignAlg::RsaPssSha256),
        (KeyKind::P384, SignAlg::EcdsaSha384),
        (KeyKind::P521, SignAlg::EcdsaSha512),
        (KeyKind::Secp256k1, SignAlg::EcdsaSha256),
        (KeyKind::Ed25519, SignAlg::Ed25519),
    ] {
        let issuer = Key::shared("pki: issuer", kind).unwrap();
        let mut chain = chain(2);
        chain[1].fields.spki = issuer.spki_der().unwrap();
        (chain[0].issuer, chain[0].alg) = (issuer, alg);
        good(&chain, Signs::Certificates);
    }
}

#[test]
fn the_issuer_is_the_subject_above() {
    for position in 0..3 {
        let mut chain = chain(3);
        chain[position].fields.issuer = named("somebody else");
        bad_both(&chain, &format!("ca{position}"), &FaultKind::NameChaining);
    }
}

#[test]
fn names_are_compared_by_their_bytes() {
    // RFC 5280 would compare the characters; a device's maker writes one name in one way.
    let mut chain = chain(2);
    chain[0].fields.issuer = x509::name(&[("CN", x509::Text::Printable, "ca1")]).unwrap();
    bad_both(&chain, "ca0", &FaultKind::NameChaining);
    chain[1].fields.subject = chain[0].fields.issuer.clone();
    good(&chain, Signs::Statements);
    chain[0].fields.issuer = named("CA1");
    bad_both(&chain, "ca0", &FaultKind::NameChaining);
}

#[test]
fn the_signature_is_by_the_key_above() {
    for position in 0..3 {
        let mut chain = chain(3);
        chain[position].issuer = key("somebody else");
        bad_both(&chain, &format!("ca{position}"), &FaultKind::Signature(SignatureError::Invalid));
    }
}

#[test]
fn a_signature_covers_every_byte_of_the_signed_part() {
    let signed = sign(&chain(2));
    let der = signed[0].der();
    let tbs = signed[0].tbs().len() + 4;
    for at in 4..tbs {
        let mut spoilt = der.to_vec();
        spoilt[at] ^= 1;
        let Ok(spoilt) = Certificate::from_der(&spoilt) else { continue };
        let chain = [spoilt, signed[1].clone()];
        let validation = validate_below(&chain, &anchor(), &strict(Signs::Statements));
        assert!(validation.trusted.is_none(), "byte {at}");
    }
}

#[test]
fn sha1_and_unknown_algorithms_are_not_accepted() {
    let mut chain = chain(2);
    let sha1 = der::sequence(&[der::oid("1.2.840.10045.4.1").unwrap()]);
    chain[0].fields.inner_algorithm = Some(sha1.clone());
    chain[0].fields.outer_algorithm = Some(sha1);
    bad_both(&chain, "ca0", &FaultKind::Signature(SignatureError::WeakDigest));
    let unknown = der::sequence(&[der::oid("1.2.840.113549.2.4").unwrap()]);
    chain[0].fields.inner_algorithm = Some(unknown.clone());
    chain[0].fields.outer_algorithm = Some(unknown);
    let found = faults(&validate(&chain, &strict(Signs::Statements)));
    assert!(matches!(&found[..], [(_, FaultKind::Signature(SignatureError::Unsupported(_)))]), "{found:?}");
}

#[test]
fn an_algorithm_of_another_key_type_is_not_accepted() {
    let mut chain = chain(2);
    let rsa = SignAlg::RsaPkcs1Sha256.algorithm_identifier().unwrap();
    chain[0].fields.inner_algorithm = Some(rsa.clone());
    chain[0].fields.outer_algorithm = Some(rsa);
    let found = faults(&validate(&chain, &strict(Signs::Statements)));
    assert!(
        matches!(&found[..], [(_, FaultKind::Signature(SignatureError::WrongKeyType { .. }))]),
        "{found:?}"
    );
}

#[test]
fn validity_is_to_the_second_at_every_position() {
    for position in 0..3 {
        let mut chain = chain(3);
        chain[position].fields.not_before = "2026-01-01T00:00:00Z".to_owned();
        chain[position].fields.not_after = "2026-12-31T23:59:59Z".to_owned();
        let signed = sign(&chain);
        let judge = |at: &str| {
            let rules = Rules::strict(time(at), Signs::Certificates);
            faults(&validate_below(&signed, &anchor(), &rules))
        };
        assert_eq!(judge("2026-01-01T00:00:00Z"), []);
        assert_eq!(judge("2026-12-31T23:59:59Z"), []);
        let name = format!("ca{position}");
        let early = FaultKind::NotYetValid(time("2026-01-01T00:00:00Z"));
        assert_eq!(judge("2025-12-31T23:59:59Z"), [(name.clone(), early)]);
        let late = FaultKind::Expired(time("2026-12-31T23:59:59Z"));
        assert_eq!(judge("2027-01-01T00:00:00Z"), [(name, late)]);
    }
}

#[test]
fn dates_from_2050_on_and_without_end_are_read() {
    let mut chain = chain(1);
    chain[0].fields.not_after = "9999-12-31T23:59:59Z".to_owned();
    good(&chain, Signs::Statements);
    let mut far = anchor();
    far.certificates = vec![published(FROM, "9999-12-31T23:59:59Z")];
    let rules = Rules::strict(time("2075-01-01T00:00:00Z"), Signs::Statements);
    assert_eq!(faults(&validate_below(&sign(&chain), &far, &rules)), []);
    chain[0].fields.not_before = "2050-01-01T00:00:00Z".to_owned();
    bad_both(&chain, "ca0", &FaultKind::NotYetValid(time("2050-01-01T00:00:00Z")));
}

#[test]
fn a_period_that_ends_before_it_begins_is_never_valid() {
    let mut chain = chain(1);
    chain[0].fields.not_before = "2028-01-01T00:00:00Z".to_owned();
    chain[0].fields.not_after = "2024-01-01T00:00:00Z".to_owned();
    let found = faults(&validate(&chain, &strict(Signs::Statements)));
    assert_eq!(found.len(), 2);
}

#[test]
fn an_anchor_is_valid_in_each_of_its_published_periods() {
    let mut anchor = anchor();
    anchor.certificates = vec![
        published("2020-01-01T00:00:00Z", "2022-12-31T23:59:59Z"),
        published("2025-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
    ];
    let signed = sign(&chain(1));
    let judge =
        |at: &str| faults(&validate_below(&signed, &anchor, &Rules::strict(time(at), Signs::Statements)));
    for inside in
        ["2020-01-01T00:00:00Z", "2022-12-31T23:59:59Z", "2025-01-01T00:00:00Z", "2026-06-01T00:00:00Z"]
    {
        assert_eq!(judge(inside), [], "{inside}");
    }
    for gap in ["2023-01-01T00:00:00Z", "2024-12-31T23:59:59Z"] {
        let found = judge(gap);
        assert!(matches!(&found[..], [(_, FaultKind::AnchorOutsideValidity(_))]), "{gap}: {found:?}");
    }
}

#[test]
fn the_leniency_for_the_anchors_dates_is_for_the_anchor() {
    let mut over = anchor();
    over.certificates = vec![published(FROM, "2021-01-01T00:00:00Z")];
    let mut chain = chain(2);
    let lenient = Rules { ignore_anchor_validity: true, ..strict(Signs::Statements) };
    assert!(validate_below(&sign(&chain), &over, &strict(Signs::Statements)).trusted.is_none());
    assert!(validate_below(&sign(&chain), &over, &lenient).trusted.is_some());
    chain[1].fields.not_after = "2021-01-01T00:00:00Z".to_owned();
    let validation = validate_below(&sign(&chain), &over, &lenient);
    assert!(validation.trusted.is_none() && faults(&validation).iter().all(|(name, _)| name == "ca1"));
}

#[test]
fn a_published_end_certificate_needs_no_issuer() {
    let end = chain(1)[0].clone();
    let certificate = end.sign();
    let mut itself = anchor_named("ca0", &key("ca0"));
    itself.certificates[0].sha256 = *certificate.sha256();
    let rules = strict(Signs::Statements);
    assert!(path::validate_published(&certificate, &itself, &rules).unwrap().trusted.is_some());
    // The same name and key in another certificate is not the one that was published.
    let mut other = end.clone();
    other.fields.serial = vec![1];
    assert!(path::validate_published(&other.sign(), &itself, &rules).is_none());
    // Everything but the issuer is judged, and the key is the anchor's.
    let late = Rules { at: time("2031-01-01T00:00:00Z"), ..rules };
    assert!(path::validate_published(&certificate, &itself, &late).unwrap().trusted.is_none());
    let mut of_another = anchor_named("ca0", &key("another"));
    of_another.certificates[0].sha256 = *certificate.sha256();
    assert!(path::validate_published(&certificate, &of_another, &rules).unwrap().trusted.is_none());
}

#[test]
fn the_anchor_above_a_pinned_intermediate_must_be_valid_too() {
    let mut root = anchor_named("root", &key("root"));
    let mut pinned = anchor();
    pinned.kind = AnchorKind::Intermediate;
    pinned.issuer = Some(root.id.clone());
    let memory = IssuerCache::new(0);
    let judge = |root: &Anchor| {
        let set = set_of(&[root, &pinned]);
        let signed = sign(&chain(1));
        path::validate(&signed, &pinned, &set, &strict(Signs::Statements), &Signatures::new(&memory))
    };
    let validation = judge(&root);
    assert_eq!(faults(&validation), []);
    assert_eq!(validation.trusted.unwrap().trust().path(), ["root", "anchor", "ca0"]);
    root.certificates = vec![published(FROM, "2026-05-31T23:59:59Z")];
    let found = faults(&judge(&root));
    assert!(
        matches!(&found[..], [(name, FaultKind::AnchorOutsideValidity(_))] if name == "root"),
        "{found:?}"
    );
}

#[test]
fn an_issuer_is_a_ca() {
    for position in 1..3 {
        for wrong in
            [None, Some(x509::basic_constraints(false, None)), Some(x509::basic_constraints(false, Some(3)))]
        {
            let mut chain = chain(3);
            chain[position].fields.remove_extension(BASIC_CONSTRAINTS);
            chain[position].fields.extensions.extend(wrong);
            bad_both(&chain, &format!("ca{position}"), &FaultKind::NotCa);
        }
    }
}

#[test]
fn the_end_is_a_ca_only_when_it_signs_certificates() {
    let mut chain = chain(2);
    chain[0].fields.remove_extension(BASIC_CONSTRAINTS);
    good(&chain, Signs::Statements);
    bad(&chain, Signs::Certificates, "ca0", FaultKind::NotCa);
    chain[0].set(x509::basic_constraints(false, None));
    good(&chain, Signs::Statements);
    bad(&chain, Signs::Certificates, "ca0", FaultKind::NotCa);
}

#[test]
fn a_version_1_certificate_is_no_issuer() {
    for position in 1..3 {
        let mut chain = chain(3);
        chain[position].fields.version = 1;
        chain[position].fields.extensions.clear();
        bad_both(&chain, &format!("ca{position}"), &FaultKind::NotCa);
    }
    let mut end = chain(2);
    end[0].fields.version = 1;
    end[0].fields.extensions.clear();
    good(&end, Signs::Statements);
    bad(&end, Signs::Certificates, "ca0", FaultKind::NotCa);
}

#[test]
fn extensions_in_other_versions_than_3_are_malformed() {
    for version in [1, 2] {
        let mut chain = chain(1);
        chain[0].fields.version = version;
        assert!(Certificate::from_der(&chain[0].der()).is_err(), "version {version}");
    }
}

#[test]
fn the_leniency_for_issuers_holds_at_the_named_position_only() {
    let rules = |positions: &'static [usize], signs| Rules {
        issuers_without_basic_constraints: positions,
        ..strict(signs)
    };
    let positions: [&'static [usize]; 4] = [&[], &[0], &[1], &[2]];
    for lacking in 0..3 {
        for version in [1, 3] {
            let mut chain = chain(3);
            if version == 1 {
                chain[lacking].fields.extensions.clear();
            }
            chain[lacking].fields.version = version;
            chain[lacking].fields.remove_extension(BASIC_CONSTRAINTS);
            for lenient in positions {
                let found = faults(&validate(&chain, &rules(lenient, Signs::Certificates)));
                if lenient == [lacking] {
                    assert_eq!(found, [], "{lacking} {lenient:?}");
                } else {
                    assert_eq!(found, [(format!("ca{lacking}"), FaultKind::NotCa)], "{lacking} {lenient:?}");
                }
            }
        }
    }
    // It is for certificates without basicConstraints, not for those that say no.
    let mut chain = chain(2);
    chain[1].set(x509::basic_constraints(false, None));
    let found = faults(&validate(&chain, &rules(&[1], Signs::Statements)));
    assert_eq!(found, [("ca1".to_owned(), FaultKind::NotCa)]);
    // And it lifts nothing else.
    chain[1].fields.remove_extension(BASIC_CONSTRAINTS);
    chain[1].set(x509::key_usage(&[usage::DIGITAL_SIGNATURE]));
    let found = faults(&validate(&chain, &rules(&[1], Signs::Statements)));
    assert_eq!(found, [("ca1".to_owned(), FaultKind::MayNotIssue)]);
}

#[test]
fn the_leniency_for_issuers_that_deny_it_holds_at_the_named_position_only() {
    let rules = |positions: &'static [usize]| Rules {
        issuers_that_deny_it: positions,
        ..strict(Signs::Certificates)
    };
    for denying in 0..3 {
        let denials = [x509::basic_constraints(false, None), x509::key_usage(&[usage::DIGITAL_SIGNATURE])];
        for (denial, fault) in denials.into_iter().zip([FaultKind::NotCa, FaultKind::MayNotIssue]) {
            let mut chain = chain(3);
            chain[denying].set(denial);
            for lenient in [&[][..], &[0], &[1], &[2]] {
                let found = faults(&validate(&chain, &rules(lenient)));
                let wanted = [(format!("ca{denying}"), fault.clone())];
                let wanted = if lenient == [denying] { &[][..] } else { &wanted };
                assert_eq!(found, wanted, "{denying} {lenient:?}");
            }
        }
    }
    // It is for certificates that say no, not for those that say nothing, or too little.
    let mut silent = chain(2);
    silent[1].fields.remove_extension(BASIC_CONSTRAINTS);
    assert_eq!(faults(&validate(&silent, &rules(&[1]))), [("ca1".to_owned(), FaultKind::NotCa)]);
    let mut short = chain(3);
    short[2].set(x509::basic_constraints(true, Some(0)));
    assert_eq!(faults(&validate(&short, &rules(&[2]))), [("ca2".to_owned(), FaultKind::PathLen)]);
}

#[test]
fn the_leniency_for_name_constraints_is_for_those_that_are_not_critical() {
    let rules = |positions: &'static [usize]| Rules {
        ignored_name_constraints: positions,
        ..strict(Signs::Certificates)
    };
    for critical in [false, true] {
        let mut chain = chain(2);
        chain[1].set(Extension { critical, ..Extension::new("2.5.29.30", [0x30, 0]) });
        let wanted = [("ca1".to_owned(), FaultKind::NameConstraints)];
        assert_eq!(faults(&validate(&chain, &rules(&[0]))), wanted);
        let found = faults(&validate(&chain, &rules(&[1])));
        assert_eq!(found, if critical { &wanted[..] } else { &[] });
    }
}

#[test]
fn path_lengths_count_intermediates_at_every_level() {
    // Of ca0 ← ca1 ← ca2 ← ca3 ← anchor; below position i lie i certificates, of which the end is an
    // intermediate only when it issued the certificate that is the statement.
    for (signs, end) in [(Signs::Statements, 0), (Signs::Certificates, 1)] {
        for position in 0..=4_usize {
            for limit in 0..=4_u8 {
                let mut chain = chain(4);
                let mut anchor = anchor();
                match chain.get_mut(position) {
                    Some(ca) => ca.set(x509::basic_constraints(true, Some(limit)).critical()),
                    None => anchor.path_len = Some(u32::from(limit)),
                }
                let intermediates = position.saturating_sub(1) + if position > 0 { end } else { 0 };
                let found = faults(&validate_below(&sign(&chain), &anchor, &strict(signs)));
                let name = if position == 4 { "anchor".to_owned() } else { format!("ca{position}") };
                if intermediates > usize::from(limit) {
                    assert_eq!(found, [(name, FaultKind::PathLen)], "{signs:?} {position} {limit}");
                } else {
                    assert_eq!(found, [], "{signs:?} {position} {limit}");
                }
            }
        }
    }
}

#[test]
fn self_issued_certificates_do_not_count_for_path_lengths() {
    // ca1 and ca2 have one name and two keys, as at a change of keys.
    for (signs, limit) in [(Signs::Statements, 0), (Signs::Certificates, 1)] {
        let mut chain = chain(3);
        chain[1].fields.subject = named("ca2");
        chain[0].fields.issuer = named("ca2");
        chain[2].set(x509::basic_constraints(true, Some(limit)).critical());
        good(&chain, signs);
        chain[1].fields.subject = named("ca1");
        chain[0].fields.issuer = named("ca1");
        bad(&chain, signs, "ca2", FaultKind::PathLen);
    }
}

#[test]
fn the_leniency_for_the_anchors_path_length_is_for_the_anchor() {
    let mut anchor = anchor();
    anchor.path_len = Some(0);
    let rules = Rules { ignore_anchor_path_len: true, ..strict(Signs::Certificates) };
    let mut chain = chain(3);
    assert_eq!(faults(&validate_below(&sign(&chain), &anchor, &strict(Signs::Certificates))).len(), 1);
    assert_eq!(faults(&validate_below(&sign(&chain), &anchor, &rules)), []);
    chain[2].set(x509::basic_constraints(true, Some(0)).critical());
    let found = faults(&validate_below(&sign(&chain), &anchor, &rules));
    assert_eq!(found, [("ca2".to_owned(), FaultKind::PathLen)]);
}

#[test]
fn key_usage_must_allow_what_the_key_did() {
    // (usage, may sign statements, may issue)
    let cases: [(&[u8], bool, bool); 6] = [
        (&[usage::DIGITAL_SIGNATURE], true, false),
        (&[usage::NON_REPUDIATION], true, false),
        (&[usage::KEY_CERT_SIGN], false, true),
        (&[usage::CRL_SIGN, usage::KEY_ENCIPHERMENT], false, false),
        (&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN], true, true),
        (&[], false, false),
    ];
    for (bits, signs_statements, issues) in cases {
        for critical in [false, true] {
            let usage = Extension { critical, ..x509::key_usage(bits) };
            let mut chain = chain(3);
            chain[0].set(usage.clone());
            match signs_statements {
                true => good(&chain, Signs::Statements),
                false => bad(&chain, Signs::Statements, "ca0", FaultKind::MayNotSign),
            }
            match issues {
                true => good(&chain, Signs::Certificates),
                false => bad(&chain, Signs::Certificates, "ca0", FaultKind::MayNotIssue),
            }
            for position in 1..3 {
                let mut chain = self::chain(3);
                chain[position].set(usage.clone());
                match issues {
                    true => good(&chain, Signs::Statements),
                    false => bad_both(&chain, &format!("ca{position}"), &FaultKind::MayNotIssue),
                }
            }
        }
    }
}

#[test]
fn absent_key_usage_allows_everything() {
    let mut chain = chain(3);
    chain.iter_mut().for_each(|c| c.fields.remove_extension(KEY_USAGE));
    good(&chain, Signs::Statements);
    good(&chain, Signs::Certificates);
}

#[test]
fn unknown_critical_extensions_are_refused_everywhere() {
    let unknown = Extension::new("1.2.3.4", der::null());
    for position in 0..3 {
        let mut chain = chain(3);
        chain[position].set(unknown.clone());
        good(&chain, Signs::Statements);
        chain[position].set(unknown.clone().critical());
        bad_both(&chain, &format!("ca{position}"), &FaultKind::CriticalExtension("1.2.3.4".to_owned()));
    }
}

#[test]
fn known_extensions_may_be_critical() {
    let mut chain = chain(2);
    chain[0].set(x509::extended_key_usage(&["1.3.6.1.5.5.7.3.3"]).unwrap().critical());
    chain[1].set(x509::certificate_policies(&["2.5.29.32.0"]).unwrap().critical());
    good(&chain, Signs::Statements);
    // Not processed here, so not known when critical: subjectAltName, policyConstraints, inhibitAnyPolicy.
    for oid in ["2.5.29.17", "2.5.29.36", "2.5.29.54"] {
        let mut chain = self::chain(2);
        chain[1].set(Extension::new(oid, der::sequence::<Vec<u8>>(&[])).critical());
        bad_both(&chain, "ca1", &FaultKind::CriticalExtension(oid.to_owned()));
    }
}

#[test]
fn name_constraints_are_refused_critical_or_not() {
    let constraints = Extension::new("2.5.29.30", der::sequence::<Vec<u8>>(&[]));
    for extension in [constraints.clone(), constraints.critical()] {
        for position in 0..2 {
            let mut chain = chain(2);
            chain[position].set(extension.clone());
            bad_both(&chain, &format!("ca{position}"), &FaultKind::NameConstraints);
        }
    }
}

#[test]
fn no_extension_is_there_twice() {
    for extension in [
        x509::basic_constraints(true, None),
        x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN]),
        Extension::new("1.2.3.4", der::null()),
    ] {
        for position in 0..2 {
            let mut chain = chain(2);
            chain[position].set(extension.clone());
            chain[position].fields.extensions.push(extension.clone());
            bad_both(&chain, &format!("ca{position}"), &FaultKind::DuplicateExtension(extension.oid.clone()));
        }
    }
}

#[test]
fn unreadable_constraints_and_usages_are_refused() {
    let ca = der::boolean(true);
    let values: [(&str, Vec<u8>); 13] = [
        (BASIC_CONSTRAINTS, Vec::new()),
        (BASIC_CONSTRAINTS, der::null()),
        (BASIC_CONSTRAINTS, ca.clone()),
        (BASIC_CONSTRAINTS, [der::sequence(&[&ca]), vec![0]].concat()),
        // BER's other true, a negative length, one too many members, the wrong order, an indefinite length.
        (BASIC_CONSTRAINTS, der::sequence(&[der::tlv(1, &[1])])),
        (BASIC_CONSTRAINTS, der::sequence(&[ca.clone(), der::tlv(2, &[0xff])])),
        (BASIC_CONSTRAINTS, der::sequence(&[ca.clone(), der::integer(&[1]), der::null()])),
        (BASIC_CONSTRAINTS, der::sequence(&[der::integer(&[1]), ca.clone()])),
        (BASIC_CONSTRAINTS, vec![0x30, 0x80, 1, 1, 0xff, 0, 0]),
        (KEY_USAGE, Vec::new()),
        (KEY_USAGE, der::tlv(3, &[])),
        (KEY_USAGE, der::octet_string(&[0x86])),
        (KEY_USAGE, vec![3, 2, 8, 0x80]),
    ];
    for (oid, value) in values {
        for position in 0..2 {
            let mut chain = chain(2);
            chain[position].set(Extension::new(oid, value.clone()));
            bad_both(&chain, &format!("ca{position}"), &FaultKind::UnreadableExtension);
        }
    }
    // No leniency lifts that.
    let mut chain = chain(2);
    chain[1].set(Extension::new(BASIC_CONSTRAINTS, Vec::new()));
    let rules = Rules { issuers_without_basic_constraints: &[0, 1], ..strict(Signs::Statements) };
    assert_eq!(faults(&validate(&chain, &rules)), [("ca1".to_owned(), FaultKind::UnreadableExtension)]);
}

#[test]
fn rsa_keys_under_2048_bits_are_refused() {
    let short = Key::shared("pki: short", KeyKind::Rsa1024).unwrap();
    let mut end = chain(2);
    end[0].fields.spki = short.spki_der().unwrap();
    bad_both(&end, "ca0", &FaultKind::ShortKey(1024));
    let mut issuer = chain(2);
    issuer[1].fields.spki = short.spki_der().unwrap();
    (issuer[0].issuer, issuer[0].alg) = (short, SignAlg::RsaPkcs1Sha256);
    bad_both(&issuer, "ca1", &FaultKind::ShortKey(1024));
}

#[test]
fn a_key_that_cannot_be_used_is_refused_where_it_stands() {
    let mut chain = chain(2);
    let point = key("ca0").point().unwrap()[..33].to_vec();
    chain[0].fields.spki = keyvouch_emulator::key::ec_spki("1.2.840.10045.3.1.7", &point).unwrap();
    let found = faults(&validate(&chain, &strict(Signs::Statements)));
    assert!(matches!(&found[..], [(name, FaultKind::Key(_))] if name == "ca0"), "{found:?}");
}

#[test]
fn a_path_has_at_most_eight_certificates() {
    let found = faults(&validate(&chain(9), &strict(Signs::Statements)));
    assert_eq!(found, [("anchor".to_owned(), FaultKind::TooDeep)]);
}

#[test]
fn accepting_expired_certificates_tolerates_dates_and_nothing_else() {
    let rules = Rules { accept_expired: true, ..strict(Signs::Certificates) };
    let mut chain = chain(3);
    chain[0].fields.not_after = "2025-01-01T00:00:00Z".to_owned();
    chain[1].fields.not_before = "2027-01-01T00:00:00Z".to_owned();
    let mut old = anchor();
    old.certificates = vec![published(FROM, "2021-01-01T00:00:00Z")];
    let validation = validate_below(&sign(&chain), &old, &rules);
    assert_eq!(faults(&validation), []);
    assert_eq!(validation.tolerated.len(), 3);
    assert!(validation.tolerated.iter().all(|fault| fault.kind.is_validity()));
    // The same without the operator's choice.
    let strictly = validate_below(&sign(&chain), &old, &strict(Signs::Certificates));
    assert_eq!((faults(&strictly).len(), strictly.tolerated.len()), (3, 0));

    type Spoil = fn(&mut Template);
    let spoils: [Spoil; 7] = [
        |c| c.fields.issuer = named("x"),
        |c| c.issuer = key("x"),
        |c| c.set(x509::basic_constraints(false, None)),
        |c| c.set(x509::key_usage(&[])),
        |c| c.set(Extension::new("1.2.3.4", der::null()).critical()),
        |c| c.set(Extension::new("2.5.29.30", der::null())),
        |c| c.set(Extension::new(KEY_USAGE, der::null())),
    ];
    for spoil in spoils {
        let mut chain = chain.clone();
        spoil(&mut chain[1]);
        assert_eq!(validate_below(&sign(&chain), &old, &rules).faults.len(), 1);
    }
}

// Finding a path.

fn find<'a>(end: &Certificate, pool: &[Certificate], anchors: &[&'a Anchor]) -> path::Found<'a> {
    let memory = IssuerCache::new(0);
    path::find(end, pool, anchors, &Signatures::new(&memory))
}

#[track_caller]
fn finds(chain: &[Certificate], pool: &[Certificate], anchor: &Anchor) {
    let found = find(&chain[0], pool, &[anchor]);
    assert!(matches!(found.top, Top::Anchor(a) if a.id == anchor.id), "{:?}", found.top);
    assert_eq!(found.chain, chain);
}

#[test]
fn a_path_is_found_whatever_the_order() {
    let signed = sign(&chain(5));
    let mut pool = signed.clone();
    for _ in 0..pool.len() {
        pool.rotate_left(1);
        finds(&signed, &pool, &anchor());
    }
    pool.reverse();
    finds(&signed, &pool, &anchor());
    pool.extend(signed.clone());
    finds(&signed, &pool, &anchor());
}

#[test]
fn certificates_at_hand_give_no_trust() {
    // A complete hierarchy with its root, and no anchor of it.
    let mut chain = chain(2);
    chain.push(Template::ca("anchor", "anchor"));
    let signed = sign(&chain);
    assert!(matches!(find(&signed[0], &signed, &[]).top, Top::SelfSigned));
    let other = anchor_named("other", &key("other"));
    assert!(matches!(find(&signed[0], &signed, &[&other]).top, Top::SelfSigned));
    // The same name with another key is an anchor that did not sign.
    let namesake = anchor_named("anchor", &key("other"));
    let found = find(&signed[0], &signed[..2], &[&namesake]);
    assert!(matches!(found.top, Top::NotSignedByAnchor(_)), "{:?}", found.top);
    // Its own root in the evidence does not help: it ends at that root.
    let found = find(&signed[0], &signed, &[&namesake]);
    assert!(!matches!(found.top, Top::Anchor(_)), "{:?}", found.top);
}

#[test]
fn what_is_missing_is_told() {
    let signed = sign(&chain(3));
    let found = find(&signed[0], &[signed[2].clone()], &[the_anchor()]);
    assert!(matches!(found.top, Top::IssuerMissing), "{:?}", found.top);
    assert_eq!(found.chain.len(), 1);
    // By name it is there, by key it is another.
    let mut impostor = chain(3)[1].clone();
    impostor.fields.spki = key("impostor").spki_der().unwrap();
    let found = find(&signed[0], &[impostor.sign()], &[the_anchor()]);
    assert!(matches!(found.top, Top::NotSignedByIssuer), "{:?}", found.top);
}

#[test]
fn of_candidates_with_one_name_the_one_that_signed_is_taken() {
    let signed = sign(&chain(2));
    let impostors = (0..5).map(|i| {
        let mut impostor = chain(2)[1].clone();
        impostor.fields.spki = key(&format!("impostor {i}")).spki_der().unwrap();
        impostor.sign()
    });
    let pool: Vec<_> = impostors.chain([signed[1].clone()]).collect();
    finds(&signed, &pool, &anchor());
}

#[test]
fn crafted_sets_of_same_named_certificates_end_within_the_budget() {
    // 200 certificates of one name and key, each certified by every other: a search that tries all would not end.
    let loops: Vec<_> = (0..200_u8)
        .map(|i| {
            let mut ca = Template::ca("loop", "loop");
            ca.fields.serial = vec![1, i];
            ca.sign()
        })
        .collect();
    let mut end = Template::ca("end", "loop");
    end.fields.issuer = named("loop");
    let started = Instant::now();
    let found = find(&end.sign(), &loops, &[the_anchor()]);
    assert!(!matches!(found.top, Top::Anchor(_)), "{:?}", found.top);
    assert!(found.chain.len() <= 9);
    // 200 that did not sign at all.
    let impostors: Vec<_> = (0..200_u8)
        .map(|i| {
            let mut ca = Template::ca("loop", "anchor");
            ca.fields.serial = vec![1, i];
            ca.fields.spki = key("impostor").spki_der().unwrap();
            ca.sign()
        })
        .collect();
    let found = find(&end.sign(), &impostors, &[the_anchor()]);
    assert!(matches!(found.top, Top::Budget), "{:?}", found.top);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_budget_does_not_hang_on_what_was_verified_before() {
    // Else an answer would depend on earlier ones.
    let impostors: Vec<_> = (0..30_u8)
        .map(|i| {
            let mut ca = Template::ca("ca1", "anchor");
            ca.fields.serial = vec![1, i];
            ca.fields.spki = key("impostor").spki_der().unwrap();
            ca.sign()
        })
        .collect();
    let signed = sign(&chain(2));
    let pool: Vec<_> = impostors.into_iter().chain([signed[1].clone()]).collect();
    let memory = IssuerCache::new(100);
    let anchor = anchor();
    let tops: Vec<_> = (0..3)
        .map(|_| {
            let found = path::find(&signed[0], &pool, &[&anchor], &Signatures::new(&memory));
            format!("{:?} {}", found.top, found.chain.len())
        })
        .collect();
    assert!(tops.iter().all(|top| *top == tops[0]), "{tops:?}");
}

#[test]
fn cycles_end() {
    // a ← b ← a, and a certificate that certifies itself.
    let (a, b) = (Template::ca("a", "b").sign(), Template::ca("b", "a").sign());
    let found = find(&a, &[a.clone(), b.clone()], &[the_anchor()]);
    assert!(!matches!(found.top, Top::Anchor(_)), "{:?}", found.top);
    assert!(found.chain.len() <= 2);
    let own = Template::ca("own", "own").sign();
    let found = find(&own, &[own.clone(), b], &[the_anchor()]);
    assert!(matches!(found.top, Top::SelfSigned), "{:?}", found.top);
}

#[test]
fn a_cross_certificate_that_leads_nowhere_does_not_hide_the_way() {
    // ca1 is certified by the anchor and by an authority that nobody knows, with one name and key.
    let signed = sign(&chain(2));
    let cross = Template::ca("ca1", "stranger").sign();
    let stranger = Template::ca("stranger", "stranger").sign();
    for pool in [
        vec![cross.clone(), signed[1].clone()],
        vec![signed[1].clone(), cross.clone()],
        vec![cross.clone(), stranger.clone(), signed[1].clone()],
        vec![stranger, cross, signed[1].clone()],
    ] {
        finds(&signed, &pool, &anchor());
    }
}

#[test]
fn a_reissued_issuer_serves_although_the_older_certificate_is_at_hand_too() {
    let new = sign(&chain(2));
    let mut old = chain(2)[1].clone();
    old.fields.not_after = "2024-01-01T00:00:00Z".to_owned();
    let old = old.sign();
    for pool in [vec![old.clone(), new[1].clone()], vec![new[1].clone(), old.clone()]] {
        let found = find(&new[0], &pool, &[the_anchor()]);
        let validation = validate_below(&found.chain, &anchor(), &strict(Signs::Statements));
        assert_eq!(faults(&validation), []);
    }
}

#[test]
fn of_anchors_with_one_name_the_one_that_signed_is_taken() {
    let signed = sign(&chain(1));
    let namesakes: Vec<_> = (0..3).map(|i| anchor_named("anchor", &key(&format!("namesake {i}")))).collect();
    let right = anchor();
    let mut anchors: Vec<&Anchor> = namesakes.iter().collect();
    anchors.push(&right);
    let found = find(&signed[0], &[], &anchors);
    assert!(matches!(found.top, Top::Anchor(a) if a.id == right.id), "{:?}", found.top);
}

#[test]
fn an_anchor_itself_as_evidence_is_found_under_itself_only() {
    let root = Template::ca("anchor", "anchor").sign();
    let found = find(&root, &[], &[the_anchor()]);
    assert!(matches!(found.top, Top::Anchor(_)), "{:?}", found.top);
    assert_eq!(found.chain, [root]);
}

#[test]
fn what_is_no_certificate_is_not_read() {
    let good = chain(1)[0].der();
    assert!(Certificate::from_der(&good).is_ok());
    assert!(Certificate::from_der(&[]).is_err());
    assert!(Certificate::from_der(&[good.clone(), vec![0]].concat()).is_err());
    for cut in 0..good.len() {
        assert!(Certificate::from_der(&good[..cut]).is_err(), "cut to {cut}");
    }
    // The algorithm inside differs from the one outside.
    let mut mixed = chain(1)[0].clone();
    mixed.fields.outer_algorithm = Some(SignAlg::EcdsaSha384.algorithm_identifier().unwrap());
    assert!(Certificate::from_der(&mixed.der()).is_err());
    // PEM is not DER.
    assert!(Certificate::from_der(pem::certificate(&good).as_bytes()).is_err());
}

#[test]
fn a_signed_certificate_has_one_form_only() {
    // Else a certificate that is denied by its digest could be had with another one. ECDSA signatures have two
    // values each; that is why this is about the encoding, and one of RSA about the whole.
    let issuer = Key::shared("pki: issuer", KeyKind::Rsa2048).unwrap();
    let mut end = chain(1)[0].clone();
    (end.issuer, end.alg) = (Arc::clone(&issuer), SignAlg::RsaPkcs1Sha256);
    let der = end.der();
    let key = keyvouch::crypto::PublicKey::from_spki_der(&issuer.spki_der().unwrap()).unwrap();
    assert!(Certificate::from_der(&der).unwrap().verify_signed_by(&key).is_ok());
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut spoilt = der.clone();
            spoilt[at] ^= 1 << bit;
            let valid = Certificate::from_der(&spoilt).is_ok_and(|c| c.verify_signed_by(&key).is_ok());
            assert!(!valid, "byte {at} bit {bit}");
        }
    }
}

/// The pin of a certificate.
fn pin(certificate: &Certificate) -> Anchor {
    let published = PublishedCertificate { sha256: *certificate.sha256(), ..published(FROM, TO) };
    let key = certificate.key().unwrap().spki_der();
    Anchor::from_operator("test", "pinned", AnchorKind::Root, certificate.subject(), key, None, published)
        .unwrap()
}

#[test]
fn a_pinned_certificate_is_judged_by_itself_and_only_it_is() {
    let rules = Rules::strict(at(), Signs::Statements);
    let judge = |change: &dyn Fn(&mut Template)| {
        let mut template = Template::ca("signer", "nobody who is there");
        change(&mut template);
        let certificate = template.sign();
        let validation = path::validate_published(&certificate, &pin(&certificate), &rules).unwrap();
        let faults: Vec<FaultKind> = validation.faults.into_iter().map(|f| f.kind).collect();
        assert_eq!(validation.trusted.is_some(), faults.is_empty());
        assert_eq!(validation.certificate.is_some(), faults.is_empty());
        faults
    };
    assert_eq!(judge(&|_| {}), []);
    // Its issuer plays no part, nor that issuer's signature.
    assert_eq!(judge(&|t| t.issuer = key("somebody")), []);
    assert_eq!(judge(&|t| t.set(x509::key_usage(&[usage::KEY_CERT_SIGN]))), [FaultKind::MayNotSign]);
    let ended = time("2026-05-31T23:59:59Z");
    assert_eq!(judge(&|t| t.fields.not_after = ended.to_string()), [FaultKind::Expired(ended)]);
    let later = time("2026-06-01T00:00:01Z");
    assert_eq!(judge(&|t| t.fields.not_before = later.to_string()), [FaultKind::NotYetValid(later)]);
    let unknown = Extension::new("1.2.3.4", der::null()).critical();
    assert_eq!(judge(&|t| t.set(unknown.clone())), [FaultKind::CriticalExtension("1.2.3.4".to_owned())]);
    // Another certificate of the same name and key is another.
    let template = Template::ca("signer", "nobody who is there");
    let (one, mut other) = (template.sign(), template);
    other.fields.serial = vec![7];
    assert!(path::validate_published(&other.sign(), &pin(&one), &rules).is_none());
}
