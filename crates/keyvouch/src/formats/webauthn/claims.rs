//! What an authentic statement says of credential and authenticator.

use super::super::Attested;
use super::super::tpm::claims as tpm;
use super::certificate;
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet, Claims};
use crate::crypto::PublicKey;
use crate::pki::Certificate;
use crate::reference::fido::Model;
use crate::wire::authenticator_data::{AuthenticatorData, Flags, aaguid_text};
use crate::wire::cose::CoseKey;
use crate::wire::tpm::PublicArea;

/// What the attestation key signed, or what is named by a digest in it, and the certificate of that key.
#[derive(Debug, Clone)]
pub(super) struct Proved<'a> {
    pub(super) credential: Registered,
    pub(super) certificate: Certificate,
    /// Of TPM statements, the public area whose name is attested.
    pub(super) public: Option<PublicArea<'a>>,
}

/// The new credential.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    pub(super) key: PublicKey,
    pub(super) id: Vec<u8>,
    /// What only FIDO2 statements sign.
    pub(super) fido2: Option<Fido2>,
}

/// What a U2F statement does not cover.
#[derive(Debug, Clone)]
pub(super) struct Fido2 {
    aaguid: [u8; 16],
    flags: Flags,
    sign_count: u32,
    extensions: Vec<String>,
}

impl Registered {
    /// Reads authenticator data that are authentic.
    pub(super) fn read(auth_data: &[u8]) -> Option<Self> {
        let data = AuthenticatorData::read(auth_data).ok()?;
        let credential = data.credential?;
        let extensions = data.extensions.iter().flat_map(|map| map.entries());
        Some(Self {
            key: CoseKey::read(&credential.key).ok()?.key,
            id: credential.id.to_vec(),
            fido2: Some(Fido2 {
                aaguid: credential.aaguid,
                flags: data.flags,
                sign_count: data.sign_count,
                extensions: extensions.filter_map(|(name, _)| Some(name.as_text()?.to_owned())).collect(),
            }),
        })
    }
}

/// How the statement was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Packed,
    U2f,
    Tpm,
    Apple,
}

impl Kind {
    const fn attestation_type(self) -> &'static str {
        match self {
            Self::Packed | Self::U2f => "basic",
            Self::Tpm => "attca",
            Self::Apple => "anonca",
        }
    }

    const fn format(self) -> &'static str {
        match self {
            Self::Packed => "packed",
            Self::U2f => "fido-u2f",
            Self::Tpm => "tpm",
            Self::Apple => "apple",
        }
    }
}

/// What the judgement established besides the signed bytes.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) kind: Kind,
    pub(super) model: Option<Model>,
    pub(super) certification_level: Option<String>,
    /// A TPM in software.
    pub(super) software: bool,
}

/// How a model keeps its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// In a secure element or trusted execution environment.
    Kept,
    /// There, but stored outside in wrapped form.
    RemoteHandle,
    /// Otherwise, or it is not said.
    Other,
}

impl Protection {
    pub(super) fn of(model: &Model) -> Self {
        let says = |word: &str| model.key_protection.iter().any(|w| w == word);
        let isolated = says("hardware") && (says("secure_element") || says("tee")) && !says("software");
        match (isolated, says("remote_handle")) {
            (true, false) => Self::Kept,
            (true, true) => Self::RemoteHandle,
            (false, _) => Self::Other,
        }
    }
}

const KEY: &str = "credentialPublicKey of the authenticator data";
const FLAGS: &str = "flag BE of the authenticator data: a credential that may be backed up";
const METADATA: &str =
    "FIDO Metadata Service, keyProtection of the model below whose anchor the attestation certificate is";
const MODEL: &str =
    "FIDO Metadata Service, description of the model below whose anchor the attestation certificate is";
const APPLE: &str = "Apple, anonymous attestation: keys of the Secure Enclave";
const ATTRIBUTES: &str = "objectAttributes of the public area, whose name is attested";
const CERTIFICATE: &str = "attestation certificate";
const AUTH_DATA: &str = "authenticator data";

/// The claims of a statement.
pub(super) fn say(proved: &Authentic<Proved<'_>>, facts: &Facts) -> Attested {
    let mut claims = ClaimSet::of(proved)
        .attested(ClaimName::KeyAlgorithm, KEY, |p| p.credential.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, KEY, |p| hex::encode(p.credential.key.spki_sha256()))
        .unknown(ClaimName::KeyCreatedAt, "no statement of WebAuthn has a time")
        .unknown(ClaimName::AuthTouch, "touch and PIN of the registration say nothing of later use")
        .unknown(ClaimName::AuthPin, "touch and PIN of the registration say nothing of later use")
        .unknown(ClaimName::DeviceFipsMode, "no statement of WebAuthn says it")
        .attested(
            ClaimName::DeviceSerial,
            "extension 1.3.6.1.4.1.45724.1.1.2 (enterprise attestation)",
            |p| certificate::serial(&p.certificate),
        );
    claims = match facts.kind {
        Kind::Packed | Kind::U2f => of_model(claims, facts),
        Kind::Apple => claims
            .implied(ClaimName::KeyGeneratedInDevice, APPLE, true)
            .implied(ClaimName::KeyExportable, APPLE, "never")
            .implied(ClaimName::DeviceClass, APPLE, "secure-element")
            .implied(ClaimName::DeviceVendor, APPLE, "Apple"),
        Kind::Tpm => of_tpm(claims, facts),
    };
    if facts.kind != Kind::Tpm {
        claims = claims.implied(
            ClaimName::KeyPurposes,
            "Web Authentication: a credential signs assertions for its relying party, and nothing else",
            vec!["sign"],
        );
    }
    // Whatever else is said of the device: such a key is made to leave it.
    let backup_eligible =
        |p: &Proved<'_>| p.credential.fido2.as_ref().is_some_and(|f| f.flags.backup_eligible());
    if backup_eligible(proved.get()) {
        claims = claims.attested(ClaimName::KeyExportable, FLAGS, |_| "yes");
    }
    Attested::new(proved, |p| Some(p.credential.key.clone()), details(claims, facts).finish())
}

fn of_model<'s, 'a>(claims: Claims<'s, Proved<'a>>, facts: &Facts) -> Claims<'s, Proved<'a>> {
    const FIRMWARE: &str = "firmware version in the attestation certificate";
    let claims =
        claims.attested(ClaimName::DeviceFirmware, FIRMWARE, |p| certificate::firmware(&p.certificate));
    let Some(model) = &facts.model else { return claims };
    let says = |word: &str| model.key_protection.iter().any(|w| w == word);
    let class = [("secure_element", "token"), ("tee", "tee"), ("software", "software")]
        .into_iter()
        .find(|(word, _)| says(word))
        .map(|(_, class)| class);
    let protection = Protection::of(model);
    let (generated, exportable) = match protection {
        Protection::Kept => (Some(true), Some("never")),
        Protection::RemoteHandle => (Some(true), Some("wrapped")),
        Protection::Other => (None, None),
    };
    claims
        .implied(ClaimName::KeyGeneratedInDevice, METADATA, generated)
        .implied(ClaimName::KeyExportable, METADATA, exportable)
        .implied(ClaimName::DeviceClass, METADATA, class)
        .implied(ClaimName::DeviceModel, MODEL, model.description.clone())
}

fn of_tpm<'s, 'a>(claims: Claims<'s, Proved<'a>>, facts: &Facts) -> Claims<'s, Proved<'a>> {
    use super::super::tpm::identity::TpmIdentity;
    const SAN: &str = "subjectAltName of the certificate of the attestation key";
    let class = if facts.software { "software" } else { "tpm" };
    let public = |p: &Proved<'_>, read: fn(&PublicArea<'_>) -> Option<bool>| p.public.as_ref().and_then(read);
    claims
        .attested(ClaimName::KeyGeneratedInDevice, ATTRIBUTES, |p| public(p, tpm::generated))
        .attested(ClaimName::KeyExportable, ATTRIBUTES, |p| p.public.as_ref().and_then(tpm::exportable))
        .attested(ClaimName::KeyEverExportable, ATTRIBUTES, |p| public(p, tpm::ever_exportable))
        .attested(ClaimName::KeyPurposes, ATTRIBUTES, |p| p.public.as_ref().map(tpm::purposes))
        .implied(
            ClaimName::DeviceClass,
            "TPM 2.0 library specification; kind of the anchor, and the maker in the certificate",
            class,
        )
        .attested(ClaimName::DeviceVendor, SAN, |p| {
            TpmIdentity::of(&p.certificate)?.vendor().map(str::to_owned)
        })
        .attested(ClaimName::DeviceModel, SAN, |p| TpmIdentity::of(&p.certificate)?.model)
}

fn details<'s, 'a>(claims: Claims<'s, Proved<'a>>, facts: &Facts) -> Claims<'s, Proved<'a>> {
    const SERVICE: &str = "FIDO Metadata Service";
    let fido2 = |p: &Proved<'_>, read: fn(&Fido2) -> String| p.credential.fido2.as_ref().map(read);
    let describe = |p: &Proved<'_>| {
        let public = p.public.as_ref()?;
        Some(super::super::tpm::key::describe(public.attributes))
    };
    claims
        .detail("statement_format", "attestation object, fmt", |_| facts.kind.format())
        .detail("attestation_type", "form of the statement and its certificate", |_| {
            facts.kind.attestation_type()
        })
        .detail("aaguid", AUTH_DATA, |p| fido2(p, |f| aaguid_text(&f.aaguid)))
        .detail("credential_id", AUTH_DATA, |p| hex::encode(&p.credential.id))
        .detail("flags", AUTH_DATA, |p| fido2(p, |f| format!("{:#04x}", f.flags.0)))
        .detail("user_verified", AUTH_DATA, |p| p.credential.fido2.as_ref().map(|f| f.flags.user_verified()))
        .detail("sign_count", AUTH_DATA, |p| fido2(p, |f| f.sign_count.to_string()))
        .detail("extensions", AUTH_DATA, |p| {
            fido2(p, |f| if f.extensions.is_empty() { "none".to_owned() } else { f.extensions.join(", ") })
        })
        .detail("certification_level", SERVICE, |_| facts.certification_level.clone())
        .detail("key_protection", SERVICE, |_| {
            facts.model.as_ref().map(|model| model.key_protection.join(", "))
        })
        .detail("yubico_device_id", CERTIFICATE, |p| certificate::yubico_device(&p.certificate))
        .detail("fips_series", CERTIFICATE, |p| certificate::is_yubico_fips(&p.certificate).then_some(true))
        .detail("attributes", ATTRIBUTES, describe)
}
