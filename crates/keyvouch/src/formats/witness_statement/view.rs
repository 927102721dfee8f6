//! A statement decoded for people, without judgement.

use serde_json::{Value, json};

use super::gather::{Form, Found, Signature};
use super::said::Said;
use crate::input::parse_json;
use crate::pki::Certificate;
use crate::time::Time;

pub(super) fn view(found: &Found<'_>) -> Value {
    let said = match &found.fault {
        Some(fault) => Err(fault.clone()),
        None => Said::read(&found.octets),
    };
    json!({
        "where": found.place,
        "statement": parse_json(&found.octets).unwrap_or_default(),
        "fault": said.err(),
        "signatures": found.signatures.iter().map(signature).collect::<Vec<_>>(),
    })
}

fn signature(signature: &Signature<'_>) -> Value {
    let certificates: Vec<String> = signature.certificates.iter().map(Certificate::display_name).collect();
    let (form, time, fault): (_, Option<Time>, _) = match &signature.form {
        Form::Cms(_, signer) => ("CMS", signer.signing_time(), None),
        Form::Jws(jws) => ("JWS", jws.signing_time, None),
        Form::Broken(why) => ("JWS", None, Some(why)),
    };
    json!({
        "where": signature.place,
        "form": form,
        "signing_time": time.map(|t| t.to_string()),
        "certificates": certificates,
        "fault": fault,
    })
}
