//! What a document says, value by value.
//!
//! A value that has another form than a Primus HSM gives it is a fault; one that is not there stays `None`,
//! and is never taken for `false` or `true`.

use serde_json::{Value, json};

use super::xml::{self, Element, Fault};
use crate::time::Time;

/// A document, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) creation: Option<String>,
    pub(super) storage: Option<String>,
    pub(super) uuid: Option<String>,
    pub(super) id: Option<String>,
    pub(super) label: Option<String>,
    pub(super) create_time: Option<Time>,
    pub(super) attest_time: Option<Time>,
    pub(super) key_use_count: Option<u64>,
    pub(super) algorithm: Option<String>,
    pub(super) algorithm_oid: Option<String>,
    pub(super) curve_oid: Option<String>,
    pub(super) key_size: Option<u64>,
    pub(super) public_key: Option<String>,
    pub(super) derivation: Option<String>,
    pub(super) address: Option<String>,
    pub(super) flags: Flags,
    pub(super) policy: Option<Policy>,
    /// Values of the wrong form: path and reason.
    pub(super) faults: Vec<(String, String)>,
    /// Paths of what must be there and is not.
    pub(super) missing: Vec<&'static str>,
}

/// `/private_key/attributes`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) decrypt: Option<bool>,
    pub(super) sign: Option<bool>,
    pub(super) eka_sign: Option<bool>,
    pub(super) unwrap: Option<bool>,
    pub(super) derive: Option<bool>,
    pub(super) sensitive: Option<bool>,
    pub(super) always_sensitive: Option<bool>,
    pub(super) extractable: Option<bool>,
    pub(super) never_extractable: Option<bool>,
    pub(super) modifiable: Option<bool>,
    pub(super) copyable: Option<bool>,
    pub(super) destroyable: Option<bool>,
    pub(super) unique: Option<bool>,
}

impl Flags {
    /// All four say that the key cannot and could not leave or be read.
    pub(super) fn all_good(&self) -> bool {
        self.extractable == Some(false)
            && self.never_extractable == Some(true)
            && self.sensitive == Some(true)
            && self.always_sensitive == Some(true)
    }

    fn view(&self) -> Value {
        json!({
            "decrypt": self.decrypt,
            "sign": self.sign,
            "eka_sign": self.eka_sign,
            "unwrap": self.unwrap,
            "derive": self.derive,
            "sensitive": self.sensitive,
            "always_sensitive": self.always_sensitive,
            "extractable": self.extractable,
            "never_extractable": self.never_extractable,
            "modifiable": self.modifiable,
            "copyable": self.copyable,
            "destroyable": self.destroyable,
            "unique": self.unique,
        })
    }
}

/// `/private_key/policy`: Smart Key Attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) blocked: Option<bool>,
    pub(super) rule_use: Option<Rule>,
    pub(super) rule_block: Option<Rule>,
    pub(super) rule_unblock: Option<Rule>,
    pub(super) rule_modify: Option<Rule>,
}

/// The tokens of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    timelock: Option<u64>,
    timeout: Option<u64>,
    /// Quorum, and how many approvers there are.
    groups: Vec<(Option<u64>, usize)>,
}

impl Rule {
    /// `2 of 3 approvals, timelock 0 s, timeout 600 s`; the groups of a token joined by `and`, tokens by `; `.
    pub(super) fn describe(&self) -> String {
        let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let group = |(quorum, of): &(Option<u64>, usize)| format!("{} of {of} approvals", number(*quorum));
        let token = |t: &Token| {
            let groups: Vec<String> = t.groups.iter().map(group).collect();
            let (timelock, timeout) = (number(t.timelock), number(t.timeout));
            format!("{}, timelock {timelock} s, timeout {timeout} s", groups.join(" and "))
        };
        self.0.iter().map(token).collect::<Vec<_>>().join("; ")
    }
}

const RULES: [&str; 4] = ["rule_use", "rule_block", "rule_unblock", "rule_modify"];

impl Document {
    /// Reads a document that fills `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let root = xml::read(bytes)?;
        let mut reader = Reader { root: &root, faults: Vec::new(), missing: Vec::new() };
        let r = &mut reader;
        let mut document = Self {
            creation: r.root.attribute("creation").map(str::to_owned),
            storage: r.storage(),
            uuid: r.text("uuid"),
            id: r.text("id"),
            label: r.text("label"),
            create_time: r.time("create_time"),
            attest_time: r.time("attest_time"),
            key_use_count: r.number("key_use_count"),
            algorithm: r.text("algorithm"),
            algorithm_oid: r.text("algorithm_oid"),
            curve_oid: r.text("curve_oid"),
            key_size: r.number("key_size"),
            public_key: r.text("public_key"),
            derivation: r.with_attribute("derivation_value", "type"),
            address: r.with_attribute("address_truncated", "format"),
            flags: r.flags(),
            policy: r.policy(),
            faults: Vec::new(),
            missing: Vec::new(),
        };
        if document.creation.is_none() {
            r.missing.push("@creation");
        }
        r.require(&[
            "create_time",
            "attest_time",
            "algorithm",
            "algorithm_oid",
            "attributes/extractable",
            "attributes/never_extractable",
            "attributes/sensitive",
            "attributes/always_sensitive",
        ]);
        document.faults = reader.faults;
        document.missing = reader.missing;
        Ok(document)
    }

    /// For people.
    pub(super) fn view(&self) -> Value {
        let rule = |rule: &Option<Rule>| rule.as_ref().map(Rule::describe);
        let time = |time: Option<Time>| time.map(|t| t.to_string());
        json!({
            "creation": self.creation,
            "storage": self.storage,
            "uuid": self.uuid,
            "id": self.id,
            "label": self.label,
            "create_time": time(self.create_time),
            "attest_time": time(self.attest_time),
            "key_use_count": self.key_use_count,
            "algorithm": self.algorithm,
            "algorithm_oid": self.algorithm_oid,
            "curve_oid": self.curve_oid,
            "key_size": self.key_size,
            "public_key": self.public_key,
            "derivation_value": self.derivation,
            "address_truncated": self.address,
            "attributes": self.flags.view(),
            "policy": self.policy.as_ref().map(|p| json!({
                "blocked": p.blocked,
                "rule_use": rule(&p.rule_use),
                "rule_block": rule(&p.rule_block),
                "rule_unblock": rule(&p.rule_unblock),
                "rule_modify": rule(&p.rule_modify),
            })),
            "faults": self.faults.iter().map(|(path, why)| format!("{path} {why}")).collect::<Vec<_>>(),
            "missing": self.missing,
        })
    }
}

/// Reads values and gathers what is wrong with them.
struct Reader<'e> {
    root: &'e Element,
    faults: Vec<(String, String)>,
    missing: Vec<&'static str>,
}

impl<'e> Reader<'e> {
    fn require(&mut self, paths: &[&'static str]) {
        self.missing.extend(paths.iter().filter(|path| self.root.at(path).is_none()));
    }

    fn fault(&mut self, path: &str, why: impl Into<String>) {
        self.faults.push((format!("/{}/{path}", xml::ROOT), why.into()));
    }

    fn text_in(&mut self, element: &'e Element, path: &str) -> Option<&'e str> {
        let text = element.text();
        if text.is_none() {
            self.fault(path, "holds elements instead of a value");
        }
        text
    }

    fn value(&mut self, path: &str) -> Option<&'e str> {
        let element = self.root.at(path)?;
        self.text_in(element, path)
    }

    fn text(&mut self, path: &str) -> Option<String> {
        self.value(path).map(str::to_owned)
    }

    fn flag(&mut self, path: &str) -> Option<bool> {
        match self.value(path)? {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                self.fault(path, format!("is {other:?}, neither true nor false"));
                None
            }
        }
    }

    /// `YYYY-MM-DDThh:mm:ssZ` and no other form of RFC 3339.
    fn time(&mut self, path: &str) -> Option<Time> {
        let text = self.value(path)?;
        let time = text.parse().ok().filter(|_| text.len() == 20 && text.ends_with('Z'));
        if time.is_none() {
            self.fault(path, format!("is {text:?}, not a time such as 2026-06-01T00:00:00Z"));
        }
        time
    }

    fn number(&mut self, path: &str) -> Option<u64> {
        let element = self.root.at(path)?;
        self.number_in(element, path)
    }

    fn number_in(&mut self, element: &'e Element, path: &str) -> Option<u64> {
        let text = self.text_in(element, path)?;
        let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        if number.is_none() {
            self.fault(path, format!("is {text:?}, not a whole number"));
        }
        number
    }

    /// A storage that is not known is not taken for the key store of the device.
    fn storage(&mut self) -> Option<String> {
        let storage = self.root.attribute("storage")?;
        if storage != "external" {
            self.fault("@storage", format!("is {storage:?}, not \"external\""));
        }
        Some(storage.to_owned())
    }

    fn with_attribute(&mut self, path: &str, attribute: &str) -> Option<String> {
        let text = self.value(path)?;
        let kind = self.root.at(path).and_then(|e| e.attribute(attribute));
        Some(kind.map_or_else(|| text.to_owned(), |kind| format!("{kind}: {text}")))
    }

    fn flags(&mut self) -> Flags {
        let mut flag = |name: &str| self.flag(&format!("attributes/{name}"));
        Flags {
            decrypt: flag("decrypt"),
            sign: flag("sign"),
            eka_sign: flag("eka_sign"),
            unwrap: flag("unwrap"),
            derive: flag("derive"),
            sensitive: flag("sensitive"),
            always_sensitive: flag("always_sensitive"),
            extractable: flag("extractable"),
            never_extractable: flag("never_extractable"),
            modifiable: flag("modifiable"),
            copyable: flag("copyable"),
            destroyable: flag("destroyable"),
            unique: flag("unique"),
        }
    }

    fn policy(&mut self) -> Option<Policy> {
        self.root.at("policy")?;
        let blocked = self.flag("policy/key_status/blocked");
        let [rule_use, rule_block, rule_unblock, rule_modify] = RULES.map(|name| self.rule(name));
        Some(Policy { blocked, rule_use, rule_block, rule_unblock, rule_modify })
    }

    fn rule(&mut self, name: &str) -> Option<Rule> {
        let path = format!("policy/{name}");
        let rule = self.root.at(&path)?;
        Some(Rule(rule.all("token").map(|token| self.token(token, &format!("{path}/token"))).collect()))
    }

    fn token(&mut self, token: &'e Element, path: &str) -> Token {
        let mut number = |name: &str| {
            let element = token.at(name)?;
            self.number_in(element, &format!("{path}/{name}"))
        };
        let (timelock, timeout) = (number("timelock"), number("timeout"));
        let groups = token.all("group").map(|group| self.group(group, &format!("{path}/group"))).collect();
        Token { timelock, timeout, groups }
    }

    fn group(&mut self, group: &'e Element, path: &str) -> (Option<u64>, usize) {
        let quorum = group.at("quorum").and_then(|q| self.number_in(q, &format!("{path}/quorum")));
        let mut approvers = 0_usize;
        for approval in group.all("approval") {
            approvers = approvers.saturating_add(1);
            if !matches!(approval.attribute("type"), Some("public_key" | "certificate")) {
                self.fault(&format!("{path}/approval/@type"), "is neither public_key nor certificate");
            }
        }
        (quorum, approvers)
    }
}
