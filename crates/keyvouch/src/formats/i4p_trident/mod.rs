//! I4P Trident: key attestation as CMS SignedData. Its syntax and its root are not public.
//!
//! What can be done without them is done: the CMS is taken apart and verified by RFC 5652. What cannot be known is
//! never guessed: without a root that the operator got from I4P, and without his word on which field of the content
//! means what, the answer is `undecided`.
//!
//! Not to be confused with a bag of certificates ("certs-only"), which has no signers and is never taken for this.

mod checks;
mod mapping;
mod trust;

use serde_json::{Value, json};

use self::checks as ck;
use self::mapping::{Fields, Mapping};
use super::{About, Attested, Context, Format, Proof, Statement};
use crate::authentic::Authentic;
use crate::checks::{Check, Checks};
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::{Curve, Material, Scheme};
use crate::input::{Content, PartId};
use crate::pki::cms::{self, CmsFault, SignedData, SignerId, SignerInfo};
use crate::pki::{Certificate, name};
use crate::submission::{OptionDef, OptionKind};
use crate::time::Time;

/// The format.
pub(crate) struct I4pTrident;

const ID: &str = "i4p-trident";

static ABOUT: About = About {
    id: ID,
    title: "I4P Trident key attestation (CMS, syntax not public)",
    maker: "I4P",
    devices: "Trident HSM, Trident RSS",
    proof: Proof::EmulatedOnly,
    checks: ck::ALL,
    options: &[
        OptionDef {
            name: "i4p_roots",
            kind: OptionKind::List,
            about: "SHA-256 of the certificates, handed over as anchors, that are roots of I4P (hexadecimal)",
        },
        OptionDef {
            name: "i4p_mapping",
            kind: OptionKind::List,
            about: "what the fields of the signed content mean: texts of content type (object identifier) and claim=path pairs",
        },
    ],
    limits: &[
        "Anything that I4P has not told the operator: syntax, root and guarantees of this attestation are not public. What the fields mean is the operator's word.",
        "That a key is in one module: keys of this maker can be shared between several. Ask I4P what \"generated\" means for such a key.",
        "Whether a key can be copied between modules of the maker, or restored from its backup.",
        "When it was made, or for whom: no nonce is known. A signing time is the signer's own clock.",
        "That the subscriber holds the key: only a request signed with it proves that.",
    ],
    docs: "docs/devices/i4p-trident.md",
};

impl Format for I4pTrident {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        Found::all(cx).iter().map(|found| judge(found, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Found::all(cx).iter().map(|found| view(found, cx)).collect()
    }
}

/// A CMS that may be of this format, or was to be.
struct Found<'a> {
    id: PartId,
    signed: Result<SignedData<'a>, &'static str>,
    certificates: Vec<Certificate>,
}

impl<'a> Found<'a> {
    /// Each once, however often it was handed in.
    fn all(cx: &Context<'a>) -> Vec<Self> {
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut found = Vec::new();
        for (id, part) in cx.parts.evidence() {
            let bytes: &[u8] = &part.bytes;
            if !matches!(part.content, Content::Cms { .. }) || seen.contains(&bytes) {
                continue;
            }
            let members = cms::certificates(bytes).unwrap_or_default();
            let certificates = members.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
            let candidate = Self { id, signed: SignedData::read(bytes), certificates };
            if candidate.is_possible(cx) {
                seen.push(bytes);
                found.push(candidate);
            }
        }
        found
    }

    /// A heuristic, for want of anything better: somebody signs, and a name is I4P's or its product's: of a
    /// certificate inside, or of the signer.
    fn is_possible(&self, cx: &Context<'_>) -> bool {
        let is_named = |c: &Certificate| is_makers(c.subject()) || is_makers(c.issuer());
        let of_signer = |signer: &SignerInfo<'_>| match signer.id {
            SignerId::IssuerAndSerial(issuer, _) => is_makers(issuer),
            SignerId::KeyId(_) => cx.parts.certificates().iter().any(|(_, c)| signer.is_by(c) && is_named(c)),
        };
        let inside = self.certificates.iter().any(is_named);
        match &self.signed {
            Ok(signed) => !signed.signers.is_empty() && (inside || signed.signers.iter().any(of_signer)),
            Err(_) => inside,
        }
    }
}

/// Whether an organization or common name contains I4P or Trident.
fn is_makers(dn: &[u8]) -> bool {
    [name::organization(dn), name::common_name(dn)].into_iter().flatten().any(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("i4p") || text.contains("trident")
    })
}

/// Judges one CMS.
fn judge(found: &Found<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = Statement { labels: vec![(found.id, "signed data".into())], ..Statement::default() };
    let place = cx.parts.place(found.id);
    let checks = &mut statement.checks;
    let signed = match &found.signed {
        Ok(signed) => signed,
        Err(fault) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), *fault);
            return statement;
        }
    };
    checks.pass(&ck::MALFORMED, place.to_owned(), "a SignedData");
    let [signer] = signed.signers.as_slice() else {
        let detail = format!("there are {} signers", signed.signers.len());
        checks.fail(&ck::SIGNERS, place.to_owned(), detail);
        return statement;
    };
    checks.pass(&ck::SIGNERS, place.to_owned(), "one signer signed");
    let mapping = check_mapping(signed, place, cx, checks);
    let content = find_content(found, signed, signer, place, cx, checks);
    let pool = at_hand(found, cx);
    let Some(certificate) = pool.iter().find(|c| signer.is_by(c)) else {
        checks.fail(&ck::SIGNER_CERTIFICATE, place.to_owned(), "no certificate at hand is the signer's");
        return statement;
    };
    checks.pass(&ck::SIGNER_CERTIFICATE, place.to_owned(), certificate.display_name());
    statement.certificates.push(certificate.clone());
    let trusted = trust::check(certificate, &pool, place, cx, checks, &mut statement.certificates);
    let Some(content) = content else { return statement };
    let authentic = check_signature(signed, signer, content, certificate, trusted.as_ref(), place, checks);
    let fields = mapping.as_ref().map(|mapping| mapping.apply(content));
    if let Some(Err(why)) = &fields {
        checks.fail(&ck::UNREADABLE, place.to_owned(), why.clone());
    }
    if let (Some(content), Some(trusted), Some(mapping), true) = (authentic, trusted, mapping, checks.clean())
    {
        checks.pass(&ck::UNREADABLE, place.to_owned(), "the mapped fields were read");
        statement.attested = content.join(trusted.certificate).and_then(|both| {
            let time = signer.signing_time();
            let facts = both.parse(|(content, certificate)| {
                mapping.apply(content).map(|fields| Facts { fields, certificate, time })
            });
            facts.ok().map(|facts| attest(&facts))
        });
    }
    statement
}

fn check_mapping(
    signed: &SignedData<'_>,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Mapping> {
    let kind = signed.content.kind;
    let detail = match Mapping::of(cx.options, kind) {
        Ok(Some(mapping)) => {
            checks.pass(&ck::UNMAPPED, place.to_owned(), format!("content type {kind} is mapped"));
            return Some(mapping);
        }
        Ok(None) => format!("nobody has said what content of type {kind} means"),
        Err(why) => why,
    };
    checks.fail(&ck::UNMAPPED, place.to_owned(), detail);
    None
}

/// The signed content: encapsulated, or another file whose digest the signer signed.
fn find_content<'c>(
    found: &Found<'c>,
    signed: &SignedData<'c>,
    signer: &SignerInfo<'_>,
    place: &str,
    cx: &Context<'c>,
    checks: &mut Checks,
) -> Option<&'c [u8]> {
    if let Some(octets) = signed.content.octets {
        checks.pass(&ck::CONTENT_MISSING, place.to_owned(), "the content is encapsulated");
        return Some(octets);
    }
    let mut others = cx.parts.evidence().filter(|(id, _)| *id != found.id);
    let by_digest = others.find(|(_, part)| signer.has_digest_of(&part.bytes) == Some(true));
    // Without such a file only a single one can be meant: it was changed, or nothing names it.
    let only = || {
        let mut files =
            cx.parts.evidence().filter(|(id, part)| *id != found.id && !is_carrier(&part.content));
        files.next().filter(|_| files.next().is_none())
    };
    let Some((id, part)) = by_digest.or_else(only) else {
        checks.fail(
            &ck::CONTENT_MISSING,
            place.to_owned(),
            "the content is detached, and no file is the one that was signed",
        );
        return None;
    };
    checks.pass(&ck::CONTENT_MISSING, place.to_owned(), format!("the content is {}", cx.parts.place(id)));
    Some(&part.bytes)
}

/// Whether a part holds what is looked at on its own.
fn is_carrier(content: &Content) -> bool {
    use Content::{Base64, Certificate, Cms, Gzip, Pem, Zip};
    matches!(content, Base64 | Certificate(_) | Cms { .. } | Gzip { .. } | Pem | Zip { .. })
}

/// Every certificate at hand, for finding the signer's and building its path. None gives trust.
fn at_hand(found: &Found<'_>, cx: &Context<'_>) -> Vec<Certificate> {
    let beside = cx.parts.certificates().into_iter().map(|(_, c)| c);
    found.certificates.iter().chain(beside).chain(&cx.reference.intermediates).cloned().collect()
}

fn check_signature<'c>(
    signed: &SignedData<'_>,
    signer: &SignerInfo<'_>,
    content: &'c [u8],
    certificate: &Certificate,
    trusted: Option<&trust::Trusted>,
    place: &str,
    checks: &mut Checks,
) -> Option<Authentic<&'c [u8]>> {
    let kind = signed.content.kind;
    let fault = match (certificate.key(), trusted) {
        (Err(why), _) => {
            checks.fail(&ck::SIGNATURE, place.to_owned(), format!("the key of the signer: {why}"));
            return None;
        }
        (Ok(key), _) if !is_accepted(key.material(), signer.scheme().ok()) => {
            let with = signer.scheme().map_or_else(|why| why.to_string(), |scheme| scheme.to_string());
            CmsFault::Algorithm(format!("{} key, {with}", key.algorithm()))
        }
        (Ok(_), Some(trusted)) => match signer.authenticate(kind, content, &trusted.key) {
            Ok(content) => {
                checks.pass(&ck::SIGNATURE, place.to_owned(), "content, attributes and signature agree");
                return Some(content);
            }
            Err(fault) => fault,
        },
        (Ok(key), None) => match signer.verify(kind, content, key) {
            Ok(()) => {
                checks.pass(&ck::SIGNATURE, place.to_owned(), "content, attributes and signature agree");
                return None;
            }
            Err(fault) => fault,
        },
    };
    checks.fail(check_of(&fault), place.to_owned(), fault.to_string());
    None
}

fn check_of(fault: &CmsFault) -> &'static Check {
    match fault {
        CmsFault::Attributes(_) => &ck::ATTRIBUTES,
        CmsFault::Algorithm(_) => &ck::ALGORITHM,
        CmsFault::Digest => &ck::DIGEST,
        CmsFault::Signature(_) => &ck::SIGNATURE,
    }
}

/// RSA, and ECDSA on the NIST curves. Algorithms that cannot be read are for the verification to report.
fn is_accepted(key: &Material, scheme: Option<Scheme>) -> bool {
    let key = match key {
        Material::Rsa { .. } => true,
        Material::Ec { curve, .. } => matches!(curve, Curve::P256 | Curve::P384 | Curve::P521),
        _ => false,
    };
    let known = |s| matches!(s, Scheme::RsaPkcs1(_) | Scheme::RsaPss(_) | Scheme::Ecdsa(_));
    key && scheme.is_none_or(known)
}

/// Everything that the claims are made of.
struct Facts {
    fields: Fields,
    certificate: Certificate,
    time: Option<Time>,
}

fn attest(facts: &Authentic<Facts>) -> Attested {
    const MAPPED: &str = "signed content, the field that the operator's mapping names";
    let claims = ClaimSet::of(facts)
        .attested(ClaimName::KeyAlgorithm, MAPPED, |f| f.fields.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, MAPPED, |f| hex::encode(f.fields.key.spki_sha256()))
        .attested(ClaimName::KeyGeneratedInDevice, MAPPED, |f| f.fields.generated)
        // Not exportable is said of one module; what the maker's own backup can do is not known.
        .attested(ClaimName::KeyExportable, MAPPED, |f| {
            f.fields.exportable.map(|exportable| if exportable { "yes" } else { "vendor-boundary" })
        })
        .attested(ClaimName::KeyEverExportable, MAPPED, |f| {
            f.fields.exportable.filter(|exportable| *exportable)
        })
        .attested(ClaimName::KeyCreatedAt, MAPPED, |f| f.fields.created.map(|time| time.to_string()))
        .implied(ClaimName::DeviceClass, "I4P, Trident RSS summary sheet", "hsm")
        .implied(ClaimName::DeviceVendor, "the anchor that the operator named for I4P", "I4P")
        .attested(ClaimName::DeviceModel, "names in the signer's certificate", |f| {
            let names = [f.certificate.subject(), f.certificate.issuer()];
            let names = names.map(|n| [name::organization(n), name::common_name(n)]);
            let says = |text: &str| text.to_ascii_lowercase().contains("trident");
            names.into_iter().flatten().flatten().any(says).then_some("Trident")
        })
        .attested(ClaimName::DeviceSerial, MAPPED, |f| f.fields.serial.clone())
        .detail("signer", "signer's certificate", |f| name::display(f.certificate.subject()))
        .detail(
            "signing_time",
            "signed attribute signingTime: the signer's clock, not to be relied on",
            |f| f.time.map(|time| time.to_string()),
        )
        .finish();
    Attested::new(facts, |f| Some(f.fields.key.clone()), claims)
}

fn view(found: &Found<'_>, cx: &Context<'_>) -> Value {
    let place = cx.parts.place(found.id);
    let signed = match &found.signed {
        Ok(signed) => signed,
        Err(fault) => return json!({ "where": place, "fault": fault }),
    };
    let signer = |signer: &SignerInfo<'_>| {
        let id = match signer.id {
            SignerId::IssuerAndSerial(issuer, serial) => {
                json!({ "issuer": name::display(issuer), "serial": hex::encode(serial) })
            }
            SignerId::KeyId(id) => json!({ "key_id": hex::encode(id) }),
        };
        json!({
            "signer": id,
            "algorithm": signer.scheme().map_or_else(|why| why.to_string(), |scheme| scheme.to_string()),
            "signing_time": signer.signing_time().map(|time| time.to_string()),
        })
    };
    let certificate = |c: &Certificate| json!({ "subject": name::display(c.subject()), "issuer": name::display(c.issuer()), "sha256": hex::encode(c.sha256()) });
    json!({
        "where": place,
        "content_type": signed.content.kind.to_string(),
        "content": signed.content.octets.map_or_else(|| json!("detached"), |octets| json!(hex::encode(octets))),
        "signers": signed.signers.iter().map(signer).collect::<Vec<_>>(),
        "certificates": found.certificates.iter().map(certificate).collect::<Vec<_>>(),
    })
}
