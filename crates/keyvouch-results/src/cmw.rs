//! Wrappers (CMW) around what results are made of: evidence put into a result, and a result itself.

pub use keyvouch::wire::cmw::{Cmw, CmwError, Collection, Label, Media, Record, indicator};

use keyvouch::File;
use keyvouch::pki::{Certificate, CertificationRequest, cms};

use crate::ear::Profile;
use crate::token::Form;

/// A token in a wrapper that says what it is.
#[must_use]
pub fn around(token: Vec<u8>, form: Form, profile: Profile) -> Cmw {
    Cmw::Record(Record {
        media: Media::Type(form.media_type(profile)),
        value: token,
        indicator: Some(indicator::ATTESTATION_RESULTS),
    })
}

/// Evidence as one record: a file as it is, several as a collection by their names.
#[must_use]
pub fn evidence(files: &[File]) -> Option<Record> {
    let record = |file: &File, indicator| Record {
        media: Media::Type(media_type(&file.bytes).to_owned()),
        value: file.bytes.clone(),
        indicator,
    };
    match files {
        [] => None,
        [only] => Some(record(only, None)),
        many => {
            let mut members: Vec<(Label, Cmw)> = Vec::new();
            for (number, file) in (1_usize..).zip(many) {
                let label = Label::Text(file.name.clone());
                let label = match members.iter().any(|(l, _)| *l == label) {
                    true => Label::Text(format!("{number}: {}", file.name)),
                    false => label,
                };
                members.push((label, Cmw::Record(record(file, Some(indicator::EVIDENCE)))));
            }
            let collection = Cmw::Collection(Collection { kind: None, members });
            Some(Record {
                media: Media::Type("application/cmw+cbor".to_owned()),
                value: collection.to_cbor(),
                indicator: None,
            })
        }
    }
}

/// The media type of a file, by its content.
fn media_type(bytes: &[u8]) -> &'static str {
    match bytes.trim_ascii_start() {
        [b'{' | b'[', ..] => return "application/json",
        [b'<', ..] => return "application/xml",
        text if text.starts_with(b"-----BEGIN CERTIFICATE-----") => {
            return "application/pem-certificate-chain";
        }
        _ => {}
    }
    match bytes {
        [b'P', b'K', 3, 4, ..] => "application/zip",
        [0x1f, 0x8b, ..] => "application/gzip",
        [0x30, ..] if Certificate::from_der(bytes).is_ok() => "application/pkix-cert",
        [0x30, ..] if CertificationRequest::from_der(bytes).is_ok() => "application/pkcs10",
        [0x30, ..] if cms::looks_like_signed_data(bytes) => "application/pkcs7-mime",
        _ => "application/octet-stream",
    }
}
