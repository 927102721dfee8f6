//! Securosys Primus HSM: emulated evidence, genuine and spoilt.

// Tests fail by panicking, helpers of tests too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod common {
    //! An emulated Primus, and a verifier that believes in its root.

    use keyvouch::{Appraisal, File, Reference, Submission, Verifier};
    use keyvouch_emulator as emulator;
    use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
    use keyvouch_emulator::securosys::{Document, Evidence, Primus};
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    pub(crate) const NOT: &str = "not-authentic";
    pub(crate) const UNDECIDED: &str = "undecided";
    pub(crate) const AUTHENTIC: &str = "authentic";

    /// What is spoilt, the only check that must fail, the answer, and the evidence.
    pub(crate) type Negative = (&'static str, &'static str, &'static str, Case);

    pub(crate) const AT: &str = "2026-06-01T00:00:00Z";
    pub(crate) const PKCS1: SignAlg = SignAlg::RsaPkcs1Sha256;

    pub(crate) fn key(kind: KeyKind) -> Arc<Key> {
        Key::shared("securosys: subscriber", kind).unwrap()
    }

    /// The document of a signing key.
    pub(crate) fn document() -> Document {
        Document::of("code_signing", &key(KeyKind::Rsa3072)).unwrap()
    }

    pub(crate) fn sign(document: &Document) -> Evidence {
        Evidence::new(document, &Primus::new().unwrap(), PKCS1).unwrap()
    }

    pub(crate) fn sign_bytes(xml: impl Into<Vec<u8>>) -> Evidence {
        Evidence::of_bytes("code_signing", xml.into(), &Primus::new().unwrap(), PKCS1).unwrap()
    }

    /// The same document under a Primus that was changed.
    pub(crate) fn under(change: impl FnOnce(&mut Primus)) -> Evidence {
        let mut primus = Primus::new().unwrap();
        change(&mut primus);
        Evidence::new(&document(), &primus, PKCS1).unwrap()
    }

    /// What is handed in, and how it is to be judged.
    #[derive(Clone)]
    pub(crate) struct Case {
        pub(crate) evidence: Vec<File>,
        pub(crate) request: Option<File>,
        pub(crate) at: String,
        pub(crate) options: Vec<(String, Value)>,
        /// PEM; the emulated root unless set.
        pub(crate) anchors: Vec<Vec<u8>>,
    }

    pub(crate) fn files(files: Vec<emulator::File>) -> Vec<File> {
        files.into_iter().map(|f| File::new(f.name, f.bytes)).collect()
    }

    impl From<Evidence> for Case {
        fn from(evidence: Evidence) -> Self {
            Self::of(files(evidence.jce_files()))
        }
    }

    impl Case {
        pub(crate) fn of(evidence: Vec<File>) -> Self {
            let root = emulator::pem::certificate(&Primus::new().unwrap().root.der).into_bytes();
            Self { evidence, request: None, at: AT.to_owned(), options: Vec::new(), anchors: vec![root] }
        }

        pub(crate) fn at(mut self, at: &str) -> Self {
            self.at = at.to_owned();
            self
        }

        pub(crate) fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
            self.options.push((name.to_owned(), value.into()));
            self
        }

        pub(crate) fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
            self.evidence.push(File::new(name, bytes));
            self
        }

        /// Every appraisal of this format.
        pub(crate) fn all(&self) -> Vec<Appraisal> {
            let mut reference = Reference::empty();
            for anchor in &self.anchors {
                reference.load_operator_certificates("root.pem", anchor).unwrap();
            }
            let mut submission = Submission::new(self.evidence.clone(), self.at.parse().unwrap());
            submission.request = self.request.clone();
            for (name, value) in &self.options {
                submission.options.set(name.clone(), value.clone());
            }
            let verifier = Verifier::new(reference);
            // The view for people reads everything, and must never fail.
            verifier.inspect(&submission).unwrap();
            verifier.appraise(&submission).unwrap().appraisals
        }

        /// The only appraisal.
        pub(crate) fn one(&self) -> Appraisal {
            let mut all = self.all();
            assert_eq!(all.len(), 1);
            let one = all.remove(0);
            assert_eq!(one.format, "securosys");
            one
        }
    }

    pub(crate) fn failed(appraisal: &Appraisal) -> BTreeSet<String> {
        appraisal.failed().map(|c| c.id.to_string()).collect()
    }

    pub(crate) fn findings(appraisal: &Appraisal) -> BTreeSet<String> {
        appraisal.findings().map(|c| c.id.to_string()).collect()
    }

    /// Claims and details, as a report shows them.
    pub(crate) fn shown(appraisal: &Appraisal) -> Value {
        serde_json::to_value(appraisal).unwrap()
    }
}

#[path = "securosys/accepted.rs"]
mod accepted;
#[path = "securosys/certificates.rs"]
mod certificates;
#[path = "securosys/refused.rs"]
mod refused;
