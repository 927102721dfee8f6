//! Everything that an appraisal rests on.

use std::sync::OnceLock;

use keyvouch::appraisal::Report;
use keyvouch::reference::anchors::Anchors;
use keyvouch::{DataError, File, InputError, Reference, Submission, Verifier};
use keyvouch_policy::{Policy, Settings, judge};

/// Where the trust data comes from that every operator has: anchors, certifications, advisories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TrustData {
    /// From this version of keyvouch.
    #[default]
    BuiltIn,
    /// From these files: those of the version that made the record.
    Files(Vec<File>),
}

impl TrustData {
    /// The trust data, without anything of an operator.
    ///
    /// # Errors
    /// Names the file, the entry, and what is wrong.
    pub fn reference(&self) -> Result<Reference, CaseError> {
        let files = match self {
            Self::BuiltIn => return Ok(Reference::builtin()?),
            Self::Files(files) => files,
        };
        let mut data = Vec::with_capacity(files.len());
        for file in files {
            data.push((file.name.as_str(), text(file)?));
        }
        Ok(Reference::from_data(&data)?)
    }

    /// Names the data: [`Reference::digest`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest(&self) -> Result<String, CaseError> {
        // To read it takes far longer than an appraisal.
        static BUILT_IN: OnceLock<String> = OnceLock::new();
        if *self != Self::BuiltIn {
            return Ok(self.reference()?.digest());
        }
        match BUILT_IN.get() {
            Some(digest) => Ok(digest.clone()),
            None => {
                let digest = self.reference()?.digest();
                Ok(BUILT_IN.get_or_init(|| digest).clone())
            }
        }
    }
}

/// Everything that an appraisal rests on.
#[derive(Debug, Clone)]
pub struct Case {
    /// Evidence, request, nonce, time and options.
    pub submission: Submission,
    /// Where the common trust data comes from.
    pub trust_data: TrustData,
    /// Whether the anchors of the common trust data count.
    pub default_anchors: bool,
    /// The operator's own files, in the order in which they are read: TOML, certificates, revocation lists.
    pub operator_data: Vec<File>,
    /// What to judge by.
    pub policies: Vec<Policy>,
    /// How the operator set the knobs of the policies.
    pub settings: Settings,
}

/// Why a case cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// The trust data cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An operator's TOML file is not text.
    #[error("{0}: not text (UTF-8); save it as such")]
    NotText(String),
    /// The evidence cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
}

impl Case {
    /// The submission judged by a policy, with the built-in trust data and nothing of an operator.
    #[must_use]
    pub fn new(submission: Submission, policy: Policy) -> Self {
        Self {
            submission,
            trust_data: TrustData::BuiltIn,
            default_anchors: true,
            operator_data: Vec::new(),
            policies: vec![policy],
            settings: Settings::default(),
        }
    }

    /// The trust data of the case.
    ///
    /// # Errors
    /// Names the file, the entry, and what to change.
    pub fn reference(&self) -> Result<Reference, CaseError> {
        let mut reference = self.trust_data.reference()?;
        if !self.default_anchors {
            reference.anchors = Anchors::empty();
        }
        for file in &self.operator_data {
            add_operator_file(&mut reference, file)?;
        }
        Ok(reference)
    }

    /// The report, with the decisions of the policies.
    ///
    /// # Errors
    /// When the trust data or the evidence cannot be read at all. A refusal is a report, not an error.
    pub fn judge(&self) -> Result<Report, CaseError> {
        self.judge_with(&Verifier::new(self.reference()?))
    }

    /// The same with a verifier that has the trust data of the case already.
    ///
    /// # Errors
    /// When the evidence cannot be read at all.
    pub fn judge_with(&self, verifier: &Verifier) -> Result<Report, CaseError> {
        let mut report = verifier.appraise(&self.submission)?;
        judge(&mut report, &self.policies, self.submission.request.is_some(), &self.settings);
        Ok(report)
    }
}

/// Adds a file of the operator's: TOML by the end of its name, else certificates or revocation lists.
fn add_operator_file(reference: &mut Reference, file: &File) -> Result<(), CaseError> {
    let is_toml = file.name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("toml"));
    if is_toml {
        reference.load_operator_file(&file.name, text(file)?)?;
    } else {
        reference.load_operator_certificates(&file.name, &file.bytes)?;
    }
    Ok(())
}

fn text(file: &File) -> Result<&str, CaseError> {
    std::str::from_utf8(&file.bytes).map_err(|_| CaseError::NotText(file.name.clone()))
}
