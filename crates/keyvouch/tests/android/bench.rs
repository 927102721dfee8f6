//! An emulated phone with a key, and what the operator says.

use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::reference::anchors::{Anchor, AnchorKind, PublishedCertificate};
use keyvouch::{File, Reference, Submission};
use keyvouch_emulator::android::{AT, Chain, EMPTY_STATUS_LIST, KeyDescription, Level};
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::pem;
use serde_json::Value as Json;

use crate::support::judging;

pub(crate) fn key(role: &str, kind: KeyKind) -> Arc<Key> {
    Key::shared(&format!("android test: {role}"), kind).unwrap()
}

pub(crate) fn subject() -> Arc<Key> {
    key("subject", KeyKind::P256)
}

/// A chain before it is signed, and everything that it is judged with.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) chain: Chain,
    pub(crate) reference: Reference,
    pub(crate) at: &'static str,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) request: Option<File>,
    pub(crate) status: Option<String>,
    pub(crate) options: Vec<(&'static str, Json)>,
    /// In place of the chain.
    pub(crate) files: Option<Vec<File>>,
}

impl Bench {
    fn of(chain: Chain) -> Self {
        let mut reference = Reference::builtin().unwrap();
        let root = chain.anchor().unwrap();
        reference.load_operator_certificates(&root.name, &root.bytes).unwrap();
        Self {
            chain,
            reference,
            at: AT,
            nonce: None,
            request: None,
            status: Some(EMPTY_STATUS_LIST.to_owned()),
            options: Vec::new(),
            files: None,
        }
    }

    pub(crate) fn factory() -> Self {
        Self::saying(|_| {})
    }

    /// A factory chain whose statement was changed before it was signed.
    pub(crate) fn saying(change: impl FnOnce(&mut KeyDescription)) -> Self {
        Self::of_key(&subject(), change)
    }

    pub(crate) fn of_key(key: &Arc<Key>, change: impl FnOnce(&mut KeyDescription)) -> Self {
        let mut said = KeyDescription::of(key, Level::Tee);
        change(&mut said);
        Self::of(Chain::factory(key, &said, Level::Tee).unwrap())
    }

    pub(crate) fn remote() -> Self {
        Self::of_remote(&subject(), |_| {})
    }

    pub(crate) fn of_remote(key: &Arc<Key>, change: impl FnOnce(&mut KeyDescription)) -> Self {
        let mut said = KeyDescription::of(key, Level::Tee);
        change(&mut said);
        Self::of(Chain::remote(key, &said, Level::Tee).unwrap())
    }

    pub(crate) fn samsung(integrity: [u8; 3]) -> Self {
        let key = subject();
        let chain = Chain::samsung(&key, &KeyDescription::of(&key, Level::Tee), integrity).unwrap();
        let mut bench = Self { reference: Reference::builtin().unwrap(), ..Self::of(chain) };
        bench.anchor(2, AnchorKind::Root, "samsung-knox");
        bench
    }

    /// Trusts, or distrusts, the key of a certificate of the chain, with a role.
    pub(crate) fn anchor(&mut self, position: usize, kind: AnchorKind, role: &str) {
        let certificate = &self.chain.links[position].certificate;
        let der = &self.chain.sign().unwrap()[position];
        let published = PublishedCertificate {
            sha256: keyvouch_emulator::key::sha256(der).try_into().unwrap(),
            serial: "01".to_owned(),
            not_before: certificate.not_before.parse().unwrap(),
            not_after: certificate.not_after.parse().unwrap(),
            source: "test".to_owned(),
            looked_up: None,
            confirmed: keyvouch::reference::anchors::Confirmed::Operator,
        };
        let (subject, spki) = (&certificate.subject, &certificate.spki);
        let mut anchor =
            Anchor::from_operator("test.toml", role, kind, subject, spki, None, published).unwrap();
        anchor.role = Some(role.to_owned());
        self.reference.anchors.add(anchor).unwrap();
    }

    /// Changes the chain before it is signed.
    pub(crate) fn changed(mut self, change: impl FnOnce(&mut Chain)) -> Self {
        change(&mut self.chain);
        self
    }

    pub(crate) fn with(mut self, option: &'static str, value: impl Into<Json>) -> Self {
        self.options.push((option, value.into()));
        self
    }

    pub(crate) fn strict(self) -> Self {
        self.with("android_strict", true)
    }

    /// These certificates of the chain, in this order.
    pub(crate) fn giving(mut self, positions: &[usize]) -> Self {
        let ders = self.chain.sign().unwrap();
        let ders: Vec<_> = positions.iter().map(|p| &ders[*p]).collect();
        self.files = Some(vec![File::new("chain.pem", pem::certificates(&ders))]);
        self
    }

    pub(crate) fn submission(&self) -> Submission {
        let file = |f: keyvouch_emulator::File| File::new(f.name, f.bytes);
        let files = self.files.clone().unwrap_or_else(|| vec![file(self.chain.pem().unwrap())]);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.nonce.clone_from(&self.nonce);
        submission.request.clone_from(&self.request);
        for (name, value) in &self.options {
            submission.options.set(*name, value.clone());
        }
        if let Some(list) = &self.status {
            submission.options.set_file("android_status_list", list.as_bytes());
        }
        submission
    }

    pub(crate) fn judge(&self) -> Appraisal {
        judging::judge(self.reference.clone(), &self.submission())
    }
}
