//! What a document says, judged: values, origin, access flags, times, public key.

use der::Decode;
use der::asn1::ObjectIdentifier;

use super::checks as ck;
use super::document::Document;
use super::xml;
use crate::checks::{Check, Checks, Text};
use crate::crypto::{Curve, Material, PublicKey};
use crate::formats::Context;
use crate::input::decode_base64;
use crate::pki::Certificate;
use crate::submission::Options;
use crate::wire::der::sequence;

/// Clocks differ; a document is not from the future by less.
const TOLERANCE_SECONDS: i64 = 600;

/// Days after which a document is too old, unless the operator says otherwise.
pub(super) const DEFAULT_MAX_AGE_DAYS: u64 = 30;

const SECONDS_PER_DAY: i64 = 86_400;

/// Makes every check of what the document says.
pub(super) fn check(
    document: &Document,
    leaf: &Certificate,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let mut judge = Judge { document, place, checks };
    judge.values();
    judge.origin(cx.options);
    judge.access();
    judge.blocked();
    judge.times(leaf, cx);
    judge.public_key();
}

/// Whether the operator accepts a key that came from the external key store of a Primus: it is called
/// imported, and its flags say that it was in no other hands.
pub(super) fn accepts_external(document: &Document, options: &Options) -> bool {
    document.creation.as_deref() == Some("imported")
        && document.storage.as_deref() == Some("external")
        && document.flags.all_good()
        && options.is_on("allow_external_store")
}

/// The public key, if it is one.
pub(super) fn public_key(document: &Document) -> Option<PublicKey> {
    let spki = decode_base64(document.public_key.as_deref()?.as_bytes())?;
    PublicKey::from_spki_der(&spki).ok()
}

struct Judge<'d> {
    document: &'d Document,
    place: &'d str,
    checks: &'d mut Checks,
}

impl Judge<'_> {
    fn at(&self, path: &str) -> String {
        format!("{} › /{}/{path}", self.place, xml::ROOT)
    }

    fn test(&mut self, check: &'static Check, path: &str, holds: bool, right: &'static str, wrong: Text) {
        let place = self.at(path);
        self.checks.test(check, place, holds, right, || wrong);
    }

    fn values(&mut self) {
        for (path, why) in &self.document.faults {
            self.checks.fail(&ck::ATTR_VALUE, format!("{} › {path}", self.place), why.clone());
        }
        if self.document.faults.is_empty() {
            self.checks.pass(&ck::ATTR_VALUE, self.place.to_owned(), "every value has its form");
        }
        for path in &self.document.missing {
            let place = self.at(path);
            self.checks.fail(&ck::ATTR_MISSING, place, format!("the document does not have {path}"));
        }
        if self.document.missing.is_empty() {
            self.checks.pass(&ck::ATTR_MISSING, self.place.to_owned(), "everything that must be said is");
        }
    }

    /// The flags do not tell the origin: those of an imported key can all be good.
    fn origin(&mut self, options: &Options) {
        let external = accepts_external(self.document, options);
        let place = self.at("@creation");
        let checks = &mut *self.checks;
        match self.document.creation.as_deref() {
            Some("generated") => {
                checks.pass(&ck::KEY_IMPORTED, place.clone(), "the key was generated, not imported");
                checks.pass(&ck::KEY_ORIGIN_UNKNOWN, place, "the key was generated in the device");
            }
            Some("imported") => {
                if external {
                    let detail = "imported from the external key store, which the operator accepts: where the key was generated is not known";
                    checks.warn(&ck::KEY_IMPORTED, place.clone(), detail);
                } else {
                    checks.fail(&ck::KEY_IMPORTED, place.clone(), "the key was imported into the device");
                }
                checks.pass(&ck::KEY_ORIGIN_UNKNOWN, place, "the document gives an origin that is known");
            }
            Some(other) => {
                let detail =
                    format!("creation is {other:?}: that is not known to mean generated in the device");
                checks.skip(&ck::KEY_IMPORTED, place.clone(), "the origin is not known");
                checks.fail(&ck::KEY_ORIGIN_UNKNOWN, place, detail);
            }
            None => {
                checks.skip(&ck::KEY_IMPORTED, place.clone(), "the document does not say it");
                checks.skip(&ck::KEY_ORIGIN_UNKNOWN, place, "the document does not say it");
            }
        }
    }

    fn access(&mut self) {
        let flags = &self.document.flags;
        self.flag(&ck::KEY_EXTRACTABLE, "extractable", flags.extractable, false);
        self.flag(&ck::KEY_WAS_EXTRACTABLE, "never_extractable", flags.never_extractable, true);
        self.flag(&ck::KEY_NOT_SENSITIVE, "sensitive", flags.sensitive, true);
        self.flag(&ck::KEY_WAS_NOT_SENSITIVE, "always_sensitive", flags.always_sensitive, true);
    }

    fn flag(&mut self, check: &'static Check, name: &str, value: Option<bool>, wanted: bool) {
        let place = self.at(&format!("attributes/{name}"));
        match value {
            Some(value) if value == wanted => self.checks.pass(check, place, format!("{name} is {value}")),
            Some(value) => self.checks.fail(check, place, format!("{name} is {value}")),
            None => self.checks.skip(check, place, "the document does not say it"),
        }
    }

    fn blocked(&mut self) {
        let place = self.at("policy/key_status/blocked");
        match self.document.policy.as_ref().map(|p| p.blocked) {
            None => self.checks.pass(&ck::KEY_BLOCKED, place, "the key has no approval policy"),
            Some(Some(false)) => self.checks.pass(&ck::KEY_BLOCKED, place, "the key is not blocked"),
            Some(Some(true)) => self.checks.warn(&ck::KEY_BLOCKED, place, "the key is blocked"),
            Some(None) => self.checks.skip(&ck::KEY_BLOCKED, place, "the document does not say it"),
        }
    }

    fn times(&mut self, leaf: &Certificate, cx: &Context<'_>) {
        let Some(attested) = self.document.attest_time else {
            let four =
                [&ck::TIME_ATTEST_FUTURE, &ck::TIME_ATTEST_TOO_OLD, &ck::TIME_ORDER, &ck::TIME_OUTSIDE_LEAF];
            for check in four {
                let place = self.at("attest_time");
                self.checks.skip(check, place, "when the document was made is not known");
            }
            return;
        };
        let early = attested <= cx.at.plus_seconds(TOLERANCE_SECONDS);
        let wrong = format!("the document is from {attested}, after the time of the appraisal");
        self.test(
            &ck::TIME_ATTEST_FUTURE,
            "attest_time",
            early,
            "the document is not from the future",
            wrong.into(),
        );

        let max_days = cx.options.number("max_age_days").unwrap_or(DEFAULT_MAX_AGE_DAYS);
        let oldest = cx.at.plus_seconds(
            i64::try_from(max_days).unwrap_or(i64::MAX).saturating_mul(SECONDS_PER_DAY).saturating_neg(),
        );
        let wrong = format!("the document is from {attested}, more than {max_days} days old");
        self.test(
            &ck::TIME_ATTEST_TOO_OLD,
            "attest_time",
            attested >= oldest,
            "the document is recent",
            wrong.into(),
        );

        let within = leaf.not_before() <= attested && attested <= leaf.not_after();
        let wrong = format!(
            "the document is from {attested}, the attestation key's certificate valid from {} to {}",
            leaf.not_before(),
            leaf.not_after()
        );
        let right = "the document was made while the certificate was valid";
        self.test(&ck::TIME_OUTSIDE_LEAF, "attest_time", within, right, wrong.into());

        match self.document.create_time {
            Some(created) => {
                let wrong = format!("created at {created}, attested before that, at {attested}");
                let right = "created before it was attested";
                self.test(&ck::TIME_ORDER, "create_time", created <= attested, right, wrong.into());
            }
            None => {
                let place = self.at("create_time");
                self.checks.skip(&ck::TIME_ORDER, place, "when the key was created is not known");
            }
        }
    }

    fn public_key(&mut self) {
        let wrong = disagreements(self.document);
        let right = "the public key is what the document says of it";
        let detail = wrong.join("; ");
        self.test(&ck::PUBKEY_INCONSISTENT, "public_key", wrong.is_empty(), right, detail.into());
    }
}

/// How the public key differs from what the document says of it. What it does not say is not compared.
fn disagreements(document: &Document) -> Vec<String> {
    let Some(text) = document.public_key.as_deref() else { return vec!["there is none".to_owned()] };
    let Some(spki) = decode_base64(text.as_bytes()) else { return vec!["it is not base64".to_owned()] };
    let key = match PublicKey::from_spki_der(&spki) {
        Ok(key) => key,
        Err(why) => return vec![why.to_string()],
    };
    let (oid, curve) = identifiers(&spki);
    let mut wrong = Vec::new();
    let mut compare = |name: &str, said: Option<String>, is: Option<String>| {
        if let Some(said) = said.filter(|said| Some(said) != is.as_ref()) {
            let is = is.unwrap_or_else(|| "none".to_owned());
            wrong.push(format!("{name} is {said:?}, of the public key it is {is:?}"));
        }
    };
    compare("algorithm_oid", document.algorithm_oid.clone(), oid.clone());
    compare("curve_oid", document.curve_oid.clone(), curve);
    // Other names (DSA, ISS …) are not known well enough to compare; their identifier was.
    let family = oid.as_deref().and_then(family);
    if family.is_some()
        || document.algorithm.as_deref().is_some_and(|a| FAMILIES.iter().any(|(f, _)| *f == a))
    {
        compare("algorithm", document.algorithm.clone(), family.map(str::to_owned));
    }
    if let Some(bits) = bits(&key) {
        compare("key_size", document.key_size.map(|n| n.to_string()), Some(bits.to_string()));
    }
    wrong
}

/// `algorithm` and the identifiers of its keys.
const FAMILIES: [(&str, &[&str]); 3] = [
    ("RSA", &["1.2.840.113549.1.1.1"]),
    ("EC", &["1.2.840.10045.2.1"]),
    // Ed25519, Ed448
    ("ED", &["1.3.101.112", "1.3.101.113"]),
];

fn family(oid: &str) -> Option<&'static str> {
    FAMILIES.iter().find(|(_, oids)| oids.contains(&oid)).map(|(family, _)| *family)
}

/// Size in bits, where it is known what the document would say.
fn bits(key: &PublicKey) -> Option<usize> {
    match key.material() {
        Material::Rsa { .. } => key.rsa_bits(),
        Material::Ec { curve, .. } => Some(match curve {
            Curve::P256 | Curve::Secp256k1 | Curve::BrainpoolP256r1 => 256,
            Curve::P384 | Curve::BrainpoolP384r1 => 384,
            Curve::P521 => 521,
        }),
        Material::Ed25519(_) | Material::X25519(_) => Some(256),
        Material::Dsa { .. } | Material::MlDsa { .. } | Material::Other { .. } => None,
    }
}

/// Algorithm and curve in a SubjectPublicKeyInfo, dotted.
fn identifiers(spki: &[u8]) -> (Option<String>, Option<String>) {
    let members = sequence(spki, 2).unwrap_or_default();
    let algorithm = members.first().and_then(|a| sequence(a, 2)).unwrap_or_default();
    let identifier = |index: usize| -> Option<String> {
        let oid: ObjectIdentifier = ObjectIdentifier::from_der(algorithm.get(index)?).ok()?;
        Some(oid.to_string())
    };
    (identifier(0), identifier(1))
}
