//! `keyvouch provider`: what the provider of a cloud service says of a key, to whoever asks himself.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use keyvouch::appraisal::json_text;
use keyvouch::provider::aws_kms::{Ready, redacted};
use keyvouch::{File, Reference, Submission, Time, Verifier};
use keyvouch_policy::{Policy, Settings, judge};
use keyvouch_provider::aws_kms::Credentials;
use keyvouch_provider::{Client, Endpoint, Exchange, Spent, aws_kms, azure_key_vault};

use super::emulate::quote;
use super::{policy, verify};
use crate::cli::{
    Asking, AwsKmsCheck, AwsKmsCommand, AwsKmsFetch, AwsKmsPrepare, AzureCommand, AzureFetch, Provider,
    ProviderCommand, ProviderNonce,
};
use crate::error::Error;
use crate::files;
use crate::files::write_new;
use crate::output::Output;
use crate::text::report::{self, View};

/// Exit status when nothing was sent because the envelope must not be, or the provider refused.
const REFUSED: u8 = 1;

pub(crate) fn run(args: &Provider, out: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        ProviderCommand::Nonce(args) => nonce(args, out),
        ProviderCommand::AwsKms(args) => match &args.command {
            AwsKmsCommand::Prepare(args) => prepare(args, out),
            AwsKmsCommand::Check(args) => check(args, out),
            AwsKmsCommand::Fetch(args) => fetch_kms(args, out),
        },
        ProviderCommand::AzureKeyVault(args) => match &args.command {
            AzureCommand::Fetch(args) => fetch_vault(args, out),
        },
    }
}

fn nonce(args: &ProviderNonce, out: &Output) -> Result<ExitCode, Error> {
    let nonce = aws_kms::nonce(&args.ca, &files::read(&args.request)?).map_err(Error::Provider)?;
    out.print(&format!("{}\n", hex::encode(nonce)))?;
    Ok(ExitCode::SUCCESS)
}

fn prepare(args: &AwsKmsPrepare, out: &Output) -> Result<ExitCode, Error> {
    let credentials = Credentials::from_env().map_err(Error::Provider)?;
    let envelope = aws_kms::prepare(&credentials, &args.key, &args.nonce.0, verify::now()?);
    write_new(&args.output, envelope.map_err(Error::Provider)?.as_bytes())?;
    out.print(&format!(
        "Envelope for {}: {}

Hand it to the CA at once: AWS takes these requests for about five minutes. They ask for the description and the
public key of this one key, and can do nothing else. Keep the file to yourself until then, and delete it afterwards.
",
        args.key,
        quote(&args.output),
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn check(args: &AwsKmsCheck, out: &Output) -> Result<ExitCode, Error> {
    let asked = Order::of(&args.asking, out)?;
    let envelope = files::read(&args.envelope)?;
    let ready = match Ready::judge(&envelope, &args.nonce.0, asked.at) {
        Ok(ready) => ready,
        Err(failed) => return Ok(refuse(keyvouch_provider::Error::Refused(failed), out)),
    };
    // Before it is sent: what was sent and not noted could be sent again.
    if let Err(why) = Spent::in_file(&args.spent).spend(ready.signatures()) {
        return Ok(refuse(why, out));
    }
    let kept = redacted(&envelope).map(|value| json_text(value)).transpose()?.unwrap_or_default();
    match aws_kms::send(&Client::default(), &ready, asked.endpoint.as_ref(), asked.at) {
        Ok(exchange) => {
            asked.conclude(exchange, Some(File::new("envelope.json", kept)), Some(&args.nonce.0), out)
        }
        Err(why) => Ok(refuse(why, out)),
    }
}

fn fetch_kms(args: &AwsKmsFetch, out: &Output) -> Result<ExitCode, Error> {
    let asked = Order::of(&args.asking, out)?;
    let credentials = Credentials::from_env().map_err(Error::Provider)?;
    // The same requests as in an envelope, by the same way; the nonce ties them to nothing and is forgotten.
    let nonce = aws_kms::nonce("", &[]).map_err(Error::Provider)?;
    let envelope = aws_kms::prepare(&credentials, &args.key, &nonce, asked.at).map_err(Error::Provider)?;
    let ready = Ready::judge(envelope.as_bytes(), &nonce, asked.at);
    let ready = ready.map_err(|failed| Error::Provider(keyvouch_provider::Error::Refused(failed)))?;
    match aws_kms::send(&Client::default(), &ready, asked.endpoint.as_ref(), asked.at) {
        Ok(exchange) => asked.conclude(exchange, None, None, out),
        Err(why) => Ok(refuse(why, out)),
    }
}

fn fetch_vault(args: &AzureFetch, out: &Output) -> Result<ExitCode, Error> {
    let asked = Order::of(&args.asking, out)?;
    let token = azure_key_vault::token_from_env().map_err(Error::Provider)?;
    let endpoint = asked.endpoint.as_ref();
    match azure_key_vault::fetch(&Client::default(), &args.key, &token, endpoint, asked.at) {
        Ok(exchange) => asked.conclude(exchange, None, None, out),
        Err(why) => Ok(refuse(why, out)),
    }
}

fn refuse(why: keyvouch_provider::Error, out: &Output) -> ExitCode {
    out.error(&Error::Provider(why));
    ExitCode::from(REFUSED)
}

/// What is the same whoever is asked.
struct Order<'a> {
    args: &'a Asking,
    policies: Vec<Policy>,
    request: Option<File>,
    endpoint: Option<Endpoint>,
    at: Time,
}

impl<'a> Order<'a> {
    /// Everything that can be wrong before somebody is asked.
    fn of(args: &'a Asking, out: &Output) -> Result<Self, Error> {
        let policies = args.policy.iter().map(|name| policy::load(name)).collect::<Result<Vec<_>, _>>()?;
        let request = match &args.request {
            Some(path) => Some(File::new("request.csr", files::read(path)?)),
            None => None,
        };
        let endpoint = args.endpoint.as_deref().map(Endpoint::parse).transpose().map_err(Error::Provider)?;
        if args.record.exists() {
            return Err(Error::Exists(args.record.clone()));
        }
        if endpoint.is_some() {
            out.note("--endpoint: the answer comes from an address that you gave and not from the provider's own; whether it is the provider's word is for you to know");
        }
        Ok(Self { args, policies, request, endpoint, at: verify::now()? })
    }

    /// Writes the record, judges the answers, prints what came out.
    fn conclude(
        &self,
        exchange: Exchange,
        envelope: Option<File>,
        nonce: Option<&[u8]>,
        out: &Output,
    ) -> Result<ExitCode, Error> {
        let evidence: Vec<File> = exchange.answers.into_iter().chain(envelope).collect();
        let mut submission = Submission::new(evidence, self.at);
        submission.request = self.request.clone();
        submission.nonce = nonce.map(<[u8]>::to_vec);
        submission.options = verify::options(serde_json::Map::new(), &self.args.option)?;
        submission.options.set(keyvouch::authentic::PROVIDER_FETCHED, true);
        let mut report = Verifier::new(Reference::builtin()?).appraise(&submission)?;
        judge(&mut report, &self.policies, submission.request.is_some(), &Settings::default());

        let folder = &self.args.record;
        let evidence_folder = folder.join("evidence");
        fs::create_dir_all(&evidence_folder).map_err(|why| Error::write(&evidence_folder, why))?;
        for file in &submission.evidence {
            write_new(&evidence_folder.join(&file.name), &file.bytes)?;
        }
        if let Some(file) = &submission.request {
            write_new(&folder.join(&file.name), &file.bytes)?;
        }
        write_new(&folder.join("exchange.json"), json_text(exchange.record)?.as_bytes())?;
        write_new(&folder.join("report.json"), report.to_json()?.as_bytes())?;

        let request = self.request.as_ref().map(|r| r.name.as_str());
        let mut text = report::render(&View { report: &report, request, verbose: false });
        text +=
            &format!("\nRecord: {}. To judge it again:\n\n  {}\n", quote(folder), self.again(folder, nonce));
        out.print(&text)?;
        Ok(ExitCode::from(verify::status(report.verdict)))
    }

    /// The command that judges the record again.
    fn again(&self, folder: &Path, nonce: Option<&[u8]>) -> String {
        let mut words = vec![
            "keyvouch verify".to_owned(),
            quote(&folder.join("evidence")),
            "--option provider_fetched=true".to_owned(),
            format!("--at {}", self.at),
        ];
        words.extend(self.args.policy.iter().map(|name| format!("--policy {name}")));
        words.extend(nonce.map(|nonce| format!("--nonce {}", hex::encode(nonce))));
        words.extend(self.request.as_ref().map(|r| format!("--request {}", quote(&folder.join(&r.name)))));
        words.extend(self.args.option.iter().map(|o| format!("--option {}={}", o.key, o.value)));
        words.join(" ")
    }
}
