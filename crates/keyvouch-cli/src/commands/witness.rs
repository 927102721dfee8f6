//! `keyvouch witness`: statements of people who saw a key being made.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair};
use keyvouch::crypto::{Curve, Hash, Material, PublicKey, Scheme};
use keyvouch::input::{Content, Limits, Parts};
use keyvouch::pki::Certificate;
use keyvouch::witness::sign::{Form, Unsigned};
use keyvouch::{File, Submission, Time, witness};

use super::emulate::quote;
use crate::cli::{
    At, Pair, SignatureForm, Witness, WitnessCommand, WitnessSign, WitnessTemplate, WitnessVerify,
};
use crate::error::Error;
use crate::files;
use crate::files::write_new;
use crate::output::Output;

/// The policy for witnessed ceremonies.
const POLICY: &str = "cabf-code-signing-witnessed";

pub(crate) fn run(args: Witness, out: &Output) -> Result<ExitCode, Error> {
    match args.command {
        WitnessCommand::Template(args) => template(&args, out).map(|()| ExitCode::SUCCESS),
        WitnessCommand::Sign(args) => sign(&args, out).map(|()| ExitCode::SUCCESS),
        WitnessCommand::Verify(args) => verify(*args, out),
    }
}

fn template(args: &WitnessTemplate, out: &Output) -> Result<(), Error> {
    let key = args.request.as_deref().map(key_of).transpose()?;
    out.json(&witness::template(key.as_ref(), args.device.as_deref()))
}

/// The one key of a request, certificate or public key.
fn key_of(path: &Path) -> Result<PublicKey, Error> {
    let wrong = || Error::Unusable {
        path: path.to_owned(),
        what: "holds not exactly one certification request, certificate or public key",
    };
    let mut keys: Vec<PublicKey> = Vec::new();
    for content in contents(path)? {
        let key = match content {
            Content::Request(request) => Some(request.key().clone()),
            Content::Certificate(certificate) => certificate.key().ok().cloned(),
            Content::PublicKey(key) => Some(key),
            _ => None,
        };
        keys.extend(key.filter(|key| !keys.contains(key)));
    }
    let key = keys.pop().ok_or_else(wrong)?;
    if keys.is_empty() { Ok(key) } else { Err(wrong()) }
}

fn contents(path: &Path) -> Result<Vec<Content>, Error> {
    let file =
        Submission::new(vec![File::new(path.to_string_lossy(), files::read(path)?)], Time::from_unix(0));
    let parts = Parts::of(&file, &[], Limits::DEFAULT)?;
    Ok(parts.iter().map(|(_, part)| part.content.clone()).collect())
}

fn sign(args: &WitnessSign, out: &Output) -> Result<(), Error> {
    let fail = |why| Error::Witness { path: args.statement.clone(), why };
    let statement = files::read(&args.statement)?;
    let certificates = certificates(&args.certificate)?;
    let at = match args.time {
        Some(At::Time(time)) => time,
        Some(At::Now) | None => super::verify::now()?,
    };
    let form = match args.form {
        SignatureForm::Cms => Form::Cms,
        SignatureForm::CmsDetached => Form::CmsDetached,
        SignatureForm::Jws => Form::Jws,
        SignatureForm::JwsJson => Form::JwsJson,
    };
    let unsigned = Unsigned::new(&statement, &certificates, form, at).map_err(fail)?;
    if let Some(path) = &args.to_be_signed {
        write_new(path, unsigned.to_be_signed())?;
        return out.print(&format!(
            "{} is to be signed: {}.\nGive the signature back with --signature, and --time {at}.\n",
            quote(path),
            unsigned.scheme()
        ));
    }
    let signature = match (&args.signature, &args.key) {
        (Some(path), _) => files::read(path)?,
        (None, Some(path)) => made_by(path, &unsigned, &certificates)?,
        (None, None) => return Err(Error::NoSigner),
    };
    let signed = unsigned.finish(&signature).map_err(fail)?;
    let Some(path) = &args.out else { return Err(Error::NoSigner) };
    let text = match form {
        Form::Cms | Form::CmsDetached => pem("CMS", &signed).into_bytes(),
        Form::Jws | Form::JwsJson => signed,
    };
    write_new(path, &text)?;
    let also = if form == Form::CmsDetached { format!(" {}", quote(&args.statement)) } else { String::new() };
    out.print(&format!(
        "Signed, in {}. The CA judges it with\n\n  keyvouch witness verify{also} {} --request request.csr --auditors auditors.pem\n",
        quote(path),
        quote(path),
    ))
}

/// The certificates, in the order given.
fn certificates(paths: &[PathBuf]) -> Result<Vec<Certificate>, Error> {
    let mut found: Vec<Certificate> = Vec::new();
    for path in paths {
        let before = found.len();
        for content in contents(path)? {
            if let Content::Certificate(certificate) = content
                && !found.contains(&certificate)
            {
                found.push(certificate);
            }
        }
        if found.len() == before {
            return Err(Error::Unusable { path: path.clone(), what: "holds no certificate" });
        }
    }
    Ok(found)
}

/// Signs with the key in a file. Nothing of the file is ever printed.
fn made_by(path: &Path, unsigned: &Unsigned<'_>, certificates: &[Certificate]) -> Result<Vec<u8>, Error> {
    let fail = |what| Error::Unusable { path: path.to_owned(), what };
    let bytes = files::read(path)?;
    let der = match std::str::from_utf8(&bytes) {
        Ok(text) => keyvouch::input::find_pem(text)
            .into_iter()
            .find(|block| block.label.ends_with("PRIVATE KEY"))
            .ok_or_else(|| fail("holds no private key in PEM"))?,
        Err(_) => return made_with(&bytes, unsigned, certificates).ok_or_else(|| fail(NO_KEY)),
    };
    if der.label.starts_with("ENCRYPTED") {
        return Err(fail(
            "is encrypted; take the password off (openssl pkey), or sign elsewhere: --to-be-signed",
        ));
    }
    let der = der.der.ok_or_else(|| fail("holds a private key that is not base64"))?;
    made_with(&der, unsigned, certificates).ok_or_else(|| fail(NO_KEY))
}

const NO_KEY: &str = "is not the private key of the certificate (PKCS#8, PKCS#1 or SEC 1 without password), or a password protects it";

/// The signature; `None` when the key is not in a form that is read, or not of the kind that the certificate has. Whether
/// it is the very key is seen when the signature is verified.
fn made_with(der: &[u8], unsigned: &Unsigned<'_>, certificates: &[Certificate]) -> Option<Vec<u8>> {
    let (message, random) = (unsigned.to_be_signed(), SystemRandom::new());
    match (certificates.first()?.key().ok()?.material(), unsigned.scheme()) {
        (Material::Rsa { .. }, Scheme::RsaPkcs1(Hash::Sha256)) => {
            let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok()?;
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(&lc::RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
            Some(signature)
        }
        (Material::Ec { curve, .. }, _) => {
            let algorithm = ecdsa(*curve)?;
            let key = EcdsaKeyPair::from_pkcs8(algorithm, der)
                .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, der))
                .ok()?;
            Some(key.sign(&random, message).ok()?.as_ref().to_vec())
        }
        (Material::Ed25519(_), _) => {
            let key = Ed25519KeyPair::from_pkcs8(der)
                .or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der))
                .ok()?;
            Some(key.sign(message).as_ref().to_vec())
        }
        _ => None,
    }
}

fn ecdsa(curve: Curve) -> Option<&'static EcdsaSigningAlgorithm> {
    match curve {
        Curve::P256 => Some(&lc::ECDSA_P256_SHA256_ASN1_SIGNING),
        Curve::P384 => Some(&lc::ECDSA_P384_SHA384_ASN1_SIGNING),
        Curve::P521 => Some(&lc::ECDSA_P521_SHA512_ASN1_SIGNING),
        _ => None,
    }
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        lines.push(line.to_owned());
        rest = more;
    }
    lines.push(format!("-----END {label}-----\n"));
    lines.join("\n")
}

fn verify(args: WitnessVerify, out: &Output) -> Result<ExitCode, Error> {
    let WitnessVerify { auditors, min_witnesses, mut verify } = args;
    let mut option = |key: &str, value: String| verify.judge.option.push(Pair { key: key.to_owned(), value });
    option("auditors", auditors.to_string_lossy().into_owned());
    if let Some(least) = min_witnesses {
        option("min_witnesses", least.to_string());
    }
    // The default of `keyvouch verify` takes attestation only; whoever names a policy is left his choice.
    if verify.judge.policy == ["hardware-key"] {
        verify.judge.policy = vec![POLICY.to_owned()];
    }
    super::verify::run(&verify, out)
}
