//! Chains with one fault each.

use keyvouch_emulator as emulator;
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::securosys::{Evidence, Primus};
use keyvouch_emulator::x509::{self, usage};

use super::common::*;

/// A self-signed authority that has nothing to do with the chain but its organization.
pub(crate) fn stranger(common_name: &str) -> Vec<u8> {
    let key = Key::shared("securosys: stranger", KeyKind::P256).unwrap();
    let name =
        x509::name(&[("CN", x509::Text::Utf8, common_name), ("O", x509::Text::Printable, "Securosys")]);
    let mut certificate =
        x509::Certificate::new(name.unwrap(), &key, "2020-01-01T00:00:00Z", "2050-01-01T00:00:00Z").unwrap();
    certificate.extensions.push(x509::basic_constraints(true, None).critical());
    certificate.sign(&key, SignAlg::EcdsaSha256).unwrap()
}

/// The certificate of another attestation key under the same device.
fn second_leaf(primus: &Primus) -> Vec<u8> {
    let mut leaf = primus.leaf.clone();
    leaf.spki = key(KeyKind::P256).spki_der().unwrap();
    leaf.sign(&primus.device_key, PKCS1).unwrap()
}

pub(crate) fn chain() -> Vec<Negative> {
    let primus = Primus::new().unwrap();
    let evidence = sign(&document());
    let with_chain = |certificates: &[&[u8]]| {
        let mut case = Case::from(evidence.clone());
        case.evidence.retain(|f| !f.name.ends_with(".certificatechain"));
        case.file("chain.pem", emulator::pem::certificates(certificates))
    };
    let chain = evidence.chain.clone();
    let mut direct = primus.leaf.clone();
    direct.issuer = primus.root.certificate.subject.clone();
    let direct = direct.sign(&primus.root.key, PKCS1).unwrap();
    // Root, device, and another authority between device and leaf.
    let between_key = key(KeyKind::Rsa2048);
    let mut between = primus.device.clone();
    between.subject = x509::common_name("between").unwrap();
    between.issuer = primus.device.subject.clone();
    between.spki = between_key.spki_der().unwrap();
    let mut lower = primus.leaf.clone();
    lower.issuer = between.subject.clone();
    let lower = lower.sign(&between_key, PKCS1).unwrap();
    let mut long_device = primus.device.clone();
    long_device.extensions.retain(|e| e.oid != "2.5.29.19");
    long_device.extensions.push(x509::basic_constraints(true, None).critical());
    let long_device = long_device.sign(&primus.root.key, PKCS1).unwrap();
    let between = between.sign(&primus.device_key, PKCS1).unwrap();
    let mut wide = Case::from(evidence.clone());
    wide.anchors = vec![emulator::pem::certificate(&root_with(None)).into_bytes()];
    let mut narrow = Case::from(evidence.clone());
    narrow.anchors = vec![emulator::pem::certificate(&root_with(Some(0))).into_bytes()];
    let issuing = |primus: &mut Primus, extensions: Vec<x509::Extension>| {
        primus.device.extensions.retain(|e| e.oid == "2.5.29.32");
        primus.device.extensions.extend(extensions);
    };
    let ca = || x509::basic_constraints(true, Some(0)).critical();
    let may_issue = || x509::key_usage(&[usage::NON_REPUDIATION, usage::KEY_CERT_SIGN]).critical();
    let leaf =
        |change: &dyn Fn(&mut Vec<x509::Extension>)| Case::from(under(|p| change(&mut p.leaf.extensions)));
    vec![
        ("leaf under the root", "chain-malformed", NOT, with_chain(&[&direct, &chain.device])),
        (
            "an authority too many",
            "chain-malformed",
            NOT,
            Case { anchors: wide.anchors, ..with_chain(&[&lower, &between, &long_device]) },
        ),
        (
            "two leaves",
            "chain-malformed",
            NOT,
            with_chain(&[&chain.leaf, &second_leaf(&primus), &chain.device]),
        ),
        (
            "unknown critical extension",
            "chain-malformed",
            NOT,
            Case::from(under(|p| {
                p.device.extensions.push(x509::Extension::new("1.2.3", *b"\x05\x00").critical())
            })),
        ),
        (
            "short key of the leaf",
            "chain-malformed",
            NOT,
            Evidence::new(&document(), &Primus::with_attestation_key(KeyKind::Rsa1024).unwrap(), PKCS1)
                .unwrap()
                .into(),
        ),
        ("no device", "chain-incomplete", UNDECIDED, with_chain(&[&chain.leaf])),
        ("no leaf", "chain-incomplete", UNDECIDED, with_chain(&[&chain.device, &chain.root])),
        (
            "signed by another device",
            "chain-signature",
            NOT,
            Case::from(under(|p| p.device_key = key(KeyKind::Rsa2048))),
        ),
        (
            "device is no authority",
            "chain-ca-flag",
            NOT,
            Case::from(under(|p| {
                issuing(p, vec![x509::basic_constraints(false, None).critical(), may_issue()])
            })),
        ),
        (
            "device without constraints",
            "chain-ca-flag",
            NOT,
            Case::from(under(|p| issuing(p, vec![may_issue()]))),
        ),
        ("device without usage", "chain-ca-flag", NOT, Case::from(under(|p| issuing(p, vec![ca()])))),
        (
            "device may not issue",
            "chain-ca-flag",
            NOT,
            Case::from(under(|p| {
                issuing(p, vec![ca(), x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical()])
            })),
        ),
        ("root with path length 0", "chain-ca-flag", NOT, narrow),
        (
            "expired",
            "time-expired",
            NOT,
            Case::from(evidence.clone()).at("2055-01-01T00:00:00Z").option("max_age_days", 20_000),
        ),
        (
            "not yet valid",
            "time-not-yet-valid",
            NOT,
            Case::from(under(|p| p.device.not_before = "2026-07-01T00:00:00Z".to_owned())),
        ),
        (
            "not yet valid, and only expired ones accepted",
            "time-not-yet-valid",
            NOT,
            Case::from(under(|p| p.device.not_before = "2026-07-01T00:00:00Z".to_owned()))
                .option("accept_expired", true),
        ),
        (
            "leaf of a timestamp key",
            "leaf-profile",
            NOT,
            leaf(&|e| e.push(x509::extended_key_usage(&["1.3.6.1.5.5.7.3.8"]).unwrap().critical())),
        ),
        ("leaf without constraints", "leaf-profile", NOT, leaf(&|e| e.retain(|e| e.oid != "2.5.29.19"))),
        ("leaf without usage", "leaf-profile", NOT, leaf(&|e| e.retain(|e| e.oid != "2.5.29.15"))),
        (
            "leaf is an authority",
            "leaf-profile",
            NOT,
            leaf(&|e| {
                e.retain(|e| e.oid != "2.5.29.19");
                e.push(x509::basic_constraints(true, None).critical());
            }),
        ),
        (
            "leaf only for key agreement",
            "leaf-profile",
            NOT,
            leaf(&|e| {
                e.retain(|e| e.oid != "2.5.29.15");
                e.push(x509::key_usage(&[usage::KEY_ENCIPHERMENT]).critical());
            }),
        ),
    ]
}

/// The emulated root, with another path length.
fn root_with(path_len: Option<u8>) -> Vec<u8> {
    let root = Primus::new().unwrap().root;
    let mut certificate = root.certificate.clone();
    certificate.extensions.retain(|e| e.oid != "2.5.29.19");
    certificate.extensions.push(x509::basic_constraints(true, path_len).critical());
    certificate.sign(&root.key, PKCS1).unwrap()
}

pub(crate) fn roots() -> Vec<Negative> {
    let under_root = |name: &str| {
        let primus = Primus::under(name, KeyKind::Rsa3072).unwrap();
        let case = Case::from(Evidence::new(&document(), &primus, PKCS1).unwrap());
        (case, emulator::pem::certificate(&primus.root.der).into_bytes())
    };
    let without_root = |mut case: Case, evidence: &Evidence| {
        case.evidence.retain(|f| !f.name.ends_with(".certificatechain"));
        case.file("chain.pem", evidence.chain_pem(false))
    };
    let (development, development_root) = under_root("SECUROSYS_ROOTKEY_DEV");
    let mut pinned_development = development.clone();
    pinned_development.anchors.push(development_root);
    let dev_evidence =
        Evidence::new(&document(), &Primus::under("SECUROSYS_ROOTKEY_DEV", KeyKind::Rsa3072).unwrap(), PKCS1)
            .unwrap();
    let (foreign, _) = under_root("PRIMUS_HSM_ROOTKEY");
    // A root of the pinned name, with a key of its own.
    let namesake = {
        let mut primus = Primus::under("PRIMUS_HSM_ROOTKEY_IMPOSTOR", KeyKind::Rsa3072).unwrap();
        let name = Primus::new().unwrap().root.certificate.subject;
        let mut root = primus.root.certificate.clone();
        (root.subject, root.issuer) = (name.clone(), name.clone());
        primus.root = x509::Authority::root(root, primus.root.key.clone(), PKCS1).unwrap();
        primus.device.issuer = name;
        Evidence::new(&document(), &primus, PKCS1).unwrap()
    };
    let genuine = sign(&document());
    let mut no_anchor = without_root(Case::from(genuine.clone()), &genuine);
    no_anchor.anchors.clear();
    let mut not_pinned = Case::from(genuine);
    not_pinned.anchors.clear();
    vec![
        ("development root", "root-development", NOT, development.clone()),
        ("development root, pinned", "root-development", NOT, pinned_development),
        ("development root, not there", "root-development", NOT, without_root(development, &dev_evidence)),
        ("another root", "root-unknown", NOT, foreign),
        ("a root that comes along", "root-unknown", NOT, not_pinned),
        ("a namesake of the root", "root-unknown", NOT, namesake.clone().into()),
        (
            "a namesake of the root, not there",
            "root-unknown",
            NOT,
            without_root(Case::from(namesake.clone()), &namesake),
        ),
        ("no anchor for it", "root-unknown", UNDECIDED, no_anchor),
    ]
}
