//! The statement of a TPM, 2.23.133.20.1 (tcg-attest-tpm-certify):
//!
//! ```text
//! SEQUENCE { tpmSAttest OCTET STRING, signature OCTET STRING, tpmTPublic OCTET STRING OPTIONAL }
//! ```
//!
//! tpmSAttest is a TPMS_ATTEST. The signature is bare, or a TPMT_SIGNATURE. tpmTPublic is a TPMT_PUBLIC; before July
//! 2024 producers wrote its size before it.

use std::borrow::Cow;

use der::Tag;

use crate::formats::tpm::gather::{Pool, Signature, public_area};
use crate::formats::tpm::signature::ecdsa_der;
use crate::formats::tpm::statement::{Material, judge as judge_statement, modulus_lengths};
use crate::formats::tpm::switches::{Switches, pinned};
use crate::formats::tpm::{self, checks as ck};
use crate::formats::{Context, Statement};
use crate::pki::Certificate;
use crate::wire::der::{content, sequence};
use crate::wire::tpm::{PublicArea, SignatureValue, TpmSignature, alg};

/// The three parts.
pub(super) struct Parts<'a> {
    pub(super) attest: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) public: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let members = sequence(body, 3)?;
        let octets: Vec<&[u8]> =
            members.into_iter().map(|m| content(m, Tag::OctetString)).collect::<Option<_>>()?;
        match octets.as_slice() {
            [attest, signature] => Some(Self { attest, signature, public: None }),
            [attest, signature, public] => Some(Self { attest, signature, public: Some(public) }),
            _ => None,
        }
    }
}

/// Judges the statement like every other of a TPM; what is found goes into `statement`.
pub(super) fn judge(
    body: &[u8],
    place: &str,
    certificates: &[(String, Certificate)],
    cx: &Context<'_>,
    statement: &mut Statement,
) {
    let checks = &mut statement.checks;
    let Some(parts) = Parts::read(body) else {
        let detail = "not a SEQUENCE of two or three OCTET STRINGs: attestation, signature, public area";
        checks.fail(&ck::MALFORMED, place.to_owned(), detail);
        return;
    };
    let mut publics = Vec::new();
    if let Some(bytes) = parts.public {
        match PublicArea::read(public_area(bytes).unwrap_or(bytes)) {
            Ok(public) => publics.push((place, public)),
            Err(fault) => checks.fail(&ck::MALFORMED, place.to_owned(), format!("public area: {fault}")),
        }
    }
    let pinned = match pinned(cx) {
        Some(Err(why)) => {
            checks.fail(&ck::AK_UNKNOWN, "option ak_pinned", why);
            None
        }
        other => other.and_then(Result::ok),
    };
    let keys = certificates.iter().filter_map(|(_, c)| c.key().ok()).chain(pinned.iter().map(|p| &p.key));
    let signature = match Signature::read(parts.signature, &modulus_lengths(keys.map(Cow::Borrowed))) {
        Ok(signature) => Some(signature),
        Err(fault) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), format!("signature: {fault}"));
            None
        }
    };
    let material = Material {
        format: tpm::ID,
        place,
        attest: parts.attest,
        signature,
        publics,
        creations: Vec::new(),
        certificates,
        bare_keys: Vec::new(),
        ak_statements: Vec::new(),
        pinned,
        switches: Switches::of(cx.options),
        nonce: cx.nonce,
    };
    judge_statement(&material, cx, statement);
}

/// The parts of a TCG statement and the certificates with it.
pub(crate) type TcgStatement = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Evidence of the format `tpm` as a TCG statement; `None` when such a statement cannot hold all of it (creation data,
/// the public area of the attestation key, a document), or a reader could not tell how its signature was made.
pub(crate) fn tcg_statement(cx: &Context<'_>) -> Option<TcgStatement> {
    let pool = Pool::of(cx);
    let ([attest], [signature], [public]) =
        (pool.attests.as_slice(), pool.signatures.as_slice(), pool.publics.as_slice())
    else {
        return None;
    };
    let is_all = pool.creations.is_empty() && pool.documents.is_empty() && pool.broken.is_empty();
    let signature = match TpmSignature::read(&signature.bytes) {
        // SHA-256 is what a reader tries for every kind of key.
        Ok(made) if made.hash == alg::SHA256 => match made.value {
            SignatureValue::Rsa(bytes) => bytes.to_vec(),
            SignatureValue::Ec { r, s } => ecdsa_der(r, s)?,
        },
        Ok(_) => return None,
        Err(_) => signature.bytes.to_vec(),
    };
    let certificates = pool.certificates.iter().map(|(_, c)| c.der().to_vec()).collect();
    is_all.then(|| (vec![attest.bytes.to_vec(), signature, public.bytes.to_vec()], certificates))
}
