//! AIK_INFO and EK_INFO: what Windows encrypts to the exchange certificate of the CA.

use der::Tag;

use super::checks as ck;
use crate::checks::Checks;
use crate::crypto::PublicKey;
use crate::formats::Context;
use crate::input::find_pem;
use crate::pki::Certificate;
use crate::pki::enveloped::{EnvelopeError, Enveloped};
use crate::wire::der::{content, sequence};

/// EK_INFO holds at most the EK certificate and three others.
const MAX_MEMBERS: usize = 5;

/// What the attributes of one request gave.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// The attestation key that AIK_INFO names.
    pub(super) aik: Option<(String, PublicKey)>,
    pub(super) certificates: Vec<(String, Certificate)>,
}

/// The operator's exchange key, as PKCS#8.
pub(super) fn exchange_key(cx: &Context<'_>) -> Option<Vec<u8>> {
    let file = cx.options.file("exchange_key")?;
    Some(pem_or_der(file))
}

/// SHA-1 of the operator's exchange certificate.
pub(super) fn exchange_certificate_digest(cx: &Context<'_>) -> Option<Vec<u8>> {
    cx.options.file("exchange_cert").map(|file| crate::crypto::sha1(&pem_or_der(file)).to_vec())
}

fn pem_or_der(file: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(file).unwrap_or_default();
    find_pem(text).into_iter().find_map(|block| block.der).unwrap_or_else(|| file.to_vec())
}

/// Opens an attribute and reads what is in it.
pub(super) fn open(
    name: &str,
    value: &[u8],
    place: &str,
    key: Option<&[u8]>,
    opened: &mut Opened,
    checks: &mut Checks,
) {
    let place = || format!("{place} › {name}");
    let Some(key) = key else {
        checks.skip(&ck::AIK_INFO, place(), "it is encrypted to the CA, and no exchange key is configured");
        return;
    };
    let plain = Enveloped::read(value).and_then(|enveloped| enveloped.open(key));
    let plain = match plain {
        Ok(plain) => plain,
        Err(why @ (EnvelopeError::Key | EnvelopeError::OtherRecipient | EnvelopeError::Algorithm)) => {
            checks.skip(&ck::AIK_INFO, place(), why.to_string());
            return;
        }
        // One answer whether the padding or what is inside is wrong: this must not become an oracle.
        Err(EnvelopeError::Form) => {
            checks.fail(&ck::AIK_INFO, place(), EnvelopeError::Form.to_string());
            return;
        }
        Err(EnvelopeError::Content) => {
            checks.fail(&ck::AIK_INFO, place(), CONTENT);
            return;
        }
    };
    match read(&plain) {
        Some(read) => {
            checks.pass(&ck::AIK_INFO, place(), "it was opened with the exchange key");
            take(name, read, &place(), opened, checks);
        }
        None => checks.fail(&ck::AIK_INFO, place(), CONTENT),
    }
}

const CONTENT: &str = "its content is not a public key with its certificates";

type Content = (PublicKey, Vec<Certificate>);

/// SEQUENCE { SubjectPublicKeyInfo, certificates }; EK_INFO has NULL for an EK certificate that is not there.
fn read(plain: &[u8]) -> Option<Content> {
    let members = sequence(plain, MAX_MEMBERS)?;
    let (key, rest) = members.split_first()?;
    let certificates = rest
        .iter()
        .filter(|member| content(member, Tag::Null) != Some(&[][..]))
        .map(|member| Certificate::from_der(member).ok())
        .collect::<Option<Vec<_>>>()?;
    Some((PublicKey::from_spki_der(key).ok()?, certificates))
}

fn take(name: &str, (key, certificates): Content, place: &str, opened: &mut Opened, checks: &mut Checks) {
    if name == super::AIK_INFO_NAME {
        if let Some(certificate) = certificates.first() {
            checks.test(
                &ck::AIK_CERTIFICATE,
                place.to_owned(),
                certificate.key().is_ok_and(|own| *own == key),
                "the certificate is that of the key beside it",
                || "the certificate is of another key than the one beside it".into(),
            );
        }
        opened.aik = Some((place.to_owned(), key));
    }
    opened.certificates.extend(certificates.into_iter().map(|c| (place.to_owned(), c)));
}
