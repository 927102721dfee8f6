//! Whose claims are made: of the module, and of the one object that holds the key in question.

use super::claims::{self, About, Claims, Uuid, uuid_text};
use super::signers::Vouched;
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet};
use crate::crypto::PublicKey;
use crate::formats::Attested;

/// Numbers of the maker's lists, as far as they are known.
const CLASS_PRIVATE_KEY: i64 = 4;
const CAPABILITY_SIGN: i64 = 261;

/// Picks the object out of authenticated claims. The request's key only selects: it is a key that the claims name.
pub(super) fn of(claims: Authentic<Claims>, requested: Option<&PublicKey>) -> Option<Authentic<Said>> {
    claims.parse(|claims| Ok::<_, ()>(Said::of(claims, requested))).ok()
}

/// The authenticated claims, and the one object among them that is spoken of.
#[derive(Debug)]
pub(super) struct Said {
    claims: Claims,
    object: Result<(Uuid, PublicKey), NoObject>,
}

/// Why no object is credited with its claims.
#[derive(Debug)]
pub(super) enum NoObject {
    /// There is none with a key, or several and nobody said which.
    NotOne(usize),
    /// None holds the key of the request; a key that one does hold.
    OtherKey(PublicKey),
    /// No key is claimed that the request's could be compared with.
    NoKey,
    /// Several hold the key of the request.
    Several,
}

impl Said {
    fn of(claims: Claims, requested: Option<&PublicKey>) -> Self {
        let with_keys: Vec<(Uuid, PublicKey)> =
            claims.objects.iter().filter_map(|(uuid, about)| Some((*uuid, about.key()?))).collect();
        let object = match requested {
            None => match with_keys.as_slice() {
                [only] => Ok(only.clone()),
                several => Err(NoObject::NotOne(several.len())),
            },
            Some(key) => {
                let mut holding = claims.objects.iter().filter(|(_, about)| about.holds(key));
                match (holding.next(), holding.next(), with_keys.first()) {
                    // The claim names this very key, by itself or by its digest.
                    (Some((uuid, _)), None, _) => Ok((*uuid, key.clone())),
                    (Some(_), Some(_), _) => Err(NoObject::Several),
                    (None, _, Some((_, other))) => Err(NoObject::OtherKey(other.clone())),
                    (None, _, None) => Err(NoObject::NoKey),
                }
            }
        };
        Self { claims, object }
    }

    /// Every claim.
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The object that is spoken of, or why none is.
    pub(super) fn object(&self) -> Result<&(Uuid, PublicKey), &NoObject> {
        self.object.as_ref()
    }

    /// The claims about the object that is spoken of.
    pub(super) fn about(&self) -> Option<&About> {
        self.claims.objects.get(&self.object.as_ref().ok()?.0)
    }

    /// The key to compare with the request's.
    fn key(&self) -> Option<&PublicKey> {
        match &self.object {
            Ok((_, key)) | Err(NoObject::OtherKey(key)) => Some(key),
            Err(_) => None,
        }
    }

    /// The key whose claims are made.
    fn own_key(&self) -> Option<&PublicKey> {
        self.object.as_ref().ok().map(|(_, key)| key)
    }

    /// The object's claims, when it is a private key.
    fn private_key(&self) -> Option<&About> {
        self.about().filter(|about| is_private_key(about))
    }

    fn generated(&self) -> Option<bool> {
        let key = self.private_key()?;
        let generated = key.has(claims::HARDWARE_GENERATED) && key.has(claims::CONFINED);
        (generated && self.claims.module.has(claims::CERTIFIED_PRODUCTION)).then_some(true)
    }

    fn exportable(&self) -> Option<&'static str> {
        let key = self.private_key()?;
        match (key.has(claims::CONFINED), key.has(claims::ARCHIVED_BY)) {
            (true, false) => Some("never"),
            (true, true) => Some("vendor-boundary"),
            (false, _) => None,
        }
    }

    fn ever_exportable(&self) -> Option<bool> {
        self.private_key()?.has(claims::NEVER_EXTRACTED).then_some(false)
    }

    fn purposes(&self) -> Option<Vec<&'static str>> {
        let capabilities = self.about()?.numbers(claims::HAS_CAPABILITY);
        // Only one number is known; others are reported as they are.
        capabilities.contains(&CAPABILITY_SIGN).then(|| vec!["sign"])
    }

    fn numbers(&self, name: &str) -> Option<String> {
        let numbers = self.about()?.numbers(name);
        let text = numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        (!text.is_empty()).then_some(text)
    }
}

pub(super) fn is_private_key(about: &About) -> bool {
    about.numbers(claims::OBJECT_CLASS) == [CLASS_PRIVATE_KEY]
}

/// What is claimed, in the words of every format.
pub(super) fn attested(said: &Authentic<Said>, vouched: &[Vouched<'_>]) -> Attested {
    const MODULE: &str = "the anchor";
    const SPKI: &str = "claim key-spki (.2.1) or key-spki-sha256 (.2.3)";
    let module = |s: &Said, name| s.claims.module.text(name).map(str::to_owned);
    let signers: Vec<String> =
        vouched.iter().map(|v| format!("{} ({})", v.signer.display_name(), v.scheme)).collect();
    let claims = ClaimSet::of(said)
        .attested(ClaimName::KeyAlgorithm, SPKI, |s| s.own_key().map(PublicKey::algorithm))
        .attested(ClaimName::KeySpkiSha256, SPKI, |s| s.own_key().map(|k| hex::encode(k.spki_sha256())))
        .attested(
            ClaimName::KeyGeneratedInDevice,
            "claims key-is-hardware-generated (.2.8), key-is-confined (.2.7), qasm-certified-production (.1.4)",
            Said::generated,
        )
        .attested(
            ClaimName::KeyExportable,
            "claims key-is-confined (.2.7), key-is-archived-by (.2.16)",
            Said::exportable,
        )
        .attested(ClaimName::KeyEverExportable, "claim key-never-extracted (.2.9)", Said::ever_exportable)
        .attested(ClaimName::KeyPurposes, "claim key-has-capability (.2.13)", Said::purposes)
        .unknown(ClaimName::KeyCreatedAt, "no claim says when a key was created")
        .implied(ClaimName::DeviceClass, MODULE, "hsm")
        .implied(ClaimName::DeviceVendor, MODULE, "Crypto4A")
        .implied(ClaimName::DeviceModel, MODULE, "QASM")
        .attested(ClaimName::DeviceSerial, "claim qasm-serial (.1.1)", |s| module(s, claims::QASM_SERIAL))
        .attested(ClaimName::DeviceFirmware, "claim qasm-firmware-version (.1.3)", |s| {
            module(s, claims::FIRMWARE)
        })
        .attested(ClaimName::DeviceFipsMode, "claim qasm-is-in-fips-mode (.1.5)", |s| {
            s.claims.module.has(claims::FIPS_MODE).then_some(true)
        })
        .detail("device_uuid", "claim qasm-uuid (.1.0)", |s| {
            let uuid = s.claims.module.bytes(claims::QASM_UUID)?;
            Uuid::try_from(uuid).ok().map(|uuid| uuid_text(&uuid))
        })
        .detail("attestation_time", "claim attestation-time (.1.2): the module's clock", |s| {
            s.claims.module.time(claims::ATTESTATION_TIME).map(|t| t.to_string())
        })
        .detail("key_uuid", "subject of the claims about the key", |s| {
            s.object.as_ref().ok().map(|(uuid, _)| uuid_text(uuid))
        })
        .detail("object_type", "claim object-type (.2.5), the maker's number", |s| s.numbers(claims::OBJECT_TYPE))
        .detail("keystore", "claim object-keystore (.2.6), the maker's number", |s| {
            s.numbers(claims::OBJECT_KEYSTORE)
        })
        .detail("capabilities", "claim key-has-capability (.2.13), the maker's numbers", |s| {
            s.numbers(claims::HAS_CAPABILITY)
        })
        .detail("capabilities_denied", "claim key-does-not-have-capability (.2.14), the maker's numbers", |s| {
            s.numbers(claims::LACKS_CAPABILITY)
        })
        .detail("archived", "claim key-is-archived-by (.2.16)", |s| {
            s.about().map(|about| about.has(claims::ARCHIVED_BY))
        })
        .detail("unknown_claims", "claims that are not on the list", |s| {
            (!s.claims.unknown.is_empty()).then(|| s.claims.unknown.join("; "))
        })
        .detail("signers", "signature blocks", |_| signers.join(", "))
        .finish();
    Attested::new(said, |s| s.key().cloned(), claims)
}
