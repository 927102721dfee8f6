//! Requests with evidence in them, decoded for people.

use serde_json::{Value, json};

use super::envelope::Envelope;
use super::routes::{NUMBERS, TCG_CERTIFY, VENDOR_ARC, name};
use super::tpm::Parts;
use crate::checks::Checks;
use crate::formats::tpm::view as tpm;
use crate::pki::Certificate;
use crate::pki::attestation::Statement;
use crate::pki::name as subject;

pub(super) fn of(envelope: &Envelope<'_>) -> Value {
    let mut checks = Checks::default();
    let Some(attestation) = envelope.read(&mut checks) else {
        let faults =
            checks.into_records().into_iter().map(|record| format!("{}: {}", record.id, record.detail));
        return json!({ "where": envelope.place, "faults": faults.collect::<Vec<_>>() });
    };
    let certificates = attestation.certificates.iter().map(|der| match Certificate::from_der(der) {
        Ok(certificate) => json!({
            "subject": certificate.display_name(), "issuer": subject::display(certificate.issuer()),
        }),
        Err(why) => json!({ "fault": why.to_string() }),
    });
    json!({
        "where": envelope.place,
        "shape": attestation.dialect.to_string(),
        "statements": attestation.statements.iter().map(statement).collect::<Vec<_>>(),
        "certificates": certificates.collect::<Vec<_>>(),
        "other_certificates": attestation.other_certificates,
    })
}

fn statement(statement: &Statement<'_>) -> Value {
    let kind = statement.kind.to_string();
    let number = statement.kind.number_below(&VENDOR_ARC);
    let format = NUMBERS.iter().find(|(n, _)| Some(*n) == number).map(|(_, id)| *id);
    let content = match Parts::read(statement.body).filter(|_| kind == TCG_CERTIFY) {
        Some(parts) => json!({
            "attest": tpm::attest(parts.attest),
            "signature_bytes": parts.signature.len(),
            "public": parts.public.map(|bytes| tpm::public(crate::formats::tpm::gather::public_area(bytes).unwrap_or(bytes))),
        }),
        None => json!({ "files": statement.files().iter().map(|file| file.len()).collect::<Vec<_>>() }),
    };
    json!({
        "type": kind, "name": name(&kind), "format": format, "hint": statement.hint,
        "said_to_bind_key": statement.binds_key, "content": content,
    })
}
