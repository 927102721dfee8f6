//! Why an attestation key is believed to be in a genuine TPM: a certificate, an activation, or a pin.

use super::chain::{self, Path, Wanted};
use super::checks as ck;
use super::ek;
use super::identity::{EKU_AIK, EKU_EK, IssuerName, SUBJECT_ALT_NAME, TpmIdentity, is_authority};
use super::statement::{Ak, Material};
use super::switches::{self, AkProfile};
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Checks;
use crate::formats::Context;
use crate::pki::Certificate;
use crate::pki::path::Signs;
use crate::reference::anchors::Anchor;
use crate::wire::tpm::PublicArea;

/// Which way the trust came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A certificate of the attestation key, with a path to an anchor.
    Certificate,
    /// The operator's record that the key was activated for an endorsement key, and that key's certificate.
    Activation,
    /// The operator pinned the key.
    Pin,
}

impl Mode {
    /// For the report.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Certificate => "certificate of the attestation key",
            Self::Activation => {
                "activation of the attestation key for the endorsement key (operator's record)"
            }
            Self::Pin => "attestation key pinned by the operator",
        }
    }
}

/// A trusted attestation key.
#[derive(Debug)]
pub(crate) struct AkTrust {
    pub(crate) key: TrustedKey,
    pub(crate) mode: Mode,
    /// The certificate that says which TPM it is: of the attestation key, or of the endorsement key.
    pub(crate) certificate: Option<Authentic<Certificate>>,
    /// Kind of the anchor, for reports.
    pub(crate) anchor_kind: String,
    /// The anchor of a path of certificates.
    pub(crate) anchor: Option<Anchor>,
    /// Whether the anchor, or the maker in the certificate, is one of TPMs in software.
    pub(crate) software: bool,
    pub(crate) microsofts: bool,
    pub(crate) googles: bool,
    /// Everything that the trust rests on, for deny-lists.
    pub(crate) chain: Vec<Certificate>,
}

/// Tries every way. One that holds is enough, unless what the operator said of this submission contradicts. When
/// none holds, what is wrong with each is recorded.
pub(crate) fn establish(
    material: &Material<'_>,
    ak: &Ak<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<AkTrust> {
    let mut search = Search::default();
    // An authority's certificate never makes its key an attestation key; when there is no other, it is told why.
    let (mut certificates, authorities): (Vec<_>, Vec<_>) =
        ak.certificates.iter().copied().partition(|(_, c)| !is_authority(c));
    if certificates.is_empty() {
        certificates = authorities;
    }
    for (place, certificate) in certificates {
        let by = ByCertificate {
            format: material.format,
            serves: |_| true,
            profile: material.switches.ak_profile,
            pool: &material.pool(),
        };
        search.try_way(|own| by.establish(certificate, place, cx, own));
    }
    let record = switches::activation(cx.options);
    if let Some(record) = &record {
        let mut own = Checks::default();
        let bound = bound_ek(record.as_ref().map_err(|why| *why), material, ak, cx, &mut own);
        match bound {
            None => search.contradictions.absorb(own),
            Some(bound) => search.try_way(|checks| {
                checks.absorb(own);
                by_activation(&bound, material, cx, checks)
            }),
        }
    }
    match &material.pinned {
        Some(pinned) if pinned.key == ak.key => search.try_way(|_| by_pin(ak)),
        Some(_) => search.contradictions.fail(
            &ck::AK_UNKNOWN,
            ak.place.to_owned(),
            "the attestation key that signed is not the one that the operator pinned for this submission",
        ),
        None if ak.certificates.is_empty() && record.is_none() => search.tried.fail(
            &ck::AK_UNKNOWN,
            ak.place.to_owned(),
            "nothing says that this attestation key is in a genuine TPM: it has no certificate, was not activated, and is not pinned",
        ),
        None => {}
    }
    if let Some(trust) = &search.found {
        checks.pass(&ck::AK_UNKNOWN, ak.place.to_owned(), trust.mode.text());
    }
    checks.absorb(search.tried);
    checks.absorb(search.contradictions);
    search.found
}

#[derive(Default)]
struct Search {
    found: Option<AkTrust>,
    /// The checks of the way that holds, or of all that do not.
    tried: Checks,
    /// What the operator said of this submission and is not so.
    contradictions: Checks,
}

impl Search {
    fn try_way(&mut self, way: impl FnOnce(&mut Checks) -> Option<AkTrust>) {
        if self.found.is_some() {
            return;
        }
        let mut own = Checks::default();
        let trust = way(&mut own).filter(|_| chain::holds(&own));
        if trust.is_some() {
            (self.found, self.tried) = (trust, own);
        } else {
            self.tried.absorb(own);
        }
    }
}

fn by_pin(ak: &Ak<'_>) -> Option<AkTrust> {
    let anchor = Anchor::key_from_operator("option ak_pinned", &ak.key).ok()?;
    Some(AkTrust {
        key: TrustedKey::pinned(&anchor)?,
        mode: Mode::Pin,
        certificate: None,
        anchor_kind: "pin".to_owned(),
        anchor: None,
        software: false,
        microsofts: false,
        googles: false,
        chain: ak.certificates.iter().map(|(_, c)| (*c).clone()).collect(),
    })
}

/// Trust by the certificate of the attestation key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByCertificate<'p> {
    /// The format whose anchors count, and which of them do.
    pub(crate) format: &'static str,
    pub(crate) serves: fn(&Anchor) -> bool,
    pub(crate) profile: AkProfile,
    pub(crate) pool: &'p [Certificate],
}

impl ByCertificate<'_> {
    /// Looks for a path from the certificate and judges path and certificate.
    pub(crate) fn establish(
        &self,
        certificate: &Certificate,
        place: &str,
        cx: &Context<'_>,
        checks: &mut Checks,
    ) -> Option<AkTrust> {
        let wanted = Wanted {
            format: self.format,
            serves: self.serves,
            signs: Signs::Statements,
            usage: &ck::TPM_AIK_PROFILE,
            accept_expired: false,
            names_by_value: false,
        };
        let path = chain::check(certificate, place, self.pool, &wanted, cx, checks)?;
        let identity = TpmIdentity::of(certificate);
        check_profile(certificate, identity.as_ref(), place, self.profile, &path, checks);
        check_maker(certificate, identity.as_ref(), place, checks);
        Some(AkTrust {
            mode: Mode::Certificate,
            software: is_software(&path, identity.as_ref()),
            microsofts: path.is_microsofts(),
            googles: path.is_googles(),
            anchor_kind: path.anchor_kind().to_owned(),
            anchor: Some(path.anchor),
            certificate: Some(path.certificate),
            key: path.key,
            chain: path.chain,
        })
    }
}

pub(crate) fn is_software(path: &Path, identity: Option<&TpmIdentity>) -> bool {
    matches!(path.anchor.role.as_deref(), Some(chain::role::VIRTUAL | chain::role::TEST))
        || identity.is_some_and(TpmIdentity::is_virtual)
}

/// The TCG AIK certificate profile, WebAuthn's, or what no attestation key's certificate may be.
fn check_profile(
    certificate: &Certificate,
    identity: Option<&TpmIdentity>,
    place: &str,
    profile: AkProfile,
    path: &Path,
    checks: &mut Checks,
) {
    let mut faults = Vec::new();
    let mut demand = |holds: bool, fault: &'static str| {
        if !holds {
            faults.push(fault);
        }
    };
    let is_for = |purpose| certificate.has_extended_key_usage(purpose);
    demand(!is_authority(certificate), "it is the certificate of an authority");
    demand(
        !matches!(certificate.key_usage(), Some(Ok(usage)) if !usage.digital_signature),
        "its keyUsage lacks digitalSignature",
    );
    // Google's own: purpose of an EK, or none, and no name of maker and model in newer ones.
    if !path.is_googles() {
        demand(
            is_for(EKU_AIK) || !is_for(EKU_EK),
            "it is the certificate of an endorsement key (EKU 2.23.133.8.1)",
        );
        if profile != AkProfile::Any {
            demand(certificate.version() == 3, "it is not X.509 v3");
            demand(is_for(EKU_AIK), "it lacks the extended key usage of an attestation key (2.23.133.8.3)");
            demand(identity.is_some(), "its subjectAltName names no TPM manufacturer");
        }
    }
    if chain::is_built_in(&path.anchor) {
        demand(!identity.is_some_and(TpmIdentity::is_test), "its manufacturer is one of test TPMs");
    }
    if profile == AkProfile::WebAuthn {
        let critical = certificate.extension(SUBJECT_ALT_NAME).is_some_and(|san| san.critical);
        demand(certificate.subject() == [0x30, 0x00], "its subject is not empty, as WebAuthn demands");
        demand(critical, "its subjectAltName is not critical, as WebAuthn demands");
        let all = identity.is_some_and(|i| i.model.is_some() && i.version.is_some());
        demand(all, "its subjectAltName lacks model or version, which WebAuthn demands");
    }
    if faults.is_empty() {
        checks.pass(
            &ck::TPM_AIK_PROFILE,
            place.to_owned(),
            "it has the form of an attestation key's certificate",
        );
    } else {
        checks.fail(&ck::TPM_AIK_PROFILE, place.to_owned(), faults.join("; "));
    }
    check_vendor(identity, place, checks);
}

pub(super) fn check_vendor(identity: Option<&TpmIdentity>, place: &str, checks: &mut Checks) {
    let Some(identity) = identity else { return };
    match identity.vendor() {
        Some(vendor) => {
            checks.pass(&ck::TPM_VENDOR_UNKNOWN, place.to_owned(), format!("the TPM is of {vendor}"));
        }
        None => {
            let detail = format!("manufacturer {:?} is not in the registry", identity.maker_text);
            checks.warn(&ck::TPM_VENDOR_UNKNOWN, place.to_owned(), detail);
        }
    }
}

/// The issuer's name says for whose TPMs it certifies; the certificate must agree.
fn check_maker(certificate: &Certificate, identity: Option<&TpmIdentity>, place: &str, checks: &mut Checks) {
    let issuer = certificate.issuer_common_name().and_then(IssuerName::read);
    let (Some(issuer), Some(identity)) = (issuer, identity) else { return };
    let agrees = identity.maker.is_some_and(|maker| issuer.agrees(maker));
    checks.test(
        &ck::DEVICE_MAKER_MISMATCH,
        place.to_owned(),
        agrees,
        "the maker is the one that the issuer's name says",
        || {
            format!(
                "the issuer certifies TPMs of {}, the certificate names {:?}",
                issuer.vendor, identity.maker_text
            )
            .into()
        },
    );
}

/// The endorsement key and the attestation key that a record of an activation binds, both at hand.
struct Bound<'a> {
    place: &'a str,
    ek: &'a Certificate,
    ak: PublicArea<'a>,
}

/// Whether the operator's record is for this evidence. `None`, and why, when it is not.
fn bound_ek<'a>(
    record: Result<&switches::Activation, &'static str>,
    material: &'a Material<'_>,
    ak: &'a Ak<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Bound<'a>> {
    const PLACE: &str = "option activation";
    let record = match record {
        Ok(record) => record,
        Err(why) => {
            checks.fail(&ck::ACTIVATION, PLACE, why);
            return None;
        }
    };
    let public = ak.publics.iter().find(|(_, p)| p.name().as_ref() == Some(&record.ak_name));
    let of_record =
        |c: &Certificate| c.key().is_ok_and(|key| key.spki_sha256().as_slice() == record.ek_spki_sha256);
    let ek = material.certificates.iter().find(|(_, c)| of_record(c));
    let fault = match (public, ek) {
        _ if cx.at > record.expires => format!("the record was in force until {}", record.expires),
        (None, _) if ak.publics.is_empty() => {
            "the public area of the attestation key is not there, so its name is not known".to_owned()
        }
        (None, _) => "the record is for another attestation key".to_owned(),
        (_, None) => "the certificate of the endorsement key that the record names is not there".to_owned(),
        (Some((_, public)), Some((place, ek))) => {
            checks.pass(&ck::ACTIVATION, PLACE, "the attestation key was activated for this endorsement key");
            return Some(Bound { place, ek, ak: *public });
        }
    };
    checks.fail(&ck::ACTIVATION, PLACE, fault);
    None
}

fn by_activation(
    bound: &Bound<'_>,
    material: &Material<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<AkTrust> {
    let path = ek::check(bound.ek, bound.place, &material.pool(), cx, checks)?;
    let identity = TpmIdentity::of(bound.ek);
    // The record is the operator's: it delegates the trust in the endorsement key to the key of this public area.
    let key = path.certificate.delegate("attestation key, by activation", |_| bound.ak.key())?;
    Some(AkTrust {
        key,
        mode: Mode::Activation,
        software: is_software(&path, identity.as_ref()),
        // SHA-1 is let pass for what Microsoft certifies, not for what it would.
        microsofts: false,
        googles: path.is_googles(),
        anchor_kind: path.anchor_kind().to_owned(),
        anchor: None,
        certificate: Some(path.certificate),
        chain: path.chain,
    })
}
