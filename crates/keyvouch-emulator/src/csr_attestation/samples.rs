//! Ready-made evidence.

use super::{ATTESTATION, Bundle, CertReq, FORMAT, Nesting, Statement, cmp_message, messages};
use crate::key::{Key, KeyKind};
use crate::tpm::{Ak, AkAuthority, SignatureForm, Statement as TpmStatement, tpm2b};
use crate::x509::Extension;
use crate::yubikey_piv::{Carrier, Device, Hierarchy, Maker, pin, touch};
use crate::{Error, File, Sample, der, pem};
use serde_json::Map;

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    let mut add = |variant: &str, about: &str, kind, change: &dyn Fn(&mut Bundle)| {
        let (key, mut bundle, anchors) = of_tpm(kind)?;
        change(&mut bundle);
        let file = File::new("request.csr", pem::request(&bundle.request(&key)?));
        samples.push(sample(variant, about, file, anchors));
        Ok::<_, Error>(())
    };
    add("pkcs10", "PKCS#10, the current draft: the statement of a TPM", KeyKind::P256, &|_| {})?;
    add("pkcs10-rsa3072", "the same of an RSA-3072 key", KeyKind::Rsa3072, &|_| {})?;
    add("hint-utf8", "draft -16: a hint as UTF8String", KeyKind::P256, &|bundle| {
        bundle.statements[0].after = der::utf8_string("verifier.example");
    })?;
    add("hint-ia5", "drafts -17 to -22: a hint as IA5String", KeyKind::P256, &|bundle| {
        bundle.statements[0].after = der::tlv(0x16, b"verifier.example");
    })?;
    add("binds", "draft -23: bindsPublicKey and attributes", KeyKind::P256, &|bundle| {
        bundle.statements[0].before = der::implicit(0, &[0]);
        bundle.statements[0].after = der::explicit(1, &[]);
    })?;
    add("bundles", "drafts -03 to -15: a list of bundles", KeyKind::P256, &|bundle| {
        bundle.nesting = Nesting::List;
    })?;
    add("beside-unknown", "a DICE statement beside it, which nobody evaluates", KeyKind::P256, &|bundle| {
        let dice = [0x06, 6, 0x67, 0x81, 0x05, 5, 4, 1].to_vec();
        bundle.statements.insert(0, Statement::new(dice, der::sequence(&[der::implicit(0, b"maker")])));
        bundle
            .certificates
            .push(der::explicit(3, &[der::oid(ATTESTATION).unwrap_or_default(), der::null()].concat()));
    })?;
    samples.push(with_size()?);
    samples.push(of_two_devices()?);
    samples.extend(in_crmf()?);
    Ok(samples)
}

fn sample(variant: &str, about: &str, request: File, anchors: Vec<File>) -> Sample {
    Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence: vec![request.clone()],
        request: Some(request),
        anchors,
        at: "2026-06-01T00:00:00Z".to_owned(),
        options: Map::new(),
    }
}

fn of_tpm(kind: KeyKind) -> Result<(std::sync::Arc<Key>, Bundle, Vec<File>), Error> {
    let authority = AkAuthority::new()?;
    let key = Key::shared(&format!("{FORMAT}: subscriber"), kind)?;
    let mut statement = TpmStatement::new(&key, Ak::new("AK", KeyKind::Rsa2048)?, &authority)?;
    statement.form = SignatureForm::Bare;
    Ok((key, Bundle::of_tpm(&statement.sign()?)?, authority.anchors()))
}

/// A size before the public area, as producers wrote it before July 2024, and the signature in its structure.
fn with_size() -> Result<Sample, Error> {
    let authority = AkAuthority::new()?;
    let key = Key::shared(&format!("{FORMAT}: subscriber"), KeyKind::P256)?;
    let mut signed = TpmStatement::new(&key, Ak::new("AK", KeyKind::P256)?, &authority)?.sign()?;
    signed.public = tpm2b(&signed.public);
    let file = File::new("request.csr", Bundle::of_tpm(&signed)?.request(&key)?);
    Ok(sample("sized-public", "TPM2B_PUBLIC and TPMT_SIGNATURE; DER", file, authority.anchors()))
}

/// A YubiKey's own evidence beside the statement of a TPM, about the same key: no real key is in both.
fn of_two_devices() -> Result<Sample, Error> {
    let (key, mut bundle, mut anchors) = of_tpm(KeyKind::P256)?;
    let maker = Maker::new(Hierarchy::PivRoot)?;
    let signed = maker.attest(&Device::new([5, 4, 3])?, 0x9a, &key, pin::ONCE, touch::NEVER)?.sign()?;
    let files = signed.carried(Carrier::TwoPems)?;
    let each: Vec<&[u8]> = files.iter().map(|file| file.bytes.as_slice()).collect();
    bundle.statements.push(Statement::of_maker(1, &each));
    let names = (1..).map(|number: u32| format!("yubico-{number}.pem"));
    anchors.extend(maker.anchors().into_iter().zip(names).map(|(file, name)| File { name, ..file }));
    let file = File::new("request.csr", pem::request(&bundle.request(&key)?));
    Ok(sample("two-statements", "a statement of a TPM and one of a YubiKey", file, anchors))
}

fn in_crmf() -> Result<Vec<Sample>, Error> {
    let (key, bundle, anchors) = of_tpm(KeyKind::P256)?;
    let mut request = CertReq::new(&key)?;
    request.extensions.push(Extension::new(ATTESTATION, bundle.value()));
    let body = messages(&[request.sign(&key)?]);
    let without = Bundle { certificates: Vec::new(), ..bundle.clone() };
    let pkcs10 = without.request(&key)?;
    Ok(vec![
        sample("crmf", "CertReqMessages", File::new("request.crmf", body.clone()), anchors.clone()),
        sample(
            "cmp-ir",
            "a CMP initialization request",
            File::new("ir.pki", cmp_message(0, &body, &[])?),
            anchors.clone(),
        ),
        sample(
            "cmp-p10cr",
            "a CMP message with PKCS#10, the certificates in extraCerts",
            File::new("p10cr.pki", cmp_message(4, &pkcs10, &bundle.certificates)?),
            anchors,
        ),
    ])
}
