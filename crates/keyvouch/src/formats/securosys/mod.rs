//! Securosys Primus HSM key attestation: an XML document about one key, signed byte for byte by an attestation
//! key of the partition.
//!
//! ```text
//! document ← attestation key (leaf) ← device, "PRIMUS HSM KEY (SN: …)" ← PRIMUS_HSM_ROOTKEY
//! ```
//!
//! Sources: Securosys documentation, "Key Attestation" of the Transaction Security Broker (TSB) and application
//! note AN-E01; the PKCS#11 example `attestation.cpp` in securosys-com/hsm-api-examples.
//!
//! The signature is verified first, over the bytes received; then the same bytes are read ([`document`]). In
//! what comes along, three things look like evidence and are none: the TSB's `json` beside `xml` is not
//! signed, the attestation key as bare PEM is vouched for by nobody, and so is a root in the chain.

mod chain;
mod checks;
mod claims;
mod document;
mod gather;
mod rules;
mod signature;
mod xml;

use serde_json::{Value, json};

use self::checks as ck;
use self::document::Document;
use self::gather::{Bundle, MAX_CERTIFICATES, MAX_XML, Piece};
use self::signature::Signed;
use super::{About, Context, Format, Proof, Statement};
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Check, Checks};
use crate::pki::name;
use crate::submission::{OptionDef, OptionKind};

/// The format.
pub(crate) struct Securosys;

const ID: &str = "securosys";

/// What the common name of a device begins with; the serial number and a bracket follow.
const DEVICE_CN: &str = "PRIMUS HSM KEY (SN: ";

static ABOUT: About = About {
    id: ID,
    title: "Securosys Primus HSM key attestation",
    maker: "Securosys",
    devices: "Primus HSM X, E and S series; CloudHSM",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "allow_external_store",
            kind: OptionKind::Bool,
            about: "accept a key that was imported from the external key store, when its access flags are all good; where it was generated is then unknown",
        },
        OptionDef {
            name: "max_age_days",
            kind: OptionKind::Number,
            about: "days after which an attestation that carries its time is too old (Securosys: 30 unless set)",
        },
        OptionDef {
            name: "accept_expired",
            kind: OptionKind::Bool,
            about: "certificates outside their validity are a finding instead of a failure",
        },
    ],
    limits: &[
        "That this very device made it, should any Primus HSM ever be broken into: the root's private key is installed in every Primus HSM that has a Root Key Store, and each device signs its own device certificate with it. The chain shows some genuine Primus HSM with a Root Key Store; a compromise of one device is a compromise of the root.",
        "That the key is in one device only: the devices of a cluster, and backups, hold copies.",
        "The policies of partition and device (import, export and extraction of keys): they are in the attestation of the device's state, not in that of a key.",
        "Firmware version, exact model, and whether the device runs in FIPS or Common Criteria mode.",
        "That the access flags stay as they are where modifiable is true.",
        "Who operates the device. In CloudHSM it is Securosys.",
        "That the answer was made for this request: there is no nonce, only the time by the device's clock.",
    ],
    docs: "docs/devices/securosys.md",
};

impl Format for Securosys {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let bundles = gather::bundles(cx);
        // With a request, the documents about its key; else each of them.
        let requested = |b: &Bundle<'_>| {
            let key = b
                .xml
                .as_ref()
                .and_then(|x| Document::read(&x.bytes).ok())
                .and_then(|d| rules::public_key(&d));
            cx.request.zip(key).is_some_and(|(request, key)| *request.key() == key)
        };
        let only_requested = cx.request.is_some() && bundles.len() > 1 && bundles.iter().any(requested);
        bundles.iter().filter(|b| !only_requested || requested(b)).map(|b| judge(b, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        gather::bundles(cx).iter().map(|b| view(b, cx)).collect()
    }
}

/// Judges one document.
fn judge(bundle: &Bundle<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = Statement::default();
    label(bundle, &mut statement);
    let checks = &mut statement.checks;
    let readable = check_input(bundle, cx, checks);
    let chain = if bundle.certificates.is_empty() || !readable {
        let why = if readable { "there are no certificates" } else { "the input is malformed" };
        skip(checks, ck::OF_THE_PATH, &ck::INPUT_MISSING, why);
        skip(checks, ck::OF_THE_PROFILE, &ck::INPUT_MISSING, why);
        None
    } else {
        chain::judge(bundle, cx, checks)
    };
    statement.certificates.extend(chain.iter().flat_map(|c| c.certificates.iter().cloned()));
    let (Some(xml), Some(chain), false) = (&bundle.xml, chain, bundle.signatures.is_empty()) else {
        skip(checks, &[&ck::SIGNATURE_INVALID], &ck::INPUT_MISSING, "a piece that this needs is not there");
        skip_document(checks, "the signature could not be verified");
        return statement;
    };
    let signed = match chain.leaf.key() {
        Ok(key) => signature::check(xml, &bundle.signatures, key, checks),
        Err(why) => {
            checks.fail(&ck::SIGNATURE_INVALID, xml.place.clone(), format!("key of the certificate: {why}"));
            None
        }
    };
    let Some(signed) = signed else {
        skip_document(checks, "the signature does not verify");
        return statement;
    };
    let scheme = signed.scheme;
    let reading = match Reading::of(xml, signed, chain.trusted.as_ref()) {
        Ok(reading) => reading,
        Err(fault) => {
            report_form(&fault, xml, checks);
            skip(checks, ck::OF_THE_CONTENT, &ck::XML_MALFORMED, "the document cannot be read");
            return statement;
        }
    };
    for check in ck::OF_THE_FORM {
        checks.pass(check, xml.place.clone(), check.about);
    }
    rules::check(reading.document(), &chain.leaf, &xml.place, cx, checks);
    if let Reading::Authentic(document) = reading {
        let external = rules::accepts_external(document.get(), cx.options);
        statement.attested = Some(claims::attest(&document, scheme, external));
    }
    statement
}

/// A document whose signature verifies: under a trusted key it can make claims, under any other it is read
/// only so that the report is complete.
enum Reading {
    Authentic(Authentic<Document>),
    Untrusted(Document),
}

impl Reading {
    fn of(xml: &Piece<'_>, signed: Signed<'_>, trusted: Option<&TrustedKey>) -> Result<Self, xml::Fault> {
        match trusted.and_then(|key| key.authenticate(signed.proof)) {
            Some(bytes) => bytes.parse(Document::read).map(Self::Authentic),
            None => Document::read(&xml.bytes).map(Self::Untrusted),
        }
    }

    fn document(&self) -> &Document {
        match self {
            Self::Authentic(document) => document.get(),
            Self::Untrusted(document) => document,
        }
    }
}

fn label(bundle: &Bundle<'_>, statement: &mut Statement) {
    let labels = &mut statement.labels;
    labels.extend(bundle.xml.iter().map(|x| (x.part, "document".into())));
    labels.extend(bundle.signatures.iter().map(|s| (s.part, "signature".into())));
    labels.extend(bundle.certificates.iter().map(|(id, _)| (*id, "certificate chain".into())));
}

/// Whether all can be read is returned; that all is there is reported only.
fn check_input(bundle: &Bundle<'_>, cx: &Context<'_>, checks: &mut Checks) -> bool {
    let mut faults = bundle.faults.clone();
    if let Some(xml) = bundle.xml.as_ref().filter(|x| x.bytes.len() > MAX_XML) {
        faults.push((xml.place.clone(), format!("the document has more than {MAX_XML} bytes")));
    }
    if let Some((id, _)) = bundle.certificates.get(MAX_CERTIFICATES) {
        let why = format!("there are more than {MAX_CERTIFICATES} certificates");
        faults.push((cx.parts.place(*id).to_owned(), why));
    }
    let readable = faults.is_empty();
    for (place, why) in faults {
        checks.fail(&ck::INPUT_MALFORMED, place, why);
    }
    let place = bundle.place().to_owned();
    if readable {
        checks.pass(&ck::INPUT_MALFORMED, place.clone(), "everything can be read");
    }
    let pieces = [
        ("the XML document", bundle.xml.is_some()),
        ("the signature", !bundle.signatures.is_empty()),
        ("the certificate chain", !bundle.certificates.is_empty()),
    ];
    let missing: Vec<&str> = pieces.iter().filter(|(_, there)| !there).map(|(what, _)| *what).collect();
    if missing.is_empty() {
        checks.pass(&ck::INPUT_MISSING, place, "document, signature and chain are there");
    } else if readable {
        let no_trust = bundle.certificates.is_empty() && bundle.bare_key;
        let key = if no_trust { "; the public key that came along gives no trust" } else { "" };
        checks.fail(&ck::INPUT_MISSING, place, format!("missing: {}{key}", missing.join(", ")));
    } else {
        checks.skip(&ck::INPUT_MISSING, place, "the input is malformed");
    }
    readable
}

fn report_form(fault: &xml::Fault, xml: &Piece<'_>, checks: &mut Checks) {
    let check = match fault {
        xml::Fault::Encoding(_) => &ck::XML_ENCODING,
        xml::Fault::Doctype(_) => &ck::XML_DOCTYPE,
        xml::Fault::Malformed(_) => &ck::XML_MALFORMED,
        xml::Fault::Root(_) => &ck::XML_ROOT_ELEMENT,
        xml::Fault::Depth => &ck::XML_DEPTH,
        xml::Fault::Duplicate(_) => &ck::XML_DUPLICATE,
    };
    checks.fail(check, xml.place.clone(), fault.detail());
    skip(checks, ck::OF_THE_FORM, check, "the document cannot be read");
}

fn skip_document(checks: &mut Checks, why: &'static str) {
    skip(checks, ck::OF_THE_FORM, &ck::SIGNATURE_INVALID, why);
    skip(checks, ck::OF_THE_CONTENT, &ck::SIGNATURE_INVALID, why);
}

/// Records checks that are not made; `but` is the one that says why.
fn skip(checks: &mut Checks, list: &[&'static Check], but: &'static Check, why: &'static str) {
    for check in list.iter().filter(|c| c.id != but.id) {
        checks.skip(check, "", why);
    }
}

fn view(bundle: &Bundle<'_>, cx: &Context<'_>) -> Value {
    let document = bundle.xml.as_ref().map(|xml| match Document::read(&xml.bytes) {
        Ok(document) => document.view(),
        Err(fault) => json!({ "fault": fault.detail() }),
    });
    let certificates: Vec<Value> = bundle
        .certificates
        .iter()
        .map(|(id, c)| {
            json!({
                "where": cx.parts.place(*id),
                "subject": name::display(c.subject()),
                "issuer": name::display(c.issuer()),
                "sha256": hex::encode(c.sha256()),
                "key": c.key().map(|k| k.algorithm()).unwrap_or_default(),
                "not_before": c.not_before().to_string(),
                "not_after": c.not_after().to_string(),
                "device_serial": chain::device_serial(c.common_name()),
            })
        })
        .collect();
    let signatures: Vec<Value> =
        bundle.signatures.iter().map(|s| json!({ "where": s.place, "bytes": s.bytes.len() })).collect();
    json!({
        "where": bundle.place(),
        "document": document,
        "signatures": signatures,
        "certificates": certificates,
        "faults": bundle.faults.iter().map(|(place, why)| format!("{place}: {why}")).collect::<Vec<_>>(),
    })
}
