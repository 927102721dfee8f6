//! `keyvouch result`: attestation results of relying parties, and the keys that sign them; and how
//! `keyvouch verify` signs one.

use std::path::Path;
use std::process::ExitCode;

use keyvouch::appraisal::Report;
use keyvouch::crypto::PublicKey;
use keyvouch::input::{Content, Limits, Parts};
use keyvouch::{File, Submission, Time, Verdict};
use keyvouch_results::{
    Algorithm, Bound, Expected, Form, KeySet, Profile, SigningKey, Terms, cmw, ear, issue, keys, verify,
};

use super::emulate::quote;
use crate::cli::{
    At, EarProfile, Format, KeyAlgorithm, KeyForm, Result_, ResultCommand, ResultForm, ResultKeyCommand,
    ResultTerms, ResultVerify, Wrapper,
};
use crate::error::Error;
use crate::files;
use crate::output::Output;
use crate::text::result::render;

pub(crate) fn run(args: &Result_, out: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        ResultCommand::Verify(args) => verify_token(args, out),
        ResultCommand::Key { command: ResultKeyCommand::Generate { file, algorithm, form } } => {
            generate(file, *algorithm, *form, out).map(|()| ExitCode::SUCCESS)
        }
        ResultCommand::Key { command: ResultKeyCommand::Jwks { files } } => {
            let keys = files.iter().map(|path| signing_key(path)).collect::<Result<Vec<_>, _>>()?;
            out.json(&keys::jwks(&keys))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn verify_token(args: &ResultVerify, out: &Output) -> Result<ExitCode, Error> {
    let keys = KeySet::read(&files::read(&args.key)?)
        .map_err(|why| Error::ResultKey { path: args.key.clone(), why })?;
    let at = match args.at {
        Some(At::Time(time)) => time,
        Some(At::Now) | None => super::verify::now()?,
    };
    let expected = Expected {
        at,
        skew: args.skew.0,
        max_age: args.max_age.map(|age| age.0),
        nonce: args.nonce.as_ref().map(|n| n.0.as_slice()),
        bound: args.request.as_deref().map(bound).transpose()?,
    };
    let got = verify(&files::read(&args.token)?, &keys, &expected);
    match args.output {
        Format::Json => out.json(&serde_json::to_value(&got)?)?,
        Format::Text => out.print(&render(&got, args.verbose))?,
    }
    Ok(ExitCode::from(match got.verdict {
        Verdict::Accept | Verdict::AcceptWithFindings => 0,
        Verdict::Refuse => 1,
        Verdict::CannotDecide => 3,
    }))
}

/// The request, or the key of whatever else it is.
fn bound(path: &Path) -> Result<Bound, Error> {
    let file = File::new(path.to_string_lossy(), files::read(path)?);
    let submission = Submission::new(vec![file], Time::from_unix(0));
    let parts = Parts::of(&submission, &[], Limits::DEFAULT)?;
    let mut requests = Vec::new();
    let mut keys: Vec<PublicKey> = Vec::new();
    for (_, part) in parts.iter() {
        match &part.content {
            Content::Request(request) => requests.push(request.clone()),
            Content::Certificate(certificate) => keys.extend(certificate.key().ok().cloned()),
            Content::PublicKey(key) => keys.push(key.clone()),
            _ => {}
        }
    }
    // A request may carry certificates; it is the request all the same.
    match (requests.pop(), requests.is_empty(), keys.pop(), keys.is_empty()) {
        (Some(request), true, ..) => Ok(Bound::Request(request)),
        (None, _, Some(key), true) => Ok(Bound::Key(key)),
        (request, _, key, _) => Err(Error::NotOneKey {
            path: path.to_owned(),
            found: match request {
                Some(_) => requests.len().saturating_add(1),
                None => keys.len().saturating_add(usize::from(key.is_some())),
            },
        }),
    }
}

fn signing_key(path: &Path) -> Result<SigningKey, Error> {
    SigningKey::read(&files::read(path)?).map_err(|why| Error::ResultKey { path: path.to_owned(), why })
}

fn generate(path: &Path, algorithm: KeyAlgorithm, form: KeyForm, out: &Output) -> Result<(), Error> {
    let fail = |why| Error::ResultKey { path: path.to_owned(), why };
    let algorithm = match algorithm {
        KeyAlgorithm::Es256 => Algorithm::Es256,
        KeyAlgorithm::Es384 => Algorithm::Es384,
        KeyAlgorithm::EdDsa => Algorithm::EdDsa,
        KeyAlgorithm::Ps256 => Algorithm::Ps256,
    };
    let key = SigningKey::generate(algorithm).map_err(fail)?;
    let text = match form {
        KeyForm::Pkcs8 => key.to_pkcs8_pem().map_err(fail)?,
        KeyForm::Jwk => keyvouch::appraisal::json_text(key.to_private_jwk().map_err(fail)?)?,
    };
    files::write_private(path, text.as_bytes())?;
    out.print(&format!(
        "Key for results: {algorithm}, key identifier {}

The private key is in {}: keep it to yourself. For relying parties:

  keyvouch result key jwks {} > verifier.jwks
",
        key.id(),
        quote(path),
        quote(path),
    ))
}

/// Whoever signs the answer of `keyvouch verify`.
pub(crate) struct Signer<'a> {
    terms: &'a ResultTerms,
    key: SigningKey,
}

impl<'a> Signer<'a> {
    /// Reads the key, before any evidence is looked at.
    pub(crate) fn read(key: &Path, terms: &'a ResultTerms) -> Result<Self, Error> {
        Ok(Self { terms, key: signing_key(key)? })
    }

    /// The report as signed result, in the form that was asked for; and whether that is text.
    pub(crate) fn issue(
        &self,
        report: &Report,
        submission: &Submission,
        out: &Output,
    ) -> Result<(Vec<u8>, bool), Error> {
        let asked = self.terms;
        let profile = match asked.ear_profile {
            EarProfile::V03 => Profile::V03,
            EarProfile::V04 => Profile::V04,
        };
        let form = match asked.result_format {
            ResultForm::Jwt => Form::Jwt,
            ResultForm::Cwt => Form::Cwt,
        };
        let given = submission.nonce.as_deref();
        let nonce = match &asked.result_nonce {
            Some(nonce) => Some(nonce.0.clone()),
            None => ear::answered(report, given).map(<[u8]>::to_vec),
        };
        if given.is_some() && nonce.is_none() {
            out.note("the evidence does not answer --nonce, so the result has none; a nonce for the result itself is --result-nonce");
        }
        let terms = Terms {
            profile,
            issued: report.at,
            expires: Some(report.at.plus_seconds(asked.result_lifetime.0)),
            nonce,
            evidence_nonce: submission.nonce.clone(),
            developer: asked.result_developer.clone(),
            evidence: if asked.result_evidence { cmw::evidence(&submission.evidence) } else { None },
        };
        let token = issue(report, &terms, form, &self.key)?;
        Ok(match (asked.result_wrapper, form) {
            (None, Form::Cwt) => (token, false),
            (None, Form::Jwt) => ([token.as_slice(), b"\n"].concat(), true),
            (Some(Wrapper::Cbor), _) => (cmw::around(token, form, profile).to_cbor(), false),
            (Some(Wrapper::Json), _) => {
                let json = cmw::around(token, form, profile).to_json().unwrap_or_default();
                (keyvouch::appraisal::json_text(json)?.into_bytes(), true)
            }
        })
    }

    /// Prints the signed result.
    pub(crate) fn print(&self, report: &Report, submission: &Submission, out: &Output) -> Result<(), Error> {
        match self.issue(report, submission, out)? {
            (token, true) => out.print(&String::from_utf8_lossy(&token)),
            (token, false) => out.bytes(&token),
        }
    }

    /// What the file of such a result is called.
    pub(crate) const fn file_name(&self) -> &'static str {
        match (self.terms.result_wrapper, self.terms.result_format) {
            (Some(Wrapper::Json), _) => "result.cmw.json",
            (Some(Wrapper::Cbor), _) => "result.cmw.cbor",
            (None, ResultForm::Jwt) => "result.jwt",
            (None, ResultForm::Cwt) => "result.cwt",
        }
    }
}
