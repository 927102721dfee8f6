//! `keyvouch request`: certification requests that carry their evidence.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use keyvouch::crypto::{Hash, Material, PublicKey};
use keyvouch::input::{Content, Limits, Parts, decode_base64};
use keyvouch::requests::{Bundle, EmbedError, Template, assemble, name, usual_hash};
use keyvouch::{File, Reference, Submission, Time, Verifier};

use super::emulate::quote;
use crate::cli::{Request, RequestAssemble, RequestCommand, RequestEmbed};
use crate::error::Error;
use crate::files;
use crate::output::Output;
use crate::text::clean_lines;

pub(crate) fn run(args: &Request, out: &Output) -> Result<(), Error> {
    match &args.command {
        RequestCommand::Embed(args) => embed(args, out),
        RequestCommand::Assemble(args) => put_together(args, out),
    }
}

fn embed(args: &RequestEmbed, out: &Output) -> Result<(), Error> {
    let subject = args.subject.as_deref().map(name).transpose()?;
    let template = template(&args.key, subject)?;
    let bundle = bundle(args)?;
    let info = template.info(&bundle)?;
    files::write_new(&args.info, &info)?;
    out.print(&clean_lines(&told(args, &template, &bundle, &info)))
}

/// Key and subject, and what a request has besides.
fn template(path: &Path, subject: Option<Vec<u8>>) -> Result<Template, Error> {
    let fault = |why| Error::RequestKey { path: path.to_owned(), why };
    let file = File::new(path.to_string_lossy(), files::read(path)?);
    let alone = Submission::new(vec![file], Time::from_unix(0));
    let parts = Parts::of(&alone, &[], Limits::DEFAULT)?;
    let mut found: Vec<Result<Template, PublicKey>> = Vec::new();
    for (_, part) in parts.iter().filter(|(_, part)| part.role == keyvouch::input::Role::Evidence) {
        match &part.content {
            Content::Request(request) => found.push(Ok(Template::like(request)?)),
            Content::CrmfRequest(request) => found.push(Err(request.key().clone())),
            Content::PublicKey(key) => found.push(Err(key.clone())),
            Content::Certificate(certificate) => {
                let key =
                    certificate.key().map_err(|_| fault("the key of the certificate cannot be read"))?;
                found.push(Err(key.clone()));
            }
            _ => {}
        }
    }
    // A request comes first: what is inside it is not the key.
    match (found.into_iter().next(), subject) {
        (None, _) => Err(fault("neither a public key, a certificate nor a certification request")),
        (Some(Ok(template)), None) => Ok(template),
        (Some(Ok(template)), Some(subject)) => Ok(template.with_subject(subject)),
        (Some(Err(key)), Some(subject)) => Ok(Template::new(key, subject)),
        (Some(Err(_)), None) => Err(Error::NoSubject),
    }
}

fn bundle(args: &RequestEmbed) -> Result<Bundle, Error> {
    let mut paths = files::evidence(&args.evidence)?.files;
    // In a folder the request lies beside the evidence.
    let key = fs::canonicalize(&args.key).ok();
    if paths.len() > 1 {
        paths.retain(|path| fs::canonicalize(path).ok() != key);
    }
    let names = files::report_names(&paths.iter().map(AsRef::as_ref).collect::<Vec<&Path>>());
    let mut evidence = Vec::with_capacity(paths.len());
    for (path, name) in paths.iter().zip(names) {
        evidence.push(File::new(name, files::read(path)?));
    }
    let submission = Submission::new(evidence, super::verify::now()?);
    Ok(Bundle::of(&Verifier::new(Reference::builtin()?), &submission)?)
}

/// What was written, and what to do with it.
fn told(args: &RequestEmbed, template: &Template, bundle: &Bundle, info: &[u8]) -> String {
    let key = template.key();
    let mut text =
        format!("The content of the request is in {}, with this evidence:\n\n", args.info.display());
    for statement in bundle.statements() {
        let _ = writeln!(
            text,
            "  {} as {}\n    {}",
            statement.format,
            statement.kind,
            statement.files.join(", ")
        );
    }
    if bundle.certificates() > 0 {
        let _ = writeln!(text, "  and {} certificate(s)", bundle.certificates());
    }
    let info_name = quote(&args.info);
    let _ = writeln!(
        text,
        "\nSign that file with the request's key, {}, for example with one of\n",
        key.algorithm()
    );
    for command in commands(key) {
        let _ = writeln!(text, "  {command} {info_name}");
    }
    if let Some(hash) = usual_hash(key) {
        let _ = writeln!(
            text,
            "\nA tool that signs digests is given this one, {hash}:\n\n  {}",
            hex::encode(hash.digest(info))
        );
    }
    let _ = writeln!(
        text,
        "\nThen\n\n  keyvouch request assemble --info {info_name} --signature request.sig --out request.csr\n  keyvouch verify request.csr"
    );
    text
}

/// Commands to which the name of the file is added.
fn commands(key: &PublicKey) -> Vec<String> {
    let hash = match usual_hash(key) {
        Some(Hash::Sha384) => "sha384",
        Some(Hash::Sha512) => "sha512",
        _ => "sha256",
    };
    let mechanism = match key.material() {
        Material::Rsa { .. } => "SHA256-RSA-PKCS".to_owned(),
        Material::Ec { .. } => format!("ECDSA-{}", hash.to_uppercase()),
        Material::Ed25519(_) => {
            return vec![
                "pkcs11-tool --sign --mechanism EDDSA --id ID -o request.sig -i".to_owned(),
                "openssl pkeyutl -sign -rawin -inkey KEY -out request.sig -in".to_owned(),
            ];
        }
        _ => return Vec::new(),
    };
    vec![
        format!("pkcs11-tool --sign --mechanism {mechanism} --id ID -o request.sig -i"),
        format!("openssl dgst -{hash} -sign KEY -out request.sig"),
        format!("tpm2_sign -c key.ctx -g {hash} -f plain -o request.sig"),
    ]
}

fn put_together(args: &RequestAssemble, out: &Output) -> Result<(), Error> {
    let (info, signature) = (files::read(&args.info)?, files::read(&args.signature)?);
    let made = match assemble(&info, &signature) {
        // As text it may be base64.
        Err(fault @ EmbedError::Signature { .. }) => match decode_base64(&signature) {
            Some(decoded) => assemble(&info, &decoded)?,
            None => return Err(fault.into()),
        },
        made => made?,
    };
    files::write_new(&args.out, made.pem().as_bytes())?;
    out.print(&format!(
        "The request is in {}, signed with {}. See what a CA will see:\n\n  keyvouch verify {}\n",
        args.out.display(),
        made.scheme,
        quote(&args.out)
    ))
}
