//! The statements among the evidence, each with every signature over it, however they came: in CMS or JWS, or beside
//! them with detached CMS.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;

use super::said::{is_statement, looks_like_statement};
use crate::checks::Text;
use crate::formats::Context;
use crate::input::{Content, Part, PartId, decode_base64url};
use crate::pki::Certificate;
use crate::pki::cms::{SignedData, SignerInfo};
use crate::pki::jws::{Jws, JwsSignature};
use crate::wire::bytes::contains;

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

/// More signatures than any ceremony has witnesses.
pub(super) const MAX_SIGNATURES: usize = 32;

/// A statement and its signatures.
pub(super) struct Found<'a> {
    /// The statement as received; empty when what holds it cannot be read.
    pub(super) octets: Cow<'a, [u8]>,
    /// Why what holds it cannot be read.
    pub(super) fault: Option<String>,
    /// Where it was seen first.
    pub(super) place: String,
    pub(super) labels: Vec<(PartId, Text)>,
    pub(super) signatures: Vec<Signature<'a>>,
}

/// A signature and where it is.
pub(super) struct Signature<'a> {
    pub(super) place: String,
    pub(super) form: Form<'a>,
    /// The certificates that came in it.
    pub(super) certificates: Vec<Certificate>,
}

/// How it was made.
pub(super) enum Form<'a> {
    Cms(ObjectIdentifier, SignerInfo<'a>),
    Jws(JwsSignature),
    /// It cannot be read.
    Broken(String),
}

/// A CMS signature without its content.
struct Detached<'a> {
    id: PartId,
    place: &'a str,
    data: SignedData<'a>,
}

/// All of them, in the order of the evidence.
pub(super) fn statements<'a>(cx: &Context<'a>) -> Vec<Found<'a>> {
    let mut found = All(Vec::new());
    let mut detached = Vec::new();
    for (id, part) in cx.parts.evidence() {
        match &part.content {
            Content::Cms { .. } => match SignedData::read(&part.bytes) {
                Ok(data) => match data.content.octets {
                    Some(octets) if looks_like_statement(octets) => {
                        let statement = found.statement(
                            id,
                            part,
                            Cow::Borrowed(octets),
                            "witness statement, signed (CMS)",
                        );
                        statement.signatures.extend(cms(&part.place, &data));
                    }
                    Some(_) => {}
                    None => detached.push(Detached { id, place: &part.place, data }),
                },
                Err(why) if holds_marker(&part.bytes) => {
                    let statement = found.statement(id, part, Cow::Borrowed(&[]), "witness statement (CMS)");
                    statement.fault = Some(format!("the CMS that holds it cannot be read: {why}"));
                }
                Err(_) => {}
            },
            Content::Json(value) if is_statement(value) => {
                found.statement(id, part, Cow::Borrowed(&part.bytes), "witness statement");
            }
            Content::Json(value) => {
                if let Some(jws) = value.as_object().and_then(Jws::json) {
                    found.jws(id, part, jws);
                }
            }
            Content::BrokenJson(_) if looks_like_statement(&part.bytes) => {
                found.statement(id, part, Cow::Borrowed(&part.bytes), "witness statement");
            }
            Content::Binary => {
                if let Some(jws) = compact(&part.bytes) {
                    found.jws(id, part, jws);
                }
            }
            _ => {}
        }
    }
    found.attach(detached);
    found.0
}

/// A compact JWS. Binary data of other kinds is told from it quickly.
fn compact(bytes: &[u8]) -> Option<Jws> {
    let header = bytes.trim_ascii().split(|b| *b == b'.').next()?;
    let header = decode_base64url(std::str::from_utf8(header).ok()?)?;
    header.trim_ascii_start().starts_with(b"{").then(|| Jws::compact(bytes))?
}

struct All<'a>(Vec<Found<'a>>);

impl<'a> All<'a> {
    /// The statement with these octets: one, however often it was handed in.
    fn statement(
        &mut self,
        id: PartId,
        part: &Part<'_>,
        octets: Cow<'a, [u8]>,
        label: &'static str,
    ) -> &mut Found<'a> {
        let known = self.0.iter().position(|f| f.fault.is_none() && f.octets == octets);
        let index = known.unwrap_or_else(|| {
            self.0.push(Found {
                octets,
                fault: None,
                place: part.place.clone(),
                labels: Vec::new(),
                signatures: Vec::new(),
            });
            self.0.len().saturating_sub(1)
        });
        // The index is that of the entry found or pushed above.
        #[allow(clippy::indexing_slicing, reason = "the index is one of the list, by the lines above")]
        let statement = &mut self.0[index];
        statement.labels.push((id, label.into()));
        statement
    }

    fn jws(&mut self, id: PartId, part: &'a Part<'a>, jws: Jws) {
        if !looks_like_statement(&jws.payload) {
            return;
        }
        let Jws { payload, signatures } = jws;
        let several = signatures.len() > 1;
        let statement = self.statement(id, part, Cow::Owned(payload), "witness statement, signed (JWS)");
        for (number, signature) in (1_usize..).zip(signatures) {
            let place =
                if several { format!("{}, signature {number}", part.place) } else { part.place.clone() };
            let (form, certificates) = match signature {
                Ok(signature) => {
                    let certificates = signature.certificates.iter().map(|der| Certificate::from_der(der));
                    match certificates.collect::<Result<Vec<_>, _>>() {
                        Ok(certificates) => (Form::Jws(signature), certificates),
                        Err(why) => (Form::Broken(format!("a certificate of x5c: {why}")), Vec::new()),
                    }
                }
                Err(why) => (Form::Broken(why), Vec::new()),
            };
            statement.signatures.push(Signature { place, form, certificates });
        }
    }

    /// Gives detached signatures to the statements whose digest they hold. One that holds the digest of none is over
    /// the only statement that nobody signed, if there is one: it will be found to be wrong.
    fn attach(&mut self, detached: Vec<Detached<'a>>) {
        let mut strangers = Vec::new();
        for one in detached {
            let over = |octets: &[u8]| one.data.signers.iter().any(|s| s.has_digest_of(octets) == Some(true));
            match self.0.iter_mut().find(|f| f.fault.is_none() && over(&f.octets)) {
                Some(statement) => statement.take(one),
                None => strangers.push(one),
            }
        }
        let mut unsigned: Vec<_> =
            self.0.iter_mut().filter(|f| f.fault.is_none() && f.signatures.is_empty()).collect();
        if let [only] = unsigned.as_mut_slice() {
            let of_data =
                |one: &Detached<'_>| one.data.content.kind == ID_DATA && !one.data.signers.is_empty();
            strangers.into_iter().filter(of_data).for_each(|one| only.take(one));
        }
    }
}

impl<'a> Found<'a> {
    fn take(&mut self, one: Detached<'a>) {
        self.labels.push((one.id, "signature over a witness statement (CMS, detached)".into()));
        self.signatures.extend(cms(one.place, &one.data));
    }
}

fn cms<'a>(place: &str, data: &SignedData<'a>) -> Vec<Signature<'a>> {
    // What is no certificate there (an attribute certificate, say) vouches for nobody.
    let certificates: Vec<_> =
        data.certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    let several = data.signers.len() > 1;
    (1_usize..)
        .zip(&data.signers)
        .map(|(number, signer)| Signature {
            place: if several { format!("{place}, signer {number}") } else { place.to_owned() },
            form: Form::Cms(data.content.kind, signer.clone()),
            certificates: certificates.clone(),
        })
        .collect()
}

fn holds_marker(bytes: &[u8]) -> bool {
    let marker = crate::witness::SCHEMA_NAME.as_bytes();
    contains(bytes, marker)
}
