//! What authentic Evidence says of the key and the module.

use der::asn1::ObjectIdentifier;

use super::elements::{Claims, Contents, key, platform, transaction};
use super::oids::{Arc, Named};
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet};
use crate::formats::Attested;
use crate::pki::Certificate;

/// Everything that the claims are made of.
pub(super) struct Facts {
    contents: Contents,
    key: Option<Claims>,
    signer: Option<Certificate>,
}

impl Facts {
    /// The key is one of those in `contents`, by its place.
    pub(super) fn new(contents: Contents, key: Option<usize>, signer: Option<Certificate>) -> Self {
        let key = key.and_then(|index| contents.keys.get(index)).cloned();
        Self { contents, key, signer }
    }

    fn key_flag(&self, number: u32) -> Option<bool> {
        self.key.as_ref()?.flag(number)
    }

    fn platform(&self) -> Option<&Claims> {
        self.contents.platform.as_ref()
    }

    fn platform_text(&self, number: u32) -> Option<String> {
        self.platform()?.text(number).map(str::to_owned)
    }

    fn platform_number(&self, number: u32) -> Option<String> {
        self.platform()?.number(number).map(|n| n.to_string())
    }

    fn fips_boot(&self) -> Option<bool> {
        self.platform()?.flag(platform::FIPSBOOT)
    }

    /// CKA_SENSITIVE false: the value can be read in the clear, whatever else is said.
    fn exportable(&self) -> Option<&'static str> {
        match (self.key_flag(key::SENSITIVE), self.key_flag(key::EXTRACTABLE)) {
            (Some(false), _) => Some("yes"),
            (_, Some(true)) => Some("wrapped"),
            (_, Some(false)) => Some("vendor-boundary"),
            (_, None) => None,
        }
    }

    fn ever_exportable(&self) -> Option<bool> {
        match (self.key_flag(key::SENSITIVE), self.key_flag(key::NEVER_EXTRACTABLE)) {
            (Some(false), _) | (_, Some(false)) => Some(true),
            (_, Some(true)) => Some(false),
            (_, None) => None,
        }
    }

    fn purposes(&self) -> Option<Vec<&'static str>> {
        let given = self.key.as_ref()?.purposes(key::PURPOSE)?;
        let words: Vec<&str> = given.iter().filter_map(|oid| purpose(&self.contents.arc, *oid)).collect();
        Some(["sign", "decrypt", "agree", "wrap"].into_iter().filter(|word| words.contains(word)).collect())
    }

    /// Identifiers of purposes as given: those of other arcs are not known here.
    fn raw_purposes(&self) -> Option<String> {
        let given = self.key.as_ref()?.purposes(key::PURPOSE)?;
        Some(given.iter().map(ObjectIdentifier::to_string).collect::<Vec<_>>().join(", "))
    }

    fn model(&self) -> Option<String> {
        let bytes = self.platform()?.octets(platform::HWMODEL).filter(|bytes| !bytes.is_empty())?;
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control));
        Some(text.map_or_else(|| hex::encode(bytes), str::to_owned))
    }
}

/// The use of the private key that a capability means. Its public side (encrypt, verify) adds nothing.
fn purpose(arc: &Arc, oid: ObjectIdentifier) -> Option<&'static str> {
    match arc.name(oid) {
        Some(Named::Capability(1)) => Some("decrypt"),
        Some(Named::Capability(2 | 3)) => Some("wrap"),
        // sign, sign-recover
        Some(Named::Capability(4 | 5)) => Some("sign"),
        Some(Named::Capability(8)) => Some("agree"),
        _ => None,
    }
}

pub(super) fn attest(facts: &Authentic<Facts>) -> Attested {
    const SPKI: &str = "key element, claim spki";
    let key_of = |facts: &Facts| facts.key.as_ref().and_then(|k| k.keys(key::SPKI).next()).cloned();
    let claims = ClaimSet::of(facts)
        .attested(ClaimName::KeyAlgorithm, SPKI, |f| key_of(f).map(|k| k.algorithm()))
        .attested(ClaimName::KeySpkiSha256, SPKI, |f| key_of(f).map(|k| hex::encode(k.spki_sha256())))
        .attested(ClaimName::KeyGeneratedInDevice, "key element, claim local (CKA_LOCAL)", |f| {
            f.key_flag(key::LOCAL)
        })
        .attested(
            ClaimName::KeyExportable,
            "key element, claims extractable and sensitive (CKA_EXTRACTABLE, CKA_SENSITIVE); the maker's own backup is not spoken of",
            Facts::exportable,
        )
        .attested(
            ClaimName::KeyEverExportable,
            "key element, claims never-extractable and sensitive (CKA_NEVER_EXTRACTABLE, CKA_SENSITIVE)",
            Facts::ever_exportable,
        )
        .attested(ClaimName::KeyPurposes, "key element, claim purpose", Facts::purposes)
        .unknown(ClaimName::KeyCreatedAt, "the format has no claim for it")
        .implied(ClaimName::DeviceClass, "draft-ietf-rats-pkix-key-attestation: evidence of hardware security modules", "hsm")
        .attested(ClaimName::DeviceVendor, "platform element, claim vendor", |f| {
            f.platform_text(platform::VENDOR)
        })
        .attested(ClaimName::DeviceModel, "platform element, claim hwmodel", Facts::model)
        .attested(ClaimName::DeviceSerial, "platform element, claim hwserial", |f| {
            f.platform_text(platform::HWSERIAL)
        })
        .attested(ClaimName::DeviceFirmware, "platform element, claim swversion", |f| {
            f.platform_text(platform::SWVERSION)
        })
        .attested(ClaimName::DeviceFipsMode, "platform element, claim fipsboot", Facts::fips_boot);
    Attested::new(facts, key_of, details(claims).finish())
}

/// What the format says beyond the common vocabulary.
fn details(claims: crate::claims::Claims<'_, Facts>) -> crate::claims::Claims<'_, Facts> {
    let time = |claims: Option<&Claims>, number| claims.and_then(|c| c.time(number)).map(|t| t.to_string());
    claims
        .detail("encoding", "tags of the values", |f| f.contents.encoding.describe())
        .detail("attestation_key", "signature block: subject and key of the signer's certificate", |f| {
            let certificate = f.signer.as_ref()?;
            let key = certificate.key().ok()?;
            Some(format!("{}, SHA-256 {}", certificate.display_name(), hex::encode(key.spki_sha256())))
        })
        .detail(
            "timestamp",
            "transaction element, claim timestamp: the module's clock, not to be relied on",
            move |f| time(f.contents.transaction.as_ref(), transaction::TIMESTAMP),
        )
        .detail("key_identifiers", "key element, claim identifier", |f| {
            f.key.as_ref().map(|k| k.texts(key::IDENTIFIER).collect::<Vec<_>>().join(", "))
        })
        .detail("key_expiry", "key element, claim expiry", move |f| time(f.key.as_ref(), key::EXPIRY))
        .detail("key_capabilities", "key element, claim purpose", Facts::raw_purposes)
        .detail("keys_in_evidence", "key elements", |f| f.contents.keys.len().to_string())
        .detail("oemid", "platform element, claim oemid", |f| {
            f.platform()?.octets(platform::OEMID).map(hex::encode)
        })
        .detail("hardware_version", "platform element, claim hwversion", |f| {
            f.platform_text(platform::HWVERSION)
        })
        .detail("software_name", "platform element, claim swname", |f| f.platform_text(platform::SWNAME))
        .detail("debug_status", "platform element, claim dbgstat (RFC 9711)", |f| {
            f.platform_number(platform::DBGSTAT)
        })
        .detail("uptime_seconds", "platform element, claim uptime", |f| f.platform_number(platform::UPTIME))
        .detail("boot_count", "platform element, claim bootcount", |f| f.platform_number(platform::BOOTCOUNT))
        // The level at which the module was started means something only when it was started in its FIPS mode.
        .detail(
            "fips_operation",
            "platform element, claims fipsver, fipslevel, fipsmodule: how the module runs, not a certificate",
            |f| {
                f.fips_boot().filter(|on| *on)?;
                let parts = [
                    f.platform_text(platform::FIPSVER),
                    f.platform_number(platform::FIPSLEVEL).map(|level| format!("level {level}")),
                    f.platform_text(platform::FIPSMODULE),
                ];
                let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
                (!text.is_empty()).then_some(text)
            },
        )
        .detail("ignored", "elements and claims that this verifier does not know", |f| {
            (!f.contents.ignored.is_empty()).then(|| f.contents.ignored.join(", "))
        })
}
