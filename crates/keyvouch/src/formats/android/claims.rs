//! What an authenticated statement claims.

use super::authorization::{AuthorizationList, Field, RootOfTrust};
use super::keydesc::{KeyDescription, Level, purpose};
use super::rules::patch_month;
use super::shape::{Provisioning, ProvisioningInfo};
use super::tags;
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet, Claims, Value};
use crate::crypto::PublicKey;
use crate::formats::Attested;
use crate::time::Time;

/// What was authenticated: the statement, the key, and what the attestation key's certificate says beside it.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) description: KeyDescription,
    pub(super) key: PublicKey,
    pub(super) info: Option<ProvisioningInfo>,
}

/// What the path says, not the statement.
pub(super) struct Path {
    pub(super) provisioning: Provisioning,
    /// When the first certificate above the target runs out.
    pub(super) until: Option<Time>,
}

const HW: &str = "KeyDescription, hardwareEnforced";
const SPKI: &str = "leaf subjectPublicKeyInfo, confirmed by KeyDescription";
const NO_EXPORT: &str = "Android, Keymaster and KeyMint HAL: there is no operation that exports a private key, and a key of origin GENERATED was made inside";

pub(super) fn attest(said: &Authentic<Said>, path: &Path) -> Attested {
    let d = &said.get().description;
    let generated = d.is_generated_in_hardware();
    let exportable = d.hardware.has(tags::EXPORTABLE) || d.software.has(tags::EXPORTABLE);
    let claims = ClaimSet::of(said)
        .attested(ClaimName::KeyAlgorithm, SPKI, |s| s.key.algorithm())
        .attested(ClaimName::KeySpkiSha256, SPKI, |s| hex::encode(s.key.spki_sha256()))
        .attested(ClaimName::KeyGeneratedInDevice, "KeyDescription, security levels and origin (702)", |s| {
            generated_in_device(&s.description)
        });
    let claims = match (exportable, generated) {
        (true, _) => claims.attested(ClaimName::KeyExportable, "KeyDescription, exportable (602)", |_| "yes"),
        (false, true) => claims.implied(ClaimName::KeyExportable, NO_EXPORT, "never").implied(
            ClaimName::KeyEverExportable,
            NO_EXPORT,
            false,
        ),
        (false, false) => {
            claims.unknown(ClaimName::KeyExportable, "the hardware does not say that it generated the key")
        }
    };
    let claims = claims
        .attested(ClaimName::KeyPurposes, "KeyDescription, hardware-enforced purpose (1)", |s| {
            purposes(&s.description.hardware)
        })
        .unknown(ClaimName::KeyCreatedAt, "creationDateTime (701) is said by the operating system")
        .attested(ClaimName::AuthUserVerification, "KeyDescription, hardware-enforced 503, 504, 505", |s| {
            user_verification(&s.description.hardware)
        })
        .attested(ClaimName::AuthTouch, "KeyDescription, trustedUserPresenceRequired (507)", |s| {
            s.description.hardware.flag(tags::TRUSTED_USER_PRESENCE).value().map(|()| "always")
        })
        .unknown(ClaimName::AuthPin, "userAuthType (504) does not tell a PIN from biometrics")
        .attested(ClaimName::DeviceClass, "KeyDescription, security levels", |s| class(&s.description))
        .attested(ClaimName::DeviceVendor, "KeyDescription, attestationIdManufacturer (716)", |s| {
            text(&s.description.hardware, tags::ID_MANUFACTURER)
        })
        .attested(ClaimName::DeviceModel, "KeyDescription, attestationIdModel (717)", |s| {
            text(&s.description.hardware, tags::ID_MODEL)
        })
        .attested(ClaimName::DeviceSerial, "KeyDescription, attestationIdSerial (713)", |s| {
            text(&s.description.hardware, tags::ID_SERIAL)
        })
        .attested(ClaimName::DeviceFirmware, "KeyDescription, osVersion (705) and osPatchLevel (706)", |s| {
            firmware(&s.description.hardware)
        })
        .unknown(ClaimName::DeviceFipsMode, "never attested");
    let claims = details(claims, d, path);
    Attested::new(said, |s| Some(s.key.clone()), claims.finish())
}

fn generated_in_device(d: &KeyDescription) -> Option<bool> {
    if d.is_generated_in_hardware() {
        return Some(true);
    }
    let hardware = d.attestation_level.is_hardware() && d.key_level.is_hardware();
    match d.hardware.integer(tags::ORIGIN) {
        Field::Value(1 | 2 | 4) if hardware => Some(false),
        _ => None,
    }
}

fn purposes(list: &AuthorizationList) -> Option<Vec<&'static str>> {
    let found = list.set(tags::PURPOSE).value()?;
    let words = [
        (purpose::SIGN, "sign"),
        (purpose::DECRYPT, "decrypt"),
        (purpose::AGREE_KEY, "agree"),
        (purpose::WRAP_KEY, "wrap"),
        (purpose::ATTEST_KEY, "attest"),
    ];
    Some(words.into_iter().filter(|(p, _)| found.contains(p)).map(|(_, word)| word).collect())
}

fn user_verification(list: &AuthorizationList) -> Option<&'static str> {
    let timeout = list.integer(tags::AUTH_TIMEOUT);
    match (list.has(tags::NO_AUTH_REQUIRED), list.integer(tags::USER_AUTH_TYPE)) {
        (true, _) => Some("never"),
        (false, Field::Value(mask)) if mask != 0 => match timeout {
            Field::Absent => Some("always"),
            Field::Value(_) => Some("cached"),
            Field::Unreadable => None,
        },
        _ => None,
    }
}

fn class(d: &KeyDescription) -> Option<&'static str> {
    match (d.attestation_level, d.key_level) {
        _ if d.has_software_level() => Some("software"),
        (Level::TEE, Level::TEE) => Some("tee"),
        (Level::STRONGBOX, Level::STRONGBOX) => Some("secure-element"),
        _ => None,
    }
}

fn text(list: &AuthorizationList, tag: u32) -> Option<String> {
    list.text(tag).value().map(str::to_owned)
}

/// `14.0.0 2024-08`; unknown when either is absent or zero.
fn firmware(list: &AuthorizationList) -> Option<String> {
    let os = list.integer(tags::OS_VERSION).value().filter(|v| (1..1_000_000).contains(v))?;
    let month = month(list.integer(tags::OS_PATCH_LEVEL))?;
    let part = |divisor: u64| os.checked_div(divisor).and_then(|n| n.checked_rem(100)).unwrap_or(0);
    Some(format!("{}.{}.{} {month}", part(10_000), part(100), part(1)))
}

fn month(field: Field<u64>) -> Option<String> {
    let month = patch_month(field)?;
    Some(format!("{:04}-{:02}", month.checked_div(100)?, month.checked_rem(100)?))
}

fn details<'s>(claims: Claims<'s, Said>, d: &KeyDescription, path: &Path) -> Claims<'s, Said> {
    const ROT: &str = "KeyDescription, rootOfTrust (704)";
    const SIGNER: &str = "certificate of the attestation key, 1.3.6.1.4.1.11129.2.1.30";
    let rot = |s: &Said| s.description.hardware.root_of_trust().value();
    let number =
        |tag: u32| move |s: &Said| s.description.hardware.integer(tag).value().map(|n| n.to_string());
    let flag = |tag: u32| move |s: &Said| s.description.hardware.has(tag);
    let provisioning = path.provisioning.as_str();
    let until = path.until.map(|t| t.to_string());
    let claims = claims
        .detail("attestation_version", "KeyDescription", |s| s.description.version.to_string())
        .detail("component_version", "KeyDescription", |s| s.description.component_version.to_string())
        .detail("attestation_security_level", "KeyDescription", |s| s.description.attestation_level.name())
        .detail("key_security_level", "KeyDescription", |s| s.description.key_level.name())
        .detail("challenge", "KeyDescription", |s| hex::encode(&s.description.challenge))
        .detail("unique_id", "KeyDescription", |s| {
            let id = &s.description.unique_id;
            (!id.is_empty()).then(|| hex::encode(id))
        })
        .detail("digests", HW, |s| words(&s.description.hardware, tags::DIGEST, DIGESTS))
        .detail("paddings", HW, |s| words(&s.description.hardware, tags::PADDING, PADDINGS))
        .detail("usage_count_limit", HW, number(tags::USAGE_COUNT_LIMIT))
        .detail("user_auth_type", HW, number(tags::USER_AUTH_TYPE))
        .detail("auth_timeout_seconds", HW, number(tags::AUTH_TIMEOUT))
        .detail("allow_while_on_body", HW, flag(tags::ALLOW_WHILE_ON_BODY))
        .detail("trusted_confirmation_required", HW, flag(tags::TRUSTED_CONFIRMATION))
        .detail("unlocked_device_required", HW, flag(tags::UNLOCKED_DEVICE))
        .detail("brand", HW, |s| text(&s.description.hardware, tags::ID_BRAND))
        .detail("device", HW, |s| text(&s.description.hardware, tags::ID_DEVICE))
        .detail("product", HW, |s| text(&s.description.hardware, tags::ID_PRODUCT))
        .detail("imei", HW, |s| text(&s.description.hardware, tags::ID_IMEI))
        .detail("second_imei", HW, |s| text(&s.description.hardware, tags::ID_SECOND_IMEI))
        .detail("meid", HW, |s| text(&s.description.hardware, tags::ID_MEID))
        .detail("bootloader_locked", ROT, move |s| rot(s).map(|r| r.locked))
        .detail("verified_boot_state", ROT, move |s| rot(s).map(|r| r.state.as_str()))
        .detail("verified_boot_key", ROT, move |s| rot(s).map(|r| hex::encode(r.boot_key)))
        .detail("verified_boot_hash", ROT, move |s| boot_hash(rot(s)))
        .detail("vendor_patch_level", HW, number(tags::VENDOR_PATCH_LEVEL))
        .detail("boot_patch_level", HW, number(tags::BOOT_PATCH_LEVEL))
        .detail("provisioning", "the shape of the chain", |_| provisioning)
        .detail("certificates_issued_in_30_days", SIGNER, |s| {
            s.info.as_ref().and_then(|i| i.issued).map(|n| n.to_string())
        })
        .detail("reported_lost", SIGNER, |s| s.info.as_ref().and_then(|i| i.lost))
        .detail("provisioned_for", SIGNER, |s| s.info.as_ref().and_then(|i| i.manufacturer.clone()))
        .detail("chain_valid_until", "the first certificate above the key's to run out", |_| until);
    expiry(said_by_the_os(claims, d), d)
}

fn boot_hash(rot: Option<RootOfTrust>) -> Option<String> {
    rot.and_then(|r| r.boot_hash).map(hex::encode)
}

/// What the operating system says, and nothing in the hardware vouches for.
fn said_by_the_os<'s>(claims: Claims<'s, Said>, d: &KeyDescription) -> Claims<'s, Said> {
    const SW: &str = "KeyDescription, softwareEnforced: said by the operating system";
    let app = d.software.application_id().value();
    let packages = app.as_ref().map(|a| {
        let packages: Vec<String> =
            a.packages.iter().map(|(name, version)| format!("{name} {version}")).collect();
        packages.join(", ")
    });
    let signers = app.map(|a| a.signers.iter().map(hex::encode).collect::<Vec<_>>().join(", "));
    let modules = d.software.octets(tags::MODULE_HASH).value().map(hex::encode);
    // Whole milliseconds since 1970 by the phone's clock; one Samsung model writes microseconds.
    let created = d.software.integer(tags::CREATION_DATE_TIME).value().map(|n| n.to_string());
    claims
        .declared("application", SW, packages)
        .declared("application_signers", SW, signers)
        .declared("module_hash", SW, modules)
        .declared("creation_date_time", SW, created)
}

/// Dates after which the key may not be used, with the list that states them.
fn expiry<'s>(claims: Claims<'s, Said>, d: &KeyDescription) -> Claims<'s, Said> {
    let table = [
        ("active_from", tags::ACTIVE_DATE_TIME),
        ("signs_until", tags::ORIGINATION_EXPIRE),
        ("usable_until", tags::USAGE_EXPIRE),
    ];
    table.into_iter().fold(claims, |claims, (name, tag)| match d.hardware.integer(tag).value() {
        Some(_) => claims.detail(name, "KeyDescription, hardwareEnforced", |s| {
            s.description.hardware.integer(tag).value().and_then(date)
        }),
        None => {
            let said = d.software.integer(tag).value().and_then(date);
            claims.declared(name, "KeyDescription, softwareEnforced", said)
        }
    })
}

fn date(milliseconds: u64) -> Option<String> {
    let seconds = i64::try_from(milliseconds.checked_div(1000)?).ok()?;
    Some(Time::from_unix(seconds).to_string())
}

const DIGESTS: &[(u64, &str)] =
    &[(0, "none"), (1, "MD5"), (2, "SHA-1"), (3, "SHA-224"), (4, "SHA-256"), (5, "SHA-384"), (6, "SHA-512")];
const PADDINGS: &[(u64, &str)] =
    &[(1, "none"), (2, "OAEP"), (3, "PSS"), (4, "PKCS1-encrypt"), (5, "PKCS1-sign"), (64, "PKCS7")];

fn words(list: &AuthorizationList, tag: u32, names: &'static [(u64, &'static str)]) -> Value {
    let Some(found) = list.set(tag).value() else { return Value::Unknown };
    Value::Set(names.iter().filter(|(number, _)| found.contains(number)).map(|(_, name)| *name).collect())
}
