//! Every check fails alone on evidence with one fault, and says what that means for the evidence.

use std::collections::BTreeSet;

use keyvouch::File;
use keyvouch_emulator as emulator;
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::securosys::{Content, Document, Element, Evidence, Primus, policy};
use keyvouch_emulator::x509;
use serde_json::json;

use super::certificates::{chain, roots, stranger};
use super::common::*;

#[test]
fn every_check_fails_alone() {
    let about = keyvouch::formats::about().find(|a| a.id == "securosys").unwrap();
    let declared: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    let mut exercised = BTreeSet::new();
    let negatives = [input(), chain(), roots(), signature(), form(), values(), key_and_time()].concat();
    for (what, id, answer, case) in negatives {
        let appraisal = case.one();
        assert_eq!(failed(&appraisal), [id.to_owned()].into(), "{what}");
        assert_eq!(appraisal.authenticity.as_str(), answer, "{what}");
        assert_eq!(appraisal.claims.is_empty(), answer != AUTHENTIC, "{what}: claims");
        assert_eq!(appraisal.trust.is_none(), answer != AUTHENTIC, "{what}: trust");
        // Whatever happens, every declared check is in the report.
        let reported: BTreeSet<String> = appraisal.checks.iter().map(|c| c.id.to_string()).collect();
        assert!(declared.is_subset(&reported), "{what}: {:?}", declared.difference(&reported));
        for check in appraisal.failed() {
            assert!(check.advice.as_ref().is_some_and(|a| !a.is_empty()), "{what}");
        }
        exercised.insert(id.to_owned());
    }
    for (what, id, case) in warnings() {
        let appraisal = case.one();
        assert_eq!(findings(&appraisal), [id.to_owned()].into(), "{what}");
        assert!(failed(&appraisal).is_empty(), "{what}: {:?}", failed(&appraisal));
        assert_eq!(appraisal.authenticity.as_str(), AUTHENTIC, "{what}");
        exercised.insert(id.to_owned());
    }
    assert_eq!(exercised, declared);
}

fn spoilt(change: impl FnOnce(&mut Document)) -> Case {
    let mut document = document();
    change(&mut document);
    Case::from(sign(&document))
}

fn set(path: &str, text: &str) -> Case {
    spoilt(|d| d.set(path, text).unwrap())
}

fn without(path: &str) -> Case {
    spoilt(|d| d.remove(path).unwrap())
}

fn input() -> Vec<Negative> {
    let evidence = sign(&document());
    let all = Case::from(evidence.clone());
    let only = |names: &[&str]| {
        let mut case = all.clone();
        case.evidence.retain(|f| names.iter().any(|n| f.name.ends_with(n)));
        case
    };
    let json = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = evidence.tsb_json(document().unsigned_copy());
        change(&mut json);
        let json = emulator::bundle::json(&json).unwrap();
        Case::of(vec![File::new("key.json", json), File::new("chain.pem", evidence.chain_pem(false))])
    };
    let xml = String::from_utf8(evidence.xml.clone()).unwrap();
    let twice =
        format!(r#"{{"xml":"a","xml":"b","xmlSignature":"{}"}}"#, emulator::bundle::base64(&[7; 256]));
    let key = emulator::pem::public_key(&evidence.attestation_key);
    let huge = spoilt(|d| d.set("label", &"x".repeat(300_000)).unwrap());
    let many: Vec<Vec<u8>> = (0..12).map(|i| stranger(&format!("authority {i}"))).collect();
    let mut zip = evidence.tsb_zip().unwrap();
    let name_at = zip.windows(4).position(|w| w == b".sig").unwrap();
    // Into the compressed signature: the member cannot be inflated to what its checksum says.
    zip[name_at + 60] ^= 0xff;
    vec![
        ("no document", "input-missing", UNDECIDED, only(&[".signature", ".certificatechain"])),
        ("no signature", "input-missing", UNDECIDED, only(&[".xml", ".certificatechain"])),
        ("no chain", "input-missing", UNDECIDED, only(&[".xml", ".signature"])),
        ("only a chain", "input-missing", UNDECIDED, only(&[".certificatechain"])),
        (
            "public key for chain",
            "input-missing",
            UNDECIDED,
            only(&[".xml", ".signature"]).file("PrimusHSM_Attestation_PublicKey.pem", key),
        ),
        ("JSON without xml", "input-missing", UNDECIDED, json(&|j| j["xml"] = serde_json::Value::Null)),
        ("JSON without signature", "input-missing", UNDECIDED, json(&|j| j["xmlSignature"] = json!(null))),
        ("signature not base64", "input-malformed", NOT, json(&|j| j["xmlSignature"] = json!("%%%"))),
        ("signature not text", "input-malformed", NOT, json(&|j| j["xmlSignature"] = json!([1]))),
        ("document not text", "input-malformed", NOT, json(&|j| j["xml"] = json!({"a": xml}))),
        (
            "a member twice",
            "input-malformed",
            NOT,
            all.clone().file("key.json", twice.clone()).only_of("key.json"),
        ),
        ("huge", "input-malformed", NOT, huge),
        (
            "many certificates",
            "input-malformed",
            NOT,
            all.clone().file("more.pem", emulator::pem::certificates(&many)),
        ),
        (
            "a certificate that is none",
            "input-malformed",
            NOT,
            all.clone().file("more.pem", emulator::pem::encode("CERTIFICATE", &[0x30, 0x00])),
        ),
        ("damaged archive", "input-malformed", NOT, Case::of(vec![File::new("key.zip", zip)])),
    ]
}

impl Case {
    fn only_of(mut self, name: &str) -> Self {
        self.evidence.retain(|f| f.name == name);
        self
    }
}

fn signature() -> Vec<Negative> {
    let evidence = sign(&document());
    let altered = |change: &dyn Fn(&str) -> String| {
        let text = String::from_utf8(evidence.xml.clone()).unwrap();
        Case::from(Evidence { xml: change(&text).into_bytes(), ..evidence.clone() })
    };
    let signed_with = |alg| Evidence::new(&document(), &Primus::new().unwrap(), alg).unwrap();
    let by_another =
        Evidence { signature: key(KeyKind::Rsa3072).sign(PKCS1, &evidence.xml).unwrap(), ..evidence.clone() };
    let ed = Primus::with_attestation_key(KeyKind::Ed25519).unwrap();
    let ed = Evidence::new(&document(), &ed, SignAlg::Ed25519).unwrap();
    let mut cut = evidence.clone();
    cut.signature.pop();
    vec![
        (
            "last line feed removed",
            "signature-invalid",
            NOT,
            altered(&|t| t.strip_suffix('\n').unwrap().to_owned()),
        ),
        ("both line feeds removed", "signature-invalid", NOT, altered(&|t| t.trim_end().to_owned())),
        ("line feed added", "signature-invalid", NOT, altered(&|t| format!("{t}\n"))),
        ("CR LF", "signature-invalid", NOT, altered(&|t| t.replace('\n', "\r\n"))),
        ("byte-order mark", "signature-invalid", NOT, altered(&|t| format!("\u{feff}{t}"))),
        (
            "one flag changed",
            "signature-invalid",
            NOT,
            altered(&|t| t.replacen("<copyable>false", "<copyable>true", 1)),
        ),
        ("signed by another key", "signature-invalid", NOT, by_another.into()),
        ("signature cut", "signature-invalid", NOT, cut.into()),
        ("SHA-384", "signature-invalid", NOT, signed_with(SignAlg::RsaPkcs1Sha384).into()),
        ("SHA-512", "signature-invalid", NOT, signed_with(SignAlg::RsaPkcs1Sha512).into()),
        ("bare digest", "signature-invalid", NOT, signed_with(SignAlg::RsaBareDigest).into()),
        ("attestation key of another type", "signature-invalid", NOT, ed.into()),
    ]
}

#[test]
fn alterations_are_explained() {
    let detail = |case: &Case| {
        let appraisal = case.one();
        appraisal.failed().map(|c| c.detail.to_string()).collect::<String>()
    };
    let explained =
        ["last line feed removed", "both line feeds removed", "line feed added", "CR LF", "byte-order mark"];
    for (what, _, _, case) in signature() {
        let altered = detail(&case).contains("was altered after it was signed");
        assert_eq!(altered, explained.contains(&what), "{what}: {}", detail(&case));
    }
}

fn form() -> Vec<Negative> {
    let text = String::from_utf8(document().render()).unwrap();
    let bytes = |change: &dyn Fn(&str) -> String| Case::from(sign_bytes(change(&text)));
    let raw = |line: &str| spoilt(|d| d.insert_before("label", Element::raw(line)).unwrap());
    let root = |name: &str| spoilt(|d| d.root.name = name.to_owned());
    let declared = |encoding: &str| bytes(&|t| t.replacen("UTF-8", encoding, 1));
    let latin_1: Vec<u8> =
        text.replacen("code_signing", "caf\u{e9}", 1).chars().map(|c| u8::try_from(c).unwrap()).collect();
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let doctype = "<!DOCTYPE private_key [<!ENTITY a \"false\">]>\n";
    vec![
        ("DOCTYPE", "xml-doctype", NOT, spoilt(|d| d.declaration.push_str(doctype))),
        (
            "external DOCTYPE",
            "xml-doctype",
            NOT,
            spoilt(|d| d.declaration.push_str("<!DOCTYPE private_key SYSTEM \"x\">\n")),
        ),
        ("an entity", "xml-doctype", NOT, raw("&file;")),
        ("Latin-1", "xml-encoding", NOT, sign_bytes(latin_1).into()),
        ("UTF-16", "xml-encoding", NOT, sign_bytes(utf_16).into()),
        ("declared Latin-1", "xml-encoding", NOT, declared("ISO-8859-1")),
        ("signed byte-order mark", "xml-encoding", NOT, bytes(&|t| format!("\u{feff}{t}"))),
        ("a flag twice", "xml-duplicate", NOT, spoilt(|d| d.duplicate("attributes/extractable").unwrap())),
        ("all flags twice", "xml-duplicate", NOT, spoilt(|d| d.duplicate("attributes").unwrap())),
        ("the public key twice", "xml-duplicate", NOT, spoilt(|d| d.duplicate("public_key").unwrap())),
        (
            "an XML attribute twice",
            "xml-duplicate",
            NOT,
            spoilt(|d| d.root.attributes.push(("creation".to_owned(), "generated".to_owned()))),
        ),
        ("a secret key", "xml-root-element", NOT, root("secret_key")),
        ("a public key", "xml-root-element", NOT, root("public_key")),
        (
            "in another element",
            "xml-root-element",
            NOT,
            bytes(&|t| {
                t.replacen("<private_key", "<x><private_key", 1).replacen(
                    "</private_key>",
                    "</private_key></x>",
                    1,
                )
            }),
        ),
        ("deep", "xml-depth", NOT, raw(&format!("{}{}", "<a>".repeat(10), "</a>".repeat(10)))),
        ("very deep", "xml-depth", NOT, raw(&format!("{}{}", "<a>".repeat(9000), "</a>".repeat(9000)))),
        ("a comment", "xml-malformed", NOT, raw("<!-- x -->")),
        (
            "a comment in a value",
            "xml-malformed",
            NOT,
            bytes(&|t| t.replacen("false</extractable>", "false<!-- -->true</extractable>", 1)),
        ),
        ("CDATA", "xml-malformed", NOT, raw("<id><![CDATA[x]]></id>")),
        ("a processing instruction", "xml-malformed", NOT, raw("<?x y?>")),
        ("a namespace", "xml-malformed", NOT, raw("<x:id xmlns:x=\"u\">1</x:id>")),
        ("text between elements", "xml-malformed", NOT, raw("text")),
        ("not closed", "xml-malformed", NOT, bytes(&|t| t.replacen("</label>", "", 1))),
        ("two documents", "xml-malformed", NOT, bytes(&|t| format!("{t}<private_key/>\n"))),
    ]
}

fn values() -> Vec<Negative> {
    let with_policy = |change: &dyn Fn(&mut Document)| {
        spoilt(|d| {
            d.root.push(policy(1, &key(KeyKind::P384).spki_der().unwrap()));
            change(d);
        })
    };
    let quorum = "policy/rule_use/token/group/quorum";
    let nested = |d: &mut Document| {
        d.element_mut("label").unwrap().content =
            Content::Children(vec![Element::text("extractable", "true")]);
    };
    let mut ec = Document::of("ec", &key(KeyKind::P384)).unwrap();
    ec.set("curve_oid", "1.2.840.10045.3.1.7").unwrap();
    let mut cases = vec![
        ("flag in capitals", "attr-value", NOT, set("attributes/copyable", "TRUE")),
        ("flag with a space", "attr-value", NOT, set("attributes/extractable", "false ")),
        ("flag empty", "attr-value", NOT, set("attributes/sensitive", "")),
        ("date only", "attr-value", NOT, set("attest_time", "2026-05-20")),
        ("time with offset", "attr-value", NOT, set("create_time", "2026-05-18T10:31:53+02:00")),
        ("count below zero", "attr-value", NOT, set("key_use_count", "-1")),
        ("size with sign", "attr-value", NOT, set("key_size", "+3072")),
        ("elements in a value", "attr-value", NOT, spoilt(nested)),
        ("another storage", "attr-value", NOT, spoilt(|d| d.set_root_attribute("storage", "cloud"))),
        ("quorum in words", "attr-value", NOT, with_policy(&|d| d.set(quorum, "all").unwrap())),
        (
            "approval of another type",
            "attr-value",
            NOT,
            with_policy(&|d| {
                let approval = d.element_mut("policy/rule_use/token/group/approval").unwrap();
                approval.attributes = vec![("type".to_owned(), "password".to_owned())];
            }),
        ),
        ("no creation", "attr-missing", AUTHENTIC, spoilt(|d| d.root.attributes.clear())),
        ("another size", "pubkey-inconsistent", NOT, set("key_size", "4096")),
        ("another algorithm", "pubkey-inconsistent", NOT, set("algorithm", "EC")),
        ("another identifier", "pubkey-inconsistent", NOT, set("algorithm_oid", "1.2.840.10045.2.1")),
        ("another curve", "pubkey-inconsistent", NOT, sign(&ec).into()),
        (
            "a curve for RSA",
            "pubkey-inconsistent",
            NOT,
            spoilt(|d| d.insert_before("public_key", Element::text("curve_oid", "1.3.132.0.34")).unwrap()),
        ),
        ("not base64", "pubkey-inconsistent", NOT, set("public_key", "%")),
        ("not a key", "pubkey-inconsistent", NOT, set("public_key", "MAA=")),
        ("no public key", "pubkey-inconsistent", NOT, without("public_key")),
    ];
    for path in [
        "attributes/extractable",
        "attributes/never_extractable",
        "attributes/sensitive",
        "attributes/always_sensitive",
        "create_time",
        "attest_time",
        "algorithm",
        "algorithm_oid",
    ] {
        cases.push((path, "attr-missing", AUTHENTIC, without(path)));
    }
    cases
}

fn key_and_time() -> Vec<Negative> {
    let creation = |value: &str| spoilt(|d| d.set_root_attribute("creation", value));
    let early_leaf = |d: &Document| {
        let mut primus = Primus::new().unwrap();
        primus.leaf.not_before = "2026-05-25T00:00:00Z".to_owned();
        Case::from(Evidence::new(d, &primus, PKCS1).unwrap())
    };
    let genuine = Case::from(sign(&document()));
    vec![
        ("imported", "key-imported", AUTHENTIC, creation("imported")),
        ("restored", "key-origin-unknown", AUTHENTIC, creation("restored")),
        ("Generated in capitals", "key-origin-unknown", AUTHENTIC, creation("GENERATED")),
        ("extractable", "key-extractable", AUTHENTIC, set("attributes/extractable", "true")),
        ("was extractable", "key-was-extractable", AUTHENTIC, set("attributes/never_extractable", "false")),
        ("not sensitive", "key-not-sensitive", AUTHENTIC, set("attributes/sensitive", "false")),
        (
            "was not sensitive",
            "key-was-not-sensitive",
            AUTHENTIC,
            set("attributes/always_sensitive", "false"),
        ),
        ("eleven minutes ahead", "time-attest-future", NOT, set("attest_time", "2026-06-01T00:10:01Z")),
        ("too old", "time-attest-too-old", AUTHENTIC, genuine.at("2026-07-01T00:00:00Z")),
        ("attested before creation", "time-order", NOT, set("create_time", "2026-05-20T14:19:34Z")),
        ("before the certificate", "time-outside-leaf", NOT, early_leaf(&document())),
    ]
}

/// What is reported without being a failure.
fn warnings() -> Vec<(&'static str, &'static str, Case)> {
    let device = |change: &dyn Fn(&mut Primus)| Case::from(under(|p| change(p)));
    let renamed = |name: &'static str| {
        device(&move |p: &mut Primus| {
            let name =
                x509::name(&[("CN", x509::Text::Printable, name), ("O", x509::Text::Printable, "Securosys")]);
            p.device.subject = name.unwrap();
            p.leaf.issuer = p.device.subject.clone();
        })
    };
    let blocked = spoilt(|d| {
        d.root.push(policy(1, &key(KeyKind::P384).spki_der().unwrap()));
        d.set("policy/key_status/blocked", "true").unwrap();
    });
    let expired = Case::from(sign(&document())).at("2055-01-01T00:00:00Z").option("max_age_days", 20_000);
    vec![
        ("device without policy", "device-profile", device(&|p| p.device.remove_extension("2.5.29.32"))),
        ("device without serial", "device-profile", renamed("PRIMUS HSM KEY")),
        ("serial with letters", "device-profile", renamed("PRIMUS HSM KEY (SN: 1838000x)")),
        ("blocked", "key-blocked", blocked),
        ("expired and accepted", "time-expired", expired.option("accept_expired", true)),
    ]
}

/// Ten minutes are allowed between the clocks.
#[test]
fn clocks_may_differ() {
    assert!(failed(&set("attest_time", "2026-06-01T00:10:00Z").one()).is_empty());
}

#[test]
fn without_a_name_the_serial_is_unknown() {
    for (what, id, case) in warnings() {
        let serial = shown(&case.one())["claims"]["device.serial"]["value"].clone();
        let unknown = id == "device-profile" && what != "device without policy";
        assert_eq!(serial == json!("unknown"), unknown, "{what}");
    }
}

/// No change of one bit in a byte of document, signature or chain gives an authentic answer, other than in
/// what is around the PEM blocks.
#[test]
fn no_byte_can_be_changed() {
    let evidence = sign(&document());
    let authentic = |xml: &[u8], signature: &[u8], leaf: &[u8]| {
        let mut evidence = evidence.clone();
        (evidence.xml, evidence.signature) = (xml.to_vec(), signature.to_vec());
        evidence.chain.leaf = leaf.to_vec();
        Case::from(evidence).all().iter().any(|a| a.authenticity.as_str() == AUTHENTIC)
    };
    let (xml, signature, leaf) = (&evidence.xml, &evidence.signature, &evidence.chain.leaf);
    assert!(authentic(xml, signature, leaf));
    for at in (0..xml.len()).step_by(7) {
        let mut changed = xml.clone();
        changed[at] ^= 0x01;
        assert!(!authentic(&changed, signature, leaf), "document, byte {at}");
        assert!(at == 0 || !authentic(&xml[..at], signature, leaf), "document cut at {at}");
    }
    for at in (0..signature.len()).step_by(7) {
        let mut changed = signature.clone();
        changed[at] ^= 0x80;
        assert!(!authentic(xml, &changed, leaf), "signature, byte {at}");
    }
    for at in (0..leaf.len()).step_by(7) {
        let mut changed = leaf.clone();
        changed[at] ^= 0x10;
        assert!(!authentic(xml, signature, &changed), "leaf, byte {at}");
    }
}
