//! What an authentic statement says.

use super::identity::{IssuerName, TpmIdentity};
use super::key::{Hierarchy, describe, is_derived};
use super::policy;
use super::trust::{AkTrust, Mode};
use crate::authentic::{Authentic, SignatureValid};
use crate::claims::{ClaimName, ClaimSet, Claims};
use crate::formats::Attested;
use crate::pki::Certificate;
use crate::wire::tpm::{Attest, Certified, CreationData, Parameters, PublicArea, attribute, hash};

/// What the judgement established besides the signed bytes.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) mode: Mode,
    pub(super) software: bool,
    pub(super) anchor_kind: String,
    pub(super) googles: bool,
    pub(super) derived_keys: bool,
    /// Whether the firmware version in the attestation is the true one.
    pub(super) firmware_is_clear: bool,
    pub(super) hierarchy: Option<Hierarchy>,
    pub(super) ak_spki_sha256: [u8; 32],
}

/// Everything that is authentic of one statement.
struct Proved<'a> {
    attest: Attest<'a>,
    public: PublicArea<'a>,
    creation: Option<CreationData<'a>>,
    /// The certificate that says which TPM it is, with what it says.
    certificate: Option<(Certificate, Option<TpmIdentity>)>,
}

/// Joins what is signed with what its digests name. `None` when a link is missing.
pub(super) fn attest(
    proof: SignatureValid<'_>,
    trust: AkTrust,
    public: PublicArea<'_>,
    creation: Option<(CreationData<'_>, &[u8])>,
    facts: Facts,
) -> Option<Attested> {
    let attest = trust.key.authenticate(proof)?.parse(Attest::read).ok()?;
    // The name is the digest of the public area; the creation hash that of the creation data.
    let public = attest.endorse(public, |attest, public| {
        attest.name().is_some_and(|name| public.name().as_deref() == Some(name))
    })?;
    let creation = creation.and_then(|(data, bytes)| {
        let name_alg = public.get().name_alg;
        attest.endorse((data, bytes), |attest, (data, bytes)| match attest.certified {
            Certified::Creation { creation_hash, .. } => {
                hash(name_alg).is_some_and(|hash| hash.digest(bytes) == creation_hash)
                    && CreationData::read(bytes).as_ref() == Ok(data)
            }
            _ => false,
        })
    });
    let creation = creation.map(|c| c.get().0.clone());
    let both = attest.join(public)?;
    let identified = trust.certificate.map(|c| {
        c.parse(|c| {
            let identity = TpmIdentity::of(&c);
            Ok::<_, ()>((c, identity))
        })
    });
    let proved = match identified {
        None => {
            both.parse(|(attest, public)| Ok::<_, ()>(Proved { attest, public, creation, certificate: None }))
        }
        Some(certificate) => both.beside(certificate.ok()?)?.parse(|((attest, public), certificate)| {
            Ok(Proved { attest, public, creation, certificate: Some(certificate) })
        }),
    };
    Some(say(&proved.ok()?, &facts))
}

const PUBLIC: &str = "public area (TPMT_PUBLIC), whose name is attested";
const ATTRIBUTES: &str = "objectAttributes of the public area, whose name is attested";
const SAN: &str = "subjectAltName of the certificate of the attestation key";
const EK_SAN: &str =
    "subjectAltName of the EK certificate, to which the operator's record binds the attestation key";

fn say(proved: &Authentic<Proved<'_>>, facts: &Facts) -> Attested {
    let key = |p: &Proved<'_>| p.public.key();
    let mut claims = ClaimSet::of(proved)
        .attested(ClaimName::KeyAlgorithm, PUBLIC, |p| key(p).map(|k| k.algorithm()))
        .attested(ClaimName::KeySpkiSha256, PUBLIC, |p| key(p).map(|k| hex::encode(k.spki_sha256())))
        .attested(ClaimName::KeyExportable, ATTRIBUTES, |p| on_key(p, exportable))
        .attested(ClaimName::KeyEverExportable, ATTRIBUTES, |p| on_key(p, ever_exportable))
        .attested(ClaimName::KeyPurposes, ATTRIBUTES, |p| on_key(p, |p| Some(purposes(p))))
        .unknown(ClaimName::KeyCreatedAt, "a TPM has no clock that the world agrees with")
        .unknown(ClaimName::AuthPin, "whether a password was set is not in the statement; it may be empty")
        .unknown(ClaimName::DeviceFipsMode, "a statement does not say it");
    claims = generated_in_device(claims, proved, facts.derived_keys);
    claims = device(claims, facts);
    Attested::new(proved, key, details(claims, facts).finish())
}

/// A value of an asymmetric key; a keyed hash has no place in the vocabulary.
fn on_key<V>(proved: &Proved<'_>, value: impl FnOnce(&PublicArea<'_>) -> Option<V>) -> Option<V> {
    proved.public.scheme().and_then(|_| value(&proved.public))
}

/// How far the key can leave its TPM.
pub(crate) fn exportable(public: &PublicArea<'_>) -> Option<&'static str> {
    use attribute::{ENCRYPTED_DUPLICATION, FIXED_PARENT, FIXED_TPM};
    Some(if public.has(FIXED_TPM) {
        "never"
    } else if public.has(FIXED_PARENT) || public.has(ENCRYPTED_DUPLICATION) {
        "wrapped"
    } else {
        "yes"
    })
}

/// Whether it could at any time: attributes are fixed when a key is made.
pub(crate) fn ever_exportable(public: &PublicArea<'_>) -> Option<bool> {
    Some(!public.has(attribute::FIXED_TPM))
}

/// Whether the TPM generated the key. sensitiveDataOrigin is true only together with fixedTPM: TPM2_Import takes an
/// outside key that has it set.
pub(crate) fn generated(public: &PublicArea<'_>) -> Option<bool> {
    match (public.has(attribute::FIXED_TPM), public.has(attribute::SENSITIVE_DATA_ORIGIN)) {
        (true, true) => Some(true),
        (false, false) => Some(false),
        _ => None,
    }
}

/// In the order of the vocabulary: sign, decrypt, agree, wrap, attest.
pub(crate) fn purposes(public: &PublicArea<'_>) -> Vec<&'static str> {
    use attribute::{DECRYPT, RESTRICTED, SIGN};
    let (restricted, ecc) = (public.has(RESTRICTED), matches!(public.parameters, Parameters::Ecc { .. }));
    let decrypts = public.has(DECRYPT);
    [
        (public.has(SIGN) && !restricted, "sign"),
        (decrypts && !restricted && !ecc, "decrypt"),
        (decrypts && !restricted && ecc, "agree"),
        (decrypts && restricted, "wrap"),
        (public.has(SIGN) && restricted, "attest"),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, purpose)| purpose)
    .collect()
}

fn generated_in_device<'s, 'a>(
    claims: Claims<'s, Proved<'a>>,
    proved: &Authentic<Proved<'a>>,
    derived_keys: bool,
) -> Claims<'s, Proved<'a>> {
    const NAME: ClaimName = ClaimName::KeyGeneratedInDevice;
    const DERIVED: &str = "TPM 2.0 library specification, part 1: a key that cannot leave the TPM is derived only from a seed of it";
    let public = &proved.get().public;
    if derived_keys && is_derived(public) {
        return claims.implied(NAME, DERIVED, true);
    }
    claims.attested(NAME, ATTRIBUTES, |p| on_key(p, generated))
}

fn device<'s, 'a>(claims: Claims<'s, Proved<'a>>, facts: &Facts) -> Claims<'s, Proved<'a>> {
    let class = if facts.software { "software" } else { "tpm" };
    let of = |p: &Proved<'_>, read: fn(&TpmIdentity) -> Option<String>| -> Option<String> {
        p.certificate.as_ref()?.1.as_ref().and_then(read)
    };
    let vendor = |p: &Proved<'_>| match of(p, |i| i.vendor().map(str::to_owned)) {
        None if facts.googles => Some("Google".to_owned()),
        found => found,
    };
    let model = |p: &Proved<'_>| of(p, |i| i.model.clone());
    let own = |_: &Proved<'_>| hex::encode(facts.ak_spki_sha256);
    const AK_KEY: &str = "SHA-256 of the attestation key: it never leaves its TPM";
    const CLASS: &str = "TPM 2.0 library specification; kind of the anchor, and the maker in the certificate";
    let claims = match facts.mode {
        Mode::Certificate => claims
            .implied(ClaimName::DeviceClass, CLASS, class)
            .attested(ClaimName::DeviceVendor, SAN, vendor)
            .attested(ClaimName::DeviceModel, SAN, model)
            .attested(ClaimName::DeviceSerial, AK_KEY, own),
        Mode::Activation => claims
            .operator(ClaimName::DeviceClass, CLASS, |_| class)
            .operator(ClaimName::DeviceVendor, EK_SAN, vendor)
            .operator(ClaimName::DeviceModel, EK_SAN, model)
            .operator(
                ClaimName::DeviceSerial,
                "SHA-256 of the endorsement key, to which the operator's record binds the attestation key",
                |p| {
                    let key = p.certificate.as_ref()?.0.key().ok()?;
                    Some(hex::encode(key.spki_sha256()))
                },
            ),
        Mode::Pin => claims
            .operator(ClaimName::DeviceClass, "the operator pinned the key as one of a TPM", |_| class)
            .unknown(ClaimName::DeviceVendor, "a pinned key names no maker")
            .unknown(ClaimName::DeviceModel, "a pinned key names no model")
            .attested(ClaimName::DeviceSerial, AK_KEY, own),
    };
    // What hangs on evidence that may be left out (the attestation key's public area) decides nothing that the
    // certificate says already.
    if facts.mode == Mode::Pin {
        claims.attested(ClaimName::DeviceFirmware, CLEAR_FIRMWARE, |p| {
            facts.firmware_is_clear.then(|| dotted(p.attest.firmware_version))
        })
    } else {
        const AT_MANUFACTURE: &str = "tpmVersion in the certificate: as of its issue, not of now";
        claims.attested(ClaimName::DeviceFirmware, AT_MANUFACTURE, |p| of(p, TpmIdentity::firmware))
    }
}

const CLEAR_FIRMWARE: &str = "firmwareVersion of the attestation, which is the true one: the attestation key is in the endorsement hierarchy";

/// Two 32-bit versions of two 16-bit halves each, as TPM_PT_FIRMWARE_VERSION_1 and _2 are read.
fn dotted(version: u64) -> String {
    let bytes = version.to_be_bytes();
    let halves: Vec<String> =
        bytes.chunks(2).map(|c| c.iter().fold(0_u32, |n, b| (n << 8) | u32::from(*b)).to_string()).collect();
    halves.join(".")
}

fn details<'s, 'a>(claims: Claims<'s, Proved<'a>>, facts: &Facts) -> Claims<'s, Proved<'a>> {
    const ATTEST: &str = "attestation (TPMS_ATTEST)";
    const CREATION: &str = "creation data (TPMS_CREATION_DATA), whose hash is attested";
    let created = |p: &Proved<'_>, read: fn(&CreationData<'_>) -> String| p.creation.as_ref().map(read);
    let text = |value: &'static str| move |_: &Proved<'_>| value;
    claims
        .detail("ak_trust", "how the attestation key is trusted", text(facts.mode.text()))
        .detail("anchor_kind", "the reference data", |_| facts.anchor_kind.clone())
        .detail("ak_spki_sha256", "the attestation key", |_| hex::encode(facts.ak_spki_sha256))
        .detail("ek_issuer", "common name of the certificate's issuer", |p| {
            let issuer = p.certificate.as_ref()?.0.issuer_common_name()?;
            IssuerName::read(issuer).map(|name| name.ek_issuer.to_owned())
        })
        .detail("name", ATTEST, |p| p.attest.name().map(hex::encode))
        .detail("attributes", ATTRIBUTES, |p| describe(p.public.attributes))
        .detail("auth_policy", PUBLIC, |p| {
            let digest = p.public.auth_policy;
            let known = policy::name(digest).map_or_else(String::new, |name| format!(" ({name})"));
            (!digest.is_empty()).then(|| format!("{}{known}", hex::encode(digest)))
        })
        .detail("hierarchy", "qualified name, or parent in the creation data", |_| {
            facts.hierarchy.map(Hierarchy::text)
        })
        .detail("qualified_name", ATTEST, |p| match p.attest.certified {
            Certified::Certify { qualified_name, .. } => Some(hex::encode(qualified_name)),
            _ => None,
        })
        .detail("parent_name", CREATION, |p| created(p, |c| hex::encode(c.parent_name)))
        .detail("creation_outside_info", CREATION, |p| created(p, |c| hex::encode(c.outside_info)))
        .detail("creation_locality", CREATION, |p| created(p, |c| format!("{:#04x}", c.locality)))
        .detail("creation_pcrs", CREATION, |p| created(p, pcrs))
        .detail("clock", ATTEST, |p| format!("{} ms of power-on time", p.attest.clock))
        .detail("clock_safe", ATTEST, |p| p.attest.safe)
        .detail("reset_count", ATTEST, |p| facts.firmware_is_clear.then(|| p.attest.reset_count.to_string()))
        .detail("restart_count", ATTEST, |p| {
            facts.firmware_is_clear.then(|| p.attest.restart_count.to_string())
        })
        .detail("firmware_version", ATTEST, |p| format!("{:016x}", p.attest.firmware_version))
        .detail("firmware_now", CLEAR_FIRMWARE, |p| {
            facts.firmware_is_clear.then(|| dotted(p.attest.firmware_version))
        })
        .detail("extra_data", ATTEST, |p| hex::encode(p.attest.extra_data))
}

fn pcrs(creation: &CreationData<'_>) -> String {
    let banks: Vec<String> = creation
        .pcrs
        .iter()
        .map(|(bank, bits)| format!("{}:{}", crate::wire::tpm::alg_name(*bank), hex::encode(bits)))
        .collect();
    if banks.is_empty() { "none".to_owned() } else { banks.join(", ") }
}
