//! A certificate of an endorsement key (EK) without a statement beside it.
//!
//! ```text
//! root of the TPM's maker ──► issuing authority ──► EK certificate
//! ```
//!
//! Source: TCG, "EK Credential Profile for TPM Family 2.0".
//!
//! An EK certificate is public and says nothing of another key: it is judged here so that a CA can see which TPM it
//! is about before it makes a challenge (see [`activation`](crate::tpm::activation)), and is never enough for a
//! certificate.

mod assertions;
mod checks;

use der::asn1::ObjectIdentifier;
use serde_json::{Value, json};

use self::assertions::Assertions;
use self::checks as ck;
use super::tpm::chain::{self, Path};
use super::tpm::ek;
use super::tpm::gather::Pool;
use super::tpm::identity::{TpmIdentity, is_authority, is_ek_like};
use super::{About, Attested, Context, Format, Proof, Statement, tpm_windows};
use crate::checks::Checks;
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::PublicKey;
use crate::input::Content;
use crate::pki::Certificate;
use crate::pki::name;
use crate::submission::{OptionDef, OptionKind};
use crate::wire::tpm::PublicArea;

/// The format.
pub(crate) struct TpmEk;

static ABOUT: About = About {
    id: ek::FORMAT,
    title: "TPM 2.0 endorsement key certificate",
    maker: "Infineon, STMicroelectronics, Nuvoton, Nationz, NSING, Intel, AMD, Qualcomm, Microsoft, Google",
    devices: "TPM 2.0 with a certificate of its endorsement key",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: &[OptionDef {
        name: "accept_expired",
        kind: OptionKind::Bool,
        about: "report certificates outside their validity instead of refusing them: EK certificates are meant to outlive the device",
    }],
    limits: &[
        "Anything about another key: an EK certificate is public. A key becomes trustworthy through a statement of an attestation key that was activated for this EK.",
        "That whoever handed it over has the TPM: that is what the challenge shows (`keyvouch tpm challenge`).",
        "Which firmware runs now: model and version are as of manufacture.",
        "A certification: what the certificate asserts of it is the maker's word at the time of issue.",
    ],
    docs: "docs/devices/tpm-ek.md",
};

impl Format for TpmEk {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let Some(found) = Found::of(cx) else { return Vec::new() };
        found.candidates().map(|candidate| found.judge(candidate, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        Found::of(cx).map(|found| found.candidates().map(view).collect()).unwrap_or_default()
    }
}

/// Certificates of endorsement keys, and nothing that makes them mere company of a statement.
struct Found<'a> {
    pool: Pool<'a>,
    /// Public keys beside them, and where.
    publics: Vec<(String, PublicKey)>,
}

/// A certificate and where it is.
type Placed = (String, Certificate);

impl<'a> Found<'a> {
    fn of(cx: &Context<'a>) -> Option<Self> {
        let pool = Pool::of(cx);
        let elsewhere = cx.parts.evidence().any(|(_, part)| carries_statement(&part.content));
        if pool.recognised() || tpm_windows::recognises(cx) || elsewhere {
            return None;
        }
        let keys = cx.parts.evidence().filter_map(|(_, part)| match &part.content {
            Content::PublicKey(key) => Some((part.place.clone(), key.clone())),
            _ => None,
        });
        let areas = pool
            .publics
            .iter()
            .filter_map(|piece| Some((piece.place.clone(), PublicArea::read(&piece.bytes).ok()?.key()?)));
        let publics = keys.chain(areas).collect();
        let found = Self { pool, publics };
        if found.candidates().next().is_none() { None } else { Some(found) }
    }

    fn candidates(&self) -> impl Iterator<Item = &Placed> {
        self.pool.certificates.iter().filter(|(_, c)| is_ek_like(c) && !is_authority(c))
    }

    fn judge(&self, (place, certificate): &Placed, cx: &Context<'_>) -> Statement {
        let mut statement = self.start();
        let checks = &mut statement.checks;
        if self.pool.padded.contains(place) {
            checks.info(
                &ck::EK_CERT_PARSE,
                place.clone(),
                "bytes around the certificate were left aside: it was read from an NV index",
            );
        }
        let pool: Vec<Certificate> = self.pool.certificates.iter().map(|(_, c)| c.clone()).collect();
        let path = ek::check(certificate, place, &pool, cx, checks);
        self.check_publics(certificate, checks);
        checks.fail(
            &ck::EK_ALONE,
            place.clone(),
            "an EK certificate says nothing of another key, and an endorsement key is no subject's key",
        );
        statement.certificates = path.as_ref().map_or_else(|| vec![certificate.clone()], |p| p.chain.clone());
        if chain::holds(&statement.checks) {
            statement.attested = path.map(attest);
        }
        statement
    }

    fn start(&self) -> Statement {
        let mut statement = Statement { labels: self.pool.labels.clone(), ..Statement::default() };
        let faults = &mut statement.checks;
        for (place, why) in self.pool.spoilt.iter().chain(&self.pool.broken) {
            faults.fail(&ck::EK_CERT_PARSE, place.clone(), why.clone());
        }
        statement
    }

    /// A public key that is handed over with the certificate is to be that of the endorsement key: a challenge made
    /// with another would go to another TPM.
    fn check_publics(&self, certificate: &Certificate, checks: &mut Checks) {
        for (place, key) in &self.publics {
            let same = certificate.key().is_ok_and(|own| own == key);
            checks.test(
                &ck::EK_PUBLIC_MISMATCH,
                place.clone(),
                same,
                "it is the key of the certificate",
                || "it is another key than that of the EK certificate".into(),
            );
        }
    }
}

/// Whether a part may hold a statement of other formats, of which TPM certificates are the company: attestation in
/// requests (IETF draft), WebAuthn and ACME.
fn carries_statement(content: &Content) -> bool {
    const CSR_ATTESTATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.59");
    match content {
        Content::Request(request) => request.attributes().any(|(oid, _)| oid == CSR_ATTESTATION),
        Content::Json(value) => ["attObj", "attestationObject", "response", "attStmt"]
            .iter()
            .any(|member| value.get(member).is_some()),
        _ => false,
    }
}

fn attest(path: Path) -> Attested {
    const KEY: &str = "public key of the EK certificate";
    const SAN: &str = "subjectAltName of the EK certificate";
    const ASSERTIONS: &str = "tPMSecurityAssertions of the EK certificate";
    const CLASS: &str = "kind of the anchor, and the maker in the EK certificate";
    let software = super::tpm::is_software(&path, TpmIdentity::of(path.certificate.get()).as_ref());
    let (googles, kind) = (path.is_googles(), path.anchor_kind().to_owned());
    let links: Vec<String> =
        path.chain.iter().map(|c| format!("{} ({})", c.display_name(), hex::encode(c.sha256()))).collect();
    let identity = |c: &Certificate| TpmIdentity::of(c);
    let key = |c: &Certificate| c.key().ok().cloned();
    let asserted = |c: &Certificate| Assertions::of(c);
    let claims = ClaimSet::of(&path.certificate)
        .attested(ClaimName::KeyAlgorithm, KEY, |c| key(c).map(|k| k.algorithm()))
        .attested(ClaimName::KeySpkiSha256, KEY, |c| key(c).map(|k| hex::encode(k.spki_sha256())))
        .attested(ClaimName::KeyGeneratedInDevice, ASSERTIONS, |c| {
            asserted(c).and_then(|a| a.generated_inside())
        })
        .implied(ClaimName::DeviceClass, CLASS, if software { "software" } else { "tpm" })
        .attested(ClaimName::DeviceVendor, SAN, |c| match identity(c).and_then(|i| i.vendor()) {
            None if googles => Some("Google"),
            found => found,
        })
        .attested(ClaimName::DeviceModel, SAN, |c| identity(c).and_then(|i| i.model))
        .attested(
            ClaimName::DeviceFirmware,
            "tpmVersion in the EK certificate: as of manufacture, not of now",
            |c| identity(c).and_then(|i| i.firmware()),
        )
        .attested(ClaimName::DeviceSerial, "SHA-256 of the endorsement key, which a TPM has for ever", |c| {
            key(c).map(|k| hex::encode(k.spki_sha256()))
        })
        .unknown(
            ClaimName::DeviceFipsMode,
            "what the certificate asserts is of the product, not of its state",
        )
        .detail("anchor_kind", "the reference data", |_| kind)
        .detail("chain", "the certificates up to the anchor", |_| links.join(" ← "))
        .detail("ek_serial", "serial number of the EK certificate", |c| hex::encode(c.serial()))
        .detail("ek_issuer", "issuer of the EK certificate", |c| name::display(c.issuer()))
        .detail("specification", "tPMSpecification of the EK certificate", assertions::specification)
        .detail("ek_generation", ASSERTIONS, |c| asserted(c).and_then(|a| a.generation_text()))
        .detail("common_criteria", ASSERTIONS, |c| asserted(c).and_then(|a| a.common_criteria))
        .detail("fips", ASSERTIONS, |c| asserted(c).and_then(|a| a.fips))
        .finish();
    Attested::new(&path.certificate, |c| c.key().ok().cloned(), claims)
}

/// The certificate for people, without judgement.
fn view((place, certificate): &Placed) -> Value {
    let identity = TpmIdentity::of(certificate);
    let asserted = Assertions::of(certificate);
    json!({
        "is": "EK certificate",
        "where": place,
        "manufacturer": identity.as_ref().map(|i| i.maker_text.clone()),
        "vendor": identity.as_ref().and_then(TpmIdentity::vendor),
        "model": identity.as_ref().and_then(|i| i.model.clone()),
        "version": identity.as_ref().and_then(|i| i.version.clone()),
        "key": certificate.key().ok().map(PublicKey::algorithm),
        "spki_sha256": certificate.key().ok().map(|k| hex::encode(k.spki_sha256())),
        "issuer": name::display(certificate.issuer()),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "specification": assertions::specification(certificate),
        "ek_generation": asserted.as_ref().and_then(Assertions::generation_text),
        "common_criteria": asserted.as_ref().and_then(|a| a.common_criteria.clone()),
        "fips": asserted.and_then(|a| a.fips),
    })
}
