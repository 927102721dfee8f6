//! nShield key attestation on emulated modules: every container, every way out that a list can give a key, and one
//! failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic: that is how they fail"
)]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, ClaimName, File, Freshness, Reference, Submission, Value, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, derived};
use keyvouch_emulator::nshield::acl::{Action, Blob, Group, Limit, permission};
use keyvouch_emulator::nshield::marshal::{D3s, key_hash_ex, word};
use keyvouch_emulator::nshield::{
    Attestation, Attribute, Bundle, Module, SIGNING, Signer, key_data, key_hash, parameters,
    rsa_parameters_in_full,
};
use keyvouch_emulator::{csr, samples};

use Authenticity::{Authentic, NotAuthentic, Undecided};

const AT: &str = "2026-06-01T00:00:00Z";

fn key() -> std::sync::Arc<Key> {
    Key::shared("nshield test: subject", KeyKind::P256).unwrap()
}

fn module() -> Module {
    Module::new().unwrap()
}

fn attestation() -> Attestation {
    let module = module();
    module.attest(&key(), module.usual_groups(SIGNING)).unwrap()
}

/// Reference data that trusts the emulated root.
fn reference() -> Reference {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    let load = || {
        let mut reference = Reference::builtin().unwrap();
        let anchor = module().anchor().unwrap();
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        reference
    };
    REFERENCE.get_or_init(load).clone()
}

fn judge_bytes(reference: Reference, bytes: Vec<u8>, options: &[(&str, bool)]) -> Appraisal {
    let mut submission = Submission::new(vec![File::new("key.att", bytes)], AT.parse().unwrap());
    for (name, on) in options {
        submission.options.set(*name, *on);
    }
    let mut report = Verifier::new(reference).appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    let appraisal = report.appraisals.pop().unwrap();
    assert_eq!(appraisal.format, "nshield");
    appraisal
}

fn judge(bundle: &Bundle) -> Appraisal {
    judge_bytes(reference(), bundle.json().unwrap(), &[])
}

fn judge_groups(groups: Vec<Group>) -> Appraisal {
    judge(&module().attest(&key(), groups).unwrap().sign().unwrap())
}

fn failed(appraisal: &Appraisal) -> Vec<String> {
    appraisal.failed().map(|c| c.id.to_string()).collect()
}

fn text(appraisal: &Appraisal, name: ClaimName) -> String {
    appraisal.claims.value(name).to_string()
}

fn detail(appraisal: &Appraisal, name: &str) -> String {
    let json = serde_json::to_value(appraisal).unwrap();
    json["details"][name]["value"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn expect(appraisal: &Appraisal, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let got = failed(appraisal);
    assert_eq!(got, ids, "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, authenticity);
    if authenticity != Authentic {
        assert!(
            appraisal.claims.is_empty() && appraisal.trust.is_none(),
            "claims of unauthenticated evidence"
        );
    }
    assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
    got
}

/// Changes the attestation before it is signed.
#[track_caller]
fn altered(authenticity: Authenticity, ids: &[&str], change: impl FnOnce(&mut Attestation)) -> Vec<String> {
    let mut attestation = attestation();
    change(&mut attestation);
    expect(&judge(&attestation.sign().unwrap()), authenticity, ids)
}

/// Changes the bundle after it was signed.
#[track_caller]
fn tampered(authenticity: Authenticity, ids: &[&str], change: impl FnOnce(&mut Bundle)) -> Vec<String> {
    let mut bundle = attestation().sign().unwrap();
    change(&mut bundle);
    expect(&judge(&bundle), authenticity, ids)
}

/// A key whose list has one more group.
#[track_caller]
fn with_group(group: Group, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let appraisal = judge_groups([module().usual_groups(SIGNING), vec![group]].concat());
    if authenticity == Authentic && !ids.is_empty() {
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), "yes");
        assert_eq!(text(&appraisal, ClaimName::KeyEverExportable), "true");
    }
    expect(&appraisal, authenticity, ids)
}

#[test]
fn every_sample_is_authentic_in_its_container() {
    let samples = samples("nshield").unwrap();
    assert!(samples.len() >= 10);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = Submission::new(files, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        for (name, value) in &sample.options {
            submission.options.set(name.clone(), value.clone());
        }
        let report = Verifier::new(reference).appraise(&submission).unwrap();
        let [appraisal] = report.appraisals.as_slice() else { panic!("{}", sample.variant) };
        assert_eq!(failed(appraisal), [""; 0], "{}: {:#?}", sample.variant, appraisal.checks);
        assert_eq!(appraisal.format, "nshield", "{}", sample.variant);
        assert_eq!(appraisal.authenticity, Authentic, "{}", sample.variant);
        assert_eq!(appraisal.binding.as_str(), "csr", "{}", sample.variant);
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(text(appraisal, ClaimName::KeyExportable), "vendor-boundary", "{}", sample.variant);
        assert_eq!(text(appraisal, ClaimName::DeviceSerial), "EA57-0C0D-E001");
        let fips = if sample.variant.contains("fips") { "true" } else { "unknown" };
        assert_eq!(text(appraisal, ClaimName::DeviceFipsMode), fips, "{}", sample.variant);
    }
}

#[test]
fn claims_of_a_usual_key() {
    let appraisal = judge(&attestation().sign().unwrap());
    let claim = |name| text(&appraisal, name);
    assert_eq!(claim(ClaimName::KeyAlgorithm), "EC-P256");
    assert_eq!(claim(ClaimName::KeyExportable), "vendor-boundary");
    assert_eq!(claim(ClaimName::KeyEverExportable), "false");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign");
    assert_eq!(claim(ClaimName::KeyCreatedAt), "unknown");
    assert_eq!(claim(ClaimName::AuthPin), "never");
    assert_eq!(claim(ClaimName::DeviceClass), "hsm");
    assert_eq!(claim(ClaimName::DeviceVendor), "Entrust");
    assert_eq!(claim(ClaimName::DeviceModel), "nShield");
    assert_eq!(claim(ClaimName::DeviceFirmware), "unknown");
    assert_eq!(appraisal.freshness, Freshness::NotAsked);
    assert!(appraisal.certifications.is_empty(), "a certification of another model was inherited");
    assert_eq!(appraisal.findings().count(), 0);
    assert_eq!(detail(&appraisal, "approvals"), "FIPS140-2 L3 MultiChipEmbedded");
    assert_eq!(detail(&appraisal, "physical_serial"), "00-E00001");
    assert_eq!(detail(&appraisal, "protection"), "module");
    assert!(detail(&appraisal, "acl").contains("OpPermissions 0xb02b (DuplicateHandle+UseAsCertificate+"));
    let path = appraisal.trust.as_ref().unwrap().path();
    assert_eq!(
        path[1..],
        ["Entrust warranting key", "nShield module EA57-0C0D-E001", "its module signing key"]
    );
}

#[test]
fn protection_is_the_weakest_blob() {
    let [hkm, ..] = module().hashes();
    let blob = |blob: Blob| Group::of(Action::MakeBlob(blob));
    let softcard = || blob(Blob::token(&hkm, [7, 1, 1, 0]));
    let cardset = || blob(Blob::token(&hkm, [3, 2, 5, 60]));
    let module_only = || blob(Blob::module(&hkm));
    let both = blob(Blob { flags: 0x1, ..Blob::token(&hkm, [7, 1, 1, 0]) });
    for (groups, protection, pin, token) in [
        (vec![softcard()], "softcard", "once", "1 of 1"),
        (vec![cardset()], "cardset", "once", "2 of 5, for 60 s"),
        (vec![cardset(), softcard()], "softcard", "once", "1 of 1"),
        (vec![cardset(), softcard(), module_only()], "module", "never", "unknown"),
        (vec![both], "module", "never", "unknown"),
        (vec![], "non-persistent", "unknown", "unknown"),
    ] {
        let appraisal = judge_groups(groups);
        expect(&appraisal, Authentic, &[]);
        assert_eq!(detail(&appraisal, "protection"), protection);
        assert_eq!(text(&appraisal, ClaimName::AuthPin), pin);
        assert_eq!(detail(&appraisal, "token"), token);
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), "vendor-boundary");
    }
}

#[test]
fn harmless_lists_of_every_form_are_read() {
    let [hkm, _, _, hkre, _] = module().hashes();
    let usual = Action::Permissions(SIGNING);
    let hknso = module().knso.hash().unwrap();
    let id = derived("limit", 20);
    for group in [
        Group::of(Action::DeriveKey { kind: 5, flags: 0, mechanism: 29, others: 0 }),
        Group::of(Action::DeriveKey { kind: 47, flags: 0, mechanism: 29, others: 0 }),
        Group {
            limits: vec![Limit::Time(60), Limit::Auth { id: id.clone(), max: 3 }],
            ..Group::of(usual.clone())
        },
        Group { module: Some("EA57-0C0D-E001".to_owned()), flags: 0x20, ..Group::of(usual.clone()) },
        Group { certifier_mechanism: Some((hknso.clone(), 170)), ..Group::of(usual.clone()) },
        Group { certifier_ex: Some((hknso.clone(), 170)), certifier: Some(hknso), ..Group::of(usual) },
        Group::of(Action::MakeBlob(Blob { blob_file: Some((3, vec![0; 20])), ..Blob::module(&hkm) })),
    ] {
        let appraisal = judge_groups(vec![group]);
        expect(&appraisal, Authentic, &[]);
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), "vendor-boundary");
        assert_eq!(appraisal.findings().count(), 0);
    }
    let archive = Action::MakeArchiveBlob { mechanism: 225, key: Some(hkre), blob_file: true };
    assert_eq!(text(&judge_groups(vec![Group::of(archive)]), ClaimName::KeyExportable), "wrapped");
}

#[test]
fn what_administrators_can_do_decides_how_exportable_the_key_is() {
    let module = module();
    let [hkm, _, _, hkre, _] = module.hashes();
    let hknso = module.knso.hash().unwrap();
    let officer = |action: Action| Group { certifier: Some(hknso.clone()), ..Group::of(action) };
    let archive = |key| Action::MakeArchiveBlob { mechanism: 225, key, blob_file: false };
    for (group, exportable) in [
        (officer(Action::Permissions(permission::EXPORT_AS_PLAIN)), "yes"),
        (officer(Action::Permissions(permission::EXPAND_ACL)), "yes"),
        (officer(Action::Permissions(permission::USE_AS_KM)), "yes"),
        (officer(Action::DeriveKey { kind: 5, flags: 0, mechanism: 1, others: 0 }), "yes"),
        (officer(archive(None)), "wrapped"),
        (officer(Action::MakeBlob(Blob { flags: 0x23, ..Blob::default() })), "wrapped"),
        (Group::of(archive(Some(hkre))), "wrapped"),
        (officer(Action::MakeBlob(Blob::module(&hkm))), "vendor-boundary"),
        (officer(Action::Permissions(permission::GET_ACL)), "vendor-boundary"),
    ] {
        let attestation =
            module.attest(&key(), [module.usual_groups(SIGNING), vec![group]].concat()).unwrap();
        let bytes = attestation.sign().unwrap().json().unwrap();
        let appraisal = judge_bytes(reference(), bytes.clone(), &[]);
        expect(&appraisal, Authentic, &[]);
        let found: Vec<_> = appraisal.findings().map(|c| c.id.as_ref()).collect();
        assert_eq!(found.contains(&"recoverable-by-administrators"), exportable != "vendor-boundary");
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), exportable);
        let ever = if exportable == "vendor-boundary" { "false" } else { "true" };
        assert_eq!(text(&appraisal, ClaimName::KeyEverExportable), ever);

        // The operator's word changes what counts as exportable, neither the finding nor what could have been.
        let accepted = judge_bytes(reference(), bytes, &[("accept_recoverable", true)]);
        assert_eq!(text(&accepted, ClaimName::KeyExportable), "vendor-boundary");
        assert_eq!(text(&accepted, ClaimName::KeyEverExportable), ever);
        assert_eq!(accepted.findings().count(), appraisal.findings().count());
    }
    // It does not excuse a way out that needs no quorum.
    let groups = [module.recovery_groups().unwrap(), vec![Group::of(Action::Permissions(0x4))]].concat();
    let bytes = module.attest(&key(), groups).unwrap().sign().unwrap().json().unwrap();
    let accepted = judge_bytes(reference(), bytes, &[("accept_recoverable", true)]);
    expect(&accepted, Authentic, &["acl-forbidden-permission"]);
    assert_eq!(text(&accepted, ClaimName::KeyExportable), "yes");
}

#[test]
fn a_refused_permission_is_named() {
    for (bit, name) in [
        (permission::EXPORT_AS_PLAIN, "ExportAsPlain"),
        (permission::SET_APP_DATA, "SetAppData"),
        (permission::EXPAND_ACL, "ExpandACL"),
        (permission::USE_AS_KM, "UseAsKM"),
        (permission::USE_AS_LOADER_KEY, "UseAsLoaderKey"),
    ] {
        let appraisal = judge_groups(vec![Group::of(Action::Permissions(SIGNING | bit))]);
        expect(&appraisal, Authentic, &["acl-forbidden-permission"]);
        let failure = appraisal.failed().next().unwrap();
        assert!(failure.detail.contains(&format!("{name} is allowed: ")), "{}", failure.detail);
        assert!(failure.detail.starts_with("group 1 (always: "), "{}", failure.detail);
    }
    // The other ten are harmless.
    let harmless = 0xffff & !(0x4 | 0x10 | 0x40 | 0x800 | 0x4000);
    let appraisal = judge_groups(vec![Group::of(Action::Permissions(harmless))]);
    expect(&appraisal, Authentic, &[]);
    assert_eq!(text(&appraisal, ClaimName::KeyPurposes), "sign, decrypt, wrap");
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    seen.extend(failures_of_the_bundle());
    seen.extend(failures_of_the_warrant());
    seen.extend(failures_of_the_state());
    seen.extend(failures_of_the_world());
    seen.extend(failures_of_the_key());
    seen.extend(failures_of_the_list());
    let about = keyvouch::formats::about().find(|a| a.id == "nshield").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, all);
}

fn failures_of_the_bundle() -> Vec<String> {
    let malformed: &[&str] = &["bundle-malformed"];
    for name in ["pubkeydata", "kcmsg", "kcsig", "modstatemsg", "modstatesig", "warrant", "root"] {
        tampered(NotAuthentic, malformed, |b| drop(b.members.remove(name)));
        tampered(NotAuthentic, malformed, |b| drop(b.members.insert(name.to_owned(), 1.into())));
    }
    for text in ["", "+/8=", "AA AA", "A", "AB", "not base64!"] {
        tampered(NotAuthentic, malformed, |b| b.set_text("kcsig", text));
    }
    // Hashes of another mechanism, short and long.
    for hash in [[word(45), vec![0; 20]].concat(), word(44), [word(44), vec![0; 24]].concat()] {
        tampered(NotAuthentic, malformed, |b| b.set("hkm", &hash));
    }
    for suite in ["", "DLf3072 s256", "DL\u{e9}", &"a".repeat(65)] {
        tampered(NotAuthentic, malformed, |b| b.set_text("ciphersuite", suite));
    }
    // Keys: bytes after one, a private one, a point at infinity, a coordinate beyond the field.
    let public = attestation().key_data;
    let infinite = [public[..8].to_vec(), word(1), public[12..].to_vec()].concat();
    let wide = [word(46), word(4), word(0), word(36), vec![1; 36], word(4), vec![1; 4]].concat();
    for data in
        [[public.clone(), vec![0]].concat(), [word(47), public[4..].to_vec()].concat(), infinite, wide]
    {
        tampered(NotAuthentic, malformed, |b| b.set("pubkeydata", &data));
    }
    // Kinds of keys that are known by name only leave it undecided.
    let ed25519 = [word(65), word(32), vec![7; 32]].concat();
    let secp256k1 = [word(46), word(22), public[8..].to_vec()].concat();
    let large_exponent = [word(1), word(8), vec![1; 8], word(256), vec![0x81; 256]].concat();
    for data in [ed25519, secp256k1, large_exponent] {
        tampered(Undecided, malformed, |b| b.set("pubkeydata", &data));
    }
    // JSON: cut off, a member twice, too large. A member that nobody knows is only reported.
    let json = attestation().sign().unwrap().json().unwrap();
    let cut = json[..json.len() - 10].to_vec();
    let twice = [b"{\"root\":\"KWARN-1\",".as_slice(), &json[1..]].concat();
    let large = [json.as_slice(), &[b' '; 65_536]].concat();
    for bytes in [cut, twice, large] {
        expect(&judge_bytes(reference(), bytes, &[]), NotAuthentic, malformed);
    }
    tampered(Authentic, &[], |b| b.set_text("comment", "hello"));
    tampered(NotAuthentic, malformed, |b| drop(b.members.remove("root")))
}

fn failures_of_the_warrant() -> Vec<String> {
    let mut seen = Vec::new();
    let invalid: &[&str] = &["warrant-invalid"];

    // anchor-unknown, untrusted-root
    let json = attestation().sign().unwrap().json().unwrap();
    seen.extend(expect(&judge_bytes(Reference::empty(), json.clone(), &[]), Undecided, &["anchor-unknown"]));
    seen.extend(tampered(Undecided, &["untrusted-root"], |b| b.set_text("root", "KWARN-2")));
    tampered(Undecided, &["untrusted-root"], |b| {
        let D3s::List(mut items) = attestation().signed_warrant().unwrap() else { panic!() };
        items[0] = D3s::symbol("KWARN-2");
        b.set("warrant", &D3s::List(items).encode());
    });
    // Only a key on P-521 can be the root.
    let mut other = Reference::empty();
    let pem = keyvouch_emulator::pem::public_key(&key().spki_der().unwrap());
    other.load_operator_certificates("key.pem", pem.as_bytes()).unwrap();
    expect(&judge_bytes(other, json.clone(), &[]), Undecided, &["anchor-unknown"]);

    // warrant-invalid: of another root, and everything that is not a warrant
    seen.extend(expect(&judge_bytes(Reference::builtin().unwrap(), json, &[]), NotAuthentic, invalid));
    let stranger = || Signer::ecdsa("stranger").unwrap();
    altered(NotAuthentic, invalid, |a| a.warrant_signers[1] = stranger());
    altered(NotAuthentic, invalid, |a| drop(a.warrant.pop()));
    altered(NotAuthentic, invalid, |a| a.warrant.clear());
    // A module vouches for a module: with a warrant of its own kind below the genuine one.
    altered(NotAuthentic, invalid, |a| {
        let again = a.warrant[1].clone();
        a.warrant.push(again);
        a.warrant_signers.push(module().klf2);
    });
    altered(NotAuthentic, invalid, |a| {
        *a.warrant[1].member_mut("WarrantCertificateType").unwrap() = D3s::symbol("SmartcardInformation");
    });
    altered(NotAuthentic, invalid, |a| {
        *a.warrant[1].member_mut("WarrantCertificateType").unwrap() = D3s::symbol("Delegation");
    });
    altered(NotAuthentic, invalid, |a| {
        *a.warrant[1].member_mut("ElectronicSerialNumber").unwrap() = D3s::text("")
    });
    altered(NotAuthentic, invalid, |a| *a.warrant[0].member_mut("SigMech").unwrap() = D3s::symbol("ECDSA"));
    // A point that is not on its curve.
    altered(NotAuthentic, invalid, |a| {
        let D3s::List(parts) = a.warrant[1].member_mut("KLF2pub").unwrap() else { panic!() };
        parts[3] = D3s::List(vec![D3s::Big(vec![1; 60]), D3s::Big(vec![2; 60])]);
    });
    altered(NotAuthentic, invalid, |a| a.warrant[1] = D3s::Raw(vec![0xc3, 0]));
    let warrant = attestation().signed_warrant().unwrap().encode();
    for bytes in
        [[warrant.clone(), vec![0]].concat(), warrant[..warrant.len() - 1].to_vec(), vec![0x90], vec![0x00]]
    {
        tampered(NotAuthentic, invalid, |b| b.set("warrant", &bytes));
    }

    // field-upgrade-warrant: a finding, or the operator's refusal
    let upgraded = Module { field_upgrade: true, ..module() };
    let bundle = upgraded.attest(&key(), upgraded.usual_groups(SIGNING)).unwrap().sign().unwrap();
    let appraisal = judge(&bundle);
    assert_eq!(appraisal.authenticity, Authentic);
    seen.extend(appraisal.findings().map(|c| c.id.to_string()));
    let strict = [("allow_field_upgrade_warrant", false)];
    expect(&judge_bytes(reference(), bundle.json().unwrap(), &strict), NotAuthentic, invalid);
    seen
}

fn failures_of_the_state() -> Vec<String> {
    let signature: &[&str] = &["module-state-signature"];
    let invalid: &[&str] = &["module-state-invalid"];
    let flip = |b: &mut Bundle, name: &str, at: usize| {
        let mut octets = b.get(name);
        octets[at] ^= 1;
        b.set(name, &octets);
    };
    let mut seen = tampered(NotAuthentic, signature, |b| flip(b, "modstatemsg", 20));
    tampered(NotAuthentic, signature, |b| flip(b, "modstatesig", 20));
    tampered(NotAuthentic, signature, |b| b.set("modstatesig", &word(187)));
    altered(NotAuthentic, signature, |a| a.state.signer = Signer::ecdsa("stranger").unwrap());
    // The right key with the mechanism of another kind of key.
    altered(NotAuthentic, signature, |a| a.state.signer = Signer::dsa("KML").unwrap());

    seen.extend(altered(NotAuthentic, invalid, |a| a.state.flags = 1));
    for index in [0, 1, 3, 4] {
        altered(NotAuthentic, invalid, |a| drop(a.state.attributes.remove(index)));
    }
    for index in 0..5 {
        altered(NotAuthentic, invalid, |a| a.state.attributes.push(a.state.attributes[index].clone()));
    }
    altered(NotAuthentic, invalid, |a| a.state.attributes.push(Attribute(7, word(0))));
    // Another serial number, a wrong hash, a wrong mechanism, another long-term key, bytes left over, a huge count.
    altered(NotAuthentic, invalid, |a| a.state.attributes[0].1[4] = b'F');
    altered(NotAuthentic, invalid, |a| a.state.attributes[1].1[0] ^= 1);
    altered(NotAuthentic, invalid, |a| *a.state.attributes[1].1.iter_mut().rev().nth(3).unwrap() ^= 1);
    altered(NotAuthentic, invalid, |a| {
        let other = Signer::ecdsa("stranger").unwrap();
        a.state.attributes[2].1 = [other.hash().unwrap(), other.key_data().unwrap(), word(187)].concat();
    });
    altered(NotAuthentic, invalid, |a| a.state.attributes[4].1.push(0));
    altered(NotAuthentic, invalid, |a| a.state.attributes[4].1 = word(u32::MAX));
    // A module signing key that no module has.
    altered(NotAuthentic, invalid, |a| {
        let small = Key::shared("nshield test: small", KeyKind::P256).unwrap();
        a.state.attributes[1].1 =
            [key_hash(&small, true).unwrap(), key_data(&small, true).unwrap(), word(187)].concat();
    });
    // The long-term key need not be repeated.
    altered(Authentic, &[], |a| drop(a.state.attributes.remove(2)));
    seen
}

fn failures_of_the_world() -> Vec<String> {
    let binding: &[&str] = &["world-binding-invalid"];
    let other = Signer::dsa("another KNSO").unwrap();
    let of = |a: &mut Attestation| a.world.take().unwrap();
    // knso-mismatch: the key of another world, which signed everything that the bundle has of it
    let mut seen = altered(NotAuthentic, &["knso-mismatch"], |a| {
        let world = a.world.as_mut().unwrap();
        (world.knso, world.hknso) = (other.key_data().unwrap(), other.hash().unwrap());
        world.signer = other.clone();
    });
    // module-key-unknown
    seen.extend(altered(NotAuthentic, &["module-key-unknown"], |a| {
        a.world.as_mut().unwrap().hkm = derived("elsewhere", 20);
    }));

    // world-binding-invalid: signed by another, over other hashes, of another kind, missing, twice, or weak
    seen.extend(altered(NotAuthentic, &["world-binding-invalid", "recovery-binding-invalid"], |a| {
        a.world.as_mut().unwrap().signer = other.clone();
    }));
    tampered(NotAuthentic, binding, |b| b.set("hkmc", &key_hash_ex(&derived("elsewhere", 20))));
    tampered(NotAuthentic, binding, |b| b.set("hkm", &key_hash_ex(&derived("nshield: KM0", 20))));
    tampered(NotAuthentic, binding, |b| b.set_text("ciphersuite", "DLf3072s256mAES"));
    for name in ["knsopub", "hkm", "hkmc", "ciphersuite", "CertKMaKMCbKNSO"] {
        tampered(NotAuthentic, binding, |b| drop(b.members.remove(name)));
    }
    tampered(NotAuthentic, binding, |b| {
        let signature = b.members.remove("CertKMaKMCbKNSO").unwrap();
        b.members.insert("CertKMaKMCaKFIPSbKNSO".to_owned(), signature);
    });
    tampered(NotAuthentic, binding, |b| {
        let signature = b.members["CertKMaKMCbKNSO"].clone();
        b.members.insert("CertKMaKMCaKFIPSbKNSO".to_owned(), signature);
    });
    for legacy in ["DLf1024s160mDES3", "DLf1024s160mRijndael"] {
        altered(NotAuthentic, binding, |a| a.world.as_mut().unwrap().suite = legacy.to_owned());
    }
    // The FIPS binding is not the plain one.
    altered(NotAuthentic, binding, |a| {
        let mut world = of(a);
        world.fips = true;
        world.hknso = derived("elsewhere", 20);
        world.recovery = None;
        a.world = Some(world);
    });
    let fips = Module { fips: true, ..module() };
    let mut bundle = fips.attest(&key(), fips.usual_groups(SIGNING)).unwrap().sign().unwrap();
    expect(&judge(&bundle), Authentic, &[]);
    bundle.members.remove("hkfips");
    expect(&judge(&bundle), NotAuthentic, binding);

    // recovery-binding-invalid
    let recovery: &[&str] = &["recovery-binding-invalid"];
    for name in ["hkre", "hkra", "CertKREaKRAbKNSO"] {
        seen.extend(tampered(NotAuthentic, recovery, |b| drop(b.members.remove(name))));
    }
    tampered(NotAuthentic, recovery, |b| b.set("hkre", &key_hash_ex(&derived("elsewhere", 20))));
    tampered(NotAuthentic, recovery, |b| {
        for name in ["knsopub", "hkm", "hkmc", "ciphersuite", "CertKMaKMCbKNSO"] {
            b.members.remove(name);
        }
    });
    // The signature on the world is none on the recovery keys.
    tampered(NotAuthentic, recovery, |b| {
        let signature = b.members["CertKMaKMCbKNSO"].clone();
        b.members.insert("CertKREaKRAbKNSO".to_owned(), signature);
    });
    seen
}

fn failures_of_the_key() -> Vec<String> {
    let signature: &[&str] = &["key-certificate-signature"];
    let mismatch: &[&str] = &["key-hash-mismatch"];
    let malformed: &[&str] = &["bundle-malformed"];
    let stranger = Signer::dsa("stranger").unwrap();
    let mut seen = altered(NotAuthentic, signature, |a| a.generation.signer = stranger);
    // An ECDSA signature where the module signs with DSA, and bytes after the signature.
    altered(NotAuthentic, signature, |a| a.generation.signer = module().klf2);
    tampered(NotAuthentic, signature, |b| b.set("kcsig", &[b.get("kcsig"), vec![0; 4]].concat()));
    tampered(NotAuthentic, signature, |b| b.set("kcmsg", &[b.get("kcmsg"), vec![0; 4]].concat()));
    // The state certificate, signed and all, in the place of the key generation certificate.
    tampered(NotAuthentic, signature, |b| {
        let (message, signature) = (b.get("modstatemsg"), b.get("modstatesig"));
        b.set("kcmsg", &message);
        b.set("kcsig", &signature);
    });

    // key-hash-mismatch: another key; another type of the same key; parameters of another
    let other = Key::shared("nshield test: other", KeyKind::P256).unwrap();
    seen.extend(tampered(NotAuthentic, mismatch, |b| b.set("pubkeydata", &key_data(&other, true).unwrap())));
    tampered(NotAuthentic, mismatch, |b| b.set("pubkeydata", &key_data(&key(), false).unwrap()));
    let rsa = Key::shared("nshield test: rsa", KeyKind::Rsa2048).unwrap();
    let module = module();
    let p384 = Key::shared("nshield test: other", KeyKind::P384).unwrap();
    for wrong in [parameters(&rsa).unwrap(), parameters(&p384).unwrap(), [word(45), word(4)].concat()] {
        altered(NotAuthentic, mismatch, |a| a.generation.parameters = wrong);
    }
    let of_rsa = |parameters: Vec<u8>| {
        let mut attestation = module.attest(&rsa, module.usual_groups(SIGNING)).unwrap();
        attestation.generation.parameters = parameters;
        judge(&attestation.sign().unwrap())
    };
    expect(&of_rsa(rsa_parameters_in_full(2048, &[1, 0, 1])), Authentic, &[]);
    expect(&of_rsa(rsa_parameters_in_full(2048, &[3])), NotAuthentic, mismatch);
    expect(&of_rsa(rsa_parameters_in_full(3072, &[1, 0, 1])), NotAuthentic, mismatch);

    // A certificate that cannot be read, although it is signed.
    altered(NotAuthentic, malformed, |a| a.generation.flags = 1);
    altered(NotAuthentic, malformed, |a| a.generation.parameters = [word(2), word(8), word(2048)].concat());
    altered(NotAuthentic, malformed, |a| a.generation.parameters = word(1));
    altered(NotAuthentic, malformed, |a| a.generation.hash = vec![0; 21]);
    altered(NotAuthentic, malformed, |a| a.generation.hash.clear());
    altered(Undecided, malformed, |a| a.generation.parameters = word(66));
    seen
}

fn failures_of_the_list() -> Vec<String> {
    let [hkm, _, _, hkre, _] = module().hashes();
    let km0 = derived("nshield: KM0", 20);
    let elsewhere = derived("elsewhere", 20);
    let usual = Action::Permissions(SIGNING);
    let mut seen = Vec::new();

    // acl-unknown-action: actions, limits, flags, parameters that nothing is known of
    let unknown: &[&str] = &["acl-unknown-action"];
    let derive = |kind, flags, mechanism, others| Action::DeriveKey { kind, flags, mechanism, others };
    for group in [
        Group::of(Action::Raw([word(4), word(0)].concat())),
        Group::of(Action::Raw([word(2), word(0x80)].concat())),
        Group::of(Action::Raw([word(2), word(0x41), word(4)].concat())),
        Group::of(Action::Raw([word(3), word(4), word(225)].concat())),
        Group::of(derive(5, 1, 29, 0)),
        Group::of(derive(47, 0, 29, 1)),
        Group { limits: vec![Limit::Raw([word(2), word(9)].concat())], ..Group::of(usual.clone()) },
        Group { flags: 0x10, ..Group::of(usual.clone()) },
        Group { flags: 0x80, ..Group::of(usual.clone()) },
    ] {
        seen.extend(with_group(group, Undecided, unknown));
    }
    // … and what is not a list at all.
    for short in [[word(2), word(0x1c)].concat(), word(1), [word(1), word(1), word(1)].concat()] {
        with_group(Group::of(Action::Raw(short)), NotAuthentic, &["bundle-malformed"]);
    }

    // acl-unknown-permission, also where only the Security Officer can use it
    let permissions = |bits| Group::of(Action::Permissions(bits));
    seen.extend(with_group(permissions(0x1_0000), Undecided, &["acl-unknown-permission"]));
    let hknso = module().knso.hash().unwrap();
    let by_officer = Group { certifier: Some(hknso.clone()), ..permissions(0x8000_0000) };
    with_group(by_officer, Undecided, &["acl-unknown-permission"]);

    // acl-foreign-certifier: in any of its forms, also beside the Security Officer
    let foreign: &[&str] = &["acl-foreign-certifier"];
    let ours = || Group { certifier: Some(hknso.clone()), ..Group::of(usual.clone()) };
    for group in [
        Group { certifier: Some(elsewhere.clone()), ..Group::of(usual.clone()) },
        Group { certifier_mechanism: Some((elsewhere.clone(), 170)), ..ours() },
        Group { certifier_ex: Some((elsewhere.clone(), 170)), ..ours() },
    ] {
        seen.extend(with_group(group, Authentic, foreign));
    }

    // acl-forbidden-permission, also when it is limited
    seen.extend(with_group(
        permissions(permission::EXPORT_AS_PLAIN).once(),
        Authentic,
        &["acl-forbidden-permission"],
    ));

    // acl-unsafe-blob
    let blob = |blob: Blob| Group::of(Action::MakeBlob(blob));
    for bad in [
        Blob { flags: 0x3, ..Blob::default() },
        Blob { flags: 0x23, ..Blob::module(&hkm) },
        Blob::module(&km0),
        Blob::module(&elsewhere),
        Blob { flags: 0x2, ..Blob::module(&hkm) },
        Blob { token: None, ..Blob::token(&hkm, [7, 1, 1, 0]) },
        Blob { token_key: None, ..Blob::token(&hkm, [7, 1, 1, 0]) },
    ] {
        seen.extend(with_group(blob(bad), Authentic, &["acl-unsafe-blob"]));
    }
    // A stored key whose world was taken out of the bundle: nothing proves its module key.
    altered(Authentic, &["acl-unsafe-blob"], |a| a.world = None);

    // acl-archive-to-unknown-key: any key, another key, and a recovery key that nobody vouches for
    let archive = |key| Group::of(Action::MakeArchiveBlob { mechanism: 225, key, blob_file: false });
    for key in [None, Some(elsewhere), Some(hkm)] {
        seen.extend(with_group(archive(key), Authentic, &["acl-archive-to-unknown-key"]));
    }
    let groups = [module().usual_groups(SIGNING), vec![archive(Some(hkre))]].concat();
    altered(Authentic, &["acl-archive-to-unknown-key"], |a| {
        a.world.as_mut().unwrap().recovery = None;
        a.generation.groups = groups;
    });

    // acl-unsafe-derivation
    for kind in [5, 47] {
        seen.extend(with_group(Group::of(derive(kind, 0, 30, 0)), Authentic, &["acl-unsafe-derivation"]));
    }

    // recoverable-by-administrators is a finding
    let recoverable =
        judge_groups([module().usual_groups(SIGNING), module().recovery_groups().unwrap()].concat());
    expect(&recoverable, Authentic, &[]);
    assert_eq!(text(&recoverable, ClaimName::KeyExportable), "yes");
    seen.extend(recoverable.findings().map(|c| c.id.to_string()));
    seen
}

#[test]
fn other_evidence_is_not_a_bundle() {
    for text in [
        "{\"warrant\":\"AA\",\"root\":\"KWARN-1\",\"kcmsg\":\"AA\"}",
        "[{\"kcmsg\":1,\"kcsig\":1,\"modstatemsg\":1,\"modstatesig\":1,\"warrant\":1,\"root\":1}]",
        "kcmsg kcsig modstatemsg modstatesig warrant root",
    ] {
        let submission = Submission::new(vec![File::new("x", text)], AT.parse().unwrap());
        let report = Verifier::new(reference()).appraise(&submission).unwrap();
        assert_eq!(report.appraisals[0].format, "", "{text}");
    }
}

#[test]
fn of_several_bundles_the_one_of_the_request_is_judged() {
    let module = module();
    let second = Key::shared("nshield test: second", KeyKind::P384).unwrap();
    let first = attestation().sign().unwrap().json().unwrap();
    let other = module.attest(&second, module.usual_groups(SIGNING)).unwrap().sign().unwrap().json().unwrap();
    let files =
        vec![File::new("a.att", first.clone()), File::new("b.att", other), File::new("again.att", first)];
    let mut submission = Submission::new(files, AT.parse().unwrap());
    let verifier = Verifier::new(reference());
    assert_eq!(verifier.appraise(&submission).unwrap().appraisals.len(), 2);
    submission.request = Some(File::new("csr.der", csr::plain("second", &second).unwrap()));
    submission.nonce = Some(vec![1, 2, 3]);
    let report = verifier.appraise(&submission).unwrap();
    let [appraisal] = report.appraisals.as_slice() else { panic!("{}", report.appraisals.len()) };
    assert_eq!(appraisal.binding.as_str(), "csr");
    assert_eq!(appraisal.freshness, Freshness::NoNonceInEvidence);
}

#[test]
fn a_distrusted_root_key_gives_no_trust() {
    let json = attestation().sign().unwrap().json().unwrap();
    let mut reference = reference();
    let keyvouch_emulator::nshield::Signer::Ecdsa(root) = module().root else { panic!() };
    let spki = root.spki_der().unwrap();
    let hex: String = keyvouch_emulator::key::sha256(&spki).iter().map(|b| format!("{b:02x}")).collect();
    let base64 = keyvouch_emulator::bundle::base64(&spki);
    let published = "[anchor.published]\nsource = 'own'\n";
    let row = format!(
        "[[anchor]]\nid = 'x'\nname = 'x'\nkind = 'untrusted'\nspki = '{base64}'\nspki_sha256 = '{hex}'\n{published}"
    );
    // Trusted and untrusted by the operator at once is an error, not a choice.
    assert!(reference.load_operator_file("distrust.toml", &row).is_err());
    let mut reference = Reference::builtin().unwrap();
    reference.load_operator_file("distrust.toml", &row).unwrap();
    expect(&judge_bytes(reference, json, &[]), NotAuthentic, &["warrant-invalid"]);
}

#[test]
fn inspect_decodes_without_judging() {
    let bundle = attestation().sign().unwrap().json().unwrap();
    let submission = Submission::new(vec![File::new("key.att", bundle)], AT.parse().unwrap());
    let view = Verifier::new(Reference::empty()).inspect(&submission).unwrap();
    let view = &view["statements"][0]["view"];
    assert_eq!(view["module_state"]["serial"], "EA57-0C0D-E001");
    assert_eq!(view["key"]["algorithm"], "EC-P256");
    assert_eq!(view["key_generation"]["acl"].as_array().unwrap().len(), 2);
    assert_eq!(view["warrant"]["certificates"].as_array().unwrap().len(), 2);
    assert_eq!(view["world"]["bindings"]["CertKMaKMCbKNSO"], true);
}
