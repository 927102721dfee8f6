//! The policies and the loading of policies, on facts that are written down here.

use std::collections::{BTreeMap, BTreeSet};

use keyvouch::appraisal::{Advisory, Severity};
use keyvouch::checks::{CheckRecord, OnFail, Outcome};
use keyvouch::{Authenticity, Binding, ClaimSet, Freshness};

use super::*;
use crate::facts::{ATTRIBUTES, Kind};

/// How a requirement comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Is {
    Met,
    Unmet,
    Unknown,
}
use Is::{Met, Unknown, Unmet};

type Given = &'static [(&'static str, Fact<'static>)];

const T: Fact<'static> = Fact::Bool(true);
const F: Fact<'static> = Fact::Bool(false);
const U: Fact<'static> = Fact::Unknown;
const fn text(t: &'static str) -> Fact<'static> {
    Fact::Text(t)
}

/// What every policy is content with; what is not spoken of is unknown.
fn good() -> BTreeMap<&'static str, Fact<'static>> {
    let mut good = BTreeMap::from([
        ("key.algorithm", text("RSA-3072")),
        ("key.family", text("RSA")),
        ("key.rsa_bits", Fact::Long(3072)),
        ("key.generated_in_device", T),
        ("key.exportable", text("never")),
        ("key.ever_exportable", F),
        ("key.purposes", Fact::Words(vec!["sign"])),
        ("device.class", text("hsm")),
        ("device.serial", text("1")),
        ("device.vendor", text("Maker")),
    ]);
    for attribute in ATTRIBUTES {
        let path = attribute.path;
        if path.starts_with("certification.") {
            good.insert(path, if path.ends_with("conceded") { F } else { T });
        }
        if let Some(knob) = Settings::knobs().iter().find(|k| path == format!("settings.{}", k.name)) {
            good.insert(path, text(knob.default));
        }
    }
    good
}

/// The route that the policy takes.
fn route_of(policy: &str) -> &'static str {
    if policy == "cabf-code-signing-witnessed" { "witness-statement" } else { "attestation" }
}

fn outcomes(policy: &Policy, given: &[(&str, Fact<'static>)]) -> Vec<Requirement> {
    let mut all = good();
    all.insert("evidence.route", text(route_of(policy.name())));
    for (path, fact) in given {
        let attribute = Attribute::at(path).unwrap_or_else(|| panic!("{path}"));
        all.insert(attribute.path, fact.clone());
    }
    let facts = policy.0.mentions.iter().map(|a| all.get(a.path).cloned().unwrap_or(U)).collect();
    let judged = policy.judged(&Facts(facts));
    let again = policy.0.mentions.iter().map(|a| all.get(a.path).cloned().unwrap_or(U)).collect();
    assert_eq!(*judged, policy.evaluate(&Facts(again)), "memory changes no answer");
    judged.to_vec()
}

fn is(requirement: &Requirement) -> Is {
    match (requirement.met, requirement.unknown) {
        (true, false) => Met,
        (false, false) => Unmet,
        (false, true) => Unknown,
        (true, true) => panic!("{requirement:?}"),
    }
}

const ALL: &[&str] = BUILTIN_NAMES;
const CABF: &[&str] = &[
    "cabf-code-signing",
    "cabf-code-signing-provider-report",
    "cabf-code-signing-witnessed",
    "cabf-signing-service",
];
/// Those that ask for attestation of a key whose history counts.
const HISTORY: &[&str] =
    &["hardware-key", "cabf-code-signing", "cabf-signing-service", "eidas-qscd", "device-identity"];
const ONE_MODULE: &[&str] = &[
    "hardware-key",
    "cabf-code-signing",
    "cabf-code-signing-provider-report",
    "cabf-code-signing-witnessed",
    "cabf-signing-service",
    "eidas-qscd",
];
const MODULE: &[&str] = &[
    "cabf-code-signing",
    "cabf-code-signing-provider-report",
    "cabf-code-signing-witnessed",
    "cabf-signing-service",
    "eidas-qscd",
];
/// Those for other ways than attestation.
const BY_WORD: &[&str] = &["cabf-code-signing-provider-report", "cabf-code-signing-witnessed"];

/// Policies, requirement, what differs from [`good`], how it comes out. `CLASS` stands for the class of
/// certifications that the policy asks for.
const CASES: &[(&[&str], &str, Given, Is)] = &[
    (&["cabf-code-signing-witnessed"], "witness-statement", &[], Met),
    (
        &["cabf-code-signing-witnessed"],
        "witness-statement",
        &[("evidence.route", text("attestation"))],
        Unmet,
    ),
    (
        &["cabf-code-signing-witnessed"],
        "witness-statement",
        &[("evidence.route", text("provider-statement"))],
        Unmet,
    ),
    (&["cabf-code-signing-witnessed"], "witness-statement", &[("evidence.route", text("none"))], Unmet),
    (ALL, "generated-in-device", &[], Met),
    (ALL, "generated-in-device", &[("key.generated_in_device", F)], Unmet),
    (ALL, "generated-in-device", &[("key.generated_in_device", U)], Unknown),
    (ALL, "not-exportable", &[], Met),
    (ALL, "not-exportable", &[("key.exportable", text("vendor-boundary"))], Met),
    (ALL, "not-exportable", &[("key.exportable", text("wrapped"))], Unmet),
    (ALL, "not-exportable", &[("key.exportable", text("yes"))], Unmet),
    (ALL, "not-exportable", &[("key.exportable", U)], Unknown),
    (ALL, "never-exportable", &[], Met),
    (ALL, "never-exportable", &[("key.ever_exportable", U)], Met),
    (ALL, "never-exportable", &[("key.ever_exportable", T)], Unmet),
    (ALL, "never-exportable", &[("key.ever_exportable", T), ("key.exportable", U)], Unmet),
    (HISTORY, "export-history", &[], Met),
    (HISTORY, "export-history", &[("key.ever_exportable", T)], Met),
    (HISTORY, "export-history", &[("key.ever_exportable", U)], Met),
    (
        HISTORY,
        "export-history",
        &[("key.ever_exportable", U), ("key.exportable", text("vendor-boundary"))],
        Unknown,
    ),
    (HISTORY, "export-history", &[("key.ever_exportable", U), ("key.exportable", U)], Unknown),
    (&["hardware-key", "device-identity"], "in-hardware", &[], Met),
    (&["hardware-key", "device-identity"], "in-hardware", &[("device.class", text("tee"))], Met),
    (&["hardware-key", "device-identity"], "in-hardware", &[("device.class", text("software"))], Unmet),
    (&["hardware-key", "device-identity"], "in-hardware", &[("device.class", U)], Unknown),
    (ONE_MODULE, "one-module", &[], Met),
    (ONE_MODULE, "one-module", &[("key.exportable", U)], Met),
    (ONE_MODULE, "one-module", &[("key.exportable", text("vendor-boundary"))], Unmet),
    (&["device-identity"], "one-device", &[], Met),
    (&["device-identity"], "one-device", &[("key.exportable", U)], Met),
    (&["device-identity"], "one-device", &[("key.exportable", text("vendor-boundary"))], Unmet),
    (&["device-identity"], "serial-known", &[], Met),
    (&["device-identity"], "serial-known", &[("device.serial", U)], Unknown),
    (&["device-identity"], "maker-known", &[], Met),
    (&["device-identity"], "maker-known", &[("device.vendor", U)], Unknown),
    (MODULE, "hardware-module", &[], Met),
    (MODULE, "hardware-module", &[("device.class", text("tpm"))], Met),
    (MODULE, "hardware-module", &[("device.class", text("tee"))], Unmet),
    (MODULE, "hardware-module", &[("device.class", text("software"))], Unmet),
    (MODULE, "hardware-module", &[("device.class", U)], Unknown),
    (CABF, "key-algorithm", &[], Met),
    (CABF, "key-algorithm", &[("key.algorithm", text("EC-P256")), ("key.family", text("EC"))], Met),
    (CABF, "key-algorithm", &[("key.algorithm", text("EC-P521")), ("key.family", text("EC"))], Met),
    (CABF, "key-algorithm", &[("key.algorithm", text("EC-secp256k1")), ("key.family", text("EC"))], Unmet),
    (CABF, "key-algorithm", &[("key.algorithm", text("Ed25519")), ("key.family", text("Ed25519"))], Unmet),
    (CABF, "key-algorithm", &[("key.algorithm", U), ("key.family", U)], Unknown),
    (CABF, "rsa-size", &[], Met),
    (CABF, "rsa-size", &[("key.family", text("EC")), ("key.rsa_bits", Fact::Without)], Met),
    (CABF, "rsa-size", &[("key.rsa_bits", Fact::Long(3071))], Unmet),
    (CABF, "rsa-size", &[("key.family", U), ("key.rsa_bits", U)], Unknown),
    (CERTIFYING, "certification", &[], Met),
    (CERTIFYING, "certification", &[("CLASS.held", F)], Unmet),
    (CERTIFYING, "certification", &[("CLASS.held", U)], Unknown),
    (CERTIFYING, "certified-firmware", &[], Met),
    (CERTIFYING, "certified-firmware", &[("CLASS.firmware", F)], Unmet),
    (CERTIFYING, "certified-firmware", &[("CLASS.firmware", U)], Unknown),
    (CERTIFYING, "certified-mode", &[], Met),
    (CERTIFYING, "certified-mode", &[("CLASS.mode", F)], Unmet),
    (CERTIFYING, "certified-mode", &[("CLASS.mode", U)], Unknown),
    (CERTIFYING, "certification-not-ended", &[], Met),
    (CERTIFYING, "certification-not-ended", &[("CLASS.active", F)], Met),
    (CERTIFYING, "certification-not-ended", &[NEVER], Met),
    (CERTIFYING, "certification-not-ended", &[NEVER, ("CLASS.active", F)], Unmet),
    (CERTIFYING, "certification-not-ended", &[NEVER, ("CLASS.active", U)], Unknown),
    (CERTIFYING, "certification-active", &[], Met),
    (CERTIFYING, "certification-active", &[("CLASS.active", F)], Unmet),
    (CERTIFYING, "certification-active", &[("CLASS.active", U)], Unknown),
    (CERTIFYING, "certification-active", &[NEVER, ("CLASS.active", F)], Unmet),
    (
        CERTIFYING,
        "certification-active",
        &[("settings.historical_certifications", text("accept")), ("CLASS.active", F)],
        Met,
    ),
    (CERTIFYING, "certification-proven", &[], Met),
    (CERTIFYING, "certification-proven", &[("CLASS.conceded", T)], Unmet),
    (BY_WORD, "certification-active", &[], Met),
    (BY_WORD, "certification-active", &[("CLASS.active", F)], Unmet),
    (BY_WORD, "certification-active", &[("CLASS.active", U)], Unknown),
    (
        &["cabf-code-signing-provider-report"],
        "provider-statement",
        &[("evidence.route", text("provider-statement"))],
        Met,
    ),
    (
        &["cabf-code-signing-provider-report"],
        "provider-statement",
        &[("evidence.route", text("witness-statement"))],
        Unmet,
    ),
    (
        &["cabf-code-signing-provider-report"],
        "provider-statement",
        &[("evidence.route", text("attestation"))],
        Unmet,
    ),
    (
        &["cabf-code-signing-witnessed"],
        "witness-statement",
        &[("evidence.route", text("witness-statement"))],
        Met,
    ),
    (
        &["cabf-code-signing-witnessed"],
        "witness-statement",
        &[("evidence.route", text("provider-statement"))],
        Unmet,
    ),
    (CABF, "may-sign", &[], Met),
    (CABF, "may-sign", &[("key.purposes", U)], Met),
    (CABF, "may-sign", &[("key.purposes", Fact::Words(Vec::new()))], Unmet),
    (CABF, "sign-only", &[], Met),
    (CABF, "sign-only", &[("key.purposes", U)], Met),
    (&["eidas-qscd"], "sign-only", &[], Met),
    (&["eidas-qscd"], "sign-only", &[("key.purposes", U)], Unknown),
    (&["eidas-qscd"], "sign-only", &[("key.purposes", Fact::Words(Vec::new()))], Unmet),
];
const CERTIFYING: &[&str] =
    &["cabf-code-signing", "cabf-code-signing-witnessed", "cabf-signing-service", "eidas-qscd"];
const NEVER: (&str, Fact<'static>) = ("settings.historical_certifications", text("never"));

/// Requirements that are met when what they ask about is not known, or ask what is always known.
const NEVER_UNKNOWN: &[&str] = &[
    "never-exportable",
    "one-module",
    "one-device",
    "may-sign",
    "certification-proven",
    "provider-statement",
    "witness-statement",
];
/// Requirements that only ask whether something is known.
const NEVER_UNMET: &[&str] = &["serial-known", "maker-known", "export-history"];

fn class_of(policy: &str) -> &'static str {
    match policy {
        name if name.starts_with("cabf-code-signing") => "certification.fips_2_or_eal_4_plus",
        "cabf-signing-service" => "certification.fips_3_or_eal_4_plus",
        _ => "certification.qscd",
    }
}

#[test]
fn every_requirement_comes_out_every_way() {
    let mut seen: BTreeSet<(String, String, Is)> = BTreeSet::new();
    let mut check = |name: &str, id: &str, given: &[(&str, Fact<'static>)], expected: Is| {
        let given: Vec<(String, Fact<'static>)> =
            given.iter().map(|(p, f)| (p.replace("CLASS", class_of(name)), f.clone())).collect();
        let given: Vec<(&str, Fact<'static>)> = given.iter().map(|(p, f)| (p.as_str(), f.clone())).collect();
        let all = outcomes(&Policy::builtin(name).unwrap(), &given);
        let found = all.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{name} has no {id}"));
        assert_eq!(is(found), expected, "{name}: {found:?} with {given:?}");
        assert!(found.reason.ends_with('.'), "{found:?}");
        seen.insert((name.to_owned(), id.to_owned(), expected));
    };
    for (policies, id, given, expected) in CASES {
        policies.iter().for_each(|name| check(name, id, given, *expected));
    }
    for more in ["decrypt", "agree", "wrap"] {
        let purposes = Fact::Words(vec!["sign", more]);
        MODULE.iter().for_each(|p| check(p, "sign-only", &[("key.purposes", purposes.clone())], Unmet));
        let without = Fact::Words(vec![more]);
        CABF.iter().for_each(|p| check(p, "may-sign", &[("key.purposes", without.clone())], Unmet));
    }
    for name in BUILTIN_NAMES {
        for requirement in Policy::builtin(name).unwrap().requirements() {
            let id = requirement.id.as_str();
            let cabf_sign_only = id == "sign-only" && CABF.contains(name);
            for expected in [Met, Unmet, Unknown] {
                let wanted = match expected {
                    Met => true,
                    Unmet => !NEVER_UNMET.contains(&id),
                    Unknown => !NEVER_UNKNOWN.contains(&id) && !cabf_sign_only,
                };
                let case = (name.to_string(), id.to_owned(), expected);
                assert_eq!(seen.contains(&case), wanted, "{case:?}");
            }
        }
    }
}

#[test]
fn the_built_in_policies_load_and_are_told_apart() {
    for name in Policy::builtin_names() {
        let source = BUILTIN_SOURCES[BUILTIN_NAMES.iter().position(|n| n == name).unwrap()];
        let policy = Policy::from_source(name, source).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(Policy::builtin(name).unwrap().title(), policy.title());
        assert_eq!((policy.name(), policy.source()), (*name, source));
        assert!(source.starts_with(&format!("// {name}: ")), "{name} says in its first line what it is");
        let all = outcomes(&policy, &[("evidence.route", text(policy.route().as_str()))]);
        assert!(all.iter().all(|r| r.met), "{all:?}");
        assert!(policy.requirements().all(|r| r.demand.is_some()), "{name}");
        let cited = policy.requirements().filter(|r| r.cite.is_some()).count();
        assert_eq!(cited > 0, !["hardware-key", "device-identity"].contains(name), "{name}");
    }
    assert!(Policy::builtin("hardware").is_none());
    let cabf = Policy::builtin("cabf-code-signing").unwrap();
    let knobs = |id| cabf.requirements().find(|r| r.id == id).unwrap().knobs.clone();
    assert_eq!(knobs("certification"), ["fips_mode_unknown", "model_only_certifications"]);
    assert_eq!(
        knobs("certification-active"),
        ["fips_mode_unknown", "historical_certifications", "model_only_certifications"]
    );
    assert!(knobs("rsa-size").is_empty());
}

#[test]
fn the_schema_and_the_table_of_attributes_are_one() {
    let fragment: cedar_policy::SchemaFragment = SCHEMA.parse().unwrap();
    let schema = fragment.to_json_value().unwrap();
    let types = &schema[""]["commonTypes"];
    let mut found: BTreeMap<String, (Kind, bool)> = BTreeMap::new();
    fn gather(
        at: &str,
        optional: bool,
        shape: &serde_json::Value,
        types: &serde_json::Value,
        found: &mut BTreeMap<String, (Kind, bool)>,
    ) {
        let name = shape["type"].as_str().unwrap();
        let name = if name == "EntityOrCommon" { shape["name"].as_str().unwrap() } else { name };
        let kind = match name {
            "Bool" | "Boolean" => Kind::Bool,
            "Long" => Kind::Long,
            "String" => Kind::Text,
            "Set" => Kind::Words,
            "Record" => {
                assert!(!optional, "{at}");
                for (attr, shape) in shape["attributes"].as_object().unwrap() {
                    let path = if at.is_empty() { attr.clone() } else { format!("{at}.{attr}") };
                    gather(&path, shape["required"] == false, shape, types, found);
                }
                return;
            }
            common => return gather(at, optional, &types[common], types, found),
        };
        found.insert(at.to_owned(), (kind, optional));
    }
    gather("", false, &schema[""]["actions"]["accept"]["appliesTo"]["context"], types, &mut found);
    let table: BTreeMap<String, (Kind, bool)> =
        ATTRIBUTES.iter().map(|a| (a.path.to_owned(), a.shape())).collect();
    assert_eq!(found, table);
    assert_eq!(table.len(), ATTRIBUTES.len(), "no path twice");
    for claim in keyvouch::ClaimName::ALL {
        assert!(table.contains_key(claim.as_str()), "{claim}");
    }
}

/// A policy of one requirement, whose condition begins on line 8.
fn policy_of(condition: &str) -> String {
    format!(
        "// Mine.\n@title(\"t\")\npermit (principal, action, resource);\n\n@id(\"mine\") @severity(\"must\")\n\
         @reason(\"No.\")\nforbid (principal, action, resource) unless {{\n  {condition}\n}};\n"
    )
}

fn faults(text: &str) -> Vec<String> {
    let error = Policy::from_source("mine.cedar", text).unwrap_err();
    assert!(!error.faults().is_empty());
    error.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn faults_say_where_and_what_to_do() {
    let good = "context.key has exportable && context.key.exportable == \"never\"";
    let whole = policy_of(good);
    Policy::from_source("mine.cedar", &whole).unwrap();
    let with = |old: &str, new: &str| {
        let text = whole.replacen(old, new, 1);
        assert_ne!(text, whole, "{old}");
        text
    };
    for (text, line, says) in [
        // Misspelt, with `has` and without.
        (
            policy_of("context.key has exprotable && context.key.exprotable == \"never\""),
            8,
            "requirement \"mine\": there is no `context.key.exprotable`; context.key has: algorithm, created_at",
        ),
        (policy_of("context.key has exportable &&\n  context.key.exprotable == \"never\""), 9, "there is no"),
        (policy_of("context has kye.exportable"), 8, "there is no `context.kye.exportable`"),
        (policy_of("context.kye has exportable"), 8, "there is no `context.kye"),
        (policy_of("context has \"key.exportable\""), 8, "there is no"),
        (
            policy_of("!(context has kye)"),
            8,
            "context has: certification, auth, device, evidence, key, settings",
        ),
        (policy_of("context.certification.fips_5.conceded"), 8, "there is no `context.certification.fips_5"),
        // Without `has`, or of the wrong type.
        (policy_of("context.key.exportable == \"never\""), 8, "attribute"),
        (policy_of("context.key has exportable && context.key.exportable"), 8, "Bool"),
        (policy_of("context.key has rsa_bits && context.key.rsa_bits == \"3072\""), 8, ""),
        (policy_of("context.evidence.format + 1 == 2"), 8, ""),
        // Conditions about nothing.
        (policy_of("true"), 5, "its condition holds for all evidence"),
        (policy_of("context.key == context.key"), 8, "`key` is a whole record"),
        (policy_of("principal == Verifier::\"x\""), 8, "conditions speak of `context` only"),
        // Annotations.
        (with("@id(\"mine\") ", ""), 5, "the requirement has no @id; give it one"),
        (with("\"mine\"", "\"Mine 1\""), 5, "lower-case letters"),
        (with("\"mine\"", "\"no-findings\""), 5, "every policy has"),
        (with("\"must\"", "\"shall\""), 5, "@severity(\"shall\") is none; write must (refuse)"),
        (with("@severity(\"must\")", ""), 5, "it has no @severity"),
        (with("@reason(\"No.\")", ""), 5, "it has no @reason"),
        (with("@reason", "@cause(\"x\") @reason"), 5, "there is no annotation @cause"),
        // The permit and the form of the requirements.
        (with("@title(\"t\")", ""), 3, "the policy has no title"),
        (with("@title", "@id(\"t\") @title"), 2, "the `permit` has an annotation @id"),
        (with("resource);", "resource) when { context.evidence.format == \"x\" };"), 2, "has a condition"),
        (with("permit (principal,", "permit (principal == Verifier::\"x\","), 2, "all evidence"),
        (with("forbid (principal,", "forbid (principal == Verifier::\"x\","), 5, "all evidence"),
        (with("unless", "when"), 5, "it is not one `forbid … unless"),
        (with("unless", "when { context.evidence.format == \"x\" } unless"), 5, "it is not one"),
        (with("unless", "unless { context.evidence.format == \"x\" } unless"), 5, "it is not one"),
        (format!("{whole}\n{}", &whole[whole.find("@id").unwrap()..]), 11, "line 5 has the same @id"),
        (format!("{whole}\npermit (principal, action, resource);"), 11, "there is a second `permit`"),
        // Not Cedar.
        (with("unless {", "unless"), 8, ""),
        (with("@id(\"mine\")", "@id(\"mine)"), 8, "strings are closed"),
    ] {
        let found = faults(&text);
        let place = format!("mine.cedar: line {line}: ");
        assert!(found.iter().any(|f| f.starts_with(&place) && f.contains(says)), "{found:#?}\n{text}");
    }
    let no_permit = faults(&whole[whole.find("@id").unwrap()..]);
    assert!(no_permit[0].starts_with("mine.cedar: there is no `permit`; write"), "{no_permit:?}");
    assert!(faults("")[0].contains("there is no `permit`"));
    let template = faults(&with("forbid (principal,", "forbid (principal == ?principal,"));
    assert!(template[0].contains("template"), "{template:?}");
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_lines() {
    let text =
        policy_of("context.key has exprotable").replace("@title(\"t\")\n", "\n").replace("must", "shall");
    let found = faults(&text);
    assert_eq!(found.len(), 4, "{found:#?}");
    for (fault, line) in found.iter().zip(["line 3", "", "line 5", "line 8"]) {
        assert!(fault.contains(line), "{found:#?}");
    }
}

#[test]
fn conditions_in_every_shape_are_seen_through() {
    for (condition, mentions) in [
        ("context has key.exportable && context.key.exportable like \"n*\"", &["key.exportable"][..]),
        ("context has key && context[\"key\"] has \"serial\" || context.device has serial", &[]),
        (
            "if context.device has class then context.device.class == \"hsm\" else context.evidence.findings.isEmpty()",
            &["device.class", "evidence.findings"],
        ),
        (
            "{\"Value\": context.evidence.format, \"Var\": context.evidence.binding}.Value == \"x\"",
            &["evidence.binding", "evidence.format"],
        ),
        (
            "[context.evidence.format, \"a\"].contains(context.evidence.freshness)",
            &["evidence.format", "evidence.freshness"],
        ),
        ("!(context.key has rsa_bits && -context.key.rsa_bits + 1 * 2 < 0)", &["key.rsa_bits"]),
        (
            "context.certification.qscd has held && context.certification.qscd.held",
            &["certification.qscd.held"],
        ),
    ] {
        match Policy::from_source("mine", &policy_of(condition)) {
            Ok(policy) => {
                let found: Vec<&str> = policy.0.mentions.iter().map(|a| a.path).collect();
                assert_eq!(found, mentions, "{condition}");
            }
            Err(error) => assert!(mentions.is_empty(), "{error}"),
        }
    }
}

#[test]
fn a_condition_without_a_value_is_not_met() {
    let text = policy_of("!(context.key has rsa_bits && context.key.rsa_bits * 9223372036854775807 < 0)");
    let policy = Policy::from_source("mine", &text).unwrap();
    assert_eq!(is(&outcomes(&policy, &[("key.rsa_bits", Fact::Long(1))])[0]), Met);
    let overflow = outcomes(&policy, &[("key.rsa_bits", Fact::Long(2))]);
    assert_eq!(is(&overflow[0]), Unknown);
    assert_eq!(overflow[0].reason, "Required, but the policy's condition has no value here: No.");
}

#[test]
fn reasons_are_demands_when_met_and_name_what_is_not_known() {
    let policy = Policy::builtin("cabf-code-signing").unwrap();
    let reason = |given: &[(&str, Fact<'static>)], id: &str| {
        outcomes(&policy, given).into_iter().find(|r| r.id == id).unwrap().reason
    };
    assert_eq!(reason(&[], "rsa-size"), "An RSA key has at least 3072 bits.");
    assert_eq!(
        reason(&[("key.rsa_bits", Fact::Long(2048))], "rsa-size"),
        "The RSA key has fewer than 3072 bits."
    );
    assert_eq!(
        reason(&[("key.family", U), ("key.rsa_bits", U)], "rsa-size"),
        "Required, but not known (key.algorithm): An RSA key has at least 3072 bits."
    );
    assert_eq!(
        reason(&[("certification.fips_2_or_eal_4_plus.mode", U)], "certified-mode"),
        "Required, but not known (device.fips_mode): Where the model has such certifications, one covers the mode \
         that the device was in."
    );
}

#[test]
fn memory_is_by_what_is_mentioned_and_changes_no_answer() {
    let source = policy_of("context.evidence.findings.contains(\"a\") || context.key has exportable");
    let policy = Policy::from_source("mine", &source).unwrap();
    let met = |findings: Vec<&'static str>, exportable: Fact<'static>| {
        outcomes(&policy, &[("evidence.findings", Fact::Words(findings)), ("key.exportable", exportable)])[0]
            .met
    };
    for _ in 0..2 {
        assert!(met(vec!["a"], U));
        assert!(met(vec!["b", "a"], U));
        assert!(!met(vec!["ba"], U));
        assert!(!met(vec!["b"], U));
        assert!(!met(vec![], U));
        assert!(met(vec![], text("")));
        assert!(!met(vec![], Fact::Without));
    }
    // What the policy does not mention plays no part.
    let before = policy.0.cache.len();
    let facts = || Facts(policy.0.mentions.iter().map(|_| U).collect());
    policy.judged(&facts());
    policy.judged(&facts());
    assert!(policy.0.cache.len() <= before + 1);
    for n in 0..3000_u32 {
        let text: &'static str = Box::leak(n.to_string().into_boxed_str());
        assert!(met(vec![], Fact::Text(text)));
        assert!(policy.0.cache.len() <= 1024);
    }
}

fn encoded(facts: &[Fact<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    facts.iter().for_each(|f| f.encode(&mut bytes));
    bytes
}

#[test]
fn facts_that_differ_are_written_differently() {
    let facts = [
        vec![U, U],
        vec![U, Fact::Without],
        vec![T, F],
        vec![F, T],
        vec![Fact::Long(1), U],
        vec![text("ab"), text("c")],
        vec![text("a"), text("bc")],
        vec![text(""), text("abc")],
        vec![Fact::Words(vec![]), text("a")],
        vec![Fact::Words(vec!["a"]), U],
        vec![Fact::Words(vec!["a", "b"]), U],
        vec![Fact::Words(vec!["ab"]), U],
        vec![Fact::Words(vec!["", "ab"]), U],
    ];
    let written: BTreeSet<Vec<u8>> = facts.iter().map(|f| encoded(f)).collect();
    assert_eq!(written.len(), facts.len());
}

/// An appraisal of authentic evidence that claims nothing.
fn appraisal(authenticity: Authenticity) -> Appraisal {
    Appraisal {
        format: "yubikey-piv",
        authenticity,
        route: if authenticity == Authenticity::Authentic { Route::Attestation } else { Route::None },
        claims: ClaimSet::default(),
        details: ClaimSet::default(),
        key: None,
        binding: Binding::None,
        freshness: Freshness::NotAsked,
        checks: Vec::new(),
        certifications: Vec::new(),
        uncertified: false,
        advisories: Vec::new(),
        limits: &[],
        trust: None,
        decisions: Vec::new(),
    }
}

fn check(id: &'static str, outcome: Outcome, means: Option<OnFail>) -> CheckRecord {
    CheckRecord { id: id.into(), outcome, means, detail: "d".into(), place: "".into(), advice: None }
}

fn advisory(effect: &'static str) -> Advisory {
    Advisory {
        id: "flaw".to_owned(),
        effect,
        detail: String::new(),
        advice: String::new(),
        references: Vec::new(),
        source: String::new(),
    }
}

/// A policy that demands nothing itself.
fn lax() -> Policy {
    Policy::from_source("lax", "@title(\"t\") permit (principal, action, resource);").unwrap()
}

/// Verdict, and the requirements that are not met.
fn decided(
    appraisal: &Appraisal,
    request: bool,
    settings: &Settings,
) -> (Verdict, Vec<(String, Is, String)>) {
    let decision = lax().decide(appraisal, request, settings);
    let unmet = decision.requirements.iter().filter(|r| !r.met);
    (decision.verdict, unmet.map(|r| (r.id.clone(), is(r), r.reason.clone())).collect())
}

/// Every way of evidence against every way that a policy can be for: only the same two meet.
#[test]
fn a_policy_judges_evidence_of_its_own_way_only() {
    let settings = Settings::default();
    let ways = [Route::Attestation, Route::ProviderStatement, Route::WitnessStatement];
    for of_policy in ways {
        let word = of_policy.as_str();
        let text = format!("@title(\"t\") @route({word:?}) permit (principal, action, resource);");
        let policy = Policy::from_source("own", &text).unwrap();
        assert_eq!(policy.route(), of_policy);
        for authenticity in [
            Authenticity::Authentic,
            Authenticity::NotAuthentic,
            Authenticity::Undecided,
            Authenticity::NotAttestable,
        ] {
            for route in ways.into_iter().chain([Route::None]) {
                let evidence = Appraisal { route, ..appraisal(authenticity) };
                let honest = match route {
                    Route::Attestation => Authenticity::Authentic,
                    _ => Authenticity::NotAttestable,
                };
                let accepted = policy.decide(&evidence, false, &settings).verdict == Verdict::Accept;
                assert_eq!(
                    accepted,
                    route == of_policy && authenticity == honest,
                    "{word} {authenticity:?} {route:?}"
                );
            }
        }
        // A failed check, whatever it means, is against everything but attestation that explains itself.
        let honest = if of_policy == Route::Attestation {
            Authenticity::Authentic
        } else {
            Authenticity::NotAttestable
        };
        for means in [OnFail::Unfit, OnFail::Undecided, OnFail::NotAttestable, OnFail::NotAuthentic] {
            let mut evidence = Appraisal { route: of_policy, ..appraisal(honest) };
            evidence.checks.push(check("gap", Outcome::Fail, Some(means)));
            assert_eq!(
                policy.decide(&evidence, false, &settings).verdict,
                Verdict::Refuse,
                "{word} {means:?}"
            );
        }
    }
    // Without a word a policy is for attestation; a wrong word is an error.
    assert_eq!(lax().route(), Route::Attestation);
    let wrong =
        Policy::from_source("own", "@title(\"t\") @route(\"none\") permit (principal, action, resource);");
    assert!(wrong.unwrap_err().to_string().contains("@route(\"none\")"));
    for name in BUILTIN_NAMES {
        let expected = match *name {
            "cabf-code-signing-provider-report" => Route::ProviderStatement,
            "cabf-code-signing-witnessed" => Route::WitnessStatement,
            _ => Route::Attestation,
        };
        assert_eq!(Policy::builtin(name).unwrap().route(), expected, "{name}");
    }
}

#[test]
fn no_policy_accepts_what_is_not_authentic() {
    let settings = Settings::default();
    let accepted = appraisal(Authenticity::Authentic);
    assert_eq!(decided(&accepted, false, &settings), (Verdict::Accept, vec![]));
    for (authenticity, verdict, outcome) in [
        (Authenticity::NotAuthentic, Verdict::Refuse, Unmet),
        (Authenticity::NotAttestable, Verdict::Refuse, Unmet),
        (Authenticity::Undecided, Verdict::CannotDecide, Unknown),
    ] {
        let mut other = appraisal(authenticity);
        other.checks.push(check("gap", Outcome::Fail, Some(OnFail::Undecided)));
        other.checks.push(check("csr-signature", Outcome::Fail, Some(OnFail::Unfit)));
        let (found, unmet) = decided(&other, true, &settings);
        assert_eq!(found, verdict, "{authenticity:?}");
        assert_eq!((unmet[0].0.as_str(), unmet[0].1), ("evidence-authentic", outcome));
        assert_eq!(unmet[1].0, "no-failed-check");
        assert_eq!((unmet[2].0.as_str(), unmet[2].1), ("about-the-request", Unknown));
        for name in BUILTIN_NAMES {
            let decision = Policy::builtin(name).unwrap().decide(&other, true, &settings);
            assert_eq!(decision.verdict, verdict, "{name}");
            assert!(decision.requirements.iter().rev().skip(1).all(|r| !r.met), "{name}");
        }
    }
}

#[test]
fn a_policy_judges_evidence_of_its_own_way_only() {
    let settings = Settings::default();
    let mut witnessed = appraisal(Authenticity::NotAttestable);
    witnessed.route = Route::WitnessStatement;
    for name in BUILTIN_NAMES {
        let policy = Policy::builtin(name).unwrap();
        let decision = policy.decide(&witnessed, false, &settings);
        let (takes_it, first) = (policy.route() == Route::WitnessStatement, &decision.requirements[0]);
        assert_eq!(takes_it, *name == "cabf-code-signing-witnessed");
        let id = if takes_it { "evidence-route" } else { "evidence-authentic" };
        assert_eq!((first.id.as_str(), first.met, first.unknown), (id, takes_it, false), "{name}");
        if !takes_it {
            assert_eq!(decision.verdict, Verdict::Refuse, "{name}");
        }
    }
    let text = "@title(\"t\") @route(\"witness-statement\") permit (principal, action, resource);";
    let own = Policy::from_source("own", text).unwrap_or_else(|e| panic!("{e}"));
    let verdict = |authenticity, route| {
        let mut other = appraisal(authenticity);
        other.route = route;
        own.decide(&other, false, &settings).verdict
    };
    assert_eq!(verdict(Authenticity::NotAttestable, Route::WitnessStatement), Verdict::Accept);
    assert_eq!(verdict(Authenticity::NotAttestable, Route::ProviderStatement), Verdict::Refuse);
    assert_eq!(verdict(Authenticity::Authentic, Route::Attestation), Verdict::Refuse);
    // What is wrong, or not known, stands for nothing by any way.
    assert_eq!(verdict(Authenticity::NotAuthentic, Route::WitnessStatement), Verdict::Refuse);
    assert!(verdict(Authenticity::Undecided, Route::WitnessStatement) >= Verdict::CannotDecide);
    assert!(verdict(Authenticity::NotAttestable, Route::None) >= Verdict::CannotDecide);
    assert_eq!(lax().decide(&witnessed, false, &settings).verdict, Verdict::Refuse);
}

#[test]
fn a_failed_check_refuses_and_is_named() {
    let mut evidence = appraisal(Authenticity::Authentic);
    for _ in 0..2 {
        evidence.checks.push(check("csr-key-mismatch", Outcome::Fail, Some(OnFail::Unfit)));
    }
    evidence.checks.push(check("fine", Outcome::Pass, None));
    let (verdict, unmet) = decided(&evidence, true, &Settings::default());
    assert_eq!(verdict, Verdict::Refuse);
    assert_eq!(unmet[0], ("no-failed-check".to_owned(), Unmet, "Failed: csr-key-mismatch.".to_owned()));
    assert_eq!((unmet[1].0.as_str(), unmet[1].1), ("about-the-request", Unmet));
    // A failure that does not say what it means is one.
    evidence.checks = vec![check("odd", Outcome::Fail, None)];
    assert_eq!(decided(&evidence, false, &Settings::default()).0, Verdict::Refuse);
}

#[test]
fn about_the_request() {
    let mut evidence = appraisal(Authenticity::Authentic);
    let settings = Settings::default();
    assert_eq!(decided(&evidence, true, &settings).0, Verdict::Refuse);
    assert_eq!(decided(&evidence, false, &settings).0, Verdict::Accept);
    for binding in [Binding::Csr, Binding::Certificate, Binding::PublicKey] {
        evidence.binding = binding;
        assert_eq!(decided(&evidence, true, &settings).0, Verdict::Accept);
    }
}

#[test]
fn findings_and_advisories() {
    let mut evidence = appraisal(Authenticity::Authentic);
    let mut settings = Settings::default();
    evidence.checks.push(check("flaw", Outcome::Warning, None));
    evidence.checks.push(check("posture", Outcome::Warning, None));
    evidence.checks.push(check("hm", Outcome::Info, None));
    evidence.advisories.push(advisory("finding"));
    let (verdict, unmet) = decided(&evidence, false, &settings);
    assert_eq!(verdict, Verdict::AcceptWithFindings);
    assert_eq!(unmet, [("no-findings".to_owned(), Unmet, "To be looked at: flaw, posture.".to_owned())]);
    evidence.checks.clear();
    assert_eq!(decided(&evidence, false, &settings).0, Verdict::AcceptWithFindings);
    settings.set("advisories", "refuse").unwrap();
    let (verdict, unmet) = decided(&evidence, false, &settings);
    assert_eq!((verdict, unmet.len()), (Verdict::Refuse, 1));
    assert_eq!((unmet[0].0.as_str(), unmet[0].1), ("no-advisory", Unmet));
    evidence.advisories.clear();
    assert_eq!(decided(&evidence, false, &settings), (Verdict::Accept, vec![]));
}

#[test]
fn freshness_and_formats() {
    let mut evidence = appraisal(Authenticity::Authentic);
    let mut settings = Settings::default();
    settings.set("freshness", "required").unwrap();
    for (freshness, verdict) in [
        (Freshness::NonceMatched, Verdict::Accept),
        (Freshness::NonceMismatch, Verdict::Refuse),
        (Freshness::NoNonceInEvidence, Verdict::Refuse),
        (Freshness::NotAsked, Verdict::CannotDecide),
    ] {
        evidence.freshness = freshness;
        assert_eq!(decided(&evidence, false, &settings).0, verdict, "{freshness:?}");
        assert_eq!(decided(&evidence, false, &Settings::default()).0, Verdict::Accept);
    }
    evidence.freshness = Freshness::NonceMatched;
    settings.set("formats", "yubikey-piv").unwrap();
    assert_eq!(decided(&evidence, false, &settings).0, Verdict::Accept);
    evidence.format = "other";
    let (verdict, unmet) = decided(&evidence, false, &settings);
    assert_eq!(verdict, Verdict::Refuse);
    assert_eq!(unmet[0].2, "The operator accepts only evidence of: yubikey-piv.");
}

#[test]
fn refuse_wins_over_cannot_decide_over_findings_over_notes() {
    let requirement = |severity, met, unknown| Requirement {
        id: "x".to_owned(),
        met,
        severity,
        unknown,
        reason: String::new(),
        cite: None,
    };
    let refuse = requirement(Severity::Must, false, false);
    let unknown = requirement(Severity::Must, false, true);
    let should = requirement(Severity::Should, false, true);
    let note = requirement(Severity::Note, false, false);
    let met = requirement(Severity::Must, true, false);
    for (all, expected) in [
        (vec![&met, &note], Verdict::Accept),
        (vec![&note, &should, &met], Verdict::AcceptWithFindings),
        (vec![&should, &unknown, &met], Verdict::CannotDecide),
        (vec![&refuse, &unknown, &should], Verdict::Refuse),
        (vec![], Verdict::CannotDecide),
    ] {
        let all: Vec<Requirement> = all.into_iter().cloned().collect();
        assert_eq!(verdict(&all), expected);
    }
}

#[test]
fn a_policy_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&lax());
    shared(&Settings::default());
}

#[test]
fn the_page_for_people_says_all_and_its_example_loads() {
    let page = include_str!("../../../docs/policies.md");
    let names = Settings::knobs().iter().map(|k| k.name).chain(PRECONDITIONS.iter().map(|(id, _)| *id));
    for name in names {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
    for name in BUILTIN_NAMES {
        assert!(page.contains(&format!("### {name}\n")), "{name}");
        for requirement in Policy::builtin(name).unwrap().requirements() {
            assert!(page.contains(&format!("`{}`", requirement.id)), "{name}: {}", requirement.id);
        }
    }
    let example = page.split("```cedar\n").nth(1).unwrap().split("```").next().unwrap();
    let policy = Policy::from_source("example.cedar", example).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(policy.requirements().count(), 3);
}
