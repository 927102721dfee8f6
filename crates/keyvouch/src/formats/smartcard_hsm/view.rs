//! The evidence decoded for people, without judgement.

use serde_json::{Value, json};

use super::gather::Found;
use crate::crypto::Curve;
use crate::formats::Context;
use crate::pki::cvc::CvCertificate;

pub(super) fn all(found: &Found, cx: &Context<'_>) -> Vec<Value> {
    let certificates = found.certificates.iter().map(|(id, c)| {
        json!({
            "where": cx.parts.place(*id),
            "kind": "CV certificate",
            "certificate": certificate(c, Some(Curve::BrainpoolP256r1)),
        })
    });
    let requests = found.requests.iter().map(|(id, request)| {
        json!({
            "where": cx.parts.place(*id),
            "kind": "authenticated request",
            "signer": request.authority,
            "request": certificate(&request.certificate, None),
        })
    });
    let faults = found.faults.iter().map(|(id, why)| json!({ "where": cx.parts.place(*id), "fault": why }));
    certificates.chain(requests).chain(faults).collect()
}

fn certificate(certificate: &CvCertificate, curve: Option<Curve>) -> Value {
    let key = certificate.public_key(curve);
    json!({
        "authority": certificate.authority(),
        "holder": certificate.holder(),
        "role": certificate.role().map(|(scheme, role)| format!("{} of {scheme}", hex::encode(role))),
        "valid": certificate.validity().map(|(from, to)| format!("{from} to {to}")),
        "key": key.as_ref().map_or_else(ToString::to_string, |k| k.algorithm()),
        "spki_sha256": key.ok().map(|k| hex::encode(k.spki_sha256())),
        "signs_with": certificate.scheme().map_or_else(|e| e.to_string(), |s| s.to_string()),
        "sha256": hex::encode(certificate.sha256()),
    })
}
